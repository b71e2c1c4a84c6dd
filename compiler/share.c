/* Conditions of many patterns over one input, evaluated once.
 *
 * Each pattern is lowered with a block of its own for the conditions that read the row alone. Here
 * the blocks of patterns that read the same node become one, in which equal conditions (in their one
 * form) are one result: the runtime runs it once a batch, whatever number of patterns use it. */
#include "compiler/state.h"

/* A block's registers are bounded; past this many nodes the next patterns begin a further one. */
enum { SHARED_NODES_MAX = 16384 };

static void share(struct wr_compile *c, struct wr_pattern_node *pattern, struct wr_block *shared)
{
    struct wr_block *own = c->state->block.at[pattern->row_code];
    struct wr_ir **map = WR_NEW_ARRAY(c->arena, struct wr_ir *, own->node.count);
    struct wr_pattern_variable *variable = WR_NEW_ARRAY(c->arena, struct wr_pattern_variable, pattern->variable_count);
    wr_block_import(shared, own, map);
    for (uint32_t i = 0; i < pattern->variable_count; i++) {
        variable[i] = pattern->variable[i];
        if (variable[i].row_condition == WR_NONE) continue;
        const struct wr_ir *result = own->result.at[variable[i].row_condition];
        variable[i].row_condition = wr_block_result(shared, map[result->id]);
    }
    pattern->variable = variable;
    pattern->row_code = shared->number;
}

void wr_share_conditions(struct wr_compile *c)
{
    struct wr_state *s = c->state;
    uint32_t nodes = (uint32_t)s->node.count;
    uint32_t *patterns = WR_NEW_ARRAY(c->arena, uint32_t, nodes + 1);
    struct wr_block **shared = WR_NEW_ARRAY(c->arena, struct wr_block *, nodes + 1);
    for (uint32_t n = 0; n < nodes; n++) {
        const struct wr_node *node = &s->node.at[n];
        if (node->kind == WR_NODE_PATTERN && node->u.pattern.row_code != WR_NONE) patterns[node->input[0]]++;
    }
    for (uint32_t n = 0; n < nodes; n++) {
        struct wr_node *node = &s->node.at[n];
        if (node->kind != WR_NODE_PATTERN || node->u.pattern.row_code == WR_NONE) continue;
        uint32_t from = node->input[0];
        if (patterns[from] < 2) continue;
        if (!shared[from] || shared[from]->node.count > SHARED_NODES_MAX) shared[from] = wr_block_new(c);
        share(c, &node->u.pattern, shared[from]);
    }
}
