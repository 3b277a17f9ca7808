/* SPDX-License-Identifier: Apache-2.0 */
/* store.h - the image stores below lib/: blobs/sha256 (manifests, configs), layers/<chain-id>,
 * images.json.
 *
 * images.json: {"version":1,
 *   "names":  {"docker.io/library/nginx:latest":
 * {"image":"sha256:<config>","digest":"sha256:<pulled by>"?}}, "images": {"sha256:<config>":
 * {"manifest":"sha256:…"?,"size":N,"layers":["<chain hex>", … bottom first],"base":N}}} "base" is
 * the index of the lowest layer that is seen (a layer may hide all below it: opaque root).
 *
 * Locks: images.lock around every change of images.json; layers.lock is held shared by whoever is
 * about to refer to layers or blobs (a pull), and taken exclusively, without waiting, by the
 * collection of garbage. Light: no library but base. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"
#include "base/layout.h"

#define IMAGES_VERSION    1
#define IMAGES_SIZE_MAX   (64 * 1024 * 1024)
#define BLOB_CONFIG_MAX   (8 * 1024 * 1024)
#define BLOB_MANIFEST_MAX (4 * 1024 * 1024)
#define IMAGE_LAYERS_MAX  256

/* The lib directory. ERR_NOT_FOUND when this root does not exist yet. */
int store_open_lib(const struct layout *layout, int *ret_fd, struct err *err);
/* Makes blobs/sha256, layers, tmp (0700) below lib_fd. */
int store_make(int lib_fd, struct err *err);

/* A missing file gives the empty store; a newer version is ERR_UNSUPPORTED, garbage ERR_CORRUPT. */
int images_load(int lib_fd, struct jv **ret_images, struct err *err);
int images_save(int lib_fd, const struct jv *images, struct err *err);
int images_lock(int lib_fd, int *ret_fd, struct err *err); /* exclusive, waits */
int layers_lock_shared(int lib_fd, int *ret_fd, struct err *err);
/* ERR_BUSY when a pull is under way. */
int layers_lock_exclusive(int lib_fd, int *ret_fd, struct err *err);

/* Reads blobs/sha256/<hex> and checks its digest: ERR_CORRUPT names it. digest must be valid. */
int blob_read(int lib_fd, const char *digest, size_t max_bytes, char **ret_data, size_t *ret_size,
              struct err *err);

/* Chain id (OCI): of the first layer its diff id, then sha256("<parent> <diff id>"). parent_hex
 * NULL: first. */
void layer_chain(const char *parent_hex, const char *diff_id, char ret_chain_hex[65]);
/* true when layers/<chain>/diff is there (and therefore complete). */
bool layer_exists(int lib_fd, const char *chain_hex);

/* Finds the id of what the person wrote: full name, name@digest, id or unique id prefix. Borrowed
 * from images. *ret_name is the key below "names" when it was a name (else NULL). ERR_NOT_FOUND. */
int images_resolve(const struct jv *images, const char *reference, const char **ret_id,
                   const char **ret_name, struct err *err);

/* Removes layers and blobs that nothing refers to (images.json, container records). While a pull
 * holds layers.lock it leaves the file COLLECT_PENDING instead: the end of the pull collects. */
int store_collect(int lib_fd, struct err *err);
/* The end of whatever put layers into the store, without layers.lock: collects when it failed, or
 * when it is pending. */
void store_settle(int lib_fd, bool succeeded);
#define COLLECT_PENDING "collect.pending"
