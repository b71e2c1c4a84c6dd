/* What an operator's state takes in memory, as the operator lays it out: bytes, without texts and arrays, which come on
 * top by their lengths. The runtime fills it in (runtime/operator.h, bound), explain tells it. All 0: no state. */
#ifndef WR_VM_STATE_BOUND_H
#define WR_VM_STATE_BOUND_H

#include "base/base.h"

struct wr_state_bound {
    uint32_t key;   /* a key with any state, whatever it is */
    uint32_t start; /* an open start of a pattern; an open window of a key */
    uint32_t way;   /* each further way on which an open start may go on */
    uint32_t row;   /* a row taken on a way; a row that waits in a source or union */
    bool one_start; /* of a key's starts only the earliest is kept */
    bool elders;    /* a start that has come no farther than an earlier one is not kept */
};

#endif
