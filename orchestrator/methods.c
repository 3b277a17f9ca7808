/* SPDX-License-Identifier: Apache-2.0 */
/* methods.c - the table of calls and the queue of changes. A stop, kill or down does not wait behind a start: it ends it first. */
#include "orchestrator/methods.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/log.h"
#include "base/str.h"
#include "orchestrator/change.h"
#include "orchestrator/supervisor.h"

struct wait_call {
    struct ipc_request *request;
    char **services; /* NULL: all */
};

/* ---- queue ---- */
static void queue_next(struct supervisor *sv);

static void change_done(struct change *change)
{
    struct supervisor *sv = change->sv;
    if (sv->current == change)
        sv->current = NULL;
    for (size_t i = 0; i < sv->waiting.count; i++) /* cancelled before its turn */
        if (sv->waiting.items[i] == change) {
            sv->waiting.count--;
            memmove(&sv->waiting.items[i], &sv->waiting.items[i + 1], (sv->waiting.count - i) * sizeof(change));
            break;
        }
    for (size_t i = 0; i < sv->beside.count; i++)
        if (sv->beside.items[i] == change)
            sv->beside.items[i--] = sv->beside.items[--sv->beside.count];
    change_free(change);
    queue_next(sv);
    supervisor_check_idle(sv);
}

static void queue_next(struct supervisor *sv)
{
    if (sv->current || sv->waiting.count == 0 || sv->waiting.items[0]->ended) /* the ended one leaves by itself */
        return;
    sv->current = sv->waiting.items[0];
    sv->waiting.count--;
    memmove(sv->waiting.items, sv->waiting.items + 1, sv->waiting.count * sizeof(*sv->waiting.items));
    change_begin(sv->current);
}

/* A stop ends what only starts, also what still waits before it. */
static void push_aside(struct supervisor *sv, const struct change *stop)
{
    _cleanup_free_ char *why = xasprintf("ended by another command: %s", stop->verb->name);
    if (sv->current && !(sv->current->verb->flags & VERB_STOPS))
        change_cancel(sv->current, why);
    for (size_t i = 0; i < sv->waiting.count; i++)
        if (!(sv->waiting.items[i]->verb->flags & VERB_STOPS))
            change_cancel(sv->waiting.items[i], why);
}

static void queue_add(struct supervisor *sv, struct change *change)
{
    if (change->verb->flags & VERB_STOPS)
        push_aside(sv, change);
    if (change->verb->flags & VERB_AT_ONCE) {
        VEC_ADD(&sv->beside, change);
        change_begin(change);
        return;
    }
    VEC_ADD(&sv->waiting, change);
    if (sv->current)
        change_tell_waiting(change, sv->current);
    queue_next(sv);
}

static void begin_verb(struct ipc_request *request, const struct jv *args, struct supervisor *sv, const char *name)
{
    struct change *change = NULL;
    struct err err = { 0 };
    if (change_new(sv, verb_find(name), request, args, change_done, &change, &err) < 0) {
        ipc_answer_error(request, &err);
        return;
    }
    queue_add(sv, change);
}

#define VERB_HANDLER(name)                                                                         \
    static void handle_##name(struct ipc_request *request, const struct jv *args, void *context)   \
    {                                                                                              \
        begin_verb(request, args, context, #name);                                                 \
    }
VERB_HANDLER(up)
VERB_HANDLER(down)
VERB_HANDLER(start)
VERB_HANDLER(stop)
VERB_HANDLER(restart)
VERB_HANDLER(kill)
VERB_HANDLER(rm)
VERB_HANDLER(pause)
VERB_HANDLER(unpause)

void methods_start_services(struct supervisor *sv, char **services)
{
    _cleanup_jv_ struct jv *args = jv_object();
    struct jv *options = jv_object();
    struct change *change = NULL;
    struct err err = { 0 };
    jv_set(options, "services", jv_strv(services));
    jv_set(args, "options", options);
    if (change_new(sv, verb_find("start"), NULL, args, change_done, &change, &err) < 0)
        log_error("project=%s start after boot: %s", sv->name, err.message);
    else
        queue_add(sv, change);
}

/* Like the others, but descriptors may come along. */
static void handle_run(struct ipc_request *request, const struct jv *args, void *context)
{
    struct change *change = NULL;
    struct err err = { 0 };
    const int *fds;
    size_t count = ipc_request_fds(request, &fds);
    if (change_new(context, verb_find("run"), request, args, change_done, &change, &err) < 0) {
        ipc_answer_error(request, &err);
        return;
    }
    for (size_t i = 0; i < MIN(count, ARRAY_LEN(change->direct)); i++)
        change->direct[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, 3);
    if (count > 0)
        change->oneoff.direct = change->direct;
    queue_add(context, change);
}

static void handle_attend(struct ipc_request *request, const struct jv *args, void *context)
{
    oneoff_attend(context, request, jv_get_str(args, "id", ""));
}

void methods_sweep(struct supervisor *sv)
{
    _cleanup_jv_ struct jv *args = jv_object();
    struct change *change = NULL;
    struct err err = { 0 };
    for (size_t i = 0; i < sv->beside.count; i++)
        if (sv->beside.items[i]->verb->is_sweep)
            return;
    if (change_new(sv, verb_find("sweep"), NULL, args, change_done, &change, &err) < 0)
        log_error("project=%s %s", sv->name, err.message);
    else
        queue_add(sv, change);
}

static void handle_cancel(struct ipc_request *request, const struct jv *args _unused_, void *context)
{
    struct supervisor *sv = context;
    struct change *current = sv->current;
    if (current && current->request && ipc_request_same_client(current->request, request))
        change_cancel(current, "interrupted");
    for (size_t i = 0; i < sv->waiting.count; i++) {
        struct change *change = sv->waiting.items[i];
        if (change->request && ipc_request_same_client(change->request, request))
            change_cancel(change, "interrupted");
    }
    for (size_t i = 0; i < sv->beside.count; i++)
        if (sv->beside.items[i]->request && ipc_request_same_client(sv->beside.items[i]->request, request))
            change_cancel(sv->beside.items[i], "interrupted");
    ipc_answer_ok(request, NULL);
}

/* ---- wait ---- */
static bool wait_is_over(const struct supervisor *sv, const struct wait_call *call)
{
    for (size_t i = 0; i < sv->units.count; i++) {
        const struct unit *unit = sv->units.items[i];
        bool meant = !unit->record->oneoff && (!call->services || strv_has(call->services, unit->record->service));
        if (meant && !unit_is_at_rest(unit))
            return false;
    }
    return true;
}

static void wait_answer(const struct supervisor *sv, struct wait_call *taken)
{
    _cleanup_free_ struct wait_call *call = taken;
    struct jv *ok = jv_object(), *codes = jv_object();
    for (size_t i = 0; i < sv->units.count; i++) {
        const struct unit *unit = sv->units.items[i];
        if (!unit->record->oneoff && (!call->services || strv_has(call->services, unit->record->service)))
            jv_set_int(codes, unit->record->name, unit->last.exit_code);
    }
    jv_set(ok, "codes", codes);
    ipc_answer_ok(call->request, ok);
    strv_free(call->services);
}

static void wait_gone(struct ipc_request *request, void *arg)
{
    struct supervisor *sv = arg;
    for (size_t i = 0; i < sv->waits.count; i++)
        if (sv->waits.items[i]->request == request) {
            wait_answer(sv, sv->waits.items[i]); /* nobody hears it; frees */
            sv->waits.items[i] = sv->waits.items[--sv->waits.count];
            break;
        }
    supervisor_check_idle(sv);
}

static void handle_wait(struct ipc_request *request, const struct jv *args, void *context)
{
    struct supervisor *sv = context;
    struct wait_call *call = xcalloc(1, sizeof(*call));
    call->request = request;
    call->services = jv_get_strv(args, "services");
    if (call->services && !call->services[0]) {
        strv_free(call->services);
        call->services = NULL;
    }
    if (wait_is_over(sv, call)) {
        wait_answer(sv, call);
        return;
    }
    VEC_ADD(&sv->waits, call);
    ipc_request_on_gone(request, wait_gone, sv);
}

static void handle_events(struct ipc_request *request, const struct jv *args _unused_, void *context)
{
    events_subscribe(((struct supervisor *)context)->events, request);
}

static void handle_status(struct ipc_request *request, const struct jv *args _unused_, void *context)
{
    const struct supervisor *sv = context;
    struct jv *ok = jv_object();
    jv_set_int(ok, "pid", getpid());
    jv_set_int(ok, "containers", (int64_t)sv->units.count);
    jv_set_str(ok, "version", WINCH_VERSION);
    ipc_answer_ok(request, ok);
}

const struct ipc_method supervisor_methods[] = {
    { "up", handle_up },         { "down", handle_down },     { "start", handle_start },
    { "stop", handle_stop },     { "restart", handle_restart }, { "kill", handle_kill },
    { "pause", handle_pause },   { "unpause", handle_unpause },
    { "run", handle_run },       { "attend", handle_attend },
    { "rm", handle_rm },         { "wait", handle_wait },     { "cancel", handle_cancel },
    { "events", handle_events }, { "status", handle_status }, { 0 },
};

void methods_changed(struct supervisor *sv)
{
    if (sv->current)
        change_look(sv->current);
    for (size_t i = 0; i < sv->beside.count; i++)
        change_look(sv->beside.items[i]);
    for (size_t i = 0; i < sv->waits.count; i++)
        if (wait_is_over(sv, sv->waits.items[i])) {
            struct wait_call *call = sv->waits.items[i];
            sv->waits.items[i--] = sv->waits.items[--sv->waits.count];
            wait_answer(sv, call);
        }
    oneoff_look(sv);
}

bool methods_busy(const struct supervisor *sv)
{
    return sv->current || sv->waiting.count > 0 || sv->beside.count > 0 || sv->waits.count > 0 || oneoff_waits(sv);
}

void methods_warn(struct supervisor *sv, const char *text)
{
    if (sv->current && sv->current->apply)
        apply_warn(sv->current->apply, "%s", text);
}

void methods_free(struct supervisor *sv)
{
    change_free(sv->current); /* its requests end with the server's connections */
    for (size_t i = 0; i < sv->waiting.count; i++)
        change_free(sv->waiting.items[i]);
    VEC_DONE(&sv->waiting);
    for (size_t i = 0; i < sv->beside.count; i++)
        change_free(sv->beside.items[i]);
    VEC_DONE(&sv->beside);
    for (size_t i = 0; i < sv->waits.count; i++) {
        strv_free(sv->waits.items[i]->services);
        free(sv->waits.items[i]);
    }
    VEC_DONE(&sv->waits);
    oneoff_free(sv);
}
