/* Taking checkpoints: when, what is frozen, what is encoded in which order, and what the engine's thread spends on it.
 *
 * While a checkpoint is taken the engine's thread gives a tenth of its time to encoding, beside units that must be saved
 * because they are about to change. The next one begins no sooner than PAUSE times what the last one cost it: so a short
 * interval over much changing state stretches, and throughput stays. The saver's thread and the disk take their share of the
 * machine's memory bandwidth on top. */
#include "runtime/checkpoint_internal.h"

#include "base/hash.h"
#include "runtime/clock.h"
#include "runtime/cold.h"
#include "runtime/source.h"
#include "runtime/state_check.h"

enum {
    SHARE = 10,                 /* a tenth */
    PAUSE = 32,
    SLICE_LEAST_US = 30,
    SLICE_MOST_US = 2000,
    UNITS_BETWEEN_LOOKS = 32,   /* units encoded between two looks at the clock */
    WAITING_MAX = 64 << 20,     /* bytes on their way to the saver past which no slice is encoded */
    LOG_SLACK = 8 << 20,        /* bytes of segments that are never thought too many */
};

/* ---- Segments ------------------------------------------------------------------------------------ */

static void begin_segment(struct wr_checkpointer *c)
{
    wr_buf_clear(&c->segment);
    wr_buf_reserve(&c->segment, WR_SEGMENT_BYTES);
    wr_put_u8(&c->segment, 1);
    wr_put_uint(&c->segment, c->epoch);
}

static void hand_segment(struct wr_checkpointer *c)
{
    wr_vec_push(&c->log, (struct wr_segment_size){c->next_segment, c->segment.size});
    c->log_bytes += c->segment.size;
    c->stats.bytes += c->segment.size;
    wr_saver_segment(c->saver, c->next_segment++, &c->segment);
    begin_segment(c);
}

static void put_entry(struct wr_checkpointer *c, uint32_t op, char kind, struct wr_slice key, struct wr_slice value)
{
    enum { HEAD = 32 };
    size_t size = HEAD + key.size + (kind == 'g' ? 0 : value.size);
    WR_ASSERT(c->taking && !c->encoded);
    if (c->segment.size + size > WR_SEGMENT_BYTES && c->segment.size > HEAD) hand_segment(c);
    if (kind == 'o' && (!c->own_segment.count || wr_vec_last(&c->own_segment) != c->next_segment))
        wr_vec_push(&c->own_segment, c->next_segment);
    wr_put_uint(&c->segment, op);
    wr_put_u8(&c->segment, (uint8_t)kind);
    wr_put_bytes(&c->segment, key);
    if (kind != 'g') wr_put_bytes(&c->segment, value);
}

struct putting {
    struct wr_checkpointer *c;
    struct wr_operator *op;
    uint32_t entries;
    uint64_t bytes;
    char kind;
    uint32_t unit; /* that leaves */
};

static void put(void *context, struct wr_slice key, struct wr_slice value)
{
    struct putting *p = context;
    put_entry(p->c, p->op->id, p->kind, key, value);
    p->entries++;
    p->bytes += key.size + value.size;
}

/* An entry that goes to the cold ones. */
static void put_cold(void *context, struct wr_slice key, struct wr_slice value)
{
    struct putting *p = context;
    wr_cold_put(p->op, p->unit, key, value);
    p->entries++;
}

/* ---- Units --------------------------------------------------------------------------------------- */

void wr_checkpointer_save_unit(struct wr_checkpointer *c, struct wr_operator *op, uint32_t unit)
{
    struct wr_changes *changes = &op->changes;
    uint32_t word = unit / 64;
    uint64_t bit = (uint64_t)1 << unit % 64;
    WR_ASSERT(changes->frozen[word] & bit);
    struct putting p = {c, op, 0, 0, 'u', unit};
    WR_STATE_CHECK(wr_state_check_unit(c, op, unit));
    bool leaves = wr_cold_is_leaving(op, unit), stored = changes->stored[word] & bit;
    op->cls->save_unit(op, unit, leaves ? put_cold : put, &p);
    WR_ASSERT(p.entries <= 1);
    if (leaves && !p.entries) wr_cold_stay(op, unit); /* there is nothing to leave */
    if (leaves) p.entries = 0;                        /* the log says that it is gone */
    if (p.entries && !stored) {
        changes->stored[word] |= bit;
        changes->stored_count++;
    } else if (!p.entries && stored) {
        put_entry(c, op->id, 'g', op->cls->unit_key(op, unit), (struct wr_slice){0});
        changes->stored[word] &= ~bit;
        changes->stored_count--;
    }
    changes->frozen[word] &= ~bit;
    c->unit_count += p.entries;
    c->unit_bytes += p.bytes;
    c->stats.units += p.entries;
}

/* One of so many is timed, since the clock costs as much as a small unit; one during which the thread was taken off its core
 * counts as the longest that a unit may take. */
void wr_checkpointer_save_now(struct wr_operator *op, uint32_t unit)
{
    enum { TIMED = 16, LONGEST_NS = 250000 };
    struct wr_checkpointer *c = op->changes.checkpointer;
    bool timed = c->forced++ % TIMED == 0;
    int64_t before = timed ? wr_clock_monotonic_ns() : 0;
    wr_checkpointer_save_unit(c, op, unit);
    if (!timed) return;
    int64_t took = wr_clock_monotonic_ns() - before - c->clock_ns;
    c->forced_ns += TIMED * WR_MAX(0, WR_MIN(took, LONGEST_NS));
}

static uint64_t count_bits(const uint64_t *bits, uint32_t words)
{
    uint64_t count = 0;
    for (uint32_t w = 0; w < words; w++) count += (uint64_t)__builtin_popcountll(bits[w]);
    return count;
}

/* Units of one part that are stored are saved again. */
static uint64_t refresh_part(struct wr_checkpointer *c, uint32_t part)
{
    struct wr_task *task = &c->engine->task;
    uint64_t more = 0;
    for (uint32_t i = 0; i < task->op_count; i++) {
        struct wr_changes *changes = &task->op[i]->changes;
        for (uint32_t w = part; w < changes->words; w += WR_PARTS) {
            more += (uint64_t)__builtin_popcountll(changes->stored[w] & ~changes->changed[w]);
            changes->changed[w] |= changes->stored[w];
        }
    }
    c->part_from[part] = c->first_segment;
    return more;
}

/* Lets the oldest segments become useless: everything is saved again when most has changed anyway; else parts are, as
 * much as has changed, once the segments hold more than twice what lives. */
static void refresh(struct wr_checkpointer *c)
{
    struct wr_task *task = &c->engine->task;
    uint64_t changed = 0, stored = 0;
    for (uint32_t i = 0; i < task->op_count; i++) {
        changed += count_bits(task->op[i]->changes.changed, task->op[i]->changes.words);
        stored += task->op[i]->changes.stored_count;
    }
    WR_ASSERT(c->next_part < WR_PARTS && c->first_segment == c->next_segment);
    uint64_t each = c->unit_count ? c->unit_bytes / c->unit_count + 1 : 64;
    uint64_t lives = stored * each + c->own_bytes;
    bool all = changed * 2 >= stored;
    if (!all && c->log_bytes <= 2 * lives + LOG_SLACK) return;
    uint64_t again = 0, enough = WR_MAX(changed, stored / 64 + 1);
    for (uint32_t i = 0; i < WR_PARTS && (all || again < enough); i++) {
        again += refresh_part(c, c->next_part);
        c->next_part = (c->next_part + 1) % WR_PARTS;
    }
}

/* ---- Beginning ----------------------------------------------------------------------------------- */

static void put_gone(struct wr_checkpointer *c, struct wr_operator *op)
{
    struct wr_slice in = wr_buf_slice(&op->changes.gone), key;
    while (in.size) {
        bool whole = wr_get_bytes(&in, &key);
        WR_ASSERT(whole);
        put_entry(c, op->id, 'g', key, (struct wr_slice){0});
    }
    wr_buf_clear(&op->changes.gone);
}

static void freeze(struct wr_changes *changes)
{
    uint64_t *swap = changes->frozen;
    changes->frozen = changes->changed;
    changes->changed = swap;
    changes->frozen_from = 0;
}

/* What belongs to no unit is encoded now; units that have changed are frozen. */
static void put_own(struct wr_checkpointer *c)
{
    struct wr_task *task = &c->engine->task;
    c->own_bytes = 0;
    WR_ASSERT(c->taking && task->op_count == task->program->node_count);
    for (uint32_t i = 0; i < task->op_count; i++) {
        struct wr_operator *op = task->op[i];
        struct putting p = {c, op, 0, 0, 'o', 0};
        put_gone(c, op);
        if (op->cls->save_own) op->cls->save_own(op, put, &p);
        else if (op->cls->save_all) op->cls->save_all(op, put, &p);
        c->own_bytes += p.bytes;
        if (op->cls->freeze) op->cls->freeze(op);
        freeze(&op->changes);
    }
    (void)wr_cold_begin(c, false);
    WR_STATE_CHECK(wr_state_check_barrier(c));
}

/* A run that has come to its end has no state: only its record stays. */
static void finish_state(struct wr_checkpointer *c)
{
    for (uint32_t i = 0; i < WR_PARTS; i++) c->part_from[i] = c->first_segment;
    c->scan_op = c->engine->task.op_count;
    (void)wr_cold_begin(c, true);
}

static enum wr_status begin(struct wr_checkpointer *c, bool finished, struct wr_error *error)
{
    WR_ASSERT(!c->taking);
    c->begun_us = wr_clock_monotonic_us();
    c->rows_begun = wr_task_rows(&c->engine->task);
    c->first_segment = c->next_segment;
    c->epoch++;
    wr_buf_clear(&c->record);
    wr_vec_clear(&c->own_segment);
    if (wr_record_encode(c, finished, &c->record, error) != WR_OK) return error->status;
    refresh(c);
    c->unit_count = c->unit_bytes = 0;
    c->spent_us = 0;
    c->taking = true;
    c->encoded = false;
    begin_segment(c);
    c->scan_op = c->scan_word = 0;
    c->rows_done = false;
    if (finished) finish_state(c);
    else put_own(c);
    return WR_OK;
}

/* ---- Going on ------------------------------------------------------------------------------------ */

/* What is known when all has been encoded: which segments, counted from the first of this checkpoint, hold entries of no unit;
 * and how many keys are out. */
static void put_last_fields(struct wr_checkpointer *c)
{
    struct wr_buf list = {0};
    for (size_t i = 0; i < c->own_segment.count; i++) wr_put_uint(&list, c->own_segment.at[i] - c->first_segment);
    wr_put_bytes(&c->record, WR_SLICE("own_segments"));
    wr_put_bytes(&c->record, wr_buf_slice(&list));
    wr_buf_clear(&list);
    wr_cold_encode(c, &list);
    if (list.size) {
        wr_put_bytes(&c->record, WR_SLICE("cold"));
        wr_put_bytes(&c->record, wr_buf_slice(&list));
    }
    wr_buf_release(&list);
}

static void hand_over(struct wr_checkpointer *c)
{
    enum { EMPTY = 16 };
    struct wr_buf program = {0};
    if (c->segment.size > EMPTY) hand_segment(c);
    c->encoded = true;
    c->keep_from = c->first_segment;
    for (uint32_t i = 0; i < WR_PARTS; i++) c->keep_from = WR_MIN(c->keep_from, c->part_from[i]);
    if (!c->program_stored) wr_program_encode(c->engine->program, &program);
    struct wr_store_commit commit = {.first_number = c->next_segment,
                                     .record = wr_buf_slice(&c->record),
                                     .program = wr_buf_slice(&program),
                                     .keep_from = c->keep_from,
                                     .epoch = c->epoch};
    WR_ASSERT(c->keep_from <= c->next_segment && c->record.size);
    put_last_fields(c);
    commit.record = wr_buf_slice(&c->record);
    wr_cold_commit(c, &commit);
    wr_saver_commit(c->saver, &commit);
    wr_buf_release(&program);
}

/* Rows that wait, a few at a time. true: the time is up. */
static bool encode_rows(struct wr_checkpointer *c, struct wr_operator *op, int64_t until_us)
{
    struct putting p = {c, op, 0, 0, 'o', 0};
    bool more = c->scan_word == 0 && op->cls->save_frozen && !c->rows_done;
    while (more) {
        more = op->cls->save_frozen(op, UNITS_BETWEEN_LOOKS, put, &p);
        if (more && wr_clock_monotonic_us() >= until_us) {
            c->own_bytes += p.bytes;
            return true;
        }
    }
    c->own_bytes += p.bytes;
    c->rows_done = true;
    return false;
}

/* Encodes frozen units until the time is up or all are done. */
static void encode_slice(struct wr_checkpointer *c, int64_t until_us)
{
    struct wr_task *task = &c->engine->task;
    uint32_t since = 0;
    while (c->scan_op < task->op_count) {
        struct wr_operator *op = task->op[c->scan_op];
        struct wr_changes *changes = &op->changes;
        if (encode_rows(c, op, until_us)) return;
        while (c->scan_word < changes->words) {
            uint64_t bits = changes->frozen[c->scan_word];
            if (!bits) {
                c->scan_word++;
                continue;
            }
            wr_units_prefetch(op, c->scan_word * 64, bits);
            for (; bits; bits &= bits - 1) {
                wr_checkpointer_save_unit(c, op, c->scan_word * 64 + (uint32_t)__builtin_ctzll(bits));
                since++;
            }
            changes->frozen_from = c->scan_word;
            if (since < UNITS_BETWEEN_LOOKS) continue;
            since = 0;
            if (wr_clock_monotonic_us() >= until_us) return;
        }
        changes->frozen_from = WR_NONE;
        c->scan_op++;
        c->scan_word = 0;
        c->rows_done = false;
    }
    hand_over(c);
}

static void note_pause(struct wr_checkpointer *c, int64_t us)
{
    struct wr_checkpoint_stats *s = &c->stats;
    uint32_t bucket = 0;
    while (bucket + 1 < WR_COUNT(s->pause_bucket) && (int64_t)1 << bucket <= us) bucket++;
    s->pause_bucket[bucket]++;
    s->pause_count++;
    s->pause_sum_us += us;
    s->pause_max_us = WR_MAX(s->pause_max_us, us);
    c->spent_us += us;
}

/* Units were saved within what has passed, each for itself: a batch's number of them counts as one pause, since results
 * may have gone out in between. */
static void note_forced(struct wr_checkpointer *c)
{
    for (uint64_t left = c->forced, some; left; left -= some) {
        some = WR_MIN(left, (uint64_t)WR_BATCH_ROWS);
        note_pause(c, (int64_t)((double)c->forced_ns / 1000 * (double)some / (double)c->forced));
    }
    c->forced = 0;
    c->forced_ns = 0;
}

/* The saver has answered: segments that nobody needs are out of the books. */
static enum wr_status settle(struct wr_checkpointer *c, const struct wr_saved *saved, struct wr_error *error)
{
    c->taking = false;
    if (!saved->done) {
        *error = saved->error;
        return error->status;
    }
    wr_cold_settle(c);
    c->program_stored = true;
    c->spent_last_us = c->spent_us;
    c->stats.taken++;
    c->stats.epoch = c->epoch;
    c->stats.commit_max_us = WR_MAX(c->stats.commit_max_us, saved->sync_us + saved->commit_us);
    size_t dropped = 0;
    while (dropped < c->log.count && c->log.at[dropped].number < c->keep_from)
        c->log_bytes -= c->log.at[dropped++].bytes;
    c->log.count -= dropped;
    memmove(c->log.at, c->log.at + dropped, c->log.count * sizeof *c->log.at);
    return WR_OK;
}

static bool is_due(const struct wr_checkpointer *c, int64_t now)
{
    const struct wr_checkpoint_options *o = &c->options;
    if (now - c->begun_us < PAUSE * c->spent_last_us) return false;
    if (o->interval_rows && wr_task_rows(&c->engine->task) - c->rows_begun >= o->interval_rows) return true;
    return now - c->begun_us >= o->interval_us;
}

static enum wr_status finish_taking(struct wr_checkpointer *c, struct wr_error *error)
{
    struct wr_saved saved;
    WR_ASSERT(c->taking);
    if (!c->encoded) encode_slice(c, INT64_MAX);
    if (!wr_saver_poll(c->saver, true, &saved)) return WR_OK;
    return settle(c, &saved, error);
}

/* More is kept than memory_max: the engine waits for keys to leave. */
static enum wr_status relieve(struct wr_checkpointer *c, struct wr_error *error)
{
    int64_t begun = wr_clock_monotonic_us();
    if (c->taking && finish_taking(c, error) != WR_OK) return error->status;
    if (wr_cold_is_pressed(c, false) && (begin(c, false, error) != WR_OK || finish_taking(c, error) != WR_OK))
        return error->status;
    note_pause(c, wr_clock_monotonic_us() - begun);
    return WR_OK;
}

enum wr_status wr_checkpoint_tick(struct wr_engine *engine, struct wr_error *error)
{
    struct wr_checkpointer *c = engine->checkpointer;
    WR_ASSERT(c && c->saver);
    if (c->options.each_batch)
        return c->options.memory_max == WR_COLD_ALL ? wr_checkpoint_stage(c, error) : wr_checkpoint_now(engine, false, error);
    int64_t now = wr_clock_monotonic_us(), passed = now - c->stepped_us;
    note_forced(c);
    struct wr_saved saved;
    if (wr_cold_is_pressed(c, false)) {
        if (relieve(c, error) != WR_OK) return error->status;
    } else if (c->taking && c->encoded) {
        if (wr_saver_poll(c->saver, false, &saved) && settle(c, &saved, error) != WR_OK) return error->status;
    } else if (c->taking) {
        if (wr_saver_waiting(c->saver) < WAITING_MAX) {
            int64_t slice = WR_MAX(SLICE_LEAST_US, WR_MIN(passed / SHARE, SLICE_MOST_US));
            encode_slice(c, now + slice);
            int64_t took = wr_clock_monotonic_us() - now;
            note_pause(c, took);
        }
    } else if (is_due(c, now) || (now - c->begun_us >= PAUSE * c->spent_last_us && wr_cold_is_pressed(c, true))) {
        if (begin(c, false, error) != WR_OK) return error->status;
        note_pause(c, wr_clock_monotonic_us() - now);
    }
    c->stepped_us = wr_clock_monotonic_us();
    return WR_OK;
}

enum wr_status wr_checkpoint_now(struct wr_engine *engine, bool finished, struct wr_error *error)
{
    struct wr_checkpointer *c = engine->checkpointer;
    WR_ASSERT(c && c->saver);
    if (c->taking && finish_taking(c, error) != WR_OK) return error->status;
    if (begin(c, finished, error) != WR_OK) return error->status;
    return finish_taking(c, error);
}

enum wr_status wr_checkpoint_stage(struct wr_checkpointer *c, struct wr_error *error)
{
    enum { STAGES = 4 };
    struct wr_saved saved;
    WR_ASSERT(c->saver && c->cold);
    if (c->stages++ % STAGES == 0) return wr_checkpoint_now(c->engine, false, error);
    if (!c->taking) return begin(c, false, error);
    if (!c->encoded) encode_slice(c, 0);
    else if (wr_saver_poll(c->saver, true, &saved)) return settle(c, &saved, error);
    return WR_OK;
}

enum wr_status wr_checkpoint_rewrite(struct wr_engine *engine, struct wr_error *error)
{
    struct wr_task *task = &engine->task;
    for (uint32_t i = 0; i < task->op_count; i++) {
        struct wr_changes *changes = &task->op[i]->changes;
        for (uint32_t w = 0; w < changes->words; w++) changes->changed[w] |= changes->stored[w];
    }
    engine->checkpointer->program_stored = false;
    return wr_checkpoint_now(engine, false, error);
}

void wr_checkpoint_measure(const struct wr_engine *engine, struct wr_checkpoint_stats *stats)
{
    *stats = engine->checkpointer ? engine->checkpointer->stats : (struct wr_checkpoint_stats){0};
}
