/* SPDX-License-Identifier: Apache-2.0 */
/* meta.json, the one file that says a volume exists. It is written last when a volume is made and vanishes first
 * (with its directory's name) when one is removed, so a half-made volume never counts. */
#include "volumes/meta.h"

#include <errno.h>
#include <fcntl.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/id.h"

void volume_info_done(struct volume_info *info)
{
    free(info->name);
    free(info->project);
    free(info->key);
    free(info->driver);
    free(info->fingerprint);
    free(info->created);
    free(info->path);
    jv_free(info->options);
    jv_free(info->labels);
    *info = (struct volume_info){ 0 };
}

void volume_list_free(struct volume_info *infos, size_t count)
{
    for (size_t i = 0; infos && i < count; i++)
        volume_info_done(&infos[i]);
    free(infos);
}

static struct jv *object_or_empty(const struct jv *meta, const char *key)
{
    struct jv *value = jv_find(meta, key);
    return value && jv_kind(value) == JV_OBJECT ? jv_copy_deep(value) : jv_object();
}

static int meta_parse(const struct layout *layout, const char *name, const struct jv *meta, struct volume_info *ret_info,
                      struct err *err)
{
    int64_t version;
    const char *stored;
    if (jv_need_int(meta, "version", &version, err) < 0 || jv_need_str(meta, "name", &stored, err) < 0)
        return -1;
    if (version > VOLUME_META_VERSION)
        return err_set(err, ERR_UNSUPPORTED, "written by a newer version (%lld)", (long long)version);
    if (!str_eq(stored, name))
        return err_set(err, ERR_CORRUPT, "holds the name '%s'", stored);

    struct volume_info info = {
        .name = xstrdup(name),
        .project = xstrdup(jv_get_str(meta, "project", NULL)),
        .key = xstrdup(jv_get_str(meta, "key", NULL)),
        .driver = xstrdup(jv_get_str(meta, "driver", "local")),
        .fingerprint = xstrdup(jv_get_str(meta, "fingerprint", NULL)),
        .created = xstrdup(jv_get_str(meta, "created", "")),
        .options = object_or_empty(meta, "options"),
        .labels = object_or_empty(meta, "labels"),
        .anonymous = jv_get_bool(meta, "anonymous", false),
        .populated = jv_get_bool(meta, "populated", false),
    };
    const char *device;
    if (volume_local_device(info.driver, info.options, &device, err) < 0) {
        volume_info_done(&info);
        return -1;
    }
    info.path = device ? xstrdup(device) : layout_lib(layout, "volumes/%s/" VOLUME_DATA, name);
    *ret_info = info;
    return 0;
}

int volume_meta_load(const struct layout *layout, int volumes_fd, const char *name, struct volume_info *ret_info, struct err *err)
{
    _cleanup_close_ int dir = -1;
    _cleanup_jv_ struct jv *meta = NULL;
    if (volume_dir_open(volumes_fd, name, &dir, err) < 0)
        return -1;
    if (jv_load_file(dir, VOLUME_META, VOLUME_META_MAX, &meta, err) < 0) {
        if (err && err->code == ERR_NOT_FOUND)
            return err_set(err, ERR_NOT_FOUND, "no such volume: %s", name);
        return err_wrap(err, "volume '%s'", name);
    }
    if (meta_parse(layout, name, meta, ret_info, err) < 0)
        return err_wrap(err, "volume '%s': %s/volumes/%s/" VOLUME_META, name, layout->lib, name);
    return 0;
}

int volume_meta_save(int dir_fd, const struct volume_info *info, struct err *err)
{
    _cleanup_jv_ struct jv *meta = jv_object();
    jv_set_int(meta, "version", VOLUME_META_VERSION);
    jv_set_str(meta, "name", info->name);
    jv_set_str(meta, "project", info->project);
    jv_set_str(meta, "key", info->key);
    jv_set_str(meta, "driver", info->driver);
    jv_set_str(meta, "fingerprint", info->fingerprint);
    jv_set_str(meta, "created", info->created);
    jv_set(meta, "options", jv_ref(info->options));
    jv_set(meta, "labels", jv_ref(info->labels));
    jv_set_bool(meta, "anonymous", info->anonymous);
    jv_set_bool(meta, "populated", info->populated);
    return jv_save_file(dir_fd, VOLUME_META, meta, err);
}

int volumes_open(const struct layout *layout, bool create, int *ret_fd, struct err *err)
{
    if (create && fs_mkdirs(layout->lib_fd, "volumes", 0711, err) < 0)
        return err_wrap(err, "volumes");
    int fd = openat(layout->lib_fd, "volumes", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? err_set(err, ERR_NOT_FOUND, "no volume was ever made") : err_sys(err, "open %s/volumes", layout->lib);
    *ret_fd = fd;
    return 0;
}

int volumes_lock(int volumes_fd, int *ret_lock, struct err *err)
{
    return fs_lock(volumes_fd, ".lock", true, -1, ret_lock, err);
}

int volume_dir_open(int volumes_fd, const char *name, int *ret_fd, struct err *err)
{
    if (!name_is_resource(name))
        return err_set(err, ERR_CONFIG, "'%s' is no name for a volume", name);
    int fd = openat(volumes_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? err_set(err, ERR_NOT_FOUND, "no such volume: %s", name) : err_sys(err, "open volume '%s'", name);
    *ret_fd = fd;
    return 0;
}
