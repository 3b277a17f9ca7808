/* SPDX-License-Identifier: Apache-2.0 */
/* Resource limits by name (confine.h). Set by the process itself while it is still root of the
 * host: inside a user namespace nobody may raise a hard limit. */
#include <errno.h>
#include <inttypes.h>
#include <sys/resource.h>

#include "base/mem.h"
#include "engine/runtime/confine.h"

static const struct {
    const char *name;
    int resource;
} rows[] = {
    {"as", RLIMIT_AS},           {"core", RLIMIT_CORE},         {"cpu", RLIMIT_CPU},
    {"data", RLIMIT_DATA},       {"fsize", RLIMIT_FSIZE},       {"locks", RLIMIT_LOCKS},
    {"memlock", RLIMIT_MEMLOCK}, {"msgqueue", RLIMIT_MSGQUEUE}, {"nice", RLIMIT_NICE},
    {"nofile", RLIMIT_NOFILE},   {"nproc", RLIMIT_NPROC},       {"rss", RLIMIT_RSS},
    {"rtprio", RLIMIT_RTPRIO},   {"rttime", RLIMIT_RTTIME},     {"sigpending", RLIMIT_SIGPENDING},
    {"stack", RLIMIT_STACK},
};

int rlimits_set(pid_t pid, const struct spec_rlimit *limits, size_t count, struct err *err)
{
    for (size_t i = 0; i < count; i++) {
        const struct spec_rlimit *limit = &limits[i];
        size_t row = 0;
        while (row < ARRAY_LEN(rows) && !str_eq(rows[row].name, limit->name))
            row++;
        if (row == ARRAY_LEN(rows))
            return err_set(err, ERR_CONFIG, "ulimit '%s' is unknown", limit->name);
        struct rlimit have, want = {.rlim_cur = limit->soft, .rlim_max = limit->hard};
        if (prlimit(pid, rows[row].resource, &want, NULL) == 0)
            continue;
        if (errno == EPERM && prlimit(pid, rows[row].resource, NULL, &have) == 0)
            return err_set(err, ERR_DENIED,
                           "ulimit '%s': %" PRIu64 " is more than this host's hard limit %" PRIu64,
                           limit->name, limit->hard, (uint64_t)have.rlim_max);
        return err_sys(err, "ulimit '%s'", limit->name);
    }
    return 0;
}

int rlimits_apply(const struct container_spec *spec, struct err *err)
{
    return rlimits_set(0, spec->rlimits.items, spec->rlimits.count, err);
}
