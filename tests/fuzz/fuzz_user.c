/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_user.c - passwd and group of an image, and the word of `user`: an identity within its bounds, or a refusal with a reason.
 * The input is three parts with a zero byte between them. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/mem.h"
#include "engine/runtime/user.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    _cleanup_free_ char *text = xcalloc(size + 3, 1);
    memcpy(text, data, size);
    const char *passwd = text, *group = passwd + strlen(passwd) + 1;
    const char *user = group < text + size ? group + strlen(group) + 1 : "";
    if (group >= text + size)
        group = "";
    if (user > text + size)
        user = "";
    static const char *extra[] = { "7", "wheel", NULL };
    const struct spec_strings groups = { .items = extra, .count = 2 };
    struct user_ids ids;
    struct err err = { 0 };
    for (int i = 0; i < 2; i++) {
        if (user_resolve(passwd, group, user, i ? &groups : NULL, &ids, &err) < 0) {
            assert(err.code && err.message[0]);
            continue;
        }
        assert(ids.uid != (uint32_t)-1 && ids.gid != (uint32_t)-1);
        assert(ids.group_count >= 1 && ids.group_count <= USER_GROUPS_MAX && ids.groups[0] == ids.gid);
        assert(memchr(ids.home, '\0', sizeof(ids.home)));
        if (strspn(user, "123456789") == strlen(user) && user[0])
            assert(ids.uid != 0); /* digits are a number, never a name */
    }
    return 0;
}
