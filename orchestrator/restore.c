/* SPDX-License-Identifier: Apache-2.0 */
/* restore.c - what winch-restore.service does at boot: it looks through the projects on disk and starts the supervisor of each
 * whose intent is "up". Which containers come back, and in which order, the supervisors decide. */
#include "orchestrator/restore.h"

#include "base/log.h"
#include "orchestrator/client.h"
#include "orchestrator/project_store.h"

static int restore_one(const struct layout *layout, const char *project, struct err *err)
{
    _cleanup_(ipc_client_freep) struct ipc_client *client = NULL;
    struct project_intent intent = { 0 };
    if (project_intent_load(layout, project, &intent, err) < 0)
        return err->code == ERR_NOT_FOUND ? 0 : -1;
    bool want_up = intent.want_up;
    project_intent_done(&intent);
    if (!want_up)
        return 0;
    return supervisor_connect(layout, project, true, &client, err);
}

int restore_projects(const struct layout *layout, struct err *err)
{
    struct project_summary *projects = NULL;
    size_t count = 0, failed = 0;
    if (project_list(layout, &projects, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct err one = { 0 };
        if (restore_one(layout, projects[i].name, &one) < 0) {
            log_error("project=%s %s", projects[i].name, one.message);
            failed++;
        }
    }
    project_list_free(projects, count);
    return failed ? err_set(err, ERR_FAILED, "%zu of %zu projects did not come back", failed, count) : 0;
}
