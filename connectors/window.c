/* The window on a text that the readers of lines look through. */
#include "base/hash.h"
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

/* ---- Going on ------------------------------------------------------------------------------------ */

/* A mark: how many bytes it is of (12 bits), and their hash. */
static uint64_t mark_of(const char *bytes, size_t size)
{
    WR_ASSERT(size <= WR_MARK_BYTES);
    return (wr_hash64(bytes, size, 0) & ~(uint64_t)WR_MARK_BYTES) | size;
}

void wr_window_position(const struct wr_window *w, struct wr_read_position *position)
{
    size_t before = WR_MIN(w->begin, (size_t)WR_MARK_BYTES);
    struct wr_slice first = wr_byte_source_first(w->source);
    position->byte = wr_byte_source_given(w->source) - (w->end - w->begin);
    position->head = mark_of(first.data, (size_t)WR_MIN(first.size, position->byte));
    position->before = mark_of(w->data + w->begin - before, before);
}

static enum wr_status other_input(const struct wr_window *w, const char *how, struct wr_error *error)
{
    return wr_error_set(error, WR_ERR_STATE, "%s is not the input that the state was made from: %s",
                        wr_byte_source_name(w->source), how);
}

enum wr_status wr_window_seek(struct wr_window *w, const struct wr_read_position *position, struct wr_error *error)
{
    enum { KEPT = WR_MARK_BYTES + 1 };
    uint64_t byte = position->byte, from = byte > KEPT ? byte - KEPT : 0;
    size_t head = position->head & WR_MARK_BYTES, before = position->before & WR_MARK_BYTES;
    if (byte >= wr_byte_source_given(w->source) && wr_byte_source_seek(w->source, from)) {
        w->begin = w->end = 0;
        w->at_end = false;
    }
    while (wr_byte_source_given(w->source) < byte && !w->at_end) {
        if (w->end - w->begin > KEPT) w->begin = w->end - KEPT;
        (void)wr_window_fill(w); /* a signal: once more */
    }
    uint64_t given = wr_byte_source_given(w->source);
    if (given < byte) {
        if (w->failed.status != WR_OK) {
            *error = w->failed;
            return error->status;
        }
        return other_input(w, "it is shorter than what had been read of it", error);
    }
    if (given - byte > w->end) return other_input(w, "its beginning is longer", error);
    w->begin = w->end - (size_t)(given - byte);
    struct wr_slice first = wr_byte_source_first(w->source);
    if (head > first.size || mark_of(first.data, head) != position->head)
        return other_input(w, "its first bytes differ", error);
    if (before > w->begin || mark_of(w->data + w->begin - before, before) != position->before)
        return other_input(w, "the bytes before the place where the run had stopped differ", error);
    return WR_OK;
}
