/* SPDX-License-Identifier: Apache-2.0 */
/* `user:` and group_add: either the exact ids or an error (catalogue RUN-19, RUN-20). */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "engine/runtime/user.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
                             "app:x:1000:1001:App:/home/app:/bin/sh\n"
                             "bad:x:x:0::/:\n"
                             "7777:x:0:0:digits that are root:/evil:/bin/sh\n"
                             "with blank:x:5:5::/b:\n"
                             "short:x:8\n"
                             "one:x:1:1::/one:\n";
static const char group[] = "root:x:0:\n"
                            "wheel:x:10:root,app\n"
                            "video:x:44:app\n"
                            "other:x:45:apple,ap,app2\n"
                            "4444:x:0:\n"
                            "app:x:1001:\n";

static const struct {
    const char *user;
    int64_t uid, gid; /* uid -1: refused */
    const char *home;
    size_t groups;
} rows[] = {
    {NULL, 0, 0, "/root", 2}, /* primary and wheel */
    {"", 0, 0, "/root", 2},
    {"0", 0, 0, "/root", 2},
    {"root", 0, 0, "/root", 2},
    {"1", 1, 1, "/one", 1},
    {"2", 2, 0, "/", 1},
    {"1:2", 1, 2, "/one", 1},
    {"app", 1000, 1001, "/home/app", 3},
    {"1000", 1000, 1001, "/home/app", 3},
    {"app:wheel", 1000, 10, "/home/app", 1},
    {"app:44", 1000, 44, "/home/app", 1},
    {"with blank", 5, 5, "/b", 1},
    {"01", 1, 1, "/one", 1},
    {"7777", 7777, 0, "/", 1}, /* digits are a number, whatever passwd says */
    {"1:4444", 1, 4444, "/one", 1},
    {"4294967294", 4294967294LL, 0, "/", 1},
    {":5", -1, 0, NULL, 0},
    {"1:", -1, 0, NULL, 0},
    {"+1", -1, 0, NULL, 0},
    {"-1", -1, 0, NULL, 0},
    {"0x1", -1, 0, NULL, 0},
    {"1 ", -1, 0, NULL, 0},
    {"4294967295", -1, 0, NULL, 0},
    {"4294967296", -1, 0, NULL, 0},
    {"4294967296:0", -1, 0, NULL, 0},
    {"1000000000000", -1, 0, NULL, 0},
    {"99999999999999999999999", -1, 0, NULL, 0},
    {"0:4294967295", -1, 0, NULL, 0},
    {"nobody", -1, 0, NULL, 0},
    {"bad", -1, 0, NULL, 0},
    {"short", -1, 0, NULL, 0},
    {"app:nogroup", -1, 0, NULL, 0},
};

Test(user, is_the_exact_id_or_an_error)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct user_ids ids;
        struct err err = {0};
        const char *name = rows[i].user ? rows[i].user : "(none)";
        int result = user_resolve(passwd, group, rows[i].user, NULL, &ids, &err);
        cr_expect_eq(result, rows[i].uid < 0 ? -1 : 0, "case '%s': %s", name, err.message);
        if (result < 0) {
            cr_expect_eq(err.code, ERR_CONFIG, "case '%s'", name);
            continue;
        }
        cr_expect_eq(ids.uid, rows[i].uid, "case '%s' gave uid %u", name, ids.uid);
        cr_expect_eq(ids.gid, rows[i].gid, "case '%s' gave gid %u", name, ids.gid);
        cr_expect_str_eq(ids.home, rows[i].home, "case '%s'", name);
        cr_expect_eq(ids.group_count, rows[i].groups, "case '%s' gave %zu groups", name,
                     ids.group_count);
        cr_expect_eq(ids.groups[0], ids.gid, "case '%s': the primary group comes first", name);
    }
}

Test(user, works_without_passwd_and_group)
{
    struct user_ids ids;
    cr_expect_eq(user_resolve(NULL, NULL, "5:6", NULL, &ids, NULL), 0);
    cr_expect_eq(ids.uid, 5);
    cr_expect_eq(ids.gid, 6);
    cr_expect_eq(user_resolve(NULL, NULL, NULL, NULL, &ids, NULL), 0);
    cr_expect_eq(ids.uid, 0);
    cr_expect_eq(user_resolve(NULL, NULL, "app", NULL, &ids, NULL), -1);
}

Test(user, extra_groups_are_added_once)
{
    const char *names[] = {"video", "44", "99", "wheel"};
    const struct spec_strings extra = {names, 4};
    struct user_ids ids;
    cr_assert_eq(user_resolve(passwd, group, "app", &extra, &ids, NULL), 0);
    cr_expect_eq(ids.group_count, 4); /* 1001 10 44 99 */
    cr_expect_eq(ids.groups[3], 99);
    const char *unknown[] = {"nope"};
    const struct spec_strings wrong = {unknown, 1};
    cr_expect_eq(user_resolve(passwd, group, "app", &wrong, &ids, NULL), -1);
}
