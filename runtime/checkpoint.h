/* Checkpoints from the engine's side: what is written, when, in which form; and starting again from one.
 *
 * The engine takes a checkpoint between two batches. At that moment everything that belongs to no unit is encoded, and
 * the units that have changed since the last one are frozen (changes.h); they are encoded a few at a time between the
 * batches that follow, or at once before they change. The saver (saver.h) writes meanwhile.
 *
 * A segment: byte 1 (its form); LEB128 epoch; entries up to the end:
 *   LEB128 number of the operator in the record's list; byte kind: 'o' belongs to no unit, 'u' a unit, 'g' a unit that
 *   is no more; LEB128 length and bytes of the key; unless 'g' the same of the value.
 * Of several entries for one (operator, key) the last counts: later segments, later in a segment. Entries 'o' count
 * only in the segments of the newest epoch.
 *
 * The record: byte 1 (its form), then named fields, each LEB128 length of its name, name, LEB128 length, bytes; a
 * reader passes over names that it does not know:
 *   epoch, taken_us (wall clock, for people), weir (version), store (16 random bytes), identity (of the program),
 *   content (hash of its file with the values of its parameters), finished (the inputs had ended), operators (list),
 *   partitions (list), sinks (list), drops, rows_written, watermark, time, first_segment (of the epoch).
 *
 * Not dropped yet by anybody: segments from `keep_from` on, the oldest that holds an entry which still counts. To let
 * it rise, units that have not changed for long are saved again, part after part (refresh). */
#ifndef WR_RUNTIME_CHECKPOINT_H
#define WR_RUNTIME_CHECKPOINT_H

#include "runtime/engine.h"
#include "runtime/saver.h"

struct wr_checkpointer;

struct wr_checkpoint_options {
    const char *directory;
    int64_t interval_us;     /* from the beginning of one to that of the next; 0: after every batch */
    uint64_t interval_rows;  /* 0: no matter */
    bool discard;            /* what is there is put aside */
    bool accept_loss;        /* another program may begin with operators that find no state */
    bool any_file_system;
    bool each_batch;         /* tests: one after every batch, waited for */
    uint64_t memory_max;     /* bytes that keys may take in memory; 0: any number (cold.h) */
    bool volatile_;          /* tests */
    bool no_thread;          /* tests */
};

/* What the command line prints and tests ask. */
struct wr_checkpoint_stats {
    uint64_t epoch, taken, units, bytes;  /* since the start: checkpoints, entries of units, bytes of segments */
    int64_t pause_max_us, pause_sum_us;   /* of the engine's thread at one go */
    int64_t commit_max_us;
    bool resumed, finished_before;
    uint64_t resumed_rows;                /* rows that the run before this one had read */
    uint64_t pause_count, pause_bucket[24]; /* pauses of less than 2^i µs */
};

/* Opens the directory, before inputs and outputs are opened. *going_on: a checkpoint is there, so that outputs are to be
 * reopened as they are. */
enum wr_status wr_checkpoint_open(struct wr_engine *engine, const struct wr_checkpoint_options *options, bool *going_on,
                                  struct wr_error *error);
/* Inputs and outputs are open: puts everything where the checkpoint says, or takes the first one. */
enum wr_status wr_checkpoint_resume(struct wr_engine *engine, struct wr_error *error);
/* Between two batches. Takes a checkpoint when one is due, goes on with one that is being taken. */
enum wr_status wr_checkpoint_tick(struct wr_engine *engine, struct wr_error *error);
/* After the sinks were flushed between two batches: the journal hears how far they have come. */
enum wr_status wr_checkpoint_publish(struct wr_engine *engine, struct wr_error *error);
/* The checkpoint that was found is of a run that has come to its end: there is nothing to do. */
bool wr_checkpoint_was_finished(const struct wr_engine *engine);
/* Nothing more is written into the store; before the outputs are closed. */
void wr_checkpoint_close_saver(struct wr_engine *engine);
/* Saves everything into a store in a temporary directory, forgets it, loads it again: the test mode of engines that
 * keep no state otherwise (roundtrip.c does the same in memory). cold: keys leave memory and come back as they are wanted,
 * nothing else is loaded. */
void wr_checkpoint_cycle_open(struct wr_engine *engine, bool cold);
void wr_checkpoint_cycle(struct wr_engine *engine);
/* Takes one now and waits until it is durable. finished: the inputs have ended and all is written. */
enum wr_status wr_checkpoint_now(struct wr_engine *engine, bool finished, struct wr_error *error);
void wr_checkpoint_close(struct wr_engine *engine);
void wr_checkpoint_measure(const struct wr_engine *engine, struct wr_checkpoint_stats *stats);

/* ---- The forms, for those who read a store without an engine ------------------------------------ */

struct wr_segment_entry {
    uint32_t op;             /* index in the record's list of operators */
    char kind;               /* 'o', 'u', 'g' */
    struct wr_slice key, value;
};
/* Reads a segment's head; then entry after entry until it is empty. false: malformed. */
bool wr_segment_begin(struct wr_slice *in, uint64_t *epoch);
bool wr_segment_next(struct wr_slice *in, struct wr_segment_entry *entry);

struct wr_record_field {
    struct wr_slice name, value;
};
bool wr_record_begin(struct wr_slice *in);
bool wr_record_next(struct wr_slice *in, struct wr_record_field *field);
/* The value of a field; data NULL: there is none. */
struct wr_slice wr_record_find(struct wr_slice record, const char *name);

/* One element of the field "operators": LEB128-counted. identity: 16 bytes. */
struct wr_record_operator {
    struct wr_slice identity, kind, name; /* kind "pattern", "window", …; name as users know it */
    struct wr_slice clock;                /* its times: checkpoint_record.c */
    uint64_t units, bytes;                /* in the store when it was written */
};
bool wr_record_operator_next(struct wr_slice *in, struct wr_record_operator *op);
struct wr_record_partition {
    struct wr_slice stream, path;
    uint64_t number, rows;
    bool ended;
    int64_t watermark;
    struct wr_read_position position;
    uint64_t total;          /* bytes of the input as it lay there; 0: unknown */
};
bool wr_record_partition_next(struct wr_slice *in, struct wr_record_partition *partition);

#endif
