/* SPDX-License-Identifier: Apache-2.0 */
/* http.h - single HTTP exchanges, many at once: the only door to libcurl. No redirects, credentials
 * or retries here (fetch.h decides those). TLS 1.2 or newer, verified unless the request says
 * otherwise. */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

struct http; /* opaque */
int http_new(struct http **ret_http, struct err *err);
void http_free(struct http *http); /* ends running exchanges without calling anybody */
DEFINE_CLEANUP(struct http *, http_free)

struct http_reply {
    long status; /* 0: no answer came; error says why */
    char *content_type, *location, *authenticate,
        *digest;            /* headers, NULL when absent; owned by the exchange */
    int64_t range_start;    /* of Content-Range; -1: none */
    int64_t range_total;    /* of Content-Range; -1: unknown */
    int64_t retry_after_ms; /* -1: none */
    char detail[256];       /* beginning of an error's body, printable */
    bool tls_mismatch;      /* the peer does not speak TLS */
    bool unreachable;       /* no such host, or nobody listens */
    bool sink_stopped;      /* on_data returned false */
    struct err error;       /* code NONE when an answer came whole */
};

/* Body of an answer 200 or 206; false stops the exchange. */
typedef bool http_data_fn(void *arg, const struct http_reply *reply, const void *data, size_t size);
/* Called once, at the end. */
typedef void http_done_fn(void *arg, const struct http_reply *reply);

struct http_request {
    const char *url;           /* http or https, without user */
    const char *accept;        /* NULL: none */
    const char *authorization; /* whole value of the header, or NULL */
    int64_t resume_from;       /* > 0: Range: bytes=N- */
    bool verify_tls, no_proxy;
    http_data_fn *on_data; /* may be NULL */
    http_done_fn *on_done;
    void *arg;
};

struct http_exchange; /* opaque */
/* Strings are copied. NULL with *err ERR_CONFIG for a URL that is none. */
struct http_exchange *http_start(struct http *http, const struct http_request *request,
                                 struct err *err);
/* Ends it without calling on_done. Not from within on_data. */
void http_cancel(struct http_exchange *exchange);
/* Waits for traffic, extra descriptors or the time, then does what there is to do. */
int http_poll(struct http *http, struct pollfd *extra, size_t extra_count, int timeout_ms,
              struct err *err);

/* "scheme://host:port" in lower case with the port always there; NULL when the text is no http(s)
 * URL, or carries a user. Owned. */
char *http_url_origin(const char *url);
/* What a Location header means at a URL; NULL when it is nothing usable. Owned. */
char *http_url_resolve(const char *base, const char *location);
char *http_escape(const char *text); /* for a query; owned */
