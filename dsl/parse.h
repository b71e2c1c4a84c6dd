/* Text to tree. The driver pushes tokens of the re2c lexer into Bison's push parser. */
#ifndef WR_DSL_PARSE_H
#define WR_DSL_PARSE_H

#include "dsl/ast.h"
#include "dsl/diag.h"

/* Reads a file named by INCLUDE: `name` is resolved against the folder of `from`. On failure returns
 * false and puts a short reason ("no such file") into `why`, allocated in the arena. */
typedef bool wr_include_fn(void *context, struct wr_arena *arena, struct wr_slice from,
                           struct wr_slice name, struct wr_slice *full_name, struct wr_slice *text,
                           struct wr_slice *why);

/* Parses source number `file` of diags->sources, and everything it includes, into one tree
 * (an INCLUDE statement is replaced by what it names; without an include function it is an error).
 * Errors go to diags; what could be parsed is in the tree. Lives in `arena`. */
struct wr_tree wr_parse(struct wr_arena *arena, struct wr_diags *diags, uint32_t file,
                        wr_include_fn *include, void *include_context);
/* Parses a single file and keeps its INCLUDE statements as they stand (for fmt). */
struct wr_tree wr_parse_one(struct wr_arena *arena, struct wr_diags *diags, uint32_t file);
/* A lone expression (DEFAULT values of options, tests). NULL on error. */
struct wr_expr *wr_parse_expr(struct wr_arena *arena, struct wr_diags *diags, uint32_t file);

#endif
