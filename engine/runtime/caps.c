/* SPDX-License-Identifier: Apache-2.0 */
/* Capability sets (caps.h) and their names (spec.h). Source: capabilities(7), linux/capability.h
 * of 6.18. libc only. */
#include "engine/runtime/caps.h"

#include <ctype.h>
#include <errno.h>
#include <linux/capability.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"
#include "engine/runtime/spec.h"

static const char *const names[] = {
    "CAP_CHOWN",
    "CAP_DAC_OVERRIDE",
    "CAP_DAC_READ_SEARCH",
    "CAP_FOWNER",
    "CAP_FSETID",
    "CAP_KILL",
    "CAP_SETGID",
    "CAP_SETUID",
    "CAP_SETPCAP",
    "CAP_LINUX_IMMUTABLE",
    "CAP_NET_BIND_SERVICE",
    "CAP_NET_BROADCAST",
    "CAP_NET_ADMIN",
    "CAP_NET_RAW",
    "CAP_IPC_LOCK",
    "CAP_IPC_OWNER",
    "CAP_SYS_MODULE",
    "CAP_SYS_RAWIO",
    "CAP_SYS_CHROOT",
    "CAP_SYS_PTRACE",
    "CAP_SYS_PACCT",
    "CAP_SYS_ADMIN",
    "CAP_SYS_BOOT",
    "CAP_SYS_NICE",
    "CAP_SYS_RESOURCE",
    "CAP_SYS_TIME",
    "CAP_SYS_TTY_CONFIG",
    "CAP_MKNOD",
    "CAP_LEASE",
    "CAP_AUDIT_WRITE",
    "CAP_AUDIT_CONTROL",
    "CAP_SETFCAP",
    "CAP_MAC_OVERRIDE",
    "CAP_MAC_ADMIN",
    "CAP_SYSLOG",
    "CAP_WAKE_ALARM",
    "CAP_BLOCK_SUSPEND",
    "CAP_AUDIT_READ",
    "CAP_PERFMON",
    "CAP_BPF",
    "CAP_CHECKPOINT_RESTORE",
};
_Static_assert(ARRAY_LEN(names) == 41,
               "capabilities are numbered without gaps up to CHECKPOINT_RESTORE (40)");

int spec_capability_parse(const char *name)
{
    if (strcasecmp(name, "ALL") == 0)
        return -2;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcasecmp(name, names[i]) == 0 || strcasecmp(name, names[i] + strlen("CAP_")) == 0)
            return (int)i;
    return -1;
}

const char *spec_capability_name(int number)
{
    return number >= 0 && number < (int)ARRAY_LEN(names) ? names[number] : NULL;
}

uint64_t spec_host_capabilities(void)
{
    return caps_bounding();
}

uint64_t spec_default_capabilities(bool host_userns)
{
    uint64_t set = CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_FOWNER) |
                   CAP_BIT(CAP_FSETID) | CAP_BIT(CAP_KILL) | CAP_BIT(CAP_SETGID) |
                   CAP_BIT(CAP_SETUID) | CAP_BIT(CAP_SETPCAP) | CAP_BIT(CAP_SETFCAP) |
                   CAP_BIT(CAP_NET_BIND_SERVICE) | CAP_BIT(CAP_SYS_CHROOT);
    return host_userns ? set | CAP_BIT(CAP_AUDIT_WRITE) : set;
}

int caps_set(uint64_t permitted, uint64_t effective, struct err *err)
{
    return caps_set_all(permitted, effective, 0, err);
}

int caps_set_all(uint64_t permitted, uint64_t effective, uint64_t inheritable, struct err *err)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {
        {(uint32_t)effective, (uint32_t)permitted, (uint32_t)inheritable},
        {(uint32_t)(effective >> 32), (uint32_t)(permitted >> 32), (uint32_t)(inheritable >> 32)},
    };
    if (syscall(SYS_capset, &header, data) < 0)
        return err_sys(err, "set capabilities");
    return 0;
}

int caps_raise(struct err *err)
{
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2];
    if (syscall(SYS_capget, &header, data) < 0)
        return err_sys(err, "get capabilities");
    data[0].effective = data[0].permitted;
    data[1].effective = data[1].permitted;
    if (syscall(SYS_capset, &header, data) < 0)
        return err_sys(err, "raise capabilities");
    return 0;
}

uint64_t caps_bounding(void)
{
    uint64_t set = 0;
    for (int i = 0; i < 64; i++) {
        int have = prctl(PR_CAPBSET_READ, i, 0, 0, 0);
        if (have < 0)
            break;
        if (have)
            set |= CAP_BIT(i);
    }
    return set;
}

int caps_bound(uint64_t keep, struct err *err)
{
    for (int i = 0; i < 64; i++) {
        if (keep & CAP_BIT(i))
            continue;
        if (prctl(PR_CAPBSET_DROP, i, 0, 0, 0) < 0) {
            if (errno == EINVAL)
                break; /* beyond the kernel's last */
            return err_sys(err, "drop %s from the bounding set",
                           i < (int)ARRAY_LEN(names) ? names[i] : "a capability");
        }
    }
    if (prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) < 0)
        return err_sys(err, "clear ambient capabilities");
    return 0;
}
