/* What became of a start of a pattern, in words. */
#include "cli/why.h"

#include "base/slice.h"
#include "cli/wtest.h"
#include "vm/text.h"

struct telling {
    const weir_start *start;
    const struct wr_why_words *words;
    struct wr_buf *out;
};

static void put_time(struct telling *t, int64_t us)
{
    char text[WR_TEXT_MAX];
    if (t->words->time) t->words->time(t->words->context, us, t->out);
    else wr_buf_add(t->out, text, wr_print_timestamp(text, us));
}

static void put_name(struct telling *t, const weir_row *row)
{
    if (*row->stream) {
        t->words->row(t->words->context, row, t->out);
    } else {
        wr_buf_add_cstr(t->out, "the result of ");
        put_time(t, row->time_us);
    }
}

static bool is_match(const weir_start *start)
{
    return start->end == WEIR_START_MATCH || start->end == WEIR_START_SUPPRESSED;
}

size_t wr_why_rows(const weir_start *start)
{
    size_t rows = 0;
    for (size_t i = 0; i < start->row_count; i++) rows += !start->rows[i].is_moment;
    return rows;
}

static void put_rows(struct telling *t)
{
    for (size_t i = 0; i < t->start->row_count; i++) {
        const weir_row *row = &t->start->rows[i];
        const char *variable = row->variable ? row->variable : "?";
        if (row->is_moment) {
            wr_buf_printf(t->out, "    then no %s came until ", variable);
            put_time(t, row->time_us);
        } else {
            wr_buf_printf(t->out, "    %s took ", variable);
            put_name(t, row);
            if (row->text) wr_buf_printf(t->out, "  %s", row->text);
        }
        wr_buf_add_char(t->out, '\n');
    }
}

/* ---- What did not carry it on ------------------------------------------------------------------- */

static void put_condition(struct telling *t, const weir_refusal *r)
{
    bool until = r->kind == WEIR_REFUSED_CLOSED; /* its name is its condition */
    if (until) wr_buf_printf(t->out, ": %s", r->variable);
    else if (*r->condition) wr_buf_printf(t->out, ": %s", r->condition);
    if (*r->values) wr_buf_printf(t->out, ", where %s", r->values);
    wr_buf_add_char(t->out, '\n');
}

/* The variable that took the last row or moment. */
static const char *last_taken(const weir_start *start)
{
    WR_ASSERT(start->row_count > 0);
    const char *name = start->rows[start->row_count - 1].variable;
    return name ? name : "it";
}

static void put_refusal(struct telling *t, const weir_refusal *r)
{
    const char *last = last_taken(t->start);
    wr_buf_add_cstr(t->out, "    ");
    if (r->kind == WEIR_REFUSED_CONDITION || r->kind == WEIR_REFUSED_EARLY || r->kind == WEIR_REFUSED_BOUND ||
        r->kind == WEIR_REFUSED_CLAIMED)
        wr_buf_printf(t->out, "%s refused ", r->variable);
    put_name(t, &r->row);
    switch (r->kind) {
    case WEIR_REFUSED_EARLY:
    case WEIR_REFUSED_BOUND:
        wr_buf_printf(t->out, r->kind == WEIR_REFUSED_EARLY ? ": it came sooner than " : ": it came later than ");
        wr_test_print_interval(t->out, r->limit_us);
        wr_buf_printf(t->out, " after %s\n", last);
        return;
    case WEIR_REFUSED_CLAIMED:
        wr_buf_printf(t->out, ": the possessive loop of %s keeps what it can take\n", last);
        return;
    case WEIR_REFUSED_CLOSED: wr_buf_printf(t->out, " closed the loop of %s", last); break;
    case WEIR_REFUSED_FORBIDDEN:
        wr_buf_printf(t->out, " satisfied %s, which must not come between %s and %s", r->variable, last, r->awaited);
        break;
    case WEIR_REFUSED_ABSENCE:
        wr_buf_printf(t->out, " satisfied %s, which must not come ", r->variable);
        if (r->limit_us < 0) wr_buf_add_cstr(t->out, "until the time of WITHIN is up");
        else {
            wr_buf_add_cstr(t->out, "within ");
            wr_test_print_interval(t->out, r->limit_us);
            wr_buf_printf(t->out, " of %s", last);
        }
        break;
    default: break;
    }
    put_condition(t, r);
}

/* ---- How it ended ------------------------------------------------------------------------------- */

static void put_waits(struct telling *t, const char *before)
{
    if (*t->start->waits) wr_buf_printf(t->out, "%s%s", before, t->start->waits);
}

static void put_by(struct telling *t)
{
    const weir_start *s = t->start;
    put_name(t, &s->by_first);
    if (s->by_first.record == s->by_last.record && s->by_first.partition == s->by_last.partition &&
        strcmp(s->by_first.stream, s->by_last.stream) == 0)
        return;
    wr_buf_add_cstr(t->out, " to ");
    put_name(t, &s->by_last);
}

static void put_limit(struct telling *t, const char *before, const char *behind)
{
    wr_buf_add_cstr(t->out, before);
    if (t->start->limit_us >= 0) wr_test_print_interval(t->out, t->start->limit_us);
    wr_buf_add_cstr(t->out, behind);
}

/* Ends that a row or a moment of the pattern itself brought. */
static void put_death(struct telling *t)
{
    const weir_start *s = t->start;
    switch (s->end) {
    case WEIR_START_DIED:
        wr_buf_add_cstr(t->out, "it ended there: the very next row of its key had to be ");
        wr_buf_add_cstr(t->out, *s->waits ? s->waits : "the next one");
        break;
    case WEIR_START_FORBIDDEN: wr_buf_add_cstr(t->out, "it ended there"); break;
    case WEIR_START_CLOSED:
        wr_buf_add_cstr(t->out, "it ended there: nothing else could take that row");
        break;
    case WEIR_START_CLAIMED: wr_buf_add_cstr(t->out, "it ended there"); break;
    case WEIR_START_BOUND:
        wr_buf_add_cstr(t->out, "it ended at ");
        put_time(t, s->end_us);
        put_waits(t, ", waiting for ");
        put_limit(t, ": it had to come no later than ", " after ");
        wr_buf_add_cstr(t->out, last_taken(s));
        break;
    case WEIR_START_EXPIRED:
        wr_buf_add_cstr(t->out, "it ended by WITHIN ");
        put_limit(t, "", " at ");
        put_time(t, s->end_us);
        put_waits(t, ", waiting for ");
        break;
    default:
        wr_buf_add_cstr(t->out, "it ended with the input");
        put_waits(t, ", waiting for ");
        break;
    }
}

/* Ends that other starts, limits, or rows before it brought. */
static bool put_outside(struct telling *t)
{
    const weir_start *s = t->start;
    switch (s->end) {
    case WEIR_START_TAKEN:
        wr_buf_add_cstr(t->out, "it ended because a match before it, of ");
        put_by(t);
        wr_buf_printf(t->out, ", took its row away (AFTER MATCH %s)", s->cause);
        return true;
    case WEIR_START_COVERED:
        wr_buf_add_cstr(t->out, "it was not followed: the earlier start at ");
        put_by(t);
        wr_buf_add_cstr(t->out, " was open, and its match would take this row away");
        return true;
    case WEIR_START_LIMIT:
        wr_buf_add_cstr(t->out, "it was dropped at ");
        put_time(t, s->end_us);
        wr_buf_add_cstr(t->out, ": more starts of its key were open than LIMIT … STARTS PER KEY allows (ON LIMIT)");
        return true;
    case WEIR_START_SUPPRESSED:
        wr_buf_add_cstr(t->out, "it was not given: a match of the key had been given at ");
        put_time(t, s->by_us);
        put_limit(t, ", less than ", " before (SUPPRESS)");
        return true;
    case WEIR_START_LED:
        wr_buf_printf(t->out, "it could not begin: a %s had come at ", s->cause);
        put_time(t, s->by_us);
        put_limit(t, ", less than ", " before (NOT … FOR)");
        return true;
    default: return false;
    }
}

static void put_end(struct telling *t)
{
    const weir_start *s = t->start;
    if (s->end == WEIR_START_MATCH) {
        if (!s->waited) return;
        wr_buf_add_cstr(t->out, "    it was told only at ");
        put_time(t, s->end_us);
        if (s->waited & WEIR_WAITED_PREFERRED)
            wr_buf_add_cstr(t->out, ": until then a longer one, which is preferred, could still come");
        else wr_buf_add_cstr(t->out, ": until then an earlier start could still take its rows away");
        wr_buf_add_char(t->out, '\n');
        return;
    }
    wr_buf_add_cstr(t->out, "    ");
    if (!put_outside(t)) put_death(t);
    wr_buf_add_char(t->out, '\n');
}

void wr_why_print_start(const weir_start *start, const struct wr_why_words *words, struct wr_buf *out)
{
    struct telling t = {start, words, out};
    size_t rows = wr_why_rows(start);
    wr_buf_add_cstr(out, start->pattern);
    if (*start->key) wr_buf_printf(out, " for %s", start->key);
    wr_buf_printf(out, start->end == WEIR_START_MATCH        ? ": a match of %zu row%s\n"
                       : start->end == WEIR_START_SUPPRESSED ? ": a suppressed match of %zu row%s\n"
                                                             : ": came as far as %zu row%s\n",
                  rows, rows == 1 ? "" : "s");
    put_rows(&t);
    if (!is_match(start)) {
        if (start->refused > start->refusal_count)
            wr_buf_printf(out, "    … %llu refusals before\n",
                          (unsigned long long)(start->refused - start->refusal_count));
        for (size_t i = 0; i < start->refusal_count; i++) put_refusal(&t, &start->refusals[i]);
    }
    put_end(&t);
}

void wr_why_print_beginnings(const struct wr_program *program, const char *pattern, struct wr_buf *out)
{
    for (uint32_t i = 0; i < program->node_count; i++) {
        const struct wr_node *n = &program->node[i];
        if (n->kind != WR_NODE_PATTERN ||
            !wr_slice_equal_nocase(wr_slice_cstr(program->query[n->query]),
                                   wr_slice_cstr(pattern)))
            continue;
        const struct wr_pattern_node *p = &n->u.pattern;
        for (uint32_t f = 0; f < p->first_count; f++) {
            const struct wr_follow *follow = &p->follow[p->first + f];
            if (follow->position == WR_ACCEPT) continue;
            const struct wr_pattern_variable *v =
                &p->variable[p->position[follow->position].variable];
            wr_buf_printf(out, "    it begins with %s%s%s\n", v->name,
                          *v->text ? " AS " : ", which takes any row", v->text);
            if (follow->flags & WR_FOLLOW_AT_START) wr_buf_add_cstr(out, "    and only with the first row of its key\n");
        }
    }
}
