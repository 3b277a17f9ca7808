/* SPDX-License-Identifier: Apache-2.0 */
/* device_bpf.c - device rules as a program of type BPF_PROG_TYPE_CGROUP_DEVICE (uapi/linux/bpf.h,
 * struct bpf_cgroup_dev_ctx: access_type = access << 16 | type, major, minor). libc only. */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "engine/runtime/device_rules.h"

_Static_assert((int)DEVICE_MKNOD == (int)BPF_DEVCG_ACC_MKNOD &&
                   (int)DEVICE_READ == (int)BPF_DEVCG_ACC_READ &&
                   (int)DEVICE_WRITE == (int)BPF_DEVCG_ACC_WRITE,
               "access bits are the kernel's");

enum { R_RESULT = BPF_REG_0, R_CONTEXT, R_TYPE, R_ACCESS, R_MAJOR, R_MINOR };

static void add(struct bpf_insn *program, size_t *count, int code, int to, int from, int offset,
                int32_t value)
{
    program[(*count)++] = (struct bpf_insn){.code = (uint8_t)code,
                                            .dst_reg = to & 15,
                                            .src_reg = from & 15,
                                            .off = (int16_t)offset,
                                            .imm = value};
}

/* Skips what is left of a rule when reg is not value; patched at the rule's end. */
static void rule_emit(struct bpf_insn *program, size_t *count, const struct device_rule *rule)
{
    size_t jumps[4], jump_count = 0;
    if (rule->type != 'a') {
        jumps[jump_count++] = *count;
        add(program, count, BPF_JMP | BPF_JNE | BPF_K, R_TYPE, 0, 0,
            rule->type == 'b' ? BPF_DEVCG_DEV_BLOCK : BPF_DEVCG_DEV_CHAR);
    }
    unsigned denied = ~rule->access & (DEVICE_MKNOD | DEVICE_READ | DEVICE_WRITE);
    if (denied) {
        jumps[jump_count++] = *count;
        add(program, count, BPF_JMP | BPF_JSET | BPF_K, R_ACCESS, 0, 0, (int32_t)denied);
    }
    if (rule->major != DEVICE_ANY) {
        jumps[jump_count++] = *count;
        add(program, count, BPF_JMP | BPF_JNE | BPF_K, R_MAJOR, 0, 0, (int32_t)rule->major);
    }
    if (rule->minor != DEVICE_ANY) {
        jumps[jump_count++] = *count;
        add(program, count, BPF_JMP | BPF_JNE | BPF_K, R_MINOR, 0, 0, (int32_t)rule->minor);
    }
    add(program, count, BPF_ALU64 | BPF_MOV | BPF_K, R_RESULT, 0, 0, 1);
    add(program, count, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    for (size_t i = 0; i < jump_count; i++)
        program[jumps[i]].off = (int16_t)(*count - jumps[i] - 1);
}

size_t device_program(const struct device_rule *rules, int rule_count, struct bpf_insn *ret_program)
{
    size_t count = 0;
    struct bpf_insn *program = ret_program;
    const int load = BPF_LDX | BPF_MEM | BPF_W;
    add(program, &count, load, R_TYPE, R_CONTEXT, offsetof(struct bpf_cgroup_dev_ctx, access_type),
        0);
    add(program, &count, BPF_ALU64 | BPF_MOV | BPF_X, R_ACCESS, R_TYPE, 0, 0);
    add(program, &count, BPF_ALU64 | BPF_AND | BPF_K, R_TYPE, 0, 0, 0xffff);
    add(program, &count, BPF_ALU64 | BPF_RSH | BPF_K, R_ACCESS, 0, 0, 16);
    add(program, &count, load, R_MAJOR, R_CONTEXT, offsetof(struct bpf_cgroup_dev_ctx, major), 0);
    add(program, &count, load, R_MINOR, R_CONTEXT, offsetof(struct bpf_cgroup_dev_ctx, minor), 0);
    for (int i = 0; i < rule_count; i++) {
        rule_emit(program, &count, &rules[i]);
        if (rules[i].type == 'a' && rules[i].major == DEVICE_ANY && rules[i].minor == DEVICE_ANY &&
            rules[i].access == (DEVICE_MKNOD | DEVICE_READ | DEVICE_WRITE))
            return count; /* everything is allowed: the verifier refuses code that is never reached
                           */
    }
    add(program, &count, BPF_ALU64 | BPF_MOV | BPF_K, R_RESULT, 0, 0, 0);
    add(program, &count, BPF_JMP | BPF_EXIT, 0, 0, 0, 0);
    return count;
}

static int bpf_call(int command, union bpf_attr *attr)
{
    return (int)syscall(SYS_bpf, command, attr, sizeof(*attr));
}

int device_rules_attach(int dirfd, const struct device_rule *rules, int count, struct err *err)
{
    struct bpf_insn program[DEVICE_PROGRAM_MAX];
    union bpf_attr load, attach;
    memset(&load, 0, sizeof(load));
    load.prog_type = BPF_PROG_TYPE_CGROUP_DEVICE;
    load.insn_cnt = (uint32_t)device_program(rules, count, program);
    load.insns = (uint64_t)(uintptr_t)program;
    load.license = (uint64_t)(uintptr_t) "Apache-2.0";
    _cleanup_close_ int fd = bpf_call(BPF_PROG_LOAD, &load);
    if (fd < 0)
        return err_sys(err, "load the device rules");
    memset(&attach, 0, sizeof(attach));
    attach.target_fd = (uint32_t)dirfd;
    attach.attach_bpf_fd = (uint32_t)fd;
    attach.attach_type = BPF_CGROUP_DEVICE;
    attach.attach_flags = BPF_F_ALLOW_MULTI;
    if (bpf_call(BPF_PROG_ATTACH, &attach) < 0)
        return err_sys(err, "attach the device rules");
    return 0; /* the group keeps the program */
}
