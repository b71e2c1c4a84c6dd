/* A block prepared for the batch executor: frame.c makes it, exec_batch.c runs it. Nobody outside vm/ includes it.
 *
 * Every write of a register becomes a vector of its own (SELECT, which also reads its destination, excepted),
 * and vectors whose last reader has run lend their memory to later ones: a block of a thousand temporaries takes
 * the memory of those that are alive at one time. So a destination never shares memory with a source. */
#ifndef WR_VM_FRAME_H
#define WR_VM_FRAME_H

#include "base/arena.h"
#include "vm/builtin_impl.h"
#include "vm/program.h"

struct wr_step {
    uint8_t op;
    uint8_t b_constant, c_constant; /* the operand is one element (a BOOL: whole words all the same) */
    int16_t k;
    uint16_t imm;                   /* the C field as it stands */
    uint32_t a, b, c;               /* numbers of vectors; CALL: b is the builtin, c the index in .argument */
    struct wr_frame_cache *cache;
};

struct wr_frame {
    const struct wr_program *program;
    const struct wr_code *code;
    struct wr_arena *strings; /* what this run makes: = &memory */
    struct wr_arena memory;
    struct wr_vector *vector; /* inputs, constants, then temporaries */
    uint32_t step_count;
    struct wr_step *step;
    uint32_t *argument;       /* vectors of the arguments of CALLs */
    struct wr_vector *result; /* one a result */
    uint32_t *result_vector;
    struct wr_frame_cache *cache;
    uint32_t cache_count;
    void *splat;              /* a constant as a whole vector, where both operands are constants */
    struct wr_arena storage;  /* of everything above */
    struct wr_row_frame *row; /* for wr_frame_reason and by_row; made when first asked */
    struct wr_vector *by_row; /* forced to the row executor: the results; NULL: it is not */
};

/* Runs the steps over `rows` rows; inputs are in place. */
void wr_frame_execute(struct wr_frame *frame, uint32_t rows);

/* exec_other.c: the same by the row executor, results and all. */
void wr_frame_run_rows(struct wr_frame *frame, uint32_t rows);
/* The row of a row frame by the batch executor; true: a result is an error, whose reason the row executor, run in
 * between, tells wr_row_frame_take_batch. */
bool wr_row_frame_execute_batch(struct wr_row_frame *frame);
void wr_row_frame_take_batch(struct wr_row_frame *frame);

#endif
