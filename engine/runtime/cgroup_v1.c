/* SPDX-License-Identifier: Apache-2.0 */
/* Limits → cgroup v1 files. Pure. Order matters: memory.limit before memory.memsw.limit,
 * cpuset.mems with cpuset.cpus. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "engine/runtime/cgroup.h"
#include "engine/runtime/cgroup_render.h"

static const struct {
    const char *kind, *file;
} io_files[] = {
    {"rbps", "blkio.throttle.read_bps_device"},
    {"wbps", "blkio.throttle.write_bps_device"},
    {"riops", "blkio.throttle.read_iops_device"},
    {"wiops", "blkio.throttle.write_iops_device"},
};

static int io_render(struct settings *settings, const struct spec_resources *resources,
                     cgroup_device_fn *device_number, struct err *err)
{
    for (size_t i = 0; i < resources->io_max.count; i++) {
        struct io_limit limit;
        if (io_limit_parse(&resources->io_max.items[i], device_number, &limit, err) < 0)
            return -1;
        for (size_t k = 0; k < ARRAY_LEN(io_files); k++)
            if (str_eq(limit.kind, io_files[k].kind))
                setting_add(settings, CONTROLLER_BLKIO, io_files[k].file, false, "%s %s",
                            limit.device, limit.value);
    }
    if (resources->io_weight)
        setting_add(settings, CONTROLLER_BLKIO, "blkio.bfq.weight", false, "%" PRId64,
                    resources->io_weight);
    for (size_t i = 0; i < resources->io_weights.count; i++) {
        struct io_limit limit;
        if (io_limit_parse(&resources->io_weights.items[i], device_number, &limit, err) < 0)
            return -1;
        setting_add(settings, CONTROLLER_BLKIO, "blkio.bfq.weight_device", false, "%s %s",
                    limit.device, limit.value);
    }
    return 0;
}

static void memory_render(struct settings *settings, const struct spec_resources *resources)
{
    if (resources->memory_max)
        setting_add(settings, CONTROLLER_MEMORY, "memory.limit_in_bytes", false, "%" PRId64,
                    resources->memory_max);
    if (resources->memory_reservation)
        setting_add(settings, CONTROLLER_MEMORY, "memory.soft_limit_in_bytes", false, "%" PRId64,
                    resources->memory_reservation);
    if (resources->memory_swap)
        setting_add(settings, CONTROLLER_MEMORY, "memory.memsw.limit_in_bytes", false, "%" PRId64,
                    resources->memory_swap);
    else if (resources->memory_max)
        setting_add(settings, CONTROLLER_MEMORY, "memory.memsw.limit_in_bytes", true, "%" PRId64,
                    2 * resources->memory_max);
    if (resources->memory_swappiness >= 0)
        setting_add(settings, CONTROLLER_MEMORY, "memory.swappiness", false, "%" PRId64,
                    resources->memory_swappiness);
    if (resources->oom_kill_disable)
        setting_add(settings, CONTROLLER_MEMORY, "memory.oom_control", false, "1");
}

static void cpu_render(struct settings *settings, const struct spec_resources *resources)
{
    if (resources->cpu_shares)
        setting_add(settings, CONTROLLER_CPU, "cpu.shares", false, "%" PRId64,
                    resources->cpu_shares);
    if (resources->cpu_period_us)
        setting_add(settings, CONTROLLER_CPU, "cpu.cfs_period_us", false, "%" PRId64,
                    resources->cpu_period_us);
    if (resources->cpu_quota_us)
        setting_add(settings, CONTROLLER_CPU, "cpu.cfs_quota_us", false, "%" PRId64,
                    resources->cpu_quota_us);
    if (resources->cpu_rt_period_us)
        setting_add(settings, CONTROLLER_CPU, "cpu.rt_period_us", false, "%" PRId64,
                    resources->cpu_rt_period_us);
    if (resources->cpu_rt_runtime_us)
        setting_add(settings, CONTROLLER_CPU, "cpu.rt_runtime_us", false, "%" PRId64,
                    resources->cpu_rt_runtime_us);
    if (resources->cpuset_cpus)
        setting_add(settings, CONTROLLER_CPUSET, "cpuset.cpus", false, "%s",
                    resources->cpuset_cpus);
    if (resources->cpuset_mems)
        setting_add(settings, CONTROLLER_CPUSET, "cpuset.mems", false, "%s",
                    resources->cpuset_mems);
}

int cgroup_v1_render(const struct spec_resources *resources, cgroup_device_fn *device_number,
                     struct cgroup_setting ret_settings[CGROUP_SETTINGS_MAX], struct err *err)
{
    struct settings settings = {.items = ret_settings};
    memory_render(&settings, resources);
    pids_render(&settings, resources);
    cpu_render(&settings, resources);
    if (io_render(&settings, resources, device_number, err) < 0)
        return -1;
    if (settings.count > CGROUP_SETTINGS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d limits", CGROUP_SETTINGS_MAX);
    return (int)settings.count;
}
