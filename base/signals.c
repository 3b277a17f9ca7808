/* SPDX-License-Identifier: Apache-2.0 */
/* signals.c - names of signals as docker and the shells write them (declared in proc.h). Numbers of real-time
 * signals are those of glibc, whose first one is 34. */
#include "base/proc.h"

#include <signal.h>
#include <string.h>
#include <strings.h>

#include "base/mem.h"
#include "base/str.h"

#define RT_FIRST 34
#define RT_LAST  64
#define RT(n)    [RT_FIRST + (n)] = "SIGRTMIN+" #n

static const char *const names[RT_LAST + 1] = {
    [SIGHUP] = "SIGHUP",       [SIGINT] = "SIGINT",       [SIGQUIT] = "SIGQUIT",
    [SIGILL] = "SIGILL",       [SIGTRAP] = "SIGTRAP",     [SIGABRT] = "SIGABRT",
    [SIGBUS] = "SIGBUS",       [SIGFPE] = "SIGFPE",       [SIGKILL] = "SIGKILL",
    [SIGUSR1] = "SIGUSR1",     [SIGSEGV] = "SIGSEGV",     [SIGUSR2] = "SIGUSR2",
    [SIGPIPE] = "SIGPIPE",     [SIGALRM] = "SIGALRM",     [SIGTERM] = "SIGTERM",
    [SIGSTKFLT] = "SIGSTKFLT", [SIGCHLD] = "SIGCHLD",     [SIGCONT] = "SIGCONT",
    [SIGSTOP] = "SIGSTOP",     [SIGTSTP] = "SIGTSTP",     [SIGTTIN] = "SIGTTIN",
    [SIGTTOU] = "SIGTTOU",     [SIGURG] = "SIGURG",       [SIGXCPU] = "SIGXCPU",
    [SIGXFSZ] = "SIGXFSZ",     [SIGVTALRM] = "SIGVTALRM", [SIGPROF] = "SIGPROF",
    [SIGWINCH] = "SIGWINCH",   [SIGIO] = "SIGIO",         [SIGPWR] = "SIGPWR",
    [SIGSYS] = "SIGSYS",       [RT_FIRST] = "SIGRTMIN",   RT(1),
    RT(2),  RT(3),  RT(4),  RT(5),  RT(6),  RT(7),  RT(8),  RT(9),  RT(10), RT(11), RT(12), RT(13),
    RT(14), RT(15), RT(16), RT(17), RT(18), RT(19), RT(20), RT(21), RT(22), RT(23), RT(24), RT(25),
    RT(26), RT(27), RT(28), RT(29), [RT_LAST] = "SIGRTMAX",
};

static const struct {
    const char *name;
    int signo;
} aliases[] = {{"CLD", SIGCHLD}, {"IOT", SIGABRT}, {"POLL", SIGIO}};

static const char *strip_sig(const char *text)
{
    return strncasecmp(text, "SIG", 3) == 0 ? text + 3 : text;
}

int signal_parse(const char *text)
{
    long long number;
    if (!text)
        return -1;
    if (parse_i64(text, 1, RT_LAST, &number))
        return (int)number;
    const char *word = strip_sig(text);
    for (int signo = 1; signo <= RT_LAST; signo++)
        if (names[signo] && strcasecmp(word, names[signo] + 3) == 0)
            return signo;
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
        if (strcasecmp(word, aliases[i].name) == 0)
            return aliases[i].signo;
    if (strncasecmp(word, "RTMIN+", 6) == 0 && parse_i64(word + 6, 0, RT_LAST - RT_FIRST, &number))
        return RT_FIRST + (int)number;
    if (strncasecmp(word, "RTMAX-", 6) == 0 && parse_i64(word + 6, 0, RT_LAST - RT_FIRST, &number))
        return RT_LAST - (int)number;
    return -1;
}

const char *signal_name(int signo)
{
    return signo > 0 && signo <= RT_LAST && names[signo] ? names[signo] : "SIG?";
}
