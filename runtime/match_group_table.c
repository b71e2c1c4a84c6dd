/* Configurations and transitions of the group matcher. Each transition is worked out once, by the rules of the general
 * matcher's candidates (match_thread.c, match_special.c) for conditions that read the row alone, and then looked up. */
#include "runtime/match_group.h"

static bool has_bit(uint64_t bits, uint32_t variable)
{
    return bits >> variable & 1;
}

static struct wr_thread *thread_in(const struct wr_group_table *t, const struct wr_threads *list, uint32_t i)
{
    return (struct wr_thread *)(void *)(list->data + (size_t)i * t->thread_size);
}

/* ---- Configurations ------------------------------------------------------------------------------ */

static uint64_t kills_of(const struct wr_pattern *p, const struct wr_follow *f)
{
    uint64_t bits = 0;
    for (uint32_t i = 0; i < f->kill_count; i++) bits |= (uint64_t)1 << p->spec->kill[f->kill + i].variable;
    return bits;
}

/* The conditions that an entry asks for. */
static uint64_t asked_by(const struct wr_pattern *p, const struct wr_follow *f)
{
    uint64_t bits = kills_of(p, f);
    if (f->position != WR_ACCEPT) bits |= (uint64_t)1 << p->spec->position[f->position].variable;
    for (uint32_t i = 0; i < f->claim_count; i++) {
        const struct wr_follow *claim = &p->spec->follow[p->spec->claim[f->claim + i]];
        bits |= kills_of(p, claim) | (uint64_t)1 << p->spec->position[claim->position].variable;
    }
    return bits;
}

static void describe(const struct wr_pattern *p, const struct wr_group *s, struct wr_group_config *config)
{
    config->quiet = true;
    for (uint32_t i = 0; i < config->count; i++) {
        const struct wr_thread *t = wr_group_thread(s, config, i);
        if (t->ended) continue;
        const struct wr_step *step = &p->plan.step[t->position];
        if (step->needs_aged && !t->aged) config->quiet = false;
        for (uint32_t e = 0; e < step->entries; e++) {
            if (!wr_bit(t->alive, e)) continue;
            if (wr_bit(step->strict, e)) config->quiet = false;
            config->relevant |= asked_by(p, &step->follow[e]);
        }
    }
    config->ended = wr_group_thread(s, config, config->count - 1)->ended;
    config->over = config->ended && config->count == 1;
}

static uint64_t hash_bytes(const void *data, size_t size)
{
    const unsigned char *byte = data;
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < size; i++) hash = (hash ^ byte[i]) * 0x100000001b3u;
    return hash ^ hash >> 29;
}

/* Configurations that nothing refers to, when the transitions have been forgotten. */
static uint32_t free_config(const struct wr_group_table *t)
{
    for (uint32_t i = WR_GROUP_BEGINNING + 1; i < t->config.count; i++)
        if (!t->config.at[i].thread) return i;
    return 0;
}

uint32_t wr_group_config(struct wr_pattern *p, struct wr_group *s, const struct wr_thread *thread, uint32_t count)
{
    struct wr_group_table *t = &s->table;
    WR_ASSERT(count > 0 && count <= WR_GROUP_CANDIDATES);
    size_t size = (size_t)count * t->thread_size;
    struct wr_group_config config = {.count = count, .thread = wr_alloc(size)};
    memcpy(config.thread, thread, size);
    for (uint32_t i = 0; i < count; i++) wr_group_thread(s, &config, i)->link = 0;
    config.hash = hash_bytes(config.thread, size);
    for (uint32_t i = 1; i < t->config.count; i++) { /* only when a transition is made or state is loaded */
        const struct wr_group_config *have = &t->config.at[i];
        if (!have->thread || have->hash != config.hash || have->count != count ||
            memcmp(have->thread, config.thread, size) != 0)
            continue;
        wr_free(config.thread);
        return i;
    }
    describe(p, s, &config);
    uint32_t id = free_config(t);
    if (id) t->config.at[id] = config;
    else wr_vec_push(&t->config, config);
    return id ? id : (uint32_t)t->config.count - 1;
}

/* ---- Working a transition out -------------------------------------------------------------------- */

static struct wr_thread *push(struct wr_pattern *p, struct wr_group_table *t, uint16_t position, uint32_t link)
{
    if (t->to.count == t->to.capacity) {
        t->to.capacity = t->to.capacity ? t->to.capacity * 2 : 16;
        t->to.data = wr_realloc(t->to.data, (size_t)t->to.capacity * t->thread_size);
    }
    struct wr_thread *thread = thread_in(t, &t->to, t->to.count++);
    memset(thread, 0, t->thread_size);
    thread->position = position;
    thread->link = link;
    WR_ASSERT(position <= p->spec->position_count);
    return thread;
}

static void add_ended(struct wr_pattern *p, struct wr_group_table *t, uint32_t link)
{
    push(p, t, 0, link)->ended = 1;
}

/* As is_stood_for of match_thread.c: nothing that was taken is read. */
static bool is_stood_for(const struct wr_pattern *p, const struct wr_group_table *t, uint16_t position,
                         const uint64_t *alive, bool aged)
{
    const struct wr_step *step = &p->plan.step[position];
    uint32_t looks = WR_COMPARED_MAX;
    for (uint32_t i = t->to.count; i && looks; i--) {
        const struct wr_thread *before = thread_in(t, &t->to, i - 1);
        if (before->ended || before->position != position) continue;
        looks--;
        bool covers = true;
        for (uint32_t w = 0; w < p->plan.alive_words && covers; w++) covers = !(alive[w] & ~before->alive[w]);
        if (covers && !(step->special && step->needs_aged && before->aged != aged)) return true;
    }
    return false;
}

static void add_open(struct wr_pattern *p, struct wr_group_table *t, uint16_t position, uint32_t link,
                     const uint64_t *alive, bool aged)
{
    if (is_stood_for(p, t, position, alive, aged)) return;
    struct wr_thread *thread = push(p, t, position, link);
    thread->aged = aged;
    memcpy(thread->alive, alive, p->plan.alive_words * sizeof *alive);
}

static bool is_killed(const struct wr_pattern *p, const struct wr_thread *t, const struct wr_follow *f, uint64_t bits)
{
    for (uint32_t i = 0; i < f->kill_count; i++) {
        const struct wr_kill *kill = &p->spec->kill[f->kill + i];
        if (!(kill->next_only && t->aged) && has_bit(bits, kill->variable)) return true;
    }
    return false;
}

static bool is_claimed(const struct wr_pattern *p, const struct wr_thread *t, const struct wr_follow *f, uint64_t bits)
{
    bool beginning = p->plan.step[t->position].beginning;
    for (uint32_t i = 0; i < f->claim_count; i++) {
        const struct wr_follow *claim = &p->spec->follow[p->spec->claim[f->claim + i]];
        if (!beginning && claim->connector == 0 && t->aged) continue;
        if (!is_killed(p, t, claim, bits) && has_bit(bits, p->spec->position[claim->position].variable)) return true;
    }
    return false;
}

static enum wr_verdict judge(const struct wr_pattern *p, const struct wr_thread *t, const struct wr_follow *f, uint64_t bits)
{
    const struct wr_step *step = &p->plan.step[t->position];
    if (!step->special) return WR_ENTRY_TAKES;
    if (step->beginning) return is_claimed(p, t, f, bits) ? WR_ENTRY_DIES : WR_ENTRY_TAKES;
    if (is_killed(p, t, f, bits)) return WR_ENTRY_DIES;
    return is_claimed(p, t, f, bits) ? WR_ENTRY_SKIPS : WR_ENTRY_TAKES;
}

/* Adds what becomes of candidate `source` of a configuration. True when it has ended. */
static bool move_on(struct wr_pattern *p, struct wr_group_table *t, const struct wr_thread *from, uint32_t source,
                    uint64_t bits)
{
    const struct wr_step *step = &p->plan.step[from->position];
    bool stays = false;
    uint32_t asked = UINT32_MAX;
    memset(t->rest, 0, t->thread_size);
    for (uint32_t e = 0; e < step->entries; e++) {
        if (!wr_bit(from->alive, e)) continue;
        const struct wr_follow *f = &step->follow[e];
        WR_ASSERT(f->position != WR_ACCEPT);
        enum wr_verdict verdict = judge(p, from, f, bits);
        if (verdict == WR_ENTRY_DIES) continue;
        const struct wr_pattern_position *position = &p->spec->position[f->position];
        if (verdict == WR_ENTRY_TAKES && has_bit(bits, position->variable)) {
            uint16_t flags = position->excluded ? WR_LINK_EXCLUDED : 0;
            uint32_t ask = (uint32_t)flags << 16 | position->variable;
            if (ask != asked) wr_vec_push(&t->made, (struct wr_group_made){source, position->variable, flags});
            asked = ask;
            uint32_t link = WR_GROUP_MADE | (uint32_t)(t->made.count - 1);
            const struct wr_step *next = &p->plan.step[f->position];
            if (next->entries) add_open(p, t, f->position, link, next->full, false);
            if (!next->accepts) continue;
            add_ended(p, t, link);
            return true;
        }
        if (verdict == WR_ENTRY_TAKES) asked = (uint32_t)(position->excluded ? WR_LINK_EXCLUDED : 0) << 16 | position->variable;
        if (wr_bit(step->strict, e)) continue;
        wr_bit_set(t->rest->alive, e);
        stays = true;
    }
    if (stays) add_open(p, t, from->position, source, t->rest->alive, step->needs_aged);
    return false;
}

static void too_many(struct wr_pattern *p)
{
    struct wr_error error;
    wr_error_set(&error, WR_ERR_LIMIT, "%s: more than %d ways to go on from one row. A shorter or simpler pattern helps",
                 p->program->query[p->op.node->query], WR_GROUP_CANDIDATES);
    wr_task_fail(p->op.task, &error);
}

static struct wr_group_move *work_out(struct wr_pattern *p, struct wr_group *s, uint32_t from, uint64_t bits)
{
    struct wr_group_table *t = &s->table;
    const struct wr_group_config *config = &t->config.at[from];
    WR_ASSERT(config->users && !(bits & ~config->relevant));
    t->to.count = 0;
    wr_vec_clear(&t->made);
    bool cut = false;
    for (uint32_t i = 0; i < config->count && !cut; i++) {
        const struct wr_thread *thread = wr_group_thread(s, config, i);
        if (thread->ended) add_ended(p, t, i);
        else cut = move_on(p, t, thread, i, bits);
    }
    /* The empty match stands behind all that takes the row. */
    if (from == WR_GROUP_BEGINNING && !cut && p->plan.step[p->spec->position_count].accepts) add_ended(p, t, 0);
    if (t->to.count > WR_GROUP_CANDIDATES) {
        too_many(p);
        t->to.count = 0;
    }
    struct wr_group_move *move = wr_alloc_zero(sizeof *move);
    *move = (struct wr_group_move){.from = from, .bits = bits, .made_count = (uint32_t)t->made.count};
    move->made = wr_alloc((t->made.count + 1) * sizeof *move->made);
    if (t->made.count) memcpy(move->made, t->made.at, t->made.count * sizeof *move->made);
    move->link = wr_alloc((t->to.count + 1) * sizeof *move->link);
    for (uint32_t i = 0; i < t->to.count; i++) move->link[i] = thread_in(t, &t->to, i)->link;
    if (t->to.count) move->to = wr_group_config(p, s, thread_in(t, &t->to, 0), t->to.count);
    move->same = move->to == from;
    for (uint32_t i = 0; i < t->to.count; i++) move->same &= move->link[i] == i;
    return move;
}

/* ---- Looking transitions up ---------------------------------------------------------------------- */

static uint32_t hash_move(uint32_t config, uint64_t bits)
{
    uint64_t x = (bits ^ (uint64_t)config << 40 ^ config) * 0x9e3779b97f4a7c15u;
    return (uint32_t)(x >> 32);
}

static void move_free(struct wr_group_move *move)
{
    wr_free(move->made);
    wr_free(move->link);
    wr_free(move);
}

/* Too many are known: begins anew, with the configurations that starts are in. */
static void forget_moves(struct wr_group_table *t)
{
    for (size_t i = 0; i < t->move.count; i++) move_free(t->move.at[i]);
    wr_vec_clear(&t->move);
    memset(t->slot, 0, t->slots * sizeof *t->slot);
    for (size_t i = WR_GROUP_BEGINNING + 1; i < t->config.count; i++) {
        struct wr_group_config *config = &t->config.at[i];
        if (config->users || !config->thread) continue;
        wr_free(config->thread);
        *config = (struct wr_group_config){0};
    }
}

static void grow_slots(struct wr_group_table *t)
{
    wr_free(t->slot);
    t->slots *= 2;
    t->slot = wr_alloc_zero(t->slots * sizeof *t->slot);
    for (size_t i = 0; i < t->move.count; i++) {
        uint32_t at = hash_move(t->move.at[i]->from, t->move.at[i]->bits) & (t->slots - 1);
        while (t->slot[at]) at = (at + 1) & (t->slots - 1);
        t->slot[at] = (uint32_t)i + 1;
    }
}

const struct wr_group_move *wr_group_move(struct wr_pattern *p, struct wr_group *s, uint32_t config, uint64_t bits)
{
    struct wr_group_table *t = &s->table;
    uint32_t at = hash_move(config, bits) & (t->slots - 1);
    for (; t->slot[at]; at = (at + 1) & (t->slots - 1)) {
        const struct wr_group_move *move = t->move.at[t->slot[at] - 1];
        if (move->from == config && move->bits == bits) return move;
    }
    if (t->move.count >= WR_GROUP_MOVES_MAX) forget_moves(t);
    struct wr_group_move *move = work_out(p, s, config, bits);
    wr_vec_push(&t->move, move);
    if (t->move.count * 2 > t->slots) {
        grow_slots(t);
        return move;
    }
    at = hash_move(config, bits) & (t->slots - 1);
    while (t->slot[at]) at = (at + 1) & (t->slots - 1);
    t->slot[at] = (uint32_t)t->move.count;
    return move;
}

void wr_group_table_init(struct wr_pattern *p, struct wr_group *s)
{
    struct wr_group_table *t = &s->table;
    WR_ASSERT(p->spec->variable_count <= 64);
    t->thread_size = (uint32_t)(sizeof(struct wr_thread) + p->plan.alive_words * sizeof(uint64_t));
    t->rest = wr_alloc_zero(t->thread_size);
    t->slots = 64;
    t->slot = wr_alloc_zero(t->slots * sizeof *t->slot);
    wr_vec_push(&t->config, (struct wr_group_config){0});
    struct wr_thread *beginning = wr_alloc_zero(t->thread_size);
    beginning->position = (uint16_t)p->spec->position_count;
    memcpy(beginning->alive, p->plan.step[beginning->position].full, p->plan.alive_words * sizeof(uint64_t));
    uint32_t id = wr_group_config(p, s, beginning, 1);
    WR_ASSERT(id == WR_GROUP_BEGINNING);
    t->config.at[id].users = 1;
    wr_free(beginning);
}

void wr_group_table_release(struct wr_group *s)
{
    struct wr_group_table *t = &s->table;
    for (size_t i = 0; i < t->move.count; i++) move_free(t->move.at[i]);
    for (size_t i = 0; i < t->config.count; i++) wr_free(t->config.at[i].thread);
    wr_vec_release(&t->move);
    wr_vec_release(&t->config);
    wr_vec_release(&t->made);
    wr_free(t->slot);
    wr_free(t->to.data);
    wr_free(t->rest);
}
