/* SPDX-License-Identifier: Apache-2.0 */
/* port_holder.c - who has a port, for the message of a conflict: the inode from /proc/net, then the
 * process that has that socket open. Slow (it walks /proc), therefore only after a failure. */
#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/str.h"
#include "netd/ports.h"

#define SOCKETS_MAX 64

static size_t find_inodes(const char *path, uint16_t port, unsigned long *inodes, size_t max)
{
    FILE *file = fopen(path, "re");
    char line[512];
    size_t count = 0;

    if (!file)
        return 0;
    while (count < max && fgets(line, sizeof(line), file)) {
        unsigned local_port, state;
        unsigned long inode;
        if (sscanf(line, "%*u: %*[0-9A-Fa-f]:%x %*[0-9A-Fa-f]:%*x %x %*s %*s %*s %*u %*u %lu",
                   &local_port, &state, &inode) == 3 &&
            local_port == port && inode)
            inodes[count++] = inode;
    }
    fclose(file);
    return count;
}

static bool process_has(int proc_fd, const char *pid, const unsigned long *inodes, size_t count)
{
    char path[64], target[64];
    bool found = false;

    snprintf(path, sizeof(path), "%.20s/fd", pid);
    int fd = openat(proc_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        close_fdp(&fd);
        return false;
    }
    for (struct dirent *entry; !found && (entry = readdir(dir));) {
        unsigned long inode;
        ssize_t size = readlinkat(fd, entry->d_name, target, sizeof(target) - 1);
        if (size <= 0)
            continue;
        target[size] = '\0';
        if (sscanf(target, "socket:[%lu]", &inode) != 1)
            continue;
        for (size_t i = 0; i < count; i++)
            found |= inodes[i] == inode;
    }
    closedir(dir);
    return found;
}

static char *describe(int proc_fd, const char *pid)
{
    char path[64], name[32] = "?";
    snprintf(path, sizeof(path), "%.20s/comm", pid);
    _cleanup_close_ int fd = openat(proc_fd, path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, name, sizeof(name) - 1);
    if (size > 0) {
        name[size] = '\0';
        name[strcspn(name, "\n")] = '\0';
    }
    _cleanup_free_ char *printable = str_printable(name);
    return xasprintf("process '%s' (pid %s)", printable, pid);
}

char *port_holder_find(enum port_proto proto, uint8_t family, uint16_t port)
{
    unsigned long inodes[SOCKETS_MAX];
    size_t count = 0;
    char *holder = NULL;

    /* an IPv6 socket for all addresses takes the IPv4 port too */
    count = find_inodes(proto == PORT_TCP ? "/proc/net/tcp6" : "/proc/net/udp6", port, inodes,
                        SOCKETS_MAX);
    if (family == 4)
        count += find_inodes(proto == PORT_TCP ? "/proc/net/tcp" : "/proc/net/udp", port,
                             inodes + count, SOCKETS_MAX - count);
    DIR *dir = count ? opendir("/proc") : NULL;
    if (!dir)
        return NULL;
    for (struct dirent *entry; !holder && (entry = readdir(dir));)
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9' &&
            process_has(dirfd(dir), entry->d_name, inodes, count))
            holder = describe(dirfd(dir), entry->d_name);
    closedir(dir);
    return holder;
}
