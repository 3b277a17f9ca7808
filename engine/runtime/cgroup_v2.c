/* SPDX-License-Identifier: Apache-2.0 */
/* Limits → cgroup v2 files. Pure. Shares are converted as the OCI runtime specification's readers
 * agreed: weight = 1 + (shares - 2) * 9999 / 262142; swap means "memory + swap" in a spec and "swap
 * alone" here. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "engine/runtime/cgroup.h"
#include "engine/runtime/cgroup_render.h"

#define CPU_PERIOD_DEFAULT_US 100000

static int memory_render(struct settings *settings, const struct spec_resources *resources,
                         struct err *err)
{
    if (resources->memory_max)
        setting_add(settings, CONTROLLER_MEMORY, "memory.max", false, "%" PRId64,
                    resources->memory_max);
    if (resources->memory_reservation)
        setting_add(settings, CONTROLLER_MEMORY, "memory.low", false, "%" PRId64,
                    resources->memory_reservation);
    if (resources->memory_swap < 0)
        setting_add(settings, CONTROLLER_MEMORY, "memory.swap.max", true, "max");
    else if (resources->memory_swap > 0)
        setting_add(settings, CONTROLLER_MEMORY, "memory.swap.max", true, "%" PRId64,
                    MAX(resources->memory_swap - resources->memory_max, (int64_t)0));
    else if (resources->memory_max)
        setting_add(settings, CONTROLLER_MEMORY, "memory.swap.max", true, "%" PRId64,
                    resources->memory_max);
    if (resources->memory_swappiness > 0)
        return err_set(err, ERR_UNSUPPORTED, "memory swappiness has no equal under cgroup v2");
    if (resources->oom_kill_disable)
        return err_set(err, ERR_UNSUPPORTED, "oom_kill_disable has no equal under cgroup v2");
    return 0;
}

static int cpu_render(struct settings *settings, const struct spec_resources *resources,
                      struct err *err)
{
    int64_t period_us = resources->cpu_period_us ? resources->cpu_period_us : CPU_PERIOD_DEFAULT_US;
    if (resources->cpu_shares) {
        int64_t shares = MIN(MAX(resources->cpu_shares, (int64_t)2), (int64_t)262144);
        setting_add(settings, CONTROLLER_CPU, "cpu.weight", false, "%" PRId64,
                    1 + (shares - 2) * 9999 / 262142);
    }
    if (resources->cpu_quota_us > 0)
        setting_add(settings, CONTROLLER_CPU, "cpu.max", false, "%" PRId64 " %" PRId64,
                    resources->cpu_quota_us, period_us);
    if (resources->cpu_rt_runtime_us || resources->cpu_rt_period_us)
        return err_set(err, ERR_UNSUPPORTED, "real-time cpu budgets have no equal under cgroup v2");
    if (resources->cpuset_cpus)
        setting_add(settings, CONTROLLER_CPUSET, "cpuset.cpus", false, "%s",
                    resources->cpuset_cpus);
    if (resources->cpuset_mems)
        setting_add(settings, CONTROLLER_CPUSET, "cpuset.mems", false, "%s",
                    resources->cpuset_mems);
    return 0;
}

int cgroup_v2_render(const struct spec_resources *resources, cgroup_device_fn *device_number,
                     struct cgroup_setting ret_settings[CGROUP_SETTINGS_MAX], struct err *err)
{
    struct settings settings = {.items = ret_settings};
    if (memory_render(&settings, resources, err) < 0)
        return -1;
    pids_render(&settings, resources);
    if (cpu_render(&settings, resources, err) < 0)
        return -1;
    for (size_t i = 0; i < resources->io_max.count; i++) {
        struct io_limit limit;
        if (io_limit_parse(&resources->io_max.items[i], device_number, &limit, err) < 0)
            return -1;
        setting_add(&settings, CONTROLLER_BLKIO, "io.max", false, "%s %s=%s", limit.device,
                    limit.kind, limit.value);
    }
    if (resources->io_weight)
        setting_add(&settings, CONTROLLER_BLKIO, "io.weight", false, "%" PRId64,
                    resources->io_weight);
    if (settings.count > CGROUP_SETTINGS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d limits", CGROUP_SETTINGS_MAX);
    return (int)settings.count;
}
