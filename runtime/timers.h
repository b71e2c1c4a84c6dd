/* The timer service: moments armed by (time, operator, key), fired in order of time, then of the
 * operator in the program, then of the key's first appearance.
 *
 * Nearly all moments are armed in the order in which they fire: what waits for the same span arms
 * later moments at later rows. So they stand in a few ascending runs, rings to which arming appends
 * and from whose front firing takes; one that fits none goes to a heap. Arming is lazy: a moment
 * that nobody wants any more fires and is passed over by its operator (it checks its own deadline),
 * so nothing is ever searched for or taken out of the middle. */
#ifndef WR_RUNTIME_TIMERS_H
#define WR_RUNTIME_TIMERS_H

#include "base/base.h"

struct wr_operator;

struct wr_timer {
    int64_t time;
    uint64_t order; /* the key's first appearance: smaller fires first among equal times */
    uint32_t key;   /* whatever the operator finds its key by */
};

/* A ring of ascending moments. The capacity is a power of two, or 0. */
struct wr_timer_run {
    struct wr_timer *at;
    uint32_t first, count, capacity;
};

enum { WR_TIMER_RUNS = 4 };

struct wr_timers {
    int64_t next;          /* earliest of the two below; WR_TIME_MAX: none */
    int64_t armed;         /* earliest armed time */
    int64_t wake;          /* by then keys that have left memory must be back (cold.h) */
    struct wr_timer_run run[WR_TIMER_RUNS];
    struct wr_timer *heap; /* binary heap of those that fitted no run */
    uint32_t heap_count, heap_capacity;
    uint32_t count;  /* armed */
    uint32_t least;  /* where the earliest stands: the run's number, WR_TIMER_RUNS: the heap */
    uint64_t fired;  /* moments fired so far */
    int64_t moment;  /* time of the moment being handled, or of the last one */
    int64_t before;  /* the operator's time before that: for those whom it brought nothing */
    uint64_t order;  /* and its key's order */
    bool ending;     /* the end of the input has fired what was armed: nothing is armed any more */
};

void wr_timers_init(struct wr_timers *timers);
void wr_timers_release(struct wr_timers *timers);
void wr_timers_clear(struct wr_timers *timers);
void wr_timer_arm(struct wr_timers *timers, int64_t time, uint64_t order, uint32_t key);
/* Fires all moments <= time, each through op->cls->on_moment; moments armed meanwhile fire too when
 * they are due. WR_TIME_MAX is the end of the input: the same as wr_timers_fire_armed. Ends early
 * when the run has been halted (wr_task_halted): what is due then stays armed. */
void wr_timers_fire(struct wr_timers *timers, struct wr_operator *op, int64_t time);
/* Fires every moment that is armed now, in order; what they arm is dropped (end of a bounded
 * input). */
void wr_timers_fire_armed(struct wr_timers *timers, struct wr_operator *op);
uint64_t wr_timers_bytes(const struct wr_timers *timers);
/* Sets .wake. */
void wr_timers_wake(struct wr_timers *timers, int64_t time);
/* Takes out all moments whose key has its bit set; keys are below 64 * words, or have none. */
void wr_timers_drop(struct wr_timers *timers, const uint64_t *keys, uint32_t words);

#endif
