/* SPDX-License-Identifier: Apache-2.0 */
/* short_mount.c - mounts: "SOURCE:TARGET:OPTIONS" to the long form, for volumes, secrets, configs and devices.
 * A one-letter first section is a volume name, not a Windows drive. */
#include "parser/short.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/path.h"
#include "base/str.h"
#include "base/suggest.h"

static struct node *text_node(struct arena *arena, const char *text, struct pos pos)
{
    return node_string(arena, text, pos);
}

static bool is_bind_source(const char *source)
{
    return strchr("./~", *source) || path_is_windows(source);
}

/* The options of one type of mount; they need not fit the mount's own. */
static struct node *options_of(struct arena *arena, struct node *volume, const char *type)
{
    struct node *options = node_find(volume, type);
    if (!options) {
        options = node_new(arena, NODE_MAP, volume->pos);
        node_set(arena, volume, type, options);
    }
    return options;
}

/* Sections between colons; the colon of "C:\\x" is none. */
static char **split_sections(const char *text)
{
    char **sections = NULL;
    for (;;) {
        size_t size = path_is_windows(text) && *text != '\\' ? 2 : 0;
        size += strcspn(text + size, ":");
        _cleanup_free_ char *section = xstrndup(text, size);
        sections = strv_add(sections, section);
        if (!text[size])
            return sections;
        text += size + 1;
    }
}

/* All words of the third section. The last three are of other systems and change nothing here. */
static const char *const option_words[] = {"ro", "rw", "nocopy", "z", "Z", "private", "rprivate", "shared", "rshared", "slave", "rslave",
                                           "consistent", "cached", "delegated"};

/* The language drops unknown words; here they are told. */
static void warn_unknown_options(struct shaping *shaping, const struct node *node, const struct path *path, const char *text)
{
    char **sections = split_sections(text), **words = strv_len(sections) == 3 ? strv_split(sections[2], ",") : NULL;
    for (size_t i = 0; words && words[i]; i++) {
        bool known = !*words[i];
        for (size_t k = 0; k < ARRAY_LEN(option_words); k++)
            known |= str_eq(words[i], option_words[k]);
        if (known)
            continue;
        _cleanup_free_ char *where = path_text(path);
        const char *near = suggest_nearest(words[i], option_words, ARRAY_LEN(option_words));
        struct diag *diag = diag_warning(shaping->diags, node->pos, where, "option '%s' is unknown and is left out", words[i]);
        if (near)
            diag_hint(diag, "did you mean '%s'?", near);
    }
    strv_free(words);
    strv_free(sections);
}

/* One word of the third section. */
static void apply_option(struct arena *arena, struct node *volume, const char *word)
{
    static const char *const propagations[] = {"private", "rprivate", "shared", "rshared", "slave", "rslave"};

    if (strcmp(word, "ro") == 0)
        node_set(arena, volume, "read_only", node_bool(arena, true, volume->pos));
    else if (strcmp(word, "rw") == 0)
        node_set(arena, volume, "read_only", node_bool(arena, false, volume->pos));
    else if (strcmp(word, "nocopy") == 0)
        node_set(arena, options_of(arena, volume, "volume"), "nocopy", node_bool(arena, true, volume->pos));
    else if (strcmp(word, "z") == 0 || strcmp(word, "Z") == 0)
        node_set(arena, options_of(arena, volume, "bind"), "selinux", text_node(arena, word, volume->pos));
    for (size_t i = 0; i < ARRAY_LEN(propagations); i++)
        if (strcmp(word, propagations[i]) == 0)
            node_set(arena, options_of(arena, volume, "bind"), "propagation", text_node(arena, word, volume->pos));
}

const char *volume_short_parse(struct arena *arena, const char *text, struct pos pos, struct node **ret_volume)
{
    char **parts = split_sections(text);
    size_t count = strv_len(parts);
    const char *problem = NULL;

    for (size_t i = 0; i < count; i++)
        if (!*parts[i])
            problem = "empty section between colons";
    if (count > 3)
        problem = "too many colons: expected SOURCE:TARGET:OPTIONS";
    if (problem || count == 0) {
        strv_free(parts);
        return problem ? problem : "empty";
    }
    const char *source = count > 1 ? parts[0] : NULL, *target = count > 1 ? parts[1] : parts[0];
    bool is_bind = source && is_bind_source(source);
    struct node *volume = node_new(arena, NODE_MAP, pos);
    node_set(arena, volume, "type", text_node(arena, is_bind ? "bind" : "volume", pos));
    if (source)
        node_set(arena, volume, "source", text_node(arena, source, pos));
    _cleanup_free_ char *clean = path_clean(target);
    node_set(arena, volume, "target", text_node(arena, path_is_windows(target) ? target : clean, pos));
    struct node *options = node_new(arena, NODE_MAP, pos);
    if (is_bind)
        node_set(arena, options, "create_host_path", node_bool(arena, true, pos));
    if (strlen(text) > 2) /* as the reference implementation reads "/x" */
        node_set(arena, volume, is_bind ? "bind" : "volume", options);
    if (count == 3) {
        char **words = strv_split(parts[2], ",");
        for (size_t i = 0; words[i]; i++)
            apply_option(arena, volume, words[i]);
        strv_free(words);
    }
    strv_free(parts);
    *ret_volume = volume;
    return NULL;
}

/* A variable with a ':' inside cannot be told from the parts of a short form. */
static bool has_open_colon(const char *text)
{
    for (const char *open = strchr(text, '{'); open; open = strchr(open + 1, '{'))
        if (memchr(open, ':', strcspn(open, "}")))
            return true;
    return false;
}

void lengthen_volume(struct shaping *shaping, struct node *node, const struct path *path)
{
    if (node->kind == NODE_STRING && !(shape_is_open(shaping, node) && has_open_colon(node->text))) {
        struct node *volume = NULL;
        const char *problem = volume_short_parse(shaping->arena, node->text, node->pos, &volume);
        if (problem) {
            shape_error(shaping, node, path, "'%s' is not a volume: %s", node->text, problem);
            node->kind = NODE_NULL;
            return;
        }
        warn_unknown_options(shaping, node, path, node->text);
        node_become(node, volume);
    }
    if (node->kind != NODE_MAP)
        return;
    const char *type = node_find_text(node, "type");
    struct node *bind = node_find(node, "bind");
    if (bind && bind->kind == NODE_MAP && !node_find(bind, "create_host_path"))
        node_set(shaping->arena, bind, "create_host_path", node_bool(shaping->arena, true, bind->pos));
    struct node *source = node_find(node, "source");
    if (type && strcmp(type, "bind") == 0) {
        if (!source || !node_text(source) || !*source->text)
            shape_error(shaping, node, path, "a bind mount needs a source");
        else if (source->kind == NODE_STRING)
            source->text = shape_path(shaping, source->text);
    }
}

char *target_identity(const struct node *item)
{
    const char *target = node_find_text(item, "target");
    return target ? xstrdup(target) : NULL;
}

/* ---- secrets and configs ---- */
void lengthen_file_ref(struct shaping *shaping, struct node *node, const struct path *path _unused_)
{
    if (node->kind != NODE_STRING)
        return;
    struct node *reference = node_new(shaping->arena, NODE_MAP, node->pos);
    node_set(shaping->arena, reference, "source", text_node(shaping->arena, node->text, node->pos));
    node_become(node, reference);
}

void lengthen_secret_ref(struct shaping *shaping, struct node *node, const struct path *path)
{
    lengthen_file_ref(shaping, node, path);
    const char *source = node_find_text(node, "source");
    if (source && !node_find(node, "target")) {
        const char *target = arena_printf(shaping->arena, "/run/secrets/%s", source);
        node_set(shaping->arena, node, "target", node_string_ref(shaping->arena, target, node->pos));
    }
}

/* A number, or octal digits as text; long form: "0440". */
void lengthen_file_mode(struct shaping *shaping, struct node *node, const struct path *path)
{
    long mode = -1;
    if (node->kind == NODE_INT) {
        mode = (long)node->integer;
    } else if (node->kind == NODE_STRING) {
        char *end;
        mode = strtol(node->text, &end, 8);
        if (end == node->text || *end)
            mode = -1;
    }
    if (mode < 0 || mode > 07777) {
        shape_error(shaping, node, path, "'%s' is not a file mode: expected octal digits such as 0440", node->text);
        return;
    }
    node->kind = NODE_STRING;
    node->text = arena_printf(shaping->arena, "0%lo", (unsigned long)mode);
}

static char *file_ref_identity(const struct node *item, const char *folder)
{
    const char *source = node_find_text(item, "source"), *target = node_find_text(item, "target");
    if (!target)
        return source ? xasprintf("%s/%s", folder, source) : NULL;
    return *target == '/' ? xstrdup(target) : xasprintf("%s/%s", folder, target);
}

char *secret_ref_identity(const struct node *item)
{
    return file_ref_identity(item, "/run/secrets");
}

char *config_ref_identity(const struct node *item)
{
    return file_ref_identity(item, "");
}

/* ---- devices ---- */
void lengthen_device(struct shaping *shaping, struct node *node, const struct path *path)
{
    if (node->kind == NODE_STRING && !(shape_is_open(shaping, node) && has_open_colon(node->text))) {
        /* a CDI name may have colons of its own: nvidia.com/gpu=0:1 */
        bool is_cdi = *node->text != '/' && strchr(node->text, '=');
        char **parts = strv_split(node->text, is_cdi ? "\n" : ":");
        size_t count = strv_len(parts);
        if (count == 0 || count > 3 || !*parts[0]) {
            shape_error(shaping, node, path, "'%s' is not a device: expected HOST[:CONTAINER[:rwm]]", node->text);
            strv_free(parts);
            node->kind = NODE_NULL;
            return;
        }
        struct node *device = node_new(shaping->arena, NODE_MAP, node->pos);
        node_set(shaping->arena, device, "source", text_node(shaping->arena, parts[0], node->pos));
        node_set(shaping->arena, device, "target", text_node(shaping->arena, parts[count > 1 && *parts[1]], node->pos));
        node_set(shaping->arena, device, "permissions",
                 text_node(shaping->arena, count > 2 ? parts[2] : "rwm", node->pos));
        strv_free(parts);
        node_become(node, device);
    }
}

void lengthen_device_count(struct shaping *shaping, struct node *node, const struct path *path)
{
    long long count;
    if (node->kind == NODE_STRING && strcasecmp(node->text, "all") == 0)
        node_become(node, node_int(shaping->arena, -1, node->pos));
    else if (node->kind == NODE_STRING && !parse_i64(node->text, LLONG_MIN, LLONG_MAX, &count)) {
        shape_error(shaping, node, path, "'%s' is not a count: expected a number or 'all'", node->text);
        node->kind = NODE_NULL;
    }
}

void lengthen_gpus(struct shaping *shaping, struct node *node, const struct path *path)
{
    if (node->kind != NODE_STRING)
        return;
    if (strcmp(node->text, "all") != 0) {
        shape_error(shaping, node, path, "'%s' is not 'all' or a list", node->text);
        return;
    }
    struct node *list = node_new(shaping->arena, NODE_LIST, node->pos);
    struct node *request = node_new(shaping->arena, NODE_MAP, node->pos);
    node_set(shaping->arena, request, "count", node_string(shaping->arena, "all", node->pos));
    node_push(shaping->arena, list, request);
    node_become(node, list);
}

void lengthen_device_request(struct shaping *shaping, struct node *node, const struct path *path)
{
    if (node->kind != NODE_MAP)
        return;
    const struct node *count = node_find(node, "count"), *ids = node_find(node, "device_ids");
    if (count && ids)
        shape_error(shaping, node, path, "'count' and 'device_ids' are mutually exclusive");
    else if (!count && !ids)
        node_set(shaping->arena, node, "count", node_string(shaping->arena, "all", node->pos));
}

/* A string is octal digits. */
void lengthen_tmpfs_mode(struct shaping *shaping, struct node *node, const struct path *path)
{
    if (node->kind != NODE_STRING || shape_is_open(shaping, node))
        return;
    char *end;
    long mode = strtol(node->text, &end, 8);
    if (end == node->text || *end || mode < 0 || mode > 07777)
        shape_error(shaping, node, path, "'%s' is not a file mode: expected octal digits such as 1777", node->text);
    else
        node_become(node, node_int(shaping->arena, mode, node->pos));
}
