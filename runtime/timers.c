/* Moments in a binary heap by (time, order, key). Operators arm lazily: a moment that nobody wants
 * any more fires and is passed over by its operator, so nothing is ever searched for or taken out
 * of the middle. */
#include "runtime/operator.h"

static bool before(const struct wr_timer *a, const struct wr_timer *b)
{
    if (a->time != b->time) return a->time < b->time;
    if (a->order != b->order) return a->order < b->order;
    return a->key < b->key;
}

void wr_timers_init(struct wr_timers *timers)
{
    *timers = (struct wr_timers){.next = WR_TIME_MAX, .moment = WR_TIME_MIN};
}

void wr_timers_release(struct wr_timers *timers)
{
    wr_free(timers->heap);
    wr_timers_init(timers);
}

void wr_timers_clear(struct wr_timers *timers)
{
    timers->count = 0;
    timers->next = WR_TIME_MAX;
}

void wr_timer_arm(struct wr_timers *timers, int64_t time, uint64_t order, uint32_t key)
{
    WR_ASSERT(time != WR_TIME_MAX); /* 'never' is not armed */
    if (timers->ending) return;
    if (timers->count == timers->capacity) {
        timers->capacity = timers->capacity ? timers->capacity * 2 : 16;
        timers->heap = wr_realloc(timers->heap, timers->capacity * sizeof *timers->heap);
    }
    struct wr_timer timer = {time, order, key};
    uint32_t at = timers->count++;
    while (at > 0 && before(&timer, &timers->heap[(at - 1) / 2])) {
        timers->heap[at] = timers->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    timers->heap[at] = timer;
    timers->next = timers->heap[0].time;
}

static struct wr_timer pop(struct wr_timers *timers)
{
    WR_ASSERT(timers->count > 0);
    struct wr_timer first = timers->heap[0], last = timers->heap[--timers->count];
    uint32_t at = 0, count = timers->count;
    for (;;) {
        uint32_t child = 2 * at + 1;
        if (child >= count) break;
        if (child + 1 < count && before(&timers->heap[child + 1], &timers->heap[child])) child++;
        if (!before(&timers->heap[child], &last)) break;
        timers->heap[at] = timers->heap[child];
        at = child;
    }
    if (count) timers->heap[at] = last;
    timers->next = count ? timers->heap[0].time : WR_TIME_MAX;
    return first;
}

static void fire(struct wr_timers *timers, struct wr_operator *op, struct wr_timer timer)
{
    WR_ASSERT(&op->timers == timers);
    WR_ASSERT(timer.time < WR_TIME_MAX);
    timers->moment = timer.time;
    timers->order = timer.order;
    timers->fired++;
    timers->before = op->time;
    if (timer.time > op->time) op->time = timer.time;
    op->cls->on_moment(op, timer.time, timer.key);
}

void wr_timers_fire(struct wr_timers *timers, struct wr_operator *op, int64_t time)
{
    if (time == WR_TIME_MAX) {
        wr_timers_fire_armed(timers, op);
        return;
    }
    WR_ASSERT(!timers->ending || timers->count == 0);
    while (timers->next <= time) fire(timers, op, pop(timers));
}

void wr_timers_fire_armed(struct wr_timers *timers, struct wr_operator *op)
{
    WR_ASSERT(op->cls->on_moment || timers->count == 0);
    timers->ending = true;
    while (timers->count) fire(timers, op, pop(timers));
}

struct wr_place wr_moment_place(const struct wr_operator *op)
{
    enum { ORDER_BITS = 44 };
    uint64_t order = op->timers.order & (((uint64_t)1 << ORDER_BITS) - 1);
    return (struct wr_place){op->timers.moment, 0, 0, (uint64_t)op->id << ORDER_BITS | order};
}
