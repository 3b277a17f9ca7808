/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp.h - inside of the seccomp compiler: rules into libseccomp, what libseccomp cannot say as a head of plain BPF before
 * its program. The supervisor links this; the monitor loads the bytes only. */
#pragma once

#include <linux/filter.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"

struct bpf { /* a program being written */
    struct sock_filter items[4096];
    size_t count;
};

/* The default policy. ctx is fresh with the default action EPERM and all architectures. */
int seccomp_default_rules(scmp_filter_ctx ctx, uint64_t capabilities, struct err *err);
/* The head that goes with it: ENOSYS for unknown numbers, rulings by number, refused socket families. */
void seccomp_default_head(struct bpf *bpf, uint64_t capabilities);
/* A profile in moby's JSON form; fills ctx, which it makes. ERR_CONFIG with the place in the profile. */
int seccomp_profile_rules(const struct jv *profile, uint64_t capabilities, scmp_filter_ctx *ret_ctx, struct err *err);
/* Architectures beside the native one that its kernel runs. */
int seccomp_add_arches(scmp_filter_ctx ctx, struct err *err);
