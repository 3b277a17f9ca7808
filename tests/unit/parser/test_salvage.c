/* SPDX-License-Identifier: Apache-2.0 */
/* One run shows what is wrong in all parts of all files, and nothing that is wrong only because something else is.
 * tests/golden/parser/salvage.yaml has the whole picture. */
#include "base/str.h"
#include "tests/unit/parser/helper.h"

#define GOOD "services:\n  web: {image: x}\n"

/* wanted: pieces of the findings, by '|', in this order; their number is the number of errors. */
static const struct { const char *base, *over, *wanted; } files[] = {
    {"services:\n  web: {imagee: x}\n  db: {image: x, networks: [n]}\n", GOOD, "'imagee'|undefined network n"},
    {GOOD, "services: {db: {imagee: x}, web: {depends_on: [nobody]}}\n", "'imagee'|undefined service \"nobody\""},
    {"services:\n  web: {imagee: x}\n  db: {image: x, depends_on: [web], additional: 1}\n", GOOD, "'imagee'|'additional'"},
    {"services:\n  my.web: {imagee: x}\n  my: {image: x, networks: [n]}\n", GOOD, "'imagee'|undefined network n"},
    {"services:\n  web: {image: x, image: y}\n  db: {image: x, networks: [n]}\n", GOOD, "'image' is already|undefined network n"},
    {"services:\n  web: {image: x, 1: y, 2: z}\n", GOOD, "non-string key: 1|non-string key: 2"},
    {"services:\n  web: {image: \"${\"}\n  db: {image: x, networks: [n]}\n", GOOD, "invalid interpolation|undefined network n"},
    {"services:\n  web: {image: x, secrets: [s]}\nsecrets: {s: {fille: x}}\n", "services: {web: {volumes: [v:/v]}}\n",
     "'fille'|undefined volume v"},
    {"services:\n  web: 3\n  db: {image: x, networks: [n]}\n", "services: {db: {ports: [http]}}\n", "services.web|undefined network n|'http'"},
    /* what is lost may be what others refer to: the schema's findings only */
    {"services:\n  web: [\n", "services: {db: {imagee: x, depends_on: [nobody]}}\n", "compose.yaml|'imagee'"},
    {"serviecs:\n  db: {image: x}\n", "services: {web: {image: x, depends_on: [db]}}\n", "'serviecs'"},
    {"services: []\n", "services: {web: {image: x, depends_on: [db]}}\n", "services"},
    {"services:\n  web: {extends: {service: gone}, networks: [n]}\n", "services: {db: {imagee: x}}\n", "\"gone\"|'imagee'"},
};

Test(salvage, shows_what_is_wrong_elsewhere_and_no_consequences)
{
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        struct loaded loaded = test_load_two(files[i].base, files[i].over);
        const char *at = loaded.findings;
        size_t errors = 0;
        char **wanted = strv_split(files[i].wanted, "|");
        cr_expect_null(loaded.project, "case %zu", i);
        for (const char *error = at; (error = strstr(error, ": error: ")); error++)
            errors++;
        for (size_t j = 0; wanted[j] && at; j++) {
            at = strstr(at, wanted[j]);
            cr_expect(at, "case %zu: no '%s' (in this order) in:\n%s", i, wanted[j], loaded.findings);
        }
        cr_expect_eq(errors, strv_len(wanted), "case %zu: %zu errors:\n%s", i, errors, loaded.findings);
        strv_free(wanted);
    }
}
