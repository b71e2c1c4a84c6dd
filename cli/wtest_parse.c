/* Test files as cases. Every line is one statement; what is wrong with a line makes its case an
 * ERROR, not the file. */
#include "base/text.h"
#include "cli/wtest.h"
#include "vm/text.h"

#include <stdarg.h>
#include <stdlib.h>

enum { WORD_EVERY = 2, REPEAT_MAX = 1000000 };
/* About 146,000 years: room for what is added to a time. */
static const int64_t TIME_FAR = INT64_MAX / 2;

struct parser {
    struct wr_test_file *file;
    struct wr_test_line line;
    struct wr_test_case head; /* what cases to come begin with */
    struct wr_test_case *c;   /* the one at hand, or NULL */
    bool below;               /* behind its --- */
    bool named;               /* there are cases with === */
    int64_t before;           /* time of the line before */
    const char *error;        /* of the line at hand */
};

static void refuse(struct parser *p, const char *format, ...) WR_PRINTF(2, 3);
static void refuse(struct parser *p, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (!p->error) p->error = wr_arena_cstr(&p->file->arena, wr_slice_cstr(text));
}

static bool is(struct wr_slice word, const char *text)
{
    return wr_slice_equal(word, wr_slice_cstr(text));
}

static struct wr_slice behind(struct wr_slice word, size_t n)
{
    return wr_slice_of(word.data + n, word.size - n);
}

/* ---- Times, numbers, fields ------------------------------------------------------------------ */

static bool interval(struct parser *p, struct wr_slice text, int64_t *us)
{
    const char *why = wr_test_parse_interval(text, us);
    if (why) refuse(p, "'%.*s' %s", WR_SLICE_ARG(text), why);
    return !why;
}

static bool is_time(struct wr_slice word)
{
    int64_t ignored;
    return word.size &&
           (word.data[0] == '+' || word.data[0] == '~' || wr_parse_timestamp(word, &ignored));
}

/* TIME: +20s behind the start, ~5s behind the line before, or RFC 3339. */
static bool take_time(struct parser *p, struct wr_slice word, int64_t *time)
{
    int64_t us;
    if (word.size && (word.data[0] == '+' || word.data[0] == '~')) {
        if (!interval(p, behind(word, 1), &us)) return false;
        int64_t from = word.data[0] == '+' ? p->c->start : p->before;
        if (__builtin_add_overflow(from, us, time))
            refuse(p, "'%.*s' is past the end of time", WR_SLICE_ARG(word));
    } else if (!wr_parse_timestamp(word, time)) {
        refuse(p,
               "'%.*s' is no time: +20s behind the start, ~5s behind the line before, or "
               "2026-03-01T12:00:00Z",
               WR_SLICE_ARG(word));
    }
    if (!p->error && (*time > TIME_FAR || *time < -TIME_FAR))
        refuse(p, "'%.*s' is past the end of time", WR_SLICE_ARG(word));
    if (p->error) return false;
    p->before = *time;
    return true;
}

static bool is_number(struct wr_slice text)
{
    double value;
    return wr_parse_f64(text, &value);
}

static bool take_near(struct wr_slice value, struct wr_test_field *field)
{
    const char *tilde = value.size ? memchr(value.data, '~', value.size) : NULL;
    if (!tilde) return false;
    struct wr_slice left = wr_slice_of(value.data, (size_t)(tilde - value.data));
    struct wr_slice right = behind(value, left.size + 1);
    if (!is_number(left) || !wr_parse_f64(right, &field->near)) return false;
    field->value = left;
    return true;
}

static bool take_field(struct parser *p, struct wr_slice word, bool expected,
                       struct wr_test_field *field)
{
    size_t quoted = 0; /* a name in quotes may hold a = */
    for (size_t i = 1; word.data[0] == '"' && i < word.size && !quoted; i++) {
        if (word.data[i] == '\\') i++;
        else if (word.data[i] == '"') quoted = i;
    }
    const char *equals = memchr(word.data + quoted, '=', word.size - quoted);
    if (!equals || equals == word.data) {
        refuse(p, "'%.*s' is no field: write name=value", WR_SLICE_ARG(word));
        return false;
    }
    *field = (struct wr_test_field){.name = wr_slice_of(word.data, (size_t)(equals - word.data))};
    if (field->name.data[0] == '"') field->name = wr_test_unquote(&p->file->arena, field->name);
    struct wr_slice value = behind(word, (size_t)(equals - word.data) + 1);
    field->value = value;
    field->kind = WR_TEST_BARE;
    if (value.size && value.data[0] == '"') {
        field->kind = WR_TEST_QUOTED;
        field->value = wr_test_unquote(&p->file->arena, value);
    } else if (expected && is(value, "*")) {
        field->kind = WR_TEST_ANY;
    } else if (expected && value.size >= 2 && value.data[0] == '/' &&
               value.data[value.size - 1] == '/') {
        field->kind = WR_TEST_REGEX;
        field->value = wr_slice_of(value.data + 1, value.size - 2);
    } else if (expected && take_near(value, field)) {
        field->kind = WR_TEST_NEAR;
    } else if (!value.size) {
        refuse(p, "%.*s= wants a value; an empty text is \"\"", WR_SLICE_ARG(field->name));
    }
    return !p->error;
}

/* The fields from word `at` on, up to the first word that is none of them. */
static uint32_t take_fields(struct parser *p, uint32_t at, bool expected,
                            struct wr_test_field **field, uint32_t *count)
{
    uint32_t end = at;
    while (end < p->line.count) {
        struct wr_slice w = p->line.word[end];
        bool other =
            w.data[0] == '#' || is(w, "<-") || (!memchr(w.data, '=', w.size) && w.data[0] == 'x');
        if (other) break;
        end++;
    }
    *field = WR_NEW_ARRAY(&p->file->arena, struct wr_test_field, end - at + 1);
    *count = end - at;
    for (uint32_t i = at; i < end && !p->error; i++) {
        if (!take_field(p, p->line.word[i], expected, &(*field)[i - at])) break;
        for (uint32_t k = 0; k < i - at; k++)
            if (wr_slice_equal((*field)[k].name, (*field)[i - at].name))
                refuse(p, "field '%.*s' stands twice in one line", WR_SLICE_ARG((*field)[k].name));
    }
    return end;
}

static bool take_count(struct parser *p, struct wr_slice word, uint64_t *count)
{
    int64_t value;
    if (!wr_parse_i64(word, &value) || value < 0) {
        refuse(p, "'%.*s' is no count", WR_SLICE_ARG(word));
        return false;
    }
    *count = (uint64_t)value;
    return true;
}

static struct wr_slice quoted_or_word(struct parser *p, struct wr_slice word)
{
    return word.data[0] == '"' ? wr_test_unquote(&p->file->arena, word) : word;
}

static bool take_label(struct parser *p, struct wr_slice word, struct wr_slice *label)
{
    if (word.size >= 2 && word.data[0] == '#') {
        *label = behind(word, 1);
        return true;
    }
    refuse(p, "'%.*s' is no label, such as #a", WR_SLICE_ARG(word));
    return false;
}

/* ---- Above the line -------------------------------------------------------------------------- */

static bool take_bytes(struct parser *p, struct wr_slice text, struct wr_test_event *event)
{
    static const char digits[] = "0123456789abcdef";
    if (text.size < 2 || text.data[0] != '0' || wr_lower(text.data[1]) != 'x' || text.size % 2) {
        refuse(p, "bytes=%.*s: write pairs of hexadecimal digits behind 0x", WR_SLICE_ARG(text));
        return false;
    }
    char *out = wr_arena_alloc(&p->file->arena, text.size);
    for (size_t i = 2; i < text.size; i++) {
        const char *digit = strchr(digits, wr_lower(text.data[i]));
        if (!digit || !*digit) {
            refuse(p, "bytes=%.*s: write pairs of hexadecimal digits behind 0x",
                   WR_SLICE_ARG(text));
            return false;
        }
        unsigned value = (unsigned)(digit - digits);
        size_t at = i / 2 - 1;
        out[at] = (char)(i % 2 ? ((unsigned char)out[at] | value) : value << 4);
    }
    event->bytes = wr_slice_of(out, text.size / 2 - 1);
    event->has_bytes = true;
    if (memchr(out, '\n', event->bytes.size))
        refuse(p, "a record of bytes is one line: it cannot hold 0a");
    return !p->error;
}

static void take_repeat(struct parser *p, uint32_t at, struct wr_test_event *event)
{
    for (uint32_t i = at; i < p->line.count && !p->error; i++) {
        struct wr_slice w = p->line.word[i];
        uint64_t times;
        if (w.data[0] == '#') {
            if (event->label.size) refuse(p, "a line has one label");
            take_label(p, w, &event->label);
        } else if (w.data[0] == 'x' && take_count(p, behind(w, 1), &times)) {
            if (times < 1 || times > REPEAT_MAX)
                refuse(p, "x%llu: a line is repeated 1 to %d times", (unsigned long long)times,
                       REPEAT_MAX);
            event->times = (uint32_t)times;
            if (i + WORD_EVERY < p->line.count && is(p->line.word[i + 1], "every")) {
                interval(p, p->line.word[i + WORD_EVERY], &event->every);
                i += WORD_EVERY;
            }
        } else if (is(w, "<-")) {
            refuse(p, "<- tells which rows took part, below a --- line: there is none above this line");
        } else {
            refuse(p, "'%.*s' is not understood here", WR_SLICE_ARG(w));
        }
    }
}

/* A first word that says nothing here. */
static void refuse_word(struct parser *p, const char *wanted)
{
    struct wr_slice word = p->line.word[0];
    const char *hint = wr_test_hint(&p->file->arena, word, p->below), *where = p->below ? "below" : "above";
    if (hint) refuse(p, "'%.*s' is not understood %s the line: %s", WR_SLICE_ARG(word), where, hint);
    else refuse(p, "'%.*s' is not understood %s the line: begin with %s", WR_SLICE_ARG(word), where, wanted);
}

static void take_record(struct parser *p, struct wr_test_event *event)
{
    if (p->line.count < 2) {
        refuse(p, "a time wants a stream and its fields behind it: +20s payments card=c1");
        return;
    }
    if (!take_time(p, p->line.word[0], &event->time)) return;
    event->stream = quoted_or_word(p, p->line.word[1]);
    uint32_t at = 2;
    if (p->line.count > 2 && p->line.word[2].data[0] == '{') {
        event->json = p->line.word[at++];
    } else if (p->line.count > 2 && p->line.word[2].size > 6 &&
               memcmp(p->line.word[2].data, "bytes=", 6) == 0 &&
               (p->line.count == 3 || p->line.word[3].data[0] == '#' ||
                p->line.word[3].data[0] == 'x')) {
        if (!take_bytes(p, behind(p->line.word[at++], 6), event)) return;
    } else {
        at = take_fields(p, at, false, &event->field, &event->field_count);
    }
    take_repeat(p, at, event);
    /* The time of the last repetition is where ~5s counts from. */
    int64_t last;
    if (p->error) return;
    if (__builtin_mul_overflow(event->every, (int64_t)(event->times - 1), &last) ||
        __builtin_add_overflow(event->time, last, &last) || last > TIME_FAR || last < -TIME_FAR)
        refuse(p, "the last repetition is past the end of time");
    else p->before = last;
}

static void take_event(struct parser *p)
{
    struct wr_test_event event = {.line = p->line.number, .text = p->line.text, .times = 1};
    struct wr_slice word = p->line.word[0];
    if (is(word, "watermark")) {
        event.kind = WR_TEST_WATERMARK;
        if (p->line.count != 2) refuse(p, "write the time behind it: watermark +30s");
        else take_time(p, p->line.word[1], &event.time);
    } else if (is(word, "wallclock") || is(word, "idle")) {
        event.kind = WR_TEST_UNSUPPORTED;
        event.unsupported = is(word, "idle")
                                ? "`idle` needs a live input, which does not run yet"
                                : "`wallclock` needs a live input, which does not run yet";
        if (p->line.count != 2)
            refuse(p, is(word, "idle") ? "write the stream behind it: idle payments"
                                       : "write the time behind it: wallclock ~5m");
        else if (is(word, "wallclock")) take_time(p, p->line.word[1], &event.time);
    } else if (is(word, "input")) {
        event.kind = WR_TEST_INPUT;
        if (p->line.count != 3)
            refuse(p, "write the stream and the file: input payments \"day.jsonl\"");
        else {
            event.stream = quoted_or_word(p, p->line.word[1]);
            event.path = quoted_or_word(p, p->line.word[2]);
        }
    } else if (is_time(word)) {
        take_record(p, &event);
    } else if (!wr_test_parse_interval(word, &event.time)) {
        refuse(p, "a time has a sign: +%.*s behind the start, or ~%.*s behind the line before", WR_SLICE_ARG(word),
               WR_SLICE_ARG(word));
    } else {
        refuse_word(p, "a time (+20s), watermark, input, or --- for what is expected");
    }
    for (size_t i = 0; event.label.size && i < p->c->event.count; i++)
        if (wr_slice_equal(p->c->event.at[i].label, event.label))
            refuse(p, "the label #%.*s stands on line %u already", WR_SLICE_ARG(event.label),
                   p->c->event.at[i].line);
    if (!p->error) wr_vec_push(&p->c->event, event);
}

/* ---- Below the line -------------------------------------------------------------------------- */

static void take_labels(struct parser *p, uint32_t at, struct wr_test_expect *e)
{
    if (at == p->line.count) return;
    if (!is(p->line.word[at], "<-")) {
        refuse(p, "'%.*s' is not understood here", WR_SLICE_ARG(p->line.word[at]));
        return;
    }
    e->has_rows = true;
    e->label = WR_NEW_ARRAY(&p->file->arena, struct wr_slice, p->line.count);
    for (at++; at < p->line.count && !p->error; at++)
        if (take_label(p, p->line.word[at], &e->label[e->label_count])) e->label_count++;
}

static void expect_late(struct parser *p, struct wr_test_expect *e)
{
    e->kind = WR_TEST_LATE;
    e->by = -1;
    e->label = WR_NEW_ARRAY(&p->file->arena, struct wr_slice, 1);
    bool by = p->line.count == 4 && is(p->line.word[2], "by");
    if (p->line.count != 2 && !by) refuse(p, "write: late #x, or late #x by 55s");
    else if (take_label(p, p->line.word[1], &e->label[0])) e->label_count = 1;
    if (by && !p->error) interval(p, p->line.word[3], &e->by);
}

static void expect_error(struct parser *p, struct wr_test_expect *e)
{
    e->kind = WR_TEST_ERROR;
    if (p->line.count < 2 || p->line.count > 3) {
        refuse(p, "write: error W0107, or error W0107 3:31");
        return;
    }
    e->stream = p->line.word[1];
    if (p->line.count == 2) return;
    char text[32], *end;
    snprintf(text, sizeof text, "%.*s", WR_SLICE_ARG(p->line.word[2]));
    e->at_line = (uint32_t)strtoul(text, &end, 10);
    if (*end == ':') e->at_column = (uint32_t)strtoul(end + 1, &end, 10);
    if (*end || !e->at_line || !e->at_column)
        refuse(p, "'%.*s' is no place: write LINE:COLUMN", WR_SLICE_ARG(p->line.word[2]));
}

static void expect_counted(struct parser *p, struct wr_test_expect *e, bool open)
{
    e->kind = open ? WR_TEST_OPEN : WR_TEST_DROPPED;
    if (p->line.count != 3) {
        refuse(p, open ? "write: open PATTERN N"
                       : "write: dropped N REASON (decode, row, late, a code or a reason)");
        return;
    }
    e->stream = quoted_or_word(p, p->line.word[open ? 1 : 2]);
    take_count(p, p->line.word[open ? 2 : 1], &e->count);
}

static void expect_row(struct parser *p, struct wr_test_expect *e)
{
    struct wr_slice word = p->line.word[0];
    e->kind = WR_TEST_ROW;
    if (p->line.count < 2) {
        refuse(p, "a time wants an output behind it: +60s alerts card=c1");
        return;
    }
    if (is(word, "*")) e->any_time = true;
    else if (!take_time(p, word, &e->time)) return;
    e->stream = quoted_or_word(p, p->line.word[1]);
    take_labels(p, take_fields(p, 2, true, &e->field, &e->field_count), e);
}

static void take_expectation(struct parser *p)
{
    struct wr_test_expect e = {.line = p->line.number, .text = p->line.text};
    struct wr_slice word = p->line.word[0];
    bool alone = p->line.count == 1;
    if (is(word, "none") || is(word, "unordered") || is(word, "...")) {
        e.kind = is(word, "none")  ? WR_TEST_NONE
                 : is(word, "...") ? WR_TEST_OTHERS
                                   : WR_TEST_UNORDERED;
        if (!alone) refuse(p, "'%.*s' stands alone in its line", WR_SLICE_ARG(word));
    } else if (is(word, "not")) {
        e.kind = WR_TEST_NOT;
        if (alone) {
            refuse(p, "write the output behind it: not alerts");
        } else {
            e.stream = quoted_or_word(p, p->line.word[1]);
            uint32_t end = take_fields(p, 2, true, &e.field, &e.field_count);
            if (end < p->line.count)
                refuse(p, "'%.*s' is not understood here", WR_SLICE_ARG(p->line.word[end]));
        }
    } else if (is(word, "late")) {
        expect_late(p, &e);
    } else if (is(word, "dropped") || is(word, "open")) {
        expect_counted(p, &e, is(word, "open"));
    } else if (is(word, "dlq")) {
        e.kind = WR_TEST_UNSUPPORTED_EXPECT;
        e.unsupported = "`dlq` needs Kafka, which does not run yet";
    } else if (is(word, "timeout")) {
        e.kind = WR_TEST_TIMEOUT;
        e.any_time = true;
        if (alone) refuse(p, "write: timeout PATTERN, or timeout PATTERN <- #a");
        else e.stream = quoted_or_word(p, p->line.word[1]);
        if (!alone) take_labels(p, 2, &e);
    } else if (is(word, "error")) {
        expect_error(p, &e);
    } else if (is(word, "*") || is_time(word)) {
        expect_row(p, &e);
    } else {
        refuse_word(p, "a time (+60s), none, not, late, dropped, open, timeout, error, unordered or ...");
    }
    if (!p->error) wr_vec_push(&p->c->expect, e);
}

/* ---- Head ------------------------------------------------------------------------------------ */

static struct wr_slice rest_of_line(const struct parser *p)
{
    struct wr_slice last = p->line.word[p->line.count - 1];
    const char *from = p->line.word[1].data;
    return wr_slice_of(from, (size_t)(last.data + last.size - from));
}

static void take_param(struct parser *p, struct wr_test_case *to)
{
    struct wr_test_field field;
    if (p->line.count != 2) refuse(p, "write: param NAME=VALUE");
    else if (take_field(p, p->line.word[1], false, &field))
        wr_vec_push(&to->param, (struct wr_test_param){field.name, field.value});
}

/* use, start, default, param, skip, xfail: for the case at hand, or for all that follow. */
static bool take_head(struct parser *p)
{
    struct wr_test_case *to = p->c ? p->c : &p->head;
    struct wr_slice word = p->line.word[0];
    uint32_t count = p->line.count;
    if (is(word, "use")) {
        if (count != 2) {
            refuse(p, "write: use \"program.weir\"");
        } else {
            struct wr_slice path = quoted_or_word(p, p->line.word[1]);
            const char *folder = path.size && path.data[0] == '/' ? "" : p->file->folder;
            to->use = wr_arena_printf(&p->file->arena, "%s%.*s", folder, WR_SLICE_ARG(path)).data;
        }
    } else if (is(word, "start")) {
        if (count != 2 || !wr_parse_timestamp(p->line.word[1], &to->start))
            refuse(p, "write: start 2026-03-01T12:00:00Z");
        p->before = to->start;
    } else if (is(word, "default")) {
        struct wr_test_default d = {0};
        if (count < 3) refuse(p, "write: default STREAM name=value");
        else {
            d.stream = quoted_or_word(p, p->line.word[1]);
            if (take_fields(p, 2, false, &d.field, &d.field_count) < count)
                refuse(p, "a default has fields only");
            wr_vec_push(&to->defaults, d);
        }
    } else if (is(word, "param")) {
        take_param(p, to);
    } else if (is(word, "skip") || is(word, "xfail")) {
        if (count < 2) refuse(p, "say why: %.*s REASON", WR_SLICE_ARG(word));
        else
            *(is(word, "skip") ? &to->skip : &to->xfail) =
                wr_arena_cstr(&p->file->arena, rest_of_line(p));
    } else {
        return false;
    }
    return true;
}

/* A copy with arrays of its own. */
static void begin_case(struct parser *p, struct wr_slice name, uint32_t line)
{
    struct wr_test_case c = p->head;
    memset(&c.defaults, 0, sizeof c.defaults);
    memset(&c.param, 0, sizeof c.param);
    for (size_t i = 0; i < p->head.defaults.count; i++)
        wr_vec_push(&c.defaults, p->head.defaults.at[i]);
    for (size_t i = 0; i < p->head.param.count; i++) wr_vec_push(&c.param, p->head.param.at[i]);
    c.name = name;
    c.line = line;
    wr_vec_push(&p->file->cases, c);
    p->c = &wr_vec_last(&p->file->cases);
    p->below = false;
    p->before = c.start;
}

static void begin_named(struct parser *p, struct wr_slice name)
{
    uint32_t line = 0;
    for (size_t i = 0; i < p->file->cases.count && !line; i++)
        if (wr_slice_equal(p->file->cases.at[i].name, name)) line = p->file->cases.at[i].line;
    begin_case(p, name, p->line.number);
    if (line) refuse(p, "a case of this name stands on line %u already", line);
}

/* In front of the first === of a file that has some. */
static void refuse_head(struct parser *p)
{
    struct wr_slice word = p->line.word[0];
    if (is_time(word) || is(word, "---") || is(word, "watermark") || is(word, "input"))
        refuse(p, "this line is of no case: write === NAME above it");
    else refuse_word(p, "use, start, default, param, skip or xfail, above the first === NAME");
}

static bool has_names(struct wr_slice text)
{
    struct wr_slice line;
    while (wr_test_next_line(&text, &line)) {
        while (line.size && (line.data[0] == ' ' || line.data[0] == '\t')) line = behind(line, 1);
        if (line.size >= 3 && memcmp(line.data, "===", 3) == 0) return true;
    }
    return false;
}

static void take_line(struct parser *p)
{
    struct wr_slice word = p->line.word[0];
    if (is(word, "===")) {
        if (p->line.count < 2) refuse(p, "=== wants the case's name behind it");
        else begin_named(p, rest_of_line(p));
    } else if (is(word, "---")) {
        if (!p->c && p->named) {
            refuse_head(p);
            return;
        }
        if (!p->c) begin_case(p, WR_SLICE(""), p->line.number);
        if (p->line.count > 1) refuse(p, "--- stands alone in its line");
        else if (p->below) refuse(p, "--- stands once in a case");
        p->below = true;
        p->c->below = p->line.number + 1;
        p->before = p->c->start;
    } else if (p->below) {
        take_expectation(p);
    } else if (!take_head(p)) {
        if (!p->c && p->named) {
            refuse_head(p);
        } else {
            if (!p->c) begin_case(p, WR_SLICE(""), p->line.number);
            take_event(p);
        }
    }
}

static void keep_error(struct parser *p)
{
    const char **error = p->c ? &p->c->error : &p->file->error;
    uint32_t *line = p->c ? &p->c->error_line : &p->file->error_line;
    if (!*error) {
        *error = p->error;
        *line = p->line.number;
    }
    p->error = NULL;
}

/* The last line before `end` on which something stands. */
static uint32_t last_line(struct wr_slice text, uint32_t number, uint32_t end)
{
    struct wr_slice line;
    uint32_t last = number;
    for (; wr_test_next_line(&text, &line) && number < end; number++)
        for (size_t i = 0; i < line.size; i++)
            if (line.data[i] != ' ' && line.data[i] != '\t') last = number;
    return last;
}

void wr_test_parse(struct wr_test_file *file, struct wr_slice text, uint32_t first_line,
                   const char *program, uint32_t program_line)
{
    struct parser p = {.file = file,
                       .head = {.start = INT64_C(946684800000000),
                                .program_text = program,
                                .program_line = program_line}};
    size_t first_case = file->cases.count;
    text = wr_test_behind_mark(text);
    struct wr_slice rest = text, line;
    p.line.number = first_line;
    p.named = has_names(text);
    for (; wr_test_next_line(&rest, &line); p.line.number++) {
        const char *why = NULL;
        if (!wr_test_line_split(&p.line, line, p.below, &why)) refuse(&p, "%s", why);
        else if (p.line.count) take_line(&p);
        if (p.error) keep_error(&p);
    }
    for (size_t i = first_case; i < file->cases.count; i++) {
        struct wr_test_case *c = &file->cases.at[i];
        c->end = i + 1 < file->cases.count ? c[1].line : p.line.number;
        if (c->error) continue;
        c->error_line = c->line;
        if (!c->use && !c->program_text)
            c->error = "no program: write use \"program.weir\" above the cases";
        else if (!c->below)
            c->error = wr_arena_printf(&file->arena,
                                       "no --- in this case, whose last line is %u: what is expected stands below it",
                                       last_line(text, first_line, c->end))
                           .data;
    }
    wr_vec_release(&p.head.defaults);
    wr_vec_release(&p.head.param);
}

void wr_test_file_init(struct wr_test_file *file, const char *path)
{
    *file = (struct wr_test_file){.path = path};
    wr_arena_init(&file->arena);
    const char *slash = strrchr(path, '/');
    file->folder =
        wr_arena_cstr(&file->arena, wr_slice_of(path, slash ? (size_t)(slash - path) + 1 : 0));
}

void wr_test_file_release(struct wr_test_file *file)
{
    for (size_t i = 0; i < file->cases.count; i++) {
        struct wr_test_case *c = &file->cases.at[i];
        wr_vec_release(&c->defaults);
        wr_vec_release(&c->param);
        wr_vec_release(&c->event);
        wr_vec_release(&c->expect);
    }
    wr_vec_release(&file->cases);
    wr_arena_release(&file->arena);
}
