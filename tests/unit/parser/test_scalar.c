/* SPDX-License-Identifier: Apache-2.0 */
/* test_scalar.c - what plain words are. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "base/mem.h"
#include "parser/scalar.h"

Test(scalar, words_of_the_core_schema)
{
    static const struct { const char *text; enum node_kind kind; int64_t integer; double number; } cases[] = {
        {"", NODE_NULL, 0, 0},       {"~", NODE_NULL, 0, 0},       {"null", NODE_NULL, 0, 0},   {"Null", NODE_NULL, 0, 0},
        {"nUll", NODE_STRING, 0, 0}, {"true", NODE_BOOL, 0, 0},    {"False", NODE_BOOL, 0, 0},  {"yes", NODE_STRING, 0, 0},
        {"on", NODE_STRING, 0, 0},   {"0", NODE_INT, 0, 0},        {"-7", NODE_INT, -7, 0},     {"+7", NODE_INT, 7, 0},
        {"010", NODE_INT, 8, 0},     {"0o10", NODE_INT, 8, 0},     {"0x1F", NODE_INT, 31, 0},   {"0b101", NODE_INT, 5, 0},
        {"0b", NODE_STRING, 0, 0},   {"0x", NODE_STRING, 0, 0},    {"09", NODE_FLOAT, 0, 9},    {"22:22", NODE_STRING, 0, 0},
        {"1.5", NODE_FLOAT, 0, 1.5}, {".5", NODE_FLOAT, 0, 0.5},   {"1e3", NODE_FLOAT, 0, 1e3}, {"1e", NODE_STRING, 0, 0},
        {"-", NODE_STRING, 0, 0},    {".", NODE_STRING, 0, 0},     {"1.2.3", NODE_STRING, 0, 0},
        {"9223372036854775807", NODE_INT, INT64_MAX, 0},           {"-9223372036854775808", NODE_INT, INT64_MIN, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct scalar scalar = scalar_resolve(cases[i].text);
        cr_expect_eq(scalar.kind, cases[i].kind, "case '%s': %d", cases[i].text, scalar.kind);
        if (scalar.kind == NODE_INT)
            cr_expect_eq(scalar.integer, cases[i].integer, "case '%s'", cases[i].text);
        if (scalar.kind == NODE_FLOAT)
            cr_expect_eq(scalar.number, cases[i].number, "case '%s'", cases[i].text);
    }
    cr_expect(isinf(scalar_resolve(".inf").number) && isinf(scalar_resolve("-.Inf").number) && isnan(scalar_resolve(".NaN").number));
}

Test(scalar, floats_as_text)
{
    static const struct { double number; const char *text; } cases[] = {
        {0.1, "0.1"}, {1, "1"}, {1e21, "1e+21"}, {-0.5, "-0.5"}, {INFINITY, "+Inf"}, {-INFINITY, "-Inf"}, {NAN, "NaN"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[SCALAR_FLOAT_SIZE];
        scalar_float_format(cases[i].number, text);
        cr_expect_str_eq(text, cases[i].text);
    }
}
