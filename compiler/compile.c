/* The compiler's passes, one after the other, and the warnings about what nothing uses. */
#include "compiler/state.h"

static void warn_unused(struct wr_compile *c, const struct wr_ident *name, struct wr_span span,
                        const char *what)
{
    wr_diag_add(c->diags, WR_DIAG_W2007, name ? name->span : span, "nothing uses the %s '%.*s'",
                what, WR_SLICE_ARG(name ? name->text : wr_span_text(c->diags->sources, span)));
}

static void warn_all_unused(struct wr_compile *c)
{
    struct wr_state *s = c->state;
    for (size_t i = 0; i < s->decl.count; i++) {
        const struct wr_decl *d = s->decl.at[i];
        bool result = d->kind == WR_DECL_PATTERN ||
                      (d->kind == WR_DECL_STREAM && d->statement->query);
        if (!result && !d->is_read && !d->is_fed)
            warn_unused(c, &d->name, d->name.span, wr_decl_kind_text(d));
    }
    for (size_t i = 0; i < s->function.count; i++)
        if (!s->function.at[i]->used)
            warn_unused(c, &s->function.at[i]->statement->name,
                        s->function.at[i]->statement->name.span, "function");
    for (size_t i = 0; i < s->parameter.count; i++)
        if (!s->parameter_used.at[i]) warn_unused(c, NULL, s->parameter_span.at[i], "parameter");
}

static void lower_all(struct wr_compile *c)
{
    const struct wr_tree *tree = c->state->tree;
    for (size_t i = 0; i < c->state->function.count; i++)
        wr_check_function(c, c->state->function.at[i]);
    for (uint32_t i = 0; i < tree->count; i++) wr_lower_statement(c, i, tree->statement[i].span);
    /* Columns of streams that nothing reads are checked too. */
    for (size_t i = 0; i < c->state->decl.count; i++) {
        struct wr_decl *d = c->state->decl.at[i];
        bool stream = d->kind == WR_DECL_STREAM && d->statement->has_columns &&
                      !d->statement->query;
        if (stream && d->mark == WR_MARK_NEW && !d->is_fed) {
            d->mark = wr_lower_source(c, d, &d->relation) ? WR_MARK_DONE : WR_MARK_FAILED;
        }
    }
}

static void check_has_result(struct wr_compile *c)
{
    if (c->state->output_count || wr_diags_failed(c->diags)) return;
    struct wr_span end = {c->state->main_file, 0, 0};
    const struct wr_tree *tree = c->state->tree;
    if (tree->count) end = tree->statement[tree->count - 1].span;
    struct wr_diag *d = wr_diag_add(c->diags, WR_DIAG_W0609, end,
                                    tree->count ? "nothing comes out of this program"
                                                : "there is no statement in this program");
    wr_diag_help(c->diags, d, "add a query, such as SELECT * FROM a_stream;");
}

static void state_init(struct wr_state *s, const struct wr_tree *tree, uint32_t main_file)
{
    s->tree = tree;
    s->main_file = main_file;
    s->statement_mark = wr_alloc_zero(tree->count + 1u);
    s->relation_names = wr_names_new();
    s->function_names = wr_names_new();
    s->parameter_names = wr_names_new();
    s->pattern_names = wr_names_new();
    s->node_names = wr_names_new();
    s->query_names = wr_names_new();
}

static void state_release(struct wr_state *s)
{
    wr_free(s->statement_mark);
    for (size_t i = 0; i < s->decl.count; i++) {
        wr_vec_release(&s->decl.at[i]->feeder_statement);
        wr_vec_release(&s->decl.at[i]->feeder);
    }
    for (size_t i = 0; i < s->block.count; i++) wr_block_release(s->block.at[i]);
    struct wr_names *names[] = {s->relation_names, s->function_names, s->parameter_names,
                                s->pattern_names,  s->node_names,     s->query_names};
    for (size_t i = 0; i < WR_COUNT(names); i++) wr_names_free(names[i]);
    wr_vec_release(&s->decl);
    wr_vec_release(&s->function);
    wr_vec_release(&s->parameter_used);
    wr_vec_release(&s->parameter_span);
    wr_vec_release(&s->parameter);
    wr_vec_release(&s->stream);
    wr_vec_release(&s->setting);
    wr_vec_release(&s->node);
    wr_vec_release(&s->block);
    wr_vec_release(&s->constant);
    wr_vec_release(&s->query);
    wr_free(s->constant_slot);
}

struct wr_program *wr_compile(const struct wr_tree *tree, struct wr_diags *diags,
                              uint32_t main_file, const struct wr_compile_options *options)
{
    struct wr_arena arena;
    struct wr_state state = {0};
    struct wr_compile c = {.arena = &arena, .diags = diags, .options = options, .state = &state};
    wr_arena_init(&arena);
    c.program = wr_program_new();
    state_init(&state, tree, main_file);
    state.parse_failed = wr_diags_failed(diags);

    wr_declare(&c); /* names of streams, views, functions, parameters; settings */
    lower_all(&c);  /* each statement to nodes and value graphs, as something asks for it */
    wr_outputs(&c); /* streams that are fed, derived streams, patterns */
    check_has_result(&c);
    if (!wr_diags_failed(diags)) warn_all_unused(&c);
    if (!wr_diags_failed(diags))
        wr_prune(&c); /* dead nodes, columns and fields that nothing reads */
    if (!wr_diags_failed(diags)) wr_emit(&c); /* code blocks and everything else into the program */

#ifdef WR_DEBUG
    struct wr_error error;
    if (!wr_diags_failed(diags)) WR_ASSERT(wr_program_verify(c.program, &error) == WR_OK);
#endif
    state_release(&state);
    wr_arena_release(&arena);
    if (!wr_diags_failed(diags)) return c.program;
    wr_program_free(c.program);
    return NULL;
}
