/* SPDX-License-Identifier: Apache-2.0 */
/* layout.h - the names of all state paths (docs/state.md) below the two roots.
 *
 * Default roots are /var/lib/winch and /run/winch. --root DIR (or WINCH_ROOT) gives DIR/lib and DIR/run and an
 * instance name of its own, so that several instances can run side by side. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct layout {
    char *root; /* absolute DIR of --root, or NULL for the default roots */
    char *lib; /* survives a reboot */
    char *run; /* dies with the boot */
    /* "" for the default root, else 8 hex digits of the root path's hash: part of interface, nft table and
     * cgroup names. */
    char instance[9];
    char *config_file; /* winch.yaml: $WINCH_CONFIG, else DIR/winch.yaml with --root, else /etc/winch/winch.yaml */
    int lib_fd, run_fd; /* directories, O_CLOEXEC; -1 until layout_open */
    bool is_default;
};

/* root NULL: $WINCH_ROOT, else the default. The path is made absolute. */
int layout_init(struct layout *layout, const char *root, struct err *err);
void layout_done(struct layout *layout);
/* Creates (0700; lib and the directories a container user must pass 0711) and opens both trees. */
int layout_open(struct layout *layout, struct err *err);
/* Opens both trees only if they exist: reading commands must not create. ERR_NOT_FOUND otherwise. */
int layout_open_existing(struct layout *layout, struct err *err);

/* Owned absolute paths: layout_lib(l, "containers/%s", id). */
char *layout_lib(const struct layout *layout, const char *format, ...) __attribute__((format(printf, 2, 3)));
char *layout_run(const struct layout *layout, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* "winch" or "winch-1a2b3c4d": cgroup name and nft table name. Borrowed static per layout: buffer >= 20. */
const char *layout_instance_name(const struct layout *layout, char *buffer, unsigned size);
/* Arguments that make a child process of ours use the same root: NULL-terminated ("--root", DIR) or empty.
 * The root itself, or NULL for the default. */
const char *layout_root_arg(const struct layout *layout);
