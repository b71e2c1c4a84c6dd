/* Buffers, slices, UTF-8, suggestions, errors and hashes. */
#include "base/buf.h"
#include "base/error.h"
#include "base/hash.h"
#include "base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void buffers_grow_and_format(void **state)
{
    WR_UNUSED(state);
    struct wr_buf buf = {0};
    assert_int_equal(wr_buf_slice(&buf).size, 0);
    assert_string_equal(wr_buf_cstr(&buf), "");
    for (int i = 0; i < 1000; i++) wr_buf_printf(&buf, "%d,", i);
    assert_int_equal(buf.size, 10 * 2 + 90 * 3 + 900 * 4);
    wr_buf_clear(&buf);
    wr_buf_add_cstr(&buf, "a");
    wr_buf_add_char(&buf, 'b');
    wr_buf_add_slice(&buf, WR_SLICE("cd"));
    wr_buf_add(&buf, NULL, 0);
    assert_string_equal(wr_buf_cstr(&buf), "abcd");
    char *room = wr_buf_reserve(&buf, 5000);
    memset(room, 'x', 5000);
    buf.size += 5000;
    wr_buf_printf(&buf, "%s", ""); /* exactly no room is needed */
    assert_int_equal(buf.size, 5004);
    wr_buf_release(&buf);
    assert_null(buf.data);
}

static void slices_compare_by_bytes(void **state)
{
    WR_UNUSED(state);
    assert_true(wr_slice_compare(WR_SLICE("a"), WR_SLICE("ab")) < 0);
    assert_true(wr_slice_compare(WR_SLICE("b"), WR_SLICE("ab")) > 0);
    assert_true(wr_slice_compare(WR_SLICE("\xc3\xa9"), WR_SLICE("z")) > 0);
    assert_true(wr_slice_compare((struct wr_slice){0}, WR_SLICE("")) == 0);
    assert_true(wr_slice_equal((struct wr_slice){0}, WR_SLICE("")));
    assert_false(wr_slice_equal(WR_SLICE("a"), WR_SLICE("b")));
    assert_true(wr_slice_equal_nocase(WR_SLICE("SeLect"), WR_SLICE("sElecT")));
    assert_false(wr_slice_equal_nocase(WR_SLICE("\xc3\x89"), WR_SLICE("\xc3\xa9"))); /* ASCII letters only */
}

static void utf8_is_checked_to_the_byte(void **state)
{
    WR_UNUSED(state);
    static const struct {
        const char *text;
        size_t valid;
    } cases[] = {
        {"plain", 5}, {"\xc3\xa9t\xc3\xa9", 5}, {"\xe2\x82\xac", 3}, {"\xf0\x9f\x98\x80", 4}, {"\xf4\x8f\xbf\xbf", 4},
        {"a\x80", 1}, {"a\xc3", 1}, {"a\xc0\xaf", 1}, {"\xe0\x80\xaf", 0}, {"\xed\xa0\x80", 0}, {"\xf0\x80\x80\x80", 0},
        {"\xf4\x90\x80\x80", 0}, {"ab\xff", 2}, {"\xe2\x82", 0}, {"x\xf0\x9f\x98", 1}, {"\xc3(", 0},
    };
    for (size_t i = 0; i < WR_COUNT(cases); i++)
        assert_int_equal(wr_utf8_check(wr_slice_cstr(cases[i].text)), cases[i].valid);
    assert_int_equal(wr_utf8_length(WR_SLICE("\xc3\xa9t\xc3\xa9\xf0\x9f\x98\x80")), 4);
    for (uint32_t c = 1; c <= 0x10ffff; c++) {
        if (c >= 0xd800 && c < 0xe000) continue;
        char out[4];
        size_t n = wr_utf8_encode(out, c);
        assert_true(wr_utf8_check(wr_slice_of(out, n)) == n && wr_utf8_length(wr_slice_of(out, n)) == 1);
    }
}

static void distances_count_edits_and_swaps(void **state)
{
    WR_UNUSED(state);
    assert_int_equal(wr_edit_distance(WR_SLICE("amount"), WR_SLICE("amount"), 3), 0);
    assert_int_equal(wr_edit_distance(WR_SLICE("AMOUNT"), WR_SLICE("amount"), 3), 0);
    assert_int_equal(wr_edit_distance(WR_SLICE("amuont"), WR_SLICE("amount"), 3), 1);
    assert_int_equal(wr_edit_distance(WR_SLICE("amont"), WR_SLICE("amount"), 3), 1);
    assert_int_equal(wr_edit_distance(WR_SLICE(""), WR_SLICE("abc"), 3), 3);
    assert_int_equal(wr_edit_distance(WR_SLICE("abc"), WR_SLICE("xyz"), 2), 3);
    char large[200];
    memset(large, 'a', sizeof large);
    assert_int_equal(wr_edit_distance(wr_slice_of(large, 200), wr_slice_of(large, 200), 2), 3);
}

static struct wr_slice suggest(const char *wanted, const char *const *candidates)
{
    struct wr_suggestion s;
    wr_suggestion_init(&s, wr_slice_cstr(wanted));
    for (; *candidates; candidates++) wr_suggestion_offer(&s, wr_slice_cstr(*candidates));
    return wr_suggestion_best(&s);
}

static void the_nearest_name_is_suggested_if_it_is_alone(void **state)
{
    WR_UNUSED(state);
    const char *const names[] = {"amount", "card", "status", "at", NULL};
    assert_true(wr_slice_equal(suggest("amuont", names), WR_SLICE("amount")));
    assert_true(wr_slice_equal(suggest("STATSU", names), WR_SLICE("status")));
    assert_int_equal(suggest("merchant", names).size, 0);
    const char *const twins[] = {"cat", "car", NULL};
    assert_int_equal(suggest("cab", twins).size, 0);
    const char *const again[] = {"cat", "CAT", NULL};
    assert_true(wr_slice_equal(suggest("cab", again), WR_SLICE("cat")));
}

static void errors_take_context_in_front(void **state)
{
    WR_UNUSED(state);
    struct wr_error error;
    assert_int_equal(wr_error_set(&error, WR_ERR_IO, "no space left on %s", "device"), WR_ERR_IO);
    assert_int_equal(wr_error_context(&error, "%s", "out.jsonl"), WR_ERR_IO);
    assert_string_equal(error.message, "out.jsonl: no space left on device");
    for (int i = 0; i < 200; i++) wr_error_context(&error, "a layer that says much");
    assert_true(strlen(error.message) == sizeof error.message - 1);
    assert_int_equal(wr_error_set(NULL, WR_ERR_USAGE, "nobody listens"), WR_ERR_USAGE);
}

static void hashes_depend_on_every_byte_and_the_seed(void **state)
{
    WR_UNUSED(state);
    char bytes[300] = {0};
    for (size_t size = 1; size <= sizeof bytes; size += 13)
        for (size_t i = 0; i < size; i++) {
            uint64_t before = wr_hash64(bytes, size, 7);
            struct wr_hash128 wide = wr_hash128_of(bytes, size, 7);
            bytes[i] = 1;
            assert_true(wr_hash64(bytes, size, 7) != before);
            assert_true(wr_hash128_of(bytes, size, 7).low != wide.low || wr_hash128_of(bytes, size, 7).high != wide.high);
            bytes[i] = 0;
            assert_true(wr_hash64(bytes, size, 7) == before && wr_hash64(bytes, size, 8) != before);
        }
    assert_true(wr_mix64(0) != 0 && wr_mix64(1) != wr_mix64(2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffers_grow_and_format),
        cmocka_unit_test(slices_compare_by_bytes),
        cmocka_unit_test(utf8_is_checked_to_the_byte),
        cmocka_unit_test(distances_count_edits_and_swaps),
        cmocka_unit_test(the_nearest_name_is_suggested_if_it_is_alone),
        cmocka_unit_test(errors_take_context_in_front),
        cmocka_unit_test(hashes_depend_on_every_byte_and_the_seed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
