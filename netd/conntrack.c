/* SPDX-License-Identifier: Apache-2.0 */
/* conntrack.c - one request deletes every flow that matches a filter (Linux 5.8). Messages are
 * small and fixed, so they are built here by hand. */
#include "netd/conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <netlink/attr.h>
#include <netlink/msg.h>
#include <string.h>
#include <sys/socket.h>

#include "base/fd.h"
#include "base/log.h"

/* which parts of a tuple count; not in the exported headers of the kernel */
enum {
    FILTER_IP_SRC = 1u << 0,
    FILTER_IP_DST = 1u << 1,
    FILTER_PROTO_NUM = 1u << 3,
    FILTER_PROTO_SRC_PORT = 1u << 4,
    FILTER_PROTO_DST_PORT = 1u << 5,
};

struct conntrack {
    int fd;
};

struct conntrack *conntrack_open(void)
{
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
    if (fd < 0) {
        log_debug("conntrack: %s", strerror(errno));
        return NULL;
    }
    struct conntrack *conntrack = xcalloc(1, sizeof(*conntrack));
    conntrack->fd = fd;
    return conntrack;
}

void conntrack_close(struct conntrack *conntrack)
{
    if (!conntrack)
        return;
    close_fdp(&conntrack->fd);
    free(conntrack);
}

/* reply: match the source of the answers, that is, whom the flow was translated to; else the
 * destination of the first packet. */
static struct nl_msg *delete_message(bool reply, enum port_proto proto, const struct addr *addr,
                                     uint16_t port)
{
    bool v4 = addr->family == 4;
    struct nfgenmsg header = {.nfgen_family = v4 ? AF_INET : AF_INET6, .version = NFNETLINK_V0};
    struct nl_msg *msg = nlmsg_alloc_simple(NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE,
                                            NLM_F_REQUEST | NLM_F_ACK);
    if (!msg || nlmsg_append(msg, &header, sizeof(header), NLMSG_ALIGNTO) < 0)
        abort(); /* out of memory */
    struct nlattr *tuple =
        nla_nest_start(msg, (reply ? CTA_TUPLE_REPLY : CTA_TUPLE_ORIG) | NLA_F_NESTED);
    struct nlattr *ip = nla_nest_start(msg, CTA_TUPLE_IP | NLA_F_NESTED);
    int source = v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC,
        destination = v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST;
    nla_put(msg, reply ? source : destination, (int)addr_size(addr), addr->bytes);
    nla_nest_end(msg, ip);
    struct nlattr *nest = nla_nest_start(msg, CTA_TUPLE_PROTO | NLA_F_NESTED);
    nla_put_u8(msg, CTA_PROTO_NUM, proto == PORT_TCP ? IPPROTO_TCP : IPPROTO_UDP);
    nla_put_u16(msg, reply ? CTA_PROTO_SRC_PORT : CTA_PROTO_DST_PORT, htons(port));
    nla_nest_end(msg, nest);
    nla_nest_end(msg, tuple);
    nest = nla_nest_start(msg, CTA_FILTER | NLA_F_NESTED);
    nla_put_u32(msg, CTA_FILTER_ORIG_FLAGS,
                reply ? 0 : FILTER_IP_DST | FILTER_PROTO_NUM | FILTER_PROTO_DST_PORT);
    nla_put_u32(msg, CTA_FILTER_REPLY_FLAGS,
                reply ? FILTER_IP_SRC | FILTER_PROTO_NUM | FILTER_PROTO_SRC_PORT : 0);
    nla_nest_end(msg, nest);
    nlmsg_hdr(msg)->nlmsg_pid = 0;
    return msg;
}

static void forget(struct conntrack *conntrack, struct nl_msg *msg, uint16_t port)
{
    char answer[1024] __attribute__((aligned(NLMSG_ALIGNTO)));
    ssize_t size = send(conntrack->fd, nlmsg_hdr(msg), nlmsg_hdr(msg)->nlmsg_len, 0);

    nlmsg_free(msg);
    if (size >= 0)
        size = recv(conntrack->fd, answer, sizeof(answer), 0);
    const struct nlmsghdr *header = (const struct nlmsghdr *)answer;
    if (size < (ssize_t)NLMSG_LENGTH(sizeof(struct nlmsgerr)) || header->nlmsg_type != NLMSG_ERROR)
        return;
    int failure = -((const struct nlmsgerr *)NLMSG_DATA(header))->error;
    if (failure && failure != ENOENT)
        log_warning("conntrack port=%u: %s", port, strerror(failure));
}

void conntrack_forget_target(struct conntrack *conntrack, enum port_proto proto,
                             const struct addr *target, uint16_t port)
{
    forget(conntrack, delete_message(true, proto, target, port), port);
}

void conntrack_forget_host(struct conntrack *conntrack, enum port_proto proto,
                           const struct addr *host, uint16_t port)
{
    forget(conntrack, delete_message(false, proto, host, port), port);
}
