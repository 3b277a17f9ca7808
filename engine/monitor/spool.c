/* SPDX-License-Identifier: Apache-2.0 */
/* The spool (spool.h): one page of header, then one area for each stream. Of each pair of offsets only
 * one is in use, so that an area can be moved to its front by one store. All stores that a successor
 * depends on are in program order: it reads them after this process is dead. libc only. */
#include "engine/monitor/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/mem.h"

#define STREAMS     2
#define PAGE        4096
#define SPOOL_MAGIC 0x77696e6373706f31ull
#define SPOOL_SIZE  (PAGE + STREAMS * SPOOL_AREA)
#define PORTION_MIN (64 * 1024) /* less room than this: move the rest to the front first */

struct range { /* offsets in the file: [start, end) waits to be logged */
    off_t start, end;
};

struct spool_header {
    uint64_t magic;
    struct {
        struct range range[2];
        uint32_t in_use;    /* index of range */
        uint32_t high_water; /* bytes of the area touched since spool_idle */
    } streams[STREAMS];
    struct {
        uint32_t pending, stream;
        off_t end; /* of the batch's bytes in the area */
        uint64_t number;
        int64_t offset, size; /* of the batch in file number of the log */
    } batch;
};
_Static_assert(sizeof(struct spool_header) <= PAGE, "the header is one page");

#define ordered() atomic_signal_fence(memory_order_seq_cst)

static off_t area_begin(unsigned stream)
{
    return PAGE + (off_t)stream * SPOOL_AREA;
}

static struct range *range_of(const struct spool *spool, unsigned stream)
{
    return &spool->header->streams[stream].range[spool->header->streams[stream].in_use & 1];
}

static bool range_is_sound(const struct range *range, unsigned stream)
{
    off_t begin = area_begin(stream);
    return begin <= range->start && range->start <= range->end && range->end <= begin + SPOOL_AREA;
}

static bool header_is_sound(const struct spool_header *header)
{
    if (header->magic != SPOOL_MAGIC || header->batch.stream >= STREAMS)
        return false;
    for (unsigned i = 0; i < STREAMS; i++)
        if (header->streams[i].in_use > 1 ||
            !range_is_sound(&header->streams[i].range[header->streams[i].in_use], i))
            return false;
    return true;
}

/* Through write(2): a page of a full file system must not be met by a store. */
static int header_begin(struct spool *spool)
{
    struct spool_header header = {.magic = SPOOL_MAGIC};
    for (unsigned i = 0; i < STREAMS; i++)
        header.streams[i].range[0] = (struct range){area_begin(i), area_begin(i)};
    if (pwrite(spool->fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header))
        return -1;
    spool->ready = true;
    return 0;
}

static int spool_map(struct spool *spool, int fd)
{
    void *map = ftruncate(fd, SPOOL_SIZE) < 0
                    ? MAP_FAILED
                    : mmap(NULL, SPOOL_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return -1;
    spool->header = map;
    spool->fd = fd;
    return 0;
}

int spool_open(struct spool *spool, int run_dir, struct err *err)
{
    struct stat st;
    _cleanup_close_ int fd = openat(run_dir, "spool", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    *spool = (struct spool){.fd = -1};
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_sys(err, "open spool");
    bool old = S_ISREG(st.st_mode) && st.st_size == SPOOL_SIZE;
    if (!S_ISREG(st.st_mode) || spool_map(spool, fd) < 0)
        return err_sys(err, "map spool");
    (void)take_fd(&fd);
    spool->ready = old && header_is_sound(spool->header); /* else made when it is needed */
    return 0;
}

/* The file cannot take more: go on in memory, with what there is. */
static int memory_instead(struct spool *spool)
{
    struct spool old = *spool, memory = {.recovered = spool->recovered};
    _cleanup_close_ int fd = memfd_create("winch-spool", MFD_CLOEXEC);
    if (fd < 0 || spool_map(&memory, fd) < 0)
        return -1;
    (void)take_fd(&fd);
    if (header_begin(&memory) < 0)
        return -1;
    for (unsigned i = 0; old.ready && i < STREAMS; i++) {
        const struct range *from = range_of(&old, i);
        size_t size = (size_t)(from->end - from->start);
        memcpy((char *)memory.header + area_begin(i), (char *)old.header + from->start, size);
        range_of(&memory, i)->end += (off_t)size;
        if (size) {
            ordered();
            range_of(&old, i)->start = from->end; /* a successor must not log it again */
        }
    }
    (void)munmap(old.header, SPOOL_SIZE);
    close(old.fd);
    *spool = memory;
    return 0;
}

void spool_done(struct spool *spool, int run_dir)
{
    bool empty = spool->header != NULL;
    for (unsigned i = 0; spool->ready && i < STREAMS; i++)
        empty &= range_of(spool, i)->start == range_of(spool, i)->end;
    if (empty)
        (void)unlinkat(run_dir, "spool", 0); /* may be gone with its directory */
    if (spool->header)
        (void)munmap(spool->header, SPOOL_SIZE);
    spool->header = NULL;
    close_fdp(&spool->fd);
}

void spool_recover(struct spool *spool, struct logfile *log)
{
    if (spool->recovered)
        return;
    spool->recovered = true;
    if (!spool->ready || !spool->header->batch.pending)
        return;
    struct range *range = range_of(spool, spool->header->batch.stream);
    off_t end = spool->header->batch.end;
    if (range->start < end && end <= range->end &&
        logfile_has(log, spool->header->batch.number, spool->header->batch.offset,
                    spool->header->batch.size))
        range->start = end;
    ordered();
    spool->header->batch.pending = 0;
}

const char *spool_data(const struct spool *spool, unsigned stream, size_t *ret_size)
{
    *ret_size = 0;
    if (!spool->ready)
        return "";
    const struct range *range = range_of(spool, stream);
    *ret_size = (size_t)(range->end - range->start);
    return (const char *)spool->header + range->start;
}

/* Room for the next portion. */
static void area_tidy(struct spool *spool, unsigned stream)
{
    struct range *range = range_of(spool, stream);
    off_t begin = area_begin(stream), rest = range->end - range->start;
    if (begin + SPOOL_AREA - range->end >= PORTION_MIN || range->start - begin < rest)
        return;
    uint32_t other = !spool->header->streams[stream].in_use;
    memcpy((char *)spool->header + begin, (char *)spool->header + range->start, (size_t)rest);
    spool->header->streams[stream].range[other] = (struct range){begin, begin + rest};
    ordered();
    spool->header->streams[stream].in_use = other;
}

static ssize_t area_fill(struct spool *spool, unsigned stream, int fd, bool is_tty, size_t size)
{
    struct range *range = range_of(spool, stream);
    size_t room = (size_t)(area_begin(stream) + SPOOL_AREA - range->end);
    ssize_t got;
    if (!is_tty)
        return splice(fd, NULL, spool->fd, &range->end, MIN(size, room), SPLICE_F_NONBLOCK);
    got = read(fd, (char *)spool->header + range->end, MIN(size, room));
    range->end += got > 0 ? got : 0;
    return got;
}

ssize_t spool_take(struct spool *spool, unsigned stream, int fd, bool is_tty, size_t size)
{
    ssize_t got;
    if (!spool->ready && header_begin(spool) < 0 && memory_instead(spool) < 0)
        return -1;
    area_tidy(spool, stream);
    while ((got = area_fill(spool, stream, fd, is_tty, size)) < 0) {
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN)
            return 0;
        bool full = errno == ENOSPC || errno == EDQUOT || errno == EFBIG || errno == EFAULT ||
                    errno == ENOMEM;
        if (!full || memory_instead(spool) < 0)
            return -1;
    }
    uint32_t used = (uint32_t)(range_of(spool, stream)->end - area_begin(stream));
    if (used > spool->header->streams[stream].high_water)
        spool->header->streams[stream].high_water = used;
    return got;
}

void spool_log(struct spool *spool, unsigned stream, size_t used, struct logfile *log, const char *batch,
               size_t size, uint64_t lines)
{
    struct range *range = range_of(spool, stream);
    struct spool_header *header = spool->header;
    logfile_prepare(log, size);
    header->batch.stream = stream;
    header->batch.end = range->start + (off_t)used;
    header->batch.number = log->number;
    header->batch.offset = log->size;
    header->batch.size = (int64_t)size;
    ordered();
    header->batch.pending = 1;
    ordered();
    logfile_append(log, batch, size, lines);
    ordered();
    range->start += (off_t)used;
    ordered();
    header->batch.pending = 0;
}

void spool_idle(struct spool *spool)
{
    for (unsigned i = 0; spool->ready && i < STREAMS; i++) {
        struct range *range = range_of(spool, i);
        if (spool->header->streams[i].high_water == 0 || range->start != range->end)
            continue;
        /* empty stays empty in between, whichever of the two a successor sees */
        spool->header->streams[i].range[!spool->header->streams[i].in_use] =
            (struct range){area_begin(i), area_begin(i)};
        ordered();
        spool->header->streams[i].in_use = !spool->header->streams[i].in_use;
        spool->header->streams[i].high_water = 0;
        (void)fallocate(spool->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, area_begin(i),
                        SPOOL_AREA); /* memory that stays costs memory, no more */
    }
}
