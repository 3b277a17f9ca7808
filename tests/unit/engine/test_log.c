/* SPDX-License-Identifier: Apache-2.0 */
/* Log records: what is written is what is read, for any bytes; rotation, tail and damage. */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fs.h"
#include "base/str.h"
#include "engine/log/decode.h"
#include "engine/log/read.h"
#include "engine/monitor/logfile.h"

#define TIME "2026-11-23T21:54:31.123456789Z"

static size_t record_format(char *out, const char *text, size_t size, bool newline, bool is_stderr,
                            const char *time)
{
    struct log_ending ending;
    log_ending_format(&ending, is_stderr, time, "");
    return log_record_format(out, text, size, newline, &ending);
}

static const struct {
    const char *text;
    size_t size;
    const char *json;
} rows[] = {
    {"hello", 5, "{\"log\":\"hello\\n\",\"stream\":\"stdout\",\"time\":\"" TIME "\"}\n"},
    {"", 0, "{\"log\":\"\\n\",\"stream\":\"stdout\",\"time\":\"" TIME "\"}\n"},
    {"a\"b\\c\td", 7,
     "{\"log\":\"a\\\"b\\\\c\\td\\n\",\"stream\":\"stdout\",\"time\":\"" TIME "\"}\n"},
    {"\0\x1b[1m", 5,
     "{\"log\":\"\\u0000\\u001b[1m\\n\",\"stream\":\"stdout\",\"time\":\"" TIME "\"}\n"},
    {"gr\xc3\xbc\xc3\x9f", 6,
     "{\"log\":\"gr\xc3\xbc\xc3\x9f\\n\",\"stream\":\"stdout\",\"time\":\"" TIME "\"}\n"},
    {"\xff\xc3", 2,
     "{\"log\":\"\\udcff\\udcc3\\n\",\"stream\":\"stdout\",\"time\":\"" TIME "\"}\n"},
};

Test(log, records_have_one_form)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        char out[LOG_RECORD_ROOM(64)];
        size_t size = record_format(out, rows[i].text, rows[i].size, true, false, TIME);
        cr_expect_eq(size, strlen(rows[i].json), "case %zu", i);
        cr_expect_eq(memcmp(out, rows[i].json, size), 0, "case %zu: %.*s", i, (int)size, out);
    }
}

Test(log, every_byte_comes_back)
{
    char text[4096], out[LOG_RECORD_ROOM(sizeof(text))], decoded[sizeof(out)];
    unsigned seed = 1;
    for (int round = 0; round < 200; round++) {
        size_t size = 1 + round * 20 % (sizeof(text) - 1);
        for (size_t i = 0; i < size; i++) {
            seed = seed * 1103515245u + 12345u;
            text[i] = (char)(seed >> 16);
            text[i] = text[i] == '\n' ? ' ' : text[i];
        }
        struct log_decoder decoder = {.text = decoded};
        struct log_record record;
        bool newline = round % 2;
        size_t length = record_format(out, text, size, newline, true, TIME);
        cr_assert(length <= sizeof(out));
        cr_assert(log_line_decode(&decoder, out, length - 1, &record), "round %d", round);
        cr_expect_eq(record.size, size + newline);
        cr_expect_eq(memcmp(record.text, text, size), 0);
        cr_expect_eq(record.partial, !newline);
        cr_expect(record.is_stderr);
        cr_expect_eq(record.time_ns % 1000000000, 123456789);
    }
}

Test(log, damaged_lines_are_no_records)
{
    static const char *const bad[] = {
        "",
        "{}",
        "{\"log\":\"x",
        "{\"log\":\"x\\q\",\"stream\":\"stdout\",\"time\":\"" TIME "\"}",
        "{\"log\":\"x\",\"stream\":\"stdin\",\"time\":\"" TIME "\"}",
        "{\"log\":\"x\",\"stream\":\"stdout\",\"time\":\"soon\"}",
        "{\"log\":\"x\",\"stream\":\"stdout\",\"time\":\"" TIME "\"}x",
        "{\"log\":\"\\ud800\",\"stream\":\"stdout\",\"time\":\"" TIME "\"}",
    };
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char text[256];
        struct log_decoder decoder = {.text = text};
        struct log_record record;
        cr_expect_not(log_line_decode(&decoder, bad[i], strlen(bad[i]), &record), "case '%s'",
                      bad[i]);
    }
}

/* ---- files ---- */

static char root[64];
static struct layout layout;
static struct container_spec spec;

static void setup(void)
{
    snprintf(root, sizeof(root), "/tmp/winch-log-XXXXXX");
    cr_assert(mkdtemp(root));
    cr_assert_eq(layout_init(&layout, root, NULL), 0);
    cr_assert_eq(layout_open(&layout, NULL), 0);
    spec = (struct container_spec){.state_dir = layout_lib(&layout, "containers/abc"),
                                   .log = {.max_bytes = 1000, .max_files = 3}};
    cr_assert_eq(fs_mkdirs(AT_FDCWD, spec.state_dir, 0700, NULL), 0);
}

static void teardown(void)
{
    layout_done(&layout);
    cr_expect_eq(fs_remove_tree(AT_FDCWD, root, NULL), 0);
}

static void line_write(struct logfile *log, int number)
{
    char text[32], out[LOG_RECORD_ROOM(32)];
    int size = snprintf(text, sizeof(text), "line %d", number);
    size_t length = record_format(out, text, (size_t)size, true, false, TIME);
    logfile_prepare(log, length);
    logfile_append(log, out, length, 1);
}

/* All records as "1 2 3": numbers of lines. */
static char *lines_read(struct log_reader *reader)
{
    struct str text = {0};
    struct log_record record;
    int number;
    while (log_reader_next(reader, &record, NULL) == 1) {
        _cleanup_free_ char *copy = xstrndup(record.text, record.size);
        cr_expect_eq(sscanf(copy, "line %d\n", &number), 1);
        str_addf(&text, "%s%d", text.size ? " " : "", number);
    }
    return str_take(&text);
}

static char *lines_all(int64_t tail)
{
    struct log_options options = {.tail = tail};
    _cleanup_(log_reader_freep) struct log_reader *reader = NULL;
    cr_assert_eq(log_reader_open(&layout, "abc", &options, &reader, NULL), 0);
    return lines_read(reader);
}

Test(log, a_missing_log_is_empty, .init = setup, .fini = teardown)
{
    _cleanup_free_ char *text = lines_all(-1);
    cr_expect_str_eq(text, "");
}

Test(log, rotation_keeps_the_newest_in_order, .init = setup, .fini = teardown)
{
    struct logfile log;
    struct stat st;
    cr_assert_eq(logfile_open(&log, &spec, NULL), 0);
    for (int i = 1; i <= 40; i++)
        line_write(&log, i);
    logfile_done(&log);
    /* 82 bytes a record: 12 in each file of 1000 bytes; 36 to 40 are in the third */
    _cleanup_free_ char *all = lines_all(-1), *two = lines_all(2), *six = lines_all(8),
                        *none = lines_all(0);
    cr_expect(str_has_prefix(all, "13 14 15"), "%s", all);
    cr_expect(strstr(all, " 39 40"), "%s", all);
    cr_expect_str_eq(two, "39 40");
    cr_expect_str_eq(six, "33 34 35 36 37 38 39 40");
    cr_expect_str_eq(none, "");
    for (int i = 0; i < 3; i++) {
        static const char *const names[] = {"2", "3", "4"};
        _cleanup_free_ char *path = xasprintf("%s/log/%s", spec.state_dir, names[i]);
        cr_assert_eq(stat(path, &st), 0, "%s", path);
        cr_expect_leq(st.st_size, 1000);
        cr_expect_eq(st.st_mode & 0777, 0600);
    }
}

Test(log, followers_see_every_line_across_rotations, .init = setup, .fini = teardown)
{
    struct log_options options = {.tail = -1, .follow = true};
    _cleanup_(log_reader_freep) struct log_reader *reader = NULL;
    struct logfile log;
    struct str seen = {0}, wanted = {0};
    cr_assert_eq(logfile_open(&log, &spec, NULL), 0);
    cr_assert_eq(log_reader_open(&layout, "abc", &options, &reader, NULL), 0);
    for (int i = 1; i <= 100; i++) {
        line_write(&log, i);
        str_addf(&wanted, "%d ", i);
        if (i % 7 == 0 || i == 100) { /* less than two files behind */
            _cleanup_free_ char *part = lines_read(reader);
            str_addf(&seen, "%s ", part);
        }
    }
    logfile_done(&log);
    cr_expect_str_eq(str_text(&seen), str_text(&wanted));
    str_done(&seen);
    str_done(&wanted);
}

Test(log, a_torn_end_does_not_swallow_the_next_record, .init = setup, .fini = teardown)
{
    struct logfile log;
    cr_assert_eq(logfile_open(&log, &spec, NULL), 0);
    line_write(&log, 1);
    cr_assert_eq(write(log.fd, "{\"log\":\"lin", 11), 11);
    logfile_done(&log);
    cr_assert_eq(logfile_open(&log, &spec, NULL), 0);
    line_write(&log, 2);
    logfile_done(&log);
    _cleanup_free_ char *all = lines_all(-1);
    cr_expect_str_eq(all, "1 2");
}

Test(log, a_batch_cut_off_is_found_out, .init = setup, .fini = teardown)
{
    struct logfile log;
    cr_assert_eq(logfile_open(&log, &spec, NULL), 0);
    line_write(&log, 1);
    int64_t size = log.size;
    line_write(&log, 2);
    logfile_done(&log);
    cr_assert_eq(logfile_open(&log, &spec, NULL), 0);
    cr_expect(logfile_has(&log, 1, size, size), "whole");
    cr_expect_not(logfile_has(&log, 1, size * 2, size), "not begun");
    cr_assert_eq(write(log.fd, "{\"log\":\"lin", 11), 11);
    logfile_done(&log);
    cr_assert_eq(logfile_open(&log, &spec, NULL), 0);
    cr_expect_not(logfile_has(&log, 1, size * 2, size), "torn");
    cr_expect_eq(log.size, size * 2, "cut back");
    logfile_done(&log);
    _cleanup_free_ char *all = lines_all(-1);
    cr_expect_str_eq(all, "1 2");
}

Test(log, expired_files_wait_for_a_follower, .init = setup, .fini = teardown)
{
    struct log_options options = {.tail = -1, .follow = true};
    struct logfile log;
    struct log_reader *reader = NULL;
    cr_assert_eq(logfile_open(&log, &spec, NULL), 0);
    line_write(&log, 1);
    cr_assert_eq(log_reader_open(&layout, "abc", &options, &reader, NULL), 0);
    for (int i = 2; i <= 100; i++) /* nine files, of which three are kept */
        line_write(&log, i);
    _cleanup_free_ char *followed = lines_read(reader);
    cr_expect(str_has_prefix(followed, "1 2 3 ") && strstr(followed, " 99 100"), "%s", followed);
    log_reader_free(reader);
    for (int i = 101; i <= 113; i++)
        line_write(&log, i);
    _cleanup_free_ char *rest = lines_all(-1);
    cr_expect(str_has_prefix(rest, "85 86 "), "%s", rest);
    logfile_done(&log);
}

Test(log, what_expired_unread_is_told, .init = setup, .fini = teardown)
{
    struct log_options options = {.tail = -1};
    struct logfile log;
    struct log_record record;
    _cleanup_(log_reader_freep) struct log_reader *reader = NULL;
    cr_assert_eq(logfile_open(&log, &spec, NULL), 0);
    line_write(&log, 1);
    cr_assert_eq(log_reader_open(&layout, "abc", &options, &reader, NULL), 0);
    for (int i = 2; i <= 100; i++)
        line_write(&log, i);
    logfile_done(&log);
    for (int i = 1; i <= 12; i++)
        cr_assert_eq(log_reader_next(reader, &record, NULL), 1);
    cr_assert_eq(log_reader_next(reader, &record, NULL), 1);
    _cleanup_free_ char *text = xstrndup(record.text, record.size);
    cr_expect_str_eq(text, "winch: 5 log files expired before they could be read\n");
    _cleanup_free_ char *rest = lines_read(reader);
    cr_expect(str_has_prefix(rest, "73 74 "), "%s", rest);
}

Test(log, the_last_lines_are_counted_whole, .init = setup, .fini = teardown)
{
    struct logfile log;
    char out[LOG_RECORD_ROOM(32)];
    cr_assert_eq(logfile_open(&log, &spec, NULL), 0);
    line_write(&log, 1);
    for (int part = 0; part < 30; part++) { /* one line across files; its pieces look like escapes */
        size_t size = record_format(out, "x\\n", 3, part == 29, false, TIME);
        logfile_prepare(&log, size);
        logfile_append(&log, out, size, 1);
    }
    line_write(&log, 2);
    logfile_done(&log);
    static const struct { int64_t tail; size_t records; } cases[] = {{1, 1}, {2, 31}, {3, 32}, {9, 32}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct log_options options = {.tail = cases[i].tail};
        struct log_record record;
        struct log_reader *reader = NULL;
        size_t records = 0;
        cr_assert_eq(log_reader_open(&layout, "abc", &options, &reader, NULL), 0);
        while (log_reader_next(reader, &record, NULL) == 1)
            records++;
        cr_expect_eq(records, cases[i].records, "tail %d gave %zu", (int)cases[i].tail, records);
        log_reader_free(reader);
    }
}

Test(log, each_record_is_judged_by_its_own_time, .init = setup, .fini = teardown)
{
    static const char *const times[] = {"2026-11-23T21:54:31.000000000Z", "2026-11-23T22:00:00.000000000Z",
                                        "2026-11-23T21:55:00.000000000Z", "2026-11-23T21:56:00.000000000Z"};
    struct logfile log;
    cr_assert_eq(logfile_open(&log, &spec, NULL), 0);
    for (size_t i = 0; i < ARRAY_LEN(times); i++) { /* the clock jumps back after the second */
        char text[32], out[LOG_RECORD_ROOM(32)];
        int size = snprintf(text, sizeof(text), "line %zu", i + 1);
        size_t length = record_format(out, text, (size_t)size, true, false, times[i]);
        logfile_prepare(&log, length);
        logfile_append(&log, out, length, 1);
    }
    logfile_done(&log);
    struct log_options options = {.tail = -1};
    cr_assert(rfc3339_parse_ns("2026-11-23T21:54:40Z", &options.since_ns));
    cr_assert(rfc3339_parse_ns("2026-11-23T21:57:00Z", &options.until_ns));
    _cleanup_(log_reader_freep) struct log_reader *reader = NULL;
    cr_assert_eq(log_reader_open(&layout, "abc", &options, &reader, NULL), 0);
    _cleanup_free_ char *text = lines_read(reader);
    cr_expect_str_eq(text, "3 4");
}

Test(log, a_full_disk_loses_lines_but_says_so, .init = setup, .fini = teardown)
{
    struct logfile log;
    cr_assert_eq(logfile_open(&log, &spec, NULL), 0);
    int good = log.fd;
    line_write(&log, 1);
    log.fd = open("/dev/full", O_WRONLY | O_CLOEXEC);
    cr_assert_geq(log.fd, 0);
    line_write(&log, 2);
    line_write(&log, 3);
    cr_expect_eq(log.lost, 2);
    close(log.fd);
    log.fd = good;
    line_write(&log, 4);
    cr_expect_eq(log.lost, 0);
    logfile_done(&log);
    struct log_options options = {.tail = -1};
    _cleanup_(log_reader_freep) struct log_reader *reader = NULL;
    struct log_record record;
    cr_assert_eq(log_reader_open(&layout, "abc", &options, &reader, NULL), 0);
    static const char *const wanted[] = {
        "line 1\n", "winch: 2 lines of output were lost: No space left on device\n", "line 4\n"};
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        cr_assert_eq(log_reader_next(reader, &record, NULL), 1);
        cr_expect_eq(record.size, strlen(wanted[i]));
        cr_expect_eq(memcmp(record.text, wanted[i], record.size), 0, "got %.*s", (int)record.size,
                     record.text);
    }
    cr_expect_eq(log_reader_next(reader, &record, NULL), 0);
}
