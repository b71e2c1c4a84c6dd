/* The one place that reads a clock, and chance. Results never depend on either: the clock paces
 * progress, flushing and log lines, chance keys hash tables so that nobody can choose collisions.
 */
#ifndef WR_RUNTIME_CLOCK_H
#define WR_RUNTIME_CLOCK_H

#include "base/base.h"

/* Microseconds since some fixed moment; never goes back. */
int64_t wr_clock_monotonic_us(void);
/* The same clock in nanoseconds. */
int64_t wr_clock_monotonic_ns(void);
/* Nanoseconds that a look at it takes, which can be as long as what is measured. */
int64_t wr_clock_cost_ns(void);
/* Microseconds since 1970 by the machine's clock: for people, when a checkpoint was taken. */
int64_t wr_clock_wall_us(void);
/* A number that others cannot guess. */
uint64_t wr_clock_seed(void);

#endif
