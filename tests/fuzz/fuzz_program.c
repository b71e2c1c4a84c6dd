/* Program files: what the verifier accepts can be listed, written again byte for byte, and run over rows, by both
 * executors alike, without a fault. The bytes are a file without its header, which is put in front of them with
 * the right checksum; the first ones are a program with one of everything. */
#include "../vm/random_code.h"
#include "../vm/sample_program.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max_size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed);

enum { HEADER = 24, REGISTERS_MAX = 3000 };

static void put_header(struct wr_buf *file)
{
    static const char start[8] = {'W', 'E', 'I', 'R', 'C', 0, WR_PROGRAM_VERSION, 0};
    uint64_t number[2] = {file->size - HEADER, wr_hash64(file->data + HEADER, file->size - HEADER, 0)};
    memcpy(file->data, start, sizeof start);
    for (unsigned i = 0; i < 16; i++) file->data[8 + i] = (char)(number[i / 8] >> (8 * (i % 8)));
}

/* Is it a block that runs over batches, and as which columns does it read them? */
static bool columns_of(const struct wr_code *code, struct wr_type *column, uint32_t *count)
{
    bool seen[64] = {false};
    *count = 0;
    for (uint32_t i = 0; i < code->input_count; i++) {
        const struct wr_input *input = &code->input[i];
        if (input->kind == WR_INPUT_SPECIAL && input->column == WR_SPECIAL_EVENT_TIME &&
            wr_type_class(input->type) == WR_CLASS_I64)
            continue;
        if (input->kind != WR_INPUT_COLUMN || input->column >= 64) return false;
        if (seen[input->column] && !wr_type_equal(column[input->column], input->type)) return false;
        for (; *count <= input->column; ++*count)
            if (!seen[*count]) column[*count] = wr_type_of(WR_KIND_BIGINT);
        column[input->column] = input->type;
        seen[input->column] = true;
    }
    return true;
}

static bool same(const struct wr_value *a, const struct wr_value *b)
{
    if (a->flag != b->flag) return false;
    if (a->flag != WR_FLAG_VALUE) return true;
    switch ((enum wr_class)a->cls) {
    case WR_CLASS_BOOL: return a->u.boolean == b->u.boolean;
    case WR_CLASS_I64: return a->u.i64 == b->u.i64;
    case WR_CLASS_F64: return memcmp(&a->u.f64, &b->u.f64, sizeof(double)) == 0;
    case WR_CLASS_DEC: return a->u.dec == b->u.dec;
    case WR_CLASS_STR: return wr_slice_equal(a->u.str, b->u.str);
    case WR_CLASS_COUNT: break;
    }
    return false;
}

static void run_block(const struct wr_program *program, const struct wr_code *code, struct random *r)
{
    struct wr_type column[64];
    struct wr_batch_builder rows;
    uint32_t columns;
    bool batch = columns_of(code, column, &columns);
    struct wr_row_frame *single = wr_row_frame_new(program, code);
    if (!batch) { /* a condition of a pattern: any values */
        for (uint32_t i = 0; i < code->input_count; i++)
            single->value[i] = random_value(r, wr_type_class(code->input[i].type));
        wr_row_frame_run(single);
        wr_row_frame_free(single);
        return;
    }
    wr_batch_builder_init(&rows, column, columns, false);
    random_batch(r, &rows, 70, 3);
    struct wr_frame *frame = wr_frame_new(program, code);
    wr_frame_run(frame, &rows.batch);
    for (uint32_t row = 0; row < rows.batch.rows; row++) {
        for (uint32_t i = 0; i < code->input_count; i++)
            single->value[i] = code->input[i].kind == WR_INPUT_COLUMN
                                   ? wr_vector_at(&rows.batch.column[code->input[i].column], row)
                                   : (struct wr_value){.cls = WR_CLASS_I64, .u.i64 = rows.batch.event_time[row]};
        wr_row_frame_run(single);
        for (uint32_t i = 0; i < code->result_count && i < 50; i++) {
            struct wr_value value = wr_vector_at(wr_frame_result(frame, i), row);
            WR_ASSERT(same(&value, wr_row_frame_result(single, i)));
        }
    }
    wr_frame_free(frame);
    wr_row_frame_free(single);
    wr_batch_builder_release(&rows);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct wr_buf file = {0}, again = {0}, listing = {0};
    struct wr_error error = {0};
    wr_buf_reserve(&file, HEADER + size);
    memset(file.data, 0, HEADER);
    file.size = HEADER;
    wr_buf_add(&file, data, size);
    put_header(&file);
    struct wr_program *program = wr_program_decode(wr_buf_slice(&file), &error);
    if (program) {
        struct random r = {size};
        wr_program_encode(program, &again);
        WR_ASSERT(wr_slice_equal(wr_buf_slice(&file), wr_buf_slice(&again)));
        for (uint32_t i = 0; i < program->code_count; i++) {
            if (program->code[i].register_count > REGISTERS_MAX) continue;
            wr_code_print(program, &program->code[i], true, &listing);
            run_block(program, &program->code[i], &r);
        }
        wr_program_free(program);
    }
    wr_buf_release(&file);
    wr_buf_release(&again);
    wr_buf_release(&listing);
    return 0;
}

/* The sample as a body, with a random block among its own now and then. */
static size_t sample_body(uint8_t *data, size_t max_size, unsigned int seed)
{
    struct wr_program *program = sample_program();
    struct wr_buf file = {0};
    if (seed % 2) {
        struct random r = {seed};
        struct random_block b;
        const struct wr_type column[] = {sample_string, sample_money, sample_bigint, sample_bool,
                                         {.kind = WR_KIND_DOUBLE}};
        wr_program_free(program);
        program = wr_program_new();
        random_block_begin(&b, &r, program, column, 5, 5);
        for (uint32_t i = 1 + random_below(&r, 30); i > 0; i--) {
            if (random_below(&r, 5) == 0) random_call(&b, (enum wr_builtin)random_below(&r, WR_BUILTIN_COUNT));
            else random_op(&b, (enum wr_op)random_below(&r, WR_OP_CALL));
        }
        random_block_end(&b);
    }
    wr_program_encode(program, &file);
    size_t size = WR_MIN(file.size - HEADER, max_size);
    memcpy(data, file.data + HEADER, size);
    wr_program_free(program);
    wr_buf_release(&file);
    return size;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max_size, unsigned int seed)
{
    if (size < 96 || seed % 16 == 0) return sample_body(data, max_size, seed / 16);
    if (seed % 3 == 0) return LLVMFuzzerMutate(data, size, max_size);
    /* A few bytes in place: sections keep their sizes. */
    struct random r = {seed};
    for (uint32_t n = 1 + random_below(&r, 3); n > 0; n--) {
        size_t at = random_next(&r) % size;
        data[at] = random_below(&r, 2) ? (uint8_t)random_next(&r) : (uint8_t)(data[at] + 1 - 2 * random_below(&r, 2));
    }
    return size;
}
