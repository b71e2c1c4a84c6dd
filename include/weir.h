/* weir: patterns and windows over event streams. The one public header.
 *
 * A text is compiled into a program; an engine runs a program over its inputs in event time.
 *
 *     weir_program *program;
 *     weir_text *diagnostics = NULL;
 *     if (weir_compile("fraud.weir", text, size, NULL, &program, &diagnostics) != WEIR_OK) {
 *         fputs(weir_text_data(diagnostics), stderr);
 *         …
 *     }
 *     weir_engine_options options = WEIR_ENGINE_OPTIONS_INIT;
 *     weir_engine *engine;
 *     weir_error error;
 *     weir_engine_open(program, &options, &engine, &error);
 *     weir_engine_bind_input(engine, "payments", "payments.jsonl", &error);
 *     weir_engine_bind_output(engine, "alerts", "alerts.jsonl", &error);
 *     weir_status status = weir_engine_run(engine, &error);
 *     weir_engine_close(engine);
 *     weir_program_free(program);
 *
 * Caveats
 *   - The library never prints, exits, reads the environment or installs a signal handler. It starts a thread only
 *     where a state_dir is given: one, which saves checkpoints and ends with weir_engine_run.
 *   - Objects are not shared between threads; different objects may be used by different threads.
 *   - A program must outlive the engines that run it.
 *   - What a function lends (const char *) is good until the object that lent it is changed or freed.
 *   - After WEIR_E_MEMORY from an engine, only weir_engine_close may follow.
 *   - SIGPIPE is the host's affair: ignore it, and a broken pipe becomes WEIR_E_CLOSED. */
#ifndef WEIR_H
#define WEIR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define WEIR_API __attribute__((visibility("default")))
#else
#define WEIR_API
#endif

/* Every status with the exit code that the command line gives it. */
typedef enum weir_status {
    WEIR_OK = 0,
    WEIR_E_USAGE = 2,    /* a bad option, or a file that is not there */
    WEIR_E_PROGRAM = 3,  /* the program is wrong; see the diagnostics */
    WEIR_E_INPUT = 4,    /* more bad input than allowed, or a container that breaks off */
    WEIR_E_STATE = 5,    /* a program file or state that cannot be used */
    WEIR_E_IO = 6,       /* an output that refuses */
    WEIR_E_LIMIT = 7,    /* a resource limit with policy fail */
    WEIR_E_MEMORY = 8,   /* out of memory (exit 7) */
    WEIR_E_DEFECT = 70,  /* a defect of weir */
    WEIR_E_STOPPED = 130,/* weir_engine_stop was called; everything written is whole lines */
    WEIR_E_CLOSED = 141  /* the reader of an output went away (exit 0, quietly) */
} weir_status;

typedef struct weir_error {
    weir_status status;
    char message[1024]; /* one sentence without a full stop; "" when WEIR_OK */
} weir_error;

typedef struct weir_program weir_program;
typedef struct weir_engine weir_engine;
typedef struct weir_text weir_text; /* a text that the library made; freed by the caller */

WEIR_API const char *weir_text_data(const weir_text *text); /* NUL-terminated; "" for NULL */
WEIR_API size_t weir_text_size(const weir_text *text);
WEIR_API void weir_text_free(weir_text *text); /* NULL is fine */

/* "0.1.0" */
WEIR_API const char *weir_version(void);

/* ---- Programs --------------------------------------------------------------------------------- */

typedef struct weir_compile_options {
    size_t struct_size;
    int flink_dialect;     /* 0: as the program says; 1: as SET dialect = 'flink'; -1: 'standard' in any case */
    int color;             /* diagnostics with terminal colours */
    int json;              /* diagnostics as JSON */
    int warnings;          /* 0: errors only */
    /* Reads what INCLUDE names, relative to the folder of `from`: return 0 and give malloc'ed bytes, or a nonzero
     * value. NULL: files are read from the file system. */
    int (*include)(void *context, const char *from, const char *name, char **text, size_t *size);
    void *include_context;
    /* FROM 'payments.jsonl' reads a file whose columns are inferred from its head (as `weir query` does);
     * 0: such a FROM is an error. */
    int infer_files;
    /* Declarations that stand before the text (NUL-terminated), a source of their own: places in messages about the
     * text stay what its author sees. NULL: none. */
    const char *preamble;
    int recorded;          /* the input is a recording: no warning of matches that wait until it ends */
    int name_columns;      /* a result's column without a name gets one (count, sum, column_2); 0: an error */
    int whole_input;       /* an aggregation without a window is one over all of the input, at its end; 0: an error */
} weir_compile_options;
#define WEIR_COMPILE_OPTIONS_INIT {sizeof(weir_compile_options), 0, 0, 0, 1, NULL, NULL, 0, NULL, 0, 0, 0}

/* Compiles a text. `name` is what messages call it and where INCLUDE looks from. Returns WEIR_OK or WEIR_E_PROGRAM;
 * *diagnostics receives errors and warnings as text (NULL when there are none), to be freed. options may be NULL. */
WEIR_API weir_status weir_compile(const char *name, const char *text, size_t size, const weir_compile_options *options,
                                  weir_program **program, weir_text **diagnostics);
/* Loads a program file (.weirc) from memory: verified before it is accepted. WEIR_E_STATE with a sentence otherwise. */
WEIR_API weir_status weir_program_load(const void *bytes, size_t size, weir_program **program, weir_error *error);
/* The program as a file: same text, same bytes. */
WEIR_API weir_status weir_program_save(const weir_program *program, weir_text **bytes, weir_error *error);
/* 1 when the bytes begin like a program file. */
WEIR_API int weir_is_program_file(const void *bytes, size_t size);
/* Names of what can be bound; NULL past the last. */
WEIR_API const char *weir_program_input(const weir_program *program, size_t index);
WEIR_API const char *weir_program_output(const weir_program *program, size_t index);
/* Bytes of memory that the state of an operator takes, without texts and arrays, which come on top by their lengths;
 * 0: it has nothing of the kind. */
typedef struct weir_state_size {
    uint32_t key;          /* a key with any state, whatever it is */
    uint32_t start;        /* an open start of a pattern; an open window of a key */
    uint32_t way;          /* each further way on which an open start may go on */
    uint32_t row;          /* a row taken on a way; a row that waits for the watermark */
    int one_start;         /* of a key's starts only the earliest is kept */
    int elders;            /* a start that has come no farther than an earlier one is not kept */
} weir_state_size;
/* Fills in at most `count` of them, one an operator in the order of `weir explain`, and gives how many there are; 0 when
 * memory ran out. size may be NULL when count is 0. */
WEIR_API size_t weir_program_state_sizes(const weir_program *program, weir_state_size *size, size_t count);
WEIR_API void weir_program_free(weir_program *program); /* NULL is fine */

/* ---- Engines ---------------------------------------------------------------------------------- */

typedef struct weir_progress {
    uint64_t events, matches;        /* rows read; rows written */
    uint64_t bytes_done, bytes_total;/* of the inputs; total 0: unknown */
    int64_t event_time_us;           /* the task's watermark; INT64_MIN before the first row */
} weir_progress;

/* A row of an input: its stream, its partition (in the order in which they were bound or added) and its number there,
 * from 0. */
typedef struct weir_row {
    const char *stream;
    uint32_t partition;
    uint64_t record;
    int64_t time_us;      /* where it stands: its event time, or its partition's watermark when it came late */
    const char *variable; /* the pattern's variable that took it; NULL: none */
    const char *text;     /* of traces: the row as JSON; else NULL */
    int is_moment;        /* of traces: no row, but the end of an absence of `variable`, at time_us */
} weir_row;

/* A row of an output, with the rows that took part in it: of a filter its one row, of a match all its rows in order,
 * through views and patterns over patterns down to the inputs. Behind a window they are not known. */
typedef struct weir_result {
    const char *output;
    int derived;          /* 1: not written in an ordinary run unless it is bound (CREATE STREAM … AS) */
    int64_t event_time_us;
    const char *row;      /* a JSON object, row_size bytes, not terminated */
    size_t row_size;
    const char *pattern;  /* whose match it is, through views too; NULL: of none, or of one of several */
    int timed_out;        /* WITH TIMEOUTS: its time ran out */
    int rows_known;
    size_t row_count;
    const weir_row *rows;
} weir_result;

/* A row that somebody dropped, or (on_late) one that came late, whatever became of it. */
typedef struct weir_drop {
    const char *query;
    const char *kind;     /* "record", "row", "late", "other" */
    const char *reason, *code, *what; /* what: the column or condition; "" for none */
    int has_row;
    weir_row row;
    int64_t late_us;      /* of late ones: by how much */
} weir_drop;

/* Why a row did not carry a partial match on: its condition is not true; true, but before lo of ->[lo..hi]; past hi; a
 * possessive loop keeps it; it closed the loop (UNTIL); it is what must not come between two elements (NOT b), or within
 * a time (NOT b FOR d, a trailing NOT b). */
enum {
    WEIR_REFUSED_CONDITION, WEIR_REFUSED_EARLY, WEIR_REFUSED_BOUND, WEIR_REFUSED_CLAIMED, WEIR_REFUSED_CLOSED,
    WEIR_REFUSED_FORBIDDEN, WEIR_REFUSED_ABSENCE
};
/* A row that did not carry a start's best partial match on. */
typedef struct weir_refusal {
    weir_row row;
    const char *variable, *condition; /* the variable and its DEFINE */
    const char *values;   /* what the condition read: "status = 'declined', AVG(small.amount) = 2" */
    int kind;             /* WEIR_REFUSED_… */
    const char *awaited;  /* the variable whose turn it was */
    int64_t limit_us;     /* EARLY: lo; BOUND: hi; ABSENCE: the time, -1: until the match's time is up; else 0 */
} weir_refusal;

/* How a start ended, or its best partial match before it: it matched; the very next row had to fit and did not; its
 * WITHIN was up; AFTER MATCH gave its row to a match before it; the input ended; what NOT forbids came; UNTIL closed its
 * loop; the bound of an arrow passed; a possessive loop kept the row; ON LIMIT dropped it; an earlier start was open,
 * which is all that can matter; it matched and SUPPRESS kept it back; it could not begin, since NOT b FOR d stands in
 * front and a b had come. */
enum {
    WEIR_START_MATCH, WEIR_START_DIED, WEIR_START_EXPIRED, WEIR_START_TAKEN, WEIR_START_INPUT_ENDED,
    WEIR_START_FORBIDDEN, WEIR_START_CLOSED, WEIR_START_BOUND, WEIR_START_CLAIMED, WEIR_START_LIMIT, WEIR_START_COVERED,
    WEIR_START_SUPPRESSED, WEIR_START_LED
};
enum { WEIR_WAITED_PREFERRED = 1, WEIR_WAITED_EARLIER = 2 };
/* A start of a pattern, told when it ends: how far its best partial match came, and what refused to go on. */
typedef struct weir_start {
    const char *pattern, *key;
    int end;              /* WEIR_START_… */
    int64_t end_us;
    size_t row_count;
    const weir_row *rows; /* what the best partial match had taken */
    size_t refusal_count;
    const weir_refusal *refusals; /* the last ones, oldest first */
    uint64_t refused;     /* how many in all */
    int64_t limit_us;     /* WITHIN, hi, or the time of NOT b FOR d or SUPPRESS, where that ended it; else -1 */
    const char *waits;    /* what the best partial match waited for: "`b` or no `c` for 10m"; "" */
    const char *cause;    /* TAKEN: "SKIP PAST LAST ROW"; LED: the variable that had come; else "" */
    int waited;           /* of a match: WEIR_WAITED_… bits: for a preferred one, for an earlier start */
    int has_by;
    weir_row by_first, by_last; /* TAKEN: first and last row of that match; COVERED: the earlier start's first row */
    int64_t by_us;        /* LED: when that row was; SUPPRESSED: when the match before was given */
} weir_start;

/* A row on its way to a pattern: left out by a WHERE of `query`, or offered to the pattern of that name. */
typedef struct weir_seen {
    const char *query;
    int filtered;
    const char *key;
    weir_row row;
    size_t variable_count; /* those whose conditions on the row alone it satisfies */
    const char *const *variables;
} weir_seen;

/* Expressions run over whole batches or row by row, each by what suits it; either can be made to run all of them. */
enum { WEIR_EXECUTOR_OWN, WEIR_EXECUTOR_BATCH, WEIR_EXECUTOR_ROW };

typedef struct weir_engine_options {
    size_t struct_size;
    int64_t errors_max;              /* budget of bad rows; -1: as the program says, or unlimited */
    int tag_outputs;                 /* lines on standard output are {"name":{…}} even with one output */
    const char *format;              /* of unbound outputs: "jsonl", "csv"; NULL: jsonl */
    uint32_t batch_rows;             /* 1 … 1024; 0: 1024 */
    int state_roundtrip;             /* test modes: all state is saved, dropped and loaded after every batch, 1: in
                                        memory; 2: through checkpoints in a store on disk; with state_dir 2: a
                                        checkpoint there after every batch, waited for; 3: as 2, but keys leave memory
                                        and come back as they are wanted */
    const char *matcher;             /* force a matcher class by name; NULL: the compiler's choice */
    /* Called about every 100 ms of work, from weir_engine_run; return nonzero to stop (WEIR_E_STOPPED). */
    int (*on_progress)(void *context, const weir_progress *progress);
    /* A diagnostic line for a log: samples of dropped rows, rate limited. */
    void (*on_log)(void *context, const char *line);
    /* Unbound outputs: whole lines to write; return 0, or nonzero when the reader went away. NULL: written to
     * file descriptor 1. */
    int (*on_output)(void *context, const char *lines, size_t size);
    void *context;
    /* For tests and explanations; the rows of every match are remembered until the engine is closed. What is lent is
     * good for the call.
     * on_result takes the rows of all outputs, in their order, in place of files and on_output. */
    void (*on_result)(void *context, const weir_result *result);
    void (*on_drop)(void *context, const weir_drop *drop);
    void (*on_late)(void *context, const weir_drop *late);
    /* Every start of every pattern when it ends; patterns then run in the general matcher, several times slower. */
    void (*on_start)(void *context, const weir_start *start);
    int coverage;         /* count what weir_engine_coverage tells; wants on_start */
    void (*on_seen)(void *context, const weir_seen *seen); /* wants on_start */
    /* A directory for state, made when it is not there; NULL: none is kept. weir_engine_run then takes checkpoints in
     * it, and a run that was interrupted, by whatever, goes on where it stood when the same is run again: outputs in
     * files come to the same bytes as those of a run that was never interrupted. */
    const char *state_dir;
    int64_t checkpoint_interval_us; /* -1: as the program says, or 10 s */
    uint64_t checkpoint_rows;       /* also after so many rows; 0: as the program says, or no matter */
    int discard_state;    /* begin anew: what is in state_dir goes */
    int accept_loss;      /* operators of a changed program may begin empty though state of theirs is there */
    int any_file_system;  /* network file systems and the like are not refused for state_dir */
    int executor;         /* a test mode: WEIR_EXECUTOR_…; the results do not depend on it */
} weir_engine_options;
#define WEIR_ENGINE_OPTIONS_INIT                                                                                        \
    {sizeof(weir_engine_options), -1, 0, NULL, 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, 0, NULL,     \
     NULL, -1, 0, 0, 0, 0, WEIR_EXECUTOR_OWN}

WEIR_API weir_status weir_engine_open(const weir_program *program, const weir_engine_options *options,
                                      weir_engine **engine, weir_error *error);
/* Before run. Several files of a stream are its partitions, in the order of the calls. `stream` NULL: the one input. */
WEIR_API weir_status weir_engine_set_parameter(weir_engine *engine, const char *name, const char *value, weir_error *error);
WEIR_API weir_status weir_engine_bind_input(weir_engine *engine, const char *stream, const char *path, weir_error *error);
WEIR_API weir_status weir_engine_bind_output(weir_engine *engine, const char *output, const char *path, weir_error *error);
/* Reads all inputs to their ends and writes all results. WEIR_OK, or the first thing that stopped it. */
WEIR_API weir_status weir_engine_run(weir_engine *engine, weir_error *error);
/* Records by hand, in place of weir_engine_run: add partitions (and bind files: they are read at the start), start, push
 * and advance as often as you like, finish. Records are JSON lines; what a record's place in its partition, lateness and
 * the end of the input mean is as with files. times_us: the records' own times, one a line, for streams without a
 * WATERMARK; NULL: they have none. */
WEIR_API weir_status weir_engine_add_partition(weir_engine *engine, const char *stream, uint32_t *partition,
                                               weir_error *error);
WEIR_API weir_status weir_engine_start(weir_engine *engine, weir_error *error);
WEIR_API weir_status weir_engine_push(weir_engine *engine, const char *stream, uint32_t partition, const void *records,
                                      size_t size, const int64_t *times_us, weir_error *error);
/* No record with an event time before this is to come in the partitions that take records. */
WEIR_API weir_status weir_engine_advance(weir_engine *engine, int64_t time_us, weir_error *error);
WEIR_API weir_status weir_engine_finish(weir_engine *engine, weir_error *error);
/* Rows from which a match of the pattern may still come. WEIR_E_USAGE: there is no such pattern. */
WEIR_API weir_status weir_engine_open_starts(weir_engine *engine, const char *pattern, uint64_t *starts);
/* What happened how often, of all that may: conditions true and false, steps of patterns, time limits, late rows. */
typedef struct weir_cover {
    const char *query, *what; /* "condition of large true" */
    uint32_t line;            /* in the program */
    uint64_t hits;
} weir_cover;
WEIR_API weir_status weir_engine_coverage(const weir_engine *engine, void (*fn)(void *context, const weir_cover *cover),
                                          void *context);
/* Asks a running weir_engine_run to stop at the next batch; safe in a signal handler. */
WEIR_API void weir_engine_stop(weir_engine *engine);
/* The drop table and counts of a run, as text for people or JSON ({"version":1,…}); rows with zeros included. */
WEIR_API weir_status weir_engine_summary(const weir_engine *engine, int json, weir_text **summary);
WEIR_API void weir_engine_progress(const weir_engine *engine, weir_progress *progress);
/* Of the checkpoints of a run with a state_dir; zeros without one. Times are of the engine's own thread. */
typedef struct weir_checkpoints {
    uint64_t epoch;         /* of the last one that is durable */
    uint64_t taken;         /* by this engine */
    uint64_t keys, bytes;   /* entries and bytes that they wrote */
    int64_t pause_p99_us, pause_max_us, pause_sum_us;
    int64_t commit_max_us;  /* of the saver's thread */
    int resumed;            /* the run went on from a checkpoint */
    int was_finished;       /* it had come to its end already: nothing was done */
    uint64_t resumed_rows;  /* rows that had been read before */
} weir_checkpoints;
WEIR_API void weir_engine_checkpoints(const weir_engine *engine, weir_checkpoints *checkpoints);
/* Looking into a state directory, beside a running engine or without one; copies of it. */
typedef enum weir_state_question {
    WEIR_STATE_LIST,    /* the checkpoint, inputs, operators */
    WEIR_STATE_SHOW,    /* keys of .operator_name, or what .key holds */
    WEIR_STATE_SIZE,    /* bytes of the file, of each operator, of a key */
    WEIR_STATE_VERIFY,  /* every checksum and every entry; WEIR_E_STATE: something does not hold, said in the text */
    WEIR_STATE_CHECK,   /* what .program would keep; *answer: how many operators would lose state */
    WEIR_STATE_EXPORT,  /* into the file .to */
    WEIR_STATE_IMPORT,  /* from the file .directory into the directory .to */
    WEIR_STATE_COPY     /* the newest checkpoint into the directory .to */
} weir_state_question;
typedef struct weir_state_request {
    size_t struct_size;
    weir_state_question question;
    const char *directory, *to, *operator_name, *key;
    uint64_t most;      /* keys that SHOW lists; 0: all */
    int json;
    const weir_program *program;
} weir_state_request;
WEIR_API weir_status weir_state(const weir_state_request *request, weir_text **text, uint64_t *answer, weir_error *error);
WEIR_API void weir_engine_close(weir_engine *engine); /* NULL is fine */

#ifdef __cplusplus
}
#endif
#endif
