/* SPDX-License-Identifier: Apache-2.0 */
/* id.c - random identifiers and the rules for names. */
#include "base/id.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/mem.h"

#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGIT "0123456789"

void id_random(char ret_id[ID_SIZE])
{
    unsigned char bytes[(ID_SIZE - 1) / 2];
    ssize_t n;
    do
        n = getrandom(bytes, sizeof(bytes), 0); /* up to 256 bytes come whole */
    while (n < 0 && errno == EINTR);
    if (n != (ssize_t)sizeof(bytes))
        abort(); /* a kernel without random numbers: no id is better than a guessable one */
    for (size_t i = 0; i < sizeof(bytes); i++) {
        ret_id[2 * i] = "0123456789abcdef"[bytes[i] >> 4];
        ret_id[2 * i + 1] = "0123456789abcdef"[bytes[i] & 15];
    }
    ret_id[ID_SIZE - 1] = '\0';
}

void id_short(const char *id, char ret_short[ID_SHORT_SIZE])
{
    size_t size = strnlen(id, ID_SHORT_SIZE - 1);
    memcpy(ret_short, id, size);
    ret_short[size] = '\0';
}

bool id_is_valid(const char *text)
{
    return text && strlen(text) == ID_SIZE - 1 && strspn(text, DIGIT "abcdef") == ID_SIZE - 1;
}

static bool is_word(const char *text, const char *first, const char *rest, size_t max)
{
    if (!text || text[0] == '\0' || !strchr(first, text[0]))
        return false;
    size_t size = strlen(text);
    return size <= max && strspn(text, rest) == size;
}

bool name_is_resource(const char *text)
{
    return is_word(text, LOWER UPPER DIGIT, LOWER UPPER DIGIT "_.-", 128);
}

bool name_is_project(const char *text)
{
    return is_word(text, LOWER DIGIT, LOWER DIGIT "_-", 63);
}

char *name_project_normalize(const char *text)
{
    char *name = xstrdup(text);
    size_t size = 0;
    for (; *text; text++) {
        char c = *text >= 'A' && *text <= 'Z' ? (char)(*text - 'A' + 'a') : *text;
        if (strchr(LOWER DIGIT, c) || (size > 0 && strchr("_-", c)))
            name[size++] = c;
    }
    name[size] = '\0';
    return name;
}
