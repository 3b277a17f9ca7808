/* SPDX-License-Identifier: Apache-2.0 */
/* term.c - terminal facts and raw mode. */
#include "base/term.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool term_is_tty(int fd)
{
    return isatty(fd) == 1;
}

unsigned term_width(int fd)
{
    struct winsize size;
    return ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

bool term_wants_color(int fd)
{
    const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
    return !(no_color && no_color[0]) && !(term && strcmp(term, "dumb") == 0) && term_is_tty(fd);
}

int term_raw(int fd, struct termios *ret_saved)
{
    struct termios saved, raw;
    if (tcgetattr(fd, &saved) < 0)
        return -1;
    raw = saved;
    cfmakeraw(&raw);
    if (tcsetattr(fd, TCSADRAIN, &raw) < 0)
        return -1;
    *ret_saved = saved;
    return 0;
}

void term_restore(int fd, const struct termios *saved)
{
    (void)tcsetattr(fd, TCSADRAIN, saved); /* the terminal may be gone */
}
