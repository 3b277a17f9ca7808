/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and writing container.json (record.h). */
#include "engine/container/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/id.h"
#include "base/vec.h"

#define FILE_NAME "container.json"
#define NETWORK_NAME                                                                               \
    "network" /* below run: what netd gave dies with the boot, so it needs no sync */
#define CONTAINERS_MAX 100000

struct container_record *container_record_new(void)
{
    struct container_record *record = xcalloc(1, sizeof(*record));
    record->arena = arena_new();
    record->spec.version = SPEC_VERSION;
    record->spec.resources.memory_swappiness = -1;
    return record;
}

void container_record_free(struct container_record *record)
{
    if (!record)
        return;
    jv_free(record->labels);
    jv_free(record->service_data);
    jv_free(record->network);
    arena_free(record->arena);
    free(record);
}

static struct jv *record_to_json(const struct container_record *record)
{
    struct jv *value = jv_object();
    jv_set_int(value, "version", RECORD_VERSION);
    jv_set_str(value, "id", record->id);
    jv_set_str(value, "name", record->name);
    jv_set_str(value, "project", record->project);
    jv_set_str(value, "service", record->service);
    jv_set_int(value, "number", record->number);
    jv_set_bool(value, "oneoff", record->oneoff);
    jv_set_str(value, "image", record->image);
    jv_set_str(value, "image_id", record->image_id);
    jv_set_int(value, "created_ns", record->created_ns);
    jv_set_bool(value, "want_running", record->want_running);
    if (record->labels)
        jv_set(value, "labels", jv_copy_deep(record->labels));
    if (record->service_data)
        jv_set(value, "service_data", jv_copy_deep(record->service_data));
    jv_set(value, "spec", container_spec_to_json(&record->spec));
    return value;
}

/* A new record becomes visible with its file in it: made under a name that tells whose it is, then renamed. One sync: the
 * bytes. The name follows with container_records_sync, or with the next record. */
static int record_create(const struct layout *layout, const struct container_record *record,
                         const struct jv *value, const char *name, struct err *err)
{
    _cleanup_free_ char *half = xasprintf("containers/.%s.%s", record->project, record->id);
    _cleanup_close_ int dir = -1, file = -1;
    _cleanup_free_ char *text = jv_dump(value);
    if (fs_open_dir(layout->lib_fd, half, 0711, &dir, err) < 0 ||
        fs_replace_volatile(dir, FILE_NAME, text, strlen(text), 0600, err) < 0)
        return -1;
    file = openat(dir, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (file < 0 || fsync(file) < 0)
        return err_sys(err, "sync %s/%s/" FILE_NAME, layout->lib, half);
    if (renameat(layout->lib_fd, half, layout->lib_fd, name) < 0)
        return err_sys(err, "rename %s/%s", layout->lib, half);
    return 0;
}

int container_records_sync(const struct layout *layout, struct err *err)
{
    _cleanup_close_ int parent = -1;
    if (fs_open_dir(layout->lib_fd, "containers", 0711, &parent, err) < 0)
        return -1;
    return fs_sync_dir(parent, err);
}

int container_record_save(const struct layout *layout, const struct container_record *record,
                          struct err *err)
{
    char name[96];
    _cleanup_close_ int dir = -1;
    snprintf(name, sizeof(name), "containers/%s", record->id);
    _cleanup_jv_ struct jv *value = record_to_json(record);
    int rc;
    if (record->project && !fs_exists(layout->lib_fd, name))
        rc = record_create(layout, record, value, name, err);
    else
        rc = fs_open_dir(layout->lib_fd, name, 0711, &dir, err) < 0
                 ? -1
                 : jv_save_file(dir, FILE_NAME, value, err);
    return rc < 0 ? err_wrap(err, "container %.12s", record->id) : 0;
}

void container_record_sweep(const struct layout *layout, const char *project)
{
    char **names = NULL;
    size_t count = 0;
    if (fs_list(layout->lib_fd, "containers", CONTAINERS_MAX, &names, &count, NULL) < 0)
        return;
    _cleanup_free_ char *prefix = xasprintf(".%s.", project);
    for (size_t i = 0; i < count; i++) {
        _cleanup_free_ char *path = xasprintf("containers/%s", names[i]);
        if (str_has_prefix(names[i], prefix))
            (void)fs_remove_tree(layout->lib_fd, path, NULL); /* tried again at the next start */
    }
    fs_names_free(names);
}

int container_network_save(const struct layout *layout, const struct container_record *record,
                           struct err *err)
{
    char name[96];
    snprintf(name, sizeof(name), "containers/%s", record->id);
    _cleanup_close_ int dir =
        openat(layout->run_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0)
        return err_sys(err, "open %s/%s", layout->run, name);
    if (!record->network)
        return unlinkat(dir, NETWORK_NAME, 0) < 0 && errno != ENOENT
                   ? err_sys(err, "remove %s/%s/" NETWORK_NAME, layout->run, name)
                   : 0;
    _cleanup_free_ char *text = jv_dump(record->network);
    return fs_replace_volatile(dir, NETWORK_NAME, text, strlen(text), 0600, err);
}

static struct jv *network_load(const struct layout *layout, const char *id)
{
    char name[96];
    struct jv *value = NULL;
    struct err ignored = {0};
    snprintf(name, sizeof(name), "containers/%s", id);
    _cleanup_close_ int dir =
        openat(layout->run_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0 || jv_load_file(dir, NETWORK_NAME, RECORD_SIZE_MAX, &value, &ignored) < 0)
        return NULL; /* not started since the boot; a damaged one is made again by the next start */
    if (jv_kind(value) == JV_OBJECT)
        return value;
    jv_free(value);
    return NULL;
}

static const char *text_keep(struct container_record *record, const struct jv *value,
                             const char *key)
{
    const char *text = jv_get_str(value, key, NULL);
    return text ? arena_strdup(record->arena, text) : NULL;
}

static struct jv *object_keep(const struct jv *value, const char *key)
{
    struct jv *found = jv_find(value, key);
    return found && jv_kind(found) == JV_OBJECT ? jv_ref(found) : NULL;
}

static int record_from_json(const struct jv *value, const char *id, struct container_record *record,
                            struct err *err)
{
    int64_t version;
    if (jv_need_int(value, "version", &version, err) < 0)
        return -1;
    if (version > RECORD_VERSION)
        return err_set(err, ERR_UNSUPPORTED, "version %lld is newer than this winch",
                       (long long)version);
    record->id = text_keep(record, value, "id");
    if (!str_eq(record->id, id))
        return err_set(err, ERR_CORRUPT, "id is not '%s'", id);
    record->name = text_keep(record, value, "name");
    record->project = text_keep(record, value, "project");
    record->service = text_keep(record, value, "service");
    record->number = jv_get_int(value, "number", 0);
    record->oneoff = jv_get_bool(value, "oneoff", false);
    record->image = text_keep(record, value, "image");
    record->image_id = text_keep(record, value, "image_id");
    record->created_ns = jv_get_int(value, "created_ns", 0);
    record->want_running = jv_get_bool(value, "want_running", false);
    record->labels = object_keep(value, "labels");
    record->service_data = object_keep(value, "service_data");
    if (!record->name || !record->project)
        return err_set(err, ERR_CORRUPT, "name or project is missing");
    if (container_spec_from_json(record->arena, jv_find(value, "spec"), &record->spec, err) < 0)
        return err_wrap(err, "spec");
    return 0;
}

/* Parsing is most of reading a record. As we write it, its text tells whether it can be of this service; a text that is not in
 * our form tells nothing. */
static bool text_is_of_another(const char *text, const char *service)
{
    _cleanup_free_ char *wanted = xasprintf("\"service\":\"%s\"", service);
    return strncmp(text, "{\"created_ns\":", 14) == 0 && strstr(text, "\"service\":\"") && !strstr(text, wanted);
}

/* service NULL: any. 1: it is of another service, *ret_record untouched. */
static int record_load(const struct layout *layout, const char *id, const char *service,
                       struct container_record **ret_record, struct err *err)
{
    char name[96];
    if (!id_is_valid(id))
        return err_set(err, ERR_NOT_FOUND, "'%s' is not a container id", id);
    snprintf(name, sizeof(name), "containers/%s", id);
    _cleanup_close_ int dir =
        openat(layout->lib_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (dir < 0 && errno == ENOENT)
        return err_set(err, ERR_NOT_FOUND, "container %.12s does not exist", id);
    if (dir < 0)
        return err_sys(err, "open %s/%s", layout->lib, name);
    if (service) {
        _cleanup_free_ char *text = NULL;
        if (fs_read(dir, FILE_NAME, RECORD_SIZE_MAX, &text, NULL, NULL) == 0 && text_is_of_another(text, service))
            return 1;
    }
    _cleanup_jv_ struct jv *value = NULL;
    _cleanup_(container_record_freep) struct container_record *record = container_record_new();
    if (jv_load_file(dir, FILE_NAME, RECORD_SIZE_MAX, &value, err) < 0 ||
        record_from_json(value, id, record, err) < 0)
        return err_wrap(err, "%s/%s/" FILE_NAME, layout->lib, name);
    record->network = network_load(layout, id);
    *ret_record = take_ptr(&record);
    return 0;
}

int container_record_load(const struct layout *layout, const char *id,
                          struct container_record **ret_record, struct err *err)
{
    return record_load(layout, id, NULL, ret_record, err);
}

static int record_compare(const void *a, const void *b)
{
    const struct container_record *const *left = a, *const *right = b;
    int order = strcmp((*left)->name, (*right)->name);
    return order ? order : strcmp((*left)->id, (*right)->id);
}

void container_record_list_free(struct container_record **records, size_t count)
{
    for (size_t i = 0; i < count; i++)
        container_record_free(records[i]);
    free(records);
}

int container_record_list(const struct layout *layout, const char *project,
                          struct container_record ***ret_records, size_t *ret_count,
                          record_bad_fn *on_bad, void *arg, struct err *err)
{
    const struct record_query query = {.project = project, .on_bad = on_bad, .arg = arg};
    return container_record_query(layout, &query, ret_records, ret_count, err);
}

static bool record_fits(const struct record_query *query, const struct container_record *record)
{
    return (!query->project || str_eq(query->project, record->project)) &&
           (!query->service || str_eq(query->service, record->service));
}

int container_record_query(const struct layout *layout, const struct record_query *query,
                           struct container_record ***ret_records, size_t *ret_count, struct err *err)
{
    VEC(struct container_record *) records = {0};
    struct err reason = {0};
    char **names = NULL;
    size_t count = 0;
    if (fs_list(layout->lib_fd, "containers", CONTAINERS_MAX, &names, &count, &reason) < 0 &&
        reason.code != ERR_NOT_FOUND && reason.sys_errno != ENOENT)
        return err_copy(err, &reason);
    for (size_t i = 0; i < count; i++) {
        struct container_record *record = NULL;
        struct err bad = {0};
        int rc = 0;
        if (!id_is_valid(names[i]))
            continue;
        struct container_record *known = query->known ? query->known(names[i], query->arg) : NULL;
        if (known) {
            if (record_fits(query, known))
                VEC_ADD(&records, known);
            continue;
        }
        rc = record_load(layout, names[i], query->service, &record, &bad);
        if (rc < 0 && query->on_bad) /* ERR_NOT_FOUND: removed while we were reading, not written yet, or lost */
            query->on_bad(names[i], &bad, query->arg);
        if (rc != 0)
            continue;
        if (record_fits(query, record))
            VEC_ADD(&records, record);
        else
            container_record_free(record);
    }
    fs_names_free(names);
    if (records.count > 1)
        qsort(records.items, records.count, sizeof(*records.items), record_compare);
    *ret_records = records.items;
    *ret_count = records.count;
    return 0;
}
