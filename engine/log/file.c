/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a log (file.h). Plain ones are searched for their last lines from the end, in blocks; compressed
 * ones have to be read twice. */
#include "engine/log/file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"
#include "base/proc.h"
#include "base/vec.h"
#include "engine/log/names.h"

#define BLOCK_SIZE (512 * 1024) /* several times the longest record */
#define TEXT_END   "\",\"stream\":\"std" /* nowhere else: quotes inside a text are escaped */

bool log_record_ends_line(const char *record, size_t size)
{
    const char *end = memmem(record, size, TEXT_END, sizeof(TEXT_END) - 1);
    const char *slash = end ? end - 1 : record;
    if (!end || end - record < 2 || *slash != 'n')
        return false;
    while (slash > record && slash[-1] == '\\')
        slash--;
    return (end - 1 - slash) % 2 == 1; /* even: the text ended with a backslash and an n */
}

int log_file_open(int dirfd, uint64_t number, struct log_file *ret_file)
{
    char text[LOG_NAME_SIZE];
    struct stat st;
    for (int packed = 0; packed < 2; packed++) {
        log_name_format((struct log_name){number, packed}, text);
        _cleanup_close_ int fd = openat(dirfd, text, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
            continue; /* made before the plain one goes, so the second look finds it */
        if (fd < 0 || fstat(fd, &st) < 0)
            return -1;
        if (!S_ISREG(st.st_mode)) {
            errno = EINVAL;
            return -1;
        }
        *ret_file = (struct log_file){
            .number = number, .fd = take_fd(&fd), .packed = packed, .pipe = -1, .helper = -1};
        return 0;
    }
    return -1;
}

static void helper_end(struct log_file *file)
{
    close_fdp(&file->pipe);
    if (file->helper > 0)
        while (waitpid(file->helper, NULL, 0) < 0 && errno == EINTR)
            ;
    file->helper = -1;
}

void log_file_close(struct log_file *file)
{
    helper_end(file);
    close_fdp(&file->fd);
}

static int helper_begin(struct log_file *file, struct err *err)
{
    _cleanup_free_ char *path = NULL;
    _cleanup_close_ int in = -1, out = -1;
    int ends[2];
    if (proc_libexec("winch-logpack", &path, err) < 0)
        return -1;
    if (lseek(file->fd, 0, SEEK_SET) < 0 || pipe2(ends, O_CLOEXEC) < 0)
        return err_sys(err, "unpack log");
    in = ends[0];
    out = ends[1];
    char *const argv[] = {(char *)"winch-logpack", (char *)"unpack", NULL};
    const int fds[] = {file->fd, out, 2};
    const struct proc_spawn spawn = {.path = path, .argv = argv, .fds = fds, .fd_count = ARRAY_LEN(fds)};
    if (proc_spawn(&spawn, &file->helper, err) < 0)
        return -1;
    file->pipe = take_fd(&in);
    return 0;
}

ssize_t log_file_read(struct log_file *file, char *buffer, size_t size, struct err *err)
{
    ssize_t got;
    if (file->packed && file->pipe < 0 && helper_begin(file, err) < 0)
        return -1;
    do
        got = file->packed ? read(file->pipe, buffer, size) : pread(file->fd, buffer, size, file->offset);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return err_sys(err, "read log");
    file->offset += got;
    return got;
}

/* Lines that begin among the whole records of text, the first of which belongs to a line that began earlier
 * unless starts. Returns whether the last one ended a line; *ret_used: bytes of whole records. */
static bool lines_count(const char *text, size_t size, bool starts, int64_t *count, size_t *ret_used)
{
    size_t at = 0;
    for (const char *end; (end = memchr(text + at, '\n', size - at)); at = (size_t)(end - text) + 1) {
        *count += starts;
        starts = log_record_ends_line(text + at, (size_t)(end - text) - at);
    }
    *ret_used = at;
    return starts;
}

/* All of a compressed file once. */
static int packed_count(struct log_file *file, bool starts, int64_t *ret_count, bool *ret_ends, struct err *err)
{
    _cleanup_free_ char *buffer = xmalloc(BLOCK_SIZE);
    size_t have = 0, used;
    ssize_t got;
    *ret_count = 0;
    while ((got = log_file_read(file, buffer + have, BLOCK_SIZE - have, err)) > 0) {
        have += (size_t)got;
        starts = lines_count(buffer, have, starts, ret_count, &used);
        if (used == 0 && have == BLOCK_SIZE)
            used = have; /* no record is that long: damage */
        memmove(buffer, buffer + used, have - used);
        have -= used;
    }
    helper_end(file);
    *ret_ends = starts;
    return got < 0 ? -1 : 0;
}

/* Whether the first record of the next file begins a line. */
static bool file_ends_line(const struct log_file *file)
{
    _cleanup_free_ char *block = NULL;
    struct stat st;
    if (!file)
        return true;
    if (file->packed) {
        struct log_file copy = {.fd = file->fd, .packed = true, .pipe = -1, .helper = -1};
        int64_t count;
        bool ends = true;
        (void)packed_count(&copy, true, &count, &ends, NULL); /* reading it will tell */
        return ends;
    }
    if (fstat(file->fd, &st) < 0 || st.st_size == 0)
        return true;
    size_t size = (size_t)MIN(st.st_size, (off_t)BLOCK_SIZE);
    block = xmalloc(size);
    if (pread(file->fd, block, size, st.st_size - (off_t)size) != (ssize_t)size)
        return true;
    if (block[size - 1] == '\n')
        size--;
    const char *before = memrchr(block, '\n', size);
    const char *record = before ? before + 1 : block;
    return log_record_ends_line(record, size - (size_t)(record - block));
}

/* Starts of lines in one block that begins with a record: offsets relative to it. first: the first record's
 * line starts with it. */
static void block_starts(const char *block, size_t size, bool first, bool skip_first, off_t base, off_t *ret_at,
                         int64_t *left)
{
    VEC(off_t) starts = {0};
    bool begins = first, known = !skip_first;
    size_t at = 0;
    for (const char *end; (end = memchr(block + at, '\n', size - at)); at = (size_t)(end - block) + 1) {
        if (begins && known)
            VEC_ADD(&starts, base + (off_t)at);
        known = true;
        begins = log_record_ends_line(block + at, (size_t)(end - block) - at);
    }
    if ((int64_t)starts.count >= *left) {
        *ret_at = starts.items[starts.count - (size_t)*left];
        *left = 0;
    } else {
        *left -= (int64_t)starts.count;
    }
    VEC_DONE(&starts);
}

static int plain_tail(struct log_file *file, const struct log_file *before, int64_t *left, struct err *err)
{
    _cleanup_free_ char *block = xmalloc(BLOCK_SIZE);
    off_t end = lseek(file->fd, 0, SEEK_END);
    while (end > 0 && *left > 0) {
        off_t begin = end > BLOCK_SIZE ? end - BLOCK_SIZE : 0;
        ssize_t got = pread(file->fd, block, (size_t)(end - begin), begin);
        if (got < 0)
            return err_sys(err, "read log");
        const char *text = block;
        size_t size = (size_t)got;
        if (begin > 0) { /* to the first whole record; what it begins is decided with the one before it */
            const char *first = memchr(block, '\n', size);
            if (!first || first + 1 == block + size)
                return 0; /* no record is that long: from here on it is damage */
            text = first + 1;
            size -= (size_t)(text - block);
        }
        off_t base = begin + (text - block);
        block_starts(text, size, begin > 0 || file_ends_line(before), begin > 0, base, &file->offset, left);
        const char *second = memchr(text, '\n', size);
        if (begin == 0 || !second)
            break;
        end = base + (second - text) + 1;
        if (end >= begin + got) /* one record filled the block */
            end = base;
    }
    return 0;
}

int log_file_tail(struct log_file *file, const struct log_file *before, int64_t *left, struct err *err)
{
    int64_t count;
    bool ends;
    if (!file->packed)
        return plain_tail(file, before, left, err);
    if (packed_count(file, file_ends_line(before), &count, &ends, err) < 0)
        return -1;
    file->skip_lines = MAX(count - *left, 0);
    *left -= count - file->skip_lines;
    return 0;
}
