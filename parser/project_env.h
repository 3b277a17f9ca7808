/* SPDX-License-Identifier: Apache-2.0 */
/* project_env.h - files of a project and the environment they are read with.
 *
 * Source: compose-reference b.2, b.4, b.5. */
#pragma once

#include "parser/env.h"
#include "parser/loading.h"

/* Adds the variables of dotenv files (absolute paths) that env does not have; a later file overrides an earlier one.
 * optional: a missing file is none. */
int project_env_add(struct loading *loading, struct env *env, const char *const *paths, bool optional, struct err *err);

struct project_files {
    const char *working_dir;       /* absolute */
    const char **paths, **display; /* absolute (or "-") and as shown in positions; NULL-terminated */
    size_t count;
    const char **env_files; /* absolute, those given by option or variable; NULL-terminated */
    size_t env_count;
};
/* Finds the files and adds dotenv files to loading->env. ERR_NOT_FOUND: no configuration file. */
int project_files_find(struct loading *loading, struct project_files *ret_files, struct err *err);

/* The project's name; name_in_file is interpolated, may be NULL. Lives in the arena. */
int project_name_choose(struct arena *arena, const struct load_options *options, const struct env *env,
                        const char *name_in_file, const char *working_dir, const char **ret_name, struct err *err);
