/* SPDX-License-Identifier: Apache-2.0 */
/* run_overlay.c - JSON values under YAML keys. A '$' is doubled: what comes from the command line is no template. */
#include "cli/run_overlay.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/fs.h"
#include "base/json.h"
#include "base/str.h"
#include "parser/dotenv.h"

#define ENV_FILE_MAX (1024 * 1024)

static char *escape(const char *text)
{
    struct str out = {0};

    for (; *text; text++)
        str_addf(&out, *text == '$' ? "$$" : "%c", *text);
    return str_take(&out);
}

static void add_value(struct str *out, const char *key, const char *tag, struct jv *value_taken)
{
    _cleanup_jv_ struct jv *value = value_taken;
    _cleanup_free_ char *text = jv_dump(value);

    str_addf(out, "      %s: %s%s\n", key, tag, text);
}

static void add_text(struct str *out, const char *key, const char *text)
{
    if (!text)
        return;
    _cleanup_free_ char *escaped = escape(text);
    add_value(out, key, "", jv_string(escaped));
}

static void add_list(struct str *out, const char *key, const char *tag, char *const *items)
{
    struct jv *list = jv_array();

    for (; items && *items; items++) {
        _cleanup_free_ char *escaped = escape(*items);
        jv_add(list, jv_string(escaped));
    }
    add_value(out, key, tag, list);
}

/* KEY=VALUE items; a name alone is taken from our environment, or left out (env) or is empty (labels). */
static int add_pairs(struct str *out, const char *key, char *const *items, bool env, struct err *err)
{
    struct jv *map = jv_object();

    for (; items && *items; items++) {
        const char *sign = strchr(*items, '=');
        _cleanup_free_ char *name = xstrndup(*items, sign ? (size_t)(sign - *items) : strlen(*items));
        const char *value = sign ? sign + 1 : env ? getenv(name) : "";
        if (!name[0]) {
            jv_free(map);
            return err_set(err, ERR_USAGE, "%s: '%s' has no name", key, *items);
        }
        _cleanup_free_ char *escaped = value ? escape(value) : NULL;
        if (escaped)
            jv_set_str(map, name, escaped);
    }
    add_value(out, key, "", map);
    return 0;
}

static const char *from_process(void *context, const char *name)
{
    (void)context;
    return getenv(name);
}

/* The files' variables, then those named one by one. Owned list. */
static int env_collect(const struct run_wishes *wishes, char ***ret_items, struct err *err)
{
    _cleanup_(env_freep) struct env *env = env_new();
    char **items = NULL;

    for (char **file = wishes->env_files; file && *file; file++) {
        const struct dotenv_options options = {.lookup = from_process, .file = *file};
        _cleanup_free_ char *text = NULL;
        size_t size;
        if (fs_read(AT_FDCWD, *file, ENV_FILE_MAX, &text, &size, err) < 0 || dotenv_parse(text, size, &options, env, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < env_count(env); i++) {
        _cleanup_free_ char *item = xasprintf("%s=%s", env_name_at(env, i), env_get(env, env_name_at(env, i)));
        items = strv_add(items, item);
    }
    for (char **item = wishes->env; item && *item; item++)
        items = strv_add(items, *item);
    *ret_items = items;
    return 0;
}

int run_overlay(const struct run_wishes *wishes, char **ret_text, struct err *err)
{
    _cleanup_str_ struct str out = {0};
    _cleanup_jv_ struct jv *service = jv_string(wishes->service);
    _cleanup_free_ char *name = jv_dump(service);
    bool has_command = wishes->command && wishes->command[0];

    str_addf(&out, "services:\n  %s:\n      container_name: !reset null\n      restart: \"no\"\n"
                   "      deploy: {restart_policy: !reset null}\n", name);
    if (has_command || wishes->entrypoint)
        add_list(&out, "command", "!override ", wishes->command);
    if (wishes->entrypoint)
        add_text(&out, "entrypoint", wishes->entrypoint);
    add_text(&out, "user", wishes->user);
    add_text(&out, "working_dir", wishes->workdir);
    _cleanup_(strv_freep) char **env = NULL;
    if (env_collect(wishes, &env, err) < 0 || (env && add_pairs(&out, "environment", env, true, err) < 0))
        return -1;
    if (wishes->labels && add_pairs(&out, "labels", wishes->labels, false, err) < 0)
        return -1;
    if (wishes->volumes)
        add_list(&out, "volumes", "", wishes->volumes);
    if (wishes->publish || !wishes->service_ports)
        add_list(&out, "ports", wishes->service_ports ? "" : "!override ", wishes->publish);
    if (wishes->cap_add)
        add_list(&out, "cap_add", "", wishes->cap_add);
    if (wishes->cap_drop)
        add_list(&out, "cap_drop", "", wishes->cap_drop);
    if (wishes->set_tty)
        str_addf(&out, "      tty: %s\n      stdin_open: %s\n", wishes->tty ? "true" : "false",
                 wishes->stdin_open ? "true" : "false");
    *ret_text = str_take(&out);
    return 0;
}
