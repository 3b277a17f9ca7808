/* SPDX-License-Identifier: Apache-2.0 */
/* Gathers the observed world of a project from the stores and /run: reads only, takes no lock, asks no daemon. What
 * cannot be read becomes a line in `problems`, never a reason to see nothing. */
#include "orchestrator/observed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/id.h"
#include "base/str.h"
#include "base/vec.h"
#include "engine/engine.h"
#include "netd/netd_client.h"
#include "parser/model.h"

#define SUPERVISE_MAX  (16 * 1024)
#define SUPERVISE_FILE "supervise"

static const char *const health_words[] = {
#define X(id, text) [HEALTH_##id] = text,
    HEALTH_STATES(X)
#undef X
};

const char *health_state_text(enum health_state state)
{
    return (size_t)state < ARRAY_LEN(health_words) ? health_words[state] : "";
}

/* ---- the supervisor's file about one container ---- */

static int container_run_dir(const struct layout *layout, const char *id)
{
    _cleanup_free_ char *name = xasprintf("containers/%s", id);
    return openat(layout->run_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

int supervise_state_read(const struct layout *layout, const char *id, struct supervise_state *ret_state)
{
    _cleanup_close_ int dir = container_run_dir(layout, id);
    _cleanup_jv_ struct jv *value = NULL;
    struct supervise_state state = { 0 };
    if (dir >= 0 && jv_load_file(dir, SUPERVISE_FILE, SUPERVISE_MAX, &value, NULL) == 0) {
        const char *word = jv_get_str(value, "health", "");
        for (size_t i = 0; i < ARRAY_LEN(health_words); i++)
            if (str_eq(health_words[i], word))
                state.health = (enum health_state)i;
        state.failing_streak = jv_get_int(value, "failing_streak", 0);
        (void)snprintf(state.last_output, sizeof(state.last_output), "%s", jv_get_str(value, "last_output", ""));
        state.last_probe_code = (int)jv_get_int(value, "last_probe_code", 0);
        state.restart_count = jv_get_int(value, "restart_count", 0);
        state.restarting_until_ns = jv_get_int(value, "restarting_until_ns", 0);
        state.gave_up = jv_get_bool(value, "gave_up", false);
        state.started_once = jv_get_bool(value, "started_once", false);
    }
    *ret_state = state;
    return value ? 0 : -1;
}

int supervise_state_write(const struct layout *layout, const char *id, const struct supervise_state *state, struct err *err)
{
    _cleanup_close_ int dir = container_run_dir(layout, id);
    if (dir < 0)
        return err_sys(err, "open %s/containers/%s", layout->run, id);
    _cleanup_jv_ struct jv *value = jv_object();
    jv_set_str(value, "health", health_state_text(state->health));
    jv_set_int(value, "failing_streak", state->failing_streak);
    jv_set_str(value, "last_output", state->last_output);
    jv_set_int(value, "last_probe_code", state->last_probe_code);
    jv_set_int(value, "restart_count", state->restart_count);
    jv_set_int(value, "restarting_until_ns", state->restarting_until_ns);
    jv_set_bool(value, "gave_up", state->gave_up);
    jv_set_bool(value, "started_once", state->started_once);
    _cleanup_free_ char *text = jv_dump(value);
    return fs_replace_volatile(dir, SUPERVISE_FILE, text, strlen(text), 0600, err);
}

/* ---- observing ---- */

static void problem_add(struct observed *observed, const char *what, const struct err *error)
{
    _cleanup_free_ char *line = xasprintf("%s: %s", what, error->message);
    observed->problems = strv_add(observed->problems, line);
}

struct observing {
    const struct layout *layout;
    const char *project;
    struct observed *observed;
    const struct observe_known *known; /* or NULL */
};

static struct container_record *known_record(const char *id, void *arg)
{
    const struct observing *observing = arg;
    return observing->known ? observing->known->record(id, observing->known->arg) : NULL;
}

static void bad_record(const char *id, const struct err *error, void *arg)
{
    struct observing *observing = arg;
    char short_id[ID_SHORT_SIZE];
    id_short(id, short_id);
    _cleanup_free_ char *what = xasprintf("container %s", short_id);
    bool is_ours = cgroup_project_has(observing->layout, observing->project, id);
    if (error->code == ERR_NOT_FOUND && !is_ours)
        return; /* it just comes or goes */
    problem_add(observing->observed, what, error);
    /* whose it is stands in the file; the cgroup tells the same as long as it runs */
    if (is_ours)
        observing->observed->lost = strv_add(observing->observed->lost, error->message);
}

static void bad_volume(const char *name, const struct err *error, void *arg)
{
    _cleanup_free_ char *what = xasprintf("volume '%s'", name);
    problem_add(arg, what, error);
}

static int observe_containers(const struct layout *layout, const char *project, const char *service,
                              const struct observe_known *known, struct observed *observed, struct err *err)
{
    struct container_record **records = NULL;
    size_t count = 0;
    struct observing observing = { .layout = layout, .project = project, .observed = observed, .known = known };
    const struct record_query query = {
        .project = project, .service = service, .on_bad = bad_record, .known = known_record, .arg = &observing
    };
    if (container_record_query(layout, &query, &records, &count, err) < 0)
        return err_wrap(err, "list containers");
    observed->containers = xcalloc(count + 1, sizeof(*observed->containers));
    observed->borrowed = xcalloc(count + 1, sizeof(*observed->borrowed));
    observed->container_count = count;
    for (size_t i = 0; i < count; i++) {
        struct observed_container *container = &observed->containers[i];
        struct err local = { 0 };
        container->record = records[i];
        observed->borrowed[i] = known_record(records[i]->id, &observing) != NULL;
        if (container_status_read(layout, records[i]->id, &container->status, &local) < 0) {
            problem_add(observed, records[i]->name, &local);
            container->status = (struct container_status){ .state = STATE_DEAD, .exit_code = -1 };
        }
        (void)supervise_state_read(layout, records[i]->id, &container->supervise); /* missing: zeros */
    }
    free(records); /* the records are the observed world's now */
    return 0;
}

static bool network_is_wanted(const struct network_info *info, const char *project, const struct project *desired)
{
    if (str_eq(info->project, project))
        return true;
    for (size_t i = 0; desired && i < desired->networks.count; i++)
        if (str_eq(desired->networks.items[i].name, info->name))
            return true;
    return false;
}

static int observe_networks(const struct layout *layout, const char *project, const struct project *desired, struct observed *observed,
                            struct err *err)
{
    struct network_info *infos = NULL;
    size_t count = 0;
    if (network_store_list(layout, &infos, &count, err) < 0)
        return err_wrap(err, "list networks");
    for (size_t i = 0; i < count; i++) {
        if (network_is_wanted(&infos[i], project, desired))
            infos[observed->network_count++] = infos[i];
        else
            network_info_done(&infos[i]);
    }
    observed->networks = infos;
    return 0;
}

static int observe_volumes(const struct layout *layout, const char *project, const struct project *desired, struct observed *observed,
                           struct err *err)
{
    if (volume_list_report(layout, project, bad_volume, observed, &observed->volumes, &observed->volume_count, err) < 0)
        return err_wrap(err, "list volumes");
    for (size_t i = 0; desired && i < desired->volumes.count; i++) {
        const char *name = desired->volumes.items[i].name;
        struct volume_info info = { 0 };
        bool known = false;
        for (size_t j = 0; j < observed->volume_count; j++)
            known |= str_eq(observed->volumes[j].name, name);
        if (known || volume_find(layout, name, &info, NULL) < 0)
            continue;
        observed->volumes = xreallocarray(observed->volumes, observed->volume_count + 1, sizeof(*observed->volumes));
        observed->volumes[observed->volume_count++] = info;
    }
    return 0;
}

static void observe_images(const struct layout *layout, const struct project *desired, struct observed *observed)
{
    observed->images = xcalloc((desired ? desired->services.count : 0) + 1, sizeof(*observed->images));
    for (size_t i = 0; desired && i < desired->services.count; i++) {
        const char *reference = desired->services.items[i].image;
        struct image image = { 0 };
        struct err local = { 0 };
        bool known = !reference;
        for (size_t j = 0; j < observed->image_count; j++)
            known |= str_eq(observed->images[j].reference, reference);
        if (known)
            continue;
        struct observed_image *to = &observed->images[observed->image_count++];
        to->reference = reference;
        if (image_find(layout, reference, &image, &local) == 0) {
            to->id = xstrdup(image.id);
            image_done(&image);
        } else if (local.code != ERR_NOT_FOUND) {
            problem_add(observed, reference, &local);
        }
    }
}

int observe(const struct layout *layout, const char *project, const struct project *desired, struct observed *ret_observed,
            struct err *err)
{
    return observe_beside(layout, project, desired, NULL, ret_observed, err);
}

int observe_beside(const struct layout *layout, const char *project, const struct project *desired, const struct observe_known *known,
                   struct observed *ret_observed, struct err *err)
{
    struct observed observed = { 0 };
    if (observe_containers(layout, project, NULL, known, &observed, err) < 0 || observe_networks(layout, project, desired, &observed, err) < 0 ||
        observe_volumes(layout, project, desired, &observed, err) < 0) {
        observed_done(&observed);
        return err_wrap(err, "observe project '%s'", project);
    }
    observe_images(layout, desired, &observed);
    *ret_observed = observed;
    return 0;
}

int observe_service(const struct layout *layout, const char *project, const char *service, struct observed *ret_observed,
                    struct err *err)
{
    struct observed observed = { 0 };
    if (observe_containers(layout, project, service, NULL, &observed, err) < 0) {
        observed_done(&observed);
        return err_wrap(err, "observe project '%s'", project);
    }
    *ret_observed = observed;
    return 0;
}

void observed_done(struct observed *observed)
{
    for (size_t i = 0; i < observed->container_count; i++)
        if (!observed->borrowed || !observed->borrowed[i])
            container_record_free(observed->containers[i].record);
    for (size_t i = 0; i < observed->network_count; i++)
        network_info_done(&observed->networks[i]);
    for (size_t i = 0; i < observed->volume_count; i++)
        volume_info_done(&observed->volumes[i]);
    for (size_t i = 0; i < observed->image_count; i++)
        free(observed->images[i].id);
    free(observed->containers);
    free(observed->borrowed);
    free(observed->networks);
    free(observed->volumes);
    free(observed->images);
    strv_free(observed->problems);
    strv_free(observed->lost);
    *observed = (struct observed){ 0 };
}

enum container_state observed_state(const struct observed_container *container)
{
    enum container_state state = container->status.state;
    bool down = state == STATE_EXITED || state == STATE_CREATED || state == STATE_DEAD;
    return down && container->supervise.restarting_until_ns > 0 ? STATE_RESTARTING : state;
}
