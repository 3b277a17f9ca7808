/* SPDX-License-Identifier: Apache-2.0 */
/* cli.h - what all commands share: global options, the command table, printing of errors. */
#pragma once

#include <stdbool.h>
#include <stdio.h>

#include "base/diag.h"
#include "base/err.h"
#include "base/layout.h"
#include "base/option.h"
#include "orchestrator/observed.h"
#include "parser/load.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_INTERRUPTED = 130 };

struct global_options {
    char **files, **profiles, **env_files;
    const char *project_name, *project_directory, *ansi, *progress, *root;
    long long parallel; /* at most so many operations at once; 0, -1: no limit */
    bool verbose, dry_run, all_resources, version;
    bool remove_orphans, ignore_orphans; /* by variable only */
};

struct cli {
    struct global_options global;
    struct layout layout;
    const struct command_row *command; /* the one that runs */
};

/* argv[0] is the command's name; returns the exit code. */
typedef int command_fn(struct cli *cli, int argc, char **argv);
enum command_effect {
    EFFECT_READS,
    EFFECT_PLANS,   /* changes by a plan: --dry-run prints it */
    EFFECT_CHANGES, /* changes without a plan: --dry-run is refused */
};
struct command_row {
    const char *name;
    const char *words; /* "[SERVICE...]" for the usage line */
    const char *help;
    command_fn *run;
    const struct option_row *options; /* ends with {0}; NULL: none */
    enum command_effect effect;
};
extern const struct command_row command_table[]; /* sorted by name, ends with {0} */
const struct command_row *command_find(const char *name);
extern const struct option_row global_option_rows[];

/* Prints "error: …" and its hint on stderr; returns the exit code that goes with it. */
int cli_error(const struct err *err);
/* As a finding where --progress json wants JSON. */
int cli_load_error(const struct cli *cli, const struct err *err);
void cli_diags(const struct cli *cli, struct diags *diags); /* sorted, all of them, on stderr */
void cli_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Parses a command's options (its row in command_table); -1: *ret_code is the exit code (help,
 * usage error). */
int cli_options(struct cli *cli, int argc, char **argv, bool stop_at_word, void *values,
                int *ret_first, int *ret_code);
bool cli_color(const struct cli *cli, FILE *stream);

/* Loads the project named by the global options; services (NULL-terminated, may be NULL) activate
 * their profiles. Prints findings; -1: *ret_code is the exit code. */
int project_pick(struct cli *cli, char *const *services, struct project **ret_project,
                 int *ret_code);
/* What the global options say about loading; services as above. */
struct load_options project_load_options(const struct cli *cli, char *const *services,
                                         const char *cwd);
/* As project_pick; the flags of load (no_…, all_resources, strict, only_services, origins …)
 * count. */
int project_pick_as(struct cli *cli, const struct load_options *load, char *const *services,
                    struct project **ret_project, int *ret_code);
/* Is there a compose file to be found? */
bool project_exists(const struct cli *cli);
/* As project_pick, but a missing file is no error (commands that work from -p alone): then
 * *ret_project is NULL and *ret_name is the project's name (owned). */
int project_pick_name(struct cli *cli, char *const *services, struct project **ret_project,
                      char **ret_name, int *ret_code);
/* Loads name and project and observes; for reading commands. *ret_project may be NULL. */
int project_observe(struct cli *cli, char *const *services, struct project **ret_project,
                    char **ret_name, struct observed *ret_observed, int *ret_code);
/* Observes a project that was picked; no state at all is an empty world. */
int project_look(struct cli *cli, const struct project *project, const char *name,
                 struct observed *ret_observed, int *ret_code);
/* The same, but only the containers of one service are observed, and no networks, volumes, images.
 */
int project_observe_service(struct cli *cli, char *service, struct project **ret_project,
                            char **ret_name, struct observed *ret_observed, int *ret_code);
/* Services named in words exist in the model or among the containers, else "no such service: x". */
int project_check_services(const struct project *project, const struct observed *observed,
                           char *const *words, struct err *err);

extern const struct option_row attach_options[], config_options[], cp_options[], create_options[], export_options[],
    images_options[], inspect_options[], scale_options[], volumes_options[], doctor_options[], down_options[],
    events_options[], exec_options[], explain_options[], image_options[], kill_options[],
    lint_options[], logs_options[], ls_options[], pause_options[], unpause_options[], port_options[], ps_options[], pull_options[],
    restart_options[], rm_options[], run_options[], start_options[], stats_options[], stop_options[], top_options[], up_options[],
    version_options[], wait_options[], volume_options[], network_options[];
command_fn cmd_config, cmd_cp, cmd_create, cmd_export, cmd_images, cmd_inspect, cmd_scale, cmd_volumes, cmd_doctor, cmd_down, cmd_events, cmd_exec, cmd_explain, cmd_image, cmd_kill,
    cmd_lint, cmd_logs, cmd_ls, cmd_network, cmd_oci, cmd_pause, cmd_unpause, cmd_port, cmd_ps, cmd_pull, cmd_restart, cmd_rm, cmd_run,
    cmd_start, cmd_stats, cmd_stop, cmd_top, cmd_up, cmd_version, cmd_volume, cmd_wait, cmd_help;
