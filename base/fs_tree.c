/* SPDX-License-Identifier: Apache-2.0 */
/* fs_tree.c - removing a tree that others may have filled, even with hostile contents: no link is followed,
 * no mount point crossed, no recursion. A bounded stack of open directories is kept; what lies deeper is
 * first moved up below the root of the removal. */
#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs_parent.h"
#include "base/mem.h"

#define DEPTH_MAX  64  /* open directories */
#define ROUNDS_MAX 100 /* scans of one directory that found it filled again */

struct level {
    DIR *dir;
    char name[256]; /* in the directory above */
    int rounds;
};

struct removal {
    struct level levels[DEPTH_MAX];
    size_t depth;
    unsigned moved; /* directories moved up so far: makes their names */
};

static void removal_freep(struct removal **removal)
{
    for (size_t i = 0; i < (*removal)->depth; i++)
        closedir((*removal)->levels[i].dir);
    free(*removal);
}

static int push(struct removal *removal, int dirfd, const char *name)
{
    struct open_how how = {.flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_XDEV};
    _cleanup_close_ int fd = (int)syscall(SYS_openat2, dirfd, name, &how, sizeof(how));
    if (fd < 0)
        return -1;
    DIR *dir = fdopendir(fd);
    if (!dir)
        return -1;
    (void)take_fd(&fd); /* belongs to dir now */
    struct level *level = &removal->levels[removal->depth++];
    level->dir = dir;
    level->rounds = 0;
    snprintf(level->name, sizeof(level->name), "%s", name);
    return 0;
}

/* Moves a directory that is too deep to the root of the removal, where a later scan finds it. */
static int move_up(struct removal *removal, int fd, const char *name)
{
    int top = dirfd(removal->levels[0].dir);
    for (;;) {
        char target[32];
        snprintf(target, sizeof(target), ".deep-%u", removal->moved++);
        if (renameat2(fd, name, top, target, RENAME_NOREPLACE) == 0)
            return 0;
        if (errno != EEXIST)
            return -1;
    }
}

/* Removes one entry of the top directory, or descends into it. */
static int visit(struct removal *removal, int fd, const struct dirent *entry)
{
    if (entry->d_type != DT_DIR) {
        if (unlinkat(fd, entry->d_name, 0) == 0 || errno == ENOENT)
            return 0;
        if (errno != EISDIR)
            return -1;
    }
    if (unlinkat(fd, entry->d_name, AT_REMOVEDIR) == 0 || errno == ENOENT)
        return 0;
    if (errno == ENOTDIR) /* replaced while we looked: the next scan sees what it is now */
        return 0;
    if (errno != ENOTEMPTY && errno != EEXIST)
        return -1;
    return removal->depth < DEPTH_MAX ? push(removal, fd, entry->d_name)
                                      : move_up(removal, fd, entry->d_name);
}

/* The top directory was read to its end: removes it, or starts another scan when it is not empty. */
static int leave(struct removal *removal, int parent)
{
    struct level *level = &removal->levels[removal->depth - 1];
    int above = removal->depth > 1 ? dirfd(removal->levels[removal->depth - 2].dir) : parent;
    if (unlinkat(above, level->name, AT_REMOVEDIR) < 0 && errno != ENOENT) {
        if ((errno != ENOTEMPTY && errno != EEXIST) || level->rounds++ >= ROUNDS_MAX)
            return -1;
        rewinddir(level->dir);
        return 0;
    }
    closedir(level->dir);
    removal->depth--;
    return 0;
}

static int remove_below(struct removal *removal, int parent, const char *name)
{
    if (push(removal, parent, name) < 0)
        return errno == ENOENT ? 0 : -1;
    while (removal->depth > 0) {
        DIR *dir = removal->levels[removal->depth - 1].dir;
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry && errno != 0)
            return -1;
        if (!entry) {
            if (leave(removal, parent) < 0)
                return -1;
        } else if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0) {
            if (visit(removal, dirfd(dir), entry) < 0)
                return -1;
        }
    }
    return 0;
}

int fs_remove_tree(int dirfd, const char *name, struct err *err)
{
    const char *base;
    _cleanup_close_ int parent = fs_open_parent(dirfd, name, &base);
    if (parent < 0)
        return errno == ENOENT ? 0 : err_sys(err, "remove %s", name);
    if (unlinkat(parent, base, 0) == 0 || errno == ENOENT)
        return 0;
    if (errno != EISDIR)
        return err_sys(err, "remove %s", name);

    _cleanup_(removal_freep) struct removal *removal = xcalloc(1, sizeof(*removal));
    if (remove_below(removal, parent, base) == 0)
        return 0;
    if (errno == EXDEV || errno == EBUSY)
        return err_set(err, ERR_BUSY, "remove %s: something is mounted there", name);
    return err_sys(err, "remove %s", name);
}
