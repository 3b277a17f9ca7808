/* SPDX-License-Identifier: Apache-2.0 */
/* test_layout.c - roots, instances and who may own them. */
#include <criterion/criterion.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/layout.h"
#include "base/mem.h"

Test(layout, default_and_own_roots)
{
    struct layout layout;
    struct err err = {0};
    char name[20];
    unsetenv("WINCH_ROOT");
    unsetenv("WINCH_CONFIG");
    cr_assert_eq(layout_init(&layout, NULL, &err), 0);
    cr_expect_str_eq(layout.lib, "/var/lib/winch");
    cr_expect_str_eq(layout.run, "/run/winch");
    cr_expect_str_eq(layout_instance_name(&layout, name, sizeof(name)), "winch");
    cr_expect_null(layout_root_arg(&layout));
    layout_done(&layout);
    setenv("WINCH_ROOT", "/a/../b/", 1);
    cr_assert_eq(layout_init(&layout, NULL, &err), 0);
    char *path = layout_lib(&layout, "containers/%s", "x");
    cr_expect_str_eq(path, "/b/lib/containers/x");
    free(path);
    cr_expect_str_eq(layout.config_file, "/b/winch.yaml");
    cr_expect_eq(strlen(layout.instance), 8);
    cr_expect_str_eq(layout_root_arg(&layout), "/b");
    layout_done(&layout);
    cr_expect_eq(layout_init(&layout, "/", &err), -1);
}

Test(layout, trees_are_created_only_when_asked_and_must_be_ours)
{
    char dir[] = "/tmp/winch-layout-XXXXXX";
    struct layout layout;
    struct err err = {0};
    struct stat st;
    cr_assert_not_null(mkdtemp(dir));
    char *root = xasprintf("%s/root", dir);
    cr_assert_eq(layout_init(&layout, root, &err), 0);
    cr_expect_eq(layout_open_existing(&layout, &err), -1);
    cr_expect_eq(err.code, ERR_NOT_FOUND);
    cr_expect_not(fs_exists(AT_FDCWD, root));
    cr_assert_eq(layout_open(&layout, &err), 0, "%s", err.message);
    cr_assert_eq(layout_open_existing(&layout, &err), 0);
    fstat(layout.lib_fd, &st);
    cr_expect_eq(st.st_mode & 07777, 0711);
    fchmod(layout.lib_fd, 0777);
    cr_expect_eq(layout_open(&layout, &err), -1);
    cr_expect_eq(err.code, ERR_DENIED);
    layout_done(&layout);
    free(root);
    fs_remove_tree(AT_FDCWD, dir, NULL);
}
