/* SPDX-License-Identifier: Apache-2.0 */
/* Reading a container's status file and checking what it says against the kernel (status.h). */
#include "engine/container/status.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/mem.h"
#include "base/proc.h"

#define STATUS_MAX (64 * 1024)

/* A file of another boot tells that the container existed, no more. */
static void after_reboot(struct container_status *status)
{
    *status = (struct container_status){
        .state = status->state == STATE_CREATED ? STATE_CREATED : STATE_EXITED,
        .started_ns = status->started_ns,
        .finished_ns = status->finished_ns,
        .exit_code = status->state == STATE_EXITED ? status->exit_code : -1,
    };
}

int container_status_read(const struct layout *layout, const char *id,
                          struct container_status *ret_status, struct err *err)
{
    char name[128], boot[37], now[37];
    _cleanup_free_ char *text = NULL;
    struct container_status status = {.state = STATE_CREATED};
    struct err reason = {0};
    snprintf(name, sizeof(name), "containers/%s/status", id);
    if (fs_read(layout->run_fd, name, STATUS_MAX, &text, NULL, &reason) < 0) {
        if (reason.code != ERR_NOT_FOUND)
            return err_copy(err, &reason);
        *ret_status = status;
        return 0;
    }
    if (container_status_parse(text, &status, boot, err) < 0)
        return err_wrap(err, "container %.12s", id);
    proc_boot_id(now);
    if (!str_eq(boot, now)) {
        after_reboot(&status);
    } else {
        status.monitor_alive = proc_is(status.monitor_pid, status.monitor_start);
        bool runs = status.state == STATE_RUNNING || status.state == STATE_PAUSED;
        if (runs && !proc_is(status.pid, status.start_time)) {
            status.pid = 0;
            if (!status.monitor_alive) { /* else the monitor is about to write the end */
                status.state = STATE_DEAD;
                status.exit_code = -1;
            }
        }
    }
    if (!status.monitor_alive)
        status.monitor_pid = 0;
    *ret_status = status;
    return 0;
}
