/* SPDX-License-Identifier: Apache-2.0 */
/* Rows that cgroup v1 and v2 write alike (cgroup_render.h). Pure. */
#include "engine/runtime/cgroup_render.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define PIDS_DEFAULT 4096

void setting_add(struct settings *settings, enum cgroup_controller controller, const char *file,
                 bool optional, const char *format, ...)
{
    if (settings->count < CGROUP_SETTINGS_MAX) {
        struct cgroup_setting *setting = &settings->items[settings->count];
        va_list args;
        setting->controller = controller;
        setting->file = file;
        setting->optional = optional;
        va_start(args, format);
        vsnprintf(setting->value, sizeof(setting->value), format, args);
        va_end(args);
    }
    settings->count++;
}

void setting_note(struct settings *settings, const char *what)
{
    setting_add(settings, CONTROLLER_MEMORY, SETTING_NOTE, false, "%s", what);
}

void pids_render(struct settings *settings, const struct spec_resources *resources)
{
    if (resources->pids_max < 0)
        setting_add(settings, CONTROLLER_PIDS, "pids.max", false, "max");
    else
        setting_add(settings, CONTROLLER_PIDS, "pids.max", false, "%" PRId64,
                    resources->pids_max ? resources->pids_max : PIDS_DEFAULT);
}

int io_limit_parse(const struct spec_pair *pair, cgroup_device_fn *device_number,
                   struct io_limit *ret_limit, struct err *err)
{
    static const char *const kinds[] = {"rbps", "wbps", "riops", "wiops", "weight"};
    const char *blank = strrchr(pair->key, ' ');
    for (size_t i = 0; blank && i < ARRAY_LEN(kinds); i++) {
        if (!str_eq(blank + 1, kinds[i]))
            continue;
        char path[4096];
        if ((size_t)(blank - pair->key) >= sizeof(path))
            break;
        memcpy(path, pair->key, (size_t)(blank - pair->key));
        path[blank - pair->key] = '\0';
        struct io_limit limit = {.value = pair->value};
        if (!device_number(path, limit.device, sizeof(limit.device)))
            return err_set(err, ERR_CONFIG, "io limit: '%s' is not a block device", path);
        snprintf(limit.kind, sizeof(limit.kind), "%s", kinds[i]);
        *ret_limit = limit;
        return 0;
    }
    return err_set(err, ERR_CONFIG, "io limit: '%s' is not 'PATH rbps|wbps|riops|wiops'",
                   pair->key);
}
