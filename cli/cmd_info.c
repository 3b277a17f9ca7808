/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_info.c - version, ls, port: small reading commands. */
#include "cli/cli.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/view_table.h"
#include "orchestrator/client.h"

struct info_options {
    bool all, quiet, brief;
    const char *format, *protocol;
    long long index;
};
#define INFO(field) offsetof(struct info_options, field)
const struct option_row version_options[] = {
    {'f', "format", OPTION_STRING, INFO(format), "pretty|json", "form of the output"},
    {0, "short", OPTION_FLAG, INFO(brief), NULL, "only the number"},
    {0},
};
const struct option_row ls_options[] = {
    {'a', "all", OPTION_FLAG, INFO(all), NULL, "stopped projects too"},
    {'q', "quiet", OPTION_FLAG, INFO(quiet), NULL, "only names"},
    {0, "format", OPTION_STRING, INFO(format), "table|json", "form of the output"},
    {0},
};
const struct option_row port_options[] = {
    {0, "protocol", OPTION_STRING, INFO(protocol), "tcp|udp", "protocol (tcp)"},
    {0, "index", OPTION_INT, INFO(index), "N", "replica (1)"},
    {0},
};

int cmd_version(struct cli *cli, int argc, char **argv)
{
    struct info_options options = {0};
    int first, code;

    if (argc > 1 && cli_options(cli, argc, argv, false, &options, &first, &code) < 0)
        return code;
    if (str_eq(options.format, "json"))
        printf("{\"version\":\"%s\"}\n", WINCH_VERSION);
    else
        printf("%s%s\n", options.brief ? "" : "winch version v", WINCH_VERSION);
    return EXIT_OK;
}

static char *status_text(const struct project_summary *item)
{
    struct str out = {0};
    const struct {
        const char *word;
        size_t count;
    } parts[] = {{"exited", item->exited}, {"other", item->other}, {"running", item->running}};

    for (size_t i = 0; i < ARRAY_LEN(parts); i++)
        if (parts[i].count)
            str_addf(&out, "%s%s(%zu)", out.size ? ", " : "", parts[i].word, parts[i].count);
    return str_take(&out);
}

int cmd_ls(struct cli *cli, int argc, char **argv)
{
    struct info_options options = {0};
    struct project_summary *items = NULL;
    size_t count = 0;
    struct err err = {0};
    int first, code;

    if (cli_options(cli, argc, argv, false, &options, &first, &code) < 0)
        return code;
    if (layout_open_existing(&cli->layout, &err) < 0
            ? err.code != ERR_NOT_FOUND
            : project_list(&cli->layout, &items, &count, &err) < 0)
        return cli_error(&err);
    struct view_table *table =
        view_table_new((const char *[]){"NAME", "STATUS", "CONFIG FILES", NULL});
    _cleanup_jv_ struct jv *list = jv_array();
    for (size_t i = 0; i < count; i++) {
        if (!options.all && !items[i].running)
            continue;
        _cleanup_free_ char *status = status_text(&items[i]);
        struct jv *item = jv_object();
        jv_set_str(item, "Name", items[i].name);
        jv_set_str(item, "Status", status);
        jv_set_str(item, "ConfigFiles", items[i].config_files);
        jv_add(list, item);
        if (options.quiet)
            puts(items[i].name);
        view_table_row(table, (const char *[]){items[i].name, status, items[i].config_files});
    }
    if (str_eq(options.format, "json") && !options.quiet) {
        _cleanup_free_ char *text = jv_dump(list);
        puts(text);
    } else if (!options.quiet) {
        view_table_print(table);
    }
    view_table_free(table);
    project_list_free(items, count);
    return EXIT_OK;
}

static int print_port(const struct observed *observed, const struct info_options *options,
                      const char *service, long long target, struct err *err)
{
    long long index = options->index > 0 ? options->index : 1;
    const char *protocol = options->protocol ? options->protocol : "tcp";

    for (size_t i = 0; i < observed->container_count; i++) {
        const struct container_record *record = observed->containers[i].record;
        struct sandbox_info sandbox = {0};
        bool found = false;
        if (!str_eq(record->service, service) || record->number != index || !record->network ||
            sandbox_info_from_json(record->network, &sandbox, NULL) < 0)
            continue;
        for (size_t j = 0; j < sandbox.port_count && !found; j++) {
            const struct port_bound *port = &sandbox.ports[j];
            found = port->target == target && strcmp(port_proto_text(port->proto), protocol) == 0;
            if (found)
                printf(strchr(port->host_ip, ':') ? "[%s]:%u\n" : "%s:%u\n", port->host_ip,
                       port->host);
        }
        sandbox_info_done(&sandbox);
        if (found)
            return 0;
    }
    return err_set(err, ERR_NOT_FOUND,
                   "no port %lld/%s for container of service '%s' (replica %lld)", target, protocol,
                   service, index);
}

int cmd_port(struct cli *cli, int argc, char **argv)
{
    struct info_options options = {0};
    struct project *project = NULL;
    struct observed observed = {0};
    _cleanup_free_ char *name = NULL;
    struct err err = {0};
    long long target;
    int first, code;

    if (cli_options(cli, argc, argv, false, &options, &first, &code) < 0)
        return code;
    if (argc - first != 2 || !parse_i64(argv[first + 1], 1, 65535, &target)) {
        err_set(&err, ERR_USAGE, "port needs a service and a port number");
        return cli_error(&err);
    }
    char *services[2] = {argv[first], NULL};
    if (project_observe(cli, services, &project, &name, &observed, &code) < 0)
        return code;
    code = EXIT_OK;
    if (project_check_services(project, &observed, services, &err) < 0 ||
        print_port(&observed, &options, argv[first], target, &err) < 0)
        code = cli_error(&err);
    observed_done(&observed);
    project_free(project);
    return code;
}
