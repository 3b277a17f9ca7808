/* SPDX-License-Identifier: Apache-2.0 */
/* log_record.c - one line of output as one JSON line. Nearly all lines need no escaping: they are
 * recognized eight bytes at a time and copied. Bytes that are no UTF-8 become lone surrogates
 * \udc80-\udcff, which a reader can turn back. Pure. */
#include <string.h>

#include "base/utf8.h"
#include "engine/monitor/logfile.h"

#define EACH(byte) (0x0101010101010101ULL * (byte))
#define HIGH       EACH(0x80)

/* Bits set for bytes that are below 0x20, '"', '\\' or not ASCII. */
static uint64_t special_bytes(uint64_t word)
{
    uint64_t quote = word ^ EACH('"'), slash = word ^ EACH('\\');
    return (word | ((word - EACH(0x20)) & ~word) | ((quote - EACH(1)) & ~quote) |
            ((slash - EACH(1)) & ~slash)) &
           HIGH;
}

/* Copies text up to the first byte that needs care; returns the size of that. */
static size_t plain_copy(char *out, const char *text, size_t size)
{
    size_t at = 0;
    for (uint64_t word; at + sizeof(word) <= size; at += sizeof(word)) {
        memcpy(&word, text + at, sizeof(word));
        if (special_bytes(word))
            break;
        memcpy(out + at, &word, sizeof(word));
    }
    for (; at < size; at++) {
        unsigned char c = (unsigned char)text[at];
        if (c < 0x20 || c >= 0x80 || c == '"' || c == '\\')
            break;
        out[at] = text[at];
    }
    return at;
}

static char *unicode_escape(char *out, unsigned code)
{
    static const char digits[] = "0123456789abcdef";
    *out++ = '\\';
    *out++ = 'u';
    for (int shift = 12; shift >= 0; shift -= 4)
        *out++ = digits[code >> shift & 15];
    return out;
}

/* Escapes one unit at text; returns its size in the input. */
static size_t unit_escape(char **out, const char *text, size_t size)
{
    unsigned char c = (unsigned char)*text;
    static const char named[][2] = {{'"', '"'},  {'\\', '\\'}, {'\t', 't'}, {'\r', 'r'},
                                    {'\n', 'n'}, {'\b', 'b'},  {'\f', 'f'}};
    for (size_t i = 0; i < sizeof(named) / sizeof(named[0]); i++)
        if (named[i][0] == *text) {
            *(*out)++ = '\\';
            *(*out)++ = named[i][1];
            return 1;
        }
    if (c < 0x20) {
        *out = unicode_escape(*out, c);
        return 1;
    }
    size_t length = utf8_decode(text, size, NULL);
    if (length == 0) {
        *out = unicode_escape(*out, 0xdc00u + c);
        return 1;
    }
    memcpy(*out, text, length);
    *out += length;
    return length;
}

static char *literal_add(char *out, const char *text, size_t size)
{
    memcpy(out, text, size);
    return out + size;
}
#define LITERAL_ADD(out, text) literal_add(out, text, sizeof(text) - 1)

void log_ending_format(struct log_ending *ending, bool is_stderr, const char *time,
                       const char *attributes)
{
    char *at = LITERAL_ADD(ending->text, "\\n\",\"stream\":\"std");
    at = is_stderr ? LITERAL_ADD(at, "err") : LITERAL_ADD(at, "out");
    at = LITERAL_ADD(at, "\",\"time\":\"");
    at = literal_add(at, time, strnlen(time, RFC3339_SIZE));
    at = LITERAL_ADD(at, "\"");
    at = literal_add(at, attributes, strnlen(attributes, LOG_ATTRIBUTES_MAX));
    at = LITERAL_ADD(at, "}\n");
    ending->size = (size_t)(at - ending->text);
}

size_t log_record_format(char *out, const char *text, size_t size, bool newline,
                         const struct log_ending *ending)
{
    size_t skip = newline ? 0 : 2; /* the escaped newline */
    char *at = LITERAL_ADD(out, "{\"log\":\"");
    while (size > 0) {
        size_t plain = plain_copy(at, text, size);
        at += plain;
        text += plain;
        size -= plain;
        if (size == 0)
            break;
        size_t used = unit_escape(&at, text, size);
        text += used;
        size -= used;
    }
    at = literal_add(at, ending->text + skip, ending->size - skip);
    return (size_t)(at - out);
}
