/* SPDX-License-Identifier: Apache-2.0 */
/* The compiled default policy, run by a small interpreter of classic BPF: every number of every
 * architecture gets the verdict of the table. */
#include <criterion/criterion.h>

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>

#include "engine/runtime/caps.h"
#include "engine/runtime/seccomp.h"
#include "engine/runtime/seccomp_default.h"
#include "engine/runtime/spec.h"

static uint32_t run(const struct bpf *bpf, const struct seccomp_data *data)
{
    uint32_t a = 0;
    for (size_t at = 0; at < bpf->count; at++) {
        const struct sock_filter *i = &bpf->items[at];
        switch (i->code) {
        case BPF_LD | BPF_W | BPF_ABS:
            cr_assert(i->k + 4 <= sizeof(*data));
            memcpy(&a, (const char *)data + i->k, 4);
            break;
        case BPF_ALU | BPF_AND | BPF_K:
            a &= i->k;
            break;
        case BPF_JMP | BPF_JA:
            at += i->k;
            break;
        case BPF_JMP | BPF_JEQ | BPF_K:
            at += a == i->k ? i->jt : i->jf;
            break;
        case BPF_JMP | BPF_JGE | BPF_K:
            at += a >= i->k ? i->jt : i->jf;
            break;
        case BPF_JMP | BPF_JSET | BPF_K:
            at += a & i->k ? i->jt : i->jf;
            break;
        case BPF_RET | BPF_K:
            return i->k;
        default:
            cr_assert_fail("code %x", i->code);
        }
    }
    cr_assert_fail("ran over the end");
    return 0;
}

#define ALLOW  SECCOMP_RET_ALLOW
#define PERM   (SECCOMP_RET_ERRNO | EPERM)
#define NOSYS  (SECCOMP_RET_ERRNO | ENOSYS)
#define ADMIN  CAP_BIT(CAP_SYS_ADMIN)
#define NORMAL 0x800405fbULL

static const struct {
    uint64_t capabilities;
    uint32_t arch;
    const char *name; /* NULL: number */
    int number;
    uint64_t arg0;
    uint32_t verdict;
} rows[] = {
    {NORMAL, AUDIT_ARCH_X86_64, "read", 0, 0, ALLOW},
    {NORMAL, AUDIT_ARCH_X86_64, "execve", 0, 0, ALLOW},
    {NORMAL, AUDIT_ARCH_X86_64, "mount", 0, 0, PERM},
    {ADMIN, AUDIT_ARCH_X86_64, "mount", 0, 0, ALLOW},
    {NORMAL, AUDIT_ARCH_X86_64, "keyctl", 0, 0, PERM},
    {ADMIN, AUDIT_ARCH_X86_64, "keyctl", 0, 0, PERM},
    {NORMAL, AUDIT_ARCH_X86_64, "io_uring_setup", 0, 0, PERM},
    {NORMAL, AUDIT_ARCH_X86_64, "userfaultfd", 0, 0, PERM},
    {NORMAL, AUDIT_ARCH_X86_64, "ptrace", 0, 0, ALLOW},
    {NORMAL, AUDIT_ARCH_X86_64, "chroot", 0, 0, ALLOW},
    {0, AUDIT_ARCH_X86_64, "chroot", 0, 0, PERM},
    {NORMAL, AUDIT_ARCH_X86_64, "clone", 0, 0x1200011, ALLOW},
    {NORMAL, AUDIT_ARCH_X86_64, "clone", 0, 0x10000000, PERM},
    {NORMAL, AUDIT_ARCH_X86_64, "clone", 0, 0x2000000, PERM},
    {ADMIN, AUDIT_ARCH_X86_64, "clone", 0, 0x10000000, ALLOW},
    {NORMAL, AUDIT_ARCH_X86_64, "clone3", 0, 0, NOSYS},
    {ADMIN, AUDIT_ARCH_X86_64, "clone3", 0, 0, ALLOW},
    {NORMAL, AUDIT_ARCH_X86_64, "personality", 0, 0xffffffff, ALLOW},
    {NORMAL, AUDIT_ARCH_X86_64, "personality", 0, 0x20008, ALLOW},
    {NORMAL, AUDIT_ARCH_X86_64, "personality", 0, 0x40000, PERM},
    {NORMAL, AUDIT_ARCH_X86_64, "personality", 0, 0x100000008ULL, PERM},
    {NORMAL, AUDIT_ARCH_X86_64, "socket", 0, 2, ALLOW},
    {NORMAL, AUDIT_ARCH_X86_64, "socket", 0, 38, PERM},
    {NORMAL, AUDIT_ARCH_X86_64, "socket", 0, 40, PERM},
    {NORMAL, AUDIT_ARCH_X86_64, "socket", 0, 0x100000028ULL, PERM}, /* the kernel sees 40 */
    {NORMAL, AUDIT_ARCH_X86_64, "socket", 0, 39, ALLOW},
    {NORMAL, AUDIT_ARCH_X86_64, NULL, 335, 0, ALLOW}, /* uretprobe */
    {NORMAL, AUDIT_ARCH_X86_64, NULL, 336, 0, NOSYS}, /* a hole */
    {NORMAL, AUDIT_ARCH_X86_64, NULL, 423, 0, NOSYS},
    {NORMAL, AUDIT_ARCH_X86_64, NULL, 457, 0, ALLOW}, /* statmount */
    {NORMAL, AUDIT_ARCH_X86_64, NULL, 459, 0, PERM},  /* lsm_get_self_attr */
    {ADMIN, AUDIT_ARCH_X86_64, NULL, 459, 0, ALLOW},
    {NORMAL, AUDIT_ARCH_X86_64, NULL, 462, 0, ALLOW}, /* mseal */
    {NORMAL, AUDIT_ARCH_X86_64, NULL, 466, 0, ALLOW},
    {NORMAL, AUDIT_ARCH_X86_64, NULL, 467, 0, NOSYS},
    {NORMAL, AUDIT_ARCH_X86_64, NULL, 0x3fffffff, 0, NOSYS},
    {NORMAL, AUDIT_ARCH_X86_64, NULL, 0x40000000 | 0, 0, ALLOW},   /* x32 read */
    {NORMAL, AUDIT_ARCH_X86_64, NULL, 0x40000000 | 165, 0, PERM},  /* x32 mount */
    {NORMAL, AUDIT_ARCH_X86_64, NULL, 0x40000000 | 512, 0, ALLOW}, /* x32 rt_sigaction */
    {NORMAL, AUDIT_ARCH_X86_64, NULL, 0x40000000 | 599, 0, NOSYS},
    {NORMAL, AUDIT_ARCH_X86_64, NULL, -1, 0, NOSYS},
    {NORMAL, AUDIT_ARCH_I386, NULL, 3, 0, ALLOW},   /* read */
    {NORMAL, AUDIT_ARCH_I386, NULL, 21, 0, PERM},   /* mount */
    {NORMAL, AUDIT_ARCH_I386, NULL, 102, 0, ALLOW}, /* socketcall */
    {NORMAL, AUDIT_ARCH_I386, NULL, 359, 38, PERM}, /* socket(AF_ALG) */
    {NORMAL, AUDIT_ARCH_I386, NULL, 359, 2, ALLOW},
    {NORMAL, AUDIT_ARCH_I386, NULL, 120, 0x10000000, PERM}, /* clone(NEWUSER) */
    {NORMAL, AUDIT_ARCH_I386, NULL, 467, 0, NOSYS},
    {NORMAL, AUDIT_ARCH_S390, NULL, 3, 0, PERM},
};

Test(seccomp, every_row_gets_its_verdict)
{
    if (seccomp_arch_native() != SCMP_ARCH_X86_64)
        cr_skip_test("the rows are x86 numbers");
    static struct bpf bpf;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int number = rows[i].name ? seccomp_syscall_resolve_name(rows[i].name) : rows[i].number;
        struct seccomp_data data = {.nr = number, .arch = rows[i].arch, .args = {rows[i].arg0}};
        cr_assert_eq(seccomp_compile_default(rows[i].capabilities, &bpf, NULL), 0);
        uint32_t got = run(&bpf, &data);
        cr_expect_eq(got, rows[i].verdict, "row %zu (%s %d): %x", i,
                     rows[i].name ? rows[i].name : "", number, got);
    }
}

Test(seccomp, every_allowed_name_is_allowed)
{
    static struct bpf bpf;
    uint32_t arch = seccomp_arch_native();
    cr_assert_eq(seccomp_compile_default(NORMAL, &bpf, NULL), 0);
    cr_expect_lt(bpf.count, 1000, "%zu instructions", bpf.count);
    for (const char *const *name = seccomp_allowed; *name; name++) {
        struct seccomp_data data = {.nr = seccomp_syscall_resolve_name(*name), .arch = arch};
        if (data.nr >= 0)
            cr_expect_eq(run(&bpf, &data), ALLOW, "%s", *name);
    }
}

Test(seccomp, each_capability_unlocks_exactly_its_names)
{
    static struct bpf bpf, none;
    cr_assert_eq(seccomp_compile_default(0, &none, NULL), 0);
    for (size_t i = 0; i < seccomp_unlock_count; i++) {
        cr_assert_eq(seccomp_compile_default(CAP_BIT(seccomp_unlocks[i].capability), &bpf, NULL),
                     0);
        for (int number = 0; number < 500; number++) {
            struct seccomp_data data = {.nr = number, .arch = seccomp_arch_native()};
            bool listed = false;
            for (const char *const *name = seccomp_unlocks[i].names; *name; name++)
                listed |= seccomp_syscall_resolve_name(*name) == number;
            for (size_t k = 0; k < seccomp_number_count; k++)
                for (const char *const *name = seccomp_unlocks[i].names; *name; name++)
                    listed |= seccomp_numbers[k].arch == 0 &&
                              (int)seccomp_numbers[k].number == number &&
                              strcmp(seccomp_numbers[k].name, *name) == 0;
            cr_expect_eq(run(&bpf, &data), listed ? ALLOW : run(&none, &data),
                         "capability %d, number %d", seccomp_unlocks[i].capability, number);
        }
    }
}

Test(seccomp, profiles_are_refused_for_unknown_words)
{
    static const struct {
        const char *json;
        bool good;
    } profiles[] = {
        {"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"syscalls\":[{\"names\":[\"read\",\"nope\"],"
         "\"action\":\"SCMP_ACT_ALLOW\"}]}",
         true},
        {"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"name\":\"mount\",\"action\":"
         "\"SCMP_ACT_ERRNO\",\"errnoRet\":38,"
         "\"args\":[{\"index\":0,\"value\":5,\"valueTwo\":5,\"op\":\"SCMP_CMP_MASKED_EQ\"}],"
         "\"excludes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}}]}",
         true},
        {"{\"defaultAction\":\"SCMP_ACT_MAYBE\"}", false},
        {"{\"defaultActoin\":\"SCMP_ACT_ALLOW\"}", false},
        {"{}", false},
        {"{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"defaultErrnoRet\":99999}", false},
        {"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],\"action\":"
         "\"SCMP_ACT_ERRNO\",\"args\":[{\"op\":\"==\"}]}]}",
         false},
        {"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],\"action\":"
         "\"SCMP_ACT_ERRNO\",\"includes\":{\"caps\":[\"X\"]}}]}",
         false},
    };
    for (size_t i = 0; i < sizeof(profiles) / sizeof(profiles[0]); i++) {
        _cleanup_jv_ struct jv *value = NULL;
        struct err err = {0};
        scmp_filter_ctx ctx = NULL;
        cr_assert_eq(jv_parse(profiles[i].json, strlen(profiles[i].json), &value, &err), 0);
        int result = seccomp_compile_profile(value, NORMAL, &ctx, &err);
        cr_expect_eq(result, profiles[i].good ? 0 : -1, "profile %zu: %s", i, err.message);
        if (ctx)
            seccomp_release(ctx);
    }
}
