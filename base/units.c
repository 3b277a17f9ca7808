/* SPDX-License-Identifier: Apache-2.0 */
/* units.c - sizes, durations and booleans as the Compose Specification writes them, and the short forms for
 * people. Fractions are computed with integers, so that results do not depend on rounding modes. */
#include "base/units.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define FRACTION_DIGITS 9

struct unit {
    const char *name;
    int64_t factor;
};

#define KI 1024LL
static const struct unit byte_units[] = {
    {"", 1},
    {"b", 1},
    {"k", KI},
    {"kb", KI},
    {"kib", KI},
    {"m", KI *KI},
    {"mb", KI *KI},
    {"mib", KI *KI},
    {"g", KI *KI *KI},
    {"gb", KI *KI *KI},
    {"gib", KI *KI *KI},
    {"t", KI *KI *KI *KI},
    {"tb", KI *KI *KI *KI},
    {"tib", KI *KI *KI *KI},
    {"p", KI *KI *KI *KI *KI},
    {"pb", KI *KI *KI *KI *KI},
    {"pib", KI *KI *KI *KI *KI},
};

#define SECOND_US 1000000LL
static const struct unit time_units[] = {
    {"us", 1},
    {"\xc2\xb5s", 1}, /* micro sign */
    {"\xce\xbcs", 1}, /* Greek mu */
    {"ms", 1000},
    {"s", SECOND_US},
    {"m", 60 * SECOND_US},
    {"h", 3600 * SECOND_US},
    {"d", 24 * 3600 * SECOND_US},
    {"w", 7 * 24 * 3600 * SECOND_US},
};

/* "12", "12.5", ".5" as billionths. Further digits of the fraction are read and dropped. */
static bool take_decimal(const char **at, __int128 *ret_billionths)
{
    __int128 value = 0;
    int digits = 0, places = 0;
    for (; **at >= '0' && **at <= '9'; (*at)++, digits++) {
        value = value * 10 + (**at - '0');
        if (value > INT64_MAX)
            return false;
    }
    if (**at == '.') {
        (*at)++;
        for (; **at >= '0' && **at <= '9'; (*at)++, digits++)
            if (places < FRACTION_DIGITS) {
                value = value * 10 + (**at - '0');
                places++;
            }
    }
    for (; places < FRACTION_DIGITS; places++)
        value *= 10;
    *ret_billionths = value;
    return digits > 0;
}

/* billionths * factor as a whole number; false when it does not fit. */
static bool scale(__int128 billionths, int64_t factor, int64_t *ret_value)
{
    __int128 product;
    if (__builtin_mul_overflow(billionths, (__int128)factor, &product))
        return false;
    product /= 1000000000;
    if (product > INT64_MAX)
        return false;
    *ret_value = (int64_t)product;
    return true;
}

bool bytes_parse(const char *text, int64_t *ret_bytes)
{
    __int128 billionths;
    if (!text || !take_decimal(&text, &billionths))
        return false;
    text += *text == ' '; /* "512 MB" */
    for (size_t i = 0; i < ARRAY_LEN(byte_units); i++)
        if (strcasecmp(text, byte_units[i].name) == 0)
            return scale(billionths, byte_units[i].factor, ret_bytes);
    return false;
}

/* The longest unit at the start of text ("ms" before "m"), or NULL. */
static const struct unit *find_time_unit(const char *text)
{
    const struct unit *best = NULL;
    for (size_t i = 0; i < ARRAY_LEN(time_units); i++)
        if (str_has_prefix(text, time_units[i].name) &&
            (!best || strlen(time_units[i].name) > strlen(best->name)))
            best = &time_units[i];
    return best;
}

bool duration_parse(const char *text, int64_t *ret_us)
{
    int64_t total_us = 0;
    if (!text || *text == '\0')
        return false;
    if (strcmp(text, "0") == 0) { /* as in Go: the only number without a unit */
        *ret_us = 0;
        return true;
    }
    while (*text) {
        __int128 billionths;
        int64_t part_us;
        if (!take_decimal(&text, &billionths))
            return false;
        const struct unit *unit = find_time_unit(text);
        if (!unit || !scale(billionths, unit->factor, &part_us) ||
            __builtin_add_overflow(total_us, part_us, &total_us))
            return false;
        text += strlen(unit->name);
    }
    if (total_us > INT64_MAX / 1000 || total_us < INT64_MIN / 1000) /* 292 years, where others count nanoseconds */
        return false;
    *ret_us = total_us;
    return true;
}

/* "1.5": value / factor without trailing zeros. */
static char *format_fraction(uint64_t value, uint64_t factor, int places)
{
    char *text = xasprintf("%llu.%0*llu", (unsigned long long)(value / factor), places,
                           (unsigned long long)(value % factor));
    size_t size = strlen(text);
    while (text[size - 1] == '0')
        size--;
    if (text[size - 1] == '.')
        size--;
    text[size] = '\0';
    return text;
}

char *duration_format(int64_t us)
{
    const char *sign = us < 0 ? "-" : "";
    uint64_t value = us < 0 ? 0 - (uint64_t)us : (uint64_t)us;
    if (value == 0)
        return xstrdup("0s");
    if (value < 1000)
        return xasprintf("%s%llu\xc2\xb5s", sign, (unsigned long long)value);
    if (value < SECOND_US) {
        _cleanup_free_ char *number = format_fraction(value, 1000, 3);
        return xasprintf("%s%sms", sign, number);
    }
    unsigned long long minutes = value / (60 * SECOND_US);
    _cleanup_free_ char *number = format_fraction(value % (60 * SECOND_US), SECOND_US, 6);
    if (minutes >= 60)
        return xasprintf("%s%lluh%llum%ss", sign, minutes / 60, minutes % 60, number);
    if (minutes > 0)
        return xasprintf("%s%llum%ss", sign, minutes, number);
    return xasprintf("%s%ss", sign, number);
}

const char *bytes_human(int64_t bytes, char *buffer, size_t size)
{
    static const char *const names[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
    double value = bytes < 0 ? -(double)bytes : (double)bytes;
    size_t unit = 0;
    for (; value >= 1023.5 && unit + 1 < ARRAY_LEN(names); unit++)
        value /= 1024;
    snprintf(buffer, size, value >= 99.95 ? "%s%.0f%s" : "%s%.3g%s", bytes < 0 ? "-" : "", value,
             names[unit]);
    return buffer;
}

const char *bytes_decimal(int64_t bytes, char *buffer, size_t size)
{
    static const char *const names[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
    double value = bytes < 0 ? -(double)bytes : (double)bytes;
    size_t unit = 0;
    for (; value >= 999.5 && unit + 1 < ARRAY_LEN(names); unit++)
        value /= 1000;
    snprintf(buffer, size, "%s%.3g%s", bytes < 0 ? "-" : "", value, names[unit]);
    return buffer;
}

const char *age_human(int64_t seconds, char *buffer, size_t size)
{
    static const struct {
        int64_t below_hours, hours;
        const char *name;
    } steps[] = {
        {48, 1, "hours"},
        {24 * 14, 24, "days"},
        {24 * 60, 24 * 7, "weeks"},
        {24 * 730, 24 * 30, "months"},
        {INT64_MAX, 24 * 365, "years"},
    };
    int64_t minutes = seconds / 60, hours = seconds / 3600 + (seconds % 3600 >= 1800); /* docker rounds hours */

    if (seconds < 1)
        snprintf(buffer, size, "Less than a second");
    else if (seconds < 60)
        snprintf(buffer, size, "%d second%s", (int)seconds, seconds == 1 ? "" : "s");
    else if (minutes == 1)
        snprintf(buffer, size, "About a minute");
    else if (minutes < 60)
        snprintf(buffer, size, "%d minutes", (int)minutes);
    else if (hours == 1)
        snprintf(buffer, size, "About an hour");
    else
        for (size_t i = 0; i < ARRAY_LEN(steps); i++)
            if (hours < steps[i].below_hours) {
                snprintf(buffer, size, "%lld %s", (long long)(hours / steps[i].hours), steps[i].name);
                break;
            }
    return buffer;
}

bool bool_parse(const char *text, bool *ret_value)
{
    static const struct {
        const char *word;
        bool value;
    } words[] = {
        {"true", true},   {"yes", true}, {"on", true},   {"y", true},
        {"false", false}, {"no", false}, {"off", false}, {"n", false},
    };
    for (size_t i = 0; text && i < ARRAY_LEN(words); i++)
        if (strcasecmp(text, words[i].word) == 0) {
            *ret_value = words[i].value;
            return true;
        }
    return false;
}
