/* SPDX-License-Identifier: Apache-2.0 */
/* What an image says about its containers. The document comes from strangers: each field is checked
 * here once, both before an image is stored and when it is read, so that the start path can believe
 * it. */
#include "engine/image/image_config.h"

#include <string.h>

#include "base/path.h"
#include "base/proc.h"
#include "base/str.h"
#include "engine/image/ref.h"
#include "engine/image/store.h"

#define STRING_MAX 131071 /* the kernel's limit of one argument or variable (MAX_ARG_STRLEN - 1)   \
                           */
#define STRINGS_MAX    4096
#define MILLISECOND_NS 1000000

static int bad_field(struct err *err, const char *field, const char *why)
{
    return err_set(err, ERR_CORRUPT, "image config: '%s' %s", field, why);
}

/* A list of strings or null. */
static int take_strings(const struct jv *object, const char *key, char ***ret_strv, struct err *err)
{
    const struct jv *list = jv_find(object, key);
    if (!list || jv_kind(list) == JV_NULL)
        return 0;
    if (jv_kind(list) != JV_ARRAY || jv_count(list) > STRINGS_MAX)
        return bad_field(err, key, "is not a list of strings of reasonable length");
    char **strv = NULL;
    for (size_t i = 0; i < jv_count(list); i++) {
        const char *text = jv_text(jv_at(list, i));
        if (!text || strlen(text) > STRING_MAX) {
            strv_free(strv);
            return bad_field(err, key,
                             "has an element that is no string or is longer than 131071 bytes");
        }
        strv = strv_add(strv, text);
    }
    *ret_strv = strv;
    return 0;
}

/* The keys of an object {"80/tcp":{}} or null. */
static int take_keys(const struct jv *object, const char *key, char ***ret_strv, struct err *err)
{
    const struct jv *set = jv_find(object, key);
    if (!set || jv_kind(set) == JV_NULL)
        return 0;
    if (jv_kind(set) != JV_OBJECT || jv_count(set) > STRINGS_MAX)
        return bad_field(err, key, "is not an object of reasonable size");
    char **strv = NULL;
    const char *name;
    struct jv *value;
    JV_EACH(set, name, value)
    {
        (void)value; /* {} by the specification */
        strv = strv_add(strv, name);
    }
    *ret_strv = strv;
    return 0;
}

static int take_text(const struct jv *object, const char *key, char **ret_text, struct err *err)
{
    const struct jv *value = jv_find(object, key);
    if (!value || jv_kind(value) == JV_NULL)
        return 0;
    const char *text = jv_text(value);
    if (!text || strlen(text) > 4096 || strpbrk(text, "\n\r"))
        return bad_field(err, key, "is not one line of text of at most 4096 bytes");
    if (*text)
        *ret_text = xstrdup(text);
    return 0;
}

static int check_volumes(char **volumes, struct err *err)
{
    for (size_t i = 0; volumes && volumes[i]; i++) {
        _cleanup_free_ char *clean = path_clean(volumes[i]);
        _cleanup_free_ char *dotted = xasprintf("%s/", volumes[i]);
        if (volumes[i][0] != '/' || str_eq(clean, "/") || strstr(dotted, "/../") ||
            strlen(clean) > 4095)
            return bad_field(err, "Volumes",
                             "has a path that is not absolute, or is the root, or holds '..'");
        if (str_eq(clean, "/proc") || str_has_prefix(clean, "/proc/") || str_eq(clean, "/sys") ||
            str_has_prefix(clean, "/sys/") || str_eq(clean, "/dev"))
            return bad_field(err, "Volumes",
                             "has a path that the runtime keeps for itself (/proc, /sys, /dev)");
        free(volumes[i]);
        volumes[i] = take_ptr(&clean);
    }
    return 0;
}

/* "80", "80/tcp", "8000-8010/udp" */
static int check_ports(char **ports, struct err *err)
{
    for (size_t i = 0; ports && ports[i]; i++) {
        _cleanup_free_ char *text = xstrdup(ports[i]);
        char *slash = strchr(text, '/');
        if (slash)
            *slash = '\0';
        const char *protocol = slash ? slash + 1 : "tcp";
        char *dash = strchr(text, '-');
        if (dash)
            *dash = '\0';
        long long first = 0, last = 0;
        if (!parse_i64(text, 1, 65535, &first) ||
            !parse_i64(dash ? dash + 1 : text, first, 65535, &last) ||
            (!str_eq(protocol, "tcp") && !str_eq(protocol, "udp") && !str_eq(protocol, "sctp")))
            return bad_field(err, "ExposedPorts", "has an entry that is no port");
        if (!slash) {
            free(ports[i]);
            ports[i] =
                dash ? xasprintf("%lld-%lld/tcp", first, last) : xasprintf("%lld/tcp", first);
        }
    }
    return 0;
}

static int take_labels(const struct jv *config, struct image *image, struct err *err)
{
    image->labels = jv_object();
    const struct jv *labels = jv_find(config, "Labels");
    if (!labels || jv_kind(labels) == JV_NULL)
        return 0;
    const char *key;
    struct jv *value;
    if (jv_kind(labels) != JV_OBJECT)
        return bad_field(err, "Labels", "is not an object");
    JV_EACH(labels, key, value)
    {
        if (!jv_text(value))
            return bad_field(err, "Labels", "has a value that is no string");
        jv_set(image->labels, key, jv_ref(value));
    }
    return 0;
}

static int take_time(const struct jv *check, const char *key, int64_t *ret_us, struct err *err)
{
    const struct jv *value = jv_find(check, key);
    if (!value || jv_kind(value) == JV_NULL)
        return 0;
    int64_t ns = jv_int_value(value, -1);
    if (ns < 0 || (ns > 0 && ns < MILLISECOND_NS))
        return bad_field(err, key,
                         "of Healthcheck is not 0 or at least one millisecond in nanoseconds");
    *ret_us = ns / 1000;
    return 0;
}

static int take_healthcheck(const struct jv *config, struct image_healthcheck *ret_check,
                            struct err *err)
{
    const struct jv *check = jv_find(config, "Healthcheck");
    if (!check || jv_kind(check) == JV_NULL)
        return 0;
    if (jv_kind(check) != JV_OBJECT)
        return bad_field(err, "Healthcheck", "is not an object");
    if (take_strings(check, "Test", &ret_check->test, err) < 0 ||
        take_time(check, "Interval", &ret_check->interval_us, err) < 0 ||
        take_time(check, "Timeout", &ret_check->timeout_us, err) < 0 ||
        take_time(check, "StartPeriod", &ret_check->start_period_us, err) < 0 ||
        take_time(check, "StartInterval", &ret_check->start_interval_us, err) < 0)
        return -1;
    char **test = ret_check->test;
    if (test && !str_eq(test[0], "NONE") && !str_eq(test[0], "CMD") &&
        !str_eq(test[0], "CMD-SHELL"))
        return bad_field(err, "Healthcheck.Test", "does not begin with NONE, CMD or CMD-SHELL");
    ret_check->retries = jv_get_int(check, "Retries", 0);
    if (ret_check->retries < 0 || ret_check->retries > 1000000)
        return bad_field(err, "Healthcheck.Retries", "is not between 0 and 1000000");
    return 0;
}

/* "NAME" alone means an empty variable, as elsewhere; a relative directory starts at the root. */
static int settle(struct image *image, struct err *err)
{
    for (size_t i = 0; image->env && image->env[i]; i++) {
        if (image->env[i][0] == '=' || image->env[i][0] == '\0')
            return bad_field(err, "Env", "has a variable without a name");
        if (!strchr(image->env[i], '=')) {
            char *whole = xasprintf("%s=", image->env[i]);
            free(image->env[i]);
            image->env[i] = whole;
        }
    }
    if (image->workdir) {
        char *clean = path_join("/", image->workdir);
        free(image->workdir);
        image->workdir = path_clean(clean);
        free(clean);
    }
    if (image->stop_signal && signal_parse(image->stop_signal) < 0)
        return bad_field(err, "StopSignal", "is not a signal");
    if (image->user && strlen(image->user) > 256)
        return bad_field(err, "User", "is longer than 256 bytes");
    if (check_volumes(image->volumes, err) < 0)
        return -1;
    return check_ports(image->exposed_ports, err);
}

int image_config_parse(const struct jv *config, struct image *ret_image, struct err *err)
{
    struct image image = {0};
    const struct jv *run = jv_find(config, "config");
    int failed = -1;
    if (jv_kind(config) != JV_OBJECT)
        return err_set(err, ERR_CORRUPT, "image config is not an object");
    if (run && jv_kind(run) != JV_OBJECT && jv_kind(run) != JV_NULL)
        return bad_field(err, "config", "is not an object");
    if (take_text(config, "os", &image.os, err) == 0 &&
        take_text(config, "architecture", &image.architecture, err) == 0 &&
        take_text(config, "variant", &image.variant, err) == 0 &&
        take_text(config, "created", &image.created, err) == 0 &&
        take_strings(run, "Env", &image.env, err) == 0 &&
        take_strings(run, "Entrypoint", &image.entrypoint, err) == 0 &&
        take_strings(run, "Cmd", &image.cmd, err) == 0 &&
        take_keys(run, "ExposedPorts", &image.exposed_ports, err) == 0 &&
        take_keys(run, "Volumes", &image.volumes, err) == 0 &&
        take_text(run, "User", &image.user, err) == 0 &&
        take_text(run, "WorkingDir", &image.workdir, err) == 0 &&
        take_text(run, "StopSignal", &image.stop_signal, err) == 0 &&
        take_labels(run, &image, err) == 0 && take_healthcheck(run, &image.healthcheck, err) == 0)
        failed = settle(&image, err);
    if (failed < 0) {
        image_done(&image);
        return -1;
    }
    *ret_image = image;
    return 0;
}

int image_config_diff_ids(const struct jv *config, char ***ret_diff_ids, struct err *err)
{
    char **diff_ids = NULL;
    const struct jv *rootfs = jv_find(config, "rootfs");
    const struct jv *list = jv_find(rootfs, "diff_ids");
    size_t count = jv_count(list);
    if (!rootfs || jv_kind(rootfs) != JV_OBJECT || !list || jv_kind(list) != JV_ARRAY)
        return bad_field(err, "rootfs.diff_ids", "is not a list");
    if (count == 0)
        return err_set(err, ERR_UNSUPPORTED, "the image has no layers: nothing in it could run");
    if (count > IMAGE_LAYERS_MAX)
        return err_set(err, ERR_LIMIT, "the image has %zu layers, at most %d are taken", count,
                       IMAGE_LAYERS_MAX);
    if (take_strings(rootfs, "diff_ids", &diff_ids, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        if (!digest_is_valid(diff_ids[i])) {
            strv_free(diff_ids);
            return bad_field(err, "rootfs.diff_ids", "has an element that is no sha256 digest");
        }
    }
    *ret_diff_ids = diff_ids;
    return 0;
}
