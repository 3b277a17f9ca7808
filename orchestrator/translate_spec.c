/* SPDX-License-Identifier: Apache-2.0 */
/* One replica of a service and its image → the durable record: identity, labels, process, confinement. The rules
 * of precedence between image and file are docker's; what cannot be done is refused here by name, before anything exists. */
#include "orchestrator/translate_parts.h"

#include <signal.h>

#include "base/id.h"
#include "base/proc.h"
#include "base/str.h"

#define PATH_DEFAULT "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

const char *container_name_for(struct arena *arena, const struct project *project, const struct service *service, int64_t number)
{
    if (service->container_name && service->container_name[0])
        return service->container_name;
    return arena_printf(arena, "%s-%s-%lld", project->name, service->name, (long long)number);
}

struct spec_strings spec_strings_copy(struct arena *arena, const char *const *items, size_t count)
{
    struct spec_strings list = { .items = arena_alloc(arena, (count + 1) * sizeof(*list.items)), .count = count };
    for (size_t i = 0; i < count; i++)
        list.items[i] = arena_strdup(arena, items[i]);
    return list;
}

void spec_strings_add(struct arena *arena, struct spec_strings *list, const char *text)
{
    const char **items = arena_alloc(arena, (list->count + 2) * sizeof(*items));
    if (list->count)
        memcpy(items, list->items, list->count * sizeof(*items));
    items[list->count++] = arena_strdup(arena, text);
    list->items = items;
}

static void strings_add_all(struct arena *arena, struct spec_strings *list, const char *const *items)
{
    for (size_t i = 0; items && items[i]; i++)
        spec_strings_add(arena, list, items[i]);
}

/* ---- process ---- */

/* entrypoint given: the image's CMD is dropped with its ENTRYPOINT. Nothing left at all: CMD after all, as docker does. */
static int argv_make(const struct translate_input *input, struct arena *arena, struct spec_strings *ret_argv, struct err *err)
{
    const struct service *service = input->service;
    const char *const *cmd = (const char *const *)input->image->cmd;
    struct spec_strings argv = { 0 };
    if (service->entrypoint.set)
        strings_add_all(arena, &argv, service->entrypoint.argv.items);
    else
        strings_add_all(arena, &argv, (const char *const *)input->image->entrypoint);
    if (service->command.set)
        strings_add_all(arena, &argv, service->command.argv.items);
    else if (!service->entrypoint.set)
        strings_add_all(arena, &argv, cmd);
    if (!argv.count)
        strings_add_all(arena, &argv, cmd);
    if (!argv.count || !argv.items[0][0])
        return err_set(err, ERR_CONFIG, "no command: neither the file nor the image '%s' says what to run",
                       service->image ? service->image : "");
    *ret_argv = argv;
    return 0;
}

static void env_set(struct arena *arena, struct spec_strings *env, const char *key, size_t key_size, const char *entry)
{
    for (size_t i = 0; i < env->count; i++) {
        if (strncmp(env->items[i], key, key_size) == 0 && env->items[i][key_size] == '=') {
            env->items[i] = arena_strdup(arena, entry);
            return;
        }
    }
    env->items[env->count++] = arena_strdup(arena, entry);
}

static struct spec_strings env_make(const struct translate_input *input, struct arena *arena)
{
    size_t image_count = strv_len(input->image->env), own_count = input->service->environment.count;
    struct spec_strings env = { .items = arena_alloc(arena, (image_count + own_count + 2) * sizeof(*env.items)) };
    env_set(arena, &env, "PATH", 4, PATH_DEFAULT);
    for (size_t i = 0; i < image_count; i++) {
        const char *entry = input->image->env[i];
        const char *sign = strchr(entry, '=');
        if (sign && sign != entry)
            env_set(arena, &env, entry, (size_t)(sign - entry), entry);
    }
    for (size_t i = 0; i < own_count; i++) {
        const struct kv *pair = &input->service->environment.items[i];
        if (pair->value)
            env_set(arena, &env, pair->key, strlen(pair->key), arena_printf(arena, "%s=%s", pair->key, pair->value));
    }
    return env;
}

int translate_process(const struct translate_input *input, struct container_record *record, struct err *err)
{
    const struct service *service = input->service;
    const struct image *image = input->image;
    struct arena *arena = record->arena;
    struct spec_process *process = &record->spec.process;
    if (argv_make(input, arena, &process->argv, err) < 0)
        return -1;
    process->env = env_make(input, arena);
    const char *cwd = service->working_dir && service->working_dir[0] ? service->working_dir : image->workdir;
    process->cwd = arena_strdup(arena, cwd && cwd[0] ? cwd : "/");
    if (process->cwd[0] != '/')
        return err_set(err, ERR_CONFIG, "working_dir: '%s' is not absolute", process->cwd);
    const char *user = service->user && service->user[0] ? service->user : image->user;
    process->user = user && user[0] ? arena_strdup(arena, user) : NULL;
    process->groups = spec_strings_copy(arena, service->group_add.items, service->group_add.count);
    process->tty = service->tty.value;
    process->oom_score_adj = service->oom_score_adj.value;
    record->spec.init = service->init.value;
    record->spec.stdin_open = service->stdin_open.value;

    const char *word = service->stop_signal && service->stop_signal[0] ? service->stop_signal : image->stop_signal;
    int signo = word && word[0] ? signal_parse(word) : SIGTERM;
    if (signo <= 0)
        return err_set(err, ERR_CONFIG, "stop_signal: '%s' is no signal", word);
    record->spec.stop_signal = signo;
    return 0;
}

/* ---- labels ---- */

static char *depends_label(const struct service *service)
{
    struct str text = { 0 };
    for (size_t i = 0; i < service->depends_on.count; i++) {
        const struct depends_on *depends = &service->depends_on.items[i];
        str_addf(&text, "%s%s:%s:%s", i ? "," : "", depends->service, depends_condition_text(depends->condition),
                 depends->restart ? "true" : "false");
    }
    return str_take(&text);
}

static char *list_label(const struct str_list *list)
{
    struct str text = { 0 };
    for (size_t i = 0; i < list->count; i++)
        str_addf(&text, "%s%s", i ? "," : "", list->items[i]);
    return str_take(&text);
}

static struct jv *labels_make(const struct translate_input *input)
{
    const struct service *service = input->service;
    const struct project *project = input->project;
    struct jv *labels = input->image->labels ? jv_copy_deep(input->image->labels) : jv_object();
    for (size_t i = 0; i < service->labels.count; i++)
        jv_set_str(labels, service->labels.items[i].key, service->labels.items[i].value ? service->labels.items[i].value : "");

    _cleanup_free_ char *depends = depends_label(service);
    _cleanup_free_ char *files = list_label(&project->config_files);
    _cleanup_free_ char *env_files = list_label(&project->env_files);
    _cleanup_free_ char *number = xasprintf("%lld", (long long)input->number);
    const struct { const char *key, *value; } own[] = {
        { LABEL_PREFIX "project", project->name },
        { LABEL_PREFIX "service", service->name },
        { LABEL_PREFIX "container-number", number },
        { LABEL_PREFIX "oneoff", input->oneoff ? "True" : "False" },
        { LABEL_PREFIX "config-hash", service->config_hash },
        { LABEL_PREFIX "image", input->image->id },
        { LABEL_PREFIX "depends_on", depends },
        { LABEL_PREFIX "project.config_files", files },
        { LABEL_PREFIX "project.working_dir", project->working_dir },
        { LABEL_PREFIX "project.environment_file", env_files[0] ? env_files : NULL },
        { LABEL_PREFIX "version", WINCH_VERSION },
    };
    for (size_t i = 0; i < ARRAY_LEN(own); i++)
        jv_set_str(labels, own[i].key, own[i].value);
    return labels;
}

/* ---- the whole ---- */

/* "/a/b", "a/b" → "a/b"; "a-b.slice", as systemd names its groups, → "a.slice/a-b.slice". */
static const char *cgroup_parent_path(struct arena *arena, const char *parent)
{
    static const char suffix[] = ".slice";
    const size_t tail = sizeof(suffix) - 1;
    parent += strspn(parent, "/");
    size_t size = strlen(parent);
    if (strchr(parent, '/') || size <= tail || !str_eq(parent + size - tail, suffix))
        return parent;
    size -= tail;
    const char *path = NULL;
    for (size_t i = 1; i <= size; i++)
        if (parent[i] == '-' || i == size)
            path = arena_printf(arena, "%s%s%.*s%s", path ? path : "", path ? "/" : "", (int)i, parent, suffix);
    return path ? path : parent;
}

static void identity(const struct translate_input *input, struct container_record *record)
{
    struct arena *arena = record->arena;
    struct container_spec *spec = &record->spec;
    const struct service *service = input->service;
    char instance[32];
    record->id = arena_strdup(arena, input->id);
    record->name = arena_strdup(arena, input->oneoff ? input->oneoff->name
                                                     : container_name_for(arena, input->project, service, input->number));
    record->oneoff = input->oneoff != NULL;
    record->project = arena_strdup(arena, input->project->name);
    record->service = arena_strdup(arena, service->name);
    record->number = input->number;
    const char *reference = input->image_reference ? input->image_reference : service->image;
    record->image = arena_strdup(arena, reference ? reference : input->image->id);
    record->image_id = arena_strdup(arena, input->image->id);
    record->created_ns = input->created_ns;
    record->want_running = true;

    spec->version = SPEC_VERSION;
    spec->id = record->id;
    spec->name = record->name;
    spec->hostname = service->hostname && service->hostname[0] ? arena_strdup(arena, service->hostname) : NULL;
    spec->domainname = service->domainname && service->domainname[0] ? arena_strdup(arena, service->domainname) : NULL;
    spec->layers = spec_strings_copy(arena, (const char *const *)input->image->layers, strv_len(input->image->layers));
    _cleanup_free_ char *state_dir = layout_lib(input->layout, "containers/%s", input->id);
    _cleanup_free_ char *run_dir = layout_run(input->layout, "containers/%s", input->id);
    spec->state_dir = arena_strdup(arena, state_dir);
    spec->run_dir = arena_strdup(arena, run_dir);
    spec->read_only = service->read_only.value;
    spec->shm_bytes = str_eq(service->ipc, "none") ? -1 : service->shm_bytes.value;
    const char *ours = layout_instance_name(input->layout, instance, sizeof(instance));
    const char *parent = service->cgroup_parent && service->cgroup_parent[0] ? service->cgroup_parent : NULL;
    if (parent)
        spec->cgroup_path = arena_printf(arena, "%s/%s-%s", cgroup_parent_path(arena, parent), ours, input->id);
    else
        spec->cgroup_path = arena_printf(arena, "%s/%s/%s", ours, input->project->name, input->id);
    spec->annotations.items = service->annotations.count
                                  ? arena_alloc(arena, service->annotations.count * sizeof(*spec->annotations.items)) : NULL;
    for (size_t i = 0; i < service->annotations.count; i++)
        spec->annotations.items[spec->annotations.count++] = (struct spec_pair){
            arena_strdup(arena, service->annotations.items[i].key),
            arena_strdup(arena, service->annotations.items[i].value ? service->annotations.items[i].value : ""),
        };
    if (input->id_base >= 0) {
        spec->id_base = input->id_base;
        spec->id_count = ID_RANGE_COUNT;
    }
}

int translate_record(const struct translate_input *input, const struct mount_needs *needs, struct container_record **ret_record,
                     struct err *err)
{
    _cleanup_(container_record_freep) struct container_record *record = container_record_new();
    _cleanup_jv_ struct jv *data = jv_object();

    if (translate_supported(input->project, input->service, err) < 0)
        return -1;
    identity(input, record);
    if (translate_process(input, record, err) < 0 || translate_security(input, record, err) < 0 ||
        translate_limits(input, record, err) < 0 || translate_log(input, record, err) < 0 ||
        translate_mounts(input, needs, record, data, err) < 0 || translate_network_part(input, record, data, err) < 0)
        return err_wrap(err, "service '%s'", input->service->name);
    translate_runtime(input, needs, data);
    jv_set_bool(data, "auto_remove", input->oneoff && input->oneoff->auto_remove);
    record->labels = labels_make(input);
    record->service_data = take_ptr(&data);
    *ret_record = take_ptr(&record);
    return 0;
}
