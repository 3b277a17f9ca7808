/* SPDX-License-Identifier: Apache-2.0 */
/* Specs as JSON objects, by the rows of spec_table.h: only what differs from zero is written, an
 * unknown field is refused with its path. Bytes that are no text are written as {"hex":"…"}. */
#include <string.h>

#include "base/json.h"
#include "base/str.h"
#include "base/utf8.h"
#include "engine/runtime/spec.h"
#include "engine/runtime/spec_table.h"

/* ---- writing ----------------------------------------------------------------------------------
 */

static struct jv *record_to_json(const struct spec_table *table, const void *object);

static bool bytes_are_text(const char *data, size_t size)
{
    for (size_t at = 0, length; at < size; at += length)
        if (data[at] == '\0' || (length = utf8_decode(data + at, size - at, NULL)) == 0)
            return false;
    return true;
}

static struct jv *bytes_to_json(const char *data, size_t size)
{
    if (bytes_are_text(data, size)) {
        _cleanup_free_ char *text = xstrndup(data, size);
        return jv_string(text);
    }
    _cleanup_str_ struct str hex = {0};
    for (size_t i = 0; i < size; i++)
        str_addf(&hex, "%02x", (unsigned char)data[i]);
    struct jv *object = jv_object();
    jv_set_str(object, "hex", str_text(&hex));
    return object;
}

/* NULL when the field is zero. */
static struct jv *field_to_json(const struct spec_field *field, const char *at, const char *object)
{
    switch (field->type) {
    case SPEC_STRING: {
        const char *text = *(const char *const *)at;
        return text ? jv_string(text) : NULL;
    }
    case SPEC_STRINGS: {
        const struct spec_strings *strings = (const struct spec_strings *)at;
        if (strings->count == 0)
            return NULL;
        struct jv *array = jv_array();
        for (size_t i = 0; i < strings->count; i++)
            jv_add(array, jv_string(strings->items[i]));
        return array;
    }
    case SPEC_BOOL:
        return *(const bool *)at ? jv_bool(true) : NULL;
    case SPEC_I64:
    case SPEC_U64: {
        int64_t value;
        memcpy(&value, at, sizeof(value));
        return value ? jv_int(value) : NULL;
    }
    case SPEC_U32:
    case SPEC_ENUM: {
        uint32_t value;
        memcpy(&value, at, sizeof(value));
        if (value == 0)
            return NULL;
        return field->type == SPEC_ENUM ? jv_string(field->words[value]) : jv_int(value);
    }
    case SPEC_BYTES: {
        uint64_t size;
        memcpy(&size, object + field->size_offset, sizeof(size));
        const char *data = *(const char *const *)at;
        return data ? bytes_to_json(data, size) : NULL;
    }
    case SPEC_STRUCT: {
        struct jv *value = record_to_json(field->table, at);
        if (jv_count(value) > 0)
            return value;
        jv_free(value);
        return NULL;
    }
    case SPEC_RECORDS: {
        const struct spec_list *list = (const struct spec_list *)at;
        if (list->count == 0)
            return NULL;
        struct jv *array = jv_array();
        for (size_t i = 0; i < list->count; i++)
            jv_add(array, record_to_json(field->table,
                                         (const char *)list->items + i * field->table->size));
        return array;
    }
    }
    return NULL;
}

static struct jv *record_to_json(const struct spec_table *table, const void *object)
{
    struct jv *result = jv_object();
    for (size_t i = 0; i < table->count; i++) {
        const struct spec_field *field = &table->fields[i];
        struct jv *value = field_to_json(field, (const char *)object + field->offset, object);
        if (value)
            jv_set(result, field->name, value);
    }
    return result;
}

struct jv *container_spec_to_json(const struct container_spec *spec)
{
    return record_to_json(&spec_container_table, spec);
}

/* ---- reading ----------------------------------------------------------------------------------
 */

static int record_from_json(struct arena *arena, const struct jv *value,
                            const struct spec_table *table, void *object, struct err *err);

static int kind_bad(const char *wanted, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "is not %s", wanted);
}

static int strings_from_json(struct arena *arena, const struct jv *value, char *at, struct err *err)
{
    if (jv_kind(value) != JV_ARRAY)
        return kind_bad("an array of strings", err);
    struct spec_strings strings = {.count = jv_count(value)};
    strings.items = arena_alloc(arena, (strings.count + 1) * sizeof(*strings.items));
    for (size_t i = 0; i < strings.count; i++) {
        const char *text = jv_text(jv_at(value, i));
        if (!text)
            return kind_bad("an array of strings", err);
        strings.items[i] = arena_strdup(arena, text);
    }
    memcpy(at, &strings, sizeof(strings));
    return 0;
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef", *found = c ? strchr(digits, c) : NULL;
    return found ? (int)(found - digits) : -1;
}

static int bytes_from_json(struct arena *arena, const struct jv *value,
                           const struct spec_field *field, char *at, char *object, struct err *err)
{
    const char *text = jv_text(value), *hex = text ? NULL : jv_get_str(value, "hex", NULL);
    if (!text && (!hex || strlen(hex) % 2))
        return kind_bad("text or {\"hex\"}", err);
    uint64_t size = text ? strlen(text) : strlen(hex) / 2;
    char *data = arena_alloc(arena, size + 1);
    for (uint64_t i = 0; i < size; i++) {
        if (text) {
            data[i] = text[i];
            continue;
        }
        int high = hex_digit(hex[2 * i]), low = hex_digit(hex[2 * i + 1]);
        if (high < 0 || low < 0)
            return kind_bad("text or {\"hex\"}", err);
        data[i] = (char)(high * 16 + low);
    }
    memcpy(at, &data, sizeof(data));
    memcpy(object + field->size_offset, &size, sizeof(size));
    return 0;
}

static int enum_from_json(const struct jv *value, const struct spec_field *field, char *at,
                          struct err *err)
{
    const char *text = jv_text(value);
    for (uint32_t i = 0; text && field->words[i]; i++)
        if (str_eq(text, field->words[i])) {
            memcpy(at, &i, sizeof(i));
            return 0;
        }
    return kind_bad("a known word", err);
}

static int records_from_json(struct arena *arena, const struct jv *value,
                             const struct spec_field *field, char *at, struct err *err)
{
    if (jv_kind(value) != JV_ARRAY)
        return kind_bad("an array", err);
    struct spec_list list = {.count = jv_count(value)};
    list.items = arena_alloc(arena, (list.count + 1) * field->table->size);
    for (size_t i = 0; i < list.count; i++)
        if (record_from_json(arena, jv_at(value, i), field->table,
                             (char *)list.items + i * field->table->size, err) < 0)
            return err_wrap(err, "[%zu]", i);
    memcpy(at, &list, sizeof(list));
    return 0;
}

static int integer_from_json(const struct jv *value, const struct spec_field *field, char *at,
                             struct err *err)
{
    if (jv_kind(value) != JV_INT)
        return kind_bad("an integer", err);
    int64_t number = jv_int_value(value, 0);
    if (field->type == SPEC_U32) {
        if (number < 0 || number > UINT32_MAX)
            return kind_bad("a 32-bit number", err);
        uint32_t small = (uint32_t)number;
        memcpy(at, &small, sizeof(small));
    } else {
        memcpy(at, &number, sizeof(number));
    }
    return 0;
}

static int field_from_json(struct arena *arena, const struct jv *value,
                           const struct spec_field *field, char *object, struct err *err)
{
    char *at = object + field->offset;
    switch (field->type) {
    case SPEC_STRING: {
        if (!jv_text(value))
            return kind_bad("a string", err);
        char *text = arena_strdup(arena, jv_text(value));
        memcpy(at, &text, sizeof(text));
        return 0;
    }
    case SPEC_STRINGS:
        return strings_from_json(arena, value, at, err);
    case SPEC_BOOL:
        if (jv_kind(value) != JV_BOOL)
            return kind_bad("true or false", err);
        *(bool *)at = jv_bool_value(value, false);
        return 0;
    case SPEC_I64:
    case SPEC_U64:
    case SPEC_U32:
        return integer_from_json(value, field, at, err);
    case SPEC_ENUM:
        return enum_from_json(value, field, at, err);
    case SPEC_BYTES:
        return bytes_from_json(arena, value, field, at, object, err);
    case SPEC_STRUCT:
        return record_from_json(arena, value, field->table, at, err);
    case SPEC_RECORDS:
        return records_from_json(arena, value, field, at, err);
    }
    return kind_bad("a known kind", err);
}

static const struct spec_field *field_find(const struct spec_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++)
        if (str_eq(table->fields[i].name, name))
            return &table->fields[i];
    return NULL;
}

static int record_from_json(struct arena *arena, const struct jv *value,
                            const struct spec_table *table, void *object, struct err *err)
{
    if (jv_kind(value) != JV_OBJECT)
        return kind_bad("an object", err);
    const char *key;
    struct jv *member;
    JV_EACH(value, key, member)
    {
        const struct spec_field *field = field_find(table, key);
        if (!field)
            return err_set(err, ERR_CORRUPT, "field '%s' is unknown", key);
        if (field_from_json(arena, member, field, object, err) < 0)
            return err_wrap(err, "field '%s'", key);
    }
    return 0;
}

int container_spec_from_json(struct arena *arena, const struct jv *value,
                             struct container_spec *ret_spec, struct err *err)
{
    struct container_spec spec = {0};
    if (record_from_json(arena, value, &spec_container_table, &spec, err) < 0)
        return -1;
    *ret_spec = spec;
    return 0;
}
