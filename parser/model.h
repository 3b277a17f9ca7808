/* SPDX-License-Identifier: Apache-2.0 */
/* model.h - a loaded, merged, interpolated, normalised and validated compose project: the language of everything above the
 * parser. No YAML notion is left in it.
 *
 * Everything lives in the project's arena and is const after loading. Absent strings are NULL; absent scalars have set == false;
 * lists are {NULL, 0} when absent *or* empty unless a has_… flag tells them apart. Paths are absolute, environment files are
 * folded into environment. Source: Compose Specification (mid-2026) and docs/compose-support.md, which lists each
 * key with what winch does with it. Times are microseconds, sizes bytes. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/diag.h"

struct node; /* parser/node.h: a value with its position */

struct opt_bool { bool set, value; };
struct opt_int { bool set; int64_t value; };
struct opt_num { bool set; double value; };

struct str_list { const char **items; size_t count; }; /* also NULL-terminated at [count] */
struct kv { const char *key, *value; struct pos pos; };      /* value NULL: key without value */
struct kv_list { struct kv *items; size_t count; };    /* in order of first appearance */
/* A command line: absent (keep the image's), or given and maybe empty (override it by nothing). */
struct command { bool set; struct str_list argv; };

#define MODEL_LIST(type) struct { type *items; size_t count; }

/* ---- services ---- */
struct blkio_device { const char *path; int64_t rate; };
struct blkio_config {
    bool set;
    struct opt_int weight;
    MODEL_LIST(struct blkio_device) weight_device, device_read_bps, device_write_bps, device_read_iops, device_write_iops;
};

struct file_ref { /* services.*.configs / secrets, build.secrets */
    const char *source, *target; /* target NULL: the default */
    const char *uid, *gid;
    struct opt_int mode;
    struct pos pos;
};

#define DEPENDS_CONDITIONS(X)                                                                      \
    X(STARTED, "service_started") X(HEALTHY, "service_healthy") X(COMPLETED, "service_completed_successfully")
enum depends_condition {
#define X(id, text) DEPENDS_##id,
    DEPENDS_CONDITIONS(X)
#undef X
};
struct depends_on {
    const char *service;
    enum depends_condition condition;
    bool restart, required; /* required: default true */
    bool implied;           /* from links, volumes_from, network_mode: service:… */
    struct pos pos;
};

struct device_request { /* gpus, deploy…devices */
    struct str_list capabilities, device_ids;
    const char *driver;
    struct opt_int count; /* -1: all */
    struct kv_list options;
};
struct device_map { const char *source, *target, *permissions; struct pos pos; };

struct env_file { const char *path, *format; bool required; };

struct healthcheck {
    bool set;
    bool disable; /* also for test: [NONE] */
    struct str_list test; /* "CMD" or "CMD-SHELL" first; empty: the image's */
    struct opt_int interval_us, timeout_us, start_period_us, start_interval_us, retries;
    struct pos pos;
};

struct logging { const char *driver; struct kv_list options; struct pos pos; };

struct service_network {
    const char *network; /* key in project.networks */
    struct str_list aliases, link_local_ips;
    const char *interface_name, *ipv4_address, *ipv6_address, *mac_address;
    struct kv_list driver_opts;
    int priority, gw_priority;
    struct pos pos;
};

struct service_port { /* ranges expanded; long form */
    uint16_t target;
    uint16_t published_first, published_last; /* 0: any free port */
    const char *host_ip;                      /* NULL: all addresses */
    const char *protocol;                     /* "tcp" "udp" "sctp" */
    const char *mode, *app_protocol, *name;
    struct pos pos;
};

struct hook { /* post_start, pre_stop, pre_start */
    struct command command;
    const char *image, *user, *working_dir;
    bool privileged, per_replica;
    struct kv_list environment;
    struct pos pos;
};

struct provider { bool set; const char *type; struct kv_list options; };
struct ulimit { const char *name; int64_t soft, hard; struct pos pos; }; /* -1: unlimited */

#define VOLUME_TYPES(X) X(BIND, "bind") X(VOLUME, "volume") X(TMPFS, "tmpfs") X(IMAGE, "image") X(NPIPE, "npipe") X(CLUSTER, "cluster")
enum service_volume_type {
#define X(id, text) SERVICE_VOLUME_##id,
    VOLUME_TYPES(X)
#undef X
};
struct service_volume {
    enum service_volume_type type;
    const char *source; /* bind: absolute path; volume: key in project.volumes, NULL: anonymous; image: reference */
    const char *target; /* absolute, cleaned */
    bool read_only;
    const char *consistency;
    const char *bind_propagation, *bind_recursive, *bind_selinux;
    bool bind_create_host_path; /* default true in the short form and in the long form */
    bool volume_nocopy;
    const char *subpath; /* volume.subpath, image.subpath */
    struct kv_list volume_labels;
    struct opt_int tmpfs_size, tmpfs_mode;
    struct str_list tmpfs_options; /* of the short `tmpfs:` form: other words */
    struct pos pos;
};

#define RESTART_CONDITIONS(X) X(NO, "no") X(ALWAYS, "always") X(ON_FAILURE, "on-failure") X(UNLESS_STOPPED, "unless-stopped")
enum restart_condition {
#define X(id, text) RESTART_##id,
    RESTART_CONDITIONS(X)
#undef X
};
/* `restart`, or deploy.restart_policy which overrides it (none → NO, any → ALWAYS). */
struct restart_policy {
    enum restart_condition condition;
    int64_t max_attempts;        /* 0: no limit; only ON_FAILURE and deploy's */
    struct opt_int delay_us, window_us; /* of deploy.restart_policy */
};

struct build {
    bool set;
    const char *context, *dockerfile, *dockerfile_inline, *target, *network, *isolation, *provenance, *sbom;
    struct kv_list args, labels, additional_contexts, extra_hosts, ssh;
    struct str_list cache_from, cache_to, entitlements, platforms, tags, no_cache_filter;
    bool no_cache, pull, privileged;
    struct opt_int shm_bytes;
    MODEL_LIST(struct file_ref) secrets;
    MODEL_LIST(struct ulimit) ulimits;
    struct pos pos;
};

struct update_config {
    bool set;
    struct opt_int parallelism, delay_us, monitor_us;
    struct opt_num max_failure_ratio;
    const char *failure_action, *order;
};
struct generic_resource { const char *kind; int64_t value; };
struct deploy {
    bool set;
    const char *mode, *endpoint_mode;
    struct opt_int replicas;
    struct kv_list labels;
    struct opt_num limit_cpus, reserve_cpus;
    struct opt_int limit_memory, limit_pids, reserve_memory;
    MODEL_LIST(struct device_request) reserve_devices;
    MODEL_LIST(struct generic_resource) generic_resources;
    struct update_config update, rollback;
    struct str_list placement_constraints, placement_preferences;
    struct opt_int max_replicas_per_node;
};

struct watch_rule {
    const char *path, *action, *target;
    struct str_list ignore, include;
    bool initial_sync;
    struct hook exec;
    struct pos pos;
};

struct service_model { const char *model, *endpoint_var, *model_var; };

struct service {
    const char *name;
    struct pos pos;

    const char *image, *platform, *pull_policy; /* pull_policy as written: always never missing build daily weekly every_… */
    struct build build;
    struct provider provider;
    struct command command, entrypoint;
    struct kv_list environment; /* env files folded in; value NULL never appears */
    MODEL_LIST(struct env_file) env_files;
    const char *working_dir, *user, *hostname, *domainname, *container_name;
    struct str_list group_add;
    struct opt_bool init, read_only, privileged, tty, stdin_open, attach, oom_kill_disable, use_api_socket;

    int64_t scale; /* replicas to run: scale or deploy.replicas, default 1 */
    struct restart_policy restart;
    const char *stop_signal;
    struct opt_int stop_grace_us; /* default 10 s */
    MODEL_LIST(struct depends_on) depends_on;
    struct healthcheck healthcheck;
    struct str_list profiles;
    struct logging logging;
    MODEL_LIST(struct hook) pre_start, post_start, pre_stop;

    MODEL_LIST(struct service_port) ports;
    struct str_list expose;
    const char *network_mode; /* NULL: networks */
    MODEL_LIST(struct service_network) networks; /* sorted by priority, then name */
    struct kv_list extra_hosts; /* host → one address; several entries for several */
    struct str_list dns, dns_search, dns_opt;
    struct str_list links, external_links;
    const char *mac_address;

    MODEL_LIST(struct service_volume) volumes; /* volumes and tmpfs */
    struct str_list volumes_from;
    MODEL_LIST(struct file_ref) configs, secrets;
    MODEL_LIST(struct device_map) devices;
    struct str_list device_cgroup_rules;
    MODEL_LIST(struct device_request) gpus;
    struct opt_int shm_bytes;
    struct kv_list storage_opt;

    struct str_list cap_add, cap_drop, security_opt;
    struct kv_list sysctls;
    MODEL_LIST(struct ulimit) ulimits;
    const char *ipc, *pid, *uts, *userns_mode, *cgroup, *cgroup_parent, *runtime, *isolation;
    struct opt_int oom_score_adj;

    /* limits: deploy.resources folded in */
    struct opt_int mem_limit, mem_reservation, memswap_limit, mem_swappiness, pids_limit;
    struct opt_num cpus, cpu_percent;
    struct opt_int cpu_count, cpu_shares, cpu_period_us, cpu_quota_us, cpu_rt_period_us, cpu_rt_runtime_us;
    const char *cpuset;
    struct blkio_config blkio;

    struct kv_list labels, annotations;
    struct deploy deploy;
    MODEL_LIST(struct watch_rule) watch;
    MODEL_LIST(struct service_model) models;

    /* SHA-256 (hex) over the canonical service without build, pull_policy, scale, deploy.replicas, depends_on, profiles:
     * what forces a recreate when it differs (compose-reference b.9). */
    const char *config_hash;
    const struct node *canonical; /* long form, for `config` and for naming what changed */
};

/* ---- top-level resources ---- */
struct ipam_config { const char *subnet, *ip_range, *gateway; struct kv_list aux_addresses; struct pos pos; };
struct network {
    const char *key, *name; /* name: full, "proj_key" unless given */
    const char *driver;     /* NULL: bridge */
    struct kv_list driver_opts, labels, ipam_options;
    const char *ipam_driver;
    MODEL_LIST(struct ipam_config) ipam;
    bool external, internal, attachable, enable_ipv6;
    bool enable_ipv4; /* default true */
    const char *config_hash;
    struct pos pos;
};
struct volume {
    const char *key, *name, *driver; /* driver NULL: local */
    struct kv_list driver_opts, labels;
    bool external;
    const char *config_hash;
    struct pos pos;
};
struct file_object { /* configs.*, secrets.* */
    const char *key, *name;
    const char *file, *environment, *content; /* exactly one, unless external; content is resolved for environment, too:
                                               * value NULL when the variable is unset (an error at `up`) */
    const char *environment_value;
    const char *driver, *template_driver;
    struct kv_list driver_opts, labels;
    bool external;
    struct pos pos;
};
struct model_object { const char *key, *name, *model; struct opt_int context_size; struct str_list runtime_flags; struct pos pos; };

/* A variable that the files ask for; "" where there is none. */
struct variable_use { const char *name, *fallback, *alternate; bool required; };

struct project {
    struct arena *arena;
    const char *name;
    const char *working_dir;      /* absolute project directory */
    struct str_list config_files; /* absolute, in order */
    struct str_list env_files;
    MODEL_LIST(struct service) services; /* selected by profiles, sorted by name */
    MODEL_LIST(struct service) disabled; /* not selected */
    MODEL_LIST(struct network) networks; /* used ones unless all_resources, sorted by key */
    MODEL_LIST(struct volume) volumes;
    MODEL_LIST(struct file_object) configs, secrets;
    MODEL_LIST(struct model_object) models;
    const struct node *canonical; /* the whole, as `config` prints it (before $ doubling) */
    const struct node *removed;   /* path → what !reset it; only with load_options.origins */
    struct kv_list environment;   /* resolved, sorted; these two only with load_options.list_variables */
    MODEL_LIST(struct variable_use) variables; /* sorted by name */
    bool not_interpolated;        /* loaded with no_interpolate: `config` prints $ as it is */
};

/* Lookups; NULL when missing. */
const struct service *project_service(const struct project *project, const char *name);
const struct network *project_network(const struct project *project, const char *key);
const struct volume *project_volume(const struct project *project, const char *key);
const struct file_object *project_config(const struct project *project, const char *key);
const struct file_object *project_secret(const struct project *project, const char *key);
const char *kv_find(const struct kv_list *list, const char *key); /* value; NULL when missing */
const char *depends_condition_text(enum depends_condition condition);
const char *restart_condition_text(enum restart_condition condition);
void project_free(struct project *project); /* NULL is fine; frees the arena */
