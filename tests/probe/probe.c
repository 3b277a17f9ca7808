/* SPDX-License-Identifier: Apache-2.0 */
/* probe.c - the static program that tests put into images.
 *
 * Without a command it prints as JSON what the process sees of itself (report.h).  The commands play services with one
 * trait each: hold on, ignore SIGTERM, eat memory, fork, write numbered lines, listen, connect, resolve a name.
 * Linked statically and without name-service calls, so that it runs in an image that holds nothing else. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>

#include "calls.h"
#include "report.h"

static int fail(const char *what)
{
    fprintf(stderr, "probe: %s: %s\n", what, strerror(errno));
    return 1;
}

static int wait_for_term(void)
{
    sigset_t set;
    int sig;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigprocmask(SIG_BLOCK, &set, NULL);
    sigwait(&set, &sig);
    return 0;
}

static int cmd_hold(int argc, char **argv)
{
    (void)argc, (void)argv;
    puts("holding");
    return wait_for_term();
}

static int cmd_ignore_term(int argc, char **argv)
{
    (void)argc, (void)argv;
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    puts("ignoring TERM and INT");
    while (pause() < 0)
        ;
    return 0;
}

static int cmd_signals(int argc, char **argv)
{
    (void)argc, (void)argv;
    sigset_t set;
    sigfillset(&set);
    sigdelset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    puts("listening for signals");
    for (int sig; sigwait(&set, &sig) == 0;) {
        printf("got SIG%s\n", sigabbrev_np(sig) ? sigabbrev_np(sig) : "?");
        if (sig == SIGTERM || sig == SIGQUIT || sig == SIGUSR2)
            return 0;
    }
    return 1;
}

static int cmd_alloc(int argc, char **argv)
{
    long megabytes = argc > 0 ? strtol(argv[0], NULL, 10) : 16;
    for (long i = 1; i <= megabytes; i++) {
        char *block = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (block == MAP_FAILED)
            return fail("mmap");
        memset(block, (int)i, 1 << 20);
        if (i % 8 == 0)
            printf("allocated %ld MiB\n", i);
    }
    printf("holding %ld MiB\n", megabytes);
    return wait_for_term();
}

static int cmd_forkbomb(int argc, char **argv)
{
    long wanted = argc > 0 ? strtol(argv[0], NULL, 10) : 1000, made = 0;
    pid_t *children = calloc((size_t)wanted + 1, sizeof(pid_t));
    int error = 0;
    for (; children && made < wanted; made++) {
        pid_t child = fork();
        if (child < 0) {
            error = errno;
            break;
        }
        if (child == 0)
            for (;;)
                pause();
        children[made] = child;
    }
    printf("forked %ld %s\n", made, error ? strerrorname_np(error) : "all");
    for (long i = 0; i < made; i++)
        kill(children[i], SIGKILL);
    while (wait(NULL) > 0)
        ;
    free(children);
    return error ? 3 : 0;
}

static int cmd_zombies(int argc, char **argv)
{
    long wanted = argc > 0 ? strtol(argv[0], NULL, 10) : 10;
    for (long i = 0; i < wanted; i++)
        if (fork() == 0) { /* its child is left to process 1 */
            if (fork() == 0)
                _exit(0);
            _exit(0);
        }
    while (wait(NULL) > 0)
        ;
    puts("orphans made");
    return wait_for_term();
}

static int cmd_lines(int argc, char **argv)
{
    long count = argc > 0 ? strtol(argv[0], NULL, 10) : 10, delay_us = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    char line[64];
    for (long i = 1; count == 0 || i <= count; i++) {
        int n = snprintf(line, sizeof(line), "out %08ld\n", i);
        if (write(1, line, (size_t)n) != n)
            return fail("write to stdout");
        memcpy(line, "err", 3);
        if (write(2, line, (size_t)n) != n)
            return fail("write to stderr");
        if (delay_us)
            usleep((useconds_t)delay_us);
    }
    return 0;
}

/* BYTES LINE WRITE [hold]: numbered lines of LINE bytes, WRITE bytes with each call (BYTES 0: for ever); then on stderr
 * how long it took. */
static int cmd_flood(int argc, char **argv)
{
    long long total = argc > 0 ? strtoll(argv[0], NULL, 10) : 0, done = 0;
    long line = argc > 1 ? strtol(argv[1], NULL, 10) : 100, size = argc > 2 ? strtol(argv[2], NULL, 10) : 65536;
    static char buffer[1024 * 1024];
    struct timespec begin, end;
    if (line < 10 || size < line || size > (long)sizeof(buffer))
        return fail("flood BYTES LINE WRITE");
    size -= size % line;
    for (long at = 0; at < size; at += line) {
        memset(buffer + at, 'a' + (int)(at / line % 26), (size_t)line);
        buffer[at + line - 1] = '\n';
    }
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (long long number = 0; total == 0 || done < total;) {
        for (long at = 0; at < size; at += line, number++)
            for (long long rest = number, i = 7; i >= 0; i--, rest /= 10)
                buffer[at + i] = (char)('0' + rest % 10);
        for (long at = 0; at < size;) {
            ssize_t wrote = write(1, buffer + at, (size_t)(size - at));
            if (wrote < 0)
                return fail("write to stdout");
            at += wrote;
        }
        done += size;
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    fprintf(stderr, "flood %lld bytes %lld us\n", done,
            (end.tv_sec - begin.tv_sec) * 1000000LL + (end.tv_nsec - begin.tv_nsec) / 1000);
    return argc > 3 ? wait_for_term() : 0;
}

static int cmd_exit(int argc, char **argv)
{
    return argc > 0 ? (int)strtol(argv[0], NULL, 10) : 0;
}

static int cmd_crash(int argc, char **argv)
{
    int sig = argc > 0 ? (int)strtol(argv[0], NULL, 10) : SIGSEGV;
    signal(sig, SIG_DFL);
    raise(sig);
    return 1; /* process 1 of a namespace survives its own signal */
}

/* --- the network ------------------------------------------------------------------------------------------------- */

static socklen_t address_of(const char *host, int port, struct sockaddr_storage *ret)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)ret;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
    memset(ret, 0, sizeof(*ret));
    if (inet_pton(AF_INET, host, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons((uint16_t)port);
        return sizeof(*v4);
    }
    if (inet_pton(AF_INET6, host, &v6->sin6_addr) == 1) {
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons((uint16_t)port);
        return sizeof(*v6);
    }
    return 0;
}

static const char *address_text(const struct sockaddr_storage *address, char *text, size_t size)
{
    if (address->ss_family == AF_INET)
        return inet_ntop(AF_INET, &((const struct sockaddr_in *)address)->sin_addr, text, (socklen_t)size);
    const struct in6_addr *v6 = &((const struct sockaddr_in6 *)address)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(v6))
        return inet_ntop(AF_INET, &v6->s6_addr[12], text, (socklen_t)size);
    return inet_ntop(AF_INET6, v6, text, (socklen_t)size);
}

static int listen_on(int type, int port)
{
    struct sockaddr_storage address;
    int one = 1, zero = 0, fd = socket(AF_INET6, type | SOCK_CLOEXEC, 0);
    socklen_t size = address_of(fd < 0 ? "0.0.0.0" : "::", port, &address);
    if (fd < 0)
        fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
    else
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) < 0 || (type == SOCK_STREAM && listen(fd, 128) < 0)) {
        fail("listen");
        exit(1);
    }
    printf("listening on port %d\n", port);
    return fd;
}

static void set_timeout(int fd, int seconds)
{
    struct timeval limit = { .tv_sec = seconds };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

static int type_of(const char *word)
{
    return !strcmp(word, "udp") ? SOCK_DGRAM : SOCK_STREAM;
}

/* Answers each connection or datagram with TEXT (default: the host name) and prints the peer and what it sent. */
static int cmd_listen(int argc, char **argv)
{
    if (argc < 2)
        return fputs("probe listen tcp|udp PORT [TEXT]\n", stderr), 2;
    int type = type_of(argv[0]), fd = listen_on(type, (int)strtol(argv[1], NULL, 10));
    struct utsname uts;
    uname(&uts);
    const char *text = argc > 2 ? argv[2] : uts.nodename;
    for (;;) {
        struct sockaddr_storage peer;
        socklen_t size = sizeof(peer);
        char data[2048], name[INET6_ADDRSTRLEN];
        int link = type == SOCK_STREAM ? accept4(fd, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC) : fd;
        if (link < 0)
            continue;
        if (type == SOCK_STREAM)
            set_timeout(link, 2);
        ssize_t n = type == SOCK_STREAM ? recv(link, data, sizeof(data) - 1, 0)
                                        : recvfrom(fd, data, sizeof(data) - 1, 0, (struct sockaddr *)&peer, &size);
        data[n < 0 ? 0 : n] = 0;
        printf("%s: %s\n", address_text(&peer, name, sizeof(name)), data);
        if (type == SOCK_STREAM) {
            (void)!send(link, text, strlen(text), MSG_NOSIGNAL);
            close(link);
        } else {
            (void)!sendto(fd, text, strlen(text), 0, (struct sockaddr *)&peer, size);
        }
    }
}

static int resolve_first(const char *name, char *ret, size_t size);

static int open_link(int type, const char *host, int port)
{
    struct sockaddr_storage address;
    char numeric[INET6_ADDRSTRLEN];
    socklen_t size = address_of(host, port, &address);
    if (!size) {
        if (resolve_first(host, numeric, sizeof(numeric)) < 0) {
            fprintf(stderr, "probe: %s: name not found\n", host);
            return -1;
        }
        size = address_of(numeric, port, &address);
    }
    int fd = socket(address.ss_family, type | SOCK_CLOEXEC, 0);
    set_timeout(fd, 2);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, size) < 0) {
        fail("connect");
        return -1;
    }
    return fd;
}

static int cmd_connect(int argc, char **argv)
{
    if (argc < 3)
        return fputs("probe connect tcp|udp HOST PORT [TEXT]\n", stderr), 2;
    const char *text = argc > 3 ? argv[3] : "hello";
    int fd = open_link(type_of(argv[0]), argv[1], (int)strtol(argv[2], NULL, 10));
    if (fd < 0)
        return 1;
    char data[2048];
    if (send(fd, text, strlen(text), MSG_NOSIGNAL) < 0)
        return fail("send");
    ssize_t n = recv(fd, data, sizeof(data) - 1, 0);
    if (n < 0)
        return fail("receive");
    data[n] = 0;
    puts(data);
    return 0;
}

static int cmd_http(int argc, char **argv)
{
    int fd = listen_on(SOCK_STREAM, argc > 0 ? (int)strtol(argv[0], NULL, 10) : 80);
    struct utsname uts;
    uname(&uts);
    for (;;) {
        int link = accept4(fd, NULL, NULL, SOCK_CLOEXEC);
        if (link < 0)
            return fail("accept");
        char request[4096], path[1024] = "?", answer[4096];
        set_timeout(link, 2);
        ssize_t n = recv(link, request, sizeof(request) - 1, 0);
        request[n < 0 ? 0 : n] = 0;
        (void)!sscanf(request, "%*s %1023s", path);
        n = snprintf(answer, sizeof(answer), "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n%s %s\n", uts.nodename,
                     path);
        (void)!send(link, answer, (size_t)n, MSG_NOSIGNAL);
        shutdown(link, SHUT_WR);
        close(link);
    }
}

static int cmd_get(int argc, char **argv)
{
    if (argc < 3)
        return fputs("probe get HOST PORT PATH\n", stderr), 2;
    int fd = open_link(SOCK_STREAM, argv[0], (int)strtol(argv[1], NULL, 10)), status = 0;
    if (fd < 0)
        return 1;
    char data[65536];
    int n = snprintf(data, sizeof(data), "GET %s HTTP/1.0\r\nHost: %s\r\n\r\n", argv[2], argv[0]);
    if (send(fd, data, (size_t)n, MSG_NOSIGNAL) < 0)
        return fail("send");
    size_t size = 0;
    ssize_t got;
    while (size < sizeof(data) - 1 && (got = recv(fd, data + size, sizeof(data) - 1 - size, 0)) > 0)
        size += (size_t)got;
    data[size] = 0;
    char *body = strstr(data, "\r\n\r\n");
    if (sscanf(data, "HTTP/%*s %d", &status) != 1 || !body)
        return fputs("probe: no HTTP answer\n", stderr), 1;
    fputs(body + 4, stdout);
    return status == 200 ? 0 : 1;
}

/* --- names ------------------------------------------------------------------------------------------------------- */

static int nameserver(char *ret, size_t size)
{
    size_t length;
    char *text = read_whole("/etc/resolv.conf", &length), *at = text ? strstr(text, "nameserver ") : NULL;
    if (at)
        snprintf(ret, size, "%.*s", (int)strcspn(at + 11, " \n\t"), at + 11);
    free(text);
    return at ? 0 : -1;
}

static size_t skip_name(const unsigned char *packet, size_t size, size_t at)
{
    while (at < size && packet[at]) {
        if ((packet[at] & 0xc0) == 0xc0)
            return at + 2;
        at += packet[at] + 1u;
    }
    return at + 1;
}

/* Asks SERVER for one type (1 = A, 28 = AAAA); prints each address, or copies the first to first.
 * Returns the count, or -1 - rcode for an error answer, or -100 for none. */
static int query(const char *server, const char *name, int type, char *first, size_t first_size)
{
    unsigned char packet[1500] = { (unsigned char)getpid(), 0x5a, 1, 0, 0, 1 };
    size_t at = 12, size;
    for (const char *label = name; *label;) {
        size_t n = strcspn(label, ".");
        if (n == 0 || n > 63 || at + n + 6 > 512)
            return -2;
        packet[at++] = (unsigned char)n;
        memcpy(packet + at, label, n);
        at += n;
        label += n + (label[n] == '.');
    }
    memcpy(packet + at, (unsigned char[]){ 0, 0, (unsigned char)type, 0, 1 }, 5);
    at += 5;
    int fd = open_link(SOCK_DGRAM, server, 53);
    if (fd < 0 || send(fd, packet, at, 0) < 0)
        return -100;
    ssize_t n = recv(fd, packet, sizeof(packet), 0);
    close(fd);
    if (n < 12)
        return -100;
    size = (size_t)n;
    if (packet[3] & 15)
        return -1 - (packet[3] & 15);
    int answers = packet[6] << 8 | packet[7], found = 0;
    at = skip_name(packet, size, 12) + 4;
    for (; answers > 0 && at < size; answers--) {
        at = skip_name(packet, size, at);
        if (at + 10 > size)
            break;
        int kind = packet[at] << 8 | packet[at + 1];
        size_t length = (size_t)packet[at + 8] << 8 | packet[at + 9];
        char text[INET6_ADDRSTRLEN];
        at += 10;
        if (kind == type && at + length <= size && inet_ntop(type == 1 ? AF_INET : AF_INET6, packet + at, text,
                                                             sizeof(text))) {
            if (!first)
                puts(text);
            else if (!found)
                snprintf(first, first_size, "%s", text);
            found++;
        }
        at += length;
    }
    return found;
}

/* The first address that /etc/hosts or the name server has. */
static int resolve_first(const char *name, char *ret, size_t size)
{
    char server[64];
    size_t length;
    char *hosts = read_whole("/etc/hosts", &length), *rest = hosts;
    for (char *line; hosts && (line = strsep(&rest, "\n"));) {
        char *address = strsep(&line, " \t");
        for (char *word; (word = strsep(&line, " \t"));)
            if (!strcmp(word, name) && address[0] != '#') {
                snprintf(ret, size, "%s", address);
                free(hosts);
                return 0;
            }
    }
    free(hosts);
    if (nameserver(server, sizeof(server)) < 0)
        return -1;
    return query(server, name, 1, ret, size) > 0 || query(server, name, 28, ret, size) > 0 ? 0 : -1;
}

static int cmd_resolve(int argc, char **argv)
{
    char server[64];
    if (argc < 1)
        return fputs("probe resolve NAME [SERVER [a|aaaa]]\n", stderr), 2;
    if (argc > 1)
        snprintf(server, sizeof(server), "%s", argv[1]);
    else if (nameserver(server, sizeof(server)) < 0)
        return fputs("probe: no nameserver in /etc/resolv.conf\n", stderr), 1;
    const char *only = argc > 2 ? argv[2] : "";
    int v4 = !strcmp(only, "aaaa") ? 0 : query(server, argv[0], 1, NULL, 0);
    int v6 = !strcmp(only, "a") ? 0 : query(server, argv[0], 28, NULL, 0);
    if (v4 > 0 || v6 > 0)
        return 0;
    int worst = v4 < v6 ? v4 : v6;
    puts(worst == 0 ? "NODATA" : worst == -4 ? "NXDOMAIN" : worst == -3 ? "SERVFAIL" : worst == -6 ? "REFUSED"
         : worst == -100 ? "TIMEOUT" : "ERROR");
    return 1;
}

static const struct {
    const char *name;
    int (*run)(int argc, char **argv);
} commands[] = {
    { "hold", cmd_hold },         { "ignore-term", cmd_ignore_term }, { "signals", cmd_signals },
    { "alloc", cmd_alloc },       { "forkbomb", cmd_forkbomb },       { "zombies", cmd_zombies },
    { "lines", cmd_lines },       { "exit", cmd_exit },               { "crash", cmd_crash },
    { "listen", cmd_listen },     { "connect", cmd_connect },         { "http", cmd_http },
    { "call", cmd_call },         { "threads", cmd_threads },         { "spy", cmd_spy },
    { "swap", cmd_swap },
    { "get", cmd_get },           { "resolve", cmd_resolve },         { "flood", cmd_flood },
};

int main(int argc, char **argv)
{
    if (argc < 2 || argv[1][0] == '-') {
        report(argc, argv);
        return 0;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
        if (!strcmp(argv[1], commands[i].name))
            return commands[i].run(argc - 2, argv + 2);
    fprintf(stderr, "probe: no command '%s'\n", argv[1]);
    return 2;
}
