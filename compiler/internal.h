/* What the compiler's files share: the compilation, scopes, typed expressions, block building.
 *
 * Expressions are checked and lowered in two steps. wr_check_expr turns a tree into a typed value graph
 * (struct wr_ir): hash-consed per block builder, so that equal sub-expressions are one node, constants
 * folded, implicit casts explicit. wr_block_finish then emits the graph as one code block.
 * The graph's leaves are inputs (struct wr_input) and constants; what a name means is decided by the scope's
 * resolve function, so patterns, windows and plain queries share everything else. */
#ifndef WR_COMPILER_INTERNAL_H
#define WR_COMPILER_INTERNAL_H

#include "compiler/compile.h"

struct wr_compile {
    struct wr_arena *arena;          /* compile arena */
    struct wr_diags *diags;
    struct wr_program *program;      /* being filled; its arrays grow in vectors of compile.c until the end */
    const struct wr_compile_options *options;
    bool flink_dialect;
    struct wr_state *state;          /* declarations, growing arrays: compiler/state.h, not for pattern.c */
};

/* ---- The value graph -------------------------------------------------------------------------- */

struct wr_ir; /* a typed value; opaque outside ir.c */
struct wr_block; /* collects the results of one code block */

struct wr_block *wr_block_new(struct wr_compile *c);
/* A constant, an input: hash-consed. */
struct wr_ir *wr_ir_constant(struct wr_block *b, struct wr_type type, struct wr_value value);
struct wr_ir *wr_ir_input(struct wr_block *b, struct wr_input input);
struct wr_type wr_ir_type(const struct wr_ir *ir);
bool wr_ir_is_constant(const struct wr_ir *ir, struct wr_value *value);
/* Implicit or explicit cast; NULL when there is none between the types. */
struct wr_ir *wr_ir_cast(struct wr_block *b, struct wr_ir *ir, struct wr_type type, bool explicit_cast,
                         bool try_cast);
struct wr_ir *wr_ir_and(struct wr_block *b, struct wr_ir *left, struct wr_ir *right);
/* true when some input below ir is not a COLUMN/SPECIAL of the current row: i.e. reads LAST/FIRST/AGGREGATE. */
bool wr_ir_reads_history(const struct wr_ir *ir);
/* Calls `visit` for every input below ir. */
void wr_ir_visit_inputs(const struct wr_ir *ir, void (*visit)(void *context, const struct wr_input *input),
                        void *context);
/* Adds ir as a further result and returns its number (an equal one is shared). */
uint32_t wr_block_result(struct wr_block *b, struct wr_ir *ir);
/* Ends the block and returns its code number. The graph is kept until all nodes stand: prune.c then drops
 * columns that nothing reads, renumbers COLUMN inputs (and AGGREGATE ones, and the results of SELECT and
 * SOURCE blocks), and emit.c makes the words. Codes of dead nodes are dropped and the rest renumbered. */
uint32_t wr_block_finish(struct wr_block *b);
/* Results so far, and their types. */
uint32_t wr_block_result_count(const struct wr_block *b);
struct wr_type wr_block_result_type(const struct wr_block *b, uint32_t result);
/* Operators for those who build conditions without a tree. compare: enum wr_binary_op EQ … GE over equal
 * types after implicit casts. */
struct wr_ir *wr_ir_not(struct wr_block *b, struct wr_ir *operand);
struct wr_ir *wr_ir_compare(struct wr_block *b, enum wr_binary_op op, struct wr_ir *left, struct wr_ir *right);

/* ---- Names ------------------------------------------------------------------------------------- */

/* What a NAME (a, or q.a) or an aggregate call means in this place. resolve and call return NULL after having
 * reported an error; they set *handled = false (and report nothing) when it is none of theirs, and the general
 * rules go on (parameters, user functions, builtins). */
struct wr_scope {
    void *context;
    struct wr_ir *(*resolve)(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                             const struct wr_expr *name, bool *handled);
    struct wr_ir *(*call)(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                          const struct wr_expr *call, bool *handled);
    /* Asked first for every expression, also operators; NULL: nobody is. Returns NULL when the expression is
     * none that stands for a value as a whole (GROUP BY UPPER(card): the key), with *failed set after a report. */
    struct wr_ir *(*whole)(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                           const struct wr_expr *expr, bool *failed);
    /* e.g. "in WHERE": where an aggregate may not stand; NULL: the scope's call decides. */
    const char *aggregates_refused;
};

/* A scope over a relation's columns: q.a with its alias, a alone when unique. Also event_time. */
struct wr_relation {
    uint32_t node;                /* program node that yields it */
    const struct wr_schema *schema;
    struct wr_slice alias;        /* what qualifies its columns; may be empty */
    bool alias_quoted;
    struct wr_span declared_at;   /* second span of 'unknown column' */
    const struct wr_ident *column_ident; /* beside schema: spelling, quoted, and declaration span; may be NULL */
    uint32_t time_column;         /* column that is the event time; WR_NONE: only the pseudo-column */
    bool bounded_window;          /* has window_start, window_end as its bounds */
    bool has_watermark;           /* false: no declared event time (warn where time matters) */
    /* FROM (s, t): the streams whose rows these are (0: of one), the column that holds the number of a row's
     * stream (the last of the schema, and no column of the language), and for each stream a byte a column of the
     * schema: it has it. */
    uint32_t stream_count;
    const struct wr_ident *stream;
    uint32_t stream_column;
    const uint8_t *stream_has;
};
/* Fills `scope` so that names resolve to COLUMN inputs of the relation. */
void wr_scope_of_relation(struct wr_scope *scope, const struct wr_relation *relation);
/* Column number by name, or WR_NONE after reporting an unknown or ambiguous name with a suggestion. */
uint32_t wr_relation_column(struct wr_compile *c, const struct wr_relation *relation, const struct wr_ident *name);
/* The same without a report. */
uint32_t wr_relation_find(const struct wr_relation *relation, const struct wr_ident *name);

/* Checks and types an expression; NULL after an error was reported (never twice for one cause). */
struct wr_ir *wr_check_expr(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                            const struct wr_expr *expr);
/* The same, and it must be BOOLEAN ("a number is no condition"). */
struct wr_ir *wr_check_condition(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                                 const struct wr_expr *expr);
/* A positive constant duration in microseconds; false after a report. `what` names the clause. A parameter is
 * refused: durations stand in nodes, which nothing sets at the start. */
bool wr_check_duration(struct wr_compile *c, const struct wr_expr *expr, const char *what, int64_t *micros);
bool wr_check_type_name(struct wr_compile *c, const struct wr_type_name *name, struct wr_type *type);
/* Is this call an aggregate of the language (COUNT, SUM, …)? Sets fn. */
bool wr_aggregate_find(struct wr_slice name, enum wr_aggregate_fn *fn);
/* Result type of an aggregate over an argument type; false after a report. */
bool wr_aggregate_type(struct wr_compile *c, const struct wr_expr *call, enum wr_aggregate_fn fn,
                       struct wr_type argument, struct wr_type *type);
bool wr_is_type_name(struct wr_slice name);
/* It is one, is misspelt or another system's. */
bool wr_is_near_type_name(struct wr_slice name);
/* '<feature> does not run yet', W0901, at span: "EMIT CHANGES". */
void wr_not_yet(struct wr_compile *c, struct wr_span span, const char *feature);
/* Types as text for messages; good for the compile arena's life. */
const char *wr_type_text(struct wr_compile *c, struct wr_type type);
/* Reports W0422 and returns false when values of the type cannot be keys (JSON, ARRAY, MAP, ROW). */
bool wr_check_key_type(struct wr_compile *c, struct wr_span span, struct wr_type type);
/* W2004 once a stream, where order or time matters and the relation has no declared watermark. */
void wr_warn_watermark(struct wr_compile *c, const struct wr_relation *relation, struct wr_span span);
/* Is the expression nothing but the event time of the relation: its time column, or event_time? */
bool wr_relation_is_time(const struct wr_relation *relation, const struct wr_expr *expr);

/* ---- Nodes -------------------------------------------------------------------------------------- */

/* Adds a node and returns its number. The struct is copied, its arrays are not: they live in c->arena and
 * may be changed by prune.c; what the program keeps is copied at the end. node.name may be NULL (then made
 * from the query's name) and is made unique; input, schema and place are the caller's. */
uint32_t wr_node_add(struct wr_compile *c, const struct wr_node *node);
const struct wr_node *wr_node_at(const struct wr_compile *c, uint32_t node);
/* A relation over a node's schema with every column named as in the schema: no alias, no time column. */
void wr_relation_of_node(struct wr_compile *c, uint32_t node, struct wr_relation *relation);
/* The number of a query's name in the drop table (added when new). */
uint32_t wr_query_name(struct wr_compile *c, struct wr_slice name);
/* Helper columns: a SELECT over `relation` that passes all its columns through and appends one column for each
 * result of `extra` (marked carry). Returns the input's own node when extra has no results; *first is the number of
 * the first appended column. Used for keys and arguments that are not plain columns. */
uint32_t wr_node_append(struct wr_compile *c, const struct wr_relation *relation, struct wr_block *extra,
                        uint32_t extra_count, const struct wr_type *extra_type, uint32_t query, uint32_t *first);

/* pattern.c: lowers a PATTERN or MATCH_RECOGNIZE over `input` (after WHERE) to a PATTERN node and the SELECT behind
 * it. Fills `result` with the relation of its rows. `name` is the pattern's name; late_node receives the LATE node
 * or WR_NONE. false after errors. */
bool wr_lower_match(struct wr_compile *c, const struct wr_match *match, struct wr_slice name,
                    const struct wr_relation *input, uint32_t query, struct wr_relation *result, uint32_t *late_node);

/* automaton.c: positions and ordered follow lists of a row pattern; see vm/program.h. Forms that do not run yet are
 * refused at their place. false after errors. */
struct wr_automaton_source {
    /* The number of a variable; of the variable that UNTIL of a REPEAT stands for. -1: there is none, as was
     * reported. until_of may be NULL when no pattern has one. */
    int (*variable_of)(void *context, const struct wr_ident *name);
    int (*until_of)(void *context, const struct wr_pattern *repeat);
    void *context;
    uint32_t variable_count;
    bool has_within;
};
struct wr_automaton {
    uint32_t position_count, follow_count, first, first_count;
    uint16_t *variable;             /* per position */
    uint8_t *excluded;
    int64_t *absence_us;
    uint32_t *follow_start;         /* per position, in follow */
    uint16_t *follow_size;
    struct wr_follow *follow;
    const struct wr_pattern *const *place; /* per position: the variable, or NOT, in the tree that it is a copy of */
    uint32_t kill_count, claim_count, lead_count;
    const struct wr_kill *kill;
    const uint32_t *claim;
    const struct wr_lead *lead;
};
bool wr_automaton_build(struct wr_compile *c, const struct wr_pattern *pattern,
                        const struct wr_automaton_source *source, struct wr_automaton *out);

#endif
