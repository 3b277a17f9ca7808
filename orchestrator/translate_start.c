/* SPDX-License-Identifier: Apache-2.0 */
/* The last step before a start: the parts of a spec that are only true now. Namespaces to join, the three files of
 * /etc below run_dir, the bytes of secrets and configs, what a bind source is. The stored record stays as it is. */
#include "orchestrator/translate_parts.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/str.h"

#define FILE_CONTENT_MAX (1024 * 1024)
#define ETC_FILE_MAX     (1024 * 1024)

/* ---- the three files of /etc ---- */

static int etc_write(int run_fd, const char *name, const char *text, int64_t owner, struct err *err)
{
    if (fs_replace_volatile(run_fd, name, text, strlen(text), 0644, err) < 0)
        return -1;
    if (owner > 0 && fchownat(run_fd, name, (uid_t)owner, (gid_t)owner, AT_SYMLINK_NOFOLLOW) < 0)
        return err_sys(err, "chown %s", name);
    return 0;
}

/* from: a directory that holds hosts, hostname, resolv.conf */
static int etc_read(struct arena *arena, const char *name, const char *from, const char **ret_text, struct err *err)
{
    _cleanup_free_ char *text = NULL;
    _cleanup_free_ char *path = xasprintf("%s/%s", from, name);
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT)
        return err_sys(err, "open %s", path);
    if (fd >= 0 && fd_read_all(fd, ETC_FILE_MAX, &text, NULL, err) < 0)
        return err_wrap(err, "read %s", path);
    *ret_text = arena_strdup(arena, text ? text : "");
    return 0;
}

/* The container gets a copy in its own bounded memory: what it writes there must not fill the host's /run. */
static void etc_mount(struct container_spec *spec, const char *name, const char *text)
{
    size_t run_size = strlen(spec->run_dir);
    for (size_t i = 0; i < spec->mounts.count; i++) {
        struct spec_mount *mount = &spec->mounts.items[i];
        if (mount->kind != MOUNT_BIND || strncmp(mount->source, spec->run_dir, run_size) != 0 || mount->source[run_size] != '/' ||
            !str_eq(mount->source + run_size + 1, name))
            continue;
        mount->kind = MOUNT_FILE;
        mount->content = text;
        mount->content_size = strlen(text);
        mount->mode = 0644;
    }
}

static int etc_files(struct container_spec *spec, const struct start_input *input, struct arena *arena, struct err *err)
{
    static const char *const names[] = { "hosts", "hostname", "resolv.conf" };
    const struct sandbox_info *sandbox = input->sandbox;
    int64_t owner = input->userns ? spec->id_base : 0;
    _cleanup_close_ int run_fd = open(spec->run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (run_fd < 0)
        return err_sys(err, "open %s", spec->run_dir);
    const char *const texts[] = {
        sandbox ? sandbox->hosts : NULL, sandbox ? sandbox->hostname_file : NULL, sandbox ? sandbox->resolv_conf : NULL,
    };
    const char *from = input->hosts_from ? input->hosts_from : "/etc";
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        bool own = sandbox && !input->hosts_from;
        const char *text = texts[i] ? texts[i] : "";
        if ((!own && etc_read(arena, names[i], from, &text, err) < 0) || etc_write(run_fd, names[i], text, owner, err) < 0)
            return err_wrap(err, "/etc/%s", names[i]);
        etc_mount(spec, names[i], text);
    }
    return 0;
}

/* ---- secrets, configs, binds ---- */

static struct spec_mount *mount_at(struct container_spec *spec, const char *target)
{
    for (size_t i = 0; i < spec->mounts.count; i++)
        if (str_eq(spec->mounts.items[i].target, target))
            return &spec->mounts.items[i];
    return NULL;
}

static int file_load(struct arena *arena, const struct jv *file, bool idmap, struct spec_mount *mount, struct err *err)
{
    const char *path = jv_get_str(file, "path", ""), *kind = jv_get_str(file, "kind", "file"), *name = jv_get_str(file, "name", "");
    struct stat st;
    _cleanup_free_ char *data = NULL;
    size_t size = 0;
    _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) < 0)
        return errno == ENOENT ? err_set(err, ERR_NOT_FOUND, "%s '%s': file %s does not exist", kind, name, path)
                               : err_sys(err, "%s '%s': open %s", kind, name, path);
    if (S_ISDIR(st.st_mode)) { /* a whole folder: shown as it is */
        mount->kind = MOUNT_BIND;
        mount->source = arena_strdup(arena, path);
        mount->is_file = false;
        mount->idmap = idmap;
        return 0;
    }
    if (!S_ISREG(st.st_mode))
        return err_set(err, ERR_CONFIG, "%s '%s': %s is no regular file", kind, name, path);
    if (fd_read_all(fd, FILE_CONTENT_MAX, &data, &size, err) < 0)
        return err_wrap(err, "%s '%s': %s", kind, name, path);
    mount->content = arena_memdup(arena, data, size + 1);
    mount->content_size = size;
    return 0;
}

static int files_load(const struct jv *data, struct arena *arena, struct container_spec *spec, struct err *err)
{
    const struct jv *files = jv_find(data, "files"), *binds = jv_find(data, "binds");
    for (size_t i = 0; i < jv_count(files); i++) {
        const struct jv *file = jv_at(files, i);
        struct spec_mount *mount = mount_at(spec, jv_get_str(file, "target", NULL));
        if (mount && file_load(arena, file, spec->userns != NULL, mount, err) < 0)
            return -1;
    }
    for (size_t i = 0; i < jv_count(binds); i++) {
        const struct jv *bind = jv_at(binds, i);
        struct spec_mount *mount = mount_at(spec, jv_get_str(bind, "target", NULL));
        if (mount && bind_source_check(jv_get_str(bind, "source", NULL), jv_get_bool(bind, "create", true), &mount->is_file, err) < 0)
            return -1;
    }
    return 0;
}

/* ---- volumes of other containers ---- */

/* Before the first mount that lies below its target, else a later one would hide an earlier one. */
static void mount_insert(struct container_spec *spec, struct spec_mount mount)
{
    size_t length = strlen(mount.target), at = 0;
    while (at < spec->mounts.count && !(strncmp(spec->mounts.items[at].target, mount.target, length) == 0 &&
                                        spec->mounts.items[at].target[length] == '/'))
        at++;
    memmove(spec->mounts.items + at + 1, spec->mounts.items + at, (spec->mounts.count - at) * sizeof(mount));
    spec->mounts.items[at] = mount;
    spec->mounts.count++;
}

/* Volumes and binds, as the other container has them; not its secrets, its tmpfs and its three files of /etc. */
static int volumes_borrow(const struct borrowed_volumes *from, bool idmap, struct container_spec *spec, struct err *err)
{
    const struct container_spec *other = &from->record->spec;
    const struct jv *binds = jv_find(from->record->service_data, "binds");
    size_t run_size = strlen(other->run_dir);
    for (size_t i = 0; i < other->mounts.count; i++) {
        struct spec_mount mount = other->mounts.items[i];
        bool own_file = mount.source && strncmp(mount.source, other->run_dir, run_size) == 0 && mount.source[run_size] == '/';
        if (mount.kind != MOUNT_BIND || own_file || mount_at(spec, mount.target))
            continue;
        mount.read_only |= from->read_only;
        mount.idmap = idmap;
        for (size_t j = 0; j < jv_count(binds); j++)
            if (str_eq(jv_get_str(jv_at(binds, j), "target", NULL), mount.target) &&
                bind_source_check(mount.source, jv_get_bool(jv_at(binds, j), "create", true), &mount.is_file, err) < 0)
                return -1;
        mount_insert(spec, mount);
    }
    return 0;
}

/* ---- the whole ---- */

static void join(struct arena *arena, struct spec_ns *ns, const char *path)
{
    if (path)
        *ns = (struct spec_ns){ NS_PATH, arena_strdup(arena, path) };
}

static int spec_fill(const struct container_record *record, const struct start_input *input, struct arena *arena,
                     struct container_spec *spec, struct err *err)
{
    size_t room = spec->mounts.count + 1;
    for (size_t i = 0; i < input->borrowed_count; i++)
        room += input->borrowed[i].record->spec.mounts.count;
    spec->mounts.items = arena_alloc(arena, room * sizeof(*spec->mounts.items));
    if (spec->mounts.count)
        memcpy(spec->mounts.items, record->spec.mounts.items, spec->mounts.count * sizeof(*spec->mounts.items));
    if (input->userns) {
        spec->userns = arena_strdup(arena, input->userns);
    } else {
        spec->userns = NULL;
        spec->id_base = spec->id_count = 0;
        for (size_t i = 0; i < spec->mounts.count; i++)
            spec->mounts.items[i].idmap = false;
    }
    join(arena, &spec->net, input->net_path ? input->net_path : input->sandbox ? input->sandbox->netns : NULL);
    join(arena, &spec->ipc, input->ipc_path);
    join(arena, &spec->pid, input->pid_path);
    spec->shm_ns = arena_strdup(arena, input->shm_path);
    if (spec->net.mode == NS_HOST && !spec->hostname) {
        char name[HOST_NAME_MAX + 1] = "";
        if (gethostname(name, sizeof(name) - 1) == 0)
            spec->hostname = arena_strdup(arena, name);
    }
    if (input->wake_argv) {
        size_t count = 0;
        while (input->wake_argv[count])
            count++;
        spec->wake_argv = spec_strings_copy(arena, input->wake_argv, count);
    }
    spec->supervisor_socket = arena_strdup(arena, input->supervisor_socket);
    if (files_load(record->service_data, arena, spec, err) < 0)
        return -1;
    for (size_t i = 0; i < input->borrowed_count; i++)
        if (volumes_borrow(&input->borrowed[i], input->userns != NULL, spec, err) < 0)
            return -1;
    return etc_files(spec, input, arena, err);
}

int translate_start(const struct layout *layout, const struct container_record *record, const struct start_input *input,
                    struct arena *arena, struct container_spec *ret_spec, struct err *err)
{
    (void)layout;
    struct container_spec spec = record->spec;
    if (spec.net.mode == NS_PATH && !input->sandbox && !input->net_path)
        return err_set(err, ERR_INTERNAL, "service '%s': start without a network namespace", record->service);
    if (spec_fill(record, input, arena, &spec, err) < 0)
        return err_wrap(err, "service '%s'", record->service);
    *ret_spec = spec;
    return 0;
}
