/* SPDX-License-Identifier: Apache-2.0 */
/* verify.h - comparing the store with what it should hold. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

/* One progress line for each damage: {"id":"<layer or image>","status":"Damaged","what":"…"}; the
 * last line is
 * {"id":"store","status":"Verified"} or the error ERR_CORRUPT with the number of damages. */
/* repair: damaged layers that no container uses are put away, so that the next pull brings them
 * again. */
int verify_run(int lib_fd, bool repair, struct err *err);
