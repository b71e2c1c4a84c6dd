/* The one file that knows LMDB: one environment, one database. store_form.c has the forms of keys and values.
 *
 * How LMDB is used, and why (facts about 0.9): no WRITEMAP, since a full disk is a SIGBUS with it; no DUPSORT, no nested
 * transactions, no mdb_drop (known defects, fragmented free lists); NOTLS, so that a reading transaction belongs to the
 * store and not to a thread; the map is enlarged with no transaction open. Transactions hold pages for as long as they
 * read, so each reading call has its own and visits go in slices. A failed commit may leave the environment unusable,
 * so it is opened anew. An allocation that unwinds leaves a transaction behind, which the next call ends. */
#include "runtime/store_internal.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/vec.h"
#include "runtime/clock.h"

enum { FORMAT_BYTES = 36, HEAD_BYTES = 24, LMDB_KEY_BYTES_MAX = 511 };
static const char magic[16] = "weir state\n";
static const uint64_t map_bytes_first = 1ull << 36, map_bytes_max = 1ull << 46;

struct cold_item;
struct wr_store {
    struct wr_store_directory directory;
    MDB_env *env;               /* NULL after a failure, until it could be opened again */
    MDB_txn *reading, *writing; /* NULL between calls, but for those that were unwound */
    MDB_cursor *cursor;         /* of a scan; the same */
    /* What calls work with; here, so that an allocation that unwinds loses nothing. */
    struct wr_buf key, bytes, cold_keys;
    struct cold_item *cold_items;
    uint64_t map_bytes;
    uint64_t secret;            /* of the store: seeds hashes of keys that come from outside */
    uint64_t first, last, next; /* segments of the checkpoint; number of the next segment */
    bool read_only, volatile_;
};

/* Every call that can fail goes through here, so that tests can make the n-th fail. */
#define LMDB(call) (WR_FAULT_DUE(WR_FAULT_STORE) ? EIO : (call))

static MDB_val val_of(struct wr_slice s)
{
    return (MDB_val){s.size, (void *)(uintptr_t)s.data};
}

static struct wr_slice slice_of(MDB_val v)
{
    return wr_slice_of(v.mv_data, v.mv_size);
}

static MDB_val segment_key_at(struct wr_segment_key *key, uint64_t number)
{
    return val_of(wr_store_segment_key(key, number));
}

/* ---- Errors ------------------------------------------------------------------------------------ */

enum wr_status wr_store_damaged(const struct wr_store *store, struct wr_error *error, const char *what)
{
    return wr_error_set(error, WR_ERR_STATE,
                        "the state in '%s' is damaged (%s): bring back a copy, or name another directory; --discard-state "
                        "throws it away",
                        store->directory.path, what);
}

static enum wr_status failed(const struct wr_store *store, int code, uint64_t needed, struct wr_error *error)
{
    const char *path = store->directory.path;
    switch (code) {
    case MDB_INVALID: return wr_store_damaged(store, error, "data.mdb is not an environment of LMDB");
    case MDB_VERSION_MISMATCH: return wr_store_damaged(store, error, "data.mdb is of another version of LMDB");
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_CURSOR_FULL:
    case MDB_INCOMPATIBLE:
    case MDB_BAD_TXN:
    case MDB_BAD_VALSIZE:
    case MDB_NOTFOUND:
    case MDB_PANIC: return wr_store_damaged(store, error, mdb_strerror(code));
    case MDB_READERS_FULL:
        return wr_error_set(error, WR_ERR_USAGE, "too many processes read the state in '%s' at once", path);
    case MDB_MAP_FULL:
        return wr_error_set(error, WR_ERR_IO, "the state in '%s' has outgrown the addresses of this process", path);
    case ENOMEM:
        return wr_error_set(error, WR_ERR_MEMORY,
                            "'%s' cannot be mapped: a limit on this process's addresses (ulimit -v) or memory is in the way",
                            path);
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

static void forget_cold(struct wr_store *store)
{
    wr_free(store->cold_items);
    store->cold_items = NULL;
    wr_buf_release(&store->cold_keys);
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
    wr_buf_clear(&store->bytes);
    wr_buf_printf(&store->bytes, "%s/%s", store->directory.path, inside);
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
        if (!rc) rc = LMDB(mdb_env_open(store->env, wr_buf_cstr(&store->bytes), flags, 0600));
        if (rc) close_environment(store);
    } while (rc == ENOMEM && store->map_bytes > 1u << 26 && (store->map_bytes /= 2));
    if (!rc) return WR_OK;
    close_environment(store);
    return failed(store, rc, 1u << 16, error);
}

enum { MAIN = 1 }; /* the handle of the one database, which LMDB gives it once and for all */

static int open_main(MDB_txn *txn)
{
    MDB_dbi dbi;
    int rc = LMDB(mdb_dbi_open(txn, NULL, 0, &dbi));
    WR_ASSERT(rc || dbi == MAIN);
    return rc;
}

/* Begins a reading transaction. Another process may have enlarged the map. */
static enum wr_status begin_reading(struct wr_store *store, struct wr_error *error)
{
    end_left_over(store);
    WR_ASSERT(!store->reading && !store->writing && !store->cursor);
    if (!store->env) {
        enum wr_status status = open_environment(store, "", error);
        if (status != WR_OK) return status;
    }
    int rc = LMDB(mdb_txn_begin(store->env, NULL, MDB_RDONLY, &store->reading));
    if (rc == MDB_MAP_RESIZED) {
        rc = LMDB(mdb_env_set_mapsize(store->env, 0));
        if (!rc) rc = LMDB(mdb_txn_begin(store->env, NULL, MDB_RDONLY, &store->reading));
    }
    if (rc) store->reading = NULL;
    if (!rc) rc = open_main(store->reading);
    if (!rc) return WR_OK;
    end_left_over(store);
    return failed(store, rc, 0, error);
}

/* A value inside the reading transaction; WR_END: there is none. what: for people. */
static enum wr_status find(struct wr_store *store, MDB_val key, struct wr_slice *payload, const char *what,
                           struct wr_error *error)
{
    WR_ASSERT(store->reading);
    MDB_val value;
    int rc = LMDB(mdb_get(store->reading, MAIN, &key, &value));
    if (rc == MDB_NOTFOUND) return WR_END;
    if (rc) return failed(store, rc, 0, error);
    if (wr_store_checked(slice_of(key), slice_of(value), payload)) return WR_OK;
    return wr_store_damaged(store, error, what);
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
    if (payload.size < HEAD_BYTES) return wr_store_damaged(store, error, "the record of the checkpoint");
    *first = wr_store_get64(payload.data);
    *last = wr_store_get64(payload.data + 8);
    *record = wr_slice_of(payload.data + HEAD_BYTES, payload.size - HEAD_BYTES);
    if (*first == 0 || *first > *last + 1) return wr_store_damaged(store, error, "the record of the checkpoint");
    return WR_OK;
}

enum wr_status wr_store_check_pages(struct wr_store *store, struct wr_error *error)
{
    char what[WR_PAGES_TEXT_BYTES] = "a writer leaves no time to look at the file";
    enum wr_pages_verdict verdict = WR_PAGES_GONE;
    for (int attempt = 0; attempt < 10 && verdict == WR_PAGES_GONE; attempt++) {
        enum wr_status status = begin_reading(store, error);
        if (status != WR_OK) return status;
        mdb_filehandle_t fd;
        int rc = LMDB(mdb_env_get_fd(store->env, &fd));
        if (rc) return failed(store, rc, 0, error);
        verdict = wr_store_pages_check(fd, mdb_txn_id(store->reading), what);
        end_left_over(store);
    }
    return verdict == WR_PAGES_GOOD ? WR_OK : wr_store_damaged(store, error, what);
}

static enum wr_status check_format(struct wr_store *store, struct wr_error *error)
{
    struct wr_slice payload;
    enum wr_status status = begin_reading(store, error);
    if (status != WR_OK) return status;
    status = find(store, format_key, &payload, "its first entry", error);
    if (status == WR_END || (status == WR_OK && (payload.size < FORMAT_BYTES || memcmp(payload.data, magic, sizeof magic) != 0)))
        return wr_error_set(error, WR_ERR_STATE, "'%s/data.mdb' is not a state of weir: choose another directory",
                            store->directory.path);
    if (status != WR_OK) return status;
    uint64_t format = wr_store_get64(payload.data + 16) & UINT32_MAX;
    if (format != WR_STORE_FORMAT)
        return wr_error_set(error, WR_ERR_STATE,
                            "the state in '%s' has form %llu, this weir knows form %d: use the weir that wrote it, or "
                            "another directory; --discard-state throws it away",
                            store->directory.path, (unsigned long long)format, WR_STORE_FORMAT);
    store->secret = wr_store_get64(payload.data + 20);
    struct wr_slice record;
    status = find_record(store, &record, &store->first, &store->last, error);
    end_left_over(store);
    return status;
}

/* ---- Cold entries ------------------------------------------------------------------------------- */

/* Looks for a long key among those that share its hash: sets the ordinal in `key` to its own, or to the first free one. */
static int place_hashed(MDB_txn *txn, struct wr_slice op, struct wr_slice full_key, char key[WR_HASHED_KEY_BYTES], bool *found,
                        MDB_val *value)
{
    MDB_cursor *cursor;
    unsigned ordinal = 0, free_ordinal = 0;
    MDB_val k = {WR_HASHED_KEY_BYTES, key};
    *found = false;
    int rc = LMDB(mdb_cursor_open(txn, MAIN, &cursor));
    if (rc) return rc;
    for (rc = LMDB(mdb_cursor_get(cursor, &k, value, MDB_SET_RANGE)); !rc && !*found;
         rc = *found ? 0 : LMDB(mdb_cursor_get(cursor, &k, value, MDB_NEXT))) {
        const unsigned char *bytes = k.mv_data;
        struct wr_slice payload;
        struct wr_cold cold;
        if (k.mv_size != WR_HASHED_KEY_BYTES || memcmp(bytes, key, 17) != 0) break;
        ordinal = (unsigned)bytes[17] << 8 | bytes[18];
        if (ordinal == free_ordinal) free_ordinal++;
        bool holds = wr_store_checked(slice_of(k), slice_of(*value), &payload) && wr_store_cold_of(slice_of(k), payload, &cold);
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

/* ---- Writing ----------------------------------------------------------------------------------- */

static int put(MDB_txn *txn, MDB_val key, const struct wr_slice *part, size_t count)
{
    WR_ASSERT(key.mv_size && key.mv_size <= LMDB_KEY_BYTES_MAX);
    MDB_val value = {WR_CHECKSUM_BYTES, NULL};
    for (size_t i = 0; i < count; i++) value.mv_size += part[i].size;
    int rc = LMDB(mdb_put(txn, MAIN, &key, &value, MDB_RESERVE));
    if (rc) return rc;
    char *at = value.mv_data;
    for (size_t i = 0; i < count; i++) {
        if (part[i].size) memcpy(at, part[i].data, part[i].size);
        at += part[i].size;
    }
    size_t size = value.mv_size - WR_CHECKSUM_BYTES;
    wr_store_put64(at, wr_store_checksum(slice_of(key), value.mv_data, size));
    return 0;
}

/* Drops the segments whose numbers lie in [from, below). */
static int drop_segments(MDB_txn *txn, uint64_t from, uint64_t below)
{
    MDB_cursor *cursor;
    int rc = LMDB(mdb_cursor_open(txn, MAIN, &cursor));
    if (rc) return rc;
    for (;;) {
        struct wr_segment_key start;
        MDB_val key = segment_key_at(&start, from), value;
        uint64_t number;
        rc = LMDB(mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE));
        if (rc || !wr_store_is_segment(slice_of(key), &number) || number >= below) break;
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
    uint64_t first_number, keep_from;
    const struct wr_slice *segment;
    size_t segment_count;
    const struct wr_store_commit *commit; /* NULL: segments only */
    const struct cold_item *cold;         /* sorted */
    size_t cold_count;
    uint64_t bytes;
};

static int put_cold(MDB_txn *txn, const struct cold_item *item, uint64_t epoch)
{
    char head[32], hashed[WR_HASHED_KEY_BYTES];
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
    wr_store_put64(head, wr_store_cold_mark(slice_of(key)));
    wr_store_put64(head + 8, epoch);
    wr_store_put64(head + 16, e->op.size);
    wr_store_put64(head + 24, e->key.size);
    const struct wr_slice whole[] = {wr_slice_of(head, 32), e->op, e->key, e->value};
    const struct wr_slice bare[] = {wr_slice_of(head, 16), e->value};
    return item->hashed ? put(txn, key, whole, 4) : put(txn, key, bare, 2);
}

static int fill(MDB_txn *txn, const struct work *work)
{
    struct wr_segment_key buffer;
    int rc = drop_segments(txn, work->first_number, UINT64_MAX);
    if (!rc && work->commit) rc = drop_segments(txn, 1, work->keep_from);
    for (size_t i = 0; !rc && i < work->segment_count; i++) {
        rc = put(txn, segment_key_at(&buffer, work->first_number + i), &work->segment[i], 1);
        WR_CRASH_POINT("store.filling");
    }
    const struct wr_store_commit *c = work->commit;
    if (rc || !c) return rc;
    for (size_t i = 0; !rc && i < work->cold_count; i++) rc = put_cold(txn, &work->cold[i], c->epoch);
    char head[HEAD_BYTES];
    wr_store_put64(head, work->keep_from);
    wr_store_put64(head + 8, work->first_number + work->segment_count - 1);
    wr_store_put64(head + 16, c->epoch);
    const struct wr_slice record[] = {wr_slice_of(head, sizeof head), c->record};
    if (!rc) rc = put(txn, record_key, record, 2);
    if (!rc && c->program.size) rc = put(txn, program_key, &c->program, 1);
    return rc;
}

static int commit_writing(struct wr_store *store)
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
    end_left_over(store);
    WR_ASSERT(!store->read_only && !store->directory.fresh);
    for (;;) {
        if (!store->env) {
            enum wr_status status = open_environment(store, "", error);
            if (status != WR_OK) return status;
        }
        int dead, rc = LMDB(mdb_reader_check(store->env, &dead)); /* a killed reader would keep pages for ever */
        if (!rc) rc = LMDB(mdb_txn_begin(store->env, NULL, 0, &store->writing));
        if (rc) store->writing = NULL;
        if (!rc) rc = open_main(store->writing);
        if (!rc) rc = fill(store->writing, work);
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
        items[i].hashed = wr_store_cold_key(store->secret, commit->cold[i].op, commit->cold[i].key, keys);
        items[i].size = keys->size - items[i].offset;
    }
    for (size_t i = 0; i < commit->cold_count; i++) items[i].keys = keys->data;
    qsort(items, commit->cold_count, sizeof *items, compare_cold);
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
    forget_cold(store);
    if (commit->cold_count) {
        store->cold_items = wr_alloc(commit->cold_count * sizeof *store->cold_items);
        sort_cold(store, commit, store->cold_items, &store->cold_keys);
        work.cold = store->cold_items;
    }
    for (size_t i = 0; i < commit->cold_count; i++) /* a page each, at worst */
        work.bytes += commit->cold[i].key.size + commit->cold[i].value.size + 4096;
    enum wr_status status = write_out(store, &work, error);
    if (status == WR_OK) {
        store->first = work.keep_from;
        store->last = store->next - 1;
    }
    forget_cold(store);
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
    wr_store_put64(format + 20, wr_clock_seed());
    wr_store_put64(format + 28, wr_clock_seed());
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
    struct wr_segment_key buffer;
    MDB_val key = segment_key_at(&buffer, store->last + 1), value;
    uint64_t number;
    int rc = LMDB(mdb_cursor_open(store->reading, MAIN, &cursor));
    if (rc) return failed(store, rc, 0, error);
    rc = LMDB(mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE));
    bool some = !rc && wr_store_is_segment(slice_of(key), &number);
    mdb_cursor_close(cursor);
    end_left_over(store);
    if (rc && rc != MDB_NOTFOUND) return failed(store, rc, 0, error);
    if (!some) return WR_OK;
    WR_CRASH_POINT("open.before_drop");
    struct work work = {.first_number = store->last + 1, .bytes = SLACK_BYTES};
    return write_out(store, &work, error);
}

/* Before LMDB trusts them. Closing the descriptor does no harm: LMDB's locks are on its other file. */
static enum wr_status check_first_pages(struct wr_store *store, struct wr_error *error)
{
    char what[WR_PAGES_TEXT_BYTES];
    int fd = openat(store->directory.fd, "data.mdb", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return failed(store, errno, 0, error);
    enum wr_pages_verdict verdict = wr_store_pages_begin(fd, what);
    close(fd);
    return verdict == WR_PAGES_GOOD ? WR_OK : wr_store_damaged(store, error, what);
}

static enum wr_status open_store(struct wr_store *store, const struct wr_store_options *options, struct wr_error *error)
{
    enum wr_status status = wr_store_directory_open(options, &store->directory, error);
    if (status == WR_OK && store->directory.fresh) status = make_environment(store, error);
    if (status == WR_OK) status = check_first_pages(store, error);
    if (status == WR_OK) status = open_environment(store, "", error);
    if (status == WR_OK) status = wr_store_check_pages(store, error);
    if (status == WR_OK) status = check_format(store, error);
    WR_ASSERT(status != WR_OK || (store->first && store->first <= store->last + 1));
    store->next = store->last + 1;
    if (status == WR_OK && !store->read_only) status = drop_unfinished(store, error);
    if (status == WR_OK) WR_CRASH_POINT("open.done");
    return status;
}

enum wr_status wr_store_open(const struct wr_store_options *options, struct wr_store **out, struct wr_error *error)
{
    *out = NULL;
    WR_ASSERT(options->directory && *options->directory);
    struct wr_store *store = wr_alloc_zero(sizeof *store);
    store->directory.fd = store->directory.lock_fd = -1;
    store->map_bytes = options->map_bytes ? options->map_bytes : map_bytes_first;
    store->read_only = options->read_only;
    store->volatile_ = options->volatile_;
    struct wr_memory_guard guard;
    if (WR_MEMORY_GUARD(&guard)) { /* the lock must not stay */
        wr_store_close(store);
        return wr_error_set(error, WR_ERR_MEMORY, "out of memory while '%s' was opened", options->directory);
    }
    enum wr_status status = open_store(store, options, error);
    wr_memory_guard_pop(&guard);
    if (status == WR_OK) *out = store;
    else wr_store_close(store);
    return status;
}

void wr_store_close(struct wr_store *store)
{
    if (!store) return;
    WR_CRASH_POINT("store.before_close");
    close_environment(store);
    wr_store_directory_release(&store->directory);
    forget_cold(store);
    wr_buf_release(&store->key);
    wr_buf_release(&store->bytes);
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
    struct wr_segment_key buffer;
    struct wr_slice payload = {0}, record;
    uint64_t first, last;
    WR_ASSERT(number);
    char what[64];
    snprintf(what, sizeof what, "segment %llu", (unsigned long long)number);
    enum wr_status status = begin_reading(store, error);
    if (status == WR_OK) status = find(store, segment_key_at(&buffer, number), &payload, what, error);
    if (status == WR_END) { /* gone in the meantime, or missing? */
        status = find_record(store, &record, &first, &last, error);
        if (status == WR_OK && (number < first || number > last)) status = WR_END;
        else if (status == WR_OK) {
            snprintf(what, sizeof what, "segment %llu is missing", (unsigned long long)number);
            status = wr_store_damaged(store, error, what);
        }
    }
    return copy_out(store, status, payload, out);
}

enum wr_status wr_store_cold_find(struct wr_store *store, struct wr_slice op, struct wr_slice key, uint64_t *epoch,
                                  struct wr_buf *out, struct wr_error *error)
{
    wr_buf_clear(out);
    wr_buf_clear(&store->key);
    *epoch = 0;
    bool hashed = wr_store_cold_key(store->secret, op, key, &store->key), found = true;
    enum wr_status status = begin_reading(store, error);
    if (status == WR_OK && hashed) {
        MDB_val old;
        int rc = place_hashed(store->reading, op, key, store->key.data, &found, &old);
        if (rc) status = failed(store, rc, 0, error);
    }
    struct wr_slice payload = {0};
    struct wr_cold cold = {0};
    MDB_val k = {store->key.size, store->key.data};
    if (status == WR_OK) status = found ? find(store, k, &payload, "a cold entry", error) : WR_END;
    if (status == WR_OK && !wr_store_cold_of(slice_of(k), payload, &cold))
        status = wr_store_damaged(store, error, "a cold entry");
    if (status == WR_OK) *epoch = cold.epoch;
    return copy_out(store, status == WR_END ? WR_OK : status, cold.value, out);
}

enum { SLICE_ENTRIES = 1024 };

/* One slice of a scan: entries behind store->key (at it, where `first`) and below `until`, a first byte. */
static enum wr_status scan_slice(struct wr_store *store, bool first, char until, wr_store_scan_fn *fn, void *context, bool *more,
                                 struct wr_error *error)
{
    struct wr_buf *last = &store->key;
    enum wr_status status = begin_reading(store, error);
    if (status != WR_OK) return status;
    MDB_val key = {last->size, last->data}, value;
    int rc = LMDB(mdb_cursor_open(store->reading, MAIN, &store->cursor));
    if (rc) store->cursor = NULL;
    if (!rc) rc = LMDB(mdb_cursor_get(store->cursor, &key, &value, MDB_SET_RANGE));
    if (!rc && !first && wr_slice_equal(slice_of(key), wr_buf_slice(last)))
        rc = LMDB(mdb_cursor_get(store->cursor, &key, &value, MDB_NEXT));
    *more = false;
    for (size_t n = 1; !rc && *(const char *)key.mv_data < until; n++) {
        *more = !fn(context, slice_of(key), slice_of(value)) || n == SLICE_ENTRIES;
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

enum wr_status wr_store_scan(struct wr_store *store, struct wr_slice from, char until, wr_store_scan_fn *fn,
                             wr_store_pause_fn *pause, void *context, struct wr_error *error)
{
    WR_ASSERT(from.size && from.size <= LMDB_KEY_BYTES_MAX);
    wr_buf_clear(&store->key);
    wr_buf_reserve(&store->key, LMDB_KEY_BYTES_MAX);
    wr_buf_add_slice(&store->key, from);
    enum wr_status status = WR_OK;
    for (bool more = true, first = true; more && status == WR_OK; first = false) {
        status = scan_slice(store, first, until, fn, context, &more, error);
        if (status == WR_OK && !pause(context)) more = false;
    }
    return status;
}

/* ---- The file ------------------------------------------------------------------------------------ */

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

enum wr_status wr_store_measure_file(struct wr_store *store, struct wr_store_size *size, struct wr_error *error)
{
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
    return WR_OK;
}

struct wr_buf *wr_store_scratch(struct wr_store *store)
{
    wr_buf_clear(&store->bytes);
    return &store->bytes;
}
