/* A task: the operators of a program over the source partitions that share state (all files of a
 * replay), their watermark, and the order in which they are read. Everything that an operator can
 * ask of its surroundings is here. */
#ifndef WR_RUNTIME_TASK_H
#define WR_RUNTIME_TASK_H

#include "runtime/drops.h"
#include "runtime/operator.h"
#include "runtime/scratch.h"
#include "runtime/watch.h"
#include "vm/limits.h"
#include <signal.h>

struct wr_source;
struct wr_sink;

/* A source partition: one file of a stream, or what the host pushes. */
struct wr_partition {
    struct wr_task *task;
    struct wr_source *source;
    uint32_t number; /* in its stream, from 0 */
    uint32_t place;  /* its number in places: 1 + index in task->partition */
    char *path;      /* owned */
    struct wr_reader *reader;
    int64_t watermark; /* WR_TIME_MIN before the first row, WR_TIME_MAX once it has ended */
    bool ended;
    uint64_t rows;    /* records read, bad ones included */
    uint64_t stop_at; /* offset of the bad record at which the run is to stop; UINT64_MAX: none */
    uint32_t *places; /* WR_BATCH_ROWS copies of .place: batch.source */
    int64_t *numbers; /* the same of .number, for FROM PARTITION; NULL until it is wanted */
    struct wr_feed *feed; /* what the host pushes, owned; NULL: a file */
};

struct wr_task_options {
    uint32_t batch_rows; /* 1 … WR_BATCH_ROWS */
    bool state_roundtrip;
    void (*cycle)(void *context); /* takes the place of wr_task_roundtrip; NULL: it does not */
    void *cycle_context;
    const char *matcher;                          /* borrowed */
    enum wr_executor executor;
    int64_t errors_max;                           /* -1: no budget */
    bool stop_on_error;                           /* SET on_error = 'stop' */
    void (*log)(void *context, const char *line); /* may be NULL */
    void *log_context;
    struct wr_watch *watch; /* borrowed; NULL: nobody watches */
    bool durable; /* a run that was interrupted goes on later: what follows an abandoned batch is not written */
    const volatile sig_atomic_t *stop; /* set when the run is to end; NULL: never. Borrowed */
};

struct wr_task {
    const struct wr_program *program;
    struct wr_task_options options;
    struct wr_operator **op; /* by node number */
    uint32_t op_count;
    struct wr_source **source; /* in the order of their streams */
    uint32_t source_count;
    struct wr_partition **partition;
    uint32_t partition_count;
    struct wr_row_code **row_code; /* by code number; row_code.c */
    struct wr_scratch scratch;
    struct wr_drops drops;
    struct wr_error error;  /* the first thing that stops the run */
    struct wr_error broken; /* an input that broke off: the result once the rest is processed */
    int64_t watermark; /* the least of the partitions' */
    int64_t time;      /* greatest effective time given to operators */
    const struct wr_operator *ending; /* whose on_end runs */
    uint64_t hash_seed;
    uint64_t rows_written;
    struct wr_limits limits;
    uint32_t unchecked; /* batches since the limits were last checked */
    int64_t stop_seen_us; /* when a batch first met the host's wish to end; 0: not yet */
    bool abandoned; /* wr_task_halted stopped somebody in the middle of a batch: what follows is no state and no result */
    struct wr_buf text; /* work space for log lines and messages */
};

/* Makes all operators (sources without partitions, outputs without sinks). The program is borrowed.
 * The struct is the caller's and zeroed, so that what stands of it can be released when memory runs
 * out halfway. */
void wr_task_init(struct wr_task *task, const struct wr_program *program,
                  const struct wr_task_options *options);
void wr_row_codes_release(struct wr_task *task);
void wr_task_release(struct wr_task *task); /* closes the readers; sinks are the engine's */
/* Opens a file as the next partition of a source node; path NULL: one that the host feeds. */
enum wr_status wr_task_add_partition(struct wr_task *task, uint32_t node, const char *path,
                                     const struct wr_connectors *connectors,
                                     struct wr_error *error);
/* Numbers the partitions by stream, then by their own numbers: after the last was added, before the
 * first step. */
void wr_task_start(struct wr_task *task);
/* Reads one batch of the partition whose time stands farthest back and does everything that follows
 * from it. WR_END: all inputs have ended, and what follows from that is done too. */
enum wr_status wr_task_step(struct wr_task *task);
/* Reads one batch of this partition, or sees its end, and does everything that follows from it. */
void wr_task_read(struct wr_task *task, struct wr_partition *partition);
/* After the partitions' watermarks have moved: tells the operators. */
void wr_task_advance(struct wr_task *task);

/* A dropped row or record: counted, sampled in the log, the budget checked. `line` 0: unknown; what
 * may be NULL. */
struct wr_drop_sample {
    struct wr_place place;
    uint64_t line;
    const char *what;
    struct wr_slice bytes;
    int64_t late_us; /* of a late row: how far behind its partition's watermark it came */
};
void wr_task_drop(struct wr_task *task, uint32_t query, enum wr_drop_kind kind, const char *reason,
                  const char *code, const struct wr_drop_sample *sample);

/* task_limits.c: after a batch. What is past a limit ends the run; limits that drop have done so already. */
void wr_limits_check(struct wr_task *task);

/* The state after a batch, saved, dropped and loaded again where a test mode asks for it. */
void wr_task_rest(struct wr_task *task);
/* roundtrip.c: saves the state of everything into memory, drops it, loads it again. */
void wr_task_roundtrip(struct wr_task *task);

/* output.c: where an OUTPUT node's rows go. `tag`: the name for {"name":{…}}, or NULL. Both are
 * borrowed but the encoder, which the operator frees. */
void wr_output_bind(struct wr_operator *op, struct wr_sink *sink, struct wr_encoder *encoder,
                    const char *tag);
uint64_t wr_output_rows(const struct wr_operator *op);
void wr_output_set_rows(struct wr_operator *op, uint64_t rows);

extern const struct wr_operator_class wr_source_operator;

#endif
