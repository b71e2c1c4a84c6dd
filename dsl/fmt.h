/* One canonical layout. Comments are kept, the result parses to the same tree, and formatting it
 * again changes nothing. With expand, PATTERN statements become INSERT INTO … MATCH_RECOGNIZE. */
#ifndef WR_DSL_FMT_H
#define WR_DSL_FMT_H

#include "dsl/parse.h"

/* Formats source number `file`. false when it does not parse (see diags); then out is untouched. */
bool wr_fmt(struct wr_arena *arena, struct wr_diags *diags, uint32_t file, bool expand,
            struct wr_buf *out);
/* The text of one expression or row pattern in canonical form, for messages and explain. */
void wr_fmt_expr(const struct wr_expr *expr, struct wr_buf *out);
void wr_fmt_pattern(const struct wr_pattern *pattern, struct wr_buf *out);

#endif
