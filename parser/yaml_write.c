/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_write.c - our own small writer: block style with indented lists, as people know the output of `config`. A
 * string is plain when no reader could take it for anything else, a block when it has several clean lines, and
 * double-quoted otherwise. */
#include "parser/yaml_write.h"

#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "parser/scalar.h"

struct writer {
    struct str out;
    yaml_comment *comment; /* may be NULL */
};

#define INDENT         2
#define SIMPLE_KEY_MAX 1000 /* readers take 1024 characters before the colon */

/* Characters that YAML does not print as they are: controls, NEL, line separators, BOM, what is no UTF-8. */
static bool is_printable(const char *text, bool lines)
{
    for (const char *p = text; *p;) {
        uint32_t code = 0;
        size_t size = utf8_decode(p, strnlen(p, 4), &code);
        if (size == 0 || (code < 0x20 && !(lines && code == '\n')) || (code >= 0x7f && code < 0xa0) || code == 0x2028 ||
            code == 0x2029 || code == 0xfeff || code >= 0xfffe)
            return false;
        p += size;
    }
    return true;
}

static bool is_plain(const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || scalar_needs_quotes(text) || strchr(" ,[]{}#&*!|>'\"%@`", *text) || text[size - 1] == ' ' ||
        text[size - 1] == ':' || strstr(text, ": ") || strstr(text, " #"))
        return false;
    if (strchr("-?:", *text) && (text[1] == ' ' || text[1] == '\0'))
        return false;
    if (str_has_prefix(text, "---") || str_has_prefix(text, "..."))
        return false;
    return is_printable(text, false);
}

static bool is_block(const char *text)
{
    if (!strchr(text, '\n') || *text == ' ' || *text == '\n')
        return false;
    for (const char *p = text; *p; p++)
        if (*p == ' ' && (p[1] == '\n' || !p[1]))
            return false;
    return is_printable(text, true);
}

static void write_quoted(struct str *out, const char *text)
{
    static const char from[] = "\"\\\n\t\r", to[] = "\"\\ntr";
    str_add_char(out, '"');
    while (*text) {
        uint32_t code = 0;
        size_t size = utf8_decode(text, strnlen(text, 4), &code);
        const char *known = strchr(from, *text);
        if (known)
            str_addf(out, "\\%c", to[known - from]);
        else if (size == 0 || code < 0x20 || (code >= 0x7f && code < 0xa0))
            str_addf(out, "\\x%02x", size == 0 ? (unsigned char)*text : code);
        else if (code == 0x2028 || code == 0x2029 || code == 0xfeff || code == 0xfffe || code == 0xffff)
            str_addf(out, "\\u%04x", code);
        else
            str_add_bytes(out, text, size);
        text += size ? size : 1;
    }
    str_add_char(out, '"');
}

static void indent(struct str *out, unsigned level)
{
    for (unsigned i = 0; i < level * INDENT; i++)
        str_add_char(out, ' ');
}

/* The end of the first line of a value, with its comment. */
static void end_line(struct writer *writer, const struct node *node)
{
    _cleanup_free_ char *comment = writer->comment ? writer->comment(node) : NULL;
    if (comment)
        str_addf(&writer->out, " # %s", comment);
    str_add_char(&writer->out, '\n');
}

static void write_block(struct writer *writer, const struct node *node, unsigned level)
{
    struct str *out = &writer->out;
    const char *text = node->text;
    size_t size = strlen(text);
    bool ends = text[size - 1] == '\n', ends_twice = ends && size > 1 && text[size - 2] == '\n';
    str_add(out, !ends ? "|-" : ends_twice ? "|+" : "|");
    end_line(writer, node);
    while (*text) {
        size_t line = strcspn(text, "\n");
        if (line > 0)
            indent(out, level);
        str_add_bytes(out, text, line);
        str_add_char(out, '\n');
        text += line + (text[line] == '\n');
    }
}

static void write_text(struct str *out, const char *text)
{
    if (is_plain(text))
        str_add(out, text);
    else
        write_quoted(out, text);
}

static void write_node(struct writer *writer, const struct node *node, unsigned level, bool on_line);

/* The value behind "key:" or "-", with the line end. */
static void write_value(struct writer *writer, const struct node *node, unsigned level, bool in_list)
{
    if (node->kind == NODE_STRING && is_block(node->text)) {
        str_add_char(&writer->out, ' ');
        write_block(writer, node, level);
        return;
    }
    if (node_is_scalar(node)) {
        str_add_char(&writer->out, ' ');
        if (node->kind == NODE_STRING)
            write_text(&writer->out, node->text);
        else
            str_add(&writer->out, node->kind == NODE_NULL ? "null" : node->text);
        end_line(writer, node);
        return;
    }
    if (node->count == 0) {
        str_add(&writer->out, node->kind == NODE_MAP ? " {}" : " []");
        end_line(writer, node);
        return;
    }
    str_add_char(&writer->out, in_list ? ' ' : '\n');
    write_node(writer, node, level, in_list);
}

/* A filled list or mapping; on_line: its first entry stands behind "- ". */
static void write_node(struct writer *writer, const struct node *node, unsigned level, bool on_line)
{
    NODE_EACH(entry, node) {
        if (!(on_line && entry == node->items))
            indent(&writer->out, level);
        if (node->kind == NODE_LIST) {
            str_add_char(&writer->out, '-');
            write_value(writer, entry->value, level + 1, true);
            continue;
        }
        bool is_long = strlen(entry->key) > SIMPLE_KEY_MAX;
        if (is_long)
            str_add(&writer->out, "? ");
        write_text(&writer->out, entry->key);
        if (is_long) {
            str_add_char(&writer->out, '\n');
            indent(&writer->out, level);
        }
        str_add_char(&writer->out, ':');
        write_value(writer, entry->value, level + 1, false);
    }
}

char *yaml_write_commented(const struct node *node, yaml_comment *comment)
{
    struct writer writer = {.comment = comment};
    if (node_is_scalar(node) || node->count == 0)
        write_value(&writer, node, 0, true);
    else
        write_node(&writer, node, 0, false);
    return str_take(&writer.out);
}

char *yaml_write(const struct node *node)
{
    return yaml_write_commented(node, NULL);
}
