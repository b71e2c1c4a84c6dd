/* One case, run once in one way: records pushed, watermarks moved, what comes kept with the records
 * that took part. */
#include "cli/why.h"
#include "cli/wtest.h"

enum { PARTITIONS_MAX = 8 };

/* What is not pushed yet of a lane of the outcome. */
struct waiting {
    struct wr_buf bytes;
    WR_VEC(int64_t) time;
};

struct run {
    struct wr_test_job *job;
    const struct wr_test_variant *variant;
    struct wr_test_outcome *out;
    weir_engine *engine;
    WR_VEC(struct waiting) waiting; /* of each lane */
    weir_error error;
};

static const char *keep(struct run *run, const char *text)
{
    return wr_arena_cstr(&run->out->arena, wr_slice_cstr(text));
}

uint32_t wr_test_record_of(const struct wr_test_outcome *outcome, const weir_row *row)
{
    for (size_t i = 0; i < outcome->lane.count; i++) {
        const struct wr_test_lane *l = &outcome->lane.at[i];
        if (l->partition == row->partition && strcmp(l->stream, row->stream) == 0)
            return row->record < l->record.count ? l->record.at[row->record] : UINT32_MAX;
    }
    return UINT32_MAX;
}

static void on_result(void *context, const weir_result *result)
{
    struct run *run = context;
    struct wr_test_result r = {
        .output = keep(run, result->output),
        .derived = result->derived != 0,
        .time = result->event_time_us,
        .pattern = result->pattern ? keep(run, result->pattern) : NULL,
        .timed_out = result->timed_out != 0,
        .rows_known = result->rows_known != 0,
        .row = wr_arena_copy(&run->out->arena, wr_slice_of(result->row, result->row_size)),
        .row_count = (uint32_t)result->row_count};
    r.row_index = wr_arena_alloc(&run->out->arena, sizeof *r.row_index * (r.row_count + 1));
    for (uint32_t i = 0; i < r.row_count; i++) r.row_index[i] = wr_test_record_of(run->out, &result->rows[i]);
    wr_vec_push(&run->out->result, r);
}

static struct wr_test_drop drop_of(struct run *run, const weir_drop *drop)
{
    return (struct wr_test_drop){.query = keep(run, drop->query),
                                 .kind = keep(run, drop->kind),
                                 .reason = keep(run, drop->reason),
                                 .code = keep(run, drop->code),
                                 .what = keep(run, drop->what),
                                 .late_us = drop->late_us,
                                 .record = drop->has_row ? wr_test_record_of(run->out, &drop->row) : UINT32_MAX};
}

static void on_drop(void *context, const weir_drop *drop)
{
    struct run *run = context;
    wr_vec_push(&run->out->drop, drop_of(run, drop));
    if (run->variant->asides) wr_why_asides_drop(run->variant->asides, drop);
}

static void on_late(void *context, const weir_drop *drop)
{
    struct run *run = context;
    wr_vec_push(&run->out->late, drop_of(run, drop));
    if (run->variant->asides) wr_why_asides_late(run->variant->asides, drop);
}

static void on_seen(void *context, const weir_seen *seen)
{
    struct run *run = context;
    wr_why_asides_seen(run->variant->asides, seen);
}

void wr_test_name_row(void *context, const weir_row *row, struct wr_buf *out)
{
    const struct wr_test_naming *naming = context;
    uint32_t record = wr_test_record_of(naming->outcome, row);
    wr_test_print_label(out, naming->job, record);
    if (record < naming->job->record.count) {
        wr_buf_add_char(out, ' ');
        wr_test_print_time(out, naming->job->c, naming->job->record.at[record].time);
    }
}

void wr_test_name_time(void *context, int64_t us, struct wr_buf *out)
{
    const struct wr_test_naming *naming = context;
    wr_test_print_time(out, naming->job->c, us);
}

static void on_start(void *context, const weir_start *start)
{
    struct run *run = context;
    struct wr_buf text = {0};
    struct wr_test_naming naming = {run->job, run->out};
    wr_why_print_start(start, &(struct wr_why_words){wr_test_name_row, wr_test_name_time, &naming}, &text);
    struct wr_test_why why = {.text = wr_arena_copy(&run->out->arena, wr_buf_slice(&text)),
                              .end_us = start->end_us,
                              .came = (uint32_t)wr_why_rows(start),
                              .matched = start->end == WEIR_START_MATCH,
                              .end = start->end,
                              .first =
                                  start->row_count ? wr_test_record_of(run->out, &start->rows[0]) : UINT32_MAX,
                              .pattern = keep(run, start->pattern),
                              .start = wr_why_copy_start(&run->out->arena, start).start};
    wr_buf_release(&text);
    wr_vec_push(&run->out->why, why);
}

static void on_cover(void *context, const weir_cover *cover)
{
    struct run *run = context;
    uint32_t number = 0;
    for (size_t i = 0; i < run->out->cover.count; i++) {
        const struct wr_test_cover *c = &run->out->cover.at[i];
        number += c->line == cover->line && strcmp(c->query, cover->query) == 0 &&
                  strcmp(c->what, cover->what) == 0;
    }
    struct wr_test_cover item = {.query = keep(run, cover->query),
                                 .what = keep(run, cover->what),
                                 .line = cover->line,
                                 .number = number,
                                 .hits = cover->hits};
    wr_vec_push(&run->out->cover, item);
}

/* ---- Setting up ------------------------------------------------------------------------------ */

static bool has_file(const struct run *run, const char *stream)
{
    for (size_t i = 0; i < run->job->c->event.count; i++) {
        const struct wr_test_event *e = &run->job->c->event.at[i];
        if (e->kind == WR_TEST_INPUT && wr_test_stream(&run->job->program, e->stream) &&
            strcmp(wr_test_stream(&run->job->program, e->stream)->name, stream) == 0)
            return true;
    }
    return false;
}

static bool has_records(const struct run *run, const char *stream)
{
    for (size_t i = 0; i < run->job->record.count; i++)
        if (strcmp(run->job->record.at[i].stream, stream) == 0) return true;
    return false;
}

/* Every input has its partitions; one that only files feed has none of its own. */
static weir_status add_lanes(struct run *run)
{
    const char *name;
    for (size_t i = 0; (name = weir_program_input(run->job->program.loaded, i)); i++) {
        if (has_file(run, name) && !has_records(run, name)) continue;
        uint32_t count = WR_MAX(run->variant->partitions, 1u);
        WR_ASSERT(count <= PARTITIONS_MAX);
        for (uint32_t k = 0; k < count; k++) {
            struct wr_test_lane lane = {.stream = keep(run, name)};
            weir_status status =
                weir_engine_add_partition(run->engine, name, &lane.partition, &run->error);
            if (status != WEIR_OK) return status;
            wr_vec_push(&run->out->lane, lane);
            wr_vec_push(&run->waiting, (struct waiting){0});
        }
    }
    for (size_t i = 0; i < run->job->c->event.count; i++) {
        const struct wr_test_event *e = &run->job->c->event.at[i];
        if (e->kind != WR_TEST_INPUT) continue;
        bool absolute = e->path.size && e->path.data[0] == '/';
        const char *path =
            wr_arena_printf(&run->out->arena, "%s%.*s", absolute ? "" : run->job->file->folder,
                            WR_SLICE_ARG(e->path))
                .data;
        const char *stream = wr_test_stream(&run->job->program, e->stream)->name;
        weir_status status = weir_engine_bind_input(run->engine, stream, path, &run->error);
        if (status != WEIR_OK) return status;
    }
    return WEIR_OK;
}

static weir_status open_engine(struct run *run)
{
    const struct wr_test_variant *v = run->variant;
    weir_engine_options options = WEIR_ENGINE_OPTIONS_INIT;
    options.batch_rows = v->batch_rows;
    options.state_roundtrip = !v->roundtrip ? 0 : v->store ? 2 : 1;
    options.matcher = v->matcher;
    options.executor = v->executor;
    options.context = run;
    options.on_result = on_result;
    options.on_drop = on_drop;
    options.on_late = on_late;
    if (v->trace) options.on_start = on_start;
    if (v->trace && v->asides) options.on_seen = on_seen;
    options.coverage = v->coverage;
    weir_status status =
        weir_engine_open(run->job->program.loaded, &options, &run->engine, &run->error);
    for (size_t i = 0; i < run->job->c->param.count && status == WEIR_OK; i++) {
        const struct wr_test_param *p = &run->job->c->param.at[i];
        status = weir_engine_set_parameter(run->engine, wr_arena_cstr(&run->out->arena, p->name),
                                           wr_arena_cstr(&run->out->arena, p->value), &run->error);
    }
    if (status == WEIR_OK) status = add_lanes(run);
    return status == WEIR_OK ? weir_engine_start(run->engine, &run->error) : status;
}

/* ---- The steps ------------------------------------------------------------------------------- */

/* Rows of equal time keep their order, so they lie in one partition. */
static size_t lane_of(struct run *run, const struct wr_test_record *record)
{
    uint32_t count = WR_MAX(run->variant->partitions, 1u);
    uint64_t h = (uint64_t)record->time * UINT64_C(0x9e3779b97f4a7c15);
    uint32_t number = (uint32_t)((h ^ h >> 31) % count);
    size_t lane = 0;
    while (lane < run->out->lane.count && strcmp(run->out->lane.at[lane].stream, record->stream) != 0) lane++;
    WR_ASSERT(lane + number < run->out->lane.count);
    return lane + number;
}

static weir_status push_waiting(struct run *run, size_t at)
{
    const struct wr_test_lane *lane = &run->out->lane.at[at];
    struct waiting *waiting = &run->waiting.at[at];
    if (!waiting->bytes.size) return WEIR_OK;
    const struct wr_stream *stream = wr_test_stream(&run->job->program, wr_slice_cstr(lane->stream));
    const struct wr_source_node *source = wr_test_source(&run->job->program, stream);
    bool timed = source && source->time_column == WR_NONE;
    weir_status status =
        weir_engine_push(run->engine, lane->stream, lane->partition, waiting->bytes.data,
                         waiting->bytes.size, timed ? waiting->time.at : NULL, &run->error);
    wr_buf_clear(&waiting->bytes);
    wr_vec_clear(&waiting->time);
    return status;
}

static weir_status push_all(struct run *run)
{
    weir_status status = WEIR_OK;
    for (size_t i = 0; i < run->waiting.count && status == WEIR_OK; i++) status = push_waiting(run, i);
    return status;
}

static weir_status take_step(struct run *run, int64_t step)
{
    if (step < 0) {
        weir_status status = push_all(run);
        const struct wr_test_event *e = &run->job->c->event.at[~step];
        return status == WEIR_OK ? weir_engine_advance(run->engine, e->time, &run->error) : status;
    }
    const struct wr_test_record *record = &run->job->record.at[step];
    size_t lane = lane_of(run, record);
    wr_vec_push(&run->out->lane.at[lane].record, (uint32_t)step);
    wr_buf_add_slice(&run->waiting.at[lane].bytes, record->bytes);
    wr_vec_push(&run->waiting.at[lane].time, record->time);
    return run->variant->grouped ? WEIR_OK : push_waiting(run, lane);
}

/* Everything above the line has come: what is open is counted then. */
static weir_status count_open(struct run *run)
{
    int64_t last = INT64_MIN;
    for (size_t i = 0; i < run->job->record.count; i++)
        last = WR_MAX(last, run->job->record.at[i].time + 1);
    for (size_t i = 0; i < run->job->c->event.count; i++)
        if (run->job->c->event.at[i].kind == WR_TEST_WATERMARK)
            last = WR_MAX(last, run->job->c->event.at[i].time);
    weir_status status =
        last > INT64_MIN ? weir_engine_advance(run->engine, last, &run->error) : WEIR_OK;
    const struct wr_program *program = run->job->program.program;
    for (uint32_t i = 0; i < program->node_count && status == WEIR_OK; i++) {
        uint64_t open = UINT64_MAX;
        if (program->node[i].kind == WR_NODE_PATTERN)
            (void)weir_engine_open_starts(run->engine, program->query[program->node[i].query],
                                          &open);
        wr_vec_push(&run->out->open, open);
    }
    run->out->why_open = run->out->why.count;
    return status;
}

static uint64_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return *state >> 33;
}

/* How far a row may move, in rows. */
enum { SHUFFLE_FAR = 32 };

static const struct wr_test_record *record_at(const struct run *run, const int64_t *step, size_t i)
{
    return &run->job->record.at[step[i]];
}

/* May step i be the next of those from `done` on? Not where a row that is still to come would be
 * late after it, nor before one of its own stream and time. */
static bool may_be_next(const struct run *run, const int64_t *step, const int64_t *const *least,
                        size_t done, size_t to, size_t i)
{
    const struct wr_test_record *r = record_at(run, step, i);
    const struct wr_test_program *program = &run->job->program;
    const struct wr_stream *stream = wr_test_stream(program, wr_slice_cstr(r->stream));
    const struct wr_source_node *source = wr_test_source(program, stream);
    int64_t bound = r->time - WR_MAX(source->delay_us, 0);
    if (least[stream - program->program->stream][to] < bound) return false;
    for (size_t k = done; k < to; k++) {
        const struct wr_test_record *other = record_at(run, step, k);
        if (k == i || strcmp(other->stream, r->stream) != 0) continue;
        if (other->time == r->time ? k < i : other->time < bound) return false;
    }
    return true;
}

/* Per stream: the least time of its steps from each one on, as they are written. */
static const int64_t *const *least_times(struct run *run, const int64_t *step, size_t count)
{
    const struct wr_program *program = run->job->program.program;
    struct wr_arena *arena = &run->out->arena;
    const int64_t **least = wr_arena_alloc(arena, sizeof *least * (program->stream_count + 1u));
    for (uint32_t s = 0; s < program->stream_count; s++) {
        int64_t *own = wr_arena_alloc(arena, sizeof *own * (count + 1));
        own[count] = INT64_MAX;
        for (size_t i = count; i-- > 0;) {
            const struct wr_test_record *r = record_at(run, step, i);
            bool same = strcmp(r->stream, program->stream[s].name) == 0;
            own[i] = same ? WR_MIN(own[i + 1], r->time) : own[i + 1];
        }
        least[s] = own;
    }
    return least;
}

/* Puts the steps between two watermarks in another order in which no row is late: a row may come
 * while all rows that are still to come lie less than the stream's delay before it. Rows of one
 * stream and time keep their order. */
static void shuffle(struct run *run, int64_t *step, size_t count, uint64_t *state)
{
    const int64_t *const *least = least_times(run, step, count);
    for (size_t done = 0; done + 1 < count; done++) {
        size_t choices = 0, chosen = done, to = WR_MIN(count, done + SHUFFLE_FAR);
        for (size_t i = done; i < to; i++)
            if (may_be_next(run, step, least, done, to, i) && next_random(state) % ++choices == 0)
                chosen = i;
        int64_t taken = step[chosen];
        memmove(step + done + 1, step + done, sizeof *step * (chosen - done));
        step[done] = taken;
    }
}

static void shuffle_all(struct run *run, int64_t *step, size_t count)
{
    uint64_t state = run->variant->shuffle;
    for (size_t from = 0; from < count;) {
        size_t to = from;
        while (to < count && step[to] >= 0) to++;
        shuffle(run, step + from, to - from, &state);
        from = to + 1;
    }
}

static weir_status take_steps(struct run *run)
{
    size_t count = run->job->step.count;
    int64_t *step = wr_arena_alloc(&run->out->arena, sizeof *step * (count + 1));
    if (count) memcpy(step, run->job->step.at, sizeof *step * count);
    if (run->variant->shuffle) shuffle_all(run, step, count);
    weir_status status = WEIR_OK;
    for (size_t i = 0; i < count && status == WEIR_OK; i++) status = take_step(run, step[i]);
    if (status == WEIR_OK) status = push_all(run);
    if (status == WEIR_OK) status = count_open(run);
    return status == WEIR_OK ? weir_engine_finish(run->engine, &run->error) : status;
}

void wr_test_run(struct wr_test_job *job, const struct wr_test_variant *variant,
                 struct wr_test_outcome *out)
{
    struct run run = {.job = job, .variant = variant, .out = out};
    *out = (struct wr_test_outcome){0};
    wr_arena_init(&out->arena);
    weir_status status = open_engine(&run);
    if (status == WEIR_OK) status = take_steps(&run);
    if (status != WEIR_OK) out->error = keep(&run, run.error.message);
    if (run.engine) {
        weir_progress progress;
        weir_engine_progress(run.engine, &progress);
        out->events = progress.events;
    }
    if (status == WEIR_OK && variant->coverage)
        (void)weir_engine_coverage(run.engine, on_cover, &run);
    weir_engine_close(run.engine);
    for (size_t i = 0; i < run.waiting.count; i++) {
        wr_vec_release(&run.waiting.at[i].time);
        wr_buf_release(&run.waiting.at[i].bytes);
    }
    wr_vec_release(&run.waiting);
}

void wr_test_outcome_release(struct wr_test_outcome *outcome)
{
    wr_vec_release(&outcome->result);
    wr_vec_release(&outcome->drop);
    wr_vec_release(&outcome->late);
    wr_vec_release(&outcome->open);
    wr_vec_release(&outcome->why);
    for (size_t i = 0; i < outcome->lane.count; i++) wr_vec_release(&outcome->lane.at[i].record);
    wr_vec_release(&outcome->lane);
    wr_vec_release(&outcome->cover);
    wr_arena_release(&outcome->arena);
}
