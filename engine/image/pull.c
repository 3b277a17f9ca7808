/* SPDX-License-Identifier: Apache-2.0 */
/* Pulling: manifest → config → layers. Every document is checked against its digest before it is
 * read, every layer before it is unpacked and once more (diff id) before it is visible. Downloads
 * run three at a time in this process, unpacking in children beside them. Packed layers are not
 * kept: the store holds what runs, and pushing an image repacks it. */
#include "engine/image/pull.h"

#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/image/commit.h"
#include "engine/image/digest.h"
#include "engine/image/download.h"
#include "engine/image/image_config.h"
#include "engine/image/layer_set.h"
#include "engine/image/manifest.h"
#include "engine/image/progress.h"
#include "engine/image/ref.h"
#include "engine/image/staging.h"
#include "engine/image/store.h"
#include "engine/registry/remote.h"

#define INDEX_DEPTH_MAX 2

struct job {
    const struct pull *pull;
    struct image_ref ref;
    struct remote *remote;
    struct platform wanted;
    struct remote_document manifest_document, config_document;
    char top_digest[DIGEST_SIZE], manifest_digest[DIGEST_SIZE];
    struct manifest manifest;
    struct layer_set *layers;
};

static void job_done(struct job *job)
{
    layer_set_free(job->layers);
    remote_free(job->remote);
    remote_document_done(&job->manifest_document);
    remote_document_done(&job->config_document);
    manifest_done(&job->manifest);
    image_ref_done(&job->ref);
}

/* A document by tag or digest; what came is what it is recorded as. */
static int get_manifest(struct job *job, const char *reference, const char *expected,
                        int64_t expected_size, struct manifest *ret_manifest, struct err *err)
{
    struct remote_document document = {0};
    char digest[DIGEST_SIZE];
    if (remote_manifest(job->remote, reference, MANIFEST_ACCEPT, BLOB_MANIFEST_MAX, &document,
                        err) < 0)
        return -1;
    remote_document_done(&job->manifest_document);
    job->manifest_document = document;
    digest_of(document.data, document.size, digest);
    const char *claimed = expected ? expected : document.digest;
    if (claimed && !str_eq(claimed, digest))
        return err_set(err, ERR_CORRUPT, "manifest %.80s: what came has the digest %s", claimed,
                       digest);
    if (expected_size >= 0 && (size_t)expected_size != document.size)
        return err_set(err, ERR_CORRUPT, "manifest %s: %zu bytes came, %lld were announced", digest,
                       document.size, (long long)expected_size);
    memcpy(job->manifest_digest, digest, sizeof(digest));
    return manifest_parse(document.data, document.size,
                          document.content_type ? document.content_type : "nothing", ret_manifest,
                          err);
}

/* From what was asked for, through indexes, to one manifest. */
static int find_manifest(struct job *job, struct err *err)
{
    const char *reference = job->ref.digest ? job->ref.digest : job->ref.tag;
    struct manifest found = {0};
    if (get_manifest(job, reference, job->ref.digest, -1, &found, err) < 0)
        return -1;
    memcpy(job->top_digest, job->manifest_digest, sizeof(job->top_digest));
    for (unsigned depth = 0; found.is_index; depth++) {
        struct manifest next = {0};
        const struct descriptor *choice = manifest_choose(&found, &job->wanted, err);
        int done =
            !choice ? -1
            : depth >= INDEX_DEPTH_MAX
                ? err_set(err, ERR_LIMIT, "image indexes nest deeper than %d", INDEX_DEPTH_MAX)
                : get_manifest(job, choice->digest, choice->digest, choice->size, &next, err);
        bool expected_index = choice && choice->is_index;
        manifest_done(&found);
        if (done < 0)
            return -1;
        found = next;
        if (found.is_index != expected_index) {
            manifest_done(&found);
            return err_set(err, ERR_CORRUPT, "manifest %s is not of the kind its index announced",
                           job->manifest_digest);
        }
    }
    job->manifest = found;
    return 0;
}

static int check_platform(const struct job *job, const struct image *image, struct err *err)
{
    struct platform offered = {0};
    char have[84], want[84];
    (void)snprintf(offered.os, sizeof(offered.os), "%s", image->os ? image->os : "");
    (void)snprintf(offered.architecture, sizeof(offered.architecture), "%s",
                   image->architecture ? image->architecture : "");
    (void)snprintf(offered.variant, sizeof(offered.variant), "%s",
                   image->variant ? image->variant : "");
    if (platform_score(&job->wanted, &offered) > 0)
        return 0;
    (void)err_set(err, ERR_UNSUPPORTED, "the image is for %s, %s is %s",
                  platform_format(&offered, have, sizeof(have)),
                  job->pull->platform ? "what was asked for" : "this host",
                  platform_format(&job->wanted, want, sizeof(want)));
    return job->pull->platform ? -1
                               : err_hint(err, "set platform: %s if this host can run it", have);
}

static int get_config(struct job *job, char ***ret_diff_ids, struct err *err)
{
    const struct descriptor *config = &job->manifest.config;
    struct remote_document *document = &job->config_document;
    _cleanup_jv_ struct jv *parsed = NULL;
    _cleanup_(image_done) struct image image = {0};
    char digest[DIGEST_SIZE];
    if (remote_blob(job->remote, config->digest, BLOB_CONFIG_MAX, document, err) < 0)
        return err_wrap(err, "config %.19s", config->digest);
    digest_of(document->data, document->size, digest);
    if ((int64_t)document->size != config->size || !str_eq(digest, config->digest))
        return err_set(err, ERR_CORRUPT, "config %s: what came has %zu bytes and the digest %s",
                       config->digest, document->size, digest);
    if (jv_parse(document->data, document->size, &parsed, err) < 0)
        return err_wrap(err, "config %.19s", config->digest);
    if (image_config_parse(parsed, &image, err) < 0 || check_platform(job, &image, err) < 0 ||
        image_config_diff_ids(parsed, ret_diff_ids, err) < 0)
        return -1;
    if (strv_len(*ret_diff_ids) != job->manifest.list.count) {
        size_t count = strv_len(*ret_diff_ids);
        strv_free(take_ptr(ret_diff_ids));
        return err_set(err, ERR_CORRUPT, "the manifest has %zu layers, the config %zu",
                       job->manifest.list.count, count);
    }
    return 0;
}

static void on_status(void *arg, size_t index, const char *status, int64_t current, int64_t total)
{
    const struct job *job = arg;
    char short_id[13];
    (void)snprintf(short_id, sizeof(short_id), "%s",
                   digest_hex(job->manifest.list.items[index].digest));
    progress_say(short_id, job->pull->reference, status, current, total);
}

static int get_layers(struct job *job, char *const *diff_ids, struct err *err)
{
    job->layers = layer_set_new(job->pull->lib_fd, diff_ids, &job->pull->limits, on_status, job);
    for (size_t i = 0; i < job->manifest.list.count; i++)
        on_status(job, i, layer_set_is_present(job->layers, i) ? "Already exists" : "Waiting", -1,
                  -1);
    const struct download_set downloads = {
        .lib_fd = job->pull->lib_fd,
        .remote = job->remote,
        .descriptors = job->manifest.list.items,
        .layers = job->layers,
        .on_status = on_status,
        .arg = job,
    };
    return download_run(&downloads, err);
}

static int commit(struct job *job, struct err *err)
{
    _cleanup_free_ char *name = image_ref_format(&job->ref);
    const struct commit record = {
        .name = name,
        .digest = job->top_digest,
        .config = job->config_document.data,
        .config_size = job->config_document.size,
        .image_id = job->manifest.config.digest,
        .manifest = job->manifest_document.data,
        .manifest_size = job->manifest_document.size,
        .manifest_digest = job->manifest_digest,
        .layers = job->layers,
    };
    if (commit_image(job->pull->lib_fd, &record, err) < 0)
        return err_wrap(err, "record the image");
    progress_done(job->pull->reference, "Pulled", job->top_digest, job->manifest.config.digest);
    return 0;
}

/* With only_missing: 1 when the image is there and fits. */
static int is_there(const struct job *job, const char *full)
{
    _cleanup_(image_done) struct image image = {0};
    struct err ignored = {0};
    if (!job->pull->only_missing || image_find(job->pull->layout, full, &image, &ignored) < 0)
        return 0;
    if (job->pull->platform && check_platform(job, &image, &ignored) < 0)
        return 0;
    progress_done(job->pull->reference, "Already exists", image.digest, image.id);
    return 1;
}

static int run(struct job *job, struct err *err)
{
    _cleanup_(strv_freep) char **diff_ids = NULL;
    _cleanup_free_ char *full = NULL;
    _cleanup_close_ int lock = -1;
    if (image_ref_parse(job->pull->reference, &job->ref, err) < 0)
        return -1;
    full = image_ref_format(&job->ref);
    if (job->pull->platform)
        job->wanted = *job->pull->platform;
    else
        platform_host(&job->wanted);
    if (is_there(job, full))
        return 0;
    progress_say(job->pull->reference, NULL, "Pulling", -1, -1);
    if (layers_lock_shared(job->pull->lib_fd, &lock, err) < 0 ||
        remote_new(job->pull->config, job->ref.registry, job->ref.repository, &job->remote, err) <
            0 ||
        find_manifest(job, err) < 0 || get_config(job, &diff_ids, err) < 0 ||
        get_layers(job, diff_ids, err) < 0)
        return -1;
    return commit(job, err);
}

int pull_run(const struct pull *pull, struct err *err)
{
    struct job job = {.pull = pull};
    int done = run(&job, err);
    job_done(&job);
    store_settle(pull->lib_fd, done == 0);
    return done < 0 ? err_wrap(err, "pull %s", pull->reference) : 0;
}
