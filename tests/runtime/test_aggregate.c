/* Accumulators: each function's rules by example, then random rows compared with a computation over all of them, also
 * split into parts that are merged, copied, and written and read back. */
#include "base/alloc.h"
#include "base/hash.h"
#include "runtime/aggregate.h"
#include "vm/text.h"

#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static uint64_t random_state = 1;

static int64_t random_below(int64_t n)
{
    return (int64_t)(wr_mix64(random_state++) % (uint64_t)n);
}

static struct wr_strings *strings;
static struct wr_arena arena;

static struct wr_value of_i64(int64_t v) { return (struct wr_value){.cls = WR_CLASS_I64, .u.i64 = v}; }
static struct wr_value of_f64(double v) { return (struct wr_value){.cls = WR_CLASS_F64, .u.f64 = v}; }
static struct wr_value of_dec(wr_i128 v) { return (struct wr_value){.cls = WR_CLASS_DEC, .u.dec = v}; }
static struct wr_value of_str(const char *v) { return (struct wr_value){.cls = WR_CLASS_STR, .u.str = wr_slice_cstr(v)}; }
static struct wr_value null_of(enum wr_class cls) { return (struct wr_value){.cls = (uint8_t)cls, .flag = WR_FLAG_NULL}; }

static struct wr_aggregate aggregate_of(enum wr_aggregate_fn fn, struct wr_type argument, struct wr_type type)
{
    return (struct wr_aggregate){.fn = (uint8_t)fn, .column2 = WR_NONE, .filter = WR_NONE, .argument = argument, .type = type};
}

/* The result as text. */
static const char *text_of(const struct wr_aggregate *a, const void *cell)
{
    static struct wr_buf text;
    struct wr_value v = wr_aggregate_result(a, cell, strings, &arena);
    wr_buf_clear(&text);
    if (v.flag == WR_FLAG_ERROR) wr_buf_printf(&text, "error %d", v.reason);
    else wr_value_print(a->type, &v, &text);
    return wr_buf_cstr(&text);
}

static void expect(const struct wr_aggregate *a, const struct wr_value *v, size_t n, const char *text)
{
    uint64_t cell[16];
    assert_true(wr_aggregate_size(a) <= sizeof cell && wr_aggregate_size(a) % 8 == 0);
    wr_aggregate_init(a, cell);
    for (size_t i = 0; i < n; i++) wr_aggregate_add(a, cell, &v[i], NULL, strings);
    assert_string_equal(text_of(a, cell), text);
    wr_aggregate_release(a, cell, strings);
}
#define EXPECT(a, text, ...)                                                                     \
    expect(a, (const struct wr_value[]){__VA_ARGS__},                                            \
           sizeof((const struct wr_value[]){__VA_ARGS__}) / sizeof(struct wr_value), text)

static const struct wr_type bigint = {.kind = WR_KIND_BIGINT}, real = {.kind = WR_KIND_DOUBLE},
                            text_type = {.kind = WR_KIND_STRING},
                            money = {.kind = WR_KIND_DECIMAL, .precision = 12, .scale = 2},
                            large = {.kind = WR_KIND_DECIMAL, .precision = 38, .scale = 2},
                            mean = {.kind = WR_KIND_DECIMAL, .precision = 38, .scale = 6},
                            interval = {.kind = WR_KIND_INTERVAL};

static void sums_are_exact_and_checked_at_the_end(void **state)
{
    WR_UNUSED(state);
    struct wr_aggregate sum = aggregate_of(WR_AGG_SUM, bigint, bigint);
    EXPECT(&sum, "NULL", null_of(WR_CLASS_I64));
    EXPECT(&sum, "7", of_i64(3), null_of(WR_CLASS_I64), of_i64(4));
    EXPECT(&sum, "9223372036854775807", of_i64(INT64_MAX), of_i64(5), of_i64(-5));
    EXPECT(&sum, "-9223372036854775808", of_i64(INT64_MIN), of_i64(INT64_MIN), of_i64(INT64_MAX), of_i64(1));
    EXPECT(&sum, "error 1", of_i64(INT64_MAX), of_i64(1));
    EXPECT(&sum, "error 1", of_i64(INT64_MIN), of_i64(-1));
    sum = aggregate_of(WR_AGG_SUM, money, large);
    EXPECT(&sum, "0.30", of_dec(10), of_dec(20));
    EXPECT(&sum, "-0.05", of_dec(-10), of_dec(5));
    wr_i128 most = wr_pow10(38) - 1;
    EXPECT(&sum, "999999999999999999999999999999999999.99", of_dec(most), of_dec(most), of_dec(most), of_dec(-most),
           of_dec(-most));
    EXPECT(&sum, "error 1", of_dec(most), of_dec(1));
    EXPECT(&sum, "error 1", of_dec(-most), of_dec(-most), of_dec(-most));
    sum = aggregate_of(WR_AGG_SUM, real, real);
    EXPECT(&sum, "2", of_f64(1), of_f64(1e100), of_f64(1), of_f64(-1e100));
    EXPECT(&sum, "Infinity", of_f64(DBL_MAX), of_f64(DBL_MAX), of_f64(1));
    EXPECT(&sum, "NaN", of_f64(INFINITY), of_f64(-INFINITY));
}

static void means_round_half_away_from_zero(void **state)
{
    WR_UNUSED(state);
    struct wr_aggregate avg = aggregate_of(WR_AGG_AVG, bigint, real);
    EXPECT(&avg, "NULL", null_of(WR_CLASS_I64));
    EXPECT(&avg, "2.5", of_i64(2), null_of(WR_CLASS_I64), of_i64(3));
    EXPECT(&avg, "0.5", of_i64(INT64_MAX), of_i64(INT64_MIN + 2)); /* the sum is past 64 bits on the way */
    avg = aggregate_of(WR_AGG_AVG, money, mean);
    EXPECT(&avg, "0.333333", of_dec(100), of_dec(0), of_dec(0));
    EXPECT(&avg, "0.666667", of_dec(100), of_dec(100), of_dec(0));
    EXPECT(&avg, "-0.666667", of_dec(-100), of_dec(-100), of_dec(0));
    struct wr_type fine = {.kind = WR_KIND_DECIMAL, .precision = 38, .scale = 7};
    avg = aggregate_of(WR_AGG_AVG, fine, fine); /* half a unit of the last place */
    EXPECT(&avg, "0.0000001", of_dec(1), of_dec(0));
    EXPECT(&avg, "-0.0000001", of_dec(-1), of_dec(0));
    EXPECT(&avg, "9999999999999999999999999999999.9999999", of_dec(wr_pow10(38) - 1), of_dec(wr_pow10(38) - 1));
    avg = aggregate_of(WR_AGG_AVG, large, mean);
    EXPECT(&avg, "error 1", of_dec(wr_pow10(38) - 1)); /* four more digits do not fit */
    avg = aggregate_of(WR_AGG_AVG, interval, interval);
    EXPECT(&avg, "PT0.000002S", of_i64(1), of_i64(2));
    avg = aggregate_of(WR_AGG_AVG, real, real);
    EXPECT(&avg, "0.5", of_f64(1), of_f64(1e100), of_f64(1), of_f64(-1e100));
}

static void extremes_know_nan_and_ties(void **state)
{
    WR_UNUSED(state);
    struct wr_aggregate least = aggregate_of(WR_AGG_MIN, real, real), most = aggregate_of(WR_AGG_MAX, real, real);
    EXPECT(&least, "1", of_f64(NAN), of_f64(3), of_f64(1), of_f64(NAN));
    EXPECT(&most, "NaN", of_f64(3), of_f64(NAN), of_f64(5));
    EXPECT(&least, "NaN", of_f64(NAN));
    EXPECT(&least, "NULL", null_of(WR_CLASS_F64));
    EXPECT(&least, "error 3", of_f64(1), (struct wr_value){.cls = WR_CLASS_F64, .flag = WR_FLAG_ERROR, .reason = 3},
           of_f64(0));
    least = aggregate_of(WR_AGG_MIN, text_type, text_type);
    EXPECT(&least, "", of_str("b"), of_str(""), of_str("a"));
    EXPECT(&least, "ab", of_str("b"), of_str("ab"), of_str("abc"));
    most = aggregate_of(WR_AGG_MAX, text_type, text_type);
    EXPECT(&most, "b", of_str("b"), of_str("ab"), of_str("abc"));
    most = aggregate_of(WR_AGG_MAX, money, money);
    EXPECT(&most, "0.05", of_dec(-7), of_dec(5), of_dec(4));
    struct wr_aggregate first = aggregate_of(WR_AGG_FIRST, text_type, text_type);
    struct wr_aggregate last = aggregate_of(WR_AGG_LAST, text_type, text_type);
    EXPECT(&first, "x", null_of(WR_CLASS_STR), of_str("x"), of_str("y"));
    EXPECT(&last, "y", of_str("x"), of_str("y"), null_of(WR_CLASS_STR));
}

static void variances_need_two_rows(void **state)
{
    WR_UNUSED(state);
    struct wr_aggregate var = aggregate_of(WR_AGG_VAR_SAMP, bigint, real);
    struct wr_aggregate dev = aggregate_of(WR_AGG_STDDEV_SAMP, money, real);
    EXPECT(&var, "NULL", of_i64(3));
    EXPECT(&var, "2", of_i64(2), of_i64(4));
    EXPECT(&dev, "1", of_dec(100), of_dec(200), of_dec(300));
}

static void the_second_value_decides(void **state)
{
    WR_UNUSED(state);
    struct wr_aggregate a = aggregate_of(WR_AGG_ARG_MAX, text_type, text_type);
    uint64_t cell[16];
    wr_aggregate_init(&a, cell);
    const struct wr_value first[] = {of_str("low"), of_str("no"), of_str("high"), of_str("tie")};
    const struct wr_value second[] = {of_i64(1), null_of(WR_CLASS_I64), of_i64(9), of_i64(9)};
    for (unsigned i = 0; i < 4; i++) wr_aggregate_add(&a, cell, &first[i], &second[i], strings);
    assert_string_equal(text_of(&a, cell), "high"); /* the first of equals */
    struct wr_value nothing = null_of(WR_CLASS_STR), ten = of_i64(10);
    wr_aggregate_add(&a, cell, &nothing, &ten, strings);
    assert_string_equal(text_of(&a, cell), "NULL");
    wr_aggregate_release(&a, cell, strings);
}

static void texts_are_joined_with_the_separator_of_the_later_row(void **state)
{
    WR_UNUSED(state);
    struct wr_aggregate a = aggregate_of(WR_AGG_STRING_AGG, text_type, text_type);
    uint64_t cell[16], copy[16];
    wr_aggregate_init(&a, cell);
    struct wr_value comma = of_str(", "), none = null_of(WR_CLASS_STR), one = of_str("one"), two = of_str("two");
    struct wr_value empty = of_str("");
    wr_aggregate_add(&a, cell, &one, &comma, strings);
    wr_aggregate_add(&a, cell, &none, &comma, strings);
    wr_aggregate_add(&a, cell, &two, &comma, strings);
    wr_aggregate_copy(&a, copy, cell, strings);
    wr_aggregate_add(&a, copy, &empty, &comma, strings);
    wr_aggregate_add(&a, copy, &one, &none, strings);
    assert_string_equal(text_of(&a, cell), "one, two");
    assert_string_equal(text_of(&a, copy), "one, two, one");
    wr_aggregate_release(&a, cell, strings);
    assert_string_equal(text_of(&a, copy), "one, two, one");
    wr_aggregate_release(&a, copy, strings);
}

/* ---- Random rows ---- */

enum { N = 60 };
static struct wr_value rows[N], seconds[N];

static struct wr_value random_value(enum wr_class cls)
{
    static char text[N * 4][32];
    static unsigned turn;
    int64_t x = random_below(25) - 12;
    if (random_below(8) == 0) return null_of(cls);
    switch (cls) {
    case WR_CLASS_BOOL: return (struct wr_value){.cls = WR_CLASS_BOOL, .u.boolean = x > 0};
    case WR_CLASS_I64: return of_i64(x);
    case WR_CLASS_F64: return of_f64((double)x / 4);
    case WR_CLASS_DEC: return of_dec((wr_i128)x * ((int64_t)1 << 60));
    default: break;
    }
    turn = (turn + 1) % WR_COUNT(text);
    snprintf(text[turn], sizeof text[turn], "%.*s%lld", (int)(x + 12), "abcdefghijklmnopqrstuvwxyz", (long long)x);
    return of_str(text[turn]);
}

static bool with_second(enum wr_aggregate_fn fn)
{
    return fn == WR_AGG_ARG_MIN || fn == WR_AGG_ARG_MAX || fn == WR_AGG_STRING_AGG;
}

static void add(const struct wr_aggregate *a, void *cell, unsigned from, unsigned to)
{
    for (unsigned i = from; i < to; i++)
        wr_aggregate_add(a, cell, &rows[i], with_second((enum wr_aggregate_fn)a->fn) ? &seconds[i] : NULL, strings);
}

static void same(const struct wr_aggregate *a, const void *cell, const char *expected)
{
    double x, y;
    const char *text = text_of(a, cell);
    if (wr_type_class(a->type) == WR_CLASS_F64 && wr_parse_f64(wr_slice_cstr(text), &x) &&
        wr_parse_f64(wr_slice_cstr(expected), &y))
        assert_true(fabs(x - y) <= 1e-9 * (1 + fabs(y)));
    else
        assert_string_equal(text, expected);
}

static void check_parts(const struct wr_aggregate *a)
{
    uint64_t whole[16], part[16], later[16], read[16];
    unsigned n = (unsigned)random_below(N + 1), cut = n ? (unsigned)random_below(n + 1) : 0;
    for (unsigned i = 0; i < n; i++) {
        rows[i] = random_value(wr_type_class(a->argument));
        seconds[i] = random_value(a->fn == WR_AGG_STRING_AGG ? WR_CLASS_STR : WR_CLASS_I64);
        if (random_below(200) == 0) rows[i] = (struct wr_value){.cls = rows[i].cls, .flag = WR_FLAG_ERROR, .reason = 2};
    }
    wr_aggregate_init(a, whole);
    add(a, whole, 0, n);
    struct wr_buf expected = {0}, bytes = {0}, again = {0};
    wr_buf_add_cstr(&expected, text_of(a, whole));
    const char *text = wr_buf_cstr(&expected);
    /* Two parts, merged. */
    wr_aggregate_init(a, part);
    wr_aggregate_init(a, later);
    add(a, part, 0, cut);
    add(a, later, cut, n);
    wr_aggregate_merge(a, part, later, strings);
    same(a, part, text);
    wr_aggregate_release(a, part, strings);
    wr_aggregate_release(a, later, strings);
    /* Copied in the middle, the original given back. */
    wr_aggregate_init(a, part);
    add(a, part, 0, cut);
    wr_aggregate_copy(a, later, part, strings);
    add(a, part, cut, n);
    wr_aggregate_release(a, part, strings);
    add(a, later, cut, n);
    assert_string_equal(text_of(a, later), text);
    /* Written and read in the middle. */
    wr_aggregate_init(a, part);
    add(a, part, 0, cut);
    wr_aggregate_encode(a, part, strings, &bytes);
    struct wr_slice in = wr_buf_slice(&bytes);
    assert_true(wr_aggregate_decode(a, read, strings, &in) && in.size == 0);
    wr_aggregate_encode(a, read, strings, &again);
    assert_true(wr_slice_equal(wr_buf_slice(&bytes), wr_buf_slice(&again)));
    add(a, read, cut, n);
    assert_string_equal(text_of(a, read), text);
    wr_aggregate_release(a, read, strings);
    for (size_t size = 0; size < bytes.size; size++) { /* cut short anywhere: refused, nothing kept */
        in = wr_slice_of(bytes.data, size);
        assert_false(wr_aggregate_decode(a, read, strings, &in));
    }
    wr_aggregate_release(a, part, strings);
    wr_aggregate_release(a, later, strings);
    wr_aggregate_release(a, whole, strings);
    wr_buf_release(&expected);
    wr_buf_release(&bytes);
    wr_buf_release(&again);
}

static const struct wr_type by_class[] = {{.kind = WR_KIND_BOOLEAN}, {.kind = WR_KIND_BIGINT}, {.kind = WR_KIND_DOUBLE},
                                          {.kind = WR_KIND_DECIMAL, .precision = 38, .scale = 2}, {.kind = WR_KIND_STRING}};

static bool takes(enum wr_aggregate_fn fn, int cls)
{
    bool number = cls == WR_CLASS_I64 || cls == WR_CLASS_F64 || cls == WR_CLASS_DEC;
    if (fn == WR_AGG_ARRAY_AGG) return false;
    if (fn == WR_AGG_STRING_AGG) return cls == WR_CLASS_STR;
    if (fn == WR_AGG_SUM || fn == WR_AGG_AVG || fn == WR_AGG_VAR_SAMP || fn == WR_AGG_STDDEV_SAMP) return number;
    return true;
}

static struct wr_type result_type(enum wr_aggregate_fn fn, int cls)
{
    if (fn == WR_AGG_COUNT_ROWS || fn == WR_AGG_COUNT || fn == WR_AGG_COUNT_DISTINCT) return bigint;
    if (fn == WR_AGG_VAR_SAMP || fn == WR_AGG_STDDEV_SAMP) return real;
    if (fn == WR_AGG_AVG) return cls == WR_CLASS_DEC ? mean : real;
    return by_class[cls];
}

static struct wr_aggregate any_of(enum wr_aggregate_fn fn, int cls)
{
    return aggregate_of(fn, by_class[cls], result_type(fn, cls));
}

static void parts_come_to_the_same_as_the_whole(void **state)
{
    WR_UNUSED(state);
    for (int fn = 0; fn < WR_AGG_FN_COUNT; fn++)
        for (int cls = 0; cls < WR_CLASS_COUNT; cls++) {
            if (!takes((enum wr_aggregate_fn)fn, cls)) continue;
            struct wr_aggregate a = any_of((enum wr_aggregate_fn)fn, cls);
            for (int i = 0; i < 100; i++) check_parts(&a);
        }
    wr_strings_free(strings);
    strings = wr_strings_new();
}

static void a_batch_gives_what_its_rows_give(void **state)
{
    WR_UNUSED(state);
    enum { GROUPS = 5 };
    for (int fn = 0; fn < WR_AGG_FN_COUNT; fn++)
        for (int cls = 0; cls < WR_CLASS_COUNT; cls++) {
            if (!takes((enum wr_aggregate_fn)fn, cls)) continue;
            struct wr_aggregate a = any_of((enum wr_aggregate_fn)fn, cls);
            a.column2 = with_second((enum wr_aggregate_fn)fn) ? 1 : WR_NONE;
            struct wr_type types[2] = {by_class[cls], fn == WR_AGG_STRING_AGG ? text_type : bigint};
            struct wr_batch_builder b;
            wr_batch_builder_init(&b, types, 2, false);
            for (int pass = 0; pass < 6; pass++) {
                uint64_t cells[2][GROUPS][16];
                void *cell[N];
                uint16_t row[N];
                wr_batch_builder_clear(&b);
                for (int g = 0; g < GROUPS; g++)
                    for (int k = 0; k < 2; k++) wr_aggregate_init(&a, cells[k][g]);
                for (uint16_t i = 0; i < N; i++) {
                    rows[i] = random_value((enum wr_class)cls);
                    while (pass % 2 && rows[i].flag) rows[i] = random_value((enum wr_class)cls);
                    seconds[i] = random_value(wr_type_class(types[1]));
                    wr_batch_builder_put(&b, 0, i, &rows[i], true);
                    wr_batch_builder_put(&b, 1, i, &seconds[i], true);
                    int64_t g = random_below(GROUPS);
                    row[i] = i;
                    cell[i] = cells[0][g];
                    wr_aggregate_add(&a, cells[1][g], &rows[i], a.column2 == WR_NONE ? NULL : &seconds[i], strings);
                }
                b.batch.rows = N;
                wr_aggregate_add_rows(&a, cell, row, N, &b.batch, strings);
                for (int g = 0; g < GROUPS; g++) {
                    char expected[2048];
                    snprintf(expected, sizeof expected, "%s", text_of(&a, cells[1][g]));
                    assert_string_equal(text_of(&a, cells[0][g]), expected);
                    for (int k = 0; k < 2; k++) wr_aggregate_release(&a, cells[k][g], strings);
                }
            }
            wr_batch_builder_release(&b);
        }
}

static void sets_of_many_members_count_each_once(void **state)
{
    WR_UNUSED(state);
    for (int cls = 1; cls < WR_CLASS_COUNT; cls++) {
        struct wr_aggregate a = aggregate_of(WR_AGG_COUNT_DISTINCT, by_class[cls], bigint);
        uint64_t cell[16];
        wr_aggregate_init(&a, cell);
        for (int64_t i = 0; i < 20000; i++) {
            char text[32];
            int64_t x = i % 7001;
            snprintf(text, sizeof text, "member %lld", (long long)x);
            struct wr_value v = cls == WR_CLASS_I64   ? of_i64(x << 40)
                                : cls == WR_CLASS_F64 ? of_f64(x == 3 && i > 10000 ? -0.0 : x == 3 ? 0.0 : (double)x + 0.5)
                                : cls == WR_CLASS_DEC ? of_dec((wr_i128)x << 64)
                                                      : of_str(text);
            wr_aggregate_add(&a, cell, &v, NULL, strings);
        }
        assert_string_equal(text_of(&a, cell), "7001");
        wr_aggregate_release(&a, cell, strings);
    }
}

static int set_up(void **state)
{
    WR_UNUSED(state);
    strings = wr_strings_new();
    wr_arena_init(&arena);
    return 0;
}

static int tear_down(void **state)
{
    WR_UNUSED(state);
    wr_strings_free(strings);
    wr_arena_release(&arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_exact_and_checked_at_the_end),
        cmocka_unit_test(means_round_half_away_from_zero),
        cmocka_unit_test(extremes_know_nan_and_ties),
        cmocka_unit_test(variances_need_two_rows),
        cmocka_unit_test(the_second_value_decides),
        cmocka_unit_test(texts_are_joined_with_the_separator_of_the_later_row),
        cmocka_unit_test(parts_come_to_the_same_as_the_whole),
        cmocka_unit_test(a_batch_gives_what_its_rows_give),
        cmocka_unit_test(sets_of_many_members_count_each_once),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
