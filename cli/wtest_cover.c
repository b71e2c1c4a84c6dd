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

static size_t count_of(const struct wr_test_coverage *coverage, const char *program, bool hit)
{
    size_t count = 0;
    for (size_t i = 0; i < coverage->item.count; i++) {
        const struct wr_test_cover *c = &coverage->item.at[i];
        count += (!program || strcmp(c->program, program) == 0) && (!hit || c->hits);
    }
    return count;
}

/* The first item of each program, one after the other; the number of items behind the last. */
static size_t next_program(const struct wr_test_coverage *coverage, size_t from)
{
    for (size_t i = from; i < coverage->item.count; i++) {
        size_t k = 0;
        while (strcmp(coverage->item.at[k].program, coverage->item.at[i].program) != 0) k++;
        if (k == i) return i;
    }
    return coverage->item.count;
}

double wr_test_cover_share(const struct wr_test_coverage *coverage)
{
    size_t all = count_of(coverage, NULL, false);
    return all ? 100.0 * (double)count_of(coverage, NULL, true) / (double)all : 100.0;
}

/* Per program: how much, and what never happened. */
void wr_test_cover_print(const struct wr_test_coverage *coverage, struct wr_buf *out)
{
    for (size_t i = next_program(coverage, 0); i < coverage->item.count; i = next_program(coverage, i + 1)) {
        const char *program = coverage->item.at[i].program;
        wr_buf_printf(out, "coverage of %s: %zu of %zu\n", program, count_of(coverage, program, true),
                      count_of(coverage, program, false));
        for (size_t k = i; k < coverage->item.count; k++) {
            const struct wr_test_cover *c = &coverage->item.at[k];
            if (strcmp(c->program, program) == 0 && !c->hits)
                wr_buf_printf(out, "  %s:%u: %s: never: %s\n", program, c->line, c->query, c->what);
        }
    }
}

static void add_counts(const struct wr_test_coverage *coverage, const char *program, struct wr_buf *out)
{
    wr_buf_printf(out, "\"covered\":%zu,\"total\":%zu", count_of(coverage, program, true), count_of(coverage, program, false));
}

static void add_item(const struct wr_test_cover *c, struct wr_buf *out)
{
    wr_buf_printf(out, "{\"line\":%u,\"query\":", c->line);
    wr_buf_add_json_cstr(out, c->query);
    wr_buf_add_cstr(out, ",\"what\":");
    wr_buf_add_json_cstr(out, c->what);
    wr_buf_printf(out, ",\"hits\":%llu}", (unsigned long long)c->hits);
}

void wr_test_cover_json(const struct wr_test_coverage *coverage, double min, struct wr_buf *out)
{
    size_t all = coverage->item.count;
    wr_buf_printf(out, "{\"percent\":%.2f,\"min\":%g,", wr_test_cover_share(coverage), min);
    add_counts(coverage, NULL, out);
    wr_buf_add_cstr(out, ",\"programs\":[");
    for (size_t i = next_program(coverage, 0); i < all; i = next_program(coverage, i + 1)) {
        const char *program = coverage->item.at[i].program;
        wr_buf_add_cstr(out, i ? ",\n{\"program\":" : "\n{\"program\":");
        wr_buf_add_json_cstr(out, program);
        wr_buf_add_char(out, ',');
        add_counts(coverage, program, out);
        wr_buf_add_cstr(out, ",\"items\":[");
        for (size_t k = i; k < all; k++) {
            if (strcmp(coverage->item.at[k].program, program) != 0) continue;
            if (k > i) wr_buf_add_char(out, ',');
            add_item(&coverage->item.at[k], out);
        }
        wr_buf_add_cstr(out, "]}");
    }
    wr_buf_add_cstr(out, "]}");
}
