/* SPDX-License-Identifier: Apache-2.0 */
/* Status files, sysctl keys, and what a killed container's file means. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "engine/container/status.h"
#include "engine/runtime/setup.h"

Test(status, a_whole_file_is_read)
{
    struct container_status status;
    struct err err = {0};
    char boot[37];
    const char *text = "version=1\nboot=11111111-2222-3333-4444-555555555555\nstate=exited\npid="
                       "0\nstart_time=0\nmonitor_pid=42\n"
                       "monitor_start=99\nstarted_ns=5\nfinished_ns=7\nexit=137\nsignal=9\noom="
                       "1\nerror=run 'a=b': no\nlater=8\n";
    cr_assert_eq(container_status_parse(text, &status, boot, &err), 0, "%s", err.message);
    cr_expect_eq(status.state, STATE_EXITED);
    cr_expect_eq(status.exit_code, 137);
    cr_expect_eq(status.signo, 9);
    cr_expect(status.oom);
    cr_expect_eq(status.monitor_start, 99);
    cr_expect_str_eq(status.error, "run 'a=b': no");
    cr_expect_str_eq(boot, "11111111-2222-3333-4444-555555555555");
}

Test(status, damaged_files_are_refused)
{
    static const char *const bad[] = {"",
                                      "version=1\n",
                                      "state=running\n",
                                      "version=1\nstate=flying\n",
                                      "version=1\nstate=running\npid=x\n",
                                      "version=1\nstate=running\nnonsense\n",
                                      "version=1\nstate=running\npid=99999999999999999999\n"};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct container_status status;
        struct err err = {0};
        cr_expect_eq(container_status_parse(bad[i], &status, NULL, &err), -1, "case '%s'", bad[i]);
        cr_expect_eq(err.code, ERR_CORRUPT);
    }
}

Test(sysctl, only_namespaced_keys_are_allowed)
{
    static const struct {
        const char *key;
        bool own_ipc, own_uts, allowed;
    } rows[] = {
        {"kernel.shmmax", true, true, true},         {"kernel/shmmax", true, true, true},
        {"kernel.shmmax", false, true, false},       {"fs.mqueue.msg_max", true, false, true},
        {"kernel.domainname", false, true, true},    {"kernel.domainname", true, false, false},
        {"kernel.hostname", true, true, false},      {"kernel.sysrq", true, true, false},
        {"net.ipv4.ip_forward", true, true, false},  {"fs.mqueue...", true, true, false},
        {"fs/mqueue/../../vm/x", true, true, false}, {"/kernel/shmmax", true, true, false},
        {"fs.mqueue//x", true, true, false},         {"", true, true, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(rows); i++)
        cr_expect_eq(sysctl_is_allowed(rows[i].key, rows[i].own_ipc, rows[i].own_uts),
                     rows[i].allowed, "'%s'", rows[i].key);
}
