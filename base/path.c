/* SPDX-License-Identifier: Apache-2.0 */
/* path.c - path arithmetic on text alone. */
#include "base/path.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

char *path_join(const char *base, const char *path)
{
    if (path[0] == '/' || base[0] == '\0')
        return xstrdup(path);
    if (path[0] == '\0')
        return xstrdup(base);
    size_t size = strlen(base);
    return xasprintf("%s%s%s", base, base[size - 1] == '/' ? "" : "/", path);
}

/* Drops the last component of out unless that is "..". Returns false when there is nothing to drop. */
static bool drop_last(char *out, size_t *size, size_t start)
{
    size_t end = *size, begin = end;
    while (begin > start && out[begin - 1] != '/')
        begin--;
    if (begin == end || (end - begin == 2 && memcmp(out + begin, "..", 2) == 0))
        return false;
    *size = begin > start ? begin - 1 : begin;
    return true;
}

char *path_clean(const char *path)
{
    bool absolute = path[0] == '/';
    size_t start = absolute, size = absolute;
    char *out = xmalloc(strlen(path) + 2);
    out[0] = '/';

    while (*path) {
        size_t part = strcspn(path, "/");
        bool up = part == 2 && path[0] == '.' && path[1] == '.';
        bool skip = part == 0 || (part == 1 && path[0] == '.');
        if (up && (drop_last(out, &size, start) || absolute))
            skip = true;
        if (!skip) {
            if (size > start)
                out[size++] = '/';
            memcpy(out + size, path, part);
            size += part;
        }
        path += part;
        path += *path == '/';
    }
    if (size == 0)
        out[size++] = '.';
    out[size] = '\0';
    return out;
}

char *path_relative(const char *from, const char *to)
{
    size_t same = 0;
    for (size_t i = 0;; i++) {
        bool from_ends = from[i] == '/' || !from[i], to_ends = to[i] == '/' || !to[i];
        if (from_ends && to_ends)
            same = i;
        if (from[i] != to[i] || !from[i])
            break;
    }
    _cleanup_str_ struct str out = {0};
    for (const char *p = from + same; *p; p++)
        if (p[0] == '/' && p[1])
            str_add(&out, out.size ? "/.." : "..");
    const char *rest = to + same + (to[same] == '/');
    if (*rest)
        str_addf(&out, "%s%s", out.size ? "/" : "", rest);
    return xstrdup(out.size ? str_text(&out) : ".");
}

const char *path_base(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

bool path_is_name(const char *name)
{
    size_t size = name ? strlen(name) : 0;
    if (size == 0 || size > 255 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    for (size_t i = 0; i < size; i++)
        if (name[i] == '/' || (unsigned char)name[i] < 0x20 || name[i] == 0x7f)
            return false;
    return true;
}
