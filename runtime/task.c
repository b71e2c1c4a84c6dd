/* The task: building the operators, reading in order of time, passing the watermark on. */
#include "runtime/task.h"

#include "base/text.h"
#include "runtime/clock.h"
#include "runtime/source.h"
#include "vm/text.h"

#include <inttypes.h>

static const struct wr_operator_class *class_of(const struct wr_node *node)
{
    static const struct wr_operator_class *const by_kind[WR_NODE_KIND_COUNT] = {
        [WR_NODE_SOURCE] = &wr_source_operator,   [WR_NODE_SELECT] = &wr_select_operator,
        [WR_NODE_MERGE] = &wr_merge_operator,     [WR_NODE_WINDOW] = &wr_window_operator,
        [WR_NODE_PATTERN] = &wr_pattern_operator, [WR_NODE_LATE] = &wr_late_operator,
        [WR_NODE_OUTPUT] = &wr_output_operator,
    };
    WR_ASSERT(node->kind < WR_NODE_KIND_COUNT);
    return by_kind[node->kind];
}

/* Links node `to` as the consumer of its inputs. A LATE node takes what its input refuses, not what
 * it emits. */
static void link_inputs(struct wr_task *task, uint32_t to)
{
    const struct wr_node *node = &task->program->node[to];
    for (uint32_t port = 0; port < node->input_count; port++) {
        WR_ASSERT(node->input[port] < to);
        struct wr_operator *from = task->op[node->input[port]];
        if (node->kind == WR_NODE_LATE) {
            from->late = task->op[to];
            continue;
        }
        from->consumer =
            wr_realloc(from->consumer, (from->consumer_count + 1) * sizeof *from->consumer);
        from->consumer[from->consumer_count++] = (struct wr_consumer){task->op[to], port};
    }
}

static void order_sources(struct wr_task *task)
{
    task->source = wr_alloc_zero(sizeof *task->source * task->op_count);
    for (uint32_t i = 0; i < task->op_count; i++) {
        const struct wr_node *node = &task->program->node[i];
        if (node->kind != WR_NODE_SOURCE) continue;
        uint32_t at = task->source_count++;
        while (at > 0 && task->source[at - 1]->node->stream > node->u.source.stream) {
            task->source[at] = task->source[at - 1];
            at--;
        }
        task->source[at] = (struct wr_source *)task->op[i];
    }
}

void wr_task_init(struct wr_task *task, const struct wr_program *program,
                  const struct wr_task_options *options)
{
    WR_ASSERT(options->batch_rows >= 1 && options->batch_rows <= WR_BATCH_ROWS);
    task->program = program;
    task->options = *options;
    task->watermark = task->time = WR_TIME_MIN;
    task->hash_seed = wr_clock_seed();
    wr_drops_init(&task->drops, program->query_count);
    wr_limits_read(program, &task->limits);
    task->op = wr_alloc_zero(sizeof *task->op * program->node_count);
    for (uint32_t i = 0; i < program->node_count; i++) {
        const struct wr_operator_class *cls = class_of(&program->node[i]);
        struct wr_operator *op = cls->create(task, &program->node[i]);
        op->cls = cls;
        op->task = task;
        op->node = &program->node[i];
        op->id = i;
        op->consumer = NULL;
        op->consumer_count = 0;
        op->late = NULL;
        op->watermark = op->time = WR_TIME_MIN;
        op->ended = false;
        wr_timers_init(&op->timers);
        op->changes = (struct wr_changes){0};
        task->op[i] = op;
        task->op_count = i + 1;
        link_inputs(task, i);
    }
    order_sources(task);
}

static void free_partition(struct wr_partition *partition)
{
    if (partition->reader) partition->reader->cls->close(partition->reader);
    if (partition->feed) wr_buf_release(&partition->feed->bytes);
    wr_free(partition->feed);
    wr_free(partition->path);
    wr_free(partition->places);
    wr_free(partition->numbers);
    wr_free(partition);
}

void wr_task_release(struct wr_task *task)
{
    for (uint32_t i = 0; i < task->partition_count; i++) free_partition(task->partition[i]);
    for (uint32_t i = 0; i < task->op_count; i++) {
        struct wr_operator *op = task->op[i];
        wr_timers_release(&op->timers);
        wr_changes_release(&op->changes);
        wr_free(op->consumer);
        void (*done)(struct wr_operator *) = op->cls->free;
        done(op);
    }
    wr_row_codes_release(task);
    wr_free(task->op);
    wr_free(task->source);
    wr_free(task->partition);
    wr_scratch_release(&task->scratch);
    wr_drops_release(&task->drops);
    wr_buf_release(&task->text);
    *task = (struct wr_task){0};
}

enum wr_status wr_task_add_partition(struct wr_task *task, uint32_t node, const char *path,
                                     const struct wr_connectors *connectors, struct wr_error *error)
{
    WR_ASSERT(node < task->op_count && task->program->node[node].kind == WR_NODE_SOURCE);
    struct wr_source *source = (struct wr_source *)task->op[node];
    struct wr_partition *partition = wr_alloc_zero(sizeof *partition);
    task->partition =
        wr_realloc(task->partition, (task->partition_count + 1) * sizeof *task->partition);
    task->partition[task->partition_count++] = partition;
    partition->task = task;
    partition->source = source;
    partition->path = wr_strdup(path ? path : source->stream->name);
    partition->number = (uint32_t)source->partition.count;
    partition->watermark = WR_TIME_MIN;
    partition->stop_at = UINT64_MAX;
    partition->places = wr_alloc(sizeof *partition->places * WR_BATCH_ROWS);
    wr_vec_push(&source->partition, partition);
    struct wr_read_spec spec = {.program = task->program,
                                .stream = source->stream,
                                .field_count = source->node->field_count,
                                .field = source->node->field,
                                .on_bad = wr_source_bad_record,
                                .context = partition,
                                .batch_rows = task->options.batch_rows};
    if (!path) partition->feed = wr_alloc_zero(sizeof *partition->feed);
    partition->reader = path ? connectors->open_reader(&spec, path, error)
                             : connectors->open_feed(&spec, partition->path, partition->feed, error);
    return partition->reader ? WR_OK : error->status;
}

void wr_task_start(struct wr_task *task)
{
    uint32_t place = 0;
    for (uint32_t s = 0; s < task->source_count; s++)
        for (size_t i = 0; i < task->source[s]->partition.count; i++) {
            struct wr_partition *partition = task->source[s]->partition.at[i];
            task->partition[place] = partition;
            partition->place = ++place;
            for (uint32_t r = 0; r < WR_BATCH_ROWS; r++) partition->places[r] = place;
        }
    WR_ASSERT(place == task->partition_count);
}

/* ---- Reading
 * ------------------------------------------------------------------------------------- */

static struct wr_partition *farthest_back(const struct wr_task *task)
{
    struct wr_partition *found = NULL;
    WR_ASSERT(task->partition_count == 0 || task->partition[0]->place == 1); /* started */
    for (uint32_t i = 0; i < task->partition_count; i++) {
        struct wr_partition *p = task->partition[i];
        if (!p->ended && (!found || p->watermark < found->watermark)) found = p;
    }
    return found;
}

/* The task's watermark is the least of its partitions'; all operators hear of it when it has moved.
 */
void wr_task_advance(struct wr_task *task)
{
    int64_t watermark = WR_TIME_MAX;
    for (uint32_t i = 0; i < task->partition_count; i++)
        watermark = WR_MIN(watermark, task->partition[i]->watermark);
    WR_ASSERT(watermark >= task->watermark); /* time never goes back */
    if (watermark > task->watermark) {
        task->watermark = watermark;
        for (uint32_t s = 0; s < task->source_count; s++)
            wr_operator_emit_watermark(&task->source[s]->op, watermark);
    }
    if (watermark == WR_TIME_MAX) { /* whoever has no input ends as well */
        for (uint32_t i = 0; i < task->op_count; i++)
            wr_operator_emit_watermark(task->op[i], watermark);
    }
}

static void take(struct wr_task *task, struct wr_partition *partition, const struct wr_batch *batch)
{
    uint32_t rows = batch->rows;
    while (rows && batch->offset[rows - 1] >= partition->stop_at) rows--;
    partition->rows += batch->rows;
    /* A bad record may have ended the run while the batch was read: what came before it is still
     * processed. */
    bool last = partition->stop_at != UINT64_MAX;
    for (uint32_t start = 0; start < rows && (last || task->error.status == WR_OK);) {
        uint32_t count = WR_MIN(rows - start, task->options.batch_rows);
        WR_ASSERT(count > 0);
        struct wr_scratch_mark mark = wr_scratch_mark(&task->scratch);
        if (count == batch->rows) {
            wr_source_take(partition->source, partition, batch);
        } else {
            struct wr_batch part;
            wr_batch_slice(&task->scratch, batch, start, count, &part);
            wr_source_take(partition->source, partition, &part);
        }
        wr_scratch_reset(&task->scratch, mark);
        wr_task_advance(task);
        wr_limits_check(task);
        wr_task_rest(task);
        start += count;
    }
}

enum wr_status wr_task_step(struct wr_task *task)
{
    if (task->error.status != WR_OK) return task->error.status;
    struct wr_partition *partition = farthest_back(task);
    if (!partition) {
        wr_task_advance(task);
        return task->error.status != WR_OK ? task->error.status : WR_END;
    }
    wr_task_read(task, partition);
    return task->error.status;
}

void wr_task_read(struct wr_task *task, struct wr_partition *partition)
{
    WR_ASSERT(!partition->ended);
    struct wr_batch batch = {0};
    struct wr_error error = {0};
    enum wr_status status = partition->reader->cls->read(partition->reader, &batch, &error);
    int64_t time[WR_BATCH_ROWS];
    if (status == WR_OK && partition->feed && partition->feed->time) {
        for (uint32_t r = 0; r < batch.rows; r++)
            time[r] = partition->feed->time[batch.offset[r] - partition->feed->first];
        batch.event_time = time;
    }
    if (status == WR_OK) {
        take(task, partition, &batch);
    } else if (status == WR_END || status == WR_ERR_INPUT) {
        /* A container that breaks off ends here; what came before it counts, and the run's result
         * says so. */
        if (status == WR_ERR_INPUT && task->broken.status == WR_OK) task->broken = error;
        partition->ended = true;
        partition->watermark = WR_TIME_MAX;
        wr_source_release(partition->source);
        wr_task_advance(task);
        if (task->watermark < WR_TIME_MAX) wr_task_rest(task);
    } else {
        wr_task_fail(task, &error);
    }
}

/* ---- What operators ask
 * --------------------------------------------------------------------------- */

int64_t wr_task_time(const struct wr_task *task)
{
    return task->ending ? WR_MAX(task->time, task->ending->time) : task->time;
}

const struct wr_program *wr_task_program(const struct wr_task *task) { return task->program; }
const char *wr_task_matcher(const struct wr_task *task) { return task->options.matcher; }
struct wr_watch *wr_task_watch(const struct wr_task *task) { return task->options.watch; }
uint64_t wr_task_hash_seed(const struct wr_task *task) { return task->hash_seed; }

void wr_task_source_identity(const struct wr_task *task, uint32_t source, struct wr_slice *stream,
                             uint32_t *partition)
{
    if (source == 0 || source == WR_SOURCE_END) { /* a moment's place, or the end of the input */
        *stream = wr_slice_of("", 0);
        *partition = source ? 1 : 0;
        return;
    }
    WR_ASSERT(source <= task->partition_count);
    const struct wr_partition *p = task->partition[source - 1];
    *stream = wr_slice_cstr(p->source->stream->name);
    *partition = p->number;
}

uint32_t wr_task_source_find(const struct wr_task *task, struct wr_slice stream, uint32_t partition)
{
    if (stream.size == 0) return partition ? WR_SOURCE_END : 0;
    for (uint32_t i = 0; i < task->partition_count; i++) {
        const struct wr_partition *p = task->partition[i];
        const char *name = p->source->stream->name;
        size_t same = 0;
        if (p->number != partition) continue;
        while (same < stream.size && name[same] && name[same] == stream.data[same]) same++;
        if (same == stream.size && !name[same]) return p->place;
    }
    return WR_NONE;
}

void wr_task_rest(struct wr_task *task)
{
    if (task->options.cycle && task->error.status == WR_OK) task->options.cycle(task->options.cycle_context);
    else if (task->options.state_roundtrip) wr_task_roundtrip(task);
}

/* A batch is left in its middle only if it takes long: no checkpoint can stand there. */
static bool is_patience_over(struct wr_task *task)
{
    enum { PATIENCE_US = 300000 };
    WR_ASSERT(*task->options.stop);
    int64_t now = wr_clock_monotonic_us();
    if (!task->stop_seen_us) task->stop_seen_us = now;
    return now - task->stop_seen_us >= PATIENCE_US;
}

bool wr_task_halted(struct wr_task *task)
{
    if (task->abandoned) return true;
    bool stop = task->options.stop && *task->options.stop && is_patience_over(task);
    if (!stop && task->error.status != WR_ERR_LIMIT) return false;
    struct wr_error error;
    wr_error_set(&error, WR_ERR_STOPPED, "stopped");
    wr_task_fail(task, &error);
    task->abandoned = true;
    return true;
}

void wr_task_fail(struct wr_task *task, const struct wr_error *error)
{
    WR_ASSERT(error->status != WR_OK && error->status != WR_END);
    if (task->error.status == WR_OK) task->error = *error;
}

/* ---- Drops
 * --------------------------------------------------------------------------------------- */

static void print_place(const struct wr_task *task, const struct wr_drop_sample *sample,
                        struct wr_buf *out)
{
    /* The window over a whole input ends in a year that no row has. */
    const int64_t year_9999_us = INT64_C(253402300799999999);
    if (sample->place.source == WR_SOURCE_END || (sample->place.source == 0 && sample->place.time > year_9999_us)) {
        wr_buf_add_cstr(out, "the end of the input");
        return;
    }
    if (sample->place.source == 0) {
        char text[WR_TEXT_MAX];
        size_t size = wr_print_timestamp(text, sample->place.time);
        wr_buf_printf(out, "the moment %.*s", (int)size, text);
        return;
    }
    const struct wr_partition *p = task->partition[sample->place.source - 1];
    const char *path = strcmp(p->path, "-") == 0 ? "standard input" : p->path;
    if (sample->line)
        wr_buf_printf(out, "%s:%" PRIu64, path, sample->line);
    else
        wr_buf_printf(out, "%s, record %" PRIu64, path, sample->place.offset + 1);
}

static const char *copy_text(struct wr_drops *drops, const struct wr_buf *text)
{
    return wr_arena_cstr(&drops->arena, wr_buf_slice(text));
}

/* "division by zero (W3002) in 'ratio' at payments.jsonl, record 17" */
static void describe(struct wr_task *task, const struct wr_drop *drop,
                     const struct wr_drop_sample *sample)
{
    struct wr_buf *out = &task->text;
    wr_buf_add_cstr(out, drop->reason);
    if (*drop->code) wr_buf_printf(out, " (%s)", drop->code);
    const char *quote = sample->what ? wr_quote_of(sample->what) : "";
    if (sample->what) wr_buf_printf(out, " in %s%s%s", quote, sample->what, quote);
    wr_buf_add_cstr(out, " at ");
    print_place(task, sample, out);
}

/* The first of a cause, then one a second at most. */
static void log_sample(struct wr_task *task, struct wr_drop *drop,
                       const struct wr_drop_sample *sample)
{
    enum { SECOND_US = 1000000, BYTES_MAX = 200 };
    if (!task->options.log) return;
    int64_t now = wr_clock_monotonic_us();
    if (drop->rows > 1 && now - drop->logged_us < SECOND_US) return;
    uint64_t passed = drop->rows - drop->logged_rows - 1;
    drop->logged_us = now;
    drop->logged_rows = drop->rows;
    wr_buf_clear(&task->text);
    wr_buf_printf(&task->text, "dropped by %s: ", task->program->query[drop->query]);
    describe(task, drop, sample);
    if (passed) wr_buf_printf(&task->text, ", and %" PRIu64 " more since the last line", passed);
    if (sample->bytes.size) {
        wr_buf_add_cstr(&task->text, ": ");
        size_t size = WR_MIN(sample->bytes.size, (size_t)BYTES_MAX);
        for (size_t i = 0; i < size; i++) {
            unsigned char c = (unsigned char)sample->bytes.data[i];
            wr_buf_add_char(&task->text, c < 0x20 || c == 0x7f ? ' ' : (char)c);
        }
        if (size < sample->bytes.size) wr_buf_add_cstr(&task->text, " …");
    }
    task->options.log(task->options.log_context, wr_buf_cstr(&task->text));
}

static void check_budget(struct wr_task *task, const struct wr_drop *drop,
                         const struct wr_drop_sample *sample)
{
    uint32_t number = sample->place.source;
    bool of_row = number != 0 && number != WR_SOURCE_END;
    struct wr_source *source = of_row ? task->partition[number - 1]->source : NULL;
    uint64_t total = task->drops.total[WR_DROP_RECORD] + task->drops.total[WR_DROP_ROW];
    uint64_t own = source ? ++source->errors : 0;
    bool stop = source ? source->stop_on_error : task->options.stop_on_error;
    bool past = task->options.errors_max >= 0 && total > (uint64_t)task->options.errors_max;
    bool past_own = source && source->errors_max >= 0 && own > (uint64_t)source->errors_max;
    if ((!stop && !past && !past_own) || task->error.status != WR_OK) return;
    wr_buf_clear(&task->text);
    describe(task, drop, sample);
    const char *what = wr_buf_cstr(&task->text);
    struct wr_error error;
    if (past || past_own)
        wr_error_set(&error, WR_ERR_INPUT,
                     "more than %" PRId64 " bad records and rows%s%s; the last one: %s",
                     past ? task->options.errors_max : source->errors_max,
                     past ? "" : " in stream ", past ? "" : source->stream->name, what);
    else
        wr_error_set(&error, WR_ERR_INPUT, "%s, and on_error = 'stop'", what);
    wr_task_fail(task, &error);
}

void wr_task_drop(struct wr_task *task, uint32_t query, enum wr_drop_kind kind, const char *reason,
                  const char *code, const struct wr_drop_sample *sample)
{
    WR_ASSERT(sample->place.source <= task->partition_count ||
              sample->place.source == WR_SOURCE_END);
    struct wr_drop *drop = wr_drops_count(&task->drops, query, kind, reason, code);
    if (drop->rows == 1) {
        wr_buf_clear(&task->text);
        print_place(task, sample, &task->text);
        drop->first = copy_text(&task->drops, &task->text);
        if (sample->what)
            drop->what = wr_arena_cstr(&task->drops.arena, wr_slice_cstr(sample->what));
    }
    log_sample(task, drop, sample);
    if (task->options.watch) {
        static const char *const names[WR_DROP_KINDS] = {"record", "row", "late", "other"};
        wr_watch_drop(task->options.watch, task, query, names[kind], reason, code, sample->what,
                      sample->place, sample->late_us);
    }
    if (kind == WR_DROP_RECORD || kind == WR_DROP_ROW) check_budget(task, drop, sample);
}
