/* The general matcher from the inside: chains of taken rows (match_link.c), the candidates that end in them
 * (match_thread.c) and the starts that have these (match_general.c), in slabs by 32-bit ids. */
#ifndef WR_RUNTIME_MATCH_GENERAL_H
#define WR_RUNTIME_MATCH_GENERAL_H

#include "runtime/match_limit.h"
#include "runtime/pattern.h"

/* A kept row: shared by all chains of its key. */
struct wr_kept {
    struct wr_row_id id;
    uint32_t ref : 31; /* links and starts that hold it, and its key's list of rows */
    uint32_t matched : 1; /* some match has taken it, or an empty one starts there */
    uint8_t flag[WR_KEPT_FLAGS]; /* the cell's, where it has so few columns */
    uint64_t data[];   /* a cell of wr_pattern.keep; behind it the row conditions of rows that wait, a bit a variable;
                          and, where the rows of a key are kept in order, a struct wr_listed */
};
_Static_assert(offsetof(struct wr_kept, data) == offsetof(struct wr_kept, flag) + WR_KEPT_FLAGS, "flags stand before the cell");
/* A kept row's place in its key's list of rows. */
struct wr_listed {
    uint32_t before, next;
    uint64_t number;   /* among its key's rows: those that nothing may look at are left out of the list */
};

enum wr_link_flag { WR_LINK_MOMENT = 1, WR_LINK_EXCLUDED = 2 };

/* A taken row, or moment, behind those taken before it. Prefixes are shared. Behind the header lie the ids of the rows
 * that the plan's cached tracks remember, the time of the row or moment where there are moments, then the running
 * accumulators. */
struct wr_link {
    uint32_t previous; /* the root, at last; of a join (match_group.h) the candidate */
    uint32_t row;      /* of a moment: the row before it; 0: the root, a join */
    uint32_t ref;      /* candidates and links that hold it; see wr_link_draw */
    uint16_t variable;
    uint16_t flags;    /* enum wr_link_flag */
    uint32_t id[];
};

/* A candidate of a start. `alive` has plan.alive_words words: which entries of its position's follow list may
 * still take a row. An ended one waits for what is preferred to it. */
struct wr_thread {
    uint32_t link;
    uint16_t position;
    uint8_t ended;
    uint8_t aged;      /* a row has passed since (only where the position needs to know) */
    uint64_t alive[];
};

/* A row from which a match may still come. Its candidates stand in order of preferment: the first in the cell,
 * further ones in a list of cells of their own. */
struct wr_start {
    int64_t time;      /* of its first row */
    int64_t armed;     /* a moment is armed for this time; WR_TIME_MAX: none is */
    uint32_t row;      /* its first row, which it holds */
    uint32_t next;     /* the next start of the key; 0: the last */
    uint32_t count;    /* candidates, at least 1 */
    uint32_t more;     /* list of struct wr_more; 0: count is 1 */
    uint64_t cell[];   /* the first candidate: a struct wr_thread */
};
struct wr_more {
    uint32_t next, unused;
    uint64_t cell[];
};

struct wr_key_starts {
    uint32_t head, tail; /* starts in order of their first rows; 0: none */
};

/* Candidates of one start, and how many of one position are compared with a new one. Past the first the run ends with
 * a sentence: nested loops whose conditions read what was taken double their candidates with every row. Past the
 * second a candidate is kept though another may stand for it, which costs memory and changes no result. */
enum { WR_CANDIDATES_MAX = 65536, WR_COMPARED_MAX = 256, WR_CROWD = 1024 };

/* Candidates in the making, `size` bytes each. */
struct wr_threads {
    char *data;
    uint32_t count, capacity;
};

/* What a key has beside its starts, where the pattern needs it. */
struct wr_key_more {
    uint32_t head, tail;     /* its rows, from the first that something may look at */
    uint32_t pending, pending_count; /* rows that wait for those behind them; the first of them, 0: none */
    uint32_t undecided;      /* WITH UNMATCHED ROWS: the first row of which it is open whether a match has it; 0: none */
    uint32_t held;           /* results that wait for rows, first decided first */
    uint32_t seen;           /* a row has been looked at */
    uint32_t unused;
    uint64_t number;         /* matches so far */
    int64_t given;           /* time of the last match that was given, for SUPPRESS */
};

/* A result that waits: for rows behind it, or (when the input has ended) for its turn. */
struct wr_held {
    struct wr_row_id first;
    uint32_t key, link;      /* of an unmatched row: the root */
    uint32_t at;             /* ALL ROWS: the row that an empty match starts at, the unmatched row; 0: none */
    uint32_t next;
    uint8_t kind;            /* enum wr_match_kind */
    uint64_t number;
    uint64_t turn;           /* order in which they were decided */
};

/* Candidates of earlier starts at one position (wr_threads_drop_younger). */
enum { WR_ELDERS = 4 };
struct wr_elders {
    uint64_t go;       /* the go over a key's starts that they belong to */
    uint32_t count;
    const struct wr_thread *at[WR_ELDERS];
};

struct wr_general {
    struct wr_slab rows, links, starts, more, held;
    WR_VEC(struct wr_key_starts) key;
    WR_VEC(struct wr_key_more) key_more; /* as many, where the plan wants them */
    WR_VEC(int64_t) lead;    /* per key and entry of the program's .lead: when its variable was last seen */
    uint32_t root;           /* the chain of no rows */
    uint32_t accumulators;   /* their offset in a link */
    uint32_t listed;         /* offset of struct wr_listed in a kept row */
    uint32_t thread_size;
    uint32_t current;        /* the row being handled, once it is kept; 0: not kept */
    uint64_t sequence;       /* its number, */
    int64_t time;            /* its time, */
    uint32_t at_key;         /* its key */
    uint32_t open_keys;      /* keys with an open start */
    bool ending;             /* the input has ended: results wait for their turn */
    struct wr_threads from, to;
    WR_VEC(uint32_t) same;   /* per candidate of .to: the one before it at the same position, 1 + index */
    uint32_t *head;          /* per position: the last candidate of .to there, 1 + index, ... */
    uint64_t *stamp;         /* ... if this is the number of the list in the making */
    uint64_t list_number;
    struct wr_elders *elders; /* per position; NULL where the pattern cannot use them */
    uint64_t go;
    WR_VEC(struct wr_held) waiting; /* when the input has ended */
    struct wr_limiter *limiter; /* NULL: nothing drops starts of the pattern as a whole */
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
static inline const struct wr_row_id *wr_start_first(const struct wr_general *g, const struct wr_start *start)
{
    return &wr_kept_at(g, start->row)->id;
}
static inline struct wr_listed *wr_listed_at(const struct wr_general *g, uint32_t id)
{
    return (struct wr_listed *)(void *)((char *)wr_kept_at(g, id) + g->listed);
}
static inline char *wr_link_accumulators(const struct wr_general *g, struct wr_link *link)
{
    return (char *)link + g->accumulators;
}

static inline struct wr_held *wr_held_at(const struct wr_general *g, uint32_t id)
{
    return wr_slab_at(&g->held, id);
}
static inline bool wr_link_is_moment(const struct wr_link *link)
{
    return (link->flags & WR_LINK_MOMENT) != 0;
}
/* When the row or moment that a chain took last was. Not of the root. */
static inline int64_t wr_link_time(const struct wr_pattern *p, const struct wr_general *g, const struct wr_link *link)
{
    if (p->plan.time_slot == WR_NONE) return wr_kept_at(g, link->row)->id.place.time;
    int64_t time;
    memcpy(&time, link->id + p->plan.time_slot, sizeof time);
    return time;
}
/* The row being handled is row number `row` of the batch, or (WR_NONE) a kept one that has waited. Does it satisfy the
 * variable's row condition? */
static inline bool wr_row_bit(const struct wr_pattern *p, const struct wr_general *g, uint32_t variable, uint32_t row)
{
    if (WR_LIKELY(row != WR_NONE)) return wr_variable_bit(p, variable, row);
    return wr_bit(wr_kept_at(g, g->current)->data + p->keep.size / 8, variable);
}

/* What an entry says to the row, its position's condition apart: TAKE it if that holds, SKIP it, or it is over. */
enum wr_verdict { WR_ENTRY_TAKES, WR_ENTRY_SKIPS, WR_ENTRY_DIES };

/* ---- Chains (match_link.c, match_condition.c) ------------------------------------------------------- */

void wr_links_init(struct wr_pattern *p, struct wr_general *g);
void wr_links_release(struct wr_pattern *p, struct wr_general *g);
void wr_links_clear(struct wr_pattern *p, struct wr_general *g);
/* The chain with the row being handled taken behind `parent` as `variable`, held once, or 0 when the variable's
 * condition does not hold. `flags`: EXCLUDED or none. */
uint32_t wr_link_take(struct wr_pattern *p, struct wr_general *g, uint32_t parent, uint16_t variable, uint16_t flags,
                      uint32_t row);
/* Whether it would hold. */
bool wr_link_holds(struct wr_pattern *p, struct wr_general *g, uint32_t parent, uint16_t variable, uint32_t row);
/* The chain with a moment, the end of an absence of `variable`. */
uint32_t wr_link_moment(struct wr_pattern *p, struct wr_general *g, uint32_t parent, uint16_t variable, int64_t time);
/* pattern_trace.c; called where p->trace is there. A candidate begins to look at a row, or at what time brings. */
void wr_trace_turn(struct wr_pattern *p, const struct wr_thread *t);
/* An entry of it was offered the row; `taken`: the link, 0 when it does not take it. */
void wr_trace_step(struct wr_pattern *p, struct wr_general *g, const struct wr_thread *t, uint32_t entry, uint32_t row,
                   enum wr_verdict verdict, uint32_t taken);
/* An entry took a moment, or ended by it (link 0). */
void wr_trace_moment(struct wr_pattern *p, struct wr_general *g, const struct wr_thread *t, uint32_t entry, int64_t moment,
                     uint32_t link);
/* Nothing became of the candidate at this time. */
void wr_trace_lost(struct wr_pattern *p, const struct wr_general *g, const struct wr_thread *t, int64_t time);
/* The chain is a match, which may take starts away. */
void wr_trace_matched(struct wr_pattern *p, const struct wr_general *g, uint32_t link);
void wr_trace_taker(struct wr_pattern *p, const struct wr_general *g, uint32_t link);
/* SUPPRESS: the match of this start is not given, since one was at `given`. */
void wr_trace_suppressed(struct wr_pattern *p, uint64_t first, int64_t given);
/* A match waits: for a preferred candidate, or for an earlier start. */
void wr_trace_waits(struct wr_pattern *p, uint64_t first, bool earlier);
/* A start that is not made at this row, though it could be: why. */
void wr_trace_unbegun(struct wr_pattern *p, struct wr_general *g, uint32_t key, uint32_t row, enum wr_watch_end why);
/* A row has come to the pattern. */
void wr_trace_seen_row(struct wr_pattern *p, uint32_t row);
/* A start has gone. */
void wr_trace_end(struct wr_pattern *p, uint64_t sequence, uint32_t key, enum wr_watch_end end, int64_t time);
/* match_special.c: what in an entry refuses the row. */
struct wr_blame {
    enum wr_watch_refusal_kind kind;
    uint16_t variable;
    int64_t limit_us;
};
struct wr_blame wr_entry_blame(struct wr_pattern *p, struct wr_general *g, const struct wr_thread *t, uint32_t entry,
                               uint32_t row);
void wr_link_unref(struct wr_pattern *p, struct wr_general *g, uint32_t id);
/* The part of a variable's condition that reads more than the row, over the history of `link`. */
bool wr_condition_holds(struct wr_pattern *p, struct wr_general *g, struct wr_condition *condition, uint32_t link,
                        uint32_t row);
/* A column of the row being handled. */
struct wr_value wr_current_value(const struct wr_pattern *p, const struct wr_general *g, uint32_t row, uint32_t column);
/* Do two chains agree on all that the conditions in `reads` (bits over .history) read? */
bool wr_link_agrees(const struct wr_pattern *p, const struct wr_general *g, uint32_t a, uint32_t b,
                    const uint64_t *reads);
/* The row being handled, kept when it is first wanted. */
uint32_t wr_kept_current(struct wr_pattern *p, struct wr_general *g, uint32_t row);
/* A row from a saved state, held by nobody yet; its values are the caller's to put. */
uint32_t wr_kept_add(struct wr_general *g, const struct wr_row_id *id);
void wr_kept_unref(struct wr_pattern *p, struct wr_general *g, uint32_t id);
/* A link from a saved state; holds its row and its predecessor. Accumulators are the caller's to fill. */
uint32_t wr_link_add(struct wr_pattern *p, struct wr_general *g, uint32_t previous, uint32_t row, uint16_t variable,
                     uint16_t flags, int64_t time);
/* Drops the row being handled if nothing has taken it. */
void wr_kept_settle(struct wr_pattern *p, struct wr_general *g);

/* ---- Rows of a key (match_rows.c) -------------------------------------------------------------------- */

/* Puts the row of the batch at the end of its key's list, waiting if the pattern looks ahead. */
void wr_rows_append(struct wr_pattern *p, struct wr_general *g, struct wr_key_more *more, uint32_t row);
/* Takes a kept row into the list (a saved state). */
void wr_rows_link(struct wr_general *g, struct wr_key_more *more, uint32_t kept);
/* Drops the row that has just got out of reach of rows to come, unless a taken one may step to it. */
void wr_rows_thin(struct wr_pattern *p, struct wr_general *g, struct wr_key_more *more);
/* Drops rows before those that something may still look at. `first`: number of the first row of the key's earliest
 * open start, UINT64_MAX: there is none. */
void wr_rows_trim(struct wr_pattern *p, struct wr_general *g, struct wr_key_more *more, uint64_t first);
void wr_rows_release(struct wr_pattern *p, struct wr_general *g, struct wr_key_more *more);
/* The last row that has been looked at; 0: there is none. */
uint32_t wr_rows_last(const struct wr_general *g, const struct wr_key_more *more);
/* The row of this number in the list; 0: it is not there. */
uint32_t wr_rows_find(const struct wr_general *g, const struct wr_key_more *more, uint64_t sequence);

/* ---- Results on their way (match_decide.c) ------------------------------------------------------------ */

/* A start's chain is a match (or has timed out): gives it, holds it back, or leaves it to its turn. Returns up to which
 * row (its number) later starts are taken away by it. */
uint64_t wr_decide(struct wr_pattern *p, struct wr_general *g, const struct wr_row_id *first, uint32_t key, uint32_t link,
                   enum wr_match_kind kind);
/* WITH UNMATCHED ROWS: gives the rows before number `limit` that are in no match. */
void wr_decide_rows(struct wr_pattern *p, struct wr_general *g, uint32_t key, uint64_t limit);
/* Gives the results that have waited for enough rows. */
void wr_give_held(struct wr_pattern *p, struct wr_general *g, uint32_t key);
/* Forgets those of a key, undecided. */
void wr_drop_held(struct wr_pattern *p, struct wr_general *g, uint32_t key);
/* The input has ended: leaves them all to their turns. */
void wr_wait_held(struct wr_pattern *p, struct wr_general *g, uint32_t key);
/* Gives all that have waited for the end. */
void wr_give_waiting(struct wr_pattern *p, struct wr_general *g);
/* Is there anything about the key that must not be forgotten? */
bool wr_key_more_is_idle(const struct wr_pattern *p, const struct wr_general *g, uint32_t key);

/* ---- Starts (match_general.c) ------------------------------------------------------------------------- */

/* An open start, named by its first row's number, goes because of a limit: counted, and told to who watches. */
void wr_general_drop_start(struct wr_pattern *p, struct wr_general *g, uint32_t key, uint64_t sequence,
                           const char *setting);
/* Lets a key's starts do what can be done at this time: whose time is up ends, who waited for one that has gone goes on. */
void wr_general_pass(struct wr_pattern *p, struct wr_general *g, uint32_t key, int64_t time);

/* ---- Candidates (match_thread.c) ------------------------------------------------------------------- */

/* Makes the candidates of a start at the row itself; false when no beginning takes it. */
bool wr_threads_begin(struct wr_pattern *p, struct wr_general *g, uint32_t row);
/* Puts the list that was made last down in the start. */
void wr_threads_store(struct wr_general *g, struct wr_start *start);
/* Moves a start's candidates on at a row; its count is 0 when none is left. */
void wr_threads_advance(struct wr_pattern *p, struct wr_general *g, struct wr_start *start, uint32_t row);
/* Lets all happen that time alone brings about, up to `limit`. */
void wr_threads_pass_time(struct wr_pattern *p, struct wr_general *g, struct wr_start *start, int64_t limit);
/* May it become a match that takes no further row? */
bool wr_thread_ends_by_time(const struct wr_pattern *p, const struct wr_thread *t);
/* When time alone brings something about next; WR_TIME_MAX: never. */
int64_t wr_threads_due(const struct wr_pattern *p, const struct wr_general *g, struct wr_start *start);
/* No row of its key is to come: candidates that waited for that alone are whole. */
void wr_threads_close(struct wr_pattern *p, struct wr_general *g, struct wr_start *start);
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
/* Candidates that are being made (match_thread.c, match_special.c). */
struct wr_thread *wr_thread_in(const struct wr_general *g, const struct wr_threads *list, uint32_t i);
void wr_thread_add_open(struct wr_pattern *p, struct wr_general *g, uint16_t position, uint32_t link, const uint64_t *alive,
                        bool aged);
void wr_thread_add_ended(struct wr_pattern *p, struct wr_general *g, uint32_t link);
enum wr_verdict wr_entry_judge(struct wr_pattern *p, struct wr_general *g, const struct wr_thread *t, uint32_t entry,
                               uint32_t row);
/* May the row mean anything to an entry that is more than a connector and a position? */
bool wr_entry_is_touched(const struct wr_pattern *p, const struct wr_general *g, const struct wr_thread *t, uint32_t entry,
                         uint32_t row);
/* When time alone takes or ends an entry. */
int64_t wr_entry_due(const struct wr_pattern *p, const struct wr_general *g, const struct wr_thread *t, uint32_t entry,
                     int64_t first);

/* ---- State (match_general_state.c) ------------------------------------------------------------------ */

void wr_general_save(struct wr_pattern *p, uint32_t key, struct wr_picture *picture);
/* While a picture is drawn a link that stands in it has its place there (1 + index) for its count. 0: it has none. */
enum { WR_LINK_DRAWN = 1 << 30 };
static inline uint32_t wr_link_drawn(const struct wr_link *link)
{
    return link->ref & WR_LINK_DRAWN ? link->ref & (WR_LINK_DRAWN - 1) : 0;
}
static inline void wr_link_draw(const struct wr_general *g, uint32_t id, struct wr_picture *picture, uint32_t at)
{
    struct wr_link *link = wr_link_at(g, id);
    WR_ASSERT(link->ref < WR_LINK_DRAWN && at + 1 < WR_LINK_DRAWN);
    picture->link.at[at].drawn = id;
    picture->link.at[at].ref = link->ref;
    link->ref = WR_LINK_DRAWN | (at + 1);
}
/* Gives the links their counts back, those from place `from` on. */
static inline void wr_links_forget(const struct wr_general *g, const struct wr_picture *picture, size_t from)
{
    for (size_t i = from; i < picture->link.count; i++)
        wr_link_at(g, picture->link.at[i].drawn)->ref = picture->link.at[i].ref;
}
void wr_general_check(const struct wr_pattern *p);
bool wr_general_load(struct wr_pattern *p, uint32_t key, const struct wr_picture *picture);
/* Kept rows for those of a picture, held by nobody yet: row[i] for its row i. `more`: the key's; NULL: it has none. */
void wr_general_load_rows(struct wr_pattern *p, struct wr_general *g, const struct wr_picture *picture,
                          const struct wr_key_more *more, uint32_t *row);
/* Room for the states of keys below `limit`. */
void wr_general_reserve(const struct wr_pattern *p, struct wr_general *g, uint32_t limit);
void wr_general_arm(struct wr_pattern *p, struct wr_general *g, uint32_t key);
void wr_start_arm(struct wr_pattern *p, struct wr_general *g, struct wr_start *start, uint32_t key);
#endif
