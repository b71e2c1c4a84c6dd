/* A pattern in plain words, and its automaton as a table. */
#include "compiler/explain.h"

#include "vm/pattern_class.h"

static const char *variable_at(const struct wr_pattern_node *p, uint32_t position)
{
    return p->variable[p->position[position].variable].name;
}

/* ---- What begins it, what comes next --------------------------------------------------------- */

static bool is_absence(const struct wr_pattern_node *p, uint32_t position)
{
    return position != WR_ACCEPT && p->position[position].absence_us != WR_ABSENCE_NONE;
}

/* What must not come: "'b'", and of UNTIL its condition. */
static void print_killer(const struct wr_pattern_node *p, uint32_t variable, struct wr_buf *out)
{
    const char *name = p->variable[variable].name;
    bool until = !strncmp(name, "UNTIL (", 7);
    wr_buf_printf(out, until ? "a row ends it by %s" : "a '%s' comes", name);
}

/* NOT, UNTIL and possessive loops, behind what may come. */
static void print_refusals(const struct wr_pattern_node *p, const struct wr_follow *f, struct wr_buf *out)
{
    for (uint32_t i = 0; i < f->claim_count; i++) {
        const char *name = variable_at(p, p->follow[p->claim[f->claim + i]].position);
        wr_buf_printf(out, "%s'%s'", i ? " and no " : " that is no ", name);
    }
    for (uint32_t i = 0; i < f->kill_count; i++) {
        const struct wr_kill *kill = &p->kill[f->kill + i];
        wr_buf_add_cstr(out, i ? " or " : ", unless ");
        if (kill->next_only) wr_buf_printf(out, "the very next row is '%s'", p->variable[kill->variable].name);
        else print_killer(p, kill->variable, out);
        if (!kill->next_only) wr_buf_add_cstr(out, " first");
    }
}

static void print_bounds(const struct wr_follow *f, struct wr_buf *out)
{
    if (f->low_us >= 0) {
        wr_buf_add_cstr(out, ", no sooner than ");
        wr_explain_duration(f->low_us, out);
    }
    if (f->high_us >= 0) {
        wr_buf_add_cstr(out, f->low_us >= 0 ? " and no later than " : ", no later than ");
        wr_explain_duration(f->high_us, out);
    }
    if (f->low_us >= 0 || f->high_us >= 0) wr_buf_add_cstr(out, " after the step before");
}

static void print_absence(const struct wr_pattern_node *p, uint32_t position, struct wr_buf *out)
{
    int64_t absence = p->position[position].absence_us;
    wr_explain_duration(absence == WR_ABSENCE_WITHIN ? p->within_us : absence, out);
    if (absence == WR_ABSENCE_WITHIN) wr_buf_add_cstr(out, " since its first row are over");
    wr_buf_printf(out, " with no '%s'", variable_at(p, position));
}

/* "a small, else a large": each name once. */
static void print_beginning(const struct wr_pattern_node *p, struct wr_buf *out)
{
    bool any = false;
    for (uint32_t i = 0; i < p->first_count; i++) {
        const struct wr_follow *f = &p->follow[p->first + i];
        uint32_t q = f->position;
        bool again = false;
        for (uint32_t k = 0; k < i && q != WR_ACCEPT && !f->claim_count && !f->lead_count; k++) {
            const struct wr_follow *earlier = &p->follow[p->first + k];
            again |= earlier->position != WR_ACCEPT && earlier->flags == f->flags && !earlier->claim_count &&
                     !earlier->lead_count &&
                     p->position[earlier->position].variable == p->position[q].variable;
        }
        if (again) continue;
        wr_buf_add_cstr(out, any ? ", else " : "");
        if (q == WR_ACCEPT) wr_buf_add_cstr(out, "no row at all");
        else wr_buf_printf(out, "a row that is '%s'", variable_at(p, q));
        print_refusals(p, f, out);
        for (uint32_t l = 0; l < f->lead_count; l++) {
            const struct wr_lead *lead = &p->lead[f->lead + l];
            wr_buf_printf(out, "%s no '%s' in the ", l ? " and" : " with", p->variable[lead->variable].name);
            wr_explain_duration(lead->for_us, out);
            wr_buf_add_cstr(out, " before it");
        }
        if (f->flags & WR_FOLLOW_AT_START) wr_buf_add_cstr(out, " at the first row of its key");
        any = true;
    }
    if (!any) wr_buf_add_cstr(out, "nothing: it never matches");
}

static void print_follow(const struct wr_pattern_node *p, uint32_t position, struct wr_buf *out)
{
    const struct wr_pattern_position *at = &p->position[position];
    for (uint32_t i = 0; i < at->follow_count; i++) {
        const struct wr_follow *f = &p->follow[at->follow + i];
        wr_buf_add_cstr(out, i ? ", else " : "");
        if (f->position == WR_ACCEPT)
            wr_buf_add_cstr(out, f->flags & WR_FOLLOW_AT_END ? "the match is whole if the input ends here"
                                                             : "the match is whole");
        else if (is_absence(p, f->position)) print_absence(p, f->position, out);
        else if (f->connector == 0)
            wr_buf_printf(out, "'%s' on the very next row", variable_at(p, f->position));
        else wr_buf_printf(out, "the next '%s'", variable_at(p, f->position));
        if (f->position != WR_ACCEPT && !is_absence(p, f->position)) print_bounds(f, out);
        print_refusals(p, f, out);
    }
}

/* Does anything lead to the position? */
static bool is_reached(const struct wr_pattern_node *p, uint32_t position)
{
    for (uint32_t i = 0; i < p->first_count; i++)
        if (p->follow[p->first + i].position == position) return true;
    for (uint32_t from = 0; from < p->position_count; from++)
        for (uint32_t i = 0; i < p->position[from].follow_count; i++)
            if (p->follow[p->position[from].follow + i].position == position) return true;
    return false;
}

/* Copies of an element that go on alike share a line. */
static void print_steps(const struct wr_explain *e, const struct wr_pattern_node *p)
{
    struct wr_buf line = {0}, last = {0};
    uint32_t same = 0;
    for (uint32_t i = 0; i <= p->position_count; i++) {
        wr_buf_clear(&line);
        if (i < p->position_count) {
            if (!is_reached(p, i)) continue; /* a NOT … FOR in front of everything */
            wr_buf_add_cstr(&line, "  After ");
            if (is_absence(p, i)) print_absence(p, i, &line);
            else wr_buf_printf(&line, "'%s'", variable_at(p, i));
            wr_buf_add_cstr(&line, ": ");
            print_follow(p, i, &line);
        }
        if (same && wr_slice_equal(wr_buf_slice(&line), wr_buf_slice(&last))) {
            same++;
            continue;
        }
        if (same) {
            wr_buf_add_slice(e->out, wr_buf_slice(&last));
            if (same > 1) wr_buf_printf(e->out, " (%u times)", same);
            wr_buf_add_cstr(e->out, ".\n");
        }
        same = 1;
        wr_buf_clear(&last);
        wr_buf_add_slice(&last, wr_buf_slice(&line));
    }
    wr_buf_release(&line);
    wr_buf_release(&last);
}

/* ---- How it ends ----------------------------------------------------------------------------- */

struct ends {
    bool strict_only; /* somewhere only the very next row will do */
    bool arrow;       /* somewhere an arrow waits, with no bound */
    bool bounded;     /* somewhere one with a bound */
    bool kills;       /* something may not come */
    bool at_once, waits, moment;
};

static struct ends find_ends(const struct wr_pattern_node *p)
{
    struct ends e = {.kills = p->kill_count != 0};
    for (uint32_t i = 0; i < p->position_count; i++) {
        const struct wr_follow *f = &p->follow[p->position[i].follow];
        uint32_t n = p->position[i].follow_count;
        bool arrow = false, strict = false, accept = false, bounded = false;
        for (uint32_t k = 0; k < n; k++) {
            bool row = f[k].position != WR_ACCEPT && !is_absence(p, f[k].position);
            accept |= f[k].position == WR_ACCEPT;
            arrow |= row && f[k].connector != 0 && f[k].high_us < 0;
            bounded |= row && f[k].high_us >= 0;
            strict |= row && f[k].connector == 0;
            e.moment |= is_absence(p, f[k].position);
        }
        e.arrow |= arrow;
        e.bounded |= bounded;
        e.strict_only |= strict && !arrow && !accept && !bounded;
        if (accept && is_absence(p, i)) continue;
        if (accept && f[0].position == WR_ACCEPT) e.at_once = true;
        else if (accept) e.waits = true;
    }
    return e;
}

/* "a, b and when c". */
static void add_reason(struct wr_buf *out, uint32_t *count, const char *reason)
{
    wr_buf_printf(out, "%s when %s", *count ? ", and" : "  A partial match dies", reason);
    ++*count;
}

static void print_death(const struct wr_explain *e, const struct wr_pattern_node *p,
                        const struct ends *ends)
{
    uint32_t reasons = 0;
    if (ends->strict_only)
        add_reason(e->out, &reasons, "the very next row of its key is needed and is another one");
    if (ends->kills) add_reason(e->out, &reasons, "something comes that must not");
    if (ends->bounded) add_reason(e->out, &reasons, "the bound of an arrow is past");
    if (p->within_us >= 0) {
        add_reason(e->out, &reasons, "");
        wr_explain_duration(p->within_us, e->out);
        wr_buf_add_cstr(e->out, " have passed since its first row");
    } else if (ends->arrow) {
        wr_buf_add_cstr(e->out, reasons ? "; where it waits for a later row, it waits for ever"
                                        : "  A partial match never dies: it waits for a later row for ever");
        reasons++;
    }
    if (reasons) wr_buf_add_cstr(e->out, ".\n");
}

/* ---- What it gives --------------------------------------------------------------------------- */

static void print_set_name(const struct wr_pattern_node *p, uint32_t set, struct wr_buf *out)
{
    bool any = false;
    for (uint32_t v = 0; v < p->variable_count; v++) {
        if (!wr_pattern_set_has(p, set, v)) continue;
        wr_buf_printf(out, "%s'%s'", any ? " or " : "", p->variable[v].name);
        any = true;
    }
}

static void print_rows(const struct wr_explain *e, const struct wr_pattern_node *p)
{
    bool excluded = false;
    for (uint32_t i = 0; i < p->position_count; i++) excluded |= p->position[i].excluded;
    if (p->all_rows == WR_OUTPUT_ONE_ROW) return;
    wr_buf_printf(e->out, "  Each row of a match is a result%s", excluded ? ", but for those in {- -}" : "");
    bool empty = false;
    for (uint32_t i = 0; i < p->first_count; i++) empty |= p->follow[p->first + i].position == WR_ACCEPT;
    if (p->all_rows != WR_OUTPUT_OMIT_EMPTY && empty)
        wr_buf_add_cstr(e->out, "; a match without rows gives the row that it stands at");
    if (p->all_rows == WR_OUTPUT_UNMATCHED) wr_buf_add_cstr(e->out, "; a row of no match is one too, once");
    wr_buf_add_cstr(e->out, ".\n");
}

static void print_clauses(const struct wr_explain *e, const struct wr_pattern_node *p)
{
    static const char *const limit[] = {"the oldest is dropped", "the new one is dropped", "the run fails"};
    print_rows(e, p);
    if (p->timeouts)
        wr_buf_printf(e->out, "  A start whose time runs out with no match is a result too%s.\n",
                      p->timeouts == 2 ? ", for each way that it was on" : "");
    if (p->limit_starts)
        wr_buf_printf(e->out, "  A key has at most %u open start%s; with one more %s.\n", p->limit_starts,
                      p->limit_starts == 1 ? "" : "s", limit[p->limit_policy]);
    if (p->suppress_us) {
        wr_buf_add_cstr(e->out, "  After a match further ones of its key are counted and not given for ");
        wr_explain_duration(p->suppress_us, e->out);
        wr_buf_add_cstr(e->out, ".\n");
    }
    if (p->prev_max)
        wr_buf_printf(e->out, "  PREV looks back: %u row%s of each key %s kept, for ever where no key_ttl is set.\n",
                      p->prev_max, p->prev_max == 1 ? "" : "s", p->prev_max == 1 ? "is" : "are");
    if (p->next_max || p->out_next_max)
        wr_buf_printf(e->out, "  NEXT looks ahead: %s waits for %u further row%s of its key.\n",
                      p->next_max ? "a row" : "a result", WR_MAX(p->next_max, p->out_next_max),
                      WR_MAX(p->next_max, p->out_next_max) == 1 ? "" : "s");
}

static void print_report(const struct wr_explain *e, const struct wr_pattern_node *p,
                         const struct ends *ends)
{
    if (wr_pattern_class(p) == WR_MATCHER_ROW) {
        wr_buf_add_cstr(e->out, "  Each such row is a match, reported at once.\n");
        return;
    }
    wr_buf_add_cstr(
        e->out,
        ends->waits && ends->at_once
            ? "  A match is reported with its last row, or, while more rows could belong to it, "
              "with the row that ends it"
        : ends->waits ? "  A match is reported with the row that ends it, because more rows could "
                        "belong to it"
        : ends->at_once || !ends->moment ? "  A match is reported with its last row"
                                         : "  A match is reported at the moment that completes it");
    if (p->after_match == WR_AFTER_NEXT_ROW) {
        wr_buf_add_cstr(
            e->out, ".\n  Each row may begin a match of its own, also one inside another match.\n");
    } else {
        wr_buf_add_cstr(e->out, ", once no earlier start can take its rows away.\n"
                                "  After a match the search goes on ");
        if (p->after_match == WR_AFTER_PAST_LAST) {
            wr_buf_add_cstr(e->out, "behind its last row.\n");
        } else {
            wr_buf_printf(e->out, "at its %s row that is ", p->after_match == WR_AFTER_TO_FIRST ? "first" : "last");
            print_set_name(p, p->after_set, e->out);
            wr_buf_add_cstr(e->out, ".\n");
        }
    }
}

/* ---- Conditions ------------------------------------------------------------------------------ */

static void print_condition(const struct wr_explain *e, const struct wr_node *node,
                            const struct wr_pattern_variable *v)
{
    if (!strncmp(v->name, "UNTIL (", 7)) return; /* it is its own name */
    if (!v->text[0]) {
        wr_buf_printf(e->out, "  Any row is '%s'.\n", v->name);
        return;
    }
    wr_buf_printf(e->out, "  A row is '%s' when %s", v->name, v->text);
    if (v->condition != WR_NONE) {
        const struct wr_code *code = &e->program->code[v->condition];
        bool any = false;
        for (uint32_t i = 0; i < code->input_count; i++) {
            const struct wr_input *input = &code->input[i];
            bool current = input->kind == WR_INPUT_COLUMN ||
                           (input->kind == WR_INPUT_SPECIAL && input->column != WR_SPECIAL_CLASSIFIER);
            if (current) continue;
            wr_buf_add_cstr(e->out, any ? ", " : "; with ");
            wr_explain_input(e->program, node, input, e->out);
            any = true;
        }
        if (any) wr_buf_add_cstr(e->out, " of the rows taken so far");
    }
    wr_buf_add_cstr(e->out, ".\n");
}

static void print_kept(const struct wr_explain *e, const struct wr_node *node)
{
    const struct wr_pattern_node *p = &node->u.pattern;
    const struct wr_schema *in = &e->program->node[node->input[0]].schema;
    if (p->keep_count == 0) {
        wr_buf_add_cstr(e->out, "  Nothing of a taken row is kept but its place.\n");
        return;
    }
    wr_buf_add_cstr(e->out, "  Kept of each taken row: ");
    for (uint32_t i = 0; i < p->keep_count; i++)
        wr_buf_printf(e->out, "%s%s", i ? ", " : "", in->column[p->keep[i]].name);
    wr_buf_add_cstr(e->out, ".\n");
}

void wr_explain_pattern_words(const struct wr_explain *e, uint32_t number)
{
    const struct wr_node *node = &e->program->node[number];
    const struct wr_pattern_node *p = &node->u.pattern;
    const struct wr_schema *in = &e->program->node[node->input[0]].schema;
    struct ends ends = find_ends(p);
    wr_buf_printf(e->out, "  Looks for %s", p->text);
    for (uint32_t i = 0; i < p->key_count; i++)
        wr_buf_printf(e->out, "%s%s", i ? ", " : " among the rows of one ",
                      in->column[p->key[i]].name);
    wr_buf_add_cstr(e->out, p->key_count ? ", in the order of their event time.\n"
                                         : " among all rows, in the order of their event time.\n");
    for (uint32_t v = 0; v < p->variable_count; v++) print_condition(e, node, &p->variable[v]);
    wr_buf_add_cstr(e->out, "  A match begins with ");
    print_beginning(p, e->out);
    wr_buf_add_cstr(e->out, ".\n");
    print_steps(e, p);
    print_death(e, p, &ends);
    print_report(e, p, &ends);
    print_clauses(e, p);
    print_kept(e, node);
    const char *why;
    enum wr_matcher_class matcher = wr_explain_matcher(e->program, p, &why);
    wr_buf_printf(e->out, "  Matcher: %s, because %s.\n", wr_matcher_class_name(matcher), why);
    wr_buf_add_cstr(e->out, "  State of a key: ");
    wr_explain_bound(e, number, ".\n  ", e->out);
    wr_buf_printf(e->out, ".\n  Rows that come too late %s.\n",
                  p->late_into ? "are sent on by LATE INTO" : "are counted as late and not taken");
}

/* ---- The automaton --------------------------------------------------------------------------- */

static void print_list(const struct wr_pattern_node *p, uint32_t start, uint32_t count, bool first,
                       struct wr_buf *out)
{
    for (uint32_t i = 0; i < count; i++) {
        const struct wr_follow *f = &p->follow[start + i];
        wr_buf_add_cstr(out, i ? ", " : "");
        if (f->position == WR_ACCEPT) {
            wr_buf_add_cstr(out, f->flags & WR_FOLLOW_AT_END ? "end$" : f->flags ? "^end" : "end");
            continue;
        }
        wr_explain_entry(p, f, first, out);
        wr_buf_printf(out, "%u", f->position);
        for (uint32_t k = 0; k < f->claim_count; k++)
            wr_buf_printf(out, "%s%u", k ? "," : "\\", p->follow[p->claim[f->claim + k]].position);
    }
    wr_buf_add_char(out, '\n');
}

void wr_explain_automaton(const struct wr_explain *e, const struct wr_node *node)
{
    const struct wr_pattern_node *p = &node->u.pattern;
    size_t width = 5;
    for (uint32_t i = 0; i < p->position_count; i++)
        width = WR_MAX(width, strlen(variable_at(p, i)));
    wr_buf_printf(e->out, "  position  %-*s  what may follow, in order of preference\n", (int)width,
                  "takes");
    wr_buf_printf(e->out, "  begin     %-*s  ", (int)width, "");
    print_list(p, p->first, p->first_count, true, e->out);
    for (uint32_t i = 0; i < p->position_count; i++) {
        struct wr_buf takes = {0};
        if (is_absence(p, i)) {
            wr_buf_printf(&takes, "!%s ", variable_at(p, i));
            if (p->position[i].absence_us == WR_ABSENCE_WITHIN) wr_buf_add_cstr(&takes, "within");
            else wr_explain_duration(p->position[i].absence_us, &takes);
        } else {
            wr_buf_printf(&takes, p->position[i].excluded ? "{%s}" : "%s", variable_at(p, i));
        }
        wr_buf_printf(e->out, "  %-8u  %-*s  ", i, (int)width, wr_buf_cstr(&takes));
        wr_buf_release(&takes);
        print_list(p, p->position[i].follow, p->position[i].follow_count, false, e->out);
    }
}
