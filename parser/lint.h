/* SPDX-License-Identifier: Apache-2.0 */
/* lint.h - what is legal in a compose file but hurts: a table of rules over a loaded project and over the text of its
 * files. docs/lint.md is made from the table.
 *
 * A comment `# winch-lint: ignore=ID[,ID]` at the end of a finding's line, or alone on the lines right above it, takes the
 * finding away; `all` stands for every id. */
#pragma once

#include <stddef.h>

#include "parser/model.h"

struct lint;
struct lint_scalar;

/* A rule has exactly one of the three checks. */
struct lint_rule {
    const char *id;
    enum diag_level level;
    const char *what;   /* "image without a tag, or with the tag latest" */
    const char *remedy; /* the hint of each finding */
    void (*service)(struct lint *lint, const struct service *service); /* for each service, selected or not */
    void (*project)(struct lint *lint);
    void (*scalar)(struct lint *lint, const struct lint_scalar *scalar); /* for each value of each file, before
                                                                          * interpolation */
};
extern const struct lint_rule lint_rules[]; /* sorted by id */
extern const size_t lint_rule_count;
const struct lint_rule *lint_rule_find(const char *id); /* NULL: there is none */

/* A file of the project as it was read. */
struct lint_source {
    const char *file; /* as in positions */
    const char *const *lines; /* each up to its '\n' or the end of text; lines[line_count] is the end */
    size_t line_count;
    const struct node *documents; /* raw, a list; NULL: it cannot be read (again) */
    const struct node **scalars;  /* all values in it, sorted by place */
    size_t scalar_count;
};
struct lint_sources { struct lint_source *items; size_t count; };

/* Reads the files that the positions in the project name, once more; into the project's arena. */
struct lint_sources lint_sources_read(const struct project *project);

/* project: loaded with all_resources and no_env_resolution, so that what is unused and what stands in env files can be
 * told. diags: may hold the load's findings; those that a rule tells better are replaced. Pure. */
void lint_project(const struct project *project, const struct lint_sources *sources, struct diags *diags);
