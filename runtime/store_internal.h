/* What the files of the store share. store.c alone knows LMDB; the others know the forms of keys and values (store_form.c),
 * how to look at all of them (store_scan.c), the pages of the file (store_pages.c), and the directory, its lock and its
 * file system (store_directory.c). */
#ifndef WR_RUNTIME_STORE_INTERNAL_H
#define WR_RUNTIME_STORE_INTERNAL_H

#include "runtime/store.h"

/* ---- Forms (store_form.c) ------------------------------------------------------------------------ */

enum { WR_CHECKSUM_BYTES = 8, WR_HASHED_KEY_BYTES = 19 };

static inline void wr_store_put64(char *at, uint64_t n)
{
    for (int i = 0; i < 8; i++) at[i] = (char)(n >> (8 * i));
}

static inline uint64_t wr_store_get64(const char *at)
{
    uint64_t n = 0;
    for (int i = 7; i >= 0; i--) n = n << 8 | (unsigned char)at[i];
    return n;
}

uint64_t wr_store_checksum(struct wr_slice key, const void *bytes, size_t size);
/* A value without its checksum; false: it does not hold. */
bool wr_store_checked(struct wr_slice key, struct wr_slice value, struct wr_slice *payload);

struct wr_segment_key {
    char bytes[9];
};
struct wr_slice wr_store_segment_key(struct wr_segment_key *key, uint64_t number);
bool wr_store_is_segment(struct wr_slice key, uint64_t *number);

/* Adds LMDB's key of a cold entry to `out`. Where it would be too long for LMDB it is a hash, WR_HASHED_KEY_BYTES with an
 * ordinal at their end, 0 to begin with: true then. */
bool wr_store_cold_key(uint64_t secret, struct wr_slice op, struct wr_slice key, struct wr_buf *out);
/* What a cold entry's value begins with: it ties a large value to its key without reading it. */
uint64_t wr_store_cold_mark(struct wr_slice key);
/* Whether weir writes such a key, and what can be said of the value without reading it whole: `head` is its first bytes,
 * all of them when whole. */
bool wr_store_plausible(struct wr_slice key, struct wr_slice head, bool whole);
enum { WR_PLAUSIBLE_BYTES = 16 };
/* The key under which an operator's entries stand by (wake, order). `hash`: of the entry's key. */
enum { WR_DUE_KEY_BYTES = 33 };
void wr_store_due_key(uint64_t secret, struct wr_slice op, int64_t wake, uint64_t order, uint64_t hash,
                      char out[WR_DUE_KEY_BYTES]);
struct wr_cold_place wr_store_due_place(struct wr_slice due_key);
/* What stands there: whose entry it is. false: malformed. */
bool wr_store_due_of(struct wr_slice due_key, struct wr_slice payload, struct wr_slice *op, struct wr_slice *key);
/* Takes a cold entry apart; false: malformed. */
bool wr_store_cold_of(struct wr_slice key, struct wr_slice payload, struct wr_stored *cold);

/* ---- What store_scan.c asks of store.c ------------------------------------------------------------- */

/* Sees an entry inside a transaction: values are good until it returns. false: the slice is long enough. */
typedef bool wr_store_scan_fn(void *context, struct wr_slice key, struct wr_slice value);
/* Called between two slices, with no transaction open. false: enough seen. */
typedef bool wr_store_pause_fn(void *context);
/* Visits all entries from the key `from` on whose first byte is below `until`. */
enum wr_status wr_store_scan(struct wr_store *store, struct wr_slice from, char until, wr_store_scan_fn *fn,
                             wr_store_pause_fn *pause, void *context, struct wr_error *error);
/* A buffer for what a scan gathers in a slice; of no use to other calls. */
struct wr_buf *wr_store_scratch(struct wr_store *store);
/* The fields that speak of the file and the disk. */
enum wr_status wr_store_measure_file(struct wr_store *store, struct wr_store_size *size, struct wr_error *error);
/* Checks all pages that hold keys, from a snapshot of its own. */
enum wr_status wr_store_check_pages(struct wr_store *store, struct wr_error *error);
enum wr_status wr_store_damaged(const struct wr_store *store, struct wr_error *error, const char *what);

/* ---- The file's pages (store_pages.c) ------------------------------------------------------------------ */

enum { WR_PAGES_TEXT_BYTES = 160 };
enum wr_pages_verdict { WR_PAGES_GOOD, WR_PAGES_WRONG, WR_PAGES_GONE };
/* The two pages that LMDB trusts before anything else: to be called before it opens the file. WRONG: `what` says why. */
enum wr_pages_verdict wr_store_pages_begin(int fd, char what[WR_PAGES_TEXT_BYTES]);
/* All pages that hold keys, as transaction `id` sees them, which must be open. GONE: it is not one of the two newest. */
enum wr_pages_verdict wr_store_pages_check(int fd, uint64_t id, char what[WR_PAGES_TEXT_BYTES]);

/* ---- The directory (store_directory.c) --------------------------------------------------------------- */

struct wr_store_directory {
    char *path;
    int fd, lock_fd;    /* -1: not open */
    bool unlocked;      /* LMDB's own lock file cannot be written: a reader does without, while lock_fd keeps writers away */
    bool fresh;         /* there is no data.mdb, and never was one */
};

/* Makes the directory where wanted, checks its file system, that nothing foreign lies in it and that nobody else writes.
 * `directory` may be released whatever the outcome. */
enum wr_status wr_store_directory_open(const struct wr_store_options *options, struct wr_store_directory *directory,
                                       struct wr_error *error);
void wr_store_directory_release(struct wr_store_directory *directory);
/* The place where a new environment is made before it gets its own: an empty directory inside. */
enum wr_status wr_store_directory_begin(struct wr_store_directory *directory, struct wr_error *error);
/* Moves the new environment to its place and makes that durable. */
enum wr_status wr_store_directory_finish(struct wr_store_directory *directory, bool volatile_, struct wr_error *error);
/* LMDB writes into its lock file through a map, where a full disk is a SIGBUS: its blocks are taken beforehand. `inside`:
 * "" or "begin/". */
enum wr_status wr_store_directory_reserve(struct wr_store_directory *directory, const char *inside, struct wr_error *error);
/* Why a write failed, in words: the disk is full, a quota, a limit. needed: bytes that were to be written. */
enum wr_status wr_store_directory_failed(const struct wr_store_directory *directory, int code, uint64_t needed,
                                         struct wr_error *error);
/* Free bytes of the file system. */
uint64_t wr_store_directory_free(const struct wr_store_directory *directory);

#endif
