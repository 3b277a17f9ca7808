/* SPDX-License-Identifier: Apache-2.0 */
/* The place for half-made things. Nothing in it is ever referred to from outside; what becomes good
 * leaves by rename. Partial downloads are kept for a day, so that the next pull of the same blob
 * continues. */
#include "engine/image/staging.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/proc.h"
#include "engine/image/ref.h"

#define NAMES_MAX   100000
#define PART_PREFIX "part-"
#define PART_KEEP_S (24 * 60 * 60)

static void sweep_part(int tmp_fd, const char *name)
{
    struct stat st;
    _cleanup_close_ int fd = openat(tmp_fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0 || st.st_mtime > clock_wall_ns() / 1000000000 - PART_KEEP_S)
        return;
    if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        (void)unlinkat(tmp_fd, name, 0); /* gone or not: the next sweep sees */
}

static void sweep(int tmp_fd)
{
    char **names = NULL;
    size_t count = 0;
    struct err err = {0};
    if (fs_list(tmp_fd, ".", NAMES_MAX, &names, &count, &err) < 0) {
        log_warning("noun=staging cannot be swept: %s", err.message);
        return;
    }
    for (size_t i = 0; i < count; i++) {
        int pid, length = 0;
        unsigned long long start;
        if (str_has_prefix(names[i], PART_PREFIX))
            sweep_part(tmp_fd, names[i]);
        else if (sscanf(names[i], "%d-%llu-%n", &pid, &start, &length) == 2 && length > 0 &&
                 !proc_is(pid, start) && fs_remove_tree(tmp_fd, names[i], &err) < 0)
            log_warning("noun=staging name=%s %s", names[i], err.message);
    }
    fs_names_free(names);
}

int staging_open(int lib_fd, int *ret_tmp_fd, struct err *err)
{
    int fd = openat(lib_fd, "tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, "open tmp of the store");
    sweep(fd);
    *ret_tmp_fd = fd;
    return 0;
}

char *staging_name(void)
{
    static unsigned last; /* only makes names of one process differ */
    pid_t pid = getpid();
    return xasprintf("%d-%llu-%u", pid, (unsigned long long)proc_start_time(pid), ++last);
}

static int open_nameless(int tmp_fd, int *ret_fd, struct err *err)
{
    int fd = openat(tmp_fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_sys(err, "make a temporary file");
    *ret_fd = fd;
    return 0;
}

int staging_open_part(int tmp_fd, const char *digest, int *ret_fd, struct err *err)
{
    if (!digest)
        return open_nameless(tmp_fd, ret_fd, err);
    _cleanup_free_ char *name = xasprintf(PART_PREFIX "%s", digest_hex(digest));
    _cleanup_close_ int fd = openat(tmp_fd, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    struct stat st;
    if (fd < 0)
        return err_sys(err, "open %s", name);
    /* nlink 0: its former owner finished and removed it between our open and our lock */
    if (flock(fd, LOCK_EX | LOCK_NB) < 0 || fstat(fd, &st) < 0 || st.st_nlink == 0)
        return open_nameless(tmp_fd, ret_fd, err);
    *ret_fd = take_fd(&fd);
    return 0;
}

void staging_drop_part(int tmp_fd, const char *digest)
{
    _cleanup_free_ char *name = xasprintf(PART_PREFIX "%s", digest_hex(digest));
    (void)unlinkat(tmp_fd, name, 0); /* may be nameless already */
}
