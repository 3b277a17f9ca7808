/* SPDX-License-Identifier: Apache-2.0 */
/* volume.h - named volumes on the host: lib/volumes/<name>/{_data,meta.json}. Plain data for the rest of winch.
 *
 * Ids on disk are the ids the container sees (mounts are id-mapped). meta.json is durable before a volume counts as
 * existing; removal renames the directory away first. ERR_CONFIG: a name that is none; ERR_CORRUPT names the file. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/layout.h"

struct volume_request {
    const char *name;    /* full name "proj_data" */
    const char *project, *key; /* owner, or NULL */
    const char *driver;  /* NULL: local */
    const struct jv *options, *labels; /* objects of strings, borrowed; NULL: none */
    const char *fingerprint;
    bool anonymous;
};

struct volume_info {
    char *name, *project, *key, *driver, *fingerprint, *created;
    struct jv *options, *labels;
    char *path;     /* absolute path of the data directory */
    bool anonymous;
    bool populated; /* the first-use copy has been done, or was not wanted */
};
void volume_info_done(struct volume_info *info);

/* Creates or finds. An existing one with another fingerprint or options: ERR_EXISTS. */
int volume_ensure(const struct layout *layout, const struct volume_request *request, struct volume_info *ret_info, struct err *err);
int volume_find(const struct layout *layout, const char *name, struct volume_info *ret_info, struct err *err); /* ERR_NOT_FOUND */
/* project NULL: all; sorted by name. Damaged ones are skipped; volume_list_report tells on_bad (may be NULL) about them. */
typedef void volume_bad_fn(const char *name, const struct err *error, void *arg);
int volume_list_report(const struct layout *layout, const char *project, volume_bad_fn *on_bad, void *arg,
                       struct volume_info **ret_infos, size_t *ret_count, struct err *err);
int volume_list(const struct layout *layout, const char *project, struct volume_info **ret_infos, size_t *ret_count, struct err *err);
/* ERR_NOT_FOUND. The caller has made sure that no container uses it (volume_users). */
int volume_remove(const struct layout *layout, const char *name, struct err *err);

void volume_list_free(struct volume_info *infos, size_t count);

/* First use: a volume that is empty and not yet populated gets a copy of what the image has at the mount target. The copy is
 * made in _data.new and renamed, so that an interrupted one is redone. begin gives *ret_dirfd -1 when nothing is to be done. */
int volume_populate_begin(const struct layout *layout, const char *name, int *ret_dirfd, struct err *err);
int volume_populate_commit(const struct layout *layout, const char *name, struct err *err);

/* What driver_opts of the local driver mean. *ret_device: the directory that is the data (type none, o bind), NULL for a
 * directory of ours. ERR_UNSUPPORTED: options that are not handled, by name. Pure. */
int volume_local_device(const char *driver, const struct jv *options, const char **ret_device, struct err *err);

/* ---- mount list: pure ---- */
enum volume_mount_kind { VOLUME_MOUNT_VOLUME, VOLUME_MOUNT_BIND, VOLUME_MOUNT_TMPFS, VOLUME_MOUNT_FILE };
struct volume_mount {
    enum volume_mount_kind kind;
    const char *source, *target, *subpath;
    const char *content;
    uint64_t content_size;
    bool read_only, recursive, nocopy, is_file;
    bool exec, suid, dev;    /* carried along */
    const char *propagation; /* word or NULL */
    uint64_t size_bytes;
    uint32_t mode, uid, gid;
};
/* Sorts parents before children, keeps order otherwise; two mounts at one target: ERR_CONFIG naming both. */
int mount_list_order(struct volume_mount *mounts, size_t count, struct err *err);
/* ERR_CONFIG for targets that are refused: relative, "/", /proc and below (but lxcfs-style files), /sys, /dev as a whole. */
int mount_target_check(const char *target, struct err *err);
/* Bind source: exists, or is created as a directory when create is set. ERR_NOT_FOUND names the path. *ret_is_file. */
int bind_source_check(const char *path, bool create, bool *ret_is_file, struct err *err);
