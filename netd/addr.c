/* SPDX-License-Identifier: Apache-2.0 */
/* addr.c - arithmetic on IP addresses and subnets. Every address keeps its unused bytes zero,
 * therefore two addresses are equal exactly when their bytes are. */
#include "netd/addr.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/str.h"

bool addr_parse(const char *text, struct addr *ret_addr)
{
    struct addr addr = {0};
    if (!text)
        return false;
    if (inet_pton(AF_INET, text, addr.bytes) == 1)
        addr.family = 4;
    else if (inet_pton(AF_INET6, text, addr.bytes) == 1)
        addr.family = 6;
    else
        return false;
    *ret_addr = addr;
    return true;
}

const char *addr_format(const struct addr *addr, char buffer[ADDR_TEXT_SIZE])
{
    buffer[0] = '\0';
    if (addr->family)
        inet_ntop(addr->family == 4 ? AF_INET : AF_INET6, addr->bytes, buffer, ADDR_TEXT_SIZE);
    return buffer;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
    return memcmp(a, b, sizeof(*a)) == 0;
}

bool addr_is_set(const struct addr *addr)
{
    return addr->family != 0;
}

bool addr_is_loopback(const struct addr *addr)
{
    static const uint8_t loopback6[16] = {[15] = 1};

    if (addr->family == 4)
        return addr->bytes[0] == 127;
    return addr->family == 6 && memcmp(addr->bytes, loopback6, 16) == 0;
}

size_t addr_size(const struct addr *addr)
{
    return addr->family == 4 ? 4 : 16;
}

struct addr addr_add(struct addr addr, uint64_t offset)
{
    for (size_t i = addr_size(&addr); i > 0 && offset; i--) {
        uint64_t sum = addr.bytes[i - 1] + (offset & 0xff);
        addr.bytes[i - 1] = (uint8_t)sum;
        offset = (offset >> 8) + (sum >> 8);
    }
    return addr;
}

int addr_compare(const struct addr *a, const struct addr *b)
{
    int order = memcmp(a->bytes, b->bytes, sizeof(a->bytes));
    return order < 0 ? -1 : order > 0;
}

bool cidr_parse(const char *text, struct cidr *ret_cidr)
{
    char copy[CIDR_TEXT_SIZE];
    struct cidr cidr;
    long long prefix;

    if (!text || strlen(text) >= sizeof(copy))
        return false;
    memcpy(copy, text, strlen(text) + 1);
    char *slash = strchr(copy, '/');
    if (!slash)
        return false;
    *slash = '\0';
    if (!addr_parse(copy, &cidr.addr))
        return false;
    if (!parse_i64(slash + 1, 0, cidr.addr.family == 4 ? 32 : 128, &prefix))
        return false;
    cidr.prefix = (uint8_t)prefix;
    *ret_cidr = cidr;
    return true;
}

const char *cidr_format(const struct cidr *cidr, char buffer[CIDR_TEXT_SIZE])
{
    char text[ADDR_TEXT_SIZE];
    snprintf(buffer, CIDR_TEXT_SIZE, "%s/%u", addr_format(&cidr->addr, text), cidr->prefix);
    return buffer;
}

/* Sets or clears the bits behind the prefix. */
static struct addr with_host_bits(const struct cidr *cidr, bool set)
{
    struct addr addr = cidr->addr;
    for (unsigned bit = cidr->prefix; bit < addr_size(&addr) * 8; bit++) {
        uint8_t mask = (uint8_t)(0x80 >> (bit % 8));
        addr.bytes[bit / 8] =
            (uint8_t)(set ? addr.bytes[bit / 8] | mask : addr.bytes[bit / 8] & ~mask);
    }
    return addr;
}

struct cidr cidr_network(struct cidr cidr)
{
    cidr.addr = with_host_bits(&cidr, false);
    return cidr;
}

bool cidr_contains(const struct cidr *cidr, const struct addr *addr)
{
    if (cidr->addr.family != addr->family)
        return false;
    struct cidr other = {*addr, cidr->prefix};
    struct addr a = with_host_bits(cidr, false), b = with_host_bits(&other, false);
    return addr_equal(&a, &b);
}

bool cidr_overlaps(const struct cidr *a, const struct cidr *b)
{
    return a->prefix <= b->prefix ? cidr_contains(a, &b->addr) : cidr_contains(b, &a->addr);
}

struct addr cidr_first(const struct cidr *cidr)
{
    return with_host_bits(cidr, false);
}

struct addr cidr_last(const struct cidr *cidr)
{
    return with_host_bits(cidr, true);
}
