/* SPDX-License-Identifier: Apache-2.0 */
/* manifest.h - image manifests and indexes of OCI and of Docker (schema 2). Pure.
 *
 * One document has one meaning: its media type is the one it came with, and it is an index or a
 * manifest, never both. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/vec.h"
#include "engine/image/platform.h"
#include "engine/image/ref.h"

#define MANIFEST_ENTRIES_MAX 1000 /* of an index */

/* What a registry is asked for. */
#define MANIFEST_ACCEPT                                                                            \
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "        \
    "application/vnd.docker.distribution.manifest.list.v2+json, "                                  \
    "application/vnd.docker.distribution.manifest.v2+json"

struct descriptor {
    char digest[DIGEST_SIZE];
    int64_t size; /* bytes, > 0 */
    char media_type[128];
    struct platform platform; /* all "" when the index does not say */
    bool is_index;            /* by its media type */
};

struct manifest {
    bool is_index;
    struct descriptor config; /* of a manifest */
    struct {
        struct descriptor *items;
        size_t count, capacity;
    } list; /* layers (bottom first) or manifests */
};

/* content_type: of the HTTP header or of the descriptor that led here; parameters are ignored.
 * NULL: the document's own mediaType is believed (archives). ERR_CORRUPT, ERR_LIMIT;
 * ERR_UNSUPPORTED for schema 1 and for artifacts that are no images. */
int manifest_parse(const char *data, size_t size, const char *content_type,
                   struct manifest *ret_manifest, struct err *err);
void manifest_done(struct manifest *manifest);
/* The best entry for wanted, or NULL with *err ERR_UNSUPPORTED that lists what there is. */
const struct descriptor *manifest_choose(const struct manifest *index,
                                         const struct platform *wanted, struct err *err);
