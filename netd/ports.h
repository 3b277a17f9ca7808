/* SPDX-License-Identifier: Apache-2.0 */
/* ports.h - reserving host ports. A reserved port is a bound socket of ours that never listens:
 * nobody else can bind it, a conflict shows at once, and a packet that no rule carries away is
 * refused by the kernel as if nobody were there. */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "netd/state.h"

/* Reserves one published port and appends one hold, or two ("all addresses" on a network with
 * IPv6). host_default: the address for an empty host_ip (family 0: all). v4, v6: what the target
 * has. ERR_BUSY "Bind for 0.0.0.0:80 failed: port is already allocated" naming the holder where
 * known; nothing is reserved then. ERR_CONFIG: address is none, or of a family that the container
 * lacks. ERR_UNSUPPORTED: sctp. */
struct ports_context {
    struct addr host_default;
    bool v4, v6;
    /* who of us holds it, as "container 'x'", or NULL; owned by the caller of the function */
    char *(*find_own)(enum port_proto proto, const struct addr *host, uint16_t port, void *arg);
    void *arg;
};
int ports_reserve(struct sandbox *sandbox, const struct port_publish *publish,
                  const struct ports_context *context, struct err *err);
void ports_release(struct sandbox *sandbox);

/* true when two reservations exclude each other: same protocol and port, overlapping addresses.
 * Pure. */
bool ports_collide(const struct port_hold *hold, enum port_proto proto, const struct addr *host,
                   uint16_t port);

/* "process 'nginx' (pid 12)" that has a socket on that port of this host, or NULL. Owned by the
 * caller. */
char *port_holder_find(enum port_proto proto, uint8_t family, uint16_t port);
