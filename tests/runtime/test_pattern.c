/* The matchers against brute force, against each other, and against themselves with other batches and with their
 * state saved and loaded between batches: random automata over random rows, with ties, gaps, late rows, NULLs. */
#include "tests/runtime/pattern_bench.h"

#include "vm/program.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* One program: the bench takes the place of the task, and the oracle sees nothing of either. */
#include "tests/runtime/pattern_bench.c"
#include "tests/runtime/pattern_expect.c"

static uint64_t seed_state;

static uint32_t below(uint32_t n)
{
    seed_state = seed_state * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed_state >> 33) % n);
}
static bool chance(uint32_t percent) { return below(100) < percent; }

/* ---- Random patterns and rows ------------------------------------------------------------------------ */

/* dense: many ways through few variables, so that candidates meet again. */
static void random_list(const struct bench_pattern *b, struct bench_list *list, uint32_t from, bool beginning,
                        bool dense)
{
    uint32_t tries = dense ? 2 + below(4) : 1 + below(3), used = 0;
    list->count = 0;
    for (uint32_t i = 0; i < tries; i++) {
        /* mostly forward, so that the end is reached */
        uint32_t to =
            chance(dense ? 40 : 70) && from + 1 < b->positions ? from + 1 + below(b->positions - from - 1) : below(b->positions);
        bool arrow = chance(50);
        if (used >> (2 * to + arrow) & 1) continue;
        if (list->count + 1 == BENCH_ENTRIES) break;
        used |= 1u << (2 * to + arrow);
        list->entry[list->count++] = (struct bench_entry){(uint16_t)to, arrow};
    }
    if (beginning ? chance(8) : chance(from + 1 == b->positions ? 85 : 25)) {
        uint32_t at = chance(70) ? list->count : below(list->count + 1);
        for (uint32_t i = list->count; i > at; i--) list->entry[i] = list->entry[i - 1];
        list->entry[at] = (struct bench_entry){WR_ACCEPT, false};
        list->count++;
    }
}

static void random_pattern(struct bench_pattern *b)
{
    bool dense = chance(40);
    memset(b, 0, sizeof *b);
    b->variables = 1 + below(dense ? 2 : BENCH_VARIABLES);
    b->positions = 1 + below(BENCH_POSITIONS);
    for (uint32_t i = 0; i < b->positions; i++) b->variable[i] = (uint16_t)below(b->variables);
    for (uint32_t i = 0; i < b->positions; i++) random_list(b, &b->follow[i], i, false, dense);
    random_list(b, &b->follow[b->positions], below(2), true, dense);
    for (uint32_t v = 0; v < b->variables; v++) {
        if (!chance(40)) continue;
        b->condition[v] = (struct bench_condition){(enum bench_ask)below(4),
                                                   (uint16_t)(chance(25) ? WR_SET_ALL : below(b->variables)),
                                                   (uint16_t)(chance(10) ? 9 : below(3))};
    }
    b->within = chance(50) ? (int64_t)below(12) + 1 : -1;
    b->past_last = chance(60);
    b->keyed = chance(70);
}

/* One position behind the other: what the sequence matcher takes. */
static void random_sequence(struct bench_pattern *b)
{
    memset(b, 0, sizeof *b);
    b->variables = 1 + below(BENCH_VARIABLES);
    b->positions = 1 + below(5);
    uint32_t strict = chance(30) ? 0 : below(60);
    for (uint32_t i = 0; i < b->positions; i++) {
        b->variable[i] = (uint16_t)below(b->variables);
        bool last = i + 1 == b->positions;
        b->follow[i].count = 1;
        b->follow[i].entry[0] =
            (struct bench_entry){last ? WR_ACCEPT : (uint16_t)(i + 1), !last && !chance(strict)};
    }
    b->follow[b->positions].count = 1;
    b->within = chance(60) ? (int64_t)below(14) + 1 : -1;
    b->past_last = chance(50);
    b->keyed = chance(80);
}

static uint32_t random_rows(struct bench_row *row, uint32_t most)
{
    uint32_t rows = 1 + below(most), keys = 1 + below(3), gap = 1 + below(4);
    int64_t time = 100;
    uint32_t hit = 30 + below(65);
    bool errors = chance(30), lates = chance(30);
    for (uint32_t i = 0; i < rows; i++) {
        time += below(gap);
        row[i] = (struct bench_row){.time = time, .key = below(keys), .x = below(5), .null_key = chance(10),
                                    .null_x = chance(5), .late = lates && chance(10)};
        for (uint32_t v = 0; v < BENCH_VARIABLES; v++) {
            row[i].flag[v] = chance(hit);
            row[i].error[v] = errors && chance(5);
            if (row[i].error[v]) row[i].flag[v] = false;
        }
    }
    return rows;
}

/* ---- Comparing ---------------------------------------------------------------------------------------- */

/* Takes the MATCH_ID, the last word of each line of a result, away. */
static char *without_ids(const char *text)
{
    struct wr_buf out = {0};
    for (const char *line = text; *line;) {
        const char *end = strchr(line, '\n');
        size_t size = (size_t)(end - line);
        if (strncmp(line, "late", 4) != 0) {
            assert_true(size > 33 && line[size - 33] == ' ');
            size -= 33;
        }
        wr_buf_add(&out, line, size);
        wr_buf_add_char(&out, '\n');
        line = end + 1;
    }
    char *result = wr_strdup(wr_buf_cstr(&out));
    wr_buf_release(&out);
    return result;
}

static void same(const char *what, uint64_t seed, const struct bench_pattern *b, const struct bench_row *row,
                 uint32_t rows, const char *expected, const char *got)
{
    if (strcmp(expected, got) == 0) return;
    bench_print(b, row, rows);
    fail_msg("seed %llu: %s\nexpected\n%sgot\n%s", (unsigned long long)seed, what, expected, got);
}

/* The matcher that is chosen, and the general one in other ways, against the general one's text of all rows. */
static void compare_with(uint64_t seed, const struct bench_pattern *b, const struct bench_row *row, uint32_t rows,
                         const char *whole)
{
    static const struct {
        const char *name;
        struct bench_options options;
    } other[] = {
        {"general, one row a batch", {.batch = 1, .matcher = "general"}},
        {"general, saved and loaded after each row", {.batch = 1, .matcher = "general", .roundtrip = true}},
        {"general, three rows a batch, watermarks", {.batch = 3, .matcher = "general", .roundtrip = true, .watermarks = true}},
        {"chosen matcher", {.batch = 1024}},
        {"chosen matcher, saved and loaded after each row", {.batch = 1, .roundtrip = true, .watermarks = true}},
        {"chosen matcher, two rows a batch", {.batch = 2, .watermarks = true}},
        {"chosen matcher, the general one goes on", {.batch = 1, .moves = true, .then = "general"}},
        {"general, the chosen one goes on", {.batch = 1, .matcher = "general", .moves = true}},
    };
    for (size_t i = 0; i < WR_COUNT(other); i++) {
        char *text = bench_run(b, row, rows, &other[i].options);
        same(other[i].name, seed, b, row, rows, whole, text);
        wr_free(text);
    }
    char *state = bench_state(b, row, rows, &(struct bench_options){.batch = 2, .matcher = "general"});
    char *chosen = bench_state(b, row, rows, &(struct bench_options){.batch = 2, .moves = true});
    same("state of the chosen matcher", seed, b, row, rows, state, chosen);
    wr_free(state);
    wr_free(chosen);
}

static void compare_all(uint64_t seed, const struct bench_pattern *b, const struct bench_row *row, uint32_t rows)
{
    char *whole = bench_run(b, row, rows, &(struct bench_options){.batch = 1024, .matcher = "general"});
    char *expected = bench_expect(b, row, rows), *plain = without_ids(whole);
    same("general matcher against brute force", seed, b, row, rows, expected, plain);
    compare_with(seed, b, row, rows, whole);
    wr_free(whole);
    wr_free(expected);
    wr_free(plain);
}

static uint64_t cases(uint64_t usual)
{
    const char *wanted = getenv("WEIR_CASES");
    return wanted ? strtoull(wanted, NULL, 10) : usual;
}
static uint64_t first_seed(void)
{
    const char *wanted = getenv("WEIR_SEED");
    return wanted ? strtoull(wanted, NULL, 10) : 1;
}

static void test_random_patterns_match_as_brute_force_says(void **state)
{
    WR_UNUSED(state);
    static struct bench_row row[32];
    for (uint64_t seed = first_seed(), end = seed + cases(4000); seed < end; seed++) {
        struct bench_pattern b;
        seed_state = seed * 2654435761u;
        random_pattern(&b);
        compare_all(seed, &b, row, random_rows(row, 18));
    }
}

static void test_random_sequences_match_alike_in_both_matchers(void **state)
{
    WR_UNUSED(state);
    static struct bench_row row[64];
    for (uint64_t seed = first_seed(), end = seed + cases(4000); seed < end; seed++) {
        struct bench_pattern b;
        seed_state = seed * 2654435761u + 17;
        random_sequence(&b);
        compare_all(seed, &b, row, random_rows(row, 40));
    }
}

/* NOT between the steps of a sequence, and absences in it (tests/reference knows what they should give). */
static void random_absences(struct bench_pattern *b)
{
    random_sequence(b);
    for (uint32_t i = 0; i + 1 < b->positions; i++) {
        if (chance(30)) b->kill[i] = (uint8_t)below(1u << b->variables);
        if (i && chance(40)) b->absence[i] = 1 + below(8);
    }
    uint32_t last = b->positions - 1;
    if (last && chance(60)) b->absence[last] = b->within >= 0 && chance(40) ? WR_ABSENCE_WITHIN : 1 + (int64_t)below(8);
}

static void test_sequences_with_absences_match_alike_in_both_matchers(void **state)
{
    WR_UNUSED(state);
    static struct bench_row row[64];
    for (uint64_t seed = first_seed(), end = seed + cases(4000); seed < end; seed++) {
        struct bench_pattern b;
        seed_state = seed * 2654435761u + 31;
        random_absences(&b);
        uint32_t rows = random_rows(row, 40);
        char *whole = bench_run(&b, row, rows, &(struct bench_options){.batch = 1024, .matcher = "general"});
        compare_with(seed, &b, row, rows, whole);
        wr_free(whole);
    }
}

/* ---- Cases one can read -------------------------------------------------------------------------------- */

/* a -> b, skipping past the last row. */
static struct bench_pattern arrow_pair(void)
{
    struct bench_pattern b = {.variables = 2, .positions = 2, .variable = {0, 1}, .within = -1, .past_last = true};
    b.follow[0] = (struct bench_list){1, {{1, true}}};
    b.follow[1] = (struct bench_list){1, {{WR_ACCEPT, false}}};
    b.follow[2] = (struct bench_list){1, {{0, false}}};
    return b;
}

static void expect(const struct bench_pattern *b, const struct bench_row *row, uint32_t rows, const char *expected)
{
    char *text = bench_run(b, row, rows, &(struct bench_options){.batch = 1024});
    char *plain = without_ids(text);
    assert_string_equal(plain, expected);
    wr_free(plain);
    wr_free(text);
}

static void test_an_arrow_takes_the_next_row_that_fits(void **state)
{
    WR_UNUSED(state);
    struct bench_pattern b = arrow_pair();
    struct bench_row row[] = {
        {.time = 1, .flag = {true}}, {.time = 2}, {.time = 3, .flag = {false, true}}, {.time = 4, .flag = {false, true}}};
    expect(&b, row, 4, "3.1.2 first 0: 1 0 0 1 2 2 b\nlate 0 errors 0\n");
}

static void test_a_row_at_the_end_of_within_is_outside(void **state)
{
    WR_UNUSED(state);
    struct bench_pattern b = arrow_pair();
    b.within = 5;
    struct bench_row row[] = {{.time = 10, .flag = {true}}, {.time = 11, .flag = {true}},
                              {.time = 15, .flag = {false, true}}};
    expect(&b, row, 3, "15.1.2 first 1: 1 1 1 1 2 2 b\nlate 0 errors 0\n");
}

/* a+ waits for the row that ends it, for its time, or for the end of the input. */
static void test_a_trailing_greedy_loop_is_decided_by_what_ends_it(void **state)
{
    WR_UNUSED(state);
    struct bench_pattern b = {.variables = 1, .positions = 1, .within = -1, .past_last = true};
    b.follow[0] = (struct bench_list){2, {{0, false}, {WR_ACCEPT, false}}};
    b.follow[1] = (struct bench_list){1, {{0, false}}};
    struct bench_row row[] = {{.time = 1, .flag = {true}}, {.time = 2, .flag = {true}}, {.time = 4},
                              {.time = 5, .flag = {true}}};
    expect(&b, row, 4, "4.1.2 first 0: 2 0 1 a\n5.2147483647.1 first 3: 1 3 3 a\nlate 0 errors 0\n");
    b.within = 3;
    expect(&b, row, 4, "4.0.17592186044417 first 0: 2 0 1 a\n8.0.17592186044420 first 3: 1 3 3 a\nlate 0 errors 0\n");
}

/* ---- What it costs ---------------------------------------------------------------------------------------- */

/* s{3,} -> b, b less than the first s: a loop, history, candidates that wait. */
static struct bench_pattern loop_then_one(void)
{
    struct bench_pattern b = {.variables = 2, .positions = 4, .variable = {0, 0, 0, 1}, .within = 500,
                              .past_last = true, .keyed = true};
    b.condition[1] = (struct bench_condition){ASK_LESS_THAN_FIRST, 0, 0};
    b.follow[0] = (struct bench_list){1, {{1, false}}};
    b.follow[1] = (struct bench_list){1, {{2, false}}};
    b.follow[2] = (struct bench_list){2, {{2, false}, {3, true}}};
    b.follow[3] = (struct bench_list){1, {{WR_ACCEPT, false}}};
    b.follow[4] = (struct bench_list){1, {{0, false}}};
    return b;
}

static void feed_random(struct bench *bench, int64_t *time, uint32_t batches, uint32_t keys)
{
    static struct bench_row row[1000];
    for (; batches; batches--) {
        for (uint32_t r = 0; r < WR_COUNT(row); r++) {
            *time += below(3);
            row[r] = (struct bench_row){.time = *time, .key = below(keys), .x = below(9), .flag = {chance(60)}};
            row[r].flag[1] = !row[r].flag[0];
        }
        bench_feed(bench, row, WR_COUNT(row));
    }
}

static void no_allocation(const struct bench_pattern *b)
{
    struct bench *bench = bench_open(b, NULL);
    int64_t time = 0;
    seed_state = 5;
    bench_quiet(bench);
    feed_random(bench, &time, 400, 60);
    uint64_t before = wr_alloc_count();
    seed_state = 5; /* the same rows, later: as much is open at a time as before */
    feed_random(bench, &time, 400, 60);
    assert_int_equal(wr_alloc_count() - before, 0);
    bench_close(bench);
}

static void test_nothing_is_allocated_once_it_runs(void **state)
{
    WR_UNUSED(state);
    struct bench_pattern loop = loop_then_one(), pair = arrow_pair();
    no_allocation(&loop);
    pair.keyed = true;
    pair.within = 300;
    no_allocation(&pair);
}

static void test_keys_without_open_starts_are_forgotten(void **state)
{
    WR_UNUSED(state);
    struct bench_pattern patterns[2] = {loop_then_one(), arrow_pair()};
    patterns[1].keyed = true;
    patterns[1].within = 500;
    for (uint32_t i = 0; i < 2; i++) {
        struct bench *bench = bench_open(&patterns[i], NULL);
        static struct bench_row row[1000];
        int64_t time = 0, key = 0;
        bench_quiet(bench);
        for (uint32_t batch = 0; batch < 200; batch++) {
            for (uint32_t r = 0; r < WR_COUNT(row); r++)
                row[r] = (struct bench_row){.time = time++, .key = key++, .flag = {true}};
            bench_feed(bench, row, WR_COUNT(row));
        }
        struct wr_operator_size size;
        bench_size(bench, &size);
        assert_true(size.keys <= 5000); /* 500 have an open start */
        assert_true(size.starts <= 5000 && size.rows <= 5000);
        bench_close(bench);
    }
}

/* a+ b over a long run of a: one start stands for all. */
static void test_a_long_loop_keeps_one_start(void **state)
{
    WR_UNUSED(state);
    struct bench_pattern b = {.variables = 2, .positions = 2, .variable = {0, 1}, .within = -1, .past_last = true};
    b.follow[0] = (struct bench_list){2, {{0, false}, {1, false}}};
    b.follow[1] = (struct bench_list){1, {{WR_ACCEPT, false}}};
    b.follow[2] = (struct bench_list){1, {{0, false}}};
    struct bench *bench = bench_open(&b, NULL);
    static struct bench_row row[1000];
    for (uint32_t batch = 0; batch < 100; batch++) {
        for (uint32_t r = 0; r < WR_COUNT(row); r++) row[r] = (struct bench_row){.time = batch, .flag = {true}};
        bench_feed(bench, row, WR_COUNT(row));
    }
    struct wr_operator_size size;
    bench_size(bench, &size);
    assert_int_equal(size.starts, 1);
    assert_int_equal(size.rows, 100000);
    bench_close(bench);
}

static void test_a_damaged_state_is_refused_or_of_use(void **state)
{
    WR_UNUSED(state);
    static struct bench_row row[40];
    uint32_t taken = 0, refused = 0;
    for (uint64_t seed = 1; seed <= 150; seed++) {
        struct bench_pattern b;
        seed_state = seed;
        if (seed % 3) random_sequence(&b);
        else random_pattern(&b);
        uint32_t rows = random_rows(row, WR_COUNT(row));
        struct bench *bench = bench_open(&b, seed % 2 ? NULL : "general");
        bench_feed(bench, row, rows);
        for (uint32_t i = 0; i < 40; i++) {
            if (bench_load_damaged(bench, &b, i % 2 ? "general" : NULL, below)) taken++;
            else refused++;
        }
        bench_close(bench);
    }
    assert_true(refused > 1000 && taken > 100); /* a time or a value may be another one */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_arrow_takes_the_next_row_that_fits),
        cmocka_unit_test(test_a_row_at_the_end_of_within_is_outside),
        cmocka_unit_test(test_a_trailing_greedy_loop_is_decided_by_what_ends_it),
        cmocka_unit_test(test_nothing_is_allocated_once_it_runs),
        cmocka_unit_test(test_keys_without_open_starts_are_forgotten),
        cmocka_unit_test(test_a_long_loop_keeps_one_start),
        cmocka_unit_test(test_a_damaged_state_is_refused_or_of_use),
        cmocka_unit_test(test_random_patterns_match_as_brute_force_says),
        cmocka_unit_test(test_random_sequences_match_alike_in_both_matchers),
        cmocka_unit_test(test_sequences_with_absences_match_alike_in_both_matchers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
