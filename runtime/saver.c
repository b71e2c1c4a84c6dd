/* The saver's thread and the queue between it and the engine.
 *
 * The queue is a list under one lock. The engine appends segments and, last, a checkpoint's end; the thread takes them in
 * order. Segments gather (they are few and large) until a transaction of their own is worth it or the end comes. After a
 * failure nothing more is written: the engine is told, and is to stop. */
#include "runtime/saver.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>

#include "base/fault.h"
#include "base/vec.h"
#include "runtime/clock.h"

/* SPARE_MAX: buffers of written segments that are kept for the next ones, since fresh memory costs its clearing. */
enum { WAITING_BYTES_MAX = 256 * 1024 * 1024, SPARE_MAX = 32 * 1024 * 1024 / WR_SEGMENT_BYTES };

/* What the engine hands over: a segment, or a checkpoint's end with copies of what belongs to it. */
struct job {
    struct job *next;
    uint64_t number;
    struct wr_buf segment;
    bool end;
    struct wr_store_commit commit;
    struct wr_buf bytes;           /* record, program, cold entries */
    struct wr_cold_entry *cold;
    struct wr_cold_due *due;
};

struct wr_saver {
    struct wr_store *store;
    wr_saver_sync_fn *sync;
    void *context;
    bool threaded;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t to_saver, to_engine;
    /* ---- under the lock ---- */
    struct job *first, **end;
    bool stopping;
    bool given, known;             /* a checkpoint was handed over; what became of it is in `saved` */
    struct wr_saved saved;
    struct wr_buf spare[SPARE_MAX];
    unsigned spare_count;
    /* ---- of any thread ---- */
    atomic_uint_least64_t waiting; /* bytes of segments handed over and not written */
    /* ---- of the saver's thread ---- */
    WR_VEC(struct wr_slice) pending; /* segments that wait for a transaction; owned by the jobs */
    WR_VEC(struct job *) jobs;
    uint64_t pending_first, pending_bytes, written_bytes;
    bool broken;
};

static void free_job(struct job *job)
{
    wr_buf_release(&job->segment);
    wr_buf_release(&job->bytes);
    wr_free(job->cold);
    wr_free(job->due);
    wr_free(job);
}

static void lock(struct wr_saver *saver)
{
    int code = pthread_mutex_lock(&saver->lock);
    WR_ASSERT(code == 0);
}

static void unlock(struct wr_saver *saver)
{
    int code = pthread_mutex_unlock(&saver->lock);
    WR_ASSERT(code == 0);
}

/* ---- The saver's side --------------------------------------------------------------------------- */

/* Frees the segments that are written or given up, or keeps their buffers. */
static void drop_pending(struct wr_saver *saver)
{
    lock(saver);
    for (size_t i = 0; i < saver->jobs.count && saver->spare_count < SPARE_MAX; i++) {
        struct wr_buf *buf = &saver->jobs.at[i]->segment;
        saver->spare[saver->spare_count++] = *buf;
        *buf = (struct wr_buf){0};
    }
    unlock(saver);
    for (size_t i = 0; i < saver->jobs.count; i++) free_job(saver->jobs.at[i]);
    wr_vec_clear(&saver->jobs);
    wr_vec_clear(&saver->pending);
    lock(saver);
    atomic_fetch_sub(&saver->waiting, saver->pending_bytes);
    pthread_cond_signal(&saver->to_engine);
    unlock(saver);
    saver->pending_bytes = 0;
}

static void tell(struct wr_saver *saver, const struct wr_saved *saved)
{
    WR_CRASH_POINT("saver.before_tell");
    WR_ASSERT(saved->done == (saved->error.status == WR_OK));
    lock(saver);
    saver->saved = *saved;
    saver->known = true;
    pthread_cond_signal(&saver->to_engine);
    unlock(saver);
    saver->broken = !saved->done;
    saver->written_bytes = 0;
}

static enum wr_status take_segment(struct wr_saver *saver, struct job *job, struct wr_error *error)
{
    wr_vec_reserve(&saver->jobs, saver->jobs.count + 1);
    wr_vec_reserve(&saver->pending, saver->pending.count + 1);
    if (saver->pending.count == 0) saver->pending_first = job->number;
    WR_ASSERT(job->number == saver->pending_first + saver->pending.count);
    wr_vec_push(&saver->pending, wr_buf_slice(&job->segment));
    wr_vec_push(&saver->jobs, job);
    saver->pending_bytes += job->segment.size;
    saver->written_bytes += job->segment.size;
    if (saver->pending_bytes < WR_STORE_APPEND_BYTES) return WR_OK;
    WR_CRASH_POINT("saver.before_append");
    enum wr_status status =
        wr_store_append(saver->store, saver->pending_first, saver->pending.at, saver->pending.count, error);
    if (status == WR_OK) drop_pending(saver);
    return status;
}

/* The end of a checkpoint: outputs first, then the commit that counts on them. */
static enum wr_status end_checkpoint(struct wr_saver *saver, struct job *job, struct wr_saved *saved)
{
    WR_ASSERT(job->end && !saver->broken);
    struct wr_store_commit commit = job->commit;
    int64_t begin = wr_clock_monotonic_us();
    WR_CRASH_POINT("saver.before_sync");
    enum wr_status status = saver->sync ? saver->sync(saver->context, &saved->error) : WR_OK;
    int64_t synced = wr_clock_monotonic_us();
    saved->sync_us = synced - begin;
    WR_CRASH_POINT("saver.after_sync");
    if (status != WR_OK) return status;
    commit.segment = saver->pending.at;
    commit.segment_count = saver->pending.count;
    if (commit.segment_count) commit.first_number = saver->pending_first;
    saved->bytes = saver->written_bytes;
    status = wr_store_commit(saver->store, &commit, &saved->error);
    saved->commit_us = wr_clock_monotonic_us() - synced;
    return status;
}

/* What the engine is told when memory ran out on this thread. */
static void tell_out_of_memory(struct wr_saver *saver, struct job *job)
{
    struct wr_saved saved = {0};
    wr_error_set(&saved.error, WR_ERR_MEMORY, "out of memory while a checkpoint was written");
    bool kept = saver->jobs.count && wr_vec_last(&saver->jobs) == job;
    if (!kept && !job->end) atomic_fetch_sub(&saver->waiting, job->segment.size);
    if (!kept) free_job(job);
    drop_pending(saver);
    tell(saver, &saved);
}

/* Does what the job asks for. Memory that runs out on this thread unwinds to here. */
static void handle(struct wr_saver *saver, struct job *job)
{
    if (saver->broken) { /* the engine has been told and is about to stop */
        if (!job->end) atomic_fetch_sub(&saver->waiting, job->segment.size);
        free_job(job);
        return;
    }
    struct wr_memory_guard guard;
    if (WR_MEMORY_GUARD(&guard)) {
        tell_out_of_memory(saver, job);
        return;
    }
    struct wr_saved saved = {.epoch = job->end ? job->commit.epoch : 0};
    bool end = job->end;
    enum wr_status status = end ? end_checkpoint(saver, job, &saved) : take_segment(saver, job, &saved.error);
    wr_memory_guard_pop(&guard);
    saved.done = status == WR_OK && end;
    if (end || status != WR_OK) drop_pending(saver);
    if (end) free_job(job);
    if (end || status != WR_OK) tell(saver, &saved);
}

static void *run(void *argument)
{
    struct wr_saver *saver = argument;
    for (;;) {
        lock(saver);
        while (!saver->first && !saver->stopping) pthread_cond_wait(&saver->to_saver, &saver->lock);
        struct job *job = saver->first;
        if (job) {
            saver->first = job->next;
            if (!saver->first) saver->end = &saver->first;
        }
        unlock(saver);
        if (!job) return NULL;
        handle(saver, job);
    }
}

/* ---- The engine's side --------------------------------------------------------------------------- */

struct wr_saver *wr_saver_start(struct wr_store *store, bool thread, wr_saver_sync_fn *sync, void *context)
{
    WR_ASSERT(store);
    struct wr_saver *saver = wr_alloc_zero(sizeof *saver);
    saver->store = store;
    saver->sync = sync;
    saver->context = context;
    saver->end = &saver->first;
    int code = pthread_mutex_init(&saver->lock, NULL);
    WR_ASSERT(code == 0);
    code = pthread_cond_init(&saver->to_saver, NULL);
    WR_ASSERT(code == 0);
    code = pthread_cond_init(&saver->to_engine, NULL);
    WR_ASSERT(code == 0);
    if (!thread) return saver;
    /* Signals are for the threads of the host. Where no thread is to be had, the work is done in the calls. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    saver->threaded = pthread_create(&saver->thread, NULL, run, saver) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return saver;
}

void wr_saver_stop(struct wr_saver *saver)
{
    if (!saver) return;
    if (saver->threaded) {
        lock(saver);
        saver->stopping = true;
        pthread_cond_signal(&saver->to_saver);
        unlock(saver);
        int code = pthread_join(saver->thread, NULL);
        WR_ASSERT(code == 0);
    }
    WR_ASSERT(!saver->first);
    drop_pending(saver);
    WR_ASSERT(atomic_load(&saver->waiting) == 0);
    for (unsigned i = 0; i < saver->spare_count; i++) wr_buf_release(&saver->spare[i]);
    pthread_cond_destroy(&saver->to_saver);
    pthread_cond_destroy(&saver->to_engine);
    pthread_mutex_destroy(&saver->lock);
    wr_vec_release(&saver->pending);
    wr_vec_release(&saver->jobs);
    wr_free(saver);
}

uint64_t wr_saver_waiting(const struct wr_saver *saver)
{
    return atomic_load(&saver->waiting);
}

static void give(struct wr_saver *saver, struct job *job)
{
    if (!saver->threaded) {
        handle(saver, job);
        return;
    }
    lock(saver);
    *saver->end = job;
    saver->end = &job->next;
    pthread_cond_signal(&saver->to_saver);
    unlock(saver);
}

void wr_saver_segment(struct wr_saver *saver, uint64_t number, struct wr_buf *segment)
{
    WR_ASSERT(number && segment->size);
    struct job *job = wr_alloc_zero(sizeof *job);
    job->number = number;
    job->segment = *segment;
    *segment = (struct wr_buf){0};
    if (saver->threaded) {
        lock(saver);
        while (!(saver->known && !saver->saved.done) && atomic_load(&saver->waiting) > WAITING_BYTES_MAX)
            pthread_cond_wait(&saver->to_engine, &saver->lock);
        unlock(saver);
    }
    atomic_fetch_add(&saver->waiting, job->segment.size);
    lock(saver);
    if (saver->spare_count) *segment = saver->spare[--saver->spare_count];
    unlock(saver);
    give(saver, job);
}

static struct wr_slice copy(char **at, struct wr_slice s)
{
    char *begin = *at;
    if (s.size) memcpy(begin, s.data, s.size);
    *at += s.size;
    return s.data ? wr_slice_of(begin, s.size) : s; /* NULL means that a cold entry goes */
}

void wr_saver_commit(struct wr_saver *saver, const struct wr_store_commit *commit)
{
    struct job *job = wr_alloc_zero(sizeof *job);
    size_t bytes = commit->record.size + commit->program.size;
    for (size_t i = 0; i < commit->cold_count; i++)
        bytes += commit->cold[i].op.size + commit->cold[i].key.size + commit->cold[i].value.size;
    for (size_t i = 0; i < commit->due_count; i++) bytes += commit->due[i].op.size;
    char *at = wr_buf_reserve(&job->bytes, bytes + 1), *end = at + bytes;
    job->end = true;
    job->commit = *commit;
    job->commit.record = copy(&at, commit->record);
    job->commit.program = copy(&at, commit->program);
    if (commit->cold_count) job->cold = wr_alloc(commit->cold_count * sizeof *job->cold);
    for (size_t i = 0; i < commit->cold_count; i++)
        job->cold[i] = (struct wr_cold_entry){copy(&at, commit->cold[i].op), copy(&at, commit->cold[i].key),
                                              copy(&at, commit->cold[i].value), commit->cold[i].wake, commit->cold[i].order};
    if (commit->due_count) job->due = wr_alloc(commit->due_count * sizeof *job->due);
    for (size_t i = 0; i < commit->due_count; i++)
        job->due[i] = (struct wr_cold_due){copy(&at, commit->due[i].op), commit->due[i].until};
    WR_ASSERT(at == end);
    job->commit.cold = job->cold;
    job->commit.due = job->due;
    job->commit.segment = NULL;
    job->commit.segment_count = 0;
    lock(saver);
    WR_ASSERT(!saver->given || saver->known); /* one checkpoint at a time */
    saver->given = true;
    if (!(saver->known && !saver->saved.done)) saver->known = false; /* a failure stays known */
    unlock(saver);
    give(saver, job);
}

bool wr_saver_poll(struct wr_saver *saver, bool wait, struct wr_saved *saved)
{
    lock(saver);
    while (wait && saver->given && !saver->known) pthread_cond_wait(&saver->to_engine, &saver->lock);
    bool known = saver->known;
    if (known) *saved = saver->saved;
    unlock(saver);
    return known;
}
