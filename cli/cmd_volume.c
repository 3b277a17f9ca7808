/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_volume.c - volume ls, rm. */
#include "cli/cli.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/view_table.h"
#include "engine/engine.h"
#include "volumes/volume.h"

struct volume_options {
    bool quiet;
    const char *format;
};
#define VOLUME(field) offsetof(struct volume_options, field)
const struct option_row volume_options[] = {
    {'q', "quiet", OPTION_FLAG, VOLUME(quiet), NULL, "ls: only names"},
    {0, "format", OPTION_STRING, VOLUME(format), "table|json", "ls: form of the output"},
    {0},
};

static void print_json(const struct volume_info *info)
{
    _cleanup_jv_ struct jv *json = jv_object();

    jv_set_str(json, "Name", info->name);
    jv_set_str(json, "Driver", info->driver ? info->driver : "local");
    jv_set_str(json, "Mountpoint", info->path);
    jv_set_str(json, "Project", info->project);
    jv_set_str(json, "CreatedAt", info->created);
    _cleanup_free_ char *text = jv_dump(json);
    puts(text);
}

static int volume_ls(struct cli *cli, const struct volume_options *options)
{
    struct view_table *table = view_table_new((const char *[]){"DRIVER", "VOLUME NAME", NULL});
    struct volume_info *infos = NULL;
    size_t count = 0;
    struct err err = {0};
    int code = EXIT_OK;
    bool json = str_eq(options->format, "json");

    if (layout_open_existing(&cli->layout, &err) < 0
            ? err.code != ERR_NOT_FOUND
            : volume_list(&cli->layout, NULL, &infos, &count, &err) < 0)
        code = cli_error(&err);
    for (size_t i = 0; i < count; i++) {
        if (json)
            print_json(&infos[i]);
        else if (options->quiet)
            puts(infos[i].name);
        else
            view_table_row(table, (const char *[]){infos[i].driver ? infos[i].driver : "local",
                                                   infos[i].name});
        volume_info_done(&infos[i]);
    }
    free(infos);
    if (code == EXIT_OK && !json && !options->quiet)
        view_table_print(table);
    view_table_free(table);
    return code;
}

/* Name of a container that mounts the volume's directory; NULL: none. Owned. */
static char *user_of(const struct cli *cli, const struct volume_info *info)
{
    struct container_record **records = NULL;
    size_t count = 0;
    char *user = NULL;

    if (container_record_list(&cli->layout, NULL, &records, &count, NULL, NULL, NULL) < 0)
        return NULL;
    for (size_t i = 0; i < count && !user; i++)
        for (size_t j = 0; j < records[i]->spec.mounts.count && !user; j++)
            if (str_eq(records[i]->spec.mounts.items[j].source, info->path))
                user = xstrdup(records[i]->name);
    container_record_list_free(records, count);
    return user;
}

static int volume_rm(struct cli *cli, char **names)
{
    struct err err = {0};

    if (!names[0]) {
        err_set(&err, ERR_USAGE, "volume rm needs a volume");
        return cli_error(&err);
    }
    if (layout_open(&cli->layout, &err) < 0)
        return cli_error(&err);
    for (; *names; names++) {
        struct volume_info info = {0};
        if (volume_find(&cli->layout, *names, &info, &err) < 0)
            return cli_error(&err);
        _cleanup_free_ char *user = user_of(cli, &info);
        volume_info_done(&info);
        if (user)
            err_set(&err, ERR_BUSY, "volume '%s' is in use by container '%s'", *names, user);
        if (user || volume_remove(&cli->layout, *names, &err) < 0)
            return cli_error(&err);
        puts(*names);
    }
    return EXIT_OK;
}

int cmd_volume(struct cli *cli, int argc, char **argv)
{
    struct volume_options options = {0};
    struct err err = {0};
    int first, code;

    if (cli_options(cli, argc, argv, false, &options, &first, &code) < 0)
        return code;
    const char *verb = first < argc ? argv[first] : "";
    if (strcmp(verb, "ls") == 0 || strcmp(verb, "list") == 0)
        return volume_ls(cli, &options);
    if (strcmp(verb, "rm") == 0)
        return volume_rm(cli, argv + first + 1);
    err_set(&err, ERR_USAGE, "volume: use ls or rm");
    return cli_error(&err);
}
