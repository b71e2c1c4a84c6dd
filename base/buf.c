/* Growth and formatted text of the byte buffer. */
#include "base/buf.h"
#include "base/text.h"

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
    size_t capacity = WR_MAX(WR_MAX(wanted, doubled), (size_t)256);
    buf->data = wr_realloc(buf->data, capacity); /* may unwind: the buffer stays what it was */
    buf->capacity = capacity;
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

/* ---- JSON ---------------------------------------------------------------------------------------- */

void wr_buf_add_json(struct wr_buf *buf, struct wr_slice text)
{
    size_t valid = wr_utf8_check(text);
    wr_buf_add_char(buf, '"');
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (i == valid) {
            wr_buf_add_cstr(buf, "\\ufffd");
            valid = i + 1 + wr_utf8_check(wr_slice_of(text.data + i + 1, text.size - i - 1));
        } else if (c == '"' || c == '\\') {
            wr_buf_add_char(buf, '\\');
            wr_buf_add_char(buf, (char)c);
        } else if (c == '\n') {
            wr_buf_add_cstr(buf, "\\n");
        } else if (c < 0x20 || c == 0x7f) {
            wr_buf_printf(buf, "\\u%04x", c);
        } else {
            wr_buf_add_char(buf, (char)c);
        }
    }
    wr_buf_add_char(buf, '"');
}
