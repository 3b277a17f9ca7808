/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_pull.c - pull: the images of services, or images by name when there is no compose file. */
#include "cli/image_job.h"

#include <stddef.h>
#include <string.h>

#include "base/str.h"
#include "engine/engine.h"

struct pull_options {
    bool quiet, include_deps, ignore_buildable, ignore_failures;
    const char *policy;
};
#define PULL(field) offsetof(struct pull_options, field)
const struct option_row pull_options[] = {
    {'q', "quiet", OPTION_FLAG, PULL(quiet), NULL, "no progress"},
    {0, "include-deps", OPTION_FLAG, PULL(include_deps), NULL, "dependencies of the services too"},
    {0, "ignore-buildable", OPTION_FLAG, PULL(ignore_buildable), NULL,
     "leave out images that can be built"},
    {0, "ignore-pull-failures", OPTION_FLAG, PULL(ignore_failures), NULL, "go on after a failure"},
    {0, "policy", OPTION_STRING, PULL(policy), "missing|always", "when to pull (always)"},
    {0},
};

static void add_service(const struct project *project, const struct service *service, bool deps,
                        bool ignore_buildable, char ***images, unsigned depth)
{
    if (service->image && !(ignore_buildable && service->build.set) &&
        !strv_has(*images, service->image))
        *images = strv_add(*images, service->image);
    for (size_t i = 0; deps && depth < 64 && i < service->depends_on.count; i++) {
        const struct service *other =
            project_service(project, service->depends_on.items[i].service);
        if (other)
            add_service(project, other, deps, ignore_buildable, images, depth + 1);
    }
}

static int pull_all(struct cli *cli, const struct pull_options *options, char *const *images)
{
    struct view_progress *view = view_progress_new(cli, "pull");
    int code = EXIT_OK;

    for (char *const *image = images; image && *image; image++) {
        char *words[] = {(char *)"pull", *image, (char *)"--policy",
                         (char *)(options->policy ? options->policy : "always"), NULL};
        int rc = image_job_run(cli, words, view, NULL);
        if (rc != EXIT_OK && !options->ignore_failures) {
            code = rc;
            break;
        }
    }
    view_progress_free(view);
    return code;
}

int cmd_pull(struct cli *cli, int argc, char **argv)
{
    struct pull_options options = {0};
    struct project *project = NULL;
    char **images = NULL;
    struct err err = {0};
    int first, code;

    if (cli_options(cli, argc, argv, false, &options, &first, &code) < 0)
        return code;
    if (options.quiet)
        cli->global.progress = "quiet";
    char **words = argv + first;
    /* a word with '/' or ':' is no service name, and without a compose file every word is an image
     */
    bool references = words[0] && (strpbrk(words[0], "/:") || !project_exists(cli));
    if (references)
        return pull_all(cli, &options, words);
    if (project_pick(cli, words, &project, &code) < 0)
        return code;
    if (project_check_services(project, NULL, words, &err) < 0) {
        code = cli_error(&err);
    } else {
        for (size_t i = 0; i < project->services.count; i++) {
            const struct service *service = &project->services.items[i];
            if (!words[0] || strv_has(words, service->name))
                add_service(project, service, options.include_deps, options.ignore_buildable,
                            &images, 0);
        }
        code = pull_all(cli, &options, images);
    }
    strv_free(images);
    project_free(project);
    return code;
}
