/* SPDX-License-Identifier: Apache-2.0 */
/* test_values.c - maps, arenas, vectors, paths, names, hashes, suggestions. */
#include <criterion/criterion.h>
#include <stdint.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/hash.h"
#include "base/id.h"
#include "base/map.h"
#include "base/path.h"
#include "base/suggest.h"
#include "base/vec.h"

Test(map, keeps_insertion_order_and_survives_removal)
{
    struct map *map = map_new(free);
    char key[16];
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof(key), "key-%d", i);
        map_set(map, key, xasprintf("%d", i));
    }
    map_set(map, "key-500", xstrdup("replaced"));
    cr_expect_eq(map_count(map), 1000);
    cr_expect_str_eq(map_find(map, "key-500"), "replaced");
    for (int i = 0; i < 1000; i += 2) {
        snprintf(key, sizeof(key), "key-%d", i);
        map_remove(map, key);
    }
    map_remove(map, "missing");
    cr_expect_eq(map_count(map), 500);
    for (size_t i = 0; i < 500; i++) {
        snprintf(key, sizeof(key), "key-%zu", 2 * i + 1);
        cr_expect_str_eq(map_key_at(map, i), key);
        cr_expect_str_eq(map_find(map, key), key + 4);
        cr_expect_eq(map_value_at(map, i), map_find(map, key));
    }
    cr_expect_not(map_has(map, "key-500"));
    cr_expect_null(map_key_at(map, 500));
    map_remove(map, map_key_at(map, 0)); /* a key borrowed from the map itself */
    cr_expect_eq(map_count(map), 499);
    map_free(map);
    map_free(NULL);
}

Test(arena, memory_is_zeroed_and_aligned)
{
    static const size_t sizes[] = {1, 7, 16, 100, 4000, 5000, 70000, 1000000};
    struct arena *arena = arena_new();
    for (int round = 0; round < 20; round++)
        for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
            char *memory = arena_alloc(arena, sizes[i]);
            cr_assert_eq((uintptr_t)memory % _Alignof(max_align_t), 0);
            for (size_t j = 0; j < sizes[i]; j++)
                cr_assert_eq(memory[j], 0);
            memset(memory, 0xff, sizes[i]);
        }
    cr_expect_str_eq(arena_printf(arena, "%s-%d", "a", 1), "a-1");
    cr_expect_str_eq(arena_strndup(arena, "abcdef", 3), "abc");
    cr_expect_str_eq(arena_strndup(arena, "ab", 30), "ab");
    cr_expect_null(arena_strdup(arena, NULL));
    cr_expect_gt(arena_used(arena), 20 * 1079000);
    arena_free(arena);
}

Test(vec, grows)
{
    VEC(int) numbers = {0};
    for (int i = 0; i < 100; i++)
        cr_expect_eq(*VEC_ADD(&numbers, i), i);
    cr_expect_eq(numbers.count, 100);
    cr_expect_eq(numbers.items[99], 99);
    VEC_DONE(&numbers);
}

Test(path, clean)
{
    static const struct {
        const char *path, *clean;
    } cases[] = {
        {"", "."},         {".", "."},      {"./", "."},        {"/", "/"},      {"//", "/"},
        {"a", "a"},        {"a/", "a"},     {"./a/./b//c", "a/b/c"}, {"a/..", "."}, {"a/../b", "b"},
        {"..", ".."},      {"../..", "../.."}, {"../a/..", ".."}, {"/..", "/"},  {"/../a", "/a"},
        {"/a/b/../..", "/"}, {"a/b/../../..", ".."}, {"...", "..."}, {"a/..b", "a/..b"}, {"/a/../../b", "/b"},
        {"a../..", "."},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *clean = path_clean(cases[i].path);
        cr_expect_str_eq(clean, cases[i].clean, "case '%s': '%s'", cases[i].path, clean);
        free(clean);
    }
}

Test(path, relative)
{
    static const struct {
        const char *from, *to, *relative;
    } cases[] = {{"/a/b", "/a/b", "."},        {"/a/b", "/a/b/c/d", "c/d"}, {"/a/b", "/a", ".."},  {"/a/b", "/a/c", "../c"},
                 {"/a/b", "/a/bc", "../bc"}, {"/", "/x", "x"},            {"/x/y", "/", "../.."}, {"/x", "/y", "../y"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *relative = path_relative(cases[i].from, cases[i].to);
        cr_expect_str_eq(relative, cases[i].relative, "case '%s' '%s': '%s'", cases[i].from, cases[i].to, relative);
        free(relative);
    }
}

Test(path, join_base_and_names)
{
    static const struct {
        const char *base, *path, *joined;
    } cases[] = {{"a", "b/c", "a/b/c"}, {"a/", "b", "a/b"}, {"a", "/b", "/b"}, {"/", "b", "/b"}, {"", "b", "b"},
                 {"a", "", "a"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *joined = path_join(cases[i].base, cases[i].path);
        cr_expect_str_eq(joined, cases[i].joined);
        free(joined);
    }
    cr_expect_str_eq(path_base("/a/b"), "b");
    cr_expect_str_eq(path_base("b"), "b");
    cr_expect(path_is_name("a b"));
    cr_expect(path_is_name("..."));
    static const char *const bad[] = {"", ".", "..", "a/b", "a\nb", NULL};
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        cr_expect_not(path_is_name(bad[i]));
}

Test(id, random_ids_are_valid_and_differ)
{
    char a[ID_SIZE], b[ID_SIZE], shortened[ID_SHORT_SIZE];
    id_random(a);
    id_random(b);
    cr_expect(id_is_valid(a) && id_is_valid(b));
    cr_expect_str_neq(a, b);
    id_short(a, shortened);
    cr_expect_eq(strlen(shortened), 12);
    cr_expect(str_has_prefix(a, shortened));
    a[10] = 'G';
    cr_expect_not(id_is_valid(a));
    cr_expect_not(id_is_valid("abc"));
}

Test(id, names)
{
    static const struct {
        const char *text;
        bool resource, project;
        const char *normalized;
    } cases[] = {
        {"web", true, true, "web"},     {"Web.1", true, false, "web1"}, {"-web", false, false, "web"},
        {"_x", false, false, "x"},      {"a_b-c", true, true, "a_b-c"}, {"", false, false, ""},
        {"a/b", false, false, "ab"},    {"..", false, false, ""},       {"My App", false, false, "myapp"},
        {"1", true, true, "1"},         {"\xc3\xa4x", false, false, "x"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *normalized = name_project_normalize(cases[i].text);
        cr_expect_eq(name_is_resource(cases[i].text), cases[i].resource, "case '%s'", cases[i].text);
        cr_expect_eq(name_is_project(cases[i].text), cases[i].project, "case '%s'", cases[i].text);
        cr_expect_str_eq(normalized, cases[i].normalized);
        free(normalized);
    }
}

Test(hash, known_value)
{
    char hex[HASH_HEX_SIZE];
    hash_hex("abc", 3, hex);
    cr_expect_str_eq(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

Test(suggest, finds_the_near_and_only_the_near)
{
    static const char *const words[] = {"image", "environment", NULL, "ports", "env_file", "init"};
    static const struct {
        const char *word, *nearest;
    } cases[] = {{"imgae", "image"},   {"enviroment", "environment"}, {"enviornmnet", "environment"},
                 {"port", "ports"},    {"Image", "image"},            {"xyz", NULL},
                 {"", NULL},           {"i", NULL},                   {"volumes", NULL}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *nearest = suggest_nearest(cases[i].word, words, ARRAY_LEN(words));
        cr_expect(str_eq(nearest, cases[i].nearest), "case '%s'", cases[i].word);
    }
}
