/* What automaton.c and automaton_expand.c share: the pattern's tree with its repetitions written out, and
 * what is known on a way through it. */
#ifndef WR_COMPILER_AUTOMATON_BUILD_H
#define WR_COMPILER_AUTOMATON_BUILD_H

#include "compiler/internal.h"
#include "compiler/list.h"

enum { WR_POSITIONS_MAX = 4096, WR_TREE_MAX = 65536 };

enum wr_tree_kind {
    WR_TREE_EMPTY,
    WR_TREE_LEAF,
    WR_TREE_SEQUENCE,
    WR_TREE_ALTERNATION,
    WR_TREE_REPEAT,
    WR_TREE_PERMUTE,
    WR_TREE_START, /* ^ */
    WR_TREE_END,   /* $ */
    WR_TREE_NOT    /* NOT b without FOR: takes nothing */
};

/* Numbers of arrows without bounds; further ones have some. */
enum { WR_ARROW_STRICT = WR_CONNECT_STRICT, WR_ARROW_NEXT = WR_CONNECT_NEXT };

struct wr_tree_node {
    uint8_t kind;
    /* An element of a sequence behind the first has an arrow of its own in front of it; all others
     * stand under the arrow of what they are the beginning of. */
    bool own_arrow;
    uint16_t arrow;
    uint16_t round_arrow;    /* REPEAT: in front of further rounds; PERMUTE: between elements */
    bool looping;            /* REPEAT: the last copy may be gone through again */
    bool reluctant;          /* REPEAT: the end before a further round */
    bool possessive;         /* REPEAT: a row for a further round is not for what follows */
    bool excluded;           /* LEAF: inside {- -} */
    uint16_t variable;       /* LEAF, NOT */
    uint16_t until;          /* REPEAT: the variable of UNTIL; WR_NO_VARIABLE: none */
    int64_t absence_us;      /* LEAF: of NOT b FOR d; WR_ABSENCE_NONE: it takes a row */
    const struct wr_pattern *place; /* NOT */
    uint32_t position;       /* LEAF */
    uint32_t parent;
    uint32_t index;          /* which child of the parent; below PERMUTE: see wr_permute_leaf */
    uint32_t child_count;    /* PERMUTE: number of elements */
    uint32_t *child;         /* PERMUTE: see wr_permute_leaf */
    uint32_t min;            /* REPEAT */
    uint32_t depth;          /* number of repetitions around it */
};

enum { WR_NO_VARIABLE = UINT16_MAX };

struct wr_tree_arrow {
    uint8_t connector;
    int64_t low_us, high_us;
};

struct wr_tree_kill {
    uint16_t variable;
    uint8_t next_only;
    const struct wr_pattern *place;
};

/* What a way through the tree has gathered since the last row: anchors, NOTs, loops left that claim rows
 * or are closed by UNTIL. Number 0 has gathered nothing. */
struct wr_gathered {
    uint8_t flags; /* WR_FOLLOW_AT_… */
    WR_LIST(struct wr_tree_kill) kill;
    WR_LIST(struct wr_lead) lead;
    WR_LIST(uint32_t) left; /* REPEAT nodes */
};

struct wr_step {
    bool leave;
    uint16_t arrow; /* ENTER: what stands in front of the node */
    uint32_t node, fresh;
    uint32_t gathered;
};

/* What has been seen on walk .walk: LEAVE steps, and entries listed. */
struct wr_seen {
    uint32_t node, fresh, gathered, walk;
};

struct wr_automaton_builder {
    struct wr_compile *c;
    const struct wr_automaton_source *source;
    struct wr_span span;      /* of the whole pattern */
    bool failed;
    bool has_until;
    bool past_end;            /* the walk has come behind an end without conditions: what it lists only claims */
    uint32_t excluding;       /* {- -} around what is being written out */
    WR_LIST(struct wr_tree_node) node;
    WR_LIST(uint32_t) leaf;                   /* node of each position; WR_NONE: an end under NOT */
    WR_LIST(const struct wr_pattern *) place; /* element that each position is a copy of */
    WR_LIST(struct wr_tree_arrow) arrow;
    WR_LIST(struct wr_gathered) gathered;
    WR_LIST(struct wr_step) todo;
    WR_LIST(struct wr_follow) follow;
    WR_LIST(uint32_t) follow_gathered;        /* per entry of .follow */
    WR_LIST(uint16_t) ending;                 /* variables of the ends under NOT, in the order of positions */
    WR_LIST(struct wr_kill) kill;
    WR_LIST(struct wr_lead) lead;
    WR_LIST(uint32_t) claim;
    struct wr_seen *seen; /* open addressing */
    uint32_t seen_capacity, seen_count;
    uint32_t walk;            /* number of the current walk, from 1 */
    uint32_t from;            /* node of the position that it starts at; WR_NONE: the beginning */
};

/* Writes the pattern out as a tree; 0 after a failure. */
uint32_t wr_automaton_expand(struct wr_automaton_builder *b, const struct wr_pattern *p, uint32_t depth);
/* Reports W0808; always 0. */
uint32_t wr_automaton_past_limit(struct wr_automaton_builder *b, int limit, const char *what);
/* PERMUTE: the leaf of `element` when those in `mask` have been taken already. Its .index is the mask
 * with it. */
uint32_t *wr_permute_leaf(const struct wr_tree_node *permute, uint32_t mask, uint32_t element);

#endif
