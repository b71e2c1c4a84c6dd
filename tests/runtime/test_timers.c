/* Moments fire in order of time, then of first appearance; those armed meanwhile fire when they are
 * due, but not at the end of the input. And the bytes of saved state read back. */
#include "runtime/codec.h"
#include "runtime/operator.h"

#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <cmocka.h>

struct heard {
    struct wr_operator op;
    int64_t time[64];
    uint32_t key[64];
    unsigned count;
    int64_t again; /* > 0: each moment arms another, this much later */
};

static void on_moment(struct wr_operator *op, int64_t time, uint32_t key)
{
    struct heard *heard = (struct heard *)op;
    heard->time[heard->count] = time;
    heard->key[heard->count++] = key;
    if (heard->again) wr_timer_arm(&op->timers, time + heard->again, key, key);
}

static const struct wr_operator_class listener = {.name = "listener", .on_moment = on_moment};

static void begin(struct heard *heard)
{
    *heard = (struct heard){.op = {.cls = &listener, .id = 3, .time = WR_TIME_MIN}};
    wr_timers_init(&heard->op.timers);
}

static void moments_fire_in_order_of_time_then_of_first_appearance(void **state)
{
    (void)state;
    struct heard heard;
    begin(&heard);
    wr_timer_arm(&heard.op.timers, 20, 2, 2);
    wr_timer_arm(&heard.op.timers, 10, 5, 5);
    wr_timer_arm(&heard.op.timers, 20, 1, 1);
    wr_timer_arm(&heard.op.timers, 30, 0, 0);
    wr_moments_until(&heard.op, 20);
    assert_int_equal(heard.count, 3);
    assert_int_equal(heard.key[0], 5);
    assert_int_equal(heard.key[1], 1);
    assert_int_equal(heard.key[2], 2);
    assert_int_equal(heard.op.timers.next, 30);
    assert_int_equal(heard.op.time, 20);
    struct wr_place place = wr_moment_place(&heard.op);
    assert_int_equal(place.time, 20);
    assert_int_equal(place.source, 0);
    wr_timers_release(&heard.op.timers);
}

static void
a_moment_stands_before_the_rows_of_its_time_and_after_moments_of_earlier_operators(void **state)
{
    (void)state;
    struct heard first, second;
    begin(&first);
    begin(&second);
    second.op.id = 4;
    wr_timer_arm(&first.op.timers, 10, 9, 9);
    wr_timer_arm(&second.op.timers, 10, 1, 1);
    wr_moments_until(&first.op, 10);
    wr_moments_until(&second.op, 10);
    struct wr_place a = wr_moment_place(&first.op), b = wr_moment_place(&second.op),
                    row = {10, 1, 0, 0};
    assert_true(wr_place_compare(a, b) < 0);
    assert_true(wr_place_compare(b, row) < 0);
    wr_timers_release(&first.op.timers);
    wr_timers_release(&second.op.timers);
}

static void moments_armed_by_moments_fire_when_they_are_due(void **state)
{
    (void)state;
    struct heard heard;
    begin(&heard);
    heard.again = 10;
    wr_timer_arm(&heard.op.timers, 10, 1, 1);
    wr_moments_until(&heard.op, 35);
    assert_int_equal(heard.count, 3);
    assert_int_equal(heard.time[2], 30);
    wr_timers_release(&heard.op.timers);
}

static void the_end_of_the_input_fires_what_is_armed_once(void **state)
{
    (void)state;
    struct heard heard;
    begin(&heard);
    heard.again = 10;
    wr_timer_arm(&heard.op.timers, 1000, 1, 1);
    wr_timer_arm(&heard.op.timers, 10, 2, 2);
    wr_moments_until(&heard.op, WR_TIME_MAX);
    assert_int_equal(heard.count, 2);
    assert_int_equal(heard.time[0], 10);
    assert_int_equal(heard.time[1], 1000);
    assert_int_equal(heard.op.timers.count, 0);
    wr_timers_release(&heard.op.timers);
}

/* ---- Any order of arming ---------------------------------------------------------------------------- */

enum { MANY = 20000 };
struct all {
    struct wr_operator op;
    struct wr_timer fired[MANY];
    unsigned count;
};

static void keep(struct wr_operator *op, int64_t time, uint32_t key)
{
    struct all *all = (struct all *)op;
    all->fired[all->count++] = (struct wr_timer){time, op->timers.order, key};
}
static const struct wr_operator_class keeper = {.name = "keeper", .on_moment = keep};

static int by_place(const void *a, const void *b)
{
    const struct wr_timer *x = a, *y = b;
    if (x->time != y->time) return x->time < y->time ? -1 : 1;
    if (x->order != y->order) return x->order < y->order ? -1 : 1;
    return (x->key > y->key) - (x->key < y->key);
}

/* Rows arm moments some spans later, a few of them anywhere, while time goes on and fires what is due: what has fired
 * is what was armed, sorted. Spans: 1 is one ascending run, more need several, many need the heap. */
static void fire_against_sorting(uint32_t spans, uint32_t anywhere)
{
    static struct all all;
    static struct wr_timer armed[MANY];
    all = (struct all){.op = {.cls = &keeper, .id = 1, .time = WR_TIME_MIN}};
    wr_timers_init(&all.op.timers);
    uint64_t random = 88172645463325252u + spans;
    int64_t now = 0;
    for (uint32_t i = 0; i < MANY; i++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        now += (int64_t)(random % 3);
        wr_moments_until(&all.op, now);
        int64_t later = random >> 20 & 127 ? 1 : 0;
        int64_t span = random >> 32 & 63 || !anywhere ? 10 + 300 * (int64_t)((random >> 8) % spans)
                                                 : (int64_t)(random >> 40) % 2000;
        armed[i] = (struct wr_timer){now + later + span, random >> 16 & 7, i};
        wr_timer_arm(&all.op.timers, armed[i].time, armed[i].order, i);
    }
    wr_moments_until(&all.op, WR_TIME_MAX);
    assert_int_equal(all.count, MANY);
    assert_int_equal(all.op.timers.count, 0);
    for (uint32_t i = 0; i < MANY; i++) assert_true(!i || all.fired[i - 1].time <= all.fired[i].time);
    qsort(armed, MANY, sizeof *armed, by_place);
    /* What is armed for a time that is already being fired comes behind those that have gone: not here, spans are > 0. */
    for (uint32_t i = 0; i < MANY; i++) assert_true(by_place(&armed[i], &all.fired[i]) == 0);
    wr_timers_release(&all.op.timers);
}

static void whatever_the_order_of_arming_they_fire_in_the_order_of_places(void **state)
{
    (void)state;
    for (uint32_t spans = 1; spans <= 9; spans++) {
        fire_against_sorting(spans, 0);
        fire_against_sorting(spans, 1);
    }
}

static void what_is_forgotten_does_not_fire_and_room_is_used_again(void **state)
{
    (void)state;
    struct heard heard;
    begin(&heard);
    for (uint32_t i = 0; i < 40; i++) wr_timer_arm(&heard.op.timers, i % 7, i, i);
    uint64_t bytes = wr_timers_bytes(&heard.op.timers);
    wr_timers_clear(&heard.op.timers);
    assert_int_equal(heard.op.timers.next, WR_TIME_MAX);
    wr_moments_until(&heard.op, 100);
    assert_int_equal(heard.count, 0);
    for (uint32_t i = 0; i < 40; i++) wr_timer_arm(&heard.op.timers, 200 + i % 7, i, i);
    assert_int_equal(wr_timers_bytes(&heard.op.timers), bytes);
    wr_moments_until(&heard.op, 300);
    assert_int_equal(heard.count, 40);
    wr_timers_release(&heard.op.timers);
}

static void numbers_and_values_read_back(void **state)
{
    (void)state;
    struct wr_buf buf = {0};
    const uint64_t numbers[] = {0, 1, 127, 128, 300, UINT32_MAX, UINT64_MAX};
    for (size_t i = 0; i < WR_COUNT(numbers); i++) wr_put_uint(&buf, numbers[i]);
    wr_put_i64(&buf, INT64_MIN);
    wr_put_u32(&buf, 0xfffefdfc);
    struct wr_value values[] = {
        {.cls = WR_CLASS_BOOL, .u.boolean = true},
        {.cls = WR_CLASS_I64, .u.i64 = -5},
        {.cls = WR_CLASS_F64, .u.f64 = DBL_MIN},
        {.cls = WR_CLASS_DEC, .u.dec = -((wr_i128)1 << 100)},
        {.cls = WR_CLASS_STR, .u.str = WR_SLICE("héllo")},
        {.cls = WR_CLASS_I64, .flag = WR_FLAG_NULL},
        {.cls = WR_CLASS_I64, .flag = WR_FLAG_ERROR, .reason = WR_REASON_OVERFLOW}};
    for (size_t i = 0; i < WR_COUNT(values); i++) wr_put_value(&buf, &values[i]);
    struct wr_slice in = wr_buf_slice(&buf);
    uint64_t number;
    int64_t low;
    uint32_t word = 0;
    for (size_t i = 0; i < WR_COUNT(numbers); i++) {
        assert_true(wr_get_uint(&in, &number));
        assert_true(number == numbers[i]);
    }
    assert_true(wr_get_i64(&in, &low) && low == INT64_MIN && wr_get_u32(&in, &word) &&
                word == 0xfffefdfc);
    for (size_t i = 0; i < WR_COUNT(values); i++) {
        struct wr_value v;
        assert_true(wr_get_value(&in, (enum wr_class)values[i].cls, &v));
        assert_int_equal(v.flag, values[i].flag);
        if (v.flag == WR_FLAG_ERROR) assert_int_equal(v.reason, values[i].reason);
        if (v.flag != WR_FLAG_VALUE) continue;
        if (v.cls == WR_CLASS_BOOL) assert_true(v.u.boolean);
        if (v.cls == WR_CLASS_I64) assert_int_equal(v.u.i64, -5);
        if (v.cls == WR_CLASS_F64) assert_true(v.u.f64 == DBL_MIN);
        if (v.cls == WR_CLASS_DEC) assert_true(v.u.dec == -((wr_i128)1 << 100));
        if (v.cls == WR_CLASS_STR) assert_true(wr_slice_equal(v.u.str, WR_SLICE("héllo")));
    }
    assert_int_equal(in.size, 0);
    wr_buf_release(&buf);
}

static void bytes_that_are_cut_short_are_refused_at_every_length(void **state)
{
    (void)state;
    struct wr_buf buf = {0};
    wr_put_uint(&buf, 1234567);
    wr_put_i64(&buf, 42);
    wr_put_value(&buf, &(struct wr_value){.cls = WR_CLASS_STR, .u.str = WR_SLICE("text")});
    for (size_t size = 0; size < buf.size; size++) {
        struct wr_slice in = wr_slice_of(buf.data, size);
        uint64_t number;
        int64_t time;
        struct wr_value v;
        assert_false(wr_get_uint(&in, &number) && wr_get_i64(&in, &time) &&
                     wr_get_value(&in, WR_CLASS_STR, &v));
    }
    wr_buf_release(&buf);
}

/* Of every length, at the very end of the bytes and with others behind, which are not taken. */
static void lengths_of_numbers_are_found(void **state)
{
    (void)state;
    for (unsigned bit = 0; bit < 64; bit++) {
        for (int by = -1; by <= 1; by++) {
            uint64_t number = ((uint64_t)1 << bit) + (uint64_t)(int64_t)by, got;
            int64_t whole = 0;
            struct wr_buf buf = {0};
            wr_put_uint(&buf, number);
            size_t length = buf.size;
            assert_int_equal(length, number >> 7 ? (size_t)(63 - __builtin_clzll(number)) / 7 + 1 : 1);
            for (size_t behind = 0; behind < 12; behind++) {
                char *exact = wr_alloc(buf.size); /* so that a sanitizer sees a byte too many */
                memcpy(exact, buf.data, buf.size);
                struct wr_slice in = wr_slice_of(exact, buf.size);
                assert_true(wr_get_uint(&in, &got) && got == number && in.size == behind);
                for (size_t cut = 0; cut < length; cut++) {
                    in = wr_slice_of(exact, cut);
                    assert_false(wr_get_uint(&in, &got));
                }
                wr_free(exact);
                wr_put_u8(&buf, (uint8_t)(behind % 2 ? 0xff : 0x00));
            }
            wr_buf_clear(&buf);
            wr_put_int(&buf, (int64_t)number);
            wr_put_int(&buf, -(int64_t)(number >> 1));
            struct wr_slice in = wr_buf_slice(&buf);
            assert_true(wr_get_int(&in, &whole) && whole == (int64_t)number);
            assert_true(wr_get_int(&in, &whole) && whole == -(int64_t)(number >> 1) && !in.size);
            wr_buf_release(&buf);
        }
    }
    const char eleven[] = "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", past[] = "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02";
    uint64_t got;
    struct wr_slice in = wr_slice_of(eleven, sizeof eleven - 1);
    assert_false(wr_get_uint(&in, &got));
    in = wr_slice_of(past, sizeof past - 1);
    assert_false(wr_get_uint(&in, &got));
}

static void values_near_a_time_read_back(void **state)
{
    (void)state;
    const int64_t near[] = {0, -1, 1767225600000000, INT64_MIN, INT64_MAX};
    struct wr_value values[] = {{.cls = WR_CLASS_I64, .u.i64 = 1767225600000000}, {.cls = WR_CLASS_I64, .u.i64 = INT64_MIN},
                                {.cls = WR_CLASS_I64, .u.i64 = -1},               {.cls = WR_CLASS_I64, .flag = WR_FLAG_NULL},
                                {.cls = WR_CLASS_F64, .u.f64 = 2.5},
                                {.cls = WR_CLASS_I64, .flag = WR_FLAG_ERROR, .reason = WR_REASON_OVERFLOW}};
    for (size_t n = 0; n < WR_COUNT(near); n++) {
        for (size_t i = 0; i < WR_COUNT(values); i++) {
            struct wr_buf buf = {0};
            struct wr_value got;
            wr_put_near_value(&buf, &values[i], near[n]);
            if (values[i].cls == WR_CLASS_I64 && !values[i].flag && values[i].u.i64 == near[n]) assert_int_equal(buf.size, 1);
            struct wr_slice in = wr_buf_slice(&buf);
            assert_true(wr_get_near_value(&in, (enum wr_class)values[i].cls, near[n], &got) && !in.size);
            assert_true(got.cls == values[i].cls && got.flag == values[i].flag && got.reason == values[i].reason);
            assert_true(got.flag || got.u.i64 == values[i].u.i64);
            for (size_t cut = 0; cut < buf.size; cut++) {
                in = wr_slice_of(buf.data, cut);
                assert_false(wr_get_near_value(&in, (enum wr_class)values[i].cls, near[n], &got));
            }
            wr_buf_release(&buf);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(moments_fire_in_order_of_time_then_of_first_appearance),
        cmocka_unit_test(
            a_moment_stands_before_the_rows_of_its_time_and_after_moments_of_earlier_operators),
        cmocka_unit_test(moments_armed_by_moments_fire_when_they_are_due),
        cmocka_unit_test(the_end_of_the_input_fires_what_is_armed_once),
        cmocka_unit_test(whatever_the_order_of_arming_they_fire_in_the_order_of_places),
        cmocka_unit_test(what_is_forgotten_does_not_fire_and_room_is_used_again),
        cmocka_unit_test(numbers_and_values_read_back),
        cmocka_unit_test(bytes_that_are_cut_short_are_refused_at_every_length),
        cmocka_unit_test(lengths_of_numbers_are_found),
        cmocka_unit_test(values_near_a_time_read_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
