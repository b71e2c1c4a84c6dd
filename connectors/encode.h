/* From an element of a column to its text: what the encoders of JSON and CSV share. */
#ifndef WR_CONNECTORS_ENCODE_H
#define WR_CONNECTORS_ENCODE_H

#include "runtime/connector.h"

/* WR_OK when values of all columns can be written in a text format; else WR_ERR_PROGRAM naming the column. */
enum wr_status wr_encode_check(const struct wr_schema *schema, struct wr_error *error);

/* The instant that was printed last: rows of one batch mostly share its day, and rows of one window all of it.
 * Zeroed is valid. */
struct wr_day_cache {
    int64_t day, micros;
    bool known;
    uint8_t size;
    char text[32]; /* "2026-01-01T00:00:00Z" */
};

/* The text of a value that is neither NULL nor in class STR: at most WR_TEXT_MAX bytes to out; how many. 0: a DOUBLE
 * that no text format has (NaN, infinity). */
size_t wr_encode_scalar(char *out, struct wr_type type, const struct wr_vector *v, uint32_t row,
                        struct wr_day_cache *cache);
/* Is the text of such a value a string to JSON? */
bool wr_encode_is_quoted(struct wr_type type);

/* An ARRAY as JSON: "[1,null,3]". */
void wr_encode_array(struct wr_slice array, struct wr_type type, struct wr_buf *out);

void wr_base64_encode(struct wr_slice bytes, struct wr_buf *out);
/* In quotes, with the escapes of RFC 8259; valid UTF-8 passes as it is. */
void wr_json_quote(struct wr_slice text, struct wr_buf *out);

#endif
