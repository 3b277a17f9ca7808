/* SPDX-License-Identifier: Apache-2.0 */
/* spec.h - everything one container needs to run, as plain data. Pure.
 *
 * The orchestrator makes it from a service, an image and what netd and volumes answered; it is kept
 * as JSON in container.json (intent) and handed to winch-monitor as a packed blob in a sealed
 * memfd, so that the monitor needs no parser for text. One table (spec_table.c) describes the
 * fields; JSON and packed form both walk it. The engine knows nothing of services. Source of names
 * and meanings: OCI runtime-spec 1.2 where it has the notion; cgroup v2 admin guide for limits.
 *
 * Strings and arrays are borrowed from the arena or mapping they were read into. Zero means
 * "absent" for every field unless said otherwise, so `struct container_spec spec = {0}` is a legal
 * start. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

#define SPEC_VERSION     1
#define SPEC_PACKED_MAX  (4 * 1024 * 1024)
#define SPEC_LAYERS_MAX  256
#define SPEC_OUTPUT_KEPT 4096 /* bytes of a probe's output that are kept */

struct spec_strings { /* argv, env, …: count entries, also NULL-terminated at [count] */
    const char **items;
    size_t count;
};

enum ns_mode {
    NS_PRIVATE, /* a new one */
    NS_HOST,    /* the one winch runs in */
    NS_PATH,    /* join the pinned or foreign one at path */
};
struct spec_ns {
    enum ns_mode mode;
    const char *path; /* only NS_PATH */
};

enum mount_kind {
    MOUNT_BIND,  /* source is a path on the host */
    MOUNT_TMPFS, /* size_bytes, mode, uid, gid */
    MOUNT_FILE,  /* a small file with `content` on a per-container bounded tmpfs (secrets,
                    configs): mode, uid, gid */
    MOUNT_LAYERS /* read-only view of an image: source = ':'-separated layer directories, top first
                  */
};
enum mount_propagation {
    PROP_PRIVATE,
    PROP_RPRIVATE,
    PROP_SLAVE,
    PROP_RSLAVE,
    PROP_SHARED,
    PROP_RSHARED
};

/* In the order they are mounted (parents first). target is absolute, cleaned, resolved inside the
 * container's root. */
struct spec_mount {
    enum mount_kind kind;
    const char *source;
    const char *target;
    const char *subpath; /* below source, resolved with RESOLVE_IN_ROOT; "" or NULL: none */
    const char *content; /* MOUNT_FILE: bytes (content_size of them) */
    uint64_t content_size;
    bool read_only; /* recursively */
    bool recursive; /* bind with submounts */
    bool idmap;     /* show on-disk ids unshifted inside (id-mapped mount with the container's user
                       namespace) */
    bool exec, suid, dev; /* default off means noexec nosuid nodev: volumes set exec and suid */
    bool is_file;         /* create a missing target as a file, else as a directory */
    bool optional; /* target that cannot be mounted is skipped with a note (masked-path style) */
    enum mount_propagation propagation;
    uint64_t size_bytes; /* tmpfs; 0: kernel's default */
    uint32_t mode;       /* tmpfs, file; 0: 1777 for tmpfs, 0444 for files */
    uint32_t uid, gid;   /* inside ids */
};

struct spec_device {    /* beside the default nodes */
    const char *source; /* host path, checked to be a device when used */
    const char *target;
    const char *permissions; /* subset of "rwm" */
    uint32_t mode;           /* of the node; 0: as on the host, readable and writable for its owner */
    uint32_t uid, gid;       /* inside ids of its owner */
};

struct spec_rlimit {
    const char *name;    /* "nofile" */
    uint64_t soft, hard; /* UINT64_MAX: unlimited */
};

struct spec_pair {
    const char *key, *value;
};

#define SPEC_LIST(type)                                                                            \
    struct {                                                                                       \
        type *items;                                                                               \
        size_t count;                                                                              \
    }

/* Absent (has_… false) means: leave the kernel's default. */
struct spec_resources {
    int64_t memory_max;         /* bytes; 0: no limit */
    int64_t memory_reservation; /* bytes, soft limit; 0: none */
    int64_t memory_swap; /* memory + swap as docker means it; 0: twice memory_max; -1: unlimited */
    int64_t memory_swappiness; /* 0-100; -1: absent (set it!) */
    bool oom_kill_disable;     /* v1 only */
    int64_t pids_max;          /* 0: default 4096; -1: unlimited */
    int64_t cpu_quota_us;      /* per period; 0: none */
    int64_t cpu_period_us;     /* 0: 100000 */
    int64_t cpu_shares;        /* v1 unit (1024 = one share); 0: default */
    int64_t cpu_rt_runtime_us, cpu_rt_period_us;
    const char *cpuset_cpus, *cpuset_mems;
    int64_t io_weight; /* 10-1000; 0: default */
    SPEC_LIST(struct spec_pair)
    io_max; /* key: "/dev/sda rbps" style "PATH KIND" with KIND rbps wbps riops wiops; value: number
             */
    SPEC_LIST(struct spec_pair) io_weights; /* key: "/dev/sda weight"; value: 10-1000 */
    bool strict; /* a limit that is not in force fails the start instead of being noted */
};

enum log_driver {
    LOG_DRIVER_FILE, /* json-file, local, default */
    LOG_DRIVER_NONE,
    LOG_DRIVER_JOURNALD, /* this and the next beside the file */
    LOG_DRIVER_SYSLOG,
};
enum syslog_format { SYSLOG_LOCAL, SYSLOG_RFC3164, SYSLOG_RFC5424, SYSLOG_RFC5424_MICRO };
enum syslog_transport { SYSLOG_UNIX, SYSLOG_UDP, SYSLOG_TCP };
struct spec_log {
    enum log_driver driver;
    int64_t max_bytes; /* of one file; 0: the default, LOG_MAX_BYTES_DEFAULT; -1: no limit */
    int64_t max_files; /* 0: the default, LOG_MAX_FILES_DEFAULT */
    bool compress;     /* files that are not written to any more */
    bool no_file;      /* keep none: `winch logs` has nothing to show */
    const char *attributes; /* ',"attrs":{…}' at the end of every record; NULL: none */
    /* journald, syslog */
    int64_t buffer_bytes; /* what waits for a slow peer; 0: LOG_BUFFER_DEFAULT */
    const char *tag;
    SPEC_LIST(struct spec_pair) fields; /* journald: of every message; syslog: structured data */
    enum syslog_transport transport;
    enum syslog_format format;
    const char *host; /* path or numeric address; NULL: the local daemon */
    int64_t port, facility;
};
#define LOG_BUFFER_DEFAULT    (1024 * 1024)
#define LOG_BUFFER_MAX        (64 * 1024 * 1024)
#define LOG_MAX_BYTES_DEFAULT (10 * 1024 * 1024)
#define LOG_MAX_FILES_DEFAULT 3

/* What a process inside is: for the first process, exec, probes, hooks alike. */
struct spec_process {
    struct spec_strings argv; /* never empty */
    struct spec_strings env;  /* KEY=VALUE, complete: nothing is added but HOME and HOSTNAME when
                                 missing, TERM with a tty */
    const char *cwd;          /* absolute; NULL: "/" ; created when missing */
    const char
        *user; /* "uid[:gid]" or names, resolved in the image's passwd and group; NULL: 0:0 */
    struct spec_strings groups; /* supplementary, names or numbers */
    uint64_t capabilities;      /* bit n = capability n: bounding, and effective for uid 0 */
    bool no_new_privs;
    bool tty;
    int64_t oom_score_adj; /* 0: unchanged */
};

struct container_spec {
    int64_t version; /* SPEC_VERSION */
    const char *id;  /* 64 hex */
    const char *name;
    const char *hostname; /* set in the uts namespace; NULL: short id */
    const char *domainname;

    struct spec_process process;
    bool init;           /* winch-init as PID 1, the process is its child */
    bool stdin_open;     /* keep stdin open (else /dev/null) */
    int64_t stop_signal; /* number; 0: SIGTERM */

    /* root file system */
    struct spec_strings layers; /* absolute diff directories, top layer first */
    const char *state_dir;      /* /var/lib/winch/containers/<id>: upper/ work/ log/ */
    const char *run_dir; /* /run/winch/containers/<id>: status, monitor.sock, out, err, secrets */
    bool read_only;      /* root read-only */
    int64_t shm_bytes;   /* /dev/shm; 0: 64 MiB; -1: none */
    SPEC_LIST(struct spec_mount) mounts;
    SPEC_LIST(struct spec_device) devices;
    struct spec_strings device_rules; /* "c 1:3 mr" */
    struct spec_strings masked_paths,
        readonly_paths; /* the orchestrator fills in the defaults (spec_default_…) */

    /* namespaces */
    const char *userns; /* path of the pinned user namespace, NULL: the host's */
    int64_t id_base;    /* host id of inside id 0; only with userns */
    int64_t id_count;   /* 65536 */
    struct spec_ns net, pid, ipc, uts, cgroup;

    /* confinement */
    const char *seccomp_filter; /* file with the compiled BPF program; NULL: unconfined */
    const char *seccomp_sha256; /* of its bytes, checked before loading */
    const char *apparmor_profile, *selinux_label;
    bool privileged;
    SPEC_LIST(struct spec_rlimit) rlimits;
    SPEC_LIST(struct spec_pair) sysctls; /* not net.*: netd sets those */
    const char *cgroup_path; /* relative: "winch/<project>/<id>", below each hierarchy */
    struct spec_resources resources;

    struct spec_log log;

    /* When the monitor's notice finds no supervisor, it starts this (absolute path + arguments),
     * detached. */
    struct spec_strings wake_argv;
    const char *supervisor_socket; /* path; NULL: nobody to tell */

    SPEC_LIST(struct spec_pair) annotations; /* kept, for whoever reads the spec */
    const char *shm_ns; /* mount namespace whose /dev/shm is shown too, with ipc joined; NULL: own */
    struct spec_strings cdi; /* "vendor.com/class=name", resolved by cdi_apply before each start */
    int64_t storage_bytes; /* most that upper/ may hold, by project quota; 0: no limit */
};

/* One more process in a running container (exec, probe, hook): everything else is the container's.
 */
struct exec_spec {
    struct spec_process process;
    int64_t timeout_us; /* 0: none; at its end the process and all it started are killed */
    bool capture;       /* keep the last SPEC_OUTPUT_KEPT bytes of stdout+stderr for the reply */
    bool privileged;    /* no seccomp filter */
};

/* JSON round trip. to_json writes only what differs from zero. from_json: ERR_CORRUPT with the
 * field's name; unknown fields are ERR_CORRUPT too (a newer writer). */
struct jv;
struct jv *container_spec_to_json(const struct container_spec *spec);
int container_spec_from_json(struct arena *arena, const struct jv *value,
                             struct container_spec *ret_spec, struct err *err);
/* Packed form for memfds: free(*ret_data). unpack validates every offset and length; strings point
 * into data, arrays are allocated in the arena. ERR_CORRUPT, ERR_LIMIT. libc only. */
int container_spec_pack(const struct container_spec *spec, void **ret_data, size_t *ret_size,
                        struct err *err);
int container_spec_unpack(struct arena *arena, const void *data, size_t size,
                          struct container_spec *ret_spec, struct err *err);
int exec_spec_pack(const struct exec_spec *spec, void **ret_data, size_t *ret_size,
                   struct err *err);
int exec_spec_unpack(struct arena *arena, const void *data, size_t size, struct exec_spec *ret_spec,
                     struct err *err);

/* Defaults of docs/security.md, for the orchestrator. Arrays are static, NULL-terminated. */
extern const char *const spec_default_masked_paths[];
extern const char *const spec_default_readonly_paths[];
uint64_t spec_default_capabilities(bool host_userns);
/* What this host can give at all: our own bounding set. Not pure. */
uint64_t spec_host_capabilities(void);
/* "NET_ADMIN", "CAP_NET_ADMIN", any case → bit number, ALL → -2, unknown → -1. */
int spec_capability_parse(const char *name);
const char *spec_capability_name(int number); /* "CAP_CHOWN"; NULL beyond the last */
