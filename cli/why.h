/* Why a pattern matched or not, in words: for `weir why` and for tests that fail. */
#ifndef WR_CLI_WHY_H
#define WR_CLI_WHY_H

#include "cli/cli.h"

/* Appends how a row is called. */
typedef void wr_why_row_fn(void *context, const weir_row *row, struct wr_buf *out);
/* What became of a start, in lines. */
void wr_why_print_start(const weir_start *start, wr_why_row_fn *name, void *context,
                        struct wr_buf *out);

struct wr_program;
struct wr_why_start {
    weir_start start; /* what it points to is its keeper's */
};
/* {"version":1,"matches":N,"partial":N,"starts":[…]} */
void wr_why_print_json(const struct wr_why_start *start, size_t count, uint64_t matches,
                       uint64_t partials, struct wr_buf *out);
/* The start as a .wtest with the fewest rows that still show it. The exit code, after a message. */
int wr_why_as_test(struct wr_args *args, const struct wr_program *program, const weir_start *start,
                   struct wr_buf *out);

#endif
