/* SPDX-License-Identifier: Apache-2.0 */
/* unit.c - one container under supervision: feeds instance.c's table and does what it says. What takes several steps (start,
 * death, talking to the monitor) has files of its own. */
#include <fcntl.h>
#include <signal.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/proc.h"
#include "orchestrator/exits.h"
#include "orchestrator/supervisor.h"

#define STATUS_BYTES_MAX (64 * 1024)
/* after a SIGKILL to everything the kernel has this long before the stop is called failed */
#define KILL_WAIT_US (10 * INT64_C(1000000))

static void timer_off(struct unit *unit)
{
    loop_source_free(unit->timer);
    unit->timer = NULL;
}

static void grace_over(void *arg)
{
    unit_event(arg, EV_DEADLINE);
}

static void backoff_over(void *arg)
{
    unit_event(arg, EV_BACKOFF_OVER);
}

static void timer_on(struct unit *unit, int64_t delay_us, loop_timer_fn *fn)
{
    timer_off(unit);
    unit->timer = loop_timer(unit->sv->loop, delay_us, fn, unit);
}

/* ---- actions ---- */
static void act_spawn(struct unit *unit)
{
    timer_off(unit);
    unit_spawn(unit); /* "restarting" is shown until it runs */
}

static void act_enter(struct unit *unit)
{
    timer_off(unit);
    unit->supervise.started_once = true;
    unit->supervise.gave_up = false;
    unit->supervise.restarting_until_ns = 0;
    unit->by_command = false;
    if (!unit->adopted) {
        unit->started_us = clock_monotonic_us();
        supervisor_event(unit->sv, "start", unit, NULL);
    }
    probe_begin(unit);
    unit_save_supervise(unit);
}

static void act_release(struct unit *unit)
{
    timer_off(unit);
    unit->by_command = false;
    unit->unkillable = false;
    unit->supervise.restarting_until_ns = 0;
    unit_save_supervise(unit);
    if (!unit->keep_sandbox && !unit->sv->going_down)
        unit_sandbox_drop(unit); /* its ports and names are free again */
}

static void kill_over(void *arg)
{
    struct unit *unit = arg;
    unit->unkillable = true;
    unit_event(unit, EV_DEADLINE);
}

static void act_kill(struct unit *unit)
{
    struct err err = { 0 };
    if (unit->control >= 0 && unit_control_send(unit, MONITOR_KILL, SIGKILL, true, &err) < 0)
        log_warning("container=%s kill: %s", unit->record->name, err.message);
    timer_on(unit, KILL_WAIT_US, kill_over);
}

/* What is to end must be able to. */
static void thaw(struct unit *unit)
{
    struct err err = { 0 };
    if (unit->paused && unit->control >= 0 && unit_control_send(unit, MONITOR_THAW, 0, false, &err) < 0)
        log_warning("container=%s unpause: %s", unit->record->name, err.message);
    unit->paused = false;
}

static void act_signal(struct unit *unit)
{
    if (unit->grace_us <= 0) {
        act_kill(unit);
        return;
    }
    int signo = unit->record->spec.stop_signal ? (int)unit->record->spec.stop_signal : SIGTERM;
    struct err err = { 0 };
    if (unit->control >= 0 && unit_control_send(unit, MONITOR_SIGNAL, signo, false, &err) < 0)
        log_warning("container=%s stop signal: %s", unit->record->name, err.message);
    thaw(unit);
    timer_on(unit, unit->grace_us, grace_over);
}

static void act_wait(struct unit *unit)
{
    unit->by_command = false;
    unit->supervise.restarting_until_ns = clock_wall_ns() + unit->delay_us * 1000;
    unit_save_supervise(unit);
    timer_on(unit, unit->delay_us, backoff_over);
}

static void act_adopt(struct unit *unit)
{
    int control = -1;
    pid_t pid = 0;
    struct err err = { 0 };
    if (container_adopt(unit->sv->layout, &unit->record->spec, unit->keep_tty, &control, &pid, &err) < 0) {
        log_error("container=%s its monitor died and no new one starts: %s", unit->record->name, err.message);
        return;
    }
    (void)loop_child(unit->sv->loop, pid, unit_monitor_reaped, NULL); /* frees itself */
    supervisor_event(unit->sv, "adopt", unit, NULL);
    unit_control_attach(unit, control);
}

typedef void action_fn(struct unit *unit);
static action_fn *const actions[] = {
    [ACT_NONE] = NULL,          [ACT_SPAWN] = act_spawn,     [ACT_ENTER] = act_enter,
    [ACT_FAIL] = act_release,   [ACT_SIGNAL] = act_signal,   [ACT_KILL] = act_kill,
    [ACT_WAIT] = act_wait,      [ACT_RELEASE] = act_release, [ACT_ADOPT] = act_adopt,
};

void unit_monitor_reaped(pid_t pid _unused_, int status _unused_, void *arg _unused_)
{
    /* the socket's end says what is to be said; this only reaps */
}

void unit_event(struct unit *unit, enum instance_event event)
{
    struct instance_step step = instance_step(unit->state, event);
    log_debug("container=%s state=%s event=%d next=%s", unit->record->name, instance_state_text(unit->state), (int)event,
              instance_state_text(step.next));
    unit->state = step.next;
    supervisor_changed(unit->sv);
    if (actions[step.action])
        actions[step.action](unit);
}

/* ---- life ---- */
struct unit *unit_new(struct supervisor *sv, struct container_record *record_taken, struct err *err)
{
    _cleanup_(container_record_freep) struct container_record *record = record_taken;
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    struct service_runtime runtime;
    if (service_runtime_parse(arena, record, &runtime, err) < 0) {
        (void)err_wrap(err, "container %s", record->name);
        return NULL;
    }
    struct unit *unit = xcalloc(1, sizeof(*unit));
    unit->sv = sv;
    unit->direct[0] = unit->direct[1] = unit->direct[2] = -1;
    unit->control = unit->keep[0] = unit->keep[1] = unit->keep_tty = -1;
    unit->runtime = runtime;
    unit->last.exit_code = -1;
    (void)supervise_state_read(sv->layout, record->id, &unit->supervise); /* none yet: zeros */
    struct err ignored = { 0 };
    if (record->network && sandbox_info_from_json(record->network, &unit->sandbox, &ignored) == 0)
        unit->has_sandbox = true;
    unit->record = take_ptr(&record);
    unit->arena = take_ptr(&arena);
    return unit;
}

void unit_direct_close(struct unit *unit)
{
    for (size_t i = 0; i < ARRAY_LEN(unit->direct); i++)
        close_fdp(&unit->direct[i]);
    unit->has_direct = false;
}

void unit_free(struct unit *unit)
{
    if (!unit)
        return;
    timer_off(unit);
    probe_end(unit);
    unit_spawn_done(unit);
    unit_control_detach(unit);
    unit_execs_fail(unit);
    unit_direct_close(unit);
    close_fdp(&unit->keep[0]);
    close_fdp(&unit->keep[1]);
    close_fdp(&unit->keep_tty);
    if (unit->has_sandbox)
        sandbox_info_done(&unit->sandbox);
    VEC_DONE(&unit->execs);
    arena_free(unit->arena);
    container_record_free(unit->record);
    free(unit);
}

int unit_save(struct unit *unit, struct err *err)
{
    return container_record_save(unit->sv->layout, unit->record, err);
}

void unit_save_supervise(struct unit *unit)
{
    struct err err = { 0 };
    unit->supervise.health = unit->health.state;
    unit->supervise.failing_streak = unit->health.streak;
    if (supervise_state_write(unit->sv->layout, unit->record->id, &unit->supervise, &err) < 0)
        log_warning("container=%s %s", unit->record->name, err.message);
}

bool unit_is_active(const struct unit *unit)
{
    return unit->state == INSTANCE_STARTING || unit->state == INSTANCE_RUNNING || unit->state == INSTANCE_STOPPING;
}

bool unit_is_at_rest(const struct unit *unit)
{
    return unit->state == INSTANCE_IDLE || unit->state == INSTANCE_GAVE_UP;
}

/* ---- commands ---- */
void unit_start(struct unit *unit)
{
    if (unit->state == INSTANCE_RUNNING || unit->state == INSTANCE_STARTING)
        return;
    unit->by_command = true;
    unit->user_stopped = false;
    unit->supervise.restart_count = 0;
    unit->supervise.gave_up = false;
    unit->streak = 0;
    unit_event(unit, EV_START);
}

void unit_stop(struct unit *unit, int64_t grace_us)
{
    unit->user_stopped = true;
    unit->grace_us = grace_us;
    unit->unkillable = false;
    bool unborn = unit->start_queued;
    unit->start_queued = false;
    unit_event(unit, grace_us > 0 ? EV_STOP : EV_DEADLINE);
    if (unborn) /* it never had its turn: nothing to wait for */
        unit_event(unit, EV_FAILED);
}

int unit_signal(struct unit *unit, int signo, struct err *err)
{
    int stop_signal = unit->record->spec.stop_signal ? (int)unit->record->spec.stop_signal : SIGTERM;
    if (signo == SIGKILL) {
        unit_stop(unit, 0);
        return 0;
    }
    if (signo == stop_signal)
        unit->user_stopped = true; /* as docker: the signal that means stop is a stop */
    if (unit_control_send(unit, MONITOR_SIGNAL, signo, false, err) < 0)
        return -1;
    if (signo == stop_signal)
        thaw(unit);
    return 0;
}

/* ---- at our own start ---- */
static void take_running(struct unit *unit)
{
    int control = -1;
    struct err err = { 0 };
    unit->adopted = true;
    unit->paused = unit->last.state == STATE_PAUSED;
    unit->started_us = clock_monotonic_us() - MAX(0, (clock_wall_ns() - unit->last.started_ns) / 1000);
    if (container_output_keep(unit->sv->layout, unit->record->id, unit->keep, &err) < 0)
        log_warning("container=%s output: %s", unit->record->name, err.message);
    if (unit->last.monitor_alive && monitor_connect(unit->sv->layout, unit->record->id, &control, &err) == 0) {
        unit_control_attach(unit, control);
        (void)unit_control_send(unit, MONITOR_STATUS, 0, false, &err); /* its end is seen by the socket anyway */
        unit_event(unit, EV_STARTED);
    } else {
        unit_event(unit, EV_LOST);
        probe_begin(unit);
    }
}

static void take_starting(struct unit *unit)
{
    int control = -1;
    struct err err = { 0 };
    if (monitor_connect(unit->sv->layout, unit->record->id, &control, &err) < 0)
        return;
    unit->state = INSTANCE_STARTING;
    unit_control_attach(unit, control);
    (void)unit_control_send(unit, MONITOR_STATUS, 0, false, &err); /* answered by STARTED once it runs */
}

/* Without /run on a tmpfs (--root) the file of the last boot may still be there. */
static bool status_is_of_this_boot(const struct unit *unit)
{
    char boot[37] = "", now[37];
    _cleanup_free_ char *path = layout_run(unit->sv->layout, "containers/%s/status", unit->record->id);
    _cleanup_free_ char *text = NULL;
    struct container_status status;
    struct err err = { 0 };
    if (fs_read(AT_FDCWD, path, STATUS_BYTES_MAX, &text, NULL, &err) < 0 || container_status_parse(text, &status, boot, &err) < 0)
        return false;
    proc_boot_id(now);
    return strcmp(boot, now) == 0;
}

/* A boot lies between, or it never ran: what is in run/ is of no worth, even where it survived (--root on a disk). */
static void forget_boot(struct unit *unit)
{
    unit->last = (struct container_status){ .state = STATE_CREATED, .exit_code = -1 };
    unit->boot_between = true;
    unit->supervise = (struct supervise_state){ 0 };
    if (unit->has_sandbox)
        sandbox_info_done(&unit->sandbox);
    unit->has_sandbox = false;
    exits_recall(unit->sv->layout, unit->record->id, &unit->last);
}

void unit_adopt(struct unit *unit)
{
    struct err err = { 0 };
    if (container_status_read(unit->sv->layout, unit->record->id, &unit->last, &err) < 0) {
        log_warning("container=%s %s", unit->record->name, err.message);
        unit->last = (struct container_status){ .state = STATE_DEAD, .exit_code = -1 };
    }
    unit->health.state = unit->supervise.health;
    unit->health.streak = unit->supervise.failing_streak;
    switch (unit->last.state) {
    case STATE_RUNNING:
    case STATE_PAUSED:
        take_running(unit);
        break;
    case STATE_CREATED:
        if (unit->last.monitor_alive)
            take_starting(unit);
        else
            forget_boot(unit);
        break;
    default:
        unit->sandbox_unsure = true;
        if (status_is_of_this_boot(unit))
            unit_ended_before(unit);
        else
            forget_boot(unit);
        break;
    }
}
