/* SPDX-License-Identifier: Apache-2.0 */
/* config.json → struct oci_bundle, but for its `linux` part. Pure, but for oci_bundle_load. */
#include "engine/oci/bundle.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/path.h"
#include "base/str.h"

#ifndef CLONE_NEWTIME
#define CLONE_NEWTIME 0x80
#endif

const struct oci_ns_row oci_ns_table[OCI_NS_COUNT] = {
    [OCI_NS_USER] = {"user", "user", CLONE_NEWUSER},     [OCI_NS_IPC] = {"ipc", "ipc", CLONE_NEWIPC},
    [OCI_NS_UTS] = {"uts", "uts", CLONE_NEWUTS},         [OCI_NS_NET] = {"network", "net", CLONE_NEWNET},
    [OCI_NS_PID] = {"pid", "pid", CLONE_NEWPID},         [OCI_NS_CGROUP] = {"cgroup", "cgroup", CLONE_NEWCGROUP},
    [OCI_NS_TIME] = {"time", "time", CLONE_NEWTIME},     [OCI_NS_MOUNT] = {"mount", "mnt", CLONE_NEWNS},
};

int oci_strings(struct arena *arena, const struct jv *array, const char *name, struct spec_strings *ret_strings, struct err *err)
{
    size_t count = jv_count(array);
    if (array && jv_kind(array) != JV_ARRAY && jv_kind(array) != JV_NULL)
        return err_set(err, ERR_CONFIG, "%s must be a list", name);
    if (count > OCI_LIST_MAX)
        return err_set(err, ERR_LIMIT, "%s has more than %d entries", name, OCI_LIST_MAX);
    const char **items = arena_alloc(arena, (count + 1) * sizeof(*items));
    for (size_t i = 0; i < count; i++) {
        const char *text = jv_text(jv_at(array, i));
        if (!text)
            return err_set(err, ERR_CONFIG, "%s[%zu] must be a string", name, i);
        items[i] = arena_strdup(arena, text);
    }
    items[count] = NULL;
    *ret_strings = (struct spec_strings){items, count};
    return 0;
}

static int id_get(const struct jv *object, const char *key, uint32_t *ret_id, struct err *err)
{
    int64_t value = jv_get_int(object, key, 0);
    if (value < 0 || value > UINT32_MAX)
        return err_set(err, ERR_CONFIG, "%s: %lld is out of range", key, (long long)value);
    *ret_id = (uint32_t)value;
    return 0;
}

static int caps_parse(const struct jv *value, struct oci_caps *caps, struct err *err)
{
    const struct {
        const char *key;
        uint64_t *set;
    } rows[] = {{"bounding", &caps->bounding},       {"effective", &caps->effective}, {"permitted", &caps->permitted},
                {"inheritable", &caps->inheritable}, {"ambient", &caps->ambient}};
    caps->set = value && jv_kind(value) == JV_OBJECT;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        const struct jv *list = jv_find(value, rows[i].key);
        for (size_t k = 0; k < jv_count(list); k++) {
            const char *name = jv_text(jv_at(list, k));
            int number = name ? spec_capability_parse(name) : -1;
            if (number >= 0) /* unknown names are left out, as the specification asks for */
                *rows[i].set |= 1ULL << number;
            else if (!name)
                return err_set(err, ERR_CONFIG, "process.capabilities.%s[%zu] must be a string", rows[i].key, k);
        }
    }
    return 0;
}

static uint64_t rlimit_value(const struct jv *row, const char *key)
{
    int64_t value = jv_get_int(row, key, 0);
    return value == INT64_MAX || value < 0 ? UINT64_MAX : (uint64_t)value;
}

static int rlimits_parse(struct arena *arena, const struct jv *list, struct oci_process *process, struct err *err)
{
    size_t count = jv_count(list);
    if (count > 64)
        return err_set(err, ERR_LIMIT, "process.rlimits has %zu entries", count);
    process->rlimits.items = arena_alloc(arena, (count + 1) * sizeof(*process->rlimits.items));
    for (size_t i = 0; i < count; i++) {
        const struct jv *row = jv_at(list, i);
        const char *type = jv_get_str(row, "type", "");
        if (!str_has_prefix(type, "RLIMIT_"))
            return err_set(err, ERR_CONFIG, "process.rlimits[%zu].type: '%s' is no resource", i, type);
        char *name = arena_strdup(arena, type + strlen("RLIMIT_"));
        for (char *c = name; *c; c++)
            *c = (char)(*c | 0x20);
        for (size_t k = 0; k < i; k++)
            if (str_eq(process->rlimits.items[k].name, name))
                return err_set(err, ERR_CONFIG, "process.rlimits[%zu]: %s is given twice", i, type);
        process->rlimits.items[process->rlimits.count++] = (struct spec_rlimit){
            name, rlimit_value(row, "soft"), rlimit_value(row, "hard")};
    }
    return 0;
}

int oci_process_parse(struct arena *arena, const struct jv *value, struct oci_process *ret_process, struct err *err)
{
    struct oci_process process = {0};
    const struct jv *user = jv_find(value, "user"), *groups = jv_find(user, "additionalGids"), *size = jv_find(value, "consoleSize");
    const char *cwd = jv_get_str(value, "cwd", "");
    if (oci_strings(arena, jv_find(value, "args"), "process.args", &process.base.argv, err) < 0 ||
        oci_strings(arena, jv_find(value, "env"), "process.env", &process.base.env, err) < 0 ||
        id_get(user, "uid", &process.uid, err) < 0 || id_get(user, "gid", &process.gid, err) < 0 ||
        id_get(user, "umask", &process.umask, err) < 0 || caps_parse(jv_find(value, "capabilities"), &process.caps, err) < 0 ||
        rlimits_parse(arena, jv_find(value, "rlimits"), &process, err) < 0)
        return -1;
    if (process.base.argv.count == 0)
        return err_set(err, ERR_CONFIG, "process.args must not be empty");
    if (cwd[0] != '/')
        return err_set(err, ERR_CONFIG, "process.cwd: Cwd must be an absolute path, not '%s'", cwd);
    if (jv_count(groups) > ARRAY_LEN(process.groups))
        return err_set(err, ERR_LIMIT, "process.user.additionalGids has %zu entries", jv_count(groups));
    for (size_t i = 0; i < jv_count(groups); i++)
        process.groups[process.group_count++] = (uint32_t)jv_int_value(jv_at(groups, i), 0);
    process.base.cwd = arena_strdup(arena, cwd);
    process.base.tty = jv_get_bool(value, "terminal", false);
    process.base.no_new_privs = jv_get_bool(value, "noNewPrivileges", false);
    process.has_umask = jv_find(user, "umask") != NULL;
    process.has_oom = jv_find(value, "oomScoreAdj") != NULL;
    process.base.oom_score_adj = jv_get_int(value, "oomScoreAdj", 0);
    process.rows = (uint16_t)jv_get_int(size, "height", 0);
    process.columns = (uint16_t)jv_get_int(size, "width", 0);
    if (jv_get_str(value, "apparmorProfile", "")[0])
        return err_set(err, ERR_UNSUPPORTED, "process.apparmorProfile: confining by AppArmor is not supported");
    if (jv_get_str(value, "selinuxLabel", "")[0])
        return err_set(err, ERR_UNSUPPORTED, "process.selinuxLabel: confining by SELinux is not supported");
    *ret_process = process;
    return 0;
}

static int mounts_parse(struct oci_bundle *bundle, const struct jv *list, struct err *err)
{
    size_t count = jv_count(list);
    if (count > OCI_LIST_MAX)
        return err_set(err, ERR_LIMIT, "mounts has more than %d entries", OCI_LIST_MAX);
    bundle->mounts.items = arena_alloc(bundle->arena, (count + 1) * sizeof(*bundle->mounts.items));
    for (size_t i = 0; i < count; i++) {
        const struct jv *row = jv_at(list, i);
        const char *destination = jv_get_str(row, "destination", ""), *source = jv_get_str(row, "source", NULL);
        if (!destination[0])
            return err_set(err, ERR_CONFIG, "mounts[%zu].destination is missing", i);
        _cleanup_free_ char *joined = path_join("/", destination), *target = path_clean(joined);
        struct oci_mount mount = {.destination = arena_strdup(bundle->arena, target),
                                  .type = arena_strdup(bundle->arena, jv_get_str(row, "type", "")),
                                  .source = arena_strdup(bundle->arena, source)};
        if (jv_find(row, "uidMappings") || jv_find(row, "gidMappings"))
            return err_set(err, ERR_UNSUPPORTED, "mounts[%zu]: id-mapped mounts are not supported", i);
        if (oci_mount_options(bundle->arena, jv_find(row, "options"), &mount, err) < 0)
            return err_wrap(err, "mounts[%zu]", i);
        mount.bind |= str_eq(mount.type, "bind");
        if (mount.bind && !source)
            return err_set(err, ERR_CONFIG, "mounts[%zu].source is missing", i);
        bundle->mounts.items[bundle->mounts.count++] = mount;
    }
    return 0;
}

static int hooks_parse(struct oci_bundle *bundle, const struct jv *hooks, struct err *err)
{
    static const char *const words[OCI_HOOKS] = {"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"};
    for (size_t kind = 0; kind < OCI_HOOKS; kind++) {
        const struct jv *list = jv_find(hooks, words[kind]);
        size_t count = jv_count(list);
        if (count > OCI_LIST_MAX)
            return err_set(err, ERR_LIMIT, "hooks.%s has more than %d entries", words[kind], OCI_LIST_MAX);
        struct oci_hook *items = arena_alloc(bundle->arena, (count + 1) * sizeof(*items));
        for (size_t i = 0; i < count; i++) {
            const struct jv *row = jv_at(list, i);
            items[i] = (struct oci_hook){.path = arena_strdup(bundle->arena, jv_get_str(row, "path", "")),
                                         .timeout_s = jv_get_int(row, "timeout", 0)};
            if (items[i].path[0] != '/')
                return err_set(err, ERR_CONFIG, "hooks.%s[%zu].path must be absolute", words[kind], i);
            if (oci_strings(bundle->arena, jv_find(row, "args"), "args", &items[i].args, err) < 0 ||
                oci_strings(bundle->arena, jv_find(row, "env"), "env", &items[i].env, err) < 0)
                return err_wrap(err, "hooks.%s[%zu]", words[kind], i);
        }
        bundle->hooks[kind].list.items = items;
        bundle->hooks[kind].list.count = count;
    }
    return 0;
}

static int root_parse(struct oci_bundle *bundle, const struct jv *root, const char *dir, struct err *err)
{
    const char *path = jv_get_str(root, "path", "");
    if (!path[0])
        return err_set(err, ERR_CONFIG, "root.path is missing");
    _cleanup_free_ char *joined = path_join(dir, path), *clean = path_clean(joined);
    bundle->rootfs = arena_strdup(bundle->arena, clean);
    bundle->spec.read_only = jv_get_bool(root, "readonly", false);
    return 0;
}

static int config_parse(struct oci_bundle *bundle, const char *dir, const char *id, struct err *err)
{
    const struct jv *config = bundle->config, *process = jv_find(config, "process");
    const char *version = jv_get_str(config, "ociVersion", NULL);
    if (!version)
        return err_set(err, ERR_CONFIG, "ociVersion is missing");
    if (!str_has_prefix(version, "1."))
        return err_set(err, ERR_UNSUPPORTED, "ociVersion %s: this runtime knows version 1", version);
    bundle->spec.id = arena_strdup(bundle->arena, id);
    bundle->spec.hostname = arena_strdup(bundle->arena, jv_get_str(config, "hostname", NULL));
    bundle->spec.domainname = arena_strdup(bundle->arena, jv_get_str(config, "domainname", NULL));
    bundle->has_process = process && jv_kind(process) == JV_OBJECT;
    if (bundle->has_process && oci_process_parse(bundle->arena, process, &bundle->process, err) < 0)
        return -1;
    if (root_parse(bundle, jv_find(config, "root"), dir, err) < 0 || mounts_parse(bundle, jv_find(config, "mounts"), err) < 0 ||
        hooks_parse(bundle, jv_find(config, "hooks"), err) < 0)
        return -1;
    return oci_linux_parse(bundle, jv_find(config, "linux"), err);
}

int oci_bundle_parse(struct jv *config, const char *dir, const char *id, struct oci_bundle **ret_bundle, struct err *err)
{
    _cleanup_(oci_bundle_freep) struct oci_bundle *bundle = xcalloc(1, sizeof(*bundle));
    bundle->arena = arena_new();
    bundle->config = config;
    if (config_parse(bundle, dir, id, err) < 0)
        return -1;
    *ret_bundle = take_ptr(&bundle);
    return 0;
}

/* Unsigned numbers beyond 63 bits ("no limit" of a resource) become the largest that our JSON has. */
static void integers_clamp(char *text, size_t size)
{
    static const char largest[] = "9223372036854775807";
    bool in_string = false;
    for (size_t i = 0; i < size; i++) {
        if (in_string && text[i] == '\\')
            i++;
        else if (text[i] == '"')
            in_string = !in_string;
        size_t digits = in_string ? 0 : strspn(text + i, "0123456789");
        if (digits == 0)
            continue;
        if (digits == 20 || (digits == 19 && strncmp(text + i, largest, 19) > 0)) {
            memset(text + i, ' ', digits);
            memcpy(text + i, largest, 19);
        }
        i += digits - 1;
    }
}

int oci_bundle_load(const char *dir, const char *id, struct oci_bundle **ret_bundle, struct err *err)
{
    _cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_free_ char *text = NULL;
    size_t size = 0;
    struct jv *config = NULL;
    if (fd < 0)
        return err_sys(err, "open bundle %s", dir);
    if (fs_read(fd, "config.json", OCI_CONFIG_MAX, &text, &size, err) < 0)
        return err_wrap(err, "bundle %s", dir);
    integers_clamp(text, size);
    if (jv_parse(text, size, &config, err) < 0)
        return err_wrap(err, "%s/config.json", dir);
    return oci_bundle_parse(config, dir, id, ret_bundle, err) < 0 ? err_wrap(err, "config.json") : 0;
}

void oci_bundle_free(struct oci_bundle *bundle)
{
    if (!bundle)
        return;
    jv_free(bundle->config);
    arena_free(bundle->arena);
    free(bundle);
}
