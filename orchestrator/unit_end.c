/* SPDX-License-Identifier: Apache-2.0 */
/* unit_end.c - how a container ended, or why it did not start: kept in lib/containers/<id>/exits, told as an event, and
 * answered by the restart policy. */
#include <fcntl.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/str.h"
#include "orchestrator/exits.h"
#include "orchestrator/restart.h"
#include "orchestrator/supervisor.h"

#define EXITS_KEPT 20

bool unit_ever_ran(const struct unit *unit)
{
    size_t size;
    _cleanup_free_ char *text = exits_read(unit->sv->layout, unit->record->id, &size);
    return text && size > 0;
}

/* Was this very death noted before? Its end time names it. */
static bool exit_is_noted(const struct unit *unit, int64_t finished_ns)
{
    size_t size;
    _cleanup_free_ char *text = exits_read(unit->sv->layout, unit->record->id, &size);
    _cleanup_free_ char *needle = xasprintf("\"finished_ns\":%lld", (long long)finished_ns);
    return text && strstr(text, needle);
}

static void exit_note(struct unit *unit, const char *cause, const struct err *error)
{
    _cleanup_jv_ struct jv *line = jv_object();
    char time[RFC3339_SIZE];
    int64_t finished_ns = unit->last.finished_ns ? unit->last.finished_ns : clock_wall_ns();
    jv_set_str(line, "time", rfc3339_format_ns(finished_ns, time, sizeof(time)));
    jv_set_int(line, "finished_ns", finished_ns);
    jv_set_str(line, "cause", cause);
    jv_set_int(line, "exit", unit->last.exit_code);
    if (unit->last.signo)
        jv_set_str(line, "signal", signal_name(unit->last.signo));
    if (unit->last.oom)
        jv_set_bool(line, "oom", true);
    if (unit->last.started_ns)
        jv_set_int(line, "ran_ms", (finished_ns - unit->last.started_ns) / 1000000);
    if (error)
        jv_set_str(line, "error", error->message);
    _cleanup_free_ char *new_line = jv_dump(line);

    size_t size;
    _cleanup_free_ char *old = exits_read(unit->sv->layout, unit->record->id, &size);
    const char *begin = old ? old : "";
    size_t lines = 0;
    for (const char *p = begin; *p; p++)
        lines += *p == '\n';
    for (; lines >= EXITS_KEPT; lines--)
        begin = strchr(begin, '\n') + 1;
    _cleanup_str_ struct str text = { 0 };
    str_addf(&text, "%s%s\n", begin, new_line);
    _cleanup_free_ char *path = exits_path(unit->sv->layout, unit->record->id);
    struct err err = { 0 };
    /* unsynced: a history for people; what must survive is in container.json */
    if (fs_replace_volatile(AT_FDCWD, path, text.data, text.size, 0600, &err) < 0)
        log_warning("container=%s %s", unit->record->name, err.message);
}

static void tell_death(struct unit *unit, bool again)
{
    struct jv *attributes = jv_object();
    _cleanup_free_ char *code = xasprintf("%d", unit->last.exit_code);
    jv_set_str(attributes, "exitCode", code);
    if (unit->last.signo)
        jv_set_str(attributes, "signal", signal_name(unit->last.signo));
    if (unit->last.oom)
        jv_set_str(attributes, "oom", "true");
    if (again)
        jv_set_bool(attributes, "restarting", true);
    supervisor_event(unit->sv, "die", unit, attributes);
    if (unit->state == INSTANCE_STOPPING)
        supervisor_event(unit->sv, "stop", unit, NULL);
}

/* Takes the policy's answer over and feeds it, one of three events, to the state machine. */
static void apply_verdict_of(struct unit *unit, const struct restart_verdict *verdict, enum instance_event for_good,
                             enum instance_event again, enum instance_event give_up)
{
    unit->streak = verdict->streak;
    unit->delay_us = verdict->delay_us;
    unit->supervise.gave_up = verdict->gave_up;
    if (verdict->restart) {
        unit->supervise.restart_count = verdict->attempts;
        supervisor_event(unit->sv, "restart", unit, NULL);
    }
    unit_event(unit, verdict->restart ? again : verdict->gave_up ? give_up : for_good);
}

void unit_ended(struct unit *unit)
{
    struct restart_facts facts = {
        .exit_code = unit->last.exit_code,
        .user_stopped = unit->user_stopped,
        .ran_us = clock_monotonic_us() - unit->started_us,
        .attempts = unit->supervise.restart_count,
        .streak = unit->streak,
    };
    struct restart_verdict verdict = restart_decide(&unit->runtime.restart, &facts);
    unit_spawn_done(unit);
    unit->paused = false;
    close_fdp(&unit->keep_tty);
    probe_end(unit);
    exit_note(unit, unit->user_stopped ? "stop" : unit->last.oom ? "oom" : "exit", NULL);
    tell_death(unit, verdict.restart);
    apply_verdict_of(unit, &verdict, EV_ENDED, EV_ENDED_RESTART, EV_ENDED_GIVE_UP);
}

void unit_start_failed(struct unit *unit, const struct err *error)
{
    struct restart_facts facts = {
        .start_failed = true,
        .exit_code = 128,
        .user_stopped = unit->user_stopped || unit->by_command, /* a command hears of it and decides */
        .attempts = unit->supervise.restart_count,
        .streak = unit->streak,
    };
    unit->start_error = *error;
    unit->last.state = STATE_EXITED;
    unit->last.exit_code = 128;
    unit_spawn_done(unit);
    log_warning("container=%s start: %s", unit->record->name, error->message);
    exit_note(unit, "start", error);
    struct restart_verdict verdict = restart_decide(&unit->runtime.restart, &facts);
    apply_verdict_of(unit, &verdict, EV_FAILED, EV_FAILED_RETRY, EV_FAILED_GIVE_UP);
}

void unit_ended_before(struct unit *unit)
{
    bool start_failed = unit->last.started_ns == 0; /* and was told */
    if (start_failed && unit->supervise.restarting_until_ns == 0)
        return; /* it was to be tried again by nobody */
    struct err ignored = { 0 };
    if (unit->last.state == STATE_DEAD)
        (void)container_sweep(unit->sv->layout, &unit->record->spec, &ignored); /* nobody else cleans up after it */
    /* the supervisor before us had decided, and counted, and died while it waited: its decision again, and the rest of the wait */
    int64_t until_ns = unit->supervise.restarting_until_ns;
    int64_t count = MAX(0, unit->supervise.restart_count - (until_ns > 0));
    struct restart_facts facts = {
        .start_failed = start_failed,
        .exit_code = unit->last.exit_code,
        .user_stopped = !unit->record->want_running || !unit->sv->intent.want_up || unit->supervise.gave_up,
        .ran_us = start_failed ? 0 : MAX(0, (unit->last.finished_ns - unit->last.started_ns) / 1000),
        .attempts = count,
        .streak = count,
    };
    bool gave_up = unit->supervise.gave_up;
    struct restart_verdict verdict = restart_decide(&unit->runtime.restart, &facts);
    if (until_ns > 0)
        verdict.delay_us = MIN(verdict.delay_us, MAX(0, (until_ns - clock_wall_ns()) / 1000));
    if (!start_failed && (unit->last.finished_ns == 0 || !exit_is_noted(unit, unit->last.finished_ns))) {
        exit_note(unit, "exit", NULL);
        tell_death(unit, verdict.restart);
    }
    verdict.gave_up |= gave_up;
    apply_verdict_of(unit, &verdict, EV_ENDED, EV_ENDED_RESTART, EV_ENDED_GIVE_UP);
}
