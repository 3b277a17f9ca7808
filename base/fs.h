/* SPDX-License-Identifier: Apache-2.0 */
/* fs.h - files and directories relative to directory descriptors. libc only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/err.h"

/* Replaces dirfd/name by data: temporary in the same directory, write, fsync, rename, fsync of the
 * directory; on return the new content is durable. mode is exact (umask does not matter). */
int fs_replace(int dirfd, const char *name, const void *data, size_t size, mode_t mode, struct err *err);
/* As fs_replace without any sync: for files below /run that die with the boot. */
int fs_replace_volatile(int dirfd, const char *name, const void *data, size_t size, mode_t mode,
                        struct err *err);
/* Reads a regular file of at most max bytes (O_NOFOLLOW). ENOENT gives ERR_NOT_FOUND, too big ERR_LIMIT. */
int fs_read(int dirfd, const char *name, size_t max_bytes, char **ret_data, size_t *ret_size,
            struct err *err);
/* mkdir -p of a relative or absolute path; existing directories keep their mode, new ones get mode. */
int fs_mkdirs(int dirfd, const char *path, mode_t mode, struct err *err);
/* mkdir -p, then opens the directory (O_DIRECTORY | O_CLOEXEC). */
int fs_open_dir(int dirfd, const char *path, mode_t mode_if_new, int *ret_fd, struct err *err);
/* Removes a file or a whole tree without following links or crossing mount points, iteratively (any
 * depth). A missing name is success. */
int fs_remove_tree(int dirfd, const char *name, struct err *err);
int fs_sync_dir(int dirfd, struct err *err);
bool fs_exists(int dirfd, const char *name);
/* openat2 below rootfd with RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS (Linux 5.6): `path` is looked up as if
 * rootfd were "/". Returns a close-on-exec descriptor or -1 with errno. */
int fs_open_in_root(int rootfd, const char *path, int flags, mode_t mode);
/* Creates missing directories of path below rootfd (same resolution), mode 0755 and owner uid:gid for new
 * ones, and returns an O_PATH descriptor of the last, or -1 with errno. */
int fs_mkdirs_in_root(int rootfd, const char *path, mode_t mode, uid_t uid, gid_t gid);

/* Names in a directory, sorted, without "." and ".."; *ret_names is a NULL-terminated array, freed by
 * fs_names_free. At most max names (ERR_LIMIT). */
int fs_list(int dirfd, const char *path, size_t max, char ***ret_names, size_t *ret_count, struct err *err);
void fs_names_free(char **names);

/* flock(2) on dirfd/name (created 0600). wait_ms 0: try once; < 0: for ever. ERR_BUSY when held by another;
 * the message then names the holder's pid when it left one. The lock lives as long as *ret_fd. */
int fs_lock(int dirfd, const char *name, bool exclusive, int wait_ms, int *ret_fd, struct err *err);
