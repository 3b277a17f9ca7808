/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "netd/addr.h"

static const struct { const char *text, *first, *last, *network; } cidrs[] = {
    {"10.1.2.3/24", "10.1.2.0", "10.1.2.255", "10.1.2.0/24"},
    {"10.1.2.3/32", "10.1.2.3", "10.1.2.3", "10.1.2.3/32"},
    {"10.1.2.3/0", "0.0.0.0", "255.255.255.255", "0.0.0.0/0"},
    {"172.20.255.9/14", "172.20.0.0", "172.23.255.255", "172.20.0.0/14"},
    {"fd00::1/64", "fd00::", "fd00::ffff:ffff:ffff:ffff", "fd00::/64"},
};

Test(addr, knows_the_borders_of_a_subnet)
{
    for (size_t i = 0; i < ARRAY_LEN(cidrs); i++) {
        struct cidr cidr;
        char text[CIDR_TEXT_SIZE];
        cr_assert(cidr_parse(cidrs[i].text, &cidr), "case '%s'", cidrs[i].text);
        struct addr first = cidr_first(&cidr), last = cidr_last(&cidr);
        cr_expect_str_eq(addr_format(&first, text), cidrs[i].first);
        cr_expect_str_eq(addr_format(&last, text), cidrs[i].last);
        cidr = cidr_network(cidr);
        cr_expect_str_eq(cidr_format(&cidr, text), cidrs[i].network);
    }
}

static const char *const bad[] = {"", "10.0.0.0", "10.0.0.0/", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/-1", "::/129", "x/8", "10.0.0.0/8x"};

Test(addr, refuses_what_is_no_subnet)
{
    struct cidr cidr;
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        cr_expect_not(cidr_parse(bad[i], &cidr), "case '%s'", bad[i]);
}

static const struct { const char *a, *b; bool overlap; } pairs[] = {
    {"10.0.0.0/8", "10.9.0.0/16", true},   {"10.9.0.0/16", "10.0.0.0/8", true}, {"10.0.0.0/24", "10.0.1.0/24", false},
    {"0.0.0.0/0", "192.0.2.0/24", true},   {"fd00::/64", "fd00::1/128", true},  {"fd00::/64", "10.0.0.0/8", false},
};

Test(addr, sees_overlaps_both_ways)
{
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        struct cidr a, b;
        cr_assert(cidr_parse(pairs[i].a, &a) && cidr_parse(pairs[i].b, &b));
        cr_expect_eq(cidr_overlaps(&a, &b), pairs[i].overlap, "case %s %s", pairs[i].a, pairs[i].b);
        cr_expect_eq(cidr_overlaps(&b, &a), pairs[i].overlap, "case %s %s", pairs[i].b, pairs[i].a);
    }
}

Test(addr, adds_with_carry)
{
    struct addr addr;
    char text[ADDR_TEXT_SIZE];
    cr_assert(addr_parse("10.0.255.255", &addr));
    addr = addr_add(addr, 1);
    cr_expect_str_eq(addr_format(&addr, text), "10.1.0.0");
    addr = addr_add(addr, 0x10100);
    cr_expect_str_eq(addr_format(&addr, text), "10.2.1.0");
}
