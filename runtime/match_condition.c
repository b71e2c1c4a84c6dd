/* Conditions over chains: the history that they read, their evaluation, and whether two chains look the same to all of
 * them. */
#include "runtime/match_general.h"

/* ---- History ------------------------------------------------------------------------------------ */

/* The link of the row that FIRST or LAST of a set with an offset names; 0: there is none. */
static const struct wr_link *link_of_set(const struct wr_pattern *p, const struct wr_general *g,
                                         const struct wr_link *link, uint32_t set, uint32_t offset, bool from_first)
{
    uint32_t members = 0;
    for (const struct wr_link *l = link; from_first && l->row; l = wr_link_at(g, l->previous))
        members += !wr_link_is_moment(l) && wr_pattern_set_has(p->spec, set, l->variable);
    if (from_first && offset >= members) return NULL;
    uint32_t wanted = from_first ? members - 1 - offset : offset;
    for (const struct wr_link *l = link; l->row; l = wr_link_at(g, l->previous)) {
        if (!wr_link_is_moment(l) && wr_pattern_set_has(p->spec, set, l->variable) && wanted-- == 0) return l;
    }
    return NULL;
}

/* Row number `offset` of a track from its end (LAST) or front (FIRST); 0: there is none. */
static uint32_t track_row(const struct wr_pattern *p, const struct wr_general *g, const struct wr_link *link,
                          const struct wr_track *track, uint32_t offset)
{
    WR_DCHECK(offset < track->count);
    if (WR_LIKELY(track->cached)) return link->id[track->slot + offset];
    const struct wr_link *of = link_of_set(p, g, link, track->set, offset, track->first);
    return of ? of->row : 0;
}

static bool track_agrees(const struct wr_pattern *p, const struct wr_general *g, const struct wr_link *a,
                         const struct wr_link *b, const struct wr_track *track, uint32_t offset)
{
    for (uint32_t i = 0; i <= offset; i++) {
        uint32_t row = track_row(p, g, a, track, i);
        if (row != track_row(p, g, b, track, i)) return false;
        if (!row) break;
    }
    return true;
}

/* The variable as which a chain has taken a kept row; WR_NONE: it has not. */
static uint32_t variable_of_row(const struct wr_general *g, const struct wr_link *link, uint32_t row)
{
    for (const struct wr_link *l = link; row && l->row; l = wr_link_at(g, l->previous))
        if (l->row == row && !wr_link_is_moment(l)) return l->variable;
    return WR_NONE;
}

static struct wr_value classifier(const struct wr_pattern *p, const struct wr_general *g, const struct wr_link *link,
                                  const struct wr_source_of *from)
{
    uint32_t variable = WR_NONE;
    const struct wr_link *of = link_of_set(p, g, link, from->set, from->offset, from->from_first);
    if (of && !from->step) variable = of->variable;
    else if (of) variable = variable_of_row(g, link, wr_general_step(p, of->row, from->step));
    if (variable == WR_NONE) return (struct wr_value){.cls = WR_CLASS_STR, .flag = WR_FLAG_NULL};
    return (struct wr_value){.cls = WR_CLASS_STR, .u.str = wr_slice_cstr(p->spec->variable[variable].name)};
}

/* Whatever is taken from here on, CLASSIFIER reads the same of both: of the rows that it may name now, and of those
 * that rows still to come may step back to. */
static bool classifier_agrees(const struct wr_pattern *p, const struct wr_general *g, const struct wr_link *a,
                              const struct wr_link *b, const struct wr_input *input)
{
    for (uint32_t i = 0; i <= input->offset; i++) {
        const struct wr_link *x = link_of_set(p, g, a, input->set, i, input->from_first);
        const struct wr_link *y = link_of_set(p, g, b, input->set, i, input->from_first);
        if (!x || !y) {
            if (x != y) return false;
            break;
        }
        if (x->row != y->row || x->variable != y->variable) return false;
        uint32_t row = input->step ? wr_general_step(p, x->row, input->step) : 0;
        if (row && variable_of_row(g, a, row) != variable_of_row(g, b, row)) return false;
    }
    if (input->step >= 0) return true;
    uint32_t row = g->current ? g->current : wr_rows_last(g, &g->key_more.at[g->at_key]);
    for (int i = 0; i > input->step && row; i--, row = wr_general_step(p, row, -1))
        if (variable_of_row(g, a, row) != variable_of_row(g, b, row)) return false;
    return true;
}

bool wr_link_agrees(const struct wr_pattern *p, const struct wr_general *g, uint32_t a, uint32_t b,
                    const uint64_t *reads)
{
    if (!reads || a == b) return true;
    struct wr_link *la = wr_link_at(g, a), *lb = wr_link_at(g, b);
    for (uint32_t word = 0; word < p->spec->reads_words; word++) {
        for (uint64_t bits = reads[word]; bits; bits &= bits - 1) {
            uint32_t h = word * 64 + (uint32_t)__builtin_ctzll(bits);
            WR_DCHECK(h < p->spec->history_count);
            const struct wr_input *input = &p->spec->history[h];
            if (p->plan.history_track[h] != WR_NONE) {
                if (!track_agrees(p, g, la, lb, &p->plan.track[p->plan.history_track[h]], input->offset)) return false;
                continue;
            }
            if (input->kind == WR_INPUT_SPECIAL) {
                if (!classifier_agrees(p, g, la, lb, input)) return false;
                continue;
            }
            uint32_t at = p->plan.accumulator[input->column];
            if (at == WR_NONE) continue; /* no condition reads it */
            size_t size = wr_aggregate_size(&p->spec->aggregate[input->column]);
            if (memcmp(wr_link_accumulators(g, la) + at, wr_link_accumulators(g, lb) + at, size) != 0) return false;
        }
    }
    return true;
}

/* ---- Conditions --------------------------------------------------------------------------------- */

static struct wr_value history_value(struct wr_pattern *p, const struct wr_general *g, struct wr_link *link,
                                     const struct wr_source_of *from, uint8_t cls)
{
    if (from->kind == WR_INPUT_AGGREGATE) {
        return wr_aggregate_result(&p->spec->aggregate[from->column],
                                   wr_link_accumulators(g, link) + p->plan.accumulator[from->column], p->strings,
                                   &p->strings_built);
    }
    if (from->kind == WR_INPUT_SPECIAL) return classifier(p, g, link, from);
    uint32_t row = from->kind == WR_INPUT_COLUMN
                       ? g->current
                       : track_row(p, g, link, &p->plan.track[from->track], from->offset);
    if (row && from->step) row = wr_general_step(p, row, from->step);
    if (!row) return (struct wr_value){.cls = cls, .flag = WR_FLAG_NULL};
    return wr_general_column(p, row, from->column);
}

static struct wr_value row_value(const struct wr_pattern *p, const struct wr_general *g,
                                 const struct wr_source_of *from, uint32_t row)
{
    if (from->kind == WR_INPUT_SPECIAL) {
        int64_t time = row == WR_NONE ? g->time - p->plan.behind : p->batch->event_time[row];
        return (struct wr_value){.cls = WR_CLASS_I64, .u.i64 = time};
    }
    if (from->kind == WR_INPUT_KEY) {
        if (row == WR_NONE) return wr_keytable_value(p->keys, g->at_key, from->column);
        return wr_vector_at(&p->batch->column[p->spec->key[from->column]], row);
    }
    return wr_current_value(p, g, row, from->column);
}

/* Does it depend on the row being handled alone, whatever has been taken? */
static bool is_of_row(const struct wr_source_of *from)
{
    if (from->kind == WR_INPUT_SPECIAL) return from->column == WR_SPECIAL_EVENT_TIME;
    return (from->kind == WR_INPUT_COLUMN && !from->step) || from->kind == WR_INPUT_KEY;
}

static void count_error(struct wr_pattern *p, const struct wr_general *g, uint32_t variable, enum wr_reason reason,
                        uint32_t row)
{
    if (row != WR_NONE) {
        wr_operator_count_error(&p->op, p->batch, row, reason, p->spec->variable[variable].name);
        return;
    }
    wr_operator_count(&p->op, wr_reason_name(reason), wr_reason_code(reason), wr_kept_at(g, g->current)->id.place);
}

/* The part of a variable's condition that reads more than the row, over the history of `link`. */
bool wr_condition_holds(struct wr_pattern *p, struct wr_general *g, struct wr_condition *condition, uint32_t link_id,
                        uint32_t row)
{
    struct wr_row_frame *frame = condition->frame;
    struct wr_link *link = wr_link_at(g, link_id);
    uint64_t sequence = g->sequence;
    bool fill = condition->filled != sequence;
    if (fill) condition->failed = false;
    if (p->plan.accumulators_owning) wr_arena_clear(&p->strings_built);
    for (uint32_t i = 0; i < frame->code->input_count; i++) {
        const struct wr_source_of *from = &condition->input[i];
        if (!is_of_row(from)) frame->value[i] = history_value(p, g, link, from, frame->code->register_class[i]);
        else if (fill) frame->value[i] = row_value(p, g, from, row);
    }
    condition->filled = sequence;
    wr_row_frame_run(frame);
    const struct wr_value *result = wr_row_frame_result(frame, 0);
    if (WR_UNLIKELY(result->flag == WR_FLAG_ERROR) && !condition->failed) {
        condition->failed = true;
        count_error(p, g, (uint32_t)(condition - p->plan.condition), (enum wr_reason)result->reason, row);
    }
    return result->flag == WR_FLAG_VALUE && result->u.boolean;
}

