/* SPDX-License-Identifier: Apache-2.0 */
/* unit_control.c - the socket of a container's monitor: requests out, answers and notices in. Its end completes what the last
 * notice began: only then is the monitor's work (mounts, status file, log) really over and a next start safe. */
#include <sys/wait.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/proc.h"
#include "orchestrator/methods.h"
#include "orchestrator/supervisor.h"

int unit_control_send(struct unit *unit, enum monitor_kind kind, int signo, bool all, struct err *err)
{
    if (unit->control < 0)
        return err_set(err, ERR_NOT_FOUND, "container %s is not running", unit->record->name);
    struct monitor_message message = { .kind = kind, .request_id = ++unit->next_request, .signo = signo, .all = all };
    return monitor_send(unit->control, &message, NULL, 0, err);
}

static struct unit_exec *exec_find(struct unit *unit, const struct monitor_message *message)
{
    for (size_t i = 0; i < unit->execs.count; i++) {
        struct unit_exec *exec = &unit->execs.items[i];
        if (exec->request_id == message->request_id || (message->exec_id && exec->exec_id == message->exec_id))
            return exec;
    }
    return NULL;
}

static void exec_finish(struct unit *unit, struct unit_exec *exec, const struct monitor_message *result, const struct err *error)
{
    struct unit_exec ended = *exec; /* out of the list first: fn may start the next one */
    *exec = unit->execs.items[--unit->execs.count];
    ended.fn(unit, result, error, ended.arg);
}

void unit_execs_fail(struct unit *unit)
{
    struct err err = { 0 };
    (void)err_set(&err, ERR_CANCELLED, "container %s ended", unit->record->name);
    while (unit->execs.count > 0)
        exec_finish(unit, &unit->execs.items[0], NULL, &err);
}

int unit_exec_run(struct unit *unit, const struct exec_spec *spec, unit_exec_fn *fn, void *arg, struct err *err)
{
    if (unit->control < 0)
        return err_set(err, ERR_NOT_FOUND, "container %s is not running", unit->record->name);
    _cleanup_free_ void *data = NULL;
    size_t size = 0;
    _cleanup_close_ int fd = -1;
    if (exec_spec_pack(spec, &data, &size, err) < 0 || fd_memfd("exec", data, size, &fd, err) < 0)
        return -1;
    struct monitor_message message = { .kind = MONITOR_EXEC, .request_id = ++unit->next_request };
    if (monitor_send(unit->control, &message, &fd, 1, err) < 0)
        return -1;
    VEC_ADD(&unit->execs, (struct unit_exec){ .request_id = message.request_id, .fn = fn, .arg = arg });
    return 0;
}

struct freezing {
    bool freeze;
    unit_exec_fn *fn;
    void *arg;
};

static void freeze_answered(struct unit *unit, const struct monitor_message *result, const struct err *error, void *arg)
{
    _cleanup_free_ struct freezing *freezing = arg;
    if (!error && unit->paused != freezing->freeze) {
        unit->paused = freezing->freeze;
        unit->last.state = freezing->freeze ? STATE_PAUSED : STATE_RUNNING;
        if (freezing->freeze)
            probe_pause(unit);
        else
            probe_continue(unit);
        supervisor_event(unit->sv, freezing->freeze ? "pause" : "unpause", unit, NULL);
        supervisor_changed(unit->sv);
    }
    freezing->fn(unit, result, error, freezing->arg);
}

int unit_freeze(struct unit *unit, bool freeze, unit_exec_fn *fn, void *arg, struct err *err)
{
    if (unit->control < 0 || unit->state != INSTANCE_RUNNING)
        return err_set(err, ERR_NOT_FOUND, "container %s is not running", unit->record->name);
    if (unit_control_send(unit, freeze ? MONITOR_FREEZE : MONITOR_THAW, 0, false, err) < 0)
        return -1;
    struct freezing *freezing = xcalloc(1, sizeof(*freezing));
    *freezing = (struct freezing){ freeze, fn, arg };
    VEC_ADD(&unit->execs, (struct unit_exec){ .request_id = unit->next_request, .fn = freeze_answered, .arg = freezing });
    return 0;
}

static void on_started(struct unit *unit, const struct monitor_message *message)
{
    unit->last = (struct container_status){
        .state = unit->paused ? STATE_PAUSED : STATE_RUNNING, .pid = message->pid, .start_time = message->start_time,
        .started_ns = message->started_ns, .exit_code = -1, .monitor_alive = true,
    };
    if (message->text_size > 0) { /* what had to be left out, and was not essential */
        _cleanup_free_ char *text = xasprintf("container %s: %.*s", unit->record->name,
                                              (int)MIN(message->text_size, sizeof(message->text)), message->text);
        log_warning("%s", text);
        methods_warn(unit->sv, text);
    }
    unit_spawn_done(unit);
    unit_event(unit, EV_STARTED);
}

static void on_failed(struct unit *unit, const struct monitor_message *message)
{
    struct err error = { 0 };
    (void)err_set(&error, (enum err_code)message->code, "%.*s", (int)MIN(message->text_size, sizeof(message->text)),
                  message->text);
    error.sys_errno = message->sys_errno;
    struct unit_exec *exec = message->request_id ? exec_find(unit, message) : NULL;
    if (exec) {
        exec_finish(unit, exec, NULL, &error);
    } else if (unit->state == INSTANCE_STARTING || unit->state == INSTANCE_STOPPING) {
        unit->start_error = error;
        unit->failed_seen = true;
    } else {
        log_warning("container=%s monitor: %s", unit->record->name, error.message);
    }
}

static void on_exited(struct unit *unit, const struct monitor_message *message)
{
    unit->exit_seen = true;
    unit->last.state = STATE_EXITED;
    unit->last.finished_ns = message->finished_ns;
    unit->last.oom = message->oom;
    unit->last.exit_code = message->wait_status == -1 ? -1 : proc_exit_code(message->wait_status);
    unit->last.signo = message->wait_status != -1 && WIFSIGNALED(message->wait_status) ? WTERMSIG(message->wait_status) : 0;
}

static void on_message(struct unit *unit, const struct monitor_message *message)
{
    struct unit_exec *exec;
    switch (message->kind) {
    case MONITOR_STARTED:
        on_started(unit, message);
        break;
    case MONITOR_FAILED:
        on_failed(unit, message);
        break;
    case MONITOR_EXITED:
        on_exited(unit, message);
        break;
    case MONITOR_EXEC_STARTED:
        if ((exec = exec_find(unit, message)))
            exec->exec_id = message->exec_id;
        break;
    case MONITOR_EXEC_EXITED:
        if ((exec = exec_find(unit, message)))
            exec_finish(unit, exec, message, NULL);
        break;
    case MONITOR_OOM:
        unit->last.oom = true;
        supervisor_event(unit->sv, "oom", unit, NULL);
        break;
    case MONITOR_LOG_LOST:
        log_warning("container=%s log lines lost: %llu", unit->record->name, (unsigned long long)message->lines);
        break;
    case MONITOR_OK:
        if ((exec = exec_find(unit, message)))
            exec_finish(unit, exec, message, NULL);
        break;
    default: /* what a newer monitor may say */
        break;
    }
}

/* The socket ended without a word about the end: the monitor was killed. */
static void monitor_lost(struct unit *unit)
{
    struct err err = { 0 };
    struct container_status status;
    if (unit->state == INSTANCE_STARTING && unit->last.state != STATE_RUNNING) {
        (void)err_set(&err, ERR_FAILED, "the monitor of container %s ended while starting it", unit->record->name);
        struct err ignored = { 0 };
        (void)container_sweep(unit->sv->layout, &unit->record->spec, &ignored); /* best effort; the start is repeated */
        unit_start_failed(unit, &err);
        return;
    }
    if (container_status_read(unit->sv->layout, unit->record->id, &status, &err) < 0)
        status = (struct container_status){ .state = STATE_DEAD, .exit_code = -1, .started_ns = unit->last.started_ns };
    if (status.state == STATE_RUNNING || status.state == STATE_PAUSED) {
        log_warning("container=%s its monitor died, the container runs on", unit->record->name);
        unit->last = status;
        unit_event(unit, EV_LOST);
        return;
    }
    bool oom = unit->last.oom;
    unit->last = status;
    unit->last.oom = oom || status.oom;
    unit_ended(unit);
}

/* A monitor that a predecessor of ours had just begun, before it had said anything, turned ours away: take that one. */
static bool take_other(struct unit *unit)
{
    int control = -1;
    struct err err = { 0 };
    if (unit->start_error.code != ERR_BUSY || monitor_connect(unit->sv->layout, unit->record->id, &control, &err) < 0)
        return false;
    err_clear(&unit->start_error);
    unit->adopted = true;
    unit_control_attach(unit, control);
    (void)unit_control_send(unit, MONITOR_STATUS, 0, false, &err); /* answered by STARTED once it runs; its end is seen anyway */
    return true;
}

static void control_closed(struct unit *unit)
{
    unit_control_detach(unit);
    unit_execs_fail(unit);
    if (!unit->exit_seen && unit->failed_seen && take_other(unit))
        return;
    if (unit->exit_seen)
        unit_ended(unit);
    else if (unit->failed_seen)
        unit_start_failed(unit, &unit->start_error);
    else
        monitor_lost(unit);
}

static void control_readable(int fd, unsigned events _unused_, void *arg)
{
    struct unit *unit = arg;
    struct monitor_message message;
    struct err err = { 0 };
    int fds[FD_PASS_MAX];
    size_t fd_count = 0;
    if (monitor_receive(fd, 0, &message, fds, ARRAY_LEN(fds), &fd_count, &err) < 0) {
        if (err.code == ERR_TIMEOUT)
            return;
        if (err.code != ERR_NOT_FOUND)
            log_debug("container=%s monitor: %s", unit->record->name, err.message);
        control_closed(unit);
        return;
    }
    if (fd_count > 0 && message.kind == MONITOR_STARTED) {
        close_fdp(&unit->keep_tty);
        unit->keep_tty = take_fd(&fds[0]);
    }
    for (size_t i = 0; i < fd_count; i++) /* no other request has an answer with descriptors */
        close_fdp(&fds[i]);
    on_message(unit, &message);
}

void unit_control_attach(struct unit *unit, int control)
{
    unit_control_detach(unit);
    unit->control = control;
    unit->exit_seen = unit->failed_seen = false;
    unit->control_source = loop_fd(unit->sv->loop, control, LOOP_READ, control_readable, unit);
}

void unit_control_detach(struct unit *unit)
{
    loop_source_free(unit->control_source);
    unit->control_source = NULL;
    close_fdp(&unit->control);
}
