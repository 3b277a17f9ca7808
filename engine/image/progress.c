/* SPDX-License-Identifier: Apache-2.0 */
/* Progress as JSON lines. A reader that went away does not stop the work. */
#include "engine/image/progress.h"

#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/str.h"

static void say(struct jv *line)
{
    _cleanup_str_ struct str text = {0};
    char *dump = jv_dump(line);
    str_add(&text, dump);
    str_add_char(&text, '\n');
    free(dump);
    jv_free(line);
    (void)fd_write_all(STDOUT_FILENO, text.data, text.size); /* nobody listens: go on */
}

void progress_say(const char *id, const char *parent, const char *status, int64_t current,
                  int64_t total)
{
    struct jv *line = jv_object();
    jv_set_str(line, "id", id);
    jv_set_str(line, "parent", parent);
    jv_set_str(line, "status", status);
    if (current >= 0)
        jv_set_int(line, "current", current);
    if (total >= 0)
        jv_set_int(line, "total", total);
    say(line);
}

void progress_done(const char *id, const char *status, const char *digest, const char *image)
{
    struct jv *line = jv_object();
    jv_set_str(line, "id", id);
    jv_set_str(line, "status", status);
    jv_set_str(line, "digest", digest);
    jv_set_str(line, "image", image);
    say(line);
}

void progress_damage(const char *id, const char *what)
{
    struct jv *line = jv_object();
    jv_set_str(line, "id", id);
    jv_set_str(line, "status", "Damaged");
    jv_set_str(line, "what", what);
    say(line);
}

void progress_warning(const char *text)
{
    struct jv *line = jv_object();
    jv_set_str(line, "warning", text);
    say(line);
}

void progress_error(const struct err *error)
{
    struct jv *line = jv_object();
    jv_set(line, "error", jv_from_err(error));
    say(line);
}
