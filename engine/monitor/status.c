/* SPDX-License-Identifier: Apache-2.0 */
/* status.c - the status file (protocol.h), replaced whole. libc only. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/proc.h"
#include "engine/monitor/monitor.h"

/* What a shell would show for a start that failed: 127 no such program, 126 not runnable, 125
 * anything of ours. */
static int exit_code_of(const struct monitor *monitor, const struct err *error)
{
    if (error)
        return error->code == ERR_NOT_FOUND ? 127 : error->code == ERR_DENIED ? 126 : 125;
    return monitor->wait_status == -1 ? -1 : proc_exit_code(monitor->wait_status);
}

static void line_clean(char *text)
{
    for (; *text; text++)
        if (*text == '\n')
            *text = ' ';
}

uint64_t monitor_lines_lost(const struct monitor *monitor)
{
    return monitor->log.lost_total + monitor->sink.dropped_total;
}

void monitor_status_write(const struct monitor *monitor, const char *state, const struct err *error)
{
    char text[1024], boot[37], message[512] = "";
    bool ended = str_eq(state, "exited");
    int status = monitor->wait_status;
    proc_boot_id(boot);
    if (error)
        snprintf(message, sizeof(message), "%.500s", error->message);
    line_clean(message);
    int size =
        snprintf(text, sizeof(text),
                 "version=1\nboot=%s\nstate=%s\npid=%d\nstart_time=%" PRIu64
                 "\nmonitor_pid=%d\nmonitor_start=%" PRIu64 "\nstarted_ns=%" PRId64
                 "\nfinished_ns=%" PRId64 "\nexit=%d\nsignal=%d\noom=%d\nlog_lost=%" PRIu64 "\nerror=%s\n",
                 boot, state, ended ? 0 : monitor->pid, ended ? 0 : monitor->start_time, getpid(),
                 proc_start_time(getpid()), monitor->started_ns,
                 ended ? (error ? clock_wall_ns() : monitor->finished_ns) : 0,
                 ended ? exit_code_of(monitor, error) : 0,
                 ended && !error && status != -1 && WIFSIGNALED(status) ? WTERMSIG(status) : 0,
                 monitor->oom_told, monitor_lines_lost(monitor), message);
    struct err err = {0};
    if (fs_replace_volatile(monitor->run_dir, "status", text, (size_t)size, 0600, &err) < 0)
        log_error("container=%.12s status file: %s", monitor->spec.id, err.message);
}
