/* SPDX-License-Identifier: Apache-2.0 */
/* extract.h - entries of one layer archive → files below one directory, in overlayfs' own form
 * (whiteouts are character devices 0:0, opaque directories carry trusted.overlay.opaque). Nothing
 * outside of that directory is touched or read. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/err.h"
#include "base/mem.h"

enum entry_kind {
    ENTRY_FILE,
    ENTRY_DIRECTORY,
    ENTRY_SYMLINK,
    ENTRY_HARDLINK,
    ENTRY_FIFO,
    ENTRY_DEVICE,
    ENTRY_OTHER
};

struct entry_xattr {
    const char *name;
    const void *value;
    size_t size;
};

/* Borrowed for the call. */
struct entry {
    const char *path; /* as the archive has it */
    enum entry_kind kind;
    const char *link; /* of both kinds of links */
    mode_t mode;
    uid_t uid;
    gid_t gid;
    struct timespec mtime;
    int64_t size; /* logical, of a file */
    const struct entry_xattr *xattrs;
    size_t xattr_count;
};

struct extract; /* opaque */
/* whiteouts false: an archive that is no layer; ".wh." names are ordinary and nothing below exists.
 * root_fd is borrowed. */
struct extract *extract_new(int root_fd, bool whiteouts);
void extract_free(struct extract *extract);
DEFINE_CLEANUP(struct extract *, extract_free)

/* Makes the entry. *ret_fd >= 0: a new regular file to be written by the caller, who then calls
 * extract_file_end (which takes the descriptor). Errors: ERR_CORRUPT, ERR_LIMIT name the entry;
 * ERR_SYSTEM. */
int extract_entry(struct extract *extract, const struct entry *entry, int *ret_fd, struct err *err);
int extract_file_end(struct extract *extract, const struct entry *entry, int fd, struct err *err);

/* Whether something must be looked up in the layers below before extract_finish: hard links to
 * their files, directories that the archive only implies. */
bool extract_needs_lower(const struct extract *extract);
/* Does the rest: lower_fds are diff directories, top first. */
int extract_finish(struct extract *extract, const int *lower_fds, size_t lower_count,
                   struct err *err);

bool extract_root_is_opaque(const struct extract *extract);
unsigned extract_dropped_devices(const struct extract *extract);
