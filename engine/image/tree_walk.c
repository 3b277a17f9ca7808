/* SPDX-License-Identifier: Apache-2.0 */
/* Walking in a foreign tree without ever leaving it: names are cleaned textually first, then opened
 * one component at a time with O_NOFOLLOW, and the opened directories are kept for the next entry.
 */
#include "engine/image/tree_walk.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/str.h"

void tree_walk_init(struct tree_walk *walk, int root_fd)
{
    walk->root_fd = root_fd;
    walk->depth = walk->size = 0;
    walk->path[0] = '\0';
}

static void leave(struct tree_walk *walk)
{
    close(walk->fds[--walk->depth]);
    walk->size = walk->depth ? walk->ends[walk->depth - 1] : 0;
    walk->path[walk->size] = '\0';
}

void tree_walk_done(struct tree_walk *walk)
{
    while (walk->depth)
        leave(walk);
}

static int standing_in(const struct tree_walk *walk)
{
    return walk->depth ? walk->fds[walk->depth - 1] : walk->root_fd;
}

/* Opens the next component; on_missing may make it. 1: not there and nobody makes it. */
static int enter(struct tree_walk *walk, const char *name, size_t size, tree_missing_fn *on_missing,
                 void *arg, struct err *err)
{
    char component[256];
    int dirfd = standing_in(walk), fd;
    memcpy(component, name, size);
    component[size] = '\0';
    for (int tries = 0;; tries++) {
        fd = openat(dirfd, component, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd >= 0)
            break;
        int error = errno;
        bool absent = error == ENOENT || error == ENOTDIR || error == ELOOP;
        if (absent && !on_missing)
            return 1;
        if (!absent || tries)
            return err_sysno(err, error, "open directory %s/%s", walk->path, component);
        if (on_missing(arg, dirfd, walk->path, component, error, err) < 0)
            return -1;
    }
    if (walk->size)
        walk->path[walk->size++] = '/';
    memcpy(walk->path + walk->size, component, size + 1);
    walk->size += size;
    walk->ends[walk->depth] = walk->size;
    walk->fds[walk->depth++] = fd;
    return 0;
}

int tree_walk_parent(struct tree_walk *walk, const char *path, tree_missing_fn *on_missing,
                     void *arg, int *ret_dirfd, const char **ret_name, struct err *err)
{
    const char *slash = strrchr(path, '/');
    size_t parent_size = slash ? (size_t)(slash - path) : 0;
    /* leave levels that are no prefix of the parent */
    while (walk->depth &&
           !(walk->size <= parent_size && memcmp(walk->path, path, walk->size) == 0 &&
             (walk->size == parent_size || path[walk->size] == '/')))
        leave(walk);
    while (walk->size < parent_size) {
        const char *next = path + walk->size + (walk->size ? 1 : 0);
        size_t size = strcspn(next, "/");
        int entered = enter(walk, next, size, on_missing, arg, err);
        if (entered < 0)
            return -1;
        if (entered > 0) {
            *ret_dirfd = -1;
            return 0;
        }
    }
    *ret_dirfd = standing_in(walk);
    *ret_name = slash ? slash + 1 : path;
    return 0;
}

static int refuse(struct err *err, enum err_code code, const char *raw, const char *why)
{
    _cleanup_free_ char *shown = str_printable(raw);
    return err_set(err, code, "entry '%.300s' %s", shown, why);
}

int tree_path_clean(const char *raw, char *buffer, struct err *err)
{
    size_t size = 0, depth = 0;
    if (raw[0] == '\0')
        return refuse(err, ERR_CORRUPT, raw, "has no name");
    if (raw[0] == '/')
        return refuse(err, ERR_CORRUPT, raw, "has an absolute name");
    for (const char *at = raw; *at;) {
        size_t length = strcspn(at, "/");
        if (length == 2 && at[0] == '.' && at[1] == '.')
            return refuse(err, ERR_CORRUPT, raw, "has '..' in its name");
        if (length > 255)
            return refuse(err, ERR_LIMIT, raw, "has a name longer than 255 bytes");
        if (length && !(length == 1 && at[0] == '.')) {
            if (++depth > TREE_DEPTH_MAX)
                return refuse(err, ERR_LIMIT, raw, "lies deeper than 256 directories");
            if (size + length + 2 > TREE_PATH_MAX)
                return refuse(err, ERR_LIMIT, raw, "has a path longer than 4095 bytes");
            if (size)
                buffer[size++] = '/';
            memcpy(buffer + size, at, length);
            size += length;
        }
        at += length;
        at += strspn(at, "/");
    }
    buffer[size] = '\0';
    return 0;
}
