/* A growable buffer of bytes: what text and records are written into before they leave. */
#ifndef WR_BASE_BUF_H
#define WR_BASE_BUF_H

#include "base/alloc.h"
#include "base/slice.h"

struct wr_buf {
    char *data;
    size_t size, capacity;
};

void wr_buf_release(struct wr_buf *buf); /* a zeroed struct is a valid empty buffer */
void wr_buf_grow(struct wr_buf *buf, size_t extra);
void wr_buf_printf(struct wr_buf *buf, const char *format, ...) WR_PRINTF(2, 3);

/* Appends a JSON string with its quotes; bytes that are no UTF-8 become U+FFFD. */
void wr_buf_add_json(struct wr_buf *buf, struct wr_slice text);

/* Room for `extra` more bytes; returns where they go. The caller then adds to buf->size. */
static inline char *wr_buf_reserve(struct wr_buf *buf, size_t extra)
{
    if (WR_UNLIKELY(buf->capacity - buf->size < extra)) wr_buf_grow(buf, extra);
    return buf->data + buf->size;
}

static inline void wr_buf_add(struct wr_buf *buf, const void *bytes, size_t size)
{
    if (size) memcpy(wr_buf_reserve(buf, size), bytes, size);
    buf->size += size;
}

static inline void wr_buf_add_slice(struct wr_buf *buf, struct wr_slice s)
{
    wr_buf_add(buf, s.data, s.size);
}

static inline void wr_buf_add_cstr(struct wr_buf *buf, const char *text)
{
    wr_buf_add(buf, text, strlen(text));
}

static inline void wr_buf_add_json_cstr(struct wr_buf *buf, const char *text)
{
    wr_buf_add_json(buf, wr_slice_cstr(text));
}

static inline void wr_buf_add_char(struct wr_buf *buf, char c)
{
    *wr_buf_reserve(buf, 1) = c;
    buf->size++;
}

static inline void wr_buf_clear(struct wr_buf *buf)
{
    buf->size = 0;
}

static inline struct wr_slice wr_buf_slice(const struct wr_buf *buf)
{
    return wr_slice_of(buf->data, buf->size);
}

/* NUL-terminates (not counted in size) and returns the text, owned by the buffer. */
static inline const char *wr_buf_cstr(struct wr_buf *buf)
{
    *wr_buf_reserve(buf, 1) = 0;
    return buf->data;
}

#endif
