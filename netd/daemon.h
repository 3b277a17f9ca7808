/* SPDX-License-Identifier: Apache-2.0 */
/* daemon.h - what one winch-netd holds, and the operations on it that methods.c offers to clients.
 *
 * Every operation is idempotent: it compares what is stored, what is asked for and what the kernel
 * has, and does what is missing. Order: addresses are durable before the kernel has them; a
 * sandbox's file is written before its namespace exists and goes after it. */
#pragma once

#include "base/layout.h"
#include "base/loop.h"
#include "base/map.h"
#include "netd/conntrack.h"
#include "netd/nft_load.h"
#include "netd/nft_watch.h"
#include "netd/rtnl.h"
#include "netd/state.h"

struct dns;

struct netd {
    const struct layout *layout;
    struct loop *loop;
    char table[24];              /* nft table: the instance name */
    int home_fd;                 /* our network namespace */
    struct rtnl *rtnl;           /* of our namespace */
    struct nft *nft;             /* of our namespace */
    struct conntrack *conntrack; /* of our namespace; NULL where the kernel has none */
    struct nft_watch *watch;
    bool table_loaded;
    bool repairing;        /* at our start: rules stay as they are until everything is known */
    struct map *nets;      /* name → struct net */
    struct map *sandboxes; /* id → struct sandbox */
    char **damaged;        /* names of networks whose file cannot be read: never overwritten */
    struct dns *dns;
    struct call_queue *queue;   /* methods.c */
    void (*changed)(void *arg); /* after each call: the process may have become idle */
    void *changed_arg;
};

/* network_ops.c */
int network_ensure(struct netd *netd, const struct network_request *request, struct net **ret_net,
                   struct err *err);
int network_remove(struct netd *netd, const char *name, struct err *err);
/* After the last network: no trace stays on the host. */
int host_clean(struct netd *netd, struct err *err);

/* sandbox.c: request is the JSON form; stored (may be NULL) is the file of a former netd, whose
 * ports are taken */
int sandbox_ensure(struct netd *netd, const struct jv *request, const struct jv *stored,
                   struct sandbox **ret_sandbox, struct err *err);
/* Takes the addresses that sandbox_ensure will need, not yet durable: several are then saved with
 * one write. Failures are left for sandbox_ensure to report. */
void sandbox_lease(struct netd *netd, const struct jv *request);
void sandbox_save_leases(struct netd *netd);
int sandbox_remove(struct netd *netd, const char *id, struct err *err);
int sandbox_to_info(const struct sandbox *sandbox, struct sandbox_info *ret_info, struct err *err);

/* bridge.c: idempotent */
int bridge_ensure(struct netd *netd, const struct net *net, struct err *err);
int bridge_remove(struct netd *netd, const struct net *net, struct err *err);
uint32_t
bridge_group(const struct net *net);       /* link group of the bridge, its ports and their peers */
bool bridge_group_is_ours(uint32_t group); /* of some network of ours, of whatever instance */

/* rules.c: our table in the host's namespace */
int rules_load_all(struct netd *netd, struct err *err);
int rules_change_net(struct netd *netd, const struct net *net, bool add, struct err *err);
int rules_change_ports(struct netd *netd, const struct sandbox *sandbox, bool add, struct err *err);
/* Somebody took rules of ours away: they come back. arg is the netd. */
void rules_restore(void *arg);
int rules_delete(struct netd *netd, struct err *err);

/* forwarding.c: the host's switches; what they were before us is kept in run/netd/forwarding.json
 */
int forwarding_enable(struct netd *netd, bool ipv6, struct err *err);
int forwarding_restore(struct netd *netd, struct err *err);
bool forwarding_is_ours(struct netd *netd); /* IPv4 forwarding was off before us */

/* repair.c: at start */
int repair_all(struct netd *netd, struct err *err);

/* true when nothing is left that somebody could want from us */
bool netd_is_empty(const struct netd *netd);
