/* SPDX-License-Identifier: Apache-2.0 */
/* attach.h - this terminal on one process of a container. */
#pragma once

#include <stdint.h>

/* Waits for the process's end. master >= 0: relays this terminal (raw mode, window size) to the pty
 * master and back; takes master. Signals that reach us are passed on when there is no terminal.
 * Returns the process's exit code as shells show it. */
int attach_exec(int control, uint32_t exec_id, int master);
