/* SPDX-License-Identifier: Apache-2.0 */
/* Where CDI documents lie, and which of them has a device. /var/run/cdi counts before /etc/cdi; within one folder a device
 * may be described once only. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/runtime/cdi.h"

static const char *const folders[] = { "/var/run/cdi", "/etc/cdi" };

struct documents {
    struct jv *items[CDI_FILES_MAX];
    bool used[CDI_FILES_MAX]; /* its own containerEdits are in the spec */
    size_t ends[ARRAY_LEN(folders)];
    size_t count;
    char yaml[320]; /* a file that was passed over */
};

static void documents_done(struct documents *documents)
{
    for (size_t i = 0; i < documents->count; i++)
        jv_free(documents->items[i]);
}

static int document_load(int folder, const char *name, struct documents *documents, struct err *err)
{
    _cleanup_free_ char *text = NULL;
    size_t size;
    if (documents->count == CDI_FILES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d CDI files", CDI_FILES_MAX);
    if (fs_read(folder, name, CDI_FILE_MAX, &text, &size, err) < 0)
        return -1;
    if (jv_parse(text, size, &documents->items[documents->count], err) < 0)
        return -1;
    documents->count++;
    return 0;
}

static int name_order(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int folder_load(const char *path, struct documents *documents, struct err *err)
{
    struct dirent **entries;
    _cleanup_close_ int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return errno == ENOENT ? 0 : err_sys(err, "open %s", path);
    int count = scandirat(folder, ".", &entries, NULL, name_order), result = 0;
    for (int i = 0; i < count; i++) {
        const char *name = entries[i]->d_name, *dot = strrchr(name, '.');
        if (result == 0 && dot && str_eq(dot, ".json"))
            result = document_load(folder, name, documents, err) < 0 ? err_wrap(err, "CDI file %s/%s", path, name) : 0;
        else if (dot && (str_eq(dot, ".yaml") || str_eq(dot, ".yml")))
            snprintf(documents->yaml, sizeof(documents->yaml), "%s/%s", path, name);
        free(entries[i]);
    }
    if (count >= 0)
        free(entries);
    return result;
}

/* The document that has kind=name; -1: none. */
static int document_find(const struct documents *documents, const char *kind, const char *name, int *ret_index, struct err *err)
{
    size_t begin = 0;
    *ret_index = -1;
    for (size_t f = 0; f < ARRAY_LEN(folders) && *ret_index < 0; f++) {
        for (size_t i = begin; i < documents->ends[f]; i++) {
            if (!str_eq(jv_get_str(documents->items[i], "kind", NULL), kind) || !cdi_device(documents->items[i], name))
                continue;
            if (*ret_index >= 0)
                return err_set(err, ERR_CONFIG, "two files in %s describe it", folders[f]);
            *ret_index = (int)i;
        }
        begin = documents->ends[f];
    }
    return 0;
}

static int device_apply(struct arena *arena, struct documents *documents, const char *word, struct container_spec *spec,
                        bool *ret_hooks, struct err *err)
{
    const char *sign = strchr(word, '=');
    _cleanup_free_ char *kind = xstrndup(word, sign ? (size_t)(sign - word) : 0);
    bool idmap = spec->userns != NULL;
    int index;
    if (!sign || !strchr(kind, '/'))
        return err_set(err, ERR_CONFIG, "is not VENDOR/CLASS=NAME");
    if (document_find(documents, kind, sign + 1, &index, err) < 0)
        return -1;
    if (index < 0) {
        err_set(err, ERR_NOT_FOUND, "no file in /etc/cdi or /var/run/cdi describes it");
        if (documents->yaml[0])
            err_hint(err, "%s is not read: CDI files are JSON here (nvidia-ctk cdi generate --format json)", documents->yaml);
        return -1;
    }
    struct jv *document = documents->items[index];
    if (cdi_edit(arena, jv_find(cdi_device(document, sign + 1), "containerEdits"), idmap, spec, ret_hooks, err) < 0)
        return -1;
    if (documents->used[index])
        return 0;
    documents->used[index] = true;
    return cdi_edit(arena, jv_find(document, "containerEdits"), idmap, spec, ret_hooks, err);
}

static void devices_unique(struct container_spec *spec)
{
    size_t kept = 0;
    for (size_t i = 0; i < spec->devices.count; i++) {
        bool repeated = false;
        for (size_t k = 0; k < kept; k++)
            repeated |= str_eq(spec->devices.items[k].target, spec->devices.items[i].target);
        if (!repeated)
            spec->devices.items[kept++] = spec->devices.items[i];
    }
    spec->devices.count = kept;
}

int cdi_apply(struct arena *arena, struct container_spec *spec, bool *ret_hooks, struct err *err)
{
    static struct documents documents; /* large; the supervisor is single-threaded */
    int result = 0;
    *ret_hooks = false;
    if (!spec->cdi.count)
        return 0;
    documents = (struct documents){ 0 };
    for (size_t i = 0; i < ARRAY_LEN(folders) && result == 0; i++) {
        result = folder_load(folders[i], &documents, err);
        documents.ends[i] = documents.count;
    }
    for (size_t i = 0; i < spec->cdi.count && result == 0; i++)
        if (device_apply(arena, &documents, spec->cdi.items[i], spec, ret_hooks, err) < 0)
            result = err_wrap(err, "device '%s'", spec->cdi.items[i]);
    documents_done(&documents);
    devices_unique(spec);
    return result;
}
