/* SPDX-License-Identifier: Apache-2.0 */
/* Loading: the archive is unpacked aside by a child, as hostile as any layer, then each image in it
 * goes the way of a pulled one. Digests are checked wherever the archive states one; the diff ids
 * of the config bind the layers always. */
#include "engine/image/load.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/image/commit.h"
#include "engine/image/digest.h"
#include "engine/image/image_config.h"
#include "engine/image/import.h"
#include "engine/image/layer_job.h"
#include "engine/image/layer_set.h"
#include "engine/image/load_archive.h"
#include "engine/image/progress.h"
#include "engine/image/staging.h"
#include "engine/image/store.h"

struct job {
    const struct load *load;
    const char *label; /* id of the image that is being loaded, in progress lines */
    char *const *diff_ids;
};

static void on_status(void *arg, size_t index, const char *status, int64_t current, int64_t total)
{
    const struct job *job = arg;
    char short_id[13];
    (void)snprintf(short_id, sizeof(short_id), "%s", digest_hex(job->diff_ids[index]));
    progress_say(short_id, job->label, status, current, total);
}

/* Runs the child that unpacks the whole archive to lib/tmp/<staging>/diff, and waits. */
static int unpack_aside(const struct load *load, const char *staging, struct err *err)
{
    _cleanup_close_ int fd = -1;
    _cleanup_close_ int sock = -1;
    struct job_message message = {.word = JOB_PROGRESS};
    int64_t size;
    pid_t pid;
    ssize_t got;
    if (archive_open(load->file, &fd, &size, err) < 0)
        return -1;
    const struct layer_job job = {
        .lib_fd = load->lib_fd,
        .archive_fd = fd,
        .staging = staging,
        .lower = (char *[]){NULL},
        .limits = load->limits,
    };
    if (layer_job_start(&job, &pid, &sock, err) < 0)
        return -1;
    do {
        got = recv(sock, &message, sizeof(message), 0);
        if (got == (ssize_t)sizeof(message) && message.word == JOB_PROGRESS)
            progress_say(load->file, NULL, "Reading", message.value, size > 0 ? size : -1);
    } while ((got < 0 && errno == EINTR) ||
             (got == (ssize_t)sizeof(message) && message.word == JOB_PROGRESS));
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
    if (got != (ssize_t)sizeof(message))
        return err_set(err, ERR_FAILED, "the process that unpacked the archive died");
    return message.word == JOB_DONE ? 0 : err_copy(err, &message.err);
}

static int check_member(int fd, const char *member, const char *expected, struct err *err)
{
    _cleanup_(digest_freep) struct digest *digest = digest_new();
    char buffer[65536], found[DIGEST_SIZE];
    ssize_t size;
    while ((size = read(fd, buffer, sizeof(buffer))) > 0)
        digest_update(digest, buffer, (size_t)size);
    if (size < 0)
        return err_sys(err, "read %s", member);
    digest_finish(digest, found);
    if (!str_eq(found, expected))
        return err_set(err, ERR_CORRUPT, "%s has the digest %s", member, found);
    return 0;
}

static int load_layers(const struct job *job, const struct archived_image *image, int root_fd,
                       struct layer_set *layers, struct err *err)
{
    for (size_t i = 0; image->layers[i]; i++) {
        _cleanup_close_ int fd = -1;
        int64_t size;
        if (layer_set_is_present(layers, i)) {
            on_status((void *)job, i, "Already exists", -1, -1);
            continue;
        }
        if (archive_member_open(root_fd, image->layers[i], &fd, &size, err) < 0 ||
            (image->layer_digests &&
             check_member(fd, image->layers[i], image->layer_digests[i], err) < 0))
            return -1;
        layer_set_supply(layers, i, take_fd(&fd), size);
        if (layer_set_work(layers, err) < 0)
            return -1;
    }
    return layer_set_finish(layers, err);
}

/* Says what the names meant before: loading takes them over. */
static void tell_taken_names(const struct load *load, char *const *names, const char *image_id)
{
    _cleanup_jv_ struct jv *images = NULL;
    struct err ignored = {0};
    if (images_load(load->lib_fd, &images, &ignored) < 0)
        return;
    for (size_t i = 0; names && names[i]; i++) {
        const char *old = jv_get_str(jv_find(jv_find(images, "names"), names[i]), "image", NULL);
        if (old && !str_eq(old, image_id))
            progress_say(names[i], NULL, "Replaces another image of this name", -1, -1);
    }
}

static int commit_names(const struct job *job, const struct archived_image *image,
                        struct commit *record, struct err *err)
{
    char *const none[] = {NULL};
    char *const *names = image->names && image->names[0] ? image->names : none;
    tell_taken_names(job->load, names, record->image_id);
    size_t i = 0;
    do {
        record->name = names[i];
        if (commit_image(job->load->lib_fd, record, err) < 0)
            return err_wrap(err, "record the image");
        progress_done(names[i] ? names[i] : job->label, "Loaded", record->manifest_digest,
                      record->image_id);
    } while (names[i] && names[++i]);
    return 0;
}

static int load_image(const struct load *load, const struct archived_image *image, int root_fd,
                      struct err *err)
{
    _cleanup_free_ char *config = NULL, *manifest = NULL;
    _cleanup_(strv_freep) char **diff_ids = NULL;
    _cleanup_(layer_set_freep) struct layer_set *layers = NULL;
    _cleanup_jv_ struct jv *parsed = NULL;
    _cleanup_(image_done) struct image described = {0};
    char image_id[DIGEST_SIZE];
    size_t config_size, manifest_size = 0;
    if (archive_member_read(root_fd, image->config, BLOB_CONFIG_MAX, &config, &config_size, err) <
        0)
        return -1;
    digest_of(config, config_size, image_id);
    if (*image->config_digest && !str_eq(image_id, image->config_digest))
        return err_set(err, ERR_CORRUPT, "config %s has the digest %s", image->config, image_id);
    if (jv_parse(config, config_size, &parsed, err) < 0 ||
        image_config_parse(parsed, &described, err) < 0 ||
        image_config_diff_ids(parsed, &diff_ids, err) < 0)
        return -1;
    if (strv_len(diff_ids) != strv_len(image->layers))
        return err_set(err, ERR_CORRUPT, "the archive has %zu layers for it, the config %zu",
                       strv_len(image->layers), strv_len(diff_ids));
    if (image->manifest && archive_member_read(root_fd, image->manifest, BLOB_MANIFEST_MAX,
                                               &manifest, &manifest_size, err) < 0)
        return -1;
    struct job job = {.load = load, .diff_ids = diff_ids};
    job.label = image->names && image->names[0] ? image->names[0] : image_id;
    layers = layer_set_new(load->lib_fd, diff_ids, &load->limits, on_status, &job);
    if (load_layers(&job, image, root_fd, layers, err) < 0)
        return -1;
    struct commit record = {
        .digest = image->manifest_digest,
        .config = config,
        .config_size = config_size,
        .image_id = image_id,
        .manifest = manifest,
        .manifest_size = manifest_size,
        .manifest_digest = image->manifest_digest,
        .layers = layers,
    };
    return commit_names(&job, image, &record, err);
}

static int load_all(const struct load *load, const char *staging, struct err *err)
{
    struct archived_images images = {0};
    _cleanup_free_ char *path = xasprintf("tmp/%s/diff", staging);
    if (unpack_aside(load, staging, err) < 0)
        return -1;
    _cleanup_close_ int root_fd = openat(load->lib_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (root_fd < 0)
        return err_sys(err, "open the unpacked archive");
    if (archived_images_read(root_fd, &images, err) < 0)
        return -1;
    int done = 0;
    for (size_t i = 0; done == 0 && i < images.count; i++)
        done = load_image(load, &images.items[i], root_fd, err);
    archived_images_done(&images);
    return done;
}

int load_run(const struct load *load, struct err *err)
{
    _cleanup_free_ char *staging = staging_name();
    _cleanup_free_ char *path = xasprintf("tmp/%s", staging);
    _cleanup_close_ int lock = -1;
    _cleanup_close_ int tmp = -1;
    struct err ignored = {0};
    if (layers_lock_shared(load->lib_fd, &lock, err) < 0 ||
        staging_open(load->lib_fd, &tmp, err) < 0)
        return -1;
    int done = load_all(load, staging, err);
    if (fs_remove_tree(load->lib_fd, path, &ignored) < 0)
        log_warning("noun=load %s", ignored.message); /* swept by the next worker */
    close_fdp(&lock);
    store_settle(load->lib_fd, done == 0);
    return done < 0 ? err_wrap(err, "load %s", load->file) : 0;
}
