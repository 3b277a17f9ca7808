/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c - clocks and RFC 3339 times. The calendar is computed here: the C library's functions would read
 * time zone files. */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define NS_PER_S 1000000000LL
#define DAY_S    86400LL

static struct timespec read_clock(clockid_t id)
{
    struct timespec now = {0};
    clock_gettime(id, &now);
    return now;
}

int64_t clock_monotonic_us(void)
{
    struct timespec now = read_clock(CLOCK_MONOTONIC);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

int64_t clock_boottime_us(void)
{
    struct timespec now = read_clock(CLOCK_BOOTTIME);
    return now.tv_sec * 1000000LL + now.tv_nsec / 1000;
}

int64_t clock_wall_ns(void)
{
    struct timespec now = read_clock(CLOCK_REALTIME);
    return now.tv_sec * NS_PER_S + now.tv_nsec;
}

/* Proleptic Gregorian calendar; years are counted from March so that the leap day comes last. */
static int64_t days_from_date(int64_t year, int month, int day)
{
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static void date_from_days(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
    days += 719468;
    int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    *ret_day = (int)(day_of_year - (153 * march_month + 2) / 5 + 1);
    *ret_month = (int)(march_month < 10 ? march_month + 3 : march_month - 9);
    *ret_year = (int)(year_of_era + era * 400 + (*ret_month <= 2));
}

const char *rfc3339_format_ns(int64_t wall_ns, char *buffer, size_t size)
{
    int64_t seconds = wall_ns / NS_PER_S, fraction = wall_ns % NS_PER_S;
    if (fraction < 0) {
        fraction += NS_PER_S;
        seconds--;
    }
    int64_t days = seconds / DAY_S, rest = seconds % DAY_S;
    if (rest < 0) {
        rest += DAY_S;
        days--;
    }
    int year, month, day;
    date_from_days(days, &year, &month, &day);
    snprintf(buffer, size, "%04d-%02d-%02dT%02d:%02d:%02d.%09dZ", year, month, day, (int)(rest / 3600),
             (int)(rest / 60 % 60), (int)(rest % 60), (int)fraction);
    return buffer;
}

/* Reads exactly count digits with a value in min … max and steps over them. */
static bool take_number(const char **at, int count, int min, int max, int *ret_value)
{
    int value = 0;
    for (int i = 0; i < count; i++, (*at)++) {
        if (**at < '0' || **at > '9')
            return false;
        value = value * 10 + (**at - '0');
    }
    *ret_value = value;
    return value >= min && value <= max;
}

static bool take_char(const char **at, const char *allowed)
{
    if (**at == '\0' || !strchr(allowed, **at))
        return false;
    (*at)++;
    return true;
}

static bool take_fraction(const char **at, int64_t *ret_ns)
{
    int digits = 0;
    *ret_ns = 0;
    if (!take_char(at, "."))
        return true;
    for (; **at >= '0' && **at <= '9'; (*at)++, digits++)
        *ret_ns = *ret_ns * 10 + (**at - '0');
    if (digits > 9)
        return false;
    for (int i = digits; i < 9; i++)
        *ret_ns *= 10;
    return digits > 0;
}

static bool take_offset(const char **at, int64_t *ret_seconds)
{
    int hours, minutes, sign = **at == '-' ? -1 : 1;
    *ret_seconds = 0;
    if (take_char(at, "Zz"))
        return true;
    if (!take_char(at, "+-") || !take_number(at, 2, 0, 23, &hours) || !take_char(at, ":") ||
        !take_number(at, 2, 0, 59, &minutes))
        return false;
    *ret_seconds = sign * (hours * 3600LL + minutes * 60LL);
    return true;
}

static int month_days(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

bool rfc3339_parse_ns(const char *text, int64_t *ret_wall_ns)
{
    int year, month, day, hour, minute, second;
    int64_t fraction_ns, offset_s;

    if (!text || strnlen(text, RFC3339_SIZE) == RFC3339_SIZE) /* also bounds the fraction's digits */
        return false;
    if (!take_number(&text, 4, 0, 9999, &year) || !take_char(&text, "-") ||
        !take_number(&text, 2, 1, 12, &month) || !take_char(&text, "-") ||
        !take_number(&text, 2, 1, month_days(year, month), &day) || !take_char(&text, "Tt") ||
        !take_number(&text, 2, 0, 23, &hour) || !take_char(&text, ":") ||
        !take_number(&text, 2, 0, 59, &minute) || !take_char(&text, ":") ||
        !take_number(&text, 2, 0, 60, &second) || !take_fraction(&text, &fraction_ns) ||
        !take_offset(&text, &offset_s) || *text != '\0')
        return false;
    int64_t seconds = days_from_date(year, month, day) * DAY_S + hour * 3600 + minute * 60 + second - offset_s;
    int64_t wall_ns;
    if (__builtin_mul_overflow(seconds, NS_PER_S, &wall_ns) ||
        __builtin_add_overflow(wall_ns, fraction_ns, &wall_ns))
        return false;
    *ret_wall_ns = wall_ns;
    return true;
}
