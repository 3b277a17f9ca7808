/* SPDX-License-Identifier: Apache-2.0 */
/* run_overlay.h - what `run` says about its container as one more compose file, merged over the others. Pure but for reading
 * the environment. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct run_wishes {
    const char *service;
    char **command; /* NULL or empty: the service's */
    char **env, **labels, **volumes, **publish, **cap_add, **cap_drop;
    char **env_files; /* below env */
    const char *user, *workdir, *entrypoint;
    bool service_ports;
    bool set_tty, tty, stdin_open; /* set_tty false: as the service has it */
};

/* Owned by the caller. ERR_USAGE names the option; ERR_NOT_FOUND: an environment file. */
int run_overlay(const struct run_wishes *wishes, char **ret_text, struct err *err);
