/* Sinks: where encoded lines of one or more outputs meet. Lines of one input come in order of their
 * deciding places and go straight into the buffer; with several inputs they wait until no input can
 * still bring one that stands before them, and are written in order of (place, place of the match's
 * first row, position in the program). */
#ifndef WR_RUNTIME_SINK_H
#define WR_RUNTIME_SINK_H

#include "base/hash.h"
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

enum { WR_SINK_TAIL = 4096 }; /* a file is told again by the hash of so many bytes before a checkpoint's place */

struct wr_sink {
    struct wr_task *task;
    /* Owned, the opener's to set; NULL: the function below takes the lines. */
    struct wr_writer *writer;
    int (*take)(void *context, const char *lines, size_t size);
    void *context;
    char *path;           /* owned; what messages call it */
    const char *place;    /* borrowed; tells its file however it is spelt */
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
    /* Where state is kept: */
    bool digested;             /* the fields below are kept up */
    uint64_t bytes;            /* of content so far, what is not written again included */
    struct wr_digest digest;   /* of it */
    struct wr_buf tail;        /* its last bytes, WR_SINK_TAIL at least where there are so many */
    uint64_t published;        /* up to here nothing is written again */
    uint64_t journal;          /* how far it had come when the run began, as the journal says: `published`, or farther where
                                  what lay there was damaged or could not stay */
    uint64_t published_digest; /* what the digest must be there */
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

/* ---- Outputs that outlive a crash (published.c) -------------------------------------------------
 *
 * A checkpoint holds how far each output had come and a running digest of its content. Between checkpoints a journal
 * beside the store says how far each had been written: its published position. After a crash each output is cut to its
 * published position and the run goes on from the checkpoint; what it gives up to the published position is not
 * written again but digested, and must come to the same digest. */

/* At a checkpoint: hands everything to the system, marks the writer, and appends the position to `out`: names of the
 * outputs, path, content bytes, file bytes, digest, and a hash of the last bytes. */
enum wr_status wr_sink_mark(struct wr_sink *sink, struct wr_buf *out, struct wr_error *error);

/* One of these positions. kind: 'f' a plain file, 'c' a compressed one, 's' a stream; digest: a struct wr_digest. */
struct wr_mark {
    struct wr_slice names, path, digest;
    uint8_t kind;
    uint64_t bytes, size, tail; /* of content; of the file; hash of the last bytes */
};
bool wr_mark_next(struct wr_slice *in, struct wr_mark *mark);

struct wr_published;
/* The journal in a state directory; made when it is not there. */
struct wr_published *wr_published_open(const char *directory, struct wr_error *error);
void wr_published_close(struct wr_published *published); /* NULL is fine */
/* After the sinks were flushed: where they stand. `run` tells the journals of different runs apart. Survives the death
 * of the process, not a loss of power. */
enum wr_status wr_published_note(struct wr_published *published, uint64_t run, struct wr_sink *const *sink, size_t count,
                                 struct wr_error *error);
/* Before the first row of a run that goes on from a checkpoint: finds this sink's position in what wr_sink_mark wrote
 * (one after the other, all sinks'), cuts its file and arms the suppression. *ahead: the journal knows of more than the
 * checkpoint. WR_ERR_STATE: the file is not the one, or shorter than the checkpoint says. What was published but is
 * damaged or lost (no power) is cut off back to the checkpoint, and `told` hears so. fresh: a sink without a position
 * is an output that a changed program has added, and begins empty; else it is WR_ERR_STATE. */
struct wr_sink_resume {
    struct wr_slice marks;
    struct wr_published *published;
    uint64_t run;
    bool fresh, ahead;
    void (*told)(void *context, const char *line);
    void *context;
};
enum wr_status wr_sink_resume(struct wr_sink *sink, struct wr_sink_resume *how, struct wr_error *error);
/* The re-run has not come to the published position yet. */
bool wr_sink_is_behind(const struct wr_sink *sink);
/* From the saver's thread, after wr_sink_mark: what was marked survives a loss of power. */
enum wr_status wr_sink_sync(struct wr_sink *sink, struct wr_error *error);

/* State of one input: its lines that wait. `port`: what it is to its operator, as other outputs of the program may come
 * to stand before it in the sink. */
void wr_sink_save(struct wr_sink *sink, uint32_t input, uint32_t port, wr_state_entry_fn *entry, void *context);
bool wr_sink_load(struct wr_sink *sink, uint32_t input, uint32_t port, struct wr_slice key, struct wr_slice value);
void wr_sink_clear(struct wr_sink *sink, uint32_t input);

#endif
