/* SPDX-License-Identifier: Apache-2.0 */
/* The record of a layer's content, and its later comparison with what lies there. */
#include "engine/image/layer_index.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/map.h"
#include "engine/image/content_sum.h"
#include "engine/image/tree_walk.h"

#define FLUSH_SIZE     65536
#define INDEX_SIZE_MAX ((size_t)1 << 30)

static int flush(struct layer_index *index, struct err *err)
{
    if (fd_write_all(index->fd, str_text(&index->buffer), index->buffer.size) < 0)
        return err_sys(err, "write the layer's record");
    str_clear(&index->buffer);
    return 0;
}

int layer_index_add(struct layer_index *index, uint64_t sum, int64_t size, const char *path,
                    struct err *err)
{
    if (index->fd < 0)
        return 0;
    str_addf(&index->buffer, "%016" PRIx64 " %" PRId64 " ", sum, size);
    str_add_bytes(&index->buffer, path, strlen(path) + 1);
    return index->buffer.size >= FLUSH_SIZE ? flush(index, err) : 0;
}

int layer_index_end(struct layer_index *index, struct err *err)
{
    int done = index->fd >= 0 && index->buffer.size ? flush(index, err) : 0;
    str_done(&index->buffer);
    return done;
}

/* NULL when the file is what it was, else what is wrong. */
static const char *compare(int dirfd, const char *name, uint64_t sum, int64_t size)
{
    struct stat st;
    struct content_sum now = CONTENT_SUM_INIT;
    char buffer[65536];
    ssize_t got;
    _cleanup_close_ int fd =
        dirfd < 0 ? -1 : openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return dirfd < 0 || errno == ENOENT ? "is missing" : "cannot be opened";
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return "is no file any more";
    if (st.st_size != size)
        return "has another size";
    while ((got = read(fd, buffer, sizeof(buffer))) > 0)
        content_sum_add(&now, buffer, (size_t)got);
    if (got < 0)
        return "cannot be read";
    return content_sum_end(&now) == sum ? NULL : "has another content";
}

/* path → its last record, borrowed from data. */
static int read_records(const char *data, size_t size, struct map *records, struct err *err)
{
    for (const char *at = data; at < data + size; at += strlen(at) + 1) {
        char clean[TREE_PATH_MAX];
        const char *space = strchr(at, ' '), *path = space ? strchr(space + 1, ' ') : NULL;
        if (!path || tree_path_clean(path + 1, clean, err) < 0)
            return err_set(err, ERR_CORRUPT, "the layer's record is damaged");
        map_set(records, clean, (void *)at);
    }
    return 0;
}

int layer_index_verify(int layer_fd, layer_damage_fn *on_damage, void *arg, struct err *err)
{
    _cleanup_free_ char *data = NULL;
    _cleanup_(map_freep) struct map *records = map_new(NULL);
    _cleanup_close_ int root_fd =
        openat(layer_fd, "diff", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    size_t size = 0;
    struct tree_walk walk;
    int done = 0;
    if (root_fd < 0)
        return err_sys(err, "open its directory diff");
    if (fs_read(layer_fd, "files", INDEX_SIZE_MAX, &data, &size, err) < 0 ||
        read_records(data, size, records, err) < 0)
        return -1;
    tree_walk_init(&walk, root_fd);
    for (size_t i = 0; done == 0 && i < map_count(records); i++) {
        const char *path = map_key_at(records, i), *name = "", *what;
        char *rest;
        int dirfd = -1;
        uint64_t sum = strtoull(map_value_at(records, i), &rest, 16);
        int64_t length = strtoll(rest, NULL, 10);
        done = tree_walk_parent(&walk, path, NULL, NULL, &dirfd, &name, err);
        if (done == 0 && (what = compare(dirfd, name, sum, length)))
            on_damage(arg, path, what);
    }
    tree_walk_done(&walk);
    return done;
}
