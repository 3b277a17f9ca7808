/* SPDX-License-Identifier: Apache-2.0 */
/* client.h - talking to a project's supervisor (winch-supervisor), blocking side for commands.
 *
 * Socket run/projects/<p>/supervisor.sock. Methods (docs/ipc.md):
 *   up       {project: <project_to_json>, options: {…plan_options fields by name…, wait: bool, wait_timeout_us}}
 *   down     {options}                     (ok after everything is gone; the supervisor then ends by itself)
 *   start stop restart kill pause unpause rm {options}
 *   run      {project, options: {services: [one], no_deps, pull, remove_orphans, oneoff: {name, rm, aliases}, attached}}, with
 *            three descriptors (or one, a socket for the terminal) in the foreground: monitor/protocol.h. Event {"type":"run","id",
 *            "name"} when it runs; → {id, name} then, or, attached, {id, name, exit_code} when it has ended and, with rm, is gone
 *   attend   {id}                          → {exit_code} as above, for a caller whose supervisor died
 *   wait     {services:[…]}                → {codes:{container name: code}}
 *   cancel   {}                            stops the change that runs: operations not begun are dropped, waits end, the change fails
 *                                          with ERR_CANCELLED; what has begun is completed. Answered at once.
 *   events   {}                            subscription: never answers, sends events until the client hangs up
 *   status   {}                            → {pid, containers: n, version}
 * During all of these the caller receives events:
 *   {"type":"progress","resource":"Container","name":"p-web-1","word":"Started","done":true,"error":null|"text","detail":"cause or bytes",
 *    "current":n,"total":n,"parent":id}
 *   {"type":"warning","text":"…"}
 * and the final ok, or an error naming the failed edge/container. A client that hangs up: up, down … go on (but `up` with
 * "attached": true stops nothing either; the CLI turns Ctrl-C into an explicit stop). Calls of one project are serialised: a
 * second change waits, progress event {"type":"waiting","text":"another command …"} is sent.
 * events subscription: {"type":"event","time":"RFC3339 ns","seq":n,"action":"create|start|die|stop|kill|oom|restart|health_status|destroy|pull|network…",
 *    "service":"web","number":1,"container":"p-web-1","id":"…","attributes":{"exitCode":"1",…}} */
#pragma once

#include <stdbool.h>

#include "base/ipc.h"
#include "base/layout.h"

/* The starter gives a pipe's end as this descriptor; the supervisor closes it when it listens. */
#define CLIENT_READY_FD 3

/* Connects to the project's supervisor; when start is set and nobody listens, starts one (a lock picks one) and waits
 * for its socket (≤ 10 s). ERR_NOT_FOUND when not running and start is false. */
int supervisor_connect(const struct layout *layout, const char *project, bool start, struct ipc_client **ret_client, struct err *err);

/* Projects known on disk (containers, generations) with counts by state, for `ls`. */
struct project_summary { char *name; char *config_files; size_t running, exited, other; };
int project_list(const struct layout *layout, struct project_summary **ret_items, size_t *ret_count, struct err *err);
void project_list_free(struct project_summary *items, size_t count);
/* The stored resolved model of the last `up` (projects/<p>/generations/<current>/project.json); ERR_NOT_FOUND. */
int project_stored(const struct layout *layout, const char *project, struct jv **ret_value, struct err *err);
