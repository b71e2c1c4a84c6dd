/* Random files with disorder, late rows, ties and gaps against an order that is worked out from
 * semantics alone: every row's effective time by its own file, then a sort by (effective time,
 * input, file, record). */
#include "base/hash.h"
#include "tests/runtime/harness.h"

static uint64_t random_state;

static uint64_t random_below(uint64_t n) { return wr_mix64(random_state++) % n; }

enum { FILES = 4, ROWS_MAX = 40 };

struct row {
    int64_t effective;
    unsigned input, file, record, id;
    bool late;
};

static int by_place(const void *a, const void *b)
{
    const struct row *x = a, *y = b;
    if (x->effective != y->effective) return x->effective < y->effective ? -1 : 1;
    if (x->input != y->input) return x->input < y->input ? -1 : 1;
    if (x->file != y->file) return x->file < y->file ? -1 : 1;
    return x->record < y->record ? -1 : 1;
}

/* Fills one file's lines and appends its rows. */
static unsigned make_file(struct wr_buf *lines, struct row *row, unsigned count, unsigned input,
                          unsigned file, int64_t delay)
{
    unsigned rows = (unsigned)random_below(ROWS_MAX);
    int64_t base = (int64_t)random_below(30), watermark = INT64_MIN;
    for (unsigned r = 0; r < rows; r++) {
        int64_t at = base + (int64_t)random_below((uint64_t)delay + 3) -
                     (delay > 0 ? (int64_t)random_below((uint64_t)delay + 2) : 0);
        unsigned id = input * 10000 + file * 1000 + r;
        if (random_below(3) == 0) base += (int64_t)random_below(6);
        wr_buf_printf(lines, "{\"id\":%u,\"at\":%lld}\n", id, (long long)at);
        bool late = at < watermark;
        row[count++] = (struct row){late ? watermark : at, input, file, r, id, late};
        if (at - delay > watermark) watermark = at - delay;
    }
    return count;
}

static void print_expected(const struct row *row, unsigned count, struct wr_buf *out, bool refused)
{
    for (unsigned i = 0; i < count; i++) {
        if (!refused)
            wr_buf_printf(out, "{\"id\":%u}\n", row[i].id);
        else if (row[i].late)
            wr_buf_printf(out, "{\"tardy\":{\"id\":%u}}\n", row[i].id);
        else
            wr_buf_printf(out, "{\"p\":{\"id\":%u}}\n", row[i].id);
    }
    (void)wr_buf_cstr(out);
}

static void declare(struct wr_buf *program, const char *name, int64_t delay)
{
    wr_buf_printf(program, "CREATE STREAM %s (id INT, at TIMESTAMP, WATERMARK FOR at AS at", name);
    if (delay) wr_buf_printf(program, " - %llds", (long long)delay);
    wr_buf_printf(program, ") WITH (timestamp_unit = 's');\n");
}

/* `streams` inputs of a UNION ALL, FILES / streams files each; refused: through a pattern that
 * sends late rows on. */
static void round_of(uint64_t seed, unsigned streams, bool refused)
{
    static struct row row[FILES * ROWS_MAX];
    struct wr_buf program = {0}, expected = {0}, lines[FILES] = {{0}};
    struct run run = {.program = NULL};
    static const char *const name[] = {"a", "b", "c", "d"};
    unsigned count = 0;
    random_state = seed * 7919;
    for (unsigned s = 0; s < streams; s++) {
        int64_t delay = (int64_t)random_below(3) * 4;
        declare(&program, name[s], delay);
        for (unsigned f = 0; f < FILES / streams; f++) {
            unsigned at = s * (FILES / streams) + f;
            count = make_file(&lines[at], row, count, s, f, delay);
            run.input[at] = (struct input){name[s], wr_buf_cstr(&lines[at])};
        }
    }
    qsort(row, count, sizeof *row, by_place);
    wr_buf_add_cstr(&program, "CREATE VIEW v AS SELECT id FROM a");
    for (unsigned s = 1; s < streams; s++)
        wr_buf_printf(&program, " UNION ALL SELECT id FROM %s", name[s]);
    if (refused)
        wr_buf_add_cstr(
            &program,
            ";\nCREATE STREAM tardy;\nPATTERN p FROM v MATCH x LATE INTO tardy DEFINE x AS id >= 0 "
            "SELECT x.id AS id;");
    else
        wr_buf_add_cstr(&program, ";\nSELECT id FROM v;");
    print_expected(row, count, &expected, refused);
    run.program = wr_buf_cstr(&program);
    expect(&run, expected.data);
    end_run(&run);
    wr_buf_release(&program);
    wr_buf_release(&expected);
    for (unsigned f = 0; f < FILES; f++) wr_buf_release(&lines[f]);
}

static void files_of_one_stream_are_read_in_order_of_place(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 25; seed++) round_of(seed, 1, false);
}

static void streams_of_a_union_are_read_in_order_of_place(void **state)
{
    (void)state;
    for (uint64_t seed = 100; seed <= 125; seed++) round_of(seed, seed % 2 ? 2 : 4, false);
}

static void late_rows_are_refused_where_they_stand(void **state)
{
    (void)state;
    for (uint64_t seed = 200; seed <= 225; seed++)
        round_of(seed, seed % 3 == 0 ? 1 : seed % 3 == 1 ? 2 : 4, true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_of_one_stream_are_read_in_order_of_place),
        cmocka_unit_test(streams_of_a_union_are_read_in_order_of_place),
        cmocka_unit_test(late_rows_are_refused_where_they_stand),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
