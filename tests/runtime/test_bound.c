/* What explain says of the bytes of state, beside what the state of many keys then takes. */
#include "tests/compiler/compiling.h"

#include "connectors/connectors.h"
#include "runtime/bound.h"
#include "runtime/engine.h"

enum { KEYS = 40000 };

static int nothing(void *context, const char *lines, size_t size)
{
    (void)context, (void)lines, (void)size;
    return 0;
}

/* Gives each key rows of the values x[0], x[1], …, one value after the other, and measures the operator of that kind. */
static struct wr_operator_size measured(const struct wr_program *program, enum wr_node_kind kind, const int *x, int count)
{
    struct wr_engine engine = {0};
    struct wr_error error = {0};
    struct wr_engine_options options = {.errors_max = -1, .on_output = nothing};
    struct wr_operator_size size = {0};
    uint32_t partition;
    struct wr_buf lines = {0};
    assert_int_equal(wr_engine_init(&engine, program, &wr_connectors_library, &options, &error), WR_OK);
    assert_int_equal(wr_engine_feed(&engine, "s", &partition, &error), WR_OK);
    assert_int_equal(wr_engine_start(&engine, &error), WR_OK);
    for (int i = 0; i < count; i++) {
        wr_buf_clear(&lines);
        for (int k = 0; k < KEYS; k++)
            wr_buf_printf(&lines, "{\"k\":%d,\"x\":%d,\"y\":1,\"at\":%d}\n", k, x[i], 1000000 + i);
        assert_int_equal(wr_engine_push(&engine, "s", 0, wr_buf_slice(&lines), NULL, &error), WR_OK);
    }
    assert_int_equal(wr_engine_advance(&engine, (int64_t)(1000000 + count) * 1000, &error), WR_OK);
    for (uint32_t i = 0; i < program->node_count; i++)
        if (program->node[i].kind == kind) engine.task.op[i]->cls->measure(engine.task.op[i], &size);
    wr_engine_release(&engine);
    wr_buf_release(&lines);
    return size;
}

static struct wr_state_bound bound_of(const struct wr_program *program, enum wr_node_kind kind)
{
    struct wr_state_bound *all = wr_alloc_zero((program->node_count + 1) * sizeof *all), found = {0};
    wr_program_bounds(program, all);
    for (uint32_t i = 0; i < program->node_count; i++)
        if (program->node[i].kind == kind) found = all[i];
    wr_free(all);
    return found;
}

#define STREAM "CREATE STREAM s (k BIGINT, x INT, y DOUBLE, at TIMESTAMP, WATERMARK FOR at AS at);\n"

/* ways, rows: of each key, when all have been given. Memory grows by doubling, and half the buckets may be empty. */
static void agrees(const char *text, enum wr_node_kind kind, const int *x, int count, uint64_t starts, uint64_t ways,
                   uint64_t rows)
{
    struct compiling c;
    compile_well(&c, text);
    struct wr_state_bound b = bound_of(c.program, kind);
    struct wr_operator_size size = measured(c.program, kind, x, count);
    uint64_t said = KEYS * (b.key + starts * b.start + ways * b.way + rows * b.row);
    assert_int_equal(size.keys, KEYS);
    assert_int_equal(size.starts, KEYS * starts);
    print_message("said %llu, measured %llu\n", (unsigned long long)said, (unsigned long long)size.bytes);
    assert_true(b.key && b.start);
    assert_true(size.bytes < said + said / 4 + (1 << 20));
    assert_true(size.bytes > said - said / 4);
    release(&c);
}

static void a_sequence(void **state)
{
    static const char text[] = STREAM "PATTERN p FROM s PARTITION BY k MATCH a -> b -> c WITHIN 1h SKIP TO NEXT ROW "
                                      "DEFINE a AS x = 1, b AS x = 2, c AS x = 3 SELECT k, a.y AS p, b.y AS q;";
    (void)state;
    agrees(text, WR_NODE_PATTERN, (const int[]){1}, 1, 1, 0, 0);
    agrees(text, WR_NODE_PATTERN, (const int[]){1, 1, 1}, 3, 3, 0, 0);
    agrees(text, WR_NODE_PATTERN, (const int[]){1, 1, 2}, 3, 2, 0, 1); /* the starts share the second row */
}

static void a_general_pattern(void **state)
{
    static const char text[] = STREAM "PATTERN p FROM s PARTITION BY k MATCH a -> b{2,5} -> c WITHIN 1h SKIP TO NEXT ROW "
                                      "DEFINE a AS x = 1, b AS x = 2 AND y > a.y - 1, c AS x = 3 SELECT k, LAST(b.y) AS q;";
    (void)state;
    agrees(text, WR_NODE_PATTERN, (const int[]){1}, 1, 1, 0, 1);
    agrees(text, WR_NODE_PATTERN, (const int[]){1, 2}, 2, 1, 0, 2);
    agrees(text, WR_NODE_PATTERN, (const int[]){1, 2, 2}, 3, 1, 0, 3);
}

static void windows(void **state)
{
    (void)state;
    agrees(STREAM "SELECT k, COUNT(*) AS n, SUM(y) AS t FROM TUMBLE(s, at, 1d) GROUP BY k, window_start, window_end;",
           WR_NODE_WINDOW, (const int[]){1, 2}, 2, 1, 0, 0);
    agrees(STREAM "SELECT k, COUNT(*) AS n, MAX(y) AS t FROM HOP(s, at, 1h, 4h) GROUP BY k, window_start, window_end;",
           WR_NODE_WINDOW, (const int[]){1, 2}, 2, 4, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_sequence), cmocka_unit_test(a_general_pattern),
                                       cmocka_unit_test(windows)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
