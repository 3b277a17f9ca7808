/* SPDX-License-Identifier: Apache-2.0 */
/* Removing images: names first, then the image when no name is left, then what nothing refers to
 * any more. */
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/image/image_users.h"
#include "engine/image/store.h"

static char **names_of(const struct jv *images, const char *id)
{
    char **names = xcalloc(1, sizeof(*names));
    const char *key;
    struct jv *value;
    JV_EACH(jv_find(images, "names"), key, value)
    {
        if (str_eq(jv_get_str(value, "image", NULL), id))
            names = strv_add(names, key);
    }
    return names;
}

/* What is to be untagged; *ret_whole: the image goes with it. */
static int decide(const struct jv *images, const struct image_users *users, const char *id,
                  const char *name, bool force, char ***ret_untag, bool *ret_whole, struct err *err)
{
    _cleanup_(strv_freep) char **all = names_of(images, id);
    const char *user = map_find(users->names, id);
    bool whole = !name || strv_len(all) < 2;
    if (whole && user && !force)
        return err_set(err, ERR_BUSY, "image is used by container '%s'", user);
    if (name) {
        strv_free(all);
        all = strv_add(NULL, name);
    }
    *ret_untag = take_ptr(&all);
    *ret_whole = whole;
    return 0;
}

static int change(int lib_fd, const char *reference, bool force, char ***ret_untagged,
                  char ***ret_deleted, struct err *err)
{
    _cleanup_close_ int lock = -1;
    _cleanup_jv_ struct jv *images = NULL;
    _cleanup_(image_users_done) struct image_users users = {0};
    _cleanup_(strv_freep) char **untag = NULL;
    const char *found = NULL, *name = NULL;
    bool whole = false;
    if (images_lock(lib_fd, &lock, err) < 0 || images_load(lib_fd, &images, err) < 0 ||
        images_resolve(images, reference, &found, &name, err) < 0 ||
        image_users_read(lib_fd, &users, err) < 0)
        return -1;
    _cleanup_free_ char *id =
        xstrdup(found); /* found and name live in images, which changes below */
    if (decide(images, &users, id, name, force, &untag, &whole, err) < 0)
        return -1;
    for (size_t i = 0; untag && untag[i]; i++)
        jv_remove(jv_find(images, "names"), untag[i]);
    if (whole && map_has(users.names, id)) {
        struct jv *record = jv_find(jv_find(images, "images"), id);
        if (record)
            jv_set_bool(record, "forsaken", true);
        whole = false;
    } else if (whole) {
        jv_remove(jv_find(images, "images"), id);
    }
    if (images_save(lib_fd, images, err) < 0)
        return -1;
    *ret_untagged = take_ptr(&untag);
    *ret_deleted = whole ? strv_add(NULL, id) : NULL;
    return 0;
}

int image_remove(const struct layout *layout, const char *reference, bool force,
                 char ***ret_untagged, char ***ret_deleted, struct err *err)
{
    _cleanup_close_ int lib_fd = -1;
    struct err local = {0};
    if (store_open_lib(layout, &lib_fd, &local) < 0) {
        if (local.code == ERR_NOT_FOUND)
            return err_set(err, ERR_NOT_FOUND, "no such image: %s", reference);
        return err_copy(err, &local);
    }
    if (store_make(lib_fd, err) < 0)
        return -1;
    if (change(lib_fd, reference, force, ret_untagged, ret_deleted, err) < 0)
        return err_wrap(err, "remove image %s", reference);
    if (store_collect(lib_fd, &local) <
        0) /* the image is gone; what is left over goes at the next occasion */
        log_warning("noun=image cannot collect: %s", local.message);
    return 0;
}
