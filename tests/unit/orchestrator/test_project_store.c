/* SPDX-License-Identifier: Apache-2.0 */
/* Id ranges and intent in a directory of the test's own. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>

#include "base/fs.h"
#include "base/mem.h"
#include "orchestrator/project_store.h"

static struct layout layout;
static char root[64];

static void setup(void)
{
    struct err err = { 0 };
    (void)snprintf(root, sizeof(root), "/tmp/winch-unit-projects-XXXXXX");
    cr_assert_not_null(mkdtemp(root));
    cr_assert_eq(layout_init(&layout, root, &err), 0, "%s", err.message);
    cr_assert_eq(layout_open(&layout, &err), 0, "%s", err.message);
}

static void teardown(void)
{
    layout_done(&layout);
    (void)fs_remove_tree(AT_FDCWD, root, NULL);
}

TestSuite(project_store, .init = setup, .fini = teardown);

Test(project_store, the_lowest_free_range_is_picked)
{
    const int64_t taken[] = { ID_BASE_FIRST + 65536, ID_BASE_FIRST };
    cr_expect_eq(id_base_pick(NULL, 0), ID_BASE_FIRST);
    cr_expect_eq(id_base_pick(taken, 1), ID_BASE_FIRST);
    cr_expect_eq(id_base_pick(taken, 2), ID_BASE_FIRST + 2 * 65536);
}

static int64_t base_of(const char *project)
{
    struct err err = { 0 };
    struct project_intent intent;
    cr_assert_eq(project_intent_ensure(&layout, project, &intent, &err), 0, "%s", err.message);
    int64_t base = intent.id_base;
    project_intent_done(&intent);
    return base;
}

Test(project_store, each_project_keeps_a_range_of_its_own)
{
    struct err err = { 0 };
    int64_t a = base_of("a"), b = base_of("b");
    cr_expect_neq(a, b);
    cr_expect_eq(base_of("a"), a);
    cr_assert_eq(project_forget(&layout, "a", &err), 0, "%s", err.message);
    cr_expect_eq(base_of("c"), a, "a forgotten project's range is free");
}

Test(project_store, intent_comes_back)
{
    struct err err = { 0 };
    struct project_intent intent = { 0 }, read = { 0 };
    cr_assert_eq(project_intent_load(&layout, "p", &read, &err), -1);
    cr_expect_eq(err.code, ERR_NOT_FOUND);
    cr_assert_eq(project_intent_ensure(&layout, "p", &intent, &err), 0, "%s", err.message);
    intent.want_up = true;
    intent.generation = 3;
    intent.working_dir = xstrdup("/srv/p");
    cr_assert_eq(project_intent_save(&layout, &intent, &err), 0, "%s", err.message);
    cr_assert_eq(project_intent_load(&layout, "p", &read, &err), 0, "%s", err.message);
    cr_expect(read.want_up && read.generation == 3 && read.id_base == intent.id_base);
    cr_expect_str_eq(read.working_dir, "/srv/p");
    project_intent_done(&read);
    project_intent_done(&intent);
}

Test(project_store, a_damaged_intent_is_named_and_gives_no_range_away)
{
    struct err err = { 0 };
    struct project_intent intent;
    cr_assert_eq(fs_mkdirs(layout.lib_fd, "projects/bad", 0700, &err), 0);
    _cleanup_free_ char *path = layout_lib(&layout, "projects/bad/project.json");
    cr_assert_eq(fs_replace(AT_FDCWD, path, "{", 1, 0600, &err), 0, "%s", err.message);
    cr_assert_eq(project_intent_ensure(&layout, "p", &intent, &err), -1);
    cr_expect(strstr(err.message, "projects/bad/project.json") != NULL, "%s", err.message);
    cr_expect_eq(project_intent_ensure(&layout, "Bad Name", &intent, &err), -1);
    cr_expect_eq(err.code, ERR_CONFIG);
}
