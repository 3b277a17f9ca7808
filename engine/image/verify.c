/* SPDX-License-Identifier: Apache-2.0 */
/* Verification: every image's documents by digest, every layer's files by the record made when it
 * was unpacked. One damage does not end the search. */
#include "engine/image/verify.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/map.h"
#include "base/str.h"
#include "engine/image/image_users.h"
#include "engine/image/layer_index.h"
#include "engine/image/progress.h"
#include "engine/image/ref.h"
#include "engine/image/staging.h"
#include "engine/image/store.h"

struct verification {
    int lib_fd;
    const char *subject; /* short id of what is being looked at */
    unsigned damages, put_away;
    bool repair;
    struct image_users users;
    struct map *layers; /* those seen already */
};

static void tell(struct verification *verification, const char *what)
{
    verification->damages++;
    progress_damage(verification->subject, what);
}

static void on_file(void *arg, const char *path, const char *what)
{
    _cleanup_free_ char *shown = str_printable(path);
    _cleanup_free_ char *text = xasprintf("file '/%s' %s", shown, what);
    tell(arg, text);
}

static void check_blob(struct verification *verification, const char *digest, size_t max)
{
    _cleanup_free_ char *data = NULL;
    struct err err = {0};
    size_t size;
    if (blob_read(verification->lib_fd, digest, max, &data, &size, &err) < 0)
        tell(verification, err.message);
}

/* Out of sight by one rename, then deleted. */
static void put_away(struct verification *verification, const char *chain)
{
    _cleanup_free_ char *path = xasprintf("layers/%s", chain), *name = staging_name();
    _cleanup_free_ char *away = xasprintf("tmp/%s", name);
    struct err err = {0};
    const bool used = map_has(verification->users.words, chain);
    if (!used && renameat(verification->lib_fd, path, verification->lib_fd, away) == 0) {
        verification->put_away++;
        progress_say(verification->subject, NULL, "Put away", -1, -1);
        if (fs_remove_tree(verification->lib_fd, away, &err) < 0)
            log_warning("noun=layer %s", err.message); /* swept by the next worker */
    } else {
        progress_say(verification->subject, NULL, used ? "Kept: a container uses it" : "Kept", -1,
                     -1);
    }
}

static void check_layer(struct verification *verification, const char *chain)
{
    _cleanup_free_ char *path = xasprintf("layers/%s", chain);
    char subject[13];
    struct err err = {0};
    const unsigned before = verification->damages;
    if (map_has(verification->layers, chain))
        return;
    map_set(verification->layers, chain, verification);
    (void)snprintf(subject, sizeof(subject), "%s", chain);
    verification->subject = subject;
    _cleanup_close_ int fd = openat(verification->lib_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        tell(verification, errno == ENOENT ? "the layer is missing" : "the layer cannot be opened");
    else if (layer_index_verify(fd, on_file, verification, &err) < 0)
        tell(verification, err.message);
    if (verification->repair && fd >= 0 && verification->damages > before)
        put_away(verification, chain);
    verification->subject = NULL;
}

static void check_image(struct verification *verification, const char *id, const struct jv *record)
{
    const struct jv *layers = jv_find(record, "layers");
    const char *manifest = jv_get_str(record, "manifest", NULL);
    char subject[20];
    (void)snprintf(subject, sizeof(subject), "%s", id);
    verification->subject = subject;
    if (!digest_is_valid(id) || jv_kind(layers) != JV_ARRAY ||
        (manifest && !digest_is_valid(manifest))) {
        tell(verification, "its record in images.json is damaged");
        return;
    }
    check_blob(verification, id, BLOB_CONFIG_MAX);
    if (manifest)
        check_blob(verification, manifest, BLOB_MANIFEST_MAX);
    for (size_t i = 0; i < jv_count(layers); i++)
        check_layer(verification, jv_text(jv_at(layers, i)) ? jv_text(jv_at(layers, i)) : "");
}

int verify_run(int lib_fd, bool repair, struct err *err)
{
    _cleanup_jv_ struct jv *images = NULL;
    _cleanup_close_ int lock = -1;
    const char *id;
    struct jv *record;
    _cleanup_(image_users_done) struct image_users users = {0};
    if ((repair ? layers_lock_exclusive(lib_fd, &lock, err)
                : layers_lock_shared(lib_fd, &lock, err)) < 0 ||
        images_load(lib_fd, &images, err) < 0 || image_users_read(lib_fd, &users, err) < 0)
        return -1;
    struct verification verification = {
        .lib_fd = lib_fd, .repair = repair, .users = users, .layers = map_new(NULL)};
    JV_EACH(jv_find(images, "images"), id, record)
    check_image(&verification, id, record);
    size_t layers = map_count(verification.layers);
    map_free(verification.layers);
    if (verification.damages) {
        (void)err_set(err, ERR_CORRUPT, "%u damages in %zu layers and %zu images",
                      verification.damages, layers, jv_count(jv_find(images, "images")));
        return verification.put_away
                   ? err_hint(err, "pull the damaged images again")
                   : err_hint(err, "verify with --repair, then pull the damaged images again");
    }
    progress_done("store", "Verified", NULL, NULL);
    return 0;
}
