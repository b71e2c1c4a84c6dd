/* What `weir explain` is about: which nodes, in which format; the bytecode behind them. */
#include "compiler/explain.h"

/* A query's name, a node's, or a stream's that an output goes to. */
static bool is_named(const struct wr_program *p, const struct wr_node *n, struct wr_slice name)
{
    if (n->query < p->query_count && wr_slice_equal_nocase(wr_slice_cstr(p->query[n->query]), name))
        return true;
    if (n->name && wr_slice_equal_nocase(wr_slice_cstr(n->name), name)) return true;
    return n->kind == WR_NODE_OUTPUT && n->u.output.stream != WR_NONE &&
           wr_slice_equal_nocase(wr_slice_cstr(p->stream[n->u.output.stream].name), name);
}

/* The nodes of that name, all that they read from, and the late rows of what is shown. */
static bool choose(const struct wr_program *p, struct wr_slice only, uint8_t *shown)
{
    bool found = only.size == 0;
    for (uint32_t i = 0; i < p->node_count; i++) {
        shown[i] = only.size == 0 || is_named(p, &p->node[i], only);
        found |= shown[i] != 0;
    }
    for (uint32_t i = p->node_count; i-- > 0;)
        for (uint32_t k = 0; shown[i] && k < p->node[i].input_count; k++)
            shown[p->node[i].input[k]] = 1;
    for (uint32_t i = 0; i < p->node_count; i++)
        if (p->node[i].kind == WR_NODE_LATE && shown[p->node[i].input[0]]) shown[i] = 1;
    return found;
}

static void print_code(const struct wr_explain *e, const struct wr_node *n, const char *what,
                       uint32_t code)
{
    if (code == WR_NONE) return;
    wr_buf_printf(e->out, "\n%s of %s\n", what, n->name);
    wr_code_print(e->program, &e->program->code[code], true, e->out);
}

static void print_bytecode(const struct wr_explain *e)
{
    wr_buf_add_cstr(e->out, "\nBytecode\n");
    for (uint32_t i = 0; i < e->program->node_count; i++) {
        const struct wr_node *n = &e->program->node[i];
        if (!e->shown[i]) continue;
        switch ((enum wr_node_kind)n->kind) {
        case WR_NODE_SOURCE:
            print_code(e, n, "computed columns", n->u.source.computed);
            if (n->u.source.delay_us < 0) print_code(e, n, "watermark", n->u.source.watermark);
            break;
        case WR_NODE_SELECT:
            print_code(e, n, "WHERE", n->u.select.where);
            print_code(e, n, "columns", n->u.select.project);
            break;
        case WR_NODE_PATTERN:
            print_code(e, n, "conditions on the row alone", n->u.pattern.row_code);
            for (uint32_t v = 0; v < n->u.pattern.variable_count; v++) {
                struct wr_buf what = {0};
                wr_buf_printf(&what, "condition of '%s' on earlier rows",
                              n->u.pattern.variable[v].name);
                print_code(e, n, wr_buf_cstr(&what), n->u.pattern.variable[v].condition);
                wr_buf_release(&what);
            }
            break;
        default: break;
        }
    }
}

bool wr_explain(const struct wr_program *program, enum wr_explain_format format,
                struct wr_slice only, bool bytecode, const struct wr_state_bound *bound,
                struct wr_buf *out)
{
    uint8_t *shown = wr_alloc_zero(program->node_count + 1);
    struct wr_explain e = {program, out, shown, bound};
    bool found = choose(program, only, shown);
    if (found) {
        switch (format) {
        case WR_EXPLAIN_TEXT:
            wr_explain_text(&e);
            if (bytecode) print_bytecode(&e);
            break;
        case WR_EXPLAIN_DOT: wr_explain_dot(&e); break;
        case WR_EXPLAIN_JSON: wr_explain_json(&e); break;
        }
    }
    wr_free(shown);
    return found;
}
