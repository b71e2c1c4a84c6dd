/* State on disk: the environment, its opening and closing, reading. store_lmdb.h says how LMDB is used. */
#include "runtime/store_lmdb.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/vec.h"
#include "runtime/clock.h"

enum { FORMAT_BYTES = 36 };
static const char magic[16] = "weir state\n";
static const uint64_t map_bytes_first = 1ull << 36;

/* ---- Errors ------------------------------------------------------------------------------------ */

enum wr_status wr_store_damaged(const struct wr_store *store, struct wr_error *error, const char *what)
{
    return wr_error_set(error, WR_ERR_STATE,
                        "the state in '%s' is damaged (%s): bring back a copy, or name another directory; --discard-state "
                        "throws it away",
                        store->directory.path, what);
}

enum wr_status wr_store_failed(const struct wr_store *store, int code, uint64_t needed, struct wr_error *error)
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
    case EROFS:
        return wr_error_set(error, WR_ERR_USAGE, "'%s' cannot be %s: %s", path, store->read_only ? "read" : "written",
                            mdb_strerror(code));
    default: return wr_store_directory_failed(&store->directory, code, needed, error);
    }
}

/* ---- Opening the environment ------------------------------------------------------------------- */

void wr_store_end_left_over(struct wr_store *store)
{
    if (store->cursor) mdb_cursor_close(store->cursor);
    store->cursor = NULL;
    if (store->reading) mdb_txn_abort(store->reading);
    if (store->writing) mdb_txn_abort(store->writing);
    store->reading = store->writing = NULL;
}

void wr_store_forget_cold(struct wr_store *store)
{
    wr_free(store->cold_items);
    store->cold_items = NULL;
    wr_buf_release(&store->cold_keys);
}

void wr_store_close_environment(struct wr_store *store)
{
    wr_store_end_left_over(store);
    wr_store_stop_looking(store);
    if (store->env) mdb_env_close(store->env);
    store->env = NULL;
}

enum wr_status wr_store_open_environment(struct wr_store *store, const char *inside, struct wr_error *error)
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
        if (rc) wr_store_close_environment(store);
    } while (rc == ENOMEM && store->map_bytes > 1u << 26 && (store->map_bytes /= 2));
    if (!rc) return WR_OK;
    wr_store_close_environment(store);
    return wr_store_failed(store, rc, 1u << 16, error);
}

int wr_store_open_main(MDB_txn *txn)
{
    MDB_dbi dbi;
    int rc = LMDB(mdb_dbi_open(txn, NULL, 0, &dbi));
    WR_ASSERT(rc || dbi == WR_STORE_MAIN);
    return rc;
}

/* Begins a reading transaction. Another process may have enlarged the map. */
static enum wr_status begin_reading(struct wr_store *store, struct wr_error *error)
{
    wr_store_end_left_over(store);
    WR_ASSERT(!store->reading && !store->writing && !store->cursor);
    if (!store->env) {
        enum wr_status status = wr_store_open_environment(store, "", error);
        if (status != WR_OK) return status;
    }
    int rc = LMDB(mdb_txn_begin(store->env, NULL, MDB_RDONLY, &store->reading));
    if (rc == MDB_MAP_RESIZED) {
        rc = LMDB(mdb_env_set_mapsize(store->env, 0));
        if (!rc) rc = LMDB(mdb_txn_begin(store->env, NULL, MDB_RDONLY, &store->reading));
    }
    if (rc) store->reading = NULL;
    if (!rc) rc = wr_store_open_main(store->reading);
    if (!rc) return WR_OK;
    wr_store_end_left_over(store);
    return wr_store_failed(store, rc, 0, error);
}

/* A value inside the reading transaction; WR_END: there is none. what: for people. */
static enum wr_status find(struct wr_store *store, MDB_val key, struct wr_slice *payload, const char *what,
                           struct wr_error *error)
{
    WR_ASSERT(store->reading);
    MDB_val value;
    int rc = LMDB(mdb_get(store->reading, WR_STORE_MAIN, &key, &value));
    if (rc == MDB_NOTFOUND) return WR_END;
    if (rc) return wr_store_failed(store, rc, 0, error);
    if (wr_store_checked(wr_slice_of_val(key), wr_slice_of_val(value), payload)) return WR_OK;
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
    if (payload.size < WR_STORE_HEAD_BYTES) return wr_store_damaged(store, error, "the record of the checkpoint");
    *first = wr_store_get64(payload.data);
    *last = wr_store_get64(payload.data + 8);
    *record = wr_slice_of(payload.data + WR_STORE_HEAD_BYTES, payload.size - WR_STORE_HEAD_BYTES);
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
        if (rc) return wr_store_failed(store, rc, 0, error);
        verdict = wr_store_pages_check(fd, mdb_txn_id(store->reading), what);
        wr_store_end_left_over(store);
    }
    return verdict == WR_PAGES_GOOD ? WR_OK : wr_store_damaged(store, error, what);
}

/* Of a checkpoint's transaction, where the store is of the older form: from its commit on it is of this one. */
int wr_store_renew_format(struct wr_store *store, MDB_txn *txn)
{
    MDB_val key = format_key, value;
    if (!store->older) return 0;
    int rc = LMDB(mdb_get(txn, WR_STORE_MAIN, &key, &value));
    if (rc) return rc;
    WR_ASSERT(value.mv_size == FORMAT_BYTES + WR_CHECKSUM_BYTES);
    char format[FORMAT_BYTES];
    memcpy(format, value.mv_data, sizeof format);
    format[16] = WR_STORE_FORMAT;
    const struct wr_slice payload = wr_slice_of(format, sizeof format);
    return wr_store_put(txn, format_key, &payload, 1);
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
    store->older = format == WR_STORE_FORMAT_READ;
    if (format != WR_STORE_FORMAT && !store->older)
        return wr_error_set(error, WR_ERR_STATE,
                            "the state in '%s' has form %llu, this weir knows form %d: use the weir that wrote it, or "
                            "another directory; --discard-state throws it away",
                            store->directory.path, (unsigned long long)format, WR_STORE_FORMAT);
    store->secret = wr_store_get64(payload.data + 20);
    struct wr_slice record;
    status = find_record(store, &record, &store->first, &store->last, error);
    wr_store_end_left_over(store);
    return status;
}

/* ---- Opening and closing ------------------------------------------------------------------------ */

/* A new environment: made aside, moved to its place when its first commit is durable. */
static enum wr_status make_environment(struct wr_store *store, struct wr_error *error)
{
    enum wr_status status = wr_store_directory_begin(&store->directory, error);
    if (status == WR_OK) status = wr_store_open_environment(store, "begin/", error);
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
    if (!rc) rc = wr_store_open_main(store->writing);
    if (!rc) rc = wr_store_put(store->writing, format_key, &payload, 1);
    if (!rc) {
        WR_CRASH_POINT("open.before_first_commit");
        rc = wr_store_commit_writing(store);
    }
    wr_store_close_environment(store);
    if (rc) return wr_store_failed(store, rc, 1u << 16, error);
    return wr_store_directory_finish(&store->directory, store->volatile_, error);
}

/* Drops what belongs to a checkpoint that was never finished. */
static enum wr_status drop_unfinished(struct wr_store *store, struct wr_error *error)
{
    enum wr_status status = begin_reading(store, error);
    if (status != WR_OK) return status;
    MDB_cursor *cursor;
    struct wr_segment_key buffer;
    MDB_val key = wr_segment_val(&buffer, store->last + 1), value;
    uint64_t number;
    int rc = LMDB(mdb_cursor_open(store->reading, WR_STORE_MAIN, &cursor));
    if (rc) return wr_store_failed(store, rc, 0, error);
    rc = LMDB(mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE));
    bool some = !rc && wr_store_is_segment(wr_slice_of_val(key), &number);
    mdb_cursor_close(cursor);
    wr_store_end_left_over(store);
    if (rc && rc != MDB_NOTFOUND) return wr_store_failed(store, rc, 0, error);
    if (!some) return WR_OK;
    WR_CRASH_POINT("open.before_drop");
    return wr_store_drop_from(store, store->last + 1, error);
}

/* Before LMDB trusts them. Closing the descriptor does no harm: LMDB's locks are on its other file. */
static enum wr_status check_first_pages(struct wr_store *store, struct wr_error *error)
{
    char what[WR_PAGES_TEXT_BYTES];
    int fd = openat(store->directory.fd, "data.mdb", O_RDONLY | O_CLOEXEC);
    if (fd < 0) return wr_store_failed(store, errno, 0, error);
    enum wr_pages_verdict verdict = wr_store_pages_begin(fd, what);
    close(fd);
    return verdict == WR_PAGES_GOOD ? WR_OK : wr_store_damaged(store, error, what);
}

static enum wr_status open_store(struct wr_store *store, const struct wr_store_options *options, struct wr_error *error)
{
    enum wr_status status = wr_store_directory_open(options, &store->directory, error);
    if (status == WR_OK && store->directory.fresh) status = make_environment(store, error);
    if (status == WR_OK) status = check_first_pages(store, error);
    if (status == WR_OK) status = wr_store_open_environment(store, "", error);
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
    WR_ASSERT(options->directory);
    if (!*options->directory) return wr_error_set(error, WR_ERR_USAGE, "an empty name is no directory to keep state in");
    struct wr_store *store = wr_alloc_zero(sizeof *store);
    store->directory.fd = store->directory.lock_fd = -1;
    int code = pthread_mutex_init(&store->lock, NULL);
    WR_ASSERT(code == 0);
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
    wr_store_unlock_left(store);
    wr_store_close_environment(store);
    wr_store_directory_release(&store->directory);
    wr_store_forget_cold(store);
    wr_buf_release(&store->key);
    wr_buf_release(&store->bytes);
    wr_buf_release(&store->look_key);
    pthread_mutex_destroy(&store->lock);
    wr_free(store);
}

/* ---- Reading ------------------------------------------------------------------------------------ */

static enum wr_status copy_out(struct wr_store *store, enum wr_status status, struct wr_slice payload, struct wr_buf *out)
{
    wr_buf_clear(out);
    if (status == WR_OK) wr_buf_add_slice(out, payload);
    wr_store_end_left_over(store);
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
    wr_store_end_left_over(store);
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
    if (status == WR_OK) status = find(store, wr_segment_val(&buffer, number), &payload, what, error);
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

enum { SLICE_ENTRIES = 1024 };

/* One slice of a scan: entries behind store->key (at it, where `first`) and below `until`, a first byte. */
static enum wr_status scan_slice(struct wr_store *store, bool first, char until, wr_store_scan_fn *fn, void *context, bool *more,
                                 struct wr_error *error)
{
    struct wr_buf *last = &store->key;
    enum wr_status status = begin_reading(store, error);
    if (status != WR_OK) return status;
    MDB_val key = {last->size, last->data}, value;
    int rc = LMDB(mdb_cursor_open(store->reading, WR_STORE_MAIN, &store->cursor));
    if (rc) store->cursor = NULL;
    if (!rc) rc = LMDB(mdb_cursor_get(store->cursor, &key, &value, MDB_SET_RANGE));
    if (!rc && !first && wr_slice_equal(wr_slice_of_val(key), wr_buf_slice(last)))
        rc = LMDB(mdb_cursor_get(store->cursor, &key, &value, MDB_NEXT));
    *more = false;
    for (size_t n = 1; !rc && *(const char *)key.mv_data < until; n++) {
        *more = !fn(context, wr_slice_of_val(key), wr_slice_of_val(value)) || n == SLICE_ENTRIES;
        if (*more) {
            wr_buf_clear(last);
            wr_buf_add(last, key.mv_data, key.mv_size);
            break;
        }
        rc = LMDB(mdb_cursor_get(store->cursor, &key, &value, MDB_NEXT));
    }
    wr_store_end_left_over(store);
    return rc && rc != MDB_NOTFOUND ? wr_store_failed(store, rc, 0, error) : WR_OK;
}

enum wr_status wr_store_scan(struct wr_store *store, struct wr_slice from, char until, wr_store_scan_fn *fn,
                             wr_store_pause_fn *pause, void *context, struct wr_error *error)
{
    WR_ASSERT(from.size && from.size <= WR_LMDB_KEY_BYTES_MAX);
    wr_buf_clear(&store->key);
    wr_buf_reserve(&store->key, WR_LMDB_KEY_BYTES_MAX);
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
    wr_store_end_left_over(store);
    if (!rc && fstat(fd, &st) != 0) rc = errno;
    if (rc) return wr_store_failed(store, rc, 0, error);
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
