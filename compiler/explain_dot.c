/* explain for Graphviz: the dataflow, and a cluster for each pattern's automaton. `dot -Tsvg` draws
 * it. */
#include "compiler/explain.h"

static void add_quoted(const char *text, struct wr_buf *out)
{
    wr_buf_add_char(out, '"');
    for (; *text; text++) {
        if (*text == '"' || *text == '\\') wr_buf_add_char(out, '\\');
        wr_buf_add_char(out, *text == '\n' ? ' ' : *text);
    }
    wr_buf_add_char(out, '"');
}

static void edge(const struct wr_explain *e, uint32_t node, const char *from, const char *to,
                 const struct wr_follow *f, bool first, uint32_t rank, uint32_t of)
{
    const struct wr_pattern_node *p = &e->program->node[node].u.pattern;
    struct wr_buf label = {0};
    if (f->position == WR_ACCEPT) wr_buf_add_cstr(&label, f->flags & WR_FOLLOW_AT_END ? "$ " : f->flags ? "^ " : "");
    else wr_explain_entry(p, f, first, &label);
    if (of > 1) wr_buf_printf(&label, "%u", rank);
    wr_buf_printf(e->out, "    p%u_%s -> p%u_%s [label=", node, from, node, to);
    add_quoted(wr_buf_cstr(&label), e->out);
    wr_buf_add_cstr(e->out, "];\n");
    wr_buf_release(&label);
}

static void list(const struct wr_explain *e, uint32_t node, const char *from, uint32_t start,
                 uint32_t count, bool first)
{
    const struct wr_pattern_node *p = &e->program->node[node].u.pattern;
    for (uint32_t i = 0; i < count; i++) {
        const struct wr_follow *f = &p->follow[start + i];
        char to[16] = "end";
        struct wr_buf name = {0};
        if (f->position != WR_ACCEPT) {
            wr_buf_printf(&name, "%u", f->position);
            memcpy(to, wr_buf_cstr(&name), name.size + 1);
        }
        wr_buf_release(&name);
        edge(e, node, from, to, f, first, i + 1, count);
    }
}

static void automaton(const struct wr_explain *e, uint32_t node)
{
    const struct wr_node *n = &e->program->node[node];
    const struct wr_pattern_node *p = &n->u.pattern;
    wr_buf_printf(e->out, "  subgraph cluster_p%u {\n    label=", node);
    struct wr_buf text = {0};
    wr_buf_printf(&text, "%s: %s", n->name, p->text);
    add_quoted(wr_buf_cstr(&text), e->out);
    wr_buf_printf(e->out,
                  ";\n    p%u_begin [label=\"\", shape=point];\n    p%u_end [label=\"\", "
                  "shape=doublecircle];\n",
                  node, node);
    for (uint32_t i = 0; i < p->position_count; i++) {
        wr_buf_printf(e->out, "    p%u_%u [shape=circle, label=", node, i);
        add_quoted(p->variable[p->position[i].variable].name, e->out);
        wr_buf_add_cstr(e->out, "];\n");
    }
    list(e, node, "begin", p->first, p->first_count, true);
    for (uint32_t i = 0; i < p->position_count; i++) {
        wr_buf_clear(&text);
        wr_buf_printf(&text, "%u", i);
        list(e, node, wr_buf_cstr(&text), p->position[i].follow, p->position[i].follow_count,
             false);
    }
    wr_buf_release(&text);
    wr_buf_add_cstr(e->out, "  }\n");
}

void wr_explain_dot(const struct wr_explain *e)
{
    const struct wr_program *p = e->program;
    wr_buf_add_cstr(e->out, "digraph weir {\n  rankdir=LR;\n  node [shape=box];\n");
    struct wr_buf label = {0};
    for (uint32_t i = 0; i < p->node_count; i++) {
        if (!e->shown[i]) continue;
        wr_buf_clear(&label);
        wr_buf_printf(&label, "%s %s", wr_explain_kind(&p->node[i]), p->node[i].name);
        wr_buf_printf(e->out, "  n%u [label=", i);
        add_quoted(wr_buf_cstr(&label), e->out);
        wr_buf_add_cstr(e->out, "];\n");
        for (uint32_t k = 0; k < p->node[i].input_count; k++)
            wr_buf_printf(e->out, "  n%u -> n%u%s;\n", p->node[i].input[k], i,
                          p->node[i].kind == WR_NODE_LATE ? " [label=late, style=dashed]" : "");
    }
    wr_buf_release(&label);
    for (uint32_t i = 0; i < p->node_count; i++)
        if (e->shown[i] && p->node[i].kind == WR_NODE_PATTERN) automaton(e, i);
    wr_buf_add_cstr(e->out, "}\n");
}
