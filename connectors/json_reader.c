/* JSON lines. A piece of whole lines is indexed at once; when that finds a string that is not closed or bytes that
 * are no UTF-8, the piece's lines are indexed one by one, so that only the bad ones are lost. Each record must begin
 * and end inside its line, whatever the piece as a whole would mean. Blank lines are no records. */
#include "connectors/internal.h"
#include "connectors/json_walk.h"
#include "connectors/simdjson_shim.h"

struct json_reader {
    struct wr_reader reader;
    struct wr_read_spec spec;
    struct wr_window window;
    struct wr_decode_columns columns;
    struct wr_json_walk *walk;
    struct wr_simdjson *parser;
    struct wr_batch batch;
    uint64_t *offset;
    uint64_t records;     /* seen so far, bad ones too */
    uint64_t line;        /* the next line's number, from 1 */
    size_t searched;      /* unread bytes, from the window's begin, known to hold no line end */
    bool started;         /* a byte order mark can no longer come */
    bool discarding;      /* inside a line that is too long */
    /* the piece at hand: whole lines from window.begin to piece_end */
    size_t piece_end;
    bool by_line;         /* each line is indexed by itself */
    struct wr_json_record record; /* .base and .end are those of the index at hand */
    const uint32_t *token;        /* the next one */
};

static void report(struct json_reader *r, enum wr_decode d, uint32_t column, struct wr_slice bytes)
{
    while (bytes.size && (bytes.data[bytes.size - 1] == '\r' || bytes.data[bytes.size - 1] == '\n')) bytes.size--;
    struct wr_bad_record bad = {.offset = r->records, .line = r->line, .code = wr_decode_code(d),
                                .reason = wr_decode_reason(d), .bytes = bytes};
    if (column != WR_NONE) bad.column = r->spec.field[column].name;
    if (r->spec.on_bad) r->spec.on_bad(r->spec.context, &bad);
    r->records++;
}

/* ---- Pieces ---------------------------------------------------------------------------------- */

enum piece { PIECE_READY, PIECE_INTERRUPTED, PIECE_END, PIECE_NO_MEMORY };

static enum piece index_piece(struct json_reader *r)
{
    struct wr_window *w = &r->window;
    size_t count;
    r->record.base = w->data + w->begin;
    enum wr_simdjson_status status =
        wr_simdjson_index(r->parser, r->record.base, r->piece_end - w->begin, &r->token, &count);
    if (status == WR_SIMDJSON_NO_MEMORY) return PIECE_NO_MEMORY;
    r->by_line = status != WR_SIMDJSON_OK;
    r->record.end = r->token + count;
    return PIECE_READY;
}

/* A line that no memory should hold: what there is of it is reported, the rest passed over. */
static void give_up_line(struct json_reader *r)
{
    struct wr_window *w = &r->window;
    if (!r->discarding) report(r, WR_DECODE_TOO_LONG, WR_NONE, wr_slice_of(w->data + w->begin, w->end - w->begin));
    r->discarding = true;
    w->begin = w->end;
    r->searched = 0;
}

/* The end of the last whole line of what is unread, or 0. */
static size_t whole_lines(struct json_reader *r)
{
    struct wr_window *w = &r->window;
    size_t from = w->begin + r->searched;
    const char *last = from < w->end ? memrchr(w->data + from, '\n', w->end - from) : NULL;
    if (last) return (size_t)(last - w->data) + 1;
    r->searched = w->end - w->begin;
    return w->at_end && w->begin < w->end ? w->end : 0;
}

static enum piece next_piece(struct json_reader *r)
{
    struct wr_window *w = &r->window;
    for (;;) {
        if (r->discarding) {
            const char *newline = memchr(w->data + w->begin, '\n', w->end - w->begin);
            w->begin = newline ? (size_t)(newline - w->data) + 1 : w->end;
            r->discarding = !newline;
            r->line += newline != NULL;
            r->searched = 0;
        }
        if (!r->started && (w->end - w->begin >= 3 || w->at_end)) {
            r->started = true;
            if (w->end - w->begin >= 3 && memcmp(w->data + w->begin, "\xef\xbb\xbf", 3) == 0) w->begin += 3;
        }
        size_t end = r->started ? whole_lines(r) : 0;
        if (end) {
            r->searched = 0;
            r->piece_end = end;
            return index_piece(r);
        }
        if (w->at_end) return PIECE_END;
        if (w->end - w->begin >= WR_RECORD_BYTES_MAX) give_up_line(r);
        if (!wr_window_fill(w)) return PIECE_INTERRUPTED;
    }
}

/* ---- Lines ----------------------------------------------------------------------------------- */

static bool is_blank(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\r' || *p == '\n')) p++;
    return p == end;
}

/* The line by itself; sets the tokens. */
static enum piece index_line(struct json_reader *r, const char *p, const char *end, bool *usable)
{
    size_t count = 0;
    enum wr_simdjson_status status = wr_simdjson_index(r->parser, p, (size_t)(end - p), &r->token, &count);
    if (status == WR_SIMDJSON_NO_MEMORY) return PIECE_NO_MEMORY;
    r->record.base = p;
    r->record.end = r->token + count;
    *usable = status == WR_SIMDJSON_OK;
    if (!*usable)
        report(r, status == WR_SIMDJSON_BAD_UTF8 ? WR_DECODE_UTF8 : WR_DECODE_MALFORMED, WR_NONE,
               wr_slice_of(p, (size_t)(end - p)));
    return PIECE_READY;
}

/* What came of the line p to end, whose first token was `first`; true: it is row `row` of the batch. */
static bool judge_line(struct json_reader *r, enum wr_decode d, const uint32_t *first, const char *p,
                       const char *end, uint32_t row)
{
    uint32_t limit = (uint32_t)(end - r->record.base), column = r->record.column;
    bool past = r->token > first && r->token[-1] >= limit; /* it took the next line's, and speaks of no record */
    bool more = r->token < r->record.end && *r->token < limit;
    if (d == WR_DECODE_OK && !past && !more) return true;
    if (past || d == WR_DECODE_OK) {
        d = WR_DECODE_MALFORMED;
        column = WR_NONE;
    }
    report(r, d, column, wr_slice_of(p, (size_t)(end - p)));
    wr_decode_columns_undo(&r->columns, row);
    r->token = first;
    while (r->token < r->record.end && *r->token < limit) r->token++;
    return false;
}

/* Decodes the line at *p, moves *p behind it. */
static enum piece decode_line(struct json_reader *r, const char **p, const char *piece_end, uint32_t *rows)
{
    const char *start = *p, *end = NULL;
    enum wr_decode d = WR_DECODE_OK;
    bool known = false, usable = !r->by_line; /* known: the walk was done, its outcome is d */
    const uint32_t *first = r->token;
    r->record.offset = r->records;
    if (usable && first < r->record.end && *first == (uint32_t)(start - r->record.base)) {
        d = wr_json_walk_record(r->walk, &r->token, *rows, &r->record);
        const char *last = r->record.base + (r->token > first ? r->token[-1] : *first);
        known = true;
        if (WR_LIKELY(d == WR_DECODE_OK && r->record.one_line && last[1] == '\n' && last + 1 < piece_end)) {
            *p = last + 2;
            r->offset[(*rows)++] = r->records++;
            r->line++;
            return PIECE_READY;
        }
    }
    end = memchr(start, '\n', (size_t)(piece_end - start));
    *p = end ? end + 1 : piece_end;
    end = end ? end : piece_end;
    if (r->by_line && !is_blank(start, end)) {
        if (index_line(r, start, end, &usable) != PIECE_READY) return PIECE_NO_MEMORY;
        first = r->token;
    }
    if (usable && first < r->record.end && *first < (uint32_t)(end - r->record.base)) {
        if (!known) d = wr_json_walk_record(r->walk, &r->token, *rows, &r->record);
        if (judge_line(r, d, first, start, end, *rows)) r->offset[(*rows)++] = r->records++;
    }
    r->line++;
    return PIECE_READY;
}

static enum piece decode_lines(struct json_reader *r, uint32_t *rows)
{
    const char *p = r->window.data + r->window.begin, *piece_end = r->window.data + r->piece_end;
    enum piece got = PIECE_READY;
    while (p < piece_end && *rows < r->spec.batch_rows && got == PIECE_READY)
        got = decode_line(r, &p, piece_end, rows);
    r->window.begin = (size_t)(p - r->window.data);
    return got;
}

static enum wr_status json_read(struct wr_reader *reader, struct wr_batch *batch, struct wr_error *error)
{
    struct json_reader *r = (struct json_reader *)reader;
    uint32_t rows = 0;
    enum piece got = PIECE_READY;
    wr_decode_columns_clear(&r->columns);
    /* A piece that has given rows is not left: their strings lie in it. */
    while (rows == 0 && got == PIECE_READY) {
        if (r->window.begin >= r->piece_end) {
            got = next_piece(r);
            if (got != PIECE_READY) break;
        }
        got = decode_lines(r, &rows);
        if (r->window.begin >= r->piece_end) r->piece_end = 0;
    }
    r->batch.rows = rows;
    *batch = r->batch;
    if (got == PIECE_NO_MEMORY) return wr_error_set(error, WR_ERR_MEMORY, "no memory for a line of the input");
    if (got != PIECE_END) return WR_OK;
    if (r->window.failed.status == WR_OK) return WR_END;
    *error = r->window.failed;
    return error->status;
}

/* The highest bit of .line: inside a line that is too long. */
static const uint64_t DISCARDING = (uint64_t)1 << 63;

static void json_position(struct wr_reader *reader, struct wr_read_position *position)
{
    const struct json_reader *r = (const struct json_reader *)reader;
    *position = (struct wr_read_position){.offset = r->records, .line = r->line | (r->discarding ? DISCARDING : 0)};
    wr_window_position(&r->window, position);
}

static enum wr_status json_seek(struct wr_reader *reader, const struct wr_read_position *position, struct wr_error *error)
{
    struct json_reader *r = (struct json_reader *)reader;
    WR_ASSERT(r->records == 0 && r->line == 1 && !r->piece_end);
    enum wr_status status = wr_window_seek(&r->window, position, error);
    r->records = position->offset;
    r->line = position->line & ~DISCARDING;
    r->discarding = (position->line & DISCARDING) != 0;
    r->started = position->byte != 0;
    r->searched = 0;
    return status;
}

static void json_progress(const struct wr_reader *reader, uint64_t *done, uint64_t *total)
{
    wr_byte_source_progress(((const struct json_reader *)reader)->window.source, done, total);
}

static void json_close(struct wr_reader *reader)
{
    struct json_reader *r = (struct json_reader *)reader;
    wr_simdjson_free(r->parser);
    wr_json_walk_free(r->walk);
    wr_decode_columns_release(&r->columns);
    wr_window_release(&r->window);
    wr_free(r->offset);
    wr_free(r);
}

struct wr_reader *wr_json_reader_new(const struct wr_read_spec *spec, struct wr_byte_source *source,
                                     struct wr_error *error)
{
    static const struct wr_reader_class file = {
        .name = "json", .read = json_read, .progress = json_progress, .position = json_position, .seek = json_seek,
        .close = json_close};
    static const struct wr_reader_class fed = {.name = "json", .read = json_read, .progress = json_progress, .close = json_close};
    struct json_reader *r = wr_alloc_zero(sizeof *r);
    r->reader.cls = wr_byte_source_is_feed(source) ? &fed : &file;
    r->spec = *spec;
    if (!r->spec.batch_rows) r->spec.batch_rows = WR_BATCH_ROWS_DEFAULT;
    WR_ASSERT(r->spec.batch_rows <= WR_BATCH_ROWS);
    r->line = 1;
    wr_window_init(&r->window, source);
    wr_decode_columns_init(&r->columns, spec);
    r->offset = wr_alloc(sizeof *r->offset * WR_BATCH_ROWS);
    r->walk = wr_json_walk_new(spec, &r->columns, error);
    r->parser = wr_simdjson_new();
    if (!r->parser && r->walk) wr_error_set(error, WR_ERR_MEMORY, "no memory for the JSON parser");
    if (!r->parser || !r->walk) {
        json_close(&r->reader);
        return NULL;
    }
    r->batch = (struct wr_batch){.columns = spec->field_count, .column = r->columns.vector, .offset = r->offset};
    return &r->reader;
}
