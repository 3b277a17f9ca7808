/* SPDX-License-Identifier: Apache-2.0 */
/* One file over another: the rule of each key where it is not just "the later one wins". */
#include "tests/unit/parser/helper.h"

#define A "services: {a: {image: i, "
static const struct { const char *base, *over, *piece; bool good; } cases[] = {
    /* null: removes what is replaced as a whole, is a value of its own in environment, else says nothing */
    {A "command: [x], entrypoint: y}}", A "command: , entrypoint: }}", "a:\n    image: i\n", true},
    {A "environment: {A: 1, B: 2}}}", A "environment: {A: }}}", "A: null\n      B: \"2\"\n", true},
    {A "environment: {A: 1}}}", A "environment: [A]}}", "A: null\n", true},
    {A "labels: {A: 1}}}", A "labels: {A: }}}", "A: \"\"\n", true},
    {A "build: {context: /c, args: {A: 1, B: 2}}}}", A "build: {args: [A]}}}", "args:\n        B: \"2\"\n", true},
    {A "healthcheck: {test: x, retries: 2}}}", A "healthcheck: {test: }}}", "healthcheck.test: must not be empty", false},
    {A "networks: [n]}}\nnetworks: {n: }", A "networks: }}", "\"n\": null", true},
    {A "ports: ['80']}}", A "ports: }}", "target: 80", true},
    {A "depends_on: [b]}, b: {image: i}}", A "depends_on: }}", "condition: service_started", true},
    /* the same thing twice */
    {A "tmpfs: ['/t:size=1', /u]}}", A "tmpfs: '/t:size=2'}}", "- /t:size=2\n      - /u\n", true},
    {A "dns_opt: ['a=1', b, 'a=2']}}", A "tty: true}}", "dns_opt:\n      - a=2\n      - b\n", true},
    {A "ports: ['0.0.0.0:80:80']}}", A "ports: ['80:80']}}", "ports:\n      - mode: ingress\n        target: 80\n", true},
    {A "security_opt: [x, y]}}", A "security_opt: [y, z]}}", "- x\n      - \"y\"\n      - z\n", true},
    {A "post_start: [{command: [x]}]}}", A "post_start: [{command: [x]}, {command: [z]}]}}",
     "post_start:\n      - command:\n          - x\n      - command:\n          - z\n", true},
    {"x-l: [a, {b: 1}]\nservices: {}", "x-l: [{b: 1}, c]", "x-l:\n  - a\n  - b: 1\n  - c\n", true},
    {A "label_file: []}}", A "group_add: [g, g]}}", "'g' is there twice", false},
    /* the form changes */
    {"x-v: a\nservices: {}", "x-v: {b: 1}", "x-v:\n  b: 1\n", true},
    {"x-v: a\nservices: {}", "x-v: [b]", "x-v:\n  - b\n", true},
    {"x-v: [a]\nservices: {}", "x-v: b", "cannot override x-v", false},
    {A "ulimits: {core: 7, nofile: {soft: 1, hard: 2}, nproc: {soft: 3, hard: 4}}}}",
     A "ulimits: {core: {soft: 8, hard: 9}, nofile: 5, nproc: {hard: 6}}}}",
     "core:\n        soft: 8\n        hard: 9\n      nofile: 5\n      nproc:\n        soft: 3\n        hard: 6\n", true},
    {A "ulimits: {core: 7}}}", A "ulimits: {core: {soft: 8}}}}", "services.a.ulimits.core: missing property 'hard'", false},
    {A "depends_on: {b: {condition: service_healthy, restart: true}}}, b: {image: i}}", A "depends_on: [b]}}",
     "b:\n        condition: service_started\n        restart: true\n        required: true\n", true},
    {A "provider: {type: t, options: {o: a, p: b}}}}", A "provider: {options: {o: c}}}}",
     "options:\n        o:\n          - c\n        p:\n          - b\n", true},
    /* address ranges: those of the later file, each over the earlier one of the same subnet */
    {A "networks: [n]}}\nnetworks: {n: {ipam: {config: [{subnet: 10.1.0.0/16, gateway: 10.1.0.1}, {subnet: 10.2.0.0/16}]}}}",
     "networks: {n: {ipam: {config: [{subnet: 10.3.0.0/16}, {subnet: 10.1.0.0/16, ip_range: 10.1.9.0/24}]}}}",
     "config:\n        - subnet: 10.3.0.0/16\n        - subnet: 10.1.0.0/16\n          gateway: 10.1.0.1\n"
     "          ip_range: 10.1.9.0/24\n", true},
    {A "env_file: [{path: x.env, required: false}, /dev/null]}}", A "env_file: x.env}}", "x.env not found", false},
};

Test(merge, follows_the_rule_of_each_key)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct loaded loaded = test_load_two(cases[i].base, cases[i].over);
        const char *where = cases[i].good ? loaded.text : loaded.findings;
        cr_expect_eq(loaded.project != NULL, cases[i].good, "case %zu '%s': %s", i, cases[i].over, loaded.findings);
        cr_expect(strstr(where, cases[i].piece), "case %zu '%s': no '%s' in:\n%s", i, cases[i].over, cases[i].piece, where);
    }
}

Test(merge, marks_count_for_what_is_extended_and_for_earlier_files)
{
    test_file("other.yaml", "services:\n  mid: {extends: deep, command: !reset null, volumes: !override ['/m:/m']}\n"
                            "  deep: {image: i, command: x, volumes: ['/d:/d']}\n");
    struct loaded loaded = test_load_two(A "volumes: ['/first:/first'], user: u, tty: true}}",
                                         "services: {a: {extends: {file: other.yaml, service: mid}, volumes: ['/own:/own'], user: !reset null}}");
    cr_assert(loaded.project, "%s", loaded.findings);
    cr_expect(!strstr(loaded.text, "command") && !strstr(loaded.text, "user") && !strstr(loaded.text, "/d\n"), "%s", loaded.text);
    cr_expect(strstr(loaded.text, "/first\n") && strstr(loaded.text, "/m\n") && strstr(loaded.text, "/own\n"), "%s", loaded.text);

    loaded = test_load_two(A "ports: ['1']}, b: {image: i, ports: ['2']}}",
                           "services: {a: {extends: b, ports: !override ['3']}, b: {image: j, ports: ['4']}}");
    cr_assert(loaded.project, "%s", loaded.findings);
    cr_expect_eq(project_service(loaded.project, "a")->ports.count, 1, "%s", loaded.text);
    cr_expect_eq(project_service(loaded.project, "b")->ports.count, 2, "%s", loaded.text);
}
