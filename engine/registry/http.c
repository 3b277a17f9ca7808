/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP over libcurl's multi interface. An exchange is one request and its answer; answers are
 * bounded in time by a minimum speed, in header size by libcurl, and in body size by who receives
 * the data. */
#include "engine/registry/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/str.h"

#define CONNECT_TIMEOUT_MS 10000
#define STALL_BYTES        64 /* a second; slower than this for STALL_SECONDS is dead */
#define STALL_SECONDS      20
#define DETAIL_MAX         200
#define MAX_CONNECTIONS    8
#define BUFFER_SIZE        (256 * 1024)

struct http {
    CURLM *multi;
    struct http_exchange *running; /* list */
};

struct http_exchange {
    struct http *http;
    struct http_exchange *next, *previous;
    CURL *easy;
    struct curl_slist *headers;
    struct http_reply reply;
    http_data_fn *on_data;
    http_done_fn *on_done;
    void *arg;
    char message[CURL_ERROR_SIZE];
};

int http_new(struct http **ret_http, struct err *err)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return err_set(err, ERR_INTERNAL, "libcurl cannot be initialised");
    struct http *http = xcalloc(1, sizeof(*http));
    http->multi = curl_multi_init();
    if (!http->multi) {
        free(http);
        return err_set(err, ERR_INTERNAL, "libcurl cannot be initialised");
    }
    (void)curl_multi_setopt(http->multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, (long)MAX_CONNECTIONS);
    *ret_http = http;
    return 0;
}

static void reply_done(struct http_reply *reply)
{
    free(reply->content_type);
    free(reply->location);
    free(reply->authenticate);
    free(reply->digest);
}

void http_cancel(struct http_exchange *exchange)
{
    struct http *http = exchange->http;
    (void)curl_multi_remove_handle(http->multi, exchange->easy);
    if (exchange->next)
        exchange->next->previous = exchange->previous;
    if (exchange->previous)
        exchange->previous->next = exchange->next;
    else
        http->running = exchange->next;
    curl_easy_cleanup(exchange->easy);
    curl_slist_free_all(exchange->headers);
    reply_done(&exchange->reply);
    free(exchange);
}

void http_free(struct http *http)
{
    if (!http)
        return;
    while (http->running)
        http_cancel(http->running);
    (void)curl_multi_cleanup(http->multi);
    free(http);
}

static void take_header(char **field, const char *value, size_t size)
{
    while (size && (*value == ' ' || *value == '\t'))
        value++, size--;
    while (size && (value[size - 1] == '\r' || value[size - 1] == '\n' || value[size - 1] == ' '))
        size--;
    free(*field);
    *field = xstrndup(value, MIN(size, (size_t)8192));
}

static void take_range(struct http_reply *reply, const char *value)
{
    long long start, end, total;
    int count = sscanf(value, " bytes %lld-%lld/%lld", &start, &end, &total);
    if (count >= 2 && start >= 0)
        reply->range_start = start;
    if (count == 3 && total >= 0)
        reply->range_total = total;
}

static size_t on_header(char *line, size_t unit, size_t size, void *arg)
{
    struct http_exchange *exchange = arg;
    struct http_reply *reply = &exchange->reply;
    size *= unit;
    const char *colon = memchr(line, ':', size);
    if (size > 5 &&
        strncmp(line, "HTTP/", 5) == 0) { /* a further answer begins (100 Continue, proxy) */
        reply_done(reply);
        reply->content_type = reply->location = reply->authenticate = reply->digest = NULL;
        reply->range_start = reply->range_total = reply->retry_after_ms = -1;
    }
    if (!colon)
        return size;
    size_t length = (size_t)(colon - line), rest = size - length - 1;
    const struct {
        const char *name;
        char **field;
    } fields[] = {
        {"content-type", &reply->content_type},
        {"location", &reply->location},
        {"www-authenticate", &reply->authenticate},
        {"docker-content-digest", &reply->digest},
    };
    for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
        if (strlen(fields[i].name) == length && strncasecmp(line, fields[i].name, length) == 0)
            take_header(fields[i].field, colon + 1, rest);
    }
    _cleanup_free_ char *value = NULL;
    if (length == strlen("content-range") && strncasecmp(line, "content-range", length) == 0) {
        take_header(&value, colon + 1, rest);
        take_range(reply, value);
    }
    return size;
}

static size_t on_body(char *data, size_t unit, size_t size, void *arg)
{
    struct http_exchange *exchange = arg;
    size *= unit;
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &exchange->reply.status);
    long status = exchange->reply.status;
    if (status == 200 || status == 206) {
        if (exchange->on_data && exchange->on_data(exchange->arg, &exchange->reply, data, size))
            return size;
        exchange->reply.sink_stopped = exchange->on_data != NULL;
        return exchange->on_data ? CURL_WRITEFUNC_ERROR : size;
    }
    size_t have = strlen(exchange->reply.detail), room = DETAIL_MAX - MIN(have, (size_t)DETAIL_MAX);
    for (size_t i = 0; i < size && room; i++, room--)
        exchange->reply.detail[have++] = data[i] >= ' ' && data[i] < 127 ? data[i] : ' ';
    exchange->reply.detail[have] = '\0';
    return room ? size : CURL_WRITEFUNC_ERROR; /* the rest of an error page is of no use */
}

static void set_options(struct http_exchange *exchange, const struct http_request *request)
{
    CURL *easy = exchange->easy;
    (void)curl_easy_setopt(easy, CURLOPT_URL, request->url);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
    (void)curl_easy_setopt(easy, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, request->verify_tls ? 1L : 0L);
    (void)curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, request->verify_tls ? 2L : 0L);
    if (getenv("SSL_CERT_FILE"))
        (void)curl_easy_setopt(easy, CURLOPT_CAINFO, getenv("SSL_CERT_FILE"));
    if (request->no_proxy)
        (void)curl_easy_setopt(easy, CURLOPT_PROXY, "");
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    (void)curl_easy_setopt(easy, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES);
    (void)curl_easy_setopt(easy, CURLOPT_LOW_SPEED_TIME, (long)STALL_SECONDS);
    (void)curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)BUFFER_SIZE);
    (void)curl_easy_setopt(easy, CURLOPT_USERAGENT, "winch/" WINCH_VERSION);
    (void)curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, exchange->message);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
    (void)curl_easy_setopt(easy, CURLOPT_HEADERDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_PRIVATE, exchange);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, exchange->headers);
}

static void add_header(struct http_exchange *exchange, const char *name, const char *value)
{
    _cleanup_free_ char *line = xasprintf("%s: %s", name, value);
    exchange->headers = curl_slist_append(exchange->headers, line);
}

struct http_exchange *http_start(struct http *http, const struct http_request *request,
                                 struct err *err)
{
    _cleanup_free_ char *origin = http_url_origin(request->url);
    if (!origin) {
        (void)err_set(err, ERR_CONFIG, "'%.300s' is not an http or https address", request->url);
        return NULL;
    }
    struct http_exchange *exchange = xcalloc(1, sizeof(*exchange));
    exchange->http = http;
    exchange->on_data = request->on_data;
    exchange->on_done = request->on_done;
    exchange->arg = request->arg;
    exchange->reply.range_start = exchange->reply.range_total = exchange->reply.retry_after_ms = -1;
    exchange->easy = curl_easy_init();
    if (!exchange->easy)
        abort(); /* out of memory */
    if (request->accept)
        add_header(exchange, "Accept", request->accept);
    if (request->authorization)
        add_header(exchange, "Authorization", request->authorization);
    if (request->resume_from > 0) {
        _cleanup_free_ char *range = xasprintf("bytes=%lld-", (long long)request->resume_from);
        add_header(exchange, "Range", range);
    }
    set_options(exchange, request);
    exchange->next = http->running;
    if (http->running)
        http->running->previous = exchange;
    http->running = exchange;
    (void)curl_multi_add_handle(http->multi, exchange->easy);
    return exchange;
}

static void judge(struct http_exchange *exchange, CURLcode code)
{
    struct http_reply *reply = &exchange->reply;
    (void)curl_easy_getinfo(exchange->easy, CURLINFO_RESPONSE_CODE, &reply->status);
    curl_off_t wait = 0;
    if (curl_easy_getinfo(exchange->easy, CURLINFO_RETRY_AFTER, &wait) == CURLE_OK && wait > 0)
        reply->retry_after_ms = wait > 3600 ? 3600000 : (int64_t)wait * 1000;
    if (code == CURLE_OK || (code == CURLE_WRITE_ERROR && reply->status >= 300))
        return;
    const char *why = exchange->message[0] ? exchange->message : curl_easy_strerror(code);
    reply->tls_mismatch = code == CURLE_SSL_CONNECT_ERROR;
    reply->unreachable = code == CURLE_COULDNT_RESOLVE_HOST || code == CURLE_COULDNT_CONNECT;
    if (code == CURLE_PEER_FAILED_VERIFICATION)
        (void)err_set(&reply->error, ERR_DENIED, "the certificate is not trusted: %s", why);
    else
        (void)err_set(&reply->error, code == CURLE_OPERATION_TIMEDOUT ? ERR_TIMEOUT : ERR_NETWORK,
                      "%s", why);
}

/* Calls on_done for what ended; true when there was any. */
static bool take_ended(struct http *http)
{
    bool any = false;
    int left = 0;
    for (CURLMsg *message; (message = curl_multi_info_read(http->multi, &left));) {
        struct http_exchange *exchange = NULL;
        if (message->msg != CURLMSG_DONE)
            continue;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &exchange);
        judge(exchange, message->data.result);
        exchange->on_done(exchange->arg, &exchange->reply);
        http_cancel(exchange);
        any = true;
    }
    return any;
}

int http_poll(struct http *http, struct pollfd *extra, size_t extra_count, int timeout_ms,
              struct err *err)
{
    struct curl_waitfd waits[64];
    int running = 0;
    extra_count = MIN(extra_count, ARRAY_LEN(waits));
    for (size_t i = 0; i < extra_count; i++)
        waits[i] = (struct curl_waitfd){.fd = extra[i].fd, .events = CURL_WAIT_POLLIN};
    CURLMcode code = curl_multi_perform(http->multi, &running);
    /* what ended may have queued work: then there is no time to wait */
    if (code == CURLM_OK && !take_ended(http) && timeout_ms > 0) {
        code = curl_multi_poll(http->multi, waits, (unsigned)extra_count, timeout_ms, NULL);
        if (code == CURLM_OK)
            code = curl_multi_perform(http->multi, &running);
        (void)take_ended(http);
    }
    if (code != CURLM_OK)
        return err_set(err, ERR_INTERNAL, "libcurl: %s", curl_multi_strerror(code));
    for (size_t i = 0; i < extra_count; i++)
        extra[i].revents = waits[i].revents ? POLLIN : 0;
    return 0;
}

static char *url_part(CURLU *url, CURLUPart part, unsigned flags)
{
    char *text = NULL;
    if (curl_url_get(url, part, &text, flags) != CURLUE_OK)
        return NULL;
    char *copy = xstrdup(text);
    curl_free(text);
    return copy;
}

char *http_url_origin(const char *text)
{
    CURLU *url = curl_url();
    char *origin = NULL;
    if (url && curl_url_set(url, CURLUPART_URL, text, CURLU_DISALLOW_USER) == CURLUE_OK) {
        _cleanup_free_ char *scheme = url_part(url, CURLUPART_SCHEME, 0);
        _cleanup_free_ char *host = url_part(url, CURLUPART_HOST, 0);
        _cleanup_free_ char *port = url_part(url, CURLUPART_PORT, CURLU_DEFAULT_PORT);
        for (char *c = host; c && *c; c++)
            *c = *c >= 'A' && *c <= 'Z' ? (char)(*c + 32) : *c;
        if (scheme && host && port && (str_eq(scheme, "http") || str_eq(scheme, "https")))
            origin = xasprintf("%s://%s:%s", scheme, host, port);
    }
    curl_url_cleanup(url);
    return origin;
}

char *http_url_resolve(const char *base, const char *location)
{
    CURLU *url = curl_url();
    char *whole = NULL;
    if (url && curl_url_set(url, CURLUPART_URL, base, 0) == CURLUE_OK &&
        curl_url_set(url, CURLUPART_URL, location, CURLU_DISALLOW_USER) == CURLUE_OK)
        whole = url_part(url, CURLUPART_URL, 0);
    curl_url_cleanup(url);
    return whole;
}

char *http_escape(const char *text)
{
    char *escaped = curl_easy_escape(NULL, text, 0);
    char *copy = xstrdup(escaped ? escaped : "");
    curl_free(escaped);
    return copy;
}
