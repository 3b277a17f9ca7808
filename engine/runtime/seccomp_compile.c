/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of seccomp_default.c → BPF. For each architecture every number gets a verdict; runs of
 * equal verdicts become the leaves of a binary tree whose nodes are one instruction each. All jumps
 * of a block stay within their 8 bits. Pure, but for libseccomp's name tables. */
#include <errno.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/runtime/caps.h"
#include "engine/runtime/seccomp.h"
#include "engine/runtime/seccomp_default.h"
#include "engine/runtime/seccomp_policy.h"

#define NUMBERS     POLICY_NUMBERS
#define ARG0_LOW    offsetof(struct seccomp_data, args) /* little-endian, as all architectures here \
                                                         */
#define ARG0_HIGH (ARG0_LOW + 4)
#define JUMP_MAX  255u

enum verdict {
    VERDICT_ALLOW,
    VERDICT_EPERM,
    VERDICT_ENOSYS,
    VERDICT_PERSONALITY,
    VERDICT_CLONE,
    VERDICT_SOCKET,
    VERDICT_COUNT_
};

size_t bpf_add(struct bpf *bpf, unsigned code, uint32_t value, unsigned if_true, unsigned if_false)
{
    if (bpf->count < BPF_PROGRAM_MAX)
        bpf->items[bpf->count] =
            (struct sock_filter){(uint16_t)code, (uint8_t)if_true, (uint8_t)if_false, value};
    return bpf->count++;
}

void bpf_load(struct bpf *bpf, size_t offset)
{
    bpf_add(bpf, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* ---- verdicts -----------------------------------------------------------------------------------
 */

int number_find(const struct arch *arch, const char *name)
{
    int number = seccomp_syscall_resolve_name_arch(arch->token, name);
    if (number >= 0)
        return number & ~(int)arch->offset;
    for (size_t i = 0; i < seccomp_number_count; i++) {
        const struct seccomp_number *row = &seccomp_numbers[i];
        if (str_eq(row->name, name) && (row->arch == 0 || row->arch == arch->token))
            return (int)row->number;
    }
    return -1;
}

bool number_is_known(const struct arch *arch, uint32_t number)
{
    char *name = seccomp_syscall_resolve_num_arch(arch->token, (int)(number | arch->offset));
    bool known = name != NULL;
    free(name);
    for (size_t i = 0; i < seccomp_number_count && !known; i++)
        known = seccomp_numbers[i].number == number &&
                (seccomp_numbers[i].arch == 0 || seccomp_numbers[i].arch == arch->token);
    return known;
}

static void names_rule(const struct arch *arch, const char *const *names, enum verdict verdict,
                       uint8_t *verdicts)
{
    for (; *names; names++) {
        int number = number_find(arch, *names);
        if (number >= 0 && (uint32_t)number < NUMBERS)
            verdicts[number] = (uint8_t)verdict;
    }
}

static void verdicts_make(const struct arch *arch, uint64_t capabilities, uint8_t verdicts[NUMBERS])
{
    static const char *const personality[] = {"personality", NULL},
                             *const sockets[] = {"socket", NULL}, *const clones[] = {"clone", NULL},
                             *const clones3[] = {"clone3", NULL};
    for (uint32_t i = 0; i < NUMBERS; i++)
        verdicts[i] = number_is_known(arch, i) ? VERDICT_EPERM : VERDICT_ENOSYS;
    names_rule(arch, seccomp_allowed, VERDICT_ALLOW, verdicts);
    names_rule(arch, personality, VERDICT_PERSONALITY, verdicts);
    names_rule(arch, sockets, VERDICT_SOCKET, verdicts);
    names_rule(arch, clones, VERDICT_CLONE, verdicts);
    names_rule(arch, clones3, VERDICT_ENOSYS,
               verdicts); /* its flags cannot be seen: libc falls back to clone */
    for (size_t i = 0; i < seccomp_unlock_count; i++)
        if (capabilities & CAP_BIT(seccomp_unlocks[i].capability))
            names_rule(arch, seccomp_unlocks[i].names, VERDICT_ALLOW, verdicts);
}

/* ---- code ---------------------------------------------------------------------------------------
 */

struct run {
    uint32_t start;
    uint8_t verdict;
};

struct block {
    struct bpf *bpf;
    struct run runs[NUMBERS];
    size_t run_count;
    size_t labels[VERDICT_COUNT_]; /* places of the verdicts' code */
    bool too_far;
};

/* Targets are kept as positions or, + LABEL, as verdicts until all code has its place. */
#define LABEL 0x8000u
struct node {
    size_t at, if_true, if_false;
};

static size_t tree_emit(struct block *block, struct node *nodes, size_t *count, size_t low,
                        size_t high)
{
    if (high - low == 1)
        return LABEL + block->runs[low].verdict;
    size_t middle = (low + high) / 2, index = (*count)++;
    size_t at = bpf_add(block->bpf, BPF_JMP | BPF_JGE | BPF_K, block->runs[middle].start, 0, 0);
    nodes[index].at = at;
    nodes[index].if_false = tree_emit(block, nodes, count, low, middle);
    nodes[index].if_true = tree_emit(block, nodes, count, middle, high);
    return at;
}

static uint8_t distance(struct block *block, size_t from, size_t target)
{
    size_t to = target >= LABEL ? block->labels[target - LABEL] : target;
    size_t skip = to - from - 1;
    if (skip > JUMP_MAX)
        block->too_far = true;
    return (uint8_t)skip;
}

static void verdict_code(struct block *block)
{
    struct bpf *bpf = block->bpf;
    /* The final returns are placed last; the checks before them reach them by counting on. */
    block->labels[VERDICT_PERSONALITY] = bpf->count;
    bpf_load(bpf, ARG0_HIGH);
    size_t high_check = bpf_add(bpf, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 0);
    bpf_load(bpf, ARG0_LOW);
    size_t first_value = bpf->count;
    for (size_t i = 0; i < seccomp_personality_count; i++)
        bpf_add(bpf, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)seccomp_personalities[i], 0, 0);
    bpf_add(bpf, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM, 0, 0);
    block->labels[VERDICT_CLONE] = bpf->count;
    bpf_load(bpf, ARG0_LOW);
    size_t clone_check =
        bpf_add(bpf, BPF_JMP | BPF_JSET | BPF_K, (uint32_t)SECCOMP_CLONE_DENIED, 0, 0);
    block->labels[VERDICT_SOCKET] = bpf->count;
    bpf_load(bpf, ARG0_LOW); /* the kernel looks at 32 bits only */
    size_t first_family = bpf->count;
    for (size_t i = 0; i < seccomp_family_count; i++)
        bpf_add(bpf, BPF_JMP | BPF_JEQ | BPF_K, seccomp_families_denied[i], 0, 0);
    block->labels[VERDICT_ALLOW] = bpf_add(bpf, BPF_RET | BPF_K, SECCOMP_RET_ALLOW, 0, 0);
    block->labels[VERDICT_EPERM] = bpf_add(bpf, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM, 0, 0);
    block->labels[VERDICT_ENOSYS] = bpf_add(bpf, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS, 0, 0);

    bpf->items[high_check].jf = distance(block, high_check, LABEL + VERDICT_EPERM);
    for (size_t i = 0; i < seccomp_personality_count; i++)
        bpf->items[first_value + i].jt = distance(block, first_value + i, LABEL + VERDICT_ALLOW);
    bpf->items[clone_check].jt = distance(block, clone_check, LABEL + VERDICT_EPERM);
    bpf->items[clone_check].jf = distance(block, clone_check, LABEL + VERDICT_ALLOW);
    for (size_t i = 0; i < seccomp_family_count; i++)
        bpf->items[first_family + i].jt = distance(block, first_family + i, LABEL + VERDICT_EPERM);
}

/* Expects the number in A. */
static int block_emit(struct bpf *bpf, const struct arch *arch, uint64_t capabilities,
                      struct err *err)
{
    _cleanup_free_ struct block *block = xcalloc(1, sizeof(*block));
    _cleanup_free_ struct node *nodes = xcalloc(NUMBERS, sizeof(*nodes));
    uint8_t verdicts[NUMBERS];
    size_t count = 0;
    block->bpf = bpf;
    verdicts_make(arch, capabilities, verdicts);
    verdicts[NUMBERS - 1] = VERDICT_ENOSYS; /* stands for all numbers beyond */
    for (uint32_t i = 0; i < NUMBERS; i++)
        if (i == 0 || verdicts[i] != verdicts[i - 1])
            block->runs[block->run_count++] = (struct run){i, verdicts[i]};
    (void)tree_emit(block, nodes, &count, 0, block->run_count);
    verdict_code(block);
    for (size_t i = 0; i < count && bpf->count < BPF_PROGRAM_MAX; i++) {
        bpf->items[nodes[i].at].jt = distance(block, nodes[i].at, nodes[i].if_true);
        bpf->items[nodes[i].at].jf = distance(block, nodes[i].at, nodes[i].if_false);
    }
    if (block->too_far || bpf->count > BPF_PROGRAM_MAX)
        return err_set(err, ERR_INTERNAL, "seccomp: the default policy does not fit its jumps");
    return 0;
}

size_t guard_emit(struct bpf *bpf, uint32_t audit_arch)
{
    bpf_load(bpf, ARCH_OFFSET);
    bpf_add(bpf, BPF_JMP | BPF_JEQ | BPF_K, audit_arch, 1, 0);
    return bpf_add(bpf, BPF_JMP | BPF_JA, 0, 0, 0);
}

void guard_end(struct bpf *bpf, size_t jump)
{
    bpf->items[jump].k = (uint32_t)(bpf->count - jump - 1);
}

int seccomp_compile_default(uint64_t capabilities, struct bpf *ret_bpf, struct err *err)
{
    static const struct arch x86_64 = {SCMP_ARCH_X86_64, 0}, x32 = {SCMP_ARCH_X32, X32_BIT},
                             x86 = {SCMP_ARCH_X86, 0}, aarch64 = {SCMP_ARCH_AARCH64, 0};
    struct bpf *bpf = ret_bpf;
    bpf->count = 0;
    bool is_x86 = seccomp_arch_native() == SCMP_ARCH_X86_64;
    if (!is_x86 && seccomp_arch_native() != SCMP_ARCH_AARCH64)
        return err_set(err, ERR_UNSUPPORTED, "seccomp: no default policy for this architecture");
    size_t guard = guard_emit(bpf, is_x86 ? AUDIT_ARCH_X86_64 : AUDIT_ARCH_AARCH64);
    bpf_load(bpf, NR_OFFSET);
    if (is_x86) {
        bpf_add(bpf, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
        size_t over = bpf_add(bpf, BPF_JMP | BPF_JA, 0, 0, 0);
        if (block_emit(bpf, &x86_64, capabilities, err) < 0)
            return -1;
        guard_end(bpf, over);
        bpf_add(bpf, BPF_ALU | BPF_AND | BPF_K, ~X32_BIT, 0, 0);
        if (block_emit(bpf, &x32, capabilities, err) < 0)
            return -1;
    } else if (block_emit(bpf, &aarch64, capabilities, err) < 0) {
        return -1;
    }
    guard_end(bpf, guard);
    if (is_x86) {
        guard = guard_emit(bpf, AUDIT_ARCH_I386);
        bpf_load(bpf, NR_OFFSET);
        if (block_emit(bpf, &x86, capabilities, err) < 0)
            return -1;
        guard_end(bpf, guard);
    }
    /* an architecture this kernel should not run at all; 32-bit arm under aarch64 included: its
     * private numbers do not fit */
    bpf_add(bpf, BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM, 0, 0);
    return 0;
}
