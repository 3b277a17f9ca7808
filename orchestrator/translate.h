/* SPDX-License-Identifier: Apache-2.0 */
/* translate.h - one replica of one service → what the engine, netd and volumes want to hear. Model and image go in once,
 * when a container is created; after that container.json alone is enough to start, network and supervise it.
 *
 * Order of use, for a new container:
 *   1. translate_mount_needs     which volumes it needs; the caller makes the anonymous ones, fills in `path`
 *   2. translate_record          the durable record (identity, process, limits, mounts, service_data)
 *   3. seccomp_prepare (engine)  into record->spec.seccomp_filter; container_record_save
 * and at every start, also after a boot and a crash, from the record alone:
 *   4. service_runtime_parse     typed reading of record->service_data
 *   5. translate_sandbox         → netd's sandbox_ensure (only when runtime->own_network)
 *   6. translate_start           a copy of the spec with the run-time parts: namespaces, /etc files, secrets, binds
 * 1, 2, 4, 5 are pure; 6 looks at bind sources, reads secret files and writes the three /etc files below run_dir. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/json.h"
#include "base/layout.h"
#include "engine/container/record.h"
#include "engine/engine.h"
#include "netd/network.h"
#include "parser/model.h"
#include "volumes/volume.h"

#define ID_RANGE_COUNT  65536
#define LABEL_PREFIX    "com.docker.compose."
#define HEALTH_INTERVAL_US (30 * 1000000LL)
#define STOP_GRACE_US      (10 * 1000000LL)

/* "PROJECT-SERVICE-N", or container_name. In the arena. */
const char *container_name_for(struct arena *arena, const struct project *project, const struct service *service, int64_t number);

/* ---- volumes a container needs ---- */
struct mount_need {
    const char *name;   /* full name of the volume; an anonymous one: 64 hex, made of container id and target */
    const char *key;    /* in project.volumes; NULL: anonymous */
    const char *target;
    const char *path;   /* data directory: set to the default place; the caller puts volume_info.path here */
    bool anonymous, nocopy;
    bool carried;       /* anonymous volume taken over from the predecessor: exists already */
    bool from_image;    /* VOLUME of the image */
};
struct mount_needs {
    struct mount_need *items;
    size_t count;
};

/* A container of `run`. */
struct oneoff {
    const char *name;
    bool auto_remove; /* when it ends */
    bool aliases;     /* it answers to the service's names, too */
    int *direct;      /* NULL, or three descriptors that become its standard ones (monitor/protocol.h); taken by its creation */
};
struct translate_input {
    const struct layout *layout;
    const struct project *project;
    const struct service *service;
    int64_t number;                           /* replica, from 1 */
    const char *id;                           /* 64 hex, the caller's id_random */
    const struct image *image;
    int64_t id_base;                          /* of the project's id range; < 0: the host's user namespace */
    int64_t created_ns;
    const struct container_record *previous;  /* recreate: anonymous volumes are carried over; or NULL */
    bool renew_anon_volumes;
    bool strict;                              /* limits that this host cannot keep fail the start */
    const struct oneoff *oneoff;              /* `run`: no replica of its service; or NULL */
    const char *image_reference;              /* NULL: service->image */
};
/* Results live in the arena. ERR_CONFIG, ERR_UNSUPPORTED name the service and the key. */
int translate_mount_needs(const struct translate_input *input, struct arena *arena, struct mount_needs *ret_needs, struct err *err);
/* What volumes/ wants for one need. labels_ret: an object the caller frees after use (request->labels borrows it). */
void translate_anonymous_volume(const struct translate_input *input, const struct mount_need *need, struct volume_request *ret_request,
                                struct jv **ret_labels);
/* key in project.volumes (not external) → request; the two objects are the caller's to free. */
void translate_volume(const struct project *project, const struct volume *volume, struct volume_request *ret_request,
                      struct jv **ret_options, struct jv **ret_labels);
/* Arrays in the arena. Not for external networks. */
void translate_network(struct arena *arena, const struct project *project, const struct network *network,
                       struct network_request *ret_request);

/* ---- the record ---- */
int translate_record(const struct translate_input *input, const struct mount_needs *needs, struct container_record **ret_record,
                     struct err *err);
/* privileged, userns_mode: host, and the ways to share the host's pid or network namespace: these run in the host's
 * user namespace, so the caller passes id_base -1 and no userns. */
bool translate_wants_host_userns(const struct service *service);
/* Keys of a service that winch reads but cannot do yet: ERR_UNSUPPORTED naming the first one. */
int translate_supported(const struct project *project, const struct service *service, struct err *err);
/* The seccomp profile of security_opt: *ret_unconfined, or the path of a profile file (NULL: the default profile). */
void translate_seccomp(const struct service *service, bool *ret_unconfined, const char **ret_profile_path);

/* ---- service_data, read back ---- */
enum share_kind { SHARE_NONE, SHARE_HOST, SHARE_SERVICE, SHARE_CONTAINER, SHARE_PRIVATE };
struct share { /* network_mode, ipc, pid, uts, cgroup */
    enum share_kind kind;
    const char *name; /* service or container */
};
struct runtime_health {
    bool set; /* false: no check */
    struct spec_strings test; /* "CMD" or "CMD-SHELL" first */
    int64_t interval_us, timeout_us, start_period_us, start_interval_us, retries; /* defaults filled in */
};
struct runtime_depends {
    const char *service;
    enum depends_condition condition;
    bool restart, required, implied;
};
struct runtime_hook {
    struct spec_strings command, environment;
    const char *user, *working_dir;
    bool privileged;
};
struct runtime_volume {
    const char *name, *target;
    bool anonymous;
};
/* Everything the supervisor needs beside the spec. Strings are in the arena. */
struct service_runtime {
    const char *config_hash;
    struct restart_policy restart;
    struct runtime_health health;
    int64_t stop_grace_us;
    struct runtime_depends *depends;
    size_t depends_count;
    struct runtime_hook *post_start, *pre_stop;
    size_t post_start_count, pre_stop_count;
    struct runtime_volume *volumes;
    size_t volume_count;
    const char **networks; /* full names, attached; NULL-terminated */
    bool own_network;      /* a sandbox of its own (false: host, service:x, container:x) */
    struct share net, ipc, pid, uts;
    bool attach;           /* output is shown by up and logs */
    struct pos pos;        /* of the service in its file */
    const struct jv *sandbox;    /* sandbox_request as JSON, borrowed from the record; NULL without own_network */
    const struct jv *definition; /* canonical service, borrowed from the record; NULL when unknown */
};
/* ERR_CORRUPT with the field's name, ERR_UNSUPPORTED for a newer version. Borrows from the record. */
int service_runtime_parse(struct arena *arena, const struct container_record *record, struct service_runtime *ret_runtime,
                          struct err *err);

/* What netd shall make. Strings borrow from the record; free with sandbox_request_done. */
int translate_sandbox(const struct container_record *record, const char *userns, struct sandbox_request *ret_request, struct err *err);

/* ---- each start ---- */
struct start_input {
    const char *userns;                     /* pinned user namespace; NULL: the host's */
    const struct sandbox_info *sandbox;     /* own, or of the container whose network is joined; NULL: none */
    const char *net_path;                   /* network namespace to join when the network is shared; else NULL */
    const char *ipc_path, *pid_path;        /* /proc/PID/ns/… of the container joined; else NULL */
    const char *shm_path;                   /* /proc/PID/ns/mnt where ipc_path is, for its /dev/shm; else NULL */
    const char *hosts_from;                 /* run_dir of the container whose network is joined: its /etc files; else NULL */
    const struct borrowed_volumes {         /* volumes_from: what other containers mount; own mounts come first */
        const struct container_record *record;
        bool read_only;
    } *borrowed;
    size_t borrowed_count;
    const char *const *wake_argv;           /* NULL-terminated */
    const char *supervisor_socket;
};
/* *ret_spec: a copy of record->spec, complete for container_start; arrays and strings in the arena, the rest borrowed from
 * the record. ERR_NOT_FOUND: a bind source or secret file is missing (names it). */
int translate_start(const struct layout *layout, const struct container_record *record, const struct start_input *input,
                    struct arena *arena, struct container_spec *ret_spec, struct err *err);
