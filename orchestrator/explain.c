/* SPDX-License-Identifier: Apache-2.0 */
/* Why a container is in the state it is in, in one sentence, and what to do about it. A list of rules, the most telling
 * first; the first that applies speaks. */
#include "orchestrator/explain.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/proc.h"
#include "base/str.h"
#include "base/units.h"

static void say(char *buffer, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

static void say(char *buffer, size_t size, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    (void)vsnprintf(buffer, size, format, list);
    va_end(list);
}

#define CAUSE(to, ...)  say((to)->cause, sizeof((to)->cause), __VA_ARGS__)
#define ADVICE(to, ...) say((to)->advice, sizeof((to)->advice), __VA_ARGS__)

typedef bool rule_fn(const struct observed_container *container, struct explanation *to);

static bool rule_start_failed(const struct observed_container *container, struct explanation *to)
{
    if (!container->status.error[0])
        return false;
    CAUSE(to, "could not be started: %.400s", container->status.error);
    if (strstr(container->status.error, "No such file or directory"))
        ADVICE(to, "check that command, entrypoint and interpreter exist in the image '%s'", container->record->image);
    return true;
}

static bool rule_running(const struct observed_container *container, struct explanation *to)
{
    if (container->status.state == STATE_PAUSED) {
        CAUSE(to, "paused");
        return true;
    }
    if (container->status.state != STATE_RUNNING)
        return false;
    _cleanup_free_ char *output = str_printable(container->supervise.last_output);
    if (container->supervise.health == HEALTH_UNHEALTHY) {
        CAUSE(to, "unhealthy: the last %lld probes failed, the last one with exit %d: %.300s",
              (long long)container->supervise.failing_streak, container->supervise.last_probe_code, output[0] ? output : "no output");
        ADVICE(to, "run the healthcheck by hand with `winch exec`");
    } else if (container->supervise.health == HEALTH_STARTING) {
        CAUSE(to, "running, not healthy yet: %lld probes failed so far", (long long)container->supervise.failing_streak);
    } else {
        CAUSE(to, "running%s", container->supervise.health == HEALTH_HEALTHY ? " and healthy" : "");
    }
    return true;
}

static bool rule_oom(const struct observed_container *container, struct explanation *to)
{
    char size[16];
    int64_t limit = container->record->spec.resources.memory_max;
    if (!container->status.oom)
        return false;
    if (limit > 0)
        CAUSE(to, "killed by the kernel: it used more memory than mem_limit (%s)", bytes_human(limit, size, sizeof(size)));
    else
        CAUSE(to, "killed by the kernel: the host ran out of memory");
    ADVICE(to, "%s", limit > 0 ? "raise mem_limit, or find out what needs the memory" : "set mem_limit for the services that need most");
    return true;
}

static bool rule_never_started(const struct observed_container *container, struct explanation *to)
{
    if (container->status.state != STATE_CREATED)
        return false;
    CAUSE(to, "created, not started yet");
    ADVICE(to, "it may wait for a dependency: see `winch ps`");
    return true;
}

static bool rule_dead(const struct observed_container *container, struct explanation *to)
{
    if (container->status.state != STATE_DEAD)
        return false;
    CAUSE(to, "ended while its monitor was gone: exit status unknown");
    return true;
}

static bool rule_stopped(const struct observed_container *container, struct explanation *to)
{
    if (container->record->want_running)
        return false;
    CAUSE(to, "stopped by a command (exit %d)", container->status.exit_code);
    if (container->status.signo == SIGKILL)
        ADVICE(to, "it did not react to its stop signal within stop_grace_period");
    return true;
}

static bool rule_signal(const struct observed_container *container, struct explanation *to)
{
    if (container->status.signo <= 0)
        return false;
    CAUSE(to, "ended by %s (exit %d)", signal_name(container->status.signo), container->status.exit_code);
    if (container->status.signo == SIGKILL)
        ADVICE(to, "someone sent SIGKILL; it was not the memory limit");
    return true;
}

static const struct { int code; const char *cause, *advice; } codes[] = {
    { 0, "completed", "" },
    { 126, "the command could not be executed", "check its permissions, and that it is a program for this machine" },
    { 127, "the command was not found", "check command, entrypoint and PATH in the image" },
    { 137, "killed by SIGKILL inside", "" },
    { 139, "it crashed (segmentation fault)", "" },
    { 143, "ended by SIGTERM inside", "" },
};

static bool rule_exit(const struct observed_container *container, struct explanation *to)
{
    for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
        if (codes[i].code != container->status.exit_code)
            continue;
        CAUSE(to, "%s (exit %d)", codes[i].cause, codes[i].code);
        ADVICE(to, "%s", codes[i].advice);
        return true;
    }
    CAUSE(to, "exited with %d", container->status.exit_code);
    ADVICE(to, "see `winch logs %s`", container->record->service ? container->record->service : container->record->name);
    return true;
}

static rule_fn *const rules[] = {
    rule_start_failed, rule_running, rule_oom, rule_never_started, rule_dead, rule_stopped, rule_signal, rule_exit,
};

void explain_container(const struct observed_container *container, struct explanation *ret_explanation)
{
    struct explanation explanation = { 0 };
    for (size_t i = 0; i < ARRAY_LEN(rules); i++)
        if (rules[i](container, &explanation))
            break;
    size_t used = strlen(explanation.cause);
    if (container->supervise.gave_up)
        say(explanation.cause + used, sizeof(explanation.cause) - used, "; given up after %lld restarts",
            (long long)container->supervise.restart_count);
    else if (container->supervise.restarting_until_ns > 0)
        say(explanation.cause + used, sizeof(explanation.cause) - used, "; will be restarted (restart %lld)",
            (long long)container->supervise.restart_count + 1);
    *ret_explanation = explanation;
}
