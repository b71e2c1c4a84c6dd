/* A parse that keeps the comments, for the formatter. Private to dsl/. */
#ifndef WR_DSL_READ_H
#define WR_DSL_READ_H

#include "dsl/lexer.h"
#include "dsl/parse.h"

struct wr_tree wr_parse_with_comments(struct wr_arena *arena, struct wr_diags *diags, uint32_t file,
                                      struct wr_comments *comments);

#endif
