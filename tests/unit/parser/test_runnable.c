/* SPDX-License-Identifier: Apache-2.0 */
/* What `up` refuses or says in advance, although `config` prints it. */
#include "tests/unit/parser/helper.h"

#include "base/str.h"

static char *findings_of(const char *text, int *ret_rc)
{
    struct loaded loaded = test_load_text(text, NULL);
    struct diags diags = {0};
    struct str out = {0};
    cr_assert(loaded.project, "%s: %s", text, loaded.findings);
    *ret_rc = project_check_runnable(loaded.project, &diags);
    project_free(loaded.project);
    for (size_t i = 0; i < diags.count; i++) {
        char *line = diag_format(&diags.items[i]);
        str_addf(&out, "%s\n", line);
        free(line);
    }
    diags_done(&diags);
    return str_take(&out);
}

/* key and value of a service; message NULL: runs and says nothing */
static const struct { const char *service, *message; } cases[] = {
    {"tty: true", NULL}, {"restart: always", NULL}, {"restart: on-failure:3", NULL}, {"network_mode: none", NULL},
    {"pid: host", NULL}, {"ipc: 'container:x'", NULL}, {"security_opt: [no-new-privileges, 'seccomp:unconfined']", NULL},
    {"oom_kill_disable: false", NULL}, {"use_api_socket: false", NULL}, {"logging: {driver: local, options: {max-size: 1m}}", NULL},
    {"devices: [/dev/null]", NULL}, {"pull_policy: never", NULL}, {"platform: linux", NULL},
    {"deploy: {replicas: 2, restart_policy: {condition: any}, resources: {limits: {cpus: 1}}}", NULL},
    {"cpus: 0.01", NULL}, {"cpus: 0", NULL}, {"cpus: 1e7", "is out of range: expected at least 0.01"}, {"cpus: 0.001", "out of range"},
    {"cpus: -1", "out of range: expected at least 0.01"}, {"mem_limit: -1", "out of range: expected at least 1m"},
    {"mem_limit: 1k", "services.a.mem_limit: '1024' is out of range"}, {"mem_limit: 1m", NULL}, {"mem_limit: 0", NULL},
    {"mem_reservation: 2g\n    mem_limit: 1g", "services.a.mem_reservation: '2147483648' is out of range: expected no more than mem_limit"},
    {"memswap_limit: -1", NULL}, {"memswap_limit: -2", "out of range"}, {"mem_swappiness: 101", "expected 0-100"}, {"shm_size: -1", "out of range"},
    {"pids_limit: -1", NULL}, {"pids_limit: -2", "services.a.pids_limit: '-2' is out of range: expected 1-4194304, or -1 for no limit"},
    {"pids_limit: 4194305", "out of range"}, {"scale: 10000", NULL}, {"scale: 10001", "out of range: expected 0-10000"},
    {"deploy: {replicas: 1000000000}", "out of range: expected 0-10000"}, {"deploy: {resources: {limits: {pids: -3}}}", "limits.pids: '-3'"},
    {"cpu_shares: 1", "expected 2-262144"}, {"cpu_period: 999", "out of range"},
    {"cpu_quota: -1", NULL}, {"cpu_quota: 999", "out of range"}, {"blkio_config: {weight: 9}", "expected 10-1000"},
    {"ulimits: {nofile: -1}", NULL}, {"ulimits: {nofile: -2}", "services.a.ulimits.nofile: '-2' is out of range"},
    {"ulimits: {nofile: {soft: 9, hard: 3}}", "'9' is out of range: expected a soft limit"}, {"ulimits: {nofile: {soft: 3, hard: -1}}", NULL},
    {"ulimits: {nofile: {soft: -1, hard: 3}}", "expected a soft limit"}, {"expose: ['1-65535', '80/udp']", NULL}, {"expose: [0]", "services.a.expose: '0'"},
    {"expose: ['90-80']", "out of range"}, {"expose: [65536]", "out of range"}, {"cpuset: 0-3,5", NULL}, {"cpuset: '9-1'", "services.a.cpuset: '9-1'"},
    {"cpuset: '1,'", "out of range"}, {"cpuset: x", "out of range"}, {"healthcheck: {test: x, retries: 1000001}", "expected at most 1000000"},
    {"ports: [{target: 80, published: '9-10'}]", NULL}, {"ports: [{target: 0}]", "services.a.ports.target: '0' is out of range"},
    {"ports: [{target: 80, published: w}]", "services.a.ports.published: 'w' is out of range"},
    {"ports: [{target: 80, published: '9-8'}]", "ports.published"}, {"ports: [{target: 70000}]", "ports.target"},
    {"ports: [{target: 80, protocol: icmp}]", "services.a.ports.protocol: 'icmp'"},
    {"networks: {default: {mac_address: '02:00:00:00:00:01'}}\n    mac_address: '02:00:00:00:00:02'", "conflicting mac_address"},
    {"runtime: crun", "error: services.a.runtime: is not supported by this version of winch"},
    {"cpu_count: 2", "only for Windows containers"}, {"restart: sometimes", "services.a.restart: 'sometimes' is not supported"},
    {"restart: on-failure:x", "is not supported"}, {"network_mode: bridge", "services.a.network_mode: 'bridge'"},
    {"platform: plan9/mips", "services.a.platform: 'plan9/mips'"}, {"logging: {driver: gelf}", "services.a.logging.driver: 'gelf'"},
    {"logging: {options: {labels-regex: x}}", "services.a.logging.options.labels-regex: 'x'"}, {"security_opt: [label=type:x]", "services.a.security_opt"},
    {"userns_mode: keep-id", "services.a.userns_mode"}, {"uts: other", "services.a.uts"},
    {"volumes: [{type: npipe, source: x, target: /x}]", "services.a.volumes.type: 'npipe'"},
    {"volumes: [rel]", "services.a.volumes.target: 'rel'"}, {"devices: ['gpu=all']", "services.a.devices"},
    {"build: .", "images are not built by this version"}, {"deploy: {mode: global}", "warning: services.a.deploy.mode: has no effect here"},
    {"deploy: {placement: {constraints: [x]}}", "warning: services.a.deploy.placement: has no effect here: one host"},
};

Test(runnable, refuses_by_name_and_place)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = xasprintf("services:\n  a:\n    image: i\n    %s\n", cases[i].service);
        int rc;
        char *findings = findings_of(text, &rc);
        if (!cases[i].message)
            cr_expect_str_eq(findings, "", "case '%s' said %s", cases[i].service, findings);
        else
            cr_expect(strstr(findings, cases[i].message) && strstr(findings, "compose.yaml:4:"), "case '%s' said %s",
                      cases[i].service, findings);
        bool refused = cases[i].message && strstr(findings, "error: ");
        cr_expect_eq(rc, refused ? -1 : 0, "case '%s'", cases[i].service);
        free(findings);
        free(text);
    }
}

Test(runnable, judges_resources)
{
    int rc;
    char *findings = findings_of("services: {a: {build: ., networks: [n], volumes: ['v:/v']}}\nnetworks: {n: {driver: overlay}}\n"
                                 "volumes: {v: {driver: nfs}}\n", &rc);
    cr_expect_eq(rc, -1);
    cr_expect(strstr(findings, "networks.n.driver: 'overlay' is not supported"), "%s", findings);
    cr_expect(strstr(findings, "volumes.v.driver: 'nfs' is not supported"), "%s", findings);
    cr_expect(strstr(findings, "services.a.build: building images is not supported"), "%s", findings);
    free(findings);
}

Test(runnable, judges_names)
{
    char name[65], service[121];
    memset(name, 'p', 64);
    memset(service, 's', 120);
    name[64] = service[120] = '\0';
    char *text = xasprintf("name: %s\nservices:\n  %s: {image: x}\nnetworks: {default: {name: ../x}}\n", name, service);
    const char *files[] = {test_file("compose.yaml", text), NULL};
    struct load_options options = {0};
    struct loaded loaded = test_load(files, NULL, &options);
    struct diags diags = {0};
    cr_assert(loaded.project, "%s", loaded.findings);
    cr_expect_eq(project_check_runnable(loaded.project, &diags), -1);
    cr_assert_eq(diags.count, 3);
    cr_expect(strstr(diags.items[0].message, "the project's name has more than 63 bytes") && diags.items[0].pos.line == 1);
    cr_expect(strstr(diags.items[1].message, "more than 128 bytes") && diags.items[1].pos.line == 3, "%s", diags.items[1].message);
    cr_expect(strstr(diags.items[2].message, "networks.default: '../x' is no name") && diags.items[2].pos.line == 4);
    diags_done(&diags);
    free(text);
}
