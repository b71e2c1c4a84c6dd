/* How diagnostics look: as text for people, and as JSON for editors.
 *
 * A block is the place, the source line and a line of carets under the span, with the label (or the
 * help, when there is no label) behind them. Tabs of the source are copied to the caret line, so that
 * the two agree whatever a tab is worth; columns count code points; a line of more than 100 of them
 * is shown through a window around the span. A span over several lines shows its first line up to
 * the end and says where it ends. */
#include "base/text.h"
#include "dsl/diag.h"
#include <stdio.h>
#include <stdlib.h>

enum { LINE_MAX_COLUMNS = 100, WINDOW_BEFORE = 40 };

struct paint {
    const char *error, *warning, *place, *bold, *help, *off;
};
static const struct paint plain = {"", "", "", "", "", ""};
static const struct paint colored = {"\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m", "\x1b[1m", "\x1b[1;32m", "\x1b[0m"};

static size_t next_point(struct wr_slice text, size_t at)
{
    at++;
    while (at < text.size && ((unsigned char)text.data[at] & 0xc0) == 0x80) at++;
    return at;
}

static size_t points(struct wr_slice text)
{
    size_t n = 0;
    for (size_t i = 0; i < text.size; i++) n += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return n;
}

/* The byte at which code point `n` begins, or the end. */
static size_t point_offset(struct wr_slice text, size_t n)
{
    size_t at = 0;
    while (n > 0 && at < text.size) {
        at = next_point(text, at);
        n--;
    }
    return at;
}

static unsigned digits(uint32_t n)
{
    unsigned count = 1;
    while (n >= 10) {
        n /= 10;
        count++;
    }
    return count;
}

/* Adds source text; what is no text for a terminal (control characters, invalid UTF-8) becomes a
 * question mark. */
static void add_text(struct wr_buf *out, struct wr_slice text)
{
    size_t valid = wr_utf8_check(text);
    for (size_t i = 0; i < text.size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        if (i == valid) {
            wr_buf_add_char(out, '?');
            valid = i + 1 + wr_utf8_check(wr_slice_of(text.data + i + 1, text.size - i - 1));
        } else {
            wr_buf_add_char(out, (c < 0x20 && c != '\t') || c == 0x7f ? '?' : (char)c);
        }
    }
}

/* What of a line is shown: bytes [from, to), and whether something was left out. */
struct window {
    size_t from, to;
};

static struct window window_of(struct wr_slice line, size_t column, size_t width)
{
    size_t total = points(line);
    if (total <= LINE_MAX_COLUMNS) return (struct window){0, line.size};
    size_t first = column > WINDOW_BEFORE ? column - WINDOW_BEFORE : 0;
    if (width < WINDOW_BEFORE && first + LINE_MAX_COLUMNS > total) first = total - LINE_MAX_COLUMNS;
    return (struct window){point_offset(line, first), point_offset(line, first + LINE_MAX_COLUMNS)};
}

static void margin(struct wr_buf *out, const struct paint *paint, unsigned width, const char *number)
{
    wr_buf_printf(out, "%s%*s |%s", paint->place, (int)width, number, paint->off);
}

/* One place: "--> file:line:column" and the line with its carets. */
static void render_block(const struct wr_diags *diags, const struct paint *paint, const char *mark_color,
                         struct wr_span span, bool second, struct wr_slice label, bool label_is_help,
                         unsigned width, struct wr_buf *out)
{
    const struct wr_source *source = &diags->sources->at[span.file];
    struct wr_position start = wr_source_position(source, span.start);
    struct wr_position end = wr_source_position(source, span.end);
    struct wr_slice line = wr_source_line(source, start.line);
    uint32_t line_offset = (uint32_t)(line.data ? line.data - source->text.data : 0);
    size_t from = span.start > line_offset ? span.start - line_offset : 0;
    if (from > line.size) from = line.size;
    bool several = end.line > start.line && !(end.line == start.line + 1 && end.column == 1);
    size_t to = end.line > start.line ? line.size : span.end - line_offset;
    if (to > line.size) to = line.size;
    size_t marked = to > from ? points(wr_slice_of(line.data + from, to - from)) : 0;
    struct window shown = window_of(line, start.column - 1, marked);
    if (to > shown.to) to = shown.to;

    wr_buf_printf(out, "%s%*s%s%s %.*s:%u:%u\n", paint->place, (int)width, "", second ? ":::" : "-->",
                  paint->off, WR_SLICE_ARG(source->name), start.line, start.column);
    if (!second) {
        margin(out, paint, width, "");
        wr_buf_add_char(out, '\n');
    }
    char number[16];
    snprintf(number, sizeof number, "%u", start.line);
    margin(out, paint, width, number);
    wr_buf_add_char(out, ' ');
    if (shown.from > 0) wr_buf_add_cstr(out, "…");
    add_text(out, wr_slice_of(line.data + shown.from, shown.to - shown.from));
    if (shown.to < line.size) wr_buf_add_cstr(out, "…");
    wr_buf_add_char(out, '\n');

    margin(out, paint, width, "");
    wr_buf_add_char(out, ' ');
    if (shown.from > 0) wr_buf_add_char(out, ' ');
    for (size_t i = shown.from; i < from; i = next_point(line, i))
        wr_buf_add_char(out, line.data[i] == '\t' ? '\t' : ' ');
    wr_buf_add_cstr(out, mark_color);
    if (to <= from) {
        wr_buf_add_char(out, '^');
    } else {
        for (size_t i = from; i < to; i = next_point(line, i))
            wr_buf_add_char(out, second ? '-' : '^');
    }
    wr_buf_add_cstr(out, paint->off);
    if (several) wr_buf_printf(out, "… to line %u", end.line);
    if (label.size) {
        wr_buf_add_char(out, ' ');
        if (label_is_help) wr_buf_printf(out, "%shelp:%s ", paint->help, paint->off);
        wr_buf_add_slice(out, label);
    }
    wr_buf_add_char(out, '\n');
}

static void render_one(const struct wr_diags *diags, const struct wr_diag *d, const struct paint *paint,
                       struct wr_buf *out)
{
    bool error = wr_diag_severity(d->code) == WR_SEVERITY_ERROR;
    const char *color = error ? paint->error : paint->warning;
    wr_buf_printf(out, "%s%s[%s]%s%s: %.*s%s\n", color, error ? "error" : "warning", wr_diag_name(d->code),
                  paint->off, paint->bold, WR_SLICE_ARG(d->message), paint->off);
    uint32_t line = wr_source_position(&diags->sources->at[d->span.file], d->span.start).line;
    unsigned width = digits(line);
    if (d->has_second) {
        uint32_t other = wr_source_position(&diags->sources->at[d->second.file], d->second.start).line;
        width = WR_MAX(width, digits(other));
    }
    bool help_inline = d->label.size == 0 && d->help.size != 0;
    render_block(diags, paint, color, d->span, false, help_inline ? d->help : d->label, help_inline, width, out);
    if (d->has_second)
        render_block(diags, paint, paint->place, d->second, true, d->second_label, false, width, out);
    if (d->help.size && !help_inline)
        wr_buf_printf(out, "%s%*s =%s %shelp:%s %.*s\n", paint->place, (int)width, "", paint->off, paint->help,
                      paint->off, WR_SLICE_ARG(d->help));
}

static int by_place(const void *left, const void *right)
{
    const struct wr_diag *a = *(const struct wr_diag *const *)left, *b = *(const struct wr_diag *const *)right;
    if (a->span.file != b->span.file) return a->span.file < b->span.file ? -1 : 1;
    if (a->span.start != b->span.start) return a->span.start < b->span.start ? -1 : 1;
    if (a->span.end != b->span.end) return a->span.end < b->span.end ? -1 : 1;
    return (a > b) - (a < b); /* as they were added */
}

const struct wr_diag **wr_diags_by_place(const struct wr_diags *diags)
{
    const struct wr_diag **order = wr_arena_alloc(diags->arena, diags->count * sizeof *order);
    for (uint32_t i = 0; i < diags->count; i++) order[i] = &diags->at[i];
    if (diags->count) qsort(order, diags->count, sizeof *order, by_place);
    return order;
}

static void render_rest(uint32_t count, const char *what, struct wr_buf *out)
{
    if (count <= WR_DIAG_ERRORS_MAX) return;
    uint32_t more = count - WR_DIAG_ERRORS_MAX;
    wr_buf_printf(out, "\n… and %u more %s%s\n", more, what, more == 1 ? "" : "s");
}

void wr_diags_render(const struct wr_diags *diags, bool color, struct wr_buf *out)
{
    const struct wr_diag **order = wr_diags_by_place(diags);
    for (uint32_t i = 0; i < diags->count; i++) {
        if (i) wr_buf_add_char(out, '\n');
        render_one(diags, order[i], color ? &colored : &plain, out);
    }
    render_rest(diags->error_count, "error", out);
    render_rest(diags->warning_count, "warning", out);
}

static void json_span(const struct wr_diags *diags, struct wr_span span, struct wr_buf *out)
{
    const struct wr_source *source = &diags->sources->at[span.file];
    struct wr_position start = wr_source_position(source, span.start), end = wr_source_position(source, span.end);
    wr_buf_add_cstr(out, "{\"file\":");
    wr_buf_add_json(out, source->name);
    wr_buf_printf(out,
                  ",\"start\":{\"offset\":%u,\"line\":%u,\"column\":%u},\"end\":{\"offset\":%u,\"line\":%u,"
                  "\"column\":%u}}",
                  span.start, start.line, start.column, span.end, end.line, end.column);
}

void wr_diags_render_json(const struct wr_diags *diags, struct wr_buf *out)
{
    const struct wr_diag **order = wr_diags_by_place(diags);
    wr_buf_add_cstr(out, "{\"version\":1,\"diagnostics\":[");
    for (uint32_t i = 0; i < diags->count; i++) {
        const struct wr_diag *d = order[i];
        wr_buf_printf(out, "%s{\"code\":\"%s\",\"severity\":\"%s\",\"message\":", i ? "," : "", wr_diag_name(d->code),
                      wr_diag_severity(d->code) == WR_SEVERITY_ERROR ? "error" : "warning");
        wr_buf_add_json(out, d->message);
        wr_buf_add_cstr(out, ",\"span\":");
        json_span(diags, d->span, out);
        if (d->label.size) {
            wr_buf_add_cstr(out, ",\"label\":");
            wr_buf_add_json(out, d->label);
        }
        if (d->has_second) {
            wr_buf_add_cstr(out, ",\"second\":");
            json_span(diags, d->second, out);
            wr_buf_add_cstr(out, ",\"second_label\":");
            wr_buf_add_json(out, d->second_label);
        }
        if (d->help.size) {
            wr_buf_add_cstr(out, ",\"help\":");
            wr_buf_add_json(out, d->help);
        }
        wr_buf_add_char(out, '}');
    }
    wr_buf_printf(out, "],\"errors\":%u,\"warnings\":%u}\n", diags->error_count, diags->warning_count);
}
