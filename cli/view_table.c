/* SPDX-License-Identifier: Apache-2.0 */
/* view_table.c - columns as wide as their widest cell plus three blanks. */
#include "cli/view_table.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"

struct view_table {
    size_t columns;
    size_t *widths;
    VEC(char *) cells;
};

static size_t display_width(const char *text)
{
    size_t width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

void view_table_row(struct view_table *table, const char *const *cells)
{
    for (size_t i = 0; i < table->columns; i++) {
        char *cell = str_printable(cells[i] ? cells[i] : "");
        table->widths[i] = MAX(table->widths[i], display_width(cell));
        VEC_ADD(&table->cells, cell);
    }
}

struct view_table *view_table_new(const char *const *heads)
{
    struct view_table *table = xcalloc(1, sizeof(*table));

    while (heads[table->columns])
        table->columns++;
    table->widths = xcalloc(table->columns, sizeof(*table->widths));
    view_table_row(table, heads);
    return table;
}

void view_table_print(const struct view_table *table)
{
    for (size_t i = 0; i < table->cells.count; i++) {
        size_t column = i % table->columns;
        fputs(table->cells.items[i], stdout);
        if (column + 1 == table->columns)
            fputc('\n', stdout);
        else
            printf("%*s", (int)(table->widths[column] - display_width(table->cells.items[i]) + 3),
                   "");
    }
}

void view_table_free(struct view_table *table)
{
    for (size_t i = 0; i < table->cells.count; i++)
        free(table->cells.items[i]);
    VEC_DONE(&table->cells);
    free(table->widths);
    free(table);
}
