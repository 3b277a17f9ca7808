/* SPDX-License-Identifier: Apache-2.0 */
/* Messages for journald (the native protocol: fields, binary where needed) and syslog (RFC 5424, RFC 3164 and
 * the form of local daemons). Pure but for the local time zone of RFC 3164. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/mem.h"
#include "engine/monitor/sink.h"

#define SEVERITY_ERROR 3
#define SEVERITY_INFO  6
#define APP_NAME_MAX   48
#define MSGID_MAX      32

static bool text_add(struct sink_text *text, const void *data, size_t size)
{
    if (sizeof(text->text) - text->size < size)
        return false;
    memcpy(text->text + text->size, data, size);
    text->size += size;
    return true;
}

static void size_write(unsigned char *out, uint64_t size)
{
    for (int i = 0; i < 8; i++)
        out[i] = (unsigned char)(size >> (8 * i));
}

static bool journal_field_add(struct sink_text *text, const char *key, const char *value)
{
    unsigned char raw[8];
    size_t size = strlen(value);
    if (!strchr(value, '\n'))
        return text_add(text, key, strlen(key)) && text_add(text, "=", 1) &&
               text_add(text, value, size) && text_add(text, "\n", 1);
    size_write(raw, size);
    return text_add(text, key, strlen(key)) && text_add(text, "\n", 1) && text_add(text, raw, 8) &&
           text_add(text, value, size) && text_add(text, "\n", 1);
}

/* Printable, no blank: what a header field of syslog may hold. */
static void word_copy(char *out, size_t room, const char *text, const char *never)
{
    size_t at = 0;
    for (; text && text[at] && at + 1 < room; at++)
        out[at] = text[at] > ' ' && text[at] < 127 && !strchr(never, text[at]) ? text[at] : '_';
    if (at == 0)
        out[at++] = '-';
    out[at] = '\0';
}

static bool structured_add(struct sink_text *text, const struct spec_log *spec)
{
    bool good = text_add(text, "[winch@32473", 12);
    for (size_t i = 0; good && i < spec->fields.count; i++) {
        char name[33];
        word_copy(name, sizeof(name), spec->fields.items[i].key, "=]\"");
        good = text_add(text, " ", 1) && text_add(text, name, strlen(name)) && text_add(text, "=\"", 2);
        for (const char *c = spec->fields.items[i].value; good && *c; c++)
            good = (!strchr("\"\\]", *c) || text_add(text, "\\", 1)) && text_add(text, *c == '\n' ? " " : c, 1);
        good = good && text_add(text, "\"", 1);
    }
    return good && text_add(text, "]", 1);
}

bool sink_text_make(const struct spec_log *spec, bool is_stderr, struct sink_text *text)
{
    text->size = 0;
    if (spec->driver == LOG_DRIVER_JOURNALD) {
        bool good = true;
        for (size_t i = 0; good && i < spec->fields.count; i++)
            good = journal_field_add(text, spec->fields.items[i].key, spec->fields.items[i].value);
        return good && journal_field_add(text, "PRIORITY", is_stderr ? "3" : "6");
    }
    if (spec->fields.count > 0 && spec->format >= SYSLOG_RFC5424)
        return structured_add(text, spec);
    return text_add(text, "-", 1);
}

static size_t journal_format(char *out, const struct sink_text *prefix, const struct sink_message *message)
{
    char time[RFC3339_SIZE];
    size_t at = prefix->size;
    memcpy(out, prefix->text, at);
    at += (size_t)snprintf(out + at, 128, "SYSLOG_TIMESTAMP=%s\n%sMESSAGE\n",
                           rfc3339_format_ns(message->time_ns, time, sizeof(time)),
                           message->partial ? "CONTAINER_PARTIAL_MESSAGE=true\n" : "");
    size_write((unsigned char *)out + at, message->size);
    memcpy(out + at + 8, message->text, message->size);
    at += 8 + message->size;
    out[at++] = '\n';
    return at;
}

static size_t syslog_header(char *out, size_t room, const struct spec_log *spec, const struct sink_text *prefix,
                            const char *hostname, int pid, const struct sink_message *message)
{
    char tag[1024], host[256], time[RFC3339_SIZE];
    int priority = (int)spec->facility * 8 + (message->is_stderr ? SEVERITY_ERROR : SEVERITY_INFO), size;
    word_copy(host, sizeof(host), hostname, "");
    if (spec->format >= SYSLOG_RFC5424) {
        char app[APP_NAME_MAX + 1], msgid[MSGID_MAX + 1];
        word_copy(app, sizeof(app), spec->tag, "");
        word_copy(msgid, sizeof(msgid), spec->tag, "");
        rfc3339_format_ns(message->time_ns, time, sizeof(time));
        int digits = spec->format == SYSLOG_RFC5424_MICRO ? 26 : 19; /* of "2026-11-23T21:54:31.123456789Z" */
        size = snprintf(out, room, "<%d>1 %.*sZ %s %s %d %s %.*s ", priority, digits, time, host, app, pid, msgid,
                        (int)prefix->size, prefix->text);
    } else {
        struct tm tm;
        time_t seconds = (time_t)(message->time_ns / 1000000000);
        word_copy(tag, sizeof(tag), spec->tag, "");
        localtime_r(&seconds, &tm);
        strftime(time, sizeof(time), "%b %e %H:%M:%S", &tm);
        bool local = spec->format == SYSLOG_LOCAL;
        size = snprintf(out, room, "<%d>%s %s%s%s[%d]: ", priority, time, local ? "" : host, local ? "" : " ", tag,
                        pid);
    }
    return size < 0 ? 0 : MIN((size_t)size, room - 1);
}

size_t sink_format(char *out, const struct spec_log *spec, const struct sink_text *prefix,
                   const char *hostname, int pid, const struct sink_message *message)
{
    if (spec->driver == LOG_DRIVER_JOURNALD)
        return journal_format(out, prefix, message);
    size_t at = syslog_header(out, SINK_OUT_ROOM(0), spec, prefix, hostname, pid, message);
    memcpy(out + at, message->text, message->size);
    return at + message->size;
}
