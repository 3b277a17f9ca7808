/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_ps.c - ps: containers as a table or JSON lines, read from state files and checked against the
 * kernel. */
#include "cli/cli.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/str.h"
#include "base/units.h"
#include "cli/view_table.h"
#include "engine/engine.h"
#include "orchestrator/exits.h"

struct ps_options {
    bool all, quiet, services, no_trunc;
    char **status, **filters;
    const char *format;
};
#define PS(field) offsetof(struct ps_options, field)
const struct option_row ps_options[] = {
    {'a', "all", OPTION_FLAG, PS(all), NULL, "stopped containers too"},
    {'q', "quiet", OPTION_FLAG, PS(quiet), NULL, "only ids"},
    {0, "services", OPTION_FLAG, PS(services), NULL, "only service names"},
    {0, "status", OPTION_LIST, PS(status), "STATE", "only containers in this state (repeatable)"},
    {0, "filter", OPTION_LIST, PS(filters), "status=STATE", "the same as --status"},
    {0, "format", OPTION_STRING, PS(format), "table|json", "form of the output"},
    {0, "no-trunc", OPTION_FLAG, PS(no_trunc), NULL, "whole ids and commands"},
    {0},
};

static char *status_text(const struct observed_container *container, int64_t now_ns)
{
    const struct container_status *status = &container->status;
    const struct supervise_state *supervise = &container->supervise;
    enum container_state state = observed_state(container);
    char age[64];
    struct str out = {0};

    switch (state) {
    case STATE_RUNNING:
    case STATE_PAUSED:
        str_addf(&out, "Up %s",
                 age_human((now_ns - status->started_ns) / 1000000000, age, sizeof(age)));
        if (state == STATE_PAUSED)
            str_add(&out, " (Paused)");
        else if (supervise->health == HEALTH_STARTING)
            str_add(&out, " (health: starting)");
        else if (supervise->health != HEALTH_NONE)
            str_addf(&out, " (%s)", health_state_text(supervise->health));
        break;
    case STATE_CREATED:
        str_add(&out, "Created");
        break;
    case STATE_DEAD:
        str_add(&out, "Dead");
        break;
    default:
        str_add(&out, state == STATE_RESTARTING ? "Restarting" : "Exited");
        if (status->exit_code >= 0)
            str_addf(&out, " (%d)", status->exit_code);
        else
            str_add(&out, " (code unknown)"); /* it ended while nobody watched */
        if (status->finished_ns)
            str_addf(&out, " %s ago",
                     age_human((now_ns - status->finished_ns) / 1000000000, age, sizeof(age)));
    }
    if (status->oom)
        str_add(&out, ", out of memory");
    if (status->log_lost > 0)
        str_addf(&out, ", %llu log lines lost", (unsigned long long)status->log_lost);
    if (supervise->restart_count > 0)
        str_addf(&out, ", restarted %lld %s", (long long)supervise->restart_count,
                 supervise->restart_count == 1 ? "time" : "times");
    if (state == STATE_RESTARTING && supervise->restarting_until_ns > now_ns)
        str_addf(&out, ", again in %lld s",
                 (long long)((supervise->restarting_until_ns - now_ns + 999999999) / 1000000000));
    if (supervise->gave_up)
        str_add(&out, ", gave up");
    return str_take(&out);
}

static char *command_text(const struct container_record *record, bool whole)
{
    struct str out = {0};

    str_add_char(&out, '"');
    for (size_t i = 0; i < record->spec.process.argv.count; i++)
        str_addf(&out, "%s%s", i ? " " : "", record->spec.process.argv.items[i]);
    if (!whole && out.size > 20) {
        out.size = 20;
        out.data[20] = 0;
        str_add(&out, "…");
    }
    str_add_char(&out, '"');
    return str_take(&out);
}

static char *ports_text(const struct sandbox_info *sandbox)
{
    struct str out = {0};

    for (size_t i = 0; i < sandbox->port_count; i++) {
        const struct port_bound *port = &sandbox->ports[i];
        bool v6 = strchr(port->host_ip, ':') != NULL;
        str_addf(&out, "%s%s%s%s:%u->%u/%s", i ? ", " : "", v6 ? "[" : "", port->host_ip,
                 v6 ? "]" : "", port->host, port->target, port_proto_text(port->proto));
    }
    return str_take(&out);
}

static struct jv *publishers_json(const struct sandbox_info *sandbox)
{
    struct jv *list = jv_array();

    for (size_t i = 0; i < sandbox->port_count; i++) {
        const struct port_bound *port = &sandbox->ports[i];
        struct jv *item = jv_object();
        jv_set_str(item, "URL", port->host_ip);
        jv_set_int(item, "TargetPort", port->target);
        jv_set_int(item, "PublishedPort", port->host);
        jv_set_str(item, "Protocol", port_proto_text(port->proto));
        jv_add(list, item);
    }
    return list;
}

static char *labels_text(const struct jv *labels)
{
    struct str out = {0};
    const char *key;
    struct jv *value;

    if (labels)
        JV_EACH(labels, key, value)
    str_addf(&out, "%s%s=%s", out.size ? "," : "", key, jv_text(value) ? jv_text(value) : "");
    return str_take(&out);
}

static char *networks_text(const struct sandbox_info *sandbox)
{
    struct str out = {0};

    for (size_t i = 0; i < sandbox->endpoint_count; i++)
        str_addf(&out, "%s%s", i ? "," : "", sandbox->endpoints[i].network);
    return str_take(&out);
}

/* Mount sources as docker lists them; named volumes by their directory's owner name are not told
 * apart here. */
static char *mounts_text(const struct container_record *record)
{
    struct str out = {0};

    for (size_t i = 0; i < record->spec.mounts.count; i++) {
        const struct spec_mount *mount = &record->spec.mounts.items[i];
        if (mount->kind == MOUNT_BIND &&
            !(record->spec.run_dir && str_has_prefix(mount->source, record->spec.run_dir)))
            str_addf(&out, "%s%s", out.size ? "," : "", mount->source);
    }
    return str_take(&out);
}

static void print_json(const struct observed_container *container,
                       const struct sandbox_info *sandbox, bool whole)
{
    const struct container_record *record = container->record;
    int64_t now = clock_wall_ns();
    char short_id[ID_SHORT_SIZE], age[64], created[RFC3339_SIZE];
    _cleanup_jv_ struct jv *json = jv_object();
    _cleanup_free_ char *status = status_text(container, now),
                        *command = command_text(record, whole);
    _cleanup_free_ char *ports = ports_text(sandbox), *labels = labels_text(record->labels);
    _cleanup_free_ char *networks = networks_text(sandbox), *mounts = mounts_text(record);
    _cleanup_free_ char *running_for =
        xasprintf("%s ago", age_human((now - record->created_ns) / 1000000000, age, sizeof(age)));
    _cleanup_free_ char *capabilities =
        xasprintf("%016llx", (unsigned long long)record->spec.process.capabilities);

    id_short(record->id, short_id);
    jv_set_str(json, "Command", command);
    jv_set_str(json, "CreatedAt", rfc3339_format_ns(record->created_ns, created, sizeof(created)));
    jv_set_int(json, "ExitCode", container->status.exit_code);
    jv_set_str(json, "Health", health_state_text(container->supervise.health));
    jv_set_str(json, "ID", whole ? record->id : short_id);
    jv_set_str(json, "Image", record->image);
    jv_set_str(json, "Labels", labels);
    jv_set_str(json, "LocalVolumes", "");
    jv_set_str(json, "Mounts", mounts);
    jv_set_str(json, "Name", record->name);
    jv_set_str(json, "Names", record->name);
    jv_set_str(json, "Networks", networks);
    jv_set_str(json, "Ports", ports);
    jv_set_str(json, "Project", record->project);
    jv_set(json, "Publishers", publishers_json(sandbox));
    jv_set_str(json, "RunningFor", running_for);
    jv_set_str(json, "Service", record->service);
    jv_set_str(json, "Size", "");
    jv_set_str(json, "State", container_state_text(observed_state(container)));
    jv_set_str(json, "Status", status);
    /* ours: what a script would otherwise have to ask the kernel */
    jv_set_int(json, "Pid", container->status.pid);
    jv_set_int(json, "RestartCount", container->supervise.restart_count);
    jv_set_bool(json, "OOMKilled", container->status.oom);
    jv_set_int(json, "LogLinesLost", (int64_t)container->status.log_lost);
    jv_set_bool(json, "UserNamespace", record->spec.id_count > 0);
    jv_set_str(json, "CapBnd", capabilities);
    _cleanup_free_ char *text = jv_dump(json);
    puts(text);
}

static void table_row(struct view_table *table, const struct observed_container *container,
                      const struct sandbox_info *sandbox, bool whole)
{
    const struct container_record *record = container->record;
    int64_t now = clock_wall_ns();
    char age[64];
    _cleanup_free_ char *status = status_text(container, now),
                        *command = command_text(record, whole);
    _cleanup_free_ char *ports = ports_text(sandbox);
    _cleanup_free_ char *created =
        xasprintf("%s ago", age_human((now - record->created_ns) / 1000000000, age, sizeof(age)));
    _cleanup_free_ char *shown =
        record->spec.privileged
            ? xasprintf("%s, privileged", status)
            : xasprintf("%s%s%s", status, record->spec.id_count > 0 ? "" : ", host user namespace",
                        record->spec.seccomp_filter ? "" : ", seccomp unconfined");

    view_table_row(table, (const char *[]){record->name, record->image, command, record->service,
                                           created, shown, ports});
}

static bool is_shown(const struct ps_options *options, const struct observed_container *container,
                     char *const *services)
{
    enum container_state state = observed_state(container);
    const char *text = container_state_text(state);

    if (services[0] && !strv_has(services, container->record->service))
        return false;
    if (options->status)
        return strv_has(options->status, text);
    if (container->record->oneoff && !options->all)
        return false;
    return options->all || state == STATE_RUNNING || state == STATE_PAUSED ||
           state == STATE_RESTARTING;
}

static int read_filters(struct ps_options *options, struct err *err)
{
    if (options->format && strcmp(options->format, "table") != 0 &&
        strcmp(options->format, "json") != 0)
        return err_set(err, ERR_USAGE, "--format: '%s' is not supported, use table or json",
                       options->format);
    for (char **filter = options->filters; filter && *filter; filter++) {
        if (!str_has_prefix(*filter, "status="))
            return err_set(err, ERR_USAGE, "--filter: '%s' is not supported, use status=STATE",
                           *filter);
        options->status = strv_add(options->status, *filter + strlen("status="));
    }
    return 0;
}

static void print_containers(const struct ps_options *options, const struct observed *observed,
                             char *const *services)
{
    bool json = str_eq(options->format, "json");
    struct view_table *table = view_table_new((const char *[]){
        "NAME", "IMAGE", "COMMAND", "SERVICE", "CREATED", "STATUS", "PORTS", NULL});
    char **seen = NULL;

    for (size_t i = 0; i < observed->container_count; i++) {
        const struct observed_container *container = &observed->containers[i];
        struct sandbox_info sandbox = {0};
        if (!is_shown(options, container, services))
            continue;
        enum container_state state = observed_state(container);
        bool live = state == STATE_RUNNING || state == STATE_PAUSED || state == STATE_RESTARTING;
        if (live && container->record->network)
            (void)sandbox_info_from_json(container->record->network, &sandbox,
                                         NULL); /* ps goes on without ports */
        if (options->services) {
            if (!strv_has(seen, container->record->service)) {
                seen = strv_add(seen, container->record->service);
                puts(container->record->service);
            }
        } else if (options->quiet) {
            puts(container->record->id);
        } else if (json) {
            print_json(container, &sandbox, options->no_trunc);
        } else {
            table_row(table, container, &sandbox, options->no_trunc);
        }
        sandbox_info_done(&sandbox);
    }
    if (!options->services && !options->quiet && !json)
        view_table_print(table);
    view_table_free(table);
    strv_free(seen);
}

/* After a boot, before anything started: what /run has forgotten. */
static void recall_ends(const struct cli *cli, struct observed *observed)
{
    for (size_t i = 0; i < observed->container_count; i++) {
        struct observed_container *container = &observed->containers[i];
        if (container->status.state == STATE_CREATED && !container->status.monitor_alive)
            exits_recall(&cli->layout, container->record->id, &container->status);
    }
}

int cmd_ps(struct cli *cli, int argc, char **argv)
{
    struct ps_options options = {0};
    struct project *project = NULL;
    struct observed observed = {0};
    _cleanup_free_ char *name = NULL;
    struct err err = {0};
    int first, code;

    if (cli_options(cli, argc, argv, false, &options, &first, &code) < 0)
        return code;
    if (read_filters(&options, &err) < 0)
        return cli_error(&err);
    if (project_observe(cli, argv + first, &project, &name, &observed, &code) < 0)
        return code;
    recall_ends(cli, &observed);
    if (project_check_services(project, &observed, argv + first, &err) < 0) {
        code = cli_error(&err);
    } else {
        print_containers(&options, &observed, argv + first);
        code = EXIT_OK;
    }
    observed_done(&observed);
    project_free(project);
    strv_free(options.status);
    strv_free(options.filters);
    return code;
}
