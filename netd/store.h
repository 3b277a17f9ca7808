/* SPDX-License-Identifier: Apache-2.0 */
/* store.h - networks in lib/networks/<name>.json (durable before an address is used) and sandboxes
 * in run/netd/sandboxes/<id>.json (die with the boot). One file an object: a damaged one is
 * reported and skipped. */
#pragma once

#include "base/layout.h"
#include "base/map.h"
#include "netd/state.h"

#define STORE_VERSION 1

struct jv *net_to_json(const struct net *net);
int net_from_json(const struct jv *value, struct net **ret_net, struct err *err);
void net_to_info(const struct net *net, struct network_info *ret_info);

/* Replaces the file; on return it is durable and net->dirty is false. */
int store_save_net(const struct layout *layout, struct net *net, struct err *err);
int store_remove_net(const struct layout *layout, const char *name, struct err *err);
/* Fills nets (name → struct net). Damaged and newer files are logged and skipped; their names are
 * put into skipped (strv, may be NULL), so that nobody overwrites them. */
int store_load_nets(const struct layout *layout, struct map *nets, char ***skipped,
                    struct err *err);

/* What is stored of a sandbox: {request, ports as bound, ready}; all else follows from leases and
 * names. */
struct jv *sandbox_stored(const struct sandbox *sandbox);
int store_save_sandbox(const struct layout *layout, const struct sandbox *sandbox, struct err *err);
int store_remove_sandbox(const struct layout *layout, const char *id, struct err *err);
typedef void store_sandbox_fn(const char *id, const struct jv *stored, void *arg);
/* Calls fn for each sandbox of this boot; others and damaged ones are logged and passed over. */
int store_each_sandbox(const struct layout *layout, store_sandbox_fn *fn, void *arg,
                       struct err *err);
/* Removes temporaries of replacements that a killed netd left. Only for the one writer. */
void store_sweep(const struct layout *layout);
