/* Lines of several outputs in one order: a heap of lines over segments of bytes. */
#include "runtime/sink.h"

#include "runtime/state.h"

enum { SEGMENT_SIZE = 64 * 1024, BUFFER_SIZE = 64 * 1024 };

struct wr_sink *wr_sink_new(struct wr_task *task, const char *path,
                            int (*take)(void *context, const char *lines, size_t size),
                            void *context)
{
    struct wr_sink *sink = wr_alloc_zero(sizeof *sink);
    sink->task = task;
    sink->take = take;
    sink->context = context;
    sink->path = wr_strdup(path);
    sink->bound = WR_TIME_MIN;
    sink->filling = WR_NONE;
    return sink;
}

void wr_sink_free(struct wr_sink *sink)
{
    if (!sink) return;
    struct wr_error ignored = {0};
    if (sink->writer) (void)sink->writer->cls->close(sink->writer, &ignored);
    for (size_t i = 0; i < sink->segment.count; i++) wr_buf_release(&sink->segment.at[i].bytes);
    wr_vec_release(&sink->segment);
    wr_vec_release(&sink->free);
    wr_vec_release(&sink->heap);
    wr_vec_release(&sink->input);
    wr_buf_release(&sink->buffer);
    wr_buf_release(&sink->tail);
    wr_free(sink->path);
    wr_free(sink);
}

uint32_t wr_sink_add_input(struct wr_sink *sink, struct wr_operator *op, uint32_t position)
{
    struct wr_place none = {WR_TIME_MIN, 0, 0, 0};
    wr_vec_push(&sink->input, (struct wr_sink_input){op, position, WR_TIME_MIN, {none, none}});
    sink->at_bound++;
    return (uint32_t)sink->input.count - 1;
}

/* ---- Out
 * ----------------------------------------------------------------------------------------- */

static void fail(struct wr_sink *sink, const struct wr_error *error)
{
    sink->failed = true;
    wr_task_fail(sink->task, error);
}

/* These bytes are part of the output now. */
static void count(struct wr_sink *sink, struct wr_slice bytes)
{
    if (!sink->digested) return;
    wr_digest_add(&sink->digest, bytes);
    sink->bytes += bytes.size;
    size_t size = WR_MIN(bytes.size, (size_t)WR_SINK_TAIL), kept = WR_SINK_TAIL - size;
    if (sink->tail.size + size > 2 * WR_SINK_TAIL) {
        memmove(sink->tail.data, sink->tail.data + sink->tail.size - kept, kept);
        sink->tail.size = kept;
    }
    WR_ASSERT(sink->tail.size + size <= 2 * WR_SINK_TAIL);
    wr_buf_add(&sink->tail, bytes.data + bytes.size - size, size);
}

/* What a run before this one has published already is taken off the front: it is counted, and must be the same. */
static enum wr_status suppress(struct wr_sink *sink, struct wr_slice *bytes, struct wr_error *error)
{
    WR_ASSERT(sink->digested && sink->bytes < sink->published);
    size_t again = (size_t)WR_MIN(bytes->size, sink->published - sink->bytes);
    count(sink, wr_slice_of(bytes->data, again));
    *bytes = wr_slice_of(bytes->data + again, bytes->size - again);
    if (sink->bytes < sink->published || wr_digest_value(&sink->digest) == sink->published_digest) return WR_OK;
    return wr_error_set(error, WR_ERR_STATE,
                        "%s: the run from the checkpoint gave other results than it had given before: the input, the program "
                        "or weir itself is not what it was",
                        sink->path);
}

static enum wr_status hand_on(struct wr_sink *sink, struct wr_slice bytes, struct wr_error *error)
{
    WR_ASSERT((sink->writer == NULL) != (sink->take == NULL));
    if (!bytes.size) return WR_OK;
    if (sink->take)
        return sink->take(sink->context, bytes.data, bytes.size) == 0
                   ? WR_OK
                   : wr_error_set(error, WR_ERR_CLOSED, "%s: the reader went away", sink->path);
    enum wr_status status = sink->writer->cls->write(sink->writer, bytes, error);
    return status == WR_OK ? sink->writer->cls->flush(sink->writer, error) : status;
}

void wr_sink_flush(struct wr_sink *sink)
{
    struct wr_error error = {0};
    if (sink->task->abandoned && sink->task->options.durable) wr_buf_clear(&sink->buffer);
    if (!sink->failed && sink->buffer.size) {
        struct wr_slice bytes = wr_buf_slice(&sink->buffer);
        enum wr_status status = wr_sink_is_behind(sink) ? suppress(sink, &bytes, &error) : WR_OK;
        if (status == WR_OK) status = hand_on(sink, bytes, &error);
        if (status == WR_OK) count(sink, bytes);
        else fail(sink, &error);
    }
    wr_buf_clear(&sink->buffer);
}

void wr_sink_close(struct wr_sink *sink)
{
    wr_sink_flush(sink);
    struct wr_error error = {0};
    struct wr_writer *writer = sink->writer;
    bool stopped = sink->task->options.stop && *sink->task->options.stop; /* then it comes to it another time */
    if (!sink->failed && !stopped && wr_sink_is_behind(sink)) {
        wr_error_set(&error, WR_ERR_STATE,
                     "%s: the run from the checkpoint gave fewer results than it had given before: the input, the program or "
                     "weir itself is not what it was",
                     sink->path);
        fail(sink, &error);
    }
    sink->writer = NULL;
    if (writer && writer->cls->close(writer, &error) != WR_OK && !sink->failed) fail(sink, &error);
    sink->failed = true;
}

static void write_line(struct wr_sink *sink, struct wr_slice line)
{
    if (sink->failed) return;
    wr_buf_add_slice(&sink->buffer, line);
    if (sink->buffer.size >= BUFFER_SIZE) wr_sink_flush(sink);
}

/* ---- Order
 * --------------------------------------------------------------------------------------- */

/* Deciding places without their ordinals, which count the results of one operator only. The end of
 * the input is one place, whoever decides there. */
static int compare_deciding(struct wr_place a, struct wr_place b)
{
    a.ordinal = b.ordinal = 0;
    if (a.source == WR_SOURCE_END && b.source == WR_SOURCE_END) a.offset = b.offset = 0;
    return wr_place_compare(a, b);
}

static int compare_keys(const struct wr_sink_key *a, const struct wr_sink_key *b)
{
    int order = compare_deciding(a->place, b->place);
    return order ? order : wr_place_compare(a->first, b->first);
}

static bool before(const struct wr_sink *sink, const struct wr_sink_line *a,
                   const struct wr_sink_line *b)
{
    int order = compare_keys(&a->key, &b->key);
    if (order) return order < 0;
    uint32_t x = sink->input.at[a->input].position, y = sink->input.at[b->input].position;
    return x != y ? x < y : a->sequence < b->sequence;
}

static void push(struct wr_sink *sink, struct wr_sink_line line)
{
    wr_vec_push(&sink->heap, line);
    struct wr_sink_line *heap = sink->heap.at;
    size_t at = sink->heap.count - 1;
    while (at > 0 && before(sink, &line, &heap[(at - 1) / 2])) {
        heap[at] = heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    heap[at] = line;
}

static struct wr_sink_line pop(struct wr_sink *sink)
{
    WR_ASSERT(sink->heap.count > 0);
    struct wr_sink_line *heap = sink->heap.at, first = heap[0], last = wr_vec_pop(&sink->heap);
    size_t at = 0, count = sink->heap.count;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= count) break;
        if (child + 1 < count && before(sink, &heap[child + 1], &heap[child])) child++;
        if (!before(sink, &heap[child], &last)) break;
        heap[at] = heap[child];
        at = child;
    }
    if (count) heap[at] = last;
    return first;
}

/* A segment with room for a line of this size. */
static uint32_t segment_for(struct wr_sink *sink, size_t size)
{
    WR_ASSERT(sink->filling == WR_NONE || sink->filling < sink->segment.count);
    if (sink->filling != WR_NONE) {
        const struct wr_buf *bytes = &sink->segment.at[sink->filling].bytes;
        if (bytes->size == 0 || bytes->size + size <= SEGMENT_SIZE) return sink->filling;
    }
    if (sink->free.count) return sink->filling = wr_vec_pop(&sink->free);
    wr_vec_push(&sink->segment, (struct wr_sink_segment){.live = 0});
    wr_vec_reserve(&sink->free, sink->segment.count);
    return sink->filling = (uint32_t)sink->segment.count - 1;
}

static struct wr_slice bytes_of(const struct wr_sink *sink, const struct wr_sink_line *line)
{
    return wr_slice_of(sink->segment.at[line->segment].bytes.data + line->start, line->size);
}

static void drop_bytes(struct wr_sink *sink, const struct wr_sink_line *line)
{
    struct wr_sink_segment *segment = &sink->segment.at[line->segment];
    WR_ASSERT(segment->live > 0);
    if (--segment->live) return;
    wr_buf_clear(&segment->bytes);
    if (line->segment != sink->filling) wr_vec_push(&sink->free, line->segment);
}

static void release(struct wr_sink *sink)
{
    while (sink->heap.count &&
           (sink->heap.at[0].key.place.time < sink->bound || sink->bound == WR_TIME_MAX)) {
        struct wr_sink_line line = pop(sink);
        write_line(sink, bytes_of(sink, &line));
        drop_bytes(sink, &line);
    }
}

struct wr_buf *wr_sink_direct(struct wr_sink *sink)
{
    if (sink->input.count != 1) return NULL;
    if (sink->failed) wr_buf_clear(&sink->buffer);
    if (sink->buffer.size >= BUFFER_SIZE) wr_sink_flush(sink);
    return &sink->buffer;
}

void wr_sink_add(struct wr_sink *sink, uint32_t input, const struct wr_sink_key *key,
                 struct wr_slice line)
{
    if (!key) { /* stays here until the first flush: a run that goes on has no use for it */
        wr_buf_add_slice(&sink->buffer, line);
        return;
    }
    if (sink->input.count == 1) {
        write_line(sink, line);
        return;
    }
    WR_ASSERT(input < sink->input.count && line.size <= UINT32_MAX);
    struct wr_sink_input *from = &sink->input.at[input];
    /* Lines of one input never change their order. */
    if (compare_keys(&from->last, key) < 0) from->last = *key;
    uint32_t segment = segment_for(sink, line.size);
    struct wr_sink_segment *s = &sink->segment.at[segment];
    WR_ASSERT(s->bytes.size <= UINT32_MAX);
    push(sink, (struct wr_sink_line){from->last, input, segment, (uint32_t)s->bytes.size,
                                     (uint32_t)line.size, sink->sequence++});
    wr_buf_add_slice(&s->bytes, line);
    s->live++;
}

static void find_bound(struct wr_sink *sink)
{
    sink->bound = WR_TIME_MAX;
    sink->at_bound = 0;
    for (size_t i = 0; i < sink->input.count; i++)
        sink->bound = WR_MIN(sink->bound, sink->input.at[i].bound);
    for (size_t i = 0; i < sink->input.count; i++)
        sink->at_bound += sink->input.at[i].bound == sink->bound;
    WR_ASSERT(sink->at_bound > 0);
}

void wr_sink_watermark(struct wr_sink *sink, uint32_t input, int64_t watermark)
{
    WR_ASSERT(input < sink->input.count);
    struct wr_sink_input *from = &sink->input.at[input];
    if (watermark <= from->bound) return;
    bool was_least = from->bound == sink->bound;
    from->bound = watermark;
    if (sink->input.count == 1 || !was_least || --sink->at_bound) return;
    find_bound(sink);
    release(sink);
}

/* ---- State
 * --------------------------------------------------------------------------------------- */

static void put_key(const struct wr_task *task, const struct wr_sink_key *key, struct wr_buf *out)
{
    wr_place_encode(task, key->place, out);
    wr_place_encode(task, key->first, out);
}

static bool get_key(const struct wr_task *task, struct wr_slice *in, struct wr_sink_key *key)
{
    return wr_place_decode(task, in, &key->place) && wr_place_decode(task, in, &key->first);
}

void wr_sink_save(struct wr_sink *sink, uint32_t input, uint32_t port, wr_state_entry_fn *entry, void *context)
{
    WR_ASSERT(input < sink->input.count);
    struct wr_sink_input *from = &sink->input.at[input];
    struct wr_state_writer w = {.op = from->op, .entry = entry, .context = context};
    wr_put_u8(&w.key, 'i');
    wr_put_uint(&w.key, port);
    wr_put_i64(&w.value, from->bound);
    put_key(sink->task, &from->last, &w.value);
    entry(context, wr_buf_slice(&w.key), wr_buf_slice(&w.value));
    for (size_t i = 0; i < sink->heap.count; i++) {
        const struct wr_sink_line *line = &sink->heap.at[i];
        if (line->input != input) continue;
        wr_buf_clear(&w.key);
        wr_buf_clear(&w.value);
        wr_put_u8(&w.key, 'l');
        wr_put_uint(&w.key, port);
        wr_put_u64(&w.key, line->sequence);
        put_key(sink->task, &line->key, &w.value);
        wr_put_bytes(&w.value, bytes_of(sink, line));
        entry(context, wr_buf_slice(&w.key), wr_buf_slice(&w.value));
    }
    wr_buf_release(&w.key);
    wr_buf_release(&w.value);
}

bool wr_sink_load(struct wr_sink *sink, uint32_t input, uint32_t port, struct wr_slice key, struct wr_slice value)
{
    struct wr_sink_input *from = &sink->input.at[input];
    uint8_t what;
    uint64_t number, sequence;
    if (!wr_get_u8(&key, &what) || !wr_get_uint(&key, &number) || number != port) return false;
    if (what == 'i') {
        bool whole = wr_get_i64(&value, &from->bound) && get_key(sink->task, &value, &from->last) && !value.size;
        find_bound(sink);
        return whole;
    }
    struct wr_sink_key place;
    struct wr_slice bytes;
    if (!wr_get_u64(&key, &sequence) || !get_key(sink->task, &value, &place) ||
        !wr_get_bytes(&value, &bytes))
        return false;
    uint32_t segment = segment_for(sink, bytes.size);
    struct wr_sink_segment *s = &sink->segment.at[segment];
    push(sink, (struct wr_sink_line){place, input, segment, (uint32_t)s->bytes.size,
                                     (uint32_t)bytes.size, sequence});
    sink->sequence = WR_MAX(sink->sequence, sequence + 1); /* lines to come stand behind it */
    wr_buf_add_slice(&s->bytes, bytes);
    s->live++;
    return value.size == 0;
}

void wr_sink_clear(struct wr_sink *sink, uint32_t input)
{
    struct wr_place none = {WR_TIME_MIN, 0, 0, 0};
    sink->input.at[input].bound = WR_TIME_MIN;
    sink->input.at[input].last = (struct wr_sink_key){none, none};
    find_bound(sink);
    size_t count = sink->heap.count;
    wr_vec_clear(&sink->heap);
    for (size_t i = 0; i < count; i++) { /* a prefix of the vector becomes the heap again */
        struct wr_sink_line line = sink->heap.at[i];
        if (line.input == input)
            drop_bytes(sink, &line);
        else
            push(sink, line);
    }
}
