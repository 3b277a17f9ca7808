/* SPDX-License-Identifier: Apache-2.0 */
/* resolv.c - /etc/hosts, /etc/resolv.conf and /etc/hostname of a container. */
#include "netd/resolv.h"

#include <ctype.h>
#include <string.h>

#include "base/str.h"

#define LINES_MAX 64 /* words of one kind that are believed */

void resolv_conf_done(struct resolv_conf *conf)
{
    strv_free(conf->servers);
    strv_free(conf->search);
    strv_free(conf->options);
    *conf = (struct resolv_conf){0};
}

static bool is_server(const char *text)
{
    char plain[ADDR_TEXT_SIZE];
    struct addr addr;
    size_t size = strcspn(text, "%");
    if (size >= sizeof(plain))
        return false;
    memcpy(plain, text, size);
    plain[size] = '\0';
    return addr_parse(plain, &addr);
}

static bool is_domain(const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || size > 253)
        return false;
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("-_.", text[i]))
            return false;
    return true;
}

static bool is_option(const char *text)
{
    size_t size = strlen(text);
    if (size == 0 || size > 64)
        return false;
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)text[i]) && !strchr("-_:.", text[i]))
            return false;
    return true;
}

/* Adds the words that pass the check. */
static void take_words(char ***list, char *const *words, bool (*check)(const char *))
{
    for (size_t i = 0; words[i]; i++)
        if (words[i][0] && check(words[i]) && strv_len(*list) < LINES_MAX)
            *list = strv_add(*list, words[i]);
}

void resolv_conf_parse(const char *text, struct resolv_conf *ret_conf)
{
    struct resolv_conf conf = {0};
    char **lines = strv_split(text, "\n");

    for (size_t i = 0; lines[i]; i++) {
        char *line = lines[i];
        line[strcspn(line, "#;\r")] = '\0';
        char **words = strv_split(line, " \t");
        size_t first = 0;
        while (words[first] && !words[first][0])
            first++;
        if (str_eq(words[first], "nameserver")) {
            take_words(&conf.servers, words + first + 1, is_server);
        } else if (str_eq(words[first], "search") || str_eq(words[first], "domain")) {
            strv_free(conf.search); /* the last line wins */
            conf.search = NULL;
            take_words(&conf.search, words + first + 1, is_domain);
        } else if (str_eq(words[first], "options")) {
            take_words(&conf.options, words + first + 1, is_option);
        }
        strv_free(words);
    }
    strv_free(lines);
    *ret_conf = conf;
}

static int check_list(const char *const *list, bool (*check)(const char *), const char *what,
                      struct err *err)
{
    for (size_t i = 0; list && list[i]; i++)
        if (!check(list[i])) {
            _cleanup_free_ char *printable = str_printable(list[i]);
            return err_set(err, ERR_CONFIG, "%s: '%s' is not valid", what, printable);
        }
    return 0;
}

static bool is_search(const char *text)
{
    return str_eq(text, ".") || is_domain(text);
}

int resolv_check_request(const struct sandbox_request *request, struct err *err)
{
    const char *names[] = {request->hostname, NULL}, *domains[] = {request->domainname, NULL};

    if ((request->hostname && request->hostname[0] &&
         check_list(names, is_domain, "hostname", err) < 0) ||
        (request->domainname && request->domainname[0] &&
         check_list(domains, is_domain, "domainname", err) < 0) ||
        check_list(request->dns, is_server, "dns", err) < 0 ||
        check_list(request->dns_search, is_search, "dns_search", err) < 0 ||
        check_list(request->dns_opt, is_option, "dns_opt", err) < 0)
        return -1;
    for (size_t i = 0; i < request->extra_host_count; i++) {
        const struct label *host = &request->extra_hosts[i];
        struct addr addr;
        if (is_domain(host->key) &&
            (str_eq(host->value, "host-gateway") || addr_parse(host->value, &addr)))
            continue;
        _cleanup_free_ char *name = str_printable(host->key), *value = str_printable(host->value);
        return err_set(err, ERR_CONFIG, "extra_hosts: '%s=%s' is not a name and an address", name,
                       value);
    }
    return 0;
}

static void add_list(struct str *out, const char *word, char *const *list)
{
    if (!list || !list[0])
        return;
    str_add(out, word);
    for (size_t i = 0; list[i]; i++)
        str_addf(out, " %s", list[i]);
    str_add_char(out, '\n');
}

char *resolv_render(const struct sandbox_request *request, const struct resolv_conf *host)
{
    struct str out = {0};

    if (request->endpoint_count == 0)
        return xstrdup("# no network\n");
    str_add(&out, "nameserver 127.0.0.11\n");
    if (!request->dns_search)
        add_list(&out, "search", host->search);
    else if (!str_eq(request->dns_search[0], ".")) /* "." means none */
        add_list(&out, "search", (char *const *)(uintptr_t)request->dns_search);
    str_add(&out, "options");
    bool has_ndots = false;
    char *const *options =
        request->dns_opt ? (char *const *)(uintptr_t)request->dns_opt : host->options;
    for (size_t i = 0; options && options[i]; i++) {
        bool ndots = str_has_prefix(options[i], "ndots:");
        if (ndots && !request->dns_opt)
            continue; /* the host's is made for the host's names */
        has_ndots |= ndots;
        str_addf(&out, " %s", options[i]);
    }
    str_add(&out, has_ndots ? "\n" : " ndots:0\n");
    return str_take(&out);
}

char *hostname_render(const struct sandbox_request *request)
{
    return xasprintf("%s\n", request->hostname ? request->hostname : "");
}

char *hosts_render(const struct sandbox_request *request, const struct sandbox *sandbox,
                   const struct addr *host_gateway)
{
    struct str out = {0};
    char text[ADDR_TEXT_SIZE];
    bool has_name = request->hostname && request->hostname[0];
    bool has_domain = has_name && request->domainname && request->domainname[0];

    str_add(&out, "127.0.0.1\tlocalhost\n"
                  "::1\tlocalhost ip6-localhost ip6-loopback\n"
                  "fe00::\tip6-localnet\n"
                  "ff00::\tip6-mcastprefix\n"
                  "ff02::1\tip6-allnodes\n"
                  "ff02::2\tip6-allrouters\n");
    for (size_t i = 0; i < request->extra_host_count; i++) {
        const struct label *host = &request->extra_hosts[i];
        bool gateway = str_eq(host->value, "host-gateway");
        if (gateway && !addr_is_set(host_gateway))
            continue;
        str_addf(&out, "%s\t%s\n", gateway ? addr_format(host_gateway, text) : host->value,
                 host->key);
    }
    for (size_t i = 0; has_name && i < sandbox->endpoints.count; i++) {
        const struct addr *addrs[] = {&sandbox->endpoints.items[i].ip4,
                                      &sandbox->endpoints.items[i].ip6};
        for (size_t j = 0; j < ARRAY_LEN(addrs); j++)
            if (addr_is_set(addrs[j]))
                str_addf(&out, "%s\t%s%s%s%s%s\n", addr_format(addrs[j], text), request->hostname,
                         has_domain ? "." : "", has_domain ? request->domainname : "",
                         has_domain ? " " : "", has_domain ? request->hostname : "");
    }
    return str_take(&out);
}
