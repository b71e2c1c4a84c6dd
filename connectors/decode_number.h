/* Numbers as texts to the types that hold them. */
#ifndef WR_CONNECTORS_DECODE_NUMBER_H
#define WR_CONNECTORS_DECODE_NUMBER_H

#include "connectors/decode.h"
#include "vm/text.h"

/* number * 10^shift as an integer. whole: a fraction is an error (NOT_INTEGER); else it is rounded down. */
enum wr_decode wr_number_to_i64(struct wr_number n, int shift, bool whole, int64_t *out);
/* Rounded half up to the type's scale. text: what n was scanned from. */
enum wr_decode wr_number_to_decimal(struct wr_number n, struct wr_slice text, struct wr_type type, wr_i128 *out);
/* The nearest double or float to the text p to end that n was scanned from. */
enum wr_decode wr_number_to_f64(struct wr_number n, const char *p, const char *end, double *out);
enum wr_decode wr_number_to_f32(const char *p, const char *end, double *out);

#endif
