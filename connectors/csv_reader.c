/* CSV and TSV. The scan is our own: Debian's libcsv calls back for each field and each record and takes a byte at a
 * time, fccp wants the columns when it is compiled, and neither leaves a field where it lies. A record that is none is
 * given up to the end of its first line, so that one stray quote costs a line and not the rest of the file. */
#include "base/text.h"
#include "connectors/csv_scan.h"
#include "connectors/internal.h"
#include "connectors/number.h"
#include "connectors/simdjson_shim.h"

#include <strings.h>

struct csv_reader {
    struct wr_reader reader;
    struct wr_read_spec spec;
    struct wr_window window;
    struct wr_decode_columns columns;
    struct wr_csv_scan scan;
    struct wr_batch batch;
    uint64_t *offset;
    uint64_t records, line;
    bool started;          /* a byte order mark can no longer come */
    bool discarding;       /* inside a line that is too long */
    enum wr_decode broken; /* why the record at hand is none; its line's end is yet to come */
    size_t searched;       /* bytes of it that hold no line end */
    bool header;           /* the first record names the columns, and has not come yet */
    bool named;            /* it has come */
    uint32_t expected;     /* fields of a record; 0: as many as the first one has */
    uint32_t place_count;
    uint32_t *at_place;    /* by place: the first column that it gives, or WR_NONE */
    uint32_t *same;        /* by column: the next one of the same place */
    uint32_t elsewhere_count;
    uint32_t *elsewhere;   /* columns that no field gives */
};

static void report(struct csv_reader *r, enum wr_decode d, uint32_t column, struct wr_slice bytes)
{
    while (bytes.size && (bytes.data[bytes.size - 1] == '\r' || bytes.data[bytes.size - 1] == '\n')) bytes.size--;
    struct wr_bad_record bad = {.offset = r->records, .line = r->line, .code = wr_decode_code(d),
                                .reason = wr_decode_reason(d), .bytes = bytes};
    if (column != WR_NONE) bad.column = r->spec.field[column].name;
    if (r->spec.on_bad) r->spec.on_bad(r->spec.context, &bad);
    r->records++;
}

/* ---- Which column is where ------------------------------------------------------------------- */

static void place_column(struct csv_reader *r, uint32_t column, uint32_t place)
{
    if (place == WR_NONE || place >= r->place_count) {
        r->elsewhere[r->elsewhere_count++] = column;
        return;
    }
    r->same[column] = r->at_place[place];
    r->at_place[place] = column;
}

static void places_init(struct csv_reader *r, uint32_t count)
{
    r->place_count = r->expected = count;
    r->at_place = wr_alloc(sizeof *r->at_place * count);
    for (uint32_t i = 0; i < count; i++) r->at_place[i] = WR_NONE;
    for (uint32_t i = 0; i < r->spec.field_count; i++) r->same[i] = WR_NONE;
}

/* What the header calls a column; one without a name has its number, as column_3. */
static struct wr_slice header_name(struct csv_reader *r, const char *start, size_t i)
{
    struct wr_slice text = wr_csv_text(&r->columns.strings, start, &r->scan.cell.at[i]);
    return text.size ? text : wr_arena_printf(&r->columns.strings, "column_%zu", i + 1);
}

/* The place of a name in the header: written the same, else the first that is the same but for case. A name that is
 * there twice in this way could mean either: WR_ERR_INPUT. */
static enum wr_status place_named(struct csv_reader *r, const char *start, struct wr_slice name, uint32_t *place,
                                  struct wr_error *error)
{
    *place = WR_NONE;
    bool exact = false;
    for (size_t i = 0; i < r->scan.cell.count; i++) {
        struct wr_slice cell = header_name(r, start, i);
        bool same = wr_slice_equal(cell, name);
        if (same && exact) {
            wr_error_set(error, WR_ERR_INPUT, "%s: columns %u and %zu of the header are both called %.*s; "
                         "rename one of them", wr_byte_source_name(r->window.source), *place + 1, i + 1,
                         WR_SLICE_ARG(name));
            return WR_ERR_INPUT;
        }
        if (same || (*place == WR_NONE && wr_slice_equal_nocase(cell, name))) *place = (uint32_t)i;
        exact |= same;
    }
    return WR_OK;
}

static enum wr_status missing(struct csv_reader *r, const char *start, const struct wr_field *field,
                              struct wr_slice name, struct wr_error *error)
{
    struct wr_buf has = {0};
    struct wr_suggestion near;
    wr_suggestion_init(&near, name);
    for (size_t i = 0; i < r->scan.cell.count; i++) {
        struct wr_slice cell = header_name(r, start, i);
        wr_suggestion_offer(&near, cell);
        wr_buf_printf(&has, "%s%.*s", i ? ", " : "", WR_SLICE_ARG(cell));
    }
    struct wr_slice best = wr_suggestion_best(&near);
    wr_error_set(error, WR_ERR_INPUT, "%s: the header has no column %.*s, and %s is NOT NULL%s%.*s%s (it has: %.*s)",
                 wr_byte_source_name(r->window.source), WR_SLICE_ARG(name), field->name,
                 best.size ? "; did you mean " : "", WR_SLICE_ARG(best), best.size ? "?" : "",
                 WR_SLICE_ARG(wr_buf_slice(&has)));
    wr_buf_release(&has);
    return WR_ERR_INPUT;
}

/* A header of one field that holds what commonly stands between fields, and gives no column: it was cut at another sign
 * than it is written with. */
static enum wr_status uncut(struct csv_reader *r, const char *start, struct wr_error *error)
{
    struct wr_slice text = header_name(r, start, 0);
    size_t at = 0;
    while (at < text.size && (text.data[at] == r->scan.delimiter || !strchr(",;\t|", text.data[at]))) at++;
    if (r->scan.cell.count != 1 || r->scan.cell.at[0].quoted || at == text.size || r->at_place[0] != WR_NONE)
        return WR_OK;
    char sign[3] = {text.data[at], 0, 0};
    if (sign[0] == '\t') memcpy(sign, "\\t", 2);
    const char *stream = r->spec.stream ? r->spec.stream->name : "the stream";
    return wr_error_set(error, WR_ERR_INPUT, "%s:1: the header is one column, '%.*s'; where '%s' stands between the fields, "
                        "add delimiter = '%s' to WITH (…) of %s", wr_byte_source_name(r->window.source),
                        WR_SLICE_ARG(text), sign, sign, stream);
}

static enum wr_status take_header(struct csv_reader *r, const char *start, struct wr_error *error)
{
    enum wr_status status = WR_OK;
    struct wr_buf name = {0};
    r->header = false;
    r->named = true;
    places_init(r, (uint32_t)r->scan.cell.count);
    for (uint32_t i = 0; i < r->spec.field_count && status == WR_OK; i++) {
        const struct wr_field *field = &r->spec.field[i];
        uint32_t place = WR_NONE;
        if (field->from == WR_FIELD_PATH) {
            wr_buf_clear(&name);
            for (uint16_t k = 0; k < field->path_count; k++)
                wr_buf_printf(&name, "%s%s", k ? "." : "", field->path[k]);
            status = place_named(r, start, wr_buf_slice(&name), &place, error);
            if (status == WR_OK && place == WR_NONE && field->not_null && !r->columns.column[i].absent)
                status = missing(r, start, field, wr_buf_slice(&name), error);
        }
        place_column(r, i, place);
    }
    wr_buf_release(&name);
    if (status == WR_OK || status == WR_ERR_INPUT) {
        enum wr_status cut = uncut(r, start, error);
        if (cut != WR_OK) return cut;
    }
    return status;
}

/* Without a header the stream's declaration gives the order; without that, the first record gives the count. */
static void take_order(struct csv_reader *r)
{
    uint32_t declared = r->spec.stream ? r->spec.stream->record_columns : 0;
    places_init(r, declared ? declared : (uint32_t)r->scan.cell.count);
    for (uint32_t i = 0; i < r->spec.field_count; i++) {
        const struct wr_field *field = &r->spec.field[i];
        place_column(r, i, field->from == WR_FIELD_PATH ? field->ordinal : WR_NONE);
    }
}

/* ---- Records --------------------------------------------------------------------------------- */

static bool is_utf8(struct wr_slice text)
{
    uint64_t bits = 0;
    for (size_t i = 0; i < text.size; i += 8) bits |= wr_load8(text.data + i);
    return (bits & (WR_ONES * 0x80)) == 0 || wr_simdjson_utf8_valid(text.data, text.size);
}

static enum wr_decode decode_cell(struct csv_reader *r, const char *start, const struct wr_csv_cell *cell,
                                  uint32_t row, uint32_t column)
{
    if (cell->size == 0 && !cell->quoted) return wr_decode_null(&r->columns, column, row);
    struct wr_slice text = wr_csv_text(&r->columns.strings, start, cell);
    if (!is_utf8(text)) return WR_DECODE_UTF8;
    return wr_decode_text(&r->columns, column, row, text);
}

/* The scanned record into a row; on an error *column is the one concerned. */
static enum wr_decode decode_record(struct csv_reader *r, const char *start, uint32_t row, uint32_t *column)
{
    *column = WR_NONE;
    if (r->scan.cell.count != r->expected) return WR_DECODE_FIELD_COUNT;
    for (uint32_t place = 0; place < r->place_count; place++)
        for (uint32_t i = r->at_place[place]; i != WR_NONE; i = r->same[i]) {
            enum wr_decode d = decode_cell(r, start, &r->scan.cell.at[place], row, i);
            if (WR_LIKELY(d == WR_DECODE_OK)) continue;
            *column = i;
            return d;
        }
    for (uint32_t k = 0; k < r->elsewhere_count; k++) {
        uint32_t i = r->elsewhere[k];
        enum wr_decode d = r->spec.field[i].from == WR_FIELD_PATH
                               ? wr_decode_absent(&r->columns, i, row)
                               : wr_decode_meta(&r->columns, i, row, r->records);
        if (d == WR_DECODE_OK) continue;
        *column = i;
        return d;
    }
    return WR_DECODE_OK;
}

/* A line with nothing in it is no record, unless records have a single field, which may then be NULL. */
static bool is_blank(const struct csv_reader *r, const char *start)
{
    if (r->scan.cell.count != 1 || r->scan.cell.at[0].quoted) return false;
    if (r->expected == 1 && !r->header) return false;
    for (size_t i = 0; i < r->scan.cell.at[0].size; i++)
        if (start[i] != ' ' && start[i] != '\t') return false;
    return true;
}

static uint64_t line_ends(const char *p, const char *end)
{
    uint64_t n = 0;
    while (p < end && (p = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        n++;
        p++;
    }
    return n;
}

static enum wr_status take_record(struct csv_reader *r, const char *start, const char *next, uint32_t *rows,
                                  struct wr_error *error)
{
    uint64_t first_line = r->line;
    if (is_blank(r, start)) {
        r->line++;
        return WR_OK;
    }
    if (r->header) {
        r->line += line_ends(start, next);
        return take_header(r, start, error);
    }
    if (!r->at_place) take_order(r);
    uint32_t column;
    enum wr_decode d = decode_record(r, start, *rows, &column);
    if (WR_LIKELY(d == WR_DECODE_OK)) {
        r->offset[(*rows)++] = r->records++;
    } else {
        report(r, d, column, wr_slice_of(start, (size_t)(next - start)));
        wr_decode_columns_undo(&r->columns, *rows);
    }
    r->line = first_line + line_ends(start, next);
    return WR_OK;
}

/* ---- The window ------------------------------------------------------------------------------ */

enum look { LOOK_ON, LOOK_FILL, LOOK_END };

/* Gives up the record at the window's begin to the end of its first line; that line is the bad record. */
static enum look give_up_line(struct csv_reader *r, enum wr_decode why)
{
    struct wr_window *w = &r->window;
    const char *start = w->data + w->begin, *from = start + r->searched, *end = w->data + w->end;
    const char *newline = from < end ? memchr(from, '\n', (size_t)(end - from)) : NULL;
    size_t size = newline ? (size_t)(newline - start) + 1 : (size_t)(end - start);
    r->broken = why;
    r->searched = size;
    if (!newline && !w->at_end && size < WR_RECORD_BYTES_MAX) return LOOK_FILL;
    report(r, newline || w->at_end ? why : WR_DECODE_TOO_LONG, WR_NONE, wr_slice_of(start, size));
    r->broken = WR_DECODE_OK;
    r->searched = 0;
    r->discarding = !newline && !w->at_end;
    r->line += newline != NULL;
    w->begin += size;
    wr_csv_scan_restart(&r->scan);
    return LOOK_ON;
}

/* The rest of a line that is too long. */
static void discard(struct csv_reader *r)
{
    struct wr_window *w = &r->window;
    const char *newline = memchr(w->data + w->begin, '\n', w->end - w->begin);
    w->begin = newline ? (size_t)(newline - w->data) + 1 : w->end;
    r->discarding = !newline && !w->at_end;
    r->line += newline != NULL;
    wr_csv_scan_restart(&r->scan);
}

/* One record, or what stands in its place. */
static enum look look(struct csv_reader *r, uint32_t *rows, enum wr_status *status, struct wr_error *error)
{
    struct wr_window *w = &r->window;
    if (!r->started) {
        if (w->end - w->begin < 3 && !w->at_end) return LOOK_FILL;
        r->started = true;
        if (w->end - w->begin >= 3 && memcmp(w->data + w->begin, "\xef\xbb\xbf", 3) == 0) w->begin += 3;
    }
    if (r->discarding) discard(r);
    if (r->broken) return give_up_line(r, r->broken);
    if (w->begin == w->end) return w->at_end ? LOOK_END : LOOK_FILL;
    const char *start = w->data + w->begin, *next = NULL;
    enum wr_decode why;
    bool ends_well = w->at_end && w->failed.status == WR_OK; /* else the last field may be half of what it was */
    switch (wr_csv_scan_record(&r->scan, start, w->data + w->end, ends_well, &next, &why)) {
    case WR_CSV_RECORD:
        *status = take_record(r, start, next, rows, error);
        w->begin = (size_t)(next - w->data);
        wr_vec_clear(&r->scan.cell);
        r->scan.field = r->scan.search = 0;
        return LOOK_ON;
    case WR_CSV_BAD: return give_up_line(r, why);
    case WR_CSV_MORE: break;
    }
    if (!w->at_end && w->end - w->begin < WR_RECORD_BYTES_MAX) return LOOK_FILL;
    return give_up_line(r, w->at_end ? WR_DECODE_BREAKS_OFF : WR_DECODE_QUOTE_OPEN);
}

static enum wr_status csv_read(struct wr_reader *reader, struct wr_batch *batch, struct wr_error *error)
{
    struct csv_reader *r = (struct csv_reader *)reader;
    enum wr_status status = WR_OK;
    enum look got = LOOK_ON;
    uint32_t rows = 0;
    wr_decode_columns_clear(&r->columns);
    while (rows < r->spec.batch_rows && status == WR_OK && got != LOOK_END) {
        got = look(r, &rows, &status, error);
        if (got != LOOK_FILL) continue;
        if (rows) break; /* their texts lie in the window */
        if (!wr_window_fill(&r->window)) break;
        wr_csv_scan_moved(&r->scan);
    }
    r->batch.rows = rows;
    *batch = r->batch;
    if (status != WR_OK || rows || got != LOOK_END) return status;
    if (r->window.failed.status == WR_OK) return WR_END;
    *error = r->window.failed;
    return error->status;
}

/* The highest bit of .line: inside a line that is too long. */
static const uint64_t DISCARDING = (uint64_t)1 << 63;

static void csv_position(struct wr_reader *reader, struct wr_read_position *position)
{
    const struct csv_reader *r = (const struct csv_reader *)reader;
    *position = (struct wr_read_position){.offset = r->records, .line = r->line | (r->discarding ? DISCARDING : 0)};
    wr_window_position(&r->window, position);
}

/* Reads the beginning again, up to `byte` at most, for what it says of the columns: the header, or how many fields the
 * first record has. */
static enum wr_status learn_columns(struct csv_reader *r, uint64_t byte, struct wr_error *error)
{
    void (*on_bad)(void *, const struct wr_bad_record *) = r->spec.on_bad;
    enum wr_status status = WR_OK;
    enum look got = LOOK_ON;
    uint32_t rows = 0;
    r->spec.on_bad = NULL; /* they were told before */
    while (!r->at_place && wr_window_byte(&r->window) < byte && status == WR_OK && got != LOOK_END) {
        got = look(r, &rows, &status, error);
        if (got != LOOK_FILL) continue;
        if (!wr_window_fill(&r->window)) status = wr_error_set(error, WR_ERR_STOPPED, "interrupted");
        wr_csv_scan_moved(&r->scan);
    }
    r->spec.on_bad = on_bad;
    wr_decode_columns_clear(&r->columns);
    return status;
}

static enum wr_status csv_seek(struct wr_reader *reader, const struct wr_read_position *position, struct wr_error *error)
{
    struct csv_reader *r = (struct csv_reader *)reader;
    WR_ASSERT(r->records == 0 && r->line == 1 && !r->started);
    if (position->byte == 0) return WR_OK;
    enum wr_status status = learn_columns(r, position->byte, error);
    if (status == WR_OK) status = wr_window_seek(&r->window, position, error);
    wr_csv_scan_restart(&r->scan);
    r->records = position->offset;
    r->line = position->line & ~DISCARDING;
    r->discarding = (position->line & DISCARDING) != 0;
    r->broken = WR_DECODE_OK;
    r->searched = 0;
    r->started = true;
    return status;
}

static void csv_progress(const struct wr_reader *reader, uint64_t *done, uint64_t *total)
{
    wr_byte_source_progress(((const struct csv_reader *)reader)->window.source, done, total);
}

static bool csv_lacks(const struct wr_reader *reader, uint32_t field)
{
    const struct csv_reader *r = (const struct csv_reader *)reader;
    WR_ASSERT(field < r->spec.field_count);
    for (uint32_t i = 0; i < r->elsewhere_count; i++)
        if (r->elsewhere[i] == field) return r->named;
    return false;
}

static void csv_close(struct wr_reader *reader)
{
    struct csv_reader *r = (struct csv_reader *)reader;
    wr_csv_scan_release(&r->scan);
    wr_decode_columns_release(&r->columns);
    wr_window_release(&r->window);
    wr_free(r->at_place);
    wr_free(r->same);
    wr_free(r->elsewhere);
    wr_free(r->offset);
    wr_free(r);
}

struct wr_reader *wr_csv_reader_new(const struct wr_read_spec *spec, struct wr_byte_source *source, char delimiter,
                                    struct wr_error *error)
{
    static const struct wr_reader_class cls = {
        .name = "csv", .read = csv_read, .progress = csv_progress, .position = csv_position, .seek = csv_seek,
        .close = csv_close, .lacks = csv_lacks};
    const char *header = wr_option(spec->stream, "header");
    struct csv_reader *r = wr_alloc_zero(sizeof *r);
    WR_UNUSED(error);
    r->reader.cls = &cls;
    r->spec = *spec;
    if (!r->spec.batch_rows) r->spec.batch_rows = WR_BATCH_ROWS_DEFAULT;
    WR_ASSERT(r->spec.batch_rows <= WR_BATCH_ROWS);
    r->line = 1;
    r->header = !header || strcasecmp(header, "false") != 0;
    wr_window_init(&r->window, source);
    wr_decode_columns_init(&r->columns, spec);
    wr_csv_scan_init(&r->scan, wr_option_delimiter(spec->stream, delimiter));
    r->offset = wr_alloc(sizeof *r->offset * WR_BATCH_ROWS);
    r->same = wr_alloc(sizeof *r->same * spec->field_count);
    r->elsewhere = wr_alloc(sizeof *r->elsewhere * spec->field_count);
    r->batch = (struct wr_batch){.columns = spec->field_count, .column = r->columns.vector, .offset = r->offset};
    return &r->reader;
}
