/* SPDX-License-Identifier: Apache-2.0 */
/* fs_parent.h - the directory that holds a path's last component, for the fs_*.c files only. */
#pragma once

/* Opens the parent directory of path; *ret_base is borrowed from path: a plain name. -1 with errno, EINVAL
 * when the last component is no name (".", "..", empty). */
int fs_open_parent(int dirfd, const char *path, const char **ret_base);
