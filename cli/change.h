/* SPDX-License-Identifier: Apache-2.0 */
/* change.h - one changing call to the project's supervisor, with progress and Ctrl-C. */
#pragma once

#include "base/ipc.h"
#include "cli/cli.h"
#include "cli/view_progress.h"
#include "orchestrator/plan.h"

/* Blocks SIGINT and SIGTERM and gives a descriptor that reads them (signalfd); -1 with errno. */
int interrupt_fd(void);
/* true and the signal number when one is pending. */
bool interrupt_take(int fd, int *ret_signo);

/* Calls `call` with args (taken), shows progress, prints the error. An interrupt hangs up and gives
 * 130. ret_ok may be NULL. Returns the exit code. */
int change_run(struct cli *cli, const char *project, bool start_supervisor, const char *call,
               const char *title, struct jv *args, struct jv **ret_ok);
/* {"services":[…]} when any are named, plus "timeout_us" when >= 0. */
struct jv *change_options(char *const *services, long long timeout_s);
/* The plan as text on stdout, its warnings on stderr: --dry-run. */
void plan_print(const struct plan *plan);
