/* SPDX-License-Identifier: Apache-2.0 */
/* tree_walk.h - a cursor over directories of a tree that must not be left: each step is one openat
 * without following links. Consecutive entries of an archive mostly share a directory, which then
 * costs nothing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define TREE_PATH_MAX  4096 /* with terminator */
#define TREE_DEPTH_MAX 256

struct tree_walk {
    int root_fd;                 /* borrowed */
    size_t depth;                /* directories opened below the root */
    int fds[TREE_DEPTH_MAX];     /* of level i+1 */
    size_t ends[TREE_DEPTH_MAX]; /* where level i+1's path ends in path */
    size_t size;                 /* of path */
    char path[TREE_PATH_MAX];    /* of the directory it stands in, "" for the root */
};

void tree_walk_init(struct tree_walk *walk, int root_fd);
void tree_walk_done(struct tree_walk *walk);

/* Called when a component is missing or no directory: makes it one, or fails (0: try once more,
 * -1). */
typedef int tree_missing_fn(void *arg, int dirfd, const char *path, const char *name, int error,
                            struct err *err);

/* Goes to the directory that holds path (clean, relative, not "") and gives it and the last
 * component; both are borrowed until the next call. on_missing NULL: *ret_dirfd is -1 with success
 * when a component is missing or no directory. */
int tree_walk_parent(struct tree_walk *walk, const char *path, tree_missing_fn *on_missing,
                     void *arg, int *ret_dirfd, const char **ret_name, struct err *err);

/* An archive's name as a clean relative path: "./a//b/" → "a/b", "." → "". ERR_CORRUPT for absolute
 * names, "..", an empty name, a component over 255 bytes; ERR_LIMIT for depth and length. buffer >=
 * TREE_PATH_MAX. */
int tree_path_clean(const char *raw, char *buffer, struct err *err);
