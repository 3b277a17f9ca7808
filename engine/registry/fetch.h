/* SPDX-License-Identifier: Apache-2.0 */
/* fetch.h - documents and blobs from an endpoint: redirects, login, retries and resuming around
 * http.h.
 *
 * Rules: at most 5 redirects, https never to http; Authorization goes to the endpoint's own origin
 * only; 429, 5xx and broken transfers are tried again with growing pauses; what was received is
 * kept and continued with Range. */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "engine/registry/endpoint.h"

struct fetcher; /* a set of fetches that run at once; opaque */
int fetcher_new(struct fetcher **ret_fetcher, struct err *err);
void fetcher_free(struct fetcher *fetcher); /* cancels what runs, without on_done */
DEFINE_CLEANUP(struct fetcher *, fetcher_free)
/* Waits for traffic, the extra descriptors or the time, then does what there is to do. */
int fetcher_poll(struct fetcher *fetcher, struct pollfd *extra, size_t extra_count, int timeout_ms,
                 struct err *err);

struct fetch_want {
    const char *path;       /* "/v2/library/nginx/manifests/latest" */
    const char *repository; /* for the token's scope */
    const char *accept;     /* NULL: anything */
    int64_t have;           /* bytes of it that are there already (resume) */
    unsigned tries;         /* 0: default */
    bool (*on_data)(void *arg, const void *data,
                    size_t size);  /* false: stop, the receiver knows why */
    void (*on_restart)(void *arg); /* forget what came: it begins at byte 0 again */
    /* Once, at the end. error NULL: done; code ERR_CANCELLED: on_data said stop. content_type and
     * digest as the answer had them (NULL: absent). */
    void (*on_done)(void *arg, const char *content_type, const char *digest,
                    const struct err *error);
    void *arg;
};
/* Strings are copied; endpoint (probed) must outlive the fetch. */
void fetch_start(struct fetcher *fetcher, struct endpoint *endpoint, const struct fetch_want *want);
