/* The window on a text that the readers of lines look through. */
#include "connectors/internal.h"

void wr_window_init(struct wr_window *w, struct wr_byte_source *source)
{
    *w = (struct wr_window){.source = source, .capacity = WR_WINDOW_BYTES};
    w->data = wr_alloc_zero(w->capacity + WR_WINDOW_PADDING);
}

void wr_window_release(struct wr_window *w)
{
    wr_byte_source_close(w->source);
    wr_free(w->data);
    w->source = NULL;
    w->data = NULL;
}

bool wr_window_fill(struct wr_window *w)
{
    WR_ASSERT(!w->at_end);
    size_t unread = w->end - w->begin;
    if (w->begin && unread) memmove(w->data, w->data + w->begin, unread);
    w->begin = 0;
    w->end = unread;
    if (w->end == w->capacity) {
        w->capacity *= 2;
        w->data = wr_realloc(w->data, w->capacity + WR_WINDOW_PADDING);
        memset(w->data + w->capacity, 0, WR_WINDOW_PADDING);
    }
    /* Pieces that stay in the cache are read fastest, whatever one long line has made of the memory. */
    size_t n = 0, wanted = WR_MIN(w->capacity - w->end, WR_MAX((size_t)WR_WINDOW_BYTES, unread));
    struct wr_error error = {0};
    enum wr_status status = wr_byte_source_read(w->source, w->data + w->end, wanted, &n, &error);
    if (status == WR_ERR_STOPPED) return false;
    if (status != WR_OK || n == 0) {
        w->at_end = true;
        w->failed = error;
        w->failed.status = status;
    }
    w->end += n;
    return true;
}
