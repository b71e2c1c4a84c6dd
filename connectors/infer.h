/* What has been seen of a recording's columns: filled by the walks of infer_read.c, judged by infer.c. */
#ifndef WR_CONNECTORS_INFER_H
#define WR_CONNECTORS_INFER_H

#include "base/arena.h"
#include "base/vec.h"
#include "connectors/internal.h"

enum { WR_INFER_COLUMNS_MAX = 4096, WR_INFER_DISTINCT_MAX = 4096 };

/* What a value looks like. */
enum wr_looks {
    WR_LOOKS_NULL,
    WR_LOOKS_BOOLEAN,
    WR_LOOKS_INTEGER,   /* fits 64 bits, written without a point */
    WR_LOOKS_REAL,      /* any other number */
    WR_LOOKS_INSTANT,   /* a text with date and time */
    WR_LOOKS_DATE,
    WR_LOOKS_TEXT,
    WR_LOOKS_CONTAINER, /* an object or array where other records have a scalar, or null */
    WR_LOOKS_COUNT
};

struct wr_seen {
    struct wr_slice name; /* the last step of its path, as on the wire */
    struct wr_slice path; /* "$.payment.amount" */
    bool nested;
    uint64_t looks[WR_LOOKS_COUNT];
    double least, most;          /* of numbers */
    bool any_value, any_order;
    double front, lag;           /* of numbers in order of rows: running maximum, greatest distance behind it */
    int64_t front_us, lag_us;    /* of instants */
    uint64_t *hash;              /* of distinct values: open addressing, 0 is free */
    size_t distinct, hash_size;
};

struct wr_infer_state {
    struct wr_arena *arena;
    uint64_t rows, bad_rows;
    const char *note; /* the first oddity of the header, or NULL */
    bool is_array;    /* JSON that begins with [ */
    WR_VEC(struct wr_seen) seen;
};

/* Counts a value of a column; `number` and `instant` are read where it looks like one. */
void wr_infer_value(struct wr_seen *seen, struct wr_slice text, enum wr_looks looks, double number, int64_t instant);

/* Looks at up to `rows` records. WR_ERR_INPUT where the container breaks off before the first one. */
enum wr_status wr_infer_json(struct wr_infer_state *s, struct wr_byte_source *source, uint64_t rows,
                             struct wr_error *error);
enum wr_status wr_infer_csv(struct wr_infer_state *s, struct wr_byte_source *source, char delimiter, uint64_t rows,
                            struct wr_error *error);

#endif
