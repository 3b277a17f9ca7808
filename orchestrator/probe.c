/* SPDX-License-Identifier: Apache-2.0 */
/* probe.c - runs healthchecks: the schedule and the verdict are health.c's, the process is the monitor's child. One probe of a
 * container at a time; none while it does not run. */
#include <sys/wait.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/str.h"
#include "orchestrator/supervisor.h"

static void probe_run(void *arg);

static void probe_schedule(struct unit *unit)
{
    if (unit->paused)
        return;
    int64_t delay_us = health_next_us(&unit->health, &unit->runtime.health, clock_monotonic_us());
    if (!unit->health_timer)
        unit->health_timer = loop_timer(unit->sv->loop, delay_us, probe_run, unit);
    else
        loop_timer_arm(unit->health_timer, delay_us);
}

static void tell_health(struct unit *unit)
{
    struct jv *attributes = jv_object();
    jv_set_str(attributes, "health", health_state_text(unit->health.state));
    supervisor_event(unit->sv, "health_status", unit, attributes);
    supervisor_changed(unit->sv);
}

static void probe_result(struct unit *unit, bool success, int code, const char *output, size_t size)
{
    struct supervise_state *state = &unit->supervise;
    size = MIN(size, sizeof(state->last_output) - 1);
    memcpy(state->last_output, output, size);
    state->last_output[size] = '\0';
    state->last_probe_code = code;
    bool changed = health_result(&unit->health, &unit->runtime.health, success, unit->probe_began_us);
    unit_save_supervise(unit);
    if (changed)
        tell_health(unit);
}

static void probe_done(struct unit *unit, const struct monitor_message *result, const struct err *error, void *arg _unused_)
{
    if (!unit->probing)
        return; /* the container ended meanwhile: its last probe says nothing */
    unit->probing = false;
    if (unit->probe_void) {
        unit->probe_void = false;
    } else if (error) {
        if (error->code == ERR_CANCELLED)
            return;
        probe_result(unit, false, -1, error->message, strlen(error->message));
    } else if (result->timed_out) {
        _cleanup_free_ char *timeout = xasprintf("%.4gs", (double)unit->runtime.health.timeout_us / 1e6);
        _cleanup_free_ char *text = xasprintf("Health check exceeded timeout (%s)%s%.*s", timeout, result->text_size ? ": " : "",
                                              (int)MIN(result->text_size, sizeof(result->text)), result->text);
        probe_result(unit, false, -1, text, strlen(text));
    } else {
        int code = proc_exit_code(result->wait_status);
        probe_result(unit, code == 0, code, result->text, MIN(result->text_size, sizeof(result->text)));
    }
    probe_schedule(unit);
}

/* CMD words, or CMD-SHELL text for the shell; the process is otherwise like the container's first one. */
static void probe_spec(const struct unit *unit, struct exec_spec *spec, const char *shell[4])
{
    const struct spec_strings *test = &unit->runtime.health.test;
    *spec = (struct exec_spec){ .process = unit->record->spec.process,
                                .capture = true,
                                .timeout_us = unit->runtime.health.timeout_us,
                                .privileged = unit->record->spec.privileged };
    spec->process.tty = false;
    if (strcmp(test->items[0], "CMD-SHELL") == 0) {
        shell[0] = "/bin/sh";
        shell[1] = "-c";
        shell[2] = test->count > 1 ? test->items[1] : "";
        shell[3] = NULL;
        spec->process.argv = (struct spec_strings){ shell, 3 };
    } else {
        spec->process.argv = (struct spec_strings){ test->items + 1, test->count - 1 };
    }
}

static void probe_run(void *arg)
{
    struct unit *unit = arg;
    struct exec_spec spec;
    const char *shell[4];
    struct err err = { 0 };
    if (unit->probing || unit->paused || unit->state != INSTANCE_RUNNING)
        return;
    unit->probe_began_us = clock_monotonic_us();
    if (unit->control < 0) { /* its monitor is just being replaced */
        probe_schedule(unit);
        return;
    }
    unit->probing = true;
    probe_spec(unit, &spec, shell);
    if (unit_exec_run(unit, &spec, probe_done, NULL, &err) < 0)
        probe_done(unit, NULL, &err, NULL);
}

void probe_begin(struct unit *unit)
{
    const struct runtime_health *rule = &unit->runtime.health;
    if (unit->adopted) {
        unit->health.started_us = unit->started_us;
        if (unit->health.state == HEALTH_NONE && rule->set)
            unit->health.state = HEALTH_STARTING;
    } else {
        health_start(&unit->health, rule, unit->started_us);
        unit->supervise.last_output[0] = '\0';
    }
    unit->probing = unit->probe_void = false;
    if (rule->set && rule->test.count > 1)
        probe_schedule(unit);
}

void probe_end(struct unit *unit)
{
    loop_source_free(unit->health_timer);
    unit->health_timer = NULL;
    unit->probing = false;
}

void probe_pause(struct unit *unit)
{
    loop_source_free(unit->health_timer);
    unit->health_timer = NULL;
    unit->probe_void = unit->probing;
}

void probe_continue(struct unit *unit)
{
    const struct runtime_health *rule = &unit->runtime.health;
    if (rule->set && rule->test.count > 1 && !unit->probing)
        probe_schedule(unit);
}
