/* SPDX-License-Identifier: Apache-2.0 */
/* whiteout.h - names by which a layer archive removes things of lower layers (OCI image-spec,
 * layer.md; aufs). Pure. */
#pragma once

#include <stdbool.h>

enum whiteout {
    WHITEOUT_NONE,    /* an ordinary name */
    WHITEOUT_IGNORED, /* bookkeeping of aufs: not part of the image */
    WHITEOUT_OPAQUE,  /* hides all lower children of its directory */
    WHITEOUT_NAME,    /* hides one lower name */
    WHITEOUT_BAD,     /* ".wh.", ".wh..", ".wh...": nothing could have that name */
};

/* path: clean, relative. *ret_hidden: the name that WHITEOUT_NAME hides, borrowed from path. */
enum whiteout whiteout_of(const char *path, const char **ret_hidden);
/* true for a component that can only be a whiteout, and so no directory. */
bool whiteout_is_name(const char *component);
