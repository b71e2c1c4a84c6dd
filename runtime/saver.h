/* The saver: a thread that writes checkpoints into a store while the engine goes on. The engine hands over segments as
 * they fill and, when all that belongs to the checkpoint is there, its end; the saver has outputs made durable, then
 * commits, then says so. One checkpoint at a time. The two threads share nothing but a bounded queue.
 *
 * Without threads (tests): the same calls do their work at once. */
#ifndef WR_RUNTIME_SAVER_H
#define WR_RUNTIME_SAVER_H

#include "runtime/store.h"

struct wr_saver;

/* What must be durable before a checkpoint that counts on it: called from the saver's thread. */
typedef enum wr_status wr_saver_sync_fn(void *context, struct wr_error *error);

/* The store is the saver's until wr_saver_stop. thread false: everything happens in the calls. */
struct wr_saver *wr_saver_start(struct wr_store *store, bool thread, wr_saver_sync_fn *sync, void *context);
/* Finishes what was handed over whole, ends the thread; what was begun and not ended is dropped. NULL is fine. */
void wr_saver_stop(struct wr_saver *saver);

/* Bytes handed over and not yet written: the engine slows down its encoding past a bound of its own. */
uint64_t wr_saver_waiting(const struct wr_saver *saver);
/* Takes over the bytes of `segment`, which becomes an empty buffer or one whose bytes count for nothing. Waits while more than
 * 256 MiB are on their way. */
void wr_saver_segment(struct wr_saver *saver, uint64_t number, struct wr_buf *segment);
/* Ends the checkpoint; record, program and cold entries are copied. commit->segment* are not used. */
void wr_saver_commit(struct wr_saver *saver, const struct wr_store_commit *commit);

struct wr_saved {
    bool done;               /* the checkpoint is durable */
    struct wr_error error;   /* or why not; the engine is to stop */
    uint64_t epoch, bytes;   /* what it wrote */
    int64_t sync_us, commit_us;
};
/* What has become of the checkpoint handed over last: true once it is known. wait: until it is. */
bool wr_saver_poll(struct wr_saver *saver, bool wait, struct wr_saved *saved);

#endif
