/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_template.c - interpolation of any text: no crash, and text without a dollar sign stays as it is. */
#include <assert.h>
#include <stdint.h>

#include "parser/template.h"

static const char *lookup(void *context, const char *name)
{
    (void)context;
    return name[0] == 'A' ? "value" : name[0] == 'E' ? "" : NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct template_scope scope = {.lookup = lookup};
    struct str out = {0};
    char *text = xstrndup((const char *)data, size), *message;
    enum template_status status = template_expand(text, &scope, &out, &message);
    if (!strchr(text, '$'))
        assert(status == TEMPLATE_OK && strcmp(str_text(&out), text) == 0);
    assert((status == TEMPLATE_OK) == (message == NULL));
    str_done(&out);
    free(message);
    free(text);
    return 0;
}
