/* SPDX-License-Identifier: Apache-2.0 */
/* sysctl.h - kernel parameters of network namespaces: names, reading, writing. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define SYSCTL_PATH_MAX 256

/* "net.ipv4.ip_forward" (or with slashes) → "/proc/sys/net/ipv4/ip_forward"; pure. The first
 * separator decides, as sysctl(8) does: behind a dot, a slash stands for a dot in a name.
 * ERR_CONFIG for names outside "net." and for anything that could leave it. */
int sysctl_path(const char *key, char ret_path[SYSCTL_PATH_MAX], struct err *err);

/* Both work on the namespace of the calling thread. printf-like path below /proc/sys/net/. */
int sysctl_write(const char *value, struct err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* fallback when it cannot be read. */
int sysctl_read_int(int fallback, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Writes value to an absolute path; 0 or an errno. No allocation: also for the child of
 * netns_create. */
int sysctl_write_path(const char *path, const char *value);
