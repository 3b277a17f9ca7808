/* SPDX-License-Identifier: Apache-2.0 */
/* What a service and an image become: precedence between the two, refusals, and the way back out of service_data. */
#include <criterion/criterion.h>
#include <signal.h>

#include "base/mem.h"
#include "base/str.h"
#include "orchestrator/fingerprint.h"
#include "tests/unit/orchestrator/world.h"

static struct world world;
static struct service *web;

static void setup(void)
{
    world_init(&world);
    web = world_service(&world, "web");
}

static void teardown(void)
{
    world_done(&world);
}

TestSuite(translate, .init = setup, .fini = teardown);

static char **words(const char *text)
{
    return text[0] ? strv_split(text, " ") : NULL;
}

static struct command command_of(const char *text)
{
    struct command command = { .set = text != NULL };
    char **list = text ? words(text) : NULL;
    command.argv.items = arena_alloc(world.project.arena, (strv_len(list) + 1) * sizeof(char *));
    for (size_t i = 0; list && list[i]; i++)
        command.argv.items[command.argv.count++] = arena_strdup(world.project.arena, list[i]);
    strv_free(list);
    return command;
}

static struct container_record *record_of(int expected, struct err *err)
{
    struct mount_needs needs = { 0 };
    struct container_record *record = NULL;
    static char id[65];
    memset(id, 'e', 64);
    struct translate_input input = { .layout = &world.layout, .project = &world.project, .service = web, .number = 1, .id = id,
                                     .image = &world.image, .id_base = 0x40000000 };
    int result = translate_mount_needs(&input, world.project.arena, &needs, err);
    if (result == 0)
        result = translate_record(&input, &needs, &record, err);
    cr_assert_eq(result, expected, "%s", err->message);
    return record;
}

static const struct { const char *image_entrypoint, *image_cmd, *entrypoint, *command, *argv; } argvs[] = {
    { "", "run", NULL, NULL, "run" },
    { "ep", "run fast", NULL, NULL, "ep run fast" },
    { "ep", "run", NULL, "other", "ep other" },
    { "ep", "run", "mine", NULL, "mine" },
    { "ep", "run", "mine", "x y", "mine x y" },
    { "ep", "run", NULL, "", "ep" },
    { "ep", "run", "", "cmd", "cmd" },
    { "ep", "run", "", NULL, "run" },
    { "", "", NULL, NULL, NULL },
};

Test(translate, command_precedence_is_dockers)
{
    for (size_t i = 0; i < ARRAY_LEN(argvs); i++) {
        struct err err = { 0 };
        _cleanup_str_ struct str text = { 0 };
        strv_free(world.image.cmd);
        strv_free(world.image.entrypoint);
        world.image.cmd = words(argvs[i].image_cmd);
        world.image.entrypoint = words(argvs[i].image_entrypoint);
        web->entrypoint = command_of(argvs[i].entrypoint);
        web->command = command_of(argvs[i].command);
        _cleanup_(container_record_freep) struct container_record *record = record_of(argvs[i].argv ? 0 : -1, &err);
        if (!argvs[i].argv)
            continue;
        for (size_t j = 0; j < record->spec.process.argv.count; j++)
            str_addf(&text, "%s%s", j ? " " : "", record->spec.process.argv.items[j]);
        cr_expect_str_eq(str_text(&text), argvs[i].argv, "case %zu", i);
    }
}

Test(translate, environment_keeps_the_images_order_and_the_files_values)
{
    static struct kv own[] = { { .key = "B", .value = "file" }, { .key = "C", .value = "" }, { .key = "PATH", .value = "/x" } };
    struct err err = { 0 };
    world.image.env = strv_add(strv_add(NULL, "A=image"), "B=image");
    web->environment = (struct kv_list){ own, ARRAY_LEN(own) };
    _cleanup_(container_record_freep) struct container_record *record = record_of(0, &err);
    static const char *const expected[] = { "PATH=/x", "A=image", "B=file", "C=" };
    cr_assert_eq(record->spec.process.env.count, ARRAY_LEN(expected));
    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        cr_expect_str_eq(record->spec.process.env.items[i], expected[i]);
}

Test(translate, healthcheck_overrides_the_images_key_by_key)
{
    static const char *test[] = { "CMD", "ok", NULL };
    struct err err = { 0 };
    struct service_runtime runtime;
    world.image.healthcheck = (struct image_healthcheck){ .test = strv_add(strv_add(NULL, "CMD-SHELL"), "img"), .interval_us = 7000000,
                                                          .retries = 5 };
    web->healthcheck = (struct healthcheck){ .set = true, .timeout_us = { true, 1000000 } };
    _cleanup_(container_record_freep) struct container_record *record = record_of(0, &err);
    cr_assert_eq(service_runtime_parse(record->arena, record, &runtime, &err), 0, "%s", err.message);
    cr_expect(runtime.health.set);
    cr_expect_str_eq(runtime.health.test.items[1], "img");
    cr_expect_eq(runtime.health.interval_us, 7000000);
    cr_expect_eq(runtime.health.timeout_us, 1000000);
    cr_expect_eq(runtime.health.retries, 5);
    cr_expect_eq(runtime.health.start_interval_us, 5000000);

    web->healthcheck.test = (struct str_list){ test, 2 };
    _cleanup_(container_record_freep) struct container_record *own = record_of(0, &err);
    cr_assert_eq(service_runtime_parse(own->arena, own, &runtime, &err), 0);
    cr_expect_str_eq(runtime.health.test.items[1], "ok");

    web->healthcheck = (struct healthcheck){ .set = true, .disable = true };
    _cleanup_(container_record_freep) struct container_record *none = record_of(0, &err);
    cr_assert_eq(service_runtime_parse(none->arena, none, &runtime, &err), 0);
    cr_expect_not(runtime.health.set);
    free(world.image.healthcheck.test[0]);
    free(world.image.healthcheck.test[1]);
    free(world.image.healthcheck.test);
    world.image.healthcheck.test = NULL;
}

Test(translate, what_is_not_done_is_refused_by_name)
{
    static struct service fresh;
    static const char *options[] = { "frobnicate=1", NULL };
    static struct kv log_options[] = { { .key = "splunk-token", .value = "x" } };
    static struct ulimit limits[] = { { .name = "nofiles", .soft = 1, .hard = 2 } };
    static struct service_volume npipe[] = { { .type = SERVICE_VOLUME_NPIPE, .target = "/x" } };
    fresh = *web;
    struct { struct service change; const char *message; } cases[8];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        cases[i].change = fresh;
    cases[0].change.runtime = "crun";
    cases[0].message = "service 'web': runtime is not supported";
    cases[1].change.security_opt = (struct str_list){ options, 1 };
    cases[1].message = "service 'web': security_opt: 'frobnicate=1' is not supported";
    cases[2].change.logging.options = (struct kv_list){ log_options, 1 };
    cases[2].message = "service 'web': logging.options.splunk-token: 'x' is not supported (compress, env, labels, max-file, max-size, mode or tag)";
    cases[3].change.logging.driver = "gelf";
    cases[3].message = "service 'web': logging.driver: 'gelf' is not supported (json-file, local, none, journald or syslog)";
    cases[4].change.ulimits.items = limits;
    cases[4].change.ulimits.count = 1;
    cases[4].message = "service 'web': ulimits.nofiles: there is no such limit";
    cases[5].change.volumes.items = npipe;
    cases[5].change.volumes.count = 1;
    cases[5].message = "service 'web': volumes: type 'npipe' is not supported";
    cases[6].change.stop_signal = "SIGNAL";
    cases[6].message = "service 'web': stop_signal: 'SIGNAL' is no signal";
    cases[7].change.network_mode = "bridge";
    cases[7].message = "service 'web': network_mode: bridge is not supported";
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct err err = { 0 };
        *web = cases[i].change;
        container_record_free(record_of(-1, &err));
        cr_expect_str_eq(err.message, cases[i].message, "case %zu", i);
    }
}

static const struct spec_mount *mount_at(const struct container_record *record, const char *target)
{
    for (size_t i = 0; i < record->spec.mounts.count; i++)
        if (str_eq(record->spec.mounts.items[i].target, target))
            return &record->spec.mounts.items[i];
    return NULL;
}

Test(translate, mounts_come_from_volumes_binds_secrets_and_the_image)
{
    struct err err = { 0 };
    static struct file_object secrets[] = { { .key = "pw", .environment = "PW", .environment_value = "hidden" } };
    static struct file_ref refs[] = { { .source = "pw", .uid = "33", .mode = { true, 0400 } } };
    world_volume(&world, "data");
    world_mount(&world, web, "data", "/data");
    web->volumes.items[web->volumes.count++] = (struct service_volume){
        .type = SERVICE_VOLUME_BIND, .source = "/srv", .target = "/data/srv", .read_only = true };
    web->secrets.items = refs;
    web->secrets.count = 1;
    world.project.secrets.items = secrets;
    world.project.secrets.count = 1;
    world.image.volumes = strv_add(strv_add(NULL, "/var/lib/img"), "/data");
    _cleanup_(container_record_freep) struct container_record *record = record_of(0, &err);

    const struct spec_mount *data = mount_at(record, "/data"), *bind = mount_at(record, "/data/srv");
    const struct spec_mount *secret = mount_at(record, "/run/secrets/pw"), *anonymous = mount_at(record, "/var/lib/img");
    const struct spec_mount *hosts = mount_at(record, "/etc/hosts");
    cr_assert(data && bind && secret && anonymous && hosts);
    cr_expect_lt(data, bind, "a parent comes first");
    cr_expect_str_eq(data->source, "/nowhere/winch/lib/volumes/p_data/_data");
    cr_expect(data->idmap && data->exec && data->suid && !data->dev && !data->read_only);
    cr_expect(bind->read_only && bind->recursive && bind->idmap);
    cr_expect(secret->kind == MOUNT_FILE && secret->uid == 33 && secret->mode == 0400 && secret->content_size == 6);
    cr_expect(hosts->is_file && !hosts->idmap, "ours: the owner is changed instead");
    cr_expect(strlen(anonymous->source) > 64, "named by container and target");

    /* the successor takes the anonymous volume over, unless told not to */
    struct mount_needs needs;
    static char id[65];
    memset(id, 'd', 64);
    struct translate_input input = { .layout = &world.layout, .project = &world.project, .service = web, .number = 1, .id = id,
                                     .image = &world.image, .previous = record };
    cr_assert_eq(translate_mount_needs(&input, world.project.arena, &needs, &err), 0);
    cr_assert_eq(needs.count, 2);
    cr_expect(needs.items[1].carried);
    cr_expect_str_eq(needs.items[1].path, anonymous->source);
    input.renew_anon_volumes = true;
    cr_assert_eq(translate_mount_needs(&input, world.project.arena, &needs, &err), 0);
    cr_expect_not(needs.items[1].carried);
    cr_expect_str_neq(needs.items[1].path, anonymous->source);
}

Test(translate, an_unset_secret_variable_is_an_error)
{
    struct err err = { 0 };
    static struct file_object secrets[] = { { .key = "pw", .environment = "PW" } };
    static struct file_ref refs[] = { { .source = "pw" } };
    web->secrets.items = refs;
    web->secrets.count = 1;
    world.project.secrets.items = secrets;
    world.project.secrets.count = 1;
    container_record_free(record_of(-1, &err));
    cr_expect_str_eq(err.message, "service 'web': environment variable \"PW\" required by secret \"pw\" is not set");
}

Test(translate, the_sandbox_comes_back_out_of_the_record)
{
    struct err err = { 0 };
    struct sandbox_request request;
    struct service_runtime runtime;
    world_port(&world, web, 8080, 80);
    web->depends_on.items[web->depends_on.count++] =
        (struct depends_on){ .service = "db", .condition = DEPENDS_HEALTHY, .restart = true, .required = true };
    web->restart = (struct restart_policy){ .condition = RESTART_ON_FAILURE, .max_attempts = 3 };
    _cleanup_(container_record_freep) struct container_record *record = record_of(0, &err);
    cr_assert_eq(translate_sandbox(record, "/run/userns", &request, &err), 0, "%s", err.message);
    cr_expect_str_eq(request.service, "web");
    cr_expect_str_eq(request.userns, "/run/userns");
    cr_assert_eq(request.endpoint_count, 1);
    cr_expect_str_eq(request.endpoints[0].network, "p_default");
    cr_assert_eq(request.port_count, 1);
    cr_expect_eq(request.ports[0].host_first, 8080);
    sandbox_request_done(&request);

    cr_assert_eq(service_runtime_parse(record->arena, record, &runtime, &err), 0, "%s", err.message);
    cr_expect(runtime.own_network && str_eq(runtime.networks[0], "p_default") && !runtime.networks[1]);
    cr_expect(runtime.restart.condition == RESTART_ON_FAILURE && runtime.restart.max_attempts == 3);
    cr_expect(runtime.depends_count == 1 && runtime.depends[0].condition == DEPENDS_HEALTHY && runtime.depends[0].restart);
    cr_expect_eq(runtime.stop_grace_us, 10000000);
    cr_expect_eq(record->spec.stop_signal, SIGTERM);
    cr_expect_str_eq(jv_get_str(record->labels, "com.docker.compose.depends_on", ""), "db:service_healthy:true");
    cr_expect_str_eq(jv_get_str(record->labels, "com.docker.compose.oneoff", ""), "False");
}

Test(translate, host_network_has_no_sandbox)
{
    struct err err = { 0 };
    struct sandbox_request request;
    web->network_mode = "host";
    _cleanup_(container_record_freep) struct container_record *record = record_of(0, &err);
    cr_expect_eq(record->spec.net.mode, NS_HOST);
    cr_expect_eq(translate_sandbox(record, NULL, &request, &err), -1);
    cr_expect(translate_wants_host_userns(web));
}

static const struct { const char *old, *new_, *cause; } differences[] = {
    { "{\"image\":\"a\"}", "{\"image\":\"b\"}", "image changed" },
    { "{\"environment\":{\"A\":\"1\"}}", "{\"environment\":{\"A\":\"2\"}}", "environment.A changed" },
    { "{\"environment\":{\"A\":\"1\"}}", "{\"environment\":{\"A\":\"1\",\"B\":\"2\"}}", "environment.B added" },
    { "{\"ports\":[1],\"volumes\":[]}", "{\"ports\":[2]}", "ports changed" },
    { "{\"volumes\":[]}", "{}", "volumes removed" },
    { "{}", "{}", "configuration changed" },
};

Test(fingerprint, names_the_first_difference)
{
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    for (size_t i = 0; i < ARRAY_LEN(differences); i++) {
        _cleanup_jv_ struct jv *old = NULL, *new_ = NULL;
        cr_assert_eq(jv_parse(differences[i].old, strlen(differences[i].old), &old, NULL), 0);
        cr_assert_eq(jv_parse(differences[i].new_, strlen(differences[i].new_), &new_, NULL), 0);
        cr_expect_str_eq(definition_cause(arena, old, new_), differences[i].cause, "case %zu", i);
    }
}
