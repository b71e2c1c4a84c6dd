/* The engine: a program with its inputs and outputs bound, run to the end of what it reads. weir.c
 * puts the public header's functions in front of it. */
#ifndef WR_RUNTIME_ENGINE_H
#define WR_RUNTIME_ENGINE_H

#include "runtime/sink.h"

#include <signal.h>

struct wr_progress {
    uint64_t events, matches, bytes_done, bytes_total;
    int64_t event_time_us;
};

struct wr_engine_options {
    int64_t errors_max; /* -1: as the program says */
    bool tag_outputs;
    const char *format;  /* of unbound outputs: "json", "csv"; NULL: json */
    uint32_t batch_rows; /* 0: WR_BATCH_ROWS_DEFAULT */
    int state_roundtrip;  /* test modes: all state is saved, dropped and loaded after every batch, 1: in memory; 2: in a
                             store on disk; with a state directory 2: a checkpoint there after every batch, waited for;
                             3: as 2, but all keys leave memory (wr_checkpoint_stage) */
    const char *state;    /* a directory: checkpoints are taken there, and a run that was interrupted goes on; NULL: none */
    int64_t checkpoint_us;/* -1: as the program says, or 10 s */
    uint64_t checkpoint_rows; /* 0: as the program says, or none */
    bool discard_state, accept_loss, any_file_system;
    const char *matcher;
    enum wr_executor executor;
    int (*on_progress)(void *context, const struct wr_progress *progress);
    void (*on_log)(void *context, const char *line);
    int (*on_output)(void *context, const char *lines, size_t size); /* NULL: standard output */
    void *context;
    struct wr_watch_options watch; /* .on_result: takes the rows of all outputs in place of the above */
};

struct wr_binding {
    uint32_t node;
    char *path; /* NULL: fed by the host */
};

struct wr_checkpointer;
struct wr_checkpoint_options;

struct wr_engine {
    const struct wr_program *program;
    struct wr_program *own; /* a copy with parameters of its own, or NULL */
    const struct wr_connectors *connectors;
    struct wr_engine_options options; /* strings are copies */
    WR_VEC(struct wr_binding) input, output;
    WR_VEC(struct wr_sink *) sink;
    WR_VEC(char *) place; /* by node: of outputs, where their rows go; sinks borrow them */
    struct wr_task task;
    bool going_on; /* outputs are reopened as a run before this one left them */
    bool running; /* setting up has begun: it runs once */
    bool built; /* the task is there as a whole, its operators and counters may be asked */
    bool broke; /* memory ran out in the middle of a call: nothing more is taken, only told and released */
    bool finished; /* no more is taken */
    struct wr_watch *watch;
    struct wr_checkpointer *checkpointer; /* checkpoint.h; NULL: no state is kept on disk */
    volatile sig_atomic_t stop;
};

/* The program is borrowed (copied when it has parameters). WR_ERR_USAGE: an option out of range.
 * The struct is the caller's and zeroed. */
enum wr_status wr_engine_init(struct wr_engine *engine, const struct wr_program *program,
                              const struct wr_connectors *connectors,
                              const struct wr_engine_options *options, struct wr_error *error);
void wr_engine_release(struct wr_engine *engine);
enum wr_status wr_engine_set_parameter(struct wr_engine *engine, const char *name,
                                       const char *value, struct wr_error *error);
/* name NULL: the only one there is. */
enum wr_status wr_engine_bind_input(struct wr_engine *engine, const char *name, const char *path,
                                    struct wr_error *error);
enum wr_status wr_engine_bind_output(struct wr_engine *engine, const char *name, const char *path,
                                     struct wr_error *error);
enum wr_status wr_engine_run(struct wr_engine *engine, struct wr_error *error);
/* Set up and ready for the first record: what run and start begin with. */
enum wr_status wr_engine_set_up(struct wr_engine *engine, struct wr_error *error);
/* Memory ran out in it: the error is set. */
bool wr_engine_refuses(const struct wr_engine *engine, struct wr_error *error);
/* Closes the outputs and says how the run ended, `status` being what the loop came to. */
enum wr_status wr_engine_close_outputs(struct wr_engine *engine, enum wr_status status,
                                       struct wr_error *error);
void wr_engine_flush(struct wr_engine *engine);
void wr_engine_progress(const struct wr_engine *engine, struct wr_progress *progress);
void wr_engine_summary(const struct wr_engine *engine, bool json, struct wr_buf *out);

/* The name that binds a SOURCE or OUTPUT node; NULL for other nodes. */
const char *wr_node_binding_name(const struct wr_program *program, uint32_t node);

/* push.c: records from the host. A partition is made by feed (before start), its records are whole
 * lines of JSON; advance says that no row before `time` is to come in what is fed; open_starts counts
 * the rows from which a match of the pattern may still come. */
enum wr_status wr_engine_feed(struct wr_engine *engine, const char *name, uint32_t *partition,
                              struct wr_error *error);
enum wr_status wr_engine_start(struct wr_engine *engine, struct wr_error *error);
enum wr_status wr_engine_push(struct wr_engine *engine, const char *name, uint32_t number,
                              struct wr_slice records, const int64_t *time,
                              struct wr_error *error);
enum wr_status wr_engine_advance(struct wr_engine *engine, int64_t time, struct wr_error *error);
enum wr_status wr_engine_finish(struct wr_engine *engine, struct wr_error *error);
uint64_t wr_engine_open_starts(struct wr_engine *engine, const char *pattern, bool *found);

/* The SOURCE node of a name, as bind_input finds it; WR_NONE with the error. */
uint32_t wr_engine_find_input(const struct wr_engine *engine, const char *name,
                              struct wr_error *error);
/* bind.c: opens what is bound, and what the program's own options name. */
enum wr_status wr_engine_open_inputs(struct wr_engine *engine, struct wr_error *error);
enum wr_status wr_engine_open_outputs(struct wr_engine *engine, struct wr_error *error);
/* With a state directory: WR_ERR_USAGE where an output would lie in it. Before anything is thrown away, and again once the
 * directory has been made. */
enum wr_status wr_engine_check_outputs(const struct wr_engine *engine, struct wr_error *error);

#endif
