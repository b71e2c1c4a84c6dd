/* A test mode of checkpoints, in builds with WR_FAULTS and where wr_fault_checks_state: at the moment of a checkpoint every
 * unit is encoded. A unit that is saved later must give the bytes of that moment; one that was not touched between two
 * checkpoints must give the same bytes at both. Starts of a pattern whose time is up may be gone. What differs ends the
 * process with both forms on stderr: an operator has changed a unit without wr_unit_touch. */
#ifndef WR_RUNTIME_STATE_CHECK_H
#define WR_RUNTIME_STATE_CHECK_H

#include "runtime/checkpoint_internal.h"

#ifdef WR_FAULTS

/* Units have been frozen; nothing of this checkpoint is saved yet. */
void wr_state_check_barrier(struct wr_checkpointer *c);
/* A frozen unit is about to be saved. */
void wr_state_check_unit(struct wr_checkpointer *c, struct wr_operator *op, uint32_t unit);
/* Everything has been loaded anew: what was known of units before says nothing. */
void wr_state_check_forget(struct wr_checkpointer *c);
#define WR_STATE_CHECK(call) (call)

#else
#define WR_STATE_CHECK(call) ((void)0)
#endif

#endif
