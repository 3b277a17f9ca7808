/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp_policy.h - a custom profile as values, between its reader (seccomp_profile.c) and its
 * compiler (seccomp_policy.c), and what the two compilers share. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/runtime/seccomp.h"

#define POLICY_ARGS_MAX  6
#define POLICY_RULES_MAX 8192
#define POLICY_NUMBERS   600u /* above every number known: x32 ends at 547 */

struct policy_condition { /* of one argument, compared as 64 bits without sign */
    unsigned argument;
    enum scmp_compare compare;
    uint64_t value, value_two; /* MASKED_EQ: (argument & value) == value_two */
};

struct policy_rule { /* one name; conditions must all hold */
    const char *name;
    uint32_t action; /* SECCOMP_RET_… with its data */
    struct policy_condition conditions[POLICY_ARGS_MAX];
    unsigned condition_count;
};

enum policy_arch { POLICY_NATIVE, POLICY_X86, POLICY_X32, POLICY_ARCH_COUNT_ };

struct policy {
    uint32_t default_action;
    bool arches[POLICY_ARCH_COUNT_]; /* what is not listed is killed */
    struct policy_rule *rules;
    size_t rule_count;
};
/* For a number, rules with conditions are tried first, in the order of the file; then the first one
 * without; then the default action, which for numbers that nobody knows yet is ENOSYS when it is an
 * error at all. ERR_LIMIT when the program is longer than the kernel takes. */
int policy_compile(const struct policy *policy, struct bpf *ret_bpf, struct err *err);

/* ---- shared with the default policy (seccomp_compile.c) ---- */
struct arch {
    uint32_t token;  /* libseccomp's, the kernel's AUDIT_ARCH_… but for x32 */
    uint32_t offset; /* taken from numbers: the x32 bit */
};
#define X32_BIT     0x40000000u
#define NR_OFFSET   offsetof(struct seccomp_data, nr)
#define ARCH_OFFSET offsetof(struct seccomp_data, arch)
size_t bpf_add(struct bpf *bpf, unsigned code, uint32_t value, unsigned if_true, unsigned if_false);
void bpf_load(struct bpf *bpf, size_t offset);
/* if (arch) go on behind the next instruction; returns the jump over the block, for guard_end. */
size_t guard_emit(struct bpf *bpf, uint32_t audit_arch);
void guard_end(struct bpf *bpf, size_t jump);
/* -1: the architecture has no such call. Without the x32 bit. */
int number_find(const struct arch *arch, const char *name);
bool number_is_known(const struct arch *arch, uint32_t number);
