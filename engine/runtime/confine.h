/* SPDX-License-Identifier: Apache-2.0 */
/* confine.h - the last steps of every process that enters a container, first process, exec and
 * probe alike: user namespace, identity, capabilities, filter, execve. Called in the child, in the
 * container's root. libc only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "engine/runtime/spec.h"
#include "engine/runtime/user.h"

/* A compiled filter, read once and checked against its hash by the monitor. */
struct filter {
    void *program; /* struct sock_filter array; NULL: none */
    size_t size;
};
/* spec->seccomp_filter NULL gives an empty one. ERR_CORRUPT when the bytes do not match
 * seccomp_sha256. */
int filter_load(const struct container_spec *spec, struct filter *ret_filter, struct err *err);

/* The calling process is filtered from now on; needs CAP_SYS_ADMIN or no_new_privs. */
int filter_install(const struct filter *filter, struct err *err);

struct confinement {
    const struct container_spec *spec;
    const struct spec_process *process;
    const struct user_ids *ids;
    const struct filter *filter; /* NULL: unconfined */
    int userns_fd;               /* -1: stays in the host's */
    bool own_mounts; /* with CAP_SYS_ADMIN in a user namespace: a mount namespace that it owns */
    int init_fd;     /* >= 0: winch-init, which starts the process */
};
/* Checks what can be refused before anything is changed: capabilities the host lacks, ids outside
 * the range. */
int confine_check(const struct confinement *confinement, struct err *err);
int confine_enter_userns(const struct confinement *confinement, struct err *err);
/* Ids, capabilities, filter. Afterwards only process_exec. */
int confine_apply(const struct confinement *confinement, struct err *err);
/* execve with a search in the PATH of the process's environment. Returns only on failure:
 * ERR_NOT_FOUND (127) when there is no such program, ERR_DENIED (126) when it cannot be run. */
int process_exec(const struct confinement *confinement, const struct spec_process *process,
                 const char *const *env, struct err *err);
/* The environment with HOME, HOSTNAME and TERM added where missing. Allocated. */
const char **process_environment(const struct spec_process *process, const struct user_ids *ids,
                                 const char *hostname);
/* chdir to a directory of the present root, made (owner uid) when missing; ERR_DENIED when that
 * leads out of the root. */
int cwd_enter(const char *cwd, uid_t owner, struct err *err);
/* Resource limits, by the calling process for itself. ERR_DENIED names the one that the host does
 * not allow. */
int rlimits_apply(const struct container_spec *spec, struct err *err);
/* The same for another process. */
int rlimits_set(pid_t pid, const struct spec_rlimit *limits, size_t count, struct err *err);
