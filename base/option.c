/* SPDX-License-Identifier: Apache-2.0 */
/* option.c - command lines against a table of options. An own parser rather than getopt_long: that one keeps
 * its position in globals and accepts any unambiguous beginning of a name, which would make every new option
 * a breaking change. */
#include "base/option.h"

#include <limits.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "base/suggest.h"
#include "base/units.h"

#define HELP_COLUMN_MAX 32

struct parsing {
    const struct option_row *rows;
    void *values;
    int argc, at; /* at: the next argument */
    char **argv;
};

static bool is_end(const struct option_row *row)
{
    return !row->name && !row->letter;
}

static const struct option_row *find_long(const struct option_row *rows, const char *name, size_t size)
{
    for (; !is_end(rows); rows++)
        if (rows->name && strlen(rows->name) == size && memcmp(rows->name, name, size) == 0)
            return rows;
    return NULL;
}

static const struct option_row *find_letter(const struct option_row *rows, char letter)
{
    for (; !is_end(rows); rows++)
        if (rows->letter == letter)
            return rows;
    return NULL;
}

static int unknown_long(const struct option_row *rows, const char *name, size_t size, struct err *err)
{
    size_t count = 0;
    while (!is_end(&rows[count]))
        count++;
    _cleanup_free_ char *word = xstrndup(name, size);
    _cleanup_free_ const char **names = xcalloc(count, sizeof(*names));
    for (size_t i = 0; i < count; i++)
        names[i] = rows[i].help ? rows[i].name : NULL; /* hidden ones are not suggested */
    const char *nearest = suggest_nearest(word, names, count);
    err_set(err, ERR_USAGE, "unknown option '--%s'", word);
    return nearest ? err_hint(err, "did you mean '--%s'?", nearest) : -1;
}

/* shown: the option as the user wrote it, for messages. text is NULL for a flag without a value. */
static int store(const struct parsing *parsing, const struct option_row *row, const char *shown, char *text,
                 struct err *err)
{
    void *field = (char *)parsing->values + row->offset;
    switch (row->kind) {
    case OPTION_FLAG:
        *(bool *)field = true;
        if (text && !bool_parse(text, field))
            return err_set(err, ERR_USAGE, "option '%s': '%s' is neither true nor false", shown, text);
        break;
    case OPTION_STRING:
        *(const char **)field = text;
        break;
    case OPTION_INT:
        if (!parse_i64(text, LLONG_MIN, LLONG_MAX, field))
            return err_set(err, ERR_USAGE, "option '%s': '%s' is not a whole number", shown, text);
        break;
    case OPTION_LIST:
        *(char ***)field = strv_add(*(char ***)field, text);
        break;
    }
    return 0;
}

static int take_value(struct parsing *parsing, const char *shown, char **ret_value, struct err *err)
{
    if (parsing->at >= parsing->argc)
        return err_set(err, ERR_USAGE, "option '%s' needs a value", shown);
    *ret_value = parsing->argv[parsing->at++];
    return 0;
}

static int wants_help(struct err *err)
{
    return err_set(err, ERR_CANCELLED, "%s", "");
}

static int parse_long(struct parsing *parsing, char *argument, struct err *err)
{
    char *name = argument + 2, *value = strchr(name, '=');
    size_t size = value ? (size_t)(value - name) : strlen(name);
    const struct option_row *row = find_long(parsing->rows, name, size);
    if (!row && size == 4 && memcmp(name, "help", 4) == 0)
        return wants_help(err);
    if (!row)
        return unknown_long(parsing->rows, name, size, err);
    _cleanup_free_ char *shown = xasprintf("--%s", row->name);
    if (value)
        value++;
    else if (row->kind != OPTION_FLAG && take_value(parsing, shown, &value, err) < 0)
        return -1;
    return store(parsing, row, shown, value, err);
}

/* "-it", "-fFILE", "-f FILE", "-f=FILE" */
static int parse_letters(struct parsing *parsing, char *argument, struct err *err)
{
    for (char *at = argument + 1; *at; at++) {
        const char shown[] = {'-', *at, '\0'};
        const struct option_row *row = find_letter(parsing->rows, *at);
        char *value = NULL;
        if (!row && *at == 'h')
            return wants_help(err);
        if (!row)
            return err_set(err, ERR_USAGE, "unknown option '%s'", shown);
        bool last = row->kind != OPTION_FLAG;
        if (at[1] == '=') {
            value = at + 2;
            last = true;
        } else if (last && at[1]) {
            value = at + 1;
        } else if (last && take_value(parsing, shown, &value, err) < 0) {
            return -1;
        }
        if (store(parsing, row, shown, value, err) < 0)
            return -1;
        if (last)
            break;
    }
    return 0;
}

int options_parse(const struct option_row *rows, int argc, char **argv, bool stop_at_word, void *values,
                  int *ret_first, struct err *err)
{
    struct parsing parsing = {.rows = rows, .values = values, .argc = argc, .at = 1, .argv = argv};
    _cleanup_free_ char **words = xcalloc((size_t)argc + 1, sizeof(*words));
    _cleanup_free_ char **options = xcalloc((size_t)argc + 1, sizeof(*options));
    int word_count = 0, option_count = 0;

    while (parsing.at < argc) {
        char *argument = argv[parsing.at];
        bool is_word = argument[0] != '-' || argument[1] == '\0';
        if (is_word && stop_at_word)
            break;
        int start = parsing.at++;
        if (is_word) {
            words[word_count++] = argument;
            continue;
        }
        bool is_last = strcmp(argument, "--") == 0;
        if (!is_last && (argument[1] == '-' ? parse_long(&parsing, argument, err)
                                            : parse_letters(&parsing, argument, err)) < 0)
            return -1;
        while (start < parsing.at)
            options[option_count++] = argv[start++];
        if (is_last)
            break;
    }
    while (parsing.at < argc)
        words[word_count++] = argv[parsing.at++];
    if (option_count > 0)
        memcpy(argv + 1, options, (size_t)option_count * sizeof(*options));
    if (word_count > 0)
        memcpy(argv + 1 + option_count, words, (size_t)word_count * sizeof(*words));
    *ret_first = MIN(1 + option_count, argc); /* argc 0: a caller without argv[0] */
    return 0;
}

static char *help_left(const struct option_row *row)
{
    struct str left = {0};
    if (row->letter)
        str_addf(&left, "  -%c%s", row->letter, row->name ? ", " : "");
    else
        str_add(&left, "      ");
    if (row->name)
        str_addf(&left, "--%s", row->name);
    if (row->value)
        str_addf(&left, " %s", row->value);
    return str_take(&left);
}

char *options_help(const struct option_row *rows)
{
    struct str out = {0};
    size_t column = 0;
    for (const struct option_row *row = rows; !is_end(row); row++) {
        _cleanup_free_ char *left = help_left(row);
        if (row->help && strlen(left) <= HELP_COLUMN_MAX)
            column = MAX(column, strlen(left));
    }
    for (const struct option_row *row = rows; !is_end(row); row++) {
        _cleanup_free_ char *left = help_left(row);
        if (!row->help)
            continue;
        if (strlen(left) > column)
            str_addf(&out, "%s\n%*s   %s\n", left, (int)column, "", row->help);
        else
            str_addf(&out, "%-*s   %s\n", (int)column, left, row->help);
    }
    return str_take(&out);
}
