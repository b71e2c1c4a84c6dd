/* The form of a sequence read as a picture: for other matchers and for people. */
#include "runtime/match_sequence.h"

#include <stdlib.h>

/* What has been taken at a level on the way to the start at hand. */
struct taken {
    uint32_t row;        /* in the picture; of a moment that of the row before it */
    struct wr_row_id id;
};

struct drawing {
    struct wr_pattern *p;
    struct wr_slice in;
    struct wr_seq_run run;
    struct wr_picture *picture;
    uint32_t first;      /* position of level 1 */
    struct taken path[WR_SEQUENCE_MAX + 1];
    uint64_t before;     /* number of the last start's row */
};

static const struct wr_pattern_position *position_of(const struct drawing *d, uint32_t level)
{
    return &d->p->spec->position[d->first + level - 1];
}

static bool is_moment(const struct wr_pattern_position *position)
{
    return position->absence_us != WR_ABSENCE_NONE;
}

static bool draw_row(struct drawing *d, const struct wr_row_id *id, uint32_t variable, uint32_t *row)
{
    struct wr_picture *picture = d->picture;
    uint32_t keep = d->p->plan.keep_count;
    struct wr_picture_row drawn = {.id = *id, .variable = variable, .value = (uint32_t)picture->value.count};
    for (uint32_t k = 0; k < keep; k++) {
        enum wr_class cls = (enum wr_class)d->p->keep.cls[k];
        struct wr_value value = {.cls = d->p->keep.cls[k], .flag = WR_FLAG_NULL};
        bool needed = d->p->plan.needed[(size_t)variable * keep + k];
        if (needed && !wr_get_near_value(&d->in, cls, id->place.time, &value)) return false;
        wr_vec_push(&picture->value, value);
    }
    *row = (uint32_t)picture->row.count;
    wr_vec_push(&picture->row, drawn);
    return true;
}

/* A start that has taken what stands in the path up to `levels`. */
static void draw_start(struct drawing *d, uint32_t levels)
{
    struct wr_picture *picture = d->picture;
    WR_ASSERT(levels && !is_moment(position_of(d, 1)));
    for (uint32_t level = 1; level <= levels; level++) {
        const struct wr_pattern_position *position = position_of(d, level);
        struct wr_picture_link link = {.previous = level > 1 ? (uint32_t)picture->link.count : 0,
                                       .flags = position->excluded ? WR_LINK_EXCLUDED : 0};
        if (is_moment(position)) {
            link.flags = WR_LINK_MOMENT;
            link.moment = position->variable;
            link.time = d->path[level].id.place.time;
            d->path[level].row = d->path[level - 1].row;
        }
        link.row = d->path[level].row;
        wr_vec_push(&picture->link, link);
    }
    wr_vec_push(&picture->start, (struct wr_picture_start){d->path[1].id, (uint32_t)picture->thread.count, 1});
    wr_vec_push(&picture->thread, (struct wr_picture_thread){.link = (uint32_t)picture->link.count,
                                                             .position = (uint16_t)(d->first + levels - 1),
                                                             .alive = (uint32_t)picture->alive.count});
    wr_vec_push(&picture->alive, 1); /* the one entry there is */
}

/* As the matcher reads it: match_sequence_state.c. */
static bool draw_list(struct drawing *d, uint32_t levels, uint32_t level, uint64_t below)
{
    bool moment = is_moment(position_of(d, level));
    uint64_t before = 0;
    for (bool last = false; !last;) {
        struct taken *taken = &d->path[level];
        if (!wr_seq_get_item(d->p, &d->in, moment, &d->run, &taken->id, &last)) return false;
        if (!moment) {
            if (taken->id.sequence <= before || taken->id.sequence >= below) return false;
            before = taken->id.sequence;
            if (!draw_row(d, &taken->id, position_of(d, level)->variable, &taken->row)) return false;
        }
        if (level > 1) {
            if (!draw_list(d, levels, level - 1, moment ? below : before)) return false;
            continue;
        }
        if (before <= d->before) return false;
        d->before = before;
        draw_start(d, levels);
    }
    return true;
}

static int row_order(const void *a, const void *b)
{
    const struct wr_picture_row *x = a, *y = b;
    if (x->id.sequence != y->id.sequence) return x->id.sequence < y->id.sequence ? -1 : 1;
    return (x->variable > y->variable) - (x->variable < y->variable);
}

/* Rows in their order, each once: links, which name them, follow. */
static void sort_rows(struct wr_picture *picture)
{
    size_t count = picture->row.count, kept = 0;
    if (!count) return;
    struct wr_picture_row *drawn = wr_alloc(count * sizeof *drawn), *row = picture->row.at;
    memcpy(drawn, row, count * sizeof *drawn);
    qsort(row, count, sizeof *row, row_order);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || row_order(&row[kept - 1], &row[i]) != 0) row[kept++] = row[i];
    picture->row.count = kept;
    for (size_t i = 0; i < picture->link.count; i++) {
        struct wr_picture_link *link = &picture->link.at[i];
        const struct wr_picture_row *at = bsearch(&drawn[link->row], row, kept, sizeof *row, row_order);
        WR_ASSERT(at);
        link->row = (uint32_t)(at - row);
    }
    wr_free(drawn);
}

static bool is_sequence(const struct wr_pattern *p)
{
    if (wr_pattern_class_refuses(p->spec, WR_MATCHER_SEQUENCE) || p->plan.alive_words != 1) return false;
    for (uint32_t a = 0; a < p->spec->aggregate_count; a++)
        if (p->plan.accumulator[a] != WR_NONE) return false;
    return true;
}

bool wr_seq_picture_of(struct wr_pattern *p, struct wr_slice in, struct wr_picture *picture)
{
    if (!is_sequence(p)) return false;
    struct drawing d = {.p = p, .in = in, .run = {.source = WR_NONE}, .picture = picture, .first = wr_pattern_first(p->spec)};
    uint32_t levels = p->spec->position_count - d.first - 1;
    uint8_t seen = 0;
    uint64_t open;
    int64_t time;
    if (p->spec->lead_count && (!wr_get_u8(&d.in, &seen) || seen > 1)) return false;
    picture->more.seen = seen;
    for (uint32_t i = 0; i < p->spec->lead_count; i++) {
        if (!wr_get_i64(&d.in, &time)) return false;
        wr_vec_push(&picture->lead, time);
    }
    if (!wr_get_uint(&d.in, &open) || open & 1 || open >> (levels + 1) || (!open && !p->spec->lead_count)) return false;
    for (uint32_t level = levels; level; level--)
        if (open >> level & 1 && !draw_list(&d, level, level, UINT64_MAX)) return false;
    sort_rows(picture);
    return d.in.size == 0;
}
