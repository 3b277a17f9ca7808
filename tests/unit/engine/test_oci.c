/* SPDX-License-Identifier: Apache-2.0 */
/* test_oci.c - config.json → bundle: what is read, what is refused and by which name. */
#include <criterion/criterion.h>
#include <sys/mount.h>

#include "base/str.h"
#include "engine/oci/bundle.h"

TestSuite(oci, .timeout = 30);

/* A bundle that is right, with `extra` put in before its end. */
static int parse(const char *extra, struct oci_bundle **ret_bundle, struct err *err)
{
    _cleanup_free_ char *text = xasprintf("{\"ociVersion\":\"1.0.2\",\"root\":{\"path\":\"rootfs\"},%s}", extra);
    struct jv *config = NULL;
    cr_assert_eq(jv_parse(text, strlen(text), &config, err), 0, "%s: %s", text, err->message);
    return oci_bundle_parse(config, "/b", "id1", ret_bundle, err);
}

#define MOUNT_NS "\"namespaces\":[{\"type\":\"mount\"}]"

Test(oci, reads_what_there_is)
{
    struct oci_bundle *bundle = NULL;
    struct err err = {0};
    cr_assert_eq(parse("\"hostname\":\"h\",\"process\":{\"args\":[\"sh\"],\"cwd\":\"/w\",\"user\":{\"uid\":3,\"gid\":4,\"additionalGids\":[5]},"
                       "\"capabilities\":{\"bounding\":[\"CAP_KILL\",\"CAP_OF_TOMORROW\"]},"
                       "\"rlimits\":[{\"type\":\"RLIMIT_NOFILE\",\"soft\":7,\"hard\":9223372036854775807}]},"
                       "\"mounts\":[{\"destination\":\"dev/../x\",\"type\":\"tmpfs\",\"options\":[\"nosuid\",\"size=1k\",\"ro\",\"rw\",\"mode=755\"]},"
                       "{\"destination\":\"/y\",\"type\":\"none\",\"source\":\"/s\",\"options\":[\"rbind\",\"rro\",\"rslave\"]}],"
                       "\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"uts\"},{\"type\":\"network\",\"path\":\"/n\"}],"
                       "\"cgroupsPath\":\"/a/../b\",\"resources\":{\"memory\":{\"limit\":4096},\"devices\":[{\"allow\":false,\"access\":\"rwm\"},"
                       "{\"allow\":true,\"type\":\"c\",\"major\":10,\"access\":\"rw\"}]}}",
                       &bundle, &err), 0, "%s", err.message);
    cr_expect_str_eq(bundle->rootfs, "/b/rootfs");
    cr_expect_str_eq(bundle->spec.cgroup_path, "b");
    cr_expect_eq(bundle->process.uid, 3);
    cr_expect_eq(bundle->process.groups[0], 5);
    cr_expect_eq(bundle->process.caps.bounding, 1ULL << 5, "an unknown capability is left out");
    cr_expect_eq(bundle->process.rlimits.items[0].hard, UINT64_MAX);
    cr_expect_str_eq(bundle->process.rlimits.items[0].name, "nofile");
    cr_expect_str_eq(bundle->mounts.items[0].destination, "/x");
    cr_expect_str_eq(bundle->mounts.items[0].data, "size=1k,mode=755");
    cr_expect_eq(bundle->mounts.items[0].set, MOUNT_ATTR_NOSUID, "the later of ro and rw counts");
    cr_expect(bundle->mounts.items[1].bind && bundle->mounts.items[1].recursive);
    cr_expect_eq(bundle->mounts.items[1].rec_set, MOUNT_ATTR_RDONLY);
    cr_expect_eq(bundle->mounts.items[1].propagation, MS_SLAVE | MS_REC);
    cr_expect_str_eq(bundle->ns[OCI_NS_NET].path, "/n");
    cr_expect(bundle->ns[OCI_NS_UTS].set && !bundle->ns[OCI_NS_UTS].path && !bundle->ns[OCI_NS_PID].set);
    cr_expect_eq(bundle->spec.resources.memory_max, 4096);
    cr_expect_not(bundle->spec.privileged);
    cr_expect_str_eq(bundle->spec.device_rules.items[0], "c 10:* rw");
    oci_bundle_free(bundle);
}

static const struct {
    const char *extra, *message;
} wrong[] = {
    {"\"linux\":{}", "mount namespace"},
    {"\"linux\":{" MOUNT_NS "},\"process\":{\"args\":[],\"cwd\":\"/\"}", "process.args"},
    {"\"linux\":{" MOUNT_NS "},\"process\":{\"args\":[\"a\"],\"cwd\":\"x\"}", "process.cwd"},
    {"\"linux\":{" MOUNT_NS "},\"process\":{\"args\":[\"a\",1],\"cwd\":\"/\"}", "process.args[1]"},
    {"\"linux\":{" MOUNT_NS "},\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"rlimits\":[{\"type\":\"NOFILE\"}]}", "process.rlimits[0]"},
    {"\"linux\":{" MOUNT_NS "},\"process\":{\"args\":[\"a\"],\"cwd\":\"/\",\"apparmorProfile\":\"x\"}", "apparmorProfile"},
    {"\"linux\":{" MOUNT_NS "},\"mounts\":[{\"type\":\"proc\"}]", "mounts[0].destination"},
    {"\"linux\":{" MOUNT_NS "},\"mounts\":[{\"destination\":\"/x\",\"options\":[\"bind\"]}]", "mounts[0].source"},
    {"\"linux\":{" MOUNT_NS "},\"hooks\":{\"poststop\":[{\"path\":\"sh\"}]}", "hooks.poststop[0].path"},
    {"\"linux\":{" MOUNT_NS "},\"hostname\":\"x\"", "UTS"},
    {"\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"moon\"}]}", "'moon'"},
    {"\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"mount\"}]}", "twice"},
    {"\"linux\":{\"namespaces\":[{\"type\":\"mount\"},{\"type\":\"user\"}]}", "uidMappings"},
    {"\"linux\":{" MOUNT_NS ",\"devices\":[{\"path\":\"x\",\"type\":\"c\"}]}", "linux.devices[0]"},
    {"\"linux\":{" MOUNT_NS ",\"cgroupsPath\":\"a:b:c\"}", "cgroupsPath"},
    {"\"linux\":{" MOUNT_NS ",\"cgroupsPath\":\"/\"}", "cgroupsPath"},
    {"\"linux\":{" MOUNT_NS ",\"resources\":{\"hugepageLimits\":[{\"pageSize\":\"2MB\",\"limit\":1}]}}", "hugepageLimits"},
    {"\"linux\":{" MOUNT_NS ",\"rootfsPropagation\":\"sideways\"}", "rootfsPropagation"},
};

Test(oci, refuses_by_name)
{
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct oci_bundle *bundle = NULL;
        struct err err = {0};
        cr_expect_eq(parse(wrong[i].extra, &bundle, &err), -1, "%s", wrong[i].extra);
        cr_expect(strstr(err.message, wrong[i].message), "%s: %s", wrong[i].extra, err.message);
    }
}
