/* SPDX-License-Identifier: Apache-2.0 */
/* netns.h - network namespaces: make, pin by a bind mount, enter for a moment. netd has one thread,
 * therefore entering is a plain setns(2) there and back (7 µs each). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "netd/sysctl.h"

/* A parameter written in the new namespace by its owner, so that ids in the value mean ids of the
 * container. */
struct netns_sysctl {
    char path[SYSCTL_PATH_MAX];
    const char *value; /* borrowed */
    bool best_effort;  /* a failure is no error */
    int failure;       /* out: errno, 0 when written */
};

/* A new namespace, owned by the user namespace pinned at userns (NULL: ours). Parameters that do
 * not exist yet (ENOENT: of an interface to come) keep failure ENOENT and are no error. *ret_fd is
 * close-on-exec. */
int netns_create(const char *userns, struct netns_sysctl *sysctls, size_t count, int *ret_fd,
                 struct err *err);
/* Keeps it alive at path (a new file). */
int netns_pin(int fd, const char *path, struct err *err);
/* The pin at path. ERR_NOT_FOUND when there is no namespace (also when only the empty file is
 * left). */
int netns_open_pin(const char *path, int *ret_fd, struct err *err);
/* Removes pin and file; nothing there is success. The namespace dies when its last process ends. */
int netns_unpin(const char *path, struct err *err);

/* Ours, to come back to. */
int netns_open_self(int *ret_fd, struct err *err);
int netns_enter(int fd, struct err *err);
/* Back home. A failure would leave the daemon in a container: it aborts. */
void netns_leave(int home_fd);
