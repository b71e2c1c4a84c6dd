/* The logical form of a pattern's state: per key its rows, chains, starts and candidates, in an order that says nothing
 * about ids, batches or matchers. The matchers draw a picture of a key (struct wr_picture); here pictures become bytes and
 * bytes become pictures again. Sequences, of which there are many and whose states are alike, have a shorter form of the
 * same, which each matcher can read. The empty key's entry is the operator's own.
 *
 *   own:  'O' version, sequence, last place, last ordinal, time up to which moments have fired
 *   key:  'K' version, LEB128 order of appearance
 *         rows:   count, each: id, variable, the needed kept columns
 *         links:  count, each: 1 + predecessor (0: none), row, flags, of a moment its variable and time, running
 *                 accumulators
 *         starts: count, each: id of the first row, candidates: count, each: 1 + link (0: none), ended (1) and aged (2),
 *                 position, words of the entries that are alive
 *         where the pattern keeps more of a key: seen, matches so far, time of the last one given, times of leads,
 *                 the first undecided row (0: none); listed rows: count, each: id, number, matched, waits and then the words of
 *                 its row conditions, kept columns; held results: count, each: id of the first row, 1 + link, kind,
 *                 number
 *   or:   'S' version, LEB128 order of appearance, and what match_sequence_state.c writes
 * Ids and values are written as there: what is like the one before costs next to nothing. In version 2, which is read only, they
 * stand whole (wr_place_encode, wr_put_value), order and words of bits as eight bytes. */
#include "runtime/match_sequence.h"
#include "runtime/state.h"

#include <stdlib.h>

enum { OWN_VERSION = 2, STATE_VERSION = 3, WIDE_VERSION = 2, SEQUENCE_VERSION = 1 };

void wr_picture_clear(struct wr_picture *picture)
{
    wr_vec_clear(&picture->row);
    wr_vec_clear(&picture->link);
    wr_vec_clear(&picture->start);
    wr_vec_clear(&picture->thread);
    wr_vec_clear(&picture->alive);
    wr_vec_clear(&picture->value);
    wr_vec_clear(&picture->listed);
    wr_vec_clear(&picture->held);
    wr_vec_clear(&picture->lead);
    picture->more = (struct wr_picture_more){.given = WR_TIME_MIN};
}

void wr_picture_release(struct wr_picture *picture)
{
    wr_vec_release(&picture->row);
    wr_vec_release(&picture->link);
    wr_vec_release(&picture->start);
    wr_vec_release(&picture->thread);
    wr_vec_release(&picture->alive);
    wr_vec_release(&picture->value);
    wr_vec_release(&picture->listed);
    wr_vec_release(&picture->held);
    wr_vec_release(&picture->lead);
}

/* Of the wide version, in which `run` is NULL, or of this one. */
static bool get_row_id(struct wr_pattern *p, struct wr_slice *in, struct wr_seq_run *run, struct wr_row_id *id)
{
    uint8_t tag;
    if (!run) return wr_get_uint(in, &id->sequence) && wr_place_decode(p->op.task, in, &id->place);
    return wr_get_u8(in, &tag) && !(tag & ~(WR_SEQ_SOURCE | WR_SEQ_ORDINAL)) && wr_seq_get_id(p, in, tag, run, id);
}

static bool get_kept(struct wr_pattern *p, struct wr_slice *in, const struct wr_seq_run *run, uint32_t k, int64_t near,
                     struct wr_value *value)
{
    enum wr_class cls = (enum wr_class)p->keep.cls[k];
    return run ? wr_get_near_value(in, cls, near, value) : wr_get_value(in, cls, value);
}

static bool get_bits(struct wr_slice *in, const struct wr_seq_run *run, uint64_t *bits)
{
    return run ? wr_get_uint(in, bits) : wr_get_u64(in, bits);
}

/* ---- Pictures to bytes ---------------------------------------------------------------------------- */

static int row_order(const void *a, const void *b)
{
    const struct wr_picture_row *x = a, *y = b;
    if (x->id.sequence != y->id.sequence) return x->id.sequence < y->id.sequence ? -1 : 1;
    return (x->variable > y->variable) - (x->variable < y->variable);
}

/* Rows were drawn once for each link, in the links' order: sorts them and names each once. */
static void sort_rows(struct wr_picture *picture)
{
    size_t count = picture->row.count;
    WR_ASSERT(count == picture->link.count);
    for (size_t i = 0; i < count; i++) picture->row.at[i].value = (uint32_t)i;
    if (count) qsort(picture->row.at, count, sizeof *picture->row.at, row_order);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t link = picture->row.at[i].value;
        if (kept == 0 || row_order(&picture->row.at[kept - 1], &picture->row.at[i]) != 0)
            picture->row.at[kept++] = picture->row.at[i];
        picture->link.at[link].row = (uint32_t)(kept - 1);
    }
    picture->row.count = kept;
}

static void put_rows(struct wr_pattern *p, const struct wr_picture *picture, struct wr_seq_run *run, struct wr_buf *out)
{
    uint32_t keep = p->plan.keep_count;
    wr_put_uint(out, picture->row.count);
    for (size_t i = 0; i < picture->row.count; i++) {
        const struct wr_picture_row *row = &picture->row.at[i];
        wr_seq_put_id(p, &row->id, 0, run, out);
        wr_put_uint(out, row->variable);
        for (uint32_t k = 0; k < keep; k++) {
            if (!p->plan.needed[(size_t)row->variable * keep + k]) continue;
            uint16_t slot = row->layout->slot[p->plan.keep[k]];
            WR_ASSERT(slot != WR_LAYOUT_NONE);
            struct wr_value value = wr_layout_at(row->layout, row->cell, slot, p->strings);
            wr_put_near_value(out, &value, row->id.place.time);
        }
    }
}

static void put_links(struct wr_pattern *p, const struct wr_picture *picture, struct wr_buf *out)
{
    wr_put_uint(out, picture->link.count);
    for (size_t i = 0; i < picture->link.count; i++) {
        const struct wr_picture_link *link = &picture->link.at[i];
        wr_put_uint(out, link->previous);
        wr_put_uint(out, link->row);
        wr_put_uint(out, link->flags);
        if (link->flags & WR_LINK_MOMENT) {
            wr_put_uint(out, link->moment);
            wr_put_i64(out, link->time);
        }
        for (uint32_t a = 0; a < p->spec->aggregate_count; a++) {
            if (p->plan.accumulator[a] == WR_NONE) continue;
            wr_aggregate_encode(&p->spec->aggregate[a], link->running + p->plan.accumulator[a], p->strings, out);
        }
    }
}

static void put_starts(struct wr_pattern *p, const struct wr_picture *picture, struct wr_seq_run *run, struct wr_buf *out)
{
    wr_put_uint(out, picture->start.count);
    for (size_t i = 0; i < picture->start.count; i++) {
        const struct wr_picture_start *start = &picture->start.at[i];
        wr_seq_put_id(p, &start->first, 0, run, out);
        wr_put_uint(out, start->count);
        for (uint32_t t = 0; t < start->count; t++) {
            const struct wr_picture_thread *thread = &picture->thread.at[start->thread + t];
            wr_put_uint(out, thread->link);
            wr_put_u8(out, (uint8_t)(thread->ended | thread->aged << 1));
            wr_put_uint(out, thread->position);
            for (uint32_t w = 0; w < p->plan.alive_words; w++) wr_put_uint(out, picture->alive.at[thread->alive + w]);
        }
    }
}

static void put_more(struct wr_pattern *p, const struct wr_picture *picture, struct wr_seq_run *run, struct wr_buf *out)
{
    wr_put_u8(out, picture->more.seen);
    wr_put_uint(out, picture->more.number);
    wr_put_i64(out, picture->more.given);
    WR_ASSERT(picture->lead.count == p->spec->lead_count);
    for (uint32_t i = 0; i < p->spec->lead_count; i++) wr_put_i64(out, picture->lead.at[i]);
    wr_put_uint(out, picture->more.undecided);
    wr_put_uint(out, picture->listed.count);
    for (size_t i = 0; i < picture->listed.count; i++) {
        const struct wr_picture_listed *row = &picture->listed.at[i];
        wr_seq_put_id(p, &row->id, 0, run, out);
        wr_put_uint(out, row->number);
        wr_put_u8(out, (uint8_t)(row->matched | (row->bits != NULL) << 1));
        for (uint32_t w = 0; row->bits && w < (p->spec->variable_count + 63) / 64; w++) wr_put_uint(out, row->bits[w]);
        for (uint32_t k = 0; k < p->keep.count; k++) {
            struct wr_value value = wr_layout_at(&p->keep, row->cell, k, p->strings);
            wr_put_near_value(out, &value, row->id.place.time);
        }
    }
    wr_put_uint(out, picture->held.count);
    for (size_t i = 0; i < picture->held.count; i++) {
        const struct wr_picture_held *held = &picture->held.at[i];
        wr_seq_put_id(p, &held->first, 0, run, out);
        wr_put_uint(out, held->link);
        wr_put_u8(out, held->kind);
        wr_put_uint(out, held->number);
    }
}

static uint64_t order_of(const struct wr_pattern *p, uint32_t key)
{
    return p->keys ? wr_keytable_order(p->keys, key) : 0;
}

static void encode_key(struct wr_pattern *p, uint32_t key, wr_state_entry_fn *entry, void *context)
{
    wr_buf_clear(&p->buf);
    wr_put_u8(&p->buf, 'S');
    wr_put_u8(&p->buf, SEQUENCE_VERSION);
    wr_put_uint(&p->buf, order_of(p, key));
    p->matcher->encode(p, key, &p->buf);
    entry(context, p->keys ? wr_keytable_key(p->keys, key) : WR_SLICE(""), wr_buf_slice(&p->buf));
}

static void save_key(struct wr_pattern *p, uint32_t key, wr_state_entry_fn *entry, void *context)
{
    struct wr_picture *picture = &p->picture;
    if (p->matcher->sweep(p, key)) return; /* also drops what is past its time and was not looked at since */
    if (p->matcher->encode) {
        encode_key(p, key, entry, context);
        return;
    }
    wr_picture_clear(picture);
    p->matcher->save(p, key, picture);
    if (!picture->start.count && !p->plan.more) return;
    sort_rows(picture);
    wr_buf_clear(&p->buf);
    wr_put_u8(&p->buf, 'K');
    wr_put_u8(&p->buf, STATE_VERSION);
    wr_put_uint(&p->buf, order_of(p, key));
    struct wr_seq_run run = {.source = WR_NONE};
    put_rows(p, picture, &run, &p->buf);
    put_links(p, picture, &p->buf);
    put_starts(p, picture, &run, &p->buf);
    if (p->plan.more) put_more(p, picture, &run, &p->buf);
    entry(context, p->keys ? wr_keytable_key(p->keys, key) : WR_SLICE(""), wr_buf_slice(&p->buf));
}

uint32_t wr_pattern_unit_limit(const struct wr_operator *op)
{
    const struct wr_pattern *p = (const struct wr_pattern *)op;
    if (!p->matcher->load) return 0;
    return p->keys ? wr_keytable_id_limit(p->keys) : 1;
}

void wr_pattern_save_unit(struct wr_operator *op, uint32_t unit, wr_state_entry_fn *entry, void *context)
{
    struct wr_pattern *p = (struct wr_pattern *)op;
    WR_ASSERT(p->matcher->load);
    uint64_t results = p->results;
    if (!p->keys || wr_keytable_is_live(p->keys, unit)) save_key(p, unit, entry, context);
    WR_ASSERT(p->results == results); /* saving decides nothing */
}

struct wr_slice wr_pattern_unit_key(const struct wr_operator *op, uint32_t unit)
{
    const struct wr_pattern *p = (const struct wr_pattern *)op;
    if (!p->keys) return WR_SLICE("");
    return wr_keytable_is_live(p->keys, unit) ? wr_keytable_key(p->keys, unit) : (struct wr_slice){0};
}

void wr_pattern_save_own(struct wr_operator *op, wr_state_entry_fn *entry, void *context)
{
    struct wr_pattern *p = (struct wr_pattern *)op;
    WR_ASSERT(!p->batch && !p->out.batch.rows);
    wr_buf_clear(&p->buf);
    wr_put_u8(&p->buf, 'O');
    wr_put_u8(&p->buf, OWN_VERSION);
    wr_put_uint(&p->buf, p->sequence);
    wr_place_encode(op->task, p->last_place, &p->buf);
    wr_put_uint(&p->buf, p->last_ordinal);
    wr_put_i64(&p->buf, p->now);
    entry(context, WR_SLICE(""), wr_buf_slice(&p->buf));
}

void wr_pattern_save(struct wr_operator *op, wr_state_entry_fn *entry, void *context)
{
    struct wr_pattern *p = (struct wr_pattern *)op;
    wr_pattern_save_own(op, entry, context);
    if (!p->matcher->load) return;
    if (!p->keys) {
        save_key(p, 0, entry, context);
        return;
    }
    uint32_t count = wr_keytable_count(p->keys);
    uint32_t *id = wr_alloc((count + 1) * sizeof *id);
    wr_keytable_ordered(p->keys, id);
    for (uint32_t i = 0; i < count; i++) save_key(p, id[i], entry, context);
    wr_free(id);
}

/* ---- Keys that leave memory and come back --------------------------------------------------------- */

/* The longest that a key's state waits for the next thing: after that it is looked at, and let go if nothing is left. */
static int64_t longest_wait(const struct wr_pattern *p)
{
    int64_t wait = WR_MAX(p->spec->within_us, p->spec->suppress_us);
    for (uint32_t i = 0; i < p->spec->lead_count; i++) wait = WR_MAX(wait, p->spec->lead[i].for_us);
    bool endless = p->spec->within_us < 0 || p->plan.numbers || p->plan.at_start;
    return endless || wait < 0 ? WR_TIME_MAX : wait;
}

bool wr_pattern_unit_due(const struct wr_operator *op, uint32_t unit, int64_t *wake, uint64_t *order)
{
    const struct wr_pattern *p = (const struct wr_pattern *)op;
    if (!p->keys || !p->matcher->drop || p->plan.limits.set || !wr_keytable_is_live(p->keys, unit)) return false;
    int64_t wait = longest_wait(p);
    if (__builtin_add_overflow(p->now, wait, wake)) *wake = wait == WR_TIME_MAX || p->now > 0 ? WR_TIME_MAX : p->now;
    if (wait == WR_TIME_MAX) *wake = WR_TIME_MAX;
    if (p->matcher->armed) *wake = WR_MIN(*wake, p->matcher->armed(p, unit));
    *order = wr_keytable_order(p->keys, unit);
    return true;
}

void wr_pattern_drop_unit(struct wr_operator *op, uint32_t unit)
{
    struct wr_pattern *p = (struct wr_pattern *)op;
    uint64_t results = p->results;
    p->matcher->drop(p, unit);
    wr_keytable_remove(p->keys, unit);
    WR_ASSERT(p->results == results);
}

uint32_t wr_pattern_find_unit(const struct wr_operator *op, struct wr_slice key)
{
    const struct wr_pattern *p = (const struct wr_pattern *)op;
    WR_ASSERT(p->keys);
    int32_t id = wr_keytable_find(p->keys, key, false);
    return id == WR_KEY_NONE ? WR_NONE : (uint32_t)id;
}

/* ---- Bytes to pictures ----------------------------------------------------------------------------- */

static bool get_count(struct wr_slice *in, uint64_t *count)
{
    return wr_get_uint(in, count) && *count <= in->size; /* everything counted takes a byte at least */
}

static bool get_rows(struct wr_pattern *p, struct wr_slice *in, struct wr_seq_run *run, struct wr_picture *picture)
{
    uint32_t keep = p->plan.keep_count;
    uint64_t count, variable;
    if (!get_count(in, &count)) return false;
    for (uint64_t i = 0; i < count; i++) {
        struct wr_picture_row row = {.value = (uint32_t)picture->value.count};
        if (!get_row_id(p, in, run, &row.id) || !wr_get_uint(in, &variable) || variable >= p->spec->variable_count)
            return false;
        row.variable = (uint32_t)variable;
        for (uint32_t k = 0; k < keep; k++) {
            struct wr_value value = {.cls = p->keep.cls[k], .flag = WR_FLAG_NULL};
            if (p->plan.needed[variable * keep + k] && !get_kept(p, in, run, k, row.id.place.time, &value)) return false;
            wr_vec_push(&picture->value, value);
        }
        if (i && row_order(&picture->row.at[i - 1], &row) >= 0) return false;
        wr_vec_push(&picture->row, row);
    }
    return true;
}

/* Reads past an accumulator to learn where it ends. */
static bool skip_accumulators(struct wr_pattern *p, struct wr_slice *in)
{
    for (uint32_t a = 0; a < p->spec->aggregate_count; a++) {
        if (p->plan.accumulator[a] == WR_NONE) continue;
        char *cell = wr_alloc(wr_aggregate_size(&p->spec->aggregate[a]));
        bool whole = wr_aggregate_decode(&p->spec->aggregate[a], cell, p->strings, in);
        if (whole) wr_aggregate_release(&p->spec->aggregate[a], cell, p->strings);
        wr_free(cell);
        if (!whole) return false;
    }
    return true;
}

/* A moment stands behind a row or moment, and its row is that one's. */
static bool get_moment(struct wr_pattern *p, struct wr_slice *in, struct wr_picture_link *link)
{
    uint64_t variable;
    if (!(link->flags & WR_LINK_MOMENT)) return true;
    if (p->plan.time_slot == WR_NONE || !link->previous || !wr_get_uint(in, &variable) ||
        variable >= p->spec->variable_count || !wr_get_i64(in, &link->time))
        return false;
    link->moment = (uint16_t)variable;
    return true;
}

static bool get_links(struct wr_pattern *p, struct wr_slice *in, struct wr_picture *picture)
{
    uint64_t count, previous, row, flags;
    if (!get_count(in, &count)) return false;
    for (uint64_t i = 0; i < count; i++) {
        if (!wr_get_uint(in, &previous) || previous > i || !wr_get_uint(in, &row) || row >= picture->row.count ||
            !wr_get_uint(in, &flags) || flags > (WR_LINK_MOMENT | WR_LINK_EXCLUDED))
            return false;
        struct wr_picture_link link = {.previous = (uint32_t)previous, .row = (uint32_t)row, .flags = (uint16_t)flags};
        if (!get_moment(p, in, &link)) return false;
        link.encoded = *in;
        if (previous) {
            uint64_t before = picture->row.at[picture->link.at[previous - 1].row].id.sequence;
            uint64_t now = picture->row.at[row].id.sequence;
            if (flags & WR_LINK_MOMENT ? now != before : now <= before) return false;
        }
        if (!skip_accumulators(p, in)) return false;
        wr_vec_push(&picture->link, link);
    }
    return true;
}

static bool get_thread(struct wr_pattern *p, struct wr_slice *in, struct wr_seq_run *run, struct wr_picture *picture)
{
    uint64_t link, position;
    uint8_t ended;
    if (!wr_get_uint(in, &link) || link > picture->link.count || !wr_get_u8(in, &ended) || ended > 2)
        return false;
    bool aged = ended == 2;
    ended &= 1;
    if (!wr_get_uint(in, &position) || position >= p->spec->position_count + (ended ? 1u : 0u) || (!ended && !link))
        return false;
    struct wr_picture_thread thread = {.link = (uint32_t)link, .ended = ended, .aged = aged, .position = (uint16_t)position,
                                       .alive = (uint32_t)picture->alive.count};
    uint64_t any = 0;
    for (uint32_t w = 0; w < p->plan.alive_words; w++) {
        uint64_t alive;
        if (!get_bits(in, run, &alive) || (alive & ~(ended ? 0 : p->plan.step[position].full[w]))) return false;
        any |= alive;
        wr_vec_push(&picture->alive, alive);
    }
    wr_vec_push(&picture->thread, thread);
    return ended || any;
}

static bool get_starts(struct wr_pattern *p, struct wr_slice *in, struct wr_seq_run *run, struct wr_picture *picture)
{
    uint64_t count, threads;
    if (!get_count(in, &count)) return false;
    for (uint64_t i = 0; i < count; i++) {
        struct wr_picture_start start = {.thread = (uint32_t)picture->thread.count};
        if (!get_row_id(p, in, run, &start.first) || !get_count(in, &threads) || !threads) return false;
        if (i && picture->start.at[i - 1].first.sequence >= start.first.sequence) return false;
        start.count = (uint32_t)threads;
        for (uint64_t t = 0; t < threads; t++) {
            if (!get_thread(p, in, run, picture)) return false;
            if (t + 1 < threads && wr_vec_last(&picture->thread).ended) return false;
        }
        wr_vec_push(&picture->start, start);
    }
    return true;
}

static bool get_listed(struct wr_pattern *p, struct wr_slice *in, struct wr_seq_run *run, struct wr_picture *picture)
{
    uint64_t count, word;
    uint8_t flags;
    bool waits = false;
    if (!get_count(in, &count)) return false;
    for (uint64_t i = 0; i < count; i++) {
        struct wr_picture_listed row = {.bit = WR_NONE, .value = (uint32_t)picture->value.count};
        if (!get_row_id(p, in, run, &row.id) || !wr_get_uint(in, &row.number) || !wr_get_u8(in, &flags) || flags > 3)
            return false;
        if (i && wr_vec_last(&picture->listed).number >= row.number) return false;
        row.matched = flags & 1;
        if (i && wr_vec_last(&picture->listed).id.sequence >= row.id.sequence) return false;
        if (flags & 2 ? !p->spec->next_max : waits) return false; /* those that wait are the last */
        waits |= (flags & 2) != 0;
        if (waits) row.bit = (uint32_t)picture->alive.count;
        for (uint32_t w = 0; waits && w < (p->spec->variable_count + 63) / 64; w++) {
            if (!get_bits(in, run, &word)) return false;
            wr_vec_push(&picture->alive, word);
        }
        for (uint32_t k = 0; k < p->keep.count; k++) {
            struct wr_value value = {.cls = p->keep.cls[k], .flag = WR_FLAG_NULL};
            if (!get_kept(p, in, run, k, row.id.place.time, &value)) return false;
            wr_vec_push(&picture->value, value);
        }
        wr_vec_push(&picture->listed, row);
    }
    return count == 0 || p->plan.rows;
}

static bool get_held(struct wr_pattern *p, struct wr_slice *in, struct wr_seq_run *run, struct wr_picture *picture)
{
    uint64_t count, link;
    if (!get_count(in, &count)) return false;
    for (uint64_t i = 0; i < count; i++) {
        struct wr_picture_held held = {.link = 0};
        if (!get_row_id(p, in, run, &held.first) || !wr_get_uint(in, &link) || link > picture->link.count ||
            !wr_get_u8(in, &held.kind) || held.kind >= WR_UNMATCHED_ROW || !wr_get_uint(in, &held.number))
            return false;
        held.link = (uint32_t)link;
        wr_vec_push(&picture->held, held);
    }
    return count == 0 || p->spec->out_next_max;
}

static bool get_more(struct wr_pattern *p, struct wr_slice *in, struct wr_seq_run *run, struct wr_picture *picture)
{
    uint8_t seen;
    struct wr_picture_more *more = &picture->more;
    if (!wr_get_u8(in, &seen) || seen > 1 || !wr_get_uint(in, &more->number) || !wr_get_i64(in, &more->given))
        return false;
    more->seen = seen;
    for (uint32_t i = 0; i < p->spec->lead_count; i++) {
        int64_t time;
        if (!wr_get_i64(in, &time)) return false;
        wr_vec_push(&picture->lead, time);
    }
    if (!wr_get_uint(in, &more->undecided) || !get_listed(p, in, run, picture) || !get_held(p, in, run, picture)) return false;
    bool there = !more->undecided;
    for (size_t i = 0; i < picture->listed.count; i++) there |= picture->listed.at[i].id.sequence == more->undecided;
    return there && (!more->undecided || p->spec->all_rows == WR_OUTPUT_UNMATCHED);
}

static bool load_own(struct wr_pattern *p, struct wr_slice in)
{
    uint64_t ordinal;
    if (!wr_get_uint(&in, &p->sequence) || !wr_place_decode(p->op.task, &in, &p->last_place) || !wr_get_uint(&in, &ordinal) ||
        ordinal > UINT32_MAX || !wr_get_i64(&in, &p->now))
        return false;
    p->last_ordinal = (uint32_t)ordinal;
    return in.size == 0;
}

/* What stands in front of a key's state. */
struct head {
    uint8_t kind, version;
    uint64_t order;
};

static bool get_head(struct wr_slice *in, struct head *head)
{
    if (!wr_get_u8(in, &head->kind) || !wr_get_u8(in, &head->version)) return false;
    bool sequence = head->kind == 'S' && head->version == SEQUENCE_VERSION;
    bool wide = head->kind == 'K' && head->version == WIDE_VERSION;
    if (!sequence && !wide && (head->kind != 'K' || head->version != STATE_VERSION)) return false;
    return wide ? wr_get_u64(in, &head->order) : wr_get_uint(in, &head->order);
}

static bool get_picture(struct wr_pattern *p, struct wr_slice in, const struct head *head, struct wr_picture *picture)
{
    struct wr_seq_run here = {.source = WR_NONE}, *run = head->version == WIDE_VERSION ? NULL : &here;
    wr_picture_clear(picture);
    if (head->kind == 'S') return wr_seq_picture_of(p, in, picture);
    return get_rows(p, &in, run, picture) && get_links(p, &in, picture) && get_starts(p, &in, run, picture) &&
           (!p->plan.more || get_more(p, &in, run, picture)) && !in.size;
}

bool wr_pattern_picture_of(struct wr_pattern *p, struct wr_slice value, struct wr_picture *picture, uint64_t *order)
{
    struct head head;
    if (!get_head(&value, &head) || !get_picture(p, value, &head, picture)) return false;
    *order = head.order;
    return true;
}

static bool is_own(struct wr_slice value)
{
    return value.size >= 2 && value.data[0] == 'O' && value.data[1] == OWN_VERSION;
}

bool wr_pattern_load(struct wr_operator *op, struct wr_slice key, struct wr_slice value)
{
    struct wr_pattern *p = (struct wr_pattern *)op;
    struct head head;
    if (is_own(value)) return key.size == 0 && load_own(p, wr_slice_of(value.data + 2, value.size - 2));
    if (!p->matcher->load || !get_head(&value, &head)) return false;
    bool direct = head.kind == 'S' && p->matcher->decode;
    if (!direct && !get_picture(p, value, &head, &p->picture)) return false;
    uint32_t id = 0;
    if (p->keys) {
        int32_t found = wr_keytable_find(p->keys, key, true);
        if (found == WR_KEY_NONE) return false;
        id = (uint32_t)found;
        wr_keytable_set_order(p->keys, id, head.order);
    } else if (key.size) {
        return false;
    }
    return direct ? p->matcher->decode(p, id, value) : p->matcher->load(p, id, &p->picture);
}
