/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "base/str.h"
#include "netd/ports.h"
#include "netd/resolv.h"
#include "netd/sysctl.h"
#include "world.h"

Test(resolv, renders_the_three_files)
{
    struct net *net = world_net("p_default", "default", "10.0.0.0/24", "fd00::/64", false);
    struct sandbox *sandbox = world_sandbox('a', "web", "p-web-1");
    static const struct label hosts[] = {{"gw", "host-gateway"}, {"db", "10.9.9.9"}, {"db", "fd01::9"}};
    struct endpoint_request endpoint = {.network = "p_default"};
    struct sandbox_request request = {.hostname = "web", .domainname = "example.com", .extra_hosts = hosts,
                                      .extra_host_count = 3, .endpoints = &endpoint, .endpoint_count = 1};
    struct addr gateway = {4, {10, 0, 0, 1}};
    struct resolv_conf host;
    struct str out = {0};

    world_attach(sandbox, net, "10.0.0.2", "fd00::2", NULL);
    resolv_conf_parse("# x\nnameserver 127.0.0.53 \nnameserver fe80::1%eth0\nnameserver bad\n"
                      "search a.example; no\n search lan.example b.example\noptions ndots:5 edns0 x\"y\n", &host);
    cr_expect_eq(strv_len(host.servers), 2);
    char *files[] = {hosts_render(&request, sandbox, &gateway), resolv_render(&request, &host),
                     hostname_render(&request)};
    for (size_t i = 0; i < 3; i++) {
        str_addf(&out, "--- %zu\n%s", i, files[i]);
        free(files[i]);
    }
    golden_expect_netd("etc.txt", str_text(&out));
    str_done(&out);
    resolv_conf_done(&host);
    sandbox_free(sandbox);
    net_free(net);
}

Test(resolv, lets_no_text_become_a_second_line)
{
    static const char *const bad_list[] = {"a\nnameserver 6.6.6.6", NULL};
    static const char *const dot[] = {".", NULL};
    static const struct label bad_host[] = {{"a b", "10.0.0.1"}}, bad_addr[] = {{"a", "10.0.0.1 evil"}};
    const struct { struct sandbox_request request; int result; } cases[] = {
        {{.hostname = "web-1"}, 0},
        {{.hostname = "web\nevil"}, -1},
        {{.hostname = "web", .domainname = "x y"}, -1},
        {{.dns = bad_list}, -1},
        {{.dns_search = bad_list}, -1},
        {{.dns_search = dot}, 0},
        {{.dns_opt = bad_list}, -1},
        {{.extra_hosts = bad_host, .extra_host_count = 1}, -1},
        {{.extra_hosts = bad_addr, .extra_host_count = 1}, -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = {0};
        cr_expect_eq(resolv_check_request(&cases[i].request, &err), cases[i].result, "case %zu: %s", i, err.message);
    }
}

static const struct { const char *key, *path; } sysctls[] = {
    {"net.ipv4.ip_forward", "/proc/sys/net/ipv4/ip_forward"},
    {"net/ipv4/ip_forward", "/proc/sys/net/ipv4/ip_forward"},
    {"net.ipv4.conf.eth0/1.rp_filter", "/proc/sys/net/ipv4/conf/eth0.1/rp_filter"},
    {"net/ipv4/conf/eth0.1/rp_filter", "/proc/sys/net/ipv4/conf/eth0.1/rp_filter"},
    {"kernel.shmmax", NULL}, {"net", NULL}, {"net.", NULL}, {"net...kernel.x", NULL}, {"net/../kernel/x", NULL},
    {"net.ipv4.ip_forward=1", NULL}, {"", NULL}, {"net.ipv4//x", NULL}, {".net.ipv4", NULL},
};

Test(sysctl, stays_in_the_network_namespace)
{
    for (size_t i = 0; i < ARRAY_LEN(sysctls); i++) {
        char path[SYSCTL_PATH_MAX];
        struct err err = {0};
        int result = sysctl_path(sysctls[i].key, path, &err);
        cr_expect_eq(result, sysctls[i].path ? 0 : -1, "case '%s'", sysctls[i].key);
        if (result == 0 && sysctls[i].path)
            cr_expect_str_eq(path, sysctls[i].path);
    }
}

Test(ports, collide_on_overlapping_addresses)
{
    const struct { const char *held, *wanted; uint16_t port; enum port_proto proto; bool collide; } cases[] = {
        {"0.0.0.0", "127.0.0.1", 80, PORT_TCP, true},  {"127.0.0.1", "0.0.0.0", 80, PORT_TCP, true},
        {"127.0.0.1", "127.0.0.2", 80, PORT_TCP, false}, {"0.0.0.0", "0.0.0.0", 81, PORT_TCP, false},
        {"0.0.0.0", "0.0.0.0", 80, PORT_UDP, false},   {"0.0.0.0", "::", 80, PORT_TCP, false},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct port_hold hold = {.fd = -1, .bound = {.proto = PORT_TCP, .host = 80, .target = 1}};
        struct addr wanted;
        cr_assert(addr_parse(cases[i].held, &hold.host) && addr_parse(cases[i].wanted, &wanted));
        cr_expect_eq(ports_collide(&hold, cases[i].proto, &wanted, cases[i].port), cases[i].collide, "case %zu", i);
    }
}
