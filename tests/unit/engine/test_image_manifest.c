/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests: one document has one meaning, and every bound holds. */
#include <criterion/criterion.h>

#include "base/str.h"
#include "engine/image/manifest.h"

#define D0  "sha256:0000000000000000000000000000000000000000000000000000000000000000"
#define D1  "sha256:1111111111111111111111111111111111111111111111111111111111111111"
#define OCI "application/vnd.oci.image."
#define CONFIG                                                                                     \
    "\"config\":{\"mediaType\":\"" OCI "config.v1+json\",\"digest\":\"" D0 "\",\"size\":10}"
#define LAYER    "{\"mediaType\":\"" OCI "layer.v1.tar+gzip\",\"digest\":\"" D1 "\",\"size\":20}"
#define MANIFEST OCI "manifest.v1+json"
#define INDEX    OCI "index.v1+json"

Test(manifest, reads_an_oci_manifest)
{
    const char *text = "{\"schemaVersion\":2," CONFIG ",\"layers\":[" LAYER "," LAYER "]}";
    struct manifest manifest;
    struct err err = {0};
    cr_assert_eq(manifest_parse(text, strlen(text), MANIFEST "; charset=utf-8", &manifest, &err), 0,
                 "%s", err.message);
    cr_expect_not(manifest.is_index);
    cr_expect_str_eq(manifest.config.digest, D0);
    cr_expect_eq(manifest.list.count, 2);
    cr_expect_eq(manifest.list.items[1].size, 20);
    manifest_done(&manifest);
}

static const struct {
    const char *why, *text, *type;
    enum err_code code;
} bad[] = {
    {"both kinds", "{\"schemaVersion\":2," CONFIG ",\"layers\":[" LAYER "],\"manifests\":[]}",
     MANIFEST, ERR_CORRUPT},
    {"both kinds as index", "{\"schemaVersion\":2,\"layers\":[],\"manifests\":[]}", INDEX,
     ERR_CORRUPT},
    {"config in an index", "{\"schemaVersion\":2," CONFIG ",\"manifests\":[]}", INDEX, ERR_CORRUPT},
    {"type differs from header",
     "{\"schemaVersion\":2,\"mediaType\":\"" INDEX "\"," CONFIG ",\"layers\":[" LAYER "]}",
     MANIFEST, ERR_CORRUPT},
    {"index without manifests", "{\"schemaVersion\":2}", INDEX, ERR_CORRUPT},
    {"manifest without layers", "{\"schemaVersion\":2," CONFIG "}", MANIFEST, ERR_CORRUPT},
    {"schema 1", "{\"schemaVersion\":1,\"fsLayers\":[]}", MANIFEST, ERR_UNSUPPORTED},
    {"schema 1 by type", "{\"schemaVersion\":1}",
     "application/vnd.docker.distribution.manifest.v1+prettyjws", ERR_UNSUPPORTED},
    {"schema 1 inside 2", "{\"schemaVersion\":2," CONFIG ",\"layers\":[" LAYER "],\"fsLayers\":[]}",
     MANIFEST, ERR_CORRUPT},
    {"no schema version", "{" CONFIG ",\"layers\":[" LAYER "]}", MANIFEST, ERR_CORRUPT},
    {"unknown type", "{\"schemaVersion\":2}", "text/html", ERR_UNSUPPORTED},
    {"a config as document", "{\"schemaVersion\":2}", OCI "config.v1+json", ERR_UNSUPPORTED},
    {"not an object", "[]", MANIFEST, ERR_CORRUPT},
    {"duplicate key", "{\"schemaVersion\":2,\"schemaVersion\":2," CONFIG ",\"layers\":[]}",
     MANIFEST, ERR_CORRUPT},
    {"float size",
     "{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":\"" OCI
     "layer.v1.tar\",\"digest\":\"" D1 "\",\"size\":2.5}]}",
     MANIFEST, ERR_CORRUPT},
    {"negative size",
     "{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":\"" OCI
     "layer.v1.tar\",\"digest\":\"" D1 "\",\"size\":-1}]}",
     MANIFEST, ERR_CORRUPT},
    {"bad digest",
     "{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":\"" OCI
     "layer.v1.tar\",\"digest\":\"sha256:12\",\"size\":1}]}",
     MANIFEST, ERR_CORRUPT},
    {"path as digest",
     "{\"schemaVersion\":2," CONFIG ",\"layers\":[{\"mediaType\":\"" OCI
     "layer.v1.tar\",\"digest\":\"sha256:../../../x\",\"size\":1}]}",
     MANIFEST, ERR_CORRUPT},
    {"unknown layer",
     "{\"schemaVersion\":2," CONFIG
     ",\"layers\":[{\"mediaType\":\"application/zip\",\"digest\":\"" D1 "\",\"size\":1}]}",
     MANIFEST, ERR_UNSUPPORTED},
    {"artifact",
     "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"application/"
     "vnd.cncf.helm.config.v1+json\",\"digest\":\"" D0 "\",\"size\":1},\"layers\":[]}",
     MANIFEST, ERR_UNSUPPORTED},
    {"large config",
     "{\"schemaVersion\":2,\"config\":{\"mediaType\":\"" OCI "config.v1+json\",\"digest\":\"" D0
     "\",\"size\":9999999},\"layers\":[]}",
     MANIFEST, ERR_LIMIT},
};

Test(manifest, refuses_documents_with_two_meanings_or_none)
{
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct manifest manifest;
        struct err err = {0};
        cr_expect_eq(manifest_parse(bad[i].text, strlen(bad[i].text), bad[i].type, &manifest, &err),
                     -1, "case '%s'", bad[i].why);
        cr_expect_eq(err.code, bad[i].code, "case '%s': %s", bad[i].why, err.message);
    }
}

Test(manifest, bounds_the_number_of_layers)
{
    _cleanup_str_ struct str text = {0};
    struct manifest manifest;
    struct err err = {0};
    str_add(&text, "{\"schemaVersion\":2," CONFIG ",\"layers\":[" LAYER);
    for (int i = 0; i < 256; i++)
        str_add(&text, "," LAYER);
    str_add(&text, "]}");
    cr_expect_eq(manifest_parse(text.data, text.size, MANIFEST, &manifest, &err), -1);
    cr_expect_eq(err.code, ERR_LIMIT, "%s", err.message);
}

static const struct {
    const char *wanted, *offered[4];
    int best; /* index, -1: none */
} choices[] = {
    {"linux/amd64", {"linux/arm64", "linux/amd64"}, 1},
    {"linux/amd64", {"linux/arm64/v8", "windows/amd64"}, -1},
    {"linux/amd64", {"linux/amd64/v3", "linux/amd64"}, 1},
    {"linux/amd64", {"linux/amd64/v2"}, -1},
    {"linux/arm64", {"linux/arm/v7", "linux/arm64/v8"}, 1},
    {"linux/arm/v7", {"linux/arm/v5", "linux/arm/v6", "linux/arm64"}, 1},
    {"linux/arm/v6", {"linux/arm/v7", "linux/arm/v5"}, 1},
    {"x86_64", {"unknown/unknown", "linux/amd64"}, 1},
};

Test(platform, best_offer_is_chosen)
{
    for (size_t i = 0; i < ARRAY_LEN(choices); i++) {
        struct platform wanted, offered;
        struct err err = {0};
        int best = -1, most = 0;
        cr_assert_eq(platform_parse(choices[i].wanted, &wanted, &err), 0);
        for (int k = 0; k < 4 && choices[i].offered[k]; k++) {
            cr_assert_eq(platform_parse(choices[i].offered[k], &offered, &err), 0);
            int score = platform_score(&wanted, &offered);
            if (score > most) {
                most = score;
                best = k;
            }
        }
        cr_expect_eq(best, choices[i].best, "case %zu: %s", i, choices[i].wanted);
    }
}

Test(platform, nonsense_is_refused)
{
    static const char *const texts[] = {
        "", "/", "linux/", "linux//v7", "a/b/c/d", "linux/am d64", "linux/../x"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct platform platform;
        struct err err = {0};
        cr_expect_eq(platform_parse(texts[i], &platform, &err), -1, "case '%s'", texts[i]);
    }
}
