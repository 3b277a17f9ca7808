/* SPDX-License-Identifier: Apache-2.0 */
/* tree_copy.h - copies of files and trees with everything that belongs to them: owner, mode, times,
 * xattrs (but those of overlayfs), holes, hard links within the tree. Links are copied, never
 * followed. Light: base only. */
#pragma once

#include "base/err.h"

/* Makes dirfd/name a copy of the file, link, FIFO, socket or device node behind source_fd (O_PATH,
 * no directory). */
int tree_copy_node(int source_fd, int dirfd, const char *name, struct err *err);
/* Owner, mode, xattrs and times of the thing behind source_fd (O_PATH) for the one behind fd (not
 * O_PATH). */
int tree_copy_attributes(int source_fd, int fd, struct err *err);
/* What lies in the directory source_dirfd into dest_dirfd, then the attributes of the directory
 * itself. */
int tree_copy(int source_dirfd, int dest_dirfd, struct err *err);
