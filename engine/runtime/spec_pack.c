/* SPDX-License-Identifier: Apache-2.0 */
/* The packed form of a spec: what the monitor reads instead of JSON. A header, then records. A
 * record is a row of fields in ascending order; a field is its number (16 bits, position in the
 * table + 1), its type (16 bits), its length (32 bits) and that many bytes; fields that are zero
 * are left out. Strings carry their terminator, so that they can be used where they lie. Every
 * length is checked against what is left before it is believed. */
#include <limits.h>
#include <stdint.h>
#include <string.h>

#include "base/str.h"
#include "engine/runtime/spec.h"
#include "engine/runtime/spec_table.h"

#define PACK_MAGIC     0x63707377u /* "wspc" */
#define PACK_CONTAINER 1u
#define PACK_EXEC      2u
#define PACK_COUNT_MAX 65536u /* elements of one array */

struct pack_header {
    uint32_t magic, version, kind, size;
};
struct pack_field {
    uint16_t number, type;
    uint32_t length;
};

/* ---- writing ----------------------------------------------------------------------------------
 */

static void record_write(struct str *out, const struct spec_table *table, const void *object);

static bool bytes_are_zero(const void *data, size_t size)
{
    const unsigned char *bytes = data;
    for (size_t i = 0; i < size; i++)
        if (bytes[i])
            return false;
    return true;
}

static void u32_write(struct str *out, uint32_t value)
{
    str_add_bytes(out, &value, sizeof(value));
}

static void payload_write(struct str *out, const struct spec_field *field, const char *at,
                          const char *object)
{
    switch (field->type) {
    case SPEC_STRING: {
        const char *text = *(const char *const *)at;
        str_add_bytes(out, text, strlen(text) + 1);
        break;
    }
    case SPEC_STRINGS: {
        const struct spec_strings *strings = (const struct spec_strings *)at;
        u32_write(out, (uint32_t)strings->count);
        for (size_t i = 0; i < strings->count; i++)
            str_add_bytes(out, strings->items[i], strlen(strings->items[i]) + 1);
        break;
    }
    case SPEC_BOOL:
        str_add_bytes(out, at, sizeof(bool));
        break;
    case SPEC_I64:
    case SPEC_U64:
        str_add_bytes(out, at, sizeof(uint64_t));
        break;
    case SPEC_U32:
    case SPEC_ENUM:
        str_add_bytes(out, at, sizeof(uint32_t));
        break;
    case SPEC_BYTES: {
        uint64_t size;
        memcpy(&size, object + field->size_offset, sizeof(size));
        str_add_bytes(out, *(const char *const *)at, size);
        break;
    }
    case SPEC_STRUCT:
        record_write(out, field->table, at);
        break;
    case SPEC_RECORDS: {
        const struct spec_list *list = (const struct spec_list *)at;
        u32_write(out, (uint32_t)list->count);
        for (size_t i = 0; i < list->count; i++) {
            size_t length_at = out->size;
            u32_write(out, 0);
            record_write(out, field->table, (const char *)list->items + i * field->table->size);
            uint32_t length = (uint32_t)(out->size - length_at - sizeof(length));
            memcpy(out->data + length_at, &length, sizeof(length));
        }
        break;
    }
    }
}

static bool field_is_absent(const struct spec_field *field, const char *at)
{
    switch (field->type) {
    case SPEC_STRING:
    case SPEC_BYTES:
        return *(const char *const *)at == NULL;
    case SPEC_STRINGS:
        return ((const struct spec_strings *)at)->count == 0;
    case SPEC_BOOL:
        return !*(const bool *)at;
    case SPEC_I64:
    case SPEC_U64:
        return bytes_are_zero(at, sizeof(uint64_t));
    case SPEC_U32:
    case SPEC_ENUM:
        return bytes_are_zero(at, sizeof(uint32_t));
    case SPEC_STRUCT:
        return bytes_are_zero(at, field->table->size);
    case SPEC_RECORDS:
        return ((const struct spec_list *)at)->count == 0;
    }
    return true;
}

static void record_write(struct str *out, const struct spec_table *table, const void *object)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct spec_field *field = &table->fields[i];
        const char *at = (const char *)object + field->offset;
        if (field_is_absent(field, at))
            continue;
        struct pack_field head = {.number = (uint16_t)(i + 1), .type = (uint16_t)field->type};
        size_t head_at = out->size;
        str_add_bytes(out, &head, sizeof(head));
        payload_write(out, field, at, object);
        head.length = (uint32_t)(out->size - head_at - sizeof(head));
        memcpy(out->data + head_at, &head, sizeof(head));
    }
}

static int spec_pack(const struct spec_table *table, uint32_t kind, const void *object,
                     void **ret_data, size_t *ret_size, struct err *err)
{
    _cleanup_str_ struct str out = {0};
    struct pack_header header = {.magic = PACK_MAGIC, .version = SPEC_VERSION, .kind = kind};
    str_add_bytes(&out, &header, sizeof(header));
    record_write(&out, table, object);
    if (out.size > SPEC_PACKED_MAX)
        return err_set(err, ERR_LIMIT, "specification takes %zu bytes, more than %d", out.size,
                       SPEC_PACKED_MAX);
    header.size = (uint32_t)out.size;
    memcpy(out.data, &header, sizeof(header));
    *ret_size = out.size;
    *ret_data = str_take(&out);
    return 0;
}

/* ---- reading ----------------------------------------------------------------------------------
 */

struct cursor {
    const char *at, *end;
};

static int record_read(struct arena *arena, struct cursor cursor, const struct spec_table *table,
                       void *object, struct err *err);

static int field_bad(const struct spec_field *field, struct err *err)
{
    return err_set(err, ERR_CORRUPT, "packed specification: field '%s' is damaged", field->name);
}

static bool u32_read(struct cursor *cursor, uint32_t *ret_value)
{
    if (cursor->end - cursor->at < (ptrdiff_t)sizeof(*ret_value))
        return false;
    memcpy(ret_value, cursor->at, sizeof(*ret_value));
    cursor->at += sizeof(*ret_value);
    return true;
}

static int strings_read(struct arena *arena, struct cursor cursor, const struct spec_field *field,
                        char *at, struct err *err)
{
    struct spec_strings strings;
    uint32_t count;
    if (!u32_read(&cursor, &count) || count > PACK_COUNT_MAX ||
        (ptrdiff_t)count > cursor.end - cursor.at)
        return field_bad(field, err);
    strings.count = count;
    strings.items = arena_alloc(arena, (count + 1) * sizeof(*strings.items));
    for (uint32_t i = 0; i < count; i++) {
        const char *end = memchr(cursor.at, 0, (size_t)(cursor.end - cursor.at));
        if (!end)
            return field_bad(field, err);
        strings.items[i] = cursor.at;
        cursor.at = end + 1;
    }
    if (cursor.at != cursor.end)
        return field_bad(field, err);
    memcpy(at, &strings, sizeof(strings));
    return 0;
}

static int records_read(struct arena *arena, struct cursor cursor, const struct spec_field *field,
                        char *at, struct err *err)
{
    struct spec_list list;
    uint32_t count;
    if (!u32_read(&cursor, &count) || count > PACK_COUNT_MAX ||
        (ptrdiff_t)(count * sizeof(uint32_t)) > cursor.end - cursor.at)
        return field_bad(field, err);
    list.count = count;
    list.items = arena_alloc(arena, (count + 1) * field->table->size);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t length;
        if (!u32_read(&cursor, &length) || (ptrdiff_t)length > cursor.end - cursor.at)
            return field_bad(field, err);
        struct cursor item = {cursor.at, cursor.at + length};
        if (record_read(arena, item, field->table, (char *)list.items + i * field->table->size,
                        err) < 0)
            return -1;
        cursor.at += length;
    }
    if (cursor.at != cursor.end)
        return field_bad(field, err);
    memcpy(at, &list, sizeof(list));
    return 0;
}

static int scalar_read(struct cursor cursor, const struct spec_field *field, size_t size, char *at,
                       struct err *err)
{
    if ((size_t)(cursor.end - cursor.at) != size)
        return field_bad(field, err);
    memcpy(at, cursor.at, size);
    return 0;
}

static int payload_read(struct arena *arena, struct cursor cursor, const struct spec_field *field,
                        char *at, char *object, struct err *err)
{
    size_t length = (size_t)(cursor.end - cursor.at);
    switch (field->type) {
    case SPEC_STRING:
        if (length == 0 || memchr(cursor.at, 0, length) != cursor.end - 1)
            return field_bad(field, err);
        memcpy(at, &cursor.at, sizeof(cursor.at));
        return 0;
    case SPEC_STRINGS:
        return strings_read(arena, cursor, field, at, err);
    case SPEC_BOOL:
        if (length != 1 || (unsigned char)*cursor.at > 1)
            return field_bad(field, err);
        *(bool *)at = *cursor.at != 0;
        return 0;
    case SPEC_I64:
    case SPEC_U64:
        return scalar_read(cursor, field, sizeof(uint64_t), at, err);
    case SPEC_U32:
        return scalar_read(cursor, field, sizeof(uint32_t), at, err);
    case SPEC_ENUM: {
        uint32_t value = UINT32_MAX, words = 0;
        while (field->words[words])
            words++;
        if (length != sizeof(value))
            return field_bad(field, err);
        memcpy(&value, cursor.at, sizeof(value));
        if (value >= words)
            return field_bad(field, err);
        memcpy(at, &value, sizeof(value));
        return 0;
    }
    case SPEC_BYTES: {
        uint64_t size = length;
        memcpy(at, &cursor.at, sizeof(cursor.at));
        memcpy(object + field->size_offset, &size, sizeof(size));
        return 0;
    }
    case SPEC_STRUCT:
        return record_read(arena, cursor, field->table, at, err);
    case SPEC_RECORDS:
        return records_read(arena, cursor, field, at, err);
    }
    return field_bad(field, err);
}

static int record_read(struct arena *arena, struct cursor cursor, const struct spec_table *table,
                       void *object, struct err *err)
{
    unsigned last = 0;
    while (cursor.at < cursor.end) {
        struct pack_field head;
        if (cursor.end - cursor.at < (ptrdiff_t)sizeof(head))
            return err_set(err, ERR_CORRUPT, "packed specification: truncated");
        memcpy(&head, cursor.at, sizeof(head));
        cursor.at += sizeof(head);
        if (head.number <= last || (ptrdiff_t)head.length > cursor.end - cursor.at)
            return err_set(err, ERR_CORRUPT, "packed specification: field %u is damaged",
                           head.number);
        if (head.number > table->count)
            return err_set(err, ERR_UNSUPPORTED,
                           "packed specification: field %u is newer than this monitor",
                           head.number);
        const struct spec_field *field = &table->fields[head.number - 1];
        if (head.type != field->type)
            return field_bad(field, err);
        struct cursor payload = {cursor.at, cursor.at + head.length};
        if (payload_read(arena, payload, field, (char *)object + field->offset, object, err) < 0)
            return -1;
        cursor.at += head.length;
        last = head.number;
    }
    return 0;
}

static int spec_unpack(struct arena *arena, const struct spec_table *table, uint32_t kind,
                       const void *data, size_t size, void *object, struct err *err)
{
    struct pack_header header;
    if (size > SPEC_PACKED_MAX)
        return err_set(err, ERR_LIMIT, "packed specification takes %zu bytes, more than %d", size,
                       SPEC_PACKED_MAX);
    if (size < sizeof(header))
        return err_set(err, ERR_CORRUPT, "packed specification: truncated");
    memcpy(&header, data, sizeof(header));
    if (header.magic != PACK_MAGIC || header.kind != kind || header.size != size)
        return err_set(err, ERR_CORRUPT, "packed specification: bad header");
    if (header.version > SPEC_VERSION)
        return err_set(err, ERR_UNSUPPORTED, "packed specification of version %u, known is %d",
                       header.version, SPEC_VERSION);
    struct cursor cursor = {(const char *)data + sizeof(header), (const char *)data + size};
    return record_read(arena, cursor, table, object, err);
}

int container_spec_pack(const struct container_spec *spec, void **ret_data, size_t *ret_size,
                        struct err *err)
{
    return spec_pack(&spec_container_table, PACK_CONTAINER, spec, ret_data, ret_size, err);
}

int container_spec_unpack(struct arena *arena, const void *data, size_t size,
                          struct container_spec *ret_spec, struct err *err)
{
    struct container_spec spec = {0};
    if (spec_unpack(arena, &spec_container_table, PACK_CONTAINER, data, size, &spec, err) < 0)
        return -1;
    if (!spec.id || !spec.state_dir || !spec.run_dir || spec.process.argv.count == 0)
        return err_set(err, ERR_CORRUPT,
                       "packed specification: id, state_dir, run_dir and process.argv are needed");
    if (spec.layers.count > SPEC_LAYERS_MAX)
        return err_set(err, ERR_LIMIT, "%zu layers, more than %d", spec.layers.count,
                       SPEC_LAYERS_MAX);
    *ret_spec = spec;
    return 0;
}

int exec_spec_pack(const struct exec_spec *spec, void **ret_data, size_t *ret_size, struct err *err)
{
    return spec_pack(&spec_exec_table, PACK_EXEC, spec, ret_data, ret_size, err);
}

int exec_spec_unpack(struct arena *arena, const void *data, size_t size, struct exec_spec *ret_spec,
                     struct err *err)
{
    struct exec_spec spec = {0};
    if (spec_unpack(arena, &spec_exec_table, PACK_EXEC, data, size, &spec, err) < 0)
        return -1;
    if (spec.process.argv.count == 0)
        return err_set(err, ERR_CORRUPT, "packed specification: process.argv is needed");
    *ret_spec = spec;
    return 0;
}
