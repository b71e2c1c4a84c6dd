/* Any bytes as JSON lines: read in two ways, in one piece and in small ones, with the same rows and as many bad
 * records, whatever they are; inference must live with them too. */
#include "base/hash.h"
#include "connectors/internal.h"

static void count_bad(void *context, const struct wr_bad_record *record)
{
    uint64_t *sum = context;
    WR_ASSERT(record->bytes.size == 0 || record->bytes.data);
    *sum += wr_mix64(record->offset) ^ wr_hash64(record->bytes.data, record->bytes.size, record->line);
}

static uint64_t sum_of_rows(const struct wr_schema *schema, struct wr_reader *r)
{
    struct wr_error error = {0};
    struct wr_encoder *e = wr_connectors_library.open_encoder(schema, NULL, "json", &error);
    struct wr_batch batch;
    struct wr_buf out = {0};
    uint64_t sum = 0;
    while (r->cls->read(r, &batch, &error) == WR_OK)
        for (uint32_t i = 0; i < batch.rows; i++) {
            wr_buf_clear(&out);
            e->cls->row(e, &batch, i, NULL, &out);
            sum += wr_hash64(out.data, out.size, batch.offset[i]);
        }
    r->cls->close(r);
    e->cls->free(e);
    wr_buf_release(&out);
    return sum;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const a[] = {"a"}, *const b[] = {"b"}, *const c[] = {"c"}, *const d[] = {"d"}, *const e[] = {"e"},
                             *const f[] = {"o", "f"}, *const g[] = {"o", "g", "[1]"}, *const h[] = {"h"};
    static const struct wr_field field[] = {
        {"a", {WR_KIND_STRING, 0, 0, 0}, 0, 0, 1, a, WR_NONE, 0},
        {"b", {WR_KIND_BIGINT, 0, 0, 0}, 0, 0, 1, b, WR_NONE, 0},
        {"c", {WR_KIND_DOUBLE, 0, 0, 0}, 0, 0, 1, c, WR_NONE, 0},
        {"d", {WR_KIND_DECIMAL, 20, 4, 0}, 0, 0, 1, d, WR_NONE, 0},
        {"e", {WR_KIND_TIMESTAMP, 0, 0, 0}, 0, 0, 1, e, WR_NONE, 0},
        {"f", {WR_KIND_BOOLEAN, 0, 0, 0}, 0, 0, 2, f, WR_NONE, 0},
        {"g", {WR_KIND_FLOAT, 0, 0, 0}, 0, 0, 3, g, WR_NONE, 0},
        {"h", {WR_KIND_BYTES, 0, 0, 0}, 0, 0, 1, h, WR_NONE, 0}};
    struct wr_schema_column column[WR_COUNT(field)];
    for (size_t i = 0; i < WR_COUNT(field); i++) column[i] = (struct wr_schema_column){field[i].name, field[i].type};
    struct wr_schema schema = {WR_COUNT(field), column};
    uint64_t sum[2], bad[2] = {0};
    for (int i = 0; i < 2; i++) {
        struct wr_error error = {0};
        struct wr_read_spec spec = {.field_count = WR_COUNT(field), .field = field, .on_bad = count_bad, .context = &bad[i]};
        struct wr_byte_source *source = wr_byte_source_memory("fuzz", wr_slice_of((const char *)data, size), i ? 5 : SIZE_MAX);
        sum[i] = sum_of_rows(&schema, wr_json_reader_new(&spec, source, &error));
    }
    WR_ASSERT(sum[0] == sum[1] && bad[0] == bad[1]);
    return 0;
}
