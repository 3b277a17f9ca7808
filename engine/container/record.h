/* SPDX-License-Identifier: Apache-2.0 */
/* record.h - container.json: the durable intent for one container
 * (lib/containers/<id>/container.json).
 *
 * Written by the project's supervisor only; read by everyone. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/layout.h"
#include "engine/runtime/spec.h"

#define RECORD_VERSION  1
#define RECORD_SIZE_MAX (8 * 1024 * 1024)

struct container_record {
    struct arena *arena; /* owns the spec and all strings */
    const char *id, *name;
    const char *project, *service; /* labels of the owner; the engine does not interpret them */
    int64_t number;                /* replica number, from 1 */
    bool oneoff;
    const char *image;    /* reference as written */
    const char *image_id; /* sha256:… */
    int64_t created_ns;
    bool want_running;       /* desired: false after a stop by the user */
    struct jv *labels;       /* object of strings */
    struct jv *service_data; /* the orchestrator's own: config hash, restart policy, healthcheck,
                                ports, dependencies, … */
    struct jv *network;      /* sandbox_info as netd answered it last: for ps; may be NULL. Not in
                                container.json: run/containers/<id>/network */
    struct container_spec spec;
};

struct container_record *container_record_new(void); /* empty, with an arena */
void container_record_free(struct container_record *record);
DEFINE_CLEANUP(struct container_record *, container_record_free)

/* Durable replace (fs_replace). Makes lib/containers/<id> (0711: container users pass) when missing: a new
 * record is whole at once, and survives a power cut after container_records_sync. */
int container_record_save(const struct layout *layout, const struct container_record *record,
                          struct err *err);
/* Makes the names of all new records durable: once after many. */
int container_records_sync(const struct layout *layout, struct err *err);
/* Removes what a killed supervisor of this project left half made. Only its successor may call it. */
void container_record_sweep(const struct layout *layout, const char *project);
/* Writes record->network, or removes the file for NULL; run/containers/<id> must exist. Volatile:
 * it dies with the boot. */
int container_network_save(const struct layout *layout, const struct container_record *record,
                           struct err *err);
/* ERR_NOT_FOUND, ERR_CORRUPT (names the file), ERR_UNSUPPORTED for a newer version. */
int container_record_load(const struct layout *layout, const char *id,
                          struct container_record **ret_record, struct err *err);
/* All readable records, of one project unless NULL, sorted by name. Unreadable ones are reported
 * through on_bad (may be NULL) and skipped; so are folders without a record (ERR_NOT_FOUND), which may just come
 * or go. Free each, then free(). */
typedef void record_bad_fn(const char *id, const struct err *error, void *arg);
int container_record_list(const struct layout *layout, const char *project,
                          struct container_record ***ret_records, size_t *ret_count,
                          record_bad_fn *on_bad, void *arg, struct err *err);
/* The same for a caller that knows more. service (NULL: any): records of others are not looked at closely. known (may be
 * NULL): a record that the caller holds and need not be read; it is in the list as it is, and stays the caller's. */
struct record_query {
    const char *project, *service;
    record_bad_fn *on_bad;
    struct container_record *(*known)(const char *id, void *arg);
    void *arg; /* of both */
};
int container_record_query(const struct layout *layout, const struct record_query *query,
                           struct container_record ***ret_records, size_t *ret_count, struct err *err);
void container_record_list_free(struct container_record **records, size_t count);
