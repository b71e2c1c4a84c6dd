/* The lowering of one MATCH_RECOGNIZE or PATTERN, shared by pattern_*.c:
 *
 *   pattern_tree.c        the row pattern as written: its variables, what may stand where
 *   pattern_keys.c        PARTITION BY
 *   pattern_result.c      the columns of the result
 *   pattern_scope.c       what names mean in DEFINE, in MEASURES, and in arguments
 *   pattern_call.c        navigations, aggregates and functions of matches in them
 *   pattern_define.c      conditions: the part that reads the row alone, and the rest; what the
 *                         rest reads of the past
 *   pattern_warn.c        warnings
 *   pattern_contradict.c  the warning on contradictions
 *   pattern.c             the clauses, the order of it all, the nodes, the result
 *
 * Everything lives in the compile arena. */
#ifndef WR_COMPILER_PATTERN_H
#define WR_COMPILER_PATTERN_H

#include "compiler/internal.h"
#include "compiler/list.h"

struct wr_columns;

enum { WR_PATTERN_VARIABLES_MAX = 1024 };

struct wr_match_variable {
    struct wr_ident name;
    bool has_rows;               /* it stands in the pattern outside of NOT */
    const struct wr_pattern *until; /* the repetition whose UNTIL it stands for; no text names it */
    bool is_stream;              /* its rows are of one of several streams */
    const struct wr_define *define; /* NULL: none, any row */
    struct wr_ir *row; /* what its condition says of the row alone, in .row; NULL: nothing */
    struct wr_block *block;      /* of the rest */
    struct wr_ir *rest;          /* NULL: there is none */
};

struct wr_match_subset {
    struct wr_ident name;
    uint64_t *mask;              /* of variables */
};

struct wr_match_lowering {
    struct wr_compile *c;
    const struct wr_match *match;
    const struct wr_relation *input;
    uint32_t query;
    struct wr_slice name;

    WR_LIST(struct wr_match_variable) variable;
    WR_LIST(struct wr_match_subset) subset; /* set number variable.count + i */
    uint32_t set_words;
    struct wr_automaton automaton;
    bool unread;                 /* a part of the pattern could not be read: its variables are not known */
    bool tree_is_wrong;          /* something stands where it cannot, as was reported */
    bool may_be_empty;           /* the pattern admits a match without rows */

    struct wr_scope input_scope; /* the input's own columns */
    struct wr_block *extra; /* helper columns: keys, arguments that are no plain columns */
    WR_LIST(const char *) extra_text; /* per helper column: the expression */
    WR_LIST(uint32_t) key;       /* partition columns */
    WR_LIST(struct wr_ident) key_name;

    struct wr_scope scope;       /* of DEFINE or MEASURES, whichever is being lowered */
    bool in_define;
    uint32_t current;            /* variable whose condition is being lowered */
    WR_LIST(struct wr_aggregate) aggregate;
    WR_LIST(const char *) aggregate_text;
    struct wr_block *row;        /* conditions on the row alone, one result each */
    WR_LIST(struct wr_input) history, stepped, output; /* stepped: COLUMN with .step, of conditions */
    bool needs_ids;
};

/* ---- pattern_tree.c -------------------------------------------------------------------------- */

/* Collects the variables in the order of the text, and refuses what stands at a wrong place. */
bool wr_match_collect(struct wr_match_lowering *m);
/* The number of a variable, or of a set (variables first, then subsets); WR_NONE when there is
 * none. */
uint32_t wr_match_find_variable(const struct wr_match_lowering *m, const struct wr_ident *name);
uint32_t wr_match_find_set(const struct wr_match_lowering *m, const struct wr_ident *name);
bool wr_match_set_has(const struct wr_match_lowering *m, uint32_t set, uint32_t variable);
/* The variable that UNTIL of the repetition stands for; WR_NONE: there is none. */
uint32_t wr_match_find_until(const struct wr_match_lowering *m, const struct wr_pattern *repeat);
/* The number of the stream of FROM (s, t) that is called so; WR_NONE: none is, or there is only one. */
uint32_t wr_match_find_stream(const struct wr_match_lowering *m, const struct wr_ident *name);
/* Reports W0315 for `name` in the clause, with the nearest variable. */
void wr_match_unknown_variable(struct wr_match_lowering *m, const struct wr_ident *name,
                               const char *clause);

/* ---- pattern_keys.c, pattern_result.c -------------------------------------------------------- */

/* PARTITION BY into m->key and m->key_name. false after a report. */
bool wr_match_lower_keys(struct wr_match_lowering *m);
/* The columns of the result, computed in `project` from those of the PATTERN node. Long form: the partition
 * columns and the measures; short form: the SELECT list. false after errors. */
bool wr_match_lower_items(struct wr_match_lowering *m, struct wr_block *project, struct wr_columns *columns);

/* ---- pattern_scope.c ------------------------------------------------------------------------- */

/* Sets up m->scope for DEFINE of m->current, or for MEASURES. */
void wr_match_scope(struct wr_match_lowering *m, bool in_define);
/* What a name refers to: a set and a column of the input. */
struct wr_reference {
    uint32_t set;      /* WR_SET_ALL: not qualified by a variable */
    uint32_t column;   /* WR_NONE: the pseudo-column event_time */
    uint32_t used;     /* leading names that say so; what follows are fields of the value */
    struct wr_type type;
};
/* false after a report. */
bool wr_match_reference(struct wr_match_lowering *m, const struct wr_expr *name,
                        struct wr_reference *out);
/* The column of a partition key: the input's own, or a helper. false after a report. */
bool wr_match_key_column(struct wr_match_lowering *m, const struct wr_expr *expr, uint32_t *column);
/* A helper column behind the input's for a value in m->extra. false after a report. */
bool wr_match_helper(struct wr_match_lowering *m, struct wr_ir *ir, const struct wr_expr *expr,
                     uint32_t *column);
/* Does a measure with this word in front see the whole match, where that makes a difference? */
bool wr_match_is_final(const struct wr_match_lowering *m, enum wr_measure_frame frame);
/* An expression in canonical form. */
const char *wr_match_text(struct wr_match_lowering *m, const struct wr_expr *expr);
/* An input of DEFINE as it is; in MEASURES the column of the PATTERN node that holds it. */
struct wr_ir *wr_match_read(struct wr_match_lowering *m, struct wr_block *b, struct wr_input input);
/* The number of the input in the list, added when it is new. */
uint32_t wr_match_list_input(struct wr_arena *arena, struct wr_input **at, uint32_t *count,
                             uint32_t *capacity, struct wr_input input);
#define wr_match_input(m, list, input)                                                           \
    wr_match_list_input((m)->c->arena, &(m)->list.at, &(m)->list.count, &(m)->list.capacity, input)

/* The scope of an aggregate's or navigation's argument: columns of one row, all of the same set,
 * which the first name decides. Nothing that looks at other rows may stand in it. */
struct wr_argument_scope {
    struct wr_scope scope;
    struct wr_match_lowering *m;
    const char *inside;    /* "an aggregate", "FIRST", …: for messages */
    bool navigation;
    bool in_filter; /* x alone is of the row that the FILTER looks at, whatever its variable */
    bool known;
    uint32_t set;
    struct wr_span first;  /* the name that decided */
};
void wr_argument_scope(struct wr_argument_scope *a, struct wr_match_lowering *m, const char *inside,
                       bool navigation);
/* The column of an argument: the input's own, or a helper. false after a report. */
bool wr_argument_column(struct wr_argument_scope *a, const struct wr_expr *expr, uint32_t *column,
                        struct wr_type *type);

/* ---- pattern_call.c -------------------------------------------------------------------------- */

enum wr_match_function {
    WR_MATCH_NONE,
    WR_MATCH_FIRST,
    WR_MATCH_LAST,
    WR_MATCH_PREV,
    WR_MATCH_NEXT,
    WR_MATCH_CLASSIFIER,
    WR_MATCH_NUMBER,
    WR_MATCH_ID,
    WR_MATCH_ROWTIME,
    WR_MATCH_STATUS
};
enum wr_match_function wr_match_function(struct wr_slice name);
/* The scope's hook for calls in DEFINE and MEASURES. */
struct wr_ir *wr_match_call(struct wr_compile *c, struct wr_scope *scope, struct wr_block *b,
                            const struct wr_expr *call, bool *handled);

/* ---- pattern_define.c ------------------------------------------------------------------------ */

/* The operands of a tree of ANDs, from the left, one by one; NULL behind the last. */
struct wr_conjuncts {
    WR_LIST(const struct wr_expr *) todo;
};
void wr_conjuncts_begin(struct wr_arena *arena, struct wr_conjuncts *s, const struct wr_expr *expr);
const struct wr_expr *wr_conjuncts_next(struct wr_arena *arena, struct wr_conjuncts *s);

/* Is the row one of stream number `stream` of FROM (s, t)? */
struct wr_ir *wr_match_is_of_stream(struct wr_match_lowering *m, struct wr_block *b, uint32_t stream);
/* Conditions of all variables into m->row and blocks of their own. false after errors. */
bool wr_match_lower_define(struct wr_match_lowering *m);
/* Fills the node's variables, row code, history and, for each position, what is read from it on. */
void wr_match_fill_conditions(struct wr_match_lowering *m, struct wr_pattern_node *node,
                              struct wr_pattern_position *position);

/* ---- pattern_warn.c -------------------------------------------------------------------------- */

void wr_match_warn(struct wr_match_lowering *m, const struct wr_pattern_node *node);
void wr_match_warn_contradictions(struct wr_match_lowering *m);

#endif
