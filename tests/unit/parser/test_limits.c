/* SPDX-License-Identifier: Apache-2.0 */
/* test_limits.c - each limit of parser/limits.h ends a load with an error at its place, and what is just below passes. */
#include "tests/unit/parser/helper.h"

#include <string.h>

#include "base/str.h"
#include "parser/limits.h"

/* text, count times part, end; the findings of such a file. */
static char *findings_of(const char *text, size_t count, const char *part, const char *end)
{
    struct str file = {0};
    str_add(&file, text);
    for (size_t i = 0; i < count; i++)
        str_add(&file, part);
    str_add(&file, end);
    struct loaded loaded = test_load_text(str_text(&file), NULL);
    str_done(&file);
    return loaded.findings;
}

Test(limits, of_one_file)
{
#define A "services: {a: {image: x, "
    static const struct {
        const char *begin;
        size_t count;
        const char *part, *end, *finding; /* NULL: none */
    } cases[] = {
        {A "x-a: ", YAML_DEPTH_MAX - 3, "[", "", "did not find expected"},
        {A "x-a: ", YAML_DEPTH_MAX - 2, "[", "", "compose.yaml:1:92: error: nested deeper than 64 levels"},
        {A "? ", YAML_KEY_MAX, "x", " : 1}}", "additional properties"},
        {A "? ", YAML_KEY_MAX + 1, "x", " : 1}}", "compose.yaml:1:28: error: a key of more than 64 KiB"},
        {A "command: [", 100000, "a,", "]}}", NULL},
        {A "command: [", 1000000, "a,", "]}}", "error: the values of this file are bigger than 36 MiB"},
        {A "x-a: &a [a, a, a, a, a, a, a, a], x-b: [", 5000, "*a, ", "]}}", NULL},
        {A "x-a: &a [a, a, a, a, a, a, a, a], x-b: [", 500000, "*a, ", "]}}",
         "error: aliases make the values of this file bigger than 36 MiB"},
        {"# ", YAML_BYTES_MAX, "x", "", "compose.yaml:1:1: error: bigger than 8 MiB"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *findings = findings_of(cases[i].begin, cases[i].count, cases[i].part, cases[i].end);
        if (cases[i].finding)
            cr_expect(strstr(findings, cases[i].finding), "case %zu: %.300s", i, findings);
        else
            cr_expect_str_eq(findings, "", "case %zu", i);
        free(findings);
    }
}

Test(limits, of_interpolation)
{
    struct str deep = {0};
    for (int more = 0; more < 2; more++) {
        str_clear(&deep);
        str_add(&deep, A "labels: [\"k=");
        for (int i = 0; i < TEMPLATE_DEPTH_MAX + 1 + more; i++)
            str_add(&deep, "${V:-");
        str_add(&deep, "x");
        for (int i = 0; i < TEMPLATE_DEPTH_MAX + 1 + more; i++)
            str_add(&deep, "}");
        str_add(&deep, "\"]}}");
        struct loaded loaded = test_load_text(str_text(&deep), NULL);
        if (more)
            cr_expect(strstr(loaded.findings, "more than 100 variables in one another"), "%s", loaded.findings);
        else
            cr_expect(strstr(loaded.text, "k: x"), "%s", loaded.findings);
    }
    str_done(&deep);

    char value[64 * 1024 + 3] = "V=";
    memset(value + 2, 'x', sizeof(value) - 3);
    char *environment[] = {value, NULL};
    struct str wide = {0};
    str_add(&wide, A "labels: [\"k=");
    for (int i = 0; i < 65; i++)
        str_add(&wide, "$V");
    str_add(&wide, "\"]}}");
    struct loaded loaded = test_load_text(str_text(&wide), environment);
    cr_expect(strstr(loaded.findings, "services.a.labels[0]: longer than 4 MiB"), "%.300s", loaded.findings);
    str_done(&wide);
}

Test(limits, of_a_whole_load)
{
    /* each one harmless, together not */
    struct str many = {0};
    str_add(&many, "services:\n");
    for (int i = 0; i < 20; i++)
        str_addf(&many, "  s%d: {image: x, ports: [\"1-65535:1-65535\"]}\n", i);
    struct loaded loaded = test_load_text(str_text(&many), NULL);
    cr_expect(strstr(loaded.findings, "the project is bigger than 160 MiB here"), "%.300s", loaded.findings);

    str_clear(&many);
    str_add(&many, "services:\n  s: {image: x, environment: {");
    for (int i = 0; i < 5000; i++)
        str_addf(&many, "k%d: x,", i);
    str_add(&many, "}}\n");
    for (int i = 0; i < 1000; i++)
        str_addf(&many, "  s%d: {extends: s}\n", i);
    loaded = test_load_text(str_text(&many), NULL);
    cr_expect(strstr(loaded.findings, "the project is bigger than 160 MiB here"), "%.300s", loaded.findings);

    str_clear(&many);
    str_add(&many, "include:\n");
    for (int i = 0; i < 1001; i++)
        str_add(&many, "  - small.yaml\n");
    test_file("small.yaml", "services: {a: {image: x}}");
    loaded = test_load_text(str_text(&many), NULL);
    cr_expect(strstr(loaded.findings, ":1002:5: error: include: more than 1000 files are included and extended") ||
                  strstr(loaded.findings, ":1002:5: error: more than 1000 files are included and extended"),
              "%.300s", loaded.findings);
    str_done(&many);
}

Test(limits, of_a_dotenv_file)
{
    struct str file = {0};
    str_add(&file, "A=");
    for (int i = 0; i < 100000; i++)
        str_add(&file, "0123456789");
    str_add(&file, "\n");
    for (int i = 0; i < 20; i++)
        str_addf(&file, "B%d=$A\n", i);
    test_file("many.env", str_text(&file));
    struct loaded loaded = test_load_text(A "env_file: many.env}}", NULL);
    cr_expect(strstr(loaded.findings, "many.env:17: the variables take more than 16 MiB"), "%.300s", loaded.findings);
    str_done(&file);
}

Test(limits, zero_bytes_are_refused)
{
    static const char *const texts[] = {A "labels: {k: \"a\\0b\"}}}", A "labels: {\"a\\0b\": k}}}"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct loaded loaded = test_load_text(texts[i], NULL);
        cr_expect(strstr(loaded.findings, "a zero byte cannot be in a value"), "case %zu: %s", i, loaded.findings);
    }
}
