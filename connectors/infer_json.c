/* The look at JSON lines: every scalar of every object, whatever its name, by the path to it. */
#include "connectors/decode.h"
#include "connectors/decode_number.h"
#include "connectors/infer.h"
#include "connectors/simdjson_shim.h"

enum { DEPTH_MAX = 64 };

struct walk {
    struct wr_infer_state *state;
    const char *base;
    const uint32_t *token, *end;
    struct wr_buf path;   /* of the object at hand */
    size_t guess;         /* columns come in the order of the record before */
    unsigned depth;
    bool record;          /* false: only look whether the record is one */
};

static struct wr_slice token_text(const struct walk *w)
{
    const char *p = w->base + w->token[0], *end = w->base + w->token[1];
    while (end > p && (end[-1] == ' ' || end[-1] == '\t' || end[-1] == '\r' || end[-1] == '\n')) end--;
    return wr_slice_of(p, (size_t)(end - p));
}

/* Appends a step to the path; false where no path can say it. */
static bool add_step(struct wr_buf *path, struct wr_slice name)
{
    bool plain = name.size > 0, apostrophe = false, quote = false;
    for (size_t i = 0; i < name.size; i++) {
        plain = plain && name.data[i] != '.' && name.data[i] != '[' && name.data[i] != '"' && name.data[i] != '\'';
        apostrophe = apostrophe || name.data[i] == '\'';
        quote = quote || name.data[i] == '"';
    }
    if (name.size == 0 || (apostrophe && quote) || (!plain && name.data[0] == '[')) return false;
    if (plain) wr_buf_printf(path, ".%.*s", WR_SLICE_ARG(name));
    else wr_buf_printf(path, quote ? "['%.*s']" : "[\"%.*s\"]", WR_SLICE_ARG(name));
    return true;
}

static struct wr_seen *column_of(struct walk *w, struct wr_slice name)
{
    struct wr_slice path = wr_buf_slice(&w->path);
    struct wr_infer_state *s = w->state;
    for (size_t i = 0; i < s->seen.count; i++) {
        size_t at = (w->guess + i) % s->seen.count;
        if (!wr_slice_equal(s->seen.at[at].path, path)) continue;
        w->guess = at + 1;
        return &s->seen.at[at];
    }
    if (s->seen.count == WR_INFER_COLUMNS_MAX) return NULL;
    wr_vec_push(&s->seen, (struct wr_seen){.name = wr_arena_copy(s->arena, name), .path = wr_arena_copy(s->arena, path),
                                           .nested = w->depth > 1});
    w->guess = s->seen.count;
    return &wr_vec_last(&s->seen);
}

static bool note_scalar(struct walk *w, struct wr_slice name, struct wr_slice text)
{
    struct wr_number n;
    double number = 0;
    int64_t instant = 0;
    enum wr_looks looks = WR_LOOKS_TEXT;
    if (text.data[0] == '"') {
        text = wr_slice_of(text.data + 1, text.size - 2);
        if (wr_parse_date(text, &instant)) looks = WR_LOOKS_DATE;
        else if (wr_parse_timestamp(text, &instant)) looks = WR_LOOKS_INSTANT;
    } else if (wr_slice_equal(text, WR_SLICE("null"))) {
        looks = WR_LOOKS_NULL;
    } else if (wr_slice_equal(text, WR_SLICE("true")) || wr_slice_equal(text, WR_SLICE("false"))) {
        looks = WR_LOOKS_BOOLEAN;
    } else if (wr_number_scan(text.data, text.data + text.size, &n)) {
        int64_t whole;
        bool point = memchr(text.data, '.', text.size) || memchr(text.data, 'e', text.size) ||
                     memchr(text.data, 'E', text.size);
        looks = !point && wr_number_to_i64(n, 0, true, &whole) == WR_DECODE_OK ? WR_LOOKS_INTEGER : WR_LOOKS_REAL;
        if (wr_number_to_f64(n, text.data, text.data + text.size, &number) != WR_DECODE_OK) return false;
    } else {
        return false;
    }
    struct wr_seen *seen = w->record ? column_of(w, name) : NULL;
    if (seen) wr_infer_value(seen, text, looks, number, instant);
    return true;
}

static bool skip_array(struct walk *w)
{
    unsigned depth = 0;
    do {
        if (w->token >= w->end) return false;
        char c = w->base[*w->token++];
        depth += c == '[' || c == '{';
        depth -= c == ']' || c == '}';
    } while (depth);
    return true;
}

static bool walk_object(struct walk *w);

static bool walk_member(struct walk *w)
{
    struct wr_slice key = token_text(w);
    if (w->end - w->token < 4 || key.data[0] != '"' || w->base[w->token[1]] != ':') return false;
    size_t path_size = w->path.size;
    struct wr_buf name = {0};
    char *to = wr_buf_reserve(&name, key.size);
    name.size = wr_json_unescape(key.data + 1, key.data + key.size - 1, to);
    bool ok = name.size != SIZE_MAX, said = ok && add_step(&w->path, wr_buf_slice(&name));
    w->token += 2;
    char c = w->base[*w->token];
    if (ok && (c == '{' || c == '[')) {
        /* Where other records have a scalar, it matters that this one has none. */
        for (size_t i = 0; said && w->record && i < w->state->seen.count; i++)
            if (wr_slice_equal(w->state->seen.at[i].path, wr_buf_slice(&w->path)))
                w->state->seen.at[i].looks[WR_LOOKS_CONTAINER]++;
        ok = c == '{' && said && w->depth < DEPTH_MAX ? walk_object(w) : skip_array(w);
    } else if (ok) {
        bool noted = w->record;
        w->record = noted && said;
        ok = note_scalar(w, wr_buf_slice(&name), token_text(w));
        w->record = noted;
        w->token++;
    }
    w->path.size = path_size;
    wr_buf_release(&name);
    return ok;
}

static bool walk_object(struct walk *w)
{
    w->depth++;
    w->token++;
    bool ok = true;
    if (w->token < w->end && w->base[*w->token] == '}') {
        w->token++;
    } else {
        char c = ',';
        while (ok && c == ',') {
            ok = walk_member(w) && w->token < w->end;
            if (ok) c = w->base[*w->token++];
        }
        ok = ok && c == '}';
    }
    w->depth--;
    return ok;
}

static void look_at_line(struct walk *w, struct wr_simdjson *parser, const char *line, size_t size)
{
    const uint32_t *index;
    size_t count;
    bool indexed = wr_simdjson_index(parser, line, size, &index, &count) == WR_SIMDJSON_OK;
    if (indexed && count == 0) return; /* blank */
    for (int pass = 0; pass < 2; pass++) {
        w->base = line;
        w->token = index;
        w->end = index + count;
        w->record = pass == 1;
        w->guess = 0;
        w->depth = 0;
        w->path.size = 0;
        wr_buf_add_char(&w->path, '$');
        if (indexed && line[*index] == '{' && walk_object(w) && w->token == w->end) continue;
        w->state->bad_rows++;
        w->state->is_array |= indexed && line[*index] == '[' && !w->state->rows;
        return;
    }
    w->state->rows++;
}

enum wr_status wr_infer_json(struct wr_infer_state *s, struct wr_byte_source *source, uint64_t rows,
                             struct wr_error *error)
{
    struct wr_window window;
    struct walk w = {.state = s};
    struct wr_simdjson *parser = wr_simdjson_new();
    if (!parser) {
        wr_byte_source_close(source);
        return wr_error_set(error, WR_ERR_MEMORY, "no memory for the JSON parser");
    }
    wr_window_init(&window, source);
    bool first = true;
    while (s->rows + s->bad_rows < rows) {
        const char *start = window.data + window.begin, *end = window.data + window.end;
        const char *newline = start < end ? memchr(start, '\n', (size_t)(end - start)) : NULL;
        if (!newline && !window.at_end && window.end - window.begin < WR_RECORD_BYTES_MAX) {
            if (!wr_window_fill(&window)) break;
            continue;
        }
        if (start == end) break;
        size_t size = (size_t)((newline ? newline : end) - start);
        size_t mark = first && size >= 3 && memcmp(start, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
        look_at_line(&w, parser, start + mark, size - mark);
        first = false;
        window.begin += size + (newline != NULL);
    }
    enum wr_status status = s->rows ? WR_OK : window.failed.status;
    if (status != WR_OK) *error = window.failed;
    wr_window_release(&window);
    wr_simdjson_free(parser);
    wr_buf_release(&w.path);
    return status;
}
