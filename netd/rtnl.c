/* SPDX-License-Identifier: Apache-2.0 */
/* rtnl.c - the socket and its batches: messages are built by libnl one after another into one
 * buffer, sent as one datagram, and every message is acknowledged. The kernel goes on after a
 * message that fails. */
#include "netd/rtnl.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
#include <string.h>
#include <sys/socket.h>

#include "base/str.h"
#include "base/vec.h"
#include "netd/rtnl_internal.h"

struct pending {
    uint32_t seq;
    int allow_errno;
    const char *what; /* static */
};

struct rtnl_batch {
    struct str bytes;
    VEC(struct pending) pending;
};

int rtnl_open(struct rtnl **ret_rtnl, struct err *err)
{
    struct rtnl *rtnl = xcalloc(1, sizeof(*rtnl));
    rtnl->batch = xcalloc(1, sizeof(*rtnl->batch));
    rtnl->sock = nl_socket_alloc();
    if (!rtnl->sock)
        abort(); /* out of memory */
    int status = nl_connect(rtnl->sock, NETLINK_ROUTE);
    if (status < 0) {
        rtnl_close(rtnl);
        return err_set(err, ERR_SYSTEM, "open a route socket: %s", nl_geterror(status));
    }
    rtnl->fd = nl_socket_get_fd(rtnl->sock);
    int on = 1;
    /* only texts in failures depend on these */
    (void)setsockopt(rtnl->fd, SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof(on));
    (void)setsockopt(rtnl->fd, SOL_NETLINK, NETLINK_CAP_ACK, &on, sizeof(on));
    (void)nl_socket_set_buffer_size(rtnl->sock, 1 << 20, 1 << 20);
    *ret_rtnl = rtnl;
    return 0;
}

void rtnl_close(struct rtnl *rtnl)
{
    if (!rtnl)
        return;
    if (rtnl->sock)
        nl_socket_free(rtnl->sock);
    str_done(&rtnl->batch->bytes);
    VEC_DONE(&rtnl->batch->pending);
    free(rtnl->batch);
    free(rtnl);
}

/* Ends a message: gives it a number, an acknowledgement, and copies it into the batch. */
static void batch_add(struct rtnl *rtnl, struct nl_msg *msg, int allow_errno, const char *what)
{
    struct nlmsghdr *header = nlmsg_hdr(msg);
    header->nlmsg_seq = ++rtnl->seq;
    header->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
    header->nlmsg_pid = 0;
    VEC_ADD(&rtnl->batch->pending,
            (struct pending){.seq = rtnl->seq, .allow_errno = allow_errno, .what = what});
    str_add_bytes(&rtnl->batch->bytes, header, header->nlmsg_len);
    static const char zeros[NLMSG_ALIGNTO];
    str_add_bytes(&rtnl->batch->bytes, zeros, NLMSG_ALIGN(header->nlmsg_len) - header->nlmsg_len);
    nlmsg_free(msg);
}

static struct nl_msg *message(int type, int flags, const void *header, size_t size)
{
    struct nl_msg *msg = nlmsg_alloc_simple(type, flags);
    if (!msg || nlmsg_append(msg, (void *)(uintptr_t)header, size, NLMSG_ALIGNTO) < 0)
        abort(); /* out of memory: messages are far below the page that libnl allocates */
    return msg;
}

static struct nl_msg *link_message(int type, int flags, struct ifinfomsg info)
{
    return message(type, flags, &info, sizeof(info));
}

void rtnl_add_bridge(struct rtnl *rtnl, const char *name, const uint8_t mac[6], unsigned mtu,
                     uint32_t group)
{
    struct nl_msg *msg =
        link_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
                     (struct ifinfomsg){.ifi_flags = IFF_UP, .ifi_change = IFF_UP});
    nla_put_string(msg, IFLA_IFNAME, name);
    nla_put(msg, IFLA_ADDRESS, 6, mac); /* fixed, else it follows the smallest port and changes */
    nla_put_u32(msg, IFLA_GROUP, group);
    if (mtu)
        nla_put_u32(msg, IFLA_MTU, mtu);
    struct nlattr *info = nla_nest_start(msg, IFLA_LINKINFO);
    nla_put_string(msg, IFLA_INFO_KIND, "bridge");
    nla_nest_end(msg, info);
    batch_add(rtnl, msg, 0, "create bridge");
}

void rtnl_add_veth(struct rtnl *rtnl, const struct rtnl_veth *veth)
{
    struct nl_msg *msg =
        link_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL,
                     (struct ifinfomsg){.ifi_flags = IFF_UP, .ifi_change = IFF_UP});
    nla_put_string(msg, IFLA_IFNAME, veth->name);
    nla_put_u32(msg, IFLA_MASTER, veth->master);
    nla_put_u32(msg, IFLA_GROUP, veth->group);
    if (veth->mtu)
        nla_put_u32(msg, IFLA_MTU, veth->mtu);
    struct nlattr *info = nla_nest_start(msg, IFLA_LINKINFO);
    nla_put_string(msg, IFLA_INFO_KIND, "veth");
    struct nlattr *data = nla_nest_start(msg, IFLA_INFO_DATA);
    struct nlattr *peer = nla_nest_start(msg, VETH_INFO_PEER);
    struct ifinfomsg peer_info = {0};
    nlmsg_append(msg, &peer_info, sizeof(peer_info), NLMSG_ALIGNTO);
    nla_put_string(msg, IFLA_IFNAME, veth->peer_name);
    nla_put(msg, IFLA_ADDRESS, 6, veth->peer_mac);
    nla_put_u32(msg, IFLA_GROUP, veth->group);
    nla_put_u32(msg, IFLA_NET_NS_FD, (uint32_t)veth->peer_netns_fd);
    if (veth->mtu)
        nla_put_u32(msg, IFLA_MTU, veth->mtu);
    nla_nest_end(msg, peer);
    nla_nest_end(msg, data);
    nla_nest_end(msg, info);
    batch_add(rtnl, msg, 0, "create veth");
}

void rtnl_add_up(struct rtnl *rtnl, unsigned ifindex)
{
    struct ifinfomsg info = {.ifi_index = (int)ifindex, .ifi_flags = IFF_UP, .ifi_change = IFF_UP};
    batch_add(rtnl, link_message(RTM_NEWLINK, 0, info), 0, "set link up");
}

void rtnl_add_master(struct rtnl *rtnl, unsigned ifindex, unsigned master)
{
    struct nl_msg *msg =
        link_message(RTM_NEWLINK, 0, (struct ifinfomsg){.ifi_index = (int)ifindex});
    nla_put_u32(msg, IFLA_MASTER, master);
    batch_add(rtnl, msg, 0, "attach to bridge");
}

void rtnl_add_bridge_port(struct rtnl *rtnl, unsigned ifindex, bool hairpin, bool isolated)
{
    struct nl_msg *msg = link_message(
        RTM_SETLINK, 0, (struct ifinfomsg){.ifi_family = AF_BRIDGE, .ifi_index = (int)ifindex});
    struct nlattr *port = nla_nest_start(msg, IFLA_PROTINFO | NLA_F_NESTED);
    nla_put_u8(msg, IFLA_BRPORT_MODE, hairpin);
    nla_put_u8(msg, IFLA_BRPORT_ISOLATED, isolated);
    nla_nest_end(msg, port);
    batch_add(rtnl, msg, 0, "set bridge port");
}

void rtnl_add_addr(struct rtnl *rtnl, unsigned ifindex, const struct cidr *cidr, int allow_errno)
{
    bool v4 = cidr->addr.family == 4;
    struct ifaddrmsg info = {.ifa_family = v4 ? AF_INET : AF_INET6,
                             .ifa_prefixlen = cidr->prefix,
                             .ifa_index = ifindex,
                             /* we know that the address is ours: do not wait for its detection */
                             .ifa_flags = v4 ? 0 : IFA_F_NODAD};
    struct nl_msg *msg = message(RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, &info, sizeof(info));
    nla_put(msg, IFA_LOCAL, (int)addr_size(&cidr->addr), cidr->addr.bytes);
    nla_put(msg, IFA_ADDRESS, (int)addr_size(&cidr->addr), cidr->addr.bytes);
    if (v4) {
        struct addr broadcast = cidr_last(cidr);
        nla_put(msg, IFA_BROADCAST, 4, broadcast.bytes);
    }
    batch_add(rtnl, msg, allow_errno, "add address");
}

void rtnl_add_default_route(struct rtnl *rtnl, unsigned ifindex, const struct addr *gateway)
{
    struct rtmsg info = {.rtm_family = gateway->family == 4 ? AF_INET : AF_INET6,
                         .rtm_table = RT_TABLE_MAIN,
                         .rtm_protocol = RTPROT_STATIC,
                         .rtm_scope = RT_SCOPE_UNIVERSE,
                         .rtm_type = RTN_UNICAST};
    struct nl_msg *msg = message(RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &info, sizeof(info));
    nla_put(msg, RTA_GATEWAY, (int)addr_size(gateway), gateway->bytes);
    nla_put_u32(msg, RTA_OIF, ifindex);
    batch_add(rtnl, msg, 0, "add default route");
}

void rtnl_add_delete(struct rtnl *rtnl, unsigned ifindex, int allow_errno)
{
    batch_add(rtnl, link_message(RTM_DELLINK, 0, (struct ifinfomsg){.ifi_index = (int)ifindex}),
              allow_errno, "delete link");
}

void rtnl_add_delete_group(struct rtnl *rtnl, uint32_t group, int allow_errno)
{
    struct nl_msg *msg = link_message(RTM_DELLINK, 0, (struct ifinfomsg){0});
    nla_put_u32(msg, IFLA_GROUP, group);
    batch_add(rtnl, msg, allow_errno, "delete links");
}

/* The kernel's own words for a failure (extended acknowledgement), or NULL. */
static const char *ack_text(const struct nlmsghdr *header, const struct nlmsgerr *ack)
{
    if (!(header->nlmsg_flags & NLM_F_ACK_TLVS))
        return NULL;
    size_t skip = sizeof(*ack);
    if (!(header->nlmsg_flags & NLM_F_CAPPED))
        skip += ack->msg.nlmsg_len - sizeof(ack->msg);
    const char *start = (const char *)ack + NLMSG_ALIGN(skip);
    const char *end = (const char *)header + header->nlmsg_len;
    if (start >= end)
        return NULL;
    const struct nlattr *attr =
        nla_find((const struct nlattr *)start, (int)(end - start), NLMSGERR_ATTR_MSG);
    if (!attr || nla_len(attr) < 1)
        return NULL;
    const char *text = nla_data(attr);
    return text[nla_len(attr) - 1] == '\0' ? text : NULL;
}

static int batch_ack(struct rtnl_batch *batch, const struct nlmsghdr *header, struct err *err)
{
    const struct nlmsgerr *ack = NLMSG_DATA(header);
    if (header->nlmsg_len < NLMSG_LENGTH(sizeof(*ack)) || ack->error == 0)
        return 0;
    for (size_t i = 0; i < batch->pending.count; i++) {
        const struct pending *pending = &batch->pending.items[i];
        if (pending->seq != header->nlmsg_seq)
            continue;
        if (-ack->error == pending->allow_errno)
            return 0;
        const char *text = ack_text(header, ack);
        if (text)
            return err_sysno(err, -ack->error, "%s (%s)", pending->what, text);
        return err_sysno(err, -ack->error, "%s", pending->what);
    }
    return err_sysno(err, -ack->error, "netlink");
}

int rtnl_run(struct rtnl *rtnl, struct err *err)
{
    struct rtnl_batch *batch = rtnl->batch;
    uint32_t last = batch->pending.count ? batch->pending.items[batch->pending.count - 1].seq : 0;
    size_t missing = batch->pending.count;
    int result = 0;
    struct err first = {0};

    if (missing && send(rtnl->fd, batch->bytes.data, batch->bytes.size, 0) < 0) {
        result = err_sys(err, "send to netlink");
        missing = 0;
    }
    while (missing > 0) {
        static char buffer[65536] __attribute__((aligned(NLMSG_ALIGNTO)));
        ssize_t size = recv(rtnl->fd, buffer, sizeof(buffer), 0);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0) {
            result = err_sys(err, "read from netlink");
            break;
        }
        int left = (int)size;
        for (struct nlmsghdr *header = (struct nlmsghdr *)buffer; nlmsg_ok(header, left);
             header = nlmsg_next(header, &left)) {
            if (header->nlmsg_type != NLMSG_ERROR || header->nlmsg_seq > last ||
                header->nlmsg_seq + batch->pending.count <= last)
                continue;
            missing--;
            if (batch_ack(batch, header, result ? NULL : &first) < 0 && !result) {
                result = -1;
                err_copy(err, &first);
            }
        }
    }
    str_clear(&batch->bytes);
    batch->pending.count = 0;
    return result;
}
