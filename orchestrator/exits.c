/* SPDX-License-Identifier: Apache-2.0 */
/* exits.c - reads the history that unit_end.c writes. */
#include "orchestrator/exits.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"

#define EXITS_BYTES_MAX (256 * 1024)

char *exits_path(const struct layout *layout, const char *id)
{
    return layout_lib(layout, "containers/%s/exits", id);
}

char *exits_read(const struct layout *layout, const char *id, size_t *ret_size)
{
    _cleanup_free_ char *path = exits_path(layout, id);
    char *text = NULL;
    struct err err = { 0 };
    *ret_size = 0;
    if (fs_read(AT_FDCWD, path, EXITS_BYTES_MAX, &text, ret_size, &err) < 0)
        return NULL; /* none yet; a damaged one is begun anew */
    return text;
}

void exits_recall(const struct layout *layout, const char *id, struct container_status *status)
{
    size_t size;
    _cleanup_free_ char *text = exits_read(layout, id, &size);
    if (size < 2)
        return;
    text[size - 1] = '\0';
    const char *begin = strrchr(text, '\n');
    begin = begin ? begin + 1 : text;
    _cleanup_jv_ struct jv *line = NULL;
    struct err err = { 0 };
    if (jv_parse(begin, strlen(begin), &line, &err) < 0 || jv_find(line, "error"))
        return;
    status->state = STATE_EXITED;
    status->exit_code = (int)jv_get_int(line, "exit", -1);
    status->finished_ns = jv_get_int(line, "finished_ns", 0);
    status->oom = jv_get_bool(line, "oom", false);
}
