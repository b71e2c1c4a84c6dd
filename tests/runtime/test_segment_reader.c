/* The segment reader: with a thread and without, the same segments in the same order, whole; it can be stopped at any time. */
#include "runtime/codec.h"
#include "runtime/segment_reader.h"
#include "tests/runtime/store_harness.h"

enum { SEGMENTS = 40, OPERATORS = 3 };

/* A segment of `entries` entries, of which number `bad` (counted from 1) is of an operator that is not there. */
static void put_segment(struct wr_buf *out, uint64_t number, uint32_t entries, uint32_t bad)
{
    char key[32];
    wr_put_u8(out, 1);
    wr_put_uint(out, number * 2);
    for (uint32_t i = 1; i <= entries; i++) {
        int size = snprintf(key, sizeof key, "%u of %u", i, (unsigned)number);
        wr_put_uint(out, i == bad ? OPERATORS : i % OPERATORS);
        wr_put_u8(out, i % 5 ? 'u' : 'g');
        wr_put_bytes(out, wr_slice_of(key, (size_t)size));
        if (i % 5) wr_put_bytes(out, WR_SLICE("a value"));
    }
}

static struct wr_store *store_of(uint32_t segments, uint32_t bad_segment)
{
    struct wr_store *store = open_store(new_path(), false);
    struct wr_error error = {0};
    for (uint32_t n = 1; n <= segments; n++) {
        struct wr_buf bytes = {0};
        put_segment(&bytes, n, n * 7, n == bad_segment ? 3 : 0);
        struct wr_slice segment = wr_buf_slice(&bytes);
        struct wr_store_commit c = {.first_number = n, .segment_count = 1, .segment = &segment, .record = WR_SLICE("record"),
                                    .keep_from = 1, .epoch = n};
        if (wr_store_commit(store, &c, &error) != WR_OK) fail_msg("%s", error.message);
        wr_buf_release(&bytes);
    }
    return store;
}

static void check_segment(const struct wr_segment_read *segment, uint64_t number)
{
    char key[32];
    assert_int_equal(segment->number, number);
    assert_int_equal(segment->epoch, number * 2);
    assert_int_equal(segment->entry.count, number * 7);
    for (uint32_t i = 1; i <= number * 7; i++) {
        const struct wr_segment_entry *entry = &segment->entry.at[i - 1];
        snprintf(key, sizeof key, "%u of %u", i, (unsigned)number);
        assert_int_equal(entry->op, i % OPERATORS);
        assert_true(wr_slice_equal(entry->key, wr_slice_cstr(key)));
        assert_true(entry->kind == 'g' || wr_slice_equal(entry->value, WR_SLICE("a value")));
    }
}

static void all_come_newest_first(void **state)
{
    WR_UNUSED(state);
    struct wr_store *store = store_of(SEGMENTS, 0);
    static const uint64_t range[][2] = {{1, SEGMENTS}, {7, SEGMENTS}, {SEGMENTS, SEGMENTS}, {9, 8}, {1, 0}, {3, 6}};
    for (unsigned i = 0; i < 2 * WR_COUNT(range); i++) {
        uint64_t first = range[i / 2][0], number = range[i / 2][1];
        const struct wr_segment_read *segment;
        struct wr_error error = {0};
        struct wr_segment_reader *reader = wr_segment_reader_start(store, first, number, OPERATORS, i % 2);
        for (; number >= first && number; number--) {
            if (wr_segment_reader_next(reader, &segment, &error) != WR_OK) fail_msg("%s", error.message);
            check_segment(segment, number);
        }
        assert_int_equal(wr_segment_reader_next(reader, &segment, &error), WR_END);
        assert_int_equal(wr_segment_reader_next(reader, &segment, &error), WR_END);
        wr_segment_reader_stop(reader);
    }
    wr_store_close(store);
}

static void it_stops_wherever_it_is(void **state)
{
    WR_UNUSED(state);
    struct wr_store *store = store_of(SEGMENTS, 0);
    for (unsigned taken = 0; taken < SEGMENTS; taken += 3) {
        const struct wr_segment_read *segment;
        struct wr_error error = {0};
        struct wr_segment_reader *reader = wr_segment_reader_start(store, 1, SEGMENTS, OPERATORS, true);
        for (unsigned i = 0; i < taken; i++) {
            assert_int_equal(wr_segment_reader_next(reader, &segment, &error), WR_OK);
            check_segment(segment, SEGMENTS - i);
        }
        wr_segment_reader_stop(reader);
    }
    wr_store_close(store);
}

static void what_is_malformed_or_missing_is_told_in_its_turn(void **state)
{
    WR_UNUSED(state);
    enum { BAD = 11 };
    struct wr_store *store = store_of(SEGMENTS, BAD);
    for (unsigned i = 0; i < 2; i++) {
        const struct wr_segment_read *segment;
        struct wr_error error = {0};
        struct wr_segment_reader *reader = wr_segment_reader_start(store, 1, SEGMENTS, OPERATORS, i);
        for (unsigned n = SEGMENTS; n > BAD; n--) assert_int_equal(wr_segment_reader_next(reader, &segment, &error), WR_OK);
        assert_int_equal(wr_segment_reader_next(reader, &segment, &error), WR_ERR_STATE);
        assert_string_equal(error.message, "segment 11 is malformed");
        wr_segment_reader_stop(reader);
        reader = wr_segment_reader_start(store, 1, SEGMENTS + 5, OPERATORS, i);
        assert_int_equal(wr_segment_reader_next(reader, &segment, &error), WR_ERR_STATE);
        assert_string_equal(error.message, "segment 45 is not there");
        wr_segment_reader_stop(reader);
    }
    wr_store_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_come_newest_first),
        cmocka_unit_test(it_stops_wherever_it_is),
        cmocka_unit_test(what_is_malformed_or_missing_is_told_in_its_turn),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
