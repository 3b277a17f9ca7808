/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "base/str.h"
#include "netd/ipam.h"
#include "netd/store.h"

static struct net *make(const char *subnet, const char *range)
{
    struct subnet_request wanted = {.subnet = subnet, .ip_range = range};
    struct network_request request = {
        .name = "p_default", .key = "default", .enable_ipv4 = true, .subnets = &wanted, .subnet_count = subnet ? 1 : 0};
    struct net *net = NULL;
    struct err err = {0};
    cr_assert_eq(ipam_plan_network(&request, "", "now", NULL, 0, &net, &err), 0, "%s", err.message);
    return net;
}

/* The address given to key as text, or the error's word. */
static const char *lease(struct net *net, const char *key, const char *wanted)
{
    static char text[ADDR_TEXT_SIZE];
    struct addr addr, asked;
    struct err err = {0};
    if (wanted)
        cr_assert(addr_parse(wanted, &asked));
    if (ipam_lease(net, 4, key, wanted ? &asked : NULL, &addr, &err) < 0)
        return err_code_text(err.code);
    return addr_format(&addr, text);
}

Test(ipam, gives_the_same_key_the_same_address)
{
    struct net *net = make(NULL, NULL);
    cr_expect_str_eq(lease(net, "p/web/1", NULL), "172.20.0.2");
    cr_expect_str_eq(lease(net, "p/app/1", NULL), "172.20.0.3");
    cr_expect(net->dirty);
    net->dirty = false;
    cr_expect_str_eq(lease(net, "p/web/1", NULL), "172.20.0.2");
    cr_expect_not(net->dirty);
    net_free(net);
}

Test(ipam, lets_a_freed_address_rest_for_a_round)
{
    struct net *net = make("10.0.0.0/29", NULL);
    cr_expect_str_eq(lease(net, "a", NULL), "10.0.0.2");
    cr_expect(ipam_release(net, "a"));
    cr_expect_not(ipam_release(net, "a"));
    cr_expect_str_eq(lease(net, "b", NULL), "10.0.0.3");
    cr_expect_str_eq(lease(net, "c", NULL), "10.0.0.4");
    cr_expect_str_eq(lease(net, "d", NULL), "10.0.0.5");
    cr_expect_str_eq(lease(net, "e", NULL), "10.0.0.6");
    cr_expect_str_eq(lease(net, "f", NULL), "10.0.0.2");
    cr_expect_str_eq(lease(net, "g", NULL), "limit");
    cr_expect(ipam_release(net, "d"));
    cr_expect_str_eq(lease(net, "g", NULL), "10.0.0.5");
    net_free(net);
}

Test(ipam, leaks_nothing_in_two_thousand_rounds)
{
    struct net *net = make("10.0.0.0/29", NULL);
    for (int i = 0; i < 2000; i++) {
        cr_assert(str_has_prefix(lease(net, "id/x", NULL), "10.0.0."));
        cr_assert(ipam_release(net, "id/x"));
    }
    net_free(net);
}

Test(ipam, obeys_static_addresses_and_ranges)
{
    struct net *net = make("10.0.0.0/24", "10.0.0.128/25");
    cr_expect_str_eq(lease(net, "a", NULL), "10.0.0.128");
    cr_expect_str_eq(lease(net, "b", "10.0.0.7"), "10.0.0.7");
    cr_expect_str_eq(lease(net, "c", "10.0.0.7"), "busy");
    cr_expect_str_eq(lease(net, "c", "10.0.0.1"), "busy");
    cr_expect_str_eq(lease(net, "c", "10.0.0.255"), "busy");
    cr_expect_str_eq(lease(net, "c", "10.0.1.7"), "config");
    cr_expect_str_eq(lease(net, "b", "10.0.0.8"), "10.0.0.8");
    cr_expect_str_eq(lease(net, "c", "10.0.0.7"), "10.0.0.7");
    net_free(net);
}

Test(ipam, avoids_what_is_taken_and_names_both_sides)
{
    struct ipam_taken taken[] = {{.owner = "host route 172.20.0.0/23 on tun0"}, {.owner = "network 'b'"}};
    struct subnet_request wanted = {.subnet = "10.8.0.0/16"};
    struct network_request request = {.name = "n", .key = "front", .enable_ipv4 = true};
    struct net *net = NULL;
    struct err err = {0};
    char text[CIDR_TEXT_SIZE];

    cr_assert(cidr_parse("172.20.0.0/23", &taken[0].cidr) && cidr_parse("10.8.3.0/24", &taken[1].cidr));
    cr_assert_eq(ipam_plan_network(&request, "", "now", taken, 2, &net, &err), 0);
    cr_expect_str_eq(cidr_format(&net->subnets.items[0].net, text), "172.20.2.0/24");
    net_free(net);
    request.subnets = &wanted;
    request.subnet_count = 1;
    cr_assert_eq(ipam_plan_network(&request, "", "now", taken, 2, &net, &err), -1);
    cr_expect_eq(err.code, ERR_BUSY);
    cr_expect_str_eq(err.message, "subnet 10.8.0.0/16 overlaps network 'b'");
    cr_expect_str_eq(err.hint, "choose another networks.front.ipam.config[0].subnet");
}

static const struct { struct subnet_request subnet; const char *driver, *option; enum err_code code; } bad[] = {
    {{.subnet = "10.0.0.1/24"}, NULL, NULL, ERR_CONFIG},
    {{.subnet = "10.0.0.0/31"}, NULL, NULL, ERR_CONFIG},
    {{.subnet = "ten"}, NULL, NULL, ERR_CONFIG},
    {{.subnet = "fd00::/64"}, NULL, NULL, ERR_CONFIG},
    {{.subnet = "10.0.0.0/24", .gateway = "10.0.1.1"}, NULL, NULL, ERR_CONFIG},
    {{.subnet = "10.0.0.0/24", .ip_range = "10.0.0.0/16"}, NULL, NULL, ERR_CONFIG},
    {{.subnet = "10.0.0.0/24"}, "overlay", NULL, ERR_UNSUPPORTED},
    {{.subnet = "10.0.0.0/24"}, NULL, "com.example.unknown", ERR_UNSUPPORTED},
    {{.subnet = "10.0.0.0/24"}, NULL, "com.docker.network.driver.mtu", ERR_CONFIG},
};

Test(ipam, refuses_bad_requests)
{
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct label option = {bad[i].option, "x"};
        struct network_request request = {.name = "n",
                                          .enable_ipv4 = true,
                                          .driver = bad[i].driver,
                                          .subnets = &bad[i].subnet,
                                          .subnet_count = 1,
                                          .options = &option,
                                          .option_count = bad[i].option ? 1 : 0};
        struct net *net = NULL;
        struct err err = {0};
        cr_expect_eq(ipam_plan_network(&request, "", "now", NULL, 0, &net, &err), -1, "case %zu", i);
        cr_expect_eq(err.code, bad[i].code, "case %zu: %s", i, err.message);
    }
}

Test(store, brings_a_network_back_as_it_was)
{
    struct net *net = make("10.0.0.0/24", "10.0.0.128/25"), *copy = NULL;
    struct err err = {0};
    (void)lease(net, "p/web/1", NULL);
    struct jv *value = net_to_json(net);
    cr_assert_eq(net_from_json(value, &copy, &err), 0, "%s", err.message);
    struct jv *again = net_to_json(copy);
    cr_expect(jv_equal(value, again));
    jv_free(value);
    jv_free(again);
    net_free(net);
    net_free(copy);
}

static const char *const damaged[] = {
    "{}",
    "{\"version\":1,\"name\":\"n\"}",
    "{\"version\":1,\"name\":\"../n\",\"interface\":\"wb\"}",
    "{\"version\":1,\"name\":\"n\",\"interface\":\"a\\\"; drop\"}",
    "{\"version\":2,\"name\":\"n\",\"interface\":\"wb\"}",
    "{\"version\":1,\"name\":\"n\",\"interface\":\"wb\",\"subnets\":[{\"subnet\":\"x\"}]}",
    "{\"version\":1,\"name\":\"n\",\"interface\":\"wb\",\"subnets\":[{\"subnet\":\"10.0.0.0/24\",\"gateway\":\"10.0.0.1\"}],\"leases\":{\"10.0.1.2\":\"k\"}}",
};

Test(store, reports_damaged_networks)
{
    for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
        struct net *net = NULL;
        struct jv *value = NULL;
        struct err err = {0};
        cr_assert_eq(jv_parse(damaged[i], strlen(damaged[i]), &value, &err), 0);
        cr_expect_eq(net_from_json(value, &net, &err), -1, "case %zu", i);
        cr_expect(err.message[0]);
        jv_free(value);
    }
}
