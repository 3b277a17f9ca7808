/* SPDX-License-Identifier: Apache-2.0 */
/* schema.h - the Compose language as tables: one row a key with its type, merge rule, place in the model and what
 * winch does with it. The checker, the merger, the binder, the runnable check and docs/compose-support.md walk
 * the same rows. */
#pragma once

#include "parser/loading.h"
#include "parser/model.h"

enum value_kind {
    VALUE_ANY,      /* free data */
    VALUE_STRING,
    VALUE_INT,      /* a string is cast */
    VALUE_NUMBER,   /* float precision, as the reference has */
    VALUE_BOOL,
    VALUE_BYTES,    /* long form: decimal string */
    VALUE_DURATION, /* long form: Go text */
    VALUE_LIST,     /* of strings */
    VALUE_KV,       /* long form: mapping name → string or null */
    VALUE_COMMAND,  /* long form: list of words */
    VALUE_OBJECT,   /* table */
    VALUE_LIST_OF,  /* list of objects of table */
    VALUE_MAP_OF,   /* mapping name → object of table */
    VALUE_SHAPED,   /* `lengthen` does check and long form */
};

enum merge_rule {
    MERGE_REPLACE,
    MERGE_DEEP,       /* mappings key by key; lists appended */
    MERGE_APPEND,     /* what is there already is not appended again */
    MERGE_UNIQUE,     /* appended, duplicates removed by text */
    MERGE_UNIQUE_KEY, /* appended, duplicates removed by the text before '=' */
    MERGE_BY_ID,      /* lists of objects: same identity replaces in place */
    MERGE_BY_ID_DEEP, /* the later list counts, its items are merged over those with the same identity */
    MERGE_FORM,       /* mappings key by key, another form replaces; so for the members */
    MERGE_LOGGING,    /* deep when the driver is the same or missing, else replaced */
};

enum key_status { STATUS_RUNS, STATUS_ACCEPTED, STATUS_REFUSED };

enum key_flags {
    KEY_REQUIRED = 1 << 0,
    KEY_NULLABLE = 1 << 1,    /* null is a value of its own */
    KEY_NULL_EMPTY = 1 << 2,  /* KV: null becomes "" */
    KEY_PATH = 1 << 3,        /* relative to the project directory */
    KEY_KEEP = 1 << 4,        /* printed even when false, 0 or empty */
    KEY_UNIQUE = 1 << 5,      /* duplicates are an error */
    KEY_OR_STRING = 1 << 6,   /* LIST: one string is a list of one */
    KEY_NUMBERS = 1 << 7,     /* numbers are taken as text */
    KEY_BOOLS = 1 << 8,       /* booleans are taken as text */
    KEY_NO_STRING = 1 << 9,   /* BOOL, INT: a string is none */
    KEY_JSON_EMPTY = 1 << 10, /* `config --format json` prints {} when absent, as the reference does */
    KEY_JSON_NULL = 1 << 11,  /* … prints null */
    KEY_NO_HASH = 1 << 12,    /* no part of config_hash */
    KEY_QUIET = 1 << 13,      /* ACCEPTED: no notice at `up` */
    KEY_MAP_ONLY = 1 << 14,   /* KV: a list is none */
    KEY_NO_NULL = 1 << 15,    /* KV: each name has a value */
    KEY_NO_BOOL = 1 << 16,    /* KV: a boolean is no value */
    KEY_TEXT_ONLY = 1 << 17,  /* KV, BYTES: only strings are values */
    KEY_WHOLE = 1 << 18,      /* BYTES, NUMBER: a number has no fraction */
    KEY_CUT = 1 << 19,        /* INT: a fraction is cut off */
    KEY_JSON_PAIRS = 1 << 20, /* `config --format json` leaves 0 out of its members, as the reference does */
    KEY_ALWAYS = 1 << 21,     /* printed even when absent */
    KEY_NO_TRAILING = 1 << 22, /* KV: a name does not end with a blank */
    KEY_NULL_WINS = 1 << 23,  /* null in a later file removes what an earlier one says */
    KEY_LONG = 1 << 24,       /* in long form even with --no-interpolate */
};

enum bind_kind {
    BIND_NONE, BIND_TEXT, BIND_OPT_INT, BIND_OPT_NUM, BIND_OPT_BOOL, BIND_BOOL, BIND_INT, BIND_INT64, BIND_STRS,
    BIND_KV, BIND_COMMAND,
    BIND_STRUCT, /* OBJECT: struct in place; LIST_OF, MAP_OF: MODEL_LIST */
    BIND_SAME,   /* OBJECT whose rows bind into the enclosing struct */
    BIND_CUSTOM,
};

struct key_table;
/* One load's checking of one file: values go to their long form in place. */
struct shaping {
    struct loading *loading;
    struct arena *arena;
    struct diags *diags;
    const char *base_dir; /* relative paths start here */
    bool lenient;         /* --no-interpolate: text with '$' is not judged */
};
struct binder {
    struct arena *arena;
};
typedef void (*lengthen_fn)(struct shaping *shaping, struct node *node, const struct path *path);
typedef void (*bind_fn)(struct binder *binder, const struct node *node, void *object);
typedef char *(*identity_fn)(const struct node *item); /* owned by the caller; NULL: no identity */

struct key_row {
    const char *name;
    enum value_kind kind;
    enum merge_rule merge;
    enum key_status status;
    unsigned flags;
    enum bind_kind bind;
    size_t offset;
    const struct key_table *table;
    lengthen_fn lengthen; /* before the check; may be NULL */
    bind_fn custom;       /* BIND_CUSTOM */
    const char *words;    /* "a|b|c": the only values, or NULL */
    int64_t low, high;    /* INT, NUMBER, BYTES: the range when low < high */
    const char *json;     /* what `config --format json` calls the key when it is not the name */
    const char *note;     /* for people: why refused, what is different */
};

struct key_table {
    const struct key_row *rows; /* sorted by name */
    size_t count;
    size_t size; /* of the struct bound to */
    bool extensions; /* x-… allowed */
    bool nullable;   /* MAP_OF, LIST_OF: an item may be null */
    bool checked_names; /* MAP_OF: names match [a-zA-Z0-9._-]+ */
    bool has_set;    /* the struct starts with `bool set` */
    bool has_key, has_pos;
    size_t key_offset, pos_offset;
    lengthen_fn lengthen; /* of each item, before its keys are checked */
    identity_fn identity;
};

#define KEY_DRIVER_OPTS     (KEY_MAP_ONLY | KEY_NO_NULL | KEY_NO_BOOL)
#define NOT_NEGATIVE        .low = 0, .high = INT64_MAX
#define TABLE_ROWS(array) .rows = (array), .count = ARRAY_LEN(array)

#define BIND_KIND(lvalue)                                                                          \
    _Generic((lvalue), const char *: BIND_TEXT, struct opt_int: BIND_OPT_INT, struct opt_num: BIND_OPT_NUM,  \
        struct opt_bool: BIND_OPT_BOOL, bool: BIND_BOOL, int: BIND_INT, int64_t: BIND_INT64,                 \
        struct str_list: BIND_STRS, struct kv_list: BIND_KV, struct command: BIND_COMMAND, default: BIND_STRUCT)
/* .bind and .offset of a row for a field of the model */
#define TO(type, field) .bind = BIND_KIND(((struct type *)0)->field), .offset = offsetof(struct type, field)
#define CUSTOM(function) .bind = BIND_CUSTOM, .custom = (function)

extern const struct key_row project_row; /* the whole document: VALUE_OBJECT */
extern const struct key_table project_table, service_table, build_table, deploy_table, develop_table;
extern const struct key_table pre_start_table, hook_table, ulimit_table, file_ref_table, build_secret_table;
extern const struct key_table device_request_table;
extern const struct key_table network_table, volume_table, config_table, secret_table, model_table;

/* NULL when the table has no such key. */
const struct key_row *table_row(const struct key_table *table, const char *name);

/* Checks a value against its row and turns it into the long form, in place. Findings go to shaping->diags. */
void schema_shape(struct shaping *shaping, const struct key_row *row, struct node *node, const struct path *path);
/* On the merged tree: required keys, leftover nulls. Then removes zero values that the reference does not print. */
void schema_finish(struct shaping *shaping, const struct key_row *row, struct node *node, const struct path *path);

/* For lengthen functions. */
void shape_error(struct shaping *shaping, const struct node *node, const struct path *path, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
bool shape_is_open(const struct shaping *shaping, const struct node *node); /* lenient and has a '$' */
/* *node takes over what `from` is, but keeps its own tag (and position). */
void node_become(struct node *node, const struct node *from);
/* The item of a list whose items must differ is there a second time. */
void shape_twice(struct shaping *shaping, const struct node *item, const struct node *earlier, const struct path *path);
/* The note of a short form goes to all values that it became. */
void shape_note(struct node *node, const char *note);
/* "C:\\x", "\\\\.\\pipe\\x": no path of this host, left as it is written. */
bool path_is_windows(const char *path);
/* Absolute: a relative one is cleaned, an absolute one stays as written. "~" expanded; with --no-path-resolution
 * only against another file's directory. */
const char *shape_path(struct shaping *shaping, const char *path);
