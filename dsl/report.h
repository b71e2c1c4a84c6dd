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
/* A statement begins although the one before has no semicolon; `end` is where that one ends. */
void wr_report_no_semicolon(struct wr_parse *parse, struct wr_span end, int kind);

#endif
