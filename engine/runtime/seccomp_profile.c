/* SPDX-License-Identifier: Apache-2.0 */
/* Custom profiles in moby's JSON form (its profiles/seccomp/default.json is the reference):
 * defaultAction, defaultErrnoRet, archMap or architectures, syscalls with names or name, action,
 * errnoRet, args, includes and excludes. A word that is not known is refused: a profile must never
 * protect less than it says. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>

#include "base/str.h"
#include "engine/runtime/caps.h"
#include "engine/runtime/seccomp.h"
#include "engine/runtime/spec.h"

#define ARGS_MAX 6

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

static int action_parse(const char *word, int64_t errno_ret, uint32_t *ret_action, struct err *err)
{
    static const struct {
        const char *word;
        uint32_t action;
    } rows[] = {
        {"SCMP_ACT_ALLOW", SCMP_ACT_ALLOW}, {"SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD},
        {"SCMP_ACT_LOG", SCMP_ACT_LOG},     {"SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD},
        {"SCMP_ACT_TRAP", SCMP_ACT_TRAP},   {"SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS},
    };
    for (size_t i = 0; word && i < ARRAY_LEN(rows); i++)
        if (str_eq(word, rows[i].word)) {
            *ret_action = rows[i].action;
            return 0;
        }
    if (errno_ret < 0 || errno_ret > 4095)
        return err_set(err, ERR_CONFIG, "errnoRet %" PRId64 " is no error number", errno_ret);
    if (str_eq(word, "SCMP_ACT_ERRNO")) {
        *ret_action = SCMP_ACT_ERRNO((uint32_t)errno_ret);
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

static int args_parse(const struct jv *args, struct scmp_arg_cmp ret_args[ARGS_MAX],
                      struct err *err)
{
    static const char *const known[] = {"index", "value", "valueTwo", "op"};
    if (jv_count(args) > ARGS_MAX)
        return err_set(err, ERR_CONFIG, "more than %d args", ARGS_MAX);
    for (size_t i = 0; i < jv_count(args); i++) {
        const struct jv *arg = jv_at(args, i);
        enum scmp_compare compare = SCMP_CMP_EQ;
        int64_t index = jv_get_int(arg, "index", 0);
        if (jv_kind(arg) != JV_OBJECT || key_known(arg, known, ARRAY_LEN(known), err) < 0 ||
            index < 0 || index >= ARGS_MAX)
            return err_set(err, ERR_CONFIG, "args[%zu] is no comparison", i);
        if (compare_parse(jv_get_str(arg, "op", NULL), &compare, err) < 0)
            return err_wrap(err, "args[%zu]", i);
        ret_args[i] = (struct scmp_arg_cmp){
            .arg = (unsigned)index,
            .op = compare,
            .datum_a = (scmp_datum_t)jv_get_int(arg, "value", 0),
            .datum_b = (scmp_datum_t)jv_get_int(arg, "valueTwo", 0),
        };
    }
    return (int)jv_count(args);
}

/* libseccomp refuses two comparisons of one argument in a rule; each becomes a rule of its own (any
 * of them), as runc does. */
static int rule_add(scmp_filter_ctx ctx, uint32_t action, int number,
                    const struct scmp_arg_cmp *args, int count)
{
    bool repeated = false;
    for (int i = 0; i < count; i++)
        for (int k = 0; k < i; k++)
            repeated |= args[i].arg == args[k].arg;
    if (!repeated)
        return seccomp_rule_add_array(ctx, action, number, (unsigned)count, args);
    int result = 0;
    for (int i = 0; i < count && result == 0; i++)
        result = seccomp_rule_add_array(ctx, action, number, 1, &args[i]);
    return result;
}

static int syscall_rule(scmp_filter_ctx ctx, const struct jv *rule, uint32_t default_action,
                        int64_t default_errno, uint64_t capabilities, struct err *err)
{
    static const char *const known[] = {"names", "name",     "action",   "errnoRet",
                                        "args",  "includes", "excludes", "comment"};
    struct scmp_arg_cmp args[ARGS_MAX];
    uint32_t action;
    bool applies;
    if (jv_kind(rule) != JV_OBJECT)
        return err_set(err, ERR_CONFIG, "is not an object");
    if (key_known(rule, known, ARRAY_LEN(known), err) < 0 ||
        rule_applies(rule, capabilities, &applies, err) < 0 ||
        action_parse(jv_get_str(rule, "action", NULL), jv_get_int(rule, "errnoRet", default_errno),
                     &action, err) < 0)
        return -1;
    int count = args_parse(jv_find(rule, "args"), args, err);
    if (count < 0)
        return -1;
    const struct jv *names = jv_find(rule, "names");
    const char *single = jv_get_str(rule, "name", NULL);
    for (size_t i = 0;
         applies && action != default_action && i < jv_count(names) + (single ? 1 : 0); i++) {
        const char *name = i < jv_count(names) ? jv_text(jv_at(names, i)) : single;
        int number = name ? seccomp_syscall_resolve_name(name) : __NR_SCMP_ERROR;
        if (number == __NR_SCMP_ERROR)
            continue; /* of another architecture or newer than the library: the default action */
        int result = rule_add(ctx, action, number, args, count);
        if (result < 0)
            return err_sysno(err, -result, "rule for '%s'", name);
    }
    return 0;
}

/* Architectures beside the native one that its kernel runs. */
static int arches_add(scmp_filter_ctx ctx, struct err *err)
{
    static const struct {
        uint32_t native, other;
    } rows[] = {{SCMP_ARCH_X86_64, SCMP_ARCH_X86},
                {SCMP_ARCH_X86_64, SCMP_ARCH_X32},
                {SCMP_ARCH_AARCH64, SCMP_ARCH_ARM}};
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        int result =
            rows[i].native == seccomp_arch_native() ? seccomp_arch_add(ctx, rows[i].other) : 0;
        if (result < 0 && result != -EEXIST)
            return err_sysno(err, -result, "add an architecture");
    }
    return 0;
}

int seccomp_compile_profile(const struct jv *profile, uint64_t capabilities,
                            scmp_filter_ctx *ret_ctx, struct err *err)
{
    static const char *const known[] = {"defaultAction", "defaultErrnoRet", "archMap",
                                        "architectures", "syscalls"};
    if (jv_kind(profile) != JV_OBJECT)
        return err_set(err, ERR_CONFIG, "is not an object");
    int64_t default_errno = jv_get_int(profile, "defaultErrnoRet", EPERM);
    uint32_t default_action;
    if (key_known(profile, known, ARRAY_LEN(known), err) < 0)
        return -1;
    if (action_parse(jv_get_str(profile, "defaultAction", NULL), default_errno, &default_action,
                     err) < 0)
        return err_wrap(err, "defaultAction");
    scmp_filter_ctx ctx = seccomp_init(default_action);
    if (!ctx)
        return err_set(err, ERR_INTERNAL, "no filter");
    int result = arches_add(ctx, err);
    const struct jv *rules = jv_find(profile, "syscalls");
    for (size_t i = 0; result == 0 && i < jv_count(rules); i++)
        if (syscall_rule(ctx, jv_at(rules, i), default_action, default_errno, capabilities, err) <
            0)
            result = err_wrap(err, "syscalls[%zu]", i);
    if (result < 0) {
        seccomp_release(ctx);
        return -1;
    }
    *ret_ctx = ctx;
    return 0;
}
