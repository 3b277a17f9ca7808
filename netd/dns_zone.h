/* SPDX-License-Identifier: Apache-2.0 */
/* dns_zone.h - which names there are, and who may see them. Pure.
 *
 * A container has, on each of its networks, the names: service, container, aliases, short id; each
 * also with
 * ".<network>" (full name and key in the file). Names are compared without case and seen only by
 * containers on the same network; of several common networks, the asker's first one that knows the
 * name answers. */
#pragma once

#include "base/vec.h"
#include "netd/dns_wire.h"
#include "netd/state.h"

struct zone;
struct zone *zone_new(void);
void zone_free(struct zone *zone);
DEFINE_CLEANUP(struct zone *, zone_free)
void zone_add(struct zone *zone, const struct sandbox *sandbox);
void zone_remove(struct zone *zone, const struct sandbox *sandbox);

enum zone_verdict {
    ZONE_ADDRS,    /* the name is ours; addrs may hold none of the wanted family */
    ZONE_PTR,      /* name holds the answer */
    ZONE_NXDOMAIN, /* ours to deny: single labels, our own subnets */
    ZONE_REFUSED,  /* somebody else's, and the asker has no way out */
    ZONE_FORWARD,
};

struct zone_answer {
    VEC(struct addr) addrs; /* free with VEC_DONE */
    char name[DNS_NAME_SIZE];
};
enum zone_verdict zone_lookup(struct zone *zone, const struct sandbox *asker,
                              const struct dns_query *query, struct zone_answer *answer);
