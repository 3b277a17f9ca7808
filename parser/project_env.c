/* SPDX-License-Identifier: Apache-2.0 */
/* project_env.c - which files make a project, where it lives, what it is called, and its environment. */
#include "parser/project_env.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

#include "base/path.h"
#include "base/vec.h"
#include "parser/document.h"
#include "parser/dotenv.h"
#include "parser/interpolate.h"

typedef VEC(const char *) text_vec;

static const char *absolute(struct arena *arena, const char *base, const char *path)
{
    if (strcmp(path, "-") == 0)
        return "-";
    _cleanup_free_ char *joined = path_join(base, path), *clean = path_clean(joined);
    return arena_strdup(arena, clean);
}

static const char *directory_of(struct arena *arena, const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash > path ? arena_strndup(arena, path, (size_t)(slash - path)) : "/";
}

struct reading {
    const struct env *env;
    struct loading *loading;
    const char *file;
};

static const char *lookup(void *context, const char *name)
{
    return env_get(((const struct reading *)context)->env, name);
}

static void note_unset(void *context, const char *name, unsigned line)
{
    const struct reading *reading = context;
    interpolate_unset(reading->loading, (struct pos){.file = reading->file, .line = line, .column = 1}, NULL, name);
}

int project_env_add(struct loading *loading, struct env *env, const char *const *paths, bool optional, struct err *err)
{
    _cleanup_(env_freep) struct env *added = env_new();
    for (; paths && *paths; paths++) {
        struct reading reading = {.env = env, .loading = loading, .file = arena_strdup(loading->arena, *paths)};
        struct dotenv_options dotenv = {.lookup = lookup, .unset = note_unset, .context = &reading,
                                        .file = reading.file};
        struct err read_err = {0};
        _cleanup_free_ char *text = NULL;
        size_t size;
        if (file_read(*paths, DOTENV_BYTES_MAX, &text, &size, &read_err) < 0) {
            if (optional && (read_err.code == ERR_NOT_FOUND || read_err.code == ERR_CONFIG))
                continue;
            if (read_err.code == ERR_NOT_FOUND)
                return err_set(err, ERR_NOT_FOUND, "couldn't find env file: %s", *paths);
            return err_copy(err, &read_err);
        }
        if (dotenv_parse(text, size, &dotenv, added, err) < 0)
            return err_wrap(err, "failed to read");
    }
    for (size_t i = 0; i < env_count(added); i++) {
        const char *name = env_name_at(added, i);
        if (!env_get(env, name))
            env_set(env, name, env_get(added, name), env_origin(added, name));
        else
            env_shadow(env, name, env_origin(added, name));
    }
    return 0;
}

static const char **list_of(struct arena *arena, text_vec *vec)
{
    const char **list = arena_alloc(arena, (vec->count + 1) * sizeof(*list));
    if (vec->count)
        memcpy(list, vec->items, vec->count * sizeof(*list));
    VEC_DONE(vec);
    return list;
}

/* --env-file or COMPOSE_ENV_FILES, else .env in dir. */
static int load_environment(struct loading *loading, const char *dir, struct project_files *files, struct err *err)
{
    struct arena *arena = loading->arena;
    const struct load_options *options = loading->options;
    struct env *env = loading->env;
    text_vec paths = {0};
    const char *listed = env_get(env, "COMPOSE_ENV_FILES");

    for (size_t i = 0; options->env_files && options->env_files[i]; i++)
        VEC_ADD(&paths, absolute(arena, options->cwd, options->env_files[i]));
    if (paths.count == 0 && listed && *listed) {
        char **parts = strv_split(listed, ",");
        for (size_t i = 0; parts[i]; i++)
            if (*parts[i])
                VEC_ADD(&paths, absolute(arena, options->cwd, parts[i]));
        strv_free(parts);
    }
    bool explicit = paths.count > 0;
    if (explicit) {
        files->env_count = paths.count;
    } else if (!env_get_bool(env, "COMPOSE_DISABLE_ENV_FILE")) {
        VEC_ADD(&paths, absolute(arena, dir, ".env"));
    }
    const char **list = list_of(arena, &paths);
    if (explicit)
        files->env_files = list;
    return project_env_add(loading, env, list, !explicit, err);
}

static const char *find_one(struct arena *arena, const char *dir, const char *const *names, const char **ret_second)
{
    const char *found = NULL;
    *ret_second = NULL;
    for (; *names; names++) {
        const char *path = absolute(arena, dir, *names);
        if (access(path, F_OK) < 0)
            continue;
        if (found) {
            *ret_second = path;
            break;
        }
        found = path;
    }
    return found;
}

/* compose.yaml and its override here or in the next parent that has one. */
static int search(struct arena *arena, const struct load_options *options, text_vec *paths, text_vec *display,
                  struct diags *diags, struct err *err)
{
    static const char *const names[] = {"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml", NULL};
    static const char *const overrides[] = {"compose.override.yml", "compose.override.yaml", "docker-compose.override.yml",
                                            "docker-compose.override.yaml", NULL};
    const char *start = options->project_directory ? absolute(arena, options->cwd, options->project_directory)
                                                   : options->cwd;
    for (const char *dir = start;; dir = directory_of(arena, dir)) {
        const char *second, *path = find_one(arena, dir, names, &second);
        if (path) {
            bool here = strcmp(dir, options->cwd) == 0;
            VEC_ADD(paths, path);
            VEC_ADD(display, here ? path_base(path) : path);
            if (second)
                diag_warning(diags, (struct pos){0}, NULL, "Found multiple config files with supported names: %s, %s. Using %s",
                             path, second, path);
            path = find_one(arena, dir, overrides, &second);
            if (path) {
                VEC_ADD(paths, path);
                VEC_ADD(display, here ? path_base(path) : path);
            }
            return 0;
        }
        if (strcmp(dir, "/") == 0)
            return err_set(err, ERR_NOT_FOUND, "no configuration file provided: not found");
    }
}

static int choose_files(struct arena *arena, const struct load_options *options, const struct env *env,
                        struct project_files *files, struct diags *diags, struct err *err)
{
    text_vec paths = {0}, display = {0};
    const char *listed = env_get(env, "COMPOSE_FILE");
    int rc = 0;

    for (size_t i = 0; options->files && options->files[i]; i++) {
        VEC_ADD(&paths, absolute(arena, options->cwd, options->files[i]));
        VEC_ADD(&display, arena_strdup(arena, options->files[i]));
    }
    if (paths.count == 0 && listed && *listed) {
        const char *separator = env_get(env, "COMPOSE_PATH_SEPARATOR");
        char one[2] = {separator && *separator ? *separator : ':', '\0'};
        char **parts = strv_split(listed, one);
        for (size_t i = 0; parts[i]; i++)
            if (*parts[i]) {
                VEC_ADD(&paths, absolute(arena, options->cwd, parts[i]));
                VEC_ADD(&display, arena_strdup(arena, parts[i]));
            }
        strv_free(parts);
    }
    if (paths.count == 0)
        rc = search(arena, options, &paths, &display, diags, err);
    files->count = paths.count;
    files->paths = list_of(arena, &paths);
    files->display = list_of(arena, &display);
    return rc;
}

static const char *first_directory(struct arena *arena, const struct load_options *options, const char *first)
{
    if (options->project_directory)
        return absolute(arena, options->cwd, options->project_directory);
    if (first && strcmp(first, "-") != 0)
        return directory_of(arena, absolute(arena, options->cwd, first));
    return arena_strdup(arena, options->cwd);
}

int project_files_find(struct loading *loading, struct project_files *ret_files, struct err *err)
{
    const struct load_options *options = loading->options;
    struct arena *arena = loading->arena;
    struct project_files files = {0};
    const char *dir = first_directory(arena, options, options->files ? options->files[0] : NULL);

    if (load_environment(loading, dir, &files, err) < 0)
        return -1;
    files.working_dir = dir;
    if (choose_files(arena, options, loading->env, &files, loading->diags, err) < 0) {
        *ret_files = files;
        return -1;
    }
    files.working_dir = first_directory(arena, options, files.paths[0]);
    if (!files.env_files && strcmp(files.working_dir, dir) != 0 &&
        load_environment(loading, files.working_dir, &files, err) < 0)
        return -1;
    *ret_files = files;
    return 0;
}

static bool name_is_valid(const char *name)
{
    return (islower((unsigned char)*name) || isdigit((unsigned char)*name)) &&
           name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-")] == '\0';
}

static const char *normalise(struct arena *arena, const char *text)
{
    char *name = arena_strdup(arena, text), *out = name;
    for (const char *p = text; *p; p++) {
        char c = (char)tolower((unsigned char)*p);
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || ((c == '_' || c == '-') && out > name))
            *out++ = c;
    }
    *out = '\0';
    return name;
}

int project_name_choose(struct arena *arena, const struct load_options *options, const struct env *env,
                        const char *name_in_file, const char *working_dir, const char **ret_name, struct err *err)
{
    const char *given = options->project_name ? options->project_name : env_get(env, "COMPOSE_PROJECT_NAME");
    if (given && *given) {
        if (!name_is_valid(given))
            return err_set(err, ERR_CONFIG,
                           "invalid project name \"%s\": must consist only of lowercase alphanumeric characters, "
                           "hyphens, and underscores as well as start with a letter or number", given);
        *ret_name = arena_strdup(arena, given);
        return 0;
    }
    const char *name = normalise(arena, name_in_file ? name_in_file : "");
    if (!*name)
        name = normalise(arena, path_base(working_dir));
    if (!*name)
        return err_set(err, ERR_CONFIG, "project name must not be empty");
    *ret_name = name;
    return 0;
}
