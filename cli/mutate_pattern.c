/* Mutants of row patterns: arrows, quantifiers, absences, alternatives; and of the clauses around them: key, skip rule,
 * bounds. */
#include "cli/mutate.h"

enum { PARTS_MAX = 64 };

static void mutate_pattern(struct wr_mutating *m, const struct wr_pattern *p);

/* ---- Sequences ------------------------------------------------------------------------------- */

/* In front of an absence an arrow says no more than a blank. */
static void mutate_arrow(struct wr_mutating *m, const struct wr_arrow *arrow, const struct wr_pattern *next)
{
    struct wr_span head = arrow->span;
    head.end = head.start + (arrow->connector == WR_CONNECT_ANY ? 3 : 2);
    if (arrow->connector != WR_CONNECT_STRICT) {
        if (next->kind != WR_PATTERN_NOT) wr_mutate(m, "arrow", arrow->span, "%s", " ");
        wr_mutate(m, "arrow", head, "%s", arrow->connector == WR_CONNECT_ANY ? "->" : "->>");
        if (arrow->span.end > head.end)
            wr_mutate(m, "bound", (struct wr_span){head.file, head.end, arrow->span.end}, "%s", "");
    }
    wr_mutate_value(m, arrow->low);
    wr_mutate_value(m, arrow->high);
}

static void mutate_sequence(struct wr_mutating *m, const struct wr_pattern *p)
{
    for (uint32_t i = 0; i < p->item_count; i++) {
        const struct wr_pattern_item *item = &p->item[i];
        mutate_arrow(m, &item->arrow, item->pattern);
        if (i && item->arrow.connector == WR_CONNECT_STRICT && item->pattern->kind != WR_PATTERN_END &&
            item->pattern->kind != WR_PATTERN_NOT && p->item[i - 1].pattern->kind != WR_PATTERN_START) {
            struct wr_span gap = item->pattern->span;
            gap.end = gap.start;
            gap.start = p->item[i - 1].pattern->span.end;
            wr_mutate(m, "arrow", gap, " -> ");
        }
        mutate_pattern(m, item->pattern);
    }
}

static void mutate_parts(struct wr_mutating *m, const struct wr_pattern *p)
{
    struct wr_span part[PARTS_MAX];
    uint32_t count = WR_MIN(p->item_count, (uint32_t)PARTS_MAX);
    for (uint32_t i = 0; i < count; i++) part[i] = p->item[i].pattern->span;
    for (uint32_t i = 0; i < count && count > 1; i++) wr_mutate_drop(m, "pattern", part, count, i);
    for (uint32_t i = 0; i < p->item_count; i++) mutate_pattern(m, p->item[i].pattern);
}

/* PERMUTE(a, b) as (a b). */
static void mutate_permute(struct wr_mutating *m, const struct wr_pattern *p)
{
    struct wr_buf text = {0};
    for (uint32_t i = 0; i < p->item_count; i++)
        wr_buf_printf(&text, "%c%.*s", i ? ' ' : '(', WR_SLICE_ARG(wr_mutating_text(m, p->item[i].pattern->span)));
    wr_buf_add_char(&text, ')');
    wr_mutate(m, "pattern", p->span, "%s", wr_buf_cstr(&text));
    wr_buf_release(&text);
    for (uint32_t i = 0; i < p->item_count; i++) mutate_pattern(m, p->item[i].pattern);
}

/* ---- Quantifiers ----------------------------------------------------------------------------- */

static void replace_quantifier(struct wr_mutating *m, const struct wr_quantifier *q, uint32_t min, uint32_t max,
                               enum wr_quantifier_mode mode)
{
    static const char *const suffix[] = {[WR_GREEDY] = "", [WR_RELUCTANT] = "?", [WR_POSSESSIVE] = "+"};
    struct wr_span span = q->span;
    if (q->arrow.connector != WR_CONNECT_STRICT) span.start = q->arrow.span.end;
    if (min > max || max == 0) return;
    if (max == UINT32_MAX && min < 2) wr_mutate(m, "quantifier", span, "%s%s", min ? "+" : "*", suffix[mode]);
    else if (max == UINT32_MAX) wr_mutate(m, "quantifier", span, "{%u,}%s", min, suffix[mode]);
    else if (min == max) wr_mutate(m, "quantifier", span, "{%u}%s", min, suffix[mode]);
    else if (!min && max == 1) wr_mutate(m, "quantifier", span, "?%s", suffix[mode]);
    else wr_mutate(m, "quantifier", span, "{%u,%u}%s", min, max, suffix[mode]);
}

static void mutate_quantifier(struct wr_mutating *m, const struct wr_quantifier *q, const struct wr_pattern *repeated)
{
    bool open = q->max == UINT32_MAX, exact = q->min == q->max;
    if (exact) {
        replace_quantifier(m, q, q->min + 1, q->max + 1, q->mode);
        if (q->min) replace_quantifier(m, q, q->min - 1, q->max - 1, q->mode);
    } else {
        replace_quantifier(m, q, q->min + 1, q->max, q->mode);
        if (q->min) replace_quantifier(m, q, q->min - 1, q->max, q->mode);
        if (!open) replace_quantifier(m, q, q->min, q->max + 1, q->mode);
        if (!open) replace_quantifier(m, q, q->min, q->max - 1, q->mode);
        replace_quantifier(m, q, q->min, q->max, q->mode == WR_GREEDY ? WR_RELUCTANT : WR_GREEDY);
    }
    if (q->arrow.connector != WR_CONNECT_STRICT) mutate_arrow(m, &q->arrow, repeated);
}

static void mutate_pattern(struct wr_mutating *m, const struct wr_pattern *p)
{
    switch (p->kind) {
    case WR_PATTERN_SEQUENCE: mutate_sequence(m, p); break;
    case WR_PATTERN_ALTERNATION: mutate_parts(m, p); break;
    case WR_PATTERN_AND: mutate_parts(m, p); break;
    case WR_PATTERN_PERMUTE: mutate_permute(m, p); break;
    case WR_PATTERN_REPEAT:
        mutate_pattern(m, p->child);
        mutate_quantifier(m, &p->quantifier, p->child);
        if (p->until) wr_mutate(m, "condition", p->until->span, "FALSE");
        wr_mutate_condition(m, p->until);
        break;
    case WR_PATTERN_EXCLUDE:
        wr_mutate(m, "pattern", p->span, "(%.*s)", WR_SLICE_ARG(wr_mutating_text(m, p->child->span)));
        mutate_pattern(m, p->child);
        break;
    case WR_PATTERN_NOT:
        wr_mutate(m, "pattern", p->span, "%.*s", WR_SLICE_ARG(wr_mutating_text(m, p->variable.span)));
        if (p->duration) wr_mutate_value(m, p->duration);
        break;
    case WR_PATTERN_START:
    case WR_PATTERN_END: wr_mutate(m, "pattern", p->span, "%s", ""); break;
    case WR_PATTERN_EACH:
        wr_mutate(m, "pattern", p->span, "%.*s", WR_SLICE_ARG(wr_mutating_text(m, p->child->span)));
        wr_mutate_value(m, p->key);
        wr_mutate_value(m, p->duration);
        mutate_pattern(m, p->child);
        break;
    case WR_PATTERN_ERROR: case WR_PATTERN_EMPTY: case WR_PATTERN_VARIABLE: break;
    }
}

/* ---- Clauses --------------------------------------------------------------------------------- */

static void mutate_key(struct wr_mutating *m, const struct wr_match *match)
{
    struct wr_span part[PARTS_MAX];
    const struct wr_expr_list *key = &match->partition;
    if (!key->count || key->count > PARTS_MAX) return;
    for (uint32_t i = 0; i < key->count; i++) part[i] = key->at[i]->span;
    if (key->count > 1) {
        for (uint32_t i = 0; i < key->count; i++) wr_mutate_drop(m, "key", part, key->count, i);
        return;
    }
    struct wr_span clause = wr_mutating_before(m, part[0], "PARTITION");
    if (!clause.end) return;
    clause.end = part[0].end;
    wr_mutate(m, "key", clause, "%s", "");
}

/* Can a match have more rows than one? */
static uint32_t rows_of(const struct wr_pattern *p)
{
    uint32_t rows = p->kind == WR_PATTERN_VARIABLE;
    for (uint32_t i = 0; i < p->item_count && rows < 2; i++) rows += rows_of(p->item[i].pattern);
    if (p->child && p->kind != WR_PATTERN_NOT) rows += rows_of(p->child);
    return p->kind == WR_PATTERN_REPEAT && p->quantifier.max > 1 ? 2 : rows;
}

/* The skip rule: written or not, each other one that can be. After a match of one row all are the same. */
static void mutate_skip(struct wr_mutating *m, const struct wr_match *match)
{
    static const char *const rule[] = {[WR_SKIP_PAST_LAST] = "PAST LAST ROW", [WR_SKIP_NEXT_ROW] = "TO NEXT ROW",
                                       [WR_SKIP_TO_FIRST] = "TO FIRST", [WR_SKIP_TO_LAST] = "TO LAST"};
    enum wr_skip_kind past = WR_SKIP_PAST_LAST, next = WR_SKIP_NEXT_ROW;
    if (match->all_matches || rows_of(match->pattern) < 2) return;
    if (match->skip == WR_SKIP_UNSAID) {
        struct wr_span place = match->pattern->span;
        if (match->short_form) {
            place.start = place.end;
            wr_mutate(m, "skip", place, " SKIP %s", rule[next]);
            return;
        }
        place = wr_mutating_before(m, place, "PATTERN");
        place.end = place.start;
        if (place.start) wr_mutate(m, "skip", place, "AFTER MATCH SKIP %s ", rule[next]);
        return;
    }
    struct wr_span target = wr_mutating_inside(m, match->skip_span, "SKIP");
    if (!target.end) return;
    target.start = target.end;
    target.end = match->skip_span.end;
    if (match->skip != past) wr_mutate(m, "skip", target, " %s", rule[past]);
    if (match->skip != next) wr_mutate(m, "skip", target, " %s", rule[next]);
    if (match->skip == WR_SKIP_TO_FIRST || match->skip == WR_SKIP_TO_LAST)
        wr_mutate(m, "skip", target, " %s %.*s", rule[match->skip == WR_SKIP_TO_FIRST ? WR_SKIP_TO_LAST : WR_SKIP_TO_FIRST],
                  WR_SLICE_ARG(wr_mutating_text(m, match->skip_variable.span)));
}

static void mutate_limit(struct wr_mutating *m, const struct wr_match *match)
{
    static const char *const policy[][2] = {{"OLDEST", "NEW"}, {"NEW", "OLDEST"}};
    char number[16];
    snprintf(number, sizeof number, "%u", match->limit_starts);
    struct wr_span place = wr_mutating_inside(m, match->limit_span, number);
    if (place.end) {
        wr_mutate(m, "bound", place, "%u", match->limit_starts + 1);
        if (match->limit_starts > 1) wr_mutate(m, "bound", place, "%u", match->limit_starts - 1);
    }
    for (int i = 0; i < 2; i++) {
        place = wr_mutating_inside(m, match->limit_span, policy[i][0]);
        if (place.end) wr_mutate(m, "clause", place, "%s", policy[i][1]);
    }
}

void wr_mutate_match(struct wr_mutating *m, const struct wr_match *match)
{
    mutate_key(m, match);
    if (match->pattern) {
        mutate_skip(m, match);
        mutate_pattern(m, match->pattern);
    }
    for (uint32_t i = 0; i < match->measure_count; i++) wr_mutate_value(m, match->measure[i].expr);
    if (match->within) {
        wr_mutate(m, "bound", match->within_span, "%s", "");
        wr_mutate_value(m, match->within);
    }
    for (uint32_t i = 0; i < match->define_count; i++) {
        const struct wr_expr *condition = match->define[i].condition; /* FALSE: an alternative, a loop that is none */
        if (condition) wr_mutate(m, "condition", condition->span, "FALSE");
        wr_mutate_condition(m, condition);
    }
    if (match->timeouts) wr_mutate(m, "clause", match->timeouts_span, "%s", "");
    if (match->suppress) {
        wr_mutate(m, "clause", match->suppress_span, "%s", "");
        wr_mutate_value(m, match->suppress);
    }
    if (match->limit_starts) mutate_limit(m, match);
}
