/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes on disk: make, find, list, remove. Invariants: a volume exists when its meta.json does; data is never
 * overwritten by making a volume again; a removed volume loses its name in one rename before a byte of it goes. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/id.h"
#include "base/vec.h"
#include "volumes/meta.h"

#define VOLUMES_MAX    100000
#define REMOVED_PREFIX ".removed-"

static struct jv *object_copy(const struct jv *value)
{
    return value ? jv_copy_deep(value) : jv_object();
}

static int definition_compare(const struct volume_info *info, const struct volume_request *request, struct err *err)
{
    _cleanup_jv_ struct jv *options = object_copy(request->options);
    const char *driver = request->driver ? request->driver : "local";
    bool same = str_eq(info->driver, driver) && jv_equal(info->options, options);
    if (same && request->fingerprint && info->fingerprint)
        same = str_eq(request->fingerprint, info->fingerprint);
    if (same)
        return 0;
    err_set(err, ERR_EXISTS, "volume '%s' exists with another definition", info->name);
    return err_hint(err, "its data would be lost: remove it first with `winch volume rm %s`", info->name);
}

static int device_check(const char *device, struct err *err)
{
    struct stat st;
    if (stat(device, &st) < 0)
        return errno == ENOENT ? err_set(err, ERR_NOT_FOUND, "driver_opts.device: %s does not exist", device)
                               : err_sys(err, "driver_opts.device: %s", device);
    if (!S_ISDIR(st.st_mode))
        return err_set(err, ERR_CONFIG, "driver_opts.device: %s is no directory", device);
    return 0;
}

static int directory_make(int dirfd, const char *name, mode_t mode, struct err *err)
{
    if (mkdirat(dirfd, name, mode) < 0 && errno != EEXIST)
        return err_sys(err, "make %s", name);
    /* umask does not matter; an existing one of ours has this mode already, data that came back keeps its own */
    return 0;
}

static int volume_make(const struct layout *layout, int volumes_fd, const struct volume_request *request,
                       struct volume_info *ret_info, struct err *err)
{
    const char *device;
    char created[RFC3339_SIZE];
    _cleanup_close_ int dir = -1;
    if (volume_local_device(request->driver, request->options, &device, err) < 0 || (device && device_check(device, err) < 0))
        return -1;
    if (directory_make(volumes_fd, request->name, 0700, err) < 0 || volume_dir_open(volumes_fd, request->name, &dir, err) < 0)
        return -1;
    if (!device) {
        bool fresh = !fs_exists(dir, VOLUME_DATA);
        if (directory_make(dir, VOLUME_DATA, 0755, err) < 0)
            return -1;
        if (fresh && fchmodat(dir, VOLUME_DATA, 0755, 0) < 0)
            return err_sys(err, "chmod " VOLUME_DATA);
    }
    struct volume_info info = {
        .name = xstrdup(request->name),
        .project = xstrdup(request->project),
        .key = xstrdup(request->key),
        .driver = xstrdup(request->driver ? request->driver : "local"),
        .fingerprint = xstrdup(request->fingerprint),
        .created = xstrdup(rfc3339_format_ns(clock_wall_ns(), created, sizeof(created))),
        .options = object_copy(request->options),
        .labels = object_copy(request->labels),
        .anonymous = request->anonymous,
        .populated = device != NULL, /* what is in a directory of the host is the user's own affair */
        .path = device ? xstrdup(device) : layout_lib(layout, "volumes/%s/" VOLUME_DATA, request->name),
    };
    if (volume_meta_save(dir, &info, err) < 0 || fs_sync_dir(volumes_fd, err) < 0) {
        volume_info_done(&info);
        return -1;
    }
    *ret_info = info;
    return 0;
}

int volume_ensure(const struct layout *layout, const struct volume_request *request, struct volume_info *ret_info, struct err *err)
{
    _cleanup_close_ int volumes_fd = -1, lock = -1;
    struct volume_info info = { 0 };
    struct err local = { 0 };
    if (!name_is_resource(request->name))
        return err_set(err, ERR_CONFIG, "'%s' is no name for a volume", request->name);
    if (volumes_open(layout, true, &volumes_fd, err) < 0 || volumes_lock(volumes_fd, &lock, err) < 0)
        return err_wrap(err, "volume '%s'", request->name);
    if (volume_meta_load(layout, volumes_fd, request->name, &info, &local) < 0) {
        if (local.code != ERR_NOT_FOUND)
            return err_copy(err, &local);
        if (volume_make(layout, volumes_fd, request, ret_info, err) < 0)
            return err_wrap(err, "volume '%s'", request->name);
        return 0;
    }
    if (definition_compare(&info, request, err) < 0) {
        volume_info_done(&info);
        return -1;
    }
    *ret_info = info;
    return 0;
}

int volume_find(const struct layout *layout, const char *name, struct volume_info *ret_info, struct err *err)
{
    _cleanup_close_ int volumes_fd = -1;
    if (volumes_open(layout, false, &volumes_fd, err) < 0) {
        if (err && err->code == ERR_NOT_FOUND)
            return err_set(err, ERR_NOT_FOUND, "no such volume: %s", name);
        return -1;
    }
    return volume_meta_load(layout, volumes_fd, name, ret_info, err);
}

int volume_list_report(const struct layout *layout, const char *project, volume_bad_fn *on_bad, void *arg,
                       struct volume_info **ret_infos, size_t *ret_count, struct err *err)
{
    _cleanup_close_ int volumes_fd = -1;
    struct err local = { 0 };
    char **names = NULL;
    size_t count = 0;
    VEC(struct volume_info) infos = { 0 };

    if (volumes_open(layout, false, &volumes_fd, &local) < 0) {
        if (local.code != ERR_NOT_FOUND)
            return err_copy(err, &local);
        *ret_infos = NULL;
        *ret_count = 0;
        return 0;
    }
    if (fs_list(volumes_fd, ".", VOLUMES_MAX, &names, &count, err) < 0)
        return err_wrap(err, "list volumes");
    for (size_t i = 0; i < count; i++) {
        struct volume_info info = { 0 };
        if (!name_is_resource(names[i]))
            continue;
        err_clear(&local);
        if (volume_meta_load(layout, volumes_fd, names[i], &info, &local) < 0) {
            if (local.code != ERR_NOT_FOUND && on_bad) /* not found: being made or removed */
                on_bad(names[i], &local, arg);
            continue;
        }
        if (project && !str_eq(info.project, project))
            volume_info_done(&info);
        else
            VEC_ADD(&infos, info);
    }
    fs_names_free(names);
    *ret_infos = infos.items;
    *ret_count = infos.count;
    return 0;
}

int volume_list(const struct layout *layout, const char *project, struct volume_info **ret_infos, size_t *ret_count, struct err *err)
{
    return volume_list_report(layout, project, NULL, NULL, ret_infos, ret_count, err);
}

/* what an interrupted removal left */
static int removed_sweep(int volumes_fd, struct err *err)
{
    char **names = NULL;
    size_t count = 0;
    int result = 0;
    if (fs_list(volumes_fd, ".", VOLUMES_MAX, &names, &count, err) < 0)
        return err_wrap(err, "list volumes");
    for (size_t i = 0; i < count && result == 0; i++)
        if (str_has_prefix(names[i], REMOVED_PREFIX))
            result = fs_remove_tree(volumes_fd, names[i], err);
    fs_names_free(names);
    return result;
}

int volume_remove(const struct layout *layout, const char *name, struct err *err)
{
    _cleanup_close_ int volumes_fd = -1, lock = -1, dir = -1;
    char id[ID_SIZE], removed[sizeof(REMOVED_PREFIX) + ID_SIZE];
    if (volumes_open(layout, false, &volumes_fd, err) < 0) {
        if (err && err->code == ERR_NOT_FOUND)
            return err_set(err, ERR_NOT_FOUND, "no such volume: %s", name);
        return -1;
    }
    if (volumes_lock(volumes_fd, &lock, err) < 0 || volume_dir_open(volumes_fd, name, &dir, err) < 0)
        return -1;
    id_random(id);
    (void)snprintf(removed, sizeof(removed), REMOVED_PREFIX "%s", id);
    if (renameat(volumes_fd, name, volumes_fd, removed) < 0)
        return err_sys(err, "remove volume '%s'", name);
    if (fs_sync_dir(volumes_fd, err) < 0 || removed_sweep(volumes_fd, err) < 0)
        return err_wrap(err, "remove volume '%s'", name);
    return 0;
}
