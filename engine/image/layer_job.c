/* SPDX-License-Identifier: Apache-2.0 */
/* The child that unpacks one layer. It keeps three descriptors and nothing else of its parent; when
 * it says done, the layer lies complete and synced below tmp, and only a rename is missing. */
#include "engine/image/layer_job.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/json.h"
#include "base/str.h"
#include "base/vec.h"
#include "engine/image/store.h"

#ifdef __SANITIZE_ADDRESS__
#define MEMORY_MAX RLIM_INFINITY /* the sanitizer's shadow is address space, too */
#else
#define MEMORY_MAX ((rlim_t)1 << 30)
#endif
#define DESCRIPTORS_MAX 1024

struct child {
    const struct layer_job *job;
    int sock;
    VEC(int) lower_fds;
};

static void tell(struct child *child, const struct job_message *message)
{
    (void)send(child->sock, message, sizeof(*message),
               MSG_NOSIGNAL); /* a dead parent kills us anyway */
}

static void on_progress(void *arg, int64_t done)
{
    struct child *child = arg;
    const struct job_message message = {.word = JOB_PROGRESS, .value = done};
    tell(child, &message);
}

static int on_lower(void *arg, const int **ret_fds, size_t *ret_count, struct err *err)
{
    struct child *child = arg;
    const struct job_message message = {.word = JOB_NEEDS_LOWER};
    char go;
    tell(child, &message);
    while (recv(child->sock, &go, 1, 0) != 1) {
        if (errno != EINTR)
            return err_sys(err, "wait for the layers below");
    }
    for (size_t i = 0; child->job->lower[i]; i++) {
        _cleanup_free_ char *path = xasprintf("layers/%s/diff", child->job->lower[i]);
        int fd = openat(child->job->lib_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
            return err_sys(err, "open %s", path);
        VEC_ADD(&child->lower_fds, fd);
    }
    *ret_fds = child->lower_fds.items;
    *ret_count = child->lower_fds.count;
    return 0;
}

/* What is known about the layer; no sync of its own, the one of the whole layer follows. */
static int write_meta(const struct layer_job *job, int dirfd, const struct unpack_result *result,
                      struct err *err)
{
    _cleanup_jv_ struct jv *meta = jv_object();
    jv_set_int(meta, "version", 1);
    jv_set_str(meta, "diff_id", result->diff_id);
    jv_set_str(meta, "parent", job->parent_hex);
    jv_set_int(meta, "size", result->size);
    jv_set_int(meta, "entries", result->entries);
    jv_set_bool(meta, "opaque_root", result->root_opaque);
    jv_set_int(meta, "dropped_devices", result->dropped_devices);
    _cleanup_free_ char *text = jv_dump(meta);
    return fs_replace_volatile(dirfd, "meta.json", text, strlen(text), 0600, err);
}

static int unpack_layer(struct child *child, struct unpack_result *ret_result, struct err *err)
{
    const struct layer_job *job = child->job;
    _cleanup_free_ char *path = xasprintf("tmp/%s", job->staging);
    if (mkdirat(job->lib_fd, path, 0700) < 0)
        return err_sys(err, "make %s", path);
    _cleanup_close_ int dirfd = openat(job->lib_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (dirfd < 0 || mkdirat(dirfd, "diff", 0755) < 0)
        return err_sys(err, "make %s/diff", path);
    _cleanup_close_ int root_fd = openat(dirfd, "diff", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_close_ int index_fd =
        job->is_durable ? openat(dirfd, "files", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)
                        : -1;
    if (root_fd < 0 || (job->is_durable && index_fd < 0))
        return err_sys(err, "open %s/diff", path);
    (void)lseek(job->archive_fd, 0, SEEK_SET); /* a pipe stands where it stands */
    const struct unpack unpack = {
        .archive_fd = job->archive_fd,
        .root_fd = root_fd,
        .index_fd = index_fd,
        .whiteouts = job->whiteouts,
        .diff_id = job->diff_id,
        .limits = job->limits,
        .lower = on_lower,
        .progress = on_progress,
        .arg = child,
    };
    if (unpack_run(&unpack, ret_result, err) < 0 || write_meta(job, dirfd, ret_result, err) < 0)
        return -1;
    return job->is_durable && syncfs(dirfd) < 0 ? err_sys(err, "sync the layer") : 0;
}

/* Everything that could reach beyond this layer goes: the parent's descriptors (sockets, locks),
 * the network. */
static void confine(const int *keep, size_t count)
{
    const struct rlimit memory = {MEMORY_MAX, MEMORY_MAX},
                        files = {DESCRIPTORS_MAX, DESCRIPTORS_MAX};
    (void)signal(SIGINT, SIG_DFL);
    (void)signal(SIGTERM, SIG_DFL);
    for (unsigned fd = STDERR_FILENO + 1, stop = 0; !stop;) {
        unsigned next = ~0U;
        for (size_t i = 0; i < count; i++) {
            if ((unsigned)keep[i] >= fd && (unsigned)keep[i] < next)
                next = (unsigned)keep[i];
        }
        if (next != fd)
            (void)close_range(fd, next == ~0U ? ~0U : next - 1, 0);
        stop = next == ~0U;
        fd = next + 1;
    }
    (void)setrlimit(
        RLIMIT_AS,
        &memory); /* best effort, as all of these: they bound damage, no step relies on them */
    (void)setrlimit(RLIMIT_NOFILE, &files);
    (void)unshare(CLONE_NEWNET);
    (void)umask(0);
}

static void run_child(const struct layer_job *job, int sock)
{
    struct child child = {.job = job, .sock = sock};
    struct job_message message = {.word = JOB_DONE};
    const int keep[] = {sock, job->lib_fd, job->archive_fd};
    confine(keep, ARRAY_LEN(keep));
    if (unpack_layer(&child, &message.result, &message.err) < 0)
        message.word = JOB_FAILED;
    tell(&child, &message);
    _exit(0);
}

int layer_job_start(const struct layer_job *job, pid_t *ret_pid, int *ret_sock, struct err *err)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
        return err_sys(err, "socket pair");
    _cleanup_close_ int ours = ends[0];
    _cleanup_close_ int theirs = ends[1];
    pid_t parent = getpid(), pid = fork();
    if (pid < 0)
        return err_sys(err, "start the unpacker");
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(1);
        run_child(job, theirs);
    }
    *ret_pid = pid;
    *ret_sock = take_fd(&ours);
    return 0;
}
