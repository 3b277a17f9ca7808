/* SPDX-License-Identifier: Apache-2.0 */
/* schema_service.c - rows: the keys of a service. */
#include "parser/bind.h"
#include "parser/short.h"

#define S(field)  TO(service, field)
#define LATER     .status = STATUS_REFUSED
#define ACCEPTED  .status = STATUS_ACCEPTED
#define WINDOWS   .status = STATUS_REFUSED, .note = "only for Windows containers"

/* ---- parts ---- */
static const struct key_row depends_on_rows[] = {
    {"condition", VALUE_STRING, .flags = KEY_REQUIRED, CUSTOM(bind_depends_condition),
     .words = "service_started|service_healthy|service_completed_successfully"},
    {"required", VALUE_BOOL, .flags = KEY_KEEP, TO(depends_on, required)},
    {"restart", VALUE_BOOL, TO(depends_on, restart)},
};
static const struct key_table depends_on_table = {
    TABLE_ROWS(depends_on_rows), .size = sizeof(struct depends_on), .extensions = true, .has_key = true,
    .key_offset = offsetof(struct depends_on, service), .has_pos = true, .pos_offset = offsetof(struct depends_on, pos)};

static const struct key_row env_file_rows[] = {
    {"format", VALUE_STRING, TO(env_file, format)},
    {"path", VALUE_STRING, .flags = KEY_REQUIRED | KEY_PATH, TO(env_file, path)},
    {"required", VALUE_BOOL, .flags = KEY_KEEP, TO(env_file, required)},
};
static const struct key_table env_file_table = {TABLE_ROWS(env_file_rows), .size = sizeof(struct env_file),
                                                .lengthen = lengthen_env_file, .identity = env_file_identity};

static const struct key_row extends_rows[] = {
    {"file", VALUE_STRING, .flags = 0},
    {"service", VALUE_STRING, .flags = KEY_REQUIRED},
};
static const struct key_table extends_table = {TABLE_ROWS(extends_rows)};

static const struct key_row healthcheck_rows[] = {
    {"disable", VALUE_BOOL, TO(healthcheck, disable)},
    {"interval", VALUE_DURATION, .flags = KEY_KEEP, TO(healthcheck, interval_us)},
    {"retries", VALUE_INT, .flags = KEY_KEEP | KEY_CUT, NOT_NEGATIVE, TO(healthcheck, retries)},
    {"start_interval", VALUE_DURATION, .flags = KEY_KEEP, TO(healthcheck, start_interval_us)},
    {"start_period", VALUE_DURATION, .flags = KEY_KEEP, TO(healthcheck, start_period_us)},
    {"test", VALUE_SHAPED, MERGE_REPLACE, .flags = KEY_NULL_WINS, TO(healthcheck, test), .lengthen = lengthen_healthcheck_test},
    {"timeout", VALUE_DURATION, .flags = KEY_KEEP, TO(healthcheck, timeout_us)},
};
static const struct key_table healthcheck_table = {
    TABLE_ROWS(healthcheck_rows), .size = sizeof(struct healthcheck), .extensions = true, .has_set = true,
    .has_pos = true, .pos_offset = offsetof(struct healthcheck, pos)};

static const struct key_row logging_rows[] = {
    {"driver", VALUE_STRING, TO(logging, driver)},
    {"options", VALUE_KV, MERGE_DEEP, .flags = KEY_NULL_EMPTY | KEY_MAP_ONLY | KEY_NO_BOOL, TO(logging, options)},
};
static const struct key_table logging_table = {TABLE_ROWS(logging_rows), .size = sizeof(struct logging),
                                               .extensions = true, .has_pos = true,
                                               .pos_offset = offsetof(struct logging, pos)};

static const struct key_row service_network_rows[] = {
    {"aliases", VALUE_LIST, MERGE_UNIQUE_KEY, TO(service_network, aliases)},
    {"driver_opts", VALUE_KV, MERGE_DEEP, LATER, .flags = KEY_DRIVER_OPTS, TO(service_network, driver_opts)},
    {"gw_priority", VALUE_INT, .flags = KEY_CUT | KEY_NO_STRING, TO(service_network, gw_priority)},
    {"interface_name", VALUE_STRING, TO(service_network, interface_name)},
    {"ipv4_address", VALUE_STRING, TO(service_network, ipv4_address)},
    {"ipv6_address", VALUE_STRING, TO(service_network, ipv6_address)},
    {"link_local_ips", VALUE_LIST, MERGE_UNIQUE_KEY, TO(service_network, link_local_ips)},
    {"mac_address", VALUE_STRING, TO(service_network, mac_address)},
    {"priority", VALUE_INT, .flags = KEY_CUT | KEY_NO_STRING, TO(service_network, priority)},
};
static const struct key_table service_network_table = {
    TABLE_ROWS(service_network_rows), .size = sizeof(struct service_network), .extensions = true, .nullable = true,
    .checked_names = true, .has_key = true, .key_offset = offsetof(struct service_network, network), .has_pos = true,
    .pos_offset = offsetof(struct service_network, pos)};

static const struct key_row port_rows[] = {
    {"app_protocol", VALUE_STRING, ACCEPTED, TO(service_port, app_protocol)},
    {"host_ip", VALUE_STRING, TO(service_port, host_ip)},
    {"mode", VALUE_STRING, TO(service_port, mode)},
    {"name", VALUE_STRING, ACCEPTED, TO(service_port, name)},
    {"protocol", VALUE_STRING, TO(service_port, protocol)},
    {"published", VALUE_STRING, .lengthen = lengthen_published, CUSTOM(bind_port_published)},
    {"target", VALUE_INT, .flags = KEY_REQUIRED | KEY_KEEP, CUSTOM(bind_port_target), .low = 0, .high = UINT32_MAX},
};
static const struct key_table port_table = {TABLE_ROWS(port_rows), .size = sizeof(struct service_port), .extensions = true,
                                            .has_pos = true, .pos_offset = offsetof(struct service_port, pos),
                                            .identity = port_identity};

static const struct key_row provider_rows[] = {
    {"options", VALUE_SHAPED, MERGE_DEEP, .lengthen = lengthen_provider_options, CUSTOM(bind_provider_options)},
    {"type", VALUE_STRING, .flags = KEY_REQUIRED, TO(provider, type)},
};
static const struct key_table provider_table = {TABLE_ROWS(provider_rows), .size = sizeof(struct provider),
                                                .extensions = true, .has_set = true};

static const struct key_row volume_bind_rows[] = {
    {"create_host_path", VALUE_BOOL, .flags = KEY_KEEP, TO(service_volume, bind_create_host_path)},
    {"propagation", VALUE_STRING, TO(service_volume, bind_propagation)},
    {"recursive", VALUE_STRING, TO(service_volume, bind_recursive), .words = "enabled|disabled|writable|readonly"},
    {"selinux", VALUE_STRING, TO(service_volume, bind_selinux), .words = "z|Z"},
};
static const struct key_row volume_image_rows[] = {{"subpath", VALUE_STRING, TO(service_volume, subpath)}};
static const struct key_row volume_tmpfs_rows[] = {
    {"mode", VALUE_INT, .flags = KEY_CUT, NOT_NEGATIVE, TO(service_volume, tmpfs_mode), .lengthen = lengthen_tmpfs_mode},
    {"size", VALUE_BYTES, .flags = KEY_WHOLE, NOT_NEGATIVE, TO(service_volume, tmpfs_size)},
};
static const struct key_row volume_volume_rows[] = {
    {"labels", VALUE_KV, MERGE_DEEP, .flags = KEY_NULL_EMPTY | KEY_UNIQUE, TO(service_volume, volume_labels)},
    {"nocopy", VALUE_BOOL, TO(service_volume, volume_nocopy)},
    {"subpath", VALUE_STRING, TO(service_volume, subpath)},
};
static const struct key_table volume_bind_table = {TABLE_ROWS(volume_bind_rows), .extensions = true};
static const struct key_table volume_image_table = {TABLE_ROWS(volume_image_rows), .extensions = true};
static const struct key_table volume_tmpfs_table = {TABLE_ROWS(volume_tmpfs_rows), .extensions = true};
static const struct key_table volume_volume_table = {TABLE_ROWS(volume_volume_rows), .extensions = true};
static const struct key_row mount_rows[] = {
    {"bind", VALUE_OBJECT, MERGE_DEEP, .flags = KEY_KEEP, .bind = BIND_SAME, .table = &volume_bind_table},
    {"consistency", VALUE_STRING, ACCEPTED, TO(service_volume, consistency)},
    {"image", VALUE_OBJECT, MERGE_DEEP, .flags = KEY_KEEP, .bind = BIND_SAME, .table = &volume_image_table},
    {"read_only", VALUE_BOOL, TO(service_volume, read_only)},
    {"source", VALUE_STRING, TO(service_volume, source)},
    {"target", VALUE_STRING, .flags = KEY_REQUIRED, TO(service_volume, target)},
    {"tmpfs", VALUE_OBJECT, MERGE_DEEP, .flags = KEY_KEEP, .bind = BIND_SAME, .table = &volume_tmpfs_table},
    {"type", VALUE_STRING, .flags = KEY_REQUIRED, CUSTOM(bind_volume_type), .words = "bind|volume|tmpfs|cluster|npipe|image"},
    {"volume", VALUE_OBJECT, MERGE_DEEP, .flags = KEY_KEEP, .bind = BIND_SAME, .table = &volume_volume_table},
};
static const struct key_table mount_table = {TABLE_ROWS(mount_rows), .size = sizeof(struct service_volume),
                                             .extensions = true, .has_pos = true,
                                             .pos_offset = offsetof(struct service_volume, pos),
                                             .lengthen = lengthen_volume, .identity = target_identity};

static const struct key_row device_rows[] = {
    {"permissions", VALUE_STRING, TO(device_map, permissions)},
    {"source", VALUE_STRING, .flags = KEY_REQUIRED, TO(device_map, source)},
    {"target", VALUE_STRING, TO(device_map, target)},
};
static const struct key_table device_table = {TABLE_ROWS(device_rows), .size = sizeof(struct device_map),
                                              .extensions = true, .has_pos = true,
                                              .pos_offset = offsetof(struct device_map, pos),
                                              .lengthen = lengthen_device, .identity = target_identity};

static const struct key_row secret_ref_rows[] = {
    {"gid", VALUE_STRING, TO(file_ref, gid)},
    {"mode", VALUE_SHAPED, .flags = KEY_KEEP, CUSTOM(bind_file_mode), .lengthen = lengthen_file_mode},
    {"source", VALUE_STRING, TO(file_ref, source)},
    {"target", VALUE_STRING, TO(file_ref, target)},
    {"uid", VALUE_STRING, TO(file_ref, uid)},
};
#define FILE_REF                                                                                               \
    TABLE_ROWS(secret_ref_rows), .size = sizeof(struct file_ref), .extensions = true, .has_pos = true,         \
        .pos_offset = offsetof(struct file_ref, pos)
const struct key_table build_secret_table = {FILE_REF, .lengthen = lengthen_file_ref, .identity = secret_ref_identity};
const struct key_table file_ref_table = {FILE_REF, .lengthen = lengthen_secret_ref, .identity = secret_ref_identity};
static const struct key_table config_ref_table = {FILE_REF, .lengthen = lengthen_file_ref,
                                                  .identity = config_ref_identity};

static const struct key_row blkio_device_rows[] = {
    {"path", VALUE_STRING, .flags = KEY_ALWAYS, TO(blkio_device, path), .json = "Path"},
    {"rate", VALUE_BYTES, .flags = KEY_ALWAYS | KEY_WHOLE, TO(blkio_device, rate), .json = "Rate"},
};
static const struct key_row blkio_weight_rows[] = {
    {"path", VALUE_STRING, .flags = KEY_ALWAYS, TO(blkio_device, path), .json = "Path"},
    {"weight", VALUE_INT, .flags = KEY_ALWAYS, NOT_NEGATIVE, TO(blkio_device, rate), .json = "Weight"},
};
static const struct key_table blkio_device_table = {TABLE_ROWS(blkio_device_rows), .size = sizeof(struct blkio_device)};
static const struct key_table blkio_weight_table = {TABLE_ROWS(blkio_weight_rows), .size = sizeof(struct blkio_device)};
static const struct key_row blkio_rows[] = {
    {"device_read_bps", VALUE_LIST_OF, MERGE_APPEND, TO(blkio_config, device_read_bps), .table = &blkio_device_table},
    {"device_read_iops", VALUE_LIST_OF, MERGE_APPEND, TO(blkio_config, device_read_iops), .table = &blkio_device_table},
    {"device_write_bps", VALUE_LIST_OF, MERGE_APPEND, TO(blkio_config, device_write_bps), .table = &blkio_device_table},
    {"device_write_iops", VALUE_LIST_OF, MERGE_APPEND, TO(blkio_config, device_write_iops), .table = &blkio_device_table},
    {"weight", VALUE_INT, NOT_NEGATIVE, TO(blkio_config, weight)},
    {"weight_device", VALUE_LIST_OF, MERGE_APPEND, TO(blkio_config, weight_device), .table = &blkio_weight_table},
};
static const struct key_table blkio_table = {TABLE_ROWS(blkio_rows), .size = sizeof(struct blkio_config), .has_set = true};

static const struct key_row credential_rows[] = {
    {"config", VALUE_STRING, .flags = 0}, {"file", VALUE_STRING, .flags = 0}, {"registry", VALUE_STRING, .flags = 0}};
static const struct key_table credential_table = {TABLE_ROWS(credential_rows), .extensions = true};

static const struct key_row service_model_rows[] = {
    {"endpoint_var", VALUE_STRING, TO(service_model, endpoint_var)},
    {"model_var", VALUE_STRING, TO(service_model, model_var)},
};
static const struct key_table service_model_table = {
    TABLE_ROWS(service_model_rows), .size = sizeof(struct service_model), .extensions = true, .nullable = true,
    .checked_names = true, .has_key = true, .key_offset = offsetof(struct service_model, model)};

/* ---- the service ---- */
static const struct key_row service_rows[] = {
    {"annotations", VALUE_KV, MERGE_DEEP, .flags = KEY_NULL_EMPTY, S(annotations)},
    {"attach", VALUE_BOOL, .flags = KEY_KEEP, S(attach)},
    {"blkio_config", VALUE_OBJECT, MERGE_DEEP, .flags = KEY_KEEP, S(blkio), .table = &blkio_table},
    {"build", VALUE_OBJECT, MERGE_DEEP, ACCEPTED, .flags = KEY_KEEP | KEY_NO_HASH | KEY_QUIET, S(build), .table = &build_table,
     .lengthen = lengthen_build, .note = "building is not done by this version: with `image` the image is pulled or local"},
    {"cap_add", VALUE_LIST, MERGE_UNIQUE_KEY, S(cap_add)},
    {"cap_drop", VALUE_LIST, MERGE_UNIQUE_KEY, S(cap_drop)},
    {"cgroup", VALUE_STRING, S(cgroup), .words = "host|private"},
    {"cgroup_parent", VALUE_STRING, S(cgroup_parent)},
    {"command", VALUE_COMMAND, .flags = KEY_NULLABLE | KEY_NULL_WINS | KEY_KEEP | KEY_JSON_NULL, S(command)},
    {"configs", VALUE_LIST_OF, MERGE_BY_ID, S(configs), .table = &config_ref_table},
    {"container_name", VALUE_STRING, S(container_name), .lengthen = lengthen_container_name},
    {"cpu_count", VALUE_INT, WINDOWS, NOT_NEGATIVE, S(cpu_count)},
    {"cpu_percent", VALUE_NUMBER, WINDOWS, .flags = KEY_WHOLE, .low = 0, .high = 100, S(cpu_percent)},
    {"cpu_period", VALUE_INT, .flags = KEY_CUT, S(cpu_period_us)},
    {"cpu_quota", VALUE_INT, .flags = KEY_CUT, S(cpu_quota_us)},
    {"cpu_rt_period", VALUE_INT, .flags = KEY_CUT, S(cpu_rt_period_us)},
    {"cpu_rt_runtime", VALUE_INT, .flags = KEY_CUT, S(cpu_rt_runtime_us)},
    {"cpu_shares", VALUE_INT, .flags = KEY_CUT, S(cpu_shares)},
    {"cpus", VALUE_NUMBER, S(cpus)},
    {"cpuset", VALUE_STRING, S(cpuset)},
    {"credential_spec", VALUE_OBJECT, MERGE_DEEP, WINDOWS, .flags = KEY_KEEP, .table = &credential_table},
    {"depends_on", VALUE_MAP_OF, MERGE_DEEP, .flags = KEY_NO_HASH, S(depends_on), .table = &depends_on_table,
     .lengthen = lengthen_depends_on},
    {"deploy", VALUE_OBJECT, MERGE_DEEP, .flags = KEY_NULLABLE | KEY_KEEP, S(deploy), .table = &deploy_table},
    {"develop", VALUE_OBJECT, MERGE_DEEP, ACCEPTED, .flags = KEY_NULLABLE | KEY_KEEP | KEY_QUIET, .bind = BIND_SAME,
     .table = &develop_table, .note = "read by `watch` alone"},
    {"device_cgroup_rules", VALUE_LIST, MERGE_APPEND, .flags = KEY_UNIQUE, S(device_cgroup_rules)},
    {"devices", VALUE_LIST_OF, MERGE_BY_ID, S(devices), .table = &device_table},
    {"dns", VALUE_LIST, MERGE_UNIQUE_KEY, .flags = KEY_OR_STRING | KEY_LONG, S(dns), .lengthen = lengthen_dns},
    {"dns_opt", VALUE_LIST, MERGE_UNIQUE_KEY, S(dns_opt)},
    {"dns_search", VALUE_LIST, MERGE_UNIQUE_KEY, .flags = KEY_OR_STRING, S(dns_search)},
    {"domainname", VALUE_STRING, S(domainname)},
    {"entrypoint", VALUE_COMMAND, .flags = KEY_NULLABLE | KEY_NULL_WINS | KEY_KEEP | KEY_JSON_NULL, S(entrypoint)},
    {"env_file", VALUE_LIST_OF, MERGE_BY_ID, .bind = BIND_NONE, .table = &env_file_table, .lengthen = lengthen_env_files},
    {"environment", VALUE_KV, MERGE_DEEP, .flags = KEY_NO_TRAILING, S(environment)},
    {"expose", VALUE_LIST, MERGE_UNIQUE, .flags = KEY_NUMBERS, S(expose)},
    {"extends", VALUE_OBJECT, .table = &extends_table, .lengthen = lengthen_extends},
    {"external_links", VALUE_LIST, MERGE_APPEND, LATER, .flags = KEY_UNIQUE, S(external_links)},
    {"extra_hosts", VALUE_LIST, MERGE_UNIQUE, .lengthen = lengthen_extra_hosts, CUSTOM(bind_extra_hosts)},
    {"gpus", VALUE_LIST_OF, MERGE_APPEND, S(gpus), .table = &device_request_table, .lengthen = lengthen_gpus,
     .note = "by CDI: nvidia.com/gpu, amd.com/gpu"},
    {"group_add", VALUE_LIST, MERGE_APPEND, .flags = KEY_NUMBERS | KEY_UNIQUE, S(group_add)},
    {"healthcheck", VALUE_OBJECT, MERGE_DEEP, .flags = KEY_KEEP, S(healthcheck), .table = &healthcheck_table},
    {"hostname", VALUE_STRING, S(hostname)},
    {"image", VALUE_STRING, S(image)},
    {"init", VALUE_BOOL, .flags = KEY_KEEP, S(init)},
    {"ipc", VALUE_STRING, S(ipc)},
    {"isolation", VALUE_STRING, WINDOWS, S(isolation)},
    {"label_file", VALUE_LIST, MERGE_UNIQUE, .flags = KEY_OR_STRING | KEY_PATH},
    {"labels", VALUE_KV, MERGE_DEEP, .flags = KEY_NULL_EMPTY, S(labels)},
    {"links", VALUE_LIST, MERGE_UNIQUE_KEY, S(links), .note = "without an alias of its own: use networks.NAME.aliases"},
    {"logging", VALUE_OBJECT, MERGE_LOGGING, .flags = KEY_KEEP, S(logging), .table = &logging_table},
    {"mac_address", VALUE_STRING, S(mac_address)},
    {"mem_limit", VALUE_BYTES, S(mem_limit)},
    {"mem_reservation", VALUE_BYTES, .flags = KEY_WHOLE, S(mem_reservation)},
    {"mem_swappiness", VALUE_BYTES, .flags = KEY_WHOLE | KEY_KEEP, S(mem_swappiness)},
    {"memswap_limit", VALUE_BYTES, S(memswap_limit)},
    {"models", VALUE_MAP_OF, MERGE_DEEP, LATER, S(models), .table = &service_model_table, .lengthen = lengthen_names},
    {"network_mode", VALUE_STRING, .flags = KEY_KEEP, S(network_mode)},
    {"networks", VALUE_MAP_OF, MERGE_DEEP, S(networks), .table = &service_network_table, .lengthen = lengthen_names},
    {"oom_kill_disable", VALUE_BOOL, S(oom_kill_disable)},
    {"oom_score_adj", VALUE_INT, .low = -1000, .high = 1000, S(oom_score_adj)},
    {"pid", VALUE_STRING, .flags = KEY_NULLABLE, S(pid)},
    {"pids_limit", VALUE_INT, .flags = KEY_CUT, S(pids_limit)},
    {"platform", VALUE_STRING, S(platform)},
    {"ports", VALUE_LIST_OF, MERGE_BY_ID, S(ports), .table = &port_table, .lengthen = lengthen_ports},
    {"post_start", VALUE_LIST_OF, MERGE_APPEND, S(post_start), .table = &hook_table},
    {"pre_start", VALUE_LIST_OF, MERGE_APPEND, LATER, S(pre_start), .table = &pre_start_table},
    {"pre_stop", VALUE_LIST_OF, MERGE_APPEND, S(pre_stop), .table = &hook_table},
    {"privileged", VALUE_BOOL, S(privileged)},
    {"profiles", VALUE_LIST, MERGE_UNIQUE_KEY, .flags = KEY_NO_HASH, S(profiles)},
    {"provider", VALUE_OBJECT, MERGE_DEEP, LATER, .flags = KEY_KEEP, S(provider), .table = &provider_table},
    {"pull_policy", VALUE_STRING, .flags = KEY_NO_HASH, S(pull_policy), .lengthen = lengthen_pull_policy},
    {"pull_refresh_after", VALUE_STRING, ACCEPTED},
    {"read_only", VALUE_BOOL, S(read_only)},
    {"restart", VALUE_STRING, .flags = 0},
    {"runtime", VALUE_STRING, LATER, S(runtime)},
    {"scale", VALUE_INT, .flags = KEY_KEEP | KEY_NO_HASH, S(scale)},
    {"secrets", VALUE_LIST_OF, MERGE_BY_ID, S(secrets), .table = &file_ref_table},
    {"security_opt", VALUE_LIST, MERGE_APPEND, .flags = KEY_UNIQUE, S(security_opt)},
    {"shm_size", VALUE_BYTES, S(shm_bytes)},
    {"stdin_open", VALUE_BOOL, S(stdin_open)},
    {"stop_grace_period", VALUE_DURATION, .flags = KEY_KEEP, S(stop_grace_us)},
    {"stop_signal", VALUE_STRING, S(stop_signal)},
    {"storage_opt", VALUE_KV, MERGE_DEEP, .flags = KEY_NULL_EMPTY | KEY_MAP_ONLY | KEY_NO_BOOL, S(storage_opt),
     .note = "size, where the file system has project quotas"},
    {"sysctls", VALUE_KV, MERGE_DEEP, .flags = KEY_NULL_EMPTY, S(sysctls)},
    {"tmpfs", VALUE_LIST, MERGE_UNIQUE_KEY, .flags = KEY_OR_STRING},
    {"tty", VALUE_BOOL, S(tty)},
    {"ulimits", VALUE_SHAPED, MERGE_FORM, .flags = KEY_JSON_PAIRS | KEY_LONG, .lengthen = lengthen_ulimits, CUSTOM(bind_ulimits)},
    {"use_api_socket", VALUE_BOOL, LATER, .flags = KEY_NO_STRING, S(use_api_socket),
     .note = "there is no engine socket to hand out"},
    {"user", VALUE_STRING, .flags = KEY_NUMBERS, S(user)},
    {"userns_mode", VALUE_STRING, S(userns_mode)},
    {"uts", VALUE_STRING, S(uts)},
    {"volumes", VALUE_LIST_OF, MERGE_BY_ID, S(volumes), .table = &mount_table},
    {"volumes_from", VALUE_LIST, MERGE_APPEND, .flags = KEY_UNIQUE, S(volumes_from)},
    {"working_dir", VALUE_STRING, S(working_dir)},
};
const struct key_table service_table = {TABLE_ROWS(service_rows), .size = sizeof(struct service), .extensions = true,
                                        .checked_names = true, .has_key = true,
                                        .key_offset = offsetof(struct service, name), .has_pos = true,
                                        .pos_offset = offsetof(struct service, pos)};
