/* SPDX-License-Identifier: Apache-2.0 */
/* view_table.h - aligned tables on stdout. Pure but for the printing. */
#pragma once

#include <stddef.h>

struct view_table;
/* heads is NULL-terminated. */
struct view_table *view_table_new(const char *const *heads);
/* One cell for each head; copied; control characters are escaped. */
void view_table_row(struct view_table *table, const char *const *cells);
void view_table_print(const struct view_table *table);
void view_table_free(struct view_table *table);
