/* SPDX-License-Identifier: Apache-2.0 */
/* Readings of one container's cgroups. The files differ between the two versions, their meaning does not; under hybrid the
 * group in the v2 tree counts the processor, the v1 groups the rest. libc only. */
#include "engine/runtime/usage.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/mem.h"
#include "engine/engine.h"
#include "engine/runtime/cgroup.h"
#include "engine/runtime/cgroup_tree.h"

#define TEXT_MAX  (64 * 1024)
#define LIMIT_MAX (INT64_C(1) << 60) /* v1 has no word for "none", only a number beyond all memory */

bool usage_value(const char *text, const char *key, int64_t *ret_value)
{
    size_t size = strlen(key);
    for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
        if (strncmp(line, key, size) == 0 && line[size] == ' ') {
            *ret_value = strtoll(line + size + 1, NULL, 10);
            return true;
        }
    return false;
}

static int64_t number_after(const char *line, size_t size, const char *word)
{
    const char *found = memmem(line, size, word, strlen(word));
    return found ? strtoll(found + strlen(word), NULL, 10) : 0;
}

void usage_io(const char *text, int64_t *ret_read, int64_t *ret_write)
{
    *ret_read = *ret_write = 0;
    while (*text) {
        size_t size = strcspn(text, "\n");
        *ret_read += number_after(text, size, " rbytes=") + number_after(text, size, " Read ");
        *ret_write += number_after(text, size, " wbytes=") + number_after(text, size, " Write ");
        text += size + (text[size] == '\n');
    }
}

/* Two lines of heads, then "  eth0: " and 16 numbers: eight received, the first being bytes, then eight sent. */
void usage_net(const char *text, int64_t *ret_receive, int64_t *ret_send)
{
    *ret_receive = *ret_send = 0;
    for (int line = 0; *text; line++) {
        size_t size = strcspn(text, "\n");
        const char *colon = memchr(text, ':', size), *name = text + strspn(text, " ");
        if (line >= 2 && colon && strncmp(name, "lo:", 3) != 0) {
            char *at = (char *)colon + 1;
            *ret_receive += strtoll(at, &at, 10);
            for (int i = 1; i < 8; i++)
                (void)strtoll(at, &at, 10);
            *ret_send += strtoll(at, &at, 10);
        }
        text += size + (text[size] == '\n');
    }
}

/* The text of one file of a controller's group; false when there is none. */
static bool group_text(const struct cgroup *cgroup, enum cgroup_controller controller, const char *name, char *text)
{
    _cleanup_close_ int dirfd = cgroup_open_controller(cgroup, controller);
    return dirfd >= 0 && cgroup_file_read(dirfd, name, text, TEXT_MAX) > 0;
}

static int64_t group_number(const struct cgroup *cgroup, enum cgroup_controller controller, const char *name, char *text)
{
    if (!group_text(cgroup, controller, name, text) || text[0] < '0' || text[0] > '9')
        return -1; /* "max" too */
    return strtoll(text, NULL, 10);
}

static int64_t cpu_read(const struct cgroup *cgroup, char *text)
{
    int64_t value;
    if (cgroup->unified_fd >= 0 && cgroup_file_read(cgroup->unified_fd, "cpu.stat", text, TEXT_MAX) > 0 &&
        usage_value(text, "usage_usec", &value))
        return value;
    value = group_number(cgroup, CONTROLLER_CPUACCT, "cpuacct.usage", text);
    if (value < 0)
        value = group_number(cgroup, CONTROLLER_CPU, "cpuacct.usage", text); /* mounted together */
    return value < 0 ? -1 : value / 1000;
}

static void memory_read(const struct cgroup *cgroup, char *text, struct usage *usage)
{
    bool v2 = cgroup->mode == CGROUP_V2;
    int64_t cache = 0;
    struct sysinfo host;
    usage->memory_bytes =
        group_number(cgroup, CONTROLLER_MEMORY, v2 ? "memory.current" : "memory.usage_in_bytes", text);
    if (usage->memory_bytes >= 0 && group_text(cgroup, CONTROLLER_MEMORY, "memory.stat", text) &&
        usage_value(text, v2 ? "inactive_file" : "total_inactive_file", &cache))
        usage->memory_bytes -= MIN(cache, usage->memory_bytes);
    int64_t limit = group_number(cgroup, CONTROLLER_MEMORY, v2 ? "memory.max" : "memory.limit_in_bytes", text);
    int64_t total = sysinfo(&host) == 0 ? (int64_t)host.totalram * host.mem_unit : -1;
    usage->memory_limit_bytes = limit < 0 || limit > LIMIT_MAX || (total > 0 && limit > total) ? total : limit;
}

static void io_read(const struct cgroup *cgroup, char *text, struct usage *usage)
{
    bool v2 = cgroup->mode == CGROUP_V2;
    _cleanup_close_ int dirfd = cgroup_open_controller(cgroup, CONTROLLER_BLKIO);
    const char *name = v2 ? "io.stat" : "blkio.throttle.io_service_bytes";
    ssize_t size = dirfd < 0 ? -1 : cgroup_file_read(dirfd, name, text, TEXT_MAX);
    if (size >= 0)
        usage_io(text, &usage->read_bytes, &usage->write_bytes);
}

static void net_read(const struct container_spec *spec, pid_t pid, char *text, struct usage *usage)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/net/dev", (int)pid);
    if (spec->net.mode != NS_HOST && pid > 0 && cgroup_file_read(AT_FDCWD, path, text, TEXT_MAX) > 0)
        usage_net(text, &usage->receive_bytes, &usage->send_bytes);
}

void usage_read(const struct container_spec *spec, pid_t pid, struct usage *ret_usage)
{
    struct usage usage = {.cpu_us = -1, .memory_bytes = -1, .memory_limit_bytes = -1, .pids = -1,
                          .read_bytes = -1, .write_bytes = -1, .receive_bytes = -1, .send_bytes = -1};
    struct cgroup cgroup = CGROUP_NONE;
    _cleanup_free_ char *text = xmalloc(TEXT_MAX);
    if (spec->cgroup_path && cgroup_find(spec, &cgroup, NULL) == 0) {
        usage.cpu_us = cpu_read(&cgroup, text);
        memory_read(&cgroup, text, &usage);
        io_read(&cgroup, text, &usage);
        usage.pids = group_number(&cgroup, CONTROLLER_PIDS, "pids.current", text);
        cgroup_done(&cgroup);
    }
    net_read(spec, pid, text, &usage);
    usage.at_us = clock_monotonic_us();
    *ret_usage = usage;
}
