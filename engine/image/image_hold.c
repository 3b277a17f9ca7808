/* SPDX-License-Identifier: Apache-2.0 */
/* image_hold.c - between looking an image up and writing down that a container uses it, somebody may remove it. Whoever holds
 * the store's lock shared while it looks once more and writes excludes that: a removal reads the records under the same lock. */
#include "base/fd.h"
#include "base/fs.h"
#include "engine/engine.h"
#include "engine/image/store.h"

#define WAIT_MS 30000 /* a removal deletes files under the lock */

int image_hold(const struct layout *layout, const char *id, int *ret_lock, struct err *err)
{
    _cleanup_close_ int lib_fd = -1, lock = -1;
    _cleanup_jv_ struct jv *images = NULL;

    if (store_open_lib(layout, &lib_fd, err) < 0 || fs_lock(lib_fd, "images.lock", false, WAIT_MS, &lock, err) < 0 ||
        images_load(lib_fd, &images, err) < 0)
        return -1;
    if (!jv_find(jv_find(images, "images"), id))
        return err_set(err, ERR_NOT_FOUND, "image %s was removed meanwhile", id);
    *ret_lock = take_fd(&lock);
    return 0;
}
