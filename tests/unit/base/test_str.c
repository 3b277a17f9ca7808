/* SPDX-License-Identifier: Apache-2.0 */
/* test_str.c - buffers, vectors, strict numbers, text for terminals. */
#include <criterion/criterion.h>
#include <limits.h>

#include "base/str.h"
#include "base/utf8.h"

Test(str, grows_and_gives_away)
{
    struct str str = {0};
    cr_expect_str_eq(str_text(&str), "");
    for (int i = 0; i < 1000; i++)
        str_addf(&str, "%d,", i);
    cr_expect_eq(str.size, 10 * 2 + 90 * 3 + 900 * 4);
    char *text = str_take(&str);
    cr_expect(str_has_prefix(text, "0,1,2,"));
    free(text);
    text = str_take(&str);
    cr_expect_str_eq(text, "");
    free(text);
}

Test(strv, splits_like_strsep)
{
    static const struct {
        const char *text;
        size_t count;
        const char *last;
    } cases[] = {{"", 1, ""}, {"a", 1, "a"}, {"a:b", 2, "b"}, {":", 2, ""}, {"a::b;c", 4, "c"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char **parts = strv_split(cases[i].text, ":;");
        cr_expect_eq(strv_len(parts), cases[i].count, "case '%s'", cases[i].text);
        cr_expect_str_eq(parts[cases[i].count - 1], cases[i].last, "case '%s'", cases[i].text);
        parts = strv_add(parts, "x");
        parts = strv_add(parts, "y");
        cr_expect(strv_has(parts, "y"));
        strv_free(parts);
    }
    char **empty = strv_split(NULL, ":");
    cr_expect_eq(strv_len(empty), 0);
    strv_free(empty);
}

Test(number, is_strict)
{
    static const struct {
        const char *text;
        long long min, max;
        bool good;
        long long value;
    } cases[] = {
        {"0", 0, 10, true, 0},
        {"10", 0, 10, true, 10},
        {"11", 0, 10, false, 0},
        {"-1", 0, 10, false, 0},
        {"-1", -1, 10, true, -1},
        {"+1", -1, 10, false, 0},
        {" 1", 0, 10, false, 0},
        {"1 ", 0, 10, false, 0},
        {"", 0, 10, false, 0},
        {"-", -1, 10, false, 0},
        {"0x1", 0, 10, false, 0},
        {"9223372036854775807", 0, LLONG_MAX, true, LLONG_MAX},
        {"9223372036854775808", 0, LLONG_MAX, false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        long long value = -77;
        cr_expect_eq(parse_i64(cases[i].text, cases[i].min, cases[i].max, &value), cases[i].good,
                     "case '%s'", cases[i].text);
        cr_expect_eq(value, cases[i].good ? cases[i].value : -77, "case '%s'", cases[i].text);
    }
}

Test(str, printable_text_cannot_steer_a_terminal)
{
    static const struct {
        const char *text, *shown;
    } cases[] = {
        {"plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", "plain \xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80"},
        {"\x1b[31m", "\\x1b[31m"},
        {"a\nb\tc", "a\\x0ab\\x09c"},
        {"\xc2\x9b", "\\xc2\\x9b"},
        {"\xe2\x80\xae", "\\xe2\\x80\\xae"},
        {"\xff", "\\xff"},
        {"\xc3", "\\xc3"},
        {"\xc0\x80", "\\xc0\\x80"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *shown = str_printable(cases[i].text);
        cr_expect_str_eq(shown, cases[i].shown, "case %zu", i);
        free(shown);
    }
}

Test(utf8, refuses_what_rfc_3629_refuses)
{
    static const struct {
        const char *text;
        size_t size;
    } cases[] = {
        {"a", 1},        {"\xc2\x80", 2},         {"\xe0\xa0\x80", 3}, {"\xf0\x90\x80\x80", 4},
        {"\xc1\xbf", 0}, {"\xe0\x9f\xbf", 0},     {"\xed\xa0\x80", 0}, {"\xf4\x90\x80\x80", 0},
        {"\x80", 0},     {"\xf8\x88\x80\x80", 0}, {"\xe2\x82", 0},     {"", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        cr_expect_eq(utf8_decode(cases[i].text, strlen(cases[i].text), NULL), cases[i].size, "case %zu", i);
}
