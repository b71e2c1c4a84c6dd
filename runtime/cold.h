/* Keys that have left memory (SET memory_max): their entries lie in the store, under their operator's name, key and the time
 * by which they must be back.
 *
 * A key leaves with a checkpoint. When one begins, keys that have not changed for longest are marked as leaving, enough of them
 * that what is kept gets below the bound; their entries go into the checkpoint as cold ones. A key that is touched meanwhile
 * stays. Once the checkpoint is durable the others are dropped from memory. So what is dropped is always what lies there.
 *
 * A key comes back when a row of it comes, and before a moment of it fires. Its entry in the store is void from then on, and
 * taken away by the next checkpoint; which entries are void is known by a set of those keys, and by the time up to which all have
 * been brought back. An operator that counts its keys against a limit keeps them all. */
#ifndef WR_RUNTIME_COLD_H
#define WR_RUNTIME_COLD_H

#include "runtime/key_set.h"
#include "runtime/keytable.h"
#include "runtime/operator.h"
#include "runtime/store.h"

struct wr_checkpointer;

/* Of an operator whose keys may leave. */
struct wr_cold_keys {
    struct wr_cold *cold;
    struct wr_buf name;          /* its entries' in the store */
    uint64_t count;              /* keys that are out */
    int64_t due;                 /* by when the first of them must be back; WR_TIME_MAX: never */
    int64_t woken;               /* all that were due by then are back */
    struct wr_cold_place place;  /* of the walk by time */
    uint64_t *leaving;           /* bits of units that leave with the checkpoint being taken */
    uint32_t words, leaving_count;
    uint32_t hand;               /* where the search for such units goes on */
    /* Of the checkpoint being taken: */
    uint64_t count_then, put;    /* keys that were out when it began, entries that it adds */
    int64_t woken_then;
};

/* The engine's side calls these where op->cold is there and keys are out or leave. */

/* For every selected row whose key is not in memory, or came with this batch: brings it back if it is out. id[row] is set.
 * `before`: wr_keytable_next_order before the batch's keys were looked up. */
void wr_cold_rows(struct wr_operator *op, struct wr_keytable *keys, const struct wr_batch *batch, const uint32_t *column,
                  uint32_t columns, const uint64_t *select, uint64_t before, int32_t *id);
/* Keys are out, or may be with the checkpoint that is about to be taken. */
bool wr_cold_may_be_out(const struct wr_operator *op);
/* Brings back the keys that are due first, all of that time. */
void wr_cold_wake(struct wr_operator *op);
/* Brings back those that are due at `time`, in their order, about so many; false: there are no more. */
bool wr_cold_wake_some(struct wr_operator *op, int64_t time, uint32_t most);
/* Brings all back. */
void wr_cold_wake_all(struct wr_operator *op);
/* Nothing of those that are out will ever matter. */
void wr_cold_abandon(struct wr_operator *op);
/* A leaving unit is about to change or to be given up: it stays, and what is said of it in the store is void. */
void wr_cold_stay(struct wr_operator *op, uint32_t unit);
static inline bool wr_cold_is_leaving(const struct wr_operator *op, uint32_t unit)
{
    const struct wr_cold_keys *k = op->cold;
    return k && k->leaving_count && unit / 64 < k->words && k->leaving[unit / 64] >> unit % 64 & 1;
}

/* ---- For checkpoint.c, recover.c ------------------------------------------------------------------- */

/* Makes the operators ready whose keys may leave. memory_max 0: none does, but those that are out come back; WR_COLD_ALL: all
 * leave with every checkpoint (tests). */
enum { WR_COLD_ALL = 1 };
void wr_cold_open(struct wr_checkpointer *c, uint64_t memory_max);
void wr_cold_close(struct wr_checkpointer *c);
/* What is kept, beside memory_max: true when it is more. `soft`: or nearly as much. */
bool wr_cold_is_pressed(const struct wr_checkpointer *c, bool soft);
/* A checkpoint begins, units are frozen: chooses those that leave, and returns how many. finished: it is that of a run that has
 * come to its end. */
uint64_t wr_cold_begin(struct wr_checkpointer *c, bool finished);
/* The entry of a leaving unit, for wr_operator_class.save_unit. */
void wr_cold_put(struct wr_operator *op, uint32_t unit, struct wr_slice key, struct wr_slice value);
/* Adds what a checkpoint changes of cold entries to it; lent until wr_cold_settle. */
void wr_cold_commit(struct wr_checkpointer *c, struct wr_store_commit *commit);
/* The checkpoint is durable: what has left is dropped. */
void wr_cold_settle(struct wr_checkpointer *c);
/* The record's field "cold": per operator with entries its number, how many, their name. */
void wr_cold_encode(const struct wr_checkpointer *c, struct wr_buf *out);
struct wr_record_cold {
    uint32_t op;                 /* number in the record's list of operators */
    uint64_t count;
    struct wr_slice name;
};
bool wr_record_cold_next(struct wr_slice *in, struct wr_record_cold *cold);
/* What the record says is out; from[] as in wr_record_apply. Entries of operators that nobody goes on with are to go. */
enum wr_status wr_cold_recover(struct wr_checkpointer *c, struct wr_slice record, const uint32_t *from, struct wr_error *error);

#endif
