/* SPDX-License-Identifier: Apache-2.0 */
/* Messages to journald and syslog, byte for byte; a buffer that is full. */
#include <criterion/criterion.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "engine/monitor/sink.h"

#define TIME_NS 1795470871123456789LL /* 2026-11-23T21:54:31.123456789Z */

static const struct {
    enum syslog_format format;
    const char *tag;
    bool is_stderr;
    const char *message;
} rows[] = {
    {SYSLOG_RFC5424, "web", false, "<30>1 2026-11-23T21:54:31Z host web 7 web - hello"},
    {SYSLOG_RFC5424, "a b\nc", true, "<27>1 2026-11-23T21:54:31Z host a_b_c 7 a_b_c - hello"},
    {SYSLOG_RFC5424, "", false, "<30>1 2026-11-23T21:54:31Z host - 7 - - hello"},
    {SYSLOG_RFC5424_MICRO, "web", false, "<30>1 2026-11-23T21:54:31.123456Z host web 7 web - hello"},
    {SYSLOG_RFC3164, "web", false, "<30>Nov 23 21:54:31 host web[7]: hello"},
    {SYSLOG_LOCAL, "web", true, "<27>Nov 23 21:54:31 web[7]: hello"},
};

Test(sink, syslog_messages_have_the_forms_of_the_standards)
{
    char out[SINK_OUT_ROOM(5)];
    setenv("TZ", "UTC", 1);
    tzset();
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct spec_log log = {.driver = LOG_DRIVER_SYSLOG, .facility = 3, .format = rows[i].format, .tag = rows[i].tag};
        struct sink_message message = {.text = "hello", .size = 5, .is_stderr = rows[i].is_stderr, .time_ns = TIME_NS};
        struct sink_text text;
        cr_assert(sink_text_make(&log, rows[i].is_stderr, &text));
        size_t size = sink_format(out, &log, &text, "host", 7, &message);
        cr_expect(size == strlen(rows[i].message) && memcmp(out, rows[i].message, size) == 0, "case %zu: %.*s", i, (int)size,
                  out);
    }
}

Test(sink, structured_data_is_escaped)
{
    struct spec_pair pairs[] = {{"te am", "a\"b\\c]d"}};
    struct spec_log log = {.driver = LOG_DRIVER_SYSLOG, .format = SYSLOG_RFC5424};
    struct sink_text text;
    log.fields.items = pairs;
    log.fields.count = 1;
    cr_assert(sink_text_make(&log, false, &text));
    cr_expect_eq(text.size, strlen("[winch@32473 te_am=\"a\\\"b\\\\c\\]d\"]"));
    cr_expect_eq(memcmp(text.text, "[winch@32473 te_am=\"a\\\"b\\\\c\\]d\"]", text.size), 0, "%.*s", (int)text.size, text.text);
}

Test(sink, journal_fields_with_newlines_are_binary)
{
    static const char wanted[] = "A\n\x03\0\0\0\0\0\0\0x\ny\nPRIORITY=3\nSYSLOG_TIMESTAMP=2026-11-23T21:54:31.123456789Z\n"
                                 "CONTAINER_PARTIAL_MESSAGE=true\nMESSAGE\n\x05\0\0\0\0\0\0\0he\0lo\n";
    struct spec_pair pairs[] = {{"A", "x\ny"}};
    struct spec_log log = {.driver = LOG_DRIVER_JOURNALD};
    struct sink_message message = {.text = "he\0lo", .size = 5, .partial = true, .is_stderr = true, .time_ns = TIME_NS};
    struct sink_text text;
    char out[SINK_OUT_ROOM(5)];
    log.fields.items = pairs;
    log.fields.count = 1;
    cr_assert(sink_text_make(&log, true, &text));
    size_t size = sink_format(out, &log, &text, "host", 7, &message);
    cr_expect_eq(size, sizeof(wanted) - 1);
    cr_expect_eq(memcmp(out, wanted, sizeof(wanted) - 1), 0);
}

Test(sink, fields_beyond_their_room_are_refused)
{
    static char large[9000];
    struct spec_pair pairs[] = {{"A", large}};
    struct spec_log log = {.driver = LOG_DRIVER_JOURNALD};
    struct sink_text text;
    memset(large, 'x', sizeof(large) - 1);
    log.fields.items = pairs;
    log.fields.count = 1;
    cr_expect_not(sink_text_make(&log, false, &text));
    log.driver = LOG_DRIVER_SYSLOG;
    log.format = SYSLOG_RFC5424;
    cr_expect_not(sink_text_make(&log, false, &text));
}

Test(sink, a_full_buffer_drops_and_counts)
{
    struct spec_log log = {.driver = LOG_DRIVER_SYSLOG, .host = "/nonexistent/socket", .buffer_bytes = 64 * 1024};
    struct sink sink;
    struct err err = {0};
    static char text[1000];
    cr_assert_eq(sink_open(&sink, &log, &err), 0, "%s", err.message);
    for (int i = 0; i < 200; i++) {
        sink_add(&sink, text, sizeof(text), false, false, TIME_NS);
        sink_send(&sink); /* nobody is there */
    }
    cr_expect(sink.dropped_total > 100 && sink.dropped_total < 150, "%d", (int)sink.dropped_total);
    sink_finish(&sink, 0);
    cr_expect_eq(sink.dropped_total, 200);
}
