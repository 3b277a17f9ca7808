/* SPDX-License-Identifier: Apache-2.0 */
/* Limits as files of cgroup v1 and v2. */
#include <criterion/criterion.h>

#include <stdio.h>

#include "base/str.h"
#include "engine/runtime/cgroup.h"
#include "engine/runtime/cgroup_render.h"

static bool fake_device(const char *path, char *ret_number, size_t size)
{
    snprintf(ret_number, size, "8:0");
    return str_eq(path, "/dev/sda");
}

static char *rendered(const struct spec_resources *resources, bool v2)
{
    static struct cgroup_setting settings[CGROUP_SETTINGS_MAX];
    struct str text = {0};
    struct err err = {0};
    int count = (v2 ? cgroup_v2_render : cgroup_v1_render)(resources, fake_device, settings, &err);
    if (count < 0)
        str_addf(&text, "error: %s", err.message);
    for (int i = 0; i < count; i++)
        str_addf(&text, "%s%s=%s%s", i ? ";" : "", settings[i].file, settings[i].value,
                 settings[i].optional ? "?" : "");
    return str_take(&text);
}

#define MIB (1024 * 1024LL)
static struct spec_pair io[] = {{"/dev/sda rbps", "100"}, {"/dev/sda wiops", "5"}};
static struct spec_pair io_weights[] = {{"/dev/sda weight", "1000"}};
static struct spec_pair io_bad[] = {{"/dev/nope rbps", "100"}};

static const struct {
    struct spec_resources resources;
    size_t io_count;
    const char *v1, *v2;
} rows[] = {
    {{.memory_swappiness = -1}, 0, "pids.max=4096", "pids.max=4096"},
    {{.pids_max = -1, .memory_swappiness = -1}, 0, "pids.max=max", "pids.max=max"},
    {{.memory_max = 64 * MIB, .memory_swappiness = -1, .pids_max = 7},
     0,
     "memory.limit_in_bytes=67108864;memory.memsw.limit_in_bytes=134217728?;pids.max=7",
     "memory.max=67108864;memory.swap.max=67108864?;pids.max=7"},
    {{.memory_max = 64 * MIB,
      .memory_swap = 80 * MIB,
      .memory_reservation = MIB,
      .memory_swappiness = -1},
     0,
     "memory.limit_in_bytes=67108864;memory.soft_limit_in_bytes=1048576;memory.memsw.limit_in_"
     "bytes=83886080;pids.max=4096",
     "memory.max=67108864;memory.low=1048576;memory.swap.max=16777216?;pids.max=4096"},
    {{.memory_max = MIB, .memory_swap = -1, .memory_swappiness = -1},
     0,
     "memory.limit_in_bytes=1048576;memory.memsw.limit_in_bytes=-1;pids.max=4096",
     "memory.max=1048576;memory.swap.max=max?;pids.max=4096"},
    {{.cpu_quota_us = 150000, .cpu_shares = 1024, .memory_swappiness = -1},
     0,
     "pids.max=4096;cpu.shares=1024;cpu.cfs_quota_us=150000",
     "pids.max=4096;cpu.weight=39;cpu.max=150000 100000"},
    {{.cpu_quota_us = 5000,
      .cpu_period_us = 10000,
      .cpuset_cpus = "0-1",
      .cpuset_mems = "0",
      .memory_swappiness = -1},
     0,
     "pids.max=4096;cpu.cfs_period_us=10000;cpu.cfs_quota_us=5000;cpuset.cpus=0-1;cpuset.mems=0",
     "pids.max=4096;cpu.max=5000 10000;cpuset.cpus=0-1;cpuset.mems=0"},
    {{.cpu_shares = 2, .memory_swappiness = -1},
     0,
     "pids.max=4096;cpu.shares=2",
     "pids.max=4096;cpu.weight=1"},
    {{.cpu_shares = 262144, .memory_swappiness = -1},
     0,
     "pids.max=4096;cpu.shares=262144",
     "pids.max=4096;cpu.weight=10000"},
    {{.oom_kill_disable = true, .memory_swappiness = 60},
     0,
     "memory.swappiness=60;memory.oom_control=1;pids.max=4096",
     "(none)=mem_swappiness has no equal under cgroup v2;(none)=oom_kill_disable has no equal under "
     "cgroup v2;pids.max=4096"},
    {{.memory_swappiness = 0, .cpu_rt_runtime_us = 1000},
     0,
     "memory.swappiness=0;pids.max=4096;cpu.rt_runtime_us=1000",
     "(none)=mem_swappiness has no equal under cgroup v2;pids.max=4096;(none)=a real-time cpu budget "
     "has no equal under cgroup v2"},
    {{.io_weight = 10, .io_weights = {io_weights, 1}, .memory_swappiness = -1},
     0,
     "pids.max=4096;blkio.bfq.weight=10;blkio.bfq.weight_device=8:0 1000",
     "pids.max=4096;io.weight=1;io.bfq.weight=10?;io.weight=8:0 10000;io.bfq.weight=8:0 1000?"},
    {{.memory_swappiness = -1},
     2,
     "pids.max=4096;blkio.throttle.read_bps_device=8:0 100;blkio.throttle.write_iops_device=8:0 5",
     "pids.max=4096;io.max=8:0 rbps=100;io.max=8:0 wiops=5"},
};

Test(cgroup, limits_become_files)
{
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct spec_resources resources = rows[i].resources;
        resources.io_max.items = io;
        resources.io_max.count = rows[i].io_count;
        _cleanup_free_ char *v1 = rendered(&resources, false), *v2 = rendered(&resources, true);
        cr_expect_str_eq(v1, rows[i].v1, "case %zu: %s", i, v1);
        cr_expect_str_eq(v2, rows[i].v2, "case %zu: %s", i, v2);
    }
}

Test(cgroup, unknown_devices_are_refused)
{
    struct spec_resources resources = {.memory_swappiness = -1};
    resources.io_max.items = io_bad;
    resources.io_max.count = 1;
    _cleanup_free_ char *v2 = rendered(&resources, true);
    cr_expect_str_eq(v2, "error: io limit: '/dev/nope' is not a block device");
}

static const struct {
    const char *file, *want, *have;
    bool holds;
} read_back[] = {
    {"pids.max", "20", "20\n", true},
    {"pids.max", "20", "max\n", false},
    {"memory.limit_in_bytes", "1000000", "999424\n", true},
    {"memory.limit_in_bytes", "1000000", "9223372036854771712\n", false},
    {"memory.memsw.limit_in_bytes", "-1", "9223372036854771712\n", true},
    {"memory.max", "1000000", "max\n", false},
    {"memory.oom_control", "1", "oom_kill_disable 1\nunder_oom 0\noom_kill 0\n", true},
    {"memory.oom_control", "1", "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n", false},
    {"cpuset.cpus", "0,1,2", "0-2\n", true},
    {"cpuset.cpus", "0-3", "0-1\n", false},
    {"cpuset.cpus", "0", "\n", false},
    {"cpu.max", "20000 100000", "20000 100000\n", true},
    {"cpu.max", "20000 100000", "max 100000\n", false},
    {"io.max", "8:0 wiops=5", "8:0 rbps=100 wbps=max riops=max wiops=5\n", true},
    {"io.max", "8:0 wiops=5", "8:16 rbps=100 wbps=max riops=max wiops=5\n", false},
    {"io.max", "8:0 wiops=5", "8:0 rbps=100 wbps=max riops=max wiops=50\n", false},
    {"io.weight", "300", "default 300\n8:0 100\n", true},
    {"io.weight", "8:0 300", "default 100\n8:0 300\n", true},
    {"blkio.throttle.read_bps_device", "8:0 100", "8:16 7\n8:0 100\n", true},
    {"blkio.throttle.read_bps_device", "8:0 100", "", false},
};

Test(cgroup, what_is_read_back_is_compared_as_the_kernel_means_it)
{
    for (size_t i = 0; i < ARRAY_LEN(read_back); i++) {
        struct cgroup_setting setting = {.file = read_back[i].file};
        snprintf(setting.value, sizeof(setting.value), "%s", read_back[i].want);
        cr_expect_eq(setting_holds(&setting, read_back[i].have), read_back[i].holds, "case %zu: %s",
                     i, read_back[i].file);
    }
}
