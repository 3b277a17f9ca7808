/* SPDX-License-Identifier: Apache-2.0 */
/* test_log_options.c - which driver obeys which option, and the forms of their values. */
#include <criterion/criterion.h>
#include <string.h>

#include "base/mem.h"
#include "parser/log_options.h"

Test(log_options, each_driver_has_its_own)
{
    static const struct { const char *driver, *key, *value, *expected; } cases[] = {
        {NULL, "max-size", "10m", NULL}, {"", "max-size", "-1", NULL}, {"json-file", "max-size", "0", "a size such as 10m"},
        {"local", "max-file", "1000", NULL}, {"local", "max-file", "1001", "a number from 1 to 1000"},
        {"json-file", "compress", "yes", "true or false"}, {"json-file", "compress", "true", NULL}, {"json-file", "compress", "tru", "true or false"},
        {"json-file", "mode", "blocking", NULL}, {"json-file", "mode", "non-blocking", "blocking"}, {"syslog", "mode", "non-blocking", NULL},
        {"none", "tag", "x", "no options"}, {"local", "tag", "x", "compress, max-file, max-size or mode"}, {"journald", "tag", "{{.Name}}", NULL},
        {"journald", "env", "A,B", NULL}, {"journald", "syslog-facility", "mail", "cache-compress, cache-disabled, cache-max-file, "
         "cache-max-size, env, labels, max-buffer-size, mode or tag"},
        {"syslog", "syslog-facility", "mail", NULL}, {"syslog", "syslog-facility", "post", "a facility such as daemon or local0"},
        {"syslog", "syslog-format", "rfc5424micro", NULL}, {"syslog", "syslog-format", "rfc", "rfc3164|rfc5424|rfc5424micro"},
        {"syslog", "syslog-address", "udp://127.0.0.1", NULL}, {"gelf", "tag", "x", LOG_DRIVERS},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *expected = log_option_expected(cases[i].driver, cases[i].key, cases[i].value);
        cr_expect((!expected && !cases[i].expected) || (expected && cases[i].expected && strcmp(expected, cases[i].expected) == 0),
                  "case %zu: %s", i, expected ? expected : "nothing");
    }
    cr_expect(log_driver_is_known(NULL) && log_driver_is_known("syslog") && !log_driver_is_known("gelf"));
}

Test(log_options, addresses)
{
    static const struct { const char *text; enum log_transport transport; const char *host; int port; } good[] = {
        {"udp://192.0.2.1", LOG_TRANSPORT_UDP, "192.0.2.1", 514}, {"tcp://localhost:601", LOG_TRANSPORT_TCP, "127.0.0.1", 601},
        {"tcp://[2001:db8::1]:1", LOG_TRANSPORT_TCP, "2001:db8::1", 1}, {"unix:///dev/log", LOG_TRANSPORT_UNIX, "/dev/log", 514},
        {"unixgram:///x", LOG_TRANSPORT_UNIX, "/x", 514}, {"udp://[::1]", LOG_TRANSPORT_UDP, "::1", 514},
    };
    static const char *const bad[] = {"", "udp:", "udp://", "192.0.2.1", "http://192.0.2.1", "udp://name", "udp://192.0.2.1:0",
                                      "udp://192.0.2.1:65536", "udp://[::1", "udp://[::1]x", "unix://relative", "tcp://:514", "udp://192.0.2.1:"};
    struct log_address address;
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        cr_assert(log_address_parse(good[i].text, &address), "case '%s'", good[i].text);
        cr_expect(address.transport == good[i].transport && address.port == good[i].port && strcmp(address.host, good[i].host) == 0,
                  "case '%s': %s %d", good[i].text, address.host, address.port);
    }
    for (size_t i = 0; i < ARRAY_LEN(bad); i++)
        cr_expect_not(log_address_parse(bad[i], &address), "case '%s'", bad[i]);
    char path[200] = "unix:///";
    memset(path + 8, 'x', 150);
    path[158] = '\0';
    cr_expect_not(log_address_parse(path, &address), "longer than a socket's name can be");
}

Test(log_options, facilities)
{
    static const struct { const char *text; int facility; } cases[] = {
        {NULL, 3}, {"", 3}, {"kern", 0}, {"local7", 23}, {"16", 16}, {"24", -1}, {"-1", -1}, {"local8", -1},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        int facility;
        bool good = log_facility_parse(cases[i].text, &facility);
        cr_expect(good == (cases[i].facility >= 0) && (!good || facility == cases[i].facility), "case %zu", i);
    }
}

Test(log_options, tags)
{
    const struct log_tag_values values = {.id = "0123456789abcdef", .name = "p-web-1", .image_id = "sha256:fedcba9876543210", .image = "nginx:1"};
    static const struct { const char *template, *text; } cases[] = {
        {NULL, "0123456789ab"}, {"", ""}, {"plain", "plain"}, {"{{.ID}}/{{ .Name }}", "0123456789ab/p-web-1"},
        {"{{.FullID}} {{.ImageID}} {{.ImageFullID}}", "0123456789abcdef fedcba987654 sha256:fedcba9876543210"},
        {"{{.ImageName}}@{{.DaemonName}}", "nginx:1@winch"}, {"{{.Other}}", NULL}, {"{{.ID", NULL}, {"{{.ID x}}", NULL}, {"{{}}", NULL},
    };
    char out[64];
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        bool good = log_tag_format(cases[i].template, &values, out, sizeof(out));
        cr_expect_eq(good, cases[i].text != NULL, "case %zu", i);
        if (good && cases[i].text)
            cr_expect_str_eq(out, cases[i].text);
    }
    cr_expect_not(log_tag_format("{{.Name}}", &values, out, 7), "too long is no tag");
}
