/* SPDX-License-Identifier: Apache-2.0 */
/* runnable.c - the line between what a file may say and what is done about it today: the rows' status, and the
 * values of running keys that are not run. */
#include <string.h>
#include <strings.h>
#include <sys/utsname.h>

#include "base/id.h"
#include "base/proc.h"
#include "base/str.h"
#include "base/suggest.h"
#include "parser/load.h"
#include "parser/log_options.h"
#include "parser/runnable.h"
#include "parser/schema.h"

static void refuse(struct runnable *r, const struct node *node, const struct path *path, const char *note)
{
    _cleanup_free_ char *where = path_text(path);
    diag_error(r->diags, node->pos, where, "is not supported by this version of winch%s%s", note ? ": " : "",
               note ? note : "");
}

static void walk(struct runnable *r, const struct key_row *row, const struct node *node, const struct path *path);

static void walk_object(struct runnable *r, const struct key_table *table, const struct node *node,
                        const struct path *path)
{
    NODE_EACH(entry, node) {
        const struct key_row *row = entry->key ? table_row(table, entry->key) : NULL;
        struct path step = {.parent = path, .key = entry->key};
        if (row)
            walk(r, row, entry->value, &step);
    }
}

static void walk(struct runnable *r, const struct key_row *row, const struct node *node, const struct path *path)
{
    if (row->status == STATUS_ACCEPTED && !(row->flags & KEY_QUIET)) {
        _cleanup_free_ char *where = path_text(path);
        diag_warning(r->diags, node->pos, where, "has no effect here%s%s", row->note ? ": " : "", row->note ? row->note : "");
        return;
    }
    if (row->status == STATUS_REFUSED && !(node->kind == NODE_BOOL && !node->boolean)) {
        refuse(r, node, path, row->note);
        return;
    }
    if (row->kind == VALUE_OBJECT && node->kind == NODE_MAP) {
        walk_object(r, row->table, node, path);
        return;
    }
    if (row->kind != VALUE_LIST_OF && row->kind != VALUE_MAP_OF)
        return;
    for (uint32_t i = 0; node->kind >= NODE_LIST && i < node->count; i++) {
        struct path step = {.parent = path, .key = node->items[i].key, .index = i};
        if (node->items[i].value->kind == NODE_MAP)
            walk_object(r, row->table, node->items[i].value, &step);
    }
}

/* ---- values ---- */
static void refuse_value(struct runnable *r, const struct node *node, const char *key, const char *expected)
{
    diag_error(r->diags, node->pos, NULL, "services.%s.%s: '%s' is not supported: expected %s", r->service, key,
               node_text(node) ? node->text : "", expected);
}

static bool is_word(const char *text, const char *words)
{
    char **list = strv_split(words, "|");
    bool found = strv_has(list, text);
    strv_free(list);
    return found;
}

static bool platform_is_ours(const char *text)
{
    static const struct { const char *machine, *names; } arches[] = {
        {"x86_64", "linux|linux/amd64|linux/x86_64|linux/amd64/v1|linux/amd64/v2"},
        {"aarch64", "linux|linux/arm64|linux/arm64/v8|linux/aarch64"},
    };
    struct utsname host;
    if (uname(&host) < 0)
        return true;
    for (size_t i = 0; i < ARRAY_LEN(arches); i++)
        if (strcmp(host.machine, arches[i].machine) == 0)
            return is_word(text, arches[i].names);
    return true;
}

static bool restart_is_good(const char *text)
{
    long long attempts;
    if (str_has_prefix(text, "on-failure:"))
        return parse_i64(text + strlen("on-failure:"), 0, INT32_MAX, &attempts);
    return is_word(text, "no|always|on-failure|unless-stopped");
}

static bool security_opt_is_good(const char *text)
{
    size_t size = strcspn(text, "=:");
    const char *value = text[size] ? text + size + 1 : "";
    _cleanup_free_ char *key = xstrndup(text, size);
    if (strcmp(key, "no-new-privileges") == 0)
        return is_word(value, "|true|false") || !*value;
    if (strcmp(key, "systempaths") == 0)
        return strcmp(value, "unconfined") == 0;
    if (strcmp(key, "label") == 0)
        return strcmp(value, "disable") == 0;
    return *value && is_word(key, "seccomp|apparmor");
}

struct value_rule {
    const char *key;
    const char *words;   /* permitted words */
    bool joins;          /* service:NAME and container:NAME are permitted, too */
    const char *expected;
};
static const struct value_rule rules[] = {
    {"network_mode", "none|host", true, "none, host, service:NAME or container:NAME"},
    {"ipc", "host|private|shareable|none", true, "host, private, shareable, none, service:NAME or container:NAME"},
    {"pid", "host|private", true, "host, service:NAME or container:NAME"},
    {"uts", "host|private", false, "host"},
    {"userns_mode", "host|private", false, "host"},
    {"pull_policy", "always|never|missing|if_not_present", false, "always, never or missing"},
};

/* capabilities(7), without CAP_ */
static const char *const capability_names[] = {
    "ALL", "AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "BPF", "CHECKPOINT_RESTORE", "CHOWN",
    "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE",
    "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD", "NET_ADMIN", "NET_BIND_SERVICE", "NET_BROADCAST",
    "NET_RAW", "PERFMON", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYSLOG", "SYS_ADMIN", "SYS_BOOT",
    "SYS_CHROOT", "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE", "SYS_TIME",
    "SYS_TTY_CONFIG", "WAKE_ALARM",
};

static void check_capabilities(struct runnable *r, const struct node *list, const char *key)
{
    NODE_EACH(entry, list) {
        const char *text = node_text(entry->value), *known = NULL;
        if (!text)
            continue;
        const char *name = strncasecmp(text, "CAP_", 4) == 0 ? text + 4 : text;
        for (size_t i = 0; i < ARRAY_LEN(capability_names) && !known; i++)
            known = strcasecmp(name, capability_names[i]) == 0 ? capability_names[i] : NULL;
        if (known)
            continue;
        struct diag *diag = diag_error(r->diags, entry->value->pos, NULL, "services.%s.%s: '%s' is no capability",
                                       r->service, key, text);
        const char *near = suggest_nearest(name, capability_names, ARRAY_LEN(capability_names));
        if (near)
            diag_hint(diag, "did you mean '%s'?", near);
    }
}

/* Keys that the kernel keeps apart for each network, IPC or uts namespace (docs/security.md). */
static bool sysctl_is_namespaced(const char *key, bool host_network)
{
    if (strstr(key, "..") || strchr(key, '/'))
        return false;
    return (str_has_prefix(key, "net.") && !host_network) || str_has_prefix(key, "fs.mqueue.") ||
           is_word(key, "kernel.msgmax|kernel.msgmnb|kernel.msgmni|kernel.sem|kernel.shmall|kernel.shmmax|"
                        "kernel.shmmni|kernel.shm_rmid_forced|kernel.domainname");
}

static void check_host_words(struct runnable *r, const struct node *service)
{
    const struct node *signal = node_find(service, "stop_signal");
    bool host_network = str_eq(node_find_text(service, "network_mode"), "host");

    if (node_text(signal) && signal_parse(signal->text) < 0)
        refuse_value(r, signal, "stop_signal", "a signal name or number");
    check_capabilities(r, node_find(service, "cap_add"), "cap_add");
    check_capabilities(r, node_find(service, "cap_drop"), "cap_drop");
    NODE_EACH(entry, node_find(service, "sysctls"))
        if (!sysctl_is_namespaced(entry->key, host_network))
            diag_error(r->diags, entry->value->pos, NULL, "services.%s.sysctls: '%s' is not kept apart for a container%s",
                       r->service, entry->key, host_network ? " (with network_mode: host)" : "");
}

static void check_mac(struct runnable *r, const struct node *service)
{
    const struct node *networks = node_find(service, "networks"), *mac = node_find(service, "mac_address");
    if (!node_text(mac) || !networks || networks->count != 1)
        return;
    const struct node *other = node_find(networks->items[0].value, "mac_address");
    if (node_text(other) && !str_eq(other->text, mac->text))
        diag_error(r->diags, other->pos, NULL, "services.%s: conflicting mac_address %s and networks.%s.mac_address %s",
                   r->service, mac->text, networks->items[0].key, other->text)->other = mac->pos;
}

static bool device_is_cdi(const char *text)
{
    const char *slash = strchr(text, '/'), *sign = strchr(text, '=');
    return slash && sign && slash != text && slash < sign && sign[1];
}

static void check_logging(struct runnable *r, const struct node *logging)
{
    const struct node *driver = node_find(logging, "driver");
    const char *name = node_text(driver) ? driver->text : NULL;
    if (!log_driver_is_known(name)) {
        refuse_value(r, driver, "logging.driver", LOG_DRIVERS);
        return;
    }
    NODE_EACH(entry, node_find(logging, "options")) {
        const char *expected = log_option_expected(name, entry->key, node_text(entry->value) ? entry->value->text : NULL);
        _cleanup_free_ char *key = xasprintf("logging.options.%s", entry->key);
        if (expected)
            refuse_value(r, entry->value, key, expected);
    }
}

static void check_values(struct runnable *r, const struct node *service)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        const struct node *value = node_find(service, rules[i].key);
        if (node_text(value) && !is_word(value->text, rules[i].words) &&
            !(rules[i].joins && (str_has_prefix(value->text, "service:") || str_has_prefix(value->text, "container:"))))
            refuse_value(r, value, rules[i].key, rules[i].expected);
    }
    check_mac(r, service);
    const struct node *platform = node_find(service, "platform"), *restart = node_find(service, "restart");
    if (node_text(platform) && !platform_is_ours(platform->text))
        refuse_value(r, platform, "platform", "the platform of this host");
    if (node_text(restart) && !restart_is_good(restart->text))
        refuse_value(r, restart, "restart", "no, always, on-failure[:N] or unless-stopped");
    check_logging(r, node_find(service, "logging"));
    NODE_EACH(entry, node_find(service, "security_opt"))
        if (node_text(entry->value) && !security_opt_is_good(entry->value->text))
            refuse_value(r, entry->value, "security_opt", "no-new-privileges, seccomp=, apparmor=, systempaths=unconfined");
    NODE_EACH(entry, node_find(service, "devices")) {
        const struct node *source = node_find(entry->value, "source");
        if (node_text(source) && *source->text != '/' && !device_is_cdi(source->text))
            refuse_value(r, source, "devices", "a path or a CDI name, VENDOR/CLASS=NAME");
    }
    NODE_EACH(entry, node_find(service, "links")) {
        const char *text = node_text(entry->value), *colon = text ? strchr(text, ':') : NULL;
        if (colon && (strncmp(text, colon + 1, (size_t)(colon - text)) != 0 || colon[1 + (colon - text)]))
            refuse_value(r, entry->value, "links", "a service without an alias (use networks.NAME.aliases)");
    }
    NODE_EACH(entry, node_find(service, "volumes")) {
        const struct node *type = node_find(entry->value, "type"), *target = node_find(entry->value, "target");
        if (node_text(type) && !is_word(type->text, "bind|volume|tmpfs"))
            refuse_value(r, type, "volumes.type", "bind, volume or tmpfs");
        if (!node_text(target) || *target->text != '/')
            refuse_value(r, target ? target : entry->value, "volumes.target", "an absolute path");
    }
    const struct node *build = node_find(service, "build");
    if (build && !node_text(node_find(service, "image")))
        diag_error(r->diags, build->pos, NULL, "services.%s.build: building images is not supported by this version of "
                   "winch: give the service an image", r->service);
    else if (build)
        diag_warning(r->diags, build->pos, NULL, "services.%s.build: images are not built by this version of winch; "
                     "image '%s' is used", r->service, node_find_text(service, "image"));
}

static void check_networks(struct runnable *r, const struct node *networks)
{
    NODE_EACH(entry, networks) {
        const struct node *driver = node_find(entry->value, "driver");
        if (node_text(driver) && strcmp(driver->text, "bridge") != 0)
            diag_error(r->diags, driver->pos, NULL, "networks.%s.driver: '%s' is not supported: expected bridge",
                       entry->key, driver->text);
    }
}

static void check_drivers(struct runnable *r, const struct node *volumes)
{
    NODE_EACH(entry, volumes) {
        const struct node *driver = node_find(entry->value, "driver");
        if (node_text(driver) && strcmp(driver->text, "local") != 0)
            diag_error(r->diags, driver->pos, NULL, "volumes.%s.driver: '%s' is not supported: expected local",
                       entry->key, driver->text);
    }
}

/* What containers, volumes and networks are called becomes part of paths and records. */
static void check_names(struct runnable *r, const struct project *project)
{
    static const char *const sections[] = {"networks", "volumes"};
    const struct node *name = node_find(project->canonical, "name");

    if (!name_is_project(project->name))
        diag_error(r->diags, name->pos, NULL, "the project's name has more than 63 bytes: choose another one with --project-name");
    NODE_EACH(entry, node_find(project->canonical, "services")) {
        const struct node *own = node_find(entry->value, "container_name");
        _cleanup_free_ char *longest = xasprintf("%s-%s-%d", project->name, entry->key, SERVICE_REPLICAS_MAX);
        if (node_text(own) && !name_is_resource(own->text))
            diag_error(r->diags, own->pos, NULL, "services.%s.container_name: '%s' is no name for a container: letters, digits, "
                       "'.', '_' and '-', at most 128", entry->key, own->text);
        else if (!node_text(own) && !name_is_resource(longest))
            diag_error(r->diags, entry->key_pos, NULL, "services.%s: the names of its containers would have more than 128 bytes: "
                       "give it a container_name", entry->key);
    }
    for (size_t i = 0; i < ARRAY_LEN(sections); i++)
        NODE_EACH(entry, node_find(project->canonical, sections[i])) {
            const struct node *own = node_find(entry->value, "name");
            if (node_text(own) && !name_is_resource(own->text))
                diag_error(r->diags, entry->key_pos, NULL, "%s.%s: '%s' is no name: letters, digits, '.', '_' and '-', at most 128",
                           sections[i], entry->key, own->text);
        }
}

int project_check_runnable(const struct project *project, struct diags *diags)
{
    struct runnable r = {.diags = diags};
    size_t errors = diags->error_count;

    walk(&r, &project_row, project->canonical, NULL);
    NODE_EACH(entry, node_find(project->canonical, "services")) {
        r.service = entry->key;
        check_values(&r, entry->value);
        check_host_words(&r, entry->value);
        runnable_check_ranges(&r, entry->value);
    }
    check_names(&r, project);
    check_networks(&r, node_find(project->canonical, "networks"));
    check_drivers(&r, node_find(project->canonical, "volumes"));
    diags_sort(diags);
    diags_detach(diags);
    return diags->error_count > errors ? -1 : 0;
}
