/* SPDX-License-Identifier: Apache-2.0 */
/* lint.c - the table of rules and the walk over it. Errors are what cannot work or lets strangers in; warnings are what
 * hurts later. */
#include "parser/lint.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "parser/lint_rule.h"

const struct lint_rule lint_rules[] = {
    {"anonymous-volume", DIAG_WARNING, "a volume without a name: nobody finds its data again",
     "give the volume a name: NAME:/path, and NAME below the top-level volumes", .service = lint_anonymous_volume},
    {"depends-without-condition", DIAG_WARNING,
     "`depends_on` without a condition, although the service it names has a healthcheck",
     "use the long form with condition: service_healthy", .service = lint_condition},
    {"health-disabled", DIAG_ERROR, "`service_healthy` waits for a service whose healthcheck is disabled",
     "give that service a healthcheck, or wait for service_started", .service = lint_health_disabled},
    {"health-missing", DIAG_WARNING,
     "`service_healthy` waits for a service without a healthcheck: it works only if the image brings one",
     "give that service a healthcheck", .service = lint_health_missing},
    {"image-tag", DIAG_WARNING, "an image without a tag, or with the tag `latest`: it changes without notice",
     "name a version (or a digest)", .service = lint_image_tag},
    {"number-octal", DIAG_ERROR, "a number that begins with 0 is read as octal: `010` is 8 (a `mode` may be octal)",
     "put it in quotes, or leave the 0 out", .scalar = lint_octal},
    {"number-respelled", DIAG_WARNING,
     "a number where text is wanted (environment, labels, build arguments) that loses its spelling: `1.10` becomes `1.1`",
     "put it in quotes", .scalar = lint_respelled},
    {"number-sexagesimal", DIAG_WARNING,
     "digits with colons (`22:22`) without quotes: a YAML 1.1 reader takes them for a number to the base of 60",
     "put it in quotes", .scalar = lint_sexagesimal},
    {"published-database", DIAG_ERROR, "the port of a database, published on all addresses of the host",
     "publish it on one address (127.0.0.1:PORT:PORT), or not at all: services of a project reach each other anyway",
     .service = lint_database},
    {"secret-in-environment", DIAG_WARNING,
     "a password, token, secret or key in plain text below `environment`: everyone who reads the file or inspects the "
     "container has it",
     "use secrets:, or take the value from the environment: ${NAME}", .service = lint_secret},
    {"shell-signals", DIAG_WARNING,
     "a command run by a shell that stays in front of it: the shell gets the stop signal, the program never does",
     "write the command as a list of words, or put exec before the last program", .service = lint_shell},
    {"unknown-ignore", DIAG_WARNING, "a `winch-lint: ignore=` comment with an id that no rule has",
     "the ids are in docs/lint.md", .project = lint_ignored_ids},
    {"unquoted-boolean", DIAG_WARNING,
     "`yes`, `no`, `on`, `off`, `y` or `n` without quotes: text here, a boolean for a YAML 1.1 reader",
     "put it in quotes, or write true or false", .scalar = lint_boolean},
    {"unused-resource", DIAG_WARNING, "a network, volume, config or secret that no service uses",
     "remove it, or name it in a service", .project = lint_unused},
    {"uwsgi-signal", DIAG_WARNING, "uWSGI reloads on SIGTERM instead of stopping, and is killed after the grace period",
     "set stop_signal: SIGINT, or give uwsgi --die-on-term", .service = lint_uwsgi},
    {"version-obsolete", DIAG_WARNING, "the top-level `version` has no effect", "remove it", .project = lint_version},
};
const size_t lint_rule_count = ARRAY_LEN(lint_rules);

const struct lint_rule *lint_rule_find(const char *id)
{
    for (size_t i = 0; i < ARRAY_LEN(lint_rules); i++)
        if (strcmp(lint_rules[i].id, id) == 0)
            return &lint_rules[i];
    return NULL;
}

const struct lint_source *lint_source_at(const struct lint *lint, const char *file)
{
    for (size_t i = 0; file && i < lint->sources->count; i++)
        if (strcmp(lint->sources->items[i].file, file) == 0)
            return &lint->sources->items[i];
    return NULL;
}

const struct service *lint_service(const struct lint *lint, const char *name)
{
    return map_find(lint->services, name);
}

struct diag *lint_find(struct lint *lint, struct pos pos, const char *path, const char *format, ...)
{
    const struct lint_rule *rule = lint->rule;
    _cleanup_free_ char *key = xasprintf("%s:%u:%u:%s", pos.file ? pos.file : "", pos.line, pos.column, rule->id);
    char message[512];
    va_list args;

    if (map_has(lint->seen, key))
        return NULL;
    map_set(lint->seen, key, lint);
    const struct lint_source *source = lint_source_at(lint, pos.file);
    if (source && lint_is_ignored(source, pos.line, rule->id))
        return NULL;
    va_start(args, format);
    vsnprintf(message, sizeof(message), format, args);
    va_end(args);
    struct diag *diag = (rule->level == DIAG_ERROR ? diag_error : diag_warning)(lint->diags, pos, path, "%s", message);
    diag->id = rule->id;
    diag_hint(diag, "%s", rule->remedy);
    return diag;
}

static void run_rule(struct lint *lint)
{
    const struct project *project = lint->project;

    if (lint->rule->project)
        lint->rule->project(lint);
    if (!lint->rule->service)
        return;
    for (size_t i = 0; i < project->services.count; i++)
        lint->rule->service(lint, &project->services.items[i]);
    for (size_t i = 0; i < project->disabled.count; i++)
        lint->rule->service(lint, &project->disabled.items[i]);
}

void lint_project(const struct project *project, const struct lint_sources *sources, struct diags *diags)
{
    struct lint lint = {.project = project, .sources = sources, .diags = diags, .services = map_new(NULL),
                        .seen = map_new(NULL)};

    for (size_t i = 0; i < project->services.count; i++)
        map_set(lint.services, project->services.items[i].name, &project->services.items[i]);
    for (size_t i = 0; i < project->disabled.count; i++)
        map_set(lint.services, project->disabled.items[i].name, &project->disabled.items[i]);
    for (size_t i = 0; i < ARRAY_LEN(lint_rules); i++) {
        lint.rule = &lint_rules[i];
        run_rule(&lint);
    }
    lint_scalars(&lint);
    map_free(lint.services);
    map_free(lint.seen);
    diags_sort(diags);
}
