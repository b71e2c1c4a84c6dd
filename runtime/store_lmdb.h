/* What the files that know LMDB share: store.c (the environment, reading), store_write.c (transactions that write) and
 * store_cold.c (cold entries, looked up while the saver's thread writes). One environment, one database.
 *
 * How LMDB is used, and why (facts about 0.9): no WRITEMAP, since a full disk is a SIGBUS with it; no DUPSORT, no nested
 * transactions, no mdb_drop (known defects, fragmented free lists); NOTLS, so that a reading transaction belongs to the
 * store and not to a thread; the map is enlarged with no transaction open. Transactions hold pages for as long as they
 * read, so each reading call has its own and visits go in slices. A failed commit may leave the environment unusable,
 * so it is opened anew. An allocation that unwinds leaves a transaction behind, which the next call ends. */
#ifndef WR_RUNTIME_STORE_LMDB_H
#define WR_RUNTIME_STORE_LMDB_H

#include "runtime/store_internal.h"

#include <errno.h>
#include <lmdb.h>
#include <pthread.h>

#include "base/fault.h"

enum { WR_STORE_HEAD_BYTES = 24, WR_LMDB_KEY_BYTES_MAX = 511 };

struct wr_cold_item;
struct wr_store {
    struct wr_store_directory directory;
    MDB_env *env;               /* NULL after a failure, until it could be opened again */
    MDB_txn *reading, *writing; /* NULL between calls, but for those that were unwound */
    MDB_cursor *cursor;         /* of a scan; the same */
    /* What calls work with; here, so that an allocation that unwinds loses nothing. */
    struct wr_buf key, bytes, cold_keys;
    struct wr_cold_item *cold_items;
    uint64_t map_bytes;
    uint64_t secret;            /* of the store: seeds hashes of keys that come from outside */
    uint64_t first, last, next; /* segments of the checkpoint; number of the next segment */
    bool read_only, volatile_;
    bool older;                 /* what lies there is of form WR_STORE_FORMAT_READ */

    /* Looking cold entries up, while another thread may write. The lock is held while `looking` is active, and by a writer
     * that opens the environment, closes it or enlarges its map. */
    pthread_mutex_t lock;
    MDB_txn *looking;           /* reset between calls; NULL: not begun yet */
    struct wr_buf look_key;
    bool locked;                /* by the thread that looks */
};

/* Every call that can fail goes through here, so that tests can make the n-th fail. */
#define LMDB(call) (WR_FAULT_DUE(WR_FAULT_STORE) ? EIO : (call))

enum { WR_STORE_MAIN = 1 }; /* the handle of the one database, which LMDB gives it once and for all */

static inline MDB_val wr_val_of(struct wr_slice s)
{
    return (MDB_val){s.size, (void *)(uintptr_t)s.data};
}

static inline struct wr_slice wr_slice_of_val(MDB_val v)
{
    return wr_slice_of(v.mv_data, v.mv_size);
}

static inline MDB_val wr_segment_val(struct wr_segment_key *key, uint64_t number)
{
    return wr_val_of(wr_store_segment_key(key, number));
}

/* ---- store.c ------------------------------------------------------------------------------------ */

/* A code of LMDB or of the system as a status with a sentence. needed: bytes that were to be written. */
enum wr_status wr_store_failed(const struct wr_store *store, int code, uint64_t needed, struct wr_error *error);
/* Ends what an unwound call left behind; not `looking`, which may be another thread's. */
void wr_store_end_left_over(struct wr_store *store);
/* inside: "" or "begin/". The caller holds the lock, or is alone. */
enum wr_status wr_store_open_environment(struct wr_store *store, const char *inside, struct wr_error *error);
void wr_store_close_environment(struct wr_store *store);
int wr_store_renew_format(struct wr_store *store, MDB_txn *txn);
int wr_store_open_main(MDB_txn *txn);
void wr_store_forget_cold(struct wr_store *store);

/* ---- store_write.c ------------------------------------------------------------------------------- */

int wr_store_put(MDB_txn *txn, MDB_val key, const struct wr_slice *part, size_t count);
int wr_store_commit_writing(struct wr_store *store);
/* Drops segments from this number on, in a transaction of its own. */
enum wr_status wr_store_drop_from(struct wr_store *store, uint64_t number, struct wr_error *error);

/* ---- store_cold.c -------------------------------------------------------------------------------- */

void wr_store_lock(struct wr_store *store);
void wr_store_unlock(struct wr_store *store);
/* Lets the lock go that an unwound look-up has kept; from the thread that looks. */
void wr_store_unlock_left(struct wr_store *store);
/* Ends the transaction of look-ups; the caller holds the lock, or is alone. */
void wr_store_stop_looking(struct wr_store *store);
/* Looks for a long key among those that share its hash: sets the ordinal in `key` to its own, or to the first free one. */
int wr_store_place_hashed(MDB_txn *txn, struct wr_slice op, struct wr_slice full_key, char key[WR_HASHED_KEY_BYTES],
                          bool *found, MDB_val *value);
/* Puts an entry, or takes it away (value.data NULL), with what says when it is due. */
int wr_store_put_cold(struct wr_store *store, MDB_txn *txn, const struct wr_cold_item *item, uint64_t epoch);
/* Takes away all entries of an operator that are due by `until`. */
int wr_store_drop_due(struct wr_store *store, MDB_txn *txn, struct wr_slice op, int64_t until);
/* Sorts a commit's cold entries by LMDB's keys into .cold_items, .cold_keys. */
void wr_store_sort_cold(struct wr_store *store, const struct wr_store_commit *commit);

struct wr_cold_item {
    size_t offset, size;         /* of LMDB's key, in one buffer for all */
    const char *keys;
    bool hashed;
    const struct wr_cold_entry *entry;
};

#endif
