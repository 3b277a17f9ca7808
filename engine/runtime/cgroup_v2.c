/* SPDX-License-Identifier: Apache-2.0 */
/* Limits → cgroup v2 files. Pure. Shares are converted as the OCI runtime specification's readers
 * agreed: weight = 1 + (shares - 2) * 9999 / 262142; swap means "memory + swap" in a spec and "swap
 * alone" here. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "engine/runtime/cgroup.h"
#include "engine/runtime/cgroup_render.h"

#define CPU_PERIOD_DEFAULT_US 100000

static void memory_render(struct settings *settings, const struct spec_resources *resources)
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
    if (resources->memory_swappiness >= 0)
        setting_note(settings, "mem_swappiness has no equal under cgroup v2");
    if (resources->oom_kill_disable)
        setting_note(settings, "oom_kill_disable has no equal under cgroup v2");
}

static void cpu_render(struct settings *settings, const struct spec_resources *resources)
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
        setting_note(settings, "a real-time cpu budget has no equal under cgroup v2");
    if (resources->cpuset_cpus)
        setting_add(settings, CONTROLLER_CPUSET, "cpuset.cpus", false, "%s",
                    resources->cpuset_cpus);
    if (resources->cpuset_mems)
        setting_add(settings, CONTROLLER_CPUSET, "cpuset.mems", false, "%s",
                    resources->cpuset_mems);
}

/* 10-1000 as docker takes it → 1-10000; BFQ has a file of its own, in the old unit. */
static void weight_render(struct settings *settings, const char *device, int64_t weight)
{
    setting_add(settings, CONTROLLER_BLKIO, "io.weight", false, "%s%" PRId64, device,
                1 + (weight - 10) * 9999 / 990);
    setting_add(settings, CONTROLLER_BLKIO, "io.bfq.weight", true, "%s%" PRId64, device, weight);
}

static int weights_render(struct settings *settings, const struct spec_resources *resources,
                          cgroup_device_fn *device_number, struct err *err)
{
    if (resources->io_weight)
        weight_render(settings, "", resources->io_weight);
    for (size_t i = 0; i < resources->io_weights.count; i++) {
        struct io_limit limit;
        char device[sizeof(limit.device) + 1];
        long long weight;
        if (io_limit_parse(&resources->io_weights.items[i], device_number, &limit, err) < 0)
            return -1;
        if (!parse_i64(limit.value, 10, 1000, &weight))
            return err_set(err, ERR_CONFIG, "io weight '%s' is no number from 10 to 1000",
                           limit.value);
        snprintf(device, sizeof(device), "%s ", limit.device);
        weight_render(settings, device, weight);
    }
    return 0;
}

int cgroup_v2_render(const struct spec_resources *resources, cgroup_device_fn *device_number,
                     struct cgroup_setting ret_settings[CGROUP_SETTINGS_MAX], struct err *err)
{
    struct settings settings = {.items = ret_settings};
    memory_render(&settings, resources);
    pids_render(&settings, resources);
    cpu_render(&settings, resources);
    for (size_t i = 0; i < resources->io_max.count; i++) {
        struct io_limit limit;
        if (io_limit_parse(&resources->io_max.items[i], device_number, &limit, err) < 0)
            return -1;
        setting_add(&settings, CONTROLLER_BLKIO, "io.max", false, "%s %s=%s", limit.device,
                    limit.kind, limit.value);
    }
    if (weights_render(&settings, resources, device_number, err) < 0)
        return -1;
    if (settings.count > CGROUP_SETTINGS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d limits", CGROUP_SETTINGS_MAX);
    return (int)settings.count;
}
