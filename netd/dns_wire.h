/* SPDX-License-Identifier: Apache-2.0 */
/* dns_wire.h - DNS messages (RFC 1035, 6891) as far as a resolver in front of others needs them.
 * Pure; fuzzed.
 *
 * Foreign bytes are walked with the C library's <arpa/nameser.h> primitives; what we answer is
 * written here. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "netd/addr.h"

#define DNS_MESSAGE_MAX 65535
#define DNS_NAME_SIZE   1025 /* presentation form: every byte may become \DDD */

enum dns_type { DNS_A = 1, DNS_PTR = 12, DNS_AAAA = 28, DNS_OPT = 41, DNS_ANY = 255 };
enum dns_rcode {
    DNS_NOERROR = 0,
    DNS_FORMERR = 1,
    DNS_SERVFAIL = 2,
    DNS_NXDOMAIN = 3,
    DNS_NOTIMP = 4,
    DNS_REFUSED = 5
};

struct dns_query {
    const uint8_t *data; /* borrowed */
    size_t size;
    uint16_t id, type, klass;
    size_t question_end;      /* offset behind the one question; 0 when there is none to repeat */
    char name[DNS_NAME_SIZE]; /* lower case, no trailing dot; "" is the root; special bytes escaped
                               */
    bool edns;
    uint16_t udp_size; /* what the asker can take, at least 512 */
};

enum dns_verdict {
    DNS_GOOD,
    DNS_BAD,         /* answer FORMERR */
    DNS_UNSUPPORTED, /* answer NOTIMP: not a standard query */
    DNS_IGNORE,      /* not even a query: no answer */
};
/* id and question_end are set for all but DNS_IGNORE. */
enum dns_verdict dns_query_parse(const void *data, size_t size, struct dns_query *ret_query);

/* An answer to query of at most max bytes, in buffer; returns its size. addrs of the wrong family
 * are left out. What does not fit is left out with the truncation bit set. */
size_t dns_answer_addrs(const struct dns_query *query, const struct addr *addrs, size_t count,
                        uint32_t ttl, uint8_t *buffer, size_t max);
/* name in presentation form without escapes; a bad one gives SERVFAIL. */
size_t dns_answer_ptr(const struct dns_query *query, const char *name, uint32_t ttl,
                      uint8_t *buffer, size_t max);
size_t dns_answer_empty(const struct dns_query *query, enum dns_rcode rcode, uint8_t *buffer,
                        size_t max);

/* true when reply answers the query that was sent as (query bytes, id): same id, a response, same
 * question. */
bool dns_reply_matches(const struct dns_query *query, uint16_t id, const void *reply, size_t size);

/* "4.3.2.1.in-addr.arpa" and nibbles under ip6.arpa. */
bool dns_reverse_parse(const char *name, struct addr *ret_addr);
