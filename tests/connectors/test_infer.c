/* What is guessed of recordings that nobody declared. */
#include "connectors/harness.h"

#include <unistd.h>

static void guess(const char *suffix, const char *text, const char *wanted)
{
    struct wr_arena arena;
    struct wr_inferred in;
    struct wr_error error = {0};
    struct wr_buf out = {0};
    char *path = temporary(suffix, wr_slice_cstr(text));
    wr_arena_init(&arena);
    assert_int_equal(wr_infer(path, 1000, &arena, &in, &error), WR_OK);
    wr_buf_printf(&out, "%s %llu rows, %llu bad", in.format, (unsigned long long)in.rows,
        (unsigned long long)in.bad_rows);
    if (in.time_column != WR_NONE)
        wr_buf_printf(&out, ", time %.*s %s, late %lld", WR_SLICE_ARG(in.column[in.time_column].name),
                      in.time_unit ? in.time_unit : "text", (long long)in.disorder_us);
    if (in.key_column != WR_NONE) wr_buf_printf(&out, ", key %.*s", WR_SLICE_ARG(in.column[in.key_column].name));
    wr_buf_add_char(&out, '\n');
    for (uint32_t i = 0; i < in.count; i++) {
        const struct wr_inferred_column *c = &in.column[i];
        wr_buf_printf(&out, c->quoted ? "\"%.*s\" " : "%.*s ", WR_SLICE_ARG(c->name));
        wr_type_print(c->type, &out);
        if (c->path.size) wr_buf_printf(&out, " %.*s", WR_SLICE_ARG(c->path));
        if (c->nulls) wr_buf_printf(&out, " nulls %llu", (unsigned long long)c->nulls);
        wr_buf_printf(&out, " distinct %llu\n", (unsigned long long)c->distinct);
        assert_true(c->why && *c->why);
    }
    assert_string_equal(wr_buf_cstr(&out), wanted);
    wr_buf_release(&out);
    wr_arena_release(&arena);
    unlink(path);
    free(path);
}

static void types_time_and_key_of_json_lines(void **state)
{
    (void)state;
    guess(".jsonl",
          "{\"card\":\"c1\",\"mcc\":8,\"amount\":118.16,\"ok\":true,\"at\":1767225600001}\n"
              "{\"card\":\"c2\",\"mcc\":9,\"amount\":7.00,\"ok\":null,\"at\":1767225600501}\n"
          "{\"card\":\"c1\",\"mcc\":8,\"amount\":1,\"at\":1767225600100}\nnot a record\n",
          "json 3 rows, 1 bad, time at ms, late 401000, key card\ncard STRING distinct 2\nmcc BIGINT distinct 2\n"
              "amount DOUBLE distinct 3\nok BOOLEAN nulls 2 distinct 1\nat TIMESTAMP distinct 3\n");
}

static void nested_fields_get_a_name_and_a_path(void **state)
{
    (void)state;
    guess(".jsonl",
          "{\"user\":{\"id\":\"u1\",\"tags\":[1,2]},\"user_id\":5,\"a b\":1,\"x\":{\"y.z\":{\"w\":\"t\"}},\"X\":2}\n"
              "{\"user\":{\"id\":\"u1\"},\"late\":1}\n",
          "json 2 rows, 0 bad\nuser_id_2 STRING $.user.id distinct 1\nuser_id BIGINT nulls 1 distinct 1\n"
              "\"a b\" BIGINT nulls 1 distinct 1\nx_y_z_w STRING $.x[\"y.z\"].w nulls 1 distinct 1\n"
              "X BIGINT nulls 1 distinct 1\nlate BIGINT nulls 1 distinct 1\n");
}

static void units_are_told_by_size_and_names(void **state)
{
    (void)state;
    guess(".jsonl", "{\"created_at\":1767225600.5,\"seq\":1767225600}\n",
        "json 1 rows, 0 bad, time created_at s, late 0\ncreated_at TIMESTAMP distinct 1\nseq BIGINT distinct 1\n");
    guess(".jsonl", "{\"ts\":1767225600000000000,\"sent_at\":1767225600000}\n",
        "json 1 rows, 0 bad, time ts ns, late 0\nts TIMESTAMP distinct 1\nsent_at BIGINT distinct 1\n");
    guess(".jsonl", "{\"day\":\"2026-01-01\",\"when\":\"2026-01-01T10:00:00Z\"}\n"
        "{\"day\":\"2026-01-01\",\"when\":\"2026-01-01 09:59:58\"}\n",
        "json 2 rows, 0 bad, time when text, late 2000000\nday DATE distinct 1\nwhen TIMESTAMP distinct 2\n");
}

static void mixed_and_empty_columns(void **state)
{
    (void)state;
    guess(".jsonl", "{\"m\":1,\"n\":null,\"o\":null,\"s\":\"a\",\"big\":18446744073709551615}\n"
        "{\"m\":\"x\",\"o\":{\"p\":1},\"s\":1}\n{\"m\":2,\"o\":{\"p\":2},\"s\":\"b\"}\n",
          "json 3 rows, 0 bad\nm BIGINT distinct 3\nn STRING nulls 3 distinct 0\ns STRING distinct 3\n"
              "big DOUBLE nulls 2 distinct 1\no_p BIGINT $.o.p nulls 1 distinct 2\n");
}

static void types_of_csv(void **state)
{
    (void)state;
    guess(".csv", "tail,year,dist,code,ok,at,note\nN1,1999,5.5,007,true,2026-01-01T00:00:00Z,\n"
        "N2,,6,12a,FALSE,2026-01-01T00:00:01Z,\"a,b\"\nN1,,6,12a,FALSE,2026-01-01T00:00:01Z,\nragged\n",
          "csv 3 rows, 1 bad, time at text, late 0, key tail\ntail STRING distinct 2\n"
              "year BIGINT nulls 2 distinct 1\ndist DOUBLE distinct 2\ncode STRING distinct 2\n"
              "ok BOOLEAN distinct 2\nat TIMESTAMP distinct 2\nnote STRING nulls 2 distinct 1\n");
    guess("", "a\tb\n1\tx\n", "tsv 1 rows, 0 bad\na BIGINT distinct 1\nb STRING distinct 1\n");
    guess(".csv", "a,b\n", "csv 0 rows, 0 bad\na STRING distinct 0\nb STRING distinct 0\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_time_and_key_of_json_lines),
        cmocka_unit_test(nested_fields_get_a_name_and_a_path),
        cmocka_unit_test(units_are_told_by_size_and_names),
        cmocka_unit_test(mixed_and_empty_columns),
        cmocka_unit_test(types_of_csv),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
