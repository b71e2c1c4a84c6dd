/* Preparing blocks for the batch executor, and what callers ask of a frame. */
#include "vm/frame.h"

#include "base/vec.h"
#include "vm/opcode.h"

enum { MASK_SIZE = WR_BATCH_WORDS * sizeof(uint64_t) };

static size_t element_size(unsigned cls)
{
    static const size_t size[WR_CLASS_COUNT] = {0, 8, 8, sizeof(wr_i128), sizeof(struct wr_slice)};
    WR_ASSERT(cls < WR_CLASS_COUNT);
    return size[cls];
}

static size_t data_size(unsigned cls)
{
    return cls == WR_CLASS_BOOL ? (size_t)MASK_SIZE : element_size(cls) * WR_BATCH_ROWS;
}

/* ---- Constants ---------------------------------------------------------------------------------- */

static void store(struct wr_vector *v, uint32_t count, const struct wr_value *value)
{
    for (uint32_t i = 0; i < count; i++) {
        switch ((enum wr_class)v->cls) {
        case WR_CLASS_BOOL: WR_ASSERT(false); break;
        case WR_CLASS_I64: v->u.i64[i] = value->u.i64; break;
        case WR_CLASS_F64: v->u.f64[i] = value->u.f64; break;
        case WR_CLASS_DEC: v->u.dec[i] = value->u.dec; break;
        case WR_CLASS_STR: v->u.str[i] = value->u.str; break;
        case WR_CLASS_COUNT: break;
        }
    }
}

/* A constant as a vector: one element, or `count` of them where it is a result. Masks and bits are whole. */
static struct wr_vector constant_vector(struct wr_frame *frame, const struct wr_constant *constant, uint32_t count)
{
    struct wr_vector v = {.cls = constant->value.cls};
    WR_ASSERT(constant->value.flag != WR_FLAG_ERROR && count <= WR_BATCH_ROWS);
    struct wr_value value = constant->value;
    if (value.flag == WR_FLAG_NULL) {
        memset(&value.u, 0, sizeof value.u);
        v.flags = WR_VECTOR_NULLS;
        v.nulls = wr_arena_alloc(&frame->storage, MASK_SIZE);
        memset(v.nulls, 0xff, MASK_SIZE);
    }
    if (v.cls == WR_CLASS_BOOL) {
        v.u.bits = wr_arena_alloc(&frame->storage, MASK_SIZE);
        memset(v.u.bits, value.u.boolean ? 0xff : 0, MASK_SIZE);
    } else {
        v.u.data = wr_arena_alloc_zero(&frame->storage, element_size(v.cls) * count);
        store(&v, count, &value);
    }
    return v;
}

/* ---- Vectors and their memory ------------------------------------------------------------------- */

struct life {
    uint32_t last; /* the last step that reads the vector; step_count where it is a result */
    uint8_t cls;
};

struct builder {
    struct wr_frame *frame;
    uint32_t fixed;       /* inputs and constants */
    uint32_t *current;    /* per register: the vector that it stands for now */
    WR_VEC(struct life) life;
    WR_VEC(struct wr_vector) unused[WR_CLASS_COUNT];
};

static bool is_register(unsigned operand)
{
    return operand <= WR_OPERAND_ANY;
}

static uint32_t reads(struct builder *b, uint32_t reg, uint32_t step)
{
    WR_ASSERT(reg < b->frame->code->register_count);
    uint32_t vector = b->current[reg];
    WR_ASSERT(vector < b->life.count);
    b->life.at[vector].last = step;
    return vector;
}

static uint32_t writes(struct builder *b, uint32_t reg, uint32_t step)
{
    uint32_t vector = (uint32_t)b->life.count;
    WR_ASSERT(reg >= b->fixed);
    wr_vec_push(&b->life, (struct life){step, b->frame->code->register_class[reg]});
    return b->current[reg] = vector;
}

/* Renames the registers of all instructions into vectors. */
static void make_steps(struct builder *b, uint32_t argument_count)
{
    struct wr_frame *frame = b->frame;
    const struct wr_code *code = frame->code;
    uint32_t *argument = frame->argument = WR_NEW_ARRAY(&frame->storage, uint32_t, argument_count + 1);
    struct wr_frame_cache *cache = frame->cache;
    for (uint32_t i = 0; i < frame->step_count; i++) {
        uint32_t word0 = code->word[2 * i], word1 = code->word[2 * i + 1];
        enum wr_op op = wr_word_op(word0);
        const struct wr_op_info *info = wr_op_info(op);
        struct wr_step *step = &frame->step[i];
        *step = (struct wr_step){.op = (uint8_t)op, .k = (int16_t)wr_word_shift(word0),
                                 .imm = (uint16_t)wr_word_c(word1), .b = wr_word_b(word1)};
        if (op == WR_OP_CALL) {
            step->k = (int16_t)wr_word_k(word0);
            step->c = (uint32_t)(argument - frame->argument);
            step->cache = cache++;
            for (uint32_t n = 0; n < (uint32_t)step->k; n++) *argument++ = reads(b, wr_word_c(word1) + n, i);
        } else {
            if (is_register(info->b)) step->b = reads(b, wr_word_b(word1), i);
            if (is_register(info->c)) step->c = reads(b, wr_word_c(word1), i);
            step->b_constant = is_register(info->b) && step->b >= code->input_count && step->b < b->fixed;
            step->c_constant = is_register(info->c) && step->c >= code->input_count && step->c < b->fixed;
        }
        step->a = info->rule == WR_RULE_SELECT ? reads(b, wr_word_a(word0), i) : writes(b, wr_word_a(word0), i);
    }
    for (uint32_t r = 0; r < code->result_count; r++)
        frame->result_vector[r] = reads(b, code->result[r], frame->step_count);
}

static struct wr_vector take_memory(struct builder *b, uint8_t cls)
{
    struct wr_arena *arena = &b->frame->storage;
    WR_ASSERT(cls < WR_CLASS_COUNT);
    if (b->unused[cls].count) return wr_vec_pop(&b->unused[cls]);
    struct wr_vector v = {.cls = cls};
    v.u.data = wr_arena_alloc_zero(arena, data_size(cls));
    v.nulls = wr_arena_alloc_zero(arena, MASK_SIZE);
    v.errors = wr_arena_alloc_zero(arena, MASK_SIZE);
    return v;
}

/* Gives every temporary its memory. A step's sources end only after its destination has begun. */
static void place_vectors(struct builder *b)
{
    struct wr_frame *frame = b->frame;
    uint32_t total = (uint32_t)b->life.count, next = b->fixed;
    /* Chains of the vectors that end with a step. */
    uint32_t *ending = wr_alloc(sizeof *ending * (frame->step_count + 1));
    uint32_t *chain = wr_alloc(sizeof *chain * WR_MAX(total, 1u));
    memset(ending, 0xff, sizeof *ending * (frame->step_count + 1));
    for (uint32_t v = b->fixed; v < total; v++) {
        chain[v] = ending[b->life.at[v].last];
        ending[b->life.at[v].last] = v;
    }
    for (uint32_t i = 0; i < frame->step_count; i++) {
        if (frame->step[i].a == next) {
            frame->vector[next] = take_memory(b, b->life.at[next].cls);
            next++;
        }
        for (uint32_t v = ending[i]; v != WR_NONE; v = chain[v])
            wr_vec_push(&b->unused[frame->vector[v].cls], frame->vector[v]);
    }
    WR_ASSERT(next == total);
    wr_free(ending);
    wr_free(chain);
}

struct wr_frame *wr_frame_new(const struct wr_program *program, const struct wr_code *code)
{
    struct wr_frame *frame = wr_alloc_zero(sizeof *frame);
    struct builder b = {.frame = frame, .fixed = code->input_count + code->constant_count};
    uint32_t argument_count = 0;
    *frame = (struct wr_frame){.program = program, .code = code, .strings = &frame->memory,
                               .step_count = code->word_count / 2};
    wr_arena_init(&frame->memory);
    wr_arena_init(&frame->storage);
    for (uint32_t i = 0; i < frame->step_count; i++) {
        if (wr_word_op(code->word[2 * i]) != WR_OP_CALL) continue;
        frame->cache_count++;
        argument_count += (uint32_t)wr_word_k(code->word[2 * i]);
    }
    frame->cache = WR_NEW_ARRAY(&frame->storage, struct wr_frame_cache, frame->cache_count + 1);
    frame->step = WR_NEW_ARRAY(&frame->storage, struct wr_step, frame->step_count + 1);
    frame->result = WR_NEW_ARRAY(&frame->storage, struct wr_vector, code->result_count + 1);
    frame->result_vector = WR_NEW_ARRAY(&frame->storage, uint32_t, code->result_count + 1);
    frame->splat = wr_arena_alloc_zero(&frame->storage, WR_BATCH_ROWS * sizeof(wr_i128));
    b.current = wr_alloc(sizeof *b.current * WR_MAX(code->register_count, 1u));
    for (uint32_t r = 0; r < code->register_count; r++) b.current[r] = r;
    for (uint32_t r = 0; r < b.fixed; r++) wr_vec_push(&b.life, (struct life){0, code->register_class[r]});
    make_steps(&b, argument_count);
    frame->vector = WR_NEW_ARRAY(&frame->storage, struct wr_vector, b.life.count + 1);
    for (uint32_t i = 0; i < code->constant_count; i++) {
        uint32_t r = code->input_count + i;
        bool is_result = b.life.at[r].last == frame->step_count;
        frame->vector[r] = constant_vector(frame, &program->constant[code->constant[i]],
                                           is_result ? (uint32_t)WR_BATCH_ROWS : 1u);
    }
    place_vectors(&b);
    for (int c = 0; c < WR_CLASS_COUNT; c++) wr_vec_release(&b.unused[c]);
    wr_vec_release(&b.life);
    wr_free(b.current);
    return frame;
}

void wr_frame_free(struct wr_frame *frame)
{
    if (!frame) return;
    for (uint32_t i = 0; i < frame->cache_count; i++) wr_frame_cache_release(&frame->cache[i]);
    wr_row_frame_free(frame->row);
    wr_arena_release(&frame->memory);
    wr_arena_release(&frame->storage);
    wr_free(frame);
}

/* ---- Running ------------------------------------------------------------------------------------ */

void wr_frame_run(struct wr_frame *frame, const struct wr_batch *batch)
{
    const struct wr_code *code = frame->code;
    WR_ASSERT(batch->rows <= WR_BATCH_ROWS);
    wr_arena_clear(&frame->memory);
    for (uint32_t i = 0; i < code->input_count; i++) {
        const struct wr_input *input = &code->input[i];
        if (input->kind == WR_INPUT_COLUMN) {
            WR_ASSERT(input->column < batch->columns);
            frame->vector[i] = batch->column[input->column];
            WR_ASSERT(frame->vector[i].cls == code->register_class[i]);
        } else {
            union { /* the executor only reads it */
                const int64_t *from;
                int64_t *to;
            } time = {batch->event_time};
            WR_ASSERT(input->kind == WR_INPUT_SPECIAL && input->column == WR_SPECIAL_EVENT_TIME);
            frame->vector[i] = (struct wr_vector){.cls = WR_CLASS_I64, .u.i64 = time.to};
        }
    }
    if (WR_UNLIKELY(frame->by_row != NULL)) {
        wr_frame_run_rows(frame, batch->rows);
        return;
    }
    wr_frame_execute(frame, batch->rows);
    for (uint32_t r = 0; r < code->result_count; r++) frame->result[r] = frame->vector[frame->result_vector[r]];
}

const struct wr_vector *wr_frame_result(const struct wr_frame *frame, uint32_t result)
{
    WR_ASSERT(result < frame->code->result_count);
    return &frame->result[result];
}

enum wr_reason wr_frame_reason(struct wr_frame *frame, const struct wr_batch *batch, uint32_t result, uint32_t row)
{
    const struct wr_code *code = frame->code;
    WR_ASSERT(result < code->result_count && row < batch->rows);
    if (!frame->row) frame->row = wr_row_frame_new(frame->program, code);
    for (uint32_t i = 0; i < code->input_count; i++) {
        const struct wr_input *input = &code->input[i];
        frame->row->value[i] =
            input->kind == WR_INPUT_COLUMN
                ? wr_vector_at(&batch->column[input->column], row)
                : (struct wr_value){.u.i64 = batch->event_time[row], .cls = WR_CLASS_I64};
    }
    wr_row_frame_run(frame->row);
    const struct wr_value *value = wr_row_frame_result(frame->row, result);
    return value->flag == WR_FLAG_ERROR ? (enum wr_reason)value->reason : WR_REASON_NONE;
}
