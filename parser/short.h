/* SPDX-License-Identifier: Apache-2.0 */
/* short.h - the short syntaxes of Compose and their long forms.
 *
 * Source: Compose Specification and compose-reference a.2.1, a.2.2. */
#pragma once

#include "parser/schema.h"

/* Splits a command line into words much as a shell would, starting none; words are appended to list. NULL, or what is
 * wrong with the text. As in the reference implementation the words end before a ; & | < or > outside quotes:
 * *ret_rest is then what is left, else NULL. \t and \n are a tabulator and a line end, also in double quotes. */
const char *words_split(struct arena *arena, const char *text, struct node *list, const char **ret_rest);

/* "[[IP:][HOST[-HOST]:]TARGET[-TARGET][/PROTO]" → one or more long forms appended to list (mode, host_ip, target,
 * published, protocol). NULL, or what is wrong with the text. */
const char *port_short_parse(struct arena *arena, const char *text, struct pos pos, struct node *list);
bool port_host_ip_is_valid(const char *text);

/* "[SOURCE:]TARGET[:OPTIONS]" → a long form. NULL, or what is wrong. The source of a bind mount is left as written. */
const char *volume_short_parse(struct arena *arena, const char *text, struct pos pos, struct node **ret_volume);

/* lengthen and identity functions of the tables */
void lengthen_ports(struct shaping *shaping, struct node *node, const struct path *path);
char *port_identity(const struct node *item);
void lengthen_volume(struct shaping *shaping, struct node *node, const struct path *path);
char *target_identity(const struct node *item);
void lengthen_names(struct shaping *shaping, struct node *node, const struct path *path); /* list → map of null */
void lengthen_depends_on(struct shaping *shaping, struct node *node, const struct path *path);
void check_filled(struct shaping *shaping, struct node *node, const struct path *path);
void lengthen_dns(struct shaping *shaping, struct node *node, const struct path *path);
void lengthen_env_files(struct shaping *shaping, struct node *node, const struct path *path);
void lengthen_env_file(struct shaping *shaping, struct node *node, const struct path *path);
void lengthen_healthcheck_test(struct shaping *shaping, struct node *node, const struct path *path);
void lengthen_extra_hosts(struct shaping *shaping, struct node *node, const struct path *path);
void lengthen_ulimits(struct shaping *shaping, struct node *node, const struct path *path);
void lengthen_file_ref(struct shaping *shaping, struct node *node, const struct path *path);
void lengthen_secret_ref(struct shaping *shaping, struct node *node, const struct path *path);
void lengthen_file_mode(struct shaping *shaping, struct node *node, const struct path *path);
char *secret_ref_identity(const struct node *item);
char *config_ref_identity(const struct node *item);
void lengthen_device(struct shaping *shaping, struct node *node, const struct path *path);
void lengthen_gpus(struct shaping *shaping, struct node *node, const struct path *path);
void lengthen_device_count(struct shaping *shaping, struct node *node, const struct path *path);
void lengthen_build(struct shaping *shaping, struct node *node, const struct path *path);
void lengthen_build_context(struct shaping *shaping, struct node *node, const struct path *path);
void lengthen_additional_contexts(struct shaping *shaping, struct node *node, const struct path *path);
void lengthen_ssh(struct shaping *shaping, struct node *node, const struct path *path);
void lengthen_external(struct shaping *shaping, struct node *node, const struct path *path);
void lengthen_provider_options(struct shaping *shaping, struct node *node, const struct path *path);
void lengthen_extends(struct shaping *shaping, struct node *node, const struct path *path);
void lengthen_published(struct shaping *shaping, struct node *node, const struct path *path);
void lengthen_container_name(struct shaping *shaping, struct node *node, const struct path *path);
void lengthen_pull_policy(struct shaping *shaping, struct node *node, const struct path *path);
char *subnet_identity(const struct node *item);
void lengthen_device_request(struct shaping *shaping, struct node *node, const struct path *path);
char *env_file_identity(const struct node *item);
void lengthen_tmpfs_mode(struct shaping *shaping, struct node *node, const struct path *path);
