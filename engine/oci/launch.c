/* SPDX-License-Identifier: Apache-2.0 */
/* Making a process of an OCI container (launch.h). Namespaces named by a path are entered by the runtime itself, so that the child
 * is born in them; a user namespace named by a path needs a process in between, because nobody comes back from one. */
#include "engine/oci/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/proc.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/oci/hooks.h"
#include "engine/runtime/seccomp.h"
#include "engine/runtime/sync.h"
#include "engine/runtime/sys.h"

static int console_connect(const char *path, int *ret_sock, struct err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) >= (int)sizeof(address.sun_path))
        return err_set(err, ERR_LIMIT, "--console-socket: the path is too long");
    _cleanup_close_ int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (sock < 0 || connect(sock, (struct sockaddr *)&address, sizeof(address)) < 0)
        return err_sys(err, "connect to console socket %s", path);
    *ret_sock = take_fd(&sock);
    return 0;
}

static int filter_make(const struct oci_bundle *bundle, const struct oci_process *process, struct filter *ret_filter, struct err *err)
{
    const struct jv *profile = jv_find(jv_find(bundle->config, "linux"), "seccomp");
    if (!profile || jv_kind(profile) != JV_OBJECT)
        return 0;
    if (jv_get_str(profile, "listenerPath", "")[0])
        return err_set(err, ERR_UNSUPPORTED, "linux.seccomp.listenerPath is not supported");
    _cleanup_free_ struct bpf *bpf = xcalloc(1, sizeof(*bpf));
    if (seccomp_compile_profile(profile, process->caps.bounding, bpf, err) < 0)
        return err_wrap(err, "linux.seccomp");
    ret_filter->size = bpf->count * sizeof(*bpf->items);
    ret_filter->program = xcalloc(1, ret_filter->size + 1);
    memcpy(ret_filter->program, bpf->items, ret_filter->size);
    return 0;
}

/* The namespaces by path that a child inherits; *ret_own are the runtime's own, to come back to. */
struct visit {
    int own[OCI_NS_COUNT];
};

static bool is_inherited(const struct oci_bundle *bundle, size_t ns)
{
    return bundle->ns[ns].set && bundle->ns[ns].path && ns != OCI_NS_USER && ns != OCI_NS_MOUNT;
}

static void visit_end(struct visit *visit)
{
    for (size_t i = 0; i < OCI_NS_COUNT; i++) {
        if (visit->own[i] >= 0)
            (void)setns(visit->own[i], oci_ns_table[i].flag);
        close_fdp(&visit->own[i]);
    }
}

static int visit_begin(const struct oci_bundle *bundle, struct visit *visit, struct err *err)
{
    for (size_t i = 0; i < OCI_NS_COUNT; i++)
        visit->own[i] = -1;
    for (size_t i = 0; i < OCI_NS_COUNT; i++) {
        if (!is_inherited(bundle, i))
            continue;
        char own[64];
        snprintf(own, sizeof(own), "/proc/self/ns/%s", oci_ns_table[i].file);
        _cleanup_close_ int fd = open(bundle->ns[i].path, O_RDONLY | O_CLOEXEC);
        visit->own[i] = open(own, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || visit->own[i] < 0 || setns(fd, oci_ns_table[i].flag) < 0) {
            err_sys(err, "lstat/join %s namespace %s", oci_ns_table[i].word, bundle->ns[i].path);
            visit_end(visit);
            return -1;
        }
    }
    return 0;
}

static uint64_t new_flags(const struct oci_bundle *bundle)
{
    uint64_t flags = 0;
    for (size_t i = 0; i < OCI_NS_COUNT; i++)
        if (bundle->ns[i].set && !bundle->ns[i].path && i != OCI_NS_CGROUP && i != OCI_NS_TIME)
            flags |= (uint64_t)oci_ns_table[i].flag;
    return flags;
}

/* clone, by way of a process in the user namespace at path: its child becomes ours. */
static pid_t clone_in_userns(const char *path, uint64_t flags, int cgroup_fd)
{
    int pair[2], status;
    pid_t pid = -1;
    if (pipe2(pair, O_CLOEXEC) < 0)
        return -1;
    pid_t between = fork();
    if (between == 0) {
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        pid = fd < 0 || setns(fd, CLONE_NEWUSER) < 0 ? -errno : sys_clone3(flags | CLONE_PARENT, cgroup_fd, NULL);
        if (pid == 0)
            return 0;
        _exit(fd_write_all(pair[1], &pid, sizeof(pid)) < 0);
    }
    close(pair[1]);
    if (between < 0 || read(pair[0], &pid, sizeof(pid)) != sizeof(pid))
        pid = -ECHILD;
    close(pair[0]);
    while (between > 0 && waitpid(between, &status, 0) < 0 && errno == EINTR)
        ;
    if (pid > 0)
        return pid;
    errno = pid == -1 ? EPERM : -pid;
    return -1;
}

static pid_t child_clone(const struct oci_launch *launch, int target, struct err *err)
{
    const struct oci_bundle *bundle = launch->state->bundle;
    int cgroup_fd = launch->cgroup->mode != CGROUP_V1 ? launch->cgroup->unified_fd : -1;
    struct visit visit;
    pid_t pid;
    if (launch->exec) {
        _cleanup_close_ int own = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
        if (own < 0 || setns(target, CLONE_NEWPID) < 0)
            return err_sys(err, "enter the pid namespace");
        pid = sys_clone3(0, cgroup_fd, NULL);
        if (pid != 0)
            (void)setns(own, CLONE_NEWPID);
        return pid < 0 ? err_sys(err, "make the process") : pid;
    }
    if (visit_begin(bundle, &visit, err) < 0)
        return -1;
    const char *userns = bundle->ns[OCI_NS_USER].path;
    uint64_t flags = new_flags(bundle);
    pid = userns ? clone_in_userns(userns, flags, cgroup_fd) : sys_clone3(flags, cgroup_fd, NULL);
    if (pid == 0)
        return 0;
    int number = errno;
    visit_end(&visit);
    return pid < 0 ? err_sysno(err, number, "make the process in its namespaces") : pid;
}

static int proc_write(pid_t pid, const char *file, const char *text, struct err *err)
{
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
    _cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
    return fd < 0 || write(fd, text, strlen(text)) < 0 ? err_sys(err, "write '%s' to %s", text, path) : 0;
}

static int map_write(pid_t pid, const char *file, const struct oci_id_map *maps, size_t count, struct err *err)
{
    _cleanup_str_ struct str text = {0};
    for (size_t i = 0; i < count; i++)
        str_addf(&text, "%u %u %u\n", maps[i].container, maps[i].host, maps[i].size);
    return proc_write(pid, file, str_text(&text), err);
}

/* What only the host's root can do for the child. */
static int child_prepare(const struct oci_launch *launch, pid_t pid, struct err *err)
{
    const struct oci_bundle *bundle = launch->state->bundle;
    const struct oci_process *process = launch->process;
    char text[32];
    if (!launch->exec && bundle->ns[OCI_NS_USER].set && !bundle->ns[OCI_NS_USER].path &&
        (map_write(pid, "uid_map", bundle->uids.items, bundle->uids.count, err) < 0 ||
         map_write(pid, "gid_map", bundle->gids.items, bundle->gids.count, err) < 0))
        return -1;
    snprintf(text, sizeof(text), "%lld", (long long)process->base.oom_score_adj);
    if (process->has_oom && proc_write(pid, "oom_score_adj", text, err) < 0)
        return -1;
    return rlimits_set(pid, process->rlimits.items, process->rlimits.count, err);
}

/* v1 groups of a child that is not the host's root: by pid, which may wait for the kernel. */
static int cgroup_put(const struct oci_launch *launch, pid_t pid, struct err *err)
{
    char text[32];
    snprintf(text, sizeof(text), "%d", (int)pid);
    for (int i = 0; i < CONTROLLER_COUNT_; i++) {
        if (!(launch->cgroup->controllers & 1u << i))
            continue;
        _cleanup_close_ int group = cgroup_open_controller(launch->cgroup, i);
        _cleanup_close_ int procs = group < 0 ? -1 : openat(group, "cgroup.procs", O_WRONLY | O_CLOEXEC);
        if (procs < 0 || write(procs, text, strlen(text)) < 0)
            return err_sys(err, "enter the %s cgroup", cgroup_controller_names[i]);
    }
    return 0;
}

static int hooks_early(const struct oci_launch *launch, pid_t pid, int sock, struct err *err)
{
    struct oci_state *state = launch->state;
    state->pid = pid;
    _cleanup_jv_ struct jv *value = oci_state_json(state, OCI_CREATING);
    if (oci_hooks_run(state->bundle, OCI_PRESTART, value, state->bundle_dir, err) < 0 ||
        oci_hooks_run(state->bundle, OCI_CREATE_RUNTIME, value, state->bundle_dir, err) < 0)
        return -1;
    return send(sock, "g", 1, MSG_NOSIGNAL) == 1 ? 0 : err_sys(err, "answer the child");
}

/* The talk, until the child waits or runs its program. */
static int child_attend(const struct oci_launch *launch, pid_t pid, int sock, int *ret_master, struct err *err)
{
    for (;;) {
        struct sync_message message;
        int fds[FD_PASS_MAX];
        size_t count = 0;
        ssize_t size = fd_recv(sock, &message, sizeof(message), fds, FD_PASS_MAX, &count);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return err_sys(err, "read from the child");
        if (size == 0) /* the socket closes itself at a successful execve */
            return launch->exec ? 0 : err_set(err, ERR_FAILED, "the container's first process died during its set-up");
        message.text[sizeof(message.text) - 1] = '\0';
        if (message.kind == SYNC_TTY && count == 1)
            *ret_master = fds[0];
        if (message.kind == SYNC_FAILED) {
            err_set(err, message.code, "%s", message.text);
            return -1;
        }
        if (message.kind == OCI_SYNC_READY)
            return 0;
        if (message.kind == OCI_SYNC_HOOKS && hooks_early(launch, pid, sock, err) < 0)
            return -1;
    }
}

static void child_end(pid_t pid)
{
    (void)kill(pid, SIGKILL); /* our own child, not reaped yet: the number is its */
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}

int oci_launch(const struct oci_launch *launch, struct oci_launched *ret_launched, struct err *err)
{
    struct oci_state *state = launch->state;
    struct filter filter = {0};
    _cleanup_close_ int console = -1, fifo = -1, target = -1, ours = -1, theirs = -1, master = -1;
    int pair[2];
    bool userns = state->bundle->ns[OCI_NS_USER].set;
    if (filter_make(state->bundle, launch->process, &filter, err) < 0 ||
        (launch->console_socket && console_connect(launch->console_socket, &console, err) < 0) || sync_pair(pair, err) < 0)
        return -1;
    ours = pair[0];
    theirs = pair[1];
    if (!launch->exec && (fifo = openat(state->dir, OCI_FIFO, O_RDWR | O_CLOEXEC)) < 0)
        return err_sys(err, "open %s/" OCI_FIFO, state->path);
    if (launch->exec && (target = proc_pidfd_open(state->pid)) < 0)
        return err_sys(err, "open process %d", (int)state->pid);
    struct oci_child child = {
        .bundle = state->bundle, .process = launch->process, .cgroup = launch->cgroup, .filter = &filter,
        .bundle_dir = state->bundle_dir, .hook_state = oci_state_json(state, OCI_CREATED),
        .sync = theirs, .fifo = fifo, .console = console, .preserve = launch->preserve, .target = target,
        .target_pid = state->pid, .userns = userns, .enter_cgroup = !userns || launch->exec, .no_pivot = launch->no_pivot,
        .no_new_keyring = launch->no_new_keyring,
        .setup = {.spec = &state->bundle->spec, .userns_fd = -1, .scratch_fd = -1, .root_fd = -1, .proc_fd = -1, .null_fd = -1,
                  .empty_tree = -1, .tty_fd = -1}};
    pid_t pid = child_clone(launch, target, err);
    if (pid == 0) {
        close_fdp(&ours);
        close_fdp(&state->lock); /* else the container would hold it */
        if (launch->exec)
            oci_child_run_exec(&child);
        oci_child_run(&child);
    }
    jv_free(child.hook_state);
    close_fdp(&theirs);
    free(filter.program);
    if (pid < 0)
        return -1;
    if ((!child.enter_cgroup && cgroup_put(launch, pid, err) < 0) || child_prepare(launch, pid, err) < 0 ||
        (send(ours, "g", 1, MSG_NOSIGNAL) != 1 && err_sys(err, "start the child") < 0) ||
        child_attend(launch, pid, ours, &master, err) < 0) {
        child_end(pid);
        return -1;
    }
    *ret_launched = (struct oci_launched){pid, take_fd(&master)};
    return 0;
}
