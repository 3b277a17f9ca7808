/* SPDX-License-Identifier: Apache-2.0 */
/* winch-oci: an OCI runtime with the command line of runc and crun, for those who drive one: conmon, containerd, podman. It knows
 * nothing of compose files and keeps no process of its own. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "base/str.h"
#include "engine/oci/state.h"
#include "engine/oci/verbs.h"

#define GLOBAL(field) offsetof(struct oci_globals, field)
static const struct option_row global_rows[] = {
    {0, "root", OPTION_STRING, GLOBAL(root), "DIR", "where state is kept (default " OCI_ROOT_DEFAULT ")"},
    {0, "log", OPTION_STRING, GLOBAL(log), "FILE", "write errors there too"},
    {0, "log-format", OPTION_STRING, GLOBAL(log_format), "WORD", "text or json"},
    {0, "cgroup-manager", OPTION_STRING, GLOBAL(cgroup_manager), "WORD", "cgroupfs"},
    {0, "systemd-cgroup", OPTION_FLAG, GLOBAL(systemd_cgroup), NULL, "refused: limits are written by ourselves"},
    {0, "debug", OPTION_FLAG, GLOBAL(debug), NULL, "accepted for callers that give it"},
    {'v', "version", OPTION_FLAG, GLOBAL(version), NULL, "print the version"},
    {0},
};

static void usage(void)
{
    _cleanup_free_ char *options = options_help(global_rows);
    printf("Usage: winch oci [OPTIONS] COMMAND [OPTIONS] [ARGS]\n\nOptions:\n%s\nCommands:\n", options);
    for (const struct oci_verb *verb = oci_verbs; verb->name; verb++)
        printf("  %-10s %s\n", verb->name, verb->help);
}

static void log_write(const struct oci_globals *globals, const char *message)
{
    _cleanup_close_ int fd = open(globals->log, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    char when[64];
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
    _cleanup_jv_ struct jv *value = jv_object();
    jv_set_str(value, "level", "error");
    jv_set_str(value, "msg", message);
    jv_set_str(value, "time", when);
    _cleanup_free_ char *json = jv_dump(value), *quoted = NULL;
    struct jv *text = jv_string(message);
    quoted = jv_dump(text);
    jv_free(text);
    if (fd < 0)
        return;
    if (str_eq(globals->log_format, "json"))
        dprintf(fd, "%s\n", json);
    else
        dprintf(fd, "time=\"%s\" level=error msg=%s\n", when, quoted);
}

static int fail(const struct oci_globals *globals, const struct err *err)
{
    if (globals->log)
        log_write(globals, err->message);
    fprintf(stderr, "winch-oci: %s\n", err->message);
    if (err->hint[0])
        fprintf(stderr, "hint: %s\n", err->hint);
    return 1;
}

static int verb_run(const struct oci_globals *globals, int argc, char **argv)
{
    const struct oci_verb *verb = oci_verbs;
    struct oci_options options = {0};
    struct err err = {0};
    int first = 0;
    while (verb->name && strcmp(verb->name, argv[0]) != 0)
        verb++;
    if (!verb->name) {
        err_set(&err, ERR_USAGE, "unknown command '%s'", argv[0]);
        return fail(globals, &err);
    }
    if (options_parse(verb->rows, argc, argv, verb->stop_at_word, &options, &first, &err) < 0) {
        if (err.code != ERR_CANCELLED)
            return fail(globals, &err);
        _cleanup_free_ char *help = options_help(verb->rows);
        printf("winch oci %s: %s\n\n%s", verb->name, verb->help, help);
        return 0;
    }
    size_t words = (size_t)(argc - first);
    int code;
    if (words < verb->least || words > verb->most)
        code = err_set(&err, ERR_USAGE, "%s takes %zu argument%s", verb->name, verb->least, verb->least == 1 ? "" : "s");
    else
        code = verb->run(globals, &options, argv + first, &err);
    strv_free(options.env);
    strv_free(options.caps);
    return code < 0 ? fail(globals, &err) : code;
}

int main(int argc, char **argv)
{
    struct oci_globals globals = {.root = OCI_ROOT_DEFAULT};
    struct err err = {0};
    int first = 0;
    if (options_parse(global_rows, argc, argv, true, &globals, &first, &err) < 0) {
        if (err.code != ERR_CANCELLED)
            return fail(&globals, &err);
        usage();
        return 0;
    }
    if (globals.version) {
        printf("winch-oci version %s\nspec: %s\n", WINCH_VERSION, OCI_VERSION);
        return 0;
    }
    if (globals.systemd_cgroup || (globals.cgroup_manager && !str_eq(globals.cgroup_manager, "cgroupfs"))) {
        err_set(&err, ERR_UNSUPPORTED, "systemd's cgroup driver is not supported");
        err_hint(&err, "use the cgroupfs manager");
        return fail(&globals, &err);
    }
    if (first >= argc) {
        usage();
        return 1;
    }
    return verb_run(&globals, argc - first, argv + first);
}
