/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "netd/dns_wire.h"
#include "netd/dns_zone.h"
#include "world.h"

/* A query for name (dotted) of that type in buffer; returns its size. */
static size_t build(uint8_t *buffer, const char *name, unsigned type, bool edns)
{
    static const uint8_t header[12] = {0x12, 0x34, 0x01, 0x00, 0, 1};
    size_t size = sizeof(header);
    memcpy(buffer, header, size);
    while (*name) {
        size_t label = strcspn(name, ".");
        buffer[size++] = (uint8_t)label;
        memcpy(buffer + size, name, label);
        size += label;
        name += label + (name[label] == '.');
    }
    buffer[size++] = 0;
    buffer[size++] = (uint8_t)(type >> 8);
    buffer[size++] = (uint8_t)type;
    buffer[size++] = 0;
    buffer[size++] = 1;
    if (edns) {
        static const uint8_t opt[11] = {0, 0, DNS_OPT, 0x10, 0};
        buffer[11] = 1;
        memcpy(buffer + size, opt, sizeof(opt));
        size += sizeof(opt);
    }
    return size;
}

Test(dns_wire, reads_a_query)
{
    uint8_t data[600];
    struct dns_query query;
    size_t size = build(data, "WEB.Example.com", DNS_A, true);
    cr_assert_eq(dns_query_parse(data, size, &query), DNS_GOOD);
    cr_expect_str_eq(query.name, "web.example.com");
    cr_expect_eq(query.id, 0x1234);
    cr_expect_eq(query.type, DNS_A);
    cr_expect(query.edns);
    cr_expect_eq(query.udp_size, 4096);
    size = build(data, "", 2, false);
    cr_assert_eq(dns_query_parse(data, size, &query), DNS_GOOD);
    cr_expect_str_eq(query.name, "");
    cr_expect_eq(query.udp_size, 512);
}

/* each changes one byte of a good query (offset 0xffff: cuts behind `value` bytes instead) */
static const struct { size_t offset; uint8_t value; enum dns_verdict verdict; } mutations[] = {
    {2, 0x81, DNS_IGNORE},          /* a response */
    {2, 0x29, DNS_UNSUPPORTED},     /* opcode 5 */
    {5, 0, DNS_BAD},                /* no question */
    {5, 2, DNS_BAD},                /* two */
    {4, 0xff, DNS_BAD},             /* 65,281 */
    {7, 1, DNS_BAD},                /* an answer that is not there */
    {11, 1, DNS_BAD},               /* a record that is not there */
    {12, 0xc0, DNS_BAD},            /* a pointer, to itself with the next byte */
    {12, 0x40, DNS_BAD},            /* a label of 64 bytes */
    {12, 63, DNS_BAD},              /* a label beyond the end */
    {0xffff, 11, DNS_IGNORE},       {0xffff, 12, DNS_BAD}, {0xffff, 14, DNS_BAD}, {0xffff, 20, DNS_BAD},
};

Test(dns_wire, survives_damage)
{
    for (size_t i = 0; i < ARRAY_LEN(mutations); i++) {
        uint8_t data[600], answer[600];
        struct dns_query query;
        size_t size = build(data, "web", DNS_A, false);
        if (mutations[i].offset == 0xffff)
            size = mutations[i].value;
        else
            data[mutations[i].offset] = mutations[i].value;
        enum dns_verdict verdict = dns_query_parse(data, size, &query);
        cr_expect_eq(verdict, mutations[i].verdict, "case %zu gave %d", i, verdict);
        if (verdict != DNS_IGNORE)
            cr_expect_leq(dns_answer_empty(&query, DNS_FORMERR, answer, sizeof(answer)), size + 11);
    }
}

Test(dns_wire, truncates_what_does_not_fit)
{
    uint8_t data[600], answer[DNS_MESSAGE_MAX];
    struct dns_query query;
    struct addr addrs[100] = {{0}};
    size_t size = build(data, "web", DNS_A, false);
    for (size_t i = 0; i < 100; i++)
        addrs[i] = (struct addr){4, {10, 0, 0, (uint8_t)i}};
    cr_assert_eq(dns_query_parse(data, size, &query), DNS_GOOD);
    size = dns_answer_addrs(&query, addrs, 100, 0, answer, 512);
    cr_expect_leq(size, 512);
    cr_expect(answer[2] & 0x02);
    size = dns_answer_addrs(&query, addrs, 100, 0, answer, sizeof(answer));
    cr_expect_not(answer[2] & 0x02);
    cr_expect_eq(answer[7], 100);
    cr_expect_eq(size, 12 + 5 + 4 + 100 * 16);
}

Test(dns_wire, believes_only_the_matching_reply)
{
    uint8_t data[600], reply[600];
    struct dns_query query;
    size_t size = build(data, "example.com", DNS_A, false);
    cr_assert_eq(dns_query_parse(data, size, &query), DNS_GOOD);
    size_t reply_size = dns_answer_empty(&query, DNS_NOERROR, reply, sizeof(reply));
    cr_expect(dns_reply_matches(&query, 0x1234, reply, reply_size));
    cr_expect_not(dns_reply_matches(&query, 0x1235, reply, reply_size));
    cr_expect_not(dns_reply_matches(&query, 0x1234, reply, 11));
    reply[13] ^= 0x20; /* other case */
    cr_expect_not(dns_reply_matches(&query, 0x1234, reply, reply_size));
    reply[13] ^= 0x20;
    reply[2] &= 0x7f; /* a query */
    cr_expect_not(dns_reply_matches(&query, 0x1234, reply, reply_size));
}

static const struct { const char *name, *addr; } reverses[] = {
    {"2.0.20.172.in-addr.arpa", "172.20.0.2"},
    {"2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.0.0.0.0.d.f.ip6.arpa", "fd00:1::2"},
    {"1.2.3.in-addr.arpa", NULL}, {"256.0.0.1.in-addr.arpa", NULL}, {"in-addr.arpa", NULL}, {"x.ip6.arpa", NULL},
};

Test(dns_wire, reads_reverse_names)
{
    for (size_t i = 0; i < ARRAY_LEN(reverses); i++) {
        struct addr addr;
        char text[ADDR_TEXT_SIZE];
        bool good = dns_reverse_parse(reverses[i].name, &addr);
        cr_expect_eq(good, reverses[i].addr != NULL, "case '%s'", reverses[i].name);
        if (good && reverses[i].addr)
            cr_expect_str_eq(addr_format(&addr, text), reverses[i].addr);
    }
}

struct cast {
    struct net *front, *back, *other;
    struct sandbox *web1, *web2, *db, *stranger;
    struct zone *zone;
};

static struct cast make_cast(void)
{
    struct cast cast = {
        .front = world_net("p_front", "front", "10.0.0.0/24", NULL, false),
        .back = world_net("p_back", "back", "10.0.1.0/24", "fd00::/64", true),
        .other = world_net("q_front", "front", "10.0.2.0/24", NULL, false),
        .web1 = world_sandbox('1', "web", "p-web-1"),
        .web2 = world_sandbox('2', "web", "p-web-2"),
        .db = world_sandbox('3', "db", "p-db-1"),
        .stranger = world_sandbox('4', "web", "q-web-1"),
        .zone = zone_new(),
    };
    world_attach(cast.web1, cast.front, "10.0.0.2", NULL, "www.example.com");
    world_attach(cast.web1, cast.back, "10.0.1.2", "fd00::2", NULL);
    world_attach(cast.web2, cast.front, "10.0.0.3", NULL, NULL);
    world_attach(cast.db, cast.back, "10.0.1.3", "fd00::3", "Mongo");
    world_attach(cast.stranger, cast.other, "10.0.2.2", NULL, NULL);
    zone_add(cast.zone, cast.web1);
    zone_add(cast.zone, cast.web2);
    zone_add(cast.zone, cast.db);
    zone_add(cast.zone, cast.stranger);
    return cast;
}

/* The answer as text: "10.0.0.2 10.0.0.3", "PTR x", "NXDOMAIN", "REFUSED", "FORWARD". */
static char *ask(struct cast *cast, const struct sandbox *asker, const char *name)
{
    struct dns_query query = {.type = DNS_A};
    struct zone_answer answer = {0};
    struct str out = {0};
    char text[ADDR_TEXT_SIZE];
    snprintf(query.name, sizeof(query.name), "%s", name);
    switch (zone_lookup(cast->zone, asker, &query, &answer)) {
    case ZONE_ADDRS:
        for (size_t i = 0; i < answer.addrs.count; i++)
            str_addf(&out, "%s%s", i ? " " : "", addr_format(&answer.addrs.items[i], text));
        break;
    case ZONE_PTR:
        str_addf(&out, "PTR %s", answer.name);
        break;
    case ZONE_NXDOMAIN:
        str_add(&out, "NXDOMAIN");
        break;
    case ZONE_REFUSED:
        str_add(&out, "REFUSED");
        break;
    case ZONE_FORWARD:
        str_add(&out, "FORWARD");
        break;
    }
    VEC_DONE(&answer.addrs);
    return str_take(&out);
}

Test(dns_zone, scopes_names_to_common_networks)
{
    struct cast cast = make_cast();
    const struct { const struct sandbox *asker; const char *name, *answer; } cases[] = {
        {cast.web1, "web", "10.0.0.2 10.0.0.3|10.0.0.3 10.0.0.2"}, /* rotated */
        {cast.web1, "web", "10.0.0.2 10.0.0.3|10.0.0.3 10.0.0.2"},
        {cast.web2, "p-web-1", "10.0.0.2"},
        {cast.web2, "www.example.com", "10.0.0.2"}, /* ours win over public names */
        {cast.web2, "web.p_front", "10.0.0.2 10.0.0.3|10.0.0.3 10.0.0.2"},
        {cast.web2, "p-web-2.front", "10.0.0.3"},
        {cast.web2, "222222222222", "10.0.0.3"},
        {cast.web2, "db", "NXDOMAIN"},
        {cast.web2, "db.p_back", "FORWARD"}, /* not our network's suffix: somebody else's name */
        {cast.web2, "nosuch.p_front", "NXDOMAIN"},
        {cast.web1, "db", "10.0.1.3 fd00::3"},
        {cast.web1, "mongo", "10.0.1.3 fd00::3"},
        {cast.db, "web", "10.0.1.2 fd00::2"},
        {cast.stranger, "web", "10.0.2.2"},
        {cast.stranger, "p-web-1", "NXDOMAIN"},
        {cast.web1, "localhost", "127.0.0.1 ::1"},
        {cast.web1, "com", "NXDOMAIN"},
        {cast.web1, "", "FORWARD"},
        {cast.web1, "example.org", "FORWARD"},
        {cast.db, "example.org", "REFUSED"},
        {cast.web1, "3.0.0.10.in-addr.arpa", "PTR p-web-2.p_front"},
        {cast.web1, "9.0.0.10.in-addr.arpa", "NXDOMAIN"},
        {cast.web1, "2.2.0.10.in-addr.arpa", "FORWARD"},
        {cast.db, "8.8.8.8.in-addr.arpa", "REFUSED"},
        {cast.db, "1.0.0.127.in-addr.arpa", "PTR localhost"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *answer = ask(&cast, cases[i].asker, cases[i].name);
        char **allowed = strv_split(cases[i].answer, "|");
        cr_expect(strv_has(allowed, answer), "case %zu '%s' gave '%s'", i, cases[i].name, answer);
        strv_free(allowed);
        free(answer);
    }
    zone_remove(cast.zone, cast.web2);
    char *answer = ask(&cast, cast.web1, "web");
    cr_expect_str_eq(answer, "10.0.0.2");
    free(answer);
    answer = ask(&cast, cast.web1, "p-web-2");
    cr_expect_str_eq(answer, "NXDOMAIN");
    free(answer);
    zone_free(cast.zone);
}
