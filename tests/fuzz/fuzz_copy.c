/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_copy.c - archives as `cp` takes them, as a stream and as another process of ours would send them: whatever they say,
 * nothing beside the target changes. */
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
#include "engine/image/copy_in.h"

static int scratch = -1;

static void ignore(const char *text)
{
    (void)text;
}

static void prepare(void)
{
    char path[] = "/tmp/fuzz-copy-XXXXXX";
    assert(mkdtemp(path));
    scratch = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert(scratch >= 0 && mkdirat(scratch, "canary", 0755) == 0);
    umask(0);
}

static void run(const uint8_t *data, size_t size, const char *name)
{
    struct err err = {0};
    struct stat st;
    char **names = NULL;
    size_t count = 0;
    _cleanup_close_ int archive = memfd_create("fuzz", MFD_CLOEXEC);
    assert(fd_write_all(archive, data, size) == 0 && lseek(archive, 0, SEEK_SET) == 0);
    assert(mkdirat(scratch, "to", 0755) == 0);
    assert(symlinkat("../canary", scratch, "to/way") == 0);
    const struct copy_in copy = {
        .archive_fd = archive, .root_fd = scratch, .path = "/to", .name = name, .contents = size & 1, .plain_modes = size & 2, .warn = ignore};
    if (copy_in_run(&copy, &err) < 0)
        assert(err.code && err.message[0]);
    assert(fs_remove_tree(scratch, "to", &err) == 0);
    assert(fstatat(scratch, "canary", &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode) && (st.st_mode & 07777) == 0755);
    assert(fs_list(scratch, ".", 10, &names, &count, &err) == 0 && count == 1);
    fs_names_free(names);
    assert(fs_list(scratch, "canary", 10, &names, &count, &err) == 0 && count == 0);
    fs_names_free(names);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (scratch < 0)
        prepare();
    run(data, size, NULL);
    run(data, size, "x");
    return 0;
}
