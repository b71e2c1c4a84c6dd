/* The general matcher from the inside: chains of taken rows (match_link.c), the candidates that end in them
 * (match_thread.c) and the starts that have these (match_general.c), in slabs by 32-bit ids. */
#ifndef WR_RUNTIME_MATCH_GENERAL_H
#define WR_RUNTIME_MATCH_GENERAL_H

#include "runtime/pattern.h"

/* A kept row: shared by all chains of its key. */
struct wr_kept {
    struct wr_row_id id;
    uint32_t ref;      /* links that hold it */
    uint32_t unused;
    uint64_t data[];   /* a cell of wr_pattern.keep */
};

/* A taken row behind those taken before it. Prefixes are shared. Behind the header lie the ids of the rows that the
 * plan's cached tracks remember, then the running accumulators. */
struct wr_link {
    uint32_t previous; /* the root, at last */
    uint32_t row;      /* 0: the root */
    uint32_t ref;      /* candidates and links that hold it */
    uint32_t number;   /* scratch of save: 1 + its place in the picture; 0: not in it */
    uint16_t variable;
    uint16_t unused;
    uint32_t id[];
};

/* A candidate of a start. `alive` has plan.alive_words words: which entries of its position's follow list may
 * still take a row. An ended one waits for what is preferred to it. */
struct wr_thread {
    uint32_t link;
    uint16_t position;
    uint16_t ended;
    uint64_t alive[];
};

/* A row from which a match may still come. Its candidates stand in order of preferment: the first in the cell,
 * further ones in a list of cells of their own. */
struct wr_start {
    struct wr_row_id first;
    uint32_t next;     /* the next start of the key; 0: the last */
    uint32_t count;    /* candidates, at least 1 */
    uint32_t more;     /* list of struct wr_more; 0: count is 1 */
    uint32_t armed;    /* a moment is armed for its end */
    uint64_t cell[];   /* the first candidate: a struct wr_thread */
};
struct wr_more {
    uint32_t next, unused;
    uint64_t cell[];
};

struct wr_key_starts {
    uint32_t head, tail; /* starts in order of their first rows; 0: none */
};

/* Candidates in the making, `size` bytes each. */
struct wr_threads {
    char *data;
    uint32_t count, capacity;
};

struct wr_waiting { /* a match that only the end of the input has decided */
    struct wr_row_id first;
    uint32_t key, link;
};

/* Candidates of earlier starts at one position (wr_threads_drop_younger). */
enum { WR_ELDERS = 4 };
struct wr_elders {
    uint64_t go;       /* the go over a key's starts that they belong to */
    uint32_t count;
    const struct wr_thread *at[WR_ELDERS];
};

struct wr_general {
    struct wr_slab rows, links, starts, more;
    WR_VEC(struct wr_key_starts) key;
    uint32_t root;           /* the chain of no rows */
    uint32_t accumulators;   /* their offset in a link */
    uint32_t thread_size;
    uint32_t current;        /* the row being handled, once it is kept; 0: not kept */
    struct wr_threads from, to;
    WR_VEC(uint32_t) same;   /* per candidate of .to: the one before it at the same position, 1 + index */
    uint32_t *head;          /* per position: the last candidate of .to there, 1 + index, ... */
    uint64_t *stamp;         /* ... if this is the number of the list in the making */
    uint64_t list_number;
    struct wr_elders *elders; /* per position; NULL where the pattern cannot use them */
    uint64_t go;
    WR_VEC(struct wr_waiting) waiting;
};

static inline struct wr_thread *wr_start_thread(struct wr_start *start)
{
    return (struct wr_thread *)start->cell;
}
static inline struct wr_thread *wr_more_thread(struct wr_more *more)
{
    return (struct wr_thread *)more->cell;
}
static inline struct wr_start *wr_start_at(const struct wr_general *g, uint32_t id)
{
    return wr_slab_at(&g->starts, id);
}
static inline struct wr_more *wr_more_at(const struct wr_general *g, uint32_t id)
{
    return wr_slab_at(&g->more, id);
}
static inline struct wr_link *wr_link_at(const struct wr_general *g, uint32_t id)
{
    return wr_slab_at(&g->links, id);
}
static inline struct wr_kept *wr_kept_at(const struct wr_general *g, uint32_t id)
{
    return wr_slab_at(&g->rows, id);
}
static inline char *wr_link_accumulators(const struct wr_general *g, struct wr_link *link)
{
    return (char *)link + g->accumulators;
}

void wr_links_init(struct wr_pattern *p, struct wr_general *g);
void wr_links_release(struct wr_pattern *p, struct wr_general *g);
void wr_links_clear(struct wr_pattern *p, struct wr_general *g);
/* The chain with the row being handled taken behind `parent` as `variable`, held once, or 0 when the variable's
 * condition does not hold. */
uint32_t wr_link_take(struct wr_pattern *p, struct wr_general *g, uint32_t parent, uint16_t variable, uint32_t row);
/* pattern_trace.c: a candidate was offered the row; `taken`: the link, 0 when the condition refused. */
void wr_trace_step(struct wr_pattern *p, const struct wr_general *g, uint32_t parent, uint16_t variable, uint32_t row,
                   uint32_t taken);
/* A start has gone. */
void wr_trace_end(struct wr_pattern *p, uint64_t sequence, uint32_t key, enum wr_watch_end end, int64_t time);
void wr_link_unref(struct wr_pattern *p, struct wr_general *g, uint32_t id);
/* Do two chains agree on all that the conditions in `reads` (bits over .history) read? */
bool wr_link_agrees(const struct wr_pattern *p, const struct wr_general *g, uint32_t a, uint32_t b,
                    const uint64_t *reads);
/* A row from a saved state, held by nobody yet; its values are the caller's to put. */
uint32_t wr_kept_add(struct wr_general *g, const struct wr_row_id *id);
/* A link from a saved state; holds its row and its predecessor. Accumulators are the caller's to fill. */
uint32_t wr_link_add(struct wr_pattern *p, struct wr_general *g, uint32_t previous, uint32_t row, uint16_t variable);
/* Drops the row being handled if nothing has taken it. */
void wr_kept_settle(struct wr_pattern *p, struct wr_general *g);

/* ---- Candidates (match_thread.c) ------------------------------------------------------------------- */

/* Makes the candidates of a start at the row itself; false when no beginning takes it. */
bool wr_threads_begin(struct wr_pattern *p, struct wr_general *g, uint32_t row);
/* Puts the list that was made last down in the start. */
void wr_threads_store(struct wr_general *g, struct wr_start *start);
/* Moves a start's candidates on at a row; its count is 0 when none is left. */
void wr_threads_advance(struct wr_pattern *p, struct wr_general *g, struct wr_start *start, uint32_t row);
/* Its time is up: only the candidate that has ended stays. */
void wr_threads_expire(struct wr_pattern *p, struct wr_general *g, struct wr_start *start);
/* Drops those that cannot matter, since an earlier start has one with the same future. */
void wr_threads_drop_younger(struct wr_pattern *p, struct wr_general *g, struct wr_start *start);
void wr_threads_drop(struct wr_pattern *p, struct wr_general *g, struct wr_start *start);
/* The candidate that has ended, always the last; NULL: none has. */
static inline struct wr_thread *wr_threads_ended(const struct wr_general *g, struct wr_start *start)
{
    struct wr_thread *last = wr_start_thread(start);
    for (uint32_t more = start->more; more;) {
        struct wr_more *cell = wr_more_at(g, more);
        last = wr_more_thread(cell);
        more = cell->next;
    }
    return last->ended ? last : NULL;
}

/* ---- State (match_general_state.c) ------------------------------------------------------------------ */

void wr_general_save(struct wr_pattern *p, uint32_t key, struct wr_picture *picture);
void wr_general_check(const struct wr_pattern *p);
bool wr_general_load(struct wr_pattern *p, uint32_t key, const struct wr_picture *picture);
/* Room for the states of keys below `limit`. */
void wr_general_reserve(struct wr_general *g, uint32_t limit);
void wr_general_arm(struct wr_pattern *p, struct wr_general *g, uint32_t key);
#endif
