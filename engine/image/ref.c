/* SPDX-License-Identifier: Apache-2.0 */
/* References to images: parsing, the full form under which the store knows an image, and the short
 * form for people. A reference never becomes a path; what passes here is safe inside a URL of the
 * distribution API. */
#include "engine/image/ref.h"

#include <stddef.h>
#include <string.h>

#include "base/id.h"
#include "base/str.h"
#include "engine/engine.h"

#define DEFAULT_REGISTRY "docker.io"

static bool is_alnum_lower(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_word(char c)
{
    return is_alnum_lower(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

static bool port_is_valid(const char *port)
{
    long long value;
    return parse_i64(port, 1, 65535, &value);
}

/* host[:port] or [v6]:port; letters, digits, dots and dashes only */
static bool registry_is_valid(const char *text)
{
    const char *at = text;
    if (*at == '[') {
        at++;
        size_t span = strspn(at, "0123456789abcdefABCDEF:.");
        if (span < 2 || at[span] != ']')
            return false;
        at += span + 1;
        return *at == '\0' || (*at == ':' && port_is_valid(at + 1));
    }
    size_t length = strcspn(at, ":");
    if (length == 0 || length > 253)
        return false;
    for (size_t i = 0; i < length; i++) {
        bool edge = i == 0 || i + 1 == length || at[i - 1] == '.' || at[i + 1] == '.';
        if (at[i] == '.' ? edge && (i == 0 || i + 1 == length || at[i - 1] == '.')
                         : !((is_word(at[i]) && at[i] != '_') || (at[i] == '-' && !edge)))
            return false;
    }
    return at[length] == '\0' || port_is_valid(at + length + 1);
}

/* [a-z0-9]+ joined by one of '.', '_', '__' or any number of '-' */
static bool component_is_valid(const char *text, size_t size)
{
    size_t i = 0;
    while (i < size) {
        if (!is_alnum_lower(text[i]))
            return false;
        while (i < size && is_alnum_lower(text[i]))
            i++;
        if (i == size)
            return true;
        if (text[i] == '.')
            i++;
        else if (text[i] == '_')
            i += i + 1 < size && text[i + 1] == '_' ? 2 : 1;
        else if (text[i] == '-')
            while (i < size && text[i] == '-')
                i++;
        else
            return false;
    }
    return false; /* empty, or ends with a separator */
}

static bool repository_is_valid(const char *text)
{
    for (const char *at = text;;) {
        size_t size = strcspn(at, "/");
        if (!component_is_valid(at, size))
            return false;
        if (at[size] == '\0')
            return true;
        at += size + 1;
    }
}

static bool tag_is_valid(const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || size > 128 || !is_word(text[0]))
        return false;
    for (size_t i = 1; i < size; i++) {
        if (!is_word(text[i]) && text[i] != '.' && text[i] != '-')
            return false;
    }
    return true;
}

bool digest_is_valid(const char *text)
{
    return text && str_has_prefix(text, "sha256:") && id_is_valid(text + 7);
}

const char *digest_hex(const char *digest)
{
    return digest + 7;
}

void image_ref_done(struct image_ref *ref)
{
    free(ref->registry);
    free(ref->repository);
    free(ref->tag);
    free(ref->digest);
    *ref = (struct image_ref){0};
}

/* A first component of several that a person would take for a host. */
static bool begins_with_host(const char *name, char **ret_first)
{
    const char *slash = strchr(name, '/');
    if (!slash)
        return false;
    _cleanup_free_ char *first = xstrndup(name, (size_t)(slash - name));
    bool upper = false;
    for (const char *c = first; *c; c++)
        upper |= *c >= 'A' && *c <= 'Z';
    if (!strpbrk(first, ".:[") && !str_eq(first, "localhost") && !upper)
        return false;
    *ret_first = take_ptr(&first);
    return true;
}

/* Cuts "domain/" off *name when its first component looks like a host. */
static char *split_registry(const char **name)
{
    _cleanup_free_ char *first = NULL;
    if (!begins_with_host(*name, &first))
        return xstrdup(DEFAULT_REGISTRY);
    const char *slash = strchr(*name, '/');
    *name = slash + 1;
    if (str_eq(first, "index.docker.io") || str_eq(first, "registry-1.docker.io"))
        return xstrdup(DEFAULT_REGISTRY);
    return take_ptr(&first);
}

static int bad_reference(struct err *err, const char *text, const char *why)
{
    _cleanup_free_ char *shown = str_printable(text);
    return err_set(err, ERR_CONFIG, "'%.200s' is not an image reference: %s", shown, why);
}

int image_ref_parse(const char *text, struct image_ref *ret_ref, struct err *err)
{
    _cleanup_(image_ref_done) struct image_ref ref = {0};
    if (strlen(text) > 1024)
        return bad_reference(err, text, "it is longer than 1024 bytes");
    _cleanup_free_ char *copy = xstrdup(text);
    char *at = strchr(copy, '@');
    if (at) {
        *at = '\0';
        if (!digest_is_valid(at + 1))
            return bad_reference(err, text,
                                 "its digest must be sha256: and 64 lower-case hex digits");
        ref.digest = xstrdup(at + 1);
    }
    char *last_slash = strrchr(copy, '/');
    char *colon = strrchr(last_slash ? last_slash : copy, ':');
    if (colon) {
        *colon = '\0';
        if (!tag_is_valid(colon + 1))
            return bad_reference(err, text, "its tag is not valid");
        ref.tag = xstrdup(colon + 1);
    } else if (!ref.digest) {
        ref.tag = xstrdup("latest");
    }
    const char *name = copy;
    ref.registry = split_registry(&name);
    if (!registry_is_valid(ref.registry))
        return bad_reference(err, text, "its registry is not a host name with an optional port");
    if (!repository_is_valid(name))
        return bad_reference(
            err, text, "its name must be lower-case letters and digits, joined by . _ - and /");
    bool official = str_eq(ref.registry, DEFAULT_REGISTRY) && !strchr(name, '/');
    ref.repository = official ? xasprintf("library/%s", name) : xstrdup(name);
    if (str_has_prefix(ref.repository, "library/") &&
        id_is_valid(ref.repository + strlen("library/")))
        return bad_reference(err, text, "64 hex digits are an image id");
    if (strlen(ref.registry) + 1 + strlen(ref.repository) > REF_NAME_MAX)
        return bad_reference(err, text, "its name is longer than 255 bytes");
    *ret_ref = ref;
    ref = (struct image_ref){0};
    return 0;
}

char *image_ref_format(const struct image_ref *ref)
{
    return xasprintf("%s/%s%s%s%s%s", ref->registry, ref->repository, ref->tag ? ":" : "",
                     ref->tag ? ref->tag : "", ref->digest ? "@" : "",
                     ref->digest ? ref->digest : "");
}

int image_ref_normalize(const char *text, char **ret_full, struct err *err)
{
    _cleanup_(image_ref_done) struct image_ref ref = {0};
    if (image_ref_parse(text, &ref, err) < 0)
        return -1;
    *ret_full = image_ref_format(&ref);
    return 0;
}

char *image_ref_familiar(const char *full)
{
    const char *rest = full;
    _cleanup_free_ char *host = NULL;
    if (str_has_prefix(rest, "docker.io/")) {
        rest += strlen("docker.io/");
        const char *inner = rest + strlen("library/");
        if (str_has_prefix(rest, "library/") && !strchr(inner, '/'))
            rest = inner;
    }
    return xstrdup(begins_with_host(rest, &host) ? full : rest);
}
