/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_tar.c - layer archives into a scratch directory: whatever the archive says, its neighbour
 * stays as it was. */
#include <assert.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "engine/image/unpack.h"

static int scratch = -1;

static int lower(void *arg, const int **ret_fds, size_t *ret_count, struct err *err)
{
    (void)arg;
    (void)err;
    *ret_fds = NULL;
    *ret_count = 0;
    return 0;
}

static void prepare(void)
{
    char path[] = "/tmp/fuzz-tar-XXXXXX";
    assert(mkdtemp(path));
    scratch = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert(scratch >= 0 && mkdirat(scratch, "canary", 0755) == 0);
    umask(0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct err err = {0};
    struct unpack_result result;
    struct stat st;
    if (scratch < 0)
        prepare();
    _cleanup_close_ int archive = memfd_create("fuzz", MFD_CLOEXEC);
    assert(fd_write_all(archive, data, size) == 0 && lseek(archive, 0, SEEK_SET) == 0);
    assert(mkdirat(scratch, "diff", 0755) == 0);
    _cleanup_close_ int root = openat(scratch, "diff", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const struct unpack unpack = {
        .archive_fd = archive,
        .root_fd = root,
        .index_fd = -1,
        .whiteouts = true,
        .limits = {.bytes = 1 << 20, .entries = 200, .ratio = 100, .ratio_floor = 1 << 20},
        .lower = lower,
    };
    if (unpack_run(&unpack, &result, &err) < 0)
        assert(err.code && err.message[0]);
    assert(fs_remove_tree(scratch, "diff", &err) == 0);
    assert(fstatat(scratch, "canary", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) &&
           (st.st_mode & 07777) == 0755);
    char **names = NULL;
    size_t count = 0;
    assert(fs_list(scratch, ".", 10, &names, &count, &err) == 0 && count == 1);
    fs_names_free(names);
    assert(fs_list(scratch, "canary", 10, &names, &count, &err) == 0 && count == 0);
    fs_names_free(names);
    return 0;
}
