/* SPDX-License-Identifier: Apache-2.0 */
/* `spec`: a config.json to start from. `features`: what this runtime can do. Source: runtime-spec features.md. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/fs.h"
#include "base/str.h"
#include "engine/oci/bundle.h"
#include "engine/oci/verbs.h"

static const char sample[] =
    "{'ociVersion':'" OCI_VERSION "','process':{'terminal':true,'user':{'uid':0,'gid':0},'args':['sh'],"
    "'env':['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin','TERM=xterm'],'cwd':'/',"
    "'capabilities':{'bounding':['CAP_AUDIT_WRITE','CAP_KILL','CAP_NET_BIND_SERVICE'],"
    "'effective':['CAP_AUDIT_WRITE','CAP_KILL','CAP_NET_BIND_SERVICE'],"
    "'permitted':['CAP_AUDIT_WRITE','CAP_KILL','CAP_NET_BIND_SERVICE']},"
    "'rlimits':[{'type':'RLIMIT_NOFILE','hard':1024,'soft':1024}],'noNewPrivileges':true},"
    "'root':{'path':'rootfs','readonly':true},'hostname':'winch','mounts':["
    "{'destination':'/proc','type':'proc','source':'proc'},"
    "{'destination':'/dev','type':'tmpfs','source':'tmpfs','options':['nosuid','strictatime','mode=755','size=65536k']},"
    "{'destination':'/dev/pts','type':'devpts','source':'devpts','options':['nosuid','noexec','newinstance','ptmxmode=0666','mode=0620','gid=5']},"
    "{'destination':'/dev/shm','type':'tmpfs','source':'shm','options':['nosuid','noexec','nodev','mode=1777','size=65536k']},"
    "{'destination':'/dev/mqueue','type':'mqueue','source':'mqueue','options':['nosuid','noexec','nodev']},"
    "{'destination':'/sys','type':'sysfs','source':'sysfs','options':['nosuid','noexec','nodev','ro']},"
    "{'destination':'/sys/fs/cgroup','type':'cgroup','source':'cgroup','options':['nosuid','noexec','nodev','relatime','ro']}],"
    "'linux':{'resources':{'devices':[{'allow':false,'access':'rwm'}]},'namespaces':[{'type':'pid'},{'type':'network'},{'type':'ipc'},"
    "{'type':'uts'},{'type':'mount'},{'type':'cgroup'}]}}";

int oci_spec(const struct oci_globals *globals, const struct oci_options *options, char **words, struct err *err)
{
    (void)globals;
    (void)words;
    _cleanup_close_ int dir = open(options->bundle ? options->bundle : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    _cleanup_jv_ struct jv *value = NULL;
    char text[sizeof(sample)];
    memcpy(text, sample, sizeof(sample));
    for (char *c = text; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    if (dir < 0)
        return err_sys(err, "open %s", options->bundle ? options->bundle : ".");
    if (fs_exists(dir, "config.json"))
        return err_set(err, ERR_EXISTS, "file config.json exists, remove it first");
    if (jv_parse(text, strlen(text), &value, err) < 0)
        return -1;
    struct jv *list = jv_find(value, "linux");
    jv_set(list, "maskedPaths", jv_strv((char *const *)spec_default_masked_paths));
    jv_set(list, "readonlyPaths", jv_strv((char *const *)spec_default_readonly_paths));
    _cleanup_free_ char *pretty = jv_dump_pretty(value, false);
    return fs_replace_volatile(dir, "config.json", pretty, strlen(pretty), 0644, err);
}

int oci_features(const struct oci_globals *globals, const struct oci_options *options, char **words, struct err *err)
{
    (void)globals;
    (void)options;
    (void)words;
    (void)err;
    static char *const hooks[] = {"prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop", NULL};
    static char *const mount_options[] = {"ro", "rw", "nosuid", "suid", "nodev", "dev", "noexec", "exec", "noatime", "atime", "relatime",
        "norelatime", "strictatime", "nostrictatime", "nodiratime", "diratime", "nosymfollow", "symfollow", "bind", "rbind", "private",
        "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable", "rro", "rrw", "rnosuid", "rsuid", "rnodev",
        "rdev", "rnoexec", "rexec", NULL};
    struct jv *value = jv_object(), *about = jv_object(), *spaces = jv_array(), *caps = jv_array();
    for (size_t i = 0; i < OCI_NS_COUNT; i++)
        if (i != OCI_NS_TIME)
            jv_add(spaces, jv_string(oci_ns_table[i].word));
    for (int i = 0; spec_capability_name(i); i++)
        jv_add(caps, jv_string(spec_capability_name(i)));
    struct jv *cgroup = jv_object(), *seccomp = jv_object(), *no = jv_object();
    jv_set_bool(cgroup, "v1", true);
    jv_set_bool(cgroup, "v2", true);
    jv_set_bool(cgroup, "systemd", false);
    jv_set_bool(cgroup, "systemdUser", false);
    jv_set_bool(seccomp, "enabled", true);
    jv_set_bool(no, "enabled", false);
    jv_set_str(value, "ociVersionMin", "1.0.0");
    jv_set_str(value, "ociVersionMax", OCI_VERSION);
    jv_set(value, "hooks", jv_strv(hooks));
    jv_set(value, "mountOptions", jv_strv(mount_options));
    jv_set(about, "namespaces", spaces);
    jv_set(about, "capabilities", caps);
    jv_set(about, "cgroup", cgroup);
    jv_set(about, "seccomp", seccomp);
    jv_set(about, "apparmor", jv_ref(no));
    jv_set(about, "selinux", no);
    jv_set(value, "linux", about);
    _cleanup_free_ char *text = jv_dump_pretty(value, false);
    puts(text);
    jv_free(value);
    return 0;
}
