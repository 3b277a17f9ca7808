/* SPDX-License-Identifier: Apache-2.0 */
/* floor.c - the raw kernel cost of what a container engine must do, to set our own times beside.
 *
 *   floor start -r ROOTFS -w SCRATCH [-n N]    scratch folders, cgroups, clone3 with all namespaces, overlay and the usual
 *                                              mounts, veth and address, pivot_root, execve of /bin/true, reap
 *   floor exec  -r ROOTFS -w SCRATCH [-n N]    join such a container by its pidfd and execute /bin/true
 * Prints one JSON object: microseconds as median, min, max of the whole, and for start also until execve.  Runs in a mount
 * and network namespace of its own; needs root.  ROOTFS needs a static /bin/true; SCRATCH is left full, for the caller to
 * delete after all measuring.  No user namespace and no seccomp filter: this is the floor, not a container. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "floor_net.h"

#define CONTAINER_FLAGS (CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWNET | CLONE_NEWCGROUP)

static int count = 100;
static const char *rootfs, *scratch = ".";

static double now_us(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void print_figure(const char *name, double *values, const char *comma)
{
    qsort(values, (size_t)count, sizeof(*values), by_value);
    printf("\"%s\": {\"median_us\": %.0f, \"min_us\": %.0f, \"max_us\": %.0f}%s", name, values[count / 2], values[0],
           values[count - 1], comma);
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0 || write(fd, text, strlen(text)) < 0) {
        fprintf(stderr, "floor: %s: %s\n", path, strerror(errno));
        _exit(1);
    }
    close(fd);
}

/* --- cgroups: cpu, memory and pids, or one on a v2 host -------------------------------------------------------------- */

static const char *const hierarchies_v1[] = { "/sys/fs/cgroup/cpu", "/sys/fs/cgroup/memory", "/sys/fs/cgroup/pids", NULL };
static const char *const hierarchies_v2[] = { "/sys/fs/cgroup", NULL };
static const char *const *hierarchies = hierarchies_v1;
static pid_t owner; /* names the cgroups, also inside the clone */

static void cgroup_path(char *path, size_t size, const char *hierarchy, int number)
{
    if (number < 0)
        snprintf(path, size, "%s/winch-floor-%d", hierarchy, (int)owner);
    else
        snprintf(path, size, "%s/winch-floor-%d/%d", hierarchy, (int)owner, number);
}

static void cgroups_make(int number)
{
    char path[256];
    for (const char *const *list = hierarchies; *list; list++) {
        cgroup_path(path, sizeof(path), *list, number);
        MUST(mkdir(path, 0755));
    }
}

static void cgroups_remove(int number)
{
    char path[256];
    for (const char *const *list = hierarchies; *list; list++) {
        cgroup_path(path, sizeof(path), *list, number);
        for (int i = 0; i < 1000 && rmdir(path) < 0 && errno == EBUSY; i++)
            usleep(100);
    }
}

/* A single-threaded process that writes 0 to v1's "tasks" does not wait for an RCU grace period. */
static void cgroups_enter_v1(int number)
{
    char path[300];
    for (const char *const *list = hierarchies; *list; list++) {
        cgroup_path(path, sizeof(path), *list, number);
        strncat(path, "/tasks", sizeof(path) - strlen(path) - 1);
        write_file(path, "0");
    }
}

/* --- one container --------------------------------------------------------------------------------------------------- */

static void scratch_make(char *base, size_t size, int number)
{
    static const char *const folders[] = { "upper", "work", "root" }, *const files[] = { "hosts", "resolv.conf", "hostname" };
    char path[700];
    snprintf(base, size, "%s/floor.%d.%d", scratch, (int)owner, number);
    MUST(mkdir(base, 0755));
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%s", base, folders[i]);
        MUST(mkdir(path, 0755));
        snprintf(path, sizeof(path), "%s/%s", base, files[i]);
        write_file(path, "x\n");
    }
}

static void mount_overlay(const char *base)
{
    char path[600];
    int fs = (int)syscall(SYS_fsopen, "overlay", FSOPEN_CLOEXEC);
    MUST(fs);
    MUST(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "lowerdir", rootfs, 0));
    snprintf(path, sizeof(path), "%s/upper", base);
    MUST(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "upperdir", path, 0));
    snprintf(path, sizeof(path), "%s/work", base);
    MUST(syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "workdir", path, 0));
    MUST(syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0));
    int mounted = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
    MUST(mounted);
    snprintf(path, sizeof(path), "%s/root", base);
    MUST(syscall(SYS_move_mount, mounted, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH));
    MUST(chdir(path));
    close(fs);
    close(mounted);
}

static void mount_dev(void)
{
    static const struct {
        const char *name;
        unsigned major, minor;
    } nodes[] = { { "null", 1, 3 }, { "zero", 1, 5 }, { "full", 1, 7 }, { "random", 1, 8 }, { "urandom", 1, 9 }, { "tty", 5, 0 } };
    MUST(mount("tmpfs", "dev", "tmpfs", MS_NOSUID, "mode=755,size=65536k"));
    for (size_t i = 0; i < sizeof(nodes) / sizeof(*nodes); i++) {
        char path[32];
        snprintf(path, sizeof(path), "dev/%s", nodes[i].name);
        MUST(mknod(path, S_IFCHR | 0666, makedev(nodes[i].major, nodes[i].minor)));
    }
    MUST(symlink("/proc/self/fd", "dev/fd"));
    MUST(symlink("/proc/self/fd/0", "dev/stdin"));
    MUST(symlink("/proc/self/fd/1", "dev/stdout"));
    MUST(symlink("/proc/self/fd/2", "dev/stderr"));
    MUST(mkdir("dev/pts", 0755));
    MUST(mount("devpts", "dev/pts", "devpts", MS_NOSUID | MS_NOEXEC, "newinstance,ptmxmode=0666,mode=0620"));
    MUST(mkdir("dev/shm", 0755));
    MUST(mount("shm", "dev/shm", "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=1777,size=65536k"));
    MUST(mkdir("dev/mqueue", 0755));
    MUST(mount("mqueue", "dev/mqueue", "mqueue", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
}

/* Leaves the process in the container's root. */
static void mounts_make(const char *base)
{
    static const char *const read_only[] = { "proc/bus", "proc/fs", "proc/irq", "proc/sys" },
                             *const masked[] = { "proc/keys", "proc/timer_list", "proc/kcore", "proc/interrupts" },
                             *const files[] = { "hosts", "resolv.conf", "hostname" };
    MUST(mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL));
    mount_overlay(base);
    MUST(mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL));
    MUST(mount("sysfs", "sys", "sysfs", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY, NULL));
    mount_dev();
    for (int i = 0; i < 3; i++) {
        char source[600], target[64];
        snprintf(source, sizeof(source), "%s/%s", base, files[i]);
        snprintf(target, sizeof(target), "etc/%s", files[i]);
        close(open(target, O_CREAT | O_WRONLY | O_CLOEXEC, 0644));
        MUST(mount(source, target, NULL, MS_BIND, NULL));
    }
    for (int i = 0; i < 4; i++) {
        MUST(mount(read_only[i], read_only[i], NULL, MS_BIND | MS_REC, NULL));
        MUST(mount(NULL, read_only[i], NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL));
        if (mount("dev/null", masked[i], NULL, MS_BIND, NULL) < 0 && errno != ENOENT)
            MUST(-1);
    }
    MUST(syscall(SYS_pivot_root, ".", "."));
    MUST(umount2(".", MNT_DETACH));
    MUST(chdir("/"));
}

static pid_t clone_container(int number, int *ret_pidfd)
{
    struct clone_args args = { .flags = CONTAINER_FLAGS | CLONE_PIDFD, .exit_signal = SIGCHLD, .pidfd = (uintptr_t)ret_pidfd };
    int cgroup = -1;
    if (hierarchies == hierarchies_v2) {
        char path[256];
        cgroup_path(path, sizeof(path), hierarchies_v2[0], number);
        cgroup = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        args.flags |= CLONE_INTO_CGROUP;
        args.cgroup = (uint64_t)cgroup;
    } else {
        args.flags &= ~(uint64_t)CLONE_NEWCGROUP; /* made after entering the cgroups */
    }
    pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
    MUST(pid);
    if (cgroup >= 0)
        close(cgroup);
    return pid;
}

static void execute_true(void)
{
    char *arguments[] = { (char *)"true", NULL }, *environment[] = { (char *)"PATH=/bin", NULL };
    execve("/bin/true", arguments, environment);
    _exit(127);
}

/* The container's side: everything up to the program, or with hold != NULL up to a byte written to it. */
static void container_run(const char *base, int number, int go, const int *hold)
{
    char byte;
    setsid();
    MUST(sethostname("floor", 5));
    if (hierarchies == hierarchies_v1) {
        cgroups_enter_v1(number);
        MUST(unshare(CLONE_NEWCGROUP));
    }
    mounts_make(base);
    MUST(read(go, &byte, 1)); /* the network is there */
    configure_inside(htonl(0x0A580002 + (uint32_t)number));
    if (!hold)
        execute_true();
    MUST(write(*hold, "x", 1));
    for (;;)
        pause();
}

static pid_t container_start(struct netlink *nl, int bridge, int number, int *ret_pidfd, const int *hold)
{
    char base[512], path[64];
    int go[2];
    scratch_make(base, sizeof(base), number);
    cgroups_make(number);
    MUST(pipe2(go, O_CLOEXEC));
    pid_t pid = clone_container(number, ret_pidfd);
    if (pid == 0) {
        close(go[1]);
        container_run(base, number, go[0], hold);
    }
    snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)pid);
    int netns = open(path, O_RDONLY | O_CLOEXEC);
    MUST(netns);
    veth_make(nl, number, bridge, netns);
    close(netns);
    close(go[0]);
    close(go[1]);
    return pid;
}

static void reap(pid_t pid)
{
    int status;
    MUST(waitpid(pid, &status, 0));
    if (status && !WIFSIGNALED(status)) {
        fprintf(stderr, "floor: child ended with status 0x%x\n", (unsigned)status);
        _exit(1);
    }
}

static void measure_start(struct netlink *nl, int bridge)
{
    double *whole = calloc((size_t)count, sizeof(double)), *until_execve = calloc((size_t)count, sizeof(double));
    for (int i = 0; i < count; i++) {
        int pidfd, execve_seen[2]; /* the child's copy of the write end is closed by its execve */
        char byte;
        MUST(pipe2(execve_seen, O_CLOEXEC));
        double begin = now_us();
        pid_t pid = container_start(nl, bridge, i, &pidfd, NULL);
        close(execve_seen[1]);
        MUST(read(execve_seen[0], &byte, 1));
        until_execve[i] = now_us() - begin;
        reap(pid);
        whole[i] = now_us() - begin;
        close(execve_seen[0]);
        close(pidfd);
        cgroups_remove(i);
    }
    print_figure("start", whole, ", ");
    print_figure("execve", until_execve, "");
    free(whole);
    free(until_execve);
}

static void measure_exec(struct netlink *nl, int bridge)
{
    double *whole = calloc((size_t)count, sizeof(double));
    int pidfd, ready[2];
    char byte;
    MUST(pipe2(ready, O_CLOEXEC));
    pid_t container = container_start(nl, bridge, 0, &pidfd, &ready[1]);
    MUST(read(ready[0], &byte, 1));
    for (int i = 0; i < count; i++) {
        double begin = now_us();
        pid_t child = fork();
        if (child == 0) {
            MUST(setns(pidfd, CONTAINER_FLAGS));
            pid_t inner = vfork();
            if (inner == 0)
                execute_true();
            reap(inner);
            _exit(0);
        }
        reap(child);
        whole[i] = now_us() - begin;
    }
    MUST(kill(container, SIGKILL));
    reap(container);
    cgroups_remove(0);
    print_figure("exec", whole, "");
    free(whole);
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    int option;
    optind = 2;
    while ((option = getopt(argc, argv, "n:r:w:")) > 0) {
        if (option == 'n')
            count = (int)strtol(optarg, NULL, 10);
        else if (option == 'r')
            rootfs = realpath(optarg, NULL);
        else if (option == 'w')
            scratch = realpath(optarg, NULL);
    }
    if (!rootfs || !scratch || count < 1 || count > 20000 || (strcmp(what, "start") != 0 && strcmp(what, "exec") != 0)) {
        fputs("usage: floor start|exec -r ROOTFS -w SCRATCH [-n N]\n", stderr);
        return 2;
    }
    struct netlink nl;
    owner = getpid();
    if (access("/sys/fs/cgroup/cgroup.procs", F_OK) == 0)
        hierarchies = hierarchies_v2;
    MUST(unshare(CLONE_NEWNS | CLONE_NEWNET));
    MUST(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
    netlink_open(&nl);
    link_up(&nl, 1);
    int bridge = bridge_make(&nl);
    cgroups_make(-1);
    putchar('{');
    if (!strcmp(what, "start"))
        measure_start(&nl, bridge);
    else
        measure_exec(&nl, bridge);
    puts("}");
    cgroups_remove(-1);
    return 0;
}
