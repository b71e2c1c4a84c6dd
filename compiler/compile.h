/* The compiler: tree to program. The pass list stands in compile.c on one screen:
 * declarations, names, types and checks, lowering of expressions (one code block each, common
 * sub-expressions shared, constants folded), patterns to position automata, queries to nodes. */
#ifndef WR_COMPILER_COMPILE_H
#define WR_COMPILER_COMPILE_H

#include "dsl/parse.h"
#include "vm/program.h"
#include "vm/state_bound.h"

/* Columns of a file named in FROM 'payments.jsonl' or bound by NAME=PATH in `weir query`: the caller
 * (the command) infers them from the file's head and declares the stream, so the compiler has no I/O.
 * *why: why not; or, where it is declared, what is odd about the file's header. */
typedef bool wr_file_stream_fn(void *context, struct wr_arena *arena, struct wr_slice path,
                               struct wr_statement *declaration, struct wr_slice *why);

struct wr_compile_options {
    int flink_dialect;               /* 1: as SET dialect = 'flink'; -1: 'standard' in any case; 0: as SET says */
    wr_file_stream_fn *file_stream;  /* NULL: FROM 'file' is an error */
    void *file_stream_context;
    bool recorded;                   /* the input ends: no warning of matches that wait until then */
    bool whole_input;                /* an aggregation without a window is over all of the input */
    bool name_columns;               /* a result's column without a name gets one; else that is an error */
};

/* NULL when there was an error; all errors and warnings of the program are in diags.
 * `tree` was parsed from diags->sources; source number `main_file` becomes the program's text. */
struct wr_program *wr_compile(const struct wr_tree *tree, struct wr_diags *diags, uint32_t main_file,
                              const struct wr_compile_options *options);

/* A setting (SET name = …), or an option (WITH (name = …)), in the order of config.def; NULL past the last. */
struct wr_setting_info {
    const char *name;
    const char *kind;            /* TEXT, CHOICE, …: config.def says them */
    const char *values;          /* of a CHOICE, between | */
    const char *otherwise;       /* what holds when it is not said; "": nothing to say */
    const char *sentence;
    bool runs;                   /* false: refused by name so far */
};
const struct wr_setting_info *wr_setting_at(bool option, size_t i);

/* `weir explain`, drawn from the program that will run: in plain words, dataflow, automaton, state bound,
 * fields decoded; with bytecode beside its source lines when asked. `only`: one query's name, or empty. `bound`: what
 * state takes, one a node (the runtime knows), or NULL. */
enum wr_explain_format { WR_EXPLAIN_TEXT, WR_EXPLAIN_DOT, WR_EXPLAIN_JSON };
bool wr_explain(const struct wr_program *program, enum wr_explain_format format, struct wr_slice only,
                bool bytecode, const struct wr_state_bound *bound, struct wr_buf *out);

#endif
