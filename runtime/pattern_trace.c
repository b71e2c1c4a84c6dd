/* The trace of a pattern: for each start how far its best candidate came, what refused to carry it on, with what it
 * read, and how it ended. Only where somebody watches starts (runtime/watch.h); the general matcher calls it. */
#include "runtime/pattern_trace.h"
#include "vm/text.h"

static void forget_refusals(struct wr_traced *t)
{
    for (uint32_t i = 0; i < t->refusals; i++) {
        wr_free(t->refusal[i].values);
        wr_free(t->refusal[i].text);
    }
    t->refusals = 0;
    t->refused = 0;
}

static void traced_release(struct wr_traced *t)
{
    WR_ASSERT(t->best.count <= t->seen.count && t->refusals <= WR_REFUSALS_KEPT);
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
    wr_trace_columns(p->input, &p->trace->shown);
    p->trace->encoder = wr_watch_encoder(p->watch, &p->trace->shown);
}

void wr_trace_release(struct wr_pattern *p)
{
    struct wr_pattern_trace *trace = p->trace;
    if (!trace) return;
    for (size_t i = 0; i < trace->start.count; i++) traced_release(&trace->start.at[i]);
    if (trace->encoder) trace->encoder->cls->free(trace->encoder);
    wr_vec_release(&trace->start);
    wr_vec_release(&trace->chain);
    wr_vec_release(&trace->column);
    wr_free((void *)(uintptr_t)trace->shown.column);
    wr_buf_release(&trace->buf);
    wr_buf_release(&trace->waits);
    wr_buf_release(&trace->skip);
    wr_free(trace);
}

/* ---- Starts and chains --------------------------------------------------------------------------- */

static struct wr_traced *find(struct wr_pattern_trace *trace, uint64_t sequence, size_t *at)
{
    size_t low = 0, high = trace->start.count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (trace->start.at[middle].sequence < sequence) low = middle + 1;
        else high = middle;
    }
    *at = low;
    return low < trace->start.count && trace->start.at[low].sequence == sequence ? &trace->start.at[low] : NULL;
}

/* Room for a start at its place. */
static struct wr_traced *add(struct wr_pattern_trace *trace, uint64_t sequence, size_t at)
{
    WR_ASSERT(at <= trace->start.count);
    wr_vec_push(&trace->start, (struct wr_traced){0});
    memmove(&trace->start.at[at + 1], &trace->start.at[at], (trace->start.count - 1 - at) * sizeof *trace->start.at);
    trace->start.at[at] = (struct wr_traced){.sequence = sequence};
    return &trace->start.at[at];
}

static uint64_t sequence_of(const struct wr_general *g, uint32_t link)
{
    return wr_kept_at(g, wr_link_at(g, link)->row)->id.sequence;
}

/* The links from `id` back to the first row; its start, NULL: it has none yet. */
static struct wr_traced *walk(struct wr_pattern *p, const struct wr_general *g, uint32_t id, size_t *at)
{
    struct wr_pattern_trace *trace = p->trace;
    wr_vec_clear(&trace->chain);
    for (; wr_link_at(g, id)->row; id = wr_link_at(g, id)->previous) wr_vec_push(&trace->chain, id);
    return trace->chain.count ? find(trace, sequence_of(g, wr_vec_last(&trace->chain)), at) : NULL;
}

static uint32_t seen_index(const struct wr_traced *t, const struct wr_general *g, uint32_t id)
{
    const struct wr_link *link = wr_link_at(g, id);
    uint64_t sequence = sequence_of(g, id);
    for (size_t i = t->seen.count; i-- > 0;) {
        const struct wr_trace_seen *s = &t->seen.at[i];
        if (s->sequence == sequence && s->variable == link->variable && s->is_moment == wr_link_is_moment(link))
            return (uint32_t)i;
    }
    return WR_NONE;
}

/* Is the chain at hand the best one? */
static bool is_best(const struct wr_pattern *p, const struct wr_general *g, const struct wr_traced *t)
{
    size_t count = p->trace->chain.count;
    return t && count && count == t->best.count && seen_index(t, g, p->trace->chain.at[0]) == wr_vec_last(&t->best);
}

static void make_best(struct wr_pattern *p, const struct wr_general *g, struct wr_traced *t)
{
    wr_vec_clear(&t->best);
    for (size_t i = p->trace->chain.count; i-- > 0;) {
        uint32_t index = seen_index(t, g, p->trace->chain.at[i]);
        if (index != WR_NONE) wr_vec_push(&t->best, index);
    }
    t->lost = false;
    forget_refusals(t);
}

static void took(struct wr_pattern *p, const struct wr_general *g, uint32_t link, struct wr_trace_seen now)
{
    size_t at = 0;
    struct wr_traced *t = walk(p, g, link, &at);
    WR_ASSERT(p->trace->chain.count > 0 && now.variable < p->spec->variable_count);
    if (!t) t = add(p->trace, sequence_of(g, wr_vec_last(&p->trace->chain)), at);
    wr_vec_push(&t->seen, now);
    if (p->trace->chain.count > t->best.count) make_best(p, g, t);
}

/* ---- Steps ----------------------------------------------------------------------------------- */

void wr_trace_turn(struct wr_pattern *p, const struct wr_thread *t)
{
    WR_ASSERT(p->trace && !t->ended);
    p->trace->worst = WR_WATCH_MATCH;
}

/* Of several things that end a candidate the one that says most is told. */
static void blame_end(struct wr_pattern_trace *trace, enum wr_watch_end end, int64_t limit_us)
{
    static const uint8_t rank[] = {[WR_WATCH_DIED] = 1, [WR_WATCH_BOUND] = 2, [WR_WATCH_CLAIMED] = 3,
                                   [WR_WATCH_CLOSED] = 4, [WR_WATCH_FORBIDDEN] = 5};
    WR_ASSERT(end < WR_COUNT(rank) && rank[end]);
    if (trace->worst != WR_WATCH_MATCH && rank[trace->worst] >= rank[end]) return;
    trace->worst = end;
    trace->worst_limit = limit_us;
}

static void note(struct wr_pattern *p, const struct wr_general *g, uint32_t link, struct wr_blame blame,
                 uint16_t awaited, uint32_t row)
{
    size_t at = 0;
    struct wr_traced *t = walk(p, g, link, &at);
    if (!is_best(p, g, t)) return;
    struct wr_place place = wr_trace_place(p, row);
    struct wr_trace_refusal *last = t->refusals ? &t->refusal[t->refusals - 1] : NULL;
    if (last && wr_place_compare(last->place, place) == 0 && last->blame.variable == blame.variable &&
        last->blame.kind == blame.kind)
        return; /* another candidate asked the same */
    t->refused++;
    if (t->refusals == WR_REFUSALS_KEPT) {
        wr_free(t->refusal[0].values);
        wr_free(t->refusal[0].text);
        memmove(t->refusal, t->refusal + 1, (WR_REFUSALS_KEPT - 1) * sizeof *t->refusal);
        t->refusals--;
    }
    struct wr_trace_refusal *r = &t->refusal[t->refusals++];
    *r = (struct wr_trace_refusal){.blame = blame, .awaited = awaited, .place = place};
    r->values = wr_trace_values(p, blame.variable, row);
    r->text = wr_trace_row(p, row);
}

/* NOT b FOR d in front of everything: the start that is not made because of a b. */
static void report_led(struct wr_pattern *p, struct wr_general *g, const struct wr_follow *f, uint32_t row)
{
    uint16_t variable = p->spec->position[f->position].variable;
    if (!f->lead_count || !wr_link_holds(p, g, g->root, variable, row)) return;
    const struct wr_lead *lead = NULL;
    int64_t seen = WR_TIME_MIN;
    for (uint32_t i = f->lead; i < f->lead + f->lead_count; i++) {
        int64_t at = g->lead.at[(size_t)g->at_key * p->spec->lead_count + i];
        if (at <= seen) continue;
        seen = at;
        lead = &p->spec->lead[i];
    }
    if (!lead) return;
    struct wr_watch_row first;
    char *text = wr_trace_row(p, row);
    if (!wr_watch_row_of(p->op.task, wr_trace_place(p, row), &first)) first.stream = "";
    first.variable = p->spec->variable[variable].name;
    first.text = text;
    wr_trace_key(p, g->at_key, &p->trace->buf);
    struct wr_watch_start start = {.pattern = p->program->query[p->op.node->query],
                                   .key = wr_buf_cstr(&p->trace->buf),
                                   .end = WR_WATCH_LED,
                                   .end_time = g->time,
                                   .limit_us = lead->for_us,
                                   .rows = &first,
                                   .row_count = 1,
                                   .waits = "",
                                   .cause = p->spec->variable[lead->variable].name,
                                   .by_time = seen};
    wr_watch_start_ended(p->watch, &start);
    wr_free(text);
}

void wr_trace_step(struct wr_pattern *p, struct wr_general *g, const struct wr_thread *t, uint32_t entry, uint32_t row,
                   enum wr_verdict verdict, uint32_t taken)
{
    const struct wr_step *step = &p->plan.step[t->position];
    const struct wr_follow *f = &step->follow[entry];
    WR_ASSERT(p->trace && entry < step->entries);
    if (f->position == WR_ACCEPT) return;
    uint16_t variable = p->spec->position[f->position].variable;
    if (verdict == WR_ENTRY_TAKES) wr_watch_count(p->watch, p->op.id, wr_cover_variable(variable, taken != 0), 1);
    if (taken) {
        uint32_t number = (uint32_t)(step->follow - p->spec->follow) + entry;
        wr_watch_count(p->watch, p->op.id, wr_cover_follow(p->spec, number), 1);
        took(p, g, taken,
             (struct wr_trace_seen){wr_trace_sequence(p, row), wr_trace_place(p, row), variable, f->position, false,
                                    wr_trace_row(p, row)});
        return;
    }
    if (step->beginning) {
        if (verdict == WR_ENTRY_DIES) report_led(p, g, f, row);
        return;
    }
    static const enum wr_watch_end ends[] = {
        [WR_REFUSAL_CONDITION] = WR_WATCH_DIED,    [WR_REFUSAL_EARLY] = WR_WATCH_DIED,
        [WR_REFUSAL_BOUND] = WR_WATCH_BOUND,       [WR_REFUSAL_CLAIMED] = WR_WATCH_CLAIMED,
        [WR_REFUSAL_CLOSED] = WR_WATCH_CLOSED,     [WR_REFUSAL_FORBIDDEN] = WR_WATCH_FORBIDDEN,
        [WR_REFUSAL_ABSENCE] = WR_WATCH_FORBIDDEN,
    };
    struct wr_blame blame = {WR_REFUSAL_CONDITION, variable, 0};
    if (verdict != WR_ENTRY_TAKES) blame = wr_entry_blame(p, g, t, entry, row);
    bool strict = wr_bit(step->strict, entry), absence = p->spec->position[f->position].absence_us != WR_ABSENCE_NONE;
    if (verdict == WR_ENTRY_DIES || strict) blame_end(p->trace, ends[blame.kind], blame.limit_us);
    if (absence && blame.kind == WR_REFUSAL_CONDITION) return; /* a row that does not matter */
    note(p, g, t->link, blame, variable, row);
}

void wr_trace_moment(struct wr_pattern *p, struct wr_general *g, const struct wr_thread *t, uint32_t entry, int64_t moment,
                     uint32_t link)
{
    const struct wr_step *step = &p->plan.step[t->position];
    const struct wr_follow *f = &step->follow[entry];
    WR_ASSERT(p->trace && f->position != WR_ACCEPT);
    if (!link) {
        blame_end(p->trace, WR_WATCH_BOUND, f->high_us);
        return;
    }
    uint32_t number = (uint32_t)(step->follow - p->spec->follow) + entry;
    wr_watch_count(p->watch, p->op.id, wr_cover_follow(p->spec, number), 1);
    took(p, g, link,
         (struct wr_trace_seen){sequence_of(g, link), {.time = moment}, wr_link_at(g, link)->variable, f->position, true, NULL});
}

void wr_trace_lost(struct wr_pattern *p, const struct wr_general *g, const struct wr_thread *from, int64_t time)
{
    size_t at = 0;
    struct wr_traced *t = walk(p, g, from->link, &at);
    if (!is_best(p, g, t) || p->trace->worst == WR_WATCH_MATCH) return;
    t->lost = true;
    t->lost_by = p->trace->worst;
    t->lost_time = time;
    t->limit_us = p->trace->worst_limit;
}

void wr_trace_seen_row(struct wr_pattern *p, uint32_t row)
{
    const char **names = wr_alloc((p->spec->variable_count + 1) * sizeof *names);
    char *text = wr_trace_row(p, row);
    struct wr_watch_seen seen = {.query = p->program->query[p->op.node->query], .variable = names};
    WR_ASSERT(p->trace && row < p->batch->rows);
    for (uint32_t v = 0; v < p->spec->variable_count; v++)
        if (wr_variable_bit(p, v, row)) names[seen.variable_count++] = p->spec->variable[v].name;
    wr_buf_clear(&p->trace->waits);
    for (uint32_t k = 0; k < p->spec->key_count; k++) { /* a key that nothing has begun for is not in the table */
        struct wr_value value = wr_vector_at(&p->batch->column[p->spec->key[k]], row);
        if (k) wr_buf_add_cstr(&p->trace->waits, ", ");
        wr_value_print(p->key_type[k], &value, &p->trace->waits);
    }
    seen.key = wr_buf_cstr(&p->trace->waits);
    if (wr_watch_row_of(p->op.task, wr_batch_place(p->batch, row), &seen.row)) {
        seen.row.text = text;
        wr_watch_seen(p->watch, &seen);
    }
    wr_free(text);
    wr_free(names);
}

/* ---- Matches ------------------------------------------------------------------------------------- */

void wr_trace_taker(struct wr_pattern *p, const struct wr_general *g, uint32_t link)
{
    size_t at = 0;
    (void)walk(p, g, link, &at);
    if (!p->trace->chain.count) return;
    p->trace->taker_last = wr_kept_at(g, wr_link_at(g, p->trace->chain.at[0])->row)->id.place;
    p->trace->taker_first = wr_kept_at(g, wr_link_at(g, wr_vec_last(&p->trace->chain))->row)->id.place;
}

void wr_trace_matched(struct wr_pattern *p, const struct wr_general *g, uint32_t link)
{
    size_t at = 0;
    struct wr_traced *t = walk(p, g, link, &at);
    wr_trace_taker(p, g, link);
    if (!t) return;
    make_best(p, g, t);
    t->matched = true;
}

void wr_trace_suppressed(struct wr_pattern *p, uint64_t first, int64_t given)
{
    size_t at;
    struct wr_traced *t = find(p->trace, first, &at);
    if (!t) return;
    t->is_suppressed = true;
    t->given = given;
}

void wr_trace_waits(struct wr_pattern *p, uint64_t first, bool earlier)
{
    size_t at;
    struct wr_traced *t = find(p->trace, first, &at);
    if (t) t->waited |= earlier ? WR_WATCH_WAITED_EARLIER : WR_WATCH_WAITED_PREFERRED;
}

void wr_trace_unbegun(struct wr_pattern *p, struct wr_general *g, uint32_t key, uint32_t row, enum wr_watch_end why)
{
    WR_ASSERT(why == WR_WATCH_TAKEN || why == WR_WATCH_COVERED);
    if (!wr_threads_begin(p, g, row)) return;
    uint32_t id = wr_slab_alloc(&g->starts);
    struct wr_start *start = wr_start_at(g, id);
    *start = (struct wr_start){.armed = WR_TIME_MAX};
    wr_threads_store(g, start);
    if (why == WR_WATCH_COVERED) {
        p->trace->taker_first = wr_start_first(g, wr_start_at(g, g->key.at[key].head))->place;
        p->trace->taker_last = p->trace->taker_first;
    }
    wr_trace_end(p, g->sequence, key, why, g->time);
    wr_threads_drop(p, g, start);
    wr_slab_free(&g->starts, id);
}

/* ---- The end of a start ---------------------------------------------------------------------- */

static struct wr_watch_row row_at(const struct wr_pattern *p, struct wr_place place, uint16_t variable, const char *text)
{
    struct wr_watch_row row;
    WR_ASSERT(variable < p->spec->variable_count);
    if (!wr_watch_row_of(p->op.task, place, &row)) row.stream = ""; /* a result of a moment */
    row.variable = p->spec->variable[variable].name;
    row.text = text && *text ? text : NULL;
    return row;
}

void wr_trace_key(struct wr_pattern *p, uint32_t key, struct wr_buf *out)
{
    wr_buf_clear(out);
    wr_pattern_put_key(p, key, out);
}

/* How the best candidate ended, where the start as a whole went in another way. */
static void judge_end(struct wr_pattern *p, const struct wr_traced *t, struct wr_watch_start *start)
{
    struct wr_pattern_trace *trace = p->trace;
    bool alive = start->end == WR_WATCH_DIED || start->end == WR_WATCH_EXPIRED || start->end == WR_WATCH_INPUT_ENDED;
    if (start->end == WR_WATCH_EXPIRED) start->limit_us = p->spec->within_us;
    if (t->lost && alive) {
        start->end = t->lost_by;
        start->end_time = t->lost_time;
        start->limit_us = t->limit_us;
    }
    if (start->end == WR_WATCH_MATCH && t->is_suppressed) {
        start->end = WR_WATCH_SUPPRESSED;
        start->limit_us = p->spec->suppress_us;
        start->by_time = t->given;
    }
    start->has_by = start->end == WR_WATCH_TAKEN || start->end == WR_WATCH_COVERED;
    if (!start->has_by) return;
    start->by_first = row_at(p, trace->taker_first, 0, NULL);
    start->by_last = row_at(p, trace->taker_last, 0, NULL);
    start->by_first.variable = start->by_last.variable = NULL;
    wr_trace_skip(p, &trace->skip);
    if (start->end == WR_WATCH_TAKEN) start->cause = wr_buf_cstr(&trace->skip);
}

static uint32_t tell_refusals(const struct wr_pattern *p, const struct wr_traced *t, struct wr_watch_refusal *to)
{
    for (uint32_t i = 0; i < t->refusals; i++) {
        const struct wr_trace_refusal *r = &t->refusal[i];
        const struct wr_pattern_variable *v = &p->spec->variable[r->blame.variable];
        to[i] = (struct wr_watch_refusal){.kind = r->blame.kind,
                                          .row = row_at(p, r->place, r->blame.variable, r->text),
                                          .variable = v->name,
                                          .condition = v->text,
                                          .values = r->values,
                                          .awaited = p->spec->variable[r->awaited].name,
                                          .limit_us = r->blame.limit_us};
    }
    return t->refusals;
}

void wr_trace_end(struct wr_pattern *p, uint64_t sequence, uint32_t key, enum wr_watch_end end, int64_t time)
{
    struct wr_pattern_trace *trace = p->trace;
    size_t at;
    WR_ASSERT(trace);
    struct wr_traced *t = find(trace, sequence, &at);
    if (end == WR_WATCH_EXPIRED) wr_watch_count(p->watch, p->op.id, WR_COVER_EXPIRED, 1);
    if (!t) return; /* a start of no row */
    struct wr_watch_row *rows = wr_alloc(sizeof *rows * (t->best.count + 1));
    struct wr_watch_refusal refusals[WR_REFUSALS_KEPT];
    for (size_t i = 0; i < t->best.count; i++) {
        const struct wr_trace_seen *s = &t->seen.at[t->best.at[i]];
        rows[i] = row_at(p, s->place, s->variable, s->text);
        rows[i].is_moment = s->is_moment;
    }
    wr_trace_key(p, key, &trace->buf);
    wr_buf_clear(&trace->waits);
    if (t->best.count && !t->matched) wr_trace_waits_for(p, t->seen.at[wr_vec_last(&t->best)].position, &trace->waits);
    struct wr_watch_start start = {.pattern = p->program->query[p->op.node->query],
                                   .key = wr_buf_cstr(&trace->buf),
                                   .end = end,
                                   .end_time = time,
                                   .limit_us = -1,
                                   .rows = rows,
                                   .row_count = t->best.count,
                                   .refusal = refusals,
                                   .refusal_count = tell_refusals(p, t, refusals),
                                   .refused = t->refused,
                                   .waits = wr_buf_cstr(&trace->waits),
                                   .cause = "",
                                   .waited = t->waited};
    judge_end(p, t, &start);
    wr_watch_start_ended(p->watch, &start);
    wr_free(rows);
    traced_release(t);
    memmove(t, t + 1, (trace->start.count - 1 - at) * sizeof *t);
    trace->start.count--;
}
