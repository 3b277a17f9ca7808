/* SPDX-License-Identifier: Apache-2.0 */
/* Layer archives through libarchive: one reader undoes the compression, its blocks are hashed and
 * handed to a second reader that knows tar only. libarchive never writes: entries go to extract.c.
 * Runs in a child process of its own (a decoder that crashes takes one layer with it). */
#include "engine/image/unpack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "base/vec.h"
#include "engine/image/content_sum.h"
#include "engine/image/digest.h"
#include "engine/image/extract.h"
#include "engine/image/layer_index.h"

#define READ_SIZE      (1 << 20)
#define SPACE_STEP     (INT64_C(64) << 20) /* how often free space is looked at */
#define WRITEBACK_SIZE (256 * 1024)
#define SPACE_RESERVE  (INT64_C(64) << 20)
#define FILTERS_MAX    2 /* one compression and the file itself */

struct state {
    const struct unpack *unpack;
    struct archive *packed, *tar;
    struct digest *digest;
    struct extract *extract;
    struct layer_index index;
    int64_t stream, content, entries, next_space_check, last_progress;
    struct err *err; /* first failure inside a callback of libarchive */
    bool failed;
};

static int archive_failed(struct err *err, struct archive *archive, const char *what)
{
    const char *why = archive_error_string(archive);
    _cleanup_free_ char *shown = str_printable(why ? why : "unknown error");
    if (archive_errno(archive) == ENOMEM)
        return err_set(err, ERR_LIMIT, "%s: the archive asks for too much memory", what);
    return err_set(err, ERR_CORRUPT, "%s: %s", what, shown);
}

/* Next block of the unpacked stream, hashed. 0 at the end, -1 on failure. */
static la_ssize_t next_block(struct state *state, const void **ret_block)
{
    const struct unpack_limits *limits = &state->unpack->limits;
    size_t size = 0;
    la_int64_t offset;
    int got = archive_read_data_block(state->packed, ret_block, &size, &offset);
    if (got == ARCHIVE_EOF)
        return 0;
    if (got != ARCHIVE_OK) {
        state->failed = true;
        return archive_failed(state->err, state->packed, "decompress");
    }
    digest_update(state->digest, *ret_block, size);
    state->stream += (int64_t)size;
    if (state->stream > limits->bytes + limits->bytes / 8) {
        state->failed = true;
        (void)err_set(state->err, ERR_LIMIT, "it unpacks to more than %lld bytes",
                      (long long)limits->bytes);
        return err_hint(state->err, "raise images.unpacked_max in winch.yaml if that is right");
    }
    if (state->stream > limits->ratio_floor &&
        state->stream / limits->ratio > archive_filter_bytes(state->packed, -1)) {
        state->failed = true;
        (void)err_set(state->err, ERR_LIMIT,
                      "it unpacks to more than %lld times its size: a decompression bomb",
                      (long long)limits->ratio);
        return err_hint(state->err, "raise images.ratio_max in winch.yaml if that is right");
    }
    return (la_ssize_t)size;
}

static la_ssize_t tar_read(struct archive *archive, void *arg, const void **ret_block)
{
    struct state *state = arg;
    la_ssize_t size = next_block(state, ret_block);
    if (size < 0)
        archive_set_error(archive, EIO, "read");
    if (state->unpack->progress) {
        int64_t done = archive_filter_bytes(state->packed, -1);
        if (done - state->last_progress >= READ_SIZE) {
            state->last_progress = done;
            state->unpack->progress(state->unpack->arg, done);
        }
    }
    return size;
}

static int open_packed(struct state *state, struct err *err)
{
    struct archive_entry *entry;
    state->packed = archive_read_new();
    (void)archive_read_support_filter_gzip(state->packed);
    (void)archive_read_support_filter_zstd(state->packed);
    (void)archive_read_support_filter_xz(state->packed);
    (void)archive_read_support_filter_bzip2(state->packed);
    (void)archive_read_support_format_raw(state->packed);
    (void)archive_read_support_format_empty(state->packed);
    if (archive_read_open_fd(state->packed, state->unpack->archive_fd, READ_SIZE) != ARCHIVE_OK)
        return archive_failed(err, state->packed, "open");
    int got = archive_read_next_header(state->packed, &entry);
    if (got == ARCHIVE_EOF)
        return err_set(err, ERR_CORRUPT, "the archive is empty");
    if (got != ARCHIVE_OK)
        return archive_failed(err, state->packed, "open");
    if (archive_filter_count(state->packed) > FILTERS_MAX)
        return err_set(err, ERR_CORRUPT, "the archive is compressed more than once");
    return 0;
}

static int open_tar(struct state *state, struct err *err)
{
    state->tar = archive_read_new();
    (void)archive_read_support_format_tar(state->tar);
    if (archive_read_open(state->tar, state, NULL, tar_read, NULL) != ARCHIVE_OK)
        return state->failed ? -1 : archive_failed(err, state->tar, "not a tar archive");
    return 0;
}

static enum entry_kind kind_of(struct archive_entry *entry)
{
    if (archive_entry_hardlink(entry))
        return ENTRY_HARDLINK;
    switch (archive_entry_filetype(entry)) {
    case AE_IFREG:
        return ENTRY_FILE;
    case AE_IFDIR:
        return ENTRY_DIRECTORY;
    case AE_IFLNK:
        return ENTRY_SYMLINK;
    case AE_IFIFO:
        return ENTRY_FIFO;
    case AE_IFCHR:
    case AE_IFBLK:
        return ENTRY_DEVICE;
    default:
        return ENTRY_OTHER;
    }
}

typedef VEC(struct entry_xattr) xattr_vec;

static void take_xattrs(struct archive_entry *source, xattr_vec *xattrs)
{
    xattrs->count = 0;
    if (archive_entry_xattr_reset(source) == 0)
        return;
    const char *name;
    const void *value;
    size_t size;
    while (archive_entry_xattr_next(source, &name, &value, &size) == ARCHIVE_OK)
        VEC_ADD(xattrs, (struct entry_xattr){name, value, size});
}

static int take_entry(struct archive_entry *source, xattr_vec *xattrs, struct entry *ret_entry,
                      struct err *err)
{
    la_int64_t uid = archive_entry_uid(source), gid = archive_entry_gid(source);
    const char *path = archive_entry_pathname(source);
    if (!path)
        return err_set(err, ERR_CORRUPT, "an entry has a name that is no valid text");
    take_xattrs(source, xattrs);
    *ret_entry = (struct entry){
        .path = path,
        .kind = kind_of(source),
        .mode = archive_entry_mode(source) & 07777,
        .uid = (uid_t)uid,
        .gid = (gid_t)gid,
        .mtime = {.tv_sec = archive_entry_mtime(source),
                  .tv_nsec = archive_entry_mtime_nsec(source)},
        .size = archive_entry_size(source),
        .xattrs = xattrs->items,
        .xattr_count = xattrs->count,
    };
    ret_entry->link = ret_entry->kind == ENTRY_HARDLINK ? archive_entry_hardlink(source)
                                                        : archive_entry_symlink(source);
    _cleanup_free_ char *shown = NULL;
    if (uid < 0 || uid > 4294967294 || gid < 0 || gid > 4294967294 || ret_entry->size < 0) {
        shown = str_printable(path);
        return err_set(err, ERR_CORRUPT, "entry '%.300s' has an owner or size that is out of range",
                       shown);
    }
    return 0;
}

static int check_space(struct state *state, struct err *err)
{
    struct statvfs fs;
    if (state->content < state->next_space_check)
        return 0;
    state->next_space_check = state->content + SPACE_STEP / 2;
    if (fstatvfs(state->unpack->root_fd, &fs) < 0)
        return err_sys(err, "look at free space");
    if ((int64_t)fs.f_bavail * (int64_t)fs.f_frsize < SPACE_RESERVE)
        return err_set(err, ERR_LIMIT, "the disk is nearly full: less than 64 MiB would be left");
    return 0;
}

/* Data goes to its offset, so holes stay holes. */
static int write_data(struct state *state, const struct entry *entry, int fd, struct err *err)
{
    int64_t end = 0;
    struct content_sum sum = CONTENT_SUM_INIT;
    bool sparse = false; /* holes are not worth to be hashed: such files are not in the record */
    for (;;) {
        const void *block;
        size_t size;
        la_int64_t offset;
        int got = archive_read_data_block(state->tar, &block, &size, &offset);
        if (got == ARCHIVE_EOF)
            break;
        if (got != ARCHIVE_OK)
            return state->failed ? -1 : archive_failed(err, state->tar, "read");
        state->content += (int64_t)size;
        if (state->content > state->unpack->limits.bytes)
            return err_set(err, ERR_LIMIT, "it unpacks to more than %lld bytes",
                           (long long)state->unpack->limits.bytes);
        if (check_space(state, err) < 0)
            return -1;
        sparse |= offset != end;
        content_sum_add(&sum, block, size);
        for (size_t done = 0; done < size;) {
            ssize_t n =
                offset + (int64_t)done == end
                    ? write(fd, (const char *)block + done, size - done)
                    : pwrite(fd, (const char *)block + done, size - done, offset + (off_t)done);
            if (n < 0 && errno == EINTR)
                continue;
            if (n < 0)
                return err_sys(err, "write");
            if (offset + (int64_t)done == end)
                end += n;
            done += (size_t)n;
        }
    }
    if (end != entry->size && ftruncate(fd, entry->size) < 0)
        return err_sys(err, "set size");
    sparse |= end != entry->size;
    if (end >= WRITEBACK_SIZE) /* begins while we go on inflating; the sync of the whole layer waits
                                  for less */
        (void)sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    return sparse ? 0
                  : layer_index_add(&state->index, content_sum_end(&sum), end, entry->path, err);
}

static int take_all(struct state *state, struct err *err)
{
    xattr_vec xattrs = {0};
    struct archive_entry *source;
    int got, done = 0;
    while (done == 0 && (got = archive_read_next_header(state->tar, &source)) != ARCHIVE_EOF) {
        struct entry entry;
        int fd = -1;
        if (got != ARCHIVE_OK && got != ARCHIVE_WARN)
            done = state->failed ? -1 : archive_failed(err, state->tar, "not a valid tar archive");
        else if (++state->entries > state->unpack->limits.entries)
            done = err_set(err, ERR_LIMIT, "it has more than %lld entries",
                           (long long)state->unpack->limits.entries);
        else if (take_entry(source, &xattrs, &entry, err) < 0 ||
                 extract_entry(state->extract, &entry, &fd, err) < 0)
            done = -1;
        else if (fd >= 0 && entry.size > 0 && write_data(state, &entry, fd, err) < 0)
            done = err_wrap(err, "entry '%.300s'", entry.path);
        else if (fd >= 0)
            done = extract_file_end(state->extract, &entry, take_fd(&fd), err);
        close_fdp(&fd);
    }
    VEC_DONE(&xattrs);
    return done;
}

/* What follows the end of the archive belongs to the hash, too. */
static int drain(struct state *state)
{
    const void *block;
    la_ssize_t size;
    do
        size = next_block(state, &block);
    while (size > 0);
    return (int)size;
}

static int run(struct state *state, struct unpack_result *ret_result, struct err *err)
{
    const struct unpack *unpack = state->unpack;
    struct unpack_result result = {0};
    const int *lower_fds = NULL;
    size_t lower_count = 0;
    if (open_packed(state, err) < 0 || open_tar(state, err) < 0 || take_all(state, err) < 0 ||
        drain(state) < 0)
        return -1;
    digest_finish(state->digest, result.diff_id);
    if (unpack->diff_id && !str_eq(unpack->diff_id, result.diff_id))
        return err_set(err, ERR_CORRUPT,
                       "its unpacked content has the digest %s, the image's config says %s",
                       result.diff_id, unpack->diff_id);
    if (extract_needs_lower(state->extract) && unpack->lower &&
        unpack->lower(unpack->arg, &lower_fds, &lower_count, err) < 0)
        return -1;
    if (extract_finish(state->extract, lower_fds, lower_count, err) < 0 ||
        layer_index_end(&state->index, err) < 0)
        return -1;
    result.size = state->content;
    result.entries = state->entries;
    result.root_opaque = extract_root_is_opaque(state->extract);
    result.dropped_devices = extract_dropped_devices(state->extract);
    *ret_result = result;
    return 0;
}

int unpack_run(const struct unpack *unpack, struct unpack_result *ret_result, struct err *err)
{
    struct err local = {0};
    struct state state = {.unpack = unpack, .err = &local, .index = {.fd = unpack->index_fd}};
    state.digest = digest_new();
    state.extract = extract_new(unpack->root_fd, unpack->whiteouts);
    int done = run(&state, ret_result, &local);
    if (state.tar)
        (void)archive_read_free(state.tar);
    if (state.packed)
        (void)archive_read_free(state.packed);
    extract_free(state.extract);
    digest_free(state.digest);
    str_done(&state.index.buffer);
    return done < 0 ? err_copy(err, &local) : 0;
}
