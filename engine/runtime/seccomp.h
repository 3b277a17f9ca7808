/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp.h - inside of the seccomp compiler (supervisor side; the monitor loads the bytes only).
 * The default policy is compiled by us to a small binary tree: loading costs a start 0.1 ms instead
 * of 0.4 ms and more for libseccomp's program. libseccomp resolves names and numbers. */
#pragma once

#include <linux/filter.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

#define BPF_PROGRAM_MAX 4096 /* instructions: the kernel's limit */

struct bpf { /* a program being written */
    struct sock_filter items[BPF_PROGRAM_MAX];
    size_t count;
};

/* The default policy for a process with these capabilities. */
int seccomp_compile_default(uint64_t capabilities, struct bpf *ret_bpf, struct err *err);
/* A profile in moby's JSON form for such a process. ERR_CONFIG with the place in the profile,
 * ERR_LIMIT when it is too long for the kernel. */
int seccomp_compile_profile(const struct jv *profile, uint64_t capabilities, struct bpf *ret_bpf,
                            struct err *err);
