/* Rows as CSV or TSV (RFC 4180). NULL is an empty field, the empty string a pair of quotes. */
#include "connectors/encode.h"
#include "connectors/internal.h"
#include "vm/text.h"

#include <strings.h>

struct csv_encoder {
    struct wr_encoder encoder;
    struct wr_schema schema; /* borrowed */
    char delimiter;
    bool header;
    struct wr_day_cache *day; /* by column */
};

static void put_field(struct wr_slice text, char delimiter, struct wr_buf *out)
{
    bool plain = text.size != 0 && text.data[0] != ' ' && text.data[text.size - 1] != ' ';
    for (size_t i = 0; i < text.size && plain; i++) {
        char c = text.data[i];
        plain = c != delimiter && c != '"' && c != '\n' && c != '\r';
    }
    if (plain) {
        wr_buf_add_slice(out, text);
        return;
    }
    wr_buf_add_char(out, '"');
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] == '"') wr_buf_add_char(out, '"');
        wr_buf_add_char(out, text.data[i]);
    }
    wr_buf_add_char(out, '"');
}

static void csv_begin(struct wr_encoder *encoder, struct wr_buf *out)
{
    struct csv_encoder *e = (struct csv_encoder *)encoder;
    if (!e->header) return;
    for (uint32_t i = 0; i < e->schema.count; i++) {
        if (i) wr_buf_add_char(out, e->delimiter);
        put_field(wr_slice_cstr(e->schema.column[i].name), e->delimiter, out);
    }
    wr_buf_add_char(out, '\n');
}

static void put_value(struct csv_encoder *e, uint32_t column, const struct wr_vector *v, uint32_t row,
                      struct wr_buf *out)
{
    struct wr_type type = e->schema.column[column].type;
    if (v->cls != WR_CLASS_STR) {
        char text[WR_TEXT_MAX];
        size_t n = wr_encode_scalar(text, type, v, row, &e->day[column]);
        if (n) put_field(wr_slice_of(text, n), e->delimiter, out);
    } else if (type.kind == WR_KIND_BYTES && v->u.str[row].size) {
        wr_base64_encode(v->u.str[row], out);
    } else if (type.kind == WR_KIND_ARRAY) {
        struct wr_buf text = {0};
        wr_encode_array(v->u.str[row], type, &text);
        put_field(wr_buf_slice(&text), e->delimiter, out);
        wr_buf_release(&text);
    } else {
        put_field(v->u.str[row], e->delimiter, out);
    }
}

static void csv_row(struct wr_encoder *encoder, const struct wr_batch *batch, uint32_t row, const char *tag,
                    struct wr_buf *out)
{
    struct csv_encoder *e = (struct csv_encoder *)encoder;
    WR_UNUSED(tag);
    WR_ASSERT(batch->columns >= e->schema.count);
    for (uint32_t i = 0; i < e->schema.count; i++) {
        const struct wr_vector *v = &batch->column[i];
        if (i) wr_buf_add_char(out, e->delimiter);
        if (wr_vector_is_null(v, row) || wr_vector_is_error(v, row)) continue;
        if (e->schema.column[i].type.kind != WR_KIND_NULL) put_value(e, i, v, row, out);
    }
    wr_buf_add_char(out, '\n');
}

static void csv_free(struct wr_encoder *encoder)
{
    struct csv_encoder *e = (struct csv_encoder *)encoder;
    wr_free(e->day);
    wr_free(e);
}

struct wr_encoder *wr_csv_encoder_new(const struct wr_schema *schema, const struct wr_stream *stream,
                                      char delimiter, struct wr_error *error)
{
    static const struct wr_encoder_class cls = {"csv", csv_begin, csv_row, csv_free};
    if (wr_encode_check(schema, error) != WR_OK) return NULL;
    const char *header = wr_option(stream, "header");
    struct csv_encoder *e = wr_alloc_zero(sizeof *e);
    e->encoder.cls = &cls;
    e->schema = *schema;
    e->delimiter = wr_option_delimiter(stream, delimiter);
    e->header = !header || strcasecmp(header, "false") != 0;
    e->day = wr_alloc_zero(sizeof *e->day * schema->count);
    return &e->encoder;
}
