/* What the operators of a program keep, before it runs: for `weir explain`. */
#ifndef WR_RUNTIME_BOUND_H
#define WR_RUNTIME_BOUND_H

#include "vm/program.h"
#include "vm/state_bound.h"

/* One a node. */
void wr_program_bounds(const struct wr_program *program, struct wr_state_bound *bound);

#endif
