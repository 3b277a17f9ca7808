/* SPDX-License-Identifier: Apache-2.0 */
/* rtnl_internal.h - what rtnl.c and rtnl_dump.c share. */
#pragma once

#include <stdint.h>

struct nl_sock;
struct rtnl_batch;

struct rtnl {
    struct nl_sock *sock;
    int fd; /* of sock */
    uint32_t seq;
    struct rtnl_batch *batch;
};
