/* SPDX-License-Identifier: Apache-2.0 */
/* test_diag.c - order, duplicates and form of findings. */
#include <criterion/criterion.h>

#include "base/diag.h"

Test(diag, is_formatted_with_place_path_and_hint)
{
    struct diags diags = {0};
    struct diag *diag =
        diag_error(&diags, (struct pos){"compose.yaml", 12, 9}, "services.web.ports[0]", "'%s' is not a port", "eighty");
    diag_hint(diag, "expected %d-%d", 1, 65535);
    diag->other = (struct pos){"other.yaml", 3, 1};
    diag_warning(&diags, (struct pos){"compose.yaml", 0, 0}, NULL, "bad \x1b[0m")->id = "no-escape";
    diag_error(&diags, (struct pos){0}, NULL, "no place");
    static const char *const expected[] = {
        ("compose.yaml:12:9: error: services.web.ports[0]: 'eighty' is not a port\n"
         "other.yaml:3:1: note: the other place is here\nhint: expected 1-65535"),
        "compose.yaml: warning: bad \\x1b[0m [no-escape]",
        "error: no place",
    };
    for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
        char *text = diag_format(&diags.items[i]);
        cr_expect_str_eq(text, expected[i]);
        free(text);
    }
    cr_expect_eq(diags.error_count, 2);
    diags_done(&diags);
}

Test(diag, are_sorted_by_file_and_place_without_duplicates)
{
    struct diags diags = {0};
    static const struct {
        struct pos pos;
        const char *message;
    } in[] = {
        {{"b", 2, 1}, "three"}, {{"a", 1, 1}, "five"},  {{"b", 1, 5}, "two"},  {{"b", 2, 1}, "four"},
        {{"b", 2, 1}, "three"}, {{NULL, 0, 0}, "one"}, {{"a", 1, 1}, "five"},
    };
    static const char *const out[] = {"one", "two", "three", "four", "five"};
    for (size_t i = 0; i < ARRAY_LEN(in); i++)
        diag_error(&diags, in[i].pos, "p", "%s", in[i].message);
    diags_sort(&diags);
    cr_assert_eq(diags.count, ARRAY_LEN(out));
    cr_expect_eq(diags.error_count, ARRAY_LEN(out));
    for (size_t i = 0; i < ARRAY_LEN(out); i++)
        cr_expect_str_eq(diags.items[i].message, out[i]);
    diags_done(&diags);
}
