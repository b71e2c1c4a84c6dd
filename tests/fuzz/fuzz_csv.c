/* Any bytes as CSV: read in one piece and in small ones, with the same rows and the same bad records. The first byte
 * chooses the delimiter and whether there is a header. */
#include "base/hash.h"
#include "connectors/internal.h"

static void count_bad(void *context, const struct wr_bad_record *record)
{
    uint64_t *sum = context;
    *sum += wr_mix64(record->offset) ^ wr_hash64(record->bytes.data, record->bytes.size, record->line);
}

static uint64_t sum_of_rows(const struct wr_schema *schema, struct wr_reader *r)
{
    struct wr_error error = {0};
    struct wr_encoder *e = wr_connectors_library.open_encoder(schema, NULL, "csv", &error);
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
    static const char *const a[] = {"a"}, *const b[] = {"b"}, *const c[] = {"c"};
    static const struct wr_field field[] = {{"a", {WR_KIND_STRING, 0, 0, 0}, 0, 0, 1, a, WR_NONE, 0},
                                            {"b", {WR_KIND_DOUBLE, 0, 0, 0}, 0, 0, 1, b, WR_NONE, 1},
                                            {"c", {WR_KIND_TIMESTAMP, 0, 0, 0}, 0, 0, 1, c, WR_NONE, 2}};
    static const struct wr_option_value headless[] = {{"header", "false"}};
    if (size == 0) return 0;
    struct wr_stream stream = {.option = headless, .option_count = data[0] & 1};
    struct wr_schema_column column[WR_COUNT(field)];
    for (size_t i = 0; i < WR_COUNT(field); i++) column[i] = (struct wr_schema_column){field[i].name, field[i].type};
    struct wr_schema schema = {WR_COUNT(field), column};
    uint64_t sum[2], bad[2] = {0};
    for (int i = 0; i < 2; i++) {
        struct wr_error error = {0};
        struct wr_read_spec spec = {.stream = &stream, .field_count = WR_COUNT(field), .field = field,
                                    .on_bad = count_bad, .context = &bad[i]};
        struct wr_slice text = wr_slice_of((const char *)data + 1, size - 1);
        struct wr_byte_source *source = wr_byte_source_memory("fuzz", text, i ? 3 : SIZE_MAX);
        sum[i] = sum_of_rows(&schema, wr_csv_reader_new(&spec, source, data[0] & 2 ? '\t' : ',', &error));
    }
    WR_ASSERT(sum[0] == sum[1] && bad[0] == bad[1]);
    return 0;
}
