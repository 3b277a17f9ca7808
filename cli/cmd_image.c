/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_image.c - image ls, rm, import, load, pull: a table of sub-commands. */
#include "cli/image_job.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "base/units.h"
#include "cli/view_table.h"
#include "engine/engine.h"

struct image_options {
    bool quiet, force;
    char **changes;
    const char *format, *platform;
};
#define IMAGE(field) offsetof(struct image_options, field)
const struct option_row image_options[] = {
    {'q', "quiet", OPTION_FLAG, IMAGE(quiet), NULL, "ls: only ids; others: no progress"},
    {'f', "force", OPTION_FLAG, IMAGE(force), NULL, "rm: also when a stopped container uses it"},
    {'c', "change", OPTION_LIST, IMAGE(changes), "INSTRUCTION",
     "import: 'CMD [\"…\"]', 'ENV A=b' … (repeatable)"},
    {0, "platform", OPTION_STRING, IMAGE(platform), "OS/ARCH", "pull: another platform"},
    {0, "format", OPTION_STRING, IMAGE(format), "table|json", "ls: form of the output"},
    {0},
};

static void split_name(const char *full, char **ret_repository, char **ret_tag)
{
    _cleanup_free_ char *familiar = image_ref_familiar(full);
    char *slash = strrchr(familiar, '/'), *colon = strrchr(slash ? slash : familiar, ':');

    if (colon)
        *colon = 0;
    *ret_repository = xstrdup(familiar);
    *ret_tag = xstrdup(colon ? colon + 1 : "<none>");
}

static void list_row(const struct image_options *options, struct view_table *table,
                     const struct image *image, const char *full)
{
    _cleanup_free_ char *repository = NULL, *tag = NULL;
    char size[32], id[16];

    if (full)
        split_name(full, &repository, &tag);
    snprintf(id, sizeof(id), "%.12s", image->id + strlen("sha256:"));
    if (options->quiet) {
        puts(id);
    } else if (str_eq(options->format, "json")) {
        _cleanup_jv_ struct jv *json = jv_object();
        jv_set_str(json, "ID", image->id);
        jv_set_str(json, "Repository", repository ? repository : "<none>");
        jv_set_str(json, "Tag", tag ? tag : "<none>");
        jv_set_str(json, "Digest", image->digest);
        jv_set_str(json, "Platform", image->architecture);
        jv_set_int(json, "Size", image->size_bytes);
        jv_set_str(json, "Created", image->created);
        _cleanup_free_ char *text = jv_dump(json);
        puts(text);
    } else {
        view_table_row(table,
                       (const char *[]){repository ? repository : "<none>", tag ? tag : "<none>",
                                        id, bytes_human(image->size_bytes, size, sizeof(size))});
    }
}

static int image_ls(struct cli *cli, const struct image_options *options, char **words)
{
    struct view_table *table =
        view_table_new((const char *[]){"REPOSITORY", "TAG", "IMAGE ID", "SIZE", NULL});
    struct image *images = NULL;
    size_t count = 0;
    struct err err = {0};
    int code = EXIT_OK;

    (void)words;
    if (layout_open_existing(&cli->layout, &err) < 0
            ? err.code != ERR_NOT_FOUND
            : image_list(&cli->layout, &images, &count, &err) < 0)
        code = cli_error(&err);
    for (size_t i = 0; i < count; i++) {
        if (!images[i].names || !images[i].names[0])
            list_row(options, table, &images[i], NULL);
        for (char **name = images[i].names; name && *name; name++)
            list_row(options, table, &images[i], *name);
        image_done(&images[i]);
    }
    free(images);
    if (code == EXIT_OK && !options->quiet && !str_eq(options->format, "json"))
        view_table_print(table);
    view_table_free(table);
    return code;
}

static int image_rm(struct cli *cli, const struct image_options *options, char **words)
{
    struct err err = {0};

    if (!words[0]) {
        err_set(&err, ERR_USAGE, "image rm needs an image");
        return cli_error(&err);
    }
    if (layout_open(&cli->layout, &err) < 0)
        return cli_error(&err);
    for (; *words; words++) {
        char **untagged = NULL, **deleted = NULL;
        if (image_remove(&cli->layout, *words, options->force, &untagged, &deleted, &err) < 0)
            return cli_error(&err);
        for (char **item = untagged; item && *item; item++)
            printf("Untagged: %s\n", *item);
        for (char **item = deleted; item && *item; item++)
            printf("Deleted: %s\n", *item);
        strv_free(untagged);
        strv_free(deleted);
    }
    return EXIT_OK;
}

static int worker(struct cli *cli, const struct image_options *options, char **words)
{
    struct jv *last = NULL;
    struct view_progress *view;

    if (options->quiet)
        cli->global.progress = "quiet";
    view = view_progress_new(cli, words[0]);
    int code = image_job_run(cli, words, view, &last);
    view_progress_free(view);
    if (code == EXIT_OK && last && jv_get_str(last, "image", NULL))
        puts(jv_get_str(last, "image", ""));
    jv_free(last);
    return code;
}

static int image_import(struct cli *cli, const struct image_options *options, char **words)
{
    struct err err = {0};

    if (strv_len(words) != 2) {
        err_set(&err, ERR_USAGE, "image import needs ROOTFS.tar and NAME[:TAG]");
        return cli_error(&err);
    }
    char **args = strv_add(strv_add(strv_add(NULL, "import"), words[0]), words[1]);
    for (char **change = options->changes; change && *change; change++)
        args = strv_add(strv_add(args, "--change"), *change);
    int code = worker(cli, options, args);
    strv_free(args);
    return code;
}

static int image_load(struct cli *cli, const struct image_options *options, char **words)
{
    return worker(cli, options,
                  (char *[]){(char *)"load", words[0] ? words[0] : (char *)"-", NULL});
}

static int image_pull(struct cli *cli, const struct image_options *options, char **words)
{
    for (; *words; words++) {
        int code = worker(cli, options,
                          (char *[]){(char *)"pull", *words,
                                     (char *)(options->platform ? "--platform" : NULL),
                                     (char *)options->platform, NULL});
        if (code != EXIT_OK)
            return code;
    }
    return EXIT_OK;
}

static const struct {
    const char *name;
    int (*run)(struct cli *cli, const struct image_options *options, char **words);
} verbs[] = {
    {"ls", image_ls},         {"list", image_ls},   {"rm", image_rm},
    {"import", image_import}, {"load", image_load}, {"pull", image_pull},
};

int cmd_image(struct cli *cli, int argc, char **argv)
{
    struct image_options options = {0};
    struct err err = {0};
    int first, code = -1;

    if (cli_options(cli, argc, argv, false, &options, &first, &code) < 0)
        return code;
    for (size_t i = 0; first < argc && i < ARRAY_LEN(verbs); i++)
        if (strcmp(verbs[i].name, argv[first]) == 0)
            code = verbs[i].run(cli, &options, argv + first + 1);
    if (code < 0) {
        err_set(&err, ERR_USAGE, "image: use ls, rm, import, load or pull");
        code = cli_error(&err);
    }
    strv_free(options.changes);
    return code;
}
