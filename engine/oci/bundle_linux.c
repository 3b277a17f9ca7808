/* SPDX-License-Identifier: Apache-2.0 */
/* The `linux` part of config.json: namespaces, ids, devices, limits, covered paths. Pure. What this runtime cannot do is refused by
 * the name of its field. */
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "base/path.h"
#include "base/str.h"
#include "engine/oci/bundle.h"

static int namespaces_parse(struct oci_bundle *bundle, const struct jv *list, struct err *err)
{
    for (size_t i = 0; i < jv_count(list); i++) {
        const char *type = jv_get_str(jv_at(list, i), "type", ""), *path = jv_get_str(jv_at(list, i), "path", "");
        size_t row = 0;
        while (row < OCI_NS_COUNT && !str_eq(oci_ns_table[row].word, type))
            row++;
        if (row == OCI_NS_COUNT)
            return err_set(err, ERR_CONFIG, "linux.namespaces[%zu].type: '%s' is no namespace", i, type);
        if (bundle->ns[row].set)
            return err_set(err, ERR_CONFIG, "linux.namespaces[%zu]: %s is given twice", i, type);
        if (path[0] && path[0] != '/')
            return err_set(err, ERR_CONFIG, "linux.namespaces[%zu].path must be absolute", i);
        bundle->ns[row] = (struct oci_namespace){true, path[0] ? arena_strdup(bundle->arena, path) : NULL};
    }
    return 0;
}

static struct oci_id_map *maps_parse(struct oci_bundle *bundle, const struct jv *list, size_t *ret_count)
{
    size_t count = MIN(jv_count(list), (size_t)340); /* more than that the kernel refuses */
    struct oci_id_map *items = arena_alloc(bundle->arena, (count + 1) * sizeof(*items));
    for (size_t i = 0; i < count; i++) {
        const struct jv *row = jv_at(list, i);
        items[i] = (struct oci_id_map){(uint32_t)jv_get_int(row, "containerID", 0), (uint32_t)jv_get_int(row, "hostID", 0),
                                       (uint32_t)jv_get_int(row, "size", 0)};
    }
    *ret_count = count;
    return items;
}

static int devices_parse(struct oci_bundle *bundle, const struct jv *list, struct err *err)
{
    size_t count = jv_count(list);
    if (count > OCI_LIST_MAX)
        return err_set(err, ERR_LIMIT, "linux.devices has more than %d entries", OCI_LIST_MAX);
    bundle->devices.items = arena_alloc(bundle->arena, (count + 1) * sizeof(*bundle->devices.items));
    for (size_t i = 0; i < count; i++) {
        const struct jv *row = jv_at(list, i);
        const char *path = jv_get_str(row, "path", ""), *type = jv_get_str(row, "type", "");
        if (path[0] != '/' || strlen(type) != 1 || !strchr("cbup", type[0]))
            return err_set(err, ERR_CONFIG, "linux.devices[%zu]: '%s' of type '%s' is no device", i, path, type);
        _cleanup_free_ char *clean = path_clean(path);
        bundle->devices.items[bundle->devices.count++] = (struct oci_device){
            .path = arena_strdup(bundle->arena, clean), .type = type[0],
            .major = jv_get_int(row, "major", 0), .minor = jv_get_int(row, "minor", 0),
            .mode = (uint32_t)jv_get_int(row, "fileMode", 0666) & 07777,
            .uid = (uint32_t)jv_get_int(row, "uid", 0), .gid = (uint32_t)jv_get_int(row, "gid", 0)};
    }
    return 0;
}

static const char *number(struct arena *arena, const struct jv *row, const char *key)
{
    int64_t value = jv_get_int(row, key, -1);
    return value < 0 ? "*" : arena_printf(arena, "%lld", (long long)value);
}

/* A list that denies everything and then allows some: what is allowed. Anything else leaves devices alone. */
static int device_rules_parse(struct oci_bundle *bundle, const struct jv *list, struct err *err)
{
    size_t count = jv_count(list);
    bool denies = false;
    if (count > OCI_LIST_MAX)
        return err_set(err, ERR_LIMIT, "linux.resources.devices has more than %d entries", OCI_LIST_MAX);
    const char **items = arena_alloc(bundle->arena, (count + 1) * sizeof(*items));
    size_t used = 0;
    for (size_t i = 0; i < count; i++) {
        const struct jv *row = jv_at(list, i);
        const char *type = jv_get_str(row, "type", "a"), *access = jv_get_str(row, "access", "rwm");
        bool all = !type[0] || str_eq(type, "a");
        if (access[strspn(access, "rwm")])
            return err_set(err, ERR_CONFIG, "linux.resources.devices[%zu].access: '%s' is no access", i, access);
        if (!jv_get_bool(row, "allow", false)) {
            denies |= all;
            used = all ? 0 : used;
        } else if (all && jv_get_int(row, "major", -1) < 0 && jv_get_int(row, "minor", -1) < 0) {
            denies = false;
        } else {
            items[used++] = arena_printf(bundle->arena, "%s %s:%s %s", all ? "c" : type, number(bundle->arena, row, "major"),
                                         number(bundle->arena, row, "minor"), access[0] ? access : "rwm");
        }
    }
    bundle->spec.device_rules = (struct spec_strings){items, used};
    bundle->spec.privileged = !denies; /* of the device cgroup only */
    return 0;
}

static int io_parse(struct oci_bundle *bundle, const struct jv *block, struct err *err)
{
    static const struct {
        const char *key, *kind;
    } rows[] = {{"throttleReadBpsDevice", "rbps"}, {"throttleWriteBpsDevice", "wbps"},
                {"throttleReadIOPSDevice", "riops"}, {"throttleWriteIOPSDevice", "wiops"}};
    struct spec_resources *resources = &bundle->spec.resources;
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        count += jv_count(jv_find(block, rows[i].key));
    if (count > OCI_LIST_MAX)
        return err_set(err, ERR_LIMIT, "linux.resources.blockIO has more than %d entries", OCI_LIST_MAX);
    resources->io_weight = jv_get_int(block, "weight", 0);
    resources->io_max.items = arena_alloc(bundle->arena, (count + 1) * sizeof(*resources->io_max.items));
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct jv *list = jv_find(block, rows[i].key);
        for (size_t k = 0; k < jv_count(list); k++)
            resources->io_max.items[resources->io_max.count++] = (struct spec_pair){
                arena_printf(bundle->arena, "/dev/block/%s:%s %s", number(bundle->arena, jv_at(list, k), "major"),
                             number(bundle->arena, jv_at(list, k), "minor"), rows[i].kind),
                arena_printf(bundle->arena, "%lld", (long long)jv_get_int(jv_at(list, k), "rate", 0))};
    }
    return 0;
}

static int resources_parse(struct oci_bundle *bundle, const struct jv *value, struct err *err)
{
    struct spec_resources *resources = &bundle->spec.resources;
    const struct jv *memory = jv_find(value, "memory"), *cpu = jv_find(value, "cpu"), *pids = jv_find(value, "pids");
    static const char *const missing[] = {"hugepageLimits", "network", "rdma", "unified"};
    for (size_t i = 0; i < ARRAY_LEN(missing); i++)
        if (jv_count(jv_find(value, missing[i])) > 0)
            return err_set(err, ERR_UNSUPPORTED, "linux.resources.%s is not supported", missing[i]);
    int64_t limit = jv_get_int(memory, "limit", 0), swap = jv_get_int(memory, "swap", 0), tasks = jv_get_int(pids, "limit", 0);
    resources->memory_max = limit > 0 ? limit : 0;
    resources->memory_reservation = MAX(jv_get_int(memory, "reservation", 0), (int64_t)0);
    resources->memory_swap = swap > 0 ? swap : limit > 0 ? -1 : 0;
    resources->memory_swappiness = jv_get_int(memory, "swappiness", -1);
    resources->oom_kill_disable = jv_get_bool(memory, "disableOOMKiller", false);
    resources->cpu_shares = jv_get_int(cpu, "shares", 0);
    resources->cpu_quota_us = MAX(jv_get_int(cpu, "quota", 0), (int64_t)0);
    resources->cpu_period_us = jv_get_int(cpu, "period", 0);
    resources->cpu_rt_runtime_us = jv_get_int(cpu, "realtimeRuntime", 0);
    resources->cpu_rt_period_us = jv_get_int(cpu, "realtimePeriod", 0);
    resources->cpuset_cpus = arena_strdup(bundle->arena, jv_get_str(cpu, "cpus", NULL));
    resources->cpuset_mems = arena_strdup(bundle->arena, jv_get_str(cpu, "mems", NULL));
    resources->pids_max = tasks > 0 ? tasks : -1;
    if (io_parse(bundle, jv_find(value, "blockIO"), err) < 0)
        return -1;
    return device_rules_parse(bundle, jv_find(value, "devices"), err);
}

static int sysctls_parse(struct oci_bundle *bundle, const struct jv *object, struct err *err)
{
    const char *key;
    struct jv *value;
    size_t count = jv_count(object);
    if (count > OCI_LIST_MAX)
        return err_set(err, ERR_LIMIT, "linux.sysctl has more than %d entries", OCI_LIST_MAX);
    bundle->spec.sysctls.items = arena_alloc(bundle->arena, (count + 1) * sizeof(*bundle->spec.sysctls.items));
    JV_EACH (object, key, value) {
        if (!jv_text(value))
            return err_set(err, ERR_CONFIG, "linux.sysctl.%s must be a string", key);
        bundle->spec.sysctls.items[bundle->spec.sysctls.count++] =
            (struct spec_pair){arena_strdup(bundle->arena, key), arena_strdup(bundle->arena, jv_text(value))};
    }
    return 0;
}

/* "/a/b" and "a/b" alike: below the root of each hierarchy. */
static int cgroup_path_parse(struct oci_bundle *bundle, const char *path, struct err *err)
{
    _cleanup_free_ char *fallback = xasprintf("winch-oci-%s", bundle->spec.id);
    _cleanup_free_ char *joined = path_join("/", path && path[0] ? path : fallback), *clean = path_clean(joined);
    if (path && strchr(path, ':'))
        return err_set(err, ERR_UNSUPPORTED, "linux.cgroupsPath: '%s' is for systemd's cgroup driver, which is not supported", path);
    if (clean[1] == '\0')
        return err_set(err, ERR_CONFIG, "linux.cgroupsPath: the root is no container's");
    bundle->spec.cgroup_path = arena_strdup(bundle->arena, clean + 1);
    return 0;
}

int oci_linux_parse(struct oci_bundle *bundle, const struct jv *value, struct err *err)
{
    const char *propagation = jv_get_str(value, "rootfsPropagation", "");
    bundle->spec.resources.memory_swappiness = -1;
    if (namespaces_parse(bundle, jv_find(value, "namespaces"), err) < 0 || devices_parse(bundle, jv_find(value, "devices"), err) < 0 ||
        resources_parse(bundle, jv_find(value, "resources"), err) < 0 || sysctls_parse(bundle, jv_find(value, "sysctl"), err) < 0 ||
        oci_strings(bundle->arena, jv_find(value, "maskedPaths"), "linux.maskedPaths", &bundle->spec.masked_paths, err) < 0 ||
        oci_strings(bundle->arena, jv_find(value, "readonlyPaths"), "linux.readonlyPaths", &bundle->spec.readonly_paths, err) < 0 ||
        cgroup_path_parse(bundle, jv_get_str(value, "cgroupsPath", NULL), err) < 0)
        return -1;
    bundle->uids.items = maps_parse(bundle, jv_find(value, "uidMappings"), &bundle->uids.count);
    bundle->gids.items = maps_parse(bundle, jv_find(value, "gidMappings"), &bundle->gids.count);
    bundle->root_propagation = oci_propagation(propagation);
    if (propagation[0] && !bundle->root_propagation)
        return err_set(err, ERR_CONFIG, "linux.rootfsPropagation: '%s' is none", propagation);
    bool new_user = bundle->ns[OCI_NS_USER].set && !bundle->ns[OCI_NS_USER].path;
    if (new_user && (bundle->uids.count == 0 || bundle->gids.count == 0))
        return err_set(err, ERR_CONFIG, "linux.namespaces: a new user namespace needs uidMappings and gidMappings");
    if (bundle->uids.count > 0 && !bundle->ns[OCI_NS_USER].set)
        return err_set(err, ERR_CONFIG, "linux.uidMappings: there is no user namespace for them");
    if (bundle->spec.hostname && !bundle->ns[OCI_NS_UTS].set)
        return err_set(err, ERR_CONFIG, "hostname: unable to set it without a private UTS namespace");
    if (!bundle->ns[OCI_NS_MOUNT].set)
        return err_set(err, ERR_UNSUPPORTED, "linux.namespaces: a container without a mount namespace is not supported");
    return 0;
}
