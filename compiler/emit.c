/* From value graph to code block: numbering of inputs and constants, order, registers.
 *
 * Instructions stand in the order of their nodes. A temporary is free again behind its last use and
 * is taken by the next result of its class; a register never serves as source and destination of
 * one instruction, but for SELECT, whose destination is what stands when its condition is not TRUE.
 * Arguments of a CALL stand in registers side by side: where they do not already, they are moved
 * into a run of registers, which later calls with arguments of the same classes take again. */
#include "compiler/state.h"
#include "vm/builtin.h"

#define NO_REGISTER UINT32_MAX

struct run { /* registers side by side for the arguments of a CALL */
    uint32_t first;
    uint16_t count;
};

struct emitter {
    struct wr_block *block;
    uint8_t *reached;
    uint32_t *reg;      /* of each node */
    uint32_t *last_use; /* node number of the last user; UINT32_MAX for results */
    WR_LIST(uint8_t) cls;
    WR_LIST(uint32_t) word;
    WR_LIST(uint32_t) place;
    WR_LIST(uint32_t) free_of[WR_CLASS_COUNT];
    WR_LIST(struct run) run;
    uint32_t fixed; /* inputs and constants */
};

static uint32_t new_register(struct emitter *e, enum wr_class cls)
{
    wr_list_push(e->block->c->arena, &e->cls, (uint8_t)cls);
    return (uint32_t)e->cls.count - 1;
}

static uint32_t take_register(struct emitter *e, enum wr_class cls)
{
    if (e->free_of[cls].count) return e->free_of[cls].at[--e->free_of[cls].count];
    return new_register(e, cls);
}

static bool is_move(const struct wr_ir *n)
{
    return n->kind == WR_IR_OP && wr_op_info((enum wr_op)n->u.op.op)->rule == WR_RULE_MOVE;
}

/* A MOVE in the graph only changes the type: it is its operand. */
static const struct wr_ir *behind_moves(const struct wr_ir *n)
{
    while (is_move(n)) n = n->u.op.arg[0];
    return n;
}

static void put(struct emitter *e, const struct wr_ir *n, uint32_t word0, uint32_t word1)
{
    wr_list_push(e->block->c->arena, &e->word, word0);
    wr_list_push(e->block->c->arena, &e->word, word1);
    wr_list_push(e->block->c->arena, &e->place, n->span.file == e->block->c->state->main_file ? n->span.start : WR_NONE);
}

static void move(struct emitter *e, const struct wr_ir *n, uint32_t to, uint32_t from)
{
    enum wr_op op = wr_op_of(WR_OP_MOVE_BOOL, (enum wr_class)e->cls.at[to]);
    put(e, n, wr_word0(wr_op_word(op, 0), to), wr_word1(from, 0));
}

static void find_last_uses(struct emitter *e)
{
    const struct wr_block *b = e->block;
    for (size_t i = 0; i < b->node.count; i++) {
        const struct wr_ir *n = b->node.at[i];
        if (!e->reached[i] || n->kind != WR_IR_OP || is_move(n)) continue;
        for (unsigned k = 0; k < n->u.op.arg_count; k++)
            e->last_use[behind_moves(n->u.op.arg[k])->id] = (uint32_t)i;
    }
    for (size_t i = 0; i < b->result.count; i++)
        e->last_use[behind_moves(b->result.at[i])->id] = UINT32_MAX;
}

/* Frees the registers of operands that node n is the last to use (a repeated operand once), but for
 * `kept`. */
static void free_operands(struct emitter *e, const struct wr_ir *n, uint32_t kept)
{
    for (unsigned k = 0; k < n->u.op.arg_count; k++) {
        const struct wr_ir *arg = behind_moves(n->u.op.arg[k]);
        uint32_t r = e->reg[arg->id];
        if (e->last_use[arg->id] != n->id || r < e->fixed || r == kept) continue;
        e->last_use[arg->id] = UINT32_MAX;
        wr_list_push(e->block->c->arena, &e->free_of[e->cls.at[r]], r);
    }
}

static uint32_t place_arguments(struct emitter *e, const struct wr_ir *n)
{
    unsigned count = n->u.op.arg_count;
    uint32_t first = count ? e->reg[behind_moves(n->u.op.arg[0])->id] : 0;
    bool side_by_side = true;
    for (unsigned k = 1; k < count; k++)
        side_by_side &= e->reg[behind_moves(n->u.op.arg[k])->id] == first + k;
    if (side_by_side) return first;
    first = NO_REGISTER;
    for (size_t i = 0; i < e->run.count && first == NO_REGISTER; i++) {
        bool fits = e->run.at[i].count == count;
        for (unsigned k = 0; fits && k < count; k++)
            fits = e->cls.at[e->run.at[i].first + k] == wr_type_class(n->u.op.arg[k]->type);
        if (fits) first = e->run.at[i].first;
    }
    if (first == NO_REGISTER) {
        first = (uint32_t)e->cls.count;
        for (unsigned k = 0; k < count; k++) new_register(e, wr_type_class(n->u.op.arg[k]->type));
        wr_list_push(e->block->c->arena, &e->run, (struct run){first, (uint16_t)count});
    }
    for (unsigned k = 0; k < count; k++)
        move(e, n, first + k, e->reg[behind_moves(n->u.op.arg[k])->id]);
    return first;
}

static void emit_node(struct emitter *e, const struct wr_ir *n)
{
    const struct wr_op_info *info = wr_op_info((enum wr_op)n->u.op.op);
    uint32_t op = wr_op_word((enum wr_op)n->u.op.op, n->u.op.k);
    uint32_t arg[3] = {0};
    for (unsigned k = 0; k < n->u.op.arg_count && k < 3; k++)
        arg[k] = e->reg[behind_moves(n->u.op.arg[k])->id];
    uint32_t a;
    if (info->rule == WR_RULE_SELECT) {
        const struct wr_ir *otherwise = behind_moves(n->u.op.arg[0]);
        bool reuse = e->last_use[otherwise->id] == n->id && arg[0] >= e->fixed &&
                     arg[0] != arg[1] && arg[0] != arg[2];
        a = reuse ? arg[0] : take_register(e, wr_type_class(n->type));
        if (!reuse) move(e, n, a, arg[0]);
        put(e, n, wr_word0(op, a), wr_word1(arg[1], arg[2]));
    } else if (info->rule == WR_RULE_CALL) {
        uint32_t first = place_arguments(e, n);
        a = take_register(e, wr_type_class(n->type));
        put(e, n, wr_word0(op, a), wr_word1(n->u.op.builtin, first));
    } else {
        a = take_register(e, wr_type_class(n->type));
        put(e, n, wr_word0(op, a), wr_word1(arg[0], n->u.op.arg_count > 1 ? arg[1] : n->u.op.c));
    }
    e->reg[n->id] = a;
    free_operands(e, n, a);
}

/* Inputs and constants in the order in which they were first asked for. */
static void number_leaves(struct emitter *e, struct wr_code *code)
{
    const struct wr_block *b = e->block;
    struct wr_arena *arena = &b->c->program->arena;
    uint32_t inputs = 0, constants = 0;
    for (size_t i = 0; i < b->node.count; i++) {
        if (!e->reached[i]) continue;
        inputs += b->node.at[i]->kind == WR_IR_INPUT;
        constants += b->node.at[i]->kind == WR_IR_CONSTANT;
    }
    struct wr_input *input = WR_NEW_ARRAY(arena, struct wr_input, inputs + 1u);
    uint32_t *constant = WR_NEW_ARRAY(arena, uint32_t, constants + 1u);
    uint32_t in = 0, con = 0;
    for (uint32_t i = 0; i < inputs + constants; i++) new_register(e, WR_CLASS_BOOL); /* set below */
    for (size_t i = 0; i < b->node.count; i++) {
        const struct wr_ir *n = b->node.at[i];
        if (!e->reached[i] || n->kind == WR_IR_OP) continue;
        if (n->kind == WR_IR_INPUT) {
            e->reg[i] = in;
            input[in++] = n->u.input;
        } else {
            e->reg[i] = inputs + con;
            constant[con++] = wr_constant_add(b->c, n->type, &n->u.constant.value,
                                              n->u.constant.parameter);
        }
        e->cls.at[e->reg[i]] = (uint8_t)wr_type_class(n->type);
    }
    e->fixed = inputs + constants;
    code->input_count = inputs;
    code->input = input;
    code->constant_count = constants;
    code->constant = constant;
}

static void *copied(struct wr_arena *arena, const void *from, size_t bytes)
{
    void *to = wr_arena_alloc(arena, bytes + 1);
    if (bytes) memcpy(to, from, bytes);
    return to;
}

void wr_block_emit(struct wr_block *b, struct wr_code *code)
{
    struct wr_arena *arena = &b->c->program->arena;
    struct emitter e = {.block = b};
    size_t n = b->node.count + 1;
    e.reached = WR_NEW_ARRAY(b->c->arena, uint8_t, n);
    e.reg = WR_NEW_ARRAY(b->c->arena, uint32_t, n);
    e.last_use = WR_NEW_ARRAY(b->c->arena, uint32_t, n);
    for (size_t i = 0; i < b->result.count; i++) e.reached[b->result.at[i]->id] = 1;
    wr_ir_reach(b, e.reached);
    number_leaves(&e, code);
    find_last_uses(&e);
    for (size_t i = 0; i < b->node.count; i++) {
        const struct wr_ir *node = b->node.at[i];
        if (!e.reached[i] || node->kind != WR_IR_OP) continue;
        if (is_move(node)) e.reg[i] = e.reg[behind_moves(node)->id];
        else emit_node(&e, node);
    }
    uint16_t *result = WR_NEW_ARRAY(arena, uint16_t, b->result.count + 1);
    for (size_t i = 0; i < b->result.count; i++) result[i] = (uint16_t)e.reg[b->result.at[i]->id];
    if (e.cls.count > 65536)
        wr_diag_add(b->c->diags, WR_DIAG_W0616, b->result.at[0]->span,
                    "the expressions of this query need more than 65,536 values at once");
    code->register_count = (uint32_t)e.cls.count;
    code->register_class = copied(arena, e.cls.at, e.cls.count);
    code->word_count = (uint32_t)e.word.count;
    code->word = copied(arena, e.word.at, e.word.count * sizeof *e.word.at);
    code->result_count = (uint32_t)b->result.count;
    code->result = result;
    code->place = copied(arena, e.place.at, e.place.count * sizeof *e.place.at);
}
