/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of a project: its intent (up or down, id range) and the accepted models. Each file is replaced whole;
 * `current` is written after the generation it names, so it never names a missing one. */
#include "orchestrator/project_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/id.h"
#include "base/str.h"
#include "base/vec.h"
#include "orchestrator/client.h"
#include "parser/load.h"
#include "volumes/volume.h"

#define INTENT_FILE    "project.json"
#define INTENT_MAX     (1024 * 1024)
#define MODEL_FILE     "project.json"
#define MODEL_MAX      (32 * 1024 * 1024)
#define PROJECTS_MAX   100000
#define ID_RANGE_SIZE  65536

void project_intent_done(struct project_intent *intent)
{
    free(intent->name);
    free(intent->working_dir);
    strv_free(intent->config_files);
    *intent = (struct project_intent){ 0 };
}

static int projects_open(const struct layout *layout, bool create, int *ret_fd, struct err *err)
{
    if (create && fs_mkdirs(layout->lib_fd, "projects", 0700, err) < 0)
        return -1;
    int fd = openat(layout->lib_fd, "projects", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? err_set(err, ERR_NOT_FOUND, "no project is known") : err_sys(err, "open %s/projects", layout->lib);
    *ret_fd = fd;
    return 0;
}

static int project_open(const struct layout *layout, const char *project, bool create, int *ret_fd, struct err *err)
{
    if (!name_is_project(project))
        return err_set(err, ERR_CONFIG, "'%s' is no name for a project", project);
    _cleanup_free_ char *path = xasprintf("projects/%s", project);
    if (create && fs_mkdirs(layout->lib_fd, path, 0700, err) < 0)
        return -1;
    int fd = openat(layout->lib_fd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? err_set(err, ERR_NOT_FOUND, "no such project: %s", project) : err_sys(err, "open %s/%s", layout->lib, path);
    *ret_fd = fd;
    return 0;
}

static int intent_parse(const char *project, const struct jv *value, struct project_intent *ret_intent, struct err *err)
{
    int64_t version;
    if (jv_need_int(value, "version", &version, err) < 0)
        return -1;
    if (version > PROJECT_INTENT_VERSION)
        return err_set(err, ERR_UNSUPPORTED, "written by a newer version (%lld)", (long long)version);
    int64_t base = jv_get_int(value, "id_base", 0);
    if (base != 0 && (base < ID_BASE_FIRST || base > ID_BASE_LAST || base % ID_RANGE_SIZE))
        return err_set(err, ERR_CORRUPT, "id_base: %lld is no base of a range", (long long)base);
    *ret_intent = (struct project_intent){
        .name = xstrdup(project),
        .id_base = base,
        .want_up = str_eq(jv_get_str(value, "want", "down"), "up"),
        .generation = jv_get_int(value, "generation", 0),
        .config_files = jv_get_strv(value, "config_files"),
        .working_dir = xstrdup(jv_get_str(value, "working_dir", NULL)),
    };
    return 0;
}

int project_intent_load(const struct layout *layout, const char *project, struct project_intent *ret_intent, struct err *err)
{
    _cleanup_close_ int dir = -1;
    _cleanup_jv_ struct jv *value = NULL;
    if (project_open(layout, project, false, &dir, err) < 0)
        return -1;
    struct err own = { 0 };
    if (jv_load_file(dir, INTENT_FILE, INTENT_MAX, &value, &own) == 0 && intent_parse(project, value, ret_intent, &own) == 0)
        return 0;
    if (own.code != ERR_NOT_FOUND)
        (void)err_hint(&own, "put the file back from a copy, or remove it: containers and volumes stay");
    (void)err_wrap(&own, "project '%s': %s/projects/%s/" INTENT_FILE, project, layout->lib, project);
    return err_copy(err, &own);
}

int project_intent_save(const struct layout *layout, const struct project_intent *intent, struct err *err)
{
    _cleanup_close_ int dir = -1;
    _cleanup_jv_ struct jv *value = jv_object();
    jv_set_int(value, "version", PROJECT_INTENT_VERSION);
    jv_set_int(value, "id_base", intent->id_base);
    jv_set_str(value, "want", intent->want_up ? "up" : "down");
    jv_set_int(value, "generation", intent->generation);
    jv_set(value, "config_files", jv_strv(intent->config_files));
    jv_set_str(value, "working_dir", intent->working_dir);
    if (project_open(layout, intent->name, true, &dir, err) < 0 || jv_save_file(dir, INTENT_FILE, value, err) < 0)
        return err_wrap(err, "project '%s'", intent->name);
    return 0;
}

/* ---- id ranges ---- */

int64_t id_base_pick(const int64_t *taken, size_t count)
{
    for (int64_t base = ID_BASE_FIRST; base <= ID_BASE_LAST; base += ID_RANGE_SIZE) {
        bool used = false;
        for (size_t i = 0; i < count && !used; i++)
            used = taken[i] == base;
        if (!used)
            return base;
    }
    return -1;
}

/* An intent that cannot be read may hold any range: then none is given away. */
static int bases_taken(const struct layout *layout, int projects_fd, int64_t **ret_taken, size_t *ret_count, struct err *err)
{
    char **names = NULL;
    size_t count = 0;
    int result = 0;
    VEC(int64_t) taken = { 0 };
    if (fs_list(projects_fd, ".", PROJECTS_MAX, &names, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count && result == 0; i++) {
        _cleanup_(project_intent_done) struct project_intent intent = { 0 };
        struct err local = { 0 };
        if (!name_is_project(names[i]))
            continue;
        if (project_intent_load(layout, names[i], &intent, &local) == 0)
            VEC_ADD(&taken, intent.id_base);
        else if (local.code != ERR_NOT_FOUND)
            result = err_copy(err, &local);
    }
    fs_names_free(names);
    if (result < 0) {
        VEC_DONE(&taken);
        return -1;
    }
    *ret_taken = taken.items;
    *ret_count = taken.count;
    return 0;
}

int project_intent_ensure(const struct layout *layout, const char *project, struct project_intent *ret_intent, struct err *err)
{
    _cleanup_close_ int projects_fd = -1, lock = -1;
    _cleanup_(project_intent_done) struct project_intent intent = { 0 };
    _cleanup_free_ int64_t *taken = NULL;
    size_t count = 0;
    struct err local = { 0 };
    if (!name_is_project(project))
        return err_set(err, ERR_CONFIG, "'%s' is no name for a project", project);
    if (projects_open(layout, true, &projects_fd, err) < 0 || fs_lock(projects_fd, ".lock", true, -1, &lock, err) < 0)
        return err_wrap(err, "project '%s'", project);
    if (project_intent_load(layout, project, &intent, &local) < 0) {
        if (local.code != ERR_NOT_FOUND)
            return err_copy(err, &local);
        intent.name = xstrdup(project);
    }
    if (!intent.id_base) {
        if (bases_taken(layout, projects_fd, &taken, &count, err) < 0)
            return err_wrap(err, "project '%s': find a free id range", project);
        int64_t base = id_base_pick(taken, count);
        if (base < 0)
            return err_set(err, ERR_LIMIT, "project '%s': no id range is left", project);
        intent.id_base = base;
        if (project_intent_save(layout, &intent, err) < 0)
            return -1;
    }
    *ret_intent = intent;
    intent = (struct project_intent){ 0 };
    return 0;
}

/* ---- generations ---- */

int project_stored(const struct layout *layout, const char *project, struct jv **ret_value, struct err *err)
{
    _cleanup_close_ int dir = -1, generation_fd = -1;
    _cleanup_(project_intent_done) struct project_intent intent = { 0 };
    if (project_open(layout, project, false, &dir, err) < 0 || project_intent_load(layout, project, &intent, err) < 0)
        return -1;
    _cleanup_free_ char *path = xasprintf("generations/%lld", (long long)intent.generation);
    generation_fd = openat(dir, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (generation_fd < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "project '%s': no stored model", project);
    if (generation_fd < 0)
        return err_sys(err, "open %s/projects/%s/%s", layout->lib, project, path);
    return jv_load_file(generation_fd, MODEL_FILE, MODEL_MAX, ret_value, err);
}

static void generations_prune(int dir, int64_t current)
{
    char **names = NULL;
    size_t count = 0;
    if (fs_list(dir, "generations", PROJECTS_MAX, &names, &count, NULL) < 0)
        return;
    for (size_t i = 0; i < count; i++) {
        long long number;
        _cleanup_free_ char *path = xasprintf("generations/%s", names[i]);
        if (parse_i64(names[i], 1, INT64_MAX, &number) && number <= current - PROJECT_GENERATIONS_KEPT)
            (void)fs_remove_tree(dir, path, NULL); /* an old one too many does no harm */
    }
    fs_names_free(names);
}

static int generation_write(int dir, int64_t number, const struct jv *model, struct err *err)
{
    _cleanup_free_ char *path = xasprintf("generations/%lld", (long long)number);
    _cleanup_close_ int generation_fd = -1, parent = -1;
    if (fs_open_dir(dir, path, 0700, &generation_fd, err) < 0 || jv_save_file(generation_fd, MODEL_FILE, model, err) < 0 ||
        fs_open_dir(dir, "generations", 0700, &parent, err) < 0)
        return -1;
    return fs_sync_dir(parent, err);
}

int project_generation_add(const struct layout *layout, const struct project *project, struct project_intent *intent, struct err *err)
{
    _cleanup_close_ int dir = -1;
    _cleanup_jv_ struct jv *model = project_to_json(project), *stored = NULL;
    bool same = project_stored(layout, project->name, &stored, NULL) == 0 && jv_equal(stored, model);
    if (project_open(layout, project->name, true, &dir, err) < 0)
        return -1;
    if (!same || intent->generation <= 0) {
        int64_t number = intent->generation + 1;
        if (generation_write(dir, number, model, err) < 0)
            return err_wrap(err, "project '%s': keep the model", project->name);
        intent->generation = number;
        generations_prune(dir, number);
    }
    strv_free(intent->config_files);
    intent->config_files = NULL;
    for (size_t i = 0; i < project->config_files.count; i++)
        intent->config_files = strv_add(intent->config_files, project->config_files.items[i]);
    free(intent->working_dir);
    intent->working_dir = xstrdup(project->working_dir);
    return 0;
}

int project_forget(const struct layout *layout, const char *project, struct err *err)
{
    _cleanup_close_ int projects_fd = -1, lock = -1, dir = -1;
    _cleanup_(project_intent_done) struct project_intent intent = { 0 };
    struct volume_info *volumes = NULL;
    size_t count = 0;
    struct err local = { 0 };
    if (projects_open(layout, false, &projects_fd, &local) < 0 || project_open(layout, project, false, &dir, &local) < 0)
        return local.code == ERR_NOT_FOUND ? 0 : err_copy(err, &local);
    if (fs_lock(projects_fd, ".lock", true, -1, &lock, err) < 0 || volume_list(layout, project, &volumes, &count, err) < 0)
        return -1;
    volume_list_free(volumes, count);
    if (count > 0 && project_intent_load(layout, project, &intent, NULL) == 0) {
        intent.want_up = false;
        if (project_intent_save(layout, &intent, err) < 0)
            return -1;
        return fs_remove_tree(dir, "generations", err);
    }
    return fs_remove_tree(projects_fd, project, err);
}
