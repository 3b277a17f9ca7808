/* SPDX-License-Identifier: Apache-2.0 */
/* test_extends.c - what extends refuses, with its place, and how far it goes. */
#include "tests/unit/parser/helper.h"

#include <string.h>

#include "base/str.h"
#include "parser/limits.h"

static void before(void)
{
    test_file("base.yaml", "services:\n  b: {image: b, environment: {A: 1}}\n  other: {extends: {file: base.yaml, service: b}, tty: true}\n");
    test_file("empty.yaml", "");
    test_file("none.yaml", "networks: {n: }");
    test_file("wrong.yaml", "services: {b: {imagee: x}}");
    test_file("text.yaml", "services: [\n");
    test_file("inner.yaml", "services: {inner: {image: inner}}");
}

Test(extends, says_what_is_wrong_and_where, .init = before)
{
    static const struct { const char *service, *finding; } cases[] = {
        {"{extends: {file: 'https://example.com/x.yaml', service: b}}", ":2:23: error: extends: 'https://example.com/x.yaml' is a remote file"},
        {"{extends: {file: none.yaml, service: b}}", ":2:23: error: extends: none.yaml has no services"},
        {"{extends: {file: empty.yaml, service: b}}", "has no services"},
        {"{extends: {file: wrong.yaml, service: b}}", "wrong.yaml:1:16: error: services.b: additional properties 'imagee'"},
        {"{extends: {file: text.yaml, service: b}}", "text.yaml:2:1: error: "},
        {"{extends: {file: base.yaml, service: nope}}", "service \"nope\" not found in base.yaml"},
        {"{extends: {file: base.yaml}}", ":2:16: error: extends.a.service is required"},
        {"{extends: a}", "Circular reference: service 'a'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = xasprintf("services:\n  a: %s\n", cases[i].service);
        struct loaded loaded = test_load_text(text, NULL);
        cr_expect_null(loaded.project, "case '%s'", cases[i].service);
        cr_expect(strstr(loaded.findings, cases[i].finding), "case '%s': %s", cases[i].service, loaded.findings);
        free(text);
    }
}

Test(extends, finds_its_base_in_files_and_includes, .init = before)
{
    static const struct { const char *text, *printed; } cases[] = {
        {"services: {a: {extends: {file: base.yaml, service: other}}}", "    image: b\n"},
        {"services: {a: {extends: {file: compose.yaml, service: c}}, c: {image: c}}", "  a:\n    image: c\n"},
        {"include: [inner.yaml]\nservices: {a: {extends: inner}}", "image: inner"},
        {"services: {a: {extends: !reset null, image: own}}", "image: own"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct loaded loaded = test_load_text(cases[i].text, NULL);
        cr_expect(loaded.project, "case '%s': %s", cases[i].text, loaded.findings);
        cr_expect(strstr(loaded.text, cases[i].printed), "case '%s': %s", cases[i].text,
                  loaded.text);
    }
}

Test(extends, of_many_files_in_a_row_ends)
{
    for (int i = 0; i < LOAD_FILE_DEPTH_MAX + 3; i++) {
        char *name = xasprintf("e%d.yaml", i);
        char *text = xasprintf("services: {s: {extends: {file: e%d.yaml, service: s}}}\n", i + 1);
        test_file(name, text);
        free(name);
        free(text);
    }
    struct loaded loaded = test_load_text("services: {s: {extends: {file: e0.yaml, service: s}}}", NULL);
    cr_expect(strstr(loaded.findings, "more than 32 extends in a row"), "%s", loaded.findings);
}
