/* The bench: a program with one source and one pattern, and a task of nothing but a notebook. */
#include "tests/runtime/pattern_bench.h"

#include "runtime/pattern.h"
#include "vm/opcode.h"

#include <stdio.h>
#include <stdlib.h>

/* Columns of the input. */
enum { COLUMN_KEY, COLUMN_N, COLUMN_X, COLUMN_FLAG, COLUMNS = COLUMN_FLAG + BENCH_VARIABLES };

struct wr_row_code {
    struct wr_frame *frame;
};

struct wr_task {
    const struct wr_program *program;
    struct wr_row_code row_code;
    const char *matcher;
    struct wr_buf *out;
    int64_t time;
    uint32_t late, errors;
};

/* ---- The task that the operator sees --------------------------------------------------------------- */

static void note_value(struct wr_buf *out, const struct wr_value *value)
{
    if (value->flag == WR_FLAG_NULL) wr_buf_add_cstr(out, " -");
    else if (value->flag == WR_FLAG_ERROR) wr_buf_add_cstr(out, " !");
    else if (value->cls == WR_CLASS_STR) wr_buf_printf(out, " %.*s", WR_SLICE_ARG(value->u.str));
    else wr_buf_printf(out, " %lld", (long long)value->u.i64);
}

void wr_operator_emit(struct wr_operator *op, const struct wr_batch *batch)
{
    struct wr_buf *out = op->task->out;
    if (!out) return;
    for (uint32_t r = 0; r < batch->rows; r++) {
        struct wr_place place = wr_batch_place(batch, r);
        WR_ASSERT(batch->time[r] == place.time);
        wr_buf_printf(out, "%lld.%u.%llu first %llu:", (long long)place.time, place.source,
                      (unsigned long long)place.offset, (unsigned long long)batch->first[r].offset);
        for (uint32_t c = 0; c < batch->columns; c++) {
            struct wr_value value = wr_vector_at(&batch->column[c], r);
            note_value(out, &value);
        }
        wr_buf_add_char(out, '\n');
    }
}

void wr_operator_emit_watermark(struct wr_operator *op, int64_t watermark)
{
    if (watermark == WR_TIME_MAX) op->cls->on_end(op);
}

void wr_operator_refuse_late(struct wr_operator *op, const struct wr_batch *batch, uint32_t row)
{
    WR_ASSERT(wr_bit(batch->late, row));
    op->task->late++;
}

void wr_operator_count_error(struct wr_operator *op, const struct wr_batch *batch, uint32_t row,
                             enum wr_reason reason, const char *what)
{
    WR_ASSERT(row < batch->rows && reason < WR_REASON_COUNT && what);
    op->task->errors++;
}

void wr_operator_count(struct wr_operator *op, const char *reason, const char *code, struct wr_place place)
{
    WR_ASSERT(op && reason && code && place.time);
}

void wr_limits_check_operator(struct wr_operator *op)
{
    WR_ASSERT(!op); /* nothing here has a limit */
}

bool wr_task_halted(struct wr_task *task)
{
    WR_ASSERT(task);
    return false;
}

void wr_task_fail(struct wr_task *task, const struct wr_error *error)
{
    WR_ASSERT(task && !error); /* nothing here has a limit */
}

int64_t wr_task_time(const struct wr_task *task) { return task->time; }
const struct wr_program *wr_task_program(const struct wr_task *task) { return task->program; }
const char *wr_task_matcher(const struct wr_task *task) { return task->matcher; }
uint64_t wr_task_hash_seed(const struct wr_task *task) { return (uint64_t)(task != NULL) * 77; }

struct wr_row_frame *wr_task_row_frame(const struct wr_task *task, uint32_t code)
{
    return wr_row_frame_new(task->program, &task->program->code[code]);
}

struct wr_row_code *wr_task_row_code(struct wr_task *task, uint32_t code, uint32_t from)
{
    WR_ASSERT(!task->row_code.frame && from == 0);
    task->row_code.frame = wr_frame_new(task->program, &task->program->code[code]);
    return &task->row_code;
}

struct wr_frame *wr_row_code_run(struct wr_row_code *shared, const struct wr_batch *batch)
{
    wr_frame_run(shared->frame, batch);
    return shared->frame;
}

struct wr_watch *wr_task_watch(const struct wr_task *task)
{
    WR_ASSERT(task);
    return NULL; /* nobody watches */
}

void wr_task_source_identity(const struct wr_task *task, uint32_t source, struct wr_slice *stream,
                             uint32_t *partition)
{
    WR_ASSERT(task && source <= 1);
    *stream = source ? WR_SLICE("rows") : WR_SLICE("");
    *partition = 0;
}

uint32_t wr_task_source_find(const struct wr_task *task, struct wr_slice stream, uint32_t partition)
{
    WR_ASSERT(task);
    if (partition || (stream.size && !wr_slice_equal(stream, WR_SLICE("rows")))) return WR_NONE;
    return stream.size ? 1 : 0;
}

/* ---- The program ------------------------------------------------------------------------------------ */

static struct wr_input input_of(enum wr_input_kind kind, uint32_t set, uint32_t column, uint32_t offset,
                                enum wr_kind type)
{
    return (struct wr_input){.kind = (uint8_t)kind, .set = (uint16_t)set, .column = (uint16_t)column,
                             .offset = (uint16_t)offset, .type = wr_type_of(type)};
}

/* The flags of the variables, as they are. */
static void row_code(struct wr_program *program, struct wr_code *code, uint32_t variables)
{
    struct wr_input *input = WR_NEW_ARRAY(&program->arena, struct wr_input, variables);
    uint8_t *cls = WR_NEW_ARRAY(&program->arena, uint8_t, variables);
    uint16_t *result = WR_NEW_ARRAY(&program->arena, uint16_t, variables);
    for (uint32_t v = 0; v < variables; v++) {
        input[v] = input_of(WR_INPUT_COLUMN, 0, COLUMN_FLAG + v, 0, WR_KIND_BOOLEAN);
        cls[v] = WR_CLASS_BOOL;
        result[v] = (uint16_t)v;
    }
    *code = (struct wr_code){.input_count = variables, .input = input, .register_count = variables,
                             .register_class = cls, .result_count = variables, .result = result};
}

/* One comparison of two inputs, or of an input and constant 0. */
static void condition_code(struct wr_program *program, struct wr_code *code, enum wr_op op, const struct wr_input *pair,
                           uint32_t inputs, const uint32_t *constant)
{
    struct wr_input *input = WR_NEW_ARRAY(&program->arena, struct wr_input, 2);
    uint8_t *cls = WR_NEW_ARRAY(&program->arena, uint8_t, 3);
    uint32_t *word = WR_NEW_ARRAY(&program->arena, uint32_t, 2);
    uint16_t *result = WR_NEW_ARRAY(&program->arena, uint16_t, 1);
    memcpy(input, pair, inputs * sizeof *input);
    cls[0] = cls[1] = WR_CLASS_I64;
    cls[2] = WR_CLASS_BOOL;
    result[0] = 2;
    word[0] = wr_word0(op, 2);
    word[1] = wr_word1(0, 1);
    uint32_t *place = WR_NEW_ARRAY(&program->arena, uint32_t, 1);
    *code = (struct wr_code){.input_count = inputs, .input = input, .constant_count = 2 - inputs,
                             .constant = constant, .register_count = 3, .register_class = cls, .word_count = 2,
                             .word = word, .result_count = 1, .result = result, .place = place};
}

struct parts {
    struct wr_code *code;
    struct wr_pattern_variable *variable;
    struct wr_aggregate *aggregate;
    struct wr_input *history;
    uint32_t codes, aggregates, histories;
    uint32_t history_of[BENCH_VARIABLES];
};

static void conditions(struct wr_program *program, const struct bench_pattern *b, struct parts *parts)
{
    static const char *const name[] = {"a", "b", "c", "d"};
    parts->variable = WR_NEW_ARRAY(&program->arena, struct wr_pattern_variable, b->variables);
    for (uint32_t v = 0; v < b->variables; v++) {
        const struct bench_condition *c = &b->condition[v];
        parts->variable[v] = (struct wr_pattern_variable){name[v], "", v, WR_NONE};
        parts->history_of[v] = WR_NONE;
        if (c->ask == ASK_NOTHING) continue;
        struct wr_input pair[2] = {input_of(WR_INPUT_COLUMN, 0, COLUMN_X, 0, WR_KIND_BIGINT)};
        uint32_t *constant = WR_NEW_ARRAY(&program->arena, uint32_t, 1);
        if (c->ask == ASK_COUNT_AT_MOST) {
            uint32_t a = parts->aggregates++;
            parts->aggregate[a] = (struct wr_aggregate){.fn = WR_AGG_COUNT_ROWS, .running = 1, .set = c->set,
                                                        .column = WR_NONE, .column2 = WR_NONE, .filter = WR_NONE,
                                                        .type = wr_type_of(WR_KIND_BIGINT)};
            pair[0] = pair[1] = input_of(WR_INPUT_AGGREGATE, c->set, a, 0, WR_KIND_BIGINT);
            *constant = program->constant_count;
            program->constant[program->constant_count++] = (struct wr_constant){
                wr_type_of(WR_KIND_BIGINT), {.cls = WR_CLASS_I64, .u.i64 = c->offset + 1}, WR_NONE};
            condition_code(program, &parts->code[parts->codes], WR_OP_LE_I64, pair, 1, constant);
        } else {
            bool last = c->ask == ASK_MORE_THAN_LAST;
            pair[1] = input_of(last ? WR_INPUT_LAST : WR_INPUT_FIRST, c->set, COLUMN_X, c->offset, WR_KIND_BIGINT);
            condition_code(program, &parts->code[parts->codes], last ? WR_OP_GT_I64 : WR_OP_LT_I64, pair, 2, NULL);
        }
        parts->history_of[v] = parts->histories;
        parts->history[parts->histories++] = pair[1];
        parts->variable[v].condition = parts->codes++;
    }
}

/* reads of a position: history of the variables of all positions reachable from it. */
static uint64_t reads_from(const struct bench_pattern *b, const struct parts *parts, uint32_t position, uint64_t *seen)
{
    uint64_t reads = 0;
    for (uint32_t e = 0; e < b->follow[position].count; e++) {
        uint16_t to = b->follow[position].entry[e].position;
        if (to == WR_ACCEPT || (*seen >> to & 1)) continue;
        *seen |= (uint64_t)1 << to;
        uint32_t h = parts->history_of[b->variable[to]];
        if (h != WR_NONE) reads |= (uint64_t)1 << h;
        reads |= reads_from(b, parts, to, seen);
    }
    return reads;
}

static void automaton(struct wr_program *program, const struct bench_pattern *b, const struct parts *parts,
                      struct wr_pattern_node *node)
{
    struct wr_arena *arena = &program->arena;
    struct wr_pattern_position *position = WR_NEW_ARRAY(arena, struct wr_pattern_position, b->positions);
    struct wr_follow *follow = WR_NEW_ARRAY(arena, struct wr_follow, (b->positions + 1) * BENCH_ENTRIES);
    uint64_t *reads = WR_NEW_ARRAY(arena, uint64_t, b->positions + 1);
    struct wr_kill *kill = WR_NEW_ARRAY(arena, struct wr_kill, b->positions * BENCH_ENTRIES * BENCH_VARIABLES);
    uint32_t at = 0, kills = 0;
    for (uint32_t i = 0; i <= b->positions; i++) {
        const struct bench_list *list = &b->follow[i];
        uint64_t seen = 0;
        if (i < b->positions) {
            reads[i] = reads_from(b, parts, i, &seen);
            position[i] = (struct wr_pattern_position){.variable = b->variable[i],
                                                       .follow_count = (uint16_t)list->count, .follow = at,
                                                       .absence_us = b->absence[i],
                                                       .reads = reads[i] ? i : WR_NONE};
        } else {
            node->first = at;
            node->first_count = list->count;
        }
        for (uint32_t e = 0; e < list->count; e++) {
            struct wr_follow *f = &follow[at++];
            *f = (struct wr_follow){.position = list->entry[e].position, .connector = list->entry[e].arrow, .kill = kills,
                                    .low_us = -1, .high_us = -1};
            for (uint32_t v = 0; v < b->variables && i < b->positions && f->position != WR_ACCEPT; v++)
                if (b->kill[i] >> v & 1) kill[kills++].variable = (uint16_t)v;
            f->kill_count = (uint16_t)(kills - f->kill);
        }
    }
    node->kill_count = kills;
    node->kill = kill;
    node->position_count = b->positions;
    node->position = position;
    node->follow_count = at;
    node->follow = follow;
    node->reads_count = b->positions;
    node->reads_words = 1;
    node->reads = reads;
}

/* Per variable COUNT(*), FIRST(n), LAST(n); the key where there is one; the class of the last row; MATCH_ID. */
static void outputs(struct wr_program *program, const struct bench_pattern *b, struct parts *parts,
                    struct wr_node *node)
{
    struct wr_pattern_node *p = &node->u.pattern;
    struct wr_input *output = WR_NEW_ARRAY(&program->arena, struct wr_input, 3 + 3 * b->variables);
    uint32_t count = 0;
    if (b->keyed) output[count++] = input_of(WR_INPUT_KEY, 0, 0, 0, WR_KIND_BIGINT);
    for (uint32_t v = 0; v < b->variables; v++) {
        uint32_t a = parts->aggregates++;
        parts->aggregate[a] = (struct wr_aggregate){.fn = WR_AGG_COUNT_ROWS, .set = (uint16_t)v, .column = WR_NONE,
                                                    .column2 = WR_NONE, .filter = WR_NONE,
                                                    .type = wr_type_of(WR_KIND_BIGINT)};
        output[count++] = input_of(WR_INPUT_AGGREGATE, v, a, 0, WR_KIND_BIGINT);
        output[count++] = input_of(WR_INPUT_FIRST, v, COLUMN_N, 0, WR_KIND_BIGINT);
        output[count++] = input_of(WR_INPUT_LAST, v, COLUMN_N, 0, WR_KIND_BIGINT);
    }
    output[count++] = input_of(WR_INPUT_SPECIAL, WR_SET_ALL, WR_SPECIAL_CLASSIFIER, 0, WR_KIND_STRING);
    output[count++] = input_of(WR_INPUT_SPECIAL, WR_SET_ALL, WR_SPECIAL_MATCH_ID, 0, WR_KIND_STRING);
    struct wr_schema_column *column = WR_NEW_ARRAY(&program->arena, struct wr_schema_column, count);
    for (uint32_t i = 0; i < count; i++) column[i] = (struct wr_schema_column){"o", output[i].type};
    p->output_count = count;
    p->output = output;
    node->schema = (struct wr_schema){count, column};
}

static struct wr_program *make_program(const struct bench_pattern *b)
{
    static const uint32_t key = COLUMN_KEY, keep[] = {COLUMN_N, COLUMN_X};
    static const char *const query[] = {"bench"};
    static const uint32_t source = 0;
    struct wr_program *program = wr_program_new();
    struct wr_arena *arena = &program->arena;
    struct wr_node *node = WR_NEW_ARRAY(arena, struct wr_node, 2);
    struct wr_schema_column *column = WR_NEW_ARRAY(arena, struct wr_schema_column, COLUMNS);
    for (uint32_t c = 0; c < COLUMNS; c++)
        column[c] = (struct wr_schema_column){"c", wr_type_of(c < COLUMN_FLAG ? WR_KIND_BIGINT : WR_KIND_BOOLEAN)};
    struct parts parts = {.code = WR_NEW_ARRAY(arena, struct wr_code, 1 + BENCH_VARIABLES), .codes = 1,
                          .aggregate = WR_NEW_ARRAY(arena, struct wr_aggregate, 2 * BENCH_VARIABLES),
                          .history = WR_NEW_ARRAY(arena, struct wr_input, BENCH_VARIABLES)};
    program->constant = WR_NEW_ARRAY(arena, struct wr_constant, BENCH_VARIABLES);
    row_code(program, &parts.code[0], b->variables);
    node[0] = (struct wr_node){.kind = WR_NODE_SOURCE, .name = "rows", .schema = {COLUMNS, column}};
    node[1] = (struct wr_node){.kind = WR_NODE_PATTERN, .input_count = 1, .name = "bench", .input = &source};
    struct wr_pattern_node *p = &node[1].u.pattern;
    conditions(program, b, &parts);
    automaton(program, b, &parts, p);
    outputs(program, b, &parts, &node[1]);
    uint64_t *set = WR_NEW_ARRAY(arena, uint64_t, b->variables);
    for (uint32_t v = 0; v < b->variables; v++) set[v] = (uint64_t)1 << v;
    p->key_count = b->keyed;
    p->key = &key;
    p->variable_count = p->set_count = b->variables;
    p->variable = parts.variable;
    p->set_words = 1;
    p->set = set;
    p->row_code = 0;
    p->within_us = b->within;
    p->after_match = b->past_last ? WR_AFTER_PAST_LAST : WR_AFTER_NEXT_ROW;
    p->needs_ids = 1;
    p->keep_count = WR_COUNT(keep);
    p->keep = keep;
    p->aggregate_count = parts.aggregates;
    p->aggregate = parts.aggregate;
    p->history_count = parts.histories;
    p->history = parts.history;
    p->text = "bench";
    program->code = parts.code;
    program->code_count = parts.codes;
    program->node = node;
    program->node_count = 2;
    program->query = query;
    program->query_count = 1;
    return program;
}

/* ---- Rows --------------------------------------------------------------------------------------------- */

static void put(struct wr_batch_builder *b, uint32_t column, uint32_t row, uint8_t cls, uint8_t flag, int64_t number)
{
    struct wr_value value = {.cls = cls, .flag = flag, .reason = flag == WR_FLAG_ERROR ? WR_REASON_DOMAIN : 0};
    if (cls == WR_CLASS_BOOL) value.u.boolean = number != 0;
    else value.u.i64 = number;
    wr_batch_builder_put(b, column, row, &value, false);
}

static void fill(struct wr_batch_builder *b, const struct bench_row *row, uint64_t start, uint32_t count)
{
    wr_batch_builder_clear(b);
    b->batch.any_late = false;
    memset(b->batch.late, 0, sizeof b->batch.late);
    for (uint32_t r = 0; r < count; r++) {
        const struct bench_row *from = &row[r];
        put(b, COLUMN_KEY, r, WR_CLASS_I64, from->null_key ? WR_FLAG_NULL : WR_FLAG_VALUE, from->key);
        put(b, COLUMN_N, r, WR_CLASS_I64, WR_FLAG_VALUE, (int64_t)(start + r));
        put(b, COLUMN_X, r, WR_CLASS_I64, from->null_x ? WR_FLAG_NULL : WR_FLAG_VALUE, from->x);
        for (uint32_t v = 0; v < BENCH_VARIABLES; v++)
            put(b, COLUMN_FLAG + v, r, WR_CLASS_BOOL, from->error[v] ? WR_FLAG_ERROR : WR_FLAG_VALUE, from->flag[v]);
        b->time[r] = b->event_time[r] = b->place_time[r] = from->time;
        b->source[r] = 1;
        b->offset[r] = start + r;
        b->ordinal[r] = 0;
        if (!from->late) continue;
        b->batch.any_late = true;
        wr_bit_set(b->batch.late, r);
    }
    b->batch.rows = count;
    b->batch.first = NULL;
}

struct entries {
    struct wr_buf bytes;
    uint32_t count;
};

static void collect(void *context, struct wr_slice key, struct wr_slice value)
{
    struct entries *entries = context;
    wr_put_bytes(&entries->bytes, key);
    wr_put_bytes(&entries->bytes, value);
    entries->count++;
}

/* The state of one operator becomes that of another, which has none. */
static void move(struct wr_operator *from, struct wr_operator *op)
{
    struct entries entries = {0};
    from->cls->save_all(from, collect, &entries);
    if (from == op) op->cls->clear(op);
    struct wr_slice in = wr_buf_slice(&entries.bytes), key, value;
    for (uint32_t i = 0; i < entries.count; i++) {
        bool whole = wr_get_bytes(&in, &key) && wr_get_bytes(&in, &value);
        WR_ASSERT(whole);
        bool loaded = op->cls->load(op, key, value);
        WR_ASSERT(loaded);
    }
    wr_buf_release(&entries.bytes);
}

struct bench {
    struct wr_buf out;
    struct wr_program *program;
    struct wr_task task;
    struct wr_operator *op;
    struct wr_type type[COLUMNS];
    struct wr_batch_builder builder;
    uint64_t rows;
};

struct bench *bench_open(const struct bench_pattern *pattern, const char *matcher)
{
    struct bench *bench = wr_alloc_zero(sizeof *bench);
    bench->program = make_program(pattern);
    bench->task = (struct wr_task){
        .program = bench->program, .matcher = matcher, .out = &bench->out, .time = WR_TIME_MIN};
    bench->op = wr_pattern_operator.create(&bench->task, &bench->program->node[1]);
    bench->op->id = 1;
    wr_timers_init(&bench->op->timers);
    for (uint32_t c = 0; c < COLUMNS; c++) bench->type[c] = bench->program->node[0].schema.column[c].type;
    wr_batch_builder_init(&bench->builder, bench->type, COLUMNS, false);
    return bench;
}

void bench_feed(struct bench *bench, const struct bench_row *row, uint32_t count)
{
    fill(&bench->builder, row, bench->rows, count);
    bench->op->cls->on_batch(bench->op, 0, &bench->builder.batch);
    bench->rows += count;
    bench->task.time = row[count - 1].time;
}

void bench_size(const struct bench *bench, struct wr_operator_size *size)
{
    bench->op->cls->measure(bench->op, size);
}

void bench_quiet(struct bench *bench) { bench->task.out = NULL; }

void bench_close(struct bench *bench)
{
    wr_buf_release(&bench->out);
    wr_batch_builder_release(&bench->builder);
    wr_timers_release(&bench->op->timers);
    bench->op->cls->free(bench->op);
    if (bench->task.row_code.frame) wr_frame_free(bench->task.row_code.frame);
    wr_program_free(bench->program);
    wr_free(bench);
}

/* Another bench that goes on where this one stands. */
static struct bench *moved(struct bench *bench, const struct bench_pattern *pattern, const char *matcher)
{
    struct bench *next = bench_open(pattern, matcher);
    move(bench->op, next->op);
    next->rows = bench->rows;
    next->task.time = bench->task.time;
    next->task.late = bench->task.late;
    next->task.errors = bench->task.errors;
    next->op->watermark = bench->op->watermark;
    wr_buf_add_slice(&next->out, wr_buf_slice(&bench->out));
    bench_close(bench);
    return next;
}

bool bench_load_damaged(struct bench *bench, const struct bench_pattern *pattern, const char *matcher,
                        uint32_t (*below)(uint32_t))
{
    struct entries entries = {0}, again = {0};
    bench->op->cls->save_all(bench->op, collect, &entries);
    struct bench *other = bench_open(pattern, matcher);
    struct wr_slice in = wr_buf_slice(&entries.bytes), key, value;
    uint32_t which = below(entries.count);
    bool taken = true;
    for (uint32_t i = 0; taken && i < entries.count; i++) {
        taken = wr_get_bytes(&in, &key) && wr_get_bytes(&in, &value);
        WR_ASSERT(taken);
        char *bytes = wr_alloc(value.size); /* so that a sanitizer sees a byte too many */
        memcpy(bytes, value.data, value.size);
        size_t size = value.size;
        if (i == which && below(4) == 0) size = below((uint32_t)size);
        else if (i == which) bytes[below((uint32_t)size)] ^= (char)(1 + below(255));
        taken = other->op->cls->load(other->op, key, wr_slice_of(bytes, size));
        wr_free(bytes);
    }
    if (taken) other->op->cls->save_all(other->op, collect, &again);
    bench_close(other);
    wr_buf_release(&entries.bytes);
    wr_buf_release(&again.bytes);
    return taken;
}

static char *run(const struct bench_pattern *pattern, const struct bench_row *row, uint32_t rows,
                 const struct bench_options *options, bool want_state)
{
    struct bench *bench = bench_open(pattern, options->matcher);
    bool moves = options->moves && !want_state;
    for (uint32_t start = 0; start < rows;) {
        if (moves && start + 1 >= rows / 2) {
            moves = false;
            bench = moved(bench, pattern, options->then);
        }
        struct wr_operator *op = bench->op;
        uint32_t count = WR_MIN(options->batch, rows - start);
        if (options->watermarks) op->cls->on_watermark(op, 0, row[start].time);
        bench_feed(bench, row + start, count);
        start += count;
        if (options->roundtrip) move(op, op);
        wr_pattern_check(op);
    }
    if (options->moves && want_state) bench = moved(bench, pattern, "general"); /* whose form has everything by name */
    struct wr_operator *op = bench->op;
    if (want_state) {
        struct entries entries = {0};
        op->cls->save_all(op, collect, &entries);
        wr_buf_clear(&bench->out);
        for (size_t i = 0; i < entries.bytes.size; i++)
            wr_buf_printf(&bench->out, "%02x", (unsigned char)entries.bytes.data[i]);
        wr_buf_release(&entries.bytes);
    } else {
        op->cls->on_watermark(op, 0, WR_TIME_MAX);
        wr_buf_printf(&bench->out, "late %u errors %u\n", bench->task.late, bench->task.errors);
        struct wr_operator_size size;
        bench_size(bench, &size);
        const char *forced = options->moves ? options->then : options->matcher;
        assert_int_equal(size.starts, forced ? 0 : size.starts); /* all are decided, or gone */
    }
    char *text = wr_strdup(wr_buf_cstr(&bench->out));
    bench_close(bench);
    return text;
}

char *bench_run(const struct bench_pattern *pattern, const struct bench_row *row, uint32_t rows,
                const struct bench_options *options)
{
    return run(pattern, row, rows, options, false);
}

char *bench_state(const struct bench_pattern *pattern, const struct bench_row *row, uint32_t rows,
                  const struct bench_options *options)
{
    return run(pattern, row, rows, options, true);
}

void bench_print(const struct bench_pattern *b, const struct bench_row *row, uint32_t rows)
{
    fprintf(stderr, "within %lld, %s, %s\n", (long long)b->within, b->past_last ? "past last" : "next row",
            b->keyed ? "by key" : "no key");
    for (uint32_t v = 0; v < b->variables; v++)
        fprintf(stderr, "  %c asks %d of set %d, %d\n", "abcd"[v], b->condition[v].ask, b->condition[v].set,
                b->condition[v].offset);
    for (uint32_t i = 0; i <= b->positions; i++) {
        if (i < b->positions)
            fprintf(stderr, "  %u is %c, absence %lld, NOT %x:", i, "abcd"[b->variable[i]], (long long)b->absence[i], b->kill[i]);
        else fprintf(stderr, "  begin:");
        for (uint32_t e = 0; e < b->follow[i].count; e++) {
            const struct bench_entry *entry = &b->follow[i].entry[e];
            if (entry->position == WR_ACCEPT) fprintf(stderr, " END");
            else fprintf(stderr, " %s%u", entry->arrow ? "->" : "", entry->position);
        }
        fprintf(stderr, "\n");
    }
    for (uint32_t r = 0; r < rows; r++) {
        fprintf(stderr, "  row %u time %lld key ", r, (long long)row[r].time);
        if (row[r].null_key) fprintf(stderr, "-");
        else fprintf(stderr, "%lld", (long long)row[r].key);
        fprintf(stderr, " x %lld%s%s ", (long long)row[r].x, row[r].null_x ? " null" : "", row[r].late ? " late" : "");
        for (uint32_t v = 0; v < b->variables; v++)
            fprintf(stderr, "%c", row[r].error[v] ? '!' : row[r].flag[v] ? "abcd"[v] : '.');
        fprintf(stderr, "\n");
    }
}
