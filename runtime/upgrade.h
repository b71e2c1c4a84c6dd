/* Which operators of a checkpoint live on in a new version of a program (semantics.md, 'Upgrades'): those whose
 * identity is there again (vm/identity.h). The others begin empty, and what they held is lost.
 *
 * A checkpoint lists its operators with identity, kind and name; its program, where it can be read, tells moreover
 * what has changed and what was only renamed. */
#ifndef WR_RUNTIME_UPGRADE_H
#define WR_RUNTIME_UPGRADE_H

#include "runtime/checkpoint.h"
#include "vm/identity.h"

enum wr_upgrade_verdict {
    WR_UPGRADE_KEPT,    /* the same operator: its state goes on */
    WR_UPGRADE_CHANGED, /* the same name, another meaning: begins empty */
    WR_UPGRADE_GONE,    /* nothing of the name or meaning is left */
    WR_UPGRADE_NEW      /* begins empty as there was nothing before */
};
struct wr_upgrade {
    uint32_t old_count, node_count;
    uint32_t *to;         /* per old operator: the node that is KEPT or CHANGED; WR_NONE: GONE */
    uint32_t *from;       /* per node: the old operator; WR_NONE: NEW */
    uint8_t *old_verdict; /* enum wr_upgrade_verdict, per old operator */
    uint8_t *verdict;     /* per node */
    uint32_t *difference; /* per old operator: a bit (1 << enum wr_meaning_part) for each part in which a CHANGED one
                             differs; NULL before wr_upgrade_explain */
    uint32_t *renamed;    /* per old operator: for a GONE one a NEW node of equal meaning, which only has another name;
                             WR_NONE: there is none */
};

/* Matches operators as a record lists them with the nodes of a program. Release it. */
void wr_upgrade_match(const struct wr_record_operator *old, uint32_t old_count, const struct wr_program *program,
                      struct wr_upgrade *upgrade);
/* The same where the old program is at hand: its identities are worked out by today's rules. */
void wr_upgrade_match_programs(const struct wr_program *old, const struct wr_program *program, struct wr_upgrade *upgrade);
void wr_upgrade_release(struct wr_upgrade *upgrade);

/* Where the old program is at hand (old operators are its nodes): fills in .difference and .renamed. */
void wr_upgrade_explain(const struct wr_program *old, const struct wr_program *program, struct wr_upgrade *upgrade);
/* upgrade_report.c: all of this as text, a line an operator that holds state with what becomes of it and of how many keys,
 * or as one JSON object; appended. old_program: the one that the record is of, or NULL where it cannot be read. Returns
 * how many operators lose state. */
uint32_t wr_upgrade_report(const struct wr_record_operator *old, uint32_t count, const struct wr_program *old_program,
                           const struct wr_program *program, bool json, struct wr_buf *out);
/* "kept", "changed", "gone", "new". */
const char *wr_upgrade_verdict_name(enum wr_upgrade_verdict verdict);
/* Do operators of the kind hold state at all? */
bool wr_node_kind_has_state(enum wr_node_kind kind);
/* How users know the operator: streams and outputs by what --in and --out call them, others by their node's name. */
const char *wr_node_shown_name(const struct wr_program *program, uint32_t node);

#endif
