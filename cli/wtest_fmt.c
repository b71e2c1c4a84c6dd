/* The one layout of a test file: in each part of a case times and streams stand in columns, labels
 * and comments in one more; a blank line in front of each case; comments kept. */
#include "base/text.h"
#include "cli/wtest.h"

enum { BESIDE_MAX = 96 };

struct laid {
    struct wr_buf left; /* the line without label and comment */
    struct wr_slice label, comment;
    bool timed; /* begins with a time and a stream */
    struct wr_slice time, stream;
    size_t rest; /* word behind the stream */
    struct wr_test_line line;
};

struct layout {
    WR_VEC(struct laid *) part;
    struct wr_buf *out;
    bool below; /* a --- stands above */
    bool blank; /* a blank line is due */
    bool begun;
    bool divided; /* the line before is === or --- */
};

static bool is_word(const struct wr_test_line *line, const char *text)
{
    return line->count && wr_slice_equal(line->word[0], wr_slice_cstr(text));
}

static bool begins_with_time(const struct wr_test_line *line)
{
    char c = line->count >= 2 ? line->word[0].data[0] : 0;
    return c == '+' || c == '~' || c == '*' || (c >= '0' && c <= '9');
}

static void put_words(struct wr_buf *out, const struct laid *l, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        if (i > from) wr_buf_add_char(out, ' ');
        wr_buf_add_slice(out, l->line.word[i]);
    }
}

/* Blanks up to a column, counted in code points; one at least. */
static void pad(struct wr_buf *out, size_t from, size_t width)
{
    size_t length = wr_utf8_length(wr_slice_of(out->data + from, out->size - from));
    do wr_buf_add_char(out, ' ');
    while (++length < width);
}

/* A label at the end of an event stands in the column of labels; behind <- it is a word like
 * others. */
static void take_label(struct laid *l)
{
    size_t n = l->line.count;
    for (size_t i = 0; i < n; i++)
        if (wr_slice_equal(l->line.word[i], WR_SLICE("<-"))) return;
    if (!l->timed || n < 3 || l->line.word[n - 1].data[0] != '#') return;
    l->label = l->line.word[n - 1];
    l->line.count--;
}

static void flush(struct layout *layout)
{
    size_t time = 0, stream = 0, beside = 0;
    for (size_t i = 0; i < layout->part.count; i++) {
        struct laid *l = layout->part.at[i];
        if (l->timed) time = WR_MAX(time, wr_utf8_length(l->time));
        if (l->timed && l->line.count > 2) stream = WR_MAX(stream, wr_utf8_length(l->stream));
    }
    for (size_t i = 0; i < layout->part.count; i++) {
        struct laid *l = layout->part.at[i];
        if (l->timed) {
            wr_buf_add_slice(&l->left, l->time);
            pad(&l->left, 0, time + 2);
            size_t at = l->left.size;
            wr_buf_add_slice(&l->left, l->stream);
            if (l->line.count > 2) {
                pad(&l->left, at, stream + 1);
                put_words(&l->left, l, 2, l->line.count);
            }
        } else {
            put_words(&l->left, l, 0, l->line.count);
        }
        if ((l->label.size || l->comment.size) && l->line.count &&
            wr_utf8_length(wr_buf_slice(&l->left)) <= BESIDE_MAX)
            beside = WR_MAX(beside, wr_utf8_length(wr_buf_slice(&l->left)));
    }
    for (size_t i = 0; i < layout->part.count; i++) {
        struct laid *l = layout->part.at[i];
        size_t from = layout->out->size;
        wr_buf_add_slice(layout->out, wr_buf_slice(&l->left));
        if (l->left.size && (l->label.size || l->comment.size))
            pad(layout->out, from, WR_MAX(beside, wr_utf8_length(wr_buf_slice(&l->left))) + 2);
        wr_buf_add_slice(layout->out, l->label);
        if (l->label.size && l->comment.size) wr_buf_add_cstr(layout->out, "  ");
        wr_buf_add_slice(layout->out, l->comment);
        wr_buf_add_char(layout->out, '\n');
        wr_buf_release(&l->left);
        wr_free(l);
    }
    wr_vec_clear(&layout->part);
}

static bool is_comment(const struct laid *l)
{
    return !l->line.count && !l->label.size;
}

/* A blank line in front of a case, and of the comments right above it, which are its own. */
static void divide(struct layout *layout)
{
    size_t count = layout->part.count, own = count;
    while (!layout->blank && own && is_comment(layout->part.at[own - 1])) own--;
    struct laid **comment = wr_alloc((count - own + 1) * sizeof *comment);
    if (own < count) memcpy(comment, layout->part.at + own, (count - own) * sizeof *comment);
    layout->part.count = own;
    flush(layout);
    struct wr_buf *out = layout->out;
    bool is_clear = out->size < 2 || (out->data[out->size - 1] == '\n' && out->data[out->size - 2] == '\n');
    if (!is_clear) wr_buf_add_char(out, '\n');
    for (size_t i = own; i < count; i++) wr_vec_push(&layout->part, comment[i - own]);
    flush(layout);
    wr_free(comment);
}

static void take(struct layout *layout, const struct wr_test_line *line)
{
    if (!line->count && !line->comment.size) {
        layout->blank = layout->begun && !layout->divided;
        return;
    }
    bool divides = is_word(line, "===") || is_word(line, "---");
    layout->divided = divides;
    if (divides) layout->below = is_word(line, "---");
    if (is_word(line, "===")) divide(layout);
    else if (divides || layout->blank) flush(layout);
    if (layout->blank && !divides) wr_buf_add_char(layout->out, '\n');
    layout->blank = false;
    layout->begun = true;
    struct laid *l = wr_alloc_zero(sizeof *l);
    l->line = *line;
    l->comment = line->comment;
    l->timed = begins_with_time(line);
    if (l->timed) {
        l->time = line->word[0];
        l->stream = line->word[1];
    }
    take_label(l);
    wr_vec_push(&layout->part, l);
    if (divides) flush(layout);
}

bool wr_test_format(struct wr_slice text, struct wr_buf *out, const char **why,
                    uint32_t *line_number)
{
    struct layout layout = {.out = out};
    struct wr_test_line line = {0};
    struct wr_slice rest = wr_test_behind_mark(text), one;
    *why = wr_test_text_error(text);
    bool ok = !*why;
    for (*line_number = 1; ok && wr_test_next_line(&rest, &one); ++*line_number) {
        ok = wr_test_line_split(&line, one, layout.below, why);
        if (!ok) break;
        take(&layout, &line);
    }
    flush(&layout);
    wr_vec_release(&layout.part);
    return ok;
}
