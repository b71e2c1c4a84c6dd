/* Rows as JSON lines. Keys are written beforehand, with the comma in front and the colon behind. */
#include "connectors/encode.h"
#include "connectors/internal.h"
#include "vm/text.h"

struct json_column {
    struct wr_type type;
    bool quoted;
    char *lead;       /* ,"name": */
    size_t lead_size;
    struct wr_day_cache day;
};

struct json_encoder {
    struct wr_encoder encoder;
    uint32_t count;
    bool omit_nulls;
    struct json_column *column;
};

static void json_begin(struct wr_encoder *encoder, struct wr_buf *out)
{
    WR_UNUSED(encoder);
    WR_UNUSED(out);
}

/* A JSON value as it is, on one line: a line end can only be white space between its tokens. */
static void put_json(struct wr_slice text, struct wr_buf *out)
{
    size_t from = out->size;
    wr_buf_add_slice(out, text);
    for (; from < out->size; from++)
        if (out->data[from] == '\n' || out->data[from] == '\r') out->data[from] = ' ';
}

static void put_value(struct json_column *c, const struct wr_vector *v, uint32_t row, struct wr_buf *out)
{
    if (v->cls == WR_CLASS_STR) {
        if (c->type.kind == WR_KIND_STRING) {
            wr_json_quote(v->u.str[row], out);
        } else if (c->type.kind == WR_KIND_BYTES) {
            wr_buf_add_char(out, '"');
            wr_base64_encode(v->u.str[row], out);
            wr_buf_add_char(out, '"');
        } else if (c->type.kind == WR_KIND_ARRAY) {
            wr_encode_array(v->u.str[row], c->type, out);
        } else {
            put_json(v->u.str[row], out);
        }
        return;
    }
    char *p = wr_buf_reserve(out, WR_TEXT_MAX + 2);
    size_t n = wr_encode_scalar(p + c->quoted, c->type, v, row, &c->day);
    if (n == 0) {
        memcpy(p, "null", 4); /* JSON has no NaN and no infinity */
        out->size += 4;
        return;
    }
    if (c->quoted) {
        p[0] = '"';
        p[n + 1] = '"';
        n += 2;
    }
    out->size += n;
}

static void json_row(struct wr_encoder *encoder, const struct wr_batch *batch, uint32_t row, const char *tag,
                     struct wr_buf *out)
{
    struct json_encoder *e = (struct json_encoder *)encoder;
    WR_ASSERT(batch->columns >= e->count);
    if (tag) {
        wr_buf_add_char(out, '{');
        wr_json_quote(wr_slice_cstr(tag), out);
        wr_buf_add_char(out, ':');
    }
    size_t first = 1; /* the first key goes without its comma */
    wr_buf_add_char(out, '{');
    for (uint32_t i = 0; i < e->count; i++) {
        struct json_column *c = &e->column[i];
        const struct wr_vector *v = &batch->column[i];
        bool null = c->type.kind == WR_KIND_NULL || wr_vector_is_null(v, row) || wr_vector_is_error(v, row);
        if (null && e->omit_nulls) continue;
        wr_buf_add(out, c->lead + first, c->lead_size - first);
        first = 0;
        if (null) wr_buf_add(out, "null", 4);
        else put_value(c, v, row, out);
    }
    wr_buf_add_cstr(out, tag ? "}}\n" : "}\n");
}

static void json_free(struct wr_encoder *encoder)
{
    struct json_encoder *e = (struct json_encoder *)encoder;
    for (uint32_t i = 0; i < e->count; i++) wr_free(e->column[i].lead);
    wr_free(e->column);
    wr_free(e);
}

struct wr_encoder *wr_json_encoder_new(const struct wr_schema *schema, const struct wr_stream *stream,
                                       struct wr_error *error)
{
    static const struct wr_encoder_class cls = {"json", json_begin, json_row, json_free};
    if (wr_encode_check(schema, error) != WR_OK) return NULL;
    const char *nulls = wr_option(stream, "nulls");
    struct json_encoder *e = wr_alloc_zero(sizeof *e);
    e->encoder.cls = &cls;
    e->count = schema->count;
    e->omit_nulls = nulls && strcmp(nulls, "omit") == 0;
    e->column = wr_alloc_zero(sizeof *e->column * schema->count);
    for (uint32_t i = 0; i < e->count; i++) {
        struct wr_buf lead = {0};
        wr_buf_add_char(&lead, ',');
        wr_json_quote(wr_slice_cstr(schema->column[i].name), &lead);
        wr_buf_add_char(&lead, ':');
        struct wr_type type = schema->column[i].type;
        e->column[i] = (struct json_column){type, wr_encode_is_quoted(type), lead.data, lead.size, {0}};
    }
    return &e->encoder;
}
