/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files: what `config` prints for them, or all that is wrong with them, as golden texts. Run from the top of
 * the tree; WINCH_GOLDEN_WRITE=1 writes the texts. */
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/path.h"
#include "base/str.h"
#include "parser/node.h"
#include "parser/schema.h"
#include "tests/unit/parser/helper.h"

static void golden_expect(const char *path, const char *text)
{
    _cleanup_free_ char *expected = NULL;
    struct err err = {0};
    if (getenv("WINCH_GOLDEN_WRITE")) {
        FILE *file = fopen(path, "w");
        cr_assert(file, "%s", path);
        fputs(text, file);
        fclose(file);
        return;
    }
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    cr_assert(fd >= 0, "%s is missing: make golden writes it", path);
    cr_assert_eq(fd_read_all(fd, 1 << 20, &expected, NULL, &err), 0, "%s", err.message);
    cr_expect_str_eq(text, expected, "%s differs:\n%s", path, text);
}

static struct loaded load(const char *path, const char *project)
{
    static char *const environment[] = {"TAG=v1", "HOME=/home/user", NULL};
    static const char *const all[] = {"*", NULL};
    char cwd[4096];
    const char *files[] = {path, NULL};
    struct load_options options = {.project_name = project, .project_directory = "/project", .profiles = all,
                                   .cwd = getcwd(cwd, sizeof(cwd)), .all_resources = true};
    return test_load(files, environment, &options);
}

/* Printed text is a fixed point. */
static void expect_stable(const char *path, const struct loaded *loaded)
{
    const char *again = test_file("again.yaml", loaded->text);
    struct loaded second = load(again, loaded->project->name);
    cr_assert(second.project, "%s: %s", path, second.findings);
    cr_expect_str_eq(second.text, loaded->text, "%s", path);
}

static void check_pattern(const char *pattern, bool examples)
{
    glob_t found;
    cr_assert_eq(glob(pattern, 0, NULL, &found), 0, "%s: run from the top of the tree", pattern);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *path = found.gl_pathv[i];
        _cleanup_free_ char *dir = xstrndup(path, strlen(path) - strlen(path_base(path)) - 1);
        _cleanup_free_ char *stem = xstrndup(path_base(path), strcspn(path_base(path), "."));
        const char *name = examples ? path_base(dir) : stem;
        _cleanup_free_ char *golden = xasprintf("tests/golden/parser/%s.out", name);
        struct loaded loaded = load(path, examples ? name : "golden");
        if (examples)
            cr_expect(loaded.project, "%s: %s", path, loaded.findings);
        char *text = xasprintf("%s%s", loaded.findings, loaded.text);
        if (!examples) /* stacks change with their README and their test, not with the parser */
            golden_expect(golden, text);
        if (loaded.project) {
            expect_stable(path, &loaded);
            project_free(loaded.project);
        }
        free(text);
    }
    globfree(&found);
}

Test(golden, files_print_as_they_did)
{
    check_pattern("tests/golden/parser/*.yaml", false);
}

Test(golden, examples_are_taken_and_print_stably)
{
    check_pattern("examples/compose/*/compose.yaml", true);
}

/* ---- the tables themselves ---- */
static void check_table(const struct key_table *table, const char *where)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct key_row *row = &table->rows[i];
        cr_expect(i == 0 || strcmp(table->rows[i - 1].name, row->name) < 0, "%s.%s is not in order", where, row->name);
        cr_expect(row->kind != VALUE_SHAPED || row->lengthen, "%s.%s has nothing that shapes it", where, row->name);
        bool nested = row->kind == VALUE_OBJECT || row->kind == VALUE_LIST_OF || row->kind == VALUE_MAP_OF;
        cr_expect(!nested || row->table, "%s.%s has no table", where, row->name);
        if (!row->table)
            continue;
        _cleanup_free_ char *below = xasprintf("%s.%s", where, row->name);
        check_table(row->table, below);
    }
}

Test(tables, are_sorted_and_whole)
{
    check_table(&project_table, "");
    /* 92 keys of the language; extends stays in the table, version and the like are above */
    cr_expect_geq(service_table.count, 92, "%zu", service_table.count);
}

static void check_used(const struct key_table *table, const char *text, const char *where)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct key_row *row = &table->rows[i];
        _cleanup_free_ char *key = xasprintf("%s:", row->name), *below = xasprintf("%s.%s", where, row->name);
        if (strcmp(row->name, "version") != 0 && strcmp(row->name, "include") != 0)
            cr_expect(strstr(text, key), "every-key.yaml does not use %s", below);
        if (row->table)
            check_used(row->table, text, below);
    }
}

Test(tables, every_key_is_in_the_golden_file)
{
    _cleanup_free_ char *text = NULL;
    struct err err = {0};
    _cleanup_close_ int fd = open("tests/golden/parser/every-key.yaml", O_RDONLY | O_CLOEXEC);
    cr_assert(fd >= 0);
    cr_assert_eq(fd_read_all(fd, 1 << 20, &text, NULL, &err), 0);
    check_used(&project_table, text, "");
}
