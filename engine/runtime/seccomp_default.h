/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp_default.h - the default system call policy as tables (docs/security.md). Everything not
 * listed is answered with EPERM, everything newer than the newest known number with ENOSYS. Pure
 * data. */
#pragma once

#include <stddef.h>
#include <stdint.h>

extern const char *const seccomp_allowed[]; /* NULL-terminated, always allowed */

struct seccomp_unlock { /* names allowed with this capability */
    int capability;
    const char *const *names; /* NULL-terminated */
};
extern const struct seccomp_unlock seccomp_unlocks[];
extern const size_t seccomp_unlock_count;

/* Numbers that the linked libseccomp may not resolve by name; from 424 on all architectures share
 * them. */
struct seccomp_number {
    const char *name;
    uint32_t number;
    uint32_t arch; /* AUDIT_ARCH_…; 0: all */
};
extern const struct seccomp_number seccomp_numbers[];
extern const size_t seccomp_number_count;

extern const uint64_t seccomp_personalities[]; /* allowed arguments of personality(2) */
extern const size_t seccomp_personality_count;
#define SECCOMP_CLONE_DENIED                                                                       \
    0x7E020000ULL /* new mount, cgroup, uts, ipc, user, pid, net namespaces */
extern const uint32_t seccomp_families_denied[]; /* of socket(2) */
extern const size_t seccomp_family_count;
