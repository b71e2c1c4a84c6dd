/* The lexer, in one pass over the text. Durations are one token (1h30m); a decimal needs a digit
 * behind its dot, so that 1m..5m is three tokens; words compare without case; --> is an error and
 * not a comment that would swallow half a pattern.
 *
 * The list of words is here and in grammar.y, which says where each is free to be a name; a test
 * holds the two together. */
#include "dsl/lexer.h"
#include "base/text.h"
#include "dsl/grammar.h"

static struct wr_span span_of(const struct wr_lexer *lexer, const unsigned char *start)
{
    return (struct wr_span){lexer->file, (uint32_t)(start - lexer->start),
                            (uint32_t)(lexer->cursor - lexer->start)};
}

static struct wr_token token(const struct wr_lexer *lexer, const unsigned char *start, int kind)
{
    return (struct wr_token){kind, span_of(lexer, start)};
}

static void comment(struct wr_lexer *lexer, const unsigned char *start, bool line)
{
    if (!lexer->comments) return;
    const unsigned char *before = start;
    while (before > lexer->start && (before[-1] == ' ' || before[-1] == '\t')) before--;
    bool first = before == lexer->start || before[-1] == '\n' || before[-1] == '\r';
    struct wr_span span = span_of(lexer, start);
    while (line && lexer->start[span.end - 1] == '\r') span.end--;
    struct wr_comments *all = lexer->comments;
    if (all->count == all->capacity) {
        uint32_t capacity = all->capacity ? 2 * all->capacity : 16;
        struct wr_comment *grown = WR_NEW_ARRAY(lexer->diags->arena, struct wr_comment, capacity);
        if (all->count) memcpy(grown, all->at, all->count * sizeof *grown);
        all->at = grown;
        all->capacity = capacity;
    }
    all->at[all->count++] = (struct wr_comment){span, line, first};
}

/* Reports a token that cannot be and gives what stands in for it. */
static struct wr_token bad(struct wr_lexer *lexer, const unsigned char *start, int kind,
                           enum wr_diag_code code, const char *message, const char *help)
{
    struct wr_diag *d = wr_diag_add(lexer->diags, code, span_of(lexer, start), "%s", message);
    if (help) wr_diag_help(lexer->diags, d, "%s", help);
    return token(lexer, start, kind);
}

/* As bad(), for what runs to the end of the text: the place shown is where it opens. */
static struct wr_token unclosed(struct wr_lexer *lexer, const unsigned char *start, uint32_t width,
                                int kind, enum wr_diag_code code, const char *message, const char *help)
{
    struct wr_span opening = span_of(lexer, start);
    opening.end = opening.start + width;
    wr_diag_help(lexer->diags, wr_diag_add(lexer->diags, code, opening, "%s", message), "%s", help);
    return token(lexer, start, kind);
}

/* 10min, 5M, 12abc: digits and letters that are neither a number nor a duration. */
static struct wr_token bad_number(struct wr_lexer *lexer, const unsigned char *start)
{
    static const char *const units[][2] = {
        {"sec", "s"}, {"secs", "s"}, {"second", "s"}, {"seconds", "s"}, {"min", "m"}, {"mins", "m"},
        {"minute", "m"}, {"minutes", "m"}, {"hr", "h"}, {"hrs", "h"}, {"hour", "h"}, {"hours", "h"},
        {"day", "d"}, {"days", "d"}, {"week", "w"}, {"weeks", "w"}, {"us", "us"}, {"ms", "ms"},
        {"msec", "ms"}, {"millis", "ms"}, {"micros", "us"}, {"usec", "us"}, {"s", "s"}, {"m", "m"},
        {"h", "h"}, {"d", "d"}, {"w", "w"}};
    struct wr_slice text = wr_slice_of((const char *)start, (size_t)(lexer->cursor - start));
    struct wr_diag *d = wr_diag_add(lexer->diags, WR_DIAG_W0108, span_of(lexer, start),
                                    "'%.*s' is neither a number nor a duration", WR_SLICE_ARG(text));
    size_t digits = 0;
    while (digits < text.size && text.data[digits] >= '0' && text.data[digits] <= '9') digits++;
    struct wr_slice unit = {text.data + digits, text.size - digits};
    for (size_t i = 0; i < WR_COUNT(units); i++) {
        if (!wr_slice_equal_nocase(unit, wr_slice_cstr(units[i][0]))) continue;
        wr_diag_help(lexer->diags, d, "write '%.*s%s'", (int)digits, text.data, units[i][1]);
        return token(lexer, start, TOK_DURATION);
    }
    wr_diag_help(lexer->diags, d, "units of durations are us, ms, s, m, h, d and w");
    return token(lexer, start, TOK_NUMBER);
}

static struct wr_token bad_character(struct wr_lexer *lexer, const unsigned char *start)
{
    struct wr_slice c = {(const char *)start, (size_t)(lexer->cursor - start)};
    if (*start >= 0x80 && wr_utf8_check(c) != c.size) /* already reported for the whole text */
        return token(lexer, start, TOK_WEIR_DSL_error);
    struct wr_diag *d;
    if (*start < 0x20 || *start == 0x7f)
        d = wr_diag_add(lexer->diags, WR_DIAG_W0101, span_of(lexer, start),
                        "control character 0x%02x has no meaning here", *start);
    else
        d = wr_diag_add(lexer->diags, WR_DIAG_W0101, span_of(lexer, start),
                        "character '%.*s' has no meaning here", WR_SLICE_ARG(c));
    if (c.size == 3 && start[0] == 0xe2 && start[1] == 0x80 && start[2] >= 0x98 && start[2] <= 0x9f)
        wr_diag_help(lexer->diags, d, "this is a typographic quote; strings stand in '...', names in \"...\"");
    else if (*start >= 0x80)
        wr_diag_help(lexer->diags, d, "a blank, dash or sign that only looks like one of the language");
    else if (*start == '#')
        wr_diag_help(lexer->diags, d, "%s", start > lexer->start && start[-1] > ' ' ? "a window is FROM TUMBLE(stream, time, 1m)"
                                                                              : "comments begin with --");
    else if (*start == '@')
        wr_diag_help(lexer->diags, d, "there are no annotations; options of a stream stand in WITH (…)");
    else if (*start == '~')
        wr_diag_help(lexer->diags, d, "write text REGEXP 'a.*'");
    else if (*start == '!')
        wr_diag_help(lexer->diags, d, "'not' is written NOT, 'not equal' <>");
    return token(lexer, start, TOK_WEIR_DSL_error);
}

static struct wr_token duration(struct wr_lexer *lexer, const unsigned char *start)
{
    int64_t micros;
    struct wr_slice text = {(const char *)start, (size_t)(lexer->cursor - start)};
    if (!wr_duration_decode(text, &micros))
        return bad(lexer, start, TOK_DURATION, WR_DIAG_W0109, "parts of the duration are out of order or too large",
                   "greater units stand first, each once, as in 1d12h30m");
    return token(lexer, start, TOK_DURATION);
}

bool wr_duration_decode(struct wr_slice text, int64_t *micros)
{
    static const struct { char name[3]; int64_t micros; } units[] = {
        {"w", 604800000000}, {"d", 86400000000}, {"h", 3600000000}, {"m", 60000000},
        {"s", 1000000}, {"ms", 1000}, {"us", 1}};
    int64_t total = 0;
    size_t next = 0; /* units before this one are used up */
    for (size_t i = 0; i < text.size;) {
        int64_t n = 0;
        while (i < text.size && text.data[i] >= '0' && text.data[i] <= '9') {
            if (__builtin_mul_overflow(n, 10, &n) || __builtin_add_overflow(n, text.data[i] - '0', &n))
                return false;
            i++;
        }
        size_t letters = i;
        while (i < text.size && text.data[i] >= 'a') i++;
        struct wr_slice unit = {text.data + letters, i - letters};
        while (next < WR_COUNT(units) && !wr_slice_equal(unit, wr_slice_cstr(units[next].name))) next++;
        if (next == WR_COUNT(units)) return false;
        if (__builtin_mul_overflow(n, units[next].micros, &n) || __builtin_add_overflow(total, n, &total))
            return false;
        next++;
    }
    *micros = total;
    return true;
}

void wr_lexer_init(struct wr_lexer *lexer, struct wr_diags *diags, uint32_t file)
{
    struct wr_slice text = diags->sources->at[file].text;
    *lexer = (struct wr_lexer){.diags = diags, .file = file};
    lexer->start = lexer->cursor = (const unsigned char *)text.data;
    lexer->limit = lexer->start + text.size;
    if (text.size >= 3 && memcmp(text.data, "\xef\xbb\xbf", 3) == 0) lexer->cursor += 3;
    const char *nul = memchr(text.data, 0, text.size);
    if (nul) {
        struct wr_span place = {file, (uint32_t)(nul - text.data), (uint32_t)(nul - text.data) + 1};
        wr_diag_add(diags, WR_DIAG_W0103, place, "the text holds a NUL byte");
    }
    size_t invalid = wr_utf8_check(text);
    if (invalid < text.size) {
        struct wr_span place = {file, (uint32_t)invalid, (uint32_t)invalid + 1};
        wr_diag_add(diags, WR_DIAG_W0102, place, "byte 0x%02x is no part of valid UTF-8", lexer->start[invalid]);
    }
}

struct wr_token wr_lexer_next(struct wr_lexer *lexer)
{
    const unsigned char *start;
again:
    start = lexer->cursor;
    /*!re2c
    re2c:api:style = free-form;
    re2c:define:YYCTYPE = "unsigned char";
    re2c:define:YYCURSOR = "lexer->cursor";
    re2c:define:YYMARKER = "lexer->marker";
    re2c:define:YYLIMIT = "lexer->limit";
    re2c:yyfill:enable = 0;
    re2c:eof = 0;

    /* Letters beyond ASCII, but for blanks, dashes, quotes and marks that only look like something. */
    tail    = [\x80-\xbf];
    wide    = [\xc3-\xdf] tail | "\xc2" [\xa1-\xbf]
            | [\xe1\xe4-\xee] tail tail | "\xe0" [\xa0-\xbf] tail
            | "\xe2" [\x82-\xbf] tail | "\xe3\x80" [\x81-\xbf] | "\xe3" [\x81-\xbf] tail
            | "\xef" [\x80-\xba\xbc-\xbf] tail | "\xef\xbb" [\x80-\xbe]
            | [\xf1-\xf3] tail tail tail | "\xf0" [\x90-\xbf] tail tail | "\xf4" [\x80-\x8f] tail tail;
    letter  = [A-Za-z_] | wide;
    digit   = [0-9];
    unit    = "us" | "ms" | "s" | "m" | "h" | "d" | "w";
    decimal = digit+ ("." digit+)? ([eE] [+-]? digit+)?;

    $                  { return token(lexer, start, TOK_YYEOF); }
    [ \t\r\n]+         { goto again; }
    "--" ([^>\n] [^\n]*)? { comment(lexer, start, true); goto again; }
    "-->"              { return bad(lexer, start, TOK_ARROW, WR_DIAG_W0110, "--> is neither an arrow nor a comment",
                                    "write -> for the arrow, or -- > for a comment"); }
    "-->>"             { return bad(lexer, start, TOK_ARROW_ANY, WR_DIAG_W0110, "-->> is neither an arrow nor a comment",
                                    "write ->> for the arrow, or -- >> for a comment"); }
    "/*" ([^*] | "*"+ [^*/])* "*"+ "/"
                       { comment(lexer, start, false); goto again; }
    "/*"               { lexer->cursor = lexer->limit;
                         return unclosed(lexer, start, 2, TOK_WEIR_DSL_error, WR_DIAG_W0105,
                                         "comment is not closed", "it ends with */"); }

    'after'            { return token(lexer, start, TOK_AFTER); }
    'all'              { return token(lexer, start, TOK_ALL); }
    'and'              { return token(lexer, start, TOK_AND); }
    'as'               { return token(lexer, start, TOK_AS); }
    'between'          { return token(lexer, start, TOK_BETWEEN); }
    'by'               { return token(lexer, start, TOK_BY); }
    'case'             { return token(lexer, start, TOK_CASE); }
    'define'           { return token(lexer, start, TOK_DEFINE); }
    'distinct'         { return token(lexer, start, TOK_DISTINCT); }
    'each'             { return token(lexer, start, TOK_EACH); }
    'else'             { return token(lexer, start, TOK_ELSE); }
    'false'            { return token(lexer, start, TOK_FALSE); }
    'for'              { return token(lexer, start, TOK_FOR); }
    'from'             { return token(lexer, start, TOK_FROM); }
    'group'            { return token(lexer, start, TOK_GROUP); }
    'having'           { return token(lexer, start, TOK_HAVING); }
    'in'               { return token(lexer, start, TOK_IN); }
    'into'             { return token(lexer, start, TOK_INTO); }
    'is'               { return token(lexer, start, TOK_IS); }
    'join'             { return token(lexer, start, TOK_JOIN); }
    'late'             { return token(lexer, start, TOK_LATE); }
    'like'             { return token(lexer, start, TOK_LIKE); }
    'limit'            { return token(lexer, start, TOK_LIMIT); }
    'not'              { return token(lexer, start, TOK_NOT); }
    'null'             { return token(lexer, start, TOK_NULL); }
    'on'               { return token(lexer, start, TOK_ON); }
    'one'              { return token(lexer, start, TOK_ONE); }
    'or'               { return token(lexer, start, TOK_OR); }
    'order'            { return token(lexer, start, TOK_ORDER); }
    'permute'          { return token(lexer, start, TOK_PERMUTE); }
    'regexp'           { return token(lexer, start, TOK_REGEXP); }
    'select'           { return token(lexer, start, TOK_SELECT); }
    'skip'             { return token(lexer, start, TOK_SKIP); }
    'subset'           { return token(lexer, start, TOK_SUBSET); }
    'suppress'         { return token(lexer, start, TOK_SUPPRESS); }
    'then'             { return token(lexer, start, TOK_THEN); }
    'true'             { return token(lexer, start, TOK_TRUE); }
    'union'            { return token(lexer, start, TOK_UNION); }
    'until'            { return token(lexer, start, TOK_UNTIL); }
    'when'             { return token(lexer, start, TOK_WHEN); }
    'where'            { return token(lexer, start, TOK_WHERE); }
    'with'             { return token(lexer, start, TOK_WITH); }
    'within'           { return token(lexer, start, TOK_WITHIN); }

    'array'            { return token(lexer, start, TOK_ARRAY); }
    'asc'              { return token(lexer, start, TOK_ASC); }
    'both'             { return token(lexer, start, TOK_BOTH); }
    'cast'             { return token(lexer, start, TOK_CAST); }
    'changes'          { return token(lexer, start, TOK_CHANGES); }
    'create'           { return token(lexer, start, TOK_CREATE); }
    'cross'            { return token(lexer, start, TOK_CROSS); }
    'current'          { return token(lexer, start, TOK_CURRENT); }
    'default'          { return token(lexer, start, TOK_DEFAULT); }
    'desc'             { return token(lexer, start, TOK_DESC); }
    'drop'             { return token(lexer, start, TOK_DROP); }
    'emit'             { return token(lexer, start, TOK_EMIT); }
    'empty'            { return token(lexer, start, TOK_EMPTY); }
    'end'              { return token(lexer, start, TOK_END); }
    'escape'           { return token(lexer, start, TOK_ESCAPE); }
    'every'            { return token(lexer, start, TOK_EVERY); }
    'exists'           { return token(lexer, start, TOK_EXISTS); }
    'expire'           { return token(lexer, start, TOK_EXPIRE); }
    'extract'          { return token(lexer, start, TOK_EXTRACT); }
    'fail'             { return token(lexer, start, TOK_FAIL); }
    'filter'           { return token(lexer, start, TOK_FILTER); }
    'final'            { return token(lexer, start, TOK_FINAL); }
    'first'            { return token(lexer, start, TOK_FIRST); }
    'following'        { return token(lexer, start, TOK_FOLLOWING); }
    'full'             { return token(lexer, start, TOK_FULL); }
    'function'         { return token(lexer, start, TOK_FUNCTION); }
    'header'           { return token(lexer, start, TOK_HEADER); }
    'include'          { return token(lexer, start, TOK_INCLUDE); }
    'inner'            { return token(lexer, start, TOK_INNER); }
    'insert'           { return token(lexer, start, TOK_INSERT); }
    'interval'         { return token(lexer, start, TOK_INTERVAL); }
    'key'              { return token(lexer, start, TOK_KEY); }
    'last'             { return token(lexer, start, TOK_LAST); }
    'leading'          { return token(lexer, start, TOK_LEADING); }
    'left'             { return token(lexer, start, TOK_LEFT); }
    'map'              { return token(lexer, start, TOK_MAP); }
    'match'            { return token(lexer, start, TOK_MATCH); }
    'matches'          { return token(lexer, start, TOK_MATCHES); }
    'match_recognize'  { return token(lexer, start, TOK_MATCH_RECOGNIZE); }
    'measures'         { return token(lexer, start, TOK_MEASURES); }
    'new'              { return token(lexer, start, TOK_NEW); }
    'next'             { return token(lexer, start, TOK_NEXT); }
    'nulls'            { return token(lexer, start, TOK_NULLS); }
    'of'               { return token(lexer, start, TOK_OF); }
    'offset'           { return token(lexer, start, TOK_OFFSET); }
    'oldest'           { return token(lexer, start, TOK_OLDEST); }
    'omit'             { return token(lexer, start, TOK_OMIT); }
    'outer'            { return token(lexer, start, TOK_OUTER); }
    'over'             { return token(lexer, start, TOK_OVER); }
    'parameter'        { return token(lexer, start, TOK_PARAMETER); }
    'partition'        { return token(lexer, start, TOK_PARTITION); }
    'past'             { return token(lexer, start, TOK_PAST); }
    'pattern'          { return token(lexer, start, TOK_PATTERN); }
    'per'              { return token(lexer, start, TOK_PER); }
    'position'         { return token(lexer, start, TOK_POSITION); }
    'preceding'        { return token(lexer, start, TOK_PRECEDING); }
    'primary'          { return token(lexer, start, TOK_PRIMARY); }
    'range'            { return token(lexer, start, TOK_RANGE); }
    'returns'          { return token(lexer, start, TOK_RETURNS); }
    'right'            { return token(lexer, start, TOK_RIGHT); }
    'row'              { return token(lexer, start, TOK_ROW); }
    'rows'             { return token(lexer, start, TOK_ROWS); }
    'running'          { return token(lexer, start, TOK_RUNNING); }
    'set'              { return token(lexer, start, TOK_SET); }
    'show'             { return token(lexer, start, TOK_SHOW); }
    'starts'           { return token(lexer, start, TOK_STARTS); }
    'stream'           { return token(lexer, start, TOK_STREAM); }
    'substring'        { return token(lexer, start, TOK_SUBSTRING); }
    'system_time'      { return token(lexer, start, TOK_SYSTEM_TIME); }
    'table'            { return token(lexer, start, TOK_TABLE); }
    'timeouts'         { return token(lexer, start, TOK_TIMEOUTS); }
    'timestamp'        { return token(lexer, start, TOK_TIMESTAMP); }
    'to'               { return token(lexer, start, TOK_TO); }
    'trailing'         { return token(lexer, start, TOK_TRAILING); }
    'trim'             { return token(lexer, start, TOK_TRIM); }
    'try_cast'         { return token(lexer, start, TOK_TRY_CAST); }
    'unbounded'        { return token(lexer, start, TOK_UNBOUNDED); }
    'unknown'          { return token(lexer, start, TOK_UNKNOWN); }
    'unmatched'        { return token(lexer, start, TOK_UNMATCHED); }
    'view'             { return token(lexer, start, TOK_VIEW); }
    'watermark'        { return token(lexer, start, TOK_WATERMARK); }

    letter (letter | digit)*
                       { return token(lexer, start, TOK_IDENT); }
    ["] ([^"\r\n] | ["]["])+ ["] | "`" ([^`\r\n] | "``")+ "`"
                       { return token(lexer, start, TOK_IDENT); }
    ["]["] | "``"      { return bad(lexer, start, TOK_STRING, WR_DIAG_W0107, "a quoted name is empty",
                                    "strings stand in single quotes: ''"); }
    ["] ([^"\r\n] | ["]["])* | "`" ([^`\r\n] | "``")*
                       { return unclosed(lexer, start, 1, TOK_WEIR_DSL_error, WR_DIAG_W0106,
                                         "quoted name is not closed on its line", "it ends with the quote it begins with"); }
    ['] ([^'] | ['][']) * [']
                       { return token(lexer, start, TOK_STRING); }
    [']                { lexer->cursor = lexer->limit;
                         return unclosed(lexer, start, 1, TOK_WEIR_DSL_error, WR_DIAG_W0104,
                                         "string is not closed", "it ends with '; a quote inside is written twice: ''"); }

    decimal            { return token(lexer, start, TOK_NUMBER); }
    (digit+ unit)+     { return duration(lexer, start); }
    digit+ ("." digit+)? letter (letter | digit)*
                       { return bad_number(lexer, start); }

    ";"   { return token(lexer, start, TOK_SEMICOLON); }
    ","   { return token(lexer, start, TOK_COMMA); }
    "."   { return token(lexer, start, TOK_DOT); }
    ":"   { return token(lexer, start, TOK_COLON); }
    "("   { return token(lexer, start, TOK_LPAREN); }
    ")"   { return token(lexer, start, TOK_RPAREN); }
    "["   { return token(lexer, start, TOK_LBRACKET); }
    "]"   { return token(lexer, start, TOK_RBRACKET); }
    "{"   { return token(lexer, start, TOK_LBRACE); }
    "}"   { return token(lexer, start, TOK_RBRACE); }
    "{-"  { return token(lexer, start, TOK_LEXCLUDE); }
    "-}"  { return token(lexer, start, TOK_REXCLUDE); }
    "|"   { return token(lexer, start, TOK_PIPE); }
    "&"   { return token(lexer, start, TOK_AMPERSAND); }
    "^"   { return token(lexer, start, TOK_CARET); }
    "$"   { return token(lexer, start, TOK_DOLLAR); }
    "?"   { return token(lexer, start, TOK_QUESTION); }
    "->"  { return token(lexer, start, TOK_ARROW); }
    "->>" { return token(lexer, start, TOK_ARROW_ANY); }
    ".."  { return token(lexer, start, TOK_DOTDOT); }
    "=>"  { return token(lexer, start, TOK_NAMED); }
    "::"  { return token(lexer, start, TOK_CAST_TO); }
    "="   { return token(lexer, start, TOK_EQ); }
    "=="  { return bad(lexer, start, TOK_EQ, WR_DIAG_W0101, "== is no operator", "write = to compare"); }
    "<>"  { return token(lexer, start, TOK_NE); }
    "!="  { return token(lexer, start, TOK_NE); }
    "<"   { return token(lexer, start, TOK_LT); }
    "<="  { return token(lexer, start, TOK_LE); }
    ">"   { return token(lexer, start, TOK_GT); }
    ">="  { return token(lexer, start, TOK_GE); }
    "+"   { return token(lexer, start, TOK_PLUS); }
    "-"   { return token(lexer, start, TOK_MINUS); }
    "*"   { return token(lexer, start, TOK_STAR); }
    "/"   { return token(lexer, start, TOK_SLASH); }
    "%"   { return token(lexer, start, TOK_PERCENT); }
    "||"  { return token(lexer, start, TOK_CONCAT); }
    "&&"  { return bad(lexer, start, TOK_AND, WR_DIAG_W0101, "&& is no operator", "write AND"); }

    "\x00"             { return token(lexer, start, TOK_WEIR_DSL_error); } /* reported at the start */
    [\xc2-\xdf] tail | [\xe0-\xef] tail tail | [\xf0-\xf4] tail tail tail
                       { return bad_character(lexer, start); }
    *                  { return bad_character(lexer, start); }
    */
}
