/* SPDX-License-Identifier: Apache-2.0 */
/* Downloads of layer blobs. Bytes are hashed as they arrive; a partial file of an earlier attempt
 * is hashed first and then continued. A blob that proves wrong is fetched once more from its
 * beginning when old bytes were part of it. */
#include "engine/image/download.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/str.h"
#include "engine/image/digest.h"
#include "engine/image/staging.h"
#include "engine/image/store.h"

#define RUNNING_MAX     3
#define STATUS_EVERY_US 100000
#define SLICE_MS        1000

enum blob_state { BLOB_UNNEEDED, BLOB_WAITING, BLOB_RUNNING, BLOB_DONE };

struct blob {
    struct downloads *downloads;
    size_t index;
    enum blob_state state;
    int fd;
    int64_t have, inherited; /* bytes; of those, from an earlier worker */
    int64_t next_status_us;
    bool retried;
    struct digest *digest;
    struct err error; /* why on_data stopped */
};

struct downloads {
    const struct download_set *set;
    int tmp_fd;
    struct blob *blobs;
    size_t count, running;
    struct err error; /* first failure */
};

static const struct descriptor *descriptor_of(const struct blob *blob)
{
    return &blob->downloads->set->descriptors[blob->index];
}

static bool on_data(void *arg, const void *data, size_t size)
{
    struct blob *blob = arg;
    const struct descriptor *descriptor = descriptor_of(blob);
    if (blob->error.code)
        return false;
    if (blob->have + (int64_t)size > descriptor->size) {
        (void)err_set(&blob->error, ERR_CORRUPT, "blob %s is longer than the announced %lld bytes",
                      descriptor->digest, (long long)descriptor->size);
        return false;
    }
    if (fd_write_all(blob->fd, data, size) < 0) {
        (void)err_sys(&blob->error, "write blob %.19s", descriptor->digest);
        return false;
    }
    digest_update(blob->digest, data, size);
    blob->have += (int64_t)size;
    int64_t now = clock_monotonic_us();
    if (now >= blob->next_status_us) {
        blob->next_status_us = now + STATUS_EVERY_US;
        const struct download_set *set = blob->downloads->set;
        set->on_status(set->arg, blob->index, "Downloading", blob->have, descriptor->size);
    }
    return true;
}

static void on_restart(void *arg)
{
    struct blob *blob = arg;
    if (ftruncate(blob->fd, 0) < 0 || lseek(blob->fd, 0, SEEK_SET) < 0)
        (void)err_sys(&blob->error, "begin blob %.19s again",
                      descriptor_of(blob)->digest); /* on_data stops */
    digest_reset(blob->digest);
    blob->have = blob->inherited = 0;
}

static void begin(struct blob *blob);

/* The blob is whole: every layer that consists of it gets its own descriptor. */
static int supply(struct blob *blob, struct err *err)
{
    struct downloads *downloads = blob->downloads;
    char path[40];
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", blob->fd);
    for (size_t i = 0; i < downloads->count; i++) {
        if (layer_set_is_present(downloads->set->layers, i) ||
            !str_eq(downloads->set->descriptors[i].digest, descriptor_of(blob)->digest))
            continue;
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
            return err_sys(err, "open a downloaded blob again");
        layer_set_supply(downloads->set->layers, i, fd, blob->have);
        downloads->set->on_status(downloads->set->arg, i, "Download complete", blob->have,
                                  blob->have);
    }
    staging_drop_part(downloads->tmp_fd, descriptor_of(blob)->digest);
    close_fdp(&blob->fd);
    return 0;
}

static int judge(struct blob *blob, const struct err *error, struct err *err)
{
    const struct descriptor *descriptor = descriptor_of(blob);
    char digest[DIGEST_SIZE];
    if (error && error->code != ERR_CANCELLED) {
        (void)err_copy(err, error);
        return err_wrap(err, "blob %.19s", descriptor->digest);
    }
    if (error)
        (void)err_copy(err, &blob->error);
    digest_finish(blob->digest, digest);
    bool whole = !error && blob->have == descriptor->size && str_eq(digest, descriptor->digest);
    if (whole)
        return supply(blob, err);
    if (!error)
        (void)err_set(
            err, ERR_CORRUPT, "blob %s: what came has %lld of %lld bytes and the digest %s",
            descriptor->digest, (long long)blob->have, (long long)descriptor->size, digest);
    if (err->code == ERR_CORRUPT)
        staging_drop_part(blob->downloads->tmp_fd, descriptor->digest);
    return -1;
}

static void on_done(void *arg, const char *content_type, const char *digest,
                    const struct err *error)
{
    struct blob *blob = arg;
    struct downloads *downloads = blob->downloads;
    struct err err = {0};
    (void)content_type; /* blobs are known by digest alone */
    (void)digest;
    downloads->running--;
    blob->state = BLOB_DONE;
    bool old_bytes = blob->inherited > 0;
    if (judge(blob, error, &err) == 0)
        return;
    if (err.code == ERR_CORRUPT && old_bytes && !blob->retried) {
        blob->retried = true;
        close_fdp(&blob->fd);
        begin(blob);
        return;
    }
    if (!downloads->error.code)
        downloads->error = err;
}

/* Opens the file and hashes what is there already. */
static int open_blob(struct blob *blob, struct err *err)
{
    char buffer[65536];
    ssize_t size;
    struct stat st;
    const struct descriptor *descriptor = descriptor_of(blob);
    if (staging_open_part(blob->downloads->tmp_fd, blob->retried ? NULL : descriptor->digest,
                          &blob->fd, err) < 0)
        return -1;
    if (!blob->digest)
        blob->digest = digest_new();
    digest_reset(blob->digest);
    memset(&blob->error, 0, sizeof(blob->error));
    blob->have = 0;
    if (fstat(blob->fd, &st) < 0 || (st.st_size > descriptor->size && ftruncate(blob->fd, 0) < 0))
        return err_sys(
            err, "look at a partial download"); /* one that is too long is no prefix of this blob */
    while ((size = read(blob->fd, buffer, sizeof(buffer))) > 0) {
        digest_update(blob->digest, buffer, (size_t)size);
        blob->have += size;
    }
    blob->inherited = blob->have;
    return size < 0 ? err_sys(err, "read a partial download") : 0;
}

static void begin(struct blob *blob)
{
    struct downloads *downloads = blob->downloads;
    const struct descriptor *descriptor = descriptor_of(blob);
    struct err err = {0};
    blob->state = BLOB_RUNNING;
    downloads->running++;
    if (open_blob(blob, &err) < 0) {
        on_done(blob, NULL, NULL, &err);
        return;
    }
    downloads->set->on_status(downloads->set->arg, blob->index, "Downloading", blob->have,
                              descriptor->size);
    if (blob->have == descriptor->size) { /* a former worker ended just before it could use it */
        on_done(blob, NULL, NULL, NULL);
        return;
    }
    struct fetch_want want = {
        .have = blob->have,
        .on_data = on_data,
        .on_restart = on_restart,
        .on_done = on_done,
        .arg = blob,
    };
    remote_blob_start(downloads->set->remote, descriptor->digest, &want);
}

/* The same blob may be several layers: it is fetched for the first. */
static bool is_repeated(const struct downloads *downloads, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (downloads->blobs[i].state != BLOB_UNNEEDED &&
            str_eq(downloads->set->descriptors[i].digest,
                   downloads->set->descriptors[index].digest))
            return true;
    }
    return false;
}

static int loop(struct downloads *downloads, struct err *err)
{
    struct pollfd fds[IMAGE_LAYERS_MAX];
    struct layer_set *layers = downloads->set->layers;
    while (!layer_set_is_complete(layers)) {
        bool waiting = false;
        for (size_t i = 0; i < downloads->count; i++) {
            if (downloads->blobs[i].state == BLOB_WAITING && downloads->running < RUNNING_MAX)
                begin(&downloads->blobs[i]);
            waiting |= downloads->blobs[i].state == BLOB_WAITING;
        }
        if (downloads->error.code)
            return err_copy(err, &downloads->error);
        if (!waiting && downloads->running == 0)
            return layer_set_finish(layers, err);
        if (layer_set_work(layers, err) < 0)
            return -1;
        size_t count = layer_set_poll(layers, fds, ARRAY_LEN(fds));
        if (remote_poll(downloads->set->remote, fds, count, SLICE_MS, err) < 0)
            return -1;
        if (downloads->error.code)
            return err_copy(err, &downloads->error);
    }
    return 0;
}

int download_run(const struct download_set *set, struct err *err)
{
    struct downloads downloads = {.set = set, .count = layer_set_count(set->layers)};
    _cleanup_close_ int tmp_fd = -1;
    if (staging_open(set->lib_fd, &tmp_fd, err) < 0)
        return -1;
    downloads.tmp_fd = tmp_fd;
    downloads.blobs = xcalloc(downloads.count, sizeof(*downloads.blobs));
    for (size_t i = 0; i < downloads.count; i++) {
        downloads.blobs[i] = (struct blob){.downloads = &downloads, .index = i, .fd = -1};
        if (!layer_set_is_present(set->layers, i) && !is_repeated(&downloads, i))
            downloads.blobs[i].state = BLOB_WAITING;
    }
    int done = loop(&downloads, err);
    for (size_t i = 0; i < downloads.count; i++) {
        if (downloads.blobs[i].fd >= 0 && downloads.blobs[i].have == 0)
            staging_drop_part(tmp_fd, set->descriptors[i].digest); /* nothing to continue */
        close_fdp(&downloads.blobs[i].fd);
        digest_free(downloads.blobs[i].digest);
    }
    free(downloads.blobs);
    return done;
}
