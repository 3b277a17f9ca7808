/* SPDX-License-Identifier: Apache-2.0 */
/* winch-image: the worker that touches foreign bytes (registries, archives). One word of work a
 * process; JSON lines on standard output (engine/engine.h), the last of which is the result or the
 * error. */
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/option.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/image/copy_in.h"
#include "engine/image/copy_out.h"
#include "engine/image/import.h"
#include "engine/image/load.h"
#include "engine/image/platform.h"
#include "engine/image/progress.h"
#include "engine/image/pull.h"
#include "engine/image/store.h"
#include "engine/image/verify.h"
#include "engine/registry/host_config.h"

struct options {
    const char *platform, *policy;
    char **change;
    const char *name;
    bool repair, follow, contents, archive;
};

static const struct option_row option_rows[] = {
    {0, "platform", OPTION_STRING, offsetof(struct options, platform), "OS/ARCH",
     "pull for another platform"},
    {0, "policy", OPTION_STRING, offsetof(struct options, policy), "WHEN",
     "always (default) or missing"},
    {'c', "change", OPTION_LIST, offsetof(struct options, change), "INSTRUCTION",
     "set a part of an imported image's config"},
    {0, "repair", OPTION_FLAG, offsetof(struct options, repair), NULL,
     "put damaged layers away, so that a pull brings them again"},
    {0, "name", OPTION_STRING, offsetof(struct options, name), "NAME", "what the copied thing is called"},
    {0, "follow", OPTION_FLAG, offsetof(struct options, follow), NULL, "copy what a link stands for"},
    {0, "contents", OPTION_FLAG, offsetof(struct options, contents), NULL, "only what lies in the directory"},
    {0, "archive", OPTION_FLAG, offsetof(struct options, archive), NULL, "keep owners"},
    {0},
};

struct work {
    const struct layout *layout;
    int lib_fd;
    const struct options *options;
    const struct host_config *config;
    struct unpack_limits limits;
    char **words; /* behind the word itself */
    size_t word_count;
};

static int work_pull(const struct work *work, struct err *err)
{
    const struct options *options = work->options;
    struct platform platform;
    struct pull pull = {
        .layout = work->layout,
        .lib_fd = work->lib_fd,
        .config = work->config,
        .reference = work->words[0],
        .limits = work->limits,
        .only_missing = str_eq(options->policy, "missing"),
    };
    if (options->policy && !pull.only_missing && !str_eq(options->policy, "always"))
        return err_set(err, ERR_USAGE, "--policy is 'always' or 'missing', not '%s'",
                       options->policy);
    if (options->platform && platform_parse(options->platform, &platform, err) < 0)
        return -1;
    if (options->platform)
        pull.platform = &platform;
    return pull_run(&pull, err);
}

static int work_import(const struct work *work, struct err *err)
{
    const struct import import = {
        .lib_fd = work->lib_fd,
        .file = work->words[0],
        .reference = work->words[1],
        .changes = work->options->change,
        .limits = work->limits,
    };
    return import_run(&import, err);
}

static int work_load(const struct work *work, struct err *err)
{
    const struct load load = {
        .lib_fd = work->lib_fd, .file = work->words[0], .limits = work->limits};
    return load_run(&load, err);
}

static int work_verify(const struct work *work, struct err *err)
{
    return verify_run(work->lib_fd, work->options->repair, err);
}

/* The file system of a container, or of the host for "-". */
static int copy_root(const struct work *work, bool write, int *ret_root, struct err *err)
{
    if (!str_eq(work->words[0], "-"))
        return container_view_enter(work->layout, work->words[0], write, ret_root, err);
    *ret_root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
    return *ret_root < 0 ? err_sys(err, "open /") : 0;
}

static int work_copy_out(const struct work *work, struct err *err)
{
    struct copy_out copy = {
        .archive_fd = COPY_DATA_FD,
        .path = work->words[1],
        .name = work->options->name ? work->options->name : "",
        .follow = work->options->follow,
        .warn = progress_warning,
    };
    return copy_root(work, false, &copy.root_fd, err) < 0 ? -1 : copy_out_run(&copy, err);
}

static int work_copy_in(const struct work *work, struct err *err)
{
    bool host = str_eq(work->words[0], "-");
    struct copy_in copy = {
        .archive_fd = COPY_DATA_FD,
        .path = work->words[1],
        .name = work->options->name,
        .contents = work->options->contents,
        .plain_modes = host,
        .owner = work->options->archive ? COPY_OWNER_ARCHIVE : COPY_OWNER_OURS,
        .warn = progress_warning,
    };
    (void)umask(0);
    return copy_root(work, true, &copy.root_fd, err) < 0 ? -1 : copy_in_run(&copy, err);
}

static const struct word {
    const char *name;
    size_t least, most; /* words behind it */
    const char *usage;
    int (*run)(const struct work *work, struct err *err);
    bool bare; /* needs neither the image store nor the configuration */
} words[] = {
    {"pull", 1, 1, "pull REF [--platform P] [--policy always|missing]", work_pull, false},
    {"load", 1, 1, "load FILE|-", work_load, false},
    {"verify", 0, 0, "verify [--repair]", work_verify, false},
    {"import", 2, 2, "import FILE|- REF [--change INSTRUCTION]…", work_import, false},
    {"copy-out", 2, 2, "copy-out [--name NAME] [--follow] ID|- PATH", work_copy_out, true},
    {"copy-in", 2, 2, "copy-in [--name NAME] [--contents] [--archive] ID|- PATH", work_copy_in, true},
};

static const struct word *find_word(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (str_eq(words[i].name, name))
            return &words[i];
    }
    return NULL;
}

static struct unpack_limits limits_of(const struct host_config *config)
{
    struct unpack_limits limits = UNPACK_LIMITS_DEFAULT;
    if (config->unpacked_max)
        limits.bytes = config->unpacked_max;
    if (config->ratio_max)
        limits.ratio = config->ratio_max;
    if (config->entries_max)
        limits.entries = config->entries_max;
    return limits;
}

static int run_word(const struct word *word, struct work work, const char *root, struct err *err)
{
    struct layout layout = {.lib_fd = -1, .run_fd = -1};
    struct host_config config = {0};
    int done = -1;
    if (layout_init(&layout, root, err) == 0 && layout_open(&layout, err) == 0 &&
        (word->bare || (store_make(layout.lib_fd, err) == 0 &&
                        host_config_load(layout.config_file, &config, err) == 0))) {
        work.layout = &layout;
        work.lib_fd = layout.lib_fd;
        work.config = &config;
        work.limits = limits_of(&config);
        done = word->run(&work, err);
    }
    host_config_done(&config);
    if (layout.lib)
        layout_done(&layout);
    return done;
}

/* "--root DIR" stands before the word, so that nothing behind it can be taken for it. */
static int run(int argc, char **argv, struct err *err)
{
    struct options options = {0};
    const char *root = NULL;
    int first = 1;
    if (argc > 2 && str_eq(argv[1], "--root")) {
        root = argv[2];
        first = 3;
    }
    const struct word *word = first < argc ? find_word(argv[first]) : NULL;
    if (!word)
        return err_set(err, ERR_USAGE, "usage: winch-image [--root DIR] WORD …, not '%s'",
                       first < argc ? argv[first] : "");
    argc -= first;
    argv += first;
    if (options_parse(option_rows, argc, argv, false, &options, &first, err) < 0)
        return -1;
    struct work work = {
        .options = &options, .words = argv + first, .word_count = (size_t)(argc - first)};
    int done = -1;
    if (work.word_count < word->least || work.word_count > word->most)
        (void)err_set(err, ERR_USAGE, "usage: winch-image [--root DIR] %s", word->usage);
    else
        done = run_word(word, work, root, err);
    strv_free(options.change);
    return done;
}

int main(int argc, char **argv)
{
    struct err err = {0};
    (void)setlocale(
        LC_CTYPE, "C.UTF-8"); /* names in archives are UTF-8 or bytes, whatever the user's locale */
    (void)signal(SIGPIPE, SIG_IGN);
    (void)umask(077);
    log_set_level_from_env();
    if (run(argc, argv, &err) == 0)
        return 0;
    progress_error(&err);
    return 1;
}
