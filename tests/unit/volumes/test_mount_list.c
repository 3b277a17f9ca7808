/* SPDX-License-Identifier: Apache-2.0 */
/* Order, conflicts and refused targets of a container's mounts; what driver_opts mean. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "volumes/volume.h"

Test(mount_list, parents_come_before_children_and_order_is_kept)
{
    struct volume_mount mounts[] = {
        { .target = "/data/sub/deep" }, { .target = "/b" }, { .target = "/data/sub" }, { .target = "/a" }, { .target = "/data" },
    };
    static const char *const expected[] = { "/b", "/a", "/data", "/data/sub", "/data/sub/deep" };
    struct err err = { 0 };
    cr_assert_eq(mount_list_order(mounts, ARRAY_LEN(mounts), &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(mounts); i++)
        cr_expect_str_eq(mounts[i].target, expected[i]);
}

Test(mount_list, two_mounts_at_one_target_are_named)
{
    struct volume_mount mounts[] = {
        { .kind = VOLUME_MOUNT_BIND, .source = "/srv", .target = "/x" }, { .target = "/y" },
        { .kind = VOLUME_MOUNT_TMPFS, .target = "/x" },
    };
    struct err err = { 0 };
    cr_assert_eq(mount_list_order(mounts, ARRAY_LEN(mounts), &err), -1);
    cr_expect_eq(err.code, ERR_CONFIG);
    cr_expect_str_eq(err.message, "duplicate mount target '/x': bind '/srv' and tmpfs ''");
}

static const struct { const char *target; bool good; } targets[] = {
    { "/data", true },       { "data", false },     { "/", false },          { "/proc", false },   { "/proc/sys", false },
    { "/proc/meminfo", true }, { "/proc/../proc/1", false }, { "/procfs", true }, { "/sys", false }, { "/sys/x", true },
    { "/dev", false },       { "/dev/shm", true },  { "/a/../../proc", false }, { "", false },     { NULL, false },
};

Test(mount_list, targets_of_the_kernel_are_refused)
{
    for (size_t i = 0; i < ARRAY_LEN(targets); i++) {
        struct err err = { 0 };
        cr_expect_eq(mount_target_check(targets[i].target, &err), targets[i].good ? 0 : -1, "case '%s'", targets[i].target);
    }
}

static const struct { const char *driver, *options, *device; enum err_code code; } drivers[] = {
    { NULL, "{}", NULL, ERR_NONE },
    { "local", "{}", NULL, ERR_NONE },
    { "nfs", "{}", NULL, ERR_UNSUPPORTED },
    { "local", "{\"type\":\"none\",\"o\":\"bind\",\"device\":\"/srv/d\"}", "/srv/d", ERR_NONE },
    { "local", "{\"type\":\"none\",\"o\":\"bind\",\"device\":\"srv\"}", NULL, ERR_CONFIG },
    { "local", "{\"type\":\"nfs\",\"o\":\"addr=1.2.3.4\",\"device\":\":/x\"}", NULL, ERR_UNSUPPORTED },
    { "local", "{\"type\":\"tmpfs\",\"device\":\"tmpfs\"}", NULL, ERR_UNSUPPORTED },
    { "local", "{\"size\":\"1g\"}", NULL, ERR_UNSUPPORTED },
};

Test(local, options_are_obeyed_or_refused)
{
    for (size_t i = 0; i < ARRAY_LEN(drivers); i++) {
        _cleanup_jv_ struct jv *options = NULL;
        struct err err = { 0 };
        const char *device = NULL;
        cr_assert_eq(jv_parse(drivers[i].options, strlen(drivers[i].options), &options, &err), 0);
        int result = volume_local_device(drivers[i].driver, options, &device, &err);
        cr_expect_eq(result, drivers[i].code == ERR_NONE ? 0 : -1, "case %zu", i);
        cr_expect_eq(err.code, drivers[i].code, "case %zu: %s", i, err.message);
        if (result == 0)
            cr_expect(str_eq(device, drivers[i].device), "case %zu", i);
    }
}
