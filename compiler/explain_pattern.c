/* A pattern in plain words, and its automaton as a table. */
#include "compiler/explain.h"

#include "vm/pattern_class.h"

static const char *variable_at(const struct wr_pattern_node *p, uint32_t position)
{
    return p->variable[p->position[position].variable].name;
}

/* ---- What begins it, what comes next --------------------------------------------------------- */

/* "a small, else a large": each name once. */
static void print_beginning(const struct wr_pattern_node *p, struct wr_buf *out)
{
    bool any = false;
    for (uint32_t i = 0; i < p->first_count; i++) {
        uint32_t q = p->follow[p->first + i].position;
        bool again = false;
        for (uint32_t k = 0; k < i && q != WR_ACCEPT; k++) {
            uint32_t earlier = p->follow[p->first + k].position;
            again |= earlier != WR_ACCEPT &&
                     p->position[earlier].variable == p->position[q].variable;
        }
        if (again) continue;
        wr_buf_add_cstr(out, any ? ", else " : "");
        if (q == WR_ACCEPT) wr_buf_add_cstr(out, "no row at all");
        else wr_buf_printf(out, "a row that is '%s'", variable_at(p, q));
        any = true;
    }
}

static void print_follow(const struct wr_pattern_node *p, uint32_t position, struct wr_buf *out)
{
    const struct wr_pattern_position *at = &p->position[position];
    for (uint32_t i = 0; i < at->follow_count; i++) {
        const struct wr_follow *f = &p->follow[at->follow + i];
        wr_buf_add_cstr(out, i ? ", else " : "");
        if (f->position == WR_ACCEPT) wr_buf_add_cstr(out, "the match is whole");
        else if (f->connector == 0)
            wr_buf_printf(out, "'%s' on the very next row", variable_at(p, f->position));
        else wr_buf_printf(out, "the next '%s'", variable_at(p, f->position));
    }
}

/* Copies of an element that go on alike share a line. */
static void print_steps(const struct wr_explain *e, const struct wr_pattern_node *p)
{
    struct wr_buf line = {0}, last = {0};
    uint32_t same = 0;
    for (uint32_t i = 0; i <= p->position_count; i++) {
        wr_buf_clear(&line);
        if (i < p->position_count) {
            wr_buf_printf(&line, "  After '%s': ", variable_at(p, i));
            print_follow(p, i, &line);
        }
        if (i && wr_slice_equal(wr_buf_slice(&line), wr_buf_slice(&last))) {
            same++;
            continue;
        }
        if (i) {
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
    bool arrow;       /* somewhere an arrow waits */
    bool at_once, waits;
};

static struct ends find_ends(const struct wr_pattern_node *p)
{
    struct ends e = {0};
    for (uint32_t i = 0; i < p->position_count; i++) {
        const struct wr_follow *f = &p->follow[p->position[i].follow];
        uint32_t n = p->position[i].follow_count;
        bool arrow = false, strict = false, accept = false;
        for (uint32_t k = 0; k < n; k++) {
            accept |= f[k].position == WR_ACCEPT;
            arrow |= f[k].position != WR_ACCEPT && f[k].connector != 0;
            strict |= f[k].position != WR_ACCEPT && f[k].connector == 0;
        }
        e.arrow |= arrow;
        e.strict_only |= strict && !arrow && !accept;
        if (accept && f[0].position == WR_ACCEPT) e.at_once = true;
        else if (accept) e.waits = true;
    }
    return e;
}

static void print_death(const struct wr_explain *e, const struct wr_pattern_node *p,
                        const struct ends *ends)
{
    if (!ends->strict_only && !ends->arrow && p->within_us < 0) return;
    wr_buf_add_cstr(e->out, "  A partial match ");
    if (ends->strict_only) {
        wr_buf_add_cstr(e->out,
                        "dies when the very next row of its key is needed and is another one");
        if (p->within_us >= 0) wr_buf_add_cstr(e->out, ", and when ");
        else if (ends->arrow)
            wr_buf_add_cstr(e->out, "; where it waits for a later row, it waits for ever");
    } else if (p->within_us >= 0) {
        wr_buf_add_cstr(e->out, "dies when ");
    } else {
        wr_buf_add_cstr(e->out, "never dies: it waits for a later row for ever");
    }
    if (p->within_us >= 0) {
        wr_explain_duration(p->within_us, e->out);
        wr_buf_add_cstr(e->out, " have passed since its first row");
    }
    wr_buf_add_cstr(e->out, ".\n");
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
                      : "  A match is reported with its last row");
    if (p->after_match == WR_AFTER_NEXT_ROW) {
        wr_buf_add_cstr(
            e->out, ".\n  Each row may begin a match of its own, also one inside another match.\n");
    } else {
        wr_buf_add_cstr(e->out, ", once no earlier start can take its rows away.\n"
                                "  After a match the search goes on behind its last row.\n");
    }
}

/* ---- Conditions ------------------------------------------------------------------------------ */

static void print_condition(const struct wr_explain *e, const struct wr_node *node,
                            const struct wr_pattern_variable *v)
{
    if (!v->text[0]) {
        wr_buf_printf(e->out, "  Any row is '%s'.\n", v->name);
        return;
    }
    wr_buf_printf(e->out, "  A row is '%s' when %s", v->name, v->text);
    if (v->condition != WR_NONE) {
        const struct wr_code *code = &e->program->code[v->condition];
        bool any = false;
        for (uint32_t i = 0; i < code->input_count; i++) {
            if (code->input[i].kind == WR_INPUT_COLUMN || code->input[i].kind == WR_INPUT_SPECIAL)
                continue;
            wr_buf_add_cstr(e->out, any ? ", " : "; with ");
            wr_explain_input(e->program, node, &code->input[i], e->out);
            any = true;
        }
        wr_buf_add_cstr(e->out, " of the rows taken so far");
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
    print_kept(e, node);
    wr_buf_printf(e->out, "  Matcher: %s, because %s.\n",
                  wr_matcher_class_name(wr_pattern_class(p)), wr_pattern_class_why(p));
    wr_buf_add_cstr(e->out, "  State of a key: ");
    wr_explain_bound(e->program, node, e->out);
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
        if (f->position == WR_ACCEPT) wr_buf_add_cstr(out, "end");
        else
            wr_buf_printf(out, "%s%u",
                          first || f->connector == 0 ? ""
                          : f->connector == 1        ? "-> "
                                                     : "->> ",
                          f->position);
    }
    wr_buf_add_char(out, '\n');
}

void wr_explain_automaton(const struct wr_explain *e, const struct wr_node *node)
{
    const struct wr_pattern_node *p = &node->u.pattern;
    size_t width = 5;
    for (uint32_t v = 0; v < p->variable_count; v++)
        width = WR_MAX(width, strlen(p->variable[v].name));
    wr_buf_printf(e->out, "  position  %-*s  what may follow, in order of preference\n", (int)width,
                  "takes");
    wr_buf_printf(e->out, "  begin     %-*s  ", (int)width, "");
    print_list(p, p->first, p->first_count, true, e->out);
    for (uint32_t i = 0; i < p->position_count; i++) {
        wr_buf_printf(e->out, "  %-8u  %-*s  ", i, (int)width, variable_at(p, i));
        print_list(p, p->position[i].follow, p->position[i].follow_count, false, e->out);
    }
}
