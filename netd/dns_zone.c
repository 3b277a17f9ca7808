/* SPDX-License-Identifier: Apache-2.0 */
/* dns_zone.c - an index "<network>\n<name>" → the containers that have it there. */
#include "netd/dns_zone.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/id.h"
#include "base/map.h"
#include "base/str.h"

struct owner {
    const struct sandbox *sandbox; /* only for comparing */
    struct addr ip4, ip6;
    char *canonical; /* what a reverse lookup says */
};

struct entry {
    VEC(struct owner) owners;
};

struct zone {
    struct map *names;
    unsigned turn; /* rotates the replicas of a service */
};

static void entry_free(void *value)
{
    struct entry *entry = value;
    for (size_t i = 0; i < entry->owners.count; i++)
        free(entry->owners.items[i].canonical);
    VEC_DONE(&entry->owners);
    free(entry);
}

struct zone *zone_new(void)
{
    struct zone *zone = xcalloc(1, sizeof(*zone));
    zone->names = map_new(entry_free);
    return zone;
}

void zone_free(struct zone *zone)
{
    if (!zone)
        return;
    map_free(zone->names);
    free(zone);
}

static char *make_key(const struct net *net, const char *name, const char *suffix)
{
    char *key = xasprintf("%s\n%s%s%s", net->name, name, suffix ? "." : "", suffix ? suffix : "");
    for (char *at = strchr(key, '\n'); *at; at++)
        *at = (char)tolower((unsigned char)*at);
    return key;
}

/* All keys of one endpoint, without repetition. */
static char **endpoint_keys(const struct sandbox *sandbox, const struct endpoint *endpoint)
{
    const struct net *net = endpoint->net;
    char short_id[ID_SHORT_SIZE], text[ADDR_TEXT_SIZE];
    const char *suffixes[] = {NULL, net->name, net->key};
    char **names = NULL, **keys = NULL;

    id_short(sandbox->id, short_id);
    if (sandbox->service)
        names = strv_add(names, sandbox->service);
    if (sandbox->name)
        names = strv_add(names, sandbox->name);
    names = strv_add(names, short_id);
    for (size_t i = 0; endpoint->aliases && endpoint->aliases[i]; i++)
        names = strv_add(names, endpoint->aliases[i]);
    for (size_t i = 0; names[i]; i++)
        for (size_t j = 0; j < ARRAY_LEN(suffixes); j++) {
            if (j > 0 && !suffixes[j])
                continue;
            _cleanup_free_ char *key = make_key(net, names[i], suffixes[j]);
            if (!strv_has(keys, key))
                keys = strv_add(keys, key);
        }
    const struct addr *addrs[] = {&endpoint->ip4, &endpoint->ip6};
    for (size_t i = 0; i < ARRAY_LEN(addrs); i++)
        if (addr_is_set(addrs[i])) {
            _cleanup_free_ char *key = xasprintf("%s\n#%s", net->name, addr_format(addrs[i], text));
            keys = strv_add(keys, key);
        }
    strv_free(names);
    return keys;
}

void zone_add(struct zone *zone, const struct sandbox *sandbox)
{
    for (size_t i = 0; i < sandbox->endpoints.count; i++) {
        const struct endpoint *endpoint = &sandbox->endpoints.items[i];
        char **keys = endpoint_keys(sandbox, endpoint);
        for (size_t j = 0; keys[j]; j++) {
            struct entry *entry = map_find(zone->names, keys[j]);
            if (!entry) {
                entry = xcalloc(1, sizeof(*entry));
                map_set(zone->names, keys[j], entry);
            }
            VEC_ADD(&entry->owners,
                    (struct owner){
                        .sandbox = sandbox,
                        .ip4 = endpoint->ip4,
                        .ip6 = endpoint->ip6,
                        .canonical = xasprintf("%s.%s", sandbox->name ? sandbox->name : sandbox->id,
                                               endpoint->net->name)});
        }
        strv_free(keys);
    }
}

void zone_remove(struct zone *zone, const struct sandbox *sandbox)
{
    for (size_t i = 0; i < sandbox->endpoints.count; i++) {
        char **keys = endpoint_keys(sandbox, &sandbox->endpoints.items[i]);
        for (size_t j = 0; keys[j]; j++) {
            struct entry *entry = map_find(zone->names, keys[j]);
            size_t kept = 0;
            if (!entry)
                continue;
            for (size_t k = 0; k < entry->owners.count; k++) {
                if (entry->owners.items[k].sandbox == sandbox)
                    free(entry->owners.items[k].canonical);
                else
                    entry->owners.items[kept++] = entry->owners.items[k];
            }
            entry->owners.count = kept;
            if (kept == 0)
                map_remove(zone->names, keys[j]);
        }
        strv_free(keys);
    }
}

/* The entry of the asker's first network that has the name. */
static const struct entry *find_name(const struct zone *zone, const struct sandbox *asker,
                                     const char *name)
{
    for (size_t i = 0; i < asker->endpoints.count; i++) {
        _cleanup_free_ char *key = make_key(asker->endpoints.items[i].net, name, NULL);
        const struct entry *entry = map_find(zone->names, key);
        if (entry)
            return entry;
    }
    return NULL;
}

static void take_addrs(struct zone *zone, const struct entry *entry, struct zone_answer *answer)
{
    size_t count = entry->owners.count, first = zone->turn++ % count;
    for (size_t i = 0; i < count; i++) {
        const struct owner *owner = &entry->owners.items[(first + i) % count];
        if (addr_is_set(&owner->ip4))
            VEC_ADD(&answer->addrs, owner->ip4);
        if (addr_is_set(&owner->ip6))
            VEC_ADD(&answer->addrs, owner->ip6);
    }
}

static bool ends_with(const char *text, const char *suffix)
{
    size_t size = strlen(text), suffix_size = strlen(suffix);
    return size > suffix_size && strcmp(text + size - suffix_size, suffix) == 0;
}

static enum zone_verdict lookup_reverse(const struct zone *zone, const struct sandbox *asker,
                                        const struct addr *addr, struct zone_answer *answer)
{
    char text[ADDR_TEXT_SIZE];

    if (addr_is_loopback(addr)) {
        snprintf(answer->name, sizeof(answer->name), "localhost");
        return ZONE_PTR;
    }
    addr_format(addr, text);
    for (size_t i = 0; i < asker->endpoints.count; i++) {
        const struct net *net = asker->endpoints.items[i].net;
        const struct subnet *subnet = net_subnet(net, addr->family);
        if (!subnet || !cidr_contains(&subnet->net, addr))
            continue;
        _cleanup_free_ char *key = xasprintf("%s\n#%s", net->name, text);
        const struct entry *entry = map_find(zone->names, key);
        if (!entry)
            return ZONE_NXDOMAIN;
        snprintf(answer->name, sizeof(answer->name), "%s", entry->owners.items[0].canonical);
        return ZONE_PTR;
    }
    return asker->internal_only ? ZONE_REFUSED : ZONE_FORWARD;
}

/* "x.proj_default" can be nobody else's: no top-level domain has an underscore. */
static bool is_below_our_network(const struct sandbox *asker, const char *name)
{
    for (size_t i = 0; i < asker->endpoints.count; i++) {
        const char *network = asker->endpoints.items[i].net->name;
        _cleanup_free_ char *suffix = xasprintf(".%s", network);
        for (char *at = suffix; *at; at++)
            *at = (char)tolower((unsigned char)*at);
        if (strchr(network, '_') && ends_with(name, suffix))
            return true;
    }
    return false;
}

enum zone_verdict zone_lookup(struct zone *zone, const struct sandbox *asker,
                              const struct dns_query *query, struct zone_answer *answer)
{
    const char *name = query->name;
    struct addr addr;

    if (strcmp(name, "localhost") == 0 || ends_with(name, ".localhost")) {
        static const struct addr loopback4 = {4, {127, 0, 0, 1}}, loopback6 = {6, {[15] = 1}};
        VEC_ADD(&answer->addrs, loopback4);
        VEC_ADD(&answer->addrs, loopback6);
        return ZONE_ADDRS;
    }
    const struct entry *entry = find_name(zone, asker, name);
    if (entry) {
        take_addrs(zone, entry, answer);
        return ZONE_ADDRS;
    }
    if (dns_reverse_parse(name, &addr))
        return lookup_reverse(zone, asker, &addr, answer);
    if ((name[0] && !strchr(name, '.')) || is_below_our_network(asker, name))
        return ZONE_NXDOMAIN;
    return asker->internal_only ? ZONE_REFUSED : ZONE_FORWARD;
}
