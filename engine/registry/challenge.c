/* SPDX-License-Identifier: Apache-2.0 */
/* Parsing what a registry demands. Unknown schemes and parameters are passed over; a quoted value
 * may hold anything. */
#include "engine/registry/challenge.h"

#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

void challenge_done(struct challenge *challenge)
{
    free(challenge->realm);
    free(challenge->service);
    free(challenge->scope);
    *challenge = (struct challenge){0};
}

static size_t token_size(const char *text)
{
    return strspn(text,
                  "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~");
}

/* "value" or value; NULL at a syntax error. */
static char *read_value(const char **at)
{
    struct str value = {0};
    if (**at != '"') {
        size_t size =
            strcspn(*at, ", \t"); /* more than a token: addresses stand unquoted sometimes */
        str_add_bytes(&value, *at, size);
        *at += size;
        return str_take(&value);
    }
    for ((*at)++; **at != '"'; (*at)++) {
        if (**at == '\\' && (*at)[1])
            (*at)++;
        if (**at == '\0') {
            str_done(&value);
            return NULL;
        }
        str_add_char(&value, **at);
    }
    (*at)++;
    return str_take(&value);
}

/* key=value, …; stops before a word that is no parameter (the next scheme). */
static bool read_parameters(const char **at, struct challenge *challenge)
{
    for (;;) {
        *at += strspn(*at, ", \t");
        size_t size = token_size(*at);
        if (size == 0 || (*at)[size] != '=')
            return **at == '\0' || size > 0;
        _cleanup_free_ char *key = xstrndup(*at, size);
        *at += size + 1;
        char *value = read_value(at);
        if (!value)
            return false;
        char **field = strcasecmp(key, "realm") == 0     ? &challenge->realm
                       : strcasecmp(key, "service") == 0 ? &challenge->service
                       : strcasecmp(key, "scope") == 0   ? &challenge->scope
                                                         : NULL;
        if (field && !*field)
            *field = take_ptr(&value);
        free(value);
    }
}

bool challenge_parse(const char *header, struct challenge *ret_challenge)
{
    const char *at = header;
    while (at && *at) {
        struct challenge challenge = {0};
        at += strspn(at, ", \t");
        size_t size = token_size(at);
        if (size == 0)
            return false;
        challenge.is_bearer = size == 6 && strncasecmp(at, "Bearer", 6) == 0;
        bool known = challenge.is_bearer || (size == 5 && strncasecmp(at, "Basic", 5) == 0);
        at += size;
        bool good = read_parameters(&at, &challenge);
        if (good && known && (!challenge.is_bearer || challenge.realm)) {
            *ret_challenge = challenge;
            return true;
        }
        challenge_done(&challenge);
        if (!good)
            return false;
    }
    return false;
}
