/* SPDX-License-Identifier: Apache-2.0 */
/* What an image may say, and what --change makes of an instruction. */
#include <criterion/criterion.h>

#include "base/str.h"
#include "engine/image/changes.h"
#include "engine/image/image_config.h"
#include "engine/image/store.h"
#include "engine/image/tree_walk.h"
#include "engine/image/whiteout.h"

static int parse(const char *run, struct image *image, struct err *err)
{
    _cleanup_free_ char *text =
        xasprintf("{\"os\":\"linux\",\"architecture\":\"amd64\",\"config\":%s}", run);
    _cleanup_jv_ struct jv *config = NULL;
    cr_assert_eq(jv_parse(text, strlen(text), &config, err), 0, "%s: %s", text, err->message);
    return image_config_parse(config, image, err);
}

Test(image_config, settles_loose_forms)
{
    struct image image;
    struct err err = {0};
    cr_assert_eq(
        parse("{\"Env\":[\"A=1\",\"B\"],\"WorkingDir\":\"x/../"
              "y\",\"ExposedPorts\":{\"80\":{},\"7-9/udp\":{}},"
              "\"Volumes\":{\"/data/"
              "\":{}},\"Healthcheck\":{\"Test\":[\"CMD-SHELL\",\"x\"],\"Interval\":5000000000}}",
              &image, &err),
        0, "%s", err.message);
    cr_expect_str_eq(image.env[1], "B=");
    cr_expect_str_eq(image.workdir, "/y");
    cr_expect_str_eq(image.exposed_ports[0], "80/tcp");
    cr_expect_str_eq(image.exposed_ports[1], "7-9/udp");
    cr_expect_str_eq(image.volumes[0], "/data");
    cr_expect_eq(image.healthcheck.interval_us, 5000000);
    image_done(&image);
    cr_expect_eq(parse("null", &image, &err), 0);
    image_done(&image);
}

static const struct {
    const char *run, *field;
} nonsense[] = {
    {"{\"Env\":[\"=x\"]}", "Env"},
    {"{\"Env\":\"A=1\"}", "Env"},
    {"{\"Entrypoint\":\"/bin/sh\"}", "Entrypoint"},
    {"{\"Cmd\":[1]}", "Cmd"},
    {"{\"Volumes\":{\"/\":{}}}", "Volumes"},
    {"{\"Volumes\":{\"data\":{}}}", "Volumes"},
    {"{\"Volumes\":{\"/a/../b\":{}}}", "Volumes"},
    {"{\"Volumes\":{\"/proc\":{}}}", "Volumes"},
    {"{\"StopSignal\":\"SIGFOO\"}", "StopSignal"},
    {"{\"StopSignal\":\"99999\"}", "StopSignal"},
    {"{\"User\":\"root\\nx\"}", "User"},
    {"{\"ExposedPorts\":{\"99999/tcp\":{}}}", "ExposedPorts"},
    {"{\"ExposedPorts\":{\"80/http\":{}}}", "ExposedPorts"},
    {"{\"Labels\":{\"a\":1}}", "Labels"},
    {"{\"Healthcheck\":{\"Interval\":-1}}", "Interval"},
    {"{\"Healthcheck\":{\"Timeout\":1}}", "Timeout"},
    {"{\"Healthcheck\":{\"Test\":[\"RUN\"]}}", "Healthcheck.Test"},
    {"[]", "config"},
};

Test(image_config, nonsense_names_its_field)
{
    for (size_t i = 0; i < ARRAY_LEN(nonsense); i++) {
        struct image image;
        struct err err = {0};
        cr_expect_eq(parse(nonsense[i].run, &image, &err), -1, "case %s", nonsense[i].run);
        cr_expect_eq(err.code, ERR_CORRUPT);
        cr_expect(strstr(err.message, nonsense[i].field), "case %s: %s", nonsense[i].run,
                  err.message);
    }
}

static const struct {
    const char *instruction, *json; /* NULL: refused */
} changes[] = {
    {"CMD [\"a\",\"b c\"]", "{\"Cmd\":[\"a\",\"b c\"]}"},
    {"cmd echo hi", "{\"Cmd\":[\"/bin/sh\",\"-c\",\"echo hi\"]}"},
    {"ENTRYPOINT [\"/x\"]", "{\"Entrypoint\":[\"/x\"]}"},
    {"ENV A=1 B=\"x y\" C=a\\ b", "{\"Env\":[\"A=1\",\"B=x y\",\"C=a b\"]}"},
    {"ENV A some text", "{\"Env\":[\"A=some text\"]}"},
    {"EXPOSE 80 53/udp", "{\"ExposedPorts\":{\"53/udp\":{},\"80/tcp\":{}}}"},
    {"LABEL a=b 'c d'=e", "{\"Labels\":{\"a\":\"b\",\"c d\":\"e\"}}"},
    {"VOLUME [\"/a\"]", "{\"Volumes\":{\"/a\":{}}}"},
    {"VOLUME /a /b", "{\"Volumes\":{\"/a\":{},\"/b\":{}}}"},
    {"WORKDIR /srv", "{\"WorkingDir\":\"/srv\"}"},
    {"HEALTHCHECK NONE", "{\"Healthcheck\":{\"Test\":[\"NONE\"]}}"},
    {"HEALTHCHECK --interval=1s --retries=3 CMD [\"x\"]",
     "{\"Healthcheck\":{\"Interval\":1000000000,\"Retries\":3,\"Test\":[\"CMD\",\"x\"]}}"},
    {"RUN x", NULL},
    {"CMD", NULL},
    {"CMD [1]", NULL},
    {"ENV =x", NULL},
    {"ENV A", NULL},
    {"ENV A=\"x", NULL},
    {"HEALTHCHECK", NULL},
    {"HEALTHCHECK --foo=1 CMD x", NULL},
    {"", NULL},
};

Test(changes, set_parts_of_the_config)
{
    for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
        _cleanup_jv_ struct jv *run = jv_object();
        struct err err = {0};
        int done = change_apply(run, changes[i].instruction, &err);
        cr_expect_eq(done, changes[i].json ? 0 : -1, "case '%s': %s", changes[i].instruction,
                     err.message);
        _cleanup_free_ char *text = jv_dump(run);
        if (changes[i].json)
            cr_expect_str_eq(text, changes[i].json, "case '%s'", changes[i].instruction);
    }
}

static const struct {
    const char *raw, *clean; /* NULL: refused */
} paths[] = {
    {"a/b", "a/b"}, {"./a//b/", "a/b"}, {"a/./b", "a/b"}, {".", ""},        {"./", ""},
    {"...", "..."}, {"a..", "a.."},     {"", NULL},       {"/", NULL},      {"/a", NULL},
    {"..", NULL},   {"../a", NULL},     {"a/..", NULL},   {"a/../b", NULL}, {"./..", NULL},
};

Test(tree_walk, names_stay_inside)
{
    for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
        char clean[TREE_PATH_MAX];
        struct err err = {0};
        cr_expect_eq(tree_path_clean(paths[i].raw, clean, &err), paths[i].clean ? 0 : -1,
                     "case '%s'", paths[i].raw);
        if (paths[i].clean)
            cr_expect_str_eq(clean, paths[i].clean);
    }
    char longest[300], clean[TREE_PATH_MAX];
    struct err err = {0};
    memset(longest, 'x', sizeof(longest) - 1);
    longest[256] = '\0';
    cr_expect_eq(tree_path_clean(longest, clean, &err), -1);
    cr_expect_eq(err.code, ERR_LIMIT);
    longest[255] = '\0';
    cr_expect_eq(tree_path_clean(longest, clean, &err), 0);
}

/* The example of the OCI image specification's rule, computed by hand: ChainID(a b) = sha256("a
 * b"). */
Test(layer_chain, follows_the_specification)
{
    char first[65], second[65];
    const char *a = "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    const char *b = "sha256:bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";
    layer_chain(NULL, a, first);
    cr_expect_str_eq(first, a + 7);
    layer_chain(first, b, second);
    cr_expect_str_eq(second, "ccd722928bd92476ba1745586fed6e45a102504185ad88cd89e01ff116fd146c");
}

static const struct {
    const char *path;
    enum whiteout kind;
    const char *hidden;
} whiteouts[] = {
    {"a/.wh.b", WHITEOUT_NAME, "b"},
    {".wh.b", WHITEOUT_NAME, "b"},
    {"a/.wh..wh..opq", WHITEOUT_OPAQUE, NULL},
    {".wh..wh..opq", WHITEOUT_OPAQUE, NULL},
    {".wh..wh.plnk", WHITEOUT_IGNORED, NULL},
    {"a/.wh..wh.plnk/1.2", WHITEOUT_IGNORED, NULL},
    {".wh.", WHITEOUT_BAD, NULL},
    {"a/.wh..", WHITEOUT_BAD, NULL},
    {".wh...", WHITEOUT_BAD, NULL},
    {".wh....", WHITEOUT_NAME, "..."},
    {"a.wh.b", WHITEOUT_NONE, NULL},
    {"a.wh..wh.b/c", WHITEOUT_NONE, NULL},
    {"wh.b", WHITEOUT_NONE, NULL},
};

Test(whiteout, only_the_specified_forms_mean_something)
{
    for (size_t i = 0; i < ARRAY_LEN(whiteouts); i++) {
        const char *hidden = NULL;
        cr_expect_eq(whiteout_of(whiteouts[i].path, &hidden), whiteouts[i].kind, "case '%s'",
                     whiteouts[i].path);
        if (whiteouts[i].hidden)
            cr_expect_str_eq(hidden, whiteouts[i].hidden, "case '%s'", whiteouts[i].path);
    }
}
