/* Values to text and back: one place for the formats of DECIMAL, DOUBLE, TIMESTAMP, INTERVAL, … that casts,
 * connectors, literals and printing share. Parsers take the whole text or fail. */
#ifndef WR_VM_TEXT_H
#define WR_VM_TEXT_H

#include "vm/batch.h"

bool wr_parse_i64(struct wr_slice text, int64_t *out);
bool wr_parse_f64(struct wr_slice text, double *out);
/* Digits past the scale are rounded half up (away from zero); false when it is no number or does not fit the precision. */
bool wr_parse_decimal(struct wr_slice text, unsigned precision, unsigned scale, wr_i128 *out);
/* RFC 3339 or SQL text: date, optional T or blank and time with up to 9 fraction digits (cut to microseconds),
 * optional zone Z, +02:00, +0200, +02; none means UTC. */
bool wr_parse_timestamp(struct wr_slice text, int64_t *micros);
bool wr_parse_date(struct wr_slice text, int64_t *days);
bool wr_parse_time(struct wr_slice text, int64_t *micros);
/* 10m, 1h30m, 250ms; ISO 8601 PT1H30M, P1DT2H; sign allowed. */
bool wr_parse_interval(struct wr_slice text, int64_t *micros);
/* Any scalar type from text by the rules of CAST. Strings are lent. */
bool wr_value_parse(struct wr_type type, struct wr_slice text, struct wr_value *out);

/* Each writes at most 64 bytes to out and returns how many. */
enum { WR_TEXT_MAX = 64 };
size_t wr_print_i64(char *out, int64_t value);
size_t wr_print_f64(char *out, double value);   /* shortest that reads back; finite values only get digits */
size_t wr_print_f32(char *out, double value);   /* shortest that reads back as float */
size_t wr_print_decimal(char *out, wr_i128 value, unsigned scale);
size_t wr_print_timestamp(char *out, int64_t micros); /* 2026-01-01T00:00:00.25Z, no more digits than needed */
size_t wr_print_date(char *out, int64_t days);
size_t wr_print_time(char *out, int64_t micros);
size_t wr_print_interval(char *out, int64_t micros);  /* ISO 8601: PT1H30M */
/* A value as CAST(x AS STRING) shows it; appended. NULL prints as NULL. */
void wr_value_print(struct wr_type type, const struct wr_value *value, struct wr_buf *out);

wr_i128 wr_pow10(unsigned n); /* n <= 38 */
/* value * 10^(to - from), rounded half up; false on overflow of `precision` digits. */
bool wr_decimal_rescale(wr_i128 value, unsigned from, unsigned to, unsigned precision, wr_i128 *out);

#endif
