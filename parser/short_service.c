/* SPDX-License-Identifier: Apache-2.0 */
/* short_service.c - the remaining short forms of services: command lines, names in lists, hosts, limits, health
 * checks, environment files. */
#include "parser/short.h"

#include <limits.h>
#include <string.h>

#include "base/str.h"

/* What words_split knows of the text so far. */
struct words {
    struct arena *arena;
    struct node *list;
    struct str *word;
    bool in_word, in_single, in_double, in_back, in_dollar;
};

static void word_end(struct words *words)
{
    if (words->in_word)
        node_push(words->arena, words->list, node_string(words->arena, str_text(words->word), words->list->pos));
    str_clear(words->word);
    words->in_word = false;
}

static void word_add(struct words *words, char character)
{
    str_add_char(words->word, character);
    words->in_word = true;
}

/* True: the character was a quote or a blank and is dealt with. */
static bool take_quote_or_blank(struct words *words, char character)
{
    bool substitution = words->in_back || words->in_dollar;
    if (strchr(" \t\r\n", character)) {
        if (words->in_single || words->in_double || substitution)
            word_add(words, character);
        else
            word_end(words);
        return true;
    }
    if ((character != '"' || words->in_single || substitution) && (character != '\'' || words->in_double || substitution))
        return false;
    bool *quote = character == '"' ? &words->in_double : &words->in_single;
    words->in_word = words->in_word || *quote; /* '' is a word */
    *quote = !*quote;
    return true;
}

/* Parentheses outside quotes: only as $(…), which stays as it is written. */
static bool take_parenthesis(struct words *words, char character)
{
    size_t size = words->word->size;
    if (words->in_single || words->in_double || words->in_back)
        return true;
    if (words->in_dollar == (character == '('))
        return false;
    if (character == '(' && (size == 0 || str_text(words->word)[size - 1] != '$'))
        return false;
    words->in_dollar = character == '(';
    return true;
}

static bool is_number(const struct str *word)
{
    return word->size && strspn(str_text(word), "0123456789") == word->size;
}

const char *words_split(struct arena *arena, const char *text, struct node *list, const char **ret_rest)
{
    _cleanup_str_ struct str word = {0};
    struct words words = {.arena = arena, .list = list, .word = &word};
    bool escaped = false;

    *ret_rest = NULL;
    for (const char *p = text; *p && !*ret_rest; p++) {
        bool substitution = words.in_back || words.in_dollar, quoted = words.in_single || words.in_double || substitution;
        if (escaped) {
            escaped = false;
            if (substitution)
                word_add(&words, '\\');
            word_add(&words, substitution ? *p : *p == 't' ? '\t' : *p == 'n' ? '\n' : *p);
        } else if (*p == '\\' && !words.in_single) {
            escaped = true;
        } else if (strchr(";&|<>", *p) && !quoted) {
            words.in_word = words.in_word && !(*p == '>' && is_number(&word));
            *ret_rest = p;
        } else if (!take_quote_or_blank(&words, *p)) {
            if (strchr("()", *p) && !take_parenthesis(&words, *p))
                return "has a parenthesis outside quotes";
            if (*p == '`' && !words.in_single && !words.in_double && !words.in_dollar)
                words.in_back = !words.in_back;
            word_add(&words, *p);
        }
    }
    word_end(&words);
    return escaped ? "ends with a backslash"
           : words.in_single || words.in_double || words.in_back || words.in_dollar ? "has a quote that is not closed"
                                                                                    : NULL;
}

void check_filled(struct shaping *shaping, struct node *node, const struct path *path)
{
    if (node->kind == NODE_STRING && !*node->text)
        shape_error(shaping, node, path, "value can't be blank");
}

/* Empty entries are none. */
void lengthen_dns(struct shaping *shaping _unused_, struct node *node, const struct path *path _unused_)
{
    if (node->kind == NODE_STRING && !*node->text)
        node->kind = NODE_LIST;
    for (uint32_t i = 0; node->kind == NODE_LIST && i < node->count;) {
        const struct node *item = node->items[i].value;
        if (item->kind == NODE_STRING && !*item->text)
            node_remove_at(node, i);
        else
            i++;
    }
}

void lengthen_names(struct shaping *shaping, struct node *node, const struct path *path)
{
    if (node->kind != NODE_LIST)
        return;
    struct node *map = node_new(shaping->arena, NODE_MAP, node->pos);
    for (uint32_t i = 0; i < node->count; i++) {
        const struct node *item = node->items[i].value;
        struct path step = {.parent = path, .index = i};
        if (item->kind != NODE_STRING) {
            shape_error(shaping, item, &step, "must be a name, not %s", node_kind_text(item->kind));
            continue;
        }
        struct node *value = node_new(shaping->arena, NODE_NULL, item->pos);
        value->tag = item->tag;
        struct node_entry *earlier = node_entry_find(map, item->text);
        if (!earlier)
            node_add(shaping->arena, map, item->text, item->pos, value);
        else
            shape_twice(shaping, item, node_find(map, item->text), &step);
    }
    node_become(node, map);
}

void lengthen_depends_on(struct shaping *shaping, struct node *node, const struct path *path)
{
    struct arena *arena = shaping->arena;
    bool was_list = node->kind == NODE_LIST;
    lengthen_names(shaping, node, path);
    if (node->kind != NODE_MAP)
        return;
    NODE_EACH(entry, node) {
        if (was_list && entry->value->kind == NODE_NULL && entry->value->tag != NODE_TAG_RESET) {
            struct node *value = node_new(arena, NODE_MAP, entry->value->pos);
            node_set(arena, value, "condition", node_string(arena, "service_started", value->pos));
            node_become(entry->value, value);
        }
        if (entry->value->kind == NODE_MAP && !node_find(entry->value, "required"))
            node_set(arena, entry->value, "required", node_bool(arena, true, entry->value->pos));
    }
}

void lengthen_env_file(struct shaping *shaping, struct node *node, const struct path *path _unused_)
{
    struct arena *arena = shaping->arena;
    if (node->kind == NODE_STRING) {
        struct node *file = node_new(arena, NODE_MAP, node->pos);
        node_set(arena, file, "path", node_string_ref(arena, node->text, node->pos));
        node_become(node, file);
    }
    const char *required = node_find_text(node, "required");
    if (!required && shaping->lenient && node->kind == NODE_MAP)
        node_set(arena, node, "required", node_bool(arena, true, node->pos));
    else if (required && strcmp(required, "true") == 0 && !shaping->lenient) /* said by silence */
        node_remove(node, "required");
}

void lengthen_env_files(struct shaping *shaping, struct node *node, const struct path *path _unused_)
{
    if (node->kind != NODE_STRING)
        return;
    struct node *list = node_new(shaping->arena, NODE_LIST, node->pos);
    node_push(shaping->arena, list, node_string_ref(shaping->arena, node->text, node->pos));
    node_become(node, list);
}

char *env_file_identity(const struct node *item)
{
    const char *path = node_find_text(item, "path");
    return path ? xstrdup(path) : NULL;
}

void lengthen_healthcheck_test(struct shaping *shaping, struct node *node, const struct path *path)
{
    if (node->kind == NODE_STRING) {
        struct node *list = node_new(shaping->arena, NODE_LIST, node->pos);
        node_push(shaping->arena, list, node_string(shaping->arena, "CMD-SHELL", node->pos));
        node_push(shaping->arena, list, node_string_ref(shaping->arena, node->text, node->pos));
        node_become(node, list);
        return;
    }
    if (node->kind != NODE_LIST) {
        shape_error(shaping, node, path, "must be a string or a list, not %s", node_kind_text(node->kind));
        return;
    }
    for (uint32_t i = 0; i < node->count; i++) {
        const struct node *item = node->items[i].value;
        struct path step = {.parent = path, .index = i};
        if (item->kind != NODE_STRING)
            shape_error(shaping, item, &step, "must be a string, not %s", node_kind_text(item->kind));
    }
    const char *first = node->count ? node_text(node->items[0].value) : NULL;
    if (first && strcmp(first, "NONE") != 0 && strcmp(first, "CMD") != 0 && strcmp(first, "CMD-SHELL") != 0)
        shape_error(shaping, node, path, "must start with \"CMD\", \"CMD-SHELL\" or \"NONE\", not \"%s\"", first);
}

/* ---- extra_hosts: sorted list of HOST=ADDRESS ---- */
static void add_host(struct shaping *shaping, struct node *list, const char *host, const char *address, struct pos pos)
{
    size_t size = strlen(address);
    bool brackets = size > 2 && address[0] == '[' && address[size - 1] == ']';
    const char *text = arena_printf(shaping->arena, "%s=%.*s", host, (int)(brackets ? size - 2 : size), address + brackets);
    node_push(shaping->arena, list, node_string_ref(shaping->arena, text, pos));
}

static bool host_is_good(struct shaping *shaping, const struct node *node, const struct path *path, const char *host)
{
    if (*host && !strpbrk(host, ":="))
        return true;
    shape_error(shaping, node, path, "bad host name '%s'", host);
    return false;
}

static void add_host_item(struct shaping *shaping, struct node *list, struct node *item, const struct path *path)
{
    if (item->kind != NODE_STRING || item->tag == NODE_TAG_RESET) {
        node_push(shaping->arena, list, item);
        return;
    }
    const char *cut = strchr(item->text, '=');
    if (!cut)
        cut = strchr(item->text, ':');
    if (!cut) {
        shape_error(shaping, item, path, "'%s' is not a host: expected HOST=ADDRESS", item->text);
        return;
    }
    const char *host = arena_strndup(shaping->arena, item->text, (size_t)(cut - item->text));
    if (!host_is_good(shaping, item, path, host))
        return;
    char **addresses = strv_split(cut + 1, ",");
    for (size_t i = 0; addresses[i]; i++)
        add_host(shaping, list, host, addresses[i], item->pos);
    if (!addresses[0])
        add_host(shaping, list, host, "", item->pos);
    strv_free(addresses);
}

void lengthen_extra_hosts(struct shaping *shaping, struct node *node, const struct path *path)
{
    if (node->kind != NODE_LIST && node->kind != NODE_MAP)
        return;
    struct node *list = node_new(shaping->arena, NODE_LIST, node->pos);
    for (uint32_t i = 0; i < node->count; i++) {
        struct node *item = node->items[i].value;
        const char *host = node->items[i].key;
        struct path step = {.parent = path, .key = host, .index = i};
        if (!host) {
            add_host_item(shaping, list, item, &step);
        } else if (!host_is_good(shaping, item, path, host)) {
            continue;
        } else if (item->kind == NODE_STRING) {
            add_host(shaping, list, host, item->text, item->pos);
        } else if (item->kind == NODE_LIST) {
            NODE_EACH(entry, item)
                if (entry->value->kind == NODE_STRING)
                    add_host(shaping, list, host, entry->value->text, entry->value->pos);
                else
                    shape_error(shaping, entry->value, &step, "must be an address, not %s", node_kind_text(entry->value->kind));
        } else {
            shape_error(shaping, item, &step, "must be an address or a list of addresses, not %s",
                        node_kind_text(item->kind));
        }
    }
    node_become(node, list);
}

/* ---- ulimits ---- */
static void shape_limit(struct shaping *shaping, struct node *node, const struct path *path)
{
    long long value;
    if (node->kind == NODE_STRING && parse_i64(node->text, LLONG_MIN, LLONG_MAX, &value))
        node_become(node, node_int(shaping->arena, value, node->pos));
    if (node->kind != NODE_INT)
        shape_error(shaping, node, path, "must be a whole number, not %s",
                    node_is_scalar(node) && node->kind != NODE_NULL ? node->text : node_kind_text(node->kind));
}

static void shape_limit_pair(struct shaping *shaping, struct node *node, const struct path *path)
{
    NODE_EACH(entry, node) {
        struct path step = {.parent = path, .key = entry->key};
        if (entry->value->tag == NODE_TAG_RESET)
            continue;
        if (strcmp(entry->key, "soft") == 0 || strcmp(entry->key, "hard") == 0)
            shape_limit(shaping, entry->value, &step);
        else if (!str_has_prefix(entry->key, "x-"))
            shape_error(shaping, entry->value, path, "additional properties '%s' not allowed", entry->key);
    }
}

/* 0 is printed as a pair: the reference takes a single 0 for "no single value". */
static void lengthen_zero(struct shaping *shaping, struct node *node)
{
    if (node->kind != NODE_INT || node->integer != 0)
        return;
    struct node *pair = node_new(shaping->arena, NODE_MAP, node->pos);
    node_set(shaping->arena, pair, "soft", node_int(shaping->arena, 0, node->pos));
    node_set(shaping->arena, pair, "hard", node_int(shaping->arena, 0, node->pos));
    node_become(node, pair);
}

/* Only these two are in the model of the reference. */
static void drop_extensions(struct node *pair)
{
    for (uint32_t i = 0; i < pair->count;) {
        if (str_has_prefix(pair->items[i].key, "x-"))
            node_remove_at(pair, i);
        else
            i++;
    }
}

void lengthen_ulimits(struct shaping *shaping, struct node *node, const struct path *path)
{
    if (node->kind != NODE_MAP) {
        shape_error(shaping, node, path, "must be a mapping, not %s", node_kind_text(node->kind));
        return;
    }
    NODE_EACH(entry, node) {
        struct path step = {.parent = path, .key = entry->key};
        if (!*entry->key || entry->key[strspn(entry->key, "abcdefghijklmnopqrstuvwxyz")])
            shape_error(shaping, entry->value, path, "additional properties '%s' not allowed", entry->key);
        else if (entry->value->tag == NODE_TAG_RESET)
            continue;
        else if (entry->value->kind == NODE_MAP)
            shape_limit_pair(shaping, entry->value, &step);
        else
            shape_limit(shaping, entry->value, &step);
        if (entry->value->kind == NODE_MAP)
            drop_extensions(entry->value);
        else if (!shape_is_open(shaping, entry->value))
            lengthen_zero(shaping, entry->value);
    }
}

/* ---- words of a form ---- */
#define NAME_FIRST "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
#define NAME_NEXT  NAME_FIRST "_.-"

/* As in the language's schema: somewhere in the text there is a name of two characters. */
void lengthen_container_name(struct shaping *shaping, struct node *node, const struct path *path)
{
    if (node->kind != NODE_STRING || shape_is_open(shaping, node))
        return;
    for (const char *p = node->text; *p; p++)
        if (strchr(NAME_FIRST, *p) && p[1] && strchr(NAME_NEXT, p[1]))
            return;
    shape_error(shaping, node, path, "'%s' is no container name: expected two or more letters, digits, '_', '.' or '-'",
                node->text);
}

static bool is_interval(const char *text)
{
    const char *every = strstr(text, "every_");
    size_t digits = every ? strspn(every + strlen("every_"), "0123456789") : 0;
    return digits && strchr("wdhms", every[strlen("every_") + digits]) && every[strlen("every_") + digits];
}

void lengthen_pull_policy(struct shaping *shaping, struct node *node, const struct path *path)
{
    static const char *const words[] = {"always", "never",  "build", "if_not_present",
                                        "missing", "refresh", "daily", "weekly"};
    if (node->kind != NODE_STRING || shape_is_open(shaping, node))
        return;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strstr(node->text, words[i]))
            return;
    if (!is_interval(node->text))
        shape_error(shaping, node, path, "'%s' is no pull policy: expected always, never, missing, build, daily, weekly "
                    "or every_12h", node->text);
}

/* ---- provider, extends ---- */
void lengthen_provider_options(struct shaping *shaping, struct node *node, const struct path *path)
{
    if (node->kind != NODE_MAP) {
        shape_error(shaping, node, path, "must be a mapping, not %s", node_kind_text(node->kind));
        return;
    }
    NODE_EACH(entry, node) {
        struct path step = {.parent = path, .key = entry->key};
        if (node_is_scalar(entry->value) && entry->value->kind != NODE_NULL) {
            struct node *list = node_new(shaping->arena, NODE_LIST, entry->value->pos);
            node_push(shaping->arena, list, node_string_ref(shaping->arena, entry->value->text, entry->value->pos));
            node_become(entry->value, list);
        }
        if (entry->value->kind != NODE_LIST) {
            shape_error(shaping, entry->value, &step, "must be a value or a list of values");
            continue;
        }
        NODE_EACH(item, entry->value) {
            if (node_is_scalar(item->value) && item->value->kind != NODE_NULL)
                item->value->kind = NODE_STRING;
            else
                shape_error(shaping, item->value, &step, "must be a value or a list of values");
        }
    }
}

void lengthen_extends(struct shaping *shaping, struct node *node, const struct path *path _unused_)
{
    if (node->kind != NODE_STRING)
        return;
    struct node *map = node_new(shaping->arena, NODE_MAP, node->pos);
    node_set(shaping->arena, map, "service", node_string_ref(shaping->arena, node->text, node->pos));
    node_become(node, map);
}
