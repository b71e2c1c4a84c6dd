#include "vm/pattern_class.h"

static bool reads_rows_alone(const struct wr_pattern_node *p)
{
    for (uint32_t v = 0; v < p->variable_count; v++)
        if (p->variable[v].condition != WR_NONE) return false;
    return true;
}

/* Is the one way through the positions to take each of them once, in the order of their numbers? */
static bool is_one_way(const struct wr_pattern_node *p)
{
    if (p->first_count != 1 || p->follow[p->first].position != 0) return false;
    for (uint32_t i = 0; i < p->position_count; i++) {
        const struct wr_pattern_position *position = &p->position[i];
        if (position->follow_count != 1) return false;
        const struct wr_follow *f = &p->follow[position->follow];
        if (f->low_us >= 0 || f->high_us >= 0 || f->connector > 1) return false;
        if (f->position != (i + 1 < p->position_count ? i + 1 : WR_ACCEPT)) return false;
    }
    return true;
}

static bool is_number(const struct wr_input *output)
{
    return output->kind == WR_INPUT_SPECIAL && output->column == WR_SPECIAL_MATCH_NUMBER;
}

/* Anything but taking rows one after the other. */
static bool has_more(const struct wr_pattern_node *p)
{
    for (uint32_t i = 0; i < p->follow_count; i++)
        if (p->follow[i].flags) return true;
    for (uint32_t i = 0; i < p->position_count; i++)
        if (p->position[i].absence_us != WR_ABSENCE_NONE) return true;
    for (uint32_t i = 0; i < p->output_count; i++)
        if (p->output[i].step || is_number(&p->output[i])) return true;
    return p->kill_count || p->claim_count || p->lead_count || p->timeouts || p->limit_starts ||
           p->suppress_us || p->after_match > WR_AFTER_NEXT_ROW;
}

enum wr_matcher_class wr_pattern_class(const struct wr_pattern_node *pattern)
{
    WR_ASSERT(pattern->position_count > 0);
    if (pattern->all_matches || pattern->all_rows || has_more(pattern) ||
        !reads_rows_alone(pattern) || !is_one_way(pattern))
        return WR_MATCHER_GENERAL;
    if (pattern->position_count > WR_SEQUENCE_MAX) return WR_MATCHER_GENERAL;
    return pattern->position_count == 1 ? WR_MATCHER_ROW : WR_MATCHER_SEQUENCE;
}

const char *wr_matcher_class_name(enum wr_matcher_class matcher)
{
    switch (matcher) {
    case WR_MATCHER_ROW: return "row";
    case WR_MATCHER_SEQUENCE: return "sequence";
    case WR_MATCHER_GENERAL: break;
    }
    return "general";
}

const char *wr_pattern_class_why(const struct wr_pattern_node *pattern)
{
    switch (wr_pattern_class(pattern)) {
    case WR_MATCHER_ROW: return "it is a single row, and its condition reads that row alone";
    case WR_MATCHER_SEQUENCE: return "its steps are fixed, and every condition reads its row alone";
    case WR_MATCHER_GENERAL: break;
    }
    if (!reads_rows_alone(pattern)) return "a condition reads rows that were taken before";
    if (!is_one_way(pattern)) return "there is more than one way through it";
    if (pattern->position_count > WR_SEQUENCE_MAX) return "it has more than 32 steps";
    return "it asks for more than one match or row a start";
}
