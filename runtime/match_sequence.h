/* The sequence matcher from the inside: its levels, items and lists, shared by match_sequence.c (rows and moments) and
 * match_sequence_state.c (its state as a picture and back, and what must hold of it). */
#ifndef WR_RUNTIME_MATCH_SEQUENCE_H
#define WR_RUNTIME_MATCH_SEQUENCE_H

#include "runtime/match_general.h"

struct wr_seq_item {
    uint32_t next;        /* in its list; 0: the last */
    uint32_t child;       /* the list that took the row; 0 in leaves */
    int64_t oldest;       /* time of the first row of the oldest start in it */
    struct wr_row_id id;  /* of the row that was taken here; of a moment its time alone */
    uint64_t cell[];      /* its kept columns */
};
struct wr_seq_list {
    uint32_t head, tail;
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
    uint32_t *open;       /* per key: bit n: list n is not empty. Most rows need no more of a key */
    struct wr_seq_list *list;   /* levels per key */
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
static inline struct wr_seq_list *wr_seq_lists(const struct wr_seq *s, uint32_t key)
{
    return s->list + (size_t)key * s->levels - 1; /* [level], from 1 */
}
/* The oldest start in an item of a level. */
static inline const struct wr_seq_item *wr_seq_leaf(const struct wr_seq *s, uint32_t level, uint32_t id)
{
    const struct wr_seq_item *item = wr_seq_item_at(s, level, id);
    while (--level) item = wr_seq_item_at(s, level, item->child);
    return item;
}

/* match_sequence.c. A new item at the end of a list; its fields but .next are the caller's to fill. */
uint32_t wr_seq_item_new(struct wr_seq *s, uint32_t level, struct wr_seq_list *list);
/* Arms the moments that an item waits for. */
void wr_seq_arm(struct wr_pattern *p, const struct wr_seq *s, uint32_t level, uint32_t id, uint32_t key);
void wr_seq_reserve(struct wr_seq *s, uint32_t limit);

/* match_sequence_state.c */
void wr_seq_save(struct wr_pattern *p, uint32_t key, struct wr_picture *picture);
bool wr_seq_load(struct wr_pattern *p, uint32_t key, const struct wr_picture *picture);
void wr_seq_check(const struct wr_pattern *p);

#endif
