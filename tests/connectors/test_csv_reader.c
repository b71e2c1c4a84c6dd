/* CSV and TSV: RFC 4180, headers, ragged and broken records, every type from its text. */
#include "connectors/harness.h"

static void columns_are_found_by_the_header(void **state)
{
    (void)state;
    expect_csv("b:BIGINT a:STRING", "a,b,c\nx,1,q\ny,2,\n", "{\"b\":1,\"a\":\"x\"}\n{\"b\":2,\"a\":\"y\"}\n");
    expect_csv("userId:STRING", "USERID,userId,userid\n1,2,3\n", "{\"userId\":\"2\"}\n");
    expect_csv("userId:STRING", "x,USERID,userid\n1,2,3\n", "{\"userId\":\"2\"}\n");
    expect_csv("v:STRING@payment.amount", "\"payment.amount\",x\n7,1\n", "{\"v\":\"7\"}\n");
    expect_csv("a:STRING n:BIGINT d:BIGINT=5 o:BIGINT#OFFSET", "a\nx\n\ny\n",
        "{\"a\":\"x\",\"n\":null,\"d\":5,\"o\":0}\n{\"a\":null,\"n\":null,\"d\":5,\"o\":1}\n"
        "{\"a\":\"y\",\"n\":null,\"d\":5,\"o\":2}\n");
    expect_csv("amount:BIGINT!", "amonut,card\n1,2\n",
        "= 4 text: the header has no column amount, and amount is NOT NULL; did you mean amonut? (it has: amonut, card)\n");
    expect_csv("a:STRING", "", "");
    expect_csv("a:STRING", "a", "");
    expect_csv("a:STRING", "\xef\xbb\xbf" "a,b\nx,y", "{\"a\":\"x\"}\n");
}

static void without_a_header_the_order_counts(void **state)
{
    (void)state;
    struct table t;
    table_begin(&t, "a:STRING b:BIGINT");
    table_option(&t, "header", "false");
    t.field[0].ordinal = 2;
    t.field[1].ordinal = 0;
    t.stream.record_columns = 3;
    expect_from(&t, "csv", WR_SLICE("1,q,x\n2,q\n3,q,z\n"), "{\"a\":\"x\",\"b\":1}\n{\"a\":\"z\",\"b\":3}\n"
        "! 1 2 W3111 wrong number of fields: 2,q\n");
    t.stream.record_columns = 0;
    expect_from(&t, "csv", WR_SLICE("1,q\n2,q\n"), "{\"a\":null,\"b\":1}\n{\"a\":null,\"b\":2}\n");
    table_end(&t);
}

static void quotes_hold_delimiters_line_ends_and_quotes(void **state)
{
    (void)state;
    expect_csv("a:STRING b:STRING", "a,b\n\"x,y\",\"l1\nl2\"\n\"say \"\"hi\"\"\",\"\"\"\"\n\"\",\n5\" pipe,a\"b\"\n"
        "\"l1\r\nl2\",\"q\"\r\n\"\"\"\"\"\",z",
               "{\"a\":\"x,y\",\"b\":\"l1\\nl2\"}\n{\"a\":\"say \\\"hi\\\"\",\"b\":\"\\\"\"}\n"
                   "{\"a\":\"\",\"b\":null}\n{\"a\":\"5\\\" pipe\",\"b\":\"a\\\"b\\\"\"}\n"
               "{\"a\":\"l1\\r\\nl2\",\"b\":\"q\"}\n{\"a\":\"\\\"\\\"\",\"b\":\"z\"}\n");
}

static void a_broken_record_costs_its_first_line_only(void **state)
{
    (void)state;
    expect_csv("a:STRING b:BIGINT", "a,b\nx,1\n\"open,2\ny,3\nz,4\n", "{\"a\":\"x\",\"b\":1}\n{\"a\":\"y\",\"b\":3}\n"
        "{\"a\":\"z\",\"b\":4}\n! 1 3 W3109 quote not closed: \"open,2\n");
    expect_csv("a:STRING b:BIGINT", "a,b\n\"x\"y,1\nz,2\n\"p\nq\"r,3\nw,4\n",
               "{\"a\":\"z\",\"b\":2}\n{\"a\":\"q\\\"r\",\"b\":3}\n{\"a\":\"w\",\"b\":4}\n"
                   "! 0 2 W3110 text behind a closing quote: \"x\"y,1\n"
                   "! 2 4 W3110 text behind a closing quote: \"p\n");
}

static void ragged_records_are_bad(void **state)
{
    (void)state;
    expect_csv("a:STRING b:BIGINT", "a,b\nx\nx,1,2\ny,2\n,\n", "{\"a\":\"y\",\"b\":2}\n{\"a\":null,\"b\":null}\n"
        "! 0 2 W3111 wrong number of fields: x\n! 1 3 W3111 wrong number of fields: x,1,2\n");
}

static void lines_are_counted_through_quoted_line_ends(void **state)
{
    (void)state;
    expect_csv("a:STRING b:BIGINT", "a,b\n\"1\n2\n3\",1\n\nx,bad\n", "{\"a\":\"1\\n2\\n3\",\"b\":1}\n"
        "! 1 6 W3114 not a number b: x,bad\n");
}

static void blank_lines_and_line_ends(void **state)
{
    (void)state;
    expect_csv("a:STRING b:BIGINT", "\r\n\na,b\r\n\r\nx,1\r\n   \ny,2\r", "{\"a\":\"x\",\"b\":1}\n"
        "{\"a\":\"y\",\"b\":2}\n");
}

static void every_type_from_its_text(void **state)
{
    (void)state;
    expect_csv("s:STRING b:BOOLEAN i:INT l:BIGINT f:DOUBLE d:DECIMAL(8,2) dt:DATE t:TIME ts:TIMESTAMP iv:INTERVAL y:BYTES",
               "s,b,i,l,f,d,dt,t,ts,iv,y\n"
                   "x,true,-5,007,+1.50,2.345,2026-01-02,03:04:05,2026-01-02T03:04:05Z,PT5M,AAEC\n"
               ",,,,,,,,,,\n\xc3\xa9,FALSE,\"5\",5.0,1e2,1e2,\"2026-01-02\",03:04,1767225600001,2h,\"\"\n",
               "{\"s\":\"x\",\"b\":true,\"i\":-5,\"l\":7,\"f\":1.5,\"d\":2.35,\"dt\":\"2026-01-02\","
               "\"t\":\"03:04:05\",\"ts\":\"2026-01-02T03:04:05Z\",\"iv\":\"PT5M\",\"y\":\"AAEC\"}\n"
               "{\"s\":null,\"b\":null,\"i\":null,\"l\":null,\"f\":null,\"d\":null,\"dt\":null,\"t\":null,"
               "\"ts\":null,\"iv\":null,\"y\":null}\n"
               "{\"s\":\"\xc3\xa9\",\"b\":false,\"i\":5,\"l\":5,\"f\":100,\"d\":100.00,\"dt\":\"2026-01-02\","
               "\"t\":\"03:04:00\",\"ts\":\"2026-01-01T00:00:00.001Z\",\"iv\":\"PT2H\",\"y\":\"\"}\n");
    expect_csv("s:STRING i:BIGINT!", "s,i\n\xff,1\nx,\nx,\"\"\nx,2\n", "{\"s\":\"x\",\"i\":2}\n"
        "! 0 2 W3103 invalid UTF-8 s: \xff,1\n! 1 3 W3104 NULL in a NOT NULL column i: x,\n"
        "! 2 4 W3114 not a number i: x,\"\"\n");
}

static void other_delimiters(void **state)
{
    (void)state;
    expect("tsv", "a:STRING b:STRING", "a\tb\nx,y\t\"p\tq\"\n", "{\"a\":\"x,y\",\"b\":\"p\\tq\"}\n");
    struct table t;
    table_begin(&t, "a:STRING b:DOUBLE");
    table_option(&t, "delimiter", ";");
    expect_from(&t, "csv", WR_SLICE("a;b\nx,y;2.5\n"), "{\"a\":\"x,y\",\"b\":2.5}\n");
    table_end(&t);
}

static void a_long_file_is_read_whole(void **state)
{
    (void)state;
    struct wr_buf text = {0}, wanted = {0};
    wr_buf_add_cstr(&text, "n,s\n");
    for (int i = 0; i < 20000; i++) {
        if (i % 7 == 0) wr_buf_printf(&text, "%d,\"line %d\nand, \"\"more\"\"\"\r\n", i, i);
        else wr_buf_printf(&text, "%d,plain %d\n", i, i);
        if (i % 7 == 0) wr_buf_printf(&wanted, "{\"n\":%d,\"s\":\"line %d\\nand, \\\"more\\\"\"}\n", i, i);
        else wr_buf_printf(&wanted, "{\"n\":%d,\"s\":\"plain %d\"}\n", i, i);
    }
    struct table t;
    table_begin(&t, "n:BIGINT s:STRING");
    expect_from(&t, "csv", wr_buf_slice(&text), wr_buf_cstr(&wanted));
    table_end(&t);
    wr_buf_release(&text);
    wr_buf_release(&wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_found_by_the_header),
        cmocka_unit_test(without_a_header_the_order_counts),
        cmocka_unit_test(quotes_hold_delimiters_line_ends_and_quotes),
        cmocka_unit_test(a_broken_record_costs_its_first_line_only),
        cmocka_unit_test(ragged_records_are_bad),
        cmocka_unit_test(lines_are_counted_through_quoted_line_ends),
        cmocka_unit_test(blank_lines_and_line_ends),
        cmocka_unit_test(every_type_from_its_text),
        cmocka_unit_test(other_delimiters),
        cmocka_unit_test(a_long_file_is_read_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
