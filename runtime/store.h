/* Where state lies on disk: one directory a task, in it one LMDB environment and a lock. Only store.c knows LMDB.
 *
 * What is stored, from the engine's side:
 *   segments     numbered from 1 upwards without gaps, immutable: entries of operators' state one after the other, as
 *                checkpoint.c writes them (checkpoint.h has the form). They are appended, and dropped oldest first.
 *   the record   of the newest whole checkpoint: positions, watermarks, counters (checkpoint.h), with the numbers of
 *                the first and last segment that it needs. A segment behind the last belongs to a checkpoint that was
 *                never finished, and is dropped when the store is opened for writing.
 *   the program  as a .weirc, of the newest checkpoint.
 *   cold entries by (operator, key): of keys that have left memory.
 *
 * A checkpoint's segments may go in several transactions (wr_store_append); wr_store_commit makes it one: what it
 * holds is there whole or not at all. Every value ends with a checksum, checked on every read: what does not hold is
 * WR_ERR_STATE, never handed out.
 *
 * A store is opened for writing by one process (an flock beside LMDB's own lock) and may be read by others meanwhile;
 * readers hold a transaction for milliseconds only. All calls on one store come from one thread at a time; the
 * writing ones of a store from one and the same thread. Messages name the directory, the cause and what to do. */
#ifndef WR_RUNTIME_STORE_H
#define WR_RUNTIME_STORE_H

#include "base/buf.h"
#include "base/error.h"

/* Form 1 differs in how operators wrote their entries, which they still read: with the first checkpoint it is of form 2. */
enum { WR_STORE_FORMAT = 2, WR_STORE_FORMAT_READ = 1 };
/* Payload of a full segment: with checksum and page header it fills its pages exactly (measured: docs/state.md). */
enum { WR_SEGMENT_BYTES = 256 * 1024 - 16 - 8 };
/* Segments of more bytes than this do not wait in memory for their checkpoint's end. */
enum { WR_STORE_APPEND_BYTES = 64 * 1024 * 1024 };

struct wr_store;
struct wr_store_options {
    const char *directory;     /* made (0700) when it is not there and not read_only */
    bool read_only;
    bool volatile_;            /* tests: nothing is synced; a loss of power may lose everything */
    bool any_file_system;      /* network file systems, FUSE and the like are not refused */
    uint64_t map_bytes;        /* 0: 64 GiB of addresses to begin with; doubled when full */
};

/* WR_ERR_STATE: of a newer format, not a weir state, damaged. WR_ERR_USAGE: not there (read_only), not permitted, in use
 * by another process (whose id it says), a file system that cannot carry it. WR_ERR_IO: the disk refuses. */
enum wr_status wr_store_open(const struct wr_store_options *options, struct wr_store **store, struct wr_error *error);
void wr_store_close(struct wr_store *store); /* NULL is fine */
/* Throws away what a weir directory holds, whole or damaged or of another format; nothing where there is none. Refuses while
 * somebody writes, and where the directory is not weir's. */
enum wr_status wr_store_discard(const char *directory, struct wr_error *error);

/* ---- Reading ---------------------------------------------------------------------------------- */

/* The newest checkpoint's record; out->size 0: there is none yet. */
enum wr_status wr_store_record(struct wr_store *store, struct wr_buf *out, struct wr_error *error);
enum wr_status wr_store_program(struct wr_store *store, struct wr_buf *out, struct wr_error *error);
/* Numbers of the segments that the newest checkpoint needs; last < first: none. */
enum wr_status wr_store_segments(struct wr_store *store, uint64_t *first, uint64_t *last, struct wr_error *error);
/* One segment's payload. A reader beside a running engine may find it gone (WR_END): it reads the record again. */
enum wr_status wr_store_read(struct wr_store *store, uint64_t number, struct wr_buf *out, struct wr_error *error);
/* Cold entries, also while another thread writes: what the last commit left there. */
struct wr_stored {
    struct wr_slice op, key, value;
    uint64_t epoch;            /* of the checkpoint that wrote it */
    int64_t wake;              /* by when it must be back in memory; WR_TIME_MAX: never */
    uint64_t order;            /* among those of one operator and time */
};
/* That of a key, its slices in `out`. WR_END: there is none. */
enum wr_status wr_store_cold_find(struct wr_store *store, struct wr_slice op, struct wr_slice key, struct wr_stored *cold,
                                  struct wr_buf *out, struct wr_error *error);
/* Where a walk along an operator's entries by (wake, order) has come to; zeroed: it has not begun. */
struct wr_cold_place {
    int64_t wake;
    uint64_t order, hash;
    bool begun;
};
/* The next entries of that walk whose wake is at most `until`, `most` of them: appended to `out`, for wr_store_cold_next.
 * *place moves behind the last one. */
enum wr_status wr_store_cold_due(struct wr_store *store, struct wr_slice op, int64_t until, uint32_t most,
                                 struct wr_cold_place *place, struct wr_buf *out, struct wr_error *error);
/* Of a key in such a place. */
uint64_t wr_store_cold_hash(const struct wr_store *store, struct wr_slice key);
/* Appends an entry in the form that wr_store_cold_next reads. */
void wr_store_cold_put(struct wr_buf *out, const struct wr_stored *cold);
bool wr_store_cold_next(struct wr_slice *in, struct wr_stored *cold);
/* Visits all cold entries, in slices of a few milliseconds; the callback must not use the store. false: stop. */
typedef bool wr_store_cold_fn(void *context, const struct wr_stored *cold);
enum wr_status wr_store_cold_visit(struct wr_store *store, wr_store_cold_fn *fn, void *context, struct wr_error *error);

struct wr_store_size {
    uint64_t file_bytes, used_bytes, free_bytes; /* of the environment's file; pages in use; pages free inside it */
    uint64_t segments, segment_bytes, cold_entries, cold_bytes;
    uint64_t disk_free_bytes;                    /* of the file system */
};
enum wr_status wr_store_measure(struct wr_store *store, struct wr_store_size *size, struct wr_error *error);
/* Reads everything and checks every checksum; `found` is told of each that does not hold, in words. WR_ERR_STATE if any. */
enum wr_status wr_store_verify(struct wr_store *store, void (*found)(void *context, const char *what), void *context,
                               struct wr_error *error);

/* ---- Writing ---------------------------------------------------------------------------------- */

struct wr_cold_entry {
    struct wr_slice op, key, value; /* value.data NULL: the entry goes */
    int64_t wake;                   /* see struct wr_stored */
    uint64_t order;
};
struct wr_cold_due {
    struct wr_slice op;
    int64_t until;                  /* all its entries go whose wake is at most this */
};
struct wr_store_commit {
    uint64_t first_number;             /* of .segment[0]: the number after the last one appended */
    size_t segment_count;
    const struct wr_slice *segment;    /* payloads */
    struct wr_slice record, program;   /* program.size 0: as it was */
    uint64_t keep_from;                /* segments below this number go */
    uint64_t epoch;                    /* of the checkpoint; cold entries carry it */
    size_t cold_count;
    const struct wr_cold_entry *cold;  /* any order, of two for one key the later counts; sorted inside */
    size_t due_count;
    const struct wr_cold_due *due;     /* done before .cold */
};
/* Segments ahead of their checkpoint's end, in a transaction of their own. */
enum wr_status wr_store_append(struct wr_store *store, uint64_t first_number, const struct wr_slice *segment,
                               size_t count, struct wr_error *error);
/* The checkpoint's end. Durable when it returns WR_OK. After a failure nothing of it is there, the last checkpoint
 * stands, and the store may be used on. WR_ERR_IO: the disk is full or refuses (says which). */
enum wr_status wr_store_commit(struct wr_store *store, const struct wr_store_commit *commit, struct wr_error *error);

#endif
