/* SPDX-License-Identifier: Apache-2.0 */
/* netd_client.h - the calls of winch-netd, blocking. Methods on the wire have the same names
 * ("network_ensure", "sandbox_ensure", …; docs/ipc.md), so an event loop may send them with ipc_async_call and the
 * *_to_json / *_from_json functions of network.h.
 *
 * netd is started by the first client that finds nobody on the socket (a lock picks one) in the client's network and
 * mount namespace; it ends by itself when no network and no sandbox is left. All calls are idempotent: repeating
 * one after a crash converges. Common errors: ERR_PROTOCOL, ERR_TIMEOUT (netd does not answer within 30 s). */
#pragma once

#include "base/ipc.h"
#include "base/layout.h"
#include "netd/network.h"

struct netd_client;

/* Starts netd, if none runs, without waiting for it: the caller has other work to do meanwhile. *ret_ready is then a descriptor
 * that is readable when netd serves, failed, or left because another one does; -1 when there is nothing to wait for. */
int netd_begin(const struct layout *layout, int *ret_ready, struct err *err);
/* Closes that descriptor, after waiting for it (at most 30 s). -1: netd said why it cannot serve. */
int netd_begun(int ready, struct err *err);
/* Connects; starts netd when needed if start is true, else ERR_NOT_FOUND. */
int netd_connect(const struct layout *layout, bool start, struct netd_client **ret_client, struct err *err);
void netd_client_free(struct netd_client *client);
DEFINE_CLEANUP(struct netd_client *, netd_client_free)
/* Gives the connection away (for ipc_async_new); the client is freed. */
struct ipc_client *netd_client_take(struct netd_client *client);

/* Creates the network, or makes the kernel agree with the stored one. A stored network with another fingerprint:
 * ERR_EXISTS (the caller decides to remove it first). Overlapping subnet: ERR_BUSY naming both sides. */
int netd_network_ensure(struct netd_client *client, const struct network_request *request, struct network_info *ret_info,
                        struct err *err);
/* ERR_BUSY while sandboxes use it ("Resource is still in use"); ERR_NOT_FOUND. Leases go with it. */
int netd_network_remove(struct netd_client *client, const char *name, struct err *err);
/* project NULL: all. *ret_infos is an array of *ret_count, each network_info_done, then free(). */
int netd_network_list(struct netd_client *client, const char *project, struct network_info **ret_infos, size_t *ret_count,
                      struct err *err);

/* Makes the container's namespace with endpoints, routes, names and published ports, or brings an existing one to this
 * state. Returns when everything is in the kernel and names resolve. Port taken: ERR_BUSY "Bind for
 * 0.0.0.0:80 failed: port is already allocated" naming the holder where known; nothing is left behind then. */
int netd_sandbox_ensure(struct netd_client *client, const struct sandbox_request *request, struct sandbox_info *ret_info,
                        struct err *err);
/* Names, ports and the namespace go; leases stay until lease_release or network_remove. Unknown id: success. */
int netd_sandbox_remove(struct netd_client *client, const char *id, struct err *err);
/* key "<project>/<service>/<index>", in all networks. */
int netd_lease_release(struct netd_client *client, const char *key, struct err *err);

/* Reading without netd: stored networks, straight from disk. */
int network_store_list(const struct layout *layout, struct network_info **ret_infos, size_t *ret_count, struct err *err);
