/* Chains of taken rows. A link holds one taken row, its predecessor, and the running history that conditions read:
 * the last or first rows of some sets, and accumulators. Links are counted, prefixes are shared, nothing is copied
 * but that history. */
#include "runtime/match_general.h"

void wr_links_init(struct wr_pattern *p, struct wr_general *g)
{
    g->accumulators = (uint32_t)((sizeof(struct wr_link) + p->plan.slot_count * sizeof(uint32_t) + 7) & ~(size_t)7);
    wr_slab_init(&g->links, g->accumulators + p->plan.accumulator_size);
    wr_slab_init(&g->rows, sizeof(struct wr_kept) + p->keep.size);
    wr_links_clear(p, g);
}

void wr_links_release(struct wr_pattern *p, struct wr_general *g)
{
    WR_UNUSED(p);
    wr_slab_release(&g->links);
    wr_slab_release(&g->rows);
}

/* Forgets every link and row (the caller has cleared p->strings) and makes the root. */
void wr_links_clear(struct wr_pattern *p, struct wr_general *g)
{
    wr_slab_clear(&g->links);
    wr_slab_clear(&g->rows);
    g->current = 0;
    g->root = wr_slab_alloc(&g->links);
    struct wr_link *root = wr_link_at(g, g->root);
    memset(root, 0, g->links.cell_size);
    root->ref = 1;
    root->variable = UINT16_MAX;
    for (uint32_t a = 0; a < p->spec->aggregate_count; a++) {
        if (p->plan.accumulator[a] != WR_NONE)
            wr_aggregate_init(&p->spec->aggregate[a], wr_link_accumulators(g, root) + p->plan.accumulator[a]);
    }
}

/* ---- Rows --------------------------------------------------------------------------------------- */

static void kept_free(struct wr_pattern *p, struct wr_general *g, uint32_t id)
{
    wr_layout_drop(&p->keep, wr_kept_at(g, id)->data, p->strings);
    wr_slab_free(&g->rows, id);
}

/* The row being handled, kept when it is first wanted. */
static uint32_t kept_current(struct wr_pattern *p, struct wr_general *g, uint32_t row)
{
    if (g->current) return g->current;
    g->current = wr_slab_alloc(&g->rows);
    struct wr_kept *kept = wr_kept_at(g, g->current);
    kept->id = wr_pattern_row_id(p, row);
    kept->ref = 0;
    wr_layout_store(&p->keep, kept->data, p->batch, row, p->strings);
    return g->current;
}

void wr_kept_settle(struct wr_pattern *p, struct wr_general *g)
{
    if (g->current && !wr_kept_at(g, g->current)->ref) kept_free(p, g, g->current);
    g->current = 0;
}

uint32_t wr_kept_add(struct wr_general *g, const struct wr_row_id *id)
{
    uint32_t row = wr_slab_alloc(&g->rows);
    struct wr_kept *kept = wr_kept_at(g, row);
    memset(kept, 0, g->rows.cell_size);
    kept->id = *id;
    return row;
}

/* ---- Links -------------------------------------------------------------------------------------- */

static void accumulators_copy(struct wr_pattern *p, char *to, const char *from)
{
    if (WR_LIKELY(!p->plan.accumulators_owning)) {
        memcpy(to, from, p->plan.accumulator_size);
        return;
    }
    for (uint32_t a = 0; a < p->spec->aggregate_count; a++) {
        uint32_t at = p->plan.accumulator[a];
        if (at != WR_NONE) wr_aggregate_copy(&p->spec->aggregate[a], to + at, from + at, p->strings);
    }
}

static void accumulators_add(struct wr_pattern *p, char *cells, uint16_t variable, uint32_t row)
{
    for (uint32_t a = 0; a < p->spec->aggregate_count; a++) {
        const struct wr_aggregate *aggregate = &p->spec->aggregate[a];
        if (p->plan.accumulator[a] == WR_NONE || !wr_pattern_set_has(p->spec, aggregate->set, variable)) continue;
        const struct wr_vector *column = p->batch->column;
        if (aggregate->filter != WR_NONE) {
            struct wr_value pass = wr_vector_at(&column[aggregate->filter], row);
            if (pass.flag != WR_FLAG_VALUE || !pass.u.boolean) continue;
        }
        struct wr_value argument = {0}, second = {0};
        if (aggregate->column != WR_NONE) argument = wr_vector_at(&column[aggregate->column], row);
        if (aggregate->column2 != WR_NONE) second = wr_vector_at(&column[aggregate->column2], row);
        wr_aggregate_add(aggregate, cells + p->plan.accumulator[a], aggregate->column != WR_NONE ? &argument : NULL,
                         aggregate->column2 != WR_NONE ? &second : NULL, p->strings);
    }
}

static void tracks_add(const struct wr_pattern *p, struct wr_link *link, uint16_t variable, uint32_t row)
{
    for (uint32_t t = 0; t < p->plan.track_count; t++) {
        const struct wr_track *track = &p->plan.track[t];
        if (!track->cached || !wr_pattern_set_has(p->spec, track->set, variable)) continue;
        uint32_t *id = &link->id[track->slot];
        if (track->first) {
            for (uint32_t i = 0; i < track->count; i++) {
                if (id[i]) continue;
                id[i] = row;
                break;
            }
        } else {
            for (uint32_t i = track->count - 1; i > 0; i--) id[i] = id[i - 1];
            id[0] = row;
        }
    }
}

/* A link behind `previous`, with its tracks up to date and its predecessor's accumulators. */
uint32_t wr_link_add(struct wr_pattern *p, struct wr_general *g, uint32_t previous, uint32_t row, uint16_t variable)
{
    WR_ASSERT(row != 0 && variable < p->spec->variable_count);
    uint32_t id = wr_slab_alloc(&g->links);
    struct wr_link *link = wr_link_at(g, id), *before = wr_link_at(g, previous);
    link->previous = previous;
    link->row = row;
    link->ref = 1;
    link->variable = variable;
    link->number = 0;
    if (p->plan.slot_count) {
        memcpy(link->id, before->id, p->plan.slot_count * sizeof *link->id);
        tracks_add(p, link, variable, row);
    }
    before->ref++;
    wr_kept_at(g, row)->ref++;
    if (p->plan.accumulator_size)
        accumulators_copy(p, wr_link_accumulators(g, link), wr_link_accumulators(g, before));
    return id;
}

static uint32_t link_new(struct wr_pattern *p, struct wr_general *g, uint32_t parent, uint16_t variable, uint32_t row)
{
    uint32_t id = wr_link_add(p, g, parent, kept_current(p, g, row), variable);
    if (p->plan.accumulator_size) accumulators_add(p, wr_link_accumulators(g, wr_link_at(g, id)), variable, row);
    return id;
}

void wr_link_unref(struct wr_pattern *p, struct wr_general *g, uint32_t id)
{
    for (;;) {
        struct wr_link *link = wr_link_at(g, id);
        WR_ASSERT(link->ref > 0);
        if (--link->ref) return;
        WR_ASSERT(id != g->root);
        if (p->plan.accumulators_owning) {
            for (uint32_t a = 0; a < p->spec->aggregate_count; a++) {
                uint32_t at = p->plan.accumulator[a];
                if (at != WR_NONE)
                    wr_aggregate_release(&p->spec->aggregate[a], wr_link_accumulators(g, link) + at, p->strings);
            }
        }
        struct wr_kept *kept = wr_kept_at(g, link->row);
        if (--kept->ref == 0 && link->row != g->current) kept_free(p, g, link->row);
        uint32_t previous = link->previous;
        wr_slab_free(&g->links, id);
        id = previous;
    }
}

/* ---- History ------------------------------------------------------------------------------------ */

/* Row number `offset` of a track from its end (LAST) or front (FIRST); 0: there is none. */
static uint32_t track_row(const struct wr_pattern *p, const struct wr_general *g, const struct wr_link *link,
                          const struct wr_track *track, uint32_t offset)
{
    WR_DCHECK(offset < track->count);
    if (WR_LIKELY(track->cached)) return link->id[track->slot + offset];
    uint32_t wanted = offset;
    if (track->first) {
        uint32_t members = 0;
        for (const struct wr_link *l = link; l->row; l = wr_link_at(g, l->previous))
            members += wr_pattern_set_has(p->spec, track->set, l->variable);
        if (members <= offset) return 0;
        wanted = members - 1 - offset;
    }
    for (const struct wr_link *l = link; l->row; l = wr_link_at(g, l->previous)) {
        if (wr_pattern_set_has(p->spec, track->set, l->variable) && wanted-- == 0) return l->row;
    }
    return 0;
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
    uint32_t row = track_row(p, g, link, &p->plan.track[from->track], from->offset);
    if (!row) return (struct wr_value){.cls = cls, .flag = WR_FLAG_NULL};
    uint16_t slot = p->keep.slot[from->column];
    WR_ASSERT(slot != WR_LAYOUT_NONE);
    return wr_layout_at(&p->keep, wr_kept_at(g, row)->data, slot, p->strings);
}

static struct wr_value row_value(const struct wr_pattern *p, const struct wr_source_of *from, uint32_t row)
{
    if (from->kind == WR_INPUT_SPECIAL) {
        return (struct wr_value){.cls = WR_CLASS_I64, .u.i64 = p->batch->event_time[row]};
    }
    uint32_t column = from->kind == WR_INPUT_KEY ? p->spec->key[from->column] : from->column;
    return wr_vector_at(&p->batch->column[column], row);
}

/* The part of a variable's condition that reads more than the row, over the history of `link`. */
static bool condition_holds(struct wr_pattern *p, struct wr_general *g, struct wr_condition *condition,
                            uint32_t link_id, uint32_t row)
{
    struct wr_row_frame *frame = condition->frame;
    struct wr_link *link = wr_link_at(g, link_id);
    uint64_t sequence = p->sequence + row + 1;
    bool fill = condition->filled != sequence;
    if (fill) condition->failed = false;
    if (p->plan.accumulators_owning) wr_arena_clear(&p->strings_built);
    for (uint32_t i = 0; i < frame->code->input_count; i++) {
        const struct wr_source_of *from = &condition->input[i];
        bool of_row = from->kind == WR_INPUT_COLUMN || from->kind == WR_INPUT_KEY || from->kind == WR_INPUT_SPECIAL;
        if (!of_row) frame->value[i] = history_value(p, g, link, from, frame->code->register_class[i]);
        else if (fill) frame->value[i] = row_value(p, from, row);
    }
    condition->filled = sequence;
    wr_row_frame_run(frame);
    const struct wr_value *result = wr_row_frame_result(frame, 0);
    if (WR_UNLIKELY(result->flag == WR_FLAG_ERROR) && !condition->failed) {
        condition->failed = true;
        wr_operator_count_error(&p->op, p->batch, row, (enum wr_reason)result->reason,
                                p->spec->variable[condition - p->plan.condition].name);
    }
    return result->flag == WR_FLAG_VALUE && result->u.boolean;
}

static uint32_t link_take(struct wr_pattern *p, struct wr_general *g, uint32_t parent, uint16_t variable, uint32_t row)
{
    if (!wr_variable_bit(p, variable, row)) return 0;
    struct wr_condition *condition = &p->plan.condition[variable];
    if (WR_LIKELY(!condition->frame)) return link_new(p, g, parent, variable, row);
    if (!condition->own) {
        return condition_holds(p, g, condition, parent, row) ? link_new(p, g, parent, variable, row) : 0;
    }
    /* What it reads counts this row in: so the link is made first. */
    uint32_t id = link_new(p, g, parent, variable, row);
    if (condition_holds(p, g, condition, id, row)) return id;
    wr_link_unref(p, g, id);
    return 0;
}

uint32_t wr_link_take(struct wr_pattern *p, struct wr_general *g, uint32_t parent, uint16_t variable, uint32_t row)
{
    uint32_t id = link_take(p, g, parent, variable, row);
    if (WR_UNLIKELY(p->trace != NULL)) wr_trace_step(p, g, parent, variable, row, id);
    return id;
}
