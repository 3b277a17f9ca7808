/* SPDX-License-Identifier: Apache-2.0 */
/* lint_service.c - the rules about services and what they use. They look at the model; places come from the canonical
 * tree below it. */
#include <string.h>
#include <strings.h>

#include "base/path.h"
#include "base/str.h"
#include "parser/lint_rule.h"

static struct pos pos_of(const struct service *service, const char *key)
{
    const struct node *node = node_find(service->canonical, key);
    return node ? node->pos : service->pos;
}

static bool same_place(struct pos a, struct pos b)
{
    return a.line == b.line && a.column == b.column && str_eq(a.file, b.file);
}

static bool is_one_of(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcasecmp(text, words[i]) == 0)
            return true;
    return false;
}
#define IS_ONE_OF(text, ...) is_one_of(text, (const char *const[]){__VA_ARGS__}, ARRAY_LEN(((const char *const[]){__VA_ARGS__})))

/* ---- images, mounts, ports ---- */
void lint_image_tag(struct lint *lint, const struct service *service)
{
    if (!service->image || service->build.set || service->provider.set || strchr(service->image, '@'))
        return;
    const char *slash = strrchr(service->image, '/');
    const char *colon = strchr(slash ? slash : service->image, ':');
    if (colon && strcmp(colon, ":latest") != 0)
        return;
    _cleanup_free_ char *path = xasprintf("services.%s.image", service->name);
    lint_find(lint, pos_of(service, "image"), path, "'%s' %s", service->image,
              colon ? "is whatever is newest" : "has no tag, so it is latest, whatever is newest");
}

void lint_anonymous_volume(struct lint *lint, const struct service *service)
{
    _cleanup_free_ char *path = xasprintf("services.%s.volumes", service->name);
    for (size_t i = 0; i < service->volumes.count; i++) {
        const struct service_volume *volume = &service->volumes.items[i];
        if (volume->type == SERVICE_VOLUME_VOLUME && (!volume->source || !*volume->source))
            lint_find(lint, volume->pos, path, "the volume at %s has no name", volume->target);
    }
}

static const char *database_at(unsigned port)
{
    static const struct { unsigned port; const char *name; } databases[] = {
        {1433, "SQL Server"}, {1521, "Oracle"}, {2379, "etcd"}, {3306, "MySQL"}, {5432, "PostgreSQL"},
        {5984, "CouchDB"}, {6379, "Redis"}, {7687, "Neo4j"}, {8086, "InfluxDB"}, {9042, "Cassandra"},
        {9200, "Elasticsearch"}, {11211, "memcached"}, {26257, "CockroachDB"}, {27017, "MongoDB"},
        {28015, "RethinkDB"}, {33060, "MySQL X"},
    };
    for (size_t i = 0; i < ARRAY_LEN(databases); i++)
        if (databases[i].port == port)
            return databases[i].name;
    return NULL;
}

void lint_database(struct lint *lint, const struct service *service)
{
    _cleanup_free_ char *path = xasprintf("services.%s.ports", service->name);
    for (size_t i = 0; i < service->ports.count; i++) {
        const struct service_port *port = &service->ports.items[i];
        const char *name = database_at(port->target);
        bool everywhere = !port->host_ip || IS_ONE_OF(port->host_ip, "", "0.0.0.0", "::", "[::]");
        if (name && everywhere)
            lint_find(lint, port->pos, path, "port %u (%s) is open to every network of the host", (unsigned)port->target,
                      name);
    }
}

/* ---- dependencies ---- */
static bool has_check(const struct service *service)
{
    return service->healthcheck.set && !service->healthcheck.disable;
}

void lint_condition(struct lint *lint, const struct service *service)
{
    _cleanup_free_ char *path = xasprintf("services.%s.depends_on", service->name);
    const struct node *all = node_find(service->canonical, "depends_on");
    for (size_t i = 0; i < service->depends_on.count; i++) {
        const struct depends_on *dependency = &service->depends_on.items[i];
        const struct service *other = lint_service(lint, dependency->service);
        const struct node *node = node_find(all, dependency->service), *condition = node_find(node, "condition");
        if (!other || !has_check(other) || dependency->implied || dependency->condition != DEPENDS_STARTED)
            continue;
        if (condition && !same_place(condition->pos, node->pos))
            continue; /* written by somebody who meant it */
        struct diag *diag = lint_find(lint, node ? node->pos : dependency->pos, path,
                                      "waits until '%s' is started, not until its healthcheck is content",
                                      dependency->service);
        if (diag)
            diag->other = other->healthcheck.pos;
    }
}

static void check_healthy(struct lint *lint, const struct service *service, bool disabled)
{
    _cleanup_free_ char *path = xasprintf("services.%s.depends_on", service->name);
    for (size_t i = 0; i < service->depends_on.count; i++) {
        const struct depends_on *dependency = &service->depends_on.items[i];
        const struct service *other = lint_service(lint, dependency->service);
        if (!other || dependency->condition != DEPENDS_HEALTHY || has_check(other) ||
            other->healthcheck.disable != disabled)
            continue;
        struct diag *diag = lint_find(lint, dependency->pos, path, "waits until '%s' is healthy, %s", dependency->service,
                                      disabled ? "but its healthcheck is disabled" : "but it has no healthcheck");
        if (diag)
            diag->other = disabled ? other->healthcheck.pos : other->pos;
    }
}

void lint_health_disabled(struct lint *lint, const struct service *service)
{
    check_healthy(lint, service, true);
}

void lint_health_missing(struct lint *lint, const struct service *service)
{
    check_healthy(lint, service, false);
}

/* ---- commands ---- */
static const char *word_at(const struct service *service, size_t index)
{
    size_t own = service->entrypoint.argv.count;
    if (index < own)
        return service->entrypoint.argv.items[index];
    return index - own < service->command.argv.count ? service->command.argv.items[index - own] : NULL;
}

static bool has_word(const char *text, const char *word)
{
    static const char around[] = " \t\r\n;&|(){}/\"'";
    size_t length = strlen(word);
    for (const char *at = text; (at = strstr(at, word)); at += length)
        if ((at == text || strchr(around, at[-1])) && strchr(around, at[length])) /* also the end: '\0' */
            return true;
    return false;
}

/* What a shell is told by -c; NULL: no shell, or one that runs a file. */
static const char *script_of(const struct service *service)
{
    const char *program = word_at(service, 0);
    if (!program || !IS_ONE_OF(path_base(program), "sh", "bash", "ash", "dash", "ksh", "zsh"))
        return NULL;
    for (size_t i = 1; word_at(service, i) && word_at(service, i)[0] == '-'; i++)
        if (word_at(service, i)[1] != '-' && strchr(word_at(service, i), 'c'))
            return word_at(service, i + 1);
    return NULL;
}

/* Others wait until it has done its work: nobody stops it. */
static bool ends_by_itself(const struct lint *lint, const char *name)
{
    for (size_t i = 0; i < lint->project->services.count; i++) {
        const struct service *service = &lint->project->services.items[i];
        for (size_t j = 0; j < service->depends_on.count; j++)
            if (service->depends_on.items[j].condition == DEPENDS_COMPLETED &&
                strcmp(service->depends_on.items[j].service, name) == 0)
                return true;
    }
    return false;
}

void lint_shell(struct lint *lint, const struct service *service)
{
    const char *script = script_of(service);
    if (!script || has_word(script, "exec") || has_word(script, "trap") || ends_by_itself(lint, service->name))
        return;
    const char *key = service->entrypoint.argv.count ? "entrypoint" : "command";
    _cleanup_free_ char *path = xasprintf("services.%s.%s", service->name, key);
    lint_find(lint, pos_of(service, key), path, "'%s -c' keeps the stop signal from the program it runs",
              path_base(word_at(service, 0)));
}

void lint_uwsgi(struct lint *lint, const struct service *service)
{
    const char *program = word_at(service, 0), *script = script_of(service);
    bool is_uwsgi = (program && strcmp(path_base(program), "uwsgi") == 0) || (script && has_word(script, "uwsgi"));
    const char *key = service->entrypoint.argv.count ? "entrypoint" : "command";

    if (!is_uwsgi || kv_find(&service->environment, "UWSGI_DIE_ON_TERM"))
        return;
    if (service->stop_signal && IS_ONE_OF(service->stop_signal, "SIGINT", "INT", "2", "SIGQUIT", "QUIT", "3"))
        return;
    for (size_t i = 0; word_at(service, i); i++)
        if (strstr(word_at(service, i), "die-on-term"))
            return;
    _cleanup_free_ char *path = xasprintf("services.%s.%s", service->name, key);
    lint_find(lint, pos_of(service, key), path, "uwsgi does not stop on %s",
              service->stop_signal ? service->stop_signal : "SIGTERM");
}

/* ---- environment ---- */
static bool names_a_secret(const char *name)
{
    static const char *const ends[] = {"_PASSWORD", "_PASSWD", "_PASS", "_PWD", "_TOKEN", "_SECRET", "_KEY"};
    size_t length = strlen(name);

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        const char *end = ends[i];
        size_t size = strlen(end);
        if (strcasecmp(name, end + 1) == 0 && strcmp(end, "_KEY") != 0)
            return true;
        if (length > size && strcasecmp(name + length - size, end) == 0)
            return length < strlen("PUBLIC_KEY") ||
                   strcasecmp(name + length - strlen("PUBLIC_KEY"), "PUBLIC_KEY") != 0;
    }
    return false;
}

/* Switches (MYSQL_ALLOW_EMPTY_PASSWORD=yes) and paths (SSL_KEY=/certs/key.pem) are no secrets. */
static bool looks_secret(const char *value)
{
    return *value && *value != '/' && !IS_ONE_OF(value, "yes", "no", "true", "false", "on", "off", "0", "1");
}

static bool is_interpolated(const char *text)
{
    for (; (text = strchr(text, '$')); text += 2)
        if (text[1] != '$')
            return true;
    return false;
}

void lint_secret(struct lint *lint, const struct service *service)
{
    for (size_t i = 0; i < service->environment.count; i++) {
        const struct kv *variable = &service->environment.items[i];
        if (!variable->value || !names_a_secret(variable->key) || !looks_secret(variable->value))
            continue;
        const struct node *raw = lint_raw_at(lint, variable->pos);
        if (node_text(raw) && is_interpolated(raw->text))
            continue;
        _cleanup_free_ char *path = xasprintf("services.%s.environment.%s", service->name, variable->key);
        struct diag *diag = lint_find(lint, variable->pos, path, "stands here in plain text");
        if (diag)
            diag->is_secret = true;
    }
}

/* ---- what nobody uses ---- */
static void note_used(struct map *used, const struct service *service, const char *section)
{
    bool secrets = strcmp(section, "secrets") == 0;
    const struct node *lists[] = {node_find(service->canonical, section),
                                  secrets ? node_find(node_find(service->canonical, "build"), section) : NULL};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        NODE_EACH(entry, lists[i]) {
            const char *name = entry->key ? entry->key : node_find_text(entry->value, "source");
            if (name)
                map_set(used, name, used);
        }
}

static void check_unused(struct lint *lint, const char *section, const char *kind)
{
    const struct project *project = lint->project;
    _cleanup_(map_freep) struct map *used = map_new(NULL);

    if (strcmp(section, "networks") == 0)
        map_set(used, "default", used);
    for (size_t i = 0; i < project->services.count; i++)
        note_used(used, &project->services.items[i], section);
    for (size_t i = 0; i < project->disabled.count; i++)
        note_used(used, &project->disabled.items[i], section);
    NODE_EACH(entry, node_find(project->canonical, section)) {
        _cleanup_free_ char *path = xasprintf("%s.%s", section, entry->key);
        if (!map_has(used, entry->key))
            lint_find(lint, entry->key_pos, path, "no service uses this %s", kind);
    }
}

void lint_unused(struct lint *lint)
{
    check_unused(lint, "networks", "network");
    check_unused(lint, "volumes", "volume");
    check_unused(lint, "configs", "config");
    check_unused(lint, "secrets", "secret");
}
