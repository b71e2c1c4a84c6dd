/* What the compiler makes of a pattern: conditions taken apart, what is kept, what is read of the
 * past; and what explain says of it. Programs are texts, as a user writes them. */
#include "compiler/compile.h"

#include "vm/pattern_class.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char *const declaration =
    "CREATE STREAM payments (card STRING, amount DECIMAL(12,2), status STRING, at TIMESTAMP, "
    "WATERMARK FOR at AS at - 5s);\n";

struct bench {
    struct wr_arena arena;
    struct wr_sources sources;
    struct wr_diags diags;
    struct wr_program *program;
    const struct wr_node *node;        /* the first PATTERN */
    const struct wr_pattern_node *p;
};

static void compile(struct bench *b, const char *text)
{
    struct wr_compile_options options = {0};
    struct wr_buf out = {0};
    memset(b, 0, sizeof *b);
    wr_arena_init(&b->arena);
    wr_sources_init(&b->sources, &b->arena);
    wr_diags_init(&b->diags, &b->arena, &b->sources);
    wr_buf_add_cstr(&out, declaration);
    wr_buf_add_cstr(&out, text);
    uint32_t file = wr_sources_add(&b->sources, WR_SLICE("test.weir"), wr_buf_slice(&out));
    struct wr_tree tree = wr_parse(&b->arena, &b->diags, file, NULL, NULL);
    b->program = wr_diags_failed(&b->diags) ? NULL : wr_compile(&tree, &b->diags, file, &options);
    if (!b->program) {
        wr_buf_clear(&out);
        wr_diags_render(&b->diags, false, &out);
        fail_msg("%s", wr_buf_cstr(&out));
    }
    wr_buf_release(&out);
    for (uint32_t i = 0; i < b->program->node_count && !b->node; i++)
        if (b->program->node[i].kind == WR_NODE_PATTERN) b->node = &b->program->node[i];
    assert_non_null(b->node);
    b->p = &b->node->u.pattern;
}

static void release(struct bench *b)
{
    wr_program_free(b->program);
    wr_arena_release(&b->arena);
}

static const struct wr_code *condition(const struct bench *b, uint32_t variable)
{
    uint32_t code = b->p->variable[variable].condition;
    return code == WR_NONE ? NULL : &b->program->code[code];
}

static const struct wr_input *input_of(const struct wr_code *code, enum wr_input_kind kind)
{
    for (uint32_t i = 0; i < code->input_count; i++)
        if (code->input[i].kind == kind) return &code->input[i];
    return NULL;
}

static void conditions_are_taken_apart_at_their_ands(void **state)
{
    (void)state;
    struct bench b;
    compile(
        &b,
        "PATTERN p FROM payments PARTITION BY card MATCH small{3,} -> large WITHIN 10m\n"
        "DEFINE small AS status = 'declined',\n"
        "       large AS amount > 5 * AVG(small.amount) AND status = 'approved' AND amount > 10\n"
        "SELECT card, COUNT(small.*) AS n;");
    assert_int_equal(b.p->variable[0].row_condition, 0);
    assert_null(condition(&b, 0));
    assert_int_equal(b.p->variable[1].row_condition, 1);
    assert_int_equal(b.program->code[b.p->row_code].result_count, 2);
    const struct wr_code *rest = condition(&b, 1);
    assert_non_null(input_of(rest, WR_INPUT_AGGREGATE));
    assert_int_equal(rest->input_count, 2);
    assert_int_equal(b.p->aggregate_count, 2);
    const struct wr_input *average = input_of(rest, WR_INPUT_AGGREGATE);
    assert_true(b.p->aggregate[average->column].running);
    assert_int_equal(b.p->aggregate[average->column].fn, WR_AGG_AVG);
    assert_int_equal(b.p->within_us, 600000000);
    assert_int_equal(b.p->after_match, WR_AFTER_PAST_LAST);
    release(&b);
}

static void equal_conditions_of_two_variables_are_one(void **state)
{
    (void)state;
    struct bench b;
    compile(
        &b,
        "PATTERN p FROM payments MATCH a -> b -> c -> d WITHIN 10m\n"
        "DEFINE a AS amount > 5, b AS status = 'x' AND amount > 5, c AS c.amount > 5, d AS TRUE\n"
        "SELECT a.amount;");
    assert_int_equal(b.p->variable[0].row_condition, b.p->variable[2].row_condition);
    assert_int_not_equal(b.p->variable[0].row_condition, b.p->variable[1].row_condition);
    assert_int_equal(b.p->variable[3].row_condition, WR_NONE);
    assert_int_equal(wr_pattern_class(b.p), WR_MATCHER_SEQUENCE);
    release(&b);
}

static void a_variable_s_own_last_row_is_the_current_one(void **state)
{
    (void)state;
    struct bench b;
    compile(&b, "PATTERN p FROM payments MATCH a+ b WITHIN 10m SUBSET u = (a, b)\n"
                "DEFINE a AS a.amount > 5 AND LAST(a.amount) < 9 AND u.amount > 1 AND amount <> 7\n"
                "            AND LAST(a.status || 'x') = 'yx' AND (LAST(a.amount, 1) IS NULL OR "
                "amount > LAST(u.amount, 2)),\n"
                "       b AS amount > a.amount AND FIRST(b.amount) > 1\n"
                "SELECT b.amount;");
    const struct wr_code *a = condition(&b, 0), *of_b = condition(&b, 1);
    for (uint32_t i = 0; i < a->input_count; i++)
        assert_true(a->input[i].kind == WR_INPUT_COLUMN || a->input[i].offset > 0);
    assert_int_equal(b.p->history_count, 4);
    assert_int_equal(input_of(of_b, WR_INPUT_LAST)->set, 0);
    assert_int_equal(input_of(of_b, WR_INPUT_FIRST)->set, 1);
    assert_int_equal(b.p->set_count, 3);
    assert_true(wr_pattern_set_has(b.p, 2, 0) && wr_pattern_set_has(b.p, 2, 1));
    assert_int_equal(b.p->keep_count, 1); /* amount: the text of status is the current row's only */
    release(&b);
}

static void each_position_knows_what_is_read_from_it_on(void **state)
{
    (void)state;
    struct bench b;
    compile(&b, "PATTERN p FROM payments MATCH a b c d WITHIN 10m\n"
                "DEFINE a AS amount > 5, b AS amount > a.amount, c AS amount > 1, d AS status = "
                "FIRST(b.status)\n"
                "SELECT d.amount;");
    const struct wr_pattern_position *at = b.p->position;
    assert_int_equal(b.p->history_count, 2);
    assert_int_equal(b.p->reads_count, 2);
    assert_int_equal(b.p->reads[at[0].reads], 3);
    assert_int_equal(b.p->reads[at[1].reads], 2);
    assert_int_equal(at[1].reads, at[2].reads);
    assert_int_equal(at[3].reads, WR_NONE);
    release(&b);
}

static void loops_read_what_their_next_rounds_read(void **state)
{
    (void)state;
    struct bench b;
    compile(&b, "PATTERN p FROM payments MATCH (a b)+ c WITHIN 10m\n"
                "DEFINE a AS amount > LAST(b.amount), b AS amount > 1, c AS TRUE SELECT c.amount;");
    assert_int_not_equal(b.p->position[0].reads, WR_NONE);
    assert_int_equal(b.p->position[0].reads, b.p->position[1].reads);
    assert_int_equal(b.p->position[2].reads, WR_NONE);
    release(&b);
}

static void arguments_that_are_no_columns_become_columns(void **state)
{
    (void)state;
    struct bench b;
    compile(&b,
            "PATTERN p FROM payments PARTITION BY card, UPPER(status) MATCH a+ -> b WITHIN 10m\n"
            "DEFINE a AS amount > 5, b AS amount > SUM(a.amount * 2)\n"
            "SELECT card, key_2, SUM(a.amount * 2) AS s, LAST(a.amount * 2, 1) AS l,\n"
            "       COUNT(*) FILTER (WHERE status = 'x') AS n;");
    const struct wr_node *helper = &b.program->node[b.node->input[0]];
    assert_int_equal(helper->kind, WR_NODE_SELECT);
    assert_int_equal(b.p->key_count, 2);
    assert_int_equal(b.p->aggregate_count, 2);
    assert_int_equal(b.p->keep_count, 2); /* amount * 2 once, and the filter */
    for (uint32_t i = 0; i < helper->schema.count; i++)
        assert_int_equal(helper->u.select.carry[i], 1);
    assert_int_equal(b.p->key[1], helper->schema.count - 3);
    release(&b);
}

static void partition_columns_come_first_in_the_long_form(void **state)
{
    (void)state;
    struct bench b;
    compile(&b, "SELECT * FROM payments MATCH_RECOGNIZE (PARTITION BY card, status ORDER BY at\n"
                "MEASURES b.AMOUNT, MATCH_ROWTIME() AS t AFTER MATCH SKIP TO NEXT ROW\n"
                "PATTERN (a b) DEFINE a AS amount > 1, b AS amount > 2) AS p;");
    const struct wr_node *result = &b.program->node[b.program->node_count - 1];
    const struct wr_schema *schema = &b.program->node[result->input[0]].schema;
    assert_int_equal(schema->count, 4);
    assert_string_equal(schema->column[0].name, "card");
    assert_string_equal(schema->column[1].name, "status");
    assert_string_equal(schema->column[2].name, "amount");
    assert_string_equal(schema->column[3].name, "t");
    assert_int_equal(b.p->after_match, WR_AFTER_NEXT_ROW);
    assert_false(b.p->needs_ids);
    release(&b);
}

static void a_match_without_rows_has_no_last_row_to_read_the_key_from(void **state)
{
    (void)state;
    struct bench b;
    compile(&b, "PATTERN p FROM payments PARTITION BY card MATCH a?\n"
                "DEFINE a AS amount > 1 SELECT card, UPPER(card) AS big;");
    assert_int_equal(b.p->output_count, 2);
    assert_int_equal(b.p->output[0].kind, WR_INPUT_KEY);
    assert_int_equal(b.p->output[1].kind, WR_INPUT_LAST);
    release(&b);
    compile(&b, "PATTERN p FROM payments PARTITION BY card MATCH a\n"
                "DEFINE a AS amount > 1 SELECT card, UPPER(card) AS big;");
    assert_int_equal(b.p->output_count, 1);
    assert_int_equal(b.p->keep_count, 0);
    assert_int_equal(wr_pattern_class(b.p), WR_MATCHER_ROW);
    release(&b);
}

static void a_hundred_variables_are_no_limit(void **state)
{
    (void)state;
    struct bench b;
    struct wr_buf text = {0};
    wr_buf_add_cstr(&text, "PATTERN p FROM payments MATCH");
    for (int i = 0; i < 300; i++) wr_buf_printf(&text, " v%d", i);
    wr_buf_add_cstr(&text, " WITHIN 1h DEFINE v299 AS amount > v70.amount AND amount > v298.amount "
                           "SELECT v150.amount;");
    compile(&b, wr_buf_cstr(&text));
    assert_int_equal(b.p->variable_count, 300);
    assert_int_equal(b.p->set_words, 5);
    assert_true(wr_pattern_set_has(b.p, 299, 299) && !wr_pattern_set_has(b.p, 299, 43));
    assert_int_equal(b.p->history_count, 2);
    wr_buf_release(&text);
    release(&b);
}

static void flink_skips_to_the_next_row_when_nothing_is_said(void **state)
{
    (void)state;
    struct bench b;
    compile(&b, "SET dialect = 'flink';\nPATTERN p FROM payments MATCH a b? c{2}\n"
                "DEFINE a AS amount > 1, b AS TRUE, c AS TRUE SELECT a.amount;");
    assert_int_equal(b.p->after_match, WR_AFTER_NEXT_ROW);
    release(&b);
    compile(&b, "SET dialect = 'flink';\nPATTERN p FROM payments MATCH a SKIP PAST LAST ROW\n"
                "DEFINE a AS amount > 1 SELECT a.amount;");
    assert_int_equal(b.p->after_match, WR_AFTER_PAST_LAST);
    release(&b);
}

static void a_result_knows_which_column_is_its_time(void **state)
{
    (void)state;
    struct bench b;
    compile(&b, "PATTERN p FROM payments PARTITION BY card MATCH a -> b WITHIN 1h\n"
                "DEFINE a AS amount > 1, b AS amount > 2 SELECT card, a.at AS since, at;\n"
                "SELECT window_end, COUNT(*) AS n FROM TUMBLE(p, at, 1h) GROUP BY window_start, window_end;");
    release(&b);
}

/* ---- explain --------------------------------------------------------------------------------- */

static void explain(const struct bench *b, enum wr_explain_format format, const char *only,
                    struct wr_buf *out)
{
    wr_buf_clear(out);
    assert_true(wr_explain(b->program, format, wr_slice_cstr(only), false, NULL, out));
    wr_buf_cstr(out);
}

static void has(const struct wr_buf *out, const char *line)
{
    if (!strstr(out->data, line)) fail_msg("no line '%s' in\n%s", line, out->data);
}

static void explain_says_in_words_what_begins_ends_and_keeps_a_match(void **state)
{
    (void)state;
    struct bench b;
    struct wr_buf out = {0};
    compile(&b, "PATTERN card_testing FROM payments PARTITION BY card MATCH small{3,} -> large "
                "WITHIN 1h30m\n"
                "DEFINE small AS status = 'declined', large AS amount > 5 * AVG(small.amount)\n"
                "SELECT card, COUNT(small.*) AS n, large.amount;");
    explain(&b, WR_EXPLAIN_TEXT, "CARD_testing", &out);
    has(&out, "  Looks for small{3,} -> large among the rows of one card, in the order of their "
              "event time.\n");
    has(&out, "  A row is 'small' when status = 'declined'.\n");
    has(&out, "  A row is 'large' when amount > 5 * AVG(small.amount); with AVG(small.amount) of "
              "the rows taken so far.\n");
    has(&out, "  A match begins with a row that is 'small'.\n");
    has(&out, "  After 'small': 'small' on the very next row (2 times).\n");
    has(&out, "  After 'small': 'small' on the very next row, else the next 'large'.\n");
    has(&out, "  After 'large': the match is whole.\n");
    has(&out, "and when 1h30m have passed since its first row.\n");
    has(&out, "  Kept of each taken row: amount.\n");
    has(&out, "  Matcher: general, because a condition reads rows that were taken before.\n");
    has(&out, "  2         small  2, -> 3\n");
    has(&out, "a row may be 5s behind the latest one before it is late");
    has(&out, "  card STRING from $.card\n");
    assert_false(wr_explain(b.program, WR_EXPLAIN_TEXT, WR_SLICE("another"), false, NULL, &out));
    explain(&b, WR_EXPLAIN_DOT, "", &out);
    has(&out, "digraph weir {");
    has(&out, "_2 -> p1_3 [label=\"-> 2\"]");
    explain(&b, WR_EXPLAIN_JSON, "", &out);
    has(&out, "{\"version\":1,\"nodes\":[");
    has(&out, "\"follow\":[{\"to\":2,\"connector\":\"strict\"},{\"to\":3,\"connector\":\"next\"}]");
    wr_buf_release(&out);
    release(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conditions_are_taken_apart_at_their_ands),
        cmocka_unit_test(equal_conditions_of_two_variables_are_one),
        cmocka_unit_test(a_variable_s_own_last_row_is_the_current_one),
        cmocka_unit_test(each_position_knows_what_is_read_from_it_on),
        cmocka_unit_test(loops_read_what_their_next_rounds_read),
        cmocka_unit_test(arguments_that_are_no_columns_become_columns),
        cmocka_unit_test(partition_columns_come_first_in_the_long_form),
        cmocka_unit_test(a_match_without_rows_has_no_last_row_to_read_the_key_from),
        cmocka_unit_test(a_hundred_variables_are_no_limit),
        cmocka_unit_test(flink_skips_to_the_next_row_when_nothing_is_said),
        cmocka_unit_test(a_result_knows_which_column_is_its_time),
        cmocka_unit_test(explain_says_in_words_what_begins_ends_and_keeps_a_match),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
