/* SPDX-License-Identifier: Apache-2.0 */
/* doctor.c - what this host can and cannot do for winch, one row a capability, with the reason.
 * Reads only. */
#include "cli/cli.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/proc.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/log/usage.h"

struct doctor_options {
    bool json;
};
const struct option_row doctor_options[] = {
    {0, "json", OPTION_FLAG, offsetof(struct doctor_options, json), NULL, "JSON lines"},
    {0},
};

enum verdict { GOOD, LIMITED, BAD };
static const char *const verdict_words[] = {
    [GOOD] = "ok", [LIMITED] = "limited", [BAD] = "missing"};

#define TEXT_SIZE 400
typedef enum verdict check_fn(const struct cli *cli, char *text);

static enum verdict check_root(const struct cli *cli, char *text)
{
    (void)cli;
    snprintf(text, TEXT_SIZE, geteuid() == 0 ? "running as root" : "winch needs root (uid %u)",
             geteuid());
    return geteuid() == 0 ? GOOD : BAD;
}

static enum verdict check_kernel(const struct cli *cli, char *text)
{
    struct utsname name;
    unsigned major = 0, minor = 0;

    (void)cli;
    uname(&name);
    (void)sscanf(name.release, "%u.%u", &major, &minor);
    bool good = major > 5 || (major == 5 && minor >= 19);
    snprintf(text, TEXT_SIZE, "%s%s", name.release,
             good ? "" : ": id-mapped overlay layers need 5.19");
    return good ? GOOD : LIMITED;
}

static enum verdict check_cgroups(const struct cli *cli, char *text)
{
    static const char *const words[] = {
        [CGROUP_V1] = "v1", [CGROUP_HYBRID] = "hybrid: controllers on v1", [CGROUP_V2] = "v2"};
    enum cgroup_mode mode = cgroup_mode_detect();

    (void)cli;
    snprintf(text, TEXT_SIZE, "%s", words[mode]);
    return GOOD;
}

static enum verdict check_userns(const struct cli *cli, char *text)
{
    if (cli->layout.lib_fd < 0) {
        snprintf(text, TEXT_SIZE, "not probed: no state below %s yet", cli->layout.lib);
        return LIMITED;
    }
    if (userns_usable(&cli->layout, text, TEXT_SIZE)) {
        snprintf(text, TEXT_SIZE, "containers run in a user namespace, layers are id-mapped");
        return GOOD;
    }
    return LIMITED;
}

static enum verdict check_state_fs(const struct cli *cli, char *text)
{
    struct statfs fs;
    const char *path = fs_exists(AT_FDCWD, cli->layout.lib) ? cli->layout.lib : "/var/lib";

    if (statfs(path, &fs) < 0) {
        snprintf(text, TEXT_SIZE, "%s: %s", path, strerror(errno));
        return BAD;
    }
    if (fs.f_type == 0x794c7630) {
        snprintf(text, TEXT_SIZE,
                 "%s lies on an overlay: containers' writable layers need a real file system there",
                 path);
        return BAD;
    }
    snprintf(text, TEXT_SIZE, "%s: %llu MiB free", path,
             (unsigned long long)fs.f_bavail * (unsigned long long)fs.f_bsize >> 20);
    return GOOD;
}

static enum verdict check_logs(const struct cli *cli, char *text)
{
    struct log_usage usage;

    log_usage_sum(&cli->layout, &usage);
    snprintf(text, TEXT_SIZE, "logs of %llu containers take %llu MiB, the largest %llu",
             (unsigned long long)usage.logs, (unsigned long long)usage.bytes >> 20,
             (unsigned long long)usage.largest >> 20);
    return GOOD;
}

static uint64_t own_capabilities(void)
{
    _cleanup_free_ char *text = NULL;
    unsigned long long set = 0;

    if (fs_read(AT_FDCWD, "/proc/self/status", 65536, &text, NULL, NULL) == 0) {
        const char *line = strstr(text, "CapEff:");
        if (line)
            (void)sscanf(line, "CapEff: %llx", &set);
    }
    return set;
}

static enum verdict check_capabilities(const struct cli *cli, char *text)
{
    uint64_t have = own_capabilities();
    struct str missing = {0};

    (void)cli;
    for (int number = 0; spec_capability_name(number); number++)
        if (!(have >> number & 1))
            str_addf(&missing, "%s%s", missing.size ? " " : "", spec_capability_name(number));
    if (missing.size == 0)
        snprintf(text, TEXT_SIZE, "all");
    else
        snprintf(text, TEXT_SIZE,
                 "this host lacks %s: cap_add of it is refused, hard limits cannot be raised",
                 missing.data);
    enum verdict verdict = missing.size ? LIMITED : GOOD;
    str_done(&missing);
    return verdict;
}

static enum verdict check_file(const char *path, const char *yes, const char *no, char *text)
{
    bool there = access(path, F_OK) == 0;

    snprintf(text, TEXT_SIZE, "%s", there ? yes : no);
    return there ? GOOD : LIMITED;
}

static enum verdict check_seccomp(const struct cli *cli, char *text)
{
    (void)cli;
    return check_file("/proc/sys/kernel/seccomp/actions_avail", "system call filter available",
                      "this kernel has no seccomp", text);
}

static enum verdict check_apparmor(const struct cli *cli, char *text)
{
    (void)cli;
    return check_file("/sys/kernel/security/apparmor",
                      "AppArmor present (winch has no profile of its own yet)",
                      "no AppArmor: containers are confined without it", text);
}

static enum verdict check_systemd(const struct cli *cli, char *text)
{
    (void)cli;
    return check_file("/run/systemd/system", "systemd is running",
                      "no systemd: projects are not started at boot", text);
}

static enum verdict check_bridge(const struct cli *cli, char *text)
{
    (void)cli;
    return check_file("/proc/sys/net/ipv4/ip_forward", "IPv4 forwarding can be switched on",
                      "no IPv4 in this kernel", text);
}

static const struct {
    const char *name;
    check_fn *check;
} checks[] = {
    {"root", check_root},       {"kernel", check_kernel},
    {"cgroups", check_cgroups}, {"user namespaces", check_userns},
    {"state", check_state_fs},  {"logs", check_logs},
    {"capabilities", check_capabilities},
    {"seccomp", check_seccomp}, {"apparmor", check_apparmor},
    {"network", check_bridge},  {"systemd", check_systemd},
};

int cmd_doctor(struct cli *cli, int argc, char **argv)
{
    struct doctor_options options = {0};
    int first, code;

    if (cli_options(cli, argc, argv, false, &options, &first, &code) < 0)
        return code;
    (void)layout_open_existing(&cli->layout, NULL); /* a fresh host has no state: the rows say so */
    code = EXIT_OK;
    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        char text[TEXT_SIZE] = "";
        enum verdict verdict = checks[i].check(cli, text);
        if (verdict == BAD)
            code = EXIT_FAILED;
        if (options.json) {
            _cleanup_jv_ struct jv *json = jv_object();
            jv_set_str(json, "check", checks[i].name);
            jv_set_str(json, "verdict", verdict_words[verdict]);
            jv_set_str(json, "reason", text);
            _cleanup_free_ char *line = jv_dump(json);
            puts(line);
        } else {
            printf("%-8s %-16s %s\n", verdict_words[verdict], checks[i].name, text);
        }
    }
    return code;
}
