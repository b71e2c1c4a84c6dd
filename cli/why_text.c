/* What became of a start of a pattern, in words. */
#include "cli/why.h"

#include "base/slice.h"
#include "vm/text.h"

static void print_time(struct wr_buf *out, int64_t us)
{
    char text[WR_TEXT_MAX];
    wr_buf_add(out, text, wr_print_timestamp(text, us));
}

static void print_rows(const weir_start *start, wr_why_row_fn *name, void *context,
                       struct wr_buf *out)
{
    for (size_t i = 0; i < start->row_count; i++) {
        wr_buf_printf(out, "    %s took ", start->rows[i].variable ? start->rows[i].variable : "?");
        name(context, &start->rows[i], out);
        if (start->rows[i].text) wr_buf_printf(out, "  %s", start->rows[i].text);
        wr_buf_add_char(out, '\n');
    }
}

static void print_refusal(const weir_refusal *r, wr_why_row_fn *name, void *context,
                          struct wr_buf *out)
{
    wr_buf_printf(out, "    %s refused ", r->variable);
    name(context, &r->row, out);
    if (*r->condition) wr_buf_printf(out, ": %s", r->condition);
    if (*r->values) wr_buf_printf(out, ", where %s", r->values);
    wr_buf_add_char(out, '\n');
}

void wr_why_print_start(const weir_start *start, wr_why_row_fn *name, void *context,
                        struct wr_buf *out)
{
    wr_buf_add_cstr(out, start->pattern);
    if (*start->key) wr_buf_printf(out, " for %s", start->key);
    wr_buf_printf(out,
                  start->end == WEIR_START_MATCH ? ": a match of %zu row%s\n"
                                                 : ": came as far as %zu row%s\n",
                  start->row_count, start->row_count == 1 ? "" : "s");
    print_rows(start, name, context, out);
    if (start->end == WEIR_START_MATCH) return;
    if (start->refused > start->refusal_count)
        wr_buf_printf(out, "    … %llu refusals before\n",
                      (unsigned long long)(start->refused - start->refusal_count));
    for (size_t i = 0; i < start->refusal_count; i++)
        print_refusal(&start->refusals[i], name, context, out);
    wr_buf_add_cstr(out, "    it ended ");
    switch (start->end) {
    case WEIR_START_DIED: wr_buf_add_cstr(out, "there: the row had to follow at once"); break;
    case WEIR_START_EXPIRED:
        wr_buf_add_cstr(out, "by WITHIN at ");
        print_time(out, start->end_us);
        break;
    case WEIR_START_TAKEN:
        wr_buf_add_cstr(out, "because a match before it took its rows away (SKIP PAST LAST ROW)");
        break;
    default: wr_buf_add_cstr(out, "with the input"); break;
    }
    wr_buf_add_char(out, '\n');
}
