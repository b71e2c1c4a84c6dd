/* From the text of a value to an element of a column: what JSON and CSV share. */
#ifndef WR_CONNECTORS_DECODE_H
#define WR_CONNECTORS_DECODE_H

#include "base/arena.h"
#include "runtime/connector.h"

enum wr_decode {
    WR_DECODE_OK,
#define DECODE(name, code, reason) WR_DECODE_##name,
#include "connectors/decode.def"
#undef DECODE
    WR_DECODE_COUNT
};
const char *wr_decode_code(enum wr_decode d);   /* "W3102" */
const char *wr_decode_reason(enum wr_decode d); /* "malformed JSON" */

/* Texts that are decoded have this many readable bytes behind their end, whatever those hold. */
enum { WR_DECODE_PADDING = 16 };

struct wr_decode_column {
    const struct wr_field *field;
    uint8_t kind;      /* enum wr_kind */
    int8_t time_scale; /* numbers of a TIMESTAMP are multiples of 10^time_scale microseconds */
    const struct wr_value *absent; /* what stands in for an absent field; NULL: none */
    char date[16];     /* the date that a TIMESTAMP's text had last, 10 bytes; "": none */
    int64_t date_us;   /* when it began */
};

/* The columns of one batch, filled row by row. */
struct wr_decode_columns {
    uint32_t count;
    struct wr_decode_column *column;
    struct wr_vector *vector; /* as a batch wants them */
    struct wr_arena strings;  /* what is no slice of the input: unescaped strings, decoded BYTES */
};
void wr_decode_columns_init(struct wr_decode_columns *c, const struct wr_read_spec *spec);
void wr_decode_columns_release(struct wr_decode_columns *c);
void wr_decode_columns_clear(struct wr_decode_columns *c); /* before the first row of a batch */
/* Takes back what a bad record has left in a row. */
void wr_decode_columns_undo(struct wr_decode_columns *c, uint32_t row);

/* A JSON value that is no object and no array: p to end, white space around it cut off. A string has its quotes. */
enum wr_decode wr_decode_json(struct wr_decode_columns *c, uint32_t column, uint32_t row, const char *p,
                              const char *end);
/* A text in which a value of any type stands as itself: a CSV field, valid UTF-8. */
enum wr_decode wr_decode_text(struct wr_decode_columns *c, uint32_t column, uint32_t row, struct wr_slice text);
/* An object or an array where a scalar is wanted. */
enum wr_decode wr_decode_container(const struct wr_decode_columns *c, uint32_t column);
enum wr_decode wr_decode_null(struct wr_decode_columns *c, uint32_t column, uint32_t row);
/* The field is not there: its default, else NULL. */
enum wr_decode wr_decode_absent(struct wr_decode_columns *c, uint32_t column, uint32_t row);
/* Columns that no part of the record gives: FROM OFFSET, PARTITION, KEY, HEADER, TIMESTAMP. */
enum wr_decode wr_decode_meta(struct wr_decode_columns *c, uint32_t column, uint32_t row, uint64_t offset);

/* A JSON string without its quotes into out, which has room for as many bytes; the bytes written, or SIZE_MAX
 * where an escape is none (also half of a surrogate pair). */
size_t wr_json_unescape(const char *p, const char *end, char *out);
/* Standard base64 with or without its padding; false when it is none. *size is what was written to out, which has
 * room for 3/4 of the text. */
bool wr_base64_decode(struct wr_slice text, char *out, size_t *size);

/* A number in the form that JSON prescribes: mantissa * 10^exponent. */
struct wr_number {
    uint64_t mantissa; /* no trailing zeros, 0 for zero */
    int32_t exponent;  /* clamped far outside of what any type holds */
    bool negative;
    bool cut;          /* more than 19 digits: mantissa holds the first ones, the exponent fits them */
};
/* false when the text is no such number. */
bool wr_number_scan(const char *p, const char *end, struct wr_number *out);

#endif
