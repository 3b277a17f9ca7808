/* SPDX-License-Identifier: Apache-2.0 */
/* Builds models and observed worlds for tests, and compares texts with golden files. */
#include "tests/unit/orchestrator/world.h"

#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "parser/node.h"

void world_init(struct world *world)
{
    struct err err = { 0 };
    *world = (struct world){ .options = { .timeout_us = -1 } };
    cr_assert_eq(layout_init(&world->layout, "/nowhere/winch", &err), 0);
    struct arena *arena = arena_new();
    world->project = (struct project){ .arena = arena, .name = "p", .working_dir = "/srv/p" };
    world->project.services.items = arena_alloc(arena, WORLD_MAX * sizeof(struct service));
    world->project.networks.items = arena_alloc(arena, WORLD_MAX * sizeof(struct network));
    world->project.volumes.items = arena_alloc(arena, WORLD_MAX * sizeof(struct volume));
    world->project.networks.items[world->project.networks.count++] =
        (struct network){ .key = "default", .name = "p_default", .enable_ipv4 = true, .config_hash = "n1" };
    world->observed.containers = xcalloc(WORLD_MAX, sizeof(struct observed_container));
    world->observed.networks = xcalloc(WORLD_MAX, sizeof(struct network_info));
    world->observed.volumes = xcalloc(WORLD_MAX, sizeof(struct volume_info));
    world->observed.images = xcalloc(WORLD_MAX, sizeof(struct observed_image));
    world->image = (struct image){ .id = xstrdup("sha256:aa"), .cmd = strv_add(NULL, "run"), .labels = jv_object() };
}

void world_done(struct world *world)
{
    observed_done(&world->observed);
    image_done(&world->image);
    arena_free(world->project.arena);
    layout_done(&world->layout);
}

struct service *world_service(struct world *world, const char *name)
{
    struct arena *arena = world->project.arena;
    struct service *service = &world->project.services.items[world->project.services.count++];
    *service = (struct service){ .name = name, .image = "img", .scale = 1, .config_hash = arena_printf(arena, "hash-%s", name) };
    service->networks.items = arena_alloc(arena, 2 * sizeof(struct service_network));
    service->networks.items[0].network = "default";
    service->networks.count = 1;
    service->depends_on.items = arena_alloc(arena, WORLD_MAX * sizeof(struct depends_on));
    service->volumes.items = arena_alloc(arena, WORLD_MAX * sizeof(struct service_volume));
    service->ports.items = arena_alloc(arena, WORLD_MAX * sizeof(struct service_port));
    return service;
}

void world_depends(struct world *world, struct service *service, const char *on, enum depends_condition condition, bool restart,
                   bool required)
{
    (void)world;
    service->depends_on.items[service->depends_on.count++] =
        (struct depends_on){ .service = on, .condition = condition, .restart = restart, .required = required };
}

struct volume *world_volume(struct world *world, const char *key)
{
    struct volume *volume = &world->project.volumes.items[world->project.volumes.count++];
    *volume = (struct volume){ .key = key, .name = arena_printf(world->project.arena, "p_%s", key), .config_hash = "v1" };
    return volume;
}

void world_mount(struct world *world, struct service *service, const char *key, const char *target)
{
    (void)world;
    service->volumes.items[service->volumes.count++] =
        (struct service_volume){ .type = SERVICE_VOLUME_VOLUME, .source = key, .target = target };
}

void world_port(struct world *world, struct service *service, uint16_t published, uint16_t target)
{
    (void)world;
    service->ports.items[service->ports.count++] =
        (struct service_port){ .published_first = published, .published_last = published, .target = target, .protocol = "tcp" };
}

void world_define(struct world *world, struct service *service, const char *value)
{
    struct arena *arena = world->project.arena;
    struct pos none = { 0 };
    struct node *map = node_new(arena, NODE_MAP, none), *environment = node_new(arena, NODE_MAP, none);
    node_set(arena, environment, "KEY", node_string(arena, value, none));
    node_set(arena, map, "environment", environment);
    node_set(arena, map, "image", node_string(arena, service->image, none));
    service->canonical = map;
    service->config_hash = arena_printf(arena, "hash-%s-%s", service->name, value);
}

void world_image(struct world *world, const char *id)
{
    free(world->observed.images[0].id);
    world->observed.images[0] = (struct observed_image){ .reference = "img", .id = xstrdup(id) };
    world->observed.image_count = 1;
}

void world_networks(struct world *world)
{
    for (size_t i = 0; i < world->project.networks.count; i++) {
        const struct network *network = &world->project.networks.items[i];
        world->observed.networks[world->observed.network_count++] = (struct network_info){
            .name = xstrdup(network->name), .project = xstrdup("p"), .key = xstrdup(network->key),
            .fingerprint = xstrdup(network->config_hash) };
    }
}

void world_volumes(struct world *world)
{
    for (size_t i = 0; i < world->project.volumes.count; i++) {
        const struct volume *volume = &world->project.volumes.items[i];
        world->observed.volumes[world->observed.volume_count++] = (struct volume_info){
            .name = xstrdup(volume->name), .project = xstrdup("p"), .key = xstrdup(volume->key),
            .fingerprint = xstrdup(volume->config_hash) };
    }
}

struct observed_container *world_container(struct world *world, struct service *service, int64_t number, enum container_state state)
{
    struct err err = { 0 };
    char id[65];
    struct mount_needs needs;
    size_t index = world->observed.container_count;
    (void)snprintf(id, sizeof(id), "%02zx%062x", index + 1, 0);
    struct translate_input input = { .layout = &world->layout, .project = &world->project, .service = service, .number = number,
                                     .id = id, .image = &world->image, .id_base = 0x40000000 };
    cr_assert_eq(translate_mount_needs(&input, world->project.arena, &needs, &err), 0, "%s", err.message);
    struct observed_container *container = &world->observed.containers[world->observed.container_count++];
    cr_assert_eq(translate_record(&input, &needs, &container->record, &err), 0, "%s", err.message);
    container->status = (struct container_status){ .state = state };
    if (state == STATE_EXITED)
        container->status.finished_ns = 1;
    return container;
}

void golden_expect(const char *name, const char *text)
{
    char path[256];
    struct err err = { 0 };
    _cleanup_free_ char *expected = NULL;
    (void)snprintf(path, sizeof(path), "tests/golden/orchestrator/%s.txt", name);
    if (getenv("WINCH_GOLDEN_WRITE")) {
        cr_assert_eq(fs_replace(AT_FDCWD, path, text, strlen(text), 0644, &err), 0, "%s", err.message);
        return;
    }
    cr_assert_eq(fs_read(AT_FDCWD, path, 1024 * 1024, &expected, NULL, &err), 0, "%s", err.message);
    cr_expect_str_eq(text, expected, "%s differs:\n%s", path, text);
}
