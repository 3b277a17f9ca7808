/* SPDX-License-Identifier: Apache-2.0 */
/* test_err.c - messages grow from the outside in and never lose their cause. */
#include <criterion/criterion.h>
#include <errno.h>

#include "base/err.h"
#include "base/mem.h"

Test(err, context_goes_before_the_message)
{
    struct err err = {0};
    errno = EACCES;
    cr_expect_eq(err_sys(&err, "open %s", "/srv/data"), -1);
    cr_expect_eq(err_wrap(&err, "mount volume '%s'", "data"), -1);
    err_wrap(&err, "service '%s'", "web");
    cr_expect_str_eq(err.message, "service 'web': mount volume 'data': open /srv/data: Permission denied");
    cr_expect_eq(err.code, ERR_SYSTEM);
    cr_expect_eq(err.sys_errno, EACCES);
}

Test(err, a_message_may_quote_itself)
{
    struct err err = {0};
    err_set(&err, ERR_CONFIG, "inner");
    err_set(&err, ERR_CORRUPT, "outer (%s)", err.message);
    cr_expect_str_eq(err.message, "outer (inner)");
    err_wrap(&err, "again %s", err.message);
    cr_expect_str_eq(err.message, "again outer (inner): outer (inner)");
}

Test(err, an_overflow_loses_the_middle)
{
    static const size_t sizes[] = {900, 1010, 1030, 4000, 8000, 100000};
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        struct err err = {0};
        char *name = xcalloc(1, sizes[i] + 1);
        memset(name, 'n', sizes[i]);
        err_sysno(&err, ENOENT, "open %s", name);
        err_wrap(&err, "context %s", name);
        size_t size = strlen(err.message);
        cr_expect_lt(size, sizeof(err.message));
        cr_expect(str_has_prefix(err.message, "context nnn"), "size %zu", sizes[i]);
        cr_expect_str_eq(err.message + size - 27, ": No such file or directory", "size %zu", sizes[i]);
        free(name);
    }
}

Test(err, no_error_struct_is_fine)
{
    cr_expect_eq(err_set(NULL, ERR_CONFIG, "x"), -1);
    cr_expect_eq(err_wrap(NULL, "x"), -1);
    cr_expect_eq(err_hint(NULL, "x"), -1);
    err_clear(NULL);
}

Test(err, every_code_has_a_word_of_its_own)
{
    for (int i = 0; i < ERR_CODE_COUNT_; i++)
        cr_expect_eq(err_code_parse(err_code_text((enum err_code)i)), (enum err_code)i);
    cr_expect_eq(err_code_parse("nonsense"), ERR_INTERNAL);
    cr_expect_eq(err_code_parse(NULL), ERR_INTERNAL);
}
