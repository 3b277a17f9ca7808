/* SPDX-License-Identifier: Apache-2.0 */
/* The two forms of image archives. Names of members come from the archive: they are opened inside
 * of it (openat2, RESOLVE_IN_ROOT), whatever they say, and must be regular files. Names of images
 * must be references. */
#include "engine/image/load_archive.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/image/digest.h"
#include "engine/image/store.h"

#define IMAGES_IN_ARCHIVE_MAX 1000
#define INDEX_DEPTH_MAX       2
#define ANNOTATION_NAME       "io.containerd.image.name"
#define ANNOTATION_REF        "org.opencontainers.image.ref.name"

void archived_images_done(struct archived_images *images)
{
    for (size_t i = 0; i < images->count; i++) {
        struct archived_image *image = &images->items[i];
        strv_free(image->names);
        strv_free(image->layers);
        strv_free(image->layer_digests);
        free(image->config);
        free(image->config_digest);
        free(image->manifest);
        free(image->manifest_digest);
    }
    VEC_DONE(images);
}

int archive_member_open(int root_fd, const char *member, int *ret_fd, int64_t *ret_size,
                        struct err *err)
{
    struct stat st;
    _cleanup_free_ char *shown = str_printable(member);
    _cleanup_close_ int fd =
        fs_open_in_root(root_fd, member, O_RDONLY | O_NONBLOCK, 0); /* a FIFO must not stop us */
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR || errno == ELOOP || errno == ENXIO))
        return err_set(err, ERR_CORRUPT, "the archive has no member '%.300s'", shown);
    if (fd < 0)
        return err_sys(err, "open '%.300s' of the archive", shown);
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return err_set(err, ERR_CORRUPT, "member '%.300s' of the archive is not a regular file",
                       shown);
    *ret_size = st.st_size;
    *ret_fd = take_fd(&fd);
    return 0;
}

int archive_member_read(int root_fd, const char *member, size_t max_bytes, char **ret_data,
                        size_t *ret_size, struct err *err)
{
    _cleanup_close_ int fd = -1;
    int64_t size;
    if (archive_member_open(root_fd, member, &fd, &size, err) < 0)
        return -1;
    if (fd_read_all(fd, max_bytes, ret_data, ret_size, err) < 0)
        return err_wrap(err, "member %.300s", member);
    return 0;
}

static int add_name(char ***names, const char *text, struct err *err)
{
    _cleanup_free_ char *full = NULL;
    if (image_ref_normalize(text, &full, err) < 0) {
        if (err)
            err->code = ERR_CORRUPT;
        return err_wrap(err, "name in the archive");
    }
    if (strchr(full, '@'))
        return err_set(err, ERR_CORRUPT, "the archive names an image by digest: %s", full);
    *names = strv_add(*names, full);
    return 0;
}

/* ---- docker-archive: manifest.json = [{"Config","RepoTags","Layers"}] ---- */

/* "<hex>.json" or "blobs/sha256/<hex>" tells the digest the config must have. */
static char *digest_in_name(const char *member)
{
    const char *base = strrchr(member, '/');
    base = base ? base + 1 : member;
    if (strlen(base) < 64 || strspn(base, "0123456789abcdef") != 64 ||
        (base[64] && !str_eq(base + 64, ".json")))
        return xstrdup("");
    return xasprintf("sha256:%.64s", base);
}

static int read_docker_image(const struct jv *entry, struct archived_images *images,
                             struct err *err)
{
    const char *config = jv_get_str(entry, "Config", NULL);
    const struct jv *layers = jv_find(entry, "Layers"), *tags = jv_find(entry, "RepoTags");
    if (!config || jv_kind(layers) != JV_ARRAY || jv_count(layers) > IMAGE_LAYERS_MAX ||
        jv_count(tags) > 1000)
        return err_set(err, ERR_CORRUPT,
                       "manifest.json: an entry has no 'Config' or no reasonable list 'Layers'");
    struct archived_image *image = VEC_ADD(images, (struct archived_image){0});
    image->config = xstrdup(config);
    image->config_digest = digest_in_name(config);
    image->layers = xcalloc(1, sizeof(*image->layers));
    for (size_t i = 0; i < jv_count(layers); i++) {
        const char *member = jv_text(jv_at(layers, i));
        if (!member)
            return err_set(err, ERR_CORRUPT, "manifest.json: a layer is no text");
        image->layers = strv_add(image->layers, member);
    }
    for (size_t i = 0; i < jv_count(tags); i++) {
        const char *tag = jv_text(jv_at(tags, i));
        if (!tag || add_name(&image->names, tag, err) < 0)
            return tag ? -1 : err_set(err, ERR_CORRUPT, "manifest.json: a tag is no text");
    }
    return 0;
}

static int read_docker(int root_fd, struct archived_images *images, struct err *err)
{
    _cleanup_free_ char *data = NULL;
    _cleanup_jv_ struct jv *list = NULL;
    size_t size;
    if (archive_member_read(root_fd, "manifest.json", BLOB_MANIFEST_MAX, &data, &size, err) < 0 ||
        jv_parse(data, size, &list, err) < 0)
        return err_wrap(err, "manifest.json");
    if (jv_kind(list) != JV_ARRAY || jv_count(list) == 0)
        return err_set(err, ERR_CORRUPT, "manifest.json is not a list of images");
    if (jv_count(list) > IMAGES_IN_ARCHIVE_MAX)
        return err_set(err, ERR_LIMIT, "the archive has %zu images, at most %d are taken",
                       jv_count(list), IMAGES_IN_ARCHIVE_MAX);
    for (size_t i = 0; i < jv_count(list); i++) {
        if (read_docker_image(jv_at(list, i), images, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- OCI layout: index.json → blobs/sha256/<hex> ---- */

static char *blob_member(const char *digest)
{
    return xasprintf("blobs/sha256/%s", digest_hex(digest));
}

/* A document that must have the digest and size of its descriptor. */
static int read_document(int root_fd, const struct descriptor *descriptor,
                         struct manifest *ret_manifest, struct err *err)
{
    _cleanup_free_ char *member = blob_member(descriptor->digest), *data = NULL;
    char digest[DIGEST_SIZE];
    size_t size;
    if (archive_member_read(root_fd, member, BLOB_MANIFEST_MAX, &data, &size, err) < 0)
        return -1;
    digest_of(data, size, digest);
    if (!str_eq(digest, descriptor->digest) || (int64_t)size != descriptor->size)
        return err_set(err, ERR_CORRUPT, "%s has the digest %s", member, digest);
    return manifest_parse(data, size, descriptor->media_type, ret_manifest, err);
}

static int add_oci_image(int root_fd, const struct descriptor *top, char **names,
                         struct archived_images *images, struct err *err)
{
    struct platform host;
    struct descriptor at = *top;
    struct manifest manifest = {0};
    platform_host(&host);
    for (unsigned depth = 0;; depth++) {
        if (read_document(root_fd, &at, &manifest, err) < 0)
            return -1;
        if (!manifest.is_index)
            break;
        const struct descriptor *choice = manifest_choose(&manifest, &host, err);
        if (choice)
            at = *choice;
        manifest_done(&manifest);
        if (!choice)
            return -1;
        if (depth >= INDEX_DEPTH_MAX)
            return err_set(err, ERR_LIMIT, "image indexes nest deeper than %d", INDEX_DEPTH_MAX);
    }
    struct archived_image *image = VEC_ADD(images, (struct archived_image){0});
    image->names = strv_dup(names);
    image->config = blob_member(manifest.config.digest);
    image->config_digest = xstrdup(manifest.config.digest);
    image->manifest = blob_member(at.digest);
    image->manifest_digest = xstrdup(at.digest);
    image->layers = xcalloc(1, sizeof(*image->layers));
    image->layer_digests = xcalloc(1, sizeof(*image->layer_digests));
    for (size_t i = 0; i < manifest.list.count; i++) {
        _cleanup_free_ char *member = blob_member(manifest.list.items[i].digest);
        image->layers = strv_add(image->layers, member);
        image->layer_digests = strv_add(image->layer_digests, manifest.list.items[i].digest);
    }
    manifest_done(&manifest);
    return 0;
}

/* What an entry of index.json is called: a bare tag is no name. */
static int entry_names(const struct jv *entry, char ***ret_names, struct err *err)
{
    const struct jv *annotations = jv_find(entry, "annotations");
    const char *name = jv_get_str(annotations, ANNOTATION_NAME, NULL);
    const char *ref = jv_get_str(annotations, ANNOTATION_REF, NULL);
    if (!name && ref && strpbrk(ref, "/:"))
        name = ref;
    return name ? add_name(ret_names, name, err) : 0;
}

static int read_oci(int root_fd, struct archived_images *images, struct err *err)
{
    _cleanup_free_ char *data = NULL;
    _cleanup_jv_ struct jv *document = NULL;
    struct manifest index = {0};
    size_t size;
    if (archive_member_read(root_fd, "index.json", BLOB_MANIFEST_MAX, &data, &size, err) < 0)
        return -1;
    if (manifest_parse(data, size, "application/vnd.oci.image.index.v1+json", &index, err) < 0 ||
        jv_parse(data, size, &document, err) < 0)
        return err_wrap(err, "index.json");
    const struct jv *list = jv_find(document, "manifests");
    int done = index.list.count ? 0 : err_set(err, ERR_CORRUPT, "index.json names no image");
    for (size_t i = 0; done == 0 && i < jv_count(list); i++) {
        const char *digest = jv_get_str(jv_at(list, i), "digest", "");
        _cleanup_(strv_freep) char **names = NULL;
        const struct descriptor *descriptor = NULL;
        for (size_t k = 0; k < index.list.count;
             k++) { /* artifacts are in the document, but not in the index */
            if (str_eq(index.list.items[k].digest, digest))
                descriptor = &index.list.items[k];
        }
        if (!descriptor)
            continue;
        done = entry_names(jv_at(list, i), &names, err);
        if (done == 0)
            done = add_oci_image(root_fd, descriptor, names, images, err);
    }
    manifest_done(&index);
    return done;
}

int archived_images_read(int root_fd, struct archived_images *ret_images, struct err *err)
{
    struct archived_images images = {0};
    int done;
    if (fs_exists(root_fd, "manifest.json"))
        done = read_docker(root_fd, &images, err);
    else if (fs_exists(root_fd, "index.json"))
        done = read_oci(root_fd, &images, err);
    else
        done = err_set(err, ERR_UNSUPPORTED,
                       "it is no image archive: neither manifest.json nor index.json is in it");
    if (done < 0)
        archived_images_done(&images);
    else
        *ret_images = images;
    return done;
}
