/* SPDX-License-Identifier: Apache-2.0 */
/* Does a cgroup file, read back, say what was written to it? The kernel rounds memory to pages,
 * writes lists of processors its own way and answers per-device files with every device. Pure. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "engine/runtime/cgroup_render.h"

#define PAGE_MAX     65536
#define UNLIMITED    (INT64_C(1) << 62)
#define CPU_LIST_MAX 8192

/* "0-2,4" → a bit a number. */
static bool list_parse(const char *text, uint8_t ret_bits[CPU_LIST_MAX / 8])
{
    memset(ret_bits, 0, CPU_LIST_MAX / 8);
    while (*text) {
        char *end;
        unsigned long first = strtoul(text, &end, 10), last = first;
        if (end == text)
            return false;
        if (*end == '-') {
            text = end + 1;
            last = strtoul(text, &end, 10);
            if (end == text)
                return false;
        }
        if (last >= CPU_LIST_MAX || last < first || (*end && *end != ','))
            return false;
        for (; first <= last; first++)
            ret_bits[first / 8] |= (uint8_t)(1 << first % 8);
        text = *end ? end + 1 : end;
    }
    return true;
}

static bool lists_agree(const char *want, const char *have)
{
    uint8_t a[CPU_LIST_MAX / 8], b[CPU_LIST_MAX / 8];
    return list_parse(want, a) && list_parse(have, b) && memcmp(a, b, sizeof(a)) == 0;
}

static bool bytes_agree(const char *want, const char *have)
{
    long long wanted, got;
    if (!parse_i64(want, -1, INT64_MAX, &wanted) || !parse_i64(have, 0, INT64_MAX, &got))
        return false;
    if (wanted < 0)
        return got >= UNLIMITED;
    return llabs(wanted - got) < PAGE_MAX;
}

/* Is word one of the blank-separated words of line[0…size)? */
static bool line_has(const char *line, size_t size, const char *word, size_t word_size)
{
    for (size_t at = 0; at < size;) {
        size_t length = 0;
        while (at + length < size && line[at + length] != ' ')
            length++;
        if (length == word_size && memcmp(line + at, word, length) == 0)
            return true;
        at += length + 1;
    }
    return false;
}

/* want "8:0 rbps=100" or "default 100": the line that begins with the first word has the second. */
static bool row_holds(const char *want, const char *have)
{
    size_t key = strcspn(want, " ");
    const char *value = want + key + (want[key] == ' ');
    while (*have) {
        size_t size = strcspn(have, "\n");
        if (size > key && strncmp(have, want, key) == 0 && have[key] == ' ' &&
            line_has(have + key + 1, size - key - 1, value, strlen(value)))
            return true;
        have += size + (have[size] == '\n');
    }
    return false;
}

bool setting_holds(const struct cgroup_setting *setting, const char *content)
{
    char have[4096], row[sizeof(setting->value) + 32];
    snprintf(have, sizeof(have), "%s", content);
    size_t size = strlen(have);
    while (size > 0 && have[size - 1] == '\n')
        have[--size] = '\0';
    if (str_eq(have, setting->value))
        return true;
    if (str_has_prefix(setting->file, "cpuset."))
        return lists_agree(setting->value, have);
    if (str_eq(setting->file, "memory.oom_control"))
        return row_holds("oom_kill_disable 1", have);
    if (str_has_prefix(setting->file, "memory."))
        return bytes_agree(setting->value, have);
    snprintf(row, sizeof(row), strchr(setting->value, ' ') ? "%s" : "default %s", setting->value);
    return row_holds(row, have);
}
