/* Program files: the same program again, the same bytes; what is damaged or not safe is refused with its
 * reason. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "sample_program.h"
#include "vm/identity.h"
#include "vm/text.h"

static void the_sample_is_safe(void **state)
{
    struct wr_program *program = sample_program();
    struct wr_error error = {0};
    (void)state;
    if (wr_program_verify(program, &error)) print_error("%s\n", error.message);
    assert_int_equal(error.status, WR_OK);
    wr_program_free(program);
}

static void decoded_programs_encode_to_the_same_bytes(void **state)
{
    struct wr_program *program = sample_program();
    struct wr_error error = {0};
    struct wr_buf first = {0}, second = {0};
    (void)state;
    wr_program_encode(program, &first);
    assert_true(wr_program_is_file(wr_buf_slice(&first)));
    struct wr_program *again = wr_program_decode(wr_buf_slice(&first), &error);
    if (!again) print_error("%s\n", error.message);
    assert_non_null(again);
    wr_program_encode(again, &second);
    assert_int_equal(first.size, second.size);
    assert_memory_equal(first.data, second.data, first.size);
    assert_true(wr_program_hash(again) == wr_program_hash(program));
    wr_program_identify(program);
    assert_memory_equal(again->identity, program->identity, 16);
    for (uint32_t i = 0; i < program->node_count; i++)
        assert_memory_equal(again->node[i].identity, program->node[i].identity, 16);
    assert_string_equal(again->node[3].u.pattern.text, "small -> large");
    assert_string_equal(again->node[0].u.source.field[1].path[1], "amount");
    assert_int_equal(again->node[1].u.select.where, 1);
    assert_int_equal(again->node[0].u.source.watermark, WR_NONE);
    assert_int_equal(wr_program_find_stream(again, "ALERTS"), 1);
    assert_string_equal(wr_stream_option(&again->stream[0], "Format"), "json");
    assert_string_equal(wr_program_setting(again, "KEY_TTL"), "604800000000us");
    assert_null(wr_program_setting(again, "nothing"));
    wr_program_free(again);
    wr_program_free(program);
    wr_buf_release(&first);
    wr_buf_release(&second);
}

static void refused(struct wr_slice bytes, const char *why)
{
    struct wr_error error = {0};
    assert_null(wr_program_decode(bytes, &error));
    assert_int_equal(error.status, WR_ERR_STATE);
    if (!strstr(error.message, why)) print_error("%s\n", error.message);
    assert_non_null(strstr(error.message, why));
}

static void damaged_files_are_refused(void **state)
{
    struct wr_program *program = sample_program();
    struct wr_buf file = {0};
    (void)state;
    wr_program_encode(program, &file);
    wr_program_free(program);
    for (size_t size = 0; size < file.size; size++)
        refused(wr_slice_of(file.data, size), size < 6 ? "WEIRC" : "cut short");
    wr_buf_add_char(&file, 'x');
    refused(wr_buf_slice(&file), "behind the end");
    file.size--;
    for (size_t i = 24; i < file.size; i += 7) {
        file.data[i] = (char)(file.data[i] ^ 4);
        refused(wr_buf_slice(&file), "damaged");
        file.data[i] = (char)(file.data[i] ^ 4);
    }
    file.data[6] = 99;
    refused(wr_buf_slice(&file), "version 99");
    refused(WR_SLICE("CREATE STREAM s;"), "no compiled program");
    wr_buf_release(&file);
}

/* With a right checksum: each byte changed in several ways is refused, or is another safe program. */
static void no_single_byte_makes_it_unsafe(void **state)
{
    struct wr_program *program = sample_program();
    struct wr_buf file = {0};
    uint32_t accepted = 0, rejected = 0;
    (void)state;
    wr_program_encode(program, &file);
    wr_program_free(program);
    static const uint8_t change[] = {1, 2, 0x40, 0x80, 0xff};
    for (size_t i = 24; i < file.size; i++) {
        for (size_t c = 0; c < WR_COUNT(change); c++) {
            struct wr_error error = {0};
            file.data[i] = (char)(file.data[i] ^ (char)change[c]);
            uint64_t hash = wr_hash64(file.data + 24, file.size - 24, 0);
            for (int b = 0; b < 8; b++) file.data[16 + b] = (char)(hash >> (8 * b));
            struct wr_program *other = wr_program_decode(wr_buf_slice(&file), &error);
            if (other) accepted++;
            else rejected++;
            if (!other) assert_true(error.message[0] != 0);
            wr_program_free(other);
            file.data[i] = (char)(file.data[i] ^ (char)change[c]);
        }
    }
    assert_true(accepted > 0 && rejected > accepted / 4);
    wr_buf_release(&file);
}

/* ---- Programs that are not safe -------------------------------------------------------------------- */

/* A change of the sample; the parts are in an arena, so that they can be written to. */
typedef void change_fn(struct wr_program *p);
#define WRITABLE(type, pointer) ((type *)(uintptr_t)(pointer))
#define CODE(p, n) (WRITABLE(struct wr_code, (p)->code) + (n))
#define NODE(p, n) (WRITABLE(struct wr_node, (p)->node) + (n))
#define PATTERN(p) (&NODE(p, 3)->u.pattern)
#define WORD(p, block, n) (WRITABLE(uint32_t, (p)->code[block].word)[n])
#define CHANGE(name, ...)                                                                                 \
    static void name(struct wr_program *p)                                                                \
    {                                                                                                     \
        __VA_ARGS__                                                                                       \
    }

CHANGE(reads_past_registers, WORD(p, 0, 1) = wr_word1(0, 99);)
CHANGE(reads_before_writing, WORD(p, 1, 3) = wr_word1(6, 2);)
CHANGE(reads_another_class, WORD(p, 2, 3) = wr_word1(1, 4);)
CHANGE(writes_an_input, WORD(p, 3, 0) = wr_word0(WR_OP_NOT, 0);)
CHANGE(writes_another_class, WRITABLE(uint8_t, p->code[0].register_class)[2] = WR_CLASS_I64;)
CHANGE(no_such_instruction, WORD(p, 0, 0) = wr_word0(WR_OP_COUNT, 2);)
CHANGE(operand_too_many, WORD(p, 3, 1) = wr_word1(0, 1);)
CHANGE(k_where_none_is, WORD(p, 3, 0) = wr_word0(wr_op_word(WR_OP_NOT, 3), 1);)
CHANGE(shift_too_far, WORD(p, 2, 0) = wr_word0(wr_op_word(WR_OP_MUL_DEC, 100), 6);)
CHANGE(no_decimal, WORD(p, 2, 5) = wr_word1(6, wr_dectype_word(5, 6));)
CHANGE(no_such_function, WORD(p, 1, 1) = wr_word1(WR_BUILTIN_COUNT, 0);)
CHANGE(wrong_argument_count, WORD(p, 1, 0) = wr_word0(wr_op_word(WR_OP_CALL, 2), 3);)
CHANGE(wrong_argument_class, WORD(p, 1, 1) = wr_word1(WR_BUILTIN_ABS_I64, 0);)
CHANGE(half_an_instruction, CODE(p, 0)->word_count = 1;)
CHANGE(result_not_written, WRITABLE(uint16_t, p->code[1].result)[0] = 7;)
CHANGE(constant_past_the_end, WRITABLE(uint32_t, p->code[1].constant)[0] = 4;)
CHANGE(constant_of_another_class, WRITABLE(uint32_t, p->code[1].constant)[0] = 0;)
CHANGE(no_class, WRITABLE(uint8_t, p->code[2].register_class)[8] = 9;)
CHANGE(input_of_no_kind, WRITABLE(struct wr_input, p->code[0].input)[0].kind = 9;)
CHANGE(column_past_the_end, WRITABLE(struct wr_input, p->code[1].input)[0].column = 5;)
CHANGE(column_of_another_type, WRITABLE(struct wr_input, p->code[2].input)[1].type = sample_sum;)
CHANGE(past_in_a_batch, WRITABLE(struct wr_input, p->code[1].input)[0].kind = WR_INPUT_LAST;)
CHANGE(computed_reads_itself, WRITABLE(struct wr_input, p->code[0].input)[0].column = 4;)
CHANGE(bad_utf8, p->constant[1].value.u.str = WR_SLICE("\xff");)
CHANGE(decimal_out_of_range, p->constant[3].value.u.dec = wr_pow10(12);)
CHANGE(parameter_past_the_end, p->constant[0].parameter = 7;)
CHANGE(parameter_of_another_type, p->constant[0].parameter = 1;)
CHANGE(stream_past_the_end, NODE(p, 0)->u.source.stream = 2;)
CHANGE(input_behind_itself, WRITABLE(uint32_t, p->node[1].input)[0] = 1;)
CHANGE(no_input, NODE(p, 1)->input_count = 0;)
CHANGE(query_past_the_end, NODE(p, 2)->query = 3;)
CHANGE(no_kind, NODE(p, 2)->kind = WR_NODE_KIND_COUNT;)
CHANGE(fields_past_columns, NODE(p, 0)->u.source.field_count = 6;)
CHANGE(default_of_another_type, WRITABLE(struct wr_field, p->node[0].u.source.field)[1].default_constant = 1;)
CHANGE(time_is_no_timestamp, NODE(p, 0)->u.source.time_column = 0;)
CHANGE(where_is_no_boolean, NODE(p, 1)->u.select.where = 2;)
CHANGE(projection_of_others, NODE(p, 1)->u.select.project = 1;)
CHANGE(no_block, NODE(p, 1)->u.select.project = 5;)
CHANGE(window_without_size, NODE(p, 2)->u.window.size_us = 0;)
CHANGE(window_slides_back, NODE(p, 2)->u.window.slide_us = -1;)
CHANGE(key_past_columns, WRITABLE(uint32_t, p->node[2].u.window.key)[0] = 4;)
CHANGE(no_aggregate, WRITABLE(struct wr_aggregate, p->node[2].u.window.aggregate)[1].fn = WR_AGG_FN_COUNT;)
CHANGE(sum_of_a_text, WRITABLE(struct wr_aggregate, p->node[2].u.window.aggregate)[1].column = 0;)
CHANGE(filter_is_no_boolean, WRITABLE(struct wr_aggregate, p->node[2].u.window.aggregate)[1].filter = 1;)
CHANGE(follow_past_the_end, WRITABLE(struct wr_follow, p->node[3].u.pattern.follow)[1].position = 2;)
CHANGE(follow_list_too_long,
       WRITABLE(struct wr_pattern_position, p->node[3].u.pattern.position)[1].follow_count = 2;)
CHANGE(no_connector, WRITABLE(struct wr_follow, p->node[3].u.pattern.follow)[1].connector = 3;)
CHANGE(position_without_variable,
       WRITABLE(struct wr_pattern_position, p->node[3].u.pattern.position)[0].variable = 2;)
CHANGE(first_list_past_the_end, PATTERN(p)->first = 3;)
CHANGE(set_of_others, WRITABLE(uint64_t, p->node[3].u.pattern.set)[0] = 3;)
CHANGE(set_past_variables, WRITABLE(uint64_t, p->node[3].u.pattern.set)[2] = 7;)
CHANGE(condition_past_the_end,
       WRITABLE(struct wr_pattern_variable, p->node[3].u.pattern.variable)[0].row_condition = 2;)
CHANGE(past_not_kept, WRITABLE(uint32_t, p->node[3].u.pattern.keep)[0] = 0;)
CHANGE(past_not_in_history, PATTERN(p)->history_count = 1;)
CHANGE(aggregate_not_running, WRITABLE(struct wr_aggregate, p->node[3].u.pattern.aggregate)[0].running = 0;)
CHANGE(reads_past_history, WRITABLE(uint64_t, p->node[3].u.pattern.reads)[0] = 7;)
CHANGE(output_of_another_type, WRITABLE(struct wr_input, p->node[3].u.pattern.output)[0].type = sample_bigint;)
CHANGE(ids_not_kept, PATTERN(p)->needs_ids = 0;)
CHANGE(all_matches, PATTERN(p)->all_matches = 1;)
CHANGE(late_of_none, PATTERN(p)->late_into = 0;)
CHANGE(merge_of_others, WRITABLE(uint32_t, p->node[5].input)[1] = 2;)
CHANGE(output_stream_past_the_end, NODE(p, 7)->u.output.stream = 2;)
CHANGE(type_of_no_kind,
       WRITABLE(struct wr_schema_column, p->node[6].schema.column)[0].type.kind = WR_KIND_ERROR;)

static void unsafe_programs_are_refused(void **state)
{
    static const struct {
        change_fn *change;
        const char *why;
    } cases[] = {
        {reads_past_registers, "block 0: instruction 0: it reads a register that there is not"},
        {reads_before_writing, "block 1: instruction 1: it reads a register that is not written yet"},
        {reads_another_class, "block 2: instruction 1: it reads a register of another class"},
        {writes_an_input, "writes an input"},
        {writes_another_class, "writes a register of another class"},
        {no_such_instruction, "no such instruction"},
        {operand_too_many, "an operand too many"},
        {k_where_none_is, "it has no K"},
        {shift_too_far, "shift"},
        {no_decimal, "no DECIMAL"},
        {no_such_function, "a function that there is not"},
        {wrong_argument_count, "another number of arguments"},
        {wrong_argument_class, "of another class"},
        {half_an_instruction, "half an instruction"},
        {result_not_written, "result 0"},
        {constant_past_the_end, "no constant 4"},
        {constant_of_another_class, "another class"},
        {no_class, "register 8 has no class"},
        {input_of_no_kind, "of no kind"},
        {column_past_the_end, "column 5"},
        {column_of_another_type, "another type"},
        {past_in_a_batch, "a batch does not have"},
        {computed_reads_itself, "column 4 of 4"},
        {bad_utf8, "UTF-8"},
        {decimal_out_of_range, "out of range"},
        {parameter_past_the_end, "no parameter 7"},
        {parameter_of_another_type, "its parameter's"},
        {stream_past_the_end, "no stream 2"},
        {input_behind_itself, "does not stand before"},
        {no_input, "0 inputs"},
        {query_past_the_end, "no query 3"},
        {no_kind, "of no kind"},
        {fields_past_columns, "more fields"},
        {default_of_another_type, "default"},
        {time_is_no_timestamp, "event time"},
        {where_is_no_boolean, "WHERE"},
        {projection_of_others, "results"},
        {no_block, "no block 5"},
        {window_without_size, "size"},
        {window_slides_back, "size"},
        {key_past_columns, "key 0"},
        {no_aggregate, "no aggregate"},
        {sum_of_a_text, "argument"},
        {filter_is_no_boolean, "filter"},
        {follow_past_the_end, "leads to no position"},
        {follow_list_too_long, "out of bounds"},
        {no_connector, "does not run"},
        {position_without_variable, "no variable"},
        {first_list_past_the_end, "out of bounds"},
        {set_of_others, "set 0"},
        {set_past_variables, "set 2"},
        {condition_past_the_end, "condition that there is not"},
        {past_not_kept, "not kept"},
        {past_not_in_history, "more of the past"},
        {aggregate_not_running, "not running"},
        {reads_past_history, "what positions read"},
        {output_of_another_type, "another type"},
        {ids_not_kept, "ids"},
        {all_matches, "does not run"},
        {late_of_none, "gives none"},
        {merge_of_others, "other columns"},
        {output_stream_past_the_end, "no stream 2"},
        {type_of_no_kind, "no type"},
    };
    (void)state;
    for (size_t i = 0; i < WR_COUNT(cases); i++) {
        struct wr_program *program = sample_program();
        struct wr_error error = {0};
        cases[i].change(program);
        enum wr_status status = wr_program_verify(program, &error);
        if (status != WR_ERR_STATE || !strstr(error.message, cases[i].why))
            print_error("case %zu (%s): %s\n", i, cases[i].why, error.message);
        assert_int_equal(status, WR_ERR_STATE);
        assert_non_null(strstr(error.message, cases[i].why));
        wr_program_free(program);
    }
}

/* ---- Parameters, listings -------------------------------------------------------------------------- */

static void parameters(void **state)
{
    struct wr_program *program = sample_program();
    struct wr_error error = {0};
    (void)state;
    assert_int_equal(wr_program_check_parameters(program, &error), WR_ERR_USAGE);
    assert_non_null(strstr(error.message, "'who'"));
    assert_int_equal(wr_program_set_parameter(program, WR_SLICE("WHO"), WR_SLICE("me"), &error), WR_OK);
    assert_int_equal(wr_program_check_parameters(program, &error), WR_OK);
    assert_int_equal(wr_program_set_parameter(program, WR_SLICE("max"), WR_SLICE("12.345"), &error), WR_OK);
    assert_true(program->constant[0].value.u.dec == 1235);
    assert_int_equal(wr_program_set_parameter(program, WR_SLICE("max"), WR_SLICE("much"), &error),
                     WR_ERR_USAGE);
    assert_string_equal(error.message, "parameter 'max': 'much' is no DECIMAL(12,2)");
    assert_int_equal(wr_program_set_parameter(program, WR_SLICE("maxx"), WR_SLICE("1"), &error), WR_ERR_USAGE);
    assert_string_equal(error.message, "the program has no parameter 'maxx'; did you mean 'max'?");
    wr_program_free(program);
}

static void listing(void **state)
{
    struct wr_program *program = sample_program();
    struct wr_buf out = {0};
    (void)state;
    wr_code_print(program, &program->code[0], true, &out);
    assert_string_equal(wr_buf_cstr(&out),
                        "  input    r0     DECIMAL(12,2) amount\n"
                        "  constant r1     DECIMAL(12,2) :max\n"
                        "  -- 1: CREATE STREAM payments (\n"
                        "    0  GT_DEC             r2 r0 r1 0            r2 = amount > :max\n"
                        "  result   0      r2\n");
    wr_buf_clear(&out);
    wr_code_print(program, &program->code[4], false, &out);
    assert_non_null(strstr(wr_buf_cstr(&out), "r3 = amount > SUM(small.amount)\n"));
    assert_non_null(strstr(wr_buf_cstr(&out), "r4 = amount > LAST(small.amount, 1)\n"));
    wr_buf_clear(&out);
    wr_code_print(program, &program->code[1], false, &out);
    assert_non_null(strstr(wr_buf_cstr(&out), "r3 = UPPER(card)\n"));
    assert_non_null(strstr(wr_buf_cstr(&out), "r4 = r3 <> 'X'\n"));
    wr_buf_release(&out);
    wr_program_free(program);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_sample_is_safe),
        cmocka_unit_test(decoded_programs_encode_to_the_same_bytes),
        cmocka_unit_test(damaged_files_are_refused),
        cmocka_unit_test(no_single_byte_makes_it_unsafe),
        cmocka_unit_test(unsafe_programs_are_refused),
        cmocka_unit_test(parameters),
        cmocka_unit_test(listing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
