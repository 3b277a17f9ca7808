/* SPDX-License-Identifier: Apache-2.0 */
/* Names of log files (names.h). */
#include "engine/log/names.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define DIGITS_MAX 18

bool log_name_parse(const char *text, struct log_name *ret_name)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > DIGITS_MAX || text[0] == '0')
        return false;
    bool packed = strcmp(text + digits, LOG_PACK_SUFFIX) == 0;
    if (!packed && text[digits])
        return false;
    uint64_t number = 0;
    for (size_t i = 0; i < digits; i++)
        number = number * 10 + (uint64_t)(text[i] - '0');
    *ret_name = (struct log_name){number, packed};
    return true;
}

const char *log_name_format(struct log_name name, char buffer[LOG_NAME_SIZE])
{
    snprintf(buffer, LOG_NAME_SIZE, "%" PRIu64 "%s", name.number, name.packed ? LOG_PACK_SUFFIX : "");
    return buffer;
}

int log_names_each(int dirfd, void (*visit)(struct log_name name, void *arg), void *arg)
{
    char buffer[4096] __attribute__((aligned(8)));
    ssize_t size;
    if (lseek(dirfd, 0, SEEK_SET) < 0)
        return -1;
    while ((size = getdents64(dirfd, buffer, sizeof(buffer))) > 0)
        for (ssize_t at = 0; at < size;) {
            const struct dirent64 *entry = (const struct dirent64 *)(buffer + at);
            struct log_name name;
            if (log_name_parse(entry->d_name, &name))
                visit(name, arg);
            at += entry->d_reclen;
        }
    return size < 0 ? -1 : 0;
}
