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

Test(diag, more_than_the_limit_are_counted_and_long_ones_cut)
{
    struct diags diags = {0};
    struct diag lost;
    cr_expect_not(diags_lost(&diags, &lost));
    for (unsigned i = 0; i < DIAG_KEPT_MAX + 3; i++) {
        diag_hint(diag_error(&diags, (struct pos){"a", i + 1, 1}, "p", "error %u", i), "hint %u", i);
        diag_warning(&diags, (struct pos){"a", i + 1, 2}, NULL, "warning %u", i);
    }
    diags_sort(&diags);
    cr_expect_eq(diags.count, 2 * DIAG_KEPT_MAX);
    cr_expect_eq(diags.error_count, DIAG_KEPT_MAX + 3);
    cr_assert(diags_lost(&diags, &lost));
    cr_expect_str_eq(lost.message, "3 more errors and 3 more warnings are not shown");
    diag_done(&lost);
    diags_done(&diags);

    char text[DIAG_MESSAGE_MAX + 11];
    memset(text, 'x', sizeof(text) - 1);
    memcpy(text + DIAG_MESSAGE_MAX - 1, "ü", 2); /* not cut in two */
    text[sizeof(text) - 1] = '\0';
    diag_error(&diags, (struct pos){0}, NULL, "%s", text);
    cr_expect_eq(strlen(diags.items[0].message), DIAG_MESSAGE_MAX - 1 + strlen("…"));
    cr_expect_str_eq(diags.items[0].message + DIAG_MESSAGE_MAX - 1, "…");
    diags_done(&diags);
}
