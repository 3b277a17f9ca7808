/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_network.c - network ls. */
#include "cli/cli.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/view_table.h"
#include "netd/netd_client.h"

struct network_options {
    bool quiet;
    const char *format;
};
#define NETWORK(field) offsetof(struct network_options, field)
const struct option_row network_options[] = {
    {'q', "quiet", OPTION_FLAG, NETWORK(quiet), NULL, "only names"},
    {0, "format", OPTION_STRING, NETWORK(format), "table|json", "form of the output"},
    {0},
};

static int network_ls(struct cli *cli, const struct network_options *options)
{
    struct view_table *table =
        view_table_new((const char *[]){"NAME", "DRIVER", "INTERFACE", "SUBNET", NULL});
    struct network_info *infos = NULL;
    size_t count = 0;
    struct err err = {0};
    int code = EXIT_OK;
    bool json = str_eq(options->format, "json");

    if (layout_open_existing(&cli->layout, &err) < 0
            ? err.code != ERR_NOT_FOUND
            : network_store_list(&cli->layout, &infos, &count, &err) < 0)
        code = cli_error(&err);
    for (size_t i = 0; i < count; i++) {
        const struct network_info *info = &infos[i];
        if (json) {
            _cleanup_jv_ struct jv *value = network_info_to_json(info);
            _cleanup_free_ char *text = jv_dump(value);
            puts(text);
        } else if (options->quiet) {
            puts(info->name);
        } else {
            view_table_row(
                table, (const char *[]){info->name, info->driver ? info->driver : "bridge",
                                        info->interface,
                                        info->subnets && info->subnets[0] ? info->subnets[0] : ""});
        }
        network_info_done(&infos[i]);
    }
    free(infos);
    if (code == EXIT_OK && !json && !options->quiet)
        view_table_print(table);
    view_table_free(table);
    return code;
}

int cmd_network(struct cli *cli, int argc, char **argv)
{
    struct network_options options = {0};
    struct err err = {0};
    int first, code;

    if (cli_options(cli, argc, argv, false, &options, &first, &code) < 0)
        return code;
    if (first < argc && (strcmp(argv[first], "ls") == 0 || strcmp(argv[first], "list") == 0))
        return network_ls(cli, &options);
    err_set(&err, ERR_USAGE, "network: use ls");
    return cli_error(&err);
}
