/* SPDX-License-Identifier: Apache-2.0 */
/* err.c - filling and enriching struct err. Works without the heap for messages of ordinary length, so
 * that the monitor and children between fork and exec can use it. */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DRAFT_MAX 6144 /* holds a message with a whole PATH_MAX in it */

static const char *const code_texts[] = {
#define X(id, text) [ERR_##id] = text,
    ERR_CODES(X)
#undef X
};
_Static_assert(sizeof(code_texts) / sizeof(code_texts[0]) == ERR_CODE_COUNT_, "a word for each code");

static int is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Copies head and tail joined; what does not fit is cut out of the middle: at least a quarter is left to
 * the head. target may be the home of tail. */
static void join(char *target, size_t capacity, const char *head, const char *tail)
{
    static const char gap[] = "[...]";
    char draft[ERR_MESSAGE_MAX];
    size_t head_size = strlen(head), tail_size = strlen(tail);

    if (capacity > sizeof(draft))
        capacity = sizeof(draft);
    if (head_size + tail_size >= capacity) {
        size_t room = capacity - sizeof(gap);
        if (tail_size > room - room / 4) {
            size_t skip = tail_size - (room - room / 4);
            while (skip < tail_size && is_continuation(tail[skip]))
                skip++;
            tail += skip;
            tail_size -= skip;
        }
        if (head_size > room - tail_size)
            head_size = room - tail_size;
        while (head_size > 0 && is_continuation(head[head_size]))
            head_size--;
        memcpy(draft, head, head_size);
        memcpy(draft + head_size, gap, sizeof(gap) - 1);
        head_size += sizeof(gap) - 1;
    } else {
        memcpy(draft, head, head_size);
    }
    memcpy(draft + head_size, tail, tail_size);
    memcpy(target, draft, head_size + tail_size);
    target[head_size + tail_size] = '\0';
}

/* Formats into draft, or into *ret_heap when the text is longer. Returns where the text is. */
static const char *format_text(char draft[DRAFT_MAX], char **ret_heap, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
static const char *format_text(char draft[DRAFT_MAX], char **ret_heap, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int size = vsnprintf(draft, DRAFT_MAX, format, args);
    *ret_heap = NULL;
    if (size < 0)
        draft[0] = '\0';
    if (size >= DRAFT_MAX && vasprintf(ret_heap, format, again) < 0)
        *ret_heap = NULL; /* the cut text in draft has to do */
    va_end(again);
    return *ret_heap ? *ret_heap : draft;
}

/* message := format + tail */
static void fill(struct err *err, enum err_code code, int sys_errno, const char *tail, const char *format,
                 va_list args) __attribute__((format(printf, 5, 0)));
static void fill(struct err *err, enum err_code code, int sys_errno, const char *tail, const char *format,
                 va_list args)
{
    char draft[DRAFT_MAX], *heap;
    const char *head = format_text(draft, &heap, format, args); /* may quote err->message itself */

    err->code = code;
    err->sys_errno = sys_errno;
    err->hint[0] = '\0';
    join(err->message, sizeof(err->message), head, tail);
    free(heap);
}

static void fill_errno(struct err *err, int sys_errno, const char *format, va_list args)
    __attribute__((format(printf, 3, 0)));
static void fill_errno(struct err *err, int sys_errno, const char *format, va_list args)
{
    char tail[96];
    const char *cause = strerrordesc_np(sys_errno);

    if (cause)
        snprintf(tail, sizeof(tail), ": %s", cause);
    else
        snprintf(tail, sizeof(tail), ": unknown error %d", sys_errno);
    fill(err, ERR_SYSTEM, sys_errno, tail, format, args);
}

int err_set(struct err *err, enum err_code code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        fill(err, code, 0, "", format, args);
        va_end(args);
    }
    return -1;
}

int err_sys(struct err *err, const char *format, ...)
{
    int saved = errno;
    if (err) {
        va_list args;
        va_start(args, format);
        fill_errno(err, saved, format, args);
        va_end(args);
    }
    errno = saved;
    return -1;
}

int err_sysno(struct err *err, int sys_errno, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        fill_errno(err, sys_errno, format, args);
        va_end(args);
    }
    return -1;
}

int err_wrap(struct err *err, const char *format, ...)
{
    if (err) {
        char draft[DRAFT_MAX], *heap;
        char tail[ERR_MESSAGE_MAX + 2];
        va_list args;
        va_start(args, format);
        const char *head = format_text(draft, &heap, format, args);
        va_end(args);
        snprintf(tail, sizeof(tail), "%s%s", err->message[0] ? ": " : "", err->message);
        join(err->message, sizeof(err->message), head, tail);
        free(heap);
    }
    return -1;
}

int err_hint(struct err *err, const char *format, ...)
{
    if (err) {
        char draft[DRAFT_MAX], *heap;
        va_list args;
        va_start(args, format);
        const char *text = format_text(draft, &heap, format, args);
        va_end(args);
        join(err->hint, sizeof(err->hint), text, "");
        free(heap);
    }
    return -1;
}

int err_copy(struct err *err, const struct err *from)
{
    if (err && err != from)
        *err = *from;
    return -1;
}

void err_clear(struct err *err)
{
    if (err)
        *err = (struct err){0};
}

const char *err_code_text(enum err_code code)
{
    return (unsigned)code < ERR_CODE_COUNT_ ? code_texts[code] : "internal";
}

enum err_code err_code_parse(const char *text)
{
    for (unsigned i = 0; text && i < ERR_CODE_COUNT_; i++)
        if (strcmp(code_texts[i], text) == 0)
            return (enum err_code)i;
    return ERR_INTERNAL;
}
