/* SPDX-License-Identifier: Apache-2.0 */
/* The few instructions that change only an image's config, one table row each. Values are checked
 * afterwards by the same reader that checks foreign images. */
#include "engine/image/changes.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "base/units.h"

typedef int change_fn(struct jv *run, const char *key, const char *text, struct err *err);

/* "[…]" as a list of strings; anything else is left to the caller. 1: it was one. */
static int parse_list(const char *text, struct jv **ret_list, struct err *err)
{
    if (text[0] != '[')
        return 0;
    if (jv_parse(text, strlen(text), ret_list, err) < 0)
        return -1;
    for (size_t i = 0; i < jv_count(*ret_list); i++) {
        if (!jv_text(jv_at(*ret_list, i))) {
            jv_free(take_ptr(ret_list));
            return err_set(err, ERR_USAGE, "'%s' is not a list of strings", text);
        }
    }
    return 1;
}

static int set_command(struct jv *run, const char *key, const char *text, struct err *err)
{
    struct jv *list = NULL;
    int parsed = parse_list(text, &list, err);
    if (parsed < 0)
        return -1;
    if (!parsed)
        list = jv_strv((char *[]){(char *)"/bin/sh", (char *)"-c", (char *)text, NULL});
    jv_set(run, key, list);
    return 0;
}

static int set_text(struct jv *run, const char *key, const char *text, struct err *err)
{
    (void)err; /* any text is one */
    jv_set_str(run, key, text);
    return 0;
}

/* Next word, with quotes and backslashes undone. NULL at the end; *ret_bad for an open quote. */
static char *next_word(const char **at, bool *ret_bad)
{
    struct str word = {0};
    char quote = 0;
    *at += strspn(*at, " \t");
    if (**at == '\0')
        return NULL;
    for (; **at && (quote || !isblank((unsigned char)**at)); (*at)++) {
        if (quote ? **at == quote : (**at == '"' || **at == '\'')) {
            quote = quote ? 0 : **at;
            continue;
        }
        if (**at == '\\' && quote != '\'' && (*at)[1])
            (*at)++;
        str_add_char(&word, **at);
    }
    *ret_bad |= quote != 0;
    return str_take(&word);
}

static struct jv *object_at(struct jv *run, const char *key)
{
    if (!jv_find(run, key))
        jv_set(run, key, jv_object());
    return jv_find(run, key);
}

/* EXPOSE 80 443/udp, VOLUME /a /b or ["/a"]: keys of an object */
static int add_keys(struct jv *run, const char *key, const char *text, struct err *err)
{
    _cleanup_jv_ struct jv *list = NULL;
    struct jv *object = object_at(run, key);
    bool bad = false;
    int parsed = parse_list(text, &list, err);
    if (parsed < 0)
        return -1;
    for (size_t i = 0; i < jv_count(list); i++)
        jv_set(object, jv_text(jv_at(list, i)), jv_object());
    for (const char *at = text; !parsed;) {
        _cleanup_free_ char *word = next_word(&at, &bad);
        if (!word)
            break;
        bool plain_port = str_eq(key, "ExposedPorts") && !strchr(word, '/');
        _cleanup_free_ char *whole = plain_port ? xasprintf("%s/tcp", word) : xstrdup(word);
        jv_set(object, whole, jv_object());
    }
    return bad ? err_set(err, ERR_USAGE, "a quote is not closed in '%s'", text) : 0;
}

/* NAME=VALUE …, or NAME VALUE; gives each pair to set */
static int each_pair(const char *text,
                     void (*set)(struct jv *run, const char *name, const char *value),
                     struct jv *run, struct err *err)
{
    bool bad = false;
    const char *at = text;
    _cleanup_free_ char *first = next_word(&at, &bad);
    if (first && !strchr(first, '=')) {
        at += strspn(at, " \t");
        if (!*at)
            return err_set(err, ERR_USAGE, "'%s' has no value", text);
        set(run, first, at);
        return 0;
    }
    at = text;
    for (;;) {
        _cleanup_free_ char *word = next_word(&at, &bad);
        char *equals = word ? strchr(word, '=') : NULL;
        if (bad || (word && (!equals || equals == word)))
            return err_set(err, ERR_USAGE, "'%s' is not NAME=VALUE", text);
        if (!word)
            return 0;
        *equals = '\0';
        set(run, word, equals + 1);
    }
}

static void set_env_pair(struct jv *run, const char *name, const char *value)
{
    _cleanup_free_ char *whole = xasprintf("%s=%s", name, value);
    size_t size = strlen(name) + 1;
    struct jv *old = jv_find(run, "Env"), *list = jv_array();
    for (size_t i = 0; i < jv_count(old); i++) {
        if (strncmp(jv_text(jv_at(old, i)), whole, size) != 0)
            jv_add(list, jv_ref(jv_at(old, i)));
    }
    jv_add(list, jv_string(whole));
    jv_set(run, "Env", list);
}

static int set_env(struct jv *run, const char *key, const char *text, struct err *err)
{
    (void)key; /* set_env_pair knows it */
    return each_pair(text, set_env_pair, run, err);
}

static void set_label_pair(struct jv *run, const char *name, const char *value)
{
    jv_set_str(object_at(run, "Labels"), name, value);
}

static int set_labels(struct jv *run, const char *key, const char *text, struct err *err)
{
    (void)key; /* set_label_pair knows it */
    return each_pair(text, set_label_pair, run, err);
}

static const struct {
    const char *option, *key;
    bool is_count;
} health_options[] = {
    {"--interval=", "Interval", false},        {"--timeout=", "Timeout", false},
    {"--start-period=", "StartPeriod", false}, {"--start-interval=", "StartInterval", false},
    {"--retries=", "Retries", true},
};

static int set_health_option(struct jv *check, const char *word, struct err *err)
{
    for (size_t i = 0; i < ARRAY_LEN(health_options); i++) {
        const char *value = word + strlen(health_options[i].option);
        int64_t us;
        long long count;
        if (!str_has_prefix(word, health_options[i].option))
            continue;
        if (health_options[i].is_count ? !parse_i64(value, 0, 1000000, &count)
                                       : !duration_parse(value, &us))
            break;
        jv_set_int(check, health_options[i].key, health_options[i].is_count ? count : us * 1000);
        return 0;
    }
    return err_set(err, ERR_USAGE, "HEALTHCHECK: '%s' is not understood", word);
}

/* [--interval=D …] CMD …, or NONE */
static int set_healthcheck(struct jv *run, const char *key, const char *text, struct err *err)
{
    _cleanup_jv_ struct jv *check = jv_object();
    bool bad = false;
    const char *at = text;
    for (;;) {
        _cleanup_free_ char *word = next_word(&at, &bad);
        at += strspn(at, " \t");
        if (!word || bad)
            return err_set(err, ERR_USAGE, "HEALTHCHECK needs CMD or NONE");
        if (str_has_prefix(word, "--")) {
            if (set_health_option(check, word, err) < 0)
                return -1;
            continue;
        }
        if (strcasecmp(word, "NONE") == 0 && !*at) {
            jv_set(check, "Test", jv_strv((char *[]){(char *)"NONE", NULL}));
            break;
        }
        if (strcasecmp(word, "CMD") != 0 || !*at)
            return err_set(err, ERR_USAGE, "HEALTHCHECK: expected CMD or NONE, not '%s'", word);
        struct jv *list = NULL, *test = jv_array();
        int parsed = parse_list(at, &list, err);
        jv_set(check, "Test", test);
        if (parsed < 0)
            return -1;
        jv_add(test, jv_string(parsed ? "CMD" : "CMD-SHELL"));
        for (size_t i = 0; i < jv_count(list); i++)
            jv_add(test, jv_ref(jv_at(list, i)));
        if (!parsed)
            jv_add(test, jv_string(at));
        jv_free(list);
        break;
    }
    jv_set(run, key, take_ptr(&check));
    return 0;
}

static const struct {
    const char *word, *key;
    change_fn *apply;
} instructions[] = {
    {"CMD", "Cmd", set_command},
    {"ENTRYPOINT", "Entrypoint", set_command},
    {"ENV", "Env", set_env},
    {"EXPOSE", "ExposedPorts", add_keys},
    {"LABEL", "Labels", set_labels},
    {"USER", "User", set_text},
    {"VOLUME", "Volumes", add_keys},
    {"WORKDIR", "WorkingDir", set_text},
    {"STOPSIGNAL", "StopSignal", set_text},
    {"HEALTHCHECK", "Healthcheck", set_healthcheck},
};

int change_apply(struct jv *run, const char *instruction, struct err *err)
{
    size_t size = strcspn(instruction, " \t");
    const char *text = instruction + size + strspn(instruction + size, " \t");
    for (size_t i = 0; i < ARRAY_LEN(instructions); i++) {
        if (strlen(instructions[i].word) != size ||
            strncasecmp(instructions[i].word, instruction, size) != 0)
            continue;
        if (!*text)
            return err_set(err, ERR_USAGE, "--change %s needs a value", instructions[i].word);
        if (instructions[i].apply(run, instructions[i].key, text, err) < 0)
            return err_wrap(err, "--change %s", instructions[i].word);
        return 0;
    }
    return err_set(
        err, ERR_USAGE,
        "--change '%.60s' is not one of CMD ENTRYPOINT ENV EXPOSE LABEL USER VOLUME WORKDIR "
        "STOPSIGNAL HEALTHCHECK",
        instruction);
}
