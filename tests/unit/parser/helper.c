/* SPDX-License-Identifier: Apache-2.0 */
/* helper.c - see helper.h. */
#include "tests/unit/parser/helper.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/str.h"

static char directory[64];
static pid_t owner;

static int remove_one(const char *path, const struct stat *info, int flag, struct FTW *ftw)
{
    (void)info, (void)flag, (void)ftw;
    return remove(path);
}

static void remove_directory(void)
{
    if (getpid() == owner)
        nftw(directory, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *test_dir(void)
{
    if (!*directory) {
        snprintf(directory, sizeof(directory), "/tmp/winch-parser-XXXXXX");
        cr_assert(mkdtemp(directory));
        owner = getpid();
        atexit(remove_directory);
    }
    return directory;
}

const char *test_file(const char *name, const char *text)
{
    char *path = xasprintf("%s/%s", test_dir(), name);
    for (char *slash = path + strlen(test_dir()) + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        (void)mkdir(path, 0755); /* may be there */
        *slash = '/';
    }
    FILE *file = fopen(path, "w");
    cr_assert(file, "%s", path);
    fputs(text, file);
    fclose(file);
    return path;
}

struct loaded test_load(const char *const *files, char *const *environment, const struct load_options *more)
{
    static char *const empty[] = {NULL};
    struct load_options options = more ? *more : (struct load_options){.project_name = "p"};
    struct loaded loaded = {0};
    struct diags diags = {0};
    struct err err = {0};
    struct str findings = {0};

    options.files = files;
    options.environment = environment ? environment : empty;
    if (!options.cwd)
        options.cwd = test_dir();
    if (project_load(&options, &loaded.project, &diags, &err) == 0)
        loaded.text = project_config_text(loaded.project, false);
    for (size_t i = 0; i < diags.count; i++) {
        char *text = diag_format(&diags.items[i]);
        str_addf(&findings, "%s\n", text);
        free(text);
    }
    if (err.code)
        str_addf(&findings, "%s\n", err.message);
    diags_done(&diags);
    loaded.findings = str_take(&findings);
    if (!loaded.text)
        loaded.text = xstrdup("");
    return loaded;
}

/* What config prints is a compose file that prints the same, but for these: the reference implementation, which is followed
 * to the letter, prints them in a form that it reads otherwise or refuses. */
static const char *const unstable[] = {
    "post_start: [{command: }]", "networks: {}", "network_mode: ''", "capabilities: []", "{h: '1.1.1.1,2.2.2.2'}",
};

static void expect_stable(const struct loaded *loaded, const char *source)
{
    for (size_t i = 0; i < ARRAY_LEN(unstable); i++)
        if (strstr(source, unstable[i]))
            return;
    static const char *const all[] = {"*", NULL};
    const struct load_options again = {.project_name = loaded->project->name, .profiles = all};
    const char *files[] = {test_file("again.yaml", loaded->text), NULL};
    struct loaded second = test_load(files, NULL, &again);
    cr_expect_str_eq(second.text, loaded->text, "%s%s", source, second.findings);
    project_free(second.project);
    free(second.text);
    free(second.findings);
}

struct loaded test_load_text(const char *text, char *const *environment)
{
    const char *files[] = {test_file("compose.yaml", text), NULL};
    struct loaded loaded = test_load(files, environment, NULL);
    if (loaded.project)
        expect_stable(&loaded, text);
    return loaded;
}

struct loaded test_load_two(const char *base, const char *over)
{
    const char *files[] = {test_file("compose.yaml", base), test_file("over.yaml", over), NULL};
    return test_load(files, NULL, NULL);
}
