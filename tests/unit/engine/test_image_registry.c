/* SPDX-License-Identifier: Apache-2.0 */
/* The deciding parts of the registry client: challenges, logins, the host's settings, addresses. */
#include <criterion/criterion.h>

#include "base/str.h"
#include "engine/registry/challenge.h"
#include "engine/registry/credentials.h"
#include "engine/registry/host_config.h"
#include "engine/registry/http.h"

static const struct {
    const char *header, *realm, *service;
    bool good, bearer;
} challenges[] = {
    {"Bearer realm=\"https://a/t\",service=\"s\",scope=\"repository:x:pull\"", "https://a/t", "s",
     true, true},
    {"bearer realm=https://a/t", "https://a/t", NULL, true, true},
    {"Basic realm=\"x\"", "x", NULL, true, false},
    {"Negotiate, Basic realm=\"x\"", "x", NULL, true, false},
    {"Bearer realm=\"a\\\"b, c=d\", service=s", "a\"b, c=d", "s", true, true},
    {"Bearer service=\"s\"", NULL, NULL, false, false},
    {"Bearer realm=\"open", NULL, NULL, false, false},
    {"", NULL, NULL, false, false},
    {",,,", NULL, NULL, false, false},
    {"Digest x=y", NULL, NULL, false, false},
};

Test(challenge, is_understood_or_not)
{
    for (size_t i = 0; i < ARRAY_LEN(challenges); i++) {
        struct challenge challenge = {0};
        bool good = challenge_parse(challenges[i].header, &challenge);
        cr_expect_eq(good, challenges[i].good, "case '%s'", challenges[i].header);
        if (good) {
            cr_expect_eq(challenge.is_bearer, challenges[i].bearer);
            cr_expect(str_eq(challenge.realm, challenges[i].realm), "case '%s': %s",
                      challenges[i].header, challenge.realm);
            cr_expect(str_eq(challenge.service, challenges[i].service));
        }
        challenge_done(&challenge);
    }
}

Test(credentials, match_exactly)
{
    static const char file[] =
        "{\"auths\":{\"a.example\":{\"auth\":\"YTpi\"},\"https://index.docker.io/v1/"
        "\":{\"auth\":\"ZDpk\"},"
        "\"https://b.example:5000\":{\"auth\":\"Yjpi\"},\"bad.example\":{\"auth\":\"no base64\"}},"
        "\"credHelpers\":{\"h.example\":\"pass\"}}";
    static const struct {
        const char *host, *basic;
        int result;
    } cases[] = {
        {"a.example", "YTpi", 0},  {"a.example.evil", NULL, 0}, {"a.example:5001", NULL, 0},
        {"A.EXAMPLE.", NULL, 0},   {"evil-a.example", NULL, 0}, {"b.example:5000", "Yjpi", 0},
        {"b.example", NULL, 0},    {"docker.io", "ZDpk", 0},    {"other.docker.io", NULL, 0},
        {"bad.example", NULL, -1}, {"h.example", NULL, -1},
    };
    _cleanup_jv_ struct jv *parsed = NULL;
    struct err err = {0};
    cr_assert_eq(jv_parse(file, sizeof(file) - 1, &parsed, &err), 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        _cleanup_free_ char *basic = NULL;
        cr_expect_eq(credentials_find_in(parsed, cases[i].host, &basic, &err), cases[i].result,
                     "case %s", cases[i].host);
        cr_expect(str_eq(basic, cases[i].basic), "case %s", cases[i].host);
    }
}

static const char *const settings[] = {
    "registries:\n  mirrors: { docker.io: [\"127.0.0.1:5000\"] }\n  insecure: "
    "[\"127.0.0.1:5000\"]\n",
    "# c\n---\nregistries:   # x\n  mirrors:\n    docker.io:\n      - 127.0.0.1:5000  # y\n  "
    "insecure:\n  - '127.0.0.1:5000'\n",
    "registries: {mirrors: {\"docker.io\": [127.0.0.1:5000]}, insecure: [127.0.0.1:5000]}",
    " {\"registries\":{\"mirrors\":{\"docker.io\":[\"127.0.0.1:5000\"]},\"insecure\":[\"127.0.0.1:"
    "5000\"]}}",
};

Test(host_config, all_forms_mean_the_same)
{
    for (size_t i = 0; i < ARRAY_LEN(settings); i++) {
        struct host_config config = {0};
        struct err err = {0};
        cr_assert_eq(host_config_parse("w.yaml", settings[i], &config, &err), 0, "case %zu: %s", i,
                     err.message);
        cr_expect_str_eq(jv_text(jv_at(jv_find(config.mirrors, "docker.io"), 0)), "127.0.0.1:5000",
                         "case %zu", i);
        cr_expect(host_config_is_insecure(&config, "127.0.0.1:5000"));
        cr_expect_not(host_config_is_insecure(&config, "127.0.0.1:5001"));
        host_config_done(&config);
    }
    struct host_config limits = {0};
    struct err none = {0};
    cr_assert_eq(host_config_parse("w.yaml",
                                   "images: {unpacked_max: 2g, ratio_max: 5}\nregistries:\n",
                                   &limits, &none),
                 0, "%s", none.message);
    cr_expect_eq(limits.unpacked_max, (int64_t)2 << 30);
    cr_expect_eq(limits.ratio_max, 5);
    cr_expect_eq(limits.entries_max, 0);
    host_config_done(&limits);
    static const char *const empty[] = {"", "\n# only\n", "registries:\n",
                                        "registries:\n  mirrors:\n  insecure: []\n"};
    for (size_t i = 0; i < ARRAY_LEN(empty); i++) {
        struct host_config config = {0};
        struct err err = {0};
        cr_expect_eq(host_config_parse("w.yaml", empty[i], &config, &err), 0, "case %zu: %s", i,
                     err.message);
        host_config_done(&config);
    }
}

static const struct {
    const char *text, *where;
} wrong[] = {
    {"registres:\n", "unknown key 'registres'"},
    {"registries:\n  miror: {}\n", "w.yaml:2: unknown key 'registries.miror'"},
    {"registries:\n  insecure: x\n", "registries.insecure"},
    {"registries:\n  insecure: [\"a b\"]\n", "registries.insecure"},
    {"registries:\n\tinsecure: []\n", "w.yaml:2:"},
    {"registries:\n  insecure: [a\n", "w.yaml:2:"},
    {"registries:\n  insecure: &x [a]\n", "w.yaml:2:"},
    {"registries:\n  mirrors: {a: [b]} c\n", "w.yaml:2:"},
    {"registries:\n  mirrors:\n    a: [b]\n    a: [c]\n", "w.yaml:4:"},
    {"registries:\n    x: []\n  y: []\n", "w.yaml:3:"},
    {"  registries:\n", "w.yaml:1:"},
    {"images: {ratio_max: -1}\n", "images.ratio_max"},
    {"images: {ratio: 1}\n", "images.ratio"},
    {"- a\n", "w.yaml"},
    {"{\"registries\":", "w.yaml"},
};

Test(host_config, anything_else_is_an_error_with_its_place)
{
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct host_config config = {0};
        struct err err = {0};
        cr_expect_eq(host_config_parse("w.yaml", wrong[i].text, &config, &err), -1, "case %zu", i);
        cr_expect_eq(err.code, ERR_CONFIG, "case %zu", i);
        cr_expect(strstr(err.message, wrong[i].where), "case %zu: %s", i, err.message);
    }
}

Test(host_config, loopback_is_known)
{
    static const char *const yes[] = {"127.0.0.1", "127.9.9.9:1", "localhost:5000", "[::1]:5",
                                      "[::1]"};
    static const char *const no[] = {"127.0.0.1.evil", "localhost.evil", "128.0.0.1", "127.0.0",
                                     "[::1]x",         "127.0.0.300",    "x"};
    for (size_t i = 0; i < ARRAY_LEN(yes); i++)
        cr_expect(host_is_loopback(yes[i]), "%s", yes[i]);
    for (size_t i = 0; i < ARRAY_LEN(no); i++)
        cr_expect_not(host_is_loopback(no[i]), "%s", no[i]);
}

Test(http, origins_are_compared_whole)
{
    static const struct {
        const char *url, *origin;
    } cases[] = {
        {"https://A.example/x", "https://a.example:443"},
        {"http://a:5000", "http://a:5000"},
        {"ftp://a/", NULL},
        {"https://user:pw@a/", NULL},
        {"file:///etc/passwd", NULL},
        {"nonsense", NULL},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        _cleanup_free_ char *origin = http_url_origin(cases[i].url);
        cr_expect(str_eq(origin, cases[i].origin), "%s: %s", cases[i].url,
                  origin ? origin : "(null)");
    }
    _cleanup_free_ char *relative = http_url_resolve("https://a/b/c", "/d?e=f");
    cr_expect_str_eq(relative, "https://a/d?e=f");
}
