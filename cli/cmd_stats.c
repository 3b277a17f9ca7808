/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_stats.c - stats: what containers use, once or every second. The share of the processor is what was used between two
 * readings; a container that appears is read twice before it is shown. */
#include "cli/cli.h"

#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/map.h"
#include "base/str.h"
#include "base/units.h"
#include "cli/view_table.h"
#include "engine/runtime/usage.h"

#define PERIOD_MS 1000
#define FIRST_MS  500 /* between the first two readings */

struct stats_options {
    bool all, no_stream, no_trunc;
    const char *format;
};
#define STATS(field) offsetof(struct stats_options, field)
const struct option_row stats_options[] = {
    {'a', "all", OPTION_FLAG, STATS(all), NULL, "stopped containers too"},
    {0, "format", OPTION_STRING, STATS(format), "table|json", "form of the output"},
    {0, "no-stream", OPTION_FLAG, STATS(no_stream), NULL, "print once"},
    {0, "no-trunc", OPTION_FLAG, STATS(no_trunc), NULL, "whole ids"},
    {0},
};

/* One container's cells; keys as docker's JSON has them. */
struct row {
    char id[ID_SIZE], cpu[32], memory[48], memory_share[32], net[48], block[48], pids[24];
};

/* "1.5kB / 2MB", "--" where nobody tells */
static void pair_text(char *buffer, size_t size, int64_t first, int64_t second, bool binary)
{
    const char *(*text)(int64_t, char *, size_t) = binary ? bytes_human : bytes_decimal;
    char a[24], b[24];

    if (first < 0 || second < 0)
        snprintf(buffer, size, "--");
    else
        snprintf(buffer, size, "%s / %s", text(first, a, sizeof(a)), text(second, b, sizeof(b)));
}

static void row_fill(struct row *row, const struct usage *before, const struct usage *now)
{
    int64_t passed_us = now->at_us - before->at_us;

    if (now->cpu_us >= 0 && before->cpu_us >= 0 && passed_us > 0)
        snprintf(row->cpu, sizeof(row->cpu), "%.2f%%",
                 (double)MAX(0, now->cpu_us - before->cpu_us) * 100 / (double)passed_us);
    pair_text(row->memory, sizeof(row->memory), now->memory_bytes, now->memory_limit_bytes, true);
    if (now->memory_bytes >= 0 && now->memory_limit_bytes > 0)
        snprintf(row->memory_share, sizeof(row->memory_share), "%.2f%%",
                 (double)now->memory_bytes * 100 / (double)now->memory_limit_bytes);
    pair_text(row->net, sizeof(row->net), now->receive_bytes, now->send_bytes, false);
    pair_text(row->block, sizeof(row->block), now->read_bytes, now->write_bytes, false);
    if (now->pids >= 0)
        snprintf(row->pids, sizeof(row->pids), "%lld", (long long)now->pids);
}

static bool is_running(const struct observed_container *container)
{
    return container->status.state == STATE_RUNNING || container->status.state == STATE_PAUSED;
}

static struct usage *usage_now(const struct observed_container *container)
{
    struct usage *usage = xcalloc(1, sizeof(*usage));

    usage_read(&container->record->spec, container->status.pid, usage);
    return usage;
}

static void print_json(const struct container_record *record, const struct row *row)
{
    _cleanup_jv_ struct jv *json = jv_object();

    jv_set_str(json, "BlockIO", row->block);
    jv_set_str(json, "CPUPerc", row->cpu);
    jv_set_str(json, "Container", row->id);
    jv_set_str(json, "ID", row->id);
    jv_set_str(json, "MemPerc", row->memory_share);
    jv_set_str(json, "MemUsage", row->memory);
    jv_set_str(json, "Name", record->name);
    jv_set_str(json, "NetIO", row->net);
    jv_set_str(json, "PIDs", row->pids);
    jv_set_str(json, "Service", record->service);
    _cleanup_free_ char *text = jv_dump(json);
    puts(text);
}

static void show_one(const struct stats_options *options, struct view_table *table,
                     const struct observed_container *container, struct map *before)
{
    struct row row = {.cpu = "--", .memory = "--", .memory_share = "--", .net = "--", .block = "--", .pids = "--"};
    const struct container_record *record = container->record;

    if (options->no_trunc)
        snprintf(row.id, sizeof(row.id), "%s", record->id);
    else
        id_short(record->id, row.id);
    if (is_running(container)) {
        struct usage *now = usage_now(container);
        const struct usage *last = map_find(before, record->id);
        row_fill(&row, last ? last : now, now);
        map_set(before, record->id, now);
    }
    if (str_eq(options->format, "json"))
        print_json(record, &row);
    else
        view_table_row(table, (const char *[]){row.id, record->name, row.cpu, row.memory, row.memory_share, row.net,
                                               row.block, row.pids});
}

static bool is_meant(const struct stats_options *options, char *const *services, const struct observed_container *container)
{
    return (options->all || is_running(container)) && (!services[0] || strv_has(services, container->record->service));
}

static void show(const struct stats_options *options, char *const *services, const struct observed *observed,
                 struct map *before)
{
    struct view_table *table = view_table_new((const char *[]){
        "CONTAINER ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET I/O", "BLOCK I/O", "PIDS", NULL});

    if (!options->no_stream && !options->format && isatty(STDOUT_FILENO))
        fputs("\033[H\033[J", stdout);
    for (size_t i = 0; i < observed->container_count; i++)
        if (is_meant(options, services, &observed->containers[i]))
            show_one(options, table, &observed->containers[i], before);
    if (!str_eq(options->format, "json"))
        view_table_print(table);
    view_table_free(table);
    fflush(stdout);
}

/* The first reading of those that have none yet; true when there were any. */
static bool read_new(const struct stats_options *options, char *const *services, const struct observed *observed,
                     struct map *before)
{
    bool any = false;

    for (size_t i = 0; i < observed->container_count; i++) {
        const struct observed_container *container = &observed->containers[i];
        if (!is_meant(options, services, container) || !is_running(container) || map_find(before, container->record->id))
            continue;
        map_set(before, container->record->id, usage_now(container));
        any = true;
    }
    return any;
}

static int stream(struct cli *cli, const struct stats_options *options, char *const *services,
                  const struct project *project, const char *name)
{
    _cleanup_(map_freep) struct map *before = map_new(free);
    struct err err = {0};
    int code = EXIT_OK;

    for (bool first = true;; first = false) {
        struct observed observed = {0};
        if (project_look(cli, project, name, &observed, &code) < 0)
            return code;
        if (first && project_check_services(project, &observed, services, &err) < 0) {
            observed_done(&observed);
            return cli_error(&err);
        }
        if (read_new(options, services, &observed, before) && first)
            (void)poll(NULL, 0, FIRST_MS); /* a share is of a time: some has to pass */
        show(options, services, &observed, before);
        observed_done(&observed);
        if (options->no_stream || ferror(stdout))
            return EXIT_OK;
        (void)poll(NULL, 0, PERIOD_MS);
    }
}

int cmd_stats(struct cli *cli, int argc, char **argv)
{
    struct stats_options options = {0};
    struct project *project = NULL;
    _cleanup_free_ char *name = NULL;
    struct err err = {0};
    int first, code;

    if (cli_options(cli, argc, argv, false, &options, &first, &code) < 0)
        return code;
    if (options.format && !str_eq(options.format, "table") && !str_eq(options.format, "json")) {
        err_set(&err, ERR_USAGE, "--format: '%s' is not supported, use table or json", options.format);
        return cli_error(&err);
    }
    if (project_pick_name(cli, argv + first, &project, &name, &code) < 0)
        return code;
    code = stream(cli, &options, argv + first, project, name);
    project_free(project);
    return code;
}
