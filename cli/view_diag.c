/* SPDX-License-Identifier: Apache-2.0 */
/* view_diag.c - findings for people and for programs. A line of the user's file is shown only on a
 * terminal, and with nothing in it that could steer the terminal; when the file cannot be read
 * again, the finding stands without it. */
#include "cli/view_diag.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/map.h"
#include "base/str.h"
#include "base/term.h"
#include "base/utf8.h"

#define SOURCE_BYTES_MAX (16u << 20)
#define GUTTER           8 /* columns of "  123 | " */

enum style { STYLE_PLAIN, STYLE_SOURCE, STYLE_JSON };

struct view {
    FILE *stream;
    bool color;
    unsigned width;
    struct map *texts; /* file → its text, "" when it cannot be read */
};

static enum style style_of(const struct cli *cli, FILE *stream)
{
    const char *style = cli->global.progress ? cli->global.progress : "auto";

    if (strcmp(style, "json") == 0)
        return STYLE_JSON;
    if (strcmp(style, "tty") == 0)
        return STYLE_SOURCE;
    return strcmp(style, "plain") != 0 && term_is_tty(fileno(stream)) ? STYLE_SOURCE : STYLE_PLAIN;
}

static void set_place(struct jv *object, struct pos pos)
{
    jv_set_str(object, "file", pos.file);
    if (pos.line > 0)
        jv_set_int(object, "line", pos.line);
    if (pos.column > 0)
        jv_set_int(object, "column", pos.column);
}

struct jv *diag_to_json(const struct diag *diag)
{
    struct jv *object = jv_object();

    jv_set_bool(object, "error", diag->level == DIAG_ERROR);
    jv_set_str(object, "level", diag_level_text(diag->level));
    set_place(object, diag->pos);
    jv_set_str(object, "path", diag->path);
    jv_set_str(object, "message", diag->message);
    jv_set_str(object, "hint", diag->hint);
    jv_set_str(object, "id", diag->id);
    if (diag->other.file) {
        struct jv *other = jv_object();
        set_place(other, diag->other);
        jv_set(object, "other", other);
    }
    return object;
}

static const char *text_of(struct view *view, const char *file)
{
    if (map_has(view->texts, file))
        return map_find(view->texts, file);
    _cleanup_close_ int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    char *text = NULL;
    struct stat info;
    struct err err = {0};
    if (fd < 0 || fstat(fd, &info) < 0 || !S_ISREG(info.st_mode) ||
        fd_read_all(fd, SOURCE_BYTES_MAX, &text, NULL, &err) < 0)
        text = xstrdup("");
    map_set(view->texts, file, text);
    return text;
}

/* Start of a line that counts from 1; *ret_size is without its end. NULL: there is none. */
static const char *line_at(const char *text, unsigned number, size_t *ret_size)
{
    for (unsigned line = 1; line < number && text; line++) {
        text = strchr(text, '\n');
        text = text ? text + 1 : NULL;
    }
    if (!text || !*text)
        return NULL;
    if (number == 1 && str_has_prefix(text, "\xEF\xBB\xBF"))
        text += 3;
    *ret_size = strcspn(text, "\r\n");
    return text;
}

static bool steers(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0) || (code >= 0x200b && code <= 0x200f) ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2060 && code <= 0x2069) ||
           code == 0xfeff;
}

/* The part of the line around the column into shown, as much white space as stands before the
 * column into below. */
static void cut_line(const struct view *view, const char *line, size_t size, unsigned column,
                     struct str *shown, struct str *below)
{
    size_t room = view->width > GUTTER + 20 ? view->width - GUTTER : 20;
    size_t first = column > room ? column - room / 2 : 1, at = 1;

    for (size_t i = 0; i < size && at < first + room; at++) {
        uint32_t code = 0;
        size_t length = utf8_decode(line + i, size - i, &code);
        bool is_tab = line[i] == '\t';
        if (at >= first) {
            if (length == 0 || (steers(code) && !is_tab))
                str_add_char(shown, '?');
            else
                str_add_bytes(shown, line + i, length);
            if (at < column)
                str_add_char(below, is_tab ? '\t' : ' ');
        }
        i += length ? length : 1;
    }
}

static void print_source(struct view *view, struct pos pos)
{
    _cleanup_str_ struct str shown = {0}, below = {0};
    size_t size = 0;

    if (!pos.file || pos.line == 0)
        return;
    const char *line = line_at(text_of(view, pos.file), pos.line, &size);
    if (!line)
        return;
    cut_line(view, line, size, pos.column, &shown, &below);
    fprintf(view->stream, "%5u | %s\n", pos.line, str_text(&shown));
    if (pos.column > 0)
        fprintf(view->stream, "      | %s%s\n", str_text(&below),
                view->color ? "\033[1;32m^\033[0m" : "^");
}

static void print_head(struct view *view, const struct diag *diag)
{
    _cleanup_free_ char *text = diag_format(diag);
    if (view->color)
        fprintf(view->stream, "\033[%sm%s\033[0m\n",
                diag->level == DIAG_ERROR     ? "1;31"
                : diag->level == DIAG_WARNING ? "1;33"
                                              : "1",
                text);
    else
        fprintf(view->stream, "%s\n", text);
}

static void print_with_source(struct view *view, const struct diag *diag)
{
    struct diag head = *diag;

    head.other = (struct pos){0};
    head.hint = NULL;
    print_head(view, &head);
    if (!diag->is_secret)
        print_source(view, diag->pos);
    if (diag->other.file) {
        struct diag note = {
            .level = DIAG_NOTE, .pos = diag->other, .message = (char *)"the other place is here"};
        print_head(view, &note);
        print_source(view, diag->other);
    }
    if (diag->hint) {
        _cleanup_free_ char *hint = str_printable(diag->hint);
        fprintf(view->stream, "hint: %s\n", hint);
    }
}

static void print_json(FILE *stream, const struct diag *diag)
{
    _cleanup_jv_ struct jv *object = diag_to_json(diag);
    _cleanup_free_ char *text = jv_dump(object);
    fprintf(stream, "%s\n", text);
}

static void view_one(struct view *view, enum style style, const struct diag *diag)
{
    if (style == STYLE_JSON) {
        print_json(view->stream, diag);
    } else if (style == STYLE_SOURCE) {
        print_with_source(view, diag);
    } else {
        _cleanup_free_ char *text = diag_format(diag);
        fprintf(view->stream, "%s\n", text);
    }
}

void view_diags(const struct cli *cli, const struct diags *diags, FILE *stream)
{
    enum style style = style_of(cli, stream);
    struct view view = {.stream = stream,
                        .color = cli_color(cli, stream),
                        .width = term_width(fileno(stream)),
                        .texts = map_new(free)};

    struct diag lost;
    for (size_t i = 0; i < diags->count; i++)
        view_one(&view, style, &diags->items[i]);
    if (diags_lost(diags, &lost)) {
        view_one(&view, style, &lost);
        diag_done(&lost);
    }
    map_free(view.texts);
}
