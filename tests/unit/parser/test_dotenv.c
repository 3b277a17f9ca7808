/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "parser/dotenv.h"

static const char *surroundings(void *context, const char *name)
{
    (void)context;
    return strcmp(name, "OUT") == 0 ? "out" : strcmp(name, "BOTH") == 0 ? "outer" : NULL;
}

static struct env *parse(const char *text, bool raw, struct err *err)
{
    struct env *env = env_new();
    struct dotenv_options options = {.lookup = surroundings, .file = ".env"};
    int rc = raw ? dotenv_parse_raw(text, strlen(text), &options, env, err)
                 : dotenv_parse(text, strlen(text), &options, env, err);
    if (rc < 0) {
        env_free(env);
        return NULL;
    }
    return env;
}

static const struct { const char *text, *key, *value; } good[] = {
    {"A=b", "A", "b"}, {"A=", "A", ""}, {"export A=b", "A", "b"}, {"A: b", "A", "b"}, {"  A  =  b  ", "A", "b"},
    {"\n# c\n\nA=b\n", "A", "b"}, {"\xef\xbb\xbf" "A=b", "A", "b"}, {"A=b\r\nB=c\r\n", "A", "b"}, {"1A=b", "1A", "b"},
    {"A.b-c[0]=d", "A.b-c[0]", "d"}, {"\xc3\xa4=x", "\xc3\xa4", "x"},
    {"A=b #c", "A", "b"}, {"A=b#c", "A", "b#c"}, {"A=#c", "A", "#c"}, {"A= #c", "A", "#c"}, {"A=b\t#c", "A", "b\t#c"}, {"A=b c  d ", "A", "b c  d"},
    {"A=a\\nb", "A", "a\\nb"}, {"A='a$B\\n'", "A", "a$B\\n"}, {"A='it\\'s'", "A", "it's"}, {"A='a\nb'", "A", "a\nb"},
    {"A=\"a\\nb\\t\\\"\\\\\"", "A", "a\nb\t\"\\"}, {"A=\"a\nb\"", "A", "a\nb"}, {"A=\"\\x\\u\\c\"", "A", "\\x\\u\\c"},
    {"A=\"\\0101\"", "A", "A"}, {"A=\"\\012\\0189\"", "A", "\\012\\0189"}, {"A=\"\\0303\"", "A", "\xc3\x83"},
    {"A='x\\\\'\nB=1", "A", "x\\\\"}, {"A=\"\\$B $$C\"", "A", "$B $C"}, {"A=\"x\" # c\nB=1", "B", "1"},
    {"A=\"x\" B=1", "B", "1"}, {"A='# no'", "A", "# no"}, {"A='x' # '", "A", "x"},
    {"A=1\nB=${A}2", "B", "12"}, {"A=${OUT}", "A", "out"}, {"BOTH=inner\nA=$BOTH", "A", "outer"},
    {"A=${NO:-d}", "A", "d"}, {"A=\"${NO:-d}\"", "A", "d"}, {"A='${NO:-d}'", "A", "${NO:-d}"}, {"OUT", "OUT", "out"},
    {"GONE\nA=1", "GONE", NULL}, {"A=1\nA=2", "A", "2"}, {"A=a=b", "A", "a=b"}, {"A=\"{\\\"a\\\": 1}\"", "A", "{\"a\": 1}"},
};

Test(dotenv, reads_every_form)
{
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct err err = {0};
        struct env *env = parse(good[i].text, false, &err);
        cr_assert(env, "case '%s': %s", good[i].text, err.message);
        const char *value = env_get(env, good[i].key);
        cr_expect((value == NULL) == (good[i].value == NULL), "case '%s'", good[i].text);
        if (value && good[i].value)
            cr_expect_str_eq(value, good[i].value, "case '%s' gave '%s'", good[i].text, value);
        env_free(env);
    }
}

static const struct { const char *text, *message; } bad[] = {
    {"A B=c", ".env:1: key cannot contain a space"},
    {"\nA%=c", ".env:2: unexpected character \"%\" in variable name"},
    {"A=1\nB='x\ny", ".env:2: unterminated quoted value"},
    {"A=\"x", ".env:1: unterminated quoted value"},
    {"=x", ".env:1: a line without a variable name"},
    {"A=${B:?no}", ".env:1: required variable B is missing a value: no"},
};

Test(dotenv, names_file_line_and_mistake)
{
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err err = {0};
        cr_expect_null(parse(bad[i].text, false, &err), "case '%s'", bad[i].text);
        cr_expect_str_eq(err.message, bad[i].message, "case '%s'", bad[i].text);
    }
}

Test(dotenv, takes_raw_lines_as_they_are)
{
    struct err err = {0};
    struct env *env = parse("A=\"x\" # y\n# c\nB=$A\nOUT\nNO\n", true, &err);
    cr_assert(env);
    cr_expect_str_eq(env_get(env, "A"), "\"x\" # y");
    cr_expect_str_eq(env_get(env, "B"), "$A");
    cr_expect_str_eq(env_get(env, "OUT"), "out");
    cr_expect_null(env_get(env, "NO"));
    env_free(env);
    cr_expect_null(parse("A B=c", true, &err));
}
