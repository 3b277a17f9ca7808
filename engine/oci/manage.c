/* SPDX-License-Identifier: Apache-2.0 */
/* The verbs that look at containers, signal, freeze and remove them. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/proc.h"
#include "base/str.h"
#include "engine/oci/hooks.h"
#include "engine/oci/state.h"
#include "engine/oci/verbs.h"
#include "engine/runtime/cgroup.h"

#define STOP_TRIES   1000
#define STOP_PAUSE_NS 10000000
#define PIDS_MAX     (1024 * 1024)

static void json_print(struct jv *value)
{
    _cleanup_free_ char *text = jv_dump_pretty(value, false);
    puts(text);
    jv_free(value);
}

int oci_state_print(const struct oci_globals *globals, const struct oci_options *options, char **words, struct err *err)
{
    (void)options;
    struct oci_state state;
    if (oci_state_open(globals->root, words[0], &state, err) < 0)
        return -1;
    json_print(oci_state_json(&state, -1));
    oci_state_done(&state);
    return 0;
}

static int kill_in(const struct oci_state *state, int signo, bool all, struct err *err)
{
    enum oci_status status = oci_state_status(state);
    struct cgroup cgroup = CGROUP_NONE;
    if (status == OCI_STOPPED || status == OCI_CREATING)
        return err_set(err, ERR_BUSY, "container not running");
    bool whole = all || (signo == SIGKILL && !state->bundle->ns[OCI_NS_PID].set); /* nobody else would end the others */
    if (!whole && kill(state->pid, signo) < 0) /* the lock and the start time make the pid ours */
        return err_sys(err, "signal process %d", (int)state->pid);
    if (!whole)
        return 0;
    int result = cgroup_find(&state->bundle->spec, &cgroup, err) < 0 ? -1 : cgroup_signal(&cgroup, signo, err);
    cgroup_done(&cgroup);
    return result;
}

int oci_kill(const struct oci_globals *globals, const struct oci_options *options, char **words, struct err *err)
{
    struct oci_state state;
    int signo = words[1] ? signal_parse(words[1]) : SIGTERM;
    if (signo < 0)
        return err_set(err, ERR_USAGE, "unknown signal \"%s\"", words[1]);
    if (oci_state_open(globals->root, words[0], &state, err) < 0)
        return -1;
    int result = kill_in(&state, signo, options->all, err);
    oci_state_done(&state);
    return result;
}

static int end_wait(const struct oci_state *state, struct err *err)
{
    for (int i = 0; i < STOP_TRIES; i++) {
        if (oci_state_status(state) == OCI_STOPPED)
            return 0;
        nanosleep(&(struct timespec){.tv_nsec = STOP_PAUSE_NS}, NULL);
    }
    return err_set(err, ERR_TIMEOUT, "the container does not end");
}

static int delete_in(const struct oci_state *state, bool force, struct err *err)
{
    struct cgroup cgroup = CGROUP_NONE;
    enum oci_status status = oci_state_status(state);
    if (!state->bundle)
        return 0;
    if (status != OCI_STOPPED && status != OCI_CREATED && !force)
        return err_set(err, ERR_BUSY, "cannot delete container %s that is not stopped: %s", state->id, oci_status_words[status]);
    if (cgroup_find(&state->bundle->spec, &cgroup, err) < 0)
        return -1;
    if (status != OCI_STOPPED)
        (void)kill(state->pid, SIGKILL);
    (void)cgroup_signal(&cgroup, SIGKILL, NULL);
    int result = end_wait(state, err) < 0 ? -1 : cgroup_remove(&cgroup, err);
    cgroup_done(&cgroup);
    return result;
}

int oci_delete(const struct oci_globals *globals, const struct oci_options *options, char **words, struct err *err)
{
    struct oci_state state;
    struct err reason = {0};
    if (oci_state_open(globals->root, words[0], &state, &reason) < 0)
        return options->force && reason.code == ERR_NOT_FOUND ? 0 : err_copy(err, &reason);
    int result = delete_in(&state, options->force, err);
    if (result == 0 && state.bundle) {
        _cleanup_jv_ struct jv *value = oci_state_json(&state, OCI_STOPPED);
        struct err hook_err = {0};
        if (oci_hooks_run(state.bundle, OCI_POSTSTOP, value, "/", &hook_err) < 0)
            fprintf(stderr, "winch-oci: warning: poststop: %s\n", hook_err.message);
    }
    oci_state_done(&state);
    return result < 0 ? -1 : oci_state_remove(globals->root, words[0], err);
}

int oci_list(const struct oci_globals *globals, const struct oci_options *options, char **words, struct err *err)
{
    (void)words;
    char **ids = NULL;
    size_t count = 0;
    bool json = str_eq(options->format, "json");
    struct jv *list = jv_array();
    if (oci_state_list(globals->root, &ids, &count, err) < 0) {
        jv_free(list);
        return -1;
    }
    if (!json && !options->quiet)
        printf("%-24s %-10s %-10s %-32s %s\n", "ID", "PID", "STATUS", "BUNDLE", "CREATED");
    for (size_t i = 0; i < count; i++) {
        struct oci_state state;
        if (oci_state_open(globals->root, ids[i], &state, NULL) < 0)
            continue; /* it just went */
        struct jv *value = oci_state_json(&state, -1);
        if (options->quiet)
            puts(ids[i]);
        else if (!json)
            printf("%-24s %-10lld %-10s %-32s %s\n", ids[i], (long long)jv_get_int(value, "pid", 0), jv_get_str(value, "status", ""),
                   jv_get_str(value, "bundle", ""), jv_get_str(value, "created", ""));
        jv_add(list, value);
        oci_state_done(&state);
    }
    fs_names_free(ids);
    if (json && !options->quiet)
        json_print(jv_ref(list));
    jv_free(list);
    return 0;
}

int oci_ps(const struct oci_globals *globals, const struct oci_options *options, char **words, struct err *err)
{
    struct oci_state state;
    struct cgroup cgroup = CGROUP_NONE;
    _cleanup_free_ char *text = NULL;
    if (oci_state_open(globals->root, words[0], &state, err) < 0)
        return -1;
    int result = !state.bundle ? err_set(err, ERR_NOT_FOUND, "container '%s' was never made", words[0])
                               : cgroup_find(&state.bundle->spec, &cgroup, err);
    oci_state_done(&state);
    if (result < 0)
        return -1;
    _cleanup_close_ int group = cgroup.unified_fd >= 0 ? fcntl(cgroup.unified_fd, F_DUPFD_CLOEXEC, 3)
                                                       : cgroup_open_controller(&cgroup, CONTROLLER_PIDS);
    cgroup_done(&cgroup);
    if (group < 0 || fs_read(group, "cgroup.procs", PIDS_MAX, &text, NULL, err) < 0)
        return err_wrap(err, "processes of '%s'", words[0]);
    struct jv *list = jv_array();
    char **pids = strv_split(text, "\n");
    if (!str_eq(options->format, "json"))
        puts("PID");
    for (char **pid = pids; *pid; pid++) {
        long long number;
        if (!parse_i64(*pid, 1, INT32_MAX, &number))
            continue;
        jv_add(list, jv_int(number));
        if (!str_eq(options->format, "json"))
            puts(*pid);
    }
    strv_free(pids);
    if (str_eq(options->format, "json")) {
        _cleanup_free_ char *json = jv_dump(list);
        puts(json);
    }
    jv_free(list);
    return 0;
}

static int freeze(const struct oci_globals *globals, const char *id, bool frozen, struct err *err)
{
    struct oci_state state;
    struct cgroup cgroup = CGROUP_NONE;
    if (oci_state_open(globals->root, id, &state, err) < 0)
        return -1;
    enum oci_status status = oci_state_status(&state), wanted = frozen ? OCI_RUNNING : OCI_PAUSED;
    int result = status != wanted && !(frozen && status == OCI_CREATED)
                     ? err_set(err, ERR_BUSY, "container is %s, not %s", oci_status_words[status], oci_status_words[wanted])
                     : cgroup_find(&state.bundle->spec, &cgroup, err);
    if (result == 0)
        result = cgroup_freeze(&cgroup, frozen, err);
    cgroup_done(&cgroup);
    oci_state_done(&state);
    return result;
}

int oci_pause(const struct oci_globals *globals, const struct oci_options *options, char **words, struct err *err)
{
    (void)options;
    return freeze(globals, words[0], true, err);
}

int oci_resume(const struct oci_globals *globals, const struct oci_options *options, char **words, struct err *err)
{
    (void)options;
    return freeze(globals, words[0], false, err);
}
