/* Which type an expression has, by table; which casts are implicit; what is refused. */
#include "compiling.h"

#define STREAM                                                                                    \
    "CREATE STREAM s (b BOOLEAN, i INT, j BIGINT, f FLOAT, x DOUBLE, d DECIMAL(12,2), e DECIMAL(5,4), w DECIMAL(38,10), " \
    "t STRING, y BYTES, dt DATE, tm TIME, at TIMESTAMP, iv INTERVAL, WATERMARK FOR at AS at);\n"

static const struct {
    const char *expr, *type;
} types[] = {
    {"i + 1", "INT"}, {"i + j", "BIGINT"}, {"i / 2", "INT"}, {"j % 3", "BIGINT"}, {"-i", "INT"}, {"i * 3000000000", "BIGINT"},
    {"i + f", "DOUBLE"}, {"f + f", "DOUBLE"}, {"j * x", "DOUBLE"}, {"d * x", "DOUBLE"}, {"i + 1e3", "DOUBLE"},
    {"5", "INT"}, {"-2147483648", "INT"}, {"2147483648", "BIGINT"}, {"-9223372036854775808", "BIGINT"},
    {"9223372036854775808", "DECIMAL(19,0)"}, {"5.25", "DECIMAL(3,2)"}, {"0.05", "DECIMAL(2,2)"}, {"1e3", "DOUBLE"},
    /* DECIMAL, as Flink SQL has it */
    {"d + e", "DECIMAL(15,4)"}, {"d - e", "DECIMAL(15,4)"}, {"d * e", "DECIMAL(18,6)"}, {"d / e", "DECIMAL(22,8)"},
    {"d % e", "DECIMAL(5,4)"}, {"d + i", "DECIMAL(13,2)"}, {"d + j", "DECIMAL(22,2)"}, {"d * i", "DECIMAL(23,2)"},
    {"d / i", "DECIMAL(23,13)"}, {"w * w", "DECIMAL(38,6)"}, {"w / d", "DECIMAL(38,8)"}, {"w + w", "DECIMAL(38,9)"},
    {"-d", "DECIMAL(12,2)"},
    /* times */
    {"at - at", "INTERVAL"}, {"at - 5m", "TIMESTAMP"}, {"5m + at", "TIMESTAMP"}, {"at - iv", "TIMESTAMP"},
    {"iv * 2", "INTERVAL"}, {"2 * iv", "INTERVAL"}, {"iv * 1.5", "INTERVAL"}, {"iv * x", "INTERVAL"}, {"iv / 2", "INTERVAL"},
    {"iv / iv", "DOUBLE"}, {"iv + 1h", "INTERVAL"}, {"-iv", "INTERVAL"}, {"dt + 1d", "DATE"}, {"dt - 90m", "TIMESTAMP"},
    {"dt + iv", "TIMESTAMP"}, {"dt - dt", "INTERVAL"}, {"tm + 1h", "TIME"}, {"tm - tm", "INTERVAL"},
    {"at - '5m'", "TIMESTAMP"}, {"at - '2026-01-01 00:00:00'", "INTERVAL"}, {"at > '2026-01-01'", "BOOLEAN"},
    {"dt = '2026-01-01'", "BOOLEAN"}, {"iv > '1h'", "BOOLEAN"}, {"tm < '12:00:00'", "BOOLEAN"}, {"NOW()", "TIMESTAMP"},
    {"event_time", "TIMESTAMP"}, {"DATE '2026-01-01'", "DATE"}, {"INTERVAL '10' MINUTE", "INTERVAL"}, {"1h30m", "INTERVAL"},
    /* conditions */
    {"i > 1 AND NOT b", "BOOLEAN"}, {"i = d", "BOOLEAN"}, {"d < x", "BOOLEAN"}, {"t LIKE 'a%'", "BOOLEAN"},
    {"t REGEXP '^a+$'", "BOOLEAN"}, {"i IN (1, 2.5, j)", "BOOLEAN"}, {"i BETWEEN 1 AND 2.5", "BOOLEAN"},
    {"b IS NOT TRUE", "BOOLEAN"}, {"t IS NULL", "BOOLEAN"}, {"i IS DISTINCT FROM j", "BOOLEAN"}, {"i = NULL", "BOOLEAN"},
    {"y = y", "BOOLEAN"},
    /* branches */
    {"CASE WHEN b THEN 1 ELSE 2.5 END", "DECIMAL(11,1)"}, {"CASE WHEN b THEN 1 ELSE x END", "DOUBLE"},
    {"CASE i WHEN 1 THEN 'a' WHEN 2 THEN 'b' END", "STRING"}, {"CASE WHEN b THEN NULL ELSE i END", "INT"},
    {"CASE WHEN b THEN at ELSE '2026-01-01' END", "TIMESTAMP"}, {"COALESCE(i, j, 0)", "BIGINT"}, {"COALESCE(t, 'x')", "STRING"},
    {"NULLIF(d, 0)", "DECIMAL(12,2)"}, {"GREATEST(i, j)", "BIGINT"},
    /* functions and casts */
    {"UPPER(t) || 'x'", "STRING"}, {"LENGTH(t)", "BIGINT"}, {"ABS(d)", "DECIMAL(12,2)"}, {"SQRT(i)", "DOUBLE"},
    {"EXTRACT(HOUR FROM at)", "BIGINT"}, {"DATE_TRUNC('day', at, 'Europe/Berlin')", "TIMESTAMP"},
    {"CAST(i AS STRING)", "STRING"}, {"t::DECIMAL(10,3)", "DECIMAL(10,3)"}, {"TRY_CAST(t AS BIGINT)", "BIGINT"},
    {"CAST(NULL AS DATE)", "DATE"}, {"CAST(at AS DATE)", "DATE"},
};

/* What foreign.def suggests compiles. "x, in seconds" is the expression and a word about it. */
static void what_is_suggested_compiles(void **state)
{
    static const struct {
        const char *kind, *instead;
    } foreign[] = {
#define FOREIGN(kind, name, instead) {#kind, instead},
#include "compiler/foreign.def"
#undef FOREIGN
    };
    static const struct {
        const char *kind, *before, *behind;
    } places[] = {
        {"FUNCTION", "SELECT ", " AS v FROM s;"},
        {"NAME", "SELECT ", " AS v FROM s;"},
        {"AGGREGATE", "SELECT ", " AS v FROM TUMBLE(s, at, 1m) GROUP BY window_start, window_end;"},
        {"PATTERN", "PATTERN p FROM s MATCH a b DEFINE b AS TRUE SELECT ", " AS v;"},
        {"TYPE", "CREATE STREAM t (v ", "); SELECT v FROM t;"},
    };
    (void)state;
    for (size_t i = 0; i < WR_COUNT(foreign); i++)
        for (size_t k = 0; k < WR_COUNT(places); k++) {
            if (strcmp(foreign[i].kind, places[k].kind) != 0) continue;
            struct compiling c;
            struct wr_buf text = {0};
            const char *words = strstr(foreign[i].instead, "), ");
            int size = words ? (int)(words + 1 - foreign[i].instead) : (int)strlen(foreign[i].instead);
            wr_buf_printf(&text,
                          "CREATE STREAM s (text STRING, x INT, y INT, z DOUBLE, condition BOOLEAN, at TIMESTAMP, "
                          "start TIMESTAMP, lat1 DOUBLE, lon1 DOUBLE, lat2 DOUBLE, lon2 DOUBLE, WATERMARK FOR at AS at);\n"
                          "%s%.*s%s",
                          places[k].before, size, foreign[i].instead, places[k].behind);
            compile_well(&c, wr_buf_cstr(&text));
            wr_buf_release(&text);
            release(&c);
        }
}

static void each_expression_has_its_type(void **state)
{
    (void)state;
    for (size_t i = 0; i < WR_COUNT(types); i++) {
        struct compiling c;
        struct wr_buf text = {0};
        wr_buf_printf(&text, STREAM "SELECT %s AS v FROM s;", types[i].expr);
        compile_well(&c, wr_buf_cstr(&text));
        wr_buf_clear(&text);
        wr_type_print(find_node(&c, "select_1.select")->schema.column[0].type, &text);
        if (strcmp(wr_buf_cstr(&text), types[i].type) != 0)
            fail_msg("%s is %s, not %s", types[i].expr, wr_buf_cstr(&text), types[i].type);
        wr_buf_release(&text);
        release(&c);
    }
}

static const struct {
    const char *expr, *code;
} refused[] = {
    {"t + 1", "W0401"}, {"b + 1", "W0401"}, {"at + at", "W0401"}, {"i || t", "W0401"}, {"-t", "W0401"}, {"at + 5", "W0419"},
    {"i AND b", "W0402"}, {"NOT t", "W0402"}, {"i = t", "W0407"}, {"at = dt", "W0407"}, {"t = 5", "W0407"}, {"b > 1", "W0407"},
    {"CAST(b AS DATE)", "W0405"}, {"CASE WHEN b THEN 1 ELSE t END", "W0406"}, {"UPPER(i)", "W0403"}, {"nope(i)", "W0304"},
    {"at > t", "W0407"}, {"DATE '2026-13-01'", "W0503"}, {"1 / 0", "W0502"}, {"SUM(i)", "W0701"}, {"tm + dt", "W0401"},
};

static void what_has_no_type_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < WR_COUNT(refused); i++) {
        struct compiling c;
        struct wr_buf text = {0};
        wr_buf_printf(&text, STREAM "SELECT %s AS v FROM s;", refused[i].expr);
        compile(&c, wr_buf_cstr(&text));
        if (c.program || !strstr(wr_buf_cstr(&c.text), refused[i].code))
            fail_msg("%s wants %s:\n%s", refused[i].expr, refused[i].code, wr_buf_cstr(&c.text));
        assert_int_equal(c.diags.error_count, 1);
        wr_buf_release(&text);
        release(&c);
    }
}

static const struct {
    const char *aggregate, *type;
} aggregates[] = {
    {"COUNT(*)", "BIGINT"}, {"COUNT(t)", "BIGINT"}, {"SUM(i)", "BIGINT"}, {"SUM(d)", "DECIMAL(38,2)"}, {"SUM(f)", "DOUBLE"},
    {"AVG(i)", "DOUBLE"}, {"AVG(d)", "DECIMAL(38,6)"}, {"AVG(w)", "DECIMAL(38,10)"}, {"AVG(x)", "DOUBLE"}, {"MIN(t)", "STRING"},
    {"MAX(at)", "TIMESTAMP"}, {"SUM(iv)", "INTERVAL"}, {"STDDEV_SAMP(i)", "DOUBLE"}, {"ARG_MAX(t, d)", "STRING"},
    {"SUM(d) / COUNT(*)", "DECIMAL(38,6)"},
};

static void aggregates_have_their_types(void **state)
{
    (void)state;
    for (size_t i = 0; i < WR_COUNT(aggregates); i++) {
        struct compiling c;
        struct wr_buf text = {0};
        wr_buf_printf(&text, STREAM "SELECT %s AS v FROM TUMBLE(s, at, 1m) GROUP BY window_end;", aggregates[i].aggregate);
        compile_well(&c, wr_buf_cstr(&text));
        const struct wr_node *out = &c.program->node[c.program->node_count - 1];
        wr_buf_clear(&text);
        wr_type_print(out->schema.column[0].type, &text);
        if (strcmp(wr_buf_cstr(&text), aggregates[i].type) != 0)
            fail_msg("%s is %s, not %s", aggregates[i].aggregate, wr_buf_cstr(&text), aggregates[i].type);
        wr_buf_release(&text);
        release(&c);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_expression_has_its_type),
        cmocka_unit_test(what_is_suggested_compiles),
        cmocka_unit_test(what_has_no_type_is_refused),
        cmocka_unit_test(aggregates_have_their_types),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
