/* The sequence matcher's state as a picture, and back; and what must hold of it. */
#include "runtime/match_sequence.h"

/* Items of a list and below it, by level: oldest start first, each older than `*before`, farther than those behind. */
static void check_list(const struct wr_seq *s, uint32_t level, uint32_t id, uint64_t *before, uint32_t *count)
{
    for (; id; id = wr_seq_item_at(s, level, id)->next) {
        const struct wr_seq_item *item = wr_seq_item_at(s, level, id);
        WR_ASSERT((level == 1) == (item->child == 0));
        WR_ASSERT(wr_seq_oldest(item, level) == wr_seq_leaf(s, level, id)->id.place.time);
        WR_ASSERT(s->level[level].moment == (item->id.sequence == 0));
        count[level]++;
        if (level > 1) {
            check_list(s, level - 1, item->child, before, count);
        } else {
            WR_ASSERT(item->id.sequence > *before);
            *before = item->id.sequence;
        }
    }
}

void wr_seq_check(const struct wr_pattern *p)
{
    const struct wr_seq *s = p->state;
    uint32_t count[WR_SEQUENCE_MAX] = {0};
    for (uint32_t key = 0; key < s->keys; key++) {
        struct wr_seq_view k;
        uint64_t before = 0;
        wr_seq_open(s, key, &k);
        for (uint32_t level = s->levels; level; level--) {
            WR_ASSERT((k.list[level].head == 0) == (k.list[level].tail == 0));
            WR_ASSERT((k.list[level].head != 0) == (k.open >> level & 1));
            if (k.list[level].tail) WR_ASSERT(wr_seq_item_at(s, level, k.list[level].tail)->next == 0);
            check_list(s, level, k.list[level].head, &before, count);
        }
    }
    for (uint32_t level = 1; level <= s->levels; level++) WR_ASSERT(count[level] == s->level[level].slab.live);
}

/* ---- State ----------------------------------------------------------------------------------------- */

/* A moment's row is the one before it. */
static void draw_start(const struct wr_seq *s, uint32_t levels, struct wr_seq_item *const *path,
                       struct wr_picture *picture)
{
    uint32_t taken = 1; /* the level of the row that was taken last */
    for (uint32_t level = 1; level <= levels; level++) {
        const struct wr_seq_level *at = &s->level[level];
        struct wr_picture_link link = {.previous = level > 1 ? (uint32_t)picture->link.count : 0,
                                       .flags = at->excluded ? WR_LINK_EXCLUDED : 0};
        if (at->moment) {
            link.flags = WR_LINK_MOMENT;
            link.moment = at->variable;
            link.time = path[level]->id.place.time;
        } else {
            taken = level;
        }
        wr_vec_push(&picture->row, (struct wr_picture_row){.id = path[taken]->id,
                                                           .variable = s->level[taken].variable,
                                                           .layout = &s->level[taken].layout,
                                                           .cell = wr_seq_cell(path[taken], taken)});
        wr_vec_push(&picture->link, link);
    }
    wr_vec_push(&picture->start, (struct wr_picture_start){path[1]->id, (uint32_t)picture->thread.count, 1});
    wr_vec_push(&picture->thread, (struct wr_picture_thread){.link = (uint32_t)picture->link.count,
                                                             .position = (uint16_t)(s->first + levels - 1),
                                                             .alive = (uint32_t)picture->alive.count});
    wr_vec_push(&picture->alive, 1); /* the one entry there is */
}

static void draw_list(const struct wr_seq *s, uint32_t levels, uint32_t level, uint32_t id,
                      struct wr_seq_item **path, struct wr_picture *picture)
{
    for (; id; id = wr_seq_item_at(s, level, id)->next) {
        path[level] = wr_seq_item_at(s, level, id);
        if (level > 1) draw_list(s, levels, level - 1, path[level]->child, path, picture);
        else draw_start(s, levels, path, picture);
    }
}

void wr_seq_save(struct wr_pattern *p, uint32_t key, struct wr_picture *picture)
{
    const struct wr_seq *s = p->state;
    if (key >= s->keys) return;
    struct wr_seq_item *path[WR_SEQUENCE_MAX];
    struct wr_seq_view k;
    wr_seq_open(s, key, &k);
    for (uint32_t level = s->levels; level; level--) draw_list(s, level, level, k.list[level].head, path, picture);
    if (s->lead_count) picture->more.seen = s->seen[key] != 0;
    for (uint32_t i = 0; i < s->lead_count; i++) wr_vec_push(&picture->lead, s->led[(size_t)key * s->lead_count + i]);
}

/* Of what a key has beside its starts a sequence knows the leads alone. False: the same key twice, or more than that. */
static bool load_leads(struct wr_seq *s, uint32_t key, const struct wr_picture *picture)
{
    const struct wr_picture_more *more = &picture->more;
    if (s->seen[key] || more->number || more->given != WR_TIME_MIN || picture->listed.count || picture->held.count) return false;
    memcpy(&s->led[(size_t)key * s->lead_count], picture->lead.at, s->lead_count * sizeof *s->led);
    s->seen[key] = more->seen;
    return true;
}

/* What a start took at a level. */
struct taken {
    const struct wr_picture_row *row; /* NULL: the moment */
    int64_t time;
};

/* What a start has taken, first to last; 0: it is none of a sequence's. */
static uint32_t path_of(const struct wr_pattern *p, const struct wr_picture *picture,
                        const struct wr_picture_start *start, struct taken *path)
{
    const struct wr_seq *s = p->state;
    const struct wr_picture_thread *thread = &picture->thread.at[start->thread];
    uint32_t levels = thread->position - s->first + 1, at = thread->link;
    if (start->count != 1 || thread->ended || thread->position < s->first || levels > s->levels) return 0;
    for (uint32_t level = levels; level; level--) {
        if (!at) return 0;
        const struct wr_picture_link *link = &picture->link.at[at - 1];
        const struct wr_picture_row *row = &picture->row.at[link->row];
        bool moment = (link->flags & WR_LINK_MOMENT) != 0;
        if (moment != s->level[level].moment || (moment ? link->moment : row->variable) != s->level[level].variable)
            return 0;
        path[level] = moment ? (struct taken){NULL, link->time} : (struct taken){row, row->id.place.time};
        at = link->previous;
    }
    return at || path[1].row->id.sequence != start->first.sequence ? 0 : levels;
}

static void load_item(struct wr_pattern *p, struct wr_seq *s, uint32_t level, struct wr_seq_list *list,
                      const struct wr_picture *picture, const struct taken *taken, int64_t oldest)
{
    const struct wr_seq_level *at = &s->level[level];
    struct wr_seq_item *item = wr_seq_item_at(s, level, wr_seq_item_new(s, level, list));
    item->child = 0;
    wr_seq_set_oldest(item, level, oldest);
    item->id = taken->row ? taken->row->id : (struct wr_row_id){.place = {.time = taken->time}};
    for (uint32_t i = 0; i < at->layout.count; i++) {
        uint32_t k = p->keep.slot[at->layout.column[i]];
        wr_layout_put(&at->layout, wr_seq_cell(item, level), i, &picture->value.at[taken->row->value + k], p->strings);
    }
}

static void arm_all(struct wr_pattern *p, const struct wr_seq *s, const struct wr_seq_view *k)
{
    for (uint32_t left = k->open & s->absences; left; left &= left - 1) {
        uint32_t level = (uint32_t)__builtin_ctz(left);
        for (uint32_t id = k->list[level].head; id; id = wr_seq_item_at(s, level, id)->next)
            wr_seq_arm(p, s, level, id, k->id);
    }
}

/* Starts that came to a level with the same row lie below one item there: so the forest grows as it was. */
bool wr_seq_load(struct wr_pattern *p, uint32_t key, const struct wr_picture *picture)
{
    struct wr_seq *s = p->state;
    WR_ASSERT(picture->lead.count == s->lead_count);
    wr_seq_reserve(s, key + 1);
    if (s->lead_count && !load_leads(s, key, picture)) return false;
    struct wr_seq_view k;
    struct wr_seq_list open[WR_SEQUENCE_MAX + 1]; /* child lists on the way to the last leaf */
    struct taken path[WR_SEQUENCE_MAX + 1], last[WR_SEQUENCE_MAX + 1];
    uint32_t last_levels = UINT32_MAX;
    wr_seq_open(s, key, &k);
    if (k.open) return false; /* the same key twice */
    for (size_t i = 0; i < picture->start.count; i++) {
        uint32_t levels = path_of(p, picture, &picture->start.at[i], path);
        if (!levels || levels > last_levels) return false;
        uint32_t level = levels;
        if (levels == last_levels) {
            while (level > 1 && path[level].row == last[level].row && path[level].time == last[level].time) level--;
        }
        for (; level; level--) {
            struct wr_seq_list *list = level == levels ? &k.list[level] : &open[level];
            load_item(p, s, level, list, picture, &path[level], picture->start.at[i].first.place.time);
            const struct wr_seq_list *above = level + 1 == levels ? &k.list[levels] : &open[level + 1];
            if (level < levels && list->head == list->tail) wr_seq_item_at(s, level + 1, above->tail)->child = list->head;
            if (level > 1) open[level - 1] = (struct wr_seq_list){0, 0};
        }
        k.open |= (uint32_t)1 << levels;
        memcpy(last, path, sizeof last);
        last_levels = levels;
    }
    wr_seq_close(s, &k);
    arm_all(p, s, &k);
    return true;
}
