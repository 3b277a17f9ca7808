/* SPDX-License-Identifier: Apache-2.0 */
/* schema_build.c - rows: build, develop and hooks of a service. */
#include "parser/bind.h"
#include "parser/short.h"

#define B(field) TO(build, field)

static const struct key_row build_rows[] = {
    {"additional_contexts", VALUE_KV, MERGE_DEEP, .flags = KEY_NULL_EMPTY | KEY_LONG, B(additional_contexts),
     .lengthen = lengthen_additional_contexts},
    {"args", VALUE_KV, MERGE_DEEP, .flags = KEY_NO_TRAILING, B(args)},
    {"cache_from", VALUE_LIST, MERGE_APPEND, B(cache_from)},
    {"cache_to", VALUE_LIST, MERGE_APPEND, B(cache_to)},
    {"context", VALUE_STRING, B(context), .lengthen = lengthen_build_context},
    {"dockerfile", VALUE_STRING, B(dockerfile)},
    {"dockerfile_inline", VALUE_STRING, B(dockerfile_inline)},
    {"entitlements", VALUE_LIST, MERGE_APPEND, B(entitlements)},
    {"extra_hosts", VALUE_LIST, MERGE_UNIQUE, .lengthen = lengthen_extra_hosts, CUSTOM(bind_build_extra_hosts)},
    {"isolation", VALUE_STRING, B(isolation)},
    {"labels", VALUE_KV, MERGE_DEEP, .flags = KEY_NULL_EMPTY, B(labels)},
    {"network", VALUE_STRING, B(network)},
    {"no_cache", VALUE_BOOL, B(no_cache)},
    {"no_cache_filter", VALUE_LIST, MERGE_APPEND, .flags = KEY_OR_STRING | KEY_UNIQUE, B(no_cache_filter)},
    {"platforms", VALUE_LIST, MERGE_APPEND, B(platforms)},
    {"privileged", VALUE_BOOL, B(privileged)},
    {"provenance", VALUE_STRING, .flags = KEY_BOOLS, B(provenance)},
    {"pull", VALUE_BOOL, B(pull)},
    {"sbom", VALUE_STRING, .flags = KEY_BOOLS, B(sbom)},
    {"secrets", VALUE_LIST_OF, MERGE_BY_ID, B(secrets), .table = &build_secret_table},
    {"shm_size", VALUE_BYTES, .flags = KEY_WHOLE, B(shm_bytes)},
    {"ssh", VALUE_SHAPED, MERGE_APPEND, .flags = KEY_LONG, .lengthen = lengthen_ssh, CUSTOM(bind_ssh)},
    {"tags", VALUE_LIST, MERGE_UNIQUE_KEY, B(tags)},
    {"target", VALUE_STRING, B(target)},
    {"ulimits", VALUE_SHAPED, MERGE_FORM, .flags = KEY_JSON_PAIRS | KEY_LONG, .lengthen = lengthen_ulimits, CUSTOM(bind_build_ulimits)},
};
const struct key_table build_table = {TABLE_ROWS(build_rows), .size = sizeof(struct build), .extensions = true,
                                      .has_set = true, .has_pos = true, .pos_offset = offsetof(struct build, pos)};

static const struct key_row hook_rows[] = {
    {"command", VALUE_COMMAND, .flags = KEY_REQUIRED | KEY_NULLABLE | KEY_KEEP | KEY_JSON_NULL, TO(hook, command)},
    {"environment", VALUE_KV, MERGE_DEEP, .flags = KEY_UNIQUE | KEY_NO_TRAILING, TO(hook, environment)},
    {"privileged", VALUE_BOOL, TO(hook, privileged)},
    {"user", VALUE_STRING, .flags = KEY_NUMBERS, TO(hook, user)},
    {"working_dir", VALUE_STRING, TO(hook, working_dir)},
};
const struct key_table hook_table = {TABLE_ROWS(hook_rows), .size = sizeof(struct hook), .extensions = true,
                                     .has_pos = true, .pos_offset = offsetof(struct hook, pos)};

static const struct key_row pre_start_rows[] = {
    {"command", VALUE_COMMAND, .flags = KEY_NULLABLE | KEY_KEEP | KEY_JSON_NULL, TO(hook, command)},
    {"environment", VALUE_KV, MERGE_DEEP, .flags = KEY_UNIQUE | KEY_NO_TRAILING, TO(hook, environment)},
    {"image", VALUE_STRING, TO(hook, image)},
    {"per_replica", VALUE_BOOL, .flags = KEY_NO_STRING, TO(hook, per_replica)},
    {"privileged", VALUE_BOOL, TO(hook, privileged)},
    {"user", VALUE_STRING, .flags = KEY_NUMBERS, TO(hook, user)},
    {"working_dir", VALUE_STRING, TO(hook, working_dir)},
};
const struct key_table pre_start_table = {TABLE_ROWS(pre_start_rows), .size = sizeof(struct hook), .extensions = true,
                                          .has_pos = true, .pos_offset = offsetof(struct hook, pos)};

static const struct key_row watch_rows[] = {
    {"action", VALUE_STRING, .flags = KEY_REQUIRED | KEY_KEEP, TO(watch_rule, action),
     .words = "rebuild|sync|restart|sync+restart|sync+exec"},
    {"exec", VALUE_OBJECT, MERGE_DEEP, .flags = KEY_JSON_EMPTY, TO(watch_rule, exec), .table = &hook_table},
    {"ignore", VALUE_LIST, MERGE_APPEND, .flags = KEY_OR_STRING | KEY_UNIQUE, TO(watch_rule, ignore)},
    {"include", VALUE_LIST, MERGE_APPEND, .flags = KEY_OR_STRING | KEY_UNIQUE, TO(watch_rule, include)},
    {"initial_sync", VALUE_BOOL, .flags = KEY_NO_STRING, TO(watch_rule, initial_sync)},
    {"path", VALUE_STRING, .flags = KEY_REQUIRED | KEY_KEEP | KEY_PATH, TO(watch_rule, path), .lengthen = check_filled},
    {"target", VALUE_STRING, TO(watch_rule, target)},
};
static const struct key_table watch_table = {TABLE_ROWS(watch_rows), .size = sizeof(struct watch_rule),
                                             .extensions = true, .has_pos = true,
                                             .pos_offset = offsetof(struct watch_rule, pos)};

static const struct key_row develop_rows[] = {
    {"watch", VALUE_LIST_OF, MERGE_APPEND, TO(service, watch), .table = &watch_table},
};
const struct key_table develop_table = {TABLE_ROWS(develop_rows), .extensions = true};
