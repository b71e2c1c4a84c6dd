/* Tests as text (.wtest): what a file says, what running a case gives, how the two compare.
 *
 *   wtest_line.c     a line of text as words
 *   wtest_parse.c    files as cases
 *   wtest_hint.c     what was meant by a line that is not understood
 *   wtest_program.c  the program of a case, its streams and columns
 *   wtest_record.c   events as records
 *   wtest_run.c      one case run once
 *   wtest_vary.c     the same case run in every other way
 *   wtest_value.c    one expectation against one result
 *   wtest_compare.c  expectations against what came
 *   wtest_why.c      why what is expected did not come
 *   wtest_text.c     times, rows, labels as text
 *   wtest_cover.c    what of a program no case has made happen
 *   wtest_report.c   verdicts: text, TAP, JSON, JUnit
 *   wtest_update.c   what came, written below the line
 *   wtest_fmt.c      the one layout
 *   wtest_fence.c    tests and programs inside Markdown */
#ifndef WR_CLI_WTEST_H
#define WR_CLI_WTEST_H

#include "base/arena.h"
#include "cli/cli.h"
#include "vm/program.h"

/* ---- Lines as words -------------------------------------------------------------------------- */

enum { WR_TEST_WORDS = 256 };

struct wr_test_line {
    uint32_t number;      /* in the file, from 1 */
    struct wr_slice text; /* the whole line */
    struct wr_slice word[WR_TEST_WORDS];
    uint32_t count;
    struct wr_slice comment; /* "# …"; empty: none */
};
/* Splits a line; `below`: it stands below a ---, where values may be /expressions/. false: *why says what is wrong (a
 * text that is not closed, too many words). */
bool wr_test_line_split(struct wr_test_line *line, struct wr_slice text, bool below, const char **why);
/* Calls for the next line of a text; false at its end. */
bool wr_test_next_line(struct wr_slice *rest, struct wr_slice *line);

/* ---- What a file says ------------------------------------------------------------------------ */

enum wr_test_value_kind { WR_TEST_BARE, WR_TEST_QUOTED, WR_TEST_REGEX, WR_TEST_ANY, WR_TEST_NEAR };
struct wr_test_field {
    struct wr_slice name, value; /* QUOTED: without its quotes, unescaped; REGEX: without slashes */
    enum wr_test_value_kind kind;
    double near; /* NEAR: 3.1~0.01 */
};

enum wr_test_event_kind { WR_TEST_RECORD, WR_TEST_WATERMARK, WR_TEST_INPUT, WR_TEST_UNSUPPORTED };
struct wr_test_event {
    enum wr_test_event_kind kind;
    uint32_t line;
    int64_t time;
    struct wr_slice stream, label, text; /* label: without #; text: the line as written */
    struct wr_slice json, bytes;         /* in place of fields; bytes: what bytes=0x… says */
    bool has_bytes;
    struct wr_slice path; /* INPUT */
    uint32_t field_count;
    struct wr_test_field *field;
    uint32_t times; /* x3 */
    int64_t every;
    const char *unsupported; /* why this case is skipped */
};

enum wr_test_expect_kind {
    WR_TEST_ROW,
    WR_TEST_NONE,
    WR_TEST_UNORDERED,
    WR_TEST_OTHERS,
    WR_TEST_NOT,
    WR_TEST_LATE,
    WR_TEST_DROPPED,
    WR_TEST_TIMEOUT,
    WR_TEST_OPEN,
    WR_TEST_ERROR,
    WR_TEST_UNSUPPORTED_EXPECT
};
struct wr_test_expect {
    enum wr_test_expect_kind kind;
    uint32_t line;
    struct wr_slice text;
    bool any_time;
    int64_t time, by; /* by: of LATE; -1: not said */
    /* ROW, NOT: output; TIMEOUT, OPEN: pattern; DROPPED, ERROR: what, code */
    struct wr_slice stream;
    uint32_t field_count;
    struct wr_test_field *field;
    bool has_rows;
    uint32_t label_count;
    struct wr_slice *label;      /* <- …, without # */
    uint64_t count;              /* DROPPED, OPEN */
    uint32_t at_line, at_column; /* ERROR; 0: not said */
    const char *unsupported;
};

struct wr_test_default {
    struct wr_slice stream;
    uint32_t field_count;
    struct wr_test_field *field;
};
struct wr_test_param {
    struct wr_slice name, value;
};

struct wr_test_case {
    struct wr_slice name;
    uint32_t line; /* of === */
    uint32_t below,
        end; /* lines: first behind ---, first behind the case; below 0: there is no --- */
    int64_t start;
    const char *use;          /* path of the program; NULL: none */
    const char *program_text; /* inside Markdown: the program's own text, else NULL */
    uint32_t program_line;    /* where it begins there */
    const char *skip, *xfail; /* reasons; NULL: not so */
    WR_VEC(struct wr_test_default) defaults;
    WR_VEC(struct wr_test_param) param;
    WR_VEC(struct wr_test_event) event;
    WR_VEC(struct wr_test_expect) expect;
    const char *error; /* what is wrong with its text: the first; NULL: nothing */
    uint32_t error_line;
};

struct wr_test_file {
    struct wr_arena arena; /* owns all texts */
    const char *path;
    const char *folder; /* "" or with a slash at its end */
    struct wr_slice text;
    WR_VEC(struct wr_test_case) cases;
    const char *error; /* in front of the first case */
    uint32_t error_line;
};

/* Texts that are none of ours: what is wrong with them, or NULL. */
const char *wr_test_text_error(struct wr_slice text);
/* Without a byte order mark at its head. */
struct wr_slice wr_test_behind_mark(struct wr_slice text);
/* What was probably meant by the first word of a line that is not understood, as the end of its message; NULL: who knows.
 * below: it stands below a ---. */
const char *wr_test_hint(struct wr_arena *arena, struct wr_slice word, bool below);

void wr_test_file_init(struct wr_test_file *file, const char *path);
void wr_test_file_release(struct wr_test_file *file);
/* Reads cases out of a text whose first line has this number in the file; a text without === is one
 * case. `program`: the text that stands before it in Markdown, or NULL. */
void wr_test_parse(struct wr_test_file *file, struct wr_slice text, uint32_t first_line,
                   const char *program, uint32_t program_line);
/* A Markdown file: its ```wtest fences. */
void wr_test_parse_markdown(struct wr_test_file *file, struct wr_slice text);

/* A fence of a Markdown file. */
struct wr_fence {
    struct wr_slice language, info; /* ```sql continues → "sql", "continues" */
    struct wr_slice text;
    uint32_t line; /* of its first line of text */
};
/* Gives the next fence; false when there is none. *line counts on. */
bool wr_fence_next(struct wr_slice *rest, uint32_t *line, struct wr_fence *fence);
/* Is it a program that is to be checked (sql or weir, not said to be ignored)? */
bool wr_fence_is_program(const struct wr_fence *fence);
/* Said to have errors (```sql errors): tests take it, check and fmt pass it over. */
bool wr_fence_has_errors(const struct wr_fence *fence);
bool wr_fence_continues(const struct wr_fence *fence); /* … the program before it */
/* The program of a fence as a text whose line numbers are those of the Markdown file; `so_far`
 * holds the one before when the fence continues it, and is replaced. */
void wr_fence_program(const struct wr_fence *fence, struct wr_buf *so_far);

/* ---- A case's program ------------------------------------------------------------------------ */

struct wr_test_program {
    struct wr_arena arena;
    struct wr_program *program; /* NULL: it has errors */
    weir_program *loaded;
    struct wr_buf rendered; /* its errors */
    struct wr_buf place;    /* "CODE LINE:COLUMN\n" of each error */
    struct wr_buf message;  /* "MESSAGE\n" of each error */
    const char **source;    /* paths of the files that it came from */
    uint32_t source_count;
};
struct wr_language;
/* Reads the text of a case's program; NULL, or why there is none. */
const char *wr_test_program_read(struct wr_language *language, const struct wr_test_file *file,
                                 const struct wr_test_case *c, struct wr_arena *arena);
/* false after *why was set: there is no program, its file is not there. */
bool wr_test_program_open(struct wr_test_program *p, const struct wr_test_file *file,
                          const struct wr_test_case *c, bool color, const char **why);
/* … as it would be if the file `name` held `text`; both must live as long as the call. */
bool wr_test_program_open_edited(struct wr_test_program *p, const struct wr_test_file *file,
                                 const struct wr_test_case *c, struct wr_slice name, struct wr_slice text, bool color,
                                 const char **why);
void wr_test_program_close(struct wr_test_program *p);
const struct wr_stream *wr_test_stream(const struct wr_test_program *p, struct wr_slice name);
const struct wr_source_node *wr_test_source(const struct wr_test_program *p,
                                            const struct wr_stream *stream);
/* The type of an output's column; WR_KIND_NULL when there is none of that name. */
struct wr_type wr_test_output_type(const struct wr_test_program *p, struct wr_slice output,
                                   struct wr_slice column, bool *output_found,
                                   struct wr_slice *suggestion);

/* ---- Running --------------------------------------------------------------------------------- */

/* An event said once or, by x3, several times: a record. */
struct wr_test_record {
    uint32_t event, repeat;
    int64_t time;
    bool own_time;         /* the line gives the time column itself: .time may not be it */
    struct wr_slice bytes; /* JSON, one line */
    const char *stream;    /* as the program writes it */
};

struct wr_test_result {
    const char *output;
    bool derived;
    int64_t time;
    struct wr_slice row;
    const char *pattern; /* NULL: of none */
    bool timed_out;
    bool rows_known;
    uint32_t row_count;
    uint32_t *row_index; /* index in records; UINT32_MAX: of a file */
};
struct wr_test_drop {
    const char *query, *kind, *reason, *code, *what;
    uint32_t record; /* UINT32_MAX: none */
    int64_t late_us;
};
struct wr_test_why {      /* a start that ended, see weir_start */
    struct wr_slice text; /* lines for people */
    uint32_t first;       /* record of its first row */
    int64_t end_us;
    uint32_t came; /* rows taken */
    bool matched;
    int end; /* WEIR_START_… */
    const char *pattern;
    weir_start start; /* the whole, in the outcome's arena */
};
/* Which record lies where: of one partition of one stream. */
struct wr_test_lane {
    const char *stream;
    uint32_t partition; /* as the engine numbers it */
    WR_VEC(uint32_t) record;
};

struct wr_test_cover {
    const char *program, *query, *what;
    uint32_t line, number; /* number: among items that read alike */
    uint64_t hits;
};
struct wr_test_coverage {
    struct wr_arena *arena;
    WR_VEC(struct wr_test_cover) item;
};

struct wr_test_outcome {
    struct wr_arena arena;
    WR_VEC(struct wr_test_result) result;
    WR_VEC(struct wr_test_drop) drop, late;
    WR_VEC(uint64_t)
    open; /* of each pattern of the program, by node order; UINT64_MAX for other nodes */
    WR_VEC(struct wr_test_why) why;
    size_t why_open; /* those from here on were open when what is open is counted */
    WR_VEC(struct wr_test_lane) lane;
    WR_VEC(struct wr_test_cover) cover; /* where it was asked for */
    uint64_t events;                    /* read, from lines and from files */
    const char *error;                  /* it did not run; NULL: it did */
};

struct wr_test_variant {
    const char *name;
    uint32_t batch_rows;
    bool grouped; /* all records between two watermarks in one push a stream */
    bool roundtrip, store; /* store: with roundtrip, through checkpoints on disk in place of memory */
    const char *matcher;
    int executor; /* WEIR_EXECUTOR_… */
    uint32_t partitions;  /* 0, 1: one a stream */
    uint32_t shuffle;     /* seed; 0: as written */
    bool trace, coverage; /* coverage: with trace */
    struct wr_why_asides *asides; /* with trace: where to keep what took no part in a pattern; or NULL */
};

struct wr_test_job {
    const struct wr_test_file *file;
    const struct wr_test_case *c;
    bool brief;       /* what differs is not explained */
    bool state_store; /* state goes through a store on disk too when the case is run again */
    struct wr_test_program program;
    struct wr_arena arena;
    WR_VEC(struct wr_test_record) record;
    /* Order of what is done: an index of a record, or ~index of a WATERMARK event. */
    WR_VEC(int64_t) step;
};
/* Makes the records; false: *why, *line say what is wrong. */
bool wr_test_job_records(struct wr_test_job *job, const char **why, uint32_t *line);
void wr_test_run(struct wr_test_job *job, const struct wr_test_variant *variant,
                 struct wr_test_outcome *out);
void wr_test_outcome_release(struct wr_test_outcome *outcome);
/* Index in the job's records; UINT32_MAX: of a file. */
uint32_t wr_test_record_of(const struct wr_test_outcome *outcome, const weir_row *row);
/* How rows and times are called in a case; `context` is a wr_test_naming. */
struct wr_test_naming {
    const struct wr_test_job *job;
    const struct wr_test_outcome *outcome;
};
void wr_test_name_row(void *context, const weir_row *row, struct wr_buf *out);
void wr_test_name_time(void *context, int64_t us, struct wr_buf *out);
/* Runs the case in every other way that must give the same; NULL, or a text that says where it
 * differs. */
const char *wr_test_vary(struct wr_test_job *job, const struct wr_test_outcome *base,
                         struct wr_arena *arena);

void wr_test_cover_add(struct wr_test_coverage *coverage, const char *program,
                       const struct wr_test_outcome *outcome);
/* Of all programs, in percent; 100 where nothing is counted. */
double wr_test_cover_share(const struct wr_test_coverage *coverage);
void wr_test_cover_print(const struct wr_test_coverage *coverage, struct wr_buf *out);
/* {"percent":…,"min":…,"covered":N,"total":N,"programs":[…]} */
void wr_test_cover_json(const struct wr_test_coverage *coverage, double min, struct wr_buf *out);

/* ---- Comparing and reporting ----------------------------------------------------------------- */

enum wr_test_verdict {
    WR_TEST_OK,
    WR_TEST_FAIL,
    WR_TEST_ERROR_VERDICT,
    WR_TEST_SKIP,
    WR_TEST_XFAIL,
    WR_TEST_XPASS
};
struct wr_test_report {
    const char *path;
    struct wr_slice name;
    uint32_t line;
    enum wr_test_verdict verdict;
    const char *text; /* what is wrong, lines; "" for ok */
    double seconds;
};

/* ---- Reasons (wtest_why.c) */

/* A case run once more, traced, when the first reason is asked for. Zeroed but for .job to begin with. */
struct wr_test_reasons {
    struct wr_test_job *job;
    bool traced;
    uint32_t pattern; /* node: whose rows that took no part are kept */
    struct wr_test_outcome outcome;
    struct wr_why_asides *asides;
};
void wr_test_reasons_release(struct wr_test_reasons *reasons);
/* Why a row or a timeout did not come: how far the best partial match came, and what ended it. Nothing where no pattern
 * gives the output its rows. */
void wr_test_print_why(struct wr_test_reasons *reasons, const struct wr_test_expect *e, struct wr_buf *out);
/* Which starts are open before the input ends; too_few: and how the farthest of the others ended. */
void wr_test_print_open(struct wr_test_reasons *reasons, const struct wr_test_expect *e, bool too_few, struct wr_buf *out);
/* Key column `number` of the pattern that an expectation is about; NULL: there is none. */
const char *wr_test_key_column(const struct wr_program *program, const struct wr_test_expect *e, uint32_t number);
/* Is the record's line labelled so (#a, or #a[1] where it is repeated)? */
bool wr_test_has_label(const struct wr_test_job *job, uint32_t record, struct wr_slice label);

/* ---- Comparing */

/* Where two ways of running a case part, as two lines behind these words; false: nowhere. */
bool wr_test_print_difference(const struct wr_test_job *job, const struct wr_test_outcome *a, const char *a_words,
                              const struct wr_test_outcome *b, const char *b_words, struct wr_buf *out);
/* How many things differ; in words too where there is an `out`. UINT32_MAX: another output, or no timeout of the pattern. */
uint32_t wr_test_differences(struct wr_test_job *job, struct wr_arena *arena, const struct wr_test_expect *e,
                             const struct wr_test_result *r, struct wr_buf *out);
/* Of another key than the expectation names? Then it is another row, not the same with a wrong value. */
bool wr_test_is_of_another_key(struct wr_test_job *job, struct wr_arena *arena, const struct wr_test_expect *e,
                               const struct wr_test_result *r);

/* Appends what differs; true: nothing does. */
bool wr_test_compare(struct wr_test_job *job, const struct wr_test_outcome *outcome,
                     struct wr_buf *out);
/* The same of a program that has errors. */
bool wr_test_compare_errors(const struct wr_test_job *job, struct wr_buf *out);
/* `late #x by 55s`, `dropped 1 decode` of what was dropped, each a line. */
void wr_test_print_drops(const struct wr_test_job *job, const struct wr_test_outcome *outcome, struct wr_buf *out);
/* The expectation that says what came: lines below ---. */
void wr_test_expectation(struct wr_test_job *job, const struct wr_test_outcome *outcome,
                         struct wr_buf *out);

/* Runs a text of one case with nothing below its --- (its program lies beside `path`), and gives it
 * whole and laid out. false: it does not run. */
bool wr_test_complete(const char *path, struct wr_slice text, struct wr_buf *out);

/* "+1m30s" behind the case's start, else RFC 3339. */
void wr_test_print_time(struct wr_buf *out, const struct wr_test_case *c, int64_t time);
void wr_test_print_interval(struct wr_buf *out, int64_t us);
/* A length of time: 10s, 1m30s, 250ms, and with a fraction in its last unit, 1.5s. NULL, or the end of a sentence that
 * says why it is none. */
const char *wr_test_parse_interval(struct wr_slice text, int64_t *us);
void wr_test_print_label(struct wr_buf *out, const struct wr_test_job *job, uint32_t record);
/* A result as the line that would expect it. */
void wr_test_print_result(struct wr_buf *out, const struct wr_test_job *job,
                          const struct wr_test_result *result, bool rows);
/* Walks the members of a JSON object: *rest begins behind '{'; strings are raw JSON text with
 * quotes. */
bool wr_test_next_member(struct wr_slice *rest, struct wr_slice *name, struct wr_slice *value);
/* A JSON string's text, unescaped, in the arena. */
struct wr_slice wr_test_unquote(struct wr_arena *arena, struct wr_slice quoted);

/* The text of a test file in its one layout; false: *why, *line say what is wrong with it. */
bool wr_test_format(struct wr_slice text, struct wr_buf *out, const char **why, uint32_t *line);

void wr_test_write_junit(const struct wr_test_report *report, size_t count, struct wr_buf *out);
struct wr_mutation;
/* coverage, mutation: NULL, or what was counted, with the least share that was asked for. */
void wr_test_write_json(const struct wr_test_report *report, size_t count, const struct wr_test_coverage *coverage,
                        double coverage_min, const struct wr_mutation *mutation, double mutation_min, struct wr_buf *out);
void wr_test_write_tap(const struct wr_test_report *report, size_t count, struct wr_buf *out);
const char *wr_test_verdict_name(enum wr_test_verdict verdict);

#endif
