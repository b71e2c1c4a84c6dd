/* Constructors of row patterns, and the refusals of what only looks like one. */
#include "dsl/build.h"

static struct wr_pattern *make(struct wr_parse *parse, enum wr_pattern_kind kind, struct wr_span span)
{
    struct wr_pattern *pattern = WR_NEW(parse->arena, struct wr_pattern);
    pattern->kind = kind;
    pattern->span = span;
    return pattern;
}

/* ---- Arrows and quantifiers ---------------------------------------------------------------------- */

struct wr_arrow *wr_arrow_new(struct wr_parse *parse, enum wr_connector connector, struct wr_span span)
{
    struct wr_arrow *arrow = WR_NEW(parse->arena, struct wr_arrow);
    arrow->connector = connector;
    arrow->span = span;
    return arrow;
}

struct wr_arrow *wr_arrow_bound(struct wr_parse *parse, struct wr_arrow *arrow, struct wr_expr *low,
                                struct wr_expr *high, struct wr_span span)
{
    if (!low && !high)
        wr_diag_help(parse->diags, wr_parse_error(parse, WR_DIAG_W0223, span, "the arrow's bound has no side"),
                     "write ->[1m..5m], ->[1m..] or ->[..5m]");
    arrow->low = low;
    arrow->high = high;
    arrow->span = span;
    return arrow;
}

/* Repetitions are written out by some matchers; the compiler has a lower limit of its own. */
enum { REPEAT_MAX = 1000000 };

struct wr_quantifier *wr_quantifier_new(struct wr_parse *parse, char form, const struct wr_span *min,
                                        const struct wr_span *max, struct wr_span span)
{
    struct wr_quantifier *q = WR_NEW(parse->arena, struct wr_quantifier);
    *q = (struct wr_quantifier){.present = true, .form = (uint8_t)form, .span = span};
    q->min = form == '+' ? 1 : 0;
    q->max = form == '?' ? 1 : UINT32_MAX;
    if (min) q->min = wr_number_at(parse, *min, REPEAT_MAX);
    if (max) q->max = wr_number_at(parse, *max, REPEAT_MAX);
    if (max && q->max == 0) {
        struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0208, *max, "an upper bound of 0 would match nothing");
        wr_diag_help(parse->diags, d, "leave the element out, or write x? for one that may be absent");
    } else if (min && max && q->min > q->max) {
        struct wr_diag *d =
            wr_parse_error(parse, WR_DIAG_W0207, span,
                           "the least number of repetitions, %u, is above the most, %u", q->min, q->max);
        wr_diag_help(parse->diags, d, "write {%u,%u}", q->max, q->min);
    }
    return q;
}

struct wr_quantifier *wr_quantifier_mode(struct wr_quantifier *quantifier, enum wr_quantifier_mode mode,
                                         struct wr_span span)
{
    quantifier->mode = mode;
    quantifier->span = wr_span_join(quantifier->span, span);
    return quantifier;
}

/* ---- Sequences ------------------------------------------------------------------------------------- */

struct wr_seq *wr_seq_start(struct wr_parse *parse, struct wr_arrow *leading)
{
    struct wr_seq *seq = WR_NEW(parse->arena, struct wr_seq);
    if (leading)
        wr_diag_help(parse->diags,
                     wr_parse_error(parse, WR_DIAG_W0223, leading->span, "an arrow has nothing before it"),
                     "an arrow stands between two elements: a -> b");
    return seq;
}

static struct wr_pattern_item *last_item(struct wr_seq *seq)
{
    WR_ASSERT(seq->items.count > 0);
    return (struct wr_pattern_item *)(void *)seq->items.at + seq->items.count - 1;
}

struct wr_seq *wr_seq_add(struct wr_parse *parse, struct wr_seq *seq, struct wr_pattern *pattern)
{
    struct wr_pattern_item item = {seq->arrow, pattern};
    wr_list_add(parse, &seq->items, &item, sizeof item);
    seq->arrow = (struct wr_arrow){.connector = WR_CONNECT_STRICT};
    seq->span = seq->items.count == 1 ? pattern->span : wr_span_join(seq->span, pattern->span);
    return seq;
}

struct wr_seq *wr_seq_arrow(struct wr_seq *seq, struct wr_arrow *arrow)
{
    seq->arrow = *arrow;
    return seq;
}

struct wr_seq *wr_seq_quantify(struct wr_parse *parse, struct wr_seq *seq, struct wr_quantifier *quantifier)
{
    struct wr_pattern_item *last = last_item(seq);
    if (seq->arrow.connector != WR_CONNECT_STRICT) {
        quantifier->arrow = seq->arrow;
        quantifier->span = wr_span_join(seq->arrow.span, quantifier->span);
        seq->arrow = (struct wr_arrow){.connector = WR_CONNECT_STRICT};
    }
    if (last->pattern->kind == WR_PATTERN_NOT && !last->pattern->parenthesised)
        wr_diag_help(parse->diags,
                     wr_parse_error(parse, WR_DIAG_W0215, quantifier->span, "a NOT takes no quantifier"),
                     "write (NOT a FOR 10m)->+ to repeat an absence");
    struct wr_pattern *repeat = make(parse, WR_PATTERN_REPEAT, wr_span_join(last->pattern->span, quantifier->span));
    repeat->child = last->pattern;
    repeat->quantifier = *quantifier;
    last->pattern = repeat;
    seq->span = wr_span_join(seq->span, quantifier->span);
    return seq;
}

struct wr_seq *wr_seq_quantify_again(struct wr_parse *parse, struct wr_seq *seq, struct wr_quantifier *quantifier)
{
    const struct wr_pattern *last = last_item(seq)->pattern;
    struct wr_diag *d =
        wr_parse_error(parse, WR_DIAG_W0206, quantifier->span, "the element has a quantifier already");
    wr_diag_second(parse->diags, d, last->quantifier.span, "the first one");
    wr_diag_help(parse->diags, d, "parentheses make it one element: (%.*s)%.*s",
                 WR_SLICE_ARG(wr_parse_text(parse, last->span)),
                 WR_SLICE_ARG(wr_parse_text(parse, quantifier->span)));
    return seq;
}

struct wr_seq *wr_seq_until(struct wr_parse *parse, struct wr_seq *seq, struct wr_expr *condition,
                            struct wr_span span) {
    struct wr_pattern *last = last_item(seq)->pattern;
    seq->span = wr_span_join(seq->span, span);
    if (last->kind == WR_PATTERN_REPEAT && !last->parenthesised) {
        last->until = condition;
        last->span = wr_span_join(last->span, span);
        return seq;
    }
    wr_diag_help(parse->diags, wr_parse_error(parse, WR_DIAG_W0216, span, "UNTIL has no repetition before it"),
                 "it stands behind a quantifier, as in a->+ UNTIL (x > 5)");
    return seq;
}

struct wr_list *wr_seq_list(struct wr_parse *parse, struct wr_list *list, struct wr_seq *seq)
{
    struct wr_pattern *pattern;
    if (seq->items.count == 1) {
        pattern = last_item(seq)->pattern;
    } else {
        pattern = make(parse, WR_PATTERN_SEQUENCE, seq->span);
        pattern->item = (struct wr_pattern_item *)(void *)seq->items.at;
        pattern->item_count = seq->items.count;
    }
    return list ? wr_list_add(parse, list, &pattern, sizeof pattern) : wr_list_of(parse, &pattern, sizeof pattern);
}

/* ---- Elements ---------------------------------------------------------------------------------------- */

struct wr_pattern *wr_pattern_error(struct wr_parse *parse, struct wr_span span)
{
    return make(parse, WR_PATTERN_ERROR, span);
}

struct wr_pattern *wr_pattern_leaf(struct wr_parse *parse, enum wr_pattern_kind kind, struct wr_span span)
{
    return make(parse, kind, span);
}

struct wr_pattern *wr_pattern_variable(struct wr_parse *parse, struct wr_ident name)
{
    struct wr_pattern *pattern = make(parse, WR_PATTERN_VARIABLE, name.span);
    pattern->variable = name;
    return pattern;
}

struct wr_pattern *wr_pattern_not(struct wr_parse *parse, struct wr_ident name, struct wr_expr *duration,
                                  struct wr_span span)
{
    struct wr_pattern *pattern = make(parse, WR_PATTERN_NOT, span);
    pattern->variable = name;
    pattern->duration = duration;
    return pattern;
}

struct wr_pattern *wr_pattern_not_group(struct wr_parse *parse, struct wr_pattern *group, struct wr_span span)
{
    if (group->kind == WR_PATTERN_VARIABLE) return wr_pattern_not(parse, group->variable, NULL, span);
    struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0215, group->span, "NOT takes one variable, not a group");
    wr_diag_help(parse->diags, d, "name a variable after NOT and join the conditions in its DEFINE with OR");
    return wr_pattern_error(parse, span);
}

struct wr_pattern *wr_pattern_each(struct wr_parse *parse, struct wr_expr *key, struct wr_expr *expire,
                                   struct wr_pattern *child, struct wr_span span)
{
    struct wr_pattern *pattern = make(parse, WR_PATTERN_EACH, span);
    pattern->key = key;
    pattern->duration = expire;
    pattern->child = child;
    return pattern;
}

/* (a & b) stands in parentheses of its own. */
static void refuse_bare_and(struct wr_parse *parse, const struct wr_pattern *pattern)
{
    if (pattern->kind != WR_PATTERN_AND || pattern->parenthesised) return;
    struct wr_diag *d = wr_parse_error(parse, WR_DIAG_W0214, pattern->span, "& stands in parentheses of its own");
    wr_diag_help(parse->diags, d, "write (%.*s)", WR_SLICE_ARG(wr_parse_text(parse, pattern->span)));
}

struct wr_pattern *wr_pattern_exclude(struct wr_parse *parse, struct wr_pattern *child, struct wr_span span)
{
    refuse_bare_and(parse, child);
    struct wr_pattern *pattern = make(parse, WR_PATTERN_EXCLUDE, span);
    pattern->child = child;
    return pattern;
}

struct wr_pattern *wr_pattern_parens(struct wr_parse *parse, struct wr_pattern *pattern, struct wr_span span)
{
    WR_UNUSED(parse);
    pattern->parenthesised = true;
    pattern->span = span;
    return pattern;
}

static void check_conjunct(struct wr_parse *parse, const struct wr_pattern *part)
{
    const struct wr_pattern *inner = part->kind == WR_PATTERN_REPEAT ? part->child : part;
    if (inner->kind == WR_PATTERN_VARIABLE || inner->kind == WR_PATTERN_ERROR) return;
    struct wr_diag *d =
        wr_parse_error(parse, WR_DIAG_W0214, part->span, "each part of a conjunction is one variable");
    wr_diag_help(parse->diags, d, "a part may be quantified, as in (a & b{2} & c)");
}

struct wr_pattern *wr_pattern_items(struct wr_parse *parse, enum wr_pattern_kind kind, struct wr_list *items,
                                    struct wr_span span)
{
    struct wr_pattern **at = (struct wr_pattern **)(void *)items->at;
    if (items->count == 1 && kind != WR_PATTERN_PERMUTE) return at[0];
    struct wr_pattern *pattern = make(parse, kind, span);
    pattern->item_count = items->count;
    pattern->item = WR_NEW_ARRAY(parse->arena, struct wr_pattern_item, items->count);
    for (uint32_t i = 0; i < items->count; i++) {
        pattern->item[i].pattern = at[i];
        if (kind == WR_PATTERN_AND) check_conjunct(parse, at[i]);
        else refuse_bare_and(parse, at[i]);
    }
    return pattern;
}

struct wr_pattern *wr_pattern_whole(struct wr_parse *parse, struct wr_pattern *pattern)
{
    refuse_bare_and(parse, pattern);
    return pattern;
}
