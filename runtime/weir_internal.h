/* What the files behind include/weir.h share. */
#ifndef WR_RUNTIME_WEIR_INTERNAL_H
#define WR_RUNTIME_WEIR_INTERNAL_H

#include "base/buf.h"
#include "include/weir.h"
#include "vm/program.h"

struct weir_text {
    struct wr_buf buf; /* NUL-terminated */
};
struct weir_program {
    struct wr_program *program;
};

/* Takes the buffer over, which is empty then. */
weir_text *wr_text_of(struct wr_buf *buf);

#endif
