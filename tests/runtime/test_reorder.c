/* The reorder buffer against a list that is sorted from scratch: random disorder, strings, NULLs,
 * several inputs, random bounds; and that no row is allocated by itself. */
#include "base/hash.h"
#include "runtime/reorder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static uint64_t random_state = 1;

static uint64_t random_below(uint64_t n) { return wr_mix64(random_state++) % n; }

enum { COLUMNS = 3 };
static const struct wr_schema_column schema_column[COLUMNS] = {{"id", {.kind = WR_KIND_BIGINT}},
                                                               {"text", {.kind = WR_KIND_STRING}},
                                                               {"flag", {.kind = WR_KIND_BOOLEAN}}};
static const struct wr_schema schema = {COLUMNS, schema_column};

/* A batch that is made row by row and owns its arrays. */
struct maker {
    struct wr_batch batch;
    struct wr_vector column[COLUMNS];
    int64_t time[WR_BATCH_ROWS], event_time[WR_BATCH_ROWS], id[WR_BATCH_ROWS];
    uint32_t source[WR_BATCH_ROWS];
    uint64_t offset[WR_BATCH_ROWS];
    struct wr_slice text[WR_BATCH_ROWS];
    char bytes[WR_BATCH_ROWS][32];
    uint64_t bits[WR_BATCH_WORDS], nulls[WR_BATCH_WORDS];
};

struct expected {
    int64_t time;
    uint32_t rank;
    uint64_t sequence;
    int64_t id;
};

struct world {
    struct wr_reorder reorder;
    struct wr_scratch scratch;
    struct expected waiting[20000];
    size_t count, seen;
    uint32_t rows_max;
    struct wr_reorder_key bound;
};

static int by_place(const void *a, const void *b)
{
    const struct expected *x = a, *y = b;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    if (x->rank != y->rank) return x->rank < y->rank ? -1 : 1;
    return (x->sequence > y->sequence) - (x->sequence < y->sequence);
}

static void make(struct maker *m, uint32_t rows, int64_t base, uint64_t spread, uint32_t source,
                 uint64_t offset, bool sorted)
{
    memset(m->nulls, 0, sizeof m->nulls);
    memset(m->bits, 0, sizeof m->bits);
    memset(m->batch.late, 0, sizeof m->batch.late);
    m->batch = (struct wr_batch){.rows = rows,
                                 .columns = COLUMNS,
                                 .column = m->column,
                                 .time = m->time,
                                 .event_time = m->event_time,
                                 .place_time = m->time,
                                 .source = m->source,
                                 .offset = m->offset,
                                 .any_late = true};
    m->column[0] = (struct wr_vector){.cls = WR_CLASS_I64, .u.i64 = m->id};
    m->column[1] = (struct wr_vector){
        .cls = WR_CLASS_STR, .flags = WR_VECTOR_NULLS, .u.str = m->text, .nulls = m->nulls};
    m->column[2] = (struct wr_vector){.cls = WR_CLASS_BOOL, .u.bits = m->bits};
    int64_t last = base;
    for (uint32_t r = 0; r < rows; r++) {
        last = sorted ? last + (int64_t)random_below(3) : base + (int64_t)random_below(spread);
        m->time[r] = last;
        m->source[r] = source;
        m->offset[r] = offset + r;
        m->id[r] = (int64_t)(source * 1000000 + offset + r);
        m->event_time[r] = m->id[r] + 5;
        int size = snprintf(m->bytes[r], sizeof m->bytes[r], "row %lld", (long long)m->id[r]);
        m->text[r] = wr_slice_of(m->bytes[r], (size_t)size);
        if (m->id[r] % 7 == 0) wr_bit_set(m->nulls, r);
        if (m->id[r] % 3 == 0) wr_bit_set(m->bits, r);
        if (m->id[r] % 11 == 0) wr_bit_set(m->batch.late, r);
    }
}

static void check_batch(void *context, const struct wr_batch *batch)
{
    struct world *w = context;
    assert_in_range(batch->rows, 1, w->rows_max);
    for (uint32_t r = 0; r < batch->rows; r++) {
        assert_true(w->seen < w->count);
        const struct expected *e = &w->waiting[w->seen++];
        int64_t id = batch->column[0].u.i64[r];
        assert_int_equal(id, e->id);
        assert_int_equal(batch->time[r], e->time);
        assert_int_equal(batch->event_time[r], id + 5);
        assert_int_equal(batch->offset[r], e->sequence);
        assert_int_equal(batch->source[r], e->rank);
        assert_int_equal(wr_vector_is_null(&batch->column[1], r), id % 7 == 0);
        assert_int_equal(wr_bit(batch->column[2].u.bits, r), id % 3 == 0);
        assert_int_equal(batch->any_late && wr_bit(batch->late, r), id % 11 == 0);
        char text[32];
        snprintf(text, sizeof text, "row %lld", (long long)id);
        if (id % 7 != 0)
            assert_true(wr_slice_equal(batch->column[1].u.str[r], wr_slice_cstr(text)));
        assert_false(wr_reorder_key_before(w->bound, (struct wr_reorder_key){e->time, e->rank}));
    }
}

/* After a release: everything due has been seen, the rest waits. */
static void settle(struct world *w)
{
    if (w->seen < w->count) {
        struct wr_reorder_key key = {w->waiting[w->seen].time, w->waiting[w->seen].rank};
        assert_true(wr_reorder_key_before(w->bound, key));
    }
    memmove(w->waiting, w->waiting + w->seen, (w->count - w->seen) * sizeof *w->waiting);
    w->count -= w->seen;
    w->seen = 0;
    assert_int_equal(w->reorder.waiting, w->count);
    wr_reorder_check(&w->reorder);
}

static void pass(struct world *w, struct maker *m, uint32_t source, bool sorted)
{
    for (uint32_t r = 0; r < m->batch.rows; r++)
        w->waiting[w->count++] = (struct expected){m->time[r], source, m->offset[r], m->id[r]};
    qsort(w->waiting, w->count, sizeof *w->waiting, by_place);
    struct wr_reorder_input in = {
        .batch = &m->batch, .rank = source, .by_offset = true, .sorted = sorted};
    wr_reorder_pass(&w->reorder, &in, w->bound, w->rows_max, &w->scratch, check_batch, w);
    settle(w);
}

/* Rows of three partitions whose time moves on; a row never comes before the bound that was
 * released. */
static void run(uint64_t seed, int64_t delay, bool sorted)
{
    static struct world w;
    static struct maker m;
    memset(&w, 0, sizeof w);
    random_state = seed * 1000003;
    wr_reorder_init(&w.reorder, &schema);
    w.rows_max =
        200 + (uint32_t)random_below(WR_BATCH_ROWS - 200); /* never less than what comes in */
    int64_t base = 0;
    uint64_t offset[4] = {0};
    w.bound = (struct wr_reorder_key){-1, 0};
    for (int step = 0; step < 60; step++) {
        uint32_t source = 1 + (uint32_t)random_below(3), rows = 1 + (uint32_t)random_below(200);
        make(&m, rows, base, (uint64_t)delay + 50, source, offset[source], sorted);
        offset[source] += rows;
        base += (int64_t)random_below(60);
        if (base - 1 > w.bound.time) w.bound = (struct wr_reorder_key){base - 1, UINT32_MAX};
        pass(&w, &m, source, sorted);
    }
    w.bound = (struct wr_reorder_key){WR_TIME_MAX, UINT32_MAX};
    wr_reorder_release(&w.reorder, w.bound, w.rows_max, &w.scratch, check_batch, &w);
    settle(&w);
    assert_int_equal(w.count, 0);
    wr_reorder_release_all(&w.reorder);
    wr_scratch_release(&w.scratch);
}

static void rows_come_out_in_order_of_place_whatever_their_disorder(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 60; seed++)
        run(seed, (int64_t)(seed * 37 % 500), seed % 3 == 0);
}

static void a_batch_in_order_that_may_go_is_not_copied(void **state)
{
    (void)state;
    static struct world w;
    static struct maker m;
    memset(&w, 0, sizeof w);
    random_state = 99;
    wr_reorder_init(&w.reorder, &schema);
    w.rows_max = WR_BATCH_ROWS;
    make(&m, 1000, 0, 1, 1, 0, true);
    w.bound = (struct wr_reorder_key){m.time[999], 1};
    pass(&w, &m, 1, true);
    assert_int_equal(w.reorder.chunk.count, 0);
    wr_reorder_release_all(&w.reorder);
    wr_scratch_release(&w.scratch);
}

static void rows_are_not_allocated_one_by_one(void **state)
{
    (void)state;
    static struct world w;
    static struct maker m;
    memset(&w, 0, sizeof w);
    random_state = 7;
    wr_reorder_init(&w.reorder, &schema);
    w.rows_max = WR_BATCH_ROWS;
    uint64_t before = 0;
    for (int step = 0; step < 400; step++) {
        make(&m, 500, step * 100, 700, 1, (uint64_t)step * 500, false);
        w.bound = (struct wr_reorder_key){step * 100 - 1, UINT32_MAX};
        if (step == 200) before = wr_alloc_count();
        pass(&w, &m, 1, false);
    }
    /* 100,000 rows on: no more than what a new record of disorder takes (a further run, a longer
     * one). */
    assert_in_range(wr_alloc_count() - before, 0, 16);
    wr_reorder_release_all(&w.reorder);
    wr_scratch_release(&w.scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_come_out_in_order_of_place_whatever_their_disorder),
        cmocka_unit_test(a_batch_in_order_that_may_go_is_not_copied),
        cmocka_unit_test(rows_are_not_allocated_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
