/* SPDX-License-Identifier: Apache-2.0 */
/* meta.h - meta.json of one volume. Inside volumes/ only. */
#pragma once

#include "volumes/volume.h"

#define VOLUME_META_VERSION 1
#define VOLUME_META_MAX     (256 * 1024)
#define VOLUME_META         "meta.json"
#define VOLUME_DATA         "_data"
#define VOLUME_DATA_NEW     "_data.new"

/* Reads <volumes_fd>/<name>/meta.json. ERR_NOT_FOUND, ERR_CORRUPT, ERR_UNSUPPORTED (newer version). */
int volume_meta_load(const struct layout *layout, int volumes_fd, const char *name, struct volume_info *ret_info, struct err *err);
/* Durable. dir_fd: of <volumes_fd>/<name>. */
int volume_meta_save(int dir_fd, const struct volume_info *info, struct err *err);
/* lib/volumes and a lock over all of them (create: make it; else ERR_NOT_FOUND). */
int volumes_open(const struct layout *layout, bool create, int *ret_fd, struct err *err);
int volumes_lock(int volumes_fd, int *ret_lock, struct err *err);
/* The directory of one volume, without following a link. */
int volume_dir_open(int volumes_fd, const char *name, int *ret_fd, struct err *err);
