/* SPDX-License-Identifier: Apache-2.0 */
/* The words of a mount's `options` → attributes, propagation, or data for the file system. Pure.
 * Source: runtime-spec config.md, "Linux mount options". */
#include <string.h>
#include <sys/mount.h>

#include "base/str.h"
#include "engine/oci/bundle.h"

static const struct option {
    const char *word;
    uint64_t set, clear;
} options[] = {
    {"ro", MOUNT_ATTR_RDONLY, 0},
    {"rw", 0, MOUNT_ATTR_RDONLY},
    {"nosuid", MOUNT_ATTR_NOSUID, 0},
    {"suid", 0, MOUNT_ATTR_NOSUID},
    {"nodev", MOUNT_ATTR_NODEV, 0},
    {"dev", 0, MOUNT_ATTR_NODEV},
    {"noexec", MOUNT_ATTR_NOEXEC, 0},
    {"exec", 0, MOUNT_ATTR_NOEXEC},
    {"noatime", MOUNT_ATTR_NOATIME, MOUNT_ATTR__ATIME},
    {"atime", 0, MOUNT_ATTR__ATIME},
    {"relatime", MOUNT_ATTR_RELATIME, MOUNT_ATTR__ATIME},
    {"norelatime", 0, MOUNT_ATTR__ATIME},
    {"strictatime", MOUNT_ATTR_STRICTATIME, MOUNT_ATTR__ATIME},
    {"nostrictatime", 0, MOUNT_ATTR__ATIME},
    {"nodiratime", MOUNT_ATTR_NODIRATIME, 0},
    {"diratime", 0, MOUNT_ATTR_NODIRATIME},
    {"nosymfollow", MOUNT_ATTR_NOSYMFOLLOW, 0},
    {"symfollow", 0, MOUNT_ATTR_NOSYMFOLLOW},
};

/* words that are known and change nothing here */
static const char *const idle[] = {"defaults", "async", "sync", "dirsync", "iversion", "noiversion", "mand", "nomand",
                                   "loud", "silent", "lazytime", "nolazytime", "remount", "acl", "noacl", NULL};

static const struct {
    const char *word;
    uint64_t flags;
} propagations[] = {
    {"private", MS_PRIVATE},   {"rprivate", MS_PRIVATE | MS_REC}, {"slave", MS_SLAVE}, {"rslave", MS_SLAVE | MS_REC},
    {"shared", MS_SHARED},     {"rshared", MS_SHARED | MS_REC},   {"unbindable", MS_UNBINDABLE},
    {"runbindable", MS_UNBINDABLE | MS_REC},
};

uint64_t oci_propagation(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(propagations); i++)
        if (str_eq(word, propagations[i].word))
            return propagations[i].flags;
    return 0;
}

static const struct option *option_find(const char *word)
{
    for (size_t i = 0; i < ARRAY_LEN(options); i++)
        if (str_eq(word, options[i].word))
            return &options[i];
    return NULL;
}

static bool option_apply(const char *word, struct oci_mount *mount)
{
    const struct option *option = option_find(word);
    if (option) {
        mount->set = (mount->set & ~option->clear) | option->set;
        mount->clear = (mount->clear & ~option->set) | option->clear;
        return true;
    }
    option = word[0] == 'r' ? option_find(word + 1) : NULL; /* "rro", "rnosuid": all mounts below as well */
    if (option) {
        mount->rec_set = (mount->rec_set & ~option->clear) | option->set;
        mount->rec_clear = (mount->rec_clear & ~option->set) | option->clear;
        return true;
    }
    if (str_eq(word, "bind") || str_eq(word, "rbind")) {
        mount->bind = true;
        mount->recursive = word[0] == 'r';
        return true;
    }
    if (str_eq(word, "tmpcopyup")) {
        mount->copy_up = true;
        return true;
    }
    uint64_t propagation = oci_propagation(word);
    if (propagation)
        mount->propagation = propagation;
    return propagation || strv_has((char *const *)idle, word);
}

int oci_mount_options(struct arena *arena, const struct jv *list, struct oci_mount *mount, struct err *err)
{
    struct spec_strings words;
    if (oci_strings(arena, list, "mounts[].options", &words, err) < 0)
        return -1;
    for (size_t i = 0; i < words.count; i++)
        if (!option_apply(words.items[i], mount))
            mount->data = mount->data ? arena_printf(arena, "%s,%s", mount->data, words.items[i]) : words.items[i];
    return 0;
}
