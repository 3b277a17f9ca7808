/* SPDX-License-Identifier: Apache-2.0 */
/* dns_wire.c - strict reading of queries, writing of answers. A query has exactly one question
 * whose name is uncompressed (nothing stands before it that it could point to); all counts must fit
 * the bytes. */
#include "netd/dns_wire.h"

#include <arpa/nameser.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define HEADER_SIZE  12
#define LABEL_MAX    63
#define WIRE_NAME    255
#define OUR_UDP_SIZE 1232
#define RECORDS_MAX  64 /* in a query; honest ones have one or two (OPT, TSIG) */

static uint16_t get16(const uint8_t *data)
{
    return (uint16_t)(data[0] << 8 | data[1]);
}

static void put16(uint8_t *data, unsigned value)
{
    data[0] = (uint8_t)(value >> 8);
    data[1] = (uint8_t)value;
}

static void put32(uint8_t *data, uint32_t value)
{
    put16(data, value >> 16);
    put16(data + 2, value & 0xffff);
}

/* Length of the uncompressed name at data including its end, or 0. */
static size_t plain_name_size(const uint8_t *data, size_t size)
{
    size_t at = 0;
    while (at < size && at < WIRE_NAME) {
        if (data[at] == 0)
            return at + 1;
        if (data[at] > LABEL_MAX) /* a pointer, or something newer */
            return 0;
        at += data[at] + 1u;
    }
    return 0;
}

static void lower(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

/* Records behind the question: only OPT is of interest. */
static bool read_extra(struct dns_query *query)
{
    ns_msg message;
    ns_rr record;

    if (ns_initparse(query->data, (int)query->size, &message) < 0)
        return false;
    unsigned count = ns_msg_count(message, ns_s_ar);
    if (ns_msg_count(message, ns_s_an) || ns_msg_count(message, ns_s_ns) || count > RECORDS_MAX)
        return false;
    for (unsigned i = 0; i < count; i++) {
        if (ns_parserr(&message, ns_s_ar, (int)i, &record) < 0)
            return false;
        if ((int)ns_rr_type(record) != DNS_OPT)
            continue;
        if (query->edns) /* at most one */
            return false;
        query->edns = true;
        unsigned size = ns_rr_class(record);
        query->udp_size = (uint16_t)(size < 512 ? 512 : size);
    }
    return true;
}

enum dns_verdict dns_query_parse(const void *data, size_t size, struct dns_query *ret_query)
{
    struct dns_query query = {.data = data, .size = size, .udp_size = 512};
    const uint8_t *bytes = data;

    if (size < HEADER_SIZE || size > DNS_MESSAGE_MAX || bytes[2] & 0x80)
        return DNS_IGNORE;
    query.id = get16(bytes);
    *ret_query = query;
    if (bytes[2] & 0x78) /* opcode */
        return DNS_UNSUPPORTED;
    size_t name_size = plain_name_size(bytes + HEADER_SIZE, size - HEADER_SIZE);
    if (get16(bytes + 4) != 1 || name_size == 0 || HEADER_SIZE + name_size + 4 > size)
        return DNS_BAD;
    if (ns_name_ntop(bytes + HEADER_SIZE, query.name, sizeof(query.name)) < 0)
        return DNS_BAD;
    if (strcmp(query.name, ".") == 0)
        query.name[0] = '\0';
    lower(query.name);
    query.type = get16(bytes + HEADER_SIZE + name_size);
    query.klass = get16(bytes + HEADER_SIZE + name_size + 2);
    query.question_end = HEADER_SIZE + name_size + 4;
    bool good = read_extra(&query);
    *ret_query = query;
    return good ? DNS_GOOD : DNS_BAD;
}

/* Header and question; returns the size so far. */
static size_t answer_begin(const struct dns_query *query, enum dns_rcode rcode, uint8_t *buffer)
{
    size_t size = query->question_end ? query->question_end : HEADER_SIZE;

    memset(buffer, 0, HEADER_SIZE);
    put16(buffer, query->id);
    buffer[2] = (uint8_t)(0x80 | (query->data[2] & 0x79)); /* response; opcode and RD as asked */
    buffer[3] = (uint8_t)(0x80 | rcode);                   /* recursion available */
    if (query->question_end) {
        put16(buffer + 4, 1);
        memcpy(buffer + HEADER_SIZE, query->data + HEADER_SIZE, query->question_end - HEADER_SIZE);
    }
    return size;
}

static size_t room_for_opt(const struct dns_query *query)
{
    return query->edns ? 11 : 0;
}

static size_t answer_end(const struct dns_query *query, uint8_t *buffer, size_t size, size_t max)
{
    if (!query->edns || size + 11 > max)
        return size;
    uint8_t *opt = buffer + size;
    memset(opt, 0, 11);
    put16(opt + 1, DNS_OPT);
    put16(opt + 3, OUR_UDP_SIZE);
    put16(buffer + 10, 1);
    return size + 11;
}

/* A record whose name is that of the question. */
static size_t put_record(uint8_t *at, unsigned type, uint32_t ttl, const void *data, size_t size)
{
    put16(at, 0xc000 | HEADER_SIZE);
    put16(at + 2, type);
    put16(at + 4, ns_c_in);
    put32(at + 6, ttl);
    put16(at + 10, (unsigned)size);
    memcpy(at + 12, data, size);
    return 12 + size;
}

size_t dns_answer_addrs(const struct dns_query *query, const struct addr *addrs, size_t count,
                        uint32_t ttl, uint8_t *buffer, size_t max)
{
    size_t size = answer_begin(query, DNS_NOERROR, buffer);
    unsigned answers = 0;

    for (size_t i = 0; i < count; i++) {
        unsigned type = addrs[i].family == 4 ? DNS_A : DNS_AAAA;
        if (query->type != type && query->type != DNS_ANY)
            continue;
        if (size + 12 + addr_size(&addrs[i]) + room_for_opt(query) > max || answers == UINT16_MAX) {
            buffer[2] |= 0x02; /* truncated */
            break;
        }
        size += put_record(buffer + size, type, ttl, addrs[i].bytes, addr_size(&addrs[i]));
        answers++;
    }
    put16(buffer + 6, answers);
    return answer_end(query, buffer, size, max);
}

size_t dns_answer_ptr(const struct dns_query *query, const char *name, uint32_t ttl,
                      uint8_t *buffer, size_t max)
{
    uint8_t wire[WIRE_NAME];
    size_t used = 0;

    while (*name) {
        size_t label = strcspn(name, ".");
        if (label == 0 || label > LABEL_MAX || used + label + 2 > sizeof(wire))
            return dns_answer_empty(query, DNS_SERVFAIL, buffer, max);
        wire[used++] = (uint8_t)label;
        memcpy(wire + used, name, label);
        used += label;
        name += label + (name[label] == '.');
    }
    wire[used++] = 0;
    size_t size = answer_begin(query, DNS_NOERROR, buffer);
    if (size + 12 + used + room_for_opt(query) > max) {
        buffer[2] |= 0x02;
    } else {
        size += put_record(buffer + size, DNS_PTR, ttl, wire, used);
        put16(buffer + 6, 1);
    }
    return answer_end(query, buffer, size, max);
}

size_t dns_answer_empty(const struct dns_query *query, enum dns_rcode rcode, uint8_t *buffer,
                        size_t max)
{
    return answer_end(query, buffer, answer_begin(query, rcode, buffer), max);
}

bool dns_reply_matches(const struct dns_query *query, uint16_t id, const void *reply, size_t size)
{
    const uint8_t *bytes = reply;

    if (size < HEADER_SIZE || size > DNS_MESSAGE_MAX || get16(bytes) != id || !(bytes[2] & 0x80))
        return false;
    if (get16(bytes + 4) == 0) /* some servers refuse without repeating the question */
        return (bytes[3] & 0x0f) != DNS_NOERROR;
    return get16(bytes + 4) == 1 && size >= query->question_end &&
           memcmp(bytes + HEADER_SIZE, query->data + HEADER_SIZE,
                  query->question_end - HEADER_SIZE) == 0;
}

static bool reverse4(const char *name, struct addr *addr)
{
    unsigned part[4];
    char rest[16];

    if (sscanf(name, "%3u.%3u.%3u.%3u.%15s", &part[3], &part[2], &part[1], &part[0], rest) != 5 ||
        strcmp(rest, "in-addr.arpa") != 0)
        return false;
    *addr = (struct addr){.family = 4};
    for (int i = 0; i < 4; i++) {
        if (part[i] > 255)
            return false;
        addr->bytes[i] = (uint8_t)part[i];
    }
    return true;
}

bool dns_reverse_parse(const char *name, struct addr *ret_addr)
{
    struct addr addr = {.family = 6};

    if (reverse4(name, ret_addr))
        return true;
    if (strlen(name) != 64 + 8 || strcmp(name + 64, "ip6.arpa") != 0)
        return false;
    for (int i = 0; i < 32; i++) {
        char c = name[i * 2];
        if (!isxdigit((unsigned char)c) || name[i * 2 + 1] != '.')
            return false;
        unsigned nibble = (unsigned)(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        addr.bytes[15 - i / 2] |= (uint8_t)(nibble << (i % 2 ? 4 : 0));
    }
    *ret_addr = addr;
    return true;
}
