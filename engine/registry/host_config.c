/* SPDX-License-Identifier: Apache-2.0 */
/* The registry settings of the host. The YAML library belongs to parser/ and is not linked into the
 * worker, so the few forms these settings can have are read here, strictly. */
#include "engine/registry/host_config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/fs.h"
#include "base/str.h"
#include "base/units.h"

#define FILE_MAX  (1024 * 1024)
#define NEST_MAX  4
#define HOSTS_MAX 64

struct reader {
    const char *path;
    char **lines; /* without comments and trailing blanks */
    size_t at;    /* index of the current line */
    struct err *err;
};

static int bad(struct reader *reader, const char *why)
{
    return err_set(reader->err, ERR_CONFIG, "%s:%zu: %s", reader->path, reader->at + 1, why);
}

static size_t indent_of(const char *line)
{
    return strspn(line, " ");
}

static void skip_blank(const char **at)
{
    *at += strspn(*at, " ");
}

/* A plain or quoted word; ends before any of stop. */
static int read_word(struct reader *reader, const char **at, const char *stop, char **ret_word)
{
    skip_blank(at);
    if (**at == '"' || **at == '\'') {
        char quote = **at;
        const char *end = strchr(*at + 1, quote);
        if (!end || memchr(*at, '\\', (size_t)(end - *at)))
            return bad(reader, "a quoted word must end on its line and holds no backslash");
        *ret_word = xstrndup(*at + 1, (size_t)(end - *at - 1));
        *at = end + 1;
        skip_blank(at);
        return 0;
    }
    const char *start = *at;
    while (**at && !strchr(stop, **at)) {
        /* inside a word a colon is part of it unless a blank or the end follows: host:port */
        if (**at == ':' && ((*at)[1] == ' ' || (*at)[1] == '\0'))
            break;
        (*at)++;
    }
    size_t size = (size_t)(*at - start);
    while (size && start[size - 1] == ' ')
        size--;
    if (size == 0 || strchr("&*!|>%@`{}[],", start[0]))
        return bad(reader, "expected a word");
    *ret_word = xstrndup(start, size);
    return 0;
}

static int read_flow(struct reader *reader, const char **at, unsigned depth, struct jv **ret_value);

static int read_flow_members(struct reader *reader, const char **at, unsigned depth,
                             struct jv *value)
{
    bool object = jv_kind(value) == JV_OBJECT;
    char close = object ? '}' : ']';
    for (;;) {
        skip_blank(at);
        if (**at == close) {
            (*at)++;
            return 0;
        }
        _cleanup_free_ char *key = NULL;
        struct jv *member = NULL;
        if (object) {
            if (read_word(reader, at, ",]}", &key) < 0)
                return -1;
            if (**at != ':')
                return bad(reader, "expected ':' behind a key");
            (*at)++;
            if (jv_find(value, key))
                return bad(reader, "a key is there twice");
        }
        if (read_flow(reader, at, depth + 1, &member) < 0)
            return -1;
        if (object)
            jv_set(value, key, member);
        else
            jv_add(value, member);
        skip_blank(at);
        if (**at == ',')
            (*at)++;
        else if (**at != close)
            return bad(reader, "expected ',' or the closing bracket on the same line");
    }
}

static int read_flow(struct reader *reader, const char **at, unsigned depth, struct jv **ret_value)
{
    if (depth > NEST_MAX)
        return bad(reader, "nested too deep");
    skip_blank(at);
    if (**at == '{' || **at == '[') {
        _cleanup_jv_ struct jv *value = **at == '{' ? jv_object() : jv_array();
        (*at)++;
        if (read_flow_members(reader, at, depth, value) < 0)
            return -1;
        *ret_value = take_ptr(&value);
        return 0;
    }
    _cleanup_free_ char *word = NULL;
    if (read_word(reader, at, ",]}", &word) < 0)
        return -1;
    *ret_value = jv_string(word);
    return 0;
}

static int read_rest(struct reader *reader, const char *at, struct jv **ret_value)
{
    struct jv *value = NULL;
    if (read_flow(reader, &at, 0, &value) < 0)
        return -1;
    skip_blank(&at);
    if (*at) {
        jv_free(value);
        return bad(reader, "unexpected text behind the value");
    }
    *ret_value = value;
    return 0;
}

static bool next_line(struct reader *reader)
{
    while (reader->lines[reader->at] && !*reader->lines[reader->at])
        reader->at++;
    return reader->lines[reader->at] != NULL;
}

static int read_block(struct reader *reader, size_t indent, unsigned depth, struct jv **ret_value);

/* One "key: value", "key:" with a block below, or "- value". Advances. */
static int read_item(struct reader *reader, size_t indent, unsigned depth, struct jv *value)
{
    const char *at = reader->lines[reader->at] + indent;
    struct jv *member = NULL;
    if (jv_kind(value) == JV_ARRAY) {
        if (at[0] != '-' || at[1] != ' ')
            return bad(reader, "expected '- ' as in the lines above");
        if (read_rest(reader, at + 2, &member) < 0)
            return -1;
        jv_add(value, member);
        reader->at++;
        return 0;
    }
    _cleanup_free_ char *key = NULL;
    if (read_word(reader, &at, "", &key) < 0)
        return -1;
    if (*at != ':')
        return bad(reader, "expected 'key:'");
    at++;
    if (jv_find(value, key))
        return bad(reader, "a key is there twice");
    skip_blank(&at);
    if (*at) {
        if (read_rest(reader, at, &member) < 0)
            return -1;
        reader->at++;
    } else {
        reader->at++;
        const char *next = next_line(reader) ? reader->lines[reader->at] : "";
        size_t here = indent_of(next);
        if (!*next || here < indent || (here == indent && next[here] != '-')) {
            jv_set(value, key, jv_null());
            return 0;
        }
        if (read_block(reader, here, depth + 1, &member) < 0)
            return -1;
    }
    jv_set(value, key, member);
    return 0;
}

static int read_block(struct reader *reader, size_t indent, unsigned depth, struct jv **ret_value)
{
    if (depth > NEST_MAX)
        return bad(reader, "nested too deep");
    bool list = reader->lines[reader->at][indent] == '-';
    _cleanup_jv_ struct jv *value = list ? jv_array() : jv_object();
    while (next_line(reader)) {
        size_t here = indent_of(reader->lines[reader->at]);
        if (here < indent || (here == indent && list && reader->lines[reader->at][indent] != '-'))
            break;
        if (here > indent)
            return bad(reader, "indented deeper than the line above");
        if (read_item(reader, indent, depth, value) < 0)
            return -1;
    }
    *ret_value = take_ptr(&value);
    return 0;
}

/* Cuts comments and blanks behind; refuses tabs and document markers. */
static int clean_lines(struct reader *reader)
{
    for (reader->at = 0; reader->lines[reader->at]; reader->at++) {
        char *line = reader->lines[reader->at];
        char quote = 0;
        for (char *c = line; *c; c++) {
            if (quote ? *c == quote : (*c == '"' || *c == '\''))
                quote = quote ? 0 : *c;
            else if (!quote && *c == '#' && (c == line || c[-1] == ' ')) {
                *c = '\0';
                break;
            }
        }
        size_t size = strlen(line);
        while (size && (line[size - 1] == ' ' || line[size - 1] == '\r'))
            line[--size] = '\0';
        if (strchr(line, '\t'))
            return bad(reader, "a tab where only blanks may be");
        if (str_eq(line, "---"))
            *line = '\0';
    }
    reader->at = 0;
    return 0;
}

struct source {
    const char *path, *text;
};

/* Where a key (or "a.b": b) stands first; for messages about values, which know no place of their
 * own. */
static size_t line_of(const struct source *source, const char *key)
{
    const char *dot = str_has_prefix(key, "registries.") ? strchr(key, '.') : NULL;
    const char *found = strstr(source->text, dot ? dot + 1 : key);
    size_t line = 1;
    for (const char *c = source->text; found && c < found; c++)
        line += *c == '\n';
    return line;
}

static int take_hosts(const struct source *source, const char *key, const struct jv *list,
                      struct err *err)
{
    bool good = jv_kind(list) == JV_ARRAY && jv_count(list) <= HOSTS_MAX;
    for (size_t i = 0; good && i < jv_count(list); i++) {
        const char *host = jv_text(jv_at(list, i));
        good = host && *host && strlen(host) <= 260 &&
               host[strspn(
                   host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]")] ==
                   '\0';
    }
    return good ? 0
                : err_set(err, ERR_CONFIG,
                          "%s:%zu: '%s' is not a list of hosts such as \"127.0.0.1:5000\"",
                          source->path, line_of(source, key), key);
}

static int take_mirrors(const struct source *source, const struct jv *mirrors, struct err *err)
{
    const char *key;
    struct jv *value;
    if (jv_kind(mirrors) != JV_OBJECT)
        return err_set(err, ERR_CONFIG,
                       "%s:%zu: 'registries.mirrors' is not a mapping of registries to lists",
                       source->path, line_of(source, "mirrors"));
    JV_EACH(mirrors, key, value)
    {
        if (take_hosts(source, key, value, err) < 0)
            return -1;
    }
    return 0;
}

static int take_number(const struct source *source, const char *key, const struct jv *value,
                       bool is_bytes, int64_t *ret_number, struct err *err)
{
    const char *text = jv_text(value);
    long long number = jv_int_value(value, 0);
    int64_t bytes = 0;
    if (text && is_bytes && bytes_parse(text, &bytes))
        number = bytes;
    else if (text && !parse_i64(text, 1, INT64_MAX, &number))
        number = 0;
    if (number < 1)
        return err_set(err, ERR_CONFIG, "%s:%zu: 'images.%s' is not a number greater than 0",
                       source->path, line_of(source, key), key);
    *ret_number = number;
    return 0;
}

static int take_images(const struct source *source, const struct jv *images,
                       struct host_config *config, struct err *err)
{
    const struct {
        const char *key;
        bool is_bytes;
        int64_t *field;
    } rows[] = {
        {"unpacked_max", true, &config->unpacked_max},
        {"ratio_max", false, &config->ratio_max},
        {"entries_max", false, &config->entries_max},
    };
    const char *key;
    struct jv *value;
    JV_EACH(images, key, value)
    {
        size_t i = 0;
        while (i < ARRAY_LEN(rows) && !str_eq(rows[i].key, key))
            i++;
        if (i == ARRAY_LEN(rows))
            return err_set(
                err, ERR_CONFIG,
                "%s:%zu: unknown key 'images.%s' (known: unpacked_max, ratio_max, entries_max)",
                source->path, line_of(source, key), key);
        if (take_number(source, key, value, rows[i].is_bytes, rows[i].field, err) < 0)
            return -1;
    }
    return 0;
}

static int take_settings(const struct source *source, const struct jv *root,
                         struct host_config *ret_config, struct err *err)
{
    struct host_config config = {.mirrors = NULL};
    const char *key;
    struct jv *value;
    if (jv_kind(root) != JV_OBJECT)
        return err_set(err, ERR_CONFIG, "%s:%zu: expected the key 'registries' or 'images'",
                       source->path, (size_t)1);
    JV_EACH(root, key, value)
    {
        if (!str_eq(key, "registries") && !str_eq(key, "images"))
            return err_set(err, ERR_CONFIG, "%s:%zu: unknown key '%s' (known: registries, images)",
                           source->path, line_of(source, key), key);
        if (jv_kind(value) != JV_OBJECT && jv_kind(value) != JV_NULL)
            return err_set(err, ERR_CONFIG, "%s:%zu: '%s' is not a mapping", source->path,
                           line_of(source, key), key);
    }
    const struct jv *registries = jv_find(root, "registries");
    JV_EACH(registries, key, value)
    {
        if (!str_eq(key, "mirrors") && !str_eq(key, "insecure"))
            return err_set(err, ERR_CONFIG,
                           "%s:%zu: unknown key 'registries.%s' (known: mirrors, insecure)",
                           source->path, line_of(source, key), key);
    }
    if (take_images(source, jv_find(root, "images"), &config, err) < 0)
        return -1;
    struct jv *mirrors = jv_find(registries, "mirrors"),
              *insecure = jv_find(registries, "insecure");
    if (mirrors && jv_kind(mirrors) != JV_NULL && take_mirrors(source, mirrors, err) < 0)
        return -1;
    if (insecure && jv_kind(insecure) != JV_NULL &&
        take_hosts(source, "registries.insecure", insecure, err) < 0)
        return -1;
    config.mirrors = mirrors && jv_kind(mirrors) == JV_OBJECT ? jv_ref(mirrors) : jv_object();
    config.insecure = jv_get_strv(registries, "insecure");
    *ret_config = config;
    return 0;
}

int host_config_parse(const char *path, const char *text, struct host_config *ret_config,
                      struct err *err)
{
    _cleanup_jv_ struct jv *root = NULL;
    const struct source source = {path, text};
    if (text[strspn(text, " \r\n\t")] == '{') {
        if (jv_parse(text, strlen(text), &root, err) < 0) {
            if (err)
                err->code = ERR_CONFIG;
            return err_wrap(err, "%s", path);
        }
        return take_settings(&source, root, ret_config, err);
    }
    _cleanup_(strv_freep) char **lines = strv_split(text, "\n");
    struct err local = {0};
    struct reader reader = {.path = path, .lines = lines, .err = &local};
    if (clean_lines(&reader) < 0)
        return err_copy(err, &local);
    if (next_line(&reader)) {
        if (indent_of(lines[reader.at]) != 0)
            return bad(&reader, "the first key must not be indented"), err_copy(err, &local);
        if (read_block(&reader, 0, 0, &root) < 0)
            return err_copy(err, &local);
    } else {
        root = jv_object();
    }
    return take_settings(&source, root, ret_config, err);
}

int host_config_load(const char *path, struct host_config *ret_config, struct err *err)
{
    _cleanup_free_ char *text = NULL;
    size_t size = 0;
    struct err local = {0};
    if (fs_read(AT_FDCWD, path, FILE_MAX, &text, &size, &local) < 0) {
        if (local.code != ERR_NOT_FOUND)
            return err_copy(err, &local);
        *ret_config = (struct host_config){.mirrors = jv_object()};
        return 0;
    }
    if (strlen(text) != size)
        return err_set(err, ERR_CONFIG, "%s: has a zero byte", path);
    return host_config_parse(path, text, ret_config, err);
}

void host_config_done(struct host_config *config)
{
    jv_free(config->mirrors);
    strv_free(config->insecure);
    *config = (struct host_config){0};
}

bool host_config_is_insecure(const struct host_config *config, const char *host)
{
    return strv_has(config->insecure, host);
}

bool host_is_loopback(const char *host)
{
    unsigned a, b, c, d;
    int used = 0;
    if (str_has_prefix(host, "[::1]"))
        return host[5] == '\0' || host[5] == ':';
    if (str_has_prefix(host, "localhost"))
        return host[9] == '\0' || host[9] == ':';
    return sscanf(host, "%3u.%3u.%3u.%3u%n", &a, &b, &c, &d, &used) == 4 && a == 127 && b < 256 &&
           c < 256 && d < 256 && (host[used] == '\0' || host[used] == ':');
}
