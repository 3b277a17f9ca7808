/* SPDX-License-Identifier: Apache-2.0 */
/* state.h - what is kept of an OCI container between two calls: a folder ROOT/ID with state.json, config.json as it was read and,
 * until the container is started, the FIFO its first process waits at.
 *
 * Source: runtime-spec runtime.md, "State". One caller at a time: ROOT/ID/lock. */
#pragma once

#include "base/json.h"
#include "engine/oci/bundle.h"

#define OCI_ROOT_DEFAULT "/run/winch/oci"
#define OCI_FIFO         "exec.fifo"

enum oci_status { OCI_CREATING, OCI_CREATED, OCI_RUNNING, OCI_PAUSED, OCI_STOPPED };
extern const char *const oci_status_words[];

struct oci_state {
    int dir, lock;           /* ROOT/ID; the held lock */
    char *id, *path;         /* ROOT/ID */
    char *bundle_dir;
    char *created;           /* RFC 3339 */
    pid_t pid;
    uint64_t start_time;     /* of pid */
    struct oci_bundle *bundle;
};

/* A new folder. ERR_EXISTS. */
int oci_state_create(const char *root, const char *id, const char *bundle_dir, struct oci_state *ret_state, struct err *err);
/* ERR_NOT_FOUND "container does not exist". */
int oci_state_open(const char *root, const char *id, struct oci_state *ret_state, struct err *err);
int oci_state_save(const struct oci_state *state, struct err *err);
void oci_state_done(struct oci_state *state);
/* Removes the folder. */
int oci_state_remove(const char *root, const char *id, struct err *err);

enum oci_status oci_state_status(const struct oci_state *state);
/* What `state` prints and hooks read; status < 0: the present one. */
struct jv *oci_state_json(const struct oci_state *state, int status);
/* Names below root, NULL-terminated; fs_names_free. */
int oci_state_list(const char *root, char ***ret_ids, size_t *ret_count, struct err *err);
