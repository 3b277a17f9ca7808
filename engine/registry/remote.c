/* SPDX-License-Identifier: Apache-2.0 */
/* Repositories. docker.io may be mirrored under its full path (library/nginx) or without library/;
 * the mirror is asked for both. Which endpoint serves an image is settled by its first manifest. */
#include "engine/registry/remote.h"

#include <string.h>

#include "base/str.h"
#include "base/vec.h"

#define DOCKER_HUB      "docker.io"
#define DOCKER_HUB_HOST "registry-1.docker.io"
#define MIRROR_TRIES    3
#define SLICE_MS        1000

struct candidate {
    struct endpoint endpoint;
    char *repository;
    bool is_mirror;
};

struct remote {
    struct fetcher *fetcher;
    VEC(struct candidate) candidates;
    size_t chosen;
    bool settled;
};

static void add_candidate(struct remote *remote, const struct host_config *config, const char *host,
                          const char *login, const char *repository, bool is_mirror)
{
    struct candidate *candidate =
        VEC_ADD(&remote->candidates, (struct candidate){.is_mirror = is_mirror});
    candidate->repository = xstrdup(repository);
    endpoint_init(&candidate->endpoint, host, login, config);
}

int remote_new(const struct host_config *config, const char *registry, const char *repository,
               struct remote **ret_remote, struct err *err)
{
    struct fetcher *fetcher = NULL;
    if (fetcher_new(&fetcher, err) < 0)
        return -1;
    struct remote *remote = xcalloc(1, sizeof(*remote));
    remote->fetcher = fetcher;
    const struct jv *mirrors = jv_find(config->mirrors, registry);
    bool hub = str_eq(registry, DOCKER_HUB);
    for (size_t i = 0; i < jv_count(mirrors); i++) {
        const char *host = jv_text(jv_at(mirrors, i));
        add_candidate(remote, config, host, host, repository, true);
        if (hub && str_has_prefix(repository, "library/"))
            add_candidate(remote, config, host, host, repository + strlen("library/"), true);
    }
    add_candidate(remote, config, hub ? DOCKER_HUB_HOST : registry, registry, repository, false);
    *ret_remote = remote;
    return 0;
}

void remote_free(struct remote *remote)
{
    if (!remote)
        return;
    fetcher_free(remote->fetcher);
    for (size_t i = 0; i < remote->candidates.count; i++) {
        endpoint_done(&remote->candidates.items[i].endpoint);
        free(remote->candidates.items[i].repository);
    }
    VEC_DONE(&remote->candidates);
    free(remote);
}

void remote_document_done(struct remote_document *document)
{
    free(document->data);
    free(document->content_type);
    free(document->digest);
    *document = (struct remote_document){0};
}

struct whole {
    struct str body;
    size_t max_bytes;
    char *content_type, *digest;
    struct err error;
    bool ended, too_large;
};

static bool whole_data(void *arg, const void *data, size_t size)
{
    struct whole *whole = arg;
    whole->too_large = whole->body.size + size > whole->max_bytes;
    if (!whole->too_large)
        str_add_bytes(&whole->body, data, size);
    return !whole->too_large;
}

static void whole_restart(void *arg)
{
    str_clear(&((struct whole *)arg)->body);
}

static void whole_done(void *arg, const char *content_type, const char *digest,
                       const struct err *error)
{
    struct whole *whole = arg;
    whole->ended = true;
    whole->content_type = xstrdup(content_type);
    whole->digest = xstrdup(digest);
    if (error)
        whole->error = *error;
}

static int fetch_whole(struct remote *remote, struct candidate *candidate, const char *path,
                       const char *accept, size_t max_bytes, struct remote_document *ret_document,
                       struct err *err)
{
    struct whole whole = {.max_bytes = max_bytes};
    const struct fetch_want want = {
        .path = path,
        .repository = candidate->repository,
        .accept = accept,
        .tries = candidate->is_mirror && !remote->settled ? MIRROR_TRIES : 0,
        .on_data = whole_data,
        .on_restart = whole_restart,
        .on_done = whole_done,
        .arg = &whole,
    };
    fetch_start(remote->fetcher, &candidate->endpoint, &want);
    int polled = 0;
    while (!whole.ended && polled == 0)
        polled = fetcher_poll(remote->fetcher, NULL, 0, SLICE_MS, err);
    if (polled == 0 && !whole.error.code) {
        ret_document->size = whole.body.size;
        ret_document->data = str_take(&whole.body);
        ret_document->content_type = take_ptr(&whole.content_type);
        ret_document->digest = take_ptr(&whole.digest);
    }
    free(whole.content_type);
    free(whole.digest);
    str_done(&whole.body);
    if (polled < 0)
        return -1;
    if (whole.too_large)
        return err_set(err, ERR_LIMIT, "%s: the answer is larger than %zu bytes",
                       candidate->endpoint.host, max_bytes);
    return whole.error.code ? err_copy(err, &whole.error) : 0;
}

int remote_manifest(struct remote *remote, const char *reference, const char *accept,
                    size_t max_bytes, struct remote_document *ret_document, struct err *err)
{
    struct err first = {0}, last = {0};
    for (size_t i = remote->settled ? remote->chosen : 0; i < remote->candidates.count; i++) {
        struct candidate *candidate = &remote->candidates.items[i];
        _cleanup_free_ char *path =
            xasprintf("/v2/%s/manifests/%s", candidate->repository, reference);
        err_clear(&last);
        if (endpoint_probe(&candidate->endpoint, &last) == 0 &&
            fetch_whole(remote, candidate, path, accept, max_bytes, ret_document, &last) == 0) {
            remote->chosen = i;
            remote->settled = true;
            return 0;
        }
        if (remote->settled || last.code == ERR_LIMIT)
            return err_copy(err, &last);
        if (i == 0)
            first = last;
    }
    if (remote->candidates.count > 1) /* what the mirror said is lost otherwise */
        return err_set(err, last.code, "%.400s (mirror %.400s)", last.message, first.message);
    return err_copy(err, &last);
}

static char *blob_path(const struct candidate *candidate, const char *digest)
{
    return xasprintf("/v2/%s/blobs/%s", candidate->repository, digest);
}

int remote_blob(struct remote *remote, const char *digest, size_t max_bytes,
                struct remote_document *ret_document, struct err *err)
{
    struct candidate *candidate = &remote->candidates.items[remote->chosen];
    _cleanup_free_ char *path = blob_path(candidate, digest);
    return fetch_whole(remote, candidate, path, NULL, max_bytes, ret_document, err);
}

void remote_blob_start(struct remote *remote, const char *digest, struct fetch_want *want)
{
    struct candidate *candidate = &remote->candidates.items[remote->chosen];
    _cleanup_free_ char *path = blob_path(candidate, digest);
    want->path = path;
    want->repository = candidate->repository;
    fetch_start(remote->fetcher, &candidate->endpoint, want);
    want->path = NULL; /* was copied */
}

int remote_poll(struct remote *remote, struct pollfd *extra, size_t extra_count, int timeout_ms,
                struct err *err)
{
    return fetcher_poll(remote->fetcher, extra, extra_count, timeout_ms, err);
}

const char *remote_host(const struct remote *remote)
{
    return remote->candidates.items[remote->chosen].endpoint.host;
}
