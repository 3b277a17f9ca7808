/* SPDX-License-Identifier: Apache-2.0 */
/* Looking into the layers below one that is being unpacked. A layer never writes into another: what
 * it needs of a lower one (the target of a hard link, the attributes of a directory it only passes
 * through) is copied. */
#include "engine/image/lower.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/fd.h"

static bool is_whiteout(const struct stat *st)
{
    return S_ISCHR(st->st_mode) && st->st_rdev == makedev(0, 0);
}

static bool is_opaque(int fd)
{
    char path[40], value[2];
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    return getxattr(path, OVERLAY_OPAQUE, value, sizeof(value)) == 1 && value[0] == 'y';
}

enum lookup { LOOKUP_FOUND, LOOKUP_ABSENT, LOOKUP_HIDDEN };

/* In one layer. HIDDEN: layers below are not to be asked. */
static enum lookup look(int layer_fd, const char *path, int *ret_fd)
{
    _cleanup_close_ int fd = -1;
    bool hides = false;
    int at = layer_fd;
    for (const char *rest = path;;) {
        char name[256];
        struct stat st;
        size_t size = strcspn(rest, "/");
        if (size >= sizeof(name))
            return LOOKUP_ABSENT;
        memcpy(name, rest, size);
        name[size] = '\0';
        int next = openat(at, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
        if (next < 0 || fstat(next, &st) < 0) {
            close_fdp(&next);
            return hides ? LOOKUP_HIDDEN : LOOKUP_ABSENT;
        }
        close_fdp(&fd);
        fd = at = next;
        if (is_whiteout(&st))
            return LOOKUP_HIDDEN;
        if (rest[size] == '\0')
            break;
        if (!S_ISDIR(st.st_mode))
            return LOOKUP_HIDDEN;
        hides |= is_opaque(fd);
        rest += size + 1;
    }
    *ret_fd = take_fd(&fd);
    return LOOKUP_FOUND;
}

int lower_open(const int *layer_fds, size_t count, const char *path, int *ret_fd, struct err *err)
{
    (void)err; /* an unreadable lower file shows when it is copied */
    *ret_fd = -1;
    for (size_t i = 0; i < count; i++) {
        if (look(layer_fds[i], path, ret_fd) != LOOKUP_ABSENT)
            return 0;
    }
    return 0;
}
