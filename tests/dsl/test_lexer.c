/* Tokens, one by one: kinds and texts. */
#include "tests/dsl/support.h"

#include "dsl/grammar.h"
#include "dsl/lexer.h"

struct expected {
    int kind;
    const char *text;
};

static void assert_tokens(const char *program, const struct expected *expected, size_t count)
{
    struct text t;
    struct wr_lexer lexer;
    text_init(&t, program, strlen(program));
    wr_lexer_init(&lexer, &t.diags, t.file);
    for (size_t i = 0; i < count; i++) {
        struct wr_token token = wr_lexer_next(&lexer);
        struct wr_slice text = wr_span_text(&t.sources, token.span);
        assert_int_equal(token.kind, expected[i].kind);
        assert_int_equal(text.size, strlen(expected[i].text));
        assert_memory_equal(text.data, expected[i].text, text.size);
    }
    assert_int_equal(wr_lexer_next(&lexer).kind, TOK_YYEOF);
    assert_int_equal(wr_lexer_next(&lexer).kind, TOK_YYEOF);
    text_end(&t);
}
#define ASSERT_TOKENS(program, ...)                                                                \
    assert_tokens(program, (const struct expected[]){__VA_ARGS__},                                 \
                  sizeof((const struct expected[]){__VA_ARGS__}) / sizeof(struct expected))

static void every_word_of_the_grammar_is_a_token_of_the_lexer_in_any_case(void **state)
{
    (void)state;
    int words = 0;
    for (int kind = 0; kind < wr_token_kinds(); kind++) {
        const char *name = wr_token_name(kind);
        if (kind < TOK_ALL || kind > TOK_WATERMARK) continue;
        char lower[64];
        size_t size = strlen(name);
        for (size_t i = 0; i <= size; i++)
            lower[i] = (char)(name[i] >= 'A' && name[i] <= 'Z' ? name[i] + 32 : name[i]);
        ASSERT_TOKENS(name, {kind, name});
        ASSERT_TOKENS(lower, {kind, lower});
        words++;
    }
    assert_true(words > 100);
}

static void punctuation_is_what_its_alias_says(void **state)
{
    (void)state;
    int signs = 0;
    for (int kind = 0; kind < wr_token_kinds(); kind++) {
        const char *name = wr_token_name(kind);
        if (kind < TOK_SEMICOLON || kind > TOK_CONCAT) continue;
        ASSERT_TOKENS(name, {kind, name});
        signs++;
    }
    assert_true(signs > 30);
    ASSERT_TOKENS("!=", {TOK_NE, "!="});
}

static void durations_are_one_token_and_ranges_of_them_three(void **state)
{
    (void)state;
    ASSERT_TOKENS("10m 1h30m 250ms 1d12h 7us 2w", {TOK_DURATION, "10m"}, {TOK_DURATION, "1h30m"},
                  {TOK_DURATION, "250ms"}, {TOK_DURATION, "1d12h"}, {TOK_DURATION, "7us"},
                  {TOK_DURATION, "2w"});
    ASSERT_TOKENS("1m..5m", {TOK_DURATION, "1m"}, {TOK_DOTDOT, ".."}, {TOK_DURATION, "5m"});
    ASSERT_TOKENS("1..5", {TOK_NUMBER, "1"}, {TOK_DOTDOT, ".."}, {TOK_NUMBER, "5"});
    ASSERT_TOKENS("1.5 1e3 1.5E-3 1.", {TOK_NUMBER, "1.5"}, {TOK_NUMBER, "1e3"}, {TOK_NUMBER, "1.5E-3"},
                  {TOK_NUMBER, "1"}, {TOK_DOT, "."});
}

static void arrows_and_exclusions_are_tokens_wherever_they_stand(void **state)
{
    (void)state;
    ASSERT_TOKENS("a->b->>c", {TOK_IDENT, "a"}, {TOK_ARROW, "->"}, {TOK_IDENT, "b"}, {TOK_ARROW_ANY, "->>"},
                  {TOK_IDENT, "c"});
    ASSERT_TOKENS("{-x-}", {TOK_LEXCLUDE, "{-"}, {TOK_IDENT, "x"}, {TOK_REXCLUDE, "-}"});
    ASSERT_TOKENS("a->[..5s]{2,3}", {TOK_IDENT, "a"}, {TOK_ARROW, "->"}, {TOK_LBRACKET, "["}, {TOK_DOTDOT, ".."},
                  {TOK_DURATION, "5s"}, {TOK_RBRACKET, "]"}, {TOK_LBRACE, "{"}, {TOK_NUMBER, "2"}, {TOK_COMMA, ","},
                  {TOK_NUMBER, "3"}, {TOK_RBRACE, "}"});
    ASSERT_TOKENS("x--y\n+", {TOK_IDENT, "x"}, {TOK_PLUS, "+"});
    ASSERT_TOKENS("x /* - * / */ + -- >\n1", {TOK_IDENT, "x"}, {TOK_PLUS, "+"}, {TOK_NUMBER, "1"});
}

static void names_and_strings_may_hold_anything_between_their_quotes(void **state)
{
    (void)state;
    ASSERT_TOKENS("\"a \"\"b\" `c``d` 'e''f\n' größe _x1", {TOK_IDENT, "\"a \"\"b\""}, {TOK_IDENT, "`c``d`"},
                  {TOK_STRING, "'e''f\n'"}, {TOK_IDENT, "größe"}, {TOK_IDENT, "_x1"});
    ASSERT_TOKENS("\"select\" at Start", {TOK_IDENT, "\"select\""}, {TOK_IDENT, "at"}, {TOK_IDENT, "Start"});
}

static void a_byte_order_mark_and_returns_are_passed_over(void **state)
{
    (void)state;
    ASSERT_TOKENS("\xef\xbb\xbf" "a\r\n-- c\r\nb", {TOK_IDENT, "a"}, {TOK_IDENT, "b"});
    ASSERT_TOKENS("", {TOK_YYEOF, ""});
}

static void durations_have_values(void **state)
{
    (void)state;
    int64_t micros;
    assert_true(wr_duration_decode(WR_SLICE("1w1d1h1m1s1ms1us"), &micros));
    assert_int_equal(micros, 694861001001);
    assert_true(wr_duration_decode(WR_SLICE("0s"), &micros));
    assert_int_equal(micros, 0);
    assert_false(wr_duration_decode(WR_SLICE("1m1h"), &micros));
    assert_false(wr_duration_decode(WR_SLICE("1h1h"), &micros));
    assert_false(wr_duration_decode(WR_SLICE("9223372036854775807s"), &micros));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_word_of_the_grammar_is_a_token_of_the_lexer_in_any_case),
        cmocka_unit_test(punctuation_is_what_its_alias_says),
        cmocka_unit_test(durations_are_one_token_and_ranges_of_them_three),
        cmocka_unit_test(arrows_and_exclusions_are_tokens_wherever_they_stand),
        cmocka_unit_test(names_and_strings_may_hold_anything_between_their_quotes),
        cmocka_unit_test(a_byte_order_mark_and_returns_are_passed_over),
        cmocka_unit_test(durations_have_values),
    };
    return cmocka_run_group_tests_name("lexer", tests, NULL, NULL);
}
