/* SPDX-License-Identifier: Apache-2.0 */
/* helper.h - loading projects from text for the tests of parser/. */
#pragma once

#include <criterion/criterion.h>

#include "parser/load.h"

/* A file below a fresh directory that is removed when the test ends; returns its absolute path (leaks by intent). */
const char *test_file(const char *name, const char *text);
const char *test_dir(void);

struct loaded {
    struct project *project; /* NULL: refused */
    char *text;              /* config output, or "" */
    char *findings;          /* all of them, a line each, and err */
};
/* environment: NAME=VALUE strings, NULL-terminated; may be NULL. files: paths, NULL-terminated. */
struct loaded test_load(const char *const *files, char *const *environment, const struct load_options *more);
/* One file with this text. */
struct loaded test_load_text(const char *text, char *const *environment);
/* Two files, the second over the first. */
struct loaded test_load_two(const char *base, const char *over);
