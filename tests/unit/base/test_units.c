/* SPDX-License-Identifier: Apache-2.0 */
/* test_units.c - sizes, durations, ages, booleans, times. */
#include <criterion/criterion.h>

#include "base/clock.h"
#include "base/units.h"

Test(units, bytes)
{
    static const struct {
        const char *text;
        int64_t bytes; /* -1: refused */
    } cases[] = {
        {"0", 0},          {"1024", 1024},     {"1b", 1},           {"2k", 2048},
        {"2kb", 2048},     {"2KiB", 2048},     {"1.5M", 1572864},   {"512 MB", 512LL << 20},
        {"1g", 1LL << 30}, {"1GiB", 1LL << 30}, {"2t", 2LL << 40},  {"1p", 1LL << 50},
        {".5k", 512},      {"0.1k", 102},      {"9000p", -1},       {"9223372036854775807", INT64_MAX},
        {"9223372036854775808", -1},           {"", -1},            {"k", -1},
        {"-1", -1},        {"1x", -1},         {"1  k", -1},        {"1k ", -1},
        {".", -1},         {"1e3", -1},        {"0x10", -1},        {"1kbb", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t bytes = -1;
        bool good = bytes_parse(cases[i].text, &bytes);
        cr_expect_eq(good, cases[i].bytes >= 0, "case '%s'", cases[i].text);
        cr_expect_eq(bytes, cases[i].bytes, "case '%s': %lld", cases[i].text, (long long)bytes);
    }
}

Test(units, durations)
{
    static const struct {
        const char *text;
        int64_t us; /* -1: refused */
        const char *formatted;
    } cases[] = {
        {"10s", 10000000, "10s"},
        {"1m30s", 90000000, "1m30s"},
        {"1h5m30s20ms", 3930020000, "1h5m30.02s"},
        {"1h", 3600000000, "1h0m0s"},
        {"1d", 86400000000, "24h0m0s"},
        {"1w", 604800000000, "168h0m0s"},
        {"500ms", 500000, "500ms"},
        {"1.5ms", 1500, "1.5ms"},
        {"1.5s", 1500000, "1.5s"},
        {"7us", 7, "7\xc2\xb5s"},
        {"7\xc2\xb5s", 7, "7\xc2\xb5s"},
        {"0", 0, "0s"},
        {"0s", 0, "0s"},
        {"10", -1, NULL},
        {"", -1, NULL},
        {"s", -1, NULL},
        {"-1s", -1, NULL},
        {"1s ", -1, NULL},
        {"1s2", -1, NULL},
        {"1y", -1, NULL},
        {"99999999999999w", -1, NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t us = -1;
        bool good = duration_parse(cases[i].text, &us);
        cr_expect_eq(good, cases[i].us >= 0, "case '%s'", cases[i].text);
        cr_expect_eq(us, cases[i].us, "case '%s': %lld", cases[i].text, (long long)us);
        if (good) {
            char *text = duration_format(us);
            cr_expect_str_eq(text, cases[i].formatted);
            free(text);
        }
    }
}

Test(units, forms_for_people)
{
    char buffer[32];
    static const struct {
        int64_t bytes;
        const char *text;
    } sizes[] = {{0, "0B"},          {1023, "1023B"},        {1024, "1KiB"},          {1536, "1.5KiB"},
                 {10240, "10KiB"},   {1572864, "1.5MiB"},    {1048575, "1MiB"},       {123456789, "118MiB"},
                 {-2048, "-2KiB"},   {1023 << 10, "1023KiB"}, {INT64_MAX, "8EiB"},    {102349, "100KiB"}};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++)
        cr_expect_str_eq(bytes_human(sizes[i].bytes, buffer, 16), sizes[i].text, "%s", buffer);
    static const struct {
        int64_t bytes;
        const char *text;
    } traffic[] = {{0, "0B"}, {999, "999B"}, {1000, "1kB"}, {1536, "1.54kB"}, {999500, "1MB"}, {123456789, "123MB"}};
    for (size_t i = 0; i < ARRAY_LEN(traffic); i++)
        cr_expect_str_eq(bytes_decimal(traffic[i].bytes, buffer, 16), traffic[i].text, "%s", buffer);
    static const struct {
        int64_t seconds;
        const char *text;
    } ages[] = {{0, "Less than a second"}, {1, "1 second"},   {59, "59 seconds"},   {60, "About a minute"},
                {120, "2 minutes"},        {3600, "About an hour"}, {7200, "2 hours"}, {172800, "2 days"},
                {1209600, "2 weeks"},      {5184000, "2 months"},   {63072000, "2 years"}};
    for (size_t i = 0; i < ARRAY_LEN(ages); i++)
        cr_expect_str_eq(age_human(ages[i].seconds, buffer, sizeof(buffer)), ages[i].text, "%s", buffer);
}

Test(units, booleans)
{
    bool value;
    cr_expect(bool_parse("Yes", &value) && value);
    cr_expect(bool_parse("OFF", &value) && !value);
    cr_expect_not(bool_parse("", &value));
    cr_expect_not(bool_parse("truely", &value));
    cr_expect_not(bool_parse(NULL, &value));
}

Test(clock, times_in_rfc_3339)
{
    static const struct {
        const char *text;
        bool good;
        int64_t ns;
    } cases[] = {
        {"1970-01-01T00:00:00Z", true, 0},
        {"1970-01-01T00:00:00.000000001Z", true, 1},
        {"1969-12-31T23:59:59.5Z", true, -500000000},
        {"2026-11-23T21:54:31.123456789Z", true, 1795470871123456789},
        {"2026-11-23T22:54:31.123456789+01:00", true, 1795470871123456789},
        {"2026-11-23T16:24:31.123456789-05:30", true, 1795470871123456789},
        {"2024-02-29T12:00:00z", true, 1709208000000000000},
        {"2023-02-29T12:00:00Z", false, 0},
        {"2023-13-01T12:00:00Z", false, 0},
        {"2023-01-01T24:00:00Z", false, 0},
        {"2023-01-01T12:00:00", false, 0},
        {"2023-01-01 12:00:00Z", false, 0},
        {"2023-01-01T12:00:00.Z", false, 0},
        {"2023-01-01T12:00:00.1234567890Z", false, 0},
        {"2023-01-01T12:00:00+24:00", false, 0},
        {"9999-01-01T12:00:00Z", false, 0},
        {"", false, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int64_t ns = 0, again = 0;
        char buffer[RFC3339_SIZE];
        cr_expect_eq(rfc3339_parse_ns(cases[i].text, &ns), cases[i].good, "case '%s'", cases[i].text);
        cr_expect_eq(ns, cases[i].ns, "case '%s': %lld", cases[i].text, (long long)ns);
        cr_expect(rfc3339_parse_ns(rfc3339_format_ns(ns, buffer, sizeof(buffer)), &again));
        cr_expect_eq(again, ns, "case '%s' as '%s'", cases[i].text, buffer);
    }
}

Test(units, the_greatest_age_is_years)
{
    char text[64];
    cr_expect_str_eq(age_human(INT64_MAX, text, sizeof(text)), "292471208677 years");
    cr_expect_str_eq(age_human(3600 * 3 + 1799, text, sizeof(text)), "3 hours");
    cr_expect_str_eq(age_human(3600 * 3 + 1800, text, sizeof(text)), "4 hours");
}
