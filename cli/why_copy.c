/* Starts of a pattern, kept past the call that told of them. */
#include "cli/why.h"

static const char *copy_text(struct wr_arena *arena, const char *text)
{
    return wr_arena_cstr(arena, wr_slice_cstr(text));
}

static weir_row copy_row(struct wr_arena *arena, const weir_row *row)
{
    weir_row out = *row;
    out.stream = wr_arena_cstr(arena, wr_slice_cstr(row->stream));
    if (row->text) out.text = wr_arena_cstr(arena, wr_slice_cstr(row->text));
    if (row->variable) out.variable = wr_arena_cstr(arena, wr_slice_cstr(row->variable));
    return out;
}

struct wr_why_start wr_why_copy_start(struct wr_arena *arena, const weir_start *start)
{
    weir_row *rows = wr_arena_alloc(arena, sizeof *rows * (start->row_count + 1));
    weir_refusal *refusals =
        wr_arena_alloc(arena, sizeof *refusals * (start->refusal_count + 1));
    for (size_t i = 0; i < start->row_count; i++) rows[i] = copy_row(arena, &start->rows[i]);
    for (size_t i = 0; i < start->refusal_count; i++) {
        const weir_refusal *r = &start->refusals[i];
        refusals[i] = *r;
        refusals[i].row = copy_row(arena, &r->row);
        refusals[i].variable = copy_text(arena, r->variable);
        refusals[i].condition = copy_text(arena, r->condition);
        refusals[i].values = copy_text(arena, r->values);
        refusals[i].awaited = copy_text(arena, r->awaited);
    }
    struct wr_why_start out = {*start};
    out.start.pattern = copy_text(arena, start->pattern);
    out.start.key = copy_text(arena, start->key);
    out.start.waits = copy_text(arena, start->waits);
    out.start.cause = copy_text(arena, start->cause);
    if (start->has_by) {
        out.start.by_first = copy_row(arena, &start->by_first);
        out.start.by_last = copy_row(arena, &start->by_last);
    }
    out.start.rows = rows;
    out.start.refusals = refusals;
    return out;
}
