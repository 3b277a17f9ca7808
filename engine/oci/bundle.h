/* SPDX-License-Identifier: Apache-2.0 */
/* bundle.h - an OCI bundle's config.json as plain data.
 *
 * Source: OCI runtime-spec 1.2 (config.md, config-linux.md). What winch's own specification has a place for is in `spec`
 * (process, limits, masks, cgroup); the rest is here. Strings live in the arena. Zero means absent. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "engine/runtime/spec.h"

#define OCI_VERSION    "1.2.0"
#define OCI_CONFIG_MAX (4 * 1024 * 1024)
#define OCI_LIST_MAX   4096 /* entries of any list in config.json */

enum oci_ns { OCI_NS_USER, OCI_NS_IPC, OCI_NS_UTS, OCI_NS_NET, OCI_NS_PID, OCI_NS_CGROUP, OCI_NS_TIME, OCI_NS_MOUNT, OCI_NS_COUNT };
extern const struct oci_ns_row {
    const char *word, *file; /* in config.json; below /proc/PID/ns */
    int flag;                /* CLONE_NEW… */
} oci_ns_table[OCI_NS_COUNT]; /* in the order they are joined */

struct oci_namespace {
    bool set;         /* a new one, or the one at path; else the runtime's */
    const char *path; /* NULL: a new one */
};

struct oci_mount {
    const char *destination, *type, *source;
    const char *data;         /* options of the file system, ','-separated */
    uint64_t set, clear;      /* MOUNT_ATTR_… */
    uint64_t rec_set, rec_clear;
    uint64_t propagation;     /* MS_…, may hold MS_REC; 0: unchanged */
    bool bind, recursive, copy_up;
};

struct oci_device {
    const char *path;
    char type; /* 'c' 'b' 'p' 'u' */
    int64_t major, minor;
    uint32_t mode, uid, gid;
};

struct oci_id_map {
    uint32_t container, host, size;
};

enum oci_hook_kind { OCI_PRESTART, OCI_CREATE_RUNTIME, OCI_CREATE_CONTAINER, OCI_START_CONTAINER, OCI_POSTSTART, OCI_POSTSTOP, OCI_HOOKS };
struct oci_hook {
    const char *path;
    struct spec_strings args, env;
    int64_t timeout_s; /* 0: none */
};

struct oci_caps {
    bool set;
    uint64_t bounding, effective, permitted, inheritable, ambient;
};

struct oci_process { /* of config.json, or of exec */
    struct spec_process base; /* argv, env, cwd, no_new_privs, tty */
    uint32_t uid, gid, umask;
    bool has_umask, has_oom;
    uint32_t groups[256];
    size_t group_count;
    struct oci_caps caps;
    SPEC_LIST(struct spec_rlimit) rlimits;
    uint16_t rows, columns; /* of the terminal; 0: unset */
};

struct oci_bundle {
    struct arena *arena;
    struct jv *config;           /* the whole document: annotations, seccomp, unified … */
    struct container_spec spec;  /* hostname, domainname, masks, sysctls, resources, device_rules, cgroup_path */
    struct oci_process process;
    bool has_process;
    const char *rootfs;          /* absolute */
    uint64_t root_propagation;   /* MS_… */
    struct oci_namespace ns[OCI_NS_COUNT];
    SPEC_LIST(struct oci_mount) mounts;
    SPEC_LIST(struct oci_device) devices;
    SPEC_LIST(struct oci_id_map) uids;
    SPEC_LIST(struct oci_id_map) gids;
    struct { SPEC_LIST(struct oci_hook) list; } hooks[OCI_HOOKS];
};

/* Reads DIR/config.json. ERR_CONFIG names the field. */
int oci_bundle_load(const char *dir, const char *id, struct oci_bundle **ret_bundle, struct err *err);
void oci_bundle_free(struct oci_bundle *bundle);
DEFINE_CLEANUP(struct oci_bundle *, oci_bundle_free)
/* The same from a parsed document (taken); dir is what relative paths are below. Pure. */
int oci_bundle_parse(struct jv *config, const char *dir, const char *id, struct oci_bundle **ret_bundle, struct err *err);
/* An object in the form of config.json's `process`. */
int oci_process_parse(struct arena *arena, const struct jv *value, struct oci_process *ret_process, struct err *err);
/* config.json's `linux` (bundle_linux.c) and one mount's options (mount_options.c). */
int oci_linux_parse(struct oci_bundle *bundle, const struct jv *value, struct err *err);
int oci_mount_options(struct arena *arena, const struct jv *options, struct oci_mount *mount, struct err *err);
uint64_t oci_propagation(const char *word); /* MS_… of "rslave" …; 0: none of them */

/* Items of an array as strings; ERR_CONFIG when an element is none. */
int oci_strings(struct arena *arena, const struct jv *array, const char *name, struct spec_strings *ret_strings, struct err *err);
