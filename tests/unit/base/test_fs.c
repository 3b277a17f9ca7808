/* SPDX-License-Identifier: Apache-2.0 */
/* test_fs.c - replacing, creating, removing, locking, and lookups that must stay inside a root. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/mem.h"

static char *dir;
static int at;

static void setup(void)
{
    dir = xstrdup("/tmp/winch-fs-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    at = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    umask(077);
}

static void teardown(void)
{
    close(at);
    fs_remove_tree(AT_FDCWD, dir, NULL);
    cr_expect_not(fs_exists(AT_FDCWD, dir));
    free(dir);
}

TestSuite(fs, .init = setup, .fini = teardown, .timeout = 60);

Test(fs, replaced_files_have_exact_mode_and_content)
{
    struct err err = {0};
    struct stat st;
    char *data;
    size_t size;
    cr_assert_eq(fs_mkdirs(at, "a/b", 0755, &err), 0);
    cr_assert_eq(fs_replace(at, "a/b/file", "one", 3, 0644, &err), 0, "%s", err.message);
    cr_assert_eq(fs_replace_volatile(at, "a/b/file", "second", 6, 0604, &err), 0);
    cr_assert_eq(fs_read(at, "a/b/file", 6, &data, &size, &err), 0);
    cr_expect_eq(size, 6);
    cr_expect_str_eq(data, "second");
    free(data);
    fstatat(at, "a/b/file", &st, 0);
    cr_expect_eq(st.st_mode & 07777, 0604);
    fstatat(at, "a", &st, 0);
    cr_expect_eq(st.st_mode & 07777, 0755, "new directories have their mode whatever the umask");
    char **names;
    size_t count;
    cr_assert_eq(fs_list(at, "a/b", 10, &names, &count, &err), 0);
    cr_expect_eq(count, 1, "no temporary file is left");
    fs_names_free(names);
    cr_expect_eq(fs_replace(at, "a/..", "x", 1, 0600, &err), -1);
    cr_expect_eq(fs_replace(at, "missing/file", "x", 1, 0600, &err), -1);
}

Test(fs, reading_is_bounded_and_for_regular_files)
{
    struct err err = {0};
    char *data = NULL;
    cr_assert_eq(fs_replace_volatile(at, "file", "12345", 5, 0600, &err), 0);
    cr_assert_eq(symlinkat("file", at, "link"), 0);
    cr_assert_eq(mkfifoat(at, "fifo", 0600), 0);
    cr_expect_eq(fs_read(at, "file", 4, &data, NULL, &err), -1);
    cr_expect_eq(err.code, ERR_LIMIT);
    cr_expect_eq(fs_read(at, "link", 10, &data, NULL, &err), -1);
    cr_expect_eq(err.code, ERR_SYSTEM);
    cr_expect_eq(fs_read(at, "fifo", 10, &data, NULL, &err), -1);
    cr_expect_eq(err.code, ERR_CORRUPT);
    cr_expect_eq(fs_read(at, "missing", 10, &data, NULL, &err), -1);
    cr_expect_eq(err.code, ERR_NOT_FOUND);
    cr_expect_null(data);
}

Test(fs, a_file_in_the_way_of_a_directory_is_an_error)
{
    struct err err = {0};
    cr_assert_eq(fs_replace_volatile(at, "file", "", 0, 0600, &err), 0);
    cr_expect_eq(fs_mkdirs(at, "file", 0700, &err), -1);
    cr_expect_eq(err.sys_errno, ENOTDIR);
    cr_expect_eq(fs_mkdirs(at, "file/below", 0700, &err), -1);
    cr_expect_eq(fs_mkdirs(at, ".", 0700, &err), 0);
    cr_expect_eq(fs_mkdirs(at, "x//y/./z/", 0700, &err), 0);
    cr_expect(fs_exists(at, "x/y/z"));
}

Test(fs, trees_of_any_depth_are_removed_and_links_are_not_followed)
{
    struct err err = {0};
    cr_assert_eq(mkdirat(at, "outside", 0700), 0);
    cr_assert_eq(fs_replace_volatile(at, "outside/kept", "", 0, 0600, &err), 0);
    cr_assert_eq(mkdirat(at, "tree", 0700), 0);
    int current = openat(at, "tree", O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < 1000; i++) {
        static const char *const names[] = {".deep-0", "b", "c"};
        for (size_t j = 0; j < (i < 100 ? ARRAY_LEN(names) : 1); j++)
            cr_assert_eq(mkdirat(current, names[j], 0700), 0);
        cr_assert_eq(symlinkat("/", current, "root"), 0);
        cr_assert_eq(fs_replace_volatile(current, "file", "", 0, 0, &err), 0);
        int next = openat(current, names[0], O_RDONLY | O_DIRECTORY);
        close(current);
        current = next;
    }
    close(current);
    char *link = xasprintf("%s/outside", dir);
    cr_assert_eq(symlinkat(link, at, "tree/link"), 0);
    free(link);
    cr_assert_eq(fs_remove_tree(at, "tree", &err), 0, "%s", err.message);
    cr_expect_not(fs_exists(at, "tree"));
    cr_expect(fs_exists(at, "outside/kept"));
    cr_expect_eq(fs_remove_tree(at, "tree", &err), 0, "a missing tree is success");
    cr_expect_eq(fs_remove_tree(at, "no/such/path", &err), 0);
    cr_assert_eq(symlinkat("outside", at, "link"), 0);
    cr_expect_eq(fs_remove_tree(at, "link", &err), 0);
    cr_expect(fs_exists(at, "outside/kept"));
    cr_expect_eq(fs_remove_tree(at, "outside/..", &err), -1);
}

Test(fs, wide_trees_are_removed)
{
    struct err err = {0};
    for (int i = 0; i < 300; i++) {
        char name[64];
        snprintf(name, sizeof(name), "wide/%d/%d", i, i);
        cr_assert_eq(fs_mkdirs(at, name, 0700, &err), 0);
    }
    cr_expect_eq(fs_remove_tree(at, "wide", &err), 0, "%s", err.message);
    cr_expect_not(fs_exists(at, "wide"));
}

Test(fs, lookups_in_a_root_stay_inside)
{
    static const struct {
        const char *path, *inside; /* the same file, named from inside */
    } cases[] = {
        {"/etc/absolute", "root/etc/real"}, {"etc/up", "root/etc/real"},  {"../../../etc/real", "root/etc/real"},
        {"dirlink/real", "root/etc/real"},  {"/", "root"},                {"", "root"},
    };
    struct err err = {0};
    cr_assert_eq(fs_mkdirs(at, "root/etc", 0755, &err), 0);
    cr_assert_eq(fs_replace_volatile(at, "root/etc/real", "", 0, 0644, &err), 0);
    cr_assert_eq(symlinkat("/etc/real", at, "root/etc/absolute"), 0);
    cr_assert_eq(symlinkat("../../../../etc/real", at, "root/etc/up"), 0);
    cr_assert_eq(symlinkat("/etc", at, "root/dirlink"), 0);
    cr_assert_eq(symlinkat("/new", at, "root/dangling"), 0);
    int root = openat(at, "root", O_PATH | O_DIRECTORY);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct stat expected, found;
        int fd = fs_open_in_root(root, cases[i].path, O_PATH, 0);
        cr_assert_geq(fd, 0, "case '%s'", cases[i].path);
        fstat(fd, &found);
        fstatat(at, cases[i].inside, &expected, 0);
        cr_expect_eq(found.st_ino, expected.st_ino, "case '%s'", cases[i].path);
        close(fd);
    }
    int fd = fs_mkdirs_in_root(root, "/dirlink/../../../dirlink/a/b", 0711, getuid(), getgid());
    cr_assert_geq(fd, 0);
    close(fd);
    struct stat st;
    cr_expect_eq(fstatat(at, "root/etc/a/b", &st, 0), 0);
    cr_expect_eq(st.st_mode & 07777, 0711);
    cr_expect_eq(fs_mkdirs_in_root(root, "dangling/x", 0755, getuid(), getgid()), -1);
    cr_expect_eq(fs_mkdirs_in_root(root, "etc/real/x", 0755, getuid(), getgid()), -1);
    close(root);
}

Test(fs, locks_exclude_each_other_and_name_their_holder)
{
    struct err err = {0};
    int first, second;
    char expected[64];
    cr_assert_eq(fs_lock(at, "lock", true, 0, &first, &err), 0);
    cr_assert_eq(fs_lock(at, "lock", true, 0, &second, &err), -1);
    cr_expect_eq(err.code, ERR_BUSY);
    snprintf(expected, sizeof(expected), "lock lock is held by process %d", (int)getpid());
    cr_expect_str_eq(err.message, expected);
    cr_assert_eq(fs_lock(at, "lock", false, 30, &second, &err), -1);
    close(first);
    cr_assert_eq(fs_lock(at, "lock", false, -1, &first, &err), 0);
    cr_assert_eq(fs_lock(at, "lock", false, 0, &second, &err), 0, "shared locks share");
    close(first);
    close(second);
}

Test(fs, lists_are_sorted_and_bounded)
{
    struct err err = {0};
    static const char *const names[] = {"c", "a", ".hidden", "b"};
    char **list;
    size_t count;
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        cr_assert_eq(fs_replace_volatile(at, names[i], "", 0, 0600, &err), 0);
    cr_assert_eq(fs_list(at, ".", 4, &list, &count, &err), 0);
    cr_expect_eq(count, 4);
    cr_expect_str_eq(list[0], ".hidden");
    cr_expect_str_eq(list[3], "c");
    cr_expect_null(list[4]);
    fs_names_free(list);
    cr_expect_eq(fs_list(at, ".", 3, &list, &count, &err), -1);
    cr_expect_eq(err.code, ERR_LIMIT);
    cr_expect_eq(fs_list(at, "missing", 3, &list, &count, &err), -1);
    cr_expect_eq(err.code, ERR_NOT_FOUND);
}
