/* Chains of taken rows and moments. A link holds one of them, its predecessor, and the running history that conditions read:
 * the last or first rows of some sets, and accumulators. Links are counted, prefixes are shared, nothing is copied
 * but that history. */
#include "runtime/match_general.h"

void wr_links_init(struct wr_pattern *p, struct wr_general *g)
{
    g->accumulators = (uint32_t)((sizeof(struct wr_link) + p->plan.slot_count * sizeof(uint32_t) + 7) & ~(size_t)7);
    wr_slab_init(&g->links, g->accumulators + p->plan.accumulator_size);
    uint32_t bits = p->spec->next_max ? (p->spec->variable_count + 63) / 64 : 0;
    g->listed = (uint32_t)(sizeof(struct wr_kept) + p->keep.size + bits * sizeof(uint64_t));
    wr_slab_init(&g->rows, g->listed + (p->plan.rows ? sizeof(struct wr_listed) : 0));
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

void wr_kept_unref(struct wr_pattern *p, struct wr_general *g, uint32_t id)
{
    struct wr_kept *kept = wr_kept_at(g, id);
    WR_ASSERT(kept->ref > 0);
    if (--kept->ref == 0 && id != g->current) kept_free(p, g, id);
}

uint32_t wr_kept_current(struct wr_pattern *p, struct wr_general *g, uint32_t row)
{
    if (g->current) return g->current;
    g->current = wr_slab_alloc(&g->rows);
    struct wr_kept *kept = wr_kept_at(g, g->current);
    kept->id = wr_pattern_row_id(p, row);
    kept->ref = kept->matched = 0;
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

struct wr_value wr_current_value(const struct wr_pattern *p, const struct wr_general *g, uint32_t row, uint32_t column)
{
    if (WR_LIKELY(row != WR_NONE)) return wr_vector_at(&p->batch->column[column], row);
    return wr_general_column(p, g->current, column);
}

static void accumulators_add(struct wr_pattern *p, const struct wr_general *g, char *cells, uint16_t variable,
                             uint32_t row)
{
    for (uint32_t a = 0; a < p->spec->aggregate_count; a++) {
        const struct wr_aggregate *aggregate = &p->spec->aggregate[a];
        if (p->plan.accumulator[a] == WR_NONE || !wr_pattern_set_has(p->spec, aggregate->set, variable)) continue;
        if (aggregate->filter != WR_NONE) {
            struct wr_value pass = wr_current_value(p, g, row, aggregate->filter);
            if (pass.flag != WR_FLAG_VALUE || !pass.u.boolean) continue;
        }
        struct wr_value argument = {0}, second = {0};
        if (aggregate->column == WR_COLUMN_CLASSIFIER)
            argument = (struct wr_value){.cls = WR_CLASS_STR,
                                         .u.str = wr_slice_cstr(p->spec->variable[variable].name)};
        else if (aggregate->column != WR_NONE) argument = wr_current_value(p, g, row, aggregate->column);
        if (aggregate->column2 != WR_NONE) second = wr_current_value(p, g, row, aggregate->column2);
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
uint32_t wr_link_add(struct wr_pattern *p, struct wr_general *g, uint32_t previous, uint32_t row, uint16_t variable,
                     uint16_t flags, int64_t time)
{
    WR_ASSERT(row != 0 && variable < p->spec->variable_count);
    uint32_t id = wr_slab_alloc(&g->links);
    struct wr_link *link = wr_link_at(g, id), *before = wr_link_at(g, previous);
    link->previous = previous;
    link->row = row;
    link->ref = 1;
    link->variable = variable;
    link->flags = flags;
    if (p->plan.slot_count) {
        memcpy(link->id, before->id, p->plan.slot_count * sizeof *link->id);
        if (!(flags & WR_LINK_MOMENT)) tracks_add(p, link, variable, row);
        if (p->plan.time_slot != WR_NONE) memcpy(link->id + p->plan.time_slot, &time, sizeof time);
    }
    before->ref++;
    wr_kept_at(g, row)->ref++;
    if (p->plan.accumulator_size)
        accumulators_copy(p, wr_link_accumulators(g, link), wr_link_accumulators(g, before));
    return id;
}

static uint32_t link_new(struct wr_pattern *p, struct wr_general *g, uint32_t parent, uint16_t variable,
                         uint16_t flags, uint32_t row)
{
    uint32_t kept = wr_kept_current(p, g, row);
    uint32_t id = wr_link_add(p, g, parent, kept, variable, flags, wr_kept_at(g, kept)->id.place.time);
    if (p->plan.accumulator_size) accumulators_add(p, g, wr_link_accumulators(g, wr_link_at(g, id)), variable, row);
    return id;
}

uint32_t wr_link_moment(struct wr_pattern *p, struct wr_general *g, uint32_t parent, uint16_t variable, int64_t time)
{
    WR_ASSERT(parent != g->root && p->plan.time_slot != WR_NONE);
    return wr_link_add(p, g, parent, wr_link_at(g, parent)->row, variable, WR_LINK_MOMENT, time);
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
        wr_kept_unref(p, g, link->row);
        uint32_t previous = link->previous;
        wr_slab_free(&g->links, id);
        id = previous;
    }
}

/* ---- Taking a row ------------------------------------------------------------------------------ */

static uint32_t link_take(struct wr_pattern *p, struct wr_general *g, uint32_t parent, uint16_t variable,
                          uint16_t flags, uint32_t row)
{
    if (!wr_row_bit(p, g, variable, row)) return 0;
    struct wr_condition *condition = &p->plan.condition[variable];
    if (WR_LIKELY(!condition->frame)) return link_new(p, g, parent, variable, flags, row);
    if (!condition->own) {
        return wr_condition_holds(p, g, condition, parent, row) ? link_new(p, g, parent, variable, flags, row) : 0;
    }
    /* What it reads counts this row in: so the link is made first. */
    uint32_t id = link_new(p, g, parent, variable, flags, row);
    if (wr_condition_holds(p, g, condition, id, row)) return id;
    wr_link_unref(p, g, id);
    return 0;
}

uint32_t wr_link_take(struct wr_pattern *p, struct wr_general *g, uint32_t parent, uint16_t variable, uint16_t flags,
                      uint32_t row)
{
    return link_take(p, g, parent, variable, flags, row);
}

static bool link_holds(struct wr_pattern *p, struct wr_general *g, uint32_t parent, uint16_t variable, uint32_t row)
{
    if (!wr_row_bit(p, g, variable, row)) return false;
    if (!p->plan.condition[variable].frame) return true;
    uint32_t id = link_take(p, g, parent, variable, 0, row);
    if (id) wr_link_unref(p, g, id);
    return id != 0;
}

bool wr_link_holds(struct wr_pattern *p, struct wr_general *g, uint32_t parent, uint16_t variable, uint32_t row)
{
    bool holds = link_holds(p, g, parent, variable, row);
    if (WR_UNLIKELY(p->trace != NULL)) wr_watch_count(p->watch, p->op.id, wr_cover_variable(variable, holds), 1);
    return holds;
}
