/* SPDX-License-Identifier: Apache-2.0 */
/* rtnl_dump.c - listing links, addresses and routes. A dump that the kernel marks as interrupted
 * (something changed meanwhile) is good enough here: callers compare and repair, and do so again
 * later. */
#include "netd/rtnl.h"

#include <errno.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "netd/rtnl_internal.h"

typedef void message_fn(const struct nlmsghdr *header, void *arg);

static int dump(struct rtnl *rtnl, int type, size_t header_size, message_fn *fn, void *arg,
                struct err *err)
{
    struct {
        struct nlmsghdr header;
        char body[32];
    } request = {.header = {.nlmsg_len = (uint32_t)NLMSG_LENGTH(header_size),
                            .nlmsg_type = (uint16_t)type,
                            .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
                            .nlmsg_seq = ++rtnl->seq}};
    if (send(rtnl->fd, &request, request.header.nlmsg_len, 0) < 0)
        return err_sys(err, "send to netlink");
    for (;;) {
        static char buffer[65536] __attribute__((aligned(NLMSG_ALIGNTO)));
        ssize_t size = recv(rtnl->fd, buffer, sizeof(buffer), 0);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0)
            return err_sys(err, "read from netlink");
        int left = (int)size;
        for (struct nlmsghdr *header = (struct nlmsghdr *)buffer; nlmsg_ok(header, left);
             header = nlmsg_next(header, &left)) {
            if (header->nlmsg_seq != rtnl->seq)
                continue;
            if (header->nlmsg_type == NLMSG_DONE)
                return 0;
            if (header->nlmsg_type == NLMSG_ERROR) {
                const struct nlmsgerr *failure = NLMSG_DATA(header);
                return err_sysno(err, -failure->error, "netlink dump");
            }
            fn(header, arg);
        }
    }
}

struct link_walk {
    rtnl_link_fn *fn;
    void *arg;
};

static void link_message(const struct nlmsghdr *header, void *arg)
{
    const struct link_walk *walk = arg;
    const struct ifinfomsg *info = NLMSG_DATA(header);
    struct rtnl_link link = {.index = (unsigned)info->ifi_index, .up = info->ifi_flags & IFF_UP};
    const struct nlattr *attr;
    int left;

    if (header->nlmsg_type != RTM_NEWLINK)
        return;
    left = (int)(header->nlmsg_len - NLMSG_LENGTH(sizeof(*info)));
    for (attr = (const struct nlattr *)((const char *)info + NLMSG_ALIGN(sizeof(*info)));
         nla_ok(attr, left); attr = nla_next(attr, &left)) {
        switch (nla_type(attr)) {
        case IFLA_IFNAME:
            snprintf(link.name, sizeof(link.name), "%s", (const char *)nla_data(attr));
            break;
        case IFLA_MASTER:
            link.master = nla_get_u32(attr);
            break;
        case IFLA_GROUP:
            link.group = nla_get_u32(attr);
            break;
        case IFLA_LINKINFO: {
            const struct nlattr *kind = nla_find(nla_data(attr), nla_len(attr), IFLA_INFO_KIND);
            if (kind)
                snprintf(link.kind, sizeof(link.kind), "%s", (const char *)nla_data(kind));
            break;
        }
        default:
            break;
        }
    }
    walk->fn(&link, walk->arg);
}

int rtnl_each_link(struct rtnl *rtnl, rtnl_link_fn *fn, void *arg, struct err *err)
{
    struct link_walk walk = {fn, arg};
    return dump(rtnl, RTM_GETLINK, sizeof(struct ifinfomsg), link_message, &walk, err);
}

struct cidr_walk {
    rtnl_cidr_fn *fn;
    void *arg;
};

static bool read_addr(const struct nlattr *attr, int family, struct addr *ret_addr)
{
    size_t size = family == AF_INET ? 4 : 16;
    if ((family != AF_INET && family != AF_INET6) || (size_t)nla_len(attr) != size)
        return false;
    *ret_addr = (struct addr){.family = family == AF_INET ? 4 : 6};
    memcpy(ret_addr->bytes, nla_data(attr), size);
    return true;
}

static void addr_message(const struct nlmsghdr *header, void *arg)
{
    const struct cidr_walk *walk = arg;
    const struct ifaddrmsg *info = NLMSG_DATA(header);
    struct cidr cidr = {.prefix = info->ifa_prefixlen};
    int left = (int)(header->nlmsg_len - NLMSG_LENGTH(sizeof(*info)));
    bool found = false;

    if (header->nlmsg_type != RTM_NEWADDR)
        return;
    for (const struct nlattr *attr =
             (const struct nlattr *)((const char *)info + NLMSG_ALIGN(sizeof(*info)));
         nla_ok(attr, left); attr = nla_next(attr, &left))
        if (nla_type(attr) == IFA_LOCAL || (nla_type(attr) == IFA_ADDRESS && !found))
            found = read_addr(attr, info->ifa_family, &cidr.addr);
    if (found)
        walk->fn(&cidr, info->ifa_index, walk->arg);
}

int rtnl_each_addr(struct rtnl *rtnl, rtnl_cidr_fn *fn, void *arg, struct err *err)
{
    struct cidr_walk walk = {fn, arg};
    return dump(rtnl, RTM_GETADDR, sizeof(struct ifaddrmsg), addr_message, &walk, err);
}

static void route_message(const struct nlmsghdr *header, void *arg)
{
    const struct cidr_walk *walk = arg;
    const struct rtmsg *info = NLMSG_DATA(header);
    struct cidr cidr = {.prefix = info->rtm_dst_len};
    int left = (int)(header->nlmsg_len - NLMSG_LENGTH(sizeof(*info)));
    unsigned ifindex = 0;
    bool found = false;

    if (header->nlmsg_type != RTM_NEWROUTE || info->rtm_dst_len == 0 ||
        info->rtm_table == RT_TABLE_LOCAL || info->rtm_type != RTN_UNICAST)
        return;
    for (const struct nlattr *attr =
             (const struct nlattr *)((const char *)info + NLMSG_ALIGN(sizeof(*info)));
         nla_ok(attr, left); attr = nla_next(attr, &left)) {
        if (nla_type(attr) == RTA_DST)
            found = read_addr(attr, info->rtm_family, &cidr.addr);
        else if (nla_type(attr) == RTA_OIF)
            ifindex = nla_get_u32(attr);
    }
    if (found)
        walk->fn(&cidr, ifindex, walk->arg);
}

int rtnl_each_route(struct rtnl *rtnl, rtnl_cidr_fn *fn, void *arg, struct err *err)
{
    struct cidr_walk walk = {fn, arg};
    return dump(rtnl, RTM_GETROUTE, sizeof(struct rtmsg), route_message, &walk, err);
}
