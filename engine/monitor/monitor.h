/* SPDX-License-Identifier: Apache-2.0 */
/* monitor.h - the state of one winch-monitor. Everything is allocated at the start; tables have
 * fixed sizes. libc only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "engine/monitor/logfile.h"
#include "engine/monitor/protocol.h"
#include "engine/monitor/relay.h"
#include "engine/monitor/spool.h"
#include "engine/runtime/cgroup.h"
#include "engine/runtime/confine.h"
#include "engine/runtime/spec.h"

#define CLIENTS_MAX  160
#define SESSIONS_MAX 128

enum source { /* what an epoll event belongs to; the index is in the lower half of its data */
              SOURCE_SIGNALS,
              SOURCE_RELAY, /* index: stream */
              SOURCE_LISTEN,
              SOURCE_CLIENT,  /* index: client */
              SOURCE_CAPTURE, /* index: session */
              SOURCE_TIMER,
              SOURCE_SINK,
              SOURCE_OOM,
              SOURCE_FIRST, /* adopted first process: its pidfd */
              SOURCE_READER, /* somebody else reads the terminal: his end */
};

struct client {
    int fd; /* -1: free */
    bool is_supervisor;
};

/* An extra process: exec, probe, hook. */
struct session {
    uint32_t id; /* 0: free */
    pid_t pid;
    int pidfd;
    int client; /* index; -1: nobody waits any more */
    uint32_t request_id;
    bool detach, tty, timed_out, has_group;
    int master;          /* tty, or -1 */
    int capture;         /* read end, or -1 */
    int64_t deadline_us; /* CLOCK_MONOTONIC; 0: none */
    size_t kept_size;    /* bytes ever written to the ring */
    char kept[SPEC_OUTPUT_KEPT];
};

struct monitor {
    struct container_spec spec;
    struct cgroup cgroup;
    struct filter filter;
    struct logfile log;
    struct spool spool;
    struct sink sink;
    struct relay relays[2];
    int epoll, signals, listener, timer, oom, run_dir, lock;
    struct client clients[CLIENTS_MAX];
    struct session sessions[SESSIONS_MAX];
    uint32_t last_session;
    char *packer_path; /* NULL: files stay as they are */
    pid_t packer;      /* at work, or 0 */
    uint64_t lost_shown; /* of the log's losses, in the status file */

    pid_t pid; /* first process */
    int pidfd;
    int tty;         /* master; also in relays[0] */
    int stdin_write; /* write end when stdin_open without a tty */
    bool direct;     /* descriptors MONITOR_FD_DIRECT are the container's */
    bool adopted, paused, exited;
    bool oom_told;
    int wait_status; /* -1: unknown */
    uint64_t start_time;
    int64_t started_ns, finished_ns;
};

/* main.c */
int monitor_watch(struct monitor *monitor, int fd, uint32_t events, enum source source,
                  unsigned index);
/* A FIFO's watch: fires once, then waits to be armed again. */
#define RELAY_EVENTS (EPOLLIN | EPOLLONESHOT)
/* launch.c */
struct started;
/* *ret_started holds what may be closed after the start was reported. */
int monitor_launch(struct monitor *monitor, struct started *ret_started, struct err *err);
int monitor_adopt(struct monitor *monitor, struct err *err);
/* From now on the terminal's output is ours to keep. */
int monitor_take_tty(struct monitor *monitor, struct err *err);
/* status.c: replaces run_dir/status; error NULL but for a failed start. */
void monitor_status_write(const struct monitor *monitor, const char *state,
                          const struct err *error);
/* Lines that could not be logged, or sent on, in this run. */
uint64_t monitor_lines_lost(const struct monitor *monitor);
/* clients.c */
int monitor_listen(struct monitor *monitor, struct err *err);
void client_add(struct monitor *monitor, int fd, bool is_supervisor);
void client_accept(struct monitor *monitor);
void client_drop(struct monitor *monitor, unsigned index);
void client_send(struct monitor *monitor, int index, struct monitor_message *message, int fd);
void clients_tell(struct monitor *monitor, struct monitor_message *message);
/* requests.c: reads and answers one message of a client. */
void client_serve(struct monitor *monitor, unsigned index);
/* sessions.c */
int session_start(struct monitor *monitor, unsigned client, const struct monitor_message *request,
                  const int *fds, size_t fd_count, struct err *err);
void session_exited(struct monitor *monitor, pid_t pid, int wait_status);
void session_captured(struct monitor *monitor, unsigned index);
void sessions_timeout(struct monitor *monitor);
void sessions_hang_up(struct monitor *monitor, unsigned client);
struct session *session_find(struct monitor *monitor, uint32_t id);
/* finish.c: the end of the container. Returns when nothing is left but to exit. */
void monitor_finish(struct monitor *monitor);
