/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests and indexes. Everything in them comes from strangers; what leaves here has a known
 * type, exact digests and bounded counts. URLs in descriptors are never followed: content is asked
 * for by digest where the manifest came from. */
#include "engine/image/manifest.h"

#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "engine/image/store.h"

enum media_role { MEDIA_INDEX, MEDIA_MANIFEST, MEDIA_CONFIG, MEDIA_LAYER, MEDIA_SCHEMA1 };

static const struct {
    const char *name;
    enum media_role role;
} media_types[] = {
    {"application/vnd.oci.image.index.v1+json", MEDIA_INDEX},
    {"application/vnd.oci.image.manifest.v1+json", MEDIA_MANIFEST},
    {"application/vnd.docker.distribution.manifest.list.v2+json", MEDIA_INDEX},
    {"application/vnd.docker.distribution.manifest.v2+json", MEDIA_MANIFEST},
    {"application/vnd.docker.distribution.manifest.v1+json", MEDIA_SCHEMA1},
    {"application/vnd.docker.distribution.manifest.v1+prettyjws", MEDIA_SCHEMA1},
    {"application/vnd.oci.image.config.v1+json", MEDIA_CONFIG},
    {"application/vnd.docker.container.image.v1+json", MEDIA_CONFIG},
    {"application/vnd.oci.image.layer.v1.tar", MEDIA_LAYER},
    {"application/vnd.oci.image.layer.v1.tar+gzip", MEDIA_LAYER},
    {"application/vnd.oci.image.layer.v1.tar+zstd", MEDIA_LAYER},
    {"application/vnd.oci.image.layer.nondistributable.v1.tar", MEDIA_LAYER},
    {"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", MEDIA_LAYER},
    {"application/vnd.oci.image.layer.nondistributable.v1.tar+zstd", MEDIA_LAYER},
    {"application/vnd.docker.image.rootfs.diff.tar", MEDIA_LAYER},
    {"application/vnd.docker.image.rootfs.diff.tar.gzip", MEDIA_LAYER},
    {"application/vnd.docker.image.rootfs.diff.tar.zstd", MEDIA_LAYER},
    {"application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", MEDIA_LAYER},
};

static bool media_role_of(const char *name, size_t size, enum media_role *ret_role)
{
    for (size_t i = 0; i < ARRAY_LEN(media_types); i++) {
        if (strlen(media_types[i].name) == size && strncmp(media_types[i].name, name, size) == 0) {
            *ret_role = media_types[i].role;
            return true;
        }
    }
    return false;
}

static int corrupt(struct err *err, const char *what)
{
    return err_set(err, ERR_CORRUPT, "manifest: %s", what);
}

static void take_word(const struct jv *object, const char *key, char *buffer, size_t size)
{
    (void)snprintf(buffer, size, "%s", jv_get_str(object, key, ""));
}

static int take_descriptor(const struct jv *value, struct descriptor *ret_descriptor,
                           struct err *err)
{
    struct descriptor descriptor = {0};
    const char *media = jv_get_str(value, "mediaType", NULL),
               *digest = jv_get_str(value, "digest", NULL);
    const struct jv *size = jv_find(value, "size");
    if (!value || jv_kind(value) != JV_OBJECT)
        return corrupt(err, "a descriptor is not an object");
    if (!digest || !digest_is_valid(digest))
        return corrupt(err, "a descriptor has no exact sha256 digest");
    if (!size || jv_kind(size) != JV_INT || jv_int_value(size, -1) <= 0)
        return corrupt(err, "a descriptor has no positive whole size");
    if (!media || strlen(media) >= sizeof(descriptor.media_type))
        return corrupt(err, "a descriptor has no media type");
    memcpy(descriptor.digest, digest, sizeof(descriptor.digest));
    (void)snprintf(descriptor.media_type, sizeof(descriptor.media_type), "%s", media);
    descriptor.size = jv_int_value(size, 0);
    const struct jv *platform = jv_find(value, "platform");
    if (platform && jv_kind(platform) == JV_OBJECT) {
        take_word(platform, "os", descriptor.platform.os, sizeof(descriptor.platform.os));
        take_word(platform, "architecture", descriptor.platform.architecture,
                  sizeof(descriptor.platform.architecture));
        take_word(platform, "variant", descriptor.platform.variant,
                  sizeof(descriptor.platform.variant));
    }
    *ret_descriptor = descriptor;
    return 0;
}

static int take_index(const struct jv *list, struct manifest *manifest, struct err *err)
{
    if (jv_kind(list) != JV_ARRAY)
        return corrupt(err, "'manifests' is not a list");
    if (jv_count(list) > MANIFEST_ENTRIES_MAX)
        return err_set(err, ERR_LIMIT, "image index has %zu entries, at most %d are taken",
                       jv_count(list), MANIFEST_ENTRIES_MAX);
    for (size_t i = 0; i < jv_count(list); i++) {
        struct descriptor descriptor;
        enum media_role role = MEDIA_CONFIG;
        if (take_descriptor(jv_at(list, i), &descriptor, err) < 0)
            return -1;
        (void)media_role_of(descriptor.media_type, strlen(descriptor.media_type), &role);
        descriptor.is_index = role == MEDIA_INDEX;
        if (role == MEDIA_INDEX ||
            role == MEDIA_MANIFEST) /* anything else is no image: signatures, artifacts */
            VEC_ADD(&manifest->list, descriptor);
    }
    return 0;
}

static int take_manifest(const struct jv *document, const struct jv *layers,
                         struct manifest *manifest, struct err *err)
{
    enum media_role role;
    if (jv_kind(layers) != JV_ARRAY)
        return corrupt(err, "'layers' is not a list");
    if (jv_count(layers) > IMAGE_LAYERS_MAX)
        return err_set(err, ERR_LIMIT, "image has %zu layers, at most %d are taken",
                       jv_count(layers), IMAGE_LAYERS_MAX);
    if (take_descriptor(jv_find(document, "config"), &manifest->config, err) < 0)
        return err_wrap(err, "config");
    const char *media = manifest->config.media_type;
    if (!media_role_of(media, strlen(media), &role) || role != MEDIA_CONFIG)
        return err_set(err, ERR_UNSUPPORTED,
                       "this is no container image: its config is of type '%s'", media);
    if (manifest->config.size > BLOB_CONFIG_MAX)
        return err_set(err, ERR_LIMIT, "image config of %lld bytes is larger than %d",
                       (long long)manifest->config.size, BLOB_CONFIG_MAX);
    for (size_t i = 0; i < jv_count(layers); i++) {
        struct descriptor descriptor;
        if (take_descriptor(jv_at(layers, i), &descriptor, err) < 0)
            return err_wrap(err, "layer %zu", i + 1);
        media = descriptor.media_type;
        if (!media_role_of(media, strlen(media), &role) || role != MEDIA_LAYER)
            return err_set(err, ERR_UNSUPPORTED, "layer %zu is of the unknown type '%s'", i + 1,
                           media);
        VEC_ADD(&manifest->list, descriptor);
    }
    return 0;
}

/* The role that header and document agree on. */
static int agree_on_role(const struct jv *document, const char *content_type,
                         enum media_role *ret_role, struct err *err)
{
    const char *inner = jv_get_str(document, "mediaType", NULL);
    size_t size = content_type ? strcspn(content_type, "; \t\r\n") : 0;
    if (jv_find(document, "mediaType") && !inner)
        return corrupt(err, "'mediaType' is not a text");
    if (content_type && inner && (strlen(inner) != size || strncmp(inner, content_type, size) != 0))
        return err_set(err, ERR_CORRUPT, "manifest came as '%.*s' but calls itself '%.100s'",
                       (int)MIN(size, 100), content_type, inner);
    const char *type = content_type ? content_type : inner;
    if (!type) { /* OCI makes mediaType optional: an archive's document without one is judged by its
                    keys */
        *ret_role = jv_find(document, "manifests") ? MEDIA_INDEX : MEDIA_MANIFEST;
        return 0;
    }
    if (!media_role_of(type, content_type ? size : strlen(type), ret_role))
        return err_set(err, ERR_UNSUPPORTED, "manifest of the unknown type '%.100s'", type);
    return 0;
}

int manifest_parse(const char *data, size_t size, const char *content_type,
                   struct manifest *ret_manifest, struct err *err)
{
    _cleanup_jv_ struct jv *document = NULL;
    struct manifest manifest = {0};
    enum media_role role;
    if (size > BLOB_MANIFEST_MAX)
        return err_set(err, ERR_LIMIT, "manifest is larger than %d bytes", BLOB_MANIFEST_MAX);
    if (jv_parse(data, size, &document, err) < 0)
        return err_wrap(err, "manifest");
    if (jv_kind(document) != JV_OBJECT)
        return corrupt(err, "not an object");
    if (agree_on_role(document, content_type, &role, err) < 0)
        return -1;
    if (role == MEDIA_SCHEMA1 || jv_get_int(document, "schemaVersion", 2) == 1)
        return err_set(err, ERR_UNSUPPORTED,
                       "manifest has schema version 1, which is obsolete and unsafe");
    if (jv_get_int(document, "schemaVersion", 0) != 2)
        return corrupt(err, "'schemaVersion' is not 2");
    const struct jv *layers = jv_find(document, "layers"), *list = jv_find(document, "manifests");
    if ((layers || jv_find(document, "config")) && list)
        return corrupt(err, "it claims to be an index and a manifest at once");
    if (jv_find(document, "fsLayers") || jv_find(document, "history"))
        return corrupt(err, "it mixes schema 1 and schema 2");
    manifest.is_index = role == MEDIA_INDEX;
    if (role != MEDIA_INDEX && role != MEDIA_MANIFEST)
        return err_set(err, ERR_UNSUPPORTED, "this document is no image manifest");
    if (manifest.is_index ? !list : !layers)
        return corrupt(err, manifest.is_index ? "an index without 'manifests'"
                                              : "a manifest without 'layers'");
    int done = manifest.is_index ? take_index(list, &manifest, err)
                                 : take_manifest(document, layers, &manifest, err);
    if (done < 0) {
        manifest_done(&manifest);
        return -1;
    }
    *ret_manifest = manifest;
    return 0;
}

void manifest_done(struct manifest *manifest)
{
    VEC_DONE(&manifest->list);
    *manifest = (struct manifest){0};
}

const struct descriptor *manifest_choose(const struct manifest *index,
                                         const struct platform *wanted, struct err *err)
{
    const struct descriptor *best = NULL;
    int best_score = 0;
    char text[84];
    for (size_t i = 0; i < index->list.count; i++) {
        int score = platform_score(wanted, &index->list.items[i].platform);
        if (score > best_score) {
            best = &index->list.items[i];
            best_score = score;
        }
    }
    if (best)
        return best;
    _cleanup_str_ struct str offered = {0};
    for (size_t i = 0; i < index->list.count && i < 20; i++) {
        if (!*index->list.items[i].platform.os)
            continue;
        str_addf(&offered, "%s%s", offered.size ? ", " : "",
                 platform_format(&index->list.items[i].platform, text, sizeof(text)));
    }
    _cleanup_free_ char *shown = str_printable(str_text(&offered));
    (void)err_set(err, ERR_UNSUPPORTED, "there is no image for %s: it offers %.600s",
                  platform_format(wanted, text, sizeof(text)), *shown ? shown : "nothing");
    return NULL;
}
