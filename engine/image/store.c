/* SPDX-License-Identifier: Apache-2.0 */
/* The stores of images on disk, as every reader sees them: one state file, content by digest,
 * layers by chain id. Readers need no lock, because the state file is replaced whole and a layer
 * appears by one rename. */
#include "engine/image/store.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/image/ref.h"

int store_open_lib(const struct layout *layout, int *ret_fd, struct err *err)
{
    int fd = open(layout->lib, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "%s does not exist", layout->lib);
    if (fd < 0)
        return err_sys(err, "open %s", layout->lib);
    *ret_fd = fd;
    return 0;
}

int store_make(int lib_fd, struct err *err)
{
    static const char *const directories[] = {"blobs/sha256", "layers", "tmp"};
    for (size_t i = 0; i < ARRAY_LEN(directories); i++) {
        if (fs_mkdirs(lib_fd, directories[i], 0700, err) < 0)
            return -1;
    }
    return 0;
}

int images_load(int lib_fd, struct jv **ret_images, struct err *err)
{
    struct err local = {0};
    struct jv *images = NULL;
    if (jv_load_file(lib_fd, "images.json", IMAGES_SIZE_MAX, &images, &local) < 0) {
        if (local.code != ERR_NOT_FOUND)
            return err_copy(err, &local);
        images = jv_object();
        jv_set_int(images, "version", IMAGES_VERSION);
    }
    int64_t version = jv_get_int(images, "version", 0);
    if (version != IMAGES_VERSION) {
        jv_free(images);
        return err_set(err, version > IMAGES_VERSION ? ERR_UNSUPPORTED : ERR_CORRUPT,
                       "images.json has version %lld, this program knows %d", (long long)version,
                       IMAGES_VERSION);
    }
    static const char *const keys[] = {"names", "images"};
    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        struct jv *value = jv_find(images, keys[i]);
        if (value && jv_kind(value) != JV_OBJECT) {
            jv_free(images);
            return err_set(err, ERR_CORRUPT, "images.json: '%s' is not an object", keys[i]);
        }
        if (!value)
            jv_set(images, keys[i], jv_object());
    }
    *ret_images = images;
    return 0;
}

int images_save(int lib_fd, const struct jv *images, struct err *err)
{
    return jv_save_file(lib_fd, "images.json", images, err);
}

int images_lock(int lib_fd, int *ret_fd, struct err *err)
{
    return fs_lock(lib_fd, "images.lock", true, -1, ret_fd, err);
}

int layers_lock_shared(int lib_fd, int *ret_fd, struct err *err)
{
    return fs_lock(lib_fd, "layers.lock", false, -1, ret_fd, err);
}

int layers_lock_exclusive(int lib_fd, int *ret_fd, struct err *err)
{
    return fs_lock(lib_fd, "layers.lock", true, 0, ret_fd, err);
}

int blob_read(int lib_fd, const char *digest, size_t max_bytes, char **ret_data, size_t *ret_size,
              struct err *err)
{
    _cleanup_free_ char *path = xasprintf("blobs/sha256/%s", digest_hex(digest));
    _cleanup_free_ char *data = NULL;
    size_t size = 0;
    if (fs_read(lib_fd, path, max_bytes, &data, &size, err) < 0)
        return -1;
    char hex[HASH_HEX_SIZE];
    hash_hex(data, size, hex);
    if (!str_eq(hex, digest_hex(digest)))
        return err_set(err, ERR_CORRUPT,
                       "stored blob %s is damaged: its bytes have the digest sha256:%s", digest,
                       hex);
    *ret_data = take_ptr(&data);
    *ret_size = size;
    return 0;
}

void layer_chain(const char *parent_hex, const char *diff_id, char ret_chain_hex[65])
{
    char hex[HASH_HEX_SIZE];
    if (parent_hex) {
        _cleanup_free_ char *text = xasprintf("sha256:%s %s", parent_hex, diff_id);
        hash_hex(text, strlen(text), hex);
    } else {
        memcpy(hex, digest_hex(diff_id), sizeof(hex));
    }
    memcpy(ret_chain_hex, hex, sizeof(hex));
}

bool layer_exists(int lib_fd, const char *chain_hex)
{
    _cleanup_free_ char *path = xasprintf("layers/%s/diff", chain_hex);
    struct stat st;
    return fstatat(lib_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

static bool is_hex(const char *text)
{
    return *text && text[strspn(text, "0123456789abcdef")] == '\0';
}

static int resolve_id(const struct jv *images, const char *reference, const char **ret_id,
                      struct err *err)
{
    const char *prefix = str_has_prefix(reference, "sha256:") ? reference + 7 : reference;
    const char *found = NULL, *key;
    struct jv *value;
    if (!is_hex(prefix) || strlen(prefix) < 6 || strlen(prefix) > 64)
        return err_set(err, ERR_NOT_FOUND, "no such image: %s", reference);
    JV_EACH(jv_find(images, "images"), key, value)
    {
        (void)value; /* only the id matters here */
        if (!digest_is_valid(key) || !str_has_prefix(digest_hex(key), prefix))
            continue;
        if (found)
            return err_set(err, ERR_NOT_FOUND, "image id prefix %s is not unique", reference);
        found = key;
    }
    if (!found)
        return err_set(err, ERR_NOT_FOUND, "no such image: %s", reference);
    *ret_id = found;
    return 0;
}

/* name@digest finds an image pulled by tag when the digest is the one it was pulled by (or its
 * manifest's). */
static const char *resolve_by_digest(const struct jv *images, const struct image_ref *ref,
                                     const char **ret_name)
{
    _cleanup_free_ char *prefix = xasprintf("%s/%s", ref->registry, ref->repository);
    const char *key;
    struct jv *value;
    JV_EACH(jv_find(images, "names"), key, value)
    {
        size_t size = strlen(prefix);
        if (strncmp(key, prefix, size) != 0 || (key[size] != ':' && key[size] != '@'))
            continue;
        const char *id = jv_get_str(value, "image", "");
        struct jv *image = jv_find(jv_find(images, "images"), id);
        if (image && (str_eq(jv_get_str(value, "digest", NULL), ref->digest) ||
                      str_eq(jv_get_str(image, "manifest", NULL), ref->digest))) {
            *ret_name = key;
            return id;
        }
    }
    return NULL;
}

int images_resolve(const struct jv *images, const char *reference, const char **ret_id,
                   const char **ret_name, struct err *err)
{
    _cleanup_(image_ref_done) struct image_ref ref = {0};
    struct err local = {0};
    if (id_is_valid(reference) || image_ref_parse(reference, &ref, &local) < 0) {
        *ret_name = NULL;
        if (resolve_id(images, reference, ret_id, err) == 0)
            return 0;
        return local.code && !str_has_prefix(reference, "sha256:") ? err_copy(err, &local) : -1;
    }
    _cleanup_free_ char *full = image_ref_format(&ref);
    const char *key;
    struct jv *value;
    JV_EACH(jv_find(images, "names"), key, value)
    {
        if (!str_eq(key, full))
            continue;
        *ret_name = key;
        *ret_id = jv_get_str(value, "image", "");
        return 0;
    }
    const char *id = ref.digest ? resolve_by_digest(images, &ref, ret_name) : NULL;
    if (id) {
        *ret_id = id;
        return 0;
    }
    *ret_name = NULL;
    return resolve_id(images, reference, ret_id, err);
}
