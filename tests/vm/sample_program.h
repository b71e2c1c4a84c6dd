/* A program with one of everything, as the compiler would make it: a source with a computed column, a filter, a
 * window with late rows, a pattern with a condition on its past, a union, outputs, a parameter. */
#ifndef WR_TESTS_VM_SAMPLE_PROGRAM_H
#define WR_TESTS_VM_SAMPLE_PROGRAM_H

#include "vm/builtin.h"
#include "vm/opcode.h"
#include "vm/program.h"

typedef const char *sample_text; /* as an element of SAMPLE */

/* A copy of `count` elements in the program's arena. */
static inline void *sample_copy(struct wr_program *program, const void *from, size_t size)
{
    void *to = wr_arena_alloc(&program->arena, size);
    memcpy(to, from, size);
    return to;
}
#define SAMPLE(program, type, ...)                                                                        \
    ((type *)sample_copy(program, (const type[]){__VA_ARGS__}, sizeof((const type[]){__VA_ARGS__})))
#define SAMPLE_COUNT(type, ...) ((uint32_t)(sizeof((const type[]){__VA_ARGS__}) / sizeof(type)))
/* Fields `name` and `name_count` of a struct at once. */
#define LIST(program, type, name, ...)                                                                    \
    .name = SAMPLE(program, type, __VA_ARGS__), .name##_count = SAMPLE_COUNT(type, __VA_ARGS__)

#define CLASSES(program, ...)                                                                                \
    .register_class = SAMPLE(program, uint8_t, __VA_ARGS__),                                                 \
    .register_count = SAMPLE_COUNT(uint8_t, __VA_ARGS__)

static const struct wr_type sample_string = {.kind = WR_KIND_STRING}, sample_bigint = {.kind = WR_KIND_BIGINT},
                            sample_bool = {.kind = WR_KIND_BOOLEAN}, sample_time = {.kind = WR_KIND_TIMESTAMP},
                            sample_money = {.kind = WR_KIND_DECIMAL, .precision = 12, .scale = 2},
                            sample_sum = {.kind = WR_KIND_DECIMAL, .precision = 38, .scale = 2};

static inline struct wr_input sample_column(uint32_t column, struct wr_type type)
{
    return (struct wr_input){.kind = WR_INPUT_COLUMN, .column = (uint16_t)column, .type = type};
}

/* Blocks: 0 computed column, 1 WHERE, 2 projection, 3 row conditions of the pattern, 4 its condition on the
 * past. */
static inline const struct wr_code *sample_code(struct wr_program *p)
{
    const struct wr_code code[] = {
        {/* big AS amount > :limit */
         LIST(p, struct wr_input, input, sample_column(1, sample_money)), LIST(p, uint32_t, constant, 0),
         CLASSES(p, WR_CLASS_DEC, WR_CLASS_DEC, WR_CLASS_BOOL),
         LIST(p, uint32_t, word, wr_word0(WR_OP_GT_DEC, 2), wr_word1(0, 1)), LIST(p, uint16_t, result, 2),
         .place = SAMPLE(p, uint32_t, 3)},
        {/* status IS NOT NULL AND UPPER(card) <> 'X' */
         LIST(p, struct wr_input, input, sample_column(0, sample_string), sample_column(2, sample_string)),
         LIST(p, uint32_t, constant, 1),
         CLASSES(p, WR_CLASS_STR, WR_CLASS_STR, WR_CLASS_STR, WR_CLASS_STR, WR_CLASS_BOOL, WR_CLASS_BOOL,
                 WR_CLASS_BOOL),
         LIST(p, uint32_t, word, wr_word0(wr_op_word(WR_OP_CALL, 1), 3), wr_word1(WR_BUILTIN_UPPER, 0),
              wr_word0(WR_OP_NE_STR, 4), wr_word1(3, 2), wr_word0(WR_OP_IS_NOT_NULL, 5), wr_word1(1, 0),
              wr_word0(WR_OP_AND, 6), wr_word1(5, 4)),
         LIST(p, uint16_t, result, 6), .place = SAMPLE(p, uint32_t, 0, 5, 10, 20)},
        {/* card, amount * 2, status = 'declined', at */
         LIST(p, struct wr_input, input, sample_column(0, sample_string), sample_column(1, sample_money),
              sample_column(2, sample_string), sample_column(3, sample_time)),
         LIST(p, uint32_t, constant, 2, 3),
         CLASSES(p, WR_CLASS_STR, WR_CLASS_DEC, WR_CLASS_STR, WR_CLASS_I64, WR_CLASS_STR, WR_CLASS_DEC,
                 WR_CLASS_DEC, WR_CLASS_BOOL, WR_CLASS_DEC),
         LIST(p, uint32_t, word, wr_word0(wr_op_word(WR_OP_MUL_DEC, -2), 6), wr_word1(1, 5),
              wr_word0(WR_OP_EQ_STR, 7), wr_word1(2, 4), wr_word0(WR_OP_DEC_RESCALE, 8),
              wr_word1(6, wr_dectype_word(12, 2))),
         LIST(p, uint16_t, result, 0, 8, 7, 3), .place = NULL},
        {/* declined; NOT declined */
         LIST(p, struct wr_input, input, sample_column(2, sample_bool)), .constant = NULL,
         CLASSES(p, WR_CLASS_BOOL, WR_CLASS_BOOL),
         LIST(p, uint32_t, word, wr_word0(WR_OP_NOT, 1), wr_word1(0, 0)), LIST(p, uint16_t, result, 0, 1),
         .place = SAMPLE(p, uint32_t, 7)},
        {/* amount > SUM(small.amount) AND amount > LAST(small.amount, 1) */
         LIST(p, struct wr_input, input, sample_column(1, sample_money),
              {.kind = WR_INPUT_AGGREGATE, .column = 0, .type = sample_sum},
              {.kind = WR_INPUT_LAST, .set = 0, .column = 1, .offset = 1, .type = sample_money}),
         .constant = NULL,
         CLASSES(p, WR_CLASS_DEC, WR_CLASS_DEC, WR_CLASS_DEC, WR_CLASS_BOOL, WR_CLASS_BOOL, WR_CLASS_BOOL),
         LIST(p, uint32_t, word, wr_word0(WR_OP_GT_DEC, 3), wr_word1(0, 1), wr_word0(WR_OP_GT_DEC, 4),
              wr_word1(0, 2), wr_word0(WR_OP_AND, 5), wr_word1(3, 4)),
         LIST(p, uint16_t, result, 5), .place = NULL},
    };
    p->code_count = WR_COUNT(code);
    return sample_copy(p, code, sizeof code);
}

static inline struct wr_schema sample_schema(struct wr_program *p, const struct wr_schema_column *column,
                                             uint32_t count)
{
    return (struct wr_schema){count, sample_copy(p, column, count * sizeof *column)};
}
#define SCHEMA(p, ...)                                                                                       \
    sample_schema(p, (const struct wr_schema_column[]){__VA_ARGS__},                                         \
                  SAMPLE_COUNT(struct wr_schema_column, __VA_ARGS__))

static inline struct wr_pattern_node sample_pattern(struct wr_program *p)
{
    return (struct wr_pattern_node){
        LIST(p, uint32_t, key, 0),
        LIST(p, struct wr_pattern_variable, variable, {"small", "declined", 0, WR_NONE},
             {"large", "NOT declined AND …", 1, 4}),
        .set_count = 3,
        .set_words = 1,
        .set = SAMPLE(p, uint64_t, 1, 2, 3),
        .row_code = 3,
        LIST(p, struct wr_pattern_position, position,
             {.variable = 0, .follow_count = 1, .follow = 1, .reads = 0},
             {.variable = 1, .follow_count = 1, .follow = 2, .reads = WR_NONE}),
        LIST(p, struct wr_follow, follow, {.position = 0, .low_us = -1, .high_us = -1},
             {.position = 1, .connector = 1, .low_us = -1, .high_us = -1},
             {.position = WR_ACCEPT, .low_us = -1, .high_us = -1}),
        .first = 0,
        .first_count = 1,
        .within_us = 600000000,
        .after_match = WR_AFTER_PAST_LAST,
        .late_into = 1,
        .needs_ids = 1,
        LIST(p, uint32_t, keep, 1),
        LIST(p, struct wr_aggregate, aggregate,
             {.fn = WR_AGG_SUM,
              .running = 1,
              .set = 0,
              .column = 1,
              .column2 = WR_NONE,
              .filter = WR_NONE,
              .argument = sample_money,
              .type = sample_sum}),
        LIST(p, struct wr_input, history, {.kind = WR_INPUT_AGGREGATE, .column = 0, .type = sample_sum},
             {.kind = WR_INPUT_LAST, .set = 0, .column = 1, .offset = 1, .type = sample_money}),
        .reads_count = 1,
        .reads_words = 1,
        .reads = SAMPLE(p, uint64_t, 3),
        LIST(p, struct wr_input, output, {.kind = WR_INPUT_KEY, .column = 0, .type = sample_string},
             {.kind = WR_INPUT_LAST, .set = 1, .column = 1, .type = sample_money},
             {.kind = WR_INPUT_AGGREGATE, .column = 0, .type = sample_sum},
             {.kind = WR_INPUT_SPECIAL, .column = WR_SPECIAL_MATCH_ID, .type = sample_string}),
        .text = "small -> large"};
}

static inline const struct wr_node *sample_nodes(struct wr_program *p)
{
    const struct wr_schema rows =
        SCHEMA(p, {"card", sample_string}, {"amount", sample_money}, {"status", sample_string},
               {"at", sample_time}, {"big", sample_bool});
    const struct wr_schema selected = SCHEMA(p, {"card", sample_string}, {"amount", sample_money},
                                             {"declined", sample_bool}, {"at", sample_time});
    const struct wr_schema sums =
        SCHEMA(p, {"card", sample_string}, {"window_start", sample_time}, {"window_end", sample_time},
               {"n", sample_bigint}, {"total", sample_sum});
    const struct wr_schema matches = SCHEMA(p, {"card", sample_string}, {"amount", sample_money},
                                            {"tried", sample_sum}, {"id", sample_string});
    const struct wr_node node[] = {
        {.kind = WR_NODE_SOURCE,
         .query = 0,
         .name = "payments",
         .schema = rows,
         .u.source =
             {.stream = 0,
              LIST(p, struct wr_field, field, {"card", sample_string, WR_FIELD_KEY, 1, 0, NULL, WR_NONE, 0},
                   {"amount", sample_money, WR_FIELD_PATH, 0, 2, SAMPLE(p, sample_text, "payment", "amount"),
                    3, 0},
                   {"status", sample_string, WR_FIELD_PATH, 0, 1, SAMPLE(p, sample_text, "status"), WR_NONE,
                    1},
                   {"at", sample_time, WR_FIELD_PATH, 1, 1, SAMPLE(p, sample_text, "at"), WR_NONE, 2}),
              .computed = 0,
              .computed_not_null = SAMPLE(p, uint8_t, 1),
              .time_column = 3,
              .watermark = WR_NONE,
              .delay_us = 5000000}},
        {.kind = WR_NODE_SELECT,
         .input_count = 1,
         .query = 1,
         .name = "filter",
         .input = SAMPLE(p, uint32_t, 0),
         .schema = selected,
         .place = 12,
         .u.select = {.where = 1, .project = 2, .carry = SAMPLE(p, uint8_t, 0, 1, 0, 0)}},
        {.kind = WR_NODE_WINDOW,
         .input_count = 1,
         .query = 1,
         .name = "minutes",
         .input = SAMPLE(p, uint32_t, 1),
         .schema = sums,
         .u.window = {.size_us = 60000000,
                      .slide_us = 30000000,
                      .offset_us = 0,
                      .late_us = 1000000,
                      .late_into = 1,
                      LIST(p, uint32_t, key, 0),
                      LIST(p, struct wr_aggregate, aggregate,
                           {.fn = WR_AGG_COUNT_ROWS,
                            .column = WR_NONE,
                            .column2 = WR_NONE,
                            .filter = WR_NONE,
                            .type = sample_bigint},
                           {.fn = WR_AGG_SUM,
                            .column = 1,
                            .column2 = WR_NONE,
                            .filter = 2,
                            .argument = sample_money,
                            .type = sample_sum})}},
        {.kind = WR_NODE_PATTERN,
         .input_count = 1,
         .query = 2,
         .name = "testing",
         .input = SAMPLE(p, uint32_t, 1),
         .schema = matches,
         .u.pattern = sample_pattern(p)},
        {.kind = WR_NODE_LATE,
         .input_count = 1,
         .query = 2,
         .name = "late",
         .input = SAMPLE(p, uint32_t, 3),
         .schema = selected},
        {.kind = WR_NODE_MERGE,
         .input_count = 2,
         .query = 2,
         .name = "both",
         .input = SAMPLE(p, uint32_t, 1, 4),
         .schema = selected},
        {.kind = WR_NODE_OUTPUT,
         .input_count = 1,
         .query = 1,
         .name = "sums",
         .input = SAMPLE(p, uint32_t, 2),
         .schema = sums,
         .u.output = {.stream = WR_NONE}},
        {.kind = WR_NODE_OUTPUT,
         .input_count = 1,
         .query = 2,
         .name = "alerts",
         .input = SAMPLE(p, uint32_t, 3),
         .schema = matches,
         .u.output = {.stream = 1, .only_if_bound = 1}},
        {.kind = WR_NODE_OUTPUT,
         .input_count = 1,
         .query = 2,
         .name = "all",
         .input = SAMPLE(p, uint32_t, 5),
         .schema = selected,
         .u.output = {.stream = WR_NONE}},
    };
    p->node_count = WR_COUNT(node);
    return sample_copy(p, node, sizeof node);
}

static inline struct wr_program *sample_program(void)
{
    struct wr_program *p = wr_program_new();
    const struct wr_value limit = {.cls = WR_CLASS_DEC, .u.dec = 50000},
                          two = {.cls = WR_CLASS_DEC, .u.dec = 200},
                          x = {.cls = WR_CLASS_STR, .u.str = WR_SLICE("X")},
                          declined = {.cls = WR_CLASS_STR, .u.str = WR_SLICE("declined")};
    p->parameter = SAMPLE(p, struct wr_parameter, {"max", sample_money, true, limit, false},
                          {"who", sample_string, false, {.cls = WR_CLASS_STR, .flag = WR_FLAG_NULL}, false});
    p->parameter_count = 2;
    p->constant = SAMPLE(p, struct wr_constant, {sample_money, limit, 0}, {sample_string, x, WR_NONE},
                         {sample_string, declined, WR_NONE}, {sample_money, two, WR_NONE});
    p->constant_count = 4;
    p->stream =
        SAMPLE(p, struct wr_stream,
               {.name = "payments",
                LIST(p, struct wr_option_value, option, {"format", "json"}, {"connector", "file"}),
                .declared = SCHEMA(p, {"card", sample_string}, {"amount", sample_money},
                                   {"status", sample_string}, {"at", sample_time}, {"big", sample_bool}),
                .record_columns = 3},
               {.name = "alerts", .option = NULL, .declared = {0}});
    p->stream_count = 2;
    p->code = sample_code(p);
    p->query = SAMPLE(p, sample_text, "payments", "sums", "testing");
    p->query_count = 3;
    p->node = sample_nodes(p);
    p->setting = SAMPLE(p, struct wr_option_value, {"key_ttl", "604800000000us"});
    p->setting_count = 1;
    p->source_name = "sample.weir";
    p->source_text = WR_SLICE("CREATE STREAM payments (\n  big BOOLEAN AS amount > :max);\nSELECT 'é';\n");
    return p;
}

#endif
