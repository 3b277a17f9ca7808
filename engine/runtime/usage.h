/* SPDX-License-Identifier: Apache-2.0 */
/* usage.h - what a running container uses at this moment: from its cgroups (v1, hybrid, v2) and its network namespace. libc
 * only. Sources: Documentation/admin-guide/cgroup-v2.rst, cgroup-v1/, proc_net_dev(5). */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "engine/runtime/spec.h"

/* -1: this host does not tell. */
struct usage {
    int64_t at_us;        /* of the reading, CLOCK_MONOTONIC */
    int64_t cpu_us;       /* of all its processes, since the start */
    int64_t memory_bytes; /* without the page cache that can go at once */
    int64_t memory_limit_bytes; /* the host's memory when there is no limit */
    int64_t pids;
    int64_t read_bytes, write_bytes;   /* block devices */
    int64_t receive_bytes, send_bytes; /* all interfaces but loopback; -1 also in the host's network */
};

/* pid: the first process. Never fails: what cannot be read is -1. */
void usage_read(const struct container_spec *spec, pid_t pid, struct usage *ret_usage);

/* The parts that read the kernel's text; pure. "KEY NUMBER" in a line of its own: */
bool usage_value(const char *text, const char *key, int64_t *ret_value);
/* io.stat ("8:0 rbytes=1 wbytes=2 …") and blkio.throttle.io_service_bytes ("8:0 Read 1"): sums of all devices. */
void usage_io(const char *text, int64_t *ret_read, int64_t *ret_write);
/* /proc/PID/net/dev */
void usage_net(const char *text, int64_t *ret_receive, int64_t *ret_send);
