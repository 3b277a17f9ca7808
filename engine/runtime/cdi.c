/* SPDX-License-Identifier: Apache-2.0 */
/* CDI documents → a container's spec. Keys that are not known are refused, as the interface asks: a device that is shown in
 * part does not work and does not say why. Pure. */
#include "engine/runtime/cdi.h"

#include <string.h>

#include "base/str.h"

const struct jv *cdi_device(const struct jv *document, const char *name)
{
    const struct jv *devices = jv_find(document, "devices");
    for (size_t i = 0; i < jv_count(devices); i++)
        if (str_eq(jv_get_str(jv_at(devices, i), "name", NULL), name))
            return jv_at(devices, i);
    return NULL;
}

static int keys_check(const struct jv *object, const char *words, struct err *err)
{
    const char *key;
    struct jv *value;
    char **list = strv_split(words, " ");
    int result = jv_kind(object) == JV_OBJECT ? 0 : err_set(err, ERR_CONFIG, "is not an object");
    JV_EACH (object, key, value) {
        (void)value;
        if (result == 0 && !strv_has(list, key))
            result = err_set(err, ERR_UNSUPPORTED, "key '%s' is unknown", key);
    }
    strv_free(list);
    return result;
}

/* An array that is one longer: arenas do not free, and these lists are short. */
#define LIST_GROW(arena, list)                                                                                                   \
    do {                                                                                                                         \
        __typeof__((list)->items) grown_ = arena_alloc((arena), ((list)->count + 2) * sizeof(*grown_));                          \
        if ((list)->count)                                                                                                       \
            memcpy(grown_, (list)->items, (list)->count * sizeof(*grown_));                                                      \
        (list)->items = grown_;                                                                                                  \
    } while (0)

static void env_add(struct arena *arena, struct spec_strings *env, const char *entry)
{
    size_t key = strcspn(entry, "=");
    LIST_GROW(arena, env);
    for (size_t i = 0; i < env->count; i++)
        if (strncmp(env->items[i], entry, key) == 0 && env->items[i][key] == '=') {
            env->items[i] = arena_strdup(arena, entry);
            return;
        }
    env->items[env->count++] = arena_strdup(arena, entry);
    env->items[env->count] = NULL;
}

static int env_edit(struct arena *arena, const struct jv *list, struct container_spec *spec, struct err *err)
{
    for (size_t i = 0; i < jv_count(list); i++) {
        const char *entry = jv_text(jv_at(list, i));
        if (!entry || !strchr(entry, '=') || entry[0] == '=')
            return err_set(err, ERR_CONFIG, "env[%zu] is not KEY=VALUE", i);
        env_add(arena, &spec->process.env, entry);
    }
    return 0;
}

static int node_edit(struct arena *arena, const struct jv *node, struct container_spec *spec, struct err *err)
{
    const char *path = jv_get_str(node, "path", NULL), *type = jv_get_str(node, "type", "c");
    const char *permissions = jv_get_str(node, "permissions", "rwm");
    int64_t mode = jv_get_int(node, "fileMode", 0), uid = jv_get_int(node, "uid", 0), gid = jv_get_int(node, "gid", 0);
    if (keys_check(node, "path hostPath type major minor fileMode permissions uid gid", err) < 0)
        return -1;
    if (!path || path[0] != '/')
        return err_set(err, ERR_CONFIG, "path is not absolute");
    if (!str_eq(type, "c") && !str_eq(type, "b") && !str_eq(type, "u"))
        return err_set(err, ERR_UNSUPPORTED, "type '%s' is not a device", type);
    if (mode < 0 || uid < 0 || gid < 0 || mode > 07777 || uid > UINT32_MAX - 1 || gid > UINT32_MAX - 1)
        return err_set(err, ERR_CONFIG, "fileMode, uid or gid is out of range");
    LIST_GROW(arena, &spec->devices);
    spec->devices.items[spec->devices.count++] = (struct spec_device){
        .source = arena_strdup(arena, jv_get_str(node, "hostPath", path)),
        .target = arena_strdup(arena, path),
        .permissions = arena_strdup(arena, permissions[0] ? permissions : "rwm"),
        .mode = (uint32_t)mode,
        .uid = (uint32_t)uid,
        .gid = (uint32_t)gid,
    };
    return 0;
}

static int mount_option(const char *word, struct spec_mount *mount, struct err *err)
{
    static const struct {
        const char *word;
        enum mount_propagation propagation;
    } propagations[] = {
        { "private", PROP_PRIVATE }, { "rprivate", PROP_RPRIVATE }, { "slave", PROP_SLAVE },
        { "rslave", PROP_RSLAVE },   { "shared", PROP_SHARED },     { "rshared", PROP_RSHARED },
    };
    const struct {
        const char *word;
        bool *field, value;
    } flags[] = {
        { "ro", &mount->read_only, true }, { "rw", &mount->read_only, false }, { "suid", &mount->suid, true },
        { "nosuid", &mount->suid, false }, { "dev", &mount->dev, true },       { "nodev", &mount->dev, false },
        { "exec", &mount->exec, true },    { "noexec", &mount->exec, false },  { "rbind", &mount->recursive, true },
        { "bind", &mount->recursive, mount->recursive },
    };
    for (size_t i = 0; i < ARRAY_LEN(propagations); i++)
        if (str_eq(word, propagations[i].word)) {
            mount->propagation = propagations[i].propagation;
            return 0;
        }
    for (size_t i = 0; i < ARRAY_LEN(flags); i++)
        if (str_eq(word, flags[i].word)) {
            *flags[i].field = flags[i].value;
            return 0;
        }
    return err_set(err, ERR_UNSUPPORTED, "option '%s' is not supported", word ? word : "");
}

static int mount_edit(struct arena *arena, const struct jv *node, bool idmap, struct container_spec *spec, struct err *err)
{
    const char *source = jv_get_str(node, "hostPath", NULL), *target = jv_get_str(node, "containerPath", NULL);
    const char *type = jv_get_str(node, "type", "bind");
    const struct jv *options = jv_find(node, "options");
    if (keys_check(node, "hostPath containerPath options type", err) < 0)
        return -1;
    if (!source || source[0] != '/' || !target || target[0] != '/')
        return err_set(err, ERR_CONFIG, "hostPath and containerPath are absolute paths");
    if (type[0] && !str_eq(type, "bind") && !str_eq(type, "none"))
        return err_set(err, ERR_UNSUPPORTED, "type '%s' is not supported (bind)", type);
    struct spec_mount mount = {
        .kind = MOUNT_BIND, .source = arena_strdup(arena, source), .target = arena_strdup(arena, target),
        .idmap = idmap, .exec = true, .suid = true, .propagation = PROP_RPRIVATE,
    };
    for (size_t i = 0; i < jv_count(options); i++)
        if (mount_option(jv_text(jv_at(options, i)), &mount, err) < 0)
            return -1;
    LIST_GROW(arena, &spec->mounts);
    spec->mounts.items[spec->mounts.count++] = mount;
    return 0;
}

static int groups_edit(struct arena *arena, const struct jv *list, struct container_spec *spec, struct err *err)
{
    for (size_t i = 0; i < jv_count(list); i++) {
        int64_t gid = jv_int_value(jv_at(list, i), -1);
        struct spec_strings *groups = &spec->process.groups;
        if (gid < 0 || gid > UINT32_MAX - 1)
            return err_set(err, ERR_CONFIG, "additionalGids[%zu] is no group", i);
        LIST_GROW(arena, groups);
        groups->items[groups->count++] = arena_printf(arena, "%lld", (long long)gid);
        groups->items[groups->count] = NULL;
    }
    return 0;
}

int cdi_edit(struct arena *arena, const struct jv *edits, bool idmap, struct container_spec *spec, bool *ret_hooks,
             struct err *err)
{
    const struct jv *nodes = jv_find(edits, "deviceNodes"), *mounts = jv_find(edits, "mounts");
    if (!edits)
        return 0;
    if (keys_check(edits, "env deviceNodes mounts hooks additionalGids", err) < 0 ||
        env_edit(arena, jv_find(edits, "env"), spec, err) < 0 ||
        groups_edit(arena, jv_find(edits, "additionalGids"), spec, err) < 0)
        return -1;
    for (size_t i = 0; i < jv_count(nodes); i++)
        if (node_edit(arena, jv_at(nodes, i), spec, err) < 0)
            return err_wrap(err, "deviceNodes[%zu]", i);
    for (size_t i = 0; i < jv_count(mounts); i++)
        if (mount_edit(arena, jv_at(mounts, i), idmap, spec, err) < 0)
            return err_wrap(err, "mounts[%zu]", i);
    if (jv_count(jv_find(edits, "hooks")))
        *ret_hooks = true;
    return 0;
}
