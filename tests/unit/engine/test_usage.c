/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "engine/runtime/processes.h"
#include "engine/runtime/usage.h"

Test(usage, finds_a_key_only_at_the_start_of_a_line)
{
    const char *text = "total_cache 5\ncache 7\nusage_usec 12345\n";
    int64_t value = -1;
    cr_expect(usage_value(text, "usage_usec", &value) && value == 12345);
    cr_expect(usage_value(text, "cache", &value) && value == 7);
    cr_expect_not(usage_value(text, "usage", &value));
    cr_expect_not(usage_value("", "usage", &value));
}

Test(usage, adds_all_devices)
{
    int64_t bytes_read, written;
    usage_io("8:0 rbytes=10 wbytes=20 rios=1 wios=2 dbytes=0 dios=0\n8:16 rbytes=5 wbytes=1 rios=1 wios=2\n", &bytes_read, &written);
    cr_expect_eq(bytes_read, 15);
    cr_expect_eq(written, 21);
    usage_io("8:0 Read 100\n8:0 Write 7\n8:0 Sync 107\n8:0 Total 107\nTotal 107\n", &bytes_read, &written);
    cr_expect_eq(bytes_read, 100);
    cr_expect_eq(written, 7);
    usage_io("", &bytes_read, &written);
    cr_expect(bytes_read == 0 && written == 0);
}

Test(usage, leaves_loopback_out)
{
    const char *text = "Inter-|   Receive                                                |  Transmit\n"
                       " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs\n"
                       "    lo:     999       1    0    0    0     0          0         0      999       1 0 0 0 0 0 0\n"
                       "  eth0:    1000      10    0    0    0     0          0         0      200       3 0 0 0 0 0 0\n"
                       "  eth1:5 1 0 0 0 0 0 0 6 1 0 0 0 0 0 0\n";
    int64_t received, sent;
    usage_net(text, &received, &sent);
    cr_expect_eq(received, 1005);
    cr_expect_eq(sent, 206);
}

Test(processes, a_name_with_brackets_and_blanks_moves_no_field)
{
    struct process process = {0};
    cr_assert(process_parse("42 (a) b (c) S 7 42 42 34817 42 4194304 1 0 0 0 150 50 0 0 20 0 1 0 1000 1 1\n", 100, 5000000000, &process));
    cr_expect_eq(process.pid, 42);
    cr_expect_eq(process.parent, 7);
    cr_expect_eq(process.terminal, 1);
    cr_expect_eq(process.cpu_us, 2000000);
    cr_expect_eq(process.started_ns, 15000000000);
    cr_expect_str_eq(process.command, "[a) b (c]");
    free(process.command);
}

Test(processes, refuses_what_is_no_stat_line)
{
    static const char *const bad[] = {"", "42", "42 (a", "42 )a(", "42 (a)", "42 (a) S", "42 (a) S 1 2 x", "42 (a) S 1 2 3"};
    struct process process;
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        cr_expect_not(process_parse(bad[i], 100, 0, &process), "'%s'", bad[i]);
}
