/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "parser/env.h"
#include "parser/template.h"

static struct env *variables(void)
{
    struct env *env = env_new();
    env_set(env, "A", "a", "test");
    env_set(env, "EMPTY", "", "test");
    env_set(env, "USD", "$A", "test");
    return env;
}

static const struct { const char *text, *result; } good[] = {
    {"", ""}, {"plain", "plain"}, {"$A", "a"}, {"${A}", "a"}, {"x$A-y", "xa-y"}, {"${A}${A}", "aa"},
    {"$$A", "$A"}, {"$$$A", "$a"}, {"$$$$", "$$"}, {"$", "$"}, {"a$", "a$"}, {"^x$", "^x$"}, {"$}", "$}"}, {"$1", "$1"},
    {"$ A", "$ A"}, {"$(A)", "$(A)"}, {"$USD", "$A"},
    {"${U:-d}", "d"}, {"${U-d}", "d"}, {"${EMPTY:-d}", "d"}, {"${EMPTY-d}", ""}, {"${A:-d}", "a"}, {"${U:-}", ""},
    {"${A:+r}", "r"}, {"${A+r}", "r"}, {"${EMPTY:+r}", ""}, {"${EMPTY+r}", "r"}, {"${U+r}", ""}, {"${U:+r}", ""},
    {"${A:?m}", "a"}, {"${EMPTY?m}", ""},
    {"${U-a:?b}", "a:?b"}, {"${U:-a-b}", "a-b"}, {"${U:-http://x:8080/}", "http://x:8080/"},
    {"${U:-${A}}", "a"}, {"${U:-${V:-${A}x}y}", "axy"}, {"${U:-$A$A}", "aa"}, {"${A:-${NOT:?never}}", "a"},
    {"${U:-{\"a\":1}}", "{\"a\":1}"}, {"${U:-$$x}", "$x"}, {"${U:-a b}", "a b"}, {"${U:-}}", "}"},
};

Test(template, expands_every_form)
{
    struct env *env = variables();
    struct template_scope scope = {.lookup = env_lookup, .context = env};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct str out = {0};
        char *message;
        cr_expect_eq(template_expand(good[i].text, &scope, &out, &message), TEMPLATE_OK, "case '%s'", good[i].text);
        cr_expect_str_eq(str_text(&out), good[i].result, "case '%s' gave '%s'", good[i].text, str_text(&out));
        free(message);
        str_done(&out);
    }
    env_free(env);
}

static const struct { const char *text; enum template_status status; const char *message; } bad[] = {
    {"${}", TEMPLATE_INVALID, "${}"}, {"a${ A}b", TEMPLATE_INVALID, "${ A}"}, {"${A }", TEMPLATE_INVALID, "${A }"},
    {"${A!}", TEMPLATE_INVALID, "${A!}"}, {"${A:x}", TEMPLATE_INVALID, "${A:x}"}, {"${A/x/y}", TEMPLATE_INVALID, "${A/x/y}"},
    {"${#A}", TEMPLATE_INVALID, "${#A}"}, {"${A", TEMPLATE_INVALID, "${A"}, {"${A:-x\ny}", TEMPLATE_INVALID, "${A:-x"},
    {"${1A}", TEMPLATE_INVALID, "${1A}"}, {"${U:-${}}", TEMPLATE_INVALID, "${}"},
    {"${U:?set it}", TEMPLATE_REQUIRED, "required variable U is missing a value: set it"},
    {"${EMPTY:?}", TEMPLATE_REQUIRED, "required variable EMPTY is missing a value"},
    {"${U?${A}!}", TEMPLATE_REQUIRED, "required variable U is missing a value: a!"},
};

Test(template, names_what_is_wrong)
{
    struct env *env = variables();
    struct template_scope scope = {.lookup = env_lookup, .context = env};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct str out = {0};
        char *message;
        cr_expect_eq(template_expand(bad[i].text, &scope, &out, &message), bad[i].status, "case '%s'", bad[i].text);
        cr_expect_str_eq(message ? message : "", bad[i].message, "case '%s'", bad[i].text);
        free(message);
        str_done(&out);
    }
    env_free(env);
}

static void count(void *context, const char *name)
{
    (void)context;
    cr_expect_str_eq(name, "U");
}

Test(template, tells_of_unset_variables_only_where_they_are_used)
{
    struct template_scope scope = {.lookup = env_lookup, .unset = count, .context = variables()};
    struct str out = {0};
    char *message;
    cr_expect_eq(template_expand("$U ${A:-$NEVER} ${U+$NEVER}", &scope, &out, &message), TEMPLATE_OK);
    str_done(&out);
    env_free(scope.context);
}

static void note(void *context, const char *name, char operator_char, const char *operand)
{
    str_addf(context, "%s%c%s;", name, operator_char ? operator_char : '.', operand);
}

Test(template, scans_for_variables_also_in_operands)
{
    static const struct { const char *text, *found; } cases[] = {
        {"a$A-${B}", "A.;B.;"}, {"$$A $${B} $1 ${", ""}, {"${A:-${B-x}}", "A-${B-x};B-x;"}, {"${A:?m}${B+$C}", "A?m;B+$C;C.;"},
        {"${A!}${ B}${C}", "C.;"}, {"${A:-{\"x\":1}}$D", "A-{\"x\":1};D.;"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct str out = {0};
        template_scan(cases[i].text, note, &out);
        cr_expect_str_eq(str_text(&out), cases[i].found, "case '%s'", cases[i].text);
        str_done(&out);
    }
}
