/* SPDX-License-Identifier: Apache-2.0 */
/* What the options of `config` do to a project. */
#include "tests/unit/parser/helper.h"

#include <string.h>

#include "base/str.h"

static const char text[] =
    "services:\n"
    "  web:\n"
    "    image: ${IMAGE:-nginx}\n"
    "    build: {context: ./b, args: [X]}\n"
    "    environment: [A, 'B=$B']\n"
    "    env_file: w.env\n"
    "    label_file: w.env\n"
    "    links: [db]\n"
    "    volumes: ['./d:/d', 'v:/v']\n"
    "  db: {image: db, networks: [n]}\n"
    "  other: {image: 'o${S:?must}', volumes: ['w:/w']}\n"
    "  extra: {image: x, profiles: [p]}\n"
    "volumes: {v: , w: , unused: }\n"
    "networks: {n: }\n";

static struct loaded load(struct load_options options)
{
    static char *const environment[] = {"A=a", "S=s", "B=b", NULL};
    const char *files[] = {test_file("compose.yaml", text), NULL};
    test_file("w.env", "E=e\n");
    options.project_name = "p";
    return test_load(files, environment, &options);
}

/* has and hasnt: pieces of the output, with | between them */
static const struct {
    const char *what;
    struct load_options options;
    const char *has, *hasnt;
} cases[] = {
    {"plain", {.cwd = NULL}, "image: nginx|A: a|E: e|db:\n        condition|default: null|name: p_v|context: /", "env_file|unused|extra:|${"},
    {"no_interpolate", {.no_interpolate = true},
     "image: ${IMAGE:-nginx}|image: o${S:?must}|- B=$B\n|  extra:\n|  unused:\n|env_file:|label_file:", "$$|E: e"},
    {"no_normalize", {.no_normalize = true}, "  v: {}\n|image: nginx", "condition|default:|Dockerfile|unused|p_v"},
    {"no_path_resolution", {.no_path_resolution = true}, "context: ./b|source: ./d", "context: /"},
    {"no_env_resolution", {.no_env_resolution = true}, "env_file:\n|A: null|B: b", "E: e\n      B"},
    {"all_resources", {.all_resources = true}, "unused:\n    name: p_unused", "extra:"},
    {"services", {.only_services = true, .services = (const char *[]){"web", NULL}}, "  web:\n|  db:\n|  v:\n", "other|  w:"},
    {"a service of a profile", {.only_services = true, .services = (const char *[]){"extra", NULL}}, "  extra:\n", "web|db:"},
};

static void expect_pieces(const char *what, const struct loaded *loaded, const char *pieces, bool wanted)
{
    char **list = strv_split(pieces, "|");
    for (char **piece = list; *piece; piece++)
        cr_expect_eq(strstr(loaded->text, *piece) != NULL, wanted, "%s: '%s' in:\n%s%s", what, *piece, loaded->text, loaded->findings);
    strv_free(list);
}

Test(config, options_change_what_is_printed)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct loaded loaded = load(cases[i].options);
        cr_expect(loaded.project, "%s: %s", cases[i].what, loaded.findings);
        expect_pieces(cases[i].what, &loaded, cases[i].has, true);
        expect_pieces(cases[i].what, &loaded, cases[i].hasnt, false);
    }
}

Test(config, refuses_unknown_services)
{
    struct loaded loaded = load((struct load_options){.only_services = true, .services = (const char *[]){"nope", NULL}});
    cr_expect_null(loaded.project);
    cr_expect(strstr(loaded.findings, "no such service: nope"), "%s", loaded.findings);
}

Test(config, no_consistency_takes_what_does_not_fit)
{
    const char *files[] = {test_file("c.yaml", "services: {a: {image: i, depends_on: [nobody], networks: [none]}}"), NULL};
    struct load_options options = {.project_name = "p"};
    cr_expect_null(test_load(files, NULL, &options).project);
    options.no_consistency = true;
    cr_expect(test_load(files, NULL, &options).project);
}

Test(config, strict_refuses_unset_variables)
{
    const char *files[] = {test_file("s.yaml", "services: {a: {image: 'i$NO'}, b: {image: '${NO:-x}', env_file: s.env}}"), NULL};
    struct load_options options = {.project_name = "p", .strict = true};
    test_file("s.env", "A=$NEVER\n");
    struct loaded loaded = test_load(files, NULL, &options);
    cr_expect_null(loaded.project);
    cr_expect(strstr(loaded.findings, "s.yaml:1:23: error: services.a.image: the \"NO\" variable is not set"), "%s", loaded.findings);
    files[0] = test_file("s2.yaml", "services: {b: {image: '${NO:-x}', env_file: s.env}}");
    loaded = test_load(files, NULL, &options);
    cr_expect_null(loaded.project);
    cr_expect(strstr(loaded.findings, "\"NEVER\" variable is not set"), "%s", loaded.findings);
}

Test(config, lists_variables_and_environment)
{
    struct loaded loaded = load((struct load_options){.list_variables = true, .no_interpolate = true});
    static const struct variable_use wanted[] = {{"B", "", "", false}, {"IMAGE", "nginx", "", false}, {"S", "", "", true}};
    cr_assert(loaded.project, "%s", loaded.findings);
    cr_assert_eq(loaded.project->variables.count, ARRAY_LEN(wanted));
    for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
        const struct variable_use *use = &loaded.project->variables.items[i];
        cr_expect_str_eq(use->name, wanted[i].name);
        cr_expect_str_eq(use->fallback, wanted[i].fallback);
        cr_expect_eq(use->required, wanted[i].required);
    }
    cr_expect_str_eq(kv_find(&loaded.project->environment, "A"), "a");
    cr_expect_str_eq(kv_find(&loaded.project->environment, "COMPOSE_PROJECT_NAME"), "p");
}

Test(config, pins_and_keeps_images)
{
    struct loaded loaded = load((struct load_options){.cwd = NULL});
    project_set_image(loaded.project, "web", "w@sha256:1");
    cr_expect_str_eq(project_service(loaded.project, "web")->image, "w@sha256:1");
    project_keep_images(loaded.project, false);
    cr_expect_str_eq(project_config_text(loaded.project, false),
                     "services:\n  db:\n    image: db\n  other:\n    image: os\n  web:\n    image: w@sha256:1\n");
}

Test(config, tells_where_values_came_from)
{
    test_file("o.env", "C=1\nA=file\n");
    test_file(".env", "\nTAG=env\nPORT=80\n");
    const char *files[] = {test_file("a.yaml", "services:\n  web:\n    image: i:$TAG\n    environment: {A: one, P: }\n    env_file: o.env\n"),
                           test_file("b.yaml", "services:\n  web:\n    environment: ['A=two${NO-}', 'com.x=y']\n    ports: ['$PORT:80']\n"), NULL};
    struct load_options options = {.project_name = "p", .project_directory = test_dir(), .origins = true};
    struct loaded loaded = test_load(files, (char *[]){"TAG=shell", "P=p", NULL}, &options);
    static const struct { const char *path, *pieces; } rows[] = {
        {"services.web.environment.A", "services.web.environment.A = two\n  from |b.yaml:3:19 (NO not set)\n  over |a.yaml:4:22 = one\n  over |o.env:2:1 = file\n"},
        {"services.web.environment", "environment.C = 1|o.env:1:1|A = two|P = p\n|(P from environment)"},
        {"services.web.environment.com.x", "com.x = y"},
        {"services.web.image", "i:shell\n|a.yaml:3:12 (TAG from environment, over |.env:2)"},
        {"services.web.ports[0].published", "= 80\n|b.yaml:4:13 (PORT from |.env:3)"},
        {"services.web.networks", "networks.default = null\n  from default\n"}, {"name", "name = p\n  from --project-name\n"},
    };
    cr_assert(loaded.project, "%s", loaded.findings);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {0};
        struct loaded one = {.findings = (char *)"", .text = (char *)""};
        cr_expect_eq(project_explain(loaded.project, rows[i].path, &one.text, &err), 0, "%s", err.message);
        expect_pieces(rows[i].path, &one, rows[i].pieces, true);
    }
    struct err err = {0};
    char *text_;
    cr_expect_lt(project_explain(loaded.project, "services.web.nope", &text_, &err), 0);
    cr_expect(strstr(project_origins_text(loaded.project, false), "default: null # default\n"));
    cr_expect(strstr(project_origins_text(loaded.project, true), "a.yaml:3:12 (TAG from environment, over "));
}

Test(config, keeps_the_base_of_two_services_apart)
{
    const char *files[] = {test_file("e.yaml", "services:\n  base: {image: one}\n  a: {extends: base, image: two}\n  b: {extends: base, image: three}\n"), NULL};
    struct load_options options = {.project_name = "p", .origins = true};
    struct loaded loaded = test_load(files, NULL, &options), one = {.findings = (char *)""};
    struct err err = {0};
    cr_assert(loaded.project, "%s", loaded.findings);
    cr_expect_eq(project_explain(loaded.project, "services.b.image", &one.text, &err), 0);
    expect_pieces("b", &one, "= three\n|e.yaml:2:17 = one\n", true);
    expect_pieces("b", &one, "two", false);
}

Test(config, json_differs_from_yaml_as_the_reference_does)
{
    struct loaded loaded = test_load_text(
        "services:\n  a: {image: i, models: [m], ulimits: {core: 0, nofile: {soft: 0, hard: 9}}, post_start: [{command: }], x-a: 1}\n"
        "models: {m: {model: x}, unused: {model: y}}\nx-top: 1\n", NULL);
    cr_assert(loaded.project, "%s", loaded.findings);
    _cleanup_free_ char *json = project_config_text(loaded.project, true);
    static const char *const has[] = {"\"core\": {}", "\"hard\": 9", "\"x-top\": 1", "\"entrypoint\": null",
                                      "\"post_start\": [\n        {\n          \"command\": null"};
    static const char *const hasnt[] = {"soft", "\"model\"", "x-a"};
    for (size_t i = 0; i < ARRAY_LEN(has); i++)
        cr_expect(strstr(json, has[i]), "no %s in %s", has[i], json);
    for (size_t i = 0; i < ARRAY_LEN(hasnt); i++)
        cr_expect_null(strstr(json, hasnt[i]), "%s in %s", hasnt[i], json);
    cr_expect(strstr(loaded.text, "model: x\n") && !strstr(loaded.text, "unused"), "%s", loaded.text);
    project_free(loaded.project);
}

/* What --no-interpolate prints: the form of the file, but for keys whose long form says more. */
static const struct { const char *base, *over, *has, *hasnt; } raw[] = {
    {"command: x 'y z', mem_limit: 64m, cpus: '0.50', stop_grace_period: 90s, tty: false, healthcheck: {test: x}", NULL,
     "command: x 'y z'\n|mem_limit: 64m\n|cpus: \"0.50\"\n|stop_grace_period: 90s\n|tty: false\n|test: x\n", NULL},
    {"labels: {n: 1, z: }, tmpfs: /t, dns: 1.1.1.1, extra_hosts: {h: 1.1.1.1}", NULL,
     "labels:\n      \"n\": 1\n      z: null\n|tmpfs: /t\n|dns:\n      - 1.1.1.1\n|extra_hosts:\n      h: 1.1.1.1\n", NULL},
    {"environment: [A, B, C=$D]", NULL, "- A=a\n      - B\n      - C=$D\n", NULL},
    {"environment: {Z: 1, B: 2}", "environment: [B=3, N]", "environment:\n      - B=3\n      - Z=1\n      - \"N\"\n", NULL},
    {"build: {context: /c, args: {A: , GONE: , X: 1}}", NULL, "args:\n        A: a\n        X: 1\n", "GONE"},
    {"ports: ['1:1', '$P:2']", NULL, "ports:\n      - \"1:1\"\n      - $P:2\n", "target"},
    {"ports: ['1:1']", NULL, "target: 1\n", NULL},
    {"volumes: ['$V:/v', './$D/e:/d', '${C:-/x}:/c']", NULL, "type: volume\n        source: $V\n|/$D/e\n        target: /d\n|- ${C:-/x}:/c\n", NULL},
    {"ulimits: {core: 1, nofile: {soft: 1, hard: 2}}", NULL, "core:\n        single: 1\n      nofile:\n        soft: 1\n", NULL},
    {"ports: ['$P:2', {target: 3, published: 4}]", NULL, "- $P:2\n      - target: 3\n        published: 4\n        mode: ingress\n", NULL},
    {"build: {context: /c, ssh: [default, k=/k]}", NULL, "ssh:\n        default: null\n        k: /k\n", "- default"},
    {"gpus: all", NULL, "- count: all\n", NULL},
    {"blkio_config: {weight_device: [{path: /d}]}", NULL, "- path: /d\n", "weight: 0"},
    {"network_mode: none", NULL, "network_mode: none\n", "networks:"},
    {"env_file: [$E.env]", NULL, "/$E.env\n        required: true\n", NULL},
};

Test(config, without_interpolation_keeps_the_form_of_the_file)
{
    for (size_t i = 0; i < ARRAY_LEN(raw); i++) {
        char *base = xasprintf("services: {a: {image: i, %s}}", raw[i].base);
        char *over = raw[i].over ? xasprintf("services: {a: {%s}}", raw[i].over) : NULL;
        const char *files[] = {test_file("base.yaml", base), over ? test_file("over.yaml", over) : NULL, NULL};
        struct load_options options = {.project_name = "p", .no_interpolate = true};
        struct loaded loaded = test_load(files, (char *[]){"A=a", NULL}, &options);
        expect_pieces(raw[i].base, &loaded, raw[i].has, true);
        if (raw[i].hasnt)
            expect_pieces(raw[i].base, &loaded, raw[i].hasnt, false);
        free(base);
        free(over);
    }
}

Test(config, explains_what_the_project_does_not_have)
{
    static const struct { const char *path, *piece; } rows[] = {
        {"services.a.user", "services.a.user = own\n  from @/base.yaml:3:31\n  over @/base.yaml:1:16 = below\n"},
        {"services.a.command", "services.a.command is not set\n  !reset at @/over.yaml:1:25\n  over @/base.yaml:3:45 = a list\n"},
        {"services.b.user", "services.b.user is not set\n  !reset at @/base.yaml:4:25\n  over @/base.yaml:3:31 = own\n"},
        {"services.q.image", "service 'q' is off: none of its profiles is active: dev ops\nservices.q.image = z\n  from @/base.yaml:5:14\n"},
    };
    const char *files[] = {test_file("base.yaml", "x-c: &c {user: below, tty: true}\nservices:\n"
                                                  "  a: {<<: *c, image: i, user: own, command: [x, y]}\n"
                                                  "  b: {extends: a, user: !reset null}\n"
                                                  "  q: {image: z, profiles: [dev, ops]}\n"),
                           test_file("over.yaml", "services: {a: {command: !reset null, image: j}}"), NULL};
    struct load_options options = {.project_name = "p", .origins = true};
    struct loaded loaded = test_load(files, NULL, &options);
    cr_assert(loaded.project, "%s", loaded.findings);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct err err = {0};
        char *told = NULL;
        cr_assert_eq(project_explain(loaded.project, rows[i].path, &told, &err), 0, "%s", err.message);
        char **parts = strv_split(rows[i].piece, "@");
        for (char **part = parts; *part; part++)
            cr_expect(strstr(told, *part), "%s: no '%s' in:\n%s", rows[i].path, *part, told);
        strv_free(parts);
        free(told);
    }
}
