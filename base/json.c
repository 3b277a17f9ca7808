/* SPDX-License-Identifier: Apache-2.0 */
/* json.c - JSON values over jansson. struct jv is json_t under a name of our own: the only place that knows
 * it is as() and its counterpart wrap(). */
#include "base/json.h"

#include <jansson.h>

#include "base/fs.h"
#include "base/str.h"
#include "base/utf8.h"

static json_t *as(const struct jv *value)
{
    return (json_t *)value;
}

static struct jv *wrap(json_t *value)
{
    if (!value)
        abort(); /* constructors fail only when memory is out */
    return (struct jv *)value;
}

/* Text whose bad bytes are replaced by U+FFFD; NULL when it is valid as it is. */
static char *repair_utf8(const char *text)
{
    struct str out = {0};
    size_t left = strlen(text), good = 0;
    bool repaired = false;
    while (good < left) {
        size_t size = utf8_decode(text + good, left - good, NULL);
        if (size > 0) {
            good += size;
            continue;
        }
        str_add_bytes(&out, text, good);
        str_add(&out, "\xef\xbf\xbd");
        text += good + 1;
        left -= good + 1;
        good = 0;
        repaired = true;
    }
    if (!repaired)
        return NULL;
    str_add_bytes(&out, text, left);
    return str_take(&out);
}

/* jansson's own limit is 2048 nested values; its reader and ours recurse. */
static bool is_too_deep(const char *text, size_t size)
{
    unsigned depth = 0;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '[' || c == '{') && ++depth > JSON_DEPTH_MAX)
            return true;
        else if (!quoted && (c == ']' || c == '}') && depth > 0)
            depth--;
    }
    return false;
}

int jv_parse(const char *text, size_t size, struct jv **ret_value, struct err *err)
{
    json_error_t error;
    if (is_too_deep(text, size))
        return err_set(err, ERR_CORRUPT, "JSON is nested deeper than %d", JSON_DEPTH_MAX);
    json_t *value = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (!value) {
        _cleanup_free_ char *message = str_printable(error.text);
        return err_set(err, ERR_CORRUPT, "line %d, column %d: %s", error.line, error.column, message);
    }
    *ret_value = wrap(value);
    return 0;
}

static char *dump(const struct jv *value, size_t flags)
{
    char *text = value ? json_dumps(as(value), flags | JSON_ENCODE_ANY) : strdup("null");
    if (!text)
        abort(); /* out of memory: every value that can be built can be written */
    return text;
}

char *jv_dump(const struct jv *value)
{
    return dump(value, JSON_COMPACT | JSON_SORT_KEYS);
}

char *jv_dump_pretty(const struct jv *value, bool sort_keys)
{
    return dump(value, JSON_INDENT(2) | (sort_keys ? JSON_SORT_KEYS : 0));
}

void jv_free(struct jv *value)
{
    json_decref(as(value));
}

struct jv *jv_ref(struct jv *value)
{
    json_incref(as(value));
    return value;
}

struct jv *jv_copy_deep(const struct jv *value)
{
    return value ? wrap(json_deep_copy(as(value))) : NULL;
}

bool jv_equal(const struct jv *a, const struct jv *b)
{
    return a == b || json_equal(as(a), as(b));
}

struct jv *jv_object(void)
{
    return wrap(json_object());
}

struct jv *jv_array(void)
{
    return wrap(json_array());
}

struct jv *jv_string(const char *text)
{
    if (!text)
        return jv_null();
    _cleanup_free_ char *repaired = repair_utf8(text);
    return wrap(json_string_nocheck(repaired ? repaired : text));
}

struct jv *jv_int(int64_t value)
{
    return wrap(json_integer(value));
}

struct jv *jv_real(double value)
{
    json_t *real = json_real(value); /* NULL for what JSON cannot say: infinity, not a number */
    return real ? wrap(real) : jv_null();
}

struct jv *jv_bool(bool value)
{
    return wrap(json_boolean(value));
}

struct jv *jv_null(void)
{
    return wrap(json_null());
}

struct jv *jv_strv(char *const *strv)
{
    struct jv *array = jv_array();
    for (; strv && *strv; strv++)
        jv_add(array, jv_string(*strv));
    return array;
}

enum jv_kind jv_kind(const struct jv *value)
{
    static const enum jv_kind kinds[] = {
        [JSON_OBJECT] = JV_OBJECT, [JSON_ARRAY] = JV_ARRAY, [JSON_STRING] = JV_STRING,
        [JSON_INTEGER] = JV_INT,   [JSON_REAL] = JV_REAL,   [JSON_TRUE] = JV_BOOL,
        [JSON_FALSE] = JV_BOOL,    [JSON_NULL] = JV_NULL,
    };
    return value ? kinds[json_typeof(as(value))] : JV_NULL;
}

const char *jv_text(const struct jv *value)
{
    return json_string_value(as(value));
}

int64_t jv_int_value(const struct jv *value, int64_t fallback)
{
    return json_is_integer(as(value)) ? json_integer_value(as(value)) : fallback;
}

double jv_real_value(const struct jv *value, double fallback)
{
    return json_is_number(as(value)) ? json_number_value(as(value)) : fallback;
}

bool jv_bool_value(const struct jv *value, bool fallback)
{
    return json_is_boolean(as(value)) ? json_is_true(as(value)) : fallback;
}

struct jv *jv_find(const struct jv *object, const char *key)
{
    return (struct jv *)json_object_get(as(object), key);
}

const char *jv_get_str(const struct jv *object, const char *key, const char *fallback)
{
    const char *text = jv_text(jv_find(object, key));
    return text ? text : fallback;
}

int64_t jv_get_int(const struct jv *object, const char *key, int64_t fallback)
{
    return jv_int_value(jv_find(object, key), fallback);
}

bool jv_get_bool(const struct jv *object, const char *key, bool fallback)
{
    return jv_bool_value(jv_find(object, key), fallback);
}

int jv_need_str(const struct jv *object, const char *key, const char **ret_text, struct err *err)
{
    const char *text = jv_text(jv_find(object, key));
    if (!text)
        return err_set(err, ERR_CORRUPT, "'%s' is missing or no string", key);
    *ret_text = text;
    return 0;
}

int jv_need_int(const struct jv *object, const char *key, int64_t *ret_value, struct err *err)
{
    const struct jv *value = jv_find(object, key);
    if (jv_kind(value) != JV_INT)
        return err_set(err, ERR_CORRUPT, "'%s' is missing or no integer", key);
    *ret_value = jv_int_value(value, 0);
    return 0;
}

char **jv_get_strv(const struct jv *object, const char *key)
{
    const struct jv *array = jv_find(object, key);
    if (!array)
        return NULL;
    size_t count = 0;
    char **strv = xcalloc(jv_count(array) + 1, sizeof(*strv));
    for (size_t i = 0; i < jv_count(array); i++) {
        const char *text = jv_text(jv_at(array, i));
        if (text)
            strv[count++] = xstrdup(text);
    }
    return strv;
}

void jv_set(struct jv *object, const char *key, struct jv *value)
{
    _cleanup_free_ char *repaired = repair_utf8(key);
    if (!value)
        value = jv_null();
    if (json_object_set_new_nocheck(as(object), repaired ? repaired : key, as(value)) < 0)
        abort(); /* no object, or out of memory */
}

void jv_set_str(struct jv *object, const char *key, const char *text)
{
    if (text)
        jv_set(object, key, jv_string(text));
}

void jv_set_int(struct jv *object, const char *key, int64_t value)
{
    jv_set(object, key, jv_int(value));
}

void jv_set_bool(struct jv *object, const char *key, bool value)
{
    jv_set(object, key, jv_bool(value));
}

void jv_remove(struct jv *object, const char *key)
{
    (void)json_object_del(as(object), key); /* may be missing */
}

size_t jv_count(const struct jv *value)
{
    return json_is_array(as(value)) ? json_array_size(as(value)) : json_object_size(as(value));
}

struct jv *jv_at(const struct jv *array, size_t index)
{
    return (struct jv *)json_array_get(as(array), index);
}

void jv_add(struct jv *array, struct jv *value)
{
    if (!value)
        value = jv_null();
    if (json_array_append_new(as(array), as(value)) < 0)
        abort(); /* no array, or out of memory */
}

void *jv_iter(const struct jv *object)
{
    return json_object_iter(as(object));
}

void *jv_iter_next(const struct jv *object, void *iter)
{
    return json_object_iter_next(as(object), iter);
}

const char *jv_iter_key(void *iter)
{
    return json_object_iter_key(iter);
}

struct jv *jv_iter_value(void *iter)
{
    return (struct jv *)json_object_iter_value(iter);
}

int jv_load_file(int dirfd, const char *name, size_t max_bytes, struct jv **ret_value, struct err *err)
{
    size_t size;
    _cleanup_free_ char *text = NULL;
    _cleanup_jv_ struct jv *value = NULL;
    if (fs_read(dirfd, name, max_bytes, &text, &size, err) < 0)
        return -1;
    if (jv_parse(text, size, &value, err) < 0)
        return err_wrap(err, "%s", name);
    if (jv_kind(value) != JV_OBJECT)
        return err_set(err, ERR_CORRUPT, "%s: not a JSON object", name);
    *ret_value = take_ptr(&value);
    return 0;
}

static bool file_holds(int dirfd, const char *name, const char *text, size_t size)
{
    size_t have_size = 0;
    _cleanup_free_ char *have = NULL;
    return fs_read(dirfd, name, size + 1, &have, &have_size, NULL) == 0 && have_size == size &&
           memcmp(have, text, size) == 0;
}

int jv_save_file(int dirfd, const char *name, const struct jv *value, struct err *err)
{
    _cleanup_free_ char *text = jv_dump(value);
    size_t size = strlen(text);
    text[size] = '\n'; /* takes the terminator's place: only size bytes are written */
    if (file_holds(dirfd, name, text, size + 1))
        return 0; /* was synced when it was written */
    return fs_replace(dirfd, name, text, size + 1, 0600, err);
}

struct jv *jv_from_err(const struct err *error)
{
    struct jv *object = jv_object();
    jv_set_str(object, "code", err_code_text(error->code));
    jv_set_str(object, "message", error->message);
    if (error->hint[0])
        jv_set_str(object, "hint", error->hint);
    if (error->sys_errno)
        jv_set_int(object, "errno", error->sys_errno);
    return object;
}

void jv_to_err(const struct jv *object, struct err *ret_error)
{
    enum err_code code = err_code_parse(jv_get_str(object, "code", "internal"));
    err_set(ret_error, code == ERR_NONE ? ERR_INTERNAL : code, "%s",
            jv_get_str(object, "message", "the peer gave no reason"));
    err_hint(ret_error, "%s", jv_get_str(object, "hint", ""));
    ret_error->sys_errno = (int)jv_get_int(object, "errno", 0);
}
