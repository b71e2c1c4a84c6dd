/* What `weir init` writes. */
#ifndef WR_CLI_INIT_H
#define WR_CLI_INIT_H

#include "base/buf.h"

extern const char wr_init_program[], wr_init_test[];
void wr_init_events(struct wr_buf *out);

#endif
