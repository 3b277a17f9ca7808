/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_units.c - durations, sizes, times, numbers and names from any text: no crash, no negative result, and
 * what is formatted parses back to the same value. */
#include <assert.h>
#include <limits.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/path.h"
#include "base/str.h"
#include "base/units.h"

static void check_duration(const char *text)
{
    int64_t us, again;
    if (!duration_parse(text, &us))
        return;
    assert(us >= 0);
    char *formatted = duration_format(us);
    assert(duration_parse(formatted, &again) && again == us);
    free(formatted);
}

static void check_time(const char *text)
{
    int64_t ns, again;
    char buffer[RFC3339_SIZE];
    if (!rfc3339_parse_ns(text, &ns))
        return;
    assert(rfc3339_parse_ns(rfc3339_format_ns(ns, buffer, sizeof(buffer)), &again) && again == ns);
}

static void check_names(const char *text)
{
    char *name = name_project_normalize(text), *clean = path_clean(text), *twice = path_clean(clean);
    assert(name[0] == '\0' || strlen(name) > 63 || name_is_project(name));
    assert(strcmp(clean, twice) == 0);
    free(twice);
    free(clean);
    free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t bytes;
    long long number;
    char human[32];
    char *text = xstrndup((const char *)data, size);
    check_duration(text);
    check_time(text);
    check_names(text);
    if (bytes_parse(text, &bytes)) {
        assert(bytes >= 0);
        bytes_human(bytes, human, sizeof(human));
        age_human(bytes, human, sizeof(human));
    }
    (void)parse_i64(text, LLONG_MIN, LLONG_MAX, &number);
    char *printable = str_printable(text);
    for (const char *c = printable; *c; c++)
        assert((unsigned char)*c >= 0x20 && *c != 0x7f);
    free(printable);
    free(text);
    return 0;
}
