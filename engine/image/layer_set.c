/* SPDX-License-Identifier: Apache-2.0 */
/* Layers of one image, unpacked in parallel. The order does not matter but for layers that must
 * look into the ones below them (hard links, implied directories): such a child waits, and does not
 * count as running meanwhile. */
#include "engine/image/layer_set.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/image/layer_job.h"
#include "engine/image/staging.h"
#include "engine/image/store.h"

#define RUNNING_MAX 3
#define META_MAX    65536

enum layer_state { LAYER_MISSING, LAYER_QUEUED, LAYER_RUNNING, LAYER_WAITING, LAYER_COMPLETE };

struct layer {
    char diff_id[DIGEST_SIZE]; /* "" until known */
    char chain[65];
    enum layer_state state;
    bool was_present;
    int archive_fd;
    int64_t packed_size;
    pid_t pid;
    int sock;
    char *staging;
};

struct layer_set {
    int lib_fd;
    struct layer *layers;
    size_t count;
    struct unpack_limits limits;
    bool is_import;
    layer_status_fn *on_status;
    void *arg;
};

struct layer_set *layer_set_new(int lib_fd, char *const *diff_ids,
                                const struct unpack_limits *limits, layer_status_fn *on_status,
                                void *arg)
{
    struct layer_set *set = xcalloc(1, sizeof(*set));
    set->lib_fd = lib_fd;
    set->limits = *limits;
    set->on_status = on_status;
    set->arg = arg;
    set->is_import = diff_ids == NULL;
    set->count = diff_ids ? strv_len(diff_ids) : 1;
    set->layers = xcalloc(set->count, sizeof(*set->layers));
    for (size_t i = 0; i < set->count; i++) {
        struct layer *layer = &set->layers[i];
        layer->archive_fd = layer->sock = -1;
        if (!diff_ids)
            continue;
        (void)snprintf(layer->diff_id, sizeof(layer->diff_id), "%s", diff_ids[i]);
        layer_chain(i ? set->layers[i - 1].chain : NULL, diff_ids[i], layer->chain);
        layer->was_present = layer_exists(lib_fd, layer->chain);
        layer->state = layer->was_present ? LAYER_COMPLETE : LAYER_MISSING;
    }
    return set;
}

static void drop_staging(struct layer_set *set, struct layer *layer)
{
    struct err err = {0};
    _cleanup_free_ char *path = layer->staging ? xasprintf("tmp/%s", layer->staging) : NULL;
    if (path && fs_remove_tree(set->lib_fd, path, &err) < 0)
        log_warning("noun=layer %s", err.message);
    free(layer->staging);
    layer->staging = NULL;
}

static void end_child(struct layer *layer)
{
    close_fdp(&layer->sock);
    if (layer->pid > 0) {
        (void)kill(layer->pid, SIGKILL); /* our own unreaped child: the number is still its */
        (void)waitpid(layer->pid, NULL, 0);
        layer->pid = 0;
    }
}

void layer_set_free(struct layer_set *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->count; i++) {
        end_child(&set->layers[i]);
        close_fdp(&set->layers[i].archive_fd);
        drop_staging(set, &set->layers[i]);
    }
    free(set->layers);
    free(set);
}

size_t layer_set_count(const struct layer_set *set)
{
    return set->count;
}

bool layer_set_is_present(const struct layer_set *set, size_t index)
{
    return set->layers[index].was_present;
}

void layer_set_supply(struct layer_set *set, size_t index, int archive_fd, int64_t packed_size)
{
    struct layer *layer = &set->layers[index];
    layer->archive_fd = archive_fd;
    layer->packed_size = packed_size;
    layer->state = LAYER_QUEUED;
}

static size_t count_state(const struct layer_set *set, enum layer_state state)
{
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++)
        count += set->layers[i].state == state;
    return count;
}

static int start(struct layer_set *set, size_t index, struct err *err)
{
    struct layer *layer = &set->layers[index];
    _cleanup_(strv_freep) char **lower = xcalloc(1, sizeof(*lower));
    for (size_t i = index; i-- > 0;)
        lower = strv_add(lower, set->layers[i].chain);
    layer->staging = staging_name();
    const struct layer_job job = {
        .lib_fd = set->lib_fd,
        .archive_fd = layer->archive_fd,
        .staging = layer->staging,
        .diff_id = set->is_import ? NULL : layer->diff_id,
        .parent_hex = index ? set->layers[index - 1].chain : NULL,
        .lower = lower,
        .whiteouts = true, /* an import, too: one diff id must not mean two directories */
        .is_durable = true,
        .limits = set->limits,
    };
    if (layer_job_start(&job, &layer->pid, &layer->sock, err) < 0)
        return -1;
    close_fdp(&layer->archive_fd);
    layer->state = LAYER_RUNNING;
    set->on_status(set->arg, index, "Extracting", 0, layer->packed_size);
    return 0;
}

/* The rename that makes the layer visible. Another pull may have been faster. */
static int place(struct layer_set *set, size_t index, struct err *err)
{
    struct layer *layer = &set->layers[index];
    _cleanup_free_ char *from = xasprintf("tmp/%s", layer->staging);
    _cleanup_free_ char *to = xasprintf("layers/%s", layer->chain);
    if (renameat(set->lib_fd, from, set->lib_fd, to) < 0) {
        if (!layer_exists(set->lib_fd, layer->chain))
            return err_sys(err, "put layer %.12s in place", layer->chain);
        drop_staging(set, layer);
    }
    free(layer->staging);
    layer->staging = NULL;
    layer->state = LAYER_COMPLETE;
    set->on_status(set->arg, index, "Pull complete", layer->packed_size, layer->packed_size);
    return 0;
}

static int take_message(struct layer_set *set, size_t index, const struct job_message *message,
                        struct err *err)
{
    struct layer *layer = &set->layers[index];
    switch (message->word) {
    case JOB_PROGRESS:
        set->on_status(set->arg, index, "Extracting", message->value, layer->packed_size);
        return 0;
    case JOB_NEEDS_LOWER:
        layer->state = LAYER_WAITING;
        return 0;
    case JOB_DONE:
        end_child(layer);
        if (message->result.dropped_devices)
            log_info("noun=layer id=%.12s %u device nodes were left out", layer->chain,
                     message->result.dropped_devices);
        if (set->is_import) {
            memcpy(layer->diff_id, message->result.diff_id, sizeof(layer->diff_id));
            layer_chain(NULL, layer->diff_id, layer->chain);
        }
        return place(set, index, err);
    default:
        end_child(layer);
        (void)err_copy(err, &message->err);
        return err_wrap(err, "layer %zu (%.19s)", index + 1,
                        *layer->diff_id ? layer->diff_id : "import");
    }
}

static int receive(struct layer_set *set, size_t index, struct err *err)
{
    struct layer *layer = &set->layers[index];
    struct job_message message;
    for (;;) {
        ssize_t size =
            layer->sock < 0 ? -1 : recv(layer->sock, &message, sizeof(message), MSG_DONTWAIT);
        if (layer->sock < 0 || (size < 0 && (errno == EAGAIN || errno == EINTR)))
            return 0;
        if (size != (ssize_t)sizeof(message)) {
            end_child(layer);
            return err_set(err, ERR_FAILED, "layer %zu: the process that unpacked it died",
                           index + 1);
        }
        if (take_message(set, index, &message, err) < 0)
            return -1;
    }
}

/* Lets children go on whose lower layers are all complete. */
static void wake_waiting(struct layer_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->layers[i].state == LAYER_WAITING) {
            set->layers[i].state = LAYER_RUNNING;
            (void)send(set->layers[i].sock, "g", 1,
                       MSG_NOSIGNAL); /* if it is dead, receive() sees it */
        }
        if (set->layers[i].state != LAYER_COMPLETE)
            return;
    }
}

size_t layer_set_poll(const struct layer_set *set, struct pollfd *fds, size_t max)
{
    size_t count = 0;
    for (size_t i = 0; i < set->count && count < max; i++) {
        if (set->layers[i].sock >= 0)
            fds[count++] = (struct pollfd){.fd = set->layers[i].sock, .events = POLLIN};
    }
    return count;
}

int layer_set_work(struct layer_set *set, struct err *err)
{
    for (size_t i = 0; i < set->count; i++) {
        if (set->layers[i].sock >= 0 && receive(set, i, err) < 0)
            return -1;
    }
    wake_waiting(set);
    for (size_t i = 0; i < set->count && count_state(set, LAYER_RUNNING) < RUNNING_MAX; i++) {
        if (set->layers[i].state == LAYER_QUEUED && start(set, i, err) < 0)
            return -1;
    }
    return 0;
}

bool layer_set_is_complete(const struct layer_set *set)
{
    return count_state(set, LAYER_COMPLETE) == set->count;
}

int layer_set_finish(struct layer_set *set, struct err *err)
{
    struct pollfd fds[2 * RUNNING_MAX + IMAGE_LAYERS_MAX];
    for (;;) {
        if (layer_set_work(set, err) < 0)
            return -1;
        if (layer_set_is_complete(set))
            return 0;
        size_t count = layer_set_poll(set, fds, ARRAY_LEN(fds));
        if (count == 0)
            return err_set(err, ERR_INTERNAL, "a layer was never supplied");
        if (poll(fds, (nfds_t)count, -1) < 0 && errno != EINTR)
            return err_sys(err, "poll");
    }
}

int layer_set_record(const struct layer_set *set, struct jv *record, struct err *err)
{
    struct jv *list = jv_array();
    int64_t size = 0, base = 0;
    jv_set(record, "layers", list);
    for (size_t i = 0; i < set->count; i++) {
        _cleanup_free_ char *path = xasprintf("layers/%s", set->layers[i].chain);
        _cleanup_jv_ struct jv *meta = NULL;
        _cleanup_close_ int fd = openat(set->lib_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
            return err_sys(err, "open %s", path);
        if (jv_load_file(fd, "meta.json", META_MAX, &meta, err) < 0)
            return err_wrap(err, "%s", path);
        size += jv_get_int(meta, "size", 0);
        if (jv_get_bool(meta, "opaque_root", false))
            base = (int64_t)i;
        jv_add(list, jv_string(set->layers[i].chain));
    }
    jv_set_int(record, "size", size);
    jv_set_int(record, "base", base);
    _cleanup_close_ int layers_fd =
        openat(set->lib_fd, "layers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (layers_fd < 0)
        return err_sys(err, "open layers");
    return fs_sync_dir(layers_fd, err);
}

const char *layer_set_diff_id(const struct layer_set *set, size_t index)
{
    return set->layers[index].diff_id;
}
