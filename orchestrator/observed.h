/* SPDX-License-Identifier: Apache-2.0 */
/* observed.h - the observed world of one project, as data: what reconcile compares with the model. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/layout.h"
#include "engine/container/record.h"
#include "engine/container/status.h"
#include "netd/network.h"
#include "volumes/volume.h"

#define HEALTH_STATES(X) X(NONE, "") X(STARTING, "starting") X(HEALTHY, "healthy") X(UNHEALTHY, "unhealthy")
enum health_state {
#define X(id, text) HEALTH_##id,
    HEALTH_STATES(X)
#undef X
};
const char *health_state_text(enum health_state state);

/* What the supervisor keeps about one container in run/containers/<id>/supervise (JSON, its own file; survives the
 * supervisor, dies with the boot). */
struct supervise_state {
    enum health_state health;
    int64_t failing_streak;
    char last_output[1024];   /* of the last probe */
    int last_probe_code;
    int64_t restart_count;
    int64_t restarting_until_ns; /* > 0: in backoff, wall time of the next start */
    bool gave_up;             /* on-failure:N exhausted */
    bool started_once;
};
int supervise_state_read(const struct layout *layout, const char *id, struct supervise_state *ret_state);
int supervise_state_write(const struct layout *layout, const char *id, const struct supervise_state *state, struct err *err);

struct observed_container {
    struct container_record *record;
    struct container_status status;
    struct supervise_state supervise;
};
struct observed_image { const char *reference; char *id; /* NULL: not here */ };

struct observed {
    struct observed_container *containers; /* sorted by name */
    size_t container_count;
    bool *borrowed; /* NULL, or for each container: its record is somebody else's (observe_known) */
    struct network_info *networks;
    size_t network_count;
    struct volume_info *volumes; /* of the project, and external ones the model names */
    size_t volume_count;
    struct observed_image *images; /* for every reference in the model */
    size_t image_count;
    char **problems; /* state files that could not be read: one line each */
    char **lost;     /* those of them that belong to containers of this project which may be running */
};
struct project;
/* Read only, no lock, no daemon. desired may be NULL. */
int observe(const struct layout *layout, const char *project, const struct project *desired, struct observed *ret_observed,
            struct err *err);
/* The same by the one writer of the records: what it holds need not be read again. */
struct observe_known {
    struct container_record *(*record)(const char *id, void *arg); /* NULL: not held */
    void *arg;
};
int observe_beside(const struct layout *layout, const char *project, const struct project *desired, const struct observe_known *known,
                   struct observed *ret_observed, struct err *err);
/* Only the containers of one service, and nothing else. */
int observe_service(const struct layout *layout, const char *project, const char *service, struct observed *ret_observed,
                    struct err *err);
void observed_done(struct observed *observed);
/* Is the container effectively in this state for people: RESTARTING when in backoff. */
enum container_state observed_state(const struct observed_container *container);
