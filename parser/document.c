/* SPDX-License-Identifier: Apache-2.0 */
/* document.c - reading one file. */
#include "parser/document.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fd.h"
#include "parser/interpolate.h"
#include "parser/merge.h"

int file_read(const char *path, size_t max_bytes, char **ret_text, size_t *ret_size, struct err *err)
{
    bool is_stdin = strcmp(path, "-") == 0;
    struct stat info;

    _cleanup_close_ int fd = is_stdin ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
        return err_set(err, ERR_NOT_FOUND, "open %s: no such file or directory", path);
    if (fd < 0)
        return err_sys(err, "open %s", path);
    if (fstat(fd, &info) < 0)
        return err_sys(err, "stat %s", path);
    if (S_ISDIR(info.st_mode))
        return err_set(err, ERR_CONFIG, "%s is a directory", path);
    if (!is_stdin && S_ISFIFO(info.st_mode) && fd_set_nonblock(fd, false) < 0) /* <(process substitution) */
        return err_sys(err, "open %s", path);
    int rc = fd_read_all(fd, max_bytes, ret_text, ret_size, err);
    if (rc < 0 && err->code == ERR_LIMIT)
        return err_set(err, ERR_LIMIT, "%s is bigger than %zu MiB, the limit for one file", path, max_bytes >> 20);
    return rc < 0 ? err_wrap(err, "read %s", path) : 0;
}

bool document_interpolate(struct loading *loading, struct node *document)
{
    size_t errors = loading->diags->error_count;

    if (document->kind != NODE_MAP) {
        diag_error(loading->diags, document->pos, NULL, "top-level object must be a mapping");
        return false;
    }
    if (loading->variables)
        variables_note(loading, document);
    if (!loading->options->no_interpolate)
        interpolate(loading, document, NULL);
    return loading->diags->error_count == errors;
}

bool document_prepare(struct loading *loading, struct node *document, const char *base_dir)
{
    size_t errors = loading->diags->error_count;
    struct shaping shaping = {.loading = loading, .arena = loading->arena, .diags = loading->diags,
                              .base_dir = base_dir, .lenient = loading->options->no_interpolate};

    document_interpolate(loading, document);
    if (document->kind != NODE_MAP)
        return false;
    const struct node *version = node_find(document, "version");
    if (version && version->kind == NODE_STRING) {
        diag_warning(loading->diags, version->pos, NULL,
                     "the attribute `version` is obsolete, it will be ignored, please remove it to avoid potential confusion");
        node_remove(document, "version");
    }
    schema_shape(&shaping, &project_row, document, NULL);
    return loading->diags->error_count == errors;
}

struct node *document_add(struct loading *loading, struct node *tree, struct node *document, const char *path,
                          const char *base_dir)
{
    const struct node *include = node_find(document, "include");

    if (include && include->kind != NODE_NULL && !(include->kind == NODE_LIST && include->count == 0)) {
        struct node *included = include_load(loading, include, path, base_dir);
        if (!included)
            return NULL;
        document = merge_node_marked(loading, &project_row, included, document, NULL);
    }
    node_remove(document, "include");
    extends_resolve(loading, document, path, base_dir);
    return merge_node(loading, &project_row, tree, document, NULL);
}
