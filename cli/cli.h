/* What the commands share: parsed arguments, messages, files. One file per command; what runs a program goes
 * through include/weir.h as any embedder would, tools of the language use dsl/ and compiler/. */
#ifndef WR_CLI_CLI_H
#define WR_CLI_CLI_H

#include "base/buf.h"
#include "base/error.h"
#include "base/vec.h"
#include "include/weir.h"
#include <stdio.h>

/* Exit codes: they are API (weir help exit-codes). */
enum { WR_EXIT_DONE = 0, WR_EXIT_NO = 1, WR_EXIT_USAGE = 2, WR_EXIT_PROGRAM = 3, WR_EXIT_INPUT = 4, WR_EXIT_STATE = 5,
       WR_EXIT_IO = 6, WR_EXIT_LIMIT = 7, WR_EXIT_DEFECT = 70 };

enum wr_option_id {
#define OPTION(id, name, letter, argument, commands, text) WR_OPTION_##id,
#include "cli/options.def"
#undef OPTION
    WR_OPTION_COUNT
};

struct wr_given_option {
    enum wr_option_id id;
    const char *value; /* NULL for options without an argument */
};

struct wr_args {
    const char *command; /* its name, or NULL */
    WR_VEC(struct wr_given_option) option;
    WR_VEC(const char *) positional;
    bool color;          /* on standard error */
    bool color_out;      /* on standard output */
};

/* Parses argv behind the command's name. false after a message on standard error (exit 2). */
bool wr_args_parse(struct wr_args *args, const char *command, int argc, char **argv);
void wr_args_release(struct wr_args *args);
bool wr_args_has(const struct wr_args *args, enum wr_option_id id);
const char *wr_args_value(const struct wr_args *args, enum wr_option_id id); /* the last one given, or NULL */
/* A number in [low, high], or fallback when it is not given; false after a message. */
bool wr_args_number(const struct wr_args *args, enum wr_option_id id, int64_t low, int64_t high, int64_t fallback,
                    int64_t *value);

/* The place of a value among those that it may be (`list` says them: "a, b or c"); count after a message. */
size_t wr_args_choice(const char *option, const char *list, const char *value, const char *const *known, size_t count);
/* --dialect: 1 flink, -1 standard, 0 not given. */
int wr_args_dialect(const struct wr_args *args);

struct wr_option_info {
    enum wr_option_id id;
    const char *name;
    char letter;
    const char *argument, *commands, *text;
};
extern const struct wr_option_info wr_option_table[WR_OPTION_COUNT];
bool wr_option_of_command(const struct wr_option_info *option, const char *command);

struct wr_command_info {
    const char *name;
    int (*run)(struct wr_args *args);
    const char *arguments, *line, *example, *more;
};
extern const struct wr_command_info wr_command_table[];
extern const size_t wr_command_count;
const struct wr_command_info *wr_command_find(const char *name);

/* "weir: " and the message on standard error; returns `code`, so that `return wr_fail(2, …)` reads well. */
int wr_fail(int code, const char *format, ...) WR_PRINTF(2, 3);
/* The exit code of an operating error, after printing it ("" for quiet ones). */
int wr_exit_of(weir_status status, const weir_error *error);
void wr_print_usage(const struct wr_command_info *command, bool brief, FILE *out);

/* A whole file, or standard input for "-". false after a message; *code is the exit code. */
bool wr_read_file(const char *path, struct wr_buf *out, int *code);
/* Writes a whole file ("-": standard output). false after a message (exit 6). */
bool wr_write_file(const char *path, struct wr_slice bytes);
/* Files of a folder and all below it that end in one of these (NULL-terminated), in order of their names; a path that
 * is no folder stands for itself. */
struct wr_paths {
    WR_VEC(char *) list;
};
void wr_paths_add(struct wr_paths *paths, const char *path, const char *const *end);
void wr_paths_release(struct wr_paths *paths);
bool wr_path_ends(const char *path, const char *end);
bool wr_is_folder(const char *path);
/* Writes to standard output; a closed pipe ends the process quietly with 0, another error with 6. */
void wr_put_out(struct wr_slice bytes);

/* Running a program for query and replay. */
struct wr_run {
    weir_engine *engine;
    const char *format;     /* "table", "json", "jsonl", "csv" */
    struct wr_buf lines;    /* table, json: what came so far */
    struct wr_args *args;
};
/* Loads a text or a program file. Prints diagnostics. NULL after a message; *code is the exit code. */
weir_program *wr_load_program(struct wr_args *args, const char *path, int *code);
/* Binds what --in, --out, --param, WEIR_PARAM_… and further paths say. */
weir_status wr_run_bind(struct wr_args *args, weir_engine *engine, const char *const *input, size_t input_count,
                        weir_error *error);
int wr_run_program(struct wr_args *args, weir_program *program, const char *const *input, size_t input_count);

/* The rows of JSON lines as a table for people. */
void wr_table_print(struct wr_slice lines, struct wr_buf *out);
/* The rows of JSON lines as one array. */
void wr_json_array_print(struct wr_slice lines, struct wr_buf *out);

/* A CREATE STREAM for a recording, guesses as comments when asked. false after a message. */
bool wr_declare_from_file(const char *stream, const char *path, bool comments, struct wr_buf *out, int *code);
/* The stream name that a path suggests: payments.jsonl.gz → payments. */
void wr_stream_name_of(const char *path, struct wr_buf *out);

int wr_cli_query(struct wr_args *args);
int wr_cli_replay(struct wr_args *args);
int wr_cli_check(struct wr_args *args);
int wr_cli_compile(struct wr_args *args);
int wr_cli_explain(struct wr_args *args);
int wr_cli_fmt(struct wr_args *args);
int wr_cli_init(struct wr_args *args);
int wr_cli_why(struct wr_args *args);
int wr_cli_test(struct wr_args *args);
int wr_cli_help(struct wr_args *args);
int wr_cli_version(struct wr_args *args);
int wr_cli_state(struct wr_args *args);
int wr_cli_savepoint(struct wr_args *args);
int wr_cli_completion(struct wr_args *args);

#endif
