/* A ring of segments between the thread that reads and the one that takes. */
#include "runtime/segment_reader.h"

#include <inttypes.h>
#include <pthread.h>
#include <signal.h>

enum { RING = 4 };

struct slot {
    struct wr_segment_read segment;
    enum wr_status status;
    struct wr_error error;
};

struct wr_segment_reader {
    struct wr_store *store;
    uint64_t first, next;          /* segments first … next are still to be read; next < first: all have been */
    uint32_t operators;
    bool threaded;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t to_reader, to_taker;
    struct slot slot[RING];
    /* ---- under the lock ---- */
    uint64_t filled, taken, freed; /* slots, counted from the beginning: freed <= taken <= filled <= freed + RING */
    bool ended, stopping;
};

static void lock(struct wr_segment_reader *r)
{
    int code = pthread_mutex_lock(&r->lock);
    WR_ASSERT(code == 0);
}

static void unlock(struct wr_segment_reader *r)
{
    int code = pthread_mutex_unlock(&r->lock);
    WR_ASSERT(code == 0);
}

/* ---- One segment --------------------------------------------------------------------------------- */

void wr_segment_read_release(struct wr_segment_read *segment)
{
    wr_buf_release(&segment->bytes);
    wr_vec_release(&segment->entry);
}

static enum wr_status damaged(uint64_t number, const char *what, struct wr_error *error)
{
    return wr_error_set(error, WR_ERR_STATE, "segment %" PRIu64 " %s", number, what);
}

enum wr_status wr_segment_read_one(struct wr_store *store, uint64_t number, uint32_t operators, struct wr_segment_read *segment,
                                   struct wr_error *error)
{
    struct wr_segment_entry entry;
    segment->number = number;
    wr_vec_clear(&segment->entry);
    enum wr_status status = wr_store_read(store, number, &segment->bytes, error);
    if (status == WR_END) return damaged(number, "is not there", error);
    if (status != WR_OK) return status;
    struct wr_slice in = wr_buf_slice(&segment->bytes);
    if (!wr_segment_begin(&in, &segment->epoch)) return damaged(number, "has no head", error);
    while (in.size) {
        if (!wr_segment_next(&in, &entry) || entry.op >= operators) return damaged(number, "is malformed", error);
        wr_vec_push(&segment->entry, entry);
    }
    return WR_OK;
}

/* ---- The reading side ----------------------------------------------------------------------------- */

/* Fills the slot; memory that runs out is its status. */
static void fill(struct wr_segment_reader *r, struct slot *slot)
{
    struct wr_memory_guard guard;
    WR_ASSERT(r->next >= r->first && r->next);
    if (WR_MEMORY_GUARD(&guard)) {
        slot->status = wr_error_set(&slot->error, WR_ERR_MEMORY, "out of memory while state was read");
        return;
    }
    slot->status = wr_segment_read_one(r->store, r->next, r->operators, &slot->segment, &slot->error);
    wr_memory_guard_pop(&guard);
    r->next--;
}

static bool is_over(const struct wr_segment_reader *r)
{
    return r->next < r->first || !r->next;
}

static void *run(void *argument)
{
    struct wr_segment_reader *r = argument;
    enum wr_status status = WR_OK;
    while (status == WR_OK && !is_over(r)) {
        lock(r);
        while (r->filled == r->freed + RING && !r->stopping) pthread_cond_wait(&r->to_reader, &r->lock);
        bool stopping = r->stopping;
        struct slot *slot = &r->slot[r->filled % RING];
        unlock(r);
        if (stopping) break;
        fill(r, slot);
        status = slot->status;
        lock(r);
        r->filled++;
        pthread_cond_signal(&r->to_taker);
        unlock(r);
    }
    lock(r);
    r->ended = true;
    pthread_cond_signal(&r->to_taker);
    unlock(r);
    return NULL;
}

/* ---- The taking side ------------------------------------------------------------------------------ */

struct wr_segment_reader *wr_segment_reader_start(struct wr_store *store, uint64_t first, uint64_t last, uint32_t operators,
                                                  bool threaded)
{
    struct wr_segment_reader *r = wr_alloc_zero(sizeof *r);
    r->store = store;
    r->first = first;
    r->next = last;
    r->operators = operators;
    int code = pthread_mutex_init(&r->lock, NULL);
    WR_ASSERT(code == 0);
    code = pthread_cond_init(&r->to_reader, NULL);
    WR_ASSERT(code == 0);
    code = pthread_cond_init(&r->to_taker, NULL);
    WR_ASSERT(code == 0);
    if (!threaded || last < first + RING) return r; /* so few are read at once */
    sigset_t all, before;                           /* signals are for the threads of the host */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    r->threaded = pthread_create(&r->thread, NULL, run, r) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return r;
}

static enum wr_status given(const struct slot *slot, const struct wr_segment_read **segment, struct wr_error *error)
{
    *segment = &slot->segment;
    if (slot->status != WR_OK) *error = slot->error;
    return slot->status;
}

enum wr_status wr_segment_reader_next(struct wr_segment_reader *r, const struct wr_segment_read **segment, struct wr_error *error)
{
    if (!r->threaded) {
        if (is_over(r)) return WR_END;
        fill(r, &r->slot[0]);
        return given(&r->slot[0], segment, error);
    }
    lock(r);
    r->freed = r->taken; /* the one that was lent */
    pthread_cond_signal(&r->to_reader);
    while (r->taken == r->filled && !r->ended) pthread_cond_wait(&r->to_taker, &r->lock);
    bool some = r->taken < r->filled;
    struct slot *slot = &r->slot[r->taken % RING];
    if (some) r->taken++;
    unlock(r);
    return some ? given(slot, segment, error) : WR_END;
}

void wr_segment_reader_stop(struct wr_segment_reader *r)
{
    if (!r) return;
    if (r->threaded) {
        lock(r);
        r->stopping = true;
        pthread_cond_signal(&r->to_reader);
        unlock(r);
        int code = pthread_join(r->thread, NULL);
        WR_ASSERT(code == 0);
    }
    for (unsigned i = 0; i < RING; i++) wr_segment_read_release(&r->slot[i].segment);
    pthread_cond_destroy(&r->to_taker);
    pthread_cond_destroy(&r->to_reader);
    pthread_mutex_destroy(&r->lock);
    wr_free(r);
}
