/* SPDX-License-Identifier: Apache-2.0 */
/* sink.h - a container's output to journald or a syslog peer, beside the log file. Lines wait in a buffer
 * of fixed size; what does not fit is dropped, counted, and told to the peer when there is room again. The
 * container never waits for a peer. A peer that is away is tried again with growing pauses while there is
 * something for it. libc only, allocates nothing after sink_open. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "engine/runtime/spec.h"

struct sink_text { /* journald: the fields of every message of a stream; syslog: its structured data */
    char text[8192];
    size_t size;
};
struct sink {
    const struct spec_log *spec; /* NULL: no sink */
    int fd;                      /* -1: not connected */
    bool fresh;                  /* fd is to be watched: EPOLLOUT, edge-triggered */
    bool blocked, stream;        /* until fd is writable; a byte stream: messages end with a newline */
    char *ring;                  /* messages lie in [head, tail) */
    size_t capacity, head, tail, high_water;
    int64_t retry_us, pause_us;  /* CLOCK_MONOTONIC: not to be tried before; the next pause */
    uint64_t dropped, dropped_total;
    size_t out_size, out_sent; /* of the message being sent, in sink.c */
    bool out_mark;             /* it is no line of the container */
};

int sink_open(struct sink *sink, const struct spec_log *spec, struct err *err);
void sink_add(struct sink *sink, const char *text, size_t size, bool partial, bool is_stderr, int64_t time_ns);
/* Sends what the peer takes now. */
void sink_send(struct sink *sink);
/* Milliseconds until sink_send is of use without an event; -1: none. */
int sink_wait_ms(const struct sink *sink);
/* At the end: waits at most wait_ms for the peer; what it has not taken then counts as dropped. */
void sink_finish(struct sink *sink, int wait_ms);

/* sink_format.c: pure */
struct sink_message {
    const char *text;
    size_t size;
    bool partial, is_stderr;
    int64_t time_ns;
};
#define SINK_OUT_ROOM(size) ((size) + 9216)
/* False when the fields are too large. */
bool sink_text_make(const struct spec_log *spec, bool is_stderr, struct sink_text *text);
/* The message into out (room >= SINK_OUT_ROOM(message->size)); returns its size. */
size_t sink_format(char *out, const struct spec_log *spec, const struct sink_text *prefix,
                   const char *hostname, int pid, const struct sink_message *message);
