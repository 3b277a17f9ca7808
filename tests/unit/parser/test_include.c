/* SPDX-License-Identifier: Apache-2.0 */
/* What files of other directories bring along: their paths, their environment, and what they leave at home. */
#include "tests/unit/parser/helper.h"

static void expect(struct loaded loaded, const char *piece, const char *what)
{
    cr_expect(loaded.project, "%s: %s", what, loaded.findings);
    cr_expect(strstr(loaded.text, piece), "%s: no '%s' in:\n%s%s", what, piece, loaded.text, loaded.findings);
}

Test(include, gives_services_and_resources_only)
{
    test_file("in/c.yaml", "name: inner\nx-own: 1\nservices: {s: {image: s, volumes: ['v:/v']}}\n"
                           "volumes: {v: {driver: local, driver_opts: {type: none, o: bind, device: ./data}}}\n");
    struct loaded loaded = test_load_text("include: [in/c.yaml]\nx-mine: 2\n", NULL);
    expect(loaded, "/in/data\n", "devices are below the included directory");
    expect(loaded, "x-mine: 2\n", "extensions");
    expect(loaded, "name: p\n", "name");
    cr_expect(!strstr(loaded.text, "x-own"), "%s", loaded.text);
}

Test(include, the_first_of_two_counts_more_and_the_including_file_most)
{
    test_file("one.yaml", "services: {s: {image: one, user: one, security_opt: [x], environment: [A=1]}}\n");
    test_file("two.yaml", "services: {s: {image: two, tty: true, security_opt: [z], environment: [A=2, B=2]}}\n");
    struct loaded loaded = test_load_text("include: [one.yaml, two.yaml]\nservices: {s: {user: me}, t: {extends: s}}", NULL);
    for (int i = 0; i < 2; i++) {
        const struct service *service = project_service(loaded.project, i ? "t" : "s");
        cr_assert(service, "%s", loaded.findings);
        cr_expect_str_eq(service->image, "one");
        cr_expect_str_eq(service->user, "me");
        cr_expect(service->tty.value);
        cr_expect_str_eq(service->security_opt.items[0], "z");
        cr_expect_str_eq(service->environment.items[0].value, "1");
        cr_expect_eq(service->environment.count, 2);
    }
}

Test(include, brings_its_environment_to_files_secrets_and_builds)
{
    test_file("in/c.yaml", "services: {s: {image: s, env_file: s.env, build: {target: t, args: [WORD]}, secrets: [k]}}\nsecrets: {k: {environment: WORD}}\n");
    test_file("in/s.env", "GREETING=$WORD world\n");
    test_file("word.env", "WORD=hello\n");
    test_file("out.env", "OUT=${WORD:-none}\n");
    struct loaded loaded = test_load_text("include: [{path: in/c.yaml, env_file: word.env}]\nservices: {s: {env_file: out.env}}", NULL);
    expect(loaded, "GREETING: hello world\n      OUT: none\n", "each env_file with the environment of its own file");
    expect(loaded, "/in\n", "a build without context is in the included directory");
    expect(loaded, "WORD: hello\n", "arguments without a value");
    cr_expect_str_eq(project_secret(loaded.project, "k")->environment_value, "hello");

    test_file("in/.env", "WORD=own\n");
    loaded = test_load_text("include: [{path: in/c.yaml, env_file: []}]\n", NULL);
    expect(loaded, "GREETING: own world\n", "an empty list is as no list");
}

Test(include, paths_stay_relative_when_they_must_not_be_resolved)
{
    test_file("in/c.yaml", "services: {s: {build: {target: t}, volumes: ['./d:/d', '/abs/:/e', '../up:/f']}, b: {image: b, volumes: ['./b:/b']}}\n");
    const char *files[] = {test_file("compose.yaml", "include: [in/c.yaml]\nservices: {a: {extends: {file: in/c.yaml, service: b}, volumes: ['./own:/own', '~/h:/h']}}\n"), NULL};
    struct load_options options = {.project_name = "p", .no_path_resolution = true};
    struct loaded loaded = test_load(files, (char *[]){"HOME=/h", NULL}, &options);
    static const char *const pieces[] = {"source: in/d\n", "source: /abs/\n", "source: up\n", "source: in/b\n", "source: ./own\n",
                                         "source: ~/h\n", "context: in\n"};
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
        expect(loaded, pieces[i], "as written");
}

Test(extends, judges_only_the_services_of_other_files_that_are_used)
{
    test_file("other.yaml", "include: [nothing.yaml]\nservices:\n  good: {image: g}\n  empty:\n  bad: {imagee: x}\n");
    struct loaded loaded = test_load_text("services: {a: {extends: {file: other.yaml, service: good}}, b: {image: b, extends: {file: other.yaml, service: empty}}}", NULL);
    expect(loaded, "image: g\n", "good");
    expect(loaded, "image: b\n", "empty");
    loaded = test_load_text("services: {a: {extends: {file: other.yaml, service: bad}}}", NULL);
    cr_expect(!loaded.project && strstr(loaded.findings, "other.yaml:5:9: error: services.bad: additional properties 'imagee' not allowed"),
              "%s", loaded.findings);
}

Test(include, absolute_paths_stay_and_home_is_found)
{
    const char *files[] = {test_file("compose.yaml", "services: {a: {image: i, volumes: ['/a/../b/:/x', './c/../d:/y', '~:/z', '~me/e:/w']}}"), NULL};
    struct load_options options = {.project_name = "p"};
    struct loaded loaded = test_load(files, (char *[]){"HOME=/h", NULL}, &options);
    static const char *const pieces[] = {"source: /a/../b/\n", "/d\n        target: /y", "source: /h\n", "source: /h/me/e\n"};
    for (size_t i = 0; i < ARRAY_LEN(pieces); i++)
        expect(loaded, pieces[i], "path");
}

static void before(void)
{
    test_file("sub/one.yaml", "services: {one: {image: \"i:${TAG:-none}\", environment: {TAG: }}}");
    test_file("sub/two.yaml", "services: {one: {tty: true}}");
    test_file("sub/tag.env", "TAG=9\n");
    test_file("sub/bad.env", "A B=1\n");
    test_file("sub/text.yaml", "services: [\n");
}

Test(include_form, says_what_is_wrong_and_where, .init = before)
{
    static const struct { const char *include, *finding; } cases[] = {
        {"['https://example.com/x.yaml']", ":1:11: error: include: 'https://example.com/x.yaml' is a remote file"},
        {"one.yaml", "error: include"},
        {"[{path: sub/one.yaml, env: x}]", "'env' not allowed"},
        {"[{env_file: sub/tag.env}]", "include"},
        {"[{path: 1}]", "include"},
        {"[{path: sub/one.yaml, env_file: {}}]", "include"},
        {"[{path: sub/one.yaml, env_file: [1]}]", "include"},
        {"[[sub/one.yaml]]", "include"},
        {"[{path: []}]", "path must not be empty"},
        {"[{path: sub/one.yaml, env_file: sub/bad.env}]", "bad.env:1: key cannot contain a space"},
        {"[{path: sub/one.yaml, env_file: sub/none.env}]", "none.env"},
        {"[sub/text.yaml]", "text.yaml:2:1: error: "},
        {"[sub/none.yaml]", "none.yaml: no such file"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = xasprintf("include: %s\nservices: {}\n", cases[i].include);
        struct loaded loaded = test_load_text(text, NULL);
        cr_expect_null(loaded.project, "case '%s'", cases[i].include);
        cr_expect(strstr(loaded.findings, cases[i].finding), "case '%s': %s", cases[i].include, loaded.findings);
        free(text);
    }
}

Test(include_form, has_directory_and_environment_of_its_own, .init = before)
{
    static const struct { const char *include, *printed; } cases[] = {
        {"[sub/one.yaml]", "image: i:none"},
        {"[{path: sub/one.yaml, env_file: sub/tag.env}]", "image: i:9"},
        {"[{path: sub/one.yaml, env_file: [sub/tag.env, /dev/null]}]", "TAG: \"9\""},
        {"[{path: [sub/one.yaml, sub/two.yaml]}]", "tty: true"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = xasprintf("include: %s\nservices: {}\n", cases[i].include);
        struct loaded loaded = test_load_text(text, NULL);
        cr_expect(strstr(loaded.text, cases[i].printed), "case '%s': %s%s", cases[i].include, loaded.findings, loaded.text);
        free(text);
    }
}
