/* What the actions of the grammar call: constructors of the tree, and the state of a parse.
 * Private to dsl/. Everything made here lives in the parse arena; an action is one call. */
#ifndef WR_DSL_BUILD_H
#define WR_DSL_BUILD_H

#include "dsl/ast.h"
#include "dsl/diag.h"

/* ---- State of a parse ------------------------------------------------------------------------ */

struct wr_comment {
    struct wr_span span;
    bool line;  /* -- and not a block */
    bool first; /* nothing but blanks before it on its line */
};

struct wr_token {
    int kind; /* TOK_… of grammar.h */
    struct wr_span span;
};

/* A list that grows in the arena; elements of one size that its users know. */
struct wr_list {
    char *at;
    uint32_t count, capacity;
};

/* Tokens of the statement being read that are remembered for suggestions. */
enum { WR_PARSE_TOKENS_MAX = 4096 };

struct wr_parse {
    struct wr_arena *arena;
    struct wr_diags *diags;
    uint32_t file;
    struct wr_list *statements;   /* of struct wr_statement */
    struct wr_expr *expr;         /* result of a lone expression */
    struct wr_token *tokens;      /* of this statement so far, the current one last */
    uint32_t token_count;         /* may pass WR_PARSE_TOKENS_MAX; the rest is not remembered */
    struct wr_token current, before;
    bool silent;                  /* a trial: no diagnostics */
    bool failed;                  /* an error was met (also in a trial) */
    bool recovering;              /* between a syntax error and the next semicolon */
    bool at_end;                  /* the current semicolon stands for the end of the text */
};

/* A diagnostic, unless this is a trial. Never NULL. */
struct wr_diag *wr_parse_error(struct wr_parse *parse, enum wr_diag_code code, struct wr_span span,
                               const char *format, ...) WR_PRINTF(4, 5);
struct wr_slice wr_parse_text(struct wr_parse *parse, struct wr_span span);
void wr_parse_recovered(struct wr_parse *parse);
void wr_parse_statement(struct wr_parse *parse, struct wr_statement *statement);

/* How a token is called in a message: its alias in grammar.y. */
const char *wr_token_name(int kind);
/* Number of kinds of tokens; kinds count from 0. */
int wr_token_kinds(void);

/* ---- Semantic values ------------------------------------------------------------------------- */

/* An argument of a call or of a window: an expression, or TABLE s. */
struct wr_arg {
    struct wr_ident name; /* name => …; empty: none */
    struct wr_expr *expr;
    struct wr_from *from;
    struct wr_span span;
};

struct wr_call_args {
    struct wr_list *args; /* of struct wr_arg */
    bool distinct;
    struct wr_list *order;
};

enum wr_clause_kind {
    /* of a query */
    WR_CLAUSE_WHERE, WR_CLAUSE_GROUP, WR_CLAUSE_HAVING, WR_CLAUSE_ORDER, WR_CLAUSE_LIMIT, WR_CLAUSE_EMIT,
    WR_CLAUSE_LATE,
    /* of a pattern */
    WR_CLAUSE_PARTITION, WR_CLAUSE_MEASURES, WR_CLAUSE_ROWS, WR_CLAUSE_UNMATCHED, WR_CLAUSE_SKIP,
    WR_CLAUSE_MATCHES, WR_CLAUSE_PATTERN, WR_CLAUSE_WITHIN, WR_CLAUSE_SUBSET, WR_CLAUSE_DEFINE,
    WR_CLAUSE_TIMEOUTS, WR_CLAUSE_SUPPRESS, WR_CLAUSE_LIMIT_STARTS, WR_CLAUSE_SELECT, WR_CLAUSE_INTO,
    /* of a column */
    WR_CLAUSE_FROM, WR_CLAUSE_KEY, WR_CLAUSE_NOT_NULL, WR_CLAUSE_DEFAULT, WR_CLAUSE_COMPUTED,
    WR_CLAUSE_PRIMARY_KEY,
    WR_CLAUSE_COUNT
};

/* A clause with whatever it carries; the builder of the whole puts them together and complains
 * about those that come twice, too late or in the wrong company. */
struct wr_clause {
    enum wr_clause_kind kind;
    struct wr_span span;
    struct wr_expr *expr;
    struct wr_list *list;
    struct wr_ident name;
    struct wr_pattern *pattern;
    struct wr_slice text;
    uint32_t number, choice;
};

/* An entry of CREATE … (…): a column, the watermark, or the primary key. */
struct wr_column_entry {
    enum { WR_ENTRY_ERROR, WR_ENTRY_COLUMN, WR_ENTRY_WATERMARK, WR_ENTRY_PRIMARY_KEY } kind;
    struct wr_column_def column;
    struct wr_ident name;
    struct wr_expr *expr;
    struct wr_list *names;
    struct wr_span span;
};

/* A row pattern's sequence while it grows. */
struct wr_seq {
    struct wr_list items; /* of struct wr_pattern_item */
    struct wr_arrow arrow; /* read, and not yet used */
    struct wr_span span;
};

struct wr_param {
    struct wr_ident name;
    struct wr_type_name *type;
};

union wr_semval {
    struct wr_ident ident;
    struct wr_slice text;
    uint32_t number;
    struct wr_list *list;
    struct wr_expr *expr;
    struct wr_when *when;
    struct wr_order_item *order;
    struct wr_arg *arg;
    struct wr_call_args *args;
    struct wr_over *over;
    struct wr_over_bound *bound;
    struct wr_type_name *type;
    struct wr_param *param;
    struct wr_arrow *arrow;
    struct wr_quantifier *quantifier;
    struct wr_pattern *pattern;
    struct wr_seq *seq;
    struct wr_define *define;
    struct wr_subset *subset;
    struct wr_select_item *item;
    struct wr_from *from;
    struct wr_clause *clause;
    struct wr_query *query;
    struct wr_with *with;
    struct wr_column_entry *column;
    struct wr_option *option;
    struct wr_statement *statement;
};

/* ---- Lists and names (ast.c) ------------------------------------------------------------------ */

struct wr_list *wr_list_empty(struct wr_parse *parse);
struct wr_list *wr_list_of(struct wr_parse *parse, const void *element, size_t size);
struct wr_list *wr_list_add(struct wr_parse *parse, struct wr_list *list, const void *element, size_t size);
struct wr_list *wr_list_front(struct wr_parse *parse, struct wr_expr *first, struct wr_list *rest);
/* Lists of clauses. */
struct wr_list *wr_list_joined(struct wr_parse *parse, struct wr_list *a, struct wr_clause *middle,
                               struct wr_list *b);
/* NULL stands for an empty list. */
struct wr_expr_list wr_list_exprs(const struct wr_list *list);
struct wr_ident_list wr_list_idents(const struct wr_list *list);
struct wr_order_list wr_list_orders(const struct wr_list *list);

/* The name at a place: unquoted as it stands, or quoted with its quotes undone. */
struct wr_ident wr_ident_at(struct wr_parse *parse, struct wr_span span);
/* 'text' with its quotes undone. */
struct wr_slice wr_string_at(struct wr_parse *parse, struct wr_span span);
/* A whole number of at most `max`; 1 and an error when it is none. */
uint32_t wr_number_at(struct wr_parse *parse, struct wr_span span, uint32_t max);

/* ---- Expressions (ast.c) ----------------------------------------------------------------------- */

struct wr_expr *wr_expr_error(struct wr_parse *parse, struct wr_span span);
struct wr_expr *wr_expr_literal(struct wr_parse *parse, enum wr_expr_kind kind, struct wr_span span);
struct wr_expr *wr_expr_duration(struct wr_parse *parse, struct wr_span span);
struct wr_expr *wr_expr_interval_words(struct wr_parse *parse, struct wr_span text, struct wr_span span);
struct wr_expr *wr_expr_interval(struct wr_parse *parse, struct wr_span text, struct wr_ident unit,
                                 struct wr_ident to, struct wr_span span);
struct wr_expr *wr_expr_typed(struct wr_parse *parse, struct wr_ident type, struct wr_span text,
                              struct wr_span span);
struct wr_expr *wr_expr_name(struct wr_parse *parse, struct wr_list *path, struct wr_span span);
struct wr_expr *wr_expr_parameter(struct wr_parse *parse, struct wr_ident name, struct wr_span span);
struct wr_expr *wr_expr_star(struct wr_parse *parse, struct wr_list *path, struct wr_span span);
struct wr_expr *wr_expr_unary(struct wr_parse *parse, enum wr_unary_op op, struct wr_expr *operand,
                              struct wr_span span);
struct wr_expr *wr_expr_binary(struct wr_parse *parse, enum wr_binary_op op, struct wr_expr *left,
                               struct wr_expr *right, struct wr_span op_span, struct wr_span span);
struct wr_expr *wr_expr_between(struct wr_parse *parse, struct wr_expr *operand, bool negated,
                                struct wr_expr *low, struct wr_expr *high, struct wr_span span);
struct wr_expr *wr_expr_in(struct wr_parse *parse, struct wr_expr *operand, bool negated,
                           struct wr_list *items, struct wr_query *query, struct wr_span span);
struct wr_expr *wr_expr_like(struct wr_parse *parse, struct wr_expr *operand, bool negated, bool regexp,
                             struct wr_expr *pattern, struct wr_expr *escape, struct wr_span span);
struct wr_expr *wr_expr_is(struct wr_parse *parse, struct wr_expr *operand, bool negated,
                           enum wr_is_test test, struct wr_span span);
struct wr_expr *wr_expr_case(struct wr_parse *parse, struct wr_expr *operand, struct wr_list *whens,
                             struct wr_expr *otherwise, struct wr_span span);
struct wr_when *wr_when_new(struct wr_parse *parse, struct wr_expr *condition, struct wr_expr *result);
struct wr_expr *wr_expr_cast(struct wr_parse *parse, struct wr_expr *operand, struct wr_type_name *type,
                             bool try, bool colons, struct wr_span span);
struct wr_expr *wr_expr_call(struct wr_parse *parse, struct wr_ident name, struct wr_call_args *args,
                             struct wr_expr *filter, struct wr_over *over, enum wr_measure_frame frame,
                             struct wr_span span);
/* NAME(args) and nothing more. */
struct wr_expr *wr_expr_plain_call(struct wr_parse *parse, struct wr_span name, struct wr_list *args,
                                   struct wr_span span);
/* EXTRACT(f FROM x) and the like: a call of NAME (fixed text) with up to three arguments, NULL: none. */
struct wr_expr *wr_expr_special(struct wr_parse *parse, const char *name, struct wr_span name_span,
                                struct wr_expr *a, struct wr_expr *b, struct wr_expr *c,
                                struct wr_span span);
struct wr_expr *wr_expr_extract_field(struct wr_parse *parse, struct wr_ident field);
struct wr_expr *wr_expr_index(struct wr_parse *parse, struct wr_expr *left, struct wr_expr *index,
                              struct wr_span span);
struct wr_expr *wr_expr_field(struct wr_parse *parse, struct wr_expr *operand, struct wr_ident name,
                              struct wr_span span);
struct wr_expr *wr_expr_list_of(struct wr_parse *parse, enum wr_expr_kind kind, struct wr_list *list,
                                struct wr_span span);
struct wr_expr *wr_expr_subquery(struct wr_parse *parse, struct wr_query *query, struct wr_span span);
struct wr_expr *wr_expr_parens(struct wr_parse *parse, struct wr_expr *expr, struct wr_span span);
/* Passes a literal on; anything else is an error. */
struct wr_expr *wr_expr_must_be_literal(struct wr_parse *parse, struct wr_expr *expr);

struct wr_arg *wr_arg_new(struct wr_parse *parse, struct wr_ident name, struct wr_expr *expr,
                          struct wr_from *from, struct wr_span span);
struct wr_call_args *wr_call_args_new(struct wr_parse *parse, struct wr_list *args, bool distinct,
                                      struct wr_list *order);
struct wr_order_item *wr_order_new(struct wr_parse *parse, struct wr_expr *expr, uint32_t descending,
                                   uint32_t nulls);
struct wr_over_bound *wr_over_bound_new(struct wr_parse *parse, enum wr_over_bound_kind kind,
                                        struct wr_expr *offset);
struct wr_over_bound *wr_over_bound_number(struct wr_parse *parse, enum wr_over_bound_kind kind,
                                           struct wr_span number);
/* A frame alone: unit and bounds; wr_over_new puts the rest in. */
struct wr_over *wr_over_frame(struct wr_parse *parse, enum wr_over_unit unit, struct wr_over_bound *low,
                              struct wr_over_bound *high);
struct wr_over *wr_over_new(struct wr_parse *parse, struct wr_list *partition, struct wr_list *order,
                            struct wr_over *frame, struct wr_span span);
struct wr_type_name *wr_type_new(struct wr_parse *parse, struct wr_ident name, struct wr_list *numbers,
                                 struct wr_span span);
struct wr_type_name *wr_type_generic(struct wr_parse *parse, struct wr_ident name, struct wr_list *params,
                                     struct wr_span span);
/* Adds a parameter without a name; list may be NULL. */
struct wr_list *wr_type_list(struct wr_parse *parse, struct wr_list *list, struct wr_type_name *type);
struct wr_param *wr_param_new(struct wr_parse *parse, struct wr_ident name, struct wr_type_name *type);
struct wr_ident wr_ident_none(struct wr_span span);

/* ---- Row patterns (ast_pattern.c) --------------------------------------------------------------- */

struct wr_arrow *wr_arrow_new(struct wr_parse *parse, enum wr_connector connector, struct wr_span span);
struct wr_arrow *wr_arrow_bound(struct wr_parse *parse, struct wr_arrow *arrow, struct wr_expr *low,
                                struct wr_expr *high, struct wr_span span);
/* min, max: the places of their numbers, NULL where left out. */
struct wr_quantifier *wr_quantifier_new(struct wr_parse *parse, char form, const struct wr_span *min,
                                        const struct wr_span *max, struct wr_span span);
struct wr_quantifier *wr_quantifier_mode(struct wr_quantifier *quantifier, enum wr_quantifier_mode mode,
                                         struct wr_span span);
struct wr_seq *wr_seq_start(struct wr_parse *parse, struct wr_arrow *leading);
struct wr_seq *wr_seq_add(struct wr_parse *parse, struct wr_seq *seq, struct wr_pattern *pattern);
struct wr_seq *wr_seq_arrow(struct wr_seq *seq, struct wr_arrow *arrow);
/* A quantifier for the last element; takes the arrow read before it, if any, for its own. */
struct wr_seq *wr_seq_quantify(struct wr_parse *parse, struct wr_seq *seq, struct wr_quantifier *quantifier);
struct wr_seq *wr_seq_quantify_again(struct wr_parse *parse, struct wr_seq *seq,
                                     struct wr_quantifier *quantifier);
struct wr_seq *wr_seq_until(struct wr_parse *parse, struct wr_seq *seq, struct wr_expr *condition,
                            struct wr_span span);
/* Ends the sequence and adds it as a pattern; list may be NULL. */
struct wr_list *wr_seq_list(struct wr_parse *parse, struct wr_list *list, struct wr_seq *seq);
struct wr_pattern *wr_pattern_error(struct wr_parse *parse, struct wr_span span);
struct wr_pattern *wr_pattern_leaf(struct wr_parse *parse, enum wr_pattern_kind kind, struct wr_span span);
struct wr_pattern *wr_pattern_variable(struct wr_parse *parse, struct wr_ident name);
struct wr_pattern *wr_pattern_not(struct wr_parse *parse, struct wr_ident name, struct wr_expr *duration,
                                  struct wr_span span);
struct wr_pattern *wr_pattern_not_group(struct wr_parse *parse, struct wr_pattern *group,
                                        struct wr_span span);
struct wr_pattern *wr_pattern_each(struct wr_parse *parse, struct wr_expr *key, struct wr_expr *expire,
                                   struct wr_pattern *child, struct wr_span span);
struct wr_pattern *wr_pattern_exclude(struct wr_parse *parse, struct wr_pattern *child, struct wr_span span);
struct wr_pattern *wr_pattern_parens(struct wr_parse *parse, struct wr_pattern *pattern, struct wr_span span);
/* One item stands for itself. */
struct wr_pattern *wr_pattern_items(struct wr_parse *parse, enum wr_pattern_kind kind, struct wr_list *items,
                                    struct wr_span span);
/* A whole pattern: what only stands in parentheses may not stand here. */
struct wr_pattern *wr_pattern_whole(struct wr_parse *parse, struct wr_pattern *pattern);

/* ---- Clauses, queries (ast_query.c) -------------------------------------------------------------- */

struct wr_clause *wr_clause_new(struct wr_parse *parse, enum wr_clause_kind kind, struct wr_span span);
struct wr_clause *wr_clause_expr(struct wr_parse *parse, enum wr_clause_kind kind, struct wr_expr *expr,
                                 struct wr_span span);
struct wr_clause *wr_clause_list(struct wr_parse *parse, enum wr_clause_kind kind, struct wr_list *list,
                                 struct wr_span span);
struct wr_clause *wr_clause_named(struct wr_parse *parse, enum wr_clause_kind kind, uint32_t choice,
                                  struct wr_ident name, struct wr_span span);
struct wr_clause *wr_clause_pattern(struct wr_parse *parse, struct wr_pattern *pattern, struct wr_span span);
struct wr_clause *wr_clause_partition(struct wr_parse *parse, struct wr_list *list, struct wr_ident alias,
                                      struct wr_span span);
struct wr_clause *wr_clause_emit(struct wr_parse *parse, enum wr_emit_kind kind, struct wr_expr *every,
                                 struct wr_span span);
struct wr_clause *wr_clause_late(struct wr_parse *parse, struct wr_expr *duration, struct wr_ident into,
                                 struct wr_span span);
struct wr_clause *wr_clause_limit_starts(struct wr_parse *parse, struct wr_span number, uint32_t policy,
                                         struct wr_span span);
struct wr_clause *wr_clause_skip(struct wr_parse *parse, struct wr_clause *target, struct wr_span span);

struct wr_select_item *wr_item_new(struct wr_parse *parse, struct wr_expr *expr, struct wr_ident alias,
                                   struct wr_span span);
struct wr_define *wr_define_new(struct wr_parse *parse, struct wr_ident variable, struct wr_ident stream,
                                struct wr_expr *condition);
struct wr_subset *wr_subset_new(struct wr_parse *parse, struct wr_ident name, struct wr_list *members);

struct wr_from *wr_from_name(struct wr_parse *parse, struct wr_ident name, struct wr_expr *as_of,
                             struct wr_ident alias, struct wr_span span);
struct wr_from *wr_from_file(struct wr_parse *parse, struct wr_span text, struct wr_ident alias,
                             struct wr_span span);
struct wr_from *wr_from_query(struct wr_parse *parse, struct wr_query *query, struct wr_ident alias,
                              struct wr_span span);
struct wr_from *wr_from_union(struct wr_parse *parse, struct wr_list *inputs, struct wr_ident alias,
                              struct wr_span span);
struct wr_from *wr_from_window(struct wr_parse *parse, struct wr_ident function, struct wr_list *args,
                               bool long_form, struct wr_ident alias, struct wr_span span);
struct wr_from *wr_from_match(struct wr_parse *parse, struct wr_from *input, struct wr_list *clauses,
                              struct wr_ident alias, struct wr_span span);
struct wr_from *wr_from_join(struct wr_parse *parse, struct wr_from *left, enum wr_join_kind kind,
                             struct wr_from *right, struct wr_expr *on, struct wr_span span);
struct wr_from *wr_from_comma(struct wr_parse *parse, struct wr_from *left, struct wr_from *right,
                              struct wr_span comma, struct wr_span span);
/* What stands in FROM as a whole: AS OF belongs into a join. */
struct wr_from *wr_from_whole(struct wr_parse *parse, struct wr_from *from);

struct wr_query *wr_query_select(struct wr_parse *parse, bool distinct, struct wr_span distinct_span,
                                 struct wr_list *items, struct wr_from *from, struct wr_list *clauses,
                                 struct wr_span span);
struct wr_query *wr_query_union(struct wr_parse *parse, struct wr_query *left, struct wr_query *right,
                                bool all, struct wr_span op, struct wr_span span);
struct wr_query *wr_query_with(struct wr_list *with, struct wr_query *query, struct wr_span span);
struct wr_query *wr_query_parens(struct wr_query *query, struct wr_span span);
struct wr_with *wr_with_new(struct wr_parse *parse, struct wr_ident name, struct wr_query *query);
struct wr_statement *wr_query_pattern(struct wr_parse *parse, struct wr_ident name, struct wr_from *from,
                                      struct wr_list *clauses, struct wr_span span);
/* A PATTERN inside another statement: INTO is one too many there. */
struct wr_query *wr_query_inner(struct wr_parse *parse, struct wr_statement *pattern);

/* ---- Statements (ast_statement.c) ----------------------------------------------------------------- */

struct wr_statement *wr_statement_create(struct wr_parse *parse, enum wr_statement_kind kind,
                                         struct wr_ident name, struct wr_list *columns,
                                         struct wr_list *options, struct wr_query *query,
                                         struct wr_span span);
struct wr_statement *wr_statement_query(struct wr_parse *parse, enum wr_statement_kind kind,
                                        struct wr_ident name, struct wr_query *query, struct wr_span span);
struct wr_statement *wr_statement_function(struct wr_parse *parse, struct wr_ident name,
                                           struct wr_list *params, struct wr_type_name *type,
                                           struct wr_expr *body, struct wr_span span);
struct wr_statement *wr_statement_parameter(struct wr_parse *parse, struct wr_ident name,
                                            struct wr_type_name *type, struct wr_expr *value,
                                            struct wr_span span);
struct wr_statement *wr_statement_set(struct wr_parse *parse, struct wr_option *option, struct wr_span span);
struct wr_statement *wr_statement_include(struct wr_parse *parse, struct wr_span path, struct wr_span span);
struct wr_option *wr_option_new(struct wr_parse *parse, struct wr_ident name, struct wr_expr *value);
struct wr_ident wr_option_name(struct wr_parse *parse, struct wr_list *path, struct wr_span span);
struct wr_ident wr_option_string(struct wr_parse *parse, struct wr_span span);
struct wr_column_entry *wr_column_new(struct wr_parse *parse, struct wr_ident name,
                                      struct wr_type_name *type, struct wr_list *clauses,
                                      struct wr_expr *computed, struct wr_span span);
struct wr_column_entry *wr_column_watermark(struct wr_parse *parse, struct wr_ident name,
                                            struct wr_expr *expr, struct wr_span span);
struct wr_column_entry *wr_column_primary_key(struct wr_parse *parse, struct wr_list *names,
                                              struct wr_span span);
struct wr_column_entry *wr_column_error(struct wr_parse *parse, struct wr_span span);
struct wr_clause *wr_column_from(struct wr_parse *parse, enum wr_column_from from, struct wr_span text,
                                 struct wr_span span);

#endif
