/* SPDX-License-Identifier: Apache-2.0 */
/* Importing: the archive is unpacked as the only layer, the config is made from the changes. */
#include "engine/image/import.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/image/changes.h"
#include "engine/image/commit.h"
#include "engine/image/digest.h"
#include "engine/image/image_config.h"
#include "engine/image/layer_set.h"
#include "engine/image/platform.h"
#include "engine/image/progress.h"
#include "engine/image/ref.h"
#include "engine/image/staging.h"
#include "engine/image/store.h"

int archive_open(const char *file, int *ret_fd, int64_t *ret_size, struct err *err)
{
    struct stat st;
    _cleanup_close_ int fd = str_eq(file, "-") ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
                                               : open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0)
        return err_sys(err, "open %s", file);
    if (S_ISDIR(st.st_mode))
        return err_set(err, ERR_CONFIG, "%s is a directory, not an archive", file);
    *ret_size = S_ISREG(st.st_mode) ? st.st_size : 0;
    *ret_fd = take_fd(&fd);
    return 0;
}

static void on_status(void *arg, size_t index, const char *status, int64_t current, int64_t total)
{
    const struct import *import = arg;
    (void)index; /* there is one */
    progress_say("rootfs", import->reference, status, current, total > 0 ? total : -1);
}

/* Everything but the layer: checked before the long work begins. */
static int make_config(const struct import *import, struct jv **ret_config, struct err *err)
{
    _cleanup_jv_ struct jv *config = jv_object();
    _cleanup_(image_done) struct image image = {0};
    struct jv *run = jv_object();
    struct platform host;
    char now[RFC3339_SIZE];
    platform_host(&host);
    jv_set_str(config, "architecture", host.architecture);
    if (*host.variant)
        jv_set_str(config, "variant", host.variant);
    jv_set_str(config, "os", host.os);
    jv_set_str(config, "created", rfc3339_format_ns(clock_wall_ns(), now, sizeof(now)));
    jv_set(config, "config", run);
    for (size_t i = 0; import->changes && import->changes[i]; i++) {
        if (change_apply(run, import->changes[i], err) < 0)
            return -1;
    }
    if (image_config_parse(config, &image, err) < 0) {
        err->code = ERR_USAGE; /* it is the person's, not a stranger's */
        return -1;
    }
    *ret_config = take_ptr(&config);
    return 0;
}

static int commit(const struct import *import, const char *name, struct jv *config,
                  const struct layer_set *layers, struct err *err)
{
    struct jv *rootfs = jv_object();
    char image_id[DIGEST_SIZE];
    jv_set_str(rootfs, "type", "layers");
    jv_set(rootfs, "diff_ids", jv_strv((char *[]){(char *)layer_set_diff_id(layers, 0), NULL}));
    jv_set(config, "rootfs", rootfs);
    _cleanup_free_ char *text = jv_dump(config);
    digest_of(text, strlen(text), image_id);
    const struct commit record = {
        .name = name,
        .config = text,
        .config_size = strlen(text),
        .image_id = image_id,
        .layers = layers,
    };
    if (commit_image(import->lib_fd, &record, err) < 0)
        return err_wrap(err, "record the image");
    progress_done(import->reference, "Imported", NULL, image_id);
    return 0;
}

static int run(const struct import *import, struct err *err)
{
    _cleanup_(layer_set_freep) struct layer_set *layers = NULL;
    _cleanup_free_ char *name = NULL;
    _cleanup_jv_ struct jv *config = NULL;
    _cleanup_close_ int fd = -1;
    _cleanup_close_ int lock = -1;
    _cleanup_close_ int tmp = -1;
    int64_t size = 0;
    if (image_ref_normalize(import->reference, &name, err) < 0 ||
        make_config(import, &config, err) < 0 || archive_open(import->file, &fd, &size, err) < 0)
        return -1;
    if (strchr(name, '@'))
        return err_set(err, ERR_CONFIG, "an imported image cannot be named by a digest");
    progress_say(import->reference, NULL, "Importing", -1, -1);
    if (layers_lock_shared(import->lib_fd, &lock, err) < 0 ||
        staging_open(import->lib_fd, &tmp, err) < 0)
        return -1;
    layers = layer_set_new(import->lib_fd, NULL, &import->limits, on_status, (void *)import);
    layer_set_supply(layers, 0, take_fd(&fd), size);
    if (layer_set_finish(layers, err) < 0)
        return -1;
    return commit(import, name, config, layers, err);
}

int import_run(const struct import *import, struct err *err)
{
    int done = run(import, err);
    store_settle(import->lib_fd, done == 0);
    return done < 0 ? err_wrap(err, "import %s", import->file) : 0;
}
