/* Which units of an operator's state have changed since the last checkpoint. A unit is what is saved as one entry: a
 * key, by its dense id. An operator calls wr_unit_touch before it changes anything of a unit, and wr_unit_forget before
 * a unit's id stands for nothing any more; nothing else is asked of it.
 *
 * While a checkpoint is being taken its units are frozen: a unit that is about to change and has not been saved yet is
 * saved on the spot, as it was at the checkpoint's moment. Without checkpoints all this is one test. */
#ifndef WR_RUNTIME_CHANGES_H
#define WR_RUNTIME_CHANGES_H

#include "runtime/codec.h"

struct wr_operator;
struct wr_checkpointer;

struct wr_changes {
    struct wr_checkpointer *checkpointer; /* NULL: nobody takes checkpoints */
    void (*save_now)(struct wr_operator *op, uint32_t unit); /* the checkpointer's: a frozen unit, before it changes */
    uint32_t words;      /* of each of the bit sets below */
    uint64_t *changed;   /* since the checkpoint that is being taken, or else the last one */
    uint64_t *frozen;    /* belong to the one being taken and are not saved yet */
    uint64_t *stored;    /* have an entry in the store (or in the checkpoint being taken) */
    struct wr_buf gone;  /* keys of units that had an entry and are no more: LEB128 length and bytes each */
    uint32_t frozen_from; /* no word in front of this one has a frozen unit; WR_NONE: none has */
    uint64_t stored_count;
};

void wr_unit_touch_slow(struct wr_operator *op, uint32_t unit);
void wr_units_touch_slow(struct wr_operator *op, const int32_t *unit, uint32_t count);
/* Asks for what save_unit reads of the units first + i of which bit i is set. */
void wr_units_prefetch(const struct wr_operator *op, uint32_t first, uint64_t bits);
/* Some unit is on its way out of memory (cold.h). */
bool wr_units_leave(const struct wr_operator *op);
void wr_unit_forget_slow(struct wr_operator *op, uint32_t unit);
/* Room for the bits of so many words; what is new is zero. */
void wr_changes_grow(struct wr_changes *changes, uint32_t words);
void wr_changes_release(struct wr_changes *changes);

#endif
