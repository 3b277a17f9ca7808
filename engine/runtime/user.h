/* SPDX-License-Identifier: Apache-2.0 */
/* user.h - who a process inside is: the words of `user` and `group_add` against the image's passwd
 * and group. Pure, but for user_load. Digits are always a number, never a name (SEC: PRO, RUN-19);
 * there is no fallback to root. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "engine/runtime/spec.h"

#define USER_GROUPS_MAX 256
#define USER_FILE_MAX   (1024 * 1024)

struct user_ids {
    uint32_t uid, gid;
    uint32_t groups[USER_GROUPS_MAX]; /* supplementary, the primary first */
    size_t group_count;
    char home[256]; /* "/" when unknown */
};

/* passwd and group are file contents (NULL: no such file). ERR_CONFIG with the word at fault. */
int user_resolve(const char *passwd, const char *group, const char *user,
                 const struct spec_strings *extra_groups, struct user_ids *ret_ids,
                 struct err *err);
/* Reads etc/passwd and etc/group below rootfd as bounded regular files and resolves. */
int user_load(int rootfd, const char *user, const struct spec_strings *extra_groups,
              struct user_ids *ret_ids, struct err *err);
