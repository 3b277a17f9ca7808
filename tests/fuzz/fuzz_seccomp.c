/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_seccomp.c - profiles of strangers: refused with a reason, or a program that the kernel's rules for programs allow:
 * short enough, every jump forward and inside, every load inside the data, a return at each end. */
#include <assert.h>
#include <linux/seccomp.h>
#include <stdint.h>

#include "engine/runtime/seccomp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct bpf bpf;
    _cleanup_jv_ struct jv *profile = NULL;
    struct err err = {0};
    if (jv_parse((const char *)data, size, &profile, &err) < 0)
        return 0;
    if (seccomp_compile_profile(profile, 0x800405fb, &bpf, &err) < 0) {
        assert(err.code && err.message[0]);
        return 0;
    }
    assert(bpf.count > 0 && bpf.count <= BPF_PROGRAM_MAX);
    for (size_t i = 0; i < bpf.count; i++) {
        const struct sock_filter *at = &bpf.items[i];
        if (BPF_CLASS(at->code) == BPF_LD)
            assert(at->k % 4 == 0 && at->k < sizeof(struct seccomp_data));
        if (BPF_CLASS(at->code) == BPF_JMP && BPF_OP(at->code) == BPF_JA)
            assert(at->k < bpf.count - i - 1);
        else if (BPF_CLASS(at->code) == BPF_JMP)
            assert(at->jt < bpf.count - i - 1 && at->jf < bpf.count - i - 1);
    }
    assert(BPF_CLASS(bpf.items[bpf.count - 1].code) == BPF_RET);
    return 0;
}
