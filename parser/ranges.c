/* SPDX-License-Identifier: Apache-2.0 */
/* ranges.c - numbers that no kernel takes, found before anything is started. `config` prints them all the same: the
 * language has few ranges, which are in the rows of the keys. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "parser/runnable.h"

/* Beside the range one more value may stand for "no limit". */
struct number_range {
    const char *keys; /* of a service, below one another */
    double least, most;
    const char *special; /* a further value, or NULL */
    const char *expected;
};
#define GIGA       1e9
#define BYTES_MOST 9223372036854775807.0
static const struct number_range number_ranges[] = {
    {"blkio_config.weight", 10, 1000, "0", "10-1000"},
    {"cpu_period", 1000, 1000000, "0", "1000-1000000 microseconds"},
    {"cpu_quota", 1000, GIGA * GIGA, "-1", "at least 1000 microseconds"},
    {"cpu_shares", 2, 262144, "0", "2-262144"},
    {"cpus", 0.01, 1e6, "0", "at least 0.01"},
    {"deploy.replicas", 0, SERVICE_REPLICAS_MAX, NULL, "0-10000"},
    {"deploy.resources.limits.cpus", 0.01, 1e6, "0", "at least 0.01"},
    {"deploy.resources.limits.memory", 1 << 20, BYTES_MOST, "0", "at least 1m"},
    {"deploy.resources.limits.pids", 1, 4194304, "-1", "1-4194304, or -1 for no limit"},
    {"deploy.resources.reservations.memory", 0, BYTES_MOST, NULL, "a size"},
    {"healthcheck.retries", 0, 1e6, NULL, "at most 1000000"},
    {"mem_limit", 1 << 20, BYTES_MOST, "0", "at least 1m"},
    {"mem_reservation", 0, BYTES_MOST, NULL, "a size"},
    {"mem_swappiness", 0, 100, "-1", "0-100"},
    {"memswap_limit", 0, BYTES_MOST, "-1", "a size, or -1 for no limit"},
    {"pids_limit", 0, 4194304, "-1", "1-4194304, or -1 for no limit"},
    {"scale", 0, SERVICE_REPLICAS_MAX, NULL, "0-10000"},
    {"shm_size", 0, BYTES_MOST, NULL, "a size"},
};

static void out_of_range(struct runnable *r, const struct node *node, const char *keys, const char *expected)
{
    diag_error(r->diags, node->pos, NULL, "services.%s.%s: '%s' is out of range: expected %s", r->service, keys, node->text,
               expected);
}

static const struct node *find_below(const struct node *node, const char *keys)
{
    while (node && *keys) {
        size_t size = strcspn(keys, ".");
        _cleanup_free_ char *key = xstrndup(keys, size);
        node = node_find(node, key);
        keys += size + (keys[size] == '.');
    }
    return node;
}

static bool is_in_range(const struct number_range *range, const char *text)
{
    char *end;
    double number = strtod(text, &end);
    if (end == text || *end) /* with --no-interpolate: not known yet */
        return true;
    if (range->special && number == strtod(range->special, NULL))
        return true;
    return !isnan(number) && number >= range->least && number <= range->most;
}

static void check_ulimits(struct runnable *r, const struct node *ulimits)
{
    static const struct number_range limit = {"", 0, BYTES_MOST, "-1", ""};
    NODE_EACH(entry, ulimits) {
        const struct node *one = entry->value, *soft = node_find(one, "soft"), *hard = node_find(one, "hard");
        const struct node *all[] = {one, soft, hard};
        _cleanup_free_ char *keys = xasprintf("ulimits.%s", entry->key);
        for (size_t i = 0; i < ARRAY_LEN(all); i++)
            if (node_text(all[i]) && !is_in_range(&limit, all[i]->text))
                out_of_range(r, all[i], keys, "at least 0, or -1 for no limit");
        if (node_text(soft) && node_text(hard) && strtod(hard->text, NULL) != -1 &&
            (strtod(soft->text, NULL) == -1 || strtod(soft->text, NULL) > strtod(hard->text, NULL)))
            out_of_range(r, soft, keys, "a soft limit that is not above the hard one");
    }
}

/* Ports and processors: "N" or "N-M", N not above M. */
static bool is_span(const char *text, long least, long most)
{
    char *end;
    if (!*text || text[strspn(text, "0123456789-")])
        return false;
    long first = strtol(text, &end, 10), last = first;
    if (*end == '-')
        last = strtol(end + 1, &end, 10);
    return !*end && first >= least && last <= most && first <= last;
}

static void check_ports(struct runnable *r, const struct node *ports)
{
    NODE_EACH(entry, ports) {
        const struct node *target = node_find(entry->value, "target"), *published = node_find(entry->value, "published");
        const struct node *protocol = node_find(entry->value, "protocol");
        if (node_text(target) && !strchr(target->text, '$') && !is_span(target->text, 1, 65535))
            out_of_range(r, target, "ports.target", "a port 1-65535");
        if (node_text(published) && !strchr(published->text, '$') && !is_span(published->text, 0, 65535))
            out_of_range(r, published, "ports.published", "a port 0-65535 or a range of them");
        if (node_text(protocol) && strcasecmp(protocol->text, "tcp") != 0 && strcasecmp(protocol->text, "udp") != 0 &&
            strcasecmp(protocol->text, "sctp") != 0)
            out_of_range(r, protocol, "ports.protocol", "tcp, udp or sctp");
    }
}

static void check_spans(struct runnable *r, const struct node *service)
{
    check_ports(r, node_find(service, "ports"));
    NODE_EACH(entry, node_find(service, "expose")) {
        const char *text = node_text(entry->value);
        _cleanup_free_ char *ports = text ? xstrndup(text, strcspn(text, "/")) : NULL;
        if (ports && !strchr(text, '$') && !is_span(ports, 1, 65535))
            out_of_range(r, entry->value, "expose", "a port 1-65535 or a range of them");
    }
    const struct node *cpuset = node_find(service, "cpuset");
    if (!node_text(cpuset) || strchr(cpuset->text, '$'))
        return;
    char **parts = strv_split(cpuset->text, ",");
    bool good = true;
    for (size_t i = 0; parts[i]; i++)
        good = good && is_span(parts[i], 0, 8191);
    strv_free(parts);
    if (!good)
        out_of_range(r, cpuset, "cpuset", "processors, as in 0-3,5");
}

void runnable_check_ranges(struct runnable *r, const struct node *service)
{
    for (size_t i = 0; i < ARRAY_LEN(number_ranges); i++) {
        const struct node *node = find_below(service, number_ranges[i].keys);
        if (node_text(node) && !is_in_range(&number_ranges[i], node->text))
            out_of_range(r, node, number_ranges[i].keys, number_ranges[i].expected);
    }
    const struct node *limit = node_find(service, "mem_limit"), *reserved = node_find(service, "mem_reservation");
    if (node_text(limit) && node_text(reserved) && strtod(limit->text, NULL) > 0 &&
        strtod(reserved->text, NULL) > strtod(limit->text, NULL))
        out_of_range(r, reserved, "mem_reservation", "no more than mem_limit");
    check_ulimits(r, node_find(service, "ulimits"));
    check_spans(r, service);
}
