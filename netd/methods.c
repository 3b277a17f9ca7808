/* SPDX-License-Identifier: Apache-2.0 */
/* methods.c - from JSON to an operation of daemon.h and back. Operations run in the order of the
 * calls and never interleave. Calls for sandboxes that arrive together wait until no more is there
 * to read: their leases become durable with one write (a sync is the most expensive step of all).
 */
#include "netd/methods.h"

#include "base/log.h"
#include "base/str.h"
#include "netd/daemon.h"
#include "netd/ipam.h"
#include "netd/store.h"

#define BATCH_MAX 16 /* names are not answered meanwhile */

struct waiting {
    struct ipc_request *request;
    struct jv *args;
};

struct call_queue {
    VEC(struct waiting) calls;
    struct loop_source *timer;
};

static void run_queue(struct netd *netd);

/* Answers in one place, so that no handler can forget. */
static void answer(struct netd *netd, struct ipc_request *request, int result, struct jv *ok,
                   const struct err *err)
{
    netd->changed(netd->changed_arg);
    if (result == 0) {
        ipc_answer_ok(request, ok);
        return;
    }
    log_debug("call failed: %s", err->message);
    ipc_answer_error(request, err);
}

static struct jv *net_info_json(const struct net *net)
{
    struct network_info info;
    net_to_info(net, &info);
    struct jv *value = network_info_to_json(&info);
    network_info_done(&info);
    return value;
}

static void on_network_ensure(struct ipc_request *request, const struct jv *args, void *context)
{
    struct netd *netd = context;
    struct network_request network;
    struct net *net = NULL;
    struct err err = {0};

    run_queue(netd);
    int result = network_request_from_json(args, &network, &err);
    if (result == 0) {
        result = network_ensure(netd, &network, &net, &err);
        network_request_done(&network);
    }
    answer(netd, request, result, result == 0 ? net_info_json(net) : NULL, &err);
}

static void on_network_remove(struct ipc_request *request, const struct jv *args, void *context)
{
    struct netd *netd = context;
    const char *name;
    struct err err = {0};

    run_queue(netd);
    int result = jv_need_str(args, "name", &name, &err);
    if (result == 0)
        result = network_remove(netd, name, &err);
    answer(netd, request, result, NULL, &err);
}

static void on_network_list(struct ipc_request *request, const struct jv *args, void *context)
{
    struct netd *netd = context;
    const char *project = jv_get_str(args, "project", NULL);
    struct jv *ok = jv_object(), *list = jv_array();

    run_queue(netd);
    for (size_t i = 0; i < map_count(netd->nets); i++) {
        const struct net *net = map_value_at(netd->nets, i);
        if (!project || str_eq(net->project, project))
            jv_add(list, net_info_json(net));
    }
    jv_set(ok, "networks", list);
    answer(netd, request, 0, ok, NULL);
}

static void make_sandbox(struct netd *netd, struct ipc_request *request, const struct jv *args)
{
    struct sandbox *sandbox = NULL;
    struct sandbox_info info;
    struct err err = {0};
    struct jv *ok = NULL;

    int result = sandbox_ensure(netd, args, NULL, &sandbox, &err);
    if (result == 0)
        result = sandbox_to_info(sandbox, &info, &err);
    if (result == 0) {
        ok = sandbox_info_to_json(&info);
        sandbox_info_done(&info);
    }
    answer(netd, request, result, ok, &err);
}

static void run_queue(struct netd *netd)
{
    struct call_queue *queue = netd->queue;
    VEC(struct waiting) calls = {0};

    if (!queue || queue->calls.count == 0)
        return;
    for (size_t i = 0; i < queue->calls.count; i++)
        VEC_ADD(&calls, queue->calls.items[i]);
    queue->calls.count = 0;
    loop_timer_disarm(queue->timer);
    for (size_t i = 0; calls.count > 1 && i < calls.count; i++)
        sandbox_lease(netd, calls.items[i].args);
    sandbox_save_leases(netd);
    for (size_t i = 0; i < calls.count; i++) {
        make_sandbox(netd, calls.items[i].request, calls.items[i].args);
        jv_free(calls.items[i].args);
    }
    VEC_DONE(&calls);
}

static void on_quiet(void *arg)
{
    run_queue(arg);
}

/* The timer of no delay comes behind everything that can be read now, since each call arms it anew.
 */
static void on_sandbox_ensure(struct ipc_request *request, const struct jv *args, void *context)
{
    struct netd *netd = context;
    struct call_queue *queue = netd->queue;

    VEC_ADD(&queue->calls, (struct waiting){request, jv_copy_deep(args)});
    if (queue->calls.count >= BATCH_MAX)
        run_queue(netd);
    else
        loop_timer_arm(queue->timer, 0);
}

void methods_init(struct netd *netd)
{
    netd->queue = xcalloc(1, sizeof(*netd->queue));
    netd->queue->timer = loop_timer(netd->loop, 0, on_quiet, netd);
    loop_timer_disarm(netd->queue->timer);
}

void methods_done(struct netd *netd)
{
    if (!netd->queue)
        return;
    run_queue(netd);
    loop_source_free(netd->queue->timer);
    VEC_DONE(&netd->queue->calls);
    free(netd->queue);
    netd->queue = NULL;
}

static void on_sandbox_remove(struct ipc_request *request, const struct jv *args, void *context)
{
    struct netd *netd = context;
    const char *id;
    struct err err = {0};

    run_queue(netd);
    int result = jv_need_str(args, "id", &id, &err);
    if (result == 0)
        result = sandbox_remove(netd, id, &err);
    answer(netd, request, result, NULL, &err);
}

static void on_lease_release(struct ipc_request *request, const struct jv *args, void *context)
{
    struct netd *netd = context;
    const char *key;
    struct err err = {0};

    run_queue(netd);
    int result = jv_need_str(args, "key", &key, &err);
    for (size_t i = 0; result == 0 && i < map_count(netd->nets); i++) {
        struct net *net = map_value_at(netd->nets, i);
        if (ipam_release(net, key))
            result = store_save_net(netd->layout, net, &err);
    }
    answer(netd, request, result, NULL, &err);
}

const struct ipc_method netd_methods[] = {
    {"network_ensure", on_network_ensure},
    {"network_remove", on_network_remove},
    {"network_list", on_network_list},
    {"sandbox_ensure", on_sandbox_ensure},
    {"sandbox_remove", on_sandbox_remove},
    {"lease_release", on_lease_release},
    {0},
};
