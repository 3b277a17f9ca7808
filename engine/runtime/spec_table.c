/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of spec_table.h. One line a field; add at the end of a table only. Pure data. */
#include "engine/runtime/spec_table.h"

#include <stdint.h>

#include "engine/runtime/spec.h"

_Static_assert(sizeof(enum ns_mode) == sizeof(int), "SPEC_ENUM fields are ints");
_Static_assert(sizeof(struct spec_list) == sizeof(((struct container_spec *)0)->mounts),
               "every list has one layout");

#define TABLE(rows, type)                                                                          \
    {                                                                                              \
        .fields = (rows), .count = sizeof(rows) / sizeof((rows)[0]), .size = sizeof(type)          \
    }
#define AT(field) .offset = offsetof(OWNER, field)
#define STRING(field)                                                                              \
    {                                                                                              \
        .name = #field, .type = SPEC_STRING, AT(field)                                             \
    }
#define STRINGS(field)                                                                             \
    {                                                                                              \
        .name = #field, .type = SPEC_STRINGS, AT(field)                                            \
    }
#define BOOL(field)                                                                                \
    {                                                                                              \
        .name = #field, .type = SPEC_BOOL, AT(field)                                               \
    }
#define I64(field)                                                                                 \
    {                                                                                              \
        .name = #field, .type = SPEC_I64, AT(field)                                                \
    }
#define U64(field)                                                                                 \
    {                                                                                              \
        .name = #field, .type = SPEC_U64, AT(field)                                                \
    }
#define U32(field)                                                                                 \
    {                                                                                              \
        .name = #field, .type = SPEC_U32, AT(field)                                                \
    }
#define ENUM(field, names)                                                                         \
    {                                                                                              \
        .name = #field, .type = SPEC_ENUM, AT(field), .words = (names)                             \
    }
#define BYTES(field, bytes)                                                                        \
    {                                                                                              \
        .name = #field, .type = SPEC_BYTES, AT(field), .size_offset = offsetof(OWNER, bytes)       \
    }
#define STRUCT(field, of)                                                                          \
    {                                                                                              \
        .name = #field, .type = SPEC_STRUCT, AT(field), .table = &(of)                             \
    }
#define RECORDS(field, of)                                                                         \
    {                                                                                              \
        .name = #field, .type = SPEC_RECORDS, AT(field), .table = &(of)                            \
    }

static const char *const ns_words[] = {"private", "host", "path", NULL};
static const char *const mount_words[] = {"bind", "tmpfs", "file", "layers", NULL};
static const char *const propagation_words[] = {"private", "rprivate", "slave", "rslave",
                                                "shared",  "rshared",  NULL};
static const char *const log_words[] = {"file", "none", "journald", "syslog", NULL};
static const char *const syslog_format_words[] = {"local", "rfc3164", "rfc5424", "rfc5424micro", NULL};
static const char *const syslog_transport_words[] = {"unix", "udp", "tcp", NULL};

#define OWNER struct spec_ns
static const struct spec_field ns_rows[] = {ENUM(mode, ns_words), STRING(path)};
static const struct spec_table ns_table = TABLE(ns_rows, OWNER);
#undef OWNER

#define OWNER struct spec_mount
static const struct spec_field mount_rows[] = {
    ENUM(kind, mount_words),
    STRING(source),
    STRING(target),
    STRING(subpath),
    BYTES(content, content_size),
    BOOL(read_only),
    BOOL(recursive),
    BOOL(idmap),
    BOOL(exec),
    BOOL(suid),
    BOOL(dev),
    BOOL(is_file),
    BOOL(optional),
    ENUM(propagation, propagation_words),
    U64(size_bytes),
    U32(mode),
    U32(uid),
    U32(gid),
};
static const struct spec_table mount_table = TABLE(mount_rows, OWNER);
#undef OWNER

#define OWNER struct spec_device
static const struct spec_field device_rows[] = {STRING(source), STRING(target),
                                                STRING(permissions), U32(mode), U32(uid), U32(gid)};
static const struct spec_table device_table = TABLE(device_rows, OWNER);
#undef OWNER

#define OWNER struct spec_rlimit
static const struct spec_field rlimit_rows[] = {STRING(name), U64(soft), U64(hard)};
static const struct spec_table rlimit_table = TABLE(rlimit_rows, OWNER);
#undef OWNER

#define OWNER struct spec_pair
static const struct spec_field pair_rows[] = {STRING(key), STRING(value)};
static const struct spec_table pair_table = TABLE(pair_rows, OWNER);
#undef OWNER

#define OWNER struct spec_resources
static const struct spec_field resource_rows[] = {
    I64(memory_max),        I64(memory_reservation), I64(memory_swap),
    I64(memory_swappiness), BOOL(oom_kill_disable),  I64(pids_max),
    I64(cpu_quota_us),      I64(cpu_period_us),      I64(cpu_shares),
    I64(cpu_rt_runtime_us), I64(cpu_rt_period_us),   STRING(cpuset_cpus),
    STRING(cpuset_mems),    I64(io_weight),          RECORDS(io_max, pair_table),
    RECORDS(io_weights, pair_table), BOOL(strict),
};
static const struct spec_table resource_table = TABLE(resource_rows, OWNER);
#undef OWNER

#define OWNER struct spec_log
static const struct spec_field log_rows[] = {
    ENUM(driver, log_words),
    I64(max_bytes),
    I64(max_files),
    BOOL(compress),
    BOOL(no_file),
    STRING(attributes),
    I64(buffer_bytes),
    STRING(tag),
    RECORDS(fields, pair_table),
    ENUM(transport, syslog_transport_words),
    ENUM(format, syslog_format_words),
    STRING(host),
    I64(port),
    I64(facility),
};
static const struct spec_table log_table = TABLE(log_rows, OWNER);
#undef OWNER

#define OWNER struct spec_process
static const struct spec_field process_rows[] = {
    STRINGS(argv),     STRINGS(env),       STRING(cwd), STRING(user),       STRINGS(groups),
    U64(capabilities), BOOL(no_new_privs), BOOL(tty),   I64(oom_score_adj),
};
static const struct spec_table process_table = TABLE(process_rows, OWNER);
#undef OWNER

#define OWNER struct container_spec
static const struct spec_field container_rows[] = {
    I64(version),
    STRING(id),
    STRING(name),
    STRING(hostname),
    STRING(domainname),
    STRUCT(process, process_table),
    BOOL(init),
    BOOL(stdin_open),
    I64(stop_signal),
    STRINGS(layers),
    STRING(state_dir),
    STRING(run_dir),
    BOOL(read_only),
    I64(shm_bytes),
    RECORDS(mounts, mount_table),
    RECORDS(devices, device_table),
    STRINGS(device_rules),
    STRINGS(masked_paths),
    STRINGS(readonly_paths),
    STRING(userns),
    I64(id_base),
    I64(id_count),
    STRUCT(net, ns_table),
    STRUCT(pid, ns_table),
    STRUCT(ipc, ns_table),
    STRUCT(uts, ns_table),
    STRUCT(cgroup, ns_table),
    STRING(seccomp_filter),
    STRING(seccomp_sha256),
    STRING(apparmor_profile),
    STRING(selinux_label),
    BOOL(privileged),
    RECORDS(rlimits, rlimit_table),
    RECORDS(sysctls, pair_table),
    STRING(cgroup_path),
    STRUCT(resources, resource_table),
    STRUCT(log, log_table),
    STRINGS(wake_argv),
    STRING(supervisor_socket),
    RECORDS(annotations, pair_table),
    STRING(shm_ns),
    STRINGS(cdi),
    I64(storage_bytes),
};
const struct spec_table spec_container_table = TABLE(container_rows, OWNER);
#undef OWNER

#define OWNER struct exec_spec
static const struct spec_field exec_rows[] = {
    STRUCT(process, process_table),
    I64(timeout_us),
    BOOL(capture),
    BOOL(privileged),
};
const struct spec_table spec_exec_table = TABLE(exec_rows, OWNER);
#undef OWNER
