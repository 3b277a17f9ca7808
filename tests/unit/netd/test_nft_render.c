/* SPDX-License-Identifier: Apache-2.0 */
/* Rules as golden texts: the whole ruleset is the expectation. */
#include <criterion/criterion.h>

#include "netd/nft_render.h"
#include "world.h"

Test(nft_render, renders_a_whole_table)
{
    struct net *nets[] = {
        world_net("p_default", "default", "172.20.0.0/24", "fd00:1::/64", false),
        world_net("p_back", "back", "172.20.1.0/24", NULL, true),
        world_net("q_plain", "plain", "10.5.0.0/16", NULL, false),
    };
    nets[2]->masquerade = false;
    struct sandbox *web = world_sandbox('a', "web", "p-web-1"), *db = world_sandbox('b', "db", "p-db-1");
    world_attach(web, nets[1], "172.20.1.2", NULL, NULL);
    world_attach(web, nets[0], "172.20.0.2", "fd00:1::2", NULL);
    world_attach(db, nets[1], "172.20.1.3", NULL, NULL);
    world_publish(web, PORT_TCP, "0.0.0.0", 8080, 80);
    world_publish(web, PORT_TCP, "::", 8080, 80);
    world_publish(web, PORT_TCP, "127.0.0.1", 8081, 81);
    world_publish(web, PORT_UDP, "192.0.2.1", 5353, 53);
    world_publish(web, PORT_TCP, "2001:db8::1", 443, 443);
    struct sandbox *sandboxes[] = {web, db};
    struct str out = {0};

    nft_render_table(&out, "winch-1a2b3c4d", true, nets, 3, sandboxes, 2);
    golden_expect_netd("table.nft", str_text(&out));
    str_clear(&out);
    nft_render_table(&out, "winch", false, NULL, 0, NULL, 0);
    golden_expect_netd("table-empty.nft", str_text(&out));
    str_clear(&out);
    nft_render_net(&out, "winch", nets[0], false);
    nft_render_ports(&out, "winch", web, false);
    nft_render_ports(&out, "winch", db, false);
    golden_expect_netd("changes.nft", str_text(&out));
    str_clear(&out);
    nft_render_resolver(&out, 61053);
    golden_expect_netd("resolver.nft", str_text(&out));
    str_done(&out);
    sandbox_free(web);
    sandbox_free(db);
    for (size_t i = 0; i < 3; i++)
        net_free(nets[i]);
}

Test(nft_render, publishes_to_the_endpoint_with_the_default_route)
{
    struct net *front = world_net("front", "front", "10.0.0.0/24", NULL, false);
    struct net *other = world_net("other", "other", "10.0.1.0/24", NULL, false);
    struct net *inner = world_net("inner", "inner", "10.0.2.0/24", NULL, true);
    struct sandbox *web = world_sandbox('a', "web", "web");
    world_attach(web, inner, "10.0.2.2", NULL, NULL)->gw_priority = 9;
    world_attach(web, front, "10.0.0.2", NULL, NULL);
    world_attach(web, other, "10.0.1.2", NULL, NULL);
    cr_expect_eq(sandbox_gateway_endpoint(web, 4)->net, front);
    cr_expect_null(sandbox_gateway_endpoint(web, 6));
    web->endpoints.items[2].gw_priority = 1;
    cr_expect_eq(sandbox_gateway_endpoint(web, 4)->net, other);
    sandbox_free(web);
    net_free(front);
    net_free(other);
    net_free(inner);
}
