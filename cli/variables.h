/* SPDX-License-Identifier: Apache-2.0 */
/* variables.h - environment variables in place of options.
 *
 * Source: compose-reference b.4. */
#pragma once

#include "cli/cli.h"

/* Fills global options that the command line left open, and checks the words of --ansi and --progress. ERR_USAGE: a value that
 * cannot be; ERR_UNSUPPORTED: a variable that asks for what winch does not do. */
int variables_apply(struct cli *cli, struct err *err);
