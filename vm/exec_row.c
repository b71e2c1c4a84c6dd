/* The row executor: one value a register, one jump an instruction.
 *
 * A block is turned into steps with their label's address beforehand (direct threading); each instruction's
 * code is made from opcodes.def by the macros below, one for each RULE. */
#include "vm/frame.h"
#include "vm/opcode.h"
#include "vm/scalar.h"

#pragma GCC diagnostic ignored "-Wpedantic" /* addresses of labels, for the computed goto */

struct step {
    const void *label;
    uint32_t a, b, c; /* registers, or b: a builtin's number */
    uint16_t imm;     /* the C field as it stands */
    int16_t k;
    struct wr_frame_cache *cache; /* of a CALL */
};

struct row_plan {
    struct step *step; /* ends with the label that leaves */
    struct wr_frame_cache *cache;
    uint32_t cache_count;
    struct wr_arena strings;
};

static const void *run_steps(struct wr_row_frame *frame, const struct step *step, enum wr_op label_of);

struct wr_row_frame *wr_row_frame_new(const struct wr_program *program, const struct wr_code *code)
{
    struct wr_row_frame *frame = wr_alloc_zero(sizeof *frame);
    struct row_plan *plan = wr_alloc_zero(sizeof *plan);
    uint32_t count = code->word_count / 2;
    WR_ASSERT(code->word_count % 2 == 0 && code->input_count + code->constant_count <= code->register_count);
    wr_arena_init(&plan->strings);
    *frame = (struct wr_row_frame){.code = code, .program = program, .strings = &plan->strings, .scratch = plan};
    frame->value = wr_alloc_zero(sizeof *frame->value * WR_MAX(code->register_count, 1u));
    for (uint32_t r = 0; r < code->register_count; r++) frame->value[r].cls = code->register_class[r];
    for (uint32_t i = 0; i < code->constant_count; i++)
        frame->value[code->input_count + i] = program->constant[code->constant[i]].value;
    plan->step = wr_alloc_zero(sizeof *plan->step * (count + 1));
    for (uint32_t i = 0; i < count; i++)
        if (wr_word_op(code->word[2 * i]) == WR_OP_CALL) plan->cache_count++;
    plan->cache = wr_alloc_zero(sizeof *plan->cache * WR_MAX(plan->cache_count, 1u));
    struct wr_frame_cache *cache = plan->cache;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t word0 = code->word[2 * i], word1 = code->word[2 * i + 1];
        enum wr_op op = wr_word_op(word0);
        WR_ASSERT(op < WR_OP_COUNT && wr_word_a(word0) < code->register_count);
        plan->step[i] = (struct step){
            .label = run_steps(NULL, NULL, op), .a = wr_word_a(word0), .b = wr_word_b(word1),
            .c = wr_op_info(op)->c <= WR_OPERAND_ANY || op == WR_OP_CALL ? wr_word_c(word1) : 0,
            .imm = (uint16_t)wr_word_c(word1),
            .k = (int16_t)(op == WR_OP_CALL ? wr_word_k(word0) : wr_word_shift(word0)),
            .cache = op == WR_OP_CALL ? cache++ : NULL};
    }
    plan->step[count].label = run_steps(NULL, NULL, WR_OP_COUNT);
    return frame;
}

void wr_row_frame_free(struct wr_row_frame *frame)
{
    if (!frame) return;
    struct row_plan *plan = frame->scratch;
    for (uint32_t i = 0; i < plan->cache_count; i++) wr_frame_cache_release(&plan->cache[i]);
    wr_free(plan->cache);
    wr_free(plan->step);
    wr_arena_release(&plan->strings);
    wr_free(plan);
    wr_frame_free(frame->batch);
    wr_free(frame->value);
    wr_free(frame);
}

void wr_row_frame_run(struct wr_row_frame *frame)
{
    struct row_plan *plan = frame->scratch;
    WR_DCHECK(plan && frame->strings == &plan->strings);
    wr_arena_clear(frame->strings);
    bool alone = frame->batch == NULL;
    if (alone || wr_row_frame_execute_batch(frame)) run_steps(frame, plan->step, WR_OP_COUNT);
    if (WR_UNLIKELY(!alone)) wr_row_frame_take_batch(frame);
}

/* ---- What a field of struct wr_value is called, and how a result is put there ------------------ */

#define TYPE_BOOL bool
#define TYPE_I64 int64_t
#define TYPE_F64 double
#define TYPE_DEC wr_i128
#define TYPE_STR struct wr_slice
#define FIELD_BOOL boolean
#define FIELD_I64 i64
#define FIELD_F64 f64
#define FIELD_DEC dec
#define FIELD_STR str
#define FIELD_(A) FIELD_##A
#define FIELD(A) FIELD_(A)

/* Operand c: a register's value, or nothing. Operand b always is a register here. */
#define LOAD_BOOL(v) ((v)->u.boolean)
#define LOAD_I64(v) ((v)->u.i64)
#define LOAD_F64(v) ((v)->u.f64)
#define LOAD_DEC(v) ((v)->u.dec)
#define LOAD_STR(v) ((v)->u.str)
#define LOAD_NONE(v) 0
#define LOAD_DECTYPE(v) 0
#define CTYPE_BOOL bool
#define CTYPE_I64 int64_t
#define CTYPE_F64 double
#define CTYPE_DEC wr_i128
#define CTYPE_STR struct wr_slice
#define CTYPE_NONE int
#define CTYPE_DECTYPE int
/* Whether field C is a register whose NULL or error counts. */
#define HAS_BOOL 1
#define HAS_I64 1
#define HAS_F64 1
#define HAS_DEC 1
#define HAS_STR 1
#define HAS_NONE 0
#define HAS_DECTYPE 0

#define RESULT(va, A, x) ((va)->u.FIELD(A) = (x), (va)->flag = WR_FLAG_VALUE)
#define NEXT goto *(++step)->label

/* The flag and reason of an operation on two operands of which one is no value: errors first. */
static inline void pass_on(struct wr_value *a, const struct wr_value *b, const struct wr_value *c)
{
    const struct wr_value *from = b->flag == WR_FLAG_ERROR || c->flag != WR_FLAG_ERROR ? b : c;
    if (from->flag == WR_FLAG_VALUE) from = c;
    uint8_t flag = from->flag, reason = from->reason;
    a->flag = flag;
    a->reason = reason;
    a->u.dec = 0; /* a BOOL that is NULL or an error reads as false */
}

#define PLAIN(NAME, A, B, C, VALUE, MORE)                                                                 \
    if ((vb->flag | (HAS_##C ? vc->flag : 0)) != WR_FLAG_VALUE) {                                         \
        pass_on(va, vb, HAS_##C ? vc : vb);                                                               \
    } else {                                                                                              \
        const CTYPE_##B b = LOAD_##B(vb);                                                                 \
        const CTYPE_##C c = LOAD_##C(vc);                                                                 \
        WR_UNUSED(c);                                                                                     \
        RESULT(va, A, (VALUE));                                                                           \
    }
#define CHECKED(NAME, A, B, C, VALUE, MORE)                                                               \
    if ((vb->flag | (HAS_##C ? vc->flag : 0)) != WR_FLAG_VALUE) {                                         \
        pass_on(va, vb, HAS_##C ? vc : vb);                                                               \
    } else {                                                                                              \
        const CTYPE_##B b = LOAD_##B(vb);                                                                 \
        const CTYPE_##C c = LOAD_##C(vc);                                                                 \
        enum wr_reason e = WR_REASON_NONE;                                                                \
        const TYPE_##A a = (VALUE);                                                                       \
        WR_UNUSED(c);                                                                                     \
        WR_UNUSED(e);                                                                                     \
        va->reason = (uint8_t)(MORE);                                                                     \
        va->u.FIELD(A) = a;                                                                               \
        va->flag = WR_FLAG_VALUE;                                                                         \
        if (va->reason) va->flag = WR_FLAG_ERROR, va->u.dec = 0;                                          \
    }
#define CAREFUL CHECKED
#define COMPARE PLAIN
#define WORD(NAME, A, B, C, VALUE, MORE)                                                                  \
    if ((vb->flag | vc->flag) != WR_FLAG_VALUE) {                                                         \
        pass_on(va, vb, vc);                                                                              \
    } else {                                                                                              \
        const uint64_t b = vb->u.boolean, c = vc->u.boolean;                                              \
        RESULT(va, A, ((VALUE) & 1) != 0);                                                                \
    }
/* An operand of class ANY is TRUE where it has a value. */
#define TRUTH_ANY(v) 1
#define TRUTH_BOOL(v) (v)->u.boolean
#define TRUTH_NONE(v) 0
#define HAS_ANY 1
#define LOGIC(NAME, A, B, C, VALUE, MORE)                                                                 \
    {                                                                                                     \
        const uint64_t be = vb->flag == WR_FLAG_ERROR, bn = vb->flag == WR_FLAG_NULL;                     \
        const uint64_t bt = ~(be | bn) & (uint64_t)(TRUTH_##B(vb)), bf = ~(be | bn | bt) & 1;             \
        const uint64_t ce = HAS_##C && vc->flag == WR_FLAG_ERROR, cn = HAS_##C && vc->flag == WR_FLAG_NULL; \
        const uint64_t ct = ~(ce | cn) & (uint64_t)(TRUTH_##C(vc)), cf = ~(ce | cn | ct) & 1;             \
        const uint64_t is_true = (VALUE) & 1, is_false = (MORE) & 1;                                      \
        WR_UNUSED(bf), WR_UNUSED(ct), WR_UNUSED(cf);                                                      \
        if (is_true | is_false) RESULT(va, A, is_true != 0);                                              \
        else pass_on(va, vb, HAS_##C ? vc : vb);                                                          \
    }
#define DISTINCT(NAME, A, B, C, VALUE, MORE)                                                              \
    if (vb->flag == WR_FLAG_ERROR || vc->flag == WR_FLAG_ERROR) {                                         \
        pass_on(va, vb, vc);                                                                              \
    } else if ((vb->flag | vc->flag) != WR_FLAG_VALUE) {                                                  \
        const bool differ = vb->flag != vc->flag;                                                         \
        RESULT(va, A, differ);                                                                            \
    } else {                                                                                              \
        const CTYPE_##B b = LOAD_##B(vb);                                                                 \
        const CTYPE_##C c = LOAD_##C(vc);                                                                 \
        RESULT(va, A, (VALUE));                                                                           \
    }
/* Copies keep the class that the register has. */
#define COPY(from)                                                                                        \
    va->u = (from)->u, va->flag = (from)->flag, va->reason = (from)->reason
#define SELECT(NAME, A, B, C, VALUE, MORE)                                                                \
    if (vb->flag == WR_FLAG_ERROR) pass_on(va, vb, vb);                                                   \
    else if (vb->flag == WR_FLAG_VALUE && vb->u.boolean) COPY(vc);
#define COALESCE(NAME, A, B, C, VALUE, MORE)                                                              \
    if (vb->flag == WR_FLAG_NULL) COPY(vc);                                                               \
    else COPY(vb);
#define MOVE(NAME, A, B, C, VALUE, MORE) COPY(vb);
#define TRY(NAME, A, B, C, VALUE, MORE)                                                                   \
    if (vb->flag == WR_FLAG_ERROR) va->flag = WR_FLAG_NULL, va->u.dec = 0;                                \
    else COPY(vb);
#define CALL(NAME, A, B, C, VALUE, MORE) call(frame, step, va, vc);

static void call(struct wr_row_frame *frame, const struct step *step, struct wr_value *out,
                 const struct wr_value *argument)
{
    unsigned count = (unsigned)step->k;
    const struct wr_value *worst = NULL;
    WR_DCHECK(step->b < WR_BUILTIN_COUNT && step->cache);
    for (unsigned i = 0; i < count; i++) {
        if (argument[i].flag == WR_FLAG_ERROR) {
            worst = &argument[i];
            break;
        }
        if (argument[i].flag == WR_FLAG_NULL && !worst) worst = &argument[i];
    }
    if (worst) {
        pass_on(out, worst, worst);
        return;
    }
    struct wr_call call = {frame->strings, step->cache};
    struct wr_value result = {.cls = out->cls};
    enum wr_reason reason = wr_builtin_info((enum wr_builtin)step->b)->function(&call, argument, count, &result);
    if (reason || result.flag) result.u.dec = 0;
    result.reason = (uint8_t)reason;
    if (reason) result.flag = WR_FLAG_ERROR;
    *out = result;
}

/* Runs steps until the one that leaves; without a frame: the label of an instruction. */
static const void *run_steps(struct wr_row_frame *frame, const struct step *step, enum wr_op label_of)
{
#define OP(NAME, A, B, C, K, RULE, FORMULA, VALUE, MORE) [WR_OP_##NAME] = &&op_##NAME,
    static const void *const label[WR_OP_COUNT + 1] = {
#include "vm/opcodes.def"
        [WR_OP_COUNT] = &&leave};
#undef OP
    if (!frame) return label[label_of];
    struct wr_value *const value = frame->value;
    goto *step->label;

#define OP(NAME, A, B, C, K, RULE, FORMULA, VALUE, MORE)                                                  \
    op_##NAME : {                                                                                         \
        struct wr_value *va = &value[step->a];                                                            \
        const struct wr_value *vb = &value[OPERAND_B_##B], *vc = &value[step->c];                         \
        const int k = step->k;                                                                            \
        const unsigned imm = step->imm;                                                                   \
        WR_UNUSED(k), WR_UNUSED(imm), WR_UNUSED(vb), WR_UNUSED(vc);                                       \
        RULE(NAME, A, B, C, VALUE, MORE)                                                                  \
    }                                                                                                     \
    NEXT;
#define OPERAND_B_BOOL step->b
#define OPERAND_B_I64 step->b
#define OPERAND_B_F64 step->b
#define OPERAND_B_DEC step->b
#define OPERAND_B_STR step->b
#define OPERAND_B_ANY step->b
#define OPERAND_B_BUILTIN 0 /* not read */
#include "vm/opcodes.def"
#undef OP
leave:
    return NULL;
}
