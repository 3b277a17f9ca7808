/* SPDX-License-Identifier: Apache-2.0 */
/* load.h - files → const struct project *: the whole pipeline as one function. How big files may be: parser/limits.h. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/diag.h"
#include "base/json.h"
#include "parser/model.h"

struct load_options {
    const char *const *files;     /* -f, NULL-terminated; NULL: COMPOSE_FILE, else search here and in parents */
    const char *project_name;     /* -p; NULL: COMPOSE_PROJECT_NAME, name:, directory */
    const char *project_directory;
    const char *const *env_files; /* --env-file; NULL: COMPOSE_ENV_FILES, .env */
    const char *const *profiles;  /* --profile; NULL: COMPOSE_PROFILES */
    const char *overlay;          /* YAML merged over all files, its positions say "command line"; or NULL */
    const char *const *services;  /* named on the command line: their profiles are activated; NULL: none */
    const char *cwd;              /* absolute working directory */
    char *const *environment;     /* process environment, KEY=VALUE, NULL-terminated */
    bool no_interpolate, no_normalize, no_consistency, no_path_resolution, no_env_resolution, all_resources;
    bool strict;         /* an unset variable without a default is an error */
    bool only_services;  /* of the services only the named ones and what they depend on */
    bool origins;        /* note which variables made a value, for project_origins_text and project_explain */
    bool list_variables; /* fill project->environment and project->variables */
};

/* 0 and *ret_project (project_free), or -1: then diags has at least one error (mistakes in files, with positions) or
 * *err is filled (no file found, unreadable file). Warnings are in diags in both cases. */
int project_load(const struct load_options *options, struct project **ret_project, struct diags *diags, struct err *err);

/* The name by the same rules (b.5) without needing the file to be right, for `down -p`-like commands: -p, variable, name: of a
 * readable file, directory. Owned. */
int project_name_pick(const struct load_options *options, char **ret_name, struct err *err);

/* `config` output, compose-reference d.6. Owned. as_json: keys sorted, two-space indent. */
char *project_config_text(const struct project *project, bool as_json);
/* The same with the place that each value came from: YAML with comments, JSON as path → place. Owned. */
char *project_origins_text(const struct project *project, bool as_json);
/* Each value at and below a path ("services.web.environment.A", "services.web.ports[0]"): its place and what it replaced.
 * Owned. ERR_NOT_FOUND. */
int project_explain(const struct project *project, const char *path, char **ret_text, struct err *err);
/* Another image for one service; its fingerprint stays. */
void project_set_image(struct project *project, const char *service, const char *image);
/* Leaves of all only the images of the services (`config --lock-image-digests`). */
void project_keep_images(struct project *project, bool as_json);

/* The resolved project for the supervisor and for generations/: JSON from which project_from_json makes an equal
 * model without libyaml, files or environment (b.2 is resolved; secrets' content is not in it, but their sources are). */
struct jv *project_to_json(const struct project *project);
int project_from_json(const struct jv *value, struct project **ret_project, struct err *err);

/* What winch cannot run today, by name and position: errors for keys and values that would be without effect, warnings
 * for keys that say nothing on one host. Called before up, create, run; config prints such projects all the same.
 * 0, or -1 when there are errors. */
int project_check_runnable(const struct project *project, struct diags *diags);

/* Files of configs and secrets, and bind sources with create_host_path: false, that are not there; of the named services
 * (NULL or empty: all) and what they depend on. 0, or -1 when there are errors. */
int project_check_sources(const struct project *project, const char *const *services, struct diags *diags);
