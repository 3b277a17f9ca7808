/* SPDX-License-Identifier: Apache-2.0 */
/* Logins. A key matches a registry only exactly (with or without "https://" and an API version
 * behind it): a login for one host is never tried at another, whatever its name looks like. */
#include "engine/registry/credentials.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"

#define FILE_MAX (1024 * 1024)

static bool key_is_for(const char *key, const char *host)
{
    if (str_eq(host, "docker.io") &&
        (str_eq(key, "https://index.docker.io/v1/") || str_eq(key, "index.docker.io") ||
         str_eq(key, "registry-1.docker.io")))
        return true;
    const char *rest = str_has_prefix(key, "https://") ? key + 8 : key;
    size_t size = strlen(host);
    if (strncmp(rest, host, size) != 0)
        return false;
    rest += size;
    return !*rest || str_eq(rest, "/") || str_eq(rest, "/v1/") || str_eq(rest, "/v2/");
}

static bool is_base64(const char *text)
{
    return *text && strlen(text) < 16384 &&
           text[strspn(
               text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")] == '\0';
}

int credentials_find_in(const struct jv *file, const char *host, char **ret_basic, struct err *err)
{
    const char *key;
    struct jv *value;
    *ret_basic = NULL;
    JV_EACH(jv_find(file, "credHelpers"), key, value)
    {
        if (key_is_for(key, host) && jv_text(value))
            return err_set(
                err, ERR_UNSUPPORTED,
                "the login for %s is kept by the helper program 'docker-credential-%.60s', "
                "which is not supported",
                host, jv_text(value));
    }
    JV_EACH(jv_find(file, "auths"), key, value)
    {
        const char *auth = jv_get_str(value, "auth", NULL);
        if (!key_is_for(key, host))
            continue;
        if (!auth || !*auth) {
            if (jv_get_str(file, "credsStore", NULL))
                return err_set(
                    err, ERR_UNSUPPORTED,
                    "the login for %s is kept by a credential store program, which is not "
                    "supported",
                    host);
            continue;
        }
        if (!is_base64(auth))
            return err_set(err, ERR_CONFIG, "the login for %s is damaged: 'auth' is no base64 text",
                           host);
        *ret_basic = xstrdup(auth);
        return 0;
    }
    return 0;
}

int credentials_find(const char *host, char **ret_basic, struct err *err)
{
    _cleanup_free_ char *path = NULL, *text = NULL;
    _cleanup_jv_ struct jv *file = NULL;
    struct err local = {0};
    size_t size = 0;
    struct stat st;
    const char *directory = getenv("DOCKER_CONFIG"), *home = getenv("HOME");
    *ret_basic = NULL;
    if (directory && *directory)
        path = xasprintf("%s/config.json", directory);
    else
        path = xasprintf("%s/.docker/config.json", home && *home ? home : "/root");
    if (fs_read(AT_FDCWD, path, FILE_MAX, &text, &size, &local) < 0)
        return local.code == ERR_NOT_FOUND ? 0 : err_copy(err, &local);
    if (stat(path, &st) == 0 && (st.st_mode & 077))
        log_warning("noun=credentials file=%s is readable by others: chmod 600 it", path);
    if (jv_parse(text, size, &file, &local) < 0) {
        (void)err_copy(err, &local);
        return err_wrap(err, "%s", path);
    }
    if (credentials_find_in(file, host, ret_basic, &local) < 0) {
        (void)err_copy(err, &local);
        return err_wrap(err, "%s", path);
    }
    return 0;
}
