/* SPDX-License-Identifier: Apache-2.0 */
/* loading.h - what the steps of one load share: arena, findings, environment, options. */
#pragma once

#include "base/map.h"
#include "parser/load.h"
#include "parser/node.h"

struct env;

struct loading {
    struct arena *arena;
    struct diags *diags;
    const struct load_options *options;
    struct env *env;         /* project environment; of an include: its own */
    const char *working_dir; /* absolute project directory (of an include: its own) */
    struct map *unset_seen;  /* variables already warned about */
    struct map *files_read;  /* extended files: absolute path → services in long form */
    struct map *including;   /* files on the way of include, to find cycles */
    unsigned depth;          /* of include */
};

#define LOAD_FILE_DEPTH_MAX 32 /* include in include, extends of extends */
