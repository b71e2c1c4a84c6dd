/* Which matcher a pattern gets: one decision for the runtime, which makes it, and for explain,
 * which names it. */
#ifndef WR_VM_PATTERN_CLASS_H
#define WR_VM_PATTERN_CLASS_H

#include "vm/program.h"

/* Longer sequences are the general matcher's: in the other a key costs 8 bytes a position. */
enum { WR_SEQUENCE_MAX = 32 };

enum wr_matcher_class {
    WR_MATCHER_ROW, /* one position and a condition that reads the row alone: the bit vector is the
                       answer */
    WR_MATCHER_SEQUENCE, /* positions one behind the other, adjacent or by ->, with NOT between them and absences, then
                            the end; every condition reads the row alone */
    WR_MATCHER_GROUP,    /* any shape; every condition reads the row alone: starts in one
                            configuration move together */
    WR_MATCHER_GENERAL   /* everything else; right for all */
};

/* The cheapest class that is right for the pattern. */
enum wr_matcher_class wr_pattern_class(const struct wr_pattern_node *pattern);
/* Why a matcher is not right for the pattern, as the end of a sentence ("a condition reads rows that
 * were taken before"); NULL: it is. */
const char *wr_pattern_class_refuses(const struct wr_pattern_node *pattern,
                                     enum wr_matcher_class matcher);
/* "row", "sequence", "group", "general". */
const char *wr_matcher_class_name(enum wr_matcher_class matcher);
bool wr_matcher_class_of(const char *name, enum wr_matcher_class *matcher);
/* The matcher that a list of names ("group,general") asks for: the first that is right for the pattern.
 * Where none is: the one it gets by itself, and in *why why the first one is not; else *why is NULL. */
enum wr_matcher_class wr_pattern_class_forced(const struct wr_pattern_node *pattern, const char *list,
                                              const char **why);
/* SKIP PAST LAST ROW and no time limit: a start that may do no more than an earlier one is dropped,
 * so few are open. */
bool wr_pattern_drops_younger(const struct wr_pattern_node *pattern);
/* The position that a match begins with; the pattern has one beginning. Absences in front of everything have positions
 * before it, which nothing takes. */
uint32_t wr_pattern_first(const struct wr_pattern_node *pattern);
/* Why the pattern is of its class, as the end of a sentence ("a condition reads
 * earlier rows"). */
const char *wr_pattern_class_why(const struct wr_pattern_node *pattern);

#endif
