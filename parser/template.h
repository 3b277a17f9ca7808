/* SPDX-License-Identifier: Apache-2.0 */
/* template.h - interpolation of one string: $V, ${V}, ${V:-d} ${V-d} ${V:+r} ${V+r} ${V:?m} ${V?m}, $$, nested to any
 * depth up to TEMPLATE_DEPTH_MAX, operands evaluated only when used. Pure.
 *
 * Source: compose-reference b.1. */
#pragma once

#include <stdbool.h>

#include "base/str.h"
#include "parser/limits.h"

struct template_scope {
    /* Value of a variable, NULL when unset. */
    const char *(*lookup)(void *context, const char *name);
    /* Called for a variable that is unset where an empty string stands in for it; may be NULL. */
    void (*unset)(void *context, const char *name);
    void *context;
};

enum template_status { TEMPLATE_OK, TEMPLATE_INVALID, TEMPLATE_REQUIRED, TEMPLATE_LIMIT };

/* Appends the expansion of text. TEMPLATE_REQUIRED: *ret_message is "required variable V is missing a value: m".
 * TEMPLATE_INVALID: the offending part. TEMPLATE_LIMIT: which limit. All owned by the caller. */
enum template_status template_expand(const char *text, const struct template_scope *scope,
                                     struct str *ret, char **ret_message);
bool template_is_name(const char *text);

/* Calls found for each variable of text, also in operands; '-' '+' '?' or 0 and the operand ("": none) say how it is
 * used. What is no variable is passed over. */
typedef void template_found(void *context, const char *name, char operator_char, const char *operand);
void template_scan(const char *text, template_found *found, void *context);
