/* Rows as JSON and CSV: exact texts, and what is written is read back the same. */
#include "connectors/encode.h"
#include "connectors/harness.h"

#include <math.h>

/* Rows of random values of every type; every value may be NULL. */
struct rows {
    struct table t;
    struct wr_batch batch;
    struct wr_vector vector[FIELDS_MAX];
    struct wr_arena arena;
};

static uint64_t seed;

static uint64_t next_random(void)
{
    return seed = wr_mix64(seed);
}

static int64_t random_integer(void)
{
    uint64_t r = next_random();
    return (int64_t)(next_random() >> (r & 63)) * (r >> 63 ? -1 : 1);
}

static double random_double(void)
{
    double f;
    switch (next_random() % 3) {
    case 0: return (double)(next_random() % 1000000) / 100;
    case 1: return ldexp((double)random_integer(), -(int)(next_random() % 64));
    default:
        do {
            uint64_t bits = next_random();
            memcpy(&f, &bits, 8);
        } while (!isfinite(f));
        return f;
    }
}

static struct wr_slice random_string(struct wr_arena *arena)
{
    static const char *const parts[] = {"a", "\"", "\\", "\n", "\r", "\t", ",", "\x01", "\xc3\xa9", "\xf0\x9f\x98\x80",
        " ", "word", "'", "=1+1", "0"};
    struct wr_buf text = {0};
    for (uint64_t n = next_random() % 8; n > 0; n--) wr_buf_add_cstr(&text, parts[next_random() % WR_COUNT(parts)]);
    struct wr_slice copy = wr_arena_copy(arena, wr_buf_slice(&text));
    wr_buf_release(&text);
    return copy;
}

static void random_value(struct rows *r, uint32_t c, uint32_t row)
{
    struct wr_vector *v = &r->vector[c];
    struct wr_type type = r->t.column[c].type;
    static const int64_t day = 86400000000;
    if (next_random() % 6 == 0) {
        wr_bit_set(v->nulls, row);
        return;
    }
    switch ((enum wr_kind)type.kind) {
    case WR_KIND_BOOLEAN:
        if (next_random() & 1) wr_bit_set(v->u.bits, row);
        break;
    case WR_KIND_INT: v->u.i64[row] = (int32_t)random_integer(); break;
    case WR_KIND_BIGINT: v->u.i64[row] = random_integer(); break;
    case WR_KIND_FLOAT:
        do v->u.f64[row] = (double)(float)random_double();
        while (!isfinite(v->u.f64[row]));
        break;
    case WR_KIND_DOUBLE: v->u.f64[row] = random_double(); break;
    case WR_KIND_DECIMAL: {
        wr_i128 limit = wr_pow10(type.precision), value = (wr_i128)random_integer() * random_integer() % limit;
        v->u.dec[row] = value;
        break;
    }
    case WR_KIND_DATE: v->u.i64[row] = random_integer() % 700000; break;
    case WR_KIND_TIME: v->u.i64[row] = (int64_t)(next_random() % (uint64_t)day); break;
    case WR_KIND_TIMESTAMP: v->u.i64[row] = random_integer() % (700000 * day); break;
    case WR_KIND_INTERVAL: v->u.i64[row] = random_integer() % (400 * day); break;
    default: v->u.str[row] = random_string(&r->arena); break;
    }
}

static void rows_begin(struct rows *r, const char *columns, uint32_t count)
{
    memset(r, 0, sizeof *r);
    table_begin(&r->t, columns);
    wr_arena_init(&r->arena);
    for (uint32_t c = 0; c < r->t.count; c++) {
        r->vector[c] = (struct wr_vector){.cls = (uint8_t)wr_type_class(r->t.column[c].type),
            .flags = WR_VECTOR_NULLS};
        r->vector[c].u.data = wr_arena_alloc_zero(&r->arena, WR_BATCH_ROWS * 16);
        r->vector[c].nulls = wr_arena_alloc_zero(&r->arena, WR_BATCH_WORDS * 8);
    }
    r->batch = (struct wr_batch){.rows = count, .columns = r->t.count, .column = r->vector};
}

static void rows_end(struct rows *r)
{
    wr_arena_release(&r->arena);
    table_end(&r->t);
}

static void encode(struct rows *r, const char *format, const char *tag, struct wr_buf *out)
{
    struct wr_error error = {0};
    struct wr_encoder *e = wr_connectors_library.open_encoder(&r->t.schema, &r->t.stream, format, &error);
    assert_non_null(e);
    e->cls->begin(e, out);
    for (uint32_t i = 0; i < r->batch.rows; i++) e->cls->row(e, &r->batch, i, tag, out);
    e->cls->free(e);
}

#define EVERY_TYPE                                                                                                     \
    "b:BOOLEAN i:INT l:BIGINT f:FLOAT d:DOUBLE n:DECIMAL(12,2) m:DECIMAL(38,10) o:DECIMAL(5,0) s:STRING y:BYTES "       \
    "dt:DATE t:TIME ts:TIMESTAMP iv:INTERVAL"

static void every_value_is_read_back_as_it_was_written(void **state)
{
    (void)state;
    static const char *const formats[] = {"json", "csv", "tsv"};
    for (uint64_t round = 1; round <= 40; round++)
        for (size_t k = 0; k < WR_COUNT(formats); k++) {
            struct rows r;
            struct wr_buf text = {0}, direct = {0}, again = {0};
            seed = round;
            rows_begin(&r, EVERY_TYPE, 500);
            for (uint32_t c = 0; c < r.t.count; c++)
                for (uint32_t i = 0; i < 500; i++) random_value(&r, c, i);
            if (round % 2) table_option(&r.t, "nulls", "omit");
            encode(&r, formats[k], NULL, &text);
            encode(&r, "json", NULL, &direct);
            read_text(&r.t, formats[k], wr_buf_slice(&text), SIZE_MAX, &again);
            if (strcmp(wr_buf_cstr(&again), wr_buf_cstr(&direct)) != 0) {
                size_t at = 0;
                while (again.data[at] == direct.data[at]) at++;
                size_t from = at > 100 ? at - 100 : 0;
                fail_msg("%s: wrote %.200s\nread %.200s", formats[k], direct.data + from, again.data + from);
            }
            rows_end(&r);
            wr_buf_release(&text);
            wr_buf_release(&direct);
            wr_buf_release(&again);
        }
}

static void one_row(struct rows *r)
{
    rows_begin(r, EVERY_TYPE, 2);
    wr_bit_set(r->vector[0].u.bits, 0);
    r->vector[1].u.i64[0] = -7;
    r->vector[2].u.i64[0] = INT64_MIN;
    r->vector[3].u.f64[0] = (double)0.1f;
    r->vector[4].u.f64[0] = 1e21;
    r->vector[5].u.dec[0] = -5;
    r->vector[6].u.dec[0] = wr_pow10(38) - 1;
    r->vector[7].u.dec[0] = 12345;
    r->vector[8].u.str[0] = WR_SLICE("say \"hi\",\n\xc3\xa9");
    r->vector[9].u.str[0] = WR_SLICE("\0\1\2\3");
    r->vector[10].u.i64[0] = 0;
    r->vector[11].u.i64[0] = 3600000000 + 500000;
    r->vector[12].u.i64[0] = 1767225600250000;
    r->vector[13].u.i64[0] = 5400000000;
    for (uint32_t c = 0; c < r->t.count; c++) wr_bit_set(r->vector[c].nulls, 1);
}

static void the_texts_are_these(void **state)
{
    (void)state;
    struct rows r;
    struct wr_buf out = {0};
    one_row(&r);
    encode(&r, "json", NULL, &out);
    assert_string_equal(wr_buf_cstr(&out),
                        "{\"b\":true,\"i\":-7,\"l\":-9223372036854775808,\"f\":0.1,\"d\":1e+21,\"n\":-0.05,"
                        "\"m\":9999999999999999999999999999.9999999999,"
                        "\"o\":12345,\"s\":\"say \\\"hi\\\",\\n\xc3\xa9\",\"y\":\"AAECAw==\","
                        "\"dt\":\"1970-01-01\",\"t\":\"01:00:00.5\",\"ts\":\"2026-01-01T00:00:00.25Z\","
                        "\"iv\":\"PT1H30M\"}\n"
                        "{\"b\":null,\"i\":null,\"l\":null,\"f\":null,\"d\":null,\"n\":null,\"m\":null,"
                        "\"o\":null,\"s\":null,\"y\":null,\"dt\":null,\"t\":null,\"ts\":null,\"iv\":null}\n");
    wr_buf_clear(&out);
    encode(&r, "csv", "ignored", &out);
    assert_string_equal(wr_buf_cstr(&out),
                        "b,i,l,f,d,n,m,o,s,y,dt,t,ts,iv\n"
                        "true,-7,-9223372036854775808,0.1,1e+21,-0.05,9999999999999999999999999999.9999999999,12345,"
                        "\"say \"\"hi\"\",\n\xc3\xa9\",AAECAw==,"
                        "1970-01-01,01:00:00.5,2026-01-01T00:00:00.25Z,PT1H30M\n,,,,,,,,,,,,,\n");
    wr_buf_clear(&out);
    table_option(&r.t, "nulls", "omit");
    encode(&r, "json", "al\"erts", &out);
    assert_non_null(strstr(wr_buf_cstr(&out), "{\"al\\\"erts\":{\"b\":true,"));
    assert_non_null(strstr(wr_buf_cstr(&out), "\"iv\":\"PT1H30M\"}}\n{\"al\\\"erts\":{}}\n"));
    rows_end(&r);
    wr_buf_release(&out);
}

static void nan_infinity_and_errors_are_null(void **state)
{
    (void)state;
    struct rows r;
    struct wr_buf out = {0};
    uint64_t errors[WR_BATCH_WORDS] = {4};
    rows_begin(&r, "d:DOUBLE", 3);
    r.vector[0].u.f64[0] = NAN;
    r.vector[0].u.f64[1] = -INFINITY;
    r.vector[0].u.f64[2] = 1;
    r.vector[0].errors = errors;
    r.vector[0].flags |= WR_VECTOR_ERRORS;
    encode(&r, "json", NULL, &out);
    encode(&r, "csv", NULL, &out);
    assert_string_equal(wr_buf_cstr(&out), "{\"d\":null}\n{\"d\":null}\n{\"d\":null}\nd\n\n\n\n");
    rows_end(&r);
    wr_buf_release(&out);
}

/* The shortcuts of the encoder and the printing that casts use must not be told apart. */
static void numbers_and_times_are_printed_as_casts_print_them(void **state)
{
    (void)state;
    struct rows r;
    seed = 11;
    rows_begin(&r, "d:DOUBLE l:BIGINT ts:TIMESTAMP", 1);
    struct wr_day_cache day = {0};
    for (int i = 0; i < 300000; i++) {
        char got[WR_TEXT_MAX], wanted[WR_TEXT_MAX];
        double f = i % 3 == 0 ? random_double() : (double)random_integer() / (i % 2 ? 100 : 1000);
        r.vector[0].u.f64[0] = i < 2 ? (i ? 0.0 : -0.0) : f;
        r.vector[1].u.i64[0] = i ? random_integer() : INT64_MIN;
        int64_t near = 1767225600000000 + random_integer() % (i % 4 ? 1000 : 86400000000000);
        r.vector[2].u.i64[0] = i % 50 == 0 ? random_integer() : near;
        size_t n = wr_encode_scalar(got, r.t.column[0].type, &r.vector[0], 0, NULL), m = wr_print_f64(wanted,
            r.vector[0].u.f64[0]);
        assert_int_equal(n, m);
        assert_memory_equal(got, wanted, n);
        n = wr_encode_scalar(got, r.t.column[1].type, &r.vector[1], 0, NULL);
        m = wr_print_i64(wanted, r.vector[1].u.i64[0]);
        assert_int_equal(n, m);
        assert_memory_equal(got, wanted, n);
        n = wr_encode_scalar(got, r.t.column[2].type, &r.vector[2], 0, &day);
        m = wr_print_timestamp(wanted, r.vector[2].u.i64[0]);
        assert_int_equal(n, m);
        assert_memory_equal(got, wanted, n);
    }
    rows_end(&r);
}

static void csv_options_are_kept(void **state)
{
    (void)state;
    struct rows r;
    struct wr_buf out = {0};
    rows_begin(&r, "a;b:STRING", 1);
    r.vector[0].u.str[0] = WR_SLICE("x;y");
    table_option(&r.t, "delimiter", ";");
    encode(&r, "csv", NULL, &out);
    assert_string_equal(wr_buf_cstr(&out), "\"a;b\"\n\"x;y\"\n");
    wr_buf_clear(&out);
    table_option(&r.t, "header", "false");
    r.vector[0].u.str[0] = WR_SLICE("");
    encode(&r, "csv", NULL, &out);
    assert_string_equal(wr_buf_cstr(&out), "\"\"\n");
    rows_end(&r);
    wr_buf_release(&out);
}

static void strings_of_every_length_are_escaped_wherever_it_is_needed(void **state)
{
    (void)state;
    for (size_t size = 0; size <= 40; size++)
        for (size_t at = 0; at <= size; at++) {
            char *text = malloc(size + 1);
            struct wr_buf out = {0}, wanted = {0};
            memset(text, 'x', size + 1);
            if (at < size) text[at] = "\"\\\n\x1f"[at % 4];
            wr_buf_add_char(&wanted, '"');
            for (size_t i = 0; i < size; i++)
                if (text[i] == 'x') wr_buf_add_char(&wanted, 'x');
                else wr_buf_add_cstr(&wanted,
                    text[i] == '"' ? "\\\"" : text[i] == '\\' ? "\\\\" : text[i] == '\n' ? "\\n" : "\\u001f");
            wr_buf_add_char(&wanted, '"');
            char *exact = malloc(size ? size : 1); /* so that a sanitizer sees a read past the end */
            memcpy(exact, text, size);
            wr_json_quote(wr_slice_of(exact, size), &out);
            assert_string_equal(wr_buf_cstr(&out), wr_buf_cstr(&wanted));
            free(exact);
            free(text);
            wr_buf_release(&out);
            wr_buf_release(&wanted);
        }
}

static void what_cannot_be_written_is_refused(void **state)
{
    (void)state;
    struct wr_error error = {0};
    struct wr_schema_column column = {"xs", {WR_KIND_MAP, 0, 0, 0}};
    struct wr_schema schema = {1, &column};
    assert_null(wr_connectors_library.open_encoder(&schema, NULL, "json", &error));
    assert_int_equal(error.status, WR_ERR_PROGRAM);
    assert_null(wr_connectors_library.open_encoder(&schema, NULL, "avro", &error));
    assert_int_equal(error.status, WR_ERR_USAGE);
    assert_string_equal(error.message, "there is no output format 'avro'; the formats are json, csv and tsv");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_value_is_read_back_as_it_was_written),
        cmocka_unit_test(the_texts_are_these),
        cmocka_unit_test(nan_infinity_and_errors_are_null),
        cmocka_unit_test(numbers_and_times_are_printed_as_casts_print_them),
        cmocka_unit_test(csv_options_are_kept),
        cmocka_unit_test(strings_of_every_length_are_escaped_wherever_it_is_needed),
        cmocka_unit_test(what_cannot_be_written_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
