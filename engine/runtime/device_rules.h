/* SPDX-License-Identifier: Apache-2.0 */
/* device_rules.h - which devices the members of a container's cgroup may use: rules, and how each
 * cgroup version enforces them. libc only. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/runtime/spec.h"

#define DEVICE_RULES_MAX 128
#define DEVICE_ANY       UINT32_MAX

enum { DEVICE_MKNOD = 1, DEVICE_READ = 2, DEVICE_WRITE = 4 }; /* BPF_DEVCG_ACC_… */

struct device_rule {
    char type; /* 'a', 'b', 'c' */
    uint32_t major, minor;
    unsigned access;
};

/* "c 136:* rwm". ERR_CONFIG when it is none. Pure. */
int device_rule_parse(const char *text, struct device_rule *ret_rule, struct err *err);
/* The whole list of a container: defaults, its devices, its own rules. Number of rules, or -1. */
int device_rules_make(const struct container_spec *spec,
                      struct device_rule ret_rules[DEVICE_RULES_MAX], struct err *err);
/* v1: dirfd is the group in the devices hierarchy. */
int device_rules_write(int dirfd, const struct device_rule *rules, int count, struct err *err);
/* v2: a BPF program on the group. */
int device_rules_attach(int dirfd, const struct device_rule *rules, int count, struct err *err);

struct bpf_insn;
#define DEVICE_PROGRAM_MAX (DEVICE_RULES_MAX * 7 + 16)
/* The program, at most DEVICE_PROGRAM_MAX instructions; returns their number. Pure. */
size_t device_program(const struct device_rule *rules, int count, struct bpf_insn *ret_program);
