/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_inspect.c - inspect: what is known of containers, as one JSON array in the shape that docker's has, so that scripts
 * find what they look for. The content of secrets and configs is no part of it. */
#include "cli/cli.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/proc.h"
#include "base/str.h"

const struct option_row inspect_options[] = {{0}};

static void set_time(struct jv *object, const char *key, int64_t wall_ns)
{
    char text[RFC3339_SIZE];

    jv_set_str(object, key, wall_ns > 0 ? rfc3339_format_ns(wall_ns, text, sizeof(text)) : "0001-01-01T00:00:00Z");
}

static struct jv *strings_json(const struct spec_strings *list, size_t first)
{
    struct jv *array = jv_array();

    for (size_t i = first; i < list->count; i++)
        jv_add(array, jv_string(list->items[i]));
    return array;
}

static struct jv *state_json(const struct observed_container *container)
{
    const struct container_status *status = &container->status;
    enum container_state state = observed_state(container);
    struct jv *json = jv_object(), *health = jv_object();

    jv_set_str(json, "Status", container_state_text(state));
    jv_set_bool(json, "Running", state == STATE_RUNNING || state == STATE_PAUSED);
    jv_set_bool(json, "Paused", state == STATE_PAUSED);
    jv_set_bool(json, "Restarting", state == STATE_RESTARTING);
    jv_set_bool(json, "OOMKilled", status->oom);
    jv_set_bool(json, "Dead", state == STATE_DEAD);
    jv_set_int(json, "Pid", status->pid);
    jv_set_int(json, "ExitCode", state == STATE_RUNNING || state == STATE_PAUSED || state == STATE_CREATED ? 0 : status->exit_code);
    jv_set_str(json, "Error", status->error);
    set_time(json, "StartedAt", status->started_ns);
    set_time(json, "FinishedAt", status->finished_ns);
    if (container->supervise.health != HEALTH_NONE) {
        jv_set_str(health, "Status", health_state_text(container->supervise.health));
        jv_set_int(health, "FailingStreak", container->supervise.failing_streak);
        jv_set(json, "Health", health);
    } else {
        jv_free(health);
    }
    return json;
}

static struct jv *config_json(const struct container_record *record)
{
    const struct container_spec *spec = &record->spec;
    struct jv *json = jv_object();
    char short_id[ID_SHORT_SIZE];

    id_short(record->id, short_id);
    jv_set_str(json, "Hostname", spec->hostname ? spec->hostname : short_id);
    jv_set_str(json, "Domainname", spec->domainname ? spec->domainname : "");
    jv_set_str(json, "User", spec->process.user ? spec->process.user : "");
    jv_set_bool(json, "Tty", spec->process.tty);
    jv_set_bool(json, "OpenStdin", spec->stdin_open);
    jv_set(json, "Env", strings_json(&spec->process.env, 0));
    jv_set(json, "Cmd", strings_json(&spec->process.argv, 0));
    jv_set_str(json, "Image", record->image);
    jv_set_str(json, "WorkingDir", spec->process.cwd ? spec->process.cwd : "/");
    jv_set(json, "Labels", record->labels ? jv_copy_deep(record->labels) : jv_object());
    jv_set_str(json, "StopSignal", signal_name(spec->stop_signal ? (int)spec->stop_signal : 15));
    return json;
}

static struct jv *host_config_json(const struct container_record *record)
{
    const struct spec_resources *resources = &record->spec.resources;
    struct jv *json = jv_object(), *restart = jv_object(), *caps = jv_array();

    jv_set_int(json, "Memory", resources->memory_max);
    jv_set_int(json, "MemoryReservation", resources->memory_reservation);
    jv_set_int(json, "MemorySwap", resources->memory_swap);
    jv_set_int(json, "CpuShares", resources->cpu_shares);
    jv_set_int(json, "CpuQuota", resources->cpu_quota_us);
    jv_set_int(json, "CpuPeriod", resources->cpu_period_us);
    jv_set_str(json, "CpusetCpus", resources->cpuset_cpus ? resources->cpuset_cpus : "");
    jv_set_int(json, "PidsLimit", resources->pids_max);
    jv_set_bool(json, "Privileged", record->spec.privileged);
    jv_set_bool(json, "ReadonlyRootfs", record->spec.read_only);
    jv_set_bool(json, "Init", record->spec.init);
    jv_set_bool(json, "AutoRemove", jv_get_bool(record->service_data, "auto_remove", false));
    jv_set_int(json, "ShmSize", record->spec.shm_bytes ? record->spec.shm_bytes : 64 << 20);
    jv_set_str(restart, "Name", jv_get_str(jv_find(record->service_data, "restart"), "condition", "no"));
    jv_set_int(restart, "MaximumRetryCount", jv_get_int(jv_find(record->service_data, "restart"), "max_attempts", 0));
    jv_set(json, "RestartPolicy", restart);
    for (int i = 0; spec_capability_name(i); i++)
        if (record->spec.process.capabilities >> i & 1)
            jv_add(caps, jv_string(spec_capability_name(i)));
    jv_set(json, "Capabilities", caps); /* ours: all that it has, not what was added */
    return json;
}

static struct jv *mounts_json(const struct container_record *record)
{
    static const char *const kinds[] = {[MOUNT_BIND] = "bind", [MOUNT_TMPFS] = "tmpfs"};
    const struct jv *volumes = jv_find(record->service_data, "volumes");
    struct jv *array = jv_array();

    for (size_t i = 0; i < record->spec.mounts.count; i++) {
        const struct spec_mount *mount = &record->spec.mounts.items[i];
        const char *name = NULL;
        if ((mount->kind != MOUNT_BIND && mount->kind != MOUNT_TMPFS) ||
            (mount->kind == MOUNT_BIND && str_has_prefix(mount->source, record->spec.run_dir)))
            continue;
        for (size_t j = 0; j < jv_count(volumes); j++)
            if (str_eq(jv_get_str(jv_at(volumes, j), "target", NULL), mount->target))
                name = jv_get_str(jv_at(volumes, j), "name", NULL);
        struct jv *json = jv_object();
        jv_set_str(json, "Type", name ? "volume" : kinds[mount->kind]);
        if (name)
            jv_set_str(json, "Name", name);
        jv_set_str(json, "Source", mount->source ? mount->source : "");
        jv_set_str(json, "Destination", mount->target);
        jv_set_bool(json, "RW", !mount->read_only);
        jv_add(array, json);
    }
    return array;
}

static struct jv *network_json(const struct observed_container *container)
{
    struct jv *json = jv_object(), *networks = jv_object();
    struct sandbox_info sandbox = {0};

    if (container->status.pid > 0 && container->record->network)
        (void)sandbox_info_from_json(container->record->network, &sandbox, NULL); /* none then */
    for (size_t i = 0; i < sandbox.endpoint_count; i++) {
        const struct endpoint_info *endpoint = &sandbox.endpoints[i];
        struct jv *one = jv_object();
        jv_set_str(one, "IPAddress", endpoint->ipv4 ? endpoint->ipv4 : "");
        jv_set_int(one, "IPPrefixLen", endpoint->prefix4);
        jv_set_str(one, "GlobalIPv6Address", endpoint->ipv6 ? endpoint->ipv6 : "");
        jv_set_str(one, "Gateway", endpoint->gateway ? endpoint->gateway : "");
        jv_set_str(one, "MacAddress", endpoint->mac ? endpoint->mac : "");
        jv_set(networks, endpoint->network, one);
    }
    jv_set_str(json, "SandboxKey", sandbox.netns ? sandbox.netns : "");
    jv_set(json, "Networks", networks);
    sandbox_info_done(&sandbox);
    return json;
}

static struct jv *container_json(const struct observed_container *container)
{
    const struct container_record *record = container->record;
    const struct spec_strings *argv = &record->spec.process.argv;
    _cleanup_free_ char *name = xasprintf("/%s", record->name);
    struct jv *json = jv_object();

    jv_set_str(json, "Id", record->id);
    set_time(json, "Created", record->created_ns);
    jv_set_str(json, "Path", argv->count ? argv->items[0] : "");
    jv_set(json, "Args", strings_json(argv, 1));
    jv_set(json, "State", state_json(container));
    jv_set_str(json, "Image", record->image_id);
    jv_set_str(json, "Name", name);
    jv_set_int(json, "RestartCount", container->supervise.restart_count);
    jv_set(json, "HostConfig", host_config_json(record));
    jv_set(json, "Mounts", mounts_json(record));
    jv_set(json, "Config", config_json(record));
    jv_set(json, "NetworkSettings", network_json(container));
    return json;
}

/* A service means all its containers; a container is named, or by its id or the beginning of that. */
static bool is_meant(const struct container_record *record, const char *word)
{
    return str_eq(record->service, word) || str_eq(record->name, word) ||
           (strlen(word) >= 6 && str_has_prefix(record->id, word));
}

int cmd_inspect(struct cli *cli, int argc, char **argv)
{
    struct project *project = NULL;
    struct observed observed = {0};
    _cleanup_free_ char *name = NULL, *text = NULL;
    _cleanup_jv_ struct jv *array = jv_array();
    struct err err = {0};
    int first, code, unused = 0;

    if (cli_options(cli, argc, argv, false, &unused, &first, &code) < 0)
        return code;
    if (first == argc) {
        err_set(&err, ERR_USAGE, "inspect needs a service or a container");
        return cli_error(&err);
    }
    if (project_observe(cli, (char *[]){NULL}, &project, &name, &observed, &code) < 0)
        return code;
    for (char **word = argv + first; *word && !err.code; word++) {
        size_t before = jv_count(array);
        for (size_t i = 0; i < observed.container_count; i++)
            if (is_meant(observed.containers[i].record, *word))
                jv_add(array, container_json(&observed.containers[i]));
        if (jv_count(array) == before)
            err_set(&err, ERR_NOT_FOUND, "no such service or container: %s", *word);
    }
    text = jv_dump(array);
    if (!err.code)
        puts(text);
    observed_done(&observed);
    project_free(project);
    return err.code ? cli_error(&err) : EXIT_OK;
}
