/* The value graph of one code block, for the files that build it (check_*.c, ir.c) and those that read it
 * (prune.c, emit.c).
 *
 * Nodes are made once for equal content (hash-consing), numbered in the order of making, so that arguments
 * have smaller numbers than what uses them: every walk is a loop over numbers, never a recursion, and a chain
 * of a million operands costs no stack. All nodes live in the compile arena. */
#ifndef WR_COMPILER_IR_H
#define WR_COMPILER_IR_H

#include "compiler/internal.h"
#include "compiler/list.h"
#include "vm/opcode.h"

enum wr_ir_kind { WR_IR_CONSTANT, WR_IR_INPUT, WR_IR_OP };

struct wr_ir {
    uint8_t kind;       /* enum wr_ir_kind */
    uint8_t reads_past; /* some input below is no COLUMN or EVENT_TIME of the current row */
    uint8_t failed;     /* enum wr_reason: all operands are constants and the operation fails on them */
    struct wr_type type;
    const struct wr_block *owner;
    uint32_t id;
    uint32_t result;    /* 1 + its first number among the block's results; 0: it is none */
    struct wr_span span; /* of the expression that asked for it first */
    union {
        struct {
            struct wr_value value;
            uint32_t parameter; /* WR_NONE: a plain constant */
        } constant;
        struct wr_input input;
        struct {
            uint8_t op;        /* enum wr_op */
            int8_t k;
            uint16_t c;        /* immediate of the C field (DECTYPE) */
            uint16_t builtin;  /* CALL */
            uint16_t arg_count;
            struct wr_ir **arg; /* SELECT: what stands where the condition is not TRUE, condition, value */
        } op;
    } u;
};

struct wr_block {
    struct wr_compile *c;
    uint32_t number;            /* of its code */
    bool finished;
    bool remapped;              /* prune.c has given its columns their last numbers */
    struct wr_span span;        /* given to nodes that are made now */
    WR_LIST(struct wr_ir *) node;
    WR_LIST(struct wr_ir *) result;
    uint32_t *slot;             /* hash table of node number + 1; capacity a power of two */
    uint32_t slot_count;
};

/* Adds ir as a result of its own, even where an equal one is there: the columns of a SELECT. */
uint32_t wr_block_column(struct wr_block *b, struct wr_ir *ir);
struct wr_ir *wr_ir_parameter(struct wr_block *b, uint32_t parameter, struct wr_type type);
/* A NULL of the type. */
struct wr_ir *wr_ir_null(struct wr_block *b, struct wr_type type);
struct wr_ir *wr_ir_bool(struct wr_block *b, bool value);
struct wr_ir *wr_ir_i64(struct wr_block *b, struct wr_type type, int64_t value);
/* One instruction; constant operands are folded. arg may live on the stack. */
struct wr_ir *wr_ir_op(struct wr_block *b, enum wr_op op, int k, unsigned c, struct wr_type type,
                       struct wr_ir *const *arg, unsigned arg_count);
struct wr_ir *wr_ir_call(struct wr_block *b, unsigned builtin, struct wr_type type, struct wr_ir *const *arg,
                         unsigned arg_count);
struct wr_ir *wr_ir_or(struct wr_block *b, struct wr_ir *left, struct wr_ir *right);
/* condition is TRUE ? value : otherwise; equal types. */
struct wr_ir *wr_ir_select(struct wr_block *b, struct wr_ir *condition, struct wr_ir *value,
                           struct wr_ir *otherwise);
/* The same value under another type of the same class and meaning (DECIMAL scale kept). */
struct wr_ir *wr_ir_unary(struct wr_block *b, enum wr_op op, struct wr_type type, struct wr_ir *operand);
/* Makes in b what stands in another block; map, one element a node of `from`, receives the nodes. */
void wr_block_import(struct wr_block *b, const struct wr_block *from, struct wr_ir **map);
/* Marks (1) in `reached`, one byte a node of the block, what the given roots need. */
void wr_ir_reach(const struct wr_block *b, uint8_t *reached);
/* A fold of one operation over constants (fold.c): false when it fails, *reason says why. */
bool wr_fold(struct wr_compile *c, const struct wr_ir *op, struct wr_value *value, enum wr_reason *reason);

/* emit.c: the block as code, in the program's arena. Constants are numbered by constants_add. */
void wr_block_emit(struct wr_block *b, struct wr_code *code);

#endif
