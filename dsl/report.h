/* Syntax errors in words: what was expected, what was found, and what was probably meant. */
#ifndef WR_DSL_REPORT_H
#define WR_DSL_REPORT_H

#include "dsl/build.h"

/* True, and the error counted, where nobody will read it: in a trial, or past the most errors. */
bool wr_report_only_counts(struct wr_parse *parse);
/* The current token cannot stand here; `kinds` could. */
void wr_report_syntax(struct wr_parse *parse, const int *kinds, int count);
/* The parse stack is at its end. */
void wr_report_depth(struct wr_parse *parse, struct wr_span place);
/* What the word is in other languages and what it is here: the help, and a message where "expected …" says less; NULL:
 * nothing known. */
const char *wr_report_habit(struct wr_parse *parse, const int *kinds, int count, const char **message);
/* Reports a comma before the present token, or shortly before it, without which the statement goes on. */
bool wr_report_extra_comma(struct wr_parse *parse);
/* The name that follows the present token; empty when something else does. */
struct wr_slice wr_report_next_word(struct wr_parse *parse);
/* A token into a trial. */
struct weir_dsl_pstate;
void wr_report_push(struct weir_dsl_pstate *state, struct wr_parse *trial, struct wr_token token);
/* A statement begins although the one before has no semicolon; `end` is where that one ends. */
void wr_report_no_semicolon(struct wr_parse *parse, struct wr_span end, int kind);

#endif
