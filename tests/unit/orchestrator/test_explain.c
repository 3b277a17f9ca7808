/* SPDX-License-Identifier: Apache-2.0 */
/* The first rule that applies speaks. */
#include <criterion/criterion.h>
#include <signal.h>

#include "base/mem.h"
#include "orchestrator/explain.h"

static struct container_record record = { .name = "p-web-1", .service = "web", .image = "img", .want_running = true };
static struct container_record limited = { .service = "web", .want_running = true, .spec.resources.memory_max = 64 * 1024 * 1024 };
static struct container_record stopped = { .service = "web" };

static const struct { struct observed_container container; const char *cause; } cases[] = {
    { { &record, { .state = STATE_EXITED }, { 0 } }, "completed (exit 0)" },
    { { &record, { .state = STATE_EXITED, .exit_code = 3 }, { 0 } }, "exited with 3" },
    { { &record, { .state = STATE_EXITED, .exit_code = 127 }, { 0 } }, "the command was not found (exit 127)" },
    { { &record, { .state = STATE_EXITED, .exit_code = 137, .signo = SIGKILL }, { 0 } }, "ended by SIGKILL (exit 137)" },
    { { &limited, { .state = STATE_EXITED, .exit_code = 137, .signo = SIGKILL, .oom = true }, { 0 } },
      "killed by the kernel: it used more memory than mem_limit (64MiB)" },
    { { &stopped, { .state = STATE_EXITED, .exit_code = 143 }, { 0 } }, "stopped by a command (exit 143)" },
    { { &record, { .state = STATE_DEAD, .exit_code = -1 }, { 0 } }, "ended while its monitor was gone: exit status unknown" },
    { { &record, { .state = STATE_RUNNING }, { .health = HEALTH_UNHEALTHY, .failing_streak = 3, .last_probe_code = 1, .last_output = "no" } },
      "unhealthy: the last 3 probes failed, the last one with exit 1: no" },
    { { &record, { .state = STATE_EXITED, .exit_code = 3 }, { .gave_up = true, .restart_count = 3 } },
      "exited with 3; given up after 3 restarts" },
};

Test(explain, names_the_most_telling_fact)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct explanation explanation;
        explain_container(&cases[i].container, &explanation);
        cr_expect_str_eq(explanation.cause, cases[i].cause, "case %zu", i);
    }
}
