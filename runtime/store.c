/* The one file that knows LMDB: one environment, one database, keys by their first byte.
 *
 *   'F'                     what this is: a magic text, the number of the form, 16 random bytes. Its layout never changes.
 *   'R'                     numbers of the first and last segment that count, epoch, the record
 *   'P'                     the program
 *   'S' number, big endian  a segment
 *   'C' length of op, op, key        a cold entry: epoch, value
 *   'D' 16 bytes of hash, ordinal    one whose key is too long for LMDB (511 bytes): epoch, sizes, op, key, value
 *
 * Every value ends with XXH3 of what is before it, seeded by its LMDB key, so that a value in the wrong place does not hold
 * either. Numbers are little endian, but for the segment's in its key (LMDB sorts by bytes).
 *
 * How LMDB is used, and why (facts about 0.9): no WRITEMAP, since a full disk is a SIGBUS with it; no DUPSORT, no nested
 * transactions, no mdb_drop (known defects, fragmented free lists); NOTLS, so that a reading transaction belongs to the
 * store and not to a thread; the map is enlarged with no transaction open. Transactions hold pages for as long as they
 * read, so each reading call has its own and visits go in slices. A failed commit may leave the environment unusable,
 * so it is opened anew. An allocation that unwinds leaves a transaction behind, which the next call ends. */
#include "runtime/store_internal.h"

#include <errno.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/fault.h"
#include "base/hash.h"
#include "base/vec.h"
#include "runtime/clock.h"

enum { CHECKSUM_BYTES = 8, FORMAT_BYTES = 36, HEAD_BYTES = 24, SHORT_KEY_BYTES_MAX = 500, HASHED_KEY_BYTES = 19 };
static const char magic[16] = "weir state\n";
static const uint64_t map_bytes_first = 1ull << 36, map_bytes_max = 1ull << 46;

struct wr_store {
    struct wr_store_directory directory;
    MDB_env *env;               /* NULL after a failure, until it could be opened again */
    MDB_txn *reading, *writing; /* NULL between calls, but for those that were unwound */
    MDB_cursor *cursor;         /* of a scan; the same */
    uint64_t map_bytes;
    uint64_t secret;            /* of the store: seeds hashes of keys that come from outside */
    uint64_t first, last, next; /* segments of the checkpoint; number of the next segment */
    bool read_only, volatile_;
};

/* Every call that can fail goes through here, so that tests can make the n-th fail. */
#define LMDB(call) (WR_FAULT_DUE(WR_FAULT_STORE) ? EIO : (call))

/* ---- Numbers, checksums, keys ----------------------------------------------------------------- */

static void put64(char *at, uint64_t n)
{
    for (int i = 0; i < 8; i++) at[i] = (char)(n >> (8 * i));
}

static uint64_t get64(const char *at)
{
    uint64_t n = 0;
    for (int i = 7; i >= 0; i--) n = n << 8 | (unsigned char)at[i];
    return n;
}

static uint64_t checksum(MDB_val key, const void *bytes, size_t size)
{
    return wr_hash64(bytes, size, wr_hash64(key.mv_data, key.mv_size, 0));
}

/* A value without its checksum; false: it does not hold. */
static bool checked(MDB_val key, MDB_val value, struct wr_slice *payload)
{
    if (value.mv_size < CHECKSUM_BYTES) return false;
    *payload = wr_slice_of(value.mv_data, value.mv_size - CHECKSUM_BYTES);
    return get64(payload->data + payload->size) == checksum(key, payload->data, payload->size);
}

struct segment_key {
    char bytes[9];
};

static MDB_val segment_key(struct segment_key *key, uint64_t number)
{
    key->bytes[0] = 'S';
    for (int i = 0; i < 8; i++) key->bytes[1 + i] = (char)(number >> (56 - 8 * i));
    return (MDB_val){sizeof key->bytes, key->bytes};
}

static bool is_segment_key(MDB_val key, uint64_t *number)
{
    const unsigned char *bytes = key.mv_data;
    if (key.mv_size != 9 || bytes[0] != 'S') return false;
    *number = 0;
    for (int i = 1; i < 9; i++) *number = *number << 8 | bytes[i];
    return true;
}

/* Adds LMDB's key of a cold entry to `out`. Where it would be too long for LMDB it is a hash with an ordinal behind it, 0
 * to begin with: true then. */
static bool add_cold_key(const struct wr_store *store, struct wr_slice op, struct wr_slice key, struct wr_buf *out)
{
    if (op.size <= 255 && 2 + op.size + key.size <= SHORT_KEY_BYTES_MAX) {
        wr_buf_add_char(out, 'C');
        wr_buf_add_char(out, (char)op.size);
        wr_buf_add_slice(out, op);
        wr_buf_add_slice(out, key);
        return false;
    }
    struct wr_hash128 h = wr_hash128_of(key.data, key.size, wr_hash64(op.data, op.size, store->secret));
#ifdef WR_HOSTILE
    h.low &= 1; /* equal hashes are the rule here */
    h.high = 0;
#endif
    char *at = wr_buf_reserve(out, HASHED_KEY_BYTES);
    at[0] = 'D';
    put64(at + 1, h.low);
    put64(at + 9, h.high);
    at[17] = at[18] = 0;
    out->size += HASHED_KEY_BYTES;
    return true;
}

/* ---- Errors ------------------------------------------------------------------------------------ */

static enum wr_status damaged(const struct wr_store *store, struct wr_error *error, const char *what)
{
    return wr_error_set(error, WR_ERR_STATE, "the state in '%s' is damaged (%s): bring back a copy, or choose another directory",
                        store->directory.path, what);
}

static enum wr_status failed(const struct wr_store *store, int code, uint64_t needed, struct wr_error *error)
{
    const char *path = store->directory.path;
    switch (code) {
    case MDB_INVALID: return damaged(store, error, "data.mdb is not an environment of LMDB");
    case MDB_VERSION_MISMATCH: return damaged(store, error, "data.mdb is of another version of LMDB");
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_CURSOR_FULL:
    case MDB_INCOMPATIBLE:
    case MDB_BAD_TXN:
    case MDB_BAD_VALSIZE:
    case MDB_NOTFOUND:
    case MDB_PANIC: return damaged(store, error, mdb_strerror(code));
    case MDB_READERS_FULL:
        return wr_error_set(error, WR_ERR_USAGE, "too many processes read the state in '%s' at once", path);
    case MDB_MAP_FULL:
        return wr_error_set(error, WR_ERR_IO, "the state in '%s' has outgrown the addresses of this process", path);
    case ENOMEM:
        return wr_error_set(error, WR_ERR_MEMORY,
                            "'%s' cannot be mapped: a limit on this process's addresses (ulimit -v) or memory is in the way", path);
    case EACCES:
    case EPERM:
    case EROFS: return wr_error_set(error, WR_ERR_USAGE, "'%s' cannot be written: %s", path, mdb_strerror(code));
    default: return wr_store_directory_failed(&store->directory, code, needed, error);
    }
}

/* ---- Opening the environment ------------------------------------------------------------------- */

static void end_left_over(struct wr_store *store)
{
    if (store->cursor) mdb_cursor_close(store->cursor);
    store->cursor = NULL;
    if (store->reading) mdb_txn_abort(store->reading);
    if (store->writing) mdb_txn_abort(store->writing);
    store->reading = store->writing = NULL;
}

static void close_environment(struct wr_store *store)
{
    end_left_over(store);
    if (store->env) mdb_env_close(store->env);
    store->env = NULL;
}

static enum wr_status open_environment(struct wr_store *store, const char *inside, struct wr_error *error)
{
    enum wr_status status = store->read_only ? WR_OK : wr_store_directory_reserve(&store->directory, inside, error);
    if (status != WR_OK) return status;
    struct wr_buf path = {0};
    wr_buf_printf(&path, "%s/%s", store->directory.path, inside);
    unsigned flags = MDB_NOTLS | (store->read_only ? MDB_RDONLY : 0u) | (store->volatile_ ? MDB_NOSYNC : 0u) |
                     (store->directory.unlocked ? MDB_NOLOCK : 0u);
    /* Where addresses are limited, fewer of them: the map grows later. */
    int rc;
    do {
        rc = LMDB(mdb_env_create(&store->env));
        if (rc) {
            store->env = NULL;
            break;
        }
        rc = LMDB(mdb_env_set_mapsize(store->env, (size_t)store->map_bytes));
        if (!rc) rc = LMDB(mdb_env_open(store->env, wr_buf_cstr(&path), flags, 0600));
        if (rc) close_environment(store);
    } while (rc == ENOMEM && store->map_bytes > 1u << 26 && (store->map_bytes /= 2));
    wr_buf_release(&path);
    int dead;
    if (!rc && !store->read_only) rc = LMDB(mdb_reader_check(store->env, &dead));
    if (!rc) return WR_OK;
    close_environment(store);
    return failed(store, rc, 1u << 16, error);
}

/* Begins a reading transaction. Another process may have enlarged the map. */
static enum wr_status begin_reading(struct wr_store *store, struct wr_error *error)
{
    end_left_over(store);
    if (!store->env) {
        enum wr_status status = open_environment(store, "", error);
        if (status != WR_OK) return status;
    }
    int rc = LMDB(mdb_txn_begin(store->env, NULL, MDB_RDONLY, &store->reading));
    if (rc == MDB_MAP_RESIZED) {
        rc = LMDB(mdb_env_set_mapsize(store->env, 0));
        if (!rc) rc = LMDB(mdb_txn_begin(store->env, NULL, MDB_RDONLY, &store->reading));
    }
    if (!rc) return WR_OK;
    store->reading = NULL;
    return failed(store, rc, 0, error);
}

enum { MAIN = 1 }; /* the handle of the one database, which LMDB gives it once and for all */

static int open_main(MDB_txn *txn)
{
    MDB_dbi dbi;
    int rc = LMDB(mdb_dbi_open(txn, NULL, 0, &dbi));
    WR_ASSERT(rc || dbi == MAIN);
    return rc;
}

/* A value inside the reading transaction; WR_END: there is none. what: for people. */
static enum wr_status find(struct wr_store *store, MDB_val key, struct wr_slice *payload, const char *what, struct wr_error *error)
{
    WR_ASSERT(store->reading);
    MDB_val value;
    int rc = LMDB(mdb_get(store->reading, MAIN, &key, &value));
    if (rc == MDB_NOTFOUND) return WR_END;
    if (rc) return failed(store, rc, 0, error);
    if (checked(key, value, payload)) return WR_OK;
    return damaged(store, error, what);
}

static const MDB_val format_key = {1, (void *)(uintptr_t) "F"}, record_key = {1, (void *)(uintptr_t) "R"},
                     program_key = {1, (void *)(uintptr_t) "P"};

/* The record with its head, inside the reading transaction. */
static enum wr_status find_record(struct wr_store *store, struct wr_slice *record, uint64_t *first, uint64_t *last,
                                  struct wr_error *error)
{
    struct wr_slice payload;
    *first = 1;
    *last = 0;
    *record = wr_slice_of(NULL, 0);
    enum wr_status status = find(store, record_key, &payload, "the record of the checkpoint", error);
    if (status == WR_END) return WR_OK;
    if (status != WR_OK) return status;
    if (payload.size < HEAD_BYTES) return damaged(store, error, "the record of the checkpoint");
    *first = get64(payload.data);
    *last = get64(payload.data + 8);
    *record = wr_slice_of(payload.data + HEAD_BYTES, payload.size - HEAD_BYTES);
    if (*first == 0 || *first > *last + 1) return damaged(store, error, "the record of the checkpoint");
    return WR_OK;
}

static enum wr_status check_format(struct wr_store *store, struct wr_error *error)
{
    struct wr_slice payload;
    enum wr_status status = begin_reading(store, error);
    if (status != WR_OK) return status;
    int rc = open_main(store->reading);
    if (rc) return failed(store, rc, 0, error);
    status = find(store, format_key, &payload, "its first entry", error);
    if (status == WR_END || (status == WR_OK && (payload.size < FORMAT_BYTES || memcmp(payload.data, magic, sizeof magic) != 0)))
        return wr_error_set(error, WR_ERR_STATE, "'%s/data.mdb' is not a state of weir: choose another directory",
                            store->directory.path);
    if (status != WR_OK) return status;
    uint64_t format = get64(payload.data + 16) & 0xFFFFFFFFu;
    if (format != WR_STORE_FORMAT)
        return wr_error_set(error, WR_ERR_STATE,
                            "the state in '%s' has form %llu, this weir knows form %d: use the weir that wrote it, or begin anew in "
                            "another directory",
                            store->directory.path, (unsigned long long)format, WR_STORE_FORMAT);
    store->secret = get64(payload.data + 20);
    struct wr_slice record;
    status = find_record(store, &record, &store->first, &store->last, error);
    end_left_over(store);
    return status;
}

/* ---- Cold entries ------------------------------------------------------------------------------- */

struct cold {
    struct wr_slice op, key, value;
    uint64_t epoch;
};

/* Takes a cold entry apart; false: malformed. */
static bool cold_of(MDB_val key, struct wr_slice payload, struct cold *cold)
{
    const char *bytes = key.mv_data;
    if (bytes[0] == 'C') {
        if (key.mv_size < 2 || payload.size < 8) return false;
        size_t op_size = (unsigned char)bytes[1];
        if (2 + op_size > key.mv_size) return false;
        cold->op = wr_slice_of(bytes + 2, op_size);
        cold->key = wr_slice_of(bytes + 2 + op_size, key.mv_size - 2 - op_size);
        cold->value = wr_slice_of(payload.data + 8, payload.size - 8);
    } else {
        if (payload.size < 24) return false;
        uint64_t op_size = get64(payload.data + 8), key_size = get64(payload.data + 16), rest = payload.size - 24;
        if (op_size > rest || key_size > rest - op_size) return false;
        cold->op = wr_slice_of(payload.data + 24, (size_t)op_size);
        cold->key = wr_slice_of(cold->op.data + op_size, (size_t)key_size);
        cold->value = wr_slice_of(cold->key.data + key_size, (size_t)(rest - op_size - key_size));
    }
    cold->epoch = get64(payload.data);
    return true;
}

/* Looks for a long key among those that share its hash: sets the ordinal in `key` to its own, or to the first free one. */
static int place_hashed(MDB_txn *txn, struct wr_slice op, struct wr_slice full_key, char key[HASHED_KEY_BYTES], bool *found,
                        MDB_val *value)
{
    MDB_cursor *cursor;
    unsigned ordinal = 0, free_ordinal = 0;
    MDB_val k = {HASHED_KEY_BYTES, key};
    *found = false;
    int rc = LMDB(mdb_cursor_open(txn, MAIN, &cursor));
    if (rc) return rc;
    for (rc = LMDB(mdb_cursor_get(cursor, &k, value, MDB_SET_RANGE)); !rc && !*found;
         rc = *found ? 0 : LMDB(mdb_cursor_get(cursor, &k, value, MDB_NEXT))) {
        const unsigned char *bytes = k.mv_data;
        struct wr_slice payload;
        struct cold cold;
        if (k.mv_size != HASHED_KEY_BYTES || memcmp(bytes, key, 17) != 0) break;
        ordinal = (unsigned)bytes[17] << 8 | bytes[18];
        if (ordinal == free_ordinal) free_ordinal++;
        if (!checked(k, *value, &payload) || !cold_of(k, payload, &cold)) rc = MDB_CORRUPTED;
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

/* ---- Writing ----------------------------------------------------------------------------------- */

static int put(MDB_txn *txn, MDB_val key, const struct wr_slice *part, size_t count)
{
    MDB_val value = {CHECKSUM_BYTES, NULL};
    for (size_t i = 0; i < count; i++) value.mv_size += part[i].size;
    int rc = LMDB(mdb_put(txn, MAIN, &key, &value, MDB_RESERVE));
    if (rc) return rc;
    char *at = value.mv_data;
    for (size_t i = 0; i < count; i++) {
        if (part[i].size) memcpy(at, part[i].data, part[i].size);
        at += part[i].size;
    }
    size_t size = value.mv_size - CHECKSUM_BYTES;
    put64(at, checksum(key, value.mv_data, size));
    return 0;
}

/* Drops the segments whose numbers lie in [from, below). */
static int drop_segments(MDB_txn *txn, uint64_t from, uint64_t below)
{
    MDB_cursor *cursor;
    int rc = LMDB(mdb_cursor_open(txn, MAIN, &cursor));
    if (rc) return rc;
    for (;;) {
        struct segment_key start;
        MDB_val key = segment_key(&start, from), value;
        uint64_t number;
        rc = LMDB(mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE));
        if (rc || !is_segment_key(key, &number) || number >= below) break;
        rc = LMDB(mdb_cursor_del(cursor, 0));
        if (rc) break;
    }
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

struct cold_item {
    size_t offset, size; /* of LMDB's key, in one buffer for all */
    const char *keys;
    bool hashed;
    const struct wr_cold_entry *entry;
};

/* One transaction's worth of work; everything in it can be done again. */
struct work {
    uint64_t first_number;
    const struct wr_slice *segment;
    size_t segment_count;
    const struct wr_store_commit *commit; /* NULL: segments only */
    const struct cold_item *cold;         /* sorted */
    size_t cold_count;
    uint64_t bytes;
};

static int put_cold(MDB_txn *txn, const struct cold_item *item, uint64_t epoch)
{
    char head[24], hashed[HASHED_KEY_BYTES];
    const struct wr_cold_entry *e = item->entry;
    MDB_val key = {item->size, (void *)(uintptr_t)(item->keys + item->offset)}, old;
    if (item->hashed) {
        bool found;
        key.mv_data = memcpy(hashed, key.mv_data, sizeof hashed);
        int rc = place_hashed(txn, e->op, e->key, hashed, &found, &old);
        if (rc || (!found && !e->value.data)) return rc;
    }
    if (!e->value.data) {
        int rc = LMDB(mdb_del(txn, MAIN, &key, NULL));
        return rc == MDB_NOTFOUND ? 0 : rc;
    }
    put64(head, epoch);
    put64(head + 8, e->op.size);
    put64(head + 16, e->key.size);
    const struct wr_slice whole[] = {wr_slice_of(head, 24), e->op, e->key, e->value};
    const struct wr_slice bare[] = {wr_slice_of(head, 8), e->value};
    return item->hashed ? put(txn, key, whole, 4) : put(txn, key, bare, 2);
}

static int fill(MDB_txn *txn, struct wr_store *store, struct work *work)
{
    struct segment_key buffer;
    int rc = drop_segments(txn, work->first_number, UINT64_MAX);
    if (!rc && work->commit) rc = drop_segments(txn, store->first, work->commit->keep_from);
    for (size_t i = 0; !rc && i < work->segment_count; i++) {
        rc = put(txn, segment_key(&buffer, work->first_number + i), &work->segment[i], 1);
        WR_CRASH_POINT("store.filling");
    }
    const struct wr_store_commit *c = work->commit;
    if (rc || !c) return rc;
    for (size_t i = 0; !rc && i < work->cold_count; i++) rc = put_cold(txn, &work->cold[i], c->epoch);
    char head[HEAD_BYTES];
    put64(head, WR_MAX(c->keep_from, 1));
    put64(head + 8, work->first_number + work->segment_count - 1);
    put64(head + 16, c->epoch);
    const struct wr_slice record[] = {wr_slice_of(head, sizeof head), c->record};
    if (!rc) rc = put(txn, record_key, record, 2);
    if (!rc && c->program.size) rc = put(txn, program_key, &c->program, 1);
    return rc;
}

static int commit_writing(struct wr_store *store)
{
    MDB_txn *txn = store->writing;
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
    end_left_over(store);
    WR_ASSERT(!store->read_only);
    for (;;) {
        if (!store->env) {
            enum wr_status status = open_environment(store, "", error);
            if (status != WR_OK) return status;
        }
        int rc = LMDB(mdb_txn_begin(store->env, NULL, 0, &store->writing));
        if (rc) store->writing = NULL;
        if (!rc) rc = open_main(store->writing);
        if (!rc) rc = fill(store->writing, store, work);
        if (!rc) {
            if (work->commit) WR_CRASH_POINT("store.before_commit");
            else WR_CRASH_POINT("store.before_append");
            rc = commit_writing(store);
        }
        if (!rc) break;
        end_left_over(store);
        if (rc == MDB_MAP_FULL && store->map_bytes < map_bytes_max) {
            rc = LMDB(mdb_env_set_mapsize(store->env, (size_t)store->map_bytes * 2));
            if (!rc) {
                store->map_bytes *= 2;
                continue;
            }
        }
        close_environment(store);
        return failed(store, rc, work->bytes, error);
    }
    if (work->commit) WR_CRASH_POINT("store.after_commit");
    else WR_CRASH_POINT("store.after_append");
    store->next = work->first_number + work->segment_count;
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

static int compare_cold(const void *a, const void *b)
{
    const struct cold_item *x = a, *y = b;
    int order = wr_slice_compare(wr_slice_of(x->keys + x->offset, x->size), wr_slice_of(y->keys + y->offset, y->size));
    return order ? order : (x->entry > y->entry) - (x->entry < y->entry); /* the later of two for one key counts */
}

static void sort_cold(const struct wr_store *store, const struct wr_store_commit *commit, struct cold_item *items,
                      struct wr_buf *keys)
{
    for (size_t i = 0; i < commit->cold_count; i++) {
        items[i] = (struct cold_item){.offset = keys->size, .entry = &commit->cold[i]};
        items[i].hashed = add_cold_key(store, commit->cold[i].op, commit->cold[i].key, keys);
        items[i].size = keys->size - items[i].offset;
    }
    for (size_t i = 0; i < commit->cold_count; i++) items[i].keys = keys->data;
    qsort(items, commit->cold_count, sizeof *items, compare_cold);
}

enum wr_status wr_store_commit(struct wr_store *store, const struct wr_store_commit *commit, struct wr_error *error)
{
    WR_ASSERT(commit->record.size);
    WR_ASSERT(commit->first_number > store->last && commit->first_number <= store->next);
    WR_ASSERT(commit->keep_from <= commit->first_number + commit->segment_count);
    struct work work = {.first_number = commit->first_number, .segment = commit->segment,
                        .segment_count = commit->segment_count, .commit = commit, .cold_count = commit->cold_count,
                        .bytes = bytes_of(commit->segment, commit->segment_count) + commit->record.size + commit->program.size};
    struct cold_item *items = NULL;
    struct wr_buf keys = {0};
    if (commit->cold_count) {
        items = wr_alloc(commit->cold_count * sizeof *items);
        sort_cold(store, commit, items, &keys);
        work.cold = items;
    }
    for (size_t i = 0; i < commit->cold_count; i++) /* a page each, at worst */
        work.bytes += commit->cold[i].key.size + commit->cold[i].value.size + 4096;
    enum wr_status status = write_out(store, &work, error);
    if (status == WR_OK) {
        store->first = WR_MAX(commit->keep_from, 1);
        store->last = store->next - 1;
    }
    wr_free(items);
    wr_buf_release(&keys);
    return status;
}

/* ---- Opening and closing ------------------------------------------------------------------------ */

/* A new environment: made aside, moved to its place when its first commit is durable. */
static enum wr_status make_environment(struct wr_store *store, struct wr_error *error)
{
    enum wr_status status = wr_store_directory_begin(&store->directory, error);
    if (status == WR_OK) status = open_environment(store, "begin/", error);
    if (status != WR_OK) return status;
    WR_CRASH_POINT("open.environment_made");
    char format[FORMAT_BYTES] = {0};
    memcpy(format, magic, sizeof magic);
    format[16] = WR_STORE_FORMAT;
    put64(format + 20, wr_clock_seed());
    put64(format + 28, wr_clock_seed());
    const struct wr_slice payload = wr_slice_of(format, sizeof format);
    int rc = LMDB(mdb_txn_begin(store->env, NULL, 0, &store->writing));
    if (rc) store->writing = NULL;
    if (!rc) rc = open_main(store->writing);
    if (!rc) rc = put(store->writing, format_key, &payload, 1);
    if (!rc) {
        WR_CRASH_POINT("open.before_first_commit");
        rc = commit_writing(store);
    }
    close_environment(store);
    if (rc) return failed(store, rc, 1u << 16, error);
    return wr_store_directory_finish(&store->directory, store->volatile_, error);
}

/* Drops what belongs to a checkpoint that was never finished. */
static enum wr_status drop_unfinished(struct wr_store *store, struct wr_error *error)
{
    enum wr_status status = begin_reading(store, error);
    if (status != WR_OK) return status;
    MDB_cursor *cursor;
    struct segment_key buffer;
    MDB_val key = segment_key(&buffer, store->last + 1), value;
    uint64_t number;
    int rc = LMDB(mdb_cursor_open(store->reading, MAIN, &cursor));
    if (rc) return failed(store, rc, 0, error);
    rc = LMDB(mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE));
    bool some = !rc && is_segment_key(key, &number);
    mdb_cursor_close(cursor);
    end_left_over(store);
    if (rc && rc != MDB_NOTFOUND) return failed(store, rc, 0, error);
    if (!some) return WR_OK;
    WR_CRASH_POINT("open.before_drop");
    struct work work = {.first_number = store->last + 1, .bytes = SLACK_BYTES};
    return write_out(store, &work, error);
}

enum wr_status wr_store_open(const struct wr_store_options *options, struct wr_store **out, struct wr_error *error)
{
    *out = NULL;
    struct wr_store *store = wr_alloc_zero(sizeof *store);
    store->map_bytes = options->map_bytes ? options->map_bytes : map_bytes_first;
    store->read_only = options->read_only;
    store->volatile_ = options->volatile_;
    enum wr_status status = wr_store_directory_open(options, &store->directory, error);
    if (status == WR_OK && store->directory.fresh) status = make_environment(store, error);
    if (status == WR_OK) status = open_environment(store, "", error);
    if (status == WR_OK) status = check_format(store, error);
    store->next = store->last + 1;
    if (status == WR_OK && !store->read_only) status = drop_unfinished(store, error);
    if (status != WR_OK) {
        wr_store_close(store);
        return status;
    }
    WR_CRASH_POINT("open.done");
    *out = store;
    return WR_OK;
}

void wr_store_close(struct wr_store *store)
{
    if (!store) return;
    WR_CRASH_POINT("store.before_close");
    close_environment(store);
    wr_store_directory_release(&store->directory);
    wr_free(store);
}

/* ---- Reading ------------------------------------------------------------------------------------ */

static enum wr_status copy_out(struct wr_store *store, enum wr_status status, struct wr_slice payload, struct wr_buf *out)
{
    wr_buf_clear(out);
    if (status == WR_OK) wr_buf_add_slice(out, payload);
    end_left_over(store);
    return status;
}

enum wr_status wr_store_record(struct wr_store *store, struct wr_buf *out, struct wr_error *error)
{
    struct wr_slice record = {0};
    uint64_t first, last;
    enum wr_status status = begin_reading(store, error);
    if (status == WR_OK) status = find_record(store, &record, &first, &last, error);
    return copy_out(store, status, record, out);
}

enum wr_status wr_store_program(struct wr_store *store, struct wr_buf *out, struct wr_error *error)
{
    struct wr_slice program = {0};
    enum wr_status status = begin_reading(store, error);
    if (status == WR_OK) status = find(store, program_key, &program, "the program", error);
    return copy_out(store, status == WR_END ? WR_OK : status, program, out);
}

enum wr_status wr_store_segments(struct wr_store *store, uint64_t *first, uint64_t *last, struct wr_error *error)
{
    struct wr_slice record;
    enum wr_status status = begin_reading(store, error);
    if (status == WR_OK) status = find_record(store, &record, first, last, error);
    end_left_over(store);
    return status;
}

enum wr_status wr_store_read(struct wr_store *store, uint64_t number, struct wr_buf *out, struct wr_error *error)
{
    struct segment_key buffer;
    struct wr_slice payload = {0}, record;
    uint64_t first, last;
    char what[64];
    snprintf(what, sizeof what, "segment %llu", (unsigned long long)number);
    enum wr_status status = begin_reading(store, error);
    if (status == WR_OK) status = find(store, segment_key(&buffer, number), &payload, what, error);
    if (status == WR_END) { /* gone in the meantime, or missing? */
        status = find_record(store, &record, &first, &last, error);
        if (status == WR_OK && (number < first || number > last)) status = WR_END;
        else if (status == WR_OK) {
            snprintf(what, sizeof what, "segment %llu is missing", (unsigned long long)number);
            status = damaged(store, error, what);
        }
    }
    return copy_out(store, status, payload, out);
}

enum wr_status wr_store_cold_find(struct wr_store *store, struct wr_slice op, struct wr_slice key, uint64_t *epoch,
                                  struct wr_buf *out, struct wr_error *error)
{
    struct wr_buf bytes = {0};
    wr_buf_clear(out);
    *epoch = 0;
    bool hashed = add_cold_key(store, op, key, &bytes), found = true;
    enum wr_status status = begin_reading(store, error);
    if (status == WR_OK && hashed) {
        MDB_val old;
        int rc = place_hashed(store->reading, op, key, bytes.data, &found, &old);
        if (rc) status = failed(store, rc, 0, error);
    }
    struct wr_slice payload = {0};
    struct cold cold = {0};
    MDB_val k = {bytes.size, bytes.data};
    if (status == WR_OK) status = found ? find(store, k, &payload, "a cold entry", error) : WR_END;
    if (status == WR_OK && !cold_of(k, payload, &cold)) status = damaged(store, error, "a cold entry");
    if (status == WR_OK) *epoch = cold.epoch;
    wr_buf_release(&bytes);
    return copy_out(store, status == WR_END ? WR_OK : status, cold.value, out);
}

/* What a visit sees of each entry, inside a transaction. false: the slice is long enough. */
typedef bool scan_fn(void *context, MDB_val key, MDB_val value);
/* Between two slices, with no transaction open. false: enough seen. */
typedef bool pause_fn(void *context);

enum { SLICE_ENTRIES = 1024, LMDB_KEY_BYTES_MAX = 511 };

/* One slice of a scan: entries behind `last` (at it, where `first`) and below `until`, a first byte. */
static enum wr_status scan_slice(struct wr_store *store, struct wr_buf *last, bool first, char until, scan_fn *fn, void *context,
                                 bool *more, struct wr_error *error)
{
    enum wr_status status = begin_reading(store, error);
    if (status != WR_OK) return status;
    MDB_val key = {last->size, last->data}, value;
    int rc = LMDB(mdb_cursor_open(store->reading, MAIN, &store->cursor));
    if (rc) store->cursor = NULL;
    if (!rc) rc = LMDB(mdb_cursor_get(store->cursor, &key, &value, MDB_SET_RANGE));
    if (!rc && !first && wr_slice_equal(wr_slice_of(key.mv_data, key.mv_size), wr_buf_slice(last)))
        rc = LMDB(mdb_cursor_get(store->cursor, &key, &value, MDB_NEXT));
    *more = false;
    for (size_t n = 1; !rc && *(const char *)key.mv_data < until; n++) {
        *more = !fn(context, key, value) || n == SLICE_ENTRIES;
        if (*more) {
            wr_buf_clear(last);
            wr_buf_add(last, key.mv_data, key.mv_size);
            break;
        }
        rc = LMDB(mdb_cursor_get(store->cursor, &key, &value, MDB_NEXT));
    }
    end_left_over(store);
    return rc && rc != MDB_NOTFOUND ? failed(store, rc, 0, error) : WR_OK;
}

/* Visits all entries from `from` on whose first byte is below `until`; calls pause between slices. */
static enum wr_status scan(struct wr_store *store, MDB_val from, char until, scan_fn *fn, pause_fn *pause, void *context,
                           struct wr_error *error)
{
    struct wr_buf last = {0};
    wr_buf_reserve(&last, LMDB_KEY_BYTES_MAX);
    wr_buf_add(&last, from.mv_data, from.mv_size);
    enum wr_status status = WR_OK;
    for (bool more = true, first = true; more && status == WR_OK; first = false) {
        status = scan_slice(store, &last, first, until, fn, context, &more, error);
        if (status == WR_OK && !pause(context)) more = false;
    }
    wr_buf_release(&last);
    return status;
}

struct cold_visit {
    wr_store_cold_fn *fn;
    void *context;
    struct wr_buf bytes; /* of this slice: pairs of two sizes, LMDB's key, payload */
    bool bad;
};

static bool take_cold(void *context, MDB_val key, MDB_val value)
{
    struct cold_visit *visit = context;
    struct wr_slice payload;
    if (!checked(key, value, &payload)) {
        visit->bad = true;
        return false;
    }
    char sizes[16];
    put64(sizes, key.mv_size);
    put64(sizes + 8, payload.size);
    wr_buf_add(&visit->bytes, sizes, sizeof sizes);
    wr_buf_add(&visit->bytes, key.mv_data, key.mv_size);
    wr_buf_add_slice(&visit->bytes, payload);
    return visit->bytes.size < 1u << 20;
}

static bool show_cold(void *context)
{
    struct cold_visit *visit = context;
    const char *at = visit->bytes.data, *end = at + visit->bytes.size;
    bool go_on = true;
    while (go_on && !visit->bad && at < end) {
        MDB_val key = {(size_t)get64(at), (void *)(uintptr_t)(at + 16)};
        struct wr_slice payload = wr_slice_of(at + 16 + key.mv_size, (size_t)get64(at + 8));
        struct cold cold;
        at = payload.data + payload.size;
        if (cold_of(key, payload, &cold)) go_on = visit->fn(visit->context, cold.op, cold.key, cold.epoch, cold.value);
        else visit->bad = true;
    }
    wr_buf_clear(&visit->bytes);
    return go_on && !visit->bad;
}

enum wr_status wr_store_cold_visit(struct wr_store *store, wr_store_cold_fn *fn, void *context, struct wr_error *error)
{
    struct cold_visit visit = {.fn = fn, .context = context};
    enum wr_status status = scan(store, (MDB_val){1, (void *)(uintptr_t) "C"}, 'E', take_cold, show_cold, &visit, error);
    wr_buf_release(&visit.bytes);
    return status == WR_OK && visit.bad ? damaged(store, error, "a cold entry") : status;
}

/* ---- Looking at the whole ------------------------------------------------------------------------ */

static bool measure_entry(void *context, MDB_val key, MDB_val value)
{
    struct wr_store_size *size = context;
    char kind = *(const char *)key.mv_data;
    uint64_t bytes = value.mv_size - WR_MIN(value.mv_size, (size_t)CHECKSUM_BYTES);
    if (kind == 'S') {
        size->segments++;
        size->segment_bytes += bytes;
    } else if (kind == 'C' || kind == 'D') {
        size->cold_entries++;
        size->cold_bytes += bytes;
    }
    return true;
}

static bool go_on(void *context)
{
    WR_UNUSED(context);
    return true;
}

/* Pages that LMDB keeps for later: its own table 0 lists them, a count before each list. */
static int count_free_pages(MDB_txn *txn, uint64_t *pages)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    *pages = 0;
    int rc = LMDB(mdb_cursor_open(txn, 0, &cursor));
    if (rc) return rc;
    while (!(rc = LMDB(mdb_cursor_get(cursor, &key, &value, MDB_NEXT)))) *pages += *(const size_t *)value.mv_data;
    mdb_cursor_close(cursor);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

enum wr_status wr_store_measure(struct wr_store *store, struct wr_store_size *size, struct wr_error *error)
{
    *size = (struct wr_store_size){0};
    enum wr_status status = begin_reading(store, error);
    if (status != WR_OK) return status;
    MDB_envinfo info;
    MDB_stat stat_;
    mdb_filehandle_t fd;
    struct stat st;
    uint64_t free_pages = 0;
    int rc = LMDB(mdb_env_info(store->env, &info));
    if (!rc) rc = LMDB(mdb_env_stat(store->env, &stat_));
    if (!rc) rc = LMDB(mdb_env_get_fd(store->env, &fd));
    if (!rc) rc = count_free_pages(store->reading, &free_pages);
    end_left_over(store);
    if (!rc && fstat(fd, &st) != 0) rc = errno;
    if (rc) return failed(store, rc, 0, error);
    size->file_bytes = (uint64_t)st.st_size;
    size->free_bytes = free_pages * stat_.ms_psize;
    size->used_bytes = ((uint64_t)info.me_last_pgno + 1 - WR_MIN(free_pages, (uint64_t)info.me_last_pgno)) * stat_.ms_psize;
    size->disk_free_bytes = wr_store_directory_free(&store->directory);
    return scan(store, (MDB_val){1, (void *)(uintptr_t) "C"}, 'T', measure_entry, go_on, size, error);
}

struct verification {
    void (*found)(void *context, const char *what);
    void *context;
    uint64_t bad, expected; /* segments follow one another */
    struct wr_buf text;     /* of this slice: sentences, each with its NUL */
    size_t bytes;
};

static void complain(struct verification *v, const char *what)
{
    v->bad++;
    wr_buf_add(&v->text, what, strlen(what) + 1);
}

static bool verify_entry(void *context, MDB_val key, MDB_val value)
{
    struct verification *v = context;
    struct wr_slice payload;
    struct cold cold;
    char what[96];
    uint64_t number;
    bool holds = checked(key, value, &payload);
    char kind = *(const char *)key.mv_data;
    if (is_segment_key(key, &number)) {
        if (v->expected && number != v->expected) {
            snprintf(what, sizeof what, "segment %llu is missing", (unsigned long long)v->expected);
            complain(v, what);
        }
        v->expected = number + 1;
        snprintf(what, sizeof what, "segment %llu does not hold its checksum", (unsigned long long)number);
        if (!holds) complain(v, what);
    } else if (kind == 'C' || kind == 'D') {
        if (!holds || !cold_of(key, payload, &cold)) complain(v, "a cold entry does not hold its checksum");
    } else if (key.mv_size != 1 || (kind != 'F' && kind != 'R' && kind != 'P')) {
        complain(v, "an entry that weir does not write");
    } else if (!holds) {
        complain(v, kind == 'F'   ? "the first entry does not hold its checksum"
                    : kind == 'R' ? "the record of the checkpoint does not hold its checksum"
                                  : "the program does not hold its checksum");
    }
    v->bytes += value.mv_size;
    if (v->bytes < 16u << 20) return true;
    v->bytes = 0;
    return false;
}

static bool tell_found(void *context)
{
    struct verification *v = context;
    for (size_t at = 0; at < v->text.size; at += strlen(v->text.data + at) + 1) v->found(v->context, v->text.data + at);
    wr_buf_clear(&v->text);
    return true;
}

enum wr_status wr_store_verify(struct wr_store *store, void (*found)(void *context, const char *what), void *context,
                               struct wr_error *error)
{
    struct verification v = {.found = found, .context = context};
    enum wr_status status = scan(store, (MDB_val){1, (void *)(uintptr_t) "\0"}, 127, verify_entry, tell_found, &v, error);
    wr_buf_release(&v.text);
    if (status != WR_OK || !v.bad) return status;
    char what[64];
    snprintf(what, sizeof what, "%llu entries do not hold", (unsigned long long)v.bad);
    return damaged(store, error, v.bad == 1 ? "one entry does not hold" : what);
}
