/* SPDX-License-Identifier: Apache-2.0 */
/* Collection of garbage: mark by reading every reference under the locks, then delete the rest.
 * Runs only while no pull is under way (they refer to layers before it is written down). */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/id.h"
#include "base/log.h"
#include "base/map.h"
#include "base/proc.h"
#include "base/str.h"
#include "engine/image/image_users.h"
#include "engine/image/ref.h"
#include "engine/image/store.h"

#define NAMES_MAX 1000000

static void mark_digest(struct map *marked, const char *digest)
{
    if (digest && digest_is_valid(digest))
        map_set(marked, digest_hex(digest), marked);
}

static void mark_images(const struct jv *images, struct map *marked)
{
    const char *id;
    struct jv *record;
    JV_EACH(jv_find(images, "images"), id, record)
    {
        const struct jv *layers = jv_find(record, "layers");
        mark_digest(marked, id);
        mark_digest(marked, jv_get_str(record, "manifest", NULL));
        for (size_t i = 0; i < jv_count(layers); i++) {
            if (jv_text(jv_at(layers, i)))
                map_set(marked, jv_text(jv_at(layers, i)), marked);
        }
    }
}

/* Removed by force while a container used them, kept without a name until now. */
static bool drop_forsaken(struct jv *images, const struct image_users *users)
{
    struct jv *list = jv_find(images, "images");
    bool changed = false;
    for (;;) {
        const char *id, *drop = NULL;
        struct jv *record;
        JV_EACH(list, id, record)
        {
            if (jv_get_bool(record, "forsaken", false) && !map_has(users->names, id))
                drop = id;
        }
        if (!drop)
            return changed;
        _cleanup_free_ char *key = xstrdup(drop);
        jv_remove(list, key);
        changed = true;
    }
}

/* Removes what is neither marked nor used. Layers go by way of tmp, so that a half-deleted one is
 * never visible. */
static int delete_unmarked(int lib_fd, const char *directory, bool is_tree,
                           const struct map *marked, const struct image_users *users,
                           struct err *err)
{
    char **names = NULL;
    size_t count = 0;
    int done = fs_list(lib_fd, directory, NAMES_MAX, &names, &count, err);
    pid_t pid = getpid();
    unsigned long long start = proc_start_time(pid);
    for (size_t i = 0; done == 0 && i < count; i++) {
        if (!id_is_valid(names[i]) || map_has(marked, names[i]) || map_has(users->words, names[i]))
            continue;
        _cleanup_free_ char *path = xasprintf("%s/%s", directory, names[i]);
        _cleanup_free_ char *away = xasprintf("tmp/%d-%llu-%.16s", pid, start, names[i]);
        if (!is_tree)
            done = unlinkat(lib_fd, path, 0) < 0 ? err_sys(err, "remove %s", path) : 0;
        else if (renameat(lib_fd, path, lib_fd, away) < 0)
            done = err_sys(err, "move %s away", path);
        else
            done = fs_remove_tree(lib_fd, away, err);
    }
    fs_names_free(names);
    return done;
}

int store_collect(int lib_fd, struct err *err)
{
    _cleanup_close_ int pulls = -1;
    _cleanup_close_ int lock = -1;
    _cleanup_jv_ struct jv *images = NULL;
    _cleanup_(image_users_done) struct image_users users = {0};
    struct err local = {0};
    if (layers_lock_exclusive(lib_fd, &pulls, &local) < 0)
        return local.code == ERR_BUSY
                   ? fs_replace_volatile(lib_fd, COLLECT_PENDING, "", 0, 0600, err)
                   : err_copy(err, &local);
    (void)unlinkat(lib_fd, COLLECT_PENDING, 0); /* mostly not there */
    if (images_lock(lib_fd, &lock, err) < 0 || images_load(lib_fd, &images, err) < 0 ||
        image_users_read(lib_fd, &users, err) < 0)
        return -1;
    if (drop_forsaken(images, &users) && images_save(lib_fd, images, err) < 0)
        return -1;
    _cleanup_(map_freep) struct map *marked = map_new(NULL);
    mark_images(images, marked);
    if (delete_unmarked(lib_fd, "layers", true, marked, &users, err) < 0)
        return -1;
    return delete_unmarked(lib_fd, "blobs/sha256", false, marked, &users, err);
}

void store_settle(int lib_fd, bool succeeded)
{
    struct err err = {0};
    if ((!succeeded || fs_exists(lib_fd, COLLECT_PENDING)) && store_collect(lib_fd, &err) < 0)
        log_warning("noun=image cannot collect: %s", err.message);
}
