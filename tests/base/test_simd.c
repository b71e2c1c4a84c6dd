/* The vector functions against their scalar twins, at every alignment and for every value. */
#include "base/hash.h"
#include "base/simd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

static void bytes_that_equal_are_found_as_by_a_loop(void **state)
{
    WR_UNUSED(state);
    unsigned char bytes[64];
    for (unsigned round = 0; round < 200; round++) {
        for (unsigned i = 0; i < sizeof bytes; i++) {
            uint64_t x = wr_mix64(round * 64 + i);
            bytes[i] = (unsigned char)(round % 2 ? x : x % 3);
        }
        for (unsigned at = 0; at <= sizeof bytes - 16; at++)
            for (unsigned value = 0; value < 256; value++) {
                uint32_t expected = 0;
                for (unsigned i = 0; i < 16; i++) expected |= (uint32_t)(bytes[at + i] == value) << i;
                assert_int_equal(wr_equal16(bytes + at, (uint8_t)value), expected);
                assert_int_equal(wr_equal16_scalar(bytes + at, (uint8_t)value), expected);
            }
    }
}

static void the_lowest_bit_is_found(void **state)
{
    WR_UNUSED(state);
    for (unsigned i = 0; i < 64; i++) {
        assert_int_equal(wr_lowest_bit((uint64_t)1 << i), i);
        assert_int_equal(wr_lowest_bit(UINT64_MAX << i), i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_that_equal_are_found_as_by_a_loop),
        cmocka_unit_test(the_lowest_bit_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
