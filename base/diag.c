/* SPDX-License-Identifier: Apache-2.0 */
/* diag.c - collecting, ordering and formatting findings in a user's files. */
#include "base/diag.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/str.h"

static const char *const level_words[] = {
    [DIAG_ERROR] = "error", [DIAG_WARNING] = "warning", [DIAG_NOTE] = "note"};

void diag_done(struct diag *diag)
{
    free(diag->path);
    free(diag->message);
    free(diag->hint);
}

void diags_done(struct diags *diags)
{
    for (size_t i = 0; i < diags->count; i++)
        diag_done(&diags->items[i]);
    diag_done(&diags->lost);
    free(diags->items);
    strv_free(diags->files);
    *diags = (struct diags){0};
}

static const char *keep_file(struct diags *diags, const char *file)
{
    size_t count = strv_len(diags->files);
    for (size_t i = 0; file && i < count; i++)
        if (strcmp(diags->files[i], file) == 0)
            return diags->files[i];
    if (!file)
        return NULL;
    diags->files = strv_add(diags->files, file);
    return diags->files[count];
}

void diags_detach(struct diags *diags)
{
    for (size_t i = 0; i < diags->count; i++) {
        diags->items[i].pos.file = keep_file(diags, diags->items[i].pos.file);
        diags->items[i].other.file = keep_file(diags, diags->items[i].other.file);
    }
}

static char *format_owned(const char *format, va_list args) __attribute__((format(printf, 1, 0)));
static char *format_owned(const char *format, va_list args)
{
    char *text;
    int size = vasprintf(&text, format, args);
    if (size < 0)
        abort(); /* out of memory */
    if (size <= DIAG_MESSAGE_MAX)
        return text;
    size = DIAG_MESSAGE_MAX;
    while (((unsigned char)text[size] & 0xc0) == 0x80) /* not inside a character */
        size--;
    text[size] = '\0';
    char *cut = xasprintf("%s…", text);
    free(text);
    return cut;
}

bool diags_lost(const struct diags *diags, struct diag *ret_diag)
{
    if (diags->errors_lost + diags->others_lost == 0)
        return false;
    *ret_diag = (struct diag){.level = diags->errors_lost ? DIAG_ERROR : DIAG_WARNING,
                              .message = xasprintf("%zu more errors and %zu more warnings are not shown", diags->errors_lost,
                                                   diags->others_lost)};
    return true;
}

static struct diag *slot(struct diags *diags)
{
    if (diags->count == diags->capacity) {
        diags->capacity = diags->capacity ? diags->capacity * 2 : 8;
        diags->items = xreallocarray(diags->items, diags->capacity, sizeof(*diags->items));
    }
    return &diags->items[diags->count++];
}

static struct diag *add(struct diags *diags, enum diag_level level, struct pos pos, const char *path,
                        char *message)
{
    struct diag new = {.level = level, .pos = pos, .path = xstrdup(path), .message = message};
    diags->error_count += level == DIAG_ERROR;
    size_t errors_kept = diags->error_count - diags->errors_lost;
    if (level == DIAG_ERROR ? errors_kept > DIAG_KEPT_MAX : diags->count - errors_kept >= DIAG_KEPT_MAX) {
        *(level == DIAG_ERROR ? &diags->errors_lost : &diags->others_lost) += 1;
        diag_done(&diags->lost);
        diags->lost = new;
        return &diags->lost;
    }
    struct diag *diag = slot(diags);
    *diag = new;
    return diag;
}

struct diag *diag_error(struct diags *diags, struct pos pos, const char *path, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *message = format_owned(format, args);
    va_end(args);
    return add(diags, DIAG_ERROR, pos, path, message);
}

struct diag *diag_warning(struct diags *diags, struct pos pos, const char *path, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *message = format_owned(format, args);
    va_end(args);
    return add(diags, DIAG_WARNING, pos, path, message);
}

void diag_hint(struct diag *diag, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *hint = format_owned(format, args);
    va_end(args);
    free(diag->hint);
    diag->hint = hint;
}

void diags_drop(struct diags *diags, struct pos pos)
{
    size_t kept = 0;
    for (size_t i = 0; i < diags->count; i++) {
        struct diag *diag = &diags->items[i];
        if (diag->level != DIAG_ERROR && diag->pos.line == pos.line && diag->pos.column == pos.column &&
            str_eq(diag->pos.file, pos.file))
            diag_done(diag);
        else
            diags->items[kept++] = *diag;
    }
    diags->count = kept;
}

struct rank {
    size_t file, order; /* order: where it stood before, for equal places */
    struct diag diag;
};

static int compare_size(size_t a, size_t b)
{
    return a < b ? -1 : a > b;
}

static int compare_ranks(const void *a, const void *b)
{
    const struct rank *x = a, *y = b;
    int by_file = compare_size(x->file, y->file);
    int by_line = compare_size(x->diag.pos.line, y->diag.pos.line);
    int by_column = compare_size(x->diag.pos.column, y->diag.pos.column);
    return by_file ? by_file : by_line ? by_line : by_column ? by_column : compare_size(x->order, y->order);
}

static bool is_same(const struct diag *a, const struct diag *b)
{
    return a->level == b->level && a->pos.line == b->pos.line && a->pos.column == b->pos.column &&
           str_eq(a->pos.file, b->pos.file) && str_eq(a->path, b->path) && str_eq(a->message, b->message);
}

/* Number of the file in order of first appearance; no file at all comes first. */
static size_t file_rank(const struct diags *diags, const char *file)
{
    size_t i = 0;
    while (file && !str_eq(diags->items[i].pos.file, file))
        i++;
    return file ? i + 1 : 0;
}

void diags_sort(struct diags *diags)
{
    size_t kept = 0, count = diags->count;
    _cleanup_free_ struct rank *ranks = xcalloc(count, sizeof(*ranks));
    for (size_t i = 0; i < count; i++)
        ranks[i] = (struct rank){file_rank(diags, diags->items[i].pos.file), i, diags->items[i]};
    qsort(ranks, count, sizeof(*ranks), compare_ranks);
    for (size_t i = 0; i < count; i++) {
        bool duplicate = false;
        for (size_t j = kept; j > 0 && !duplicate; j--) {
            if (diags->items[j - 1].pos.line != ranks[i].diag.pos.line)
                break;
            duplicate = is_same(&diags->items[j - 1], &ranks[i].diag);
        }
        if (duplicate) {
            diags->error_count -= ranks[i].diag.level == DIAG_ERROR;
            diag_done(&ranks[i].diag);
        } else {
            diags->items[kept++] = ranks[i].diag;
        }
    }
    diags->count = kept;
}

static void add_place(struct str *out, struct pos pos)
{
    if (!pos.file)
        return;
    str_add(out, pos.file);
    if (pos.line > 0)
        str_addf(out, ":%u", pos.line);
    if (pos.line > 0 && pos.column > 0)
        str_addf(out, ":%u", pos.column);
    str_add(out, ": ");
}

static void add_printable(struct str *out, const char *text)
{
    _cleanup_free_ char *safe = str_printable(text);
    str_add(out, safe);
}

const char *diag_level_text(enum diag_level level)
{
    return level_words[level];
}

char *diag_format(const struct diag *diag)
{
    struct str out = {0};
    add_place(&out, diag->pos);
    str_addf(&out, "%s: ", level_words[diag->level]);
    if (diag->path) {
        add_printable(&out, diag->path);
        str_add(&out, ": ");
    }
    add_printable(&out, diag->message);
    if (diag->id)
        str_addf(&out, " [%s]", diag->id);
    if (diag->other.file) {
        str_add_char(&out, '\n');
        add_place(&out, diag->other);
        str_add(&out, "note: the other place is here");
    }
    if (diag->hint) {
        str_add(&out, "\nhint: ");
        add_printable(&out, diag->hint);
    }
    return str_take(&out);
}
