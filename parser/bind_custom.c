/* SPDX-License-Identifier: Apache-2.0 */
/* bind_custom.c - the fields whose form in the model is not their form in the file. */
#include "parser/bind.h"

#include <stdio.h>
#include <string.h>

void bind_port_target(struct binder *binder _unused_, const struct node *node, void *object)
{
    if (node->kind == NODE_INT && node->integer > 0 && node->integer <= 65535)
        ((struct service_port *)object)->target = (uint16_t)node->integer;
}

void bind_port_published(struct binder *binder _unused_, const struct node *node, void *object)
{
    struct service_port *port = object;
    unsigned first = 0, last = 0;
    int count = node_text(node) ? sscanf(node->text, "%5u-%5u", &first, &last) : 0;
    if (count < 1 || first > 65535 || last > 65535)
        return;
    port->published_first = (uint16_t)first;
    port->published_last = (uint16_t)(count == 2 ? last : first);
}

void bind_depends_condition(struct binder *binder _unused_, const struct node *node, void *object)
{
    struct depends_on *dependency = object;
#define X(id, word)                                                                                \
    if (str_eq(node_text(node), word))                                                             \
        dependency->condition = DEPENDS_##id;
    DEPENDS_CONDITIONS(X)
#undef X
}

void bind_volume_type(struct binder *binder _unused_, const struct node *node, void *object)
{
    struct service_volume *volume = object;
#define X(id, word)                                                                                \
    if (str_eq(node_text(node), word))                                                             \
        volume->type = SERVICE_VOLUME_##id;
    VOLUME_TYPES(X)
#undef X
}

static void bind_hosts(struct binder *binder, const struct node *node, struct kv_list *ret)
{
    ret->items = arena_alloc(binder->arena, (node->count + 1) * sizeof(*ret->items));
    ret->count = 0;
    NODE_EACH(entry, node) {
        const char *text = node_text(entry->value), *equals = text ? strchr(text, '=') : NULL;
        if (equals)
            ret->items[ret->count++] = (struct kv){
                .key = arena_strndup(binder->arena, text, (size_t)(equals - text)), .value = equals + 1,
                .pos = entry->value->pos};
    }
}

void bind_extra_hosts(struct binder *binder, const struct node *node, void *object)
{
    bind_hosts(binder, node, &((struct service *)object)->extra_hosts);
}

void bind_build_extra_hosts(struct binder *binder, const struct node *node, void *object)
{
    bind_hosts(binder, node, &((struct build *)object)->extra_hosts);
}

static struct ulimit *bind_limits(struct binder *binder, const struct node *node)
{
    struct ulimit *limits = arena_alloc(binder->arena, (node->count + 1) * sizeof(*limits));
    for (uint32_t i = 0; i < node->count; i++) {
        const struct node *value = node->items[i].value, *soft = node_find(value, "soft"), *hard = node_find(value, "hard");
        limits[i] = (struct ulimit){.name = node->items[i].key, .pos = value->pos};
        if (value->kind == NODE_INT)
            limits[i].soft = limits[i].hard = value->integer;
        if (soft && soft->kind == NODE_INT)
            limits[i].soft = soft->integer;
        if (hard && hard->kind == NODE_INT)
            limits[i].hard = hard->integer;
    }
    return limits;
}

void bind_ulimits(struct binder *binder, const struct node *node, void *object)
{
    struct service *service = object;
    service->ulimits.items = bind_limits(binder, node);
    service->ulimits.count = node->count;
}

void bind_build_ulimits(struct binder *binder, const struct node *node, void *object)
{
    struct build *build = object;
    build->ulimits.items = bind_limits(binder, node);
    build->ulimits.count = node->count;
}

void bind_ssh(struct binder *binder, const struct node *node, void *object)
{
    struct kv_list *ssh = &((struct build *)object)->ssh;
    ssh->items = arena_alloc(binder->arena, (node->count + 1) * sizeof(*ssh->items));
    NODE_EACH(entry, node) {
        const char *text = node_text(entry->value), *colon = text ? strstr(text, ": ") : NULL;
        if (text)
            ssh->items[ssh->count++] = (struct kv){
                .key = colon ? arena_strndup(binder->arena, text, (size_t)(colon - text)) : text,
                .value = colon ? colon + 2 : NULL, .pos = entry->value->pos};
    }
}

void bind_file_mode(struct binder *binder _unused_, const struct node *node, void *object)
{
    if (node_text(node))
        ((struct file_ref *)object)->mode = (struct opt_int){.set = true, .value = strtol(node->text, NULL, 8)};
}

/* One pair for each value: a key may come more than once. */
void bind_provider_options(struct binder *binder, const struct node *node, void *object)
{
    struct kv_list *options = &((struct provider *)object)->options;
    size_t count = 0;
    NODE_EACH(entry, node)
        count += entry->value->count;
    options->items = arena_alloc(binder->arena, (count + 1) * sizeof(*options->items));
    NODE_EACH(entry, node)
        NODE_EACH(item, entry->value)
            if (options->count < count)
                options->items[options->count++] = (struct kv){
                    .key = entry->key, .value = node_text(item->value), .pos = item->value->pos};
}

void bind_preferences(struct binder *binder, const struct node *node, void *object)
{
    struct str_list *list = &((struct deploy *)object)->placement_preferences;
    list->items = arena_alloc(binder->arena, (node->count + 1) * sizeof(*list->items));
    NODE_EACH(entry, node)
        if (node_find_text(entry->value, "spread"))
            list->items[list->count++] = node_find_text(entry->value, "spread");
}
