/* SPDX-License-Identifier: Apache-2.0 */
/* bind.h - long form → model, by offset and kind in the tables, and the few fields that need a word of code. */
#pragma once

#include "parser/schema.h"

/* Fills *object (a struct of the table's size, zeroed) from a mapping in long form. */
void bind_object(struct binder *binder, const struct key_table *table, const struct node *node, void *object);
/* MODEL_LIST of table at *list from a list or mapping. */
void bind_list(struct binder *binder, const struct key_table *table, const struct node *node, void *list);
void bind_strings(struct binder *binder, const struct node *node, struct str_list *ret);
void bind_pairs(struct binder *binder, const struct node *node, struct kv_list *ret);

/* custom functions of the tables */
void bind_port_target(struct binder *binder, const struct node *node, void *object);
void bind_port_published(struct binder *binder, const struct node *node, void *object);
void bind_depends_condition(struct binder *binder, const struct node *node, void *object);
void bind_volume_type(struct binder *binder, const struct node *node, void *object);
void bind_extra_hosts(struct binder *binder, const struct node *node, void *object);
void bind_build_extra_hosts(struct binder *binder, const struct node *node, void *object);
void bind_ulimits(struct binder *binder, const struct node *node, void *object);
void bind_build_ulimits(struct binder *binder, const struct node *node, void *object);
void bind_ssh(struct binder *binder, const struct node *node, void *object);
void bind_file_mode(struct binder *binder, const struct node *node, void *object);
void bind_provider_options(struct binder *binder, const struct node *node, void *object);
void bind_preferences(struct binder *binder, const struct node *node, void *object);

/* The whole project from its long form. The project's arena, working_dir and lists of files are set by the caller. */
void bind_project(struct project *project, const struct node *canonical, const struct node *disabled);
/* One service from its long form, with defaults and what folds several keys into one field. */
void bind_service(struct binder *binder, const struct node *node, struct service *service);
