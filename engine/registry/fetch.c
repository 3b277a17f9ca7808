/* SPDX-License-Identifier: Apache-2.0 */
/* The life of one fetch: ask, follow, log in, pause, ask again. What to do with an answer is
 * decided in judge(), one answer at a time; everything else only carries it out. */
#include "engine/registry/fetch.h"

#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "engine/registry/http.h"

#define REDIRECTS_MAX      5
#define TRIES_DEFAULT      5
#define TRIES_UNREACHABLE  2
#define TRIES_TOTAL        40                 /* even when each brings something */
#define PROGRESS_BYTES     (INT64_C(1) << 20) /* this much makes a try count as none */
#define PAUSE_FIRST_US     INT64_C(250000)
#define PAUSE_MAX_US       INT64_C(8000000)
#define RETRY_AFTER_MAX_MS 30000 /* a longer demand is an error: a person can wait, we do not */

struct fetch {
    struct fetcher *fetcher;
    struct fetch *next, *previous;
    struct endpoint *endpoint;
    struct fetch_want want;
    char *path, *repository, *accept;
    char *url; /* NULL: the endpoint's own */
    unsigned redirects, tries, tries_total;
    int64_t have, have_at_try;
    bool authorized; /* a 401 was answered since the last success */
    bool range_wrong;
    int64_t due_us; /* > 0: pausing */
    struct http_exchange *exchange;
};

struct fetcher {
    struct http *http;
    struct fetch *list;
};

int fetcher_new(struct fetcher **ret_fetcher, struct err *err)
{
    struct http *http = NULL;
    if (http_new(&http, err) < 0)
        return -1;
    struct fetcher *fetcher = xcalloc(1, sizeof(*fetcher));
    fetcher->http = http;
    *ret_fetcher = fetcher;
    return 0;
}

static void fetch_free(struct fetch *fetch)
{
    if (fetch->next)
        fetch->next->previous = fetch->previous;
    if (fetch->previous)
        fetch->previous->next = fetch->next;
    else
        fetch->fetcher->list = fetch->next;
    free(fetch->path);
    free(fetch->repository);
    free(fetch->accept);
    free(fetch->url);
    free(fetch);
}

void fetcher_free(struct fetcher *fetcher)
{
    if (!fetcher)
        return;
    http_free(fetcher->http);
    while (fetcher->list)
        fetch_free(fetcher->list);
    free(fetcher);
}

static void end(struct fetch *fetch, const struct http_reply *reply, const struct err *error)
{
    fetch->want.on_done(fetch->want.arg, reply ? reply->content_type : NULL,
                        reply ? reply->digest : NULL, error);
    fetch_free(fetch);
}

static bool on_data(void *arg, const struct http_reply *reply, const void *data, size_t size)
{
    struct fetch *fetch = arg;
    if (reply->status == 200 && fetch->have > 0 && fetch->have == fetch->have_at_try) {
        fetch->want.on_restart(fetch->want.arg); /* the server does not know Range */
        fetch->have = fetch->have_at_try = 0;
    }
    if (reply->status == 206 && fetch->have == fetch->have_at_try &&
        reply->range_start != fetch->have) {
        fetch->range_wrong = true;
        return false;
    }
    if (!fetch->want.on_data(fetch->want.arg, data, size))
        return false;
    fetch->have += (int64_t)size;
    return true;
}

static void on_done(void *arg, const struct http_reply *reply);

static void begin(struct fetch *fetch)
{
    struct endpoint *endpoint = fetch->endpoint;
    struct err err = {0};
    _cleanup_free_ char *own = xasprintf("%s%s", endpoint->base, fetch->path);
    const char *url = fetch->url ? fetch->url : own;
    _cleanup_free_ char *origin = http_url_origin(url);
    bool same = str_eq(origin, endpoint->origin);
    const struct http_request request = {
        .url = url,
        .accept = fetch->accept,
        .authorization = same ? endpoint->authorization : NULL,
        .resume_from = fetch->have,
        .verify_tls = !(same && endpoint->insecure),
        .no_proxy = endpoint->loopback,
        .on_data = on_data,
        .on_done = on_done,
        .arg = fetch,
    };
    fetch->due_us = 0;
    fetch->have_at_try = fetch->have;
    fetch->range_wrong = false;
    fetch->exchange = http_start(fetch->fetcher->http, &request, &err);
    if (!fetch->exchange)
        end(fetch, NULL, &err);
}

static void start_over(struct fetch *fetch)
{
    if (fetch->have > 0)
        fetch->want.on_restart(fetch->want.arg);
    fetch->have = 0;
}

enum verdict { VERDICT_DONE, VERDICT_FAIL, VERDICT_AGAIN, VERDICT_AGAIN_AT_ONCE };

/* Where a redirect leads, if it may be followed. */
static enum verdict follow(struct fetch *fetch, const struct http_reply *reply, struct err *err)
{
    _cleanup_free_ char *own = xasprintf("%s%s", fetch->endpoint->base, fetch->path);
    const char *from = fetch->url ? fetch->url : own;
    _cleanup_free_ char *to = reply->location ? http_url_resolve(from, reply->location) : NULL;
    _cleanup_free_ char *origin = to ? http_url_origin(to) : NULL;
    if (!origin) {
        (void)err_set(err, ERR_PROTOCOL, "it redirects to an address that is not http or https");
        return VERDICT_FAIL;
    }
    if (++fetch->redirects > REDIRECTS_MAX) {
        (void)err_set(err, ERR_PROTOCOL, "it redirects more than %d times", REDIRECTS_MAX);
        return VERDICT_FAIL;
    }
    if (str_has_prefix(from, "https://") && !str_has_prefix(origin, "https://")) {
        (void)err_set(err, ERR_DENIED, "it redirects from https to plain http (%s)", origin);
        return VERDICT_FAIL;
    }
    free(fetch->url);
    fetch->url = take_ptr(&to);
    return VERDICT_AGAIN_AT_ONCE;
}

static enum verdict log_in(struct fetch *fetch, const struct http_reply *reply, struct err *err)
{
    if (fetch->url || fetch->authorized) { /* a redirect's target gets no login of ours */
        (void)err_set(err, ERR_DENIED, "access denied%s",
                      fetch->url ? " where it redirects to" : "");
        return VERDICT_FAIL;
    }
    if (endpoint_authorize(fetch->endpoint, reply->authenticate, fetch->repository, err) < 0)
        return VERDICT_FAIL;
    fetch->authorized = true;
    return VERDICT_AGAIN_AT_ONCE;
}

static enum verdict judge_status(struct fetch *fetch, const struct http_reply *reply,
                                 struct err *err)
{
    switch (reply->status) {
    case 200:
    case 206:
        return VERDICT_DONE;
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        return follow(fetch, reply, err);
    case 401:
        return log_in(fetch, reply, err);
    case 403:
        (void)err_set(err, ERR_DENIED, "access denied: %s", reply->detail);
        return VERDICT_FAIL;
    case 404:
        (void)err_set(err, ERR_NOT_FOUND, "not found");
        return VERDICT_FAIL;
    case 416:
        start_over(fetch);
        (void)err_set(err, ERR_NETWORK, "it refuses to continue a transfer");
        return VERDICT_AGAIN;
    default:
        (void)err_set(err, ERR_NETWORK, "status %ld%s%s", reply->status, *reply->detail ? ": " : "",
                      reply->detail);
        return reply->status == 429 || reply->status == 408 || reply->status >= 500 ? VERDICT_AGAIN
                                                                                    : VERDICT_FAIL;
    }
}

static enum verdict judge(struct fetch *fetch, const struct http_reply *reply, struct err *err)
{
    if (fetch->range_wrong) {
        start_over(fetch);
        (void)err_set(err, ERR_PROTOCOL, "it continues a transfer at the wrong place");
        return VERDICT_AGAIN;
    }
    if (reply->sink_stopped) {
        (void)err_set(err, ERR_CANCELLED, "stopped");
        return VERDICT_FAIL;
    }
    if (reply->error.code) {
        (void)err_copy(err, &reply->error);
        free(fetch->url); /* a signed address may have run out: ask the registry anew */
        fetch->url = NULL;
        fetch->redirects = 0;
        return reply->error.code == ERR_DENIED || reply->tls_mismatch ? VERDICT_FAIL
                                                                      : VERDICT_AGAIN;
    }
    return judge_status(fetch, reply, err);
}

/* Time until the next try, or -1 when there is none. */
static int64_t pause_for(struct fetch *fetch, const struct http_reply *reply)
{
    unsigned most = reply->unreachable  ? TRIES_UNREACHABLE
                    : fetch->want.tries ? fetch->want.tries
                                        : TRIES_DEFAULT;
    if (fetch->have - fetch->have_at_try >= PROGRESS_BYTES)
        fetch->tries = 0;
    if (++fetch->tries >= most || ++fetch->tries_total >= TRIES_TOTAL ||
        reply->retry_after_ms > RETRY_AFTER_MAX_MS)
        return -1;
    int64_t pause = PAUSE_FIRST_US << MIN(fetch->tries - 1, 5u);
    return MAX(MIN(pause, PAUSE_MAX_US), reply->retry_after_ms * 1000);
}

static void on_done(void *arg, const struct http_reply *reply)
{
    struct fetch *fetch = arg;
    struct err err = {0};
    int64_t pause;
    fetch->exchange = NULL;
    switch (judge(fetch, reply, &err)) {
    case VERDICT_DONE:
        end(fetch, reply, NULL);
        break;
    case VERDICT_AGAIN_AT_ONCE:
        begin(fetch);
        break;
    case VERDICT_AGAIN:
        pause = pause_for(fetch, reply);
        if (pause >= 0) {
            fetch->due_us = clock_monotonic_us() + pause;
            break;
        }
        __attribute__((fallthrough));
    case VERDICT_FAIL:
        if (err.code != ERR_CANCELLED)
            (void)err_wrap(&err, "%s", fetch->endpoint->host);
        end(fetch, reply, &err);
        break;
    }
}

void fetch_start(struct fetcher *fetcher, struct endpoint *endpoint, const struct fetch_want *want)
{
    struct fetch *fetch = xcalloc(1, sizeof(*fetch));
    fetch->fetcher = fetcher;
    fetch->endpoint = endpoint;
    fetch->want = *want;
    fetch->path = xstrdup(want->path);
    fetch->repository = xstrdup(want->repository);
    fetch->accept = xstrdup(want->accept);
    fetch->have = want->have;
    fetch->next = fetcher->list;
    if (fetcher->list)
        fetcher->list->previous = fetch;
    fetcher->list = fetch;
    begin(fetch);
}

int fetcher_poll(struct fetcher *fetcher, struct pollfd *extra, size_t extra_count, int timeout_ms,
                 struct err *err)
{
    int64_t now = clock_monotonic_us();
    for (const struct fetch *fetch = fetcher->list; fetch; fetch = fetch->next) {
        if (fetch->due_us > 0)
            timeout_ms = MIN(timeout_ms, (int)(MAX(fetch->due_us - now, 0) / 1000) + 1);
    }
    if (http_poll(fetcher->http, extra, extra_count, timeout_ms, err) < 0)
        return -1;
    now = clock_monotonic_us();
    for (struct fetch *fetch = fetcher->list, *next; fetch; fetch = next) {
        next = fetch->next;
        if (fetch->due_us > 0 && fetch->due_us <= now)
            begin(fetch);
    }
    return 0;
}
