/* Habits from other languages: what users of SQL, Flink, ksqlDB, Esper and Siddhi type, and what it is here; a comma
 * too many. Each help is text that compiles in its place (tests/cases/errors/habits_mended.weir). */
#include "dsl/grammar.h"
#include "dsl/lexer.h"
#include "dsl/report.h"

enum { LOOK_BACK = 6, LOOK_AHEAD = 2 };

/* A word where `sign` and `sign2` could stand and `no` could not, behind `before` if that is said. Words that are names
 * as well are signs of little: they could stand wherever a name could. */
struct habit {
    int sign, sign2, no;
    const char *before; /* the text of the token before; NULL: any */
    const char *word;
    const char *message; /* NULL: "expected …, found …" */
    const char *help;
};

static const struct habit habits[] = {
    /* statements */
    {TOK_SEMICOLON, TOK_INCLUDE, TOK_COMMA, NULL, "DEFINE", "there is no statement DEFINE",
     "write CREATE STREAM s (card STRING, at TIMESTAMP, WATERMARK FOR at AS at - 5s)"},
    {TOK_SEMICOLON, TOK_INCLUDE, TOK_COMMA, NULL, "FROM", "no statement begins with FROM",
     "write SELECT … FROM s, or PATTERN p FROM s MATCH a -> b WITHIN 5m SELECT …"},
    {TOK_SEMICOLON, TOK_INCLUDE, TOK_COMMA, NULL, "SHOW", "there is no statement SHOW",
     "weir explain PROGRAM says what a program has"},
    {TOK_SEMICOLON, TOK_INCLUDE, TOK_COMMA, NULL, "DESCRIBE", "there is no statement DESCRIBE",
     "weir explain PROGRAM:NAME says what it is and what it keeps"},
    {TOK_SEMICOLON, TOK_INCLUDE, TOK_COMMA, NULL, "EXPLAIN", "there is no statement EXPLAIN",
     "the command is weir explain PROGRAM:NAME"},
    {TOK_SEMICOLON, TOK_INCLUDE, TOK_COMMA, NULL, "{", "no statement begins with {",
     "weir query \"SELECT …\" FILE reads records"},
    {TOK_STREAM, TOK_VIEW, 0, "CREATE", "OR", NULL, "leave OR REPLACE out: a program declares each name once"},
    {TOK_STREAM, TOK_VIEW, 0, "CREATE", "MATERIALIZED", NULL,
     "write CREATE STREAM name AS SELECT …: it is computed as rows come"},
    {TOK_STREAM, TOK_VIEW, 0, "CREATE", "TEMPORARY", NULL, "leave it out"},
    {TOK_STREAM, TOK_VIEW, 0, "CREATE", "TEMP", NULL, "leave it out"},
    {TOK_STREAM, TOK_VIEW, 0, "CREATE", "SOURCE", NULL, "write CREATE STREAM name (…)"},
    {TOK_STREAM, TOK_VIEW, 0, "CREATE", "SCHEMA", NULL, "write CREATE STREAM name (…)"},
    {TOK_STREAM, TOK_VIEW, 0, "CREATE", "TYPE", NULL, "write CREATE STREAM name (…)"},
    {TOK_STREAM, TOK_VIEW, 0, "CREATE", "SINK", NULL, "write CREATE STREAM name; and INSERT INTO name SELECT …"},
    {TOK_STREAM, TOK_VIEW, 0, "CREATE", "WINDOW", NULL, "a window stands in FROM: FROM TUMBLE(stream, time, 1m)"},
    {TOK_AS, TOK_LPAREN, 0, "IF", "NOT", NULL, "leave IF NOT EXISTS out: a program declares each name once"},
    {TOK_IDENT, 0, 0, "PATTERN", "FROM", NULL, "a pattern has a name: PATTERN p FROM s MATCH a -> b WITHIN 5m SELECT …"},
    {TOK_SELECT, TOK_PATTERN, 0, NULL, "VALUES", NULL,
     "rows come from a query, INSERT INTO s SELECT …, or from a file, --in s=PATH"},
    /* columns and types */
    {TOK_FROM, TOK_DEFAULT, TOK_EQ, "DOUBLE", "PRECISION", NULL, "the type is called DOUBLE"},
    {TOK_FROM, TOK_DEFAULT, TOK_EQ, NULL, "WITH", NULL, "the type is called TIMESTAMP: an instant, in UTC"},
    {TOK_FROM, TOK_DEFAULT, TOK_EQ, NULL, "WITHOUT", NULL, "the type is called TIMESTAMP: an instant, in UTC"},
    {TOK_FROM, TOK_DEFAULT, TOK_EQ, NULL, "NULL", NULL, "leave it out: a column may be NULL unless it is NOT NULL"},
    {TOK_FROM, TOK_DEFAULT, TOK_EQ, NULL, "METADATA", NULL,
     "write FROM TIMESTAMP, FROM KEY, FROM OFFSET, FROM PARTITION or FROM HEADER 'name'"},
    {TOK_FROM, TOK_DEFAULT, TOK_EQ, NULL, "UNIQUE", NULL, "leave it out: a stream may hold a value twice"},
    {TOK_COMMA, TOK_RPAREN, 0, ")", "NOT", NULL, "leave NOT ENFORCED out"},
    {TOK_ARRAY, TOK_MAP, TOK_KEY, NULL, "AS", NULL, "a computed column has a type too: day STRING AS FORMAT_TIMESTAMP(at, '%F')"},
    {TOK_ARRAY, TOK_MAP, TOK_KEY, NULL, ",", NULL, "a column has a type, as in card STRING"},
    {TOK_ARRAY, TOK_MAP, TOK_KEY, NULL, ")", NULL, "a column has a type, as in card STRING"},
    {TOK_ARRAY, TOK_MAP, TOK_KEY, NULL, ";", NULL, "a column has a type, as in card STRING"},
    /* values */
    {TOK_NUMBER, TOK_CASE, 0, NULL, "?", NULL, "a parameter is declared, CREATE PARAMETER p INT; and read as :p"},
    {TOK_NUMBER, TOK_CASE, 0, NULL, "$", NULL, "a parameter is declared, CREATE PARAMETER p INT; and read as :p"},
    {TOK_NUMBER, TOK_CASE, 0, "*", "*", NULL, "write POWER(x, 2)"},
    {TOK_DISTINCT, TOK_ALL, 0, "SELECT", "FROM", NULL, "SELECT * takes all columns"},
    /* inputs */
    {TOK_JOIN, TOK_MATCH_RECOGNIZE, 0, NULL, "MATCH", NULL, "write MATCH_RECOGNIZE (…)"},
    {TOK_JOIN, TOK_MATCH_RECOGNIZE, 0, NULL, ".", NULL,
     "a stream's name has no dot; a window is FROM TUMBLE(stream, time, 1m)"},
    {TOK_JOIN, TOK_MATCH_RECOGNIZE, 0, "PATTERN", "[", NULL,
     "a pattern is a statement: PATTERN p FROM s MATCH a -> b WITHIN 5m SELECT …"},
    {TOK_JOIN, TOK_MATCH_RECOGNIZE, 0, NULL, "[", NULL, "conditions stand in WHERE, those of a pattern in DEFINE"},
    {TOK_JOIN, 0, 0, "WINDOW", "TUMBLING", NULL, "a window stands in FROM: FROM TUMBLE(stream, time, 1m)"},
    {TOK_JOIN, 0, 0, "WINDOW", "HOPPING", NULL, "a window stands in FROM: FROM HOP(stream, time, 1m, 5m), the slide first"},
    /* operators */
    {TOK_LIKE, TOK_REGEXP, 0, NULL, "ILIKE", "there is no operator ILIKE", "write LOWER(text) LIKE 'a%'"},
    {TOK_LIKE, TOK_REGEXP, 0, NULL, "RLIKE", "there is no operator RLIKE", "write text REGEXP 'a.*'"},
    {TOK_LIKE, TOK_REGEXP, 0, NULL, "SIMILAR", "there is no operator SIMILAR TO", "write text REGEXP 'a.*'"},
    {TOK_LIKE, TOK_REGEXP, 0, NULL, "MATCHES", "there is no operator MATCHES", "write text REGEXP 'a.*'"},
    {TOK_LIKE, TOK_REGEXP, 0, NULL, "GLOB", "there is no operator GLOB", "write text LIKE 'a%'"},
    {TOK_LIKE, TOK_REGEXP, 0, NULL, "CONTAINS", "there is no operator CONTAINS", "write CONTAINS(text, 'part')"},
    {TOK_LIKE, TOK_REGEXP, 0, NULL, "DIV", "there is no operator DIV", "write /: between whole numbers it cuts off"},
    {TOK_LIKE, TOK_REGEXP, 0, NULL, "XOR", "there is no operator XOR", "write <> between the two conditions"},
    {TOK_LIKE, TOK_REGEXP, 0, NULL, "|", "| is no operator", "OR joins conditions, || texts"},
    {TOK_LIKE, TOK_REGEXP, 0, NULL, "&", "& is no operator", "AND joins conditions"},
    {TOK_LIKE, TOK_REGEXP, 0, NULL, "?", "? : is no operator", "write CASE WHEN condition THEN x ELSE y END"},
    {TOK_LIKE, TOK_REGEXP, 0, NULL, "^", "^ is no operator", "write POWER(x, 2)"},
    {TOK_LIKE, TOK_BETWEEN, TOK_EQ, "NOT", "=", NULL, "write <>"},
    {TOK_LPAREN, 0, TOK_NUMBER, "IN", "[", NULL, "write IN ('a', 'b')"},
    {TOK_AND, TOK_PLUS, TOK_OR, NULL, ",", NULL, "write BETWEEN 1 AND 5"},
    /* patterns */
    {TOK_ARROW, TOK_ARROW_ANY, 0, NULL, "AND", NULL, "a -> b is a and then b; (a & b) both, in any order"},
    {TOK_ARROW, TOK_ARROW_ANY, 0, NULL, "THEN", NULL, "a -> b is a and then b, a b an a with b as the very next row"},
    {TOK_ARROW, TOK_ARROW_ANY, 0, NULL, "=", NULL, "what a variable is stands in DEFINE: DEFINE a AS n = 1, b FROM s AS n = 2"},
    {TOK_ARROW, TOK_ARROW_ANY, 0, NULL, "AS", NULL, "what a variable is stands in DEFINE: DEFINE a AS n = 1, b FROM s AS n = 2"},
    {TOK_ARROW, TOK_ARROW_ANY, 0, NULL, "OR", NULL, "either of two is a | b"},
    {TOK_ARROW, TOK_ARROW_ANY, 0, NULL, "[", NULL, "how often an element repeats stands in braces: a{3}, a{2,5}"},
    {TOK_COMMA, TOK_RBRACE, 0, NULL, "->", NULL, "a } is missing before it: a{3} -> b"},
    {TOK_COMMA, TOK_RBRACE, 0, NULL, "..", NULL, "the least and the most stand with a comma between: {2,5}"},
    {TOK_COMMA, TOK_RBRACE, 0, NULL, "-", NULL, "the least and the most stand with a comma between: {2,5}"},
    {TOK_ARROW, TOK_ARROW_ANY, 0, NULL, "HAVING", NULL, "a condition stands in the DEFINE of its variable"},
    {TOK_DEFINE, TOK_WITHIN, 0, NULL, "HAVING", NULL, "a condition stands in the DEFINE of its variable"},
    {TOK_WITHIN, TOK_PARTITION, 0, NULL, "GROUP", NULL, "the key of a pattern is PARTITION BY"},
    {TOK_PAST, TOK_TO, 0, "SKIP", "NEXT", NULL, "write SKIP TO NEXT ROW"},
    {TOK_PAST, TOK_TO, 0, "SKIP", "LAST", NULL, "write SKIP PAST LAST ROW"},
};

static bool expects(const int *kinds, int count, int kind)
{
    for (int i = 0; i < count; i++)
        if (kinds[i] == kind) return true;
    return kind == 0;
}

static bool is_text(struct wr_parse *parse, struct wr_token token, const char *text)
{
    return wr_slice_equal_nocase(wr_parse_text(parse, token.span), wr_slice_cstr(text));
}

/* `SELECT TOP 5 x` and `DEFINE a AS x > 1 AND b AS y > 2`: known by what stands before the token before. */
static const char *farther_habit(struct wr_parse *parse, const char **message)
{
    uint32_t n = parse->token_count;
    if (n < 3 || n > WR_PARSE_TOKENS_MAX) return NULL;
    struct wr_token before = parse->tokens[n - 2], farther = parse->tokens[n - 3];
    if (parse->current.kind == TOK_NUMBER && farther.kind == TOK_SELECT && is_text(parse, before, "TOP")) {
        *message = "there is no TOP: weir gives each row as soon as it is there";
        return "cut off what comes out, for example with head";
    }
    if (parse->current.kind == TOK_AS && before.kind == TOK_IDENT && farther.kind == TOK_AND)
        return "between the conditions of two variables stands a comma, not AND";
    if (parse->current.kind == TOK_PATTERN && parse->tokens[0].kind == TOK_PATTERN)
        return "in the short form the row pattern stands behind MATCH: MATCH a -> b";
    if (n == 5 && parse->tokens[0].kind == TOK_INSERT && before.kind == TOK_LPAREN && parse->current.kind == TOK_IDENT)
        return "columns go in by their position: INSERT INTO s SELECT …, without a list";
    return NULL;
}

/* A slash beside another. */
static bool is_comment(struct wr_parse *parse)
{
    const char *text = parse->diags->sources->at[parse->file].text.data + parse->current.span.start;
    if (parse->current.kind != TOK_SLASH) return false;
    return text[1] == '/' || (parse->current.span.start && text[-1] == '/');
}

const char *wr_report_habit(struct wr_parse *parse, const int *kinds, int count, const char **message)
{
    *message = NULL;
    if (parse->at_end) return NULL;
    if (is_comment(parse)) return "comments begin with --";
    for (size_t i = 0; i < WR_COUNT(habits); i++) {
        const struct habit *h = &habits[i];
        if (!is_text(parse, parse->current, h->word)) continue;
        if (h->before && !is_text(parse, parse->before, h->before)) continue;
        if (!expects(kinds, count, h->sign) || !expects(kinds, count, h->sign2)) continue;
        if (h->no && expects(kinds, count, h->no)) continue;
        *message = h->message;
        return h->help;
    }
    if (parse->current.kind == TOK_NUMBER && expects(kinds, count, TOK_ARROW) && expects(kinds, count, TOK_ARROW_ANY))
        return "how often an element repeats stands in braces: a{3}, a{2,5}";
    bool clause = parse->current.kind >= TOK_ALL && parse->current.kind <= TOK_WITHIN;
    if (clause && (parse->before.kind == TOK_ARROW || parse->before.kind == TOK_ARROW_ANY))
        return "an arrow stands between two elements: a -> b";
    if (count == 2 && expects(kinds, count, TOK_AS) && expects(kinds, count, TOK_FROM)) return "write a AS condition";
    return farther_habit(parse, message);
}

/* The lexer behind the present token, its complaints unheard. */
static struct wr_lexer lexer_behind(struct wr_parse *parse, struct wr_diags *unheard)
{
    struct wr_slice text = parse->diags->sources->at[parse->file].text;
    const unsigned char *start = (const unsigned char *)text.data;
    wr_diags_init(unheard, parse->arena, parse->diags->sources);
    return (struct wr_lexer){.diags = unheard, .file = parse->file, .start = start,
                             .cursor = start + parse->current.span.end, .limit = start + text.size};
}

struct wr_slice wr_report_next_word(struct wr_parse *parse)
{
    struct wr_diags unheard;
    struct wr_lexer lexer = lexer_behind(parse, &unheard);
    struct wr_token token = wr_lexer_next(&lexer);
    return token.kind == TOK_IDENT ? wr_parse_text(parse, token.span) : WR_SLICE("");
}

/* Whether the statement goes on without that comma, through the present token and the next two. */
static bool goes_on_without(struct wr_parse *parse, uint32_t comma)
{
    struct wr_list statements = {NULL, 0, 0};
    struct wr_parse trial = {.arena = parse->arena, .diags = parse->diags, .file = parse->file,
                             .statements = &statements, .silent = true};
    weir_dsl_pstate *state = wr_grammar_new(parse->arena);
    for (uint32_t i = 0; i < parse->token_count && !trial.failed; i++)
        if (i != comma) wr_report_push(state, &trial, parse->tokens[i]);
    struct wr_diags unheard;
    struct wr_lexer lexer = lexer_behind(parse, &unheard);
    bool whole = parse->current.kind == TOK_SEMICOLON;
    for (int i = 0; i < LOOK_AHEAD && !trial.failed && !whole; i++) {
        struct wr_token token = wr_lexer_next(&lexer);
        if (token.kind == TOK_YYEOF) token.kind = TOK_SEMICOLON;
        whole = token.kind == TOK_SEMICOLON;
        wr_report_push(state, &trial, token);
    }
    return !trial.failed;
}

bool wr_report_extra_comma(struct wr_parse *parse)
{
    uint32_t n = parse->token_count;
    if (n > WR_PARSE_TOKENS_MAX) return false;
    for (uint32_t back = 2; back <= LOOK_BACK && back <= n; back++) {
        struct wr_token comma = parse->tokens[n - back], behind = parse->tokens[n - back + 1];
        if (comma.kind != TOK_COMMA || behind.kind == TOK_IDENT || behind.kind == TOK_NUMBER) continue;
        if (!goes_on_without(parse, n - back)) continue;
        bool end = parse->at_end && behind.kind == TOK_SEMICOLON;
        struct wr_slice text = end ? WR_SLICE("the end") : wr_parse_text(parse, behind.span);
        struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0201, comma.span, "a comma too many before %s%.*s%s",
                                           end ? "" : "`", WR_SLICE_ARG(text), end ? "" : "`");
        wr_diag_help(parse->diags, d, "leave it out");
        return true;
    }
    return false;
}
