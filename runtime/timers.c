/* Moments in ascending runs and, for what fits none, a binary heap; by (time, order, key). Which of
 * them holds a moment does not show: the earliest of all fronts fires. */
#include "runtime/cold.h"

/* How many moments ahead an operator may ask for what it will read. */
enum { AHEAD = 6, STAGES = 4 }; /* stages at 24, 18, 12 and 6 */
/* After how many moments the wish to stop is looked at. */
enum { LOOK_EVERY = 256 };

static bool before(const struct wr_timer *a, const struct wr_timer *b)
{
    if (a->time != b->time) return a->time < b->time;
    if (a->order != b->order) return a->order < b->order;
    return a->key < b->key;
}

static struct wr_timer *run_at(const struct wr_timer_run *run, uint32_t index)
{
    WR_DCHECK(index < run->count);
    return &run->at[(run->first + index) & (run->capacity - 1)];
}

void wr_timers_init(struct wr_timers *timers)
{
    *timers = (struct wr_timers){.next = WR_TIME_MAX, .armed = WR_TIME_MAX, .wake = WR_TIME_MAX, .moment = WR_TIME_MIN};
}

void wr_timers_release(struct wr_timers *timers)
{
    for (uint32_t r = 0; r < WR_TIMER_RUNS; r++) wr_free(timers->run[r].at);
    wr_free(timers->heap);
    wr_timers_init(timers);
}

void wr_timers_clear(struct wr_timers *timers)
{
    for (uint32_t r = 0; r < WR_TIMER_RUNS; r++) timers->run[r].first = timers->run[r].count = 0;
    timers->heap_count = timers->count = 0;
    timers->next = timers->armed = timers->wake = WR_TIME_MAX;
}

uint64_t wr_timers_bytes(const struct wr_timers *timers)
{
    uint64_t capacity = timers->heap_capacity;
    for (uint32_t r = 0; r < WR_TIMER_RUNS; r++) capacity += timers->run[r].capacity;
    return capacity * sizeof(struct wr_timer);
}

/* ---- The heap ---------------------------------------------------------------------------------- */

static void heap_push(struct wr_timers *timers, const struct wr_timer *timer)
{
    if (timers->heap_count == timers->heap_capacity) {
        timers->heap_capacity = timers->heap_capacity ? timers->heap_capacity * 2 : 16;
        timers->heap = wr_realloc(timers->heap, timers->heap_capacity * sizeof *timers->heap);
    }
    uint32_t at = timers->heap_count++;
    while (at > 0 && before(timer, &timers->heap[(at - 1) / 2])) {
        timers->heap[at] = timers->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    timers->heap[at] = *timer;
}

static struct wr_timer heap_pop(struct wr_timers *timers)
{
    WR_ASSERT(timers->heap_count > 0);
    struct wr_timer first = timers->heap[0], last = timers->heap[--timers->heap_count];
    uint32_t at = 0, count = timers->heap_count;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= count) break;
        if (child + 1 < count && before(&timers->heap[child + 1], &timers->heap[child])) child++;
        if (!before(&timers->heap[child], &last)) break;
        timers->heap[at] = timers->heap[child];
        at = child;
    }
    if (count) timers->heap[at] = last;
    return first;
}

/* ---- Arming and taking ------------------------------------------------------------------------- */

static void run_grow(struct wr_timer_run *run)
{
    uint32_t capacity = run->capacity ? run->capacity * 2 : 16;
    struct wr_timer *at = wr_alloc((size_t)capacity * sizeof *at);
    WR_ASSERT(run->count == run->capacity && capacity > run->capacity);
    uint32_t straight = WR_MIN(run->count, run->capacity - run->first);
    if (straight) memcpy(at, run->at + run->first, straight * sizeof *at);
    if (run->count > straight) memcpy(at + straight, run->at, (run->count - straight) * sizeof *at);
    wr_free(run->at);
    *run = (struct wr_timer_run){.at = at, .count = run->count, .capacity = capacity};
}

/* The earliest of the fronts. */
static void find_least(struct wr_timers *timers)
{
    const struct wr_timer *least = timers->heap_count ? timers->heap : NULL;
    timers->least = WR_TIMER_RUNS;
    for (uint32_t r = 0; r < WR_TIMER_RUNS; r++) {
        const struct wr_timer_run *run = &timers->run[r];
        if (!run->count || (least && !before(run_at(run, 0), least))) continue;
        least = run_at(run, 0);
        timers->least = r;
    }
    WR_ASSERT((least != NULL) == (timers->count > 0));
    timers->armed = least ? least->time : WR_TIME_MAX;
    timers->next = WR_MIN(timers->armed, timers->wake);
}

void wr_timers_wake(struct wr_timers *timers, int64_t time)
{
    timers->wake = time;
    timers->next = WR_MIN(timers->armed, time);
}

void wr_timer_arm(struct wr_timers *timers, int64_t time, uint64_t order, uint32_t key)
{
    WR_ASSERT(time != WR_TIME_MAX); /* 'never' is not armed */
    if (timers->ending) return;
    struct wr_timer timer = {time, order, key};
    uint32_t r = 0;
    while (r < WR_TIMER_RUNS && timers->run[r].count &&
           before(&timer, run_at(&timers->run[r], timers->run[r].count - 1)))
        r++;
    timers->count++;
    if (WR_UNLIKELY(r == WR_TIMER_RUNS)) {
        heap_push(timers, &timer);
        if (time <= timers->armed) find_least(timers);
        return;
    }
    struct wr_timer_run *run = &timers->run[r];
    if (WR_UNLIKELY(run->count == run->capacity)) run_grow(run);
    run->count++;
    *run_at(run, run->count - 1) = timer;
    if (time <= timers->armed) find_least(timers);
}

static struct wr_timer take_least(struct wr_timers *timers)
{
    WR_ASSERT(timers->count > 0);
    struct wr_timer first;
    timers->count--;
    if (timers->least == WR_TIMER_RUNS) {
        first = heap_pop(timers);
    } else {
        struct wr_timer_run *run = &timers->run[timers->least];
        first = *run_at(run, 0);
        run->first = (run->first + 1) & (run->capacity - 1);
        run->count--;
    }
    find_least(timers);
    return first;
}

static bool is_in(const struct wr_timer *timer, const uint64_t *keys, uint32_t words)
{
    return timer->key / 64 < words && keys[timer->key / 64] >> timer->key % 64 & 1;
}

void wr_timers_drop(struct wr_timers *timers, const uint64_t *keys, uint32_t words)
{
    WR_ASSERT(!timers->ending);
    for (uint32_t r = 0; r < WR_TIMER_RUNS; r++) {
        struct wr_timer_run *run = &timers->run[r];
        uint32_t kept = 0;
        for (uint32_t i = 0; i < run->count; i++)
            if (!is_in(run_at(run, i), keys, words)) *run_at(run, kept++) = *run_at(run, i);
        timers->count -= run->count - kept;
        run->count = kept;
    }
    uint32_t count = timers->heap_count;
    timers->count -= count;
    timers->heap_count = 0;
    for (uint32_t i = 0; i < count; i++) { /* pushed no farther than where they stood */
        struct wr_timer timer = timers->heap[i];
        if (is_in(&timer, keys, words)) continue;
        heap_push(timers, &timer);
        timers->count++;
    }
    find_least(timers);
}

/* ---- Firing ------------------------------------------------------------------------------------ */

/* Moments come in another order than keys lie in memory: the operator asks for what it will read. */
static inline void look_ahead(const struct wr_timers *timers, const struct wr_operator *op)
{
    WR_ASSERT(timers->least <= WR_TIMER_RUNS);
    if (!op->cls->prefetch_moment || timers->least == WR_TIMER_RUNS) return;
    const struct wr_timer_run *run = &timers->run[timers->least];
    for (uint32_t stage = STAGES; stage && run->count > AHEAD * (STAGES - stage + 1); stage--)
        op->cls->prefetch_moment(op, run_at(run, AHEAD * (STAGES - stage + 1))->key, stage - 1);
}

static void fire(struct wr_timers *timers, struct wr_operator *op)
{
    WR_ASSERT(&op->timers == timers);
    look_ahead(timers, op);
    struct wr_timer timer = take_least(timers);
    WR_ASSERT(timer.time < WR_TIME_MAX);
    timers->moment = timer.time;
    timers->order = timer.order;
    timers->fired++;
    timers->before = op->time;
    if (timer.time > op->time) op->time = timer.time;
    op->cls->on_moment(op, timer.time, timer.key);
}

/* Moments that arm moments can go on for as long as time passes: whoever wants to stop is heard. */
static inline bool is_to_stop(const struct wr_timers *timers, const struct wr_operator *op)
{
    return WR_UNLIKELY(timers->fired % LOOK_EVERY == 0) && op->task && wr_task_halted(op->task);
}

void wr_timers_fire(struct wr_timers *timers, struct wr_operator *op, int64_t time)
{
    if (time == WR_TIME_MAX) {
        wr_timers_fire_armed(timers, op);
        return;
    }
    WR_ASSERT(!timers->ending || timers->count == 0);
    if (op->task && wr_task_halted(op->task)) return; /* some may not have fired that come before these */
    while (timers->next <= time) {
        if (WR_UNLIKELY(timers->wake <= timers->armed)) {
            wr_cold_wake(op);
            continue;
        }
        fire(timers, op);
        if (is_to_stop(timers, op)) return;
    }
}

void wr_timers_fire_armed(struct wr_timers *timers, struct wr_operator *op)
{
    WR_ASSERT(op->cls->on_moment || timers->count == 0);
    timers->ending = true;
    if (op->task && wr_task_halted(op->task)) wr_timers_clear(timers);
    while (timers->count) {
        fire(timers, op);
        if (is_to_stop(timers, op)) wr_timers_clear(timers); /* nothing more is decided */
    }
}

struct wr_place wr_moment_place(const struct wr_operator *op)
{
    enum { ORDER_BITS = 44 };
    uint64_t order = op->timers.order & (((uint64_t)1 << ORDER_BITS) - 1);
    return (struct wr_place){op->timers.moment, 0, 0, (uint64_t)op->id << ORDER_BITS | order};
}
