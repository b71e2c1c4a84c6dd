/* One expectation against one result: values, the rows that took part. */
#include "base/text.h"
#include "cli/wtest.h"
#include "vm/builtin_impl.h"
#include "vm/text.h"

#include <math.h>

/* ---- Values ---------------------------------------------------------------------------------- */

/* Digits without leading or trailing zeros that say nothing; false when it is no plain decimal
 * number. */
static bool plain_number(struct wr_slice text, struct wr_buf *out)
{
    size_t i = 0, dot = SIZE_MAX, from = out->size;
    bool minus = text.size && text.data[0] == '-', any = false;
    if (minus) i++;
    for (; i < text.size; i++) {
        char c = text.data[i];
        if (c == '.' && dot == SIZE_MAX) {
            dot = out->size;
            wr_buf_add_char(out, c);
        } else if (c >= '0' && c <= '9') {
            any = true;
            if (c != '0' || out->size > from) wr_buf_add_char(out, c);
        } else {
            return false;
        }
    }
    if (dot != SIZE_MAX) {
        while (out->data[out->size - 1] == '0') out->size--;
        if (out->data[out->size - 1] == '.') out->size--;
    }
    if (minus && out->size > from) wr_buf_add_char(out, '-');
    return any;
}

static bool same_number(struct wr_slice a, struct wr_slice b)
{
    struct wr_buf x = {0}, y = {0};
    double p, q;
    bool plain = plain_number(a, &x);
    plain = plain_number(b, &y) && plain;
    bool same = plain ? wr_slice_equal(wr_buf_slice(&x), wr_buf_slice(&y))
                      : wr_parse_f64(a, &p) && wr_parse_f64(b, &q) && p >= q && p <= q;
    wr_buf_release(&x);
    wr_buf_release(&y);
    return same;
}

static bool same_time(const struct wr_test_case *c, struct wr_slice wanted, struct wr_slice came)
{
    int64_t a, b, us;
    if (!wr_parse_timestamp(came, &b)) return false;
    if (wanted.size > 1 && wanted.data[0] == '+' &&
        !wr_test_parse_interval(wr_slice_of(wanted.data + 1, wanted.size - 1), &us))
        return !__builtin_add_overflow(c->start, us, &us) && us == b;
    return wr_parse_timestamp(wanted, &a) && a == b;
}

static bool matches_expression(struct wr_slice expression, struct wr_slice text)
{
    char message[256];
    struct wr_regexp *regexp = wr_regexp_new(expression, message, sizeof message);
    bool matches = regexp && wr_regexp_find(regexp, text) > 0;
    if (regexp) wr_regexp_free(regexp);
    return matches;
}

/* value: raw JSON; empty: the row has no such member, which stands for null. */
static bool same_value(const struct wr_test_job *job, struct wr_arena *arena,
                       const struct wr_test_field *field, struct wr_type type,
                       struct wr_slice value)
{
    bool null = !value.size || wr_slice_equal(value, WR_SLICE("null"));
    if (field->kind == WR_TEST_ANY) return true;
    if (field->kind == WR_TEST_BARE && wr_slice_equal(field->value, WR_SLICE("null"))) return null;
    if (null) return false;
    bool quoted = value.data[0] == '"';
    struct wr_slice text = quoted ? wr_test_unquote(arena, value) : value;
    double near, came;
    switch (field->kind) {
    case WR_TEST_REGEX: return matches_expression(field->value, text);
    case WR_TEST_NEAR:
        return wr_parse_f64(field->value, &near) && wr_parse_f64(text, &came) &&
               fabs(near - came) <= field->near;
    case WR_TEST_QUOTED: return quoted && wr_slice_equal(field->value, text);
    default: break;
    }
    if (wr_slice_equal(field->value, text)) return true;
    if (type.kind == WR_KIND_TIMESTAMP) return same_time(job->c, field->value, text);
    return !quoted && same_number(field->value, text);
}

static struct wr_slice member(struct wr_arena *arena, struct wr_slice row, struct wr_slice wanted)
{
    struct wr_slice rest = wr_slice_of(row.data + 1, row.size - 1), name, value;
    while (wr_test_next_member(&rest, &name, &value))
        if (wr_slice_equal_nocase(wr_test_unquote(arena, name), wanted)) return value;
    return (struct wr_slice){0};
}

/* ---- Rows ------------------------------------------------------------------------------------ */

bool wr_test_has_label(const struct wr_test_job *job, uint32_t record, struct wr_slice label)
{
    if (record >= job->record.count) return false;
    const struct wr_test_record *r = &job->record.at[record];
    const struct wr_test_event *e = &job->c->event.at[r->event];
    if (wr_slice_equal(e->label, label)) return true;
    if (label.data[label.size - 1] != ']') return false;
    struct wr_buf own = {0}; /* #a[1] of a line that is repeated */
    wr_buf_printf(&own, "%.*s[%u]", WR_SLICE_ARG(e->label), r->repeat);
    bool same = e->label.size && wr_slice_equal(wr_buf_slice(&own), label);
    wr_buf_release(&own);
    return same;
}

static bool took_part(const struct wr_test_result *r, size_t record)
{
    for (uint32_t i = 0; i < r->row_count; i++)
        if (r->row_index[i] == record) return true;
    return false;
}

static bool is_named(const struct wr_test_job *job, const struct wr_test_expect *e, uint32_t record)
{
    for (uint32_t k = 0; k < e->label_count; k++)
        if (wr_test_has_label(job, record, e->label[k])) return true;
    return false;
}

/* The rows that took part are those that the labels name, no more and no fewer. */
static bool same_rows(const struct wr_test_job *job, const struct wr_test_expect *e,
                      const struct wr_test_result *r)
{
    if (!r->rows_known) return false;
    for (uint32_t i = 0; i < r->row_count; i++)
        if (!is_named(job, e, r->row_index[i])) return false;
    for (size_t n = 0; n < job->record.count; n++)
        if (is_named(job, e, (uint32_t)n) && !took_part(r, n)) return false;
    return true;
}

/* What of the rows differs, after those that were expected. */
static void print_rows(struct wr_buf *out, const struct wr_test_job *job, const struct wr_test_expect *e,
                       const struct wr_test_result *r)
{
    const char *between = ": ";
    wr_buf_add_cstr(out, ", came");
    for (uint32_t i = 0; i < r->row_count; i++) {
        wr_buf_add_char(out, ' ');
        wr_test_print_label(out, job, r->row_index[i]);
    }
    for (size_t n = 0; n < job->record.count; n++) {
        bool named = is_named(job, e, (uint32_t)n);
        if (named == took_part(r, n)) continue;
        wr_buf_add_cstr(out, between);
        wr_test_print_label(out, job, (uint32_t)n);
        wr_buf_add_cstr(out, named ? " took no part" : " took part too");
        between = ", ";
    }
}

uint32_t wr_test_differences(struct wr_test_job *job, struct wr_arena *arena, const struct wr_test_expect *e,
                             const struct wr_test_result *r, struct wr_buf *out)
{
    uint32_t count = 0;
    struct wr_slice ignored;
    bool found;
    bool timeout = e->kind == WR_TEST_TIMEOUT;
    const char *named = timeout ? r->pattern : r->output;
    if (!named || !wr_slice_equal_nocase(e->stream, wr_slice_cstr(named))) return UINT32_MAX;
    if (timeout && !r->timed_out) return UINT32_MAX;
    if (!e->any_time && e->kind == WR_TEST_ROW && e->time != r->time && ++count && out) {
        wr_buf_add_cstr(out, "      time: expected ");
        wr_test_print_time(out, job->c, e->time);
        wr_buf_add_cstr(out, ", came ");
        wr_test_print_time(out, job->c, r->time);
        wr_buf_add_char(out, '\n');
    }
    for (uint32_t i = 0; i < e->field_count; i++) {
        const struct wr_test_field *f = &e->field[i];
        struct wr_slice value = member(arena, r->row, f->name);
        struct wr_type type =
            wr_test_output_type(&job->program, e->stream, f->name, &found, &ignored);
        if (same_value(job, arena, f, type, value)) continue;
        count++;
        if (!out) continue;
        const char *q = f->kind == WR_TEST_QUOTED ? "\"" : f->kind == WR_TEST_REGEX ? "/" : "";
        wr_buf_printf(out, "      %.*s: expected %s%.*s%s", WR_SLICE_ARG(f->name), q,
                      WR_SLICE_ARG(f->value), q);
        if (f->kind == WR_TEST_NEAR) wr_buf_printf(out, "~%g", f->near);
        wr_buf_printf(out, ", came %.*s\n", WR_SLICE_ARG(value.size ? value : WR_SLICE("null")));
    }
    if (e->has_rows && !same_rows(job, e, r) && ++count && out) {
        wr_buf_add_cstr(out, r->rows_known ? "      rows: expected"
                                           : "      rows: not known behind a window; expected");
        for (uint32_t k = 0; k < e->label_count; k++)
            wr_buf_printf(out, " #%.*s", WR_SLICE_ARG(e->label[k]));
        if (r->rows_known) print_rows(out, job, e, r);
        wr_buf_add_char(out, '\n');
    }
    return count;
}

bool wr_test_is_of_another_key(struct wr_test_job *job, struct wr_arena *arena, const struct wr_test_expect *e,
                               const struct wr_test_result *r)
{
    const char *column;
    for (uint32_t n = 0; (column = wr_test_key_column(job->program.program, e, n)); n++)
        for (uint32_t i = 0; i < e->field_count; i++) {
            const struct wr_test_field *f = &e->field[i];
            struct wr_slice ignored;
            bool found;
            if (!wr_slice_equal_nocase(f->name, wr_slice_cstr(column))) continue;
            struct wr_type type = wr_test_output_type(&job->program, e->stream, f->name, &found, &ignored);
            if (!same_value(job, arena, f, type, member(arena, r->row, f->name))) return true;
        }
    return false;
}
