/* The group matcher from the inside: patterns of any shape whose conditions read the row alone.
 *
 *   match_group.c       the matcher: groups of starts, how a row moves them, what is decided
 *   match_group_table.c configurations and their transitions, worked out when first met: a lazy automaton
 *   match_group_node.c  the forest of nodes: joining, leaving, the rows of a start
 *   match_group_state.c its state as a picture and back, and what must hold of it
 *
 * What the candidates of a start may do next is its configuration: their positions and live entries, in order of
 * preferment, as the general matcher has them. Where conditions read the row alone, starts of one configuration stay
 * together for ever. So a key has one group for each configuration that some start is in, and a row costs the groups.
 *
 * A group is the root of a tree whose leaves are its starts. Each node has the chains of rows that its candidates
 * have taken since its children were joined; such a chain begins with a join, a link without a row that says: go on
 * with this candidate's chain in the child. Links and rows are the general matcher's. */
#ifndef WR_RUNTIME_MATCH_GROUP_H
#define WR_RUNTIME_MATCH_GROUP_H

#include "runtime/match_general.h"

/* More candidates than this, and the run ends with a sentence. */
enum { WR_GROUP_CANDIDATES = 1024, WR_GROUP_INLINE = 2, WR_GROUP_CLASSES = 9, WR_GROUP_MOVES_MAX = 16384 };

struct wr_group_config {
    struct wr_thread *thread;  /* .count cells of thread_size bytes; their links say nothing */
    uint32_t count;
    uint32_t users;            /* groups that have it */
    uint64_t hash;
    uint64_t relevant;         /* variables whose conditions matter here, a bit each */
    bool quiet;                /* a row that satisfies none of them changes nothing */
    bool ended, over;          /* its last candidate has ended; it is the only one */
    uint64_t go;               /* in this go over a key's groups ... */
    uint32_t group;            /* ... this one has the configuration */
};

struct wr_group_made {
    uint32_t source;           /* candidate whose chain takes the row */
    uint16_t variable, flags;
};
enum { WR_GROUP_MADE = 1 << 30 };
/* From a configuration by a row that satisfies these of its relevant conditions. */
struct wr_group_move {
    uint64_t bits;
    uint32_t from, to;         /* to 0: no candidate is left */
    uint32_t made_count;
    bool same;                 /* nothing changes */
    struct wr_group_made *made;
    uint32_t *link;            /* per candidate of .to: that of .from whose chain it keeps, or WR_GROUP_MADE | which made */
};

struct wr_group_table {
    WR_VEC(struct wr_group_config) config; /* [0]: none; [1]: the beginning */
    WR_VEC(struct wr_group_move *) move;
    uint32_t *slot, slots;     /* of moves: open addressing, 1 + index */
    uint32_t thread_size;
    struct wr_threads to;      /* the list in the making; links as in wr_group_move.link */
    WR_VEC(struct wr_group_made) made;
    struct wr_thread *rest;    /* what stays of a candidate */
};
enum { WR_GROUP_BEGINNING = 1 };

struct wr_group_node {
    uint32_t parent;           /* 0: a group */
    uint32_t up;               /* some node above, for finding the group; 0: a group */
    uint32_t child;            /* what was joined in it; 0: a leaf */
    uint32_t before, next;     /* among its parent's children, or its key's groups */
    uint32_t start;            /* of a leaf */
    uint32_t config;           /* of a group */
    uint16_t count;            /* candidates */
    uint8_t fresh;             /* its chains are nothing but joins: more may join it */
    uint32_t link[WR_GROUP_INLINE]; /* where there are more, [0] is a cell of their class */
};

struct wr_group_start {
    struct wr_row_id first;
    uint32_t node, before, next;
};

struct wr_group_key {
    uint32_t group;            /* list of groups, each of another configuration */
    uint32_t head, tail;       /* starts in order of their first rows */
    uint32_t count;
    int64_t armed;             /* a moment is armed for this time; WR_TIME_MAX: none is */
};

struct wr_group_waiting {
    uint64_t sequence;
    uint32_t key, start;
};

struct wr_group {
    struct wr_general g;       /* its rows and links; first: outputs ask p->state for rows */
    struct wr_group_table table;
    struct wr_slab nodes, starts, cells[WR_GROUP_CLASSES];
    WR_VEC(struct wr_group_key) key;
    WR_VEC(uint32_t) join;     /* per candidate: its join */
    WR_VEC(uint32_t) path;     /* of a start: its leaf, …, its group */
    WR_VEC(uint32_t) chain;    /* links of a match, last row first */
    WR_VEC(uint32_t) made;     /* links of a move */
    WR_VEC(uint32_t) over;     /* groups that a row has decided */
    WR_VEC(struct wr_group_waiting) waiting; /* starts of these, or those that wait for the end of all keys */
    uint64_t go;
    bool waits;                /* in this go: some group has a candidate that has ended */
};

static inline struct wr_group_node *wr_group_node_at(const struct wr_group *s, uint32_t id)
{
    return wr_slab_at(&s->nodes, id);
}
static inline struct wr_group_start *wr_group_start_at(const struct wr_group *s, uint32_t id)
{
    return wr_slab_at(&s->starts, id);
}
static inline struct wr_group_config *wr_group_config_at(const struct wr_group *s, uint32_t id)
{
    WR_DCHECK(id > 0 && id < s->table.config.count);
    return &s->table.config.at[id];
}
static inline struct wr_thread *wr_group_thread(const struct wr_group *s, const struct wr_group_config *config, uint32_t i)
{
    return (struct wr_thread *)(void *)((char *)config->thread + (size_t)i * s->table.thread_size);
}
static inline struct wr_group_config *wr_group_config_of(const struct wr_group *s, uint32_t group)
{
    return wr_group_config_at(s, wr_group_node_at(s, group)->config);
}

/* ---- Configurations (match_group_table.c) ----------------------------------------------------------- */

void wr_group_table_init(struct wr_pattern *p, struct wr_group *s);
void wr_group_table_release(struct wr_group *s);
/* The configuration with these candidates (links are not looked at); adds it when it is new. Pointers to
 * configurations are good until then. */
uint32_t wr_group_config(struct wr_pattern *p, struct wr_group *s, const struct wr_thread *thread, uint32_t count);
/* What becomes of a configuration by a row with these bits; lent until the next call. */
const struct wr_group_move *wr_group_move(struct wr_pattern *p, struct wr_group *s, uint32_t config, uint64_t bits);

/* ---- Nodes (match_group_node.c) ---------------------------------------------------------------------- */

/* The links of a node's candidates. */
uint32_t *wr_group_links(struct wr_group *s, struct wr_group_node *node);
/* A leaf for a start, a group of its own that is in no list yet; all chains are `link`'s. Holds them. */
uint32_t wr_group_leaf(struct wr_group *s, uint32_t start, uint32_t config, const uint32_t *link);
/* Gives a group other candidates. Holds the new links, lets the old ones go. */
void wr_group_set(struct wr_pattern *p, struct wr_group *s, uint32_t group, uint32_t config, const uint32_t *link);
/* Puts a group into its key's list, or joins it with the one there that has its configuration. */
void wr_group_insert(struct wr_group *s, struct wr_group_key *k, uint32_t group);
/* The group that a start is in. */
uint32_t wr_group_find(struct wr_group *s, uint32_t node);
/* Takes a leaf out of its tree, and nodes left empty; a group that goes also out of its key's list if it is listed.
 * Returns the lowest node left above it, 0: its group has gone. */
uint32_t wr_group_leave(struct wr_pattern *p, struct wr_group *s, struct wr_group_key *k, uint32_t leaf, bool listed);
/* Takes a start out of its key's list. */
void wr_group_unlink(struct wr_group *s, struct wr_group_key *k, uint32_t start);
/* Drops a group that is in no list, with all its starts. */
void wr_group_drop(struct wr_pattern *p, struct wr_group *s, struct wr_group_key *k, uint32_t group);
/* The first leaf below a node, and the next one of the tree; 0: there is none. */
uint32_t wr_group_first_leaf(const struct wr_group *s, uint32_t node);
uint32_t wr_group_next_leaf(const struct wr_group *s, uint32_t leaf);
/* Sets .path to the nodes from a leaf to its group. */
void wr_group_trace_path(struct wr_group *s, uint32_t leaf);
/* A link of node .path[*level], or where it is a join what the children on the path have in its place. */
uint32_t wr_group_resolve(struct wr_group *s, uint32_t link, size_t *level);
/* Sets .chain to the links of a start's candidate (its group's candidate number `candidate`), the last first. */
void wr_group_trace_chain(struct wr_group *s, uint32_t leaf, uint32_t candidate);

/* ---- State (match_group_state.c) ------------------------------------------------------------------- */

void wr_group_reserve(struct wr_group *s, uint32_t limit);
void wr_group_arm(struct wr_pattern *p, struct wr_group *s, uint32_t key);
void wr_group_save(struct wr_pattern *p, uint32_t key, struct wr_picture *picture);
bool wr_group_load(struct wr_pattern *p, uint32_t key, const struct wr_picture *picture);
void wr_group_check(const struct wr_pattern *p);
#endif
