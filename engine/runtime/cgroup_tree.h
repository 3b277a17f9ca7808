/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup_tree.h - inside of cgroup*.c: reading and writing the small files of a group. libc only.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "engine/runtime/spec.h"

#define CGROUP_ROOT "/sys/fs/cgroup"

const char *cgroup_unified_root(int mode);                             /* NULL under pure v1 */
int cgroup_file_write(int dirfd, const char *name, const char *value); /* 0, or -1 with errno */
/* Terminated; bytes read, or -1 with errno. */
ssize_t cgroup_file_read(int dirfd, const char *name, char *buffer, size_t size);
/* v1: lets the groups above root/path have the real-time budget that it is to get. */
int cgroup_rt_make_room(const char *root, const char *path, const struct spec_resources *resources,
                        struct err *err);
unsigned cgroup_controllers_wanted(const struct container_spec *spec, int mode);
