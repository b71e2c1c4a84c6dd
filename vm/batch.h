/* A batch: up to 1,024 rows as column vectors, with their places. What flows between operators.
 *
 * Ownership: a batch is lent for the duration of a call; whoever keeps a row copies it.
 * Strings are slices into memory that the batch's maker keeps alive for that call.
 *
 * Masks have one bit a row (bit r of word r/64) and WR_BATCH_WORDS words; bits past the row count are
 * undefined on input and must not be relied on. A row's value is an error, else NULL, else a value:
 * where an error bit is set the null bit has no meaning. In a BOOL vector a row that is NULL or an
 * error has its bit clear. */
#ifndef WR_VM_BATCH_H
#define WR_VM_BATCH_H

#include "vm/type.h"

#ifdef WR_HOSTILE
enum { WR_BATCH_ROWS_DEFAULT = 3 };
#else
enum { WR_BATCH_ROWS_DEFAULT = 1024 };
#endif
enum { WR_BATCH_ROWS = 1024, WR_BATCH_WORDS = WR_BATCH_ROWS / 64 };

enum { WR_VECTOR_NULLS = 1, WR_VECTOR_ERRORS = 2 };

struct wr_vector {
    uint8_t cls;   /* enum wr_class */
    uint8_t flags; /* WR_VECTOR_NULLS: .nulls may have bits set (else it is not read); same for errors */
    union {
        void *data;
        uint64_t *bits; /* BOOL */
        int64_t *i64;
        double *f64;
        wr_i128 *dec;
        struct wr_slice *str;
    } u;
    uint64_t *nulls;
    uint64_t *errors;
    uint8_t *reasons; /* enum wr_reason of the rows whose error bit is set; NULL: not known. Whoever lends a batch with
                         errors to another operator fills it in, so that the reader can say why. */
};

/* The place of a row in the one total order of a task (semantics.md, 'Rows, partitions, order'):
 * compare time, then source, then offset. */
enum { WR_SOURCE_END = 0x7fffffff };
struct wr_place {
    int64_t time;    /* effective time of the deciding row, or the moment */
    uint32_t source; /* 0: a moment (stands before the rows of its time); else 1 + index of the source
                        partition in the task, numbered by stream position, then partition;
                        WR_SOURCE_END: the end of a bounded input (stands behind the rows of its time) */
    uint32_t ordinal;/* position among moments' or a row's several results; 0 otherwise */
    uint64_t offset; /* record number in the partition, from 0; for a moment its sequence number */
};
static inline int wr_place_compare(struct wr_place a, struct wr_place b)
{
    if (a.time != b.time) return a.time < b.time ? -1 : 1;
    if (a.source != b.source) return a.source < b.source ? -1 : 1;
    if (a.offset != b.offset) return a.offset < b.offset ? -1 : 1;
    return (a.ordinal > b.ordinal) - (a.ordinal < b.ordinal);
}

struct wr_batch {
    uint32_t rows;    /* <= WR_BATCH_ROWS */
    uint32_t columns;
    const struct wr_vector *column; /* as the producing node's schema */
    /* Effective time of each row (= event time of derived rows): nondecreasing in a batch that an
     * operator receives. It orders rows, and is the pseudo-column event_time of on-time rows. */
    const int64_t *time;
    const int64_t *event_time;      /* the rows' own event times; same array as time unless a row is late */
    /* Places that decided the rows. For rows of a source: time[r], source[r], offset[r]. */
    const int64_t *place_time;      /* same array as time except behind windows */
    const uint32_t *source;
    const uint64_t *offset;
    const uint32_t *ordinal;        /* NULL: all 0 */
    /* For results of patterns: the place of the match's first row (order of ties); NULL: none. */
    const struct wr_place *first;
    bool any_late;
    uint64_t late[WR_BATCH_WORDS];  /* valid when any_late */
};

static inline struct wr_place wr_batch_place(const struct wr_batch *batch, uint32_t row)
{
    return (struct wr_place){batch->place_time[row], batch->source[row],
                             batch->ordinal ? batch->ordinal[row] : 0, batch->offset[row]};
}

static inline bool wr_bit(const uint64_t *mask, uint32_t row)
{
    return mask[row >> 6] >> (row & 63) & 1;
}
static inline void wr_bit_set(uint64_t *mask, uint32_t row)
{
    mask[row >> 6] |= (uint64_t)1 << (row & 63);
}
static inline void wr_bit_clear(uint64_t *mask, uint32_t row)
{
    mask[row >> 6] &= ~((uint64_t)1 << (row & 63));
}
static inline bool wr_vector_is_null(const struct wr_vector *v, uint32_t row)
{
    return (v->flags & WR_VECTOR_NULLS) && wr_bit(v->nulls, row);
}
static inline bool wr_vector_is_error(const struct wr_vector *v, uint32_t row)
{
    return (v->flags & WR_VECTOR_ERRORS) && wr_bit(v->errors, row);
}

/* One value outside a batch: registers of the row executor, constants, kept rows. */
enum wr_flag {
    WR_FLAG_VALUE = 0,
    WR_FLAG_NULL = 1,
    WR_FLAG_ERROR = 2 /* .reason says which */
};
/* Why an expression failed on a row; names and messages in vm/exec.c. */
enum wr_reason {
    WR_REASON_NONE,
    WR_REASON_OVERFLOW,        /* integer or DECIMAL out of range */
    WR_REASON_DIVISION_BY_ZERO,
    WR_REASON_CAST,            /* text that is no value of the type */
    WR_REASON_DOMAIN,          /* SQRT(-1), LN(0), bad SUBSTRING length, unknown zone … */
    WR_REASON_LENGTH,          /* a string result past its limit */
    WR_REASON_COUNT
};
struct wr_value {
    union {
        bool boolean;
        int64_t i64;
        double f64;
        wr_i128 dec;
        struct wr_slice str;
    } u;
    uint8_t cls, flag, reason;
};

/* Reads row r of a vector as a value (strings are lent by the batch). */
struct wr_value wr_vector_at(const struct wr_vector *vector, uint32_t row);

/* ---- Building batches ------------------------------------------------------------------------ */

/* Storage for one batch that somebody fills row by row: vectors of WR_BATCH_ROWS elements, masks, places,
 * and an arena for copied strings. Used by readers, reordering, matchers, windows. */
struct wr_batch_builder {
    struct wr_batch batch;           /* what is lent to consumers; rows counts up */
    struct wr_vector *column;
    int64_t *time, *event_time, *place_time;
    uint32_t *source, *ordinal;
    uint64_t *offset;
    struct wr_place *first;          /* NULL unless asked for */
    struct wr_arena *strings;        /* cleared by wr_batch_builder_clear */
    const struct wr_type *type;      /* of the columns, borrowed */
};
void wr_batch_builder_init(struct wr_batch_builder *b, const struct wr_type *type, uint32_t columns,
                           bool with_first);
void wr_batch_builder_release(struct wr_batch_builder *b);
/* Empty again: no rows, no masks, no strings. */
void wr_batch_builder_clear(struct wr_batch_builder *b);
/* Writes a value into (column, row); strings are copied into the builder's arena when copy is set. */
void wr_batch_builder_put(struct wr_batch_builder *b, uint32_t column, uint32_t row,
                          const struct wr_value *value, bool copy);
/* Copies all columns, times and the place of in's row to the end of the batch; the caller saw that
 * there is room. Strings are copied when copy is set. */
void wr_batch_builder_copy_row(struct wr_batch_builder *b, const struct wr_batch *in, uint32_t row, bool copy);

#endif
