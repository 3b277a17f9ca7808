/* SPDX-License-Identifier: Apache-2.0 */
/* Each rule of lint has a file that it tells and one that it does not; docs/lint.md is made from the table of rules. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/fd.h"
#include "base/str.h"
#include "parser/lint.h"
#include "tests/unit/parser/helper.h"

#define WEB "services:\n  web:\n    image: x:1\n"
#define DB  "  db:\n    image: y:1\n"
#define CHECKED_DB DB "    healthcheck: {test: [CMD, \"true\"]}\n"

/* place: "LINE:COLUMN" of the finding with this id; the good text must give none with it. */
static const struct { const char *id, *place, *bad, *good; } rules[] = {
    {"anonymous-volume", "4:15", WEB "    volumes: [/data]\n", WEB "    volumes: [d:/data, ./e:/e]\nvolumes: {d: }\n"},
    {"depends-without-condition", "4:18", WEB "    depends_on: [db]\n" CHECKED_DB, WEB "    depends_on: [db]\n" DB},
    {"depends-without-condition", "4:18", WEB "    depends_on: [db]\n" CHECKED_DB,
     WEB "    depends_on: {db: {condition: service_started}}\n" CHECKED_DB},
    {"health-disabled", "4:18", WEB "    depends_on: {db: {condition: service_healthy}}\n" DB "    healthcheck: {disable: true}\n",
     WEB "    depends_on: {db: {condition: service_healthy}}\n" CHECKED_DB},
    {"health-missing", "4:18", WEB "    depends_on: {db: {condition: service_healthy}}\n" DB,
     WEB "    depends_on: {db: {condition: service_healthy}}\n" CHECKED_DB},
    {"image-tag", "3:12", "services:\n  web:\n    image: reg:5000/nginx\n", "services:\n  web:\n    image: reg:5000/nginx:1\n"},
    {"image-tag", "3:12", "services:\n  web:\n    image: nginx:latest\n", "services:\n  web:\n    image: app\n    build: .\n"},
    {"number-octal", "5:14", WEB "    environment:\n      UMASK: 022\n", WEB "    environment:\n      UMASK: \"022\"\n"},
    {"number-octal", "4:16", WEB "    mem_limit: 010\n",
     WEB "    configs: [{source: c, mode: 0440}]\nconfigs: {c: {content: c}}\n"},
    {"number-respelled", "4:25", WEB "    environment: { VER: 1.10 }\n", WEB "    cpus: 0.50\n    environment: { VER: 1.1 }\n"},
    {"number-sexagesimal", "4:13", WEB "    ports: [22:22]\n", WEB "    ports: [\"22:22\", 8080:80]\n"},
    {"published-database", "4:13", WEB "    ports: [\"15432:5432\"]\n", WEB "    ports: [\"127.0.0.1:15432:5432\", \"80:80\"]\n"},
    {"published-database", "4:13", WEB "    ports: [\"0.0.0.0:1:6379\"]\n", WEB "    expose: [6379]\n"},
    {"secret-in-environment", "5:20", WEB "    environment:\n      DB_PASSWORD: hunter2\n",
     WEB "    environment:\n      DB_PASSWORD: ${X:-}y\n      ALLOW_EMPTY_PASSWORD: \"yes\"\n      PUBLIC_KEY: k\n      API_KEY:\n"},
    {"secret-in-environment", "4:19", WEB "    environment: [API_TOKEN=hunter2]\n",
     WEB "    environment: [\"API_TOKEN=${X:-hunter2}\", API_TOKEN_FILE=/run/secrets/t, TLS_KEY=/certs/key]\n"},
    {"shell-signals", "4:14", WEB "    command: sh -c \"migrate && serve\"\n", WEB "    command: sh -c \"migrate && exec serve\"\n"},
    {"shell-signals", "4:17", WEB "    entrypoint: [/bin/bash, -ec, serve]\n", WEB "    command: [sh, ./serve.sh]\n"},
    {"shell-signals", "4:14", WEB "    command: sh -c migrate\n",
     WEB "    command: sh -c migrate\n" DB "    depends_on: {web: {condition: service_completed_successfully}}\n"},
    {"unknown-ignore", "3:35", "services:\n  web:\n    image: x # winch-lint: ignore=image-tug\n",
     "services:\n  web:\n    image: x # winch-lint: ignore=image-tag,all\n"},
    {"unquoted-boolean", "4:14", WEB "    restart: no\n", WEB "    restart: \"no\"\n"},
    {"unused-resource", "4:11", WEB "volumes: {old: }\n", WEB "    networks: [n]\nnetworks: {n: , default: {internal: true}}\n"},
    {"unused-resource", "4:11", WEB "secrets: {old: {file: s}}\n", WEB "    profiles: [p]\n    secrets: [s]\nsecrets: {s: {file: s}}\n"},
    {"uwsgi-signal", "4:14", WEB "    command: uwsgi --ini app.ini\n", WEB "    command: uwsgi --ini app.ini\n    stop_signal: SIGINT\n"},
    {"uwsgi-signal", "4:14", WEB "    command: uwsgi --ini app.ini\n", WEB "    command: uwsgi --die-on-term\n"},
    {"version-obsolete", "1:10", "version: \"3\"\n" WEB, WEB},
};

/* "ID FILE:LINE:COLUMN: …" lines of all findings; errors counted. */
static char *findings(const char *text, size_t *ret_errors)
{
    const char *files[] = {test_file("compose.yaml", text), NULL};
    static char *const environment[] = {NULL};
    struct load_options options = {.files = files, .project_name = "p", .cwd = test_dir(), .environment = environment,
                                   .all_resources = true, .no_env_resolution = true};
    struct project *project = NULL;
    struct diags diags = {0};
    struct err err = {0};
    struct str out = {0};

    cr_assert_eq(project_load(&options, &project, &diags, &err), 0, "%s\n%s", text,
                 diags.count ? diags.items[0].message : err.message);
    struct lint_sources sources = lint_sources_read(project);
    lint_project(project, &sources, &diags);
    for (size_t i = 0; i < diags.count; i++)
        str_addf(&out, "%s %u:%u\n%s\n", diags.items[i].id ? diags.items[i].id : "-", diags.items[i].pos.line,
                 diags.items[i].pos.column, diags.items[i].message);
    if (ret_errors)
        *ret_errors = diags.error_count;
    diags_done(&diags);
    project_free(project);
    return str_take(&out);
}

static bool tells(const char *found, const char *id)
{
    _cleanup_free_ char *mark = xasprintf("\n%s ", id);
    return strncmp(found, mark + 1, strlen(mark + 1)) == 0 || strstr(found, mark);
}

Test(lint, each_rule_tells_what_hurts_and_nothing_else)
{
    for (size_t i = 0; i < ARRAY_LEN(rules); i++) {
        _cleanup_free_ char *bad = findings(rules[i].bad, NULL), *good = findings(rules[i].good, NULL);
        _cleanup_free_ char *wanted = xasprintf("%s %s", rules[i].id, rules[i].place);
        cr_expect(tells(bad, rules[i].id), "%s not found in\n%s%s", rules[i].id, rules[i].bad, bad);
        cr_expect(strstr(bad, wanted), "%s not found in\n%s%s", wanted, rules[i].bad, bad);
        cr_expect(!tells(good, rules[i].id), "%s found in\n%s%s", rules[i].id, rules[i].good, good);
    }
}

Test(lint, each_rule_has_its_case_and_the_table_is_sorted)
{
    for (size_t i = 0; i < lint_rule_count; i++) {
        bool found = false;
        for (size_t j = 0; j < ARRAY_LEN(rules); j++)
            found = found || strcmp(rules[j].id, lint_rules[i].id) == 0;
        cr_expect(found, "%s has no case", lint_rules[i].id);
        cr_expect(i == 0 || strcmp(lint_rules[i - 1].id, lint_rules[i].id) < 0, "%s", lint_rules[i].id);
        cr_expect_eq(!!lint_rules[i].service + !!lint_rules[i].project + !!lint_rules[i].scalar, 1, "%s", lint_rules[i].id);
    }
}

Test(lint, comments_take_findings_away)
{
    static const struct { const char *text; bool told; } cases[] = {
        {"services:\n  web:\n    image: x # winch-lint: ignore=image-tag\n", false},
        {"services:\n  web:\n    image: x # winch-lint: ignore=shell-signals,image-tag why not\n", false},
        {"services:\n  web:\n    # winch-lint: ignore=image-tag\n    # because\n    image: x\n", false},
        {"services:\n  web:\n    # winch-lint: ignore=all\n    image: x\n", false},
        {"services:\n  web:\n    image: x # winch-lint: ignore=shell-signals\n", true},
        {"services:\n  web: # winch-lint: ignore=image-tag\n    image: x\n", true},
        {"services:\n  web:\n    image: x\n    # winch-lint: ignore=image-tag\n", true},
        {"services:\n  web:\n    # winch-lint: ignore=image-tag\n\n    image: x\n", true},
        {"services:\n  web:\n    image: x\n    labels: {a: \"winch-lint: ignore=image-tag\"}\n", true},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        _cleanup_free_ char *found = findings(cases[i].text, NULL);
        cr_expect_eq(tells(found, "image-tag"), cases[i].told, "case %zu\n%s%s", i, cases[i].text, found);
    }
}

Test(lint, an_alias_is_told_once_and_values_of_secrets_never)
{
    _cleanup_free_ char *found = findings("x-e: &e\n  UMASK: 022\n  A_TOKEN: hunter2\nservices:\n"
                                          "  a: {image: \"a:1\", environment: *e}\n  b: {image: \"b:1\", environment: *e}\n",
                                          NULL);
    cr_expect_str_eq(found, "number-octal 2:10\n022 is octal, that is 18\nsecret-in-environment 3:12\nstands here in plain text\n");
}

Test(lint, levels_count)
{
    size_t errors;
    free(findings(WEB "    restart: no\n", &errors));
    cr_expect_eq(errors, 0);
    free(findings(WEB "    ports: [\"5432:5432\"]\n", &errors));
    cr_expect_eq(errors, 1);
}

static const char intro[] =
    "<!-- made from the table in parser/lint.c by `make golden`: do not edit -->\n"
    "# What `winch lint` finds\n"
    "\n"
    "`winch lint` reads the project as every command does and tells what is legal in its files but hurts: one line a finding,\n"
    "`file:line:column: level: path: message [id]`, and a line `hint:` with the remedy. Findings go to standard output\n"
    "(`--format json`: an array of objects with `level`, `file`, `line`, `column`, `path`, `message`, `hint`, `id`, and `other`,\n"
    "the second place of a finding that has two); warnings of the load are among them, without an id. Files that cannot be\n"
    "loaded are errors, as everywhere.\n"
    "\n"
    "Exit status: 1 when there is an error, with `--strict` also when there is a warning, else 0.\n"
    "\n"
    "A comment takes findings away, at the end of the line that they name or alone on the lines right above it:\n"
    "\n"
    "```yaml\n"
    "services:\n"
    "  web:\n"
    "    image: nginx:latest  # winch-lint: ignore=image-tag\n"
    "    # winch-lint: ignore=shell-signals,number-octal\n"
    "    command: sh -c \"migrate && serve\"\n"
    "```\n"
    "\n"
    "`ignore=all` stands for every id.\n"
    "\n"
    "| id | level | finds | remedy |\n"
    "|---|---|---|---|\n";

Test(lint, document_says_what_the_table_says)
{
    static const char path[] = "docs/lint.md";
    _cleanup_str_ struct str out = {0};
    _cleanup_free_ char *written = NULL;
    struct err err = {0};

    str_add(&out, intro);
    for (size_t i = 0; i < lint_rule_count; i++)
        str_addf(&out, "| `%s` | %s | %s | %s |\n", lint_rules[i].id, diag_level_text(lint_rules[i].level),
                 lint_rules[i].what, lint_rules[i].remedy);
    if (getenv("WINCH_GOLDEN_WRITE")) {
        FILE *file = fopen(path, "w");
        cr_assert(file);
        fputs(str_text(&out), file);
        fclose(file);
        return;
    }
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert(fd >= 0, "%s is missing: make golden writes it", path);
    cr_assert_eq(fd_read_all(fd, 1 << 20, &written, NULL, &err), 0);
    cr_expect_str_eq(written, str_text(&out), "docs/lint.md is old: run make golden");
}
