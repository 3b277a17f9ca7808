/* SPDX-License-Identifier: Apache-2.0 */
/* container.json: what was saved is what is loaded; damaged and newer files are told apart. */
#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/mem.h"
#include "engine/container/record.h"

#define ID(digit) digit digit digit digit digit digit digit digit

static const char *const ids[] = {ID("aaaaaaaa"), ID("bbbbbbbb"), ID("cccccccc")};
static char root[64];
static struct layout layout;

static void setup(void)
{
    snprintf(root, sizeof(root), "/tmp/winch-record-XXXXXX");
    cr_assert(mkdtemp(root));
    cr_assert_eq(layout_init(&layout, root, NULL), 0);
    cr_assert_eq(layout_open(&layout, NULL), 0);
}

static void teardown(void)
{
    layout_done(&layout);
    cr_expect_eq(fs_remove_tree(AT_FDCWD, root, NULL), 0);
}

static void save(const char *id, const char *name, const char *project)
{
    struct err err = {0};
    _cleanup_(container_record_freep) struct container_record *record = container_record_new();
    record->id = id;
    record->name = name;
    record->project = project;
    record->service = "web";
    record->number = 2;
    record->image = "nginx";
    record->created_ns = 1764000000123456789;
    record->want_running = true;
    record->labels = jv_object();
    jv_set_str(record->labels, "a", "b");
    record->spec.hostname = "h";
    record->spec.resources.memory_max = 5;
    cr_assert_eq(container_record_save(&layout, record, &err), 0, "%s", err.message);
}

static void damage(const char *id, const char *text)
{
    _cleanup_free_ char *name = xasprintf("containers/%s", id);
    int dir = openat(layout.lib_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    cr_assert_geq(dir, 0);
    cr_assert_eq(fs_replace(dir, "container.json", text, strlen(text), 0600, NULL), 0);
    close(dir);
}

Test(record, is_loaded_as_it_was_saved, .init = setup, .fini = teardown)
{
    struct err err = {0};
    _cleanup_(container_record_freep) struct container_record *record = NULL;
    save(ids[0], "p-web-2", "p");
    cr_assert_eq(container_record_load(&layout, ids[0], &record, &err), 0, "%s", err.message);
    cr_expect_str_eq(record->name, "p-web-2");
    cr_expect_str_eq(record->service, "web");
    cr_expect_eq(record->number, 2);
    cr_expect_eq(record->created_ns, 1764000000123456789);
    cr_expect(record->want_running);
    cr_expect_str_eq(jv_get_str(record->labels, "a", ""), "b");
    cr_expect_str_eq(record->spec.hostname, "h");
    cr_expect_eq(record->spec.resources.memory_max, 5);
    cr_expect_eq(record->spec.resources.memory_swappiness, -1);
    cr_expect_null(record->network);
}

Test(record, missing_damaged_and_newer_are_told_apart, .init = setup, .fini = teardown)
{
    struct container_record *record = NULL;
    struct err err = {0};
    cr_expect_eq(container_record_load(&layout, ids[0], &record, &err), -1);
    cr_expect_eq(err.code, ERR_NOT_FOUND);
    cr_expect_eq(container_record_load(&layout, "../../etc", &record, &err), -1);
    cr_expect_eq(err.code, ERR_NOT_FOUND);
    save(ids[0], "n", "p");
    damage(ids[0], "{\"version\":1");
    cr_expect_eq(container_record_load(&layout, ids[0], &record, &err), -1);
    cr_expect_eq(err.code, ERR_CORRUPT);
    cr_expect(strstr(err.message, ids[0]), "%s", err.message);
    damage(ids[0], "{\"version\":99}");
    cr_expect_eq(container_record_load(&layout, ids[0], &record, &err), -1);
    cr_expect_eq(err.code, ERR_UNSUPPORTED);
}

static void count_bad(const char *id, const struct err *error, void *arg)
{
    cr_expect_str_eq(id, ids[2]);
    cr_expect_eq(error->code, ERR_CORRUPT);
    ++*(int *)arg;
}

Test(record, lists_are_sorted_and_skip_what_is_unreadable, .init = setup, .fini = teardown)
{
    struct container_record **records;
    size_t count;
    int bad = 0;
    save(ids[0], "z", "p");
    save(ids[1], "a", "q");
    save(ids[2], "m", "p");
    cr_assert_eq(container_record_list(&layout, NULL, &records, &count, NULL, NULL, NULL), 0);
    cr_assert_eq(count, 3);
    cr_expect_str_eq(records[0]->name, "a");
    cr_expect_str_eq(records[2]->name, "z");
    container_record_list_free(records, count);
    damage(ids[2], "{}");
    cr_assert_eq(container_record_list(&layout, "p", &records, &count, count_bad, &bad, NULL), 0);
    cr_expect_eq(count, 1);
    cr_expect_eq(bad, 1);
    container_record_list_free(records, count);
}
