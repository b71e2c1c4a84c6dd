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
    wr_buf_release(&w->head);
    wr_buf_release(&w->tail);
    wr_free(w->data);
    w->source = NULL;
    w->data = NULL;
}

/* Keeps the last of the bytes that are about to leave the memory. */
static void keep_tail(struct wr_window *w)
{
    size_t n = WR_MIN(w->begin, (size_t)WR_MARK_BYTES), room = 2 * WR_MARK_BYTES - n;
    if (w->tail.size > room) {
        size_t kept = WR_MARK_BYTES - n;
        memmove(w->tail.data, w->tail.data + w->tail.size - kept, kept);
        w->tail.size = kept;
    }
    wr_buf_add(&w->tail, w->data + w->begin - n, n);
    w->base += w->begin;
}

static void keep_head(struct wr_window *w, size_t read)
{
    WR_ASSERT(w->head.size == WR_MIN(w->base + w->end, (uint64_t)WR_MARK_BYTES) || w->base > WR_MARK_BYTES);
    wr_buf_add(&w->head, w->data + w->end, WR_MIN(read, WR_MARK_BYTES - w->head.size));
}

bool wr_window_fill(struct wr_window *w)
{
    WR_ASSERT(!w->at_end);
    size_t unread = w->end - w->begin;
    keep_tail(w);
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
    keep_head(w, n);
    w->end += n;
    return true;
}

/* ---- Going on where another reader stood ------------------------------------------------------ */

/* How many bytes a hash at this place is of. */
static size_t marked(uint64_t byte)
{
    return (size_t)WR_MIN(byte, (uint64_t)WR_MARK_BYTES);
}

void wr_window_position(const struct wr_window *w, struct wr_read_position *position)
{
    char before[WR_MARK_BYTES];
    uint64_t byte = wr_window_byte(w);
    size_t size = marked(byte), here = WR_MIN(size, w->begin), gone = size - here;
    WR_ASSERT(gone <= w->tail.size && size <= w->head.size);
    if (gone) memcpy(before, w->tail.data + w->tail.size - gone, gone);
    if (here) memcpy(before + gone, w->data + w->begin - here, here);
    position->byte = byte;
    position->head = wr_hash64(w->head.data, size, 0);
    position->before = wr_hash64(before, size, 0);
}

static enum wr_status other_input(const struct wr_window *w, struct wr_error *error, const char *which, uint64_t number)
{
    return wr_error_set(error, WR_ERR_STATE, "%s is not the input that was read before: %s %llu differ",
                        wr_byte_source_name(w->source), which, (unsigned long long)number);
}

static enum wr_status shorter(const struct wr_window *w, uint64_t byte, struct wr_error *error)
{
    const struct wr_error *failed = &w->failed;
    if (failed->status != WR_OK && failed->status != WR_ERR_INPUT) {
        *error = *failed;
        return failed->status;
    }
    return wr_error_set(error, WR_ERR_STATE, "%s is shorter than when it was read before: %llu bytes of text had been read%s%s",
                        wr_byte_source_name(w->source), (unsigned long long)byte, failed->status == WR_OK ? "" : "; ",
                        failed->message);
}

/* Reads until the bytes up to `byte` have come; those read before are not kept. false: a signal came first. */
static bool read_to(struct wr_window *w, uint64_t byte)
{
    while (w->base + w->end < byte && !w->at_end) {
        w->begin = w->end;
        if (!wr_window_fill(w)) return false;
    }
    return true;
}

enum wr_status wr_window_seek(struct wr_window *w, const struct wr_read_position *position, struct wr_error *error)
{
    uint64_t byte = position->byte, from = byte - marked(byte);
    struct wr_read_position found;
    if (byte < wr_window_byte(w)) return other_input(w, error, "the lines before byte", byte);
    bool going = read_to(w, marked(byte));
    if (going && !w->at_end && from > w->base + w->end && wr_byte_source_jump(w->source, from)) {
        w->begin = w->end = w->tail.size = 0;
        w->base = from;
    }
    if (!going || !read_to(w, byte))
        return wr_error_set(error, WR_ERR_STOPPED, "%s: interrupted", wr_byte_source_name(w->source));
    if (w->base + w->end < byte) return shorter(w, byte, error);
    w->begin = (size_t)(byte - w->base);
    wr_window_position(w, &found);
    if (found.head != position->head) return other_input(w, error, "its first bytes up to", marked(byte));
    if (found.before != position->before) return other_input(w, error, "the bytes before byte", byte);
    return WR_OK;
}
