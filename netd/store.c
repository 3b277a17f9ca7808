/* SPDX-License-Identifier: Apache-2.0 */
/* store.c - files of networks and sandboxes. Networks are replaced with fsync, sandboxes without:
 * what lies in /run is only of use to the kernel state beside it. */
#include "netd/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/id.h"
#include "base/log.h"
#include "base/proc.h"
#include "base/str.h"

#define NET_FILE_MAX     (16 * 1024 * 1024)
#define SANDBOX_FILE_MAX (4 * 1024 * 1024)
#define FILES_MAX        65536

static int open_networks(const struct layout *layout, int *ret_fd, struct err *err)
{
    return fs_open_dir(layout->lib_fd, "networks", 0700, ret_fd, err);
}

static int open_sandboxes(const struct layout *layout, int *ret_fd, struct err *err)
{
    return fs_open_dir(layout->run_fd, "netd/sandboxes", 0700, ret_fd, err);
}

int store_save_net(const struct layout *layout, struct net *net, struct err *err)
{
    _cleanup_close_ int dir = -1;
    _cleanup_jv_ struct jv *value = net_to_json(net);
    _cleanup_free_ char *name = xasprintf("%s.json", net->name);

    if (open_networks(layout, &dir, err) < 0 || jv_save_file(dir, name, value, err) < 0)
        return err_wrap(err, "save network '%s'", net->name);
    net->dirty = false;
    return 0;
}

int store_remove_net(const struct layout *layout, const char *name, struct err *err)
{
    _cleanup_close_ int dir = -1;
    _cleanup_free_ char *file = xasprintf("%s.json", name);

    if (open_networks(layout, &dir, err) < 0)
        return -1;
    if (unlinkat(dir, file, 0) < 0 && errno != ENOENT)
        return err_sys(err, "remove the file of network '%s'", name);
    return fs_sync_dir(dir, err);
}

static int load_net(int dir, const char *file, struct net **ret_net, struct err *err)
{
    _cleanup_jv_ struct jv *value = NULL;
    _cleanup_(net_freep) struct net *net = NULL;

    if (jv_load_file(dir, file, NET_FILE_MAX, &value, err) < 0 ||
        net_from_json(value, &net, err) < 0)
        return -1;
    _cleanup_free_ char *expected = xasprintf("%s.json", net->name);
    if (!str_eq(expected, file))
        return err_set(err, ERR_CORRUPT, "it describes network '%s'", net->name);
    *ret_net = take_ptr(&net);
    return 0;
}

int store_load_nets(const struct layout *layout, struct map *nets, char ***skipped, struct err *err)
{
    _cleanup_close_ int dir = -1;
    char **names = NULL;
    size_t count = 0;

    dir = openat(layout->lib_fd, "networks", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 && errno == ENOENT)
        return 0;
    if (dir < 0)
        return err_sys(err, "open networks");
    if (fs_list(dir, ".", FILES_MAX, &names, &count, err) < 0)
        return -1;
    for (size_t i = 0; i < count; i++) {
        struct net *net = NULL;
        struct err reason = {0};
        size_t size = strlen(names[i]);
        if (size <= 5 || !str_eq(names[i] + size - 5, ".json"))
            continue; /* a temporary of an interrupted replacement */
        if (load_net(dir, names[i], &net, &reason) < 0) {
            _cleanup_free_ char *printable = str_printable(names[i]);
            log_error("network file=%s skipped: %s", printable, reason.message);
            if (skipped) {
                _cleanup_free_ char *name = xstrndup(names[i], size - 5);
                *skipped = strv_add(*skipped, name);
            }
            continue;
        }
        map_set(nets, net->name, net);
    }
    fs_names_free(names);
    return 0;
}

struct jv *sandbox_stored(const struct sandbox *sandbox)
{
    struct jv *value = jv_object(), *ports = jv_array();
    char boot_id[37];

    proc_boot_id(boot_id);
    jv_set_int(value, "version", STORE_VERSION);
    jv_set_str(value, "boot_id", boot_id);
    jv_set_bool(value, "ready", sandbox->ready);
    jv_set(value, "request", jv_ref(sandbox->request));
    for (size_t i = 0; i < sandbox->ports.count; i++) {
        const struct port_bound *port = &sandbox->ports.items[i].bound;
        struct jv *item = jv_object();
        jv_set_str(item, "proto", port_proto_text(port->proto));
        jv_set_str(item, "host_ip", port->host_ip);
        jv_set_int(item, "host_first", port->host);
        jv_set_int(item, "target", port->target);
        jv_add(ports, item);
    }
    jv_set(value, "ports", ports);
    return value;
}

int store_save_sandbox(const struct layout *layout, const struct sandbox *sandbox, struct err *err)
{
    _cleanup_close_ int dir = -1;
    _cleanup_jv_ struct jv *value = sandbox_stored(sandbox);
    _cleanup_free_ char *name = xasprintf("%s.json", sandbox->id);
    _cleanup_free_ char *text = jv_dump(value);

    if (open_sandboxes(layout, &dir, err) < 0)
        return -1;
    return fs_replace_volatile(dir, name, text, strlen(text), 0600, err);
}

int store_remove_sandbox(const struct layout *layout, const char *id, struct err *err)
{
    _cleanup_free_ char *path = xasprintf("netd/sandboxes/%s.json", id);
    if (unlinkat(layout->run_fd, path, 0) < 0 && errno != ENOENT)
        return err_sys(err, "remove %s", path);
    return 0;
}

int store_each_sandbox(const struct layout *layout, store_sandbox_fn *fn, void *arg,
                       struct err *err)
{
    _cleanup_close_ int dir = -1;
    char **names = NULL;
    size_t count = 0;
    char boot_id[37];

    dir = openat(layout->run_fd, "netd/sandboxes", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dir < 0 && errno == ENOENT)
        return 0;
    if (dir < 0)
        return err_sys(err, "open netd/sandboxes");
    if (fs_list(dir, ".", FILES_MAX, &names, &count, err) < 0)
        return -1;
    proc_boot_id(boot_id);
    for (size_t i = 0; i < count; i++) {
        _cleanup_jv_ struct jv *value = NULL;
        _cleanup_free_ char *id = xstrndup(names[i], 64);
        struct err reason = {0};
        if (!id_is_valid(id) || !str_eq(names[i] + 64, ".json"))
            continue;
        if (jv_load_file(dir, names[i], SANDBOX_FILE_MAX, &value, &reason) < 0) {
            log_error("sandbox id=%.12s skipped: %s", id, reason.message);
            continue;
        }
        if (jv_get_int(value, "version", 0) != STORE_VERSION) {
            log_error("sandbox id=%.12s skipped: another version", id);
            continue;
        }
        if (!str_eq(jv_get_str(value, "boot_id", ""), boot_id))
            continue; /* the kernel state it speaks of is gone */
        const struct jv *request = jv_find(value, "request");
        if (!request || !str_eq(jv_get_str(request, "id", ""), id)) {
            log_error("sandbox id=%.12s skipped: the file holds no request of it", id);
            continue;
        }
        fn(id, value, arg);
    }
    fs_names_free(names);
    return 0;
}

static void sweep(int root, const char *path)
{
    _cleanup_close_ int dir = openat(root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    char **names = NULL;
    size_t count = 0;
    struct err ignored = {0};

    if (dir < 0 || fs_list(dir, ".", FILES_MAX, &names, &count, &ignored) < 0)
        return;
    for (size_t i = 0; i < count; i++)
        if (str_has_prefix(names[i], ".new-") && unlinkat(dir, names[i], 0) < 0)
            log_warning("%s: remove a temporary: %m", path);
    fs_names_free(names);
}

void store_sweep(const struct layout *layout)
{
    sweep(layout->lib_fd, "networks");
    sweep(layout->run_fd, "netd");
    sweep(layout->run_fd, "netd/sandboxes");
}
