/* SPDX-License-Identifier: Apache-2.0 */
/* short_port.c - published ports: "127.0.0.1:8000-8001:80-81/tcp" to long forms. A bare IPv6 address before the
 * ports is read as the specification shows it, although the reference implementation wants brackets. */
#include "parser/short.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"

struct range {
    int first, last; /* 0, 0: none */
};

/* "80", "80-90" */
static bool range_parse(const char *text, struct range *ret_range)
{
    const char *dash = strchr(text, '-');
    long long first, last;
    _cleanup_free_ char *low = dash ? xstrndup(text, (size_t)(dash - text)) : xstrdup(text);
    if (!parse_i64(low, 0, 65535, &first) || !parse_i64(dash ? dash + 1 : low, 0, 65535, &last) || last < first)
        return false;
    *ret_range = (struct range){.first = (int)first, .last = (int)last};
    return true;
}

bool port_host_ip_is_valid(const char *text)
{
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, text, address) == 1 || inet_pton(AF_INET6, text, address) == 1;
}

static const char *protocol_find(const char *text)
{
    static const char *const protocols[] = {"tcp", "udp", "sctp"};
    for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
        if (strcasecmp(text, protocols[i]) == 0)
            return protocols[i];
    return NULL;
}

struct port_text {
    const char *ip, *host, *target, *protocol;
};

/* Cuts the text at its colons; the ip keeps no brackets. */
static const char *port_cut(struct arena *arena, const char *text, struct port_text *ret)
{
    char *rest = arena_strdup(arena, text);
    char *slash = strrchr(rest, '/');
    ret->protocol = "tcp";
    if (slash) {
        *slash = '\0';
        if (slash[1] && !(ret->protocol = protocol_find(slash + 1)))
            return "the protocol must be tcp, udp or sctp";
    }
    ret->ip = ret->host = "";
    char *colon = strrchr(rest, ':');
    ret->target = colon ? colon + 1 : rest;
    if (!colon)
        return NULL;
    *colon = '\0';
    char *before = strrchr(rest, ':');
    if (before && strchr(before, ']'))
        before = NULL; /* "[::1]:80" is an address and a target without a host port: not a form of the grammar */
    ret->host = before ? before + 1 : rest;
    if (!before)
        return *ret->host == '[' ? "an address needs a host part behind it: [IP]:HOST:CONTAINER" : NULL;
    *before = '\0';
    size_t size = strlen(rest);
    if (size > 1 && rest[0] == '[' && rest[size - 1] == ']') {
        rest[size - 1] = '\0';
        rest++;
    }
    ret->ip = rest;
    return *rest && !port_host_ip_is_valid(rest) ? "invalid IP address" : NULL;
}

static void add_port(struct arena *arena, struct node *list, struct pos pos, const struct port_text *text, int target,
                     struct range host)
{
    struct node *port = node_new(arena, NODE_MAP, pos);
    node_set(arena, port, "mode", node_string(arena, "ingress", pos));
    if (*text->ip)
        node_set(arena, port, "host_ip", node_string(arena, text->ip, pos));
    node_set(arena, port, "target", node_int(arena, target, pos));
    if (host.last != host.first)
        node_set(arena, port, "published",
                 node_string_ref(arena, arena_printf(arena, "%d-%d", host.first, host.last), pos));
    else if (*text->host)
        node_set(arena, port, "published", node_string_ref(arena, arena_printf(arena, "%d", host.first), pos));
    node_set(arena, port, "protocol", node_string(arena, text->protocol, pos));
    node_push(arena, list, port);
}

/* The reference implementation lists an expanded range in the order of the targets' text: 10, 11, 8, 9. */
static int by_target_text(const void *a, const void *b)
{
    const struct node *x = ((const struct node_entry *)a)->value, *y = ((const struct node_entry *)b)->value;
    char left[16], right[16];
    snprintf(left, sizeof(left), "%s/", node_find_text(x, "target"));
    snprintf(right, sizeof(right), "%s/", node_find_text(y, "target"));
    return strcmp(left, right);
}

const char *port_short_parse(struct arena *arena, const char *text, struct pos pos, struct node *list)
{
    struct port_text parts;
    struct range target = {0}, host = {0};
    uint32_t before = list->count;

    const char *problem = port_cut(arena, text, &parts);
    if (problem)
        return problem;
    if (!*parts.target)
        return "no container port given";
    if (!range_parse(parts.target, &target) || target.first == 0)
        return "the container port must be 1-65535 or a range";
    if (*parts.host && !range_parse(parts.host, &host))
        return "the host port must be 0-65535 or a range";
    int targets = target.last - target.first, hosts = host.last - host.first;
    if (*parts.host && targets != hosts && targets != 0)
        return "the host range and the container range differ in length";
    for (int i = 0; i <= targets; i++) {
        struct range one = {.first = host.first + i, .last = host.first + i};
        add_port(arena, list, pos, &parts, target.first + i, targets == 0 ? host : *parts.host ? one : host);
    }
    qsort(list->items + before, list->count - before, sizeof(*list->items), by_target_text);
    return NULL;
}

static void complete_port(struct shaping *shaping, struct node *port)
{
    if (!node_find(port, "mode"))
        node_set(shaping->arena, port, "mode", node_string(shaping->arena, "ingress", port->pos));
    if (!node_find(port, "protocol"))
        node_set(shaping->arena, port, "protocol", node_string(shaping->arena, "tcp", port->pos));
}

void lengthen_ports(struct shaping *shaping, struct node *node, const struct path *path)
{
    if (node->kind != NODE_LIST)
        return;
    struct node *list = node_new(shaping->arena, NODE_LIST, node->pos);
    NODE_EACH(entry, node)
        if (entry->value->kind == NODE_MAP)
            complete_port(shaping, entry->value);
    NODE_EACH(entry, node)
        if (shape_is_open(shaping, entry->value) && !node->written) /* then all stay as they are */
            node->written = node_copy(shaping->arena, node);
    for (uint32_t i = 0; i < node->count; i++) {
        struct node *item = node->items[i].value;
        struct path step = {.parent = path, .index = i};
        uint32_t first = list->count;
        if ((item->kind != NODE_STRING && item->kind != NODE_INT) || shape_is_open(shaping, item)) {
            node_push(shaping->arena, list, item);
            continue;
        }
        if (!load_has_room(shaping->loading, item->pos))
            return;
        const char *problem = port_short_parse(shaping->arena, item->text, item->pos, list);
        if (problem)
            shape_error(shaping, item, &step, "'%s' is not a port: %s", item->text, problem);
        for (; first < list->count; first++) {
            list->items[first].value->tag = item->tag;
            shape_note(list->items[first].value, item->note);
        }
    }
    node_become(node, list);
}

/* Any text: `up` looks whether it is a port (ranges.c). */
void lengthen_published(struct shaping *shaping _unused_, struct node *node, const struct path *path _unused_)
{
    if (node->kind == NODE_INT)
        node->kind = NODE_STRING;
}

char *port_identity(const struct node *item)
{
    const char *ip = node_find_text(item, "host_ip"), *published = node_find_text(item, "published");
    const char *target = node_find_text(item, "target"), *protocol = node_find_text(item, "protocol");
    return xasprintf("%s:%s:%s/%s", ip && *ip ? ip : "0.0.0.0", published ? published : "", target ? target : "",
                     protocol ? protocol : "");
}
