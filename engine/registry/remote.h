/* SPDX-License-Identifier: Apache-2.0 */
/* remote.h - a repository of a registry, seen through its mirrors: manifests and blobs
 * (distribution-spec 1.1, pull). */
#pragma once

#include <poll.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "engine/registry/fetch.h"
#include "engine/registry/host_config.h"

struct remote; /* opaque */
/* registry "docker.io", repository "library/nginx"; config is borrowed and must outlive it. */
int remote_new(const struct host_config *config, const char *registry, const char *repository,
               struct remote **ret_remote, struct err *err);
void remote_free(struct remote *remote);
DEFINE_CLEANUP(struct remote *, remote_free)

struct remote_document {
    char *data; /* terminated */
    size_t size;
    char *content_type; /* NULL: the answer had none */
    char *digest;       /* what the answer claims; NULL: nothing */
};
void remote_document_done(struct remote_document *document);

/* reference: tag or digest. Asks mirrors first; the endpoint that answers is kept for everything
 * that follows. Blocks. */
int remote_manifest(struct remote *remote, const char *reference, const char *accept,
                    size_t max_bytes, struct remote_document *ret_document, struct err *err);
/* A small blob, whole. Blocks. */
int remote_blob(struct remote *remote, const char *digest, size_t max_bytes,
                struct remote_document *ret_document, struct err *err);
/* want->path and repository are filled in here. After remote_manifest. */
void remote_blob_start(struct remote *remote, const char *digest, struct fetch_want *want);
int remote_poll(struct remote *remote, struct pollfd *extra, size_t extra_count, int timeout_ms,
                struct err *err);
/* The host that answered. Borrowed. */
const char *remote_host(const struct remote *remote);
