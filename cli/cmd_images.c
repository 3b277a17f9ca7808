/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_images.c - images, volumes: what the project's containers were made of, and where its services keep their data. */
#include "cli/cli.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/json.h"
#include "base/str.h"
#include "base/units.h"
#include "cli/view_table.h"
#include "engine/engine.h"

struct images_options {
    bool quiet;
    const char *format;
};
#define IMAGES(field) offsetof(struct images_options, field)
const struct option_row images_options[] = {
    {'q', "quiet", OPTION_FLAG, IMAGES(quiet), NULL, "only ids"},
    {0, "format", OPTION_STRING, IMAGES(format), "table|json", "form of the output"},
    {0},
};
const struct option_row volumes_options[] = {
    {'q', "quiet", OPTION_FLAG, IMAGES(quiet), NULL, "only names"},
    {0, "format", OPTION_STRING, IMAGES(format), "table|json", "form of the output"},
    {0},
};

struct listing {
    const struct cli *cli;
    const struct images_options *options;
    char **services, **seen;
    struct view_table *table;
    struct jv *json; /* images: one array; NULL otherwise */
};

static bool is_json(const struct listing *listing)
{
    return str_eq(listing->options->format, "json");
}

/* "nginx:1.25" → repository and tag; a digest is no tag. */
static char *reference_split(const char *reference, const char **ret_tag)
{
    const char *digest = strchr(reference, '@');
    size_t size = digest ? (size_t)(digest - reference) : strlen(reference);
    char *repository = xstrndup(reference, size), *slash = strrchr(repository, '/'),
         *colon = strrchr(slash ? slash : repository, ':');

    *ret_tag = colon ? colon + 1 : digest ? "<none>" : "latest";
    if (colon)
        *colon = '\0';
    return repository;
}

static void add_image(struct listing *listing, const struct container_record *record)
{
    struct image image = {0};
    const char *tag, *hex = str_has_prefix(record->image_id, "sha256:") ? record->image_id + strlen("sha256:") : record->image_id;
    _cleanup_free_ char *repository = reference_split(record->image, &tag);
    char size[24], words[64];
    int64_t created_ns;
    bool there = image_find(&listing->cli->layout, record->image_id, &image, NULL) == 0;
    _cleanup_free_ char *platform = there ? xasprintf("%s/%s%s%s", image.os, image.architecture, image.variant ? "/" : "",
                                                      image.variant ? image.variant : "")
                                          : xstrdup("");
    _cleanup_free_ char *brief = xstrndup(hex, 12);
    const char *created = there && image.created ? image.created : "";

    _cleanup_free_ char *age = rfc3339_parse_ns(created, &created_ns)
                                   ? xasprintf("%s ago", age_human((clock_wall_ns() - created_ns) / 1000000000, words, sizeof(words)))
                                   : xstrdup("");
    bytes_decimal(there ? image.size_bytes : 0, size, sizeof(size));
    if (listing->options->quiet) {
        if (!strv_has(listing->seen, hex)) {
            listing->seen = strv_add(listing->seen, hex);
            puts(hex);
        }
    } else if (is_json(listing)) {
        struct jv *one = jv_object();
        jv_set_str(one, "ID", record->image_id);
        jv_set_str(one, "ContainerName", record->name);
        jv_set_str(one, "Repository", repository);
        jv_set_str(one, "Tag", tag);
        jv_set_str(one, "Platform", platform);
        jv_set_int(one, "Size", there ? image.size_bytes : 0);
        jv_set_str(one, "Created", created);
        jv_add(listing->json, one);
    } else {
        view_table_row(listing->table, (const char *[]){record->name, repository, tag, platform, brief, size, age});
    }
    image_done(&image);
}

static void add_volumes(struct listing *listing, const struct observed *observed, const struct container_record *record)
{
    const struct jv *volumes = jv_find(record->service_data, "volumes");

    for (size_t i = 0; i < jv_count(volumes); i++) {
        const char *name = jv_get_str(jv_at(volumes, i), "name", ""), *driver = "local";
        if (strv_has(listing->seen, name))
            continue;
        listing->seen = strv_add(listing->seen, name);
        for (size_t j = 0; j < observed->volume_count; j++)
            if (str_eq(observed->volumes[j].name, name) && observed->volumes[j].driver)
                driver = observed->volumes[j].driver;
        if (listing->options->quiet) {
            puts(name);
        } else if (is_json(listing)) {
            _cleanup_jv_ struct jv *one = jv_object();
            jv_set_str(one, "Driver", driver);
            jv_set_str(one, "Name", name);
            _cleanup_free_ char *text = jv_dump(one);
            puts(text);
        } else {
            view_table_row(listing->table, (const char *[]){driver, name});
        }
    }
}

static void print(struct listing *listing)
{
    if (listing->options->quiet)
        return;
    if (!is_json(listing)) {
        view_table_print(listing->table);
    } else if (listing->json) {
        _cleanup_free_ char *text = jv_dump(listing->json);
        puts(text);
    }
}

static int list(struct cli *cli, int argc, char **argv, const char *const *heads, bool images)
{
    struct images_options options = {0};
    struct project *project = NULL;
    struct observed observed = {0};
    _cleanup_free_ char *name = NULL;
    struct err err = {0};
    int first, code;

    if (cli_options(cli, argc, argv, false, &options, &first, &code) < 0)
        return code;
    if (options.format && !str_eq(options.format, "table") && !str_eq(options.format, "json")) {
        err_set(&err, ERR_USAGE, "--format: '%s' is not supported, use table or json", options.format);
        return cli_error(&err);
    }
    if (project_observe(cli, argv + first, &project, &name, &observed, &code) < 0)
        return code;
    struct listing listing = {.cli = cli, .options = &options, .services = argv + first, .table = view_table_new(heads),
                              .json = images ? jv_array() : NULL};
    code = project_check_services(project, &observed, listing.services, &err) < 0 ? cli_error(&err) : EXIT_OK;
    for (size_t i = 0; code == EXIT_OK && i < observed.container_count; i++) {
        const struct container_record *record = observed.containers[i].record;
        if (listing.services[0] && !strv_has(listing.services, record->service))
            continue;
        if (images)
            add_image(&listing, record);
        else
            add_volumes(&listing, &observed, record);
    }
    if (code == EXIT_OK)
        print(&listing);
    view_table_free(listing.table);
    jv_free(listing.json);
    strv_free(listing.seen);
    observed_done(&observed);
    project_free(project);
    return code;
}

int cmd_images(struct cli *cli, int argc, char **argv)
{
    return list(cli, argc, argv,
                (const char *[]){"CONTAINER", "REPOSITORY", "TAG", "PLATFORM", "IMAGE ID", "SIZE", "CREATED", NULL}, true);
}

int cmd_volumes(struct cli *cli, int argc, char **argv)
{
    return list(cli, argc, argv, (const char *[]){"DRIVER", "VOLUME NAME", NULL}, false);
}
