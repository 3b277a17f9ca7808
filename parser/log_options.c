/* SPDX-License-Identifier: Apache-2.0 */
/* What logging drivers are told, checked where the file says it (log_options.h). */
#include "parser/log_options.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/units.h"

enum { JSON = 1, LOCAL = 2, NONE = 4, JOURNALD = 8, SYSLOG = 16 };

static const struct {
    const char *name;
    unsigned bit;
} drivers[] = {
    {"json-file", JSON}, {"local", LOCAL}, {"none", NONE}, {"journald", JOURNALD}, {"syslog", SYSLOG},
};

enum value_kind { VALUE_SIZE, VALUE_COUNT, VALUE_YES_NO, VALUE_KEYS, VALUE_TAG, VALUE_ADDRESS, VALUE_FACILITY, VALUE_WORD };

static const struct {
    const char *name;
    unsigned drivers;
    enum value_kind kind;
    const char *expected; /* VALUE_WORD: word|word */
} rows[] = {
    {"cache-compress", JOURNALD | SYSLOG, VALUE_YES_NO, "true or false"},
    {"cache-disabled", JOURNALD | SYSLOG, VALUE_YES_NO, "true or false"},
    {"cache-max-file", JOURNALD | SYSLOG, VALUE_COUNT, "a number from 1 to 1000"},
    {"cache-max-size", JOURNALD | SYSLOG, VALUE_SIZE, "a size such as 10m"},
    {"compress", JSON | LOCAL, VALUE_YES_NO, "true or false"},
    {"env", JSON | JOURNALD | SYSLOG, VALUE_KEYS, "names of variables, with commas between them"},
    {"labels", JSON | JOURNALD | SYSLOG, VALUE_KEYS, "names of labels, with commas between them"},
    {"max-buffer-size", JOURNALD | SYSLOG, VALUE_SIZE, "a size such as 1m"},
    {"max-file", JSON | LOCAL, VALUE_COUNT, "a number from 1 to 1000"},
    {"max-size", JSON | LOCAL, VALUE_SIZE, "a size such as 10m"},
    {"mode", JSON | LOCAL, VALUE_WORD, "blocking"},
    {"mode", JOURNALD | SYSLOG, VALUE_WORD, "non-blocking"},
    {"syslog-address", SYSLOG, VALUE_ADDRESS, "udp://, tcp:// or unix:// with a numeric address or a path"},
    {"syslog-facility", SYSLOG, VALUE_FACILITY, "a facility such as daemon or local0"},
    {"syslog-format", SYSLOG, VALUE_WORD, "rfc3164|rfc5424|rfc5424micro"},
    {"tag", JSON | JOURNALD | SYSLOG, VALUE_TAG, "a text with {{.ID}}, {{.Name}}, {{.ImageName}} and the like"},
};

static unsigned driver_bit(const char *driver)
{
    if (!driver || !driver[0])
        return JSON;
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++)
        if (str_eq(drivers[i].name, driver))
            return drivers[i].bit;
    return 0;
}

bool log_driver_is_known(const char *driver)
{
    return driver_bit(driver) != 0;
}

static bool word_is_in(const char *word, const char *list)
{
    size_t size = strlen(word);
    for (const char *at = list; size && (at = strstr(at, word)); at++)
        if ((at == list || at[-1] == '|') && (at[size] == '|' || !at[size]))
            return true;
    return false;
}

static bool value_is_good(enum value_kind kind, const char *words, const char *value)
{
    int64_t bytes;
    long long number;
    struct log_address address;
    int facility;
    char tag[1024];
    switch (kind) {
    case VALUE_SIZE:
        return str_eq(value, "-1") || (bytes_parse(value, &bytes) && bytes > 0);
    case VALUE_COUNT:
        return parse_i64(value, 1, 1000, &number);
    case VALUE_YES_NO:
        return word_is_in(value, "true|false");
    case VALUE_KEYS:
        return true;
    case VALUE_TAG:
        return log_tag_format(value, &(struct log_tag_values){"", "", "", ""}, tag, sizeof(tag));
    case VALUE_ADDRESS:
        return log_address_parse(value, &address);
    case VALUE_FACILITY:
        return log_facility_parse(value, &facility);
    case VALUE_WORD:
        return word_is_in(value, words);
    }
    return false;
}

const char *log_option_expected(const char *driver, const char *key, const char *value)
{
    static const struct {
        unsigned driver;
        const char *keys;
    } known[] = {
        {JSON, "compress, env, labels, max-file, max-size, mode or tag"},
        {LOCAL, "compress, max-file, max-size or mode"},
        {NONE, "no options"},
        {JOURNALD, "cache-compress, cache-disabled, cache-max-file, cache-max-size, env, labels, max-buffer-size, mode or tag"},
        {SYSLOG, "cache-compress, cache-disabled, cache-max-file, cache-max-size, env, labels, max-buffer-size, mode, "
                 "syslog-address, syslog-facility, syslog-format or tag"},
    };
    unsigned bit = driver_bit(driver);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        if ((rows[i].drivers & bit) && str_eq(rows[i].name, key))
            return value_is_good(rows[i].kind, rows[i].expected, value ? value : "") ? NULL : rows[i].expected;
    for (size_t i = 0; i < ARRAY_LEN(known); i++)
        if (known[i].driver == bit)
            return known[i].keys;
    return LOG_DRIVERS;
}

static bool host_is_good(const char *host)
{
    unsigned char raw[16];
    return inet_pton(AF_INET, host, raw) == 1 || inet_pton(AF_INET6, host, raw) == 1;
}

bool log_address_parse(const char *text, struct log_address *ret_address)
{
    struct log_address address = {.port = 514};
    long long port = 514;
    const char *rest = strstr(text, "://"), *end, *after;
    if (!rest)
        return false;
    size_t scheme = (size_t)(rest - text);
    rest += 3;
    if ((scheme == 4 && memcmp(text, "unix", 4) == 0) || (scheme == 8 && memcmp(text, "unixgram", 8) == 0)) {
        if (rest[0] != '/' || strlen(rest) >= sizeof(address.host))
            return false;
        snprintf(address.host, sizeof(address.host), "%s", rest);
        *ret_address = address;
        return true;
    }
    if (scheme != 3 || (memcmp(text, "udp", 3) != 0 && memcmp(text, "tcp", 3) != 0))
        return false;
    address.transport = text[0] == 'u' ? LOG_TRANSPORT_UDP : LOG_TRANSPORT_TCP;
    if (rest[0] == '[') {
        rest++;
        end = strchr(rest, ']');
        after = end ? end + 1 : NULL;
    } else {
        end = rest + strcspn(rest, ":");
        after = end;
    }
    if (!end || end == rest || (size_t)(end - rest) >= sizeof(address.host))
        return false;
    if (after[0] == ':' ? !parse_i64(after + 1, 1, 65535, &port) : after[0] != 0)
        return false;
    snprintf(address.host, sizeof(address.host), "%.*s", (int)(end - rest), rest);
    if (str_eq(address.host, "localhost"))
        snprintf(address.host, sizeof(address.host), "127.0.0.1");
    address.port = (uint16_t)port;
    if (!host_is_good(address.host))
        return false;
    *ret_address = address;
    return true;
}

bool log_facility_parse(const char *text, int *ret_facility)
{
    static const char *const names[] = {"kern",   "user",     "mail",   "daemon", "auth",   "syslog", "lpr",    "news",
                                        "uucp",   "cron",     "authpriv", "ftp",  NULL,     NULL,     NULL,     NULL,
                                        "local0", "local1",   "local2", "local3", "local4", "local5", "local6", "local7"};
    long long number;
    *ret_facility = 3;
    if (!text || !text[0])
        return true;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (names[i] && str_eq(names[i], text)) {
            *ret_facility = (int)i;
            return true;
        }
    if (!parse_i64(text, 0, 23, &number))
        return false;
    *ret_facility = (int)number;
    return true;
}

static const char *short_id(const char *id, char *buffer)
{
    const char *colon = strchr(id, ':');
    snprintf(buffer, 13, "%s", colon ? colon + 1 : id);
    return buffer;
}

bool log_tag_format(const char *template, const struct log_tag_values *values, char *out, unsigned long size)
{
    char id[13], image_id[13];
    const struct {
        const char *name, *value;
    } fields[] = {
        {".ID", short_id(values->id, id)},
        {".FullID", values->id},
        {".Name", values->name},
        {".ImageID", short_id(values->image_id, image_id)},
        {".ImageFullID", values->image_id},
        {".ImageName", values->image},
        {".DaemonName", "winch"},
    };
    struct str text = {0};
    bool good = true;
    for (const char *at = template ? template : "{{.ID}}"; good && *at;) {
        const char *open = strstr(at, "{{"), *close = open ? strstr(open, "}}") : NULL;
        str_add_bytes(&text, at, open ? (size_t)(open - at) : strlen(at));
        if (!open)
            break;
        const char *name = open + 2 + strspn(open + 2, " ");
        size_t length = strcspn(name, " }");
        good = false;
        for (size_t i = 0; close && i < ARRAY_LEN(fields); i++)
            if (strlen(fields[i].name) == length && memcmp(fields[i].name, name, length) == 0 &&
                name + length + strspn(name + length, " ") == close) {
                str_add(&text, fields[i].value);
                good = true;
            }
        at = close ? close + 2 : "";
    }
    good = good && text.size < size;
    if (good)
        snprintf(out, size, "%s", str_text(&text));
    str_done(&text);
    return good;
}
