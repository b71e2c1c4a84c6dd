/* The row pattern as it is written: which variables it has, and what stands where it cannot. */
#include "compiler/pattern.h"

#include "base/text.h"

uint32_t wr_match_find_variable(const struct wr_match_lowering *m, const struct wr_ident *name)
{
    for (uint32_t v = 0; v < m->variable.count; v++)
        if (!m->variable.at[v].until && wr_ident_equal(m->variable.at[v].name, *name)) return v;
    return WR_NONE;
}

uint32_t wr_match_find_set(const struct wr_match_lowering *m, const struct wr_ident *name)
{
    uint32_t v = wr_match_find_variable(m, name);
    if (v != WR_NONE) return v;
    for (uint32_t s = 0; s < m->subset.count; s++)
        if (wr_ident_equal(m->subset.at[s].name, *name)) return m->variable.count + s;
    return WR_NONE;
}

uint32_t wr_match_find_stream(const struct wr_match_lowering *m, const struct wr_ident *name)
{
    for (uint32_t s = 0; s < m->input->stream_count; s++)
        if (m->input->stream[s].text.size && wr_ident_equal(m->input->stream[s], *name)) return s;
    return WR_NONE;
}

bool wr_match_set_has(const struct wr_match_lowering *m, uint32_t set, uint32_t variable)
{
    if (set == WR_SET_ALL || set == variable) return true;
    if (set < m->variable.count) return false;
    return m->subset.at[set - m->variable.count].mask[variable / 64] >> (variable % 64) & 1;
}

void wr_match_unknown_variable(struct wr_match_lowering *m, const struct wr_ident *name,
                               const char *clause)
{
    if (m->unread) return;
    struct wr_diag *d = wr_diag_add(m->c->diags, WR_DIAG_W0315, name->span,
                                    "%s names '%.*s', which is no variable of the pattern", clause,
                                    WR_SLICE_ARG(name->text));
    wr_diag_second(m->c->diags, d, m->match->pattern->span, "the pattern");
    struct wr_suggestion s;
    wr_suggestion_init(&s, name->text);
    for (uint32_t v = 0; v < m->variable.count; v++)
        if (!m->variable.at[v].until) wr_suggestion_offer(&s, m->variable.at[v].name.text);
    struct wr_slice best = wr_suggestion_best(&s);
    if (best.size) wr_diag_help(m->c->diags, d, "did you mean '%.*s'?", WR_SLICE_ARG(best));
}

static bool push_variable(struct wr_match_lowering *m, struct wr_match_variable variable)
{
    if (m->variable.count == WR_PATTERN_VARIABLES_MAX) {
        wr_diag_add(m->c->diags, WR_DIAG_W0817, variable.name.span,
                    "a pattern has at most %d variables", WR_PATTERN_VARIABLES_MAX);
        return false;
    }
    wr_list_push(m->c->arena, &m->variable, variable);
    return true;
}

static bool add_variable(struct wr_match_lowering *m, const struct wr_ident *name, bool has_rows)
{
    uint32_t v = wr_match_find_variable(m, name);
    if (v == WR_NONE)
        return push_variable(m, (struct wr_match_variable){.name = *name, .has_rows = has_rows});
    m->variable.at[v].has_rows |= has_rows;
    return true;
}

/* The condition of UNTIL is that of a variable which no row is ever taken as. */
static bool add_until(struct wr_match_lowering *m, const struct wr_pattern *repeat)
{
    struct wr_define *define = WR_NEW(m->c->arena, struct wr_define);
    struct wr_slice text = wr_slice_cstr(wr_match_text(m, repeat->until));
    define->variable = (struct wr_ident){
        .text = wr_arena_printf(m->c->arena, "UNTIL (%.*s)", WR_SLICE_ARG(text)),
        .span = repeat->until->span};
    define->condition = repeat->until;
    return push_variable(m, (struct wr_match_variable){
                                .name = define->variable, .define = define, .until = repeat});
}

uint32_t wr_match_find_until(const struct wr_match_lowering *m, const struct wr_pattern *repeat)
{
    for (uint32_t v = 0; v < m->variable.count; v++)
        if (m->variable.at[v].until == repeat) return v;
    return WR_NONE;
}

/* Where an element stands. */
struct place {
    bool first;  /* nothing that takes a row stands before it in the pattern */
    bool last;   /* nothing stands behind it in the sequence */
    bool inside; /* in a group, alternative or repetition */
};

static bool collect(struct wr_match_lowering *m, const struct wr_pattern *p, struct place at);

static bool collect_not(struct wr_match_lowering *m, const struct wr_pattern *p, struct place at)
{
    if (!add_variable(m, &p->variable, false)) return false;
    if (!p->duration && at.first) {
        struct wr_diag *d = wr_diag_add(m->c->diags, WR_DIAG_W0804, p->span,
                                        "nothing stands before NOT %.*s that it could follow",
                                        WR_SLICE_ARG(p->variable.text));
        wr_diag_help(m->c->diags, d, "NOT %.*s FOR 10m says for how long there has been none",
                     WR_SLICE_ARG(p->variable.text));
        return false;
    }
    if (!p->duration && at.last) {
        if (at.inside) {
            struct wr_diag *d = wr_diag_add(m->c->diags, WR_DIAG_W0804, p->span,
                                            "NOT %.*s stands at the end of a group",
                                            WR_SLICE_ARG(p->variable.text));
            wr_diag_help(m->c->diags, d,
                         "put it between two elements, or at the end of the whole pattern");
            return false;
        }
        if (!m->match->within) {
            struct wr_diag *d = wr_diag_add(m->c->diags, WR_DIAG_W0805, p->span,
                                            "NOT %.*s at the end waits for ever without WITHIN",
                                            WR_SLICE_ARG(p->variable.text));
            wr_diag_help(m->c->diags, d, "add WITHIN to the pattern, or FOR and a time here");
            return false;
        }
    }
    return true;
}

static bool collect_items(struct wr_match_lowering *m, const struct wr_pattern *p, struct place at)
{
    bool ok = true, sequence = p->kind == WR_PATTERN_SEQUENCE, first = at.first;
    for (uint32_t i = 0; i < p->item_count; i++) {
        const struct wr_pattern *item = p->item[i].pattern;
        bool last = !sequence || i + 1 == p->item_count;
        ok &= collect(m, item, (struct place){first, last, !sequence || at.inside});
        if (sequence && item->kind != WR_PATTERN_EMPTY && item->kind != WR_PATTERN_START &&
            item->kind != WR_PATTERN_NOT)
            first = false;
    }
    return ok;
}

static bool collect(struct wr_match_lowering *m, const struct wr_pattern *p, struct place at)
{
    switch (p->kind) {
    case WR_PATTERN_EMPTY:
    case WR_PATTERN_START:
    case WR_PATTERN_END: return true;
    case WR_PATTERN_VARIABLE: return add_variable(m, &p->variable, true);
    case WR_PATTERN_SEQUENCE:
        at.inside |= p->parenthesised;
        return collect_items(m, p, at);
    case WR_PATTERN_ALTERNATION:
    case WR_PATTERN_PERMUTE:
    case WR_PATTERN_AND: return collect_items(m, p, at);
    case WR_PATTERN_EXCLUDE:
        if (m->match->rows == WR_ALL_ROWS_UNMATCHED) {
            struct wr_diag *d = wr_diag_add(
                m->c->diags, WR_DIAG_W0813, p->span,
                "rows cannot be left out where WITH UNMATCHED ROWS wants each row");
            wr_diag_second(m->c->diags, d, m->match->rows_span, "each row is asked for here");
            collect(m, p->child, (struct place){at.first, true, true});
            return false;
        }
        return collect(m, p->child, (struct place){at.first, true, true});
    case WR_PATTERN_REPEAT: {
        bool ok = collect(m, p->child, (struct place){at.first, true, true});
        return (!p->until || add_until(m, p)) && ok;
    }
    case WR_PATTERN_EACH: return collect(m, p->child, (struct place){at.first, true, true});
    case WR_PATTERN_NOT: return collect_not(m, p, at);
    case WR_PATTERN_ERROR: m->unread = true; break;
    }
    return false;
}

static bool collect_subset(struct wr_match_lowering *m, const struct wr_subset *s)
{
    struct wr_diags *diags = m->c->diags;
    uint32_t other = wr_match_find_set(m, &s->name);
    if (other != WR_NONE) {
        bool variable = other < m->variable.count;
        struct wr_ident first = variable ? m->variable.at[other].name
                                         : m->subset.at[other - m->variable.count].name;
        struct wr_diag *d = wr_diag_add(diags, variable ? WR_DIAG_W0815 : WR_DIAG_W0316,
                                        s->name.span, "'%.*s' is already the name of a %s",
                                        WR_SLICE_ARG(s->name.text),
                                        variable ? "variable" : "SUBSET");
        wr_diag_second(diags, d, first.span, "it stands here");
        return false;
    }
    struct wr_match_subset subset = {.name = s->name,
                                     .mask = WR_NEW_ARRAY(m->c->arena, uint64_t, m->set_words)};
    bool ok = true;
    for (uint32_t i = 0; i < s->members.count; i++) {
        const struct wr_ident *member = &s->members.at[i];
        uint32_t v = wr_match_find_variable(m, member);
        if (v != WR_NONE) {
            subset.mask[v / 64] |= (uint64_t)1 << (v % 64);
            continue;
        }
        ok = false;
        if (wr_match_find_set(m, member) == WR_NONE) {
            wr_match_unknown_variable(m, member, "SUBSET");
        } else {
            struct wr_diag *d = wr_diag_add(
                diags, WR_DIAG_W0815, member->span,
                "'%.*s' is a SUBSET itself; only variables can be in one",
                WR_SLICE_ARG(member->text));
            wr_diag_help(diags, d, "list its variables instead");
        }
    }
    wr_list_push(m->c->arena, &m->subset, subset);
    return ok;
}

static bool collect_define(struct wr_match_lowering *m, const struct wr_define *define)
{
    if (define->variable.text.size == 0) return false; /* what could not be read */
    uint32_t v = wr_match_find_variable(m, &define->variable);
    if (v == WR_NONE) {
        if (wr_match_find_set(m, &define->variable) == WR_NONE) {
            wr_match_unknown_variable(m, &define->variable, "DEFINE");
        } else {
            struct wr_diag *d = wr_diag_add(
                m->c->diags, WR_DIAG_W0315, define->variable.span,
                "DEFINE names '%.*s', which is a SUBSET; its variables have conditions",
                WR_SLICE_ARG(define->variable.text));
            wr_diag_help(m->c->diags, d, "define each of its variables");
        }
        return false;
    }
    struct wr_match_variable *variable = &m->variable.at[v];
    if (variable->define) {
        struct wr_diag *d = wr_diag_add(m->c->diags, WR_DIAG_W0316, define->variable.span,
                                        "'%.*s' is defined twice",
                                        WR_SLICE_ARG(define->variable.text));
        wr_diag_second(m->c->diags, d, variable->define->variable.span, "first defined here");
        wr_diag_help(m->c->diags, d, "join the two conditions with AND");
        return false;
    }
    variable->define = define;
    return true;
}

bool wr_match_collect(struct wr_match_lowering *m)
{
    const struct wr_match *match = m->match;
    /* The whole pattern's own parentheses make no group of it. */
    struct place whole = {true, true, false};
    bool ok = match->pattern->kind == WR_PATTERN_SEQUENCE ? collect_items(m, match->pattern, whole)
                                                           : collect(m, match->pattern, whole);
    m->tree_is_wrong = !ok;
    m->set_words = (m->variable.count + 63) / 64;
    for (uint32_t i = 0; i < match->subset_count; i++) ok &= collect_subset(m, &match->subset[i]);
    for (uint32_t i = 0; i < match->define_count; i++) ok &= collect_define(m, &match->define[i]);
    return ok;
}
