/* SPDX-License-Identifier: Apache-2.0 */
/* Keeping and reading the state of OCI containers (state.h). What changes by itself is never stored: whether the first process
 * lives is asked of the kernel, whether it was started is told by the FIFO. */
#include "engine/oci/state.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "engine/runtime/cgroup.h"

#define STATE_MAX  (64 * 1024)
#define LOCK_MS    10000
#define ID_MAX     1024
#define LIST_MAX   65536

const char *const oci_status_words[] = {"creating", "created", "running", "paused", "stopped"};

static int id_check(const char *id, struct err *err)
{
    size_t size = strlen(id);
    bool fine = size > 0 && size <= ID_MAX && !str_eq(id, ".") && !str_eq(id, "..");
    for (size_t i = 0; fine && i < size; i++)
        fine = isalnum((unsigned char)id[i]) || strchr("_+-.", id[i]);
    return fine ? 0 : err_set(err, ERR_USAGE, "invalid container id '%s': letters, digits, '_', '+', '-' and '.'", id);
}

static int folder_open(struct oci_state *state, const char *root, const char *id, struct err *err)
{
    state->id = xstrdup(id);
    state->path = path_join(root, id);
    state->dir = open(state->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (state->dir < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "container '%s' does not exist", id);
    if (state->dir < 0)
        return err_sys(err, "open %s", state->path);
    return fs_lock(state->dir, "lock", true, LOCK_MS, &state->lock, err);
}

static char *now_text(void)
{
    char text[64];
    struct timespec now;
    struct tm tm;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &tm);
    size_t used = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
    snprintf(text + used, sizeof(text) - used, ".%09ldZ", now.tv_nsec);
    return xstrdup(text);
}

int oci_state_create(const char *root, const char *id, const char *bundle_dir, struct oci_state *ret_state, struct err *err)
{
    struct oci_state state = {.dir = -1, .lock = -1};
    _cleanup_free_ char *path = path_join(root, id);
    if (id_check(id, err) < 0 || fs_mkdirs(AT_FDCWD, root, 0711, err) < 0)
        return -1;
    if (mkdir(path, 0711) < 0)
        return errno == EEXIST ? err_set(err, ERR_EXISTS, "container with given ID '%s' already exists", id)
                               : err_sys(err, "make %s", path);
    if (folder_open(&state, root, id, err) < 0) {
        oci_state_done(&state);
        return -1;
    }
    state.bundle_dir = xstrdup(bundle_dir);
    state.created = now_text();
    *ret_state = state;
    return 0;
}

int oci_state_save(const struct oci_state *state, struct err *err)
{
    _cleanup_jv_ struct jv *value = jv_object();
    jv_set_int(value, "version", 1);
    jv_set_str(value, "bundle", state->bundle_dir);
    jv_set_str(value, "created", state->created);
    jv_set_int(value, "pid", state->pid);
    jv_set_int(value, "start_time", (int64_t)state->start_time);
    _cleanup_free_ char *text = jv_dump(value), *config = jv_dump(state->bundle->config);
    if (!fs_exists(state->dir, "config.json") &&
        fs_replace_volatile(state->dir, "config.json", config, strlen(config), 0600, err) < 0)
        return -1;
    return fs_replace_volatile(state->dir, "state.json", text, strlen(text), 0600, err);
}

static int state_load(struct oci_state *state, struct err *err)
{
    _cleanup_jv_ struct jv *value = NULL;
    if (!fs_exists(state->dir, "state.json"))
        return 0; /* a create that was killed: there is nothing but the folder */
    if (jv_load_file(state->dir, "state.json", STATE_MAX, &value, err) < 0)
        return -1;
    state->bundle_dir = xstrdup(jv_get_str(value, "bundle", "/"));
    state->created = xstrdup(jv_get_str(value, "created", ""));
    state->pid = (pid_t)jv_get_int(value, "pid", 0);
    state->start_time = (uint64_t)jv_get_int(value, "start_time", 0);
    struct jv *config = NULL;
    if (jv_load_file(state->dir, "config.json", OCI_CONFIG_MAX, &config, err) < 0)
        return -1;
    return oci_bundle_parse(config, state->bundle_dir, state->id, &state->bundle, err);
}

int oci_state_open(const char *root, const char *id, struct oci_state *ret_state, struct err *err)
{
    struct oci_state state = {.dir = -1, .lock = -1};
    if (id_check(id, err) < 0)
        return -1;
    if (folder_open(&state, root, id, err) < 0 || state_load(&state, err) < 0) {
        oci_state_done(&state);
        return -1;
    }
    *ret_state = state;
    return 0;
}

void oci_state_done(struct oci_state *state)
{
    close_fdp(&state->dir);
    close_fdp(&state->lock);
    free(take_ptr(&state->id));
    free(take_ptr(&state->path));
    free(take_ptr(&state->bundle_dir));
    free(take_ptr(&state->created));
    oci_bundle_free(take_ptr(&state->bundle));
}

int oci_state_remove(const char *root, const char *id, struct err *err)
{
    _cleanup_close_ int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir < 0 ? err_sys(err, "open %s", root) : fs_remove_tree(dir, id, err);
}

/* A zombie has ended, whoever is late to reap it. */
static bool is_zombie(pid_t pid)
{
    char path[48], text[512];
    snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    text[got < 0 ? 0 : got] = '\0';
    const char *end = strrchr(text, ')');
    return !end || end[1] == '\0' || end[2] == 'Z' || end[2] == 'X';
}

enum oci_status oci_state_status(const struct oci_state *state)
{
    if (!state->bundle)
        return OCI_STOPPED;
    if (state->pid == 0)
        return OCI_CREATING;
    if (!proc_is(state->pid, state->start_time) || is_zombie(state->pid))
        return OCI_STOPPED;
    struct cgroup cgroup = CGROUP_NONE;
    bool frozen = cgroup_find(&state->bundle->spec, &cgroup, NULL) == 0 && cgroup_is_frozen(&cgroup);
    cgroup_done(&cgroup);
    if (frozen)
        return OCI_PAUSED;
    return fs_exists(state->dir, OCI_FIFO) ? OCI_CREATED : OCI_RUNNING;
}

struct jv *oci_state_json(const struct oci_state *state, int status)
{
    enum oci_status now = status >= 0 ? (enum oci_status)status : oci_state_status(state);
    struct jv *value = jv_object();
    jv_set_str(value, "ociVersion", OCI_VERSION);
    jv_set_str(value, "id", state->id);
    jv_set_str(value, "status", oci_status_words[now]);
    jv_set_int(value, "pid", now == OCI_STOPPED ? 0 : state->pid);
    jv_set_str(value, "bundle", state->bundle_dir ? state->bundle_dir : "");
    if (state->bundle) {
        jv_set_str(value, "rootfs", state->bundle->rootfs);
        struct jv *annotations = jv_find(state->bundle->config, "annotations");
        if (annotations)
            jv_set(value, "annotations", jv_ref(annotations));
    }
    jv_set_str(value, "created", state->created);
    jv_set_str(value, "owner", "");
    return value;
}

int oci_state_list(const char *root, char ***ret_ids, size_t *ret_count, struct err *err)
{
    *ret_ids = NULL;
    *ret_count = 0;
    if (access(root, F_OK) < 0 && errno == ENOENT)
        return 0;
    _cleanup_close_ int dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return dir < 0 ? err_sys(err, "open %s", root) : fs_list(dir, ".", LIST_MAX, ret_ids, ret_count, err);
}
