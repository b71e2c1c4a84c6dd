/* A line of a test as words: bare words, name=value with texts in quotes, JSON objects,
 * /expressions/, labels. */
#include "cli/wtest.h"

bool wr_test_next_line(struct wr_slice *rest, struct wr_slice *line)
{
    if (!rest->size) return false;
    const char *end = memchr(rest->data, '\n', rest->size);
    size_t size = end ? (size_t)(end - rest->data) : rest->size;
    *line = wr_slice_of(rest->data, size);
    if (line->size && line->data[line->size - 1] == '\r') line->size--;
    size_t taken = size + (end != NULL);
    *rest = wr_slice_of(rest->data + taken, rest->size - taken);
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Behind the text in quotes that begins at p; NULL: it is not closed. */
static const char *behind_quotes(const char *p, const char *end)
{
    for (p++; p < end; p++) {
        if (*p == '\\' && p + 1 < end) p++;
        else if (*p == '"') return p + 1;
    }
    return NULL;
}

static const char *behind_json(const char *p, const char *end)
{
    int depth = 0;
    while (p < end) {
        if (*p == '"') {
            p = behind_quotes(p, end);
            if (!p) return NULL;
            continue;
        }
        if (*p == '{' || *p == '[') depth++;
        if ((*p == '}' || *p == ']') && --depth == 0) return p + 1;
        p++;
    }
    return NULL;
}

static const char *behind_expression(const char *p, const char *end)
{
    for (p++; p < end; p++) {
        if (*p == '\\' && p + 1 < end) p++;
        else if (*p == '/') return p + 1;
    }
    return NULL;
}

/* Behind a value that begins with / below the line: an expression and nothing else, so that a path is never taken for one
 * by halves. */
static const char *behind_slash(const char *p, const char *end, const char **why)
{
    const char *next = behind_expression(p, end);
    if (next && (next == end || is_blank(*next))) return next;
    *why = next ? "a regular expression ends with its second /: write \\/ for a slash inside it, and a text that begins "
                  "with / in double quotes"
                : "a regular expression is not closed: /…/; a text that begins with / stands in double quotes";
    return NULL;
}

/* What looks like a blank and is none: the word would hold it, unseen. */
static bool is_odd_blank(const char *p, const char *end, const char **why)
{
    if (*p == '\r') {
        *why = "a carriage return stands inside this line: lines end with LF, or CR LF";
        return true;
    }
    bool odd = (end - p >= 2 && memcmp(p, "\xc2\xa0", 2) == 0) || (end - p >= 3 && memcmp(p, "\xe3\x80\x80", 3) == 0);
    if (odd) *why = "a blank that does not break, or a wide one, stands in this line: write a plain blank, or the text in quotes";
    return odd;
}

static const char *behind_word(const char *p, const char *end, bool below, const char **why)
{
    const char *start = p;
    while (p < end && !is_blank(*p)) {
        const char *next = p + 1;
        bool value = p > start && p[-1] == '=';
        if (memchr("\r\xc2\xe3", *p, 3) && is_odd_blank(p, end, why)) return NULL;
        if (*p == '"' && (value || p == start)) {
            next = behind_quotes(p, end);
            *why = "a text in quotes is not closed";
        } else if (*p == '{' && p == start) {
            next = behind_json(p, end);
            *why = "a JSON object is not closed";
        } else if (*p == '/' && value && below) {
            next = behind_slash(p, end, why);
        }
        if (!next) return NULL;
        p = next;
    }
    *why = NULL;
    return p;
}

static const char *behind_plain(const char *p, const char *end)
{
    while (p < end && !is_blank(*p)) p++;
    return p;
}

bool wr_test_line_split(struct wr_test_line *line, struct wr_slice text, bool below, const char **why)
{
    line->text = text;
    line->count = 0;
    line->comment = (struct wr_slice){0};
    const char *p = text.data, *end = p + text.size;
    for (;;) {
        while (p < end && is_blank(*p)) p++;
        if (p >= end) return true;
        bool comment = *p == '#' && (line->count == 0 || p + 1 == end || is_blank(p[1]));
        if (comment) {
            while (end > p && (is_blank(end[-1]) || end[-1] == '\r')) end--;
            line->comment = wr_slice_of(p, (size_t)(end - p));
            return true;
        }
        /* The name of a case is any text. */
        bool name = line->count && wr_slice_equal(line->word[0], WR_SLICE("==="));
        const char *next = name ? behind_plain(p, end) : behind_word(p, end, below, why);
        if (!next) return false;
        if (line->count == WR_TEST_WORDS) {
            *why = "too many words in one line";
            return false;
        }
        line->word[line->count++] = wr_slice_of(p, (size_t)(next - p));
        p = next;
    }
}
