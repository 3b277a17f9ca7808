/* SPDX-License-Identifier: Apache-2.0 */
/* test_option.c - command lines as docker's users write them. */
#include <criterion/criterion.h>

#include "base/option.h"
#include "base/str.h"

struct values {
    bool all, interactive;
    const char *format;
    long long tail;
    char **files;
};

static const struct option_row rows[] = {
    {'a', "all", OPTION_FLAG, offsetof(struct values, all), NULL, "show all"},
    {'i', NULL, OPTION_FLAG, offsetof(struct values, interactive), NULL, "interactive"},
    {0, "format", OPTION_STRING, offsetof(struct values, format), "FORMAT", "output format"},
    {'n', "tail", OPTION_INT, offsetof(struct values, tail), "N", "number of lines"},
    {'f', "file", OPTION_LIST, offsetof(struct values, files), "FILE", "file to read"},
    {0, "secret", OPTION_FLAG, offsetof(struct values, all), NULL, NULL},
    {0},
};

/* *ret_argv is for strv_free; values and *ret_words borrow from it. */
static int parse(const char *line, bool stop_at_word, struct values *values, char ***ret_argv, char ***ret_words,
                 struct err *err)
{
    char **argv = strv_split(line, " ");
    int first = 0, argc = (int)strv_len(argv);
    int result = options_parse(rows, argc, argv, stop_at_word, values, &first, err);
    *ret_argv = argv;
    *ret_words = argv + first;
    return result;
}

Test(option, accepts_every_spelling)
{
    static const struct {
        const char *line;
        bool stop;
        struct values values;
        size_t files, words;
    } cases[] = {
        {"x", false, {0}, 0, 0},
        {"x -a w --format=json v", false, {.all = true, .format = "json"}, 0, 2},
        {"x -ai -n5", false, {.all = true, .interactive = true, .tail = 5}, 0, 0},
        {"x -ain 5 -f=a -fb -f c --file d --file=e", false, {.all = true, .interactive = true, .tail = 5}, 5, 0},
        {"x --all=false w -- -a --all", false, {0}, 0, 3},
        {"x -a=true -", false, {.all = true}, 0, 1},
        {"x -a run -i --nonsense", true, {.all = true}, 0, 3},
        {"x --format  w", false, {.format = ""}, 0, 1},
        {"x --tail=-1", false, {.tail = -1}, 0, 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct values values = {0};
        struct err err = {0};
        char **argv, **words;
        const char *line = cases[i].line;
        cr_assert_eq(parse(line, cases[i].stop, &values, &argv, &words, &err), 0, "case '%s': %s", line, err.message);
        cr_expect_eq(values.all, cases[i].values.all, "case '%s'", line);
        cr_expect_eq(values.interactive, cases[i].values.interactive, "case '%s'", line);
        cr_expect_eq(values.tail, cases[i].values.tail, "case '%s'", line);
        cr_expect(str_eq(values.format, cases[i].values.format), "case '%s'", line);
        cr_expect_eq(strv_len(values.files), cases[i].files, "case '%s'", line);
        cr_expect_eq(strv_len(words), cases[i].words, "case '%s'", line);
        strv_free(argv);
        strv_free(values.files);
    }
}

Test(option, refuses_with_a_reason)
{
    static const struct {
        const char *line;
        enum err_code code;
        const char *message, *hint;
    } cases[] = {
        {"x --al", ERR_USAGE, "unknown option '--al'", "did you mean '--all'?"},
        {"x --secrex", ERR_USAGE, "unknown option '--secrex'", ""},
        {"x --fromat=x", ERR_USAGE, "unknown option '--fromat'", "did you mean '--format'?"},
        {"x -az", ERR_USAGE, "unknown option '-z'", ""},
        {"x --tail", ERR_USAGE, "option '--tail' needs a value", ""},
        {"x -n", ERR_USAGE, "option '-n' needs a value", ""},
        {"x -n ten", ERR_USAGE, "option '-n': 'ten' is not a whole number", ""},
        {"x --all=maybe", ERR_USAGE, "option '--all': 'maybe' is neither true nor false", ""},
        {"x --help", ERR_CANCELLED, "", ""},
        {"x -ah", ERR_CANCELLED, "", ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct values values = {0};
        struct err err = {0};
        char **argv, **words;
        const char *line = cases[i].line;
        cr_expect_eq(parse(line, false, &values, &argv, &words, &err), -1, "case '%s'", line);
        cr_expect_eq(err.code, cases[i].code, "case '%s'", line);
        cr_expect_str_eq(err.message, cases[i].message);
        cr_expect_str_eq(err.hint, cases[i].hint);
        strv_free(argv);
    }
}

Test(option, help_is_aligned)
{
    char *help = options_help(rows);
    cr_expect_str_eq(help, "  -a, --all             show all\n"
                           "  -i                    interactive\n"
                           "      --format FORMAT   output format\n"
                           "  -n, --tail N          number of lines\n"
                           "  -f, --file FILE       file to read\n");
    free(help);
}
