/* SPDX-License-Identifier: Apache-2.0 */
/* term.h - terminal facts and raw mode. libc only. */
#pragma once

#include <stdbool.h>
#include <termios.h>

bool term_is_tty(int fd);
unsigned term_width(int fd); /* columns; 80 when unknown */
/* NO_COLOR unset, TERM not "dumb", fd is a terminal. */
bool term_wants_color(int fd);
/* 0 or -1 with errno; *ret_saved is for term_restore. */
int term_raw(int fd, struct termios *ret_saved);
void term_restore(int fd, const struct termios *saved);
