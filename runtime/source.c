/* SOURCE: computed columns, bad records, lateness and effective times, and the order of places. */
#include "runtime/source.h"

#include "base/fault.h"
#include "runtime/codec.h"
#include "runtime/state.h"
#include "vm/text.h"

static int64_t option_number(const struct wr_stream *stream, const char *name, int64_t otherwise)
{
    const char *text = wr_stream_option(stream, name);
    int64_t value;
    return text && wr_parse_i64(wr_slice_cstr(text), &value) ? value : otherwise;
}

static struct wr_operator *create(struct wr_task *task, const struct wr_node *node)
{
    enum { MAX_AHEAD_US = 300000000 };
    const struct wr_program *program = task->program;
    struct wr_source *source = wr_alloc_zero(sizeof *source);
    source->node = &node->u.source;
    source->stream = &program->stream[node->u.source.stream];
    wr_reorder_init(&source->reorder, &node->schema);
    source->column = wr_alloc_zero(sizeof *source->column * (node->schema.count + 1));
    source->zeros = wr_alloc_zero(sizeof *source->zeros * WR_BATCH_ROWS);
    if (source->node->computed != WR_NONE)
        source->computed = wr_task_frame(task, source->node->computed);
    if (source->node->watermark != WR_NONE && source->node->delay_us < 0)
        source->watermark = wr_task_frame(task, source->node->watermark);
    const char *ahead = wr_stream_option(source->stream, "max_ahead");
    if (!ahead) ahead = wr_program_setting(program, "max_ahead");
    const char *dialect = wr_program_setting(program, "dialect");
    source->late_at = dialect && wr_slice_equal_nocase(wr_slice_cstr(dialect), WR_SLICE("flink"));
    source->partition_field = WR_NONE;
    for (uint32_t f = 0; f < source->node->field_count; f++)
        if (source->node->field[f].from == WR_FIELD_PARTITION) source->partition_field = f;
    wr_unseen_init(source);
    source->max_ahead_us = MAX_AHEAD_US;
    if (ahead && !wr_parse_interval(wr_slice_cstr(ahead), &source->max_ahead_us))
        source->max_ahead_us = -1;
    source->errors_max = option_number(source->stream, "max_errors", -1);
    const char *on_error = wr_stream_option(source->stream, "on_error");
    source->stop_on_error = on_error ? strcmp(on_error, "stop") == 0 : task->options.stop_on_error;
    return &source->op;
}

static void free_source(struct wr_operator *op)
{
    struct wr_source *source = (struct wr_source *)op;
    wr_reorder_release_all(&source->reorder);
    wr_frame_free(source->computed);
    wr_frame_free(source->watermark);
    wr_vec_release(&source->partition);
    wr_free(source->column);
    wr_free(source->unseen);
    wr_free((void *)(uintptr_t)source->zeros);
    wr_free(source);
}

void wr_source_bad_record(void *context, const struct wr_bad_record *record)
{
    struct wr_partition *partition = context;
    struct wr_task *task = partition->task;
    bool running = task->error.status == WR_OK;
    struct wr_drop_sample sample = {.place = {.source = partition->place, .offset = record->offset},
                                    .line = record->line,
                                    .what = record->column,
                                    .bytes = record->bytes};
    partition->rows++;
    wr_task_drop(task, partition->source->op.node->query, WR_DROP_RECORD, record->reason,
                 record->code ? record->code : "", &sample);
    if (running && task->error.status != WR_OK) partition->stop_at = record->offset;
}

/* ---- Giving out
 * ---------------------------------------------------------------------------------- */

static void emit(void *context, const struct wr_batch *batch)
{
    struct wr_source *source = context;
    struct wr_task *task = source->op.task;
    int64_t last = batch->time[batch->rows - 1];
    if (last > source->op.time) source->op.time = last;
    if (last > task->time) task->time = last;
    wr_operator_emit(&source->op, batch);
}

/* No row that is still to come stands before this: what is at or before it may go. Partitions come
 * in their order, so of two that stand at one time the lower one may still bring rows that stand
 * before the other's. */
static struct wr_reorder_key bound_of(const struct wr_source *source)
{
    struct wr_reorder_key bound = {WR_TIME_MAX, UINT32_MAX};
    for (size_t i = 0; i < source->partition.count; i++) {
        const struct wr_partition *p = source->partition.at[i];
        struct wr_reorder_key key = {p->watermark, p->place};
        if (!p->ended && wr_reorder_key_before(key, bound)) bound = key;
    }
    return bound;
}

void wr_source_release(struct wr_source *source)
{
    struct wr_task *task = source->op.task;
    wr_reorder_release(&source->reorder, bound_of(source), task->options.batch_rows, &task->scratch,
                       emit, source);
}

/* Rows of one partition with all their times: out at once as far as they may, the others are kept.
 */
static void deliver(struct wr_source *source, const struct wr_partition *partition,
                    const struct wr_batch *batch, bool sorted)
{
    struct wr_task *task = source->op.task;
    struct wr_reorder_input in = {
        .batch = batch, .rank = partition->place, .by_offset = true, .sorted = sorted};
    wr_reorder_pass(&source->reorder, &in, bound_of(source), task->options.batch_rows,
                    &task->scratch, emit, source);
}

/* ---- Times
 * --------------------------------------------------------------------------------------- */

/* strictly: no two times are equal. */
static bool ascending(const int64_t *time, uint32_t rows, bool strictly)
{
    uint64_t bad = 0;
    for (uint32_t i = 1; i < rows; i++) bad |= (uint64_t)(time[i] < time[i - 1]);
    for (uint32_t i = 1; strictly && i < rows; i++) bad |= (uint64_t)(time[i] == time[i - 1]);
    return bad == 0;
}

static int64_t less_delay(int64_t time, int64_t delay)
{
    return time < WR_TIME_MIN + 1 + delay ? WR_TIME_MIN + 1 : time - delay;
}

/* The usual case: nothing late, nothing bad, times ascend: the event times are the times. */
static bool take_in_order(struct wr_source *source, struct wr_partition *partition,
                          struct wr_batch *batch)
{
    WR_ASSERT(batch->rows > 0 && !partition->ended);
    const int64_t *event = batch->event_time;
    int64_t delay = WR_MAX(source->node->delay_us, 0);
    uint32_t rows = batch->rows;
    if (event[0] < partition->watermark || event[0] == WR_TIME_MIN) return false;
    if (source->late_at && event[0] == partition->watermark) return false;
    if (!ascending(event, rows, source->late_at && delay == 0)) return false;
    int64_t last = event[rows - 1];
    if (last == WR_TIME_MAX) return false;
    batch->time = batch->place_time = event;
    batch->any_late = false;
    int64_t watermark = less_delay(last, delay);
    if (watermark > partition->watermark) partition->watermark = watermark;
    deliver(source, partition, batch, true);
    return true;
}

static void drop_record(struct wr_source *source, const struct wr_partition *partition,
                        const struct wr_batch *batch, uint32_t row, const char *reason,
                        const char *code, const char *what)
{
    struct wr_drop_sample sample = {
        .place = {.source = partition->place, .offset = batch->offset[row]}, .what = what};
    wr_task_drop(source->op.task, source->op.node->query, WR_DROP_RECORD, reason, code, &sample);
}

/* The column of the schema is NULL or an error on the row where it may not be: the record is
 * counted as bad. */
static bool is_void(struct wr_source *source, const struct wr_partition *partition,
                    const struct wr_batch *batch, uint32_t column, uint32_t row,
                    const char *null_reason)
{
    const struct wr_vector *v = &batch->column[column];
    const char *name = source->op.node->schema.column[column].name;
    if (wr_vector_is_error(v, row)) {
        enum wr_reason reason = (enum wr_reason)wr_vector_at(v, row).reason;
        drop_record(source, partition, batch, row, wr_reason_name(reason), wr_reason_code(reason),
                    name);
        return true;
    }
    if (wr_vector_is_null(v, row)) {
        drop_record(source, partition, batch, row, null_reason, "W3104", name);
        return true;
    }
    return false;
}

static bool is_bad(struct wr_source *source, const struct wr_partition *partition,
                   const struct wr_batch *batch, const int64_t *record_time,
                   const struct wr_vector *watermark, uint32_t row)
{
    const struct wr_source_node *node = source->node;
    if (node->time_column != WR_NONE &&
        is_void(source, partition, batch, node->time_column, row, "no event time"))
        return true;
    for (uint32_t c = node->field_count; node->computed_not_null && c < batch->columns; c++)
        if (node->computed_not_null[c - node->field_count] &&
            is_void(source, partition, batch, c, row, "NULL in a NOT NULL column"))
            return true;
    int64_t event = batch->event_time[row];
    const char *name = node->time_column == WR_NONE
                           ? NULL
                           : source->op.node->schema.column[node->time_column].name;
    if (event == WR_TIME_MIN || event == WR_TIME_MAX) {
        drop_record(source, partition, batch, row, "value out of range", "W3105", name);
        return true;
    }
    if (record_time && source->max_ahead_us >= 0 && event > record_time[row] &&
        (uint64_t)event - (uint64_t)record_time[row] > (uint64_t)source->max_ahead_us) {
        drop_record(source, partition, batch, row,
                    "event time too far ahead of the record's (max_ahead)", "W3106", name);
        return true;
    }
    if (watermark && wr_vector_is_error(watermark, row)) {
        enum wr_reason reason = wr_frame_reason(source->watermark, batch, 0, row);
        drop_record(source, partition, batch, row, wr_reason_name(reason), wr_reason_code(reason),
                    "WATERMARK");
        return true;
    }
    return false;
}

/* Row by row: bad records go, late rows stand where their partition's time stands, the watermark
 * moves on. */
static void take_by_row(struct wr_source *source, struct wr_partition *partition,
                        struct wr_batch *batch, const int64_t *record_time,
                        const struct wr_vector *watermark)
{
    struct wr_task *task = source->op.task;
    int64_t delay = WR_MAX(source->node->delay_us, 0);
    WR_ASSERT(delay >= 0 && !partition->ended);
    uint16_t row[WR_BATCH_ROWS];
    int64_t *time = wr_scratch_alloc(&task->scratch, sizeof *time * WR_BATCH_ROWS);
    uint32_t kept = 0;
    bool running = task->error.status == WR_OK;
    struct wr_batch out = *batch;
    memset(out.late, 0, sizeof out.late);
    out.any_late = false;
    for (uint32_t r = 0; r < batch->rows; r++) {
        if (is_bad(source, partition, batch, record_time, watermark, r)) {
            if (running && task->error.status != WR_OK) break;
            continue;
        }
        int64_t event = batch->event_time[r];
        time[kept] = event;
        if (event < partition->watermark || (source->late_at && event == partition->watermark)) {
            time[kept] = partition->watermark;
            if (task->options.watch) {
                struct wr_place place = {.time = time[kept], .source = partition->place, .offset = batch->offset[r]};
                wr_watch_late(task->options.watch, task, source->op.node->query, place, time[kept] - event);
            }
            wr_bit_set(out.late, kept);
            out.any_late = true;
        }
        int64_t mark = event;
        if (watermark)
            mark = wr_vector_is_null(watermark, r) ? WR_TIME_MIN
                                                   : WR_MIN(watermark->u.i64[r], WR_TIME_MAX - 1);
        else
            mark = less_delay(event, delay);
        if (mark > partition->watermark) partition->watermark = mark;
        row[kept++] = (uint16_t)r;
    }
    if (kept < batch->rows) {
        struct wr_batch all = *batch;
        all.time = all.place_time = batch->event_time;
        all.any_late = false;
        struct wr_batch good;
        wr_batch_gather(&task->scratch, &all, row, kept, NULL, &good);
        memcpy(good.late, out.late, sizeof good.late);
        good.any_late = out.any_late;
        out = good;
    }
    out.time = out.place_time = time;
    if (!out.any_late && kept) out.event_time = out.time;
    deliver(source, partition, &out, ascending(time, kept, false));
}

/* The partition's number stands in its column; a file knows nothing of it. */
static void fill_partition(struct wr_source *source, struct wr_partition *partition)
{
    struct wr_vector *v = &source->column[source->partition_field];
    WR_ASSERT(v->cls == WR_CLASS_I64);
    if (!partition->numbers) {
        partition->numbers = wr_alloc(sizeof *partition->numbers * WR_BATCH_ROWS);
        for (uint32_t r = 0; r < WR_BATCH_ROWS; r++) partition->numbers[r] = partition->number;
    }
    v->u.i64 = partition->numbers;
    v->flags = 0;
}

/* Fields and computed columns side by side. true: some row may be no good for a NOT NULL column. */
static bool fill_columns(struct wr_source *source, struct wr_partition *partition,
                         struct wr_batch *batch)
{
    const struct wr_source_node *node = source->node;
    bool doubtful = false;
    batch->columns = node->field_count;
    if (node->computed == WR_NONE && source->partition_field == WR_NONE) return false;
    for (uint32_t c = 0; c < node->field_count; c++) source->column[c] = batch->column[c];
    batch->column = source->column;
    if (source->partition_field != WR_NONE) fill_partition(source, partition);
    if (node->computed == WR_NONE) return false;
    wr_frame_run(source->computed, batch);
    for (uint32_t c = node->field_count; c < source->op.node->schema.count; c++) {
        struct wr_vector *v = &source->column[c];
        *v = *wr_frame_result(source->computed, c - node->field_count);
        wr_vector_explain(&source->op.task->scratch, source->computed, batch, c - node->field_count,
                          v);
        if (node->computed_not_null && node->computed_not_null[c - node->field_count])
            doubtful |= v->flags != 0;
    }
    return doubtful;
}

/* Defects for tests. */
static bool overlooks(const struct wr_source *source, const struct wr_partition *partition, struct wr_batch *batch)
{
    if (WR_DEFECT("batch") && batch->rows > 1) batch->rows--;
    return (WR_DEFECT("partitions") && partition->number > 0) ||
           (WR_DEFECT("order") && less_delay(batch->event_time[0], WR_MAX(source->node->delay_us, 0)) < partition->watermark);
}

void wr_source_take(struct wr_source *source, struct wr_partition *partition,
                    const struct wr_batch *in)
{
    const struct wr_source_node *node = source->node;
    if (in->rows == 0) return;
    WR_ASSERT(in->columns >= node->field_count && in->rows <= WR_BATCH_ROWS);
    if (source->unseen_count || !source->any_taken) wr_unseen_note(source, in);
    struct wr_batch batch = *in;
    batch.source = partition->places;
    batch.ordinal = NULL;
    batch.first = NULL;
    batch.any_late = false;
    const int64_t *record_time = in->event_time;
    batch.event_time = record_time ? record_time : source->zeros;
    batch.time = batch.place_time = batch.event_time;
    bool doubtful = fill_columns(source, partition, &batch);
    batch.columns = source->op.node->schema.count;
    if (node->time_column != WR_NONE) {
        const struct wr_vector *v = &batch.column[node->time_column];
        WR_ASSERT(v->cls == WR_CLASS_I64);
        doubtful |= v->flags != 0;
        batch.event_time = v->u.i64;
    }
    if (overlooks(source, partition, &batch)) return;
    const struct wr_vector *watermark = NULL;
    if (source->watermark) {
        wr_frame_run(source->watermark, &batch);
        watermark = wr_frame_result(source->watermark, 0);
    }
    bool ahead = record_time && node->time_column != WR_NONE && source->max_ahead_us >= 0;
    if (!doubtful && !watermark && !ahead && take_in_order(source, partition, &batch)) return;
    take_by_row(source, partition, &batch, ahead ? record_time : NULL, watermark);
}

/* ---- State
 * --------------------------------------------------------------------------------------- */

static void save_row(void *context, const struct wr_reorder_entry *entry,
                     const struct wr_batch *batch, uint32_t row)
{
    struct wr_state_writer *w = context;
    wr_buf_clear(&w->key);
    wr_buf_clear(&w->value);
    wr_put_u8(&w->key, 'r');
    wr_put_u64(&w->key, w->count++);
    wr_row_encode(w->op->task, batch, row, &w->value);
    WR_ASSERT(entry->sequence == batch->offset[row]);
    w->entry(w->context, wr_buf_slice(&w->key), wr_buf_slice(&w->value));
}

static void save_own(struct wr_operator *op, wr_state_entry_fn *entry, void *context)
{
    struct wr_source *source = (struct wr_source *)op;
    struct wr_state_writer w = {.op = op, .entry = entry, .context = context};
    for (size_t i = 0; i < source->partition.count; i++) {
        const struct wr_partition *p = source->partition.at[i];
        wr_buf_clear(&w.key);
        wr_buf_clear(&w.value);
        wr_put_u8(&w.key, 'p');
        wr_put_uint(&w.key, p->number);
        wr_put_i64(&w.value, p->watermark);
        wr_put_u8(&w.value, p->ended);
        entry(context, wr_buf_slice(&w.key), wr_buf_slice(&w.value));
    }
    wr_buf_clear(&w.key);
    wr_buf_clear(&w.value);
    wr_put_u8(&w.key, 's');
    wr_put_u64(&w.value, source->errors);
    wr_put_u8(&w.value, source->any_taken);
    wr_put_uint(&w.value, source->unseen_count);
    for (uint32_t i = 0; i < source->unseen_count; i++) wr_put_uint(&w.value, source->unseen[i]);
    entry(context, wr_buf_slice(&w.key), wr_buf_slice(&w.value));
    wr_buf_release(&w.key);
    wr_buf_release(&w.value);
}

static void save_all(struct wr_operator *op, wr_state_entry_fn *entry, void *context)
{
    struct wr_source *source = (struct wr_source *)op;
    struct wr_state_writer w = {.op = op, .entry = entry, .context = context};
    save_own(op, entry, context);
    wr_reorder_visit(&source->reorder, save_row, &w);
    wr_buf_release(&w.key);
    wr_buf_release(&w.value);
}

static void freeze(struct wr_operator *op) { wr_reorder_freeze(&((struct wr_source *)op)->reorder); }

static bool save_frozen(struct wr_operator *op, uint32_t count, wr_state_entry_fn *entry, void *context)
{
    struct wr_source *source = (struct wr_source *)op;
    struct wr_state_writer w = {.op = op, .entry = entry, .context = context, .count = source->reorder.saved};
    bool more = wr_reorder_visit_frozen(&source->reorder, count, save_row, &w);
    wr_buf_release(&w.key);
    wr_buf_release(&w.value);
    return more;
}

/* Bad rows of the stream so far, and the columns that none had a value for. */
static bool load_counts(struct wr_source *source, struct wr_slice value)
{
    uint8_t taken;
    uint64_t count, field;
    if (!wr_get_u64(&value, &source->errors) || !wr_get_u8(&value, &taken) || !wr_get_uint(&value, &count) ||
        count > source->node->field_count)
        return false;
    source->any_taken = taken;
    source->unseen_count = 0;
    for (uint64_t i = 0; i < count; i++) {
        if (!wr_get_uint(&value, &field) || field >= source->node->field_count) return false;
        source->unseen[source->unseen_count++] = (uint32_t)field;
    }
    return value.size == 0;
}

static bool load(struct wr_operator *op, struct wr_slice key, struct wr_slice value)
{
    struct wr_source *source = (struct wr_source *)op;
    uint8_t what, ended;
    uint64_t number;
    if (!wr_get_u8(&key, &what)) return false;
    if (what == 's') return load_counts(source, value);
    if (what == 'p') {
        if (!wr_get_uint(&key, &number) || number >= source->partition.count) return false;
        struct wr_partition *p = source->partition.at[number];
        if (!wr_get_i64(&value, &p->watermark) || !wr_get_u8(&value, &ended)) return false;
        p->ended = ended;
        return value.size == 0;
    }
    struct wr_batch_builder builder;
    wr_batch_builder_init_schema(&builder, &op->node->schema);
    bool whole = wr_row_decode(op->task, &op->node->schema, &value, &builder);
    struct wr_reorder_input in = {
        .batch = &builder.batch, .rank = builder.source[0], .by_offset = true};
    if (whole) wr_reorder_push(&source->reorder, &in, 0, 1);
    wr_batch_builder_release_schema(&builder);
    return whole && value.size == 0;
}

static void clear(struct wr_operator *op)
{
    struct wr_source *source = (struct wr_source *)op;
    wr_reorder_check(&source->reorder);
    wr_reorder_clear(&source->reorder);
    for (size_t i = 0; i < source->partition.count; i++) {
        source->partition.at[i]->watermark = WR_TIME_MIN;
        source->partition.at[i]->ended = false;
    }
}

static void measure(const struct wr_operator *op, struct wr_operator_size *size)
{
    const struct wr_source *source = (const struct wr_source *)op;
    size->rows = source->reorder.waiting;
    size->bytes = wr_reorder_bytes(&source->reorder);
}

static void bound(const struct wr_operator *op, struct wr_state_bound *out)
{
    WR_ASSERT(op->node);
    out->row = wr_reorder_row_bytes(&op->node->schema);
}

const struct wr_operator_class wr_source_operator = {
    .name = "source",
    .create = create,
    .free = free_source,
    .save_all = save_all,
    .save_own = save_own,
    .freeze = freeze,
    .save_frozen = save_frozen,
    .load = load,
    .clear = clear,
    .measure = measure,
    .bound = bound,
};
