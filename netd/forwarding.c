/* SPDX-License-Identifier: Apache-2.0 */
/* forwarding.c - the host must forward for its containers. What the switches were before us is
 * written down before they are touched, and comes back with the last network. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "netd/daemon.h"
#include "netd/sysctl.h"

#define FILE_NAME "netd/forwarding.json"

static const struct {
    const char *key, *path;
    bool ipv6;
} switches[] = {
    {"ipv4", "ipv4/ip_forward", false},
    {"ipv6", "ipv6/conf/all/forwarding", true},
};

static struct jv *load(struct netd *netd)
{
    struct jv *value = NULL;
    struct err ignored = {0};
    if (jv_load_file(netd->layout->run_fd, FILE_NAME, 4096, &value, &ignored) < 0)
        return jv_object(); /* not there, or from a crash in its first moment */
    return value;
}

static int save(struct netd *netd, const struct jv *value, struct err *err)
{
    _cleanup_close_ int dir = -1;
    _cleanup_free_ char *text = jv_dump(value);
    if (fs_open_dir(netd->layout->run_fd, "netd", 0700, &dir, err) < 0)
        return -1;
    return fs_replace_volatile(dir, "forwarding.json", text, strlen(text), 0600, err);
}

int forwarding_enable(struct netd *netd, bool ipv6, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
        if (switches[i].ipv6 && !ipv6)
            continue;
        if (sysctl_read_int(0, "%s", switches[i].path) != 0)
            continue;
        _cleanup_jv_ struct jv *before = load(netd);
        jv_set_int(before, switches[i].key, 0);
        if (save(netd, before, err) < 0 || sysctl_write("1", err, "%s", switches[i].path) < 0)
            return err_wrap(err, "switch forwarding on");
        netd->table_loaded = false; /* the guard against strangers depends on it */
    }
    return 0;
}

bool forwarding_is_ours(struct netd *netd)
{
    _cleanup_jv_ struct jv *before = load(netd);
    return jv_find(before, "ipv4") != NULL;
}

int forwarding_restore(struct netd *netd, struct err *err)
{
    _cleanup_jv_ struct jv *before = load(netd);
    for (size_t i = 0; i < ARRAY_LEN(switches); i++)
        if (jv_find(before, switches[i].key) && sysctl_write("0", err, "%s", switches[i].path) < 0)
            return err_wrap(err, "switch forwarding off again");
    if (unlinkat(netd->layout->run_fd, FILE_NAME, 0) < 0 && errno != ENOENT)
        return err_sys(err, "remove " FILE_NAME);
    return 0;
}
