/* The key table: ids, order, removal, growth, batches against a list that is searched from its start, and the
 * strings and slabs below it. */
#include "base/alloc.h"
#include "base/hash.h"
#include "base/simd.h"
#include "runtime/keytable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static uint64_t random_state = 1;

static uint64_t random_below(uint64_t n)
{
    return wr_mix64(random_state++) % n;
}

struct column_data {
    uint64_t bits[WR_BATCH_WORDS], nulls[WR_BATCH_WORDS];
    int64_t i64[WR_BATCH_ROWS];
    double f64[WR_BATCH_ROWS];
    wr_i128 dec[WR_BATCH_ROWS];
    struct wr_slice str[WR_BATCH_ROWS];
    char text[WR_BATCH_ROWS][64];
};

static void use_column(struct wr_vector *v, struct column_data *d, enum wr_class cls)
{
    *v = (struct wr_vector){.cls = (uint8_t)cls, .nulls = d->nulls};
    void *data[] = {d->bits, d->i64, d->f64, d->dec, d->str};
    v->u.data = data[cls];
}

/* Fills a column with values of a small range, so that keys come again. */
static void fill(struct wr_vector *v, struct column_data *d, enum wr_class cls, uint32_t rows, uint64_t range, bool nulls)
{
    use_column(v, d, cls);
    memset(d->nulls, 0, sizeof d->nulls);
    memset(d->bits, 0, sizeof d->bits);
    v->flags = nulls ? WR_VECTOR_NULLS : 0;
    for (uint32_t r = 0; r < rows; r++) {
        uint64_t x = random_below(range);
        if (x & 1) wr_bit_set(d->bits, r);
        d->i64[r] = (int64_t)(x * 0x123456789abcdefu);
        d->f64[r] = x == 0 ? (random_below(2) ? 0.0 : -0.0) : (double)x / 4;
        d->dec[r] = (wr_i128)x << 70;
        int size = snprintf(d->text[r], sizeof d->text[r], "%0*d", (int)(x % 29) + 1, (int)x);
        d->str[r] = wr_slice_of(d->text[r], x == 1 ? 0 : (size_t)size);
        if (nulls && random_below(8) == 0) wr_bit_set(d->nulls, r);
    }
}

/* ---- The model: encoded keys in a list ---- */
struct model {
    struct wr_slice *key; /* data NULL: removed */
    uint64_t *order;
    uint32_t count, live;
    uint64_t next_order;
};

static int32_t model_find(const struct model *m, struct wr_slice key)
{
    for (uint32_t i = 0; i < m->count; i++)
        if (m->key[i].data && wr_slice_equal(m->key[i], key)) return (int32_t)i;
    return WR_KEY_NONE;
}

static void model_put(struct model *m, uint32_t id, struct wr_slice key)
{
    if (id >= m->count) {
        assert_int_equal(id, m->count); /* dense */
        m->count++;
        m->key = wr_realloc(m->key, m->count * sizeof *m->key);
        m->order = wr_realloc(m->order, m->count * sizeof *m->order);
    } else {
        assert_null(m->key[id].data);
    }
    char *copy = wr_alloc(key.size);
    if (key.size) memcpy(copy, key.data, key.size);
    m->key[id] = wr_slice_of(copy, key.size);
    m->order[id] = m->next_order++;
    m->live++;
}

static void model_remove(struct model *m, uint32_t id)
{
    wr_free((char *)(uintptr_t)m->key[id].data);
    m->key[id] = (struct wr_slice){0};
    m->live--;
}

static void model_release(struct model *m)
{
    for (uint32_t i = 0; i < m->count; i++) wr_free((char *)(uintptr_t)m->key[i].data);
    wr_free(m->key);
    wr_free(m->order);
}

static void compare_values(const struct wr_keytable *t, int32_t id, const struct wr_batch *batch, uint32_t row,
                           uint32_t columns)
{
    for (uint32_t c = 0; c < columns; c++) {
        const struct wr_vector *v = &batch->column[c];
        struct wr_value value = wr_keytable_value(t, (uint32_t)id, c);
        assert_int_equal(value.cls, v->cls);
        assert_int_equal(value.flag, wr_vector_is_null(v, row) ? WR_FLAG_NULL : WR_FLAG_VALUE);
        if (value.flag) continue;
        switch ((enum wr_class)v->cls) {
        case WR_CLASS_BOOL: assert_int_equal(value.u.boolean, wr_bit(v->u.bits, row)); break;
        case WR_CLASS_I64: assert_true(value.u.i64 == v->u.i64[row]); break;
        case WR_CLASS_F64: assert_true(value.u.f64 == v->u.f64[row]); break;
        case WR_CLASS_DEC: assert_true(value.u.dec == v->u.dec[row]); break;
        case WR_CLASS_STR: assert_true(wr_slice_equal(value.u.str, v->u.str[row])); break;
        case WR_CLASS_COUNT: break;
        }
    }
}

static void run_against_model(uint32_t columns, const enum wr_class *cls, uint64_t range, bool nulls)
{
    static const enum wr_kind kind[] = {WR_KIND_BOOLEAN, WR_KIND_BIGINT, WR_KIND_DOUBLE, WR_KIND_DECIMAL, WR_KIND_STRING};
    static struct column_data data[3];
    struct wr_type type[3];
    for (uint32_t c = 0; c < columns; c++)
        type[c] = cls[c] == WR_CLASS_DEC ? wr_type_decimal(38, 2) : wr_type_of(kind[cls[c]]);
    struct wr_keytable *t = wr_keytable_new(type, columns, random_below(1000));
    struct model m = {0};
    struct wr_buf buf = {0};
    for (int round = 0; round < 30; round++) {
        struct wr_vector vector[3];
        struct wr_batch batch = {.rows = (uint32_t)random_below(WR_BATCH_ROWS + 1), .columns = columns, .column = vector};
        static const uint32_t column[] = {0, 1, 2};
        uint64_t select[WR_BATCH_WORDS], insert[WR_BATCH_WORDS];
        int32_t id[WR_BATCH_ROWS];
        for (uint32_t c = 0; c < columns; c++) fill(&vector[c], &data[c], cls[c], batch.rows, range, nulls);
        for (uint32_t w = 0; w < WR_BATCH_WORDS; w++) {
            select[w] = round % 3 ? ~(uint64_t)0 : wr_mix64(random_state++);
            insert[w] = round % 4 ? ~(uint64_t)0 : wr_mix64(random_state++);
        }
        for (uint32_t r = 0; r < WR_BATCH_ROWS; r++) id[r] = -77;
        wr_keytable_lookup(t, &batch, column, select, insert, id);
        for (uint32_t r = 0; r < WR_BATCH_ROWS; r++) {
            if (r >= batch.rows || !wr_bit(select, r)) {
                assert_int_equal(id[r], -77);
                continue;
            }
            wr_buf_clear(&buf);
            wr_key_encode(&batch, r, column, columns, &buf);
            int32_t have = model_find(&m, wr_buf_slice(&buf));
            if (have == WR_KEY_NONE && wr_bit(insert, r)) {
                assert_true(id[r] >= 0);
                model_put(&m, (uint32_t)id[r], wr_buf_slice(&buf));
                have = id[r];
            }
            assert_int_equal(id[r], have);
            if (have < 0) continue;
            assert_true(wr_slice_equal(wr_keytable_key(t, (uint32_t)have), wr_buf_slice(&buf)));
            compare_values(t, have, &batch, r, columns);
        }
        for (uint32_t i = 0; i < m.count; i++)
            if (m.key[i].data && random_below(3) == 0) {
                wr_keytable_remove(t, i);
                model_remove(&m, i);
            }
        wr_keytable_check(t);
        assert_int_equal(wr_keytable_count(t), m.live);
        uint32_t ordered[2048];
        assert_true(m.live <= WR_COUNT(ordered));
        wr_keytable_ordered(t, ordered);
        for (uint32_t i = 0; i < m.live; i++) {
            assert_true(wr_keytable_order(t, ordered[i]) == m.order[ordered[i]]);
            if (i) assert_true(m.order[ordered[i - 1]] < m.order[ordered[i]]);
        }
    }
    wr_buf_release(&buf);
    model_release(&m);
    wr_keytable_free(t);
}

static void batches_give_the_ids_that_a_list_gives(void **state)
{
    WR_UNUSED(state);
    for (int cls = 0; cls < WR_CLASS_COUNT; cls++) {
        enum wr_class one[] = {(enum wr_class)cls, WR_CLASS_STR, WR_CLASS_I64};
        for (uint32_t columns = 0; columns <= 3; columns++) {
            run_against_model(columns, one, 300, false);
            run_against_model(columns, one, 12, true);
        }
    }
}

static void zeros_are_one_key_and_so_are_nans(void **state)
{
    WR_UNUSED(state);
    struct wr_type type = wr_type_of(WR_KIND_DOUBLE);
    struct wr_keytable *t = wr_keytable_new(&type, 1, 7);
    uint64_t other_nan = 0xfff0000000000001u, all = UINT64_MAX;
    double value[5] = {0.0, -0.0, __builtin_nan(""), 0, 1};
    memcpy(&value[3], &other_nan, 8);
    struct wr_vector v = {.cls = WR_CLASS_F64, .u.f64 = value};
    struct wr_batch batch = {.rows = 5, .columns = 1, .column = &v};
    uint32_t column = 0;
    int32_t id[5];
    wr_keytable_lookup(t, &batch, &column, &all, &all, id);
    int32_t expected[5] = {0, 0, 1, 1, 2};
    assert_memory_equal(id, expected, sizeof id);
    wr_keytable_free(t);
}

static void order_numbers_are_put_back_by_load(void **state)
{
    WR_UNUSED(state);
    struct wr_type type = wr_type_of(WR_KIND_BOOLEAN);
    struct wr_keytable *t = wr_keytable_new(&type, 1, 7);
    int32_t a = wr_keytable_find(t, wr_slice_of("\0", 1), true), b = wr_keytable_find(t, wr_slice_of("\1\0", 2), true);
    wr_keytable_set_order(t, (uint32_t)a, 90);
    wr_keytable_set_order(t, (uint32_t)b, 12);
    int32_t c = wr_keytable_find(t, wr_slice_of("\1\1", 2), true);
    assert_true(wr_keytable_order(t, (uint32_t)c) == 91);
    uint32_t ordered[3];
    wr_keytable_ordered(t, ordered);
    assert_int_equal(ordered[0], b);
    assert_int_equal(ordered[1], a);
    assert_int_equal(ordered[2], c);
    wr_keytable_clear(t);
    assert_int_equal(wr_keytable_count(t), 0);
    assert_int_equal(wr_keytable_find(t, wr_slice_of("\1\1", 2), false), WR_KEY_NONE);
    wr_keytable_free(t);
}

static void a_million_keys_stay_small_and_found(void **state)
{
    WR_UNUSED(state);
    struct wr_type type = wr_type_of(WR_KIND_STRING);
    struct wr_keytable *t = wr_keytable_new(&type, 1, 42);
    uint64_t most = 0;
    char key[16] = {1, 8};
    for (uint32_t i = 0; i < 1000000; i++) {
        snprintf(key + 2, 9, "c%07u", i);
        assert_int_equal(wr_keytable_find(t, wr_slice_of(key, 10), true), (int32_t)i);
        if (i % 4096 == 0 && i > 100000) {
            uint64_t each = (wr_keytable_bytes(t) - 200000) / i;
            most = WR_MAX(most, each);
        }
        if (i % 100003 == 0) wr_keytable_check(t);
    }
    assert_true(wr_keytable_bytes(t) < 45u * 1000000u);
    assert_true(most < 60);
    for (uint32_t i = 0; i < 1000000; i++) {
        snprintf(key + 2, 9, "c%07u", i);
        assert_int_equal(wr_keytable_find(t, wr_slice_of(key, 10), false), (int32_t)i);
    }
    for (uint32_t i = 0; i < 1000000; i += 2) wr_keytable_remove(t, i);
    wr_keytable_check(t);
    wr_keytable_free(t);
}

static void coming_and_going_keys_allocate_nothing(void **state)
{
    WR_UNUSED(state);
    struct wr_type type = wr_type_of(WR_KIND_STRING);
    struct wr_keytable *t = wr_keytable_new(&type, 1, 42);
    static struct column_data d;
    struct wr_vector v;
    struct wr_batch batch = {.rows = WR_BATCH_ROWS, .columns = 1, .column = &v};
    uint64_t all[WR_BATCH_WORDS];
    memset(all, 0xff, sizeof all);
    int32_t id[WR_BATCH_ROWS];
    uint32_t column = 0;
    uint64_t before = 0;
    for (int round = 0; round < 200; round++) {
        if (round == 20) before = wr_alloc_count();
        fill(&v, &d, WR_CLASS_STR, batch.rows, 600, false);
        wr_keytable_lookup(t, &batch, &column, all, all, id);
        for (uint32_t r = 0; r < batch.rows; r++)
            if (round >= 20 && random_below(2) && wr_keytable_is_live(t, (uint32_t)id[r]))
                wr_keytable_remove(t, (uint32_t)id[r]);
    }
    assert_int_equal(wr_alloc_count() - before, 0);
    wr_keytable_check(t);
    wr_keytable_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(batches_give_the_ids_that_a_list_gives),
        cmocka_unit_test(zeros_are_one_key_and_so_are_nans),
        cmocka_unit_test(order_numbers_are_put_back_by_load),
        cmocka_unit_test(a_million_keys_stay_small_and_found),
        cmocka_unit_test(coming_and_going_keys_allocate_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
