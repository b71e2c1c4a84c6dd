/* The operator of row patterns: which rows count, what their conditions say, whose key they are; then the matcher
 * decides. Everything that is the same for all matchers is here. */
#include "runtime/pattern.h"

#include "base/fault.h"
#include "runtime/cold.h"
#include "vm/text.h"

/* ---- Creation ------------------------------------------------------------------------------------ */

static const struct wr_matcher *choose_matcher(struct wr_task *task, const struct wr_pattern_node *spec)
{
    const char *forced = wr_task_matcher(task);
    if (!forced) forced = wr_program_setting(wr_task_program(task), "matcher");
    if (wr_watch_traces(wr_task_watch(task))) return &wr_match_general;
    if (spec->position_count == 0) return &wr_match_general; /* only empty matches */
    struct wr_limits limits;
    wr_limits_read(wr_task_program(task), &limits);
    if (wr_limits_drop_starts(&limits, spec)) return &wr_match_general;
    static const struct wr_matcher *const matchers[] = {&wr_match_row, &wr_match_sequence, &wr_match_group,
                                                        &wr_match_general};
    const char *why; /* the engine has asked for it before it opened anything */
    return matchers[forced ? wr_pattern_class_forced(spec, forced, &why) : wr_pattern_class(spec)];
}

static struct wr_operator *pattern_create(struct wr_task *task, const struct wr_node *node)
{
    struct wr_pattern *p = wr_alloc_zero(sizeof *p);
    p->op = (struct wr_operator){.cls = &wr_pattern_operator, .task = task, .node = node};
    p->spec = &node->u.pattern;
    p->program = wr_task_program(task);
    p->watch = wr_task_watch(task);
    p->input = &p->program->node[node->input[0]].schema;
    p->matcher = choose_matcher(task, p->spec);
    p->now = WR_TIME_MIN;
    p->closing = WR_TIME_MAX;
    p->last_place = (struct wr_place){.time = WR_TIME_MIN};
    wr_plan_init(&p->plan, task, node);
    wr_layout_init(&p->keep, p->plan.keep, p->plan.keep_count, p->input, WR_KEPT_FLAGS);
    p->strings = wr_strings_new();
    if (p->spec->row_code != WR_NONE) {
        WR_ASSERT(p->spec->row_code < p->program->code_count);
        p->row_code = wr_task_row_code(task, p->spec->row_code, node->input[0]);
    }
    p->bits = wr_alloc_zero((p->spec->variable_count + 1) * sizeof *p->bits);
    p->key_type = wr_alloc((p->spec->key_count + 1) * sizeof *p->key_type);
    for (uint32_t k = 0; k < p->spec->key_count; k++) p->key_type[k] = p->input->column[p->spec->key[k]].type;
    if (p->spec->key_count && p->matcher->sweep)
        p->keys = wr_keytable_new(p->key_type, p->spec->key_count, wr_task_hash_seed(task));
    wr_output_init(p);
    wr_trace_init(p);
    p->matcher->init(p);
    return &p->op;
}

static void pattern_free(struct wr_operator *op)
{
    struct wr_pattern *p = (struct wr_pattern *)op;
    p->matcher->release(p);
    wr_output_release(p);
    wr_trace_release(p);
    wr_picture_release(&p->picture);
    wr_keytable_free(p->keys);
    wr_free(p->key_type);
    wr_free(p->bits);
    wr_strings_free(p->strings);
    wr_layout_release(&p->keep);
    wr_plan_release(&p->plan, op->node);
    wr_free(p);
}

/* ---- Which rows, which conditions ---------------------------------------------------------------- */

/* Late rows go their own way; a row whose key is an error is bad for this query. What is left may be taken. */
static void usable_rows(struct wr_pattern *p, const struct wr_batch *batch, uint64_t *usable)
{
    uint32_t words = (batch->rows + 63) / 64;
    memset(usable, 0xff, words * sizeof *usable);
    if (batch->rows % 64) usable[words - 1] = ((uint64_t)1 << batch->rows % 64) - 1;
    if (batch->any_late) {
        for (uint32_t w = 0; w < words; w++) {
            for (uint64_t bits = batch->late[w] & usable[w]; bits; bits &= bits - 1)
                wr_operator_refuse_late(&p->op, batch, w * 64 + (uint32_t)__builtin_ctzll(bits));
            usable[w] &= ~batch->late[w];
        }
    }
    for (uint32_t k = 0; k < p->spec->key_count; k++) {
        const struct wr_vector *key = &batch->column[p->spec->key[k]];
        if (!(key->flags & WR_VECTOR_ERRORS)) continue;
        for (uint32_t w = 0; w < words; w++) {
            for (uint64_t bits = key->errors[w] & usable[w]; bits; bits &= bits - 1) {
                uint32_t row = w * 64 + (uint32_t)__builtin_ctzll(bits);
                wr_operator_count_error(&p->op, batch, row, (enum wr_reason)wr_vector_at(key, row).reason,
                                        p->input->column[p->spec->key[k]].name);
            }
            usable[w] &= ~key->errors[w];
        }
    }
}

/* A row condition that ends in an error counts as false, and once. */
static void count_errors(struct wr_pattern *p, const struct wr_batch *batch, uint32_t variable,
                         const uint64_t *usable)
{
    uint32_t result = p->spec->variable[variable].row_condition;
    const struct wr_vector *vector = wr_frame_result(p->row_frame, result);
    if (!(vector->flags & WR_VECTOR_ERRORS)) return;
    for (uint32_t v = 0; v < variable; v++) {
        if (p->spec->variable[v].row_condition == result) return; /* one condition of several variables */
    }
    for (uint32_t w = 0; w < (batch->rows + 63) / 64; w++) {
        for (uint64_t bits = vector->errors[w] & usable[w]; bits; bits &= bits - 1) {
            uint32_t row = w * 64 + (uint32_t)__builtin_ctzll(bits);
            wr_operator_count_error(&p->op, batch, row, wr_frame_reason(p->row_frame, batch, result, row),
                                    p->spec->variable[variable].name);
        }
    }
}

static void row_conditions(struct wr_pattern *p, const struct wr_batch *batch, const uint64_t *usable)
{
    if (!p->row_code) return;
    p->row_frame = wr_row_code_run(p->row_code, batch);
    for (uint32_t v = 0; v < p->spec->variable_count; v++) {
        uint32_t result = p->spec->variable[v].row_condition;
        if (result == WR_NONE) continue;
        const struct wr_vector *vector = wr_frame_result(p->row_frame, result);
        WR_ASSERT(vector->cls == WR_CLASS_BOOL);
        p->bits[v] = vector->u.bits;
    }
    for (uint32_t v = 0; v < p->spec->variable_count; v++) {
        if (p->spec->variable[v].row_condition != WR_NONE) count_errors(p, batch, v, usable);
    }
}

static void any_of(const struct wr_pattern *p, const uint8_t *wanted, const uint64_t *usable, uint32_t words,
                   uint64_t *out)
{
    memset(out, 0, words * sizeof *out);
    for (uint32_t v = 0; v < p->spec->variable_count; v++) {
        if (!wanted[v]) continue;
        for (uint32_t w = 0; w < words; w++) out[w] |= p->bits[v] ? p->bits[v][w] : ~(uint64_t)0;
    }
    for (uint32_t w = 0; w < words; w++) out[w] &= usable[w];
}

/* Rows that may move something (select), and those that may begin a match (insert): no others are looked up, and
 * only the latter make a key known. */
static void choose_rows(struct wr_pattern *p, const uint64_t *usable, uint32_t words)
{
    if (p->plan.empty_match || p->plan.rows || p->plan.at_start) {
        memcpy(p->insert, usable, words * sizeof *usable);
        memcpy(p->select, usable, words * sizeof *usable);
        return;
    }
    any_of(p, p->plan.begins, usable, words, p->insert);
    if (p->plan.strict || p->trace) memcpy(p->select, usable, words * sizeof *usable);
    else any_of(p, p->plan.selects, usable, words, p->select);
}

static void forget_key(struct wr_pattern *p, uint32_t id)
{
    wr_unit_forget(&p->op, id);
    wr_keytable_remove(p->keys, id);
}

/* The matcher may change what the keys of the selected rows have. */
static void touch_keys(struct wr_pattern *p, uint32_t words)
{
    if (!p->op.changes.checkpointer || !p->matcher->sweep) return;
    if (!p->keys) {
        wr_unit_touch(&p->op, 0);
        return;
    }
    for (uint32_t w = 0; w < words; w++) {
        int32_t unit[64];
        uint32_t count = 0;
        for (uint64_t bits = p->select[w]; bits; bits &= bits - 1)
            unit[count++] = p->id[w * 64 + (uint32_t)__builtin_ctzll(bits)];
        wr_units_touch(&p->op, unit, count);
    }
}

/* Keys without state are forgotten a few at a time: twice as many are looked at as have come, so that those that
 * are kept for nothing are never more than the others. */
static void sweep(struct wr_pattern *p)
{
    enum { SWEEP_LEAST = 16 };
    uint32_t count = wr_keytable_count(p->keys), limit = wr_keytable_id_limit(p->keys);
    uint32_t look = SWEEP_LEAST + (count > p->counted ? 2 * (count - p->counted) : 0);
    if (look > limit) look = limit;
    for (; look; look--) {
        if (p->hand >= limit) p->hand = 0;
        uint32_t id = p->hand++;
        if (wr_keytable_is_live(p->keys, id) && p->matcher->sweep(p, id)) forget_key(p, id);
    }
    p->counted = wr_keytable_count(p->keys);
}

void wr_pattern_sweep_all(struct wr_operator *op)
{
    struct wr_pattern *p = (struct wr_pattern *)op;
    WR_ASSERT(op->cls == &wr_pattern_operator && !p->batch);
    if (!p->matcher->sweep) return;
    if (!p->keys) (void)p->matcher->sweep(p, 0);
    for (uint32_t id = 0; p->keys && id < wr_keytable_id_limit(p->keys); id++)
        if (wr_keytable_is_live(p->keys, id) && p->matcher->sweep(p, id)) forget_key(p, id);
}

void wr_pattern_put_key(const struct wr_pattern *p, uint32_t key, struct wr_buf *out)
{
    WR_ASSERT(key != WR_NONE);
    for (uint32_t k = 0; p->keys && k < p->spec->key_count; k++) {
        struct wr_value value = wr_keytable_value(p->keys, key, k);
        if (k) wr_buf_add_cstr(out, ", ");
        wr_value_print(p->key_type[k], &value, out);
    }
}

void wr_pattern_fail_limit(struct wr_pattern *p, uint32_t key, uint64_t most, const char *limit)
{
    struct wr_buf where = {0};
    struct wr_error error;
    WR_ASSERT(limit && most > 0);
    if (p->keys) {
        wr_buf_add_cstr(&where, ", of ");
        wr_pattern_put_key(p, key, &where);
    }
    wr_error_set(&error, WR_ERR_LIMIT,
                 "%s: more than %llu starts of a key are open%s (%s); a shorter WITHIN ends them sooner, a higher limit lets "
                 "them be, %s passes the oldest or the new one over",
                 p->program->query[p->op.node->query], (unsigned long long)most, wr_buf_cstr(&where), limit,
                 strcmp(limit, "LIMIT") == 0 ? "ON LIMIT DROP OLDEST or DROP NEW"
                                             : "SET on_limit = 'drop_oldest' or 'drop_new'");
    wr_task_fail(p->op.task, &error);
    wr_buf_release(&where);
}

void wr_pattern_check(const struct wr_operator *op)
{
    const struct wr_pattern *p = (const struct wr_pattern *)op;
    WR_ASSERT(op->cls == &wr_pattern_operator && !p->batch && !p->out.batch.rows);
    if (p->keys) wr_keytable_check(p->keys);
    p->matcher->check(p);
}

/* ---- The operator's functions --------------------------------------------------------------------- */

/* A defect for tests. */
static bool is_blind(const struct wr_pattern *p)
{
    return (WR_DEFECT("matcher.general") && p->matcher == &wr_match_general) ||
           (WR_DEFECT("matcher.group") && p->matcher == &wr_match_group);
}

static void look_up(struct wr_pattern *p, const struct wr_batch *batch)
{
    uint64_t before = wr_keytable_next_order(p->keys);
    wr_keytable_lookup(p->keys, batch, p->spec->key, p->select, p->insert, p->id);
    if (WR_UNLIKELY(p->op.cold && p->op.cold->count))
        wr_cold_rows(&p->op, p->keys, batch, p->spec->key, p->spec->key_count, p->select, before, p->id);
}

static void pattern_on_batch(struct wr_operator *op, uint32_t port, const struct wr_batch *batch)
{
    struct wr_pattern *p = (struct wr_pattern *)op;
    WR_ASSERT(port == 0 && batch->rows <= WR_BATCH_ROWS);
    uint32_t words = (batch->rows + 63) / 64;
    uint64_t usable[WR_BATCH_WORDS];
    p->batch = batch;
    p->time = p->plan.behind ? batch->place_time : batch->time;
    usable_rows(p, batch, usable);
    row_conditions(p, batch, usable);
    choose_rows(p, usable, words);
    if (p->keys) look_up(p, batch);
    touch_keys(p, words);
    if (!is_blind(p)) p->matcher->rows(p);
    if (batch->rows) { /* rows that nothing selected let time pass too */
        int64_t last = p->time[batch->rows - 1];
        wr_moments_until(op, last);
        p->now = WR_MAX(p->now, last);
    }
    wr_pattern_flush(p);
    p->batch = NULL;
    p->sequence += batch->rows;
    if (p->keys) sweep(p);
}

static void pattern_on_moment(struct wr_operator *op, int64_t time, uint32_t key)
{
    struct wr_pattern *p = (struct wr_pattern *)op;
    WR_ASSERT(p->matcher->moment && time >= p->now);
    p->now = time - 1; /* if the key is saved first: as it was before this moment, whatever others of its time have done */
    if (!p->keys || wr_keytable_is_live(p->keys, key)) wr_unit_touch(op, key); /* else it was forgotten with its moment armed */
    p->now = time;
    p->place = wr_moment_place(op);
    /* Whether a moment that brings nothing is armed at all is the matcher's affair: it is no place of the output. */
    uint64_t results = p->results;
    p->matcher->moment(p, time, key);
    if (p->results == results) op->time = op->timers.before;
}

static void pattern_prefetch_unit(const struct wr_operator *op, uint32_t unit, unsigned stage)
{
    const struct wr_pattern *p = (const struct wr_pattern *)op;
    if (p->keys && stage == 0) wr_keytable_prefetch_entry(p->keys, unit);
    if (p->matcher->prefetch) p->matcher->prefetch(p, unit, stage);
}

static void pattern_prefetch_moment(const struct wr_operator *op, uint32_t key, unsigned stage)
{
    const struct wr_pattern *p = (const struct wr_pattern *)op;
    WR_ASSERT(stage <= 3);
    if (p->matcher->prefetch) p->matcher->prefetch(p, key, stage);
}

/* The end changes every key that has state: a checkpoint that is being taken saves them as they were. */
static void touch_all(struct wr_pattern *p)
{
    if (!p->op.changes.checkpointer || !p->matcher->sweep) return;
    uint32_t limit = wr_pattern_unit_limit(&p->op);
    for (uint32_t id = 0; id < limit; id++)
        if (!p->keys || wr_keytable_is_live(p->keys, id)) wr_unit_touch(&p->op, id);
}

/* $ asks for a key's last row: that it is known behind the last row of the input, before the moments that are to come. */
static void close_keys(struct wr_pattern *p)
{
    WR_ASSERT(p->matcher->close);
    wr_moments_until(&p->op, p->closing);
    wr_cold_wake_all(&p->op);
    touch_all(p);
    p->place = (struct wr_place){.time = p->closing, .source = WR_SOURCE_END, .offset = p->op.id};
    p->matcher->close(p);
}

static void pattern_on_watermark(struct wr_operator *op, uint32_t port, int64_t watermark)
{
    struct wr_pattern *p = (struct wr_pattern *)op;
    WR_ASSERT(port == 0 && !p->batch);
    /* Rows before the watermark have been given: those of a window up to so much later. */
    int64_t given = watermark == WR_TIME_MAX || !p->plan.behind ? watermark : wr_time_later(watermark, p->plan.behind - 1);
    /* A start's time ends whether or not a moment has been armed for it yet: at the end of the input those that are
     * armed as others fire were due from the beginning, and fire too. */
    if (watermark == WR_TIME_MAX) {
        if (p->matcher == &wr_match_sequence && !p->plan.moments) wr_cold_abandon(op); /* what is open has no match */
        p->closing = WR_MAX(op->time, wr_task_time(op->task)); /* of its rows, and of those of others */
        if (p->plan.at_end) close_keys(p);
        wr_moments_until(op, WR_TIME_MAX - 1);
    }
    wr_moments_until(op, given);
    if (watermark != WR_TIME_MAX && given > p->now) p->now = given;
    wr_pattern_flush(p);
    wr_operator_emit_watermark(op, watermark);
}

static void pattern_on_end(struct wr_operator *op)
{
    struct wr_pattern *p = (struct wr_pattern *)op;
    wr_cold_wake_all(op);
    touch_all(p);
    /* The end stands behind all places. */
    p->place = (struct wr_place){.time = wr_task_time(op->task), .source = WR_SOURCE_END, .offset = op->id};
    p->matcher->end(p);
    wr_pattern_flush(p);
}

static void pattern_clear(struct wr_operator *op)
{
    struct wr_pattern *p = (struct wr_pattern *)op;
    WR_ASSERT(!p->out.batch.rows);
    wr_timers_clear(&op->timers);
    wr_strings_clear(p->strings);
    p->matcher->clear(p);
    if (p->keys) wr_keytable_clear(p->keys);
    p->hand = p->counted = 0;
    p->sequence = 0;
    p->now = WR_TIME_MIN;
    p->closing = WR_TIME_MAX;
    p->last_place = (struct wr_place){.time = WR_TIME_MIN};
    p->last_ordinal = 0;
}

static void pattern_reserve(struct wr_operator *op, uint64_t units)
{
    struct wr_pattern *p = (struct wr_pattern *)op;
    if (p->keys) wr_keytable_reserve(p->keys, units);
}

static void pattern_prefetch(struct wr_operator *op, struct wr_slice key)
{
    struct wr_pattern *p = (struct wr_pattern *)op;
    if (p->keys) wr_keytable_prefetch(p->keys, key);
}

static void pattern_measure(const struct wr_operator *op, struct wr_operator_size *size)
{
    const struct wr_pattern *p = (const struct wr_pattern *)op;
    *size = (struct wr_operator_size){.keys = p->keys ? wr_keytable_count(p->keys) : p->matcher->sweep != NULL,
                                      .bytes = wr_strings_bytes(p->strings), .live = wr_strings_live_bytes(p->strings)};
    if (p->keys) size->bytes += wr_keytable_bytes(p->keys);
    if (p->keys) size->live += wr_keytable_live_bytes(p->keys) + (uint64_t)op->timers.count * sizeof(struct wr_timer);
    p->matcher->measure(p, size);
}

static void pattern_bound(const struct wr_operator *op, struct wr_state_bound *bound)
{
    const struct wr_pattern *p = (const struct wr_pattern *)op;
    WR_ASSERT(p->matcher);
    if (!p->matcher->bound) return;
    if (p->keys) bound->key = wr_keytable_key_bytes();
    p->matcher->bound(p, bound);
    bound->one_start = p->plan.one_start;
    bound->elders = p->plan.elders;
}

const struct wr_operator_class wr_pattern_operator = {
    .name = "pattern",
    .create = pattern_create,
    .free = pattern_free,
    .on_batch = pattern_on_batch,
    .on_moment = pattern_on_moment,
    .prefetch_moment = pattern_prefetch_moment,
    .prefetch_unit = pattern_prefetch_unit,
    .on_watermark = pattern_on_watermark,
    .on_end = pattern_on_end,
    .save_all = wr_pattern_save,
    .load = wr_pattern_load,
    .unit_limit = wr_pattern_unit_limit,
    .save_unit = wr_pattern_save_unit,
    .save_own = wr_pattern_save_own,
    .unit_key = wr_pattern_unit_key,
    .unit_due = wr_pattern_unit_due,
    .drop_unit = wr_pattern_drop_unit,
    .find_unit = wr_pattern_find_unit,
    .moments_are_units = true,
    .reserve = pattern_reserve,
    .prefetch = pattern_prefetch,
    .clear = pattern_clear,
    .measure = pattern_measure,
    .bound = pattern_bound,
};
