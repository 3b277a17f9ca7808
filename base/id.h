/* SPDX-License-Identifier: Apache-2.0 */
/* id.h - random identifiers and the rules for names. */
#pragma once

#include <stdbool.h>

#define ID_SIZE       65 /* 64 lower-case hex digits and the terminator */
#define ID_SHORT_SIZE 13 /* 12 digits and the terminator */

void id_random(char ret_id[ID_SIZE]); /* getrandom(2) */
void id_short(const char *id, char ret_short[ID_SHORT_SIZE]);
bool id_is_valid(const char *text);      /* 64 lower-case hex digits */
bool name_is_resource(const char *text); /* [a-zA-Z0-9][a-zA-Z0-9_.-]*, at most 128: container, volume, network */
bool name_is_project(const char *text);  /* [a-z0-9][a-z0-9_-]*, at most 63 */
/* Lower case, other characters removed, leading _- removed (Compose's rule); "" when nothing is left.
 * Owned by the caller. */
char *name_project_normalize(const char *text);
