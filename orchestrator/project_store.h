/* SPDX-License-Identifier: Apache-2.0 */
/* project_store.h - what is kept of a project on disk: lib/projects/<p>/.
 *
 *   project.json               intent: up or down, id range, where its files are
 *   generations/<n>/project.json   the accepted model, resolved (project_to_json); project.json holds the current n
 * Written by the project's supervisor only; read by everyone. project_list and project_stored are in client.h. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/layout.h"
#include "parser/model.h"

#define PROJECT_INTENT_VERSION 1
#define PROJECT_GENERATIONS_KEPT 5
#define ID_BASE_FIRST 0x40000000LL /* 65,536 ids each, upwards from here */
#define ID_BASE_LAST  0x7fff0000LL

struct project_intent {
    char *name;
    int64_t id_base;    /* first host id of the range; 0: none yet */
    bool want_up;       /* false after `down` and `stop` of everything */
    int64_t generation; /* current; 0: none */
    char **config_files;
    char *working_dir;
};
void project_intent_done(struct project_intent *intent);
/* ERR_NOT_FOUND, ERR_CORRUPT (names the file), ERR_UNSUPPORTED for a newer version. */
int project_intent_load(const struct layout *layout, const char *project, struct project_intent *ret_intent, struct err *err);
int project_intent_save(const struct layout *layout, const struct project_intent *intent, struct err *err);
/* Loads, or makes a new one with an id range that no other project holds (lowest free, under a lock over all
 * projects), and saves it. ERR_LIMIT: no range is left. */
int project_intent_ensure(const struct layout *layout, const char *project, struct project_intent *ret_intent, struct err *err);
/* Pure: lowest base that is not in taken[]; -1 when none is left. */
int64_t id_base_pick(const int64_t *taken, size_t count);

/* Stores the model as the next generation, makes it current, drops all but the last PROJECT_GENERATIONS_KEPT, updates *intent
 * (generation, config_files, working_dir; not saved). The same model as the current one makes no new generation. */
int project_generation_add(const struct layout *layout, const struct project *project, struct project_intent *intent, struct err *err);
/* Removes everything kept of the project. The id range is kept while a volume of the project exists, so that the
 * range is never given to another: then only the generations go and the intent says "down". */
int project_forget(const struct layout *layout, const char *project, struct err *err);
