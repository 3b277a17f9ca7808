/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup.h - the cgroups of one container: <hierarchy>/<path> below the root of each hierarchy we
 * use.
 *
 * v1: cpu memory pids always, cpuset freezer blkio devices when something needs them. hybrid: the
 * same, and a group in the v2 tree for killing, freezing and sub-groups. v2: one group. Limits are
 * rendered to (controller, file, value) rows by cgroup_v1.c and cgroup_v2.c, which are pure.
 * Sources: Documentation/admin-guide/cgroup-v1/, cgroup-v2.rst. libc only. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "engine/runtime/spec.h"

enum cgroup_controller {
    CONTROLLER_CPU,
    CONTROLLER_CPUACCT,
    CONTROLLER_MEMORY,
    CONTROLLER_PIDS,
    CONTROLLER_CPUSET,
    CONTROLLER_BLKIO,
    CONTROLLER_DEVICES,
    CONTROLLER_FREEZER,
    CONTROLLER_COUNT_,
};
extern const char *const cgroup_controller_names[CONTROLLER_COUNT_]; /* v1 directory names */

/* One line to write. optional: a kernel without the file is fine (swap accounting). */
struct cgroup_setting {
    enum cgroup_controller controller;
    const char *file;
    char value[256];
    bool optional;
};
#define CGROUP_SETTINGS_MAX 128

/* Device number "8:0" of a path, for io_max; false when there is none. A parameter, so that
 * rendering stays pure. */
typedef bool cgroup_device_fn(const char *path, char *ret_number, size_t size);
/* Number of settings written, or -1 (ERR_CONFIG names what cannot be expressed, ERR_LIMIT). */
int cgroup_v1_render(const struct spec_resources *resources, cgroup_device_fn *device_number,
                     struct cgroup_setting ret_settings[CGROUP_SETTINGS_MAX], struct err *err);
int cgroup_v2_render(const struct spec_resources *resources, cgroup_device_fn *device_number,
                     struct cgroup_setting ret_settings[CGROUP_SETTINGS_MAX], struct err *err);

struct cgroup {
    int mode;             /* enum cgroup_mode */
    const char *path;     /* borrowed, relative */
    unsigned controllers; /* v1: bits of the hierarchies in use */
    int unified_fd;       /* the group in the v2 tree, or -1 */
    char notes[320];      /* limits that are not in force and why, "; "-separated */
};
#define CGROUP_NONE                                                                                \
    {                                                                                              \
        .unified_fd = -1                                                                           \
    }

/* Makes the groups, writes the limits and reads them back. A limit that this host does not know or
 * does not keep is told in ret_cgroup->notes, or with a strict spec ERR_UNSUPPORTED. ERR_BUSY when processes are left in an older group of
 * that name. */
int cgroup_make(const struct container_spec *spec, struct cgroup *ret_cgroup, struct err *err);
/* Finds the groups of a container that runs already. */
int cgroup_find(const struct container_spec *spec, struct cgroup *ret_cgroup, struct err *err);
void cgroup_done(struct cgroup *cgroup);
/* The calling single-threaded process enters the v1 groups by writing 0 to `tasks`: writing a pid
 * to cgroup.procs waits 10 ms for an RCU grace period. The v2 group is entered by
 * CLONE_INTO_CGROUP. */
int cgroup_enter(const struct cgroup *cgroup, struct err *err);
/* SIGKILL to all in the group and its sub-groups; other signals to each process. */
int cgroup_signal(const struct cgroup *cgroup, int signo, struct err *err);
int cgroup_freeze(const struct cgroup *cgroup, bool frozen, struct err *err);
bool cgroup_is_frozen(const struct cgroup *cgroup);
/* Removes the groups and sub-groups; waits a little for dying members. */
int cgroup_remove(const struct cgroup *cgroup, struct err *err);
/* Processes killed for lack of memory so far. */
int64_t cgroup_oom_kills(const struct cgroup *cgroup);
/* Descriptor to poll for OOM events and the epoll events to ask for; -1 when the kernel offers
 * none. */
int cgroup_oom_watch(const struct cgroup *cgroup);
/* Directory of one controller's group, O_PATH; -1 with errno. */
int cgroup_open_controller(const struct cgroup *cgroup, enum cgroup_controller controller);
/* A sub-group for one extra process ("exec-7"): *ret_fd for CLONE_INTO_CGROUP. -1 with errno where
 * there is no v2 tree. */
int cgroup_sub_make(const struct cgroup *cgroup, const char *name);
void cgroup_sub_kill(const struct cgroup *cgroup, const char *name);
void cgroup_sub_remove(const struct cgroup *cgroup, const char *name);
