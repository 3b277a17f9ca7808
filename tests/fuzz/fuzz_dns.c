/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_dns.c - any bytes as a query, answered in every way, and as a reply to a fixed one. */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "netd/dns_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t asked[] = "\x12\x34\x01\0\0\1\0\0\0\0\0\0\3web\0\0\1\0\1";
    static const struct addr addrs[] = {{4, {10, 0, 0, 1}}, {6, {0xfd, [15] = 1}}};
    static uint8_t answer[DNS_MESSAGE_MAX];
    struct dns_query query, mine;
    struct addr addr;

    assert(dns_query_parse(asked, sizeof(asked) - 1, &mine) == DNS_GOOD);
    (void)dns_reply_matches(&mine, 0x1234, data, size);
    enum dns_verdict verdict = dns_query_parse(data, size, &query);
    if (verdict == DNS_IGNORE)
        return 0;
    size_t max = query.udp_size;
    assert(max >= 512 && query.question_end <= size);
    assert(dns_answer_empty(&query, DNS_REFUSED, answer, max) <= max);
    if (verdict != DNS_GOOD)
        return 0;
    assert(query.question_end >= 17 && strlen(query.name) < sizeof(query.name));
    assert(dns_answer_addrs(&query, addrs, 2, 5, answer, max) <= max);
    size_t answer_size = dns_answer_ptr(&query, "p-web-1.p_default", 5, answer, max);
    assert(answer_size <= max && dns_reply_matches(&query, query.id, answer, answer_size));
    (void)dns_reverse_parse(query.name, &addr);
    return 0;
}
