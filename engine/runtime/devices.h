/* SPDX-License-Identifier: Apache-2.0 */
/* devices.h - terminals in a container's own devpts, for the first process and for exec. libc only.
 */
#pragma once

#include <sys/types.h>

#include "base/err.h"

/* A new pty of the container below rootfd; its slave belongs to host uid `uid`. The multiplexer is
 * checked to be one: the container could have put something else there. */
int terminal_open(int rootfd, uid_t uid, int *ret_master, int *ret_slave, struct err *err);
/* Makes the slave the controlling terminal of the calling session leader and its descriptors 0-2.
 */
int terminal_take(int slave, struct err *err);
