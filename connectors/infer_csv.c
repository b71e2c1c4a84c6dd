/* The look at CSV and TSV with a header. */
#include "base/text.h"
#include "connectors/csv_scan.h"
#include "connectors/decode.h"
#include "connectors/decode_number.h"
#include "connectors/infer.h"

static void note_cell(struct wr_seen *seen, struct wr_slice text, bool quoted)
{
    struct wr_number n;
    double number = 0;
    int64_t instant = 0, whole;
    const char *end = text.data + text.size;
    enum wr_looks looks = WR_LOOKS_TEXT;
    if (text.size == 0) looks = quoted ? WR_LOOKS_TEXT : WR_LOOKS_NULL;
    else if (wr_number_scan(text.data, end, &n) && wr_number_to_f64(n, text.data, end, &number) == WR_DECODE_OK)
        looks = !memchr(text.data, '.', text.size) && wr_number_to_i64(n, 0, true, &whole) == WR_DECODE_OK
                    ? WR_LOOKS_INTEGER
                    : WR_LOOKS_REAL;
    else if (wr_slice_equal_nocase(text, WR_SLICE("true")) || wr_slice_equal_nocase(text, WR_SLICE("false")))
        looks = WR_LOOKS_BOOLEAN;
    else if (wr_parse_date(text, &instant)) looks = WR_LOOKS_DATE;
    else if (wr_parse_timestamp(text, &instant)) looks = WR_LOOKS_INSTANT;
    wr_infer_value(seen, text, looks, number, instant);
}

static void note_header(struct wr_infer_state *s, const struct wr_csv_scan *scan, const char *start)
{
    for (size_t i = 0; i < scan->cell.count && i < WR_INFER_COLUMNS_MAX; i++) {
        struct wr_slice name = wr_csv_text(s->arena, start, &scan->cell.at[i]);
        /* One without a name is called as the reader calls it. */
        name = name.size ? wr_arena_copy(s->arena, name) : wr_arena_printf(s->arena, "column_%zu", i + 1);
        for (size_t k = 0; k < i && !s->note; k++)
            if (wr_slice_equal(s->seen.at[k].name, name))
                s->note = wr_arena_cstr(s->arena, wr_arena_printf(s->arena, "columns %zu and %zu of the header are both "
                                                                  "called %.*s", k + 1, i + 1, WR_SLICE_ARG(name)));
        if (scan->cell.at[i].size == 0 && !s->note)
            s->note = wr_arena_cstr(s->arena, wr_arena_printf(s->arena, "column %zu has no name in the header and is "
                                                              "called column_%zu", i + 1, i + 1));
        wr_vec_push(&s->seen, (struct wr_seen){.name = name});
    }
}

static void note_record(struct wr_infer_state *s, const struct wr_csv_scan *scan, const char *start, size_t fields)
{
    if (scan->cell.count == 1 && scan->cell.at[0].size == 0 && fields > 1) return; /* blank */
    if (scan->cell.count != fields) {
        s->bad_rows++;
        return;
    }
    s->rows++;
    for (size_t i = 0; i < s->seen.count; i++) {
        const struct wr_csv_cell *cell = &scan->cell.at[i];
        note_cell(&s->seen.at[i], wr_slice_of(start + cell->start, cell->size), cell->quoted);
    }
}

enum wr_status wr_infer_csv(struct wr_infer_state *s, struct wr_byte_source *source, char delimiter, uint64_t rows,
                            struct wr_error *error)
{
    struct wr_window window;
    struct wr_csv_scan scan;
    size_t fields = 0;
    bool started = false;
    wr_window_init(&window, source);
    wr_csv_scan_init(&scan, delimiter);
    while (s->rows + s->bad_rows < rows) {
        if (!started && (window.end - window.begin >= 3 || window.at_end)) {
            started = true;
            if (window.end - window.begin >= 3 && memcmp(window.data, "\xef\xbb\xbf", 3) == 0) window.begin += 3;
        }
        const char *start = window.data + window.begin, *end = window.data + window.end, *next = end;
        if (start == end && window.at_end) break;
        enum wr_decode why;
        enum wr_csv_found found = started && start < end
                                      ? wr_csv_scan_record(&scan, start, end, window.at_end, &next, &why)
                                      : WR_CSV_MORE;
        if (found == WR_CSV_MORE && !window.at_end && window.end - window.begin < WR_RECORD_BYTES_MAX) {
            if (!wr_window_fill(&window)) break;
            wr_csv_scan_moved(&scan);
            continue;
        }
        if (found == WR_CSV_RECORD && fields == 0 && !(scan.cell.count == 1 && scan.cell.at[0].size == 0)) {
            fields = scan.cell.count;
            note_header(s, &scan, start);
        } else if (found == WR_CSV_RECORD && fields) {
            note_record(s, &scan, start, fields);
        } else if (found != WR_CSV_RECORD) {
            const char *newline = memchr(start, '\n', (size_t)(end - start));
            next = newline ? newline + 1 : end;
            s->bad_rows++;
        }
        window.begin = (size_t)(next - window.data);
        wr_csv_scan_restart(&scan);
    }
    enum wr_status status = s->rows || fields ? WR_OK : window.failed.status;
    if (status != WR_OK) *error = window.failed;
    wr_csv_scan_release(&scan);
    wr_window_release(&window);
    return status;
}
