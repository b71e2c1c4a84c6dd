/* Coverage of programs by their tests: what of all that may happen has happened in no case. */
#include "cli/wtest.h"

void wr_test_cover_add(struct wr_test_coverage *coverage, const char *program,
                       const struct wr_test_outcome *outcome)
{
    for (size_t i = 0; i < outcome->cover.count; i++) {
        const struct wr_test_cover *from = &outcome->cover.at[i];
        struct wr_test_cover *to = NULL;
        for (size_t k = 0; k < coverage->item.count && !to; k++) {
            struct wr_test_cover *c = &coverage->item.at[k];
            bool same = strcmp(c->program, program) == 0 && strcmp(c->query, from->query) == 0 &&
                        c->line == from->line && strcmp(c->what, from->what) == 0 &&
                        c->number == from->number;
            if (same) to = c;
        }
        if (!to) {
            struct wr_test_cover fresh = {
                .program = wr_arena_cstr(coverage->arena, wr_slice_cstr(program)),
                .query = wr_arena_cstr(coverage->arena, wr_slice_cstr(from->query)),
                .what = wr_arena_cstr(coverage->arena, wr_slice_cstr(from->what)),
                .line = from->line,
                .number = from->number};
            wr_vec_push(&coverage->item, fresh);
            to = &wr_vec_last(&coverage->item);
        }
        to->hits += from->hits;
    }
}

/* Per program: how much, and what never happened. The share of all programs, in percent. */
double wr_test_cover_print(const struct wr_test_coverage *coverage, struct wr_buf *out)
{
    size_t all = coverage->item.count, hit = 0;
    for (size_t i = 0; i < all; i++) hit += coverage->item.at[i].hits != 0;
    for (size_t i = 0; i < all; i++) {
        const char *program = coverage->item.at[i].program;
        bool first = true;
        size_t own = 0, own_hit = 0;
        for (size_t k = 0; k < all; k++) {
            if (strcmp(coverage->item.at[k].program, program) != 0) continue;
            first &= k >= i;
            own++;
            own_hit += coverage->item.at[k].hits != 0;
        }
        if (!first) continue;
        wr_buf_printf(out, "coverage of %s: %zu of %zu\n", program, own_hit, own);
        for (size_t k = i; k < all; k++) {
            const struct wr_test_cover *c = &coverage->item.at[k];
            if (strcmp(c->program, program) == 0 && !c->hits)
                wr_buf_printf(out, "  %s:%u: %s: never: %s\n", program, c->line, c->query, c->what);
        }
    }
    return all ? 100.0 * (double)hit / (double)all : 100.0;
}
