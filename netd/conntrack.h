/* SPDX-License-Identifier: Apache-2.0 */
/* conntrack.h - forgetting tracked flows of published ports. A flow keeps the translation it began
 * with: one that began before a rule goes on without it, one whose container is gone goes on to
 * nowhere. */
#pragma once

#include <stddef.h>

#include "netd/state.h"

/* Keep it open: closing a netfilter socket waits until the namespace's last deletions of rules are
 * done (10 ms). All are best effort: a failure is logged; a kernel without connection tracking has
 * nothing to forget. */
struct conntrack;
struct conntrack *conntrack_open(void); /* of the current namespace; NULL when there is none */
void conntrack_close(struct conntrack *conntrack);
DEFINE_CLEANUP(struct conntrack *, conntrack_close)
/* Flows that were sent on to a container's port. */
void conntrack_forget_target(struct conntrack *conntrack, enum port_proto proto,
                             const struct addr *target, uint16_t port);
/* Flows that go to this address and port as the sender wrote them. */
void conntrack_forget_host(struct conntrack *conntrack, enum port_proto proto,
                           const struct addr *host, uint16_t port);
