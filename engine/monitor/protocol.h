/* SPDX-License-Identifier: Apache-2.0 */
/* protocol.h - messages of winch-monitor: fixed-size structs, so that the monitor needs no parser.
 *
 * Transport: SOCK_SEQPACKET. The monitor is started as `winch-monitor ID` with
 *   descriptor 3  the packed container_spec (sealed memfd)
 *   descriptor 4  one end of a socketpair: its first client (the supervisor)
 * and later listens on <run_dir>/monitor.sock (0600, SO_PEERCRED checked) for more clients.
 * `winch-monitor --adopt ID` takes over a running container whose monitor died: same descriptors;
 * it reopens the FIFOs, finds the first process in the old status file (pid + start time) and
 * watches it by pidfd. `winch-monitor --adopt-tty ID` has one more descriptor, 5: the pty master.
 * `winch-monitor --direct ID` has three more, 5 to 7: the container's stdin, stdout and stderr are somebody's own (run in the
 * foreground), nothing of them comes by the log. With a tty 5 is a socket instead, which is sent the master; whoever holds
 * its other end reads the terminal, and when that is gone the output goes to the log.
 *
 * Start: the monitor sends exactly one MONITOR_STARTED or MONITOR_FAILED to descriptor 4, with the
 * request id 0. Life: MONITOR_EXITED is sent to every client when the first process has ended and
 * the output is drained; the status file was written before; then the monitor closes and exits.
 * MONITOR_OOM and MONITOR_LOG_LOST are notices. A client that loses a notice loses nothing: the
 * status file says the same.
 *
 * Every message is one struct monitor_message. Versions: a monitor answers requests of its own and
 * older versions; a client drives monitors of older versions (fields are only added at the end,
 * size grows). */
#pragma once

#include <stdint.h>

#include "engine/runtime/spec.h"

#define MONITOR_PROTOCOL_VERSION 1
#define MONITOR_MAGIC            0x77696e63u /* "winc" */
#define MONITOR_FD_SPEC          3
#define MONITOR_FD_CLIENT        4
#define MONITOR_FD_TTY           5
#define MONITOR_FD_DIRECT        5 /* to 7 */

enum monitor_kind {
    /* requests */
    MONITOR_STATUS = 1, /* → MONITOR_STARTED with the present pid */
    MONITOR_SIGNAL,     /* signo; all: to every process of the container (cgroup) */
    MONITOR_EXEC, /* fds: packed exec_spec, then stdin, stdout, stderr (none of these three with tty
                   * or capture). → MONITOR_EXEC_STARTED (with the pty master as descriptor when
                   * tty), later MONITOR_EXEC_EXITED. Hanging up kills the process (SIGHUP to a
                   * tty's session, SIGKILL else) unless detach. */
    MONITOR_EXEC_SIGNAL, /* exec_id, signo */
    MONITOR_RESIZE,      /* exec_id (0: the container's own tty), rows, columns */
    MONITOR_ATTACH, /* → MONITOR_OK with descriptors: write end of stdin (pipe or pty master) if
                       open */
    MONITOR_FREEZE, /* pause: → MONITOR_OK */
    MONITOR_THAW,
    MONITOR_KILL,       /* SIGKILL to everything in the container, at once: → MONITOR_OK */
    MONITOR_REOPEN_LOG, /* → MONITOR_OK */
    /* answers and notices */
    MONITOR_OK = 64,
    MONITOR_FAILED,       /* code, sys_errno, text */
    MONITOR_STARTED, /* pid, start_time, started_ns; with a tty its master as descriptor: whoever keeps
                        it keeps the terminal alive when the monitor dies */
    MONITOR_EXITED,       /* wait_status, oom, finished_ns */
    MONITOR_EXEC_STARTED, /* exec_id, pid */
    MONITOR_EXEC_EXITED, /* exec_id, wait_status, timed_out, text = kept output (text_size bytes) */
    MONITOR_OOM,         /* pid (host) of the victim or 0 */
    MONITOR_LOG_LOST,    /* lines lost because the log could not be written */
};

struct monitor_message {
    uint32_t magic, version;
    uint32_t kind;
    uint32_t request_id; /* chosen by the client, repeated in answers; 0 for notices */
    uint32_t exec_id;
    int32_t signo;
    uint8_t all, detach, oom, timed_out;
    uint16_t rows, columns;
    int32_t pid;         /* host pid */
    int32_t wait_status; /* as waitpid(2); -1: unknown (adopted, kernel could not tell) */
    int32_t code;        /* enum err_code */
    int32_t sys_errno;
    uint64_t start_time; /* of pid: clock ticks since boot, field 22 of /proc/PID/stat */
    int64_t started_ns, finished_ns; /* CLOCK_REALTIME */
    uint64_t lines;
    uint32_t text_size;
    char text[SPEC_OUTPUT_KEPT]; /* message of an error, or kept output */
};
_Static_assert(sizeof(struct monitor_message) <= 8192, "one message fits every socket buffer");

/* The status file <run_dir>/status: one "key=value" a line, replaced whole (fs_replace_volatile) by
 * the monitor alone: version=1 boot=<boot id> state=created|running|paused|exited pid= start_time=
 * monitor_pid= monitor_start= started_ns= finished_ns= exit=<code as shells show it, -1 unknown>
 * signal= oom=0|1 log_lost=<lines> error=<text when the start failed> */
