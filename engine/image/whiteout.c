/* SPDX-License-Identifier: Apache-2.0 */
/* Telling whiteouts from names. Only these forms mean anything; a name that merely contains ".wh."
 * is a name. */
#include "engine/image/whiteout.h"

#include <string.h>

#include "base/mem.h"

#define PREFIX ".wh."
#define META   ".wh..wh."
#define OPAQUE ".wh..wh..opq"

bool whiteout_is_name(const char *component)
{
    return str_has_prefix(component, PREFIX);
}

enum whiteout whiteout_of(const char *path, const char **ret_hidden)
{
    const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
    if (str_eq(base, OPAQUE))
        return WHITEOUT_OPAQUE;
    for (const char *at = path; at; at = strchr(at, '/')) {
        at += *at == '/';
        if (str_has_prefix(at, META))
            return WHITEOUT_IGNORED;
    }
    if (!whiteout_is_name(base))
        return WHITEOUT_NONE;
    *ret_hidden = base + strlen(PREFIX);
    if (!**ret_hidden || str_eq(*ret_hidden, ".") || str_eq(*ret_hidden, ".."))
        return WHITEOUT_BAD;
    return WHITEOUT_NAME;
}
