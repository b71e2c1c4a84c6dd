/* The driver: takes tokens from the lexer, pushes them into the parser, and puts included files in
 * the places of their INCLUDE statements. One wr_parse per file; what they make shares an arena. */
#include "dsl/parse.h"
#include "dsl/grammar.h"
#include "dsl/lexer.h"
#include "dsl/read.h"
#include "dsl/report.h"

enum { INCLUDE_DEPTH_MAX = 32, SOURCE_SIZE_MAX = 1 << 30, KINDS_MAX = 256 };

static void init(struct wr_parse *parse, struct wr_arena *arena, struct wr_diags *diags, uint32_t file)
{
    *parse = (struct wr_parse){.arena = arena, .diags = diags, .file = file};
    parse->statements = wr_list_empty(parse);
    parse->tokens = wr_arena_alloc(arena, WR_PARSE_TOKENS_MAX * sizeof *parse->tokens);
    parse->current.span = (struct wr_span){file, 0, 0};
}

/* ---- Tokens into the parser ------------------------------------------------------------------------- */

struct driver {
    struct wr_parse *parse;
    struct wr_lexer lexer;
    weir_dsl_pstate *state;
};

/* Between two statements, whatever the parser was in the middle of. */
static void reset(struct driver *driver)
{
    wr_grammar_reset(driver->state);
    driver->parse->token_count = 0;
    driver->parse->recovering = false;
}

/* Pushes one token. A semicolon ends a broken statement for certain: the parser alone would read
 * over it in search of the parenthesis that closes the list in which the error was. */
static void push(struct driver *driver, struct wr_token token)
{
    struct wr_parse *parse = driver->parse;
    union wr_semval value = {.number = 0};
    parse->before = parse->current;
    parse->current = token;
    if (parse->token_count < WR_PARSE_TOKENS_MAX) parse->tokens[parse->token_count] = token;
    parse->token_count++;
    if (token.kind == TOK_WEIR_DSL_error) parse->failed = parse->recovering = true;
    int status = weir_dsl_push_parse(driver->state, token.kind, &value, &token.span, parse);
    if (status != YYPUSH_MORE && status != 0) { /* at the end of its stack: on behind the next semicolon */
        while (token.kind != TOK_SEMICOLON && token.kind != TOK_YYEOF) token = wr_lexer_next(&driver->lexer);
        reset(driver);
    } else if (token.kind == TOK_SEMICOLON) {
        parse->token_count = 0;
        if (parse->recovering) reset(driver);
    }
}

static bool first_on_its_line(const struct driver *driver, struct wr_token token)
{
    const char *text = driver->parse->diags->sources->at[token.span.file].text.data;
    uint32_t at = token.span.start;
    while (at > 0 && (text[at - 1] == ' ' || text[at - 1] == '\t')) at--;
    return at == 0 || text[at - 1] == '\n';
}

/* CREATE and INSERT at the beginning of a line and before another word begin a statement, though
 * they may be names; PATTERN does where MATCH_RECOGNIZE does not want one. */
static bool begins_statement(const struct driver *driver, struct wr_token token)
{
    if (driver->parse->token_count == 0 || !first_on_its_line(driver, token)) return false;
    if (token.kind == TOK_PATTERN) return true;
    if (token.kind != TOK_CREATE && token.kind != TOK_INSERT) return false;
    const char *text = driver->parse->diags->sources->at[token.span.file].text.data + token.span.end;
    while (*text == ' ' || *text == '\t') text++;
    return (*text >= 'A' && *text <= 'Z') || (*text >= 'a' && *text <= 'z');
}

static bool expects(const struct driver *driver, int kind)
{
    int kinds[KINDS_MAX];
    int count = wr_grammar_expected(driver->state, kinds, KINDS_MAX);
    for (int i = 0; i < count; i++)
        if (kinds[i] == kind) return true;
    return false;
}

/* A semicolon that is not in the text, behind the token before. */
static void push_semicolon(struct driver *driver)
{
    struct wr_span place = driver->parse->current.span;
    place.start = place.end;
    push(driver, (struct wr_token){TOK_SEMICOLON, place});
}

/* Pushes a token that looks like the start of a statement: where a semicolon was forgotten, or the
 * statement before is broken, that one is ended, so that one slip does not hide the next statement. */
static void push_start(struct driver *driver, struct wr_token token)
{
    struct wr_parse *parse = driver->parse;
    if (token.kind == TOK_PATTERN && expects(driver, token.kind)) {
        push(driver, token);
        return;
    }
    if (expects(driver, TOK_SEMICOLON)) {
        if (!parse->recovering) wr_report_no_semicolon(parse, parse->current.span, token.kind);
        push_semicolon(driver);
    } else if (!parse->recovering && !wr_report_only_counts(parse)) {
        int kinds[KINDS_MAX];
        int count = wr_grammar_expected(driver->state, kinds, KINDS_MAX);
        parse->before = parse->current;
        parse->current = token;
        wr_report_syntax(parse, kinds, count);
    }
    reset(driver);
    push(driver, token);
}

static void run(struct wr_parse *parse, int start, struct wr_comments *comments)
{
    struct driver driver = {.parse = parse};
    if (parse->diags->sources->at[parse->file].text.size > SOURCE_SIZE_MAX) {
        wr_parse_error(parse, WR_DIAG_W0111, parse->current.span, "the program is longer than 1 GiB");
        return;
    }
    wr_lexer_init(&driver.lexer, parse->diags, parse->file);
    driver.lexer.comments = comments;
    driver.state = wr_grammar_new(parse->arena);
    if (start) push(&driver, (struct wr_token){start, parse->current.span});
    struct wr_token token = wr_lexer_next(&driver.lexer);
    for (; token.kind != TOK_YYEOF; token = wr_lexer_next(&driver.lexer)) {
        if (begins_statement(&driver, token)) push_start(&driver, token);
        else push(&driver, token);
    }
    parse->at_end = true;
    if (start) push(&driver, token);
    else if (parse->token_count) push_semicolon(&driver);
}

void wr_parse_recovered(struct wr_parse *parse)
{
    parse->recovering = false;
}

void wr_parse_statement(struct wr_parse *parse, struct wr_statement *statement)
{
    if (!parse->silent) wr_list_add(parse, parse->statements, statement, sizeof *statement);
}

/* ---- Whole programs ------------------------------------------------------------------------------------ */

/* A program of several files while it is read. */
struct program {
    struct wr_arena *arena;
    struct wr_diags *diags;
    wr_include_fn *include;
    void *context;
    struct wr_list *statements;
    uint32_t stack[INCLUDE_DEPTH_MAX]; /* files being read, the innermost last */
    uint32_t depth;
};

static void read_file(struct program *program, uint32_t file);

/* The number of a file that was read already; UINT32_MAX when it is new. */
static uint32_t find_source(const struct wr_sources *sources, struct wr_slice name)
{
    for (uint32_t i = 0; i < sources->count; i++)
        if (wr_slice_equal(sources->at[i].name, name)) return i;
    return UINT32_MAX;
}

static void read_include(struct program *program, const struct wr_statement *statement, uint32_t from)
{
    struct wr_diags *diags = program->diags;
    struct wr_slice full_name, text, why = WR_SLICE("it cannot be read");
    if (!program->include) {
        wr_diag_add(diags, WR_DIAG_W0212, statement->span, "INCLUDE is possible in files only");
        return;
    }
    if (!program->include(program->context, program->arena, diags->sources->at[from].name, statement->path,
                          &full_name, &text, &why)) {
        wr_diag_add(diags, WR_DIAG_W0210, statement->path_span, "cannot include '%.*s': %.*s",
                    WR_SLICE_ARG(statement->path), WR_SLICE_ARG(why));
        return;
    }
    uint32_t known = find_source(diags->sources, full_name);
    for (uint32_t i = 0; i < program->depth; i++) {
        if (program->stack[i] != known) continue;
        struct wr_diag *d =
            wr_diag_add(diags, WR_DIAG_W0211, statement->path_span, "'%.*s' includes itself%s",
                        WR_SLICE_ARG(full_name), i + 1 == program->depth ? "" : " through other files");
        wr_diag_help(diags, d, "put what both need into a third file");
        return;
    }
    if (known != UINT32_MAX) return; /* its statements are in the program already */
    if (program->depth == INCLUDE_DEPTH_MAX) {
        wr_diag_add(diags, WR_DIAG_W0212, statement->path_span, "files are included more than %d deep",
                    INCLUDE_DEPTH_MAX);
        return;
    }
    read_file(program, wr_sources_add(diags->sources, full_name, text));
}

static void read_file(struct program *program, uint32_t file)
{
    struct wr_parse parse;
    init(&parse, program->arena, program->diags, file);
    run(&parse, 0, NULL);
    program->stack[program->depth++] = file;
    struct wr_statement *statement = (struct wr_statement *)(void *)parse.statements->at;
    for (uint32_t i = 0; i < parse.statements->count; i++) {
        if (statement[i].kind == WR_STATEMENT_INCLUDE) read_include(program, &statement[i], file);
        else wr_list_add(&parse, program->statements, &statement[i], sizeof statement[i]);
    }
    program->depth--;
}

struct wr_tree wr_parse(struct wr_arena *arena, struct wr_diags *diags, uint32_t file, wr_include_fn *include,
                        void *include_context)
{
    struct program program = {.arena = arena, .diags = diags, .include = include, .context = include_context,
                              .statements = WR_NEW(arena, struct wr_list)};
    read_file(&program, file);
    return (struct wr_tree){(struct wr_statement *)(void *)program.statements->at, program.statements->count};
}

struct wr_tree wr_parse_with_comments(struct wr_arena *arena, struct wr_diags *diags, uint32_t file,
                                      struct wr_comments *comments)
{
    struct wr_parse parse;
    init(&parse, arena, diags, file);
    run(&parse, 0, comments);
    return (struct wr_tree){(struct wr_statement *)(void *)parse.statements->at, parse.statements->count};
}

struct wr_tree wr_parse_one(struct wr_arena *arena, struct wr_diags *diags, uint32_t file)
{
    return wr_parse_with_comments(arena, diags, file, NULL);
}

struct wr_expr *wr_parse_expr(struct wr_arena *arena, struct wr_diags *diags, uint32_t file)
{
    struct wr_parse parse;
    init(&parse, arena, diags, file);
    run(&parse, TOK_START_EXPR, NULL);
    return wr_diags_failed(diags) ? NULL : parse.expr;
}
