/* JSON lines: what a record is, what stands beside a bad one, and every type from its text. */
#include "connectors/harness.h"

static void fields_become_columns_wherever_they_stand(void **state)
{
    (void)state;
    expect_json("a:STRING b:BIGINT",
                "{\"a\":\"x\",\"b\":1}\n{\"b\":2,\"a\":\"y\"}\n"
                    "{\"c\":[1,{\"a\":5}],\"b\":3,\"d\":{\"b\":9},\"a\":\"z\"}\n"
                "  { \"a\" : \"w\" ,\t\"b\" : 4 }  \r\n{\"a\":\"v\",\"b\":5}",
                "{\"a\":\"x\",\"b\":1}\n{\"a\":\"y\",\"b\":2}\n{\"a\":\"z\",\"b\":3}\n{\"a\":\"w\",\"b\":4}\n"
                    "{\"a\":\"v\",\"b\":5}\n");
}

static void of_duplicate_fields_the_first_counts(void **state)
{
    (void)state;
    expect_json("a:BIGINT b:BIGINT x:BIGINT@o.x y:BIGINT@o.y",
                "{\"a\":1,\"a\":2,\"b\":3,\"a\":4}\n{\"a\":1,\"a\":\"bad but not read\",\"b\":3}\n"
                "{\"b\":1,\"a\":2,\"b\":7}\n{\"o\":{\"x\":1},\"o\":{\"x\":5,\"y\":6}}\n{\"a\":null,\"a\":3}\n",
                "{\"a\":1,\"b\":3,\"x\":null,\"y\":null}\n{\"a\":1,\"b\":3,\"x\":null,\"y\":null}\n"
                "{\"a\":2,\"b\":1,\"x\":null,\"y\":null}\n{\"a\":null,\"b\":null,\"x\":1,\"y\":null}\n"
                "{\"a\":null,\"b\":null,\"x\":null,\"y\":null}\n");
}

static void a_bad_line_is_one_bad_record_and_its_neighbours_stand(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"{\"a\":\"open}", "W3102 malformed JSON"},
        {"{\"a\":\"x\"", "W3102 malformed JSON"},
        {"{\"a\":\"x\",", "W3102 malformed JSON"},
        {"{\"a\":", "W3102 malformed JSON"},
        {"{\"a\"", "W3102 malformed JSON"},
        {"{", "W3102 malformed JSON"},
        {"}", "W3101 not a JSON object"},
        {"{\"a\":\"x\"}}", "W3102 malformed JSON"},
        {"{\"a\":\"x\"} {\"a\":\"y\"}", "W3102 malformed JSON"},
        {"{\"a\":\"x\"} 5", "W3102 malformed JSON"},
        {"[\"a\"]", "W3101 not a JSON object"},
        {"\"a\"", "W3101 not a JSON object"},
        {"plain text", "W3101 not a JSON object"},
        {"{\"a\":\"x\",}", "W3102 malformed JSON"},
        {"{,\"a\":\"x\"}", "W3102 malformed JSON"},
        {"{\"a\" \"x\"}", "W3102 malformed JSON"},
        {"{\"a\":\"x\" \"b\":1}", "W3102 malformed JSON"},
        {"{a:\"x\"}", "W3102 malformed JSON"},
        {"{\"a\":\"x\",\"q\":[1,2}", "W3102 malformed JSON"},
        {"{\"a\":\"x\",\"q\":{]}}", "W3102 malformed JSON"},
        {"{\"a\":\"x\",\"q\":}", "W3102 malformed JSON"},
        {"{\"a\":\"x\"]", "W3102 malformed JSON"},
        {"{\"a\":\"\xff\"}", "W3103 invalid UTF-8"},
        {"{\"a\":\"x\",\"q\":\"\xc3\"}", "W3103 invalid UTF-8"},
        {"{\"a\":\"a\001b\"}", "W3102 malformed JSON"},
        {"{\"a\":\"x\\q\"}", "W3112 invalid escape in a string a"},
        {"{\"a\":\"\\ud800\"}", "W3112 invalid escape in a string a"},
        {"{\"a\":\"\\ud800\\u0041\"}", "W3112 invalid escape in a string a"},
        {"{\"a\":\"\\udc00\"}", "W3112 invalid escape in a string a"},
        {"{\"a\":\"\\u12\"}", "W3112 invalid escape in a string a"},
        {"{\"a\":5}", "W3113 not a string a"},
        {"{\"a\":true}", "W3113 not a string a"},
        {"{\"a\":{\"b\":1}}", "W3113 not a string a"},
        {"{\"a\":[1]}", "W3113 not a string a"},
        {"{\"a\":nul}", "W3102 malformed JSON a"},
        {"{\"a\":\"x\"x}", "W3102 malformed JSON"},
    };
    for (size_t i = 0; i < WR_COUNT(bad); i++) {
        struct wr_buf text = {0}, wanted = {0};
        wr_buf_printf(&text, "{\"a\":\"1\"}\n%s\n{\"a\":\"2\"}\n\n{\"a\":\"3\"}\n%s\n{\"a\":\"4\"}", bad[i][0],
            bad[i][0]);
        wr_buf_printf(&wanted, "{\"a\":\"1\"}\n{\"a\":\"2\"}\n{\"a\":\"3\"}\n{\"a\":\"4\"}\n! 1 2 %s: %s\n"
            "! 4 6 %s: %s\n", bad[i][1],
                      bad[i][0], bad[i][1], bad[i][0]);
        expect_json("a:STRING", wr_buf_cstr(&text), wr_buf_cstr(&wanted));
        wr_buf_release(&text);
        wr_buf_release(&wanted);
    }
}

static void a_record_over_two_lines_is_two_bad_records(void **state)
{
    (void)state;
    expect_json("a:BIGINT b:BIGINT", "{\"a\":1,\n\"b\":2}\n{\"a\":\n5,\"b\":6}\n{\"a\":7,\"b\":8\n}\n{\n\"a\":1}\n"
        "{\"a\":3,\"b\":4}\n",
                "{\"a\":3,\"b\":4}\n! 0 1 W3102 malformed JSON: {\"a\":1,\n! 1 2 W3101 not a JSON object: \"b\":2}\n"
                "! 2 3 W3102 malformed JSON: {\"a\":\n! 3 4 W3101 not a JSON object: 5,\"b\":6}\n"
                "! 4 5 W3102 malformed JSON: {\"a\":7,\"b\":8\n! 5 6 W3101 not a JSON object: }\n"
                "! 6 7 W3102 malformed JSON: {\n! 7 8 W3101 not a JSON object: \"a\":1}\n");
}

static void fields_that_nothing_reads_are_only_balanced(void **state)
{
    (void)state;
    expect_json("a:BIGINT", "{\"q\":nonsense,\"a\":1}\n{\"q\":[1 2 :],\"a\":2}\n{\"q\":01,\"a\":3}\n", "{\"a\":1}\n"
        "{\"a\":2}\n{\"a\":3}\n");
}

static void blank_lines_bom_and_carriage_returns_are_passed_over(void **state)
{
    (void)state;
    expect_json("a:BIGINT o:BIGINT#OFFSET", "\xef\xbb\xbf\n \t\r\n{\"a\":1}\r\n\r\n\n{\"a\":2}\r\n   ",
        "{\"a\":1,\"o\":0}\n{\"a\":2,\"o\":1}\n");
    expect_json("a:BIGINT", "\xef\xbb\xbf{\"a\":1}\n", "{\"a\":1}\n");
    expect_json("a:BIGINT", "", "");
    expect_json("a:BIGINT", "\n", "");
    expect_json("a:BIGINT", "\xef\xbb\xbf", "");
    expect_json("a:BIGINT", "{\"a\":1}\r{\"a\":2}\r", "! 0 1 W3102 malformed JSON: {\"a\":1}\r{\"a\":2}\n");
}

static void absent_and_null_differ_for_defaults_only(void **state)
{
    (void)state;
    expect_json("a:BIGINT=7 b:STRING=x c:BOOLEAN=true d:DECIMAL(5,2)=1.5 e:DOUBLE",
                "{}\n{\"a\":null,\"b\":null,\"c\":null,\"d\":null,\"e\":null}\n"
                    "{\"a\":1,\"b\":\"\",\"c\":false,\"d\":0,\"e\":0}\n",
                "{\"a\":7,\"b\":\"x\",\"c\":true,\"d\":1.50,\"e\":null}\n"
                    "{\"a\":null,\"b\":null,\"c\":null,\"d\":null,\"e\":null}\n"
                "{\"a\":1,\"b\":\"\",\"c\":false,\"d\":0.00,\"e\":0}\n");
    expect_json("a:BIGINT! b:STRING!=x", "{\"a\":1}\n{\"b\":\"y\"}\n{\"a\":null,\"b\":\"y\"}\n{\"a\":2,\"b\":null}\n",
                "{\"a\":1,\"b\":\"x\"}\n! 1 2 W3104 NULL in a NOT NULL column a: {\"b\":\"y\"}\n"
                "! 2 3 W3104 NULL in a NOT NULL column a: {\"a\":null,\"b\":\"y\"}\n"
                "! 3 4 W3104 NULL in a NOT NULL column b: {\"a\":2,\"b\":null}\n");
}

static void paths_lead_into_objects_and_arrays(void **state)
{
    (void)state;
    expect_json("x:BIGINT@o.x y:STRING@o.p.y z:BIGINT@l.[1] w:BIGINT@l.[2].w s:BIGINT=9@o.q",
                "{\"o\":{\"p\":{\"y\":\"a\"},\"x\":1},\"l\":[5,6,{\"w\":7}]}\n{\"o\":null,\"l\":[]}\n"
                    "{\"o\":5,\"l\":{\"1\":2}}\n{}\n"
                "{\"l\":[[1,2],[3],[4]],\"o\":{\"q\":null}}\n"
                    "{\"l\":[1,2,{\"v\":[{\"w\":1}],\"w\":8}],\"o\":{\"p\":[1],\"x\":{}}}\n{\"l\":[1,8],\"o\":{}}\n",
                "{\"x\":1,\"y\":\"a\",\"z\":6,\"w\":7,\"s\":9}\n"
                    "{\"x\":null,\"y\":null,\"z\":null,\"w\":null,\"s\":9}\n"
                "{\"x\":null,\"y\":null,\"z\":null,\"w\":null,\"s\":9}\n"
                    "{\"x\":null,\"y\":null,\"z\":null,\"w\":null,\"s\":9}\n"
                "{\"x\":null,\"y\":null,\"z\":8,\"w\":null,\"s\":9}\n"
                "! 4 5 W3114 not a number z: {\"l\":[[1,2],[3],[4]],\"o\":{\"q\":null}}\n"
                "! 5 6 W3114 not a number x: {\"l\":[1,2,{\"v\":[{\"w\":1}],\"w\":8}],\"o\":{\"p\":[1],\"x\":{}}}\n");
}

static void one_field_may_feed_several_columns(void **state)
{
    (void)state;
    expect_json("a:STRING@v b:BIGINT@v c:DECIMAL(4,1)@v", "{\"v\":\"12\"}\n{\"v\":null}\n{\"v\":\"x\"}\n",
                "{\"a\":\"12\",\"b\":12,\"c\":12.0}\n{\"a\":null,\"b\":null,\"c\":null}\n"
                    "! 2 3 W3114 not a number c: {\"v\":\"x\"}\n");
}

static void keys_and_strings_may_be_escaped(void **state)
{
    (void)state;
    expect_json("card:STRING", "{\"c\\u0061rd\":\"x\"}\n"
        "{\"card\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\ud83d\\ude00\\u0000\"}\n"
        "{\"card\":\"\xc3\xa9\xe2\x82\xac\"}\n",
                "{\"card\":\"x\"}\n{\"card\":\"\\\"\\\\/\\b\\f\\n\\r\\t\xc3\xa9\xf0\x9f\x98\x80\\u0000\"}\n"
                    "{\"card\":\"\xc3\xa9\xe2\x82\xac\"}\n");
}

static void whole_numbers(void **state)
{
    (void)state;
    expect_json("b:BIGINT",
                "{\"b\":0}\n{\"b\":-0}\n{\"b\":9223372036854775807}\n{\"b\":-9223372036854775808}\n{\"b\":5.0}\n"
                    "{\"b\":\"5\"}\n{\"b\":\"5.00\"}\n"
                "{\"b\":1e3}\n{\"b\":1.5e1}\n{\"b\":500e-2}\n{\"b\":100000000000000000000e-20}\n"
                    "{\"b\":0e99999999999}\n{\"b\":0.000}\n{\"b\":12345678901234567}\n",
                "{\"b\":0}\n{\"b\":0}\n{\"b\":9223372036854775807}\n{\"b\":-9223372036854775808}\n{\"b\":5}\n"
                    "{\"b\":5}\n{\"b\":5}\n"
                "{\"b\":1000}\n{\"b\":15}\n{\"b\":5}\n{\"b\":1}\n{\"b\":0}\n{\"b\":0}\n{\"b\":12345678901234567}\n");
    expect_json("b:BIGINT", "{\"b\":9223372036854775808}\n{\"b\":-9223372036854775809}\n{\"b\":5.5}\n"
        "{\"b\":1e99999999999999999999}\n{\"b\":1e-9}\n{\"b\":\"x\"}\n{\"b\":true}\n{\"b\":05}\n{\"b\":+5}\n"
        "{\"b\":5.}\n{\"b\":-}\n",
                "! 0 1 W3105 value out of range b: {\"b\":9223372036854775808}\n"
                    "! 1 2 W3105 value out of range b: {\"b\":-9223372036854775809}\n"
                "! 2 3 W3115 not a whole number b: {\"b\":5.5}\n"
                    "! 3 4 W3105 value out of range b: {\"b\":1e99999999999999999999}\n"
                "! 4 5 W3115 not a whole number b: {\"b\":1e-9}\n! 5 6 W3114 not a number b: {\"b\":\"x\"}\n"
                    "! 6 7 W3114 not a number b: {\"b\":true}\n"
                "! 7 8 W3102 malformed JSON b: {\"b\":05}\n! 8 9 W3102 malformed JSON b: {\"b\":+5}\n"
                    "! 9 10 W3102 malformed JSON b: {\"b\":5.}\n! 10 11 W3102 malformed JSON b: {\"b\":-}\n");
    expect_json("i:INT", "{\"i\":2147483647}\n{\"i\":-2147483648}\n{\"i\":2147483648}\n{\"i\":-2147483649}\n"
        "{\"i\":\"2147483648\"}\n",
                "{\"i\":2147483647}\n{\"i\":-2147483648}\n! 2 3 W3105 value out of range i: {\"i\":2147483648}\n"
                    "! 3 4 W3105 value out of range i: {\"i\":-2147483649}\n"
                    "! 4 5 W3105 value out of range i: {\"i\":\"2147483648\"}\n");
}

static void floating_numbers(void **state)
{
    (void)state;
    expect_json("d:DOUBLE", "{\"d\":118.16}\n{\"d\":0.5}\n{\"d\":-2.50}\n{\"d\":1e-400}\n{\"d\":5e-324}\n"
        "{\"d\":1.7976931348623157e308}\n{\"d\":\"7.5\"}\n{\"d\":3}\n{\"d\":0.1234567890123456789}\n"
        "{\"d\":123456789012345678901234567890}\n{\"d\":9007199254740993}\n",
                "{\"d\":118.16}\n{\"d\":0.5}\n{\"d\":-2.5}\n{\"d\":0}\n{\"d\":5e-324}\n"
                    "{\"d\":1.7976931348623157e+308}\n{\"d\":7.5}\n{\"d\":3}\n{\"d\":0.12345678901234568}\n"
                    "{\"d\":1.2345678901234568e+29}\n{\"d\":9007199254740992}\n");
    expect_json("d:DOUBLE", "{\"d\":1e400}\n{\"d\":-1e400}\n{\"d\":\"NaN\"}\n{\"d\":\"\"}\n{\"d\":.5}\n{\"d\":1.}\n"
        "{\"d\":00.5}\n{\"d\":1.2.3}\n",
                "! 0 1 W3105 value out of range d: {\"d\":1e400}\n! 1 2 W3105 value out of range d: {\"d\":-1e400}\n"
                    "! 2 3 W3114 not a number d: {\"d\":\"NaN\"}\n! 3 4 W3114 not a number d: {\"d\":\"\"}\n"
                "! 4 5 W3102 malformed JSON d: {\"d\":.5}\n! 5 6 W3102 malformed JSON d: {\"d\":1.}\n"
                    "! 6 7 W3102 malformed JSON d: {\"d\":00.5}\n! 7 8 W3102 malformed JSON d: {\"d\":1.2.3}\n");
    expect_json("f:FLOAT", "{\"f\":0.1}\n{\"f\":16777217}\n{\"f\":3.4028235e38}\n{\"f\":1e39}\n{\"f\":1e-60}\n",
        "{\"f\":0.1}\n{\"f\":16777216}\n{\"f\":3.4028235e+38}\n{\"f\":0}\n"
        "! 3 4 W3105 value out of range f: {\"f\":1e39}\n");
}

static void decimals_are_exact_and_rounded_half_up(void **state)
{
    (void)state;
    expect_json("d:DECIMAL(12,2)", "{\"d\":1}\n{\"d\":0.005}\n{\"d\":-0.005}\n{\"d\":0.0049999999999999999999999}\n"
        "{\"d\":\"2.345\"}\n{\"d\":1.5e3}\n{\"d\":9999999999.99}\n{\"d\":9999999999.995}\n{\"d\":1e12}\n"
        "{\"d\":1e-30}\n",
                "{\"d\":1.00}\n{\"d\":0.01}\n{\"d\":-0.01}\n{\"d\":0.00}\n{\"d\":2.35}\n{\"d\":1500.00}\n"
                    "{\"d\":9999999999.99}\n{\"d\":0.00}\n"
                "! 7 8 W3105 value out of range d: {\"d\":9999999999.995}\n"
                    "! 8 9 W3105 value out of range d: {\"d\":1e12}\n");
    expect_json("d:DECIMAL(38,10)", "{\"d\":1234567890123456789012345678.0123456789}\n{\"d\":-0.0000000001}\n"
        "{\"d\":9999999999999999999999999999.9999999999}\n",
                "{\"d\":1234567890123456789012345678.0123456789}\n{\"d\":-0.0000000001}\n"
                    "{\"d\":9999999999999999999999999999.9999999999}\n");
}

static void timestamps_from_texts_and_numbers(void **state)
{
    (void)state;
    expect_json("t:TIMESTAMP", "{\"t\":1767225600001}\n{\"t\":\"2026-01-01T00:00:00Z\"}\n"
        "{\"t\":\"2026-01-01 02:00:00.25+02:00\"}\n{\"t\":\"2026-01-01T00:00:00.123456789\"}\n{\"t\":0}\n{\"t\":-1}\n"
        "{\"t\":1.5}\n{\"t\":\"1767225600001\"}\n{\"t\":-0.0001}\n",
                "{\"t\":\"2026-01-01T00:00:00.001Z\"}\n{\"t\":\"2026-01-01T00:00:00Z\"}\n"
                    "{\"t\":\"2026-01-01T00:00:00.25Z\"}\n{\"t\":\"2026-01-01T00:00:00.123456Z\"}\n"
                    "{\"t\":\"1970-01-01T00:00:00Z\"}\n{\"t\":\"1969-12-31T23:59:59.999Z\"}\n"
                    "{\"t\":\"1970-01-01T00:00:00.0015Z\"}\n{\"t\":\"2026-01-01T00:00:00.001Z\"}\n"
                    "{\"t\":\"1969-12-31T23:59:59.999999Z\"}\n");
    expect_json("t:TIMESTAMP", "{\"t\":\"yesterday\"}\n{\"t\":\"2026-02-30T00:00:00Z\"}\n{\"t\":true}\n{\"t\":1e30}\n"
        "{\"t\":9223372036854775807}\n{\"t\":{}}\n",
                "! 0 1 W3117 not a timestamp t: {\"t\":\"yesterday\"}\n"
                    "! 1 2 W3117 not a timestamp t: {\"t\":\"2026-02-30T00:00:00Z\"}\n"
                    "! 2 3 W3117 not a timestamp t: {\"t\":true}\n"
                "! 3 4 W3105 value out of range t: {\"t\":1e30}\n"
                    "! 4 5 W3105 value out of range t: {\"t\":9223372036854775807}\n"
                    "! 5 6 W3117 not a timestamp t: {\"t\":{}}\n");
    static const char *const units[][3] = {{"s", "1767225600.25", "2026-01-01T00:00:00.25Z"},
                                           {"s", "1767225600", "2026-01-01T00:00:00Z"},
                                           {"us", "1767225600000001", "2026-01-01T00:00:00.000001Z"},
                                           {"ns", "1767225600000001999", "2026-01-01T00:00:00.000001Z"},
                                           {"ns", "-1", "1969-12-31T23:59:59.999999Z"}};
    for (size_t i = 0; i < WR_COUNT(units); i++) {
        struct table t;
        struct wr_buf text = {0}, wanted = {0};
        table_begin(&t, "t:TIMESTAMP");
        table_option(&t, "timestamp_unit", units[i][0]);
        wr_buf_printf(&text, "{\"t\":%s}\n", units[i][1]);
        wr_buf_printf(&wanted, "{\"t\":\"%s\"}\n", units[i][2]);
        expect_from(&t, "json", wr_buf_slice(&text), wr_buf_cstr(&wanted));
        wr_buf_release(&text);
        wr_buf_release(&wanted);
        table_end(&t);
    }
}

/* The short ways of common texts must not be told apart from the parsers that casts use. */
static void numbers_and_times_are_read_as_casts_read_them(void **state)
{
    (void)state;
    static const char digits[] = "0123456789";
    uint64_t seed = 5;
    for (int round = 0; round < 60; round++) {
        struct wr_buf text = {0}, wanted = {0};
        for (int i = 0; i < 1000; i++) {
            char number[40], time[64];
            size_t n = 0, m;
            seed = wr_mix64(seed);
            if (seed & 1) number[n++] = '-';
            for (unsigned k = 1 + (unsigned)(seed >> 8) % 9; k > 0; k--) number[n++] = digits[wr_mix64(seed + k) % 10];
            if (seed & 2) number[n++] = '.';
            for (unsigned k = seed & 2 ? 1 + (unsigned)(seed >> 16) % 12 : 0; k > 0; k--)
                number[n++] = digits[wr_mix64(seed - k) % 10];
            size_t first = number[0] == '-';
            if (number[first] == '0' && n > first + 1 && number[first + 1] != '.') number[first] = '1';
            double f;
            int64_t at = 1767225600000000 + (int64_t)(wr_mix64(seed ^ 9) % 400000000000) * (seed & 4 ? 1 : 1000), back;
            assert_true(wr_parse_f64(wr_slice_of(number, n), &f));
            m = wr_print_timestamp(time, at);
            assert_true(wr_parse_timestamp(wr_slice_of(time, m), &back));
            wr_buf_printf(&text, "{\"d\":%.*s,\"t\":\"%.*s\",\"u\":%.*s}\n", (int)n, number, (int)m, time, (int)n, number);
            wr_buf_add_cstr(&wanted, "{\"d\":");
            wanted.size += wr_print_f64(wr_buf_reserve(&wanted, WR_TEXT_MAX), f);
            wr_buf_printf(&wanted, ",\"t\":\"%.*s\",\"u\":", (int)m, time);
            wr_i128 dec;
            assert_true(wr_parse_decimal(wr_slice_of(number, n), 30, 3, &dec));
            wanted.size += wr_print_decimal(wr_buf_reserve(&wanted, WR_TEXT_MAX), dec, 3);
            wr_buf_add_cstr(&wanted, "}\n");
        }
        struct table t;
        struct wr_buf out = {0};
        table_begin(&t, "d:DOUBLE t:TIMESTAMP u:DECIMAL(30,3)");
        read_text(&t, "json", wr_buf_slice(&text), SIZE_MAX, &out);
        assert_string_equal(wr_buf_cstr(&out), wr_buf_cstr(&wanted));
        table_end(&t);
        wr_buf_release(&text);
        wr_buf_release(&wanted);
        wr_buf_release(&out);
    }
}

static void odd_times_take_the_long_way(void **state)
{
    (void)state;
    expect_json("t:TIMESTAMP",
                "{\"t\":\"2026-01-01T00:00:00.1Z\"}\n{\"t\":\"2026-01-01T00:00:00.1234567Z\"}\n"
                "{\"t\":\"2026-01-01T00:00:00.Z\"}\n{\"t\":\"2026-01-01T24:00:00Z\"}\n{\"t\":\"2026-02-29T00:00:00Z\"}\n"
                "{\"t\":\"2024-02-29T23:59:59Z\"}\n{\"t\":\"2026-01-01T00:0x:00Z\"}\n{\"t\":\"2026-01-01T00:00:00.12x4Z\"}\n",
                "{\"t\":\"2026-01-01T00:00:00.1Z\"}\n{\"t\":\"2026-01-01T00:00:00.123456Z\"}\n"
                "{\"t\":\"2024-02-29T23:59:59Z\"}\n"
                "! 2 3 W3117 not a timestamp t: {\"t\":\"2026-01-01T00:00:00.Z\"}\n"
                "! 3 4 W3117 not a timestamp t: {\"t\":\"2026-01-01T24:00:00Z\"}\n"
                "! 4 5 W3117 not a timestamp t: {\"t\":\"2026-02-29T00:00:00Z\"}\n"
                "! 6 7 W3117 not a timestamp t: {\"t\":\"2026-01-01T00:0x:00Z\"}\n"
                "! 7 8 W3117 not a timestamp t: {\"t\":\"2026-01-01T00:00:00.12x4Z\"}\n");
}

static void the_other_types(void **state)
{
    (void)state;
    expect_json("b:BOOLEAN d:DATE t:TIME i:INTERVAL y:BYTES",
        "{\"b\":true,\"d\":\"2026-02-28\",\"t\":\"13:05:00.5\",\"i\":\"PT1H30M\",\"y\":\"AAECAw==\"}\n"
        "{\"b\":false,\"i\":\"90s\",\"y\":\"\"}\n",
                "{\"b\":true,\"d\":\"2026-02-28\",\"t\":\"13:05:00.5\",\"i\":\"PT1H30M\",\"y\":\"AAECAw==\"}\n"
                    "{\"b\":false,\"d\":null,\"t\":null,\"i\":\"PT1M30S\",\"y\":\"\"}\n");
    expect_json("b:BOOLEAN", "{\"b\":1}\n{\"b\":\"true\"}\n{\"b\":[]}\n", "! 0 1 W3116 not a boolean b: {\"b\":1}\n"
        "! 1 2 W3116 not a boolean b: {\"b\":\"true\"}\n! 2 3 W3116 not a boolean b: {\"b\":[]}\n");
    expect_json("d:DATE", "{\"d\":20260101}\n{\"d\":\"2026-13-01\"}\n", "! 0 1 W3118 not a date d: {\"d\":20260101}\n"
        "! 1 2 W3118 not a date d: {\"d\":\"2026-13-01\"}\n");
    expect_json("t:TIME", "{\"t\":\"25:00:00\"}\n", "! 0 1 W3119 not a time of day t: {\"t\":\"25:00:00\"}\n");
    expect_json("i:INTERVAL", "{\"i\":\"soon\"}\n{\"i\":5}\n", "! 0 1 W3120 not an interval i: {\"i\":\"soon\"}\n"
        "! 1 2 W3120 not an interval i: {\"i\":5}\n");
    expect_json("y:BYTES", "{\"y\":\"A\"}\n{\"y\":\"AA=A\"}\n{\"y\":\"%%%%\"}\n{\"y\":7}\n",
        "! 0 1 W3121 not base64 y: {\"y\":\"A\"}\n! 1 2 W3121 not base64 y: {\"y\":\"AA=A\"}\n"
        "! 2 3 W3121 not base64 y: {\"y\":\"%%%%\"}\n! 3 4 W3121 not base64 y: {\"y\":7}\n");
}

static void columns_of_the_record_itself(void **state)
{
    (void)state;
    expect_json("a:BIGINT o:BIGINT#OFFSET p:INT#PARTITION k:STRING#KEY t:TIMESTAMP#TIME", "{\"a\":1}\nbad\n"
        "{\"a\":2,\"o\":77}\n",
                "{\"a\":1,\"o\":0,\"p\":0,\"k\":null,\"t\":null}\n{\"a\":2,\"o\":2,\"p\":0,\"k\":null,\"t\":null}\n"
                    "! 1 2 W3101 not a JSON object: bad\n");
}

/* More shapes of record than a plan holds, each field in every place, among good and bad ones. */
static void records_of_many_shapes_are_read_alike(void **state)
{
    (void)state;
    struct wr_buf text = {0}, wanted = {0};
    uint64_t seed = 7;
    for (int i = 0; i < 5000; i++) {
        seed = wr_mix64(seed);
        unsigned order = (unsigned)(seed % 6), noise = (unsigned)(seed >> 8) % 200,
            spaces = (unsigned)(seed >> 16) % 3;
        const char *gap = spaces == 0 ? "" : spaces == 1 ? " " : " \t ";
        static const unsigned orders[6][3] = {{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
        wr_buf_printf(&text, "{\"noise%u\":%s[{\"a\":1}]", noise, gap);
        for (unsigned k = 0; k < 3; k++) {
            unsigned f = orders[order][k];
            if (f == 0) wr_buf_printf(&text, ",%s\"a\":%s%d", gap, gap, i);
            if (f == 1) wr_buf_printf(&text, ",%s\"a_rather_long_name_of_a_field\"%s:\"v%d\"%s", gap, gap, i, gap);
            if (f == 2) wr_buf_printf(&text, ",\"o\":%s{\"noise%u\":0,\"x\":%d.25}", gap, noise % 7, i);
        }
        wr_buf_add_cstr(&text, "}\n");
        wr_buf_printf(&wanted, "{\"a\":%d,\"a_rather_long_name_of_a_field\":\"v%d\",\"x\":%d.25}\n", i, i, i);
    }
    struct table t;
    table_begin(&t, "a:BIGINT a_rather_long_name_of_a_field:STRING x:DOUBLE@o.x");
    expect_from(&t, "json", wr_buf_slice(&text), wr_buf_cstr(&wanted));
    table_end(&t);
    wr_buf_release(&text);
    wr_buf_release(&wanted);
}

static void deep_nesting_is_a_bad_record_and_no_crash(void **state)
{
    (void)state;
    struct wr_buf text = {0};
    wr_buf_add_cstr(&text, "{\"q\":");
    for (int i = 0; i < 4000; i++) wr_buf_add_char(&text, '[');
    for (int i = 0; i < 4000; i++) wr_buf_add_char(&text, ']');
    wr_buf_add_cstr(&text, ",\"a\":1}\n{\"q\":");
    for (int i = 0; i < 100000; i++) wr_buf_add_char(&text, '[');
    wr_buf_add_cstr(&text, "\n{\"a\":2}\n");
    struct table t;
    table_begin(&t, "a:BIGINT");
    expect_from(&t, "json", wr_buf_slice(&text), "{\"a\":1}\n{\"a\":2}\n"
        "! 1 2 W3108 nested too deeply: {\"q\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\n");
    table_end(&t);
    wr_buf_release(&text);
}

static void a_line_of_50_megabytes_is_a_record(void **state)
{
    (void)state;
    struct wr_buf text = {0};
    size_t size = 50 << 20;
    wr_buf_add_cstr(&text, "{\"a\":1,\"s\":\"small\"}\n{\"s\":\"");
    memset(wr_buf_reserve(&text, size), 'x', size);
    text.size += size;
    wr_buf_add_cstr(&text, "\",\"a\":2}\n{\"a\":3,\"s\":\"\"}\n");
    struct table t;
    table_begin(&t, "a:BIGINT s:STRING");
    struct wr_buf out = {0};
    read_text(&t, "json", wr_buf_slice(&text), SIZE_MAX, &out);
    assert_int_equal(out.size, text.size);
    assert_memory_equal(out.data, "{\"a\":1,\"s\":\"small\"}\n{\"a\":2,\"s\":\"xxx", 35);
    table_end(&t);
    wr_buf_release(&text);
    wr_buf_release(&out);
}

static void a_line_past_the_limit_is_one_bad_record(void **state)
{
    (void)state;
    struct wr_buf text = {0}, out = {0};
    size_t size = (size_t)WR_RECORD_BYTES_MAX + 1000;
    wr_buf_add_cstr(&text, "{\"a\":1}\n{\"s\":\"");
    memset(wr_buf_reserve(&text, size), 'x', size);
    text.size += size;
    wr_buf_add_cstr(&text, "\",\"a\":2}\nbad\n{\"a\":3}\n");
    struct table t;
    table_begin(&t, "a:BIGINT");
    read_text(&t, "json", wr_buf_slice(&text), SIZE_MAX, &out);
    assert_string_equal(wr_buf_cstr(&out), "{\"a\":1}\n"
        "! 1 2 W3107 record too long: {\"s\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n"
                                           "! 2 3 W3101 not a JSON object: bad\n{\"a\":3}\n");
    table_end(&t);
    wr_buf_release(&text);
    wr_buf_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_become_columns_wherever_they_stand),
        cmocka_unit_test(of_duplicate_fields_the_first_counts),
        cmocka_unit_test(a_bad_line_is_one_bad_record_and_its_neighbours_stand),
        cmocka_unit_test(a_record_over_two_lines_is_two_bad_records),
        cmocka_unit_test(fields_that_nothing_reads_are_only_balanced),
        cmocka_unit_test(blank_lines_bom_and_carriage_returns_are_passed_over),
        cmocka_unit_test(absent_and_null_differ_for_defaults_only),
        cmocka_unit_test(paths_lead_into_objects_and_arrays),
        cmocka_unit_test(one_field_may_feed_several_columns),
        cmocka_unit_test(keys_and_strings_may_be_escaped),
        cmocka_unit_test(whole_numbers),
        cmocka_unit_test(floating_numbers),
        cmocka_unit_test(decimals_are_exact_and_rounded_half_up),
        cmocka_unit_test(timestamps_from_texts_and_numbers),
        cmocka_unit_test(numbers_and_times_are_read_as_casts_read_them),
        cmocka_unit_test(odd_times_take_the_long_way),
        cmocka_unit_test(the_other_types),
        cmocka_unit_test(columns_of_the_record_itself),
        cmocka_unit_test(records_of_many_shapes_are_read_alike),
        cmocka_unit_test(deep_nesting_is_a_bad_record_and_no_crash),
        cmocka_unit_test(a_line_of_50_megabytes_is_a_record),
        cmocka_unit_test(a_line_past_the_limit_is_one_bad_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
