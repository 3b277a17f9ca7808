/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding of {"log":"…","stream":"…","time":"…"} lines, in exactly the form that
 * engine/monitor/log_record.c writes. Lone surrogates \udc80-\udcff are the bytes they stand for.
 */
#include "engine/log/decode.h"

#include <string.h>

#include "base/clock.h"
#include "base/mem.h"

#define SECOND_SIZE 19 /* "2026-11-23T21:54:31" */

struct cursor {
    const char *at, *end;
};

static bool literal_take(struct cursor *cursor, const char *literal)
{
    size_t size = strlen(literal);
    if ((size_t)(cursor->end - cursor->at) < size || memcmp(cursor->at, literal, size) != 0)
        return false;
    cursor->at += size;
    return true;
}

static bool hex_take(struct cursor *cursor, unsigned *ret_code)
{
    unsigned code = 0;
    if (cursor->end - cursor->at < 4)
        return false;
    for (int i = 0; i < 4; i++) {
        char c = *cursor->at++;
        unsigned digit = c >= '0' && c <= '9'   ? (unsigned)(c - '0')
                         : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a') + 10
                                                : 16;
        if (digit == 16)
            return false;
        code = code * 16 + digit;
    }
    *ret_code = code;
    return true;
}

/* Behind a backslash. Writes one byte or one UTF-8 sequence. */
static bool escape_take(struct cursor *cursor, char **out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    unsigned code;
    if (cursor->at == cursor->end)
        return false;
    char c = *cursor->at++;
    const char *found = c ? strchr(from, c) : NULL;
    if (found) {
        *(*out)++ = to[found - from];
        return true;
    }
    if (c != 'u' || !hex_take(cursor, &code))
        return false;
    if (code < 0x80) {
        *(*out)++ = (char)code;
    } else if (code >= 0xdc80 && code <= 0xdcff) {
        *(*out)++ = (char)(code - 0xdc00);
    } else {
        return false; /* the writer leaves valid UTF-8 as it is */
    }
    return true;
}

static bool string_take(struct cursor *cursor, char *text, size_t *ret_size)
{
    char *out = text;
    const char *quote = cursor->at - 1;
    while (cursor->at < cursor->end) {
        if (quote < cursor->at) /* the next one; looked for once, however many escapes are before it */
            quote = memchr(cursor->at, '"', (size_t)(cursor->end - cursor->at));
        quote = quote ? quote : cursor->end;
        const char *stop = quote;
        const char *slash = memchr(cursor->at, '\\', (size_t)(stop - cursor->at));
        if (slash)
            stop = slash;
        memcpy(out, cursor->at, (size_t)(stop - cursor->at));
        out += stop - cursor->at;
        cursor->at = stop;
        if (stop == cursor->end)
            return false;
        cursor->at++;
        if (*stop == '"') {
            *ret_size = (size_t)(out - text);
            return true;
        }
        if (!escape_take(cursor, &out))
            return false;
    }
    return false;
}

static bool time_take(struct log_decoder *decoder, struct cursor *cursor, int64_t *ret_ns)
{
    const char *quote = memchr(cursor->at, '"', (size_t)(cursor->end - cursor->at));
    size_t size = quote ? (size_t)(quote - cursor->at) : 0;
    if (size <= SECOND_SIZE || size >= RFC3339_SIZE)
        return false;
    char text[RFC3339_SIZE];
    memcpy(text, cursor->at, size);
    text[size] = '\0';
    cursor->at = quote + 1;
    /* "….123456789Z": digits are quick, calendars are not */
    bool plain = size == SECOND_SIZE + 11 && text[SECOND_SIZE] == '.' && text[size - 1] == 'Z';
    if (!plain || memcmp(decoder->second, text, SECOND_SIZE) != 0) {
        if (!rfc3339_parse_ns(text, ret_ns))
            return false;
        if (plain) {
            memcpy(decoder->second, text, SECOND_SIZE);
            decoder->second_ns = *ret_ns - *ret_ns % 1000000000;
        }
        return true;
    }
    int64_t fraction = 0;
    for (size_t i = SECOND_SIZE + 1; i < size - 1; i++) {
        if (text[i] < '0' || text[i] > '9')
            return false;
        fraction = fraction * 10 + (text[i] - '0');
    }
    *ret_ns = decoder->second_ns + fraction;
    return true;
}

/* "}", or ',"attrs":{…}}', which is for others. */
static bool end_take(struct cursor *cursor)
{
    if (literal_take(cursor, ",\"attrs\":{"))
        return cursor->end - cursor->at >= 2 && memcmp(cursor->end - 2, "}}", 2) == 0;
    return literal_take(cursor, "}") && cursor->at == cursor->end;
}

bool log_line_decode(struct log_decoder *decoder, const char *line, size_t size,
                     struct log_record *ret_record)
{
    struct cursor cursor = {line, line + size};
    struct log_record record = {.text = decoder->text};
    if (!literal_take(&cursor, "{\"log\":\"") ||
        !string_take(&cursor, decoder->text, &record.size) ||
        !literal_take(&cursor, ",\"stream\":\"std"))
        return false;
    record.is_stderr = literal_take(&cursor, "err\"");
    if (!record.is_stderr && !literal_take(&cursor, "out\""))
        return false;
    if (!literal_take(&cursor, ",\"time\":\"") || !time_take(decoder, &cursor, &record.time_ns) ||
        !end_take(&cursor))
        return false;
    record.partial = record.size == 0 || record.text[record.size - 1] != '\n';
    *ret_record = record;
    return true;
}
