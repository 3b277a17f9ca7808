/* SPDX-License-Identifier: Apache-2.0 */
/* path.h - path arithmetic without touching the file system. Pure. */
#pragma once

#include <stdbool.h>

/* "a" + "b/c" → "a/b/c"; an absolute second part wins. Owned by the caller. */
char *path_join(const char *base, const char *path);
/* Removes ".", "..", "//" textually; "" gives ".". Absolute stays absolute and never climbs over "/". */
char *path_clean(const char *path);
/* "/a/b", "/a/c/d" → "../c/d"; both absolute and clean. Owned by the caller. */
char *path_relative(const char *from, const char *to);
const char *path_base(const char *path); /* borrowed: behind the last '/' */
/* true for a non-empty name without '/', not "." or "..", at most 255 bytes, no control characters. */
bool path_is_name(const char *name);
