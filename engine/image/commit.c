/* SPDX-License-Identifier: Apache-2.0 */
/* Recording an image. Order is what makes a crash harmless: content first, then the one file that
 * refers to it. */
#include "engine/image/commit.h"

#include <fcntl.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/str.h"
#include "engine/image/ref.h"
#include "engine/image/store.h"

static int put_blob(int lib_fd, const char *digest, const char *data, size_t size, struct err *err)
{
    _cleanup_free_ char *there = NULL;
    size_t there_size;
    if (blob_read(lib_fd, digest, size, &there, &there_size, NULL) == 0)
        return 0; /* whole and durable since an earlier time */
    _cleanup_close_ int fd = openat(lib_fd, "blobs/sha256", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return err_sys(err, "open blobs");
    return fs_replace(fd, digest_hex(digest), data, size, 0600, err);
}

static int record_image(int lib_fd, const struct commit *commit, struct jv *record, struct err *err)
{
    _cleanup_close_ int lock = -1;
    _cleanup_jv_ struct jv *images = NULL;
    if (images_lock(lib_fd, &lock, err) < 0 || images_load(lib_fd, &images, err) < 0)
        return -1;
    const char *manifest =
        jv_get_str(jv_find(jv_find(images, "images"), commit->image_id), "manifest", NULL);
    if (manifest && !jv_find(record, "manifest")) /* the same image came without one this time */
        jv_set_str(record, "manifest", manifest);
    _cleanup_jv_ struct jv *before = jv_copy_deep(images);
    jv_set(jv_find(images, "images"), commit->image_id, jv_ref(record));
    if (commit->name) {
        struct jv *name = jv_object();
        jv_set_str(name, "image", commit->image_id);
        jv_set_str(name, "digest", commit->digest);
        jv_set(jv_find(images, "names"), commit->name, name);
    }
    if (jv_equal(before, images))
        return 0;
    return images_save(lib_fd, images, err);
}

int commit_image(int lib_fd, const struct commit *commit, struct err *err)
{
    _cleanup_jv_ struct jv *record = jv_object();
    if (layer_set_record(commit->layers, record, err) < 0)
        return -1;
    if (commit->manifest) {
        jv_set_str(record, "manifest", commit->manifest_digest);
        if (put_blob(lib_fd, commit->manifest_digest, commit->manifest, commit->manifest_size,
                     err) < 0)
            return -1;
    }
    if (put_blob(lib_fd, commit->image_id, commit->config, commit->config_size, err) < 0)
        return -1;
    return record_image(lib_fd, commit, record, err);
}
