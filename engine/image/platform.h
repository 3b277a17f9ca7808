/* SPDX-License-Identifier: Apache-2.0 */
/* platform.h - "linux/arm/v7" and which of an index's platforms fits best. Pure but for
 * platform_host. */
#pragma once

#include <stdbool.h>

#include "base/err.h"

struct platform {
    char os[32], architecture[32], variant[16]; /* variant "" when there is none */
};

/* "os/arch[/variant]", or "arch" alone for linux; aliases (x86_64, aarch64, armhf) are understood.
 * ERR_CONFIG. */
int platform_parse(const char *text, struct platform *ret_platform, struct err *err);
/* From uname's machine ("x86_64"); an unknown one is used as it is. */
void platform_of_machine(const char *machine, struct platform *ret_platform);
void platform_host(struct platform *ret_platform);
/* How well what is offered runs where wanted is asked for: 0 not at all, more is better. Empty
 * offered fields of an old image fit anything. */
int platform_score(const struct platform *wanted, const struct platform *offered);
/* "linux/arm64" or "linux/arm/v7"; buffer >= 84. Returns buffer. */
const char *platform_format(const struct platform *platform, char *buffer, unsigned size);
