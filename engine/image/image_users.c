/* SPDX-License-Identifier: Apache-2.0 */
/* Reading containers' records for references only. Deleting goes by what is found here, so it errs
 * on the side of keeping: any 64-digit word of a record counts as a reference. */
#include "engine/image/image_users.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/id.h"
#include "base/json.h"

#define CONTAINERS_MAX  1000000
#define RECORD_SIZE_MAX (8 * 1024 * 1024) /* as engine/container/record.h has it */

static void take_words(const char *text, struct map *words)
{
    static const char digits[] = "0123456789abcdef";
    while (*text) {
        size_t size = strspn(text, digits);
        if (size == 64) {
            _cleanup_free_ char *word = xstrndup(text, size);
            map_set(words, word, words);
        }
        text += size;
        text += strcspn(text, digits);
    }
}

static int read_record(int containers_fd, const char *id, struct image_users *users,
                       struct err *err)
{
    _cleanup_free_ char *path = xasprintf("%s/container.json", id), *text = NULL;
    _cleanup_jv_ struct jv *record = NULL;
    struct err local = {0};
    size_t size = 0;
    if (fs_read(containers_fd, path, RECORD_SIZE_MAX, &text, &size, &local) < 0)
        return local.code == ERR_NOT_FOUND
                   ? 0
                   : err_copy(err, &local); /* being made or being deleted */
    if (jv_parse(text, size, &record, err) < 0)
        return err_wrap(err, "container %.12s", id);
    const char *image = jv_get_str(record, "image_id", NULL);
    if (image)
        map_set(users->names, image, xstrdup(jv_get_str(record, "name", id)));
    take_words(text, users->words);
    return 0;
}

int image_users_read(int lib_fd, struct image_users *ret_users, struct err *err)
{
    struct image_users users = {map_new(free), map_new(NULL)};
    char **ids = NULL;
    size_t count = 0;
    int done = 0;
    _cleanup_close_ int fd = openat(lib_fd, "containers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT)
        done = err_sys(err, "open containers");
    if (fd >= 0)
        done = fs_list(fd, ".", CONTAINERS_MAX, &ids, &count, err);
    for (size_t i = 0; done == 0 && i < count; i++) {
        if (id_is_valid(ids[i]))
            done = read_record(fd, ids[i], &users, err);
    }
    fs_names_free(ids);
    if (done < 0)
        image_users_done(&users);
    else
        *ret_users = users;
    return done;
}

void image_users_done(struct image_users *users)
{
    map_free(users->names);
    map_free(users->words);
    *users = (struct image_users){0};
}
