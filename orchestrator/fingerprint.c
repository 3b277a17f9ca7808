/* SPDX-License-Identifier: Apache-2.0 */
/* Names what changed between two definitions of a service. The decision to recreate is config_hash's alone; this only finds
 * the words for it, so it may look as deep as people read: two levels of keys. */
#include "orchestrator/fingerprint.h"

#include "parser/node_json.h"

/* these never count for config_hash (compose-reference b.9) */
static const char *const uncounted[] = { "build", "pull_policy", "scale", "depends_on", "profiles" };

struct jv *service_definition(const struct service *service)
{
    if (!service->canonical || service->canonical->kind != NODE_MAP)
        return NULL;
    struct jv *definition = node_to_jv(service->canonical);
    for (size_t i = 0; i < ARRAY_LEN(uncounted); i++)
        jv_remove(definition, uncounted[i]);
    struct jv *deploy = jv_find(definition, "deploy");
    if (deploy && jv_kind(deploy) == JV_OBJECT) {
        jv_remove(deploy, "replicas");
        if (jv_count(deploy) == 0)
            jv_remove(definition, "deploy");
    }
    return definition;
}

/* First key, by name, that differs; *ret_word says how. NULL: none. */
static const char *first_difference(const struct jv *old, const struct jv *new_, const char **ret_word)
{
    const char *first = NULL, *key;
    struct jv *value;
    JV_EACH (old, key, value) {
        const struct jv *other = jv_find(new_, key);
        if (other && jv_equal(value, other))
            continue;
        if (!first || strcmp(key, first) < 0) {
            first = key;
            *ret_word = other ? "changed" : "removed";
        }
    }
    JV_EACH (new_, key, value) {
        if (value && !jv_find(old, key) && (!first || strcmp(key, first) < 0)) {
            first = key;
            *ret_word = "added";
        }
    }
    return first;
}

const char *definition_cause(struct arena *arena, const struct jv *old, const struct jv *new_)
{
    const char *word = "changed", *deeper = "changed";
    if (!old || !new_ || jv_kind(old) != JV_OBJECT || jv_kind(new_) != JV_OBJECT)
        return "configuration changed";
    const char *key = first_difference(old, new_, &word);
    if (!key)
        return "configuration changed";
    const struct jv *a = jv_find(old, key), *b = jv_find(new_, key);
    if (a && b && jv_kind(a) == JV_OBJECT && jv_kind(b) == JV_OBJECT) {
        const char *inner = first_difference(a, b, &deeper);
        if (inner)
            return arena_printf(arena, "%s.%s %s", key, inner, deeper);
    }
    return arena_printf(arena, "%s %s", key, word);
}
