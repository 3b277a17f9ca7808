/* SPDX-License-Identifier: Apache-2.0 */
/* The table of verbs, and those that make or start processes. */
#include "engine/oci/verbs.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "engine/oci/hooks.h"
#include "engine/oci/launch.h"

#define OPT(field) offsetof(struct oci_options, field)
#define BUNDLE_ROWS                                                                                                                \
    {'b', "bundle", OPTION_STRING, OPT(bundle), "DIR", "folder of config.json (default: here)"},                                    \
        {0, "console-socket", OPTION_STRING, OPT(console_socket), "PATH", "socket that gets the terminal"},                        \
        {0, "pid-file", OPTION_STRING, OPT(pid_file), "FILE", "write the first process's pid there"},                              \
        {0, "preserve-fds", OPTION_INT, OPT(preserve_fds), "N", "pass N descriptors from 3 on"},                                   \
        {0, "no-pivot", OPTION_FLAG, OPT(no_pivot), NULL, "move the root instead of pivot_root"},                                  \
        {0, "no-new-keyring", OPTION_FLAG, OPT(no_new_keyring), NULL, "keep the session keyring"}

static const struct option_row create_rows[] = {BUNDLE_ROWS, {0}};
static const struct option_row run_rows[] = {
    BUNDLE_ROWS,
    {'d', "detach", OPTION_FLAG, OPT(detach), NULL, "return when it runs"},
    {0, "keep", OPTION_FLAG, OPT(keep), NULL, "do not delete it when it ends"},
    {0},
};
static const struct option_row exec_rows[] = {
    {0, "console-socket", OPTION_STRING, OPT(console_socket), "PATH", "socket that gets the terminal"},
    {0, "pid-file", OPTION_STRING, OPT(pid_file), "FILE", "write the process's pid there"},
    {'p', "process", OPTION_STRING, OPT(process), "FILE", "process.json in the form of config.json's `process`"},
    {'d', "detach", OPTION_FLAG, OPT(detach), NULL, "return when it runs"},
    {'t', "tty", OPTION_FLAG, OPT(tty), NULL, "with a terminal"},
    {'u', "user", OPTION_STRING, OPT(user), "UID[:GID]", "as this user"},
    {0, "cwd", OPTION_STRING, OPT(cwd), "DIR", "working directory"},
    {'e', "env", OPTION_LIST, OPT(env), "NAME=VALUE", "add to the environment"},
    {'c', "cap", OPTION_LIST, OPT(caps), "NAME", "add a capability"},
    {0, "no-new-privs", OPTION_FLAG, OPT(no_new_privs), NULL, "gain nothing by execve"},
    {0, "preserve-fds", OPTION_INT, OPT(preserve_fds), "N", "pass N descriptors from 3 on"},
    {0},
};
static const struct option_row kill_rows[] = {{'a', "all", OPTION_FLAG, OPT(all), NULL, "every process"}, {0}};
static const struct option_row delete_rows[] = {{'f', "force", OPTION_FLAG, OPT(force), NULL, "kill it first"}, {0}};
static const struct option_row list_rows[] = {
    {'f', "format", OPTION_STRING, OPT(format), "WORD", "table or json"},
    {'q', "quiet", OPTION_FLAG, OPT(quiet), NULL, "names only"},
    {0},
};
static const struct option_row format_rows[] = {{'f', "format", OPTION_STRING, OPT(format), "WORD", "table or json"}, {0}};
static const struct option_row spec_rows[] = {{'b', "bundle", OPTION_STRING, OPT(bundle), "DIR", "write config.json there"}, {0}};
static const struct option_row no_rows[] = {{0}};

const struct oci_verb oci_verbs[] = {
    {"create", oci_create, 1, 1, false, create_rows, "make a container that waits for its start"},
    {"start", oci_start, 1, 1, false, no_rows, "let a created container run"},
    {"run", oci_run, 1, 1, false, run_rows, "create and start"},
    {"exec", oci_exec, 1, 4096, true, exec_rows, "one more process in a container"},
    {"state", oci_state_print, 1, 1, false, no_rows, "print the state as JSON"},
    {"kill", oci_kill, 1, 2, false, kill_rows, "send a signal (default TERM)"},
    {"delete", oci_delete, 1, 1, false, delete_rows, "remove a stopped container"},
    {"list", oci_list, 0, 0, false, list_rows, "all containers"},
    {"ps", oci_ps, 1, 4096, true, format_rows, "processes of a container"},
    {"pause", oci_pause, 1, 1, false, no_rows, "freeze all its processes"},
    {"resume", oci_resume, 1, 1, false, no_rows, "thaw them"},
    {"spec", oci_spec, 0, 0, false, spec_rows, "write a config.json to start from"},
    {"features", oci_features, 0, 0, false, no_rows, "what this runtime can do, as JSON"},
    {0},
};

static int pid_file_write(const char *path, pid_t pid, struct err *err)
{
    char text[32];
    if (!path)
        return 0;
    snprintf(text, sizeof(text), "%d", (int)pid);
    return fs_replace_volatile(AT_FDCWD, path, text, strlen(text), 0644, err) < 0 ? err_wrap(err, "--pid-file") : 0;
}

static int tty_check(bool tty, bool detached, const char *console_socket, struct err *err)
{
    if (tty && detached && !console_socket)
        return err_set(err, ERR_USAGE, "cannot allocate tty if the runtime will detach without setting console socket");
    if ((!tty || !detached) && console_socket)
        return err_set(err, ERR_USAGE, "cannot use console socket if the runtime will not detach or allocate tty");
    return 0;
}

static int bundle_check(const struct oci_bundle *bundle, struct err *err)
{
    struct stat st;
    if (!bundle->has_process)
        return err_set(err, ERR_CONFIG, "config.json: process is missing");
    if (stat(bundle->rootfs, &st) < 0)
        return err_sys(err, "rootfs (%s)", bundle->rootfs);
    return S_ISDIR(st.st_mode) ? 0 : err_set(err, ERR_CONFIG, "rootfs (%s) is not a folder", bundle->rootfs);
}

/* Everything of a container that did not come to be. */
static void create_undo(const char *root, struct oci_state *state, struct cgroup *cgroup)
{
    if (cgroup)
        (void)cgroup_remove(cgroup, NULL);
    _cleanup_free_ char *id = xstrdup(state->id);
    oci_state_done(state);
    (void)oci_state_remove(root, id, NULL);
}

static int create_in(const struct oci_globals *globals, const struct oci_options *options, struct oci_state *state,
                     struct oci_launched *ret_launched, struct err *err)
{
    struct cgroup cgroup = CGROUP_NONE;
    if (mkfifoat(state->dir, OCI_FIFO, 0600) < 0) {
        err_sys(err, "make %s/" OCI_FIFO, state->path);
        create_undo(globals->root, state, NULL);
        return -1;
    }
    if (cgroup_make(&state->bundle->spec, &cgroup, err) < 0) {
        create_undo(globals->root, state, NULL);
        return -1;
    }
    const struct oci_launch launch = {
        .state = state, .process = &state->bundle->process, .cgroup = &cgroup, .console_socket = options->console_socket,
        .preserve = (int)options->preserve_fds, .no_pivot = options->no_pivot, .no_new_keyring = options->no_new_keyring};
    int result = oci_launch(&launch, ret_launched, err);
    if (result == 0) {
        state->pid = ret_launched->pid;
        state->start_time = proc_start_time(state->pid);
        result = oci_state_save(state, err) < 0 ? -1 : pid_file_write(options->pid_file, state->pid, err);
        if (result < 0)
            (void)kill(state->pid, SIGKILL);
    }
    if (result < 0)
        create_undo(globals->root, state, &cgroup);
    cgroup_done(&cgroup);
    return result;
}

/* On success *ret_state is open and locked. */
static int create(const struct oci_globals *globals, const struct oci_options *options, const char *id, bool detached,
                  struct oci_state *ret_state, struct oci_launched *ret_launched, struct err *err)
{
    _cleanup_free_ char *cwd = getcwd(NULL, 0), *joined = path_join(cwd ? cwd : "/", options->bundle ? options->bundle : "."),
                        *dir = path_clean(joined);
    _cleanup_(oci_bundle_freep) struct oci_bundle *bundle = NULL;
    if (oci_bundle_load(dir, id, &bundle, err) < 0 || bundle_check(bundle, err) < 0 ||
        tty_check(bundle->process.base.tty, detached, options->console_socket, err) < 0 ||
        oci_state_create(globals->root, id, dir, ret_state, err) < 0)
        return -1;
    ret_state->bundle = take_ptr(&bundle);
    return create_in(globals, options, ret_state, ret_launched, err);
}

int oci_create(const struct oci_globals *globals, const struct oci_options *options, char **words, struct err *err)
{
    struct oci_state state;
    struct oci_launched launched;
    if (create(globals, options, words[0], true, &state, &launched, err) < 0)
        return -1;
    oci_state_done(&state);
    return 0;
}

static int start(struct oci_state *state, struct err *err)
{
    enum oci_status status = oci_state_status(state);
    if (status != OCI_CREATED)
        return err_set(err, ERR_BUSY, "cannot start a container that is %s", status == OCI_STOPPED ? "stopped" : "not created but running");
    _cleanup_close_ int fifo = openat(state->dir, OCI_FIFO, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
    if (fifo < 0 || write(fifo, "0", 1) != 1)
        return err_sys(err, "wake the container's first process");
    if (unlinkat(state->dir, OCI_FIFO, 0) < 0)
        return err_sys(err, "remove %s/" OCI_FIFO, state->path);
    _cleanup_jv_ struct jv *value = oci_state_json(state, OCI_RUNNING);
    struct err hook_err = {0};
    if (oci_hooks_run(state->bundle, OCI_POSTSTART, value, state->bundle_dir, &hook_err) < 0)
        fprintf(stderr, "winch-oci: warning: poststart: %s\n", hook_err.message); /* it runs already */
    return 0;
}

int oci_start(const struct oci_globals *globals, const struct oci_options *options, char **words, struct err *err)
{
    (void)options;
    struct oci_state state;
    if (oci_state_open(globals->root, words[0], &state, err) < 0)
        return -1;
    int result = start(&state, err);
    oci_state_done(&state);
    return result;
}

int oci_run(const struct oci_globals *globals, const struct oci_options *options, char **words, struct err *err)
{
    struct oci_state state;
    struct oci_launched launched;
    if (create(globals, options, words[0], options->detach, &state, &launched, err) < 0)
        return -1;
    int result = start(&state, err);
    oci_state_done(&state);
    if (options->detach && result == 0)
        return 0;
    int code = result == 0 ? oci_attend(launched.pid, launched.master) : -1;
    if (!options->keep)
        (void)oci_delete(globals, &(struct oci_options){.force = true}, words, result < 0 ? NULL : err);
    return code;
}

/* ---- exec ---- */

static int user_word(const char *text, struct oci_process *process, struct err *err)
{
    long long uid, gid = process->gid;
    _cleanup_free_ char *copy = xstrdup(text);
    char *colon = strchr(copy, ':');
    if (colon)
        *colon++ = '\0';
    if (!parse_i64(copy, 0, UINT32_MAX, &uid) || (colon && !parse_i64(colon, 0, UINT32_MAX, &gid)))
        return err_set(err, ERR_USAGE, "--user: '%s' is not UID[:GID]", text);
    process->uid = (uint32_t)uid;
    process->gid = (uint32_t)gid;
    return 0;
}

static struct spec_strings strings_join(struct arena *arena, struct spec_strings list, char **more)
{
    size_t extra = more ? strv_len(more) : 0;
    const char **items = arena_alloc(arena, (list.count + extra + 1) * sizeof(*items));
    for (size_t i = 0; i < list.count; i++)
        items[i] = list.items[i];
    for (size_t i = 0; i < extra; i++)
        items[list.count + i] = more[i];
    return (struct spec_strings){items, list.count + extra};
}

static int process_make(struct oci_bundle *bundle, const struct oci_options *options, char **words, struct oci_process *ret_process,
                        struct err *err)
{
    struct oci_process process = bundle->process;
    if (options->process) {
        _cleanup_jv_ struct jv *value = NULL;
        if (jv_load_file(AT_FDCWD, options->process, OCI_CONFIG_MAX, &value, err) < 0 ||
            oci_process_parse(bundle->arena, value, &process, err) < 0)
            return err_wrap(err, "%s", options->process);
    } else {
        if (!words[0])
            return err_set(err, ERR_USAGE, "process args cannot be empty");
        process.base.argv = (struct spec_strings){(const char **)words, strv_len(words)};
        process.base.tty = options->tty;
        process.has_oom = bundle->process.has_oom;
    }
    if (options->user && user_word(options->user, &process, err) < 0)
        return -1;
    if (options->cwd)
        process.base.cwd = options->cwd;
    process.base.no_new_privs |= options->no_new_privs;
    process.base.tty |= options->tty;
    process.base.env = strings_join(bundle->arena, process.base.env, options->env);
    for (char **cap = options->caps; cap && *cap; cap++) {
        int number = spec_capability_parse(*cap);
        if (number < 0)
            return err_set(err, ERR_USAGE, "--cap: '%s' is no capability", *cap);
        uint64_t bit = 1ULL << number;
        process.caps.bounding |= bit;
        process.caps.permitted |= bit;
        process.caps.effective |= bit;
        process.caps.inheritable |= bundle->process.caps.inheritable ? bit : 0;
    }
    *ret_process = process;
    return 0;
}

static int exec_in(struct oci_state *state, const struct oci_options *options, char **words, struct oci_launched *ret_launched,
                   struct err *err)
{
    static const char *const whys[] = {"still being made", "", "", "paused", "stopped"};
    enum oci_status status = oci_state_status(state);
    struct oci_process process;
    struct cgroup cgroup = CGROUP_NONE;
    if (whys[status][0])
        return err_set(err, ERR_BUSY, "cannot exec in a container that is %s", whys[status]);
    if (process_make(state->bundle, options, words, &process, err) < 0 ||
        tty_check(process.base.tty, options->detach, options->console_socket, err) < 0 ||
        cgroup_find(&state->bundle->spec, &cgroup, err) < 0)
        return -1;
    const struct oci_launch launch = {.state = state, .process = &process, .cgroup = &cgroup, .exec = true,
                                      .console_socket = options->console_socket, .preserve = (int)options->preserve_fds};
    int result = oci_launch(&launch, ret_launched, err);
    cgroup_done(&cgroup);
    return result < 0 ? -1 : pid_file_write(options->pid_file, ret_launched->pid, err);
}

int oci_exec(const struct oci_globals *globals, const struct oci_options *options, char **words, struct err *err)
{
    struct oci_state state;
    struct oci_launched launched;
    if (oci_state_open(globals->root, words[0], &state, err) < 0)
        return -1;
    int result = exec_in(&state, options, words + 1, &launched, err);
    oci_state_done(&state);
    if (result < 0)
        return err && (err->code == ERR_NOT_FOUND || err->code == ERR_DENIED) ? (fprintf(stderr, "winch-oci: %s\n", err->message), 255) : -1;
    return options->detach ? 0 : oci_attend(launched.pid, launched.master);
}
