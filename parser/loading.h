/* SPDX-License-Identifier: Apache-2.0 */
/* loading.h - what the steps of one load share: arena, findings, environment, options. */
#pragma once

#include "base/map.h"
#include "parser/limits.h"
#include "parser/load.h"
#include "parser/node.h"

struct env;

/* What a load has taken so far. */
struct load_use {
    unsigned files; /* by include and extends */
    bool full;      /* said so */
};

struct loading {
    struct arena *arena;
    struct diags *diags;
    const struct load_options *options;
    struct env *env;         /* project environment; of an include: its own */
    const char *working_dir; /* absolute project directory (of an include: its own) */
    const char *root_dir;    /* absolute project directory of the whole */
    struct map *unset_seen;  /* variables already warned about */
    struct map *files_read;  /* extends.c: other files by absolute path */
    struct map *including;   /* files on the way of include, to find cycles */
    struct map *variables;   /* name → struct variable_use; NULL: not wanted */
    struct map *scopes;      /* env_file of included services: path → struct env of the include */
    struct map *scope_envs;  /* owns those */
    struct map *values;      /* secrets and configs of includes: "secrets.NAME" → value of their variable there */
    struct node *removed;    /* path → what !reset it, with what it said before; NULL: not wanted */
    unsigned depth;          /* of include */
    struct load_use *use;    /* against the limits; of the whole load */
};

/* variables.c: the variables of a raw document; then what project->environment and ->variables are. */
void variables_note(struct loading *loading, const struct node *document);
void variables_list(struct loading *loading, struct project *project);

/* Is there memory left for another part of the load? False after a diagnostic (one a load): the caller stops. */
bool load_has_room(struct loading *loading, struct pos pos);
/* The same for another file, read because of what stands at pos. */
bool load_has_room_for_file(struct loading *loading, struct pos pos);
