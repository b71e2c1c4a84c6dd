/* Fixed sequences, positions 0, 1, … one behind the other by -> or on adjacent rows, whose conditions read the row
 * alone: all starts of a key that have come equally far move together.
 *
 * Per key and step there is a list of what has taken that many rows, oldest start first. A row that a step's list
 * waits for makes the whole list the child of one new item, which holds the row, at the end of the next step's list:
 * a forest in which each leaf is a start and the path above it its match so far. So a row costs the steps, however
 * many starts are open. No start overtakes an earlier one (equally far they move alike), hence:
 *   - starts of farther steps are the older ones, and time takes the leftmost leaf of the farthest list first;
 *   - a match is decided with its last row, nothing ever waits, no moment is armed;
 *   - with SKIP PAST LAST ROW the oldest start that ends with a row takes all others away. */
#include "runtime/pattern.h"

struct item {
    uint32_t next;        /* in its list; 0: the last */
    uint32_t child;       /* the list that took the row; 0 in leaves */
    int64_t oldest;       /* time of the first row of the oldest start in it */
    struct wr_row_id id;  /* of the row that was taken here */
    uint64_t cell[];      /* its kept columns */
};
struct list {
    uint32_t head, tail;
};

struct level {            /* items that have taken `number` rows, from 1 */
    struct wr_slab slab;
    struct wr_layout layout;
    uint32_t *column;     /* of the layout */
    uint16_t variable;    /* of the row taken here */
    uint16_t next_variable;
    bool next_strict;
};

struct sequence {
    uint32_t levels;      /* positions - 1: what has taken all rows is given out */
    struct level *level;  /* 1 … levels */
    uint32_t *open;       /* per key: bit n: list n is not empty. Most rows need no more of a key */
    struct list *list;    /* levels per key */
    uint32_t keys, capacity;
    struct wr_match_row *row; /* the match being put together: levels + 1 */
};

enum { AHEAD_OPEN = 24, AHEAD_LIST = 16, AHEAD_ITEM = 8 };

static struct item *item_at(const struct sequence *s, uint32_t level, uint32_t id)
{
    return wr_slab_at(&s->level[level].slab, id);
}

static struct list *lists_of(const struct sequence *s, uint32_t key)
{
    return s->list + (size_t)key * s->levels - 1; /* [level], from 1 */
}

static uint32_t item_new(struct sequence *s, uint32_t level, struct list *list)
{
    uint32_t id = wr_slab_alloc(&s->level[level].slab);
    item_at(s, level, id)->next = 0;
    if (list->tail) item_at(s, level, list->tail)->next = id;
    else list->head = id;
    list->tail = id;
    return id;
}

static void item_free(struct wr_pattern *p, struct sequence *s, uint32_t level, uint32_t id)
{
    wr_layout_drop(&s->level[level].layout, item_at(s, level, id)->cell, p->strings);
    wr_slab_free(&s->level[level].slab, id);
}

/* Frees a list and all below it. Depth: the number of levels, which init bounds. */
static void list_free(struct wr_pattern *p, struct sequence *s, uint32_t level, uint32_t id)
{
    while (id) {
        struct item *item = item_at(s, level, id);
        uint32_t next = item->next;
        if (level > 1) list_free(p, s, level - 1, item->child);
        item_free(p, s, level, id);
        id = next;
    }
}

static uint32_t farthest(uint32_t open)
{
    return 31 - (uint32_t)__builtin_clz(open);
}

/* Takes the row as the row number `level` of what has come to level - 1 (a new start for level 1). */
static void take(struct wr_pattern *p, struct sequence *s, struct list *lists, uint32_t *open, uint32_t level, uint32_t row)
{
    bool taken = *open >> level & 1;
    struct level *at = &s->level[level];
    uint32_t child = 0;
    int64_t oldest = p->batch->time[row];
    if (level > 1) {
        child = lists[level - 1].head;
        oldest = item_at(s, level - 1, child)->oldest;
        lists[level - 1] = (struct list){0, 0};
        *open &= ~((uint32_t)1 << (level - 1));
    }
    if (p->plan.elders && taken) { /* an earlier start is as far: see wr_threads_drop_younger */
        if (level > 1) list_free(p, s, level - 1, child);
        return;
    }
    *open |= (uint32_t)1 << level;
    struct item *item = item_at(s, level, item_new(s, level, &lists[level]));
    item->child = child;
    item->oldest = oldest;
    item->id = wr_pattern_row_id(p, row);
    wr_layout_store(&at->layout, item->cell, p->batch, row, p->strings);
}

/* Drops the leftmost leaf of a list whose oldest start is past its time, and items left empty. Returns the new head. */
static uint32_t drop_oldest(struct wr_pattern *p, struct sequence *s, uint32_t level, uint32_t head)
{
    struct item *item = item_at(s, level, head);
    if (level > 1) {
        item->child = drop_oldest(p, s, level - 1, item->child);
        if (item->child) {
            item->oldest = item_at(s, level - 1, item->child)->oldest;
            return head;
        }
    }
    uint32_t next = item->next;
    item_free(p, s, level, head);
    return next;
}

/* Starts whose time is up at `time` end. Farther levels hold the older starts. */
static void expire(struct wr_pattern *p, struct sequence *s, struct list *lists, uint32_t *open, int64_t time)
{
    while (*open) {
        uint32_t level = farthest(*open);
        struct list *list = &lists[level];
        while (list->head) {
            if (wr_pattern_deadline(p, item_at(s, level, list->head)->oldest) > time) return;
            list->head = drop_oldest(p, s, level, list->head);
            if (!list->head) list->tail = 0;
        }
        *open &= ~((uint32_t)1 << level);
    }
}

static void set_row(struct sequence *s, uint32_t level, const struct item *item)
{
    s->row[level - 1] = (struct wr_match_row){.layout = &s->level[level].layout,
                                              .cell = item->cell,
                                              .place = item->id.place,
                                              .variable = s->level[level].variable};
}

/* Gives out a match for every start below an item (its row as number `level`), or for the oldest alone. */
static void give_out(struct wr_pattern *p, struct sequence *s, uint32_t level, uint32_t id, uint32_t key)
{
    for (; id; id = item_at(s, level, id)->next) {
        const struct item *item = item_at(s, level, id);
        set_row(s, level, item);
        if (level > 1) {
            give_out(p, s, level - 1, item->child, key);
        } else {
            wr_pattern_report(p, &(struct wr_match){
                                     .row = s->row, .count = s->levels + 1, .key = key, .first = item->id.place});
        }
        if (p->plan.past_last) return;
    }
}

/* What has taken all rows but the last takes it. True when no other start survives. */
static bool complete(struct wr_pattern *p, struct sequence *s, struct list *lists, uint32_t *open, uint32_t row, uint32_t key)
{
    WR_ASSERT(*open >> s->levels & 1);
    struct wr_row_id id = wr_pattern_row_id(p, row);
    s->row[s->levels] = (struct wr_match_row){.place = id.place,
                                              .row = row,
                                              .variable = s->level[s->levels].next_variable};
    p->place = id.place;
    give_out(p, s, s->levels, lists[s->levels].head, key);
    uint32_t lowest = p->plan.past_last ? 1 : s->levels;
    for (uint32_t level = lowest; level <= s->levels; level++) {
        if (!(*open >> level & 1)) continue;
        list_free(p, s, level, lists[level].head);
        lists[level] = (struct list){0, 0};
    }
    *open &= ((uint32_t)1 << lowest) - 1;
    return p->plan.past_last;
}

static void handle_row(struct wr_pattern *p, struct sequence *s, uint32_t key, uint32_t row)
{
    struct list *lists = lists_of(s, key);
    uint32_t *open = &s->open[key];
    if (*open && p->spec->within_us >= 0) expire(p, s, lists, open, p->batch->time[row]);
    for (uint32_t left = *open; left;) {
        uint32_t level = farthest(left);
        left &= ~((uint32_t)1 << level);
        const struct level *at = &s->level[level];
        if (wr_variable_bit(p, at->next_variable, row)) {
            if (level < s->levels) take(p, s, lists, open, level + 1, row);
            else if (complete(p, s, lists, open, row, key)) return;
        } else if (at->next_strict) {
            list_free(p, s, level, lists[level].head);
            lists[level] = (struct list){0, 0};
            *open &= ~((uint32_t)1 << level);
        }
    }
    if (wr_bit(p->insert, row) && !(*open && p->plan.one_start)) take(p, s, lists, open, 1, row);
}

static void reserve_keys(struct sequence *s, uint32_t limit)
{
    if (limit <= s->keys) return;
    if (limit > s->capacity) {
        s->capacity = WR_MAX(limit, s->capacity + s->capacity / 2);
        s->list = wr_realloc(s->list, ((size_t)s->capacity * s->levels + 1) * sizeof *s->list);
        s->open = wr_realloc(s->open, s->capacity * sizeof *s->open);
    }
    memset(s->open + s->keys, 0, (limit - s->keys) * sizeof *s->open);
    memset(s->list + (size_t)s->keys * s->levels, 0, (size_t)(limit - s->keys) * s->levels * sizeof *s->list);
    s->keys = limit;
}

/* Asks for the item of a key that is looked at first: the one with the oldest start. */
WR_PREFETCHER void prefetch_oldest(const struct sequence *s, uint32_t key)
{
    if (!s->open[key]) return;
    uint32_t level = farthest(s->open[key]);
    const char *cell = wr_slab_at(&s->level[level].slab, lists_of(s, key)[level].head);
    __builtin_prefetch(cell);
}

/* Asks for what a row further on will read. */
WR_PREFETCHER void prefetch_row(const struct wr_pattern *p, const struct sequence *s, const uint16_t *rows,
                                uint32_t count, uint32_t i)
{
    if (i + AHEAD_OPEN < count && p->id[rows[i + AHEAD_OPEN]] != WR_KEY_NONE)
        __builtin_prefetch(&s->open[(uint32_t)p->id[rows[i + AHEAD_OPEN]]]);
    if (i + AHEAD_LIST < count && p->id[rows[i + AHEAD_LIST]] != WR_KEY_NONE) {
        uint32_t key = (uint32_t)p->id[rows[i + AHEAD_LIST]];
        if (s->open[key]) __builtin_prefetch(&lists_of(s, key)[farthest(s->open[key])]);
        if (wr_bit(p->insert, rows[i + AHEAD_LIST])) __builtin_prefetch(&lists_of(s, key)[1]);
    }
    if (i + AHEAD_ITEM >= count || p->id[rows[i + AHEAD_ITEM]] == WR_KEY_NONE) return;
    prefetch_oldest(s, (uint32_t)p->id[rows[i + AHEAD_ITEM]]);
}

static void sequence_rows(struct wr_pattern *p)
{
    struct sequence *s = p->state;
    reserve_keys(s, p->keys ? wr_keytable_id_limit(p->keys) : 1);
    uint16_t rows[WR_BATCH_ROWS];
    uint32_t count = 0;
    for (uint32_t w = 0; w < (p->batch->rows + 63) / 64; w++) {
        for (uint64_t bits = p->select[w]; bits; bits &= bits - 1)
            rows[count++] = (uint16_t)(w * 64 + (uint32_t)__builtin_ctzll(bits));
    }
    for (uint32_t i = 0; i < count; i++) {
        prefetch_row(p, s, rows, count, i);
        if (p->id[rows[i]] != WR_KEY_NONE) handle_row(p, s, (uint32_t)p->id[rows[i]], rows[i]);
    }
}

/* ---- The rest -------------------------------------------------------------------------------------- */

static void level_init(struct wr_pattern *p, struct level *level, uint32_t position)
{
    uint32_t keep = p->spec->keep_count;
    level->variable = p->spec->position[position].variable;
    level->next_variable = p->spec->position[position + 1].variable;
    level->next_strict = p->spec->follow[p->spec->position[position].follow].connector == 0;
    level->column = wr_alloc((keep + 1) * sizeof *level->column);
    uint32_t count = 0;
    for (uint32_t k = 0; k < keep; k++) {
        if (p->plan.needed[(size_t)level->variable * keep + k]) level->column[count++] = p->spec->keep[k];
    }
    wr_layout_init(&level->layout, level->column, count, p->input);
    wr_slab_init(&level->slab, sizeof(struct item) + level->layout.size);
}

static void sequence_init(struct wr_pattern *p)
{
    WR_ASSERT(p->spec->position_count >= 2 && p->spec->position_count <= WR_SEQUENCE_MAX);
    struct sequence *s = wr_alloc_zero(sizeof *s);
    p->state = s;
    s->levels = p->spec->position_count - 1;
    s->level = wr_alloc_zero((s->levels + 1) * sizeof *s->level);
    s->row = wr_alloc_zero((s->levels + 1) * sizeof *s->row);
    for (uint32_t level = 1; level <= s->levels; level++) level_init(p, &s->level[level], level - 1);
}

static void sequence_release(struct wr_pattern *p)
{
    struct sequence *s = p->state;
    for (uint32_t level = 1; level <= s->levels; level++) {
        wr_slab_release(&s->level[level].slab);
        wr_layout_release(&s->level[level].layout);
        wr_free(s->level[level].column);
    }
    wr_free(s->level);
    wr_free(s->list);
    wr_free(s->open);
    wr_free(s->row);
    wr_free(s);
}

static void sequence_end(struct wr_pattern *p)
{
    WR_ASSERT(p->state); /* nothing waits: what is open has no match */
}

static bool sequence_sweep(struct wr_pattern *p, uint32_t key)
{
    struct sequence *s = p->state;
    if (key >= s->keys) return true;
    struct list *lists = lists_of(s, key);
    if (key + AHEAD_ITEM < s->keys) prefetch_oldest(s, key + AHEAD_ITEM); /* keys are swept in order */
    if (s->open[key] && p->spec->within_us >= 0) expire(p, s, lists, &s->open[key], p->now);
    return s->open[key] == 0;
}

static void sequence_clear(struct wr_pattern *p)
{
    struct sequence *s = p->state;
    for (uint32_t level = 1; level <= s->levels; level++) wr_slab_clear(&s->level[level].slab);
    s->keys = 0;
}

static void sequence_measure(const struct wr_pattern *p, struct wr_operator_size *size)
{
    const struct sequence *s = p->state;
    for (uint32_t level = 1; level <= s->levels; level++) {
        size->rows += s->level[level].slab.live;
        size->bytes += wr_slab_bytes(&s->level[level].slab);
    }
    size->starts += s->level[1].slab.live;
    size->bytes += (uint64_t)s->capacity * (s->levels * sizeof *s->list + sizeof *s->open);
}

/* A start is the row that begins it; those that have come equally far share the rows of further steps. */
static void sequence_bound(const struct wr_pattern *p, struct wr_state_bound *bound)
{
    const struct sequence *s = p->state;
    WR_ASSERT(s && s->levels);
    bound->key += (uint32_t)(s->levels * sizeof *s->list);
    bound->start = s->level[1].slab.cell_size;
    for (uint32_t level = 2; level <= s->levels; level++) bound->row = WR_MAX(bound->row, s->level[level].slab.cell_size);
}

/* Items of a list and below it, by level: oldest start first, each older than `*before`, farther than those behind. */
static void check_list(const struct sequence *s, uint32_t level, uint32_t id, uint64_t *before, uint32_t *count)
{
    for (; id; id = item_at(s, level, id)->next) {
        const struct item *item = item_at(s, level, id);
        const struct item *leaf = item;
        for (uint32_t below = level - 1; below; below--) leaf = item_at(s, below, leaf->child);
        WR_ASSERT(item->oldest == leaf->id.place.time);
        WR_ASSERT((level == 1) == (item->child == 0));
        count[level]++;
        if (level > 1) {
            check_list(s, level - 1, item->child, before, count);
        } else {
            WR_ASSERT(item->id.sequence > *before);
            *before = item->id.sequence;
        }
    }
}

static void sequence_check(const struct wr_pattern *p)
{
    const struct sequence *s = p->state;
    uint32_t count[WR_SEQUENCE_MAX] = {0};
    for (uint32_t key = 0; key < s->keys; key++) {
        const struct list *lists = lists_of(s, key);
        uint64_t before = 0;
        for (uint32_t level = s->levels; level; level--) {
            WR_ASSERT((lists[level].head == 0) == (lists[level].tail == 0));
            WR_ASSERT((lists[level].head != 0) == (s->open[key] >> level & 1));
            if (lists[level].tail) WR_ASSERT(item_at(s, level, lists[level].tail)->next == 0);
            check_list(s, level, lists[level].head, &before, count);
        }
    }
    for (uint32_t level = 1; level <= s->levels; level++) WR_ASSERT(count[level] == s->level[level].slab.live);
}

/* ---- State ----------------------------------------------------------------------------------------- */

static void draw_start(const struct sequence *s, uint32_t levels, const struct item *const *path,
                       struct wr_picture *picture)
{
    for (uint32_t level = 1; level <= levels; level++) {
        const struct item *item = path[level];
        wr_vec_push(&picture->row, (struct wr_picture_row){.id = item->id,
                                                           .variable = s->level[level].variable,
                                                           .layout = &s->level[level].layout,
                                                           .cell = item->cell});
        uint32_t previous = level > 1 ? (uint32_t)picture->link.count : 0;
        wr_vec_push(&picture->link, (struct wr_picture_link){.previous = previous});
    }
    wr_vec_push(&picture->start, (struct wr_picture_start){path[1]->id, (uint32_t)picture->thread.count, 1});
    wr_vec_push(&picture->thread, (struct wr_picture_thread){.link = (uint32_t)picture->link.count,
                                                             .position = (uint16_t)(levels - 1),
                                                             .alive = (uint32_t)picture->alive.count});
    wr_vec_push(&picture->alive, 1); /* the one entry there is */
}

static void draw_list(const struct sequence *s, uint32_t levels, uint32_t level, uint32_t id,
                      const struct item **path, struct wr_picture *picture)
{
    for (; id; id = item_at(s, level, id)->next) {
        path[level] = item_at(s, level, id);
        if (level > 1) draw_list(s, levels, level - 1, path[level]->child, path, picture);
        else draw_start(s, levels, path, picture);
    }
}

static void sequence_save(struct wr_pattern *p, uint32_t key, struct wr_picture *picture)
{
    const struct sequence *s = p->state;
    if (key >= s->keys) return;
    const struct item *path[WR_SEQUENCE_MAX];
    for (uint32_t level = s->levels; level; level--)
        draw_list(s, level, level, lists_of(s, key)[level].head, path, picture);
}

/* The rows of a start, first to last, as indices of the picture; 0: it is none of a sequence's. */
static uint32_t path_of(const struct wr_pattern *p, const struct wr_picture *picture,
                        const struct wr_picture_start *start, uint32_t *path)
{
    const struct sequence *s = p->state;
    const struct wr_picture_thread *thread = &picture->thread.at[start->thread];
    uint32_t levels = thread->position + 1u;
    if (start->count != 1 || thread->ended || levels > s->levels) return 0;
    uint32_t link = thread->link;
    for (uint32_t level = levels; level; level--) {
        if (!link) return 0;
        path[level] = picture->link.at[link - 1].row;
        if (picture->row.at[path[level]].variable != s->level[level].variable) return 0;
        link = picture->link.at[link - 1].previous;
    }
    return link || picture->row.at[path[1]].id.sequence != start->first.sequence ? 0 : levels;
}

static void load_item(struct wr_pattern *p, struct sequence *s, uint32_t level, struct list *list,
                      const struct wr_picture *picture, const struct wr_picture_row *row, int64_t oldest)
{
    const struct level *at = &s->level[level];
    struct item *item = item_at(s, level, item_new(s, level, list));
    item->child = 0;
    item->oldest = oldest;
    item->id = row->id;
    for (uint32_t i = 0; i < at->layout.count; i++) {
        uint32_t k = p->keep.slot[at->layout.column[i]];
        wr_layout_put(&at->layout, item->cell, i, &picture->value.at[row->value + k], p->strings);
    }
}

/* Starts that came to a level with the same row lie below one item there: so the forest grows as it was. */
static bool sequence_load(struct wr_pattern *p, uint32_t key, const struct wr_picture *picture)
{
    struct sequence *s = p->state;
    reserve_keys(s, key + 1);
    struct list *lists = lists_of(s, key), open[WR_SEQUENCE_MAX + 1]; /* child lists on the way to the last leaf */
    uint32_t path[WR_SEQUENCE_MAX + 1], last[WR_SEQUENCE_MAX + 1], last_levels = UINT32_MAX;
    for (size_t i = 0; i < picture->start.count; i++) {
        uint32_t levels = path_of(p, picture, &picture->start.at[i], path);
        if (!levels || levels > last_levels) return false;
        uint32_t level = levels;
        if (levels == last_levels) {
            while (level > 1 && path[level] == last[level]) level--;
        } else if (lists[levels].head) {
            return false; /* the same key twice */
        }
        for (; level; level--) {
            struct list *list = level == levels ? &lists[level] : &open[level];
            load_item(p, s, level, list, picture, &picture->row.at[path[level]],
                      picture->start.at[i].first.place.time);
            if (level < levels && list->head == list->tail)
                item_at(s, level + 1, (level + 1 == levels ? &lists[levels] : &open[level + 1])->tail)->child = list->head;
            if (level > 1) open[level - 1] = (struct list){0, 0};
        }
        s->open[key] |= (uint32_t)1 << levels;
        memcpy(last, path, sizeof last);
        last_levels = levels;
    }
    return true;
}

const struct wr_matcher wr_match_sequence = {
    .name = "sequence",
    .init = sequence_init,
    .release = sequence_release,
    .rows = sequence_rows,
    .end = sequence_end,
    .sweep = sequence_sweep,
    .save = sequence_save,
    .load = sequence_load,
    .clear = sequence_clear,
    .measure = sequence_measure,
    .bound = sequence_bound,
    .check = sequence_check,
};
