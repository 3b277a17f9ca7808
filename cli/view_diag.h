/* SPDX-License-Identifier: Apache-2.0 */
/* view_diag.h - findings for people and for programs. */
#pragma once

#include <stdio.h>

#include "base/json.h"
#include "cli/cli.h"

/* Prints findings in their order: on a terminal (or with --progress tty) each with its line of the
 * file and a mark below the column; with --progress json one JSON object a line; else one line
 * each, plus note and hint. */
void view_diags(const struct cli *cli, const struct diags *diags, FILE *stream);
/* {"error", "level", "file", "line", "column", "path", "message", "hint", "id", "other": {"file",
 * "line", "column"}}; what a finding does not have is left out. Owned. */
struct jv *diag_to_json(const struct diag *diag);
