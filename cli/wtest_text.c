/* Times, rows and labels as a test writes them; JSON texts taken apart. */
#include "base/text.h"
#include "cli/wtest.h"
#include "vm/text.h"

#include <jansson.h>
#include <stdlib.h>

static const char *const no_length = "is no length of time, such as 10s, 1m30s, 1.5s, 250ms";

/* digits, a whole number of micros once `unit` is cut into 10^digits parts? */
static bool part_of(struct wr_slice digits, int64_t unit, int64_t *us)
{
    enum { DIGITS_MAX = 18 }; /* no unit has so many that say something */
    uint64_t value = 0, parts = 1;
    while (digits.size && digits.data[digits.size - 1] == '0') digits.size--;
    if (digits.size > DIGITS_MAX) return false;
    for (size_t i = 0; i < digits.size; i++) {
        value = value * 10 + (uint64_t)(digits.data[i] - '0');
        parts *= 10;
    }
    wr_i128 product = (wr_i128)value * unit;
    *us = (int64_t)(product / parts);
    return product % parts == 0;
}

const char *wr_test_parse_interval(struct wr_slice text, int64_t *us)
{
    const char *dot = text.size ? memchr(text.data, '.', text.size) : NULL;
    if (!dot) return wr_parse_interval(text, us) ? NULL : no_length;
    bool negative = text.data[0] == '-';
    struct wr_slice whole = wr_slice_of(text.data + negative, (size_t)(dot - text.data) - negative);
    struct wr_slice digits = wr_slice_of(dot + 1, 0), unit;
    const char *end = text.data + text.size;
    while (digits.data + digits.size < end && digits.data[digits.size] >= '0' && digits.data[digits.size] <= '9') digits.size++;
    unit = wr_slice_of(digits.data + digits.size, (size_t)(end - digits.data) - digits.size);
    if (!whole.size || !digits.size || !unit.size || memchr(unit.data, '.', unit.size)) return no_length;
    for (size_t i = 0; i < unit.size; i++)
        if (unit.data[i] >= '0' && unit.data[i] <= '9') return "has a fraction in a unit that is not its last: write 1m30.5s";
    char one[16], all[64];
    int64_t size, fraction;
    int n = snprintf(one, sizeof one, "1%.*s", WR_SLICE_ARG(unit));
    int m = snprintf(all, sizeof all, "%.*s%.*s", WR_SLICE_ARG(whole), WR_SLICE_ARG(unit));
    if (n >= (int)sizeof one || m >= (int)sizeof all || !wr_parse_interval(wr_slice_of(one, (size_t)n), &size) ||
        !wr_parse_interval(wr_slice_of(all, (size_t)m), us) || *us < 0)
        return no_length;
    if (!part_of(digits, size, &fraction)) return "is finer than a microsecond";
    if (__builtin_add_overflow(*us, fraction, us)) return no_length;
    if (negative) *us = -*us;
    return NULL;
}

/* 1d2h3m4.5s; below a second 250ms, 1.5ms, 7us. */
void wr_test_print_interval(struct wr_buf *out, int64_t us)
{
    static const struct {
        uint64_t us;
        const char *unit;
    } units[] = {{86400000000, "d"}, {3600000000, "h"}, {60000000, "m"}, {1000000, "s"}, {1000, "ms"}, {1, "us"}};
    enum { SECONDS = 3 }; /* from here on what is left is a fraction */
    if (us == 0) wr_buf_add_cstr(out, "0s");
    if (us < 0) wr_buf_add_char(out, '-');
    uint64_t left = us < 0 ? (uint64_t)0 - (uint64_t)us : (uint64_t)us;
    for (size_t i = 0; i < WR_COUNT(units) && left; i++) {
        uint64_t unit = units[i].us, count = left / unit;
        left %= unit;
        if (!count) continue;
        wr_buf_printf(out, "%llu", (unsigned long long)count);
        for (char mark = '.'; i >= SECONDS && left; mark = 0) {
            if (mark) wr_buf_add_char(out, mark);
            unit /= 10;
            wr_buf_add_char(out, (char)('0' + left / unit));
            left %= unit;
        }
        wr_buf_add_cstr(out, units[i].unit);
    }
}

void wr_test_print_time(struct wr_buf *out, const struct wr_test_case *c, int64_t time)
{
    int64_t us;
    if (!__builtin_sub_overflow(time, c->start, &us) && us >= 0 &&
        us < INT64_C(31) * 86400 * 1000000) {
        wr_buf_add_char(out, '+');
        wr_test_print_interval(out, us);
        return;
    }
    char text[WR_TEXT_MAX];
    wr_buf_add(out, text, wr_print_timestamp(text, time));
}

void wr_test_print_label(struct wr_buf *out, const struct wr_test_job *job, uint32_t record)
{
    if (record >= job->record.count) {
        wr_buf_add_cstr(out, "(a row of a file)");
        return;
    }
    const struct wr_test_record *r = &job->record.at[record];
    const struct wr_test_event *e = &job->c->event.at[r->event];
    if (e->label.size) wr_buf_printf(out, "#%.*s", WR_SLICE_ARG(e->label));
    else wr_buf_printf(out, "(line %u)", e->line);
    if (e->times > 1) wr_buf_printf(out, "[%u]", r->repeat);
}

/* ---- JSON ------------------------------------------------------------------------------------ */

static const char *behind_value(const char *p, const char *end)
{
    int depth = 0;
    bool text = false;
    for (; p < end; p++) {
        if (text) {
            if (*p == '\\') p++;
            else if (*p == '"') text = false;
        } else if (*p == '"') {
            text = true;
        } else if (*p == '{' || *p == '[') {
            depth++;
        } else if (*p == '}' || *p == ']') {
            if (depth-- == 0) return p;
        } else if (*p == ',' && depth == 0) {
            return p;
        }
    }
    return p;
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

bool wr_test_next_member(struct wr_slice *rest, struct wr_slice *name, struct wr_slice *value)
{
    const char *p = rest->data, *end = p + rest->size;
    while (p < end && (is_space(*p) || *p == ',')) p++;
    if (p >= end || *p != '"') return false;
    const char *from = p++;
    while (p < end && *p != '"') p += *p == '\\' ? 2 : 1;
    if (p >= end) return false;
    *name = wr_slice_of(from, (size_t)(p + 1 - from));
    for (p++; p < end && (is_space(*p) || *p == ':'); p++) continue;
    const char *to = behind_value(p, end);
    const char *last = to;
    while (last > p && is_space(last[-1])) last--;
    *value = wr_slice_of(p, (size_t)(last - p));
    *rest = wr_slice_of(to, (size_t)(end - to));
    return true;
}

struct wr_slice wr_test_unquote(struct wr_arena *arena, struct wr_slice quoted)
{
    json_error_t error;
    json_t *text = json_loadb(quoted.data, quoted.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, &error);
    struct wr_slice out = quoted;
    if (text && json_is_string(text))
        out = wr_arena_copy(arena, wr_slice_of(json_string_value(text), json_string_length(text)));
    else if (quoted.size >= 2) /* not JSON to the letter: what stands between the quotes */
        out = wr_arena_copy(arena, wr_slice_of(quoted.data + 1, quoted.size - 2));
    json_decref(text);
    return out;
}

/* ---- Rows ------------------------------------------------------------------------------------ */

/* Would the text be read back as this text if it stood bare? */
static bool may_be_bare(struct wr_slice text)
{
    if (!text.size || wr_slice_equal(text, WR_SLICE("null"))) return false;
    for (size_t i = 0; i < text.size; i++) {
        char c = text.data[i];
        bool plain = (wr_lower(c) >= 'a' && wr_lower(c) <= 'z') || (c >= '0' && c <= '9') ||
                     (unsigned char)c >= 0x80 || (c && strchr(i ? "_-.:+@" : "_", c));
        if (!plain) return false;
    }
    return true;
}

static void print_value(struct wr_buf *out, struct wr_slice value)
{
    struct wr_slice inner = value.size >= 2 ? wr_slice_of(value.data + 1, value.size - 2) : value;
    bool text = value.size >= 2 && value.data[0] == '"';
    if (text && may_be_bare(inner)) wr_buf_add_slice(out, inner);
    else wr_buf_add_slice(out, value);
}

void wr_test_print_result(struct wr_buf *out, const struct wr_test_job *job,
                          const struct wr_test_result *result, bool rows)
{
    wr_test_print_time(out, job->c, result->time);
    wr_buf_printf(out, " %s", result->output);
    struct wr_slice rest = wr_slice_of(result->row.data + 1, result->row.size - 1), name, value;
    while (wr_test_next_member(&rest, &name, &value)) {
        struct wr_slice inner = wr_slice_of(name.data + 1, name.size - 2);
        wr_buf_add_char(out, ' ');
        wr_buf_add_slice(out, may_be_bare(inner) ? inner : name);
        wr_buf_add_char(out, '=');
        print_value(out, value);
    }
    if (!rows || !result->rows_known) return;
    wr_buf_add_cstr(out, " <-");
    for (uint32_t i = 0; i < result->row_count; i++) {
        wr_buf_add_char(out, ' ');
        wr_test_print_label(out, job, result->row_index[i]);
    }
}
