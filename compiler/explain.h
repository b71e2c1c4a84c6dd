/* `weir explain`, shared by explain_*.c. Everything is read off the program that will run, not off
 * the tree. */
#ifndef WR_COMPILER_EXPLAIN_H
#define WR_COMPILER_EXPLAIN_H

#include "compiler/compile.h"
#include "vm/pattern_class.h"

struct wr_explain {
    const struct wr_program *program;
    struct wr_buf *out;
    const uint8_t *shown; /* one a node */
    const struct wr_state_bound *bound; /* one a node; NULL: nobody says */
};

/* explain_words.c: pieces of text about nodes, appended. */
void wr_explain_duration(int64_t micros, struct wr_buf *out);           /* 1h30m */
/* "LAST(small.amount, 1)", "AVG(small.amount)", "card": an input of a pattern's code or output. */
/* How an entry of a follow list is come to: "->[1s..5m] !b* ": arrow and bound (not of a beginning), ^, what kills
 * it (a * behind what every row is looked at for), what must not lie before it. */
void wr_explain_entry(const struct wr_pattern_node *p, const struct wr_follow *f, bool first, struct wr_buf *out);
void wr_explain_input(const struct wr_program *program, const struct wr_node *pattern,
                      const struct wr_input *input, struct wr_buf *out);
void wr_explain_columns(const struct wr_schema *schema,
                        struct wr_buf *out);                            /* a STRING, b BIGINT */
const char *wr_explain_kind(const struct wr_node *node);                /* "source", … */
uint32_t wr_explain_line(const struct wr_program *program,
                         uint32_t place); /* from 1; 0: the text is not there */
/* "$.payment.amount", "KEY", … */
void wr_explain_origin(const struct wr_field *field, struct wr_buf *out);
/* explain_bound.c: what is kept, of a pattern or window a key, and what bounds it; several sentences with `between`
 * them, no full stop at the end. */
void wr_explain_bound(const struct wr_explain *e, uint32_t node, const char *between, struct wr_buf *out);
/* Rows of the longest match; 0: any number. */
uint32_t wr_explain_longest(const struct wr_pattern_node *pattern);
/* The matcher that a pattern gets, and why, as the end of a sentence. */
enum wr_matcher_class wr_explain_matcher(const struct wr_program *program, const struct wr_pattern_node *pattern,
                                         const char **why);

/* explain_pattern.c, explain_text.c: for people. */
void wr_explain_pattern_words(const struct wr_explain *e, uint32_t node);
void wr_explain_automaton(const struct wr_explain *e, const struct wr_node *node);
void wr_explain_text(const struct wr_explain *e);
/* explain_dot.c, explain_json.c: for programs. */
void wr_explain_dot(const struct wr_explain *e);
void wr_explain_json(const struct wr_explain *e);

#endif
