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
    WR_MATCHER_SEQUENCE, /* positions 0, 1, … one behind the other, adjacent or by ->, then the end;
                            every condition reads the row alone */
    WR_MATCHER_GENERAL   /* everything else */
};

/* The cheapest class that is right for the pattern. */
enum wr_matcher_class wr_pattern_class(const struct wr_pattern_node *pattern);
/* "row", "sequence", "general". */
const char *wr_matcher_class_name(enum wr_matcher_class matcher);
/* Why the pattern is not of the class before its own, as the end of a sentence ("a condition reads
 * earlier rows"). */
const char *wr_pattern_class_why(const struct wr_pattern_node *pattern);

#endif
