/* SPDX-License-Identifier: Apache-2.0 */
/* cgroup_render.h - what the two renderers of limits share. Pure. */
#pragma once

#include <stddef.h>

#include "engine/runtime/cgroup.h"

struct settings {
    struct cgroup_setting *items;
    size_t count; /* may exceed CGROUP_SETTINGS_MAX: the surplus was dropped, the caller fails */
};
void setting_add(struct settings *settings, enum cgroup_controller controller, const char *file,
                 bool optional, const char *format, ...) __attribute__((format(printf, 5, 6)));
/* What this host cannot do whatever is written: told, or refused when the spec is strict. */
#define SETTING_NOTE "(none)"
void setting_note(struct settings *settings, const char *what);
/* Does the file say so, read back? content: its text. Pure. */
bool setting_holds(const struct cgroup_setting *setting, const char *content);
void pids_render(struct settings *settings, const struct spec_resources *resources);

/* "/dev/sda rbps" = "1048576" → device "8:0", kind "rbps". */
struct io_limit {
    char device[32], kind[8];
    const char *value;
};
/* kind "weight": 10 to 1000. */
int io_limit_parse(const struct spec_pair *pair, cgroup_device_fn *device_number,
                   struct io_limit *ret_limit, struct err *err);
