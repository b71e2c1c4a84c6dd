/* What operators are, whatever stands around them: by this a new version of a program finds the state of the old one.
 * docs/upgrades.md says what counts and what does not; in short: a node's meaning is a hash over what it does,
 * with columns, constants and parameters by what they stand for and never by a number; its identity adds whom users
 * know it as. Registers, numbers of constants, blocks that patterns share, places in the text and connectors are no
 * part of it.
 *
 * Computed from the program itself, when it is compiled and whenever it is read from a file, so that no file can claim
 * to hold another program's operators. */
#ifndef WR_VM_IDENTITY_H
#define WR_VM_IDENTITY_H

#include "base/hash.h"
#include "vm/program.h"

/* A meaning in parts, so that two versions of an operator can be told apart in words. */
enum wr_meaning_part {
    WR_MEANING_READS,      /* the rows it is given: streams, filters, operators before it */
    WR_MEANING_KEY,        /* PARTITION BY, GROUP BY */
    WR_MEANING_PATTERN,    /* positions, what may follow what, bounds, NOT, UNTIL */
    WR_MEANING_DEFINE,     /* conditions of the variables */
    WR_MEANING_WITHIN,
    WR_MEANING_AFTER,      /* AFTER MATCH SKIP */
    WR_MEANING_RESULTS,    /* ONE ROW or ALL ROWS PER MATCH, time-outs */
    WR_MEANING_LIMITS,     /* LIMIT, SUPPRESS */
    WR_MEANING_KEPT,       /* what is kept of rows and of keys: the form of the state */
    WR_MEANING_WINDOW,     /* size, slide, offset, LATE */
    WR_MEANING_AGGREGATES, /* of a window, in order */
    WR_MEANING_COLUMNS,    /* of rows that wait, in order */
    WR_MEANING_FORMAT,     /* of lines that wait */
    WR_MEANING_COUNT
};
struct wr_meaning {
    struct wr_hash128 part[WR_MEANING_COUNT]; /* 0: the operator has nothing of the kind */
};

/* One a node. The program must be safe (wr_program_verify). */
void wr_program_meanings(const struct wr_program *program, struct wr_meaning *meaning);
/* What a part is called where a difference in it is told: "WITHIN", "the rows that it reads". */
const char *wr_meaning_part_name(enum wr_meaning_part part);

/* Fills in .identity of the program and of all its nodes; the program must be safe and is nobody else's yet. */
void wr_program_identify(struct wr_program *program);
/* "source", "select", …: as in the record of a checkpoint. */
const char *wr_node_kind_name(enum wr_node_kind kind);
/* Whom users know an operator by: the name of its query, stream or pattern; empty where weir made one up (select_1). */
struct wr_slice wr_node_known_as(const struct wr_program *program, const struct wr_node *node);

#endif
