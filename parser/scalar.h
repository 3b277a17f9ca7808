/* SPDX-License-Identifier: Apache-2.0 */
/* scalar.h - what a plain YAML word means, and which strings need quotes. Pure.
 *
 * YAML 1.2 core words with the leftovers of 1.1 that the reference implementation has: 010 and 0o10 are
 * octal, 0b binary, 1_000 a number; yes, on, 12:30 are strings. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "parser/node.h"

#define SCALAR_FLOAT_SIZE 40

/* Kind of a plain scalar; for numbers and booleans the value is stored in *ret (kind, value, text stays NULL
 * for strings). Integers beyond int64_t become floats. */
struct scalar {
    enum node_kind kind;
    bool boolean;
    int64_t integer;
    uint64_t big; /* NODE_FLOAT: the integer that it was written as; 0: none, or too big */
    double number;
};
struct scalar scalar_resolve(const char *text);
/* Shortest decimal that reads back as the same double, in the notation of Go's %v. */
void scalar_float_format(double value, char ret_text[SCALAR_FLOAT_SIZE]);
/* As above for a value of float precision. */
void scalar_float32_format(float value, char ret_text[SCALAR_FLOAT_SIZE]);
/* true when the plain spelling of this string would be read as something else by a YAML 1.1 or 1.2 reader. */
bool scalar_needs_quotes(const char *text);
