/* SPDX-License-Identifier: Apache-2.0 */
/* decode.h - one line of a log file → record. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "engine/log/read.h"

struct log_decoder { /* zero at first */
    char *text;      /* buffer of capacity bytes, the caller's: at least as long as a line */
    char second[20]; /* the second decoded last: most lines share it with the one before */
    int64_t second_ns;
};

/* line has no newline. False for a damaged line. ret_record->text points into decoder->text. */
bool log_line_decode(struct log_decoder *decoder, const char *line, size_t size,
                     struct log_record *ret_record);
