/* SPDX-License-Identifier: Apache-2.0 */
/* addr.h - IP addresses and subnets as values. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* family 4 or 6; 0 means "none" (an all-zero struct). Unused bytes are zero, so values compare by
 * memcmp. */
struct addr {
    uint8_t family;
    uint8_t bytes[16]; /* network order */
};

struct cidr {
    struct addr addr; /* as written: host bits may be set until cidr_network */
    uint8_t prefix;
};

#define ADDR_TEXT_SIZE 46
#define CIDR_TEXT_SIZE 50

bool addr_parse(const char *text, struct addr *ret_addr);
/* "" for none. Returns buffer. */
const char *addr_format(const struct addr *addr, char buffer[ADDR_TEXT_SIZE]);
bool addr_equal(const struct addr *a, const struct addr *b);
bool addr_is_set(const struct addr *addr);
bool addr_is_loopback(const struct addr *addr);
size_t addr_size(const struct addr *addr); /* 4 or 16 */
/* addr + offset, wrapping within the family. */
struct addr addr_add(struct addr addr, uint64_t offset);
/* -1, 0, 1; of one family. */
int addr_compare(const struct addr *a, const struct addr *b);

/* "10.0.0.0/24"; a missing prefix is refused. */
bool cidr_parse(const char *text, struct cidr *ret_cidr);
const char *cidr_format(const struct cidr *cidr, char buffer[CIDR_TEXT_SIZE]);
struct cidr cidr_network(struct cidr cidr); /* host bits cleared */
bool cidr_contains(const struct cidr *cidr, const struct addr *addr);
bool cidr_overlaps(const struct cidr *a, const struct cidr *b);
struct addr cidr_first(const struct cidr *cidr); /* the network address itself */
struct addr cidr_last(const struct cidr *cidr);  /* broadcast address */
