/* Starting again from a checkpoint: opening the directory, loading operators' entries, cutting outputs, and the test
 * mode that goes through all of it after every batch. */
#include "runtime/checkpoint_internal.h"

#include "base/fault.h"
#include "base/populate.h"
#include "runtime/clock.h"
#include "runtime/cold.h"
#include "runtime/key_set.h"
#include "runtime/segment_reader.h"
#include "runtime/source.h"
#include "runtime/state_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

/* ---- Entries ------------------------------------------------------------------------------------- */

struct loading {
    struct wr_checkpointer *c;
    const uint32_t *to;      /* by number in the record's list: operator of the task, WR_NONE: nobody's */
    uint32_t to_count;
    uint64_t epoch;          /* of the checkpoint */
    bool one_epoch;          /* no older one is needed */
    struct wr_key_set seen;
};

static enum wr_status load_entry(struct loading *l, uint64_t number, const struct wr_segment_entry *entry,
                                 struct wr_error *error)
{
    struct wr_task *task = &l->c->engine->task;
    uint32_t to = l->to[entry->op];
    if (to == WR_NONE) return WR_OK;
    struct wr_operator *op = task->op[to];
    if (!op->cls->load || !op->cls->load(op, entry->key, entry->value))
        return wr_error_set(error, WR_ERR_STATE, "segment %" PRIu64 " holds an entry that its operator does not take", number);
    l->c->unit_count += entry->kind == 'u';
    l->c->unit_bytes += entry->kind == 'u' ? entry->key.size + entry->value.size : 0;
    return WR_OK;
}

static void prefetch(const struct loading *l, const struct wr_segment_entry *entry)
{
    uint32_t to = l->to[entry->op];
    if (entry->kind != 'u' || to == WR_NONE) return;
    struct wr_operator *op = l->c->engine->task.op[to];
    if (op->cls->prefetch) op->cls->prefetch(op, entry->key);
}

/* Newest first: the first entry of a key that is met is the one that counts. */
static enum wr_status load_units(struct loading *l, const struct wr_segment_read *segment, struct wr_error *error)
{
    enum { AHEAD = 12 };
    WR_ASSERT(!segment->entry.count || segment->bytes.size);
    for (size_t i = segment->entry.count; i-- > 0;) {
        const struct wr_segment_entry *entry = &segment->entry.at[i];
        if (i >= AHEAD) prefetch(l, &segment->entry.at[i - AHEAD]);
        /* In one epoch a unit is saved once, and what is gone went before: then every 'u' counts. */
        if (entry->kind == 'o' || (!l->one_epoch && !wr_key_set_add(&l->seen, entry->op, entry->key)) || entry->kind == 'g')
            continue;
        if (load_entry(l, segment->number, entry, error) != WR_OK) return error->status;
    }
    return WR_OK;
}

static enum wr_status load_own(struct loading *l, const struct wr_segment_read *segment, struct wr_error *error)
{
    for (size_t i = 0; segment->epoch == l->epoch && i < segment->entry.count; i++) {
        if (segment->entry.at[i].kind != 'o') continue;
        if (load_entry(l, segment->number, &segment->entry.at[i], error) != WR_OK) return error->status;
    }
    return WR_OK;
}

/* What belongs to no unit, in its own order. from: the first segment of the checkpoint, from which those that hold some are
 * listed; in records of an earlier form they are not, and all are looked at. */
static enum wr_status load_all_own(struct loading *l, struct wr_slice record, uint64_t from, uint64_t last,
                                   struct wr_error *error)
{
    struct wr_slice listed = wr_record_find(record, "own_segments");
    struct wr_segment_read segment = {0};
    enum wr_status status = WR_OK;
    bool all = !listed.data;
    for (uint64_t number = from; status == WR_OK && (all ? number <= last : listed.size > 0); number++) {
        uint64_t behind = number - from;
        if (!all && (!wr_get_uint(&listed, &behind) || from > last || behind > last - from)) {
            status = wr_error_set(error, WR_ERR_STATE, "the checkpoint's record is malformed");
            break;
        }
        number = from + behind;
        status = wr_segment_read_one(l->c->store, number, l->to_count, &segment, error);
        if (status == WR_OK) status = load_own(l, &segment, error);
    }
    wr_segment_read_release(&segment);
    return status;
}

/* Units, newest first; and the sizes of the segments. */
static enum wr_status load_all_units(struct loading *l, uint64_t first, uint64_t last, struct wr_error *error)
{
    struct wr_checkpointer *c = l->c;
    const struct wr_segment_read *segment;
    enum wr_status status = WR_OK;
    wr_vec_clear(&c->log);
    c->log_bytes = 0;
    c->reader = wr_segment_reader_start(c->store, first, last, l->to_count, !c->options.no_thread && c->directory);
    while (status == WR_OK) {
        status = wr_segment_reader_next(c->reader, &segment, error);
        if (status != WR_OK) break;
        wr_vec_push(&c->log, (struct wr_segment_size){segment->number, segment->bytes.size});
        c->log_bytes += segment->bytes.size;
        status = load_units(l, segment, error);
    }
    wr_segment_reader_stop(c->reader);
    c->reader = NULL;
    for (size_t i = 0; i < c->log.count / 2; i++) { /* oldest first from here on */
        struct wr_segment_size swap = c->log.at[i];
        c->log.at[i] = c->log.at[c->log.count - 1 - i];
        c->log.at[c->log.count - 1 - i] = swap;
    }
    return status == WR_END ? WR_OK : status;
}

/* Every unit that is there now has an entry in the store. */
static void note_stored(struct wr_task *task)
{
    for (uint32_t i = 0; i < task->op_count; i++) {
        struct wr_operator *op = task->op[i];
        if (!op->cls->unit_limit) continue;
        uint32_t limit = op->cls->unit_limit(op);
        wr_changes_grow(&op->changes, limit / 64 + 1);
        for (uint32_t unit = 0; unit < limit; unit++) {
            if (!op->cls->unit_key(op, unit).data) continue;
            op->changes.stored[unit / 64] |= (uint64_t)1 << unit % 64;
            op->changes.stored_count++;
        }
    }
}

/* Forgets what the bits say; nothing has changed and nothing is stored. */
static void reset_changes(struct wr_task *task)
{
    for (uint32_t i = 0; i < task->op_count; i++) {
        struct wr_changes *c = &task->op[i]->changes;
        size_t size = c->words * sizeof *c->changed;
        if (size) {
            memset(c->changed, 0, size);
            memset(c->frozen, 0, size);
            memset(c->stored, 0, size);
        }
        wr_buf_clear(&c->gone);
        c->stored_count = 0;
    }
}

enum wr_status wr_recover_operators(struct wr_checkpointer *c, struct wr_slice record, const uint32_t *from,
                                    struct wr_error *error)
{
    struct wr_task *task = &c->engine->task;
    struct wr_slice list = wr_record_find(record, "operators");
    struct wr_record_operator one;
    uint64_t first, last;
    int64_t own_from = 0;
    uint32_t count = 0, *to = NULL;
    if (!c->options.no_thread && c->directory) c->populator = wr_populator_start();
    struct loading l = {.c = c, .epoch = c->epoch, .seen = {.seed = wr_clock_seed()}};
    struct wr_slice field = wr_record_find(record, "first_segment");
    if (!wr_get_i64(&field, &own_from)) return wr_error_set(error, WR_ERR_STATE, "the checkpoint's record is malformed");
    for (struct wr_slice rest = list; rest.size && wr_record_operator_next(&rest, &one); count++)
        for (uint32_t i = 0; i < task->op_count; i++)
            if (from[i] == count && task->op[i]->cls->reserve) task->op[i]->cls->reserve(task->op[i], one.units);
    to = wr_alloc((count + 1) * sizeof *to);
    for (uint32_t i = 0; i < count; i++) to[i] = WR_NONE;
    for (uint32_t i = 0; i < task->op_count; i++)
        if (from[i] != WR_NONE) to[from[i]] = i;
    l.to = to;
    l.to_count = count;
    enum wr_status status = wr_store_segments(c->store, &first, &last, error);
    l.one_epoch = first >= (uint64_t)own_from;
    c->unit_count = c->unit_bytes = 0;
    if (status == WR_OK) status = load_all_own(&l, record, WR_MAX((uint64_t)own_from, first), last, error);
    if (status == WR_OK) status = load_all_units(&l, first, last, error);
    c->next_segment = WR_MAX(last + 1, (uint64_t)1);
    for (uint32_t i = 0; i < WR_PARTS; i++) c->part_from[i] = first;
    note_stored(task);
    wr_populator_stop(c->populator);
    c->populator = NULL;
    wr_free(to);
    wr_key_set_release(&l.seen);
    return status;
}

/* ---- Opening ------------------------------------------------------------------------------------- */

static enum wr_status sync_sinks(void *context, struct wr_error *error)
{
    struct wr_checkpointer *c = context;
    for (size_t i = 0; c->directory && i < c->engine->sink.count; i++)
        if (wr_sink_sync(c->engine->sink.at[i], error) != WR_OK) return error->status;
    return WR_OK;
}

static void watch_changes(struct wr_checkpointer *c)
{
    struct wr_task *task = &c->engine->task;
    for (uint32_t i = 0; i < task->op_count; i++) {
        if (!task->op[i]->cls->unit_limit) continue;
        task->op[i]->changes.checkpointer = c;
        task->op[i]->changes.frozen_from = WR_NONE;
        task->op[i]->changes.save_now = wr_checkpointer_save_now;
    }
}

static bool number_of(struct wr_slice record, const char *name, int64_t *number)
{
    struct wr_slice value = wr_record_find(record, name);
    return value.data && wr_get_i64(&value, number);
}

static enum wr_status open_store(struct wr_checkpointer *c, struct wr_error *error)
{
    struct wr_store_options store = {.directory = c->directory,
                                     .volatile_ = c->options.volatile_,
                                     .any_file_system = c->options.any_file_system};
    if (wr_store_open(&store, &c->store, error) != WR_OK) return error->status;
    return wr_store_record(c->store, &c->found, error);
}

/* A record of another program: that one first comes to where it had published. */
static enum wr_status catch_up_first(struct wr_checkpointer *c, struct wr_error *error)
{
    struct wr_slice record = wr_buf_slice(&c->found);
    if (!record.size || wr_record_is_of(record, c->engine->program)) return WR_OK;
    struct wr_store *store = c->store;
    c->store = NULL;
    if (wr_checkpoint_catch_up(c->engine, store, error) != WR_OK) return error->status;
    return open_store(c, error);
}

enum wr_status wr_checkpoint_open(struct wr_engine *engine, const struct wr_checkpoint_options *options, bool *going_on,
                                  struct wr_error *error)
{
    WR_ASSERT(!engine->checkpointer);
    struct wr_checkpointer *c = engine->checkpointer = wr_alloc_zero(sizeof *c);
    c->engine = engine;
    c->options = *options;
    c->directory = options->directory ? wr_strdup(options->directory) : NULL;
    c->options.directory = c->directory;
    c->next_segment = 1;
    if (c->options.discard && wr_store_discard(c->directory, error) != WR_OK) return error->status;
    if (open_store(c, error) != WR_OK || catch_up_first(c, error) != WR_OK) return error->status;
    c->published = wr_published_open(c->directory, error);
    if (!c->published) return error->status;
    *going_on = c->found.size != 0;
    watch_changes(c);
    wr_cold_open(c, options->memory_max);
    c->saver = wr_saver_start(c->store, !options->no_thread, sync_sinks, c);
    return WR_OK;
}

/* What tells this run's journal from others'. */
static uint64_t run_of(const struct wr_checkpointer *c)
{
    uint64_t run;
    memcpy(&run, c->store_id, sizeof run);
    return run;
}

static void told(void *context, const char *line)
{
    struct wr_engine *engine = context;
    if (engine->options.on_log) engine->options.on_log(engine->options.context, line);
}

/* The first checkpoint, before any row: from here on there is always one. */
static enum wr_status begin_anew(struct wr_engine *engine, struct wr_error *error)
{
    struct wr_checkpointer *c = engine->checkpointer;
    uint64_t chance[2] = {wr_clock_seed(), wr_clock_seed()};
    memcpy(c->store_id, chance, sizeof chance);
    return wr_checkpoint_now(engine, false, error);
}

/* Which operators of this program go on with which of the checkpoint's. */
static enum wr_status match(struct wr_engine *engine, struct wr_slice record, uint32_t *from, struct wr_error *error)
{
    struct wr_checkpointer *c = engine->checkpointer;
    struct wr_buf lost = {0};
    enum wr_status status = wr_record_match(engine, record, from, &lost, error);
    if (status == WR_OK && lost.size && !c->options.accept_loss)
        status = wr_error_set(error, WR_ERR_STATE,
                              "this program has no use for state that is there: %s; `weir state check` says why, "
                              "--accept-loss begins those anew",
                              wr_buf_cstr(&lost));
    wr_buf_release(&lost);
    return status;
}

static enum wr_status resume_sinks(struct wr_engine *engine, struct wr_slice record, struct wr_error *error)
{
    struct wr_checkpointer *c = engine->checkpointer;
    struct wr_sink_resume how = {.marks = wr_record_find(record, "sinks"),
                                 .published = c->published,
                                 .run = run_of(c),
                                 .told = told,
                                 .context = engine};
    how.fresh = !wr_record_is_of(record, engine->program);
    for (size_t i = 0; i < engine->sink.count; i++)
        if (wr_sink_resume(engine->sink.at[i], &how, error) != WR_OK) return error->status;
    c->ahead = how.ahead;
    return WR_OK;
}

static enum wr_status go_on(struct wr_engine *engine, struct wr_error *error)
{
    struct wr_checkpointer *c = engine->checkpointer;
    struct wr_task *task = &engine->task;
    struct wr_slice record = wr_buf_slice(&c->found), id = wr_record_find(record, "store");
    int64_t epoch, finished;
    if (!number_of(record, "epoch", &epoch) || !number_of(record, "finished", &finished) || id.size != sizeof c->store_id)
        return wr_error_set(error, WR_ERR_STATE, "%s: the checkpoint's record is malformed", c->directory);
    c->epoch = c->stats.epoch = (uint64_t)epoch;
    memcpy(c->store_id, id.data, sizeof c->store_id);
    bool same = wr_record_is_of(record, engine->program);
    uint32_t *from = wr_alloc((task->op_count + 1) * sizeof *from);
    enum wr_status status = match(engine, record, from, error);
    if (status == WR_OK) status = wr_record_apply(engine, record, from, error);
    if (status == WR_OK) status = wr_record_seek(engine, record, error);
    if (status == WR_OK) status = wr_recover_operators(c, record, from, error);
    if (status == WR_OK) status = wr_cold_recover(c, record, from, error);
    if (status == WR_OK) status = resume_sinks(engine, record, error);
    wr_free(from);
    if (status != WR_OK) return wr_error_context(error, "%s", c->directory);
    c->stats.resumed = true;
    c->stats.finished_before = finished != 0;
    c->stats.resumed_rows = wr_task_rows(task);
    c->program_stored = same;
    c->clock_ns = wr_clock_cost_ns();
    c->begun_us = c->stepped_us = wr_clock_monotonic_us();
    c->rows_begun = c->stats.resumed_rows;
    if (same) return WR_OK;
    WR_ASSERT(!c->ahead);
    return wr_checkpoint_rewrite(engine, error);
}

enum wr_status wr_checkpoint_resume(struct wr_engine *engine, struct wr_error *error)
{
    WR_ASSERT(engine->checkpointer && engine->checkpointer->saver);
    return engine->checkpointer->found.size ? go_on(engine, error) : begin_anew(engine, error);
}

enum wr_status wr_checkpoint_publish(struct wr_engine *engine, struct wr_error *error)
{
    struct wr_checkpointer *c = engine->checkpointer;
    if (engine->task.abandoned) return WR_OK;
    WR_ASSERT(c);
    return c->published ? wr_published_note(c->published, run_of(c), engine->sink.at, engine->sink.count, error) : WR_OK;
}

bool wr_checkpoint_was_finished(const struct wr_engine *engine)
{
    return engine->checkpointer && engine->checkpointer->stats.finished_before;
}

void wr_checkpoint_close_saver(struct wr_engine *engine)
{
    struct wr_checkpointer *c = engine->checkpointer;
    if (!c) return;
    wr_saver_stop(c->saver);
    c->saver = NULL;
}

/* The temporary store of the test mode. */
static void remove_cycle_store(struct wr_checkpointer *c)
{
    char path[64];
    static const char *const file[] = {"data.mdb", "lock.mdb", "lock", "published", "format"};
    if (!c->cycle_directory) return;
    for (size_t i = 0; i < WR_COUNT(file); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", c->cycle_directory, file[i]);
        (void)unlink(path);
    }
    (void)rmdir(c->cycle_directory);
    wr_free(c->cycle_directory);
}

void wr_checkpoint_close(struct wr_engine *engine)
{
    struct wr_checkpointer *c = engine->checkpointer;
    if (!c) return;
    wr_segment_reader_stop(c->reader); /* these two: memory ran out while operators were loaded */
    wr_populator_stop(c->populator);
    wr_saver_stop(c->saver);
    wr_cold_close(c);
    wr_store_close(c->store);
    wr_published_close(c->published);
    remove_cycle_store(c);
    for (uint32_t i = 0; i < engine->task.op_count; i++) engine->task.op[i]->changes.checkpointer = NULL;
    WR_STATE_CHECK(wr_state_check_forget(c));
    wr_buf_release(&c->found);
    wr_buf_release(&c->segment);
    wr_buf_release(&c->record);
    wr_vec_release(&c->log);
    wr_vec_release(&c->own_segment);
    wr_free(c->directory);
    wr_free(c);
    engine->checkpointer = NULL;
}

/* ---- The test mode ------------------------------------------------------------------------------- */

/* A store of its own under a temporary directory; gone with the engine. */
void wr_checkpoint_cycle_open(struct wr_engine *engine, bool cold)
{
    WR_ASSERT(!engine->checkpointer);
    char directory[] = "/tmp/weir-cycle-XXXXXX";
    struct wr_error error = {0};
    struct wr_checkpointer *c = engine->checkpointer = wr_alloc_zero(sizeof *c);
    const char *made = mkdtemp(directory);
    WR_ASSERT(made);
    c->engine = engine;
    c->cycle_directory = wr_strdup(directory);
    c->next_segment = 1;
    struct wr_store_options store = {.directory = directory, .volatile_ = true, .any_file_system = true,
                                     .map_bytes = (uint64_t)1 << 30};
    enum wr_status status = wr_store_open(&store, &c->store, &error);
    WR_ASSERT(status == WR_OK);
    watch_changes(c);
    if (cold) wr_cold_open(c, WR_COLD_ALL);
    c->saver = wr_saver_start(c->store, false, sync_sinks, c);
}

static void forget_everything(struct wr_task *task)
{
    for (uint32_t i = 0; i < task->op_count; i++) {
        struct wr_operator *op = task->op[i];
        if (op->cls->clear) op->cls->clear(op);
        WR_ASSERT(op->timers.count == 0);
        op->watermark = op->time = WR_TIME_MIN;
        op->ended = false;
    }
    for (uint32_t i = 0; i < task->partition_count; i++) {
        task->partition[i]->rows = 0;
        task->partition[i]->watermark = WR_TIME_MIN;
        task->partition[i]->ended = false;
    }
    uint32_t queries = task->drops.query_count;
    wr_drops_release(&task->drops);
    wr_drops_init(&task->drops, queries);
    task->watermark = task->time = WR_TIME_MIN;
    task->rows_written = 0;
}

void wr_checkpoint_cycle(struct wr_engine *engine)
{
    struct wr_checkpointer *c = engine->checkpointer;
    struct wr_task *task = &engine->task;
    struct wr_error error = {0};
    struct wr_buf record = {0};
    enum wr_status status = c->cold ? wr_checkpoint_stage(c, &error) : wr_checkpoint_now(engine, false, &error);
    WR_ASSERT(status == WR_OK);
    if (c->cold) return; /* keys have left: they come back as they are wanted */
    if (status == WR_OK) status = wr_store_record(c->store, &record, &error);
    WR_ASSERT(status == WR_OK && record.size);
    reset_changes(task);
    for (uint32_t i = 0; i < task->op_count; i++) task->op[i]->changes.checkpointer = NULL;
    forget_everything(task);
    uint32_t *from = wr_alloc((task->op_count + 1) * sizeof *from);
    for (uint32_t i = 0; i < task->op_count; i++) from[i] = i;
    status = wr_record_apply(engine, wr_buf_slice(&record), from, &error);
    WR_ASSERT(status == WR_OK);
    status = wr_recover_operators(c, wr_buf_slice(&record), from, &error);
    WR_ASSERT(status == WR_OK);
    for (uint32_t i = 0; WR_DEFECT("store") && i < task->op_count; i++)
        if (task->op[i]->cls->clear) task->op[i]->cls->clear(task->op[i]);
    WR_STATE_CHECK(wr_state_check_forget(c));
    watch_changes(c);
    wr_free(from);
    wr_buf_release(&record);
}
