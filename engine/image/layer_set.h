/* SPDX-License-Identifier: Apache-2.0 */
/* layer_set.h - the layers of one image on their way into the store: which are there already, which
 * are being unpacked, a few at a time, each by a child process; a layer becomes visible when it is
 * whole. */
#pragma once

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "base/mem.h"
#include "engine/image/unpack.h"

struct layer_set; /* opaque */

/* A state of one layer changed: for progress lines. status as in engine.h. */
typedef void layer_status_fn(void *arg, size_t index, const char *status, int64_t current,
                             int64_t total);

/* diff_ids bottom first, NULL-terminated; NULL: one layer of an import, whose id is not known yet.
 * lib_fd is borrowed. */
struct layer_set *layer_set_new(int lib_fd, char *const *diff_ids,
                                const struct unpack_limits *limits, layer_status_fn *on_status,
                                void *arg);
void layer_set_free(struct layer_set *set); /* ends what runs and removes what is half-made */
DEFINE_CLEANUP(struct layer_set *, layer_set_free)
size_t layer_set_count(const struct layer_set *set);
bool layer_set_is_present(const struct layer_set *set, size_t index); /* was there from the start */
/* Gives a checked archive; takes the descriptor. */
void layer_set_supply(struct layer_set *set, size_t index, int archive_fd, int64_t packed_size);

/* For an outer poll loop: fills fds, then call layer_set_work after each poll. */
size_t layer_set_poll(const struct layer_set *set, struct pollfd *fds, size_t max);
int layer_set_work(struct layer_set *set, struct err *err);
bool layer_set_is_complete(const struct layer_set *set);
/* Polls until everything supplied is complete. */
int layer_set_finish(struct layer_set *set, struct err *err);

/* Members "size", "layers", "base" of the image's record in images.json; makes the renames durable.
 */
int layer_set_record(const struct layer_set *set, struct jv *record, struct err *err);
const char *layer_set_diff_id(const struct layer_set *set,
                              size_t index); /* of a complete layer; borrowed */
