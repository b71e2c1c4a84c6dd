#include "vm/pattern_class.h"

#include <stdio.h>

static bool reads_rows_alone(const struct wr_pattern_node *p)
{
    for (uint32_t v = 0; v < p->variable_count; v++)
        if (p->variable[v].condition != WR_NONE) return false;
    for (uint32_t a = 0; a < p->aggregate_count; a++)
        if (p->aggregate[a].running) return false; /* kept on the way, though a condition that is known may not read it */
    return true;
}

uint32_t wr_pattern_first(const struct wr_pattern_node *p)
{
    WR_ASSERT(p->first_count == 1);
    return p->follow[p->first].position;
}

/* Is the one way through the positions to take each of them once, in the order of their numbers? Those of absences in
 * front of everything stand before the first and are never taken. */
static bool is_one_way(const struct wr_pattern_node *p)
{
    if (p->first_count != 1 || wr_pattern_first(p) >= p->position_count || (wr_pattern_first(p) && !p->lead_count)) return false;
    for (uint32_t i = wr_pattern_first(p); i < p->position_count; i++) {
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

/* NOT that speaks of the very next row alone, where a later one may be taken. */
static bool has_passing_kill(const struct wr_pattern_node *p)
{
    for (uint32_t i = 0; i < p->follow_count; i++) {
        const struct wr_follow *f = &p->follow[i];
        bool absence = f->position != WR_ACCEPT && p->position[f->position].absence_us != WR_ABSENCE_NONE;
        for (uint32_t k = 0; k < f->kill_count; k++)
            if (p->kill[f->kill + k].next_only && (absence || f->connector != 0)) return true;
    }
    return false;
}

/* Anything but taking rows and moments one after the other. */
static bool has_more(const struct wr_pattern_node *p)
{
    for (uint32_t i = 0; i < p->follow_count; i++)
        if (p->follow[i].flags) return true;
    for (uint32_t i = 0; i < p->output_count; i++)
        if (p->output[i].step || is_number(&p->output[i])) return true;
    return p->claim_count || p->timeouts || p->limit_starts || p->suppress_us ||
           p->after_match > WR_AFTER_NEXT_ROW || has_passing_kill(p);
}

bool wr_pattern_drops_younger(const struct wr_pattern_node *pattern)
{
    return pattern->after_match == WR_AFTER_PAST_LAST && pattern->within_us < 0 && !pattern->limit_starts;
}

/* What counts from the time of a row taken, goes by moments, or needs more of a key than its starts. */
static const char *why_not_group(const struct wr_pattern_node *p)
{
    bool empty = false;
    for (uint32_t i = 0; i < p->follow_count; i++) {
        const struct wr_follow *f = &p->follow[i];
        if (f->flags) return "it asks for the first or last row of a partition";
        if (f->low_us >= 0 || f->high_us >= 0) return "it bounds the time between two steps";
        empty |= f->position == WR_ACCEPT && i >= p->first && i < p->first + p->first_count;
    }
    for (uint32_t i = 0; i < p->position_count; i++)
        if (p->position[i].absence_us != WR_ABSENCE_NONE) return "it waits for an absence";
    for (uint32_t i = 0; i < p->output_count; i++)
        if (p->output[i].step || is_number(&p->output[i])) return "its results need more than a match's rows";
    if (p->lead_count) return "it begins with an absence";
    if (p->timeouts) return "it shows what has timed out";
    if (p->suppress_us) return "it suppresses matches";
    if (p->prev_max || p->next_max || p->out_next_max || p->all_rows == WR_OUTPUT_UNMATCHED ||
        (p->all_rows == WR_OUTPUT_SHOW_EMPTY && empty))
        return "it shows rows beside those of a match";
    if (p->variable_count > 64) return "it has more than 64 variables";
    return NULL;
}

/* Why the matcher is not right for the pattern, as the end of a sentence; NULL: it is. */
const char *wr_pattern_class_refuses(const struct wr_pattern_node *pattern, enum wr_matcher_class matcher)
{
    if (matcher == WR_MATCHER_GENERAL) return NULL;
    if (pattern->all_matches) return "it asks for all matches";
    if (pattern->position_count == 0) return "it can match no row but the empty one";
    if (!reads_rows_alone(pattern)) return "a condition reads rows that were taken before";
    if (matcher == WR_MATCHER_GROUP) {
        const char *why = why_not_group(pattern);
        if (why || !wr_pattern_drops_younger(pattern)) return why;
        return "without a time limit only its earliest starts can matter, and few are kept";
    }
    if (!is_one_way(pattern)) return "there is more than one way through it";
    if (pattern->all_rows || has_more(pattern)) return "it asks for more than taking rows one after the other";
    if (matcher == WR_MATCHER_ROW && pattern->lead_count) return "it begins with an absence";
    uint32_t steps = pattern->position_count - wr_pattern_first(pattern);
    if (matcher == WR_MATCHER_ROW) return steps > 1 ? "it has more than one step" : NULL;
    if (steps == 1) return "it is a single row";
    return steps > WR_SEQUENCE_MAX ? "it has more than 32 steps" : NULL;
}

enum wr_matcher_class wr_pattern_class(const struct wr_pattern_node *pattern)
{
    enum wr_matcher_class cls = WR_MATCHER_ROW;
    while (wr_pattern_class_refuses(pattern, cls)) cls++;
    WR_ASSERT(cls <= WR_MATCHER_GENERAL);
    return cls;
}

static const char *const names[] = {"row", "sequence", "group", "general"};

const char *wr_matcher_class_name(enum wr_matcher_class matcher)
{
    WR_ASSERT(matcher <= WR_MATCHER_GENERAL);
    return names[matcher];
}

bool wr_matcher_class_of(const char *name, enum wr_matcher_class *matcher)
{
    for (int i = WR_MATCHER_ROW; i <= WR_MATCHER_GENERAL; i++) {
        if (strcmp(names[i], name) != 0) continue;
        *matcher = (enum wr_matcher_class)i;
        return true;
    }
    return false;
}

enum wr_matcher_class wr_pattern_class_forced(const struct wr_pattern_node *pattern, const char *list,
                                              const char **why)
{
    char name[16];
    *why = NULL;
    for (const char *at = list; *at;) {
        size_t size = strcspn(at, ",");
        enum wr_matcher_class matcher;
        snprintf(name, sizeof name, "%.*s", (int)size, at);
        at += size + (at[size] == ',');
        if (strcmp(name, "auto") == 0) {
            *why = NULL;
            return wr_pattern_class(pattern);
        }
        if (!wr_matcher_class_of(name, &matcher)) continue;
        const char *refuses = wr_pattern_class_refuses(pattern, matcher);
        if (!refuses) {
            *why = NULL;
            return matcher;
        }
        if (!*why) *why = refuses;
    }
    return wr_pattern_class(pattern);
}

const char *wr_pattern_class_why(const struct wr_pattern_node *pattern)
{
    switch (wr_pattern_class(pattern)) {
    case WR_MATCHER_ROW: return "it is a single row, and its condition reads that row alone";
    case WR_MATCHER_SEQUENCE: return "its steps are fixed, and every condition reads its row alone";
    case WR_MATCHER_GROUP: return "every condition reads its row alone, so starts that have come as far move together";
    case WR_MATCHER_GENERAL: break;
    }
    return wr_pattern_class_refuses(pattern, WR_MATCHER_GROUP);
}
