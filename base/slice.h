/* A slice: bytes that somebody else owns. Never NUL-terminated by promise; size may be 0, then
 * data may be NULL. Whoever makes a slice says how long its bytes live. */
#ifndef WR_BASE_SLICE_H
#define WR_BASE_SLICE_H

#include "base/base.h"

struct wr_slice {
    const char *data;
    size_t size;
};

/* A slice of a string literal. */
#define WR_SLICE(literal) ((struct wr_slice){literal, sizeof(literal) - 1})
/* The pair of arguments for "%.*s". */
#define WR_SLICE_ARG(s) (int)(s).size, (s).data ? (s).data : ""

static inline struct wr_slice wr_slice_of(const char *data, size_t size)
{
    return (struct wr_slice){data, size};
}

static inline struct wr_slice wr_slice_cstr(const char *text)
{
    return (struct wr_slice){text, strlen(text)};
}

static inline bool wr_slice_equal(struct wr_slice a, struct wr_slice b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Bytewise order, as SQL's binary collation: <0, 0, >0. */
static inline int wr_slice_compare(struct wr_slice a, struct wr_slice b)
{
    size_t n = WR_MIN(a.size, b.size);
    int order = n ? memcmp(a.data, b.data, n) : 0;
    return order ? order : (a.size > b.size) - (a.size < b.size);
}

/* Equal without regard to the case of ASCII letters. */
bool wr_slice_equal_nocase(struct wr_slice a, struct wr_slice b);

#endif
