/* SPDX-License-Identifier: Apache-2.0 */
/* yaml_write.c - the only writer that knows libyaml: walks a tree and emits events. */
#include "parser/yaml_write.h"

#include <string.h>
#include <yaml.h>

#include "base/str.h"
#include "parser/scalar.h"

static int write_bytes(void *data, unsigned char *buffer, size_t size)
{
    str_add_bytes(data, buffer, size);
    return 1;
}

static bool is_block_text(const char *text)
{
    if (!strchr(text, '\n') || *text == ' ' || *text == '\t' || *text == '\n')
        return false;
    for (const char *p = text; *p; p++)
        if (((unsigned char)*p < ' ' && *p != '\n') || (*p == ' ' && (p[1] == '\n' || !p[1])))
            return false;
    return true;
}

static void emit(yaml_emitter_t *emitter, yaml_event_t *event)
{
    if (!yaml_emitter_emit(emitter, event))
        abort(); /* a sequence of events that is ours alone, or memory is out */
}

static void emit_text(yaml_emitter_t *emitter, const char *text, yaml_scalar_style_t style)
{
    yaml_event_t event;
    size_t size = strlen(text);
    if (!yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text, (int)size, 1, 1, style)) {
        /* bytes that are no UTF-8 cannot be YAML: shown escaped */
        _cleanup_free_ char *printable = str_printable(text);
        if (!yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)printable,
                                          (int)strlen(printable), 1, 1, YAML_DOUBLE_QUOTED_SCALAR_STYLE))
            abort();
    }
    emit(emitter, &event);
}

static void emit_string(yaml_emitter_t *emitter, const char *text)
{
    yaml_scalar_style_t style = YAML_PLAIN_SCALAR_STYLE;
    if (is_block_text(text))
        style = YAML_LITERAL_SCALAR_STYLE;
    else if (scalar_needs_quotes(text))
        style = YAML_DOUBLE_QUOTED_SCALAR_STYLE;
    emit_text(emitter, text, style);
}

static void emit_node(yaml_emitter_t *emitter, const struct node *node)
{
    yaml_event_t event;
    switch (node->kind) {
    case NODE_NULL: emit_text(emitter, "null", YAML_PLAIN_SCALAR_STYLE); break;
    case NODE_BOOL:
    case NODE_INT:
    case NODE_FLOAT: emit_text(emitter, node->text, YAML_PLAIN_SCALAR_STYLE); break;
    case NODE_STRING: emit_string(emitter, node->text); break;
    case NODE_LIST:
        yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
                                             node->count ? YAML_BLOCK_SEQUENCE_STYLE : YAML_FLOW_SEQUENCE_STYLE);
        emit(emitter, &event);
        NODE_EACH(entry, node)
            emit_node(emitter, entry->value);
        yaml_sequence_end_event_initialize(&event);
        emit(emitter, &event);
        break;
    case NODE_MAP:
        yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
                                            node->count ? YAML_BLOCK_MAPPING_STYLE : YAML_FLOW_MAPPING_STYLE);
        emit(emitter, &event);
        NODE_EACH(entry, node) {
            emit_string(emitter, entry->key);
            emit_node(emitter, entry->value);
        }
        yaml_mapping_end_event_initialize(&event);
        emit(emitter, &event);
        break;
    }
}

char *yaml_write(const struct node *node)
{
    yaml_emitter_t emitter;
    yaml_event_t event;
    struct str text = {0};

    if (!yaml_emitter_initialize(&emitter))
        abort();
    yaml_emitter_set_output(&emitter, write_bytes, &text);
    yaml_emitter_set_indent(&emitter, 2);
    yaml_emitter_set_width(&emitter, -1);
    yaml_emitter_set_unicode(&emitter, 1);
    yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
    emit(&emitter, &event);
    yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1);
    emit(&emitter, &event);
    emit_node(&emitter, node);
    yaml_document_end_event_initialize(&event, 1);
    emit(&emitter, &event);
    yaml_stream_end_event_initialize(&event);
    emit(&emitter, &event);
    yaml_emitter_delete(&emitter);
    return str_take(&text);
}
