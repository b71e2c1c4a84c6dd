/* The scalar functions: exact values, time zones, and which overload a call means. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "random_code.h"

static struct wr_value constants[16];
static const struct wr_value *constant_at[16];
static struct wr_type types[16];
static unsigned count;

static void begin(void)
{
    count = 0;
}

static void argument(struct wr_type type, const char *text)
{
    if (strcmp(text, "NULL") == 0)
        constants[count] = (struct wr_value){.cls = (uint8_t)wr_type_class(type), .flag = WR_FLAG_NULL};
    else assert_true(wr_value_parse(type, wr_slice_cstr(text), &constants[count]));
    types[count] = type;
    constant_at[count] = &constants[count];
    count++;
}

/* Arguments as SQL literals: 'text', 1, 1.5, 1e0, TRUE, T'timestamp', D'date', C'time', V'interval', J'json',
 * NULL. */
static void arguments(const char *list)
{
    static char parts[16][256]; /* strings are lent */
    begin();
    while (*list) {
        char *part = parts[count];
        while (*list == ' ' || *list == ',') list++;
        char prefix = list[0] >= 'A' && list[0] <= 'Z' && list[1] == '\'' ? *list++ : 0;
        bool quoted = *list == '\'';
        if (quoted) list++;
        size_t n = 0;
        while (*list && (quoted ? *list != '\'' : *list != ',')) part[n++] = *list++;
        if (quoted) list++;
        part[n] = 0;
        const char *dot = strchr(part, '.');
        if (quoted) {
            enum wr_kind kind = prefix == 'T'   ? WR_KIND_TIMESTAMP
                                : prefix == 'D' ? WR_KIND_DATE
                                : prefix == 'C' ? WR_KIND_TIME
                                : prefix == 'V' ? WR_KIND_INTERVAL
                                : prefix == 'J' ? WR_KIND_JSON
                                : prefix == 'B' ? WR_KIND_BYTES
                                                : WR_KIND_STRING;
            argument(wr_type_of(kind), part);
        } else if (strcmp(part, "NULL") == 0) {
            argument(wr_type_of(WR_KIND_STRING), part);
        } else if (strchr(part, 'e')) {
            argument(wr_type_of(WR_KIND_DOUBLE), part);
        } else if (dot) {
            unsigned scale = (unsigned)strlen(dot + 1), digits = (unsigned)strlen(part) - 1 - (part[0] == '-');
            argument(wr_type_decimal(WR_MAX(digits, 1u), scale), part);
        } else {
            argument(wr_type_of(WR_KIND_BIGINT), part);
        }
    }
}

/* name(list) as text: resolved, cast and called as the compiler and the executors do. */
static const char *call(const char *name, const char *list)
{
    static struct wr_buf out;
    struct wr_type want[16];
    struct wr_builtin_call resolved;
    wr_buf_release(&out);
    out = (struct wr_buf){0};
    arguments(list);
    if (wr_builtin_resolve(wr_slice_cstr(name), types, constant_at, count, want, &resolved) != WR_RESOLVED)
        return "?";
    struct wr_program *program = wr_program_new();
    struct random r = {1};
    struct random_block b;
    random_block_begin(&b, &r, program, types, count, resolved.hidden_count);
    uint32_t last[16];
    for (unsigned i = 0; i < count; i++) {
        struct wr_cast_step step[WR_CAST_STEPS_MAX];
        unsigned steps;
        last[i] = i;
        assert_true(wr_cast_steps(types[i], want[i], step, &steps));
        for (unsigned s = 0; s < steps; s++) {
            uint32_t reg = b.code->register_count++;
            b.cls[reg] = step[s].cls;
            random_emit(&b, (enum wr_op)step[s].op, step[s].k, reg, last[i], step[s].c);
            last[i] = reg;
        }
    }
    for (unsigned h = 0; h < resolved.hidden_count; h++) {
        program->constant[h] = (struct wr_constant){
            wr_type_of(WR_KIND_BIGINT), {.cls = WR_CLASS_I64, .u.i64 = resolved.hidden[h]}, WR_NONE};
        b.cls[count + h] = WR_CLASS_I64;
    }
    uint32_t first = b.code->register_count;
    for (unsigned i = 0; i < count + resolved.hidden_count; i++) {
        uint32_t from = i < count ? last[i] : i; /* hidden constants stand behind the inputs */
        enum wr_class cls = (enum wr_class)b.cls[from];
        b.cls[b.code->register_count++] = (uint8_t)cls;
        random_emit(&b, wr_op_of(WR_OP_MOVE_BOOL, cls), 0, first + i, from, 0);
    }
    uint32_t target = b.code->register_count++;
    b.cls[target] = (uint8_t)wr_type_class(resolved.result);
    random_emit(&b, WR_OP_CALL, (int)(count + resolved.hidden_count), target, resolved.builtin, first);
    random_block_end(&b);
    struct wr_error error = {0};
    if (wr_program_verify(program, &error)) print_error("%s(%s): %s\n", name, list, error.message);
    assert_int_equal(error.status, WR_OK);
    struct wr_row_frame *frame = wr_row_frame_new(program, program->code);
    for (unsigned i = 0; i < count; i++) frame->value[i] = constants[i];
    wr_row_frame_run(frame);
    const struct wr_value *result = &frame->value[target];
    if (result->flag == WR_FLAG_ERROR) wr_buf_add_cstr(&out, wr_reason_name((enum wr_reason)result->reason));
    else wr_value_print(resolved.result, result, &out);
    wr_row_frame_free(frame);
    wr_program_free(program);
    return wr_buf_cstr(&out);
}

struct expected {
    const char *name, *list, *result;
};

static void check_all(const struct expected *e, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *result = call(e[i].name, e[i].list);
        if (strcmp(result, e[i].result) != 0) print_error("%s(%s) = %s\n", e[i].name, e[i].list, result);
        assert_string_equal(result, e[i].result);
    }
}
#define CHECK(...)                                                                                        \
    do {                                                                                                  \
        static const struct expected expected[] = {__VA_ARGS__};                                          \
        check_all(expected, WR_COUNT(expected));                                                          \
    } while (0)

static void text_functions(void **state)
{
    (void)state;
    CHECK({"upper", "'straße äöü éñ'", "STRAßE ÄÖÜ ÉÑ"}, {"LOWER", "'ÀÉÎ ΑΣ ЖУК'", "àéî ασ жук"},
          {"UPPER", "'ÿ'", "Ÿ"}, {"LOWER", "'İstanbul'", "İstanbul"}, {"UPPER", "NULL", "NULL"});
}

static void more_text_functions(void **state)
{
    (void)state;
    CHECK({"LOWER", "'ABC xyz'", "abc xyz"}, {"LOWER", "'ЖУК'", "жук"}, {"UPPER", "'αβς'", "ΑΒΣ"},
          {"UPPER", "'žluťoučký'", "ŽLUŤOUČKÝ"}, {"TRIM", "'  a b  '", "a b"}, {"LTRIM", "'  a '", "a "},
          {"RTRIM", "'  a '", "  a"}, {"TRIM", "'xxaxx', 'x'", "a"}, {"TRIM", "'äöaöä', 'äö'", "a"},
          {"TRIM", "'xx', 'x'", ""}, {"TRIM", "'', 'x'", ""}, {"TRIM", "'a', ''", "a"},
          {"SUBSTRING", "'hello', 2", "ello"}, {"SUBSTRING", "'hello', 2, 3", "ell"},
          {"SUBSTRING", "'hello', -1, 3", "h"}, {"SUBSTRING", "'hello', 9", ""},
          {"SUBSTRING", "'hello', 1, -1", "domain"}, {"SUBSTRING", "'日本語', 2, 1", "本"},
          {"SUBSTRING", "'abc', 1, 9223372036854775807", "abc"}, {"SUBSTR", "'abc', 2", "bc"},
          {"LENGTH", "'日本'", "2"}, {"LENGTH", "B'日本'", "6"}, {"CHAR_LENGTH", "''", "0"},
          {"CONCAT", "'a', 'b', 'c'", "abc"}, {"CONCAT", "'a'", "a"}, {"CONCAT", "'a', NULL", "NULL"},
          {"||", "'a', 'b'", "ab"}, {"REPLACE", "'aXbXc', 'X', '--'", "a--b--c"},
          {"REPLACE", "'aaa', 'aa', 'b'", "ba"}, {"REPLACE", "'abc', '', 'x'", "abc"},
          {"REPLACE", "'abc', 'b', ''", "ac"}, {"SPLIT", "'a,b,c', ',', 2", "b"},
          {"SPLIT", "'a,b,c', ',', -1", "c"}, {"SPLIT", "'a,b,c', ',', 4", "NULL"},
          {"SPLIT", "'a,b,c', ',', -3", "a"}, {"SPLIT", "'a,b,c', ',', -4", "NULL"},
          {"SPLIT", "'abc', '', 1", "abc"}, {"SPLIT", "',a', ',', 1", ""}, {"SPLIT", "'a', ',', 0", "domain"},
          {"STARTS_WITH", "'abc', 'ab'", "true"}, {"STARTS_WITH", "'abc', ''", "true"},
          {"STARTS_WITH", "'a', 'ab'", "false"}, {"ENDS_WITH", "'abc', 'bc'", "true"},
          {"ENDS_WITH", "'abc', 'ab'", "false"}, {"CONTAINS", "'abc', 'b'", "true"},
          {"CONTAINS", "'abc', ''", "true"}, {"CONTAINS", "'', 'a'", "false"},
          {"POSITION", "'c', 'äbc'", "3"}, {"POSITION", "'x', 'abc'", "0"}, {"POSITION", "'', 'abc'", "1"});
}

static void patterns(void **state)
{
    (void)state;
    CHECK({"LIKE", "'abc', 'a%'", "true"}, {"LIKE", "'abc', '%b%'", "true"}, {"LIKE", "'abc', 'a_c'", "true"},
          {"LIKE", "'abc', 'a_'", "false"}, {"LIKE", "'', '%'", "true"}, {"LIKE", "'', ''", "true"},
          {"LIKE", "'a', ''", "false"}, {"LIKE", "'äb', '_b'", "true"}, {"LIKE", "'aXbXc', 'a%X%c'", "true"},
          {"LIKE", "'mississippi', '%iss%ip%i'", "true"}, {"LIKE", "'mississippi', '%iss%ipx%'", "false"},
          {"LIKE", "'50%', '50!%', '!'", "true"}, {"LIKE", "'500', '50!%', '!'", "false"},
          {"LIKE", "'a', 'a!', '!'", "domain"}, {"LIKE", "'a', 'a', ''", "domain"},
          {"LIKE", "'a', 'a', 'xy'", "domain"}, {"LIKE", "'a%b', 'a\\%b'", "false"},
          {"REGEXP", "'declined', '^dec'", "true"}, {"REGEXP", "'xdeclined', '^dec'", "false"},
          {"REGEXP", "'abc', 'b'", "true"}, {"REGEXP", "'ABC', '(?i)b'", "true"},
          {"REGEXP", "'a1b22', '[0-9]{2}$'", "true"}, {"REGEXP", "'', ''", "true"},
          {"REGEXP", "'x', '(?x) x # comment'", "true"}, {"REGEXP", "'a.b', '\\Qa.b'", "true"},
          {"REGEXP", "'日本', '^..$'", "true"}, {"REGEXP", "'ab\ncd', '^cd'", "false"},
          {"REGEXP", "'ab\ncd', '(?m)^cd'", "true"}, {"REGEXP", "'a', '('", "domain"},
          {"REGEXP", "'aa', '(a)\\1'", "domain"}, {"REGEXP", "'aa', 'a(?=a)'", "domain"},
          {"REGEXP", "'aa', 'a++'", "domain"}, {"REGEXP", "'a+a', 'a[+]+a'", "true"},
          {"REGEXP", "'a]b', '[]]'", "true"}, {"REGEXP", "'5', '[[:digit:]]'", "true"});
    /* Time: linear where back-tracking would take 2^30 steps. */
    char text[200] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", list[300];
    snprintf(list, sizeof list, "'%s', '^(a|aa)+$'", text);
    assert_string_equal(call("REGEXP", list), "true");
    snprintf(list, sizeof list, "'%sb', '^(a*)*(a*)*(a*)*c'", text);
    assert_string_equal(call("REGEXP", list), "false");
    snprintf(list, sizeof list, "'%sb', '^(a|aa)+$'", text);
    assert_string_equal(call("REGEXP", list), "false");
}

static void numbers(void **state)
{
    (void)state;
    CHECK({"ABS", "-5", "5"}, {"ABS", "-9223372036854775808", "overflow"}, {"ABS", "-2.50", "2.50"},
          {"ABS", "-1e0", "1"}, {"ROUND", "2.5", "3"}, {"ROUND", "-2.5", "-3"}, {"ROUND", "2.456, 2", "2.46"},
          {"ROUND", "2.455, 2", "2.46"}, {"ROUND", "2.4, 5", "2.4"}, {"ROUND", "1234.5, -2", "1200"},
          {"ROUND", "1250.0, -2", "1300"}, {"ROUND", "9.99, 1", "10.0"}, {"ROUND", "1.5, -50", "0"},
          {"ROUND", "1234, -2", "1200"}, {"ROUND", "1250, -2", "1300"}, {"ROUND", "-1250, -2", "-1300"},
          {"ROUND", "5, 3", "5"}, {"ROUND", "9223372036854775807, -1", "overflow"}, {"ROUND", "7, -30", "0"},
          {"ROUND", "2.675e0, 2", "2.68"}, {"ROUND", "2.5e0", "3"}, {"ROUND", "1234.5e0, -2", "1200"},
          {"ROUND", "-0.4e0", "-0"}, {"ROUND", "1e300, 2", "1e+300"}, {"FLOOR", "-2.5", "-3"},
          {"FLOOR", "2.5", "2"}, {"CEIL", "2.1", "3"}, {"CEIL", "-2.1", "-2"}, {"CEILING", "2.0", "2"},
          {"FLOOR", "-2.5e0", "-3"}, {"CEIL", "7", "7"}, {"MOD", "7, 3", "1"}, {"MOD", "-7, 3", "-1"},
          {"MOD", "7, 0", "division by zero"}, {"MOD", "7.5, 2", "1.5"}, {"MOD", "7.5e0, 2", "1.5"},
          {"POWER", "2, 10", "1024"}, {"POWER", "0, -1", "division by zero"}, {"POWER", "-8, 0.5", "domain"},
          {"POWER", "10, 400", "overflow"}, {"SQRT", "2.25", "1.5"}, {"SQRT", "-1", "domain"},
          {"LN", "1", "0"}, {"LN", "0", "domain"}, {"LOG10", "1000", "3"}, {"LOG10", "-1", "domain"},
          {"EXP", "0", "1"}, {"EXP", "1000", "overflow"}, {"SIGN", "-3", "-1"}, {"SIGN", "0.0", "0"},
          {"SIGN", "2e0", "1"}, {"GREATEST", "1, 3, 2", "3"}, {"GREATEST", "1, 2.5", "2.5"},
          {"GREATEST", "1, 2.5e0", "2.5"}, {"LEAST", "'b', 'a', 'c'", "a"},
          {"GREATEST", "'2026-01-01', 'x'", "x"},
          {"GREATEST", "T'2026-01-01', '2026-02-01'", "2026-02-01T00:00:00Z"}, {"LEAST", "1, NULL", "?"},
          {"LEAST", "V'1h', V'30m'", "PT30M"}, {"GREATEST", "'a', 1", "?"},
          {"GREATEST", "D'2026-01-01', D'2025-01-01'", "2026-01-01"});
}

static void times(void **state)
{
    (void)state;
    CHECK({"EXTRACT", "'YEAR', T'2026-03-01T12:34:56.789Z'", "2026"},
          {"EXTRACT", "'month', T'2026-03-01'", "3"}, {"EXTRACT", "'QUARTER', T'2026-05-01'", "2"},
          {"EXTRACT", "'SECOND', T'2026-03-01T12:34:56.789Z'", "56"},
          {"EXTRACT", "'MILLISECOND', T'2026-03-01T12:34:56.789Z'", "789"},
          {"EXTRACT", "'DOW', T'2026-03-01'", "0"}, {"EXTRACT", "'ISODOW', T'2026-03-01'", "7"},
          {"EXTRACT", "'DOY', T'2026-03-01'", "60"}, {"EXTRACT", "'WEEK', T'2021-01-03'", "53"},
          {"EXTRACT", "'ISOYEAR', T'2021-01-03'", "2020"}, {"EXTRACT", "'WEEK', T'2026-12-31'", "53"},
          {"EXTRACT", "'EPOCH', T'1969-12-31T23:59:59.5Z'", "-1"},
          {"EXTRACT", "'HOUR', T'2026-07-01T22:30:00Z', 'Europe/Berlin'", "0"},
          {"EXTRACT", "'DAY', T'2026-07-01T22:30:00Z', 'Europe/Berlin'", "2"},
          {"EXTRACT", "'HOUR', D'2026-03-01'", "domain"}, {"EXTRACT", "'YEAR', D'2026-03-01'", "2026"},
          {"EXTRACT", "'MINUTE', C'12:34:56'", "34"}, {"EXTRACT", "'HOUR', V'36h30m'", "12"},
          {"EXTRACT", "'DAY', V'36h30m'", "1"}, {"EXTRACT", "'EPOCH', V'36h30m'", "131400"},
          {"EXTRACT", "'FORTNIGHT', T'2026-03-01'", "domain"},
          {"DATE_TRUNC", "'day', T'2026-03-01T12:34:56Z'", "2026-03-01T00:00:00Z"},
          {"DATE_TRUNC", "'hour', T'1969-12-31T23:59:59Z'", "1969-12-31T23:00:00Z"},
          {"DATE_TRUNC", "'week', T'2026-03-01T12:00:00Z'", "2026-02-23T00:00:00Z"},
          {"DATE_TRUNC", "'quarter', T'2026-03-01'", "2026-01-01T00:00:00Z"},
          {"DATE_TRUNC", "'month', T'2026-03-31'", "2026-03-01T00:00:00Z"},
          {"DATE_TRUNC", "'year', T'2026-03-31'", "2026-01-01T00:00:00Z"},
          {"DATE_TRUNC", "'day', T'2026-03-29T12:00:00Z', 'Europe/Berlin'", "2026-03-28T23:00:00Z"},
          {"DATE_TRUNC", "'day', T'2026-03-30T12:00:00Z', 'Europe/Berlin'", "2026-03-29T22:00:00Z"},
          {"DATE_TRUNC", "'day', T'2018-11-04T12:00:00Z', 'America/Sao_Paulo'", "2018-11-04T03:00:00Z"},
          {"DATE_TRUNC", "'hour', T'2026-10-25T01:30:00Z', 'Europe/Berlin'", "2026-10-25T01:00:00Z"},
          {"DATE_TRUNC", "'hour', T'2026-03-01T00:40:00Z', 'Asia/Kolkata'", "2026-03-01T00:30:00Z"},
          {"DATE_TRUNC", "'month', D'2026-03-31'", "2026-03-01"},
          {"DATE_TRUNC", "'hour', D'2026-03-31'", "domain"},
          {"DATE_TRUNC", "'day', '2026-03-01T12:34:56Z'", "2026-03-01T00:00:00Z"},
          {"DATE_TRUNC", "'day', T'2026-03-01', 'Nowhere/Land'", "domain"});
    CHECK(
        {"TO_TIMESTAMP", "'2026-03-01 10:00:00+02'", "2026-03-01T08:00:00Z"},
        {"TO_TIMESTAMP", "'nonsense'", "cast"}, {"TO_TIMESTAMP", "1500", "1970-01-01T00:00:01.5Z"},
        {"TO_TIMESTAMP", "1500, 's'", "1970-01-01T00:25:00Z"},
        {"TO_TIMESTAMP", "-1, 'ns'", "1969-12-31T23:59:59.999999Z"},
        {"TO_TIMESTAMP", "9223372036854775807, 's'", "overflow"},
        {"TO_TIMESTAMP", "'01.03.2026 12:34', '%d.%m.%Y %H:%M'", "2026-03-01T12:34:00Z"},
        {"TO_TIMESTAMP", "'01.07.2026 12:34', '%d.%m.%Y %H:%M', 'Europe/Berlin'", "2026-07-01T10:34:00Z"},
        {"TO_TIMESTAMP", "'29.03.2026 02:30', '%d.%m.%Y %H:%M', 'Europe/Berlin'", "2026-03-29T01:00:00Z"},
        {"TO_TIMESTAMP", "'25.10.2026 02:30', '%d.%m.%Y %H:%M', 'Europe/Berlin'", "2026-10-25T00:30:00Z"},
        {"TO_TIMESTAMP", "'3/1/26 1:05 PM', '%m/%d/%y %I:%M %p'", "2026-03-01T13:05:00Z"},
        {"TO_TIMESTAMP", "'Mar 01 2026', '%b %d %Y'", "2026-03-01T00:00:00Z"},
        {"TO_TIMESTAMP", "'2026-060', '%Y-%j'", "2026-03-01T00:00:00Z"},
        {"TO_TIMESTAMP", "'2026-03-01T10:00:00+0200', '%FT%T%z'", "2026-03-01T08:00:00Z"},
        {"TO_TIMESTAMP", "'2026-02-30', '%F'", "cast"}, {"TO_TIMESTAMP", "'2026-03-01x', '%F'", "cast"},
        {"TO_TIMESTAMP", "'1.25', '%s.%f'", "1970-01-01T00:00:01.25Z"},
        {"FORMAT_TIMESTAMP", "T'2026-03-01T12:34:56.789012Z', '%F %T'", "2026-03-01 12:34:56"},
        {"FORMAT_TIMESTAMP", "T'2026-03-01T12:34:56.789012Z', '%Y|%m|%d|%H|%M|%S|%f|%L|%R|%y|%e|%j|%I|%p'",
         "2026|03|01|12|34|56|789012|789|12:34|26| 1|060|12|PM"},
        {"FORMAT_TIMESTAMP", "T'2026-03-01T00:00:00Z', '%a %A %b %B %u %w %G %V %s %z %Z %%'",
         "Sun Sunday Mar March 7 0 2026 09 1772323200 +0000 UTC %"},
        {"FORMAT_TIMESTAMP", "T'2026-07-01T22:30:00Z', '%F %T %Z %z', 'Europe/Berlin'",
         "2026-07-02 00:30:00 CEST +0200"},
        {"FORMAT_TIMESTAMP", "T'2026-01-01T22:30:00Z', '%T %Z %z', 'America/New_York'", "17:30:00 EST -0500"},
        {"FORMAT_TIMESTAMP", "T'2090-07-01T12:00:00Z', '%T %Z', 'America/New_York'", "08:00:00 EDT"},
        {"FORMAT_TIMESTAMP", "T'2090-01-01T12:00:00Z', '%T %Z', 'Australia/Sydney'", "23:00:00 AEDT"},
        {"FORMAT_TIMESTAMP", "T'1800-01-01T12:00:00Z', '%T', 'Europe/Berlin'", "12:53:28"},
        {"FORMAT_TIMESTAMP", "T'2026-01-01', '%Q'", "domain"},
        {"FORMAT_TIMESTAMP", "T'2026-01-01', '%'", "domain"});
}

static void others(void **state)
{
    (void)state;
    CHECK({"JSON_VALUE", "'{\"a\": {\"b\": [1, \"x\", true, null, 2.5]}}', '$.a.b[1]'", "x"},
          {"JSON_VALUE", "'{\"a\": {\"b\": [1]}}', '$.a.b[0]'", "1"},
          {"JSON_VALUE", "'{\"a\": [1,2,3]}', '$.a[-1]'", "3"}, {"JSON_VALUE", "'{\"a\": 1}', '$.b'", "NULL"},
          {"JSON_VALUE", "'{\"a\": null}', '$.a'", "NULL"}, {"JSON_VALUE", "'{\"a\": {}}', '$.a'", "NULL"},
          {"JSON_VALUE", "'{', '$.a'", "cast"}, {"JSON_VALUE", "'{}', 'a'", "domain"},
          {"JSON_VALUE", "J'true', '$'", "true"}, {"JSON_VALUE", "'{\"a b\": 1}', '$[\"a b\"]'", "1"},
          {"JSON_QUERY", "'{\"a\": {\"b\": [1, 2]}}', '$.a'", "{\"b\":[1,2]}"},
          {"JSON_QUERY", "'{\"a\": 1}', '$.a'", "1"}, {"JSON_QUERY", "'[]', '$[0]'", "NULL"},
          {"XXHASH64", "''", "-1205034819632174695"}, {"XXHASH64", "'abc'", "4952883123889572249"},
          {"ST_DISTANCE", "0, 0, 0, 0", "0"}, {"ST_DISTANCE", "91, 0, 0, 0", "domain"},
          {"NO_SUCH", "1", "?"});
    double metres = strtod(call("ST_DISTANCE", "52.52, 13.405, 48.8566, 2.3522"), NULL); /* Berlin to Paris */
    assert_true(metres > 877000 && metres < 878500);
}

static void resolution(void **state)
{
    struct wr_builtin_call out;
    struct wr_type want[4], type[4] = {wr_type_of(WR_KIND_STRING), wr_type_of(WR_KIND_BIGINT)};
    char message[128];
    (void)state;
    assert_int_equal(wr_builtin_resolve(WR_SLICE("nope"), type, NULL, 1, want, &out), WR_RESOLVE_NO_NAME);
    assert_int_equal(wr_builtin_resolve(WR_SLICE("upper"), type, NULL, 2, want, &out), WR_RESOLVE_COUNT);
    assert_int_equal(wr_builtin_resolve(WR_SLICE("concat"), type, NULL, 2, want, &out), WR_RESOLVE_TYPE);
    assert_int_equal(out.bad, 1);
    type[1] = wr_type_of(WR_KIND_STRING);
    assert_int_equal(wr_builtin_resolve(WR_SLICE("regexp"), type, NULL, 2, want, &out), WR_RESOLVE_CONSTANT);
    assert_int_equal(out.bad, 1);
    type[0] = wr_type_decimal(12, 4);
    assert_int_equal(wr_builtin_resolve(WR_SLICE("floor"), type, NULL, 1, want, &out), WR_RESOLVED);
    assert_true(wr_type_equal(out.result, wr_type_decimal(9, 0)));
    assert_int_equal(out.hidden[0], 4);
    type[1] = wr_type_of(WR_KIND_INT);
    assert_int_equal(wr_builtin_resolve(WR_SLICE("greatest"), type, NULL, 2, want, &out), WR_RESOLVED);
    assert_true(wr_type_equal(out.result, wr_type_decimal(14, 4)));
    assert_true(wr_type_equal(want[1], wr_type_decimal(14, 4)));
    type[0] = wr_type_of(WR_KIND_INT);
    assert_int_equal(wr_builtin_resolve(WR_SLICE("greatest"), type, NULL, 2, want, &out), WR_RESOLVED);
    assert_int_equal(out.result.kind, WR_KIND_INT);
    type[1] = wr_type_of(WR_KIND_NULL);
    assert_int_equal(wr_builtin_resolve(WR_SLICE("mod"), type, NULL, 2, want, &out), WR_RESOLVED);
    arguments("'abc', '(x'");
    assert_int_equal(wr_builtin_check_constants(WR_BUILTIN_REGEXP, constant_at, 2, message, sizeof message), 1);
    assert_non_null(strstr(message, "parenthes"));
    arguments("'abc', '(?=x)'");
    assert_int_equal(wr_builtin_check_constants(WR_BUILTIN_REGEXP, constant_at, 2, message, sizeof message), 1);
    assert_string_equal(message, "look-around cannot be matched in linear time");
    arguments("'lustrum', T'2026-01-01'");
    assert_int_equal(
        wr_builtin_check_constants(WR_BUILTIN_DATE_TRUNC, constant_at, 2, message, sizeof message), 0);
    assert_string_equal(message, "there is no unit of time 'lustrum'");
    arguments("'day', T'2026-01-01', 'Europe/Berlni'");
    assert_int_equal(
        wr_builtin_check_constants(WR_BUILTIN_DATE_TRUNC, constant_at, 3, message, sizeof message), 2);
    assert_string_equal(message, "there is no time zone 'Europe/Berlni'");
    arguments("T'2026-01-01', '%Y-%q'");
    assert_int_equal(
        wr_builtin_check_constants(WR_BUILTIN_FORMAT_TIMESTAMP, constant_at, 2, message, sizeof message), 1);
    assert_true(wr_zone_exists(WR_SLICE("Europe/Berlin")));
    assert_true(wr_zone_exists(WR_SLICE("UTC")));
    assert_false(wr_zone_exists(WR_SLICE("../../etc/passwd")));
    assert_false(wr_zone_exists(WR_SLICE("/etc/passwd")));
    assert_false(wr_zone_exists(WR_SLICE("Europe")));
    assert_false(wr_zone_exists(WR_SLICE("tzdata.zi")));
    assert_false(wr_zone_exists(WR_SLICE("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_functions), cmocka_unit_test(more_text_functions), cmocka_unit_test(patterns),
        cmocka_unit_test(numbers),        cmocka_unit_test(times),               cmocka_unit_test(others),
        cmocka_unit_test(resolution),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
