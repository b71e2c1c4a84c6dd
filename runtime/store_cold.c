/* Cold entries: looked up while another thread may write, put and taken away inside its transactions. Each stands twice:
 * under its key, and under the time by which it is due, so that those that are due next are found without looking at
 * all of them. */
#include "runtime/store_lmdb.h"

#include <stdlib.h>

#include "base/hash.h"
#include "runtime/codec.h"

/* ---- Who looks ----------------------------------------------------------------------------------- */

void wr_store_lock(struct wr_store *store)
{
    int code = pthread_mutex_lock(&store->lock);
    WR_ASSERT(code == 0);
}

void wr_store_unlock(struct wr_store *store)
{
    int code = pthread_mutex_unlock(&store->lock);
    WR_ASSERT(code == 0);
}

void wr_store_unlock_left(struct wr_store *store)
{
    if (!store->locked) return;
    store->locked = false;
    wr_store_unlock(store);
}

void wr_store_stop_looking(struct wr_store *store)
{
    if (store->looking) mdb_txn_abort(store->looking);
    store->looking = NULL;
}

/* Takes the lock and begins a reading transaction, that of before where there is one. */
static enum wr_status begin_looking(struct wr_store *store, struct wr_error *error)
{
    wr_store_unlock_left(store);
    wr_store_lock(store);
    store->locked = true;
    if (!store->env) { /* a failed write: the engine is about to be told */
        enum wr_status status = wr_store_open_environment(store, "", error);
        if (status != WR_OK) return status;
    }
    int rc = 0;
    if (store->looking) rc = LMDB(mdb_txn_renew(store->looking));
    if (!store->looking || rc) {
        wr_store_stop_looking(store);
        rc = LMDB(mdb_txn_begin(store->env, NULL, MDB_RDONLY, &store->looking));
        if (rc) store->looking = NULL;
        if (!rc) rc = wr_store_open_main(store->looking);
    }
    return rc ? wr_store_failed(store, rc, 0, error) : WR_OK;
}

static enum wr_status end_looking(struct wr_store *store, enum wr_status status)
{
    WR_ASSERT(store->locked);
    if (status != WR_OK && status != WR_END) wr_store_stop_looking(store);
    else if (store->looking) mdb_txn_reset(store->looking);
    store->locked = false;
    wr_store_unlock(store);
    return status;
}

/* ---- One entry ----------------------------------------------------------------------------------- */

int wr_store_place_hashed(MDB_txn *txn, struct wr_slice op, struct wr_slice full_key, char key[WR_HASHED_KEY_BYTES],
                          bool *found, MDB_val *value)
{
    MDB_cursor *cursor;
    unsigned ordinal = 0, free_ordinal = 0;
    MDB_val k = {WR_HASHED_KEY_BYTES, key};
    *found = false;
    int rc = LMDB(mdb_cursor_open(txn, WR_STORE_MAIN, &cursor));
    if (rc) return rc;
    for (rc = LMDB(mdb_cursor_get(cursor, &k, value, MDB_SET_RANGE)); !rc && !*found;
         rc = *found ? 0 : LMDB(mdb_cursor_get(cursor, &k, value, MDB_NEXT))) {
        const unsigned char *bytes = k.mv_data;
        struct wr_slice payload, name = wr_slice_of_val(k);
        struct wr_stored cold;
        if (k.mv_size != WR_HASHED_KEY_BYTES || memcmp(bytes, key, 17) != 0) break;
        ordinal = (unsigned)bytes[17] << 8 | bytes[18];
        if (ordinal == free_ordinal) free_ordinal++;
        bool holds = wr_store_checked(name, wr_slice_of_val(*value), &payload) && wr_store_cold_of(name, payload, &cold);
        if (!holds) rc = MDB_CORRUPTED;
        else *found = wr_slice_equal(cold.op, op) && wr_slice_equal(cold.key, full_key);
        if (rc) break;
    }
    mdb_cursor_close(cursor);
    if (rc && rc != MDB_NOTFOUND) return rc;
    if (!*found) ordinal = free_ordinal;
    if (ordinal > 0xFFFF) return MDB_KEYEXIST;
    key[17] = (char)(ordinal >> 8);
    key[18] = (char)ordinal;
    return 0;
}

/* Reads the entry under LMDB's key (`hashed`: without its ordinal, which is set). MDB_NOTFOUND: there is none. The slices
 * are good until the transaction writes or ends. */
static int find_cold(MDB_txn *txn, struct wr_slice op, struct wr_slice full_key, MDB_val *key, bool hashed,
                     struct wr_stored *cold)
{
    MDB_val value;
    struct wr_slice payload;
    bool found = true;
    int rc = hashed ? wr_store_place_hashed(txn, op, full_key, key->mv_data, &found, &value) : 0;
    if (rc) return rc;
    if (!found) return MDB_NOTFOUND;
    rc = LMDB(mdb_get(txn, WR_STORE_MAIN, key, &value));
    if (rc) return rc;
    struct wr_slice name = wr_slice_of_val(*key);
    if (!wr_store_checked(name, wr_slice_of_val(value), &payload) || !wr_store_cold_of(name, payload, cold)) return MDB_CORRUPTED;
    WR_ASSERT(wr_slice_equal(cold->op, op));
    return wr_slice_equal(cold->key, full_key) ? 0 : MDB_CORRUPTED;
}

uint64_t wr_store_cold_hash(const struct wr_store *store, struct wr_slice key)
{
    return wr_hash64(key.data, key.size, store->secret);
}

void wr_store_cold_put(struct wr_buf *out, const struct wr_stored *cold)
{
    wr_put_u64(out, cold->epoch);
    wr_put_i64(out, cold->wake);
    wr_put_u64(out, cold->order);
    wr_put_bytes(out, cold->op);
    wr_put_bytes(out, cold->key);
    wr_put_bytes(out, cold->value);
}

bool wr_store_cold_next(struct wr_slice *in, struct wr_stored *cold)
{
    return wr_get_u64(in, &cold->epoch) && wr_get_i64(in, &cold->wake) && wr_get_u64(in, &cold->order) &&
           wr_get_bytes(in, &cold->op) && wr_get_bytes(in, &cold->key) && wr_get_bytes(in, &cold->value);
}

enum wr_status wr_store_cold_find(struct wr_store *store, struct wr_slice op, struct wr_slice key, struct wr_stored *cold,
                                  struct wr_buf *out, struct wr_error *error)
{
    wr_buf_clear(out);
    wr_buf_clear(&store->look_key);
    bool hashed = wr_store_cold_key(store->secret, op, key, &store->look_key);
    enum wr_status status = begin_looking(store, error);
    if (status != WR_OK) return end_looking(store, status);
    MDB_val k = {store->look_key.size, store->look_key.data};
    int rc = find_cold(store->looking, op, key, &k, hashed, cold);
    if (!rc) wr_store_cold_put(out, cold);
    else if (rc == MDB_NOTFOUND) status = WR_END;
    else status = rc == MDB_CORRUPTED ? wr_store_damaged(store, error, "a cold entry") : wr_store_failed(store, rc, 0, error);
    status = end_looking(store, status);
    struct wr_slice in = wr_buf_slice(out);
    bool whole = status != WR_OK || wr_store_cold_next(&in, cold);
    WR_ASSERT(whole);
    return status;
}

/* ---- By time ------------------------------------------------------------------------------------- */

/* The first entry of the walk behind *place; MDB_NOTFOUND: no more of this operator up to `until`. */
static int seek_due(const struct wr_store *store, MDB_cursor *cursor, struct wr_slice op, int64_t until,
                    const struct wr_cold_place *place, MDB_val *key, MDB_val *value)
{
    char at[WR_DUE_KEY_BYTES];
    struct wr_cold_place from = place->begun ? *place : (struct wr_cold_place){.wake = INT64_MIN};
    wr_store_due_key(store->secret, op, from.wake, from.order, from.hash, at);
    *key = (MDB_val){sizeof at, at};
    int rc = LMDB(mdb_cursor_get(cursor, key, value, MDB_SET_RANGE));
    if (!rc && place->begun && key->mv_size == sizeof at && memcmp(key->mv_data, at, sizeof at) == 0)
        rc = LMDB(mdb_cursor_get(cursor, key, value, MDB_NEXT));
    if (rc) return rc;
    bool own = key->mv_size == sizeof at && memcmp(key->mv_data, at, 9) == 0;
    return own && wr_store_due_place(wr_slice_of_val(*key)).wake <= until ? 0 : MDB_NOTFOUND;
}

/* What stands under a time: LMDB's key of the entry goes to *buffer. */
static int read_due(const struct wr_store *store, struct wr_slice op, MDB_val due_key, MDB_val value, struct wr_buf *buffer,
                    struct wr_slice *key, bool *hashed)
{
    struct wr_slice payload, name = wr_slice_of_val(due_key), whose;
    if (!wr_store_checked(name, wr_slice_of_val(value), &payload) || !wr_store_due_of(name, payload, &whose, key) ||
        !wr_slice_equal(whose, op))
        return MDB_CORRUPTED;
    wr_buf_clear(buffer);
    *hashed = wr_store_cold_key(store->secret, op, *key, buffer);
    return 0;
}

enum wr_status wr_store_cold_due(struct wr_store *store, struct wr_slice op, int64_t until, uint32_t most,
                                 struct wr_cold_place *place, struct wr_buf *out, struct wr_error *error)
{
    MDB_cursor *cursor;
    MDB_val due, value;
    enum wr_status status = begin_looking(store, error);
    if (status != WR_OK) return end_looking(store, status);
    int rc = LMDB(mdb_cursor_open(store->looking, WR_STORE_MAIN, &cursor));
    bool opened = !rc;
    while (!rc && most--) {
        struct wr_slice key;
        struct wr_stored cold;
        bool hashed;
        rc = seek_due(store, cursor, op, until, place, &due, &value);
        if (!rc) rc = read_due(store, op, due, value, &store->look_key, &key, &hashed);
        if (rc) break;
        MDB_val k = {store->look_key.size, store->look_key.data};
        rc = find_cold(store->looking, op, key, &k, hashed, &cold);
        struct wr_cold_place at = wr_store_due_place(wr_slice_of_val(due));
        if (rc == MDB_NOTFOUND || (!rc && (cold.wake != at.wake || cold.order != at.order))) rc = MDB_CORRUPTED;
        if (rc) break;
        *place = at;
        wr_store_cold_put(out, &cold);
    }
    if (opened) mdb_cursor_close(cursor);
    if (rc && rc != MDB_NOTFOUND)
        status = rc == MDB_CORRUPTED ? wr_store_damaged(store, error, "a cold entry's time")
                                     : wr_store_failed(store, rc, 0, error);
    return end_looking(store, status);
}

/* ---- Writing ------------------------------------------------------------------------------------- */

static int delete_due(const struct wr_store *store, MDB_txn *txn, struct wr_slice op, struct wr_slice key, int64_t wake,
                      uint64_t order)
{
    char at[WR_DUE_KEY_BYTES];
    wr_store_due_key(store->secret, op, wake, order, wr_store_cold_hash(store, key), at);
    MDB_val due = {sizeof at, at};
    int rc = LMDB(mdb_del(txn, WR_STORE_MAIN, &due, NULL));
    return rc == MDB_NOTFOUND ? MDB_CORRUPTED : rc;
}

static int put_due(const struct wr_store *store, MDB_txn *txn, const struct wr_cold_entry *e)
{
    char at[WR_DUE_KEY_BYTES], head[16];
    wr_store_due_key(store->secret, e->op, e->wake, e->order, wr_store_cold_hash(store, e->key), at);
    wr_store_put64(head, wr_store_cold_mark(wr_slice_of(at, sizeof at)));
    wr_store_put64(head + 8, e->op.size);
    const struct wr_slice part[] = {wr_slice_of(head, sizeof head), e->op, e->key};
    return wr_store_put(txn, (MDB_val){sizeof at, at}, part, 3);
}

int wr_store_put_cold(struct wr_store *store, MDB_txn *txn, const struct wr_cold_item *item, uint64_t epoch)
{
    char head[48], hashed[WR_HASHED_KEY_BYTES];
    const struct wr_cold_entry *e = item->entry;
    MDB_val key = {item->size, (void *)(uintptr_t)(item->keys + item->offset)};
    struct wr_stored old;
    if (item->hashed) key.mv_data = memcpy(hashed, key.mv_data, sizeof hashed);
    int rc = find_cold(txn, e->op, e->key, &key, item->hashed, &old);
    if (rc == MDB_NOTFOUND && !e->value.data) return 0;
    if (!rc) rc = delete_due(store, txn, e->op, e->key, old.wake, old.order);
    else if (rc == MDB_NOTFOUND) rc = 0;
    if (rc) return rc;
    if (!e->value.data) return LMDB(mdb_del(txn, WR_STORE_MAIN, &key, NULL));
    wr_store_put64(head, wr_store_cold_mark(wr_slice_of_val(key)));
    wr_store_put64(head + 8, epoch);
    wr_store_put64(head + 16, (uint64_t)e->wake);
    wr_store_put64(head + 24, e->order);
    wr_store_put64(head + 32, e->op.size);
    wr_store_put64(head + 40, e->key.size);
    const struct wr_slice whole[] = {wr_slice_of(head, 48), e->op, e->key, e->value};
    const struct wr_slice bare[] = {wr_slice_of(head, 32), e->value};
    rc = item->hashed ? wr_store_put(txn, key, whole, 4) : wr_store_put(txn, key, bare, 2);
    return rc ? rc : put_due(store, txn, e);
}

/* The entry that is due first goes. MDB_NOTFOUND: none is. */
static int drop_first_due(struct wr_store *store, MDB_txn *txn, struct wr_slice op, int64_t until)
{
    MDB_cursor *cursor;
    MDB_val due, value;
    struct wr_slice key;
    bool hashed = false;
    int rc = LMDB(mdb_cursor_open(txn, WR_STORE_MAIN, &cursor));
    if (rc) return rc;
    rc = seek_due(store, cursor, op, until, &(struct wr_cold_place){0}, &due, &value);
    if (!rc) rc = read_due(store, op, due, value, &store->bytes, &key, &hashed);
    MDB_val k = {store->bytes.size, store->bytes.data};
    struct wr_stored cold;
    if (!rc) rc = find_cold(txn, op, key, &k, hashed, &cold);
    if (!rc) rc = LMDB(mdb_cursor_del(cursor, 0));
    mdb_cursor_close(cursor);
    return rc ? rc : LMDB(mdb_del(txn, WR_STORE_MAIN, &k, NULL));
}

int wr_store_drop_due(struct wr_store *store, MDB_txn *txn, struct wr_slice op, int64_t until)
{
    int rc = 0;
    WR_ASSERT(txn && op.data);
    while (!rc) rc = drop_first_due(store, txn, op, until);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static int compare_cold(const void *a, const void *b)
{
    const struct wr_cold_item *x = a, *y = b;
    int order = wr_slice_compare(wr_slice_of(x->keys + x->offset, x->size), wr_slice_of(y->keys + y->offset, y->size));
    return order ? order : (x->entry > y->entry) - (x->entry < y->entry); /* the later of two for one key counts */
}

void wr_store_sort_cold(struct wr_store *store, const struct wr_store_commit *commit)
{
    struct wr_cold_item *items = store->cold_items = wr_alloc(commit->cold_count * sizeof *items);
    struct wr_buf *keys = &store->cold_keys;
    for (size_t i = 0; i < commit->cold_count; i++) {
        items[i] = (struct wr_cold_item){.offset = keys->size, .entry = &commit->cold[i]};
        items[i].hashed = wr_store_cold_key(store->secret, commit->cold[i].op, commit->cold[i].key, keys);
        items[i].size = keys->size - items[i].offset;
    }
    for (size_t i = 0; i < commit->cold_count; i++) items[i].keys = keys->data;
    qsort(items, commit->cold_count, sizeof *items, compare_cold);
}
