/* SPDX-License-Identifier: Apache-2.0 */
/* fs_root.c - lookups inside a container's root, done by the kernel: links and ".." written by an image
 * cannot lead out. */
#include "base/fs.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

#define RETRIES 32 /* EAGAIN: a rename elsewhere disturbed the lookup of ".." */

int fs_open_in_root(int rootfd, const char *path, int flags, mode_t mode)
{
    struct open_how how = {.flags = (unsigned)flags | O_CLOEXEC,
                           .mode = flags & (O_CREAT | __O_TMPFILE) ? mode : 0,
                           .resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS};
    if (path[0] == '\0')
        path = ".";
    for (int i = 0;; i++) {
        int fd = (int)syscall(SYS_openat2, rootfd, path, &how, sizeof(how));
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR) || i >= RETRIES)
            return fd;
    }
}

/* Makes the directory name in parent; 0 also when something of that name appeared meanwhile. */
static int make_dir(int parent, const char *name, mode_t mode, uid_t uid, gid_t gid)
{
    if (mkdirat(parent, name, 0700) < 0)
        return errno == EEXIST ? 0 : -1;
    _cleanup_close_ int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    return fchown(fd, uid, gid) < 0 ? -1 : fchmod(fd, mode); /* in this order: chown drops setgid */
}

int fs_mkdirs_in_root(int rootfd, const char *path, mode_t mode, uid_t uid, gid_t gid)
{
    _cleanup_free_ char *prefix = xstrdup(path);
    _cleanup_close_ int current = fs_open_in_root(rootfd, ".", O_PATH | O_DIRECTORY, 0);
    char *end = prefix;

    while (current >= 0) {
        char *name = end + strspn(end, "/");
        if (*name == '\0')
            return take_fd(&current);
        end = name + strcspn(name, "/");
        char kept = *end;
        *end = '\0';
        /* always the whole prefix from the root: ".." and links are resolved against the right place */
        int next = fs_open_in_root(rootfd, prefix, O_PATH | O_DIRECTORY, 0);
        if (next < 0 && errno == ENOENT) {
            if (make_dir(current, name, mode, uid, gid) < 0)
                return -1;
            next = fs_open_in_root(rootfd, prefix, O_PATH | O_DIRECTORY, 0);
        }
        if (next < 0)
            return -1;
        *end = kept;
        close_fdp(&current);
        current = next;
    }
    return -1;
}
