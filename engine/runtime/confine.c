/* SPDX-License-Identifier: Apache-2.0 */
/* Giving up power (confine.h). The order is the safety: bounding set while CAP_SETPCAP is there,
 * ids while CAP_SETUID is, filter while CAP_SYS_ADMIN is (it needs that or no_new_privs),
 * capabilities last. libc only. */
#include "engine/runtime/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/hash.h"
#include "engine/runtime/caps.h"
#include "engine/runtime/sys.h"

#define FILTER_MAX 4096 /* instructions: the kernel's BPF_MAXINSNS */

int filter_load(const struct container_spec *spec, struct filter *ret_filter, struct err *err)
{
    *ret_filter = (struct filter){0};
    if (!spec->seccomp_filter)
        return 0;
    _cleanup_close_ int fd = open(spec->seccomp_filter, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    _cleanup_free_ char *data = NULL;
    size_t size;
    if (fd < 0)
        return err_sys(err, "open seccomp filter %s", spec->seccomp_filter);
    if (fd_read_all(fd, FILTER_MAX * sizeof(struct sock_filter), &data, &size, err) < 0)
        return err_wrap(err, "seccomp filter %s", spec->seccomp_filter);
    char hex[HASH_HEX_SIZE];
    hash_hex(data, size, hex);
    if (!str_eq(hex, spec->seccomp_sha256) || size == 0 || size % sizeof(struct sock_filter))
        return err_set(err, ERR_CORRUPT, "seccomp filter %s is not what was compiled",
                       spec->seccomp_filter);
    *ret_filter = (struct filter){.program = take_ptr(&data), .size = size};
    return 0;
}

/* `privileged`, cap_add ALL: everything there is, so what the host lacks is no mistake of the file's. */
static bool wants_all(const struct spec_process *process)
{
    for (int i = 0; spec_capability_name(i); i++)
        if (!(process->capabilities & CAP_BIT(i)))
            return false;
    return true;
}

int confine_check(const struct confinement *confinement, struct err *err)
{
    const struct container_spec *spec = confinement->spec;
    uint64_t missing = confinement->process->capabilities & ~caps_bounding();
    for (int i = 0; i < 64 && !wants_all(confinement->process); i++)
        if (missing & CAP_BIT(i))
            return err_set(err, ERR_UNSUPPORTED, "capability %s is not available on this host",
                           spec_capability_name(i) ? spec_capability_name(i) : "(unknown)");
    if (confinement->userns_fd < 0)
        return 0;
    if (confinement->ids->uid >= spec->id_count || confinement->ids->gid >= spec->id_count)
        return err_set(err, ERR_CONFIG, "user %u:%u is outside the container's %lld ids",
                       confinement->ids->uid, confinement->ids->gid, (long long)spec->id_count);
    for (size_t i = 0; i < confinement->ids->group_count; i++)
        if (confinement->ids->groups[i] >= spec->id_count)
            return err_set(err, ERR_CONFIG, "group %u is outside the container's %lld ids",
                           confinement->ids->groups[i], (long long)spec->id_count);
    return 0;
}

int confine_enter_userns(const struct confinement *confinement, struct err *err)
{
    if (confinement->userns_fd < 0)
        return 0;
    if (setns(confinement->userns_fd, CLONE_NEWUSER) < 0)
        return err_sys(err, "join the user namespace");
    /* the mounts made so far belong to the host's namespace and stay locked; new ones are possible
     * in this one */
    if (confinement->own_mounts && unshare(CLONE_NEWNS) < 0)
        return err_sys(err, "make a mount namespace of its own");
    return 0;
}

int filter_install(const struct filter *filter, struct err *err)
{
    struct sock_fprog program = {
        .len = (unsigned short)(filter->size / sizeof(struct sock_filter)),
        .filter = filter->program,
    };
    if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
        return err_sys(err, "install the seccomp filter");
    return 0;
}

static int lsm_apply(const struct container_spec *spec, struct err *err)
{
    if (spec->apparmor_profile)
        return err_set(err, ERR_UNSUPPORTED,
                       "AppArmor profile '%s' is asked for, confining by AppArmor is not supported",
                       spec->apparmor_profile);
    if (spec->selinux_label)
        return err_set(err, ERR_UNSUPPORTED,
                       "SELinux label '%s' is asked for, confining by SELinux is not supported",
                       spec->selinux_label);
    return 0;
}

int confine_apply(const struct confinement *confinement, struct err *err)
{
    const struct user_ids *ids = confinement->ids;
    const struct spec_process *process = confinement->process;
    bool has_filter = confinement->filter && confinement->filter->program;
    uint64_t capabilities = process->capabilities & caps_bounding();
    gid_t groups[USER_GROUPS_MAX];
    for (size_t i = 0; i < ids->group_count; i++)
        groups[i] = ids->groups[i];
    if (lsm_apply(confinement->spec, err) < 0)
        return -1;
    if (close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) <
        0) /* ours are so already; this is for what nobody thought of */
        return err_sys(err, "mark descriptors close-on-exec");
    if (caps_bound(capabilities, err) < 0)
        return -1;
    if (setgroups(ids->group_count, groups) < 0)
        return err_sys(err, "set supplementary groups");
    if (setresgid(ids->gid, ids->gid, ids->gid) < 0)
        return err_sys(err, "become group %u", ids->gid);
    if (prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) < 0) /* the filter below needs CAP_SYS_ADMIN still */
        return err_sys(err, "keep capabilities");
    if (setresuid(ids->uid, ids->uid, ids->uid) < 0)
        return err_sys(err, "become user %u", ids->uid);
    if (prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0) < 0 || caps_raise(err) < 0)
        return err_wrap(err, "user %u", ids->uid);
    if (process->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return err_sys(err, "set no_new_privs");
    if (has_filter && !process->no_new_privs && filter_install(confinement->filter, err) < 0)
        return -1;
    uint64_t kept = ids->uid == 0 ? capabilities : 0;
    if (caps_set(kept, kept, err) < 0)
        return -1;
    if (has_filter && process->no_new_privs && filter_install(confinement->filter, err) < 0)
        return -1;
    return 0;
}

int cwd_enter(const char *cwd, uid_t owner, struct err *err)
{
    _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    _cleanup_close_ int dir = root < 0 ? -1 : fs_open_in_root(root, cwd, O_PATH | O_DIRECTORY, 0);
    if (dir < 0 && root >= 0 && errno == ENOENT)
        dir = fs_mkdirs_in_root(root, cwd, 0755, owner, owner);
    if (dir < 0 || fchdir(dir) < 0)
        return err_sys(err, "enter working directory '%s'", cwd);
    char where[4096];
    long size = syscall(SYS_getcwd, where, sizeof(where));
    if (size <= 0 || where[0] != '/') /* "(unreachable)…" */
        return err_set(err, ERR_DENIED, "working directory '%s' is outside the container", cwd);
    return 0;
}

static const char *environment_find(const char *const *env, const char *name)
{
    size_t size = strlen(name);
    for (; *env; env++)
        if (strncmp(*env, name, size) == 0 && (*env)[size] == '=')
            return *env + size + 1;
    return NULL;
}

const char **process_environment(const struct spec_process *process, const struct user_ids *ids,
                                 const char *hostname)
{
    const char **env = xcalloc(process->env.count + 4, sizeof(*env));
    size_t count = 0;
    for (; count < process->env.count; count++)
        env[count] = process->env.items[count];
    if (!environment_find(env, "HOME"))
        env[count++] = xasprintf("HOME=%s", ids->home);
    if (hostname && !environment_find(env, "HOSTNAME"))
        env[count++] = xasprintf("HOSTNAME=%s", hostname);
    if (process->tty && !environment_find(env, "TERM"))
        env[count++] = "TERM=xterm";
    return env;
}

static int exec_failed(const char *what, int number, struct err *err)
{
    errno = number;
    err_sys(err, "run '%s'", what);
    if (err)
        err->code = number == ENOENT || number == ENOTDIR ? ERR_NOT_FOUND : ERR_DENIED;
    return -1;
}

/* Tries each directory of PATH like execvp(3); the first hard reason wins over "not there". */
static int exec_search(const char *path, const char *const *argv, const char *const *env)
{
    char candidate[4096];
    int reason = ENOENT;
    for (const char *at = path; at; at = strchr(at, ':') ? strchr(at, ':') + 1 : NULL) {
        size_t size = strcspn(at, ":");
        if (snprintf(candidate, sizeof(candidate), "%.*s/%s", (int)size, size ? at : ".",
                     argv[0]) >= (int)sizeof(candidate))
            continue;
        execve(candidate, (char *const *)argv, (char *const *)env);
        if (errno == ENOENT || errno == ENOTDIR) {
            struct stat st;
            if (stat(candidate, &st) < 0)
                continue; /* ENOENT of an existing file means its interpreter */
        }
        if (errno != EACCES)
            return errno;
        reason = EACCES;
    }
    return reason;
}

int process_exec(const struct confinement *confinement, const struct spec_process *process,
                 const char *const *env, struct err *err)
{
    const char *const *argv = process->argv.items;
    const char *path = environment_find(env, "PATH");
    if (confinement->init_fd >= 0) {
        const char **init_argv = xcalloc(process->argv.count + 3, sizeof(*init_argv));
        init_argv[0] = "winch-init";
        init_argv[1] = "--";
        memcpy(init_argv + 2, argv, process->argv.count * sizeof(*argv));
        execveat(confinement->init_fd, "", (char *const *)init_argv, (char *const *)env,
                 AT_EMPTY_PATH);
        return exec_failed("winch-init", errno, err);
    }
    if (strchr(argv[0], '/')) {
        execve(argv[0], (char *const *)argv, (char *const *)env);
        return exec_failed(argv[0], errno, err);
    }
    int reason =
        argv[0][0] == '\0'
            ? ENOENT
            : exec_search(path ? path
                               : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                          argv, env);
    if (reason == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "run '%s': executable file not found in $PATH", argv[0]);
    return exec_failed(argv[0], reason, err);
}
