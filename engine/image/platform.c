/* SPDX-License-Identifier: Apache-2.0 */
/* Platforms of images. The names are Go's (amd64), the machine's are uname's (x86_64); one table
 * joins them. */
#include "engine/image/platform.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/mem.h"
#include "base/str.h"

static const struct {
    const char *machine, *architecture, *variant;
} machines[] = {
    {"x86_64", "amd64", ""},    {"aarch64", "arm64", ""},     {"armv7l", "arm", "v7"},
    {"armhf", "arm", "v7"},     {"armv6l", "arm", "v6"},      {"armel", "arm", "v6"},
    {"armv8l", "arm", "v8"},    {"i686", "386", ""},          {"i586", "386", ""},
    {"i386", "386", ""},        {"ppc64le", "ppc64le", ""},   {"s390x", "s390x", ""},
    {"riscv64", "riscv64", ""}, {"mips64el", "mips64le", ""}, {"loongarch64", "loong64", ""},
};

static void set(struct platform *platform, const char *os, const char *architecture,
                const char *variant)
{
    *platform = (struct platform){0};
    (void)snprintf(platform->os, sizeof(platform->os), "%s", os);
    (void)snprintf(platform->architecture, sizeof(platform->architecture), "%s", architecture);
    (void)snprintf(platform->variant, sizeof(platform->variant), "%s", variant);
}

void platform_of_machine(const char *machine, struct platform *ret_platform)
{
    for (size_t i = 0; i < ARRAY_LEN(machines); i++) {
        if (str_eq(machine, machines[i].machine)) {
            set(ret_platform, "linux", machines[i].architecture, machines[i].variant);
            return;
        }
    }
    set(ret_platform, "linux", machine, "");
}

void platform_host(struct platform *ret_platform)
{
    struct utsname name;
    platform_of_machine(uname(&name) == 0 ? name.machine : "unknown", ret_platform);
}

static bool word_is_valid(const char *word, size_t max)
{
    size_t size = strlen(word);
    for (size_t i = 0; i < size; i++) {
        if (!isalnum((unsigned char)word[i]) && !strchr("._-", word[i]))
            return false;
    }
    return size > 0 && size < max && word[0] != '.';
}

int platform_parse(const char *text, struct platform *ret_platform, struct err *err)
{
    _cleanup_(strv_freep) char **parts = strv_split(text, "/");
    size_t count = strv_len(parts);
    bool good = count >= 1 && count <= 3;
    for (size_t i = 0; good && i < count; i++)
        good = word_is_valid(parts[i], i == 2 ? 16 : 32);
    if (!good)
        return err_set(err, ERR_CONFIG,
                       "'%.100s' is not a platform: expected os/architecture[/variant]", text);
    const char *os = count > 1 ? parts[0] : "linux";
    const char *architecture = count > 1 ? parts[1] : parts[0];
    struct platform known;
    platform_of_machine(architecture, &known);
    set(ret_platform, os, known.architecture, count == 3 ? parts[2] : known.variant);
    return 0;
}

static int arm_level(const char *variant)
{
    return variant[0] == 'v' && variant[1] >= '5' && variant[1] <= '8' && !variant[2]
               ? variant[1] - '0'
               : 7;
}

static int variant_score(const struct platform *wanted, const struct platform *offered)
{
    const char *have = offered->variant, *want = wanted->variant;
    if (str_eq(wanted->architecture,
               "arm")) { /* a newer machine runs what was built for an older one */
        int most = arm_level(want), level = arm_level(have);
        return level <= most ? 10 - (most - level) : 0;
    }
    if (str_eq(have, want))
        return 10;
    if (str_eq(wanted->architecture, "arm64") && (!*want || !*have) &&
        (str_eq(have, "v8") || str_eq(want, "v8")))
        return 9;
    if (str_eq(wanted->architecture, "amd64") && (str_eq(have, "v1") || (!*have && *want)))
        return 8;
    return *have ? 0 : 5;
}

int platform_score(const struct platform *wanted, const struct platform *offered)
{
    if (*offered->os && !str_eq(wanted->os, offered->os))
        return 0;
    if (!*offered->architecture)
        return 1;
    if (!str_eq(wanted->architecture, offered->architecture))
        return 0;
    return variant_score(wanted, offered);
}

const char *platform_format(const struct platform *platform, char *buffer, unsigned size)
{
    (void)snprintf(buffer, size, "%s/%s%s%s", platform->os, platform->architecture,
                   *platform->variant ? "/" : "", platform->variant);
    return buffer;
}
