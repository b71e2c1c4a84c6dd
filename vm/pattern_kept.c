/* The columns that a pattern keeps. */
#include "vm/pattern_kept.h"

static uint32_t condition_inputs(const struct wr_program *program, const struct wr_pattern_node *pattern)
{
    uint32_t count = 0;
    for (uint32_t v = 0; v < pattern->variable_count; v++) {
        uint32_t condition = pattern->variable[v].condition;
        WR_ASSERT(condition == WR_NONE || condition < program->code_count);
        if (condition != WR_NONE) count += program->code[condition].input_count;
    }
    return count;
}

uint32_t wr_pattern_kept_most(const struct wr_program *program, const struct wr_pattern_node *pattern)
{
    return pattern->keep_count + (pattern->next_max ? condition_inputs(program, pattern) : 0);
}

/* Rows that wait for those behind them are no longer in a batch when they are looked at: of them all is kept that
 * conditions read. */
uint32_t wr_pattern_kept(const struct wr_program *program, const struct wr_pattern_node *pattern, uint32_t *keep)
{
    uint32_t count = pattern->keep_count;
    if (count) memcpy(keep, pattern->keep, count * sizeof *keep);
    if (!pattern->next_max) return count;
    uint8_t *seen = wr_alloc_zero(UINT16_MAX + 1u); /* an input's column is of 16 bits */
    for (uint32_t k = 0; k < count; k++)
        if (keep[k] <= UINT16_MAX) seen[keep[k]] = 1;
    for (uint32_t v = 0; v < pattern->variable_count; v++) {
        if (pattern->variable[v].condition == WR_NONE) continue;
        const struct wr_code *code = &program->code[pattern->variable[v].condition];
        for (uint32_t i = 0; i < code->input_count; i++) {
            uint16_t column = code->input[i].column;
            if (code->input[i].kind != WR_INPUT_COLUMN || seen[column]) continue;
            seen[column] = 1;
            keep[count++] = column;
        }
    }
    wr_free(seen);
    WR_ASSERT(count <= wr_pattern_kept_most(program, pattern));
    return count;
}

struct needs {
    const struct wr_pattern_node *pattern;
    const uint32_t *number; /* by column: 1 + its number among the kept ones; 0: it is none */
    uint32_t columns;
    uint64_t *needed;
};

static void need(struct needs *n, uint32_t set, uint32_t column)
{
    const struct wr_pattern_node *p = n->pattern;
    uint32_t words = wr_pattern_words(p);
    if (column >= n->columns || !n->number[column]) return;
    uint64_t *variables = n->needed + (size_t)(n->number[column] - 1) * words;
    WR_ASSERT(set == WR_SET_ALL || set < p->set_count);
    for (uint32_t w = 0; w < words; w++) {
        uint32_t rest = p->variable_count - w * 64;
        uint64_t all = rest >= 64 ? ~(uint64_t)0 : ((uint64_t)1 << rest) - 1;
        variables[w] |= set == WR_SET_ALL ? all : p->set[(size_t)set * p->set_words + w] & all;
    }
}

void wr_pattern_needed(const struct wr_pattern_node *p, const uint32_t *keep, uint32_t keep_count, uint64_t *needed)
{
    struct needs n = {.pattern = p, .needed = needed};
    for (uint32_t k = 0; k < keep_count; k++) n.columns = WR_MAX(n.columns, keep[k] + 1);
    uint32_t *number = wr_alloc_zero((n.columns + 1) * sizeof *number);
    for (uint32_t k = 0; k < keep_count; k++) number[keep[k]] = k + 1;
    n.number = number;
    for (uint32_t i = 0; i < p->history_count + p->output_count; i++) {
        const struct wr_input *input = i < p->history_count ? &p->history[i] : &p->output[i - p->history_count];
        WR_ASSERT(input);
        if (input->kind == WR_INPUT_LAST || input->kind == WR_INPUT_FIRST) need(&n, input->set, input->column);
        if (input->kind == WR_INPUT_COLUMN) need(&n, WR_SET_ALL, input->column);
    }
    for (uint32_t a = 0; a < p->aggregate_count; a++) {
        const struct wr_aggregate *aggregate = &p->aggregate[a];
        need(&n, aggregate->set, aggregate->column);
        need(&n, aggregate->set, aggregate->column2);
        need(&n, aggregate->set, aggregate->filter);
    }
    wr_free(number);
}
