/* SPDX-License-Identifier: Apache-2.0 */
/* config_lists.h - what `config` prints instead of the project: names, variables, hashes. */
#pragma once

#include "base/err.h"
#include "parser/model.h"

struct config_lists {
    bool services, volumes, networks, images, models, profiles, environment, variables;
    const char *hash; /* "*" or names with commas */
};

/* Prints what is asked for on stdout; false: nothing is asked for. *err is filled when it is not
 * there. */
bool config_lists_print(const struct config_lists *lists, const struct project *project,
                        bool as_json, struct err *err);
