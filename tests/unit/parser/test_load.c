/* SPDX-License-Identifier: Apache-2.0 */
/* Rules that need a whole project: files, names, profiles, merging, include, extends. */
#include "tests/unit/parser/helper.h"

#include "base/json.h"
#include "base/str.h"

static void expect(struct loaded loaded, const char *piece, const char *what)
{
    cr_expect(loaded.project, "%s: %s", what, loaded.findings);
    cr_expect(strstr(loaded.text, piece), "%s: no '%s' in:\n%s%s", what, piece, loaded.text, loaded.findings);
}

static void expect_refused(struct loaded loaded, const char *piece, const char *what)
{
    cr_expect_null(loaded.project, "%s was taken:\n%s", what, loaded.text);
    cr_expect(strstr(loaded.findings, piece), "%s: no '%s' in: %s", what, piece, loaded.findings);
}

#define A "services: {a: {image: i, "
static const struct { const char *base, *over, *piece; } merges[] = {
    {A "command: [x, y]}}", A "command: z}}", "command:\n      - z\n"},
    {A "environment: [A=1, B=2]}}", A "environment: {B: 3, C: 4}}}", "A: \"1\"\n      B: \"3\"\n      C: \"4\""},
    {A "labels: {a: 1}}}", A "labels: [b=2]}}", "a: \"1\"\n      b: \"2\""},
    {A "dns: 1.1.1.1}}", A "dns: [2.2.2.2, 1.1.1.1]}}", "dns:\n      - 1.1.1.1\n      - 2.2.2.2\n"},
    {A "cap_add: [A]}}", A "cap_add: [B, A]}}", "cap_add:\n      - A\n      - B\n"},
    {A "ports: ['80:80']}}", A "ports: ['80:80', '81:81']}}", "published: \"80\"\n        protocol: tcp\n      - mode: ingress\n        target: 81"},
    {A "volumes: [/a:/x, /b:/y]}}", A "volumes: [/c:/x]}}", "source: /c\n        target: /x\n        bind:\n          create_host_path: true\n      - type: bind\n        source: /b"},
    {A "build: .}}", A "build: {target: t}}}", "target: t"},
    {A "healthcheck: {test: a, retries: 3}}}", A "healthcheck: {test: b}}}", "- b\n      retries: 3"},
    {A "logging: {driver: local, options: {a: 1}}}}", A "logging: {options: {b: 2}}}}", "a: \"1\"\n        b: \"2\""},
    {A "logging: {driver: local, options: {a: 1}}}}", A "logging: {driver: none}}}", "logging:\n      driver: none\n"},
    {A "ulimits: {nproc: 1, nofile: {soft: 1, hard: 2}}}}", A "ulimits: {nofile: 5}}}", "nofile: 5\n      nproc: 1"},
    {A "hostname: h}}", A "hostname: }}", "hostname: h"},
    {A "ports: ['80']}}", A "ports: !override ['81']}}", "ports:\n      - mode: ingress\n        target: 81\n        protocol: tcp\n"},
    {A "ports: ['80'], tty: true}}", A "ports: !reset []}}", "networks:\n      default: null\n    tty: true"},
    {A "tty: true, user: u}}", A "tty: !reset null}}", "default: null\n    user: u"},
    {A "extra_hosts: ['h=1.1.1.1']}}", A "extra_hosts: ['h=2.2.2.2']}}", "- h=1.1.1.1\n      - h=2.2.2.2"},
    {A "depends_on: [b]}, b: {image: i}, c: {image: i}}", A "depends_on: {c: {condition: service_healthy}}}}",
     "b:\n        condition: service_started\n        required: true\n      c:\n        condition: service_healthy"},
    {A "networks: [n]}}\nnetworks: {n: , m: }", A "networks: {m: {aliases: [x]}}}}", "m:\n        aliases:\n          - x\n      \"n\": null"},
    {A "security_opt: [a]}}", A "security_opt: [b]}}", "security_opt:\n      - a\n      - b\n"},
    {A "x-y: {a: 1}}}", A "x-y: {b: 2}}}", "x-y:\n      a: 1\n      b: 2"},
};

Test(load, merges_by_the_rule_of_each_key)
{
    for (size_t i = 0; i < ARRAY_LEN(merges); i++)
        expect(test_load_two(merges[i].base, merges[i].over), merges[i].piece, merges[i].over);
}

Test(load, refuses_to_merge_different_kinds)
{
    expect_refused(test_load_two("x-y: [1]\nservices: {}", "x-y: {a: 1}"), "cannot override x-y", "kinds");
    expect_refused(test_load_two("services: {}", "services: {a: {image: i}}\nservices: {}"), "mapping key 'services' is already defined", "twice");
}

static const struct { const char *text, *piece; bool good; } yaml[] = {
    {"x: &a {image: i}\nservices: {a: *a}", "additional properties 'x' not allowed", false},
    {"x-a: &a {image: i, tty: true}\nx-b: &b {tty: false, user: u}\nservices: {a: {<<: [*a, *b], hostname: h}}", "tty: true\n    user: u", true},
    {"services:\n  a: &a\n    image: i\n    x-me: *a\n", "cycle detected", false},
    {"services: {a: {image: *nope}}", "unknown anchor 'nope'", false},
    {"services: {a: {image: i}}\n---\nservices: {a: {tty: true}}", "tty: true", true},
    {"include: []\nservices: {a: {image: i}}", "image: i", true},
    {"[1]", "top-level object must be a mapping", false}, {"", "empty compose file", false},
    {"{}", "empty compose file", false}, {"# nothing\n---\n", "empty compose file", false}, {"services: {a: {image: i}}\n---\n# end\n", "image: i", true},
    {"services: {a: {image: i, typo: !reset null}, 'b b': !reset null}", "image: i", true},
    {"services:\n  1: {image: i}", "non-string key: 1", false}, {"\xef\xbb\xbfservices: {a: {image: i}}\r\n", "image: i", true},
    {"services:\n  a:\n    image: i\n    image: j\n", "mapping key 'image' is already defined", false},
    {"version: '3'\nservices: {a: {image: i}}", "the attribute `version` is obsolete", true},
    {"version: 3.8\nservices: {a: {image: i}}", "version: must be a string, not a number", false},
    {"services: {a: {image: '${NO}x'}}", "The \"NO\" variable is not set. Defaulting to a blank string.", true},
    {"services: {a: {image: '${NO:?why}'}}", "error while interpolating services.a.image: required variable NO is missing a value: why", false},
    {"services: {a: {image: '${NO!}'}}", "invalid interpolation format for services.a.image", false},
    {"services: {a: {hostname: h}}", "service \"a\" has neither an image nor a build context specified: invalid compose project", false},
    {"services: {a: {image: i, depends_on: [b]}, b: {image: i, depends_on: [a]}}", "dependency cycle detected: a -> b -> a", false},
    {"services: {a: {image: i, network_mode: 'service:b'}, b: {image: i}}", "b:\n        condition: service_started\n        required: true\n        restart: true", true},
    {"services: {'a b': {image: i}}", "additional properties 'a b' not allowed", false},
    {"services: {a: {image: i}}\nsecrets: {s: {}}", "one of file, environment must be set", false},
    {"services: {a: {image: i}}\nconfigs: {s: {file: a, content: b}}", "mutually exclusive", false},
    {"services: {a: {image: i}}\nconfigs: {s: {file: a, content: b, external: true}}", "mutually exclusive", false},
    {"services: {a: {image: i, links: ['b:x:y']}, b: {image: i}}", "depends on undefined service \"b:x:y\"", false},
    {"services: {a: {image: i}}\nvolumes: {v: {external: true, driver: x}}", "conflicting parameters \"external\" and \"driver\"", false},
    {"services: {a: {image: i, volumes: ['v:/x']}}\nvolumes: {v: {external: {name: w}}}", "external: true\n    name: w", true},
    {"services: {a: {image: '$$x'}}", "image: $$x", true}, {"services: {}\nnetworks:\n", "networks: must not be empty", false},
};

Test(load, judges_documents)
{
    for (size_t i = 0; i < ARRAY_LEN(yaml); i++) {
        struct loaded loaded = test_load_text(yaml[i].text, NULL);
        cr_expect_eq(loaded.project != NULL, yaml[i].good, "case '%s': %s", yaml[i].text, loaded.findings);
        cr_expect(strstr(loaded.text, yaml[i].piece) || strstr(loaded.findings, yaml[i].piece), "case '%s' gave:\n%s%s",
                  yaml[i].text, loaded.text, loaded.findings);
    }
}

Test(load, shows_all_mistakes_of_all_files_in_order)
{
    struct loaded loaded = test_load_two("services:\n  a: {imagee: x, tty: 3}\n", "services:\n  a: {ports: [x]}\n");
    const char *first = strstr(loaded.findings, "imagee"), *second = strstr(loaded.findings, "services.a.tty");
    const char *third = strstr(loaded.findings, "over.yaml:2:15: error: services.a.ports[0]");
    cr_expect(first && second && third && first < second && second < third, "%s", loaded.findings);
}

Test(load, chooses_the_project_name)
{
    static const struct { const char *given, *variable, *file, *name; } cases[] = {
        {"given", "COMPOSE_PROJECT_NAME=var", "name: file\n", "given"}, {NULL, "COMPOSE_PROJECT_NAME=var", "name: file\n", "var"},
        {NULL, NULL, "name: ${N:-My_File.1}\n", "my_file1"}, {NULL, NULL, "", "dir-x"}, {NULL, NULL, "name: '...'\n", "dir-x"}, {"Bad", NULL, "", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = xasprintf("%sservices: {a: {image: '$COMPOSE_PROJECT_NAME'}}\n", cases[i].file);
        const char *files[] = {test_file("_Dir-X/c.yaml", text), NULL};
        char *environment[] = {(char *)cases[i].variable, NULL};
        struct load_options options = {.project_name = cases[i].given};
        struct loaded loaded = test_load(files, environment, &options);
        if (!cases[i].name) {
            expect_refused(loaded, "invalid project name \"Bad\"", "name");
            continue;
        }
        cr_assert(loaded.project, "%s", loaded.findings);
        cr_expect_str_eq(loaded.project->name, cases[i].name);
        cr_expect_str_eq(loaded.project->services.items[0].image, cases[i].name);
        free(text);
    }
}

Test(load, finds_files_overrides_and_environment_in_parents)
{
    test_file("top/compose.yaml", "services: {a: {image: '$IMAGE', user: '$USER_'}}\n");
    test_file("top/compose.override.yml", "services: {a: {tty: true}}\n");
    test_file("top/.env", "IMAGE=fromfile\nUSER_=u${IMAGE}\n");
    test_file("top/below/x", "");
    char *cwd = xasprintf("%s/top/below", test_dir());
    char *environment[] = {"IMAGE=fromenv", NULL};
    struct load_options options = {.cwd = cwd};
    struct loaded loaded = test_load(NULL, environment, &options);
    expect(loaded, "image: fromenv", "process environment first");
    expect(loaded, "user: ufromenv", "dotenv of the found directory");
    expect(loaded, "tty: true", "override");
    cr_expect_str_eq(loaded.project->name, "top");
    options.cwd = "/proc/self/fd";
    expect_refused(test_load(NULL, NULL, &options), "no configuration file provided: not found", "nothing there");
}

Test(load, folds_environment_files_in)
{
    test_file("a.env", "A=1\nB=${A}2\nC=file\n");
    test_file("b.env", "A=raw'\n");
    struct loaded loaded = test_load_text("services: {a: {image: i, env_file: [a.env, {path: b.env, format: raw}, {path: no.env, "
                                          "required: false}], environment: {C: own, D: }, label_file: a.env}}", (char *[]){"D=d", NULL});
    expect(loaded, "environment:\n      A: raw'\n      B: \"12\"\n      C: own\n      D: d\n", "environment");
    expect(loaded, "labels:\n      A: \"1\"\n", "labels");
    cr_expect(!strstr(loaded.text, "env_file"));
    expect_refused(test_load_text("services: {a: {image: i, env_file: no.env}}", NULL), "no.env not found", "missing");
    test_file("one.label", "FROM=${D:-nowhere}\n");
    test_file("two.label", "SEEN=${FROM}\n");
    expect(test_load_text("services: {a: {image: i, label_file: [one.label, two.label]}}", (char *[]){"D=d", NULL}),
           "FROM: nowhere\n      SEEN: nowhere\n", "label files see labels only");
    expect_refused(test_load_text("services: {a: {image: i, label_file: no.label}}", NULL), "label file ", "missing labels");
    expect_refused(test_load_text("services: {a: {image: i, env_file: [{path: a.env, format: x}]}}", NULL), "unsupported env_file format", "format");
}

Test(load, strict_goes_for_environment_files_too)
{
    const char *files[] = {test_file("compose.yaml", "services: {a: {image: 'i${B}', env_file: a.env}}"), NULL};
    test_file(".env", "A=1\nB=${NOPE}x\n");
    test_file("a.env", "\n\nC=${GONE}\n");
    struct load_options options = {.project_name = "p"};
    struct loaded loaded = test_load(files, NULL, &options);
    cr_expect(loaded.project && strstr(loaded.findings, ".env:2:1: warning: The \"NOPE\" variable is not set."), "%s", loaded.findings);
    cr_expect(strstr(loaded.findings, "a.env:3:1: warning: The \"GONE\" variable is not set."), "%s", loaded.findings);
    options.strict = true;
    expect_refused(test_load(files, NULL, &options), ".env:2:1: error: the \"NOPE\" variable is not set", "project");
    expect_refused(test_load(files, (char *[]){"NOPE=n", NULL}, &options), "a.env:3:1: error: the \"GONE\" variable is not set", "service");
}

Test(load, reads_no_file_of_services_that_are_not_asked_for)
{
    const char *files[] = {test_file("compose.yaml", "services: {a: {image: i, links: [b]}, b: {image: i}, c: {image: i, env_file: no.env}}"),
                           test_file("nothing.yaml", "# no override\n"), NULL};
    const char *names[] = {"a", NULL};
    struct load_options options = {.project_name = "p", .services = names, .only_services = true};
    struct loaded loaded = test_load(files, NULL, &options);
    cr_assert(loaded.project, "%s", loaded.findings);
    cr_expect_eq(loaded.project->services.count, 2);
    options.only_services = false;
    expect_refused(test_load(files, NULL, &options), "no.env not found", "all services");
}

Test(load, selects_by_profiles)
{
    static const char text[] = "services:\n  a: {image: i, depends_on: {p: {condition: service_started, required: false}}}\n"
                               "  p: {image: i, profiles: [x]}\n  q: {image: i, profiles: [y], volumes: ['v:/v']}\nvolumes: {v: }\n";
    const char *files[] = {test_file("compose.yaml", text), NULL};
    const char *x[] = {"x", NULL}, *all[] = {"*", NULL}, *q[] = {"q", NULL};
    struct load_options options = {.project_name = "p"};
    struct loaded loaded = test_load(files, NULL, &options);
    cr_assert(loaded.project, "%s", loaded.findings);
    cr_expect_eq(loaded.project->services.count, 1);
    cr_expect_eq(loaded.project->disabled.count, 2);
    cr_expect_eq(loaded.project->services.items[0].depends_on.count, 0);
    cr_expect(strstr(loaded.text, "depends_on:\n      p:\n"), "config keeps it: %s", loaded.text);
    cr_expect_eq(loaded.project->volumes.count, 0);
    options.profiles = x;
    cr_expect_eq(test_load(files, NULL, &options).project->services.count, 2);
    options.profiles = all;
    cr_expect_eq(test_load(files, NULL, &options).project->services.count, 3);
    options = (struct load_options){.project_name = "p", .services = q};
    loaded = test_load(files, (char *[]){"COMPOSE_PROFILES= x , z", NULL}, &options);
    cr_expect_eq(loaded.project->services.count, 3);
    expect_refused(test_load_text("services: {a: {image: i, depends_on: [b]}, b: {image: i, profiles: [x]}}", NULL),
                   "depends on undefined service \"b\"", "disabled dependency");
    static const char unnamed[] = "services: {a: {image: i, profiles: ['', x]}, b: {image: i, profiles: [y]}, c: {image: i}}";
    cr_expect_eq(test_load_text(unnamed, NULL).project->services.count, 2);
    cr_expect_eq(test_load_text(unnamed, (char *[]){"COMPOSE_PROFILES=y", NULL}).project->services.count, 2);
    cr_expect_eq(test_load_text(unnamed, (char *[]){"COMPOSE_PROFILES=y,", NULL}).project->services.count, 3);
}

Test(load, extends_services)
{
    test_file("other/base.yaml", "services:\n  base: {extends: root, environment: {A: 1}, volumes: ['./v:/v'], build: ctx}\n  root: {image: r, command: [x], tty: true}\n");
    struct loaded loaded = test_load_text("services:\n  a: {extends: {file: other/base.yaml, service: base}, environment: [B=2], tty: !reset null}\n"
                                          "  b: {extends: a, image: b}\n", NULL);
    expect(loaded, "/other/v\n", "path of the other file");
    expect(loaded, "/other/ctx\n", "context of the other file");
    expect(loaded, "environment:\n      A: \"1\"\n      B: \"2\"\n    image: b\n", "chain");
    cr_expect(!strstr(loaded.text, "tty"), "%s", loaded.text);
    expect_refused(test_load_text("services: {a: {extends: b}, b: {extends: a}}", NULL), "Circular reference", "circle");
    expect_refused(test_load_text("services: {a: {extends: nope}}", NULL), "service \"nope\" not found", "missing");
    expect_refused(test_load_text("services: {a: {extends: {service: b, file: nope.yaml}}}", NULL), "no such file", "no file");
}

Test(load, includes_projects)
{
    test_file("inc/compose.yaml", "services: {inner: {image: '$TAG', volumes: ['./d:/d'], environment: [PASS]}}\nvolumes: {v: }\n");
    test_file("inc/.env", "TAG=inner\nPASS=word\n");
    test_file("loop.yaml", "include: [loop2.yaml]\n");
    test_file("loop2.yaml", "include: [loop.yaml]\n");
    struct loaded loaded = test_load_text("include: [inc/compose.yaml]\nservices: {a: {image: i, depends_on: [inner]}, inner: {tty: true}}", NULL);
    expect(loaded, "image: inner", "own .env");
    expect(loaded, "PASS: word", "own environment");
    expect(loaded, "/inc/d\n", "own directory");
    expect(loaded, "tty: true", "the including file goes over it");
    expect(test_load_text("include: [{path: inc/compose.yaml, project_directory: ., env_file: /dev/null}]\nservices: {}", (char *[]){"TAG=t", NULL}),
           "image: t", "long form");
    expect_refused(test_load_text("include: [loop.yaml]\nservices: {}", NULL), "include cycle detected", "cycle");
    expect_refused(test_load_text("include: [nope.yaml]\nservices: {}", NULL), "no such file", "missing");
}

Test(load, model_survives_the_way_to_the_supervisor)
{
    struct loaded loaded = test_load_text(
        "services:\n  a: {image: i, scale: 2, ports: ['1-2:1-2'], secrets: [s], restart: 'on-failure:3', tmpfs: '/t:size=1m,noexec',\n"
        "      networks: {n: {priority: 1}, m: {priority: 5}}, cpus: 0.1, command: [], healthcheck: {test: x, interval: 2s}}\n"
        "  off: {image: i, profiles: [x]}\nnetworks: {n: , m: }\nsecrets: {s: {environment: SECRET}}\n", (char *[]){"SECRET=hush", NULL});
    cr_assert(loaded.project, "%s", loaded.findings);
    cr_expect(!strstr(loaded.text, "hush"));
    struct jv *value = project_to_json(loaded.project), *parsed;
    struct project *again;
    struct err err = {0};
    char *text = jv_dump(value);
    cr_assert_eq(jv_parse(text, strlen(text), &parsed, &err), 0);
    cr_assert_eq(project_from_json(parsed, &again, &err), 0, "%s", err.message);
    const struct project *both[] = {loaded.project, again};
    for (size_t i = 0; i < 2; i++) {
        const struct service *a = project_service(both[i], "a");
        cr_assert(a);
        cr_expect_eq(a->scale, 2);
        cr_expect_eq(a->ports.count, 2);
        cr_expect_eq(a->ports.items[1].published_first, 2);
        cr_expect(a->command.set && a->command.argv.count == 0 && !a->entrypoint.set);
        cr_expect_eq(a->restart.condition, RESTART_ON_FAILURE);
        cr_expect_eq(a->restart.max_attempts, 3);
        cr_expect_str_eq(a->networks.items[0].network, "m");
        cr_expect_eq(a->volumes.items[0].tmpfs_size.value, 1 << 20);
        cr_expect_str_eq(a->volumes.items[0].tmpfs_options.items[0], "noexec");
        cr_expect_eq(a->healthcheck.interval_us.value, 2000000);
        cr_expect_eq(a->stop_grace_us.value, 10000000);
        cr_expect_str_eq(a->config_hash, project_service(loaded.project, "a")->config_hash);
        cr_expect_str_eq(project_secret(both[i], "s")->environment_value, "hush");
        cr_expect_str_eq(project_network(both[i], "n")->config_hash, project_network(loaded.project, "n")->config_hash);
        cr_expect_eq(both[i]->disabled.count, 1);
    }
    jv_free(value);
    jv_free(parsed);
    free(text);
    project_free(again);
}

Test(load, hash_leaves_out_what_needs_no_new_container)
{
    const char *base = test_load_text("services: {a: {image: i}}", NULL).project->services.items[0].config_hash;
    const char *same = test_load_text("services: {a: {image: i, scale: 3, pull_policy: always, depends_on: [b]}, b: {image: i}}", NULL)
                           .project->services.items[0].config_hash;
    const char *other = test_load_text("services: {a: {image: i, tty: true}}", NULL).project->services.items[0].config_hash;
    cr_expect_str_eq(base, same);
    cr_expect_str_neq(base, other);
}

Test(load, config_output_reads_back_as_itself)
{
    struct loaded first = test_load_text(
        "services: {a: {image: i, command: ['$$x', 'y', \"a\\nb \", '#', ': ', '- ', '0x1', ' lead', \"tab\\t\", 'true', '~', '', 'é'], ports: ['1-3:4-6'],\n"
        " volumes: [./a:/b, {type: bind, source: b, target: /c, bind: {create_host_path: false}}], environment: {X: '12:30', Y: }}}\n"
        "networks: {default: {ipam: {options: {a: b}}}}", NULL);
    cr_assert(first.project, "%s", first.findings);
    struct loaded second = test_load_text(first.text, NULL);
    cr_assert(second.project, "%s\n%s", second.findings, first.text);
    cr_expect_str_eq(second.text, first.text);
    cr_expect_str_eq(second.project->services.items[0].config_hash, first.project->services.items[0].config_hash);
}

Test(load, takes_files_names_and_variables_from_the_environment)
{
    test_file("a.yml", "services: {a: {image: '${ONE}-${TWO}'}}\n");
    test_file("b.yml", "services: {a: {tty: true}}\n");
    test_file("one.env", "ONE=1\nTWO=old\n");
    test_file("two.env", "TWO=${ONE}2\n");
    struct load_options options = {.project_name = "p", .cwd = test_dir()};
    struct loaded loaded = test_load(NULL, (char *[]){"COMPOSE_FILE=a.yml;b.yml", "COMPOSE_PATH_SEPARATOR=;",
                                                      "COMPOSE_ENV_FILES=one.env,two.env", NULL}, &options);
    expect(loaded, "image: 1-12\n", "COMPOSE_ENV_FILES");
    expect(loaded, "tty: true", "COMPOSE_FILE");
    cr_expect_eq(loaded.project->env_files.count, 2);
    const char *missing[] = {"nope.env", NULL};
    options.env_files = missing;
    expect_refused(test_load(NULL, (char *[]){"COMPOSE_FILE=a.yml", NULL}, &options), "couldn't find env file", "missing --env-file");
}

Test(load, keeps_the_text_when_it_must_not_interpolate)
{
    const char *files[] = {test_file("compose.yaml", "services: {a: {image: '${X:-i}', ports: ['${P}:80'], mem_limit: $M, command: '$$x'}}"), NULL};
    struct load_options options = {.project_name = "p", .no_interpolate = true};
    struct loaded loaded = test_load(files, NULL, &options);
    expect(loaded, "image: ${X:-i}\n", "image");
    expect(loaded, "- ${P}:80\n", "ports");
    expect(loaded, "mem_limit: $M\n", "size");
}

Test(load, picks_a_name_without_a_good_file)
{
    struct err err = {0};
    char *name = NULL, *environment[] = {NULL};
    test_file("Name.Dir/compose.yaml", "name: good\nservices: [");
    char *cwd = xasprintf("%s/Name.Dir", test_dir());
    struct load_options options = {.cwd = cwd, .environment = environment};
    cr_assert_eq(project_name_pick(&options, &name, &err), 0, "%s", err.message);
    cr_expect_str_eq(name, "namedir");
    free(name);
    test_file("Name.Dir/compose.yaml", "name: good\nservices: {a: {}}");
    cr_assert_eq(project_name_pick(&options, &name, &err), 0, "%s", err.message);
    cr_expect_str_eq(name, "good");
    free(name);
    options.project_name = "Bad";
    cr_expect_eq(project_name_pick(&options, &name, &err), -1);
}
