/* Sinks: where encoded lines of one or more outputs meet. Lines of one input come in order of their
 * deciding places and go straight into the buffer; with several inputs they wait until no input can
 * still bring one that stands before them, and are written in order of (place, place of the match's
 * first row, position in the program). */
#ifndef WR_RUNTIME_SINK_H
#define WR_RUNTIME_SINK_H

#include "runtime/task.h"

struct wr_sink_key {
    struct wr_place place, first;
};

struct wr_sink_line {
    struct wr_sink_key key;
    uint32_t input;
    uint32_t segment, start, size; /* its bytes */
    uint64_t sequence;
};

struct wr_sink_input {
    struct wr_operator *op;
    uint32_t position; /* node number of what feeds it: order of ties */
    int64_t bound;     /* lines to come are decided at or after this time */
    struct wr_sink_key last;
};

struct wr_sink_segment {
    struct wr_buf bytes;
    uint32_t live;
};

struct wr_sink {
    struct wr_task *task;
    /* Owned, the opener's to set; NULL: the function below takes the lines. */
    struct wr_writer *writer;
    int (*take)(void *context, const char *lines, size_t size);
    void *context;
    char *path;           /* owned; what messages call it */
    struct wr_buf buffer; /* whole lines on their way out */
    WR_VEC(struct wr_sink_input) input;
    int64_t bound;     /* least of the inputs' */
    uint32_t at_bound; /* how many inputs stand there */
    WR_VEC(struct wr_sink_line) heap;
    WR_VEC(struct wr_sink_segment) segment;
    WR_VEC(uint32_t) free;
    uint32_t filling;
    uint64_t sequence;
    bool failed; /* nothing more is written */
    bool framed; /* lines are for wr_watch_lines */
};

/* take NULL: a writer will be set. */
struct wr_sink *wr_sink_new(struct wr_task *task, const char *path,
                            int (*take)(void *context, const char *lines, size_t size),
                            void *context);
void wr_sink_free(struct wr_sink *sink); /* without writing what is left */
/* Number of a new input. All are added before the first line. */
uint32_t wr_sink_add_input(struct wr_sink *sink, struct wr_operator *op, uint32_t position);
/* One line (or what stands before the first: then key NULL) of an input. */
void wr_sink_add(struct wr_sink *sink, uint32_t input, const struct wr_sink_key *key,
                 struct wr_slice line);
/* With one input there is nothing to order: lines may be appended here, whole, until the next call.
 * Else NULL. */
struct wr_buf *wr_sink_direct(struct wr_sink *sink);
void wr_sink_watermark(struct wr_sink *sink, uint32_t input, int64_t watermark);
/* Hands what may be written to the system; failures stop the task. */
void wr_sink_flush(struct wr_sink *sink);
/* flush, and the writer's own end. */
void wr_sink_close(struct wr_sink *sink);

/* State of one input: its lines that wait. */
void wr_sink_save(struct wr_sink *sink, uint32_t input, wr_state_entry_fn *entry, void *context);
bool wr_sink_load(struct wr_sink *sink, uint32_t input, struct wr_slice key, struct wr_slice value);
void wr_sink_clear(struct wr_sink *sink, uint32_t input);

#endif
