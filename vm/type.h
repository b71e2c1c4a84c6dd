/* Types of the language, and the five classes in which values are stored. */
#ifndef WR_VM_TYPE_H
#define WR_VM_TYPE_H

#include "base/buf.h"

enum wr_kind {
    WR_KIND_NULL, /* the type of a bare NULL: casts to anything */
    WR_KIND_BOOLEAN,
    WR_KIND_INT,       /* 32 bits */
    WR_KIND_BIGINT,    /* 64 bits */
    WR_KIND_FLOAT,     /* 32 bits, kept as a double rounded to float */
    WR_KIND_DOUBLE,
    WR_KIND_DECIMAL,   /* precision 1..38, 0 <= scale <= precision */
    WR_KIND_STRING,    /* UTF-8 */
    WR_KIND_BYTES,
    WR_KIND_DATE,      /* days since 1970-01-01 */
    WR_KIND_TIME,      /* microseconds since midnight */
    WR_KIND_TIMESTAMP, /* microseconds since 1970 UTC */
    WR_KIND_INTERVAL,  /* microseconds */
    WR_KIND_ARRAY,     /* of .element; stored in class STR as encoded bytes */
    WR_KIND_MAP,
    WR_KIND_ROW,
    WR_KIND_JSON,
    WR_KIND_ERROR      /* compiler only: silences later checks; never in a program */
};

enum wr_class {
    WR_CLASS_BOOL, /* batch: a bit; row: bool */
    WR_CLASS_I64,  /* INT BIGINT DATE TIME TIMESTAMP INTERVAL */
    WR_CLASS_F64,  /* FLOAT DOUBLE */
    WR_CLASS_DEC,  /* DECIMAL: unscaled 128-bit integer, the scale stands in the type */
    WR_CLASS_STR,  /* STRING BYTES and encoded ARRAY MAP ROW JSON: a slice */
    WR_CLASS_COUNT
};

struct wr_type {
    uint8_t kind;      /* enum wr_kind */
    uint8_t precision; /* DECIMAL */
    uint8_t scale;     /* DECIMAL */
    uint8_t element;   /* enum wr_kind of an ARRAY's scalar elements */
};

static inline struct wr_type wr_type_of(enum wr_kind kind)
{
    return (struct wr_type){.kind = (uint8_t)kind};
}
static inline struct wr_type wr_type_decimal(unsigned precision, unsigned scale)
{
    return (struct wr_type){WR_KIND_DECIMAL, (uint8_t)precision, (uint8_t)scale, 0};
}
static inline bool wr_type_equal(struct wr_type a, struct wr_type b)
{
    return a.kind == b.kind && a.precision == b.precision && a.scale == b.scale && a.element == b.element;
}

enum wr_class wr_type_class(struct wr_type type);
/* "DECIMAL(12,2)": appended to out. */
void wr_type_print(struct wr_type type, struct wr_buf *out);
/* Fixed bytes of a value of the class in a kept row: BOOL 1, I64/F64 8, DEC 16, STR 0 (variable). */
size_t wr_class_size(enum wr_class cls);

#endif
