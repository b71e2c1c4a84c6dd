/* Types: their classes, sizes and names. */
#include "vm/type.h"

enum wr_class wr_type_class(struct wr_type type)
{
    switch ((enum wr_kind)type.kind) {
    case WR_KIND_BOOLEAN: return WR_CLASS_BOOL;
    case WR_KIND_INT:
    case WR_KIND_BIGINT:
    case WR_KIND_DATE:
    case WR_KIND_TIME:
    case WR_KIND_TIMESTAMP:
    case WR_KIND_INTERVAL: return WR_CLASS_I64;
    case WR_KIND_FLOAT:
    case WR_KIND_DOUBLE: return WR_CLASS_F64;
    case WR_KIND_DECIMAL: return WR_CLASS_DEC;
    case WR_KIND_NULL: /* a NULL that nothing gave a type: stored where it takes least */
        return WR_CLASS_BOOL;
    case WR_KIND_STRING:
    case WR_KIND_BYTES:
    case WR_KIND_ARRAY:
    case WR_KIND_MAP:
    case WR_KIND_ROW:
    case WR_KIND_JSON:
    case WR_KIND_ERROR: break;
    }
    return WR_CLASS_STR;
}

static const char *const kind_name[] = {
    [WR_KIND_NULL] = "NULL",       [WR_KIND_BOOLEAN] = "BOOLEAN",     [WR_KIND_INT] = "INT",
    [WR_KIND_BIGINT] = "BIGINT",   [WR_KIND_FLOAT] = "FLOAT",         [WR_KIND_DOUBLE] = "DOUBLE",
    [WR_KIND_DECIMAL] = "DECIMAL", [WR_KIND_STRING] = "STRING",       [WR_KIND_BYTES] = "BYTES",
    [WR_KIND_DATE] = "DATE",       [WR_KIND_TIME] = "TIME",           [WR_KIND_TIMESTAMP] = "TIMESTAMP",
    [WR_KIND_INTERVAL] = "INTERVAL", [WR_KIND_ARRAY] = "ARRAY",       [WR_KIND_MAP] = "MAP",
    [WR_KIND_ROW] = "ROW",         [WR_KIND_JSON] = "JSON",           [WR_KIND_ERROR] = "?",
};

void wr_type_print(struct wr_type type, struct wr_buf *out)
{
    WR_ASSERT(type.kind < WR_COUNT(kind_name) && type.element < WR_COUNT(kind_name));
    wr_buf_add_cstr(out, kind_name[type.kind]);
    bool array = type.kind == WR_KIND_ARRAY;
    if (array) wr_buf_printf(out, "<%s", kind_name[type.element]);
    if ((array ? type.element : type.kind) == WR_KIND_DECIMAL)
        wr_buf_printf(out, "(%u,%u)", type.precision, type.scale);
    if (array) wr_buf_add_char(out, '>');
}

size_t wr_class_size(enum wr_class cls)
{
    static const uint8_t size[WR_CLASS_COUNT] = {1, 8, 8, 16, 0};
    WR_ASSERT(cls < WR_CLASS_COUNT);
    return size[cls];
}
