/* SPDX-License-Identifier: Apache-2.0 */
/* Where a container's data comes from: volumes, binds, tmpfs, secrets and configs, the three files in /etc → the ordered
 * mount list of the spec. Targets and conflicts are judged by volumes/; what has to be looked at on the host (bind
 * sources, secret files) is noted for the start. */
#include "orchestrator/translate_parts.h"

#include <stdio.h>

#include "base/hash.h"
#include "base/path.h"
#include "base/str.h"
#include "base/units.h"
#include "base/vec.h"

#define SECRET_MODE 0444

struct mount_build {
    const struct translate_input *input;
    struct arena *arena;
    VEC(struct volume_mount) mounts;
    struct jv *files, *binds;
};

/* ---- needs ---- */

static const char *anonymous_name(struct arena *arena, const char *id, const char *target)
{
    char hex[HASH_HEX_SIZE];
    _cleanup_free_ char *text = xasprintf("%s:%s", id, target);
    hash_hex(text, strlen(text), hex);
    return arena_strdup(arena, hex);
}

/* The predecessor's anonymous volume at this target, or NULL. */
static const char *carried_name(const struct translate_input *input, const char *target)
{
    if (!input->previous || input->renew_anon_volumes)
        return NULL;
    const struct jv *volumes = jv_find(input->previous->service_data, "volumes");
    for (size_t i = 0; i < jv_count(volumes); i++) {
        const struct jv *volume = jv_at(volumes, i);
        if (jv_get_bool(volume, "anonymous", false) && str_eq(jv_get_str(volume, "target", NULL), target))
            return jv_get_str(volume, "name", NULL);
    }
    return NULL;
}

static struct mount_need need_anonymous(const struct translate_input *input, struct arena *arena, const char *target, bool from_image)
{
    const char *carried = carried_name(input, target);
    return (struct mount_need){
        .name = carried ? arena_strdup(arena, carried) : anonymous_name(arena, input->id, target),
        .target = arena_strdup(arena, target),
        .anonymous = true,
        .carried = carried != NULL,
        .from_image = from_image,
    };
}

static bool target_is_taken(const struct service *service, const char *target)
{
    for (size_t i = 0; i < service->volumes.count; i++)
        if (str_eq(service->volumes.items[i].target, target))
            return true;
    return false;
}

int translate_mount_needs(const struct translate_input *input, struct arena *arena, struct mount_needs *ret_needs, struct err *err)
{
    const struct service *service = input->service;
    size_t image_count = strv_len(input->image->volumes);
    struct mount_needs needs = { .items = arena_alloc(arena, (service->volumes.count + image_count + 1) * sizeof(*needs.items)) };

    for (size_t i = 0; i < service->volumes.count; i++) {
        const struct service_volume *mount = &service->volumes.items[i];
        if (mount->type != SERVICE_VOLUME_VOLUME)
            continue;
        struct mount_need need;
        if (mount->source && mount->source[0]) {
            const struct volume *volume = project_volume(input->project, mount->source);
            if (!volume)
                return err_set(err, ERR_CONFIG, "service '%s' refers to undefined volume %s", service->name, mount->source);
            need = (struct mount_need){ .name = arena_strdup(arena, volume->name), .key = volume->key,
                                        .target = arena_strdup(arena, mount->target) };
        } else {
            need = need_anonymous(input, arena, mount->target, false);
        }
        need.nocopy = mount->volume_nocopy;
        needs.items[needs.count++] = need;
    }
    for (size_t i = 0; i < image_count; i++) {
        _cleanup_free_ char *target = path_clean(input->image->volumes[i]);
        bool repeated = target_is_taken(service, target);
        for (size_t j = 0; j < needs.count; j++)
            repeated |= str_eq(needs.items[j].target, target);
        if (!repeated)
            needs.items[needs.count++] = need_anonymous(input, arena, target, true);
    }
    for (size_t i = 0; i < needs.count; i++) {
        _cleanup_free_ char *path = layout_lib(input->layout, "volumes/%s/_data", needs.items[i].name);
        needs.items[i].path = arena_strdup(arena, path);
    }
    *ret_needs = needs;
    return 0;
}

void translate_anonymous_volume(const struct translate_input *input, const struct mount_need *need, struct volume_request *ret_request,
                                struct jv **ret_labels)
{
    const struct service *service = input->service;
    struct jv *labels = jv_object();
    for (size_t i = 0; i < service->volumes.count; i++) {
        const struct service_volume *mount = &service->volumes.items[i];
        if (mount->type != SERVICE_VOLUME_VOLUME || !str_eq(mount->target, need->target))
            continue;
        for (size_t j = 0; j < mount->volume_labels.count; j++)
            jv_set_str(labels, mount->volume_labels.items[j].key, mount->volume_labels.items[j].value);
    }
    jv_set_str(labels, LABEL_PREFIX "project", input->project->name);
    jv_set_str(labels, "com.docker.volume.anonymous", "");
    *ret_labels = labels;
    *ret_request = (struct volume_request){ .name = need->name, .project = input->project->name, .labels = labels, .anonymous = true };
}

void translate_volume(const struct project *project, const struct volume *volume, struct volume_request *ret_request,
                      struct jv **ret_options, struct jv **ret_labels)
{
    struct jv *options = jv_object(), *labels = jv_object();
    for (size_t i = 0; i < volume->driver_opts.count; i++)
        jv_set_str(options, volume->driver_opts.items[i].key, volume->driver_opts.items[i].value);
    for (size_t i = 0; i < volume->labels.count; i++)
        jv_set_str(labels, volume->labels.items[i].key, volume->labels.items[i].value);
    jv_set_str(labels, LABEL_PREFIX "project", project->name);
    jv_set_str(labels, LABEL_PREFIX "volume", volume->key);
    jv_set_str(labels, LABEL_PREFIX "version", WINCH_VERSION);
    jv_set_str(labels, LABEL_PREFIX "config-hash", volume->config_hash);
    *ret_options = options;
    *ret_labels = labels;
    *ret_request = (struct volume_request){ .name = volume->name, .project = project->name, .key = volume->key, .driver = volume->driver,
                                            .options = options, .labels = labels, .fingerprint = volume->config_hash };
}

/* ---- mounts ---- */

static const struct mount_need *need_at(const struct mount_needs *needs, const char *target)
{
    for (size_t i = 0; i < needs->count; i++)
        if (str_eq(needs->items[i].target, target))
            return &needs->items[i];
    return NULL;
}

static int add_bind(struct mount_build *build, const struct service_volume *mount, struct volume_mount *to, struct err *err)
{
    if (mount->bind_recursive && str_eq(mount->bind_recursive, "writable") && mount->read_only)
        return err_set(err, ERR_UNSUPPORTED, "volumes: bind.recursive 'writable' with read_only is not supported");
    to->kind = VOLUME_MOUNT_BIND;
    to->source = mount->source;
    to->recursive = !str_eq(mount->bind_recursive, "disabled");
    to->propagation = mount->bind_propagation;
    to->exec = to->suid = true;
    struct jv *bind = jv_object();
    jv_set_str(bind, "target", mount->target);
    jv_set_str(bind, "source", mount->source);
    jv_set_bool(bind, "create", mount->bind_create_host_path);
    jv_add(build->binds, bind);
    return 0;
}

static bool tmpfs_word(struct volume_mount *to, const char *word)
{
    long long number;
    int64_t bytes;
    if (str_eq(word, "exec") || str_eq(word, "noexec"))
        to->exec = word[0] == 'e';
    else if (str_eq(word, "suid") || str_eq(word, "nosuid"))
        to->suid = word[0] == 's';
    else if (str_eq(word, "dev") || str_eq(word, "nodev"))
        to->dev = word[0] == 'd';
    else if (str_eq(word, "ro") || str_eq(word, "rw"))
        to->read_only = word[1] == 'o';
    else if (str_has_prefix(word, "uid=") && parse_i64(word + 4, 0, UINT32_MAX - 1, &number))
        to->uid = (uint32_t)number;
    else if (str_has_prefix(word, "gid=") && parse_i64(word + 4, 0, UINT32_MAX - 1, &number))
        to->gid = (uint32_t)number;
    else if (str_has_prefix(word, "size=") && bytes_parse(word + 5, &bytes) && bytes > 0)
        to->size_bytes = (uint64_t)bytes;
    else if (str_has_prefix(word, "mode=") && strspn(word + 5, "01234567") == strlen(word + 5) && word[5] && strlen(word) < 11)
        to->mode = (uint32_t)strtoul(word + 5, NULL, 8);
    else
        return false;
    return true;
}

static int add_tmpfs(const struct service_volume *mount, struct volume_mount *to, struct err *err)
{
    to->kind = VOLUME_MOUNT_TMPFS;
    to->size_bytes = mount->tmpfs_size.set && mount->tmpfs_size.value > 0 ? (uint64_t)mount->tmpfs_size.value : 0;
    to->mode = mount->tmpfs_mode.set ? (uint32_t)mount->tmpfs_mode.value : 0;
    for (size_t i = 0; i < mount->tmpfs_options.count; i++)
        if (!tmpfs_word(to, mount->tmpfs_options.items[i]))
            return err_set(err, ERR_UNSUPPORTED, "tmpfs %s: option '%s' is not supported", mount->target, mount->tmpfs_options.items[i]);
    return 0;
}

static int add_volumes(struct mount_build *build, const struct mount_needs *needs, struct err *err)
{
    const struct service *service = build->input->service;
    for (size_t i = 0; i < service->volumes.count; i++) {
        const struct service_volume *mount = &service->volumes.items[i];
        struct volume_mount to = { .target = mount->target, .read_only = mount->read_only, .subpath = mount->subpath };
        if (mount_target_check(mount->target, err) < 0)
            return -1;
        if (mount->type == SERVICE_VOLUME_VOLUME) {
            const struct mount_need *need = need_at(needs, mount->target);
            to.kind = VOLUME_MOUNT_VOLUME;
            to.source = need ? need->path : NULL;
            to.nocopy = mount->volume_nocopy;
            to.exec = to.suid = true;
        } else if (mount->type == SERVICE_VOLUME_BIND) {
            if (add_bind(build, mount, &to, err) < 0)
                return -1;
        } else if (mount->type == SERVICE_VOLUME_TMPFS) {
            if (add_tmpfs(mount, &to, err) < 0)
                return -1;
        } else {
            return err_set(err, ERR_UNSUPPORTED, "volumes: type '%s' is not supported",
                           mount->type == SERVICE_VOLUME_IMAGE ? "image" : mount->type == SERVICE_VOLUME_NPIPE ? "npipe" : "cluster");
        }
        VEC_ADD(&build->mounts, to);
    }
    for (size_t i = 0; i < needs->count; i++) {
        const struct mount_need *need = &needs->items[i];
        if (!need->from_image)
            continue;
        if (mount_target_check(need->target, err) < 0)
            return err_wrap(err, "VOLUME of the image");
        VEC_ADD(&build->mounts, (struct volume_mount){ .kind = VOLUME_MOUNT_VOLUME, .source = need->path, .target = need->target,
                                                       .exec = true, .suid = true });
    }
    return 0;
}

static int file_owner(const char *text, const char *key, uint32_t *ret_id, struct err *err)
{
    long long number = 0;
    if (text && text[0] && !parse_i64(text, 0, UINT32_MAX - 1, &number))
        return err_set(err, ERR_CONFIG, "%s: '%s' is no number", key, text);
    *ret_id = (uint32_t)number;
    return 0;
}

static int add_file(struct mount_build *build, const struct file_ref *ref, const struct file_object *object, const char *folder,
                    const char *kind, struct err *err)
{
    const char *name = ref->target && ref->target[0] ? ref->target : ref->source;
    _cleanup_free_ char *joined = path_join(folder, name);
    _cleanup_free_ char *target = path_clean(joined);
    struct volume_mount to = { .kind = VOLUME_MOUNT_FILE, .target = arena_strdup(build->arena, target), .read_only = true,
                               .is_file = true, .mode = ref->mode.set ? (uint32_t)ref->mode.value : SECRET_MODE };
    if (mount_target_check(target, err) < 0 || file_owner(ref->uid, "uid", &to.uid, err) < 0 ||
        file_owner(ref->gid, "gid", &to.gid, err) < 0)
        return err_wrap(err, "%s '%s'", kind, ref->source);
    const char *content = object->environment ? object->environment_value : object->content;
    if (content) {
        to.content = arena_strdup(build->arena, content);
        to.content_size = strlen(content);
    } else {
        struct jv *file = jv_object();
        jv_set_str(file, "target", target);
        jv_set_str(file, "path", object->file);
        jv_set_str(file, "name", ref->source);
        jv_set_str(file, "kind", kind);
        jv_add(build->files, file);
    }
    VEC_ADD(&build->mounts, to);
    return 0;
}

static int add_files(struct mount_build *build, struct err *err)
{
    const struct service *service = build->input->service;
    const struct project *project = build->input->project;
    for (size_t i = 0; i < service->secrets.count; i++) {
        const struct file_ref *ref = &service->secrets.items[i];
        if (add_file(build, ref, project_secret(project, ref->source), "/run/secrets", "secret", err) < 0)
            return -1;
    }
    for (size_t i = 0; i < service->configs.count; i++) {
        const struct file_ref *ref = &service->configs.items[i];
        if (add_file(build, ref, project_config(project, ref->source), "/", "config", err) < 0)
            return -1;
    }
    return 0;
}

/* the three files that netd words; a mount of the user's own at the same place wins */
static void add_etc(struct mount_build *build, const char *run_dir)
{
    static const char *const names[] = { "hosts", "hostname", "resolv.conf" };
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const char *target = arena_printf(build->arena, "/etc/%s", names[i]);
        bool taken = false;
        for (size_t j = 0; j < build->mounts.count; j++)
            taken |= str_eq(build->mounts.items[j].target, target) || str_eq(build->mounts.items[j].target, "/etc");
        if (!taken)
            VEC_ADD(&build->mounts, (struct volume_mount){
                .kind = VOLUME_MOUNT_BIND, .source = arena_printf(build->arena, "%s/%s", run_dir, names[i]), .target = target,
                .is_file = true, .read_only = build->input->service->read_only.value });
    }
}

static enum mount_propagation propagation(const char *word)
{
    static const char *const words[] = {
        [PROP_PRIVATE] = "private", [PROP_RPRIVATE] = "rprivate", [PROP_SLAVE] = "slave",
        [PROP_RSLAVE] = "rslave",   [PROP_SHARED] = "shared",     [PROP_RSHARED] = "rshared",
    };
    for (size_t i = 0; word && i < ARRAY_LEN(words); i++)
        if (str_eq(words[i], word))
            return (enum mount_propagation)i;
    return PROP_RPRIVATE;
}

static struct spec_mount to_spec(struct arena *arena, const struct volume_mount *mount, bool idmap, bool own_file)
{
    static const enum mount_kind kinds[] = {
        [VOLUME_MOUNT_VOLUME] = MOUNT_BIND, [VOLUME_MOUNT_BIND] = MOUNT_BIND,
        [VOLUME_MOUNT_TMPFS] = MOUNT_TMPFS, [VOLUME_MOUNT_FILE] = MOUNT_FILE,
    };
    bool bind = kinds[mount->kind] == MOUNT_BIND;
    return (struct spec_mount){
        .kind = kinds[mount->kind],
        .source = arena_strdup(arena, mount->source),
        .target = arena_strdup(arena, mount->target),
        .subpath = arena_strdup(arena, mount->subpath),
        .content = mount->content,
        .content_size = mount->content_size,
        .read_only = mount->read_only,
        .recursive = mount->recursive,
        .idmap = bind && idmap && !own_file,
        .exec = mount->exec,
        .suid = mount->suid,
        .dev = mount->dev,
        .is_file = mount->is_file,
        .propagation = propagation(mount->propagation),
        .size_bytes = mount->size_bytes,
        .mode = mount->mode,
        .uid = mount->uid,
        .gid = mount->gid,
    };
}

int translate_mounts(const struct translate_input *input, const struct mount_needs *needs, struct container_record *record,
                     struct jv *data, struct err *err)
{
    struct mount_build build = { .input = input, .arena = record->arena, .files = jv_array(), .binds = jv_array() };
    struct container_spec *spec = &record->spec;
    int result = add_volumes(&build, needs, err);
    if (result == 0)
        result = add_files(&build, err);
    if (result == 0) {
        add_etc(&build, spec->run_dir);
        result = mount_list_order(build.mounts.items, build.mounts.count, err);
    }
    if (result == 0) {
        size_t run_size = strlen(spec->run_dir);
        spec->mounts.items = arena_alloc(record->arena, (build.mounts.count + 1) * sizeof(*spec->mounts.items));
        for (size_t i = 0; i < build.mounts.count; i++) {
            const char *source = build.mounts.items[i].source;
            bool own = source && strncmp(source, spec->run_dir, run_size) == 0 && source[run_size] == '/';
            spec->mounts.items[spec->mounts.count++] = to_spec(record->arena, &build.mounts.items[i], input->id_base >= 0, own);
        }
    }
    VEC_DONE(&build.mounts);
    jv_set(data, "files", build.files);
    jv_set(data, "binds", build.binds);
    return result;
}
