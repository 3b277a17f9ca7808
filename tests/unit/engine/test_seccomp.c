/* SPDX-License-Identifier: Apache-2.0 */
/* The compiled default policy, run by a small interpreter of classic BPF: every number of every
 * architecture gets the verdict of the table. */
#include <criterion/criterion.h>

#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stdio.h>

#include "base/str.h"
#include "engine/runtime/caps.h"
#include "engine/runtime/seccomp.h"
#include "engine/runtime/seccomp_default.h"
#include "engine/runtime/seccomp_policy.h"
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
        case BPF_JMP | BPF_JGT | BPF_K:
            at += a > i->k ? i->jt : i->jf;
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
        {"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"read\"],\"action\":"
         "\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":0,\"value\":\"5\",\"op\":\"SCMP_CMP_EQ\"}]}]}",
         false},
        {"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"action\":\"SCMP_ACT_ERRNO\"}]}", false},
        {"{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"architectures\":[\"X86\"]}", false},
        {"{\"defaultAction\":\"SCMP_ACT_NOTIFY\"}", false},
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
        static struct bpf bpf;
        cr_assert_eq(jv_parse(profiles[i].json, strlen(profiles[i].json), &value, &err), 0);
        int result = seccomp_compile_profile(value, NORMAL, &bpf, &err);
        cr_expect_eq(result, profiles[i].good ? 0 : -1, "profile %zu: %s", i, err.message);
    }
}

/* ---- custom profiles ---- */

static void compile(const char *json, uint64_t capabilities, struct bpf *ret_bpf)
{
    _cleanup_jv_ struct jv *value = NULL;
    struct err err = {0};
    cr_assert_eq(jv_parse(json, strlen(json), &value, &err), 0, "%s", err.message);
    cr_assert_eq(seccomp_compile_profile(value, capabilities, ret_bpf, &err), 0, "%s", err.message);
}

#define BIG 0x500000005ULL
static const struct {
    const char *op;
    uint64_t argument;
    bool holds; /* against 0x500000005; masked: low bits 0x7 equal 0x5 */
} compares[] = {
    {"EQ", BIG, true},      {"EQ", 5, false},       {"EQ", 0x500000004ULL, false},
    {"NE", BIG, false},     {"NE", 5, true},        {"NE", 0x500000006ULL, true},
    {"LT", BIG, false},     {"LT", BIG - 1, true},  {"LT", 0xffffffffULL, true},
    {"LT", BIG + 1, false}, {"LE", BIG, true},      {"LE", BIG + 1, false},
    {"LE", 0, true},        {"LE", ~0ULL, false},   {"GT", BIG, false},
    {"GT", BIG + 1, true},  {"GT", ~0ULL, true},    {"GT", 0x4ffffffffULL, false},
    {"GE", BIG, true},      {"GE", BIG - 1, false}, {"GE", 0x600000000ULL, true},
    {"MASKED_EQ", 5, true}, {"MASKED_EQ", ~0ULL ^ 2, true}, {"MASKED_EQ", 4, false},
};

Test(seccomp, arguments_are_compared_as_64_bits)
{
    static struct bpf bpf;
    for (size_t i = 0; i < sizeof(compares) / sizeof(compares[0]); i++) {
        char json[512];
        bool masked = strcmp(compares[i].op, "MASKED_EQ") == 0;
        snprintf(json, sizeof(json),
                 "{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"dup3\"],\"action\":"
                 "\"SCMP_ACT_ERRNO\",\"errnoRet\":7,\"args\":[{\"index\":2,\"value\":%llu,"
                 "\"valueTwo\":5,\"op\":\"SCMP_CMP_%s\"}]}]}",
                 masked ? 7ULL : BIG, compares[i].op);
        compile(json, 0, &bpf);
        struct seccomp_data data = {.nr = seccomp_syscall_resolve_name("dup3"),
                                    .arch = seccomp_arch_native(),
                                    .args = {1, 2, compares[i].argument}};
        cr_expect_eq(run(&bpf, &data), compares[i].holds ? SECCOMP_RET_ERRNO | 7u : ALLOW,
                     "row %zu: %s %llx", i, compares[i].op, (unsigned long long)compares[i].argument);
    }
}

Test(seccomp, a_rule_holds_when_all_its_arguments_do)
{
    static struct bpf bpf;
    int number = seccomp_syscall_resolve_name("dup3");
    compile("{\"defaultAction\":\"SCMP_ACT_ALLOW\",\"syscalls\":[{\"names\":[\"dup3\"],\"action\":"
            "\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":0,\"value\":1,\"op\":\"SCMP_CMP_EQ\"},"
            "{\"index\":1,\"value\":2,\"op\":\"SCMP_CMP_EQ\"}]},"
            "{\"names\":[\"dup3\"],\"action\":\"SCMP_ACT_KILL_PROCESS\",\"args\":[{\"index\":0,\"value\":8,"
            "\"op\":\"SCMP_CMP_EQ\"},{\"index\":0,\"value\":9,\"op\":\"SCMP_CMP_EQ\"}]},"
            "{\"names\":[\"dup3\"],\"action\":\"SCMP_ACT_LOG\"}]}",
            0, &bpf);
    const struct {
        uint64_t a, b;
        uint32_t verdict;
    } calls[] = {{1, 2, PERM}, {1, 3, SECCOMP_RET_LOG}, {2, 2, SECCOMP_RET_LOG},
                 {8, 0, SECCOMP_RET_KILL_PROCESS}, {9, 0, SECCOMP_RET_KILL_PROCESS}};
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
        struct seccomp_data data = {
            .nr = number, .arch = seccomp_arch_native(), .args = {calls[i].a, calls[i].b}};
        cr_expect_eq(run(&bpf, &data), calls[i].verdict, "call %zu", i);
    }
}

Test(seccomp, architectures_that_a_profile_does_not_name_are_killed)
{
    if (seccomp_arch_native() != SCMP_ARCH_X86_64)
        cr_skip_test("the rows are x86 numbers");
    static const char *const heads[] = {
        "\"syscalls\":[]", "\"architectures\":[\"SCMP_ARCH_X86_64\",\"SCMP_ARCH_X86\"]",
        "\"archMap\":[{\"architecture\":\"SCMP_ARCH_X86_64\",\"subArchitectures\":[\"SCMP_ARCH_X86\","
        "\"SCMP_ARCH_X32\"]},{\"architecture\":\"SCMP_ARCH_AARCH64\",\"subArchitectures\":["
        "\"SCMP_ARCH_ARM\"]}]"};
    static struct bpf bpf;
    for (unsigned i = 0; i < 3; i++) {
        char json[512];
        struct seccomp_data x86 = {.nr = 3, .arch = AUDIT_ARCH_I386},
                            x32 = {.nr = X32_BIT | 1, .arch = AUDIT_ARCH_X86_64},
                            own = {.nr = 1, .arch = AUDIT_ARCH_X86_64};
        snprintf(json, sizeof(json), "{\"defaultAction\":\"SCMP_ACT_ALLOW\",%s}", heads[i]);
        compile(json, 0, &bpf);
        cr_expect_eq(run(&bpf, &own), ALLOW);
        cr_expect_eq(run(&bpf, &x86), i >= 1 ? ALLOW : SECCOMP_RET_KILL_PROCESS, "x86, head %u", i);
        cr_expect_eq(run(&bpf, &x32), i >= 2 ? ALLOW : SECCOMP_RET_KILL_PROCESS, "x32, head %u", i);
    }
}

static void names_add(struct str *json, const char *const *names)
{
    for (size_t i = 0; names[i]; i++)
        str_addf(json, "%s\"%s\"", i ? "," : "", names[i]);
}

/* PRO-10: the built-in policy, written as a profile, decides the same about every number. */
Test(seccomp, the_default_policy_as_a_profile_decides_the_same)
{
    static const uint64_t sets[] = {0, NORMAL, ADMIN, ~0ULL};
    static const uint32_t arches[] = {AUDIT_ARCH_X86_64, AUDIT_ARCH_I386};
    static const uint64_t arguments[] = {0, 8, 2, 38, 40, 0x10000000, 0x20008, 0xffffffff, 0x40000};
    static struct bpf own, custom;
    _cleanup_str_ struct str json = {0};
    if (seccomp_arch_native() != SCMP_ARCH_X86_64)
        cr_skip_test("the rows are x86 numbers");
    str_addf(&json, "{\"defaultAction\":\"SCMP_ACT_ERRNO\",\"archMap\":[{\"architecture\":\"SCMP_ARCH_X86_64\","
                    "\"subArchitectures\":[\"SCMP_ARCH_X86\",\"SCMP_ARCH_X32\"]}],\"syscalls\":[{\"names\":[");
    names_add(&json, seccomp_allowed);
    str_addf(&json, "],\"action\":\"SCMP_ACT_ALLOW\"}");
    for (size_t i = 0; i < seccomp_personality_count; i++)
        str_addf(&json, ",{\"names\":[\"personality\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,"
                        "\"value\":%llu,\"op\":\"SCMP_CMP_EQ\"}]}", (unsigned long long)seccomp_personalities[i]);
    for (size_t i = 0; i < seccomp_family_count; i++)
        str_addf(&json, ",{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ERRNO\",\"args\":[{\"index\":0,"
                        "\"value\":4294967295,\"valueTwo\":%u,\"op\":\"SCMP_CMP_MASKED_EQ\"}]}", seccomp_families_denied[i]);
    str_addf(&json, ",{\"names\":[\"socket\"],\"action\":\"SCMP_ACT_ALLOW\"}"
                    ",{\"names\":[\"clone\"],\"action\":\"SCMP_ACT_ALLOW\",\"args\":[{\"index\":0,\"value\":%llu,\"valueTwo\":0,"
                    "\"op\":\"SCMP_CMP_MASKED_EQ\"}],\"excludes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}}"
                    ",{\"names\":[\"clone3\"],\"action\":\"SCMP_ACT_ERRNO\",\"errnoRet\":38,\"excludes\":{\"caps\":[\"CAP_SYS_ADMIN\"]}}",
             SECCOMP_CLONE_DENIED);
    for (size_t i = 0; i < seccomp_unlock_count; i++) {
        str_addf(&json, ",{\"names\":[");
        names_add(&json, seccomp_unlocks[i].names);
        str_addf(&json, "],\"action\":\"SCMP_ACT_ALLOW\",\"includes\":{\"caps\":[\"%s\"]}}",
                 spec_capability_name(seccomp_unlocks[i].capability));
    }
    str_addf(&json, "]}");
    for (size_t s = 0; s < sizeof(sets) / sizeof(sets[0]); s++) {
        cr_assert_eq(seccomp_compile_default(sets[s], &own, NULL), 0);
        compile(json.data, sets[s], &custom);
        for (unsigned i = 0; i < 3 * 620; i++)
            for (size_t k = 0; k < sizeof(arguments) / sizeof(arguments[0]); k++) {
                struct seccomp_data data = {.nr = (int)(i % 620 | (i / 620 == 2 ? X32_BIT : 0)),
                                            .arch = arches[i / 620 == 1],
                                            .args = {arguments[k]}};
                cr_expect_eq(run(&own, &data), run(&custom, &data), "set %zu, arch %u, number %u, argument %llx", s,
                             i / 620, i % 620, (unsigned long long)arguments[k]);
            }
    }
}
