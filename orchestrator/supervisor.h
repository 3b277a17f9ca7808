/* SPDX-License-Identifier: Apache-2.0 */
/* supervisor.h - the parts of winch-supervisor and how they meet. Included by nobody outside orchestrator/.
 *
 * supervisor.c  the whole, its containers (units), idle end      methods.c   table of calls, queue of changes
 * unit*.c       one container: acts on what instance.c decides   apply*.c    runs a plan
 * netd_link.c   asynchronous calls to netd                       child.c     image worker, copy of an image's directory
 * probe.c       healthchecks          hooks.c  post_start, pre_stop           events.c    journal and subscribers
 *
 * One change (up, down, stop …) runs at a time; supervision (restarts, probes) goes on beside it. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/ipc.h"
#include "base/layout.h"
#include "base/loop.h"
#include "base/vec.h"
#include "engine/engine.h"
#include "netd/network.h"
#include "orchestrator/events.h"
#include "orchestrator/health.h"
#include "orchestrator/instance.h"
#include "orchestrator/observed.h"
#include "orchestrator/project_store.h"
#include "orchestrator/translate.h"

struct apply;
struct change;
struct netd_link;
struct supervisor;
struct unit;

/* ---- one container ---------------------------------------------------------------------------- */
typedef void unit_exec_fn(struct unit *unit, const struct monitor_message *result, const struct err *error, void *arg);

struct unit_exec { /* a process asked for through the monitor that has not ended */
    uint32_t request_id, exec_id;
    unit_exec_fn *fn;
    void *arg;
};

struct unit {
    struct supervisor *sv;
    struct container_record *record; /* owned */
    struct arena *arena;             /* of runtime */
    struct service_runtime runtime;
    enum instance_state state;
    struct supervise_state supervise; /* as written to run/containers/<id>/supervise */
    struct container_status last;     /* of the present or the last run */
    struct err start_error;           /* why the last start failed; code ERR_NONE: it did not */
    bool user_stopped;                /* by a command, since the last start */
    bool by_command;                  /* the start in progress was asked for: a failure is told, not retried */
    bool start_queued;                /* waits for its turn (start_limit) */
    bool spawning;                    /* counts in sv->starting */
    unsigned serial;                  /* of the start: answers to older ones are dropped */

    bool has_sandbox;
    bool keep_sandbox; /* it comes back at once, or is removed by an operation: not dropped at rest */
    bool sandbox_unsure; /* as the record of a container at rest has it: its removal may be under way, the next start asks */
    struct sandbox_info sandbox;

    int control; /* monitor's socket, or -1 */
    struct loop_source *control_source;
    bool exit_seen, failed_seen; /* the monitor said how it ended; its hang-up completes it */
    bool adopted;                /* found running, not started by us */
    bool boot_between;           /* found at rest, with no trace of a start in this boot */
    int keep[2];                 /* both FIFOs of the output */
    bool has_direct;             /* the next start gives it these instead of the FIFOs (run in the foreground) */
    int direct[3];
    int keep_tty;                /* the terminal's master: it would hang up with the monitor; -1: none */

    struct loop_source *timer; /* grace or backoff */
    int64_t grace_us;
    bool paused;           /* frozen by a command: no probes, and a stop thaws it */
    bool unkillable;       /* lives on long after SIGKILL went to all of it */
    int64_t started_us;    /* CLOCK_MONOTONIC */
    int64_t streak, delay_us; /* see restart.h */

    struct health health;
    struct loop_source *health_timer;
    bool probing;
    bool probe_void; /* it was frozen with the container: its result says nothing */
    int64_t probe_began_us;

    VEC(struct unit_exec) execs;
    uint32_t next_request;
};

/* Takes the record. NULL with *err when its service_data cannot be read. */
struct unit *unit_new(struct supervisor *sv, struct container_record *record, struct err *err);
void unit_free(struct unit *unit);
void unit_direct_close(struct unit *unit);
/* Feeds the state machine and acts. */
void unit_event(struct unit *unit, enum instance_event event);
/* By a command or plan; results come as changes of state (supervisor_changed). */
void unit_start(struct unit *unit);
void unit_stop(struct unit *unit, int64_t grace_us);
/* A signal by `kill`. */
int unit_signal(struct unit *unit, int signo, struct err *err);
/* Finds out what is running (at our own start) and takes it over. */
void unit_adopt(struct unit *unit);
/* Runs a process in the container; fn is called exactly once unless this fails, or the unit is freed before. */
int unit_exec_run(struct unit *unit, const struct exec_spec *spec, unit_exec_fn *fn, void *arg, struct err *err);
void unit_monitor_reaped(pid_t pid, int status, void *arg);
bool unit_is_active(const struct unit *unit);  /* starting, running, stopping */
bool unit_is_at_rest(const struct unit *unit); /* idle or given up: no automatic start to come */
int unit_save(struct unit *unit, struct err *err); /* container.json */
void unit_save_supervise(struct unit *unit);

/* unit_start.c: netd → /etc files → monitor */
void unit_spawn(struct unit *unit);
void unit_spawn_done(struct unit *unit);     /* its turn is over, whether it worked or not: the next may start */
void unit_start_failed(struct unit *unit, const struct err *error);
void unit_sandbox_drop(struct unit *unit);   /* asks netd to remove it; nobody waits */
/* unit_control.c: the monitor's socket */
void unit_control_attach(struct unit *unit, int control);
void unit_control_detach(struct unit *unit);
int unit_control_send(struct unit *unit, enum monitor_kind kind, int signo, bool all, struct err *err);
void unit_execs_fail(struct unit *unit);
/* Pauses or continues all processes; fn as for unit_exec_run, with the state changed when error is NULL. */
int unit_freeze(struct unit *unit, bool freeze, unit_exec_fn *fn, void *arg, struct err *err);
/* unit_end.c: death and what follows */
void unit_ended(struct unit *unit);
bool unit_ever_ran(const struct unit *unit);
/* Found ended at our own start: notes the death if nobody did, and applies the policy. */
void unit_ended_before(struct unit *unit);

/* probe.c */
void probe_begin(struct unit *unit); /* container just started or was adopted */
void probe_end(struct unit *unit);
void probe_pause(struct unit *unit);
void probe_continue(struct unit *unit); /* the next comes one interval from now */
/* hooks.c: runs post_start (or pre_stop) one after the other; done is called once, error NULL when all went well. */
typedef void hooks_done_fn(const struct err *error, void *arg);
void hooks_run(struct unit *unit, bool post_start, hooks_done_fn *done, void *arg);

/* ---- the whole -------------------------------------------------------------------------------- */
struct supervisor {
    struct layout *layout;
    const char *name;
    struct loop *loop;
    struct ipc_server *server;
    struct netd_link *netd;
    struct events *events;
    struct project_intent intent;
    struct project *model; /* of the last up; may be NULL */
    char *userns;          /* path, NULL: not used or not yet */
    bool userns_known;
    char userns_reason[256]; /* why not */
    VEC(struct unit *) units;
    size_t starting, start_limit;
    struct change *current;
    VEC(struct change *) waiting, beside; /* beside: those that wait for nobody */
    VEC(struct wait_call *) waits;
    VEC(struct run_call *) runs;
    VEC(char *) populating;
    bool going_down;
    bool deleted; /* state directories wait in lib/deleting */
    bool changed; /* a look is scheduled */
    struct loop_source *idle_timer;
    int64_t idle_us;
    char **wake_argv;
    char *socket_path;
};

struct supervisor *supervisor_new(struct layout *layout, const char *name, struct loop *loop);
void supervisor_free(struct supervisor *sv);
/* Reads records, adopts what runs, starts what should run. */
int supervisor_load(struct supervisor *sv, struct err *err);
struct unit *supervisor_unit(const struct supervisor *sv, const char *id);
struct unit *supervisor_unit_named(const struct supervisor *sv, const char *name);
struct unit *supervisor_replica(const struct supervisor *sv, const char *service, int64_t number);

/* The other container of a shared namespace (unit_share.c). ERR_NOT_FOUND when it does not run. */
struct partner {
    char *id, *netns; /* netns: a path that can be joined */
    pid_t pid;
};
bool share_is_other(const struct share *share);
int partner_find(const struct unit *unit, const struct share *share, struct partner *ret_partner, struct err *err);
void partner_done(struct partner *partner);

/* Whose volumes a container has beside its own, by `volumes_from`: borrows the records. */
struct borrowed_list {
    VEC(struct borrowed_volumes) v;
};
int volumes_from_collect(const struct unit *unit, struct borrowed_list *ret_list, struct err *err);
void borrowed_list_done(struct borrowed_list *list);
void supervisor_add(struct supervisor *sv, struct unit *unit);    /* takes it */
void supervisor_remove(struct supervisor *sv, struct unit *unit); /* frees it */
/* The state or health of a unit changed: running operations and waits look again, from the loop, so that no caller loses
 * its unit under its hands. */
void supervisor_changed(struct supervisor *sv);
/* Ends the process soon if nothing is left to supervise. */
void supervisor_check_idle(struct supervisor *sv);
/* Pins the user namespace once; sv->userns stays NULL where it is not usable. */
int supervisor_userns(struct supervisor *sv, struct err *err);
/* unit may be NULL; takes attributes (NULL: none). */
void supervisor_event(struct supervisor *sv, const char *action, const struct unit *unit, struct jv *attributes);

/* ---- netd_link.c ------------------------------------------------------------------------------ */
struct netd_link *netd_link_new(struct supervisor *sv);
void netd_link_free(struct netd_link *link);
/* Connects now if a running container has a network: netd must be there for its names. Blocks for up to two seconds while netd
 * comes up; longer than that it goes on by itself. */
void netd_link_need(struct netd_link *link);
/* It will be called soon: it starts beside what we do until then. */
void netd_link_warm(struct netd_link *link);
/* Calls netd; connects (and starts it) when needed, and once more when the connection breaks. reply is called once, never
 * before this returns; ERR_TIMEOUT when nothing came from netd for 15 seconds. Takes args. */
void netd_link_call(struct netd_link *link, const char *method, struct jv *args, ipc_reply_fn *reply, void *arg);

/* ---- child.c ---------------------------------------------------------------------------------- */
/* error NULL: success. */
typedef void child_done_fn(const struct err *error, void *arg);
typedef void child_line_fn(const struct jv *line, void *arg);
struct child; /* freed by itself after done; child_cancel ends it, done is still called */
int child_image_worker(struct supervisor *sv, char *const *words, child_line_fn *line, child_done_fn *done, void *arg,
                       struct child **ret_child, struct err *err);
/* Copies path of the image into dirfd (taken) in a process of its own. */
int child_copy_dir(struct supervisor *sv, char *const *layers, const char *path, int dirfd, child_done_fn *done, void *arg,
                   struct err *err);
void child_cancel(struct child *child);
