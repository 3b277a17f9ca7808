/* SPDX-License-Identifier: Apache-2.0 */
/* sysctl.c - one write a parameter. /proc/sys/net shows the namespace of the thread that opens it.
 */
#include "netd/sysctl.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"

int sysctl_path(const char *key, char ret_path[SYSCTL_PATH_MAX], struct err *err)
{
    static const char root[] = "/proc/sys/";
    size_t size = strlen(key), at = sizeof(root) - 1;
    const char *first = strpbrk(key, "./");
    bool dotted = first && *first == '.';

    if (size + sizeof(root) > SYSCTL_PATH_MAX || !first)
        return err_set(err, ERR_CONFIG, "sysctl '%s' is not a parameter of a network namespace",
                       key);
    memcpy(ret_path, root, sizeof(root));
    for (size_t i = 0; i < size; i++) {
        char c = key[i];
        if (!isalnum((unsigned char)c) && !strchr("_-./", c))
            return err_set(err, ERR_CONFIG, "sysctl '%s' is not a name of a parameter", key);
        if (dotted && (c == '.' || c == '/'))
            c = c == '.' ? '/' : '.';
        ret_path[at++] = c;
    }
    ret_path[at] = '\0';
    const char *name = ret_path + sizeof(root) - 1;
    if (strncmp(name, "net/", 4) != 0 || strstr(name, "..") || strstr(name, "//") ||
        strstr(name, "/./") || ret_path[at - 1] == '/')
        return err_set(err, ERR_CONFIG, "sysctl '%s' is not a parameter of a network namespace",
                       key);
    return 0;
}

int sysctl_write_path(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    ssize_t written = write(fd, value, strlen(value));
    int failure = written < 0 ? errno : 0;
    close(fd);
    return failure;
}

int sysctl_write(const char *value, struct err *err, const char *format, ...)
{
    char path[SYSCTL_PATH_MAX];
    int at = snprintf(path, sizeof(path), "/proc/sys/net/");
    va_list args;

    va_start(args, format);
    vsnprintf(path + at, sizeof(path) - (size_t)at, format, args);
    va_end(args);
    int failure = sysctl_write_path(path, value);
    return failure ? err_sysno(err, failure, "write %s to %s", value, path) : 0;
}

int sysctl_read_int(int fallback, const char *format, ...)
{
    char path[SYSCTL_PATH_MAX], text[32];
    int at = snprintf(path, sizeof(path), "/proc/sys/net/");
    va_list args;

    va_start(args, format);
    vsnprintf(path + at, sizeof(path) - (size_t)at, format, args);
    va_end(args);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (size <= 0)
        return fallback;
    text[size] = '\0';
    char *end;
    long value = strtol(text, &end, 10);
    return end == text ? fallback : (int)value;
}
