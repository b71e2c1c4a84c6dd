/* docs/bytecode.md, made from opcodes.def and builtins.def. */
#ifndef WR_VM_BYTECODE_PAGE_H
#define WR_VM_BYTECODE_PAGE_H

#include "base/buf.h"

void wr_bytecode_page(struct wr_buf *out);

#endif
