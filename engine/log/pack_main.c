/* SPDX-License-Identifier: Apache-2.0 */
/* winch-logpack: compresses the finished files of a log, and unpacks one for a reader. A process of its own,
 * because the monitor links nothing and must not be slowed down.
 *
 *   winch-logpack pack      descriptor 0: the directory of a log (engine/log/names.h)
 *   winch-logpack unpack    descriptor 0: a compressed file; its text goes to descriptor 1
 *
 * A compressed file has its name when it is complete and synced, then the plain one goes; killed anywhere in
 * between, the next run finishes. A plain file that is gone then has expired, and so has the new one. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <unistd.h>
#include <zlib.h>

#include "base/fd.h"
#include "base/mem.h"
#include "engine/log/names.h"

#define DIRECTORY   0
#define TEMPORARY   ".pack"
#define BUFFER_SIZE (256 * 1024)

static char buffer[BUFFER_SIZE];

struct choice {
    uint64_t lowest, highest; /* of the plain files; 0: none */
};

static void choice_visit(struct log_name name, void *arg)
{
    struct choice *choice = arg;
    if (name.packed)
        return;
    choice->lowest = choice->lowest == 0 ? name.number : MIN(choice->lowest, name.number);
    choice->highest = MAX(choice->highest, name.number);
}

static int text_write(int fd, const char *data, size_t size)
{
    while (size > 0) {
        ssize_t wrote = write(fd, data, size);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return -1;
        data += wrote;
        size -= (size_t)wrote;
    }
    return 0;
}

static int compress_to(int in, int out)
{
    ssize_t got;
    int copy = fcntl(out, F_DUPFD_CLOEXEC, 3);
    gzFile file = copy < 0 ? NULL : gzdopen(copy, "wb1"); /* takes copy */
    if (!file)
        return -1;
    while ((got = read(in, buffer, sizeof(buffer))) > 0)
        if (gzwrite(file, buffer, (unsigned)got) != (int)got)
            break;
    int closed = gzclose(file);
    return got == 0 && closed == Z_OK && fdatasync(out) == 0 ? 0 : -1;
}

/* 0: done, or it expired meanwhile. */
static int file_pack(uint64_t number, int temporary)
{
    char plain[LOG_NAME_SIZE], packed[LOG_NAME_SIZE];
    log_name_format((struct log_name){number, false}, plain);
    log_name_format((struct log_name){number, true}, packed);
    _cleanup_close_ int in = openat(DIRECTORY, plain, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (in < 0)
        return errno == ENOENT ? 0 : -1;
    if (faccessat(DIRECTORY, packed, F_OK, AT_SYMLINK_NOFOLLOW) < 0) { /* else an earlier run was killed here */
        if (compress_to(in, temporary) < 0 || renameat(DIRECTORY, TEMPORARY, DIRECTORY, packed) < 0)
            return -1;
    }
    if (unlinkat(DIRECTORY, plain, 0) < 0 && errno == ENOENT)
        (void)unlinkat(DIRECTORY, packed, 0); /* expired in between */
    return 0;
}

static int pack(void)
{
    (void)setpriority(PRIO_PROCESS, 0, 19);
    (void)sched_setscheduler(0, SCHED_IDLE, &(struct sched_param){0}); /* politeness only */
    for (;;) {
        struct choice choice = {0};
        _cleanup_close_ int temporary =
            openat(DIRECTORY, TEMPORARY, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (temporary < 0 || flock(temporary, LOCK_EX | LOCK_NB) < 0)
            return temporary < 0; /* another one is at work: it sees what we would */
        if (ftruncate(temporary, 0) < 0 || log_names_each(DIRECTORY, choice_visit, &choice) < 0)
            return 1;
        if (choice.lowest == choice.highest) {
            (void)unlinkat(DIRECTORY, TEMPORARY, 0); /* ours */
            return 0;
        }
        if (file_pack(choice.lowest, temporary) < 0) {
            (void)unlinkat(DIRECTORY, TEMPORARY, 0); /* tried again after the next rotation */
            return 1;
        }
    }
}

static int unpack(void)
{
    int got;
    int copy = fcntl(0, F_DUPFD_CLOEXEC, 3);
    gzFile file = copy < 0 ? NULL : gzdopen(copy, "rb");
    if (!file)
        return 1;
    while ((got = gzread(file, buffer, sizeof(buffer))) > 0)
        if (text_write(1, buffer, (size_t)got) < 0)
            return 1;
    return gzclose(file) != Z_OK || got < 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "pack") == 0)
        return pack();
    if (argc == 2 && strcmp(argv[1], "unpack") == 0)
        return unpack();
    fputs("usage: winch-logpack pack|unpack (started by winch-monitor and winch)\n", stderr);
    return 2;
}
