/* SPDX-License-Identifier: Apache-2.0 */
/* Plans of up, down and the verbs, as golden texts: the whole plan is the expectation. */
#include <criterion/criterion.h>

#include "base/mem.h"
#include "tests/unit/orchestrator/world.h"

static struct world world;
static struct service *db, *init, *web;

/* web → db (healthy), init (completed) → db (healthy); web → init (completed); db has a volume, web a port */
static void setup(void)
{
    world_init(&world);
    db = world_service(&world, "db");
    init = world_service(&world, "init");
    web = world_service(&world, "web");
    world_volume(&world, "data");
    world_mount(&world, db, "data", "/data");
    world_port(&world, web, 8080, 80);
    world_depends(&world, init, "db", DEPENDS_HEALTHY, false, true);
    world_depends(&world, web, "db", DEPENDS_HEALTHY, false, true);
    world_depends(&world, web, "init", DEPENDS_COMPLETED, false, true);
    world_image(&world, "sha256:aa");
}

static void teardown(void)
{
    world_done(&world);
}

TestSuite(reconcile, .init = setup, .fini = teardown);

static void is_up(void)
{
    world_networks(&world);
    world_volumes(&world);
    world_container(&world, db, 1, STATE_RUNNING);
    world_container(&world, init, 1, STATE_EXITED);
    world_container(&world, web, 1, STATE_RUNNING);
}

static void expect_up(const char *golden)
{
    struct err err = { 0 };
    _cleanup_(plan_freep) struct plan *plan = NULL;
    cr_assert_eq(plan_make_up(&world.project, &world.observed, &world.options, &plan, &err), 0, "%s", err.message);
    for (size_t i = 0; i < plan->count; i++)
        for (size_t j = 0; j < plan->ops[i].dep_count; j++)
            cr_expect_lt(plan->ops[i].deps[j], i, "%s: operation %zu depends on a later one", golden, i);
    _cleanup_free_ char *text = plan_text(plan);
    golden_expect(golden, text);
}

static void expect_error(enum err_code code, const char *message)
{
    struct err err = { 0 };
    struct plan *plan = NULL;
    cr_assert_eq(plan_make_up(&world.project, &world.observed, &world.options, &plan, &err), -1);
    cr_expect_eq(err.code, code, "%s", err.message);
    cr_expect_str_eq(err.message, message);
}

Test(reconcile, from_nothing)
{
    world_image(&world, NULL);
    expect_up("up-from-nothing");
}

Test(reconcile, unchanged_does_nothing)
{
    is_up();
    expect_up("up-unchanged");
}

Test(reconcile, a_changed_service_alone_is_made_again)
{
    world_define(&world, web, "old");
    is_up();
    world_define(&world, web, "new");
    expect_up("up-changed-environment");
}

Test(reconcile, a_changed_dependency_leaves_its_dependents_running)
{
    is_up();
    db->config_hash = "other";
    expect_up("up-changed-dependency");
}

Test(reconcile, restart_true_restarts_the_dependent)
{
    web->depends_on.items[0].restart = true;
    is_up();
    db->config_hash = "other";
    expect_up("up-restart-dependent");
}

Test(reconcile, several_changed_stop_in_reverse_order)
{
    is_up();
    world.options.force_recreate = true;
    expect_up("up-force-recreate");
}

Test(reconcile, a_new_image_makes_all_of_them_again)
{
    is_up();
    world_image(&world, "sha256:bb");
    expect_up("up-image-changed");
}

Test(reconcile, no_recreate_keeps_what_is_outdated)
{
    is_up();
    web->config_hash = "other";
    world.options.no_recreate = true;
    expect_up("up-no-recreate");
}

Test(reconcile, what_stopped_is_started_and_waits_again)
{
    is_up();
    for (size_t i = 0; i < world.observed.container_count; i++)
        world.observed.containers[i].status = (struct container_status){ .state = STATE_EXITED };
    expect_up("up-after-boot");
}

Test(reconcile, scale_up_continues_numbers)
{
    is_up();
    web->ports.count = 0;
    web->scale = 3;
    expect_up("up-scale-up");
}

Test(reconcile, scale_down_drops_obsolete_ones_first)
{
    world_networks(&world);
    world_volumes(&world);
    world_container(&world, db, 1, STATE_RUNNING);
    world_container(&world, init, 1, STATE_EXITED);
    web->config_hash = "old";
    world_container(&world, web, 1, STATE_RUNNING);
    web->config_hash = "new";
    world_container(&world, web, 2, STATE_RUNNING);
    world_container(&world, web, 3, STATE_RUNNING);
    web->scale = 1;
    expect_up("up-scale-down");
}

Test(reconcile, a_changed_network_is_made_again_below_its_containers)
{
    is_up();
    world.project.networks.items[0].config_hash = "n2";
    expect_up("up-network-changed");
}

Test(reconcile, a_changed_volume_keeps_its_data_and_says_so)
{
    is_up();
    world.project.volumes.items[0].config_hash = "v2";
    expect_up("up-volume-changed");
}

Test(reconcile, orphans_are_named_or_removed)
{
    is_up();
    struct service gone = *db;
    gone.name = "gone";
    gone.volumes.count = 0;
    world_container(&world, &gone, 1, STATE_RUNNING);
    expect_up("up-orphan-kept");
    world.options.remove_orphans = true;
    expect_up("up-orphan-removed");
}

Test(reconcile, selected_services_bring_their_dependencies)
{
    static const char *const only_init[] = { "init", NULL };
    world.options.services = only_init;
    expect_up("up-selected");
    world.options.no_deps = true;
    expect_up("up-selected-no-deps");
}

Test(reconcile, an_optional_dependency_is_waited_for_but_not_needed)
{
    web->depends_on.items[0].required = false;
    web->depends_on.items[0].condition = DEPENDS_STARTED;
    world_networks(&world);
    world_volumes(&world);
    expect_up("up-optional");
}

Test(reconcile, sharing_follows)
{
    web->network_mode = "service:db";
    web->ports.count = 0;
    is_up();
    db->config_hash = "other";
    expect_up("up-shared-namespace");
}

Test(reconcile, what_shares_with_a_started_one_is_restarted)
{
    web->network_mode = "service:db";
    web->ports.count = 0;
    is_up();
    world.observed.containers[0].status.state = STATE_EXITED;
    expect_up("up-shared-started");
}

Test(reconcile, images_are_pulled_once_and_by_policy)
{
    is_up();
    world.options.pull = "always";
    expect_up("up-pull-always");
    world.options.images_done = true;
    expect_up("up-unchanged");
}

Test(reconcile, mistakes_are_named)
{
    static const char *const unknown[] = { "wbe", NULL };
    static const char *const scale[] = { "web=x", NULL };
    world.options.services = unknown;
    expect_error(ERR_CONFIG, "no such service: wbe");
    world.options.services = NULL;
    world.options.scale = scale;
    expect_error(ERR_CONFIG, "--scale 'web=x': expected SERVICE=NUMBER");
    world.options.scale = NULL;
    world_depends(&world, db, "web", DEPENDS_STARTED, false, true);
    expect_error(ERR_CONFIG, "dependency cycle detected: db -> web -> db");
    db->depends_on.count = 0;
    world.project.networks.items[0].external = true;
    expect_error(ERR_CONFIG, "network p_default declared as external, but could not be found");
    world.project.networks.items[0].external = false;
    world.project.volumes.items[0].external = true;
    expect_error(ERR_CONFIG, "external volume \"p_data\" not found");
    world.project.volumes.items[0].external = false;
    web->pull_policy = "never";
    world_image(&world, NULL);
    db->pull_policy = init->pull_policy = "never";
    expect_error(ERR_NOT_FOUND, "service 'db': no such image: img");
    world_image(&world, "sha256:aa");
    web->provider.set = true;
    expect_error(ERR_UNSUPPORTED, "service 'web': provider is not supported");
}

/* ---- down and the verbs ---- */

static void expect_down(const struct project *desired, const char *golden)
{
    struct err err = { 0 };
    _cleanup_(plan_freep) struct plan *plan = NULL;
    cr_assert_eq(plan_make_down(desired, &world.observed, &world.options, &plan, &err), 0, "%s", err.message);
    _cleanup_free_ char *text = plan_text(plan);
    golden_expect(golden, text);
}

Test(reconcile, down_goes_in_reverse_with_and_without_a_file)
{
    is_up();
    expect_down(&world.project, "down");
    expect_down(NULL, "down");
    world.options.volumes = true;
    expect_down(&world.project, "down-volumes");
    static const char *const only_web[] = { "web", NULL };
    world.options.services = only_web;
    expect_down(&world.project, "down-selected");
}

Test(reconcile, down_never_removes_an_external_volume)
{
    is_up();
    world.project.volumes.items[0].external = true;
    world.options.volumes = true;
    expect_down(&world.project, "down");
}

static void expect_verb(enum op_kind verb, const char *golden)
{
    struct err err = { 0 };
    _cleanup_(plan_freep) struct plan *plan = NULL;
    cr_assert_eq(plan_make_verb(verb, &world.project, &world.observed, &world.options, &plan, &err), 0, "%s", err.message);
    _cleanup_free_ char *text = plan_text(plan);
    golden_expect(golden, text);
}

Test(reconcile, verbs)
{
    is_up();
    expect_verb(OP_CONTAINER_STOP, "verb-stop");
    expect_verb(OP_CONTAINER_KILL, "verb-kill");
    expect_verb(OP_CONTAINER_RESTART, "verb-restart");
    expect_verb(OP_CONTAINER_REMOVE, "verb-rm");
    expect_verb(OP_CONTAINER_PAUSE, "verb-pause");
    expect_verb(OP_CONTAINER_UNPAUSE, "verb-none");
    for (size_t i = 0; i < world.observed.container_count; i++)
        world.observed.containers[i].status.state = STATE_PAUSED;
    expect_verb(OP_CONTAINER_PAUSE, "verb-none");
    expect_verb(OP_CONTAINER_UNPAUSE, "verb-unpause");
    for (size_t i = 0; i < world.observed.container_count; i++)
        world.observed.containers[i].status.state = STATE_EXITED;
    expect_verb(OP_CONTAINER_START, "verb-start");
}

Test(reconcile, a_plan_as_json_names_operations_and_predecessors)
{
    struct err err = { 0 };
    _cleanup_(plan_freep) struct plan *plan = NULL;
    static const char *const only_db[] = { "db", NULL };
    world.options.services = only_db;
    cr_assert_eq(plan_make_up(&world.project, &world.observed, &world.options, &plan, &err), 0, "%s", err.message);
    _cleanup_jv_ struct jv *value = plan_to_json(plan);
    _cleanup_free_ char *pretty = jv_dump_pretty(value, false);
    _cleanup_free_ char *text = xasprintf("%s\n", pretty);
    golden_expect("up-json", text);
}
