/* Why a pattern matched or not, in words: for `weir why` and for tests that fail. */
#ifndef WR_CLI_WHY_H
#define WR_CLI_WHY_H

#include "cli/cli.h"

/* Appends how a row is called. */
typedef void wr_why_row_fn(void *context, const weir_row *row, struct wr_buf *out);
/* What became of a start, in lines. */
void wr_why_print_start(const weir_start *start, wr_why_row_fn *name, void *context, struct wr_buf *out);

#endif
