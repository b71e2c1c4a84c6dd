/* The compilation's own state: declarations, names, growing arrays. Private to this folder's passes
 * (declare.c, query.c, window.c, output.c, prune.c, emit.c); pattern.c sees internal.h only.
 *
 * Statements may stand in any order: each is lowered once, when something first asks for its rows, and its
 * mark says whether that is going on, which is how circles are found. */
#ifndef WR_COMPILER_STATE_H
#define WR_COMPILER_STATE_H

#include "base/text.h"
#include "compiler/ir.h"
#include "vm/text.h"

enum wr_mark { WR_MARK_NEW, WR_MARK_OPEN, WR_MARK_DONE, WR_MARK_FAILED };

enum wr_decl_kind { WR_DECL_STREAM, WR_DECL_TABLE, WR_DECL_VIEW, WR_DECL_PATTERN, WR_DECL_FILE };

/* What an INSERT, an INTO or a LATE … INTO sends into a stream. */
struct wr_feeder {
    struct wr_relation relation;
    struct wr_span span;    /* of the query, for messages */
    uint32_t statement;
};

/* A stream, table, view or pattern output: whatever FROM and INTO can name. */
struct wr_decl {
    enum wr_decl_kind kind;
    struct wr_ident name;
    const struct wr_statement *statement;
    uint32_t statement_number;
    uint32_t stream;            /* in program->stream, or WR_NONE */
    uint8_t mark;               /* enum wr_mark of .relation */
    bool is_read, is_fed;       /* some query reads it; some statement sends rows into it */
    bool warned_watermark;
    struct wr_relation relation;
    struct wr_schema columns;   /* as declared: order of SELECT * */
    struct wr_ident *column_ident;
    struct wr_schema record;    /* the same without computed columns: what is inserted */
    struct wr_ident *record_ident;
    WR_LIST(uint32_t) feeder_statement; /* statements that send rows here, in program order */
    WR_LIST(struct wr_feeder) feeder;
};

struct wr_function {
    const struct wr_statement *statement;
    struct wr_type *type;       /* of the parameters */
    struct wr_type returns;
    bool ok, used, open;        /* open: being inlined just now */
    bool checked;
};

/* WITH names, innermost first. */
struct wr_with_scope {
    struct wr_with_scope *outer;
    const struct wr_with *with;
    const struct wr_with_scope *sees; /* what its own query may name */
    uint8_t mark;
    bool used;
    struct wr_relation relation;
};

struct wr_names; /* hash table of names without case */

/* The SELECT list or MEASURES whose query is being lowered, for hints where a name of it is used too early. */
struct wr_named {
    const struct wr_select_item *item;
    uint32_t count;
    const struct wr_select *select; /* NULL: of a pattern */
    struct wr_span span;            /* of the whole query or pattern */
};

struct wr_state {
    struct wr_named named;
    bool beside_text;           /* the name being looked for is compared with a text: it may want quotes */
    const struct wr_tree *tree;
    uint32_t main_file;
    uint8_t *statement_mark;    /* enum wr_mark, one a statement */
    WR_LIST(struct wr_decl *) decl;
    WR_LIST(struct wr_function *) function;
    WR_LIST(bool) parameter_used;
    WR_LIST(struct wr_span) parameter_span;
    struct wr_names *relation_names, *function_names, *parameter_names, *pattern_names, *node_names;
    WR_LIST(struct wr_parameter) parameter;
    WR_LIST(struct wr_stream) stream;
    WR_LIST(struct wr_option_value) setting;
    struct wr_span matcher_span; /* of SET matcher's value */
    WR_LIST(struct wr_node) node;
    WR_LIST(struct wr_block *) block;
    WR_LIST(struct wr_constant) constant;
    WR_LIST(const char *) query;
    struct wr_names *query_names;
    uint32_t *constant_slot;
    uint32_t constant_slots;
    uint32_t select_count;      /* bare SELECTs so far */
    uint32_t output_count;
    uint32_t function_depth;
    struct wr_row_frame *folding; /* to be freed when memory runs out in the middle */
    bool parse_failed;          /* a declaration may be lost: unknown names and missing parts say nothing new */
    uint32_t current;           /* statement being lowered */
};

/* ---- names.c ------------------------------------------------------------------------------------ */

struct wr_names *wr_names_new(struct wr_arena *arena); /* lives in the arena */
/* The value under a name, or WR_NONE. */
uint32_t wr_names_find(const struct wr_names *names, const struct wr_ident *name);
/* false (and nothing is added) when an equal name is there. */
bool wr_names_add(struct wr_names *names, const struct wr_ident *name, uint32_t value);
void wr_names_offer(const struct wr_names *names, struct wr_suggestion *suggestion);

/* ---- declare.c ---------------------------------------------------------------------------------- */

void wr_declare(struct wr_compile *c);
struct wr_decl *wr_declare_stream(struct wr_compile *c, const struct wr_statement *s, uint32_t number);
void wr_declare_columns(struct wr_compile *c, struct wr_decl *decl);
/* Columns that come out of the record itself. */
uint32_t wr_record_columns(const struct wr_decl *decl);
const char *wr_decl_kind_text(const struct wr_decl *decl);
/* A stream declared by the caller's file_stream for FROM 'file'; NULL after a report. */
struct wr_decl *wr_declare_file(struct wr_compile *c, const struct wr_from *from);
struct wr_decl *wr_decl_find(struct wr_compile *c, const struct wr_ident *name);
/* The SOURCE node of a declared stream and the relation of its columns in their declared order. */
bool wr_lower_source(struct wr_compile *c, struct wr_decl *decl, struct wr_relation *relation);
/* Appends the computed columns of a stream that queries feed to the rows that were inserted. */
bool wr_lower_computed(struct wr_compile *c, struct wr_decl *decl, struct wr_relation *relation);
/* "$.a.b[0]" or "a.b" to steps; false after a report. */
bool wr_check_path(struct wr_compile *c, struct wr_span span, struct wr_slice text, const char *const **path,
                   uint16_t *count);
/* A literal (sign allowed) as a value of the type; false after a report with `code`. */
bool wr_check_literal(struct wr_compile *c, const struct wr_expr *expr, struct wr_type type, enum wr_diag_code code,
                      const char *what, struct wr_value *value);
const char *wr_cstr(struct wr_compile *c, struct wr_slice text);
/* Options and settings as text (settings.c). */
bool wr_option_text(struct wr_compile *c, const struct wr_expr *value, const char **text);
void wr_check_options(struct wr_compile *c, const struct wr_statement *s, struct wr_stream *stream);
void wr_check_setting(struct wr_compile *c, const struct wr_statement *s);

/* ---- query.c, window.c, output.c ---------------------------------------------------------------- */

/* What the result of a query is for. */
struct wr_target {
    struct wr_slice name;            /* of the query: nodes, drop table */
    const struct wr_schema *columns; /* of the target: names are not needed, NULLs and texts take its types; or NULL */
    bool names_optional;             /* a later part of a UNION ALL: named as the first */
};
/* Lowers a query. false after errors. */
bool wr_lower_query(struct wr_compile *c, const struct wr_query *query, struct wr_with_scope *with,
                    const struct wr_target *target, struct wr_relation *result);
/* What FROM names, as a relation under its alias; false after errors. Windows and matches are not for here. */
bool wr_lower_from(struct wr_compile *c, const struct wr_from *from, struct wr_with_scope *with,
                   const struct wr_target *target, struct wr_relation *result);
/* FROM (s, t) of a pattern: their rows as those of one relation (streams.c). */
bool wr_lower_streams(struct wr_compile *c, const struct wr_from *from, struct wr_with_scope *with,
                      const struct wr_target *target, struct wr_relation *result);
/* SELECT … FROM TUMBLE/HOP … GROUP BY …. */
/* The same over all of the input, for an aggregation without a window in `weir query`. */
bool wr_lower_whole(struct wr_compile *c, const struct wr_query *query, struct wr_relation *input,
                    const struct wr_target *target, struct wr_relation *result);
bool wr_lower_window(struct wr_compile *c, const struct wr_query *query, struct wr_with_scope *with,
                     const struct wr_target *target, struct wr_relation *result);
/* Sends the LATE node of a window or pattern into a stream: the visible columns of what it reads. */
bool wr_feed_late(struct wr_compile *c, const struct wr_ident *into, uint32_t late_node,
                  const struct wr_relation *input, uint32_t query, struct wr_span span);
/* The select list over a scope, into columns of `project`. `relation`: what * stands for and whose time column
 * counts; NULL: a star is refused. `named_in`: whose spelling a column alone keeps. */
bool wr_lower_list(struct wr_compile *c, const struct wr_select *select, struct wr_scope *scope,
                   const struct wr_relation *relation, const struct wr_relation *named_in, struct wr_block *project,
                   const struct wr_target *target, struct wr_relation *result);
/* WHERE or HAVING as a code, WR_NONE when there is none; false after errors. */
bool wr_lower_condition(struct wr_compile *c, struct wr_scope *scope, const struct wr_expr *condition, uint32_t *code);
/* Does an aggregate call stand in the select list or HAVING? NULL when not. */
const struct wr_expr *wr_find_aggregate(const struct wr_select *select);
bool wr_has_aggregate(const struct wr_expr *expr);

/* What others call things (foreign.def): what is written here instead, or NULL. */
enum wr_foreign {
    WR_FOREIGN_FUNCTION, WR_FOREIGN_AGGREGATE, WR_FOREIGN_PATTERN, WR_FOREIGN_TYPE, WR_FOREIGN_NAME, WR_FOREIGN_FEATURE,
    WR_FOREIGN_WORD
};
const char *wr_foreign(enum wr_foreign kind, struct wr_slice name);
/* Puts the help for a function of that name into d; false: nothing known. */
bool wr_foreign_function(struct wr_compile *c, struct wr_diag *d, struct wr_slice name);
/* Sets the list of the query being lowered and returns the one before, to be set again behind it. */
struct wr_named wr_named_set(struct wr_compile *c, struct wr_named named);
/* Puts a help and a second place into d when the unknown column is a name that the list gives. */
bool wr_named_help(struct wr_compile *c, struct wr_diag *d, const struct wr_ident *name);
/* Rows of a declared name, lowering what feeds it. */
bool wr_lower_decl(struct wr_compile *c, struct wr_decl *decl, struct wr_span asked_at, struct wr_relation *relation);
/* Lowers statement number n unless it is done; false when it failed or is being lowered (then a circle is
 * reported at `asked_at`). */
bool wr_lower_statement(struct wr_compile *c, uint32_t n, struct wr_span asked_at);
/* Sends rows into a stream: casts, counts columns, remembers the feeder. */
bool wr_feed(struct wr_compile *c, const struct wr_ident *target, const struct wr_relation *rows, struct wr_span span,
             bool late);
/* A select list over a scope: alias rules, stars. Results go to `project`; names and idents to arrays in the arena. */
struct wr_columns {
    WR_LIST(struct wr_schema_column) column;
    WR_LIST(struct wr_ident) ident;
    uint32_t time_column; /* the first that is nothing but the event time, or WR_NONE */
};
/* Where a result's columns are named for the user: a name that is there already gets a number, as card_2. */
void wr_columns_distinct(struct wr_compile *c, const struct wr_columns *columns, struct wr_ident *ident);
bool wr_columns_add(struct wr_compile *c, struct wr_columns *columns, const struct wr_select_item *item,
                    struct wr_type type, bool need_name);
/* Checks for duplicate names and moves the columns into a schema of the relation. */
bool wr_columns_finish(struct wr_compile *c, struct wr_columns *columns, bool need_name, struct wr_relation *relation);
/* Brings the columns to the given types where they differ; the casts are known to exist. */
void wr_relation_cast(struct wr_compile *c, struct wr_relation *relation, const struct wr_type *type, uint32_t query,
                      struct wr_span span);
/* The record columns of a declared stream (those that are inserted) in decl->record. */
void wr_decl_record(struct wr_compile *c, struct wr_decl *decl);
/* UNION ALL and several INSERTs: one MERGE of all, columns named as in the first. */
bool wr_lower_merge(struct wr_compile *c, struct wr_relation *part, const struct wr_span *span, uint32_t count,
                    struct wr_slice name, struct wr_relation *result);
/* The stream that INSERT, INTO or LATE … INTO names; NULL after a report. */
struct wr_decl *wr_find_target(struct wr_compile *c, const struct wr_ident *name);
/* One relation of all that is sent into a stream. */
bool wr_lower_feeders(struct wr_compile *c, struct wr_decl *decl, struct wr_relation *relation);
void wr_outputs(struct wr_compile *c);
void wr_add_output(struct wr_compile *c, const struct wr_relation *rows, struct wr_slice name, uint32_t stream,
                   bool only_if_bound);

/* ---- relation.c --------------------------------------------------------------------------------- */

/* As wr_node_append, with a WHERE in the same SELECT. */
uint32_t wr_node_prepare(struct wr_compile *c, const struct wr_relation *relation, uint32_t where,
                         struct wr_block *extra, uint32_t query, struct wr_span span);
/* A SELECT over `input` whose results are the schema's columns; where: a code or WR_NONE. */
uint32_t wr_select_add(struct wr_compile *c, uint32_t input, uint32_t where, struct wr_block *project, bool carry,
                       const struct wr_schema *schema, uint32_t query, struct wr_span span);
const uint32_t *wr_inputs(struct wr_compile *c, uint32_t input);
bool wr_is_event_time_name(const struct wr_ident *name);
struct wr_ir *wr_relation_value(struct wr_block *b, const struct wr_relation *r, uint32_t column);
/* Does the name before a dot or a star mean the relation? False after W0320. */
bool wr_relation_is_qualifier(struct wr_compile *c, const struct wr_relation *r, const struct wr_ident *qualifier);

/* ---- prune.c, emit.c ---------------------------------------------------------------------------- */

/* Drops dead nodes and columns that nothing reads; renumbers. */
/* share.c: row conditions of patterns over one node become one block. Before wr_prune. */
void wr_share_conditions(struct wr_compile *c);
void wr_prune(struct wr_compile *c);
/* Copies everything into the program. */
void wr_emit(struct wr_compile *c);
uint32_t wr_constant_add(struct wr_compile *c, struct wr_type type, const struct wr_value *value, uint32_t parameter);

/* ---- types.c, check_*.c -------------------------------------------------------------------------- */

/* The least type that both convert to implicitly; false when there is none. */
bool wr_type_common(struct wr_type a, struct wr_type b, struct wr_type *out);
bool wr_type_converts(struct wr_type from, struct wr_type to);
static inline bool wr_type_is_integer(struct wr_type t) { return t.kind == WR_KIND_INT || t.kind == WR_KIND_BIGINT; }
static inline bool wr_type_is_number(struct wr_type t) { return t.kind >= WR_KIND_INT && t.kind <= WR_KIND_DECIMAL; }
static inline bool wr_type_is_time(struct wr_type t) { return t.kind >= WR_KIND_DATE && t.kind <= WR_KIND_INTERVAL; }
/* An integer type as the DECIMAL that holds it; a DECIMAL as it is. */
struct wr_type wr_type_as_decimal(struct wr_type t);
/* Precision and scale of a result, kept to 38 digits, the scale giving way first (never below 6 by that). */
struct wr_type wr_type_decimal_fit(unsigned precision, unsigned scale);
/* Both to one type; *left and *right replaced. A string constant beside a time is read as one. False, with
 * nothing reported, when there is no common type; *bad_text when a string constant is no such time (reported). */
bool wr_unify(struct wr_compile *c, struct wr_block *b, struct wr_ir **left, struct wr_ir **right, bool *reported);
/* An operand for a place that wants `type`: implicit cast, string literal to a time. NULL when there is none. */
struct wr_ir *wr_coerce(struct wr_compile *c, struct wr_block *b, struct wr_ir *ir, struct wr_type type,
                        bool *reported);
struct wr_ir *wr_check_call(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                            const struct wr_expr *expr);
struct wr_ir *wr_check_binary(struct wr_compile *c, struct wr_block *b, const struct wr_expr *expr,
                              struct wr_ir *left, struct wr_ir *right);
/* A comparison with implicit casts and its warnings; NULL after W0407 at span. */
struct wr_ir *wr_compare_checked(struct wr_compile *c, struct wr_block *b, enum wr_binary_op op, struct wr_ir *left,
                                 struct wr_ir *right, struct wr_span span);
/* One type for all branches ("the results of this CASE"); false after W0406. */
bool wr_common_type(struct wr_compile *c, struct wr_ir *const *value, struct wr_span const *span, uint32_t count,
                    const char *what, struct wr_type *type);
bool wr_all_to_type(struct wr_compile *c, struct wr_block *b, struct wr_ir **value, struct wr_span const *span,
                    uint32_t count, const char *what, struct wr_type type);
/* As wr_check_duration, of any sign. */
bool wr_check_interval(struct wr_compile *c, const struct wr_expr *expr, const char *what, int64_t *micros);
/* W2006 where parts of a condition contradict each other or leave nothing out (condition.c). */
void wr_warn_condition(struct wr_compile *c, struct wr_block *b, struct wr_ir *ir);
bool wr_check_function(struct wr_compile *c, struct wr_function *f);
/* A function of vm/builtins.def over checked arguments; NULL after a report, or with *no_name set. */
struct wr_ir *wr_check_builtin(struct wr_compile *c, struct wr_block *b, struct wr_slice name, struct wr_span whole,
                               struct wr_ir **arg, struct wr_span const *span, unsigned n, bool *no_name);
void wr_aggregates_offer(struct wr_suggestion *near);
/* check_array.c: [a, b]; x[e] and (x).name; comparisons where a side is an array; CONTAINS(array, x). */
struct wr_ir *wr_check_array(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                             const struct wr_expr *expr);
struct wr_ir *wr_check_access(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                              const struct wr_expr *expr);
struct wr_ir *wr_compare_arrays(struct wr_compile *c, struct wr_block *b, enum wr_binary_op op, struct wr_ir *left,
                                struct wr_ir *right, struct wr_span span);
struct wr_ir *wr_array_contains(struct wr_compile *c, struct wr_block *b, struct wr_ir *array, struct wr_ir *x,
                                struct wr_span span);
struct wr_ir *wr_check_like(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                            const struct wr_expr *expr);
struct wr_ir *wr_check_constant(struct wr_compile *c, struct wr_block *b, const struct wr_expr *expr);
/* Are two expressions the same text of names, operators and literals? Names without case. */
bool wr_expr_equal(const struct wr_expr *a, const struct wr_expr *b);
/* Calls visit for each expression below (and including) expr, outermost first; stops going down where it
 * returns false. */
void wr_expr_visit(const struct wr_expr *expr, bool (*visit)(void *context, const struct wr_expr *expr),
                   void *context);

#endif
