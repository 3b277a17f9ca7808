/* SPDX-License-Identifier: Apache-2.0 */
/* Custom profiles → BPF, for each architecture of its own: a binary tree over runs of numbers whose
 * answer is the same, and behind it the comparisons of those that depend on arguments. Ours and not
 * libseccomp's, because its 2.5.4 does not know twelve names and cannot rule numbers that one
 * architecture alone has. Pure, but for libseccomp's name tables. */
#include "engine/runtime/seccomp_policy.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <string.h>

#include "base/mem.h"

#define NO_CHAIN (-1)

struct answer {
    uint32_t action; /* when no condition holds */
    int chain;       /* first rule with conditions, index into policy->rules, or NO_CHAIN */
};

struct table {
    const struct policy *policy;
    struct bpf *bpf;
    struct answer answers[POLICY_NUMBERS];
    int numbers[POLICY_RULES_MAX]; /* of each rule, here; -1: none */
    uint16_t starts[POLICY_NUMBERS];
    size_t run_count;
};

static bool is_errno(uint32_t action)
{
    return (action & SECCOMP_RET_ACTION_FULL) == SECCOMP_RET_ERRNO;
}

static void answers_make(const struct arch *arch, struct table *table)
{
    const struct policy *policy = table->policy;
    bool ruled[POLICY_NUMBERS] = {false};
    for (uint32_t i = 0; i < POLICY_NUMBERS; i++) {
        bool unknown = !number_is_known(arch, i) && is_errno(policy->default_action);
        table->answers[i] = (struct answer){
            unknown ? SECCOMP_RET_ERRNO | ENOSYS : policy->default_action, NO_CHAIN};
    }
    for (size_t i = 0; i < policy->rule_count; i++) {
        int number = table->numbers[i] = number_find(arch, policy->rules[i].name);
        if (number < 0 || (uint32_t)number >= POLICY_NUMBERS - 1) {
            table->numbers[i] = -1;
            continue;
        }
        struct answer *answer = &table->answers[number];
        if (policy->rules[i].condition_count) {
            answer->chain = answer->chain == NO_CHAIN ? (int)i : answer->chain;
        } else if (!ruled[number]) {
            ruled[number] = true;
            answer->action = policy->rules[i].action;
        }
    }
}

static void runs_make(struct table *table)
{
    for (uint32_t i = 0; i < POLICY_NUMBERS; i++) {
        const struct answer *a = &table->answers[i], *before = i ? a - 1 : NULL;
        if (!before || a->action != before->action || a->chain != before->chain)
            table->starts[table->run_count++] = (uint16_t)i;
    }
}

/* Jumps to the end of a rule whose condition does not hold, patched when the end is known. */
struct misses {
    struct {
        size_t at;
        bool when_true;
    } items[POLICY_ARGS_MAX * 3];
    size_t count;
};

static void miss_add(struct misses *misses, size_t at, bool when_true)
{
    misses->items[misses->count].at = at;
    misses->items[misses->count++].when_true = when_true;
}

/* hi and lo halves of an argument against value; offsets as this CPU keeps them (little-endian). */
static void condition_emit(struct bpf *bpf, const struct policy_condition *condition,
                           struct misses *misses)
{
    size_t low = offsetof(struct seccomp_data, args) + 8 * condition->argument, high = low + 4;
    uint64_t value =
        condition->compare == SCMP_CMP_MASKED_EQ ? condition->value_two : condition->value;
    uint32_t value_high = (uint32_t)(value >> 32), value_low = (uint32_t)value;
    bool masked = condition->compare == SCMP_CMP_MASKED_EQ;
    bool negated = condition->compare == SCMP_CMP_NE || condition->compare == SCMP_CMP_LT ||
                   condition->compare == SCMP_CMP_LE;
    bpf_load(bpf, high);
    if (masked || condition->compare == SCMP_CMP_EQ || condition->compare == SCMP_CMP_NE) {
        if (masked)
            bpf_add(bpf, BPF_ALU | BPF_AND | BPF_K, (uint32_t)(condition->value >> 32), 0, 0);
        /* NE: other halves hold at once, which is two or three instructions further on */
        size_t at = bpf_add(bpf, BPF_JMP | BPF_JEQ | BPF_K, value_high, 0, negated ? 2 : 0);
        if (!negated)
            miss_add(misses, at, false);
        bpf_load(bpf, low);
        if (masked)
            bpf_add(bpf, BPF_ALU | BPF_AND | BPF_K, (uint32_t)condition->value, 0, 0);
        at = bpf_add(bpf, BPF_JMP | BPF_JEQ | BPF_K, value_low, 0, 0);
        miss_add(misses, at, negated);
        return;
    }
    /* GT and GE; LE and LT are what is left */
    bool or_equal = condition->compare == SCMP_CMP_GE || condition->compare == SCMP_CMP_LT;
    size_t above = bpf_add(bpf, BPF_JMP | BPF_JGT | BPF_K, value_high, negated ? 0 : 3, 0);
    size_t same = bpf_add(bpf, BPF_JMP | BPF_JEQ | BPF_K, value_high, 0, negated ? 2 : 0);
    if (negated)
        miss_add(misses, above, true);
    else
        miss_add(misses, same, false);
    bpf_load(bpf, low);
    size_t at = bpf_add(bpf, BPF_JMP | (or_equal ? BPF_JGE : BPF_JGT) | BPF_K, value_low, 0, 0);
    miss_add(misses, at, negated);
}

static void rule_emit(struct bpf *bpf, const struct policy_rule *rule)
{
    struct misses misses = {.count = 0};
    for (unsigned i = 0; i < rule->condition_count; i++)
        condition_emit(bpf, &rule->conditions[i], &misses);
    bpf_add(bpf, BPF_RET | BPF_K, rule->action, 0, 0);
    for (size_t i = 0; i < misses.count && bpf->count <= BPF_PROGRAM_MAX; i++) {
        struct sock_filter *jump = &bpf->items[misses.items[i].at];
        uint8_t distance = (uint8_t)(bpf->count - misses.items[i].at - 1); /* at most 36 */
        *(misses.items[i].when_true ? &jump->jt : &jump->jf) = distance;
    }
}

static void answer_emit(struct table *table, uint32_t number)
{
    const struct policy *policy = table->policy;
    const struct answer *answer = &table->answers[number];
    for (size_t i = answer->chain == NO_CHAIN ? policy->rule_count : (size_t)answer->chain;
         i < policy->rule_count; i++)
        if (table->numbers[i] == (int)number && policy->rules[i].condition_count)
            rule_emit(table->bpf, &policy->rules[i]);
    bpf_add(table->bpf, BPF_RET | BPF_K, answer->action, 0, 0);
}

/* The number is in A. The right half is reached by a long jump, so nothing is ever too far. */
static void tree_emit(struct table *table, size_t low, size_t high)
{
    struct bpf *bpf = table->bpf;
    if (bpf->count > BPF_PROGRAM_MAX)
        return;
    if (high - low == 1) {
        answer_emit(table, table->starts[low]);
        return;
    }
    size_t middle = (low + high) / 2;
    bpf_add(bpf, BPF_JMP | BPF_JGE | BPF_K, table->starts[middle], 0, 1);
    size_t jump = bpf_add(bpf, BPF_JMP | BPF_JA, 0, 0, 0);
    tree_emit(table, low, middle);
    if (bpf->count <= BPF_PROGRAM_MAX)
        guard_end(bpf, jump);
    tree_emit(table, middle, high);
}

static void block_emit(struct bpf *bpf, const struct policy *policy, const struct arch *arch)
{
    _cleanup_free_ struct table *table = xcalloc(1, sizeof(*table));
    table->policy = policy;
    table->bpf = bpf;
    answers_make(arch, table);
    runs_make(table);
    tree_emit(table, 0, table->run_count);
}

int policy_compile(const struct policy *policy, struct bpf *ret_bpf, struct err *err)
{
    static const struct arch x86_64 = {SCMP_ARCH_X86_64, 0}, x32 = {SCMP_ARCH_X32, X32_BIT},
                             x86 = {SCMP_ARCH_X86, 0}, aarch64 = {SCMP_ARCH_AARCH64, 0};
    struct bpf *bpf = ret_bpf;
    bool is_x86 = seccomp_arch_native() == SCMP_ARCH_X86_64;
    bpf->count = 0;
    if (!is_x86 && seccomp_arch_native() != SCMP_ARCH_AARCH64)
        return err_set(err, ERR_UNSUPPORTED, "seccomp: no profiles for this architecture");
    size_t guard = guard_emit(bpf, is_x86 ? AUDIT_ARCH_X86_64 : AUDIT_ARCH_AARCH64);
    bpf_load(bpf, NR_OFFSET);
    if (is_x86) {
        bpf_add(bpf, BPF_JMP | BPF_JGE | BPF_K, X32_BIT, 0, 1);
        size_t over = bpf_add(bpf, BPF_JMP | BPF_JA, 0, 0, 0);
        block_emit(bpf, policy, &x86_64);
        if (bpf->count <= BPF_PROGRAM_MAX)
            guard_end(bpf, over);
        bpf_add(bpf, BPF_ALU | BPF_AND | BPF_K, ~X32_BIT, 0, 0);
        if (policy->arches[POLICY_X32])
            block_emit(bpf, policy, &x32);
        else
            bpf_add(bpf, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
    } else {
        block_emit(bpf, policy, &aarch64);
    }
    if (bpf->count <= BPF_PROGRAM_MAX)
        guard_end(bpf, guard);
    if (is_x86 && policy->arches[POLICY_X86] && bpf->count <= BPF_PROGRAM_MAX) {
        guard = guard_emit(bpf, AUDIT_ARCH_I386);
        bpf_load(bpf, NR_OFFSET);
        block_emit(bpf, policy, &x86);
        if (bpf->count <= BPF_PROGRAM_MAX)
            guard_end(bpf, guard);
    }
    bpf_add(bpf, BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS, 0, 0);
    if (bpf->count > BPF_PROGRAM_MAX)
        return err_set(err, ERR_LIMIT, "the profile needs more than the %d instructions that the kernel takes",
                       BPF_PROGRAM_MAX);
    return 0;
}
