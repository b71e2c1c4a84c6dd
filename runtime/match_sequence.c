/* Fixed sequences, positions 0, 1, … one behind the other by -> or on adjacent rows, whose conditions read the row
 * alone, with NOT between them and absences: all starts of a key that have come equally far move together.
 *
 * Per key and step there is a list of what has taken that many rows, oldest start first. A row that a step's list
 * waits for makes the whole list the child of one new item, which holds the row, at the end of the next step's list:
 * a forest in which each leaf is a start and the path above it its match so far. So a row costs the steps, however
 * many starts are open. A row that NOT forbids ends a whole list. Where an absence is waited for, the moment takes
 * those whose row or moment was as long ago: the front of the list, as what came first is due first.
 *
 * No start overtakes an earlier one (equally far they move alike), hence:
 *   - starts of farther steps are the older ones, and time takes the leftmost leaf of the farthest list first;
 *   - a match is decided with its last row or moment, no match ever waits for another;
 *   - with SKIP PAST LAST ROW the oldest start that ends with a row takes all others away, one that ends with a moment
 *     those that began up to its last row.
 * At an absence that is the end of the pattern each start has its own moment, whose place is by the start's first row;
 * before further steps one is armed for all that took the same row. */
#include "runtime/match_sequence.h"

enum { AHEAD_KEY = 24, AHEAD_FIRST = 16, AHEAD_SECOND = 8, AHEAD_THIRD = 4 };

/* ---- Items and lists ------------------------------------------------------------------------------- */

uint32_t wr_seq_item_new(struct wr_seq *s, uint32_t level, struct wr_seq_list *list)
{
    uint32_t id = wr_slab_alloc(&s->level[level].slab);
    wr_seq_item_at(s, level, id)->next = 0;
    if (list->tail) wr_seq_item_at(s, level, list->tail)->next = id;
    else list->head = id;
    list->tail = id;
    return id;
}

static void item_free(struct wr_pattern *p, struct wr_seq *s, uint32_t level, uint32_t id)
{
    wr_layout_drop(&s->level[level].layout, wr_seq_cell(wr_seq_item_at(s, level, id), level), p->strings);
    wr_slab_free(&s->level[level].slab, id);
}

/* Frees a list and all below it. Depth: the number of levels, which init bounds. */
static void list_free(struct wr_pattern *p, struct wr_seq *s, uint32_t level, uint32_t id)
{
    while (id) {
        struct wr_seq_item *item = wr_seq_item_at(s, level, id);
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

void wr_seq_open(const struct wr_seq *s, uint32_t id, struct wr_seq_view *k)
{
    WR_DCHECK(id < s->keys);
    uint32_t first = s->key[id].first;
    k->id = id;
    k->open = s->key[id].open;
    for (uint32_t level = 1; level <= s->levels; level++) k->list[level] = (struct wr_seq_list){0, 0};
    for (uint32_t left = k->open; left;) {
        uint32_t level = farthest(left);
        const struct wr_seq_item *item = wr_seq_item_at(s, level, first);
        left &= ~((uint32_t)1 << level);
        k->list[level] = (struct wr_seq_list){first, item->tail};
        first = item->nearer;
    }
    WR_ASSERT(!first);
}

void wr_seq_close(struct wr_seq *s, const struct wr_seq_view *k)
{
    uint32_t nearer = 0;
    for (uint32_t left = k->open; left; left &= left - 1) {
        uint32_t level = (uint32_t)__builtin_ctz(left);
        struct wr_seq_item *item = wr_seq_item_at(s, level, k->list[level].head);
        item->tail = k->list[level].tail;
        item->nearer = nearer;
        nearer = k->list[level].head;
    }
    s->key[k->id] = (struct wr_seq_key){k->open, nearer};
}

static void empty_level(struct wr_seq_view *k, uint32_t level)
{
    k->list[level] = (struct wr_seq_list){0, 0};
    k->open &= ~((uint32_t)1 << level);
}

static void drop_level(struct wr_pattern *p, struct wr_seq *s, struct wr_seq_view *k, uint32_t level)
{
    list_free(p, s, level, k->list[level].head);
    empty_level(k, level);
}

/* Drops the leftmost leaf of a list, and items left empty. Returns the new head. */
static uint32_t drop_leaf(struct wr_pattern *p, struct wr_seq *s, uint32_t level, uint32_t head)
{
    struct wr_seq_item *item = wr_seq_item_at(s, level, head);
    if (level > 1) {
        item->child = drop_leaf(p, s, level - 1, item->child);
        if (item->child) {
            wr_seq_set_oldest(item, level, wr_seq_oldest(wr_seq_item_at(s, level - 1, item->child), level - 1));
            return head;
        }
    }
    uint32_t next = item->next;
    item_free(p, s, level, head);
    return next;
}

/* Drops the oldest start of a level. */
static void drop_oldest(struct wr_pattern *p, struct wr_seq *s, struct wr_seq_view *k, uint32_t level)
{
    WR_ASSERT(k->list[level].head);
    k->list[level].head = drop_leaf(p, s, level, k->list[level].head);
    if (!k->list[level].head) empty_level(k, level);
}

/* Starts whose time is up at `time` end. Farther levels hold the older starts. */
static void expire(struct wr_pattern *p, struct wr_seq *s, struct wr_seq_view *k, int64_t time)
{
    while (k->open) {
        uint32_t level = farthest(k->open);
        int64_t oldest = wr_seq_oldest(wr_seq_item_at(s, level, k->list[level].head), level);
        if (wr_pattern_deadline(p, oldest) > time) return;
        drop_oldest(p, s, k, level);
    }
}

/* Would it do anything? */
static inline bool is_past(const struct wr_pattern *p, const struct wr_seq *s, uint32_t key, int64_t time)
{
    if (p->spec->within_us < 0 || !s->key[key].open) return false;
    uint32_t level = farthest(s->key[key].open);
    return wr_pattern_deadline(p, wr_seq_oldest(wr_seq_item_at(s, level, s->key[key].first), level)) <= time;
}

/* Starts that began up to a row (its number) end. */
static void drop_up_to(struct wr_pattern *p, struct wr_seq *s, struct wr_seq_view *k, uint64_t sequence)
{
    while (k->open) {
        uint32_t level = farthest(k->open);
        if (wr_seq_leaf(s, level, k->list[level].head)->id.sequence > sequence) return;
        drop_oldest(p, s, k, level);
    }
}

/* ---- Matches --------------------------------------------------------------------------------------- */

static void set_row(struct wr_seq *s, uint32_t level, struct wr_seq_item *item)
{
    const struct wr_seq_level *at = &s->level[level];
    s->row[level - 1] = (struct wr_match_row){.layout = &at->layout,
                                              .cell = wr_seq_cell(item, level),
                                              .place = item->id.place,
                                              .is_moment = at->moment,
                                              .variable = at->variable};
}

static void report(struct wr_pattern *p, const struct wr_seq *s, struct wr_seq_view *k, const struct wr_seq_item *leaf)
{
    struct wr_match match = {.row = s->row, .count = s->levels + 1, .key = k->id, .first = leaf->id.place};
    wr_pattern_report(p, &match);
}

/* Gives out a match for every start below an item (its row as number `level`), or for the oldest alone. */
static void give_out(struct wr_pattern *p, struct wr_seq *s, struct wr_seq_view *k, uint32_t level, uint32_t id)
{
    for (; id; id = wr_seq_item_at(s, level, id)->next) {
        struct wr_seq_item *item = wr_seq_item_at(s, level, id);
        set_row(s, level, item);
        if (level > 1) give_out(p, s, k, level - 1, item->child);
        else report(p, s, k, item);
        if (p->plan.past_last) return;
    }
}

/* What has taken all rows but the last takes it. True when no other start survives. */
static bool complete(struct wr_pattern *p, struct wr_seq *s, struct wr_seq_view *k, uint32_t row)
{
    WR_ASSERT(k->open >> s->levels & 1);
    struct wr_row_id id = wr_pattern_row_id(p, row);
    s->row[s->levels] = (struct wr_match_row){.place = id.place,
                                              .row = row,
                                              .variable = s->level[s->levels].next_variable};
    p->place = id.place;
    give_out(p, s, k, s->levels, k->list[s->levels].head);
    uint32_t lowest = p->plan.past_last ? 1 : s->levels;
    for (uint32_t level = lowest; level <= s->levels; level++)
        if (k->open >> level & 1) drop_level(p, s, k, level);
    return p->plan.past_last;
}

/* The moment completes the oldest start of the last level. */
static void complete_by_moment(struct wr_pattern *p, struct wr_seq *s, struct wr_seq_view *k, int64_t time)
{
    uint64_t last = 0; /* number of the match's last row */
    struct wr_seq_item *item = NULL;
    s->row[s->levels] = (struct wr_match_row){.place = {.time = time}, .is_moment = true,
                                              .variable = s->level[s->levels].next_variable};
    for (uint32_t level = s->levels, id = k->list[level].head; level; level--, id = item->child) {
        item = wr_seq_item_at(s, level, id);
        set_row(s, level, item);
        if (!last) last = item->id.sequence;
    }
    WR_ASSERT(last && item);
    report(p, s, k, item);
    drop_oldest(p, s, k, s->levels);
    if (p->plan.past_last) drop_up_to(p, s, k, last);
}

/* ---- Rows ------------------------------------------------------------------------------------------ */

/* Takes the row as the row number `level` of what has come to level - 1 (a new start for level 1). */
static void take(struct wr_pattern *p, struct wr_seq *s, struct wr_seq_view *k, uint32_t level, uint32_t row)
{
    bool taken = k->open >> level & 1;
    WR_ASSERT(level <= s->levels && !s->level[level].moment);
    struct wr_seq_level *at = &s->level[level];
    uint32_t child = 0;
    int64_t oldest = p->time[row];
    if (level > 1) {
        child = k->list[level - 1].head;
        oldest = wr_seq_oldest(wr_seq_item_at(s, level - 1, child), level - 1);
        empty_level(k, level - 1);
    }
    if (p->plan.elders && taken) { /* an earlier start is as far: see wr_threads_drop_younger */
        if (level > 1) list_free(p, s, level - 1, child);
        return;
    }
    k->open |= (uint32_t)1 << level;
    uint32_t id = wr_seq_item_new(s, level, &k->list[level]);
    struct wr_seq_item *item = wr_seq_item_at(s, level, id);
    item->child = child;
    item->id = wr_pattern_row_id(p, row);
    wr_seq_set_oldest(item, level, oldest);
    wr_layout_store(&at->layout, wr_seq_cell(item, level), p->batch, row, p->strings);
    if (at->next_absence != WR_ABSENCE_NONE) wr_seq_arm(p, s, level, id, k->id);
}

static bool is_killed(const struct wr_pattern *p, const struct wr_seq_level *at, uint32_t row)
{
    for (uint32_t i = 0; i < at->kill_count; i++)
        if (wr_variable_bit(p, at->kill[i], row)) return true;
    return false;
}

/* NOT b FOR d in front of everything: was there a b less than d before? */
static bool is_led(const struct wr_seq *s, uint32_t key, int64_t time)
{
    for (uint32_t i = 0; i < s->lead_count; i++) {
        int64_t seen = s->led[(size_t)key * s->lead_count + i];
        if (seen != WR_TIME_MIN && wr_time_later(seen, s->lead[i].for_us) > time) return true;
    }
    return false;
}

static void remember_leads(const struct wr_pattern *p, struct wr_seq *s, uint32_t key, uint32_t row)
{
    WR_ASSERT(s->lead_count && key < s->keys);
    s->seen[key] = 1;
    for (uint32_t i = 0; i < s->lead_count; i++)
        if (wr_variable_bit(p, s->lead[i].variable, row))
            s->led[(size_t)key * s->lead_count + i] = p->time[row];
}

static bool may_begin(const struct wr_pattern *p, const struct wr_seq *s, struct wr_seq_view *k, uint32_t row)
{
    if (!wr_bit(p->insert, row) || (k->open && p->plan.one_start)) return false;
    if (WR_LIKELY(!s->lead_count)) return true;
    return wr_variable_bit(p, s->level[1].variable, row) && !is_led(s, k->id, p->time[row]);
}

/* What is open moves on at a row, which some levels take and others die of. True when the row belongs to a match that
 * no other start may have rows of. */
static bool move_on(struct wr_pattern *p, struct wr_seq *s, struct wr_seq_view *k, uint32_t taken, uint32_t killed, uint32_t row)
{
    for (uint32_t left = (taken | killed) & k->open; left;) {
        uint32_t level = farthest(left);
        left &= ~((uint32_t)1 << level);
        if (killed >> level & 1) drop_level(p, s, k, level);
        else if (level < s->levels) take(p, s, k, level + 1, row);
        else if (complete(p, s, k, row)) return true;
    }
    return false;
}

static void handle_row(struct wr_pattern *p, struct wr_seq *s, uint32_t key, uint32_t row)
{
    uint32_t taken = 0, killed = 0;
    for (uint32_t left = s->key[key].open; left; left &= left - 1) {
        const struct wr_seq_level *at = &s->level[__builtin_ctz(left)];
        uint32_t bit = left & -left;
        if (at->kill_count && is_killed(p, at, row)) killed |= bit;
        else if (at->next_absence != WR_ABSENCE_NONE) continue;
        else if (wr_variable_bit(p, at->next_variable, row)) taken |= bit;
        else if (at->next_strict) killed |= bit;
    }
    bool past = is_past(p, s, key, p->time[row]);
    if (taken | killed || past || wr_bit(p->insert, row)) {
        struct wr_seq_view k;
        wr_seq_open(s, key, &k);
        if (past) expire(p, s, &k, p->time[row]);
        if (!move_on(p, s, &k, taken, killed, row) && may_begin(p, s, &k, row)) take(p, s, &k, 1, row);
        wr_seq_close(s, &k);
    }
    if (WR_UNLIKELY(s->lead_count)) remember_leads(p, s, key, row);
}

/* ---- Moments --------------------------------------------------------------------------------------- */

/* When time takes an item on; WR_TIME_MAX: never. */
static int64_t due_of(const struct wr_pattern *p, const struct wr_seq *s, uint32_t level, const struct wr_seq_item *item)
{
    const struct wr_seq_level *at = &s->level[level];
    WR_DCHECK(at->next_absence != WR_ABSENCE_NONE);
    /* What moments at the end of the input have armed does not fire. */
    if (at->moment && item->id.place.time > p->closing) return WR_TIME_MAX;
    if (at->next_absence == WR_ABSENCE_WITHIN) return wr_pattern_deadline(p, wr_seq_oldest(item, level));
    return wr_time_later(item->id.place.time, at->next_absence);
}

/* Arms for each start below an item, at `due`, or (WR_TIME_MAX) at the end of its own time. */
static void arm_starts(struct wr_pattern *p, const struct wr_seq *s, uint32_t level, uint32_t id, int64_t due, uint32_t key)
{
    if (level > 1) {
        for (uint32_t child = wr_seq_item_at(s, level, id)->child; child; child = wr_seq_item_at(s, level - 1, child)->next)
            arm_starts(p, s, level - 1, child, due, key);
        return;
    }
    const struct wr_seq_item *leaf = wr_seq_item_at(s, level, id);
    if (due == WR_TIME_MAX) due = wr_pattern_deadline(p, leaf->id.place.time);
    if (due != WR_TIME_MAX) wr_timer_arm(&p->op.timers, due, leaf->id.sequence, key);
}

void wr_seq_arm(struct wr_pattern *p, const struct wr_seq *s, uint32_t level, uint32_t id, uint32_t key)
{
    const struct wr_seq_level *at = &s->level[level];
    WR_ASSERT(s->absences >> level & 1);
    int64_t due = due_of(p, s, level, wr_seq_item_at(s, level, id));
    if (due == WR_TIME_MAX) return;
    if (level < s->levels) wr_timer_arm(&p->op.timers, due, wr_seq_leaf(s, level, id)->id.sequence, key);
    else arm_starts(p, s, level, id, at->next_absence == WR_ABSENCE_WITHIN ? WR_TIME_MAX : due, key);
}

/* Items of a level that are due take the moment, as one. */
static void take_moment(struct wr_pattern *p, struct wr_seq *s, struct wr_seq_view *k, uint32_t level, int64_t time)
{
    struct wr_seq_list *list = &k->list[level];
    uint32_t first = list->head, last = 0;
    for (uint32_t id = first; id && due_of(p, s, level, wr_seq_item_at(s, level, id)) <= time;
         id = wr_seq_item_at(s, level, id)->next)
        last = id;
    if (!last) return;
    WR_ASSERT(level < s->levels && s->level[level + 1].moment);
    list->head = wr_seq_item_at(s, level, last)->next;
    wr_seq_item_at(s, level, last)->next = 0;
    if (!list->head) empty_level(k, level);
    k->open |= (uint32_t)1 << (level + 1);
    uint32_t id = wr_seq_item_new(s, level + 1, &k->list[level + 1]);
    struct wr_seq_item *item = wr_seq_item_at(s, level + 1, id);
    item->child = first;
    item->id = (struct wr_row_id){.place = {.time = time}};
    wr_seq_set_oldest(item, level + 1, wr_seq_oldest(wr_seq_item_at(s, level, first), level));
    if (s->level[level + 1].next_absence != WR_ABSENCE_NONE) wr_seq_arm(p, s, level + 1, id, k->id);
}

/* Is the oldest start of the last level the one whose moment has come? */
static bool is_its_moment(const struct wr_pattern *p, const struct wr_seq *s, struct wr_seq_view *k, int64_t time)
{
    uint32_t head = k->list[s->levels].head;
    return due_of(p, s, s->levels, wr_seq_item_at(s, s->levels, head)) == time &&
           wr_seq_leaf(s, s->levels, head)->id.sequence == p->op.timers.order;
}

/* The moment may be one of a start that has gone: what is not due stays. */
static void sequence_moment(struct wr_pattern *p, int64_t time, uint32_t key)
{
    struct wr_seq *s = p->state;
    struct wr_seq_view k;
    if (key >= s->keys || !(s->key[key].open & s->absences)) return;
    wr_seq_open(s, key, &k);
    if (p->spec->within_us >= 0) expire(p, s, &k, time - 1);
    for (uint32_t left = k.open & s->absences; left;) {
        uint32_t level = farthest(left);
        left &= ~((uint32_t)1 << level);
        if (level < s->levels) take_moment(p, s, &k, level, time);
        else if (is_its_moment(p, s, &k, time)) complete_by_moment(p, s, &k, time);
    }
    wr_seq_close(s, &k);
}

/* ---- Batches --------------------------------------------------------------------------------------- */

static void reserve_leads(struct wr_seq *s, uint32_t limit)
{
    s->led = wr_realloc(s->led, (size_t)s->capacity * s->lead_count * sizeof *s->led);
    s->seen = wr_realloc(s->seen, s->capacity);
    memset(s->seen + s->keys, 0, limit - s->keys);
    for (size_t i = (size_t)s->keys * s->lead_count; i < (size_t)limit * s->lead_count; i++) s->led[i] = WR_TIME_MIN;
}

void wr_seq_reserve(struct wr_seq *s, uint32_t limit)
{
    if (limit <= s->keys) return;
    if (limit > s->capacity) {
        s->capacity = WR_MAX(limit, s->capacity + s->capacity / 2);
        s->key = wr_realloc(s->key, s->capacity * sizeof *s->key);
    }
    if (s->lead_count) reserve_leads(s, limit);
    memset(s->key + s->keys, 0, (limit - s->keys) * sizeof *s->key);
    s->keys = limit;
}

/* An item may lie in two lines. */
static inline void prefetch_item(const struct wr_seq *s, uint32_t level, uint32_t id)
{
    const char *item = wr_slab_at(&s->level[level].slab, id);
    wr_prefetch(item);
    wr_prefetch(item + sizeof(struct wr_seq_item) - 1);
}

/* Asks for the first item of a key. */
static inline void prefetch_first(const struct wr_seq *s, uint32_t key)
{
    uint32_t open = s->key[key].open;
    if (open) prefetch_item(s, farthest(open), s->key[key].first);
}

/* Asks for what stands behind the first item: the next one and the last one of its list, the first one of the next list. */
static inline void prefetch_second(const struct wr_seq *s, uint32_t key)
{
    uint32_t open = s->key[key].open;
    if (!open) return;
    uint32_t level = farthest(open), first = s->key[key].first;
    const struct wr_seq_item *item = wr_seq_item_at(s, level, first);
    if (item->next) prefetch_item(s, level, item->next);
    if (item->tail != item->next && item->tail != first) prefetch_item(s, level, item->tail);
    if (item->nearer) prefetch_item(s, farthest(open & ~((uint32_t)1 << level)), item->nearer);
}

/* Asks for what stands behind the first item of the second list. */
static inline void prefetch_third(const struct wr_seq *s, uint32_t key)
{
    uint32_t open = s->key[key].open, rest = open ? open & ~((uint32_t)1 << farthest(open)) : 0;
    if (!rest) return;
    uint32_t level = farthest(rest), first = wr_seq_item_at(s, farthest(open), s->key[key].first)->nearer;
    const struct wr_seq_item *item = wr_seq_item_at(s, level, first);
    if (item->next) prefetch_item(s, level, item->next);
    if (item->tail != item->next && item->tail != first) prefetch_item(s, level, item->tail);
}

/* Asks for what a row further on will read. */
static inline void prefetch_row(const struct wr_pattern *p, const struct wr_seq *s, const uint16_t *rows,
                                uint32_t count, uint32_t i)
{
    if (i + AHEAD_KEY < count) wr_prefetch(&s->key[(uint32_t)p->id[rows[i + AHEAD_KEY]]]);
    if (i + AHEAD_FIRST < count) prefetch_first(s, (uint32_t)p->id[rows[i + AHEAD_FIRST]]);
    if (i + AHEAD_SECOND < count) prefetch_second(s, (uint32_t)p->id[rows[i + AHEAD_SECOND]]);
    if (i + AHEAD_THIRD < count) prefetch_third(s, (uint32_t)p->id[rows[i + AHEAD_THIRD]]);
}

static void sequence_rows(struct wr_pattern *p)
{
    struct wr_seq *s = p->state;
    wr_seq_reserve(s, p->keys ? wr_keytable_id_limit(p->keys) : 1);
    uint16_t rows[WR_BATCH_ROWS];
    uint32_t count = wr_pattern_rows(p, rows);
    for (uint32_t i = 0; i < count; i++) {
        prefetch_row(p, s, rows, count, i);
        if (s->absences) {
            int64_t time = p->time[rows[i]];
            wr_moments_until(&p->op, time);
            if (WR_UNLIKELY(p->op.timers.next <= time)) return; /* halted */
            p->now = time;
        }
        handle_row(p, s, (uint32_t)p->id[rows[i]], rows[i]);
    }
}

/* Stages: what the key has open, its first items, and where a moment may be the end of a match the key itself. */
static void sequence_prefetch(const struct wr_pattern *p, uint32_t key, unsigned stage)
{
    const struct wr_seq *s = p->state;
    if (key >= s->keys) return;
    if (stage == 0) wr_prefetch(&s->key[key]);
    else if (stage == 1) prefetch_first(s, key);
    else if (stage == 2) prefetch_second(s, key);
    else prefetch_third(s, key);
    if (stage == 3 && p->keys && s->absences >> s->levels) wr_keytable_prefetch_entry(p->keys, key);
}

/* ---- The rest -------------------------------------------------------------------------------------- */

static void level_init(struct wr_pattern *p, const struct wr_seq *s, uint32_t number)
{
    struct wr_seq_level *level = &s->level[number];
    const struct wr_pattern_position *position = &p->spec->position[s->first + number - 1], *next = position + 1;
    uint32_t keep = p->plan.keep_count, count = 0;
    const struct wr_follow *entry = &p->spec->follow[position->follow];
    level->variable = position->variable;
    level->moment = position->absence_us != WR_ABSENCE_NONE;
    level->excluded = position->excluded != 0;
    level->next_variable = next->variable;
    level->next_absence = next->absence_us;
    level->next_strict = entry->connector == 0;
    WR_ASSERT(next->absence_us != WR_ABSENCE_WITHIN || next + 1 == p->spec->position + p->spec->position_count);
    level->kill = wr_alloc((entry->kill_count + 1u) * sizeof *level->kill);
    for (uint32_t i = 0; i < entry->kill_count; i++)
        level->kill[level->kill_count++] = p->spec->kill[entry->kill + i].variable;
    if (next->absence_us != WR_ABSENCE_NONE) level->kill[level->kill_count++] = next->variable;
    level->column = wr_alloc((keep + 1) * sizeof *level->column);
    for (uint32_t k = 0; k < keep && !level->moment; k++) {
        if (p->plan.needed[(size_t)level->variable * keep + k]) level->column[count++] = p->plan.keep[k];
    }
    wr_layout_init(&level->layout, level->column, count, p->input, 0);
    size_t oldest = number > 1 ? sizeof(int64_t) : 0;
    wr_slab_init(&level->slab, sizeof(struct wr_seq_item) + oldest + level->layout.size);
}

static void sequence_init(struct wr_pattern *p)
{
    struct wr_seq *s = wr_alloc_zero(sizeof *s);
    p->state = s;
    s->first = wr_pattern_first(p->spec);
    s->levels = p->spec->position_count - s->first - 1;
    WR_ASSERT(s->levels >= 1 && s->levels < WR_SEQUENCE_MAX);
    s->lead_count = p->spec->lead_count;
    s->lead = p->spec->lead;
    s->level = wr_alloc_zero((s->levels + 1) * sizeof *s->level);
    s->row = wr_alloc_zero((s->levels + 1) * sizeof *s->row);
    for (uint32_t level = 1; level <= s->levels; level++) {
        level_init(p, s, level);
        if (s->level[level].next_absence != WR_ABSENCE_NONE) s->absences |= (uint32_t)1 << level;
    }
}

static void sequence_release(struct wr_pattern *p)
{
    struct wr_seq *s = p->state;
    for (uint32_t level = 1; level <= s->levels; level++) {
        wr_slab_release(&s->level[level].slab);
        wr_layout_release(&s->level[level].layout);
        wr_free(s->level[level].column);
        wr_free(s->level[level].kill);
    }
    wr_free(s->level);
    wr_free(s->key);
    wr_free(s->led);
    wr_free(s->seen);
    wr_free(s->row);
    wr_free(s);
}

static void sequence_end(struct wr_pattern *p)
{
    WR_ASSERT(p->state); /* nothing waits: what is open has no match */
}

/* Nothing open: has the key a lead that still counts? If not, its record is clean again. */
static bool forget_leads(const struct wr_pattern *p, struct wr_seq *s, uint32_t key)
{
    if (is_led(s, key, p->now)) return false;
    for (uint32_t i = 0; i < s->lead_count; i++) s->led[(size_t)key * s->lead_count + i] = WR_TIME_MIN;
    s->seen[key] = 0;
    return true;
}

static bool sequence_sweep(struct wr_pattern *p, uint32_t key)
{
    struct wr_seq *s = p->state;
    if (key >= s->keys) return true;
    if (key + AHEAD_SECOND < s->keys) prefetch_first(s, key + AHEAD_SECOND); /* keys are swept in order */
    if (is_past(p, s, key, p->now)) {
        struct wr_seq_view k;
        wr_seq_open(s, key, &k);
        expire(p, s, &k, p->now);
        wr_seq_close(s, &k);
    }
    return s->key[key].open == 0 && (!s->lead_count || forget_leads(p, s, key));
}

/* What waits longest at a level is due first there. */
static int64_t sequence_armed(const struct wr_pattern *p, uint32_t key)
{
    const struct wr_seq *s = p->state;
    int64_t armed = WR_TIME_MAX;
    if (key >= s->keys || !(s->key[key].open & s->absences)) return armed;
    struct wr_seq_view k;
    wr_seq_open(s, key, &k);
    for (uint32_t left = k.open & s->absences; left; left &= left - 1) {
        uint32_t level = (uint32_t)__builtin_ctz(left);
        armed = WR_MIN(armed, due_of(p, s, level, wr_seq_item_at(s, level, k.list[level].head)));
    }
    return armed;
}

static void sequence_drop(struct wr_pattern *p, uint32_t key)
{
    struct wr_seq *s = p->state;
    if (key >= s->keys) return;
    struct wr_seq_view k;
    wr_seq_open(s, key, &k);
    for (uint32_t level = s->levels; level; level--) {
        if (k.open >> level & 1) list_free(p, s, level, k.list[level].head);
        k.list[level] = (struct wr_seq_list){0, 0};
    }
    k.open = 0;
    wr_seq_close(s, &k);
    for (uint32_t i = 0; i < s->lead_count; i++) s->led[(size_t)key * s->lead_count + i] = WR_TIME_MIN;
    if (s->lead_count) s->seen[key] = 0;
}

static void sequence_clear(struct wr_pattern *p)
{
    struct wr_seq *s = p->state;
    for (uint32_t level = 1; level <= s->levels; level++) wr_slab_clear(&s->level[level].slab);
    s->keys = 0;
}

static uint32_t key_bytes(const struct wr_seq *s)
{
    size_t leads = s->lead_count ? s->lead_count * sizeof *s->led + sizeof *s->seen : 0;
    return (uint32_t)(sizeof *s->key + leads);
}

static void sequence_measure(const struct wr_pattern *p, struct wr_operator_size *size)
{
    const struct wr_seq *s = p->state;
    for (uint32_t level = 1; level <= s->levels; level++) {
        size->rows += s->level[level].slab.live;
        size->bytes += wr_slab_bytes(&s->level[level].slab);
        size->live += wr_slab_live_bytes(&s->level[level].slab);
    }
    size->starts += s->level[1].slab.live;
    size->bytes += (uint64_t)s->capacity * key_bytes(s);
    size->live += size->keys * key_bytes(s);
}

/* Beside those whose NOT … FOR at the beginning asks for an earlier row. */
static uint64_t sequence_open_keys(const struct wr_pattern *p)
{
    const struct wr_seq *s = p->state;
    uint64_t count = 0;
    WR_ASSERT(s->keys <= s->capacity);
    for (uint32_t key = 0; key < s->keys; key++) count += s->key[key].open != 0;
    return count;
}

/* A start is the row that begins it; those that have come equally far share the rows of further steps. */
static void sequence_bound(const struct wr_pattern *p, struct wr_state_bound *bound)
{
    const struct wr_seq *s = p->state;
    WR_ASSERT(s && s->levels);
    bound->key += key_bytes(s);
    bound->start = s->level[1].slab.cell_size;
    for (uint32_t level = 2; level <= s->levels; level++) bound->row = WR_MAX(bound->row, s->level[level].slab.cell_size);
}

const struct wr_matcher wr_match_sequence = {
    .name = "sequence",
    .init = sequence_init,
    .release = sequence_release,
    .rows = sequence_rows,
    .moment = sequence_moment,
    .prefetch = sequence_prefetch,
    .end = sequence_end,
    .sweep = sequence_sweep,
    .encode = wr_seq_encode,
    .decode = wr_seq_decode,
    .load = wr_seq_load,
    .clear = sequence_clear,
    .armed = sequence_armed,
    .drop = sequence_drop,
    .measure = sequence_measure,
    .open_keys = sequence_open_keys,
    .bound = sequence_bound,
    .check = wr_seq_check,
};
