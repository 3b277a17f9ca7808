/* SPDX-License-Identifier: Apache-2.0 */
/* References and digests: what is one, what is none, and the forms they are shown in. */
#include <criterion/criterion.h>

#include "base/str.h"
#include "engine/engine.h"
#include "engine/image/ref.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
    const char *text, *full, *familiar;
} good[] = {
    {"nginx", "docker.io/library/nginx:latest", "nginx:latest"},
    {"nginx:1.25", "docker.io/library/nginx:1.25", "nginx:1.25"},
    {"a/b", "docker.io/a/b:latest", "a/b:latest"},
    {"docker.io/nginx", "docker.io/library/nginx:latest", "nginx:latest"},
    {"index.docker.io/a/b:2", "docker.io/a/b:2", "a/b:2"},
    {"ghcr.io/a/b:x", "ghcr.io/a/b:x", "ghcr.io/a/b:x"},
    {"localhost/x", "localhost/x:latest", "localhost/x:latest"},
    {"127.0.0.1:5000/x/y:T_1", "127.0.0.1:5000/x/y:T_1", "127.0.0.1:5000/x/y:T_1"},
    {"[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000/x:latest"},
    {"UP/x", "UP/x:latest", "UP/x:latest"},
    {"docker.io/x.y/z", "docker.io/x.y/z:latest", "docker.io/x.y/z:latest"},
    {"a__b/c--d.e", "docker.io/a__b/c--d.e:latest", "a__b/c--d.e:latest"},
    {"x@sha256:" HEX64, "docker.io/library/x@sha256:" HEX64, "x@sha256:" HEX64},
    {"x:1@sha256:" HEX64, "docker.io/library/x:1@sha256:" HEX64, "x:1@sha256:" HEX64},
};

Test(image_ref, normalizes_and_shortens)
{
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct err err = {0};
        _cleanup_free_ char *full = NULL;
        cr_assert_eq(image_ref_normalize(good[i].text, &full, &err), 0, "case '%s': %s",
                     good[i].text, err.message);
        cr_expect_str_eq(full, good[i].full, "case '%s'", good[i].text);
        _cleanup_free_ char *familiar = image_ref_familiar(full);
        cr_expect_str_eq(familiar, good[i].familiar, "case '%s'", good[i].text);
        _cleanup_free_ char *again = NULL;
        cr_expect_eq(image_ref_normalize(familiar, &again, &err), 0);
        cr_expect_str_eq(again, full, "the short form of '%s' means the same", good[i].text);
    }
}

static const char *const bad[] = {
    "",
    "/",
    "/x",
    "x/",
    "x:",
    "x:a:b",
    "Nginx",
    "a//b",
    "a/../b",
    "../x",
    "host.io/../../x",
    "x@",
    "x@sha256:abc",
    "x@md5:" HEX64,
    "x@sha256:" HEX64 "0",
    "x@sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
    "x y",
    "x\n",
    "%2e%2e/x",
    "a..b",
    "a___b",
    "-a",
    "a-",
    "_a",
    "a_",
    ".a",
    "x:-t",
    "x:.t",
    "host.io:0/x",
    "host.io:65536/x",
    "host.io:/x",
    "[::1/x",
    "[]/x",
    "a.b-.c/x",
    "a..c/x",
    HEX64,
    "library/" HEX64,
    "x:t@sha256:" HEX64 "@sha256:" HEX64,
    "\xc3\xa9/x",
};

Test(image_ref, refuses_what_is_no_reference)
{
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct err err = {0};
        char *full = NULL;
        cr_expect_eq(image_ref_normalize(bad[i], &full, &err), -1, "case '%s' gave '%s'", bad[i],
                     full ? full : "");
        cr_expect_eq(err.code, ERR_CONFIG, "case '%s'", bad[i]);
        cr_expect_null(full);
    }
}

Test(image_ref, bounds_the_length)
{
    char text[4001];
    struct err err = {0};
    struct image_ref ref;
    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    cr_expect_eq(image_ref_parse(text, &ref, &err), -1);
    text[300] = '\0';
    cr_expect_eq(image_ref_parse(text, &ref, &err), -1);
    cr_expect_eq(err.code, ERR_CONFIG);
}

Test(image_ref, knows_digests)
{
    cr_expect(digest_is_valid("sha256:" HEX64));
    cr_expect_not(digest_is_valid(HEX64));
    cr_expect_not(digest_is_valid("sha512:" HEX64));
    cr_expect_not(digest_is_valid("sha256:" HEX64 "/"));
    cr_expect_not(digest_is_valid(NULL));
    cr_expect_str_eq(digest_hex("sha256:" HEX64), HEX64);
}
