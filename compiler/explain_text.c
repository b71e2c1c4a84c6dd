/* explain for people: each query in plain words first, then the dataflow, the automata, the fields.
 */
#include "compiler/explain.h"

/* ---- In plain words -------------------------------------------------------------------------- */

static void source_words(const struct wr_explain *e, uint32_t number)
{
    const struct wr_node *n = &e->program->node[number];
    const struct wr_source_node *s = &n->u.source;
    wr_buf_printf(e->out, "  Reads %s", e->program->stream[s->stream].name);
    if (s->time_column == WR_NONE) {
        wr_buf_add_cstr(e->out, "; event time is the record's own, and no disorder is allowed.\n");
        return;
    }
    wr_buf_printf(e->out, "; event time is '%s'", n->schema.column[s->time_column].name);
    if (s->delay_us == 0) {
        wr_buf_add_cstr(e->out, ", and no disorder is allowed");
    } else if (s->delay_us > 0) {
        wr_buf_add_cstr(e->out, ", and a row may be ");
        wr_explain_duration(s->delay_us, e->out);
        wr_buf_add_cstr(e->out, " behind the latest one before it is late");
    } else {
        wr_buf_add_cstr(e->out, ", and the watermark an expression of the row");
    }
    wr_buf_add_cstr(e->out, ".\n");
    if (e->bound && s->delay_us != 0)
        wr_buf_printf(e->out, "  Rows wait until the watermark has come to them: %u bytes each, and their texts.\n",
                      e->bound[number].row);
}

static void window_words(const struct wr_explain *e, uint32_t number)
{
    const struct wr_node *n = &e->program->node[number];
    const struct wr_window_node *w = &n->u.window;
    wr_buf_add_cstr(e->out, "  Windows of ");
    wr_explain_duration(w->size_us, e->out);
    if (w->slide_us != w->size_us) {
        wr_buf_add_cstr(e->out, ", one beginning every ");
        wr_explain_duration(w->slide_us, e->out);
    }
    for (uint32_t i = 0; i < w->key_count; i++)
        wr_buf_printf(e->out, "%s%s", i ? ", " : ", for each ", n->schema.column[i].name);
    wr_buf_add_cstr(
        e->out, ".\n  One result a window and key, when the watermark reaches the window's end");
    if (w->late_us > 0) {
        wr_buf_add_cstr(e->out, " and ");
        wr_explain_duration(w->late_us, e->out);
        wr_buf_add_cstr(e->out, " more");
    }
    wr_buf_printf(e->out, ".\n  Rows that come too late %s.\n  State of a key: ",
                  w->late_into ? "are sent on by LATE INTO" : "are counted as late and not taken");
    wr_explain_bound(e, number, ".\n  ", e->out);
    wr_buf_add_cstr(e->out, ".\n");
}

static void heading(const struct wr_explain *e, const struct wr_node *n)
{
    uint32_t line = wr_explain_line(e->program, n->place);
    wr_buf_printf(e->out, "%s%s %s", e->out->size ? "\n" : "", wr_explain_kind(n), n->name);
    if (line)
        wr_buf_printf(e->out, " (%s:%u)",
                      e->program->source_name ? e->program->source_name : "line", line);
    wr_buf_add_char(e->out, '\n');
}

static void words(const struct wr_explain *e)
{
    for (uint32_t i = 0; i < e->program->node_count; i++) {
        const struct wr_node *n = &e->program->node[i];
        if (!e->shown[i]) continue;
        if (n->kind == WR_NODE_SOURCE) {
            heading(e, n);
            source_words(e, i);
        } else if (n->kind == WR_NODE_WINDOW) {
            heading(e, n);
            window_words(e, i);
        } else if (n->kind == WR_NODE_PATTERN) {
            heading(e, n);
            wr_explain_pattern_words(e, i);
        } else if (n->kind == WR_NODE_SELECT && n->u.select.where != WR_NONE) {
            heading(e, n);
            wr_buf_add_cstr(e->out, "  Passes on the rows for which its WHERE is TRUE.\n");
        }
    }
}

/* ---- Dataflow, automata, fields -------------------------------------------------------------- */

static void print_node(const struct wr_explain *e, uint32_t number)
{
    const struct wr_node *n = &e->program->node[number];
    wr_buf_printf(e->out, "  %-3u %-8s %s", number, wr_explain_kind(n), n->name);
    for (uint32_t k = 0; k < n->input_count; k++)
        wr_buf_printf(e->out, "%s%u", k ? ", " : "  <- ", n->input[k]);
    if (n->kind == WR_NODE_OUTPUT && n->u.output.stream != WR_NONE) {
        wr_buf_printf(e->out, "  to %s", e->program->stream[n->u.output.stream].name);
        if (n->u.output.only_if_bound) wr_buf_add_cstr(e->out, " where it is bound");
    }
    if (n->kind != WR_NODE_OUTPUT && n->schema.count) {
        wr_buf_add_cstr(e->out, "\n      ");
        wr_explain_columns(&n->schema, e->out);
    }
    wr_buf_add_char(e->out, '\n');
}

static void print_fields(const struct wr_explain *e, const struct wr_node *n)
{
    const struct wr_source_node *s = &n->u.source;
    wr_buf_printf(e->out, "\nFields decoded of %s\n", e->program->stream[s->stream].name);
    if (s->field_count == 0) wr_buf_add_cstr(e->out, "  none\n");
    for (uint32_t i = 0; i < s->field_count; i++) {
        const struct wr_field *f = &s->field[i];
        wr_buf_printf(e->out, "  %s ", f->name);
        wr_type_print(f->type, e->out);
        wr_buf_add_cstr(e->out, " from ");
        wr_explain_origin(f, e->out);
        wr_buf_printf(e->out, "%s\n", f->not_null ? ", never NULL" : "");
    }
    for (uint32_t i = s->field_count; i < n->schema.count; i++) {
        wr_buf_printf(e->out, "  %s ", n->schema.column[i].name);
        wr_type_print(n->schema.column[i].type, e->out);
        wr_buf_add_cstr(e->out, " computed\n");
    }
    uint32_t declared = e->program->stream[s->stream].declared.count, read = n->schema.count;
    if (declared > read)
        wr_buf_printf(e->out, "  %u of %u declared columns are read by nothing and never decoded\n",
                      declared - read, declared);
}

void wr_explain_text(const struct wr_explain *e)
{
    const struct wr_program *p = e->program;
    words(e);
    wr_buf_printf(e->out, "%sDataflow\n", e->out->size ? "\n" : "");
    for (uint32_t i = 0; i < p->node_count; i++)
        if (e->shown[i]) print_node(e, i);
    for (uint32_t i = 0; i < p->node_count; i++) {
        if (!e->shown[i] || p->node[i].kind != WR_NODE_PATTERN) continue;
        wr_buf_printf(e->out, "\nAutomaton of %s: %s\n", p->node[i].name,
                      p->node[i].u.pattern.text);
        wr_explain_automaton(e, &p->node[i]);
    }
    for (uint32_t i = 0; i < p->node_count; i++)
        if (e->shown[i] && p->node[i].kind == WR_NODE_SOURCE) print_fields(e, &p->node[i]);
}
