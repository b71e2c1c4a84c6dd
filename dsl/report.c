/* Syntax errors in words.
 *
 * A misspelt keyword often goes unnoticed at its own place, because a name may stand there: in
 * `MATCH a -> b WIHTIN 5m` WIHTIN is one more variable, and the parser stumbles over 5m. So the
 * last few names are tried again as the keywords they are nearest to, in a silent second
 * parser; if that one gets past the present token, the misspelt word is what is reported. */
#include "dsl/report.h"
#include "base/buf.h"
#include "base/text.h"
#include "dsl/grammar.h"
#include <stdio.h>

enum { KINDS_MAX = 256, NAMES_MAX = 5, LOOK_BACK = 3 };

/* The expected tokens of a state, less those that a phrase stands for. */
struct expected {
    bool has[KINDS_MAX];
};

static bool is_word(int kind)
{
    char c = wr_token_name(kind)[0];
    return c >= 'A' && c <= 'Z' && kind >= TOK_ALL && kind <= TOK_WATERMARK;
}

static bool is_reserved(int kind)
{
    return kind >= TOK_ALL && kind <= TOK_WITHIN;
}

static bool all_of(const struct expected *e, const int *kinds, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!e->has[kinds[i]]) return false;
    return true;
}

static void drop(struct expected *e, const int *kinds, size_t count)
{
    for (size_t i = 0; i < count; i++) e->has[kinds[i]] = false;
}

static void drop_free_words(struct expected *e)
{
    for (int kind = TOK_WITHIN + 1; kind <= TOK_WATERMARK; kind++) e->has[kind] = false;
}

/* A phrase for a group of tokens: known by `sign`, standing for `group` (and the free words). */
struct phrase {
    const char *text;
    int sign[4];
    int group[32];
    bool free_words;
};

static const struct phrase phrases[] = {
    {"a statement",
     {TOK_INSERT, TOK_INCLUDE, TOK_SELECT, TOK_SEMICOLON},
     {TOK_SELECT, TOK_WITH, TOK_LPAREN, TOK_SEMICOLON, TOK_YYEOF},
     true},
    {"an expression",
     {TOK_NUMBER, TOK_STRING, TOK_LPAREN, TOK_IDENT},
     {TOK_IDENT, TOK_NUMBER, TOK_STRING, TOK_DURATION, TOK_LPAREN, TOK_LBRACKET, TOK_LBRACE, TOK_COLON,
      TOK_PLUS, TOK_MINUS, TOK_NOT, TOK_NULL, TOK_TRUE, TOK_FALSE, TOK_CASE},
     true},
    {"an element of the pattern",
     {TOK_CARET, TOK_DOLLAR, TOK_LPAREN, TOK_IDENT},
     {TOK_IDENT, TOK_CARET, TOK_DOLLAR, TOK_LPAREN, TOK_LEXCLUDE, TOK_PERMUTE, TOK_NOT, TOK_EACH},
     true},
    {"a quantifier",
     {TOK_QUESTION, TOK_STAR, TOK_PLUS, TOK_LBRACE},
     {TOK_QUESTION, TOK_STAR, TOK_PLUS, TOK_LBRACE},
     false},
    {"an arrow", {TOK_ARROW, TOK_ARROW_ANY, TOK_ARROW, TOK_ARROW}, {TOK_ARROW, TOK_ARROW_ANY}, false},
    {"an operator",
     {TOK_PLUS, TOK_SLASH, TOK_EQ, TOK_AND},
     {TOK_PLUS, TOK_MINUS,   TOK_STAR,   TOK_SLASH,  TOK_PERCENT, TOK_CONCAT, TOK_EQ,
      TOK_NE,   TOK_LT,      TOK_LE,     TOK_GT,     TOK_GE,      TOK_AND,    TOK_OR,
      TOK_IS,   TOK_NOT,     TOK_IN,     TOK_LIKE,   TOK_BETWEEN, TOK_REGEXP, TOK_LBRACKET,
      TOK_DOT,  TOK_CAST_TO, TOK_LPAREN, TOK_STRING, TOK_NAMED},
     false},
    {"an operator",
     {TOK_PLUS, TOK_SLASH, TOK_PERCENT, TOK_CONCAT},
     {TOK_PLUS, TOK_MINUS, TOK_STAR, TOK_SLASH, TOK_PERCENT, TOK_CONCAT, TOK_LBRACKET, TOK_DOT, TOK_CAST_TO,
      TOK_LPAREN},
     false},
    {"a clause",
     {TOK_WITHIN, TOK_SKIP, TOK_SUBSET, TOK_SUPPRESS},
     {TOK_WITHIN, TOK_SKIP, TOK_SUBSET, TOK_SUPPRESS, TOK_AFTER, TOK_ONE, TOK_ALL, TOK_LIMIT, TOK_LATE,
      TOK_WITH, TOK_ORDER, TOK_MEASURES, TOK_WHERE, TOK_DEFINE, TOK_SELECT, TOK_INTO, TOK_PATTERN,
      TOK_PARTITION, TOK_MATCH},
     false},
};

static size_t group_size(const int *group)
{
    size_t n = 0;
    while (n < WR_COUNT(phrases[0].group) && group[n]) n++;
    return n;
}

static void add_name(struct wr_buf *out, const char *name, bool quoted, int *listed, int total)
{
    if (*listed) wr_buf_add_cstr(out, *listed + 1 == total ? " or " : ", ");
    wr_buf_printf(out, quoted ? "`%s`" : "%s", name);
    (*listed)++;
}

/* "an expression, `)` or `,`" */
static struct wr_slice expected_text(struct wr_parse *parse, const int *kinds, int count)
{
    struct expected e = {{false}};
    const char *names[KINDS_MAX];
    bool quoted[KINDS_MAX];
    int total = 0;
    for (int i = 0; i < count; i++)
        if (kinds[i] != TOK_START_EXPR) e.has[kinds[i]] = true;
    if (e.has[TOK_ARRAY] && e.has[TOK_MAP] && !e.has[TOK_KEY]) { /* words, but no name: of a type */
        quoted[total] = false;
        names[total++] = "a type";
        e.has[TOK_IDENT] = false;
        drop_free_words(&e);
    }
    for (size_t i = 0; i < WR_COUNT(phrases); i++) {
        if (!all_of(&e, phrases[i].sign, WR_COUNT(phrases[i].sign))) continue;
        drop(&e, phrases[i].group, group_size(phrases[i].group));
        if (phrases[i].free_words) drop_free_words(&e);
        quoted[total] = false;
        names[total++] = phrases[i].text;
    }
    if (e.has[TOK_IDENT]) {
        if (total == 0) { /* behind an operand it would be an alias: true, and of no help */
            quoted[total] = false;
            names[total++] = "a name";
        }
        e.has[TOK_IDENT] = false;
        for (int kind = TOK_WITHIN + 1; kind <= TOK_WATERMARK; kind++)
            e.has[kind] = false;
    }
    for (int kind = 0; kind < wr_token_kinds() && kind < KINDS_MAX; kind++) {
        if (!e.has[kind] || (kind == TOK_YYEOF && count > 1)) continue;
        bool noun = kind == TOK_NUMBER || kind == TOK_STRING || kind == TOK_DURATION || kind == TOK_YYEOF;
        quoted[total] = !noun;
        names[total++] = kind == TOK_NUMBER ? "a number" : kind == TOK_STRING ? "a string"
                       : kind == TOK_DURATION ? "a duration" : kind == TOK_YYEOF ? "the end" : wr_token_name(kind);
    }
    struct wr_buf out = {0};
    int listed = 0, shown = total <= NAMES_MAX + 1 ? total : NAMES_MAX;
    for (int i = 0; i < shown; i++) add_name(&out, names[i], quoted[i], &listed, total);
    if (shown < total) wr_buf_add_cstr(&out, ", …");
    struct wr_slice text = wr_arena_copy(parse->arena, wr_buf_slice(&out));
    wr_buf_release(&out);
    return text;
}

/* "name `x`", "`,`", "number `5`", "the end of the text" */
static struct wr_slice found_text(struct wr_parse *parse, struct wr_token token)
{
    struct wr_slice text = wr_parse_text(parse, token.span);
    if (token.kind == TOK_YYEOF || (token.kind == TOK_SEMICOLON && parse->at_end))
        return WR_SLICE("the end of the text");
    const char *what = token.kind == TOK_IDENT ? "name " : token.kind == TOK_NUMBER ? "number "
                     : token.kind == TOK_STRING ? "string " : token.kind == TOK_DURATION ? "duration " : "";
    const char *more = "";
    const char *line = memchr(text.data, '\n', text.size);
    if (line) text.size = (size_t)(line - text.data);
    if (text.size > 40) text.size = 40;
    while (text.size && ((unsigned char)text.data[text.size] & 0xc0) == 0x80) text.size--;
    if (line || text.size < token.span.end - token.span.start) more = "…";
    return wr_arena_printf(parse->arena, "%s`%.*s%s`", what, WR_SLICE_ARG(text), more);
}

/* The keyword as the user would write it: in small letters when the misspelt word is. */
static struct wr_slice in_case_of(struct wr_parse *parse, const char *keyword, struct wr_slice like)
{
    struct wr_slice text = wr_arena_copy(parse->arena, wr_slice_cstr(keyword));
    bool lower = like.size && like.data[0] >= 'a' && like.data[0] <= 'z';
    char *at = wr_arena_cstr(parse->arena, text);
    for (size_t i = 0; lower && i < text.size; i++) at[i] = wr_lower(at[i]);
    return wr_slice_of(at, text.size);
}

/* The word among `kinds` that the text is nearest to; -1 when none is near. */
static int nearest(struct wr_slice text, const int *kinds, int count)
{
    struct wr_suggestion s;
    if (text.size < 2) return -1;
    wr_suggestion_init(&s, text);
    for (int i = 0; i < count; i++)
        if (is_word(kinds[i])) wr_suggestion_offer(&s, wr_slice_cstr(wr_token_name(kinds[i])));
    struct wr_slice best = wr_suggestion_best(&s);
    for (int i = 0; i < count && best.size; i++)
        if (is_word(kinds[i]) && wr_slice_equal(best, wr_slice_cstr(wr_token_name(kinds[i])))) return kinds[i];
    return -1;
}

void wr_report_push(struct weir_dsl_pstate *state, struct wr_parse *trial, struct wr_token token)
{
    union wr_semval value = {.number = 0};
    trial->before = trial->current;
    trial->current = token;
    weir_dsl_push_parse(state, token.kind, &value, &token.span, trial);
}

/* Parses the statement again up to token number `at`, reads that as a keyword, and the rest.
 * Returns the keyword with which the whole goes through, -1 if none does. */
static int try_keyword(struct wr_parse *parse, uint32_t at)
{
    struct wr_list statements = {NULL, 0, 0};
    struct wr_parse trial = {.arena = parse->arena, .diags = parse->diags, .file = parse->file,
                             .statements = &statements, .silent = true};
    weir_dsl_pstate *state = wr_grammar_new(parse->arena);
    for (uint32_t i = 0; i < at; i++) wr_report_push(state, &trial, parse->tokens[i]);
    int kinds[KINDS_MAX];
    int count = wr_grammar_expected(state, kinds, KINDS_MAX);
    int kind = nearest(wr_parse_text(parse, parse->tokens[at].span), kinds, count);
    if (kind < 0) return -1;
    trial.failed = false;
    struct wr_token word = parse->tokens[at];
    word.kind = kind;
    wr_report_push(state, &trial, word);
    for (uint32_t i = at + 1; i < parse->token_count && !trial.failed; i++) wr_report_push(state, &trial, parse->tokens[i]);
    return trial.failed ? -1 : kind;
}

/* One of the last names was meant for a keyword. */
static bool report_misspelt(struct wr_parse *parse)
{
    if (parse->token_count > WR_PARSE_TOKENS_MAX) return false;
    for (uint32_t back = 2; back <= LOOK_BACK + 1 && back <= parse->token_count; back++) {
        uint32_t at = parse->token_count - back;
        struct wr_token token = parse->tokens[at];
        struct wr_slice text = wr_parse_text(parse, token.span);
        if (token.kind != TOK_IDENT || text.data[0] == '"' || text.data[0] == '`') continue;
        int kind = try_keyword(parse, at);
        if (kind < 0) continue;
        struct wr_slice word = in_case_of(parse, wr_token_name(kind), text);
        struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0201, token.span, "expected `%s`, found name `%.*s`",
                                           wr_token_name(kind), WR_SLICE_ARG(text));
        wr_diag_help(parse->diags, d, "did you mean `%.*s`?", WR_SLICE_ARG(word));
        return true;
    }
    return false;
}

/* Whether the statement goes on where a comma stands before the present token. */
static bool goes_on_behind_comma(struct wr_parse *parse)
{
    struct wr_list statements = {NULL, 0, 0};
    struct wr_parse trial = {.arena = parse->arena, .diags = parse->diags, .file = parse->file,
                             .statements = &statements, .silent = true};
    if (parse->token_count == 0 || parse->token_count > WR_PARSE_TOKENS_MAX) return false;
    weir_dsl_pstate *state = wr_grammar_new(parse->arena);
    for (uint32_t i = 0; i + 1 < parse->token_count; i++) wr_report_push(state, &trial, parse->tokens[i]);
    if (trial.failed) return false;
    wr_report_push(state, &trial, (struct wr_token){TOK_COMMA, parse->before.span});
    if (!trial.failed) wr_report_push(state, &trial, parse->current);
    return !trial.failed;
}

/* `DEFINE a AS x > 1 b AS y > 2`: two parts of a list with nothing between them. */
static bool report_missing_comma(struct wr_parse *parse, const struct expected *e)
{
    int kind = parse->current.kind;
    bool word = kind == TOK_IDENT || (kind > TOK_WITHIN && kind <= TOK_WATERMARK);
    if (!e->has[TOK_COMMA] || !word || parse->at_end || !goes_on_behind_comma(parse)) return false;
    struct wr_slice text = wr_parse_text(parse, parse->current.span);
    struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0201, parse->current.span,
                                       "a comma is missing before `%.*s`", WR_SLICE_ARG(text));
    wr_diag_help(parse->diags, d, "write `, %.*s`", WR_SLICE_ARG(text));
    return true;
}

/* What stands for an arrow in other languages, between two elements of a pattern. */
static bool report_arrow(struct wr_parse *parse, const struct expected *e)
{
    static const int kinds[] = {TOK_GT, TOK_GE, TOK_NAMED, TOK_COMMA, TOK_MINUS, TOK_LT, TOK_LE, TOK_NE};
    bool one = false;
    for (size_t i = 0; i < WR_COUNT(kinds); i++) one |= parse->current.kind == kinds[i];
    if (!one || !e->has[TOK_ARROW] || !e->has[TOK_ARROW_ANY]) return false;
    struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0201, parse->current.span,
                                       "`%.*s` does not stand between the elements of a pattern",
                                       WR_SLICE_ARG(wr_parse_text(parse, parse->current.span)));
    wr_diag_help(parse->diags, d, "write -> for the next such row, a blank for the very next row");
    return true;
}

static bool is_one_of(struct wr_slice text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (wr_slice_equal_nocase(text, wr_slice_cstr(words[i]))) return true;
    return false;
}

/* DROP, UPDATE and the like, at the beginning of a statement. */
static bool report_foreign_statement(struct wr_parse *parse, const struct expected *e)
{
    static const char *const foreign[] = {"UPDATE",   "DELETE", "DROP",    "ALTER",   "MERGE",
                                          "TRUNCATE", "USE"};
    struct wr_slice text = wr_parse_text(parse, parse->current.span);
    if (!e->has[TOK_INSERT] || !e->has[TOK_INCLUDE] || !is_one_of(text, foreign, WR_COUNT(foreign))) return false;
    struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0221, parse->current.span,
                                       "there is no statement %.*s", WR_SLICE_ARG(text));
    wr_diag_help(parse->diags, d, "a program declares what is there; change its text instead");
    return true;
}

/* The letters of a unit of time as people write it; NULL: it is none. */
static const char *unit_of(struct wr_slice text)
{
    static const struct { const char *const names[4], *unit;
    } units[] = {{{"second", "seconds", "sec", "secs"}, "s"},
                 {{"minute", "minutes", "min", "mins"}, "m"},
                 {{"hour", "hours", "hr", "hrs"}, "h"},
                 {{"day", "days", "d", "d"}, "d"},
                 {{"week", "weeks", "w", "w"}, "w"},
                 {{"s", "s", "s", "s"}, "s"},
                 {{"m", "m", "m", "m"}, "m"},
                 {{"h", "h", "h", "h"}, "h"},
                 {{"ms", "millis", "millisecond", "milliseconds"}, "ms"},
                 {{"us", "micros", "microsecond", "microseconds"}, "us"}};
    for (size_t i = 0; i < WR_COUNT(units); i++)
        if (is_one_of(text, units[i].names, WR_COUNT(units[i].names))) return units[i].unit;
    return NULL;
}

/* `WITHIN 5 minutes` */
static bool report_unit(struct wr_parse *parse)
{
    if (parse->before.kind != TOK_NUMBER || parse->current.kind != TOK_IDENT) return false;
    const char *unit = unit_of(wr_parse_text(parse, parse->current.span));
    if (!unit) return false;
    struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0201, wr_span_join(parse->before.span, parse->current.span),
                                       "a duration is one word");
    wr_diag_help(parse->diags, d, "write %.*s%s", WR_SLICE_ARG(wr_parse_text(parse, parse->before.span)), unit);
    return true;
}

/* PARTITION BY behind MATCH, where PARTITION reads as one more variable. */
static bool report_partition(struct wr_parse *parse)
{
    if (parse->token_count == 0 || parse->tokens[0].kind != TOK_PATTERN) return false;
    struct wr_span place = parse->current.span;
    if (parse->current.kind == TOK_BY && parse->before.kind == TOK_PARTITION)
        place = wr_span_join(parse->before.span, place);
    else if (parse->current.kind != TOK_PARTITION) return false;
    struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0205, place, "PARTITION BY stands before MATCH");
    wr_diag_help(parse->diags, d, "write PATTERN p FROM s PARTITION BY key MATCH …");
    return true;
}

/* A reserved word where a name is wanted and nothing but a name. */
static bool report_reserved(struct wr_parse *parse, const struct expected *e)
{
    if (!is_reserved(parse->current.kind) || !e->has[TOK_IDENT] || e->has[TOK_NUMBER] || e->has[TOK_CARET] ||
        e->has[TOK_COMMA] || e->has[TOK_SEMICOLON])
        return false;
    struct wr_slice text = wr_parse_text(parse, parse->current.span);
    struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0218, parse->current.span,
                                       "expected a name, found the reserved word `%.*s`", WR_SLICE_ARG(text));
    wr_diag_help(parse->diags, d, "in double quotes it is a name: \"%.*s\"", WR_SLICE_ARG(text));
    return true;
}

static bool expects(const int *kinds, int count, int kind)
{
    for (int i = 0; i < count; i++)
        if (kinds[i] == kind) return true;
    return false;
}

/* A reserved word that columns are called by. The others more likely begin the next clause, behind a comma too many. */
static bool may_be_meant_as_name(int kind)
{
    static const int clauses[] = {TOK_SELECT, TOK_FROM, TOK_WHERE, TOK_INTO, TOK_AS, TOK_ON, TOK_AND, TOK_OR, TOK_UNION,
                                  TOK_HAVING, TOK_BY, TOK_WITHIN};
    for (size_t i = 0; i < WR_COUNT(clauses); i++)
        if (kind == clauses[i]) return false;
    return is_reserved(kind);
}

static bool report_habit(struct wr_parse *parse, const int *kinds, int count, const struct expected *e)
{
    const char *message, *help = wr_report_habit(parse, kinds, count, &message);
    struct wr_diag *d;
    if (!help) return false;
    if (message) {
        bool statement = e->has[TOK_SEMICOLON] && e->has[TOK_INCLUDE] && !e->has[TOK_COMMA];
        d = wr_parse_error(parse, statement ? WR_DIAG_W0221 : WR_DIAG_W0201, parse->current.span, "%s", message);
    } else {
        struct wr_slice expected = expected_text(parse, kinds, count), found = found_text(parse, parse->current);
        d = wr_parse_error(parse, WR_DIAG_W0201, parse->current.span, "expected %.*s, found %.*s",
                           WR_SLICE_ARG(expected), WR_SLICE_ARG(found));
    }
    wr_diag_help(parse->diags, d, "%s", help);
    return true;
}

/* `INTERVAL 5 SECOND` */
static void help_interval(struct wr_parse *parse, struct wr_diag *d, struct wr_slice number)
{
    struct wr_slice unit = wr_report_next_word(parse), all = wr_arena_printf(parse->arena, "%.*s %.*s", WR_SLICE_ARG(number),
                                                                             WR_SLICE_ARG(unit));
    int64_t micros;
    if (unit.size && wr_duration_words(all, &micros))
        wr_diag_help(parse->diags, d, "write INTERVAL '%.*s' %.*s", WR_SLICE_ARG(number), WR_SLICE_ARG(unit));
    else wr_diag_help(parse->diags, d, "write INTERVAL '%.*s' MINUTE, or %.*sm", WR_SLICE_ARG(number), WR_SLICE_ARG(number));
}

/* `NOT a FOR 5 min` */
static void help_duration(struct wr_parse *parse, struct wr_diag *d, struct wr_slice number)
{
    const char *unit = unit_of(wr_report_next_word(parse));
    if (unit) wr_diag_help(parse->diags, d, "a duration is one word: write %.*s%s", WR_SLICE_ARG(number), unit);
    else
        wr_diag_help(parse->diags, d, "a duration is a number with its unit, in one word: %.*ss, %.*sm, %.*sh, %.*sd",
                     WR_SLICE_ARG(number), WR_SLICE_ARG(number), WR_SLICE_ARG(number), WR_SLICE_ARG(number));
}

/* The last ( that is still open before the present token; NULL: none, or the statement is too long to be remembered. */
static const struct wr_token *open_parenthesis(const struct wr_parse *parse)
{
    uint32_t closed = 0;
    if (parse->token_count > WR_PARSE_TOKENS_MAX) return NULL;
    for (uint32_t i = parse->token_count; i-- > 1;) {
        int kind = parse->tokens[i - 1].kind;
        if (kind == TOK_RPAREN) closed++;
        else if (kind == TOK_LPAREN && closed-- == 0) return &parse->tokens[i - 1];
    }
    return NULL;
}

/* `WHERE n = 1)` */
static bool report_closed_too_often(struct wr_parse *parse)
{
    if (parse->current.kind != TOK_RPAREN || parse->token_count > WR_PARSE_TOKENS_MAX || open_parenthesis(parse)) return false;
    struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0201, parse->current.span, "no ( is open that this ) could close");
    wr_diag_help(parse->diags, d, "leave it out");
    return true;
}

static void report_plain(struct wr_parse *parse, const int *kinds, int count)
{
    struct wr_token token = parse->current;
    struct wr_slice text = wr_parse_text(parse, token.span);
    struct wr_slice expected = expected_text(parse, kinds, count);
    struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0201, token.span, "expected %.*s, found %.*s",
                                       WR_SLICE_ARG(expected), WR_SLICE_ARG(found_text(parse, token)));
    int kind = token.kind == TOK_IDENT ? nearest(text, kinds, count) : -1;
    const struct wr_token *open = expects(kinds, count, TOK_RPAREN) ? open_parenthesis(parse) : NULL;
    if (open && (token.kind == TOK_SEMICOLON || is_reserved(token.kind)))
        wr_diag_second(parse->diags, d, open->span, "this ( is still open");
    bool value = token.kind == TOK_STRING || token.kind == TOK_NUMBER;
    if (value && count == 2 && expects(kinds, count, TOK_EQ) && expects(kinds, count, TOK_DOT))
        wr_diag_help(parse->diags, d, "write %.*s = %.*s", WR_SLICE_ARG(wr_parse_text(parse, parse->before.span)),
                     WR_SLICE_ARG(text));
    else if (value && parse->before.kind == TOK_IS)
        wr_diag_help(parse->diags, d, "IS is for NULL, TRUE and FALSE: write = %.*s", WR_SLICE_ARG(text));
    else if (kind >= 0)
        wr_diag_help(parse->diags, d, "did you mean `%.*s`?",
                     WR_SLICE_ARG(in_case_of(parse, wr_token_name(kind), text)));
    else if (token.kind == TOK_NUMBER && parse->before.kind == TOK_INTERVAL)
        help_interval(parse, d, text);
    else if (token.kind == TOK_NUMBER && expects(kinds, count, TOK_DURATION) && !expects(kinds, count, TOK_NUMBER))
        help_duration(parse, d, text);
    else if (may_be_meant_as_name(token.kind) && expects(kinds, count, TOK_IDENT) && !parse->at_end)
        wr_diag_help(parse->diags, d, "`%.*s` is a reserved word; as a name it stands in double quotes: \"%.*s\"",
                     WR_SLICE_ARG(text), WR_SLICE_ARG(text));
    else if ((token.kind == TOK_ARROW || token.kind == TOK_ARROW_ANY) && !parse->at_end)
        wr_diag_help(parse->diags, d, "arrows stand in row patterns only; a field is reached by a dot");
}

/* The lexer has complained about this very token. */
static bool reported(const struct wr_parse *parse)
{
    for (uint32_t i = parse->diags->count; i-- > 0;) {
        const struct wr_diag *d = &parse->diags->at[i];
        if (d->span.file == parse->file && d->span.start == parse->current.span.start &&
            d->code <= WR_DIAG_W0111)
            return true;
    }
    return false;
}

bool wr_report_only_counts(struct wr_parse *parse)
{
    parse->failed = parse->recovering = true;
    if (parse->silent) return true;
    if (parse->diags->error_count < WR_DIAG_ERRORS_MAX) return false;
    wr_parse_error(parse, WR_DIAG_W0201, parse->current.span, "unexpected token");
    return true;
}

void wr_report_syntax(struct wr_parse *parse, const int *kinds, int count)
{
    parse->failed = parse->recovering = true;
    if (reported(parse)) return;
    struct expected e = {{false}};
    for (int i = 0; i < count; i++) e.has[kinds[i]] = true;
    if (report_misspelt(parse) || report_habit(parse, kinds, count, &e) || report_foreign_statement(parse, &e) ||
        wr_report_extra_comma(parse) || report_closed_too_often(parse) || report_unit(parse) || report_partition(parse) ||
        report_arrow(parse, &e) || report_reserved(parse, &e))
        return;
    int near = parse->current.kind == TOK_IDENT ? nearest(wr_parse_text(parse, parse->current.span), kinds, count) : -1;
    if (near < 0 && report_missing_comma(parse, &e)) return;
    report_plain(parse, kinds, count);
}

void wr_report_depth(struct wr_parse *parse, struct wr_span place)
{
    parse->recovering = true;
    wr_diag_help(parse->diags, wr_parse_error(parse, WR_DIAG_W0202, place, "nested too deeply"),
                 "no program written by hand comes near; build long chains flat");
}

void wr_report_no_semicolon(struct wr_parse *parse, struct wr_span end, int kind)
{
    end.start = end.end;
    struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0201, end,
                                       "expected `;` before the next statement, `%s`", wr_token_name(kind));
    wr_diag_help(parse->diags, d, "statements end with `;`");
}
