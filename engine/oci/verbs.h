/* SPDX-License-Identifier: Apache-2.0 */
/* verbs.h - what winch-oci can be told to do. The command line is runc's and crun's, so that their callers need no change.
 *
 * Source: runtime-spec runtime.md "Operations"; the options are those that conmon, containerd's shim and podman give. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/option.h"

struct oci_globals {
    const char *root, *log, *log_format, *cgroup_manager;
    bool systemd_cgroup, debug, version;
};

struct oci_options { /* of all verbs */
    const char *bundle, *console_socket, *pid_file, *process, *user, *cwd, *format;
    long long preserve_fds;
    char **env, **caps;
    bool detach, tty, no_pivot, no_new_keyring, no_new_privs, force, all, quiet, keep;
};

/* words are NULL-terminated, without the verb. Returns the exit code; -1 with *err. */
typedef int oci_verb_fn(const struct oci_globals *globals, const struct oci_options *options, char **words, struct err *err);
extern const struct oci_verb {
    const char *name;
    oci_verb_fn *run;
    size_t least, most; /* words */
    bool stop_at_word;
    const struct option_row *rows;
    const char *help;
} oci_verbs[]; /* ends with {0} */

oci_verb_fn oci_create, oci_start, oci_run, oci_exec, oci_state_print, oci_kill, oci_delete, oci_list, oci_ps, oci_pause, oci_resume,
    oci_spec, oci_features;
/* Waits for a process of ours: passes signals on, relays its terminal (master >= 0). Its exit code. */
int oci_attend(int pid, int master);
