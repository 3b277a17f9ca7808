/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of seccomp_default.c as rules of libseccomp and as the BPF head (seccomp.h). */
#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <string.h>

#include "base/mem.h"
#include "engine/runtime/caps.h"
#include "engine/runtime/seccomp.h"
#include "engine/runtime/seccomp_default.h"

#define X32_BIT          0x40000000u
#define X86_64_HOLE      336u /* numbers that x86-64 never used: 336 … 423 */
#define X86_64_HOLE_END  424u
#define NR_OFFSET        offsetof(struct seccomp_data, nr)
#define ARCH_OFFSET      offsetof(struct seccomp_data, arch)
#define ARG0_LOW_OFFSET  offsetof(struct seccomp_data, args) /* little-endian, as all we support */
#define RET_ERRNO(value) (SECCOMP_RET_ERRNO | (value))

int seccomp_add_arches(scmp_filter_ctx ctx, struct err *err)
{
    static const struct {
        uint32_t native, other;
    } rows[] = { { SCMP_ARCH_X86_64, SCMP_ARCH_X86 }, { SCMP_ARCH_X86_64, SCMP_ARCH_X32 }, { SCMP_ARCH_AARCH64, SCMP_ARCH_ARM } };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int result = rows[i].native == seccomp_arch_native() ? seccomp_arch_add(ctx, rows[i].other) : 0;
        if (result < 0 && result != -EEXIST)
            return err_sysno(err, -result, "seccomp: add an architecture");
    }
    return 0;
}

static int name_allow(scmp_filter_ctx ctx, const char *name, struct err *err)
{
    int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR)
        return 0; /* ruled by number in the head, or of another architecture */
    int result = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, number, 0);
    return result < 0 ? err_sysno(err, -result, "seccomp: allow %s", name) : 0;
}

static int names_allow(scmp_filter_ctx ctx, const char *const *names, struct err *err)
{
    for (; *names; names++)
        if (name_allow(ctx, *names, err) < 0)
            return -1;
    return 0;
}

static int arguments_rule(scmp_filter_ctx ctx, uint64_t capabilities, struct err *err)
{
    int result = 0;
    for (size_t i = 0; i < seccomp_personality_count && result == 0; i++)
        result = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(personality), 1, SCMP_A0(SCMP_CMP_EQ, seccomp_personalities[i]));
    if (result == 0 && !(capabilities & CAP_BIT(CAP_SYS_ADMIN))) {
        result = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, SECCOMP_CLONE_DENIED, 0));
        if (result == 0) /* its flags cannot be seen: libc falls back to clone */
            result = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    }
    return result < 0 ? err_sysno(err, -result, "seccomp: rules on arguments") : 0;
}

int seccomp_default_rules(scmp_filter_ctx ctx, uint64_t capabilities, struct err *err)
{
    if (names_allow(ctx, seccomp_allowed, err) < 0 || arguments_rule(ctx, capabilities, err) < 0)
        return -1;
    for (size_t i = 0; i < seccomp_unlock_count; i++)
        if (capabilities & CAP_BIT(seccomp_unlocks[i].capability) && names_allow(ctx, seccomp_unlocks[i].names, err) < 0)
            return -1;
    return 0;
}

/* ---- the head ----------------------------------------------------------------------------------- */

static void bpf_add(struct bpf *bpf, uint16_t code, uint32_t value, uint8_t if_true, uint8_t if_false)
{
    if (bpf->count < ARRAY_LEN(bpf->items))
        bpf->items[bpf->count] = (struct sock_filter){ code, if_true, if_false, value };
    bpf->count++;
}

/* if (A == value) return action */
static void bpf_return_if(struct bpf *bpf, uint32_t value, uint32_t action)
{
    bpf_add(bpf, BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1);
    bpf_add(bpf, BPF_RET | BPF_K, action, 0, 0);
}

static bool list_has(const char *const *names, const char *name)
{
    for (; *names; names++)
        if (str_eq(*names, name))
            return true;
    return false;
}

static bool name_is_allowed(const char *name, uint64_t capabilities)
{
    if (list_has(seccomp_allowed, name))
        return true;
    for (size_t i = 0; i < seccomp_unlock_count; i++)
        if (capabilities & CAP_BIT(seccomp_unlocks[i].capability) && list_has(seccomp_unlocks[i].names, name))
            return true;
    return false;
}

static void arch_block(struct bpf *bpf, uint32_t arch, uint64_t capabilities)
{
    bpf_add(bpf, BPF_LD | BPF_W | BPF_ABS, ARCH_OFFSET, 0, 0);
    size_t skip = bpf->count;
    bpf_add(bpf, BPF_JMP | BPF_JEQ | BPF_K, arch, 0, 0); /* else over the block: filled in below */
    bpf_add(bpf, BPF_LD | BPF_W | BPF_ABS, NR_OFFSET, 0, 0);
    if (arch == AUDIT_ARCH_X86_64)
        bpf_add(bpf, BPF_ALU | BPF_AND | BPF_K, ~X32_BIT, 0, 0);
    bpf_add(bpf, BPF_JMP | BPF_JGT | BPF_K, SECCOMP_NEWEST, 0, 1);
    bpf_add(bpf, BPF_RET | BPF_K, RET_ERRNO(ENOSYS), 0, 0);
    if (arch == AUDIT_ARCH_X86_64) {
        bpf_add(bpf, BPF_JMP | BPF_JGE | BPF_K, X86_64_HOLE, 0, 2);
        bpf_add(bpf, BPF_JMP | BPF_JGE | BPF_K, X86_64_HOLE_END, 1, 0);
        bpf_add(bpf, BPF_RET | BPF_K, RET_ERRNO(ENOSYS), 0, 0);
    }
    for (size_t i = 0; i < seccomp_number_count; i++) {
        const struct seccomp_number *row = &seccomp_numbers[i];
        if ((row->arch == 0 || row->arch == arch) && name_is_allowed(row->name, capabilities))
            bpf_return_if(bpf, row->number, SECCOMP_RET_ALLOW);
    }
    int sock = seccomp_syscall_resolve_name_arch(arch, "socket");
    if (sock >= 0) {
        uint8_t length = (uint8_t)(1 + 2 * seccomp_family_count);
        bpf_add(bpf, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)sock, 0, length);
        bpf_add(bpf, BPF_LD | BPF_W | BPF_ABS, ARG0_LOW_OFFSET, 0, 0);
        for (size_t i = 0; i < seccomp_family_count; i++)
            bpf_return_if(bpf, seccomp_families_denied[i], RET_ERRNO(EPERM));
    }
    bpf->items[skip].jf = (uint8_t)(bpf->count - skip - 1);
}

void seccomp_default_head(struct bpf *bpf, uint64_t capabilities)
{
    /* seccomp_arch_native and the architectures of seccomp_add_arches; x32 shares x86-64's */
    arch_block(bpf, seccomp_arch_native(), capabilities);
    if (seccomp_arch_native() == SCMP_ARCH_X86_64)
        arch_block(bpf, AUDIT_ARCH_I386, capabilities);
    if (seccomp_arch_native() == SCMP_ARCH_AARCH64)
        arch_block(bpf, AUDIT_ARCH_ARM, capabilities);
}
