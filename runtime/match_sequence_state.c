/* The sequence matcher's state as bytes and back, from pictures, and what must hold of it.
 *
 * The form of a sequence (match_state.c says what stands in front): where the program has NOT … FOR in front of everything:
 * seen, times of the leads; LEB128, bit n: list n has something; then those lists, the farthest first. A list: its items,
 * oldest first. An item: byte of enum wr_seq_tag; of a row: its number, time and offset, each as its distance from that of
 * the item before it in the bytes (from 0 at first), the source's stream and partition where they are others than there,
 * the ordinal unless it is 0, kept columns; of a moment: its time, likewise; then the list that it is the parent of, but
 * at level 1. So an item costs a dozen bytes, and what a row's matcher did in the order of the bytes. */
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

static void arm_all(struct wr_pattern *p, const struct wr_seq *s, const struct wr_seq_view *k)
{
    for (uint32_t left = k->open & s->absences; left; left &= left - 1) {
        uint32_t level = (uint32_t)__builtin_ctz(left);
        for (uint32_t id = k->list[level].head; id; id = wr_seq_item_at(s, level, id)->next)
            wr_seq_arm(p, s, level, id, k->id);
    }
}

/* ---- Bytes ----------------------------------------------------------------------------------------- */

void wr_seq_put_id(const struct wr_pattern *p, const struct wr_row_id *id, unsigned tag, struct wr_seq_run *run,
                   struct wr_buf *out)
{
    const struct wr_place *place = &id->place;
    if (place->source != run->source) tag |= WR_SEQ_SOURCE;
    if (place->ordinal) tag |= WR_SEQ_ORDINAL;
    wr_put_u8(out, (uint8_t)tag);
    wr_put_int(out, wr_seq_step(&run->sequence, (int64_t)id->sequence));
    wr_put_int(out, wr_seq_step(&run->time, place->time));
    wr_put_int(out, wr_seq_step(&run->offset, (int64_t)place->offset));
    if (tag & WR_SEQ_SOURCE) {
        struct wr_slice stream;
        uint32_t partition;
        wr_task_source_identity(p->op.task, place->source, &stream, &partition);
        wr_put_bytes(out, stream);
        wr_put_uint(out, partition);
        run->source = place->source;
    }
    if (tag & WR_SEQ_ORDINAL) wr_put_uint(out, place->ordinal);
}

static void put_item(struct wr_pattern *p, const struct wr_seq_level *at, const struct wr_seq_item *item, const void *cell,
                     struct wr_seq_run *run, struct wr_buf *out)
{
    unsigned tag = item->next ? 0 : WR_SEQ_LAST;
    if (at->moment) {
        wr_put_u8(out, (uint8_t)tag);
        wr_put_int(out, wr_seq_step(&run->time, item->id.place.time));
        return;
    }
    wr_seq_put_id(p, &item->id, tag, run, out);
    for (uint32_t i = 0; i < at->layout.count; i++) {
        struct wr_value value = wr_layout_at(&at->layout, cell, i, p->strings);
        wr_put_near_value(out, &value, item->id.place.time);
    }
}

static void put_list(struct wr_pattern *p, const struct wr_seq *s, uint32_t level, uint32_t id, struct wr_seq_run *run,
                     struct wr_buf *out)
{
    WR_ASSERT(id);
    while (id) {
        struct wr_seq_item *item = wr_seq_item_at(s, level, id);
        put_item(p, &s->level[level], item, wr_seq_cell(item, level), run, out);
        if (level > 1) put_list(p, s, level - 1, item->child, run, out);
        id = item->next;
    }
}

void wr_seq_encode(struct wr_pattern *p, uint32_t key, struct wr_buf *out)
{
    const struct wr_seq *s = p->state;
    struct wr_seq_run run = {.source = WR_NONE};
    WR_ASSERT(key < s->keys);
    if (s->lead_count) wr_put_u8(out, s->seen[key] != 0);
    for (uint32_t i = 0; i < s->lead_count; i++) wr_put_i64(out, s->led[(size_t)key * s->lead_count + i]);
    uint32_t open = s->key[key].open, id = s->key[key].first;
    wr_put_uint(out, open);
    while (open) {
        uint32_t level = 31 - (uint32_t)__builtin_clz(open);
        uint32_t nearer = wr_seq_item_at(s, level, id)->nearer;
        put_list(p, s, level, id, &run, out);
        open &= ~((uint32_t)1 << level);
        id = nearer;
    }
}

bool wr_seq_get_id(const struct wr_pattern *p, struct wr_slice *in, unsigned tag, struct wr_seq_run *run, struct wr_row_id *id)
{
    int64_t sequence, time, offset;
    if (!wr_get_int(in, &sequence) || !wr_get_int(in, &time) || !wr_get_int(in, &offset)) return false;
    run->sequence += (uint64_t)sequence;
    run->time += (uint64_t)time;
    run->offset += (uint64_t)offset;
    uint64_t partition, ordinal = 0;
    struct wr_slice stream;
    if (tag & WR_SEQ_SOURCE) {
        if (!wr_get_bytes(in, &stream) || !wr_get_uint(in, &partition) || partition > UINT32_MAX) return false;
        run->source = wr_task_source_find(p->op.task, stream, (uint32_t)partition);
    }
    if (tag & WR_SEQ_ORDINAL && (!wr_get_uint(in, &ordinal) || ordinal > UINT32_MAX)) return false;
    *id = (struct wr_row_id){run->sequence, {.time = (int64_t)run->time, .source = run->source, .ordinal = (uint32_t)ordinal,
                                             .offset = run->offset}};
    return run->source != WR_NONE;
}

static inline bool get_item(const struct wr_pattern *p, struct wr_slice *in, bool moment, struct wr_seq_run *run,
                            struct wr_row_id *id, bool *last)
{
    uint8_t tag;
    int64_t time;
    if (!wr_get_u8(in, &tag) || tag > (moment ? WR_SEQ_LAST : WR_SEQ_LAST | WR_SEQ_SOURCE | WR_SEQ_ORDINAL)) return false;
    *last = tag & WR_SEQ_LAST;
    if (!moment) return wr_seq_get_id(p, in, tag, run, id);
    if (!wr_get_int(in, &time)) return false;
    run->time += (uint64_t)time;
    *id = (struct wr_row_id){.place = {.time = (int64_t)run->time}};
    return true;
}

bool wr_seq_get_item(const struct wr_pattern *p, struct wr_slice *in, bool moment, struct wr_seq_run *run, struct wr_row_id *id,
                     bool *last)
{
    return get_item(p, in, moment, run, id, last);
}

/* A key's state being read. */
struct reading {
    struct wr_pattern *p;
    struct wr_seq *s;
    struct wr_slice in;
    struct wr_seq_run run;
    uint64_t before; /* number of the last leaf's row */
};

/* below: number of the row that was taken next, of those above the list; UINT64_MAX: none. */
static bool get_list(struct reading *r, uint32_t level, uint64_t below, struct wr_seq_list *list)
{
    const struct wr_seq_level *at = &r->s->level[level];
    uint64_t before = 0;
    for (bool last = false; !last;) {
        struct wr_row_id id;
        if (!get_item(r->p, &r->in, at->moment, &r->run, &id, &last)) return false;
        if (!at->moment && (id.sequence <= before || id.sequence >= below)) return false;
        before = id.sequence;
        struct wr_seq_item *item = wr_seq_item_at(r->s, level, wr_seq_item_new(r->s, level, list));
        item->child = 0;
        item->id = id;
        for (uint32_t i = 0; i < at->layout.count; i++) {
            struct wr_value value;
            if (!wr_get_near_value(&r->in, (enum wr_class)at->layout.cls[i], id.place.time, &value)) return false;
            wr_layout_put(&at->layout, wr_seq_cell(item, level), i, &value, r->p->strings);
        }
        if (level == 1) {
            if (id.sequence <= r->before) return false;
            r->before = id.sequence;
            continue;
        }
        struct wr_seq_list child = {0};
        if (!get_list(r, level - 1, at->moment ? below : id.sequence, &child)) return false;
        item->child = child.head;
        wr_seq_set_oldest(item, level, wr_seq_oldest(wr_seq_item_at(r->s, level - 1, child.head), level - 1));
    }
    return true;
}

/* The leads that stand in front. False: the same key twice. */
static bool get_leads(struct reading *r, uint32_t key)
{
    struct wr_seq *s = r->s;
    uint8_t seen;
    if (!s->lead_count) return true;
    if (s->seen[key] || !wr_get_u8(&r->in, &seen) || seen > 1) return false;
    for (uint32_t i = 0; i < s->lead_count; i++)
        if (!wr_get_i64(&r->in, &s->led[(size_t)key * s->lead_count + i])) return false;
    s->seen[key] = seen;
    return true;
}

bool wr_seq_decode(struct wr_pattern *p, uint32_t key, struct wr_slice in)
{
    struct wr_seq *s = p->state;
    struct reading r = {.p = p, .s = s, .in = in, .run = {.source = WR_NONE}};
    uint64_t open;
    wr_seq_reserve(s, key + 1);
    if (s->key[key].open || !get_leads(&r, key) || !wr_get_uint(&r.in, &open)) return false; /* the same key twice */
    if (open & 1 || open >> (s->levels + 1) || (!open && !s->lead_count)) return false;
    uint32_t *link = &s->key[key].first; /* to the next list: see wr_seq_close */
    for (uint32_t left = (uint32_t)open; left;) {
        uint32_t level = 31 - (uint32_t)__builtin_clz(left);
        struct wr_seq_list list = {0, 0};
        if (!get_list(&r, level, UINT64_MAX, &list)) return false;
        struct wr_seq_item *head = wr_seq_item_at(s, level, list.head);
        head->tail = list.tail;
        head->nearer = 0;
        *link = list.head;
        link = &head->nearer;
        left &= ~((uint32_t)1 << level);
    }
    s->key[key].open = (uint32_t)open;
    if (open & s->absences) {
        struct wr_seq_view k;
        wr_seq_open(s, key, &k);
        arm_all(p, s, &k);
    }
    return r.in.size == 0;
}

/* ---- From pictures -------------------------------------------------------------------------------- */

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
