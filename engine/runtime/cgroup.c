/* SPDX-License-Identifier: Apache-2.0 */
/* Making, entering and removing a container's cgroups (cgroup.h). Paths are given by us, never by a
 * container. libc only. */
#include "engine/runtime/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "base/fd.h"
#include "engine/engine.h"
#include "engine/runtime/cgroup_render.h"
#include "engine/runtime/cgroup_tree.h"
#include "engine/runtime/device_rules.h"

#define CGROUP_MAGIC  0x27e0eb
#define CGROUP2_MAGIC 0x63677270

const char *const cgroup_controller_names[CONTROLLER_COUNT_] = {
    [CONTROLLER_CPU] = "cpu",         [CONTROLLER_CPUACCT] = "cpuacct",
    [CONTROLLER_MEMORY] = "memory",   [CONTROLLER_PIDS] = "pids",
    [CONTROLLER_CPUSET] = "cpuset",   [CONTROLLER_BLKIO] = "blkio",
    [CONTROLLER_DEVICES] = "devices", [CONTROLLER_FREEZER] = "freezer",
};

static bool is_hierarchy(const char *path)
{
    struct statfs fs;
    return statfs(path, &fs) == 0 && fs.f_type == CGROUP_MAGIC;
}

static bool is_cgroup2(const char *path)
{
    struct statfs fs;
    return statfs(path, &fs) == 0 && fs.f_type == CGROUP2_MAGIC;
}

enum cgroup_mode cgroup_mode_detect(void)
{
    if (is_cgroup2(CGROUP_ROOT))
        return CGROUP_V2;
    return is_cgroup2(CGROUP_ROOT "/unified") ? CGROUP_HYBRID : CGROUP_V1;
}

const char *cgroup_unified_root(int mode)
{
    return mode == CGROUP_V2 ? CGROUP_ROOT : mode == CGROUP_HYBRID ? CGROUP_ROOT "/unified" : NULL;
}

int cgroup_file_write(int dirfd, const char *name, const char *value)
{
    _cleanup_close_ int fd = openat(dirfd, name, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    return write(fd, value, strlen(value)) < 0 ? -1 : 0;
}

ssize_t cgroup_file_read(int dirfd, const char *name, char *buffer, size_t size)
{
    _cleanup_close_ int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t got = read(fd, buffer, size - 1);
    buffer[got < 0 ? 0 : got] = '\0';
    return got;
}

/* v1 cpuset groups start empty and accept nobody: they inherit what their parent has. */
static int cpuset_inherit(int dirfd, struct err *err)
{
    static const char *const files[] = {"cpuset.cpus", "cpuset.mems"};
    for (size_t i = 0; i < ARRAY_LEN(files); i++) {
        char value[1024], above[64];
        if (cgroup_file_read(dirfd, files[i], value, sizeof(value)) < 0)
            return err_sys(err, "read %s", files[i]);
        if (value[0] != '\0' && value[0] != '\n')
            continue;
        snprintf(above, sizeof(above), "../%s", files[i]);
        if (cgroup_file_read(dirfd, above, value, sizeof(value)) <= 0 ||
            cgroup_file_write(dirfd, files[i], value) < 0)
            return err_sys(err, "inherit %s", files[i]);
    }
    return 0;
}

/* Lets the children of a v2 group use the controllers. One at a time: a missing one must not hide
 * the rest. */
static void subtree_enable(int dirfd)
{
    static const char *const controllers[] = {"+cpu", "+memory", "+pids", "+io", "+cpuset"};
    char have[256] = "", want[16];
    (void)cgroup_file_read(dirfd, "cgroup.subtree_control", have, sizeof(have));
    for (size_t i = 0; i < ARRAY_LEN(controllers); i++) {
        snprintf(want, sizeof(want), "%s", controllers[i] + 1);
        if (!strstr(have, want))
            (void)cgroup_file_write(dirfd, "cgroup.subtree_control",
                                    controllers[i]); /* absent: the limit's write says so */
    }
}

static int leaf_make(int parent, const char *name, struct err *err)
{
    if (mkdirat(parent, name, 0755) == 0)
        return 0;
    if (errno != EEXIST)
        return err_sys(err, "make cgroup %s", name);
    /* left by an earlier run: empty ones are replaced, so that no counter or limit survives */
    if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
        return errno == EBUSY || errno == ENOTEMPTY
                   ? err_set(err, ERR_BUSY, "cgroup %s still holds processes", name)
                   : err_sys(err, "remove old cgroup %s", name);
    return mkdirat(parent, name, 0755) < 0 ? err_sys(err, "make cgroup %s", name) : 0;
}

/* Makes root/path; *ret_fd is the group. controller < 0: the v2 tree. */
static int group_make(const char *root, const char *path, int controller, bool delegate,
                      int *ret_fd, struct err *err)
{
    _cleanup_close_ int current = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (current < 0)
        return err_sys(err, "open %s", root);
    char copy[4096];
    if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
        return err_set(err, ERR_LIMIT, "cgroup path is too long");
    char *rest = copy, *name;
    while ((name = strsep(&rest, "/"))) {
        if (delegate)
            subtree_enable(current);
        if (rest ? mkdirat(current, name, 0755) < 0 && errno != EEXIST
                 : leaf_make(current, name, err) < 0)
            return rest ? err_sys(err, "make cgroup %s/%s", root, name) : -1;
        int next = openat(current, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (next < 0)
            return err_sys(err, "open cgroup %s/%s", root, name);
        close_fdp(&current);
        current = next;
        if (controller == CONTROLLER_CPUSET && cpuset_inherit(current, err) < 0)
            return err_wrap(err, "cgroup %s/%s", root, name);
    }
    *ret_fd = take_fd(&current);
    return 0;
}

static bool device_number(const char *path, char *ret_number, size_t size)
{
    struct stat st;
    if (stat(path, &st) < 0 || !S_ISBLK(st.st_mode))
        return false;
    snprintf(ret_number, size, "%u:%u", major(st.st_rdev), minor(st.st_rdev));
    return true;
}

/* A limit is not in force: noted, or the end of it. */
__attribute__((format(printf, 4, 5))) static int
limit_lost(struct cgroup *cgroup, bool strict, struct err *err, const char *format, ...)
{
    size_t used = strlen(cgroup->notes), room = sizeof(cgroup->notes) - used;
    char text[256];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (strict)
        return err_set(err, ERR_UNSUPPORTED, "%s", text);
    snprintf(cgroup->notes + used, room, "%s%s", used ? "; " : "", text);
    return 0;
}

static int setting_write(int dirfd, const struct cgroup_setting *setting, struct cgroup *cgroup,
                         bool strict, struct err *err)
{
    char content[4096];
    if (str_eq(setting->file, SETTING_NOTE))
        return limit_lost(cgroup, strict, err, "%s", setting->value);
    if (cgroup_file_write(dirfd, setting->file, setting->value) < 0) {
        if (setting->optional && (errno == ENOENT || errno == EACCES))
            return 0;
        if (errno == ENOENT || errno == EOPNOTSUPP || errno == ENODEV)
            return limit_lost(cgroup, strict, err, "%s = %s is not in force: %s", setting->file,
                              setting->value, errno == ENOENT ? "this kernel has no such limit"
                                                              : "the device has no such limit");
        return err_sys(err, "set %s to '%s'", setting->file, setting->value);
    }
    if (setting->optional || cgroup_file_read(dirfd, setting->file, content, sizeof(content)) < 0 ||
        setting_holds(setting, content))
        return 0;
    return limit_lost(cgroup, strict, err, "%s: asked for %s, the kernel keeps %.*s", setting->file,
                      setting->value, (int)strcspn(content, "\n"), content);
}

static int settings_write(int dirfd, int controller, const struct cgroup_setting *settings,
                          int count, struct cgroup *cgroup, bool strict, struct err *err)
{
    for (int i = 0; i < count; i++) {
        if (controller >= 0 && settings[i].controller != (enum cgroup_controller)controller)
            continue;
        if (setting_write(dirfd, &settings[i], cgroup, strict, err) < 0)
            return -1;
    }
    return 0;
}

/* Inside a user namespace nobody can make nodes; then only nodes that we add need rules. */
static bool needs_device_rules(const struct container_spec *spec)
{
    return !spec->privileged &&
           (!spec->userns || spec->devices.count > 0 || spec->device_rules.count > 0);
}

static int devices_limit(int dirfd, const struct container_spec *spec, bool v2, struct err *err)
{
    struct device_rule rules[DEVICE_RULES_MAX];
    int count = device_rules_make(spec, rules, err);
    if (count < 0)
        return -1;
    return v2 ? device_rules_attach(dirfd, rules, count, err)
              : device_rules_write(dirfd, rules, count, err);
}

unsigned cgroup_controllers_wanted(const struct container_spec *spec, int mode)
{
    const struct spec_resources *resources = &spec->resources;
    unsigned wanted = 1u << CONTROLLER_CPU | 1u << CONTROLLER_MEMORY | 1u << CONTROLLER_PIDS;
    if (mode == CGROUP_V2)
        return 0;
    if (resources->cpuset_cpus || resources->cpuset_mems)
        wanted |= 1u << CONTROLLER_CPUSET;
    if (resources->io_max.count || resources->io_weight || resources->io_weights.count)
        wanted |= 1u << CONTROLLER_BLKIO;
    if (needs_device_rules(spec))
        wanted |= 1u << CONTROLLER_DEVICES;
    if (mode == CGROUP_V1)
        wanted |=
            1u << CONTROLLER_FREEZER; /* killing and pausing; elsewhere the v2 tree does both */
    return wanted;
}

/* A hierarchy that is not mounted: what protects the host must be there, the rest is told. */
static int v1_missing(const struct container_spec *spec, struct cgroup *cgroup, int controller,
                      struct err *err)
{
    if (controller == CONTROLLER_DEVICES || controller == CONTROLLER_FREEZER)
        return err_set(err, ERR_UNSUPPORTED, "this host has no cgroup controller %s",
                       cgroup_controller_names[controller]);
    return limit_lost(cgroup, spec->resources.strict, err,
                      "limits of %s are not in force: this host has no such cgroup controller",
                      cgroup_controller_names[controller]);
}

static int v1_make(const struct container_spec *spec, struct cgroup *cgroup,
                   const struct cgroup_setting *settings, int count, struct err *err)
{
    bool strict = spec->resources.strict;
    unsigned wanted = cgroup_controllers_wanted(spec, cgroup->mode);
    for (int i = 0; i < CONTROLLER_COUNT_; i++) {
        if (!(wanted & 1u << i))
            continue;
        _cleanup_close_ int dirfd = -1;
        char root[64];
        snprintf(root, sizeof(root), CGROUP_ROOT "/%s", cgroup_controller_names[i]);
        if (!is_hierarchy(root)) {
            if (v1_missing(spec, cgroup, i, err) < 0)
                return -1;
            continue;
        }
        if (group_make(root, cgroup->path, i, false, &dirfd, err) < 0)
            return err_wrap(err, "cgroup controller %s", cgroup_controller_names[i]);
        cgroup->controllers |= 1u << i;
        if (i == CONTROLLER_CPU && spec->resources.cpu_rt_runtime_us &&
            cgroup_rt_make_room(root, cgroup->path, &spec->resources, err) < 0)
            return -1;
        if (settings_write(dirfd, i, settings, count, cgroup, strict, err) < 0)
            return -1;
        if (i == CONTROLLER_DEVICES && devices_limit(dirfd, spec, false, err) < 0)
            return -1;
    }
    return 0;
}

static int make_all(const struct container_spec *spec, struct cgroup *cgroup, struct err *err)
{
    static struct cgroup_setting
        settings[CGROUP_SETTINGS_MAX]; /* 34 KB: no place for a stack; used once, before any fork */
    bool v2 = cgroup->mode == CGROUP_V2;
    int count =
        (v2 ? cgroup_v2_render : cgroup_v1_render)(&spec->resources, device_number, settings, err);
    if (count < 0)
        return -1;
    if (cgroup_unified_root(cgroup->mode) &&
        group_make(cgroup_unified_root(cgroup->mode), cgroup->path, -1, v2, &cgroup->unified_fd,
                   err) < 0)
        return -1;
    if (v2 && settings_write(cgroup->unified_fd, -1, settings, count, cgroup,
                             spec->resources.strict, err) < 0)
        return -1;
    if (v2 && needs_device_rules(spec) && devices_limit(cgroup->unified_fd, spec, true, err) < 0)
        return -1;
    return v2 ? 0 : v1_make(spec, cgroup, settings, count, err);
}

int cgroup_make(const struct container_spec *spec, struct cgroup *ret_cgroup, struct err *err)
{
    struct cgroup cgroup = CGROUP_NONE;
    cgroup.mode = cgroup_mode_detect();
    cgroup.path = spec->cgroup_path;
    if (make_all(spec, &cgroup, err) < 0) {
        if (!err || err->code != ERR_BUSY)
            (void)cgroup_remove(&cgroup, NULL);
        cgroup_done(&cgroup);
        return err_wrap(err, "limits");
    }
    *ret_cgroup = cgroup;
    return 0;
}

int cgroup_find(const struct container_spec *spec, struct cgroup *ret_cgroup, struct err *err)
{
    struct cgroup cgroup = CGROUP_NONE;
    cgroup.mode = cgroup_mode_detect();
    cgroup.path = spec->cgroup_path;
    const char *root = cgroup_unified_root(cgroup.mode);
    if (root) {
        char path[4096];
        snprintf(path, sizeof(path), "%s/%s", root, cgroup.path);
        cgroup.unified_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (cgroup.unified_fd < 0 && errno != ENOENT)
            return err_sys(err, "open cgroup %s", path);
    }
    for (int i = 0; i < CONTROLLER_COUNT_; i++) {
        _cleanup_close_ int fd = cgroup_open_controller(&cgroup, i);
        if (fd >= 0 && cgroup.mode != CGROUP_V2)
            cgroup.controllers |= 1u << i;
    }
    *ret_cgroup = cgroup;
    return 0;
}

void cgroup_done(struct cgroup *cgroup)
{
    close_fdp(&cgroup->unified_fd);
}

/* By path, not through unified_fd: a mount can only be copied from the caller's own mount
 * namespace. */
int cgroup_open_controller(const struct cgroup *cgroup, enum cgroup_controller controller)
{
    char path[4096];
    if (cgroup->mode == CGROUP_V2)
        snprintf(path, sizeof(path), CGROUP_ROOT "/%s", cgroup->path);
    else
        snprintf(path, sizeof(path), CGROUP_ROOT "/%s/%s", cgroup_controller_names[controller],
                 cgroup->path);
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

int cgroup_enter(const struct cgroup *cgroup, struct err *err)
{
    for (int i = 0; i < CONTROLLER_COUNT_; i++) {
        char path[4096];
        if (!(cgroup->controllers & 1u << i))
            continue;
        snprintf(path, sizeof(path), CGROUP_ROOT "/%s/%s/tasks", cgroup_controller_names[i],
                 cgroup->path);
        if (cgroup_file_write(AT_FDCWD, path, "0") < 0)
            return err_sys(err, "enter %s", path);
    }
    return 0;
}
