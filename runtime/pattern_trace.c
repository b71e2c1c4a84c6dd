/* The trace of a pattern: for each start how far its best candidate came, and which conditions
 * refused to go on from there, with what they read. Only where somebody watches starts
 * (runtime/watch.h); the general matcher calls it. */
#include "runtime/match_general.h"
#include "vm/text.h"

#include <ctype.h>

enum { REFUSALS_KEPT = 4 };

struct seen { /* a row that some candidate of the start has taken */
    uint64_t sequence;
    struct wr_place place;
    uint16_t variable;
    char *text;
};
struct refusal {
    struct wr_place place;
    uint16_t variable;
    char *values, *text;
};
struct traced {
    uint64_t sequence; /* of its first row */
    WR_VEC(struct seen) seen;
    WR_VEC(uint32_t) best;                 /* indices in .seen */
    struct refusal refusal[REFUSALS_KEPT]; /* the last ones, oldest first */
    uint32_t refusals;
    uint64_t refused;
};

struct wr_pattern_trace {
    WR_VEC(struct traced) start; /* by sequence */
    struct wr_encoder *encoder;
    struct wr_buf buf;
    WR_VEC(uint32_t) chain; /* links of the chain at hand, last first */
};

static void forget_refusals(struct traced *t)
{
    for (uint32_t i = 0; i < t->refusals; i++) {
        wr_free(t->refusal[i].values);
        wr_free(t->refusal[i].text);
    }
    t->refusals = 0;
    t->refused = 0;
}

static void traced_release(struct traced *t)
{
    WR_ASSERT(t->best.count <= t->seen.count && t->refusals <= REFUSALS_KEPT);
    forget_refusals(t);
    for (size_t i = 0; i < t->seen.count; i++) wr_free(t->seen.at[i].text);
    wr_vec_release(&t->seen);
    wr_vec_release(&t->best);
}

void wr_trace_init(struct wr_pattern *p)
{
    WR_ASSERT(!p->trace);
    if (!wr_watch_traces(p->watch)) return;
    p->trace = wr_alloc_zero(sizeof *p->trace);
    p->trace->encoder = wr_watch_encoder(p->watch, p->input);
}

void wr_trace_release(struct wr_pattern *p)
{
    struct wr_pattern_trace *trace = p->trace;
    if (!trace) return;
    for (size_t i = 0; i < trace->start.count; i++) traced_release(&trace->start.at[i]);
    if (trace->encoder) trace->encoder->cls->free(trace->encoder);
    wr_vec_release(&trace->start);
    wr_vec_release(&trace->chain);
    wr_buf_release(&trace->buf);
    wr_free(trace);
}

/* ---- Texts ----------------------------------------------------------------------------------- */

/* The row being handled: one of the batch, or (WR_NONE) a kept one that has waited. */
static uint64_t current_sequence(const struct wr_pattern *p, uint32_t row)
{
    return row == WR_NONE ? ((const struct wr_general *)p->state)->sequence : p->sequence + row + 1;
}

static struct wr_place current_place(const struct wr_pattern *p, uint32_t row)
{
    const struct wr_general *g = p->state;
    WR_ASSERT(row == WR_NONE ? g->current != 0 : row < p->batch->rows);
    return row == WR_NONE ? wr_kept_at(g, g->current)->id.place : wr_batch_place(p->batch, row);
}

static char *row_text(struct wr_pattern *p, uint32_t row)
{
    struct wr_buf *buf = &p->trace->buf;
    wr_buf_clear(buf);
    if (p->trace->encoder && row != WR_NONE) p->trace->encoder->cls->row(p->trace->encoder, p->batch, row, NULL, buf);
    while (buf->size && buf->data[buf->size - 1] == '\n') buf->size--;
    return wr_strdup(wr_buf_cstr(buf));
}

static void put_value(struct wr_buf *out, struct wr_type type, const struct wr_value *value)
{
    bool text = type.kind == WR_KIND_STRING && value->flag == WR_FLAG_VALUE;
    if (value->flag == WR_FLAG_ERROR) {
        wr_buf_printf(out, "an error (%s)", wr_reason_name((enum wr_reason)value->reason));
        return;
    }
    if (text) wr_buf_add_char(out, '\'');
    wr_value_print(type, value, out);
    if (text) wr_buf_add_char(out, '\'');
}

static bool is_name_char(char c)
{
    return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Does the condition name the column as one of the row itself: bare, or of its own variable? */
static bool names_column(const char *text, const char *column, const char *variable)
{
    size_t size = strlen(column), own = strlen(variable);
    for (const char *at = text; (at = strstr(at, column)); at += size) {
        if (is_name_char(at[size]) || at[size] == '(' || (at > text && is_name_char(at[-1])))
            continue;
        if (at == text || at[-1] != '.') return true;
        const char *dot = at - 1;
        if ((size_t)(dot - text) >= own && memcmp(dot - own, variable, own) == 0 &&
            ((size_t)(dot - text) == own || !is_name_char(dot[-own - 1])))
            return true;
    }
    return false;
}

static const char *set_name(const struct wr_pattern *p, uint32_t set)
{
    return set < p->spec->variable_count ? p->spec->variable[set].name : NULL;
}

static void put_history_name(const struct wr_pattern *p, const struct wr_input *input,
                             struct wr_buf *out)
{
    static const char *const fn[WR_AGG_FN_COUNT] = {[WR_AGG_COUNT_ROWS] = "COUNT",
                                                    [WR_AGG_COUNT] = "COUNT",
                                                    [WR_AGG_SUM] = "SUM",
                                                    [WR_AGG_AVG] = "AVG",
                                                    [WR_AGG_MIN] = "MIN",
                                                    [WR_AGG_MAX] = "MAX",
                                                    [WR_AGG_VAR_SAMP] = "VAR_SAMP",
                                                    [WR_AGG_STDDEV_SAMP] = "STDDEV_SAMP",
                                                    [WR_AGG_FIRST] = "FIRST",
                                                    [WR_AGG_LAST] = "LAST",
                                                    [WR_AGG_ARG_MIN] = "ARG_MIN",
                                                    [WR_AGG_ARG_MAX] = "ARG_MAX",
                                                    [WR_AGG_ANY_VALUE] = "ANY_VALUE",
                                                    [WR_AGG_STRING_AGG] = "STRING_AGG",
                                                    [WR_AGG_ARRAY_AGG] = "ARRAY_AGG",
                                                    [WR_AGG_COUNT_DISTINCT] = "COUNT_DISTINCT"};
    bool aggregate = input->kind == WR_INPUT_AGGREGATE;
    const struct wr_aggregate *a = aggregate ? &p->spec->aggregate[input->column] : NULL;
    const char *set = set_name(p, aggregate ? a->set : input->set);
    uint32_t column = aggregate ? a->column : input->column;
    const char *name = column == WR_NONE ? "*" : p->input->column[column].name;
    const char *dot = set ? "." : "";
    if (!set) set = "";
    if (aggregate) wr_buf_printf(out, "%s(%s%s%s)", fn[a->fn] ? fn[a->fn] : "?", set, dot, name);
    else if (input->kind == WR_INPUT_LAST && !input->offset)
        wr_buf_printf(out, "%s%s%s", set, dot, name);
    else if (!input->offset) wr_buf_printf(out, "FIRST(%s%s%s)", set, dot, name);
    else
        wr_buf_printf(out, "%s(%s%s%s, %u)", input->kind == WR_INPUT_LAST ? "LAST" : "FIRST", set,
                      dot, name, input->offset);
}

/* What the variable's condition read: the row's columns that it names, and the history it was
 * given. */
static char *values_of(struct wr_pattern *p, uint16_t variable, uint32_t row)
{
    struct wr_buf *out = &p->trace->buf;
    const struct wr_pattern_variable *v = &p->spec->variable[variable];
    const char *between = "";
    wr_buf_clear(out);
    for (uint32_t c = 0; c < p->input->count; c++) {
        const char *name = p->input->column[c].name;
        if (!is_name_char(name[0]) || !names_column(v->text, name, v->name)) continue;
        if (row == WR_NONE && p->keep.slot[c] == WR_LAYOUT_NONE) continue;
        struct wr_value value = wr_current_value(p, p->state, row, c);
        wr_buf_printf(out, "%s%s = ", between, name);
        put_value(out, p->input->column[c].type, &value);
        between = ", ";
    }
    const struct wr_condition *condition = &p->plan.condition[variable];
    bool asked = condition->frame && condition->filled == current_sequence(p, row) &&
                 wr_row_bit(p, p->state, variable, row);
    for (uint32_t i = 0; asked && i < condition->frame->code->input_count; i++) {
        const struct wr_input *input = &condition->frame->code->input[i];
        if (input->kind != WR_INPUT_LAST && input->kind != WR_INPUT_FIRST &&
            input->kind != WR_INPUT_AGGREGATE)
            continue;
        wr_buf_add_cstr(out, between);
        put_history_name(p, input, out);
        wr_buf_add_cstr(out, " = ");
        put_value(out, input->type, &condition->frame->value[i]);
        between = ", ";
    }
    return wr_strdup(wr_buf_cstr(out));
}

/* ---- Steps ----------------------------------------------------------------------------------- */

static struct traced *find(struct wr_pattern_trace *trace, uint64_t sequence, size_t *at)
{
    size_t low = 0, high = trace->start.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (trace->start.at[middle].sequence < sequence) low = middle + 1;
        else high = middle;
    }
    *at = low;
    return low < trace->start.count && trace->start.at[low].sequence == sequence
               ? &trace->start.at[low]
               : NULL;
}

/* Room for a start at its place. */
static struct traced *add(struct wr_pattern_trace *trace, uint64_t sequence, size_t at)
{
    WR_ASSERT(at <= trace->start.count);
    wr_vec_push(&trace->start, (struct traced){0});
    memmove(&trace->start.at[at + 1], &trace->start.at[at],
            (trace->start.count - 1 - at) * sizeof *trace->start.at);
    trace->start.at[at] = (struct traced){.sequence = sequence};
    return &trace->start.at[at];
}

/* The links from `id` back to the first row. */
static void walk(struct wr_pattern *p, const struct wr_general *g, uint32_t id)
{
    wr_vec_clear(&p->trace->chain);
    for (; wr_link_at(g, id)->row; id = wr_link_at(g, id)->previous)
        wr_vec_push(&p->trace->chain, id);
}

static uint64_t sequence_of(const struct wr_general *g, uint32_t link)
{
    return wr_kept_at(g, wr_link_at(g, link)->row)->id.sequence;
}

static uint32_t seen_index(const struct traced *t, uint64_t sequence, uint16_t variable)
{
    for (size_t i = t->seen.count; i-- > 0;)
        if (t->seen.at[i].sequence == sequence && t->seen.at[i].variable == variable)
            return (uint32_t)i;
    return WR_NONE;
}

static void took(struct wr_pattern *p, const struct wr_general *g, uint32_t link, uint16_t variable,
                 uint32_t row)
{
    struct wr_pattern_trace *trace = p->trace;
    size_t at;
    walk(p, g, link);
    WR_ASSERT(trace->chain.count > 0 && variable < p->spec->variable_count);
    uint64_t first = sequence_of(g, wr_vec_last(&trace->chain));
    struct traced *t = find(trace, first, &at);
    if (!t) t = add(trace, first, at);
    struct seen now = {current_sequence(p, row), current_place(p, row), variable, row_text(p, row)};
    wr_vec_push(&t->seen, now);
    if (trace->chain.count <= t->best.count) return;
    wr_vec_clear(&t->best);
    for (size_t i = trace->chain.count; i-- > 0;) {
        uint32_t index = seen_index(t, sequence_of(g, trace->chain.at[i]),
                                    wr_link_at(g, trace->chain.at[i])->variable);
        if (index != WR_NONE) wr_vec_push(&t->best, index);
    }
    forget_refusals(t);
}

static void refused(struct wr_pattern *p, const struct wr_general *g, uint32_t parent,
                    uint16_t variable, uint32_t row)
{
    struct wr_pattern_trace *trace = p->trace;
    size_t at;
    walk(p, g, parent);
    if (!trace->chain.count) return;
    struct traced *t = find(trace, sequence_of(g, wr_vec_last(&trace->chain)), &at);
    if (!t || trace->chain.count != t->best.count ||
        t->seen.at[wr_vec_last(&t->best)].sequence != sequence_of(g, trace->chain.at[0]))
        return;
    struct wr_place place = current_place(p, row);
    if (t->refusals && wr_place_compare(t->refusal[t->refusals - 1].place, place) == 0 &&
        t->refusal[t->refusals - 1].variable == variable)
        return; /* another candidate asked the same */
    t->refused++;
    if (t->refusals == REFUSALS_KEPT) {
        wr_free(t->refusal[0].values);
        wr_free(t->refusal[0].text);
        memmove(t->refusal, t->refusal + 1, (REFUSALS_KEPT - 1) * sizeof *t->refusal);
        t->refusals--;
    }
    struct refusal *r = &t->refusal[t->refusals];
    *r = (struct refusal){.place = place, .variable = variable};
    t->refusals++;
    r->values = values_of(p, variable, row);
    r->text = row_text(p, row);
}

void wr_trace_step(struct wr_pattern *p, const struct wr_general *g, uint32_t parent,
                   uint16_t variable, uint32_t row, uint32_t taken)
{
    WR_ASSERT(p->trace);
    wr_watch_count(p->watch, p->op.id, wr_cover_variable(variable, taken != 0), 1);
    if (taken) took(p, g, taken, variable, row);
    else refused(p, g, parent, variable, row);
}

void wr_trace_follow(struct wr_pattern *p, uint32_t follow)
{
    WR_ASSERT(p->trace && follow < p->spec->follow_count);
    wr_watch_count(p->watch, p->op.id, wr_cover_follow(p->spec, follow), 1);
}

/* ---- The end of a start ---------------------------------------------------------------------- */

static struct wr_watch_row row_at(const struct wr_pattern *p, struct wr_place place,
                                  uint16_t variable, const char *text)
{
    struct wr_watch_row row;
    WR_ASSERT(variable < p->spec->variable_count);
    if (!wr_watch_row_of(p->op.task, place, &row)) row.stream = ""; /* a result of a moment */
    row.variable = p->spec->variable[variable].name;
    row.text = text;
    return row;
}

static void put_key(struct wr_pattern *p, uint32_t key, struct wr_buf *out)
{
    for (uint32_t k = 0; p->keys && k < p->spec->key_count; k++) {
        struct wr_value value = wr_keytable_value(p->keys, key, k);
        if (k) wr_buf_add_cstr(out, ", ");
        wr_value_print(p->key_type[k], &value, out);
    }
}

void wr_trace_end(struct wr_pattern *p, uint64_t sequence, uint32_t key, enum wr_watch_end end,
                  int64_t time)
{
    struct wr_pattern_trace *trace = p->trace;
    size_t at;
    WR_ASSERT(trace);
    struct traced *t = find(trace, sequence, &at);
    if (end == WR_WATCH_EXPIRED) wr_watch_count(p->watch, p->op.id, WR_COVER_EXPIRED, 1);
    if (!t) return; /* a start of no row */
    struct wr_watch_row *rows = wr_alloc(sizeof *rows * (t->best.count + 1));
    struct wr_watch_refusal refusals[REFUSALS_KEPT];
    for (size_t i = 0; i < t->best.count; i++) {
        const struct seen *s = &t->seen.at[t->best.at[i]];
        rows[i] = row_at(p, s->place, s->variable, s->text);
    }
    for (uint32_t i = 0; i < t->refusals; i++) {
        const struct refusal *r = &t->refusal[i];
        const struct wr_pattern_variable *v = &p->spec->variable[r->variable];
        refusals[i] = (struct wr_watch_refusal){row_at(p, r->place, r->variable, r->text), v->name,
                                                v->text, r->values};
    }
    wr_buf_clear(&trace->buf);
    put_key(p, key, &trace->buf);
    struct wr_watch_start start = {.pattern = p->program->query[p->op.node->query],
                                   .key = wr_buf_cstr(&trace->buf),
                                   .end = end,
                                   .end_time = time,
                                   .rows = rows,
                                   .row_count = t->best.count,
                                   .refusal = refusals,
                                   .refusal_count = t->refusals,
                                   .refused = t->refused};
    wr_watch_start_ended(p->watch, &start);
    wr_free(rows);
    traced_release(t);
    memmove(t, t + 1, (trace->start.count - 1 - at) * sizeof *t);
    trace->start.count--;
}
