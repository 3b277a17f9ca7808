/* SPDX-License-Identifier: Apache-2.0 */
/* The projects that are known on disk, counted by the state of their containers, for `ls`. Reads only. */
#include "base/str.h"
#include "base/vec.h"
#include "orchestrator/client.h"
#include "orchestrator/observed.h"

#define CONFIG_FILES_LABEL "com.docker.compose.project.config_files"

static struct project_summary *summary_of(struct project_summary *items, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (str_eq(items[i].name, name))
            return &items[i];
    return NULL;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct project_summary *)a)->name, ((const struct project_summary *)b)->name);
}

static void count_state(struct project_summary *summary, enum container_state state)
{
    if (state == STATE_RUNNING)
        summary->running++;
    else if (state == STATE_EXITED || state == STATE_DEAD)
        summary->exited++;
    else
        summary->other++;
}

int project_list(const struct layout *layout, struct project_summary **ret_items, size_t *ret_count, struct err *err)
{
    struct container_record **records = NULL;
    size_t count = 0;
    VEC(struct project_summary) items = { 0 };
    if (container_record_list(layout, NULL, &records, &count, NULL, NULL, err) < 0)
        return err_wrap(err, "list containers");
    for (size_t i = 0; i < count; i++) {
        const struct container_record *record = records[i];
        struct observed_container container = { .record = records[i] };
        if (!record->project || record->oneoff)
            continue;
        if (container_status_read(layout, record->id, &container.status, NULL) < 0)
            container.status.state = STATE_DEAD;
        (void)supervise_state_read(layout, record->id, &container.supervise); /* missing: zeros */
        struct project_summary *summary = summary_of(items.items, items.count, record->project);
        if (!summary)
            summary = VEC_ADD(&items, (struct project_summary){
                .name = xstrdup(record->project),
                .config_files = xstrdup(record->labels ? jv_get_str(record->labels, CONFIG_FILES_LABEL, "") : "") });
        count_state(summary, observed_state(&container));
    }
    container_record_list_free(records, count);
    if (items.count)
        qsort(items.items, items.count, sizeof(*items.items), by_name);
    *ret_items = items.items;
    *ret_count = items.count;
    return 0;
}

void project_list_free(struct project_summary *items, size_t count)
{
    for (size_t i = 0; items && i < count; i++) {
        free(items[i].name);
        free(items[i].config_files);
    }
    free(items);
}
