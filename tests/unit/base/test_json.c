/* SPDX-License-Identifier: Apache-2.0 */
/* test_json.c - strict reading, canonical writing, errors on the wire. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <math.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/str.h"

static struct jv *parse(const char *text, struct err *err)
{
    struct jv *value = NULL;
    return jv_parse(text, strlen(text), &value, err) < 0 ? NULL : value;
}

Test(json, reads_strictly)
{
    static const char *const bad[] = {
        "", "{", "{} x", "{\"a\":1,\"a\":2}", "\"\xff\"", "[1,]", "nul", "{a:1}", "\"\\u0000\"", "99999999999999999999"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err err = {0};
        cr_expect_null(parse(bad[i], &err), "case '%s'", bad[i]);
        cr_expect_eq(err.code, ERR_CORRUPT, "case '%s'", bad[i]);
    }
}

Test(json, depth_is_bounded)
{
    char text[600] = {0};
    struct err err = {0};
    memset(text, '[', JSON_DEPTH_MAX);
    memset(text + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
    struct jv *value = parse(text, &err);
    cr_expect_not_null(value);
    jv_free(value);
    memset(text, '[', JSON_DEPTH_MAX + 1);
    memset(text + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
    cr_expect_null(parse(text, &err));
    cr_expect_not_null(value = parse("\"[[[[\\\"[[[\"", &err));
    jv_free(value);
}

Test(json, writes_canonically)
{
    struct err err = {0};
    struct jv *value = parse("{ \"b\": [1, 2.5, null, true], \"a\": \"\\u00e4\" }", &err);
    char *text = jv_dump(value), *pretty = jv_dump_pretty(value, false);
    cr_expect_str_eq(text, "{\"a\":\"\xc3\xa4\",\"b\":[1,2.5,null,true]}");
    cr_expect_str_eq(pretty, "{\n  \"b\": [\n    1,\n    2.5,\n    null,\n    true\n  ],\n  \"a\": \"\xc3\xa4\"\n}");
    free(text);
    free(pretty);
    jv_free(value);
}

Test(json, bad_bytes_become_replacement_characters)
{
    struct jv *object = jv_object();
    jv_set_str(object, "k\xff", "a\xffz\xc3");
    jv_set(object, "nan", jv_real(NAN));
    jv_set(object, "null", jv_string(NULL));
    jv_set_str(object, "left out", NULL);
    char *text = jv_dump(object);
    cr_expect_str_eq(text, "{\"k\xef\xbf\xbd\":\"a\xef\xbf\xbdz\xef\xbf\xbd\",\"nan\":null,\"null\":null}");
    free(text);
    jv_free(object);
}

Test(json, getters_are_typed)
{
    struct err err = {0};
    const char *text = "untouched";
    int64_t number = 7;
    struct jv *object = parse("{\"s\":\"x\",\"i\":5,\"b\":true,\"l\":[\"a\",1,\"b\"]}", &err);
    cr_expect_str_eq(jv_get_str(object, "i", "fallback"), "fallback");
    cr_expect_eq(jv_get_int(object, "s", -1), -1);
    cr_expect_eq(jv_get_bool(object, "b", false), true);
    cr_expect_eq(jv_need_str(object, "missing", &text, &err), -1);
    cr_expect_str_eq(text, "untouched");
    cr_expect_eq(err.code, ERR_CORRUPT);
    cr_expect_eq(jv_need_int(object, "i", &number, &err), 0);
    cr_expect_eq(number, 5);
    char **strv = jv_get_strv(object, "l");
    cr_expect_eq(strv_len(strv), 2);
    cr_expect_str_eq(strv[1], "b");
    strv_free(strv);
    cr_expect_null(jv_get_strv(object, "missing"));
    cr_expect_null(jv_find(NULL, "x"));
    cr_expect_eq(jv_kind(NULL), JV_NULL);
    const char *key, *expected[] = {"s", "i", "b", "l"};
    struct jv *value;
    size_t count = 0;
    JV_EACH(object, key, value)
    {
        cr_expect_str_eq(key, expected[count++]);
        cr_expect_eq(value, jv_find(object, key));
    }
    cr_expect_eq(count, jv_count(object));
    jv_free(object);
}

Test(json, errors_travel)
{
    struct err err = {0}, back = {0};
    err_sysno(&err, 13, "open %s", "x");
    err_hint(&err, "be root");
    struct jv *object = jv_from_err(&err);
    jv_to_err(object, &back);
    cr_expect_eq(back.code, ERR_SYSTEM);
    cr_expect_eq(back.sys_errno, 13);
    cr_expect_str_eq(back.message, "open x: Permission denied");
    cr_expect_str_eq(back.hint, "be root");
    jv_free(object);
    jv_to_err(NULL, &back);
    cr_expect_eq(back.code, ERR_INTERNAL);
}

Test(json, state_files_are_objects)
{
    struct err err = {0};
    char dir[] = "/tmp/winch-json-XXXXXX";
    cr_assert_not_null(mkdtemp(dir));
    int at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct jv *object = jv_object(), *loaded = NULL;
    jv_set_int(object, "version", 1);
    cr_assert_eq(jv_save_file(at, "state.json", object, &err), 0, "%s", err.message);
    cr_assert_eq(jv_load_file(at, "state.json", 1000, &loaded, &err), 0);
    cr_expect(jv_equal(object, loaded));
    jv_free(loaded);
    jv_free(object);
    cr_assert_eq(fs_replace_volatile(at, "list", "[]", 2, 0600, &err), 0);
    cr_expect_eq(jv_load_file(at, "list", 1000, &loaded, &err), -1);
    cr_expect_eq(err.code, ERR_CORRUPT);
    cr_expect_eq(jv_load_file(at, "missing", 1000, &loaded, &err), -1);
    cr_expect_eq(err.code, ERR_NOT_FOUND);
    close(at);
    fs_remove_tree(AT_FDCWD, dir, NULL);
}
