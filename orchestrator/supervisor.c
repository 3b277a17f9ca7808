/* SPDX-License-Identifier: Apache-2.0 */
/* supervisor.c - the whole: which containers there are, what happens to them when this process starts, and when it may end. */
#include "orchestrator/supervisor.h"

#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/str.h"
#include "orchestrator/apply.h"
#include "orchestrator/client.h"
#include "orchestrator/methods.h"
#include "orchestrator/restart.h"
#include "parser/load.h"

#define START_LIMIT_DEFAULT 8
#define IDLE_FIRST_US (20 * 1000)
#define IDLE_CAP_US   (1000 * 1000)

static void wake_argv_init(struct supervisor *sv)
{
    _cleanup_free_ char *path = NULL;
    struct err err = { 0 };
    if (proc_libexec("winch-supervisor", &path, &err) < 0)
        return; /* monitors then wake nobody; the next command does */
    sv->wake_argv = strv_add(NULL, path);
    const char *root = layout_root_arg(sv->layout);
    if (root) {
        sv->wake_argv = strv_add(sv->wake_argv, "--root");
        sv->wake_argv = strv_add(sv->wake_argv, root);
    }
    sv->wake_argv = strv_add(sv->wake_argv, sv->name);
}

static size_t start_limit(void)
{
    const char *text = getenv("WINCH_PARALLEL_STARTS");
    long long value = START_LIMIT_DEFAULT;
    if (text)
        (void)parse_i64(text, 1, 1000, &value); /* unreadable: the default */
    return (size_t)value;
}

struct supervisor *supervisor_new(struct layout *layout, const char *name, struct loop *loop)
{
    struct supervisor *sv = xcalloc(1, sizeof(*sv));
    sv->layout = layout;
    sv->name = name;
    sv->loop = loop;
    sv->start_limit = start_limit();
    sv->netd = netd_link_new(sv);
    sv->events = events_open(layout, name);
    sv->socket_path = layout_run(layout, "projects/%s/supervisor.sock", name);
    wake_argv_init(sv);
    return sv;
}

void supervisor_free(struct supervisor *sv)
{
    if (!sv)
        return;
    methods_free(sv);
    sv->start_limit = 0; /* nothing takes the place of a start that ends now */
    for (size_t i = 0; i < sv->units.count; i++) {
        sv->units.items[i]->execs.count = 0; /* who waits for them is gone already */
        unit_free(sv->units.items[i]);
    }
    VEC_DONE(&sv->units);
    for (size_t i = 0; i < sv->populating.count; i++)
        free(sv->populating.items[i]);
    VEC_DONE(&sv->populating);
    loop_source_free(sv->idle_timer);
    ipc_server_free(sv->server);
    netd_link_free(sv->netd);
    events_free(sv->events);
    project_free(sv->model);
    project_intent_done(&sv->intent);
    strv_free(sv->wake_argv);
    free(sv->socket_path);
    free(sv->userns);
    free(sv);
}

/* ---- units ---- */
struct unit *supervisor_unit(const struct supervisor *sv, const char *id)
{
    for (size_t i = 0; i < sv->units.count; i++)
        if (strcmp(sv->units.items[i]->record->id, id) == 0)
            return sv->units.items[i];
    return NULL;
}

struct unit *supervisor_unit_named(const struct supervisor *sv, const char *name)
{
    for (size_t i = 0; i < sv->units.count; i++)
        if (strcmp(sv->units.items[i]->record->name, name) == 0)
            return sv->units.items[i];
    return supervisor_unit(sv, name);
}

struct unit *supervisor_replica(const struct supervisor *sv, const char *service, int64_t number)
{
    for (size_t i = 0; i < sv->units.count; i++) {
        const struct container_record *record = sv->units.items[i]->record;
        if (!record->oneoff && str_eq(record->service, service) && record->number == number)
            return sv->units.items[i];
    }
    return NULL;
}

void supervisor_add(struct supervisor *sv, struct unit *unit)
{
    VEC_ADD(&sv->units, unit);
}

void supervisor_remove(struct supervisor *sv, struct unit *unit)
{
    for (size_t i = 0; i < sv->units.count; i++)
        if (sv->units.items[i] == unit) {
            sv->units.items[i] = sv->units.items[--sv->units.count];
            break;
        }
    unit_free(unit);
    supervisor_changed(sv);
}

static void look_again(void *arg)
{
    struct supervisor *sv = arg;
    sv->changed = false;
    methods_changed(sv);
    supervisor_check_idle(sv);
}

void supervisor_changed(struct supervisor *sv)
{
    if (sv->changed)
        return;
    sv->changed = true;
    loop_soon(sv->loop, look_again, sv);
}

void supervisor_event(struct supervisor *sv, const char *action, const struct unit *unit, struct jv *attributes)
{
    struct jv *event = jv_object();
    jv_set_str(event, "action", action);
    if (unit) {
        jv_set_str(event, "service", unit->record->service);
        jv_set_int(event, "number", unit->record->number);
        jv_set_str(event, "container", unit->record->name);
        jv_set_str(event, "id", unit->record->id);
        if (unit->record->oneoff)
            jv_set_bool(event, "oneoff", true);
    }
    jv_set(event, "attributes", attributes ? attributes : jv_object());
    events_add(sv->events, event);
}

/* ---- user namespace ---- */
int supervisor_userns(struct supervisor *sv, struct err *err)
{
    if (sv->userns_known)
        return 0;
    if (!userns_usable(sv->layout, sv->userns_reason, sizeof(sv->userns_reason))) {
        sv->userns_known = true; /* the change that asked first warns its user */
        return 0;
    }
    if (sv->intent.id_base == 0) {
        project_intent_done(&sv->intent);
        if (project_intent_ensure(sv->layout, sv->name, &sv->intent, err) < 0)
            return -1;
    }
    if (userns_ensure(sv->layout, sv->name, sv->intent.id_base, ID_RANGE_COUNT, &sv->userns, err) < 0)
        return -1;
    sv->userns_known = true;
    return 0;
}

/* ---- the end ---- */
static bool is_idle(const struct supervisor *sv)
{
    return sv->units.count == 0 && !methods_busy(sv) && ipc_server_clients(sv->server) == 0;
}

static void idle_look(void *arg)
{
    struct supervisor *sv = arg;
    if (is_idle(sv)) {
        loop_stop(sv->loop, 0);
    } else if (sv->units.count == 0) { /* a client is still connected: look again later, less and less often */
        sv->idle_us = MIN(sv->idle_us * 2, IDLE_CAP_US);
        loop_timer_arm(sv->idle_timer, sv->idle_us);
    }
}

void supervisor_check_idle(struct supervisor *sv)
{
    if (sv->units.count > 0 || methods_busy(sv))
        return;
    sv->idle_us = IDLE_FIRST_US;
    if (!sv->idle_timer)
        sv->idle_timer = loop_timer(sv->loop, sv->idle_us, idle_look, sv);
    else
        loop_timer_arm(sv->idle_timer, sv->idle_us);
}

/* ---- the beginning ---- */
static void bad_record(const char *id, const struct err *error, void *arg _unused_)
{
    if (error->code != ERR_NOT_FOUND) /* a half-made container of another project */
        log_error("container=%s %s", id, error->message);
}

static void load_units(struct supervisor *sv, struct container_record **records, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct err err = { 0 };
        struct unit *unit = unit_new(sv, records[i], &err);
        if (unit)
            supervisor_add(sv, unit);
        else
            log_error("project=%s %s", sv->name, err.message);
    }
    free(records); /* the elements went to the units */
}

/* After a boot: everything that policy and intent want, in dependency order. */
static void start_after_boot(struct supervisor *sv)
{
    char **services = NULL;
    for (size_t i = 0; i < sv->units.count; i++) {
        struct unit *unit = sv->units.items[i];
        if (unit->state == INSTANCE_IDLE && unit->boot_between &&
            restart_after_boot(&unit->runtime.restart, unit->record->want_running, unit_ever_ran(unit)) &&
            !strv_has(services, unit->record->service))
            services = strv_add(services, unit->record->service);
    }
    if (services)
        methods_start_services(sv, services);
    strv_free(services);
}

static int load_model(struct supervisor *sv, struct err *err)
{
    _cleanup_jv_ struct jv *stored = NULL;
    if (project_intent_load(sv->layout, sv->name, &sv->intent, err) < 0) {
        if (err->code != ERR_NOT_FOUND)
            return -1;
        err_clear(err);
        return 0;
    }
    if (project_stored(sv->layout, sv->name, &stored, err) < 0 || project_from_json(stored, &sv->model, err) < 0) {
        if (err->code != ERR_NOT_FOUND) /* containers carry what supervising them needs */
            log_warning("project=%s stored model: %s", sv->name, err->message);
        err_clear(err);
    }
    return 0;
}

int supervisor_load(struct supervisor *sv, struct err *err)
{
    struct container_record **records = NULL;
    size_t count = 0;
    container_record_sweep(sv->layout, sv->name);
    if (load_model(sv, err) < 0 ||
        container_record_list(sv->layout, sv->name, &records, &count, bad_record, NULL, err) < 0)
        return -1;
    load_units(sv, records, count);
    for (size_t i = 0; i < sv->units.count; i++)
        unit_adopt(sv->units.items[i]);
    if (sv->intent.want_up)
        start_after_boot(sv);
    netd_link_need(sv->netd);
    supervisor_check_idle(sv);
    return 0;
}
