/* Values as text and back: exact forms, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/hash.h"
#include "vm/code.h"
#include "vm/decimal.h"
#include "vm/text.h"

static char text[WR_TEXT_MAX + 1];

static const char *printed(size_t size)
{
    assert_true(size <= WR_TEXT_MAX);
    text[size] = 0;
    return text;
}

/* The value of a type that the text is read as, printed again; "-" when it is refused. */
static const char *through(struct wr_type type, const char *from)
{
    static struct wr_buf out;
    struct wr_value value;
    wr_buf_release(&out);
    out = (struct wr_buf){0};
    if (!wr_value_parse(type, wr_slice_cstr(from), &value)) return "-";
    wr_value_print(type, &value, &out);
    return wr_buf_cstr(&out);
}

struct pair {
    const char *from, *to;
};

static void check_pairs(struct wr_type type, const struct pair *pair, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *to = through(type, pair[i].from);
        if (strcmp(to, pair[i].to) != 0) print_error("'%s' became '%s'\n", pair[i].from, to);
        assert_string_equal(to, pair[i].to);
    }
}
#define CHECK(type, ...)                                                                                  \
    do {                                                                                                  \
        static const struct pair pairs[] = {__VA_ARGS__};                                                 \
        check_pairs(type, pairs, WR_COUNT(pairs));                                                        \
    } while (0)

static void integers(void **state)
{
    (void)state;
    CHECK(wr_type_of(WR_KIND_BIGINT), {"0", "0"}, {"-0", "0"}, {"+7", "7"}, {"007", "7"},
          {"9223372036854775807", "9223372036854775807"}, {"-9223372036854775808", "-9223372036854775808"},
          {"9223372036854775808", "-"}, {"-9223372036854775809", "-"}, {"", "-"}, {"-", "-"}, {" 1", "-"},
          {"1 ", "-"}, {"1.0", "-"}, {"1e3", "-"}, {"99999999999999999999", "-"}, {"0x10", "-"});
    CHECK(wr_type_of(WR_KIND_INT), {"2147483647", "2147483647"}, {"-2147483648", "-2147483648"},
          {"2147483648", "-"});
    CHECK(wr_type_of(WR_KIND_BOOLEAN), {"true", "true"}, {"FALSE", "false"}, {"1", "-"}, {"t", "-"}, {"", "-"});
}

static void decimals(void **state)
{
    (void)state;
    CHECK(wr_type_decimal(5, 2), {"1", "1.00"}, {"1.005", "1.01"}, {"1.004", "1.00"}, {"-1.005", "-1.01"},
          {"999.994", "999.99"}, {"999.995", "-"}, {"1000", "-"}, {"-999.99", "-999.99"}, {".5", "0.50"},
          {"5.", "5.00"}, {"1e2", "100.00"}, {"12345e-3", "12.35"}, {"1e-5", "0.00"}, {"5e-3", "0.01"},
          {"49e-4", "0.00"}, {"0e999999999999", "0.00"}, {"0e9", "0.00"}, {"1e9", "-"}, {"+3.1", "3.10"},
          {"-0", "0.00"}, {"", "-"}, {".", "-"}, {"e5", "-"}, {"1e", "-"}, {"1.2.3", "-"},
          {"0.0049999999999999999999999999999999999999999", "0.00"});
    CHECK(wr_type_decimal(38, 0),
          {"99999999999999999999999999999999999999", "99999999999999999999999999999999999999"},
          {"-99999999999999999999999999999999999999", "-99999999999999999999999999999999999999"},
          {"100000000000000000000000000000000000000", "-"}, {"99999999999999999999999999999999999999.5", "-"},
          {"340282366920938463463374607431768211456", "-"},
          {"0000000000000000000000000000000000000000000000001", "1"});
    CHECK(wr_type_decimal(38, 38),
          {"0.12345678901234567890123456789012345678", "0.12345678901234567890123456789012345678"},
          {"1", "-"},
          {"0.99999999999999999999999999999999999999", "0.99999999999999999999999999999999999999"},
          {"0.999999999999999999999999999999999999995", "-"},
          {"1e-38", "0.00000000000000000000000000000000000001"});
}

static void doubles(void **state)
{
    (void)state;
    CHECK(wr_type_of(WR_KIND_DOUBLE), {"0.1", "0.1"}, {"1", "1"}, {"1.0", "1"}, {"-0", "-0"},
          {"1e300", "1e+300"}, {"100000", "100000"}, {"1e16", "1e+16"},
          {"9999999999999998", "9999999999999998"}, {"0.000001", "0.000001"}, {"1e-7", "1e-07"},
          {"123456.789e3", "123456789"}, {"0.30000000000000004", "0.30000000000000004"}, {"1e-400", "0"},
          {"1e400", "-"}, {"inf", "-"}, {"nan", "-"}, {"-inf", "-"}, {"0x1p3", "-"}, {"", "-"}, {"-", "-"},
          {"+1.5", "1.5"}, {"+-1", "-"}, {".5", "0.5"}, {"5e-324", "5e-324"}, {"1 ", "-"},
          {"1.7976931348623157e308", "1.7976931348623157e+308"});
    CHECK(wr_type_of(WR_KIND_FLOAT), {"0.1", "0.1"}, {"16777217", "16777216"},
          {"3.4028235e38", "3.4028235e+38"}, {"1e39", "-"});
    for (uint64_t i = 0; i < 20000; i++) {
        uint64_t bits = wr_mix64(i);
        double value, back;
        memcpy(&value, &bits, sizeof value);
        if (value != value || value - value != 0) continue;
        assert_true(wr_parse_f64(wr_slice_cstr(printed(wr_print_f64(text, value))), &back));
        assert_memory_equal(&value, &back, sizeof value);
    }
}

static void timestamps(void **state)
{
    (void)state;
    CHECK(wr_type_of(WR_KIND_TIMESTAMP), {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
          {"2026-03-01", "2026-03-01T00:00:00Z"}, {"2026-03-01 12:34", "2026-03-01T12:34:00Z"},
          {"2026-03-01t12:34:56.5z", "2026-03-01T12:34:56.5Z"},
          {"2026-03-01T12:34:56.123456789", "2026-03-01T12:34:56.123456Z"},
          {"2026-03-01T00:30:00+02:00", "2026-02-28T22:30:00Z"},
          {"2026-03-01T00:30:00-0530", "2026-03-01T06:00:00Z"},
          {"2026-03-01T00:30:00+02", "2026-02-28T22:30:00Z"}, {"2024-02-29", "2024-02-29T00:00:00Z"},
          {"2023-02-29", "-"}, {"1900-02-29", "-"}, {"2000-02-29", "2000-02-29T00:00:00Z"},
          {"0001-01-01", "0001-01-01T00:00:00Z"}, {"0000-12-31", "0000-12-31T00:00:00Z"},
          {"-0001-01-01", "-0001-01-01T00:00:00Z"},
          {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999Z"},
          {"+12345-06-07", "+12345-06-07T00:00:00Z"}, {"2016-12-31T23:59:60Z", "2017-01-01T00:00:00Z"},
          {"2026-13-01", "-"}, {"2026-00-01", "-"}, {"2026-01-32", "-"}, {"2026-01-01T24:00:00", "-"},
          {"2026-01-01T00:60:00", "-"}, {"2026-01-01T00:00:61", "-"}, {"2026-01-01T", "-"},
          {"2026-01-01T00:00:00.", "-"}, {"2026-01-01T00:00:00.1234567890", "-"},
          {"2026-01-01T00:00:00+", "-"}, {"2026-01-01T00:00:00+24:00", "-"}, {"2026-01-01T00:00:00ZZ", "-"},
          {"2026-1-1", "-"}, {"", "-"}, {"20260101", "-"}, {"+9999999-01-01", "-"});
    CHECK(wr_type_of(WR_KIND_DATE), {"2026-03-01", "2026-03-01"}, {"1969-12-31", "1969-12-31"},
          {"2026-03-01 ", "-"});
    CHECK(wr_type_of(WR_KIND_TIME), {"00:00", "00:00:00"}, {"23:59:59.000001", "23:59:59.000001"},
          {"23:59:60", "-"}, {"24:00", "-"});
    assert_string_equal(printed(wr_print_timestamp(text, INT64_MAX)), "+294247-01-10T04:00:54.775807Z");
    assert_string_equal(printed(wr_print_timestamp(text, INT64_MIN)), "-290308-12-21T19:59:05.224192Z");
    for (uint64_t i = 0; i < 20000; i++) {
        int64_t value = (int64_t)wr_mix64(i) >> (i % 40), back;
        assert_true(wr_parse_timestamp(wr_slice_cstr(printed(wr_print_timestamp(text, value))), &back));
        assert_int_equal(value, back);
    }
}

static void intervals(void **state)
{
    (void)state;
    CHECK(wr_type_of(WR_KIND_INTERVAL), {"10m", "PT10M"}, {"1h30m", "PT1H30M"}, {"250ms", "PT0.25S"},
          {"7d", "P7D"}, {"1w", "P7D"}, {"36h", "P1DT12H"}, {"0s", "PT0S"}, {"-90s", "-PT1M30S"},
          {"PT1H30M", "PT1H30M"}, {"P1DT2H", "P1DT2H"}, {"PT0.000001S", "PT0.000001S"},
          {"-PT1.5S", "-PT1.5S"}, {"1us", "PT0.000001S"}, {"P2W", "P14D"}, {"30m1h", "-"}, {"1h1h", "-"},
          {"10", "-"}, {"h", "-"}, {"10x", "-"}, {"P", "-"}, {"PT", "-"}, {"P1M", "-"}, {"P1Y", "-"},
          {"PT1.5M", "-"}, {"PT1S1M", "-"}, {"P1H", "-"}, {"", "-"}, {"-", "-"},
          {"9223372036854775807us", "P106751991DT4H54.775807S"}, {"9223372036854775808us", "-"},
          {"-9223372036854775808us", "-P106751991DT4H54.775808S"}, {"99999999999d", "-"}, {"1.5h", "-"},
          {"5 minutes", "PT5M"}, {"1 Hour 30 min", "PT1H30M"}, {"5 minutes 1 hour", "-"}, {" ", "-"});
    for (uint64_t i = 0; i < 20000; i++) {
        int64_t value = (int64_t)wr_mix64(i) >> (i % 60), back;
        assert_true(wr_parse_interval(wr_slice_cstr(printed(wr_print_interval(text, value))), &back));
        assert_int_equal(value, back);
    }
}

/* ---- Decimal arithmetic, against long division by hand -------------------------------------------- */

static wr_i128 dec(const char *digits)
{
    wr_i128 value = 0;
    assert_true(wr_parse_decimal(wr_slice_cstr(digits), 38, 0, &value));
    return value;
}

static const char *shown(wr_i128 value, enum wr_reason e)
{
    return e ? wr_reason_name(e) : printed(wr_print_decimal(text, value, 0));
}

static void decimal_arithmetic(void **state)
{
    static const struct {
        char op;
        const char *b, *c;
        int k;
        const char *result;
    } cases[] = {
        {'*', "99999999999999999999999999999999999999", "10", -1, "99999999999999999999999999999999999999"},
        {'*', "99999999999999999999999999999999999999", "99999999999999999999999999999999999999", -38,
         "99999999999999999999999999999999999998"},
        {'*', "99999999999999999999999999999999999999", "99999999999999999999999999999999999999", -37,
         "overflow"},
        {'*', "99999999999999999999999999999999999999", "2", 0, "overflow"},
        {'*', "5", "5", -1, "3"},
        {'*', "-5", "5", -1, "-3"},
        {'*', "5", "9", -2, "0"},
        {'*', "5", "10", -2, "1"},
        {'*', "1", "1", -76, "0"},
        {'*', "3", "7", 2, "2100"},
        {'*', "1", "1", 38, "overflow"},
        {'*', "0", "1", 76, "0"},
        {'/', "1", "3", 6, "333333"},
        {'/', "2", "3", 6, "666667"},
        {'/', "-2", "3", 6, "-666667"},
        {'/', "1", "0", 0, "division by zero"},
        {'/', "1", "8", 2, "13"},
        {'/', "99999999999999999999999999999999999999", "99999999999999999999999999999999999999", 37,
         "10000000000000000000000000000000000000"},
        {'/', "99999999999999999999999999999999999999", "1", 1, "overflow"},
        {'/', "99999999999999999999999999999999999999", "99999999999999999999999999999999999998", 37,
         "10000000000000000000000000000000000000"},
        {'/', "1", "99999999999999999999999999999999999999", 76, "overflow"},
        {'/', "1", "99999999999999999999999999999999999999", 75, "10000000000000000000000000000000000000"},
        {'/', "1500", "1", -3, "2"},
        {'/', "1499", "1", -3, "1"},
        {'/', "99999999999999999999999999999999999999", "1", -76, "0"},
        {'%', "7", "3", 0, "1"},
        {'%', "-7", "3", 0, "-1"},
        {'%', "7", "-3", 0, "1"},
        {'%', "7", "0", 0, "division by zero"},
        {'+', "99999999999999999999999999999999999999", "1", 0, "overflow"},
        {'+', "99999999999999999999999999999999999999", "99999999999999999999999999999999999999", 0,
         "overflow"},
        {'-', "-99999999999999999999999999999999999999", "99999999999999999999999999999999999999", 0,
         "overflow"},
        {'-', "-99999999999999999999999999999999999999", "-99999999999999999999999999999999999999", 0, "0"},
    };
    (void)state;
    for (size_t i = 0; i < WR_COUNT(cases); i++) {
        enum wr_reason e = WR_REASON_NONE;
        wr_i128 b = dec(cases[i].b), c = dec(cases[i].c), r = 0;
        switch (cases[i].op) {
        case '*': r = wr_dec_mul(b, c, cases[i].k, &e); break;
        case '/': r = wr_dec_div(b, c, cases[i].k, &e); break;
        case '%': r = wr_dec_mod(b, c, &e); break;
        case '+': r = wr_dec_add(b, c, &e); break;
        default: r = wr_dec_sub(b, c, &e); break;
        }
        if (strcmp(shown(r, e), cases[i].result) != 0)
            print_error("%s %c %s shift %d: %s\n", cases[i].b, cases[i].op, cases[i].c, cases[i].k,
                        shown(r, e));
        assert_string_equal(shown(r, e), cases[i].result);
    }
}

/* The wide division agrees with 128-bit division where that suffices, and with its own inverse where not. */
static void decimal_division_is_inverse(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 3000; i++) {
        enum wr_reason e = WR_REASON_NONE;
        wr_i128 b = (wr_i128)(wr_mix64(i) >> (i % 50)), c = (wr_i128)(wr_mix64(i + 7777) >> (i % 61)) + 1;
        wr_i128 big = b * 1000000007;
        wr_i128 product = wr_dec_mul(big, c, 0, &e);
        if (e) continue;
        assert_true(wr_dec_div(product, c, 0, &e) == big && !e);
        wr_i128 q = wr_dec_div(b, c, 30, &e);
        if (e) continue;
        /* q = b * 10^30 / c rounded: |q * c - b * 10^30| <= c / 2, where that fits in 128 bits. */
        if (b > (wr_i128)1 << 26 || c > (wr_i128)1 << 26) continue;
        wr_i128 rest = q * c - b * wr_pow10(30);
        assert_true((rest < 0 ? -rest : rest) * 2 <= c);
    }
    assert_true(wr_dec_compare(5, 50, 1) == 0);
    assert_true(wr_dec_compare(5, 49, 1) > 0);
    assert_true(wr_dec_compare(-5, -49, 1) < 0);
    assert_true(wr_dec_compare(50, 5, -1) == 0);
    assert_true(wr_dec_compare(1, dec("99999999999999999999999999999999999999"), 38) > 0);
    assert_true(wr_dec_compare(-1, -dec("99999999999999999999999999999999999999"), 76) < 0);
    assert_true(wr_dec_compare(0, -1, 76) > 0);
}

static void decimals_and_doubles(void **state)
{
    enum wr_reason e = WR_REASON_NONE;
    (void)state;
    assert_true(wr_dec_to_f64(1, 1) == 0.1);
    assert_true(wr_dec_to_f64(dec("12345678901234567890123456789012345678"), 38) ==
                0.12345678901234567890123456789012345678);
    assert_true(wr_dec_to_f64(dec("9007199254740993"), 0) == 9007199254740992.0);
    assert_true(wr_dec_to_f64(dec("-90071992547409935"), 1) == -9007199254740993.5);
    assert_true(wr_dec_from_f64(0.1, 10, 2, &e) == 10 && !e);
    assert_true(wr_dec_from_f64(2.675, 10, 2, &e) == 268 && !e);
    assert_true(wr_dec_from_f64(-1e20, 38, 0, &e) == -wr_pow10(20) && !e);
    assert_true(wr_dec_from_f64(1e38, 38, 0, &e) == 0 && e == WR_REASON_OVERFLOW);
    e = WR_REASON_NONE;
    assert_int_equal(wr_dec_to_i64(-199, 2, &e), -1);
    assert_int_equal(wr_dec_to_i64(wr_pow10(37), 0, &e), 0);
    assert_int_equal(e, WR_REASON_OVERFLOW);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers),           cmocka_unit_test(decimals),
        cmocka_unit_test(doubles),            cmocka_unit_test(timestamps),
        cmocka_unit_test(intervals),          cmocka_unit_test(decimal_arithmetic),
        cmocka_unit_test(decimal_division_is_inverse), cmocka_unit_test(decimals_and_doubles),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
