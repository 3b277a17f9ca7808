/* SPDX-License-Identifier: Apache-2.0 */
/* Each key of a service: what `config` says for it, or why it is refused. */
#include "tests/unit/parser/helper.h"

#include "base/str.h"
#include "parser/node.h"
#include "parser/scalar.h"

#define HEAD "services:\n  a:\n    image: i\n"
#define TAIL                                                                                        \
    "networks: {n1: , n2: }\nvolumes: {vol: , v: }\nsecrets: {s: {file: ./s}}\nconfigs: {c: {content: x}}\n"

/* key: flow YAML behind "    key: "; found: a piece of the output without blanks (NULL: nothing of the key) */
static const struct { const char *key, *value, *found; } good[] = {
    {"command", "echo \"a b\" 'c d' e\\ f", "command:[echo,ab,cd,ef]"},
    {"command", "[]", "command:[]"}, {"command", "''", "command:[]"}, {"command", "", NULL},
    {"entrypoint", "[a, '1']", "entrypoint:[a,\"1\"]"},
    {"user", "1000", "user:\"1000\""}, {"user", "'1:2'", "user:\"1:2\""},
    {"init", "false", "init:false"}, {"privileged", "false", NULL}, {"privileged", "'yes'", "privileged:true"},
    {"tty", "true", "tty:true"}, {"attach", "false", "attach:false"},
    {"cpus", "0.50", "cpus:0.5"}, {"cpus", "'2'", "cpus:2"}, {"cpus", "0", NULL}, {"cpu_shares", "'512'", "cpu_shares:512"},
    {"mem_limit", "1.5g", "mem_limit:\"1610612736\""}, {"mem_limit", "64", "mem_limit:\"64\""},
    {"mem_limit", "64MB", "mem_limit:\"67108864\""}, {"memswap_limit", "-1", "memswap_limit:\"-1\""},
    {"mem_swappiness", "60", "mem_swappiness:\"60\""}, {"shm_size", "64m", "shm_size:\"67108864\""},
    {"pids_limit", "-1", "pids_limit:-1"}, {"oom_score_adj", "'-500'", "oom_score_adj:-500"},
    {"stop_grace_period", "1m30s", "stop_grace_period:1m30s"}, {"stop_grace_period", "90s", "stop_grace_period:1m30s"},
    {"stop_grace_period", "0s", "stop_grace_period:0s"},
    {"environment", "{A: 1, B: , C: true, D: 010, E: 0x1F, F: 1e3, G: .5, H: 1_000, I: 'x', J: 12:30}",
     "environment:{A:\"1\",B:null,C:\"true\",D:\"8\",E:\"31\",F:\"1000\",G:\"0.5\",H:\"1000\",I:x,J:\"12:30\"}"},
    {"environment", "[B=2, A=1, C, D=, E=a=b]", "environment:{A:\"1\",B:\"2\",C:null,D:\"\",E:a=b}"},
    {"labels", "{released: 2031-05-06, at: 2031-05-06T07:08:09Z}", "labels:{at:\"2031-05-06T07:08:09Z\",released:\"2031-05-06\"}"},
    {"labels", "[a=1, b]", "labels:{a:\"1\",b:\"\"}"}, {"labels", "{a: , b: 1.10}", "labels:{a:\"\",b:\"1.1\"}"},
    {"annotations", "[a=1]", "annotations:{a:\"1\"}"}, {"sysctls", "{net.core.somaxconn: 1024}", "sysctls:{net.core.somaxconn:\"1024\"}"},
    {"cap_add", "[A, B, A]", "cap_add:[A,B]"}, {"expose", "[80, '81-82/udp']", "expose:[\"80\",81-82/udp]"},
    {"group_add", "[1, staff]", "group_add:[\"1\",staff]"},
    {"dns", "8.8.8.8", "dns:[8.8.8.8]"}, {"dns_search", "[a, b]", "dns_search:[a,b]"}, {"tmpfs", "/run", "tmpfs:[/run]"},
    {"extra_hosts", "['b:1.1.1.1', 'a=::1', 'c:[::2]', 'd=1.1.1.1,2.2.2.2']",
     "extra_hosts:[a=::1,b=1.1.1.1,c=::2,d=1.1.1.1,d=2.2.2.2]"},
    {"extra_hosts", "{h: 1.1.1.1, k: [1.1.1.1, '::1']}", "extra_hosts:[h=1.1.1.1,k=1.1.1.1,k=::1]"},
    {"ulimits", "{nproc: 65535, nofile: {soft: 1, hard: '2'}}", "ulimits:{nofile:{soft:1,hard:2},nproc:65535}"},
    {"healthcheck", "{test: curl x, interval: 60s, retries: '3'}",
     "healthcheck:{test:[CMD-SHELL,curlx],interval:1m0s,retries:3}"},
    {"healthcheck", "{disable: true}", "healthcheck:{disable:true}"}, {"healthcheck", "{test: [NONE]}", "healthcheck:{test:[NONE]}"},
    {"logging", "{driver: local, options: {max-size: 1, x: }}", "logging:{driver:local,options:{max-size:\"1\",x:\"\"}}"},
    {"networks", "[n1, n2]", "networks:{n1:null,n2:null}"},
    {"networks", "{n1: {aliases: [x, x], priority: 3}}", "networks:{n1:{aliases:[x],priority:3}}"},
    {"networks", "[]", "networks:{default:null}"}, {"network_mode", "none", "network_mode:none"},
    {"build", ".", "build:{context:/D,dockerfile:Dockerfile}"},
    {"build", "{args: [A=1, B], dockerfile_inline: FROM x}", "build:{args:{A:\"1\"},dockerfile_inline:FROMx,context:/D}"},
    {"build", "https://x/y.git#z", "build:{context:https://x/y.git#z,dockerfile:Dockerfile}"},
    {"build", "{context: x, ssh: [default, k=./id], provenance: true}",
     "build:{context:/D/x,ssh:[default,k:/D/id],provenance:\"true\",dockerfile:Dockerfile}"},
    {"secrets", "[s]", "secrets:[{source:s,target:/run/secrets/s}]"},
    {"secrets", "[{source: s, mode: 0440, uid: '1'}]", "secrets:[{source:s,mode:\"0440\",uid:\"1\",target:/run/secrets/s}]"},
    {"configs", "[c, {source: c, target: /x, mode: '0400'}]", "configs:[{source:c},{source:c,target:/x,mode:\"0400\"}]"},
    {"devices", "[/dev/a, '/dev/a:/dev/b:r']",
     "devices:[{source:/dev/a,target:/dev/a,permissions:rwm},{source:/dev/a,target:/dev/b,permissions:r}]"},
    {"gpus", "all", "gpus:[{count:-1}]"}, {"gpus", "[{driver: nvidia, count: 2}]", "gpus:[{driver:nvidia,count:2}]"},
    {"deploy", "{replicas: 0}", "deploy:{replicas:0}"}, {"deploy", "", NULL}, {"deploy", "{}", "deploy:{}"},
    {"deploy", "{resources: {limits: {cpus: '0.5', memory: 1k, pids: 9}}}",
     "deploy:{resources:{limits:{cpus:0.5,memory:\"1024\",pids:9}}}"},
    {"deploy", "{update_config: {parallelism: 0, delay: 10s, max_failure_ratio: 0.3}}",
     "deploy:{update_config:{parallelism:0,delay:10s,max_failure_ratio:0.3}}"},
    {"deploy", "{resources: {reservations: {devices: [{capabilities: [gpu]}]}}}",
     "deploy:{resources:{reservations:{devices:[{capabilities:[gpu],count:-1}]}}}"},
    {"pull_policy", "if_not_present", "pull_policy:missing"}, {"restart", "no", "restart:\"no\""},
    {"blkio_config", "{weight: 300, device_read_bps: [{path: /dev/a, rate: 1k}]}",
     "blkio_config:{weight:300,device_read_bps:[{path:/dev/a,rate:\"1024\"}]}"},
    {"post_start", "[{command: a b, user: root}]", "post_start:[{command:[a,b],user:root}]"},
    {"develop", "{watch: [{path: ./x, action: rebuild, ignore: z}]}",
     "develop:{watch:[{path:/D/x,action:rebuild,ignore:[z]}]}"},
    {"provider", "{type: x, options: {a: 1, b: [c, d]}}", "provider:{type:x,options:{a:[\"1\"],b:[c,d]}}"},
    {"profiles", "[]", NULL}, {"scale", "'3'", "scale:3"}, {"scale", "0", "scale:0"},
    {"x-y", "{a: [1, yes]}", "x-y:{a:[1,\"yes\"]}"}, {"container_name", "b1", "container_name:b1"}, {"container_name", "' b_'", "container_name:b_"},
    {"ulimits", "{core: 0, rss: '0', x: {soft: 0, hard: 1, x-y: 1}}",
     "ulimits:{core:{soft:0,hard:0},rss:{soft:0,hard:0},x:{soft:0,hard:1}}"},
    {"deploy", "{mode: global}\n    scale: 2", "deploy:{mode:global,replicas:2}"},
    {"networks", "{}\n    network_mode: ''", NULL}, {"network_mode", "''", NULL},
    {"cpu_shares", "1.9", "cpu_shares:1"}, {"pids_limit", "12.7", "pids_limit:12"}, {"cpu_quota", "-0.5", NULL},
    {"cpu_percent", "'50'", "cpu_percent:50"}, {"oom_score_adj", "1000", "oom_score_adj:1000"},
    {"healthcheck", "{retries: 2.9, test: []}", "healthcheck:{retries:2}"},
    {"networks", "{n1: {priority: 1.5, gw_priority: -3}}", "networks:{n1:{priority:1,gw_priority:-3}}"},
    {"networks", "{n1: {driver_opts: {a: 1, b: x}}}", "networks:{n1:{driver_opts:{a:\"1\",b:x}}}"},
    {"tmpfs", "['/run:size=1m', /tmp, '/run:size=2m']", "tmpfs:[/run:size=2m,/tmp]"},
    {"dns_opt", "[ndots:1, use-vc=1, use-vc=0]", "dns_opt:[ndots:1,use-vc=0]"},
    {"pull_policy", "every_2d", "pull_policy:every_2d"}, {"pull_policy", "refresh", "pull_policy:refresh"},
    {"pull_policy", "rebuild", "pull_policy:rebuild"},
    {"post_start", "[{command: }]", "post_start:[{}]"}, {"pre_start", "[{image: x}]", "pre_start:[{image:x}]"},
    {"storage_opt", "{size: 1}", "storage_opt:{size:\"1\"}"},
    {"build", "/srv//a/../b/", "build:{context:/srv//a/../b/,dockerfile:Dockerfile}"},
    {"volumes", "['/srv/../a/:/x']", "volumes:[{type:bind,source:/srv/../a/,target:/x,bind:{create_host_path:true}}]"},
    {"ports", "['80']", "ports:[{mode:ingress,target:80,protocol:tcp}]"}, {"ports", "[80]", "ports:[{mode:ingress,target:80,protocol:tcp}]"},
    {"ports", "[':80']", "ports:[{mode:ingress,target:80,protocol:tcp}]"},
    {"ports", "['8080:80/UDP']", "ports:[{mode:ingress,target:80,published:\"8080\",protocol:udp}]"},
    {"ports", "['127.0.0.1::80']", "ports:[{mode:ingress,host_ip:127.0.0.1,target:80,protocol:tcp}]"},
    {"ports", "['[::1]:8:9']", "ports:[{mode:ingress,host_ip:::1,target:9,published:\"8\",protocol:tcp}]"},
    {"ports", "['::1:6000:6000']", "ports:[{mode:ingress,host_ip:::1,target:6000,published:\"6000\",protocol:tcp}]"},
    {"ports", "['8000-9000:80']", "ports:[{mode:ingress,target:80,published:8000-9000,protocol:tcp}]"},
    {"ports", "['9-10:9-10']", "ports:[{mode:ingress,target:10,published:\"10\",protocol:tcp},{mode:ingress,target:9,published:\"9\",protocol:tcp}]"},
    {"ports", "['3000-3001']", "ports:[{mode:ingress,target:3000,protocol:tcp},{mode:ingress,target:3001,protocol:tcp}]"},
    {"ports", "['80:80', '80:80']", "ports:[{mode:ingress,target:80,published:\"80\",protocol:tcp}]"},
    {"ports", "[{target: '80', published: 8080, mode: host}]", "ports:[{target:80,published:\"8080\",mode:host,protocol:tcp}]"},
    {"command", "a b; c", "command:[a,b]"}, {"command", "a 2>b", "command:[a]"}, {"command", "'a \"b;c\" d\\te'", "command:[a,b;c,d\te]"},
    {"command", "a $$(b c) `d e`", "command:[a,$(bc),`de`]"}, {"entrypoint", "a ''", "entrypoint:[a,\"\"]"},
    {"command", "|\n      a \\\n      b\n", "command:[a,\nb]"},
    {"environment", "{A: 18446744073709551615, B: 1e6, C: 1234567.5, D: 999999.5}",
     "environment:{A:\"18446744073709551615\",B:\"1e+06\",C:\"1.2345675e+06\",D:\"999999.5\"}"},
    {"cpu_shares", "10.7", "cpu_shares:10"}, {"cpu_quota", "5000.5", "cpu_quota:5000"}, {"pids_limit", "9.9", "pids_limit:9"},
    {"cpu_percent", "'50'", "cpu_percent:50"}, {"cpus", "0.333333333", "cpus:0.33333334"},
    {"healthcheck", "{retries: 3.7}", "healthcheck:{retries:3}"}, {"credential_spec", "{}", "credential_spec:{}"},
    {"blkio_config", "{weight_device: [{path: /dev/a}], device_read_iops: [{rate: 7}]}",
     "blkio_config:{weight_device:[{path:/dev/a,weight:0}],device_read_iops:[{rate:\"7\",path:\"\"}]}"},
    {"deploy", "{resources: {reservations: {generic_resources: [{discrete_resource_spec: {kind: a}}]}}}",
     "deploy:{resources:{reservations:{generic_resources:[{discrete_resource_spec:{kind:a,value:0}}]}}}"},
    {"deploy", "{resources: {reservations: {devices: [{capabilities: [], count: '2'}]}}}",
     "deploy:{resources:{reservations:{devices:[{count:2}]}}}"},
    {"gpus", "[{count: ALL}]", "gpus:[{count:-1}]"}, {"gpus", "[{count: '3'}]", "gpus:[{count:3}]"},
    {"scale", "3\n    deploy: {}", "scale:3"}, {"deploy", "{}\n    scale: 3", "deploy:{replicas:3}"},
    {"dns", "''", NULL}, {"dns", "['', 1.1.1.1]", "dns:[1.1.1.1]"},
    {"devices", "['/dev/a::r']", "devices:[{source:/dev/a,target:/dev/a,permissions:r}]"},
    {"extra_hosts", "{h: '1.1.1.1,2.2.2.2'}", "extra_hosts:[h=1.1.1.1,2.2.2.2]"}, {"extra_hosts", "['h=']", "extra_hosts:[h=]"},
    {"ulimits", "{core: 0}", "ulimits:{core:{soft:0,hard:0}}"},
    {"build", "{ssh: ['k: /id'], context: /a/../b/}", "build:{ssh:[k:/id],context:/a/../b/,dockerfile:Dockerfile}"},
    {"build", "{secrets: [s]}", "build:{secrets:[{source:s}],context:/D,dockerfile:Dockerfile}"},
    {"ports", "[{target: 80, published: w}]", "ports:[{target:80,published:w,mode:ingress,protocol:tcp}]"},
    {"volumes", "[/x]", "volumes:[{type:volume,target:/x}]"}, {"volumes", "[/xy]", "volumes:[{type:volume,target:/xy,volume:{}}]"},
    {"volumes", "['/a/b/:/x/']", "volumes:[{type:bind,source:/a/b/,target:/x,bind:{create_host_path:true}}]"},
    {"volumes", "[{type: volume, target: /x/}]", "volumes:[{type:volume,target:/x}]"},
    {"volumes", "['vol:/x:Z']", "volumes:[{type:volume,source:vol,target:/x,volume:{},bind:{selinux:Z,create_host_path:true}}]"},
    {"volumes", "['/a:/x:nocopy']", "volumes:[{type:bind,source:/a,target:/x,bind:{create_host_path:true},volume:{nocopy:true}}]"},
    {"volumes", "['C:\\a:D:\\b:ro']", "volumes:[{type:bind,source:C:\\a,target:D:\\b,bind:{create_host_path:true},read_only:true}]"},
    {"volumes", "[{type: volume, target: /x/./y/../z/}]", "volumes:[{type:volume,target:/x/z}]"},
    {"volumes", "['vol:/x/']", "volumes:[{type:volume,source:vol,target:/x,volume:{}}]"},
    {"volumes", "['v:/x:nocopy']", "volumes:[{type:volume,source:v,target:/x,volume:{nocopy:true}}]"},
    {"volumes", "['./a/../b:/x:ro,z']", "volumes:[{type:bind,source:/D/b,target:/x,bind:{create_host_path:true,selinux:z},read_only:true}]"},
    {"volumes", "['/a:/x:rslave,cached']", "volumes:[{type:bind,source:/a,target:/x,bind:{create_host_path:true,propagation:rslave}}]"},
    {"volumes", "['~/a:/x']", "volumes:[{type:bind,source:/home/u/a,target:/x,bind:{create_host_path:true}}]"}, /* lint: allow */
    {"volumes", "[{type: bind, source: a, target: /x, bind: {create_host_path: false}}]",
     "volumes:[{type:bind,source:/D/a,target:/x,bind:{create_host_path:false}}]"},
    {"volumes", "[{type: tmpfs, target: /x, tmpfs: {size: 1m, mode: '1777'}}]",
     "volumes:[{type:tmpfs,target:/x,tmpfs:{size:\"1048576\",mode:1023}}]"},
    {"volumes", "[{type: image, source: i:1, target: /x, image: {subpath: z}}]",
     "volumes:[{type:image,source:i:1,target:/x,image:{subpath:z}}]"},
    {"volumes", "['vol:/x', 'v:/x']", "volumes:[{type:volume,source:v,target:/x,volume:{}}]"},
};

/* Flow text of a node; /D for the test's directory. */
static void flow(struct str *out, const struct node *node)
{
    if (node_is_scalar(node)) {
        const char *text = node->kind == NODE_NULL ? "null" : node->text;
        const char *quote = node->kind == NODE_STRING && scalar_needs_quotes(text) ? "\"" : "";
        const char *dir = strstr(text, test_dir());
        if (dir)
            str_addf(out, "%s%.*s/D%s%s", quote, (int)(dir - text), text, dir + strlen(test_dir()), quote);
        else
            str_addf(out, "%s%s%s", quote, text, quote);
        return;
    }
    str_add_char(out, node->kind == NODE_MAP ? '{' : '[');
    NODE_EACH(entry, node) {
        str_add(out, entry == node->items ? "" : ",");
        if (entry->key)
            str_addf(out, "%s:", entry->key);
        flow(out, entry->value);
    }
    str_add_char(out, node->kind == NODE_MAP ? '}' : ']');
}

static void remove_blanks(char *text)
{
    char *out = text;
    for (; *text; text++)
        if (*text != ' ')
            *out++ = *text;
    *out = '\0';
}

Test(service, turns_every_form_into_the_long_one)
{
    char *environment[] = {"HOME=/home/u", NULL};
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        char *yaml = xasprintf(HEAD "    %s: %s\n" TAIL, good[i].key, good[i].value);
        struct loaded loaded = test_load_text(yaml, environment);
        cr_assert(loaded.project, "case '%s: %s': %s", good[i].key, good[i].value, loaded.findings);
        const struct node *service = node_find(node_find(loaded.project->canonical, "services"), "a");
        const struct node *value = node_find(service, good[i].key);
        struct str text = {0};
        if (value) {
            str_addf(&text, "%s:", good[i].key);
            flow(&text, value);
            remove_blanks(text.data);
        }
        cr_expect_str_eq(str_text(&text), good[i].found ? good[i].found : "", "case '%s: %s' gave %s", good[i].key,
                         good[i].value, str_text(&text));
        str_done(&text);
        free(yaml);
        project_free(loaded.project);
    }
}

static const struct { const char *key, *value, *message; } bad[] = {
    {"imagee", "x", "services.a: additional properties 'imagee' not allowed"},
    {"imagee", "x", "did you mean 'image'?"},
    {"command", "[1]", "services.a.command[0]: must be a string"}, {"command", "\"'x\"", "quote that is not closed"},
    {"hostname", "1", "services.a.hostname: must be a string"}, {"hostname", "", "services.a.hostname: must not be empty"},
    {"tty", "maybe", "services.a.tty: 'maybe' is not a boolean"}, {"scale", "x", "services.a.scale: 'x' is not a whole number"},
    {"scale", "-1", "must be greater than or equal to 0"}, {"cpus", "x", "services.a.cpus: 'x' is not a number"},
    {"mem_limit", "1x", "services.a.mem_limit: '1x' is not a size"}, {"stop_grace_period", "10", "must be a duration"},
    {"stop_grace_period", "10x", "is not a duration"}, {"environment", "{A: [1]}", "services.a.environment.A: must be a string"},
    {"environment", "x", "must be a mapping or a list of KEY=VALUE"}, {"cap_add", "A", "must be a list"},
    {"security_opt", "[a, a]", "services.a.security_opt[1]: 'a' is there twice"},
    {"ports", "[eighty]", "services.a.ports[0]: 'eighty' is not a port"}, {"ports", "['0']", "the container port must be 1-65535"},
    {"ports", "['80:']", "no container port given"}, {"ports", "['1-2:1-3']", "differ in length"},
    {"ports", "['80/icmp']", "must be tcp, udp or sctp"}, {"ports", "['x:80:80']", "invalid IP address"},
    {"ports", "[{published: 80}]", "services.a.ports[0]: missing property 'target'"},
    {"ports", "[{target: 80, host_ip: x}]", "'x' is not an IP address"}, {"ports", "[{target: x}]", "services.a.ports[0].target"},
    {"ports", "x", "services.a.ports: must be a list"}, {"ports", "['70000']", "is not a port"},
    {"volumes", "['a:']", "empty section between colons"}, {"volumes", "['./a:/b:c:d']", "too many colons"},
    {"volumes", "['nope:/x']", "refers to undefined volume nope"}, {"volumes", "['vool:/x']", "did you mean 'vol'?"},
    {"volumes", "[{type: bind, target: /x}]", "a bind mount needs a source"}, {"volumes", "[{target: /x}]", "missing property 'type'"},
    {"volumes", "[{type: x, target: /x}]", "'x' is not one of bind|volume"},
    {"volumes", "['vol:/x', 'v:/x/']\n    tmpfs: /x", "target /x already mounted"},
    {"networks", "[nope]", "refers to undefined network nope"}, {"networks", "[n1]\n    network_mode: host", "mutually exclusive"},
    {"secrets", "[nope]", "refers to undefined secret nope"}, {"configs", "[nope]", "refers to undefined config nope"},
    {"secrets", "[{source: s, mode: '9'}]", "is not a file mode"},
    {"depends_on", "[nope]", "service \"a\" depends on undefined service \"nope\""},
    {"depends_on", "{b: {}}", "services.a.depends_on.b: missing property 'condition'"},
    {"depends_on", "{b: {condition: x}}", "'x' is not one of service_started"},
    {"depends_on", "{b: {condition: service_started, required: false}}", "depends on undefined service \"b\""},
    {"secrets", "[{target: x}]", "refers to undefined secret"}, {"configs", "[{target: /x}]", "refers to undefined config"},
    {"depends_on", "[a]", "dependency cycle detected: a -> a"},
    {"healthcheck", "{test: [curl]}", "must start with \"CMD\""}, {"healthcheck", "{interval: 10}", "must be a duration"},
    {"ulimits", "{nofile: {soft: 1}}", "missing property 'hard'"}, {"ulimits", "{NOFILE: 1}", "additional properties 'NOFILE'"},
    {"extra_hosts", "[x]", "'x' is not a host"}, {"gpus", "some", "is not 'all' or a list"},
    {"gpus", "[{count: 1, device_ids: ['0']}]", "mutually exclusive"}, {"build", "{context: 'service:x'}", "not allowed as a build context"},
    {"build", "{dockerfile: x, dockerfile_inline: y}", "mutually exclusive"}, {"build", "{ssh: default}", "must be a list or a mapping"},
    {"build", "{platforms: [linux/arm64]}\n    platform: linux/amd64", "MUST include service.platform"},
    {"scale", "2\n    deploy: {replicas: 3}", "can't set distinct values on 'scale' and 'deploy.replicas'"},
    {"scale", "2\n    container_name: xx", "can't set container_name and scale > 1"},
    {"cpus", "1\n    deploy: {resources: {limits: {cpus: 2}}}", "can't set distinct values on 'cpus'"},
    {"container_name", "xx\n  b: {image: i, container_name: xx}", "container name \"xx\" is already in use"},
    {"pids_limit", "9\n    deploy: {resources: {limits: {cpus: '1'}}}", "can't set distinct values on 'pids_limit'"},
    {"mem_reservation", "9m\n    deploy: {resources: {reservations: {}}}", "can't set distinct values on 'mem_reservation'"},
    {"ulimits", "{nofile: 1.5}", "services.a.ulimits.nofile: must be a whole number, not 1.5"},
    {"container_name", "x", "'x' is no container name"}, {"container_name", "''", "'' is no container name"},
    {"pull_policy", "sometimes", "'sometimes' is no pull policy"}, {"pull_policy", "every_d", "is no pull policy"},
    {"cpu_count", "-1", "must be greater than or equal to 0"}, {"cpu_percent", "101", "must be less than or equal to 100"},
    {"cpu_percent", "1.5", "must be an integer"}, {"oom_score_adj", "-1001", "must be greater than or equal to -1000"},
    {"healthcheck", "{retries: -1}", "must be greater than or equal to 0"},
    {"mem_reservation", "1.5", "not a fraction"}, {"mem_swappiness", "0.5", "not a fraction"},
    {"deploy", "{resources: {limits: {memory: 1024}}}", "services.a.deploy.resources.limits.memory: must be a string"},
    {"deploy", "{restart_policy: {max_attempts: -1}}", "must be greater than or equal to 0"},
    {"deploy", "{resources: {reservations: {devices: [{capabilities: [gpu, gpu]}]}}}", "'gpu' is there twice"},
    {"volumes", "[{type: tmpfs, target: /x, tmpfs: {size: -1}}]", "must be greater than or equal to 0"},
    {"volumes", "[{type: volume, source: v}]", "services.a.volumes[0]: missing property 'target'"},
    {"volumes", "[{type: volume, target: /x, volume: {labels: [a, a]}}]", "'a' is there twice"},
    {"logging", "{options: [a=b]}", "services.a.logging.options: must be a mapping, not a list"},
    {"logging", "{options: {compress: true}}", "must be a string, number or nothing, not a boolean"},
    {"storage_opt", "[size=1]", "must be a mapping"},
    {"networks", "{n1: {driver_opts: {a: }}}", "must be a string or number, not nothing"},
    {"networks", "{n1: {priority: '5'}}", "must be an integer, not a string"}, {"networks", "[n1, n1]", "'n1' is there twice"},
    {"depends_on", "[b, b]", "services.a.depends_on[1]: 'b' is there twice"},
    {"post_start", "[{command: x, environment: [A=1, A=1]}]", "'A=1' is there twice"},
    {"pre_start", "[{per_replica: 'true'}]", "must be a boolean"}, {"post_start", "[{user: x}]", "missing property 'command'"},
    {"develop", "{watch: [{path: x, action: rebuild, ignore: [a, a]}]}", "'a' is there twice"},
    {"develop", "{watch: [{path: x, action: rebuild, initial_sync: 'true'}]}", "must be a boolean"},
    {"provider", "{type: x, options: {a: }}", "must be a value or a list of values"},
    {"build", "{ssh: [default, default]}", "'default' is there twice"}, {"build", "{ssh: [5]}", "must be ID or ID=PATH"},
    {"build", "{ssh: {k: [a]}}", "must be a path or nothing"}, {"build", "{shm_size: 1.5}", "not a fraction"},
    {"command", "a (b)", "parenthesis outside quotes"}, {"command", "'a\\'", "ends with a backslash"},
    {"cpu_shares", "'0.5'", "is not a whole number"}, {"depends_on", "[b, b]\n  b: {image: i}", "services.a.depends_on[1]: 'b' is there twice"},
    {"depends_on", "{b: {condition: service_started, required: false}}", "depends on undefined service"},
    {"environment", "['A = 1']", "environment variable A  is declared with a trailing space"},
    {"build", "{args: ['A =1']}", "trailing space"}, {"build", "{ssh: [k]}", "invalid ssh key 'k'"},
    {"build", "{additional_contexts: [a]}", "services.a.build.additional_contexts[0]: invalid value a"},
    {"gpus", "[{count: x}]", "services.a.gpus[0].count: 'x' is not a count"},
    {"extra_hosts", "{'a:b': 1.1.1.1}", "bad host name 'a:b'"}, {"extra_hosts", "['=1.1.1.1']", "bad host name ''"},
    {"configs", "[{target: /x}]", "refers to undefined config"},
    {"cpus", "1\n    deploy: {resources: {limits: {pids: 2}}}", "can't set distinct values on 'cpus'"},
    {"develop", "{watch: [{path: '', action: rebuild}]}", "value can't be blank"},
    {"develop", "{watch: [{path: x, action: sync}]}", "target is required"}, {"dockerfile", "x", "additional properties 'dockerfile'"},
};

Test(service, refuses_with_path_and_reason)
{
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        char *yaml = xasprintf(HEAD "    %s: %s\n" TAIL, bad[i].key, bad[i].value);
        struct loaded loaded = test_load_text(yaml, NULL);
        cr_expect_null(loaded.project, "case '%s: %s' was taken:\n%s", bad[i].key, bad[i].value, loaded.text);
        cr_expect(strstr(loaded.findings, bad[i].message), "case '%s: %s' said %s", bad[i].key, bad[i].value, loaded.findings);
        cr_expect(strstr(loaded.findings, "compose.yaml:4:") || strstr(loaded.findings, "compose.yaml:5:") ||
                      strstr(loaded.findings, "compose.yaml:2:"), "case '%s' has no place: %s", bad[i].key, loaded.findings);
        free(yaml);
        project_free(loaded.project);
    }
}
