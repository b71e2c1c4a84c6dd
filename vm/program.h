/* The compiled unit: immutable, no pointers into anything else, safe to share. The compiler makes it,
 * program_io.c writes and reads it, verify.c proves that it is safe to run, the runtime runs it.
 *
 * A program is a dataflow of nodes in topological order (inputs have smaller numbers):
 *
 *   SOURCE   rows of a declared stream, decoded by a connector; event time, watermark, lateness, order
 *   SELECT   WHERE and projection; columns that are plain inputs cost nothing. Everything that can be
 *            computed from one row alone is computed here, over whole batches: also keys, arguments of
 *            aggregates and of FIRST/LAST, which PATTERN and WINDOW want as plain columns; and behind
 *            them, HAVING and the select list over their raw results.
 *   MERGE    union of inputs with equal schemas, in order of time, then of input position
 *   WINDOW   TUMBLE and HOP: one raw row (keys, window_start, window_end, aggregates) a key and window
 *   PATTERN  row pattern matches: one raw row (the .output list) a match
 *   LATE     the rows that its input (a WINDOW or PATTERN) did not take because they were late
 *   OUTPUT   a named result: what --out binds or standard output prints */
#ifndef WR_VM_PROGRAM_H
#define WR_VM_PROGRAM_H

#include "base/arena.h"
#include "base/error.h"
#include "base/hash.h"
#include "vm/code.h"

#define WR_NONE UINT32_MAX

/* Of the file format, and of the numbers of opcodes.def and builtins.def. */
enum { WR_PROGRAM_VERSION = 2 };

struct wr_schema_column {
    const char *name;
    struct wr_type type;
};
struct wr_schema {
    uint32_t count;
    const struct wr_schema_column *column;
};

struct wr_option_value {
    const char *name, *value; /* as text; durations in microseconds are written as "<n>us" */
};

struct wr_constant {
    struct wr_type type;
    struct wr_value value;
    uint32_t parameter; /* index in program->parameter whose value stands here, or WR_NONE */
};

struct wr_parameter {
    const char *name;
    struct wr_type type;
    bool has_default;
    struct wr_value value; /* default; the one set at the start after wr_program_set_parameter */
    bool is_set;
};

/* A declared stream with what its connectors need. */
struct wr_stream {
    const char *name;
    uint32_t option_count;
    const struct wr_option_value *option;
    struct wr_schema declared; /* columns as declared, computed ones included; empty for `CREATE STREAM s;` */
    uint32_t record_columns;   /* how many of them come out of the record itself: what .ordinal counts */
};

enum wr_node_kind { WR_NODE_SOURCE, WR_NODE_SELECT, WR_NODE_MERGE, WR_NODE_WINDOW, WR_NODE_PATTERN, WR_NODE_LATE,
                    WR_NODE_OUTPUT, WR_NODE_KIND_COUNT };

enum wr_field_from { WR_FIELD_PATH, WR_FIELD_KEY, WR_FIELD_HEADER, WR_FIELD_OFFSET, WR_FIELD_PARTITION,
                     WR_FIELD_TIMESTAMP };

/* One physical column to decode. */
struct wr_field {
    const char *name;            /* of the column, for messages */
    struct wr_type type;
    uint8_t from;                /* enum wr_field_from */
    uint8_t not_null;
    uint16_t path_count;         /* PATH: at least 1 */
    const char *const *path;     /* names from the outside in; an array index is "[3]"; HEADER: its name */
    uint32_t default_constant;   /* stands in for an absent field (not for a null); WR_NONE: none */
    uint32_t ordinal;            /* PATH: place among the declared columns that come out of the record itself (not
                                    computed, not FROM KEY …), from 0: what a CSV file without a header goes by */
};

struct wr_source_node {
    uint32_t stream;
    uint32_t field_count;         /* columns 0 … field_count-1 of the schema */
    const struct wr_field *field; /* only those that the program reads */
    uint32_t computed;            /* code whose results are the further columns; WR_NONE: none.
                                     Blocks of computed columns read fields only (nested ones are inlined). */
    const uint8_t *computed_not_null; /* per result of .computed: 1 = NULL or an error makes the record bad
                                     (NOT NULL); NULL: none is */
    uint32_t time_column;         /* event time: a TIMESTAMP column of the schema; WR_NONE: the record's own */
    uint32_t watermark;           /* code over the schema's columns, one TIMESTAMP result; WR_NONE: event time */
    int64_t delay_us;             /* >= 0 when the watermark is event time - delay (code unused); -1 otherwise */
};

struct wr_select_node {
    uint32_t where;   /* code over the input's columns with one BOOLEAN result, or WR_NONE */
    uint32_t project; /* code over the input's columns; result i is column i */
    const uint8_t *carry; /* per column: 1 = an error value travels on (a helper column of a pattern or window),
                             0 = a row with an error here is bad for this query, counted and dropped */
};

enum wr_aggregate_fn {
#define AGGREGATE(id, name) WR_AGG_##id,
#include "vm/aggregates.def"
#undef AGGREGATE
    WR_AGG_FN_COUNT
};
const char *wr_aggregate_name(uint8_t fn); /* "STDDEV_SAMP" */

struct wr_aggregate {
    uint8_t fn;          /* enum wr_aggregate_fn */
    uint8_t running;     /* patterns: some DEFINE reads it, so it is kept up to date while matching */
    uint16_t set;        /* patterns: variable set whose rows it ranges over */
    uint32_t column;     /* argument, a column of the input; WR_NONE for COUNT(*) */
    uint32_t column2;    /* ARG_MIN/ARG_MAX: what is compared; STRING_AGG: separator; else WR_NONE */
    uint32_t filter;     /* FILTER: a BOOLEAN column; WR_NONE: none */
    struct wr_type argument; /* type of column */
    struct wr_type type;     /* of the result */
};

struct wr_window_node {
    int64_t size_us, slide_us, offset_us; /* slide == size: tumbling; size, slide > 0 */
    int64_t late_us;                       /* LATE d: >= 0 */
    uint8_t late_into;                     /* a LATE node takes the late rows (else they are counted) */
    uint32_t key_count;
    const uint32_t *key;                   /* columns of the input */
    uint32_t aggregate_count;
    const struct wr_aggregate *aggregate;
    /* Schema: keys, window_start, window_end (TIMESTAMP), aggregates. */
};

/* ---- Patterns: a position automaton with ordered follow lists ---------------------------------
 *
 * Repetitions are unrolled to their bounds, PERMUTE to its orders; what is left is a set of positions,
 * each an occurrence of a variable. After position p has taken a row the pattern may go on with any
 * entry of p's follow list, in order of preferment (SQL's order: greedy loops before their exits, …).
 * An entry names the next position and how its row follows the last one taken; entry ACCEPT ends the match.
 * The list `first` is what a match may begin with; ACCEPT in it is the empty match. */
enum { WR_ACCEPT = 0xffff };
enum { WR_FOLLOW_AT_START = 1, /* entries of `first` only: before the partition's first row: ^ */
       WR_FOLLOW_AT_END = 2 }; /* ACCEPT behind a row only: at the partition's end: $ */
/* NOT b, UNTIL (c): a row that satisfies the variable kills the entry, also where it would have taken that row.
 * What kills never is a row of the match. */
struct wr_kill {
    uint16_t variable;
    uint8_t next_only; /* 1: only the very next row behind the last one taken; 0: every row until one is taken */
};
/* NOT b FOR d in front of everything: the entry may begin a match only with a row before which no row of the key,
 * less than for_us before it in time, satisfied the variable. */
struct wr_lead {
    uint16_t variable;
    int64_t for_us;
};
struct wr_follow {
    uint16_t position;  /* or WR_ACCEPT */
    uint8_t connector;  /* 0 strict (the very next row), 1 next (->), 2 any (->>) */
    uint8_t flags;
    uint16_t kill_count, claim_count, lead_count; /* ACCEPT has none of them */
    /* The first of them in the node's .kill, .claim and .lead. A claim is the number of another entry of the
     * same list, or of one behind it that is in no list: the way by which a possessive loop could go on. A row which
     * that entry can take (by its anchor, connector, bounds, kills and condition) cannot be taken by this one. */
    uint32_t kill, claim, lead;
    int64_t low_us, high_us; /* bound on the arrow, both inclusive; -1: none. low is part of the entry's condition
                                (an earlier row is skipped under ->); at the moment just past high it dies */
};
/* absence_us of a position: */
enum { WR_ABSENCE_NONE = 0, /* it takes a row */
       WR_ABSENCE_WITHIN = -1 }; /* as a duration, but until first + within */
struct wr_pattern_position {
    uint16_t variable;
    uint8_t excluded;   /* inside {- -}: its rows are left out of ALL ROWS PER MATCH */
    /* Other than NONE: NOT b FOR d, a position that takes a moment and no row. An entry to it waits until the time
     * of the row or moment that completed the step before + absence_us (connector and bounds do not count); a row
     * before that time which satisfies .variable kills it; at that moment the position is taken: an element of
     * the match, not a row of a variable, and the next step begins there. No entry of `first` leads to one. */
    int64_t absence_us;
    uint16_t follow_count;
    uint32_t follow;    /* index in wr_pattern_node.follow */
    /* Which of .history the conditions read that are evaluated from here on (at the positions reachable from
     * this one, in one step or many). Two candidates at the same position that agree on these inputs have the
     * same future, so the preferred one may stand for both. To agree means: LAST, offset n: the same last n + 1
     * rows of the set; FIRST, offset n: the same first n + 1 rows, and as many of them; AGGREGATE: equal
     * accumulators, not just equal results; CLASSIFIER: as LAST or FIRST, and the same variables of those rows
     * and of the rows that .step leads to. */
    uint32_t reads;     /* number of a bit set in wr_pattern_node.reads, or WR_NONE when nothing is read */
};
struct wr_pattern_variable {
    const char *name;
    const char *text;       /* its DEFINE in canonical form, for explain; "" when it has none */
    uint32_t row_condition; /* result of .row_code, the part of DEFINE that reads the row alone; WR_NONE: true */
    uint32_t condition;     /* code for the rest (row executor; inputs COLUMN, LAST, FIRST, AGGREGATE, KEY, SPECIAL);
                               the variable holds when both are TRUE; WR_NONE: none */
};
/* RUNNING semantics of conditions. COLUMN and EVENT_TIME are the current row's. LAST, FIRST and AGGREGATE over
 * set s in the condition of variable v are evaluated AS IF the current row had already been taken as v when v
 * belongs to s (WR_SET_ALL contains every variable), and over the rows taken so far when it does not. So
 * LAST(s.x, 1) counts the current row as number 0, FIRST(s.x) is the current row when s has no row yet, and
 * COUNT(s.*) includes it. The compiler turns LAST(s.x, 0) with v in s into COLUMN. No such row: NULL. A kept
 * column that is an error value is an error here too, and a condition that ends in an error counts as false. */
/* COLUMN, LAST and FIRST with .step, and CLASSIFIER, are of the same row as without it, and then so many rows
 * before or behind: PREV(x) in DEFINE of v is COLUMN with step -1, PREV(LAST(a.x, 1), 2) is LAST with offset 1 and
 * step -2. .prev_max and .next_max say how far that goes. CLASSIFIER in a condition: the current row counts as
 * taken as v; a row behind it, before the match, or between the rows taken has none: NULL. */
/* WR_ALL_ROWS_…: what a match gives. All but ONE give one result for each row taken, in order, but for the excluded
 * ones: there .output is evaluated with that row as the current one (COLUMN: the row itself; RUNNING inputs see the
 * match's rows up to it, FINAL ones all). An empty match gives the row that it starts at, with no row of any set,
 * where EMPTY is shown; a row in no match and starting no empty one is given by UNMATCHED, every output but COLUMN,
 * KEY and event time NULL. */
enum wr_output_rows { WR_OUTPUT_ONE_ROW, WR_OUTPUT_SHOW_EMPTY, WR_OUTPUT_OMIT_EMPTY, WR_OUTPUT_UNMATCHED };
enum wr_limit { WR_STARTS_DROP_OLDEST, WR_STARTS_DROP_NEW, WR_STARTS_FAIL };
enum wr_after_match { WR_AFTER_PAST_LAST, WR_AFTER_NEXT_ROW, WR_AFTER_TO_FIRST, WR_AFTER_TO_LAST, WR_AFTER_NONE };

struct wr_pattern_node {
    uint32_t key_count;
    const uint32_t *key;            /* partition columns of the input; 0: one key */
    uint32_t variable_count;
    const struct wr_pattern_variable *variable;
    uint32_t set_count;             /* >= variable_count; sets past it are SUBSETs */
    uint32_t set_words;             /* 64-bit words of a set: (variable_count + 63) / 64 */
    const uint64_t *set;            /* set_count masks of set_words words each: bit v of mask s (bit v % 64 of word
                                       s * set_words + v / 64) says that variable v belongs to set s */
    uint32_t row_code;              /* batch code, BOOLEAN results; WR_NONE: no variable has a row condition */
    uint32_t position_count;
    const struct wr_pattern_position *position;
    uint32_t follow_count;          /* of all lists together */
    const struct wr_follow *follow;
    uint32_t kill_count, claim_count, lead_count; /* what entries of .follow have, of all together */
    const struct wr_kill *kill;
    const uint32_t *claim;
    const struct wr_lead *lead;
    uint32_t first, first_count;    /* the list of beginnings in .follow */
    int64_t within_us;              /* -1: none */
    uint8_t after_match;            /* enum wr_after_match */
    uint16_t after_set;             /* TO FIRST / TO LAST */
    uint8_t all_matches;            /* not run yet: 0 */
    uint8_t all_rows;               /* enum wr_output_rows */
    uint8_t timeouts;               /* 1: a result for each start that ran out of time; 2: for each branch of it */
    uint8_t limit_policy;           /* enum wr_limit */
    uint32_t limit_starts;          /* open starts of a key at most; 0: any number */
    int64_t suppress_us;            /* after a reported match, further ones of the key less than that later are
                                       counted and not given; 0: none */
    uint16_t prev_max;              /* rows of the key kept before the first row of its earliest open start */
    uint16_t next_max;              /* a row is looked at when so many further rows of its key have come, or at the
                                       end of the input */
    uint16_t out_next_max;          /* a result waits for so many rows behind its current row (of ONE ROW PER
                                       MATCH: the match's last), or the end */
    uint8_t late_into;
    uint8_t needs_ids;              /* some output asks for MATCH_ID(): rows' ids are kept */
    uint32_t keep_count;
    const uint32_t *keep;           /* columns of the input that a row keeps: what LAST, FIRST, aggregates, .step and
                                       (ALL ROWS) COLUMN of outputs read */
    uint32_t aggregate_count;
    const struct wr_aggregate *aggregate;
    uint32_t history_count;         /* distinct LAST/FIRST/AGGREGATE/CLASSIFIER inputs that .condition blocks read */
    const struct wr_input *history;
    uint32_t reads_count;           /* bit sets over .history (bit i: history[i]), reads_words words each */
    uint32_t reads_words;
    const uint64_t *reads;
    uint32_t output_count;          /* the schema: KEY, LAST, FIRST, AGGREGATE, SPECIAL values of a match; COLUMN
                                       and event time of the current row under ALL ROWS */
    const struct wr_input *output;
    const char *text;               /* the pattern in canonical form, for explain */
};

/* Does variable set `set` (a variable, a SUBSET or WR_SET_ALL) hold the variable? */
static inline bool wr_pattern_set_has(const struct wr_pattern_node *p, uint32_t set, uint32_t variable)
{
    if (set == WR_SET_ALL) return true;
    return p->set[(size_t)set * p->set_words + variable / 64] >> (variable % 64) & 1;
}

struct wr_output_node {
    uint32_t stream;      /* its options say the format; WR_NONE for a bare SELECT */
    uint8_t only_if_bound;/* a derived stream: an output only where --out names it */
};

struct wr_node {
    uint8_t kind;             /* enum wr_node_kind */
    uint8_t input_count;      /* MERGE, OUTPUT: any number up to 255; SOURCE: 0; else 1 */
    uint32_t query;           /* index in program->query: whose rows are counted when dropped here */
    const char *name;         /* for people: "alerts.window", made unique by its order among the statements */
    uint8_t identity[16];     /* who it is whatever stands around it (vm/identity.h); not in the file */
    const uint32_t *input;
    struct wr_schema schema;
    uint32_t place;           /* byte offset of its text in the program, for explain */
    union {
        struct wr_source_node source;
        struct wr_select_node select;
        struct wr_window_node window;
        struct wr_pattern_node pattern;
        struct wr_output_node output;
    } u;
};

struct wr_program {
    struct wr_arena arena;    /* owns everything below */
    uint8_t identity[16];     /* the same for every file of this program, wherever its text stands and however it is
                                 laid out (vm/identity.h); not in the file */
    uint32_t constant_count, parameter_count, stream_count, code_count, query_count, node_count, setting_count;
    struct wr_constant *constant;
    struct wr_parameter *parameter;
    const struct wr_stream *stream;
    const struct wr_code *code;
    const char *const *query; /* names of queries and streams, for the drop table and metrics */
    const struct wr_node *node;
    const struct wr_option_value *setting; /* SET name = value */
    const char *source_name;
    struct wr_slice source_text; /* the text it was compiled from (for explain); may be empty */
};

struct wr_program *wr_program_new(void); /* empty, with an arena; the compiler fills it */
void wr_program_free(struct wr_program *program);

/* The first node, setting, stream of a name; WR_NONE / NULL when there is none. Names without case. */
uint32_t wr_program_find_stream(const struct wr_program *program, const char *name);
const char *wr_program_setting(const struct wr_program *program, const char *name);
const char *wr_stream_option(const struct wr_stream *stream, const char *name);

/* Sets a parameter from text by the rules of its type, in all constants that hold it. */
enum wr_status wr_program_set_parameter(struct wr_program *program, struct wr_slice name, struct wr_slice text,
                                        struct wr_error *error);
/* WR_ERR_USAGE with the first parameter that has no value. */
enum wr_status wr_program_check_parameters(const struct wr_program *program, struct wr_error *error);

/* The file format (docs/program-file.md): magic, version, sections, xxHash checksum. Same program, same bytes. */
void wr_program_encode(const struct wr_program *program, struct wr_buf *out);
/* The hash of what encode writes, as in the file's header. */
uint64_t wr_program_hash(const struct wr_program *program);
/* The hash of the same without what only people read: the source's name and text, places in it, texts of patterns.
 * Parameters that are set do not count. */
struct wr_hash128 wr_program_core_hash(const struct wr_program *program);
/* Decodes, verifies and identifies; NULL and WR_ERR_STATE with a sentence when it is cut short, damaged, of another
 * version, or not provably safe. */
struct wr_program *wr_program_decode(struct wr_slice bytes, struct wr_error *error);
bool wr_program_is_file(struct wr_slice bytes); /* begins with the magic */

/* Proves that nothing in the program reads out of bounds or runs for ever: registers, classes, constants,
 * columns, follow lists, node inputs, types. Called by decode, and on the compiler's output in debug builds. */
enum wr_status wr_program_verify(const struct wr_program *program, struct wr_error *error);

/* One block as text, an instruction a line with its formula in real names; source lines between when the
 * program has its text. */
void wr_code_print(const struct wr_program *program, const struct wr_code *code, bool with_source, struct wr_buf *out);

#endif
