/* SPDX-License-Identifier: Apache-2.0 */
/* copy_out.h - a file or tree → a tar archive (pax): `cp` out of and into containers, `export`. Names are resolved inside
 * the given root; the walk follows no link. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct copy_out {
    int root_fd, archive_fd;
    const char *path; /* inside the root; "/" too */
    const char *name; /* what the top is called in the archive; "": the names of what lies in the directory alone */
    bool follow;      /* the last component, when it is a link */
    void (*warn)(const char *text); /* left out: sockets, devices, FIFOs, files of the kernel's file systems */
};

/* ERR_NOT_FOUND: no such path. ERR_CONFIG: it is nothing that can be copied. EPIPE ends it in silence (the reader knows why). */
int copy_out_run(const struct copy_out *copy, struct err *err);
