/* SPDX-License-Identifier: Apache-2.0 */
/* change.c - the life of one changing call. Intent goes to disk before the plan is applied, so that whoever comes after a crash
 * goes on from the same wish. */
#include "orchestrator/change.h"

#include <stdio.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "base/units.h"
#include "parser/load.h"

static const struct verb verbs[] = {
    { .name = "up", .flags = VERB_WANTS_UP, .is_up = true },
    { .name = "down", .flags = VERB_STOPS | VERB_WANTS_DOWN, .is_down = true },
    { .name = "start", .flags = VERB_WANTS_UP, .kind = OP_CONTAINER_START },
    { .name = "stop", .flags = VERB_STOPS | VERB_WANTS_DOWN, .kind = OP_CONTAINER_STOP },
    { .name = "restart", .flags = VERB_WANTS_UP, .kind = OP_CONTAINER_RESTART },
    { .name = "kill", .flags = VERB_STOPS | VERB_AT_ONCE, .kind = OP_CONTAINER_KILL },
    { .name = "pause", .flags = VERB_AT_ONCE, .kind = OP_CONTAINER_PAUSE },
    { .name = "unpause", .flags = VERB_AT_ONCE, .kind = OP_CONTAINER_UNPAUSE }, /* an `up` may wait for just this container */
    { .name = "run", .is_run = true },
    { .name = "sweep", .flags = VERB_AT_ONCE, .kind = OP_CONTAINER_REMOVE, .is_sweep = true }, /* ours: what run --rm left */
    { .name = "rm", .flags = VERB_STOPS, .kind = OP_CONTAINER_REMOVE },
};

const struct verb *verb_find(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(verbs); i++)
        if (strcmp(verbs[i].name, name) == 0)
            return &verbs[i];
    return NULL;
}

static void read_options(struct change *change, const struct jv *json)
{
    change->services = jv_get_strv(json, "services");
    change->scale = jv_get_strv(json, "scale");
    change->stop_first = jv_get_bool(json, "stop", false);
    change->wait = jv_get_bool(json, "wait", false);
    change->wait_timeout_us = jv_get_int(json, "wait_timeout_us", 0);
    change->options = (struct plan_options){
        .services = strv_len(change->services) ? (const char *const *)change->services : NULL,
        .scale = (const char *const *)change->scale,
        .no_deps = jv_get_bool(json, "no_deps", false),
        .force_recreate = jv_get_bool(json, "force_recreate", false),
        .no_recreate = jv_get_bool(json, "no_recreate", false),
        .always_recreate_deps = jv_get_bool(json, "always_recreate_deps", false),
        .renew_anon_volumes = jv_get_bool(json, "renew_anon_volumes", false),
        .strict = jv_get_bool(json, "strict", false),
        .remove_orphans = jv_get_bool(json, "remove_orphans", false),
        .no_start = jv_get_bool(json, "no_start", false),
        .ignore_orphans = jv_get_bool(json, "ignore_orphans", false),
        .volumes = jv_get_bool(json, "volumes", false),
        .pull = jv_get_str(json, "pull", NULL), /* lives in change->args */
        .timeout_us = jv_get_int(json, "timeout_us", -1),
        .signo = (int)jv_get_int(json, "signo", 0),
    };
}

int change_new(struct supervisor *sv, const struct verb *verb, struct ipc_request *request, const struct jv *args,
               void (*done)(struct change *), struct change **ret_change, struct err *err)
{
    struct change *change = xcalloc(1, sizeof(*change));
    *change = (struct change){ .sv = sv, .verb = verb, .direct = { -1, -1, -1 }, .args = jv_copy_deep(args), .done = done };
    const struct jv *project = jv_find(change->args, "project");
    if (project && project_from_json(project, &change->model, err) < 0) {
        change_free(change);
        return err_wrap(err, "project");
    }
    if ((verb->is_up || verb->is_run) && !change->model) {
        change_free(change);
        return err_set(err, ERR_PROTOCOL, "%s without a project", verb->name);
    }
    if (change->model && strcmp(change->model->name, sv->name) != 0) {
        change_free(change);
        return err_set(err, ERR_PROTOCOL, "this is the supervisor of project %s", sv->name);
    }
    change->parallel = (size_t)jv_get_int(change->args, "parallel", 0);
    read_options(change, jv_find(change->args, "options"));
    if (verb->is_run && oneoff_read(change, jv_find(change->args, "options"), err) < 0) {
        change_free(change);
        return -1;
    }
    change->options.auto_removed = verb->is_sweep;
    change->options.volumes |= verb->is_sweep;
    change->request = request;
    *ret_change = change;
    return 0;
}

void change_free(struct change *change)
{
    if (!change)
        return;
    loop_source_free(change->timer);
    apply_free(change->apply);
    for (size_t i = 0; i < ARRAY_LEN(change->direct); i++)
        close_fdp(&change->direct[i]);
    strv_free(change->services);
    strv_free(change->scale);
    project_free(change->model);
    jv_free(change->args);
    free(change);
}

/* ---- talking to the caller ---- */
static void send_event(struct jv *event, void *arg)
{
    struct change *change = arg;
    if (change->request)
        ipc_send_event(change->request, event);
    else
        jv_free(event);
}

void change_tell_waiting(struct change *change, const struct change *behind)
{
    struct jv *event = jv_object();
    _cleanup_free_ char *text = xasprintf("another command (%s) is working on project %s", behind->verb->name, change->sv->name);
    jv_set_str(event, "type", "waiting");
    jv_set_str(event, "text", text);
    send_event(event, change);
}

static void answer(void *arg)
{
    struct change *change = arg;
    if (change->request && change->error.code != ERR_NONE)
        ipc_answer_error(change->request, &change->error);
    else if (change->request && change->verb->is_run)
        oneoff_begun(change);
    else if (change->request)
        ipc_answer_ok(change->request, NULL);
    else if (change->error.code != ERR_NONE)
        log_error("project=%s %s: %s", change->sv->name, change->verb->name, change->error.message);
    change->request = NULL;
    change->done(change);
}

static void change_end(struct change *change, const struct err *error)
{
    if (change->ended)
        return;
    change->ended = true;
    change->awaiting = false;
    if (change->verb->is_down)
        change->sv->going_down = false;
    if (change->sv->deleted) {
        change->sv->deleted = false;
        container_delete_finish(change->sv->layout);
    }
    if (error && change->error.code == ERR_NONE)
        (void)err_copy(&change->error, error);
    loop_soon(change->sv->loop, answer, change);
}

/* ---- waiting for services (up --wait) ---- */
static bool somebody_awaits_completion(const struct project *model, const char *name)
{
    for (size_t i = 0; model && i < model->services.count; i++) {
        const struct service *service = &model->services.items[i];
        for (size_t j = 0; j < service->depends_on.count; j++)
            if (service->depends_on.items[j].condition == DEPENDS_COMPLETED &&
                strcmp(service->depends_on.items[j].service, name) == 0)
                return true;
    }
    return false;
}

/* 1 ready, 0 not yet, -1 never. */
static int unit_ready(const struct change *change, const struct unit *unit, struct err *err)
{
    const char *name = unit->record->name;
    if (somebody_awaits_completion(change->sv->model, unit->record->service) &&
        (unit_is_at_rest(unit) && unit->last.exit_code == 0))
        return 1;
    if (unit_is_at_rest(unit))
        return err_set(err, ERR_FAILED, "container %s exited (%d)", name, unit->last.exit_code);
    if (unit->state != INSTANCE_RUNNING || somebody_awaits_completion(change->sv->model, unit->record->service))
        return 0;
    if (!unit->runtime.health.set || unit->health.state == HEALTH_HEALTHY)
        return 1;
    if (unit->health.state == HEALTH_UNHEALTHY)
        return err_set(err, ERR_FAILED, "container %s is unhealthy: last probe (exit %d): %.400s", name,
                       unit->supervise.last_probe_code, unit->supervise.last_output);
    return 0;
}

static bool is_in_plan(const struct plan *plan, const struct unit *unit)
{
    for (size_t i = 0; i < plan->count; i++)
        if (!unit->record->oneoff && plan->ops[i].service && str_eq(plan->ops[i].service, unit->record->service) &&
            plan->ops[i].kind != OP_CONTAINER_REMOVE && plan->ops[i].kind != OP_CONTAINER_STOP)
            return true;
    return false;
}

static void await_look(struct change *change)
{
    bool all = true;
    for (size_t i = 0; i < change->sv->units.count; i++) {
        const struct unit *unit = change->sv->units.items[i];
        struct err err = { 0 };
        if (!is_in_plan(change->apply->plan, unit))
            continue;
        int ready = unit_ready(change, unit, &err);
        if (ready < 0) {
            change_end(change, &err);
            return;
        }
        all &= ready > 0;
    }
    if (all)
        change_end(change, NULL);
}

static void wait_timed_out(void *arg)
{
    struct change *change = arg;
    _cleanup_free_ char *text = duration_format(change->wait_timeout_us);
    if (change->error.code == ERR_NONE)
        (void)err_set(&change->error, ERR_TIMEOUT, "application not healthy after %s", text);
    if (change->awaiting)
        change_end(change, NULL);
    else if (change->apply)
        apply_cancel(change->apply);
}

/* ---- after the plan ---- */
static void begin_apply(struct change *change, struct plan *plan);
static void change_go(struct change *change);

/* Nothing is left: neither is what only served it. */
static void forget_project(struct change *change)
{
    struct supervisor *sv = change->sv;
    struct err err = { 0 };
    if (userns_release(sv->layout, sv->name, &err) < 0)
        log_warning("project=%s %s", sv->name, err.message);
    free(sv->userns);
    sv->userns = NULL;
    sv->userns_known = false;
    cgroup_project_remove(sv->layout, sv->name);
    events_forget(sv->events);
    if (project_forget(sv->layout, sv->name, &err) < 0)
        log_warning("project=%s %s", sv->name, err.message);
    project_free(sv->model);
    sv->model = NULL;
    project_intent_done(&sv->intent);
    sv->intent = (struct project_intent){ 0 };
}

static const struct project *model_of(const struct change *change)
{
    return change->model ? change->model : change->sv->model;
}

static struct container_record *held_record(const char *id, void *arg)
{
    const struct unit *unit = supervisor_unit(arg, id);
    return unit ? unit->record : NULL;
}

static int plan_of_verb(struct change *change, enum op_kind kind, struct plan **ret_plan, struct err *err)
{
    struct observed observed = { 0 };
    const struct observe_known known = { .record = held_record, .arg = change->sv };
    if (observe_beside(change->sv->layout, change->sv->name, model_of(change), &known, &observed, err) < 0)
        return -1;
    if ((change->verb->is_up || change->verb->is_run) && observed.lost) { /* a second one beside it would write to the same volumes */
        (void)err_set(err, ERR_CORRUPT, "a running container's record cannot be read: %s", observed.lost[0]);
        (void)err_hint(err, "put the file back from a copy, or kill the container's processes and remove its folder");
        observed_done(&observed);
        return -1;
    }
    int rc = change->verb->is_up || change->verb->is_run ? plan_make_up(change->model, &observed, &change->options, ret_plan, err)
             : change->verb->is_down ? plan_make_down(model_of(change), &observed, &change->options, ret_plan, err)
                                     : plan_make_verb(kind, model_of(change), &observed, &change->options, ret_plan, err);
    observed_done(&observed);
    return rc;
}

static void applied(const struct err *error, void *arg)
{
    struct change *change = arg;
    struct err err = { 0 };
    if (error || change->error.code != ERR_NONE) {
        change_end(change, error);
        return;
    }
    if (change->pulling) { /* now it is known what the images are */
        change->pulling = false;
        change->options.images_done = true;
        change_go(change);
        return;
    }
    if (change->stop_first) { /* rm --stop: now what is stopped */
        struct plan *plan = NULL;
        change->stop_first = false;
        if (plan_of_verb(change, change->verb->kind, &plan, &err) < 0)
            change_end(change, &err);
        else
            begin_apply(change, plan);
        return;
    }
    if ((change->verb->is_up || change->verb->is_run) && container_records_sync(change->sv->layout, &err) < 0)
        log_warning("project=%s %s", change->sv->name, err.message);
    if (change->verb->is_down && change->sv->units.count == 0 && !change->options.services)
        forget_project(change);
    if (change->verb->is_up && change->wait && !change->options.no_start) {
        change->awaiting = true;
        await_look(change);
        return;
    }
    change_end(change, NULL);
}

/* ---- before the plan is applied ---- */
static void warn_all(struct change *change, const struct plan *plan)
{
    struct supervisor *sv = change->sv;
    bool creates = false;
    for (size_t i = 0; i < plan->warning_count; i++)
        apply_warn(change->apply, "%s", plan->warnings[i]);
    for (size_t i = 0; i < plan->count; i++)
        creates |= plan->ops[i].kind == OP_CONTAINER_CREATE || plan->ops[i].kind == OP_CONTAINER_RECREATE;
    struct err err = { 0 };
    if (creates && supervisor_userns(sv, &err) == 0 && !sv->userns)
        apply_warn(change->apply, "containers run without a user namespace of their own: %s", sv->userns_reason);
}

static void begin_apply(struct change *change, struct plan *plan)
{
    apply_free(change->apply);
    change->apply = apply_new(change->sv, plan, model_of(change) ? model_of(change) : NULL, send_event, applied, change);
    change->apply->oneoff = change->verb->is_run ? &change->oneoff : NULL;
    change->apply->renew_anon_volumes = change->options.renew_anon_volumes;
    change->apply->strict = change->options.strict;
    change->apply->going_down = change->sv->going_down;
    change->apply->parallel = change->parallel;
    warn_all(change, plan);
    apply_pump(change->apply);
}

/* up: what is wanted from now on. */
static int accept_model(struct change *change, struct err *err)
{
    struct supervisor *sv = change->sv;
    project_intent_done(&sv->intent);
    sv->intent = (struct project_intent){ 0 };
    if (project_intent_ensure(sv->layout, sv->name, &sv->intent, err) < 0 ||
        project_generation_add(sv->layout, change->model, &sv->intent, err) < 0)
        return -1;
    sv->intent.want_up = !change->options.no_start || sv->intent.want_up;
    if (project_intent_save(sv->layout, &sv->intent, err) < 0)
        return -1;
    project_free(sv->model);
    sv->model = take_ptr(&change->model);
    return 0;
}

/* `run` keeps its model to itself; but the services it starts are to come back as if `up` had started them. */
static bool starts_services(const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->ops[i].kind == OP_CONTAINER_START && !plan->ops[i].oneoff)
            return true;
    return false;
}

static int save_intent(struct change *change, const struct plan *plan, struct err *err)
{
    struct supervisor *sv = change->sv;
    bool want_up = sv->intent.want_up;
    if (change->verb->is_up)
        return accept_model(change, err);
    if (change->verb->is_run) {
        want_up |= starts_services(plan);
        project_intent_done(&sv->intent);
        sv->intent = (struct project_intent){ 0 };
        if (project_intent_ensure(sv->layout, sv->name, &sv->intent, err) < 0)
            return -1;
    }
    if (change->verb->flags & VERB_WANTS_UP)
        want_up = true;
    if ((change->verb->flags & VERB_WANTS_DOWN) && !change->options.services)
        want_up = false;
    if (change->verb->is_down)
        sv->going_down = !change->options.services;
    if (!sv->intent.name || want_up == sv->intent.want_up)
        return 0;
    sv->intent.want_up = want_up;
    if (project_intent_save(sv->layout, &sv->intent, err) == 0)
        return 0;
    if (want_up)
        return -1;
    /* a full disk must not keep anybody from ending things: that may be what makes room */
    log_warning("project=%s %s; a boot may start it again", sv->name, err->message);
    err_clear(err);
    return 0;
}

/* A missing image fails before anything was intended or made; and only a pulled one tells what has to be made again. The
 * pulls are the first operations of a plan and depend on nothing. */
static size_t pulls_of(const struct plan *plan)
{
    size_t count = 0;
    while (count < plan->count && plan->ops[count].kind == OP_IMAGE_PULL)
        count++;
    return count;
}

static bool plan_needs_netd(const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->ops[i].kind == OP_NETWORK_CREATE || plan->ops[i].kind == OP_CONTAINER_START)
            return true;
    return false;
}

static void change_go(struct change *change)
{
    struct plan *plan = NULL;
    struct err err = { 0 };
    enum op_kind kind = change->stop_first ? OP_CONTAINER_STOP : change->verb->kind;
    if (plan_of_verb(change, kind, &plan, &err) < 0) {
        change_end(change, &err);
        return;
    }
    if (plan_needs_netd(plan))
        netd_link_warm(change->sv->netd);
    size_t pulls = pulls_of(plan);
    if (pulls > 0) {
        plan->count = pulls;
        plan->warning_count = 0; /* told by the second pass */
        change->pulling = true;
    } else if (save_intent(change, plan, &err) < 0) {
        plan_free(plan);
        change_end(change, &err);
        return;
    }
    begin_apply(change, plan);
}

void change_begin(struct change *change)
{
    if (change->ended)
        return; /* cancelled while it waited; its answer is under way */
    netd_link_need(change->sv->netd); /* a command that succeeds leaves everything working, names too */
    if (change->wait_timeout_us > 0 && change->wait)
        change->timer = loop_timer(change->sv->loop, change->wait_timeout_us, wait_timed_out, change);
    change_go(change);
}

void change_cancel(struct change *change, const char *why)
{
    if (change->ended || change->cancelled)
        return;
    change->cancelled = true;
    if (change->error.code == ERR_NONE)
        (void)err_set(&change->error, ERR_CANCELLED, "%s", why);
    if (change->awaiting || !change->apply)
        change_end(change, NULL);
    else
        apply_cancel(change->apply);
}

void change_look(struct change *change)
{
    if (change->ended)
        return;
    if (change->awaiting)
        await_look(change);
    else if (change->apply)
        apply_changed(change->apply);
}
