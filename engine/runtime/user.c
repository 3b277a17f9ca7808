/* SPDX-License-Identifier: Apache-2.0 */
/* Resolution of user and group words (user.h). Forms: "", UID, NAME, each with an optional ":GID"
 * or ":GROUP". A number is digits only, at most 4294967294. With an explicit group a user has no
 * supplementary groups of the image's (as docker); without one, those that list the user's name. */
#include "engine/runtime/user.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/str.h"

#define ID_MAX 4294967294LL

struct line { /* colon-separated fields of one line; not terminated */
    const char *fields[7];
    size_t sizes[7];
    size_t count;
};

/* The next line of *text, or false at its end. */
static bool line_next(const char **text, struct line *ret_line)
{
    if (!*text || **text == '\0')
        return false;
    const char *at = *text, *end = at + strcspn(at, "\n");
    *ret_line = (struct line){0};
    while (ret_line->count < ARRAY_LEN(ret_line->fields)) {
        const char *stop = memchr(at, ':', (size_t)(end - at));
        stop = stop ? stop : end;
        ret_line->fields[ret_line->count] = at;
        ret_line->sizes[ret_line->count++] = (size_t)(stop - at);
        if (stop == end)
            break;
        at = stop + 1;
    }
    *text = *end ? end + 1 : end;
    return true;
}

static bool field_is(const struct line *line, size_t index, const char *word, size_t size)
{
    return index < line->count && line->sizes[index] == size &&
           memcmp(line->fields[index], word, size) == 0;
}

static bool number_parse(const char *text, size_t size, uint32_t *ret_number)
{
    char digits[16];
    long long value;
    if (size == 0 || size >= sizeof(digits))
        return false;
    memcpy(digits, text, size);
    digits[size] = '\0';
    if (strspn(digits, "0123456789") != size || !parse_i64(digits, 0, ID_MAX, &value))
        return false;
    *ret_number = (uint32_t)value;
    return true;
}

static bool is_digits(const char *text, size_t size)
{
    size_t i = 0;
    while (i < size && text[i] >= '0' && text[i] <= '9')
        i++;
    return size > 0 && i == size;
}

static bool line_number(const struct line *line, size_t index, uint32_t *ret_number)
{
    return index < line->count && number_parse(line->fields[index], line->sizes[index], ret_number);
}

static int group_lookup(const char *group, const char *word, size_t size, uint32_t *ret_gid,
                        struct err *err)
{
    if (is_digits(word, size))
        return number_parse(word, size, ret_gid)
                   ? 0
                   : err_set(err, ERR_CONFIG, "group '%.*s' is not a number up to %lld", (int)size,
                             word, ID_MAX);
    struct line line;
    while (size && line_next(&group, &line))
        if (field_is(&line, 0, word, size) && line_number(&line, 2, ret_gid))
            return 0;
    return err_set(err, ERR_CONFIG, "group '%.*s' is not in the image's /etc/group", (int)size,
                   word);
}

static bool list_has(const char *list, size_t size, const char *name, size_t name_size)
{
    while (size > 0) {
        const char *comma = memchr(list, ',', size);
        size_t item = comma ? (size_t)(comma - list) : size;
        if (item == name_size && memcmp(list, name, item) == 0)
            return true;
        size_t step = comma ? item + 1 : item;
        list += step;
        size -= step;
    }
    return false;
}

static int group_add(struct user_ids *ids, uint32_t gid, struct err *err)
{
    for (size_t i = 0; i < ids->group_count; i++)
        if (ids->groups[i] == gid)
            return 0;
    if (ids->group_count == USER_GROUPS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d supplementary groups", USER_GROUPS_MAX);
    ids->groups[ids->group_count++] = gid;
    return 0;
}

/* Finds the passwd line of a word (a name, or a uid when it is digits). */
static bool passwd_find(const char *passwd, const char *word, size_t size, bool by_uid,
                        uint32_t uid, struct line *ret_line)
{
    uint32_t have;
    while (line_next(&passwd, ret_line))
        if (by_uid ? line_number(ret_line, 2, &have) && have == uid
                   : field_is(ret_line, 0, word, size))
            return true;
    return false;
}

static int user_lookup(const char *passwd, const char *word, size_t size, struct user_ids *ids,
                       struct line *ret_line, bool *ret_found, struct err *err)
{
    bool numeric = is_digits(word, size);
    if (numeric && !number_parse(word, size, &ids->uid))
        return err_set(err, ERR_CONFIG, "user '%.*s' is not a number up to %lld", (int)size, word,
                       ID_MAX);
    *ret_found = passwd_find(passwd, word, size, numeric, ids->uid, ret_line);
    if (!numeric && (!*ret_found || size == 0 || !line_number(ret_line, 2, &ids->uid)))
        return err_set(err, ERR_CONFIG, "user '%.*s' is not in the image's /etc/passwd", (int)size,
                       word);
    if (*ret_found && !line_number(ret_line, 3, &ids->gid))
        return err_set(err, ERR_CONFIG, "user '%.*s' has no valid group in /etc/passwd", (int)size,
                       word);
    if (*ret_found && ret_line->count > 5 && ret_line->sizes[5] > 0)
        snprintf(ids->home, sizeof(ids->home), "%.*s", (int)ret_line->sizes[5],
                 ret_line->fields[5]);
    return 0;
}

int user_resolve(const char *passwd, const char *group, const char *user,
                 const struct spec_strings *extra_groups, struct user_ids *ret_ids, struct err *err)
{
    struct user_ids ids = {.home = "/"};
    const char *word = user && user[0] ? user : "0", *colon = strchr(word, ':');
    size_t size = colon ? (size_t)(colon - word) : strlen(word);
    struct line entry;
    bool found = false;
    if (user_lookup(passwd, word, size, &ids, &entry, &found, err) < 0)
        return -1;
    if (colon && group_lookup(group, colon + 1, strlen(colon + 1), &ids.gid, err) < 0)
        return -1;
    if (group_add(&ids, ids.gid, err) < 0)
        return -1;
    struct line line;
    const char *rest = group;
    while (found && !colon && line_next(&rest, &line)) {
        uint32_t gid;
        if (line.count > 3 &&
            list_has(line.fields[3], line.sizes[3], entry.fields[0], entry.sizes[0]) &&
            line_number(&line, 2, &gid) && group_add(&ids, gid, err) < 0)
            return -1;
    }
    for (size_t i = 0; extra_groups && i < extra_groups->count; i++) {
        uint32_t gid;
        const char *name = extra_groups->items[i];
        if (group_lookup(group, name, strlen(name), &gid, err) < 0 || group_add(&ids, gid, err) < 0)
            return -1;
    }
    *ret_ids = ids;
    return 0;
}

/* Maps name below rootfd; *ret_text stays NULL when there is no such file. Mapped memory goes with
 * the process. */
static int file_map(int rootfd, const char *name, const char **ret_text, struct err *err)
{
    _cleanup_close_ int fd = fs_open_in_root(rootfd, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    struct stat st;
    if (fd < 0)
        return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(err, "open /%s", name);
    if (fstat(fd, &st) < 0)
        return err_sys(err, "stat /%s", name);
    if (!S_ISREG(st.st_mode) || st.st_size > USER_FILE_MAX)
        return err_set(err, ERR_CONFIG, "/%s in the image is no regular file of at most %d bytes",
                       name, USER_FILE_MAX);
    char *text = mmap(NULL, (size_t)st.st_size + 1, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (text == MAP_FAILED)
        return err_sys(err, "read /%s", name);
    ssize_t got = read(fd, text, (size_t)st.st_size);
    if (got < 0)
        return err_sys(err, "read /%s", name);
    text[got] = '\0';
    *ret_text = text;
    return 0;
}

int user_load(int rootfd, const char *user, const struct spec_strings *extra_groups,
              struct user_ids *ret_ids, struct err *err)
{
    const char *passwd = NULL, *group = NULL;
    if (file_map(rootfd, "etc/passwd", &passwd, err) < 0 ||
        file_map(rootfd, "etc/group", &group, err) < 0)
        return -1;
    return user_resolve(passwd, group, user, extra_groups, ret_ids, err);
}
