/* SPDX-License-Identifier: Apache-2.0 */
/* log_options.h - logging.driver and logging.options: the table of what is obeyed. Pure. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define LOG_DRIVERS "json-file, local, none, journald or syslog"

/* NULL and "" are the default. */
bool log_driver_is_known(const char *driver);
/* NULL when the option is obeyed by the driver with this value, else what would be. A static string. */
const char *log_option_expected(const char *driver, const char *key, const char *value);

/* udp://HOST[:PORT], tcp://HOST[:PORT], unix://PATH; HOST a numeric address, [IPv6] or localhost. */
enum log_transport { LOG_TRANSPORT_UNIX, LOG_TRANSPORT_UDP, LOG_TRANSPORT_TCP };
struct log_address {
    enum log_transport transport;
    char host[108]; /* or path */
    uint16_t port;
};
bool log_address_parse(const char *text, struct log_address *ret_address);
/* A name ("daemon", "local3") or number 0-23; NULL: daemon. */
bool log_facility_parse(const char *text, int *ret_facility);

struct log_tag_values {
    const char *id, *name, *image_id, *image; /* ids in full */
};
/* Docker's template with {{.ID}} {{.FullID}} {{.Name}} {{.ImageID}} {{.ImageFullID}} {{.ImageName}}
 * {{.DaemonName}}; NULL: the short id. False for another placeholder or a text too long. */
bool log_tag_format(const char *template, const struct log_tag_values *values, char *out, unsigned long size);
