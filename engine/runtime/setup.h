/* SPDX-License-Identifier: Apache-2.0 */
/* setup.h - what a process that becomes a container's does between clone and execve: a list of
 * named steps, one for the first process and a shorter one for exec.
 *
 * The child starts as the host's root in new pid, mount, ipc, uts namespaces and stays it until
 * everything is mounted; the user namespace is joined late. Descriptors in struct setup are
 * borrowed; all are close-on-exec. libc only. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"
#include "engine/runtime/cgroup.h"
#include "engine/runtime/confine.h"
#include "engine/runtime/spec.h"
#include "engine/runtime/user.h"

struct setup {
    const struct container_spec *spec;
    const struct spec_process *process; /* spec's own, or an exec's */
    const struct cgroup *cgroup;        /* NULL: stays where it is */
    const struct filter *filter;
    int sync;     /* to the monitor */
    int stdio[3]; /* with a tty: -1 */
    int init_fd;  /* winch-init, or -1 */
    bool foreign_stdio; /* a named FIFO among them is not ours to give away */
    int target;   /* exec: pidfd of the first process, whose namespaces are joined; -1: a new
                     container */

    /* made on the way */
    int userns_fd;  /* -1: none */
    int scratch_fd; /* private tmpfs over run_dir: places to attach mounts that end up elsewhere; -1
                       until needed */
    unsigned scratch_names; /* given out so far */
    int root_fd;            /* the container's root */
    int proc_fd;            /* the procfs that we mounted */
    int null_fd;            /* /dev/null that we made: covers masked files */
    int empty_tree;         /* empty read-only tmpfs: covers masked directories; -1 until needed */
    int shm_tree;           /* /dev/shm of the ipc namespace joined, or -1 */
    int tty_fd;             /* terminal slave */
    int *trees;     /* of spec->mounts, opened before the mounts become private; -1: made later */
    uid_t root_uid; /* host ids of the container's root: id_base, or 0 */
    struct user_ids ids;
    const char **env;
};

/* Never return: execute the process, or report through sync and exit. */
__attribute__((noreturn)) void setup_run(struct setup *setup);
__attribute__((noreturn)) void setup_run_exec(struct setup *setup);

/* Steps that others walk, too (view.c). */
int setup_private(struct setup *setup, struct err *err);
int setup_owner(struct setup *setup, struct err *err);
/* Steps that live in files of their own. */
int setup_rootfs(struct setup *setup, struct err *err); /* rootfs.c */
int setup_pivot(struct setup *setup, struct err *err);
int setup_proc(struct setup *setup, struct err *err); /* apifs.c */
int setup_sys(struct setup *setup, struct err *err);
int setup_cgroup_view(struct setup *setup, struct err *err);
int setup_dev(struct setup *setup, struct err *err); /* devices.c */
/* Every device of the host, in the container's /dev. */
int devices_copy(int dev, struct err *err); /* devices_host.c */
int setup_shm_source(struct setup *setup, struct err *err);
int setup_devices(struct setup *setup, struct err *err);
int setup_terminal(struct setup *setup, struct err *err);
int setup_mount_sources(struct setup *setup, struct err *err); /* mounts.c */
int setup_mounts(struct setup *setup, struct err *err);
/* O_PATH descriptor of a place below the root to mount on, made when missing. */
int setup_target(struct setup *setup, const char *path, bool is_file, struct err *err);
int setup_masks(struct setup *setup, struct err *err); /* masks.c */
int setup_readonly(struct setup *setup, struct err *err);
int setup_sysctls(struct setup *setup, struct err *err); /* sysctl.c */

/* The scratch tmpfs, made at the first call. */
int setup_scratch(struct setup *setup, struct err *err); /* rootfs.c */
/* Read-only union of directories (top first), shown with the container's ids; detached. */
int setup_layers_tree(struct setup *setup, char *const *layers, size_t count, int *ret_tree,
                      struct err *err);
/* true for keys that a container may set (namespaced ones). Pure. */
bool sysctl_is_allowed(const char *key, bool own_ipc, bool own_uts);
