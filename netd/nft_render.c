/* SPDX-License-Identifier: Apache-2.0 */
/* nft_render.c - the table and its elements. Order of hooks for a packet from outside: guard
 * (before NAT: what is not ours to receive is dropped while its destination is still what the
 * sender wrote; behind connection tracking, because answers between two networks through a
 * published port are fine) → nat → forward. An accept here ends our chain only: the host's own
 * firewall still sees the packet on the same hook. */
#include "netd/nft_render.h"

#include <stdarg.h>
#include <stdio.h>

static const char table_text[] =
    "table inet %1$s {\n"
    "\tset bridges { type ifname; }\n"
    "\tset internal { type ifname; }\n"
    "\tset same { type ifname . ifname; }\n"
    "\tset subnets4 { type ipv4_addr; flags interval; }\n"
    "\tset subnets6 { type ipv6_addr; flags interval; }\n"
    "\tset own4 { type ifname . ipv4_addr; flags interval; }\n"
    "\tset own6 { type ifname . ipv6_addr; flags interval; }\n"
    "\tset masq4 { type ipv4_addr; flags interval; }\n"
    "\tset masq6 { type ipv6_addr; flags interval; }\n"
    "\tmap pub4 { type inet_proto . inet_service : ipv4_addr . inet_service; }\n"
    "\tmap pub6 { type inet_proto . inet_service : ipv6_addr . inet_service; }\n"
    "\tmap pubip4 { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }\n"
    "\tmap pubip6 { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; }\n"
    "\tchain guard {\n"
    "\t\ttype filter hook prerouting priority mangle; policy accept;\n"
    "\t\tiifname \"lo\" accept\n"
    "\t\tct state established,related accept\n"
    "\t\tip daddr @subnets4 iifname . ip daddr != @own4 drop\n"
    "\t\tip6 daddr @subnets6 iifname . ip6 daddr != @own6 drop\n"
    "\t\tiifname @bridges ip daddr 127.0.0.0/8 drop\n"
    "\t\tiifname @bridges ip saddr 127.0.0.0/8 drop\n"
    "\t}\n"
    "\tchain publish {\n"
    "\t\tdnat ip to ip daddr . meta l4proto . th dport map @pubip4\n"
    "\t\tdnat ip6 to ip6 daddr . meta l4proto . th dport map @pubip6\n"
    "\t\tfib daddr type local dnat ip to meta l4proto . th dport map @pub4\n"
    "\t\tip6 daddr != ::1 fib daddr type local dnat ip6 to meta l4proto . th dport map @pub6\n"
    "\t}\n"
    "\tchain pre {\n"
    "\t\ttype nat hook prerouting priority dstnat; policy accept;\n"
    "\t\tip daddr 127.0.0.0/8 return\n"
    "\t\tiifname @internal return\n"
    "\t\tjump publish\n"
    "\t}\n"
    "\tchain out {\n"
    "\t\ttype nat hook output priority -100; policy accept;\n"
    "\t\tjump publish\n"
    "\t}\n"
    "\tchain post {\n"
    "\t\ttype nat hook postrouting priority srcnat; policy accept;\n"
    "\t\tip saddr 127.0.0.0/8 oifname @bridges masquerade\n"
    "\t\tip saddr @masq4 oifname != @bridges masquerade\n"
    "\t\tip6 saddr @masq6 oifname != @bridges masquerade\n"
    "\t\toifname . ip saddr @own4 ct status dnat masquerade\n"
    "\t\toifname . ip6 saddr @own6 ct status dnat masquerade\n"
    "\t}\n"
    "\tchain inward {\n"
    "\t\ttype filter hook input priority filter; policy accept;\n"
    "\t\tiifname != @internal accept\n"
    "\t\tct state established,related accept\n"
    "\t\ticmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept\n"
    "\t\tdrop\n"
    "\t}\n"
    "\tchain through {\n"
    "\t\ttype filter hook forward priority filter; policy accept;\n"
    "%2$s"
    "\t\tiifname . oifname @same accept\n"
    "\t\tiifname @internal drop\n"
    "\t\toifname @internal drop\n"
    "\t\tct state established,related accept\n"
    "\t\toifname @bridges ct status dnat accept\n"
    "\t\toifname @bridges drop\n"
    "\t}\n"
    "}\n";

static const char guard_text[] =
    "\t\tiifname != @bridges oifname != @bridges ct state established,related accept\n"
    "\t\tiifname != @bridges oifname != @bridges ct status dnat accept\n"
    "\t\tiifname != @bridges oifname != @bridges drop\n";

static void add_element(struct str *out, const char *table, bool add, const char *set,
                        const char *format, ...) __attribute__((format(printf, 5, 6)));
static void add_element(struct str *out, const char *table, bool add, const char *set,
                        const char *format, ...)
{
    char element[160];
    va_list args;

    va_start(args, format);
    vsnprintf(element, sizeof(element), format, args);
    va_end(args);
    str_addf(out, "%s element inet %s %s { %s }\n", add ? "add" : "delete", table, set, element);
}

void nft_render_net(struct str *out, const char *table, const struct net *net, bool add)
{
    const char *name = net->interface;

    add_element(out, table, add, "bridges", "\"%s\"", name);
    add_element(out, table, add, "same", "\"%s\" . \"%s\"", name, name);
    if (net->internal)
        add_element(out, table, add, "internal", "\"%s\"", name);
    for (size_t i = 0; i < net->subnets.count; i++) {
        const struct cidr *cidr = &net->subnets.items[i].net;
        char text[CIDR_TEXT_SIZE];
        const char *family = cidr->addr.family == 4 ? "4" : "6";
        char set[16];

        cidr_format(cidr, text);
        snprintf(set, sizeof(set), "subnets%s", family);
        add_element(out, table, add, set, "%s", text);
        snprintf(set, sizeof(set), "own%s", family);
        add_element(out, table, add, set, "\"%s\" . %s", name, text);
        if (!net->internal && net->masquerade) {
            snprintf(set, sizeof(set), "masq%s", family);
            add_element(out, table, add, set, "%s", text);
        }
    }
}

const struct endpoint *sandbox_gateway_endpoint(const struct sandbox *sandbox, uint8_t family)
{
    const struct endpoint *best = NULL;
    for (size_t i = 0; i < sandbox->endpoints.count; i++) {
        const struct endpoint *endpoint = &sandbox->endpoints.items[i];
        const struct addr *addr = family == 4 ? &endpoint->ip4 : &endpoint->ip6;
        if (endpoint->net->internal || !addr_is_set(addr))
            continue;
        if (!best || endpoint->gw_priority > best->gw_priority)
            best = endpoint;
    }
    return best;
}

void nft_render_ports(struct str *out, const char *table, const struct sandbox *sandbox, bool add)
{
    for (size_t i = 0; i < sandbox->ports.count; i++) {
        const struct port_hold *hold = &sandbox->ports.items[i];
        static const struct addr any4 = {.family = 4}, any6 = {.family = 6};
        bool v4 = hold->host.family == 4;
        const struct endpoint *endpoint = sandbox_gateway_endpoint(sandbox, hold->host.family);
        char host[ADDR_TEXT_SIZE], target[ADDR_TEXT_SIZE];
        if (!endpoint)
            continue;
        addr_format(v4 ? &endpoint->ip4 : &endpoint->ip6, target);
        addr_format(&hold->host, host);
        const char *proto = port_proto_text(hold->bound.proto);
        if (addr_equal(&hold->host, v4 ? &any4 : &any6))
            add_element(out, table, add, v4 ? "pub4" : "pub6", "%s . %u : %s . %u", proto,
                        hold->bound.host, target, hold->bound.target);
        else
            add_element(out, table, add, v4 ? "pubip4" : "pubip6", "%s . %s . %u : %s . %u", host,
                        proto, hold->bound.host, target, hold->bound.target);
    }
}

void nft_render_table(struct str *out, const char *table, bool guard_forward,
                      struct net *const *nets, size_t net_count, struct sandbox *const *sandboxes,
                      size_t sandbox_count)
{
    nft_render_delete(out, table);
    str_addf(out, table_text, table, guard_forward ? guard_text : "");
    for (size_t i = 0; i < net_count; i++)
        nft_render_net(out, table, nets[i], true);
    for (size_t i = 0; i < sandbox_count; i++)
        nft_render_ports(out, table, sandboxes[i], true);
}

void nft_render_delete(struct str *out, const char *table)
{
    /* adding it first makes the deletion valid when there is none */
    str_addf(out, "add table inet %s\ndelete table inet %s\n", table, table);
}

/* The last rule: while nobody listens the kernel refuses in an ICMP message that quotes the packet
 * with our port, in which the asker would not see its own; it would wait for seconds instead of
 * asking again. The quoted destination port (ICMP header 8 + IP header 20 + 2 bytes in) gets its
 * old value back, and an unused field of the message (the next-hop MTU, 6 bytes in) the difference,
 * so that the checksum stays right: nft does not update it for raw bytes. */
void nft_render_resolver(struct str *out, uint16_t port)
{
    str_addf(out,
             "create table ip winch_resolver\n"
             "table ip winch_resolver {\n"
             "\tchain names {\n"
             "\t\ttype filter hook output priority raw; policy accept;\n"
             "\t\tip daddr 127.0.0.11 udp dport 53 udp dport set %1$u notrack\n"
             "\t\tip daddr 127.0.0.11 tcp dport 53 tcp dport set %1$u notrack\n"
             "\t\tip saddr 127.0.0.11 udp sport %1$u udp sport set 53 notrack\n"
             "\t\tip saddr 127.0.0.11 tcp sport %1$u tcp sport set 53 notrack\n"
             "\t\tip saddr 127.0.0.11 icmp type destination-unreachable icmp code port-unreachable "
             "@th,240,16 %1$u @th,48,16 set %2$u @th,240,16 set 53\n"
             "\t}\n"
             "}\n",
             port, port - 53u);
}
