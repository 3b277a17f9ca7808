/* SPDX-License-Identifier: Apache-2.0 */
/* layout.c - where an instance keeps its state. The environment is read here and nowhere below. */
#include "base/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/hash.h"
#include "base/mem.h"
#include "base/path.h"

#define LIB_DEFAULT    "/var/lib/winch"
#define RUN_DEFAULT    "/run/winch"
#define CONFIG_DEFAULT "/etc/winch/winch.yaml"
#define PASS_MODE      0711 /* a container's user passes both on its way to its root and volumes */

static int make_absolute(const char *path, char **ret_path, struct err *err)
{
    if (path[0] == '/') {
        *ret_path = path_clean(path);
        return 0;
    }
    _cleanup_free_ char *cwd = getcwd(NULL, 0);
    if (!cwd)
        return err_sys(err, "find the current directory");
    _cleanup_free_ char *joined = path_join(cwd, path);
    *ret_path = path_clean(joined);
    return 0;
}

int layout_init(struct layout *layout, const char *root, struct err *err)
{
    _cleanup_free_ char *absolute = NULL, *config = NULL;
    const char *config_env = getenv("WINCH_CONFIG");

    if (!root || !root[0])
        root = getenv("WINCH_ROOT");
    if (root && root[0] && make_absolute(root, &absolute, err) < 0)
        return -1;
    if (config_env && config_env[0] && make_absolute(config_env, &config, err) < 0)
        return -1;
    if (str_eq(absolute, "/"))
        return err_set(err, ERR_USAGE, "the state root cannot be '/'");

    *layout = (struct layout){.lib_fd = -1, .run_fd = -1, .is_default = !absolute};
    if (absolute) {
        char hex[HASH_HEX_SIZE];
        hash_hex(absolute, strlen(absolute), hex);
        memcpy(layout->instance, hex, sizeof(layout->instance) - 1);
    }
    layout->lib = absolute ? path_join(absolute, "lib") : xstrdup(LIB_DEFAULT);
    layout->run = absolute ? path_join(absolute, "run") : xstrdup(RUN_DEFAULT);
    if (config)
        layout->config_file = take_ptr(&config);
    else
        layout->config_file = absolute ? path_join(absolute, "winch.yaml") : xstrdup(CONFIG_DEFAULT);
    layout->root = take_ptr(&absolute);
    return 0;
}

void layout_done(struct layout *layout)
{
    free(layout->root);
    free(layout->lib);
    free(layout->run);
    free(layout->config_file);
    if (layout->lib) { /* initialised: else the descriptors of {0} would be 0 */
        close_fdp(&layout->lib_fd);
        close_fdp(&layout->run_fd);
    }
    *layout = (struct layout){.lib_fd = -1, .run_fd = -1};
}

/* A tree that others may write to, or that belongs to somebody else, could be prepared for us. */
static int check_owner(int fd, const char *path, struct err *err)
{
    struct stat st;
    if (fstat(fd, &st) < 0)
        return err_sys(err, "stat %s", path);
    if ((st.st_uid != 0 && st.st_uid != geteuid()) || (st.st_mode & (S_IWGRP | S_IWOTH)))
        return err_set(err, ERR_DENIED, "state directory %s belongs to another user or is writable by others",
                       path);
    return 0;
}

static int open_tree(const char *path, bool create, int *ret_fd, struct err *err)
{
    _cleanup_close_ int fd = -1;
    if (create) {
        if (fs_open_dir(AT_FDCWD, path, PASS_MODE, &fd, err) < 0)
            return -1;
    } else {
        fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
            return err_set(err, ERR_NOT_FOUND, "state directory %s does not exist", path);
        if (fd < 0)
            return err_sys(err, "open %s", path);
    }
    if (check_owner(fd, path, err) < 0)
        return -1;
    *ret_fd = take_fd(&fd);
    return 0;
}

static int open_trees(struct layout *layout, bool create, struct err *err)
{
    _cleanup_close_ int lib = -1, run = -1;
    if (open_tree(layout->lib, create, &lib, err) < 0 || open_tree(layout->run, create, &run, err) < 0)
        return -1;
    close_fdp(&layout->lib_fd);
    close_fdp(&layout->run_fd);
    layout->lib_fd = take_fd(&lib);
    layout->run_fd = take_fd(&run);
    return 0;
}

int layout_open(struct layout *layout, struct err *err)
{
    return open_trees(layout, true, err);
}

int layout_open_existing(struct layout *layout, struct err *err)
{
    return open_trees(layout, false, err);
}

static char *join_format(const char *base, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
static char *join_format(const char *base, const char *format, va_list args)
{
    char *name;
    if (vasprintf(&name, format, args) < 0)
        abort(); /* out of memory */
    char *path = xasprintf("%s/%s", base, name);
    free(name);
    return path;
}

char *layout_lib(const struct layout *layout, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *path = join_format(layout->lib, format, args);
    va_end(args);
    return path;
}

char *layout_run(const struct layout *layout, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *path = join_format(layout->run, format, args);
    va_end(args);
    return path;
}

const char *layout_instance_name(const struct layout *layout, char *buffer, unsigned size)
{
    snprintf(buffer, size, "winch%s%s", layout->instance[0] ? "-" : "", layout->instance);
    return buffer;
}

const char *layout_root_arg(const struct layout *layout)
{
    return layout->root;
}
