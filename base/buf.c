/* Growth and formatted text of the byte buffer. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

void wr_buf_release(struct wr_buf *buf)
{
    wr_free(buf->data);
    *buf = (struct wr_buf){0};
}

void wr_buf_grow(struct wr_buf *buf, size_t extra)
{
    size_t wanted = buf->size + extra, doubled = buf->capacity * 2;
    buf->capacity = WR_MAX(WR_MAX(wanted, doubled), (size_t)256);
    buf->data = wr_realloc(buf->data, buf->capacity);
}

void wr_buf_printf(struct wr_buf *buf, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    size_t room = buf->capacity - buf->size;
    int size = vsnprintf(room ? buf->data + buf->size : NULL, room, format, args);
    va_end(args);
    WR_ASSERT(size >= 0);
    if ((size_t)size >= room) {
        wr_buf_grow(buf, (size_t)size + 1);
        vsnprintf(buf->data + buf->size, (size_t)size + 1, format, again);
    }
    va_end(again);
    buf->size += (size_t)size;
}
