/* SPDX-License-Identifier: Apache-2.0 */
/* schema_project.c - rows: the top level and its resources. */
#include "parser/bind.h"
#include "parser/short.h"

#define N(field)    TO(network, field)
#define V(field)    TO(volume, field)
#define F(field)    TO(file_object, field)
#define LATER       .status = STATUS_REFUSED
#define ACCEPTED    .status = STATUS_ACCEPTED
#define SWARM       .status = STATUS_REFUSED, .note = "needs a cluster's secret store"

#define RESOURCE(type)                                                                                         \
    .size = sizeof(struct type), .extensions = true, .checked_names = true, .has_key = true,                   \
    .key_offset = offsetof(struct type, key), .has_pos = true, .pos_offset = offsetof(struct type, pos)

static const struct key_row ipam_config_rows[] = {
    {"aux_addresses", VALUE_KV, MERGE_DEEP, .flags = KEY_MAP_ONLY | KEY_TEXT_ONLY, TO(ipam_config, aux_addresses)},
    {"gateway", VALUE_STRING, TO(ipam_config, gateway)},
    {"ip_range", VALUE_STRING, TO(ipam_config, ip_range)},
    {"subnet", VALUE_STRING, TO(ipam_config, subnet)},
};
static const struct key_table ipam_config_table = {TABLE_ROWS(ipam_config_rows), .size = sizeof(struct ipam_config),
                                                   .extensions = true, .has_pos = true,
                                                   .pos_offset = offsetof(struct ipam_config, pos),
                                                   .identity = subnet_identity};
static const struct key_row ipam_rows[] = {
    {"config", VALUE_LIST_OF, MERGE_BY_ID_DEEP, N(ipam), .table = &ipam_config_table},
    {"driver", VALUE_STRING, N(ipam_driver)},
    {"options", VALUE_KV, MERGE_DEEP, LATER, .flags = KEY_MAP_ONLY | KEY_TEXT_ONLY, N(ipam_options)},
};
static const struct key_table ipam_table = {TABLE_ROWS(ipam_rows), .extensions = true};

static const struct key_row network_rows[] = {
    {"attachable", VALUE_BOOL, ACCEPTED, N(attachable), .note = "every network can be joined"},
    {"driver", VALUE_STRING, N(driver)},
    {"driver_opts", VALUE_KV, MERGE_DEEP, .flags = KEY_DRIVER_OPTS, N(driver_opts), .note = "com.docker.network.bridge.host_binding_ipv4, ….driver.mtu, …"},
    {"enable_ipv4", VALUE_BOOL, .flags = KEY_KEEP, N(enable_ipv4)},
    {"enable_ipv6", VALUE_BOOL, .flags = KEY_KEEP, N(enable_ipv6)},
    {"external", VALUE_BOOL, N(external)},
    {"internal", VALUE_BOOL, N(internal)},
    {"ipam", VALUE_OBJECT, MERGE_DEEP, .flags = KEY_JSON_EMPTY, .bind = BIND_SAME, .table = &ipam_table},
    {"labels", VALUE_KV, MERGE_DEEP, .flags = KEY_NULL_EMPTY, N(labels)},
    {"name", VALUE_STRING, N(name)},
};
const struct key_table network_table = {TABLE_ROWS(network_rows), RESOURCE(network), .nullable = true,
                                        .lengthen = lengthen_external};

static const struct key_row volume_rows[] = {
    {"driver", VALUE_STRING, V(driver)},
    {"driver_opts", VALUE_KV, MERGE_DEEP, .flags = KEY_DRIVER_OPTS, V(driver_opts), .note = "bind mounts: type none, o bind, device"},
    {"external", VALUE_BOOL, V(external)},
    {"labels", VALUE_KV, MERGE_DEEP, .flags = KEY_NULL_EMPTY | KEY_UNIQUE, V(labels)},
    {"name", VALUE_STRING, V(name)},
};
const struct key_table volume_table = {TABLE_ROWS(volume_rows), RESOURCE(volume), .nullable = true,
                                       .lengthen = lengthen_external};

static const struct key_row config_rows[] = {
    {"content", VALUE_STRING, F(content)},
    {"environment", VALUE_STRING, F(environment)},
    {"external", VALUE_BOOL, SWARM, F(external)},
    {"file", VALUE_STRING, .flags = KEY_PATH, F(file)},
    {"labels", VALUE_KV, MERGE_DEEP, ACCEPTED, .flags = KEY_NULL_EMPTY | KEY_UNIQUE, F(labels)},
    {"name", VALUE_STRING, F(name)},
    {"template_driver", VALUE_STRING, SWARM, F(template_driver)},
};
const struct key_table config_table = {TABLE_ROWS(config_rows), RESOURCE(file_object), .lengthen = lengthen_external};

static const struct key_row secret_rows[] = {
    {"driver", VALUE_STRING, SWARM, F(driver)},
    {"driver_opts", VALUE_KV, MERGE_DEEP, SWARM, .flags = KEY_DRIVER_OPTS, F(driver_opts)},
    {"environment", VALUE_STRING, F(environment)},
    {"external", VALUE_BOOL, SWARM, F(external)},
    {"file", VALUE_STRING, .flags = KEY_PATH, F(file)},
    {"labels", VALUE_KV, MERGE_DEEP, ACCEPTED, .flags = KEY_NULL_EMPTY | KEY_UNIQUE, F(labels)},
    {"name", VALUE_STRING, F(name)},
    {"template_driver", VALUE_STRING, SWARM, F(template_driver)},
};
const struct key_table secret_table = {TABLE_ROWS(secret_rows), RESOURCE(file_object), .lengthen = lengthen_external};

static const struct key_row model_rows[] = {
    {"context_size", VALUE_INT, .flags = KEY_NO_STRING, TO(model_object, context_size)},
    {"model", VALUE_STRING, .flags = KEY_REQUIRED, TO(model_object, model)},
    {"name", VALUE_STRING, TO(model_object, name)},
    {"runtime_flags", VALUE_LIST, MERGE_APPEND, TO(model_object, runtime_flags)},
};
const struct key_table model_table = {TABLE_ROWS(model_rows), RESOURCE(model_object)};

static const struct key_row project_rows[] = {
    {"configs", VALUE_MAP_OF, MERGE_DEEP, TO(project, configs), .table = &config_table},
    {"include", VALUE_ANY, .bind = BIND_NONE},
    {"models", VALUE_MAP_OF, MERGE_DEEP, LATER, TO(project, models), .table = &model_table},
    {"name", VALUE_STRING, TO(project, name)},
    {"networks", VALUE_MAP_OF, MERGE_DEEP, TO(project, networks), .table = &network_table},
    {"secrets", VALUE_MAP_OF, MERGE_DEEP, TO(project, secrets), .table = &secret_table},
    {"services", VALUE_MAP_OF, MERGE_DEEP, .bind = BIND_NONE, .table = &service_table},
    {"version", VALUE_STRING, ACCEPTED, .note = "obsolete"},
    {"volumes", VALUE_MAP_OF, MERGE_DEEP, TO(project, volumes), .table = &volume_table},
};
const struct key_table project_table = {TABLE_ROWS(project_rows), .extensions = true};
const struct key_row project_row = {"", VALUE_OBJECT, MERGE_DEEP, .table = &project_table};
