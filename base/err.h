/* SPDX-License-Identifier: Apache-2.0 */
/* err.h - the one error type of winch.
 *
 * An error lives on the caller's stack. A function that can fail returns 0, or -1 with *err filled, and
 * leaves its ret_ parameters untouched on failure. The code is for the direct caller's decision, the
 * message is for a person and grows from the outside in: "service 'web': mount volume 'data': open
 * /srv/data: Permission denied". The same struct travels between processes (engine/monitor/protocol.h
 * as a fixed-size struct, base/ipc.h as a JSON object). libc only. */
#pragma once

#include <stdarg.h>
#include <stddef.h>

/* code, word on the wire and in JSON output */
#define ERR_CODES(X)                                                                               \
    X(NONE, "none")                                                                                \
    X(SYSTEM, "system")           /* a system call failed; sys_errno says how */                   \
    X(CONFIG, "config")           /* what the user wrote is wrong */                               \
    X(USAGE, "usage")             /* command line misused: exit 2 */                               \
    X(NOT_FOUND, "not-found")     /* the named thing does not exist */                             \
    X(EXISTS, "exists")           /* the named thing exists already */                             \
    X(BUSY, "busy")               /* in use, locked, port taken */                                 \
    X(CORRUPT, "corrupt")         /* bytes read are not what they should be: digest, state file */ \
    X(UNSUPPORTED, "unsupported") /* this host or this version cannot */                           \
    X(DENIED, "denied")           /* permission, credentials, policy */                            \
    X(TIMEOUT, "timeout")                                                                          \
    X(LIMIT, "limit")         /* a bound of ours was exceeded */                                   \
    X(PROTOCOL, "protocol")   /* a peer broke the protocol, or speaks another version */           \
    X(CANCELLED, "cancelled") /* the user interrupted */                                           \
    X(NETWORK, "network")     /* a remote host could not be reached or answered with failure */    \
    X(FAILED, "failed")       /* the operation was done and its outcome is failure (unhealthy) */  \
    X(INTERNAL, "internal")

enum err_code {
#define X(id, text) ERR_##id,
    ERR_CODES(X)
#undef X
        ERR_CODE_COUNT_,
};

#define ERR_MESSAGE_MAX 1024
#define ERR_HINT_MAX    256

/* All fields zero means "no error": initialise with `struct err err = {0};`. message and hint are always
 * terminated; a message that would overflow loses its middle, never its cause (the end). */
struct err {
    enum err_code code;
    int sys_errno; /* errno for ERR_SYSTEM, else 0 */
    char message[ERR_MESSAGE_MAX];
    char hint[ERR_HINT_MAX]; /* how to go on; "" when there is nothing to add */
};

/* Fill *err and return -1. err may be NULL: then only -1 is returned. A previous content is replaced. */
int err_set(struct err *err, enum err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Like err_set with ERR_SYSTEM: appends ": strerror(errno)" and keeps errno in sys_errno. */
int err_sys(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Like err_sys for a function that returns the error number instead of setting errno. */
int err_sysno(struct err *err, int sys_errno, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Puts "context: " before the message; code, errno and hint stay. Returns -1. */
int err_wrap(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Sets the hint (the message stays). Returns -1. */
int err_hint(struct err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Copies *from to *err (which may be NULL). Returns -1. */
int err_copy(struct err *err, const struct err *from);
void err_clear(struct err *err);

const char *err_code_text(enum err_code code); /* never NULL */
/* ERR_INTERNAL for a word that is no code. */
enum err_code err_code_parse(const char *text);
