/* SPDX-License-Identifier: Apache-2.0 */
/* The local driver's options: what `driver_opts` of a volume mean. A directory of our own, or (type none, o bind) a
 * directory of the host that is the data. What would need a mount of its own is refused by name. */
#include "base/str.h"
#include "volumes/volume.h"

static const char *const known_options[] = { "type", "o", "device" };

/* "bind", "rbind,rw": only words that leave the meaning of a plain bind */
static int bind_words_check(const char *text, bool *ret_bind, struct err *err)
{
    static const char *const words[] = { "bind", "rbind", "rw", "defaults" };
    char **parts = strv_split(text, ",");
    int result = 0;
    for (size_t i = 0; parts[i] && result == 0; i++) {
        bool known = false;
        for (size_t j = 0; j < ARRAY_LEN(words); j++)
            known |= str_eq(parts[i], words[j]);
        if (str_has_prefix(parts[i], "bind") || str_has_prefix(parts[i], "rbind"))
            *ret_bind = true;
        if (!known)
            result = err_set(err, ERR_UNSUPPORTED, "driver_opts.o: '%s' is not supported", parts[i]);
    }
    strv_free(parts);
    return result;
}

int volume_local_device(const char *driver, const struct jv *options, const char **ret_device, struct err *err)
{
    if (driver && driver[0] && !str_eq(driver, "local"))
        return err_set(err, ERR_UNSUPPORTED, "volume driver '%s' is not supported", driver);
    const char *key;
    struct jv *value;
    if (options) {
        JV_EACH (options, key, value) {
            bool known = false;
            for (size_t i = 0; i < ARRAY_LEN(known_options); i++)
                known |= str_eq(key, known_options[i]);
            if (!known || !jv_text(value))
                return err_set(err, ERR_UNSUPPORTED, "driver_opts.%s is not supported", key);
        }
    }
    const char *type = options ? jv_get_str(options, "type", "") : "";
    const char *words = options ? jv_get_str(options, "o", "") : "";
    const char *device = options ? jv_get_str(options, "device", "") : "";
    bool bind = false;
    if (words[0] && bind_words_check(words, &bind, err) < 0)
        return -1;
    if (type[0] && !str_eq(type, "none") && !str_eq(type, "bind"))
        return err_set(err, ERR_UNSUPPORTED, "driver_opts.type: '%s' is not supported", type);
    if (!bind && (device[0] || type[0]))
        return err_set(err, ERR_UNSUPPORTED, "driver_opts.device without 'o: bind' is not supported");
    if (bind && device[0] != '/')
        return err_set(err, ERR_CONFIG, "driver_opts.device: '%s' is no absolute path", device);
    *ret_device = bind ? device : NULL;
    return 0;
}
