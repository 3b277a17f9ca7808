/* SPDX-License-Identifier: Apache-2.0 */
/* child.h - what becomes the first process of an OCI container, or one more in it: step lists between clone and execve, and the
 * words it exchanges with the runtime meanwhile. */
#pragma once

#include "engine/oci/bundle.h"
#include "engine/runtime/setup.h"

enum { /* kinds of struct sync_message beside sync.h's; the runtime answers OCI_SYNC_HOOKS with one byte */
    OCI_SYNC_HOOKS = 100, /* namespaces and mounts are there, the root is not entered yet */
    OCI_SYNC_READY,       /* waits at the FIFO; the last message */
};

struct oci_child {
    const struct oci_bundle *bundle;
    const struct oci_process *process;
    const struct cgroup *cgroup;
    const struct filter *filter;
    const char *bundle_dir;
    struct jv *hook_state;   /* of createContainer and startContainer hooks; its pid is filled in */
    int sync, fifo, console; /* console: socket that gets the terminal; -1: it goes over sync */
    int preserve;            /* descriptors beside 0-2 that stay open */
    int target;              /* exec: pidfd of the first process; else -1 */
    pid_t target_pid;
    bool userns;             /* runs in a user namespace of its own */
    bool enter_cgroup;       /* v1: enters by itself, which is quick, but needs the host's root */
    bool no_pivot, no_new_keyring;
    struct setup setup;      /* what the shared steps need */
};

/* Never return. */
__attribute__((noreturn)) void oci_child_run(struct oci_child *child);
__attribute__((noreturn)) void oci_child_run_exec(struct oci_child *child);

/* child_mounts.c */
int oci_child_root(struct oci_child *child, struct err *err);
int oci_child_mounts(struct oci_child *child, struct err *err);
int oci_child_devices(struct oci_child *child, struct err *err);
/* child_identity.c: all that gives up power, then execve. */
int oci_child_confine(struct oci_child *child, struct err *err);
/* ERR_NOT_FOUND, ERR_DENIED when the program cannot be run, as far as that shows before. */
int oci_child_lookup(const struct oci_child *child, struct err *err);
