/* SPDX-License-Identifier: Apache-2.0 */
/* json.h - JSON values: the only door to the JSON library. Reads are bounded and typed.
 *
 * struct jv is a reference-counted value; every function that returns one gives the caller a reference
 * (jv_free) unless it says "borrowed". Setters take ownership of the value given. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

struct jv; /* opaque */
enum jv_kind { JV_NULL, JV_BOOL, JV_INT, JV_REAL, JV_STRING, JV_ARRAY, JV_OBJECT };

#define JSON_DEPTH_MAX 128

/* Duplicate keys, trailing bytes, depth > JSON_DEPTH_MAX and invalid UTF-8 are ERR_CORRUPT. */
int jv_parse(const char *text, size_t size, struct jv **ret_value, struct err *err);
/* Canonical: keys sorted, no blanks. Owned by the caller. */
char *jv_dump(const struct jv *value);
/* Keys in insertion order, indented by two blanks. Owned by the caller. */
char *jv_dump_pretty(const struct jv *value, bool sort_keys);
void jv_free(struct jv *value);
DEFINE_CLEANUP(struct jv *, jv_free)
#define _cleanup_jv_ _cleanup_(jv_freep)
struct jv *jv_ref(struct jv *value);
struct jv *jv_copy_deep(const struct jv *value);
bool jv_equal(const struct jv *a, const struct jv *b);

struct jv *jv_object(void);
struct jv *jv_array(void);
struct jv *jv_string(const char *text); /* NULL or invalid UTF-8 gives null / escaped bytes */
struct jv *jv_int(int64_t value);
struct jv *jv_real(double value);
struct jv *jv_bool(bool value);
struct jv *jv_null(void);
struct jv *jv_strv(char *const *strv); /* array of strings; NULL gives an empty array */

enum jv_kind jv_kind(const struct jv *value);
const char *jv_text(const struct jv *value); /* borrowed; NULL when it is no string */
int64_t jv_int_value(const struct jv *value, int64_t fallback);
double jv_real_value(const struct jv *value, double fallback);
bool jv_bool_value(const struct jv *value, bool fallback);

/* Objects. find is borrowed and NULL when missing; the typed getters give the fallback when the key is
 * missing or of another type (use jv_need_* where that is an error). */
struct jv *jv_find(const struct jv *object, const char *key);
const char *jv_get_str(const struct jv *object, const char *key, const char *fallback);
int64_t jv_get_int(const struct jv *object, const char *key, int64_t fallback);
bool jv_get_bool(const struct jv *object, const char *key, bool fallback);
int jv_need_str(const struct jv *object, const char *key, const char **ret_text, struct err *err);
int jv_need_int(const struct jv *object, const char *key, int64_t *ret_value, struct err *err);
/* A new NULL-terminated array (strv_free) of an array of strings; other elements are skipped; NULL when
 * the key is missing. */
char **jv_get_strv(const struct jv *object, const char *key);
void jv_set(struct jv *object, const char *key, struct jv *value); /* takes value */
void jv_set_str(struct jv *object, const char *key, const char *text); /* NULL: key is left out */
void jv_set_int(struct jv *object, const char *key, int64_t value);
void jv_set_bool(struct jv *object, const char *key, bool value);
void jv_remove(struct jv *object, const char *key);
/* Iteration in insertion order; borrowed. */
size_t jv_count(const struct jv *value); /* elements of an array or object, else 0 */
struct jv *jv_at(const struct jv *array, size_t index);
void jv_add(struct jv *array, struct jv *value); /* takes value */
/* `const char *key; struct jv *value; JV_EACH(object, key, value) {…}` */
void *jv_iter(const struct jv *object);
void *jv_iter_next(const struct jv *object, void *iter);
const char *jv_iter_key(void *iter);
struct jv *jv_iter_value(void *iter);
#define JV_EACH(object, key, value)                                                                \
    for (void *it_ = jv_iter(object);                                                              \
         it_ && ((key) = jv_iter_key(it_), (value) = jv_iter_value(it_), 1);                       \
         it_ = jv_iter_next(object, it_))

/* State files: {"version":…} objects, replaced atomically and durably (fs_replace). Saving what the file holds already costs
 * no write and no sync. */
int jv_load_file(int dirfd, const char *name, size_t max_bytes, struct jv **ret_value, struct err *err);
int jv_save_file(int dirfd, const char *name, const struct jv *value, struct err *err);

/* struct err as an object {"code","message","hint"?,"errno"?} and back. */
struct jv *jv_from_err(const struct err *error);
void jv_to_err(const struct jv *object, struct err *ret_error);
