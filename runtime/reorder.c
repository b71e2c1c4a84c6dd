/* The reorder buffer: runs in patience order over chunks of copied rows. */
#include "runtime/reorder.h"

#include <stdlib.h>

void wr_reorder_init(struct wr_reorder *reorder, const struct wr_schema *schema)
{
    *reorder = (struct wr_reorder){.schema = *schema, .filling = WR_NONE};
}

void wr_reorder_release_all(struct wr_reorder *reorder)
{
    for (size_t i = 0; i < reorder->chunk.count; i++) wr_chunk_free(reorder->chunk.at[i]);
    for (size_t i = 0; i < reorder->run.count; i++) wr_vec_release(&reorder->run.at[i].entry);
    wr_vec_release(&reorder->chunk);
    wr_vec_release(&reorder->free);
    wr_vec_release(&reorder->run);
    wr_vec_release(&reorder->merged);
    wr_vec_release(&reorder->spare);
    wr_vec_release(&reorder->ends);
    wr_vec_release(&reorder->freeze);
    wr_vec_release(&reorder->held);
    wr_reorder_init(reorder, &reorder->schema);
}

void wr_reorder_clear(struct wr_reorder *reorder)
{
    wr_vec_clear(&reorder->free);
    for (size_t i = 0; i < reorder->chunk.count; i++) {
        wr_chunk_clear(reorder->chunk.at[i]);
        wr_vec_push(&reorder->free, (uint32_t)i);
    }
    for (size_t i = 0; i < reorder->run.count; i++) {
        wr_vec_clear(&reorder->run.at[i].entry);
        reorder->run.at[i].head = 0;
    }
    reorder->frozen = false;
    wr_vec_clear(&reorder->held);
    wr_vec_clear(&reorder->freeze);
    reorder->run_count = 0;
    reorder->filling = WR_NONE;
    reorder->waiting = 0;
}

static bool before(const struct wr_reorder_entry *a, const struct wr_reorder_entry *b)
{
    if (a->time != b->time) return a->time < b->time;
    if (a->rank != b->rank) return a->rank < b->rank;
    return a->sequence < b->sequence;
}

/* ---- Taking rows in -----------------------------------------------------------------------------
 */

static uint32_t filling_chunk(struct wr_reorder *reorder)
{
    if (reorder->filling != WR_NONE &&
        reorder->chunk.at[reorder->filling]->batch.rows < WR_BATCH_ROWS)
        return reorder->filling;
    if (reorder->free.count) {
        reorder->filling = wr_vec_pop(&reorder->free);
    } else {
        WR_ASSERT(reorder->chunk.count < UINT32_MAX / WR_BATCH_ROWS);
        wr_vec_reserve(&reorder->free, reorder->chunk.count + 1);
        wr_vec_push(&reorder->chunk, NULL);
        struct wr_chunk *fresh = wr_vec_last(&reorder->chunk) = wr_alloc_zero(sizeof *fresh);
        wr_chunk_init(fresh, &reorder->schema);
        reorder->filling = (uint32_t)reorder->chunk.count - 1;
    }
    return reorder->filling;
}

/* The first run whose last entry stands before e, else a new one. Last entries descend, so that is
 * a binary search; rows in order are always taken by the first run. */
static struct wr_reorder_run *run_for(struct wr_reorder *reorder, const struct wr_reorder_entry *e)
{
    size_t low = 0, high = reorder->run_count;
    if (high && before(&wr_vec_last(&reorder->run.at[0].entry), e)) return &reorder->run.at[0];
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (before(&wr_vec_last(&reorder->run.at[middle].entry), e))
            high = middle;
        else
            low = middle + 1;
    }
    if (low == reorder->run_count) {
        if (reorder->run_count == reorder->run.count)
            wr_vec_push(&reorder->run, (struct wr_reorder_run){.head = 0});
        reorder->run_count++;
    }
    return &reorder->run.at[low];
}

/* Gives `count` rows that lie in one chunk from row `first` on their places in the runs. */
static void enter(struct wr_reorder *reorder, uint32_t chunk, uint32_t first, uint32_t count,
                  const struct wr_reorder_input *in, uint32_t start)
{
    const struct wr_chunk *k = reorder->chunk.at[chunk];
    WR_ASSERT(first + count <= k->batch.rows);
    struct wr_reorder_run *run = NULL;
    bool in_first = false; /* sorted rows stay in the first run once it has taken one of them */
    for (uint32_t i = 0; i < count; i++) {
        uint32_t row = first + i;
        struct wr_reorder_entry e = {
            k->time[row], in->by_offset ? k->offset[row] : in->first_sequence + start + i, in->rank,
            chunk * WR_BATCH_ROWS + row};
        if (!in_first) run = run_for(reorder, &e);
        in_first = in->sorted && run == &reorder->run.at[0];
        wr_vec_push(&run->entry, e);
    }
}

void wr_reorder_push(struct wr_reorder *reorder, const struct wr_reorder_input *in, uint32_t start,
                     uint32_t count)
{
    WR_ASSERT(start + count <= in->batch->rows);
    reorder->waiting += count;
    if (reorder->waiting > reorder->waiting_max) reorder->waiting_max = reorder->waiting;
    while (count) {
        uint32_t chunk = filling_chunk(reorder);
        struct wr_chunk *k = reorder->chunk.at[chunk];
        uint32_t at = k->batch.rows, n = WR_MIN(count, WR_BATCH_ROWS - at);
        wr_chunk_append(k, in->batch, start, n);
        enter(reorder, chunk, at, n, in, start);
        start += n;
        count -= n;
    }
}

bool wr_reorder_is_before(const struct wr_reorder *reorder, struct wr_reorder_key key)
{
    if (!reorder->waiting) return true;
    WR_ASSERT(reorder->run_count > 0);
    const struct wr_reorder_entry *last = &wr_vec_last(&reorder->run.at[0].entry);
    return !wr_reorder_key_before(key, (struct wr_reorder_key){last->time, last->rank});
}

/* ---- Giving rows out ----------------------------------------------------------------------------
 */

/* How many entries of the run, from its head on, are at or before the bound. */
static size_t due(const struct wr_reorder_run *run, struct wr_reorder_key bound)
{
    size_t low = run->head, high = run->entry.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        const struct wr_reorder_entry *e = &run->entry.at[middle];
        if (wr_reorder_key_before(bound, (struct wr_reorder_key){e->time, e->rank}))
            high = middle;
        else
            low = middle + 1;
    }
    return low - run->head;
}

static void merge(const struct wr_reorder_entry *a, size_t a_count,
                  const struct wr_reorder_entry *b, size_t b_count, struct wr_reorder_entry *out)
{
    size_t i = 0, j = 0;
    while (i < a_count && j < b_count) *out++ = before(&b[j], &a[i]) ? b[j++] : a[i++];
    if (i < a_count) memcpy(out, a + i, (a_count - i) * sizeof *out);
    if (j < b_count) memcpy(out, b + j, (b_count - j) * sizeof *out);
}

/* Takes what is due out of run number r and appends it to merged. */
static void take(struct wr_reorder *reorder, size_t r, size_t count)
{
    struct wr_reorder_run *run = &reorder->run.at[r];
    WR_ASSERT(run->head + count <= run->entry.count);
    wr_vec_reserve(&reorder->merged, reorder->merged.count + count);
    memcpy(reorder->merged.at + reorder->merged.count, run->entry.at + run->head,
           count * sizeof *run->entry.at);
    reorder->merged.count += count;
    run->head += count;
    if (run->head == run->entry.count) {
        wr_vec_clear(&run->entry);
        run->head = 0;
    } else if (run->head > run->entry.count / 2 && run->head > 1024) {
        run->entry.count -= run->head;
        memmove(run->entry.at, run->entry.at + run->head, run->entry.count * sizeof *run->entry.at);
        run->head = 0;
    }
}

/* Removes runs that have become empty; the others keep their order, the memory stays behind them.
 */
static void close_up(struct wr_reorder *reorder)
{
    size_t kept = 0;
    for (size_t r = 0; r < reorder->run_count; r++) {
        if (!reorder->run.at[r].entry.count) continue;
        struct wr_reorder_run other = reorder->run.at[kept];
        reorder->run.at[kept] = reorder->run.at[r];
        reorder->run.at[r] = other;
        kept++;
    }
    WR_ASSERT(kept <= reorder->run_count);
    reorder->run_count = kept;
}

/* merged becomes everything that is due, in order: sorted stretches merged two by two. */
static void collect(struct wr_reorder *reorder, struct wr_reorder_key bound)
{
    wr_vec_clear(&reorder->merged);
    wr_vec_clear(&reorder->ends);
    size_t runs = 0;
    for (size_t r = 0; r < reorder->run_count; r++) {
        size_t count = due(&reorder->run.at[r], bound);
        if (!count) continue;
        take(reorder, r, count);
        if (++runs > 1 || reorder->run_count > 1)
            wr_vec_push(&reorder->ends, reorder->merged.count);
    }
    close_up(reorder);
    for (size_t *end = reorder->ends.at; runs > 1; runs = (runs + 1) / 2) {
        wr_vec_reserve(&reorder->spare, reorder->merged.count);
        size_t from = 0;
        for (size_t i = 0; i < runs; i += 2) {
            size_t middle = end[i], to = i + 1 < runs ? end[i + 1] : middle;
            merge(reorder->merged.at + from, middle - from, reorder->merged.at + middle,
                  to - middle, reorder->spare.at + from);
            from = end[i / 2] = to;
        }
        struct wr_reorder_entry *swap = reorder->merged.at;
        size_t capacity = reorder->merged.capacity;
        reorder->merged.at = reorder->spare.at;
        reorder->merged.capacity = reorder->spare.capacity;
        reorder->spare.at = swap;
        reorder->spare.capacity = capacity;
    }
}

/* Length of the stretch from entry i on that lies in one chunk, row after row. */
static uint32_t stretch(const struct wr_reorder_entry *entry, size_t i, size_t count,
                        uint32_t rows_max)
{
    uint32_t n = 1;
    while (n < rows_max && i + n < count && entry[i + n].at == entry[i].at + n &&
           entry[i + n].at % WR_BATCH_ROWS)
        n++;
    return n;
}

static void give_back(struct wr_reorder *reorder, const struct wr_reorder_entry *entry,
                      size_t count)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t chunk = entry[i].at / WR_BATCH_ROWS;
        struct wr_chunk *k = reorder->chunk.at[chunk];
        WR_ASSERT(k->live > 0);
        if (--k->live) continue;
        if (reorder->frozen) { /* its rows may still have to be saved */
            if (chunk == reorder->filling) reorder->filling = WR_NONE;
            wr_vec_push(&reorder->held, chunk);
            continue;
        }
        wr_chunk_clear(k);
        if (chunk == reorder->filling) continue;
        wr_vec_push(&reorder->free, chunk);
    }
}

void wr_reorder_release(struct wr_reorder *reorder, struct wr_reorder_key bound, uint32_t rows_max,
                        struct wr_scratch *scratch, wr_reorder_emit_fn *emit, void *context)
{
    enum { WORTH_A_SLICE = 64 };
    if (!reorder->waiting) return;
    collect(reorder, bound);
    const struct wr_reorder_entry *entry = reorder->merged.at;
    size_t count = reorder->merged.count;
    reorder->waiting -= count;
    for (size_t i = 0; i < count;) {
        struct wr_scratch_mark mark = wr_scratch_mark(scratch);
        struct wr_batch out;
        uint32_t n = stretch(entry, i, count, rows_max);
        if (n >= WORTH_A_SLICE || i + n == count || n == rows_max) {
            wr_batch_slice(scratch, &reorder->chunk.at[entry[i].at / WR_BATCH_ROWS]->batch,
                           entry[i].at % WR_BATCH_ROWS, n, &out);
        } else {
            while (i + n < count && n < rows_max) {
                uint32_t more = stretch(entry, i + n, count, rows_max - n);
                if (more >= WORTH_A_SLICE) break;
                n += more;
            }
            wr_chunk_gather(scratch, reorder->chunk.at, entry + i, n, &out);
        }
        emit(context, &out);
        wr_scratch_reset(scratch, mark);
        i += n;
    }
    give_back(reorder, entry, count);
}

/* How many rows of a sorted input, from its first on, are at or before the bound. */
static uint32_t due_rows(const struct wr_reorder_input *in, struct wr_reorder_key bound)
{
    const struct wr_batch *batch = in->batch;
    uint32_t low = 0, high = batch->rows;
    if (!wr_reorder_key_before(bound, (struct wr_reorder_key){batch->time[high - 1], in->rank}))
        return high;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (wr_reorder_key_before(bound, (struct wr_reorder_key){batch->time[middle], in->rank}))
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

void wr_reorder_pass(struct wr_reorder *reorder, const struct wr_reorder_input *in,
                     struct wr_reorder_key bound, uint32_t rows_max, struct wr_scratch *scratch,
                     wr_reorder_emit_fn *emit, void *context)
{
    const struct wr_batch *batch = in->batch;
    uint32_t rows = batch->rows, at_once = 0;
    if (rows && in->sorted &&
        wr_reorder_is_before(reorder, (struct wr_reorder_key){batch->time[0], in->rank})) {
        wr_reorder_release(reorder, bound, rows_max, scratch, emit, context);
        if (reorder->waiting == 0) at_once = due_rows(in, bound);
    }
    if (at_once == rows && rows) {
        emit(context, batch);
        return;
    }
    if (at_once) {
        struct wr_scratch_mark mark = wr_scratch_mark(scratch);
        struct wr_batch part;
        wr_batch_slice(scratch, batch, 0, at_once, &part);
        emit(context, &part);
        wr_scratch_reset(scratch, mark);
    }
    if (rows) wr_reorder_push(reorder, in, at_once, rows - at_once);
    if (!at_once) wr_reorder_release(reorder, bound, rows_max, scratch, emit, context);
}

/* ---- Looking at what waits ----------------------------------------------------------------------
 */

static int compare(const void *a, const void *b)
{
    const struct wr_reorder_entry *x = a, *y = b;
    return before(x, y) ? -1 : before(y, x);
}

void wr_reorder_visit(struct wr_reorder *reorder,
                      void (*visit)(void *context, const struct wr_reorder_entry *entry,
                                    const struct wr_batch *batch, uint32_t row),
                      void *context)
{
    wr_vec_clear(&reorder->merged);
    for (size_t r = 0; r < reorder->run_count; r++) {
        const struct wr_reorder_run *run = &reorder->run.at[r];
        for (size_t i = run->head; i < run->entry.count; i++)
            wr_vec_push(&reorder->merged, run->entry.at[i]);
    }
    WR_ASSERT(reorder->merged.count == reorder->waiting);
    if (reorder->waiting)
        qsort(reorder->merged.at, reorder->merged.count, sizeof *reorder->merged.at, compare);
    for (size_t i = 0; i < reorder->merged.count; i++) {
        const struct wr_reorder_entry *e = &reorder->merged.at[i];
        visit(context, e, &reorder->chunk.at[e->at / WR_BATCH_ROWS]->batch, e->at % WR_BATCH_ROWS);
    }
}

void wr_reorder_freeze(struct wr_reorder *reorder)
{
    WR_ASSERT(!reorder->frozen && !reorder->held.count);
    wr_vec_clear(&reorder->freeze);
    wr_vec_reserve(&reorder->freeze, reorder->waiting);
    for (size_t r = 0; r < reorder->run_count; r++) {
        const struct wr_reorder_run *run = &reorder->run.at[r];
        size_t count = run->entry.count - run->head;
        memcpy(reorder->freeze.at + reorder->freeze.count, run->entry.at + run->head, count * sizeof *run->entry.at);
        reorder->freeze.count += count;
    }
    WR_ASSERT(reorder->freeze.count == reorder->waiting);
    reorder->saved = 0;
    reorder->frozen = true;
}

/* Chunks that became empty meanwhile may be used again. */
static void thaw(struct wr_reorder *reorder)
{
    for (size_t i = 0; i < reorder->held.count; i++) {
        wr_chunk_clear(reorder->chunk.at[reorder->held.at[i]]);
        wr_vec_push(&reorder->free, reorder->held.at[i]);
    }
    wr_vec_clear(&reorder->held);
    wr_vec_clear(&reorder->freeze);
    reorder->frozen = false;
}

bool wr_reorder_visit_frozen(struct wr_reorder *reorder, uint32_t count, wr_reorder_visit_fn *visit, void *context)
{
    WR_ASSERT(reorder->frozen);
    for (; count && reorder->saved < reorder->freeze.count; count--) {
        const struct wr_reorder_entry *e = &reorder->freeze.at[reorder->saved++];
        visit(context, e, &reorder->chunk.at[e->at / WR_BATCH_ROWS]->batch, e->at % WR_BATCH_ROWS);
    }
    if (reorder->saved < reorder->freeze.count) return true;
    thaw(reorder);
    return false;
}

uint32_t wr_reorder_row_bytes(const struct wr_schema *schema)
{
    size_t row = 2 * sizeof(int64_t) + sizeof(uint32_t) + sizeof(uint64_t) +
                 sizeof(struct wr_reorder_entry);
    for (uint32_t c = 0; c < schema->count; c++) {
        enum wr_class cls = wr_type_class(schema->column[c].type);
        row += cls == WR_CLASS_STR ? sizeof(struct wr_slice) : wr_class_size(cls);
    }
    return (uint32_t)row;
}

uint64_t wr_reorder_bytes(const struct wr_reorder *reorder)
{
    uint64_t row = wr_reorder_row_bytes(&reorder->schema), bytes = 0;
    for (size_t i = 0; i < reorder->chunk.count; i++)
        bytes += row * WR_BATCH_ROWS + reorder->chunk.at[i]->strings.used;
    return bytes;
}

void wr_reorder_check(const struct wr_reorder *reorder)
{
    uint64_t waiting = 0, live = 0;
    for (size_t r = 0; r < reorder->run_count; r++) {
        const struct wr_reorder_run *run = &reorder->run.at[r];
        WR_ASSERT(run->head < run->entry.count);
        for (size_t i = run->head + 1; i < run->entry.count; i++)
            WR_ASSERT(!before(&run->entry.at[i], &run->entry.at[i - 1]));
        if (r)
            WR_ASSERT(
                !before(&wr_vec_last(&reorder->run.at[r - 1].entry), &wr_vec_last(&run->entry)));
        waiting += run->entry.count - run->head;
    }
    for (size_t i = 0; i < reorder->chunk.count; i++) live += reorder->chunk.at[i]->live;
    WR_ASSERT(waiting == reorder->waiting && live == waiting);
}
