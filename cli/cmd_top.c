/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_top.c - top: the processes of the running containers, with the host's process numbers and the container's users. */
#include "cli/cli.h"

#include <stdio.h>
#include <time.h>

#include "base/clock.h"
#include "base/str.h"
#include "cli/view_table.h"
#include "engine/runtime/processes.h"

const struct option_row top_options[] = {{0}};

/* Today's time, or the day. */
static void start_text(int64_t started_ns, int64_t now_ns, char *buffer, size_t size)
{
    time_t started = (time_t)(started_ns / 1000000000), now = (time_t)(now_ns / 1000000000);
    struct tm then, today;

    localtime_r(&started, &then);
    localtime_r(&now, &today);
    bool same_day = then.tm_yday == today.tm_yday && then.tm_year == today.tm_year;
    if (strftime(buffer, size, same_day ? "%H:%M" : "%b%d", &then) == 0)
        buffer[0] = '\0';
}

static void add_process(struct view_table *table, const struct container_record *record, const struct process *process,
                        int64_t now_ns)
{
    char number[24], uid[24], pid[16], parent[16], share[24], start[32], terminal[24] = "?", used[64];
    int64_t seconds = process->cpu_us / 1000000, age_us = (now_ns - process->started_ns) / 1000;

    snprintf(number, sizeof(number), "%lld", (long long)record->number);
    snprintf(uid, sizeof(uid), process->uid == 0 ? "root" : "%lld", (long long)process->uid);
    snprintf(pid, sizeof(pid), "%d", (int)process->pid);
    snprintf(parent, sizeof(parent), "%d", (int)process->parent);
    snprintf(share, sizeof(share), "%lld", age_us > 0 ? (long long)(process->cpu_us * 100 / age_us) : 0);
    start_text(process->started_ns, now_ns, start, sizeof(start));
    if (process->terminal >= 0)
        snprintf(terminal, sizeof(terminal), "pts/%d", process->terminal);
    snprintf(used, sizeof(used), "%02lld:%02lld:%02lld", (long long)(seconds / 3600), (long long)(seconds / 60 % 60),
             (long long)(seconds % 60));
    view_table_row(table, (const char *[]){record->service, number, uid, pid, parent, share, start, terminal, used,
                                           process->command});
}

static int add_container(struct view_table *table, const struct observed_container *container, struct err *err)
{
    struct process *items;
    size_t count;
    int64_t now_ns = clock_wall_ns();

    if (container->status.state != STATE_RUNNING && container->status.state != STATE_PAUSED)
        return 0;
    if (processes_list(&container->record->spec, &items, &count, err) < 0)
        return err->code == ERR_NOT_FOUND ? 0 : -1; /* ended meanwhile */
    for (size_t i = 0; i < count; i++)
        add_process(table, container->record, &items[i], now_ns);
    processes_free(items, count);
    return 0;
}

int cmd_top(struct cli *cli, int argc, char **argv)
{
    struct project *project = NULL;
    struct observed observed = {0};
    _cleanup_free_ char *name = NULL;
    struct err err = {0};
    int first, code, unused = 0;

    if (cli_options(cli, argc, argv, false, &unused, &first, &code) < 0 ||
        project_observe(cli, argv + first, &project, &name, &observed, &code) < 0)
        return code;
    struct view_table *table = view_table_new(
        (const char *[]){"SERVICE", "#", "UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD", NULL});
    int result = project_check_services(project, &observed, argv + first, &err);
    for (size_t i = 0; result == 0 && i < observed.container_count; i++)
        if (!argv[first] || strv_has(argv + first, observed.containers[i].record->service))
            result = add_container(table, &observed.containers[i], &err);
    if (result == 0)
        view_table_print(table);
    view_table_free(table);
    observed_done(&observed);
    project_free(project);
    return result < 0 ? cli_error(&err) : EXIT_OK;
}
