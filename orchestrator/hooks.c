/* SPDX-License-Identifier: Apache-2.0 */
/* hooks.c - post_start and pre_stop: commands run inside the container, one after the other; the first failure ends the row. */
#include "base/proc.h"
#include "orchestrator/supervisor.h"

struct hooks_run {
    bool post_start;
    size_t index;
    hooks_done_fn *done;
    void *arg;
};

static void next_hook(struct unit *unit, struct hooks_run *run);

static const char *hooks_name(const struct hooks_run *run)
{
    return run->post_start ? "post_start" : "pre_stop";
}

static void hooks_end(struct hooks_run *run, const struct err *error)
{
    run->done(error, run->arg);
    free(run);
}

static void hook_done(struct unit *unit, const struct monitor_message *result, const struct err *error, void *arg)
{
    struct hooks_run *run = arg;
    struct err err = { 0 };
    if (error) {
        (void)err_copy(&err, error);
        (void)err_wrap(&err, "%s hook %zu", hooks_name(run), run->index);
        hooks_end(run, &err);
        return;
    }
    int code = proc_exit_code(result->wait_status);
    if (code != 0) {
        (void)err_set(&err, ERR_FAILED, "%s hook exited with status %d%s%.*s", hooks_name(run), code,
                      result->text_size ? ": " : "", (int)MIN(result->text_size, sizeof(result->text)), result->text);
        hooks_end(run, &err);
        return;
    }
    run->index++;
    next_hook(unit, run);
}

/* The container's environment with the hook's own on top: a later entry of the same name wins when a process reads it, so
 * replaced ones are left out. */
static struct spec_strings merged_env(struct arena *arena, const struct spec_strings *base, const struct spec_strings *own)
{
    struct spec_strings env = { arena_alloc(arena, (base->count + own->count + 1) * sizeof(char *)), 0 };
    for (size_t i = 0; i < base->count; i++) {
        size_t name = strcspn(base->items[i], "=");
        bool replaced = false;
        for (size_t j = 0; j < own->count; j++)
            replaced |= strncmp(own->items[j], base->items[i], name) == 0 && own->items[j][name] == '=';
        if (!replaced)
            env.items[env.count++] = base->items[i];
    }
    for (size_t j = 0; j < own->count; j++)
        env.items[env.count++] = own->items[j];
    return env;
}

static void next_hook(struct unit *unit, struct hooks_run *run)
{
    size_t count = run->post_start ? unit->runtime.post_start_count : unit->runtime.pre_stop_count;
    if (run->index >= count) {
        hooks_end(run, NULL);
        return;
    }
    const struct runtime_hook *hook = run->post_start ? &unit->runtime.post_start[run->index] : &unit->runtime.pre_stop[run->index];
    _cleanup_(arena_freep) struct arena *arena = arena_new();
    struct exec_spec spec = { .process = unit->record->spec.process,
                              .capture = true,
                              .privileged = hook->privileged || unit->record->spec.privileged };
    spec.process.tty = false;
    spec.process.argv = hook->command;
    spec.process.env = merged_env(arena, &spec.process.env, &hook->environment);
    if (hook->user)
        spec.process.user = hook->user;
    if (hook->working_dir)
        spec.process.cwd = hook->working_dir;
    struct err err = { 0 };
    if (unit_exec_run(unit, &spec, hook_done, run, &err) < 0)
        hooks_end(run, &err);
}

void hooks_run(struct unit *unit, bool post_start, hooks_done_fn *done, void *arg)
{
    struct hooks_run *run = xcalloc(1, sizeof(*run));
    *run = (struct hooks_run){ .post_start = post_start, .done = done, .arg = arg };
    next_hook(unit, run);
}
