/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_yaml.c - a compose file from any bytes: no crash; and what was taken prints as a file that is taken again, prints
 * the same and has the same fingerprints, also by way of the supervisor's JSON. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/json.h"
#include "parser/load.h"

static struct project *load(const void *data, size_t size)
{
    static char *const environment[] = {"HOME=/home/u", "TAG=t", "COMPOSE_DISABLE_ENV_FILE=1", NULL};
    struct err err = {0};
    struct diags diags = {0};
    struct project *project = NULL;
    char path[64];
    int fd;

    if (fd_memfd("fuzz", data, size, &fd, &err) < 0)
        return NULL;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    const char *files[] = {path, NULL};
    struct load_options options = {
        .files = files, .project_name = "p", .project_directory = "/nowhere", .cwd = "/", .environment = environment};
    (void)project_load(&options, &project, &diags, &err); /* refused is fine */
    for (size_t i = 0; i < diags.count; i++)
        free(diag_format(&diags.items[i]));
    diags_done(&diags);
    close(fd);
    return project;
}

static void check_json(const struct project *project)
{
    struct err err = {0};
    struct jv *value = project_to_json(project), *parsed;
    char *text = jv_dump(value);
    struct project *again;
    assert(jv_parse(text, strlen(text), &parsed, &err) == 0);
    assert(project_from_json(parsed, &again, &err) == 0);
    assert(again->services.count == project->services.count);
    project_free(again);
    jv_free(value);
    jv_free(parsed);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct project *project = load(data, size);
    struct diags diags = {0};
    if (!project)
        return 0;
    (void)project_check_runnable(project, &diags);
    diags_done(&diags);
    check_json(project);
    char *text = project_config_text(project, false);
    free(project_config_text(project, true));
    struct project *again = load(text, strlen(text));
    if (!again) {
        fprintf(stderr, "not taken again:\n%s", text);
        abort();
    }
    char *twice = project_config_text(again, false);
    if (strcmp(text, twice) != 0) {
        fprintf(stderr, "first:\n%ssecond:\n%s", text, twice);
        abort();
    }
    free(text);
    free(twice);
    project_free(again);
    project_free(project);
    return 0;
}
