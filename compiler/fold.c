/* Constant folding: one operation over constants, run by the very executor that would run it later,
 * so that a folded value can never differ from a computed one. */
#include "compiler/state.h"

bool wr_fold(struct wr_compile *c, const struct wr_ir *op, struct wr_value *value,
             enum wr_reason *reason)
{
    unsigned n = op->u.op.arg_count;
    struct wr_constant *constant = WR_NEW_ARRAY(c->arena, struct wr_constant, n + 1);
    uint32_t *number = WR_NEW_ARRAY(c->arena, uint32_t, n + 1);
    uint8_t *cls = WR_NEW_ARRAY(c->arena, uint8_t, n + 1);
    for (unsigned i = 0; i < n; i++) {
        const struct wr_ir *arg = op->u.op.arg[i];
        constant[i] = (struct wr_constant){
            .type = arg->type, .value = arg->u.constant.value, .parameter = WR_NONE};
        number[i] = i;
        cls[i] = (uint8_t)wr_type_class(arg->type);
    }
    cls[n] = (uint8_t)wr_type_class(op->type);

    /* SELECT writes where it reads; with constants that is decided before (ir.c), so none comes
     * here. */
    WR_ASSERT(wr_op_info((enum wr_op)op->u.op.op)->rule != WR_RULE_SELECT);
    bool call = op->u.op.op == WR_OP_CALL;
    uint32_t word[2] = {wr_word0(wr_op_word((enum wr_op)op->u.op.op, op->u.op.k), n),
                        call ? wr_word1(op->u.op.builtin, 0) : wr_word1(0, n > 1 ? 1 : op->u.op.c)};
    uint32_t place = 0;
    uint16_t result = (uint16_t)n;
    struct wr_program program = {.constant_count = n, .constant = constant};
    struct wr_code code = {.constant_count = n,
                           .constant = number,
                           .register_count = n + 1,
                           .register_class = cls,
                           .word_count = 2,
                           .word = word,
                           .result_count = 1,
                           .result = &result,
                           .place = &place};
    struct wr_row_frame *frame = c->state->folding = wr_row_frame_new(&program, &code);
    wr_row_frame_run(frame);
    *value = *wr_row_frame_result(frame, 0);
    bool ok = value->flag != WR_FLAG_ERROR;
    *reason = (enum wr_reason)value->reason;
    if (ok && value->flag == WR_FLAG_VALUE && wr_type_class(op->type) == WR_CLASS_STR)
        value->u.str = wr_arena_copy(c->arena, value->u.str);
    c->state->folding = NULL;
    wr_row_frame_free(frame);
    return ok;
}
