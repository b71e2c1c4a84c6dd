/* The thread that populates, and the few ranges that wait for it.
 *
 * A range may be freed before its turn comes, and even be mapped anew for something else: populating changes no byte, and where
 * nothing is mapped the kernel says no. So ranges need no owner. */
#include "base/populate.h"

#include "base/alloc.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14; older kernels refuse it */
#endif

enum { WAITING = 64 /* ranges; further ones are left alone */ };

struct range {
    char *at;
    size_t size;
};

struct wr_populator {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t more;
    /* ---- under the lock ---- */
    struct range waiting[WAITING]; /* a ring */
    unsigned first, count;
    bool stopping;
};

static void lock(struct wr_populator *p)
{
    int code = pthread_mutex_lock(&p->lock);
    WR_ASSERT(code == 0);
}

static void unlock(struct wr_populator *p)
{
    int code = pthread_mutex_unlock(&p->lock);
    WR_ASSERT(code == 0);
}

/* Waits for a range; size 0: the end. */
static struct range next(struct wr_populator *p)
{
    struct range range = {NULL, 0};
    lock(p);
    while (!p->count && !p->stopping) pthread_cond_wait(&p->more, &p->lock);
    if (!p->stopping) {
        range = p->waiting[p->first];
        p->first = (p->first + 1) % WAITING;
        p->count--;
    }
    unlock(p);
    return range;
}

static bool is_stopping(struct wr_populator *p)
{
    lock(p);
    bool stopping = p->stopping;
    unlock(p);
    return stopping;
}

static void *run(void *argument)
{
    struct wr_populator *p = argument;
    for (struct range r = next(p); r.size; r = next(p)) {
        while (r.size && !is_stopping(p)) {
            size_t some = WR_MIN(r.size, (size_t)WR_LARGE_PAGE);
            if (madvise(r.at, some, MADV_POPULATE_WRITE) != 0) break;
            r.at += some;
            r.size -= some;
        }
    }
    return NULL;
}

static void take(void *context, void *memory, size_t size)
{
    struct wr_populator *p = context;
    lock(p);
    if (p->count < WAITING) {
        p->waiting[(p->first + p->count) % WAITING] = (struct range){memory, size};
        p->count++;
        pthread_cond_signal(&p->more);
    }
    unlock(p);
}

static void release(struct wr_populator *p)
{
    pthread_cond_destroy(&p->more);
    pthread_mutex_destroy(&p->lock);
    wr_free(p);
}

struct wr_populator *wr_populator_start(void)
{
    struct wr_populator *p = wr_alloc_zero(sizeof *p);
    int code = pthread_mutex_init(&p->lock, NULL);
    WR_ASSERT(code == 0);
    code = pthread_cond_init(&p->more, NULL);
    WR_ASSERT(code == 0);
    sigset_t all, before; /* signals are for the threads of the host */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    code = pthread_create(&p->thread, NULL, run, p);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code != 0) {
        release(p);
        return NULL;
    }
    wr_alloc_watch_large(take, p);
    return p;
}

void wr_populator_stop(struct wr_populator *p)
{
    if (!p) return;
    wr_alloc_watch_large(NULL, NULL);
    lock(p);
    p->stopping = true;
    pthread_cond_signal(&p->more);
    unlock(p);
    int code = pthread_join(p->thread, NULL);
    WR_ASSERT(code == 0);
    release(p);
}
