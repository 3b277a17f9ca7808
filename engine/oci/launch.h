/* SPDX-License-Identifier: Apache-2.0 */
/* launch.h - the runtime's side of making a process of an OCI container: namespaces, ids, limits, the talk with the child. */
#pragma once

#include "engine/oci/child.h"
#include "engine/oci/state.h"

struct oci_launch {
    struct oci_state *state;
    const struct oci_process *process;
    struct cgroup *cgroup;
    const char *console_socket; /* path; NULL: none */
    int preserve;               /* descriptors beside 0-2 to pass on */
    bool no_pivot, no_new_keyring;
    bool exec;                  /* one more process in a running container */
};

struct oci_launched {
    pid_t pid;
    int master; /* of a terminal that no console socket took; -1 */
};

/* 0: it waits for the start, or (exec) runs. -1: nothing of it is left. */
int oci_launch(const struct oci_launch *launch, struct oci_launched *ret_launched, struct err *err);
