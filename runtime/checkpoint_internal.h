/* What the files of checkpoints share: checkpoint.c takes them, checkpoint_record.c has their forms, recover.c starts
 * again from one. */
#ifndef WR_RUNTIME_CHECKPOINT_INTERNAL_H
#define WR_RUNTIME_CHECKPOINT_INTERNAL_H

#include "base/vec.h"
#include "runtime/checkpoint.h"

/* Units of all operators are saved again in so many parts: unit i belongs to part (i / 64) % WR_PARTS. */
enum { WR_PARTS = 16 };

struct wr_segment_size {
    uint64_t number, bytes;
};

struct wr_checkpointer {
    struct wr_engine *engine;
    struct wr_checkpoint_options options;
    char *directory;             /* owned; NULL: the test mode, whose store is temporary and whose outputs live on */
    char *cycle_directory;       /* of the test mode */
    uint64_t stages;             /* of the test mode in which keys leave: wr_checkpoint_stage */
    struct wr_store *store;
    struct wr_saver *saver;
    struct wr_published *published;
    struct wr_buf found;         /* the record that lay there when the store was opened; size 0: none */
    uint8_t store_id[16];        /* chance, made with the store: tells copies of the directory's outputs apart */

    uint64_t epoch;              /* of the checkpoint being taken, or of the last one */
    uint64_t next_segment;       /* number of the segment being filled */
    uint64_t first_segment;      /* of the epoch */
    uint64_t keep_from;
    uint64_t part_from[WR_PARTS];/* entries of a part's units lie in segments from this number on */
    uint32_t next_part;
    WR_VEC(struct wr_segment_size) log; /* segments in the store, oldest first */
    uint64_t log_bytes, own_bytes, unit_bytes, unit_count; /* of the last checkpoint: for an estimate of what lives */

    bool taking;                 /* units are frozen, or the saver has not answered */
    bool encoded;                /* everything has been handed to the saver */
    bool ahead;                  /* some output was published beyond the checkpoint */
    bool program_stored;
    uint32_t scan_op, scan_word;
    bool rows_done;              /* of scan_op */
    struct wr_buf segment;       /* being filled */
    struct wr_buf record;
    struct wr_buf scratch;

    int64_t begun_us;            /* when the last one was begun */
    int64_t spent_us;            /* of the engine's thread, for the one being taken */
    int64_t spent_last_us;
    int64_t stepped_us;          /* end of the last tick */
    uint64_t rows_begun;         /* rows read when the last one was begun */
    uint64_t forced;             /* units saved because they were about to change, since the last tick */
    int64_t forced_ns;           /* and what that took */
    int64_t clock_ns;            /* what looking at the clock takes */
    struct wr_checkpoint_stats stats;
    WR_VEC(uint64_t) own_segment; /* of the checkpoint being taken: those that hold entries of no unit */
    struct wr_populator *populator; /* this one and the next: while operators are loaded */
    struct wr_segment_reader *reader;
    struct wr_cold *cold;        /* keys that have left memory; NULL: none may */
    struct wr_state_check *check; /* builds with faults, when asked for; else NULL */
};

/* Takes a checkpoint now in which every unit has an entry, so that no older segment counts. */
enum wr_status wr_checkpoint_rewrite(struct wr_engine *engine, struct wr_error *error);
/* For the test mode in which all keys leave, after each batch: a whole checkpoint; then one in stages, with rows between them,
 * so that some keys are wanted as they leave: begun, units encoded and handed over, settled. */
enum wr_status wr_checkpoint_stage(struct wr_checkpointer *c, struct wr_error *error);
/* Encodes one frozen unit now. */
void wr_checkpointer_save_unit(struct wr_checkpointer *c, struct wr_operator *op, uint32_t unit);

/* The same for one that is about to change. */
void wr_checkpointer_save_now(struct wr_operator *op, uint32_t unit);

/* The record of a checkpoint of this task, as it stands; sinks are marked. */
enum wr_status wr_record_encode(struct wr_checkpointer *c, bool finished, struct wr_buf *out, struct wr_error *error);
/* Operators' clocks, partitions' marks, counters and drops out of a record. WR_ERR_STATE: malformed or of another task.
 * from[i]: index in the record's list of operator i of the task, WR_NONE: it begins empty. */
enum wr_status wr_record_apply(struct wr_engine *engine, struct wr_slice record, const uint32_t *from, struct wr_error *error);
/* Every reader goes to where the record says. */
enum wr_status wr_record_seek(struct wr_engine *engine, struct wr_slice record, struct wr_error *error);
/* Fills from[]; `lost` is told of keys' state that no operator takes: "alerts (7 keys), …". */
enum wr_status wr_record_match(struct wr_engine *engine, struct wr_slice record, uint32_t *from, struct wr_buf *lost,
                               struct wr_error *error);
/* The record is of this very program, with the same values of its parameters. */
bool wr_record_is_of(struct wr_slice record, const struct wr_program *program);
/* Loads the operators' entries out of the store's segments. */
enum wr_status wr_recover_operators(struct wr_checkpointer *c, struct wr_slice record, const uint32_t *from,
                                    struct wr_error *error);
/* The store's own program runs on to what it published and takes a checkpoint there. The store is closed. */
enum wr_status wr_checkpoint_catch_up(struct wr_engine *engine, struct wr_store *store, struct wr_error *error);
uint64_t wr_task_rows(const struct wr_task *task);

#endif
