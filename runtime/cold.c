/* Keys on their way out of memory and back. See cold.h. */
#include "runtime/cold.h"

#include "runtime/checkpoint_internal.h"
#include "runtime/clock.h"
#include "runtime/task.h"

/* Keys that came back, each by its row. */
struct came_back {
    struct wr_key_set set;
    struct wr_buf bytes;         /* of all: number of the operator, LEB128 length, key */
};

struct put_entry {
    uint32_t op;
    size_t key, value;           /* offsets in .put_bytes */
    size_t key_size, value_size;
    int64_t wake;
    uint64_t order;
};

struct wr_cold {
    struct wr_checkpointer *checkpointer;
    uint64_t memory_max;         /* 0: nothing leaves */
    struct came_back now, next;  /* taken away by the checkpoint being taken, by the one behind it */
    WR_VEC(struct put_entry) put;
    struct wr_buf put_bytes;
    WR_VEC(struct wr_cold_entry) entry; /* of a commit */
    WR_VEC(struct wr_cold_due) due;
    struct wr_buf lost;          /* names whose entries are to go: LEB128 length and bytes each */
    bool finished;
    uint64_t settled;            /* the last durable checkpoint */
    uint64_t vain;               /* what was kept when nothing could leave; 0: something could */
    struct wr_buf key, found;    /* work space */
};

static struct wr_operator *operator_at(const struct wr_cold *cold, uint32_t i)
{
    return cold->checkpointer->engine->task.op[i];
}

static uint32_t operator_count(const struct wr_cold *cold)
{
    return cold->checkpointer->engine->task.op_count;
}

/* ---- Opening ------------------------------------------------------------------------------------- */

void wr_cold_open(struct wr_checkpointer *c, uint64_t memory_max)
{
    struct wr_task *task = &c->engine->task;
    struct wr_cold *cold = c->cold = wr_alloc_zero(sizeof *cold);
    cold->checkpointer = c;
    cold->memory_max = memory_max;
    cold->now.set.seed = cold->next.set.seed = wr_clock_seed();
    for (uint32_t i = 0; i < task->op_count; i++) {
        struct wr_operator *op = task->op[i];
        if (!op->cls->drop_unit) continue;
        struct wr_cold_keys *k = op->cold = wr_alloc_zero(sizeof *k);
        k->cold = cold;
        k->due = WR_TIME_MAX;
        k->woken = WR_TIME_MIN;
    }
}

void wr_cold_close(struct wr_checkpointer *c)
{
    struct wr_cold *cold = c->cold;
    if (!cold) return;
    for (uint32_t i = 0; i < operator_count(cold); i++) {
        struct wr_cold_keys *k = operator_at(cold, i)->cold;
        if (!k) continue;
        wr_buf_release(&k->name);
        wr_free(k->leaving);
        wr_free(k);
        operator_at(cold, i)->cold = NULL;
    }
    wr_key_set_release(&cold->now.set);
    wr_key_set_release(&cold->next.set);
    wr_buf_release(&cold->now.bytes);
    wr_buf_release(&cold->next.bytes);
    wr_vec_release(&cold->put);
    wr_vec_release(&cold->entry);
    wr_vec_release(&cold->due);
    wr_buf_release(&cold->put_bytes);
    wr_buf_release(&cold->lost);
    wr_buf_release(&cold->key);
    wr_buf_release(&cold->found);
    wr_free(cold);
    c->cold = NULL;
}

/* The name of an operator's entries: its identity, and which of several with the same one it is. */
static void name_operator(struct wr_cold *cold, uint32_t number)
{
    struct wr_operator *op = operator_at(cold, number);
    if (op->cold->name.size) return;
    for (uint8_t ordinal = 0;; ordinal++) {
        bool taken = false;
        wr_buf_clear(&op->cold->name);
        wr_buf_add(&op->cold->name, op->node->identity, sizeof op->node->identity);
        wr_put_u8(&op->cold->name, ordinal);
        for (uint32_t i = 0; i < operator_count(cold) && !taken; i++) {
            const struct wr_cold_keys *other = operator_at(cold, i)->cold;
            taken = i != number && other && wr_slice_equal(wr_buf_slice(&other->name), wr_buf_slice(&op->cold->name));
        }
        if (!taken) return;
    }
}

bool wr_cold_may_be_out(const struct wr_operator *op)
{
    WR_ASSERT(op->cold);
    return op->cold->cold->memory_max || op->cold->name.size;
}

/* ---- Leaving ------------------------------------------------------------------------------------- */

bool wr_cold_is_pressed(const struct wr_checkpointer *c, bool soft)
{
    const struct wr_cold *cold = c->cold;
    if (!cold || !cold->memory_max) return false;
    uint64_t live = 0;
    for (uint32_t i = 0; i < operator_count(cold); i++) {
        const struct wr_operator *op = operator_at(cold, i);
        struct wr_operator_size size = {0};
        if (!op->cold) continue;
        op->cls->measure(op, &size);
        live += size.live;
    }
    if (cold->vain && live < cold->vain + cold->memory_max / 8) return false; /* nothing could leave */
    return live > (soft ? cold->memory_max / 8 * 7 : cold->memory_max);
}

static bool mark_leaving(struct wr_operator *op, uint32_t unit)
{
    struct wr_cold_keys *k = op->cold;
    struct wr_changes *changes = &op->changes;
    int64_t wake;
    uint64_t order;
    uint32_t word = unit / 64;
    uint64_t bit = (uint64_t)1 << unit % 64;
    WR_ASSERT(word < changes->words);
    if (!op->cls->unit_due(op, unit, &wake, &order) || wake <= k->woken) return false;
    if (word >= k->words) {
        uint32_t words = changes->words;
        k->leaving = wr_realloc(k->leaving, words * sizeof *k->leaving);
        memset(k->leaving + k->words, 0, (words - k->words) * sizeof *k->leaving);
        k->words = words;
    }
    changes->frozen[word] |= bit;
    k->leaving[word] |= bit;
    k->leaving_count++;
    return true;
}

/* Goes round the operator's units once. quiet: only those that the checkpoint had nothing new of. */
static uint64_t choose_units(struct wr_operator *op, uint64_t most, bool quiet)
{
    struct wr_changes *changes = &op->changes;
    struct wr_cold_keys *k = op->cold;
    uint32_t limit = op->cls->unit_limit(op);
    uint64_t chosen = 0;
    if (limit / 64 + 1 > changes->words) wr_changes_grow(changes, limit / 64 + 1);
    for (uint32_t looked = 0; looked < limit && chosen < most; looked++) {
        if (k->hand >= limit) k->hand = 0;
        uint32_t unit = k->hand++;
        bool frozen = changes->frozen[unit / 64] >> unit % 64 & 1;
        if (wr_cold_is_leaving(op, unit) || (quiet && frozen)) continue;
        chosen += mark_leaving(op, unit);
    }
    return chosen;
}

static uint64_t choose_of(struct wr_operator *op, uint64_t live, uint64_t want)
{
    uint32_t limit = op->cls->unit_limit(op);
    struct wr_operator_size size = {0};
    op->cls->measure(op, &size);
    if (!size.keys || !limit) return 0;
    /* Its share of what is to go, in keys of the size that they have on average. */
    double each = (double)size.live / (double)size.keys;
    uint64_t most = (uint64_t)((double)want * ((double)size.live / (double)live) / each) + 1;
    uint64_t chosen = choose_units(op, most, true);
    return chosen < most ? chosen + choose_units(op, most - chosen, false) : chosen;
}

/* The run has come to its end: nothing of what is out belongs to its checkpoint. */
static void forget_counts(struct wr_cold *cold)
{
    for (uint32_t i = 0; i < operator_count(cold); i++) {
        struct wr_cold_keys *k = operator_at(cold, i)->cold;
        if (k) k->count = k->count_then = 0;
    }
}

uint64_t wr_cold_begin(struct wr_checkpointer *c, bool finished)
{
    struct wr_cold *cold = c->cold;
    uint64_t live = 0, chosen = 0;
    if (!cold) return 0;
    struct came_back swap = cold->now; /* it is empty */
    WR_ASSERT(!swap.bytes.size && !swap.set.count && !cold->put.count);
    cold->now = cold->next;
    cold->next = swap;
    cold->next.set.seed = cold->now.set.seed;
    for (uint32_t i = 0; i < operator_count(cold); i++) {
        struct wr_operator *op = operator_at(cold, i);
        struct wr_operator_size size = {0};
        if (!op->cold) continue;
        op->cold->count_then = op->cold->count;
        op->cold->woken_then = op->cold->woken;
        op->cold->put = 0;
        op->cls->measure(op, &size);
        live += size.live;
    }
    /* Down to five eighths, once three quarters are in use: what is changed all the time leaves for nothing. Where all keys
     * of a window have come back at its end they go with several checkpoints, each of which holds what leaves with it. */
    enum { LEAVING_MOST = 24 * 1024 * 1024 };
    uint64_t low = cold->memory_max / 8 * 5, want = live > low ? WR_MIN(live - low, (uint64_t)LEAVING_MOST) : 0;
    bool all = cold->memory_max == WR_COLD_ALL;
    cold->finished = finished;
    if (finished) forget_counts(cold);
    if (finished || !cold->memory_max || (!all && live <= cold->memory_max / 4 * 3)) return 0;
    for (uint32_t i = 0; i < operator_count(cold); i++) {
        struct wr_operator *op = operator_at(cold, i);
        if (!op->cold) continue;
        name_operator(cold, i);
        chosen += all ? choose_units(op, UINT64_MAX, false) : choose_of(op, live, want);
    }
    cold->vain = chosen ? 0 : live;
    return chosen;
}

static void clear_leaving(struct wr_cold_keys *k, uint32_t unit)
{
    WR_ASSERT(k->leaving_count > 0);
    k->leaving[unit / 64] &= ~((uint64_t)1 << unit % 64);
    k->leaving_count--;
}

void wr_cold_put(struct wr_operator *op, uint32_t unit, struct wr_slice key, struct wr_slice value)
{
    struct wr_cold *cold = op->cold->cold;
    struct put_entry e = {.op = op->id, .key = cold->put_bytes.size, .key_size = key.size, .value_size = value.size};
    bool may = op->cls->unit_due(op, unit, &e.wake, &e.order);
    WR_ASSERT(may && wr_cold_is_leaving(op, unit));
    wr_buf_add_slice(&cold->put_bytes, key);
    e.value = cold->put_bytes.size;
    wr_buf_add_slice(&cold->put_bytes, value);
    wr_vec_push(&cold->put, e);
    op->cold->put++;
}

static void note_back(struct came_back *back, uint32_t op, struct wr_slice key)
{
    if (!wr_key_set_add(&back->set, op, key)) return;
    wr_put_uint(&back->bytes, op);
    wr_put_bytes(&back->bytes, key);
}

void wr_cold_stay(struct wr_operator *op, uint32_t unit)
{
    const struct wr_changes *changes = &op->changes;
    WR_ASSERT(wr_cold_is_leaving(op, unit));
    clear_leaving(op->cold, unit);
    bool put = !(changes->frozen[unit / 64] >> unit % 64 & 1);
    if (put) note_back(&op->cold->cold->next, op->id, op->cls->unit_key(op, unit));
}

/* ---- The checkpoint ------------------------------------------------------------------------------ */

void wr_cold_commit(struct wr_checkpointer *c, struct wr_store_commit *commit)
{
    struct wr_cold *cold = c->cold;
    struct wr_slice in, key;
    if (!cold) return;
    wr_vec_clear(&cold->entry);
    wr_vec_clear(&cold->due);
    for (in = wr_buf_slice(&cold->now.bytes); in.size;) {
        uint64_t op;
        bool whole = wr_get_uint(&in, &op) && wr_get_bytes(&in, &key);
        WR_ASSERT(whole);
        struct wr_slice name = wr_buf_slice(&operator_at(cold, (uint32_t)op)->cold->name);
        wr_vec_push(&cold->entry, (struct wr_cold_entry){.op = name, .key = key});
    }
    for (size_t i = 0; i < cold->put.count; i++) {
        const struct put_entry *e = &cold->put.at[i];
        wr_vec_push(&cold->entry, (struct wr_cold_entry){.op = wr_buf_slice(&operator_at(cold, e->op)->cold->name),
                                                         .key = wr_slice_of(cold->put_bytes.data + e->key, e->key_size),
                                                         .value = wr_slice_of(cold->put_bytes.data + e->value, e->value_size),
                                                         .wake = e->wake,
                                                         .order = e->order});
    }
    for (in = wr_buf_slice(&cold->lost); in.size;) {
        bool whole = wr_get_bytes(&in, &key);
        WR_ASSERT(whole);
        wr_vec_push(&cold->due, (struct wr_cold_due){key, WR_TIME_MAX});
    }
    for (uint32_t i = 0; i < operator_count(cold); i++) {
        const struct wr_cold_keys *k = operator_at(cold, i)->cold;
        if (!k || !k->name.size || (k->woken_then == WR_TIME_MIN && !cold->finished)) continue;
        wr_vec_push(&cold->due, (struct wr_cold_due){wr_buf_slice(&k->name), cold->finished ? WR_TIME_MAX : k->woken_then});
    }
    commit->cold = cold->entry.at;
    commit->cold_count = cold->entry.count;
    commit->due = cold->due.at;
    commit->due_count = cold->due.count;
}

/* Units whose entries lie in the store now go, unless they are due already. */
static void drop_left(struct wr_operator *op)
{
    struct wr_cold_keys *k = op->cold;
    struct wr_changes *changes = &op->changes;
    for (uint32_t w = 0; w < k->words; w++)
        for (uint64_t bits = k->leaving[w]; bits; bits &= bits - 1) {
            uint32_t unit = w * 64 + (uint32_t)__builtin_ctzll(bits);
            int64_t wake = 0;
            uint64_t order;
            bool may = op->cls->unit_due(op, unit, &wake, &order);
            if (may && wake > k->woken) {
                k->count++;
                k->due = WR_MIN(k->due, wake);
                continue;
            }
            note_back(&k->cold->next, op->id, op->cls->unit_key(op, unit));
            changes->changed[w] |= bits & -bits;
            clear_leaving(k, unit);
        }
    if (!k->leaving_count) return;
    if (op->cls->moments_are_units) wr_timers_drop(&op->timers, k->leaving, k->words);
    for (uint32_t w = 0; w < k->words; w++) {
        for (uint64_t bits = k->leaving[w]; bits; bits &= bits - 1) {
            uint32_t unit = w * 64 + (uint32_t)__builtin_ctzll(bits);
            WR_ASSERT(!((changes->frozen[w] | changes->changed[w] | changes->stored[w]) & (bits & -bits)));
            op->cls->drop_unit(op, unit);
        }
        k->leaving[w] = 0;
    }
    k->leaving_count = 0;
    if (op->cls->moments_are_units) wr_timers_wake(&op->timers, k->due);
}

void wr_cold_settle(struct wr_checkpointer *c)
{
    struct wr_cold *cold = c->cold;
    if (!cold) return;
    cold->settled = c->epoch;
    wr_key_set_clear(&cold->now.set);
    wr_buf_clear(&cold->now.bytes);
    wr_vec_clear(&cold->put);
    wr_buf_clear(&cold->put_bytes);
    wr_buf_clear(&cold->lost);
    for (uint32_t i = 0; i < operator_count(cold); i++) {
        struct wr_operator *op = operator_at(cold, i);
        if (op->cold && op->cold->leaving_count) drop_left(op);
    }
}

/* ---- Coming back --------------------------------------------------------------------------------- */

/* What the store says of a key that is back, or has not left yet. */
static bool is_void(const struct wr_operator *op, const struct wr_stored *entry)
{
    const struct wr_cold *cold = op->cold->cold;
    if (entry->wake <= op->cold->woken || entry->epoch > cold->settled) return true;
    return wr_key_set_has(&cold->now.set, op->id, entry->key) || wr_key_set_has(&cold->next.set, op->id, entry->key);
}

static void fail(struct wr_operator *op, const struct wr_error *error)
{
    wr_task_fail(op->task, error);
}

/* Puts an entry back into memory. Returns its unit, WR_NONE: the run is to end. */
static uint32_t bring_back(struct wr_operator *op, struct wr_slice key, struct wr_slice value)
{
    struct wr_cold_keys *k = op->cold;
    WR_ASSERT(k->count > 0);
    k->count--;
    if (!op->cls->load(op, key, value)) {
        struct wr_error error;
        wr_error_set(&error, WR_ERR_STATE, "%s: the state of a key that had left memory does not hold",
                     op->task->program->query[op->node->query]);
        fail(op, &error);
        return WR_NONE;
    }
    uint32_t unit = op->cls->find_unit(op, key), word = unit / 64;
    WR_ASSERT(unit != WR_NONE);
    /* It has just got its number. Whatever was frozen under that was another key's: of the checkpoint that is being taken this
     * one is a part where it lay, in the store. */
    if (word < op->changes.words) op->changes.frozen[word] &= ~((uint64_t)1 << unit % 64);
    wr_unit_touch(op, unit);
    return unit;
}

static uint32_t find_and_bring_back(struct wr_operator *op, struct wr_slice key)
{
    struct wr_cold_keys *k = op->cold;
    struct wr_cold *cold = k->cold;
    struct wr_store *store = cold->checkpointer->store;
    struct wr_stored entry;
    struct wr_error error = {0};
    if (!k->count) return WR_NONE;
    enum wr_status status = wr_store_cold_find(store, wr_buf_slice(&k->name), key, &entry, &cold->found, &error);
    if (status == WR_END) return WR_NONE;
    if (status != WR_OK) {
        fail(op, &error);
        return WR_NONE;
    }
    if (is_void(op, &entry)) return WR_NONE;
    note_back(&cold->next, op->id, key);
    return bring_back(op, entry.key, entry.value);
}

void wr_cold_rows(struct wr_operator *op, struct wr_keytable *keys, const struct wr_batch *batch, const uint32_t *column,
                  uint32_t columns, const uint64_t *select, uint64_t before, int32_t *id)
{
    struct wr_cold_keys *k = op->cold;
    struct wr_buf *key = &k->cold->key;
    WR_ASSERT(keys && batch->rows <= WR_BATCH_ROWS);
    for (uint32_t w = 0; w < (batch->rows + 63) / 64; w++)
        for (uint64_t bits = select[w]; bits; bits &= bits - 1) {
            uint32_t row = w * 64 + (uint32_t)__builtin_ctzll(bits);
            if (id[row] != WR_KEY_NONE && wr_keytable_order(keys, (uint32_t)id[row]) < before) continue;
            wr_buf_clear(key);
            wr_key_encode(batch, row, column, columns, key);
            if (id[row] == WR_KEY_NONE) id[row] = wr_keytable_find(keys, wr_buf_slice(key), false);
            if (id[row] != WR_KEY_NONE && wr_keytable_order(keys, (uint32_t)id[row]) < before) continue;
            uint32_t unit = find_and_bring_back(op, wr_buf_slice(key));
            if (unit != WR_NONE) id[row] = (int32_t)unit;
        }
}

/* Walks on by time as far as `until`, `most` entries of the store at a time. *next: when the first one behind that is due. */
static bool walk(struct wr_operator *op, int64_t until, uint32_t most, int64_t *next)
{
    struct wr_cold_keys *k = op->cold;
    struct wr_cold *cold = k->cold;
    struct wr_error error = {0};
    struct wr_cold_place place = k->place;
    struct wr_stored entry;
    uint32_t got = 0;
    WR_ASSERT(most > 1);
    *next = WR_TIME_MAX;
    wr_buf_clear(&cold->found);
    if (!k->count) return false;
    if (wr_store_cold_due(cold->checkpointer->store, wr_buf_slice(&k->name), WR_TIME_MAX, most, &place, &cold->found, &error) !=
        WR_OK) {
        fail(op, &error);
        return false;
    }
    for (struct wr_slice in = wr_buf_slice(&cold->found); in.size; got++) {
        bool whole = wr_store_cold_next(&in, &entry);
        WR_ASSERT(whole);
        bool gone = is_void(op, &entry);
        if (entry.wake > until) {
            if (gone) continue; /* neither a reason to come here again */
            *next = entry.wake;
            return false;
        }
        uint64_t hash = wr_store_cold_hash(cold->checkpointer->store, entry.key);
        k->place = (struct wr_cold_place){entry.wake, entry.order, hash, true};
        if (!gone && bring_back(op, entry.key, entry.value) == WR_NONE) return false;
    }
    /* All that were read are back: where there may be more they are due no sooner than the last one. */
    if (got < most) return false;
    *next = entry.wake > until ? entry.wake : until == WR_TIME_MAX ? until : until + 1;
    return entry.wake <= until;
}

bool wr_cold_wake_some(struct wr_operator *op, int64_t time, uint32_t most)
{
    int64_t next;
    return walk(op, time, most, &next);
}

static void wake_until(struct wr_operator *op, int64_t time)
{
    enum { MOST_FIRST = 16, MOST_LAST = 1024 };
    struct wr_cold_keys *k = op->cold;
    int64_t next = WR_TIME_MAX;
    uint32_t most = MOST_FIRST;
    while (walk(op, time, most, &next)) most = WR_MIN(most * 2, (uint32_t)MOST_LAST);
    k->woken = WR_MAX(k->woken, time);
    k->due = next;
    if (op->cls->moments_are_units) wr_timers_wake(&op->timers, next);
}

void wr_cold_wake(struct wr_operator *op)
{
    WR_ASSERT(op->cold && op->cold->due != WR_TIME_MAX);
    wake_until(op, op->cold->due);
}

void wr_cold_wake_all(struct wr_operator *op)
{
    if (op->cold) wake_until(op, WR_TIME_MAX);
}

void wr_cold_abandon(struct wr_operator *op)
{
    struct wr_cold_keys *k = op->cold;
    if (!k) return;
    k->count = 0;
    k->woken = k->due = WR_TIME_MAX;
    wr_timers_wake(&op->timers, WR_TIME_MAX);
}

/* ---- The record ---------------------------------------------------------------------------------- */

void wr_cold_encode(const struct wr_checkpointer *c, struct wr_buf *out)
{
    for (uint32_t i = 0; c->cold && i < operator_count(c->cold); i++) {
        const struct wr_cold_keys *k = operator_at(c->cold, i)->cold;
        if (!k || !k->name.size || !(k->count_then + k->put)) continue;
        wr_put_uint(out, i);
        wr_put_uint(out, k->count_then + k->put);
        wr_put_bytes(out, wr_buf_slice(&k->name));
    }
}

bool wr_record_cold_next(struct wr_slice *in, struct wr_record_cold *cold)
{
    uint64_t op;
    if (!wr_get_uint(in, &op) || op > UINT32_MAX || !wr_get_uint(in, &cold->count) || !wr_get_bytes(in, &cold->name))
        return false;
    cold->op = (uint32_t)op;
    return true;
}

enum wr_status wr_cold_recover(struct wr_checkpointer *c, struct wr_slice record, const uint32_t *from, struct wr_error *error)
{
    struct wr_slice list = wr_record_find(record, "cold");
    struct wr_record_cold one;
    struct wr_cold *cold = c->cold;
    WR_ASSERT(cold);
    cold->settled = c->epoch;
    while (list.size) {
        if (!wr_record_cold_next(&list, &one)) return wr_error_set(error, WR_ERR_STATE, "the checkpoint's record is malformed");
        struct wr_operator *to = NULL;
        for (uint32_t i = 0; i < operator_count(cold); i++)
            if (from[i] == one.op && operator_at(cold, i)->cold) to = operator_at(cold, i);
        if (!to) {
            wr_put_bytes(&cold->lost, one.name);
            continue;
        }
        wr_buf_clear(&to->cold->name);
        wr_buf_add_slice(&to->cold->name, one.name);
        to->cold->count = one.count;
        to->cold->due = WR_TIME_MIN + 1; /* the first look by time says */
        if (to->cls->moments_are_units) wr_timers_wake(&to->timers, to->cold->due);
    }
    return WR_OK;
}
