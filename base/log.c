/* SPDX-License-Identifier: Apache-2.0 */
/* log.c - leveled log on stderr, one write(2) for each line. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

static const char *const level_words[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
};

static enum log_level current_level = LOG_LEVEL_WARNING; /* the one tolerated mutable global */

void log_set_level(enum log_level level)
{
    current_level = level;
}

void log_set_level_from_env(void)
{
    const char *word = getenv("WINCH_LOG");
    for (size_t i = 0; word && i < sizeof(level_words) / sizeof(level_words[0]); i++)
        if (strcmp(word, level_words[i]) == 0)
            current_level = (enum log_level)i;
}

void log_at(enum log_level level, const char *format, ...)
{
    char line[LINE_MAX_BYTES];
    int saved = errno;

    if (level > current_level)
        return;
    int prefix = snprintf(line, sizeof(line), "%s ", level_words[level]);
    size_t room = sizeof(line) - (size_t)prefix - 1; /* keeps a byte for the line's end */
    va_list args;
    va_start(args, format);
    errno = saved; /* for %m */
    int size = vsnprintf(line + prefix, room, format, args);
    va_end(args);
    if (size < 0)
        size = 0;
    if ((size_t)size >= room)
        size = (int)room - 1;
    for (int i = prefix; i < prefix + size; i++)
        if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
            line[i] = ' '; /* one event stays one line */
    line[prefix + size] = '\n';
    ssize_t written = write(STDERR_FILENO, line, (size_t)(prefix + size + 1));
    (void)written; /* nowhere else to complain */
    errno = saved;
}
