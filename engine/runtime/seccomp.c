/* SPDX-License-Identifier: Apache-2.0 */
/* Compiled filters and their cache lib/cache/seccomp/<key>.{bpf,sha256} (engine/engine.h). The key
 * is a hash of everything that goes in; the hash of the bytes lies beside them and is checked at
 * each use: a file that does not match is compiled again. The monitor checks once more before it
 * loads. */
#include "engine/runtime/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/str.h"
#include "engine/engine.h"
#include "engine/runtime/seccomp_default.h"

#define PROGRAM_MAX   (BPF_PROGRAM_MAX * sizeof(struct sock_filter))
#define TABLE_VERSION 4 /* raise it when the way of compiling changes */

/* Everything that decides about the bytes. */
static void source_key(uint64_t capabilities, const char *profile_json, char ret_hex[HASH_HEX_SIZE])
{
    _cleanup_str_ struct str source = {0};
    const struct scmp_version *version = seccomp_version();
    str_addf(&source, "winch %s table %d libseccomp %u.%u.%u arch %" PRIx32 " caps %" PRIx64 "\n",
             WINCH_VERSION, TABLE_VERSION, version->major, version->minor, version->micro,
             seccomp_arch_native(), capabilities);
    for (const char *const *name = seccomp_allowed; *name; name++)
        str_addf(&source, "%s ", *name);
    for (size_t i = 0; i < seccomp_unlock_count; i++)
        for (const char *const *name = seccomp_unlocks[i].names; *name; name++)
            str_addf(&source, "%d:%s ", seccomp_unlocks[i].capability, *name);
    str_addf(&source, "\n%s", profile_json ? profile_json : "");
    hash_hex(source.data, source.size, ret_hex);
}

static int program_compile(uint64_t capabilities, const char *profile_json, struct str *ret_program,
                           struct err *err)
{
    _cleanup_free_ struct bpf *bpf = xcalloc(1, sizeof(*bpf));
    _cleanup_jv_ struct jv *profile = NULL;
    if (!profile_json && seccomp_compile_default(capabilities, bpf, err) < 0)
        return -1;
    if (profile_json && (jv_parse(profile_json, strlen(profile_json), &profile, err) < 0 ||
                         seccomp_compile_profile(profile, capabilities, bpf, err) < 0))
        return err_wrap(err, "seccomp profile");
    str_add_bytes(ret_program, bpf->items, bpf->count * sizeof(*bpf->items));
    return 0;
}

/* true when the cached bytes are there and are what was compiled. */
static bool cache_check(int dirfd, const char *bpf_name, const char *sum_name,
                        char ret_hex[HASH_HEX_SIZE])
{
    _cleanup_free_ char *program = NULL, *sum = NULL;
    size_t size;
    if (fs_read(dirfd, bpf_name, PROGRAM_MAX, &program, &size, NULL) < 0 ||
        fs_read(dirfd, sum_name, HASH_HEX_SIZE, &sum, NULL, NULL) < 0)
        return false;
    hash_hex(program, size, ret_hex);
    return size > 0 && str_eq(sum, ret_hex);
}

int seccomp_prepare(const struct layout *layout, struct arena *arena, uint64_t capabilities,
                    const char *profile_json, const char **ret_path, const char **ret_sha256,
                    struct err *err)
{
    char key[HASH_HEX_SIZE], sum[HASH_HEX_SIZE], bpf_name[HASH_HEX_SIZE + 8],
        sum_name[HASH_HEX_SIZE + 8];
    _cleanup_close_ int dirfd = -1;
    if (fs_open_dir(layout->lib_fd, "cache/seccomp", 0700, &dirfd, err) < 0)
        return -1;
    source_key(capabilities, profile_json, key);
    snprintf(bpf_name, sizeof(bpf_name), "%s.bpf", key);
    snprintf(sum_name, sizeof(sum_name), "%s.sha256", key);
    if (!cache_check(dirfd, bpf_name, sum_name, sum)) {
        _cleanup_str_ struct str program = {0};
        if (program_compile(capabilities, profile_json, &program, err) < 0)
            return -1;
        hash_hex(program.data, program.size, sum);
        /* no sync: a cache that a power cut leaves empty or torn does not match and is made again
         */
        if (fs_replace_volatile(dirfd, bpf_name, program.data, program.size, 0600, err) < 0 ||
            fs_replace_volatile(dirfd, sum_name, sum, strlen(sum), 0600, err) < 0)
            return -1;
    }
    *ret_path = arena_printf(arena, "%s/cache/seccomp/%s", layout->lib, bpf_name);
    *ret_sha256 = arena_strdup(arena, sum);
    return 0;
}
