/* The two executors give the same values, NULLs and errors: each instruction and function of the lists by
 * itself, and whole random blocks, over random batches. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "random_code.h"

enum { COLUMNS = 10 };

static struct wr_type columns[COLUMNS];

static void make_columns(void)
{
    for (uint32_t i = 0; i < COLUMNS; i++) columns[i] = random_type_of((enum wr_class)(i % WR_CLASS_COUNT));
}

static bool same(const struct wr_value *a, const struct wr_value *b)
{
    if (a->flag != b->flag || a->cls != b->cls) return false;
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

static void show(const struct wr_program *program, uint32_t result, uint32_t row, const struct wr_value *batch,
                 const struct wr_value *single)
{
    struct wr_buf text = {0};
    struct wr_type type = random_type_of((enum wr_class)batch->cls);
    wr_code_print(program, program->code, false, &text);
    wr_buf_printf(&text, "result %u of row %u: batch ", result, row);
    wr_value_print(type, batch, &text);
    wr_buf_add_cstr(&text, ", row ");
    wr_value_print(type, single, &text);
    print_error("%s\n", wr_buf_cstr(&text));
    wr_buf_release(&text);
}

/* Runs both over the batch and compares every result of every row. */
static void compare(const struct wr_program *program, const struct wr_batch *batch)
{
    const struct wr_code *code = program->code;
    struct wr_frame *frame = wr_frame_new(program, code);
    struct wr_row_frame *single = wr_row_frame_new(program, code);
    for (int twice = 0; twice < 2; twice++) {
        wr_frame_run(frame, batch);
        for (uint32_t row = 0; row < batch->rows; row++) {
            for (uint32_t i = 0; i < code->input_count; i++)
                single->value[i] = wr_vector_at(&batch->column[code->input[i].column], row);
            wr_row_frame_run(single);
            for (uint32_t i = 0; i < code->result_count; i++) {
                const struct wr_vector *v = wr_frame_result(frame, i);
                struct wr_value x = wr_vector_at(v, row), y = *wr_row_frame_result(single, i);
                if (!same(&x, &y)) {
                    show(program, i, row, &x, &y);
                    fail();
                }
                if (v->cls == WR_CLASS_BOOL && x.flag != WR_FLAG_VALUE) assert_false(wr_bit(v->u.bits, row));
                if (x.flag == WR_FLAG_ERROR && code->result[i] >= code->input_count && y.reason)
                    assert_int_not_equal(wr_frame_reason(frame, batch, i, row), WR_REASON_NONE);
            }
        }
    }
    wr_row_frame_free(single);
    wr_frame_free(frame);
}

/* Each forced to the other one's work: a batch row by row, a row as a batch of one, with the reasons of errors. */
static void compare_forced(const struct wr_program *program, const struct wr_batch *batch)
{
    const struct wr_code *code = program->code;
    struct wr_frame *frame = wr_frame_new(program, code), *by_row = wr_frame_new(program, code);
    struct wr_row_frame *single = wr_row_frame_new(program, code), *as_batch = wr_row_frame_new(program, code);
    wr_frame_force(by_row, WR_EXECUTOR_ROW);
    wr_row_frame_force(as_batch, WR_EXECUTOR_BATCH);
    wr_frame_run(frame, batch);
    wr_frame_run(by_row, batch);
    for (uint32_t row = 0; row < batch->rows; row++) {
        for (uint32_t i = 0; i < code->input_count; i++)
            single->value[i] = as_batch->value[i] = wr_vector_at(&batch->column[code->input[i].column], row);
        wr_row_frame_run(single);
        wr_row_frame_run(as_batch);
        for (uint32_t i = 0; i < code->result_count; i++) {
            struct wr_value x = wr_vector_at(wr_frame_result(frame, i), row), y = *wr_row_frame_result(single, i);
            struct wr_value forced_x = wr_vector_at(wr_frame_result(by_row, i), row);
            struct wr_value forced_y = *wr_row_frame_result(as_batch, i);
            if (!same(&x, &forced_x)) show(program, i, row, &x, &forced_x);
            if (!same(&y, &forced_y)) show(program, i, row, &forced_y, &y);
            assert_true(same(&x, &forced_x) && same(&y, &forced_y));
            if (y.flag != WR_FLAG_ERROR || code->result[i] < code->input_count) continue;
            assert_int_equal(forced_y.reason, y.reason);
            assert_int_equal(wr_frame_reason(by_row, batch, i, row), wr_frame_reason(frame, batch, i, row));
        }
    }
    wr_row_frame_free(single);
    wr_row_frame_free(as_batch);
    wr_frame_free(frame);
    wr_frame_free(by_row);
}

static void check_block(struct random_block *b, struct wr_batch_builder *rows)
{
    struct wr_error error = {0};
    random_block_end(b);
    if (wr_program_verify(b->program, &error) != WR_OK) {
        print_error("%s\n", error.message);
        fail();
    }
    compare(b->program, &rows->batch);
    compare_forced(b->program, &rows->batch);
    /* No row, and another number of them, in frames of their own. */
    uint32_t all = rows->batch.rows;
    rows->batch.rows = all / 3;
    compare(b->program, &rows->batch);
    rows->batch.rows = 0;
    compare(b->program, &rows->batch);
    rows->batch.rows = all;
}

static void each_instruction_alike(void **state)
{
    struct wr_batch_builder rows;
    (void)state;
    make_columns();
    wr_batch_builder_init(&rows, columns, COLUMNS, false);
    for (unsigned op = 0; op < WR_OP_COUNT; op++) {
        if (op == WR_OP_CALL) continue;
        for (uint32_t seed = 0; seed < 24; seed++) {
            struct random r = {seed * 1000003u + op};
            struct wr_program *program = wr_program_new();
            struct random_block b;
            random_batch(&r, &rows, 1 + random_below(&r, 200), seed % 3 ? 3 : 0);
            random_block_begin(&b, &r, program, columns, COLUMNS, seed % 4 < 2 ? 5 : 0);
            random_op(&b, (enum wr_op)op);
            check_block(&b, &rows);
            wr_program_free(program);
        }
    }
    wr_batch_builder_release(&rows);
}

static void each_function_alike(void **state)
{
    struct wr_batch_builder rows;
    (void)state;
    make_columns();
    wr_batch_builder_init(&rows, columns, COLUMNS, false);
    for (unsigned builtin = 0; builtin < WR_BUILTIN_COUNT; builtin++) {
        for (uint32_t seed = 0; seed < 12; seed++) {
            struct random r = {seed * 7000003u + builtin};
            struct wr_program *program = wr_program_new();
            struct random_block b;
            random_batch(&r, &rows, 1 + random_below(&r, 100), seed % 3 ? 2 : 0);
            random_block_begin(&b, &r, program, columns, COLUMNS, 10);
            random_call(&b, (enum wr_builtin)builtin);
            check_block(&b, &rows);
            wr_program_free(program);
        }
    }
    wr_batch_builder_release(&rows);
}

static void random_blocks_alike(void **state)
{
    struct wr_batch_builder rows;
    (void)state;
    make_columns();
    wr_batch_builder_init(&rows, columns, COLUMNS, false);
    for (uint32_t seed = 0; seed < 150; seed++) {
        struct random r = {seed * 40503u + 99};
        struct wr_program *program = wr_program_new();
        struct random_block b;
        random_batch(&r, &rows, seed % 50 ? random_below(&r, 140) : WR_BATCH_ROWS, random_below(&r, 4));
        random_block_begin(&b, &r, program, columns, COLUMNS, 10);
        uint32_t count = 1 + random_below(&r, 60);
        for (uint32_t i = 0; i < count; i++) {
            if (random_below(&r, 6) == 0) random_call(&b, (enum wr_builtin)random_below(&r, WR_BUILTIN_COUNT));
            else random_op(&b, (enum wr_op)random_below(&r, WR_OP_CALL));
        }
        check_block(&b, &rows);
        /* The same with few results, so that vectors' memory is used again. */
        b.code->result_count = WR_MIN(b.code->result_count, 1u);
        b.result[0] = (uint16_t)(b.code->register_count - 1);
        compare(program, &rows.batch);
        wr_program_free(program);
    }
    wr_batch_builder_release(&rows);
}

/* After the first runs a frame allocates nothing. */
static void steady_state_allocates_nothing(void **state)
{
    struct wr_batch_builder rows;
    (void)state;
    make_columns();
    wr_batch_builder_init(&rows, columns, COLUMNS, false);
    struct random r = {5};
    random_batch(&r, &rows, WR_BATCH_ROWS, 1);
    struct wr_program *program = wr_program_new();
    struct random_block b;
    random_block_begin(&b, &r, program, columns, COLUMNS, 5);
    for (unsigned op = 0; op < WR_OP_CALL; op++) random_op(&b, (enum wr_op)op);
    random_call(&b, WR_BUILTIN_CONCAT);
    random_call(&b, WR_BUILTIN_UPPER);
    random_block_end(&b);
    struct wr_frame *frame = wr_frame_new(program, program->code);
    for (int i = 0; i < 8; i++) wr_frame_run(frame, &rows.batch);
    uint64_t before = wr_alloc_count();
    for (int i = 0; i < 20; i++) wr_frame_run(frame, &rows.batch);
    assert_int_equal(wr_alloc_count() - before, 0);
    wr_frame_free(frame);
    wr_program_free(program);
    wr_batch_builder_release(&rows);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_instruction_alike),
        cmocka_unit_test(each_function_alike),
        cmocka_unit_test(random_blocks_alike),
        cmocka_unit_test(steady_state_allocates_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
