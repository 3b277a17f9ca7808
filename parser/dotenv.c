/* SPDX-License-Identifier: Apache-2.0 */
/* dotenv.c - the dotenv grammar: one statement after the other, values interpolated as they are read, so that a
 * later line can use an earlier one. */
#include "parser/dotenv.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "parser/template.h"

struct dotenv {
    const char *p;
    unsigned line;
    unsigned value_line; /* where the value that is expanded began */
    const struct dotenv_options *options;
    struct env *env;
    struct err *err;
    size_t bytes; /* that the variables take */
};

static int fail(struct dotenv *d, unsigned line, const char *what)
{
    return err_set(d->err, ERR_CONFIG, "%s:%u: %s", d->options->file, line, what);
}

static void set_at(const char *file, unsigned line, struct env *env, const char *key, const char *value)
{
    _cleanup_free_ char *origin = xasprintf("%s:%u", file, line);
    env_set(env, key, value, origin);
}

/* Surroundings first, then earlier lines. */
static const char *lookup(void *context, const char *name)
{
    const struct dotenv *d = context;
    const char *value = d->options->lookup ? d->options->lookup(d->options->context, name) : NULL;
    return value ? value : env_get(d->env, name);
}

static void unset(void *context, const char *name)
{
    const struct dotenv *d = context;
    if (d->options->unset)
        d->options->unset(d->options->context, name, d->value_line);
}

static int set(struct dotenv *d, const char *key, const char *value, unsigned line)
{
    d->bytes += strlen(key) + strlen(value);
    if (d->bytes > ENV_MEMORY_MAX)
        return err_set(d->err, ERR_LIMIT, "%s:%u: the variables take more than %u MiB", d->options->file, line,
                       ENV_MEMORY_MAX >> 20);
    set_at(d->options->file, line, d->env, key, value);
    return 0;
}

static int set_expanded(struct dotenv *d, const char *key, const char *value, unsigned line)
{
    _cleanup_str_ struct str text = {0};
    _cleanup_free_ char *message = NULL;
    struct template_scope scope = {.lookup = lookup, .unset = unset, .context = d};

    d->value_line = line;
    if (!strchr(value, '$'))
        return set(d, key, value, line);
    switch (template_expand(value, &scope, &text, &message)) {
    case TEMPLATE_OK: return set(d, key, str_text(&text), line);
    case TEMPLATE_LIMIT:
    case TEMPLATE_REQUIRED: return fail(d, line, message);
    default: return fail(d, line, "invalid interpolation format: you may need to escape any $ with another $");
    }
}

static void skip_line(struct dotenv *d)
{
    d->p += strcspn(d->p, "\n");
}

/* Blank lines and comments. */
static void skip_space(struct dotenv *d)
{
    for (;; d->p++) {
        if (*d->p == '#') {
            skip_line(d);
            if (!*d->p)
                return;
        }
        if (*d->p == '\n')
            d->line++;
        else if (!isspace((unsigned char)*d->p))
            return;
    }
}

static bool is_key_char(unsigned char c)
{
    return isalnum(c) || c >= 0x80 || (c && strchr("_.-[]", c));
}

/* Reads "[export ]KEY" and the sign behind it. *ret_sign: '=', ':' or 0 when the line ends. */
static int read_key(struct dotenv *d, char **ret_key, char *ret_sign)
{
    if (str_has_prefix(d->p, "export") && (d->p[6] == ' ' || d->p[6] == '\t')) {
        d->p += 6;
        d->p += strspn(d->p, " \t");
    }
    const char *start = d->p;
    while (is_key_char((unsigned char)*d->p))
        d->p++;
    size_t size = (size_t)(d->p - start);
    d->p += strspn(d->p, " \t\r\v\f");
    if (*d->p != '=' && *d->p != ':' && *d->p != '\n' && *d->p != '\0') {
        char message[64] = "key cannot contain a space";
        if (d->p == start + size)
            snprintf(message, sizeof(message), "unexpected character \"%c\" in variable name",
                     isprint((unsigned char)*d->p) ? *d->p : '?');
        return fail(d, d->line, message);
    }
    *ret_sign = *d->p == '=' || *d->p == ':' ? *d->p++ : '\0';
    if (size == 0)
        return fail(d, d->line, "a line without a variable name");
    *ret_key = xstrndup(start, size);
    return 0;
}

/* "\\0" and three octal digits are one character; fewer digits stay as they are. Returns how many were read. */
static size_t add_octal(const char *digits, struct str *value)
{
    unsigned code = 0;
    size_t count = strspn(digits, "01234567");
    count = MIN(count, 3);
    for (size_t i = 0; i < count; i++)
        code = code * 8 + (unsigned)(digits[i] - '0');
    if (count < 3 || code == 0 || code > 0xff) {
        str_add(value, "\\0");
        str_add_bytes(value, digits, count);
    } else if (code < 0x80) {
        str_add_char(value, (char)code);
    } else {
        str_add_char(value, (char)(0xc0 | code >> 6));
        str_add_char(value, (char)(0x80 | (code & 0x3f)));
    }
    return count;
}

/* One escape of a double-quoted value: d->p is at the backslash. */
static void read_escape(struct dotenv *d, struct str *value)
{
    static const char from[] = "nrtabfv", to[] = "\n\r\t\a\b\f\v";
    char c = d->p[1];
    const char *known = c ? strchr(from, c) : NULL;

    d->p++;
    if (known) {
        str_add_char(value, to[known - from]);
    } else if (c == '"' || c == '\\') {
        str_add_char(value, c);
    } else if (c == '$') {
        str_add(value, "$$");
    } else if (c == '0') {
        d->p += add_octal(d->p + 1, value);
    } else {
        str_add_char(value, '\\');
        if (!c)
            return;
        str_add_char(value, c);
    }
    if (c == '\n')
        d->line++;
    d->p++;
}

static int read_quoted(struct dotenv *d, char quote, struct str *value)
{
    unsigned start = d->line;
    for (d->p++; *d->p && *d->p != quote;) {
        if (*d->p == '\\' && quote == '"') {
            read_escape(d, value);
            continue;
        }
        if (*d->p == '\\' && d->p[1]) {
            if (d->p[1] != '\'')
                str_add_char(value, '\\');
            d->p++;
        }
        if (*d->p == '\n')
            d->line++;
        if (!(*d->p == '\r' && d->p[1] == '\n'))
            str_add_char(value, *d->p);
        d->p++;
    }
    if (!*d->p)
        return fail(d, start, "unterminated quoted value");
    d->p++;
    return 0;
}

static void read_plain(struct dotenv *d, struct str *value)
{
    const char *start = d->p;
    size_t size = strcspn(start, "\n");
    d->p += size;
    const char *comment = memmem(start, size, " #", 2);
    if (comment)
        size = (size_t)(comment - start);
    while (size > 0 && isspace((unsigned char)start[size - 1]))
        size--;
    str_add_bytes(value, start, size);
}

static int read_statement(struct dotenv *d)
{
    _cleanup_free_ char *key = NULL;
    _cleanup_str_ struct str value = {0};
    unsigned line = d->line;
    char sign = 0;

    if (read_key(d, &key, &sign) < 0)
        return -1;
    if (!sign) {
        const char *inherited = d->options->lookup ? d->options->lookup(d->options->context, key) : NULL;
        if (inherited)
            set_at(d->options->file, line, d->env, key, inherited);
        return 0;
    }
    d->p += strspn(d->p, " \t");
    if (*d->p == '\'' || *d->p == '"') {
        char quote = *d->p;
        if (read_quoted(d, quote, &value) < 0)
            return -1;
        if (quote == '\'') {
            set_at(d->options->file, line, d->env, key, str_text(&value));
            return 0;
        }
    } else {
        read_plain(d, &value);
    }
    return set_expanded(d, key, str_text(&value), line);
}

static int check_text(const char *text, size_t size, const struct dotenv_options *options, struct err *err)
{
    const char *nul = size ? memchr(text, '\0', size) : NULL;
    unsigned line = 1;

    if (size > DOTENV_BYTES_MAX)
        return err_set(err, ERR_LIMIT, "%s is bigger than %u MiB", options->file, DOTENV_BYTES_MAX >> 20);
    for (const char *p = text; nul && p < nul; p++)
        line += *p == '\n';
    return nul ? err_set(err, ERR_CONFIG, "%s:%u: a zero byte cannot be in a variable", options->file, line) : 0;
}

/* A terminated copy without BOM. */
static char *text_copy(const char *text, size_t size)
{
    if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        text += 3;
        size -= 3;
    }
    return xstrndup(text, size);
}

int dotenv_parse(const char *text, size_t size, const struct dotenv_options *options, struct env *env,
                 struct err *err)
{
    if (check_text(text, size, options, err) < 0)
        return -1;
    _cleanup_free_ char *copy = text_copy(size ? text : "", size);
    struct dotenv d = {.p = copy, .line = 1, .options = options, .env = env, .err = err};

    for (skip_space(&d); *d.p; skip_space(&d))
        if (read_statement(&d) < 0)
            return -1;
    return 0;
}

int dotenv_parse_raw(const char *text, size_t size, const struct dotenv_options *options, struct env *env,
                     struct err *err)
{
    if (check_text(text, size, options, err) < 0)
        return -1;
    _cleanup_free_ char *copy = text_copy(size ? text : "", size);
    unsigned line = 1;

    for (char *p = copy, *next; p; p = next, line++) {
        next = strchr(p, '\n');
        if (next)
            *next++ = '\0';
        size_t length = strlen(p);
        if (length > 0 && p[length - 1] == '\r')
            p[length - 1] = '\0';
        p += strspn(p, " \t");
        if (!*p || *p == '#')
            continue;
        char *equals = strchr(p, '=');
        size_t key_size = equals ? (size_t)(equals - p) : strlen(p);
        if (key_size == 0 || strcspn(p, " \t") < key_size)
            return err_set(err, ERR_CONFIG, "%s:%u: variable name has white space or is empty", options->file, line);
        _cleanup_free_ char *key = xstrndup(p, key_size);
        const char *value = equals ? equals + 1 : options->lookup ? options->lookup(options->context, key) : NULL;
        if (value)
            set_at(options->file, line, env, key, value);
    }
    return 0;
}
