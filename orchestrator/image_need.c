/* SPDX-License-Identifier: Apache-2.0 */
/* Decides whether an image has to be pulled before a service can run: the table of pull policies against what is here.
 * Policies that need the time of the last pull are refused by name. */
#include "orchestrator/image_need.h"

#include "base/mem.h"

enum when { WHEN_ALWAYS, WHEN_MISSING, WHEN_NEVER };

static const struct policy {
    const char *word;
    enum when when;
} policies[] = {
    { "always", WHEN_ALWAYS },         { "missing", WHEN_MISSING }, { "if_not_present", WHEN_MISSING },
    { "never", WHEN_NEVER },           { "build", WHEN_NEVER },
};

int image_need_decide(const struct service *service, const char *override, bool present, enum image_need *ret_need,
                      const char **ret_cause, struct err *err)
{
    const char *word = override ? override : service->pull_policy ? service->pull_policy : "missing";
    const struct policy *policy = NULL;
    for (size_t i = 0; i < ARRAY_LEN(policies); i++)
        if (str_eq(policies[i].word, word))
            policy = &policies[i];
    if (!policy)
        return err_set(err, ERR_UNSUPPORTED, "service '%s': pull_policy '%s' is not supported", service->name, word);

    if (service->build.set && !present && (policy->when != WHEN_ALWAYS || !service->image))
        return err_set(err, ERR_UNSUPPORTED, "service '%s': building images is not supported: image '%s' is not here",
                       service->name, service->image ? service->image : "");
    if (present && policy->when != WHEN_ALWAYS) {
        *ret_need = IMAGE_NEED_NOTHING;
        return 0;
    }
    if (policy->when == WHEN_NEVER) {
        err_set(err, ERR_NOT_FOUND, "service '%s': no such image: %s", service->name, service->image ? service->image : "");
        return err_hint(err, "pull_policy is '%s': pull it with `winch pull`, or load it", word);
    }
    *ret_cause = present ? (override ? "--pull always" : "pull_policy: always") : "not here";
    *ret_need = IMAGE_NEED_PULL;
    return 0;
}
