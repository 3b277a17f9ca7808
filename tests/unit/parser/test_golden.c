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

static void check_pattern(const char *pattern)
{
    glob_t found;
    cr_assert_eq(glob(pattern, 0, NULL, &found), 0, "%s: run from the top of the tree", pattern);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *path = found.gl_pathv[i];
        _cleanup_free_ char *stem = xstrndup(path_base(path), strcspn(path_base(path), "."));
        _cleanup_free_ char *golden = xasprintf("tests/golden/parser/%s.out", stem);
        struct loaded loaded = load(path, "golden");
        char *text = xasprintf("%s%s", loaded.findings, loaded.text);
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
    check_pattern("tests/golden/parser/*.yaml");
}

/* text with the folder it was loaded in written as /project. */
static char *without_place(const char *text, const char *place)
{
    struct str out = {0};
    for (const char *found; (found = strstr(text, place)); text = found + strlen(place)) {
        str_add_bytes(&out, text, (size_t)(found - text));
        str_add(&out, "/project");
    }
    str_add(&out, text);
    return str_take(&out);
}

/* Each example with all its profiles: without a finding, as its golden text has it, and a fixed point. */
static void check_example(const char *path)
{
    static char *const environment[] = {"HOME=/home/user", "POSTGRES_PASSWORD=x", NULL};
    static const char *const all[] = {"*", NULL};
    _cleanup_free_ char *whole = realpath(path, NULL);
    cr_assert(whole);
    _cleanup_free_ char *dir = xstrndup(whole, strlen(whole) - strlen(path_base(whole)) - 1);
    const char *name = path_base(dir), *files[] = {whole, NULL};
    struct load_options options = {.project_name = name, .profiles = all, .cwd = dir};
    struct loaded loaded = test_load(files, environment, &options);
    _cleanup_free_ char *golden = xasprintf("tests/golden/parser/example-%s.out", name);

    cr_assert(loaded.project, "%s: %s", path, loaded.findings);
    cr_expect_str_eq(loaded.findings, "", "%s: %s", path, loaded.findings);
    _cleanup_free_ char *text = without_place(loaded.text, dir);
    golden_expect(golden, text);
    files[0] = test_file("again.yaml", loaded.text);
    struct loaded second = test_load(files, environment, &options);
    cr_assert(second.project, "%s: %s", path, second.findings);
    cr_expect_str_eq(second.text, loaded.text, "%s", path);
    project_free(second.project);
    project_free(loaded.project);
}

Test(golden, examples_are_taken_and_print_as_they_did)
{
    glob_t found;
    cr_assert_eq(glob("examples/compose/*/compose.yaml", 0, NULL, &found), 0);
    cr_expect_geq(found.gl_pathc, 10);
    for (size_t i = 0; i < found.gl_pathc; i++)
        check_example(found.gl_pathv[i]);
    globfree(&found);
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
