/* SPDX-License-Identifier: Apache-2.0 */
/* Custom profiles in moby's JSON form (its profiles/seccomp/default.json is the reference):
 * defaultAction, defaultErrnoRet, archMap or architectures, syscalls with names or name, action,
 * errnoRet, args, includes and excludes. A word that is not known is refused: a profile must never
 * protect less than it says. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/str.h"
#include "engine/runtime/caps.h"
#include "engine/runtime/seccomp.h"
#include "engine/runtime/seccomp_policy.h"
#include "engine/runtime/spec.h"

#define ERRNO_MAX 4095

static int key_known(const struct jv *object, const char *const *known, size_t count,
                     struct err *err)
{
    const char *key;
    struct jv *value;
    JV_EACH(object, key, value)
    {
        size_t i = 0;
        (void)value;
        while (i < count && !str_eq(known[i], key))
            i++;
        if (i == count)
            return err_set(err, ERR_CONFIG, "key '%s' is unknown", key);
    }
    return 0;
}

/* An integer, or fallback when it is not there; another type must not pass for it. */
static int number_get(const struct jv *object, const char *key, int64_t fallback, int64_t low,
                      int64_t high, int64_t *ret_number, struct err *err)
{
    const struct jv *value = jv_find(object, key);
    int64_t number = jv_int_value(value, fallback);
    if (value && jv_kind(value) != JV_NULL && jv_kind(value) != JV_INT)
        return err_set(err, ERR_CONFIG, "%s is no integer", key);
    if (number < low || number > high)
        return err_set(err, ERR_CONFIG, "%s: %" PRId64 " is out of range", key, number);
    *ret_number = number;
    return 0;
}

static int action_parse(const char *word, int64_t errno_ret, uint32_t *ret_action, struct err *err)
{
    static const struct {
        const char *word;
        uint32_t action;
        bool has_data;
    } rows[] = {
        {"SCMP_ACT_ALLOW", SECCOMP_RET_ALLOW, false},
        {"SCMP_ACT_LOG", SECCOMP_RET_LOG, false},
        {"SCMP_ACT_KILL", SECCOMP_RET_KILL_THREAD, false},
        {"SCMP_ACT_KILL_THREAD", SECCOMP_RET_KILL_THREAD, false},
        {"SCMP_ACT_KILL_PROCESS", SECCOMP_RET_KILL_PROCESS, false},
        {"SCMP_ACT_TRAP", SECCOMP_RET_TRAP, false},
        {"SCMP_ACT_ERRNO", SECCOMP_RET_ERRNO, true},
        {"SCMP_ACT_TRACE", SECCOMP_RET_TRACE, true},
    };
    for (size_t i = 0; word && i < ARRAY_LEN(rows); i++)
        if (str_eq(word, rows[i].word)) {
            *ret_action = rows[i].action | (rows[i].has_data ? (uint32_t)errno_ret : 0);
            return 0;
        }
    return err_set(err, ERR_CONFIG, "action '%s' is not supported", word ? word : "(missing)");
}

static int compare_parse(const char *word, enum scmp_compare *ret_compare, struct err *err)
{
    static const struct {
        const char *word;
        enum scmp_compare compare;
    } rows[] = {
        {"SCMP_CMP_NE", SCMP_CMP_NE},
        {"SCMP_CMP_LT", SCMP_CMP_LT},
        {"SCMP_CMP_LE", SCMP_CMP_LE},
        {"SCMP_CMP_EQ", SCMP_CMP_EQ},
        {"SCMP_CMP_GE", SCMP_CMP_GE},
        {"SCMP_CMP_GT", SCMP_CMP_GT},
        {"SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ},
    };
    for (size_t i = 0; word && i < ARRAY_LEN(rows); i++)
        if (str_eq(word, rows[i].word)) {
            *ret_compare = rows[i].compare;
            return 0;
        }
    return err_set(err, ERR_CONFIG, "comparison '%s' is unknown", word ? word : "(missing)");
}

static bool array_has(const struct jv *array, const char *word)
{
    for (size_t i = 0; i < jv_count(array); i++)
        if (str_eq(jv_text(jv_at(array, i)), word))
            return true;
    return false;
}

/* "4.8" or "4.8.0" against the running kernel. */
static bool kernel_is_at_least(const char *text)
{
    struct utsname name;
    int want[2] = {0}, have[2] = {0};
    if (uname(&name) < 0 || sscanf(text, "%d.%d", &want[0], &want[1]) < 1 ||
        sscanf(name.release, "%d.%d", &have[0], &have[1]) != 2)
        return false;
    return have[0] > want[0] || (have[0] == want[0] && have[1] >= want[1]);
}

static const char *arch_word(void)
{
    switch (seccomp_arch_native()) {
    case SCMP_ARCH_X86_64:
        return "amd64";
    case SCMP_ARCH_AARCH64:
        return "arm64";
    default:
        return "unknown";
    }
}

static int capability_is_held(const char *name, uint64_t capabilities, bool *ret_held,
                              struct err *err)
{
    int number = spec_capability_parse(name);
    if (number < 0)
        return err_set(err, ERR_CONFIG, "capability '%s' is unknown", name);
    *ret_held = capabilities & CAP_BIT(number);
    return 0;
}

/* Does a rule with these includes and excludes apply here? */
static int rule_applies(const struct jv *rule, uint64_t capabilities, bool *ret_applies,
                        struct err *err)
{
    static const char *const known[] = {"caps", "arches", "minKernel"};
    const struct jv *includes = jv_find(rule, "includes"), *excludes = jv_find(rule, "excludes");
    *ret_applies = true;
    if ((includes && key_known(includes, known, ARRAY_LEN(known), err) < 0) ||
        (excludes && key_known(excludes, known, ARRAY_LEN(known), err) < 0))
        return -1;
    for (int side = 0; side < 2; side++) {
        const struct jv *conditions = side ? excludes : includes;
        const struct jv *arches = jv_find(conditions, "arches"),
                        *caps = jv_find(conditions, "caps");
        const char *kernel = jv_get_str(conditions, "minKernel", NULL);
        if (!conditions)
            continue;
        if (jv_count(arches) > 0 && array_has(arches, arch_word()) == (side == 1))
            *ret_applies = false;
        if (kernel && kernel_is_at_least(kernel) == (side == 1))
            *ret_applies = false;
        for (size_t i = 0; i < jv_count(caps); i++) {
            bool held = false;
            const char *name = jv_text(jv_at(caps, i));
            if (capability_is_held(name ? name : "", capabilities, &held, err) < 0)
                return -1;
            if (held == (side == 1))
                *ret_applies = false;
        }
    }
    return 0;
}

static int condition_parse(const struct jv *arg, struct policy_condition *ret_condition,
                           struct err *err)
{
    static const char *const known[] = {"index", "value", "valueTwo", "op"};
    int64_t index, value, value_two;
    struct policy_condition condition = {0};
    if (jv_kind(arg) != JV_OBJECT)
        return err_set(err, ERR_CONFIG, "is no comparison");
    if (key_known(arg, known, ARRAY_LEN(known), err) < 0 ||
        number_get(arg, "index", 0, 0, POLICY_ARGS_MAX - 1, &index, err) < 0 ||
        number_get(arg, "value", 0, INT64_MIN, INT64_MAX, &value, err) < 0 ||
        number_get(arg, "valueTwo", 0, INT64_MIN, INT64_MAX, &value_two, err) < 0 ||
        compare_parse(jv_get_str(arg, "op", NULL), &condition.compare, err) < 0)
        return -1;
    condition.argument = (unsigned)index;
    condition.value = (uint64_t)value;
    condition.value_two = (uint64_t)value_two;
    *ret_condition = condition;
    return 0;
}

/* Conditions of a rule; *ret_repeated: two of them are about one argument. */
static int args_parse(const struct jv *args, struct policy_rule *rule, bool *ret_repeated,
                      struct err *err)
{
    if (jv_count(args) > POLICY_ARGS_MAX)
        return err_set(err, ERR_CONFIG, "more than %d args", POLICY_ARGS_MAX);
    if (args && jv_kind(args) != JV_ARRAY && jv_kind(args) != JV_NULL)
        return err_set(err, ERR_CONFIG, "args is no list");
    *ret_repeated = false;
    for (unsigned i = 0; i < jv_count(args); i++) {
        if (condition_parse(jv_at(args, i), &rule->conditions[i], err) < 0)
            return err_wrap(err, "args[%u]", i);
        for (unsigned k = 0; k < i; k++)
            *ret_repeated |= rule->conditions[k].argument == rule->conditions[i].argument;
        rule->condition_count = i + 1;
    }
    return 0;
}

/* A rule for one name. With several comparisons of one argument any of them counts, as runc has it:
 * then each is a rule of its own. */
static int rule_add(struct policy *policy, const struct policy_rule *rule, bool repeated,
                    struct err *err)
{
    unsigned count = repeated ? rule->condition_count : 1;
    if (policy->rule_count + count > POLICY_RULES_MAX)
        return err_set(err, ERR_LIMIT, "more than %d rules", POLICY_RULES_MAX);
    for (unsigned i = 0; i < count; i++) {
        struct policy_rule *added = &policy->rules[policy->rule_count++];
        *added = *rule;
        if (!repeated)
            continue;
        added->conditions[0] = rule->conditions[i];
        added->condition_count = 1;
    }
    return 0;
}

static int entry_add(struct policy *policy, const struct jv *entry, int64_t default_errno,
                     uint64_t capabilities, struct err *err)
{
    static const char *const known[] = {"names", "name",     "action",   "errnoRet",
                                        "args",  "includes", "excludes", "comment"};
    struct policy_rule rule = {0};
    int64_t errno_ret;
    bool applies, repeated = false;
    if (jv_kind(entry) != JV_OBJECT)
        return err_set(err, ERR_CONFIG, "is not an object");
    if (key_known(entry, known, ARRAY_LEN(known), err) < 0 ||
        rule_applies(entry, capabilities, &applies, err) < 0 ||
        number_get(entry, "errnoRet", default_errno, 0, ERRNO_MAX, &errno_ret, err) < 0 ||
        action_parse(jv_get_str(entry, "action", NULL), errno_ret, &rule.action, err) < 0 ||
        args_parse(jv_find(entry, "args"), &rule, &repeated, err) < 0)
        return -1;
    const struct jv *names = jv_find(entry, "names");
    rule.name = jv_get_str(entry, "name", NULL);
    if (!rule.name && !jv_count(names))
        return err_set(err, ERR_CONFIG, "names no system call");
    if (rule.name && applies && rule_add(policy, &rule, repeated, err) < 0)
        return -1;
    for (size_t i = 0; i < jv_count(names); i++) {
        rule.name = jv_text(jv_at(names, i));
        if (!rule.name)
            return err_set(err, ERR_CONFIG, "names[%zu] is no name", i);
        /* a name that no architecture here has is left to the default action */
        if (applies && rule_add(policy, &rule, repeated, err) < 0)
            return -1;
    }
    return 0;
}

static int arch_add(struct policy *policy, const char *word, struct err *err)
{
    if (str_eq(word, "SCMP_ARCH_X86"))
        policy->arches[POLICY_X86] = true;
    else if (str_eq(word, "SCMP_ARCH_X32"))
        policy->arches[POLICY_X32] = true;
    else if (!str_has_prefix(word ? word : "", "SCMP_ARCH_"))
        return err_set(err, ERR_CONFIG, "architecture '%s' is unknown", word ? word : "");
    return 0;
}

/* The native one always; others when `architectures` or the native row of `archMap` names them. */
static int arches_read(struct policy *policy, const struct jv *profile, struct err *err)
{
    const struct jv *list = jv_find(profile, "architectures"), *map = jv_find(profile, "archMap");
    const char *native =
        seccomp_arch_native() == SCMP_ARCH_X86_64 ? "SCMP_ARCH_X86_64" : "SCMP_ARCH_AARCH64";
    if (jv_count(list) && jv_count(map))
        return err_set(err, ERR_CONFIG, "architectures and archMap exclude each other");
    policy->arches[POLICY_NATIVE] = true;
    for (size_t i = 0; i < jv_count(list); i++)
        if (arch_add(policy, jv_text(jv_at(list, i)), err) < 0)
            return err_wrap(err, "architectures[%zu]", i);
    for (size_t i = 0; i < jv_count(map); i++) {
        static const char *const known[] = {"architecture", "subArchitectures"};
        const struct jv *row = jv_at(map, i), *subs = jv_find(row, "subArchitectures");
        if (key_known(row, known, ARRAY_LEN(known), err) < 0)
            return err_wrap(err, "archMap[%zu]", i);
        for (size_t k = 0; str_eq(jv_get_str(row, "architecture", NULL), native) && k < jv_count(subs); k++)
            if (arch_add(policy, jv_text(jv_at(subs, k)), err) < 0)
                return err_wrap(err, "archMap[%zu]", i);
    }
    return 0;
}

int seccomp_compile_profile(const struct jv *profile, uint64_t capabilities, struct bpf *ret_bpf,
                            struct err *err)
{
    static const char *const known[] = {"defaultAction", "defaultErrnoRet", "archMap",
                                        "architectures", "syscalls"};
    _cleanup_free_ struct policy_rule *rules = NULL;
    struct policy policy = {0};
    int64_t default_errno;
    if (jv_kind(profile) != JV_OBJECT)
        return err_set(err, ERR_CONFIG, "is not an object");
    if (key_known(profile, known, ARRAY_LEN(known), err) < 0 ||
        number_get(profile, "defaultErrnoRet", EPERM, 0, ERRNO_MAX, &default_errno, err) < 0 ||
        arches_read(&policy, profile, err) < 0)
        return -1;
    if (action_parse(jv_get_str(profile, "defaultAction", NULL), default_errno,
                     &policy.default_action, err) < 0)
        return err_wrap(err, "defaultAction");
    policy.rules = rules = xcalloc(POLICY_RULES_MAX, sizeof(*rules));
    const struct jv *entries = jv_find(profile, "syscalls");
    for (size_t i = 0; i < jv_count(entries); i++)
        if (entry_add(&policy, jv_at(entries, i), EPERM, capabilities, err) < 0)
            return err_wrap(err, "syscalls[%zu]", i);
    return policy_compile(&policy, ret_bpf, err);
}
