/* Memory runs out at each allocation of a compilation in turn: it unwinds to the caller's guard, and the next compilation
 * is as good as ever. And the time it takes. */
#include "compiling.h"

#include <time.h>

/* A row frame that is only half made when memory runs out is not given back (folding makes one): a few hundred bytes. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
    return "detect_leaks=0";
}

static const char text[] =
    "CREATE STREAM s (k STRING, x DOUBLE, d DECIMAL(12,2), day STRING AS FORMAT_TIMESTAMP(at, '%F'), at TIMESTAMP, "
    "WATERMARK FOR at AS at - 5s);\nCREATE STREAM t;\nCREATE STREAM tardy;\n"
    "CREATE FUNCTION f(a DOUBLE) RETURNS DOUBLE AS a * (1 + 1);\n"
    "INSERT INTO t SELECT k, 1 AS m FROM s UNION ALL SELECT day, 2 FROM s WHERE UPPER(k) = 'A' || 'B';\n"
    "WITH w AS (SELECT k, d, at FROM s WHERE f(x) > 1) SELECT k, window_end, SUM(d) / COUNT(*) AS n "
    "FROM HOP(w, at, 1m, 5m) GROUP BY k, window_end HAVING SUM(d) > 3 LATE INTO tardy;\n";

static void memory_may_run_out_anywhere(void **state)
{
    (void)state;
    volatile uint64_t failures = 0;
    for (volatile uint64_t n = 1;; n++) {
        struct wr_arena arena;
        struct wr_sources sources;
        struct wr_diags diags;
        struct wr_memory_guard guard;
        wr_arena_init(&arena);
        wr_sources_init(&sources, &arena);
        wr_diags_init(&diags, &arena, &sources);
        uint32_t file = wr_sources_add(&sources, WR_SLICE("test"), wr_slice_cstr(text));
        struct wr_tree tree = wr_parse(&arena, &diags, file, NULL, NULL);
        struct wr_program *volatile program = NULL;
        bool out = WR_MEMORY_GUARD(&guard);
        if (!out) {
            wr_alloc_fail_at(n);
            program = wr_compile(&tree, &diags, file, &(struct wr_compile_options){0});
            wr_memory_guard_pop(&guard);
        }
        wr_alloc_fail_at(0);
        if (program) wr_program_free(program);
        wr_arena_release(&arena);
        if (!out) break;
        failures++;
    }
    assert_true(failures > 10);
    struct compiling c;
    compile_well(&c, text);
    release(&c);
}

/* One pattern: well under a millisecond, also where the machine is slow or watched by a sanitizer. */
static void a_pattern_compiles_in_no_time(void **state)
{
    (void)state;
    static const char pattern[] =
        "CREATE STREAM payments (card STRING KEY, amount DECIMAL(12,2), status STRING, at TIMESTAMP, "
        "WATERMARK FOR at AS at - 5s);\n"
        "PATTERN card_testing FROM payments PARTITION BY card MATCH small{3,} -> large WITHIN 10m\n"
        "DEFINE small AS status = 'declined', large AS status = 'approved' AND amount > 5 * AVG(small.amount)\n"
        "SELECT card, COUNT(small.*) AS tries, SUM(small.amount) AS tried, large.amount AS amount;\n";
    struct timespec from, to;
    double best = 1e9;
    for (int i = 0; i < 20; i++) {
        struct compiling c;
        clock_gettime(CLOCK_MONOTONIC, &from);
        compile(&c, pattern);
        clock_gettime(CLOCK_MONOTONIC, &to);
        double us = (double)(to.tv_sec - from.tv_sec) * 1e6 + (double)(to.tv_nsec - from.tv_nsec) / 1e3;
        if (us < best) best = us;
        assert_non_null(c.program);
        release(&c);
    }
    print_message("a one-pattern program compiles in %.0f us\n", best);
    assert_true(best < 10000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_may_run_out_anywhere),
        cmocka_unit_test(a_pattern_compiles_in_no_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
