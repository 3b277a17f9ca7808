/* SPDX-License-Identifier: Apache-2.0 */
/* view_progress.c - progress on stderr. The live form keeps one row a resource and redraws all rows
 * in place. */
#include "cli/view_progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"
#include "base/term.h"
#include "base/units.h"
#include "base/vec.h"

enum style { STYLE_PLAIN, STYLE_LIVE, STYLE_JSON, STYLE_QUIET };

struct row {
    char *key; /* "Container p-web-1" */
    char *word, *detail;
    bool done, failed, is_child;
    int64_t since_us, until_us;
};

struct view_progress {
    enum style style;
    bool color;
    char *title;
    VEC(struct row) rows;
    unsigned drawn; /* lines on the screen */
    int64_t last_draw_us;
};

struct view_progress *view_progress_new(const struct cli *cli, const char *title)
{
    struct view_progress *view = xcalloc(1, sizeof(*view));
    const char *style = cli->global.progress ? cli->global.progress : "auto";
    bool never = cli->global.ansi && strcmp(cli->global.ansi, "never") == 0;

    view->title = xstrdup(title);
    view->color = cli_color(cli, stderr);
    if (strcmp(style, "json") == 0)
        view->style = STYLE_JSON;
    else if (strcmp(style, "quiet") == 0)
        view->style = STYLE_QUIET;
    else if (strcmp(style, "plain") == 0 || never ||
             (strcmp(style, "tty") != 0 && !term_is_tty(STDERR_FILENO)))
        view->style = STYLE_PLAIN;
    else
        view->style = STYLE_LIVE;
    return view;
}

void view_progress_free(struct view_progress *view)
{
    if (!view)
        return;
    for (size_t i = 0; i < view->rows.count; i++) {
        free(view->rows.items[i].key);
        free(view->rows.items[i].word);
        free(view->rows.items[i].detail);
    }
    VEC_DONE(&view->rows);
    free(view->title);
    free(view);
}

static struct row *row_get(struct view_progress *view, const char *key)
{
    for (size_t i = 0; i < view->rows.count; i++)
        if (strcmp(view->rows.items[i].key, key) == 0)
            return &view->rows.items[i];
    return VEC_ADD(&view->rows,
                   (struct row){.key = xstrdup(key), .since_us = clock_monotonic_us()});
}

static void draw(struct view_progress *view)
{
    _cleanup_str_ struct str out = {0};
    unsigned width = term_width(STDERR_FILENO);
    size_t done = 0, shown = 0;

    for (size_t i = 0; i < view->rows.count; i++)
        done += view->rows.items[i].done;
    if (view->drawn)
        str_addf(&out, "\033[%uA", view->drawn);
    str_addf(&out, "\033[K[+] %s %zu/%zu\n", view->title, done, view->rows.count);
    for (size_t i = 0; i < view->rows.count; i++) {
        const struct row *row = &view->rows.items[i];
        if (row->is_child && row->done)
            continue;
        double seconds =
            (double)((row->done ? row->until_us : clock_monotonic_us()) - row->since_us) / 1e6;
        const char *mark = row->failed ? "✘" : row->done ? "✔" : "⠿";
        const char *color = !view->color  ? ""
                            : row->failed ? "\033[31m"
                            : row->done   ? "\033[32m"
                                          : "\033[33m";
        int room = (int)(width > 40 ? width - 28 : 20);
        str_addf(&out, "\033[K %s%s%s %-*.*s %-10s %5.1fs\n", color, mark, *color ? "\033[0m" : "",
                 MIN(room, 44), room, row->key, row->word ? row->word : "", seconds);
        shown++;
    }
    if (view->drawn > shown + 1) {
        str_add(&out, "\033[J");
    }
    view->drawn = (unsigned)shown + 1;
    view->last_draw_us = clock_monotonic_us();
    fputs(str_text(&out), stderr);
    fflush(stderr);
}

static void plain_line(const struct jv *event, const char *name, const char *word)
{
    const char *detail = jv_get_str(event, "error", NULL);
    const char *resource = jv_get_str(event, "resource", "");

    if (jv_get_str(event, "parent", NULL) && !detail)
        return; /* layers only on a terminal */
    if (!detail && strcmp(word, "Recreate") == 0 &&
        jv_get_str(event, "detail", NULL)) { /* why it is made again */
        fprintf(stderr, " %s %s %s (%s)\n", resource, name, word, jv_get_str(event, "detail", ""));
        return;
    }
    fprintf(stderr, " %s%s%s %s%s%s\n", resource, *resource ? " " : "", name, word,
            detail && *detail ? " " : "", detail ? detail : "");
}

void view_progress_event(struct view_progress *view, const struct jv *event)
{
    const char *type = jv_get_str(event, "type", "");

    if (view->style == STYLE_QUIET && strcmp(type, "warning") != 0)
        return;
    if (view->style == STYLE_JSON) {
        _cleanup_free_ char *text = jv_dump(event);
        fprintf(stderr, "%s\n", text);
        return;
    }
    if (strcmp(type, "warning") == 0 || strcmp(type, "waiting") == 0) {
        view_progress_finish(view);
        fprintf(stderr, "%s%s\n", strcmp(type, "warning") == 0 ? "warning: " : "",
                jv_get_str(event, "text", ""));
        return;
    }
    if (strcmp(type, "progress") != 0)
        return;
    _cleanup_free_ char *name = str_printable(jv_get_str(event, "name", ""));
    const char *word = jv_get_str(event, "word", "");
    if (view->style == STYLE_PLAIN) {
        plain_line(event, name, word);
        return;
    }
    const char *parent = jv_get_str(event, "parent", NULL);
    _cleanup_free_ char *key = parent ? xasprintf("  %s", name)
                                      : xasprintf("%s %s", jv_get_str(event, "resource", ""), name);
    struct row *row = row_get(view, key);
    int64_t current = jv_get_int(event, "current", 0), total = jv_get_int(event, "total", 0);
    free(row->word);
    if (parent && total > 0) {
        char a[16], b[16];
        row->word = xasprintf("%s %s/%s", word, bytes_human(current, a, sizeof(a)),
                              bytes_human(total, b, sizeof(b)));
    } else {
        row->word = xstrdup(word);
    }
    row->is_child = parent != NULL;
    row->failed = jv_get_str(event, "error", NULL) != NULL;
    bool done = jv_get_bool(event, "done", false);
    if (done && !row->done)
        row->until_us = clock_monotonic_us();
    row->done = done;
    if (done || clock_monotonic_us() - view->last_draw_us > 50000)
        draw(view);
}

void view_progress_finish(struct view_progress *view)
{
    if (view->style == STYLE_LIVE && view->rows.count)
        draw(view);
    view->drawn = 0;
}
