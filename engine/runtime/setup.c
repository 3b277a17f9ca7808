/* SPDX-License-Identifier: Apache-2.0 */
/* The step list of a container's start, child side. Each row says what it needs from the rows
 * before it; a failure is reported with the number and the name of its step. */
#include "engine/runtime/setup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/proc.h"
#include "engine/runtime/caps.h"
#include "engine/runtime/devices.h"
#include "engine/runtime/sync.h"
#include "engine/runtime/sys.h"

#include <linux/capability.h>

static int setup_start(struct setup *setup, struct err *err)
{
    (void)setup;
    sigset_t none;
    sigemptyset(&none);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        return err_sys(err, "die with the monitor");
    signals_default();
    if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
        return err_sys(err, "unblock signals");
    if (setsid() < 0)
        return err_sys(err, "make a session");
    if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
        return err_sys(err, "make a session keyring"); /* else the supervisor's would be shared */
    umask(0);
    return 0;
}

static int setup_cgroup(struct setup *setup, struct err *err)
{
    if (!setup->cgroup)
        return 0;
    if (cgroup_enter(setup->cgroup, err) < 0)
        return -1;
    if (setup->target < 0 && setup->spec->cgroup.mode == NS_PRIVATE && unshare(CLONE_NEWCGROUP) < 0)
        return err_sys(err, "make a cgroup namespace");
    return 0;
}

static int userns_open(struct setup *setup, struct err *err)
{
    if (!setup->spec->userns)
        return 0;
    setup->userns_fd = open(setup->spec->userns, O_RDONLY | O_CLOEXEC);
    return setup->userns_fd < 0 ? err_sys(err, "open user namespace %s", setup->spec->userns) : 0;
}

static int setup_join(struct setup *setup, struct err *err)
{
    const struct {
        const struct spec_ns *ns;
        const char *name;
        int flag;
    } rows[] = {
        {&setup->spec->net, "network", CLONE_NEWNET},
        {&setup->spec->ipc, "ipc", CLONE_NEWIPC},
        {&setup->spec->uts, "uts", CLONE_NEWUTS},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (rows[i].ns->mode != NS_PATH)
            continue;
        _cleanup_close_ int fd = open(rows[i].ns->path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || setns(fd, rows[i].flag) < 0)
            return err_sys(err, "join %s namespace %s", rows[i].name, rows[i].ns->path);
    }
    return userns_open(setup, err);
}

static int setup_join_target(struct setup *setup, struct err *err)
{
    if (userns_open(setup, err) < 0)
        return -1;
    if (setns(setup->target,
              CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWCGROUP) < 0)
        return err_sys(err, "join the container's namespaces");
    setup->root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return setup->root_fd < 0 ? err_sys(err, "open the container's root") : 0;
}

static int setup_limits(struct setup *setup, struct err *err)
{
    if (rlimits_apply(setup->spec, err) < 0)
        return -1;
    char text[32];
    snprintf(text, sizeof(text), "%lld", (long long)setup->process->oom_score_adj);
    _cleanup_close_ int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
    if (fd >= 0 && write(fd, text, strlen(text)) >= 0)
        return 0;
    if (setup->process->oom_score_adj < 0)
        return err_sys(err, "set oom_score_adj to %s (needs CAP_SYS_RESOURCE)", text);
    return 0; /* a monitor that could not lower its own is at 0 anyway */
}

int setup_private(struct setup *setup, struct err *err)
{
    (void)setup;
    if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return err_sys(err, "make mounts private");
    return 0;
}

int setup_owner(struct setup *setup, struct err *err)
{
    setup->root_uid = setup->spec->userns ? (uid_t)setup->spec->id_base : 0;
    if (setup->root_uid == 0)
        return 0;
    (void)setfsgid(setup->root_uid); /* no error is reported by these; read back below */
    (void)setfsuid(setup->root_uid);
    if ((uid_t)setfsuid((uid_t)-1) != setup->root_uid)
        return err_set(err, ERR_SYSTEM, "become the owner of new files (fsuid %u)",
                       setup->root_uid);
    return caps_raise(err);
}

static int setup_names(struct setup *setup, struct err *err)
{
    const struct container_spec *spec = setup->spec;
    if (spec->uts.mode != NS_PRIVATE)
        return 0;
    char short_id[13];
    snprintf(short_id, sizeof(short_id), "%.12s", spec->id);
    const char *name = spec->hostname ? spec->hostname : short_id;
    if (sethostname(name, strlen(name)) < 0)
        return err_sys(err, "set host name '%s'", name);
    if (spec->domainname && setdomainname(spec->domainname, strlen(spec->domainname)) < 0)
        return err_sys(err, "set domain name '%s'", spec->domainname);
    return 0;
}

static int setup_user(struct setup *setup, struct err *err)
{
    const struct spec_process *process = setup->process;
    char short_id[13];
    snprintf(short_id, sizeof(short_id), "%.12s", setup->spec->id);
    if (user_load(setup->root_fd, process->user, &process->groups, &setup->ids, err) < 0)
        return -1;
    setup->env = process_environment(process, &setup->ids,
                                     setup->spec->hostname ? setup->spec->hostname : short_id);
    return 0;
}

static int setup_stdio(struct setup *setup, struct err *err)
{
    if (setup->tty_fd >= 0)
        return terminal_take(setup->tty_fd, err);
    for (int i = 0; i < 3; i++) {
        struct stat st;
        if (dup2(setup->stdio[i], i) < 0)
            return err_sys(err, "set descriptor %d", i);
        /* so that the user inside may open /dev/stdout by name; a named FIFO that somebody gave an
         * exec stays his */
        struct statfs fs;
        if (fstat(i, &st) < 0 || fstatfs(i, &fs) < 0 || !S_ISFIFO(st.st_mode) ||
            (setup->foreign_stdio && fs.f_type != PIPEFS_MAGIC))
            continue;
        if (fchown(i, setup->root_uid + setup->ids.uid, (gid_t)-1) < 0)
            return err_sys(err, "give descriptor %d to the user", i);
    }
    return 0;
}

/* docker makes a missing one when the container is made, so read_only does not hinder it. */
static int setup_cwd_make(struct setup *setup, struct err *err)
{
    (void)err;
    const char *cwd = setup->process->cwd ? setup->process->cwd : "/";
    _cleanup_close_ int have = fs_open_in_root(setup->root_fd, cwd, O_PATH, 0), made = -1;
    if (have < 0 && errno == ENOENT)
        made = fs_mkdirs_in_root(setup->root_fd, cwd, 0755, setup->root_uid, setup->root_uid);
    return 0; /* what hinders it is told when it is entered */
}

static int setup_cwd(struct setup *setup, struct err *err)
{
    const char *cwd = setup->process->cwd ? setup->process->cwd : "/";
    return cwd_enter(cwd, setup->root_uid, err);
}

static int setup_identity(struct setup *setup, struct err *err)
{
    const struct container_spec *spec = setup->spec;
    const struct confinement confinement = {
        .spec = spec,
        .process = setup->process,
        .ids = &setup->ids,
        .filter = setup->filter,
        .userns_fd = setup->userns_fd,
        .own_mounts = setup->target < 0 && setup->userns_fd >= 0 &&
                      setup->process->capabilities & CAP_BIT(CAP_SYS_ADMIN),
        .init_fd = setup->init_fd,
    };
    umask(022);
    if (prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0) /* from here on it outlives the monitor */
        return err_sys(err, "outlive the monitor");
    if (confine_check(&confinement, err) < 0 || confine_enter_userns(&confinement, err) < 0)
        return -1;
    return confine_apply(&confinement, err);
}

static int setup_exec(struct setup *setup, struct err *err)
{
    const struct confinement confinement = {.init_fd = setup->init_fd};
    return process_exec(&confinement, setup->process, setup->env, err);
}

struct setup_step {
    const char *name;
    int (*run)(struct setup *setup, struct err *err);
};

static const struct setup_step steps[] = {
    /* order matters; the reason stands beside each */
    {"session", setup_start},   /* a death of the monitor must kill a half-made container */
    {"cgroups", setup_cgroup},  /* needs the host's /sys; limits hold for all that follows */
    {"namespaces", setup_join}, /* names of the host are needed */
    {"shared memory", setup_shm_source}, /* needs the host's /proc and /dev */
    {"limits", setup_limits},   /* needs the host's root and the host's /proc */
    {"mount sources", setup_mount_sources}, /* before the mounts lose their peers */
    {"private mounts", setup_private},      /* nothing we mount from here on may reach the host */
    {"owner", setup_owner}, /* what is made from here on belongs to the container's root */
    {"root filesystem", setup_rootfs},
    {"/proc", setup_proc}, /* needs the new pid namespace */
    {"/sys", setup_sys},   /* needs the network namespace */
    {"/sys/fs/cgroup", setup_cgroup_view},
    {"/dev", setup_dev},
    {"devices", setup_devices},
    {"host name", setup_names},
    {"mounts", setup_mounts},      /* may lie on any of the above */
    {"sysctls", setup_sysctls},    /* before /proc/sys is read-only */
    {"masked paths", setup_masks}, /* after the user's mounts: nothing of theirs may uncover */
    {"read-only paths", setup_readonly},
    {"user", setup_user},         /* reads the image's files, with all mounts in place */
    {"terminal", setup_terminal}, /* needs /dev/pts and the user's id */
    {"working directory, made", setup_cwd_make}, /* while the root can be written to */
    {"root", setup_pivot},        /* the host is gone afterwards */
    {"standard streams", setup_stdio},
    {"working directory", setup_cwd},
    {"identity", setup_identity}, /* forbids all of the above */
    {"program", setup_exec},
};

static const struct setup_step exec_steps[] = {
    {"session", setup_start},
    {"cgroups", setup_cgroup},
    {"limits", setup_limits},
    {"namespaces", setup_join_target}, /* the host is gone afterwards */
    {"owner", setup_owner},
    {"user", setup_user},
    {"terminal", setup_terminal},
    {"standard streams", setup_stdio},
    {"working directory", setup_cwd},
    {"identity", setup_identity},
    {"program", setup_exec},
};

__attribute__((noreturn)) static void steps_walk(struct setup *setup, const char *what,
                                                 const struct setup_step *list, size_t count)
{
    struct err err = {0};
    for (size_t i = 0; i < count; i++) {
        if (list[i].run(setup, &err) == 0)
            continue;
        err_wrap(&err, "%s, step %zu of %zu (%s)", what, i + 1, count, list[i].name);
        break;
    }
    sync_failed(setup->sync, &err);
    _exit(127);
}

void setup_run(struct setup *setup)
{
    steps_walk(setup, "container setup", steps, ARRAY_LEN(steps));
}

void setup_run_exec(struct setup *setup)
{
    steps_walk(setup, "exec", exec_steps, ARRAY_LEN(exec_steps));
}
