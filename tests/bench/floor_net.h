/* SPDX-License-Identifier: Apache-2.0 */
/* floor_net.h - the rtnetlink part of floor.c: bridge, veth, address, route, one message each. */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define MUST(x)                                                                                     \
    do {                                                                                            \
        if ((x) < 0) {                                                                              \
            fprintf(stderr, "floor: line %d: %s: %s\n", __LINE__, #x, strerror(errno));             \
            _exit(1);                                                                               \
        }                                                                                           \
    } while (0)

struct netlink {
    int fd;
    unsigned seq;
    union {
        struct nlmsghdr head;
        char bytes[1024];
    } message;
};

static void *message_begin(struct netlink *nl, int type, int flags, size_t body)
{
    memset(&nl->message, 0, sizeof(nl->message));
    nl->message.head.nlmsg_len = (uint32_t)NLMSG_LENGTH(body);
    nl->message.head.nlmsg_type = (uint16_t)type;
    nl->message.head.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
    nl->message.head.nlmsg_seq = ++nl->seq;
    return NLMSG_DATA(&nl->message.head);
}

static struct rtattr *attribute(struct netlink *nl, int type, const void *data, size_t size)
{
    struct rtattr *a = (struct rtattr *)(nl->message.bytes + NLMSG_ALIGN(nl->message.head.nlmsg_len));
    a->rta_type = (unsigned short)type;
    a->rta_len = (unsigned short)RTA_LENGTH(size);
    if (size)
        memcpy(RTA_DATA(a), data, size);
    nl->message.head.nlmsg_len = (uint32_t)(NLMSG_ALIGN(nl->message.head.nlmsg_len) + RTA_ALIGN(a->rta_len));
    return a;
}

static void nest_end(struct netlink *nl, struct rtattr *a)
{
    a->rta_len = (unsigned short)(nl->message.bytes + nl->message.head.nlmsg_len - (char *)a);
}

static void message_send(struct netlink *nl)
{
    char answer[4096] __attribute__((aligned(8)));
    MUST(send(nl->fd, &nl->message, nl->message.head.nlmsg_len, 0));
    MUST(recv(nl->fd, answer, sizeof(answer), 0));
    struct nlmsghdr *head = (struct nlmsghdr *)answer;
    struct nlmsgerr *error = NLMSG_DATA(head);
    if (head->nlmsg_type == NLMSG_ERROR && error->error) {
        errno = -error->error;
        MUST(-1);
    }
}

static void link_up(struct netlink *nl, int index)
{
    struct ifinfomsg *link = message_begin(nl, RTM_NEWLINK, 0, sizeof(*link));
    link->ifi_index = index;
    link->ifi_flags = link->ifi_change = IFF_UP;
    message_send(nl);
}

static void address_add(struct netlink *nl, int index, uint32_t address)
{
    struct ifaddrmsg *body = message_begin(nl, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL, sizeof(*body));
    body->ifa_family = AF_INET;
    body->ifa_prefixlen = 16;
    body->ifa_index = (unsigned)index;
    attribute(nl, IFA_LOCAL, &address, sizeof(address));
    attribute(nl, IFA_ADDRESS, &address, sizeof(address));
    message_send(nl);
}

static void netlink_open(struct netlink *nl)
{
    nl->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    MUST(nl->fd);
    nl->seq = 0;
}

static int bridge_make(struct netlink *nl)
{
    struct ifinfomsg *link = message_begin(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(*link));
    link->ifi_flags = link->ifi_change = IFF_UP;
    attribute(nl, IFLA_IFNAME, "br0", 4);
    struct rtattr *info = attribute(nl, IFLA_LINKINFO, NULL, 0);
    attribute(nl, IFLA_INFO_KIND, "bridge", 6);
    nest_end(nl, info);
    message_send(nl);
    int index = (int)if_nametoindex("br0");
    address_add(nl, index, htonl(0x0A580001));
    return index;
}

/* One message: the pair, its peer "eth0" in the namespace, our end a port of the bridge, up. */
static void veth_make(struct netlink *nl, int number, int bridge, int netns)
{
    char name[16];
    snprintf(name, sizeof(name), "v%d", number);
    struct ifinfomsg *link = message_begin(nl, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof(*link)), peer_link = { 0 };
    link->ifi_flags = link->ifi_change = IFF_UP;
    attribute(nl, IFLA_IFNAME, name, strlen(name) + 1);
    attribute(nl, IFLA_MASTER, &bridge, sizeof(bridge));
    struct rtattr *info = attribute(nl, IFLA_LINKINFO, NULL, 0);
    attribute(nl, IFLA_INFO_KIND, "veth", 4);
    struct rtattr *data = attribute(nl, IFLA_INFO_DATA, NULL, 0), *peer = attribute(nl, VETH_INFO_PEER, NULL, 0);
    memcpy(nl->message.bytes + nl->message.head.nlmsg_len, &peer_link, sizeof(peer_link));
    nl->message.head.nlmsg_len += sizeof(peer_link);
    attribute(nl, IFLA_IFNAME, "eth0", 5);
    attribute(nl, IFLA_NET_NS_FD, &netns, sizeof(netns));
    nest_end(nl, peer);
    nest_end(nl, data);
    nest_end(nl, info);
    message_send(nl);
}

static void configure_inside(uint32_t address)
{
    struct netlink nl;
    netlink_open(&nl);
    link_up(&nl, 1);
    int index = (int)if_nametoindex("eth0");
    uint32_t gateway = htonl(0x0A580001);
    address_add(&nl, index, address);
    link_up(&nl, index);
    struct rtmsg *route = message_begin(&nl, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof(*route));
    *route = (struct rtmsg){ .rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN, .rtm_protocol = RTPROT_BOOT,
                             .rtm_scope = RT_SCOPE_UNIVERSE, .rtm_type = RTN_UNICAST };
    attribute(&nl, RTA_GATEWAY, &gateway, sizeof(gateway));
    message_send(&nl);
    close(nl.fd);
}
