/* SPDX-License-Identifier: Apache-2.0 */
/* ref.h - image references ("nginx", "ghcr.io/a/b:1", "x@sha256:…") and digest strings. Pure.
 *
 * Grammar of the distribution project: [domain/]path[:tag][@digest]; docker.io and library/ are
 * implied. */
#pragma once

#include <stdbool.h>

#include "base/err.h"
#include "base/mem.h"

#define DIGEST_SIZE  72 /* "sha256:" + 64 digits + terminator */
#define REF_NAME_MAX 255

struct image_ref {
    char *registry;   /* "docker.io", "ghcr.io", "127.0.0.1:5000", "[::1]:5000" */
    char *repository; /* "library/nginx" */
    char *tag;        /* NULL only when digest is set */
    char *digest;     /* "sha256:<64 hex>" or NULL */
};

/* ERR_CONFIG for a text that is no reference. Owned: image_ref_done. */
int image_ref_parse(const char *text, struct image_ref *ret_ref, struct err *err);
void image_ref_done(struct image_ref *ref);
/* "registry/repository[:tag][@digest]". Owned. */
char *image_ref_format(const struct image_ref *ref);

/* Exactly "sha256:" and 64 lower-case hex digits. */
bool digest_is_valid(const char *text);
/* The 64 digits of a valid digest; borrowed. */
const char *digest_hex(const char *digest);
