/* SPDX-License-Identifier: Apache-2.0 */
/* A line of a log file, as somebody else may have left it; and what the writer makes of any bytes is read back. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "engine/log/decode.h"
#include "engine/log/file.h"
#include "engine/monitor/logfile.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct log_record record;
    struct log_ending ending;
    if (size > LOG_LINE_MAX)
        return 0;
    _cleanup_free_ char *text = xmalloc(size + 1), *line = xmalloc(LOG_RECORD_ROOM(size)), *decoded = xmalloc(LOG_RECORD_ROOM(size));
    struct log_decoder decoder = {.text = text};
    (void)log_line_decode(&decoder, (const char *)data, size, &record);
    (void)log_record_ends_line((const char *)data, size);

    bool newline = size % 2;
    if (memchr(data, '\n', size))
        return 0;
    log_ending_format(&ending, false, "2026-11-23T21:54:31.123456789Z", size % 3 ? "" : ",\"attrs\":{\"a\":\"b\"}");
    size_t length = log_record_format(line, (const char *)data, size, newline, &ending);
    decoder = (struct log_decoder){.text = decoded};
    if (length > LOG_RECORD_ROOM(size) || line[length - 1] != '\n' || memchr(line, '\n', length - 1) ||
        !log_line_decode(&decoder, line, length - 1, &record) || record.size != size + newline ||
        memcmp(record.text, data, size) != 0 || record.partial == newline ||
        log_record_ends_line(line, length - 1) != newline)
        abort();
    return 0;
}
