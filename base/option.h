/* SPDX-License-Identifier: Apache-2.0 */
/* option.h - command-line options as tables. The same rows make --help.
 *
 * Long options take --x=v and --x v; booleans take --x, --x=true, --x=false (as docker's do). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

enum option_kind {
    OPTION_FLAG,   /* bool */
    OPTION_STRING, /* const char * (borrowed from argv) */
    OPTION_INT,    /* long long */
    OPTION_LIST,   /* char **, strv: repeatable */
};

struct option_row {
    char letter;       /* 0: none */
    const char *name;  /* long name, without dashes */
    enum option_kind kind;
    size_t offset;     /* of the field in the values struct */
    const char *value; /* placeholder for help: "FILE"; NULL for flags */
    const char *help;  /* one line; NULL: accepted, not shown */
};

/* Parses argv[1 … argc-1] into *values (the caller's struct with defaults set). rows end with {0}.
 * stop_at_word: options end at the first word that is none (exec, run, global options); else they may be
 * mixed with words, which are moved to the end. *ret_first is the index of the first word. ERR_USAGE for
 * unknown options (with the nearest known one as hint), missing or bad values. --help/-h gives
 * ERR_CANCELLED with an empty message. */
int options_parse(const struct option_row *rows, int argc, char **argv, bool stop_at_word, void *values,
                  int *ret_first, struct err *err);
/* Aligned "  -f, --file FILE   help" lines. Owned by the caller. */
char *options_help(const struct option_row *rows);
