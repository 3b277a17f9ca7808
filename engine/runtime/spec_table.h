/* SPDX-License-Identifier: Apache-2.0 */
/* spec_table.h - the fields of container_spec and exec_spec as rows: type, place and name of each.
 * spec_json.c and spec_pack.c walk them; nobody else lists the fields. The packed form numbers a
 * row by its position in its table, so rows are only ever added at the end. */
#pragma once

#include <stddef.h>

enum spec_type {
    SPEC_STRING,  /* const char * */
    SPEC_STRINGS, /* struct spec_strings */
    SPEC_BOOL,    /* bool */
    SPEC_I64,     /* int64_t */
    SPEC_U64,     /* uint64_t */
    SPEC_U32,     /* uint32_t */
    SPEC_ENUM,    /* int-sized; words are its names, NULL-terminated */
    SPEC_BYTES,   /* const char * at offset, uint64_t at size_offset */
    SPEC_STRUCT,  /* embedded struct described by table */
    SPEC_RECORDS, /* SPEC_LIST of structs described by table */
};

struct spec_table;
struct spec_field {
    const char *name;
    enum spec_type type;
    size_t offset;
    size_t size_offset;             /* SPEC_BYTES */
    const struct spec_table *table; /* SPEC_STRUCT, SPEC_RECORDS */
    const char *const *words;       /* SPEC_ENUM */
};
struct spec_table {
    const struct spec_field *fields;
    size_t count;
    size_t size; /* of the C struct */
};

/* The layout that every SPEC_LIST has. */
struct spec_list {
    void *items;
    size_t count;
};

extern const struct spec_table spec_container_table, spec_exec_table;
