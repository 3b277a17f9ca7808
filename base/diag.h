/* SPDX-License-Identifier: Apache-2.0 */
/* diag.h - positioned findings in a user's files: collected, so that one run shows them all. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

/* A place in a file. file is borrowed (lives in the project's arena); line and column count from 1; line 0
 * means "the file as a whole"; file NULL means no place at all (command line, environment). */
struct pos {
    const char *file;
    unsigned line, column;
};

enum diag_level { DIAG_ERROR, DIAG_WARNING, DIAG_NOTE };

struct diag {
    enum diag_level level;
    struct pos pos;
    char *path;    /* "services.web.ports[0]" or NULL */
    char *message; /* one line, lower case */
    char *hint;    /* nearest word, remedy; or NULL */
    struct pos other; /* the second place of a conflict; file NULL when there is none */
    const char *id;   /* lint id, static; or NULL */
    bool is_secret;   /* the line in the file holds what must not be shown */
};

#define DIAG_KEPT_MAX 500    /* errors, and as many warnings: more are only counted */
#define DIAG_MESSAGE_MAX 4096 /* bytes; longer ones are cut */

struct diags {
    struct diag *items;
    size_t count, capacity;
    size_t error_count;  /* those that were not kept included */
    size_t errors_lost, others_lost; /* not kept */
    struct diag lost;    /* the last one of them */
    char **files; /* names that diags_detach copied; strv */
};

void diags_done(struct diags *diags);
void diag_done(struct diag *diag);
/* When some were not kept: a finding that says how many, for diag_done. */
bool diags_lost(const struct diags *diags, struct diag *ret_diag);
/* All add one finding. path may be NULL. Returned pointer is valid until the next add: set hint, other. */
struct diag *diag_error(struct diags *diags, struct pos pos, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
struct diag *diag_warning(struct diags *diags, struct pos pos, const char *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void diag_hint(struct diag *diag, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Copies the file names of all findings, so that they outlive the arena of their project. */
void diags_detach(struct diags *diags);
/* Removes the warnings and notes at exactly this place. */
void diags_drop(struct diags *diags, struct pos pos);
/* Sorts by file (in order of first appearance), line, column; drops exact duplicates. */
void diags_sort(struct diags *diags);
const char *diag_level_text(enum diag_level level); /* "error" */
/* "compose.yaml:12:9: error: services.web.ports[0]: 'eighty' is not a port" + hint line. Owned. */
char *diag_format(const struct diag *diag);
