/* SPDX-License-Identifier: Apache-2.0 */
/* translate_parts.h - the parts translate_record is made of. Only translate_*.c include it. */
#pragma once

#include "orchestrator/translate.h"

/* Each fills its part of record; strings go into record->arena. Errors are without the service's name. */
int translate_process(const struct translate_input *input, struct container_record *record, struct err *err);
int translate_security(const struct translate_input *input, struct container_record *record, struct err *err);
int translate_limits(const struct translate_input *input, struct container_record *record, struct err *err);
int translate_log(const struct translate_input *input, struct container_record *record, struct err *err);
/* data: files to read and binds to make at each start go there ("files", "binds"). */
int translate_mounts(const struct translate_input *input, const struct mount_needs *needs, struct container_record *record,
                     struct jv *data, struct err *err);
/* "sandbox", "networks", "share_…" of data. */
int translate_network_part(const struct translate_input *input, struct container_record *record, struct jv *data, struct err *err);
/* The rest of data: what service_runtime_parse reads. */
void translate_runtime(const struct translate_input *input, const struct mount_needs *needs, struct jv *data);

/* "host" | "service:x" | "container:x" | "private" "shareable" | other: *ret_share kind NONE and false. */
bool share_parse(const char *text, struct share *ret_share);

struct spec_strings spec_strings_copy(struct arena *arena, const char *const *items, size_t count);
/* Appends; the array grows by copying (arenas do not free): for short lists. */
void spec_strings_add(struct arena *arena, struct spec_strings *list, const char *text);

#define SERVICE_DATA_VERSION 1
