/* SPDX-License-Identifier: Apache-2.0 */
/* status_parse.c - the text of a status file (engine/monitor/protocol.h) → struct. Pure, libc only:
 * the monitor that adopts a container reads it too. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "engine/container/status.h"

static const char *const state_texts[] = {
#define X(id, text) [STATE_##id] = text,
    CONTAINER_STATES(X)
#undef X
};
_Static_assert(ARRAY_LEN(state_texts) == STATE_COUNT_, "a word for each state");

const char *container_state_text(enum container_state state)
{
    return (unsigned)state < STATE_COUNT_ ? state_texts[state] : "unknown";
}

struct parsed {
    struct container_status status;
    char boot[37];
    long long version;
};

static bool state_set(struct parsed *parsed, const char *value)
{
    for (int i = 0; i < STATE_COUNT_; i++)
        if (str_eq(value, state_texts[i])) {
            parsed->status.state = i;
            return true;
        }
    return false;
}

static bool text_set(char *target, size_t size, const char *value)
{
    snprintf(target, size, "%s", value);
    return true;
}

static bool line_set(struct parsed *parsed, const char *key, const char *value)
{
    struct container_status *status = &parsed->status;
    long long number;
    if (str_eq(key, "boot"))
        return text_set(parsed->boot, sizeof(parsed->boot), value);
    if (str_eq(key, "error"))
        return text_set(status->error, sizeof(status->error), value);
    if (str_eq(key, "state"))
        return state_set(parsed, value);
    if (!parse_i64(value, LLONG_MIN, LLONG_MAX, &number))
        return false;
    if (str_eq(key, "version"))
        parsed->version = number;
    else if (str_eq(key, "pid"))
        status->pid = (pid_t)number;
    else if (str_eq(key, "start_time"))
        status->start_time = (uint64_t)number;
    else if (str_eq(key, "monitor_pid"))
        status->monitor_pid = (pid_t)number;
    else if (str_eq(key, "monitor_start"))
        status->monitor_start = (uint64_t)number;
    else if (str_eq(key, "started_ns"))
        status->started_ns = number;
    else if (str_eq(key, "finished_ns"))
        status->finished_ns = number;
    else if (str_eq(key, "exit"))
        status->exit_code = (int)number;
    else if (str_eq(key, "signal"))
        status->signo = (int)number;
    else if (str_eq(key, "oom"))
        status->oom = number != 0;
    else if (str_eq(key, "log_lost"))
        status->log_lost = (uint64_t)number;
    return true; /* a key of a newer version */
}

int container_status_parse(const char *text, struct container_status *ret_status, char ret_boot[37],
                           struct err *err)
{
    struct parsed parsed = {.status.state = STATE_COUNT_};
    char line[1024];
    while (*text) {
        size_t size = strcspn(text, "\n");
        if (size < sizeof(line)) {
            memcpy(line, text, size);
            line[size] = '\0';
            char *value = strchr(line, '=');
            if (value)
                *value++ = '\0';
            if (!value || !line_set(&parsed, line, value))
                return err_set(err, ERR_CORRUPT, "status file: '%.40s' is damaged", line);
        }
        text += size + (text[size] == '\n');
    }
    if (parsed.version < 1 || parsed.status.state == STATE_COUNT_)
        return err_set(err, ERR_CORRUPT, "status file has no version or no state");
    *ret_status = parsed.status;
    if (ret_boot)
        memcpy(ret_boot, parsed.boot, sizeof(parsed.boot));
    return 0;
}
