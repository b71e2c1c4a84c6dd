/* How diagnostics look, to the byte. */
#include "tests/dsl/support.h"

static void assert_rendered(const char *program, const char *expected)
{
    struct text t;
    text_parse(&t, program);
    assert_string_equal(wr_buf_cstr(&t.out), expected);
    text_end(&t);
}

static void a_misspelt_word_is_shown_with_what_was_meant(void **state)
{
    (void)state;
    assert_rendered("PATTERN p FROM s\nMATCH a -> b\n\twihtin 5m\nSELECT a.x AS x;",
                    "error[W0201]: expected `WITHIN`, found name `wihtin`\n"
                    " --> t.weir:3:2\n"
                    "  |\n"
                    "3 | \twihtin 5m\n"
                    "  | \t^^^^^^ help: did you mean `within`?\n");
}

static void each_misspelt_keyword_of_an_example_is_found(void **state)
{
    (void)state;
    static const char *const words[][2] = {
        {"CREATE STREAM s (a INT, at TIMESTAMP, WATERMRK FOR at AS at);", "WATERMARK"},
        {"CRAETE STREAM s;", "CREATE"},
        {"CREATE STREM s;", "STREAM"},
        {"PATERN p FROM s MATCH a SELECT a.x;", "PATTERN"},
        {"PATTERN p FORM s MATCH a SELECT a.x;", "FROM"},
        {"PATTERN p FROM s PARTITON BY k MATCH a SELECT a.x;", "PARTITION"},
        {"PATTERN p FROM s PARTITION BY k MTACH a SELECT a.x;", "MATCH"},
        {"PATTERN p FROM s MATCH a DEFNE a AS x SELECT a.x;", "DEFINE"},
        {"PATTERN p FROM s MATCH a SELETC a.x AS x INTO t;", "SELECT"},
        {"SELECT a FROM s WHRE x > 5;", "WHERE"},
        {"SELECT a FROM s GRUOP BY a;", "GROUP"},
        {"SELECT a FROM s WHERE a BETWEN 1 AND 2;", "BETWEEN"},
        {"SELECT a FROM s HAVIGN a > 1;", "HAVING"},
        {"INSRET INTO t SELECT a FROM s;", "INSERT"},
        {"PATTERN p FROM s MATCH a SUPRESS 5m SELECT a.x;", "SUPPRESS"},
        {"SELECT a FROM s EMTI CHANGES;", "EMIT"}};
    for (size_t i = 0; i < WR_COUNT(words); i++) {
        struct text t;
        char meant[64] = "did you mean `";
        text_parse(&t, words[i][0]);
        strncat(meant, words[i][1], 40);
        strncat(meant, "`?", 3);
        if (!strstr(wr_buf_cstr(&t.out), meant)) print_message("%s: %s\n", words[i][0], wr_buf_cstr(&t.out));
        assert_non_null(strstr(wr_buf_cstr(&t.out), meant));
        assert_int_equal(t.diags.error_count, 1);
        text_end(&t);
    }
}

static void a_second_place_is_shown_below_the_first(void **state)
{
    (void)state;
    assert_rendered("SELECT a FROM s\nWHERE a > 1\nWHERE b > 2;",
                    "error[W0204]: WHERE is given twice\n"
                    " --> t.weir:3:1\n"
                    "  |\n"
                    "3 | WHERE b > 2;\n"
                    "  | ^^^^^^^^^^^\n"
                    " ::: t.weir:2:1\n"
                    "2 | WHERE a > 1\n"
                    "  | ----------- the first one\n");
}

static void columns_count_code_points(void **state)
{
    (void)state;
    assert_rendered("SELECT größe # FROM s",
                    "error[W0101]: character '#' has no meaning here\n"
                    " --> t.weir:1:14\n"
                    "  |\n"
                    "1 | SELECT größe # FROM s\n"
                    "  |              ^ help: comments begin with --\n");
}

static void a_place_over_several_lines_shows_its_first(void **state)
{
    (void)state;
    assert_rendered("PATTERN p FROM s MATCH a ORDER BY\n at SELECT a.x;",
                    "error[W0205]: PATTERN takes no ORDER BY\n"
                    " --> t.weir:1:26\n"
                    "  |\n"
                    "1 | PATTERN p FROM s MATCH a ORDER BY\n"
                    "  |                          ^^^^^^^^… to line 2 help: the stream's event time is the "
                    "order; leave the clause out\n");
}

static void a_long_line_is_shown_through_a_window(void **state)
{
    (void)state;
    struct wr_buf program = {0};
    wr_buf_add_cstr(&program, "SELECT ");
    for (int i = 0; i < 40; i++) wr_buf_printf(&program, "column%02d, ", i);
    wr_buf_add_cstr(&program, "# FROM s;");
    struct text t;
    text_parse(&t, wr_buf_cstr(&program));
    const char *line = strstr(wr_buf_cstr(&t.out), "1 | …");
    assert_non_null(line);
    const char *end = strchr(line, '\n'), *caret = strchr(end, '^');
    assert_true(wr_slice_equal(
        WR_SLICE("#"), wr_slice_of(line + (caret - end - 1) + 2, 1))); /* the ellipsis has three bytes */
    wr_buf_release(&program);
    text_end(&t);
}

static void errors_come_in_order_of_their_places_and_no_more_than_twenty(void **state)
{
    (void)state;
    struct wr_buf program = {0};
    for (int i = 0; i < 25; i++) wr_buf_add_cstr(&program, "SELECT a, FROM s;\n");
    struct text t;
    text_parse(&t, wr_buf_cstr(&program));
    assert_int_equal(t.diags.error_count, 25);
    assert_int_equal(t.diags.count, 20);
    assert_non_null(strstr(wr_buf_cstr(&t.out), "t.weir:20:9\n"));
    assert_null(strstr(wr_buf_cstr(&t.out), "t.weir:21:"));
    assert_non_null(strstr(wr_buf_cstr(&t.out), "\n… and 5 more errors\n"));
    wr_buf_release(&program);
    text_end(&t);
}

static void every_error_of_a_file_is_found_in_one_go(void **state)
{
    (void)state;
    struct text t;
    text_parse(&t, "CREATE STREAM s (a INT INT, b STRING,, c DECIMAL(1 2), d INT\n"
                   "CREATE STREAM t (a INT);\n"
                   "SELECT f(a b), c d e, g FROM t WHERE 1 < a < 3;\n"
                   "PATTERN p FROM t MATCH a{0} -> NOT b+ SELECT a.x;\n");
    assert_int_equal(t.diags.error_count, 8);
    text_end(&t);
}

static void json_is_versioned_and_complete(void **state)
{
    (void)state;
    struct text t;
    text_parse(&t, "SELECT a FROM s WHERE x IN ();");
    wr_buf_clear(&t.out);
    wr_diags_render_json(&t.diags, &t.out);
    assert_string_equal(wr_buf_cstr(&t.out), "{\"version\":1,\"diagnostics\":[{\"code\":\"W0224\","
                                             "\"severity\":\"error\",\"message\":\"the list of IN is empty\","
                                             "\"span\":{\"file\":\"t.weir\",\"start\":{\"offset\":28,"
                                             "\"line\":1,\"column\":29},\"end\":{\"offset\":29,\"line\":1,"
                                             "\"column\":30}},\"help\":\"write at least one value, as in x "
                                             "IN ('a')\"}],\"errors\":1,\"warnings\":0}\n");
    text_end(&t);
}

static void each_code_has_a_page_and_is_found_by_its_name(void **state)
{
    (void)state;
    for (int i = 0; i < WR_DIAG_COUNT; i++) {
        enum wr_diag_code code = (enum wr_diag_code)i;
        assert_int_equal(wr_diag_find(wr_slice_cstr(wr_diag_name(code))), code);
        assert_true(strlen(wr_diag_page(code)) > 40);
        assert_true(strlen(wr_diag_title(code)) > 4);
        if (i) assert_true(strcmp(wr_diag_name(code), wr_diag_name((enum wr_diag_code)(i - 1))) > 0);
    }
    assert_int_equal(wr_diag_find(WR_SLICE("w0201")), WR_DIAG_W0201);
    assert_int_equal(wr_diag_find(WR_SLICE("W9999")), WR_DIAG_COUNT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_misspelt_word_is_shown_with_what_was_meant),
        cmocka_unit_test(each_misspelt_keyword_of_an_example_is_found),
        cmocka_unit_test(a_second_place_is_shown_below_the_first),
        cmocka_unit_test(columns_count_code_points),
        cmocka_unit_test(a_place_over_several_lines_shows_its_first),
        cmocka_unit_test(a_long_line_is_shown_through_a_window),
        cmocka_unit_test(errors_come_in_order_of_their_places_and_no_more_than_twenty),
        cmocka_unit_test(every_error_of_a_file_is_found_in_one_go),
        cmocka_unit_test(json_is_versioned_and_complete),
        cmocka_unit_test(each_code_has_a_page_and_is_found_by_its_name),
    };
    return cmocka_run_group_tests_name("diag", tests, NULL, NULL);
}
