/* Code blocks and their two executors.
 *
 * A block computes `result_count` results from its inputs and constants by a straight line of typed
 * instructions (no jumps: it ends by construction). Registers are numbered
 *     0 … inputs-1                inputs, in the order of .input
 *     inputs … +constants-1       constants, in the order of .constant
 *     the rest                    temporaries; each is written before it is read
 * An instruction is two 32-bit words:
 *     word 0:  op (bits 0-7) | K (bits 8-15) | A (bits 16-31)    A: destination; K: see vm/opcode.h
 *     word 1:  B  (bits 0-15) | C (bits 16-31)        sources: registers, or an immediate, as opcodes.def says
 * opcodes.def is the one definition: OP(NAME, destination class, operand kinds, formula, C expression).
 *
 * The batch executor runs every instruction over whole vectors; the row executor over scalars, for
 * conditions that depend on a partial match. Both give the same values, NULLs and errors. */
#ifndef WR_VM_CODE_H
#define WR_VM_CODE_H

#include "vm/batch.h"

struct wr_program;

enum wr_input_kind {
    WR_INPUT_COLUMN,    /* .column of the current row */
    WR_INPUT_LAST,      /* .column of the last row of variable set .set, .offset rows before it */
    WR_INPUT_FIRST,     /* of the first row of .set, .offset rows behind it */
    WR_INPUT_AGGREGATE, /* aggregate number .column of the pattern or window */
    WR_INPUT_KEY,       /* partition or group column number .column */
    WR_INPUT_SPECIAL    /* .column is an enum wr_special */
};
enum wr_special {
    WR_SPECIAL_EVENT_TIME,   /* of the current row (DEFINE, SELECT) */
    WR_SPECIAL_WINDOW_START,
    WR_SPECIAL_WINDOW_END,
    WR_SPECIAL_WINDOW_TIME,  /* end - 1 us */
    WR_SPECIAL_MATCH_ID,     /* STRING: 32 hex digits */
    WR_SPECIAL_MATCH_NUMBER,
    WR_SPECIAL_MATCH_ROWTIME,
    WR_SPECIAL_MATCH_STATUS,
    WR_SPECIAL_CLASSIFIER,   /* STRING: the name of the variable of the row that .set, .offset and .from_first
                                choose, as for LAST and FIRST, moved by .step; NULL for a row outside the match */
    WR_SPECIAL_COUNT
};

/* A value that comes from outside a block. Variable sets are numbered by the pattern: set v < variable
 * count is the variable alone; further ones are SUBSETs; WR_SET_ALL is the universal variable. */
enum { WR_SET_ALL = 0xffff };
/* As the .column of an aggregate: the names of the variables of the rows. */
enum { WR_COLUMN_CLASSIFIER = 0xfffe };
struct wr_input {
    uint8_t kind; /* enum wr_input_kind */
    uint8_t final_; /* FINAL (1) or RUNNING (0): meaningful with ALL ROWS PER MATCH */
    uint16_t set;
    uint16_t column;
    uint16_t offset;
    int16_t step; /* COLUMN, LAST, FIRST, CLASSIFIER of a pattern: so many rows of the key, after WHERE and in
                     order of place, before (negative: PREV) or behind (NEXT) the row chosen; none there: NULL */
    uint8_t from_first; /* CLASSIFIER: .offset counts from the set's first row, not back from its last */
    struct wr_type type;
};

struct wr_code {
    uint32_t input_count;
    const struct wr_input *input;
    uint32_t constant_count;
    const uint32_t *constant;      /* index in program->constant */
    uint32_t register_count;       /* <= 65,536 */
    const uint8_t *register_class; /* enum wr_class of each register */
    uint32_t word_count;           /* even */
    const uint32_t *word;
    uint32_t result_count;
    const uint16_t *result;        /* registers; may be inputs or constants */
    const uint32_t *place;         /* byte offset in the program text of each instruction (word_count / 2) */
};

static inline uint32_t wr_word0(uint32_t op, uint32_t a) { return op | a << 16; }
static inline uint32_t wr_word1(uint32_t b, uint32_t c) { return b | c << 16; }

/* ---- Batch executor --------------------------------------------------------------------------- */

struct wr_frame; /* vectors for one block; owns its temporaries and an arena for strings it makes */
struct wr_frame *wr_frame_new(const struct wr_program *program, const struct wr_code *code);
void wr_frame_free(struct wr_frame *frame);
/* Evaluates the block over all rows of the batch. Inputs of kind COLUMN and SPECIAL EVENT_TIME come from
 * the batch; other kinds are not allowed in a batch block (the verifier checks). Results are valid until
 * the next run; a result that is an input or a constant aliases it. Allocation-free in the steady state. */
void wr_frame_run(struct wr_frame *frame, const struct wr_batch *batch);
const struct wr_vector *wr_frame_result(const struct wr_frame *frame, uint32_t result);
/* Why result `result` is an error on `row` (runs the row executor once more for it). */
enum wr_reason wr_frame_reason(struct wr_frame *frame, const struct wr_batch *batch, uint32_t result, uint32_t row);

/* ---- Row executor ----------------------------------------------------------------------------- */

struct wr_row_frame {
    const struct wr_code *code;
    const struct wr_program *program;
    struct wr_value *value;   /* one a register; the caller fills the inputs before each run */
    struct wr_arena *strings; /* what string instructions make; cleared at the start of each run */
    void *scratch;
    struct wr_frame *batch;   /* forced to the batch executor; NULL: it is not */
};
struct wr_row_frame *wr_row_frame_new(const struct wr_program *program, const struct wr_code *code);
void wr_row_frame_free(struct wr_row_frame *frame);
void wr_row_frame_run(struct wr_row_frame *frame);
static inline const struct wr_value *wr_row_frame_result(const struct wr_row_frame *frame, uint32_t result)
{
    return &frame->value[frame->code->result[result]];
}

/* ---- Either alone, for tests (exec_other.c) ---------------------------------------------------- */

enum wr_executor {
    WR_EXECUTOR_OWN, /* each block by the one that it was made for; numbers as those of WEIR_EXECUTOR_… */
    WR_EXECUTOR_BATCH,
    WR_EXECUTOR_ROW
};
/* Before the first run. */
void wr_frame_force(struct wr_frame *frame, enum wr_executor executor);
void wr_row_frame_force(struct wr_row_frame *frame, enum wr_executor executor);

const char *wr_reason_name(enum wr_reason reason);    /* "overflow": for the drop table */
const char *wr_reason_code(enum wr_reason reason);    /* "W3001": run-time codes W30xx, in diag.def's help too */

#endif
