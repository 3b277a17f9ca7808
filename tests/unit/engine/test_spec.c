/* SPDX-License-Identifier: Apache-2.0 */
/* Specs survive both of their forms, and damaged bytes of either are refused. */
#include <criterion/criterion.h>

#include "base/json.h"
#include "base/str.h"
#include "engine/runtime/spec.h"

static const char *words[] = {"sh", "-c", "echo \"hi\"", NULL};
static const char *layer_names[] = {"/l/1", "/l/2", NULL};

static struct spec_mount mounts[] = {
    {.kind = MOUNT_BIND,
     .source = "/srv",
     .target = "/data",
     .read_only = true,
     .propagation = PROP_RSLAVE},
    {.kind = MOUNT_FILE,
     .target = "/run/secrets/x",
     .content = "a\0b\xff",
     .content_size = 4,
     .mode = 0440,
     .uid = 7},
};
static struct spec_pair limits[] = {{"/dev/sda rbps", "1000"}};
static struct spec_rlimit ulimits[] = {{"nofile", 10, UINT64_MAX}};

static struct container_spec sample(void)
{
    struct container_spec spec = {
        .version = SPEC_VERSION,
        .id = "0123",
        .name = "web-1",
        .process = {.argv = {words, 3},
                    .capabilities = 0x1ffffffffffULL,
                    .no_new_privs = true,
                    .oom_score_adj = -5},
        .layers = {layer_names, 2},
        .state_dir = "/var/lib/x",
        .run_dir = "/run/x",
        .id_base = 100000,
        .net = {NS_PATH, "/run/netns/a"},
        .resources = {.memory_max = 1LL << 40, .memory_swappiness = -1, .pids_max = -1},
        .log = {.driver = LOG_DRIVER_NONE, .max_files = 2},
    };
    spec.mounts.items = mounts;
    spec.mounts.count = ARRAY_LEN(mounts);
    spec.rlimits.items = ulimits;
    spec.rlimits.count = 1;
    spec.resources.io_max.items = limits;
    spec.resources.io_max.count = 1;
    return spec;
}

/* JSON is the common denominator: two specs are equal when their JSON is. */
static char *text_of(const struct container_spec *spec)
{
    _cleanup_jv_ struct jv *value = container_spec_to_json(spec);
    return jv_dump(value);
}

Test(spec, packed_form_keeps_everything)
{
    struct container_spec spec = sample(), back;
    struct err err = {0};
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    _cleanup_free_ void *data = NULL;
    size_t size;
    cr_assert_eq(container_spec_pack(&spec, &data, &size, &err), 0);
    cr_assert_eq(container_spec_unpack(arena, data, size, &back, &err), 0, "%s", err.message);
    _cleanup_free_ char *before = text_of(&spec), *after = text_of(&back);
    cr_expect_str_eq(before, after);
    cr_expect_eq(back.mounts.items[1].content_size, 4);
    cr_expect_eq(memcmp(back.mounts.items[1].content, "a\0b\xff", 4), 0);
    cr_expect_eq(back.rlimits.items[0].hard, UINT64_MAX);
    cr_expect_null(back.process.argv.items[3]);
    cr_expect_null(back.hostname);
}

Test(spec, json_keeps_everything)
{
    struct container_spec spec = sample(), back;
    struct err err = {0};
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    _cleanup_jv_ struct jv *value = container_spec_to_json(&spec);
    cr_assert_eq(container_spec_from_json(arena, value, &back, &err), 0, "%s", err.message);
    _cleanup_free_ char *before = text_of(&spec), *after = text_of(&back);
    cr_expect_str_eq(before, after);
    cr_expect_eq(memcmp(back.mounts.items[1].content, "a\0b\xff", 4), 0);
    cr_expect_eq(back.resources.memory_swappiness, -1);
}

Test(spec, any_cut_or_flipped_byte_is_refused_or_harmless)
{
    struct container_spec spec = sample(), back;
    _cleanup_free_ void *data = NULL;
    size_t size;
    cr_assert_eq(container_spec_pack(&spec, &data, &size, NULL), 0);
    for (size_t cut = 0; cut < size; cut++) {
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        _cleanup_free_ void *part = xmemdup(data, cut ? cut : 1);
        cr_expect_eq(container_spec_unpack(arena, part, cut, &back, NULL), -1, "cut at %zu", cut);
    }
    for (size_t i = 0; i < size; i++) { /* under the sanitizers this finds reads beyond the end */
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        _cleanup_free_ unsigned char *copy = xmemdup(data, size);
        copy[i] ^= 0x80;
        (void)container_spec_unpack(arena, copy, size, &back, NULL);
    }
}

static const struct {
    const char *json, *part;
} bad[] = {
    {"{\"name\":5}", "field 'name': is not a string"},
    {"{\"nam\":\"x\"}", "field 'nam' is unknown"},
    {"{\"mounts\":[{\"kind\":\"nfs\"}]}", "field 'mounts': [0]: field 'kind': is not a known word"},
    {"{\"process\":{\"argv\":\"sh\"}}",
     "field 'process': field 'argv': is not an array of strings"},
    {"{\"id_base\":\"1\"}", "field 'id_base': is not an integer"},
};

Test(spec, bad_json_is_refused_with_its_field)
{
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        _cleanup_(arena_freep) struct arena *arena = arena_new();
        _cleanup_jv_ struct jv *value = NULL;
        struct container_spec spec;
        struct err err = {0};
        cr_assert_eq(jv_parse(bad[i].json, strlen(bad[i].json), &value, &err), 0);
        cr_expect_eq(container_spec_from_json(arena, value, &spec, &err), -1, "%s", bad[i].json);
        cr_expect_eq(err.code, ERR_CORRUPT);
        cr_expect_str_eq(err.message, bad[i].part);
    }
}

Test(spec, exec_specs_survive_packing)
{
    struct exec_spec spec = {.process = {.argv = {words, 3}, .user = "1:2"},
                             .timeout_us = 5,
                             .capture = true},
                     back;
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    _cleanup_free_ void *data = NULL;
    size_t size;
    cr_assert_eq(exec_spec_pack(&spec, &data, &size, NULL), 0);
    cr_assert_eq(exec_spec_unpack(arena, data, size, &back, NULL), 0);
    cr_expect_str_eq(back.process.user, "1:2");
    cr_expect_eq(back.timeout_us, 5);
    cr_expect(back.capture);
    struct container_spec other;
    cr_expect_eq(container_spec_unpack(arena, data, size, &other, NULL), -1,
                 "kinds are not mixed up");
}

Test(spec, capability_names_are_read_in_any_form)
{
    static const struct {
        const char *name;
        int number;
    } rows[] = {{"CHOWN", 0}, {"cap_net_admin", 12}, {"CAP_CHECKPOINT_RESTORE", 40},
                {"ALL", -2},  {"all", -2},           {"", -1},
                {"NET", -1},  {"CAP_", -1},          {"CAP_CAP_CHOWN", -1}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        cr_expect_eq(spec_capability_parse(rows[i].name), rows[i].number, "'%s'", rows[i].name);
    cr_expect_str_eq(spec_capability_name(0), "CAP_CHOWN");
    cr_expect_null(spec_capability_name(41));
    cr_expect_eq(spec_default_capabilities(false), 0x800405fbULL);
    cr_expect_eq(spec_default_capabilities(true), 0xa00405fbULL);
}
