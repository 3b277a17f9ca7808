/* SPDX-License-Identifier: Apache-2.0 */
/* schema_deploy.c - rows: deploy of a service, and device requests (also used by gpus). */
#include "parser/bind.h"
#include "parser/short.h"

#define D(field)    TO(deploy, field)
#define U(field)    TO(update_config, field)
#define ONE_HOST    .status = STATUS_ACCEPTED, .note = "one host: nothing to choose"
#define ACCEPTED    .status = STATUS_ACCEPTED
#define LATER       .status = STATUS_REFUSED

static const struct key_row device_request_rows[] = {
    {"capabilities", VALUE_LIST, MERGE_APPEND, .flags = KEY_UNIQUE, TO(device_request, capabilities)},
    {"count", VALUE_INT, .lengthen = lengthen_device_count, TO(device_request, count)},
    {"device_ids", VALUE_LIST, MERGE_APPEND, .flags = KEY_UNIQUE, TO(device_request, device_ids)},
    {"driver", VALUE_STRING, TO(device_request, driver)},
    {"options", VALUE_KV, MERGE_DEEP, LATER, .flags = KEY_NULL_EMPTY | KEY_UNIQUE, TO(device_request, options)},
};
#define DEVICE_REQUEST                                                                                         \
    .size = sizeof(struct device_request), .extensions = true, .lengthen = lengthen_device_request
const struct key_table device_request_table = {TABLE_ROWS(device_request_rows), DEVICE_REQUEST};
static const struct key_row deploy_device_rows[] = {
    {"capabilities", VALUE_LIST, MERGE_APPEND, .flags = KEY_REQUIRED | KEY_UNIQUE, TO(device_request, capabilities)},
    {"count", VALUE_INT, .lengthen = lengthen_device_count, TO(device_request, count)},
    {"device_ids", VALUE_LIST, MERGE_APPEND, .flags = KEY_UNIQUE, TO(device_request, device_ids)},
    {"driver", VALUE_STRING, TO(device_request, driver)},
    {"options", VALUE_KV, MERGE_DEEP, LATER, .flags = KEY_NULL_EMPTY | KEY_UNIQUE, TO(device_request, options)},
};
static const struct key_table deploy_device_table = {TABLE_ROWS(deploy_device_rows), DEVICE_REQUEST};

static const struct key_row discrete_rows[] = {
    {"kind", VALUE_STRING, .flags = KEY_ALWAYS, TO(generic_resource, kind)},
    {"value", VALUE_INT, .flags = KEY_ALWAYS | KEY_CUT, TO(generic_resource, value)},
};
static const struct key_table discrete_table = {TABLE_ROWS(discrete_rows), .extensions = true};
static const struct key_row generic_rows[] = {
    {"discrete_resource_spec", VALUE_OBJECT, MERGE_DEEP, .bind = BIND_SAME, .table = &discrete_table},
};
static const struct key_table generic_table = {TABLE_ROWS(generic_rows), .size = sizeof(struct generic_resource),
                                               .extensions = true};

static const struct key_row limits_rows[] = {
    {"cpus", VALUE_NUMBER, D(limit_cpus)},
    {"memory", VALUE_BYTES, .flags = KEY_TEXT_ONLY, D(limit_memory)},
    {"pids", VALUE_INT, D(limit_pids)},
};
static const struct key_table limits_table = {TABLE_ROWS(limits_rows), .extensions = true};
static const struct key_row reservations_rows[] = {
    {"cpus", VALUE_NUMBER, ONE_HOST, D(reserve_cpus)},
    {"devices", VALUE_LIST_OF, MERGE_APPEND, D(reserve_devices), .table = &deploy_device_table},
    {"generic_resources", VALUE_LIST_OF, MERGE_APPEND, ONE_HOST, D(generic_resources), .table = &generic_table},
    {"memory", VALUE_BYTES, .flags = KEY_TEXT_ONLY, D(reserve_memory)},
};
static const struct key_table reservations_table = {TABLE_ROWS(reservations_rows), .extensions = true};
static const struct key_row resources_rows[] = {
    {"limits", VALUE_OBJECT, MERGE_DEEP, .flags = KEY_KEEP, .bind = BIND_SAME, .table = &limits_table},
    {"reservations", VALUE_OBJECT, MERGE_DEEP, .flags = KEY_KEEP, .bind = BIND_SAME, .table = &reservations_table},
};
static const struct key_table resources_table = {TABLE_ROWS(resources_rows), .extensions = true};

static const struct key_row preference_rows[] = {{"spread", VALUE_STRING, .flags = 0}};
static const struct key_table preference_table = {TABLE_ROWS(preference_rows), .extensions = true};
static const struct key_row placement_rows[] = {
    {"constraints", VALUE_LIST, MERGE_APPEND, D(placement_constraints)},
    {"max_replicas_per_node", VALUE_INT, NOT_NEGATIVE, D(max_replicas_per_node)},
    {"preferences", VALUE_LIST_OF, MERGE_APPEND, CUSTOM(bind_preferences), .table = &preference_table},
};
static const struct key_table placement_table = {TABLE_ROWS(placement_rows), .extensions = true};

/* condition, delay, max_attempts, window: bind_service joins them with `restart` */
static const struct key_row restart_policy_rows[] = {
    {"condition", VALUE_STRING, .flags = 0},
    {"delay", VALUE_DURATION, .flags = KEY_KEEP},
    {"max_attempts", VALUE_INT, NOT_NEGATIVE, .flags = KEY_KEEP},
    {"window", VALUE_DURATION, .flags = KEY_KEEP},
};
static const struct key_table restart_policy_table = {TABLE_ROWS(restart_policy_rows), .extensions = true};

static const struct key_row update_rows[] = {
    {"delay", VALUE_DURATION, U(delay_us)},
    {"failure_action", VALUE_STRING, U(failure_action)},
    {"max_failure_ratio", VALUE_NUMBER, U(max_failure_ratio)},
    {"monitor", VALUE_DURATION, U(monitor_us)},
    {"order", VALUE_STRING, U(order), .words = "start-first|stop-first"},
    {"parallelism", VALUE_INT, NOT_NEGATIVE, .flags = KEY_KEEP, U(parallelism)},
};
static const struct key_table update_table = {TABLE_ROWS(update_rows), .size = sizeof(struct update_config),
                                              .extensions = true, .has_set = true};

static const struct key_row deploy_rows[] = {
    {"endpoint_mode", VALUE_STRING, ACCEPTED, D(endpoint_mode)},
    {"labels", VALUE_KV, MERGE_DEEP, .flags = KEY_NULL_EMPTY, D(labels)},
    {"mode", VALUE_STRING, ACCEPTED, D(mode)},
    {"placement", VALUE_OBJECT, MERGE_DEEP, ONE_HOST, .flags = KEY_JSON_EMPTY, .bind = BIND_SAME, .table = &placement_table},
    {"replicas", VALUE_INT, .flags = KEY_KEEP | KEY_NO_HASH, D(replicas)},
    {"resources", VALUE_OBJECT, MERGE_DEEP, .flags = KEY_JSON_EMPTY, .bind = BIND_SAME, .table = &resources_table},
    {"restart_policy", VALUE_OBJECT, MERGE_DEEP, .flags = KEY_KEEP, .table = &restart_policy_table},
    {"rollback_config", VALUE_OBJECT, MERGE_DEEP, ACCEPTED, .flags = KEY_KEEP, D(rollback), .table = &update_table},
    {"update_config", VALUE_OBJECT, MERGE_DEEP, ACCEPTED, .flags = KEY_KEEP, D(update), .table = &update_table},
};
const struct key_table deploy_table = {TABLE_ROWS(deploy_rows), .size = sizeof(struct deploy), .extensions = true,
                                       .has_set = true};
