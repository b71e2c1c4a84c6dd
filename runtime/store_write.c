/* Writing into a store: one transaction at a time, done again with a larger map where the map is full. */
#include "runtime/store_lmdb.h"

#include <stdlib.h>

static const uint64_t map_bytes_max = 1ull << 46;

int wr_store_put(MDB_txn *txn, MDB_val key, const struct wr_slice *part, size_t count)
{
    WR_ASSERT(key.mv_size && key.mv_size <= WR_LMDB_KEY_BYTES_MAX);
    MDB_val value = {WR_CHECKSUM_BYTES, NULL};
    for (size_t i = 0; i < count; i++) value.mv_size += part[i].size;
    int rc = LMDB(mdb_put(txn, WR_STORE_MAIN, &key, &value, MDB_RESERVE));
    if (rc) return rc;
    char *at = value.mv_data;
    for (size_t i = 0; i < count; i++) {
        if (part[i].size) memcpy(at, part[i].data, part[i].size);
        at += part[i].size;
    }
    size_t size = value.mv_size - WR_CHECKSUM_BYTES;
    wr_store_put64(at, wr_store_checksum(wr_slice_of_val(key), value.mv_data, size));
    return 0;
}

/* Drops the segments whose numbers lie in [from, below). */
static int drop_segments(MDB_txn *txn, uint64_t from, uint64_t below)
{
    MDB_cursor *cursor;
    int rc = LMDB(mdb_cursor_open(txn, WR_STORE_MAIN, &cursor));
    if (rc) return rc;
    for (;;) {
        struct wr_segment_key start;
        MDB_val key = wr_segment_val(&start, from), value;
        uint64_t number;
        rc = LMDB(mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE));
        if (rc || !wr_store_is_segment(wr_slice_of_val(key), &number) || number >= below) break;
        rc = LMDB(mdb_cursor_del(cursor, 0));
        if (rc) break;
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* One transaction's worth of work; everything in it can be done again. */
struct work {
    uint64_t first_number, keep_from;
    const struct wr_slice *segment;
    size_t segment_count;
    const struct wr_store_commit *commit; /* NULL: segments only */
    const struct wr_cold_item *cold;        /* sorted */
    size_t cold_count;
    uint64_t bytes;
};

static int fill(struct wr_store *store, MDB_txn *txn, const struct work *work)
{
    struct wr_segment_key buffer;
    int rc = drop_segments(txn, work->first_number, UINT64_MAX);
    if (!rc && work->commit) rc = drop_segments(txn, 1, work->keep_from);
    if (!rc && work->commit) rc = wr_store_renew_format(store, txn);
    for (size_t i = 0; !rc && i < work->segment_count; i++) {
        rc = wr_store_put(txn, wr_segment_val(&buffer, work->first_number + i), &work->segment[i], 1);
        WR_CRASH_POINT("store.filling");
    }
    const struct wr_store_commit *c = work->commit;
    if (rc || !c) return rc;
    for (size_t i = 0; !rc && i < c->due_count; i++) rc = wr_store_drop_due(store, txn, c->due[i].op, c->due[i].until);
    for (size_t i = 0; !rc && i < work->cold_count; i++) rc = wr_store_put_cold(store, txn, &work->cold[i], c->epoch);
    char head[WR_STORE_HEAD_BYTES];
    wr_store_put64(head, work->keep_from);
    wr_store_put64(head + 8, work->first_number + work->segment_count - 1);
    wr_store_put64(head + 16, c->epoch);
    const struct wr_slice record[] = {wr_slice_of(head, sizeof head), c->record};
    if (!rc) rc = wr_store_put(txn, wr_val_of(WR_SLICE("R")), record, 2);
    if (!rc && c->program.size) rc = wr_store_put(txn, wr_val_of(WR_SLICE("P")), &c->program, 1);
    return rc;
}

int wr_store_commit_writing(struct wr_store *store)
{
    MDB_txn *txn = store->writing;
    WR_ASSERT(txn && !store->read_only);
    store->writing = NULL;
    if (WR_FAULT_DUE(WR_FAULT_STORE)) {
        mdb_txn_abort(txn);
        return EIO;
    }
    return mdb_txn_commit(txn);
}

/* Runs a transaction, with a larger map where the map is full. After a failure nothing of it is there. */
static enum wr_status write_out(struct wr_store *store, struct work *work, struct wr_error *error)
{
    wr_store_end_left_over(store);
    WR_ASSERT(!store->read_only && !store->directory.fresh);
    for (;;) {
        if (!store->env) {
            wr_store_lock(store);
            enum wr_status status = wr_store_open_environment(store, "", error);
            wr_store_unlock(store);
            if (status != WR_OK) return status;
        }
        int dead, rc = LMDB(mdb_reader_check(store->env, &dead)); /* a killed reader would keep pages for ever */
        if (!rc) rc = LMDB(mdb_txn_begin(store->env, NULL, 0, &store->writing));
        if (rc) store->writing = NULL;
        if (!rc) rc = wr_store_open_main(store->writing);
        if (!rc) rc = fill(store, store->writing, work);
        if (!rc) {
            if (work->commit) WR_CRASH_POINT("store.before_commit");
            else WR_CRASH_POINT("store.before_append");
            rc = wr_store_commit_writing(store);
        }
        if (!rc) break;
        wr_store_end_left_over(store);
        if (rc == MDB_MAP_FULL && store->map_bytes < map_bytes_max) {
            wr_store_lock(store);
            wr_store_stop_looking(store);
            rc = LMDB(mdb_env_set_mapsize(store->env, (size_t)store->map_bytes * 2));
            wr_store_unlock(store);
            if (!rc) {
                store->map_bytes *= 2;
                continue;
            }
        }
        wr_store_lock(store);
        wr_store_close_environment(store);
        wr_store_unlock(store);
        return wr_store_failed(store, rc, work->bytes, error);
    }
    if (work->commit) WR_CRASH_POINT("store.after_commit");
    else WR_CRASH_POINT("store.after_append");
    store->next = work->first_number + work->segment_count;
    WR_ASSERT(store->next > store->last);
    return WR_OK;
}

enum { SLACK_BYTES = 1 << 18 }; /* pages of the trees, beside the payloads */

static uint64_t bytes_of(const struct wr_slice *segment, size_t count)
{
    uint64_t bytes = SLACK_BYTES;
    for (size_t i = 0; i < count; i++) bytes += segment[i].size + 4096;
    return bytes;
}

enum wr_status wr_store_append(struct wr_store *store, uint64_t first_number, const struct wr_slice *segment, size_t count,
                               struct wr_error *error)
{
    WR_ASSERT(first_number > store->last && first_number <= store->next);
    struct work work = {.first_number = first_number, .segment = segment, .segment_count = count,
                        .bytes = bytes_of(segment, count)};
    return count ? write_out(store, &work, error) : WR_OK;
}

enum wr_status wr_store_commit(struct wr_store *store, const struct wr_store_commit *commit, struct wr_error *error)
{
    WR_ASSERT(!store->read_only && commit->record.size);
    WR_ASSERT(commit->first_number > store->last && commit->first_number <= store->next);
    WR_ASSERT(commit->keep_from <= commit->first_number + commit->segment_count);
    struct work work = {.first_number = commit->first_number, .segment = commit->segment,
                        .segment_count = commit->segment_count, .commit = commit,
                        .keep_from = WR_MAX(commit->keep_from, store->first), .cold_count = commit->cold_count,
                        .bytes = bytes_of(commit->segment, commit->segment_count) + commit->record.size + commit->program.size};
    wr_store_forget_cold(store);
    if (commit->cold_count) wr_store_sort_cold(store, commit);
    work.cold = store->cold_items;
    for (size_t i = 0; i < commit->cold_count; i++) /* two pages each, at worst */
        work.bytes += commit->cold[i].key.size + commit->cold[i].value.size + 2 * 4096;
    enum wr_status status = write_out(store, &work, error);
    if (status == WR_OK) {
        store->first = work.keep_from;
        store->last = store->next - 1;
        store->older = false;
    }
    wr_store_forget_cold(store);
    return status;
}

enum wr_status wr_store_drop_from(struct wr_store *store, uint64_t number, struct wr_error *error)
{
    struct work work = {.first_number = number, .bytes = SLACK_BYTES};
    WR_ASSERT(number > store->last);
    return write_out(store, &work, error);
}
