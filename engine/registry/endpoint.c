/* SPDX-License-Identifier: Apache-2.0 */
/* Endpoints: which scheme they are spoken to in, and how a demand for a login is answered. A
 * password leaves for the registry it belongs to (or, over https, for the token server that
 * registry names), and nowhere else. */
#include "engine/registry/endpoint.h"

#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "engine/registry/challenge.h"
#include "engine/registry/credentials.h"
#include "engine/registry/http.h"

#define TOKEN_BODY_MAX    (64 * 1024)
#define TOKEN_MAX         (16 * 1024)
#define BLOCKING_SLICE_MS 1000

static void set_scheme(struct endpoint *endpoint, const char *scheme)
{
    free(endpoint->base);
    free(endpoint->origin);
    endpoint->base = xasprintf("%s://%s", scheme, endpoint->host);
    endpoint->origin = http_url_origin(endpoint->base);
}

void endpoint_init(struct endpoint *endpoint, const char *host, const char *login_host,
                   const struct host_config *config)
{
    *endpoint = (struct endpoint){
        .host = xstrdup(host),
        .login_host = xstrdup(login_host),
        .insecure = host_config_is_insecure(config, host),
        .loopback = host_is_loopback(host),
    };
    set_scheme(endpoint, "https");
}

void endpoint_done(struct endpoint *endpoint)
{
    free(endpoint->host);
    free(endpoint->login_host);
    free(endpoint->base);
    free(endpoint->origin);
    free(endpoint->authorization);
    *endpoint = (struct endpoint){0};
}

/* A small answer, waited for. */
struct answer {
    struct str body;
    long status;
    bool ended, tls_mismatch;
    struct err error;
};

static bool answer_data(void *arg, const struct http_reply *reply, const void *data, size_t size)
{
    struct answer *answer = arg;
    (void)reply;
    if (answer->body.size + size > TOKEN_BODY_MAX)
        return false;
    str_add_bytes(&answer->body, data, size);
    return true;
}

static void answer_done(void *arg, const struct http_reply *reply)
{
    struct answer *answer = arg;
    answer->ended = true;
    answer->status = reply->status;
    answer->error = reply->error;
    answer->tls_mismatch = reply->tls_mismatch;
}

static int ask(const struct endpoint *endpoint, const char *url, const char *authorization,
               struct answer *answer, struct err *err)
{
    _cleanup_(http_freep) struct http *http = NULL;
    _cleanup_free_ char *origin = http_url_origin(url);
    const struct http_request request = {
        .url = url,
        .authorization = authorization,
        .verify_tls = !(endpoint->insecure &&
                        str_eq(origin, endpoint->origin)), /* a token server is another host */
        .no_proxy = endpoint->loopback,
        .on_data = answer_data,
        .on_done = answer_done,
        .arg = answer,
    };
    if (http_new(&http, err) < 0 || !http_start(http, &request, err))
        return -1;
    while (!answer->ended) {
        if (http_poll(http, NULL, 0, BLOCKING_SLICE_MS, err) < 0)
            return -1;
    }
    return 0;
}

/* 1: the host answers in this scheme; 0: it does not. */
static int try_scheme(struct endpoint *endpoint, const char *scheme, struct err *ret_why,
                      struct err *err)
{
    struct answer answer = {0};
    set_scheme(endpoint, scheme);
    _cleanup_free_ char *url = xasprintf("%s/v2/", endpoint->base);
    int asked = ask(endpoint, url, NULL, &answer, err);
    str_done(&answer.body);
    if (asked < 0)
        return -1;
    *ret_why = answer.error;
    if (answer.status == 0 && !answer.error.code)
        (void)err_set(ret_why, ERR_NETWORK, "no answer");
    /* 400 is what servers that expect TLS say to plain http */
    return answer.status != 0 && !(answer.status == 400 && str_eq(scheme, "http"));
}

int endpoint_probe(struct endpoint *endpoint, struct err *err)
{
    struct err plain = {0}, secure = {0};
    if (endpoint->probed || (!endpoint->loopback && !endpoint->insecure))
        return 0;
    endpoint->probed = true;
    int good = try_scheme(endpoint, "http", &plain, err);
    if (good == 0)
        good = try_scheme(endpoint, "https", &secure, err);
    if (good < 0)
        return -1;
    if (good)
        return 0;
    const struct err *why = secure.code == ERR_DENIED || !plain.code ? &secure : &plain;
    return err_set(err, why->code, "%s: %s", endpoint->host, why->message);
}

static bool token_is_sane(const char *token)
{
    size_t size = token ? strlen(token) : 0;
    for (size_t i = 0; i < size; i++) {
        if (token[i] <= ' ' || token[i] > '~')
            return false;
    }
    return size > 0 && size <= TOKEN_MAX;
}

/* The address to ask for a token, after checking that it may be asked. */
static int token_url(const struct endpoint *endpoint, const struct challenge *challenge,
                     const char *repository, char **ret_url, struct err *err)
{
    _cleanup_free_ char *origin = http_url_origin(challenge->realm);
    _cleanup_free_ char *fallback = xasprintf("repository:%s:pull", repository);
    if (!origin)
        return err_set(err, ERR_DENIED,
                       "it demands a login at '%.200s', which is no usable address",
                       challenge->realm);
    if (!str_has_prefix(origin, "https://") && !str_eq(origin, endpoint->origin))
        return err_set(err, ERR_DENIED,
                       "it demands a login at %s, which is another host without https", origin);
    _cleanup_free_ char *service = http_escape(challenge->service ? challenge->service : "");
    _cleanup_free_ char *scope = http_escape(challenge->scope ? challenge->scope : fallback);
    *ret_url = xasprintf("%s%cservice=%s&scope=%s", challenge->realm,
                         strchr(challenge->realm, '?') ? '&' : '?', service, scope);
    return 0;
}

static int take_token(struct endpoint *endpoint, const struct answer *answer, const char *url,
                      bool with_login, struct err *err)
{
    _cleanup_jv_ struct jv *body = NULL;
    _cleanup_free_ char *origin = http_url_origin(url);
    if (answer->error.code)
        return err_set(err, answer->error.code, "ask %s for a token: %s", origin,
                       answer->error.message);
    if (answer->status == 401 || answer->status == 403)
        return err_set(err, ERR_DENIED, "%s",
                       with_login ? "the login was refused" : "access denied without a login");
    if (answer->status != 200)
        return err_set(err, ERR_NETWORK, "ask %s for a token: status %ld", origin, answer->status);
    if (jv_parse(str_text(&answer->body), answer->body.size, &body, err) < 0)
        return err_wrap(err, "token from %s", origin);
    const char *token = jv_get_str(body, "token", NULL);
    if (!token || !*token)
        token = jv_get_str(body, "access_token", NULL);
    if (!token_is_sane(token))
        return err_set(err, ERR_PROTOCOL, "%s answered without a usable token", origin);
    free(endpoint->authorization);
    endpoint->authorization = xasprintf("Bearer %s", token);
    return 0;
}

int endpoint_authorize(struct endpoint *endpoint, const char *authenticate, const char *repository,
                       struct err *err)
{
    _cleanup_(challenge_done) struct challenge challenge = {0};
    _cleanup_free_ char *basic = NULL, *login = NULL, *url = NULL;
    if (!authenticate || !challenge_parse(authenticate, &challenge))
        return err_set(err, ERR_DENIED, "it wants a login of an unknown kind");
    if (credentials_find(endpoint->login_host, &basic, err) < 0)
        return -1;
    login = basic ? xasprintf("Basic %s", basic) : NULL;
    if (!challenge.is_bearer) {
        if (!login) {
            (void)err_set(err, ERR_DENIED, "it wants a login");
            return err_hint(err, "put one for exactly '%s' into $DOCKER_CONFIG/config.json",
                            endpoint->login_host);
        }
        free(endpoint->authorization);
        endpoint->authorization = take_ptr(&login);
        return 0;
    }
    struct answer answer = {0};
    if (token_url(endpoint, &challenge, repository, &url, err) < 0)
        return -1;
    int done = ask(endpoint, url, login, &answer, err);
    if (done == 0)
        done = take_token(endpoint, &answer, url, login != NULL, err);
    str_done(&answer.body);
    return done;
}
