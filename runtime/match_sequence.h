/* The sequence matcher from the inside: its levels, items and lists, shared by match_sequence.c (rows and moments) and
 * match_sequence_state.c (its state as bytes and back, and what must hold of it). */
#ifndef WR_RUNTIME_MATCH_SEQUENCE_H
#define WR_RUNTIME_MATCH_SEQUENCE_H

#include "runtime/match_general.h"

struct wr_seq_item {
    uint32_t next;        /* in its list; 0: the last */
    uint32_t child;       /* the list that took the row; 0 in leaves */
    uint32_t tail;        /* of the first in a key's list: the last in it, and ... */
    uint32_t nearer;      /* ... the first in the list of the next nearer level that has one; 0: none has */
    struct wr_row_id id;  /* of the row that was taken here; of a moment its time alone */
    uint64_t cell[];      /* its kept columns; behind level 1 the time of the oldest start's first row stands before them */
};
struct wr_seq_list {
    uint32_t head, tail;
};

/* A key: bit n of .open: list n is not empty. Most rows need no more of it. */
struct wr_seq_key {
    uint32_t open;
    uint32_t first;       /* the first item in the farthest list: that of the oldest start; 0: nothing is open */
};
/* The same with its lists, while it is handled. */
struct wr_seq_view {
    uint32_t id, open;
    struct wr_seq_list list[WR_SEQUENCE_MAX]; /* [level], from 1 to the pattern's levels */
};

struct wr_seq_level { /* items that have taken `number` rows and moments, from 1 */
    struct wr_slab slab;
    struct wr_layout layout;
    uint32_t *column;     /* of the layout */
    uint16_t variable;    /* of the row or moment taken here */
    bool moment;          /* it is a moment */
    bool excluded;
    uint16_t next_variable;
    bool next_strict;
    int64_t next_absence; /* what is taken next is a moment: as absence_us of its position; else WR_ABSENCE_NONE */
    uint32_t kill_count;
    uint16_t *kill;       /* variables whose rows end what waits here */
};

struct wr_seq {
    uint32_t first;       /* the position that a match begins with */
    uint32_t levels;      /* positions from there on - 1: what has taken all is given out */
    uint32_t absences;    /* bit n: what waits at level n takes a moment next */
    struct wr_seq_level *level; /* 1 … levels */
    struct wr_seq_key *key;
    uint32_t lead_count;  /* NOT b FOR d in front of everything: */
    const struct wr_lead *lead;
    int64_t *led;         /* lead_count per key: when its b was last seen */
    uint8_t *seen;        /* per key, where there are leads: a row has been looked at */
    uint32_t keys, capacity;
    struct wr_match_row *row; /* the match being put together: levels + 1 */
};

static inline struct wr_seq_item *wr_seq_item_at(const struct wr_seq *s, uint32_t level, uint32_t id)
{
    return wr_slab_at(&s->level[level].slab, id);
}
/* Time of the first row of the oldest start in an item. */
static inline int64_t wr_seq_oldest(const struct wr_seq_item *item, uint32_t level)
{
    return level == 1 ? item->id.place.time : (int64_t)item->cell[0];
}
static inline void wr_seq_set_oldest(struct wr_seq_item *item, uint32_t level, int64_t time)
{
    if (level > 1) item->cell[0] = (uint64_t)time;
}
static inline void *wr_seq_cell(struct wr_seq_item *item, uint32_t level)
{
    return item->cell + (level > 1);
}
/* The oldest start in an item of a level. */
static inline const struct wr_seq_item *wr_seq_leaf(const struct wr_seq *s, uint32_t level, uint32_t id)
{
    const struct wr_seq_item *item = wr_seq_item_at(s, level, id);
    while (--level) item = wr_seq_item_at(s, level, item->child);
    return item;
}

/* match_sequence.c. A new item at the end of a list; .child, .id, the oldest and the cell are the caller's to fill. */
uint32_t wr_seq_item_new(struct wr_seq *s, uint32_t level, struct wr_seq_list *list);
/* Arms the moments that an item waits for. */
void wr_seq_arm(struct wr_pattern *p, const struct wr_seq *s, uint32_t level, uint32_t id, uint32_t key);
void wr_seq_reserve(struct wr_seq *s, uint32_t limit);
void wr_seq_open(const struct wr_seq *s, uint32_t id, struct wr_seq_view *k);
/* Puts a key back as its view is. */
void wr_seq_close(struct wr_seq *s, const struct wr_seq_view *k);

/* ---- Its form in bytes (match_sequence_state.c) --------------------------------------------------- */

enum wr_seq_tag { WR_SEQ_LAST = 1 /* of its list */, WR_SEQ_SOURCE = 2 /* other than the last one's */, WR_SEQ_ORDINAL = 4 };
/* What the item before had, from which distances count. */
struct wr_seq_run {
    uint64_t sequence, time, offset;
    uint32_t source;      /* WR_NONE: there was none yet */
};

/* The distance from *last, which moves; it may pass over the end of all numbers. */
static inline int64_t wr_seq_step(uint64_t *last, int64_t to)
{
    uint64_t by = (uint64_t)to - *last;
    *last = (uint64_t)to;
    return (int64_t)by;
}

/* A row's number and place. tag: WR_SEQ_LAST or 0, behind which the others come; of the byte that has been read. */
void wr_seq_put_id(const struct wr_pattern *p, const struct wr_row_id *id, unsigned tag, struct wr_seq_run *run,
                   struct wr_buf *out);
bool wr_seq_get_id(const struct wr_pattern *p, struct wr_slice *in, unsigned tag, struct wr_seq_run *run, struct wr_row_id *id);
/* Reads an item up to its kept columns. */
bool wr_seq_get_item(const struct wr_pattern *p, struct wr_slice *in, bool moment, struct wr_seq_run *run, struct wr_row_id *id,
                     bool *last);
void wr_seq_encode(struct wr_pattern *p, uint32_t key, struct wr_buf *out);
bool wr_seq_decode(struct wr_pattern *p, uint32_t key, struct wr_slice in);
bool wr_seq_load(struct wr_pattern *p, uint32_t key, const struct wr_picture *picture);
void wr_seq_check(const struct wr_pattern *p);

/* match_sequence_picture.c. The picture of a key in this form, behind what stands in front; false: malformed. */
bool wr_seq_picture_of(struct wr_pattern *p, struct wr_slice in, struct wr_picture *picture);

#endif
