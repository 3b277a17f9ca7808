/* SPDX-License-Identifier: Apache-2.0 */
/* logging of a service → the spec: driver, files, and what every message carries. Pure. */
#include "orchestrator/translate_parts.h"

#include <ctype.h>
#include <stdio.h>

#include "base/str.h"
#include "base/units.h"
#include "parser/log_options.h"

#define LOCAL_MAX_BYTES (20 * 1024 * 1024)
#define LOCAL_MAX_FILES 5
#define TAG_SIZE        1024

static const char *option(const struct logging *logging, const char *key)
{
    for (size_t i = 0; i < logging->options.count; i++)
        if (str_eq(logging->options.items[i].key, key))
            return logging->options.items[i].value;
    return NULL;
}

static int options_check(const struct logging *logging, struct err *err)
{
    if (!log_driver_is_known(logging->driver))
        return err_set(err, ERR_UNSUPPORTED, "logging.driver: '%s' is not supported (" LOG_DRIVERS ")", logging->driver);
    for (size_t i = 0; i < logging->options.count; i++) {
        const struct kv *item = &logging->options.items[i];
        const char *expected = log_option_expected(logging->driver, item->key, item->value);
        if (expected)
            return err_set(err, ERR_UNSUPPORTED, "logging.options.%s: '%s' is not supported (%s)", item->key,
                           item->value ? item->value : "", expected);
    }
    return 0;
}

static int files_set(const struct logging *logging, bool cache, struct spec_log *log, struct err *err)
{
    const char *size = option(logging, cache ? "cache-max-size" : "max-size");
    const char *count = option(logging, cache ? "cache-max-file" : "max-file");
    const char *compress = option(logging, cache ? "cache-compress" : "compress");
    long long number;
    if (str_eq(logging->driver, "local"))
        *log = (struct spec_log){ .max_bytes = LOCAL_MAX_BYTES, .max_files = LOCAL_MAX_FILES, .compress = true };
    if (size && !bytes_parse(size, &log->max_bytes))
        log->max_bytes = -1; /* "-1", the only other one */
    if (count && parse_i64(count, 1, 1000, &number))
        log->max_files = number;
    if (compress)
        log->compress = str_eq(compress, "true");
    if (str_eq(compress, "true") && (log->max_files == 1 || log->max_bytes < 0))
        return err_set(err, ERR_CONFIG, "logging.options.compress: a log of one file is never compressed (max-file, max-size)");
    return 0;
}

/* ---- what every message carries ---- */

struct fields {
    struct arena *arena;
    struct spec_pair *items;
    size_t count;
};

static void field_add(struct fields *fields, const char *key, const char *value)
{
    fields->items[fields->count++] =
        (struct spec_pair){ .key = arena_strdup(fields->arena, key), .value = arena_strdup(fields->arena, value ? value : "") };
}

/* A journal field's name: letters, digits, underlines; no underline or digit first. */
static char *journal_name(struct arena *arena, const char *key)
{
    while (*key == '_' || isdigit((unsigned char)*key))
        key++;
    char *name = arena_strdup(arena, key);
    for (char *at = name; *at; at++)
        *at = isalnum((unsigned char)*at) ? (char)toupper((unsigned char)*at) : '_';
    return name;
}

/* The variables and labels named by the options `env` and `labels`. */
static void chosen_add(struct fields *fields, const struct logging *logging, const char *name, const struct kv_list *list,
                       bool journal)
{
    char **keys = strv_split(option(logging, name) ? option(logging, name) : "", ",");
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i].value && strv_has(keys, list->items[i].key)) {
            const char *key = journal ? journal_name(fields->arena, list->items[i].key) : list->items[i].key;
            if (key[0])
                field_add(fields, key, list->items[i].value);
        }
    strv_free(keys);
}

static void fields_set(const struct translate_input *input, const struct container_record *record, struct spec_log *log)
{
    const struct service *service = input->service;
    bool journal = log->driver == LOG_DRIVER_JOURNALD;
    struct fields fields = { .arena = record->arena };
    fields.items = arena_alloc(record->arena, (service->environment.count + service->labels.count + 8) * sizeof(*fields.items));
    if (journal) {
        char id[13];
        snprintf(id, sizeof(id), "%s", input->id ? input->id : "");
        field_add(&fields, "CONTAINER_ID", id);
        field_add(&fields, "CONTAINER_ID_FULL", input->id);
        field_add(&fields, "CONTAINER_NAME", record->name);
        field_add(&fields, "CONTAINER_TAG", log->tag);
        field_add(&fields, "SYSLOG_IDENTIFIER", log->tag);
        field_add(&fields, "IMAGE_NAME", record->image);
    } else if (log->driver == LOG_DRIVER_FILE && option(&service->logging, "tag")) {
        field_add(&fields, "tag", log->tag);
    }
    chosen_add(&fields, &service->logging, "labels", &service->labels, journal);
    chosen_add(&fields, &service->logging, "env", &service->environment, journal);
    log->fields.items = fields.items;
    log->fields.count = fields.count;
}

/* The file's records say it as docker's do. */
static void attributes_set(struct arena *arena, struct spec_log *log)
{
    if (log->driver != LOG_DRIVER_FILE || log->fields.count == 0)
        return;
    _cleanup_jv_ struct jv *object = jv_object();
    for (size_t i = 0; i < log->fields.count; i++)
        jv_set_str(object, log->fields.items[i].key, log->fields.items[i].value);
    _cleanup_free_ char *text = jv_dump(object);
    log->attributes = arena_printf(arena, ",\"attrs\":%s", text);
    log->fields.count = 0;
}

static void syslog_set(const struct logging *logging, struct arena *arena, struct spec_log *log)
{
    static const struct { const char *word; enum syslog_format format; } formats[] = {
        { "rfc3164", SYSLOG_RFC3164 }, { "rfc5424", SYSLOG_RFC5424 }, { "rfc5424micro", SYSLOG_RFC5424_MICRO },
    };
    struct log_address address;
    int facility = 0;
    const char *format = option(logging, "syslog-format"), *text = option(logging, "syslog-address");
    for (size_t i = 0; i < ARRAY_LEN(formats); i++)
        if (str_eq(format, formats[i].word))
            log->format = formats[i].format;
    (void)log_facility_parse(option(logging, "syslog-facility"), &facility); /* was checked */
    log->facility = facility;
    if (text && log_address_parse(text, &address)) {
        log->host = arena_strdup(arena, address.host);
        log->port = address.port;
        log->transport = address.transport == LOG_TRANSPORT_UNIX  ? SYSLOG_UNIX
                         : address.transport == LOG_TRANSPORT_UDP ? SYSLOG_UDP
                                                                  : SYSLOG_TCP;
    }
}

int translate_log(const struct translate_input *input, struct container_record *record, struct err *err)
{
    const struct logging *logging = &input->service->logging;
    struct spec_log *log = &record->spec.log;
    char tag[TAG_SIZE];
    bool journald = str_eq(logging->driver, "journald"), syslog = str_eq(logging->driver, "syslog");
    if (options_check(logging, err) < 0 || files_set(logging, journald || syslog, log, err) < 0)
        return -1;
    log->driver = journald                            ? LOG_DRIVER_JOURNALD
                  : syslog                            ? LOG_DRIVER_SYSLOG
                  : str_eq(logging->driver, "none") ? LOG_DRIVER_NONE
                                                      : LOG_DRIVER_FILE;
    log->no_file = str_eq(option(logging, "cache-disabled"), "true");
    if (option(logging, "max-buffer-size") && bytes_parse(option(logging, "max-buffer-size"), &log->buffer_bytes) &&
        (log->buffer_bytes < 64 * 1024 || log->buffer_bytes > LOG_BUFFER_MAX))
        return err_set(err, ERR_CONFIG, "logging.options.max-buffer-size: not between 64k and 64m");
    const struct log_tag_values values = { input->id ? input->id : "", record->name ? record->name : "",
                                           record->image_id ? record->image_id : "", record->image ? record->image : "" };
    if (!log_tag_format(option(logging, "tag"), &values, tag, sizeof(tag)))
        return err_set(err, ERR_LIMIT, "logging.options.tag is too long");
    if (option(logging, "tag") || journald || syslog)
        log->tag = arena_strdup(record->arena, tag);
    fields_set(input, record, log);
    attributes_set(record->arena, log);
    if (syslog)
        syslog_set(logging, record->arena, log);
    if (syslog && log->fields.count > 0 && log->format != SYSLOG_RFC5424 && log->format != SYSLOG_RFC5424_MICRO)
        return err_set(err, ERR_CONFIG, "logging.options: labels and env need syslog-format: rfc5424 or rfc5424micro");
    return 0;
}
