/* SPDX-License-Identifier: Apache-2.0 */
/* Rules for devices (device_rules.h): everything is denied but what is listed. */
#include "engine/runtime/device_rules.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/str.h"
#include "engine/runtime/cgroup_tree.h"

/* What every container may use: the nodes of its /dev and terminals. */
static const char *const defaults[] = {
    "c 1:3 rwm", "c 1:5 rwm", "c 1:7 rwm", "c 1:8 rwm",   "c 1:9 rwm",
    "c 5:0 rwm", "c 5:1 rwm", "c 5:2 rwm", "c 136:* rwm",
};

static bool number_parse(const char *text, size_t size, uint32_t *ret_number)
{
    char digits[16];
    long long value;
    if (size == 0 || size >= sizeof(digits))
        return false;
    memcpy(digits, text, size);
    digits[size] = '\0';
    if (str_eq(digits, "*")) {
        *ret_number = DEVICE_ANY;
        return true;
    }
    if (!parse_i64(digits, 0, DEVICE_ANY - 1, &value))
        return false;
    *ret_number = (uint32_t)value;
    return true;
}

static bool access_parse(const char *text, unsigned *ret_access)
{
    unsigned access = 0;
    for (; *text; text++) {
        if (*text != 'r' && *text != 'w' && *text != 'm')
            return false;
        access |= *text == 'r' ? DEVICE_READ : *text == 'w' ? DEVICE_WRITE : DEVICE_MKNOD;
    }
    *ret_access = access;
    return access != 0;
}

int device_rule_parse(const char *text, struct device_rule *ret_rule, struct err *err)
{
    struct device_rule rule = {.type = text[0]};
    const char *major_at = text[0] && text[1] == ' ' ? text + 2 : "";
    size_t major_size = strcspn(major_at, ":");
    const char *minor_at = major_at + major_size + (major_at[major_size] == ':');
    size_t minor_size = strcspn(minor_at, " ");
    if (!text[0] || !strchr("abc", text[0]) || minor_at[minor_size] != ' ' ||
        !number_parse(major_at, major_size, &rule.major) ||
        !number_parse(minor_at, minor_size, &rule.minor) ||
        !access_parse(minor_at + minor_size + 1, &rule.access))
        return err_set(err, ERR_CONFIG, "device rule '%s' is not like 'c 10:200 rwm'", text);
    *ret_rule = rule;
    return 0;
}

static int device_add(const struct spec_device *device, struct device_rule *ret_rule,
                      struct err *err)
{
    struct stat st;
    unsigned access;
    if (stat(device->source, &st) < 0)
        return err_sys(err, "device '%s'", device->source);
    if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
        return err_set(err, ERR_CONFIG, "'%s' is not a device", device->source);
    if (!access_parse(device->permissions ? device->permissions : "rwm", &access))
        return err_set(err, ERR_CONFIG, "device '%s': permissions '%s' are not of r, w, m",
                       device->source, device->permissions);
    *ret_rule = (struct device_rule){
        .type = S_ISCHR(st.st_mode) ? 'c' : 'b',
        .major = major(st.st_rdev),
        .minor = minor(st.st_rdev),
        .access = access | DEVICE_MKNOD, /* our own mknod runs under these rules */
    };
    return 0;
}

int device_rules_make(const struct container_spec *spec,
                      struct device_rule ret_rules[DEVICE_RULES_MAX], struct err *err)
{
    size_t count = 0, want = ARRAY_LEN(defaults) + spec->devices.count + spec->device_rules.count;
    if (want > DEVICE_RULES_MAX)
        return err_set(err, ERR_LIMIT, "%zu device rules, more than %d", want, DEVICE_RULES_MAX);
    for (size_t i = 0; i < ARRAY_LEN(defaults); i++)
        if (device_rule_parse(defaults[i], &ret_rules[count++], err) < 0)
            return -1;
    for (size_t i = 0; i < spec->devices.count; i++)
        if (device_add(&spec->devices.items[i], &ret_rules[count++], err) < 0)
            return -1;
    for (size_t i = 0; i < spec->device_rules.count; i++)
        if (device_rule_parse(spec->device_rules.items[i], &ret_rules[count++], err) < 0)
            return -1;
    return (int)count;
}

static const char *number_format(uint32_t number, char *buffer, size_t size)
{
    if (number == DEVICE_ANY)
        return "*";
    snprintf(buffer, size, "%u", number);
    return buffer;
}

int device_rules_write(int dirfd, const struct device_rule *rules, int count, struct err *err)
{
    if (cgroup_file_write(dirfd, "devices.deny", "a") < 0)
        return err_sys(err, "deny devices");
    for (int i = 0; i < count; i++) {
        const struct device_rule *rule = &rules[i];
        char text[64], major_text[16], minor_text[16];
        snprintf(text, sizeof(text), "%c %s:%s %s%s%s", rule->type,
                 number_format(rule->major, major_text, sizeof(major_text)),
                 number_format(rule->minor, minor_text, sizeof(minor_text)),
                 rule->access & DEVICE_READ ? "r" : "", rule->access & DEVICE_WRITE ? "w" : "",
                 rule->access & DEVICE_MKNOD ? "m" : "");
        if (cgroup_file_write(dirfd, "devices.allow", text) < 0)
            return err_sys(err, "allow device %s", text);
    }
    return 0;
}
