/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes in a directory of the test's own: make, find again, refuse another definition, fill once, remove. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "volumes/volume.h"

static struct layout layout;
static char root[64];

static void setup(void)
{
    struct err err = { 0 };
    (void)snprintf(root, sizeof(root), "/tmp/winch-unit-volumes-XXXXXX");
    cr_assert_not_null(mkdtemp(root));
    cr_assert_eq(layout_init(&layout, root, &err), 0, "%s", err.message);
    cr_assert_eq(layout_open(&layout, &err), 0, "%s", err.message);
}

static void teardown(void)
{
    layout_done(&layout);
    (void)fs_remove_tree(AT_FDCWD, root, NULL);
}

TestSuite(volume, .init = setup, .fini = teardown);

static void ensure(const char *name, const char *project, const char *fingerprint, int expected, enum err_code code)
{
    struct err err = { 0 };
    struct volume_info info = { 0 };
    struct volume_request request = { .name = name, .project = project, .key = "data", .fingerprint = fingerprint };
    cr_assert_eq(volume_ensure(&layout, &request, &info, &err), expected, "%s", err.message);
    cr_expect_eq(err.code, code, "%s", err.message);
    if (expected == 0) {
        cr_expect_str_eq(info.name, name);
        cr_expect_eq(access(info.path, F_OK), 0);
        volume_info_done(&info);
    }
}

Test(volume, a_second_ensure_finds_and_another_definition_is_refused)
{
    ensure("p_data", "p", "f1", 0, ERR_NONE);
    ensure("p_data", "p", "f1", 0, ERR_NONE);
    ensure("p_data", "p", "f2", -1, ERR_EXISTS);
    ensure("../x", "p", "f1", -1, ERR_CONFIG);
}

Test(volume, lists_by_project_in_order_and_skips_what_is_half_made)
{
    struct volume_info *infos;
    size_t count;
    struct err err = { 0 };
    ensure("p_b", "p", NULL, 0, ERR_NONE);
    ensure("p_a", "p", NULL, 0, ERR_NONE);
    ensure("q_a", "q", NULL, 0, ERR_NONE);
    cr_assert_eq(fs_mkdirs(layout.lib_fd, "volumes/p_half/_data", 0700, &err), 0);
    cr_assert_eq(volume_list(&layout, "p", &infos, &count, &err), 0, "%s", err.message);
    cr_assert_eq(count, 2);
    cr_expect_str_eq(infos[0].name, "p_a");
    cr_expect_str_eq(infos[1].name, "p_b");
    volume_list_free(infos, count);
    cr_assert_eq(volume_list(&layout, NULL, &infos, &count, &err), 0);
    cr_expect_eq(count, 3);
    volume_list_free(infos, count);
}

static void write_file(int dirfd, const char *name)
{
    int fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    cr_assert_geq(fd, 0);
    close(fd);
}

Test(volume, is_filled_once_and_an_interrupted_copy_is_made_again)
{
    struct err err = { 0 };
    int fd;
    struct stat st;
    ensure("p_data", "p", NULL, 0, ERR_NONE);
    cr_assert_eq(volume_populate_begin(&layout, "p_data", &fd, &err), 0, "%s", err.message);
    cr_assert_geq(fd, 0);
    write_file(fd, "half");
    close(fd); /* interrupted here: no commit */
    cr_assert_eq(volume_populate_begin(&layout, "p_data", &fd, &err), 0);
    cr_assert_geq(fd, 0);
    write_file(fd, "whole");
    close(fd);
    cr_assert_eq(volume_populate_commit(&layout, "p_data", &err), 0, "%s", err.message);
    cr_expect_eq(fstatat(layout.lib_fd, "volumes/p_data/_data/whole", &st, 0), 0);
    cr_expect_neq(fstatat(layout.lib_fd, "volumes/p_data/_data/half", &st, 0), 0);
    cr_assert_eq(volume_populate_begin(&layout, "p_data", &fd, &err), 0);
    cr_expect_eq(fd, -1, "a filled volume is never filled again");
    cr_assert_eq(unlinkat(layout.lib_fd, "volumes/p_data/_data/whole", 0), 0);
    cr_assert_eq(volume_populate_begin(&layout, "p_data", &fd, &err), 0);
    cr_expect_eq(fd, -1, "not even when it was emptied");
}

Test(volume, one_that_holds_data_is_not_filled)
{
    struct err err = { 0 };
    int fd;
    ensure("p_data", "p", NULL, 0, ERR_NONE);
    write_file(layout.lib_fd, "volumes/p_data/_data/mine");
    cr_assert_eq(volume_populate_begin(&layout, "p_data", &fd, &err), 0);
    cr_expect_eq(fd, -1);
}

Test(volume, removal_takes_name_and_data)
{
    struct err err = { 0 };
    struct volume_info info;
    char **names;
    size_t count;
    ensure("p_data", "p", NULL, 0, ERR_NONE);
    cr_assert_eq(volume_remove(&layout, "p_data", &err), 0, "%s", err.message);
    cr_expect_eq(volume_find(&layout, "p_data", &info, &err), -1);
    cr_expect_eq(err.code, ERR_NOT_FOUND);
    cr_expect_eq(volume_remove(&layout, "p_data", &err), -1);
    cr_expect_eq(err.code, ERR_NOT_FOUND);
    cr_assert_eq(fs_list(layout.lib_fd, "volumes", 10, &names, &count, &err), 0);
    cr_expect_leq(count, 1, "only the lock may be left");
    fs_names_free(names);
}
