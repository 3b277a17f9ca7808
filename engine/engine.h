/* SPDX-License-Identifier: Apache-2.0 */
/* engine.h - what orchestrator and cli may call of the engine, together with engine/container/, engine/log/ and
 * engine/runtime/spec.h. Nothing else of engine/ is included from outside.
 *
 * Nothing here blocks for long but for the functions that say so. Processes that may take long (pull, unpack) are the
 * worker winch-image, started by image_worker_start and watched through its descriptor. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"
#include "base/layout.h"
#include "engine/container/record.h"
#include "engine/container/status.h"
#include "engine/monitor/protocol.h"
#include "engine/runtime/spec.h"

/* ---- images (engine/image/) ------------------------------------------------------------------- */

/* What an image says about its containers. Owned by the caller: image_done. Times in microseconds, 0: absent. */
struct image_healthcheck {
    char **test; /* {"CMD", …}, {"CMD-SHELL", "…"}, {"NONE"}; NULL: none */
    int64_t interval_us, timeout_us, start_period_us, start_interval_us;
    int64_t retries;
};
struct image {
    char *id;       /* "sha256:<hex>" of the config: the image's identity */
    char *digest;   /* "sha256:<hex>" of the manifest it was pulled by; NULL when imported */
    char **names;   /* "docker.io/library/nginx:latest", … */
    char *os, *architecture, *variant, *created;
    char **env, **entrypoint, **cmd, **exposed_ports /* "80/tcp" */, **volumes;
    char *user, *workdir, *stop_signal;
    struct jv *labels;
    struct image_healthcheck healthcheck;
    char **layers; /* absolute diff directories, top first */
    int64_t size_bytes;
};
void image_done(struct image *image);

/* Full form of a reference as written: "nginx" → "docker.io/library/nginx:latest". ERR_CONFIG when it is none. */
int image_ref_normalize(const char *text, char **ret_full, struct err *err);
/* Short form for people: "docker.io/library/nginx:latest" → "nginx:latest". Owned. */
char *image_ref_familiar(const char *full);
/* By reference, id or unique id prefix (>= 6 digits). ERR_NOT_FOUND. Reads disk only; works without a lock. */
int image_find(const struct layout *layout, const char *reference, struct image *ret_image, struct err *err);
/* All images, sorted by name. */
int image_list(const struct layout *layout, struct image **ret_images, size_t *ret_count, struct err *err);
/* Removes the name (or, by id, all names); layers and blobs that nothing refers to go too. ERR_BUSY while a container
 * uses it, naming the container. Takes the store's lock; may block for the disk. */
int image_remove(const struct layout *layout, const char *reference, bool force, char ***ret_untagged, char ***ret_deleted,
                 struct err *err);
/* The image cannot be removed until *ret_lock is closed: for the moment in which a record that names it is written.
 * ERR_NOT_FOUND when it is gone already. Waits for a removal under way. */
int image_hold(const struct layout *layout, const char *id, int *ret_lock, struct err *err);
/* Copies the directory `path` of the merged image (not of a container) into dest_dirfd: contents, owners (as in the image,
 * unshifted), modes, times, xattrs, hard links; *ret_copied false when the image has no such directory. The top directory's
 * owner and mode are applied to dest_dirfd. Blocks; forks a helper with a mount namespace of its own. */
int image_copy_dir(const struct layout *layout, char *const *layers, const char *path, int dest_dirfd, bool *ret_copied,
                   struct err *err);

/* Runs `winch-image` with words such as {"pull", "nginx:latest", NULL} (plus --root). progress_fd receives
 * JSON lines until the worker ends:
 *   {"id":"nginx:latest","status":"Pulling"}
 *   {"id":"<layer short id>","parent":"nginx:latest","status":"Downloading|Extracting|Pull complete|Already exists","current":N,"total":N}
 *   {"id":"nginx:latest","status":"Pulled","digest":"sha256:…","image":"sha256:…"}     success, last line
 *   {"error":{"code","message",…}}                                                     failure, last line
 * The exit status is 0 or 1. The caller owns *ret_pid (reap it) and *ret_progress_fd. Words: pull REF [--platform P] [--policy
 * always|missing]; load FILE|-; import FILE|- REF [--change INSTRUCTION]…; */
int image_worker_start(const struct layout *layout, char *const *words, int stdin_fd, pid_t *ret_pid, int *ret_progress_fd,
                       struct err *err);

/* ---- containers ------------------------------------------------------------------------------- */

/* Pins the project's user namespace at run/projects/<project>/userns (or finds it) mapping inside 0…count-1 to base….
 * *ret_path is owned. ERR_UNSUPPORTED when the kernel has no user namespaces. */
int userns_ensure(const struct layout *layout, const char *project, int64_t id_base, int64_t id_count, char **ret_path,
                  struct err *err);
int userns_release(const struct layout *layout, const char *project, struct err *err);
/* true when layers can be id-mapped on this kernel and below this root (probed once a process). */
bool userns_usable(const struct layout *layout, char *ret_reason, size_t size);

/* Compiles (or finds in cache/seccomp) the filter for these capabilities. profile NULL: the default; else the text of
 * a profile in moby's JSON format. Fills path and sha256, allocated in the arena. */
int seccomp_prepare(const struct layout *layout, struct arena *arena, uint64_t capabilities, const char *profile_json,
                    const char **ret_path, const char **ret_sha256, struct err *err);

/* Adds the nodes, mounts and environment of spec->cdi, as the files in /etc/cdi and /var/run/cdi have them now; arrays in the
 * arena. *ret_hooks: they also name hooks, which are not run. ERR_NOT_FOUND, ERR_CONFIG, ERR_UNSUPPORTED name the device. */
int cdi_apply(struct arena *arena, struct container_spec *spec, bool *ret_hooks, struct err *err);

/* Makes state_dir and run_dir (upper work log, FIFOs out err) for a record that was saved. */
int container_prepare(const struct layout *layout, const struct container_spec *spec, struct err *err);

/* Opens both FIFOs read-write and keeps them: the second keeper of the output path (the monitor is the first), so that the
 * loss of either loses no line. ret_fds[0] out, [1] err. */
int container_output_keep(const struct layout *layout, const char *id, int ret_fds[2], struct err *err);

/* Starts winch-monitor; returns at once. direct: NULL, or three descriptors as protocol.h has them (-1: /dev/null; borrowed). *ret_control is the supervisor's connection: the first message says
 * MONITOR_STARTED or MONITOR_FAILED, then notices; EOF when the monitor is gone. *ret_monitor_pid is a child of the caller. */
int container_start(const struct layout *layout, const struct container_spec *spec, const int *direct, int *ret_control,
                    pid_t *ret_monitor_pid, struct err *err);
/* The same with --adopt, for a container whose monitor died. tty: the pty master that came with MONITOR_STARTED and was kept
 * (it stays the caller's), or -1. */
int container_adopt(const struct layout *layout, const struct container_spec *spec, int tty, int *ret_control,
                    pid_t *ret_monitor_pid, struct err *err);
/* Connects to a living monitor. ERR_NOT_FOUND: none (not running, or monitor dead). */
int monitor_connect(const struct layout *layout, const char *id, int *ret_control, struct err *err);
/* One message with descriptors; blocking. Fills magic and version. */
int monitor_send(int control, struct monitor_message *message, const int *fds, size_t fd_count, struct err *err);
/* Blocking with timeout (< 0: for ever). ERR_NOT_FOUND at the peer's end. */
int monitor_receive(int control, int timeout_ms, struct monitor_message *ret_message, int *ret_fds, size_t fd_max, size_t *ret_fd_count,
                    struct err *err);

/* After the end of a container whose monitor could not clean up (killed): kills what is left in its cgroup, removes
 * cgroups, sockets and FIFOs. Idempotent. */
int container_sweep(const struct layout *layout, const struct container_spec *spec, struct err *err);
/* Removes everything of a stopped container from both trees. The state directory is only moved to lib/deleting (ext4
 * fact 6 in docs/architecture.md): call container_delete_finish after a batch. */
int container_delete(const struct layout *layout, const char *id, struct err *err);
/* Starts a detached process that empties lib/deleting; forks, and returns at once. */
void container_delete_finish(const struct layout *layout);

/* The calling process, which is to end soon and has one thread, becomes one that sees a container's files: as the container's
 * root in its user namespace where it has one, so with no more power than that. *ret_root: its root with all mounts, for
 * fs_open_in_root. Of a stopped container the layers, volumes and binds are mounted in a mount namespace of the caller's;
 * write keeps a start of it waiting until the process ends. ERR_NOT_FOUND, ERR_BUSY: it is just being started. */
int container_view_enter(const struct layout *layout, const char *id, bool write, int *ret_root, struct err *err);

/* Runs `winch-image` with words such as {"copy-out", ID, "/etc/passwd", NULL}: a tar archive goes to or comes from data_fd.
 * The rest is as with image_worker_start; lines {"warning":"…"} tell what was left out. */
#define COPY_DATA_FD 3 /* of the worker */
int copy_worker_start(const struct layout *layout, char *const *words, int data_fd, pid_t *ret_pid, int *ret_progress_fd,
                      struct err *err);

/* ---- host -------------------------------------------------------------------------------------- */
enum cgroup_mode { CGROUP_V1, CGROUP_HYBRID, CGROUP_V2 };
enum cgroup_mode cgroup_mode_detect(void);
/* Does the container have a cgroup below <instance>/<project>, so was it started for this project and not swept yet? */
bool cgroup_project_has(const struct layout *layout, const char *project, const char *id);
/* Removes the empty cgroups <instance>/<project> and <instance> in every hierarchy. */
void cgroup_project_remove(const struct layout *layout, const char *project);
