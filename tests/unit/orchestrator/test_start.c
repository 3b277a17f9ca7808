/* SPDX-License-Identifier: Apache-2.0 */
/* The run-time parts of a spec, in a directory of the test's own: /etc files, secret bytes, bind sources. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "tests/unit/orchestrator/world.h"

static struct world world;
static struct service *web;
static struct container_record *record;
static char root[64];
static struct file_object configs[1];
static struct file_ref refs[] = { { .source = "conf", .target = "/etc/app.conf" } };
static struct sandbox_info sandbox = { .netns = "/run/netns/x", .hosts = "127.0.0.1 localhost\n", .resolv_conf = "nameserver 127.0.0.11\n",
                                       .hostname_file = "web\n" };

static void setup(void)
{
    struct err err = { 0 };
    world_init(&world);
    layout_done(&world.layout);
    (void)snprintf(root, sizeof(root), "/tmp/winch-unit-start-XXXXXX");
    cr_assert_not_null(mkdtemp(root));
    cr_assert_eq(layout_init(&world.layout, root, &err), 0);
    struct arena *arena = world.project.arena;
    web = world_service(&world, "web");
    configs[0] = (struct file_object){ .key = "conf", .file = arena_printf(arena, "%s/app.conf", root) };
    world.project.configs.items = configs;
    world.project.configs.count = 1;
    web->configs.items = refs;
    web->configs.count = 1;
    web->volumes.items[web->volumes.count++] = (struct service_volume){
        .type = SERVICE_VOLUME_BIND, .source = arena_printf(arena, "%s/bound", root), .target = "/bound", .bind_create_host_path = true };
    record = world_container(&world, web, 1, STATE_CREATED)->record;
    cr_assert_eq(fs_mkdirs(AT_FDCWD, record->spec.run_dir, 0700, &err), 0, "%s", err.message);
}

static void teardown(void)
{
    (void)fs_remove_tree(AT_FDCWD, root, NULL);
    world_done(&world);
}

TestSuite(start, .init = setup, .fini = teardown);

static const struct spec_mount *mount_at(const struct container_spec *spec, const char *target)
{
    for (size_t i = 0; i < spec->mounts.count; i++)
        if (str_eq(spec->mounts.items[i].target, target))
            return &spec->mounts.items[i];
    return NULL;
}

Test(start, a_missing_config_file_is_named)
{
    struct err err = { 0 };
    struct container_spec spec;
    const struct start_input input = { .sandbox = &sandbox };
    cr_assert_eq(translate_start(&world.layout, record, &input, world.project.arena, &spec, &err), -1);
    cr_expect_eq(err.code, ERR_NOT_FOUND);
    cr_expect(strstr(err.message, "service 'web': config 'conf': file ") != NULL, "%s", err.message);
}

Test(start, fills_what_is_only_true_now)
{
    struct err err = { 0 };
    struct container_spec spec;
    struct stat st;
    _cleanup_free_ char *hosts = NULL;
    const char *const wake[] = { "winch-supervisor", "p", NULL };
    const struct start_input input = { .sandbox = &sandbox, .wake_argv = wake, .supervisor_socket = "/s" };
    cr_assert_eq(fs_replace(AT_FDCWD, configs[0].file, "a\0b", 3, 0600, &err), 0, "%s", err.message);
    cr_assert_eq(translate_start(&world.layout, record, &input, world.project.arena, &spec, &err), 0, "%s", err.message);

    cr_expect_str_eq(spec.net.path, "/run/netns/x");
    cr_expect_eq(spec.wake_argv.count, 2);
    const struct spec_mount *config = mount_at(&spec, "/etc/app.conf"), *bind = mount_at(&spec, "/bound");
    cr_assert(config && bind);
    cr_expect(config->content_size == 3 && memcmp(config->content, "a\0b", 3) == 0);
    cr_expect_null(mount_at(&record->spec, "/etc/app.conf")->content, "the record keeps no bytes of a file");
    cr_expect(!bind->is_file && !bind->idmap, "no user namespace: nothing to map");
    cr_expect_eq(stat(bind->source, &st), 0, "a missing source is made");
    cr_expect_null(spec.userns);
    _cleanup_free_ char *path = xasprintf("%s/hosts", record->spec.run_dir);
    cr_assert_eq(fs_read(AT_FDCWD, path, 1000, &hosts, NULL, &err), 0, "%s", err.message);
    cr_expect_str_eq(hosts, sandbox.hosts);
}

Test(start, a_whole_directory_is_shown_as_it_is)
{
    struct err err = { 0 };
    struct container_spec spec;
    const struct start_input input = { .sandbox = &sandbox };
    cr_assert_eq(fs_mkdirs(AT_FDCWD, configs[0].file, 0755, &err), 0);
    cr_assert_eq(translate_start(&world.layout, record, &input, world.project.arena, &spec, &err), 0, "%s", err.message);
    const struct spec_mount *config = mount_at(&spec, "/etc/app.conf");
    cr_expect(config->kind == MOUNT_BIND && config->read_only && !config->is_file);
}
