/* What will hurt and is no error: patterns that never match, wait for ever, or keep more and more.
 * All of it is read off the automaton and the tree, for patterns without errors. */
#include "compiler/explain.h"
#include "compiler/pattern.h"
#include "compiler/state.h"

#include "vm/text.h"

static const char *text_of(struct wr_match_lowering *m, uint32_t position)
{
    return wr_arena_cstr(m->c->arena, m->automaton.place[position]->variable.text);
}

/* ---- Time ------------------------------------------------------------------------------------ */

/* By an arrow with no end: a bound ends it, and a NOT … FOR takes its moment in any case. */
static bool waits(const struct wr_automaton *a, const struct wr_follow *f)
{
    return f->connector == WR_CONNECT_NEXT && f->position != WR_ACCEPT && f->high_us < 0 &&
           a->absence_us[f->position] == WR_ABSENCE_NONE;
}

/* A position that a partial match waits for by an arrow; WR_NONE when there is none. */
static uint32_t find_waited_for(const struct wr_match_lowering *m)
{
    const struct wr_automaton *a = &m->automaton;
    for (uint32_t p = 0; p < a->position_count; p++)
        for (uint32_t i = 0; i < a->follow_size[p]; i++) {
            const struct wr_follow *f = &a->follow[a->follow_start[p] + i];
            if (waits(a, f)) return f->position;
        }
    return WR_NONE;
}

static void warn_unbounded(struct wr_match_lowering *m, uint32_t waited_for)
{
    struct wr_diag *d = wr_diag_add(
        m->c->diags, WR_DIAG_W2002, m->automaton.place[waited_for]->span,
        "a partial match waits for '%s' for ever, and what waits is kept", text_of(m, waited_for));
    wr_diag_help(m->c->diags, d, "say how long it may take: WITHIN 1h");
}

static bool has_alternation(const struct wr_pattern *p)
{
    if (p->kind == WR_PATTERN_ALTERNATION || p->kind == WR_PATTERN_PERMUTE ||
        p->kind == WR_PATTERN_AND)
        return true;
    if (p->child && has_alternation(p->child)) return true;
    for (uint32_t i = 0; i < p->item_count; i++)
        if (has_alternation(p->item[i].pattern)) return true;
    return false;
}

/* With one way through and conditions on the row alone an earlier start is always at least as far
 * as a later one. Else it can stay behind, open, while the later one is complete. */
static void warn_waiting_matches(struct wr_match_lowering *m, uint32_t waited_for)
{
    const struct wr_automaton *a = &m->automaton;
    bool behind = a->first_count > 1 || has_alternation(m->match->pattern);
    for (uint32_t p = 0; p < a->position_count; p++)
        for (uint32_t i = 0; i < a->follow_size[p]; i++) {
            const struct wr_follow *f = &a->follow[a->follow_start[p] + i];
            if (waits(a, f))
                behind |= m->variable.at[a->variable[f->position]].rest != NULL;
        }
    if (!behind) return;
    struct wr_diag *d = wr_diag_add(
        m->c->diags, WR_DIAG_W2005, m->automaton.place[waited_for]->span,
        "a match is held back while an earlier start waits for '%s', which nothing ends",
        text_of(m, waited_for));
    wr_diag_help(m->c->diags, d,
                 "add WITHIN; or SKIP TO NEXT ROW, under which no match waits for another");
}

/* A position behind which going on is preferred to the end. */
static void warn_greedy_end(struct wr_match_lowering *m, bool within)
{
    const struct wr_automaton *a = &m->automaton;
    if (m->c->options && m->c->options->recorded) return;
    for (uint32_t p = 0; p < a->position_count; p++) {
        uint32_t size = a->follow_size[p];
        const struct wr_follow *f = &a->follow[a->follow_start[p]];
        if (size < 2 || f[size - 1].position != WR_ACCEPT || f[size - 1].flags) continue;
        bool arrow = false;
        uint32_t more = WR_NONE; /* what could still be taken */
        for (uint32_t i = 0; i + 1 < size; i++) {
            if (f[i].position == WR_ACCEPT || a->absence_us[f[i].position] != WR_ABSENCE_NONE) continue;
            arrow |= f[i].connector != WR_CONNECT_STRICT;
            if (more == WR_NONE) more = f[i].position;
        }
        if (more == WR_NONE) continue;
        const char *end = !arrow   ? "the row that ends it"
                          : within ? "WITHIN to end it"
                                   : "the end of the input";
        struct wr_diag *d = wr_diag_add(
            m->c->diags, WR_DIAG_W2003, a->place[p]->span,
            "a match that ends here waits for %s, because another '%s' could still belong "
            "to it",
            end, text_of(m, more));
        wr_diag_help(m->c->diags, d,
                     "a ? behind the quantifier makes it reluctant: it is reported at once");
        return;
    }
}

/* ---- Elements that are never reached, variables that have no row yet ------------------------- */

static bool is_plain(const struct wr_follow *f)
{
    return !f->kill_count && !f->claim_count && !f->lead_count && !f->flags && f->low_us < 0 && f->high_us < 0;
}

/* Is entry j of a list never preferred because an entry before it takes the same rows and ends at
 * once? */
static bool is_shadowed(const struct wr_automaton *a, const struct wr_follow *list, uint32_t j)
{
    if (list[j].position == WR_ACCEPT) return false;
    for (uint32_t i = 0; i < j; i++) {
        uint32_t p = list[i].position;
        if (p != WR_ACCEPT && a->variable[p] == a->variable[list[j].position] &&
            list[i].connector == list[j].connector && is_plain(&list[i]) && is_plain(&list[j]) &&
            a->absence_us[p] == WR_ABSENCE_NONE &&
            a->absence_us[list[j].position] == WR_ABSENCE_NONE && !a->follow[a->follow_start[p]].flags &&
            a->follow[a->follow_start[p]].position == WR_ACCEPT)
            return true;
    }
    return false;
}

static void reach(const struct wr_automaton *a, uint8_t *reached, uint32_t *todo, uint32_t *count,
                  uint32_t start, uint32_t size)
{
    for (uint32_t i = 0; i < size; i++) {
        uint32_t p = a->follow[start + i].position;
        if (p == WR_ACCEPT || reached[p] || is_shadowed(a, &a->follow[start], i)) continue;
        reached[p] = 1;
        todo[(*count)++] = p;
    }
}

/* Copies of one element are one: it is reached when any of them is. */
static void warn_unreached(struct wr_match_lowering *m)
{
    const struct wr_automaton *a = &m->automaton;
    uint8_t *reached = WR_NEW_ARRAY(m->c->arena, uint8_t, a->position_count);
    uint32_t *todo = WR_NEW_ARRAY(m->c->arena, uint32_t, a->position_count), count = 0;
    reach(a, reached, todo, &count, a->first, a->first_count);
    while (count) {
        uint32_t p = todo[--count];
        reach(a, reached, todo, &count, a->follow_start[p], a->follow_size[p]);
    }
    for (uint32_t p = 0; p < a->position_count; p++) {
        bool any = reached[p] || a->absence_us[p] != WR_ABSENCE_NONE;
        for (uint32_t q = 0; q < a->position_count && !any; q++)
            any = reached[q] && a->place[q] == a->place[p];
        if (any) continue;
        struct wr_diag *d = wr_diag_add(
            m->c->diags, WR_DIAG_W2011, a->place[p]->span,
            "'%s' is never taken here: what is preferred before it ends the match first",
            text_of(m, p));
        wr_diag_help(m->c->diags, d,
                     "put the longer alternative first, or make the repetition greedy");
        return;
    }
}

/* Variables that can have a row when one is taken at a position: those on any way to it. */
static uint64_t *variables_before(struct wr_match_lowering *m)
{
    const struct wr_automaton *a = &m->automaton;
    uint32_t words = m->set_words;
    uint64_t *before = WR_NEW_ARRAY(m->c->arena, uint64_t, (size_t)a->position_count * words);
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t p = 0; p < a->position_count; p++) {
            for (uint32_t i = 0; i < a->follow_size[p]; i++) {
                uint32_t q = a->follow[a->follow_start[p] + i].position;
                if (q == WR_ACCEPT) continue;
                for (uint32_t w = 0; w < words; w++) {
                    uint64_t own = a->variable[p] / 64 == w ? (uint64_t)1 << (a->variable[p] % 64)
                                                            : 0;
                    uint64_t more = before[(size_t)p * words + w] | own;
                    changed |= (more & ~before[(size_t)q * words + w]) != 0;
                    before[(size_t)q * words + w] |= more;
                }
            }
        }
    }
    return before;
}

struct early {
    struct wr_match_lowering *m;
    uint64_t *before; /* of the current variable */
};

static bool visit_early(void *context, const struct wr_expr *e)
{
    struct early *s = context;
    struct wr_match_lowering *m = s->m;
    bool name = e->kind == WR_EXPR_NAME && e->u.name.count > 1;
    if (!name && !(e->kind == WR_EXPR_STAR && e->u.name.count == 1)) return true;
    uint32_t set = wr_match_find_set(m, &e->u.name.at[0]);
    if (set == WR_NONE || wr_match_set_has(m, set, m->current)) return true;
    for (uint32_t v = 0; v < m->variable.count; v++)
        if (wr_match_set_has(m, set, v) && (s->before[v / 64] >> (v % 64) & 1)) return true;
    struct wr_diag *d = wr_diag_add(
        m->c->diags, WR_DIAG_W2012, e->span,
        "'%.*s' never has a row yet where '%.*s' is decided, so this is %s",
        WR_SLICE_ARG(e->u.name.at[0].text), WR_SLICE_ARG(m->variable.at[m->current].name.text),
        name ? "NULL" : "no row");
    if (set < m->variable.count)
        wr_diag_second(m->c->diags, d, m->variable.at[set].name.span, "it comes later");
    return true;
}

/* Is the variable looked at, to kill, once position p is taken? */
static bool is_killer(const struct wr_automaton *a, uint32_t p, uint32_t variable)
{
    for (uint32_t i = 0; i < a->follow_size[p]; i++) {
        const struct wr_follow *f = &a->follow[a->follow_start[p] + i];
        for (uint32_t k = 0; k < f->kill_count; k++)
            if (a->kill[f->kill + k].variable == variable) return true;
    }
    return false;
}

static void warn_early(struct wr_match_lowering *m)
{
    const struct wr_automaton *a = &m->automaton;
    uint64_t *before = variables_before(m),
             *all = WR_NEW_ARRAY(m->c->arena, uint64_t, m->set_words);
    for (uint32_t v = 0; v < m->variable.count; v++) {
        if (!m->variable.at[v].define || !m->variable.at[v].define->condition) continue;
        memset(all, 0, m->set_words * sizeof *all);
        for (uint32_t p = 0; p < a->position_count; p++) {
            bool kills = is_killer(a, p, v);
            for (uint32_t w = 0; w < m->set_words && (kills || a->variable[p] == v); w++)
                all[w] |= before[(size_t)p * m->set_words + w];
            if (kills) all[a->variable[p] / 64] |= (uint64_t)1 << (a->variable[p] % 64);
        }
        struct early s = {m, all};
        m->current = v;
        wr_expr_visit(m->variable.at[v].define->condition, visit_early, &s);
    }
}

static bool is_undefined(const struct wr_match_variable *v)
{
    return !v->define && v->has_rows && !v->is_stream;
}

/* Each by itself, or where there are many, the first for all. */
static void warn_undefined(struct wr_match_lowering *m)
{
    enum { EACH_MAX = 3 };
    uint32_t count = 0, said = 0;
    for (uint32_t v = 0; v < m->variable.count; v++) count += is_undefined(&m->variable.at[v]);
    for (uint32_t v = 0; v < m->variable.count && said < (count > EACH_MAX ? 1 : count); v++) {
        const struct wr_ident *name = &m->variable.at[v].name;
        if (!is_undefined(&m->variable.at[v])) continue;
        said++;
        struct wr_diag *d;
        if (count > EACH_MAX)
            d = wr_diag_add(m->c->diags, WR_DIAG_W2009, name->span,
                            "'%.*s' and %u more variables have no condition, so any row is one",
                            WR_SLICE_ARG(name->text), count - 1);
        else
            d = wr_diag_add(m->c->diags, WR_DIAG_W2009, name->span,
                            "'%.*s' has no condition, so any row is one", WR_SLICE_ARG(name->text));
        const char *word = name->quoted ? NULL : wr_foreign(WR_FOREIGN_WORD, name->text);
        if (word) wr_diag_help(m->c->diags, d, "it is a variable here, not a word of the language: %s", word);
        else
            wr_diag_help(m->c->diags, d, "DEFINE %.*s AS TRUE says that any row is meant", WR_SLICE_ARG(name->text));
    }
}

/* What takes longer than the whole pattern may. */
static void warn_out_of_time(struct wr_match_lowering *m, int64_t within_us)
{
    const struct wr_automaton *a = &m->automaton;
    for (uint32_t i = 0; i < a->follow_count; i++) {
        const struct wr_follow *f = &a->follow[i];
        if (f->position == WR_ACCEPT) continue;
        bool absence = a->absence_us[f->position] > within_us;
        if (!absence && f->low_us < within_us) continue;
        struct wr_diag *d = wr_diag_add(m->c->diags, WR_DIAG_W2001, a->place[f->position]->span,
                                        absence ? "this can never match: the pattern's time is over before so long"
                                                  " without '%s' has passed"
                                                : "this can never match: the pattern's time is over before the next "
                                                  "'%s' may come",
                                        text_of(m, f->position));
        wr_diag_second(m->c->diags, d, m->match->within_span, "the pattern's time");
        return;
    }
}

/* ---- Moments without rows -------------------------------------------------------------------- */

static bool is_absence(const struct wr_automaton *a, uint32_t position)
{
    return position != WR_ACCEPT && a->absence_us[position] > 0;
}

/* Ways from an absence to absences; `total`: to have come here, in .time what the next ones end at. True: one is
 * sooner than was known. */
static bool go_on(const struct wr_automaton *a, uint32_t position, int64_t total, int64_t *time)
{
    bool sooner = false;
    for (uint32_t i = 0; i < a->follow_size[position]; i++) {
        const struct wr_follow *f = &a->follow[a->follow_start[position] + i];
        if (f->position == WR_ACCEPT && !f->flags) return sooner; /* what stands behind is never taken */
        if (!is_absence(a, f->position)) continue;
        int64_t end;
        if (__builtin_add_overflow(total, a->absence_us[f->position], &end) || end >= time[f->position]) continue;
        time[f->position] = end;
        sooner = true;
    }
    return sooner;
}

/* The shortest time in which absences alone lead from a position back to it; INT64_MAX: they do not. */
static int64_t turn_of(struct wr_match_lowering *m, uint32_t position)
{
    const struct wr_automaton *a = &m->automaton;
    int64_t *time = WR_NEW_ARRAY(m->c->arena, int64_t, a->position_count);
    for (uint32_t p = 0; p < a->position_count; p++) time[p] = INT64_MAX;
    for (bool sooner = go_on(a, position, 0, time); sooner;) {
        sooner = false;
        for (uint32_t p = 0; p < a->position_count; p++)
            if (time[p] != INT64_MAX && p != position) sooner |= go_on(a, p, time[p], time);
    }
    return time[position];
}

/* Absences that follow one another in a loop need no row to go on: moments come as long as a start is open. */
static void warn_moments(struct wr_match_lowering *m, int64_t within_us)
{
    enum { MANY = 1000, LOOKS = 64 };
    const struct wr_automaton *a = &m->automaton;
    uint32_t looks = 0, shortest = WR_NONE;
    int64_t turn = INT64_MAX;
    for (uint32_t p = 0; p < a->position_count && looks < LOOKS; p++) {
        if (!is_absence(a, p)) continue;
        int64_t own = turn_of(m, p);
        looks++;
        if (own >= turn) continue;
        turn = own;
        shortest = p;
    }
    if (shortest == WR_NONE || (within_us >= 0 && within_us / turn < MANY)) return;
    struct wr_buf text = {0}, count = {0};
    wr_explain_duration(turn, &text);
    if (within_us >= 0) wr_buf_printf(&count, ", %lld times in all", (long long)(within_us / turn));
    struct wr_diag *d = wr_diag_add(m->c->diags, WR_DIAG_W2014, a->place[shortest]->span,
                                    "absences follow one another here with no row between: an open start goes round once "
                                    "every %s%s", wr_buf_cstr(&text), within_us >= 0 ? wr_buf_cstr(&count) : ", without end");
    wr_diag_help(m->c->diags, d, "one absence of the whole time does; or put a row that is taken into the repetition");
    wr_buf_release(&text);
    wr_buf_release(&count);
}

void wr_match_warn(struct wr_match_lowering *m, const struct wr_pattern_node *node)
{
    uint32_t waited_for = node->within_us < 0 ? find_waited_for(m) : WR_NONE;
    warn_undefined(m);
    warn_early(m);
    wr_match_warn_contradictions(m);
    warn_unreached(m);
    warn_greedy_end(m, node->within_us >= 0);
    if (node->within_us >= 0) warn_out_of_time(m, node->within_us);
    warn_moments(m, node->within_us);
    if (waited_for == WR_NONE) return;
    warn_unbounded(m, waited_for);
    if (node->after_match != WR_AFTER_NEXT_ROW) warn_waiting_matches(m, waited_for);
}
