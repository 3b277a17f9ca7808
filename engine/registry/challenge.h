/* SPDX-License-Identifier: Apache-2.0 */
/* challenge.h - the WWW-Authenticate header of a registry (RFC 7235; distribution's token
 * specification). Pure. */
#pragma once

#include <stdbool.h>

struct challenge {
    bool is_bearer;                /* else Basic */
    char *realm, *service, *scope; /* of Bearer; NULL when absent */
};

/* The first Bearer or Basic challenge in the header; false when there is none. */
bool challenge_parse(const char *header, struct challenge *ret_challenge);
void challenge_done(struct challenge *challenge);
