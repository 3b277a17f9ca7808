/* SPDX-License-Identifier: Apache-2.0 */
/* The step lists of an OCI container (child.h). Until it is started its first process waits in the finished container, still with
 * the runtime's rights, which no program of the container has seen yet. */
#include "engine/oci/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/proc.h"
#include "engine/oci/hooks.h"
#include "engine/runtime/devices.h"
#include "engine/runtime/sync.h"
#include "engine/runtime/sys.h"
#include "engine/runtime/tree.h"

static bool is_new(const struct oci_child *child, enum oci_ns ns)
{
    return child->bundle->ns[ns].set && !child->bundle->ns[ns].path;
}

static int go_wait(const struct oci_child *child, struct err *err)
{
    char byte;
    ssize_t got;
    do
        got = recv(child->sync, &byte, 1, 0);
    while (got < 0 && errno == EINTR);
    return got == 1 ? 0 : err_set(err, ERR_CANCELLED, "the runtime is gone");
}

static void word_send(const struct oci_child *child, uint32_t kind)
{
    const struct sync_message message = {.kind = kind};
    (void)fd_send(child->sync, &message, sizeof(message), NULL, 0);
}

static int step_session(struct oci_child *child, struct err *err)
{
    sigset_t none;
    sigemptyset(&none);
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
        return err_sys(err, "die with the runtime");
    signals_default();
    if (sigprocmask(SIG_SETMASK, &none, NULL) < 0)
        return err_sys(err, "unblock signals");
    if (go_wait(child, err) < 0) /* ids are mapped, limits are set */
        return -1;
    if (setsid() < 0)
        return err_sys(err, "make a session");
    if (!child->no_new_keyring && syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) < 0 && errno != ENOSYS)
        return err_sys(err, "make a session keyring");
    umask(0);
    return 0;
}

static int step_cgroup(struct oci_child *child, struct err *err)
{
    if (child->enter_cgroup && cgroup_enter(child->cgroup, err) < 0)
        return -1;
    return 0;
}

static int step_user(struct oci_child *child, struct err *err)
{
    if (!child->userns)
        return 0;
    if (setgroups(0, NULL) < 0 && errno != EPERM)
        return err_sys(err, "leave all groups");
    if (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
        return err_sys(err, "become root of the user namespace");
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 ? err_sys(err, "die with the runtime") : 0; /* undone by the above */
}

static int step_namespaces(struct oci_child *child, struct err *err)
{
    const char *mounts = child->bundle->ns[OCI_NS_MOUNT].path;
    if (is_new(child, OCI_NS_CGROUP) && unshare(CLONE_NEWCGROUP) < 0)
        return err_sys(err, "make a cgroup namespace");
    if (!mounts)
        return 0;
    _cleanup_close_ int fd = open(mounts, O_RDONLY | O_CLOEXEC);
    return fd < 0 || setns(fd, CLONE_NEWNS) < 0 ? err_sys(err, "join mount namespace %s", mounts) : 0;
}

static int step_hooks(struct oci_child *child, struct err *err)
{
    jv_set_int(child->hook_state, "pid", getpid());
    word_send(child, OCI_SYNC_HOOKS);
    if (go_wait(child, err) < 0)
        return -1;
    return oci_hooks_run(child->bundle, OCI_CREATE_CONTAINER, child->hook_state, child->bundle_dir, err);
}

static int step_names(struct oci_child *child, struct err *err)
{
    const struct container_spec *spec = &child->bundle->spec;
    if (spec->hostname && sethostname(spec->hostname, strlen(spec->hostname)) < 0)
        return err_sys(err, "set host name '%s'", spec->hostname);
    if (spec->domainname && setdomainname(spec->domainname, strlen(spec->domainname)) < 0)
        return err_sys(err, "set domain name '%s'", spec->domainname);
    return 0;
}

/* The host's /proc shows the settings of the caller's namespaces. */
static int step_sysctls(struct oci_child *child, struct err *err)
{
    const struct container_spec *spec = &child->bundle->spec;
    for (size_t i = 0; i < spec->sysctls.count; i++) {
        const struct spec_pair *pair = &spec->sysctls.items[i];
        bool net = (str_has_prefix(pair->key, "net.") || str_has_prefix(pair->key, "net/")) && child->bundle->ns[OCI_NS_NET].set;
        if (strstr(pair->key, "..") ||
            (!net && !sysctl_is_allowed(pair->key, child->bundle->ns[OCI_NS_IPC].set, child->bundle->ns[OCI_NS_UTS].set)))
            return err_set(err, ERR_CONFIG, "sysctl \"%s\" is not in a separate kernel namespace", pair->key);
        char path[512];
        snprintf(path, sizeof(path), "/proc/sys/%s", pair->key);
        for (char *c = path; *c; c++)
            *c = *c == '.' ? '/' : *c;
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
        if (fd < 0 || write(fd, pair->value, strlen(pair->value)) < 0)
            return err_sys(err, "sysctl '%s' = '%s'", pair->key, pair->value);
    }
    return 0;
}

static int console_bind(struct oci_child *child, struct err *err)
{
    _cleanup_close_ int target = setup_target(&child->setup, "/dev/console", true, err);
    if (target < 0)
        return -1;
    _cleanup_close_ int tree = tree_clone(child->setup.tty_fd, "", false);
    return tree < 0 || tree_attach(tree, target) < 0 ? err_sys(err, "bind /dev/console") : 0;
}

static int step_terminal(struct oci_child *child, struct err *err)
{
    static const char name[] = "/dev/pts/ptmx"; /* some receivers want a name with it */
    const struct oci_process *process = child->process;
    if (!process->base.tty)
        return 0;
    _cleanup_close_ int master = -1;
    if (terminal_open(child->setup.root_fd, process->uid, &master, &child->setup.tty_fd, err) < 0)
        return -1;
    struct winsize size = {.ws_row = process->rows, .ws_col = process->columns};
    if (process->rows && ioctl(master, TIOCSWINSZ, &size) < 0)
        return err_sys(err, "set the terminal's size");
    if (child->target < 0 && console_bind(child, err) < 0)
        return -1;
    if (child->console < 0)
        return sync_tty(child->sync, master, err);
    return fd_send(child->console, name, sizeof(name), &master, 1) < 0 ? err_sys(err, "send the terminal") : 0;
}

static int step_masks(struct oci_child *child, struct err *err)
{
    return setup_masks(&child->setup, err) < 0 ? -1 : setup_readonly(&child->setup, err);
}

static int step_root(struct oci_child *child, struct err *err)
{
    const struct oci_bundle *bundle = child->bundle;
    if (!child->no_pivot) {
        if (setup_pivot(&child->setup, err) < 0)
            return -1;
    } else if (fchdir(child->setup.root_fd) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0) {
        return err_sys(err, "move the root");
    }
    if (bundle->root_propagation && mount(NULL, "/", NULL, bundle->root_propagation, NULL) < 0)
        return err_sys(err, "set the root's propagation");
    return 0;
}

static int step_lookup(struct oci_child *child, struct err *err)
{
    return oci_child_lookup(child, err);
}

static int step_start(struct oci_child *child, struct err *err)
{
    char byte;
    ssize_t got;
    if (prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0)
        return err_sys(err, "outlive the runtime");
    word_send(child, OCI_SYNC_READY);
    close_fdp(&child->sync);
    close_fdp(&child->console);
    do
        got = read(child->fifo, &byte, 1);
    while (got < 0 && errno == EINTR);
    close_fdp(&child->fifo);
    if (got != 1)
        return err_sys(err, "wait for the start");
    jv_set_int(child->hook_state, "pid", getpid());
    return oci_hooks_run(child->bundle, OCI_START_CONTAINER, child->hook_state, "/", err);
}

static int step_streams(struct oci_child *child, struct err *err)
{
    return child->setup.tty_fd >= 0 ? terminal_take(child->setup.tty_fd, err) : 0;
}

static int step_join(struct oci_child *child, struct err *err)
{
    int flags = 0;
    for (size_t i = 0; i < OCI_NS_COUNT; i++) { /* one's own cannot be joined again */
        char own[64], theirs[64];
        struct stat a, b;
        if (i == OCI_NS_PID || i == OCI_NS_TIME)
            continue; /* born into it */
        snprintf(own, sizeof(own), "/proc/self/ns/%s", oci_ns_table[i].file);
        snprintf(theirs, sizeof(theirs), "/proc/%d/ns/%s", (int)child->target_pid, oci_ns_table[i].file);
        if (stat(own, &a) == 0 && stat(theirs, &b) == 0 && a.st_ino != b.st_ino)
            flags |= oci_ns_table[i].flag;
    }
    if (flags && setns(child->target, flags) < 0)
        return err_sys(err, "join the container's namespaces");
    child->setup.root_fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return child->setup.root_fd < 0 ? err_sys(err, "open the container's root") : 0;
}

static int step_outlive(struct oci_child *child, struct err *err)
{
    (void)child;
    return prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0) < 0 ? err_sys(err, "outlive the runtime") : 0;
}

struct step {
    const char *name;
    int (*run)(struct oci_child *child, struct err *err);
};

static const struct step steps[] = {
    {"session", step_session},       /* a death of the runtime must kill a half-made container */
    {"cgroups", step_cgroup},        /* needs the host's /sys */
    {"user namespace", step_user},   /* what is made from here on belongs to the container's root */
    {"namespaces", step_namespaces}, /* the cgroup namespace begins where the process is now */
    {"root file system", oci_child_root},
    {"mounts", oci_child_mounts},
    {"devices", oci_child_devices}, /* in the /dev of the mounts */
    {"hooks", step_hooks},          /* see all mounts, and the host's root */
    {"host name", step_names},
    {"sysctls", step_sysctls},   /* before /proc/sys is read-only */
    {"terminal", step_terminal}, /* needs /dev/pts */
    {"masked paths", step_masks},
    {"root", step_root}, /* the host is gone afterwards */
    {"program", step_lookup},
    {"start", step_start},
    {"standard streams", step_streams},
    {"identity", oci_child_confine},
};

static const struct step exec_steps[] = {
    {"session", step_session},    {"cgroups", step_cgroup},          {"namespaces", step_join},
    {"user namespace", step_user}, {"terminal", step_terminal},      {"program", step_lookup},
    {"outlive", step_outlive},    {"standard streams", step_streams}, {"identity", oci_child_confine},
};

__attribute__((noreturn)) static void steps_walk(struct oci_child *child, const struct step *list, size_t count)
{
    struct err err = {0};
    for (size_t i = 0; i < count; i++)
        if (list[i].run(child, &err) < 0) {
            err_wrap(&err, "%s", list[i].name);
            break;
        }
    if (child->sync >= 0)
        sync_failed(child->sync, &err);
    else
        dprintf(2, "winch-oci: %s\n", err.message); /* nobody else is there to be told after the start */
    _exit(err.code == ERR_NOT_FOUND ? 127 : err.code == ERR_DENIED ? 126 : 1);
}

void oci_child_run(struct oci_child *child)
{
    steps_walk(child, steps, ARRAY_LEN(steps));
}

void oci_child_run_exec(struct oci_child *child)
{
    steps_walk(child, exec_steps, ARRAY_LEN(exec_steps));
}
