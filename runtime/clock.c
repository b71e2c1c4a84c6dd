/* Monotonic time for pacing, and a seed. */
#include "runtime/clock.h"

#include <sys/random.h>
#include <time.h>

/* Nanoseconds of a clock of the system. */
static int64_t read_clock(clockid_t clock)
{
    struct timespec now;
    int failed = clock_gettime(clock, &now);
    WR_ASSERT(failed == 0);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t wr_clock_monotonic_us(void) { return read_clock(CLOCK_MONOTONIC) / 1000; }

int64_t wr_clock_wall_us(void) { return read_clock(CLOCK_REALTIME) / 1000; }

int64_t wr_clock_monotonic_ns(void) { return read_clock(CLOCK_MONOTONIC); }

int64_t wr_clock_cost_ns(void)
{
    enum { LOOKS = 32 };
    int64_t least = INT64_MAX;
    for (int i = 0; i < LOOKS; i++) {
        int64_t before = wr_clock_monotonic_ns();
        least = WR_MIN(least, wr_clock_monotonic_ns() - before);
    }
    return least;
}

uint64_t wr_clock_seed(void)
{
    uint64_t seed;
    if (getrandom(&seed, sizeof seed, GRND_NONBLOCK) != (ssize_t)sizeof seed)
        seed = (uint64_t)wr_clock_monotonic_us() * 0x9e3779b97f4a7c15u;
    return seed;
}
