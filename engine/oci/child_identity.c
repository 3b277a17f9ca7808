/* SPDX-License-Identifier: Apache-2.0 */
/* The end of an OCI process's set-up: ids, capability sets, filter, execve. As in runtime/confine.c the order is the safety; here
 * all five sets are the caller's to choose. libc only. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "engine/oci/child.h"
#include "engine/runtime/caps.h"

static const char *path_of(const struct spec_strings *env)
{
    for (size_t i = 0; i < env->count; i++)
        if (str_has_prefix(env->items[i], "PATH="))
            return env->items[i] + strlen("PATH=");
    return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
}

static int program_check(const char *path, struct err *err)
{
    struct stat st;
    if (stat(path, &st) < 0)
        return errno == ENOENT || errno == ENOTDIR
                   ? err_set(err, ERR_NOT_FOUND, "exec: \"%s\": stat %s: no such file or directory", path, path)
                   : err_sys(err, "exec: %s", path);
    if (S_ISDIR(st.st_mode) || !(st.st_mode & 0111))
        return err_set(err, ERR_DENIED, "exec: \"%s\": permission denied", path);
    return 0;
}

int oci_child_lookup(const struct oci_child *child, struct err *err)
{
    const char *name = child->process->base.argv.items[0];
    if (strchr(name, '/'))
        return name[0] == '/' ? program_check(name, err) : 0; /* relative ones depend on the working directory */
    for (const char *at = path_of(&child->process->base.env); at; at = strchr(at, ':') ? strchr(at, ':') + 1 : NULL) {
        char candidate[4096];
        size_t size = strcspn(at, ":");
        if (snprintf(candidate, sizeof(candidate), "%.*s/%s", (int)size, size ? at : ".", name) < (int)sizeof(candidate) &&
            program_check(candidate, NULL) == 0)
            return 0;
    }
    return err_set(err, ERR_NOT_FOUND, "exec: \"%s\": executable file not found in $PATH", name);
}

static int ids_set(const struct oci_process *process, struct err *err)
{
    gid_t groups[ARRAY_LEN(process->groups)];
    for (size_t i = 0; i < process->group_count; i++)
        groups[i] = process->groups[i];
    if (setgroups(process->group_count, groups) < 0 && (errno != EPERM || process->group_count > 0))
        return err_sys(err, "set supplementary groups");
    if (setresgid(process->gid, process->gid, process->gid) < 0)
        return err_sys(err, "become group %u", process->gid);
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0)
        return err_sys(err, "keep capabilities");
    if (setresuid(process->uid, process->uid, process->uid) < 0)
        return err_sys(err, "become user %u", process->uid);
    if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 || caps_raise(err) < 0)
        return err_wrap(err, "user %u", process->uid);
    return 0;
}

static int caps_apply(const struct oci_caps *caps, struct err *err)
{
    uint64_t have = caps_bounding();
    if (caps_set_all(caps->permitted & have, caps->effective & caps->permitted & have, caps->inheritable & have, err) < 0)
        return -1;
    for (int i = 0; i < 64; i++)
        if (caps->ambient & caps->permitted & caps->inheritable & have & CAP_BIT(i) &&
            prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, i, 0, 0) < 0)
            return err_sys(err, "raise ambient %s", spec_capability_name(i) ? spec_capability_name(i) : "capability");
    return 0;
}

/* Ids, capabilities, filter: what the kernel takes away for good. */
static int power_drop(const struct oci_child *child, struct err *err)
{
    const struct oci_process *process = child->process;
    bool has_filter = child->filter && child->filter->program;
    if (caps_bound(process->caps.bounding & caps_bounding(), err) < 0 || ids_set(process, err) < 0)
        return -1;
    if (process->base.no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_sys(err, "set no_new_privs");
    if (has_filter && !process->base.no_new_privs && filter_install(child->filter, err) < 0)
        return -1;
    if (caps_apply(&process->caps, err) < 0)
        return -1;
    return has_filter && process->base.no_new_privs ? filter_install(child->filter, err) : 0;
}

int oci_child_confine(struct oci_child *child, struct err *err)
{
    const struct oci_process *process = child->process;
    const struct spec_strings none = {0};
    struct user_ids ids = {.home = "/"};
    const struct confinement confinement = {.init_fd = -1};
    char user[16];
    snprintf(user, sizeof(user), "%u", process->uid);
    _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    (void)user_load(root, user, &none, &ids, NULL); /* only where its home is */
    const char **env = process_environment(&process->base, &ids, NULL);
    umask(process->has_umask ? process->umask : 022);
    if (cwd_enter(process->base.cwd, process->uid, err) < 0)
        return -1;
    if (close_range(3 + (unsigned)child->preserve, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
        return err_sys(err, "mark descriptors close-on-exec");
    if (power_drop(child, err) < 0)
        return -1;
    return process_exec(&confinement, &process->base, env, err);
}
