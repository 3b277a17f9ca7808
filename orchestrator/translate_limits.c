/* SPDX-License-Identifier: Apache-2.0 */
/* Limits of a service → the spec: memory, cpu, pids, block I/O, rlimits. Pure; whether the host can
 * do it is the engine's affair. */
#include "orchestrator/translate_parts.h"

#include "base/str.h"
#include "base/units.h"

#define CPU_PERIOD_DEFAULT_US 100000

static const char *const rlimit_names[] = {
    "as", "core", "cpu", "data", "fsize", "locks", "memlock", "msgqueue", "nice", "nofile", "nproc", "rss", "rtprio", "rttime",
    "sigpending", "stack",
};

static int translate_cpu(const struct service *service, struct arena *arena, struct spec_resources *resources, struct err *err)
{
    resources->cpu_period_us = service->cpu_period_us.value;
    resources->cpu_quota_us = service->cpu_quota_us.value > 0 ? service->cpu_quota_us.value : 0;
    if (service->cpus.set && service->cpus.value > 0) {
        if (service->cpu_quota_us.set && service->cpu_quota_us.value > 0)
            return err_set(err, ERR_CONFIG, "cpus and cpu_quota exclude each other");
        int64_t period = resources->cpu_period_us > 0 ? resources->cpu_period_us : CPU_PERIOD_DEFAULT_US;
        resources->cpu_period_us = period;
        resources->cpu_quota_us = (int64_t)(service->cpus.value * (double)period + 0.5);
        if (resources->cpu_quota_us < 1000)
            return err_set(err, ERR_CONFIG, "cpus: %g is below 0.01, the least the kernel can do", service->cpus.value);
    }
    resources->cpu_shares = service->cpu_shares.value;
    resources->cpu_rt_period_us = service->cpu_rt_period_us.value;
    resources->cpu_rt_runtime_us = service->cpu_rt_runtime_us.value;
    resources->cpuset_cpus = service->cpuset && service->cpuset[0] ? arena_strdup(arena, service->cpuset) : NULL;
    return 0;
}

static int translate_memory(const struct service *service, struct spec_resources *resources, struct err *err)
{
    int64_t limit = service->mem_limit.value, swap = service->memswap_limit.value;
    if (swap > 0 && limit > 0 && swap < limit)
        return err_set(err, ERR_CONFIG, "memswap_limit is smaller than mem_limit: it counts memory and swap");
    if (swap != 0 && limit <= 0 && swap > 0)
        return err_set(err, ERR_CONFIG, "memswap_limit needs mem_limit");
    resources->memory_max = limit > 0 ? limit : 0;
    resources->memory_swap = swap;
    resources->memory_reservation = service->mem_reservation.value;
    resources->memory_swappiness = service->mem_swappiness.set ? service->mem_swappiness.value : -1;
    resources->oom_kill_disable = service->oom_kill_disable.value;
    return 0;
}

static int translate_io_weights(const struct blkio_config *blkio, struct arena *arena, struct spec_resources *resources,
                                struct err *err)
{
    int64_t weight = blkio->weight.set ? blkio->weight.value : 0;
    size_t count = blkio->weight_device.count;
    if (weight && (weight < 10 || weight > 1000))
        return err_set(err, ERR_CONFIG, "blkio_config.weight: %lld is not from 10 to 1000", (long long)weight);
    resources->io_weight = weight;
    resources->io_weights.items = count ? arena_alloc(arena, count * sizeof(*resources->io_weights.items)) : NULL;
    for (size_t i = 0; i < count; i++) {
        const struct blkio_device *device = &blkio->weight_device.items[i];
        if (device->rate < 10 || device->rate > 1000)
            return err_set(err, ERR_CONFIG, "blkio_config.weight_device: %lld is not from 10 to 1000", (long long)device->rate);
        resources->io_weights.items[resources->io_weights.count++] = (struct spec_pair){
            .key = arena_printf(arena, "%s weight", device->path), .value = arena_printf(arena, "%lld", (long long)device->rate),
        };
    }
    return 0;
}

static void io_add(struct arena *arena, struct spec_resources *resources, const struct blkio_device *device, const char *kind,
                   size_t capacity)
{
    if (!resources->io_max.items)
        resources->io_max.items = arena_alloc(arena, capacity * sizeof(*resources->io_max.items));
    resources->io_max.items[resources->io_max.count++] = (struct spec_pair){
        .key = arena_printf(arena, "%s %s", device->path, kind),
        .value = arena_printf(arena, "%lld", (long long)device->rate),
    };
}

static void translate_io(const struct blkio_config *blkio, struct arena *arena, struct spec_resources *resources)
{
    const struct {
        const char *kind;
        const struct blkio_device *items;
        size_t count;
    } lists[] = {
        { "rbps", blkio->device_read_bps.items, blkio->device_read_bps.count },
        { "wbps", blkio->device_write_bps.items, blkio->device_write_bps.count },
        { "riops", blkio->device_read_iops.items, blkio->device_read_iops.count },
        { "wiops", blkio->device_write_iops.items, blkio->device_write_iops.count },
    };
    size_t capacity = 0;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        capacity += lists[i].count;
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        for (size_t j = 0; j < lists[i].count; j++)
            io_add(arena, resources, &lists[i].items[j], lists[i].kind, capacity);
}

static int translate_ulimits(const struct service *service, struct arena *arena, struct container_spec *spec, struct err *err)
{
    spec->rlimits.items = service->ulimits.count ? arena_alloc(arena, service->ulimits.count * sizeof(*spec->rlimits.items)) : NULL;
    for (size_t i = 0; i < service->ulimits.count; i++) {
        const struct ulimit *ulimit = &service->ulimits.items[i];
        bool known = false;
        for (size_t j = 0; j < ARRAY_LEN(rlimit_names); j++)
            known |= str_eq(rlimit_names[j], ulimit->name);
        if (!known)
            return err_set(err, ERR_CONFIG, "ulimits.%s: there is no such limit", ulimit->name);
        uint64_t soft = ulimit->soft < 0 ? UINT64_MAX : (uint64_t)ulimit->soft;
        uint64_t hard = ulimit->hard < 0 ? UINT64_MAX : (uint64_t)ulimit->hard;
        if (soft > hard)
            return err_set(err, ERR_CONFIG, "ulimits.%s: soft limit is above the hard limit", ulimit->name);
        spec->rlimits.items[spec->rlimits.count++] =
            (struct spec_rlimit){ .name = arena_strdup(arena, ulimit->name), .soft = soft, .hard = hard };
    }
    return 0;
}

static int translate_storage(const struct service *service, struct container_spec *spec, struct err *err)
{
    for (size_t i = 0; i < service->storage_opt.count; i++) {
        const struct kv *option = &service->storage_opt.items[i];
        if (!str_eq(option->key, "size"))
            return err_set(err, ERR_UNSUPPORTED, "storage_opt.%s is not supported (size)", option->key);
        if (!option->value || !bytes_parse(option->value, &spec->storage_bytes) || spec->storage_bytes <= 0)
            return err_set(err, ERR_CONFIG, "storage_opt.size: '%s' is no size", option->value ? option->value : "");
    }
    return 0;
}

int translate_limits(const struct translate_input *input, struct container_record *record, struct err *err)
{
    const struct service *service = input->service;
    struct spec_resources *resources = &record->spec.resources;
    if (translate_memory(service, resources, err) < 0 || translate_cpu(service, record->arena, resources, err) < 0)
        return -1;
    resources->pids_max = service->pids_limit.set ? service->pids_limit.value : 0;
    translate_io(&service->blkio, record->arena, resources);
    resources->strict = input->strict;
    if (translate_io_weights(&service->blkio, record->arena, resources, err) < 0 ||
        translate_storage(service, &record->spec, err) < 0)
        return -1;
    return translate_ulimits(service, record->arena, &record->spec, err);
}
