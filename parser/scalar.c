/* SPDX-License-Identifier: Apache-2.0 */
/* scalar.c - plain YAML words to values and the numbers back to text. Locale is never consulted: the
 * program runs in the C locale. */
#include "parser/scalar.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 64

static bool word_in(const char *text, const char *const *words)
{
    for (; *words; words++)
        if (strcmp(text, *words) == 0)
            return true;
    return false;
}

static bool digits_of_base(const char *digits, int base)
{
    if (!*digits)
        return false;
    for (; *digits; digits++) {
        int value = isdigit((unsigned char)*digits) ? *digits - '0'
                    : isxdigit((unsigned char)*digits) ? tolower((unsigned char)*digits) - 'a' + 10
                                                       : 99;
        if (value >= base)
            return false;
    }
    return true;
}

/* Integers as written in Go source, plus a sign: 12, 0x1F, 0o17, 017, 0b11. */
static bool parse_integer(const char *text, int64_t *ret_value, uint64_t *ret_big, bool *ret_overflow)
{
    bool negative = *text == '-';
    const char *digits = text + (*text == '-' || *text == '+');
    int base = 10;

    if (digits[0] == '0' && digits[1]) {
        switch (digits[1]) {
        case 'x': case 'X': base = 16; digits += 2; break;
        case 'o': case 'O': base = 8; digits += 2; break;
        case 'b': case 'B': base = 2; digits += 2; break;
        default: base = 8; digits += 1; break;
        }
    }
    if (!digits_of_base(digits, base))
        return false;
    errno = 0;
    unsigned long long value = strtoull(digits, NULL, base);
    *ret_overflow = errno == ERANGE || value > (unsigned long long)INT64_MAX + negative;
    *ret_big = errno == ERANGE || negative ? 0 : value;
    *ret_value = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

/* [-+]? ( .digits | digits [ .digits? ] ) ( [eE] [-+]? digits )? */
static bool looks_like_float(const char *text)
{
    const char *p = text + (*text == '-' || *text == '+');
    size_t before = strspn(p, "0123456789"), after = 0;
    p += before;
    if (*p == '.') {
        after = strspn(p + 1, "0123456789");
        p += 1 + after;
    }
    if (before + after == 0)
        return false;
    if (*p == 'e' || *p == 'E') {
        p += 1 + (p[1] == '-' || p[1] == '+');
        size_t exponent = strspn(p, "0123456789");
        if (exponent == 0)
            return false;
        p += exponent;
    }
    return *p == '\0';
}

struct scalar scalar_resolve(const char *text)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    static const char *const infs[] = {".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", NULL};
    static const char *const minus_infs[] = {"-.inf", "-.Inf", "-.INF", NULL};
    static const char *const nans[] = {".nan", ".NaN", ".NAN", NULL};
    char plain[NUMBER_MAX];
    size_t size = 0;
    bool overflow = false;
    struct scalar scalar = {.kind = NODE_STRING};

    if (word_in(text, nulls))
        return (struct scalar){.kind = NODE_NULL};
    if (word_in(text, trues) || word_in(text, falses))
        return (struct scalar){.kind = NODE_BOOL, .boolean = tolower((unsigned char)*text) == 't'};
    if (word_in(text, infs))
        return (struct scalar){.kind = NODE_FLOAT, .number = INFINITY};
    if (word_in(text, minus_infs))
        return (struct scalar){.kind = NODE_FLOAT, .number = -INFINITY};
    if (word_in(text, nans))
        return (struct scalar){.kind = NODE_FLOAT, .number = NAN};
    if (!strchr("+-.0123456789", *text))
        return scalar;
    for (const char *p = text; *p; p++) {
        if (size == sizeof(plain) - 1)
            return scalar;
        if (*p != '_')
            plain[size++] = *p;
    }
    plain[size] = '\0';
    if (parse_integer(plain, &scalar.integer, &scalar.big, &overflow) && !overflow) {
        scalar.kind = NODE_INT;
    } else if (looks_like_float(plain)) {
        scalar.kind = NODE_FLOAT;
        scalar.number = strtod(plain, NULL);
    }
    return scalar;
}

/* Lays out digits × 10^exponent the way Go prints %v: exponent notation below 1e-4 and from 1e6 on. */
static void layout(bool negative, const char *digits, int exponent, char *ret_text)
{
    int count = (int)strlen(digits);
    char *out = ret_text;
    if (negative)
        *out++ = '-';
    if (exponent < -4 || exponent >= 6) {
        *out++ = digits[0];
        if (count > 1)
            out += snprintf(out, SCALAR_FLOAT_SIZE - 2, ".%s", digits + 1);
        snprintf(out, 14, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
        return;
    }
    if (exponent < 0) {
        out += snprintf(out, SCALAR_FLOAT_SIZE - 2, "0.%.*s", -exponent - 1, "00000000");
        snprintf(out, SCALAR_FLOAT_SIZE - 10, "%s", digits);
        return;
    }
    for (int i = 0; i <= exponent || i < count; i++) {
        if (i == exponent + 1)
            *out++ = '.';
        *out++ = i < count ? digits[i] : '0';
    }
    *out = '\0';
}

static void float_format(double value, bool is_float32, char *ret_text)
{
    char text[SCALAR_FLOAT_SIZE], digits[24];
    size_t count = 0;

    if (isnan(value) || isinf(value)) {
        snprintf(ret_text, SCALAR_FLOAT_SIZE, "%s", isnan(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf");
        return;
    }
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision, value);
        if (is_float32 ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value)
            break;
    }
    const char *exponent = strchr(text, 'e');
    for (const char *p = text; p < exponent && count < sizeof(digits) - 1; p++)
        if (isdigit((unsigned char)*p))
            digits[count++] = *p;
    digits[count] = '\0';
    layout(text[0] == '-', digits, (int)strtol(exponent + 1, NULL, 10), ret_text);
}

void scalar_float_format(double value, char ret_text[SCALAR_FLOAT_SIZE])
{
    float_format(value, false, ret_text);
}

void scalar_float32_format(float value, char ret_text[SCALAR_FLOAT_SIZE])
{
    float_format((double)value, true, ret_text);
}

/* 12:30:45, which YAML 1.1 readers take for a number of base 60. */
static bool is_sexagesimal(const char *text)
{
    const char *p = text + (*text == '-' || *text == '+');
    if (!isdigit((unsigned char)*p) || !strchr(p, ':'))
        return false;
    return p[strspn(p, "0123456789_:.")] == '\0';
}

/* 2001-01-01 and what begins so: a point in time in YAML 1.1. */
static bool is_date(const char *text)
{
    static const char form[] = "dddd-dd-dd";
    for (size_t i = 0; form[i]; i++)
        if (form[i] == 'd' ? !isdigit((unsigned char)text[i]) : text[i] != form[i])
            return false;
    return true;
}

bool scalar_needs_quotes(const char *text)
{
    static const char *const old_words[] = {"y", "Y", "yes", "Yes", "YES", "n", "N", "no", "No", "NO", "on", "On",
                                            "ON", "off", "Off", "OFF", "<<", "=", NULL};
    if (scalar_resolve(text).kind != NODE_STRING || word_in(text, old_words) || is_sexagesimal(text))
        return true;
    return is_date(text);
}
