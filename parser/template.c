/* SPDX-License-Identifier: Apache-2.0 */
/* template.c - the ${…} grammar, shared by compose files and dotenv values. */
#include "parser/template.h"

#include <string.h>

static bool name_start(char c)
{
    return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool name_char(char c)
{
    return name_start(c) || (c >= '0' && c <= '9');
}

static size_t name_size(const char *text)
{
    size_t size = 0;
    if (name_start(*text))
        while (name_char(text[size]))
            size++;
    return size;
}

bool template_is_name(const char *text)
{
    return *text && text[name_size(text)] == '\0';
}

/* Length of the body of "${body}" with text behind "${"; braces inside are counted. -1: never closed. */
static long body_size(const char *text)
{
    long depth = 1;
    for (long i = 0; text[i] && text[i] != '\n'; i++) {
        if (text[i] == '{')
            depth++;
        else if (text[i] == '}' && --depth == 0)
            return i;
    }
    return -1;
}

static enum template_status expand(const char *text, const struct template_scope *scope, unsigned depth,
                                   struct str *ret, char **ret_message);

static void add_variable(const char *name, const struct template_scope *scope, struct str *ret)
{
    const char *value = scope->lookup(scope->context, name);
    if (value)
        str_add(ret, value);
    else if (scope->unset)
        scope->unset(scope->context, name);
}

static enum template_status required(const char *name, const char *operand, const struct template_scope *scope,
                                     unsigned depth, char **ret_message)
{
    _cleanup_str_ struct str message = {0};
    enum template_status status = expand(operand, scope, depth, &message, ret_message);
    if (status != TEMPLATE_OK)
        return status;
    *ret_message = xasprintf("required variable %s is missing a value%s%s", name, message.size ? ": " : "",
                             str_text(&message));
    return TEMPLATE_REQUIRED;
}

/* One "${…}" without the braces. */
static enum template_status expand_body(const char *body, const struct template_scope *scope, unsigned depth,
                                        struct str *ret, char **ret_message)
{
    size_t size = name_size(body);
    _cleanup_free_ char *name = xstrndup(body, size);
    const char *rest = body + size;

    if (size == 0)
        return TEMPLATE_INVALID;
    if (depth > TEMPLATE_DEPTH_MAX) {
        *ret_message = xasprintf("more than %d variables in one another", TEMPLATE_DEPTH_MAX);
        return TEMPLATE_LIMIT;
    }
    if (!*rest) {
        add_variable(name, scope, ret);
        return TEMPLATE_OK;
    }
    bool colon = *rest == ':';
    char operator_char = rest[colon];
    if (!operator_char || !strchr("-+?", operator_char))
        return TEMPLATE_INVALID;
    const char *operand = rest + colon + 1;
    const char *value = scope->lookup(scope->context, name);
    bool present = value && (!colon || *value);
    if (operator_char == '+' ? present : operator_char == '-' && !present)
        return expand(operand, scope, depth + 1, ret, ret_message);
    if (operator_char == '?' && !present)
        return required(name, operand, scope, depth + 1, ret_message);
    str_add(ret, value ? value : "");
    return TEMPLATE_OK;
}

static enum template_status expand(const char *text, const struct template_scope *scope, unsigned depth,
                                   struct str *ret, char **ret_message)
{
    while (*text) {
        if (ret->size > TEMPLATE_BYTES_MAX) {
            *ret_message = xasprintf("longer than %u MiB", TEMPLATE_BYTES_MAX >> 20);
            return TEMPLATE_LIMIT;
        }
        size_t plain = strcspn(text, "$");
        str_add_bytes(ret, text, plain);
        text += plain;
        if (!*text)
            break;
        size_t size = name_size(text + 1);
        if (text[1] == '$') {
            str_add_char(ret, '$');
            text += 2;
        } else if (size > 0) {
            _cleanup_free_ char *name = xstrndup(text + 1, size);
            add_variable(name, scope, ret);
            text += 1 + size;
        } else if (text[1] == '{') {
            long length = body_size(text + 2);
            enum template_status status = TEMPLATE_INVALID;
            if (length >= 0) {
                _cleanup_free_ char *body = xstrndup(text + 2, (size_t)length);
                status = expand_body(body, scope, depth, ret, ret_message);
            }
            if (status == TEMPLATE_INVALID && !*ret_message)
                *ret_message = xstrndup(text, length < 0 ? strcspn(text, "\n") : (size_t)length + 3);
            if (status != TEMPLATE_OK)
                return status;
            text += length + 3;
        } else {
            str_add_char(ret, '$');
            text++;
        }
    }
    return TEMPLATE_OK;
}

enum template_status template_expand(const char *text, const struct template_scope *scope, struct str *ret,
                                     char **ret_message)
{
    *ret_message = NULL;
    return expand(text, scope, 0, ret, ret_message);
}

static void scan(const char *text, template_found *found, void *context, unsigned depth);

static void scan_body(const char *body, template_found *found, void *context, unsigned depth)
{
    size_t size = name_size(body);
    const char *rest = body + size, *operand = rest + (*rest == ':');
    bool plain = !*rest;

    if (size == 0 || depth > TEMPLATE_DEPTH_MAX || (!plain && (!*operand || !strchr("-+?", *operand))))
        return;
    _cleanup_free_ char *name = xstrndup(body, size);
    found(context, name, plain ? '\0' : *operand, plain ? "" : operand + 1);
    if (!plain)
        scan(operand + 1, found, context, depth + 1);
}

static void scan(const char *text, template_found *found, void *context, unsigned depth)
{
    unsigned open = 0; /* braces that are never closed: each was looked for up to the end */
    while ((text = strchr(text, '$'))) {
        size_t size = name_size(++text);
        long length = *text == '{' && open <= TEMPLATE_DEPTH_MAX ? body_size(text + 1) : -1;
        open += *text == '{' && length < 0;
        if (size > 0) {
            _cleanup_free_ char *name = xstrndup(text, size);
            found(context, name, '\0', "");
        } else if (length >= 0) {
            _cleanup_free_ char *body = xstrndup(text + 1, (size_t)length);
            scan_body(body, found, context, depth);
            size = (size_t)length + 2;
        } else if (*text == '$') {
            size = 1;
        }
        text += size;
    }
}

void template_scan(const char *text, template_found *found, void *context)
{
    scan(text, found, context, 0);
}
