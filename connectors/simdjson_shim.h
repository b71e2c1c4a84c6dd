/* simdjson behind C: the index of a text's tokens, made with the widest vectors of the machine at hand, and the
 * conversions of numbers that C's library does not have in a fast form. simdjson_shim.cpp is the only file that
 * includes simdjson. */
#ifndef WR_CONNECTORS_SIMDJSON_SHIM_H
#define WR_CONNECTORS_SIMDJSON_SHIM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
    WR_SIMDJSON_PADDING = 64, /* readable bytes that every text has behind its end */
    WR_SIMDJSON_SENTINELS = 2 /* entries of the index behind its last token; each is the text's size */
};

enum wr_simdjson_status {
    WR_SIMDJSON_OK,
    WR_SIMDJSON_BAD_UTF8,
    WR_SIMDJSON_BAD_STRING, /* not closed, or with a control character in it */
    WR_SIMDJSON_NO_MEMORY
};

struct wr_simdjson;
struct wr_simdjson *wr_simdjson_new(void); /* NULL: out of memory */
void wr_simdjson_free(struct wr_simdjson *parser);

/* Finds the tokens of a text of fewer than 4 GiB, which may hold any number of JSON documents: offsets of each of
 * {}[]:, outside of strings, of the opening quote of each string, and of the first byte of each other run of
 * characters between those and white space. Checks all UTF-8 and that every string is closed and free of control
 * characters; nothing else. *index belongs to the parser and is good until the next call. */
enum wr_simdjson_status wr_simdjson_index(struct wr_simdjson *parser, const char *text, size_t size,
                                          const uint32_t **index, size_t *count);

bool wr_simdjson_utf8_valid(const char *text, size_t size);

/* The number closest to a text in JSON's form of numbers, which the caller has checked; false: too great. */
bool wr_simdjson_f64(const char *text, size_t size, double *out);
bool wr_simdjson_f32(const char *text, size_t size, float *out);

#ifdef __cplusplus
}
#endif

#endif
