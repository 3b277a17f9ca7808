/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_lint.c - lint of a compose file from any bytes: no crash, and every finding has an id that the table has, or none. */
#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "parser/lint.h"
#include "parser/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *const environment[] = {"HOME=/home/u", "TAG=t", "COMPOSE_DISABLE_ENV_FILE=1", NULL};
    struct err err = {0};
    struct diags diags = {0};
    struct project *project = NULL;
    char path[64];
    int fd;

    if (fd_memfd("fuzz", data, size, &fd, &err) < 0)
        return 0;
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    const char *files[] = {path, NULL};
    struct load_options options = {.files = files, .project_name = "p", .project_directory = "/nowhere", .cwd = "/",
                                   .environment = environment, .all_resources = true, .no_env_resolution = true};
    if (project_load(&options, &project, &diags, &err) == 0) {
        struct lint_sources sources = lint_sources_read(project);
        lint_project(project, &sources, &diags);
        for (size_t i = 0; i < diags.count; i++)
            assert(!diags.items[i].id || lint_rule_find(diags.items[i].id));
        project_free(project);
    }
    diags_done(&diags);
    close(fd);
    return 0;
}
