/* SPDX-License-Identifier: Apache-2.0 */
/* tree.h - mounts as descriptors: detached copies of trees, attributes, new file systems. A mount
 * is never addressed by a path that a container could change. libc only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct tree_attr {
    uint64_t set;         /* MOUNT_ATTR_… to set */
    uint64_t propagation; /* MS_PRIVATE, MS_SLAVE, MS_SHARED; 0: unchanged */
    int userns_fd;        /* >= 0: id-map by this user namespace */
    bool recursive;
};

/* A detached copy of what dirfd/path names (path "": dirfd itself). -1 with errno. */
int tree_clone(int dirfd, const char *path, bool recursive);
/* -1 with errno. */
int tree_set_attr(int tree, const struct tree_attr *attr);
/* Copy of a directory or file shown with the namespace's ids; userns_fd < 0: a plain copy. */
int tree_clone_mapped(int dirfd, const char *path, int userns_fd);
/* Mounts tree on what target (O_PATH) names. -1 with errno. */
int tree_attach(int tree, int target);

struct fs_option {
    const char *key, *value; /* value NULL: a flag */
};
/* A new, detached mount of a file system. options end with {0}; MOUNT_ATTR_… in attrs. */
int fs_mount_new(const char *type, const struct fs_option *options, uint64_t attrs, int *ret_mount,
                 struct err *err);
/* Adds what the kernel's log of an fsopen descriptor says to *err. */
void fs_context_explain(int context, struct err *err);
