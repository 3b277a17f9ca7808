/* SPDX-License-Identifier: Apache-2.0 */
/* The default policy (seccomp_default.h). The list follows what moby's default profile allows as of
 * 2026; decisions of our own: clone3 is ENOSYS (its flags lie behind a pointer), unknown numbers
 * are ENOSYS, AF_ALG and AF_VSOCK are refused. Names foreign to an architecture are skipped. Pure
 * data. */
#include "engine/runtime/seccomp_default.h"

#include <linux/audit.h>
#include <linux/capability.h>

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* as many names as fit in a line */
// clang-format off
const char *const seccomp_allowed[] = {
    "_llseek", "_newselect", "accept", "accept4", "access", "adjtimex", "alarm", "arch_prctl",
    "arm_fadvise64_64", "arm_sync_file_range", "bind", "breakpoint", "brk", "cacheflush",
    "cachestat", "capget", "capset", "chdir", "chmod", "chown", "chown32", "clock_adjtime",
    "clock_adjtime64", "clock_getres", "clock_getres_time64", "clock_gettime", "clock_gettime64",
    "clock_nanosleep", "clock_nanosleep_time64", "close", "close_range", "connect",
    "copy_file_range", "creat", "dup", "dup2", "dup3", "epoll_create", "epoll_create1",
    "epoll_ctl", "epoll_ctl_old", "epoll_pwait", "epoll_pwait2", "epoll_wait", "epoll_wait_old",
    "eventfd", "eventfd2", "execve", "execveat", "exit", "exit_group", "faccessat", "faccessat2",
    "fadvise64", "fadvise64_64", "fallocate", "fanotify_mark", "fchdir", "fchmod", "fchmodat",
    "fchmodat2", "fchown", "fchown32", "fchownat", "fcntl", "fcntl64", "fdatasync", "fgetxattr",
    "flistxattr", "flock", "fork", "fremovexattr", "fsetxattr", "fstat", "fstat64", "fstatat64",
    "fstatfs", "fstatfs64", "fsync", "ftruncate", "ftruncate64", "futex", "futex_requeue",
    "futex_time64", "futex_wait", "futex_waitv", "futex_wake", "futimesat", "get_robust_list",
    "get_thread_area", "getcpu", "getcwd", "getdents", "getdents64", "getegid", "getegid32",
    "geteuid", "geteuid32", "getgid", "getgid32", "getgroups", "getgroups32", "getitimer",
    "getpeername", "getpgid", "getpgrp", "getpid", "getppid", "getpriority", "getrandom",
    "getresgid", "getresgid32", "getresuid", "getresuid32", "getrlimit", "getrusage", "getsid",
    "getsockname", "getsockopt", "gettid", "gettimeofday", "getuid", "getuid32", "getxattr",
    "getxattrat", "inotify_add_watch", "inotify_init", "inotify_init1", "inotify_rm_watch",
    "io_cancel", "io_destroy", "io_getevents", "io_pgetevents", "io_pgetevents_time64",
    "io_setup", "io_submit", "ioctl", "ioprio_get", "ioprio_set", "ipc", "kill",
    "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self", "lchown",
    "lchown32", "lgetxattr", "link", "linkat", "listen", "listmount", "listxattr", "listxattrat",
    "llistxattr", "lremovexattr", "lseek", "lsetxattr", "lstat", "lstat64", "madvise",
    "map_shadow_stack", "membarrier", "memfd_create", "memfd_secret", "mincore", "mkdir",
    "mkdirat", "mknod", "mknodat", "mlock", "mlock2", "mlockall", "mmap", "mmap2", "modify_ldt",
    "mprotect", "mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive",
    "mq_timedreceive_time64", "mq_timedsend", "mq_timedsend_time64", "mq_unlink", "mremap",
    "mseal", "msgctl", "msgget", "msgrcv", "msgsnd", "msync", "munlock", "munlockall", "munmap",
    "name_to_handle_at", "nanosleep", "newfstatat", "open", "openat", "openat2", "pause",
    "pidfd_open", "pidfd_send_signal", "pipe", "pipe2", "pkey_alloc", "pkey_free",
    "pkey_mprotect", "poll", "ppoll", "ppoll_time64", "prctl", "pread64", "preadv", "preadv2",
    "prlimit64", "process_mrelease", "process_vm_readv", "process_vm_writev", "pselect6",
    "pselect6_time64", "ptrace", "pwrite64", "pwritev", "pwritev2", "read", "readahead",
    "readlink", "readlinkat", "readv", "recv", "recvfrom", "recvmmsg", "recvmmsg_time64",
    "recvmsg", "remap_file_pages", "removexattr", "removexattrat", "rename", "renameat",
    "renameat2", "restart_syscall", "riscv_hwprobe", "rmdir", "rseq", "rt_sigaction",
    "rt_sigpending", "rt_sigprocmask", "rt_sigqueueinfo", "rt_sigreturn", "rt_sigsuspend",
    "rt_sigtimedwait", "rt_sigtimedwait_time64", "rt_tgsigqueueinfo", "sched_get_priority_max",
    "sched_get_priority_min", "sched_getaffinity", "sched_getattr", "sched_getparam",
    "sched_getscheduler", "sched_rr_get_interval", "sched_rr_get_interval_time64",
    "sched_setaffinity", "sched_setattr", "sched_setparam", "sched_setscheduler", "sched_yield",
    "seccomp", "select", "semctl", "semget", "semop", "semtimedop", "semtimedop_time64", "send",
    "sendfile", "sendfile64", "sendmmsg", "sendmsg", "sendto", "set_robust_list",
    "set_thread_area", "set_tid_address", "set_tls", "setfsgid", "setfsgid32", "setfsuid",
    "setfsuid32", "setgid", "setgid32", "setgroups", "setgroups32", "setitimer", "setpgid",
    "setpriority", "setregid", "setregid32", "setresgid", "setresgid32", "setresuid",
    "setresuid32", "setreuid", "setreuid32", "setrlimit", "setsid", "setsockopt", "setuid",
    "setuid32", "setxattr", "setxattrat", "shmat", "shmctl", "shmdt", "shmget", "shutdown",
    "sigaltstack", "signalfd", "signalfd4", "sigprocmask", "sigreturn", "socket", "socketcall",
    "socketpair", "splice", "stat", "stat64", "statfs", "statfs64", "statmount", "statx",
    "symlink", "symlinkat", "sync", "sync_file_range", "sync_file_range2", "syncfs", "sysinfo",
    "tee", "tgkill", "time", "timer_create", "timer_delete", "timer_getoverrun", "timer_gettime",
    "timer_gettime64", "timer_settime", "timer_settime64", "timerfd_create", "timerfd_gettime",
    "timerfd_gettime64", "timerfd_settime", "timerfd_settime64", "times", "tkill", "truncate",
    "truncate64", "ugetrlimit", "umask", "uname", "unlink", "unlinkat", "uretprobe", "utime",
    "utimensat", "utimensat_time64", "utimes", "vfork", "vmsplice", "wait4", "waitid", "waitpid",
    "write", "writev", NULL
};

static const char *const with_sys_admin[] = {
    "bpf", "clone", "clone3", "fanotify_init", "fsconfig", "fsmount", "fsopen", "fspick",
    "lookup_dcookie", "lsm_get_self_attr", "lsm_list_modules", "lsm_set_self_attr", "mount",
    "mount_setattr", "move_mount", "open_tree", "perf_event_open", "quotactl", "quotactl_fd",
    "setdomainname", "sethostname", "setns", "syslog", "umount", "umount2", "unshare", NULL
};
static const char *const with_dac_read_search[] = {
    "open_by_handle_at", NULL
};
static const char *const with_sys_boot[] = {
    "reboot", NULL
};
static const char *const with_sys_chroot[] = {
    "chroot", NULL
};
static const char *const with_sys_module[] = {
    "init_module", "finit_module", "delete_module", NULL
};
static const char *const with_sys_pacct[] = {
    "acct", NULL
};
static const char *const with_sys_ptrace[] = {
    "kcmp", "pidfd_getfd", "process_madvise", NULL
};
static const char *const with_sys_rawio[] = {
    "iopl", "ioperm", NULL
};
static const char *const with_sys_time[] = {
    "settimeofday", "stime", "clock_settime", "clock_settime64", NULL
};
static const char *const with_sys_tty_config[] = {
    "vhangup", NULL
};
static const char *const with_sys_nice[] = {
    "get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node", NULL
};
static const char *const with_syslog[] = {
    "syslog", NULL
};
static const char *const with_bpf[] = {
    "bpf", NULL
};
static const char *const with_perfmon[] = {
    "perf_event_open", NULL
};

// clang-format on

const struct seccomp_unlock seccomp_unlocks[] = {
    {CAP_SYS_ADMIN, with_sys_admin},
    {CAP_DAC_READ_SEARCH, with_dac_read_search},
    {CAP_SYS_BOOT, with_sys_boot},
    {CAP_SYS_CHROOT, with_sys_chroot},
    {CAP_SYS_MODULE, with_sys_module},
    {CAP_SYS_PACCT, with_sys_pacct},
    {CAP_SYS_PTRACE, with_sys_ptrace},
    {CAP_SYS_RAWIO, with_sys_rawio},
    {CAP_SYS_TIME, with_sys_time},
    {CAP_SYS_TTY_CONFIG, with_sys_tty_config},
    {CAP_SYS_NICE, with_sys_nice},
    {CAP_SYSLOG, with_syslog},
    {CAP_BPF, with_bpf},
    {CAP_PERFMON, with_perfmon},
};
const size_t seccomp_unlock_count = COUNT(seccomp_unlocks);

const struct seccomp_number seccomp_numbers[] = {
    {"uretprobe", 335, AUDIT_ARCH_X86_64},
    {"riscv_hwprobe", 258, AUDIT_ARCH_RISCV64},
    {"statmount", 457, 0},
    {"listmount", 458, 0},
    {"lsm_get_self_attr", 459, 0},
    {"lsm_set_self_attr", 460, 0},
    {"lsm_list_modules", 461, 0},
    {"mseal", 462, 0},
    {"setxattrat", 463, 0},
    {"getxattrat", 464, 0},
    {"listxattrat", 465, 0},
    {"removexattrat", 466, 0},
    /* i386 has these both inside socketcall and ipc and by themselves; libseccomp names the former
     */
    {"socket", 359, AUDIT_ARCH_I386},
    {"socketpair", 360, AUDIT_ARCH_I386},
    {"bind", 361, AUDIT_ARCH_I386},
    {"connect", 362, AUDIT_ARCH_I386},
    {"listen", 363, AUDIT_ARCH_I386},
    {"accept4", 364, AUDIT_ARCH_I386},
    {"getsockopt", 365, AUDIT_ARCH_I386},
    {"setsockopt", 366, AUDIT_ARCH_I386},
    {"getsockname", 367, AUDIT_ARCH_I386},
    {"getpeername", 368, AUDIT_ARCH_I386},
    {"sendto", 369, AUDIT_ARCH_I386},
    {"sendmsg", 370, AUDIT_ARCH_I386},
    {"recvfrom", 371, AUDIT_ARCH_I386},
    {"recvmsg", 372, AUDIT_ARCH_I386},
    {"shutdown", 373, AUDIT_ARCH_I386},
    {"semget", 393, AUDIT_ARCH_I386},
    {"semctl", 394, AUDIT_ARCH_I386},
    {"shmget", 395, AUDIT_ARCH_I386},
    {"shmctl", 396, AUDIT_ARCH_I386},
    {"shmat", 397, AUDIT_ARCH_I386},
    {"shmdt", 398, AUDIT_ARCH_I386},
    {"msgget", 399, AUDIT_ARCH_I386},
    {"msgsnd", 400, AUDIT_ARCH_I386},
    {"msgrcv", 401, AUDIT_ARCH_I386},
    {"msgctl", 402, AUDIT_ARCH_I386},
};
const size_t seccomp_number_count = COUNT(seccomp_numbers);

const uint64_t seccomp_personalities[] = {0, 8, 0x20000, 0x20008, 0xffffffff};
const size_t seccomp_personality_count = COUNT(seccomp_personalities);

const uint32_t seccomp_families_denied[] = {38 /* AF_ALG */, 40 /* AF_VSOCK */};
const size_t seccomp_family_count = COUNT(seccomp_families_denied);
