/* SPDX-License-Identifier: Apache-2.0 */
/* lint_rule.h - what the checks of lint.c's table are made of. */
#pragma once

#include "base/map.h"
#include "parser/lint.h"
#include "parser/node.h"

struct lint {
    const struct project *project;
    const struct lint_sources *sources;
    const struct lint_rule *rule; /* the one that runs */
    struct diags *diags;
    struct map *services; /* name → service, selected or not */
    struct map *seen; /* file:line:column:id of findings: an alias is one place, however often it is used */
};

/* A value as it stands in a file. */
struct lint_scalar {
    const struct node *node;
    const struct path *path;
    const char *key;     /* nearest mapping key; NULL at the top */
    const char *section; /* the key around that, NULL: none */
    const char *spelling; /* of a plain value on one line: its characters in the file */
};

/* Adds a finding of the running rule. NULL: told already, or to be ignored; else valid until the next one. path may be
 * NULL. */
struct diag *lint_find(struct lint *lint, struct pos pos, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
const struct lint_source *lint_source_at(const struct lint *lint, const char *file); /* NULL: none */
/* The value that stands at a place, before interpolation; NULL when none does. */
const struct node *lint_raw_at(const struct lint *lint, struct pos pos);
/* A service by its name, selected or not; NULL: none. */
const struct service *lint_service(const struct lint *lint, const char *name);

/* lint_text.c */
void lint_scalars(struct lint *lint);
bool lint_is_ignored(const struct lint_source *source, unsigned line, const char *id);
void lint_ignored_ids(struct lint *lint);
void lint_version(struct lint *lint);
void lint_boolean(struct lint *lint, const struct lint_scalar *scalar);
void lint_octal(struct lint *lint, const struct lint_scalar *scalar);
void lint_respelled(struct lint *lint, const struct lint_scalar *scalar);
void lint_sexagesimal(struct lint *lint, const struct lint_scalar *scalar);

/* lint_service.c */
void lint_anonymous_volume(struct lint *lint, const struct service *service);
void lint_condition(struct lint *lint, const struct service *service);
void lint_database(struct lint *lint, const struct service *service);
void lint_health_disabled(struct lint *lint, const struct service *service);
void lint_health_missing(struct lint *lint, const struct service *service);
void lint_image_tag(struct lint *lint, const struct service *service);
void lint_secret(struct lint *lint, const struct service *service);
void lint_shell(struct lint *lint, const struct service *service);
void lint_uwsgi(struct lint *lint, const struct service *service);
void lint_unused(struct lint *lint);
