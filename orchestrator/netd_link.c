/* SPDX-License-Identifier: Apache-2.0 */
/* netd_link.c - the supervisor's connection to netd. netd may die and come back at any moment; all its calls are idempotent,
 * so a call whose connection broke is simply sent once more over a new one. */
#include "netd/netd_client.h"

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "orchestrator/supervisor.h"

#define AGAIN_FIRST_US (10 * 1000)
#define AGAIN_CAP_US   (10 * INT64_C(1000000)) /* it does not start */
#define KILLED_CAP_US  (200 * 1000)            /* it served and died: names are missed meanwhile */
#define STABLE_US      (5 * INT64_C(1000000))

struct netd_link {
    struct supervisor *sv;
    struct ipc_async *async; /* NULL: not connected */
    struct loop_source *timer;
    int64_t connected_us, again_us;
    int begun; /* netd is being started: what netd_begun takes; or -1 */
};

struct link_call {
    struct netd_link *link;
    char *method;
    struct jv *args;
    ipc_reply_fn *reply;
    void *arg;
    int tries;
    struct err error; /* of the last try */
};

static void call_send(struct link_call *call);

static void call_free(struct link_call *call)
{
    free(call->method);
    jv_free(call->args);
    free(call);
}

static void async_free_soon(void *arg)
{
    ipc_async_free(arg);
}

static bool somebody_needs_netd(const struct supervisor *sv)
{
    for (size_t i = 0; i < sv->units.count; i++)
        if (sv->units.items[i]->has_sandbox && unit_is_active(sv->units.items[i]))
            return true;
    return false;
}

static void link_again(void *arg);

/* Names are answered by netd itself, so running containers need it back without waiting for a command. */
static void link_again_soon(struct netd_link *link, int64_t cap_us)
{
    if (!somebody_needs_netd(link->sv))
        return;
    bool stable = clock_monotonic_us() - link->connected_us > STABLE_US;
    bool first = stable || link->again_us == 0;
    link->again_us = first ? AGAIN_FIRST_US : MIN(link->again_us * 2, cap_us);
    int64_t delay_us = first ? 0 : link->again_us;
    if (link->timer)
        loop_timer_arm(link->timer, delay_us);
    else
        link->timer = loop_timer(link->sv->loop, delay_us, link_again, link);
}

static void link_closed(void *arg)
{
    struct netd_link *link = arg;
    log_debug("project=%s netd connection closed", link->sv->name);
    if (!link->async)
        return;
    loop_soon(link->sv->loop, async_free_soon, take_ptr(&link->async));
    link_again_soon(link, KILLED_CAP_US);
}

static int link_connect(struct netd_link *link, struct err *err)
{
    if (link->async)
        return 0;
    struct netd_client *client = NULL;
    if (link->begun >= 0)
        netd_begun(take_fd(&link->begun));
    if (netd_connect(link->sv->layout, true, &client, err) < 0)
        return -1;
    link->async = ipc_async_new(link->sv->loop, netd_client_take(client), link_closed, link);
    link->connected_us = clock_monotonic_us();
    return 0;
}

static void link_again(void *arg)
{
    struct netd_link *link = arg;
    struct err err = { 0 };
    if (somebody_needs_netd(link->sv) && link_connect(link, &err) < 0) {
        log_warning("project=%s netd: %s", link->sv->name, err.message);
        link_again_soon(link, AGAIN_CAP_US);
    }
}

void netd_link_need(struct netd_link *link)
{
    if (!link->async)
        link_again(link);
}

void netd_link_warm(struct netd_link *link)
{
    if (!link->async && link->begun < 0)
        link->begun = netd_begin(link->sv->layout);
}

static void call_fail(void *arg)
{
    struct link_call *call = arg;
    call->reply(NULL, &call->error, call->arg);
    call_free(call);
}

static void call_again(void *arg)
{
    call_send(arg);
}

static bool may_be_lost_connection(const struct err *error)
{
    return error->code == ERR_SYSTEM || error->code == ERR_PROTOCOL || error->code == ERR_NOT_FOUND;
}

static void call_replied(const struct jv *ok, const struct err *error, void *arg)
{
    struct link_call *call = arg;
    if (!ok && error && call->tries == 1 && may_be_lost_connection(error)) {
        /* not from here: the connection may be just about to report its end */
        loop_soon(call->link->sv->loop, call_again, call);
        return;
    }
    call->reply(ok, error, call->arg);
    call_free(call);
}

static void call_send(struct link_call *call)
{
    struct netd_link *link = call->link;
    call->tries++;
    if (link_connect(link, &call->error) < 0) {
        (void)err_wrap(&call->error, "netd");
        loop_soon(link->sv->loop, call_fail, call);
        return;
    }
    if (ipc_async_call(link->async, call->method, jv_ref(call->args), call_replied, call, &call->error) < 0) {
        link_closed(link);
        if (call->tries < 2)
            call_send(call);
        else
            loop_soon(link->sv->loop, call_fail, call);
    }
}

struct netd_link *netd_link_new(struct supervisor *sv)
{
    struct netd_link *link = xcalloc(1, sizeof(*link));
    link->sv = sv;
    link->begun = -1;
    return link;
}

void netd_link_free(struct netd_link *link)
{
    if (!link)
        return;
    ipc_async_free(link->async);
    loop_source_free(link->timer);
    close_fdp(&link->begun);
    free(link);
}

void netd_link_call(struct netd_link *link, const char *method, struct jv *args, ipc_reply_fn *reply, void *arg)
{
    struct link_call *call = xcalloc(1, sizeof(*call));
    *call = (struct link_call){ .link = link, .method = xstrdup(method), .args = args, .reply = reply, .arg = arg };
    call_send(call);
}
