/* SPDX-License-Identifier: Apache-2.0 */
/* What a container is allowed to do: capabilities, security options, devices, sysctls, the namespaces it shares, and the
 * list of keys that are read but cannot be done yet. The default is confinement; every widening was asked for by name. */
#include "orchestrator/translate_parts.h"

#include "base/str.h"

#define CAPABILITY_ALL (-2)
#define GPU_COUNT_MAX  64

bool share_parse(const char *text, struct share *ret_share)
{
    struct share share = { SHARE_NONE, NULL };
    if (!text || !text[0])
        share.kind = SHARE_NONE;
    else if (str_eq(text, "host"))
        share.kind = SHARE_HOST;
    else if (str_eq(text, "private") || str_eq(text, "shareable"))
        share.kind = SHARE_PRIVATE;
    else if (str_has_prefix(text, "service:") && text[8])
        share = (struct share){ SHARE_SERVICE, text + 8 };
    else if (str_has_prefix(text, "container:") && text[10])
        share = (struct share){ SHARE_CONTAINER, text + 10 };
    else
        return false;
    *ret_share = share;
    return true;
}

bool translate_wants_host_userns(const struct service *service)
{
    return service->privileged.value || str_eq(service->userns_mode, "host") || str_eq(service->pid, "host") ||
           str_eq(service->network_mode, "host");
}

/* ---- what is not done ---- */

static const char *unsupported_key(const struct service *service)
{
    const struct { bool used; const char *key; } keys[] = {
        { service->provider.set, "provider" },
        { service->external_links.count > 0, "external_links" },
        { service->models.count > 0, "models" },
        { service->pre_start.count > 0, "pre_start" },
        { service->runtime && service->runtime[0], "runtime" },
        { service->isolation && service->isolation[0] && !str_eq(service->isolation, "default"), "isolation" },
        { service->use_api_socket.value, "use_api_socket" },
        { service->cpu_count.set && service->cpu_count.value, "cpu_count" },
        { service->cpu_percent.set && service->cpu_percent.value > 0, "cpu_percent" },
        { service->network_mode && str_eq(service->network_mode, "bridge"), "network_mode: bridge" },
    };
    for (size_t i = 0; i < ARRAY_LEN(keys); i++)
        if (keys[i].used)
            return keys[i].key;
    return NULL;
}

static const char *link_alias(const char *link)
{
    const char *colon = strchr(link, ':');
    return colon && strncmp(link, colon + 1, (size_t)(colon - link)) != 0 ? colon + 1 : NULL;
}

static int files_supported(const struct file_ref *refs, size_t count, const struct project *project, bool secret, struct err *err)
{
    const char *kind = secret ? "secret" : "config";
    for (size_t i = 0; i < count; i++) {
        const struct file_object *object = secret ? project_secret(project, refs[i].source) : project_config(project, refs[i].source);
        if (!object)
            return err_set(err, ERR_CONFIG, "undefined %s %s", kind, refs[i].source);
        if (object->external)
            return err_set(err, ERR_UNSUPPORTED, "unsupported external %s %s", kind, refs[i].source);
        if (object->driver || object->template_driver)
            return err_set(err, ERR_UNSUPPORTED, "%s %s: drivers are not supported", kind, refs[i].source);
        if (object->environment && !object->environment_value)
            return err_set(err, ERR_CONFIG, "environment variable \"%s\" required by %s \"%s\" is not set", object->environment, kind,
                           refs[i].source);
    }
    return 0;
}

/* The parts that need no image, on a record that is thrown away: what they refuse is told before anything is made. */
static int parts_supported(const struct project *project, const struct service *service, struct err *err)
{
    _cleanup_(container_record_freep) struct container_record *record = container_record_new();
    const struct translate_input input = { .project = project, .service = service, .number = 1 };
    for (size_t i = 0; i < service->volumes.count; i++)
        if (mount_target_check(service->volumes.items[i].target, err) < 0)
            return -1;
    if (translate_security(&input, record, err) < 0 || translate_limits(&input, record, err) < 0)
        return -1;
    return translate_log(&input, record, err);
}

int translate_supported(const struct project *project, const struct service *service, struct err *err)
{
    const char *key = unsupported_key(service);
    if (key)
        return err_set(err, ERR_UNSUPPORTED, "service '%s': %s is not supported", service->name, key);
    for (size_t i = 0; i < service->links.count; i++)
        if (link_alias(service->links.items[i]))
            return err_set(err, ERR_UNSUPPORTED, "service '%s': links: alias '%s' is not supported: use networks.NAME.aliases",
                           service->name, link_alias(service->links.items[i]));
    if (files_supported(service->secrets.items, service->secrets.count, project, true, err) < 0 ||
        files_supported(service->configs.items, service->configs.count, project, false, err) < 0 ||
        parts_supported(project, service, err) < 0)
        return err_wrap(err, "service '%s'", service->name);
    return 0;
}

/* ---- capabilities ---- */

static int capability_mask(const struct str_list *words, const char *key, uint64_t all, uint64_t *ret_mask, bool *ret_all, struct err *err)
{
    uint64_t mask = 0;
    for (size_t i = 0; i < words->count; i++) {
        int number = spec_capability_parse(words->items[i]);
        if (number == CAPABILITY_ALL)
            *ret_all = true;
        else if (number < 0)
            return err_set(err, ERR_CONFIG, "%s: '%s' is no capability", key, words->items[i]);
        else
            mask |= UINT64_C(1) << number;
    }
    *ret_mask = mask & all;
    return 0;
}

static uint64_t all_capabilities(void)
{
    uint64_t mask = 0;
    for (int i = 0; i < 64 && spec_capability_name(i); i++)
        mask |= UINT64_C(1) << i;
    return mask;
}

static int capabilities(const struct service *service, bool host_userns, uint64_t *ret_mask, struct err *err)
{
    uint64_t all = all_capabilities(), add, drop;
    bool add_all = false, drop_all = false;
    if (capability_mask(&service->cap_add, "cap_add", all, &add, &add_all, err) < 0 ||
        capability_mask(&service->cap_drop, "cap_drop", all, &drop, &drop_all, err) < 0)
        return -1;
    if (service->privileged.value)
        *ret_mask = all;
    else if (add_all)
        *ret_mask = drop_all ? add : drop ? all & ~drop & (spec_host_capabilities() | add) : all; /* ALL is no name: what the host lacks was not asked for */
    else
        *ret_mask = (drop_all ? 0 : spec_default_capabilities(host_userns) & ~drop) | add;
    return 0;
}

/* ---- security_opt ---- */

void translate_seccomp(const struct service *service, bool *ret_unconfined, const char **ret_profile_path)
{
    *ret_unconfined = service->privileged.value;
    *ret_profile_path = NULL;
    for (size_t i = 0; i < service->security_opt.count; i++) {
        const char *option = service->security_opt.items[i];
        if (!str_has_prefix(option, "seccomp") || (option[7] != '=' && option[7] != ':'))
            continue;
        *ret_unconfined = str_eq(option + 8, "unconfined");
        *ret_profile_path = *ret_unconfined || str_eq(option + 8, "builtin") ? NULL : option + 8;
    }
}

/* "key=value" or "key:value"; value NULL without one */
static char *option_split(const char *option, const char **ret_value)
{
    size_t size = strcspn(option, "=:");
    *ret_value = option[size] ? option + size + 1 : NULL;
    return xstrndup(option, size);
}

static int security_options(const struct service *service, struct container_record *record, bool *ret_unmask, struct err *err)
{
    for (size_t i = 0; i < service->security_opt.count; i++) {
        const char *option = service->security_opt.items[i], *value;
        _cleanup_free_ char *key = option_split(option, &value);
        if (str_eq(key, "no-new-privileges") && (!value || str_eq(value, "true")))
            record->spec.process.no_new_privs = true;
        else if (str_eq(key, "no-new-privileges") && str_eq(value, "false"))
            record->spec.process.no_new_privs = false;
        else if (str_eq(key, "systempaths") && str_eq(value, "unconfined"))
            *ret_unmask = true;
        else if (str_eq(key, "apparmor") && value)
            record->spec.apparmor_profile = str_eq(value, "unconfined") ? NULL : arena_strdup(record->arena, value);
        else if (str_eq(key, "label") && value && str_eq(value, "disable"))
            record->spec.selinux_label = NULL;
        else if (!str_eq(key, "seccomp") || !value)
            return err_set(err, ERR_UNSUPPORTED, "security_opt: '%s' is not supported", option);
    }
    return 0;
}

static struct spec_strings static_list(struct arena *arena, const char *const *list)
{
    size_t count = 0;
    while (list[count])
        count++;
    return spec_strings_copy(arena, list, count);
}

/* ---- devices, sysctls ---- */

/* "vendor.com/class=name" */
static bool device_is_cdi(const char *text)
{
    const char *slash = strchr(text, '/'), *sign = strchr(text, '=');
    return text[0] != '/' && slash && sign && slash < sign && sign[1];
}

/* A request for devices becomes names of CDI devices, which is how vendors describe them: driver nvidia → nvidia.com/gpu. */
static int device_request(const struct device_request *request, struct arena *arena, struct container_spec *spec, struct err *err)
{
    static const struct { const char *driver, *kind; } drivers[] = {
        { "", "nvidia.com/gpu" }, { "nvidia", "nvidia.com/gpu" }, { "amd", "amd.com/gpu" }, { "cdi", "" },
    };
    const char *driver = request->driver ? request->driver : "", *kind = NULL;
    int64_t count = request->count.set ? request->count.value : -1;
    bool gpu = false;
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
        kind = str_eq(driver, drivers[i].driver) ? drivers[i].kind : kind;
    for (size_t i = 0; i < request->capabilities.count; i++)
        gpu |= str_eq(request->capabilities.items[i], "gpu");
    if (!kind)
        return err_set(err, ERR_UNSUPPORTED, "driver '%s' is not supported (nvidia, amd, cdi)", driver);
    if (!driver[0] && !gpu && request->capabilities.count)
        return err_set(err, ERR_UNSUPPORTED, "capabilities without 'gpu' need a driver");
    if (request->options.count)
        return err_set(err, ERR_UNSUPPORTED, "options.%s is not supported", request->options.items[0].key);
    if (!kind[0] && !request->device_ids.count)
        return err_set(err, ERR_CONFIG, "driver cdi needs device_ids");
    if (count > GPU_COUNT_MAX)
        return err_set(err, ERR_LIMIT, "count is more than %d", GPU_COUNT_MAX);
    for (size_t i = 0; i < request->device_ids.count; i++)
        spec_strings_add(arena, &spec->cdi, kind[0] ? arena_printf(arena, "%s=%s", kind, request->device_ids.items[i])
                                                    : request->device_ids.items[i]);
    if (!request->device_ids.count && count < 0)
        spec_strings_add(arena, &spec->cdi, arena_printf(arena, "%s=all", kind));
    for (int64_t i = 0; !request->device_ids.count && i < count; i++)
        spec_strings_add(arena, &spec->cdi, arena_printf(arena, "%s=%lld", kind, (long long)i));
    return 0;
}

static int devices(const struct service *service, struct container_record *record, struct err *err)
{
    struct arena *arena = record->arena;
    struct container_spec *spec = &record->spec;
    spec->devices.items = service->devices.count ? arena_alloc(arena, service->devices.count * sizeof(*spec->devices.items)) : NULL;
    for (size_t i = 0; i < service->devices.count; i++) {
        const struct device_map *device = &service->devices.items[i];
        if (device->source && device_is_cdi(device->source)) {
            spec_strings_add(arena, &spec->cdi, device->source);
            continue;
        }
        if (!device->source || device->source[0] != '/')
            return err_set(err, ERR_CONFIG, "devices: '%s' is neither a path nor VENDOR/CLASS=NAME",
                           device->source ? device->source : "");
        spec->devices.items[spec->devices.count++] = (struct spec_device){
            .source = arena_strdup(arena, device->source),
            .target = arena_strdup(arena, device->target ? device->target : device->source),
            .permissions = arena_strdup(arena, device->permissions && device->permissions[0] ? device->permissions : "rwm"),
        };
    }
    spec->device_rules = spec_strings_copy(arena, service->device_cgroup_rules.items, service->device_cgroup_rules.count);
    for (size_t i = 0; i < service->gpus.count; i++)
        if (device_request(&service->gpus.items[i], arena, spec, err) < 0)
            return err_wrap(err, "gpus[%zu]", i);
    for (size_t i = 0; i < service->deploy.reserve_devices.count; i++)
        if (device_request(&service->deploy.reserve_devices.items[i], arena, spec, err) < 0)
            return err_wrap(err, "deploy.resources.reservations.devices[%zu]", i);
    return 0;
}

static bool is_net_sysctl(const char *key)
{
    return str_has_prefix(key, "net.") || str_has_prefix(key, "net/");
}

static void sysctls(const struct service *service, struct container_record *record)
{
    struct arena *arena = record->arena;
    struct container_spec *spec = &record->spec;
    spec->sysctls.items = service->sysctls.count ? arena_alloc(arena, service->sysctls.count * sizeof(*spec->sysctls.items)) : NULL;
    for (size_t i = 0; i < service->sysctls.count; i++) {
        const struct kv *pair = &service->sysctls.items[i];
        if (is_net_sysctl(pair->key) || !pair->value)
            continue; /* netd sets those */
        spec->sysctls.items[spec->sysctls.count++] =
            (struct spec_pair){ arena_strdup(arena, pair->key), arena_strdup(arena, pair->value) };
    }
}

static int namespaces(const struct service *service, struct container_spec *spec, struct err *err)
{
    const struct { const char *key, *text; struct spec_ns *ns; bool joinable; } shares[] = {
        { "ipc", str_eq(service->ipc, "none") ? NULL : service->ipc, &spec->ipc, true }, /* none: no /dev/shm either */
        { "pid", service->pid, &spec->pid, true },
        { "uts", service->uts, &spec->uts, false },
        { "cgroup", service->cgroup, &spec->cgroup, false },
    };
    for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
        struct share share;
        if (!share_parse(shares[i].text, &share) ||
            (!shares[i].joinable && (share.kind == SHARE_SERVICE || share.kind == SHARE_CONTAINER)))
            return err_set(err, ERR_CONFIG, "%s: '%s' is not supported", shares[i].key, shares[i].text);
        shares[i].ns->mode = share.kind == SHARE_HOST ? NS_HOST : NS_PRIVATE; /* joined ones are known at the start */
    }
    return 0;
}

/* Below the hierarchies' roots, and not a file of theirs. */
static bool cgroup_parent_is_good(const char *parent)
{
    char **parts = strv_split(parent, "/");
    bool good = strlen(parent) < 1024;
    for (size_t i = 0; parts[i]; i++)
        good &= parts[i][0] != '.' && strncmp(parts[i], "cgroup.", 7) != 0 && strlen(parts[i]) < 200;
    strv_free(parts);
    return good;
}

int translate_security(const struct translate_input *input, struct container_record *record, struct err *err)
{
    const struct service *service = input->service;
    struct container_spec *spec = &record->spec;
    bool unmask = service->privileged.value;
    if (capabilities(service, input->id_base < 0, &spec->process.capabilities, err) < 0 ||
        security_options(service, record, &unmask, err) < 0 || devices(service, record, err) < 0 ||
        namespaces(service, spec, err) < 0)
        return -1;
    if (service->cgroup_parent && !cgroup_parent_is_good(service->cgroup_parent))
        return err_set(err, ERR_CONFIG, "cgroup_parent: '%s' is no path of a cgroup", service->cgroup_parent);
    if (service->userns_mode && service->userns_mode[0] && !str_eq(service->userns_mode, "host"))
        return err_set(err, ERR_UNSUPPORTED, "userns_mode: '%s' is not supported (host)", service->userns_mode);
    spec->privileged = service->privileged.value;
    if (!unmask) {
        spec->masked_paths = static_list(record->arena, spec_default_masked_paths);
        spec->readonly_paths = static_list(record->arena, spec_default_readonly_paths);
    }
    sysctls(service, record);
    return 0;
}
