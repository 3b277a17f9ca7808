/* SPDX-License-Identifier: Apache-2.0 */
/* variables.c - the COMPOSE_… variables that stand for a global option or a flag of a command: from the process environment or the
 * project's dotenv files, where the command line says nothing. Those that say where the project is are the parser's. */
#include "cli/variables.h"

#include <stddef.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"
#include "parser/project_env.h"

extern char **environ;

enum variable_kind { VARIABLE_TEXT, VARIABLE_NUMBER, VARIABLE_BOOL, VARIABLE_REFUSED };

#define GLOBAL(field) offsetof(struct global_options, field)
static const struct variable_row {
    const char *name;
    enum variable_kind kind;
    size_t offset;
} rows[] = {
    {"COMPOSE_ANSI", VARIABLE_TEXT, GLOBAL(ansi)},
    {"COMPOSE_COMPATIBILITY", VARIABLE_REFUSED, 0},
    {"COMPOSE_IGNORE_ORPHANS", VARIABLE_BOOL, GLOBAL(ignore_orphans)},
    {"COMPOSE_PARALLEL_LIMIT", VARIABLE_NUMBER, GLOBAL(parallel)},
    {"COMPOSE_PROGRESS", VARIABLE_TEXT, GLOBAL(progress)},
    {"COMPOSE_REMOVE_ORPHANS", VARIABLE_BOOL, GLOBAL(remove_orphans)},
};

static int take(const struct variable_row *row, const struct env *env, struct cli *cli, struct err *err)
{
    const char *text = env_get(env, row->name);
    void *field = (char *)&cli->global + row->offset;
    if (!text || !*text)
        return 0;
    switch (row->kind) {
    case VARIABLE_TEXT:
        if (!*(const char **)field)
            *(const char **)field = xstrdup(text); /* as long as the process */
        return 0;
    case VARIABLE_NUMBER:
        if (*(long long *)field == 0 && !parse_i64(text, -1, 100000, field))
            return err_set(err, ERR_USAGE, "%s (%s): '%s' is no number from -1 to 100000", row->name,
                           env_origin(env, row->name), text);
        return 0;
    case VARIABLE_BOOL:
        *(bool *)field |= env_get_bool(env, row->name);
        return 0;
    case VARIABLE_REFUSED:
        if (env_get_bool(env, row->name))
            return err_set(err, ERR_UNSUPPORTED, "%s (%s) is not supported: container names are joined by '-'", row->name,
                           env_origin(env, row->name));
        return 0;
    }
    return 0;
}

static int choice(const char *option, const char *text, const char *words, struct err *err)
{
    char **list = strv_split(words, " ");
    bool known = !text || strv_has(list, text);
    strv_free(list);
    return known ? 0 : err_set(err, ERR_USAGE, "unsupported --%s value \"%s\": one of %s", option, text, words);
}

/* A pipe can be read once only, and that is for the project. */
static bool env_files_are_plain(const struct cli *cli)
{
    struct stat st;
    for (char **path = cli->global.env_files; path && *path; path++)
        if (stat(*path, &st) == 0 && !S_ISREG(st.st_mode))
            return false;
    return true;
}

int variables_apply(struct cli *cli, struct err *err)
{
    _cleanup_free_ char *cwd = getcwd(NULL, 0);
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    _cleanup_(env_freep) struct env *env = env_from_process(environ);
    struct load_options options = project_load_options(cli, NULL, cwd ? cwd : "/");
    struct project_files files;
    struct diags diags = {0};
    struct loading loading = {.arena = arena, .diags = &diags, .options = &options, .env = env};

    /* what is wrong with the files is said by the command that reads them */
    if (env_files_are_plain(cli))
        (void)project_files_find(&loading, &files, NULL);
    diags_done(&diags);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if (take(&rows[i], env, cli, err) < 0)
            return -1;
    if (cli->global.parallel < -1)
        return err_set(err, ERR_USAGE, "--parallel: a number from 1, or -1 for no limit");
    return choice("ansi", cli->global.ansi, "never always auto", err) < 0
               ? -1
               : choice("progress", cli->global.progress, "auto tty plain json quiet", err);
}
