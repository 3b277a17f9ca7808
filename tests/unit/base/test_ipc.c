/* SPDX-License-Identifier: Apache-2.0 */
/* test_ipc.c - calls, events, large bodies, descriptors, hang-ups and slow readers. The server runs in a child
 * process, so that the blocking client can be tested against it. */
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/ipc.h"
#include "base/str.h"

static char *dir;
static int dir_fd;

static void setup(void)
{
    dir = xstrdup("/tmp/winch-ipc-XXXXXX");
    cr_assert_not_null(mkdtemp(dir));
    dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* a name longer than any sockaddr_un */
    struct err err = {0};
    char *deep = xasprintf("%0100d/%0100d", 1, 2);
    int fd;
    cr_assert_eq(fs_open_dir(dir_fd, deep, 0700, &fd, &err), 0);
    close(dir_fd);
    dir_fd = fd;
    free(deep);
}

static void teardown(void)
{
    close(dir_fd);
    fs_remove_tree(AT_FDCWD, dir, NULL);
    free(dir);
}

struct state {
    struct loop *loop;
    struct ipc_request *parked;
    int gone;
};

static void do_echo(struct ipc_request *request, const struct jv *args, void *context)
{
    (void)context;
    ipc_answer_ok(request, jv_copy_deep(args));
}

static void do_fail(struct ipc_request *request, const struct jv *args, void *context)
{
    struct err err = {0};
    (void)args;
    (void)context;
    err_set(&err, ERR_BUSY, "port %d is taken", 80);
    err_hint(&err, "stop the other one");
    ipc_answer_error(request, &err);
}

static void do_count(struct ipc_request *request, const struct jv *args, void *context)
{
    (void)context;
    int64_t count = jv_get_int(args, "count", 0), size = jv_get_int(args, "size", 0);
    char *padding = xcalloc(1, (size_t)size + 1);
    memset(padding, 'x', (size_t)size);
    for (int64_t i = 0; i < count; i++) {
        struct jv *event = jv_object();
        jv_set_int(event, "n", i);
        jv_set_str(event, "padding", padding);
        ipc_send_event(request, event);
    }
    free(padding);
    ipc_answer_ok(request, NULL);
}

static void do_read_fd(struct ipc_request *request, const struct jv *args, void *context)
{
    const int *fds;
    char *text;
    (void)args;
    (void)context;
    cr_assert_eq(ipc_request_fds(request, &fds), 1);
    cr_assert_eq(fd_read_all(fds[0], 100, &text, NULL, NULL), 0);
    struct jv *ok = jv_object();
    jv_set_str(ok, "text", text);
    free(text);
    ipc_answer_ok(request, ok);
}

static void on_gone(struct ipc_request *request, void *arg)
{
    struct state *state = arg;
    state->gone++;
    if (!ipc_request_alive(request))
        ipc_answer_ok(request, NULL); /* goes nowhere, frees the request */
}

static void do_park(struct ipc_request *request, const struct jv *args, void *context)
{
    (void)args;
    ipc_request_on_gone(request, on_gone, context);
}

static void do_gone(struct ipc_request *request, const struct jv *args, void *context)
{
    struct state *state = context;
    (void)args;
    struct jv *ok = jv_object();
    jv_set_int(ok, "gone", state->gone);
    ipc_answer_ok(request, ok);
}

static void do_stop(struct ipc_request *request, const struct jv *args, void *context)
{
    struct state *state = context;
    (void)args;
    ipc_answer_ok(request, NULL);
    loop_stop(state->loop, 0);
}

static const struct ipc_method methods[] = {
    {"echo", do_echo}, {"fail", do_fail}, {"count", do_count}, {"fd", do_read_fd},
    {"park", do_park}, {"gone", do_gone}, {"stop", do_stop},   {0}};

static pid_t start_server(void)
{
    int ready[2];
    char byte;
    cr_assert_eq(pipe(ready), 0);
    pid_t pid = fork();
    cr_assert_geq(pid, 0);
    if (pid > 0) {
        close(ready[1]);
        cr_assert_eq(read(ready[0], &byte, 1), 1);
        close(ready[0]);
        return pid;
    }
    struct state state = {.loop = loop_new()};
    struct ipc_server *server;
    struct err err = {0};
    if (ipc_server_new(state.loop, dir_fd, "sock", methods, &state, &server, &err) < 0)
        _exit(1);
    if (write(ready[1], "x", 1) != 1)
        _exit(1);
    int code = loop_run(state.loop);
    ipc_server_free(server);
    loop_free(state.loop);
    _exit(code);
}

static struct ipc_client *connect_client(void)
{
    struct ipc_client *client;
    struct err err = {0};
    cr_assert_eq(ipc_connect(dir_fd, "sock", &client, &err), 0, "%s", err.message);
    return client;
}

static void stop_server(pid_t pid)
{
    int status;
    struct ipc_client *client = connect_client();
    cr_expect_eq(ipc_call(client, "stop", NULL, NULL, 0, 5000, NULL, NULL, NULL, NULL), 0);
    ipc_client_free(client);
    cr_assert_eq(waitpid(pid, &status, 0), pid);
    cr_expect_eq(status, 0);
    cr_expect_not(fs_exists(dir_fd, "sock"), "the socket is removed at the end");
}

TestSuite(ipc, .init = setup, .fini = teardown, .timeout = 30);

Test(ipc, calls_are_answered_and_errors_keep_their_code)
{
    struct err err = {0};
    pid_t pid = start_server();
    struct ipc_client *client = connect_client();
    struct jv *args = jv_object(), *ok = NULL;
    jv_set_str(args, "text", "hello");
    cr_assert_eq(ipc_call(client, "echo", args, NULL, 0, -1, NULL, NULL, &ok, &err), 0);
    cr_expect_str_eq(jv_get_str(ok, "text", ""), "hello");
    jv_free(ok);
    cr_assert_eq(ipc_call(client, "fail", NULL, NULL, 0, -1, NULL, NULL, NULL, &err), -1);
    cr_expect_eq(err.code, ERR_BUSY);
    cr_expect_str_eq(err.message, "port 80 is taken");
    cr_expect_str_eq(err.hint, "stop the other one");
    cr_assert_eq(ipc_call(client, "nonsense", NULL, NULL, 0, -1, NULL, NULL, NULL, &err), -1);
    cr_expect_eq(err.code, ERR_UNSUPPORTED);
    ipc_client_free(client);
    stop_server(pid);
}

Test(ipc, bodies_of_any_size_below_the_limit_pass)
{
    static const size_t sizes[] = {0, 1000, 65000, 65480, 65536, 70000, 5000000};
    struct err err = {0};
    pid_t pid = start_server();
    struct ipc_client *client = connect_client();
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        char *text = xcalloc(1, sizes[i] + 1);
        memset(text, 'a', sizes[i]);
        struct jv *args = jv_object(), *ok = NULL;
        jv_set_str(args, "text", text);
        cr_assert_eq(ipc_call(client, "echo", args, NULL, 0, 10000, NULL, NULL, &ok, &err), 0, "%zu: %s",
                     sizes[i], err.message);
        cr_expect_str_eq(jv_get_str(ok, "text", "missing"), text, "size %zu", sizes[i]);
        jv_free(ok);
        free(text);
    }
    struct jv *args = jv_object();
    char *huge = xcalloc(1, IPC_BODY_MAX + 1);
    memset(huge, 'a', IPC_BODY_MAX);
    jv_set_str(args, "text", huge);
    cr_expect_eq(ipc_call(client, "echo", args, NULL, 0, -1, NULL, NULL, NULL, &err), -1);
    cr_expect_eq(err.code, ERR_LIMIT);
    free(huge);
    ipc_client_free(client);
    stop_server(pid);
}

Test(ipc, descriptors_arrive_also_beside_a_large_body)
{
    static const size_t sizes[] = {0, 100000};
    struct err err = {0};
    pid_t pid = start_server();
    struct ipc_client *client = connect_client();
    for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
        int fd;
        char *text = xcalloc(1, sizes[i] + 1);
        memset(text, 'a', sizes[i]);
        struct jv *args = jv_object(), *ok = NULL;
        jv_set_str(args, "text", text);
        cr_assert_eq(fd_memfd("test", "content", 7, &fd, &err), 0);
        cr_assert_eq(ipc_call(client, "fd", args, &fd, 1, -1, NULL, NULL, &ok, &err), 0, "%s", err.message);
        cr_expect_str_eq(jv_get_str(ok, "text", ""), "content");
        jv_free(ok);
        close(fd);
        free(text);
    }
    ipc_client_free(client);
    stop_server(pid);
}

struct counts {
    int64_t seen, lost;
};

static void on_event(const struct jv *event, void *arg)
{
    struct counts *counts = arg;
    int64_t lost = jv_get_int(event, "lost", 0);
    if (lost == 0) {
        cr_expect_eq(jv_get_int(event, "n", -1), counts->seen + counts->lost, "order and count of events");
        counts->seen++;
    }
    counts->lost += lost;
}

Test(ipc, a_slow_reader_loses_events_and_is_told_how_many)
{
    struct err err = {0};
    struct counts counts = {0};
    pid_t pid = start_server();
    struct ipc_client *client = connect_client();
    struct ipc_client *other = connect_client();
    struct jv *args = jv_object();
    jv_set_int(args, "count", 2000);
    jv_set_int(args, "size", 2000);
    cr_assert_eq(ipc_send_call(client, "count", args, NULL, 0, NULL, &err), 0);
    /* answered only after the first call has sent everything: nothing was read up to now */
    cr_assert_eq(ipc_call(other, "gone", NULL, NULL, 0, -1, NULL, NULL, NULL, &err), 0);
    ipc_client_free(other);
    for (enum ipc_kind kind = IPC_EVENT; kind == IPC_EVENT;) {
        long id;
        struct jv *body = NULL;
        cr_assert_eq(ipc_receive(client, &id, &kind, &body, &err), 0, "%s", err.message);
        if (kind == IPC_EVENT)
            on_event(body, &counts);
        jv_free(body);
    }
    cr_expect_gt(counts.lost, 0);
    cr_expect_gt(counts.seen, 100);
    cr_expect_eq(counts.seen + counts.lost, 2000);
    ipc_client_free(client);
    stop_server(pid);
}

Test(ipc, a_hang_up_is_reported_to_the_handler)
{
    struct err err = {0};
    struct jv *ok = NULL;
    pid_t pid = start_server();
    struct ipc_client *client = connect_client(), *other = connect_client();
    cr_assert_eq(ipc_send_call(client, "park", NULL, NULL, 0, NULL, &err), 0);
    cr_assert_eq(ipc_call(client, "gone", NULL, NULL, 0, -1, NULL, NULL, &ok, &err), 0);
    cr_expect_eq(jv_get_int(ok, "gone", -1), 0);
    jv_free(ok);
    ipc_client_free(client);
    cr_assert_eq(ipc_call(other, "gone", NULL, NULL, 0, -1, NULL, NULL, &ok, &err), 0);
    cr_expect_eq(jv_get_int(ok, "gone", -1), 1);
    jv_free(ok);
    ipc_client_free(other);
    stop_server(pid);
}

Test(ipc, a_call_without_answer_times_out)
{
    struct err err = {0};
    pid_t pid = start_server();
    struct ipc_client *client = connect_client();
    cr_assert_eq(ipc_call(client, "park", NULL, NULL, 0, 50, NULL, NULL, NULL, &err), -1);
    cr_expect_eq(err.code, ERR_TIMEOUT);
    ipc_client_free(client);
    stop_server(pid);
}

Test(ipc, nonsense_closes_the_connection_and_nothing_else)
{
    static const char *const bad[] = {"{", "[]", "{\"id\":\"x\"}", "{\"id\":1,\"memfd\":true}", "\xff\xfe"};
    pid_t pid = start_server();
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char byte;
        struct ipc_client *client = connect_client();
        int fd = ipc_client_fd(client);
        cr_assert_gt(send(fd, bad[i], strlen(bad[i]), 0), 0);
        cr_expect_eq(recv(fd, &byte, 1, 0), 0, "case '%s'", bad[i]);
        ipc_client_free(client);
    }
    stop_server(pid);
}

Test(ipc, an_old_client_is_told_the_version)
{
    struct err err = {0};
    long id;
    enum ipc_kind kind;
    static const char text[] = "{\"v\":99,\"id\":5,\"call\":\"echo\"}";
    pid_t pid = start_server();
    struct ipc_client *client = connect_client();
    cr_assert_gt(send(ipc_client_fd(client), text, sizeof(text) - 1, 0), 0);
    cr_assert_eq(ipc_receive(client, &id, &kind, NULL, &err), 0);
    cr_expect_eq(id, 5);
    cr_expect_eq(kind, IPC_ERROR);
    cr_expect_eq(err.code, ERR_PROTOCOL);
    ipc_client_free(client);
    stop_server(pid);
}

Test(ipc, a_missing_socket_is_not_found_and_a_dead_one_refuses)
{
    struct err err = {0};
    struct ipc_client *client;
    cr_assert_eq(ipc_connect(dir_fd, "sock", &client, &err), -1);
    cr_expect_eq(err.code, ERR_NOT_FOUND);
    pid_t pid = start_server();
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    cr_assert_eq(ipc_connect(dir_fd, "sock", &client, &err), -1);
    cr_expect_eq(err.code, ERR_SYSTEM);
    cr_expect_eq(err.sys_errno, ECONNREFUSED);
    pid = start_server(); /* replaces the dead socket */
    stop_server(pid);
}

struct async_state {
    struct loop *loop;
    struct ipc_async *async;
    int answers, errors, closed;
    pid_t server;
};

static void on_closed(void *arg)
{
    struct async_state *state = arg;
    state->closed++;
    loop_stop(state->loop, 0);
}

static void on_reply(const struct jv *ok, const struct err *error, void *arg)
{
    struct async_state *state = arg;
    if (ok) {
        state->answers++;
        cr_expect_null(error);
    } else {
        state->errors++;
        cr_expect_not_null(error);
    }
    if (state->answers == 100 && state->errors == 0) { /* now one that never comes back */
        cr_expect_eq(ipc_async_call(state->async, "park", NULL, on_reply, state, NULL), 0);
        kill(state->server, SIGKILL);
    }
}

Test(ipc, asynchronous_calls_are_answered_or_fail_with_the_connection)
{
    struct err err = {0};
    struct async_state state = {.loop = loop_new(), .server = start_server()};
    state.async = ipc_async_new(state.loop, connect_client(), on_closed, &state);
    for (int i = 0; i < 100; i++) {
        struct jv *args = jv_object();
        char *text = xcalloc(1, 60001);
        memset(text, 'a', 60000);
        jv_set_str(args, "text", text);
        free(text);
        cr_assert_eq(ipc_async_call(state.async, "echo", args, on_reply, &state, &err), 0, "%s", err.message);
    }
    loop_run(state.loop);
    cr_expect_eq(state.answers, 100);
    cr_expect_eq(state.errors, 1);
    cr_expect_eq(state.closed, 1);
    cr_expect_eq(ipc_async_call(state.async, "echo", NULL, on_reply, &state, &err), -1);
    ipc_async_free(state.async);
    loop_free(state.loop);
    waitpid(state.server, NULL, 0);
}
