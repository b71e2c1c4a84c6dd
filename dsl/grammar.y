/* The grammar of weir: shapes only. Each action is one call of a constructor (build.h); names, types and
 * meaning are the compiler's. The parser takes a little more than the language where a person is
 * likely to write it, and the constructors refuse that in words: a chained comparison, a second
 * quantifier, a clause out of order.
 *
 * Tokens come from lexer.re through the push driver in parse.c. Aliases are the names users see.
 * Words are kept free wherever no conflict forbids it: `word` and what is below it says where. */

%require "3.8"
%define api.pure full
%define api.push-pull push
%define api.prefix {weir_dsl_}
%define api.token.prefix {TOK_}
%define api.token.raw
%define api.value.type {union wr_semval}
%define api.location.type {struct wr_span}
%define parse.lac full
%define parse.error custom
%locations
%expect 0
%param {struct wr_parse *parse}

%code top {
/* Slots of the parse stack: thousands of parentheses pass, a bomb of them ends with an error. */
#define YYINITDEPTH 256
#define YYMAXDEPTH 4000
#define YYSTACK_USE_ALLOCA 0
}

%code requires {
#include "dsl/build.h"
}

%code provides {
/* A parser whose stacks live in the arena; nothing to free. Pushing into it is allowed until the next call
 * with another arena. */
weir_dsl_pstate *wr_grammar_new(struct wr_arena *arena);
/* Back to the beginning, as a new one. */
void wr_grammar_reset(weir_dsl_pstate *state);

/* Expected tokens of a state, for suggestions; see yypcontext_expected_tokens. */
int wr_grammar_expected(weir_dsl_pstate *state, int *kinds, int size);
}

%code {
#include "dsl/report.h"
/* The parser's stacks live in the parse arena, so that nothing is lost when memory runs out in the
 * middle of an action and the caller unwinds. The generated code passes no argument to say which. */
static _Thread_local struct wr_arena *stack_arena;
#define YYMALLOC(size) wr_arena_alloc(stack_arena, size)
#define YYFREE(memory) ((void)(memory))
#define YYLLOC_DEFAULT(Current, Rhs, N)                                                          \
    do {                                                                                         \
        if (N) {                                                                                 \
            (Current) = wr_span_join(YYRHSLOC(Rhs, 1), YYRHSLOC(Rhs, N));                        \
        } else {                                                                                 \
            (Current) = YYRHSLOC(Rhs, 0);                                                        \
            (Current).start = (Current).end;                                                     \
        }                                                                                        \
    } while (0)
static void weir_dsl_error(struct wr_span *place, struct wr_parse *parse, const char *message);
#define LIST(element) wr_list_of(parse, &(element), sizeof(element))
#define ADD(list, element) wr_list_add(parse, list, &(element), sizeof(element))
/* Lists of structs that the value points to. */
#define LIST_AT(element) wr_list_of(parse, element, sizeof *(element))
#define ADD_AT(list, element) wr_list_add(parse, list, element, sizeof *(element))
#define NONE wr_ident_none(parse->current.span)
}

/* ---- Tokens -------------------------------------------------------------------------------- */

%token START_EXPR "start of an expression"
%token IDENT      "name"
%token NUMBER     "number"
%token STRING     "string"
%token DURATION   "duration"

%token SEMICOLON ";" COMMA "," DOT "." COLON ":" LPAREN "(" RPAREN ")" LBRACKET "[" RBRACKET "]"
%token LBRACE "{" RBRACE "}" LEXCLUDE "{-" REXCLUDE "-}" PIPE "|" AMPERSAND "&" CARET "^" DOLLAR "$"
%token QUESTION "?" ARROW "->" ARROW_ANY "->>" DOTDOT ".." NAMED "=>" CAST_TO "::"
%token EQ "=" NE "<>" LT "<" LE "<=" GT ">" GE ">="
%token PLUS "+" MINUS "-" STAR "*" SLASH "/" PERCENT "%" CONCAT "||"

/* Words that are never names unless quoted. */
%token ALL "ALL" AFTER "AFTER" AND "AND" AS "AS" BETWEEN "BETWEEN" BY "BY" CASE "CASE" DEFINE "DEFINE"
%token DISTINCT "DISTINCT" EACH "EACH" ELSE "ELSE" FALSE "FALSE" FOR "FOR" FROM "FROM" GROUP "GROUP"
%token HAVING "HAVING" IN "IN" INTO "INTO" IS "IS" JOIN "JOIN" LATE "LATE" LIKE "LIKE" LIMIT "LIMIT"
%token NOT "NOT" NULL "NULL" ON "ON" ONE "ONE" OR "OR" ORDER "ORDER" PERMUTE "PERMUTE" REGEXP "REGEXP"
%token SELECT "SELECT" SKIP "SKIP" SUBSET "SUBSET" SUPPRESS "SUPPRESS" THEN "THEN" TRUE "TRUE"
%token UNION "UNION" UNTIL "UNTIL" WHEN "WHEN" WHERE "WHERE" WITH "WITH" WITHIN "WITHIN"

/* Words that are names as well. */
%token ARRAY "ARRAY" ASC "ASC" BOTH "BOTH" CAST "CAST" CHANGES "CHANGES" CREATE "CREATE" CROSS "CROSS"
%token CURRENT "CURRENT" DEFAULT "DEFAULT" DESC "DESC" DROP "DROP" EMIT "EMIT" EMPTY "EMPTY" END "END"
%token ESCAPE "ESCAPE" EVERY "EVERY" EXISTS "EXISTS" EXPIRE "EXPIRE" EXTRACT "EXTRACT" FAIL "FAIL"
%token FILTER "FILTER" FINAL "FINAL" FIRST "FIRST" FOLLOWING "FOLLOWING" FULL "FULL" FUNCTION "FUNCTION"
%token HEADER "HEADER" INCLUDE "INCLUDE" INNER "INNER" INSERT "INSERT" INTERVAL "INTERVAL" KEY "KEY"
%token LAST "LAST" LEADING "LEADING" LEFT "LEFT" MAP "MAP" MATCH "MATCH" MATCHES "MATCHES"
%token MATCH_RECOGNIZE "MATCH_RECOGNIZE" MEASURES "MEASURES" NEW "NEW" NEXT "NEXT" NULLS "NULLS" OF "OF"
%token OFFSET "OFFSET" OLDEST "OLDEST" OMIT "OMIT" OUTER "OUTER" OVER "OVER" PARAMETER "PARAMETER"
%token PARTITION "PARTITION" PAST "PAST" PATTERN "PATTERN" PER "PER" POSITION "POSITION"
%token PRECEDING "PRECEDING" PRIMARY "PRIMARY" RANGE "RANGE" RETURNS "RETURNS" RIGHT "RIGHT" ROW "ROW"
%token ROWS "ROWS" RUNNING "RUNNING" SET "SET" SHOW "SHOW" STARTS "STARTS" STREAM "STREAM"
%token SUBSTRING "SUBSTRING" SYSTEM_TIME "SYSTEM_TIME" TABLE "TABLE" TIMEOUTS "TIMEOUTS"
%token TIMESTAMP "TIMESTAMP" TO "TO" TRAILING "TRAILING" TRIM "TRIM" TRY_CAST "TRY_CAST"
%token UNBOUNDED "UNBOUNDED" UNKNOWN "UNKNOWN" UNMATCHED "UNMATCHED" VIEW "VIEW" WATERMARK "WATERMARK"

/* `SELECT final x`: a word before a name is RUNNING or FINAL before a call, not a column with an alias.
 * `x+?` and `x++`: what follows a quantifier belongs to it. */
%precedence LOW
%precedence IDENT
%precedence QUESTION
%left PLUS MINUS CONCAT
%left STAR SLASH PERCENT
%precedence SIGN

%type <ident> name word variable bare_alias type_word typed_word alias_opt item_alias skip_name frame_name
%type <ident> option_name tvf_word interval_unit
%type <number> distinct_opt direction nulls join_kind policy unit_rows negated
%type <list> names path statement_columns columns options_opt options args_opt args tvf_args expr_list
%type <list> order_list whens type_numbers type_params params_opt params column_clauses clauses
%type <list> before_match after_match long_clauses items defines subsets with_list partition_opt order_opt
%type <list> alternatives conjuncts permuted union_inputs exprs_opt map_entries numbers
%type <expr> expr and_expr not_expr comparison value primary paren subscript dotted call filter_opt
%type <expr> literal interval span span_opt else_opt case_operand on_opt as_of_opt signed default_opt
%type <expr> expr_or_error escape_opt
%type <when> when
%type <order> order_item
%type <arg> arg tvf_arg
%type <args> call_args
%type <over> over_opt frame_opt
%type <bound> frame_bound
%type <type> type
%type <param> param
%type <arrow> arrow arrow_head
%type <quantifier> quantifier quantifier_base
%type <pattern> pattern alternation conjunction primary_pattern
%type <seq> seq seq_bare seq_bare_arrow seq_taken seq_taken_arrow seq_quantified
%type <define> define
%type <subset> subset
%type <item> item
%type <from> from from_opt factor window
%type <clause> match partition clause short_clause long_clause query_clause late column_clause skip_target limit_starts
%type <query> query query_term select bare_query inner_query as_opt from_query
%type <with> with_item
%type <column> column
%type <option> option
%type <statement> statement pattern_statement

%%

top:
    program
  | START_EXPR expr               { parse->expr = $expr; }
  ;

program:
    %empty
  | program SEMICOLON
  | program statement SEMICOLON   { wr_parse_statement(parse, $statement); }
  | program error SEMICOLON       { wr_parse_recovered(parse); yyerrok; }
  ;

/* ---- Statements ------------------------------------------------------------------------------ */

statement:
    CREATE STREAM name statement_columns options_opt as_opt
        { $$ = wr_statement_create(parse, WR_STATEMENT_CREATE_STREAM, $name, $4, $5, $6, @$); }
  | CREATE TABLE name statement_columns options_opt as_opt
        { $$ = wr_statement_create(parse, WR_STATEMENT_CREATE_TABLE, $name, $4, $5, $6, @$); }
  | CREATE VIEW name AS inner_query
        { $$ = wr_statement_query(parse, WR_STATEMENT_CREATE_VIEW, $name, $5, @$); }
  | CREATE FUNCTION name "(" params_opt ")" RETURNS type AS expr
        { $$ = wr_statement_function(parse, $name, $params_opt, $type, $expr, @$); }
  | CREATE PARAMETER name type default_opt
        { $$ = wr_statement_parameter(parse, $name, $type, $default_opt, @$); }
  | INSERT INTO name inner_query
        { $$ = wr_statement_query(parse, WR_STATEMENT_INSERT, $name, $4, @$); }
  | SET option                    { $$ = wr_statement_set(parse, $option, @$); }
  | INCLUDE STRING                { $$ = wr_statement_include(parse, @2, @$); }
  | query                         { $$ = wr_statement_query(parse, WR_STATEMENT_QUERY, NONE, $1, @$); }
  | pattern_statement
  ;

inner_query:
    query
  | pattern_statement             { $$ = wr_query_inner(parse, $1); }
  ;

as_opt:
    %empty                        { $$ = NULL; }
  | AS inner_query                { $$ = $2; }
  ;

statement_columns:
    %empty                        { $$ = NULL; }
  | "(" ")"                       { $$ = wr_list_empty(parse); }
  | "(" columns ")"               { $$ = $2; }
  ;

columns:
    column                        { $$ = LIST_AT($1); }
  | columns "," column            { $$ = ADD_AT($1, $3); }
  ;

column:
    name type column_clauses      { $$ = wr_column_new(parse, $1, $2, $3, NULL, @$); }
  | name type column_clauses AS expr
                                  { $$ = wr_column_new(parse, $1, $2, $3, $expr, @$); }
  | WATERMARK FOR name AS expr    { $$ = wr_column_watermark(parse, $3, $expr, @$); }
  | PRIMARY KEY "(" names ")"     { $$ = wr_column_primary_key(parse, $names, @$); }
  | error                         { $$ = wr_column_error(parse, @$); }
  ;

column_clauses:
    %empty                        { $$ = wr_list_empty(parse); }
  | column_clauses column_clause  { $$ = ADD($1, $2); }
  ;

column_clause:
    FROM STRING                   { $$ = wr_column_from(parse, WR_COLUMN_FROM_PATH, @2, @$); }
  | FROM KEY                      { $$ = wr_column_from(parse, WR_COLUMN_FROM_KEY, @2, @$); }
  | FROM HEADER STRING            { $$ = wr_column_from(parse, WR_COLUMN_FROM_HEADER, @3, @$); }
  | FROM OFFSET                   { $$ = wr_column_from(parse, WR_COLUMN_FROM_OFFSET, @2, @$); }
  | FROM PARTITION                { $$ = wr_column_from(parse, WR_COLUMN_FROM_PARTITION, @2, @$); }
  | FROM TIMESTAMP                { $$ = wr_column_from(parse, WR_COLUMN_FROM_TIMESTAMP, @2, @$); }
  | KEY                           { $$ = wr_clause_new(parse, WR_CLAUSE_KEY, @$); }
  | PRIMARY KEY                   { $$ = wr_clause_new(parse, WR_CLAUSE_PRIMARY_KEY, @$); }
  | NOT NULL                      { $$ = wr_clause_new(parse, WR_CLAUSE_NOT_NULL, @$); }
  | DEFAULT signed                { $$ = wr_clause_expr(parse, WR_CLAUSE_DEFAULT, $2, @$); }
  ;

default_opt:
    %empty                        { $$ = NULL; }
  | DEFAULT signed                { $$ = $2; }
  ;

/* A literal; what else a person may write here is refused by name. */
signed:
    value                         { $$ = wr_expr_must_be_literal(parse, $1); }
  ;

options_opt:
    %empty                        { $$ = NULL; }
  | WITH "(" ")"                  { $$ = wr_list_empty(parse); }
  | WITH "(" options ")"          { $$ = $options; }
  ;

options:
    option                        { $$ = LIST_AT($1); }
  | options "," option            { $$ = ADD_AT($1, $3); }
  ;

option:
    option_name "=" signed        { $$ = wr_option_new(parse, $1, $3); }
  | error                         { $$ = wr_option_new(parse, NONE, wr_expr_error(parse, @$)); }
  ;

option_name:
    path                          { $$ = wr_option_name(parse, $1, @$); }
  | STRING                        { $$ = wr_option_string(parse, @$); }
  ;

params_opt:
    %empty                        { $$ = NULL; }
  | params
  ;

params:
    param                         { $$ = LIST_AT($1); }
  | params "," param              { $$ = ADD_AT($1, $3); }
  ;

param:
    name type                     { $$ = wr_param_new(parse, $1, $2); }
  ;

/* ---- Types ------------------------------------------------------------------------------------ */

type:
    type_word                     { $$ = wr_type_new(parse, $1, NULL, @$); }
  | type_word "(" type_numbers ")" { $$ = wr_type_new(parse, $1, $3, @$); }
  | type_word "(" error ")"       { $$ = wr_type_new(parse, $1, NULL, @$); }
  | ARRAY "<" type ">"
        { $$ = wr_type_generic(parse, wr_ident_at(parse, @1), wr_type_list(parse, NULL, $3), @$); }
  | MAP "<" type_params ">"       { $$ = wr_type_generic(parse, wr_ident_at(parse, @1), $3, @$); }
  | ROW "<" params ">"            { $$ = wr_type_generic(parse, wr_ident_at(parse, @1), $3, @$); }
  ;

type_word:
    IDENT                         { $$ = wr_ident_at(parse, @$); }
  | TIMESTAMP                     { $$ = wr_ident_at(parse, @$); }
  | INTERVAL                      { $$ = wr_ident_at(parse, @$); }
  ;

type_numbers:
    numbers
  ;

numbers:
    NUMBER                        { $$ = LIST(@1); }
  | numbers "," NUMBER            { $$ = ADD($1, @3); }
  ;

type_params:
    type                          { $$ = wr_type_list(parse, NULL, $1); }
  | type_params "," type          { $$ = wr_type_list(parse, $1, $3); }
  ;

/* ---- Names ------------------------------------------------------------------------------------ */

names:
    name                          { $$ = LIST($1); }
  | names "," name                { $$ = ADD($1, $3); }
  ;

/* Anything that may be called by its name: a column, a stream, an alias behind AS. */
name:
    word
  | special_word                  { $$ = wr_ident_at(parse, @$); }
  ;

/* Words that may stand before a parenthesis as the name of a function. */
word:
    variable
  | statement_word                { $$ = wr_ident_at(parse, @$); }
  ;

/* Variables of a row pattern: not the words with which the next statement would begin. */
variable:
    IDENT                         { $$ = wr_ident_at(parse, @$); }
  | free_word                     { $$ = wr_ident_at(parse, @$); }
  | direction_word                { $$ = wr_ident_at(parse, @$); }
  | alias_word                    { $$ = wr_ident_at(parse, @$); }
  | FINAL %prec LOW               { $$ = wr_ident_at(parse, @$); }
  | RUNNING %prec LOW             { $$ = wr_ident_at(parse, @$); }
  ;

/* An alias without AS: not the words that may follow a column or a stream. */
bare_alias:
    IDENT                         { $$ = wr_ident_at(parse, @$); }
  | alias_word                    { $$ = wr_ident_at(parse, @$); }
  ;

alias_word:
    END | KEY | OFFSET | TIMESTAMP | HEADER | STREAM | VIEW | PARAMETER | CURRENT | NEW | OLDEST | EMPTY
  | FAIL | DROP | PAST | OMIT | SHOW | STARTS | TIMEOUTS | UNKNOWN | UNMATCHED | LEADING | TRAILING | BOTH
  | RETURNS | FUNCTION
  ;

direction_word:
    FIRST | LAST | NEXT
  ;

free_word:
    ASC | CHANGES | CROSS | DEFAULT | DESC | EMIT | ESCAPE | EVERY | EXPIRE | FILTER | FOLLOWING | FULL | INNER
  | LEFT | MATCHES | NULLS | OF | OUTER | OVER | PARTITION | PER | PRECEDING | PRIMARY | RANGE | RIGHT
  | ROWS | SYSTEM_TIME | UNBOUNDED | WATERMARK | ARRAY | MAP | ROW
  ;

statement_word:
    CREATE | INSERT | INCLUDE | SET | PATTERN | MATCH | MATCH_RECOGNIZE | MEASURES | TO
  ;

/* Words whose parenthesis has a grammar of its own. */
special_word:
    CAST | TRY_CAST | EXTRACT | SUBSTRING | TRIM | POSITION | EXISTS | INTERVAL | TABLE
  ;

path:
    name                          { $$ = LIST($1); }
  | path "." name                 { $$ = ADD($1, $3); }
  ;

/* ---- Expressions -------------------------------------------------------------------------------- */

expr:
    and_expr
  | expr OR and_expr              { $$ = wr_expr_binary(parse, WR_BINARY_OR, $1, $3, @2, @$); }
  ;

and_expr:
    not_expr
  | and_expr AND not_expr         { $$ = wr_expr_binary(parse, WR_BINARY_AND, $1, $3, @2, @$); }
  ;

not_expr:
    comparison
  | NOT not_expr                  { $$ = wr_expr_unary(parse, WR_UNARY_NOT, $2, @$); }
  ;

comparison:
    value
  | comparison "=" value          { $$ = wr_expr_binary(parse, WR_BINARY_EQ, $1, $3, @2, @$); }
  | comparison "<>" value         { $$ = wr_expr_binary(parse, WR_BINARY_NE, $1, $3, @2, @$); }
  | comparison "<" value          { $$ = wr_expr_binary(parse, WR_BINARY_LT, $1, $3, @2, @$); }
  | comparison "<=" value         { $$ = wr_expr_binary(parse, WR_BINARY_LE, $1, $3, @2, @$); }
  | comparison ">" value          { $$ = wr_expr_binary(parse, WR_BINARY_GT, $1, $3, @2, @$); }
  | comparison ">=" value         { $$ = wr_expr_binary(parse, WR_BINARY_GE, $1, $3, @2, @$); }
  | comparison IS DISTINCT FROM value
        { $$ = wr_expr_binary(parse, WR_BINARY_DISTINCT, $1, $5, wr_span_join(@2, @4), @$); }
  | comparison IS NOT DISTINCT FROM value
        { $$ = wr_expr_binary(parse, WR_BINARY_NOT_DISTINCT, $1, $6, wr_span_join(@2, @5), @$); }
  | comparison IS NULL            { $$ = wr_expr_is(parse, $1, false, WR_IS_NULL, @$); }
  | comparison IS TRUE            { $$ = wr_expr_is(parse, $1, false, WR_IS_TRUE, @$); }
  | comparison IS FALSE           { $$ = wr_expr_is(parse, $1, false, WR_IS_FALSE, @$); }
  | comparison IS UNKNOWN         { $$ = wr_expr_is(parse, $1, false, WR_IS_UNKNOWN, @$); }
  | comparison IS NOT NULL        { $$ = wr_expr_is(parse, $1, true, WR_IS_NULL, @$); }
  | comparison IS NOT TRUE        { $$ = wr_expr_is(parse, $1, true, WR_IS_TRUE, @$); }
  | comparison IS NOT FALSE       { $$ = wr_expr_is(parse, $1, true, WR_IS_FALSE, @$); }
  | comparison IS NOT UNKNOWN     { $$ = wr_expr_is(parse, $1, true, WR_IS_UNKNOWN, @$); }
  | comparison negated BETWEEN value AND value
        { $$ = wr_expr_between(parse, $1, $2, $4, $6, @$); }
  | comparison negated IN "(" exprs_opt ")"
        { $$ = wr_expr_in(parse, $1, $2, $5, NULL, @$); }
  | comparison negated IN "(" bare_query ")"
        { $$ = wr_expr_in(parse, $1, $2, NULL, $5, @$); }
  | comparison negated LIKE value escape_opt
        { $$ = wr_expr_like(parse, $1, $2, false, $4, $5, @$); }
  | comparison negated REGEXP value
        { $$ = wr_expr_like(parse, $1, $2, true, $4, NULL, @$); }
  ;

negated:
    %empty                        { $$ = 0; }
  | NOT                           { $$ = 1; }
  ;

escape_opt:
    %empty                        { $$ = NULL; }
  | ESCAPE value                  { $$ = $2; }
  ;

value:
    primary
  | value "+" value               { $$ = wr_expr_binary(parse, WR_BINARY_ADD, $1, $3, @2, @$); }
  | value "-" value               { $$ = wr_expr_binary(parse, WR_BINARY_SUB, $1, $3, @2, @$); }
  | value "||" value              { $$ = wr_expr_binary(parse, WR_BINARY_CONCAT, $1, $3, @2, @$); }
  | value "*" value               { $$ = wr_expr_binary(parse, WR_BINARY_MUL, $1, $3, @2, @$); }
  | value "/" value               { $$ = wr_expr_binary(parse, WR_BINARY_DIV, $1, $3, @2, @$); }
  | value "%" value               { $$ = wr_expr_binary(parse, WR_BINARY_MOD, $1, $3, @2, @$); }
  | "-" value %prec SIGN          { $$ = wr_expr_unary(parse, WR_UNARY_MINUS, $2, @$); }
  | "+" value %prec SIGN          { $$ = wr_expr_unary(parse, WR_UNARY_PLUS, $2, @$); }
  ;

primary:
    literal
  | path                          { $$ = wr_expr_name(parse, $1, @$); }
  | ":" name                      { $$ = wr_expr_parameter(parse, $2, @$); }
  | paren
  | call
  | subscript
  | primary "::" type             { $$ = wr_expr_cast(parse, $1, $3, false, true, @$); }
  | "(" bare_query ")"            { $$ = wr_expr_subquery(parse, $2, @$); }
  | EXISTS "(" bare_query ")"     { $$ = wr_expr_subquery(parse, $3, @$); }
  | CASE case_operand whens else_opt END
        { $$ = wr_expr_case(parse, $2, $3, $4, @$); }
  | CAST "(" expr AS type ")"     { $$ = wr_expr_cast(parse, $3, $5, false, false, @$); }
  | TRY_CAST "(" expr AS type ")" { $$ = wr_expr_cast(parse, $3, $5, true, false, @$); }
  | "[" exprs_opt "]"             { $$ = wr_expr_list_of(parse, WR_EXPR_ARRAY, $2, @$); }
  | "{" map_entries "}"           { $$ = wr_expr_list_of(parse, WR_EXPR_MAP, $2, @$); }
  | "{" "}"                       { $$ = wr_expr_list_of(parse, WR_EXPR_MAP, NULL, @$); }
  ;

paren:
    "(" expr ")"                  { $$ = wr_expr_parens(parse, $2, @$); }
  | "(" error ")"                 { $$ = wr_expr_error(parse, @$); }
  ;

dotted:
    paren
  | call
  | subscript
  ;

subscript:
    primary "[" expr "]"          { $$ = wr_expr_index(parse, $1, $3, @$); }
  | dotted "." name               { $$ = wr_expr_field(parse, $1, $3, @$); }
  ;

literal:
    NUMBER                        { $$ = wr_expr_literal(parse, WR_EXPR_NUMBER, @$); }
  | STRING                        { $$ = wr_expr_literal(parse, WR_EXPR_STRING, @$); }
  | TRUE                          { $$ = wr_expr_literal(parse, WR_EXPR_BOOL, @$); }
  | FALSE                         { $$ = wr_expr_literal(parse, WR_EXPR_BOOL, @$); }
  | NULL                          { $$ = wr_expr_literal(parse, WR_EXPR_NULL, @$); }
  | DURATION                      { $$ = wr_expr_duration(parse, @$); }
  | interval
  | typed_word STRING             { $$ = wr_expr_typed(parse, $1, @2, @$); }
  ;

typed_word:
    IDENT                         { $$ = wr_ident_at(parse, @$); }
  | TIMESTAMP                     { $$ = wr_ident_at(parse, @$); }
  ;

interval:
    INTERVAL STRING %prec LOW       { $$ = wr_expr_interval_words(parse, @2, @$); }
  | INTERVAL STRING interval_unit
        { $$ = wr_expr_interval(parse, @2, $3, NONE, @$); }
  | INTERVAL STRING interval_unit TO interval_unit
        { $$ = wr_expr_interval(parse, @2, $3, $5, @$); }
  ;

/* Units are words like any other; wr_expr_interval knows them. */
interval_unit:
    IDENT                         { $$ = wr_ident_at(parse, @$); }
  ;

/* A span of time inside a row pattern, where a whole expression would run into what follows. */
span:
    DURATION                      { $$ = wr_expr_duration(parse, @$); }
  | interval
  | ":" name                      { $$ = wr_expr_parameter(parse, $2, @$); }
  ;

span_opt:
    %empty                        { $$ = NULL; }
  | span
  ;

call:
    word "(" call_args ")" filter_opt over_opt
        { $$ = wr_expr_call(parse, $word, $call_args, $filter_opt, $over_opt, WR_FRAME_DEFAULT, @$); }
  | RUNNING frame_name "(" call_args ")" filter_opt
        { $$ = wr_expr_call(parse, $2, $4, $6, NULL, WR_FRAME_RUNNING, @$); }
  | FINAL frame_name "(" call_args ")" filter_opt
        { $$ = wr_expr_call(parse, $2, $4, $6, NULL, WR_FRAME_FINAL, @$); }
  | word "(" error ")"            { $$ = wr_expr_error(parse, @$); }
  | EXTRACT "(" name FROM expr ")"
        { $$ = wr_expr_special(parse, "EXTRACT", @1, wr_expr_extract_field(parse, $3), $5, NULL, @$); }
  | SUBSTRING "(" value FROM value ")"
        { $$ = wr_expr_special(parse, "SUBSTRING", @1, $3, $5, NULL, @$); }
  | SUBSTRING "(" value FROM value FOR value ")"
        { $$ = wr_expr_special(parse, "SUBSTRING", @1, $3, $5, $7, @$); }
  | SUBSTRING "(" args ")"
        { $$ = wr_expr_plain_call(parse, @1, $3, @$); }
  | TRIM "(" args ")"
        { $$ = wr_expr_plain_call(parse, @1, $3, @$); }
  | TRIM "(" STRING FROM value ")"
        { $$ = wr_expr_special(parse, "TRIM", @1, $5, wr_expr_literal(parse, WR_EXPR_STRING, @3), NULL, @$); }
  | TRIM "(" BOTH FROM value ")"  { $$ = wr_expr_special(parse, "TRIM", @1, $5, NULL, NULL, @$); }
  | TRIM "(" BOTH STRING FROM value ")"
        { $$ = wr_expr_special(parse, "TRIM", @1, $6, wr_expr_literal(parse, WR_EXPR_STRING, @4), NULL, @$); }
  | TRIM "(" LEADING FROM value ")"
        { $$ = wr_expr_special(parse, "LTRIM", @1, $5, NULL, NULL, @$); }
  | TRIM "(" LEADING STRING FROM value ")"
        { $$ = wr_expr_special(parse, "LTRIM", @1, $6, wr_expr_literal(parse, WR_EXPR_STRING, @4), NULL, @$); }
  | TRIM "(" TRAILING FROM value ")"
        { $$ = wr_expr_special(parse, "RTRIM", @1, $5, NULL, NULL, @$); }
  | TRIM "(" TRAILING STRING FROM value ")"
        { $$ = wr_expr_special(parse, "RTRIM", @1, $6, wr_expr_literal(parse, WR_EXPR_STRING, @4), NULL, @$); }
  | POSITION "(" value IN value ")"
        { $$ = wr_expr_special(parse, "POSITION", @1, $3, $5, NULL, @$); }
  | POSITION "(" value "," value ")"
        { $$ = wr_expr_special(parse, "POSITION", @1, $3, $5, NULL, @$); }
  ;

frame_name:
    IDENT                         { $$ = wr_ident_at(parse, @$); }
  | direction_word                { $$ = wr_ident_at(parse, @$); }
  ;

call_args:
    args_opt                      { $$ = wr_call_args_new(parse, $1, false, NULL); }
  | args ORDER BY order_list      { $$ = wr_call_args_new(parse, $1, false, $4); }
  | ALL args                      { $$ = wr_call_args_new(parse, $2, false, NULL); }
  | DISTINCT args                 { $$ = wr_call_args_new(parse, $2, true, NULL); }
  | DISTINCT args ORDER BY order_list
                                  { $$ = wr_call_args_new(parse, $2, true, $5); }
  ;

args_opt:
    %empty                        { $$ = NULL; }
  | args
  ;

args:
    arg                           { $$ = LIST_AT($1); }
  | args "," arg                  { $$ = ADD_AT($1, $3); }
  ;

arg:
    expr                          { $$ = wr_arg_new(parse, NONE, $1, NULL, @$); }
  | word "=>" expr                { $$ = wr_arg_new(parse, $1, $3, NULL, @$); }
  | "*"                           { $$ = wr_arg_new(parse, NONE, wr_expr_star(parse, NULL, @$), NULL, @$); }
  | path "." "*"                  { $$ = wr_arg_new(parse, NONE, wr_expr_star(parse, $1, @$), NULL, @$); }
  ;

filter_opt:
    %empty                        { $$ = NULL; }
  | FILTER "(" WHERE expr ")"     { $$ = $4; }
  ;

over_opt:
    %empty                        { $$ = NULL; }
  | OVER "(" partition_opt order_opt frame_opt ")"
        { $$ = wr_over_new(parse, $3, $4, $5, @$); }
  ;

partition_opt:
    %empty                        { $$ = NULL; }
  | PARTITION BY expr_list        { $$ = $3; }
  ;

order_opt:
    %empty                        { $$ = NULL; }
  | ORDER BY order_list           { $$ = $3; }
  ;

frame_opt:
    %empty                        { $$ = NULL; }
  | unit_rows frame_bound         { $$ = wr_over_frame(parse, $1, $2, NULL); }
  | unit_rows BETWEEN frame_bound AND frame_bound
                                  { $$ = wr_over_frame(parse, $1, $3, $5); }
  ;

unit_rows:
    ROWS                          { $$ = WR_OVER_ROWS; }
  | RANGE                         { $$ = WR_OVER_RANGE; }
  ;

frame_bound:
    UNBOUNDED PRECEDING           { $$ = wr_over_bound_new(parse, WR_OVER_UNBOUNDED_PRECEDING, NULL); }
  | UNBOUNDED FOLLOWING           { $$ = wr_over_bound_new(parse, WR_OVER_UNBOUNDED_FOLLOWING, NULL); }
  | CURRENT ROW                   { $$ = wr_over_bound_new(parse, WR_OVER_CURRENT, NULL); }
  | NUMBER PRECEDING              { $$ = wr_over_bound_number(parse, WR_OVER_PRECEDING, @1); }
  | NUMBER FOLLOWING              { $$ = wr_over_bound_number(parse, WR_OVER_FOLLOWING, @1); }
  | span PRECEDING                { $$ = wr_over_bound_new(parse, WR_OVER_PRECEDING, $1); }
  | span FOLLOWING                { $$ = wr_over_bound_new(parse, WR_OVER_FOLLOWING, $1); }
  ;

case_operand:
    %empty                        { $$ = NULL; }
  | expr
  ;

whens:
    when                          { $$ = LIST_AT($1); }
  | whens when                    { $$ = ADD_AT($1, $2); }
  ;

when:
    WHEN expr THEN expr           { $$ = wr_when_new(parse, $2, $4); }
  ;

else_opt:
    %empty                        { $$ = NULL; }
  | ELSE expr                     { $$ = $2; }
  ;

exprs_opt:
    %empty                        { $$ = NULL; }
  | expr_list
  ;

expr_list:
    expr                          { $$ = LIST($1); }
  | expr_list "," expr            { $$ = ADD($1, $3); }
  ;

map_entries:
    expr ":" expr                 { $$ = ADD(LIST($1), $3); }
  | map_entries "," expr ":" expr { $$ = ADD(ADD($1, $3), $5); }
  ;

order_list:
    order_item                    { $$ = LIST_AT($1); }
  | order_list "," order_item     { $$ = ADD_AT($1, $3); }
  ;

order_item:
    expr direction nulls          { $$ = wr_order_new(parse, $1, $2, $3); }
  ;

direction:
    %empty                        { $$ = 0; }
  | ASC                           { $$ = 0; }
  | DESC                          { $$ = 1; }
  ;

nulls:
    %empty                        { $$ = 0; }
  | NULLS FIRST                   { $$ = 1; }
  | NULLS LAST                    { $$ = 2; }
  ;

/* ---- Queries ------------------------------------------------------------------------------------- */

query:
    query_term
  | query UNION ALL query_term    { $$ = wr_query_union(parse, $1, $4, true, @2, @$); }
  | query UNION query_term        { $$ = wr_query_union(parse, $1, $3, false, @2, @$); }
  | WITH with_list query_term     { $$ = wr_query_with($2, $3, @$); }
  ;

query_term:
    select
  | "(" query ")"                 { $$ = wr_query_parens($2, @$); }
  ;

/* A query that does not begin with a parenthesis, so that `((` needs no look into the distance. */
bare_query:
    select
  | WITH with_list query_term     { $$ = wr_query_with($2, $3, @$); }
  | bare_query UNION ALL query_term
                                  { $$ = wr_query_union(parse, $1, $4, true, @2, @$); }
  | bare_query UNION query_term   { $$ = wr_query_union(parse, $1, $3, false, @2, @$); }
  ;

/* A union in FROM whose first part is in parentheses. */
from_query:
    "(" bare_query ")" UNION ALL query_term
                                  { $$ = wr_query_union(parse, wr_query_parens($2, wr_span_join(@1, @3)), $6, true, @4, @$); }
  | from_query UNION ALL query_term
                                  { $$ = wr_query_union(parse, $1, $4, true, @2, @$); }
  ;

with_list:
    with_item                     { $$ = LIST_AT($1); }
  | with_list "," with_item       { $$ = ADD_AT($1, $3); }
  ;

with_item:
    name AS "(" query ")"         { $$ = wr_with_new(parse, $1, $4); }
  ;

select:
    SELECT distinct_opt items from_opt clauses
        { $$ = wr_query_select(parse, $2, @2, $items, $from_opt, $clauses, @$); }
  ;

distinct_opt:
    %empty                        { $$ = 0; }
  | DISTINCT                      { $$ = 1; }
  | ALL                           { $$ = 0; }
  ;

items:
    item                          { $$ = LIST_AT($1); }
  | items "," item                { $$ = ADD_AT($1, $3); }
  ;

item:
    expr item_alias               { $$ = wr_item_new(parse, $1, $2, @$); }
  | "*"                           { $$ = wr_item_new(parse, wr_expr_star(parse, NULL, @$), NONE, @$); }
  | path "." "*"                  { $$ = wr_item_new(parse, wr_expr_star(parse, $1, @$), NONE, @$); }
  | error                         { $$ = wr_item_new(parse, wr_expr_error(parse, @$), NONE, @$); }
  ;

item_alias:
    %empty                        { $$ = NONE; }
  | AS name                       { $$ = $2; }
  | bare_alias
  ;

from_opt:
    %empty                        { $$ = NULL; }
  | FROM from                     { $$ = wr_from_whole(parse, $2); }
  ;

from:
    factor
  | from "," factor               { $$ = wr_from_comma(parse, $1, $3, @2, @$); }
  | from join_kind factor on_opt  { $$ = wr_from_join(parse, $1, $2, $3, $4, @$); }
  ;

join_kind:
    JOIN                          { $$ = WR_JOIN_INNER; }
  | INNER JOIN                    { $$ = WR_JOIN_INNER; }
  | LEFT outer_opt JOIN           { $$ = WR_JOIN_LEFT; }
  | RIGHT outer_opt JOIN          { $$ = WR_JOIN_RIGHT; }
  | FULL outer_opt JOIN           { $$ = WR_JOIN_FULL; }
  | CROSS JOIN                    { $$ = WR_JOIN_CROSS; }
  ;

outer_opt:
    %empty
  | OUTER
  ;

on_opt:
    %empty                        { $$ = NULL; }
  | ON expr                       { $$ = $2; }
  ;

factor:
    word as_of_opt alias_opt      { $$ = wr_from_name(parse, $1, $2, $3, @$); }
  | STRING alias_opt              { $$ = wr_from_file(parse, @1, $2, @$); }
  | window
  | "(" bare_query ")" alias_opt  { $$ = wr_from_query(parse, $2, $4, @$); }
  | "(" from_query ")" alias_opt  { $$ = wr_from_query(parse, $2, $4, @$); }
  | "(" union_inputs ")" alias_opt
                                  { $$ = wr_from_union(parse, $2, $4, @$); }
  | factor MATCH_RECOGNIZE "(" long_clauses ")" alias_opt
                                  { $$ = wr_from_match(parse, $1, $4, $6, @$); }
  ;

union_inputs:
    factor "," factor             { $$ = ADD(LIST($1), $3); }
  | union_inputs "," factor       { $$ = ADD($1, $3); }
  ;

as_of_opt:
    %empty                        { $$ = NULL; }
  | FOR SYSTEM_TIME AS OF value   { $$ = $5; }
  ;

alias_opt:
    %empty                        { $$ = NONE; }
  | AS name                       { $$ = $2; }
  | bare_alias
  ;

window:
    word "(" tvf_args ")" alias_opt
        { $$ = wr_from_window(parse, $1, $3, false, $5, @$); }
  | TABLE "(" word "(" tvf_args ")" ")" alias_opt
        { $$ = wr_from_window(parse, $3, $5, true, $8, @$); }
  ;

tvf_args:
    tvf_arg                       { $$ = LIST_AT($1); }
  | tvf_args "," tvf_arg          { $$ = ADD_AT($1, $3); }
  ;

tvf_arg:
    arg
  | TABLE tvf_word
        { $$ = wr_arg_new(parse, NONE, NULL, wr_from_name(parse, $2, NULL, NONE, @2), @$); }
  | TABLE "(" bare_query ")"
        { $$ = wr_arg_new(parse, NONE, NULL, wr_from_query(parse, $3, NONE, @$), @$); }
  | word "=>" TABLE tvf_word
        { $$ = wr_arg_new(parse, $1, NULL, wr_from_name(parse, $4, NULL, NONE, @4), @$); }
  ;

tvf_word:
    word
  ;

clauses:
    %empty                        { $$ = wr_list_empty(parse); }
  | clauses query_clause          { $$ = ADD($1, $2); }
  ;

query_clause:
    WHERE expr                    { $$ = wr_clause_expr(parse, WR_CLAUSE_WHERE, $2, @$); }
  | GROUP BY expr_list            { $$ = wr_clause_list(parse, WR_CLAUSE_GROUP, $3, @$); }
  | HAVING expr                   { $$ = wr_clause_expr(parse, WR_CLAUSE_HAVING, $2, @$); }
  | ORDER BY order_list           { $$ = wr_clause_list(parse, WR_CLAUSE_ORDER, $3, @$); }
  | LIMIT value                   { $$ = wr_clause_expr(parse, WR_CLAUSE_LIMIT, $2, @$); }
  | EMIT FINAL                    { $$ = wr_clause_emit(parse, WR_EMIT_FINAL, NULL, @$); }
  | EMIT CHANGES                  { $$ = wr_clause_emit(parse, WR_EMIT_CHANGES, NULL, @$); }
  | EMIT EVERY value              { $$ = wr_clause_emit(parse, WR_EMIT_EVERY, $3, @$); }
  | late
  ;

late:
    LATE INTO name                { $$ = wr_clause_late(parse, NULL, $3, @$); }
  | LATE value INTO name          { $$ = wr_clause_late(parse, $2, $4, @$); }
  ;

/* ---- PATTERN and MATCH_RECOGNIZE -------------------------------------------------------------------- */

pattern_statement:
    PATTERN name FROM from before_match
        { $$ = wr_query_pattern(parse, $name, wr_from_whole(parse, $from), $5, @$); }
  | PATTERN name FROM from before_match match after_match
        { $$ = wr_query_pattern(parse, $name, wr_from_whole(parse, $from), wr_list_joined(parse, $5, $6, $7), @$); }
  ;

match:
    MATCH pattern                 { $$ = wr_clause_pattern(parse, $2, @$); }
  ;

before_match:
    %empty                        { $$ = wr_list_empty(parse); }
  | before_match short_clause     { $$ = ADD($1, $2); }
  | before_match partition        { $$ = ADD($1, $2); }
  ;

/* PARTITION would be one more variable of the pattern here. */
after_match:
    %empty                        { $$ = wr_list_empty(parse); }
  | after_match short_clause      { $$ = ADD($1, $2); }
  ;

short_clause:
    clause
  | WHERE expr                    { $$ = wr_clause_expr(parse, WR_CLAUSE_WHERE, $2, @$); }
  | SELECT items                  { $$ = wr_clause_list(parse, WR_CLAUSE_SELECT, $2, @$); }
  | INTO name                     { $$ = wr_clause_named(parse, WR_CLAUSE_INTO, 0, $2, @$); }
  ;

long_clauses:
    %empty                        { $$ = wr_list_empty(parse); }
  | long_clauses long_clause      { $$ = ADD($1, $2); }
  ;

long_clause:
    clause
  | partition
  | PATTERN "(" pattern ")"       { $$ = wr_clause_pattern(parse, $3, @$); }
  | PATTERN "(" ")"
        { $$ = wr_clause_pattern(parse, wr_pattern_leaf(parse, WR_PATTERN_EMPTY, @$), @$); }
  ;

partition:
    PARTITION BY expr_list        { $$ = wr_clause_partition(parse, $3, NONE, @$); }
  | PARTITION BY expr_list AS name
                                  { $$ = wr_clause_partition(parse, $3, $5, @$); }
  | PARTITION BY "(" expr "," expr_list ")"
                                  { $$ = wr_clause_partition(parse, wr_list_front(parse, $4, $6), NONE, @$); }
  | PARTITION BY "(" expr "," expr_list ")" AS name
                                  { $$ = wr_clause_partition(parse, wr_list_front(parse, $4, $6), $9, @$); }
  ;

clause:
    ORDER BY order_list           { $$ = wr_clause_list(parse, WR_CLAUSE_ORDER, $3, @$); }
  | MEASURES items                { $$ = wr_clause_list(parse, WR_CLAUSE_MEASURES, $2, @$); }
  | ONE ROW PER MATCH             { $$ = wr_clause_named(parse, WR_CLAUSE_ROWS, WR_ONE_ROW, NONE, @$); }
  | ALL ROWS PER MATCH            { $$ = wr_clause_named(parse, WR_CLAUSE_ROWS, WR_ALL_ROWS_SHOW, NONE, @$); }
  | ALL ROWS PER MATCH SHOW EMPTY MATCHES
                                  { $$ = wr_clause_named(parse, WR_CLAUSE_ROWS, WR_ALL_ROWS_SHOW, NONE, @$); }
  | ALL ROWS PER MATCH OMIT EMPTY MATCHES
                                  { $$ = wr_clause_named(parse, WR_CLAUSE_ROWS, WR_ALL_ROWS_OMIT, NONE, @$); }
  | WITH UNMATCHED ROWS           { $$ = wr_clause_new(parse, WR_CLAUSE_UNMATCHED, @$); }
  | AFTER MATCH SKIP skip_target  { $$ = wr_clause_skip(parse, $4, @$); }
  | SKIP skip_target              { $$ = wr_clause_skip(parse, $2, @$); }
  | ONE MATCH                     { $$ = wr_clause_named(parse, WR_CLAUSE_MATCHES, 0, NONE, @$); }
  | ALL MATCHES                   { $$ = wr_clause_named(parse, WR_CLAUSE_MATCHES, 1, NONE, @$); }
  | WITHIN value                  { $$ = wr_clause_expr(parse, WR_CLAUSE_WITHIN, $2, @$); }
  | SUBSET subsets                { $$ = wr_clause_list(parse, WR_CLAUSE_SUBSET, $2, @$); }
  | DEFINE defines                { $$ = wr_clause_list(parse, WR_CLAUSE_DEFINE, $2, @$); }
  | WITH TIMEOUTS                 { $$ = wr_clause_named(parse, WR_CLAUSE_TIMEOUTS, 1, NONE, @$); }
  | WITH ALL TIMEOUTS             { $$ = wr_clause_named(parse, WR_CLAUSE_TIMEOUTS, 2, NONE, @$); }
  | SUPPRESS value                { $$ = wr_clause_expr(parse, WR_CLAUSE_SUPPRESS, $2, @$); }
  | limit_starts
  | late
  ;

skip_target:
    PAST LAST ROW                 { $$ = wr_clause_named(parse, WR_CLAUSE_SKIP, WR_SKIP_PAST_LAST, NONE, @$); }
  | TO NEXT ROW                   { $$ = wr_clause_named(parse, WR_CLAUSE_SKIP, WR_SKIP_NEXT_ROW, NONE, @$); }
  | TO FIRST variable             { $$ = wr_clause_named(parse, WR_CLAUSE_SKIP, WR_SKIP_TO_FIRST, $3, @$); }
  | TO LAST variable              { $$ = wr_clause_named(parse, WR_CLAUSE_SKIP, WR_SKIP_TO_LAST, $3, @$); }
  | TO skip_name                  { $$ = wr_clause_named(parse, WR_CLAUSE_SKIP, WR_SKIP_TO_LAST, $2, @$); }
  ;

skip_name:
    IDENT                         { $$ = wr_ident_at(parse, @$); }
  | free_word                     { $$ = wr_ident_at(parse, @$); }
  | alias_word                    { $$ = wr_ident_at(parse, @$); }
  ;

limit_starts:
    LIMIT NUMBER STARTS PER KEY   { $$ = wr_clause_limit_starts(parse, @2, WR_LIMIT_DROP_OLDEST, @$); }
  | LIMIT NUMBER STARTS PER KEY ON LIMIT policy
                                  { $$ = wr_clause_limit_starts(parse, @2, $policy, @$); }
  ;

policy:
    DROP OLDEST                   { $$ = WR_LIMIT_DROP_OLDEST; }
  | DROP NEW                      { $$ = WR_LIMIT_DROP_NEW; }
  | FAIL                          { $$ = WR_LIMIT_FAIL; }
  ;

subsets:
    subset                        { $$ = LIST_AT($1); }
  | subsets "," subset            { $$ = ADD_AT($1, $3); }
  ;

subset:
    variable "=" "(" names ")"    { $$ = wr_subset_new(parse, $1, $4); }
  ;

defines:
    define                        { $$ = LIST_AT($1); }
  | defines "," define            { $$ = ADD_AT($1, $3); }
  ;

define:
    variable AS expr              { $$ = wr_define_new(parse, $1, NONE, $3); }
  | variable FROM name            { $$ = wr_define_new(parse, $1, $3, NULL); }
  | variable FROM name AS expr    { $$ = wr_define_new(parse, $1, $3, $5); }
  | error                         { $$ = wr_define_new(parse, NONE, NONE, wr_expr_error(parse, @$)); }
  ;

/* ---- Row patterns -------------------------------------------------------------------------------------- */

pattern:
    alternation                   { $$ = wr_pattern_whole(parse, $1); }
  ;

alternation:
    alternatives                  { $$ = wr_pattern_items(parse, WR_PATTERN_ALTERNATION, $1, @$); }
  ;

alternatives:
    conjunction                   { $$ = LIST($1); }
  | alternatives "|" conjunction  { $$ = ADD($1, $3); }
  ;

conjunction:
    conjuncts                     { $$ = wr_pattern_items(parse, WR_PATTERN_AND, $1, @$); }
  ;

conjuncts:
    seq                           { $$ = wr_seq_list(parse, NULL, $1); }
  | conjuncts "&" seq             { $$ = wr_seq_list(parse, $1, $3); }
  ;

/* A sequence is read from left to right in constant depth. What it ends with decides what may
 * follow: a bare element may be quantified, also behind an arrow (x->+); a quantified one may not
 * again, but may have an UNTIL. */
seq:
    seq_bare
  | seq_taken
  | seq_quantified
  ;

seq_bare:
    primary_pattern               { $$ = wr_seq_add(parse, wr_seq_start(parse, NULL), $1); }
  | arrow primary_pattern         { $$ = wr_seq_add(parse, wr_seq_start(parse, $1), $2); }
  | seq_bare primary_pattern      { $$ = wr_seq_add(parse, $1, $2); }
  | seq_bare_arrow primary_pattern { $$ = wr_seq_add(parse, $1, $2); }
  | seq_quantified primary_pattern { $$ = wr_seq_add(parse, $1, $2); }
  | seq_taken primary_pattern     { $$ = wr_seq_add(parse, $1, $2); }
  | seq_taken_arrow primary_pattern { $$ = wr_seq_add(parse, $1, $2); }
  ;

seq_bare_arrow:
    seq_bare arrow                { $$ = wr_seq_arrow($1, $2); }
  ;

seq_taken_arrow:
    seq_quantified arrow          { $$ = wr_seq_arrow($1, $2); }
  | seq_taken arrow               { $$ = wr_seq_arrow($1, $2); }
  ;

seq_quantified:
    seq_bare quantifier           { $$ = wr_seq_quantify(parse, $1, $2); }
  | seq_bare_arrow quantifier     { $$ = wr_seq_quantify(parse, $1, $2); }
  | seq_quantified quantifier     { $$ = wr_seq_quantify_again(parse, $1, $2); }
  ;

/* Behind an UNTIL. */
seq_taken:
    seq_quantified UNTIL "(" expr_or_error ")"
                                  { $$ = wr_seq_until(parse, $1, $4, wr_span_join(@2, @5)); }
  | seq_bare UNTIL "(" expr_or_error ")"
                                  { $$ = wr_seq_until(parse, $1, $4, wr_span_join(@2, @5)); }
  ;

expr_or_error:
    expr
  | error                         { $$ = wr_expr_error(parse, @$); }
  ;

arrow:
    arrow_head
  | arrow_head "[" span_opt ".." span_opt "]"
                                  { $$ = wr_arrow_bound(parse, $1, $3, $5, @$); }
  ;

arrow_head:
    "->"                          { $$ = wr_arrow_new(parse, WR_CONNECT_NEXT, @$); }
  | "->>"                         { $$ = wr_arrow_new(parse, WR_CONNECT_ANY, @$); }
  ;

quantifier:
    quantifier_base %prec LOW
  | quantifier_base "?"           { $$ = wr_quantifier_mode($1, WR_RELUCTANT, @2); }
  | quantifier_base "+"           { $$ = wr_quantifier_mode($1, WR_POSSESSIVE, @2); }
  ;

quantifier_base:
    "?"                           { $$ = wr_quantifier_new(parse, '?', NULL, NULL, @$); }
  | "*"                           { $$ = wr_quantifier_new(parse, '*', NULL, NULL, @$); }
  | "+"                           { $$ = wr_quantifier_new(parse, '+', NULL, NULL, @$); }
  | "{" NUMBER "}"                { $$ = wr_quantifier_new(parse, '{', &@2, &@2, @$); }
  | "{" NUMBER "," "}"            { $$ = wr_quantifier_new(parse, '{', &@2, NULL, @$); }
  | "{" "," NUMBER "}"            { $$ = wr_quantifier_new(parse, '{', NULL, &@3, @$); }
  | "{" NUMBER "," NUMBER "}"     { $$ = wr_quantifier_new(parse, '{', &@2, &@4, @$); }
  | "{" "," "}"                   { $$ = wr_quantifier_new(parse, '*', NULL, NULL, @$); }
  ;

primary_pattern:
    variable                      { $$ = wr_pattern_variable(parse, $1); }
  | "(" alternation ")"           { $$ = wr_pattern_parens(parse, $2, @$); }
  | "(" error ")"                 { $$ = wr_pattern_error(parse, @$); }
  | "(" ")"                       { $$ = wr_pattern_leaf(parse, WR_PATTERN_EMPTY, @$); }
  | "{-" alternation "-}"         { $$ = wr_pattern_exclude(parse, $2, @$); }
  | "^"                           { $$ = wr_pattern_leaf(parse, WR_PATTERN_START, @$); }
  | "$"                           { $$ = wr_pattern_leaf(parse, WR_PATTERN_END, @$); }
  | PERMUTE "(" permuted ")"      { $$ = wr_pattern_items(parse, WR_PATTERN_PERMUTE, $3, @$); }
  | NOT variable                  { $$ = wr_pattern_not(parse, $2, NULL, @$); }
  | NOT variable FOR span         { $$ = wr_pattern_not(parse, $2, $4, @$); }
  | NOT "(" alternation ")"       { $$ = wr_pattern_not_group(parse, $3, @$); }
  | EACH DISTINCT "(" expr ")" EXPIRE span primary_pattern
                                  { $$ = wr_pattern_each(parse, $4, $7, $8, @$); }
  ;

permuted:
    alternation                   { $$ = LIST($1); }
  | permuted "," alternation      { $$ = ADD($1, $3); }
  ;

%%

static void weir_dsl_error(struct wr_span *place, struct wr_parse *parse, const char *message)
{
    WR_UNUSED(message); /* only ever "memory exhausted": the stack is at YYMAXDEPTH */
    wr_report_depth(parse, *place);
}

static int yyreport_syntax_error(const yypcontext_t *context, struct wr_parse *parse)
{
    yysymbol_kind_t expected[YYNTOKENS];
    if (wr_report_only_counts(parse)) return 0;
    int count = yypcontext_expected_tokens(context, expected, YYNTOKENS);
    int kinds[YYNTOKENS];
    for (int i = 0; i < count; i++) kinds[i] = (int)expected[i];
    wr_report_syntax(parse, kinds, count < 0 ? 0 : count);
    return 0;
}

weir_dsl_pstate *wr_grammar_new(struct wr_arena *arena)
{
    stack_arena = arena;
    return weir_dsl_pstate_new();
}

void wr_grammar_reset(weir_dsl_pstate *state)
{
    yypstate_clear(state);
}

int wr_grammar_expected(weir_dsl_pstate *state, int *kinds, int size)
{
    yysymbol_kind_t expected[YYNTOKENS];
    int count = yypstate_expected_tokens(state, expected, YYNTOKENS);
    if (count > size) count = size;
    for (int i = 0; i < count; i++) kinds[i] = (int)expected[i];
    return count;
}

const char *wr_token_name(int kind)
{
    return yysymbol_name((yysymbol_kind_t)kind);
}

int wr_token_kinds(void)
{
    return YYNTOKENS;
}
