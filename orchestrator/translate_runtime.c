/* SPDX-License-Identifier: Apache-2.0 */
/* service_data of a record, both ways: what the supervisor has to know about a container beside its spec. Writer and
 * reader stand together, so that a field cannot be written and never read. */
#include "orchestrator/translate_parts.h"

#include "base/str.h"
#include "orchestrator/fingerprint.h"

#define HEALTH_TIMEOUT_US        (30 * 1000000LL)
#define HEALTH_START_INTERVAL_US (5 * 1000000LL)
#define HEALTH_RETRIES           3

/* ---- writing ---- */

static struct jv *strings_json(const char *const *items)
{
    return jv_strv((char *const *)items);
}

static void opt_int_json(struct jv *object, const char *key, struct opt_int value)
{
    if (value.set)
        jv_set_int(object, key, value.value);
}

static struct jv *restart_json(const struct restart_policy *policy)
{
    struct jv *value = jv_object();
    jv_set_str(value, "condition", restart_condition_text(policy->condition));
    jv_set_int(value, "max_attempts", policy->max_attempts);
    opt_int_json(value, "delay_us", policy->delay_us);
    opt_int_json(value, "window_us", policy->window_us);
    return value;
}

static int64_t pick(struct opt_int own, int64_t image, int64_t fallback)
{
    if (own.set && own.value > 0)
        return own.value;
    return image > 0 ? image : fallback;
}

/* The image's check overridden key by key; NULL: no check. */
static struct jv *health_json(const struct healthcheck *own, const struct image_healthcheck *image)
{
    char *const *image_test = image->test;
    const char *const *test = own->set && own->test.count ? own->test.items : (const char *const *)image_test;
    if ((own->set && own->disable) || !test || !test[0] || str_eq(test[0], "NONE"))
        return NULL;
    struct jv *value = jv_object();
    jv_set(value, "test", strings_json(test));
    jv_set_int(value, "interval_us", pick(own->interval_us, image->interval_us, HEALTH_INTERVAL_US));
    jv_set_int(value, "timeout_us", pick(own->timeout_us, image->timeout_us, HEALTH_TIMEOUT_US));
    jv_set_int(value, "start_period_us", pick(own->start_period_us, image->start_period_us, 0));
    jv_set_int(value, "start_interval_us", pick(own->start_interval_us, image->start_interval_us, HEALTH_START_INTERVAL_US));
    jv_set_int(value, "retries", pick(own->retries, image->retries, HEALTH_RETRIES));
    return value;
}

static struct jv *depends_json(const struct service *service)
{
    struct jv *list = jv_array();
    for (size_t i = 0; i < service->depends_on.count; i++) {
        const struct depends_on *depends = &service->depends_on.items[i];
        struct jv *value = jv_object();
        jv_set_str(value, "service", depends->service);
        jv_set_str(value, "condition", depends_condition_text(depends->condition));
        jv_set_bool(value, "restart", depends->restart);
        jv_set_bool(value, "required", depends->required);
        jv_set_bool(value, "implied", depends->implied);
        jv_add(list, value);
    }
    return list;
}

static struct jv *hooks_json(const struct hook *hooks, size_t count)
{
    struct jv *list = jv_array();
    for (size_t i = 0; i < count; i++) {
        struct jv *value = jv_object(), *environment = jv_array();
        for (size_t j = 0; j < hooks[i].environment.count; j++) {
            const struct kv *pair = &hooks[i].environment.items[j];
            if (!pair->value)
                continue;
            _cleanup_free_ char *entry = xasprintf("%s=%s", pair->key, pair->value);
            jv_add(environment, jv_string(entry));
        }
        jv_set(value, "command", strings_json(hooks[i].command.argv.items));
        jv_set(value, "environment", environment);
        jv_set_str(value, "user", hooks[i].user);
        jv_set_str(value, "working_dir", hooks[i].working_dir);
        jv_set_bool(value, "privileged", hooks[i].privileged);
        jv_add(list, value);
    }
    return list;
}

static struct jv *volumes_json(const struct mount_needs *needs)
{
    struct jv *list = jv_array();
    for (size_t i = 0; i < needs->count; i++) {
        struct jv *value = jv_object();
        jv_set_str(value, "name", needs->items[i].name);
        jv_set_str(value, "target", needs->items[i].target);
        jv_set_bool(value, "anonymous", needs->items[i].anonymous);
        jv_add(list, value);
    }
    return list;
}

void translate_runtime(const struct translate_input *input, const struct mount_needs *needs, struct jv *data)
{
    const struct service *service = input->service;
    jv_set_int(data, "version", SERVICE_DATA_VERSION);
    jv_set_str(data, "config_hash", service->config_hash);
    jv_set(data, "restart", restart_json(&service->restart));
    struct jv *health = health_json(&service->healthcheck, &input->image->healthcheck);
    if (health)
        jv_set(data, "health", health);
    jv_set_int(data, "stop_grace_us", service->stop_grace_us.set ? service->stop_grace_us.value : STOP_GRACE_US);
    jv_set(data, "depends_on", depends_json(service));
    jv_set(data, "post_start", hooks_json(service->post_start.items, service->post_start.count));
    jv_set(data, "pre_stop", hooks_json(service->pre_stop.items, service->pre_stop.count));
    jv_set(data, "volumes", volumes_json(needs));
    struct jv *volumes_from = jv_array();
    for (size_t i = 0; i < service->volumes_from.count; i++)
        jv_add(volumes_from, jv_string(service->volumes_from.items[i]));
    jv_set(data, "volumes_from", volumes_from);
    jv_set_str(data, "network_mode", service->network_mode);
    jv_set_str(data, "ipc", service->ipc);
    jv_set_str(data, "pid", service->pid);
    jv_set_str(data, "uts", service->uts);
    jv_set_bool(data, "attach", service->attach.set ? service->attach.value : true);
    if (service->pos.file) {
        jv_set_str(data, "file", service->pos.file);
        jv_set_int(data, "line", service->pos.line);
        jv_set_int(data, "column", service->pos.column);
    }
    struct jv *definition = service_definition(service);
    if (definition)
        jv_set(data, "definition", definition);
}

/* ---- reading ---- */

static struct spec_strings strings_read(struct arena *arena, const struct jv *list)
{
    struct spec_strings strings = { .items = arena_alloc(arena, (jv_count(list) + 1) * sizeof(*strings.items)) };
    for (size_t i = 0; i < jv_count(list); i++) {
        const char *text = jv_text(jv_at(list, i));
        if (text)
            strings.items[strings.count++] = text;
    }
    return strings;
}

static struct opt_int opt_int_read(const struct jv *object, const char *key)
{
    const struct jv *value = jv_find(object, key);
    return (struct opt_int){ .set = value != NULL, .value = value ? jv_int_value(value, 0) : 0 };
}

static int restart_read(const struct jv *value, struct restart_policy *ret_policy, struct err *err)
{
    static const char *const words[] = {
#define X(id, text) [RESTART_##id] = text,
        RESTART_CONDITIONS(X)
#undef X
    };
    const char *word;
    if (jv_need_str(value, "condition", &word, err) < 0)
        return err_wrap(err, "restart");
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (!str_eq(words[i], word))
            continue;
        *ret_policy = (struct restart_policy){
            .condition = (enum restart_condition)i,
            .max_attempts = jv_get_int(value, "max_attempts", 0),
            .delay_us = opt_int_read(value, "delay_us"),
            .window_us = opt_int_read(value, "window_us"),
        };
        return 0;
    }
    return err_set(err, ERR_CORRUPT, "restart.condition: '%s'", word);
}

static int condition_read(const char *word, enum depends_condition *ret_condition)
{
    static const char *const words[] = {
#define X(id, text) [DEPENDS_##id] = text,
        DEPENDS_CONDITIONS(X)
#undef X
    };
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_eq(words[i], word)) {
            *ret_condition = (enum depends_condition)i;
            return 0;
        }
    }
    return -1;
}

static void health_read(struct arena *arena, const struct jv *value, struct runtime_health *ret_health)
{
    if (!value)
        return;
    *ret_health = (struct runtime_health){
        .set = true,
        .test = strings_read(arena, jv_find(value, "test")),
        .interval_us = jv_get_int(value, "interval_us", HEALTH_INTERVAL_US),
        .timeout_us = jv_get_int(value, "timeout_us", HEALTH_TIMEOUT_US),
        .start_period_us = jv_get_int(value, "start_period_us", 0),
        .start_interval_us = jv_get_int(value, "start_interval_us", HEALTH_START_INTERVAL_US),
        .retries = jv_get_int(value, "retries", HEALTH_RETRIES),
    };
}

static int depends_read(struct arena *arena, const struct jv *list, struct service_runtime *runtime, struct err *err)
{
    runtime->depends = arena_alloc(arena, (jv_count(list) + 1) * sizeof(*runtime->depends));
    for (size_t i = 0; i < jv_count(list); i++) {
        const struct jv *value = jv_at(list, i);
        struct runtime_depends depends = {
            .service = jv_get_str(value, "service", NULL),
            .restart = jv_get_bool(value, "restart", false),
            .required = jv_get_bool(value, "required", true),
            .implied = jv_get_bool(value, "implied", false),
        };
        if (!depends.service || condition_read(jv_get_str(value, "condition", NULL), &depends.condition) < 0)
            return err_set(err, ERR_CORRUPT, "depends_on[%zu]", i);
        runtime->depends[runtime->depends_count++] = depends;
    }
    return 0;
}

static size_t hooks_read(struct arena *arena, const struct jv *list, struct runtime_hook **ret_hooks)
{
    struct runtime_hook *hooks = arena_alloc(arena, (jv_count(list) + 1) * sizeof(*hooks));
    for (size_t i = 0; i < jv_count(list); i++) {
        const struct jv *value = jv_at(list, i);
        hooks[i] = (struct runtime_hook){
            .command = strings_read(arena, jv_find(value, "command")),
            .environment = strings_read(arena, jv_find(value, "environment")),
            .user = jv_get_str(value, "user", NULL),
            .working_dir = jv_get_str(value, "working_dir", NULL),
            .privileged = jv_get_bool(value, "privileged", false),
        };
    }
    *ret_hooks = hooks;
    return jv_count(list);
}

static int shares_read(const struct jv *data, struct service_runtime *runtime, struct err *err)
{
    const struct { const char *key; struct share *share; } shares[] = {
        { "network_mode", &runtime->net }, { "ipc", &runtime->ipc }, { "pid", &runtime->pid }, { "uts", &runtime->uts },
    };
    for (size_t i = 0; i < ARRAY_LEN(shares); i++) {
        const char *text = jv_get_str(data, shares[i].key, NULL);
        if (!str_eq(text, "none") && !share_parse(text, shares[i].share))
            return err_set(err, ERR_CORRUPT, "%s: '%s'", shares[i].key, text);
    }
    return 0;
}

static int runtime_read(struct arena *arena, const struct jv *data, struct service_runtime *runtime, struct err *err)
{
    int64_t version;
    if (jv_need_int(data, "version", &version, err) < 0)
        return -1;
    if (version > SERVICE_DATA_VERSION)
        return err_set(err, ERR_UNSUPPORTED, "written by a newer version (%lld)", (long long)version);
    runtime->config_hash = jv_get_str(data, "config_hash", NULL);
    runtime->stop_grace_us = jv_get_int(data, "stop_grace_us", STOP_GRACE_US);
    runtime->attach = jv_get_bool(data, "attach", true);
    runtime->sandbox = jv_find(data, "sandbox");
    runtime->own_network = runtime->sandbox != NULL;
    runtime->definition = jv_find(data, "definition");
    runtime->pos = (struct pos){ .file = jv_get_str(data, "file", NULL), .line = (unsigned)jv_get_int(data, "line", 0),
                                 .column = (unsigned)jv_get_int(data, "column", 0) };
    health_read(arena, jv_find(data, "health"), &runtime->health);
    runtime->post_start_count = hooks_read(arena, jv_find(data, "post_start"), &runtime->post_start);
    runtime->pre_stop_count = hooks_read(arena, jv_find(data, "pre_stop"), &runtime->pre_stop);
    runtime->networks = strings_read(arena, jv_find(data, "networks")).items;

    const struct jv *volumes = jv_find(data, "volumes");
    runtime->volumes = arena_alloc(arena, (jv_count(volumes) + 1) * sizeof(*runtime->volumes));
    for (size_t i = 0; i < jv_count(volumes); i++) {
        const struct jv *value = jv_at(volumes, i);
        runtime->volumes[runtime->volume_count++] = (struct runtime_volume){
            .name = jv_get_str(value, "name", ""), .target = jv_get_str(value, "target", ""),
            .anonymous = jv_get_bool(value, "anonymous", false) };
    }
    if (restart_read(jv_find(data, "restart"), &runtime->restart, err) < 0 ||
        depends_read(arena, jv_find(data, "depends_on"), runtime, err) < 0)
        return -1;
    return shares_read(data, runtime, err);
}

int service_runtime_parse(struct arena *arena, const struct container_record *record, struct service_runtime *ret_runtime, struct err *err)
{
    struct service_runtime runtime = { 0 };
    if (!record->service_data || jv_kind(record->service_data) != JV_OBJECT)
        return err_set(err, ERR_CORRUPT, "container %s: service_data is missing", record->name);
    if (runtime_read(arena, record->service_data, &runtime, err) < 0)
        return err_wrap(err, "container %s: service_data", record->name);
    *ret_runtime = runtime;
    return 0;
}
