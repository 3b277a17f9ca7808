/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel settings that belong to the container's own ipc and uts namespaces (net.* is netd's). */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "engine/runtime/setup.h"

static const char *const ipc_keys[] = {"kernel/msgmax", "kernel/msgmnb",         "kernel/msgmni",
                                       "kernel/sem",    "kernel/shmall",         "kernel/shmmax",
                                       "kernel/shmmni", "kernel/shm_rmid_forced"};

/* "kernel.shmmax" and "kernel/shmmax" → "kernel/shmmax"; false for what could leave /proc/sys. */
static bool key_normalize(const char *key, char *ret_path, size_t size)
{
    if (key[0] == '\0' || strlen(key) >= size || strstr(key, ".."))
        return false;
    size_t i = 0;
    for (; key[i]; i++)
        ret_path[i] = key[i] == '.' ? '/' : key[i];
    ret_path[i] = '\0';
    return ret_path[0] != '/' && !strstr(ret_path, "//");
}

bool sysctl_is_allowed(const char *key, bool own_ipc, bool own_uts)
{
    char path[256];
    if (!key_normalize(key, path, sizeof(path)))
        return false;
    if (own_ipc && str_has_prefix(path, "fs/mqueue/"))
        return true;
    if (own_uts && str_eq(path, "kernel/domainname"))
        return true;
    for (size_t i = 0; own_ipc && i < ARRAY_LEN(ipc_keys); i++)
        if (str_eq(path, ipc_keys[i]))
            return true;
    return false;
}

int setup_sysctls(struct setup *setup, struct err *err)
{
    const struct container_spec *spec = setup->spec;
    for (size_t i = 0; i < spec->sysctls.count; i++) {
        const struct spec_pair *pair = &spec->sysctls.items[i];
        char path[256], name[272];
        if (!sysctl_is_allowed(pair->key, spec->ipc.mode == NS_PRIVATE,
                               spec->uts.mode == NS_PRIVATE))
            return err_set(err, ERR_CONFIG,
                           "sysctl '%s' does not belong to the container's own namespaces",
                           pair->key);
        (void)key_normalize(pair->key, path, sizeof(path)); /* allowed keys have a path */
        snprintf(name, sizeof(name), "sys/%s", path);
        _cleanup_close_ int fd = openat(setup->proc_fd, name, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || write(fd, pair->value, strlen(pair->value)) < 0)
            return err_sys(err, "sysctl '%s' = '%s'", pair->key, pair->value);
    }
    return 0;
}
