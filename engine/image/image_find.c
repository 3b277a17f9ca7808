/* SPDX-License-Identifier: Apache-2.0 */
/* Reading images: images.json and the config blob, nothing else. One damaged image never hides the
 * others. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/image/image_config.h"
#include "engine/image/ref.h"
#include "engine/image/store.h"

static void healthcheck_done(struct image_healthcheck *check)
{
    strv_free(check->test);
    *check = (struct image_healthcheck){0};
}

void image_done(struct image *image)
{
    char **const texts[] = {&image->id,           &image->digest,  &image->os,
                            &image->architecture, &image->variant, &image->created,
                            &image->user,         &image->workdir, &image->stop_signal};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        free(*texts[i]);
    char ***const lists[] = {&image->names, &image->env,           &image->entrypoint,
                             &image->cmd,   &image->exposed_ports, &image->volumes,
                             &image->layers};
    for (size_t i = 0; i < ARRAY_LEN(lists); i++)
        strv_free(*lists[i]);
    jv_free(image->labels);
    healthcheck_done(&image->healthcheck);
    *image = (struct image){0};
}

/* Layer directories top first, down to the lowest that is seen. */
static int layer_paths(const struct layout *layout, const char *id, const struct jv *record,
                       char ***ret_layers, struct err *err)
{
    const struct jv *list = jv_find(record, "layers");
    size_t count = jv_count(list);
    int64_t base = jv_get_int(record, "base", 0);
    char **layers = NULL;
    if (count == 0 || count > IMAGE_LAYERS_MAX || base < 0 || (size_t)base >= count)
        return err_set(err, ERR_CORRUPT, "images.json: image %s: layer list is damaged", id);
    for (size_t i = count; i-- > (size_t)base;) {
        const char *chain = jv_text(jv_at(list, i));
        if (!chain || strlen(chain) != 64 || strspn(chain, "0123456789abcdef") != 64) {
            strv_free(layers);
            return err_set(err, ERR_CORRUPT, "images.json: image %s: layer list is damaged", id);
        }
        _cleanup_free_ char *path = layout_lib(layout, "layers/%s/diff", chain);
        layers = strv_add(layers, path);
    }
    *ret_layers = layers;
    return 0;
}

static void collect_names(const struct jv *images, const char *id, struct image *image)
{
    const char *key;
    struct jv *value;
    JV_EACH(jv_find(images, "names"), key, value)
    {
        if (!str_eq(jv_get_str(value, "image", NULL), id))
            continue;
        image->names = strv_add(image->names, key);
        const char *digest = jv_get_str(value, "digest", NULL);
        if (digest && !image->digest)
            image->digest = xstrdup(digest);
    }
}

static int read_image(const struct layout *layout, int lib_fd, const struct jv *images,
                      const char *id, struct image *ret_image, struct err *err)
{
    const struct jv *record = jv_find(jv_find(images, "images"), id);
    if (!record || !digest_is_valid(id))
        return err_set(err, ERR_CORRUPT,
                       "images.json: a name refers to an image that is not listed: %s", id);
    _cleanup_free_ char *data = NULL;
    _cleanup_jv_ struct jv *config = NULL;
    size_t size = 0;
    struct image image = {0};
    if (blob_read(lib_fd, id, BLOB_CONFIG_MAX, &data, &size, err) < 0 ||
        jv_parse(data, size, &config, err) < 0 || image_config_parse(config, &image, err) < 0) {
        if (err && err->code == ERR_NOT_FOUND)
            err->code = ERR_CORRUPT; /* the image is known, its config is lost */
        (void)err_wrap(err, "image %s", id);
        return err_hint(err, "pull the image again");
    }
    image.id = xstrdup(id);
    image.size_bytes = jv_get_int(record, "size", 0);
    collect_names(images, id, &image);
    const char *manifest = jv_get_str(record, "manifest", NULL);
    if (!image.digest && manifest)
        image.digest = xstrdup(manifest);
    if (layer_paths(layout, id, record, &image.layers, err) < 0) {
        image_done(&image);
        return -1;
    }
    *ret_image = image;
    return 0;
}

int image_find(const struct layout *layout, const char *reference, struct image *ret_image,
               struct err *err)
{
    _cleanup_close_ int lib_fd = -1;
    _cleanup_jv_ struct jv *images = NULL;
    const char *id = NULL, *name = NULL;
    struct err local = {0};
    if (store_open_lib(layout, &lib_fd, &local) < 0) {
        if (local.code == ERR_NOT_FOUND)
            return err_set(err, ERR_NOT_FOUND, "no such image: %s", reference);
        return err_copy(err, &local);
    }
    if (images_load(lib_fd, &images, err) < 0 ||
        images_resolve(images, reference, &id, &name, err) < 0)
        return -1;
    if (read_image(layout, lib_fd, images, id, ret_image, err) < 0)
        return -1;
    /* a directory that somebody removed by hand is told now, not by a failing mount later */
    for (size_t i = 0; ret_image->layers[i]; i++) {
        if (access(ret_image->layers[i], F_OK) < 0 && errno == ENOENT) {
            (void)err_set(err, ERR_CORRUPT, "image %s: layer directory %s is missing", reference,
                          ret_image->layers[i]);
            (void)err_hint(err, "pull the image again");
            image_done(ret_image);
            return -1;
        }
    }
    return 0;
}

static int compare_images(const void *a, const void *b)
{
    const struct image *x = a, *y = b;
    const char *left = x->names ? x->names[0] : x->id, *right = y->names ? y->names[0] : y->id;
    int order = !!y->names - !!x->names; /* nameless ones last */
    return order ? order : strcmp(left, right);
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

int image_list(const struct layout *layout, struct image **ret_images, size_t *ret_count,
               struct err *err)
{
    _cleanup_close_ int lib_fd = -1;
    _cleanup_jv_ struct jv *images = NULL;
    struct err local = {0};
    *ret_count = 0;
    *ret_images = NULL;
    if (store_open_lib(layout, &lib_fd, &local) < 0)
        return local.code == ERR_NOT_FOUND ? 0 : err_copy(err, &local);
    if (images_load(lib_fd, &images, err) < 0)
        return -1;
    const char *id;
    struct jv *record;
    size_t count = 0;
    struct image *list = xcalloc(jv_count(jv_find(images, "images")) + 1, sizeof(*list));
    JV_EACH(jv_find(images, "images"), id, record)
    {
        (void)record; /* read_image finds it again by its id */
        struct err bad = {0};
        if (read_image(layout, lib_fd, images, id, &list[count], &bad) < 0) {
            log_error("noun=image id=%s %s", id, bad.message);
            continue;
        }
        if (list[count].names)
            qsort(list[count].names, strv_len(list[count].names), sizeof(char *), compare_texts);
        count++;
    }
    qsort(list, count, sizeof(*list), compare_images);
    *ret_images = list;
    *ret_count = count;
    return 0;
}
