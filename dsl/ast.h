/* The tree of a program, as the grammar sees it: shapes and places, no meaning.
 * Every node lives in the parse arena. Lists are arrays with a count. A node whose text could not
 * be parsed has kind ERROR; later passes stay silent about it. */
#ifndef WR_DSL_AST_H
#define WR_DSL_AST_H

#include "dsl/source.h"

/* A name. Unquoted names compare without case, quoted ones exactly (wr_ident_equal). */
struct wr_ident {
    struct wr_slice text; /* unquoted, doubled quotes undone */
    bool quoted;
    struct wr_span span;
};
bool wr_ident_equal(struct wr_ident a, struct wr_ident b);

struct wr_expr;
struct wr_query;
struct wr_pattern;

struct wr_expr_list {
    struct wr_expr **at;
    uint32_t count;
};
struct wr_ident_list {
    struct wr_ident *at;
    uint32_t count;
};

/* A type as written: DECIMAL(12,2), ARRAY<STRING>, TIMESTAMP(3). The checker resolves the name. */
struct wr_type_name {
    struct wr_ident name;
    bool has_precision, has_scale;
    uint32_t precision, scale;
    struct wr_type_name **argument; /* ARRAY<T>, MAP<K,V>, ROW<name T, …> */
    struct wr_ident *field;         /* ROW's names, beside argument; NULL otherwise */
    uint32_t argument_count;
    struct wr_span span;
};

enum wr_expr_kind {
    WR_EXPR_ERROR,
    WR_EXPR_NULL,
    WR_EXPR_BOOL,       /* .boolean */
    WR_EXPR_NUMBER,     /* .text: digits as written, e.g. 5, 5.25, 1e3; underscores are not allowed */
    WR_EXPR_STRING,     /* .text: quotes undone */
    WR_EXPR_DURATION,   /* .micros: 10m, 1h30m, or INTERVAL '10' MINUTE (whatever its form) */
    WR_EXPR_TYPED,      /* DATE '…', TIME '…', TIMESTAMP '…': .typed */
    WR_EXPR_NAME,       /* a, a.b, a.b.c: .name (idents) */
    WR_EXPR_PARAMETER,  /* :p: .ident */
    WR_EXPR_STAR,       /* * or v.*: .name (0 or 1 idents); only in select lists and COUNT */
    WR_EXPR_UNARY,      /* .unary */
    WR_EXPR_BINARY,     /* .binary */
    WR_EXPR_BETWEEN,    /* .between */
    WR_EXPR_IN,         /* .in */
    WR_EXPR_LIKE,       /* .like: LIKE [ESCAPE] and REGEXP */
    WR_EXPR_IS,         /* .is: IS [NOT] NULL|TRUE|FALSE|UNKNOWN */
    WR_EXPR_CASE,       /* .kase */
    WR_EXPR_CAST,       /* .cast: CAST, TRY_CAST, :: */
    WR_EXPR_CALL,       /* .call: functions and aggregates; EXTRACT(f FROM x) is call
                         * EXTRACT('f', x); SUBSTRING(x FROM a FOR b) is SUBSTRING(x, a, b); TRIM(BOTH c FROM x)
                         * TRIM(x, c), LEADING: LTRIM(x, c), TRAILING: RTRIM(x, c); POSITION(a IN b) POSITION(a, b) */
    WR_EXPR_INDEX,      /* x[e]: .binary left, right */
    WR_EXPR_FIELD,      /* (expr).name, only behind an index or parentheses: .field */
    WR_EXPR_ARRAY,      /* [1, 2]: .list */
    WR_EXPR_MAP,        /* {'a': 1}: .list of key, value, key, value … */
    WR_EXPR_SUBQUERY    /* (SELECT …) as a value, EXISTS: always refused by the checker: .query */
};

enum wr_unary_op { WR_UNARY_NOT, WR_UNARY_MINUS, WR_UNARY_PLUS };

enum wr_binary_op {
    WR_BINARY_OR, WR_BINARY_AND,
    WR_BINARY_EQ, WR_BINARY_NE, WR_BINARY_LT, WR_BINARY_LE, WR_BINARY_GT, WR_BINARY_GE,
    WR_BINARY_DISTINCT, WR_BINARY_NOT_DISTINCT, /* IS [NOT] DISTINCT FROM */
    WR_BINARY_ADD, WR_BINARY_SUB, WR_BINARY_MUL, WR_BINARY_DIV, WR_BINARY_MOD,
    WR_BINARY_CONCAT
};

enum wr_is_test { WR_IS_NULL, WR_IS_TRUE, WR_IS_FALSE, WR_IS_UNKNOWN };

/* RUNNING or FINAL before a call in MEASURES. */
enum wr_measure_frame { WR_FRAME_DEFAULT, WR_FRAME_RUNNING, WR_FRAME_FINAL };

struct wr_when {
    struct wr_expr *condition, *result;
};

struct wr_order_item {
    struct wr_expr *expr;
    bool descending;
    int8_t nulls; /* 0 not said, -1 first, 1 last */
};
struct wr_order_list {
    struct wr_order_item *at;
    uint32_t count;
};

/* The frame of OVER (… ROWS|RANGE …). BETWEEN's two bounds; a lone bound ends at CURRENT ROW. */
enum wr_over_unit { WR_OVER_NONE, WR_OVER_ROWS, WR_OVER_RANGE };
enum wr_over_bound_kind {
    WR_OVER_UNBOUNDED_PRECEDING, WR_OVER_PRECEDING, WR_OVER_CURRENT, WR_OVER_FOLLOWING,
    WR_OVER_UNBOUNDED_FOLLOWING
};
struct wr_over_bound {
    enum wr_over_bound_kind kind;
    struct wr_expr *offset; /* PRECEDING, FOLLOWING: a number or a duration */
};
struct wr_over {
    struct wr_expr_list partition;
    struct wr_order_list order;
    enum wr_over_unit unit;
    struct wr_over_bound low, high;
    struct wr_span span; /* OVER (…) */
};

/* No tree is deeper than this: who walks it may recurse. */
enum { WR_AST_DEPTH_MAX = 3000 };

struct wr_expr {
    enum wr_expr_kind kind;
    uint32_t depth; /* levels below and with this node */
    struct wr_span span;
    bool parenthesised; /* written in parentheses of its own (for chained comparisons and fmt) */
    union {
        bool boolean;
        struct wr_slice text;
        struct { int64_t micros; struct wr_slice spelling; } duration; /* spelling as written */
        struct { struct wr_ident type; struct wr_slice text; } typed;
        struct wr_ident_list name;
        struct wr_ident ident;
        struct { enum wr_unary_op op; struct wr_expr *operand; } unary;
        struct { enum wr_binary_op op; struct wr_expr *left, *right; struct wr_span op_span; } binary;
        struct { struct wr_expr *operand, *low, *high; bool negated; } between;
        struct { struct wr_expr *operand; struct wr_expr_list items; struct wr_query *query; bool negated; } in;
        struct { struct wr_expr *operand, *pattern, *escape; bool negated, regexp; } like;
        struct { struct wr_expr *operand; enum wr_is_test test; bool negated; } is;
        struct {
            struct wr_expr *operand;
            struct wr_when *when;
            uint32_t when_count;
            struct wr_expr *otherwise;
        } kase;
        struct { struct wr_expr *operand; struct wr_type_name *type; bool try; bool colons; } cast;
        struct {
            struct wr_ident name;
            struct wr_expr_list args;      /* COUNT(*) and COUNT(v.*) have one STAR */
            struct wr_ident *arg_name;     /* names of `zone => 'x'` arguments, beside args; NULL: none */
            bool distinct;
            struct wr_expr *filter;        /* FILTER (WHERE …) */
            struct wr_order_list order;    /* STRING_AGG(x ORDER BY y) */
            enum wr_measure_frame frame;
            struct wr_over *over;          /* OVER (…); NULL: none */
        } call;
        struct { struct wr_expr *operand; struct wr_ident name; } field;
        struct wr_expr_list list;
        struct wr_query *query;
    } u;
};

/* ---- Row patterns ------------------------------------------------------------------------- */

enum wr_connector {
    WR_CONNECT_STRICT, /* a b   */
    WR_CONNECT_NEXT,   /* a -> b  */
    WR_CONNECT_ANY     /* a ->> b */
};

/* An arrow with its optional bound, ->[lo..hi]; NULL where left out. */
struct wr_arrow {
    enum wr_connector connector;
    struct wr_expr *low, *high; /* durations or parameters */
    struct wr_span span;
};

enum wr_quantifier_mode { WR_GREEDY, WR_RELUCTANT, WR_POSSESSIVE };

struct wr_quantifier {
    bool present;
    uint32_t min, max;     /* max UINT32_MAX: no bound */
    enum wr_quantifier_mode mode;
    struct wr_arrow arrow; /* before the quantifier, x->+ ; STRICT with an empty span: none */
    struct wr_span span;
    uint8_t form;          /* '?', '*', '+', '{' : as written, for fmt */
};

enum wr_pattern_kind {
    WR_PATTERN_ERROR,
    WR_PATTERN_EMPTY,     /* () */
    WR_PATTERN_VARIABLE,  /* .variable */
    WR_PATTERN_SEQUENCE,  /* .items: each with its arrow (STRICT for a blank; the first has none) */
    WR_PATTERN_ALTERNATION, /* .items */
    WR_PATTERN_REPEAT,    /* .child[0], .quantifier, .until */
    WR_PATTERN_PERMUTE,   /* .items */
    WR_PATTERN_AND,       /* (a & b): .items */
    WR_PATTERN_EXCLUDE,   /* {- x -}: .child */
    WR_PATTERN_START,     /* ^ */
    WR_PATTERN_END,       /* $ */
    WR_PATTERN_NOT,       /* NOT b [FOR d]: .variable, .duration */
    WR_PATTERN_EACH       /* EACH DISTINCT (e) EXPIRE d x: .key, .duration, .child */
};

struct wr_pattern_item {
    struct wr_arrow arrow;
    struct wr_pattern *pattern;
};

struct wr_pattern {
    enum wr_pattern_kind kind;
    struct wr_span span;
    bool parenthesised;
    struct wr_ident variable;
    struct wr_pattern_item *item; /* SEQUENCE, ALTERNATION, PERMUTE, AND */
    uint32_t item_count;
    struct wr_pattern *child;
    struct wr_quantifier quantifier;
    struct wr_expr *until;
    struct wr_expr *duration; /* NOT … FOR d, EXPIRE d */
    struct wr_expr *key;
};

enum wr_rows_per_match { WR_ONE_ROW, WR_ALL_ROWS_SHOW, WR_ALL_ROWS_OMIT, WR_ALL_ROWS_UNMATCHED };
enum wr_skip_kind { WR_SKIP_UNSAID, WR_SKIP_PAST_LAST, WR_SKIP_NEXT_ROW, WR_SKIP_TO_FIRST, WR_SKIP_TO_LAST };
enum wr_limit_policy { WR_LIMIT_DROP_OLDEST, WR_LIMIT_DROP_NEW, WR_LIMIT_FAIL };

struct wr_define {
    struct wr_ident variable;
    struct wr_ident stream;    /* DEFINE l FROM logins AS …; empty text: none */
    struct wr_expr *condition; /* NULL: `DEFINE l FROM logins` alone */
};
struct wr_subset {
    struct wr_ident name;
    struct wr_ident_list members;
};
struct wr_select_item {
    struct wr_expr *expr;    /* STAR for * and x.* */
    struct wr_ident alias;   /* empty text: none */
    struct wr_span span;
};

/* What PATTERN and MATCH_RECOGNIZE have in common. Spans are those of the clauses' first words
 * up to their ends, empty where the clause is absent. */
struct wr_match {
    bool short_form;
    struct wr_expr_list partition;    /* NAMEs; PARTITION BY (l.user, t.account) AS k: .partition_alias */
    struct wr_ident partition_alias;
    struct wr_order_list order;       /* long form only */
    struct wr_select_item *measure;   /* MEASURES, or the short form's SELECT list */
    uint32_t measure_count;
    enum wr_rows_per_match rows;
    struct wr_span rows_span;
    enum wr_skip_kind skip;
    struct wr_ident skip_variable;
    struct wr_span skip_span;
    bool all_matches;
    struct wr_span all_matches_span;
    struct wr_pattern *pattern;
    struct wr_expr *within;
    struct wr_span within_span;
    struct wr_subset *subset;
    uint32_t subset_count;
    struct wr_span subset_span;
    struct wr_define *define;
    uint32_t define_count;
    uint8_t timeouts;                 /* 0 none, 1 WITH TIMEOUTS, 2 WITH ALL TIMEOUTS */
    struct wr_span timeouts_span;
    struct wr_expr *suppress;
    struct wr_span suppress_span;
    uint32_t limit_starts;            /* 0: none */
    enum wr_limit_policy limit_policy;
    struct wr_span limit_span;
    struct wr_ident late_into;        /* empty text: none */
    struct wr_span span;
};

/* ---- Queries -------------------------------------------------------------------------------- */

enum wr_from_kind {
    WR_FROM_ERROR,
    WR_FROM_NAME,     /* FROM payments: .name */
    WR_FROM_FILE,     /* FROM 'payments.jsonl': .file (weir query) */
    WR_FROM_QUERY,    /* FROM (SELECT …): .query */
    WR_FROM_UNION,    /* FROM (logins, transfers): .input */
    WR_FROM_WINDOW,   /* TUMBLE(s, at, 1m) and TABLE(TUMBLE(TABLE s, DESCRIPTOR(at), …)): .window */
    WR_FROM_MATCH,    /* s MATCH_RECOGNIZE (…): .input[0], .match */
    WR_FROM_JOIN      /* .join */
};

enum wr_join_kind { WR_JOIN_INNER, WR_JOIN_LEFT, WR_JOIN_RIGHT, WR_JOIN_FULL, WR_JOIN_CROSS };

struct wr_from {
    enum wr_from_kind kind;
    uint32_t depth;
    struct wr_span span;
    struct wr_ident name;
    struct wr_slice file;
    struct wr_query *query;
    struct wr_from **input;
    uint32_t input_count;
    struct {
        struct wr_ident function;   /* TUMBLE, HOP, CUMULATE, SESSION, ROWS */
        struct wr_ident time;       /* the descriptor; empty text where the function has none */
        struct wr_expr_list args;   /* what follows: durations, numbers */
        struct wr_ident *arg_name;  /* zone => …; NULL or beside args */
        bool long_form;             /* TABLE(…) */
    } window;
    struct wr_match *match;
    struct {
        enum wr_join_kind kind;
        struct wr_from *left, *right;
        struct wr_expr *on;
        struct wr_expr *as_of;      /* FOR SYSTEM_TIME AS OF */
    } join;
    struct wr_ident alias;          /* AS x; empty text: none */
};

enum wr_emit_kind { WR_EMIT_UNSAID, WR_EMIT_FINAL, WR_EMIT_CHANGES, WR_EMIT_EVERY };

struct wr_select {
    bool distinct;
    struct wr_span distinct_span;
    struct wr_select_item *item;
    uint32_t item_count;
    struct wr_from *from;      /* NULL: SELECT 1 */
    struct wr_expr *where;
    struct wr_expr_list group;
    struct wr_span group_span;
    struct wr_expr *having;
    struct wr_span span;
};

enum wr_query_kind { WR_QUERY_ERROR, WR_QUERY_SELECT, WR_QUERY_UNION_ALL, WR_QUERY_PATTERN };

struct wr_with {
    struct wr_ident name;
    struct wr_query *query;
};

struct wr_query {
    enum wr_query_kind kind;
    uint32_t depth;
    struct wr_span span;
    bool parenthesised;
    struct wr_with *with;
    uint32_t with_count;
    struct wr_select *select;
    struct wr_query *left, *right; /* UNION ALL */
    struct { /* PATTERN p FROM s [WHERE] PARTITION BY … MATCH …: the short form */
        struct wr_ident name;
        struct wr_from *from;
        struct wr_expr *where;
        struct wr_match *match;
    } pattern;
    struct wr_order_list order;  /* ORDER BY of a whole query: refused */
    struct wr_expr *limit;       /* LIMIT n of a whole query: refused */
    struct wr_span order_span, limit_span;
    enum wr_emit_kind emit;
    struct wr_expr *emit_every;
    struct wr_span emit_span;
    struct wr_expr *late;        /* LATE d INTO s: .late may be NULL (`LATE INTO s`) */
    struct wr_ident late_into;
    struct wr_span late_span;
};

/* ---- Statements ----------------------------------------------------------------------------- */

struct wr_option {
    struct wr_ident name;   /* 'a.b' = … and a.b = … alike */
    struct wr_expr *value;  /* literal */
};

enum wr_column_from { WR_COLUMN_FROM_NAME, WR_COLUMN_FROM_PATH, WR_COLUMN_FROM_KEY, WR_COLUMN_FROM_HEADER,
                      WR_COLUMN_FROM_OFFSET, WR_COLUMN_FROM_PARTITION, WR_COLUMN_FROM_TIMESTAMP };

struct wr_column_def {
    struct wr_ident name;
    struct wr_type_name *type;
    enum wr_column_from from;
    struct wr_slice from_text;  /* path or header name */
    struct wr_span from_span;
    bool key, not_null;
    struct wr_expr *default_value;
    struct wr_expr *computed;   /* AS expr */
    struct wr_span span;
};

enum wr_statement_kind {
    WR_STATEMENT_ERROR,
    WR_STATEMENT_CREATE_STREAM,  /* columns and/or .query */
    WR_STATEMENT_CREATE_TABLE,
    WR_STATEMENT_CREATE_VIEW,
    WR_STATEMENT_CREATE_FUNCTION,
    WR_STATEMENT_CREATE_PARAMETER,
    WR_STATEMENT_INSERT,         /* .name INTO, .query */
    WR_STATEMENT_QUERY,          /* a bare SELECT, or PATTERN … [INTO t] (.name, may be empty) */
    WR_STATEMENT_SET,
    WR_STATEMENT_INCLUDE
};

struct wr_statement {
    enum wr_statement_kind kind;
    struct wr_span span;         /* without the semicolon */
    struct wr_ident name;        /* stream, table, view, function, parameter, setting, target */
    struct wr_column_def *column;
    uint32_t column_count;
    bool has_columns;            /* `CREATE STREAM s ()` and `CREATE STREAM s` differ */
    struct wr_ident watermark_column;
    struct wr_expr *watermark;
    struct wr_span watermark_span;
    struct wr_ident_list primary_key;
    struct wr_span primary_key_span;
    struct wr_option *option;
    uint32_t option_count;
    struct wr_query *query;
    struct wr_ident *parameter;  /* CREATE FUNCTION: names */
    struct wr_type_name **parameter_type;
    uint32_t parameter_count;
    struct wr_type_name *type;   /* RETURNS; the type of a CREATE PARAMETER */
    struct wr_expr *value;       /* body of a function, default of a parameter, value of SET */
    struct wr_slice path;        /* INCLUDE */
    struct wr_span path_span;
};

struct wr_tree {
    struct wr_statement *statement;
    uint32_t count;
};

#endif
