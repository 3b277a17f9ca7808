/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.c - decoding of one UTF-8 sequence after RFC 3629, table 3-7 of the Unicode Standard. */
#include "base/utf8.h"

#include <string.h>

size_t utf8_decode(const char *text, size_t size, uint32_t *ret_code)
{
    static const struct {
        unsigned char mask, lead;
        uint32_t smallest;
    } forms[] = {
        {0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    const unsigned char *bytes = (const unsigned char *)text;

    if (size == 0)
        return 0;
    for (size_t extra = 0; extra < 4; extra++) {
        if ((bytes[0] & forms[extra].mask) != forms[extra].lead)
            continue;
        if (extra >= size)
            return 0;
        uint32_t code = bytes[0] & (unsigned char)~forms[extra].mask;
        for (size_t i = 1; i <= extra; i++) {
            if ((bytes[i] & 0xc0) != 0x80)
                return 0;
            code = code << 6 | (bytes[i] & 0x3f);
        }
        if (code < forms[extra].smallest || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
            return 0;
        if (ret_code)
            *ret_code = code;
        return extra + 1;
    }
    return 0;
}

bool utf8_is_valid(const char *text)
{
    for (size_t left = strlen(text), size; left > 0; left -= size, text += size) {
        size = utf8_decode(text, left, NULL);
        if (size == 0)
            return false;
    }
    return true;
}
