/* SPDX-License-Identifier: Apache-2.0 */
/* document.h - one compose file: from its bytes to a document in long form with include and extends resolved. */
#pragma once

#include "parser/schema.h"

/* Reads a file (path absolute, or "-": standard input). *ret_text is the caller's and terminated. 0, or -1 with *err:
 * ERR_NOT_FOUND, ERR_CONFIG for a directory, ERR_LIMIT when it is too big. */
int file_read(const char *path, size_t max_bytes, char **ret_text, size_t *ret_size, struct err *err);

/* Interpolates a raw document, which must be a mapping, and no more. False after a diagnostic. */
bool document_interpolate(struct loading *loading, struct node *document);
/* Interpolates a raw document, checks it and turns it into the long form, in place. False: findings make it useless. */
bool document_prepare(struct loading *loading, struct node *document, const char *base_dir);
/* After document_prepare said false: replaces what the findings from number first_diag on lie in, so that the document
 * can be merged and the rest of it be judged. False: they lie in no part that can be replaced. */
bool document_salvage(struct loading *loading, struct node *document, size_t first_diag);
/* Puts a prepared document onto the tree (NULL: none yet): its includes, its extends, then itself. path: of its
 * file; base_dir: of its relative paths. Returns the tree, or NULL after a diagnostic. */
struct node *document_add(struct loading *loading, struct node *tree, struct node *document, const char *path,
                          const char *base_dir);

/* extends.c: resolves `extends` of all services of a prepared document. */
void extends_resolve(struct loading *loading, struct node *document, const char *path, const char *base_dir);
/* What loading->files_read is; freed by the caller. */
struct map *extends_files_new(void);
/* include.c: the services and resources of what a document includes: of two with one name the first counts more.
 * NULL after a diagnostic. */
struct node *include_load(struct loading *loading, const struct node *include, const char *path, const char *base_dir);
