/* A bench for the pattern operator alone: automata put together by hand, rows given by hand, a task that only writes
 * down what it hears. Shared by the tests of matchers. */
#ifndef WR_TESTS_RUNTIME_PATTERN_BENCH_H
#define WR_TESTS_RUNTIME_PATTERN_BENCH_H

#include "base/vec.h"
#include "runtime/operator.h"

enum { BENCH_VARIABLES = 4, BENCH_POSITIONS = 6, BENCH_ENTRIES = 6 };

/* What a condition asks of history, besides its variable's flag. */
enum bench_ask { ASK_NOTHING, ASK_MORE_THAN_LAST, ASK_LESS_THAN_FIRST, ASK_COUNT_AT_MOST };
struct bench_condition {
    enum bench_ask ask;
    uint16_t set, offset; /* LAST(set.x, offset), FIRST(set.x, offset); COUNT(set.*) <= offset + 1 */
};
struct bench_entry {
    uint16_t position; /* or WR_ACCEPT */
    bool arrow;
};
struct bench_list {
    uint32_t count;
    struct bench_entry entry[BENCH_ENTRIES];
};
struct bench_pattern {
    uint32_t variables, positions;
    struct bench_condition condition[BENCH_VARIABLES];
    uint16_t variable[BENCH_POSITIONS];
    struct bench_list follow[BENCH_POSITIONS + 1]; /* the last: beginnings */
    int64_t absence[BENCH_POSITIONS]; /* as absence_us; bench_expect knows none, nor .kill */
    uint8_t kill[BENCH_POSITIONS];    /* variables whose rows end what waits behind the position, a bit each */
    int64_t within;     /* -1: none */
    bool past_last, keyed;
};

struct bench_row {
    int64_t time, key, x;
    bool null_key, null_x, late, flag[BENCH_VARIABLES];
    bool error[BENCH_VARIABLES]; /* the condition ends in an error */
};

struct bench_options {
    uint32_t batch;      /* rows a batch */
    const char *matcher; /* forced, or NULL */
    bool roundtrip;      /* save, clear, load after every batch */
    bool watermarks;     /* pass watermarks between batches */
    bool moves;          /* after half of the rows another operator goes on from the state, ... */
    const char *then;    /* ... with this matcher forced, or NULL */
};

/* One operator, fed by hand. */
struct bench;
struct bench *bench_open(const struct bench_pattern *pattern, const char *matcher);
void bench_feed(struct bench *bench, const struct bench_row *row, uint32_t count);
void bench_quiet(struct bench *bench); /* notes nothing down from now on */
void bench_size(const struct bench *bench, struct wr_operator_size *size);
void bench_close(struct bench *bench);
/* Loads the bench's state into an operator with this matcher, one byte of one entry changed or the entry cut there: where it is
 * taken it must be of use. false: refused. */
bool bench_load_damaged(struct bench *bench, const struct bench_pattern *pattern, const char *matcher,
                        uint32_t (*below)(uint32_t));

/* Everything that the operator did, as text: one line a result (place, first row, values), then the drops. */
char *bench_run(const struct bench_pattern *pattern, const struct bench_row *row, uint32_t rows,
                const struct bench_options *options);
/* What it should have done, by brute force over the whole list of rows; MATCH_ID left out on both sides. */
char *bench_expect(const struct bench_pattern *pattern, const struct bench_row *row, uint32_t rows);
/* The state after all rows, before the end, as text (for comparing matchers). */
char *bench_state(const struct bench_pattern *pattern, const struct bench_row *row, uint32_t rows,
                  const struct bench_options *options);
void bench_print(const struct bench_pattern *pattern, const struct bench_row *row, uint32_t rows);

#endif
