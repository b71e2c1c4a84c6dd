/* Dropping starts where a limit over all keys of a pattern is passed. */
#include "runtime/match_limit.h"

#include "runtime/match_general.h"

struct wr_limiter *wr_limiter_new(const struct wr_limits *limits, const struct wr_pattern_node *spec)
{
    bool any = limits->starts_pattern != UINT64_MAX || limits->keys != UINT64_MAX || limits->rows != UINT64_MAX;
    if (!any || limits->policy == WR_ON_LIMIT_FAIL || !wr_limits_drop_starts(limits, spec)) return NULL;
    struct wr_limiter *limiter = wr_alloc_zero(sizeof *limiter);
    limiter->limits = *limits;
    /* A row that an earlier start has taken cannot be refused: no start is new enough to be dropped for it. */
    if (limits->policy == WR_ON_LIMIT_DROP_NEW) limiter->limits.rows = UINT64_MAX;
    return limiter;
}

void wr_limiter_free(struct wr_limiter *limiter)
{
    if (limiter) wr_free(limiter->heap);
    wr_free(limiter);
}

void wr_limiter_clear(struct wr_limiter *limiter)
{
    if (!limiter) return;
    limiter->count = 0;
    limiter->begun = 0;
}

/* ---- The heap ---------------------------------------------------------------------------------------- */

static void push(struct wr_limiter *limiter, struct wr_limit_entry entry)
{
    WR_ASSERT(entry.sequence > 0);
    if (limiter->count == limiter->capacity) {
        limiter->capacity = limiter->capacity ? limiter->capacity * 2 : 64;
        limiter->heap = wr_realloc(limiter->heap, limiter->capacity * sizeof *limiter->heap);
    }
    size_t at = limiter->count++;
    for (; at && entry.sequence < limiter->heap[(at - 1) / 2].sequence; at = (at - 1) / 2)
        limiter->heap[at] = limiter->heap[(at - 1) / 2];
    limiter->heap[at] = entry;
}

static struct wr_limit_entry pop(struct wr_limiter *limiter)
{
    WR_ASSERT(limiter->count > 0);
    struct wr_limit_entry first = limiter->heap[0], last = limiter->heap[--limiter->count];
    size_t at = 0;
    for (size_t child; (child = 2 * at + 1) < limiter->count; at = child) {
        if (child + 1 < limiter->count && limiter->heap[child + 1].sequence < limiter->heap[child].sequence) child++;
        if (limiter->heap[child].sequence >= last.sequence) break;
        limiter->heap[at] = limiter->heap[child];
    }
    if (limiter->count) limiter->heap[at] = last;
    return first;
}

/* The oldest open start of all is its key's first; NULL: none is open. Entries of starts that have gone are let go. */
static struct wr_start *oldest(struct wr_general *g)
{
    struct wr_limiter *limiter = g->limiter;
    while (limiter->count) {
        uint32_t head = g->key.at[limiter->heap[0].key].head;
        struct wr_start *start = head ? wr_start_at(g, head) : NULL;
        if (start && wr_start_first(g, start)->sequence == limiter->heap[0].sequence) return start;
        (void)pop(limiter);
    }
    return NULL;
}

/* Entries of starts that have gone outnumber the others: all are put in anew. */
static void rebuild(struct wr_general *g)
{
    g->limiter->count = 0;
    for (uint32_t key = 0; key < g->key.count; key++)
        for (uint32_t id = g->key.at[key].head; id; id = wr_start_at(g, id)->next)
            push(g->limiter, (struct wr_limit_entry){wr_start_first(g, wr_start_at(g, id))->sequence, key});
    WR_ASSERT(g->limiter->count == g->starts.live);
}

void wr_limiter_began(struct wr_general *g, uint32_t key, uint64_t sequence)
{
    enum { LEAST = 1024 };
    struct wr_limiter *limiter = g->limiter;
    WR_ASSERT(limiter && g->key.at[key].head);
    if (!limiter->begun) limiter->begun = sequence;
    push(limiter, (struct wr_limit_entry){sequence, key});
    if (limiter->count > 2 * (size_t)g->starts.live + g->key.count + LEAST) rebuild(g);
}

/* ---- The limits -------------------------------------------------------------------------------------- */

/* The setting that is passed; NULL: all hold. */
static const char *passed(const struct wr_general *g)
{
    const struct wr_limits *limits = &g->limiter->limits;
    if (g->starts.live > limits->starts_pattern) return "max_starts_per_pattern";
    if (g->open_keys > limits->keys) return "max_keys";
    return g->rows.live > limits->rows ? "max_rows_kept" : NULL;
}

/* Ends the starts whose time is up: they are the oldest. */
static void end_expired(struct wr_pattern *p, struct wr_general *g)
{
    for (struct wr_start *start; (start = oldest(g)) && wr_pattern_deadline(p, start->time) <= p->now;) {
        struct wr_limit_entry entry = g->limiter->heap[0];
        wr_unit_touch(&p->op, entry.key);
        wr_general_pass(p, g, entry.key, p->now);
        start = oldest(g);
        if (start && g->limiter->heap[0].sequence == entry.sequence) return; /* rows before its end still wait */
    }
}

static void drop_oldest(struct wr_pattern *p, struct wr_general *g, const char *name)
{
    struct wr_start *start = oldest(g);
    WR_ASSERT(start);
    uint32_t key = g->limiter->heap[0].key;
    bool whole_key = strcmp(name, "max_keys") == 0;
    WR_ASSERT(g->key.at[key].head && wr_start_at(g, g->key.at[key].head) == start);
    wr_unit_touch(&p->op, key);
    do {
        wr_general_drop_start(p, g, key, wr_start_first(g, wr_start_at(g, g->key.at[key].head))->sequence, name);
    } while (whole_key && g->key.at[key].head);
    wr_general_pass(p, g, key, p->now); /* those behind may have waited for it */
}

void wr_limiter_enforce(struct wr_pattern *p, struct wr_general *g, uint32_t key)
{
    struct wr_limiter *limiter = g->limiter;
    uint64_t begun = limiter->begun;
    WR_ASSERT(g->open_keys <= g->starts.live && limiter->limits.policy != WR_ON_LIMIT_FAIL);
    WR_ASSERT(!g->current); /* the row has been settled */
    limiter->begun = 0;
    if (WR_LIKELY(!passed(g))) return;
    end_expired(p, g);
    for (const char *name; (name = passed(g));) {
        uint32_t tail = g->key.at[key].tail;
        if (limiter->limits.policy == WR_ON_LIMIT_DROP_OLDEST && oldest(g)) {
            drop_oldest(p, g, name);
        } else if (limiter->limits.policy == WR_ON_LIMIT_DROP_NEW && begun && tail &&
                   wr_start_first(g, wr_start_at(g, tail))->sequence >= begun) {
            wr_general_drop_start(p, g, key, wr_start_first(g, wr_start_at(g, tail))->sequence, name);
        } else {
            break; /* rows that no start holds (PREV): what is checked after a batch ends the run */
        }
    }
}
