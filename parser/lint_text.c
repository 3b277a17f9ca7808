/* SPDX-License-Identifier: Apache-2.0 */
/* lint_text.c - the rules about how something is spelled, and the comments that take findings away. They look at the
 * files as they were written: after interpolation and merging `010` is 8 and nobody knows why. */
#include <string.h>

#include "base/str.h"
#include "base/utf8.h"
#include "parser/document.h"
#include "parser/lint_rule.h"
#include "parser/yaml_read.h"

#define SPELLING_MAX 128

/* ---- sources ---- */
struct collection {
    struct map *files;
    const char *last; /* most values stand in the file of the one before */
};

static void note_file(struct collection *collection, const char *file)
{
    if (!file || file == collection->last)
        return;
    collection->last = file;
    if (!map_has(collection->files, file))
        map_set(collection->files, file, (void *)file);
}

static void collect_files(struct collection *collection, const struct node *node)
{
    note_file(collection, node->pos.file);
    for (uint32_t i = 0; (node->kind == NODE_LIST || node->kind == NODE_MAP) && i < node->count; i++)
        collect_files(collection, node->items[i].value);
}

static int by_place(const void *a, const void *b)
{
    struct pos x = (*(const struct node *const *)a)->pos, y = (*(const struct node *const *)b)->pos;
    if (x.line != y.line)
        return x.line < y.line ? -1 : 1;
    return x.column < y.column ? -1 : x.column > y.column;
}

static size_t count_scalars(const struct node *node)
{
    size_t count = node_is_scalar(node);
    for (uint32_t i = 0; !node_is_scalar(node) && i < node->count; i++)
        count += count_scalars(node->items[i].value);
    return count;
}

static void collect_scalars(struct lint_source *source, const struct node *node)
{
    if (node_is_scalar(node))
        source->scalars[source->scalar_count++] = node;
    for (uint32_t i = 0; !node_is_scalar(node) && i < node->count; i++)
        collect_scalars(source, node->items[i].value);
}

static struct lint_source source_of(struct arena *arena, const char *file)
{
    struct lint_source source = {.file = file};
    struct diags ignored = {0}; /* it was read without findings before */
    struct err err = {0};
    _cleanup_free_ char *data = NULL;
    const char *text = "";
    size_t size = 0, count = 1;

    if (file_read(file, YAML_BYTES_MAX, &data, &size, &err) == 0) {
        text = arena_memdup(arena, data, size + 1);
        source.documents = yaml_read(arena, file, text, size, &ignored);
    }
    diags_done(&ignored);
    if (source.documents) {
        source.scalars = arena_alloc(arena, (count_scalars(source.documents) + 1) * sizeof(*source.scalars));
        collect_scalars(&source, source.documents);
        qsort(source.scalars, source.scalar_count, sizeof(*source.scalars), by_place);
    }
    for (size_t i = 0; i < size; i++)
        count += text[i] == '\n';
    const char **lines = arena_alloc(arena, (count + 1) * sizeof(*lines));
    lines[source.line_count++] = text;
    for (size_t i = 0; i < size; i++)
        if (text[i] == '\n')
            lines[source.line_count++] = text + i + 1;
    lines[source.line_count] = text + size;
    source.lines = lines;
    return source;
}

struct lint_sources lint_sources_read(const struct project *project)
{
    struct collection collection = {.files = map_new(NULL)};
    struct lint_sources sources = {0};

    collect_files(&collection, project->canonical);
    for (size_t i = 0; i < project->disabled.count; i++)
        collect_files(&collection, project->disabled.items[i].canonical);
    sources.items = arena_alloc(project->arena, (map_count(collection.files) + 1) * sizeof(*sources.items));
    for (size_t i = 0; i < map_count(collection.files); i++)
        sources.items[sources.count++] = source_of(project->arena, map_value_at(collection.files, i));
    map_free(collection.files);
    return sources;
}

const struct node *lint_raw_at(const struct lint *lint, struct pos pos)
{
    const struct lint_source *source = lint_source_at(lint, pos.file);
    const struct node wanted = {.pos = pos}, *key = &wanted;
    const struct node **found =
        source && source->scalars ? bsearch(&key, source->scalars, source->scalar_count, sizeof(*source->scalars), by_place) : NULL;
    return found ? *found : NULL;
}

/* ---- comments ---- */
/* Line that counts from 1, without its end, copied into buffer as far as it fits. */
static void line_copy(const struct lint_source *source, unsigned line, char *buffer, size_t room)
{
    const char *text = source->lines[line - 1];
    size_t size = MIN((size_t)(source->lines[line] - text), room - 1);
    memcpy(buffer, text, size);
    buffer[size] = '\0';
    buffer[strcspn(buffer, "\r\n")] = '\0';
}

/* The ids of the comment on a line ("a,b"), or NULL; cuts what follows them. */
static char *ignored_ids(char *line)
{
    static const char mark[] = "winch-lint:", word[] = "ignore=";
    char *at = strstr(line, mark);
    if (!at)
        return NULL;
    const char *before = at;
    while (before > line && (before[-1] == ' ' || before[-1] == '\t'))
        before--;
    if (before == line || before[-1] != '#')
        return NULL;
    at += strlen(mark);
    at += strspn(at, " \t");
    if (!str_has_prefix(at, word))
        return NULL;
    at += strlen(word);
    at[strcspn(at, " \t#")] = '\0';
    return at;
}

static bool line_ignores(char *line, const char *id)
{
    char *ids = ignored_ids(line), *rest = ids;
    while (ids && (ids = strsep(&rest, ",")))
        if (strcmp(ids, id) == 0 || strcmp(ids, "all") == 0)
            return true;
    return false;
}

bool lint_is_ignored(const struct lint_source *source, unsigned line, const char *id)
{
    char text[1024];
    bool first = true;

    if (line > source->line_count)
        return false;
    for (; line > 0; line--, first = false) {
        line_copy(source, line, text, sizeof(text));
        if (!first && text[strspn(text, " \t")] != '#')
            return false;
        if (line_ignores(text, id))
            return true;
    }
    return false;
}

void lint_ignored_ids(struct lint *lint)
{
    char text[1024];
    for (size_t i = 0; i < lint->sources->count; i++) {
        const struct lint_source *source = &lint->sources->items[i];
        for (unsigned line = 1; line <= source->line_count; line++) {
            line_copy(source, line, text, sizeof(text));
            char *ids = ignored_ids(text), *rest = ids;
            while (ids && (ids = strsep(&rest, ","))) {
                struct pos pos = {.file = source->file, .line = line, .column = (unsigned)(ids - text) + 1};
                if (strcmp(ids, "all") != 0 && !lint_rule_find(ids))
                    lint_find(lint, pos, NULL, "there is no rule '%s'", ids);
            }
        }
    }
}

/* ---- values ---- */
/* Where the last value stood: values come in order, and a line of thousands is walked along once. */
struct cursor {
    unsigned line, column;
    const char *at;
};

/* The characters of a plain value, up to a blank or the end of a flow item. */
static void spelling_at(const struct lint_source *source, struct cursor *cursor, struct pos pos, char *buffer)
{
    *buffer = '\0';
    if (pos.line == 0 || pos.line > source->line_count)
        return;
    const char *at = source->lines[pos.line - 1], *end = source->lines[pos.line];
    if (pos.line == 1 && end - at >= 3 && memcmp(at, "\xEF\xBB\xBF", 3) == 0)
        at += 3;
    unsigned column = 1;
    if (cursor->line == pos.line && cursor->column <= pos.column) {
        column = cursor->column;
        at = cursor->at;
    }
    for (; column < pos.column && at < end; column++) {
        size_t length = utf8_decode(at, (size_t)(end - at), NULL);
        at += length ? length : 1;
    }
    *cursor = (struct cursor){pos.line, column, at};
    size_t size = 0;
    while (at + size < end && size < SPELLING_MAX - 1 && !strchr(" \t\r\n,]}", at[size]))
        size++;
    memcpy(buffer, at, size);
    buffer[size] = '\0';
}

struct walk {
    struct lint *lint;
    const struct lint_source *source;
    struct cursor *cursor;
};

static void check_scalar(const struct walk *walk, const struct node *node, const struct path *path)
{
    char spelling[SPELLING_MAX] = "";
    struct lint_scalar scalar = {.node = node, .path = path, .spelling = spelling};

    for (const struct path *step = path; step && !scalar.section; step = step->parent)
        if (step->key && scalar.key)
            scalar.section = step->key;
        else if (step->key)
            scalar.key = step->key;
    if (!node->quoted)
        spelling_at(walk->source, walk->cursor, node->pos, spelling);
    if (*spelling == '!' || *spelling == '&')
        *spelling = '\0';
    for (size_t i = 0; i < lint_rule_count; i++) {
        walk->lint->rule = &lint_rules[i];
        if (lint_rules[i].scalar)
            lint_rules[i].scalar(walk->lint, &scalar);
    }
}

static void walk_node(const struct walk *walk, const struct node *node, const struct path *path)
{
    if (node_is_scalar(node)) {
        check_scalar(walk, node, path);
        return;
    }
    for (uint32_t i = 0; (node->kind == NODE_LIST || node->kind == NODE_MAP) && i < node->count; i++) {
        struct path step = {.parent = path, .key = node->items[i].key, .index = i};
        walk_node(walk, node->items[i].value, &step);
    }
}

void lint_scalars(struct lint *lint)
{
    for (size_t i = 0; i < lint->sources->count; i++) {
        struct cursor cursor = {0};
        const struct walk walk = {.lint = lint, .source = &lint->sources->items[i], .cursor = &cursor};
        if (walk.source->documents)
            NODE_EACH(document, walk.source->documents)
                walk_node(&walk, document->value, NULL);
    }
}

void lint_boolean(struct lint *lint, const struct lint_scalar *scalar)
{
    static const char *const words[] = {"y", "Y", "yes", "Yes", "YES", "n", "N", "no", "No", "NO",
                                        "on", "On", "ON", "off", "Off", "OFF"};
    if (scalar->node->kind != NODE_STRING || scalar->node->quoted)
        return;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(scalar->node->text, words[i]) == 0 && strcmp(scalar->spelling, words[i]) == 0) {
            _cleanup_free_ char *path = path_text(scalar->path);
            lint_find(lint, scalar->node->pos, path, "'%s' is a boolean for many readers of YAML, here it is text", words[i]);
        }
}

static bool is_octal(const char *text)
{
    text += *text == '-' || *text == '+';
    return text[0] == '0' && text[1] && strspn(text, "01234567_") == strlen(text);
}

void lint_octal(struct lint *lint, const struct lint_scalar *scalar)
{
    bool is_mode = scalar->key && strcmp(scalar->key, "mode") == 0;
    if (scalar->node->kind != NODE_INT || is_mode || !is_octal(scalar->spelling))
        return;
    _cleanup_free_ char *path = path_text(scalar->path);
    lint_find(lint, scalar->node->pos, path, "%s is octal, that is %s", scalar->spelling, scalar->node->text);
}

void lint_respelled(struct lint *lint, const struct lint_scalar *scalar)
{
    static const char *const sections[] = {"environment", "labels", "args", "annotations", "driver_opts", "options"};
    bool is_text = false;
    for (size_t i = 0; scalar->section && i < ARRAY_LEN(sections); i++)
        is_text = is_text || strcmp(scalar->section, sections[i]) == 0;
    if (!is_text || (scalar->node->kind != NODE_INT && scalar->node->kind != NODE_FLOAT) || !*scalar->spelling ||
        is_octal(scalar->spelling) || strcmp(scalar->spelling, scalar->node->text) == 0)
        return;
    _cleanup_free_ char *path = path_text(scalar->path);
    lint_find(lint, scalar->node->pos, path, "%s becomes %s", scalar->spelling, scalar->node->text);
}

/* 1342 for "22:22"; -1 for text that is no number to the base of 60. */
static long long sexagesimal(const char *text)
{
    long long value = 0;
    bool first = true;
    if (!strchr(text, ':') || strlen(text) > 15)
        return -1;
    for (; *text; first = false) {
        size_t digits = strspn(text, "0123456789");
        long long part = 0;
        for (size_t i = 0; i < digits; i++)
            part = part * 10 + (text[i] - '0');
        if (digits == 0 || (!first && (digits > 2 || part > 59)))
            return -1;
        value = value * 60 + part;
        text += digits;
        if (*text == ':' && text[1])
            text++;
        else if (*text)
            return -1;
    }
    return value;
}

void lint_sexagesimal(struct lint *lint, const struct lint_scalar *scalar)
{
    if (scalar->node->kind != NODE_STRING || scalar->node->quoted)
        return;
    long long value = sexagesimal(scalar->node->text);
    if (value < 0 || strcmp(scalar->spelling, scalar->node->text) != 0)
        return;
    _cleanup_free_ char *path = path_text(scalar->path);
    lint_find(lint, scalar->node->pos, path, "'%s' is the number %lld for many readers of YAML, here it is text",
              scalar->node->text, value);
}

void lint_version(struct lint *lint)
{
    for (size_t i = 0; i < lint->sources->count; i++) {
        if (!lint->sources->items[i].documents)
            continue;
        NODE_EACH(document, lint->sources->items[i].documents) {
            const struct node *version = node_find(document->value, "version");
            if (!version)
                continue;
            diags_drop(lint->diags, version->pos); /* loading says it, too, but without an id */
            lint_find(lint, version->pos, NULL, "`version` is obsolete and has no effect");
        }
    }
}
