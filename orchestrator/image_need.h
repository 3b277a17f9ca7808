/* SPDX-License-Identifier: Apache-2.0 */
/* image_need.h - pull_policy × what is here → pull, or nothing. Pure. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "parser/model.h"

enum image_need { IMAGE_NEED_NOTHING, IMAGE_NEED_PULL };

/* override: --pull, or NULL. *ret_cause is static: why it is pulled. ERR_NOT_FOUND: not here and policy never;
 * ERR_UNSUPPORTED: a policy that is not handled, or a service that has to be built. */
int image_need_decide(const struct service *service, const char *override, bool present, enum image_need *ret_need,
                      const char **ret_cause, struct err *err);
