/* SPDX-License-Identifier: Apache-2.0 */
/* netd_link.c - the supervisor's connection to netd. netd may die and come back at any moment; all its calls are idempotent,
 * so a call whose connection broke is simply sent once more over a new one. Nothing here makes the loop wait for netd: while it
 * comes up calls are kept, and when it neither comes up nor answers they fail. A slow answer is no fault as long as others
 * come, so it is the silence that is measured, not the single call. */
#include "netd/netd_client.h"

#include <poll.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/vec.h"
#include "orchestrator/supervisor.h"

#define AGAIN_FIRST_US (10 * 1000)
#define AGAIN_CAP_US   (10 * INT64_C(1000000)) /* it does not start */
#define KILLED_CAP_US  (200 * 1000)            /* it served and died: names are missed meanwhile */
#define STABLE_US      (5 * INT64_C(1000000))
#define COME_UP_US     (15 * INT64_C(1000000))
#define LOOK_FIRST_US  (5 * 1000)              /* another netd is just starting or ending */
#define LOOK_CAP_US    (500 * 1000)
#define SILENCE_US     (15 * INT64_C(1000000))
#define HUNG_US        (1 * INT64_C(1000000))  /* it did not answer the last time either */
#define NEED_WAIT_MS   2000

struct link_call {
    struct netd_link *link;
    char *method;
    struct jv *args;
    ipc_reply_fn *reply;
    void *arg;
    int tries;
    struct err error; /* of the last try */
};

struct netd_link {
    struct supervisor *sv;
    struct ipc_async *async; /* NULL: not connected */
    struct loop_source *timer; /* the next try to connect */
    int64_t connected_us, again_us;
    int begun; /* netd is being started: what netd_begun takes; or -1 */
    struct loop_source *begun_source;
    int64_t up_by_us, look_us; /* while it comes up, else 0: when we give up; the last pause between two looks */
    struct loop_source *silence;
    size_t out; /* calls without an answer */
    bool hung;  /* nothing came since it was last found silent */
    VEC(struct link_call *) waiting; /* for the connection */
};

static void call_send(struct link_call *call);
static void link_look(void *arg);

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

static void arm(struct netd_link *link, struct loop_source **timer, int64_t delay_us, loop_timer_fn *fn)
{
    if (*timer)
        loop_timer_arm(*timer, delay_us);
    else
        *timer = loop_timer(link->sv->loop, delay_us, fn, link);
}

/* ---- connecting ---- */
/* Names are answered by netd itself, so running containers need it back without waiting for a command. */
static void link_again_soon(struct netd_link *link, int64_t cap_us)
{
    if (!somebody_needs_netd(link->sv))
        return;
    bool stable = clock_monotonic_us() - link->connected_us > STABLE_US;
    bool first = stable || link->again_us == 0;
    link->again_us = first ? AGAIN_FIRST_US : MIN(link->again_us * 2, cap_us);
    arm(link, &link->timer, first ? 0 : link->again_us, link_look);
}

static void link_closed(void *arg)
{
    struct netd_link *link = arg;
    log_debug("project=%s netd connection closed", link->sv->name);
    if (!link->async)
        return;
    loop_soon(link->sv->loop, async_free_soon, take_ptr(&link->async));
    if (link->waiting.count > 0)
        arm(link, &link->timer, 0, link_look);
    else
        link_again_soon(link, KILLED_CAP_US);
}

static void call_fail(void *arg)
{
    struct link_call *call = arg;
    call->reply(NULL, &call->error, call->arg);
    call_free(call);
}

static void link_failed(struct netd_link *link, const struct err *error)
{
    log_warning("project=%s netd: %s", link->sv->name, error->message);
    link->up_by_us = link->look_us = 0;
    for (size_t i = 0; i < link->waiting.count; i++) {
        struct link_call *call = link->waiting.items[i];
        (void)err_copy(&call->error, error);
        loop_soon(link->sv->loop, call_fail, call);
    }
    link->waiting.count = 0;
    link_again_soon(link, AGAIN_CAP_US);
}

static void link_connected(struct netd_link *link, struct netd_client *client)
{
    link->async = ipc_async_new(link->sv->loop, netd_client_take(client), link_closed, link);
    link->connected_us = clock_monotonic_us();
    link->up_by_us = link->look_us = 0;
    while (link->async && link->waiting.count > 0) {
        struct link_call *call = link->waiting.items[0];
        memmove(link->waiting.items, link->waiting.items + 1, --link->waiting.count * sizeof(struct link_call *));
        call_send(call);
    }
}

static void begun_done(struct netd_link *link)
{
    loop_source_free(link->begun_source);
    link->begun_source = NULL;
    close_fdp(&link->begun);
}

static void on_begun(int fd _unused_, unsigned events _unused_, void *arg)
{
    struct netd_link *link = arg;
    struct err err = { 0 };
    loop_source_free(link->begun_source);
    link->begun_source = NULL;
    if (netd_begun(take_fd(&link->begun), &err) < 0)
        link_failed(link, &err);
    else
        link_look(link);
}

static int link_start(struct netd_link *link, struct err *err)
{
    if (link->begun < 0 && netd_begin(link->sv->layout, &link->begun, err) < 0)
        return -1;
    if (link->begun >= 0 && !link->begun_source)
        link->begun_source = loop_fd(link->sv->loop, link->begun, LOOP_READ, on_begun, link);
    return 0;
}

static int never_came(const struct netd_link *link, struct err *err)
{
    (void)err_set(err, ERR_TIMEOUT, "winch-netd does not start");
    return err_hint(err, "another process may hold %s/netd.lock", link->sv->layout->run);
}

/* One look whether it serves; else it is started, and another look follows. */
static void link_look(void *arg)
{
    struct netd_link *link = arg;
    struct netd_client *client = NULL;
    struct err err = { 0 };
    int64_t now_us = clock_monotonic_us();
    if (link->async || (link->waiting.count == 0 && !somebody_needs_netd(link->sv)))
        return;
    if (netd_connect(link->sv->layout, false, &client, &err) == 0) {
        begun_done(link);
        link_connected(link, client);
        return;
    }
    if (link->up_by_us == 0)
        link->up_by_us = now_us + COME_UP_US;
    bool is_late = now_us >= link->up_by_us;
    if (err.code == ERR_NOT_FOUND && is_late)
        (void)never_came(link, &err);
    bool may_come = !is_late && (err.code == ERR_BUSY || err.code == ERR_NOT_FOUND);
    if (!may_come || (err.code == ERR_NOT_FOUND && link_start(link, &err) < 0)) {
        begun_done(link);
        link_failed(link, &err);
        return;
    }
    link->look_us = link->look_us ? MIN(link->look_us * 2, LOOK_CAP_US) : LOOK_FIRST_US;
    arm(link, &link->timer, link->begun >= 0 ? link->up_by_us - now_us : link->look_us, link_look);
}

void netd_link_need(struct netd_link *link)
{
    if (link->async || !somebody_needs_netd(link->sv))
        return;
    link_look(link);
    /* what comes next, a command's answer for one, is better told with the names working */
    struct pollfd poll_fd = { .fd = link->begun, .events = POLLIN };
    if (link->begun >= 0 && poll(&poll_fd, 1, NEED_WAIT_MS) > 0)
        on_begun(link->begun, LOOP_READ, link);
}

void netd_link_warm(struct netd_link *link)
{
    struct err err = { 0 };
    if (!link->async && link->begun < 0 && netd_begin(link->sv->layout, &link->begun, &err) < 0)
        log_debug("project=%s netd: %s", link->sv->name, err.message); /* the call tries again, and tells */
}

/* ---- calls ---- */
static void silent(void *arg)
{
    struct netd_link *link = arg;
    struct err err = { 0 };
    if (link->out == 0 || !link->async)
        return;
    link->hung = true;
    (void)err_set(&err, ERR_TIMEOUT, "winch-netd does not answer");
    (void)err_hint(&err, "end the process winch-netd: the next one takes over, and traffic goes on meanwhile");
    log_warning("project=%s %s", link->sv->name, err.message);
    ipc_async_fail(link->async, &err);
}

static void watch_silence(struct netd_link *link)
{
    if (link->out > 0)
        arm(link, &link->silence, link->hung ? HUNG_US : SILENCE_US, silent);
    else if (link->silence)
        loop_timer_disarm(link->silence);
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
    struct netd_link *link = call->link;
    link->out--;
    if (ok || error->code != ERR_TIMEOUT)
        link->hung = false;
    watch_silence(link);
    if (!ok && error && call->tries == 1 && may_be_lost_connection(error)) {
        /* not from here: the connection may be just about to report its end */
        loop_soon(link->sv->loop, call_again, call);
        return;
    }
    call->reply(ok, error, call->arg);
    call_free(call);
}

static void call_send(struct link_call *call)
{
    struct netd_link *link = call->link;
    if (!link->async) {
        VEC_ADD(&link->waiting, call);
        if (link->up_by_us == 0)
            link_look(link);
        return;
    }
    call->tries++;
    if (ipc_async_call(link->async, call->method, jv_ref(call->args), call_replied, call, &call->error) == 0) {
        if (link->out++ == 0)
            watch_silence(link);
        return;
    }
    if (call->tries == 1 && may_be_lost_connection(&call->error))
        VEC_ADD(&link->waiting, call); /* the connection is just breaking: link_closed comes after this */
    else
        loop_soon(link->sv->loop, call_fail, call);
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
    begun_done(link);
    loop_source_free(link->timer);
    loop_source_free(link->silence);
    for (size_t i = 0; i < link->waiting.count; i++)
        call_free(link->waiting.items[i]); /* who asked is gone, too */
    VEC_DONE(&link->waiting);
    free(link);
}

void netd_link_call(struct netd_link *link, const char *method, struct jv *args, ipc_reply_fn *reply, void *arg)
{
    struct link_call *call = xcalloc(1, sizeof(*call));
    *call = (struct link_call){ .link = link, .method = xstrdup(method), .args = args, .reply = reply, .arg = arg };
    call_send(call);
}
