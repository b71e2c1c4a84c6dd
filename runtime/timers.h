/* The timer service: moments armed by (time, operator, key), fired in order of time, then of the
 * operator in the program, then of the key's first appearance. Buckets of ids with lazy re-arm:
 * arming costs an append, and an operator that no longer wants a moment ignores it when it fires
 * (it checks its own deadline). */
#ifndef WR_RUNTIME_TIMERS_H
#define WR_RUNTIME_TIMERS_H

#include "base/base.h"

struct wr_operator;

struct wr_timer {
    int64_t time;
    uint64_t order; /* the key's first appearance: smaller fires first among equal times */
    uint32_t key;   /* whatever the operator finds its key by */
};

struct wr_timers {
    int64_t next;          /* earliest armed time; WR_TIME_MAX: none */
    struct wr_timer *heap; /* binary heap by (time, order) */
    uint32_t count, capacity;
    uint64_t fired; /* moments fired so far */
    int64_t moment; /* time of the moment being handled, or of the last one */
    int64_t before; /* the operator's time before that: for those whom it brought nothing */
    uint64_t order; /* and its key's order */
    bool ending;    /* the end of the input has fired what was armed: nothing is armed any more */
};

void wr_timers_init(struct wr_timers *timers);
void wr_timers_release(struct wr_timers *timers);
void wr_timers_clear(struct wr_timers *timers);
void wr_timer_arm(struct wr_timers *timers, int64_t time, uint64_t order, uint32_t key);
/* Fires all moments <= time, each through op->cls->on_moment; moments armed meanwhile fire too when
 * they are due. WR_TIME_MAX is the end of the input: the same as wr_timers_fire_armed. */
void wr_timers_fire(struct wr_timers *timers, struct wr_operator *op, int64_t time);
/* Fires every moment that is armed now, in order; what they arm is dropped (end of a bounded
 * input). */
void wr_timers_fire_armed(struct wr_timers *timers, struct wr_operator *op);

#endif
