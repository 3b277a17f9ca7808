/* SPDX-License-Identifier: Apache-2.0 */
/* nft_watch.c - listens to the kernel's notices about nft objects. Our own changes are in the
 * socket before the call that made them returns, so they are told apart by reading the socket empty
 * after each. */
#include "netd/nft_watch.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"

#define SETTLE_US (100 * 1000) /* a reload of a firewall is a burst */

struct nft_watch {
    int fd;
    struct loop_source *source, *timer;
    char *table;
    void (*changed)(void *arg);
    void *arg;
};

/* In every kind of nft message the first attribute type is the name of the table. */
static bool takes_from(const struct nlmsghdr *header, const char *table)
{
    int type = header->nlmsg_type & 0xff;
    if (header->nlmsg_type >> 8 != NFNL_SUBSYS_NFTABLES ||
        (type != NFT_MSG_DELTABLE && type != NFT_MSG_DELCHAIN && type != NFT_MSG_DELRULE &&
         type != NFT_MSG_DELSET && type != NFT_MSG_DELSETELEM))
        return false;
    const struct nlattr *name = nlmsg_find_attr((struct nlmsghdr *)(uintptr_t)header,
                                                sizeof(struct nfgenmsg), NFTA_TABLE_NAME);
    return name && nla_strcmp(name, table) == 0;
}

/* Reads the socket empty; true when something was taken from our table, or when notices were lost.
 */
static bool read_notices(const struct nft_watch *watch)
{
    static char buffer[65536] __attribute__((aligned(NLMSG_ALIGNTO)));
    bool found = false;

    for (;;) {
        ssize_t size = recv(watch->fd, buffer, sizeof(buffer), MSG_DONTWAIT);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0 && errno == ENOBUFS) {
            found = true;
            continue;
        }
        if (size <= 0)
            return found;
        int left = (int)size;
        for (struct nlmsghdr *header = (struct nlmsghdr *)buffer; nlmsg_ok(header, left);
             header = nlmsg_next(header, &left))
            found |= takes_from(header, watch->table);
    }
}

static void on_notice(int fd, unsigned events, void *arg)
{
    struct nft_watch *watch = arg;
    (void)fd;
    (void)events;
    if (read_notices(watch))
        loop_timer_arm(watch->timer, SETTLE_US);
}

static void on_settled(void *arg)
{
    const struct nft_watch *watch = arg;
    watch->changed(watch->arg);
}

struct nft_watch *nft_watch_new(struct loop *loop, const char *table, void (*changed)(void *arg),
                                void *arg)
{
    int group = NFNLGRP_NFTABLES;
    struct sockaddr_nl address = {.nl_family = AF_NETLINK};
    _cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);

    if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
        setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0) {
        log_warning("rules are not watched: %s", strerror(errno));
        return NULL;
    }
    struct nft_watch *watch = xcalloc(1, sizeof(*watch));
    watch->fd = take_fd(&fd);
    watch->table = xstrdup(table);
    watch->changed = changed;
    watch->arg = arg;
    watch->source = loop_fd(loop, watch->fd, LOOP_READ, on_notice, watch);
    watch->timer = loop_timer(loop, 0, on_settled, watch);
    loop_timer_disarm(watch->timer);
    return watch;
}

void nft_watch_free(struct nft_watch *watch)
{
    if (!watch)
        return;
    loop_source_free(watch->source);
    loop_source_free(watch->timer);
    close_fdp(&watch->fd);
    free(watch->table);
    free(watch);
}

void nft_watch_forget(struct nft_watch *watch)
{
    if (watch)
        (void)read_notices(watch);
}
